//! The store in one SQLite file: records in tables that people can read, sequences, outbox and journal.
//!
//! `open` makes or checks the file, `migration` brings its tables up to the program's entities (`types`,
//! `layout`, `schema` say what these are), `record` reads and writes records (`column` and `document` say
//! how values look; `memory` says what is read and written at once: `cache` knows those that were read, `behind` holds what is
//! new and changed until it must be written, `part` takes back what a step has written), `desk` lends the connection to the
//! `scribe`, who writes on another core while `snapshot` is read, `query` turns plans into statements (`scalar` their
//! conditions), `function` adds what SQLite lacks, `sequence` counts, `journal` (with `entry`, `squeeze` and `pending`) and
//! `outbox` keep what their names say, `checkpoint` keeps the log short, `failure` explains. `check`, `backup`, `restore` and
//! `clean` keep house.

// A store is opened once: that a finding is larger than what is moved in a loop should be does not matter.
#![allow(clippy::result_large_err)]

mod backup;
mod behind;
mod cache;
mod check;
mod checkpoint;
mod clean;
mod column;
mod desk;
mod document;
mod doubt;
mod entry;
mod failure;
mod function;
mod journal;
mod layout;
mod lease;
mod memory;
mod migration;
mod open;
mod outbox;
mod part;
mod pending;
mod query;
mod record;
mod restore;
mod scalar;
mod schema;
mod scribe;
mod sequence;
mod snapshot;
mod squeeze;
#[cfg(test)]
mod tests;
mod trigger;
mod types;
mod waiting;
mod windows;

pub use backup::{Copied, backup};
pub use check::{Inspection, check};
pub use clean::Cleaned;
pub use restore::{Restored, restore};

use crate::check::program::{EnumType, RecordType};
use crate::finding::Finding;
use crate::value::{RecordId, Value};
use crate::world::{Leases, RecordHappening, StoreError};
use ecow::EcoString;
use failure::{Done, Trouble, explained, internal};
use part::Opposite;
use rusqlite::Connection;
use schema::Schema;
use sequence::Counters;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How a store is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Whether it is written to.
    pub access: Access,
    /// How long to wait for another process that writes.
    pub busy_timeout: Duration,
    /// Whether a commit waits until the disk has it. Without, a failure of the power may lose the last commits,
    /// and mails may have left that the store does not know of: for tests alone.
    pub durable: bool,
    /// The most pages of 4096 bytes that the file may have.
    pub most_pages: Option<u32>,
    /// Once this is set no transaction begins any more, with [`STOPPED`]: how a process ends between two commits.
    pub stop: Option<Stop>,
}

/// Says that the process is to end. Equal to another when it is the same one.
#[derive(Debug, Clone, Default)]
pub struct Stop(pub Arc<AtomicBool>);

impl Stop {
    /// Whether the process is to end.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl PartialEq for Stop {
    fn eq(&self, other: &Stop) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Stop {}

/// The code of the failure to begin a transaction because the process is to end.
pub const STOPPED: &str = "store::stopped";

/// Whether a store is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It is read and written, and made when it is not there.
    ReadWrite,
    /// It is only looked at.
    ReadOnly,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            access: Access::ReadWrite,
            busy_timeout: Duration::from_secs(10),
            durable: true,
            most_pages: None,
            stop: None,
        }
    }
}

/// A store in an SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    /// Ends before the connection does.
    checkpoints: checkpoint::Checkpoints,
    connection: desk::Desk,
    /// What people call it: its path.
    place: String,
    schema: Arc<Schema>,
    updates: schema::Updates,
    /// Whether a transaction is open.
    is_open: bool,
    /// What can be taken back of it alone.
    parts: part::Parts,
    /// What is known of its records.
    cache: cache::Cache,
    /// What the tables do not know yet of changes of records.
    behind: behind::Behind,
    /// The number of the next mail, once it is known: no other process writes one before the commit.
    next_mail: Option<i64>,
    /// What SQLite called the content of the file when the last transaction began.
    version: Option<i64>,
    /// Whether commits wait for [`Store::let_go`].
    held: bool,
    counters: Counters,
    queries: query::Queries,
    names: journal::Names,
    pending: pending::Pending,
    /// What names this store among all others, once it was asked for.
    identity: Option<EcoString>,
    /// Says that no transaction is to begin any more.
    stop: Option<Stop>,
    /// Whose changes wake runs; looked up once a transaction, since nobody else writes meanwhile.
    watched: Option<waiting::Watched>,
    /// What triggers want to be logged; likewise.
    logged: Option<trigger::Logged>,
    /// What this process holds its runs by, once it is a worker.
    lease: lease::Lease,
}

