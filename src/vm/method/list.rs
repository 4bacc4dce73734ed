//! Methods of lists that take no function.

use super::{Arguments, at_least_none, count, unknown};
use crate::library::Operation;
use crate::value::{EcoString, Value};
use crate::vm::Limits;
use crate::vm::problem::{Problem, Result};
use std::collections::HashSet;
use std::sync::Arc;

pub(super) fn perform(operation: Operation, mut given: Arguments, limits: &Limits) -> Result<Value> {
    Ok(match operation {
        Operation::ListCount => count(given.list(0).len()),
        Operation::ListIsEmpty => Value::Bool(given.list(0).is_empty()),
        Operation::ListFirst => given.list(0).first().cloned().unwrap_or_default(),
        Operation::ListLast => given.list(0).last().cloned().unwrap_or_default(),
        Operation::ListAt => {
            let position = usize::try_from(given.int(1)).ok();
            position.and_then(|position| given.list(0).get(position).cloned()).unwrap_or_default()
        }
        Operation::ListReverse => {
            let mut list = given.take_list(0);
            Arc::make_mut(&mut list).reverse();
            Value::List(list)
        }
        Operation::ListTake => {
            let most = at_least_none(given.int(1));
            let mut list = given.take_list(0);
            if most < list.len() {
                match Arc::get_mut(&mut list) {
                    Some(list) => list.truncate(most),
                    None => list = Arc::new(list.iter().take(most).cloned().collect()),
                }
            }
            Value::List(list)
        }
        Operation::ListSkip => {
            let without = at_least_none(given.int(1));
            match without {
                0 => given.take(0),
                _ => Value::list(given.list(0).get(without..).unwrap_or(&[]).to_vec()),
            }
        }
        Operation::ListDistinct => {
            let mut list = given.take_list(0);
            let mut seen = HashSet::with_capacity(list.len());
            let repeated: Vec<bool> = list.iter().map(|element| !seen.insert(element)).collect();
            drop(seen);
            if repeated.contains(&true) {
                let mut repeated = repeated.into_iter();
                Arc::make_mut(&mut list).retain(|_| repeated.next() != Some(true));
            }
            Value::List(list)
        }
        Operation::ListContains => Value::Bool(given.list(0).contains(given.get(1))),
        Operation::ListIndexOf => {
            let element = given.get(1);
            given.list(0).iter().position(|other| other == element).map_or(Value::None, count)
        }
        Operation::ListAppend => {
            let element = given.take(1);
            let mut list = given.take_list(0);
            within(list.len() + 1, limits)?;
            Arc::make_mut(&mut list).push(element);
            Value::List(list)
        }
        Operation::ListConcat => {
            let (mut list, other) = (given.take_list(0), given.take_list(1));
            within(list.len() + other.len(), limits)?;
            if list.is_empty() {
                list = other;
            } else {
                match Arc::try_unwrap(other) {
                    Ok(other) => Arc::make_mut(&mut list).extend(other),
                    Err(other) => Arc::make_mut(&mut list).extend_from_slice(&other),
                }
            }
            Value::List(list)
        }
        Operation::ListChunks => {
            let size = given.int(1);
            if size < 1 {
                return Err(Problem::BadValue(format!(
                    "a list is cut into lists of 1 element at least, not of {size}"
                )));
            }
            let chunks = given.list(0).chunks(at_least_none(size));
            Value::list(chunks.map(|chunk| Value::list(chunk.to_vec())).collect())
        }
        Operation::ListJoin => {
            let (list, separator) = (given.list(0), given.text(1));
            let length = list.iter().map(|text| text.as_text().map_or(0, str::len)).sum::<usize>();
            let length = length.saturating_add(separator.len().saturating_mul(list.len()));
            if length > limits.text_length {
                return Err(Problem::Limit("the length of a text".into()));
            }
            let mut text = EcoString::with_capacity(length);
            for (index, part) in list.iter().enumerate() {
                if index > 0 {
                    text.push_str(separator);
                }
                text.push_str(part.as_text().unwrap_or(""));
            }
            Value::Text(text)
        }
        other => return unknown(other),
    })
}

fn within(length: usize, limits: &Limits) -> Result<()> {
    if length > limits.list_length { Err(Problem::Limit("the length of a list".into())) } else { Ok(()) }
}
