//! Numbers, amounts, dates, times, durations.

use super::Lower;
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;
use crate::syntax::grammar::{Pair, Rule};
use crate::syntax::tree::{ExprKind, Name};
use crate::text::Span;
use rust_decimal::Decimal;

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
    /// A literal that begins with a digit.
    pub fn number(&mut self, pair: Pair) -> ExprKind {
        let span = self.span(&pair);
        let written = pair.as_str();
        match pair.as_rule() {
            Rule::integer => self.integer(written, span).map_or(ExprKind::Broken, ExprKind::Int),
            Rule::decimal => self.decimal(written, span).map_or(ExprKind::Broken, ExprKind::Decimal),
            Rule::percent => {
                self.decimal(written.trim_end_matches('%'), span).map_or(ExprKind::Broken, ExprKind::Percent)
            }
            Rule::money => self.money(pair, span),
            Rule::duration => self.duration(pair, span),
            Rule::date => match written.parse() {
                Ok(date) => ExprKind::Date(date),
                Err(_) => self.no_such(span, "date", written, "year, month and day, as in `2026-11-22`"),
            },
            Rule::time => match written.parse() {
                Ok(time) => ExprKind::Time(time),
                Err(_) => self.no_such(span, "time", written, "hours up to 23 and minutes up to 59, as in `06:30`"),
            },
            _ => match written.parse() {
                Ok(instant) => ExprKind::Instant(instant),
                Err(_) => self.no_such(
                    span,
                    "moment",
                    written,
                    "a date, `T`, a time and `Z` or an offset, as in `2026-11-22T06:00+01:00`",
                ),
            },
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

    fn money(&mut self, pair: Pair, span: Span) -> ExprKind {
        let mut inner = pair.into_inner();
        let (Some(amount), Some(currency)) = (inner.next(), inner.next()) else { return ExprKind::Broken };
        let currency: Name = self.free_name(&currency);
        match self.decimal(amount.as_str(), span) {
            Some(amount) => ExprKind::Money { amount, currency },
            None => ExprKind::Broken,
        }
    }

    fn duration(&mut self, pair: Pair, span: Span) -> ExprKind {
        let mut inner = pair.into_inner();
        let (Some(count), Some(unit)) = (inner.next(), inner.next()) else { return ExprKind::Broken };
        let Some(count) = self.integer(count.as_str(), span) else { return ExprKind::Broken };
        let unit = unit.as_str();
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

fn without_separators(written: &str) -> String {
    written.replace('_', "")
}
