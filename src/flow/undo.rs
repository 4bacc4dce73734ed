//! Undoing: the finished steps in reverse order, each by itself. One that can't be undone is tried again, then a
//! person is asked to see to it; the others still are undone.

use super::Broken;
use super::engine::Engine;
use super::failure::RunFailure;
use super::form::Form;
use super::replay::Deed;
use super::retry::{decode_failed, encode_failed};
use super::run::{Finished, Run};
use super::step::calls_of;
use super::worker::StepPlace;
use crate::check::program::Effect;
use crate::compile::code::ChunkId;
use crate::compile::flow::StepCode;
use crate::task::Leaves;
use crate::value::{Duration, EcoString};
use crate::world::{EntryKind, Question, QuestionState};

/// The pauses between the tries to undo a step, in milliseconds; it is tried once more than there are.
const PAUSES: [i64; 2] = [1_000, 4_000];

/// A system that asks to be left alone for longer is asked after this all the same.
const LONGEST_PAUSE: Duration = Duration::from_milliseconds(Duration::MINUTE);

impl Engine<'_> {
    /// Undoes the finished steps of a run, the last first, until so many are left.
    pub(super) fn undo_to(&mut self, run: &mut Run, left: usize) -> Result<(), Broken> {
        let code = self.code;
        while run.finished.len() > left {
            let Some(finished) = run.finished.pop() else { break };
            let flow = code.flows.get(run.flow);
            let Some(step) = flow.and_then(|flow| flow.steps.get(finished.step as usize)) else { continue };
            let Some(chunk) = step.undo else { continue };
            let mut tries = 0;
            let mut settled = false;
            while let Some(entry) = run.replay.take(Deed::Undo, finished.step, &finished.path) {
                self.tell_entry(run, &entry);
                tries += 1;
                settled = match entry.kind {
                    EntryKind::UndoFailed => {
                        decode_failed(&self.kept(run.id, &entry.payload)?).is_none_or(|(_, pause)| pause.is_none())
                    }
                    _ => true,
                };
                if settled {
                    break;
                }
            }
            while !settled {
                tries += 1;
                settled = self.try_undo(run, step, chunk, &finished, tries)?;
            }
            self.group.close_when_due(self.worker.world())?;
        }
        Ok(())
    }

    /// One try; whether the step is done with.
    fn try_undo(
        &mut self,
        run: &mut Run,
        step: &StepCode,
        chunk: ChunkId,
        finished: &Finished,
        tries: u32,
    ) -> Result<bool, Broken> {
        self.work += 1;
        if step.effect >= Effect::Calls {
            // What a call outside builds on must not be lost after it.
            self.group.close(self.worker.world())?;
        }
        let world = self.worker.world();
        self.group.open(world)?;
        let began = world.clock.now();
        world.store.savepoint()?;
        let round = run.round(&finished.path);
        let place = StepPlace {
            run: run.id,
            step: &step.name,
            path: &finished.path,
            undo: true,
            leaves: Leaves::Nothing,
            round,
            until: None,
        };
        let mut frame = finished.frame.clone();
        let result = self.worker.act(chunk, &mut frame, place);
        let changes = self.worker.take_changes();
        self.tell_decisions(run.id);
        let starts = self.worker.take_starts();
        let calls = self.worker.take_calls();
        let took = self.world().clock.now().since(began).milliseconds().max(0);
        let took = u32::try_from(took.saturating_mul(1000)).unwrap_or(u32::MAX);
        let result = match result {
            Ok(_) => self.start_all(run, starts, finished.step)?,
            Err(failure) => Err(self.failure(failure)?),
        };
        let failure = match result {
            Ok(()) => {
                self.world().store.release()?;
                self.settle_systems(&calls)?;
                self.append(run, EntryKind::Undone, finished.step, &finished.path, Vec::new(), changes, took)?;
                return Ok(true);
            }
            Err(failure) => failure,
        };
        self.world().store.rollback_savepoint()?;
        self.settle_systems(&calls)?;
        let pause = PAUSES.get(tries as usize - 1).copied().map(Duration::from_milliseconds);
        let pause = pause.map(|pause| calls.pause.map_or(pause, |asked| asked.min(LONGEST_PAUSE).max(pause)));
        let payload = encode_failed(&failure, pause);
        self.append(run, EntryKind::UndoFailed, finished.step, &finished.path, payload, calls_of(changes), took)?;
        match pause {
            Some(pause) => {
                self.observer.retrying(&format!("undo of {}", step.name), &failure, pause);
                self.pause(pause)?;
                Ok(false)
            }
            None => {
                self.account.undo_failed(&step.name, run.id, &failure);
                self.report(run, step, &finished.path, &failure)?;
                Ok(true)
            }
        }
    }

    /// Asks for a person: what could not be undone is a row of the inbox until somebody has seen to it.
    fn report(&mut self, run: &Run, step: &StepCode, path: &[u32], failure: &RunFailure) -> Result<(), Broken> {
        let asked = self.world().clock.now();
        let question = format!("the step could not be undone: {}. Undo it by hand, then say yes.", failure.message);
        let question = Question {
            number: 0,
            run: run.id,
            flow: EcoString::new(),
            step: step.name.clone(),
            path: path.to_vec(),
            role: EcoString::inline("operator"),
            question: question.into(),
            form: Form::Seen.to_json(),
            asked,
            until: None,
            state: QuestionState::Open,
            answer: None,
        };
        self.group.open(self.worker.world())?;
        self.world().store.ask(&question)?;
        Ok(())
    }
}
