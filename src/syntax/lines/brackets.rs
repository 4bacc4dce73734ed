//! Brackets and the braces of blocks: pairing them, and saying which one is missing.

use super::scanner::{Context, Scanner, first_word, starts_declaration, too_deep};
use super::text::line_end;
use super::{DEEPEST_BRACKETS, Piece, PieceKind};
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;
use crate::syntax::MOST_FINDINGS;

/// A bracket that is open within a line.
pub struct Bracket {
    /// `(`, `[` or `{`.
    byte: u8,
    at: usize,
}

/// A block that is open.
pub struct OpenBlock {
    /// What its lines are.
    pub context: Context,
    /// Where its `{` stands.
    at: usize,
    /// Where the line that opens it begins.
    head: usize,
    /// How many columns its line is indented.
    indentation: usize,
}

impl Scanner<'_> {
    pub(super) fn open_bracket(&mut self, byte: u8) {
        if self.brackets.len() >= DEEPEST_BRACKETS {
            return self.too_deep_bracket();
        }
        self.take_bracket(true);
        self.brackets.push(Bracket { byte, at: self.at - 1 });
    }

    fn too_deep_bracket(&mut self) {
        let finding = too_deep(self.span(self.at, self.at + 1));
        self.report(finding);
        self.break_line();
        self.brackets.clear();
        self.at = line_end(self.bytes, self.at);
        self.finish_line();
    }

    pub(super) fn open_brace(&mut self) {
        if self.brace_is_map() {
            self.open_bracket(b'{');
        } else {
            self.open_block();
        }
    }

    pub(super) fn open_block(&mut self) {
        let head = self.line_place().map_or(self.at, |(start, _)| start);
        let statement = self.statement_text();
        let context = match first_word(statement) {
            "match" => Context::Arms,
            "rules" if self.blocks.is_empty() => Context::Table,
            _ => Context::Block,
        };
        self.finish_line();
        let (indentation, at) = (self.indentation_of(head), self.at);
        self.blocks.push(OpenBlock { context, at, head, indentation });
        self.out.pieces.push(Piece { kind: PieceKind::Open, start: at, end: at + 1 });
        self.at += 1;
    }

    /// How many columns stand before the first character of the line that holds `at`.
    fn indentation_of(&self, at: usize) -> usize {
        let start = if at >= self.line_start {
            self.line_start
        } else {
            self.text[..at].rfind('\n').map_or(0, |found| found + 1)
        };
        self.bytes[start..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
    }

    pub(super) fn close_bracket(&mut self, byte: u8) {
        let opening = if byte == b')' { b'(' } else { b'[' };
        match self.brackets.iter().rposition(|bracket| bracket.byte == opening) {
            None => {
                self.take_bracket(false);
                let (start, end) = (self.at - 1, self.at);
                let sign = char::from(byte);
                let finding =
                    Finding::new(&codes::BRACKETS, self.span(start, end), format!("this `{sign}` closes nothing"))
                        .at(format!("no `{}` is open here", char::from(opening)))
                        .help(format!("take it away, or put the missing `{}` before it", char::from(opening)));
                self.report(finding);
                self.break_line();
            }
            Some(index) => self.close_down_to(index, byte),
        }
    }

    /// Closes the bracket at `index`; what was opened in it and not closed is reported.
    fn close_down_to(&mut self, index: usize, byte: u8) {
        if let Some(unclosed) = self.brackets.get(index + 1) {
            let sign = char::from(unclosed.byte);
            let span = self.span(unclosed.at, unclosed.at + 1);
            let here = self.span(self.at, self.at + 1);
            let closing = closing_of(unclosed.byte);
            self.report(
                Finding::new(&codes::BRACKETS, span, format!("this `{sign}` is never closed"))
                    .at("opened here")
                    .label(here, format!("`{}` comes before its `{closing}`", char::from(byte)))
                    .help(format!("put `{closing}` where it belongs")),
            );
            self.take_bracket(false);
            self.break_line();
        } else {
            self.take_bracket(false);
        }
        self.brackets.truncate(index);
    }

    pub(super) fn close_brace(&mut self) {
        if let Some(index) = self.brackets.iter().rposition(|bracket| bracket.byte == b'{') {
            return self.close_down_to(index, b'}');
        }
        if !self.brackets.is_empty() {
            self.report_unclosed_bracket();
        }
        self.finish_line();
        self.close_block();
    }

    fn close_block(&mut self) {
        let at = self.at;
        let first_on_line = self.text[self.line_start..at].trim().is_empty();
        if self.by_indentation && first_on_line {
            let column = at - self.line_start;
            let fits = self.blocks.iter().rposition(|block| block.indentation == column);
            if let Some(index) = fits {
                self.missing_closes(at, index + 1);
            }
        }
        self.at += 1;
        if self.blocks.pop().is_some() {
            self.out.pieces.push(Piece { kind: PieceKind::Close, start: at, end: at + 1 });
        } else {
            let span = self.span(at, at + 1);
            self.report(
                Finding::new(&codes::BRACES, span, "this `}` closes nothing")
                    .at("no block is open here")
                    .help("take it away, or put the missing `{` before the block"),
            );
        }
    }

    /// Reports every block but the outer `keep` ones as not closed before `at`.
    pub(super) fn missing_closes(&mut self, at: usize, keep: usize) {
        while self.blocks.len() > keep {
            let Some(block) = self.blocks.pop() else { return };
            self.report_unclosed_block(&block, at);
            self.out.pieces.push(Piece { kind: PieceKind::MissingClose, start: at, end: at });
        }
    }

    fn report_unclosed_block(&mut self, block: &OpenBlock, at: usize) {
        if self.quiet_end || self.out.findings.len() >= MOST_FINDINGS {
            return;
        }
        let head = self.text[block.head..block.at].lines().next().unwrap_or("").trim_end();
        let span = self.span(block.at, block.at + 1);
        let what = match first_word(head) {
            "" => "block".to_owned(),
            word => format!("block of `{word}`"),
        };
        let mut finding = Finding::new(&codes::BRACES, span, format!("the {what} is never closed")).at("opened here");
        if at < self.text.len() && self.bytes[at] != b'\n' {
            let end = at + self.text[at..].chars().next().map_or(0, char::len_utf8);
            finding = finding.label(self.span(at, end), "a `}` is missing before this");
        }
        self.report(finding.help("close it with `}` on a line of its own"));
    }

    /// Reports the innermost open bracket, gives the line up and forgets the brackets.
    pub(super) fn report_unclosed_bracket(&mut self) {
        let Some(bracket) = self.brackets.last() else { return };
        let (sign, closing) = (char::from(bracket.byte), closing_of(bracket.byte));
        let span = self.span(bracket.at, bracket.at + 1);
        self.report(
            Finding::new(&codes::BRACKETS, span, format!("this `{sign}` is never closed"))
                .at("opened here")
                .help(format!("close it with `{closing}`")),
        );
        self.break_line();
        self.brackets.clear();
    }

    /// At a line break within brackets: does the next line show that they were not closed?
    ///
    /// Returns true when the line was ended.
    pub(super) fn unclosed_before_next_line(&mut self) -> bool {
        let next = self.next_code(self.at);
        let rest = &self.text[next..];
        if !starts_statement(rest) && !starts_declaration(rest) {
            self.goes_on_to = next;
            return false;
        }
        let Some((_, end)) = self.line_place() else { return false };
        let brace_last = self.brackets.last().is_some_and(|bracket| bracket.byte == b'{' && bracket.at + 1 == end);
        if brace_last && self.brackets.len() > 1 {
            self.brackets.pop();
            self.report_unclosed_bracket();
            self.cut_line(self.text[..end - 1].trim_end().len());
            self.at = end - 1;
            self.open_block();
        } else {
            self.report_unclosed_bracket();
            self.finish_line();
        }
        true
    }
}

