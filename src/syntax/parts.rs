//! Parts of the language outside of scripts: cells of tables in CSV and Excel files, expressions, lines of the REPL.

use super::blocks::Builder;
use super::grammar::Rule;
use super::lines::{self, starts_declaration};
use super::lower::{ColumnRole, Lower};
use super::tree::{Cell, ColumnKind, Expr, ExprKind, Item, Statement};
use super::{grammar, in_order};
use crate::finding::Finding;
use crate::text::{SourceId, Span};

/// What a line typed into the REPL can be.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant)] // a handful of entries at a time
pub enum ReplEntry {
    /// A declaration.
    Item(Item),
    /// A statement; an expression is one too.
    Statement(Statement),
}

/// What a cell of a table from a file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    /// Tests of the expression in the head of the column.
    Test,
    /// A free condition, below `when`.
    Condition,
    /// A value, below `=> name`.
    Outcome,
}

/// Parses what was typed into the REPL: declarations and statements in any order.
pub fn parse_repl(source: SourceId, text: &str) -> (Vec<ReplEntry>, Vec<Finding>) {
    let scanned = lines::scan(source, text);
    let mut builder = Builder::new(source, text, scanned.pieces, scanned.comments);
    let mut entries = Vec::new();
    while let Some(piece) = builder.next_line() {
        entries.push(if starts_declaration(&text[piece.start..]) {
            ReplEntry::Item(builder.item(piece))
        } else {
            ReplEntry::Statement(builder.statement_of(piece))
        });
    }
    (entries, in_order(builder.finish(scanned.findings).1))
}

/// Whether what was typed so far goes on: a block, bracket or long text is open, or it ends with an operator.
pub fn is_incomplete(text: &str) -> bool {
    lines::scan(SourceId::default(), text).open_at_end
}

/// Parses an expression that stands alone.
pub fn parse_expression(source: SourceId, text: &str) -> (Expr, Vec<Finding>) {
    let (expr, findings) = part(source, text, 0, Rule::outcome_line, |lower, pair| lower.expression(pair));
    let span = Span::new(source, 0, text.len());
    (expr.unwrap_or(Expr { kind: ExprKind::Broken, span }), findings)
}

/// Parses a cell of a table that comes from a file; `offset` is where its text begins in `source`.
pub fn parse_cell(source: SourceId, text: &str, offset: usize, kind: CellKind) -> (Cell, Vec<Finding>) {
    let role = match kind {
        CellKind::Test => ColumnRole::Test,
        CellKind::Condition => ColumnRole::Condition,
        CellKind::Outcome => ColumnRole::Outcome,
    };
    let (cell, findings) = part(source, text, offset, role.rule(), |lower, pair| lower.cell(role, pair));
    (cell.unwrap_or(Cell::Broken), findings)
}

/// Parses the head of a column of a table that comes from a file; none when it can't be read.
pub fn parse_column(source: SourceId, text: &str, offset: usize) -> (Option<ColumnKind>, Vec<Finding>) {
    let (kind, findings) = part(source, text, offset, Rule::column_line, |lower, pair| lower.column(pair));
    (kind.flatten(), findings)
}

/// Reads a text of its own by a rule.
fn part<T>(
    source: SourceId,
    text: &str,
    offset: usize,
    rule: Rule,
    make: impl FnOnce(&mut Lower, grammar::Pair) -> T,
) -> (Option<T>, Vec<Finding>) {
    // The scanner knows what is nested too deeply, and says more of texts and brackets than pest does.
    let scanned = lines::scan(source, text);
    let mut findings = scanned.findings;
    let mut made = None;
    if findings.is_empty() {
        let mut builder = Builder::of_part(source, text, scanned.comments);
        let code = builder.code();
        let lead = code.len() - code.trim_start().len();
        let end = code.trim_end().len().max(lead);
        made = builder.read(rule, lead, end, |lower, pair| {
            lower.offset += offset;
            make(lower, pair)
        });
        // Findings of the lowering are in place already; those of a line that can't be read are not.
        let (found, unread) = (builder.finish(Vec::new()).1, made.is_none());
        findings.extend(if unread { shifted(found, offset) } else { found });
    } else {
        findings = shifted(findings, offset);
    }
    (made, in_order(findings))
}

/// Findings of a part, at their places in the whole.
pub fn shifted(mut findings: Vec<Finding>, by: usize) -> Vec<Finding> {
    let by = u32::try_from(by).unwrap_or(u32::MAX);
    let shift = |span: &mut Span| {
        span.start = span.start.saturating_add(by);
        span.end = span.end.saturating_add(by);
    };
    for finding in &mut findings {
        finding.labels.iter_mut().for_each(|label| shift(&mut label.span));
        finding.fixes.iter_mut().for_each(|fix| shift(&mut fix.span));
    }
    findings
}
