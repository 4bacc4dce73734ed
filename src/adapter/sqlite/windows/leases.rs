//! Who works on which run.

use super::super::{SqliteStore, lease, outbox};
use crate::world::{Claim, GoneWorker, Leases, RunId, RunRecord, StoreError, WorkerId, WorkerRecord};

impl Leases for SqliteStore {
    fn enter(&mut self, name: &str, length: crate::value::Duration) -> Result<WorkerId, StoreError> {
        self.guarded(|store| {
            store.begin_transaction()?;
            store.lease.enter(&store.connection, name, length)?;
            store.commit_transaction()?;
            Ok(WorkerId(store.lease.number().unwrap_or(0)))
        })
    }

    fn enter_again(&mut self) -> Result<(), StoreError> {
        self.guarded(|store| {
            // Not as the worker that was fenced: that one can't begin a transaction.
            store.execute("BEGIN IMMEDIATE")?;
            store.is_open = true;
            store.lease.enter_again(&store.connection)?;
            store.commit_transaction()
        })
    }

    fn reckon_with(&mut self, length: crate::value::Duration) {
        self.lease.reckon_with(length);
    }

    fn suspects(&self) -> Vec<ecow::EcoString> {
        self.lease.suspects()
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
                store.lease.forget_suspects();
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
