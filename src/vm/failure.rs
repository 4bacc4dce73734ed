//! How evaluation fails: a declared error with its fields, the place, and the calls that led there.

use crate::text::Span;
use crate::value::{ErrorId, Value};
use ecow::EcoString;

/// A failure on its way up.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// Which error; those of the language are found by name in [`crate::library`]'s prelude.
    pub error: ErrorId,
    /// What it carries, in the order of the error's fields.
    pub fields: Vec<Value>,
    /// Where it arose.
    pub span: Span,
    /// The calls that led there, the innermost first.
    pub trace: Vec<Frame>,
}

impl Failure {
    /// Not an error of any script: the surroundings themselves have failed (the store, the disk under it). No
    /// handler is for it; the run stops, and who gave the host asks it for the cause.
    pub const FATAL: ErrorId = ErrorId(u32::MAX);

    /// Not an error either: a part of the step's work was given to another thread. Whatever the step has done is taken
    /// back, and it is done again when that work may be asked for.
    pub const ELSEWHERE: ErrorId = ErrorId(u32::MAX - 1);

    /// Whether the step is to be done again later.
    pub fn is_elsewhere(&self) -> bool {
        self.error == Self::ELSEWHERE
    }

    /// Whether the run must stop without a handler, a retry or an undo.
    pub fn is_fatal(&self) -> bool {
        self.error == Self::FATAL
    }
}

/// A call on the way to a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What was being executed: `task inventory.reserve`, `step reserved`.
    pub name: EcoString,
    /// Where it called what failed.
    pub span: Span,
}
