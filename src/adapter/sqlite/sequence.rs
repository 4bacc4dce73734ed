//! Counting up: sequences of scripts and keys of records.
//!
//! Within a transaction the counters are held in memory and written once, before the commit. What a
//! savepoint takes back, it takes back here too, so that a sequence has no gaps.

use super::desk::Desk;
use super::failure::Done;
use crate::value::{EcoString, RecordId};
use crate::world::StoreError;
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Counter {
    /// `sequence.next(name)`
    Sequence(EcoString),
    /// A field of an entity.
    Field(RecordId, usize),
}

#[derive(Debug)]
struct State {
    /// The last number given out; none when there was none.
    last: Option<i64>,
    /// Under which name it is kept.
    name: EcoString,
    changed: bool,
}

/// The counters of the open transaction.
#[derive(Debug, Default)]
pub(super) struct Counters {
    states: HashMap<Counter, State, foldhash::fast::RandomState>,
    /// What numbers were before they changed, the oldest first.
    changes: Vec<(Counter, Option<i64>)>,
    /// How many changes there were when each savepoint began.
    savepoints: Vec<usize>,
}

impl Counters {
    /// The next number; `from` when it is the first. `known` gives a number that was given out at least,
    /// and the name to keep it under.
    pub fn next(
        &mut self,
        desk: &Desk,
        counter: &Counter,
        from: i64,
        known: impl FnOnce() -> Done<(EcoString, Option<i64>)>,
    ) -> Done<i64> {
        let last = self.last(desk, counter, known)?;
        let next = match last {
            None => from,
            Some(last) => last.checked_add(1).ok_or_else(|| StoreError::Overflow("sequence.next".into()))?,
        };
        self.set(counter, next);
        Ok(next)
    }

    /// Says that a number was given by hand, so that it is not given again.
    pub fn given(
        &mut self,
        desk: &Desk,
        counter: &Counter,
        number: i64,
        known: impl FnOnce() -> Done<(EcoString, Option<i64>)>,
    ) -> Done<()> {
        if self.last(desk, counter, known)?.is_none_or(|last| last < number) {
            self.set(counter, number);
        }
        Ok(())
    }

    fn last(
        &mut self,
        desk: &Desk,
        counter: &Counter,
        known: impl FnOnce() -> Done<(EcoString, Option<i64>)>,
    ) -> Done<Option<i64>> {
        if let Some(state) = self.states.get(counter) {
            return Ok(state.last);
        }
        let (name, known) = known()?;
        let mut statement = desk.prepare_cached("SELECT value FROM rpa_sequences WHERE kind = ?1 AND name = ?2")?;
        let stored: Option<i64> = statement.query_row((counter.kind(), name.as_str()), |row| row.get(0)).optional()?;
        let last = stored.max(known);
        self.states.insert(counter.clone(), State { last, name, changed: false });
        Ok(last)
    }

    fn set(&mut self, counter: &Counter, number: i64) {
        if let Some(state) = self.states.get_mut(counter) {
            if !self.savepoints.is_empty() {
                self.changes.push((counter.clone(), state.last));
            }
            state.last = Some(number);
            state.changed = true;
        }
    }

    /// Begins a part that may be taken back.
    pub fn savepoint(&mut self) {
        self.savepoints.push(self.changes.len());
    }

    /// Keeps the innermost part.
    pub fn release(&mut self) {
        self.savepoints.pop();
        if self.savepoints.is_empty() {
            self.changes.clear();
        }
    }

    /// Takes the innermost part back.
    pub fn rollback_savepoint(&mut self) {
        let start = self.savepoints.pop().unwrap_or(0);
        while self.changes.len() > start {
            let Some((counter, last)) = self.changes.pop() else { break };
            if let Some(state) = self.states.get_mut(&counter) {
                state.last = last;
            }
        }
    }

    /// Writes what was counted.
    pub fn write(&mut self, connection: &Connection) -> Done<()> {
        for (counter, state) in self.states.iter().filter(|(_, state)| state.changed) {
            if let Some(last) = state.last {
                connection
                    .prepare_cached(
                        "INSERT INTO rpa_sequences (kind, name, value) VALUES (?1, ?2, ?3) \
                         ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value",
                    )?
                    .execute((counter.kind(), state.name.as_str(), last))?;
            }
        }
        Ok(())
    }

    /// Forgets everything: another process may count before the next transaction.
    pub fn clear(&mut self) {
        self.states.clear();
        self.changes.clear();
        self.savepoints.clear();
    }
}

impl Counter {
    fn kind(&self) -> &'static str {
        match self {
            Counter::Sequence(_) => "sequence",
            Counter::Field(..) => "field",
        }
    }
}
