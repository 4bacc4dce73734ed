//! Moving runs to another version of their script: what the journal holds, told in the names and types of the new
//! version, and a walk that does nothing to find out whether the run could go on from there.
//!
//! A run that was moved keeps its entries as they are: the entry `Migrated` says from which version, and whoever
//! reads the journal translates what lies before it. Steps are found by their names, types and members by theirs.

use super::Broken;
use super::engine::{Ended, Engine};
use super::failure::RunFailure;
use super::history::{before_the_failure, counting};
use super::names::Names;
use super::replay::Replay;
use super::retry::{decode_failed, encode_failed};
use super::run::Run;
use crate::check::program::Type;
use crate::compile::code::Code;
use crate::compile::flow::{FlowCode, StepAction};
use crate::text::Span;
use crate::value::{Value, decode, encode};
use crate::world::{Entry, EntryKind, RunId, RunRecord, RunState};
use ecow::EcoString;
use std::collections::HashMap;

/// How many reasons are told of one run.
const MOST_REASONS: usize = 5;

impl Engine<'_> {
    /// Whether a run of another version that has not ended, or has failed, could go on under the version of this
    /// engine: the reasons why not, none when it could. Nothing is done.
    ///
    /// # Errors
    /// When the store fails.
    pub fn reasons_against(&mut self, run: RunId) -> Result<Vec<String>, Broken> {
        self.group.open(self.worker.world())?;
        let result = self.probe(run);
        // Whatever the walk has noted is not kept.
        self.group.abandon(self.worker.world());
        let mut reasons = match result {
            Ok(reasons) => reasons,
            Err(Broken::Journal { reason, .. }) => vec![reason],
            Err(broken) => return Err(broken),
        };
        reasons.dedup();
        reasons.truncate(MOST_REASONS);
        Ok(reasons)
    }

    /// Moves a run to the version of this engine; `who` wants it. To be asked first: [`Engine::reasons_against`].
    /// Its unfinished children must be moved with it.
    ///
    /// # Errors
    /// When the store fails, another process works on the run, or its arguments don't fit.
    pub fn migrate(&mut self, run: RunId, who: &str) -> Result<(), Broken> {
        let result = self.move_run(run, who).and_then(|()| self.group.close(self.worker.world()));
        if result.is_err() {
            self.group.abandon(self.worker.world());
        }
        result
    }

    fn move_run(&mut self, id: RunId, who: &str) -> Result<(), Broken> {
        let wrong = |reason: &str| Broken::Journal { run: id, reason: reason.to_string() };
        if let Err(by) = self.claim(id)? {
            return Err(Broken::Taken { run: id, by });
        }
        let record = self.world().store.run(id)?.ok_or_else(|| wrong("there is no such run"))?;
        if record.version == self.code.version {
            return Ok(());
        }
        let from = self.names_of(&record.version)?;
        let given = decode(&record.arguments).map_err(|error| wrong(&error.to_string()))?;
        let given = from.carry_over(&given, &self.names).ok_or_else(|| wrong("its arguments have other types"))?;
        let mut arguments = Vec::new();
        encode(&given, &mut arguments).map_err(|error| wrong(&error.to_string()))?;
        let kept = crate::world::KeptVersion {
            sources: self.code.sources.iter().map(|(_, each)| (each.name.clone(), each.text.to_string())).collect(),
            names: self.names.to_json(),
        };
        let version = self.code.version.clone();
        self.world().store.keep_version(&version, &kept)?;
        self.world().store.move_run(id, &version, &arguments)?;
        let position = self.world().store.entries(id)?.last().map_or(0, |entry| entry.position + 1);
        let mut payload = Vec::new();
        let parts = vec![Value::Text(who.into()), Value::Text(record.version.clone())];
        encode(&Value::list(parts), &mut payload).map_err(|error| wrong(&error.to_string()))?;
        let mut run = Run::bare(id, position, Replay::default());
        self.append(&mut run, EntryKind::Migrated, u32::MAX, &[], payload, Vec::new(), 0)
    }

    /// The entries of a run in the numbers of the version that it has now.
    pub(super) fn in_numbers_of_now(&mut self, record: &RunRecord, entries: Vec<Entry>) -> Result<Vec<Entry>, Broken> {
        if !entries.iter().any(|entry| entry.kind == EntryKind::Migrated) {
            return Ok(entries);
        }
        let wrong = |reason: String| Broken::Journal { run: record.id, reason };
        let moves: Vec<Option<EcoString>> =
            entries.iter().filter(|entry| entry.kind == EntryKind::Migrated).map(version_before).collect();
        let mut versions =
            moves.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| wrong("a move can't be read".into()))?;
        versions.push(record.version.clone());
        let mut current: Vec<Entry> = Vec::with_capacity(entries.len());
        let mut at = 0;
        for entry in entries {
            if entry.kind != EntryKind::Migrated {
                current.push(entry);
                continue;
            }
            if let [from, to, ..] = versions.get(at..).unwrap_or(&[]) {
                let (from, to) = (self.names_of(from)?, self.names_of(to)?);
                current = translated(counting(current), &record.flow, &from, &to).map_err(wrong)?;
            }
            at += 1;
        }
        Ok(current)
    }

    /// Walks a run of another version as far as its journal goes.
    fn probe(&mut self, id: RunId) -> Result<Vec<String>, Broken> {
        let wrong = |reason: String| Broken::Journal { run: id, reason };
        let record = self.world().store.run(id)?.ok_or_else(|| wrong("there is no such run".to_string()))?;
        let Some(flow) = self.code.flows.iter().position(|flow| flow.name == record.flow) else {
            return Ok(vec![format!("there is no flow `{}` any more", record.flow)]);
        };
        let code = self.code;
        let Some(flow_code) = code.flows.get(flow) else { return Ok(Vec::new()) };
        let from = self.names_of(&record.version)?;
        let given = decode(&record.arguments).map_err(|error| wrong(error.to_string()))?;
        let mut reasons = Vec::new();
        let frame = self.moved_arguments(&given, flow_code, &from, &mut reasons);
        let entries = self.world().store.entries(id)?;
        let entries = self.in_numbers_of_now(&record, entries)?;
        let entries = match record.state {
            // It goes on when it is tried again: what was undone is done again then, on the same way.
            RunState::Failed | RunState::Cancelled => before_the_failure(entries),
            _ => counting(entries),
        };
        let entries = match translated(entries, &record.flow, &from, &self.names) {
            Ok(entries) => entries,
            Err(reason) => return Ok(vec![reason]),
        };
        for entry in &entries {
            if let Some(reason) = unfit(entry, flow_code, code) {
                reasons.push(reason);
            }
        }
        if !reasons.is_empty() {
            return Ok(reasons);
        }
        let position = entries.last().map_or(0, |entry| entry.position + 1);
        let mut run = match self.fresh(&record, flow, frame, Replay::new(entries), position)? {
            Ok(run) => run,
            Err(failure) => return Ok(vec![format!("its deadline can't be told: {}", failure.message)]),
        };
        let probe = self.language_failure("cancelled", vec![Value::from("a look ahead")], Span::default());
        run.ending = Some(probe);
        self.active.push(id);
        let ended = self.walk(&mut run);
        self.active.pop();
        let left: Vec<String> = run
            .replay
            .steps_left()
            .into_iter()
            .filter_map(|step| flow_code.steps.get(step as usize))
            .map(|step| {
                format!(
                    "the run has been at step `{}`, which this version does not come to from where it began",
                    step.name
                )
            })
            .collect();
        if !left.is_empty() {
            return Ok(left);
        }
        Ok(match ended? {
            Ended::Failed(failure) if failure.name != "cancelled" => {
                vec![format!("from where it stands, this version would end it at once: {}", failure.message)]
            }
            _ => Vec::new(),
        })
    }

    /// The arguments of a run for the flow as it is now.
    fn moved_arguments(&self, given: &Value, flow: &FlowCode, from: &Names, reasons: &mut Vec<String>) -> Vec<Value> {
        let before = from.parameters(&flow.name);
        if before != flow.parameters.as_slice() {
            let words = |names: &[EcoString]| match names {
                [] => "none".to_string(),
                names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
            };
            reasons.push(format!(
                "the flow takes {} now, and took {} when the run began",
                words(&flow.parameters),
                words(before)
            ));
            return Vec::new();
        }
        let mut frame = Vec::new();
        for ((value, ty), name) in
            given.as_list().unwrap_or(&[]).iter().zip(&flow.parameter_types).zip(&flow.parameters)
        {
            match from.carry_over(value, &self.names).filter(|value| fits(value, ty, self.code)) {
                Some(value) => frame.push(value),
                None => reasons.push(format!("the parameter `{name}` has another type now")),
            }
        }
        frame.resize(usize::from(flow.frame).max(frame.len()), Value::None);
        frame
    }
}

