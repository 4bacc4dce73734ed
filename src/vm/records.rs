//! Records of the store: following references, loading many at once, writing.

use super::Host;
use super::machine::Machine;
use super::problem::{Problem, Result};
use super::registers::Registers;
use crate::compile::code::PathStep;
use crate::compile::instruction::{Operand, Register};
use crate::text::Span;
use crate::value::{RecordId, TypeNames, Value};
use std::collections::HashMap;

/// What loops have loaded before their rounds, the innermost loop last: records by their references.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    loops: Vec<HashMap<Value, Option<Value>>>,
}

impl Loaded {
    pub fn clear(&mut self) {
        self.loops.clear();
    }

    pub fn forget(&mut self) {
        self.loops.pop();
    }

    fn find(&self, reference: &Value) -> Option<&Option<Value>> {
        self.loops.iter().rev().find_map(|records| records.get(reference))
    }
}

impl Machine<'_> {
    /// The reference to a record; a reference stays as it is.
    pub(super) fn refer(&self, value: &Value) -> Result<Value> {
        match value {
            Value::Record(record) => {
                let key = self.code.records.get(record.type_id.0 as usize).and_then(|ty| ty.key);
                let key = key.and_then(|key| record.fields.get(key));
                let key = key.ok_or_else(|| Problem::broken("a reference to a record without a key"))?;
                Ok(Value::reference(record.type_id, key.clone()))
            }
            Value::Reference(_) | Value::None => Ok(value.clone()),
            _ => Err(Problem::broken("a reference to something that is no record")),
        }
    }

    /// The record that a reference names; none for none.
    pub(super) fn follow(&self, value: &Value, host: &mut dyn Host, span: Span) -> Result<Value> {
        let reference = match value {
            Value::Reference(reference) => reference,
            Value::Record(_) | Value::None => return Ok(value.clone()),
            _ => return Err(Problem::broken("something is followed that is no reference")),
        };
        let record = match self.loaded.find(value) {
            Some(record) => record.clone(),
            None => host.get(reference.entity, &reference.key, span).map_err(failed)?,
        };
        record.ok_or_else(|| self.not_found(reference.entity, &reference.key))
    }

    /// The record with a key, if it is there.
    pub(super) fn record(
        &self,
        entity: RecordId,
        key: &Value,
        host: &mut dyn Host,
        span: Span,
    ) -> Result<Option<Value>> {
        let key = match key {
            Value::Reference(reference) => &reference.key,
            key => key,
        };
        if !self.loaded.loops.is_empty()
            && let Some(record) = self.loaded.find(&Value::reference(entity, key.clone()))
        {
            return Ok(record.clone());
        }
        host.get(entity, key, span).map_err(failed)
    }

    pub(super) fn not_found(&self, entity: RecordId, key: &Value) -> Problem {
        Problem::NotFound(self.code.names.record(entity).0.to_string(), key.clone())
    }

    /// Puts a record in.
    pub(super) fn create(
        &self,
        frame: &mut Registers,
        start: Register,
        layout: u32,
        host: &mut dyn Host,
        span: Span,
    ) -> Result<Value> {
        let layout = self.code.layouts.get(layout as usize).ok_or_else(|| Problem::broken("a layout is missing"))?;
        let count = self.code.records.get(layout.entity.0 as usize).map_or(0, |ty| ty.fields.len());
        let mut fields = vec![None; count];
        let values = frame.window(start, layout.fields.len());
        for (field, value) in layout.fields.iter().zip(values) {
            if let Some(place) = fields.get_mut(*field) {
                *place = Some(std::mem::take(value));
            }
        }
        host.create(layout.entity, fields, span).map_err(failed)
    }

    /// Changes a record, which is given itself or by a reference.
    pub(super) fn update(
        &self,
        frame: &mut Registers,
        target: Operand,
        start: Register,
        layout: u32,
        host: &mut dyn Host,
        span: Span,
    ) -> Result<Value> {
        let layout = self.code.layouts.get(layout as usize).ok_or_else(|| Problem::broken("a layout is missing"))?;
        let values = frame.take_window(start, layout.fields.len());
        let changes = layout.fields.iter().copied().zip(values).collect();
        match self.refer(frame.get(target))? {
            Value::Reference(reference) => host.update(reference.entity, &reference.key, changes, span).map_err(failed),
            _ => Err(Problem::broken("a change of something that is no record")),
        }
    }

    /// Takes a record away, which is given itself or by a reference.
    pub(super) fn delete(&self, target: &Value, host: &mut dyn Host, span: Span) -> Result<()> {
        match self.refer(target)? {
            Value::Reference(reference) => host.delete(reference.entity, &reference.key, span).map_err(failed),
            _ => Err(Problem::broken("a deletion of something that is no record")),
        }
    }

    /// Loads what the elements of a list lead to: one question for each entity of each step.
    pub(super) fn prefetch(&mut self, list: &Value, plan: u32, host: &mut dyn Host, span: Span) -> Result<()> {
        self.loaded.loops.push(HashMap::new());
        let list = match list.as_list() {
            // One element gains nothing.
            Some(list) if list.len() > 1 => list,
            _ => return Ok(()),
        };
        let Some(paths) = self.code.prefetches.get(plan as usize) else { return Ok(()) };
        for path in paths {
            let mut reached: Vec<Value> = list.to_vec();
            for step in &path.steps {
                reached = match step {
                    PathStep::Field(field) => reached
                        .iter()
                        .filter_map(|value| value.fields()?.get(*field).cloned())
                        .filter(|value| !value.is_none())
                        .collect(),
                    PathStep::Each => {
                        reached.iter().flat_map(|value| value.as_list().unwrap_or(&[])).cloned().collect()
                    }
                    PathStep::Follow => self.load(reached, host, span)?,
                    PathStep::Get(entity) => {
                        let refer = |key: Value| match key {
                            Value::Reference(_) => key,
                            key => Value::reference(*entity, key),
                        };
                        self.load(reached.into_iter().map(refer).collect(), host, span)?
                    }
                };
            }
        }
        Ok(())
    }

    /// The records of references; those that are not known yet are asked for together.
    fn load(&mut self, references: Vec<Value>, host: &mut dyn Host, span: Span) -> Result<Vec<Value>> {
        let mut wanted: HashMap<RecordId, Vec<Value>> = HashMap::new();
        let mut asked: HashMap<&Value, ()> = HashMap::new();
        for value in &references {
            if let Value::Reference(reference) = value
                && self.loaded.find(value).is_none()
                && asked.insert(value, ()).is_none()
            {
                wanted.entry(reference.entity).or_default().push(reference.key.clone());
            }
        }
        let mut wanted: Vec<_> = wanted.into_iter().collect();
        wanted.sort_by_key(|(entity, _)| *entity);
        for (entity, keys) in wanted {
            let records = host.get_all(entity, &keys, span).map_err(failed)?;
            if let Some(known) = self.loaded.loops.last_mut() {
                let references = keys.into_iter().map(|key| Value::reference(entity, key));
                known.extend(references.zip(records));
            }
        }
        let record = |value: &Value| match value {
            Value::Record(_) => Some(value.clone()),
            reference => self.loaded.find(reference).cloned().flatten(),
        };
        Ok(references.iter().filter_map(record).collect())
    }
}

fn failed(failure: super::Failure) -> Problem {
    Problem::Failed(Box::new(failure))
}
