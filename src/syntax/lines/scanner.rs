//! The scanner itself.

use super::brackets::{Bracket, OpenBlock, starts_statement};
use super::continuation::continues;
use super::text::line_end;
use super::{DEEPEST_BRACKETS, LONGEST_LINE, Piece, PieceKind, Scanned, TextEnd, text_end};
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;
use crate::syntax::MOST_FINDINGS;
use crate::syntax::tree::{Comment, CommentKind};
use crate::text::{SourceId, Span};

/// Finds the logical lines, blocks and comments of a text.
///
/// When braces don't pair up, the text is read a second time with indentation as a hint; what
/// explains more is kept.
pub fn scan(source: SourceId, text: &str) -> Scanned {
    let plain = Scanner::new(source, text, false).scan();
    if !plain.pieces.iter().any(|piece| piece.kind == PieceKind::MissingClose) {
        return plain;
    }
    let by_indentation = Scanner::new(source, text, true).scan();
    if by_indentation.findings.len() <= plain.findings.len() {
        Scanned { open_at_end: plain.open_at_end, ..by_indentation }
    } else {
        plain
    }
}

/// What kind of block the scanner is in, as far as it changes how lines are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// Outside of all blocks.
    Outside,
    /// Statements, fields, members, clauses.
    Block,
    /// The arms of a `match`, whose patterns may begin with an operator.
    Arms,
    /// The rows of a table.
    Table,
}

/// What stood last, as far as it decides what a `{` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    /// A comma, `return` …: a map may follow.
    MapMayFollow,
    /// An operator or `=`: a map may follow, and the line is not complete.
    Operator,
    /// `=>`
    Arrow,
    /// `then` or `else`
    Branch,
    /// Anything else.
    Value,
}

/// The line that is being read.
struct Line {
    start: usize,
    end: usize,
    /// The first byte, or the first byte behind the `=>` of an arm.
    statement: usize,
    last: Last,
    bars: Vec<usize>,
    broken: bool,
    /// How many values of `if` and functions of arguments it holds.
    branches: usize,
}

pub(super) struct Scanner<'t> {
    pub(super) source: SourceId,
    pub(super) text: &'t str,
    pub(super) bytes: &'t [u8],
    pub(super) at: usize,
    pub(super) brackets: Vec<Bracket>,
    pub(super) blocks: Vec<OpenBlock>,
    pub(super) by_indentation: bool,
    pub(super) out: Scanned,
    line: Option<Line>,
    /// The line goes on at least to here.
    pub(super) goes_on_to: usize,
    /// Where the physical line begins.
    pub(super) line_start: usize,
    /// A text has swallowed the rest, so that nothing more is known of blocks.
    pub(super) quiet_end: bool,
}

impl<'t> Scanner<'t> {
    fn new(source: SourceId, text: &'t str, by_indentation: bool) -> Self {
        Scanner {
            source,
            text,
            bytes: text.as_bytes(),
            at: if text.starts_with('\u{feff}') { 3 } else { 0 },
            brackets: Vec::new(),
            blocks: Vec::new(),
            by_indentation,
            out: Scanned::default(),
            line: None,
            goes_on_to: 0,
            line_start: 0,
            quiet_end: false,
        }
    }

