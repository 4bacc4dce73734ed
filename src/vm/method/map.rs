//! Methods of maps. A map keeps the order in which its keys came.

use super::{Arguments, count, unknown};
use crate::library::Operation;
use crate::value::Value;
use crate::vm::Limits;
use crate::vm::problem::{Problem, Result};
use std::sync::Arc;

pub(super) fn perform(operation: Operation, mut given: Arguments, limits: &Limits) -> Result<Value> {
    Ok(match operation {
        Operation::MapCount => count(given.map(0).map_or(0, |map| map.len())),
        Operation::MapIsEmpty => Value::Bool(given.map(0).is_none_or(|map| map.is_empty())),
        Operation::MapKeys => Value::list(given.map(0).map_or(Vec::new(), |map| map.keys().cloned().collect())),
        Operation::MapValues => Value::list(given.map(0).map_or(Vec::new(), |map| map.values().cloned().collect())),
        Operation::MapHas => Value::Bool(given.map(0).is_some_and(|map| map.contains_key(given.get(1)))),
        Operation::MapGet => given.map(0).and_then(|map| map.get(given.get(1)).cloned()).unwrap_or_default(),
        Operation::MapPut => {
            let (key, value) = (given.take(1), given.take(2));
            let mut map = given.take_map(0);
            Arc::make_mut(&mut map).insert(key, value);
            if map.len() > limits.list_length {
                return Err(Problem::Limit("the length of a map".into()));
            }
            Value::Map(map)
        }
        Operation::MapRemove => {
            let key = given.take(1);
            let mut map = given.take_map(0);
            if map.contains_key(&key) {
                Arc::make_mut(&mut map).shift_remove(&key);
            }
            Value::Map(map)
        }
        other => return unknown(other),
    })
}
