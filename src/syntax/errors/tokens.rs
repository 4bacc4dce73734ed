//! The words and signs of a line, to say what stands where; not used for parsing.

use crate::syntax::lines::{TextEnd, first_word, line_end, text_end};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A name or keyword.
    Word,
    /// Digits, with `_` and one decimal point.
    Number,
    /// A text with its quotes.
    Text,
    /// A sign of one to three characters.
    Sign,
    /// A character that is no part of the language.
    Foreign,
}

/// A word or sign of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'t> {
    /// What it is.
    pub kind: TokenKind,
    /// How it is written.
    pub text: &'t str,
    /// Where it begins in the line.
    pub start: usize,
}

impl Token<'_> {
    /// Where it ends in the line.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// Signs of more than one character, longer ones first; some belong to other languages.
const SIGNS: &[&str] = &[
    "===", "!==", "...", "==", "!=", "<=", ">=", "=<", "<>", "=>", "->", "??", "?.", "..", "&&", "||", "+=", "-=",
    "*=", "/=", ":=", "++", "--", "**", "|>", "::",
];

/// All tokens of a line, comments left out.
pub fn tokens(line: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = next_token(line, at) {
        at = token.end();
        found.push(token);
    }
    found
}

fn next_token(line: &str, from: usize) -> Option<Token<'_>> {
    let mut at = from;
    loop {
        let rest = line.get(at..)?;
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        at += blanks;
        if !line[at..].starts_with("//") {
            break;
        }
        at = line_end(line.as_bytes(), at);
    }
    let rest = &line[at..];
    let first = rest.chars().next()?;
    let word = first_word(rest);
    let (kind, length) = if !word.is_empty() {
        (TokenKind::Word, word.len())
    } else if first.is_ascii_digit() {
        (TokenKind::Number, number_length(rest))
    } else if first == '"' {
        let end = match text_end(line.as_bytes(), at) {
            TextEnd::Closed(end) | TextEnd::Unclosed(end) | TextEnd::OpenHole { end, .. } => end,
            TextEnd::TooDeep(_) => line.len(),
        };
        (TokenKind::Text, end - at)
    } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        (TokenKind::Sign, sign.len())
    } else if first.is_ascii_punctuation() {
        (TokenKind::Sign, 1)
    } else {
        (TokenKind::Foreign, first.len_utf8())
    };
    Some(Token { kind, text: line.get(at..at + length)?, start: at })
}

fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        bytes.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'_').count()
    };
    let whole = digits(0);
    let fraction = if bytes.get(whole) == Some(&b'.') { digits(whole + 1) } else { 0 };
    if fraction > 0 { whole + 1 + fraction } else { whole }
}
