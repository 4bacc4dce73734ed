//! The executor of a step.

use super::arguments::Arguments;
use super::http::LeftCall;
use super::interrupted::{Interrupted, Leaves, Memory};
use super::names::Names;
use super::problem::Problem;
use super::report::{FlowStart, StepReport};
use super::{calendar, clock, csv, email, excel, file, http, json, log, pdf, project, random, sequence};
use crate::check::program::Type;
use crate::compile::code::Code;
use crate::compile::query::QueryId;
use crate::library::Operation;
use crate::rule::{Agenda, Executes};
use crate::text::Span;
use crate::value::{Duration, Instant, RecordId, Value, display};
use crate::vm::{Decision, Failure, Host};
use crate::world::{Change, ChangeKind, EffectWatch, RunId, World};
use ecow::EcoString;

/// Performs the primitives of one try of one step, and keeps account of what it changes.
///
/// Transactions and savepoints are the matter of the flow engine: a step that fails leaves its account behind
/// ([`Executor::into_report`]), and the engine takes its writes back.
pub struct Executor<'a> {
    pub(super) world: &'a mut World,
    pub(super) code: &'a Code,
    pub(super) run: RunId,
    pub(super) step: &'a str,
    /// How many mails the step has written.
    pub(super) mails: u32,
    /// How many calls of other systems it has named.
    pub(super) calls: u32,
    /// Whether the step has written to the store.
    pub(super) wrote: bool,
    /// Until when the step must have ended, and how long that is after its beginning.
    pub(super) until: Option<(Instant, Duration)>,
    /// Whether the mail that is written has a subject that the story of the run must not tell.
    pub(super) hides_subject: bool,
    pub(super) traces: bool,
    /// What may be left to another thread.
    leaves: Leaves,
    /// What the step is told again, when it was put aside before.
    memory: Memory,
    /// The call that it was put aside for: by the one who does it again, or from now on.
    pub(super) left_call: Option<LeftCall>,
    pub(super) report: StepReport,
    /// Who hears of each effect.
    pub(super) watch: Option<&'a mut dyn EffectWatch>,
    /// The reactive rules that wait.
    pub(super) agenda: Agenda,
    /// What executes them; away while it does.
    pub(super) rules: Option<&'a mut dyn Executes>,
}

