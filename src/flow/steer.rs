//! What a person may do with a run that has ended: try it again from where it failed.

use super::Broken;
use super::engine::Engine;
use super::replay::Replay;
use super::run::Run;
use super::summary::Summary;
use crate::value::{Value, decode, encode};
use crate::world::{EntryKind, InboxFilter, QuestionState, RunId, RunRecord, RunState};

impl Engine<'_> {
    /// Tries a run that has failed or was cancelled again, under its number and key: the steps that were finished
    /// and not undone are not done again, the failing step and the undone ones are. Runs that it waited for and that
    /// have failed are tried again in the same way. `who` wants it.
    ///
    /// # Errors
    /// As [`Engine::resume`], and when the run has not failed.
    pub fn retry(&mut self, run: RunId, who: &str) -> Result<Summary, Broken> {
        self.starter = who.into();
        self.guarded(|engine| {
            engine.group.open(engine.worker.world())?;
            let wrong = |reason: &str| Broken::Journal { run, reason: reason.to_string() };
            let record = engine.world().store.run(run)?.ok_or_else(|| wrong("there is no such run"))?;
            if !matches!(record.state, RunState::Failed | RunState::Cancelled) {
                return Err(wrong("it has not failed"));
            }
            engine.retrying = true;
            engine.account.began = Some(engine.world().clock.now());
            engine.begin_retry(&record)?;
            engine.resume_top(run)
        })
    }

    /// A run that its parent meets again: one that had failed before is tried again where the parent is.
    pub(super) fn retried(&mut self, record: RunRecord) -> Result<RunRecord, Broken> {
        let ended_before = record.ended.is_some_and(|ended| self.account.began.is_some_and(|began| ended < began));
        if !self.retrying || !ended_before || !matches!(record.state, RunState::Failed | RunState::Cancelled) {
            return Ok(record);
        }
        self.group.open(self.worker.world())?;
        self.begin_retry(&record)?;
        Ok(RunRecord { state: RunState::Running, outcome: Vec::new(), ended: None, ..record })
    }

    /// Sets a failed run going again from where it failed. Its time begins anew, or a deadline would be over.
    pub(super) fn begin_retry(&mut self, record: &RunRecord) -> Result<(), Broken> {
        let now = self.world().clock.now();
        let with =
            RunRecord { state: RunState::Running, outcome: Vec::new(), started: now, ended: None, ..record.clone() };
        let position = self.world().store.entries(record.id)?.last().map_or(0, |entry| entry.position + 1);
        self.world().store.reopen_run(record.id, &with)?;
        // A step that could not be undone counts as done: nobody is to undo it by hand any more.
        let open = InboxFilter {
            run: Some(record.id),
            state: Some(QuestionState::Open),
            limit: usize::MAX,
            ..InboxFilter::default()
        };
        for question in self.world().store.questions(&open)? {
            self.world().store.close_question(question.number, QuestionState::Withdrawn, None)?;
        }
        let mut payload = Vec::new();
        let failure = decode(&record.outcome).unwrap_or_default();
        let parts = vec![Value::Text(self.starter.clone()), failure, Value::Instant(record.started)];
        if encode(&Value::list(parts), &mut payload).is_err() {
            payload.clear();
        }
        let mut run = Run::bare(record.id, position, Replay::default());
        self.append(&mut run, EntryKind::Retried, u32::MAX, &[], payload, Vec::new(), 0)
    }
}