    fn scan(mut self) -> Scanned {
        while let Some(byte) = self.bytes.get(self.at).copied() {
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' => self.line_break(),
                b'/' if self.next_is(b'/') => self.comment(),
                b'/' if self.next_is(b'*') => self.foreign_comment(),
                b'#' if !self.in_line() || self.at > 0 && self.bytes[self.at - 1].is_ascii_whitespace() => {
                    self.hash_comment()
                }
                b'"' => self.text_literal(),
                b'(' | b'[' => self.open_bracket(byte),
                b'{' => self.open_brace(),
                b')' | b']' => self.close_bracket(byte),
                b'}' => self.close_brace(),
                b'|' if self.brackets.is_empty() && self.context() == Context::Table => self.bar(),
                b';' if self.brackets.is_empty() && self.context() != Context::Table => self.semicolon(),
                b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => self.word_or_other(),
                b'\'' => self.single_quotes(),
                _ => self.operator(byte),
            }
        }
        self.finish_text();
        self.out
    }

    // ── lines ────────────────────────────────────────────────────────────────────────────────

    pub(super) fn in_line(&self) -> bool {
        self.line.is_some()
    }

    pub(super) fn context(&self) -> Context {
        self.blocks.last().map_or(Context::Outside, |block| block.context)
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, start, end)
    }

    /// Beyond the findings that are shown none is kept.
    pub(super) fn report(&mut self, finding: Finding) {
        if self.out.findings.len() < MOST_FINDINGS {
            self.out.findings.push(finding);
        }
    }

    /// Whether only blanks and a comment stand behind `at` on its line.
    fn line_ends_after(&self, at: usize) -> bool {
        let blanks = self.bytes[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
        let rest = &self.bytes[at + blanks..];
        rest.is_empty() || rest.starts_with(b"\n") || rest.starts_with(b"//")
    }

    /// Takes the bytes up to `end` into the line.
    fn take(&mut self, end: usize, last: Last) {
        let start = self.at;
        if self.line.is_none() {
            self.begin_line();
        }
        let line = self.line.get_or_insert(Line {
            start,
            end,
            statement: start,
            last,
            bars: Vec::new(),
            broken: false,
            branches: 0,
        });
        if line.last == Last::Arrow && self.brackets.is_empty() {
            line.statement = start;
        }
        line.end = end;
        line.last = last;
        self.at = end;
    }

    /// Marks the line as one whose problem has been reported.
    pub(super) fn break_line(&mut self) {
        if let Some(line) = &mut self.line {
            line.broken = true;
        }
    }

    pub(super) fn line_text(&self) -> &'t str {
        self.line.as_ref().and_then(|line| self.text.get(line.start..line.end)).unwrap_or("")
    }

    /// The statement of the line: all of it, or what stands behind the `=>` of an arm.
    pub(super) fn statement_text(&self) -> &'t str {
        self.line.as_ref().and_then(|line| self.text.get(line.statement..line.end)).unwrap_or("")
    }

    pub(super) fn line_place(&self) -> Option<(usize, usize)> {
        self.line.as_ref().map(|line| (line.start, line.end))
    }

    /// Cuts the end of the line back, before the line is finished early.
    pub(super) fn cut_line(&mut self, end: usize) {
        if let Some(line) = &mut self.line {
            line.end = end.max(line.start);
        }
    }

    pub(super) fn finish_line(&mut self) {
        let Some(mut line) = self.line.take() else { return };
        if line.end - line.start > LONGEST_LINE && !line.broken {
            let span = self.span(line.start, (line.start + 40).min(line.end));
            self.report(
                Finding::new(&codes::TOO_LONG, span, "this line is too long")
                    .at(format!("goes on for {} bytes", line.end - line.start))
                    .help("split it, or keep the data in a file that the script reads"),
            );
            line.broken = true;
        }
        if line.branches > DEEPEST_BRACKETS && !line.broken {
            let span = self.span(line.start, (line.start + 40).min(line.end));
            self.report(too_deep(span));
            line.broken = true;
        }
        let kind = if self.context() == Context::Table && !line.bars.is_empty() {
            PieceKind::Row { bars: line.bars, broken: line.broken }
        } else {
            PieceKind::Line { broken: line.broken }
        };
        self.out.pieces.push(Piece { kind, start: line.start, end: line.end });
    }

    fn line_break(&mut self) {
        let brk = self.at;
        if !self.brackets.is_empty() {
            if self.goes_on_to <= brk && self.unclosed_before_next_line() {
                return;
            }
        } else if self.in_line() && brk >= self.goes_on_to {
            let next = self.next_code(brk);
            let rest = &self.text[next..];
            let goes_on = !rest.is_empty()
                && self.line_text().len() <= LONGEST_LINE
                && self.context() != Context::Table
                && (self.is_incomplete_before(rest) || continues(self.line_text(), rest, self.context()));
            if goes_on {
                self.goes_on_to = next;
            } else {
                self.finish_line();
            }
        }
        self.at = brk + 1;
        self.line_start = self.at;
    }

    /// Whether the line ends with an operator and the next one, `rest`, can be its right side.
    fn is_incomplete_before(&self, rest: &str) -> bool {
        self.line.as_ref().is_some_and(|line| line.last == Last::Operator)
            && !rest.starts_with('}')
            && !starts_statement(rest)
            && !starts_declaration(rest)
    }

    /// The offset of the next thing that is neither blank nor comment.
    pub(super) fn next_code(&self, from: usize) -> usize {
        let mut at = from;
        loop {
            match self.bytes.get(at) {
                Some(b' ' | b'\t' | b'\r' | b'\n') => at += 1,
                Some(b'/') if self.bytes.get(at + 1) == Some(&b'/') => at = line_end(self.bytes, at),
                _ => return at,
            }
        }
    }

    // ── comments ─────────────────────────────────────────────────────────────────────────────

    fn next_is(&self, byte: u8) -> bool {
        self.bytes.get(self.at + 1) == Some(&byte)
    }

    fn comment(&mut self) {
        let end = line_end(self.bytes, self.at);
        let text = self.text[self.at..end].trim_end();
        let own_line = self.text[self.line_start..self.at].trim_start_matches('\u{feff}').trim().is_empty();
        let kind = match own_line {
            true if text.starts_with("///") && !text.starts_with("////") && !self.in_line() => {
                CommentKind::Documentation
            }
            true => CommentKind::OwnLine,
            false => CommentKind::Trailing,
        };
        let span = self.span(self.at, self.at + text.len());
        self.out.comments.push(Comment { text: text.into(), span, kind });
        self.at = end;
    }

    /// `# …`: understood as a comment, reported, and skipped.
    fn hash_comment(&mut self) {
        let end = line_end(self.bytes, self.at);
        let shown = self.at + self.text[self.at..end].trim_end().len();
        let span = self.span(self.at, shown);
        self.report(
            Finding::new(&codes::COMMENT, span, "a comment begins with `//`")
                .at("not understood")
                .help("write `//` in place of `#`")
                .fix(self.span(self.at, self.at + 1), "//"),
        );
        self.at = end;
    }

    /// `/* … */`: understood as a comment, reported, and skipped.
    fn foreign_comment(&mut self) {
        let start = self.at;
        let rest = &self.text[start + 2..];
        let close = rest.find("*/").map(|found| start + 2 + found + 2);
        let end = close.unwrap_or_else(|| line_end(self.bytes, start));
        let text = &self.text[start..end];
        let shown = text.find(['\r', '\n']).unwrap_or(text.len());
        let mut finding = Finding::new(&codes::COMMENT, self.span(start, start + shown), "a comment begins with `//`")
            .at("not understood")
            .help("write `//` before each line of the comment; a comment goes to the end of its line");
        if shown == text.len() && text.ends_with("*/") && self.line_ends_after(end) {
            let inner = text[2..text.len().saturating_sub(2).max(2)].trim();
            finding = finding.fix(self.span(start, end), format!("// {inner}"));
        }
        self.report(finding);
        if let Some(last) = text.rfind('\n') {
            self.line_start = start + last + 1;
        }
        self.at = end;
    }

    // ── texts ────────────────────────────────────────────────────────────────────────────────

    fn text_literal(&mut self) {
        let start = self.at;
        match text_end(self.bytes, start) {
            TextEnd::Closed(end) => self.take(end.min(self.bytes.len()), Last::Value),
            TextEnd::OpenHole { hole, end } => {
                self.take(end, Last::Value);
                self.break_line();
                let finding =
                    Finding::new(&codes::TEXT, self.span(hole, hole + 1), "this `{` in a text is never closed")
                        .at("begins a value")
                        .help("close the value with `}`; for the brace itself write `\\{`");
                self.report(finding);
            }
            TextEnd::Unclosed(end) => self.unclosed_text(start, end),
            TextEnd::TooDeep(at) => {
                let end = line_end(self.bytes, at);
                self.take(end, Last::Value);
                self.break_line();
                let finding = too_deep(self.span(at, at + 1));
                self.report(finding);
            }
        }
    }

    /// The rest of the line belongs to the text, but for a `{` at its end, which opened a block.
    fn unclosed_text(&mut self, start: usize, end: usize) {
        let long = self.bytes[start..].starts_with(b"\"\"\"");
        let literal = self.text[start..end].trim_end();
        let quotes = if long { 3 } else { 1 };
        self.out.open_at_end |= long;
        self.quiet_end |= long;
        let span = self.span(start, start + quotes);
        let finding = Finding::new(&codes::TEXT, span, "this text is never closed").at("begins here");
        self.report(if long {
            finding.help("close it with `\"\"\"` on a line of its own")
        } else {
            finding.help("close it with `\"` on the same line; a text of several lines stands between `\"\"\"`")
        });
        let opens_block = !long && literal.len() > 1 && literal.ends_with('{');
        let taken = if opens_block { literal[..literal.len() - 1].trim_end().len() } else { literal.len() };
        self.take(start + taken.max(1), Last::Value);
        self.break_line();
        self.brackets.clear();
        if opens_block {
            self.at = start + literal.len() - 1;
            self.open_block();
        } else {
            self.at = if long { end } else { start + literal.len() };
            self.finish_line();
        }
    }

    /// `'…'`: understood as a text and reported.
    fn single_quotes(&mut self) {
        let found = self.bytes[self.at + 1..].iter().position(|byte| matches!(byte, b'\'' | b'\n'));
        match found.map(|length| self.at + 1 + length).filter(|close| self.bytes[*close] == b'\'') {
            Some(close) => self.quotes_of_another_kind(close, close + 1, "'"),
            None => self.take(self.at + 1, Last::Value),
        }
    }

    fn quotes_of_another_kind(&mut self, close: usize, end: usize, quote: &str) {
        let start = self.at;
        let open_width = self.text[start..].chars().next().map_or(1, char::len_utf8);
        let inner = &self.text[start + open_width..close];
        let mut finding =
            Finding::new(&codes::QUOTES, self.span(start, end), "a text stands between straight double quotes")
                .at(format!("written with `{quote}`"))
                .help(format!("write \"{inner}\""));
        if !inner.contains(['"', '\\']) {
            finding = finding.fix(self.span(start, end), format!("\"{inner}\""));
        }
        self.report(finding);
        self.take(end, Last::Value);
        self.break_line();
    }

    // ── words and signs ──────────────────────────────────────────────────────────────────────

    fn word_or_other(&mut self) {
        let rest = &self.text[self.at..];
        let word = first_word(rest);
        if word.is_empty() {
            let length = match rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count() {
                0 => return self.foreign_character(rest),
                length => length,
            };
            return self.take(self.at + length, Last::Value);
        }
        let last = match word {
            "and" | "or" | "in" => Last::Operator,
            "return" | "give" | "with" | "not" => Last::MapMayFollow,
            "then" | "else" => Last::Branch,
            _ => Last::Value,
        };
        self.take(self.at + word.len(), last);
        if last == Last::Branch
            && let Some(line) = &mut self.line
        {
            line.branches += 1;
        }
    }

    fn foreign_character(&mut self, rest: &str) {
        let Some(character) = rest.chars().next() else { return };
        if matches!(character, '“' | '”' | '„' | '«' | '»' | '‘' | '’') {
            let body = self.at + character.len_utf8();
            let closes = |c: char| matches!(c, '“' | '”' | '"' | '«' | '»' | '‘' | '’');
            let found = self.text[body..].char_indices().find(|(_, c)| closes(*c) || *c == '\n');
            if let Some((found, close)) = found.filter(|(_, c)| *c != '\n') {
                let close_at = body + found;
                return self.quotes_of_another_kind(close_at, close_at + close.len_utf8(), &character.to_string());
            }
        }
        self.take(self.at + character.len_utf8(), Last::Value);
    }

    fn operator(&mut self, byte: u8) {
        let arrow = byte == b'=' && self.next_is(b'>');
        let result = byte == b'-' && self.next_is(b'>');
        let last = match byte {
            _ if arrow => Last::Arrow,
            _ if result => Last::MapMayFollow,
            b',' | b':' | b'|' | b'&' | b'!' => Last::MapMayFollow,
            b'=' | b'<' | b'>' | b'+' | b'-' | b'*' | b'/' => Last::Operator,
            b'?' if self.next_is(b'?') => Last::Operator,
            b'.' if self.next_is(b'.') => Last::Operator,
            _ => Last::Value,
        };
        let length = if arrow || result || (last == Last::Operator && matches!(byte, b'?' | b'.')) { 2 } else { 1 };
        self.take(self.at + length, last);
        if arrow && let Some(line) = &mut self.line {
            line.branches += 1;
        }
    }

    fn bar(&mut self) {
        let at = self.at;
        self.take(at + 1, Last::MapMayFollow);
        if let Some(line) = &mut self.line {
            line.bars.push(at);
            line.branches = 0;
        }
    }

    fn semicolon(&mut self) {
        let span = self.span(self.at, self.at + 1);
        let finding =
            Finding::new(&codes::SEMICOLON, span, "a statement ends with its line, without `;`").at("not needed");
        self.report(if self.line_ends_after(self.at + 1) {
            finding.help("take the `;` away").fix(span, "")
        } else {
            finding.help("write each statement on a line of its own")
        });
        self.finish_line();
        self.at += 1;
    }

    /// What a `{` at this place opens.
    pub(super) fn brace_is_map(&self) -> bool {
        if !self.brackets.is_empty() || self.context() == Context::Table {
            return true;
        }
        let Some(line) = &self.line else { return false };
        match line.last {
            Last::MapMayFollow | Last::Operator => true,
            Last::Arrow => first_word(self.line_text()) == "stub",
            Last::Branch => !matches!(first_word(self.statement_text()), "if" | "else"),
            Last::Value => false,
        }
    }

    /// Takes a bracket or brace of an expression into the line.
    pub(super) fn take_bracket(&mut self, opens: bool) {
        self.take(self.at + 1, if opens { Last::MapMayFollow } else { Last::Value });
    }

    /// Looks at a line that begins: does it show that blocks before it were not closed?
    fn begin_line(&mut self) {
        if !self.blocks.is_empty() && self.at == self.line_start && starts_declaration(&self.text[self.at..]) {
            self.missing_closes(self.at, 0);
        }
    }

    fn finish_text(&mut self) {
        self.out.open_at_end |= !self.brackets.is_empty() || !self.blocks.is_empty();
        if !self.brackets.is_empty() {
            self.report_unclosed_bracket();
        }
        self.out.open_at_end |= self.line.as_ref().is_some_and(|line| line.last == Last::Operator);
        self.finish_line();
        let end = self.text.trim_end().len();
        self.missing_closes(end, 0);
    }
}