impl<'a> Executor<'a> {
    /// For one try of a step. `step` names the step within its run, with the rounds of the loops around it
    /// (`confirm[3]`): together with the run it makes the names of mails, the same in every try.
    pub fn new(world: &'a mut World, code: &'a Code, run: RunId, step: &'a str) -> Executor<'a> {
        Executor {
            world,
            code,
            run,
            step,
            mails: 0,
            calls: 0,
            wrote: false,
            until: None,
            hides_subject: false,
            traces: false,
            leaves: Leaves::Nothing,
            memory: Memory::default(),
            left_call: None,
            report: StepReport::default(),
            watch: None,
            agenda: Agenda::default(),
            rules: None,
        }
    }

    /// Keeps account of decisions too.
    pub fn tracing(mut self, traces: bool) -> Self {
        self.traces = traces;
        self
    }

    /// Says until when the step must have ended, and how long that is after its beginning.
    pub fn until(mut self, until: Option<(Instant, Duration)>) -> Self {
        self.until = until;
        self
    }

    /// Lets work be left to another thread: the step then fails with [`Failure::ELSEWHERE`], and is done again. `before`
    /// is what [`Executor::interrupted`] gave when it was put aside for a call.
    pub fn leaving(mut self, leaves: Leaves, before: Option<Interrupted>) -> Self {
        self.leaves = leaves;
        let keeps = leaves == Leaves::Calls;
        match before {
            None if keeps => self.memory = Memory::keeping(),
            None => {}
            Some(Interrupted { memory, report, calls, call }) => {
                self.memory = Memory::telling(memory, keeps);
                self.report = report;
                self.calls = calls;
                self.left_call = Some(call);
            }
        }
        self
    }

    /// Whether a document may be left to another thread. Not once the step has done what it should not do twice without
    /// need.
    pub(super) fn may_leave(&self) -> bool {
        self.leaves == Leaves::Documents && !self.agenda.is_firing()
    }

    /// Whether a call may be left to another thread. What was written would be taken back, and who watches effects hears
    /// of them in their order.
    pub(super) fn may_leave_calls(&self) -> bool {
        self.leaves == Leaves::Calls && !self.wrote && self.report.starts.is_empty() && self.watch.is_none()
    }

    /// Gives the machine that executes the reactive rules of the program; not the one that executes the step.
    pub fn reacting(mut self, rules: Option<&'a mut dyn Executes>) -> Self {
        self.rules = rules;
        self
    }

    /// Tells somebody of each effect.
    pub fn watched(mut self, watch: Option<&'a mut dyn EffectWatch>) -> Self {
        self.watch = watch;
        self
    }

    /// What was done so far.
    pub fn into_report(self) -> StepReport {
        self.report
    }

    /// What it takes to go on with a step that has failed with [`Failure::ELSEWHERE`] because of a call.
    pub fn interrupted(&mut self) -> Option<Interrupted> {
        let call = self.left_call.take()?;
        let (memory, report) = (self.memory.take(), std::mem::take(&mut self.report));
        Some(Interrupted { memory, report, calls: self.calls, call })
    }

    /// Asks the world, or tells again what it has said when the step came here before.
    fn asked(&mut self, ask: impl FnOnce(&mut Self) -> Result<Value, Failure>) -> Result<Value, Failure> {
        if let Some(answer) = self.memory.tell() {
            return answer;
        }
        let answer = ask(self);
        if self.wrote {
            self.memory.forget();
        } else {
            self.memory.keep(|| answer.clone());
        }
        answer
    }

    /// Adds to the account.
    pub(super) fn record(&mut self, kind: ChangeKind, what: impl Into<EcoString>, which: impl Into<EcoString>) {
        self.report.changes.push(Change { kind, what: what.into(), which: which.into() });
    }

    /// The record type of the prelude with this name, to build what a primitive gives.
    pub(super) fn record_type(&self, name: &str) -> Result<RecordId, Problem> {
        let found = self.code.records.iter().position(|record| record.name == name);
        found
            .map(|index| RecordId(index as u32))
            .ok_or_else(|| Problem::internal(format!("the program does not know the record `{name}`")))
    }

    /// Says that a file was written, and gives its `Document`.
    pub(super) fn document(&mut self, path: &EcoString, size: usize) -> Result<Value, Problem> {
        let document = self.record_type("Document")?;
        self.record(ChangeKind::Wrote, path.clone(), "");
        Ok(Value::record(document, [Value::Text(path.clone()), Value::Int(size as i64)]))
    }

    fn record_change(&mut self, kind: ChangeKind, entity: RecordId, key: &Value) {
        let Some(record) = self.code.records.get(entity.0 as usize) else { return };
        let is_private = record.key.and_then(|key| record.fields.get(key)).is_some_and(|field| field.label.is_some());
        let which = match key {
            _ if is_private => EcoString::inline("***"),
            Value::Text(text) => text.clone(),
            Value::Int(number) => ecow::eco_format!("{number}"),
            other => display(other, &Names::new(self.code)).into(),
        };
        self.record(kind, record.name.clone(), which);
    }

    /// The record as it is before it is changed, for those who watch.
    fn seen(&mut self, entity: RecordId, key: &Value, span: Span) -> Result<Option<Value>, Failure> {
        match self.watch {
            Some(_) => self.world.store.get(entity, key).map_err(|error| self.fail(error, span)),
            None => Ok(None),
        }
    }

    pub(super) fn key_of(&self, entity: RecordId, record: &Value) -> Value {
        let position = self.code.records.get(entity.0 as usize).and_then(|ty| ty.key).unwrap_or(0);
        record.fields().and_then(|fields| fields.get(position)).cloned().unwrap_or_default()
    }

    pub(super) fn fail(&mut self, problem: impl Into<Problem>, span: Span) -> Failure {
        problem.into().at(self.code, span, &mut self.report.fatal)
    }

    fn dispatch(&mut self, operation: Operation, values: &[Value], ty: Option<&Type>) -> Result<Value, Problem> {
        let plain = || Arguments::new(values, ty, None, usize::MAX);
        let typed = |count| Arguments::new(values, ty, Some(1), count);
        if uses_files(operation) && self.leaves == Leaves::Documents {
            // A large file should not be read twice.
            self.leaves = Leaves::Nothing;
        }
        match operation {
            Operation::Today => clock::today(self, &plain()),
            Operation::Now => Ok(Value::Instant(self.world.clock.now())),
            Operation::BusinessDays => calendar::business_days(self, &plain()),
            Operation::DateIsBusinessDay => calendar::is_business_day(self, &plain()),
            Operation::DateAddBusinessDays => calendar::add_business_days(self, &plain()),
            Operation::DateBusinessDaysUntil => calendar::business_days_until(self, &plain()),
            Operation::CsvRead => csv::read(self, &typed(7)),
            Operation::CsvCheck => csv::check(self, &typed(6)),
            Operation::CsvWrite => csv::write(self, &plain()),
            Operation::JsonRead => json::read(self, &typed(2)),
            Operation::JsonWrite => json::write(self, &plain()),
            Operation::JsonParse | Operation::JsonText => json::perform_pure(self.code, operation, values, ty),
            Operation::ExcelRead => excel::read(self, &typed(5)),
            Operation::ExcelWrite => excel::write(self, &plain()),
            Operation::FileRead => file::read(self, &plain()),
            Operation::FileWrite => file::write(self, &plain()),
            Operation::FileExists => file::exists(self, &plain()),
            Operation::FileList => file::list(self, &plain()),
            Operation::FileMove => file::move_to(self, &plain()),
            Operation::FileDelete => file::delete(self, &plain()),
            Operation::HttpGet
            | Operation::HttpPost
            | Operation::HttpPut
            | Operation::HttpPatch
            | Operation::HttpDelete => http::call(self, operation, values, ty),
            Operation::Secret => http::secret(self, &plain()),
            Operation::EmailSend => email::send(self, &plain()),
            Operation::EmailOutbox => email::outbox(self),
            Operation::LogInfo => log::note(self, "info", &plain()),
            Operation::LogWarn => log::note(self, "warn", &plain()),
            Operation::RandomInt => random::int(self, &plain()),
            Operation::RandomCode => random::code(self, &plain()),
            Operation::SequenceNext => sequence::next(self, &plain()),
            Operation::PdfInvoice => pdf::invoice(self, &plain()),
            Operation::ProjectCompany => project::company(self),
            pure => Err(Problem::internal(format!("{pure:?} is not the executor's to perform"))),
        }
    }
}

/// No record is told as none.
fn record_of(found: Value) -> Option<Value> {
    if found.is_none() { None } else { Some(found) }
}

fn uses_files(operation: Operation) -> bool {
    use Operation::{
        CsvCheck, CsvRead, CsvWrite, ExcelRead, ExcelWrite, FileDelete, FileMove, FileRead, FileWrite, JsonRead,
        JsonWrite,
    };
    matches!(
        operation,
        CsvRead
            | CsvCheck
            | CsvWrite
            | JsonRead
            | JsonWrite
            | ExcelRead
            | ExcelWrite
            | FileRead
            | FileWrite
            | FileMove
            | FileDelete
    )
}

impl Host for Executor<'_> {
    fn perform(
        &mut self,
        operation: Operation,
        arguments: &[Value],
        ty: Option<&Type>,
        span: Span,
    ) -> Result<Value, Failure> {
        self.hides_subject = operation == Operation::EmailSend && self.code.private_subjects.contains(&span);
        self.asked(|this| this.dispatch(operation, arguments, ty).map_err(|problem| this.fail(problem, span)))
    }

