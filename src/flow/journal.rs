//! The journal: what every run has done so far. It lies in the same store as the records, so that a step's
//! result and its effects become durable in one transaction.
//!
//! This trait is the seam between the engine and what keeps its memory: SQLite now, other durable
//! engines later. Nothing else of the engine knows tables.

use crate::value::Instant;
use crate::world::StoreError;
use ecow::EcoString;

/// Names a run; counted up by the journal, and what people type: `rpa runs show 42`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(pub i64);

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunState {
    /// It is at work, or was when its process ended.
    Running,
    /// It has returned, or stopped.
    Done,
    /// It has failed, and its steps were undone.
    Failed,
}

/// A run as the journal knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// Its name.
    pub id: RunId,
    /// The run that waits for it.
    pub parent: Option<RunId>,
    /// The flow.
    pub flow: EcoString,
    /// The key that names what it works on, encoded; none for flows without one.
    pub key: Option<EcoString>,
    /// The version of the script.
    pub version: EcoString,
    /// Its arguments, as JSON for people to read; pii and secrets masked.
    pub arguments: EcoString,
    /// SHA-256 over the arguments: a second start with the same key and other content is told apart.
    pub fingerprint: [u8; 32],
    /// How it stands.
    pub state: RunState,
    /// The result (encoded) of a run that is done; the failure as JSON of one that failed.
    pub outcome: Vec<u8>,
    /// When it began.
    pub started: Instant,
    /// When it ended.
    pub ended: Option<Instant>,
}

/// What happened, in one entry of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum EntryKind {
    /// A step has ended; the payload is its value.
    StepDone = 1,
    /// A try of a step has failed; the payload is the failure.
    StepFailed = 2,
    /// A step was undone.
    Undone = 3,
    /// An undo has failed; the payload is the failure.
    UndoFailed = 4,
    /// A run was started by this one; the payload is its id.
    Child = 5,
    /// A note of `log`; the payload is the text.
    Note = 6,
    /// An item of a loop has failed; the payload is the failure.
    ItemFailed = 7,
}

/// An entry of the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its position in the run, from 0 without gaps.
    pub position: u32,
    /// What happened.
    pub kind: EntryKind,
    /// The step, as an index into the flow's steps; `u32::MAX` for none.
    pub step: u32,
    /// Which round of the loops around it: the items' positions, the outermost first.
    pub path: Vec<u32>,
    /// Value, failure, id or text, by kind.
    pub payload: Vec<u8>,
    /// What the step changed, for the story: compact, see [`super::journal::Change`].
    pub changes: Vec<Change>,
    /// When it happened.
    pub at: Instant,
    /// How long it took, in microseconds.
    pub took: u32,
}

/// Something that a step did to the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What kind of thing.
    pub kind: ChangeKind,
    /// The entity, the folder, or the address it went to.
    pub what: EcoString,
    /// The key of the record, the path, or the subject.
    pub which: EcoString,
}

/// What can be done to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum ChangeKind {
    /// A record was made.
    Created = 1,
    /// A record was changed.
    Changed = 2,
    /// A record was taken away.
    Deleted = 3,
    /// A mail was put into the outbox.
    Mailed = 4,
    /// A file was written.
    Wrote = 5,
    /// A decision was made, when they are traced: the table and the row.
    Decided = 6,
}

/// What a start under a key met.
#[derive(Debug, Clone, PartialEq)]
pub enum Begin {
    /// A new run.
    New(RunId),
    /// The run that had begun under this key.
    Known(RunRecord),
}

/// Filters of `rpa runs`.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Only runs of this flow.
    pub flow: Option<String>,
    /// Only runs that stand so.
    pub state: Option<RunState>,
    /// Only runs with this key.
    pub key: Option<String>,
    /// Only runs that no other run waits for.
    pub top_level: bool,
    /// At most so many, the newest first.
    pub limit: usize,
}

/// Keeps the memory of runs. Writing happens inside the transaction of the store that the run works on.
pub trait Journal {
    /// Begins a run, or finds the one that has its flow and key. `run.id` is not looked at.
    fn begin_run(&mut self, run: &RunRecord) -> Result<Begin, StoreError>;
    /// Appends an entry to a run.
    fn append(&mut self, run: RunId, entry: &Entry) -> Result<(), StoreError>;
    /// Ends a run.
    fn end_run(&mut self, run: RunId, state: RunState, outcome: &[u8], at: Instant) -> Result<(), StoreError>;
    /// Begins a failed run again with other content, under the same id; its old entries stay for the story.
    fn reopen_run(&mut self, run: RunId, with: &RunRecord) -> Result<(), StoreError>;
    /// The entries of a run, in order.
    fn entries(&mut self, run: RunId) -> Result<Vec<Entry>, StoreError>;
    /// A run.
    fn run(&mut self, run: RunId) -> Result<Option<RunRecord>, StoreError>;
    /// Runs, the newest first.
    fn runs(&mut self, filter: &RunFilter) -> Result<Vec<RunRecord>, StoreError>;
    /// The runs that a run waits for, counted by state and (for failed ones) reason.
    fn children(&mut self, run: RunId, limit: usize) -> Result<Vec<RunRecord>, StoreError>;
    /// Keeps the text of a script version, for runs that are pinned to it.
    fn keep_version(&mut self, version: &str, sources: &[(String, String)]) -> Result<(), StoreError>;
}
