//! Retention: what ended long ago leaves the store.
//!
//! What could still be asked for stays: a run that has not ended and all that it began or was begun by; a run with a key, since the
//! key says that the work is done (a done one loses its entries, a failed one keeps them, for it can be tried
//! again); a run with mails that have not left. The newest run, mail and question stay too, so that no number is given
//! out twice. Names of versions stay, for other processes know their numbers; their texts go.

use super::SqliteStore;
use super::doubt::doubted_since;
use super::entry::damaged;
use super::failure::{Done, Trouble};
use super::squeeze::{self, expand};
use crate::value::{Duration, Instant};
use crate::world::{RunId, Store, StoreError};
use rusqlite::{Connection, OptionalExtension};

/// So many runs are removed in one transaction: others write in between.
const BATCH: usize = 200;

/// What was removed, or would be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Runs, with all that is known of them.
    pub runs: u64,
    /// Runs with a key that are still known as done, and whose entries were removed.
    pub emptied: u64,
    /// Mails that had left or were dropped.
    pub mails: u64,
    /// Questions that are closed.
    pub questions: u64,
    /// Texts of scripts that no run needs.
    pub texts: u64,
    /// Bytes of the file that are free, for what comes next.
    pub free: u64,
}

impl Cleaned {
    /// Whether nothing was removed.
    pub fn is_nothing(&self) -> bool {
        Cleaned { free: 0, ..*self } == Cleaned::default()
    }
}

impl SqliteStore {
    /// Removes what ended before a moment, in small transactions; or says what that would remove.
    ///
    /// # Errors
    /// When the store fails. What was removed until then is.
    pub fn clean(&mut self, before: Instant, now: Instant, dry_run: bool) -> Result<Cleaned, StoreError> {
        let mut cleaned = Cleaned::default();
        let mut after = 0;
        self.begin()?;
        loop {
            let last = self.guarded(|store| {
                let last = clean_batch(&store.connection, before.milliseconds(), after, &mut cleaned)?;
                if last.is_none() {
                    cleaned.texts = drop_texts(&store.connection)?;
                    set(&store.connection, "cleaned", now.milliseconds())?;
                }
                Ok(last)
            })?;
            // What is only tried is one transaction, and is taken back.
            if !dry_run {
                self.commit()?;
            }
            let Some(last) = last else { break };
            after = last;
            if !dry_run {
                // Who waits for its turn gets it.
                std::thread::sleep(std::time::Duration::from_millis(5));
                self.begin()?;
            }
        }
        if dry_run {
            self.rollback()?;
        }
        cleaned.free = self.guarded(|store| {
            let number = |text: &str| store.connection.query_row(text, (), |row| row.get::<_, i64>(0));
            Ok((number("PRAGMA freelist_count")? * number("PRAGMA page_size")?).unsigned_abs())
        })?;
        Ok(cleaned)
    }

    /// As [`SqliteStore::clean`], unless that was done within `every`, by whomever, or the clock is doubted; none then.
    ///
    /// # Errors
    /// As [`SqliteStore::clean`].
    pub fn clean_once(
        &mut self,
        before: Instant,
        now: Instant,
        every: Duration,
    ) -> Result<Option<Cleaned>, StoreError> {
        self.begin()?;
        let is_due = self.guarded(|store| {
            let connection = &store.connection;
            if is_doubted(connection, now.milliseconds())? {
                return Ok(false);
            }
            let last = noted(connection, "cleaned")?;
            // A last time that is still to come was noted by a clock that was wrong.
            let passed = last.map(|last| now.milliseconds().saturating_sub(last));
            let is_due = passed.is_none_or(|passed| passed < 0 || passed >= every.milliseconds());
            if is_due {
                set(connection, "cleaned", now.milliseconds())?;
            }
            Ok(is_due)
        })?;
        self.commit()?;
        if is_due { self.clean(before, now, false).map(Some) } else { Ok(None) }
    }

