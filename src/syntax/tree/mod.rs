//! The tree of a script: what was written, with the place of every node, nothing resolved.
//!
//! The parser makes it, the formatter prints it, the checker resolves it. Comments are kept aside in
//! [`Script::comments`]; the tree itself holds none but documentation.

mod declaration;
mod expression;
mod statement;
mod table;
mod template;

pub use declaration::*;
pub use expression::*;
pub use statement::*;
pub use table::*;
pub use template::*;

use crate::text::{SourceId, Span};
use ecow::EcoString;

/// One file of the language.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// The source it was read from.
    pub source: SourceId,
    /// The declarations, in the order of the file.
    pub items: Vec<Item>,
    /// All comments in the order of the file, documentation included.
    pub comments: Vec<Comment>,
}

/// A name where it is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    /// The name.
    pub text: EcoString,
    /// Its place.
    pub span: Span,
}

/// A comment: a whole line, or the end of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// The comment with its slashes, without the line break.
    pub text: EcoString,
    /// Its place.
    pub span: Span,
    /// What stands before it on its line, and whether it documents something.
    pub kind: CommentKind,
}

/// Where a comment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentKind {
    /// `// …` on a line of its own.
    OwnLine,
    /// `… // …` behind something.
    Trailing,
    /// `/// …` on a line of its own: documentation of the declaration that follows.
    Documentation,
}
