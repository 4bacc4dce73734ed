//! Who hears of each effect when it happens: the planner, and a run that is held to a plan.

use super::{Message, Method, StoreError};
use crate::value::{RecordId, Value};
use ecow::EcoString;

/// A call of another system that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideCall {
    /// What it asks for.
    pub method: Method,
    /// The system: `api.example.com`.
    pub system: EcoString,
    /// The path, without what is behind the question mark.
    pub path: EcoString,
    /// What tells it apart from others like it, and is not shown: query and body, moments left out.
    pub hidden: Vec<EcoString>,
}

/// What is to become of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallPermit {
    /// It is made.
    Make,
    /// It is not made, and what the answer would be is not known.
    Suppose,
}

/// Hears of what steps do. What it refuses does not happen: the run breaks off, and its open transaction is taken back.
pub trait EffectWatch: Send {
    /// A record was made.
    fn created(&mut self, entity: RecordId, record: &Value) -> Result<(), StoreError>;
    /// A record was changed.
    fn changed(&mut self, entity: RecordId, before: &Value, after: &Value) -> Result<(), StoreError>;
    /// A record was taken away.
    fn deleted(&mut self, entity: RecordId, record: &Value) -> Result<(), StoreError>;
    /// A mail was put into the outbox; whether its subject holds what others must not see.
    fn mailed(&mut self, message: &Message, hides_subject: bool) -> Result<(), StoreError>;
    /// Another system is about to be called.
    fn calling(&mut self, _call: &OutsideCall) -> Result<CallPermit, StoreError> {
        Ok(CallPermit::Make)
    }
    /// How many effects there were so far.
    fn mark(&self) -> usize;
    /// Forgets those behind a mark: the step that did them has failed.
    fn take_back(&mut self, mark: usize);
}
