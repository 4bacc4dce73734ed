//! Which line goes on: decided by how the next one begins.

use super::scanner::{Context, first_word};

/// Words that begin an option in the head of a declaration, on a line of its own.
const HEAD_OPTIONS: &[&str] =
    &["key", "at", "priority", "deadline", "fails", "when", "from", "as", "first", "any", "collect", "unique", "in"];

/// Words that begin a declaration whose head may go on with options.
const HEADS: &[&str] = &["flow", "task", "fn", "rules", "rule", "on", "every", "before"];

/// Whether a line that begins with `rest` continues the line whose text so far is `line`.
pub fn continues(line: &str, rest: &str, context: Context) -> bool {
    let word = first_word(rest);
    if !word.is_empty() {
        return match word {
            // `in: int` is a field of that name.
            "and" | "or" | "in" | "is" => !rest[word.len()..].trim_start().starts_with(':'),
            "then" | "else" => is_value_of_if(line),
            "requires" | "when" if first_word(line) == "before" => true,
            "when" | "as" | "priority" | "from" | "first" | "any" | "collect" | "unique" | "key" | "at"
            | "deadline" | "fails" => {
                context == Context::Outside && HEADS.contains(&first_word(line)) && HEAD_OPTIONS.contains(&word)
            }
            _ => false,
        };
    }
    let bytes = rest.as_bytes();
    match (bytes.first(), bytes.get(1)) {
        (Some(b'.' | b'+' | b'*' | b','), _) => true,
        (Some(b'?'), Some(b'.' | b'?')) => true,
        (Some(b'/'), next) => next != Some(&b'/'),
        (Some(b'-'), Some(b'>')) => true,
        (Some(b'-' | b'<' | b'>' | b'!'), _) => context != Context::Arms,
        (Some(b'='), Some(b'=')) => context != Context::Arms,
        (Some(b'='), _) => true,
        _ => false,
    }
}

/// Whether the line holds an `if` that gives a value, so that `then` and `else` may begin the next line.
fn is_value_of_if(line: &str) -> bool {
    !matches!(first_word(line), "if" | "else") && line.contains("if")
}
