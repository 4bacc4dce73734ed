//! Who hears of each effect when it happens: the planner, and a run that is held to a plan.

use super::{Message, StoreError};
use crate::value::{RecordId, Value};

/// Hears of what steps do. What it refuses does not happen: the run breaks off, and its open transaction is taken back.
pub trait EffectWatch: Send {
    /// A record was made.
    fn created(&mut self, entity: RecordId, record: &Value) -> Result<(), StoreError>;
    /// A record was changed.
    fn changed(&mut self, entity: RecordId, before: &Value, after: &Value) -> Result<(), StoreError>;
    /// A record was taken away.
    fn deleted(&mut self, entity: RecordId, record: &Value) -> Result<(), StoreError>;
    /// A mail was put into the outbox.
    fn mailed(&mut self, message: &Message) -> Result<(), StoreError>;
    /// How many effects there were so far.
    fn mark(&self) -> usize;
    /// Forgets those behind a mark: the step that did them has failed.
    fn take_back(&mut self, mark: usize);
}
