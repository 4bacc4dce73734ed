//! Functions, and methods of ints, decimals, percents and money.

use super::{Arguments, unknown};
use crate::compile::arithmetic;
use crate::library::Operation;
use crate::value::{Currency, Decimal, Duration, Money, Rounding, Value, decimal, display, temporal};
use crate::vm::problem::{Problem, Result};

pub(super) fn function(operation: Operation, mut given: Arguments) -> Result<Value> {
    Ok(match operation {
        Operation::Money => {
            let code = given.text(1);
            let currency = Currency::from_code(code);
            let currency =
                currency.ok_or_else(|| Problem::BadValue(format!("there is no currency {}", display::quoted(code))))?;
            Value::Money(Money::new(decimal_of(given.get(0)), currency))
        }
        Operation::Percent => Value::Percent(decimal_of(given.get(0))),
        Operation::Modulo => Value::Int(
            decimal::int::modulo(given.int(0), given.int(1)).map_err(|error| Problem::arithmetic(error, "mod"))?,
        ),
        Operation::LeastOf | Operation::GreatestOf => {
            let name = if operation == Operation::LeastOf { "min" } else { "max" };
            let order =
                arithmetic::order(given.get(0), given.get(1)).map_err(|trouble| Problem::trouble(trouble, name))?;
            let first = if operation == Operation::LeastOf { order.is_le() } else { order.is_ge() };
            given.take(if first { 0 } else { 1 })
        }
        Operation::Hours => {
            let milliseconds = decimal::multiply(decimal_of(given.get(0)), Decimal::from(Duration::HOUR))
                .and_then(|milliseconds| decimal::to_int(milliseconds.trunc()))
                .map_err(|error| Problem::arithmetic(error, "hours"))?;
            Value::Duration(Duration::from_milliseconds(milliseconds))
        }
        Operation::Days => Value::Duration(
            Duration::of(given.int(0), Duration::DAY).map_err(|error| Problem::arithmetic(error, "days"))?,
        ),
        Operation::DateOf => {
            let (year, month, day) = (given.int(0), given.int(1), given.int(2));
            let date = temporal::date(year, month, day);
            Value::Date(date.map_err(|_| Problem::BadValue(format!("there is no date {year}-{month:02}-{day:02}")))?)
        }
        other => return unknown(other),
    })
}

pub(super) fn perform(operation: Operation, given: Arguments) -> Result<Value> {
    Ok(match operation {
        Operation::IntAbsolute => Value::Int(given.int(0).checked_abs().ok_or(Problem::Overflow("abs"))?),
        Operation::IntToDecimal => Value::Decimal(Decimal::from(given.int(0))),
        Operation::IntToText => Value::from(given.int(0).to_string()),
        Operation::DecimalAbsolute => Value::Decimal(decimal_of(given.get(0)).abs()),
        Operation::DecimalRound => {
            Value::Decimal(decimal::round(decimal_of(given.get(0)), digits(given.int(1)), Rounding::HalfUp))
        }
        Operation::DecimalFloor => whole(decimal_of(given.get(0)).floor(), "floor")?,
        Operation::DecimalCeiling => whole(decimal_of(given.get(0)).ceil(), "ceiling")?,
        Operation::DecimalToText => match given.int(1) {
            all if all < 0 => Value::from(display::decimal(decimal_of(given.get(0)))),
            count => {
                let digits = digits(count);
                let rounded = decimal::round(decimal_of(given.get(0)), digits, Rounding::HalfUp);
                Value::from(format!("{rounded:.*}", digits as usize))
            }
        },
        Operation::PercentToDecimal => Value::Decimal(decimal_of(given.get(0))),
        Operation::MoneyAmount => Value::Decimal(money(&given)?.amount),
        Operation::MoneyCurrency => Value::from(money(&given)?.currency.to_string()),
        Operation::MoneyRound => Value::Money(money(&given)?.round(Rounding::HalfUp)),
        Operation::MoneyRoundEven => Value::Money(money(&given)?.round(Rounding::HalfEven)),
        Operation::MoneyAbsolute => Value::Money(money(&given)?.absolute()),
        Operation::MoneySplit => {
            let parts = given.int(1);
            let split = usize::try_from(parts).ok().and_then(|parts| money(&given).ok()?.split(parts).ok());
            let split = split.ok_or_else(|| {
                Problem::BadValue(format!("an amount is split into 1 to 1,000,000 parts, and not into {parts}"))
            })?;
            Value::list(split.into_iter().map(Value::Money).collect())
        }
        other => return unknown(other),
    })
}

fn decimal_of(value: &Value) -> Decimal {
    match value {
        Value::Decimal(value) | Value::Percent(value) => *value,
        Value::Int(value) => Decimal::from(*value),
        _ => Decimal::ZERO,
    }
}

fn money(given: &Arguments) -> Result<Money> {
    match given.get(0) {
        Value::Money(money) => Ok(*money),
        _ => Err(Problem::broken("an amount was expected")),
    }
}

fn digits(count: i64) -> u32 {
    u32::try_from(count.clamp(0, 28)).unwrap_or(0)
}

fn whole(value: Decimal, operation: &'static str) -> Result<Value> {
    decimal::to_int(value).map(Value::Int).map_err(|error| Problem::arithmetic(error, operation))
}
