//! Cells of tables, and the patterns of `match`.

use super::Lower;
use super::expression::decimal_comma;
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;
use crate::syntax::grammar::{Pair, Rule};
use crate::syntax::tree::{Cell, ColumnKind, Expr, ExprKind};
use crate::text::Span;

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnRole {
    /// Tests of the column's expression.
    Test,
    /// Free conditions.
    Condition,
    /// Values.
    Outcome,
}

impl ColumnRole {
    /// What the cells of this column are.
    pub fn of(kind: &ColumnKind) -> Self {
        match kind {
            ColumnKind::Test(_) => ColumnRole::Test,
            ColumnKind::When => ColumnRole::Condition,
            ColumnKind::Outcome(_) => ColumnRole::Outcome,
        }
    }

    /// The rule that reads such a cell.
    pub fn rule(self) -> Rule {
        match self {
            ColumnRole::Test => Rule::cell_line,
            ColumnRole::Condition => Rule::condition_line,
            ColumnRole::Outcome => Rule::outcome_line,
        }
    }
}

impl Lower<'_> {
    /// The cell that pest has read by [`ColumnRole::rule`].
    pub fn cell(&mut self, role: ColumnRole, pair: Pair) -> Cell {
        match role {
            ColumnRole::Test => self.tests(pair),
            ColumnRole::Outcome => Cell::Outcome(self.expression(pair)),
            ColumnRole::Condition if pair.as_rule() == Rule::anything => Cell::Anything,
            ColumnRole::Condition if pair.as_str() == "otherwise" => Cell::Otherwise,
            ColumnRole::Condition => Cell::Condition(self.expression(pair)),
        }
    }

    /// Tests with commas between them.
    pub fn tests(&mut self, pair: Pair) -> Cell {
        let mut cells = Vec::new();
        let mut comparisons: Vec<Span> = Vec::new();
        let mut before: Option<Span> = None;
        for inner in pair.into_inner() {
            let span = self.span(&inner);
            let digit = inner.as_str().starts_with(|c: char| c.is_ascii_digit());
            let is_literal = inner.as_str().ends_with(|c: char| c == '%' || c.is_ascii_uppercase());
            let compared = matches!(cells.last(), Some(Cell::Compare(_, Expr { kind: ExprKind::Int(_), .. })));
            let counted = matches!(cells.last(), Some(Cell::Value(Expr { kind: ExprKind::Int(_), .. })));
            if let Some(first) = before.filter(|first| first.end + 1 == span.start)
                && digit
                && (compared || counted && is_literal)
            {
                let comma = Span { start: first.end, end: span.start, ..first };
                self.findings.push(decimal_comma(comma, first.to(span)));
                return Cell::Broken;
            }
            before = Some(span);
            let cell = self.any_test(inner);
            if matches!(cell, Cell::Compare(..)) {
                comparisons.push(span);
            }
            cells.push(cell);
        }
        if let (Some(first), Some(second)) = (comparisons.first(), comparisons.get(1)) {
            self.findings.push(
                Finding::new(
                    &codes::CELL,
                    *second,
                    "comparisons in a cell are joined by `and` or `or`, not by a comma",
                )
                .at("a second comparison")
                .label(*first, "the first one")
                .help("write `and` when both must hold and `or` when one is enough"),
            );
            return Cell::Broken;
        }
        single_or(cells, Cell::OneOf)
    }

    fn any_test(&mut self, pair: Pair) -> Cell {
        let cells = pair.into_inner().map(|inner| self.all_test(inner)).collect();
        single_or(cells, Cell::Or)
    }

    fn all_test(&mut self, pair: Pair) -> Cell {
        let cells = pair.into_inner().map(|inner| self.test(inner)).collect();
        single_or(cells, Cell::And)
    }

    fn test(&mut self, pair: Pair) -> Cell {
        if pair.as_rule() != Rule::not_test {
            return self.bare_test(pair);
        }
        match pair.into_inner().next() {
            Some(test) => Cell::Not(Box::new(self.bare_test(test))),
            None => Cell::Broken,
        }
    }

    fn bare_test(&mut self, pair: Pair) -> Cell {
        match pair.as_rule() {
            Rule::anything => Cell::Anything,
            Rule::compare => {
                let mut sides = pair.into_inner();
                match (sides.next(), sides.next()) {
                    (Some(sign), Some(value)) => self.compare(sign.as_str(), value),
                    _ => Cell::Broken,
                }
            }
            _ => match pair.as_str() {
                "otherwise" => Cell::Otherwise,
                "some" => Cell::Some,
                _ => value_or_range(self.expression(pair)),
            },
        }
    }

    fn compare(&mut self, sign: &str, value: Pair) -> Cell {
        let value = self.expression(value);
        match super::operators::Infix::from_sign(sign) {
            super::operators::Infix::Binary(operator) => Cell::Compare(operator, value),
            _ => Cell::Broken,
        }
    }
}

/// The one cell, or what several are together.
pub fn single_or(mut cells: Vec<Cell>, several: impl FnOnce(Vec<Cell>) -> Cell) -> Cell {
    if cells.len() > 1 { several(cells) } else { cells.pop().unwrap_or(Cell::Broken) }
}

/// The test for a value, or for a range of values.
pub fn value_or_range(value: Expr) -> Cell {
    match value.kind {
        ExprKind::Range { from, to } => Cell::Range(*from, *to),
        ExprKind::Broken => Cell::Broken,
        _ => Cell::Value(value),
    }
}
