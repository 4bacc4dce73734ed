//! The written forms of the language: `1_000`, `15%`, `99.90 EUR`, `3 days`, `2026-11-22`, `06:00`.
//!
//! Each function takes the whole text of one literal, without spaces around it.

use super::parse::{Expected, ParseError};
use super::{ArithmeticError, Currency, Date, Decimal, Duration, Instant, Money, Time, temporal};

type Result<T> = std::result::Result<T, ParseError>;

/// `42`, `-7`, `1_000`; an underscore stands between digits.
pub fn int(text: &str) -> Result<i64> {
    let digits = digits(text).filter(|_| !text.contains('.'));
    let digits = digits.ok_or_else(|| ParseError::new(text, Expected::Int))?;
    digits
        .parse()
        .map_err(|_| ParseError::new(text, Expected::Int).hint("an int has 64 bits: at most 9223372036854775807"))
}

/// `1.5`, `1_000.25`, `42`.
pub fn decimal(text: &str) -> Result<Decimal> {
    let digits = digits(text).ok_or_else(|| ParseError::new(text, Expected::Decimal))?;
    Decimal::from_str_exact(&digits)
        .map_err(|_| ParseError::new(text, Expected::Decimal).hint("a decimal has at most 28 digits"))
}

/// `15%`, `12.5%`; the fraction is given back, 0.15.
pub fn percent(text: &str) -> Result<Decimal> {
    let number = text.strip_suffix('%').ok_or_else(|| ParseError::new(text, Expected::Percent))?;
    let number = decimal(number).map_err(|error| ParseError { expected: Expected::Percent, ..error.found(text) })?;
    fraction(number).ok_or_else(|| ParseError::new(text, Expected::Percent).hint("a percent has at most 26 digits"))
}

/// The fraction of so many hundredths, exactly: 15 is 0.15. None when it has too many digits.
pub fn fraction(hundredths: Decimal) -> Option<Decimal> {
    let hundredths = hundredths.normalize();
    let scale = hundredths.scale().checked_add(2)?;
    Decimal::try_from_i128_with_scale(hundredths.mantissa(), scale).ok()
}

/// `99.90 EUR`.
pub fn money(text: &str) -> Result<Money> {
    let wrong = || ParseError::new(text, Expected::Money);
    let (amount, code) = text.split_once(' ').ok_or_else(wrong)?;
    let amount = decimal(amount).map_err(|error| ParseError { expected: Expected::Money, ..error.found(text) })?;
    let currency =
        Currency::from_code(code).ok_or_else(|| wrong().hint("the currency is one of ISO 4217, such as EUR"))?;
    Ok(Money::new(amount, currency))
}

/// `2026-11-22`.
pub fn date(text: &str) -> Result<Date> {
    let wrong = || ParseError::new(text, Expected::Date);
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return Err(wrong()) };
    let (year, month, day) = numbers([(*year, 4), (*month, 2), (*day, 2)]).ok_or_else(wrong)?;
    temporal::date(year, month, day).map_err(|_| wrong().hint("the calendar has no such day"))
}

/// `06:00`, `06:00:30`, `06:00:30.250`.
pub fn time(text: &str) -> Result<Time> {
    let wrong = || ParseError::new(text, Expected::Time);
    let (clock, fraction) = text.split_once('.').map_or((text, None), |(clock, fraction)| (clock, Some(fraction)));
    let parts: Vec<&str> = clock.split(':').collect();
    let (hour, minute, second) = match (parts.as_slice(), fraction) {
        ([hour, minute], None) => numbers([(*hour, 2), (*minute, 2), ("00", 2)]),
        ([hour, minute, second], _) => numbers([(*hour, 2), (*minute, 2), (*second, 2)]),
        _ => None,
    }
    .ok_or_else(wrong)?;
    let time = temporal::time(hour, minute, second).map_err(|_| wrong().hint("a day ends at 23:59:59"))?;
    let milliseconds = match fraction {
        None => 0,
        Some(digits) if (1..=3).contains(&digits.len()) => number(&format!("{digits:0<3}"), 3).ok_or_else(wrong)?,
        Some(_) => return Err(wrong().hint("a second has at most three digits behind the point")),
    };
    temporal::add_to_time(time, Duration::from_milliseconds(milliseconds)).map_err(|_| wrong())
}

/// `2026-11-22T06:00Z`, `2026-11-22T06:00:00+01:00`.
pub fn instant(text: &str) -> Result<Instant> {
    let wrong = || ParseError::new(text, Expected::Instant);
    let (day, clock) = text.split_once('T').ok_or_else(wrong)?;
    let (clock, offset) = match clock.strip_suffix('Z') {
        Some(clock) => (clock, Duration::ZERO),
        None => {
            let missing = || wrong().hint("it needs Z or an offset such as +01:00 at its end");
            let at = clock.rfind(['+', '-']).ok_or_else(missing)?;
            let (clock, offset) = clock.split_at(at);
            let ahead = time(offset.get(1..).unwrap_or("")).map_err(|_| missing())?;
            let ahead = temporal::milliseconds_of_day(ahead);
            (clock, Duration::from_milliseconds(if offset.starts_with('-') { -ahead } else { ahead }))
        }
    };
    let inner = |error: ParseError| ParseError { expected: Expected::Instant, ..error.found(text) };
    let (day, clock) = (date(day).map_err(inner)?, time(clock).map_err(inner)?);
    Instant::from_civil(day, clock, &jiff::tz::TimeZone::UTC)
        .and_then(|instant| instant.minus(offset))
        .map_err(|_| wrong().hint("the calendar ends with the year 9999"))
}

