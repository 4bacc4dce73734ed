//! Amounts, dates, times and percentages as people write them elsewhere; characters that only look right.

use super::Broken;
use super::tokens::{Token, TokenKind};
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;

/// Characters that only look like a sign of the language, with that sign.
const LOOKALIKES: &[(char, &str)] = &[
    ('（', "("),
    ('）', ")"),
    ('［', "["),
    ('］', "]"),
    ('｛', "{"),
    ('｝', "}"),
    ('，', ","),
    ('、', ","),
    ('：', ":"),
    ('；', ""),
    ('＝', "="),
    ('＜', "<"),
    ('＞', ">"),
    ('＋', "+"),
    ('－', "-"),
    ('＊', "*"),
    ('／', "/"),
    ('｜', "|"),
    ('。', "."),
    ('．', "."),
    ('％', "%"),
    ('！', "not "),
    ('？', "?"),
    ('–', "-"),
    ('—', "-"),
    ('−', "-"),
    ('×', "*"),
    ('·', "*"),
    ('÷', "/"),
    ('≤', "<="),
    ('≥', ">="),
    ('≠', "!="),
    ('→', "->"),
    ('⇒', "=>"),
    ('…', ".."),
    ('∧', "and"),
    ('“', "\""),
    ('”', "\""),
    ('„', "\""),
    ('«', "\""),
    ('»', "\""),
    ('‘', "\""),
    ('’', "\""),
    ('∨', "or"),
    ('¬', "not "),
    ('\u{a0}', " "),
    ('\u{3000}', " "),
    ('\u{2009}', " "),
    ('\u{202f}', " "),
    ('\u{2028}', " "),
    ('\u{200b}', ""),
    ('\u{feff}', ""),
    ('\u{ad}', ""),
    ('\u{200e}', ""),
    ('\u{200f}', ""),
];

/// Signs of currencies that mean one currency only, or nearly always.
const CURRENCIES: &[(&str, &str)] =
    &[("€", "EUR"), ("$", "USD"), ("£", "GBP"), ("¥", "JPY"), ("₹", "INR"), ("₩", "KRW"), ("₺", "TRY"), ("₽", "RUB")];

/// A mistake in writing a literal or a sign.
pub fn mistake(broken: &Broken) -> Option<Finding> {
    currency_sign(broken)
        .or_else(|| currency_first(broken))
        .or_else(|| dotted_date(broken))
        .or_else(|| dotted_thousands(broken))
        .or_else(|| moment_without_zone(broken))
        .or_else(|| decimal_comma(broken))
        .or_else(|| short_time(broken))
        .or_else(|| half_day(broken))
        .or_else(|| percent_apart(broken))
        .or_else(|| unit_joined(broken))
        .or_else(|| lookalike(broken))
}

/// `10 €`, `€10`, `$ 10`.
fn currency_sign(broken: &Broken) -> Option<Finding> {
    let sign = broken.token(0)?;
    let (_, letters) = CURRENCIES.iter().find(|(known, _)| *known == sign.text)?;
    let number = |token: &Token| token.kind == TokenKind::Number;
    let (first, last, amount) = match (broken.token(-1).filter(number), broken.token(1).filter(number)) {
        (Some(before), _) => (before, sign, before),
        (None, Some(after)) => (sign, after, after),
        _ => return None,
    };
    let right = format!("{} {letters}", amount.text);
    let span = broken.span(first.start, last.end());
    Some(
        Finding::new(&codes::LITERAL, span, "an amount of money is written with the letters of its currency")
            .at(format!("written with `{}`", sign.text))
            .help(format!("write `{right}`"))
            .fix(span, right),
    )
}

/// `EUR 10`.
fn currency_first(broken: &Broken) -> Option<Finding> {
    let (letters, amount) = (broken.token(-1)?, broken.token(0)?);
    let is_currency = letters.text.len() == 3 && letters.text.bytes().all(|byte| byte.is_ascii_uppercase());
    if !is_currency || amount.kind != TokenKind::Number {
        return None;
    }
    let right = format!("{} {}", amount.text, letters.text);
    let span = broken.span(letters.start, amount.end());
    Some(
        Finding::new(&codes::LITERAL, span, "the currency stands behind the amount")
            .at("the other way round")
            .help(format!("write `{right}`"))
            .fix(span, right),
    )
}

