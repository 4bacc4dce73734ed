//! Who works on which runs: leases, so that two processes on one store never work on the same run.
//!
//! A process that runs flows is a *worker*: it has a row in the store that says until when it holds its runs, and
//! renews it while it works. A run that is running belongs to one worker; when the worker is gone, the run is
//! *free*, and whoever comes next may go on with it. A worker that was taken for dead and is not finds its row
//! gone when it begins its next transaction, and can't write any more: it is *fenced*.

use super::{RunId, RunRecord, StoreError};
use crate::value::{Duration, Instant};
use ecow::EcoString;

/// Names a worker; never used again for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerId(pub i64);

/// A process that runs flows on a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerRecord {
    /// Its number.
    pub id: WorkerId,
    /// What people call it: `ada@desk, process 4711`.
    pub name: EcoString,
    /// When it began.
    pub began: Instant,
    /// Until when it holds its runs, unless it renews that.
    pub expires: Instant,
}

/// A worker that was removed because it was dead or stuck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoneWorker {
    /// What people called it.
    pub name: EcoString,
    /// Whether its process still lives but has not renewed its lease in time.
    pub was_stuck: bool,
    /// How many runs it has left.
    pub runs: u64,
}

/// What came of wanting a run for oneself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is this worker's now.
    Own,
    /// Another live worker has it, who is called so.
    Held(EcoString),
}

/// Keeps the leases. What is given as the default suits a store that one process uses alone.
pub trait Leases {
    /// Makes this process a worker with this name and length of the lease: the runs that it begins or claims from
    /// now on are its. Begins and commits a transaction of its own.
    fn enter(&mut self, _name: &str, _length: Duration) -> Result<WorkerId, StoreError> {
        Ok(WorkerId(1))
    }

    /// Begins anew as another worker: for one that was fenced while it had no run in hand. Nothing happens to one who is
    /// no worker. Begins and commits a transaction of its own.
    fn enter_again(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Learns how long leases are here: for one who is no worker and takes over what others have left.
    fn reckon_with(&mut self, _length: Duration) {}

    /// The names of living processes that are taken over if they stay silent: their lease is over by the clock, but the
    /// clock may have been set. [`Leases::take_over`] watches them from one call to the next.
    fn suspects(&self) -> Vec<EcoString> {
        Vec::new()
    }

    /// Ends being a worker: the runs that it still has are free. Nothing happens to one who is none.
    fn leave(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// The workers, the oldest first.
    fn workers(&mut self) -> Result<Vec<WorkerRecord>, StoreError> {
        Ok(Vec::new())
    }

    /// Removes the workers whose process has died, and those whose lease is over and that were silent while they were
    /// watched (see [`Leases::suspects`]); their runs are free then. Begins and commits a transaction of its own.
    fn take_over(&mut self) -> Result<Vec<GoneWorker>, StoreError> {
        Ok(Vec::new())
    }

    /// Makes a run this worker's, unless another live one works on it. A run that waits or has ended is nobody's.
    /// Writes inside the open transaction.
    fn claim(&mut self, _run: RunId) -> Result<Claim, StoreError> {
        Ok(Claim::Own)
    }

    /// Who works on a run; none when it is nobody's.
    fn holder(&mut self, _run: RunId) -> Result<Option<WorkerRecord>, StoreError> {
        Ok(None)
    }

    /// Runs that are running and that no worker has, without those that a running parent will go on with by
    /// itself; the oldest first, at most so many.
    fn free_runs(&mut self, _limit: usize) -> Result<Vec<RunRecord>, StoreError> {
        Ok(Vec::new())
    }
}
