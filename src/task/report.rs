//! What a step did.

use crate::text::Span;
use crate::value::Value;
use crate::vm::Decision;
use crate::world::{Change, ChangeKind, StoreError};

/// The account of one step, for the journal and for people.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepReport {
    /// What it changed, sent, wrote and noted, in order.
    pub changes: Vec<Change>,
    /// The decisions of tables, when they are traced; each is in `changes` too.
    pub decisions: Vec<Decision>,
    /// The flows that reactive rules start, to be begun with the step.
    pub starts: Vec<FlowStart>,
    /// Why the surroundings failed, when the step ended with [`Failure::FATAL`](crate::vm::Failure::FATAL).
    pub fatal: Option<StoreError>,
}

/// A flow that a rule starts.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowStart {
    /// The index of the flow.
    pub flow: u32,
    /// One argument a parameter.
    pub arguments: Vec<Value>,
    /// Where it is started.
    pub span: Span,
}

impl StepReport {
    /// How many things of a kind it did.
    pub fn count(&self, kind: ChangeKind) -> usize {
        self.changes.iter().filter(|change| change.kind == kind).count()
    }
}
