//! Cells that say something plain, read without the grammar.
//!
//! A large table is made of them: `-`, `gold`, `north, east`, `3..25`, `>= 1000 EUR`, `>= 3 and < 9`, `not "DE"`. To
//! begin a parse costs more than to read such a cell. The grammar says what a cell is; this reader makes the same tree of
//! what it knows, which a test holds against the grammar, and leaves everything else to it.

use super::cell::{single_or, value_or_range};
use super::operators::Infix;
use super::{ColumnRole, KEYWORDS, Lower};
use crate::syntax::tree::{Cell, Expr, ExprKind, TextLiteral, TextPart};
use crate::text::Span;

const COMPARISONS: [&str; 6] = ["==", "!=", "<=", ">=", "<", ">"];
const UNITS: [&str; 6] = ["millisecond", "second", "minute", "hour", "day", "week"];

impl Lower<'_> {
    /// What a cell says, when it says something plain; none when the grammar has to be asked.
    pub fn plain_cell(&mut self, role: ColumnRole, text: &str) -> Option<Cell> {
        let reported = self.findings.len();
        let mut reader = Reader { lower: self, text, at: 0 };
        let cell = match (role, text) {
            (ColumnRole::Test | ColumnRole::Condition, "-") => return Some(Cell::Anything),
            (ColumnRole::Condition, "otherwise") => return Some(Cell::Otherwise),
            (ColumnRole::Condition, _) => return None,
            (ColumnRole::Test, _) => reader.tests(),
            (ColumnRole::Outcome, _) => reader.literal().map(Cell::Outcome),
        };
        let read = cell.filter(|_| reader.at == text.len());
        if read.is_none() {
            self.findings.truncate(reported);
        }
        read
    }
}

struct Reader<'l, 'f, 't> {
    lower: &'l mut Lower<'f>,
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'_, '_, 't> {
    fn rest(&self) -> &'t [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn eat(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign.as_bytes());
        self.at += if found { sign.len() } else { 0 };
        found
    }

    fn eat_while(&mut self, wanted: impl Fn(u8) -> bool) -> usize {
        let count = self.rest().iter().take_while(|byte| wanted(**byte)).count();
        self.at += count;
        count
    }

    fn digits(&mut self) -> usize {
        self.eat_while(|byte| byte.is_ascii_digit())
    }

    /// What was read since `start`, and its place.
    fn since(&self, start: usize) -> (&'t str, Span) {
        let offset = self.lower.offset;
        (self.text.get(start..self.at).unwrap_or(""), Span::new(self.lower.source, offset + start, offset + self.at))
    }

    fn tests(&mut self) -> Option<Cell> {
        let mut cells = vec![self.joined()?];
        // A comma without a blank may have been meant for a decimal.
        while self.eat(", ") {
            cells.push(self.joined()?);
        }
        let compares = cells.len() > 1 && cells.iter().any(|cell| matches!(cell, Cell::Compare(..)));
        (!compares).then(|| single_or(cells, Cell::OneOf))
    }

    fn joined(&mut self) -> Option<Cell> {
        let mut cells = vec![self.test()?];
        while self.eat(" and ") {
            cells.push(self.test()?);
        }
        Some(single_or(cells, Cell::And))
    }

    fn test(&mut self) -> Option<Cell> {
        if self.eat("not ") { Some(Cell::Not(Box::new(self.bare_test()?))) } else { self.bare_test() }
    }

    fn bare_test(&mut self) -> Option<Cell> {
        if let Some(sign) = COMPARISONS.into_iter().find(|sign| self.eat(sign)) {
            self.eat(" ");
            let value = self.literal()?;
            let Infix::Binary(operator) = Infix::from_sign(sign) else { return None };
            return Some(Cell::Compare(operator, value));
        }
        let start = self.at;
        self.eat_while(is_of_word);
        match self.since(start).0 {
            "otherwise" => return Some(Cell::Otherwise),
            "some" => return Some(Cell::Some),
            _ => self.at = start,
        }
        let value = self.literal()?;
        if self.eat("..") {
            return Some(Cell::Range(value, self.literal()?));
        }
        Some(value_or_range(value))
    }

    fn literal(&mut self) -> Option<Expr> {
        let start = self.at;
        let kind = match self.rest().first()? {
            b'"' => self.plain_text()?,
            b'0'..=b'9' => {
                self.number()?;
                let (written, span) = self.since(start);
                self.lower.number(written, span)
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                self.eat_while(is_of_word);
                match self.since(start).0 {
                    "none" => ExprKind::None,
                    "true" => ExprKind::Bool(true),
                    "false" => ExprKind::Bool(false),
                    "null" | "nil" | "undefined" | "NULL" => return None,
                    word if KEYWORDS.contains(&word) => return None,
                    word => ExprKind::Name(word.into()),
                }
            }
            _ => return None,
        };
        Some(Expr { kind, span: self.since(start).1 })
    }

    /// A text on one line without values and escapes.
    fn plain_text(&mut self) -> Option<ExprKind> {
        let start = self.at;
        self.at += 1;
        let length = self.eat_while(|byte| !matches!(byte, b'"' | b'\\' | b'{' | b'\n'));
        let characters = self.since(start + 1).0;
        // Three quotes begin a long text.
        if !self.eat("\"") || length == 0 && self.rest().starts_with(b"\"") {
            return None;
        }
        let parts = if length == 0 { Vec::new() } else { vec![TextPart::Characters(characters.into())] };
        Some(ExprKind::Text(TextLiteral { parts, multiline: false, span: self.since(start).1 }))
    }

    /// Takes a number with its `%`, currency or unit, a day or a time.
    fn number(&mut self) -> Option<()> {
        let whole = self.digits();
        match (whole, self.rest()) {
            (2, [b':', ..]) => {
                self.at += 1;
                return (self.digits() == 2 && !self.rest().starts_with(b":")).then_some(());
            }
            (4, [b'-', ..]) => {
                let is_day = self.eat("-") && self.digits() == 2 && self.eat("-") && self.digits() == 2;
                return is_day.then_some(());
            }
            (_, [b'.', b'0'..=b'9', ..]) => {
                self.at += 1;
                self.digits();
                self.percent_or_currency();
            }
            _ if self.percent_or_currency() => {}
            _ => self.unit(),
        }
        Some(())
    }

    fn percent_or_currency(&mut self) -> bool {
        let letters = match self.rest() {
            [b' ', b'A'..=b'Z', b'A'..=b'Z', b'A'..=b'Z', after @ ..] => {
                !after.first().is_some_and(|byte| is_of_word(*byte) || !byte.is_ascii())
            }
            _ => false,
        };
        if letters {
            self.at += " EUR".len();
        }
        letters || self.eat("%")
    }

    fn unit(&mut self) {
        let begin = self.at;
        if !self.eat(" ") {
            return;
        }
        let start = self.at;
        self.eat_while(is_of_word);
        let unit = self.since(start).0;
        if !UNITS.contains(&unit.strip_suffix('s').unwrap_or(unit)) {
            self.at = begin;
        }
    }
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
