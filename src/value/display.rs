//! Values as people read them: the language's own written forms where it has one.

use super::decimal::{short, write_short};
use super::{Date, Decimal, Duration, EcoString, Instant, Money, Time, TypeNames, Value};
use jiff::tz::TimeZone;
use std::fmt::{self, Display, Write};

/// A value for people. A text stands as it is; inside a list, map or record it stands in quotes.
///
/// ```
/// use rpa::value::{NoNames, Value, display};
/// assert_eq!(display(&Value::list(vec![Value::Int(1), Value::text("a")]), &NoNames), "[1, \"a\"]");
/// ```
pub fn display(value: &Value, names: &dyn TypeNames) -> String {
    let mut out = String::new();
    display_to(value, names, &mut out);
    out
}

/// Appends a value for people to a text; as [`display`].
pub fn display_to(value: &Value, names: &dyn TypeNames, out: &mut String) {
    match value {
        Value::Text(text) => out.push_str(text),
        // Writing to a string does not fail.
        value => drop(write_value(out, value, names)),
    }
}

/// A value as a script would write it: as [`display`], with quotes around a text.
pub fn written(value: &Value, names: &dyn TypeNames) -> String {
    let mut out = String::new();
    let _ = write_value(&mut out, value, names);
    out
}

/// A decimal without zeros at its end: 1.50 is `1.5`.
pub fn decimal(value: Decimal) -> String {
    if let Some((is_negative, digits, scale)) = short(value) {
        let (digits, scale) = without_zeros(digits, scale, 0);
        return written_short(is_negative, digits, scale);
    }
    value.normalize().to_string()
}

/// A percent, given as its fraction: 0.15 is `15%`.
pub fn percent(fraction: Decimal) -> String {
    // The point is moved rather than the number multiplied: no digit can be lost.
    let fraction = fraction.normalize();
    let (digits, scale) = (fraction.mantissa(), fraction.scale());
    match scale.checked_sub(2).map(|scale| Decimal::try_from_i128_with_scale(digits, scale)) {
        Some(Ok(hundredths)) => format!("{hundredths}%"),
        _ if digits == 0 => "0%".to_string(),
        _ => format!("{digits}{}%", "0".repeat(2_usize.saturating_sub(scale as usize))),
    }
}

/// An amount with as many digits as its currency has, or more where it has more: `99.90`.
pub fn amount(money: Money) -> String {
    let least = money.currency.minor_digits().unwrap_or(0);
    if let Some((is_negative, digits, scale)) = short(money.amount).filter(|(.., scale)| *scale >= least) {
        let (digits, scale) = without_zeros(digits, scale, least);
        return written_short(is_negative, digits, scale);
    }
    let amount = money.amount.normalize();
    let digits = least.max(amount.scale());
    format!("{amount:.*}", digits as usize)
}

/// Digits without zeros at the end, as far as so many places behind the point may be left out.
fn without_zeros(mut digits: u64, mut scale: u32, least: u32) -> (u64, u32) {
    while scale > least && digits.is_multiple_of(10) {
        digits /= 10;
        scale -= 1;
    }
    (digits, scale)
}

fn written_short(is_negative: bool, digits: u64, scale: u32) -> String {
    let mut out = String::with_capacity(24);
    write_short((is_negative, digits, scale), &mut |byte| out.push(char::from(byte)));
    out
}

/// A date: `2026-11-22`.
pub fn date(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}

/// A time of day: `06:00`, with seconds where it has some.
pub fn time(time: Time) -> String {
    let mut out = format!("{:02}:{:02}", time.hour(), time.minute());
    let milliseconds = time.millisecond();
    if milliseconds != 0 {
        let _ = write!(out, ":{:02}.{milliseconds:03}", time.second());
    } else if time.second() != 0 {
        let _ = write!(out, ":{:02}", time.second());
    }
    out
}

/// An instant in UTC: `2026-11-22T06:00:00Z`, with milliseconds where it has some.
pub fn instant(instant: Instant) -> String {
    let moment = TimeZone::UTC.to_datetime(instant.timestamp());
    let mut out = format!("{}T{:02}:{:02}:{:02}", date(moment.date()), moment.hour(), moment.minute(), moment.second());
    if moment.millisecond() != 0 {
        let _ = write!(out, ".{:03}", moment.millisecond());
    }
    out.push('Z');
    out
}

