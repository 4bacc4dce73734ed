//! What a call may use up: rounds, calls inside of each other, lengths, nesting.

use super::machine::{Call, Machine};
use super::memory;
use super::problem::{Problem, Result};
use crate::value::Value;

impl<'c> Machine<'c> {
    pub(super) fn enter(&mut self, call: Call<'c>) -> Result<()> {
        self.round()?;
        if self.calls.len() >= self.limits.call_depth {
            return Err(Problem::Limit(format!("{} calls inside of each other", self.limits.call_depth)));
        }
        self.calls.push(call);
        Ok(())
    }

    #[inline(always)]
    pub(super) fn round(&mut self) -> Result<()> {
        self.many_rounds(1)
    }

    #[inline(always)]
    pub(super) fn many_rounds(&mut self, rounds: usize) -> Result<()> {
        match self.rounds.checked_sub(rounds as u64) {
            Some(left) => {
                self.rounds = left;
                Ok(())
            }
            None => Err(Problem::Limit(format!("{} rounds of loops and calls", self.limits.rounds))),
        }
    }

    /// Holds how many records lie inside of each other: whatever walks over values goes as deep.
    #[inline]
    pub(super) fn nested(&mut self, record: u32, value: &Value) -> Result<()> {
        if !self.recursive.get(record as usize).is_some_and(|recursive| *recursive) {
            return Ok(());
        }
        let (too_nested, looked) = memory::too_nested(value);
        self.many_rounds(looked / 8)?;
        match too_nested {
            true => Err(Problem::Limit(format!("{} records inside of each other", memory::NESTED_RECORDS))),
            false => Ok(()),
        }
    }

    pub(super) fn length(&self, length: usize) -> Result<()> {
        match length <= self.limits.list_length {
            true => Ok(()),
            false => Err(Problem::Limit(format!("{} elements in a list or map", self.limits.list_length))),
        }
    }

    pub(super) fn text_length(&self, length: usize) -> Result<()> {
        match length <= self.limits.text_length {
            true => Ok(()),
            false => Err(Problem::Limit(format!("{} bytes in a text", self.limits.text_length))),
        }
    }

    /// Whether the sum of texts or lists is within the limits.
    pub(super) fn fits(&self, left: &Value, right: &Value) -> Result<()> {
        match (left, right) {
            (Value::Text(left), Value::Text(right)) => self.text_length(left.len().saturating_add(right.len())),
            (Value::List(left), Value::List(right)) => self.length(left.len().saturating_add(right.len())),
            _ => Ok(()),
        }
    }
}
