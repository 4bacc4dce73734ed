//! The bodies of declarations.

use super::Checker;
use super::body::{Body, BodyKind, LocalKind};
use super::flow::{end_of, only};
use super::scope::{Global, ModuleId};
use super::types::Purpose;
use super::written::label_of;
use crate::check::program::{
    self, CallableId, Effect, FlowId, Parameter, Policy, PolicyClause, Reaction, StatementKind, Test, Trigger,
    TriggerEvent, Type,
};
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::{self, CallableBody, ItemKind, Name, SchedulePeriod};
use crate::text::Span;
use crate::value::RecordId;
use std::sync::Arc;

impl Checker<'_> {
    /// Checks the bodies of everything that a module declares.
    pub(crate) fn check_bodies(&mut self, module: ModuleId) {
        self.module = module;
        let Some(of) = self.names.modules.get(module) else { return };
        let (script, globals) = (Arc::clone(&of.script), of.globals.clone());
        for (item, global) in script.items.iter().zip(globals) {
            self.names.current = global;
            match (&item.kind, global) {
                (ItemKind::Callable(declared), Some(Global::Callable(id))) => self.callable(id, declared),
                (ItemKind::Flow(declared), Some(Global::Flow(id))) => self.flow(id, declared),
                (ItemKind::Rules(declared), Some(Global::Table(id))) => self.table(id, declared, item.span),
                (ItemKind::Reaction(declared), _) => self.reaction(declared, item.span),
                (ItemKind::Policy(declared), _) => self.policy(declared),
                (ItemKind::Trigger(declared), _) => self.trigger(declared, item.span),
                (ItemKind::Test(declared), _) => self.test(declared, item.span),
                _ => {}
            }
        }
        self.names.current = None;
        self.body = Body::default();
    }

    fn start_body(&mut self, kind: BodyKind, title: String) {
        self.body = Body::new(kind, title);
        self.body.findings_before = self.findings.len();
    }

    /// Whether an error has been found since there were so many findings.
    pub(crate) fn has_errors_since(&self, before: usize) -> bool {
        self.findings.iter().skip(before).any(Finding::is_error)
    }

    /// Begins a body with its parameters as the first locals.
    pub(crate) fn begin(
        &mut self,
        kind: BodyKind,
        title: String,
        written: &[tree::Parameter],
        parameters: &[Parameter],
    ) {
        self.start_body(kind, title);
        for (index, parameter) in parameters.iter().enumerate() {
            let id = self.body.add(&parameter.name, parameter.ty.clone(), parameter.span, LocalKind::Parameter);
            if let Some(info) = self.body.info.get_mut(id.index()) {
                info.label = written.get(index).and_then(|written| label_of(&written.kind));
            }
            if let Some(Global::Constant(_)) = self.peek_global(self.module, &parameter.name) {
                let name = Name { text: parameter.name.clone(), span: parameter.span };
                // Says that it would hide the constant; the local itself is there already.
                self.introduce(&name, parameter.ty.clone(), LocalKind::Hidden);
            }
            self.body.bind(&parameter.name, id);
        }
    }

    fn callable(&mut self, id: CallableId, declared: &tree::Callable) {
        let Some(of) = self.program.callables.get(id.index()) else { return };
        let (parameters, result) = (of.parameters.clone(), of.result.clone());
        let (kind, word) = if declared.is_task { (BodyKind::Task, "task") } else { (BodyKind::Function, "function") };
        self.begin(kind, format!("the {word} `{}`", declared.name.text), &declared.parameters, &parameters);
        let place = declared.result.as_ref().map_or(declared.name.span, |kind| kind.span);
        self.body.result = Some((result.clone(), place));
        let body = match &declared.body {
            CallableBody::Expression(value) => {
                let span = value.span;
                let value = match result {
                    Type::Nothing => {
                        let value = self.expression(value, None);
                        if value.ty != Type::Nothing && !value.ty.has_unknown() {
                            self.no_result_declared(declared, &value.ty.clone(), span);
                        }
                        value
                    }
                    ty => self.expected(value, &ty, Purpose::Result { span: place }),
                };
                only(StatementKind::Return(Some(value)), span)
            }
            CallableBody::Block(block) => {
                let checked = self.block(block);
                if !checked.ends && result != Type::Nothing {
                    self.missing_return(&result, place, end_of(block));
                }
                checked.statements
            }
        };
        self.report_unused_locals();
        let finished = std::mem::take(&mut self.body);
        if let Some(of) = self.program.callables.get_mut(id.index()) {
            of.body = body;
            of.locals = finished.locals;
        }
        if let Some(fails) = &declared.fails {
            for name in fails {
                if let Some(error) = self.error_named(name) {
                    self.names.written_fails.entry(id).or_default().push((error, name.span));
                }
            }
            self.names.written_fails.entry(id).or_default();
        }
    }

    fn no_result_declared(&mut self, declared: &tree::Callable, ty: &Type, span: Span) {
        let settled = match ty {
            Type::Query(id) => Type::List(Box::new(Type::Record(*id))),
            other => other.clone(),
        };
        if declared.is_task && matches!(ty, Type::Record(_)) {
            // A task may end with something whose value nobody needs.
            return;
        }
        let ty = self.bare(&settled);
        let finding = Finding::new(
            &catalogue::types::RESULT,
            declared.name.span,
            format!("`{}` has a value and no declared result", declared.name.text),
        )
        .at("no result is declared")
        .label(span, format!("gives {}", self.show(&settled)))
        .help(format!("write `-> {ty}` behind its parameters"));
        self.report(finding);
    }

    fn missing_return(&mut self, result: &Type, place: Span, end: Span) {
        let title = self.body.title.clone();
        let shown = self.show(result);
        let finding = Finding::new(
            &catalogue::types::RESULT,
            end,
            format!("{title} must return {shown}, and on some ways through it nothing is returned"),
        )
        .at("comes to its end without `return`")
        .label(place, format!("{shown} is declared here"))
        .help("end every way with `return …` or `fail …`");
        self.report(finding);
    }

    fn flow(&mut self, id: FlowId, declared: &tree::Flow) {
        let Some(of) = self.program.flows.get(id.index()) else { return };
        let (parameters, result) = (of.parameters.clone(), of.result.clone());
        let title = format!("the flow `{}`", declared.name.text);
        self.begin(BodyKind::Flow, title, &declared.parameters, &parameters);
        let place = declared.result.as_ref().map_or(declared.name.span, |kind| kind.span);
        self.body.result = Some((result.clone(), place));
        let key = declared.key.as_ref().map(|key| self.single_value(key, "the key of a flow"));
        let at_most = declared.at_most.as_ref().map(|at_most| {
            let count = self.expected(&at_most.count, &Type::Int, Purpose::Part("how many at once", None));
            let per = at_most.per.as_ref().map(|per| self.single_value(per, "what runs are counted by"));
            (count, per)
        });
        let priority = declared
            .priority
            .as_ref()
            .map(|priority| self.expected(priority, &Type::Int, Purpose::Part("the priority", None)));
        let deadline = declared
            .deadline
            .as_ref()
            .map(|deadline| self.expected(deadline, &Type::Duration, Purpose::Part("the deadline", None)));
        self.collect_steps(&declared.body);
        let checked = self.block(&declared.body);
        let steps = self.finished_steps();
        let is_broken = self.has_errors_since(self.body.findings_before);
        self.report_unused_locals();
        let finished = std::mem::take(&mut self.body);
        if let Some(of) = self.program.flows.get_mut(id.index()) {
            of.key = key;
            of.at_most = at_most;
            of.priority = priority;
            of.deadline = deadline;
            of.steps = steps;
            of.locals = finished.locals;
            of.body = checked.statements;
        }
        self.check_graph(id, place, end_of(&declared.body), finished.has_lost_jump || is_broken);
    }

    /// A value that names something: single, and always there.
    fn single_value(&mut self, written: &tree::Expr, what: &str) -> crate::check::program::Expr {
        let value = self.settled(written, None);
        match &value.ty {
            Type::Optional(_) => {
                self.optional_used(&value, &format!("{what} must be there, and this value may be none"), None);
            }
            Type::List(_) | Type::Map(..) | Type::Record(_) => {
                let shown = self.show(&value.ty);
                let finding = Finding::new(
                    &catalogue::types::MISMATCH,
                    value.span,
                    format!("{what} must be a single value, and this is {shown}"),
                )
                .at(format!("is {shown}"))
                .help("name a field that says which one is meant, or put several into a text: `\"{a}/{b}\"`");
                self.report(finding);
            }
            _ => {}
        }
        value
    }

    fn entity_named(&mut self, name: &Name) -> Option<RecordId> {
        match self.global(&name.text) {
            Some(Global::Record(id))
                if self.program.records.get(id.0 as usize).is_some_and(|record| record.is_entity()) =>
            {
                Some(id)
            }
            Some(other) => {
                let kind = self.kind_of_global(other);
                let finding = Finding::new(
                    &catalogue::name::MISUSED,
                    name.span,
                    format!("`{}` is {kind}, and only records of entities change", name.text),
                )
                .at("an entity is wanted here");
                self.report(finding);
                None
            }
            None => {
                let entities: Vec<String> = self
                    .type_names()
                    .into_iter()
                    .filter(|name| match self.peek_global(self.module, name) {
                        Some(Global::Record(id)) => {
                            self.program.records.get(id.0 as usize).is_some_and(|record| record.is_entity())
                        }
                        _ => false,
                    })
                    .collect();
                self.unknown_name(name.span, "entity", &name.text, entities);
                None
            }
        }
    }

    fn reaction(&mut self, declared: &tree::Reaction, span: Span) {
        let entity = self.entity_named(&declared.entity);
        self.start_body(BodyKind::Reaction, format!("the rule `{}`", declared.name.text));
        let ty = entity.map_or(Type::Unknown, Type::Record);
        self.introduce(&declared.binding, ty, LocalKind::Bound);
        let when = declared.when.as_ref().map(|when| self.condition(when, "the condition of a rule"));
        let priority = declared
            .priority
            .as_ref()
            .map(|priority| self.expected(priority, &Type::Int, Purpose::Part("the priority", None)));
        if let Some(facts) = when.as_ref().map(|when| self.facts(when)) {
            self.know(&facts.when_true);
        }
        let checked = self.block(&declared.body);
        self.report_unused_locals();
        let finished = std::mem::take(&mut self.body);
        self.program.reactions.push(Reaction {
            name: declared.name.text.clone(),
            entity: entity.unwrap_or(RecordId(u32::MAX)),
            event: declared.event,
            locals: finished.locals,
            when,
            priority,
            body: checked.statements,
            effect: Effect::Pure,
            span: if declared.name.span.is_empty() { span } else { declared.name.span },
        });
    }

    fn policy(&mut self, declared: &tree::Policy) {
        let mut clauses = Vec::with_capacity(declared.clauses.len());
        for clause in &declared.clauses {
            self.body = Body::new(BodyKind::Policy, format!("the policy `{}`", declared.name.text));
            let protected = self.protected(&clause.callee);
            let callee = self.program.sources.slice(clause.callee.span).to_string();
            if let Some((protected, _)) = &protected {
                let parameters = self.clause_parameters(protected);
                self.bind_clause_names(&clause.parameters, &parameters, &callee);
            } else {
                for name in &clause.parameters {
                    let id = self.body.add(&name.text, Type::Unknown, name.span, LocalKind::Hidden);
                    self.body.bind(&name.text, id);
                }
            }
            let when = clause.when.as_ref().map(|when| self.condition(when, "the condition of a policy"));
            let requires = self.expression(&clause.requires, None);
            let finished = std::mem::take(&mut self.body);
            if let Some((protected, _)) = protected {
                clauses.push(PolicyClause { protected, locals: finished.locals, when, requires, span: clause.span });
            }
        }
        self.program.policies.push(Policy { name: declared.name.text.clone(), clauses, span: declared.name.span });
    }

    fn trigger(&mut self, declared: &tree::Trigger, span: Span) {
        self.start_body(BodyKind::Trigger, "a trigger".to_string());
        let event = match &declared.event {
            tree::TriggerEvent::File { pattern, binding } => {
                let file = match self.peek_global(super::scope::PRELUDE, "File") {
                    Some(Global::Record(id)) => Type::Record(id),
                    _ => Type::Unknown,
                };
                let pattern = self.plain_text(pattern, "the pattern of files");
                self.introduce(binding, file, LocalKind::Bound);
                TriggerEvent::File { pattern }
            }
            tree::TriggerEvent::Record { entity, event, binding, when } => {
                let id = self.entity_named(entity);
                self.introduce(binding, id.map_or(Type::Unknown, Type::Record), LocalKind::Bound);
                let when = when.as_ref().map(|when| self.condition(when, "the condition of a trigger"));
                if let Some(facts) = when.as_ref().map(|when| self.facts(when)) {
                    self.know(&facts.when_true);
                }
                TriggerEvent::Record { entity: id.unwrap_or(RecordId(u32::MAX)), event: *event, when }
            }
            tree::TriggerEvent::Schedule(schedule) => TriggerEvent::Schedule(self.schedule(schedule)),
        };
        let checked = self.block(&declared.body);
        self.report_unused_locals();
        let finished = std::mem::take(&mut self.body);
        self.program.triggers.push(Trigger { event, locals: finished.locals, body: checked.statements, span });
    }

    fn schedule(&mut self, schedule: &tree::Schedule) -> program::Schedule {
        use crate::check::program::SchedulePeriod as Checked;
        let period = match &schedule.period {
            SchedulePeriod::Day => Checked::Day,
            SchedulePeriod::Weekday => Checked::Weekday,
            SchedulePeriod::BusinessDay => Checked::BusinessDay,
            SchedulePeriod::DayOfWeek(day) => Checked::DayOfWeek(*day),
            SchedulePeriod::Month(day) => {
                let value = self.expected(day, &Type::Int, Purpose::Part("the day of the month", None));
                if let crate::check::program::ExprKind::Value(crate::value::Value::Int(number)) = value.kind
                    && !(1..=31).contains(&number)
                {
                    let finding =
                        Finding::new(&catalogue::types::MISMATCH, value.span, format!("no month has a day {number}"))
                            .at("no day of a month")
                            .help("write a day from 1 to 31; shorter months take their last day");
                    self.report(finding);
                }
                Checked::Month(value)
            }
            SchedulePeriod::Interval(every) => {
                let value = self.expected(every, &Type::Duration, Purpose::Part("how often it comes", None));
                self.interval(&value, schedule.at.as_ref());
                Checked::Interval(value)
            }
        };
        let at = schedule.at.as_ref();
        let at = at.map(|at| self.expected(at, &Type::Time, Purpose::Part("the time of day", None)));
        let zone = schedule.zone.as_ref().map(|zone| {
            let name = self.plain_text(zone, "the time zone");
            if jiff::tz::TimeZone::get(&name).is_err() {
                let zones =
                    ["Europe/Berlin", "Europe/London", "Europe/Paris", "America/New_York", "Asia/Shanghai", "UTC"];
                let near = super::scope::nearest(&name, zones);
                let mut finding =
                    Finding::new(&catalogue::name::UNKNOWN, zone.span, format!("there is no time zone `{name}`"))
                        .at("no IANA time zone");
                finding = match near {
                    Some(near) => finding.help(format!("did you mean `{near}`?")).fix(zone.span, format!("\"{near}\"")),
                    None => finding.help("zones are named by continent and city: `Europe/Berlin`"),
                };
                self.report(finding);
            }
            name
        });
        let catch_up = schedule.catch_up.unwrap_or(false);
        program::Schedule { period, at, zone, catch_up, span: schedule.span }
    }

    /// Reports intervals that never come, and a time of day that an interval can't have.
    fn interval(&mut self, value: &program::Expr, at: Option<&tree::Expr>) {
        let crate::check::program::ExprKind::Value(crate::value::Value::Duration(every)) = &value.kind else { return };
        if *every < crate::value::schedule::SHORTEST {
            let finding =
                Finding::new(&catalogue::types::MISMATCH, value.span, "a schedule comes once a second at most")
                    .at("too short")
                    .help("write an interval of a second or more: `every 15 minutes`");
            self.report(finding);
        } else if let (None, Some(at)) = (every.whole_days(), at) {
            let finding = Finding::new(&catalogue::types::MISMATCH, at.span, "only a schedule of whole days has a time of day")
                .at("comes again before the day is over")
                .help("leave the time out: intervals are counted from midnight (UTC), `every 15 minutes` are the quarters of the hour");
            self.report(finding);
        }
    }

    fn test(&mut self, declared: &tree::Test, span: Span) {
        self.start_body(BodyKind::Test, "a test".to_string());
        let title = self.plain_text(&declared.title, "the title of a test");
        let checked = self.statements(&declared.body);
        self.report_unused_locals();
        let finished = std::mem::take(&mut self.body);
        self.program.tests.push(Test { title, locals: finished.locals, body: checked.statements, span });
    }
}