/// A moment to the second, as people read it where they are: `2026-11-22 15:42:10`.
pub fn moment(instant: Instant, zone: &TimeZone) -> String {
    format!("{} {}", date(instant.date_in(zone)), clock(instant, zone))
}

/// The time of day of a moment, to the second: `15:42:10`.
pub fn clock(instant: Instant, zone: &TimeZone) -> String {
    let time = instant.time_in(zone);
    format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
}

/// A duration in the largest units that fit: `3 days`, `2 hours 30 minutes`, `-1 day`.
pub fn duration(duration: Duration) -> String {
    const UNITS: [(u64, &str); 5] = [
        (Duration::DAY as u64, "day"),
        (Duration::HOUR as u64, "hour"),
        (Duration::MINUTE as u64, "minute"),
        (Duration::SECOND as u64, "second"),
        (1, "millisecond"),
    ];
    let mut rest = duration.milliseconds().unsigned_abs();
    if rest == 0 {
        return "0 seconds".to_string();
    }
    let mut out = String::new();
    for (length, unit) in UNITS {
        let count = rest / length;
        rest %= length;
        if count == 0 {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        let _ = write!(out, "{count} {unit}{}", if count == 1 { "" } else { "s" });
    }
    if duration.milliseconds() < 0 { format!("-{out}") } else { out }
}

/// A text in quotes, with the escapes of the language.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '"' | '\\' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{{{:X}}}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

impl Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Most amounts have as many digits as their currency already.
        match self.currency.minor_digits() {
            Some(digits) if digits == self.amount.scale() && !self.amount.is_zero() => {
                write!(f, "{} {}", self.amount, self.currency)
            }
            _ => write!(f, "{} {}", amount(*self), self.currency),
        }
    }
}

impl Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&instant(*self))
    }
}

impl Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&duration(*self))
    }
}

fn write_value(out: &mut String, value: &Value, names: &dyn TypeNames) -> fmt::Result {
    match value {
        Value::None => out.write_str("none"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Int(value) => write!(out, "{value}"),
        Value::Decimal(value) => out.write_str(&decimal(*value)),
        Value::Percent(value) => out.write_str(&percent(*value)),
        Value::Money(value) => write!(out, "{value}"),
        Value::Date(value) => out.write_str(&date(*value)),
        Value::Time(value) => out.write_str(&time(*value)),
        Value::Instant(value) => write!(out, "{value}"),
        Value::Duration(value) => write!(out, "{value}"),
        Value::Text(value) => out.write_str(&quoted(value)),
        Value::Enum(value) => out.write_str(names.enum_member(value.type_id, value.member)),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(out, index);
                write_value(out, item, names)?;
            }
            out.write_char(']')
        }
        Value::Map(map) => {
            out.push('{');
            for (index, (key, value)) in map.iter().enumerate() {
                separate(out, index);
                write_value(out, key, names)?;
                out.push_str(": ");
                write_value(out, value, names)?;
            }
            out.write_char('}')
        }
        Value::Record(record) => write_fields(out, names.record(record.type_id), &record.fields, names),
        Value::Reference(reference) => {
            write!(out, "{}(", names.record(reference.entity).0)?;
            write_value(out, &reference.key, names)?;
            out.write_char(')')
        }
        Value::Failure(failure) => write_fields(out, names.error(failure.error), &failure.fields, names),
    }
}

fn write_fields(
    out: &mut String,
    (name, fields): (&str, &[EcoString]),
    values: &[Value],
    names: &dyn TypeNames,
) -> fmt::Result {
    write!(out, "{name}(")?;
    for (index, value) in values.iter().enumerate() {
        separate(out, index);
        write!(out, "{}: ", fields.get(index).map_or("?", EcoString::as_str))?;
        write_value(out, value, names)?;
    }
    out.write_char(')')
}

