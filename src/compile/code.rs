//! Code: what the machine executes, made once for a program.

use super::flow::FlowCode;
use super::query::QueryPlan;
use crate::check::program::{EnumType, ErrorType, RecordType};
use crate::text::{Sources, Span};
use crate::value::Value;
use ecow::EcoString;

/// Names a chunk in [`Code::chunks`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChunkId(pub u32);

/// A compiled program.
#[derive(Debug, Clone, Default)]
pub struct Code {
    /// All texts, for messages.
    pub sources: Sources,
    /// All chunks.
    pub chunks: Vec<Chunk>,
    /// The chunk of each function and task, by [`CallableId`](crate::check::program::CallableId).
    pub callables: Vec<ChunkId>,
    /// The flows, by [`FlowId`](crate::check::program::FlowId).
    pub flows: Vec<FlowCode>,
    /// The plans.
    pub queries: Vec<QueryPlan>,
    /// Values that instructions refer to.
    pub constants: Vec<Value>,
    /// Types with names, to show and convert values, and to lay out the store.
    pub enums: Vec<EnumType>,
    /// Records and entities.
    pub records: Vec<RecordType>,
    /// Errors.
    pub errors: Vec<ErrorType>,
    /// SHA-256 over all sources, in hexadecimal: the version that a run is pinned to.
    pub version: EcoString,
}

/// Instructions that work on one frame of registers.
#[derive(Debug, Clone, Default)]
pub struct Chunk {
    /// What it is, for backtraces: `task inventory.reserve`, `step invoice`.
    pub name: EcoString,
    /// How many parameters it takes: the first registers.
    pub parameters: u16,
    /// How many registers it needs.
    pub registers: u16,
    /// What is done.
    pub instructions: Vec<super::instruction::Instruction>,
    /// The place of each instruction.
    pub spans: Vec<Span>,
}
