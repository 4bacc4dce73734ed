//! Values as columns: the written form of each kind, so that people can read a store with any tool.
//!
//! Texts, dates, times and instants sort by their bytes as the language sorts them; decimals keep every
//! digit and are compared by the collation `decimal` (see the `function` file).

use super::document;
use super::failure::{Done, bad_record, internal};
use super::types::{Kind, Types};
use crate::value::decimal::{short, write_short};
use crate::value::{Currency, Date, Decimal, Duration, EcoString, Instant, Money, Time, Value, display, literal};
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};
use std::fmt::Write;

/// What goes into one column.
#[derive(Debug)]
pub(super) enum Part<'v> {
    Null,
    Int(i64),
    Text(&'v str),
    /// A written form made for the purpose; none is longer.
    Short(Short),
    Long(String),
}

/// A text of a few bytes that needs no memory of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Short {
    length: u8,
    bytes: [u8; 39],
}

impl Short {
    const EMPTY: Short = Short { length: 0, bytes: [0; 39] };

    /// The text.
    pub fn as_str(&self) -> &str {
        self.bytes.get(..usize::from(self.length)).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    fn digits(&mut self, number: u32, width: u32) {
        for place in (0..width).rev() {
            let digit = (number / 10_u32.pow(place)) % 10;
            // Ten digits at most are asked for, of numbers that have no more.
            self.byte(b'0' + u8::try_from(digit).unwrap_or(0));
        }
    }

    fn byte(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(usize::from(self.length)) {
            *place = byte;
            self.length += 1;
        }
    }
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = usize::from(self.length) + text.len();
        let Some(place) = self.bytes.get_mut(usize::from(self.length)..end) else { return Err(std::fmt::Error) };
        place.copy_from_slice(text.as_bytes());
        self.length = u8::try_from(end).map_err(|_| std::fmt::Error)?;
        Ok(())
    }
}

impl Part<'_> {
    /// The same, on its own.
    pub fn owned(&self) -> rusqlite::types::Value {
        match self {
            Part::Null => rusqlite::types::Value::Null,
            Part::Int(value) => rusqlite::types::Value::Integer(*value),
            Part::Text(text) => rusqlite::types::Value::Text((*text).to_string()),
            Part::Short(short) => rusqlite::types::Value::Text(short.as_str().to_string()),
            Part::Long(text) => rusqlite::types::Value::Text(text.clone()),
        }
    }
}

impl ToSql for Part<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Part::Null => ValueRef::Null,
            Part::Int(value) => ValueRef::Integer(*value),
            Part::Text(text) => ValueRef::Text(text.as_bytes()),
            Part::Short(short) => ValueRef::Text(short.as_str().as_bytes()),
            Part::Long(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

/// Writes a value into its columns, one call of `put` a column.
pub(super) fn write<'v>(
    kind: &Kind,
    types: &'v Types,
    value: &'v Value,
    put: &mut dyn FnMut(Part<'v>) -> Done<()>,
) -> Done<()> {
    match (kind, value) {
        (_, Value::None) => {
            for _ in kind.suffixes() {
                put(Part::Null)?;
            }
            Ok(())
        }
        (Kind::Text, Value::Text(text)) => put(Part::Text(text)),
        (Kind::Bool, Value::Bool(value)) => put(Part::Int(i64::from(*value))),
        (Kind::Int, Value::Int(value)) => put(Part::Int(*value)),
        (Kind::Decimal, Value::Decimal(value)) | (Kind::Percent, Value::Percent(value)) => put(decimal(*value)),
        (Kind::Money, Value::Money(money)) => {
            put(decimal(money.amount))?;
            put(Part::Text(money.currency.code()))
        }
        (Kind::Date, Value::Date(value)) => {
            let mut out = Short::EMPTY;
            date(*value, &mut out);
            put(Part::Short(out))
        }
        (Kind::Time, Value::Time(value)) => put(Part::Short(time(*value))),
        (Kind::Instant, Value::Instant(value)) => put(Part::Short(instant(*value))),
        (Kind::Duration, Value::Duration(value)) => put(Part::Int(value.milliseconds())),
        (Kind::Enum(id), Value::Enum(member)) if member.type_id == *id => {
            match types.members(*id).get(usize::from(member.member)) {
                Some(name) => put(Part::Text(name)),
                None => Err(internal("a member of an enum that the program does not have")),
            }
        }
        (Kind::Reference(entity, key), value) => match key_of(*entity, types, value) {
            Some(inner) => write(key, types, inner, put),
            None => Err(unfit(kind, value)),
        },
        (Kind::Document(ty), value) => put(Part::Long(document::write(ty, types, value)?)),
        (kind, value) => Err(unfit(kind, value)),
    }
}

/// The key that a value names a record of the entity by: a reference, a record, or the key itself.
pub(super) fn key_of<'v>(entity: crate::value::RecordId, types: &Types, value: &'v Value) -> Option<&'v Value> {
    match value {
        Value::Reference(reference) if reference.entity == entity => Some(&reference.key),
        Value::Record(record) if record.type_id == entity => {
            record.fields.get(types.shape(entity).and_then(|shape| shape.key)?)
        }
        value => Some(value),
    }
}