fn closing_of(opening: u8) -> char {
    match opening {
        b'(' => ')',
        b'[' => ']',
        _ => '}',
    }
}

/// Whether a line that begins with `text` can only be a statement, so that brackets before it were forgotten.
pub fn starts_statement(text: &str) -> bool {
    let word = first_word(text);
    let rest = &text[word.len()..];
    let after = rest.trim_start_matches([' ', '\t']);
    match word {
        "if" => rest.len() > after.len() && !has_then(after),
        "let" | "var" | "return" | "give" | "fail" | "step" | "match" | "for" | "go" => {
            rest.len() > after.len() && !after.starts_with([':', ',', ')', ']', '.'])
        }
        "expect" | "given" | "undo" | "retry" | "timeout" | "stub" | "advance" => {
            rest.len() > after.len()
                && !first_word(after).is_empty()
                && !matches!(first_word(after), "and" | "or" | "in" | "is" | "then" | "else")
        }
        _ => false,
    }
}

/// How far is looked for a `then`, in bytes.
const FARTHEST_THEN: usize = 4_096;

/// Whether what stands behind an `if` goes on with `then`, so that it is a value, and not with a block.
fn has_then(condition: &str) -> bool {
    let condition = &condition[..condition.floor_char_boundary(FARTHEST_THEN)];
    let mut depth = 0_u32;
    // Whether a value is whole: a `{` behind it begins a block, elsewhere a map.
    let mut is_whole = false;
    let mut at = 0;
    while let Some(sign) = condition[at..].chars().next() {
        let rest = &condition[at..];
        let word = first_word(rest);
        match word {
            "" => at += sign.len_utf8(),
            "then" if depth == 0 => {
                // Written as in other languages: `if x then {`.
                let opens = rest.lines().next().unwrap_or("")[word.len()..].trim() == "{";
                return !opens || condition[..at].contains('\n');
            }
            word => {
                at += word.len();
                is_whole = !matches!(word, "and" | "or" | "in" | "not");
                continue;
            }
        }
        match sign {
            '"' => at += condition[at..].find(['"', '\n']).map_or(condition.len() - at, |end| end + 1),
            '{' if depth == 0 && is_whole => return false,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => return false,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if !sign.is_whitespace() {
            is_whole = matches!(sign, '"' | ')' | ']' | '}' | '%') || sign.is_ascii_digit();
        }
    }
    false
}
