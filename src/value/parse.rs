//! Values from data files: cells of CSV and spreadsheets, fields of JSON, answers of people.
//!
//! Data is read strictly. Where a text can mean two things the caller says which ([`Numbers`], a
//! [`DatePattern`], a currency), and what does not fit is an error that says what was expected.

use super::{Currency, Date, Decimal, Duration, EcoString, Instant, Money, Time, literal, temporal};
use std::fmt;

type Result<T> = std::result::Result<T, ParseError>;

/// Why a text is not the value that was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// The text, cut to its first 40 characters.
    pub found: EcoString,
    /// What it should have been.
    pub expected: Expected,
    /// What to look at or to do, if there is something to say.
    pub hint: Option<EcoString>,
}

/// What a text should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// yes or no
    Bool,
    /// a whole number
    Int,
    /// a number
    Decimal,
    /// a percent
    Percent,
    /// an amount of money
    Money,
    /// a date
    Date,
    /// a time of day
    Time,
    /// a point in time
    Instant,
    /// a length of time
    Duration,
    /// a pattern of dates
    DatePattern,
}

impl ParseError {
    /// `text` is not what was expected.
    pub fn new(text: &str, expected: Expected) -> Self {
        ParseError { found: short(text), expected, hint: None }
    }

    /// Says what to look at.
    pub fn hint(mut self, hint: impl Into<EcoString>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error about a larger text.
    pub(super) fn found(mut self, text: &str) -> Self {
        self.found = short(text);
        self
    }
}

impl Expected {
    /// What was expected, with an example: `a whole number such as 42`.
    pub fn description(self) -> &'static str {
        match self {
            Expected::Bool => "yes or no",
            Expected::Int => "a whole number such as 42",
            Expected::Decimal => "a number such as 1.5",
            Expected::Percent => "a percent such as 15%",
            Expected::Money => "an amount such as 99.90 EUR",
            Expected::Date => "a date such as 2026-11-22",
            Expected::Time => "a time of day such as 06:00",
            Expected::Instant => "a point in time such as 2026-11-22T06:00Z",
            Expected::Duration => "a length of time such as 3 days",
            Expected::DatePattern => "a pattern of dates such as DD.MM.YYYY",
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.found.as_str() {
            "" => write!(f, "nothing is written where {} was expected", self.expected.description())?,
            found => write!(f, "`{found}` is not {}", self.expected.description())?,
        }
        match &self.hint {
            Some(hint) => write!(f, ": {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ParseError {}

fn short(text: &str) -> EcoString {
    match text.char_indices().nth(40) {
        Some((at, _)) => text[..at].chars().chain(['…']).collect(),
        None => text.into(),
    }
}

/// How a data file writes numbers. Thousands may be separated by the other sign, by spaces (also
/// narrow ones) and by `'`, always in groups of three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Numbers {
    /// `1,234.50`
    #[default]
    Point,
    /// `1.234,50`
    Comma,
}

impl Numbers {
    /// The sign before the fraction.
    pub fn decimal_sign(self) -> char {
        match self {
            Numbers::Point => '.',
            Numbers::Comma => ',',
        }
    }

    fn other(self) -> Numbers {
        match self {
            Numbers::Point => Numbers::Comma,
            Numbers::Comma => Numbers::Point,
        }
    }

    fn description(self) -> &'static str {
        match self {
            Numbers::Point => "a decimal point",
            Numbers::Comma => "a decimal comma",
        }
    }

    /// The number with a point and without separators, if it is written in this way.
    fn plain(self, text: &str) -> Option<String> {
        let (sign, body) = match text.strip_prefix(['-', '−']) {
            Some(body) => ("-", body),
            None => ("", text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = match body.split_once(self.decimal_sign()) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (body, None),
        };
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let grouping = match self {
            Numbers::Point => [',', ' ', '\u{a0}', '\u{202f}', '\'', '’'],
            Numbers::Comma => ['.', ' ', '\u{a0}', '\u{202f}', '\'', '’'],
        };
        let whole = match whole.chars().find(|c| !c.is_ascii_digit()) {
            None if digits(whole) => whole.to_string(),
            Some(separator) if grouping.contains(&separator) => {
                let mut groups = whole.split(separator);
                let first = groups.next().filter(|group| digits(group) && group.len() <= 3)?;
                let mut joined = first.to_string();
                for group in groups {
                    if !digits(group) || group.len() != 3 {
                        return None;
                    }
                    joined.push_str(group);
                }
                joined
            }
            _ => return None,
        };
        match fraction {
            None => Some(format!("{sign}{whole}")),
            Some(fraction) if digits(fraction) => Some(format!("{sign}{whole}.{fraction}")),
            Some(_) => None,
        }
    }
}

/// `yes`, `no`, `true`, `false`, `1`, `0`, in any case.
pub fn bool(text: &str) -> Result<bool> {
    let text = text.trim();
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Ok(true),
        "no" | "false" | "0" => Ok(false),
        _ => Err(ParseError::new(text, Expected::Bool).hint("write yes, no, true, false, 1 or 0")),
    }
}

/// A whole number: `42`, `1,234` or, with [`Numbers::Comma`], `1.234`.
pub fn int(text: &str, numbers: Numbers) -> Result<i64> {
    let text = text.trim();
    let wrong = || ParseError::new(text, Expected::Int);
    let plain = numbers.plain(text).ok_or_else(|| number_hint(wrong(), text, numbers))?;
    if plain.contains('.') {
        return Err(wrong().hint("it has a fraction"));
    }
    plain.parse().map_err(|_| wrong().hint("too large for 64 bits"))
}

/// A number: `1.5`, `1,234.50` or, with [`Numbers::Comma`], `1.234,50`.
pub fn decimal(text: &str, numbers: Numbers) -> Result<Decimal> {
    let text = text.trim();
    let wrong = || ParseError::new(text, Expected::Decimal);
    let plain = numbers.plain(text).ok_or_else(|| number_hint(wrong(), text, numbers))?;
    Decimal::from_str_exact(&plain).map_err(|_| wrong().hint("a decimal has at most 28 digits"))
}

/// A percent, with its sign: `15%`, `15 %`. A bare number is refused: 0.15 may mean either.
pub fn percent(text: &str, numbers: Numbers) -> Result<Decimal> {
    let text = text.trim();
    let wrong = || ParseError::new(text, Expected::Percent);
    let number = text.strip_suffix('%').ok_or_else(|| match numbers.plain(text) {
        Some(_) => wrong().hint("the sign % is missing"),
        None => wrong(),
    })?;
    let number =
        decimal(number, numbers).map_err(|error| ParseError { expected: Expected::Percent, ..error.found(text) })?;
    literal::fraction(number).ok_or_else(|| wrong().hint("a percent has at most 26 digits"))
}

/// An amount of money: `99.90 EUR`, `EUR 99.90`, `1.234,50 €`, `$12`, `-5 USD`; a plain number where
/// there is a currency to take it in.
pub fn money(text: &str, numbers: Numbers, currency: Option<Currency>) -> Result<Money> {
    let text = text.trim();
    let wrong = || ParseError::new(text, Expected::Money);
    let is_number = |c: char| c.is_ascii_digit() || "+-−.,'’".contains(c) || c.is_whitespace();
    // A sign may stand before the currency: -$12.
    let (minus, body) = match text.strip_prefix(['-', '−']) {
        Some(body) if !body.starts_with(is_number) => ("-", body),
        _ => ("", text),
    };
    let start = body.find(is_number).unwrap_or(body.len());
    let (before, rest) = body.split_at(start);
    let end = rest.find(|c| !is_number(c)).unwrap_or(rest.len());
    let (number, after) = rest.split_at(end);
    let unit = match (before.trim(), after.trim()) {
        ("", unit) | (unit, "") => unit,
        _ => return Err(wrong()),
    };
    let currency = match unit {
        "" => currency.ok_or_else(|| match numbers.plain(number.trim()) {
            Some(_) => wrong().hint("the currency is missing"),
            None => wrong(),
        })?,
        unit => Currency::from_code(unit).or_else(|| Currency::from_sign(unit)).ok_or_else(|| {
            let unit = short(unit);
            wrong().hint(format!("`{unit}` is no currency of ISO 4217; write its three letters, such as EUR"))
        })?,
    };
    let number = format!("{minus}{}", number.trim());
    let amount =
        decimal(&number, numbers).map_err(|error| ParseError { expected: Expected::Money, ..error.found(text) })?;
    Ok(Money::new(amount, currency))
}

/// A date: `2026-11-22`, `22.11.2026`, `2.1.2026`; anything else by a pattern, which then is the
/// only form that is read.
pub fn date(text: &str, pattern: Option<&DatePattern>) -> Result<Date> {
    let text = text.trim();
    if let Some(pattern) = pattern {
        return pattern.read(text);
    }
    if let Ok(date) = DOTTED.read(text) {
        return Ok(date);
    }
    literal::date(text).map_err(|error| match (error.hint.is_none(), text.contains('/')) {
        (true, true) => error.hint("days and months with slashes need a pattern such as DD/MM/YYYY"),
        (true, false) if DOTTED.fits(text) => error.hint("the calendar has no such day"),
        _ => error,
    })
}

/// A time of day: `06:00`, `6:00`, `06:00:30`.
pub fn time(text: &str) -> Result<Time> {
    let text = text.trim();
    let one_digit = text.as_bytes().get(1) == Some(&b':');
    if one_digit { literal::time(&format!("0{text}")) } else { literal::time(text) }.map_err(|error| error.found(text))
}

/// A point in time, with `Z` or an offset: `2026-11-22T06:00Z`, `2026-11-22 06:00:30+01:00`.
pub fn instant(text: &str) -> Result<Instant> {
    let text = text.trim();
    let with_t: String = text.char_indices().map(|(at, c)| if at == 10 && c == ' ' { 'T' } else { c }).collect();
    literal::instant(&with_t).map_err(|error| error.found(text))
}

/// A length of time: `3 days`, `2 hours 30 minutes`.
pub fn duration(text: &str) -> Result<Duration> {
    literal::duration(text.trim())
}

/// How a data file writes dates: `MM/DD/YYYY`, `D.M.YY`, `YYYYMMDD`.
///
/// `YYYY` and `YY` (2000 to 2099) stand for the year, `MM` and `M` for the month, `DD` and `D` for the
/// day (the single letters take one digit or two); everything else stands for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatePattern {
    parts: std::borrow::Cow<'static, [Part]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year4,
    Year2,
    Month2,
    Month,
    Day2,
    Day,
    Sign(char),
}

/// `22.11.2026`: the day comes first wherever dates are written with points.
const DOTTED: DatePattern = DatePattern {
    parts: std::borrow::Cow::Borrowed(&[Part::Day, Part::Sign('.'), Part::Month, Part::Sign('.'), Part::Year4]),
};

impl DatePattern {
    /// The pattern that `text` writes down.
    ///
    /// # Errors
    /// When the year, the month or the day is missing or doubled.
    pub fn new(text: &str) -> Result<DatePattern> {
        let forms = [
            ("YYYY", Part::Year4),
            ("YY", Part::Year2),
            ("MM", Part::Month2),
            ("M", Part::Month),
            ("DD", Part::Day2),
            ("D", Part::Day),
        ];
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let (length, part) = forms
                .iter()
                .find(|(form, _)| rest.starts_with(form))
                .map_or((first.len_utf8(), Part::Sign(first)), |(form, part)| (form.len(), *part));
            parts.push(part);
            rest = rest.get(length..).unwrap_or("");
        }
        let count = |some: [Part; 2]| parts.iter().filter(|part| some.contains(part)).count();
        let missing = [
            (count([Part::Year4, Part::Year2]), "the year (YYYY or YY)"),
            (count([Part::Month2, Part::Month]), "the month (MM or M)"),
            (count([Part::Day2, Part::Day]), "the day (DD or D)"),
        ];
        match missing.iter().find(|(count, _)| *count != 1) {
            Some((0, what)) => Err(ParseError::new(text, Expected::DatePattern).hint(format!("{what} is missing"))),
            Some((_, what)) => Err(ParseError::new(text, Expected::DatePattern).hint(format!("{what} is doubled"))),
            None => Ok(DatePattern { parts: parts.into() }),
        }
    }

