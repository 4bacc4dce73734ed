//! How much memory values take, estimated.

use crate::check::program::{RecordType, Type};
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

/// Records inside of each other at most: deep enough for data, and flat enough for whatever walks over values.
pub(super) const NESTED_RECORDS: usize = 200;

/// For each record whether a record of the same type can lie inside of it.
pub(super) fn recursive(records: &[RecordType]) -> Vec<bool> {
    (0..records.len()).map(|record| reaches(records, record)).collect()
}

fn reaches(records: &[RecordType], record: usize) -> bool {
    let mut seen = vec![false; records.len()];
    let mut rest = vec![record];
    while let Some(next) = rest.pop() {
        let mut types: Vec<&Type> = records.get(next).into_iter().flat_map(|ty| &ty.fields).map(|f| &f.ty).collect();
        while let Some(ty) = types.pop() {
            match ty {
                Type::List(inner) | Type::Optional(inner) => types.push(inner),
                Type::Map(key, value) => types.extend([key.as_ref(), value.as_ref()]),
                Type::Record(id) => {
                    let inner = id.0 as usize;
                    if inner == record {
                        return true;
                    }
                    if let Some(seen @ false) = seen.get_mut(inner) {
                        *seen = true;
                        rest.push(inner);
                    }
                }
                _ => {}
            }
        }
    }
    false
}

/// Whether more records lie inside of each other than may, and how many values were looked at.
pub(super) fn too_nested(value: &Value) -> (bool, usize) {
    let mut rest = vec![(value, 0)];
    let mut looked = 0;
    while let Some((value, depth)) = rest.pop() {
        looked += 1;
        match value {
            Value::List(list) => rest.extend(list.iter().map(|value| (value, depth))),
            Value::Map(map) => map.iter().for_each(|(key, value)| rest.extend([(key, depth), (value, depth)])),
            Value::Record(_) if depth >= NESTED_RECORDS => return (true, looked),
            Value::Record(record) => rest.extend(record.fields.iter().map(|value| (value, depth + 1))),
            _ => {}
        }
    }
    (false, looked)
}
