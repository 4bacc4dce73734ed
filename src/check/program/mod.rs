//! The typed, resolved program: what the checker makes and the compiler reads.
//!
//! Every name is an id, every field an offset, every argument in its place with defaults filled in,
//! every implicit conversion written out. A program exists only when there was no error.

mod declaration;
mod effect;
mod expression;
mod statement;
mod types;
mod walk;

pub use declaration::*;
pub use effect::Effect;
pub use expression::*;
pub use statement::*;
pub use types::*;
pub use walk::BodyParts;

use crate::text::{Sources, Span};
use ecow::EcoString;
use std::collections::HashSet;

/// A checked program: one main script with all that it uses.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// All texts, for messages; templates and the standard library among them.
    pub sources: Sources,
    /// Enums, found by [`EnumId`](crate::value::EnumId).
    pub enums: Vec<EnumType>,
    /// Records and entities, found by [`RecordId`](crate::value::RecordId).
    pub records: Vec<RecordType>,
    /// Errors, found by [`ErrorId`](crate::value::ErrorId).
    pub errors: Vec<ErrorType>,
    /// Constants, found by [`ConstantId`].
    pub constants: Vec<Constant>,
    /// Functions and tasks, found by [`CallableId`].
    pub callables: Vec<Callable>,
    /// Decision tables, found by [`TableId`].
    pub tables: Vec<DecisionTable>,
    /// Flows, found by [`FlowId`].
    pub flows: Vec<Flow>,
    /// Templates, found by [`TemplateId`].
    pub templates: Vec<Template>,
    /// Reactive rules.
    pub reactions: Vec<Reaction>,
    /// Policies.
    pub policies: Vec<Policy>,
    /// Flows that keep a policy only because of what those do that run them, each with the policy: a run of one is not
    /// begun by hand.
    pub kept_by_callers: Vec<(FlowId, EcoString)>,
    /// Triggers.
    pub triggers: Vec<Trigger>,
    /// Tests.
    pub tests: Vec<Test>,
    /// Places of what carries personal data and is not shown in the stories of runs: parameters and steps of flows,
    /// flows for their results, what is counted by `at most`, calls that send mail for their subjects.
    pub private: HashSet<Span>,
}

macro_rules! ids {
    ($($(#[$about:meta])* $name:ident)*) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// As an index.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// Names a constant in [`Program::constants`].
    ConstantId
    /// Names a function or task in [`Program::callables`].
    CallableId
    /// Names a decision table in [`Program::tables`].
    TableId
    /// Names a flow in [`Program::flows`].
    FlowId
    /// Names a template in [`Program::templates`].
    TemplateId
    /// Names a local of the callable, table, flow, template or test that it is used in.
    LocalId
    /// Names a step in [`Flow::steps`].
    StepId
}

/// Something with a value inside a body: a parameter, a `let`, a step, the `it` of a lambda.
#[derive(Debug, Clone)]
pub struct Local {
    /// Its name; `it` for the element of a lambda without names.
    pub name: EcoString,
    /// Its type.
    pub ty: Type,
    /// Where it is declared.
    pub span: Span,
}
