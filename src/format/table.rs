//! Decision tables, aligned by the width of characters on a terminal, and the tests in their cells.

use super::printer::Printer;
use crate::syntax::tree::*;
use crate::text::Span;
use unicode_width::UnicodeWidthStr;

impl Printer<'_> {
    /// The rows between their braces.
    pub fn table(&mut self, columns: &[Column], rows: &[TableRow], span: Span, from: usize) {
        let head: Vec<String> = columns.iter().map(|column| self.column(column)).collect();
        let cells: Vec<Vec<String>> =
            rows.iter().map(|row| row.cells.iter().map(|cell| self.cell(&cell.cell)).collect()).collect();
        let mut widths: Vec<usize> = head.iter().map(|cell| cell.width()).collect();
        for row in &cells {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let head_span = columns.iter().map(|column| column.span).reduce(Span::to).unwrap_or(span);
        self.braces(span, from, |printer, end| {
            printer.gap(end, head_span.start as usize, true);
            printer.row(&head, &widths);
            // The bar behind the last column stands between it and a comment.
            let mut end = printer.trailing(head_span.end as usize);
            for (row, cells) in rows.iter().zip(&cells) {
                printer.gap(end, row.span.start as usize, false);
                printer.row(cells, &widths);
                end = printer.trailing(row.span.end as usize);
            }
            end
        });
    }

    fn row(&mut self, cells: &[String], widths: &[usize]) {
        self.indent();
        for (cell, width) in cells.iter().zip(widths) {
            let blanks = width.saturating_sub(cell.width());
            self.out.push_str("| ");
            self.out.push_str(cell);
            self.out.extend(std::iter::repeat_n(' ', blanks + 1));
        }
        self.out.push('|');
    }

    fn column(&mut self, column: &Column) -> String {
        match &column.kind {
            ColumnKind::Test(expr) => self.flat(expr),
            ColumnKind::When => "when".into(),
            ColumnKind::Outcome(None) => "=>".into(),
            ColumnKind::Outcome(Some(name)) => format!("=> {}", name.text),
        }
    }

    /// A cell, or the pattern of an arm.
    pub fn cell(&mut self, cell: &Cell) -> String {
        match cell {
            Cell::Anything => "-".into(),
            Cell::Otherwise => "otherwise".into(),
            Cell::Some => "some".into(),
            Cell::Condition(value) | Cell::Outcome(value) => self.flat(value),
            // Comparisons and `and`, `or` would be read as parts of the test.
            Cell::Value(value) => self.at_least(value, 5).flat(),
            Cell::Compare(operator, value) => format!("{} {}", operator.symbol(), self.at_least(value, 5).flat()),
            Cell::Range(from, to) => format!("{}..{}", self.at_least(from, 7).flat(), self.at_least(to, 7).flat()),
            Cell::Not(inner) => format!("not {}", self.cell(inner)),
            Cell::OneOf(cells) => self.cells(cells, ", "),
            Cell::And(cells) => self.cells(cells, " and "),
            Cell::Or(cells) => self.cells(cells, " or "),
            Cell::Broken => String::new(),
        }
    }

    fn cells(&mut self, cells: &[Cell], between: &str) -> String {
        cells.iter().map(|cell| self.cell(cell)).collect::<Vec<_>>().join(between)
    }
}
