//! Leases: a row for each process that runs flows, and beside the store a file that it holds locked.
//!
//! The row fences: each transaction of a worker renews it or finds it gone, and then nothing is written. Since
//! SQLite lets one process write at a time, no worker can write after another one has removed it. The lock tells
//! the dead at once: the system lets go of it with the process. Where locks of files do not work (some network
//! file systems), a living worker may be taken for dead; then it is fenced, and nothing is done twice.

use super::failure::{Done, Trouble, internal};
use super::journal::{limit, read_runs};
use super::outbox;
use crate::finding::catalogue::store as codes;
use crate::value::{Duration, Instant};
use crate::world::{Claim, GoneWorker, RunId, RunRecord, StoreError, WorkerId, WorkerRecord};
use ecow::EcoString;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::mpsc;

/// The table of the workers. Their numbers are not used twice, so that a run never seems to be another one's.
pub(super) const TABLES: &str = "
CREATE TABLE rpa_workers (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, lock TEXT, began INTEGER NOT NULL, expires INTEGER NOT NULL
) STRICT;
";

/// The longest lease that a project may set: one that seems to last longer was renewed before the clock was set back.
const LONGEST: Duration = Duration::from_milliseconds(Duration::DAY);

/// How often a lease is renewed at least while nothing is written.
const BEAT: Duration = Duration::from_milliseconds(10 * Duration::SECOND);

/// How long a worker waits for those who are before it in line, before it tries all the same.
const LONGEST_TURN: std::time::Duration = std::time::Duration::from_secs(10);

/// What a process holds its runs by.
#[derive(Debug)]
pub(super) struct Lease {
    /// The file of the store; none in memory, and where it is only read.
    file: Option<PathBuf>,
    held: Option<Held>,
    /// How long leases are here, for one who holds none.
    usual: Option<Duration>,
    /// Living processes whose lease is over by the clock: what it says, and since when it was seen to.
    suspects: HashMap<i64, Suspect>,
}

#[derive(Debug)]
struct Suspect {
    name: EcoString,
    expires: i64,
    since: std::time::Instant,
    /// Whether it has renewed its lease since, by a clock that shows something else.
    has_signed: bool,
}

#[derive(Debug)]
struct Held {
    id: i64,
    name: EcoString,
    length: Duration,
    renewed: std::time::Instant,
    lock: Option<(File, PathBuf)>,
    /// Whose turn it is to write.
    line: Option<File>,
    /// Renews the lease while nothing is written; ends when this is dropped.
    heart: Option<mpsc::Sender<()>>,
}

impl Lease {
    /// Not a worker.
    pub fn none(file: Option<PathBuf>) -> Lease {
        Lease { file, held: None, usual: None, suspects: HashMap::new() }
    }

    /// The number of the worker.
    pub fn number(&self) -> Option<i64> {
        self.held.as_ref().map(|held| held.id)
    }

    /// Makes this process a worker, inside the open transaction.
    pub fn enter(&mut self, connection: &Connection, name: &str, length: Duration) -> Done<()> {
        if self.held.is_some() {
            return Ok(());
        }
        let folder = self.file.as_deref().map(folder_of);
        // Locked before anyone can know of it, so that it is never taken for one that the dead have left. Without the
        // right to make it the lease alone must do.
        let lock = folder.as_ref().and_then(|folder| new_lock(folder));
        let line = folder.as_ref().and_then(|folder| open_lock(&folder.join("turn.lock")).ok());
        let token =
            lock.as_ref().and_then(|(_, path)| path.file_name()).map(|name| name.to_string_lossy().into_owned());
        connection.execute(
            "INSERT INTO rpa_workers (name, lock, began, expires) VALUES (?1, ?2, ?3, ?4)",
            (name, token, now(), now() + length.milliseconds()),
        )?;
        let id = connection.last_insert_rowid();
        let heart = self.file.as_ref().map(|file| beat(file.clone(), id, length));
        let renewed = std::time::Instant::now();
        self.held = Some(Held { id, name: name.into(), length, renewed, lock, line, heart });
        Ok(())
    }

    /// Begins anew as another worker, inside the open transaction: for one that was fenced, and whose runs others have.
    pub fn enter_again(&mut self, connection: &Connection) -> Done<()> {
        let Some(held) = self.held.take() else { return Ok(()) };
        drop(held.heart);
        if let Some((file, path)) = held.lock {
            drop(std::fs::remove_file(path));
            drop(file);
        }
        self.enter(connection, &held.name, held.length)
    }