    /// The date that `text` writes in this way.
    ///
    /// # Errors
    /// When it is written otherwise, or the calendar has no such day.
    pub fn read(&self, text: &str) -> Result<Date> {
        let wrong = || ParseError::new(text, Expected::Date);
        let (year, month, day) =
            self.numbers(text).ok_or_else(|| wrong().hint(format!("dates are written {self} here")))?;
        temporal::date(year, month, day).map_err(|_| wrong().hint("the calendar has no such day"))
    }

    fn fits(&self, text: &str) -> bool {
        self.numbers(text).is_some()
    }

    fn numbers(&self, text: &str) -> Option<(i64, i64, i64)> {
        let (mut year, mut month, mut day) = (0, 0, 0);
        let mut rest = text;
        for part in self.parts.iter() {
            match part {
                Part::Year4 => year = take(&mut rest, 4, 4)?,
                Part::Year2 => year = 2000 + take(&mut rest, 2, 2)?,
                Part::Month2 => month = take(&mut rest, 2, 2)?,
                Part::Month => month = take(&mut rest, 1, 2)?,
                Part::Day2 => day = take(&mut rest, 2, 2)?,
                Part::Day => day = take(&mut rest, 1, 2)?,
                Part::Sign(sign) => rest = rest.strip_prefix(*sign)?,
            }
        }
        rest.is_empty().then_some((year, month, day))
    }
}

impl fmt::Display for DatePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Year4 => f.write_str("YYYY"),
            Part::Year2 => f.write_str("YY"),
            Part::Month2 => f.write_str("MM"),
            Part::Month => f.write_str("M"),
            Part::Day2 => f.write_str("DD"),
            Part::Day => f.write_str("D"),
            Part::Sign(sign) => write!(f, "{sign}"),
        })
    }
}

