//! What starts flows.

use super::super::{SqliteStore, trigger};
use crate::value::{Instant, RecordId};
use crate::world::{LoggedChange, RecordHappening, StoreError, Triggers};
use ecow::EcoString;

impl Triggers for SqliteStore {
    fn register_trigger(
        &mut self,
        trigger: &str,
        on: Option<(RecordId, RecordHappening)>,
        first: i64,
        now: Instant,
    ) -> Result<i64, StoreError> {
        self.guarded(|store| {
            store.write()?;
            store.logged = None;
            trigger::register(&store.connection, &store.schema, trigger, on, first, now)
        })
    }

    fn trigger_position(&mut self, trigger: &str) -> Result<Option<i64>, StoreError> {
        self.guarded(|store| trigger::position(&store.connection, trigger))
    }

    fn move_trigger(&mut self, trigger: &str, from: i64, to: i64) -> Result<bool, StoreError> {
        self.guarded(|store| {
            store.write()?;
            trigger::move_on(&store.connection, trigger, from, to)
        })
    }

    fn changes_after(
        &mut self,
        entity: RecordId,
        happening: RecordHappening,
        position: i64,
        limit: usize,
    ) -> Result<Vec<LoggedChange>, StoreError> {
        self.guarded(|store| trigger::changes(&store.connection, &store.schema, entity, happening, position, limit))
    }

    fn has_seen(&mut self, trigger: &str, what: &str) -> Result<bool, StoreError> {
        self.guarded(|store| trigger::has_seen(&store.connection, trigger, what))
    }

    fn see(&mut self, trigger: &str, what: &str, now: Instant) -> Result<bool, StoreError> {
        self.guarded(|store| {
            store.write()?;
            trigger::see(&store.connection, trigger, what, now)
        })
    }

    fn seen_before(&mut self, trigger: &str, before: Instant) -> Result<Vec<EcoString>, StoreError> {
        self.guarded(|store| trigger::seen_before(&store.connection, trigger, before))
    }

    fn forget(&mut self, trigger: &str, what: &str) -> Result<(), StoreError> {
        self.guarded(|store| {
            store.write()?;
            trigger::forget(&store.connection, trigger, what)
        })
    }

    fn tidy_triggers(&mut self, before: Instant) -> Result<(), StoreError> {
        self.guarded(|store| {
            store.write()?;
            store.logged = None;
            trigger::tidy(&store.connection, before)
        })
    }
}
