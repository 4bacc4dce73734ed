//! Putting a backup in the place of a store.
//!
//! A restored store knows nothing of the mails that left after the backup was made. So no mail leaves by itself of which that
//! could be: mails that waited in the backup become dead letters, and so does each mail that is written later
//! and is the same, to the same person, as one that the replaced store knows to have left since. A person decides
//! about them. Numbers of runs, mails and questions go on behind those of the replaced store: they name mails to their receivers, and
//! questions to people.

use super::backup::{Copied, beside, copy, flush_folder, is_same, unwritable};
use super::failure::{Done, Trouble, finding};
use super::{Access, Options, SqliteStore, check, clean, lease};
use crate::finding::Finding;
use crate::finding::catalogue::store as codes;
use crate::value::Instant;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};

/// The mails that left after the backup, and what becomes of one that is written again.
///
/// Each counts once. `used` is the mail that it was found to be: a step that is taken back takes its mail out, and its next
/// try puts it in again.
const LEFT: &str = "
CREATE TABLE IF NOT EXISTS rpa_left (
  number INTEGER PRIMARY KEY, recipient TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL, used INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS rpa_left_recipient ON rpa_left (recipient, subject);
CREATE VIEW IF NOT EXISTS rpa_left_open AS SELECT * FROM rpa_left l WHERE l.used IS NULL OR NOT EXISTS (
  SELECT 1 FROM rpa_outbox o
  WHERE o.number = l.used AND o.recipient = l.recipient AND o.subject = l.subject AND o.body = l.body
);
CREATE TRIGGER IF NOT EXISTS rpa_left_again AFTER INSERT ON rpa_outbox WHEN EXISTS (
  SELECT 1 FROM rpa_left_open WHERE recipient = NEW.recipient AND subject = NEW.subject AND body = NEW.body
) BEGIN
  UPDATE rpa_left SET used = NEW.number WHERE number = (SELECT min(number) FROM rpa_left_open
    WHERE recipient = NEW.recipient AND subject = NEW.subject AND body = NEW.body);
  UPDATE rpa_outbox SET state = 'dead', settled = NEW.written,
    problem = 'restored: the same mail left after the backup was made' WHERE number = NEW.number;
END;
";

/// What restoring has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The store as it is now.
    pub copied: Copied,
    /// Mails that waited in the backup and are dead letters now.
    pub held: u64,
    /// Mails that left after the backup, and are held should they be written again.
    pub left: u64,
    /// Where the replaced store is; none when there was none.
    pub aside: Option<PathBuf>,
    /// Whether the replaced store could be read, so that what had left is known.
    pub was_readable: bool,
}

/// Puts a backup in the place of the store. With `send`, mails leave as if nothing had happened.
///
/// # Errors
/// When the backup is not whole, a process works on the store, or a file can't be written. The store is as it was then.
pub fn restore(backup: &Path, store: &Path, send: bool, now: Instant) -> Result<Restored, Finding> {
    let name = store.display().to_string();
    let backup_name = backup.display().to_string();
    if is_same(backup, store) {
        return Err(Finding::without_place(&codes::BAD_BACKUP, format!("`{backup_name}` is the store itself"))
            .help("name the file that `rpa store backup` has made"));
    }
    look_at(backup, &backup_name)?;
    let old = hold(store, &name)?;
    let is_there = store.is_file();
    let source = SqliteStore::open(backup, &[], &[], &Options { access: Access::ReadOnly, ..Options::default() })?;
    if let Some(folder) = store.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| unwritable(&name, &error))?;
    }
    let part = beside(store, "-restoring");
    let (mut held, mut left, mut was_readable) = (0, 0, false);
    let made = copy(&source.connection, &part, |copy| {
        let transaction = copy.transaction()?;
        // Those who worked when the backup was made do not work on this one; their runs are free.
        transaction.execute("DELETE FROM rpa_workers", ())?;
        if !send {
            transaction.execute(
                "UPDATE rpa_outbox SET state = 'dead', owner = NULL, settled = ?1, \
                 problem = 'restored: it waited when the backup was made, and may have left since' WHERE state = 'waiting'",
                [now.milliseconds()],
            )?;
        }
        if let Some(old) = &old {
            // What can't be read of a damaged store is not known; the rest is restored all the same.
            match take_over(old, &transaction, send) {
                Ok(count) => (left, was_readable) = (count, true),
                Err(Trouble::Sqlite(error)) if is_damage(&error) => {}
                Err(other) => return Err(other),
            }
        }
        let text = "SELECT count(*) FROM rpa_outbox WHERE state = 'dead' AND problem LIKE 'restored: it waited%'";
        held = transaction.query_row(text, (), |row| row.get::<_, i64>(0))?.unsigned_abs();
        transaction.commit()?;
        Ok(())
    });
    let copied = match made {
        Ok(copied) => copied,
        Err(trouble) => {
            drop(std::fs::remove_file(&part));
            return Err(finding(trouble, &part.display().to_string()));
        }
    };
    let aside = if is_there { Some(put_aside(store, now)?) } else { None };
    std::fs::rename(&part, store).map_err(|error| unwritable(&name, &error))?;
    flush_folder(store);
    // Until here nobody else could begin anything in the old one.
    drop(old);
    Ok(Restored { copied, held, left, aside, was_readable })
}

