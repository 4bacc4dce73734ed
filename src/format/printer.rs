//! The printer: lines, indentation, blank lines, comments between lines, blocks.

use super::WIDTH;
use super::comments::{Comments, Taken};
use super::document::Document;
use crate::syntax::tree::{Block, Comment, Item, Statement};
use crate::text::Span;
use unicode_width::UnicodeWidthStr;

/// Columns of one level.
pub const LEVEL: usize = 2;
/// Columns by which the head of a block is indented where it goes on, so that it stands apart from the block.
pub const HEAD: usize = 4;

/// Writes a script.
pub struct Printer<'t> {
    /// The source, for literals as they are written and for blank lines.
    pub text: &'t str,
    pub comments: Comments,
    pub out: String,
    pub level: usize,
    /// Brackets that are open in the expression being made; outside of them fewer breaks are allowed.
    pub brackets: usize,
    /// Whether the statement being made is the arm of a `match`.
    pub in_arm: bool,
    /// Columns by which a line that goes on is indented.
    pub continued: usize,
}

impl<'t> Printer<'t> {
    /// A printer for a source and its comments.
    pub fn new(text: &'t str, comments: Vec<Comment>) -> Self {
        Printer {
            text,
            comments: Comments::new(comments),
            out: String::new(),
            level: 0,
            brackets: 0,
            in_arm: false,
            continued: LEVEL,
        }
    }

    /// The whole script.
    pub fn script(mut self, items: &[Item]) -> String {
        let mut end = 0;
        let mut last_was_single = true;
        for item in items {
            let start = item.span.start as usize;
            let before = self.out.len();
            self.gap(end, start, before == 0);
            let lead = self.out.len();
            self.item(item);
            end = self.trailing(item.span.end as usize);
            let single = !self.out[lead..].trim_end().contains('\n');
            self.part_items(before, single && last_was_single);
            last_was_single = single;
        }
        self.gap(end, self.text.len(), self.out.is_empty());
        let length = self.out.trim_end().len();
        self.out.truncate(length);
        if length > 0 {
            self.out.push('\n');
        }
        self.out
    }

    /// Puts a blank line between two declarations, unless both are single lines.
    fn part_items(&mut self, at: usize, close: bool) {
        if at > 0 && !close && !self.out[at..].starts_with('\n') {
            self.out.insert(at, '\n');
        }
    }

    // ── lines ────────────────────────────────────────────────────────────────────────────────

    /// The text under a span, as written.
    pub fn source(&self, span: Span) -> &'t str {
        self.text.get(span.range()).unwrap_or("")
    }

    /// Columns of the indentation.
    pub fn indentation(&self) -> usize {
        self.level * LEVEL
    }

    /// Begins a line.
    pub fn indent(&mut self) {
        let columns = self.indentation();
        self.out.extend(std::iter::repeat_n(' ', columns));
    }

    /// Writes a document where the line stands.
    pub fn write(&mut self, document: &Document) {
        let line = self.out.rfind('\n').map_or(0, |at| at + 1);
        let column = self.out[line..].width();
        let rendered = document.render(self.indentation(), column, WIDTH);
        self.out.push_str(&rendered);
    }

    /// Writes a whole line.
    pub fn line(&mut self, text: &str) {
        self.indent();
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// Ends the line, with a comment that stands behind `end` on the same line of the source; returns where
    /// what was written ends in the source.
    pub fn trailing(&mut self, end: usize) -> usize {
        let line_end = self.text[end.min(self.text.len())..].find('\n').map_or(self.text.len(), |at| end + at);
        let mut last = end;
        // A further one only exists when lines were joined: it gets a line of its own.
        let mut more = Vec::new();
        for (index, comment) in self.comments.take(end, line_end).into_iter().enumerate() {
            last = comment.end;
            if index == 0 {
                self.out.push(' ');
                self.out.push_str(&comment.text);
            } else {
                more.push(comment.text);
            }
        }
        self.out.push('\n');
        more.iter().for_each(|comment| self.line(comment));
        last
    }

    /// Writes the comments between two things, with at most one blank line where the source has some.
    ///
    /// `first` says that nothing stands before it in its block.
    pub fn gap(&mut self, start: usize, end: usize, first: bool) {
        let mut at = start;
        let mut first = first;
        for comment in self.comments.take(start, end) {
            self.blank_line(at, comment.start, first);
            self.line(&comment.text);
            at = comment.end;
            first = false;
        }
        self.blank_line(at, end, first || end == self.text.len());
    }

    fn blank_line(&mut self, start: usize, end: usize, first: bool) {
        let between = self.text.get(start..end).unwrap_or("");
        let has_blank = between.bytes().filter(|byte| *byte == b'\n').count() > 1;
        if has_blank && !first && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// Writes the comments that stand in a line and have found no place in it above the line.
    pub fn hoist(&mut self, start: usize, end: usize) {
        for comment in self.comments.take(start, end) {
            self.line(&comment.text);
        }
    }

    // ── blocks ───────────────────────────────────────────────────────────────────────────────

    /// Writes ` {`, the statements and `}`; the line stands behind the head and is not ended.
    ///
    /// Comments from `from` on belong to the block; an `else` gives those before its `{`.
    pub fn block(&mut self, block: &Block, from: usize) {
        self.braces(block.span, from, |printer, mut end| {
            for (index, statement) in block.statements.iter().enumerate() {
                printer.gap(end, statement.span.start as usize, index == 0 && end <= block.span.start as usize + 1);
                end = printer.statement(statement);
            }
            end
        });
    }

    /// Writes ` {`, what `body` writes and `}`. `body` is told where in the source it begins, and tells where it ends.
    pub fn braces(&mut self, span: Span, from: usize, body: impl FnOnce(&mut Self, usize) -> usize) {
        let (start, close) = (span.start as usize, (span.end as usize).saturating_sub(1));
        let early: Vec<Taken> = self.comments.take(from, start);
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |at| start + at);
        self.out.push_str(" {");
        let behind = self.comments.take(start, line_end.min(close));
        let mut end = start + 1;
        for comment in behind.iter().take(1) {
            self.out.push(' ');
            self.out.push_str(&comment.text);
            end = comment.end;
        }
        self.out.push('\n');
        self.level += 1;
        for comment in early.iter().chain(behind.iter().skip(1)) {
            self.line(&comment.text);
        }
        let length = self.out.len();
        let end = body(self, end);
        self.gap(end, close, self.out.len() == length);
        while self.out.ends_with("\n\n") {
            self.out.pop();
        }
        self.level -= 1;
        self.indent();
        self.out.push('}');
    }

    /// The block on one line, when it was written so, holds one statement at most and nothing in it needs a line.
    pub fn inline_block(&mut self, block: &Block) -> Option<String> {
        let (start, end) = (block.span.start as usize, block.span.end as usize);
        if self.comments.any(start, end) {
            return None;
        }
        if block.statements.is_empty() {
            return Some("{}".into());
        }
        if self.source(block.span).contains('\n') {
            return None;
        }
        match block.statements.as_slice() {
            [statement] => Some(format!("{{ {} }}", self.inline_statement(statement)?)),
            _ => None,
        }
    }

    /// Whether `text` fits behind the indentation of the line.
    pub fn fits(&self, text: &str) -> bool {
        !text.contains('\n') && self.indentation() + text.width() <= WIDTH
    }

    /// Statements of a test; the span is that of the braces.
    pub fn statements_in(&mut self, statements: &[Statement], span: Span, from: usize) {
        let block = Block { statements: statements.to_vec(), span };
        self.block(&block, from);
    }
}