/// The version that a run had before it was moved.
fn version_before(entry: &Entry) -> Option<EcoString> {
    match decode(&entry.payload).ok()?.as_list()? {
        [_, Value::Text(version)] => Some(version.clone()),
        _ => None,
    }
}

/// Entries of a flow in the numbers of another version, or why there are none.
fn translated(entries: Vec<Entry>, flow: &str, from: &Names, to: &Names) -> Result<Vec<Entry>, String> {
    // Steps of one name are told apart by their order.
    let mut seen: HashMap<&EcoString, usize> = HashMap::new();
    let mut places: Vec<(&EcoString, Option<u32>)> = Vec::new();
    for name in from.steps(flow) {
        let nth = seen.entry(name).or_default();
        let found = to.steps(flow).iter().enumerate().filter(|(_, other)| *other == name).nth(*nth);
        places.push((name, found.map(|(at, _)| at as u32)));
        *nth += 1;
    }
    let mut moved = Vec::with_capacity(entries.len());
    for mut entry in entries {
        let mut name = EcoString::inline("a run");
        if entry.step != u32::MAX {
            let place = places.get(entry.step as usize);
            let (step, to) =
                place.ok_or_else(|| "its journal names a step that its own version does not have".to_string())?;
            let at = to.ok_or_else(|| format!("there is no step `{step}` any more, and the run has been at it"))?;
            name = (*step).clone();
            entry.step = at;
        }
        entry.payload = payload(&entry, from, to)
            .ok_or_else(|| format!("the value of step `{name}` has a type that is another one now"))?;
        moved.push(entry);
    }
    Ok(moved)
}

