//! The flow engine: starts flows, does their steps, keeps the journal, undoes, retries, tells the story.
//!
//! A run is always a replay. The engine walks the code of the flow from its first instruction; whatever the
//! journal knows already is taken from it, the rest is done and journaled. A new run is the case in which
//! the journal knows nothing, so going on after a crash is not a second way through the engine, but the same.
//!
//! [`Engine`] starts and ends runs, and `walk` walks them; `step`, `retry`, `undo`, `batch` (loops and branches) and `child` (runs of runs)
//! are its parts; `lease` keeps processes out of each other's runs; `commit` puts many steps of many runs on disk together;
//! [`summary`] counts what a person wants to know in bounded memory (`told`: and nothing twice), [`story`] reads a run back from the journal.
//!
//! What can't go on is parked (`park`): a waiting run is a row of the store and nothing else. `wait` has the steps
//! that wait, `fiber` lets other items and branches go on meanwhile, `settle` ends calls of those that are given up, [`form`] and [`inbox`] are for the questions to
//! people. Whoever asks the store which runs are due lets [`Engine::resume`] go on with them.

mod batch;
mod child;
mod commit;
mod engine;
mod failure;
mod fiber;
mod fingerprint;
pub mod form;
mod history;
pub mod inbox;
mod lease;
mod migrate;
mod names;
mod park;
mod replay;
mod retry;
mod run;
mod settle;
mod start;
mod steer;
mod step;
pub mod story;
pub mod summary;
mod told;
mod undo;
pub mod version;
mod wait;
mod walk;
mod worker;

pub use crate::world::{
    Begin, Change, ChangeKind, Entry, EntryKind, Journal, KeptVersion, RunFilter, RunId, RunRecord, RunState, Wait,
    WaitKind,
};
pub use commit::GroupLimits;
pub use engine::{Engine, Observer, Options, Silent};
pub use failure::RunFailure;
pub use names::Names;
pub use start::start;
pub use summary::Summary;
pub use worker::{MachineWorker, StepPlace, Worker};

use crate::finding::{Finding, catalogue};
use crate::world::StoreError;

/// Why the engine could not go on: not a failure of a script, so nothing is undone or handled. What was
/// committed before stays; the open group is gone, and running again does its steps again.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Broken {
    /// The store has failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another process works on a run.
    #[error("another process works on run {}: {by}", .run.0)]
    Taken {
        /// The run.
        run: RunId,
        /// What people call the other one.
        by: ecow::EcoString,
    },
    /// The journal of a run does not fit the script.
    #[error("the journal of run {} does not fit the script: {reason}", .run.0)]
    Journal {
        /// The run.
        run: RunId,
        /// What does not fit.
        reason: String,
    },
}

impl Broken {
    /// The finding that shows it: the store's own, where it said what to do.
    pub fn finding(&self) -> Finding {
        match self {
            Broken::Store(StoreError::Failed { code, message, help }) => {
                let code = catalogue::find(code).unwrap_or(&catalogue::run::FAILED);
                Finding::without_place(code, message).help(help)
            }
            Broken::Taken { .. } => Finding::without_place(&catalogue::run::TAKEN, self.to_string())
                .help("wait until it has ended; `rpa runs` shows how its runs stand"),
            broken => Finding::without_place(&catalogue::run::FAILED, broken.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
