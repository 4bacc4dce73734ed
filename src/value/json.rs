//! Values as JSON, for `json.write`, `--format json` and the web.
//!
//! A decimal becomes a number as long as every reader gets its digits back (15 of them), and a text
//! beyond. Money is `{"amount": "99.90", "currency": "EUR"}`: its amount is a text, since many readers
//! would make it a binary fraction. Durations are ISO 8601 (`P3D`, `PT2H30M`), percents `"15%"`.

use super::display::{self, written};
use super::{Decimal, Duration, EcoString, TypeNames, Value};
use serde_json::{Map, Number, Value as Json};
use std::fmt::Write;

/// A value as JSON. A reference becomes its key, a failure `{"error": name, "fields": {…}}`, an enum
/// member its name, a map an object whose keys are shown as people read them.
pub fn to_json(value: &Value, names: &dyn TypeNames) -> Json {
    match value {
        Value::None => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => Json::from(*value),
        Value::Decimal(value) => decimal(*value),
        Value::Percent(value) => Json::String(display::percent(*value)),
        Value::Money(money) => {
            let mut object = Map::new();
            object.insert("amount".into(), Json::String(display::amount(*money)));
            object.insert("currency".into(), Json::from(money.currency.code()));
            Json::Object(object)
        }
        Value::Date(value) => Json::String(display::date(*value)),
        Value::Time(value) => Json::String(display::time(*value)),
        Value::Instant(value) => Json::String(display::instant(*value)),
        Value::Duration(value) => Json::String(duration(*value)),
        Value::Text(text) => Json::from(text.as_str()),
        Value::Enum(value) => Json::from(names.enum_member(value.type_id, value.member)),
        Value::List(items) => items.iter().map(|item| to_json(item, names)).collect(),
        Value::Map(map) => map.iter().map(|(key, value)| (key_text(key, names), to_json(value, names))).collect(),
        Value::Record(record) => Json::Object(object(names.record(record.type_id).1, &record.fields, names)),
        Value::Reference(reference) => to_json(&reference.key, names),
        Value::Failure(failure) => {
            let (name, fields) = names.error(failure.error);
            let mut outer = Map::new();
            outer.insert("error".into(), Json::from(name));
            outer.insert("fields".into(), Json::Object(object(fields, &failure.fields, names)));
            Json::Object(outer)
        }
    }
}

fn object(fields: &[EcoString], values: &[Value], names: &dyn TypeNames) -> Map<String, Json> {
    let name = |index: usize| fields.get(index).map_or_else(|| format!("field_{index}"), ToString::to_string);
    values.iter().enumerate().map(|(index, value)| (name(index), to_json(value, names))).collect()
}

fn key_text(key: &Value, names: &dyn TypeNames) -> String {
    match key {
        Value::Text(text) => text.to_string(),
        key => written(key, names),
    }
}

/// A number where a reader that keeps numbers as 64-bit floating point gets every digit back.
fn decimal(value: Decimal) -> Json {
    let value = value.normalize();
    if value.scale() == 0
        && let Ok(whole) = i64::try_from(value.mantissa())
    {
        return Json::from(whole);
    }
    if value.mantissa().unsigned_abs() < 10_u128.pow(15)
        && let Some(number) = value.to_string().parse().ok().and_then(Number::from_f64)
    {
        return Json::Number(number);
    }
    Json::String(value.to_string())
}

/// ISO 8601, with days of 24 hours: `P1DT2H30M`.
fn duration(duration: Duration) -> String {
    let total = duration.milliseconds().unsigned_abs();
    let (days, rest) = (total / Duration::DAY as u64, total % Duration::DAY as u64);
    let (hours, rest) = (rest / Duration::HOUR as u64, rest % Duration::HOUR as u64);
    let (minutes, rest) = (rest / Duration::MINUTE as u64, rest % Duration::MINUTE as u64);
    let mut out = String::from(if duration.milliseconds() < 0 { "-P" } else { "P" });
    if days > 0 {
        let _ = write!(out, "{days}D");
    }
    if hours > 0 || minutes > 0 || rest > 0 || days == 0 {
        out.push('T');
    }
    if hours > 0 {
        let _ = write!(out, "{hours}H");
    }
    if minutes > 0 {
        let _ = write!(out, "{minutes}M");
    }
    if rest > 0 || total == 0 {
        let _ = write!(out, "{}S", Decimal::new(rest as i64, 3).normalize());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::codec::tests::value;
    use super::super::{Currency, Money, NoNames};
    use super::*;
    use proptest::prelude::*;

    fn json(value: impl Into<Value>) -> String {
        to_json(&value.into(), &NoNames).to_string()
    }

    #[test]
    fn scalars() {
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(json(number("19.90")), "19.9");
        assert_eq!(json(number("2.00")), "2");
        assert_eq!(json(number("0.1234567890123456789")), "\"0.1234567890123456789\"");
        assert_eq!(json(Value::Percent(number("0.15"))), "\"15%\"");
        assert_eq!(json(Money::new(number("99.9"), Currency::EUR)), r#"{"amount":"99.90","currency":"EUR"}"#);
        assert_eq!(json(Duration::from_milliseconds(3 * Duration::DAY)), "\"P3D\"");
        assert_eq!(json(Duration::from_milliseconds(-150 * Duration::MINUTE)), "\"-PT2H30M\"");
        assert_eq!(json(Duration::from_milliseconds(1500)), "\"PT1.5S\"");
        assert_eq!(json(Duration::ZERO), "\"PT0S\"");
        assert_eq!(json(Value::None), "null");
        assert_eq!(json(Value::map([(Value::Int(1), Value::text("a"))])), r#"{"1":"a"}"#);
    }

    proptest! {
        #[test]
        fn decimals_keep_their_digits(digits in -(10_i64.pow(15))..10_i64.pow(15), scale in 0_u32..20) {
            let value = Decimal::new(digits, scale);
            let read: Json = serde_json::from_str(&json(value)).unwrap();
            let text = read.as_str().map_or_else(|| read.to_string(), str::to_string);
            let back = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(&text)).unwrap();
            prop_assert_eq!(back, value);
        }

        #[test]
        fn every_value_has_json(value in value()) {
            let text = to_json(&value, &NoNames).to_string();
            prop_assert!(serde_json::from_str::<Json>(&text).is_ok());
        }
    }
}
