//! Statements: the lines of bodies. Which may stand where is for the checker to say.

use super::{Argument, Expr, Name, TextLiteral, TypeExpr};
use crate::text::Span;

/// Statements between braces.
#[derive(Debug, Clone)]
pub struct Block {
    /// The statements in order.
    pub statements: Vec<Statement>,
    /// From `{` to `}`.
    pub span: Span,
}

/// A statement with its place.
#[derive(Debug, Clone)]
pub struct Statement {
    /// What it is.
    pub kind: StatementKind,
    /// From its first word to its last character, modifiers included.
    pub span: Span,
}

/// The forms of statements.
#[derive(Debug, Clone)]
pub enum StatementKind {
    /// `let name: type = value`
    Let {
        /// Its name.
        name: Name,
        /// Its type, when written.
        kind: Option<TypeExpr>,
        /// Its value.
        value: Expr,
        /// Whether it was written `var`, so that it can be set again.
        mutable: bool,
    },
    /// `name = value`
    Assign {
        /// A `var`.
        name: Name,
        /// Its new value.
        value: Expr,
    },
    /// An expression for what it does.
    Expression(Expr),
    /// `if … { … } else { … }`
    If {
        /// The condition.
        condition: Expr,
        /// What is done when it holds.
        then: Block,
        /// What is done when it does not; an `else if` is a block with one `If`.
        otherwise: Option<Block>,
        /// Whether `otherwise` was written `else if`.
        chained: bool,
    },
    /// `match value { a, b => …  otherwise => … }`
    Match {
        /// What is looked at.
        value: Expr,
        /// The arms in order.
        arms: Vec<MatchArm>,
    },
    /// `for name in list, parallel 8 { … }`, `for key, value in map { … }`
    For(For),
    /// `parallel { … }`: every statement in it is a branch
    Parallel(Block),
    /// `step name: type = value` or `step name { … }`
    Step(Step),
    /// `go to step`
    GoTo(Name),
    /// `return value`: the result of a function, task or flow
    Return(Option<Expr>),
    /// `give value`: the value of the step whose block this is
    Give(Expr),
    /// `fail error(arguments)`
    Fail {
        /// The error.
        error: Name,
        /// What it carries.
        arguments: Vec<Argument>,
    },
    /// `stop "reason"`: ends the run as done
    Stop(Option<Expr>),
    /// `given expression`: brings about what a test starts from
    Given(Expr),
    /// `expect expression`, `expect outcome failed error`
    Expect {
        /// What must hold, or the outcome of a run.
        value: Expr,
        /// The failure that the outcome must have.
        failed: Option<Name>,
    },
    /// `advance duration`: moves the time of a test
    Advance(Expr),
    /// `stub task(…) => value`, `stub task fails error n times`
    Stub {
        /// The task, as `module.name`.
        callee: Expr,
        /// What it does instead.
        outcome: StubOutcome,
    },
    /// `answer ask "question" with value`
    Answer {
        /// The question, when only one is meant.
        question: Option<TextLiteral>,
        /// The answer.
        value: Expr,
    },
    /// Could not be read; its finding has been made.
    Broken,
}

/// What a stubbed task does.
#[derive(Debug, Clone)]
pub enum StubOutcome {
    /// `=> value`
    Value(Expr),
    /// `fails error n times`
    Fails {
        /// The error.
        error: Name,
        /// What it carries.
        arguments: Vec<Argument>,
        /// How often; always when not written.
        times: Option<Expr>,
    },
}

/// `a, b => …`, `some => …`, `1..5 => …`, `otherwise => …`: the same tests as in the cells of a rule table.
#[derive(Debug, Clone)]
pub struct MatchArm {
    /// Which values it is for.
    pub pattern: super::Cell,
    /// What is done; a single statement is a block without braces.
    pub body: Block,
    /// Whether the body was written in braces.
    pub braces: bool,
    /// The whole arm.
    pub span: Span,
}

/// `for name in list, parallel 8, stop at first failure { … }`.
#[derive(Debug, Clone)]
pub struct For {
    /// What the element is called; the key, when there is a second name.
    pub name: Name,
    /// What the value of a map's entry is called.
    pub second: Option<Name>,
    /// The list, range or map.
    pub list: Expr,
    /// `parallel n`
    pub parallel: Option<Expr>,
    /// Whether `stop at first failure` was written.
    pub stop_at_first_failure: bool,
    /// What is done for each.
    pub body: Block,
}

/// A named, durable step of a flow.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name.
    pub name: Name,
    /// Its type, when written.
    pub kind: Option<TypeExpr>,
    /// What it does.
    pub body: StepBody,
    /// How it is done, undone and tried again.
    pub modifiers: Vec<Modifier>,
}

/// The two forms of a step's body.
#[derive(Debug, Clone)]
pub enum StepBody {
    /// `= expression`
    Value(Expr),
    /// `{ … }`; `give` says its value
    Block(Block),
}

/// What can be said behind a step.
#[derive(Debug, Clone)]
pub struct Modifier {
    /// What it says.
    pub kind: ModifierKind,
    /// Its place.
    pub span: Span,
}

/// The forms of modifiers.
#[derive(Debug, Clone)]
pub enum ModifierKind {
    /// `retry 3 times from 2 seconds doubling up to 1 minute`
    Retry {
        /// How often it is tried again.
        times: Expr,
        /// The first pause.
        from: Option<Expr>,
        /// Whether every pause is twice the one before.
        doubling: bool,
        /// The longest pause.
        up_to: Option<Expr>,
    },
    /// `timeout 30 seconds`
    Timeout(Expr),
    /// `undo call(…)` or `undo { … }`
    Undo {
        /// What is done; a single expression is a block without braces.
        body: Block,
        /// Whether it was written in braces.
        braces: bool,
    },
    /// `on error go to step`, `on error as e { … }`
    On {
        /// The error that is handled.
        error: Name,
        /// What the failure is called in the block.
        binding: Option<Name>,
        /// What is done.
        action: OnAction,
    },
}

/// What is done when a step has failed.
#[derive(Debug, Clone)]
pub enum OnAction {
    /// `go to step`
    GoTo(Name),
    /// `{ … }`
    Block(Block),
}
