//! The code of flows: a flat list of instructions for the flow engine, with chunks for everything pure.
//!
//! All chunks of a flow work on one frame: its locals come first, what a chunk needs beside them lies
//! behind. A run goes on from its journal by executing the list again with the results of finished
//! steps taken from the journal, so an instruction must do the same in every life of the run.

use super::code::ChunkId;
use crate::check::program::{Effect, Type};
use crate::text::Span;
use crate::value::{ErrorId, RecordId};
use ecow::EcoString;

/// A position in [`FlowCode::instructions`].
pub type Target = u32;

/// A flow, ready for the engine.
#[derive(Debug, Clone)]
pub struct FlowCode {
    /// Its name, with its module when it is in one.
    pub name: EcoString,
    /// Names of the parameters; parameter n is slot n of the frame.
    pub parameters: Vec<EcoString>,
    /// Their types, to read arguments given on the command line.
    pub parameter_types: Vec<Type>,
    /// For each parameter, what gives its value when none is given; a chunk that uses no slots.
    pub parameter_defaults: Vec<Option<ChunkId>>,
    /// What of its runs is not shown.
    pub hidden: Hidden,
    /// The type of the result.
    pub result: Type,
    /// How many slots the frame has.
    pub frame: u16,
    /// Gives the key of a run from its parameters.
    pub key: Option<ChunkId>,
    /// Gives how many runs at once, and of what each.
    pub at_most: Option<(ChunkId, Option<ChunkId>)>,
    /// Gives the priority.
    pub priority: Option<ChunkId>,
    /// Gives how long a run may take.
    pub deadline: Option<ChunkId>,
    /// What is done.
    pub instructions: Vec<FlowInstruction>,
    /// The place of each instruction.
    pub spans: Vec<Span>,
    /// The steps.
    pub steps: Vec<StepCode>,
    /// Whether every effect of the flow stays in the store (no calls), so that runs may share a commit.
    pub effect: Effect,
    /// Where its name is declared.
    pub span: Span,
}

/// What tools leave out when they show runs of a flow, because it is personal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hidden {
    /// Parameters, by position.
    pub parameters: Vec<u32>,
    /// Steps, for their values.
    pub steps: Vec<u32>,
    /// Whether the result is.
    pub result: bool,
    /// Whether it is what `at most` counts by.
    pub turn: bool,
}

/// An instruction for the flow engine. Chunks are pure, but for those of steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlowInstruction {
    /// Runs a chunk for the slots that it sets (`let`, assignments, bindings).
    Evaluate(ChunkId),
    /// Goes on elsewhere.
    Jump(Target),
    /// Goes on elsewhere unless the chunk gives true.
    JumpUnless(ChunkId, Target),
    /// Does a step: the index into [`FlowCode::steps`].
    Step(u32),
    /// Begins a loop over the list, range or map that the chunk gives. The body runs from the next
    /// instruction up to its `Next`.
    ForEach {
        /// Gives the list or map.
        list: ChunkId,
        /// Takes the element, or the key.
        slot: u16,
        /// Takes the value of a map's entry.
        second: Option<u16>,
        /// Gives how many at once.
        parallel: Option<ChunkId>,
        /// Whether the first failure ends the loop.
        stop_at_first_failure: bool,
        /// Behind the loop.
        end: Target,
    },
    /// Ends the body of the innermost loop.
    Next,
    /// Leaves the innermost loops, so many, before a jump out of them.
    Leave(u16),
    /// Begins branches: each runs from its start to its `Join`.
    Parallel {
        /// Where each branch starts.
        branches: Vec<Target>,
        /// Behind all branches.
        end: Target,
    },
    /// Ends a branch.
    Join,
    /// `run flow(…)` as a statement between steps: the index of the flow; the chunk gives its arguments as a list.
    Run(u32, ChunkId),
    /// `start flow(…)` as a statement between steps.
    Start(u32, ChunkId),
    /// Ends the run with what the chunk gives, or nothing.
    Return(Option<ChunkId>),
    /// Ends the run as failed: the chunk ends with the failure.
    Fail(ChunkId),
    /// Ends the run as done, with a reason.
    Stop(Option<ChunkId>),
}

/// A step, ready for the engine.
#[derive(Debug, Clone)]
pub struct StepCode {
    /// Its name.
    pub name: EcoString,
    /// The slot that takes its value.
    pub slot: Option<u16>,
    /// Whether anything in the flow reads its value; the journal need not keep a long one that nothing does.
    pub is_read: bool,
    /// The type of its value.
    pub ty: Type,
    /// What it does.
    pub body: StepAction,
    /// How often it is tried again; the engine multiplies the pause.
    pub retry: Option<RetryCode>,
    /// Gives how long it may take.
    pub timeout: Option<ChunkId>,
    /// Undoes it; runs on the frame as it was when the step ended.
    pub undo: Option<ChunkId>,
    /// Where failures go.
    pub handlers: Vec<HandlerCode>,
    /// What it does to the world.
    pub effect: Effect,
    /// The step with its modifiers.
    pub span: Span,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum StepAction {
    /// Runs a chunk; its result is the value of the step.
    Chunk(ChunkId),
    /// `step x = run flow(…)`: the index of the flow; the chunk gives its arguments as a list.
    Run(u32, ChunkId),
    /// `step x = start flow(…)`
    Start(u32, ChunkId),
    /// Waits.
    Wait(WaitCode),
}

/// What a step waits for.
#[derive(Debug, Clone)]
pub enum WaitCode {
    /// `sleep`: gives how long.
    Sleep(ChunkId),
    /// `sleep_until`: gives until when.
    SleepUntil(ChunkId),
    /// `wait_for`
    Record {
        /// The entity.
        entity: RecordId,
        /// Gives the first record that the condition holds for, or none. Reads the store.
        find: ChunkId,
        /// A field of the record, and what gives the value that it must have: records with others need not be
        /// looked at.
        by: Option<(usize, ChunkId)>,
        /// Gives how long.
        within: Option<ChunkId>,
    },
    /// `ask`
    Ask {
        /// Gives whose answer is wanted.
        role: ChunkId,
        /// Gives the question.
        question: ChunkId,
        /// Gives how long.
        within: Option<ChunkId>,
        /// Gives the answer when the time is over.
        otherwise: Option<ChunkId>,
    },
}

impl WaitCode {
    /// What the script calls it.
    pub fn word(&self) -> &'static str {
        match self {
            WaitCode::Sleep(_) => "sleep",
            WaitCode::SleepUntil(_) => "sleep_until",
            WaitCode::Record { .. } => "wait_for",
            WaitCode::Ask { .. } => "ask",
        }
    }
}

/// `retry …`: each chunk gives a value.
#[derive(Debug, Clone)]
pub struct RetryCode {
    /// How often it is tried again.
    pub times: ChunkId,
    /// The first pause.
    pub from: Option<ChunkId>,
    /// Whether every pause is twice the one before.
    pub doubling: bool,
    /// The longest pause.
    pub up_to: Option<ChunkId>,
}

/// `on error …`.
#[derive(Debug, Clone)]
pub struct HandlerCode {
    /// The error it is for.
    pub error: ErrorId,
    /// The slot that takes the failure.
    pub slot: Option<u16>,
    /// Where the run goes on.
    pub target: Target,
    /// How many loops are left on the way.
    pub leave: u16,
}
