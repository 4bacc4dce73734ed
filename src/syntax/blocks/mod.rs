//! Blocks, built by hand over the pieces that the scanner found; each line is read by pest.

mod declarations;
mod statements;
mod tables;

use super::MOST_FINDINGS;
use super::errors;
use super::grammar::{self, Pair, Rule};
use super::lines::{Piece, PieceKind, too_deep};
use super::lower::{ColumnRole, Lower};
use super::tree::{Block, Cell, Comment, CommentKind};
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;
use crate::text::{SourceId, Span};
use ecow::EcoString;
use std::borrow::Cow;
use std::ops::Range;

/// Blocks within each other, `else if` included: few enough that everything after the parser can use recursion.
const DEEPEST_BLOCK: usize = 64;

/// Builds the tree of one text.
pub struct Builder<'t> {
    source: SourceId,
    text: &'t str,
    /// The text, with blanks in the place of comments that stand within lines: so no rule has to look for them.
    code: Cow<'t, str>,
    pieces: Vec<Piece>,
    /// The piece that comes next.
    next: usize,
    comments: Vec<Comment>,
    /// The first comment that was not yet looked at for documentation.
    next_comment: usize,
    findings: Vec<Finding>,
    depth: usize,
    /// Bodies whose braces are missing altogether: a `}` that closes nothing there is no news.
    without_braces: Vec<Range<usize>>,
}

impl<'t> Builder<'t> {
    /// A builder for the pieces of a text.
    pub fn new(source: SourceId, text: &'t str, pieces: Vec<Piece>, comments: Vec<Comment>) -> Self {
        Builder {
            source,
            text,
            code: without_inner_comments(text, &pieces, &comments),
            pieces,
            next: 0,
            comments,
            next_comment: 0,
            findings: Vec::new(),
            depth: 0,
            without_braces: Vec::new(),
        }
    }

    /// A builder for a text that is read as a whole, by [`Builder::read`] alone.
    pub fn of_part(source: SourceId, text: &'t str, comments: Vec<Comment>) -> Self {
        let whole = Piece { kind: PieceKind::Line { broken: false }, start: 0, end: text.len() };
        Builder { next: 1, ..Builder::new(source, text, vec![whole], comments) }
    }

    /// The text with blanks in the place of comments that stand within lines.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What was found, with what the scanner has found and the comments given back.
    pub fn finish(mut self, scanned: Vec<Finding>) -> (Vec<Comment>, Vec<Finding>) {
        let mut excused = std::mem::take(&mut self.without_braces).into_iter().peekable();
        for finding in scanned {
            let start = finding.span().map_or(0, |span| span.start as usize);
            while excused.next_if(|range| range.end <= start).is_some() {}
            let is_stray = finding.code == &codes::BRACES && self.text.as_bytes().get(start) == Some(&b'}');
            if is_stray && excused.next_if(|range| range.contains(&start)).is_some() {
                continue;
            }
            self.findings.push(finding);
        }
        (self.comments, self.findings)
    }

    // ── pieces ───────────────────────────────────────────────────────────────────────────────

    fn peek(&self) -> Option<&Piece> {
        self.pieces.get(self.next)
    }

    fn advance(&mut self) -> Option<Piece> {
        let piece = self.pieces.get(self.next).cloned();
        self.next += usize::from(piece.is_some());
        piece
    }

    fn at_open(&self) -> bool {
        self.peek().is_some_and(|piece| piece.kind == PieceKind::Open)
    }

    /// The end of the piece before this one; where a thing that was just read ends.
    fn previous_end(&self) -> usize {
        self.next.checked_sub(1).and_then(|index| self.pieces.get(index)).map_or(0, |piece| piece.end)
    }

