//! Expressions.

use super::Name;
use crate::text::Span;
use ecow::EcoString;
use rust_decimal::Decimal;

/// An expression with its place.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its place.
    pub span: Span,
}

/// The forms of expressions.
#[derive(Debug, Clone)]
pub enum ExprKind {
    /// `none`
    None,
    /// `true`, `false`
    Bool(bool),
    /// `42`
    Int(i64),
    /// `1.5`
    Decimal(Decimal),
    /// `15%`; holds the number before the sign, 15
    Percent(Decimal),
    /// `99.90 EUR`
    Money {
        /// The amount.
        amount: Decimal,
        /// The ISO 4217 letters.
        currency: Name,
    },
    /// `3 days`; milliseconds
    Duration {
        /// How long, in milliseconds.
        milliseconds: i64,
        /// The number as written.
        count: i64,
        /// The unit as written: `day`, `days`, …
        unit: EcoString,
    },
    /// `2026-11-22`
    Date(jiff::civil::Date),
    /// `06:00`, `06:00:30`
    Time(jiff::civil::Time),
    /// `2026-11-22T06:00Z`, `2026-11-22T06:00:00+01:00`
    Instant(jiff::Timestamp),
    /// `"Hello {name}"`
    Text(TextLiteral),
    /// `name`
    Name(EcoString),
    /// `it`
    It,
    /// `[a, b]`
    List(Vec<Expr>),
    /// `{"a": 1}`
    Map(Vec<(Expr, Expr)>),
    /// `target.name`, `target?.name`
    Field {
        /// What the field is of.
        target: Box<Expr>,
        /// Its name.
        name: Name,
        /// Whether `?.` was written.
        optional: bool,
    },
    /// `callee(arguments)`; also builds records
    Call {
        /// A name, or a field of something.
        callee: Box<Expr>,
        /// The arguments in the order written.
        arguments: Vec<Argument>,
    },
    /// `target[index]`
    Index {
        /// A list or a map.
        target: Box<Expr>,
        /// A position from 0, or a key.
        index: Box<Expr>,
    },
    /// `not x`, `-x`
    Unary {
        /// Which.
        operator: UnaryOperator,
        /// On what.
        operand: Box<Expr>,
    },
    /// `a + b`
    Binary {
        /// Which.
        operator: BinaryOperator,
        /// Where the operator stands.
        operator_span: Span,
        /// The left side.
        left: Box<Expr>,
        /// The right side.
        right: Box<Expr>,
    },
    /// `x is some`, `x is none`
    Is {
        /// What is tested.
        value: Box<Expr>,
        /// `some` (true) or `none` (false).
        some: bool,
    },
    /// `1..10`, both ends included
    Range {
        /// The first.
        from: Box<Expr>,
        /// The last.
        to: Box<Expr>,
    },
    /// `if a then b else c`
    Conditional {
        /// The condition.
        condition: Box<Expr>,
        /// The value when it holds.
        then: Box<Expr>,
        /// The value when it does not.
        otherwise: Box<Expr>,
    },
    /// `r => r.quantity > 0`; arguments of methods only
    Lambda {
        /// What the element (and a second value) is called.
        parameters: Vec<Name>,
        /// The value.
        body: Box<Expr>,
    },
    /// `run flow(…)`: starts a run and waits for its end
    Run(Box<Expr>),
    /// `start flow(…)`: starts a run
    Start(Box<Expr>),
    /// Could not be read; its finding has been made.
    Broken,
}

/// `value` or `name: value` in a call.
#[derive(Debug, Clone)]
pub struct Argument {
    /// Its name, when written.
    pub name: Option<Name>,
    /// Its value.
    pub value: Expr,
}

/// A text as written, with what is put into it.
#[derive(Debug, Clone)]
pub struct TextLiteral {
    /// Its parts in order; escapes are resolved, and the indentation of `"""` texts is taken off.
    pub parts: Vec<TextPart>,
    /// Whether it was written between `"""`.
    pub multiline: bool,
    /// Its place, with the quotes.
    pub span: Span,
}

/// A part of a text.
#[derive(Debug, Clone)]
pub enum TextPart {
    /// Characters.
    Characters(EcoString),
    /// `{expression}`
    Value(Expr),
}

/// Operators with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnaryOperator {
    /// `not`
    Not,
    /// `-`
    Negate,
}

/// Operators with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOperator {
    /// `or`
    Or,
    /// `and`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `in`: in a list, a range or the keys of a map
    In,
    /// `??`: the left side unless it is none
    OrElse,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

impl BinaryOperator {
    /// How it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOperator::Or => "or",
            BinaryOperator::And => "and",
            BinaryOperator::Equal => "==",
            BinaryOperator::NotEqual => "!=",
            BinaryOperator::Less => "<",
            BinaryOperator::LessOrEqual => "<=",
            BinaryOperator::Greater => ">",
            BinaryOperator::GreaterOrEqual => ">=",
            BinaryOperator::In => "in",
            BinaryOperator::OrElse => "??",
            BinaryOperator::Add => "+",
            BinaryOperator::Subtract => "-",
            BinaryOperator::Multiply => "*",
            BinaryOperator::Divide => "/",
        }
    }

    /// How tightly it binds; the higher, the tighter. `is` and `in` bind like comparisons, `..` between
    /// `??` and `+`.
    pub fn precedence(self) -> u8 {
        match self {
            BinaryOperator::Or => 1,
            BinaryOperator::And => 2,
            BinaryOperator::Equal
            | BinaryOperator::NotEqual
            | BinaryOperator::Less
            | BinaryOperator::LessOrEqual
            | BinaryOperator::Greater
            | BinaryOperator::GreaterOrEqual
            | BinaryOperator::In => 4,
            BinaryOperator::OrElse => 5,
            BinaryOperator::Add | BinaryOperator::Subtract => 7,
            BinaryOperator::Multiply | BinaryOperator::Divide => 8,
        }
    }
}