/// `22.11.2026`.
fn dotted_date(broken: &Broken) -> Option<Finding> {
    let index = [0, -1, -2, 1].into_iter().find(|distance| {
        broken
            .token(*distance)
            .is_some_and(|token| token.kind == TokenKind::Number && date_behind(broken, &token).is_some())
    })?;
    let start = broken.token(index)?;
    let (day, month, year, length) = date_behind(broken, &start)?;
    let right = format!("{year:04}-{month:02}-{day:02}");
    let span = broken.span(start.start, start.start + length);
    let finding = Finding::new(&codes::LITERAL, span, "a date is written year, month, day")
        .at("day, month, year")
        .help(format!("write `{right}`"));
    Some(if right.parse::<jiff::civil::Date>().is_ok() { finding.fix(span, right) } else { finding })
}

/// `1.000.000`.
fn dotted_thousands(broken: &Broken) -> Option<Finding> {
    let start = [0, -1, -2, 1]
        .into_iter()
        .filter_map(|distance| broken.token(distance))
        .find(|token| token.kind == TokenKind::Number && thousands_behind(broken, token).is_some())?;
    let length = thousands_behind(broken, &start)?;
    let span = broken.span(start.start, start.start + length);
    let right = broken.line.get(start.start..start.start + length)?.replace('.', "_");
    Some(
        Finding::new(&codes::LITERAL, span, "thousands are set apart by `_`")
            .at("written with points")
            .help(format!("write `{right}`"))
            .fix(span, right),
    )
}

/// How long a number with points between its thousands is.
fn thousands_behind(broken: &Broken, start: &Token) -> Option<usize> {
    let rest = broken.line.get(start.start..)?;
    let length = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let mut parts = rest.get(..length)?.split('.');
    let first = parts.next()?;
    let others: Vec<&str> = parts.collect();
    let is_grouped = (1..=3).contains(&first.len()) && others.len() >= 2 && others.iter().all(|part| part.len() == 3);
    is_grouped.then_some(length)
}

fn date_behind(broken: &Broken, start: &Token) -> Option<(u16, u16, u16, usize)> {
    let rest = broken.line.get(start.start..)?;
    let length = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let mut parts = rest.get(..length)?.split('.');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 || day.len() > 2 || month.len() > 2 {
        return None;
    }
    Some((day.parse().ok()?, month.parse().ok()?, year.parse().ok()?, length))
}

/// `2026-11-22T06:00`.
fn moment_without_zone(broken: &Broken) -> Option<Finding> {
    let is_moment = |text: &str| {
        text.len() > 11
            && text.get(..10).is_some_and(|date| date.parse::<jiff::civil::Date>().is_ok())
            && text[10..].starts_with('T')
    };
    let start = (0..10)
        .filter_map(|back| broken.token(-back))
        .find(|token| broken.line.get(token.start..).is_some_and(|rest| is_moment(rest.get(..16).unwrap_or(""))))?;
    let length = broken.line[start.start..]
        .bytes()
        .take_while(|b| b.is_ascii_digit() || matches!(b, b'-' | b':' | b'T'))
        .count();
    let span = broken.span(start.start, start.start + length);
    Some(
        Finding::new(&codes::LITERAL, span, "a moment says which time zone it is in")
            .at("`Z` or an offset is missing after this")
            .help("write `Z` for UTC or the offset, as in `2026-11-22T06:00+01:00`"),
    )
}

/// `9,90 EUR`, `1.000,50`.
fn decimal_comma(broken: &Broken) -> Option<Finding> {
    let index = if broken.word(0) == "," { 0 } else { -1 };
    let (before, comma, after) = (broken.token(index - 1)?, broken.token(index)?, broken.token(index + 1)?);
    let numbers = before.kind == TokenKind::Number && after.kind == TokenKind::Number;
    if comma.text != "," || !numbers || before.end() != comma.start || comma.end() != after.start {
        return None;
    }
    let right = format!("{}.{}", before.text.replace('.', ""), after.text.replace('.', ""));
    let span = broken.span(before.start, after.end());
    Some(
        Finding::new(&codes::LITERAL, span, "a decimal is written with a point")
            .at("written with a comma")
            .help(format!("write `{right}`; thousands may be set apart by `_`"))
            .fix(span, right),
    )
}

/// `6:00`.
fn short_time(broken: &Broken) -> Option<Finding> {
    let index = if broken.word(0) == ":" { 0 } else { -1 };
    let (hours, colon, minutes) = (broken.token(index - 1)?, broken.token(index)?, broken.token(index + 1)?);
    let digits =
        |token: &Token, most: usize| token.text.len() <= most && token.text.bytes().all(|b| b.is_ascii_digit());
    if colon.text != ":" || hours.end() != colon.start || colon.end() != minutes.start {
        return None;
    }
    if !digits(&hours, 1) || !digits(&minutes, 2) || minutes.text.len() != 2 {
        return None;
    }
    let right = format!("0{}:{}", hours.text, minutes.text);
    let span = broken.span(hours.start, minutes.end());
    Some(
        Finding::new(&codes::LITERAL, span, "a time has two digits for the hour")
            .at("one digit")
            .help(format!("write `{right}`"))
            .fix(span, right),
    )
}

