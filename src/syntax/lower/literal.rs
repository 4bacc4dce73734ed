//! Numbers, amounts, dates, times, durations.

use super::Lower;
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;
use crate::syntax::tree::{ExprKind, Name};
use crate::text::Span;
use rust_decimal::Decimal;
use std::borrow::Cow;

/// Milliseconds of a unit of time, by its name in the singular.
fn milliseconds_of(unit: &str) -> i64 {
    match unit {
        "millisecond" => 1,
        "second" => 1_000,
        "minute" => 60_000,
        "hour" => 3_600_000,
        "day" => 86_400_000,
        _ => 604_800_000,
    }
}

impl Lower<'_> {
    /// A literal that begins with a digit: what it is is seen by its characters.
    pub fn number(&mut self, written: &str, span: Span) -> ExprKind {
        let bytes = written.as_bytes();
        match bytes {
            [_, _, b':', ..] => match written.parse() {
                Ok(time) => ExprKind::Time(time),
                Err(_) => self.no_such(span, "time", written, "hours up to 23 and minutes up to 59, as in `06:30`"),
            },
            [_, _, _, _, b'-', ..] if written.contains('T') => self.instant(written, span),
            [_, _, _, _, b'-', ..] => match written.parse() {
                Ok(date) => ExprKind::Date(date),
                Err(_) => self.no_such(span, "date", written, "year, month and day, as in `2026-11-22`"),
            },
            [number @ .., b'%'] => {
                let number = written.get(..number.len()).unwrap_or("");
                self.decimal(number, span).map_or(ExprKind::Broken, ExprKind::Percent)
            }
            [.., b'A'..=b'Z'] => self.money(written, span),
            [.., b'a'..=b'z'] => self.duration(written, span),
            _ if bytes.contains(&b'.') => self.decimal(written, span).map_or(ExprKind::Broken, ExprKind::Decimal),
            _ => self.integer(written, span).map_or(ExprKind::Broken, ExprKind::Int),
        }
    }

    fn instant(&mut self, written: &str, span: Span) -> ExprKind {
        match written.parse() {
            Ok(instant) => ExprKind::Instant(instant),
            Err(_) => self.no_such(
                span,
                "moment",
                written,
                "a date, `T`, a time and `Z` or an offset, as in `2026-11-22T06:00+01:00`",
            ),
        }
    }

    fn no_such(&mut self, span: Span, what: &str, written: &str, form: &str) -> ExprKind {
        self.findings.push(
            Finding::new(&codes::LITERAL, span, format!("there is no {what} `{written}`"))
                .at("does not exist")
                .help(format!("write {form}")),
        );
        ExprKind::Broken
    }

    /// A whole number; reports one that does not fit into 64 bits.
    fn integer(&mut self, written: &str, span: Span) -> Option<i64> {
        let number = without_separators(written).parse().ok();
        if number.is_none() {
            self.findings.push(
                Finding::new(&codes::LITERAL, span, "this whole number is too large")
                    .at("does not fit into 64 bits")
                    .help("the largest is 9_223_372_036_854_775_807; write a decimal, `1.0`, for larger ones"),
            );
        }
        number
    }

    /// A decimal; reports one with more digits than are kept.
    fn decimal(&mut self, written: &str, span: Span) -> Option<Decimal> {
        let number = Decimal::from_str_exact(&without_separators(written)).ok();
        if number.is_none() {
            self.findings.push(
                Finding::new(&codes::LITERAL, span, "this number has too many digits")
                    .at("can't be kept exactly")
                    .help("28 digits are kept; leave out what is beyond"),
            );
        }
        number
    }

    fn money(&mut self, written: &str, span: Span) -> ExprKind {
        let (amount, letters) = number_and_word(written);
        let start = span.end - letters.len() as u32;
        let currency = Name { text: letters.into(), span: Span { start, ..span } };
        match self.decimal(amount, span) {
            Some(amount) => ExprKind::Money { amount, currency },
            None => ExprKind::Broken,
        }
    }

    fn duration(&mut self, written: &str, span: Span) -> ExprKind {
        let (count, unit) = number_and_word(written);
        let Some(count) = self.integer(count, span) else { return ExprKind::Broken };
        match count.checked_mul(milliseconds_of(unit.trim_end_matches('s'))) {
            Some(milliseconds) => ExprKind::Duration { milliseconds, count, unit: unit.into() },
            None => {
                self.findings.push(
                    Finding::new(&codes::LITERAL, span, "this duration is too long")
                        .at("longer than 292 million years")
                        .help("write a shorter one"),
                );
                ExprKind::Broken
            }
        }
    }
}

/// `99.90 EUR` in its two parts.
fn number_and_word(written: &str) -> (&str, &str) {
    let number = written.find(|c: char| c.is_ascii_whitespace()).unwrap_or(written.len());
    let (number, word) = written.split_at(number);
    (number, word.trim_start())
}

fn without_separators(written: &str) -> Cow<'_, str> {
    if written.contains('_') { written.replace('_', "").into() } else { written.into() }
}
