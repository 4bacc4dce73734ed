//! Statements, resolved.

use super::{Expr, LocalId, StepId};
use crate::syntax::tree::BinaryOperator;
use crate::text::Span;
use crate::value::ErrorId;

/// A statement with its place.
#[derive(Debug, Clone)]
pub struct Statement {
    /// What it is.
    pub kind: StatementKind,
    /// Its place.
    pub span: Span,
}

/// The forms of statements. `Step`, `Parallel`, `GoTo` and `Stop` stand in flows only, `Give` in steps,
/// `Given` to `Answer` in tests.
#[derive(Debug, Clone)]
pub enum StatementKind {
    /// Sets a local, for `let`, `var` and assignments.
    Set {
        /// The local.
        local: LocalId,
        /// Its value.
        value: Expr,
    },
    /// An expression for what it does.
    Expression(Expr),
    /// `if`
    If {
        /// The condition.
        condition: Expr,
        /// When it holds.
        then: Vec<Statement>,
        /// When it does not.
        otherwise: Vec<Statement>,
    },
    /// `match`; a value that no arm takes fails with `no_row`.
    Match {
        /// What is looked at.
        value: Expr,
        /// The arms in order.
        arms: Vec<Arm>,
    },
    /// `for`
    For(For),
    /// `parallel { … }`: the branches
    Parallel(Vec<Vec<Statement>>),
    /// A step of the flow.
    Step(StepId),
    /// `go to step`
    GoTo(StepId),
    /// `return`
    Return(Option<Expr>),
    /// `give`
    Give(Expr),
    /// `fail`
    Fail {
        /// The error.
        error: ErrorId,
        /// Its fields in order, defaults filled in.
        fields: Vec<Expr>,
    },
    /// `stop`
    Stop(Option<Expr>),
    /// `given`
    Given(Expr),
    /// `expect`
    Expect {
        /// What must hold, or the outcome of a run.
        value: Expr,
        /// The failure that the outcome must have.
        failed: Option<ErrorId>,
    },
    /// `advance`
    Advance(Expr),
    /// `stub`
    Stub {
        /// What is replaced.
        task: super::Protected,
        /// What it does instead.
        outcome: StubOutcome,
    },
    /// `answer`
    Answer {
        /// The question, when only one is meant.
        question: Option<Expr>,
        /// The answer.
        value: Expr,
    },
}

/// What a stubbed task does.
#[derive(Debug, Clone)]
pub enum StubOutcome {
    /// Gives this.
    Value(Expr),
    /// Fails.
    Fails {
        /// With this error.
        error: ErrorId,
        /// Its fields in order.
        fields: Vec<Expr>,
        /// How often; always when none.
        times: Option<Expr>,
    },
}

/// An arm of a `match`.
#[derive(Debug, Clone)]
pub struct Arm {
    /// Which values it is for.
    pub test: CellTest,
    /// What is done.
    pub body: Vec<Statement>,
    /// Its place.
    pub span: Span,
}

/// A test of a value, in the cells of tables and the arms of `match`.
#[derive(Debug, Clone)]
pub enum CellTest {
    /// Anything.
    Anything,
    /// Anything that no row before takes; the row is the last resort of a table without order, too.
    Otherwise,
    /// An optional that has a value.
    Some,
    /// Equal to this.
    Equal(Expr),
    /// A comparison with this.
    Compare(BinaryOperator, Expr),
    /// Between these, both included.
    Range(Expr, Expr),
    /// Not this.
    Not(Box<CellTest>),
    /// All of these.
    And(Vec<CellTest>),
    /// One of these.
    Or(Vec<CellTest>),
    /// A condition of its own.
    Condition(Expr),
}

/// `for`.
#[derive(Debug, Clone)]
pub struct For {
    /// The element, or the key of a map.
    pub local: LocalId,
    /// The value of a map's entry.
    pub second: Option<LocalId>,
    /// The list, range or map.
    pub list: Expr,
    /// How many at once; flows only.
    pub parallel: Option<Expr>,
    /// Whether the first failure ends the loop; flows only.
    pub stop_at_first_failure: bool,
    /// What is done for each.
    pub body: Vec<Statement>,
}
