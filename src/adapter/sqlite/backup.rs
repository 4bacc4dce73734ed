//! Copies of a store while others work on it.
//!
//! SQLite's online backup copies all pages in one read transaction: what was committed when it began, and nothing
//! else. The copy is made beside the file that it becomes and looked at before it takes its name, so that there is never half of one.

use super::failure::{Done, Trouble, finding};
use super::{Access, Options, SqliteStore};
use crate::finding::Finding;
use crate::finding::catalogue::store as codes;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a backup waits for others that hold the whole file.
const PATIENCE: Duration = Duration::from_secs(30);

/// A copy that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Its size in bytes.
    pub bytes: u64,
    /// How many runs it has.
    pub runs: u64,
    /// How many of them had not ended.
    pub unfinished: u64,
    /// How many mails had not left.
    pub waiting_mails: u64,
}

/// Copies the store in a file to another file; one that is there is replaced with `force` alone.
///
/// # Errors
/// When the store can't be read, the copy can't be written, there is a file already, or the copy is not whole.
pub fn backup(store: &Path, to: &Path, force: bool) -> Result<Copied, Finding> {
    let name = to.display().to_string();
    if is_same(store, to) {
        return Err(Finding::without_place(&codes::BACKUP_TARGET, format!("`{name}` is the store itself"))
            .help("name another file, on another disk if there is one"));
    }
    let is_taken = || {
        Finding::without_place(&codes::BACKUP_TARGET, format!("there is a file `{name}` already"))
            .note("it was left as it is")
            .help("name another file, or replace it with `--force`")
    };
    if to.is_dir() || (to.exists() && !force) {
        return Err(is_taken());
    }
    let options = Options { access: Access::ReadOnly, ..Options::default() };
    let source = SqliteStore::open(store, &[], &[], &options)?;
    let part = beside(to, &format!("-part-{}", std::process::id()));
    let made =
        copy(&source.connection, &part, |_| Ok(())).map_err(|trouble| finding(trouble, &part.display().to_string()));
    let placed = made.and_then(|copied| {
        let place = |error: std::io::Error| unwritable(&name, &error);
        // A link never replaces what came there meanwhile; not all file systems have them.
        match force {
            true => std::fs::rename(&part, to).map_err(place)?,
            false => match std::fs::hard_link(&part, to) {
                Ok(()) => std::fs::remove_file(&part).map_err(place)?,
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(is_taken()),
                Err(_) => std::fs::rename(&part, to).map_err(place)?,
            },
        }
        flush_folder(to);
        Ok(copied)
    });
    if placed.is_err() {
        drop(std::fs::remove_file(&part));
    }
    placed
}

/// Copies an open store into a new file, changes the copy, and makes sure that it is whole and on disk.
pub(super) fn copy(source: &Connection, to: &Path, change: impl FnOnce(&mut Connection) -> Done<()>) -> Done<Copied> {
    drop(std::fs::remove_file(to));
    let mut copy = Connection::open(to)?;
    super::function::register(&copy)?;
    {
        let backup = Backup::new(source, &mut copy)?;
        let began = Instant::now();
        loop {
            // All at once: in parts, a store that is written to would be begun anew again and again.
            match backup.step(-1)? {
                StepResult::Done => break,
                _ if began.elapsed() > PATIENCE => return Err(busy()),
                _ => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }
    // One file, without a log beside it.
    copy.query_row("PRAGMA journal_mode = DELETE", (), |_| Ok(()))?;
    change(&mut copy)?;
    let whole: String = copy.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?;
    if whole != "ok" {
        return Err(super::failure::damaged(whole));
    }
    let number = |text: &str| copy.query_row(text, (), |row| row.get::<_, i64>(0).map(i64::unsigned_abs));
    let copied = Copied {
        bytes: number("PRAGMA page_count")? * number("PRAGMA page_size")?,
        runs: number("SELECT count(*) FROM rpa_runs")?,
        unfinished: number("SELECT count(*) FROM rpa_runs WHERE state IN (1, 4)")?,
        waiting_mails: number("SELECT count(*) FROM rpa_outbox WHERE state = 'waiting'")?,
    };
    drop(copy);
    // The pages are on disk before the file has its name.
    if let Ok(file) = std::fs::File::open(to) {
        drop(file.sync_all());
    }
    Ok(copied)
}

fn busy() -> Trouble {
    let failure = rusqlite::ffi::Error { code: ErrorCode::DatabaseBusy, extended_code: 5 };
    Trouble::Sqlite(rusqlite::Error::SqliteFailure(failure, None))
}

/// The path with something behind it.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Whether two paths are one file.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

pub(super) fn unwritable(name: &str, error: &std::io::Error) -> Finding {
    Finding::without_place(&codes::BACKUP_TARGET, format!("`{name}` can't be written: {error}"))
        .help("check that the folder is there, that this user may write to it, and that there is room")
}

/// The name of a file is on disk when its folder is.
pub(super) fn flush_folder(file: &Path) {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(folder) = std::fs::File::open(folder) {
        drop(folder.sync_all());
    }
}