/// What an entry holds, in the numbers of another version.
fn payload(entry: &Entry, from: &Names, to: &Names) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    match entry.kind {
        EntryKind::StepDone if !entry.payload.is_empty() => {
            encode(&from.carry_over(&decode(&entry.payload).ok()?, to)?, &mut bytes).ok()?;
        }
        EntryKind::StepFailed => {
            let (failure, pause) = decode_failed(&decode(&entry.payload).ok()?)?;
            bytes = encode_failed(&failure.carried_over(from, to), pause);
        }
        EntryKind::ItemFailed => {
            let value = decode(&entry.payload).ok()?;
            let [name, failure] = value.as_list()? else { return None };
            let failure = RunFailure::from_value(failure)?.carried_over(from, to);
            encode(&Value::list(vec![name.clone(), failure.to_value()]), &mut bytes).ok()?;
        }
        EntryKind::Ending | EntryKind::UndoFailed => {
            bytes = RunFailure::decode(&entry.payload)?.carried_over(from, to).encode();
        }
        _ => bytes.clone_from(&entry.payload),
    }
    Some(bytes)
}

/// Why an entry does not fit its step; none when it does.
fn unfit(entry: &Entry, flow: &FlowCode, code: &Code) -> Option<String> {
    let step = flow.steps.get(entry.step as usize)?;
    let name = &step.name;
    match (entry.kind, &step.body) {
        (EntryKind::WaitBegan, body) if !matches!(body, StepAction::Wait(..)) => {
            Some(format!("the run waits in step `{name}`, which does not wait any more"))
        }
        (EntryKind::Child, StepAction::Chunk(_) | StepAction::Wait(..)) => {
            Some(format!("step `{name}` has begun another run, and does not do so any more"))
        }
        (EntryKind::StepDone, _) if step.slot.is_some() && !entry.payload.is_empty() => {
            let value = decode(&entry.payload).ok()?;
            (!fits(&value, &step.ty, code))
                .then(|| format!("the value that step `{name}` gave has another type than the step gives now"))
        }
        _ => None,
    }
}

/// Whether a value can stand where the type is wanted.
fn fits(value: &Value, ty: &Type, code: &Code) -> bool {
    match (value, ty) {
        (_, Type::Unknown) => true,
        (Value::None, Type::Optional(_) | Type::Nothing) => true,
        (value, Type::Optional(inner)) => fits(value, inner, code),
        (Value::Text(_), Type::Text)
        | (Value::Bool(_), Type::Bool)
        | (Value::Int(_), Type::Int)
        | (Value::Decimal(_), Type::Decimal)
        | (Value::Percent(_), Type::Percent)
        | (Value::Date(_), Type::Date)
        | (Value::Time(_), Type::Time)
        | (Value::Instant(_), Type::Instant)
        | (Value::Duration(_), Type::Duration) => true,
        (Value::Money(money), Type::Money(currency)) => currency.is_none_or(|currency| currency == money.currency),
        (Value::List(items), Type::List(inner)) => items.iter().all(|item| fits(item, inner, code)),
        (Value::Map(map), Type::Map(key, inner)) => {
            map.iter().all(|(name, value)| fits(name, key, code) && fits(value, inner, code))
        }
        (Value::Enum(member), Type::Enum(id)) => member.type_id == *id,
        (Value::Reference(reference), Type::Reference(entity)) => reference.entity == *entity,
        (Value::Record(record), Type::Record(id)) => {
            let fields = code.records.get(id.0 as usize).map_or(&[][..], |ty| &ty.fields);
            record.type_id == *id
                && record.fields.len() == fields.len()
                && record.fields.iter().zip(fields).all(|(value, field)| fits(value, &field.ty, code))
        }
        _ => false,
    }
}