    fn get(&mut self, entity: RecordId, key: &Value, span: Span) -> Result<Option<Value>, Failure> {
        let found = self.asked(|this| match this.world.store.get(entity, key) {
            Ok(found) => Ok(found.unwrap_or_default()),
            Err(error) => Err(this.fail(error, span)),
        })?;
        Ok(record_of(found))
    }

    fn get_all(&mut self, entity: RecordId, keys: &[Value], span: Span) -> Result<Vec<Option<Value>>, Failure> {
        // The list is made for the memory alone.
        if !self.memory.is_in_use() {
            return self.world.store.get_all(entity, keys).map_err(|error| self.fail(error, span));
        }
        let found = self.asked(|this| match this.world.store.get_all(entity, keys) {
            Ok(found) => Ok(Value::list(found.into_iter().map(Option::unwrap_or_default).collect())),
            Err(error) => Err(this.fail(error, span)),
        })?;
        Ok(found.as_list().unwrap_or(&[]).iter().cloned().map(record_of).collect())
    }

    fn create(&mut self, entity: RecordId, fields: Vec<Option<Value>>, span: Span) -> Result<Value, Failure> {
        self.wrote = true;
        let record = self.world.store.insert(entity, fields).map_err(|error| self.fail(error, span))?;
        if let Some(watch) = &mut self.watch {
            watch.created(entity, &record).map_err(|error| self.fail(error, span))?;
        }
        let key = self.key_of(entity, &record);
        self.record_change(ChangeKind::Created, entity, &key);
        self.agenda.created(self.code, entity, &key, span);
        self.settled(entity, record, span)
    }

