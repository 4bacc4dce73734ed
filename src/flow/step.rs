//! A step: the unit of journal, retry and undo.

use super::Broken;
use super::child::{Site, decode_child};
use super::engine::{Engine, Go};
use super::failure::RunFailure;
use super::replay::Deed;
use super::retry;
use super::run::{Finished, Run};
use super::worker::StepPlace;
use crate::check::program::Effect;
use crate::compile::flow::{StepAction, StepCode};
use crate::value::{Duration, Value, encode};
use crate::world::{Change, EntryKind, RunId};

/// How many bytes of a value the journal keeps for people alone, when nothing in the flow reads it.
const MOST_UNREAD: usize = 120;

/// What a try of a step came to.
struct Tried {
    result: Result<Value, RunFailure>,
    changes: Vec<Change>,
    took: u32,
}

impl Engine<'_> {
    /// Does a step, or takes its end from the journal.
    pub(super) fn step(&mut self, run: &mut Run, index: u32) -> Result<Go, Broken> {
        let code = self.code;
        let Some(step) = code.flows.get(run.flow).and_then(|flow| flow.steps.get(index as usize)) else {
            return Err(Broken::Journal { run: run.id, reason: format!("there is no step {index}") });
        };
        let path = run.path();
        let mut tries = 0;
        let mut child = None;
        while let Some(entry) = run.replay.take(Deed::Step, index, &path) {
            let is_top = self.active.len() == 1;
            self.account.entry(&entry, is_top);
            match entry.kind {
                EntryKind::StepDone => {
                    let value = match entry.payload.as_slice() {
                        [] => Value::None,
                        bytes => self.kept(run.id, bytes)?,
                    };
                    if let (StepAction::Start(..), Value::Int(started)) = (&step.body, &value) {
                        self.started.push_back(RunId(*started));
                    }
                    self.step_done(run, step, index, path, value);
                    return Ok(Go::On);
                }
                EntryKind::StepFailed => {
                    tries += 1;
                    child = None;
                    let (failure, pause) =
                        retry::decode_failed(&self.kept(run.id, &entry.payload)?).ok_or_else(|| Broken::Journal {
                            run: run.id,
                            reason: "a failure can't be read".to_string(),
                        })?;
                    match pause {
                        None => return Ok(self.handle(run, step, failure)),
                        // The rest of the pause in which the run was left.
                        Some(pause) if run.replay.is_over() => {
                            let world = self.world();
                            let passed = world.clock.now().since(entry.at);
                            let rest = pause.milliseconds().saturating_sub(passed.milliseconds().max(0));
                            if rest > 0 {
                                world.clock.sleep(Duration::from_milliseconds(rest));
                            }
                        }
                        Some(_) => {}
                    }
                }
                _ => child = decode_child(&entry.payload),
            }
        }
        if let Some((until, length)) = run.deadline
            && self.world().clock.now() > until
        {
            let failure = self.language_failure("timed_out", vec![Value::Duration(length)], step.span);
            return Ok(Go::Fail(failure.through("the deadline of the flow", step.span)));
        }
        loop {
            tries += 1;
            let site = match child.take() {
                Some(id) => Site::Known(id),
                None if tries > 1 => Site::Again(index),
                None => Site::New(index),
            };
            let tried = self.try_step(run, step, index, &path, site)?;
            let failure = match tried.result {
                Ok(value) => {
                    let mut payload = Vec::new();
                    if step.slot.is_none() || encode(&value, &mut payload).is_ok() {
                        if !step.is_read && payload.len() > MOST_UNREAD {
                            payload.clear();
                        }
                        let (changes, took) = (tried.changes, tried.took);
                        self.append(run, EntryKind::StepDone, index, &path, payload, changes, took)?;
                        self.step_done(run, step, index, path, value);
                        self.group.close_when_due(self.worker.world())?;
                        return Ok(Go::On);
                    }
                    unreachable_value(self, step)
                }
                Err(failure) => failure,
            };
            let pause = self.pause_before_next_try(run, step, tries, &failure)?;
            let payload = retry::encode_failed(&failure, pause);
            self.append(run, EntryKind::StepFailed, index, &path, payload, Vec::new(), tried.took)?;
            let Some(pause) = pause else {
                self.group.close_when_due(self.worker.world())?;
                return Ok(self.handle(run, step, failure));
            };
            self.observer.retrying(&step.name, &failure, pause);
            // Others get the store while this run waits.
            self.group.close(self.worker.world())?;
            self.world().clock.sleep(pause);
        }
    }

    /// One try. Whatever it wrote is gone when it fails.
    fn try_step(
        &mut self,
        run: &mut Run,
        step: &StepCode,
        index: u32,
        path: &[u32],
        child: Site,
    ) -> Result<Tried, Broken> {
        self.work += 1;
        self.account.steps += 1;
        let began = self.world().clock.now();
        let mut changes = Vec::new();
        let result = match &step.body {
            StepAction::Chunk(chunk) => {
                if step.effect >= Effect::Calls {
                    // What a call outside builds on must not be lost after it.
                    self.group.close(self.worker.world())?;
                }
                let guarded = step.effect > Effect::Reads;
                let world = self.worker.world();
                self.group.open(world)?;
                if guarded {
                    world.store.savepoint()?;
                }
                let place = StepPlace { run: run.id, step: &step.name, path, undo: false };
                let result = self.worker.act(*chunk, &mut run.frame, place);
                changes = self.worker.take_changes();
                self.tell_decisions(run.id);
                let starts = self.worker.take_starts();
                let result = match result {
                    Ok(value) => match self.too_late(run, step, began)? {
                        None => self.start_all(run, starts, index)?.map(|()| value),
                        Some(failure) => Err(failure),
                    },
                    Err(failure) => Err(self.failure(failure)?),
                };
                if guarded {
                    let store = &mut self.worker.world().store;
                    if result.is_ok() { store.release()? } else { store.rollback_savepoint()? }
                }
                result
            }
            StepAction::Run(flow, arguments) => match self.evaluate(run, *arguments)? {
                Ok(arguments) => self.run_child_at(run, *flow as usize, arguments, child, step.span)?,
                Err(failure) => Err(failure),
            },
            StepAction::Start(flow, arguments) => match self.evaluate(run, *arguments)? {
                Ok(arguments) => self.start_child(run, *flow as usize, arguments, index, step.span)?,
                Err(failure) => Err(failure),
            },
            StepAction::Wait(what, _) => {
                Err(self.limit(&format!("`{what}`, which this version can't execute yet"), step.span))
            }
        };
        let took = self.world().clock.now().since(began).milliseconds().max(0);
        Ok(Tried { result, changes, took: u32::try_from(took.saturating_mul(1000)).unwrap_or(u32::MAX) })
    }

    /// The failure of a step that has taken longer than its `timeout`.
    fn too_late(
        &mut self,
        run: &mut Run,
        step: &StepCode,
        began: crate::value::Instant,
    ) -> Result<Option<RunFailure>, Broken> {
        let Some(chunk) = step.timeout else { return Ok(None) };
        let took = self.world().clock.now().since(began);
        Ok(match self.evaluate(run, chunk)? {
            Ok(Value::Duration(limit)) if took > limit => {
                Some(self.language_failure("timed_out", vec![Value::Duration(limit)], step.span))
            }
            Ok(_) => None,
            Err(failure) => Some(failure),
        })
    }

    /// Takes note of a finished step.
    fn step_done(&mut self, run: &mut Run, step: &StepCode, index: u32, path: Vec<u32>, value: Value) {
        if let Some(slot) = step.slot {
            run.set(slot, value);
        }
        if step.undo.is_some() {
            run.finished.push(Finished { step: index, path, frame: run.frame.clone() });
        }
    }

    /// Where a step's failure goes: to the handler that names it, or up.
    fn handle(&mut self, run: &mut Run, step: &StepCode, failure: RunFailure) -> Go {
        match step.handlers.iter().find(|handler| handler.error == failure.failure.error) {
            Some(handler) => {
                self.account.handled += 1;
                if let Some(slot) = handler.slot {
                    run.set(slot, failure.value());
                }
                self.leave(run, usize::from(handler.leave));
                Go::To(handler.target)
            }
            None => Go::Fail(failure),
        }
    }

    /// A failure that every script knows, found by the engine.
    pub(super) fn language_failure(&self, error: &str, fields: Vec<Value>, span: crate::text::Span) -> RunFailure {
        RunFailure::of_language(self.code, &self.names, error, fields, span)
    }
}

/// The failure of a step whose value the journal can't keep.
fn unreachable_value(engine: &Engine<'_>, step: &StepCode) -> RunFailure {
    engine.limit("lists and records nested too deep for the journal", step.span)
}
