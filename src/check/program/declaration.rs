//! Callables, tables, flows and the rest of the declarations, resolved.

use super::{CellTest, Effect, Expr, Local, LocalId, Statement, StepId, Type};
use crate::syntax::tree::{HitPolicy, RecordEvent};
use crate::text::Span;
use crate::value::{ErrorId, RecordId};
use ecow::EcoString;

/// `const name = value`; the value is pure and uses no locals.
#[derive(Debug, Clone)]
pub struct Constant {
    /// Its name.
    pub name: EcoString,
    /// Its value, with its type.
    pub value: Expr,
    /// Where its name is declared.
    pub span: Span,
}

/// A parameter; its local has the same position: parameter n is local n.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name.
    pub name: EcoString,
    /// Its type.
    pub ty: Type,
    /// The value it has when none is given; uses no locals.
    pub default: Option<Expr>,
    /// Where it is declared.
    pub span: Span,
}

/// A function or a task.
#[derive(Debug, Clone)]
pub struct Callable {
    /// Its name, with its module when it is in one: `inventory.reserve`.
    pub name: EcoString,
    /// Whether it was declared `task`.
    pub is_task: bool,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Its result; `Nothing` when it has none.
    pub result: Type,
    /// What it does to the world, with all that it calls.
    pub effect: Effect,
    /// The declared failures that it may end with, with all that it calls.
    pub fails: Vec<ErrorId>,
    /// Its locals, the parameters first.
    pub locals: Vec<Local>,
    /// What it does.
    pub body: Vec<Statement>,
    /// Documentation.
    pub documentation: EcoString,
    /// Where its name is declared.
    pub span: Span,
}

/// A decision table.
#[derive(Debug, Clone)]
pub struct DecisionTable {
    /// Its name, with its module when it is in one.
    pub name: EcoString,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Its result, by policy: a list for `collect`; optional for `first`, `any`, `min`, `max` that no
    /// `otherwise` completes is not inferred: a table that no row fits fails with `no_row`.
    pub result: Type,
    /// What happens when several rows fit.
    pub policy: HitPolicy,
    /// The columns that test.
    pub columns: Vec<Column>,
    /// The rows in order.
    pub rows: Vec<Row>,
    /// Its effect: `Pure`, or `Reads` when a condition reads records.
    pub effect: Effect,
    /// Its locals, the parameters first.
    pub locals: Vec<Local>,
    /// Documentation.
    pub documentation: EcoString,
    /// Where its name is declared.
    pub span: Span,
}

/// A column that tests.
#[derive(Debug, Clone)]
pub struct Column {
    /// What is tested; `when` columns have none.
    pub subject: Option<Expr>,
    /// How the head says it, for `--trace`.
    pub heading: EcoString,
    /// Its place.
    pub span: Span,
}

/// A row of a decision table.
#[derive(Debug, Clone)]
pub struct Row {
    /// One test a column.
    pub tests: Vec<CellTest>,
    /// The place of each test.
    pub test_spans: Vec<Span>,
    /// The outcome, converted to the type of one outcome; several outcome columns build a record.
    pub outcome: Expr,
    /// Its place.
    pub span: Span,
    /// What people call it: `row 3`, `discount.xlsx, row 4`.
    pub name: EcoString,
}

/// A flow.
#[derive(Debug, Clone)]
pub struct Flow {
    /// Its name, with its module when it is in one.
    pub name: EcoString,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Its result; `Nothing` when it has none.
    pub result: Type,
    /// The thing a run works on; uses parameters only.
    pub key: Option<Expr>,
    /// How many runs at once, counted apart for each value of the second expression.
    pub at_most: Option<(Expr, Option<Expr>)>,
    /// The higher goes first.
    pub priority: Option<Expr>,
    /// How long a run may take.
    pub deadline: Option<Expr>,
    /// Its steps, those in blocks included, in the order of the text.
    pub steps: Vec<Step>,
    /// Its locals, the parameters first.
    pub locals: Vec<Local>,
    /// Its steps and what lies between.
    pub body: Vec<Statement>,
    /// What it does to the world, with all that it calls.
    pub effect: Effect,
    /// The declared failures that a run may end with.
    pub fails: Vec<ErrorId>,
    /// Documentation.
    pub documentation: EcoString,
    /// Where its name is declared.
    pub span: Span,
}

/// A step of a flow; [`super::StatementKind::Step`] says where it stands.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name.
    pub name: EcoString,
    /// The local that holds its value; none for steps without one.
    pub local: Option<LocalId>,
    /// The type of its value.
    pub ty: Type,
    /// What it does: an expression, or statements with `Give`.
    pub body: StepBody,
    /// `retry`
    pub retry: Option<Retry>,
    /// `timeout`
    pub timeout: Option<Expr>,
    /// `undo`
    pub undo: Option<Vec<Statement>>,
    /// `on error …`, in the order written.
    pub handlers: Vec<Handler>,
    /// Its effect.
    pub effect: Effect,
    /// The step with its modifiers.
    pub span: Span,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum StepBody {
    /// `= expression`
    Value(Expr),
    /// `{ … }`
    Block(Vec<Statement>),
}

/// `retry n times from d doubling up to m`.
#[derive(Debug, Clone)]
pub struct Retry {
    /// How often it is tried again.
    pub times: Expr,
    /// The first pause.
    pub from: Option<Expr>,
    /// Whether every pause is twice the one before.
    pub doubling: bool,
    /// The longest pause.
    pub up_to: Option<Expr>,
}

