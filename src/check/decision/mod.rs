//! Decision tables and `match`: cells by the type of what they test, outcomes, rows from files.

mod cells;
mod import;
mod table;

use crate::text::Span;

/// What the cells of a column, or the patterns of a `match`, test.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// As the subject of a sentence: ``the column `tier` ``.
    pub title: String,
    /// Where it is written.
    pub span: Span,
}

impl Subject {
    /// What a `match` looks at.
    pub fn of_match(span: Span) -> Subject {
        Subject { title: "what `match` looks at".to_string(), span }
    }

    /// A column of a table.
    pub fn of_column(heading: &str, span: Span) -> Subject {
        Subject { title: format!("the column `{heading}`"), span }
    }
}
