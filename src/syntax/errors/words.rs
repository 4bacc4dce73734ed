//! What the grammar expected, in the language's words.

use super::tokens::{Token, TokenKind};
use crate::syntax::grammar::{self, Rule};
use std::sync::{Mutex, PoisonError};

/// Where a line can't be read any further, and what could have stood there.
pub struct Expectation {
    /// The offset in the line.
    pub at: usize,
    /// Phrases, at most five.
    pub phrases: Vec<String>,
}

/// Alternatives that are named at most.
const MOST_PHRASES: usize = 5;

/// pest collects details for the whole program or not at all: one line at a time asks for them.
static DETAIL: Mutex<()> = Mutex::new(());

/// Parses the line once more to learn how far it can be read.
pub fn expectation(rule: Rule, line: &str) -> Expectation {
    // Words that need a blank before them are expected only once there is one.
    let with_blank = format!("{line} ");
    let attempts = {
        let _one_at_a_time = DETAIL.lock().unwrap_or_else(PoisonError::into_inner);
        pest::set_error_detail(true);
        let result = grammar::parse(rule, &with_blank);
        pest::set_error_detail(false);
        result.err().and_then(|error| error.parse_attempts())
    };
    let Some(attempts) = attempts else { return Expectation { at: 0, phrases: Vec::new() } };
    let mut at = attempts.max_position.min(line.len());
    while !line.is_char_boundary(at) {
        at -= 1;
    }
    let before = &line[..at];
    let reached = with_blank.get(..attempts.max_position).unwrap_or(before);
    let may_end = !before.trim().is_empty() && grammar::parse(rule, before.trim_end()).is_ok();
    // pest keeps the type of its tokens to itself; their written form says enough.
    let mut tokens: Vec<String> = attempts.expected_tokens().iter().map(|token| token.to_string()).collect();
    // Before `)` and `,` the grammar does not look for operators at all.
    if attempts.unexpected_tokens().iter().any(|token| matches!(token.to_string().as_str(), ")..)" | ",..,")) {
        tokens.extend(OPERATORS.iter().map(|operator| (*operator).to_owned()));
    }
    Expectation { at, phrases: phrases(&tokens, reached, may_end) }
}

/// Everything that can begin a value.
const VALUE_BEGINS: &[&str] = &["\"", "(", "[", "{", "if", "not"];
/// Everything that can go on behind a value; named together.
const OPERATORS: &[&str] =
    &["==", "!=", "<=", ">=", "<", ">", "??", "..", "+", "-", "*", "/", "and", "or", "in", "is", ".", "?.", "(", "["];
const UNITS: &[&str] = &["millisecond", "second", "minute", "hour", "day", "week"];
/// What a literal may go on with, or only begins with; too small to be named.
const NOISE: &[&str] = &["_", "T", "Z", "s", "it", "\"\"\"", "\\", ".", "?."];

fn phrases(tokens: &[String], before: &str, may_end: bool) -> Vec<String> {
    let mut literals: Vec<&str> = Vec::new();
    let (mut name, mut digit, mut capital) = (false, false, false);
    for token in tokens {
        match token.as_str() {
            "BUILTIN_RULE" => name = true,
            "0..9" => digit = true,
            "A..Z" => capital = true,
            "*..+" => literals.extend(["*", "+"]),
            // Other ranges are blanks and the letters that words begin with.
            range if range.contains("..") && range != ".." && range != "..." => {}
            literal => literals.push(literal),
        }
    }
    let last = before.chars().next_back();
    let in_word = last.is_some_and(|c| c == '_' || c.is_alphanumeric());
    literals.retain(|literal| !NOISE.contains(literal));
    let has = |literal: &str| literals.contains(&literal);
    let mut phrases: Vec<String> = Vec::new();

    let value = has("\"") && (has("[") || has("("));
    let operator = has("+") && has("*");
    if value {
        phrases.push("a value".into());
    } else if has("\"") {
        phrases.extend((name && !in_word).then(|| "a name".into()));
        phrases.push("a text".into());
    } else if has("{") && has("[") {
        phrases.push("a type".into());
    } else if name && !in_word {
        phrases.push("a name".into());
    } else if digit && !in_word {
        phrases.push("a number".into());
    }
    if operator {
        phrases.push("an operator".into());
    } else if has("<=") && !value {
        phrases.push("a comparison".into());
    }
    let units = UNITS.iter().filter(|unit| has(unit)).count();
    let is_type = phrases.iter().any(|phrase| phrase == "a type");
    let mut rest: Vec<&str> = literals
        .iter()
        .copied()
        .filter(|literal| !(units > 1 && UNITS.contains(literal)))
        .filter(|literal| !(value && (VALUE_BEGINS.contains(literal) || ["run", "start", "-"].contains(literal))))
        .filter(|literal| !(is_type && ["[", "{", "pii", "secret", "money"].contains(literal)))
        .filter(|literal| !(operator && (OPERATORS.contains(literal) || ["%", ":"].contains(literal))))
        .filter(|literal| !(!operator && has("<=") && ["==", "!=", "<=", ">=", "<", ">"].contains(literal)))
        .filter(|literal| !(has("\"") && *literal == "\""))
        .collect();
    rest.sort_by_key(|literal| (literal.starts_with(|c: char| !c.is_alphabetic()), *literal));
    rest.dedup();
    phrases.extend(rest.into_iter().map(|literal| format!("`{literal}`")));
    if phrases.is_empty() && capital && !in_word {
        phrases.push("a currency such as `EUR`".into());
    }
    if may_end {
        phrases.push("the end of the line".into());
    }
    if phrases.len() > MOST_PHRASES {
        let end = if may_end { phrases.pop() } else { None };
        phrases.truncate(MOST_PHRASES - usize::from(may_end));
        phrases.extend(end);
    }
    phrases
}

/// `a`, `a or b`, `a, b or c`.
pub fn alternatives(phrases: &[String]) -> String {
    match phrases {
        [] => "something else".into(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// What a token is called in a message.
pub fn called(token: &Token) -> String {
    let shown: String = token.text.chars().take(30).collect();
    match token.kind {
        TokenKind::Text => "a text".into(),
        TokenKind::Number => format!("the number `{shown}`"),
        TokenKind::Foreign => {
            let character = token.text.chars().next().unwrap_or(' ');
            if character.is_control() || character.is_whitespace() || !is_visible(character) {
                format!("an invisible character (U+{:04X})", u32::from(character))
            } else {
                format!("`{character}`")
            }
        }
        _ => format!("`{shown}`"),
    }
}

fn is_visible(character: char) -> bool {
    !matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}')
}
