//! What to say about a line that can't be read.
//!
//! First come the mistakes that people really make, each understood and answered; what is left is
//! told as "expected …, found …", from what the grammar could have read at that place.

mod foreign;
mod labels;
mod literals;
mod operators;
mod tokens;
mod words;

pub use foreign::{foreign_block, meant_by, unknown_declaration, unknown_modifier_place};

use super::grammar::Rule;
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;
use crate::text::{SourceId, Span};
use std::ops::Range;
use tokens::{Token, TokenKind, tokens};

/// Beyond this length only the place is told; such a line is data, not a slip.
const LONGEST_EXPLAINED: usize = 16 * 1024;

/// A line that can't be read, and where.
struct Broken<'t> {
    source: SourceId,
    /// Where the line begins in its source.
    offset: usize,
    line: &'t str,
    rule: Rule,
    tokens: Vec<Token<'t>>,
    /// The token that can't be read; behind the last one when the line ends too early.
    at: usize,
    /// Whether a block follows the line.
    opens: bool,
}

impl<'t> Broken<'t> {
    /// The place of a part of the line.
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, self.offset + start, self.offset + end)
    }

    fn span_of(&self, token: &Token) -> Span {
        self.span(token.start, token.end())
    }

    /// The token `distance` after (or before) the one that can't be read.
    fn token(&self, distance: isize) -> Option<Token<'t>> {
        self.at.checked_add_signed(distance).and_then(|index| self.tokens.get(index)).copied()
    }

    /// How the token at this distance is written; empty when there is none.
    fn word(&self, distance: isize) -> &'t str {
        self.token(distance).map_or("", |token| token.text)
    }
}

/// The finding for the line in `range`, which `rule` could not read; `opens` tells whether a block follows.
pub fn explain(source: SourceId, text: &str, range: Range<usize>, rule: Rule, opens: bool) -> Finding {
    let line = text.get(range.clone()).unwrap_or("");
    if line.len() > LONGEST_EXPLAINED {
        let span = Span::new(source, range.start, range.start + first_characters(line, 40));
        return Finding::new(&codes::UNEXPECTED, span, "this long line can't be read")
            .at("begins here")
            .help("split it into shorter lines; then the place is told");
    }
    let expected = words::expectation(rule, line);
    let tokens = tokens_around(line, expected.at);
    let at = tokens.iter().position(|token| token.end() > expected.at).unwrap_or(tokens.len());
    let broken = Broken { source, offset: range.start, line, rule, tokens, at, opens };
    foreign::mistake(&broken)
        .or_else(|| labels::mistake(&broken))
        .or_else(|| literals::mistake(&broken))
        .or_else(|| operators::mistake(&broken))
        .unwrap_or_else(|| plain(&broken, &expected.phrases))
}

/// The tokens of the line, or of the value in a text that holds the broken place.
fn tokens_around(line: &str, at: usize) -> Vec<Token<'_>> {
    let mut from = 0;
    loop {
        let found: Vec<Token> = tokens(line.get(from..).unwrap_or(""))
            .into_iter()
            .map(|token| Token { start: token.start + from, ..token })
            .collect();
        let inside = found.iter().find(|token| token.kind == TokenKind::Text && token.start < at && at < token.end());
        let Some(brace) = inside.and_then(|text| line.get(text.start..at)?.rfind('{').map(|brace| text.start + brace))
        else {
            return found;
        };
        from = brace + 1;
    }
}

/// What to say of a word behind a type that was meant for its currency: `money EURO`, `mony EUR`.
fn about_currency(broken: &Broken, token: &Token) -> Option<String> {
    let before = broken.token(-1).filter(|before| before.kind == TokenKind::Word)?;
    let is_currency = token.text.len() == 3 && token.text.bytes().all(|letter| letter.is_ascii_uppercase());
    if before.text == "money" && token.kind == TokenKind::Word && !is_currency {
        return Some("a currency is three capital letters of ISO 4217, as in `money EUR`".to_string());
    }
    let is_type = broken.word(-2) == ":" || broken.word(-2) == "->";
    (is_type && is_currency && before.text != "money")
        .then(|| format!("only amounts have a currency: `money {}`", token.text))
}

