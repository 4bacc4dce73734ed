//! Arithmetic on values by their kinds, as the checker's rules for operators say: what constants are folded
//! with, and what the machine does where no instruction of its own exists.

use super::instruction::Comparison;
use crate::value::{ArithmeticError, Decimal, Duration, Value, decimal, temporal};
use std::cmp::Ordering;
use std::sync::Arc;

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The values have no such result.
    Arithmetic(ArithmeticError),
    /// The operator is not for values of these kinds; the checker lets no script come here.
    Kinds(&'static str, &'static str),
}

impl From<ArithmeticError> for Trouble {
    fn from(error: ArithmeticError) -> Self {
        Trouble::Arithmetic(error)
    }
}

type Result<T> = std::result::Result<T, Trouble>;

fn kinds<T>(left: &Value, right: &Value) -> Result<T> {
    Err(Trouble::Kinds(left.kind(), right.kind()))
}

/// `left + right`
pub fn add(left: &Value, right: &Value) -> Result<Value> {
    Ok(match (left, right) {
        (Value::Int(a), Value::Int(b)) => Value::Int(decimal::int::add(*a, *b)?),
        (Value::Decimal(a), Value::Decimal(b)) => Value::Decimal(decimal::add(*a, *b)?),
        (Value::Percent(a), Value::Percent(b)) => Value::Percent(decimal::add(*a, *b)?),
        (Value::Money(a), Value::Money(b)) => Value::Money(a.plus(*b)?),
        (Value::Duration(a), Value::Duration(b)) => Value::Duration(a.plus(*b)?),
        (Value::Date(a), Value::Duration(b)) | (Value::Duration(b), Value::Date(a)) => {
            Value::Date(temporal::add_to_date(*a, *b)?)
        }
        (Value::Time(a), Value::Duration(b)) | (Value::Duration(b), Value::Time(a)) => {
            Value::Time(temporal::add_to_time(*a, *b)?)
        }
        (Value::Instant(a), Value::Duration(b)) | (Value::Duration(b), Value::Instant(a)) => {
            Value::Instant(a.plus(*b)?)
        }
        (Value::Text(a), Value::Text(b)) => {
            let mut text = a.clone();
            text.push_str(b);
            Value::Text(text)
        }
        (Value::List(a), Value::List(b)) => Value::List(Arc::new(a.iter().chain(b.iter()).cloned().collect())),
        (Value::Int(a), Value::Decimal(b)) | (Value::Decimal(b), Value::Int(a)) => {
            Value::Decimal(decimal::add(Decimal::from(*a), *b)?)
        }
        _ => return kinds(left, right),
    })
}

/// `left - right`
pub fn subtract(left: &Value, right: &Value) -> Result<Value> {
    Ok(match (left, right) {
        (Value::Int(a), Value::Int(b)) => Value::Int(decimal::int::subtract(*a, *b)?),
        (Value::Decimal(a), Value::Decimal(b)) => Value::Decimal(decimal::subtract(*a, *b)?),
        (Value::Percent(a), Value::Percent(b)) => Value::Percent(decimal::subtract(*a, *b)?),
        (Value::Money(a), Value::Money(b)) => Value::Money(a.minus(*b)?),
        (Value::Duration(a), Value::Duration(b)) => Value::Duration(a.minus(*b)?),
        (Value::Date(a), Value::Duration(b)) => Value::Date(temporal::subtract_from_date(*a, *b)?),
        (Value::Date(a), Value::Date(b)) => Value::Duration(temporal::between_dates(*a, *b)),
        (Value::Time(a), Value::Duration(b)) => Value::Time(temporal::add_to_time(*a, b.negate()?)?),
        (Value::Time(a), Value::Time(b)) => Value::Duration(temporal::between_times(*a, *b)),
        (Value::Instant(a), Value::Duration(b)) => Value::Instant(a.minus(*b)?),
        (Value::Instant(a), Value::Instant(b)) => Value::Duration(a.since(*b)),
        (Value::Int(a), Value::Decimal(b)) => Value::Decimal(decimal::subtract(Decimal::from(*a), *b)?),
        (Value::Decimal(a), Value::Int(b)) => Value::Decimal(decimal::subtract(*a, Decimal::from(*b))?),
        _ => return kinds(left, right),
    })
}