    fn update(
        &mut self,
        entity: RecordId,
        key: &Value,
        changes: Vec<(usize, Value)>,
        span: Span,
    ) -> Result<Value, Failure> {
        let before = self.before_change(entity, key, span)?;
        let seen = self.seen(entity, key, span)?;
        self.wrote = true;
        let record = self.world.store.update(entity, key, &changes).map_err(|error| self.fail(error, span))?;
        if let (Some(watch), Some(seen)) = (&mut self.watch, &seen) {
            watch.changed(entity, seen, &record).map_err(|error| self.fail(error, span))?;
        }
        self.record_change(ChangeKind::Changed, entity, key);
        let Some(before) = before else { return Ok(record) };
        let key = self.key_of(entity, &record);
        self.agenda.changed(self.code, entity, &key, (&before, &record), span);
        self.settled(entity, record, span)
    }

    fn delete(&mut self, entity: RecordId, key: &Value, span: Span) -> Result<(), Failure> {
        let before = self.before_deletion(entity, key, span)?;
        let seen = self.seen(entity, key, span)?;
        self.wrote = true;
        if self.world.store.delete(entity, key).map_err(|error| self.fail(error, span))? {
            if let (Some(watch), Some(seen)) = (&mut self.watch, &seen) {
                watch.deleted(entity, seen).map_err(|error| self.fail(error, span))?;
            }
            self.record_change(ChangeKind::Deleted, entity, key);
            if let Some(before) = before {
                self.agenda.deleted(self.code, entity, &before, span);
                self.settle(span)?;
            }
        }
        Ok(())
    }

    fn query(&mut self, query: QueryId, parameters: &[Value], span: Span) -> Result<Value, Failure> {
        self.asked(|this| match this.code.queries.get(query.0 as usize) {
            Some(plan) => this.world.store.query(query, plan, parameters).map_err(|error| this.fail(error, span)),
            None => Err(this.fail(Problem::internal(format!("there is no query {}", query.0)), span)),
        })
    }

