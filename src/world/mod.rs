//! The windows to the world, as traits: store, clock, chance, files, mail, other systems, secrets. `adapter` implements them for
//! real, the tests and the planner in memory.

mod breaker;
mod clock;
mod documents;
mod effect;
mod files;
mod holidays;
mod journal;
mod lease;
mod mail;
mod memory;
mod memory_store;
mod memory_waiting;
mod outbox;
mod project;
mod random;
mod secrets;
mod store;
mod switches;
mod trigger;
mod under_way;
mod waiting;
mod web;

pub use breaker::{Breaker, Permission, SystemState};
pub use clock::{Clock, FixedClock};
pub use documents::{
    DocumentError, Documents, Invoice, InvoiceLine, InvoiceTax, NewSheet, NoDocuments, Sheet, SheetCell,
};
pub use effect::{CallPermit, EffectWatch, OutsideCall};
pub use files::{FileError, Files, fits};
pub use holidays::{CalendarReader, Holidays};
pub use journal::{
    Begin, Change, ChangeKind, Entry, EntryKind, Journal, KeptVersion, RunFilter, RunId, RunRecord, RunState,
};
pub use lease::{Claim, GoneWorker, Leases, WorkerId, WorkerRecord};
pub use mail::{DeliveryError, Listener, Message, MessageAttachment, Transport, masked_address};
pub use memory::{MemoryFiles, SeededRandom};
pub use memory_store::MemoryStore;
pub use outbox::{MailClaim, MailDecision, MailFilter, MailOutcome, MailRecord, MailState, Outbox, OutboxEntry};
pub use project::{Delivery, Limits, MailSettings, Pdf, Project, Reach, Seller, Settings, Smtp, Tls, Written};
pub use random::Random;
pub use secrets::{MemorySecrets, SecretError, SecretPlace, SecretSource, Secrets};
pub use store::{Store, StoreError};
pub use switches::{EffectClass, EffectsOff, SwitchReader, Switches};
pub use trigger::{LoggedChange, RecordHappening, Triggers};
pub use under_way::{Bell, Came, Promise, UnderWay};
pub use waiting::{Answer, InboxFilter, Question, QuestionState, ReadyRun, Wait, WaitKind, Waiting, Watch};
pub use web::{CallSettings, MemoryWeb, Method, NoWeb, Web, WebAnswer, WebError, WebRequest};

/// All windows together, as an engine holds them.
pub struct World {
    /// Records, journal and outbox.
    pub store: Box<dyn Store>,
    /// Time.
    pub clock: Box<dyn Clock>,
    /// Chance.
    pub random: Box<dyn Random>,
    /// Files, within what the project allows.
    pub files: Box<dyn Files>,
    /// Workbooks and printed invoices.
    pub documents: Box<dyn Documents>,
    /// Other systems, within what the project allows.
    pub web: Box<dyn Web>,
    /// What opens the doors of others.
    pub secrets: Secrets,
    /// What the project says of itself.
    pub settings: Settings,
}
