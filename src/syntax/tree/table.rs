//! Decision tables: `rules name(…) -> type, policy { | … | }`.

use super::{BinaryOperator, Expr, Name, Parameter, TextLiteral, TypeExpr};
use crate::text::Span;

/// `rules name(parameters) -> type, policy` with its rows or the file they come from.
#[derive(Debug, Clone)]
pub struct RuleTable {
    /// Its name.
    pub name: Name,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Its result; several outcome columns give a record of this type.
    pub result: Option<TypeExpr>,
    /// What happens when several rows fit, and where it is written; `unique` when nothing is written.
    pub policy: Option<(HitPolicy, Span)>,
    /// The rows.
    pub body: TableBody,
}

/// What happens when several rows fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HitPolicy {
    /// Exactly one row fits every input.
    Unique,
    /// The first row that fits.
    First,
    /// Several rows may fit when they say the same.
    Any,
    /// The outcomes of all rows that fit, as a list.
    Collect,
    /// The sum of the outcomes.
    Sum,
    /// The least outcome.
    Min,
    /// The greatest outcome.
    Max,
}

/// Where the rows come from.
#[derive(Debug, Clone)]
pub enum TableBody {
    /// `{ | … | }`
    Rows {
        /// The head.
        columns: Vec<Column>,
        /// The rows in order.
        rows: Vec<TableRow>,
        /// From `{` to `}`.
        span: Span,
    },
    /// `from "discount.xlsx"`, `from "discount.xlsx" sheet "2026"`
    File {
        /// The path, relative to the script.
        path: TextLiteral,
        /// The sheet of a workbook; the first when not written.
        sheet: Option<TextLiteral>,
    },
}

/// A column of the head.
#[derive(Debug, Clone)]
pub struct Column {
    /// What it holds.
    pub kind: ColumnKind,
    /// The text between the bars, without blanks around it.
    pub span: Span,
}

/// What a column holds.
#[derive(Debug, Clone)]
pub enum ColumnKind {
    /// Tests of this expression.
    Test(Expr),
    /// `when`: free conditions.
    When,
    /// `=> name`: an outcome; the name may be missing when there is one outcome.
    Outcome(Option<Name>),
}

/// A row.
#[derive(Debug, Clone)]
pub struct TableRow {
    /// One cell a column, in order; a row with too few or too many cells has been reported.
    pub cells: Vec<TableCell>,
    /// The row without blanks around it.
    pub span: Span,
}

/// A cell with its place.
#[derive(Debug, Clone)]
pub struct TableCell {
    /// What it says.
    pub cell: Cell,
    /// The text between the bars, without blanks around it.
    pub span: Span,
}

/// What a cell says, by its column; also the patterns of `match`.
#[derive(Debug, Clone)]
pub enum Cell {
    /// `-`: anything
    Anything,
    /// `otherwise`: anything that no row before it takes
    Otherwise,
    /// `some`: an optional that is not none
    Some,
    /// `gold`, `"DE"`, `none`: equal to this
    Value(Expr),
    /// `>= 1000 EUR`
    Compare(BinaryOperator, Expr),
    /// `1..10`, both ends included
    Range(Expr, Expr),
    /// `not x`
    Not(Box<Cell>),
    /// `silver, bronze`: one of them
    OneOf(Vec<Cell>),
    /// `>= 10 and < 20`
    And(Vec<Cell>),
    /// `< 10 or > 20`
    Or(Vec<Cell>),
    /// A free condition in a `when` column.
    Condition(Expr),
    /// The value of an outcome column.
    Outcome(Expr),
    /// Could not be read; its finding has been made.
    Broken,
}