fn separate(out: &mut String, index: usize) {
    if index > 0 {
        out.push_str(", ");
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Currency, NoNames, RecordId};
    use super::*;

    struct Names {
        fields: [EcoString; 2],
    }

    impl TypeNames for Names {
        fn enum_member(&self, _: super::super::EnumId, member: u16) -> &str {
            if member == 0 { "gold" } else { "silver" }
        }

        fn record(&self, _: RecordId) -> (&str, &[EcoString]) {
            ("OrderRow", &self.fields)
        }

        fn error(&self, _: super::super::ErrorId) -> (&str, &[EcoString]) {
            ("out_of_stock", &self.fields[..1])
        }
    }

    fn shown(milliseconds: i64) -> String {
        duration(Duration::from_milliseconds(milliseconds))
    }

    proptest::proptest! {
        #[test]
        fn the_short_way_shows_what_the_long_one_does(
            digits in proptest::prop_oneof![-2000_i128..2000, -(1_i128 << 66)..(1_i128 << 66)],
            scale in 0_u32..=28,
            zeros in 0_u32..4,
        ) {
            let value = Decimal::from_i128_with_scale(digits * 10_i128.pow(zeros), scale);
            proptest::prop_assert_eq!(decimal(value), value.normalize().to_string());
            let money = Money::new(value, Currency::EUR);
            let normal = value.normalize();
            proptest::prop_assert_eq!(amount(money), format!("{normal:.*}", normal.scale().max(2) as usize));
            if let Some(short) = short(value) {
                let mut out = String::new();
                write_short(short, &mut |byte| out.push(char::from(byte)));
                proptest::prop_assert_eq!(out, value.to_string());
            }
        }
    }

    #[test]
    fn scalars_are_shown_as_written() {
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(decimal(number("1.50")), "1.5");
        assert_eq!(percent(number("0.15")), "15%");
        assert_eq!(percent(number("0.125")), "12.5%");
        assert_eq!(percent(Decimal::MAX), format!("{}00%", Decimal::MAX));
        assert_eq!(Money::new(number("99.9"), Currency::EUR).to_string(), "99.90 EUR");
        assert_eq!(Money::new(number("-14.985"), Currency::EUR).to_string(), "-14.985 EUR");
        assert_eq!(Money::new(number("1500.00"), Currency::from_code("JPY").unwrap()).to_string(), "1500 JPY");
        assert_eq!(time(Time::constant(6, 0, 0, 0)), "06:00");
        assert_eq!(time(Time::constant(6, 0, 30, 0)), "06:00:30");
        assert_eq!(time(Time::constant(6, 0, 0, 5_000_000)), "06:00:00.005");
        assert_eq!(date(Date::constant(33, 1, 2)), "0033-01-02");
        assert_eq!(Instant::EPOCH.to_string(), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn durations_are_shown_in_units() {
        assert_eq!(shown(3 * Duration::DAY), "3 days");
        assert_eq!(shown(150 * Duration::MINUTE), "2 hours 30 minutes");
        assert_eq!(shown(-Duration::DAY), "-1 day");
        assert_eq!(shown(1), "1 millisecond");
        assert_eq!(shown(0), "0 seconds");
        assert_eq!(shown(i64::MIN), "-106751991167 days 7 hours 12 minutes 55 seconds 808 milliseconds");
    }

    #[test]
    fn collections_name_their_parts() {
        let names = Names { fields: ["sku".into(), "tier".into()] };
        let record = Value::record(RecordId(0), vec![Value::text("A\"1"), Value::member(super::super::EnumId(0), 0)]);
        assert_eq!(display(&record, &names), r#"OrderRow(sku: "A\"1", tier: gold)"#);
        let failure = Value::failure(super::super::ErrorId(0), vec![Value::None]);
        assert_eq!(display(&failure, &names), "out_of_stock(sku: none)");
        assert_eq!(display(&Value::reference(RecordId(0), Value::text("c1")), &names), r#"OrderRow("c1")"#);
        assert_eq!(display(&Value::map([(Value::text("a"), Value::list(vec![]))]), &names), r#"{"a": []}"#);
        assert_eq!(display(&Value::text("a\nb"), &NoNames), "a\nb");
        assert_eq!(written(&Value::text("a\n{b}\u{7}"), &NoNames), r#""a\n\{b\}\u{7}""#);
    }
}