/// `3 days`, `2 hours 30 minutes`, `-1 day`: numbers and units, larger units first.
pub fn duration(text: &str) -> Result<Duration> {
    let wrong = || ParseError::new(text, Expected::Duration);
    let too_long = |_: ArithmeticError| wrong().hint("it is too long");
    let (negative, body) = text.strip_prefix('-').map_or((false, text), |body| (true, body));
    let words: Vec<&str> = body.split(' ').collect();
    let mut total = Duration::ZERO;
    let mut last = i64::MAX;
    for pair in words.chunks(2) {
        let [count, name] = pair else { return Err(wrong()) };
        let unit = Duration::unit(name).filter(|unit| *unit < last).ok_or_else(wrong)?;
        last = unit;
        let count = int(count).ok().filter(|count| *count >= 0).ok_or_else(wrong)?;
        // Summed up below zero, so that the longest negative duration can be written too.
        total = total.minus(Duration::of(count, unit).map_err(too_long)?).map_err(too_long)?;
    }
    if negative { Ok(total) } else { total.negate().map_err(too_long) }
}

/// The number without its underscores, if it is one: a sign, digits, at most one point between digits.
fn digits(text: &str) -> Option<String> {
    let body = text.strip_prefix('-').unwrap_or(text);
    let parts: Vec<&str> = body.split('.').collect();
    let group = |group: &str| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit());
    let fine = parts.len() <= 2 && parts.iter().all(|part| part.split('_').all(group));
    fine.then(|| text.replace('_', ""))
}

fn numbers([a, b, c]: [(&str, usize); 3]) -> Option<(i64, i64, i64)> {
    Some((number(a.0, a.1)?, number(b.0, b.1)?, number(c.0, c.1)?))
}

fn number(text: &str, length: usize) -> Option<i64> {
    let fine = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    if fine { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::super::display;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn literals_are_read() {
        assert_eq!(int("1_000"), Ok(1000));
        assert_eq!(int("-9223372036854775808"), Ok(i64::MIN));
        assert_eq!(decimal("1_000.50").map(|value| value.to_string()), Ok("1000.50".into()));
        assert_eq!(percent("12.5%"), Ok(Decimal::new(125, 3)));
        assert_eq!(money("99.90 EUR"), Ok(Money::new(Decimal::new(9990, 2), Currency::EUR)));
        assert_eq!(time("06:00:30.25").map(display::time), Ok("06:00:30.250".into()));
        assert_eq!(instant("2026-11-22T06:00+01:00").map(display::instant), Ok("2026-11-22T05:00:00Z".into()));
        assert_eq!(duration("2 hours 30 minutes"), Ok(Duration::from_milliseconds(150 * Duration::MINUTE)));
        assert_eq!(duration("1 week"), Ok(Duration::from_milliseconds(Duration::WEEK)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let errors = [
            int("1__0").unwrap_err(),
            int("9223372036854775808").unwrap_err(),
            money("1 EURO").unwrap_err(),
            date("2026-02-29").unwrap_err(),
            time("24:00").unwrap_err(),
            instant("2026-11-22T06:00").unwrap_err(),
            duration("30 minutes 2 hours").unwrap_err(),
            percent("15").unwrap_err(),
        ];
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(errors.join("\n"), @r"
        `1__0` is not a whole number such as 42
        `9223372036854775808` is not a whole number such as 42: an int has 64 bits: at most 9223372036854775807
        `1 EURO` is not an amount such as 99.90 EUR: the currency is one of ISO 4217, such as EUR
        `2026-02-29` is not a date such as 2026-11-22: the calendar has no such day
        `24:00` is not a time of day such as 06:00: a day ends at 23:59:59
        `2026-11-22T06:00` is not a point in time such as 2026-11-22T06:00Z: it needs Z or an offset such as +01:00 at its end
        `30 minutes 2 hours` is not a length of time such as 3 days
        `15` is not a percent such as 15%
        ");
        for bad in ["", "-", ".", "1.", ".5", "1.2.3", "_1", "1_", "+1", "１"] {
            assert!(decimal(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(value in super::super::codec::tests::value()) {
            use super::super::{NoNames, Value};
            let text = display::display(&value, &NoNames);
            match value {
                Value::Int(value) => prop_assert_eq!(int(&text), Ok(value)),
                Value::Decimal(value) => prop_assert_eq!(decimal(&text), Ok(value)),
                Value::Money(value) => prop_assert_eq!(money(&text), Ok(value)),
                Value::Date(value) => prop_assert_eq!(date(&text), Ok(value)),
                Value::Time(value) => prop_assert_eq!(time(&text), Ok(value)),
                Value::Instant(value) => prop_assert_eq!(instant(&text), Ok(value)),
                Value::Duration(value) => prop_assert_eq!(duration(&text), Ok(value)),
                _ => {}
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,30}", near in "[-0-9.:TZ%_ A-Zdays]{0,20}") {
            for text in [text, near] {
                let _ = (int(&text), decimal(&text), percent(&text), money(&text));
                let _ = (date(&text), time(&text), instant(&text), duration(&text));
            }
        }
    }
}
