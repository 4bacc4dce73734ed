//! Mail: what leaves, and how it may fail to.

use crate::value::Duration;
use ecow::EcoString;
use std::sync::Arc;

/// An address for those who need not know whose it is: the domain alone.
pub fn masked_address(address: &str) -> EcoString {
    let address = address.trim_end_matches('>');
    match address.rsplit_once('@') {
        Some((_, domain)) => ecow::eco_format!("•••@{domain}"),
        None => EcoString::inline("•••"),
    }
}

/// A mail, ready to leave. The id is fixed when it is written to the outbox, so that a second delivery of
/// the same mail is recognised by those who receive it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The Message-ID, without angle brackets.
    pub id: EcoString,
    /// From whom; the sender of the project when empty.
    pub from: EcoString,
    /// To whom.
    pub to: EcoString,
    /// Copies.
    pub cc: Vec<EcoString>,
    /// Where answers go, when elsewhere.
    pub reply_to: Option<EcoString>,
    /// What it is about.
    pub subject: EcoString,
    /// What it says.
    pub body: EcoString,
    /// Its attachments.
    pub attachments: Vec<MessageAttachment>,
    /// When it was written: milliseconds since 1970 UTC.
    pub written: i64,
}

/// A file that goes with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageAttachment {
    /// The path in the project.
    pub path: EcoString,
    /// Its content; empty until the mail leaves.
    pub content: Vec<u8>,
}

/// Why a mail did not leave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// Trying again may help.
    #[error("{0}")]
    Transient(String),
    /// The server can't be reached, or takes no mail at all for now: nothing that has to do with this mail.
    #[error("{0}")]
    Unreachable(String),
    /// The server had the whole mail and did not say what becomes of it: it may have left. Trying again at once would
    /// most likely deliver it twice.
    #[error("{0}")]
    Unanswered(String),
    /// It will never leave.
    #[error("{0}")]
    Permanent(String),
    /// It was called off before the server had it.
    #[error("called off")]
    CalledOff,
}

/// Hears what a delivery waits for, and may call it off.
pub trait Listener: Send + Sync {
    /// Delivery waits, and has done so for a while.
    fn waits(&self, what: &str);

    /// Whether to give up what can be given up: a mail of which the server does not have the end.
    fn is_ending(&self) -> bool {
        false
    }
}

/// Delivers mail.
pub trait Transport: Send {
    /// Delivers one mail. Called after the mail is on disk in the outbox.
    fn deliver(&mut self, message: &Message) -> Result<(), DeliveryError>;

    /// Delivers a mail that has this number in the outbox.
    fn deliver_entry(&mut self, _number: i64, message: &Message) -> Result<(), DeliveryError> {
        self.deliver(message)
    }

    /// Returns when what was delivered so far will not be lost. Called before deliveries are settled.
    fn flush(&mut self) -> Result<(), DeliveryError> {
        Ok(())
    }

    /// Whether a mail delivered twice is still there once, so that many deliveries may be settled together.
    fn is_idempotent(&self) -> bool {
        false
    }

    /// The outside system that it asks, as `rpa.toml` and circuit breakers call it; none for a folder.
    fn system(&self) -> Option<&'static str> {
        None
    }

    /// How long the delivery of one mail may take at most.
    fn longest(&self) -> Duration {
        Duration::ZERO
    }

    /// Who listens to what deliveries wait for.
    fn listen(&mut self, _listener: Arc<dyn Listener>) {}

    /// Where mail goes, for the summary: `.rpa/outbox`, `smtp://mail.example.com`.
    fn target(&self) -> String;
}