/// Makes sure that the backup is whole.
fn look_at(backup: &Path, name: &str) -> Result<(), Finding> {
    let bad = |message: String| {
        Finding::without_place(&codes::BAD_BACKUP, message)
            .note("nothing was changed")
            .help("take another backup; `rpa store check --store FILE` tells all that is wrong with this one")
    };
    if !backup.is_file() {
        return Err(bad(format!("there is no file `{name}`")).help("name the file that `rpa store backup` has made"));
    }
    let inspection =
        check::check(backup).map_err(|finding| bad(format!("`{name}` is no backup: {}", finding.message)))?;
    match inspection.findings.first() {
        Some(first) => Err(bad(format!("`{name}` is not whole: {}", first.message))),
        None => Ok(()),
    }
}

/// Takes the store for this process alone; none where there is none, or where it is too damaged for that.
fn hold(store: &Path, name: &str) -> Result<Option<Connection>, Finding> {
    let in_use = |who: &[String]| {
        let who = if who.is_empty() { String::new() } else { format!(": {}", who.join("; ")) };
        Finding::without_place(&codes::IN_USE, format!("a process works on the store `{name}`{who}"))
            .note("nothing was changed")
            .help("end it (`rpa serve` ends with Ctrl+C or SIGTERM), and restore again")
    };
    if lease::is_worked_on(store) {
        return Err(in_use(&names(store)));
    }
    if !store.is_file() {
        return Ok(None);
    }
    let taken = || -> rusqlite::Result<Option<Connection>> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let path = if store.is_absolute() { store.to_path_buf() } else { Path::new(".").join(store) };
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(std::time::Duration::from_secs(1))?;
        // This way of keeping the file needs it alone: SQLite refuses it while anyone has it open. The log is carried over by it.
        let mode: String = connection.query_row("PRAGMA journal_mode = DELETE", (), |row| row.get(0))?;
        if mode != "delete" {
            return Ok(None);
        }
        connection.execute_batch("BEGIN EXCLUSIVE")?;
        Ok(Some(connection))
    };
    match taken() {
        Ok(Some(connection)) => Ok(Some(connection)),
        Ok(None) => Err(in_use(&names(store))),
        Err(error) if is_busy(&error) => Err(in_use(&names(store))),
        // It is damaged or no store at all: nobody can work on it, and it is put aside as it is.
        Err(error) if is_damage(&error) => Ok(None),
        Err(error) => Err(finding(error.into(), name)),
    }
}

