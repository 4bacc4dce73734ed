//! Expressions, typed and resolved.

use super::{CallableId, ConstantId, Effect, FlowId, LocalId, TableId, TemplateId, Type};
use crate::library::Operation;
use crate::syntax::tree::BinaryOperator;
use crate::text::Span;
use crate::value::{RecordId, Value};
use ecow::EcoString;

/// An expression with its type and place.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The type of its value.
    pub ty: Type,
    /// What evaluating it does to the world.
    pub effect: Effect,
    /// Its place.
    pub span: Span,
}

/// The forms of expressions.
#[derive(Debug, Clone)]
pub enum ExprKind {
    /// A value known before the run: literals, members of enums, `none`.
    Value(Value),
    /// A constant of the script.
    Constant(ConstantId),
    /// A parameter, `let`, step or element.
    Local(LocalId),
    /// A text with values put into it.
    Text(Vec<TextPart>),
    /// A list.
    List(Vec<Expr>),
    /// A map.
    Map(Vec<(Expr, Expr)>),
    /// The whole numbers from the first to the last, both included, as a list.
    Range(Box<Expr>, Box<Expr>),
    /// A new record; its fields in order.
    Record(RecordId, Vec<Expr>),
    /// A record with some fields changed: `x.with(field: value)`.
    With(Box<Expr>, Vec<(usize, Expr)>),
    /// The field at this offset of a record or failure.
    Field(Box<Expr>, usize),
    /// The text of a failure: `e.message`.
    FailureMessage(Box<Expr>),
    /// The record that a reference names; fails with `not_found`.
    Follow(Box<Expr>),
    /// The key of a record or reference, where a reference is wanted: `Reference` from `Record`.
    Refer(Box<Expr>),
    /// `target?.…`: none when the target is none, else `then` with the local set to the target.
    Guarded {
        /// What may be none.
        target: Box<Expr>,
        /// Holds the target in `then`.
        local: LocalId,
        /// The value when there is a target.
        then: Box<Expr>,
    },
    /// The element at a position (fails with `out_of_range`) or under a key (fails with `not_found`).
    Index(Box<Expr>, Box<Expr>),
    /// `not x`
    Not(Box<Expr>),
    /// `-x`, for numbers, money, percents and durations
    Negate(Box<Expr>),
    /// An operator; the types of the sides say which arithmetic is meant, see [`Type`].
    Binary(BinaryOperator, Box<Expr>, Box<Expr>),
    /// `x is some` (true) or `x is none` (false)
    Is(Box<Expr>, bool),
    /// A whole number where a decimal is wanted.
    ToDecimal(Box<Expr>),
    /// A query where a list is wanted.
    Load(Box<Expr>),
    /// `if a then b else c`
    Conditional(Box<Expr>, Box<Expr>, Box<Expr>),
    /// A function or task; one argument a parameter.
    Call(CallableId, Vec<Expr>),
    /// A decision table; one argument a parameter.
    Decide(TableId, Vec<Expr>),
    /// A primitive, with the receiver first; one argument a parameter, `none` where nothing was given.
    Perform(Operation, Vec<Expr>),
    /// A function given to a primitive.
    Lambda(Vec<LocalId>, Box<Expr>),
    /// A type given to a primitive: `as: OrderRow`.
    TypeArgument(Type),
    /// A template with its arguments in the order of its parameters.
    Template(TemplateId, Vec<Expr>),
    /// `Entity` as the start of a chain: all its records.
    All(RecordId),
    /// `Entity.get(key)`: fails with `not_found`.
    Get(RecordId, Box<Expr>),
    /// `Entity.has(key)`
    Has(RecordId, Box<Expr>),
    /// `Entity.create(…)`: gives the record; fails with `already_exists`. Fields in order; none for `auto`.
    Create(RecordId, Vec<Option<Expr>>),
    /// `x.update(…)`: gives the record as it is now; fails with `not_found`.
    Update(Box<Expr>, Vec<(usize, Expr)>),
    /// `x.delete()`
    Delete(Box<Expr>),
    /// `run flow(…)`; in a test the outcome, else the result.
    Run(FlowId, Vec<Expr>),
    /// `start flow(…)`
    Start(FlowId, Vec<Expr>),
    /// `ask`, `wait_for`, `sleep`, `sleep_until`.
    Wait(Box<Wait>),
}

/// A part of a text.
#[derive(Debug, Clone)]
pub enum TextPart {
    /// Characters.
    Characters(EcoString),
    /// A value, shown as people read it.
    Value(Expr),
}

/// What a step can wait for.
#[derive(Debug, Clone)]
pub enum Wait {
    /// `sleep(duration)`
    Sleep(Expr),
    /// `sleep_until(instant)`
    SleepUntil(Expr),
    /// `wait_for(Entity, condition, within: duration)`: gives the record, or none when the time is over.
    For {
        /// The entity.
        entity: RecordId,
        /// The record in the condition.
        local: LocalId,
        /// The condition.
        condition: Expr,
        /// How long.
        within: Option<Expr>,
    },
    /// `ask(role, question, within:, otherwise:)`: gives the answer.
    Ask {
        /// Whose answer is wanted.
        role: Expr,
        /// The question.
        question: Expr,
        /// How long.
        within: Option<Expr>,
        /// The answer when the time is over.
        otherwise: Option<Expr>,
    },
}
