//! Runs that wait, and questions to people.

use super::super::{SqliteStore, waiting};
use crate::value::Instant;
use crate::world::{
    Answer, InboxFilter, Question, QuestionState, ReadyRun, RunId, StoreError, Wait, WaitKind, Waiting, Watch,
};

impl Waiting for SqliteStore {
    fn watch(&mut self, run: RunId, watches: &[Watch]) -> Result<(), StoreError> {
        self.guarded(|store| {
            store.write()?;
            store.watched = None;
            waiting::watch(&store.connection, &store.schema, run, watches).map(|_| ())
        })
    }

    fn park(&mut self, run: RunId, wait: &Wait) -> Result<(), StoreError> {
        self.guarded(|store| {
            store.settle()?;
            store.write()?;
            store.watched = None;
            waiting::park(&store.connection, &store.schema, run, wait)
        })
    }

    fn unpark(&mut self, run: RunId) -> Result<bool, StoreError> {
        self.guarded(|store| {
            store.write()?;
            waiting::unpark(&store.connection, run)
        })
    }

    fn wait_of(&mut self, run: RunId) -> Result<Option<Wait>, StoreError> {
        self.guarded(|store| waiting::wait_of(&store.connection, run))
    }

    fn wake(&mut self, run: RunId, at: Instant) -> Result<bool, StoreError> {
        self.guarded(|store| {
            store.write()?;
            waiting::wake(&store.connection, run, at)
        })
    }

    fn ready(&mut self, now: Instant, limit: usize) -> Result<Vec<ReadyRun>, StoreError> {
        self.guarded(|store| waiting::ready(&store.connection, now, limit))
    }

    fn look_again(&mut self) -> Result<(), StoreError> {
        self.guarded(|store| {
            store.write()?;
            waiting::look_again(&store.connection)
        })
    }

    fn next_wake(&mut self) -> Result<Option<Instant>, StoreError> {
        self.guarded(|store| waiting::next_wake(&store.connection))
    }

    fn count_waiting(&mut self) -> Result<Vec<(WaitKind, u64)>, StoreError> {
        self.guarded(|store| waiting::count(&store.connection))
    }

    fn join_run(&mut self, run: RunId, waiter: RunId) -> Result<(), StoreError> {
        self.guarded(|store| {
            store.write()?;
            waiting::join(&store.connection, run, waiter)
        })
    }

    fn tell_end(&mut self, run: RunId, parent: Option<RunId>, now: Instant) -> Result<Vec<RunId>, StoreError> {
        self.guarded(|store| {
            store.write()?;
            waiting::tell_end(&store.connection, run, parent, now)
        })
    }

    fn take_slot(&mut self, slot: &str, run: RunId, places: u64) -> Result<bool, StoreError> {
        self.guarded(|store| {
            store.write()?;
            waiting::take_slot(&store.connection, slot, run, places)
        })
    }

    fn holds_slot(&mut self, slot: &str, run: RunId) -> Result<bool, StoreError> {
        self.guarded(|store| waiting::holds_slot(&store.connection, slot, run))
    }

    fn leave_slots(&mut self, run: RunId, now: Instant) -> Result<Vec<RunId>, StoreError> {
        self.guarded(|store| {
            store.write()?;
            waiting::leave_slots(&store.connection, run, now)
        })
    }

    fn ask(&mut self, question: &Question) -> Result<i64, StoreError> {
        self.guarded(|store| {
            store.write()?;
            waiting::ask(&store.connection, question)
        })
    }

    fn questions(&mut self, filter: &InboxFilter) -> Result<Vec<Question>, StoreError> {
        self.guarded(|store| {
            store.settle()?;
            waiting::questions(&store.connection, filter)
        })
    }

    fn question(&mut self, number: i64) -> Result<Option<Question>, StoreError> {
        self.guarded(|store| {
            store.settle()?;
            waiting::question(&store.connection, number)
        })
    }

    fn close_question(
        &mut self,
        number: i64,
        state: QuestionState,
        answer: Option<&Answer>,
    ) -> Result<bool, StoreError> {
        self.guarded(|store| {
            store.write()?;
            waiting::close(&store.connection, number, state, answer)
        })
    }
}