    /// Learns how long leases are here, without holding one.
    pub fn reckon_with(&mut self, length: Duration) {
        self.usual = Some(length);
    }

    /// Living processes whose sign of life is awaited: their lease is over by the clock, which may have been set.
    pub fn suspects(&self) -> Vec<EcoString> {
        self.suspects.values().filter(|suspect| !suspect.has_signed).map(|suspect| suspect.name.clone()).collect()
    }

    /// There is nobody else.
    pub fn forget_suspects(&mut self) {
        self.suspects.clear();
    }

    /// How long a living process may be silent: in that time it would have renewed its lease, whatever the clock shows.
    fn longest_silence(&self) -> std::time::Duration {
        let length = self.held.as_ref().map(|held| held.length).or(self.usual).unwrap_or(BEAT);
        let beat = length.milliseconds().min(BEAT.milliseconds() * 3);
        std::time::Duration::from_millis(u64::try_from(beat / 2).unwrap_or(1))
    }

    /// Ends being a worker.
    pub fn leave(&mut self, connection: &Connection) -> Done<()> {
        let Some(held) = self.held.take() else { return Ok(()) };
        drop(held.heart);
        let removed = connection.execute("DELETE FROM rpa_workers WHERE id = ?1", [held.id]);
        if let Some((file, path)) = held.lock {
            drop(std::fs::remove_file(path));
            drop(file);
        }
        removed.map(|_| ()).map_err(Trouble::from)
    }

    /// Renews the lease inside the open transaction, where it is time to, and makes sure that it is still there.
    pub fn hold(&mut self, connection: &Connection, place: &str) -> Done<()> {
        let Some(held) = &mut self.held else { return Ok(()) };
        let old = i64::try_from(held.renewed.elapsed().as_millis()).unwrap_or(i64::MAX);
        let is_there = if old > held.length.milliseconds() / 4 {
            held.renewed = std::time::Instant::now();
            let until = now() + held.length.milliseconds();
            let text = "UPDATE rpa_workers SET expires = ?2 WHERE id = ?1";
            connection.prepare_cached(text)?.execute((held.id, until))? == 1
        } else {
            connection.prepare_cached("SELECT 1 FROM rpa_workers WHERE id = ?1")?.exists([held.id])?
        };
        if is_there { Ok(()) } else { Err(fenced(&held.name, place)) }
    }

