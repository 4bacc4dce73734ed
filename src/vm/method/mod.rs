//! The pure primitives, one file a kind of value. Those that take a function are no methods of the machine:
//! the compiler turns them into loops.

mod credential;
mod list;
mod map;
mod number;
mod temporal;
mod text;

use super::Limits;
use super::problem::{Problem, Result};
use crate::library::Operation;
use crate::value::{Value, ValueMap};
use std::sync::Arc;

/// Performs a pure primitive; the receiver and the arguments are taken.
pub(super) fn perform(operation: Operation, arguments: &mut [Value], limits: &Limits) -> Result<Value> {
    use Operation::{DateOf, DurationSeconds, ListJoin, MapRemove, MoneySplit, TextSimilarity};
    let arguments = Arguments(arguments);
    // The table of primitives groups them by what they belong to.
    if operation <= DateOf {
        number::function(operation, arguments)
    } else if operation <= TextSimilarity {
        text::perform(operation, arguments, limits)
    } else if operation <= MoneySplit {
        number::perform(operation, arguments)
    } else if operation <= DurationSeconds {
        temporal::perform(operation, arguments)
    } else if operation <= ListJoin {
        list::perform(operation, arguments, limits)
    } else if operation <= MapRemove {
        map::perform(operation, arguments, limits)
    } else {
        credential::perform(operation, arguments)
    }
}

/// Whether the time that a primitive takes grows with what it is given.
pub(super) fn is_linear(operation: Operation) -> bool {
    use Operation::*;
    !matches!(
        operation,
        TextIsEmpty
            | ListCount
            | ListIsEmpty
            | ListFirst
            | ListLast
            | ListAt
            | ListAppend
            | MapCount
            | MapIsEmpty
            | MapHas
            | MapGet
            | MapPut
    )
}

fn unknown<T>(operation: Operation) -> Result<T> {
    Err(Problem::broken(operation.primitive().signature))
}

/// What a primitive is given. What does not fit (the checker lets none through) reads as empty.
struct Arguments<'a>(&'a mut [Value]);

impl Arguments<'_> {
    fn get(&self, index: usize) -> &Value {
        self.0.get(index).unwrap_or(&Value::None)
    }

    fn take(&mut self, index: usize) -> Value {
        self.0.get_mut(index).map_or(Value::None, std::mem::take)
    }

    fn text(&self, index: usize) -> &str {
        self.get(index).as_text().unwrap_or("")
    }

    fn int(&self, index: usize) -> i64 {
        self.get(index).as_int().unwrap_or(0)
    }

    fn list(&self, index: usize) -> &[Value] {
        self.get(index).as_list().unwrap_or(&[])
    }

    /// The list itself: what is its only owner changes it in place.
    fn take_list(&mut self, index: usize) -> Arc<Vec<Value>> {
        match self.take(index) {
            Value::List(list) => list,
            _ => Arc::default(),
        }
    }

    fn map(&self, index: usize) -> Option<&ValueMap> {
        match self.get(index) {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    fn take_map(&mut self, index: usize) -> Arc<ValueMap> {
        match self.take(index) {
            Value::Map(map) => map,
            _ => Arc::default(),
        }
    }
}

/// A count as an int of the language.
fn count(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

/// A count that may not be negative: what is below nothing is nothing.
fn at_least_none(count: i64) -> usize {
    usize::try_from(count.max(0)).unwrap_or(usize::MAX)
}
