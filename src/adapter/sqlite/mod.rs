//! The store in one SQLite file: records in tables that people can read, sequences, outbox and journal.
//!
//! `open` makes or checks the file, `migration` brings its tables up to the program's entities (`types`,
//! `layout`, `schema` say what these are), `record` reads and writes records (`column` and `document` say
//! how values look), `query` turns plans into statements (`scalar` their
//! conditions), `function` adds what SQLite lacks, `sequence`
//! counts, `journal` (with `entry` and `pending`) and `outbox` keep what their names say, `failure` explains.

// A store is opened once: that a finding is larger than what is moved in a loop should be does not matter.
#![allow(clippy::result_large_err)]

mod column;
mod document;
mod entry;
mod failure;
mod function;
mod journal;
mod layout;
mod migration;
mod open;
mod outbox;
mod pending;
mod query;
mod record;
mod scalar;
mod schema;
mod sequence;
#[cfg(test)]
mod tests;
mod types;

use crate::check::program::{EnumType, RecordType};
use crate::compile::query::{QueryId, QueryPlan};
use crate::finding::Finding;
use crate::value::{Instant, RecordId, Value};
use crate::world::{
    Begin, DeliveryError, Entry, Journal, KeptVersion, Message, OutboxEntry, RunFilter, RunId, RunRecord, RunState,
    Store, StoreError,
};
use ecow::EcoString;
use failure::{Done, Trouble, explained, internal};
use rusqlite::Connection;
use schema::Schema;
use sequence::Counters;
use std::path::Path;
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
}

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
        Options { access: Access::ReadWrite, busy_timeout: Duration::from_secs(10), durable: true, most_pages: None }
    }
}

/// A store in an SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    /// What people call it: its path.
    place: String,
    schema: Schema,
    transaction: Transaction,
    counters: Counters,
    queries: query::Queries,
    names: journal::Names,
    pending: pending::Pending,
    /// What names this store among all others, once it was asked for.
    identity: Option<EcoString>,
}