/// `5 pm`, `6am`.
fn half_day(broken: &Broken) -> Option<Finding> {
    let index = if matches!(broken.word(0), "am" | "pm") { 0 } else { 1 };
    let (number, half) = (broken.token(index - 1)?, broken.token(index)?);
    let hour = number.text.parse::<u8>().ok().filter(|hour| (1..=12).contains(hour))?;
    if !matches!(half.text, "am" | "pm") {
        return None;
    }
    let hour = hour % 12 + if half.text == "pm" { 12 } else { 0 };
    let right = format!("{hour:02}:00");
    let span = broken.span(number.start, half.end());
    Some(
        Finding::new(&codes::LITERAL, span, "a time is written with 24 hours")
            .at(format!("written with `{}`", half.text))
            .help(format!("write `{right}`"))
            .fix(span, right),
    )
}

/// `15 %`, and `%` as an operator.
fn percent_apart(broken: &Broken) -> Option<Finding> {
    let sign = broken.token(0).filter(|token| token.text == "%")?;
    let next_is_value = broken.token(1).is_some_and(|next| {
        matches!(next.kind, TokenKind::Word | TokenKind::Number) && !matches!(next.text, "and" | "or" | "then" | "else")
    });
    let before = broken.token(-1)?;
    if next_is_value || before.kind != TokenKind::Number {
        return Some(
            Finding::new(&codes::OPERATOR, broken.span_of(&sign), "there is no operator `%`")
                .at("not expected here")
                .help("the rest of a division is `mod(a, b)`; a percentage is written `15%`"),
        );
    }
    let span = broken.span(before.start, sign.end());
    Some(
        Finding::new(&codes::LITERAL, span, "a percentage is written without a blank")
            .at("a blank before `%`")
            .help(format!("write `{}%`", before.text))
            .fix(span, format!("{}%", before.text)),
    )
}

/// `3days`, `10EUR`, `6am`.
fn unit_joined(broken: &Broken) -> Option<Finding> {
    let pair = |first: isize| {
        let (number, word) = (broken.token(first)?, broken.token(first + 1)?);
        let joined = number.kind == TokenKind::Number && word.kind == TokenKind::Word && number.end() == word.start;
        joined.then_some((number, word))
    };
    let (number, word) = pair(0).or_else(|| pair(-1))?;
    let span = broken.span(number.start, word.end());
    let singular = word.text.trim_end_matches('s');
    let unit = match word.text {
        "ms" => Some("milliseconds"),
        "s" | "sec" | "secs" => Some("seconds"),
        "m" | "min" | "mins" => Some("minutes"),
        "h" | "hr" | "hrs" => Some("hours"),
        "d" => Some("days"),
        "w" => Some("weeks"),
        text if matches!(singular, "millisecond" | "second" | "minute" | "hour" | "day" | "week") => Some(text),
        text if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) => Some(text),
        _ => None,
    };
    let finding =
        Finding::new(&codes::LITERAL, span, format!("`{}{}` is neither a number nor a name", number.text, word.text));
    Some(match unit {
        Some(unit) => {
            let right = format!("{} {unit}", number.text);
            finding.at("a blank is missing").help(format!("write `{right}`")).fix(span, right)
        }
        None => finding
            .at("a name can't begin with a digit")
            .help("begin the name with a letter, or put a blank behind the number"),
    })
}

/// Full-width and typographic signs, blanks that are none.
fn lookalike(broken: &Broken) -> Option<Finding> {
    let token = broken.token(0).filter(|token| token.kind == TokenKind::Foreign)?;
    let character = token.text.chars().next()?;
    let (_, sign) = LOOKALIKES.iter().find(|(known, _)| *known == character)?;
    let span = broken.span_of(&token);
    let shown = super::words::called(&token);
    let finding = Finding::new(&codes::CHARACTER, span, format!("{shown} only looks like a sign of the language"));
    Some(match sign.trim() {
        "" => finding
            .at("not a plain blank")
            .help(if sign.is_empty() { "take it away" } else { "write a plain blank" })
            .fix(span, *sign),
        plain => finding.at(format!("not `{plain}`")).help(format!("write `{plain}`")).fix(span, *sign),
    })
}