/// `on error …`.
#[derive(Debug, Clone)]
pub struct Handler {
    /// The error it is for.
    pub error: ErrorId,
    /// What is done.
    pub action: HandlerAction,
    /// Its place.
    pub span: Span,
}

/// What a handler does.
#[derive(Debug, Clone)]
pub enum HandlerAction {
    /// `go to step`
    GoTo(StepId),
    /// `as e { … }`: statements of the flow; then the flow goes on behind the step.
    Block {
        /// The local that holds the failure.
        binding: Option<LocalId>,
        /// The statements.
        body: Vec<Statement>,
    },
}

/// A template: a file whose placeholders are expressions over its parameters.
#[derive(Debug, Clone)]
pub struct Template {
    /// The path as the script says it.
    pub name: EcoString,
    /// What its placeholders may use; local n is parameter n.
    pub parameters: Vec<Local>,
    /// Its locals, the parameters first.
    pub locals: Vec<Local>,
    /// Its parts.
    pub parts: Vec<TemplatePart>,
    /// Where it is used first.
    pub span: Span,
}

/// A part of a template.
#[derive(Debug, Clone)]
pub enum TemplatePart {
    /// Characters.
    Characters(EcoString),
    /// `{expression}`
    Value(Expr),
    /// `{for x in list}` … `{end}`
    For {
        /// The element, or the key of a map.
        local: LocalId,
        /// The value of a map's entry.
        second: Option<LocalId>,
        /// The list or map.
        list: Expr,
        /// What is repeated.
        body: Vec<TemplatePart>,
    },
    /// `{if condition}` … `{else}` … `{end}`
    If {
        /// The condition.
        condition: Expr,
        /// When it holds.
        then: Vec<TemplatePart>,
        /// When it does not.
        otherwise: Vec<TemplatePart>,
    },
}

/// A reactive rule.
#[derive(Debug, Clone)]
pub struct Reaction {
    /// Its name.
    pub name: EcoString,
    /// The entity whose records it watches.
    pub entity: RecordId,
    /// What must happen to a record.
    pub event: RecordEvent,
    /// Its locals; the record is local 0.
    pub locals: Vec<Local>,
    /// The condition.
    pub when: Option<Expr>,
    /// The higher goes first.
    pub priority: Option<Expr>,
    /// What it does.
    pub body: Vec<Statement>,
    /// Its effect.
    pub effect: Effect,
    /// Where its name is declared.
    pub span: Span,
}

/// A policy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its name.
    pub name: EcoString,
    /// Its clauses.
    pub clauses: Vec<PolicyClause>,
    /// Where its name is declared.
    pub span: Span,
}

/// What a policy protects.
#[derive(Debug, Clone)]
pub enum Protected {
    /// A function or task.
    Callable(super::CallableId),
    /// A primitive task.
    Operation(crate::library::Operation),
    /// A flow.
    Flow(super::FlowId),
}

/// `before … when … requires …`.
#[derive(Debug, Clone)]
pub struct PolicyClause {
    /// What is protected.
    pub protected: Protected,
    /// Its locals, the arguments of the protected call first.
    pub locals: Vec<Local>,
    /// When the clause applies.
    pub when: Option<Expr>,
    /// What must have happened before.
    pub requires: Expr,
    /// Its place.
    pub span: Span,
}

/// A trigger.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// What starts it.
    pub event: TriggerEvent,
    /// Its locals; what the event binds is local 0.
    pub locals: Vec<Local>,
    /// What it does: `start` and pure code.
    pub body: Vec<Statement>,
    /// Its place.
    pub span: Span,
}

/// What starts a trigger.
#[derive(Debug, Clone)]
pub enum TriggerEvent {
    /// A file that fits the pattern; local 0 is a `File` record.
    File {
        /// The pattern.
        pattern: EcoString,
    },
    /// Something happens to a record; local 0 is the record.
    Record {
        /// The entity.
        entity: RecordId,
        /// What must happen.
        event: RecordEvent,
        /// The condition.
        when: Option<Expr>,
    },
    /// A time comes.
    Schedule(Schedule),
}

/// `every day at 06:00 in "Europe/Berlin", catch up`; its expressions are pure and use no locals.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// How often.
    pub period: SchedulePeriod,
    /// At what time of the day; midnight when none is written.
    pub at: Option<Expr>,
    /// The IANA zone; that of the project when none is written.
    pub zone: Option<EcoString>,
    /// Whether a missed time is caught up; left out when nothing is written.
    pub catch_up: bool,
    /// From `every` on.
    pub span: Span,
}

/// How often a schedule comes.
#[derive(Debug, Clone)]
pub enum SchedulePeriod {
    /// Every day.
    Day,
    /// Monday to Friday.
    Weekday,
    /// Monday to Friday but for holidays.
    BusinessDay,
    /// A day of the week, 1 for Monday to 7 for Sunday.
    DayOfWeek(u8),
    /// A day of each month.
    Month(Expr),
    /// Again and again after so long.
    Interval(Expr),
}

/// A test.
#[derive(Debug, Clone)]
pub struct Test {
    /// What it shows.
    pub title: EcoString,
    /// Its locals.
    pub locals: Vec<Local>,
    /// Its statements.
    pub body: Vec<Statement>,
    /// Its place.
    pub span: Span,
}