/// How far the open transaction has come.
#[derive(Debug, Default)]
struct Transaction {
    open: bool,
    /// Savepoints that SQLite knows.
    begun: u32,
    /// Savepoints on top of them that it need not know before something is written.
    waiting: u32,
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
        open::open(open::Place::File(path), records, enums, options)
    }

    /// A store in memory, gone when it is dropped.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn in_memory(records: &[RecordType], enums: &[EnumType]) -> Result<SqliteStore, Finding> {
        open::open(open::Place::Memory, records, enums, &Options::default())
    }

    fn new(connection: Connection, place: String, schema: Schema) -> SqliteStore {
        SqliteStore {
            connection,
            place,
            schema,
            transaction: Transaction::default(),
            counters: Counters::default(),
            queries: query::Queries::default(),
            names: journal::Names::default(),
            pending: pending::Pending::default(),
            identity: None,
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
        self.transaction = Transaction::default();
        self.counters.clear();
        self.names.clear();
        self.pending.clear();
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
        match self.transaction.open {
            true => Ok(()),
            false => Err(internal("something was to be written outside of a transaction")),
        }
    }

    /// Makes sure that what is written now can be taken back to the innermost savepoint.
    fn write(&mut self) -> Done<()> {
        self.writable()?;
        while self.transaction.waiting > 0 {
            self.execute("SAVEPOINT part")?;
            self.transaction.waiting -= 1;
            self.transaction.begun += 1;
        }
        Ok(())
    }

    fn begin_transaction(&mut self) -> Done<()> {
        if self.transaction.open {
            return Err(internal("a transaction was begun inside of another"));
        }
        self.execute("BEGIN IMMEDIATE")?;
        self.transaction = Transaction { open: true, begun: 0, waiting: 0 };
        Ok(())
    }

    fn commit_transaction(&mut self) -> Done<()> {
        if !self.transaction.open {
            return Err(internal("a commit without a transaction"));
        }
        self.pending.write(&self.connection)?;
        self.counters.write(&self.connection)?;
        self.execute("COMMIT")?;
        self.transaction = Transaction::default();
        self.counters.clear();
        self.pending.clear();
        self.names.committed();
        Ok(())
    }

    fn release_part(&mut self) -> Done<()> {
        if self.transaction.waiting > 0 {
            self.transaction.waiting -= 1;
        } else if self.transaction.begun > 0 {
            self.execute("RELEASE part")?;
            self.transaction.begun -= 1;
        } else if self.transaction.open {
            return Err(internal("a savepoint was released that had not begun"));
        }
        self.counters.release();
        self.pending.release();
        Ok(())
    }

    fn take_back_part(&mut self) -> Done<()> {
        if self.transaction.waiting > 0 {
            self.transaction.waiting -= 1;
        } else if self.transaction.begun > 0 {
            self.execute("ROLLBACK TO part")?;
            self.execute("RELEASE part")?;
            self.transaction.begun -= 1;
            self.names.part_taken_back();
        } else if self.transaction.open {
            return Err(internal("a savepoint was taken back that had not begun"));
        }
        self.counters.rollback_savepoint();
        self.pending.rollback_savepoint();
        Ok(())
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

    fn savepoint(&mut self) -> Result<(), StoreError> {
        self.guarded(|store| {
            if !store.transaction.open {
                return Err(internal("a savepoint without a transaction"));
            }
            store.transaction.waiting += 1;
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
        self.guarded(|store| record::get(&store.connection, &store.schema, entity, key))
    }

    fn get_all(&mut self, entity: RecordId, keys: &[Value]) -> Result<Vec<Option<Value>>, StoreError> {
        self.guarded(|store| record::get_all(&store.connection, &store.schema, entity, keys))
    }

    fn insert(&mut self, entity: RecordId, fields: Vec<Option<Value>>) -> Result<Value, StoreError> {
        self.guarded(|store| {
            store.write()?;
            record::insert(&store.connection, &store.schema, &mut store.counters, entity, fields)
        })
    }

    fn update(&mut self, entity: RecordId, key: &Value, changes: &[(usize, Value)]) -> Result<Value, StoreError> {
        self.guarded(|store| {
            store.write()?;
            record::update(&store.connection, &mut store.schema, &mut store.counters, entity, key, changes)
        })
    }

    fn delete(&mut self, entity: RecordId, key: &Value) -> Result<bool, StoreError> {
        self.guarded(|store| {
            store.write()?;
            record::delete(&store.connection, &store.schema, entity, key)
        })
    }

    fn query(&mut self, id: QueryId, plan: &QueryPlan, parameters: &[Value]) -> Result<Value, StoreError> {
        self.guarded(|store| store.queries.answer(&store.connection, &store.schema, id, plan, parameters))
    }

    fn next_in_sequence(&mut self, name: &str, from: i64) -> Result<i64, StoreError> {
        self.guarded(|store| {
            store.write()?;
            let counter = sequence::Counter::Sequence(name.into());
            store.counters.next(&store.connection, &counter, from, || Ok((name.into(), None)))
        })
    }

    fn add_to_outbox(&mut self, run: i64, message: &Message) -> Result<i64, StoreError> {
        self.guarded(|store| {
            store.write()?;
            outbox::add(&store.connection, run, message)
        })
    }

    fn outbox(&mut self, limit: usize) -> Result<Vec<OutboxEntry>, StoreError> {
        self.guarded(|store| outbox::waiting(&store.connection, limit))
    }

    fn settle_outbox(&mut self, number: i64, outcome: Result<(), DeliveryError>) -> Result<(), StoreError> {
        self.guarded(|store| {
            store.write()?;
            outbox::settle(&store.connection, number, &outcome)
        })
    }
}

impl Journal for SqliteStore {
    fn begin_run(&mut self, run: &RunRecord) -> Result<Begin, StoreError> {
        self.guarded(|store| {
            store.writable()?;
            if !store.names.know_run(run) {
                store.write()?;
            }
            journal::begin(&store.connection, &mut store.names, &mut store.pending, run)
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
            journal::reopen(&store.connection, &mut store.names, run, with)
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
