//! Template files: text with `{values}`, and `{for …}`, `{if …}`, `{else}`, `{end}`.

use super::blocks::Builder;
use super::grammar::Rule;
use super::in_order;
use super::lines::{self, first_word, hole_end, line_end, too_deep};
use super::lower::child;
use super::parts::shifted;
use super::tree::{Expr, ExprKind, Name, Template, TemplatePart};
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;
use crate::text::{SourceId, Span};
use std::ops::Range;

/// Loops and conditions within each other.
const DEEPEST: usize = 32;

/// Parses a template. Never fails, never panics, takes time linear in the text.
///
/// A `{for}`, `{if}`, `{else}` or `{end}` alone on its line swallows that line; `\{` and `\}` are braces.
pub fn parse_template(source: SourceId, text: &str) -> (Template, Vec<Finding>) {
    let mut reader = Reader {
        source,
        text,
        builder: Builder::new(source, text, Vec::new(), Vec::new()),
        findings: Vec::new(),
        open: Vec::new(),
        parts: Vec::new(),
    };
    reader.read();
    let findings = reader.builder.finish(reader.findings).1;
    (Template { source, parts: reader.parts }, in_order(findings))
}

/// A `{for …}` or `{if …}` that is open.
struct Open {
    /// The `{…}` that opened it.
    place: Range<usize>,
    kind: OpenKind,
    /// What stands before it, in the part around it.
    before: Vec<TemplatePart>,
}

enum OpenKind {
    For { name: Name, second: Option<Name>, list: Expr },
    If { condition: Expr, then: Option<Vec<TemplatePart>>, chained: bool },
}

struct Reader<'t> {
    source: SourceId,
    text: &'t str,
    builder: Builder<'t>,
    findings: Vec<Finding>,
    open: Vec<Open>,
    /// The parts of the innermost open thing so far.
    parts: Vec<TemplatePart>,
}

