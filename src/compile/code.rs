//! Code: what the machine executes, made once for a program.

use super::flow::FlowCode;
use super::names::Names;
use super::query::QueryPlan;
use super::reaction::{ReactionCode, Watchers};
use super::table::TableCode;
use super::trigger::TriggerCode;
use crate::check::program::{EnumType, ErrorType, RecordType, Type};
use crate::text::{Sources, Span};
use crate::value::{RecordId, Value};
use ecow::EcoString;
use std::collections::HashSet;

/// Names a chunk in [`Code::chunks`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    /// The flows, by [`FlowId`](crate::check::program::FlowId); behind them those of the triggers.
    pub flows: Vec<FlowCode>,
    /// Flows that keep a policy only because of what those do that run them, each with the policy.
    pub kept_by_callers: Vec<(usize, EcoString)>,
    /// The triggers; the flows that their bodies became are the last of the flows.
    pub triggers: Vec<TriggerCode>,
    /// The decision tables, by [`TableId`](crate::check::program::TableId).
    pub tables: Vec<TableCode>,
    /// The reactive rules, in the order of the text.
    pub reactions: Vec<ReactionCode>,
    /// For each record type, the rules that changes of its records concern; empty when there are no rules.
    pub watchers: Vec<Watchers>,
    /// The plans.
    pub queries: Vec<QueryPlan>,
    /// Values that instructions refer to.
    pub constants: Vec<Value>,
    /// Chunks that compute constants of the script which were not known when the code was made, by
    /// [`ConstantId`](crate::check::program::ConstantId).
    pub globals: Vec<Option<ChunkId>>,
    /// The pieces of texts with values in them.
    pub texts: Vec<Vec<TextPiece>>,
    /// Types that are given to primitives.
    pub types: Vec<Type>,
    /// Which registers go to which fields of records of the store.
    pub layouts: Vec<Layout>,
    /// What is loaded before a loop over a list.
    pub prefetches: Vec<Vec<Path>>,
    /// The names of types and members, to show values.
    pub names: Names,
    /// Types with names, to show and convert values, and to lay out the store.
    pub enums: Vec<EnumType>,
    /// Records and entities.
    pub records: Vec<RecordType>,
    /// Errors.
    pub errors: Vec<ErrorType>,
    /// The calls that send mail whose subject is personal.
    pub private_subjects: HashSet<Span>,
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

/// A piece of a text with values in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextPiece {
    /// Characters.
    Characters(EcoString),
    /// The value of the next register.
    Value,
}

/// Which registers go to which fields of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The entity.
    pub entity: RecordId,
    /// For each value in turn, the field that it is for; fields that are not named are counted up by the
    /// store (`create`), or stay (`update`).
    pub fields: Vec<usize>,
}

/// The way from an element of a list to the records that a loop will want.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path {
    /// The steps from the element.
    pub steps: Vec<PathStep>,
}

/// A step of a [`Path`]. A step that does not fit the value (none, a record that is not there) ends the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PathStep {
    /// A field of a record.
    Field(usize),
    /// The record that a reference names.
    Follow,
    /// The record of an entity that has this key.
    Get(RecordId),
    /// Each element of a list.
    Each,
}
