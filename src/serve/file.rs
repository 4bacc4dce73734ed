//! Triggers on files: `on file "inbox/*.csv" as f`.
//!
//! A file is complete when it has not changed for a while. It is known by its path, its size and when it was
//! changed: the same name with other content is another file, and a file that was seen is not started again.

use super::watch::{Off, Watched, off, start};
use super::{Event, Shared};
use crate::finding::Finding;
use crate::finding::catalogue::serve as codes;
use crate::flow::{MachineWorker, Worker};
use crate::value::{Duration, Instant, Value};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::{Duration as Length, Instant as Moment, SystemTime};

/// A file that was not changed for so long is complete.
const SETTLED: Length = Length::from_secs(2);

/// A file that was changed so long ago, by its own word, is complete at the first look.
const OLD: Length = Length::from_secs(10);

/// How long a file that is not there any more is remembered.
const REMEMBERED: Duration = Duration::from_milliseconds(30 * Duration::DAY);

/// What a look at a folder remembers until the next.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Files that are not complete yet: how they were, and since when they are so.
    fresh: HashMap<String, (Stamp, Moment)>,
    /// Files that were seen to be done.
    known: HashSet<String>,
    /// When it was looked last for what can be forgotten.
    tidied: Option<Moment>,
}

/// How a file looks from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    changed: SystemTime,
}

impl Stamp {
    fn of(path: &Path) -> Option<Stamp> {
        let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        Some(Stamp { size: metadata.len(), changed: metadata.modified().ok()? })
    }

    /// What names the file.
    fn key(&self, path: &str) -> String {
        let since = self.changed.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        format!("{} {} {path}", since.as_nanos(), self.size)
    }
}

/// Starts the trigger for each file that is complete and new.
pub(super) fn look(
    shared: &Shared<'_>,
    worker: &mut MachineWorker<'_>,
    watched: &Watched<'_>,
    pattern: &str,
    files: &mut Files,
) -> Result<(), Off> {
    let found = match worker.world().files.list(pattern) {
        Ok(found) => found,
        Err(error) => {
            let message = format!("`{}` can't look for files: {error}", watched.trigger.name);
            return Err(Some(Box::new(Finding::without_place(&codes::TRIGGER, message).help(
                "make the folder, and let `[reach]` of rpa.toml name it; the trigger is tried again meanwhile",
            ))));
        }
    };
    files.fresh.retain(|path, _| found.contains(path));
    let mut known = HashSet::with_capacity(found.len());
    for path in &found {
        if shared.is_ending() {
            return Ok(());
        }
        let Some(stamp) = Stamp::of(&worker.world().files.resolve(Path::new(path))) else { continue };
        let key = stamp.key(path);
        if files.known.contains(&key) || worker.world().store.has_seen(&watched.key, &key).map_err(off)? {
            known.insert(key);
            continue;
        }
        if !files.is_complete(path, stamp) {
            continue;
        }
        if let Some(run) = begin(worker, watched, path, stamp, &key)? {
            let trigger = watched.trigger.name.clone();
            shared.tell(Event::Started { trigger, run, what: path.clone(), caught_up: 0 });
        }
        known.insert(key);
    }
    files.known = known;
    files.tidy(worker, watched)
}

impl Files {
    fn is_complete(&mut self, path: &str, stamp: Stamp) -> bool {
        if SystemTime::now().duration_since(stamp.changed).is_ok_and(|age| age >= OLD) {
            return true;
        }
        let now = Moment::now();
        let (before, since) = self.fresh.entry(path.to_string()).or_insert((stamp, now));
        if *before != stamp {
            (*before, *since) = (stamp, now);
        }
        now.duration_since(*since) >= SETTLED
    }

    /// Forgets files that are not there any more, once a day.
    fn tidy(&mut self, worker: &mut MachineWorker<'_>, watched: &Watched<'_>) -> Result<(), Off> {
        if self.tidied.is_some_and(|at| at.elapsed() < Length::from_secs(86_400)) {
            return Ok(());
        }
        self.tidied = Some(Moment::now());
        let world = worker.world();
        let before = world.clock.now().minus(REMEMBERED).unwrap_or(Instant::EPOCH);
        let seen = world.store.seen_before(&watched.key, before).map_err(off)?;
        let gone: Vec<_> = seen.into_iter().filter(|key| !self.known.contains(key.as_str())).collect();
        if gone.is_empty() {
            return Ok(());
        }
        world.store.begin().map_err(off)?;
        for key in gone {
            world.store.forget(&watched.key, &key).map_err(off)?;
        }
        world.store.commit().map_err(off)
    }
}

fn begin(
    worker: &mut MachineWorker<'_>,
    watched: &Watched<'_>,
    path: &str,
    stamp: Stamp,
    key: &str,
) -> Result<Option<crate::world::RunId>, Off> {
    let now = worker.world().clock.now();
    let Some(file) = watched.file_type else { return Ok(None) };
    let name = path.rsplit('/').next().unwrap_or(path);
    let size = i64::try_from(stamp.size).unwrap_or(i64::MAX);
    let record = Value::record(file, [Value::from(path), Value::from(name), Value::Int(size)]);
    start(worker, watched, vec![record], now, |store| store.see(&watched.key, key, now))
}
