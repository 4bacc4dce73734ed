//! The host between steps.

use super::json;
use super::problem::Problem;
use crate::check::program::Type;
use crate::compile::code::Code;
use crate::compile::query::QueryId;
use crate::library::Operation;
use crate::text::Span;
use crate::value::{RecordId, Value};
use crate::vm::{Decision, Failure, Host};
use crate::world::StoreError;

/// Refuses the world: the checker has proved that chunks between steps do not ask for it. Performs what is pure
/// and needs the program's types (`json.parse`, `json.text`).
pub struct PureHost<'a> {
    code: &'a Code,
    traces: bool,
    /// The decisions, when they are traced.
    pub decisions: Vec<Decision>,
    /// Why the run must stop, after a failure that [is fatal](Failure::is_fatal).
    pub fatal: Option<StoreError>,
}

impl<'a> PureHost<'a> {
    /// For chunks of this program.
    pub fn new(code: &'a Code) -> Self {
        PureHost { code, traces: false, decisions: Vec::new(), fatal: None }
    }

    /// Keeps account of decisions.
    pub fn tracing(mut self, traces: bool) -> Self {
        self.traces = traces;
        self
    }

    fn refuse<T>(&mut self, what: &str, span: Span) -> Result<T, Failure> {
        let problem = Problem::internal(format!("{what} outside a step"));
        Err(problem.at(self.code, span, &mut self.fatal))
    }
}

impl Host for PureHost<'_> {
    fn perform(
        &mut self,
        operation: Operation,
        arguments: &[Value],
        ty: Option<&Type>,
        span: Span,
    ) -> Result<Value, Failure> {
        match operation {
            Operation::JsonParse | Operation::JsonText => json::perform_pure(self.code, operation, arguments, ty)
                .map_err(|problem| problem.at(self.code, span, &mut self.fatal)),
            other => self.refuse(&format!("{other:?} is performed"), span),
        }
    }

    fn get(&mut self, _: RecordId, _: &Value, span: Span) -> Result<Option<Value>, Failure> {
        self.refuse("a record is read", span)
    }

    fn get_all(&mut self, _: RecordId, _: &[Value], span: Span) -> Result<Vec<Option<Value>>, Failure> {
        self.refuse("records are read", span)
    }

    fn create(&mut self, _: RecordId, _: Vec<Option<Value>>, span: Span) -> Result<Value, Failure> {
        self.refuse("a record is created", span)
    }

    fn update(&mut self, _: RecordId, _: &Value, _: Vec<(usize, Value)>, span: Span) -> Result<Value, Failure> {
        self.refuse("a record is changed", span)
    }

    fn delete(&mut self, _: RecordId, _: &Value, span: Span) -> Result<(), Failure> {
        self.refuse("a record is deleted", span)
    }

    fn query(&mut self, _: QueryId, _: &[Value], span: Span) -> Result<Value, Failure> {
        self.refuse("records are looked for", span)
    }

    fn decided(&mut self, decision: Decision) {
        if self.traces {
            self.decisions.push(decision);
        }
    }

    fn traces_decisions(&self) -> bool {
        self.traces
    }
}
