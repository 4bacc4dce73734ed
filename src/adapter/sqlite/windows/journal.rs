//! The memory of runs.

use super::super::desk::Worth;
use super::super::{SqliteStore, journal};
use crate::value::Instant;
use crate::world::{Begin, Entry, Journal, KeptVersion, RunFilter, RunId, RunRecord, RunState, StoreError};
use ecow::EcoString;

impl Journal for SqliteStore {
    fn begin_run(&mut self, run: &RunRecord) -> Result<Begin, StoreError> {
        self.guarded(|store| {
            store.writable()?;
            store.lend(Worth::BetweenRuns)?;
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
