//! The outbox: how mails that are on disk leave, and what becomes of those that can't. Several processes may deliver
//! at once: a mail is claimed before it leaves and settled afterwards, each in a transaction.

use super::breaker::SystemState;
use super::{Message, StoreError};
use crate::value::Instant;
use ecow::EcoString;

/// A mail in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Its number.
    pub number: i64,
    /// The run that wrote it.
    pub run: i64,
    /// The mail; attachments hold paths, their content is read when it leaves.
    pub message: Message,
    /// How often delivery was tried.
    pub attempts: u32,
}

/// Who delivers, and until when others keep their hands off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailClaim {
    /// A name that no other process has.
    pub owner: EcoString,
    /// Now: mails that are due by now are claimed.
    pub now: Instant,
    /// When the claim ends by itself. Should its process die, another delivers the mail after that.
    pub until: Instant,
}

/// What became of a mail that was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailOutcome {
    /// It has left.
    Sent,
    /// It is to be tried again.
    Later {
        /// Not before.
        due: Instant,
        /// Why.
        problem: String,
        /// Whether this was a try of the mail; a server that can't be reached says nothing of it.
        counted: bool,
    },
    /// It will not leave by itself: a dead letter.
    Dead {
        /// Why.
        problem: String,
    },
}

/// How a mail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailState {
    /// It has not left yet.
    Waiting,
    /// It has left.
    Sent,
    /// It was refused for good, came back, or was tried too often: a dead letter, for a person to decide.
    Dead,
    /// A person has decided that it shall not leave.
    Dropped,
}

impl MailState {
    /// All states.
    pub const ALL: [MailState; 4] = [MailState::Waiting, MailState::Sent, MailState::Dead, MailState::Dropped];

    /// The word that people read and type, and that is kept.
    pub fn word(self) -> &'static str {
        match self {
            MailState::Waiting => "waiting",
            MailState::Sent => "sent",
            MailState::Dead => "dead",
            MailState::Dropped => "dropped",
        }
    }

    /// The state that is called so.
    pub fn from_word(word: &str) -> Option<MailState> {
        MailState::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// A mail with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailRecord {
    /// The mail.
    pub entry: OutboxEntry,
    /// How it stands.
    pub state: MailState,
    /// Why it has not left, or not on the last try.
    pub problem: Option<EcoString>,
    /// Before this it is not tried.
    pub due: Instant,
    /// When it got its state; none for a mail that waits.
    pub settled: Option<Instant>,
}

/// Which mails are listed.
#[derive(Debug, Clone, Default)]
pub struct MailFilter {
    /// Only those that stand so; without, all.
    pub states: Vec<MailState>,
    /// Only this one.
    pub number: Option<i64>,
    /// Only those of this run.
    pub run: Option<i64>,
    /// At most so many, the newest first.
    pub limit: usize,
}

/// What a person decides about a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailDecision {
    /// A dead letter, a dropped one, or one that waits is tried again now, as if for the first time.
    Retry,
    /// A mail that has not left shall not leave.
    Drop,
    /// A mail that has left came back: it becomes a dead letter with this reason.
    Bounced(String),
}

/// The part of a store that keeps mails, and what is known of the systems that take them. Writing happens inside a
/// transaction. What is not implemented is empty: for fakes that deliver nothing.
pub trait Outbox {
    /// Claims mails that are due and not claimed, the longest due first, at most so many.
    fn claim_mails(&mut self, _claim: &MailClaim, _limit: usize) -> Result<Vec<OutboxEntry>, StoreError> {
        Ok(Vec::new())
    }

    /// Writes down what became of a mail that this owner has claimed. False when the claim had ended and another
    /// process has the mail: nothing is written then.
    fn settle_mail(
        &mut self,
        _number: i64,
        _owner: &str,
        _outcome: &MailOutcome,
        _at: Instant,
    ) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// When the first of the mails that have not left is due; a mail that is claimed, when its claim ends. What seems due
    /// so late that nothing postpones a mail so far is due now: the clock was set back.
    fn next_mail(&mut self, _now: Instant) -> Result<Option<Instant>, StoreError> {
        Ok(None)
    }

    /// How many mails have not left.
    fn waiting_mails(&mut self) -> Result<u64, StoreError> {
        Ok(0)
    }

    /// Mails, the newest first.
    fn mails(&mut self, _filter: &MailFilter) -> Result<Vec<MailRecord>, StoreError> {
        Ok(Vec::new())
    }

    /// Does what a person has decided; false when the mail does not stand so that it can be done.
    fn decide_mail(&mut self, _number: i64, _decision: &MailDecision, _at: Instant) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// What is known of an outside system; nothing, for one that has never failed.
    fn system(&mut self, _name: &str) -> Result<SystemState, StoreError> {
        Ok(SystemState::default())
    }

    /// Keeps what is known of an outside system.
    fn set_system(&mut self, _name: &str, _state: &SystemState) -> Result<(), StoreError> {
        Ok(())
    }
}
