//! What the machine asks of its surroundings: everything that is not pure.

use super::Failure;
use crate::compile::query::QueryId;
use crate::library::Operation;
use crate::text::Span;
use crate::value::{RecordId, Value};
use ecow::EcoString;

/// The world as the machine sees it. The task executor implements it for steps; outside steps a host that
/// refuses everything is given, which the checker has proved to be enough.
///
/// Every method fails with a failure at `span`; the machine adds the calls.
pub trait Host {
    /// Performs a primitive that is not pure. A type argument is given as a [`TypeArgument`].
    fn perform(
        &mut self,
        operation: Operation,
        arguments: &[Value],
        ty: Option<&crate::check::program::Type>,
        span: Span,
    ) -> Result<Value, Failure>;

    /// The record with this key.
    fn get(&mut self, entity: RecordId, key: &Value, span: Span) -> Result<Option<Value>, Failure>;

    /// The records with these keys, in their order: one question for all.
    fn get_all(&mut self, entity: RecordId, keys: &[Value], span: Span) -> Result<Vec<Option<Value>>, Failure>;

    /// Puts a record in; `None` for a field that the store counts up. Gives the record.
    fn create(&mut self, entity: RecordId, fields: Vec<Option<Value>>, span: Span) -> Result<Value, Failure>;

    /// Changes fields of the record with this key. Gives the record as it is then.
    fn update(
        &mut self,
        entity: RecordId,
        key: &Value,
        changes: Vec<(usize, Value)>,
        span: Span,
    ) -> Result<Value, Failure>;

    /// Takes the record with this key away, if it is there.
    fn delete(&mut self, entity: RecordId, key: &Value, span: Span) -> Result<(), Failure>;

    /// Answers a question.
    fn query(&mut self, query: QueryId, parameters: &[Value], span: Span) -> Result<Value, Failure>;

    /// Starts a flow once what the step does is certain: the index of the flow and one argument a parameter. Hosts
    /// that can't do that refuse it.
    fn start(&mut self, flow: u32, arguments: Vec<Value>, span: Span) -> Result<Value, Failure> {
        let _ = (flow, arguments);
        Err(Failure { error: Failure::FATAL, fields: Vec::new(), span, trace: Vec::new() })
    }

    /// Says that a table has decided, when decisions are traced: which rows fired, for which input.
    fn decided(&mut self, decision: Decision);

    /// Whether [`Host::decided`] wants to hear of decisions.
    fn traces_decisions(&self) -> bool;
}

/// A decision of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The table.
    pub table: EcoString,
    /// The rows that fired, as people call them.
    pub rows: Vec<EcoString>,
    /// The heading and value of each column that tests.
    pub input: Vec<(EcoString, Value)>,
    /// What came out.
    pub outcome: Value,
    /// Where the table was asked.
    pub span: Span,
}
