//! From what pest found in a line to the tree.
//!
//! Nothing here fails: what can't be made sense of becomes a `Broken` node and a finding.

mod cell;
mod declaration;
mod expression;
mod kind;
mod literal;
mod operators;
mod plain_cell;
mod statement;
mod text;

pub use cell::ColumnRole;
pub use statement::ModifierHead;

use super::grammar::{Pair, Rule};
use super::tree::Name;
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;
use crate::text::{SourceId, Span};

/// Words that can't name a value: they begin a statement or are part of an expression.
pub const KEYWORDS: &[&str] = &[
    "and",
    "else",
    "fail",
    "false",
    "for",
    "give",
    "go",
    "if",
    "in",
    "is",
    "it",
    "let",
    "match",
    "none",
    "not",
    "or",
    "otherwise",
    "return",
    "run",
    "some",
    "start",
    "step",
    "stop",
    "then",
    "true",
    "var",
];

/// Makes tree nodes of the pairs of one line.
pub struct Lower<'f> {
    /// The source of the line.
    pub source: SourceId,
    /// Where the line begins in its source, in bytes.
    pub offset: usize,
    /// Takes what is wrong.
    pub findings: &'f mut Vec<Finding>,
}

impl Lower<'_> {
    /// The place of a pair in its source.
    pub fn span(&self, pair: &Pair) -> Span {
        let span = pair.as_span();
        Span::new(self.source, self.offset + span.start(), self.offset + span.end())
    }

    /// A name that must not be a keyword.
    pub fn name(&mut self, pair: &Pair) -> Name {
        self.name_at(pair.as_str(), self.span(pair))
    }

    /// A name that must not be a keyword, by how it is written and where.
    pub fn name_at(&mut self, written: &str, span: Span) -> Name {
        if KEYWORDS.contains(&written) {
            self.keyword(written, span);
        }
        Name { text: written.into(), span }
    }

    /// Reports a keyword in the place of a name.
    pub fn keyword(&mut self, word: &str, span: Span) {
        self.findings.push(
            Finding::new(&codes::KEYWORD, span, format!("`{word}` is a keyword and can't be a name"))
                .at("a name is expected here")
                .help(format!("choose another name, `{word}_` or better a word that says more")),
        );
    }

    /// A name that may be a keyword, because it always stands behind a dot or before a colon.
    pub fn free_name(&self, pair: &Pair) -> Name {
        Name { text: pair.as_str().into(), span: self.span(pair) }
    }

    /// The names of a list of names.
    pub fn names(&mut self, pair: Pair) -> Vec<Name> {
        pair.into_inner().filter(|inner| inner.as_rule() == Rule::name).map(|inner| self.name(&inner)).collect()
    }

    /// A name for a place where the line has none; never used for lines that pest has read.
    pub fn no_name(&self) -> Name {
        Name { text: "".into(), span: Span::new(self.source, self.offset, self.offset) }
    }
}

/// The first pair below `pair` with this rule.
pub fn child<'i>(pair: &Pair<'i>, rule: Rule) -> Option<Pair<'i>> {
    pair.clone().into_inner().find(|inner| inner.as_rule() == rule)
}
