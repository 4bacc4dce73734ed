//! What does the work of a run: the machine for pure chunks, the machine with the task executor as its host
//! for steps. The engine sees no more of them than this.

use crate::compile::code::ChunkId;
use crate::value::Value;
use crate::vm::{Decision, Failure};
use crate::world::{Change, RunId, StoreError, World};

/// Which step is at work: mails and outside calls carry it, so that doing it again is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepPlace<'a> {
    /// The run.
    pub run: RunId,
    /// The index of the step in its flow.
    pub step: u32,
    /// The rounds of the loops around it.
    pub path: &'a [u32],
    /// Whether it is being undone.
    pub undo: bool,
}

/// Evaluates chunks.
pub trait Worker {
    /// Evaluates a chunk that reads nothing of the world and does nothing to it.
    fn evaluate(&mut self, chunk: ChunkId, frame: &mut Vec<Value>) -> Result<Value, Failure>;

    /// Evaluates the chunk of a step. The engine has opened a savepoint around it.
    fn act(&mut self, chunk: ChunkId, frame: &mut Vec<Value>, place: StepPlace<'_>) -> Result<Value, Failure>;

    /// What the last chunk did: changes, mails, files, notes, decisions.
    fn take_changes(&mut self) -> Vec<Change>;

    /// The decisions of the last chunk with their input, when they are traced.
    fn take_decisions(&mut self) -> Vec<Decision>;

    /// The cause of a failure that is [`Failure::FATAL`].
    fn take_fatal(&mut self) -> Option<StoreError>;

    /// The world that steps act on.
    fn world(&mut self) -> &mut World;
}
