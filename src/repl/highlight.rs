//! Colours for a line while it is typed: keywords, texts, numbers, comments, types.
//!
//! The scan is by characters, not by the grammar: it must show something sensible for a line that is not
//! finished, at every keystroke.

use crate::syntax::KEYWORDS;

/// Words that begin a declaration. Elsewhere they may be names, which a colour on the way does not harm.
const DECLARATIONS: &[&str] =
    &["use", "const", "enum", "record", "entity", "error", "fn", "task", "rules", "rule", "flow", "policy", "test"];

const KEYWORD: &str = "\x1b[1;34m";
const TEXT: &str = "\x1b[32m";
const NUMBER: &str = "\x1b[36m";
const COMMENT: &str = "\x1b[2m";
const TYPE: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";

/// The line with colours for an ANSI terminal. Without the escapes it is the same line.
pub fn highlight(line: &str) -> String {
    let mut out = String::with_capacity(line.len() * 2);
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let (length, color) = token(rest, first);
        let (token, behind) = rest.split_at(length);
        match color {
            Some(color) => {
                out.push_str(color);
                out.push_str(token);
                out.push_str(PLAIN);
            }
            None => out.push_str(token),
        }
        rest = behind;
    }
    out
}

/// The length in bytes of the token that a text begins with, and its colour.
fn token(text: &str, first: char) -> (usize, Option<&'static str>) {
    let upto = |end: &dyn Fn(char) -> bool| text.find(end).unwrap_or(text.len());
    if text.starts_with("//") {
        (text.find('\n').unwrap_or(text.len()), Some(COMMENT))
    } else if first == '"' {
        (text_length(text), Some(TEXT))
    } else if first.is_ascii_digit() {
        let length = upto(&|c| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_' | '%' | ':' | '-'));
        (length, Some(NUMBER))
    } else if first.is_alphabetic() || first == '_' {
        let length = upto(&|c| !c.is_alphanumeric() && c != '_');
        let word = &text[..length];
        let color = if KEYWORDS.contains(&word) || DECLARATIONS.contains(&word) {
            Some(KEYWORD)
        } else if first.is_uppercase() {
            Some(TYPE)
        } else {
            None
        };
        (length, color)
    } else {
        (first.len_utf8(), None)
    }
}

/// The length of the text that begins here, its quotes included; all of it when it is not closed.
fn text_length(text: &str) -> usize {
    if let Some(inside) = text.strip_prefix("\"\"\"") {
        return inside.find("\"\"\"").map_or(text.len(), |end| end + 6);
    }
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keywords_texts_numbers_and_types_have_colours() {
        let shown = highlight("let x = OrderRow(sku: \"A1\", n: 15%) // why");
        let readable = shown.replace('\x1b', "^");
        insta::assert_snapshot!(readable, @r#"^[1;34mlet^[0m x = ^[33mOrderRow^[0m(sku: ^[32m"A1"^[0m, n: ^[36m15%^[0m) ^[2m// why^[0m"#);
    }

    proptest! {
        #[test]
        fn colours_change_no_character(line in "\\PC*") {
            let mut shown = highlight(&line);
            for color in [KEYWORD, TEXT, NUMBER, COMMENT, TYPE, PLAIN] {
                shown = shown.replace(color, "");
            }
            prop_assert_eq!(shown, line);
        }
    }
}
