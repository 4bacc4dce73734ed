//! What to say about a line that can't be read.

use super::grammar::{self, Rule};
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;
use crate::text::{SourceId, Span};
use std::ops::Range;

/// The finding for the line in `range`, which `rule` could not read.
pub fn explain(source: SourceId, text: &str, range: Range<usize>, rule: Rule) -> Finding {
    let line = text.get(range.clone()).unwrap_or("");
    let at = match grammar::parse(rule, line) {
        Err(error) => match error.location {
            pest::error::InputLocation::Pos(at) => at,
            pest::error::InputLocation::Span((at, _)) => at,
        },
        Ok(_) => 0,
    };
    let start = range.start + at;
    let end = text[start..].chars().next().map_or(start, |c| start + c.len_utf8());
    Finding::new(&codes::UNEXPECTED, Span::new(source, start, end.max(start)), "something else is expected here")
}

/// The finding for a line outside of all blocks that begins no declaration.
pub fn unknown_declaration(source: SourceId, _text: &str, range: Range<usize>, _opens: bool) -> Finding {
    Finding::new(&codes::PLACE, Span::new(source, range.start, range.end), "no declaration begins like this")
}
