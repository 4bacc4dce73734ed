//! How much memory values take, estimated.

use crate::value::Value;
use std::collections::HashSet;
use std::sync::Arc;

/// What a value takes beside its place, without what lies in its elements.
pub(super) fn shallow(value: &Value) -> usize {
    match value {
        Value::Text(text) if text.len() > 15 => text.len(),
        Value::List(list) => list.len() * size_of::<Value>(),
        Value::Map(map) => map.len() * (2 * size_of::<Value>() + 16),
        Value::Record(record) => record.fields.len() * size_of::<Value>() + 32,
        _ => 0,
    }
}

/// What values take together; what several share is counted once. Stops counting beyond `most`.
pub(super) fn estimate<'v>(values: impl Iterator<Item = &'v Value>, most: usize) -> usize {
    let mut seen = HashSet::new();
    let mut rest: Vec<&Value> = values.collect();
    let mut bytes = rest.len() * size_of::<Value>();
    while let Some(value) = rest.pop() {
        let address = match value {
            Value::List(list) => Arc::as_ptr(list).addr(),
            Value::Map(map) => Arc::as_ptr(map).addr(),
            Value::Record(record) => Arc::as_ptr(record).addr(),
            Value::Text(text) => text.as_ptr().addr(),
            _ => continue,
        };
        if !seen.insert(address) {
            continue;
        }
        bytes += shallow(value);
        if bytes > most {
            return bytes;
        }
        match value {
            Value::List(list) => rest.extend(list.iter()),
            Value::Map(map) => map.iter().for_each(|(key, value)| rest.extend([key, value])),
            Value::Record(record) => rest.extend(record.fields.iter()),
            _ => {}
        }
    }
    bytes
}