    fn slice(&self, start: usize, end: usize) -> &'t str {
        self.text.get(start..end).unwrap_or("")
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, start, end)
    }

    /// Beyond the findings that are shown none is kept.
    fn report(&mut self, finding: Finding) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(finding);
        }
    }

    /// Says what to do about the last finding, when it does not say so itself.
    pub fn add_help(&mut self, help: &str) {
        if let Some(last) = self.findings.last_mut() {
            last.help.get_or_insert_with(|| help.to_owned());
        }
    }

    /// The next line outside of all blocks; blocks that stand alone are reported and skipped.
    pub fn next_line(&mut self) -> Option<Piece> {
        loop {
            let piece = self.advance()?;
            match piece.kind {
                PieceKind::Open => {
                    self.next -= 1;
                    self.stray_block();
                }
                PieceKind::Close | PieceKind::MissingClose => {}
                _ => return Some(piece),
            }
        }
    }

    // ── lines ────────────────────────────────────────────────────────────────────────────────

    /// Reads a part of the text by a rule and makes something of its first pair; reports what can't be read.
    pub fn read<T>(
        &mut self,
        rule: Rule,
        start: usize,
        end: usize,
        make: impl FnOnce(&mut Lower, Pair) -> T,
    ) -> Option<T> {
        let code = self.code.get(start..end).unwrap_or("");
        match grammar::parse(rule, code) {
            Ok(mut pairs) => {
                let pair = pairs.next()?;
                let mut lower = Lower { source: self.source, offset: start, findings: &mut self.findings };
                Some(make(&mut lower, pair))
            }
            // Explaining a line costs more than reading it.
            Err(_) if self.findings.len() >= MOST_FINDINGS => None,
            Err(_) => {
                let opens = self.at_open();
                let finding = errors::explain(self.source, &self.code, start..end, rule, opens);
                self.report(finding);
                None
            }
        }
    }

    /// The cell in a part of the text, when it needs no grammar.
    pub fn plain_cell(&mut self, role: ColumnRole, range: Range<usize>) -> Option<Cell> {
        let code = self.code.get(range.clone())?;
        let mut lower = Lower { source: self.source, offset: range.start, findings: &mut self.findings };
        lower.plain_cell(role, code)
    }

    // ── blocks ───────────────────────────────────────────────────────────────────────────────

    /// Reads what stands between the braces that come next, with `line` for every line.
    ///
    /// Returns the place from `{` to `}`, or none when no `{` comes next.
    fn braces(&mut self, mut line: impl FnMut(&mut Self, Piece)) -> Option<Span> {
        if !self.at_open() {
            return None;
        }
        let open = self.advance()?;
        if self.depth >= DEEPEST_BLOCK {
            return Some(self.skip_deep_block(&open));
        }
        self.depth += 1;
        let mut end = open.end;
        while let Some(piece) = self.advance() {
            match piece.kind {
                PieceKind::Close | PieceKind::MissingClose => {
                    end = piece.end;
                    break;
                }
                PieceKind::Open => {
                    self.next -= 1;
                    self.stray_block();
                }
                _ => line(self, piece),
            }
            end = self.previous_end();
        }
        self.depth -= 1;
        Some(self.span(open.start, end.max(open.end)))
    }

    fn skip_deep_block(&mut self, open: &Piece) -> Span {
        let finding = too_deep(self.span(open.start, open.end));
        self.report(finding);
        let end = self.skip_block();
        self.span(open.start, end.max(open.end))
    }

    /// Skips to the end of the block whose `{` was just read.
    fn skip_block(&mut self) -> usize {
        let mut open = 1;
        while let Some(piece) = self.advance() {
            match piece.kind {
                PieceKind::Open => open += 1,
                PieceKind::Close | PieceKind::MissingClose => open -= 1,
                _ => {}
            }
            if open == 0 {
                break;
            }
        }
        self.previous_end()
    }

    /// A block of statements, or none when no `{` comes next.
    fn block(&mut self) -> Option<Block> {
        let mut statements = Vec::new();
        let span = self.braces(|builder, piece| statements.push(builder.statement_of(piece)))?;
        Some(Block { statements, span })
    }

    /// A block that no line has opened: reported, and read for what is wrong in it.
    fn stray_block(&mut self) {
        if let Some(open) = self.peek().cloned() {
            let span = self.span(open.start, open.end);
            self.report(
                Finding::new(&codes::BLOCK, span, "a block can't stand alone")
                    .at("nothing opens this block")
                    .help("a block follows `if`, `for`, `step` and the like; take the braces away"),
            );
        }
        self.block();
    }

    /// Reports that the line that was just read needs a block.
    fn missing_block(&mut self, start: usize, end: usize, what: &str) {
        let last = self.slice(start, end).char_indices().last().map_or(start, |(at, _)| start + at);
        let head = self.slice(start, end).split(['\n', ' ']).next().unwrap_or("").to_owned();
        let span = self.span(last, end);
        self.report(
            Finding::new(&codes::BLOCK, span, format!("{what} is missing"))
                .at(format!("`{{` is expected after this, the block of `{head}`"))
                .help("open the block with `{` at the end of the line and close it with `}`"),
        );
    }

    // ── documentation ────────────────────────────────────────────────────────────────────────

    /// The lines of `///` between `after` and `before`, without slashes.
    fn documentation(&mut self, after: usize, before: usize) -> EcoString {
        let mut lines: Vec<&str> = Vec::new();
        while let Some(comment) = self.comments.get(self.next_comment) {
            if comment.span.start as usize >= before {
                break;
            }
            if comment.kind == CommentKind::Documentation && comment.span.start as usize >= after {
                let text = comment.text.trim_start_matches('/');
                lines.push(text.strip_prefix(' ').unwrap_or(text));
            }
            self.next_comment += 1;
        }
        lines.join("\n").into()
    }
}

/// The text with a blank for every byte of a comment that stands within a piece, as in a call over several lines.
fn without_inner_comments<'t>(text: &'t str, pieces: &[Piece], comments: &[Comment]) -> Cow<'t, str> {
    let mut pieces = pieces.iter().peekable();
    let mut inner = comments.iter().map(|comment| comment.span.range()).filter(|place| {
        while pieces.next_if(|piece| piece.end <= place.start).is_some() {}
        pieces.peek().is_some_and(|piece| piece.start <= place.start)
    });
    let Some(first) = inner.next() else { return Cow::Borrowed(text) };
    let mut code = String::with_capacity(text.len());
    for place in std::iter::once(first).chain(inner) {
        code.push_str(&text[code.len()..place.start]);
        code.extend(std::iter::repeat_n(' ', place.len()));
    }
    code.push_str(&text[code.len()..]);
    Cow::Owned(code)
}
