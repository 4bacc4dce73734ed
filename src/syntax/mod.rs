//! From text to tree: logical lines, pest by the line, blocks by hand, all syntax errors in one pass.
//!
//! Parsing never fails: it gives a tree, in which what could not be read is `Broken`, and findings.

mod blocks;
mod errors;
mod grammar;
mod lines;
mod lower;
mod parts;
mod template;
pub mod tree;

#[cfg(test)]
pub mod tests;

use crate::finding::Finding;
use crate::text::SourceId;
use blocks::Builder;
use tree::Script;

pub use lower::KEYWORDS;
pub use parts::{CellKind, ReplEntry, is_incomplete, parse_cell, parse_column, parse_expression, parse_repl};
pub use template::parse_template;

/// Syntax findings that are reported for one text at most; more would help nobody.
const MOST_FINDINGS: usize = 50;

/// Parses a script. Never fails, never panics, takes time linear in the text.
pub fn parse(source: SourceId, text: &str) -> (Script, Vec<Finding>) {
    let scanned = lines::scan(source, text);
    let mut builder = Builder::new(source, text, scanned.pieces, scanned.comments);
    let items = builder.items();
    let (comments, findings) = builder.finish(scanned.findings);
    (Script { source, items, comments }, in_order(findings))
}

/// Findings in the order of the text, the first of them when there are very many.
fn in_order(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| finding.span().map(|span| (span.start, span.end)));
    findings.dedup();
    findings.truncate(MOST_FINDINGS);
    findings
}
