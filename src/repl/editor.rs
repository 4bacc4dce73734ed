//! The line editor: input over several lines, history, completion, colours.

use super::highlight::highlight;
use crate::syntax;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};
use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

/// What can be typed at a place: asked at every press of the tabulator.
pub trait Vocabulary {
    /// The names that may stand at the start of an expression, and the commands.
    fn names(&self) -> Vec<String>;
    /// The fields and methods that may stand behind the dot of this expression; empty when it has no type.
    fn members(&mut self, expression: &str) -> Vec<String>;
}

/// Helps the editor to understand the language.
pub struct LineHelper<V: Vocabulary> {
    vocabulary: Rc<RefCell<V>>,
    colors: bool,
}

impl<V: Vocabulary> LineHelper<V> {
    /// A helper that completes from `vocabulary`, and colours where the terminal can.
    pub fn new(vocabulary: Rc<RefCell<V>>, colors: bool) -> Self {
        LineHelper { vocabulary, colors }
    }
}

impl<V: Vocabulary> Helper for LineHelper<V> {}

impl<V: Vocabulary> Hinter for LineHelper<V> {
    type Hint = String;
}

impl<V: Vocabulary> Validator for LineHelper<V> {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        let input = context.input();
        // An empty line ends an input that does not want to end otherwise: its errors are then shown.
        let gives_up = input.ends_with("\n\n");
        let waits = !input.trim_start().starts_with(':') && syntax::is_incomplete(input) && !gives_up;
        Ok(if waits { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl<V: Vocabulary> Highlighter for LineHelper<V> {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if self.colors { Cow::Owned(highlight(line)) } else { Cow::Borrowed(line) }
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        self.colors
    }
}

impl<V: Vocabulary> Completer for LineHelper<V> {
    type Candidate = Pair;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..position).unwrap_or(line);
        let start = word_start(before);
        let word = &before[start..];
        let Ok(mut vocabulary) = self.vocabulary.try_borrow_mut() else { return Ok((start, Vec::new())) };
        let candidates = match before[..start].strip_suffix('.') {
            Some(receiver) => vocabulary.members(&receiver[receiver_start(receiver)..]),
            None => vocabulary.names(),
        };
        let mut fitting: Vec<String> = candidates.into_iter().filter(|name| name.starts_with(word)).collect();
        fitting.sort();
        fitting.dedup();
        Ok((start, fitting.into_iter().map(|name| Pair { display: name.clone(), replacement: name }).collect()))
    }
}

/// Where the word begins that ends with the text; commands begin with a colon.
fn word_start(text: &str) -> usize {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let start = text.char_indices().rev().take_while(|(_, c)| is_word(*c)).last().map_or(text.len(), |(at, _)| at);
    if text[..start].trim_start() == ":" { start - 1 } else { start }
}

/// Where the expression begins that ends with the text: names, dots and whole brackets.
fn receiver_start(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut start = text.len();
    for (at, c) in text.char_indices().rev() {
        match c {
            ')' | ']' => depth += 1,
            '(' | '[' if depth == 0 => break,
            '(' | '[' => depth -= 1,
            _ if depth > 0 => {}
            c if c.is_alphanumeric() || matches!(c, '_' | '.' | '?' | '"') => {}
            _ => break,
        }
        start = at;
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_receiver_of_a_dot_is_the_whole_chain() {
        let line = "let x = Order.where(it.total > 5 EUR).";
        let receiver = line.strip_suffix('.').unwrap();
        assert_eq!(&receiver[receiver_start(receiver)..], "Order.where(it.total > 5 EUR)");
        assert_eq!(&"f(rows[0]"[receiver_start("f(rows[0]")..], "rows[0]");
    }

    #[test]
    fn a_word_ends_at_the_cursor_and_a_command_has_its_colon() {
        assert_eq!(word_start("let sum = tot"), 10);
        assert_eq!(word_start(":he"), 0);
        assert_eq!(word_start("a.b"), 2);
        assert_eq!(word_start("客户"), 0);
    }
}