    /// Waits in line for the right to write: a process with much to write lets others in between.
    pub fn turn(&self) -> Option<Turn<'_>> {
        let line = self.held.as_ref()?.line.as_ref()?;
        let began = std::time::Instant::now();
        loop {
            match line.try_lock() {
                Ok(()) => return Some(Turn(line)),
                Err(std::fs::TryLockError::WouldBlock) if began.elapsed() < LONGEST_TURN => {
                    std::thread::sleep(std::time::Duration::from_millis(2));
                }
                Err(_) => return None,
            }
        }
    }

    /// Whether there are workers beside this one.
    pub fn are_others(&self, connection: &Connection) -> Done<bool> {
        let own = self.number().unwrap_or(0);
        Ok(connection.prepare_cached("SELECT 1 FROM rpa_workers WHERE id <> ?1")?.exists([own])?)
    }

    /// Removes the workers that are dead or stuck, inside the open transaction. A process that lives is stuck when its
    /// lease is over and it does not renew it while it is watched: that the lease is over may also mean that somebody
    /// has set the clock.
    pub fn take_over(&mut self, connection: &Connection) -> Done<Vec<GoneWorker>> {
        let silence = self.longest_silence();
        let own = self.number().unwrap_or(0);
        let mut statement =
            connection.prepare_cached("SELECT id, name, lock, expires FROM rpa_workers WHERE id <> ?1 ORDER BY id")?;
        let others = statement.query_map([own], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        let others: Vec<(i64, String, Option<String>, i64)> = others.collect::<Result<_, _>>()?;
        let mut gone = Vec::new();
        self.suspects.retain(|id, _| others.iter().any(|(other, ..)| other == id));
        for (id, name, lock, expires) in others {
            let path = match (&self.file, &lock) {
                (Some(file), Some(lock)) => Some(folder_of(file).join(lock)),
                _ => None,
            };
            let is_dead = path.as_deref().is_some_and(|path| !is_locked(path));
            let seems_over = expires < now() || expires - now() > LONGEST.milliseconds();
            if !is_dead && !seems_over {
                self.suspects.remove(&id);
                continue;
            }
            if !is_dead {
                let since = std::time::Instant::now();
                let new = |has_signed| Suspect { name: name.as_str().into(), expires, since, has_signed };
                let suspect = self.suspects.entry(id).or_insert_with(|| new(false));
                if suspect.expires != expires {
                    *suspect = new(true);
                }
                if suspect.since.elapsed() < silence {
                    continue;
                }
                // It may have handed a mail over: that is known when it goes on, or when its claim has ended.
                outbox::keep_claims_of(connection, id)?;
            }
            self.suspects.remove(&id);
            let text = "SELECT count(*) FROM rpa_runs WHERE state = 1 AND state <> 2 AND worker = ?1";
            let runs: i64 = connection.query_row(text, [id], |row| row.get(0))?;
            connection.execute("DELETE FROM rpa_workers WHERE id = ?1", [id])?;
            if let Some(path) = path.filter(|_| is_dead) {
                drop(std::fs::remove_file(path));
            }
            gone.push(GoneWorker { name: name.into(), was_stuck: !is_dead, runs: runs.unsigned_abs() });
        }
        Ok(gone)
    }

    /// Makes a run this worker's, inside the open transaction.
    pub fn claim(&self, connection: &Connection, run: RunId) -> Done<Claim> {
        let own = self.number();
        let taken = connection
            .prepare_cached(
                "UPDATE rpa_runs SET worker = ?2 WHERE id = ?1 AND (state <> 1 OR worker IS NULL OR worker = ?2 \
                 OR worker NOT IN (SELECT id FROM rpa_workers))",
            )?
            .execute((run.0, own))?;
        if taken == 1 {
            return Ok(Claim::Own);
        }
        match holder(connection, run)? {
            Some(holder) => Ok(Claim::Held(holder.name)),
            None => Err(internal(format!("there is no run {}", run.0))),
        }
    }
}

/// The right to write next; given on when it is dropped.
pub(super) struct Turn<'f>(&'f File);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        drop(self.0.unlock());
    }
}

/// The workers, the oldest first.
pub(super) fn workers(connection: &Connection) -> Done<Vec<WorkerRecord>> {
    let mut statement = connection.prepare_cached("SELECT id, name, began, expires FROM rpa_workers ORDER BY id")?;
    let mut rows = statement.query(())?;
    let mut workers = Vec::new();
    while let Some(row) = rows.next()? {
        workers.push(read_worker(row)?);
    }
    Ok(workers)
}

/// Who works on a run.
pub(super) fn holder(connection: &Connection, run: RunId) -> Done<Option<WorkerRecord>> {
    let text = "SELECT w.id, w.name, w.began, w.expires FROM rpa_runs r JOIN rpa_workers w ON w.id = r.worker \
                WHERE r.id = ?1 AND r.state = 1";
    Ok(connection.prepare_cached(text)?.query_row([run.0], read_worker).optional()?)
}

fn read_worker(row: &rusqlite::Row<'_>) -> rusqlite::Result<WorkerRecord> {
    let instant = |milliseconds| Instant::from_milliseconds(milliseconds).unwrap_or(Instant::EPOCH);
    Ok(WorkerRecord {
        id: WorkerId(row.get(0)?),
        name: row.get::<_, String>(1)?.into(),
        began: instant(row.get(2)?),
        expires: instant(row.get(3)?),
    })
}

/// Runs that nobody has.
pub(super) fn free_runs(connection: &Connection, most: usize) -> Done<Vec<RunRecord>> {
    read_runs(
        connection,
        "WHERE r.state = 1 AND r.state <> 2 AND (r.worker IS NULL OR r.worker NOT IN (SELECT id FROM rpa_workers)) \
         AND NOT EXISTS (SELECT 1 FROM rpa_runs p WHERE p.id = r.parent AND p.state = 1) ORDER BY r.id LIMIT ?1",
        &[&limit(most)],
    )
}

