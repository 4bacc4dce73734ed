//! Calls that are under way when the item or run that they belong to is given up: the step of each comes to its end
//! first. So it is as if the step had been done before; what it has done in the other system is known, and undone
//! with the rest.

use super::Broken;
use super::engine::Engine;
use super::run::{Run, Scope};
use crate::compile::flow::FlowInstruction;
use crate::world::RunId;

impl Engine<'_> {
    /// The calls of the items of a scope that wait; `around` are the rounds around the scope.
    pub(super) fn settle_scope(&mut self, run: &mut Run, around: &[u32], scope: &mut Scope) -> Result<(), Broken> {
        let Some(aside) = scope.aside() else { return Ok(()) };
        for (item, fiber) in aside.waiting() {
            let mut path = around.to_vec();
            path.push(item);
            for inner in &mut fiber.scopes {
                self.settle_scope(run, &path, inner)?;
                path.push(inner.round());
            }
            std::mem::swap(&mut run.frame, &mut fiber.frame);
            let finished = run.finished.len();
            let has_only_met = fiber.has_only_met() && run.ending.is_none();
            self.settle_at(run, fiber.at, &path, has_only_met)?;
            fiber.finished.extend(run.finished.drain(finished..));
            std::mem::swap(&mut run.frame, &mut fiber.frame);
        }
        Ok(())
    }

    /// The calls of a run that was left in memory, if it was; from then on its journal has all of it.
    pub(super) fn settle_left(&mut self, id: RunId) -> Result<(), Broken> {
        let Some(mut run) = self.left.remove(&id) else { return Ok(()) };
        let mut path = Vec::new();
        for mut scope in std::mem::take(&mut run.scopes) {
            self.settle_scope(&mut run, &path, &mut scope)?;
            path.push(scope.round());
        }
        let at = run.at;
        self.settle_at(&mut run, at, &path, false)
    }

    fn settle_at(&mut self, run: &mut Run, at: usize, path: &[u32], has_only_met: bool) -> Result<(), Broken> {
        match self.code.flows.get(run.flow).and_then(|flow| flow.instructions.get(at)) {
            Some(FlowInstruction::Step(index)) => self.settle_step(run, *index, path, has_only_met),
            _ => Ok(()),
        }
    }
}
