//! Methods of texts. Positions and lengths count characters.

use super::{Arguments, at_least_none, count, unknown};
use crate::library::Operation;
use crate::value::parse::{self, Numbers};
use crate::value::{Currency, Decimal, EcoString, Value};
use crate::vm::Limits;
use crate::vm::problem::{Problem, Result};
use jiff::civil::Date;
use rust_decimal::prelude::FromPrimitive;

pub(super) fn perform(operation: Operation, mut given: Arguments, limits: &Limits) -> Result<Value> {
    let text = given.text(0);
    let texts = |parts: Vec<Value>| match parts.len() <= limits.list_length {
        true => Ok(Value::list(parts)),
        false => Err(Problem::Limit("the length of a list".into())),
    };
    Ok(match operation {
        Operation::TextLength => count(text.chars().count()),
        Operation::TextIsEmpty => Value::Bool(text.is_empty()),
        Operation::TextIsBlank => Value::Bool(text.trim().is_empty()),
        Operation::TextUpper => Value::from(text.to_uppercase()),
        Operation::TextLower => Value::from(text.to_lowercase()),
        Operation::TextTitle => Value::from(title(text)),
        Operation::TextTrim => match text.trim() {
            trimmed if trimmed.len() == text.len() => given.take(0),
            trimmed => Value::from(trimmed),
        },
        Operation::TextSquash => Value::from(text.split_whitespace().collect::<Vec<_>>().join(" ")),
        Operation::TextContains => Value::Bool(text.contains(given.text(1))),
        Operation::TextStartsWith => Value::Bool(text.starts_with(given.text(1))),
        Operation::TextEndsWith => Value::Bool(text.ends_with(given.text(1))),
        Operation::TextReplace => replace(text, given.text(1), given.text(2), limits)?,
        Operation::TextSplit => match given.text(1) {
            "" => Value::list(vec![given.take(0)]),
            by => texts(text.split(by).map(Value::from).collect())?,
        },
        Operation::TextLines => texts(text.lines().map(Value::from).collect())?,
        Operation::TextWords => texts(text.split_whitespace().map(Value::from).collect())?,
        Operation::TextSlice => Value::from(slice(text, given.int(1), given.int(2))),
        Operation::TextBefore => match text.find(given.text(1)) {
            Some(at) => Value::from(text.get(..at).unwrap_or("")),
            None => given.take(0),
        },
        Operation::TextAfter => match text.split_once(given.text(1)) {
            Some((_, after)) => Value::from(after),
            None => Value::from(""),
        },
        Operation::TextPadLeft => pad(text, given.int(1), given.text(2), true, limits)?,
        Operation::TextPadRight => pad(text, given.int(1), given.text(2), false, limits)?,
        Operation::TextDigits => Value::Text(text.chars().filter(char::is_ascii_digit).collect()),
        Operation::TextToInt => Value::from(number(text).and_then(|text| text.parse::<i64>().ok())),
        Operation::TextToDecimal => Value::from(number(text).and_then(|text| Decimal::from_str_exact(text).ok())),
        Operation::TextToMoney => {
            let currency = match given.text(1) {
                "" => None,
                code => match Currency::from_code(code) {
                    Some(currency) => Some(currency),
                    None => return Ok(Value::None),
                },
            };
            Value::from(parse::money(text, Numbers::Point, currency).ok())
        }
        Operation::TextToDate => match Date::strptime(given.text(1), text) {
            Ok(date) if date.year() >= 1 => Value::Date(date),
            _ => Value::None,
        },
        Operation::TextIsEmail => Value::Bool(is_email(text)),
        Operation::TextMask => Value::Text(mask(text)),
        Operation::TextLastFour => {
            let start = text.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
            Value::from(text.get(start..).unwrap_or(""))
        }
        Operation::TextSimilarity => similarity(text, given.text(1))?,
        other => return unknown(other),
    })
}

fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        match inside {
            false => out.extend(c.to_uppercase()),
            true => out.push(c),
        }
        inside = !c.is_whitespace();
    }
    out
}

fn replace(text: &str, old: &str, new: &str, limits: &Limits) -> Result<Value> {
    if old.is_empty() {
        return Ok(Value::from(text));
    }
    // Counted before anything is built: the result may be much larger than what it is made of.
    if new.len() > old.len() {
        let found = text.matches(old).count();
        let length = found.saturating_mul(new.len() - old.len()).saturating_add(text.len());
        within(length, limits)?;
    }
    Ok(Value::from(text.replace(old, new)))
}

fn within(length: usize, limits: &Limits) -> Result<()> {
    if length > limits.text_length { Err(Problem::Limit("the length of a text".into())) } else { Ok(()) }
}

/// Both ends count; negative positions count from the end, -1 being the last character.
fn slice(text: &str, from: i64, to: i64) -> &str {
    let length = || i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let at = |position: i64| if position < 0 { position.saturating_add(length()) } else { position };
    let (from, to) = (at(from).max(0), at(to));
    if to < from {
        return "";
    }
    let byte = |position: i64| {
        let position = usize::try_from(position).unwrap_or(usize::MAX);
        text.char_indices().nth(position).map_or(text.len(), |(at, _)| at)
    };
    text.get(byte(from)..byte(to.saturating_add(1))).unwrap_or("")
}

fn pad(text: &str, width: i64, with: &str, left: bool, limits: &Limits) -> Result<Value> {
    let missing = at_least_none(width).saturating_sub(text.chars().count());
    if missing == 0 || with.is_empty() {
        return Ok(Value::from(text));
    }
    // A character has four bytes at most.
    within(missing.saturating_mul(4).saturating_add(text.len()), limits)?;
    let filling = with.chars().cycle().take(missing);
    Ok(Value::from(match left {
        true => filling.chain(text.chars()).collect::<String>(),
        false => text.chars().chain(filling).collect::<String>(),
    }))
}

/// A number written with a sign, digits and a point alone, without blanks around it.
fn number(text: &str) -> Option<&str> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let starts_and_ends_with_digits = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    starts_and_ends_with_digits.then(|| text.strip_prefix('+').unwrap_or(text))
}

/// The form of an address that mail servers of today take: something, `@`, and a domain with a point.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |part: &str| !part.chars().any(|c| c.is_whitespace() || c.is_control() || "()<>[],;:\\\"".contains(c));
    let label =
        |label: &str| !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-');
    let dotted = |part: &str| !part.starts_with('.') && !part.ends_with('.') && !part.contains("..");
    (1..=64).contains(&local.len())
        && text.len() <= 254
        && plain(local)
        && plain(domain)
        && dotted(local)
        && !local.contains('@')
        && domain.contains('.')
        && domain.split('.').all(label)
}

fn mask(text: &str) -> EcoString {
    let mut inside = false;
    text.chars()
        .map(|c| {
            let shown = if inside && !c.is_whitespace() { '*' } else { c };
            inside = !c.is_whitespace();
            shown
        })
        .collect()
}

/// Jaro-Winkler to four digits of the share. Winkler, W. E. (1990), String Comparator Metrics.
fn similarity(left: &str, right: &str) -> Result<Value> {
    // The time grows with the product of the lengths.
    const MOST: usize = 10_000;
    if left.len().max(right.len()) > MOST {
        return Err(Problem::Limit(format!("{MOST} bytes of texts that are compared for similarity")));
    }
    let share = Decimal::from_f64(strsim::jaro_winkler(left, right)).unwrap_or_default();
    Ok(Value::Percent(share.round_dp(4).normalize()))
}
