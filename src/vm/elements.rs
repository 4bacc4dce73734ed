//! What instructions do with the elements of lists and maps, and with values as text.

use super::problem::{Problem, Result};
use super::registers::Registers;
use crate::compile::arithmetic;
use crate::compile::code::Code;
use crate::compile::instruction::{Operand, Register};
use crate::value::{Decimal, Duration, Rounding, Value, decimal, display};
use std::cmp::Ordering;
use std::fmt::Write;
use std::sync::Arc;

/// Puts a value to a text, as people read it.
pub(super) fn show(value: &Value, text: &mut String, code: &Code) {
    match value {
        Value::Text(value) => text.push_str(value),
        // Writing to a string does not fail.
        Value::Int(value) => drop(write!(text, "{value}")),
        value => display::display_to(value, &code.names, text),
    }
}

/// The element of a list at a position, or of a map under a key.
pub(super) fn element(target: &Value, index: &Value) -> Result<Value> {
    match (target, index) {
        (Value::List(list), Value::Int(position)) => usize::try_from(*position)
            .ok()
            .and_then(|position| list.get(position).cloned())
            .ok_or(Problem::OutOfRange(*position, list.len())),
        (Value::Map(map), key) => {
            map.get(key).cloned().ok_or_else(|| Problem::NotFound("entry of the map".into(), key.clone()))
        }
        _ => Err(Problem::broken("an element of something that has none")),
    }
}

/// The elements of a list in the order of their keys, none last; equal ones stay as they are.
pub(super) fn sort(list: &Arc<Vec<Value>>, keys: &[Value], descending: bool) -> Result<Vec<Value>> {
    let mut problem = None;
    let mut order: Vec<(usize, &Value)> = keys.iter().enumerate().collect();
    order.sort_by(|(_, left), (_, right)| {
        let by_key = arithmetic::order(left, right).unwrap_or_else(|trouble| {
            problem.get_or_insert(trouble);
            Ordering::Equal
        });
        if descending { by_key.reverse() } else { by_key }
    });
    match problem {
        Some(trouble) => Err(Problem::trouble(trouble, "sort")),
        None => Ok(order.into_iter().filter_map(|(position, _)| list.get(position).cloned()).collect()),
    }
}

pub(super) fn is_better(frame: &Registers, best: Register, value: Operand, wanted: Ordering) -> Result<bool> {
    match (frame.get(Operand::register(best)), frame.get(value)) {
        (_, Value::None) => Ok(false),
        (Value::None, _) => Ok(true),
        (best, value) => {
            let name = if wanted == Ordering::Less { "min" } else { "max" };
            let order = arithmetic::order(value, best).map_err(|trouble| Problem::trouble(trouble, name))?;
            Ok(order == wanted)
        }
    }
}

/// A sum divided by a count; whole numbers and durations are rounded to whole ones, halves away from zero.
pub(super) fn average(sum: Value, count: usize) -> Result<Value> {
    let divisor = Decimal::from(count);
    let rounded = |sum: i64| {
        let average = decimal::divide(Decimal::from(sum), divisor)?;
        decimal::to_int(decimal::round(average, 0, Rounding::HalfUp))
    };
    let result = match sum {
        Value::None => Ok(Value::None),
        Value::Int(sum) => rounded(sum).map(Value::Int),
        Value::Duration(sum) => {
            rounded(sum.milliseconds()).map(|length| Value::Duration(Duration::from_milliseconds(length)))
        }
        Value::Decimal(sum) => decimal::divide(sum, divisor).map(Value::Decimal),
        Value::Percent(sum) => decimal::divide(sum, divisor).map(Value::Percent),
        Value::Money(sum) => sum.divide(divisor).map(Value::Money),
        _ => return Err(Problem::broken("an average of something that is no number")),
    };
    result.map_err(|error| Problem::arithmetic(error, "average"))
}
