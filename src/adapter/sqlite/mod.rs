//! The store in one SQLite file: records in tables that people can read, sequences, outbox and journal.
//!
//! `open` makes or checks the file, `migration` brings its tables up to the program's entities (`types`,
//! `layout`, `schema` say what these are), `record` reads and writes records (`column` and `document` say
//! how values look; `cache` knows those that were read, `part` takes back what a step has written), `query` turns plans into statements (`scalar` their
//! conditions), `function` adds what SQLite lacks, `sequence`
//! counts, `journal` (with `entry` and `pending`) and `outbox` keep what their names say, `checkpoint` keeps the log
//! short, `failure` explains. `check`, `backup`, `restore` and `clean` keep house.

// A store is opened once: that a finding is larger than what is moved in a loop should be does not matter.
#![allow(clippy::result_large_err)]

mod backup;
mod cache;
mod check;
mod checkpoint;
mod clean;
mod column;
mod document;
mod entry;
mod failure;
mod function;
mod journal;
mod layout;
mod lease;
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
mod sequence;
#[cfg(test)]
mod tests;
mod trigger;
mod types;
mod waiting;

pub use backup::{Copied, backup};
pub use check::{Inspection, check};
pub use clean::Cleaned;
pub use restore::{Restored, restore};

use crate::check::program::{EnumType, RecordType};
use crate::compile::query::{QueryId, QueryPlan};
use crate::finding::Finding;
use crate::value::{Instant, RecordId, Value};
use crate::world::{
    Answer, Begin, Claim, Entry, GoneWorker, InboxFilter, Journal, KeptVersion, Leases, LoggedChange, MailClaim,
    MailDecision, MailFilter, MailOutcome, MailRecord, Message, Outbox, OutboxEntry, Question, QuestionState, ReadyRun,
    RecordHappening, RunFilter, RunId, RunRecord, RunState, Store, StoreError, SystemState, Triggers, Wait, WaitKind,
    Waiting, Watch, WorkerId, WorkerRecord,
};
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
    connection: Connection,
    /// What people call it: its path.
    place: String,
    schema: Schema,
    /// Whether a transaction is open.
    is_open: bool,
    /// What can be taken back of it alone.
    parts: part::Parts,
    /// What is known of its records.
    cache: cache::Cache,
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

    fn new(connection: Connection, place: String, file: Option<PathBuf>, schema: Schema) -> SqliteStore {
        SqliteStore {
            checkpoints: checkpoint::Checkpoints::new(file.clone()),
            connection,
            place,
            schema,
            is_open: false,
            parts: part::Parts::default(),
            cache: cache::Cache::default(),
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
        work(self).map_err(|trouble| {
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
        for _ in 0..self.parts.unknown() {
            self.execute("SAVEPOINT part")?;
            self.parts.begun();
        }
        Ok(())
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
        self.pending.write(&self.connection)?;
        self.counters.write(&self.connection)?;
        if self.held {
            self.pending.clear();
            return Ok(());
        }
        self.lease.hold(&self.connection, &self.place)?;
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
            Opposite::Delete(entity, key) => record::delete(&self.connection, &self.schema, *entity, key).map(|_| ()),
            Opposite::Change(entity, key, before, fields) => {
                record::set_back(&self.connection, &mut self.schema, *entity, key, before, fields)
            }
            Opposite::Insert(entity, record) => record::put_back(&self.connection, &self.schema, *entity, record),
            Opposite::DeleteMail(number) => outbox::remove(&self.connection, *number),
        }
    }

    /// The record with a key.
    fn read(&mut self, entity: RecordId, key: &Value) -> Done<Option<Value>> {
        let place = match self.is_open {
            true => cache::place(&self.schema, record::entity(&self.schema, entity)?, key),
            false => None,
        };
        if let Some(known) = place.as_ref().and_then(|place| self.cache.get(place)) {
            return Ok(known);
        }
        let found = record::get(&self.connection, &self.schema, entity, key)?;
        if let Some(place) = place {
            self.cache.put(place, found.clone());
        }
        Ok(found)
    }

    /// Takes note of a record that was written, or taken away.
    fn note(&mut self, entity: RecordId, key: &Value, record: Option<Value>) -> Done<()> {
        let entity = record::entity(&self.schema, entity)?;
        if let Some(place) = cache::place(&self.schema, entity, key) {
            // What has only a number is hardly asked for by it.
            match entity.counted.contains(&entity.key) {
                true => self.cache.remove(&place),
                false => self.cache.put(place, record),
            }
        }
        Ok(())
    }

    /// The key of a record.
    fn key_of(&self, entity: RecordId, record: &Value) -> Value {
        let key = record.fields().zip(self.schema.entity(entity)).and_then(|(fields, entity)| fields.get(entity.key));
        key.cloned().unwrap_or_default()
    }
}

impl Store for SqliteStore {
    fn identity(&mut self) -> Result<EcoString, StoreError> {
        if let Some(identity) = &self.identity {
            return Ok(identity.clone());
        }
        let identity = self.guarded(|store| {
            let text: String = store.connection.query_row("SELECT identity FROM rpa_identity", (), |row| row.get(0))?;
            Ok(EcoString::from(text))
        })?;
        self.identity = Some(identity.clone());
        Ok(identity)
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.guarded(SqliteStore::begin_transaction)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.guarded(SqliteStore::commit_transaction)
    }

    fn rollback(&mut self) -> Result<(), StoreError> {
        self.forget();
        Ok(())
    }

    fn hold(&mut self) -> Result<(), StoreError> {
        self.held = true;
        Ok(())
    }

    fn let_go(&mut self, keep: bool) -> Result<(), StoreError> {
        self.held = false;
        if !keep {
            self.forget();
        } else if self.is_open {
            self.guarded(SqliteStore::commit_transaction)?;
        }
        Ok(())
    }

    fn savepoint(&mut self) -> Result<(), StoreError> {
        self.guarded(|store| {
            if !store.is_open {
                return Err(internal("a savepoint without a transaction"));
            }
            store.parts.begin();
            store.counters.savepoint();
            store.pending.savepoint();
            Ok(())
        })
    }

    fn release(&mut self) -> Result<(), StoreError> {
        self.guarded(SqliteStore::release_part)
    }

    fn rollback_savepoint(&mut self) -> Result<(), StoreError> {
        self.guarded(SqliteStore::take_back_part)
    }

    fn get(&mut self, entity: RecordId, key: &Value) -> Result<Option<Value>, StoreError> {
        self.guarded(|store| store.read(entity, key))
    }

    // SQLite is called, not asked over a wire: a statement that is executed for each key costs no more than one that
    // is built for all.
    fn get_all(&mut self, entity: RecordId, keys: &[Value]) -> Result<Vec<Option<Value>>, StoreError> {
        self.guarded(|store| keys.iter().map(|key| store.read(entity, key)).collect())
    }

    fn insert(&mut self, entity: RecordId, fields: Vec<Option<Value>>) -> Result<Value, StoreError> {
        self.guarded(|store| {
            store.writable()?;
            let record = record::insert(&store.connection, &store.schema, &mut store.counters, entity, fields)?;
            let key = store.key_of(entity, &record);
            store.note(entity, &key, Some(record.clone()))?;
            store.parts.wrote(|| Opposite::Delete(entity, key));
            store.wake_watching(entity, &record)?;
            store.log_change(entity, RecordHappening::Created, &record)?;
            Ok(record)
        })
    }

    fn update(&mut self, entity: RecordId, key: &Value, changes: &[(usize, Value)]) -> Result<Value, StoreError> {
        self.guarded(|store| {
            store.writable()?;
            let Some(before) = store.read(entity, key)? else {
                return Err(record::not_found(&store.schema, record::entity(&store.schema, entity)?, key));
            };
            let changed = record::update(
                &store.connection,
                &mut store.schema,
                &mut store.counters,
                entity,
                (key, &before),
                changes,
            )?;
            let (old, new) = (store.key_of(entity, &before), store.key_of(entity, &changed.record));
            if old != new {
                store.note(entity, &old, None)?;
            }
            store.note(entity, &new, Some(changed.record.clone()))?;
            let has_changed = !changed.fields.is_empty();
            if has_changed {
                store.parts.wrote(|| Opposite::Change(entity, new, before, changed.fields));
            }
            store.wake_watching(entity, &changed.record)?;
            if has_changed {
                store.log_change(entity, RecordHappening::Changed, &changed.record)?;
            }
            Ok(changed.record)
        })
    }

    fn delete(&mut self, entity: RecordId, key: &Value) -> Result<bool, StoreError> {
        self.guarded(|store| {
            store.writable()?;
            let Some(before) = store.read(entity, key)? else { return Ok(false) };
            let was_there = record::delete(&store.connection, &store.schema, entity, key)?;
            store.note(entity, key, None)?;
            if was_there {
                store.parts.wrote(|| Opposite::Insert(entity, before));
            }
            Ok(was_there)
        })
    }

    fn query(&mut self, id: QueryId, plan: &QueryPlan, parameters: &[Value]) -> Result<Value, StoreError> {
        self.guarded(|store| {
            if let Some(key) = query::key_asked_for(&store.schema, plan, parameters) {
                return store.read(plan.entity, key).map(Option::unwrap_or_default);
            }
            store.queries.answer(&store.connection, &store.schema, id, plan, parameters)
        })
    }

    fn next_in_sequence(&mut self, name: &str, from: i64) -> Result<i64, StoreError> {
        self.guarded(|store| {
            store.writable()?;
            let counter = sequence::Counter::Sequence(name.into());
            store.counters.next(&store.connection, &counter, from, || Ok((name.into(), None)))
        })
    }

    fn add_to_outbox(&mut self, run: i64, message: &Message) -> Result<i64, StoreError> {
        self.guarded(|store| {
            store.writable()?;
            let number = outbox::add(&store.connection, run, message)?;
            store.parts.wrote(|| Opposite::DeleteMail(number));
            Ok(number)
        })
    }

    fn outbox(&mut self, limit: usize) -> Result<Vec<OutboxEntry>, StoreError> {
        self.guarded(|store| outbox::waiting(&store.connection, limit))
    }
}

impl Outbox for SqliteStore {
    fn claim_mails(&mut self, claim: &MailClaim, limit: usize) -> Result<Vec<OutboxEntry>, StoreError> {
        self.guarded(|store| {
            store.write()?;
            let claim = MailClaim { owner: store.mail_owner(&claim.owner), ..claim.clone() };
            outbox::claim(&store.connection, &claim, limit)
        })
    }

    fn settle_mail(
        &mut self,
        number: i64,
        owner: &str,
        outcome: &MailOutcome,
        at: Instant,
    ) -> Result<bool, StoreError> {
        self.guarded(|store| {
            store.write()?;
            outbox::settle(&store.connection, number, &store.mail_owner(owner), outcome, at)
        })
    }

    fn next_mail(&mut self) -> Result<Option<Instant>, StoreError> {
        self.guarded(|store| outbox::next(&store.connection))
    }

    fn waiting_mails(&mut self) -> Result<u64, StoreError> {
        self.guarded(|store| outbox::count(&store.connection))
    }

    fn mails(&mut self, filter: &MailFilter) -> Result<Vec<MailRecord>, StoreError> {
        self.guarded(|store| outbox::mails(&store.connection, filter))
    }

    fn decide_mail(&mut self, number: i64, decision: &MailDecision, at: Instant) -> Result<bool, StoreError> {
        self.guarded(|store| {
            store.write()?;
            outbox::decide(&store.connection, number, decision, at)
        })
    }

    fn system(&mut self, name: &str) -> Result<SystemState, StoreError> {
        self.guarded(|store| outbox::system(&store.connection, name))
    }

    fn set_system(&mut self, name: &str, state: &SystemState) -> Result<(), StoreError> {
        self.guarded(|store| {
            store.write()?;
            outbox::set_system(&store.connection, name, state)
        })
    }
}

impl Triggers for SqliteStore {
    fn register_trigger(
        &mut self,
        trigger: &str,
        on: Option<(RecordId, RecordHappening)>,
        first: i64,
        now: Instant,
    ) -> Result<i64, StoreError> {
        self.guarded(|store| {
            store.write()?;
            store.logged = None;
            trigger::register(&store.connection, &store.schema, trigger, on, first, now)
        })
    }

    fn trigger_position(&mut self, trigger: &str) -> Result<Option<i64>, StoreError> {
        self.guarded(|store| trigger::position(&store.connection, trigger))
    }

    fn move_trigger(&mut self, trigger: &str, from: i64, to: i64) -> Result<bool, StoreError> {
        self.guarded(|store| {
            store.write()?;
            trigger::move_on(&store.connection, trigger, from, to)
        })
    }

    fn changes_after(
        &mut self,
        entity: RecordId,
        happening: RecordHappening,
        position: i64,
        limit: usize,
    ) -> Result<Vec<LoggedChange>, StoreError> {
        self.guarded(|store| trigger::changes(&store.connection, &store.schema, entity, happening, position, limit))
    }

    fn has_seen(&mut self, trigger: &str, what: &str) -> Result<bool, StoreError> {
        self.guarded(|store| trigger::has_seen(&store.connection, trigger, what))
    }

    fn see(&mut self, trigger: &str, what: &str, now: Instant) -> Result<bool, StoreError> {
        self.guarded(|store| {
            store.write()?;
            trigger::see(&store.connection, trigger, what, now)
        })
    }

    fn seen_before(&mut self, trigger: &str, before: Instant) -> Result<Vec<EcoString>, StoreError> {
        self.guarded(|store| trigger::seen_before(&store.connection, trigger, before))
    }

    fn forget(&mut self, trigger: &str, what: &str) -> Result<(), StoreError> {
        self.guarded(|store| {
            store.write()?;
            trigger::forget(&store.connection, trigger, what)
        })
    }

    fn tidy_triggers(&mut self, before: Instant) -> Result<(), StoreError> {
        self.guarded(|store| {
            store.write()?;
            store.logged = None;
            trigger::tidy(&store.connection, before)
        })
    }
}

impl Leases for SqliteStore {
    fn enter(&mut self, name: &str, length: crate::value::Duration) -> Result<WorkerId, StoreError> {
        self.guarded(|store| {
            store.begin_transaction()?;
            store.lease.enter(&store.connection, name, length)?;
            store.commit_transaction()?;
            Ok(WorkerId(store.lease.number().unwrap_or(0)))
        })
    }

    fn leave(&mut self) -> Result<(), StoreError> {
        self.guarded(|store| {
            if store.is_open {
                store.forget();
            }
            store.lease.leave(&store.connection)
        })
    }

    fn workers(&mut self) -> Result<Vec<WorkerRecord>, StoreError> {
        self.guarded(|store| lease::workers(&store.connection))
    }

    fn take_over(&mut self) -> Result<Vec<GoneWorker>, StoreError> {
        self.guarded(|store| {
            if !store.lease.are_others(&store.connection)? {
                return Ok(Vec::new());
            }
            store.begin_transaction()?;
            let gone = store.lease.take_over(&store.connection)?;
            outbox::release_of_dead(&store.connection)?;
            store.commit_transaction()?;
            Ok(gone)
        })
    }

    fn claim(&mut self, run: RunId) -> Result<Claim, StoreError> {
        self.guarded(|store| {
            if store.pending.run(run).is_some() {
                return Ok(Claim::Own);
            }
            store.write()?;
            store.lease.claim(&store.connection, run)
        })
    }

    fn holder(&mut self, run: RunId) -> Result<Option<WorkerRecord>, StoreError> {
        self.guarded(|store| lease::holder(&store.connection, run))
    }

    fn free_runs(&mut self, limit: usize) -> Result<Vec<RunRecord>, StoreError> {
        self.guarded(|store| {
            store.settle()?;
            lease::free_runs(&store.connection, limit)
        })
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // Should this fail, the next one finds a lock that nobody holds.
        drop(Leases::leave(self));
    }
}

impl Journal for SqliteStore {
    fn begin_run(&mut self, run: &RunRecord) -> Result<Begin, StoreError> {
        self.guarded(|store| {
            store.writable()?;
            if !store.names.know_run(run) {
                store.write()?;
            }
            journal::begin(&store.connection, &mut store.names, &mut store.pending, store.lease.number(), run)
        })
    }

    fn append(&mut self, run: RunId, entry: &Entry) -> Result<(), StoreError> {
        self.guarded(|store| {
            store.writable()?;
            if !store.names.know_words(entry) {
                store.write()?;
                store.names.learn_words(&store.connection, entry)?;
            }
            store.pending.append(run, entry, |word| store.names.word(word))?;
            if store.pending.is_large() { store.settle() } else { Ok(()) }
        })
    }

    fn end_run(&mut self, run: RunId, state: RunState, outcome: &[u8], at: Instant) -> Result<(), StoreError> {
        self.guarded(|store| {
            store.writable()?;
            if store.pending.end(run, state, outcome, at) {
                return Ok(());
            }
            store.write()?;
            journal::end(&store.connection, run, state, outcome, at)
        })
    }

    fn reopen_run(&mut self, run: RunId, with: &RunRecord) -> Result<(), StoreError> {
        self.guarded(|store| {
            store.settle()?;
            store.write()?;
            journal::reopen(&store.connection, &mut store.names, store.lease.number(), run, with)
        })
    }

    fn move_run(&mut self, run: RunId, version: &str, arguments: &[u8]) -> Result<(), StoreError> {
        self.guarded(|store| {
            store.settle()?;
            store.write()?;
            journal::move_run(&store.connection, &mut store.names, run, version, arguments)
        })
    }

    fn entries(&mut self, run: RunId) -> Result<Vec<Entry>, StoreError> {
        self.guarded(|store| journal::entries(&store.connection, &mut store.names, &store.pending, run))
    }

    fn run(&mut self, run: RunId) -> Result<Option<RunRecord>, StoreError> {
        self.guarded(|store| journal::run(&store.connection, &store.pending, run))
    }

    fn runs(&mut self, filter: &RunFilter) -> Result<Vec<RunRecord>, StoreError> {
        self.guarded(|store| {
            store.settle()?;
            journal::runs(&store.connection, filter)
        })
    }

    fn children(&mut self, run: RunId, limit: usize) -> Result<Vec<RunRecord>, StoreError> {
        self.guarded(|store| {
            store.settle()?;
            journal::children(&store.connection, run, limit)
        })
    }

    fn count_children(&mut self, run: RunId) -> Result<Vec<(EcoString, RunState, u64)>, StoreError> {
        self.guarded(|store| {
            store.settle()?;
            journal::count_children(&store.connection, run)
        })
    }

    fn keep_version(&mut self, version: &str, kept: &KeptVersion) -> Result<(), StoreError> {
        self.guarded(|store| {
            store.write()?;
            journal::keep_version(&store.connection, &mut store.names, version, kept)
        })
    }

    fn version(&mut self, version: &str) -> Result<Option<KeptVersion>, StoreError> {
        self.guarded(|store| journal::version(&store.connection, version))
    }
}

impl Waiting for SqliteStore {
    fn watch(&mut self, run: RunId, watches: &[Watch]) -> Result<(), StoreError> {
        self.guarded(|store| {
            store.write()?;
            store.watched = None;
            waiting::watch(&store.connection, &store.schema, run, watches).map(|_| ())
        })
    }

    fn park(&mut self, run: RunId, wait: &Wait) -> Result<(), StoreError> {
        self.guarded(|store| {
            store.settle()?;
            store.write()?;
            store.watched = None;
            waiting::park(&store.connection, &store.schema, run, wait)
        })
    }

    fn unpark(&mut self, run: RunId) -> Result<bool, StoreError> {
        self.guarded(|store| {
            store.write()?;
            waiting::unpark(&store.connection, run)
        })
    }

    fn wait_of(&mut self, run: RunId) -> Result<Option<Wait>, StoreError> {
        self.guarded(|store| waiting::wait_of(&store.connection, run))
    }

    fn wake(&mut self, run: RunId, at: Instant) -> Result<bool, StoreError> {
        self.guarded(|store| {
            store.write()?;
            waiting::wake(&store.connection, run, at)
        })
    }

    fn ready(&mut self, now: Instant, limit: usize) -> Result<Vec<ReadyRun>, StoreError> {
        self.guarded(|store| waiting::ready(&store.connection, now, limit))
    }

    fn next_wake(&mut self) -> Result<Option<Instant>, StoreError> {
        self.guarded(|store| waiting::next_wake(&store.connection))
    }

    fn count_waiting(&mut self) -> Result<Vec<(WaitKind, u64)>, StoreError> {
        self.guarded(|store| waiting::count(&store.connection))
    }

    fn join_run(&mut self, run: RunId, waiter: RunId) -> Result<(), StoreError> {
        self.guarded(|store| {
            store.write()?;
            waiting::join(&store.connection, run, waiter)
        })
    }

    fn tell_end(&mut self, run: RunId, parent: Option<RunId>, now: Instant) -> Result<Vec<RunId>, StoreError> {
        self.guarded(|store| {
            store.write()?;
            waiting::tell_end(&store.connection, run, parent, now)
        })
    }

    fn take_slot(&mut self, slot: &str, run: RunId, places: u64) -> Result<bool, StoreError> {
        self.guarded(|store| {
            store.write()?;
            waiting::take_slot(&store.connection, slot, run, places)
        })
    }

    fn holds_slot(&mut self, slot: &str, run: RunId) -> Result<bool, StoreError> {
        self.guarded(|store| waiting::holds_slot(&store.connection, slot, run))
    }

    fn leave_slots(&mut self, run: RunId, now: Instant) -> Result<Vec<RunId>, StoreError> {
        self.guarded(|store| {
            store.write()?;
            waiting::leave_slots(&store.connection, run, now)
        })
    }

    fn ask(&mut self, question: &Question) -> Result<i64, StoreError> {
        self.guarded(|store| {
            store.write()?;
            waiting::ask(&store.connection, question)
        })
    }

    fn questions(&mut self, filter: &InboxFilter) -> Result<Vec<Question>, StoreError> {
        self.guarded(|store| {
            store.settle()?;
            waiting::questions(&store.connection, filter)
        })
    }

    fn question(&mut self, number: i64) -> Result<Option<Question>, StoreError> {
        self.guarded(|store| {
            store.settle()?;
            waiting::question(&store.connection, number)
        })
    }

    fn close_question(
        &mut self,
        number: i64,
        state: QuestionState,
        answer: Option<&Answer>,
    ) -> Result<bool, StoreError> {
        self.guarded(|store| {
            store.write()?;
            waiting::close(&store.connection, number, state, answer)
        })
    }
}
