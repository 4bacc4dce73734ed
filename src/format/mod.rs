//! The formatter: one layout for every script.
//!
//! Two blanks a level, 110 columns, tables aligned by the width that characters have on a terminal, at most one
//! blank line in a row. Comments are never lost; formatting twice changes nothing; the tree stays the same.

mod comments;
mod declaration;
mod document;
mod expression;
mod printer;
mod statement;
mod table;
#[cfg(test)]
pub mod tests;

use crate::finding::Finding;
use crate::syntax;
use crate::text::SourceId;
use printer::Printer;

/// Columns that a line should not go beyond.
pub const WIDTH: usize = 110;

/// The script in the one layout, or its syntax errors: a file with errors is not touched.
pub fn format(text: &str) -> Result<String, Vec<Finding>> {
    format_source(SourceId::default(), text)
}

/// Like [`format`], with findings that name the source.
pub fn format_source(source: SourceId, text: &str) -> Result<String, Vec<Finding>> {
    let (script, findings) = syntax::parse(source, text);
    if findings.iter().any(Finding::is_error) {
        return Err(findings);
    }
    Ok(Printer::new(text, script.comments).script(&script.items))
}
