//! Undoing: the finished steps in reverse order, each by itself. One that can't be undone is noted, and the
//! others still are.

use super::Broken;
use super::engine::Engine;
use super::replay::Deed;
use super::run::Run;
use super::worker::StepPlace;
use crate::world::EntryKind;

impl Engine<'_> {
    /// Undoes the finished steps of a run, the last first, until so many are left.
    pub(super) fn undo_to(&mut self, run: &mut Run, left: usize) -> Result<(), Broken> {
        let code = self.code;
        while run.finished.len() > left {
            let Some(mut finished) = run.finished.pop() else { break };
            let flow = code.flows.get(run.flow);
            let Some(step) = flow.and_then(|flow| flow.steps.get(finished.step as usize)) else { continue };
            let Some(chunk) = step.undo else { continue };
            if let Some(entry) = run.replay.take(Deed::Undo, finished.step, &finished.path) {
                let is_top = self.active.len() == 1;
                self.account.entry(&entry, is_top);
                continue;
            }
            self.work += 1;
            let world = self.worker.world();
            self.group.open(world)?;
            let began = world.clock.now();
            world.store.savepoint()?;
            let place = StepPlace { run: run.id, step: &step.name, path: &finished.path, undo: true };
            let result = self.worker.act(chunk, &mut finished.frame, place);
            let changes = self.worker.take_changes();
            self.tell_decisions(run.id);
            let starts = self.worker.take_starts();
            let took = self.world().clock.now().since(began).milliseconds().max(0);
            let took = u32::try_from(took.saturating_mul(1000)).unwrap_or(u32::MAX);
            let result = match result {
                Ok(_) => self.start_all(run, starts, finished.step)?,
                Err(failure) => Err(self.failure(failure)?),
            };
            match result {
                Ok(()) => {
                    self.world().store.release()?;
                    self.append(run, EntryKind::Undone, finished.step, &finished.path, Vec::new(), changes, took)?;
                }
                Err(failure) => {
                    self.world().store.rollback_savepoint()?;
                    self.account.undo_failed(&step.name, run.id, &failure);
                    let payload = failure.encode();
                    self.append(run, EntryKind::UndoFailed, finished.step, &finished.path, payload, Vec::new(), took)?;
                }
            }
            self.group.close_when_due(self.worker.world())?;
        }
        Ok(())
    }
}