    fn start(&mut self, flow: u32, arguments: Vec<Value>, span: Span) -> Result<Value, Failure> {
        self.report.starts.push(FlowStart { flow, arguments, span });
        Ok(Value::None)
    }

    fn decided(&mut self, decision: Decision) {
        // What was decided before the step was put aside is told already.
        if self.traces && !self.memory.is_telling() && self.left_call.is_none() {
            self.record(ChangeKind::Decided, decision.table.clone(), decision.rows.join(", "));
            self.report.decisions.push(decision);
        }
    }

    fn traces_decisions(&self) -> bool {
        self.traces
    }
}

#[cfg(test)]
mod tests {
    use crate::check::program::Type;
    use crate::library::Operation;
    use crate::task::fixture::{FakeStore, Fixture};
    use crate::text::Span;
    use crate::value::{RecordId, Value};
    use crate::vm::{Decision, Host};
    use crate::world::StoreError;

    fn product(fixture: &mut Fixture) -> RecordId {
        let Type::Record(id) = fixture.record("Product", &[("sku", Type::Text), ("stock", Type::Int)]) else {
            unreachable!()
        };
        fixture.code.records[id.0 as usize].key = Some(0);
        id
    }

    #[test]
    fn every_change_is_accounted_for() {
        let mut fixture = Fixture::new();
        let product = product(&mut fixture);
        let span = Span::default();
        fixture
            .step(|executor| {
                executor.create(product, vec![Some("A1".into()), Some(Value::Int(5))], span)?;
                executor.update(product, &"A1".into(), vec![(1, Value::Int(4))], span)?;
                executor.delete(product, &"A1".into(), span)?;
                executor.delete(product, &"A1".into(), span)?;
                executor.perform(Operation::LogWarn, &["almost empty".into()], None, span)
            })
            .unwrap();
        insta::assert_snapshot!(fixture.changes(), @r"
        Created Product A1
        Changed Product A1
        Deleted Product A1
        Noted warn almost empty
        ");
    }

    #[test]
    fn what_the_store_refuses_is_a_failure_of_its_name() {
        let mut fixture = Fixture::new();
        let product = product(&mut fixture);
        let span = Span::default();
        let fields = || vec![Some("A1".into()), Some(Value::Int(5))];
        let twice = fixture.step(|executor| {
            executor.create(product, fields(), span)?;
            executor.create(product, fields(), span)
        });
        insta::assert_snapshot!(twice.unwrap_err(), @r#"already_exists(what: "Product", key: "sku A1")"#);
        let missing = fixture.step(|executor| executor.update(product, &"B1".into(), Vec::new(), span));
        insta::assert_snapshot!(missing.unwrap_err(), @r#"not_found(what: "Product", key: "Text(\"B1\")")"#);
    }

    #[test]
    fn a_store_that_fails_stops_the_run() {
        let mut fixture = Fixture::new();
        let broken =
            StoreError::Failed { code: "store::full", message: "the disk is full".into(), help: "make room".into() };
        fixture.world.store = Box::new(FakeStore::broken(broken.clone()));
        let failed = fixture.step(|executor| Ok(executor.get(RecordId(0), &"A1".into(), Span::default())?.into()));
        assert_eq!(failed.unwrap_err(), "fatal");
        assert_eq!(fixture.fatal, Some(broken));
    }

    #[test]
    fn decisions_are_kept_when_they_are_traced() {
        let mut fixture = Fixture::new();
        let decision = Decision {
            table: "discount".into(),
            rows: vec!["row 2".into()],
            input: Vec::new(),
            outcome: Value::Int(1),
            span: Span::default(),
        };
        let told = |traces: bool| {
            let mut executor =
                super::Executor::new(&mut fixture.world, &fixture.code, crate::world::RunId(1), "s").tracing(traces);
            executor.decided(decision.clone());
            executor.into_report().decisions.len()
        };
        assert_eq!([true, false].map(told), [1, 0]);
    }
}