/// Takes between `least` and `most` digits off the front.
fn take(rest: &mut &str, least: usize, most: usize) -> Option<i64> {
    let length = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (digits, after) = rest.split_at_checked(length).filter(|_| length >= least)?;
    *rest = after;
    digits.parse().ok()
}

/// Says so when the number is written in the other way.
fn number_hint(error: ParseError, text: &str, numbers: Numbers) -> ParseError {
    match numbers.other().plain(text) {
        Some(_) => error.hint(format!(
            "it is written with {}, and the data is read with {}",
            numbers.other().description(),
            numbers.description()
        )),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn amount(text: &str, numbers: Numbers) -> String {
        money(text, numbers, None).map_or_else(|error| error.to_string(), |money| money.to_string())
    }

    #[test]
    fn numbers_are_read_as_the_file_writes_them() {
        assert_eq!(decimal("1,234.50", Numbers::Point), Ok(Decimal::new(123450, 2)));
        assert_eq!(decimal("1.234,50", Numbers::Comma), Ok(Decimal::new(123450, 2)));
        assert_eq!(decimal(" 1 234 567,5 ", Numbers::Comma), Ok(Decimal::new(12345675, 1)));
        assert_eq!(decimal("1'234.50", Numbers::Point), Ok(Decimal::new(123450, 2)));
        assert_eq!(decimal("−5", Numbers::Point), Ok(Decimal::from(-5)));
        assert_eq!(int("1.234", Numbers::Comma), Ok(1234));
        assert_eq!(percent("12,5 %", Numbers::Comma), Ok(Decimal::new(125, 3)));
        for bad in ["", "1,23.50", "12,34", "1,2345", ",5", "5.", "1e3", "0x1", "--1", "1,234 567"] {
            assert!(decimal(bad, Numbers::Point).is_err(), "{bad}");
        }
    }

    #[test]
    fn money_is_read_in_the_forms_of_data_files() {
        assert_eq!(amount("99.90 EUR", Numbers::Point), "99.90 EUR");
        assert_eq!(amount("EUR 99.90", Numbers::Point), "99.90 EUR");
        assert_eq!(amount("1.234,50 €", Numbers::Comma), "1234.50 EUR");
        assert_eq!(amount("$12", Numbers::Point), "12.00 USD");
        assert_eq!(amount("-$1,200.5", Numbers::Point), "-1200.50 USD");
        assert_eq!(amount("-5 USD", Numbers::Point), "-5.00 USD");
        assert_eq!(amount("12EUR", Numbers::Point), "12.00 EUR");
        assert_eq!(
            money("7", Numbers::Point, Some(Currency::EUR)).map(|money| money.to_string()),
            Ok("7.00 EUR".into())
        );
        assert_eq!(money("7 USD", Numbers::Point, Some(Currency::EUR)).map(|money| money.currency), Ok(Currency::USD));
    }

    #[test]
    fn dates_are_read_where_they_are_clear() {
        let expected = Date::constant(2026, 11, 2);
        assert_eq!(date("2026-11-02", None), Ok(expected));
        assert_eq!(date("02.11.2026", None), Ok(expected));
        assert_eq!(date("2.11.2026", None), Ok(expected));
        let pattern = |text: &str| DatePattern::new(text).unwrap();
        assert_eq!(date("11/02/2026", Some(&pattern("MM/DD/YYYY"))), Ok(expected));
        assert_eq!(date("2/11/26", Some(&pattern("D/M/YY"))), Ok(expected));
        assert_eq!(date("20261102", Some(&pattern("YYYYMMDD"))), Ok(expected));
        assert_eq!(time("6:05"), Ok(Time::constant(6, 5, 0, 0)));
        assert_eq!(instant("2026-11-22 06:00:30Z"), literal::instant("2026-11-22T06:00:30Z"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let messages = [
            bool("maybe").unwrap_err(),
            int("4.5", Numbers::Point).unwrap_err(),
            int("", Numbers::Point).unwrap_err(),
            int("99999999999999999999", Numbers::Point).unwrap_err(),
            decimal("1.234,50", Numbers::Point).unwrap_err(),
            decimal("abc", Numbers::Point).unwrap_err(),
            percent("0.15", Numbers::Point).unwrap_err(),
            money("12", Numbers::Point, None).unwrap_err(),
            money("12 Taler", Numbers::Point, None).unwrap_err(),
            money("EUR 12 USD", Numbers::Point, None).unwrap_err(),
            money("1.234,50 EUR", Numbers::Point, None).unwrap_err(),
            date("11/22/2026", None).unwrap_err(),
            date("2026-02-29", None).unwrap_err(),
            date("31.02.2026", None).unwrap_err(),
            date("2026-11-02", Some(&DatePattern::new("MM/DD/YYYY").unwrap())).unwrap_err(),
            time("25:00").unwrap_err(),
            instant("2026-11-22 06:00").unwrap_err(),
            duration("3 fortnights").unwrap_err(),
            DatePattern::new("MM/DD").unwrap_err(),
            DatePattern::new("DD/DD/MM/YYYY").unwrap_err(),
            int(&"9".repeat(1_000_000), Numbers::Point).unwrap_err(),
        ];
        let messages: Vec<_> = messages.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(messages.join("\n"), @r"
        `maybe` is not yes or no: write yes, no, true, false, 1 or 0
        `4.5` is not a whole number such as 42: it has a fraction
        nothing is written where a whole number such as 42 was expected
        `99999999999999999999` is not a whole number such as 42: too large for 64 bits
        `1.234,50` is not a number such as 1.5: it is written with a decimal comma, and the data is read with a decimal point
        `abc` is not a number such as 1.5
        `0.15` is not a percent such as 15%: the sign % is missing
        `12` is not an amount such as 99.90 EUR: the currency is missing
        `12 Taler` is not an amount such as 99.90 EUR: `Taler` is no currency of ISO 4217; write its three letters, such as EUR
        `EUR 12 USD` is not an amount such as 99.90 EUR
        `1.234,50 EUR` is not an amount such as 99.90 EUR: it is written with a decimal comma, and the data is read with a decimal point
        `11/22/2026` is not a date such as 2026-11-22: days and months with slashes need a pattern such as DD/MM/YYYY
        `2026-02-29` is not a date such as 2026-11-22: the calendar has no such day
        `31.02.2026` is not a date such as 2026-11-22: the calendar has no such day
        `2026-11-02` is not a date such as 2026-11-22: dates are written MM/DD/YYYY here
        `25:00` is not a time of day such as 06:00: a day ends at 23:59:59
        `2026-11-22 06:00` is not a point in time such as 2026-11-22T06:00Z: it needs Z or an offset such as +01:00 at its end
        `3 fortnights` is not a length of time such as 3 days
        `MM/DD` is not a pattern of dates such as DD.MM.YYYY: the year (YYYY or YY) is missing
        `DD/DD/MM/YYYY` is not a pattern of dates such as DD.MM.YYYY: the day (DD or D) is doubled
        `9999999999999999999999999999999999999999…` is not a whole number such as 42: too large for 64 bits
        ");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,30}", near in "[-+−0-9.,'€$%:/ TZEURdays]{0,20}") {
            let pattern = DatePattern::new("D.M.YYYY").unwrap();
            for text in [text, near] {
                for numbers in [Numbers::Point, Numbers::Comma] {
                    let _ = (int(&text, numbers), decimal(&text, numbers), percent(&text, numbers));
                    let _ = money(&text, numbers, Some(Currency::EUR));
                }
                let _ = (bool(&text), date(&text, None), date(&text, Some(&pattern)), time(&text), instant(&text));
                let _ = (duration(&text), DatePattern::new(&text));
            }
        }

        #[test]
        fn grouped_numbers_are_read_back(value: i64) {
            let plain = value.unsigned_abs().to_string();
            let mut grouped = String::new();
            for (index, digit) in plain.chars().enumerate() {
                if index > 0 && (plain.len() - index) % 3 == 0 {
                    grouped.push('.');
                }
                grouped.push(digit);
            }
            let text = format!("{}{grouped}", if value < 0 { "-" } else { "" });
            prop_assert_eq!(int(&text, Numbers::Comma), Ok(value));
        }
    }
}