/// A finding for nesting beyond what the language allows.
pub fn too_deep(span: Span) -> Finding {
    Finding::new(&codes::TOO_DEEP, span, "this is nested too deeply")
        .at("too many levels")
        .help("give the inner parts names with `let`, or move them into a function")
}

/// The word at the beginning of `text`, or nothing.
pub fn first_word(text: &str) -> &str {
    // Nearly all words are of plain letters; the tables of all letters are asked for the others alone.
    let plain = text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    if text.as_bytes().get(plain).is_none_or(u8::is_ascii) {
        return if text.starts_with(|c: char| c.is_ascii_digit()) { "" } else { &text[..plain] };
    }
    let mut characters = text.char_indices();
    match characters.next() {
        Some((_, first)) if first == '_' || unicode_ident::is_xid_start(first) => {}
        _ => return "",
    }
    let end = characters.find(|(_, c)| !unicode_ident::is_xid_continue(*c)).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

/// Whether a physical line that begins with `text` can only be a declaration.
pub fn starts_declaration(text: &str) -> bool {
    let word = first_word(text);
    let rest = text[word.len()..].trim_start_matches([' ', '\t']);
    if rest.len() == text.len() - word.len() && word != "test" {
        return false;
    }
    let next = first_word(rest);
    match word {
        "flow" | "fn" | "task" | "rules" | "record" | "entity" | "enum" | "error" | "policy" | "const" => {
            !next.is_empty() && !matches!(next, "and" | "or" | "in" | "is" | "then" | "else")
        }
        "transient" => next == "error",
        "rule" => first_word(rest[next.len()..].trim_start()) == "on",
        "test" => rest.starts_with('"'),
        "every" => !next.is_empty() || rest.starts_with(|c: char| c.is_ascii_digit()),
        "on" => {
            next == "file" || matches!(first_word(rest[next.len()..].trim_start()), "created" | "changed" | "deleted")
        }
        "use" => {
            rest.starts_with('"')
                || !next.is_empty() && {
                    let behind = rest[next.len()..].trim_start_matches([' ', '\t']);
                    behind.is_empty() || behind.starts_with(['\n', '\r'])
                }
        }
        _ => false,
    }
}