impl SqliteStore {
    /// Opens the store of a program with these records and enums, and makes it when it is not there. Tables
    /// are brought up to the entities where no record can be lost by it.
    ///
    /// # Errors
    /// `store::…` findings: not a store, damaged, locked, read-only, full, written by a newer version, or holding
    /// records that the entities don't fit.
    pub fn open(
        path: &Path,
        records: &[RecordType],
        enums: &[EnumType],
        options: &Options,
    ) -> Result<SqliteStore, Finding> {
        let mut store = open::open(open::Place::File(path), records, enums, options)?;
        store.stop.clone_from(&options.stop);
        Ok(store)
    }

    /// A store in memory, gone when it is dropped.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn in_memory(records: &[RecordType], enums: &[EnumType]) -> Result<SqliteStore, Finding> {
        open::open(open::Place::Memory, records, enums, &Options::default())
    }

    /// `is_read_beside` says whether others may read the file while it is written.
    fn new(
        connection: Connection,
        place: String,
        file: Option<PathBuf>,
        is_read_beside: bool,
        schema: Schema,
    ) -> SqliteStore {
        let schema = Arc::new(schema);
        SqliteStore {
            checkpoints: checkpoint::Checkpoints::new(file.clone()),
            connection: desk::Desk::new(connection, schema.clone(), file.clone().filter(|_| is_read_beside)),
            place,
            schema,
            updates: schema::Updates::default(),
            is_open: false,
            parts: part::Parts::default(),
            cache: cache::Cache::default(),
            behind: behind::Behind::default(),
            next_mail: None,
            version: None,
            held: false,
            counters: Counters::default(),
            queries: query::Queries::default(),
            names: journal::Names::default(),
            pending: pending::Pending::default(),
            identity: None,
            stop: None,
            watched: None,
            logged: None,
            lease: lease::Lease::none(file),
        }
    }

    /// Does some work, and takes the open transaction back when the store itself has failed in it.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> Done<T>) -> Result<T, StoreError> {
        // What the scribe has run into is told by the next one who comes here.
        let done = work(self).and_then(|done| self.connection.check().map(|()| done));
        done.map_err(|trouble| {
            let error = explained(trouble, &self.place);
            if let StoreError::Failed { .. } = error {
                self.forget();
            }
            error
        })
    }

    /// Takes everything back that was not committed.
    fn forget(&mut self) {
        if !self.connection.is_autocommit() {
            // When even this fails, closing the file takes it back.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        self.connection.end();
        self.end_transaction();
        self.cache.clear();
        self.names.clear();
    }

    /// Writes what the journal was told, for somebody who asks about many runs or changes a row of them.
    fn settle(&mut self) -> Done<()> {
        if !self.pending.is_empty() {
            self.write()?;
            self.pending.write(&self.connection)?;
        }
        Ok(())
    }

    fn execute(&self, text: &str) -> Done<()> {
        self.connection.prepare_cached(text)?.execute(()).map(|_| ()).map_err(Trouble::from)
    }

    /// Lets the scribe write what waits, where that is worth it. Only where what was written is not taken back alone any
    /// more.
    fn lend(&mut self, worth: desk::Worth) -> Done<()> {
        if self.held || self.parts.is_any() {
            return Ok(());
        }
        self.connection.lend(self.behind.rows(), worth, || {
            let (records, mails) = self.behind.lend(&self.schema);
            scribe::Batch { records, mails, runs: self.pending.take_ended() }
        })
    }

    /// Makes sure that there is a transaction.
    fn writable(&self) -> Done<()> {
        match self.is_open {
            true => Ok(()),
            false => Err(internal("something was to be written outside of a transaction")),
        }
    }

    /// Makes sure that what is written now can be taken back to the innermost savepoint, although nobody
    /// remembers how.
    fn write(&mut self) -> Done<()> {
        self.writable()?;
        self.write_behind()?;
        for _ in 0..self.parts.unknown() {
            self.execute("SAVEPOINT part")?;
            self.parts.begun();
        }
        Ok(())
    }

    /// Writes the changes that the tables do not know yet.
    fn write_behind(&mut self) -> Done<()> {
        self.behind.write(&self.connection, &self.schema, &mut self.updates)
    }

    /// Those of one entity.
    fn write_behind_of(&mut self, entity: RecordId) -> Done<()> {
        self.behind.write_of(&self.connection, &self.schema, &mut self.updates, entity)
    }

    /// Wakes the runs that watch for a record that was just written.
    fn wake_watching(&mut self, entity: RecordId, record: &Value) -> Done<()> {
        let watched = match &self.watched {
            Some(watched) => watched,
            None => self.watched.insert(waiting::all_watched(&self.connection)?),
        };
        if watched.is_empty() {
            return Ok(());
        }
        self.write()?;
        let Some(watched) = &self.watched else { return Ok(()) };
        waiting::changed(&self.connection, &self.schema, watched, entity, record)
    }

    /// Who claims a mail: the worker, so that its mails are free when it is gone, and the dispatcher in it.
    fn mail_owner(&self, owner: &str) -> EcoString {
        ecow::eco_format!("{}:{owner}", self.lease.number().unwrap_or(0))
    }

    /// Logs what happened to a record, where a trigger is for it.
    fn log_change(&mut self, entity: RecordId, happening: RecordHappening, record: &Value) -> Done<()> {
        let logged = match &self.logged {
            Some(logged) => logged,
            None => self.logged.insert(trigger::logged(&self.connection)?),
        };
        if logged.is_empty() {
            return Ok(());
        }
        let name = self.schema.entity(entity).map(|entity| &entity.name);
        if !logged.iter().any(|(wanted, what)| Some(wanted) == name && *what == happening as u8) {
            return Ok(());
        }
        self.write()?;
        trigger::log(&self.connection, &self.schema, entity, happening, record)
    }

    fn begin_transaction(&mut self) -> Done<()> {
        if self.held && self.is_open {
            return Ok(());
        }
        if self.is_open {
            return Err(internal("a transaction was begun inside of another"));
        }
        if self.stop.as_ref().is_some_and(Stop::is_set) {
            let message = "the process is ending".to_string();
            let help = "the run is free, and goes on with the next `rpa serve` or `rpa run`".to_string();
            return Err(StoreError::Failed { code: STOPPED, message, help }.into());
        }
        let turn = self.lease.turn();
        let begun = self.execute("BEGIN IMMEDIATE");
        drop(turn);
        begun.map_err(|trouble| lease::locked_by(&self.connection, trouble, &self.place))?;
        self.is_open = true;
        self.watched = None;
        self.logged = None;
        // It stays the same as long as no other connection writes.
        let version = self.connection.prepare_cached("PRAGMA data_version")?.query_row((), |row| row.get(0))?;
        if self.version.replace(version) != Some(version) {
            self.cache.clear();
        }
        self.lease.hold(&self.connection, &self.place)
    }

    fn commit_transaction(&mut self) -> Done<()> {
        if !self.is_open {
            return Err(internal("a commit without a transaction"));
        }
        self.write_behind()?;
        self.pending.write(&self.connection)?;
        self.counters.write(&self.connection)?;
        if self.held {
            self.pending.clear();
            return Ok(());
        }
        self.lease.hold(&self.connection, &self.place)?;
        self.connection.check()?;
        self.connection.end();
        self.execute("COMMIT")?;
        self.end_transaction();
        self.names.committed();
        self.checkpoints.committed(&self.connection);
        Ok(())
    }

    /// Forgets what was true as long as the transaction was open.
    fn end_transaction(&mut self) {
        self.is_open = false;
        self.parts = part::Parts::default();
        self.behind.clear();
        self.next_mail = None;
        self.counters.clear();
        self.pending.clear();
    }

    fn release_part(&mut self) -> Done<()> {
        match self.parts.release() {
            Some(true) => self.execute("RELEASE part")?,
            None if self.is_open => return Err(internal("a savepoint was released that had not begun")),
            _ => {}
        }
        self.counters.release();
        self.pending.release();
        Ok(())
    }

    fn take_back_part(&mut self) -> Done<()> {
        match self.parts.take_back() {
            Some(todo) => {
                self.behind.forget_births();
                if todo.savepoint {
                    self.execute("ROLLBACK TO part")?;
                    for _ in 0..=todo.release {
                        self.execute("RELEASE part")?;
                    }
                    self.names.part_taken_back();
                }
                for opposite in &todo.opposites {
                    // The transaction goes when this fails, whatever the reason: half of a step must not stay.
                    self.take_back_write(opposite).map_err(|trouble| match explained(trouble, &self.place) {
                        error @ StoreError::Failed { .. } => error.into(),
                        other => internal(format!("a write can't be taken back: {other}")),
                    })?;
                }
                self.cache.clear();
                self.next_mail = None;
            }
            None if self.is_open => return Err(internal("a savepoint was taken back that had not begun")),
            None => {}
        }
        self.counters.rollback_savepoint();
        self.pending.rollback_savepoint();
        Ok(())
    }

    fn take_back_write(&mut self, opposite: &Opposite) -> Done<()> {
        match opposite {
            Opposite::Delete(entity, key) => {
                if self.forget_behind(*entity, key)? {
                    return Ok(());
                }
                self.was_written(*entity, key)?;
                record::delete(&self.connection, &self.schema, *entity, key).map(|_| ())
            }
            Opposite::Change(entity, key, before, fields) => {
                if self.change_later(*entity, key, before, fields)? {
                    return Ok(());
                }
                self.write_new()?;
                self.was_written(*entity, key)?;
                record::set_back(&self.connection, &self.schema, &mut self.updates, *entity, key, before, fields)
            }
            Opposite::Insert(entity, record) => {
                self.was_written(*entity, &self.key_of(*entity, record))?;
                record::put_back(&self.connection, &self.schema, *entity, record)
            }
            Opposite::DeleteMail(number) => match self.behind.remove_mail(*number) {
                true => Ok(()),
                false => outbox::remove(&self.connection, *number),
            },
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // Should this fail, the next one finds a lock that nobody holds.
        drop(Leases::leave(self));
    }
}
