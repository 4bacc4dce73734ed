//! Fires the reactive rules that the writes of a step set off, within the step: what they do is part of it, and
//! a rule that fails takes the step with it.

use super::executor::Executor;
use super::names::Names;
use super::problem::Problem;
use crate::compile::reaction::ReactionCode;
use crate::rule::{Activation, Agenda, Endless, Executes, LONGEST_CHAIN, MOST_FIRINGS, Subject};
use crate::text::Span;
use crate::value::{RecordId, Value, display};
use crate::vm::{Decision, Failure, Frame};
use crate::world::ChangeKind;
use ecow::{EcoString, eco_format};

/// How many rules of a chain a failure names.
const NAMED: usize = 8;

impl Executor<'_> {
    /// The record that rules may have to compare with after a change; none when no rule looks at changes of it.
    pub(super) fn before_change(
        &mut self,
        entity: RecordId,
        key: &Value,
        span: Span,
    ) -> Result<Option<Value>, Failure> {
        match self.code.watchers.get(entity.0 as usize) {
            Some(watchers) if watchers.sees_changes() => {
                self.world.store.get(entity, key).map_err(|error| self.fail(error, span))
            }
            _ => Ok(None),
        }
    }

    /// The record that a rule is to see after it is gone; none when no rule looks at deletions of it.
    pub(super) fn before_deletion(
        &mut self,
        entity: RecordId,
        key: &Value,
        span: Span,
    ) -> Result<Option<Value>, Failure> {
        match self.code.watchers.get(entity.0 as usize) {
            Some(watchers) if !watchers.deleted.is_empty() => {
                self.world.store.get(entity, key).map_err(|error| self.fail(error, span))
            }
            _ => Ok(None),
        }
    }

    /// The record that a statement gives: when rules have fired since it was written, as it is now.
    pub(super) fn settled(&mut self, entity: RecordId, record: Value, span: Span) -> Result<Value, Failure> {
        if self.agenda.is_empty() || !self.settle(span)? {
            return Ok(record);
        }
        let key = self.key_of(entity, &record);
        let now = self.world.store.get(entity, &key).map_err(|error| self.fail(error, span))?;
        Ok(now.unwrap_or(record))
    }

    /// Fires what waits, until nothing does; whether anything has fired. Within an action, what waits goes on waiting
    /// until it has ended.
    pub(super) fn settle(&mut self, span: Span) -> Result<bool, Failure> {
        if self.agenda.is_firing() || self.agenda.is_empty() {
            return Ok(false);
        }
        let Some(machine) = self.rules.take() else {
            return Err(self.fail(Problem::internal("there is no machine for the reactive rules"), span));
        };
        let mut fired = false;
        let mut outcome = Ok(());
        while let Some(activation) = self.agenda.take() {
            match self.consider(machine, &activation) {
                Ok(has_fired) => fired |= has_fired,
                Err(failure) => {
                    outcome = Err(failure);
                    break;
                }
            }
        }
        self.agenda.clear();
        self.rules = Some(machine);
        outcome.map(|()| fired)
    }

    /// Looks whether a rule applies, and does what it says.
    fn consider(&mut self, machine: &mut dyn Executes, activation: &Activation) -> Result<bool, Failure> {
        let code = self.code;
        let Some(rule) = code.reactions.get(activation.rule as usize) else { return Ok(false) };
        let record = match &activation.subject {
            Subject::Gone(record) => record.clone(),
            Subject::Key(key) => {
                let found = self.world.store.get(rule.entity, key);
                match found.map_err(|error| self.fail(error, activation.span))? {
                    Some(record) => record,
                    None => return Ok(false),
                }
            }
        };
        let arguments = [record];
        let [record] = &arguments;
        let holds = match rule.condition {
            None => true,
            Some(condition) => {
                let value = machine.call(condition, &arguments, self);
                value.map_err(|failure| self.led_here(failure, activation))? == Value::Bool(true)
            }
        };
        if self.traces {
            self.trace_rule(rule, record, activation, holds);
        }
        if !holds {
            return Ok(false);
        }
        let why = self.why(rule, record, activation);
        self.record(ChangeKind::Fired, rule.name.clone(), why);
        if let Err(endless) = self.agenda.begin(activation) {
            return Err(self.endless(endless, activation));
        }
        let outcome = machine.call(rule.action, &arguments, self);
        self.agenda.end();
        match outcome {
            Ok(_) => Ok(true),
            Err(failure) => Err(self.led_here(failure, activation)),
        }
    }

    /// The failure of a rule, with the rules that set it off behind its own calls.
    fn led_here(&self, mut failure: Failure, activation: &Activation) -> Failure {
        let mut span = activation.span;
        let mut told = Vec::new();
        for cause in self.agenda.chain(activation.cause).into_iter().take(NAMED) {
            // Rules that go round are told once.
            if told.contains(&(cause.rule, span)) {
                break;
            }
            told.push((cause.rule, span));
            failure.trace.push(Frame { name: eco_format!("rule {}", self.rule_name(cause.rule)), span });
            span = cause.span;
        }
        failure
    }

    /// The failure that rules set each other off without an end: with the last of them, in their order.
    fn endless(&mut self, endless: Endless, activation: &Activation) -> Failure {
        let chain = self.agenda.chain(self.agenda.current());
        let mut names: Vec<&str> = chain.iter().take(NAMED).map(|firing| self.rule_name(firing.rule)).collect();
        names.reverse();
        let more = if chain.len() > names.len() { "… → " } else { "" };
        let what = match endless {
            Endless::Chain => format!("{LONGEST_CHAIN} rules that set each other off"),
            Endless::Firings => format!("{MOST_FIRINGS} rules fired because of one change"),
        };
        let reason = format!("{what}: {more}{}", names.join(" → "));
        let mut failure = self.fail(Problem::Named("limit_reached", vec![Value::from(reason)]), activation.span);
        failure.trace.push(Frame {
            name: eco_format!("rule {}", self.rule_name(activation.rule)),
            span: self.code.reactions.get(activation.rule as usize).map_or(activation.span, |rule| rule.span),
        });
        self.led_here(failure, activation)
    }

    fn rule_name(&self, rule: u32) -> &str {
        self.code.reactions.get(rule as usize).map_or("?", |rule| rule.name.as_str())
    }

    /// For which record a rule fires, and because of what: `Product A1 (stock changed by restock)`.
    fn why(&self, rule: &ReactionCode, record: &Value, activation: &Activation) -> EcoString {
        let Some(ty) = self.code.records.get(rule.entity.0 as usize) else { return EcoString::new() };
        let is_private = ty.key.and_then(|key| ty.fields.get(key)).is_some_and(|field| field.label.is_some());
        let key = match self.key_of(rule.entity, record) {
            _ if is_private => "***".to_string(),
            key => display(&key, &Names::new(self.code)).to_string(),
        };
        let fields: Vec<&str> = activation
            .fields
            .iter()
            .filter(|field| rule.fields.contains(field))
            .filter_map(|field| ty.fields.get(*field))
            .map(|field| field.name.as_str())
            .collect();
        let fields = if fields.is_empty() { String::new() } else { format!("{} ", fields.join(", ")) };
        let by = activation.cause.and_then(|cause| self.agenda.chain(Some(cause)).first().copied());
        let by = by.map_or_else(String::new, |by| format!(" by {}", self.rule_name(by.rule)));
        eco_format!("{} {key} ({fields}{}{by})", ty.name, Agenda::event_word(rule.event))
    }

    /// Tells that a rule was looked at, as decisions are told.
    fn trace_rule(&mut self, rule: &ReactionCode, record: &Value, activation: &Activation, holds: bool) {
        let why = self.why(rule, record, activation);
        let fields = self.code.records.get(rule.entity.0 as usize).map_or(&[][..], |ty| &ty.fields);
        let input = rule.fields.iter().filter_map(|field| {
            let described = fields.get(*field)?;
            let value = record.fields()?.get(*field)?;
            let value = if described.label.is_some() { Value::text("***") } else { value.clone() };
            Some((described.name.clone(), value))
        });
        let decision = Decision {
            table: eco_format!("rule {}", rule.name),
            rows: vec![why],
            input: input.collect(),
            outcome: Value::Bool(holds),
            span: rule.span,
        };
        self.report.decisions.push(decision);
    }
}
