//! Logical lines: the first look at a text.
//!
//! The scanner knows texts, comments, brackets and which line goes on, and nothing else of the
//! language. It finds where each line begins and ends and which braces open blocks; it keeps the
//! comments aside. It works in one pass, in time linear in the text, and without recursion.

mod brackets;
mod continuation;
mod scanner;
mod text;

pub use scanner::{first_word, scan, starts_declaration, too_deep};
pub use text::{TextEnd, hole_end, line_end, text_end};

use super::tree::Comment;
use crate::finding::Finding;

/// Brackets that may be open at once, texts in texts included: far more than people write, and few
/// enough that everything after the parser can use recursion.
pub const DEEPEST_BRACKETS: usize = 64;
/// The longest logical line in bytes.
pub const LONGEST_LINE: usize = 256 * 1024;

/// A part of a text: a logical line, or a brace of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub kind: PieceKind,
    /// First byte, no blank.
    pub start: usize,
    /// One past the last byte, which is no blank.
    pub end: usize,
}

/// The kinds of pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PieceKind {
    /// Code without the block that it may open.
    Line {
        /// Whether its problem has been reported, so that it needs no parsing.
        broken: bool,
    },
    /// A row of a table, with the offsets of its bars.
    Row {
        /// Where `|` stands outside of brackets and texts.
        bars: Vec<usize>,
        /// Whether its problem has been reported.
        broken: bool,
    },
    /// `{` of a block.
    Open,
    /// `}` of a block.
    Close,
    /// The place where a `}` is missing; empty.
    MissingClose,
}

/// What the scanner found.
#[derive(Debug, Clone, Default)]
pub struct Scanned {
    /// The parts in order.
    pub pieces: Vec<Piece>,
    /// The comments in order.
    pub comments: Vec<Comment>,
    /// What is wrong with texts, brackets and braces.
    pub findings: Vec<Finding>,
    /// Whether a block, bracket or text was still open at the end.
    pub open_at_end: bool,
}