impl Reader<'_> {
    fn read(&mut self) {
        let bytes = self.text.as_bytes();
        let mut at = if self.text.starts_with('\u{feff}') { 3 } else { 0 };
        let mut plain_from = at;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\\' if matches!(bytes.get(at + 1), Some(b'{' | b'}')) => {
                    self.characters(plain_from, at);
                    plain_from = at + 1;
                    at += 2;
                }
                b'{' => {
                    self.characters(plain_from, at);
                    at = self.hole(at);
                    plain_from = at;
                }
                _ => at += 1,
            }
        }
        self.characters(plain_from, self.text.len());
        self.close_all();
    }

    fn span(&self, range: &Range<usize>) -> Span {
        Span::new(self.source, range.start, range.end)
    }

    fn characters(&mut self, start: usize, end: usize) {
        let more = self.text.get(start..end).unwrap_or("");
        match self.parts.last_mut() {
            _ if more.is_empty() => {}
            Some(TemplatePart::Characters(characters)) => characters.push_str(more),
            _ => self.parts.push(TemplatePart::Characters(more.into())),
        }
    }

    /// Reads the `{…}` at `start`; returns where the text goes on.
    fn hole(&mut self, start: usize) -> usize {
        let Some(close) = hole_end(self.text.as_bytes(), start) else {
            let span = Span::new(self.source, start, start + 1);
            self.findings.push(
                Finding::new(&codes::TEXT, span, "this `{` is never closed")
                    .at("begins a value")
                    .help("close it with `}` on the same line; for the brace itself write `\\{`"),
            );
            let end = line_end(self.text.as_bytes(), start);
            self.characters(start, end);
            return end;
        };
        let place = start..close + 1;
        let inner = &self.text[start + 1..close];
        let word = first_word(inner.trim_start());
        let rest = inner.trim_start()[word.len()..].trim();
        let is_directive = match word {
            "for" => true,
            "if" => !rest.split_whitespace().any(|word| word == "then"),
            "else" | "end" => rest.is_empty() || word == "else" && first_word(rest) == "if",
            _ => false,
        };
        let resume = if is_directive { self.swallow_line(&place) } else { place.end };
        match word {
            _ if !is_directive => self.value(&place),
            "end" => self.end(&place),
            "else" => self.otherwise(&place, rest),
            _ => self.begin(&place, word, None),
        }
        resume
    }

    /// Where the text goes on behind a directive; one that stands alone takes its line with it.
    fn swallow_line(&mut self, place: &Range<usize>) -> usize {
        let bytes = self.text.as_bytes();
        let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r');
        let before = bytes[..place.start].iter().rev().take_while(blank).count();
        let after = bytes[place.end..].iter().take_while(blank).count();
        let line_start = place.start - before;
        let begins_line = line_start == 0 || bytes[line_start - 1] == b'\n' || self.text[..line_start] == *"\u{feff}";
        let line_end = match bytes.get(place.end + after) {
            None => place.end + after,
            Some(b'\n') => place.end + after + 1,
            Some(_) => return place.end,
        };
        if !begins_line {
            return place.end;
        }
        if let Some(TemplatePart::Characters(characters)) = self.parts.last_mut() {
            let kept = characters.len().saturating_sub(before);
            characters.truncate(kept);
            if kept == 0 {
                self.parts.pop();
            }
        }
        line_end
    }

    fn value(&mut self, place: &Range<usize>) {
        if let Some(value) = self.expression(place.start + 1..place.end - 1) {
            self.parts.push(TemplatePart::Value(value));
        }
    }

    /// The expression in a range; none, and a finding, when it can't be read.
    fn expression(&mut self, range: Range<usize>) -> Option<Expr> {
        let range = self.checked(range)?;
        let read = self.builder.read(Rule::outcome_line, range.start, range.end, |lower, pair| lower.expression(pair));
        if read.is_none() {
            self.builder.add_help("a value stands between `{` and `}`; for the brace itself write `\\{`");
        }
        read
    }

    /// The range without blanks around it, when nothing in it is nested too deeply.
    fn checked(&mut self, range: Range<usize>) -> Option<Range<usize>> {
        let slice = self.text.get(range.clone())?;
        let scanned = lines::scan(self.source, slice);
        if !scanned.findings.is_empty() {
            self.findings.extend(shifted(scanned.findings, range.start));
            return None;
        }
        // A comment can only be the end of it.
        let slice = scanned.comments.first().map_or(slice, |comment| &slice[..comment.span.start as usize]);
        let start = range.start + (slice.len() - slice.trim_start().len());
        Some(start..start.max(range.start + slice.trim_end().len()))
    }

    /// `{for …}`, `{if …}`; also the `if …` of an `{else if …}`, which begins at `from`.
    fn begin(&mut self, place: &Range<usize>, word: &str, from: Option<usize>) {
        let inner = from.unwrap_or(place.start + 1)..place.end - 1;
        let nothing = Expr { kind: ExprKind::Broken, span: self.span(place) };
        let range = self.checked(inner);
        let kind = if word == "for" {
            let head = range.and_then(|range| {
                self.builder.read(Rule::template_for, range.start, range.end, |lower, pair| {
                    let list = lower.first_expression(&pair);
                    let names = lower.names(pair);
                    (names, list)
                })
            });
            let (names, list) = head.unwrap_or_default();
            let mut names = names.into_iter();
            let unnamed = Name { text: "".into(), span: self.span(place) };
            OpenKind::For { name: names.next().unwrap_or(unnamed), second: names.next(), list: list.unwrap_or(nothing) }
        } else {
            let condition = range.and_then(|range| {
                self.builder.read(Rule::template_if, range.start, range.end, |lower, pair| {
                    child(&pair, Rule::expression).map(|condition| lower.expression(condition))
                })
            });
            OpenKind::If { condition: condition.flatten().unwrap_or(nothing), then: None, chained: from.is_some() }
        };
        if self.open.len() == DEEPEST {
            let finding = too_deep(self.span(place));
            self.findings.push(finding);
        }
        self.open.push(Open { place: place.clone(), kind, before: std::mem::take(&mut self.parts) });
    }

    fn otherwise(&mut self, place: &Range<usize>, rest: &str) {
        match self.open.last_mut() {
            Some(Open { kind: OpenKind::If { then: then @ None, .. }, .. }) => {
                *then = Some(std::mem::take(&mut self.parts));
                if !rest.is_empty() {
                    let inner = &self.text[place.start + 1..place.end - 1];
                    let skipped = inner.len() - inner.trim_start().len() + "else".len();
                    self.begin(place, "if", Some(place.start + 1 + skipped));
                }
            }
            _ => {
                let span = self.span(place);
                self.findings.push(
                    Finding::new(&codes::PLACE, span, "no `{if …}` is open before this `{else}`")
                        .at("belongs to nothing")
                        .help("open it with `{if condition}`; for the words themselves write `\\{else\\}`"),
                );
            }
        }
    }

    fn end(&mut self, place: &Range<usize>) {
        if self.open.is_empty() {
            let span = self.span(place);
            self.findings.push(
                Finding::new(&codes::PLACE, span, "no `{for …}` or `{if …}` is open before this `{end}`")
                    .at("closes nothing")
                    .help("take it away; for the words themselves write `\\{end\\}`"),
            );
        }
        self.close(place.end);
    }

    /// Closes the innermost open thing, and the ones that an `{else if …}` has chained to it.
    fn close(&mut self, end: usize) {
        while let Some(open) = self.open.pop() {
            let inner = std::mem::replace(&mut self.parts, open.before);
            let span = Span::new(self.source, open.place.start, end);
            let too_deep = self.open.len() >= DEEPEST;
            let mut chain = false;
            let part = match open.kind {
                OpenKind::For { name, second, list } => TemplatePart::For { name, second, list, body: inner, span },
                OpenKind::If { condition, then, chained } => {
                    chain = chained;
                    let (then, otherwise) = match then {
                        Some(then) => (then, inner),
                        None => (inner, Vec::new()),
                    };
                    TemplatePart::If { condition, then, otherwise, span }
                }
            };
            // Beyond the limit, which has been reported, nothing is kept: so the tree stays shallow.
            if !too_deep {
                self.parts.push(part);
            }
            if !chain {
                return;
            }
        }
    }

    fn close_all(&mut self) {
        while let Some(open) = self.open.last() {
            let chained = matches!(open.kind, OpenKind::If { chained: true, .. });
            let word = if matches!(open.kind, OpenKind::For { .. }) { "for" } else { "if" };
            let span = self.span(&open.place);
            if !chained {
                self.findings.push(
                    Finding::new(&codes::BRACES, span, format!("this `{{{word} …}}` is never closed"))
                        .at("opened here")
                        .help("close it with `{end}`"),
                );
            }
            let before = self.open.len();
            self.close(self.text.len());
            if !chained || self.open.len() == before {
                continue;
            }
        }
    }
}