/// Who works on a store, as far as it says.
fn names(store: &Path) -> Vec<String> {
    let open = Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let workers = open.ok().and_then(|connection| lease::workers(&connection).ok()).unwrap_or_default();
    workers.into_iter().map(|worker| worker.name.to_string()).collect()
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(failure, _)
        if matches!(failure.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn is_damage(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => matches!(
            failure.code,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SystemIoFailure | ErrorCode::Unknown
        ),
        // A value where another kind was written, or no row where one must be.
        _ => true,
    }
}

/// Takes over what the replaced store knows and the backup does not; gives how many mails had left.
fn take_over(old: &Connection, new: &Connection, send: bool) -> Done<u64> {
    // Other stores have numbers and mails of their own.
    let identity =
        |store: &Connection| store.query_row("SELECT identity FROM rpa_identity", (), |row| row.get::<_, String>(0));
    if identity(old)? != identity(new)? {
        return Ok(0);
    }
    for (what, greatest) in [
        ("runs", "SELECT ifnull(max(id), 0) FROM rpa_runs"),
        ("mails", "SELECT ifnull(max(number), 0) FROM rpa_outbox"),
        ("questions", "SELECT ifnull(max(number), 0) FROM rpa_inbox"),
        ("runs", "SELECT ifnull(max(value), 0) FROM rpa_sequences WHERE kind = 'store' AND name = 'runs'"),
        ("mails", "SELECT ifnull(max(value), 0) FROM rpa_sequences WHERE kind = 'store' AND name = 'mails'"),
        ("questions", "SELECT ifnull(max(value), 0) FROM rpa_sequences WHERE kind = 'store' AND name = 'questions'"),
    ] {
        clean::note(new, what, old.query_row(greatest, (), |row| row.get(0))?)?;
    }
    if send {
        return Ok(0);
    }
    new.execute_batch(LEFT)?;
    // What a store knew to have left that this one had replaced.
    let was_restored = "SELECT 1 FROM sqlite_schema WHERE name = 'rpa_left'";
    if old.prepare(was_restored)?.exists(())? {
        let mut insert =
            new.prepare("INSERT OR IGNORE INTO rpa_left (number, recipient, subject, body) VALUES (?1, ?2, ?3, ?4)")?;
        let mut statement = old.prepare(
            "SELECT number, recipient, subject, body FROM rpa_left l WHERE NOT EXISTS (SELECT 1 FROM rpa_outbox o \
             WHERE o.number = l.used AND o.state = 'sent' AND o.recipient = l.recipient AND o.subject = l.subject)",
        )?;
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            let text = |at| row.get::<_, String>(at);
            insert.execute((row.get::<_, i64>(0)?, text(1)?, text(2)?, text(3)?))?;
        }
    }
    let mut known = new.prepare("SELECT state FROM rpa_outbox WHERE number = ?1 AND id = ?2")?;
    let mut insert = new.prepare("INSERT INTO rpa_left (recipient, subject, body) VALUES (?1, ?2, ?3)")?;
    let mut was_sent =
        new.prepare("UPDATE rpa_outbox SET state = 'sent', problem = NULL, settled = ?2 WHERE number = ?1")?;
    let mut statement = old.prepare(
        "SELECT number, id, recipient, subject, body, settled FROM rpa_outbox WHERE state = 'sent' ORDER BY number",
    )?;
    let mut rows = statement.query(())?;
    let mut left = 0;
    while let Some(row) = rows.next()? {
        let (number, id): (i64, String) = (row.get(0)?, row.get(1)?);
        let mut found = known.query((number, id))?;
        let state: Option<String> = found.next()?.map(|row| row.get(0)).transpose()?;
        drop(found);
        match state.as_deref() {
            Some("sent") => {}
            // It waited in the backup, and has left: there is nothing to decide.
            Some("dead") => {
                was_sent.execute((number, row.get::<_, Option<i64>>(5)?))?;
            }
            _ => {
                let text = |at| row.get::<_, String>(at);
                insert.execute((text(2)?, text(3)?, text(4)?))?;
                left += 1;
            }
        }
    }
    Ok(left)
}

/// Gives the replaced store another name, beside the one that it had.
fn put_aside(store: &Path, now: Instant) -> Result<PathBuf, Finding> {
    let stamp = now.timestamp().strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut aside = beside(store, &format!("-before-{stamp}"));
    let mut count = 1;
    while aside.exists() {
        count += 1;
        aside = beside(store, &format!("-before-{stamp}-{count}"));
    }
    let failed = |error: std::io::Error| unwritable(&aside.display().to_string(), &error);
    // A log that could not be carried over belongs to it; beside the restored store it would do harm.
    for suffix in ["-wal", "-journal", "-shm"] {
        let from = beside(store, suffix);
        if from.exists() {
            std::fs::rename(&from, beside(&aside, suffix)).map_err(failed)?;
        }
    }
    std::fs::rename(store, &aside).map_err(failed)?;
    Ok(aside)
}
