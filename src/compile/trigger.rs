//! Triggers: the body of each becomes a flow of its own, so that what a trigger does is a run like any other, with
//! its journal and its story.

use super::body::{Body, Compiler};
use super::code::ChunkId;
use crate::check::program::{Effect, Expr, Flow, Parameter, SchedulePeriod, Trigger, TriggerEvent, Type};
use crate::syntax::tree::RecordEvent;
use crate::text::Span;
use crate::value::RecordId;
use ecow::{EcoString, eco_format};

/// A trigger, ready to be watched for.
#[derive(Debug, Clone)]
pub struct TriggerCode {
    /// What people call it: its head as it is written. No two triggers of a program have the same name.
    pub name: EcoString,
    /// The index of the flow that its body became; what the event binds is its parameter.
    pub flow: usize,
    /// What starts it.
    pub event: EventCode,
    /// Its place.
    pub span: Span,
}

/// What starts a trigger.
#[derive(Debug, Clone)]
pub enum EventCode {
    /// A file that fits the pattern.
    File {
        /// The pattern.
        pattern: EcoString,
    },
    /// Something happens to a record.
    Record {
        /// The entity.
        entity: RecordId,
        /// What must happen.
        event: RecordEvent,
        /// Whether the trigger is for this record: a chunk on a frame whose first slot is the record.
        when: Option<ChunkId>,
    },
    /// A time comes.
    Schedule {
        /// How often.
        period: PeriodCode,
        /// Gives the time of day.
        at: Option<ChunkId>,
        /// The zone; that of the project when there is none.
        zone: Option<EcoString>,
        /// Whether a missed time is caught up.
        catch_up: bool,
    },
}

/// How often a schedule comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodCode {
    /// Every day.
    Day,
    /// Monday to Friday.
    Weekday,
    /// Monday to Friday but for holidays.
    BusinessDay,
    /// A day of the week, 1 for Monday.
    DayOfWeek(u8),
    /// The day of the month that the chunk gives.
    Month(ChunkId),
    /// Again and again after the time that the chunk gives.
    Interval(ChunkId),
}

impl Compiler<'_> {
    /// Makes the code of a trigger; its flow is added behind those that are there.
    pub fn trigger(&mut self, trigger: &Trigger) -> TriggerCode {
        let name = self.trigger_name(trigger);
        let event = match &trigger.event {
            TriggerEvent::File { pattern } => EventCode::File { pattern: pattern.clone() },
            TriggerEvent::Record { entity, event, when } => {
                let when = when.as_ref().map(|when| self.part(&name, when, trigger.locals.len()));
                EventCode::Record { entity: *entity, event: *event, when }
            }
            TriggerEvent::Schedule(schedule) => EventCode::Schedule {
                period: match &schedule.period {
                    SchedulePeriod::Day => PeriodCode::Day,
                    SchedulePeriod::Weekday => PeriodCode::Weekday,
                    SchedulePeriod::BusinessDay => PeriodCode::BusinessDay,
                    SchedulePeriod::DayOfWeek(day) => PeriodCode::DayOfWeek(*day),
                    SchedulePeriod::Month(day) => PeriodCode::Month(self.part(&name, day, 0)),
                    SchedulePeriod::Interval(every) => PeriodCode::Interval(self.part(&name, every, 0)),
                },
                at: schedule.at.as_ref().map(|at| self.part(&name, at, 0)),
                zone: schedule.zone.clone(),
                catch_up: schedule.catch_up,
            },
        };
        let bound = usize::from(!matches!(event, EventCode::Schedule { .. }));
        let parameter = |local: &crate::check::program::Local| Parameter {
            name: local.name.clone(),
            ty: local.ty.clone(),
            default: None,
            span: local.span,
        };
        let flow = Flow {
            name: name.clone(),
            parameters: trigger.locals.iter().take(bound).map(parameter).collect(),
            result: Type::Nothing,
            key: None,
            at_most: None,
            priority: None,
            deadline: None,
            steps: Vec::new(),
            locals: trigger.locals.clone(),
            body: trigger.body.clone(),
            effect: Effect::Pure,
            fails: Vec::new(),
            documentation: EcoString::new(),
            span: trigger.span,
        };
        let flow = self.flow(&flow);
        self.code.flows.push(flow);
        TriggerCode { name, flow: self.code.flows.len() - 1, event, span: trigger.span }
    }

    /// A chunk of its own for a part of a trigger's head.
    fn part(&mut self, name: &str, expr: &Expr, locals: usize) -> ChunkId {
        let mut body = Body::new(self, name, 0, locals, expr.span);
        body.frame_stays = true;
        body.give(expr);
        body.add()
    }

    fn trigger_name(&self, trigger: &Trigger) -> EcoString {
        let name = match &trigger.event {
            TriggerEvent::File { pattern } => eco_format!("on file \"{pattern}\""),
            TriggerEvent::Record { entity, event, .. } => {
                let entity = self.code.records.get(entity.0 as usize).map_or("?", |record| record.name.as_str());
                let event = match event {
                    RecordEvent::Created => "created",
                    RecordEvent::Changed => "changed",
                    RecordEvent::Deleted => "deleted",
                };
                eco_format!("on {entity} {event}")
            }
            TriggerEvent::Schedule(schedule) => {
                let written = self.code.sources.slice(schedule.span);
                written.split_whitespace().collect::<Vec<_>>().join(" ").into()
            }
        };
        let taken = |name: &str| self.code.flows.iter().any(|flow| flow.name == name);
        let mut number = 1;
        let mut free = name.clone();
        while taken(&free) {
            number += 1;
            free = eco_format!("{name} ({number})");
        }
        free
    }
}