/// What is said when the store is locked: who holds it, where that is known.
pub(super) fn locked_by(connection: &Connection, trouble: Trouble, place: &str) -> Trouble {
    let is_busy = matches!(&trouble, Trouble::Sqlite(rusqlite::Error::SqliteFailure(failure, _))
        if matches!(failure.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked));
    let others = if is_busy { workers(connection).unwrap_or_default() } else { Vec::new() };
    if others.is_empty() {
        return trouble;
    }
    let names: Vec<_> = others.iter().map(|worker| worker.name.as_str()).collect();
    let message = format!("the store `{place}` is in use by another process: {}", names.join("; "));
    let help = match names.iter().find_map(|name| stopped(name)) {
        Some(process) => format!(
            "process {process} was stopped (SIGSTOP) while it wrote: `kill -CONT {process}` lets it go on, `kill -KILL \
             {process}` ends it; nothing is lost either way"
        ),
        None => "wait until it has ended, or end it if it is stuck, and run again: nothing is lost".to_string(),
    };
    Trouble::Store(StoreError::Failed { code: codes::LOCKED.id, message, help })
}

/// The number of a worker's process when that is stopped: `ada@desk, process 4711`. Where the system does not tell, or
/// the process is on another machine, nothing is known.
fn stopped(name: &str) -> Option<u32> {
    let process: u32 = name.rsplit_once("process ")?.1.parse().ok()?;
    // `4711 (rpa) T …`: T for stopped, t for stopped by a debugger.
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (program, rest) = stat.split_once('(')?.1.rsplit_once(") ")?;
    let own = std::fs::read_to_string("/proc/self/comm").ok()?;
    (program == own.trim_end() && matches!(rest.as_bytes().first(), Some(b'T' | b't'))).then_some(process)
}

fn fenced(name: &str, place: &str) -> Trouble {
    Trouble::Store(StoreError::Failed {
        code: codes::FENCED.id,
        message: format!("another process has taken over what this one ({name}) did on the store `{place}`"),
        help: "see `rpa runs` for how the runs stand; nothing is lost, and nothing was done twice".to_string(),
    })
}

/// Renews a lease from time to time until the sender is dropped: while the process waits or delivers mail, it
/// writes nothing, and is alive all the same.
fn beat(file: PathBuf, id: i64, length: Duration) -> mpsc::Sender<()> {
    let (sender, receiver) = mpsc::channel();
    let pause = (length.milliseconds() / 3).min(BEAT.milliseconds());
    let pause = std::time::Duration::from_millis(u64::try_from(pause).unwrap_or(1).max(1));
    let work = move || {
        let mut connection = None;
        while let Err(mpsc::RecvTimeoutError::Timeout) = receiver.recv_timeout(pause) {
            if connection.is_none() {
                connection = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_WRITE).ok();
            }
            let Some(open) = &connection else { continue };
            // While another writes, the lease is renewed the next time; nobody can take it then either.
            drop(open.busy_timeout(pause));
            let until = now() + length.milliseconds();
            drop(open.execute("UPDATE rpa_workers SET expires = ?2 WHERE id = ?1", (id, until)));
        }
    };
    // Without a thread the lease is renewed by each transaction.
    drop(std::thread::Builder::new().name("lease".to_string()).spawn(work));
    sender
}

/// The folder of the locks beside a store.
fn folder_of(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push("-workers");
    PathBuf::from(name)
}

/// Whether a living process holds one of the locks beside a store.
pub(super) fn is_worked_on(store: &Path) -> bool {
    let Ok(files) = std::fs::read_dir(folder_of(store)) else { return false };
    let mut locks =
        files.flatten().map(|file| file.path()).filter(|path| path.extension().is_some_and(|end| end == "lock"));
    locks.any(|path| is_locked(&path))
}

/// A new file that this process holds locked.
fn new_lock(folder: &Path) -> Option<(File, PathBuf)> {
    let mut token = [0; 8];
    getrandom::getrandom(&mut token).ok()?;
    let token: String = token.iter().map(|byte| format!("{byte:02x}")).collect();
    let path = folder.join(format!("{token}.lock"));
    let file = open_lock(&path).ok()?;
    file.try_lock().ok()?;
    Some((file, path))
}

fn open_lock(path: &Path) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)
}

/// Whether a living process holds the lock. What is not there is held by nobody.
fn is_locked(path: &Path) -> bool {
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => !matches!(file.try_lock(), Ok(())),
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}

/// Milliseconds since 1970 UTC.
fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
