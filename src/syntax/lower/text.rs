//! Texts: escapes, values in braces, and the indentation of long texts.

use super::Lower;
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;
use crate::syntax::grammar::{Pair, Rule};
use crate::syntax::tree::{TextLiteral, TextPart};
use crate::text::Span;

impl Lower<'_> {
    /// A text with its parts.
    pub fn text(&mut self, pair: Pair) -> TextLiteral {
        let span = self.span(&pair);
        let written = pair.as_str();
        let multiline = written.len() >= 6 && written.starts_with("\"\"\"");
        let mut parts = Parts::default();
        let indentation = if multiline { indentation_of_close(written) } else { "" };
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::long_chars => parts.characters(&without_indentation(inner.as_str(), indentation)),
                Rule::escape => {
                    let span = self.span(&inner);
                    let resolved = self.escape(inner.as_str(), span);
                    parts.characters(&resolved);
                }
                Rule::hole => {
                    let value = inner.into_inner().next().map(|value| self.expression(value));
                    parts.parts.extend(value.map(TextPart::Value));
                }
                _ => parts.characters(inner.as_str()),
            }
        }
        if multiline {
            parts.trim_first_and_last_break();
        }
        TextLiteral { parts: parts.parts, multiline, span }
    }

    /// What an escape stands for; reports one that does not exist.
    fn escape(&mut self, written: &str, span: Span) -> String {
        let known = match written.get(1..).unwrap_or("") {
            "n" => Some('\n'),
            "t" => Some('\t'),
            "r" => Some('\r'),
            "\"" => Some('"'),
            "\\" => Some('\\'),
            "{" => Some('{'),
            "}" => Some('}'),
            hex => hex
                .strip_prefix("u{")
                .and_then(|hex| u32::from_str_radix(hex.trim_end_matches('}'), 16).ok())
                .and_then(char::from_u32),
        };
        if let Some(character) = known {
            return character.into();
        }
        let mut finding = Finding::new(&codes::TEXT, span, format!("`{written}` means nothing in a text"))
            .at("unknown escape")
            .help("`\\n` is a line break, `\\t` a tab, `\\\"` a quote, `\\\\` a backslash, `\\{` a brace, `\\u{1F600}` a character");
        if written.chars().count() == 2 && written != "\\u" {
            finding = finding.fix(span, format!("\\{written}"));
        }
        self.findings.push(finding);
        String::new()
    }
}

/// Parts under construction: neighbouring characters grow together.
#[derive(Default)]
struct Parts {
    parts: Vec<TextPart>,
}

impl Parts {
    fn characters(&mut self, more: &str) {
        match self.parts.last_mut() {
            _ if more.is_empty() => {}
            Some(TextPart::Characters(characters)) => characters.push_str(more),
            _ => self.parts.push(TextPart::Characters(more.into())),
        }
    }

    /// Takes off the line break behind the opening quotes and the one before the closing quotes.
    fn trim_first_and_last_break(&mut self) {
        if let Some(TextPart::Characters(first)) = self.parts.first_mut() {
            let trimmed = first.trim_start_matches([' ', '\t']);
            if let Some(rest) = trimmed.strip_prefix('\n') {
                *first = rest.into();
            }
        }
        if let Some(TextPart::Characters(last)) = self.parts.last_mut() {
            let trimmed = last.trim_end_matches([' ', '\t']);
            if let Some(rest) = trimmed.strip_suffix('\n') {
                *last = rest.into();
            }
        }
        self.parts.retain(|part| !matches!(part, TextPart::Characters(characters) if characters.is_empty()));
    }
}

/// The blanks before the closing quotes, when these stand on a line of their own.
fn indentation_of_close(written: &str) -> &str {
    let body = written.strip_suffix("\"\"\"").unwrap_or(written);
    let last_line = body.rfind('\n').map_or("", |at| &body[at + 1..]);
    if last_line.bytes().all(|byte| matches!(byte, b' ' | b'\t')) { last_line } else { "" }
}

/// `characters` with `indentation` taken off behind every line break; `\r\n` becomes `\n`.
fn without_indentation(characters: &str, indentation: &str) -> String {
    let mut lines = characters.split('\n');
    let mut result = lines.next().unwrap_or("").trim_end_matches('\r').to_owned();
    for line in lines {
        result.push('\n');
        let line = line.strip_suffix('\r').unwrap_or(line);
        let common = line.bytes().zip(indentation.bytes()).take_while(|(a, b)| a == b).count();
        result.push_str(&line[common..]);
    }
    result
}