fn unfit(kind: &Kind, value: &Value) -> super::failure::Trouble {
    internal(format!("a value of type {} where the store keeps {}", value.kind(), kind.word()))
}

/// Reads a value from its columns, which `next` gives one after another.
pub(super) fn read<'r>(kind: &Kind, types: &Types, next: &mut dyn FnMut() -> Done<ValueRef<'r>>) -> Done<Value> {
    let first = next()?;
    if let Kind::Money = kind {
        let second = next()?;
        return match (first, second) {
            (ValueRef::Null, _) | (_, ValueRef::Null) => Ok(Value::None),
            (amount, currency) => {
                let amount = read_decimal(text(amount, kind)?)?;
                let code = text(currency, kind)?;
                let currency =
                    Currency::from_code(code).ok_or_else(|| bad_record(format!("`{code}` is no currency")))?;
                Ok(Value::Money(Money::new(amount, currency)))
            }
        };
    }
    if let Kind::Reference(entity, key) = kind {
        let mut first = Some(first);
        let inner = read(key, types, &mut || first.take().map_or_else(&mut *next, Ok))?;
        return Ok(if inner.is_none() { Value::None } else { Value::reference(*entity, inner) });
    }
    if first == ValueRef::Null {
        return Ok(Value::None);
    }
    Ok(match kind {
        Kind::Bool => Value::Bool(int(first, kind)? != 0),
        Kind::Int => Value::Int(int(first, kind)?),
        Kind::Duration => Value::Duration(Duration::from_milliseconds(int(first, kind)?)),
        Kind::Text => Value::Text(EcoString::from(text(first, kind)?)),
        Kind::Decimal => Value::Decimal(read_decimal(text(first, kind)?)?),
        Kind::Percent => Value::Percent(read_decimal(text(first, kind)?)?),
        Kind::Date => Value::Date(read_date(text(first, kind)?)?),
        Kind::Time => Value::Time(read_time(text(first, kind)?)?),
        Kind::Instant => Value::Instant(read_instant(text(first, kind)?)?),
        Kind::Enum(id) => {
            let name = text(first, kind)?;
            let member = types.members(*id).iter().position(|member| member == name);
            let member = member.and_then(|member| u16::try_from(member).ok());
            Value::member(*id, member.ok_or_else(|| bad_record(format!("`{name}` is not a member of the enum")))?)
        }
        Kind::Document(ty) => document::read(ty, types, text(first, kind)?)?,
        Kind::Money | Kind::Reference(..) => return Err(internal("read before")),
    })
}

fn text<'r>(value: ValueRef<'r>, kind: &Kind) -> Done<&'r str> {
    match value {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).map_err(|_| bad_record("a text is not UTF-8")),
        other => Err(bad_record(format!("{:?} where the store keeps {}", other.data_type(), kind.word()))),
    }
}

fn int(value: ValueRef<'_>, kind: &Kind) -> Done<i64> {
    match value {
        ValueRef::Integer(value) => Ok(value),
        other => Err(bad_record(format!("{:?} where the store keeps {}", other.data_type(), kind.word()))),
    }
}

