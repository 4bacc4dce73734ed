//! Query plans: what a method chain over an entity asks of the store, typed and free of any dialect.
//!
//! The compiler turns the longest part of a chain that a database can do into one plan; what is left is
//! evaluated by the machine over the plan's result. Values that the chain uses become parameters, so
//! that a store prepares the statement of a plan once.

use crate::syntax::tree::BinaryOperator;
use crate::value::{RecordId, Value};

/// Names a plan in [`super::code::Code::queries`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QueryId(pub u32);

/// One question to the store.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryPlan {
    /// The entity that is looked through: table 0.
    pub entity: RecordId,
    /// Further tables, reached through references; the n-th is table n + 1.
    pub joins: Vec<Join>,
    /// Which rows.
    pub filter: Option<Scalar>,
    /// In which order; `true` is descending. None is greater than everything. Rows that are equal so far come in
    /// the order of their keys.
    pub order: Vec<(Scalar, bool)>,
    /// How many rows at most, as a parameter.
    pub limit: Option<Scalar>,
    /// How many rows are left out first, as a parameter.
    pub offset: Option<Scalar>,
    /// What is asked for.
    pub output: Output,
    /// How many parameters the plan takes.
    pub parameters: usize,
}

/// A table reached through a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// The table whose field refers to this one.
    pub from: usize,
    /// The position of that field.
    pub field: usize,
    /// The entity that is reached.
    pub entity: RecordId,
    /// Whether the reference may be none, so that rows without it stay.
    pub optional: bool,
}

/// A value computed by the store for every row.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// A field of a table; the types of fields say how it is kept.
    Column {
        /// The table.
        table: usize,
        /// The position of the field.
        field: usize,
    },
    /// A value given with the question.
    Parameter(usize),
    /// A value known before.
    Literal(Value),
    /// `not x`
    Not(Box<Scalar>),
    /// All hold.
    And(Vec<Scalar>),
    /// One holds at least.
    Or(Vec<Scalar>),
    /// A comparison; both sides have the same type, and none is less than nothing: a comparison with none
    /// is false, but for `==` and `!=`, which take none for a value.
    Compare(BinaryOperator, Box<Scalar>, Box<Scalar>),
    /// `x in list`, the list being a parameter.
    In(Box<Scalar>, usize),
    /// `x is none`
    IsNone(Box<Scalar>),
    /// `text.contains(part)`
    Contains(Box<Scalar>, Box<Scalar>),
    /// `text.starts_with(part)`
    StartsWith(Box<Scalar>, Box<Scalar>),
    /// `+`, `-`, `*` on whole numbers.
    IntArithmetic(BinaryOperator, Box<Scalar>, Box<Scalar>),
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// The records of table 0, as a list.
    Records,
    /// The first record of table 0, or none.
    First,
    /// A value of each row, as a list.
    Values(Scalar),
    /// How many rows.
    Count,
    /// Whether there is a row.
    Exists,
    /// The exact sum; 0 for no rows, but none for money and no rows.
    Sum(Scalar),
    /// The exact average, or none; whole numbers and durations are rounded to whole ones, halves away from zero.
    Average(Scalar),
    /// The least value, or none.
    Min(Scalar),
    /// The greatest value, or none.
    Max(Scalar),
}