    /// Gives free pages back to the disk; others wait meanwhile.
    ///
    /// # Errors
    /// When there is no room for the copy that this takes, or others do not let it.
    pub fn shrink(&mut self) -> Result<(), StoreError> {
        self.guarded(|store| Ok(store.connection.execute_batch("VACUUM")?))
    }
}

/// Whether the clock is doubted, as the store knows from this look and the last one. Before the first look the newest run
/// tells how late it was.
fn is_doubted(connection: &Connection, now: i64) -> Done<bool> {
    let newest = "SELECT started FROM rpa_runs ORDER BY id DESC LIMIT 1";
    let looked = match noted(connection, "looked")? {
        Some(looked) => Some(looked),
        None => connection.query_row(newest, (), |row| row.get(0)).optional()?,
    };
    let before = noted(connection, "doubted")?.filter(|since| *since > 0);
    let doubted = doubted_since(now, looked, before);
    set(connection, "looked", now)?;
    if doubted != before {
        set(connection, "doubted", doubted.unwrap_or(0))?;
    }
    Ok(doubted.is_some())
}

/// The greatest number of a run that was removed, 0 when none was.
pub(super) fn last_removed(connection: &Connection) -> Done<i64> {
    Ok(noted(connection, "removed")?.unwrap_or(0))
}

fn noted(connection: &Connection, name: &str) -> Done<Option<i64>> {
    let text = "SELECT value FROM rpa_sequences WHERE kind = 'store' AND name = ?1";
    Ok(connection.query_row(text, [name], |row| row.get(0)).optional()?)
}

/// Keeps a number about the store itself, whatever it was.
fn set(connection: &Connection, name: &str, value: i64) -> Done<()> {
    connection.execute(
        "INSERT INTO rpa_sequences (kind, name, value) VALUES ('store', ?1, ?2) \
         ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value",
        (name, value),
    )?;
    Ok(())
}

/// Keeps a number about the store itself; it never falls.
pub(super) fn note(connection: &Connection, name: &str, value: i64) -> Done<()> {
    connection.execute(
        "INSERT INTO rpa_sequences (kind, name, value) VALUES ('store', ?1, ?2) \
         ON CONFLICT (kind, name) DO UPDATE SET value = max(value, excluded.value)",
        (name, value),
    )?;
    Ok(())
}

/// Looks at the next runs that have ended; gives the last one that was looked at.
fn clean_batch(connection: &Connection, before: i64, after: i64, cleaned: &mut Cleaned) -> Done<Option<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, parent, key IS NOT NULL, state = 2 FROM rpa_runs r \
         WHERE id > ?2 AND state IN (2, 3, 5) AND ended < ?1 AND id < (SELECT max(id) FROM rpa_runs) \
         AND NOT (key IS NOT NULL AND state <> 2) ORDER BY id LIMIT ?3",
    )?;
    let found = statement.query_map((before, after, BATCH as i64), |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, bool>(2)?))
    })?;
    let found: Vec<(i64, Option<i64>, bool)> = found.collect::<Result<_, _>>()?;
    let Some(last) = found.last().map(|(run, ..)| *run) else { return Ok(None) };
    // The outbox is looked through once for all of them: it has no index of runs, which each mail would cost something.
    connection.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS mails (run INTEGER NOT NULL, number INTEGER NOT NULL, open INTEGER NOT NULL); \
         CREATE INDEX IF NOT EXISTS temp.mails_run ON mails (run); DELETE FROM temp.mails;",
    )?;
    connection.execute(
        "INSERT INTO temp.mails SELECT run, number, state NOT IN ('sent', 'dropped') \
         OR number = (SELECT max(number) FROM main.rpa_outbox) FROM main.rpa_outbox WHERE run > ?1 AND run <= ?2",
        (after, last),
    )?;
    for (run, parent, has_key) in &found {
        if is_needed(connection, *run)? || is_part_of_needed(connection, *parent, before)? {
            continue;
        }
        let delete = |text: &str| -> Done<u64> { Ok(connection.prepare_cached(text)?.execute([run])? as u64) };
        let entries = delete("DELETE FROM rpa_entries WHERE run = ?1")?;
        let mails = delete("DELETE FROM rpa_outbox WHERE number IN (SELECT number FROM temp.mails WHERE run = ?1)")?;
        let questions = delete("DELETE FROM rpa_inbox WHERE run = ?1")?;
        cleaned.mails += mails;
        cleaned.questions += questions;
        if *has_key {
            let packed = empty(connection, *run)?;
            cleaned.emptied += u64::from(entries + mails + questions + packed > 0);
        } else {
            delete("DELETE FROM rpa_runs WHERE id = ?1")?;
            note(connection, "removed", *run)?;
            cleaned.runs += 1;
        }
    }
    Ok(Some(last))
}

