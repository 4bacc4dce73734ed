//! Mail that is to leave.

use super::super::{SqliteStore, outbox};
use crate::value::Instant;
use crate::world::{
    MailClaim, MailDecision, MailFilter, MailOutcome, MailRecord, Outbox, OutboxEntry, StoreError, SystemState,
};

impl Outbox for SqliteStore {
    fn claim_mails(&mut self, claim: &MailClaim, limit: usize) -> Result<Vec<OutboxEntry>, StoreError> {
        self.guarded(|store| {
            store.write()?;
            let claim = MailClaim { owner: store.mail_owner(&claim.owner), ..claim.clone() };
            outbox::claim(&store.connection, &claim, limit)
        })
    }

    fn settle_mail(
        &mut self,
        number: i64,
        owner: &str,
        outcome: &MailOutcome,
        at: Instant,
    ) -> Result<bool, StoreError> {
        self.guarded(|store| {
            store.write()?;
            outbox::settle(&store.connection, number, owner, outcome, at)
        })
    }

    fn next_mail(&mut self, now: Instant) -> Result<Option<Instant>, StoreError> {
        self.guarded(|store| {
            store.write_behind()?;
            outbox::next(&store.connection, now)
        })
    }

    fn waiting_mails(&mut self) -> Result<u64, StoreError> {
        self.guarded(|store| {
            store.write_behind()?;
            outbox::count(&store.connection)
        })
    }

    fn mails(&mut self, filter: &MailFilter) -> Result<Vec<MailRecord>, StoreError> {
        self.guarded(|store| {
            store.write_behind()?;
            outbox::mails(&store.connection, filter)
        })
    }

    fn decide_mail(&mut self, number: i64, decision: &MailDecision, at: Instant) -> Result<bool, StoreError> {
        self.guarded(|store| {
            store.write()?;
            outbox::decide(&store.connection, number, decision, at)
        })
    }

    fn system(&mut self, name: &str) -> Result<SystemState, StoreError> {
        self.guarded(|store| outbox::system(&store.connection, name))
    }

    fn set_system(&mut self, name: &str, state: &SystemState) -> Result<(), StoreError> {
        self.guarded(|store| {
            store.write()?;
            outbox::set_system(&store.connection, name, state)
        })
    }
}
