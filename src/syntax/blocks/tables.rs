//! Decision tables: a head and rows between bars.

use super::Builder;
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;
use crate::syntax::grammar::Rule;
use crate::syntax::lines::{Piece, PieceKind};
use crate::syntax::lower::ColumnRole;
use crate::syntax::tree::{Cell, Column, ColumnKind, Expr, ExprKind, TableCell, TableRow};
use crate::text::Span;
use std::ops::Range;

/// What may stand around the content of a cell.
const BLANKS: [char; 3] = [' ', '\t', '\r'];

impl Builder<'_> {
    /// The table whose `{` comes next: columns, rows, and the place from `{` to `}`.
    pub fn table(&mut self) -> (Vec<Column>, Vec<TableRow>, Span) {
        let mut columns: Option<Vec<Column>> = None;
        let mut rows = Vec::new();
        let open = self.peek().map_or(0, |piece| piece.start);
        let span = self.braces(|builder, piece| {
            let PieceKind::Row { bars, broken } = &piece.kind else {
                if !builder.is_broken(&piece) {
                    builder.not_a_row(&piece);
                }
                return;
            };
            match &columns {
                None => {
                    let ranges = builder.cells_of(&piece, bars);
                    columns = Some(ranges.into_iter().map(|range| builder.column(range, *broken)).collect());
                }
                Some(_) if *broken => {}
                Some(columns) => rows.extend(builder.row(&piece, bars, columns)),
            }
        });
        let span = span.unwrap_or(self.span(open, open));
        if columns.as_ref().is_none_or(Vec::is_empty) {
            let place = Span { end: span.start + 1, ..span };
            self.report(
                Finding::new(&codes::TABLE, place, "this table has no head")
                    .at("a line with the columns is expected after this")
                    .help("write for example `| tier | => discount |`, then a row a line"),
            );
        }
        (columns.unwrap_or_default(), rows, span)
    }

    fn not_a_row(&mut self, piece: &Piece) {
        let span = self.span(piece.start, piece.end);
        self.report(
            Finding::new(&codes::TABLE, span, "this is no row of a table")
                .at("a row begins and ends with `|`")
                .help("write for example `| gold | 15% |`"),
        );
    }

    /// The places of the cells between the bars, without blanks; reports a missing bar at either end.
    fn cells_of(&mut self, piece: &Piece, bars: &[usize]) -> Vec<Range<usize>> {
        let mut edges = bars.to_vec();
        if edges.first() != Some(&piece.start) {
            let span = self.character(piece.start);
            self.report(
                Finding::new(&codes::TABLE, span, "a row begins with `|`")
                    .at("`|` is missing before this")
                    .fix(Span { end: span.start, ..span }, "| "),
            );
            edges.insert(0, piece.start.saturating_sub(1));
        }
        if edges.last().is_some_and(|last| last + 1 != piece.end) {
            let span = self.last_character(piece.start, piece.end);
            self.report(
                Finding::new(&codes::TABLE, span, "a row ends with `|`")
                    .at("`|` is missing after this")
                    .fix(span.after(), " |"),
            );
            edges.push(piece.end);
        }
        edges.windows(2).map(|pair| self.trimmed(pair[0] + 1, pair[1])).collect()
    }

    /// The range without blanks around it; an empty one keeps its beginning, behind one blank.
    fn trimmed(&self, start: usize, end: usize) -> Range<usize> {
        let slice = self.slice(start, end);
        let content = slice.trim_matches(BLANKS);
        if content.is_empty() {
            let middle = (start + slice.len() / 2).min(end);
            return middle..middle;
        }
        let lead = slice.len() - slice.trim_start_matches(BLANKS).len();
        start + lead..start + lead + content.len()
    }

    /// The empty cell at this place, with a character on either side, so that there is something to show.
    fn around(&self, at: usize) -> Span {
        let after = self.character(at);
        let before = self.text[..at].chars().next_back().map_or(0, char::len_utf8);
        self.span(at - before, after.end as usize)
    }

    fn character(&self, at: usize) -> Span {
        let length = self.text[at..].chars().next().map_or(0, char::len_utf8);
        self.span(at, at + length)
    }

    fn last_character(&self, start: usize, end: usize) -> Span {
        let length = self.slice(start, end).chars().next_back().map_or(0, char::len_utf8);
        self.span(end - length, end)
    }

    fn column(&mut self, range: Range<usize>, broken: bool) -> Column {
        let span = self.span(range.start, range.end);
        let unread = ColumnKind::Test(Expr { kind: ExprKind::Broken, span });
        if range.is_empty() {
            let bar = self.around(range.start);
            self.report(
                Finding::new(&codes::TABLE, bar, "this column has no head")
                    .at("nothing stands here")
                    .help("write what the cells below are tests of, `when`, or `=> name` for an outcome"),
            );
            return Column { kind: unread, span };
        }
        if broken {
            return Column { kind: unread, span };
        }
        let kind = self.read(Rule::column_line, range.start, range.end, |lower, pair| lower.column(pair));
        Column { kind: kind.flatten().unwrap_or(unread), span }
    }

    fn row(&mut self, piece: &Piece, bars: &[usize], columns: &[Column]) -> Option<TableRow> {
        let ranges = self.cells_of(piece, bars);
        if self.is_rule_below_head(&ranges) {
            let span = self.span(piece.start, piece.end);
            self.report(
                Finding::new(&codes::TABLE, span, "a table has no line between its head and its rows")
                    .at("not needed")
                    .help("take the line away; `-` in a cell means anything")
                    .fix(span, ""),
            );
            return None;
        }
        if ranges.len() != columns.len() {
            self.wrong_count(piece, &ranges, columns);
            return None;
        }
        let cells = ranges.into_iter().zip(columns).map(|(range, column)| self.cell(range, column)).collect();
        Some(TableRow { cells, span: self.span(piece.start, piece.end) })
    }

    /// Whether the row is the line of dashes that a Markdown table has.
    fn is_rule_below_head(&self, ranges: &[Range<usize>]) -> bool {
        let is_rule = |range: &Range<usize>| {
            let cell = self.slice(range.start, range.end).trim_matches(':');
            cell.len() > 1 && cell.bytes().all(|byte| byte == b'-')
        };
        !ranges.is_empty() && ranges.iter().all(is_rule)
    }

    fn wrong_count(&mut self, piece: &Piece, ranges: &[Range<usize>], columns: &[Column]) {
        let (found, wanted) = (ranges.len(), columns.len());
        let span = match ranges.get(wanted) {
            Some(first_extra) => self.span(first_extra.start, ranges.last().map_or(piece.end, |last| last.end)),
            None => self.last_character(piece.start, piece.end),
        };
        let plural = |count: usize| if count == 1 { "1 cell".to_owned() } else { format!("{count} cells") };
        let finding = Finding::new(
            &codes::TABLE,
            span,
            format!("this row has {}, and the head of the table has {wanted}", plural(found)),
        );
        let head = columns.iter().map(|column| column.span).reduce(Span::to);
        let finding = match head {
            Some(head) => finding.label(head, format!("{wanted} columns")),
            None => finding,
        };
        self.report(if found > wanted {
            finding.at("too many").help("take a cell away, or give the head a column more")
        } else {
            let missing =
                columns.get(found).map(|column| self.text[column.span.range()].to_owned()).unwrap_or_default();
            finding
                .at(format!("the cell for `{missing}` is missing"))
                .help("write a cell for each column; `-` means anything")
        });
    }

    fn cell(&mut self, range: Range<usize>, column: &Column) -> TableCell {
        let span = self.span(range.start, range.end);
        if range.is_empty() {
            let shown = self.around(range.start);
            let head = self.text[column.span.range()].to_owned();
            let help = match ColumnRole::of(&column.kind) {
                ColumnRole::Outcome => "write the outcome, or `none`",
                _ => "write `-` for anything",
            };
            self.report(
                Finding::new(&codes::TABLE, shown, format!("this cell of `{head}` is empty"))
                    .at("nothing stands here")
                    .help(help),
            );
            return TableCell { cell: Cell::Broken, span };
        }
        let role = ColumnRole::of(&column.kind);
        let cell = self.plain_cell(role, range.clone());
        let cell =
            cell.or_else(|| self.read(role.rule(), range.start, range.end, |lower, pair| lower.cell(role, pair)));
        TableCell { cell: cell.unwrap_or(Cell::Broken), span }
    }
}