/// A decimal with the digits it was written with: `1.50` stays `1.50`.
fn decimal<'v>(value: Decimal) -> Part<'v> {
    let mut out = Short::EMPTY;
    if let Some(short) = short(value) {
        write_short(short, &mut |byte| out.byte(byte));
        return Part::Short(out);
    }
    match write!(out, "{value}") {
        Ok(()) => Part::Short(out),
        Err(_) => Part::Long(value.to_string()),
    }
}

/// A stored decimal.
pub(super) fn read_decimal(text: &str) -> Done<Decimal> {
    Decimal::from_str_exact(text).map_err(|_| bad_record(format!("`{text}` is not a decimal number")))
}

fn date(value: Date, out: &mut Short) {
    out.digits(u32::from(value.year().unsigned_abs()), 4);
    out.byte(b'-');
    out.digits(u32::from(value.month().unsigned_abs()), 2);
    out.byte(b'-');
    out.digits(u32::from(value.day().unsigned_abs()), 2);
}

/// `06:00`, `06:00:30`, `06:00:30.250`: a shorter form is the beginning of a longer one, so that bytes sort as times.
pub(super) fn time(value: Time) -> Short {
    let mut out = Short::EMPTY;
    out.digits(u32::from(value.hour().unsigned_abs()), 2);
    out.byte(b':');
    out.digits(u32::from(value.minute().unsigned_abs()), 2);
    let nanoseconds = u32::try_from(value.subsec_nanosecond()).unwrap_or(0);
    if value.second() != 0 || nanoseconds != 0 {
        out.byte(b':');
        out.digits(u32::from(value.second().unsigned_abs()), 2);
    }
    if nanoseconds % 1_000_000 != 0 {
        out.byte(b'.');
        out.digits(nanoseconds, 9);
    } else if nanoseconds != 0 {
        out.byte(b'.');
        out.digits(nanoseconds / 1_000_000, 3);
    }
    out
}

/// `2026-11-22T06:00:00.000Z`: always as long, so that bytes sort as instants.
pub(super) fn instant(value: Instant) -> Short {
    let moment = jiff::tz::Offset::UTC.to_datetime(value.timestamp());
    let mut out = Short::EMPTY;
    date(moment.date(), &mut out);
    out.byte(b'T');
    out.digits(u32::from(moment.hour().unsigned_abs()), 2);
    out.byte(b':');
    out.digits(u32::from(moment.minute().unsigned_abs()), 2);
    out.byte(b':');
    out.digits(u32::from(moment.second().unsigned_abs()), 2);
    out.byte(b'.');
    out.digits(u32::from(moment.millisecond().unsigned_abs()), 3);
    out.byte(b'Z');
    out
}