/// `left * right`
pub fn multiply(left: &Value, right: &Value) -> Result<Value> {
    use Value::{Duration as Length, Int, Money, Percent};
    Ok(match (left, right) {
        (Int(a), Int(b)) => Int(decimal::int::multiply(*a, *b)?),
        (Value::Decimal(a), Value::Decimal(b)) => Value::Decimal(decimal::multiply(*a, *b)?),
        (Money(a), Value::Decimal(b) | Percent(b)) | (Value::Decimal(b) | Percent(b), Money(a)) => {
            Money(a.multiply(*b)?)
        }
        (Money(a), Int(b)) | (Int(b), Money(a)) => Money(a.multiply(Decimal::from(*b))?),
        (Percent(a), Percent(b)) => Percent(decimal::multiply(*a, *b)?),
        // A share of a number is a number; what is meant by a number of shares is said by the checker.
        (Percent(a), Value::Decimal(b)) | (Value::Decimal(b), Percent(a)) => Value::Decimal(decimal::multiply(*a, *b)?),
        (Percent(a), Int(b)) | (Int(b), Percent(a)) => Value::Decimal(decimal::multiply(*a, Decimal::from(*b))?),
        (Length(a), Int(b)) | (Int(b), Length(a)) => Length(a.multiply(*b)?),
        (Length(a), Value::Decimal(b) | Percent(b)) | (Value::Decimal(b) | Percent(b), Length(a)) => {
            let milliseconds = decimal::multiply(Decimal::from(a.milliseconds()), *b)?;
            Length(Duration::from_milliseconds(decimal::to_int(milliseconds.trunc())?))
        }
        (Int(a), Value::Decimal(b)) | (Value::Decimal(b), Int(a)) => {
            Value::Decimal(decimal::multiply(Decimal::from(*a), *b)?)
        }
        _ => return kinds(left, right),
    })
}

/// `left / right`; ints give a decimal.
pub fn divide(left: &Value, right: &Value) -> Result<Value> {
    use Value::{Duration as Length, Int, Money, Percent};
    Ok(match (left, right) {
        (Int(a), Int(b)) => Value::Decimal(decimal::int::divide(*a, *b)?),
        (Value::Decimal(a), Value::Decimal(b)) => Value::Decimal(decimal::divide(*a, *b)?),
        (Money(a), Value::Decimal(b) | Percent(b)) => Money(a.divide(*b)?),
        (Money(a), Int(b)) => Money(a.divide(Decimal::from(*b))?),
        (Money(a), Money(b)) => Value::Decimal(a.ratio(*b)?),
        (Percent(a), Percent(b)) => Value::Decimal(decimal::divide(*a, *b)?),
        (Percent(a), Value::Decimal(b)) => Percent(decimal::divide(*a, *b)?),
        (Percent(a), Int(b)) => Percent(decimal::divide(*a, Decimal::from(*b))?),
        (Value::Decimal(a), Percent(b)) => Value::Decimal(decimal::divide(*a, *b)?),
        (Length(a), Length(b)) => Value::Decimal(a.ratio(*b)?),
        (Length(a), Int(b)) => Length(a.divide(*b)?),
        (Length(a), Value::Decimal(b)) => {
            let milliseconds = decimal::divide(Decimal::from(a.milliseconds()), *b)?;
            Length(Duration::from_milliseconds(decimal::to_int(milliseconds.trunc())?))
        }
        (Int(a), Value::Decimal(b)) => Value::Decimal(decimal::divide(Decimal::from(*a), *b)?),
        (Value::Decimal(a), Int(b)) => Value::Decimal(decimal::divide(*a, Decimal::from(*b))?),
        _ => return kinds(left, right),
    })
}

/// `-value`
pub fn negate(value: &Value) -> Result<Value> {
    Ok(match value {
        Value::Int(value) => Value::Int(decimal::int::negate(*value)?),
        // `0 - x` and not `-x`: zero has no sign.
        Value::Decimal(value) => Value::Decimal(Decimal::ZERO - *value),
        Value::Percent(value) => Value::Percent(Decimal::ZERO - *value),
        Value::Money(value) => Value::Money(value.negate()),
        Value::Duration(value) => Value::Duration(value.negate()?),
        other => return kinds(other, other),
    })
}

/// A whole number as a decimal; none stays none, and lists are converted element by element.
pub fn to_decimal(value: &Value) -> Result<Value> {
    Ok(match value {
        Value::Int(value) => Value::Decimal(Decimal::from(*value)),
        Value::None | Value::Decimal(_) => value.clone(),
        Value::List(items) => Value::list(items.iter().map(to_decimal).collect::<Result<_>>()?),
        other => return kinds(other, other),
    })
}

/// How two values of one kind are ordered; amounts of different currencies are not.
pub fn order(left: &Value, right: &Value) -> Result<Ordering> {
    match (left, right) {
        (Value::Money(a), Value::Money(b)) => Ok(a.compare(*b)?),
        _ => Ok(left.cmp(right)),
    }
}

/// Whether a comparison holds. A comparison with none is false, but for `==` and `!=`.
pub fn compare(comparison: Comparison, left: &Value, right: &Value) -> Result<bool> {
    match comparison {
        Comparison::Equal => Ok(left == right),
        Comparison::NotEqual => Ok(left != right),
        _ if left.is_none() || right.is_none() => Ok(false),
        _ => Ok(comparison.holds(order(left, right)?)),
    }
}

/// The whole numbers from the first to the last; none when there are more than `most`.
pub fn range(first: i64, last: i64, most: usize) -> Option<Vec<Value>> {
    if first > last {
        return Some(Vec::new());
    }
    let count = last.checked_sub(first)?.checked_add(1)?;
    (usize::try_from(count).ok()? <= most).then(|| (first..=last).map(Value::Int).collect())
}
