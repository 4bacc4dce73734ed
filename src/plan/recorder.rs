//! Hears of every effect: writes it down, or holds it against a plan.

use super::effect::{Deed, Describer, PlannedEffect};
use crate::compile::code::Code;
use crate::finding::catalogue::plan;
use crate::flow::Names;
use crate::value::{RecordId, Value};
use crate::world::{CallPermit, EffectWatch, Message, OutsideCall, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The effect that a plan did not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was about to happen.
    pub effect: PlannedEffect,
    /// What the plan had for the same record, mail or file, if anything.
    pub planned: Option<PlannedEffect>,
}

/// What happened so far.
#[derive(Debug)]
pub struct Recorder {
    describer: Describer,
    effects: Vec<PlannedEffect>,
    /// Calls that were made, whatever has become of their steps.
    calls: Vec<PlannedEffect>,
    /// What may still happen, and how often; none when everything may.
    allowed: Option<HashMap<PlannedEffect, usize>>,
    refused: Option<Refusal>,
}

/// A recorder that several windows of the world tell of what happens.
#[derive(Debug, Clone)]
pub struct Shared(Arc<Mutex<Recorder>>);

impl Recorder {
    /// Writes down what a program does.
    pub fn of(code: &Code) -> Recorder {
        let keys = code.records.iter().map(|record| record.key).collect();
        let describer = Describer::new(Names::of(code), keys, code.version.clone());
        Recorder { describer, effects: Vec::new(), calls: Vec::new(), allowed: None, refused: None }
    }

    /// Refuses what is not among these effects, each as often as it stands there.
    pub fn expecting(mut self, planned: &[PlannedEffect]) -> Recorder {
        let mut allowed: HashMap<PlannedEffect, usize> = HashMap::new();
        for effect in planned {
            *allowed.entry(effect.clone()).or_default() += 1;
        }
        self.allowed = Some(allowed);
        self
    }

    /// For those who tell.
    pub fn shared(self) -> Shared {
        Shared(Arc::new(Mutex::new(self)))
    }

    fn add(&mut self, effect: PlannedEffect) -> Result<(), StoreError> {
        if let Some(allowed) = &mut self.allowed {
            match allowed.get_mut(&effect) {
                Some(count) if *count > 0 => *count -= 1,
                _ => {
                    let alike = |other: &&PlannedEffect| {
                        other.deed == effect.deed && other.what == effect.what && other.which == effect.which
                    };
                    let planned = allowed.keys().find(alike).cloned();
                    self.refused.get_or_insert(Refusal { effect, planned });
                    return Err(StoreError::Failed {
                        code: plan::UNEXPECTED.id,
                        message: plan::UNEXPECTED.title.to_string(),
                        help: String::new(),
                    });
                }
            }
        }
        self.effects.push(effect);
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Recorder> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of something done to a file.
    pub(super) fn file(&self, deed: Deed, path: &str, to: &str) -> Result<(), StoreError> {
        self.lock().add(super::effect::file(deed, path, to))
    }

    /// What was refused, if anything was.
    pub fn refused(&self) -> Option<Refusal> {
        self.lock().refused.clone()
    }

    /// The calls of other systems that were made: nobody can take them back.
    pub fn calls(&self) -> Vec<PlannedEffect> {
        self.lock().calls.clone()
    }

    /// What happened, in order.
    pub fn take_effects(&self) -> Vec<PlannedEffect> {
        std::mem::take(&mut self.lock().effects)
    }
}

impl EffectWatch for Shared {
    fn created(&mut self, entity: RecordId, record: &Value) -> Result<(), StoreError> {
        let mut recorder = self.lock();
        let effect = recorder.describer.record(entity, None, Some(record));
        recorder.add(effect)
    }

    fn changed(&mut self, entity: RecordId, before: &Value, after: &Value) -> Result<(), StoreError> {
        let mut recorder = self.lock();
        let effect = recorder.describer.record(entity, Some(before), Some(after));
        // Writing what is there already changes nothing.
        if effect.fields.is_empty() { Ok(()) } else { recorder.add(effect) }
    }

    fn deleted(&mut self, entity: RecordId, record: &Value) -> Result<(), StoreError> {
        let mut recorder = self.lock();
        let effect = recorder.describer.record(entity, Some(record), None);
        recorder.add(effect)
    }

    fn mailed(&mut self, message: &Message, hides_subject: bool) -> Result<(), StoreError> {
        let mut recorder = self.lock();
        let effect = recorder.describer.mail(message, hides_subject);
        recorder.add(effect)
    }

    fn calling(&mut self, call: &OutsideCall) -> Result<CallPermit, StoreError> {
        // What only asks changes nothing, and a plan needs the answer.
        if call.method.reads() {
            return Ok(CallPermit::Make);
        }
        let mut recorder = self.lock();
        let effect = recorder.describer.call(call);
        recorder.add(effect.clone())?;
        // A run that is held to a plan does what the plan has; a plan does nothing.
        if recorder.allowed.is_none() {
            return Ok(CallPermit::Suppose);
        }
        recorder.calls.push(effect);
        Ok(CallPermit::Make)
    }

    fn mark(&self) -> usize {
        self.lock().effects.len()
    }

    fn take_back(&mut self, mark: usize) {
        let mut recorder = self.lock();
        let Recorder { effects, allowed, .. } = &mut *recorder;
        for effect in effects.drain(mark.min(effects.len())..) {
            if let Some(allowed) = allowed {
                *allowed.entry(effect).or_default() += 1;
            }
        }
    }
}