/// "expected …, found …".
fn plain(broken: &Broken, phrases: &[String]) -> Finding {
    let mut phrases = phrases.to_vec();
    if let Some(end) = phrases.last_mut().filter(|last| *last == "the end of the line") {
        match broken.rule {
            rule if takes_block(rule) => *end = "`{`".into(),
            Rule::cell_line | Rule::condition_line | Rule::column_line => *end = "the end of the cell".into(),
            _ => {}
        }
    }
    let phrases = phrases.as_slice();
    let wanted = words::alternatives(phrases);
    if let Some(token) = broken.token(0) {
        let code = if token.kind == TokenKind::Foreign { &codes::CHARACTER } else { &codes::UNEXPECTED };
        let found = words::called(&token);
        let span = broken.span_of(&token);
        if let Some(finding) = missing_comma(broken, &token, phrases) {
            return finding;
        }
        let message = match phrases {
            [] => format!("{found} is not expected here"),
            _ => format!("expected {wanted}, found {found}"),
        };
        let finding = Finding::new(code, span, message).at("not expected here");
        if let Some(help) = about_currency(broken, &token) {
            return finding.help(help);
        }
        let words: Vec<&str> = phrases.iter().map(|phrase| phrase.trim_matches('`')).collect();
        return match foreign::nearest(token.text, &words).filter(|_| token.kind == TokenKind::Word) {
            Some(near) if near != token.text => finding.help(format!("did you mean `{near}`?")).fix(span, near),
            _ => finding,
        };
    }
    match broken.tokens.last() {
        Some(last) => {
            let after = words::called(last);
            Finding::new(&codes::UNEXPECTED, broken.span_of(last), format!("expected {wanted} after {after}"))
                .at("missing after this")
        }
        None => Finding::new(&codes::UNEXPECTED, broken.span(0, broken.line.len()), format!("expected {wanted}"))
            .at("nothing stands here"),
    }
}

/// Two values in brackets without a comma between them.
fn missing_comma(broken: &Broken, token: &Token, phrases: &[String]) -> Option<Finding> {
    let before = broken.token(-1)?;
    let is_value = matches!(token.kind, TokenKind::Word | TokenKind::Number | TokenKind::Text);
    let follows_value = before.kind != TokenKind::Sign || matches!(before.text, ")" | "]" | "}");
    let in_brackets = broken.tokens.iter().take(broken.at).fold(0i32, |open, token| match token.text {
        "(" | "[" | "{" => open + 1,
        ")" | "]" | "}" => open - 1,
        _ => open,
    });
    if !is_value || !follows_value || in_brackets < 1 || !phrases.iter().any(|phrase| phrase == "`,`") {
        return None;
    }
    let (last, after) = (broken.span_of(&before), broken.span_of(&before).after());
    let finding = Finding::new(&codes::UNEXPECTED, last, format!("a comma is missing before {}", words::called(token)))
        .at("`,` is expected after this")
        .help("put a comma between the two values, or an operator when they belong together");
    let on_two_lines = broken.line.get(before.end()..token.start).is_some_and(|between| between.contains('\n'));
    let surely = on_two_lines || broken.word(1) == ":";
    Some(if surely { finding.fix(after, ",") } else { finding })
}

/// Whether a block follows such a line.
fn takes_block(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::if_line
            | Rule::match_line
            | Rule::for_line
            | Rule::step_line
            | Rule::parallel_line
            | Rule::flow_line
            | Rule::reaction_line
            | Rule::on_line
            | Rule::every_line
            | Rule::test_line
            | Rule::policy_line
            | Rule::enum_line
            | Rule::record_line
            | Rule::rules_line
            | Rule::undo_line
            | Rule::handler_line
    )
}

fn first_characters(text: &str, count: usize) -> usize {
    text.char_indices().nth(count).map_or(text.len(), |(at, _)| at)
}
