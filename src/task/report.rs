//! What a step did.

use crate::text::Span;
use crate::value::{Duration, Instant, Value};
use crate::vm::Decision;
use crate::world::{Change, ChangeKind, StoreError};
use ecow::EcoString;

/// The account of one step, for the journal and for people.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepReport {
    /// What it changed, sent, wrote and noted, in order.
    pub changes: Vec<Change>,
    /// The decisions of tables, when they are traced; each is in `changes` too.
    pub decisions: Vec<Decision>,
    /// The flows that reactive rules start, to be begun with the step.
    pub starts: Vec<FlowStart>,
    /// What calls have shown of other systems; holds whether the step fails or not.
    pub calls: CallsMade,
    /// Why the surroundings failed, when the step ended with [`Failure::FATAL`](crate::vm::Failure::FATAL).
    pub fatal: Option<StoreError>,
}

/// What the calls of a step have shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallsMade {
    /// Which systems have worked and which have not, in order.
    pub systems: Vec<SystemOutcome>,
    /// How long a system asks to be left alone before the next try.
    pub pause: Option<Duration>,
}

/// Whether a system has worked.
#[derive(Debug, Clone, PartialEq)]
pub struct SystemOutcome {
    /// The system, by its address.
    pub system: EcoString,
    /// Whether it has.
    pub worked: bool,
    /// When that was seen.
    pub at: Instant,
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
    /// The next try should not come sooner.
    pub(super) fn not_before(&mut self, pause: Duration) {
        self.calls.pause = Some(self.calls.pause.map_or(pause, |known| known.max(pause)));
    }

    /// How many things of a kind it did.
    pub fn count(&self, kind: ChangeKind) -> usize {
        self.changes.iter().filter(|change| change.kind == kind).count()
    }
}