/// Takes the entries out of the row of a run; whether there were any. What lies behind them is kept.
fn empty(connection: &Connection, run: i64) -> Done<u64> {
    let found: Option<(Vec<u8>, Vec<u8>, Vec<u8>)> = connection
        .prepare_cached("SELECT entries, arguments, outcome FROM rpa_runs WHERE id = ?1 AND entries IS NOT NULL")?
        .query_row([run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((entries, arguments, outcome)) = found else { return Ok(0) };
    let wrong = || damaged(RunId(run));
    let entries = expand(&entries, &[]).ok_or_else(wrong)?;
    let alone = |value: &[u8]| Ok::<_, Trouble>(squeeze::alone(&expand(value, &entries).ok_or_else(wrong)?));
    let text = "UPDATE rpa_runs SET entries = NULL, arguments = ?2, outcome = ?3 WHERE id = ?1";
    connection.prepare_cached(text)?.execute((run, alone(&arguments)?, alone(&outcome)?))?;
    Ok(1)
}

/// Whether something of the run is still open, or has the last number of its table.
fn is_needed(connection: &Connection, run: i64) -> Done<bool> {
    let text = "SELECT EXISTS (SELECT 1 FROM rpa_runs WHERE parent = ?1 AND state IN (1, 4)) \
         OR EXISTS (SELECT 1 FROM temp.mails WHERE run = ?1 AND open) \
         OR EXISTS (SELECT 1 FROM rpa_inbox WHERE run = ?1 \
            AND (state = 1 OR number = (SELECT max(number) FROM rpa_inbox))) \
         OR EXISTS (SELECT 1 FROM rpa_waits WHERE run = ?1) OR EXISTS (SELECT 1 FROM rpa_joins WHERE run = ?1)";
    Ok(connection.prepare_cached(text)?.query_row([run], |row| row.get(0))?)
}

/// Whether a run that (through others) began this one may still go on or be tried again.
fn is_part_of_needed(connection: &Connection, mut parent: Option<i64>, before: i64) -> Done<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT parent, state IN (2, 3, 5) AND ended < ?2 AND NOT (key IS NOT NULL AND state <> 2) \
         FROM rpa_runs WHERE id = ?1",
    )?;
    // Parents never go round in a circle; a damaged store might say so.
    for _ in 0..10_000 {
        let Some(run) = parent else { return Ok(false) };
        let found = statement
            .query_row((run, before), |row| Ok((row.get(0)?, row.get::<_, Option<bool>>(1)?.unwrap_or(false))))
            .optional()?;
        match found {
            None => return Ok(false),
            Some((_, false)) => return Ok(true),
            Some((above, true)) => parent = above,
        }
    }
    Ok(true)
}

/// Removes the texts of versions that no run has.
fn drop_texts(connection: &Connection) -> Done<u64> {
    connection.execute(
        "UPDATE rpa_versions SET sources = NULL, names = NULL WHERE sources IS NOT NULL \
         AND number NOT IN (SELECT version FROM rpa_runs)",
        (),
    )?;
    let dropped = connection.execute(
        "DELETE FROM rpa_texts WHERE hash NOT IN \
         (SELECT json_extract(s.value, '$[1]') FROM rpa_versions v, json_each(v.sources) s WHERE v.sources IS NOT NULL)",
        (),
    )?;
    Ok(dropped as u64)
}
