//! What the store remembers for triggers, so that each time, file and change of a record starts its flow once,
//! whichever process sees it.

use super::StoreError;
use crate::value::{Instant, RecordId, Value};
use ecow::EcoString;

/// What happens to a record that a trigger is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RecordHappening {
    /// It was made.
    Created = 1,
    /// A field of it has another value.
    Changed = 2,
    /// It is gone.
    Deleted = 3,
}

/// Something that happened to a record of an entity that a trigger watches.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedChange {
    /// Counted up in the order of the commits, with gaps.
    pub number: i64,
    /// The key of the record.
    pub key: Value,
    /// A deleted record as it was last; none when this program can't read it, as every other kind of change.
    pub gone: Option<Value>,
}

/// The part of a store that remembers what triggers have seen. Writing happens inside a transaction. What is not
/// implemented remembers nothing: for fakes without triggers.
pub trait Triggers {
    /// How far a trigger has come: a moment in milliseconds, the number of a change. When the trigger is new it gets
    /// a beginning: `first`, or for a trigger on records the last change there is; from then on such changes are
    /// logged, in the transaction that makes them.
    fn register_trigger(
        &mut self,
        _trigger: &str,
        _on: Option<(RecordId, RecordHappening)>,
        first: i64,
        _now: Instant,
    ) -> Result<i64, StoreError> {
        Ok(first)
    }

    /// How far a trigger has come; none when it is not registered.
    fn trigger_position(&mut self, _trigger: &str) -> Result<Option<i64>, StoreError> {
        Ok(None)
    }

    /// Moves a trigger on. False when it is not where the caller thinks: another process has moved it.
    fn move_trigger(&mut self, _trigger: &str, _from: i64, _to: i64) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// What happened to records of an entity after a position, in order, at most so many.
    fn changes_after(
        &mut self,
        _entity: RecordId,
        _happening: RecordHappening,
        _position: i64,
        _limit: usize,
    ) -> Result<Vec<LoggedChange>, StoreError> {
        Ok(Vec::new())
    }

    /// Whether a trigger has seen this before.
    fn has_seen(&mut self, _trigger: &str, _what: &str) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// Remembers that a trigger has seen this. False when it had before.
    fn see(&mut self, _trigger: &str, _what: &str, _now: Instant) -> Result<bool, StoreError> {
        Ok(true)
    }

    /// What a trigger has seen before `before`: for what is not there any more to be forgotten.
    fn seen_before(&mut self, _trigger: &str, _before: Instant) -> Result<Vec<EcoString>, StoreError> {
        Ok(Vec::new())
    }

    /// Forgets that a trigger has seen this.
    fn forget(&mut self, _trigger: &str, _what: &str) -> Result<(), StoreError> {
        Ok(())
    }

    /// Forgets triggers that no process has registered since `before`, and changes that every trigger has seen.
    fn tidy_triggers(&mut self, _before: Instant) -> Result<(), StoreError> {
        Ok(())
    }
}
