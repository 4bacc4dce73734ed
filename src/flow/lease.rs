//! Runs belong to one process at a time: a run is claimed before it is walked, and one that another process works
//! on is left alone.

use super::Broken;
use super::engine::Engine;
use super::failure::RunFailure;
use crate::text::Span;
use crate::value::{Duration, Value};
use crate::world::{Claim, RunId, RunRecord, RunState};
use ecow::EcoString;

/// How long a run waits for one that it needs and that another process works on.
const PATIENCE: Duration = Duration::from_milliseconds(60_000);

/// How often it looks.
const LOOK: Duration = Duration::from_milliseconds(100);

impl Engine<'_> {
    /// Makes a run this process's, or says whose it is.
    pub(super) fn claim(&mut self, id: RunId) -> Result<Result<(), EcoString>, Broken> {
        let world = self.worker.world();
        self.group.open(world)?;
        Ok(match world.store.claim(id)? {
            Claim::Own => Ok(()),
            Claim::Held(who) => Err(who),
        })
    }

    /// Waits until a run that is running is this process's or has ended, and gives it as it is then; the failure
    /// when another process still has it after a while, or at once without `patient`. Called where no savepoint
    /// is open.
    pub(super) fn claim_in_time(
        &mut self,
        run: RunRecord,
        patient: bool,
        span: Span,
    ) -> Result<Result<RunRecord, RunFailure>, Broken> {
        let mut waited = Duration::ZERO;
        let mut run = run;
        loop {
            let Err(who) = self.claim(run.id)? else { return Ok(Ok(run)) };
            if !patient || waited > PATIENCE {
                let key = run.key.as_deref().map(|key| format!(" for {key}")).unwrap_or_default();
                let reason = format!("run {} ({}{key}) is at work in another process: {who}", run.id.0, run.flow);
                return Ok(Err(self.language_failure("unavailable", vec![Value::from(reason)], span)));
            }
            self.group.close(self.worker.world())?;
            let world = self.worker.world();
            world.store.take_over()?;
            world.clock.sleep(LOOK);
            waited = Duration::from_milliseconds(waited.milliseconds() + LOOK.milliseconds());
            self.group.open(world)?;
            if let Some(now) = world.store.run(run.id)? {
                run = now;
            }
            if run.state != RunState::Running {
                return Ok(Ok(run));
            }
        }
    }
}