/// A stored date.
pub(super) fn read_date(text: &str) -> Done<Date> {
    let bytes = text.as_bytes();
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        bytes
            .get(range)?
            .iter()
            .try_fold(0_i64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
    };
    let parts = (bytes.len() == 10 && bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-'))
        .then(|| Some((number(0..4)?, number(5..7)?, number(8..10)?)))
        .flatten();
    parts
        .and_then(|(year, month, day)| crate::value::temporal::date(year, month, day).ok())
        .ok_or_else(|| bad_record(format!("`{text}` is not a date such as 2026-11-22")))
}

/// A stored time of day.
pub(super) fn read_time(text: &str) -> Done<Time> {
    let wrong = || bad_record(format!("`{text}` is not a time such as 06:00"));
    // Finer than the language writes times, and as fine as it may keep them.
    if text.len() == 18 {
        return text.parse::<Time>().map_err(|_| wrong());
    }
    literal::time(text).map_err(|_| wrong())
}

/// A stored instant.
pub(super) fn read_instant(text: &str) -> Done<Instant> {
    literal::instant(text).map_err(|_| bad_record(format!("`{text}` is not an instant such as 2026-11-22T06:00:00Z")))
}

/// A value for people, for messages; hidden where the field's label says so.
pub(super) fn shown(types: &Types, value: &Value, hidden: bool) -> EcoString {
    if hidden { "(hidden)".into() } else { display(value, types).into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::temporal;
    use proptest::prelude::*;

    fn columns(kind: &Kind, value: &Value) -> Vec<String> {
        let (types, mut out) = (Types::default(), Vec::new());
        write(kind, &types, value, &mut |part| {
            out.push(match part {
                Part::Null => "NULL".to_string(),
                Part::Int(value) => value.to_string(),
                Part::Text(text) => text.to_string(),
                Part::Short(short) => short.as_str().to_string(),
                Part::Long(text) => text,
            });
            Ok(())
        })
        .unwrap();
        out
    }

    fn back(kind: &Kind, value: &Value) -> Value {
        let texts = columns(kind, value);
        let mut texts = texts.iter();
        read(kind, &Types::default(), &mut || Ok(ValueRef::Text(texts.next().unwrap().as_bytes()))).unwrap()
    }

    #[test]
    fn written_forms() {
        let instant = Value::Instant(Instant::from_milliseconds(1_795_327_200_000).unwrap());
        assert_eq!(columns(&Kind::Instant, &instant), ["2026-11-22T06:00:00.000Z"]);
        let money = Value::Money(Money::new(Decimal::new(9990, 2), Currency::EUR));
        assert_eq!(columns(&Kind::Money, &money), ["99.90", "EUR"]);
        assert_eq!(columns(&Kind::Money, &Value::None), ["NULL", "NULL"]);
        assert_eq!(columns(&Kind::Percent, &Value::Percent(Decimal::new(15, 2))), ["0.15"]);
        assert_eq!(columns(&Kind::Date, &Value::Date(temporal::date(7, 1, 2).unwrap())), ["0007-01-02"]);
        assert_eq!(columns(&Kind::Time, &Value::Time(temporal::time(6, 0, 0).unwrap())), ["06:00"]);
        assert_eq!(columns(&Kind::Decimal, &Value::Decimal(Decimal::MIN)), [Decimal::MIN.to_string()]);
    }

    proptest! {
        #[test]
        fn instants_come_back_and_sort(
            a in -62_135_596_800_000_i64..253_402_207_200_000,
            b in -62_135_596_800_000_i64..253_402_207_200_000,
        ) {
            let [a, b] = [a, b].map(|at| Value::Instant(Instant::from_milliseconds(at).unwrap()));
            prop_assert_eq!(&back(&Kind::Instant, &a), &a);
            prop_assert_eq!(columns(&Kind::Instant, &a).cmp(&columns(&Kind::Instant, &b)), a.cmp(&b));
        }

        #[test]
        fn times_come_back_and_sort(a in 0..86_400_000_000_000_i64, b in 0..86_400_000_i64, c in 0..1440_i64) {
            let fine = temporal::time_from_milliseconds(a / 1_000_000).unwrap()
                .checked_add(jiff::SignedDuration::from_nanos(a % 1_000_000)).unwrap();
            let milliseconds = temporal::time_from_milliseconds(b).unwrap();
            let minutes = temporal::time_from_milliseconds(c * 60_000).unwrap();
            let values = [fine, milliseconds, minutes].map(Value::Time);
            for x in &values {
                prop_assert_eq!(&back(&Kind::Time, x), x);
                for y in &values {
                    prop_assert_eq!(columns(&Kind::Time, x).cmp(&columns(&Kind::Time, y)), x.cmp(y));
                }
            }
        }

        #[test]
        fn decimals_keep_every_digit(digits in prop_oneof![any::<i64>(), -1000_i64..1000], scale in 0_u32..=28) {
            let value = Decimal::from_i128_with_scale(i128::from(digits), scale);
            prop_assert_eq!(columns(&Kind::Decimal, &Value::Decimal(value)), [value.to_string()]);
            let Value::Decimal(read) = back(&Kind::Decimal, &Value::Decimal(value)) else { panic!("not a decimal") };
            prop_assert_eq!((read.mantissa(), read.scale()), (value.mantissa(), value.scale()));
        }
    }
}
