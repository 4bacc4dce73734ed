//! The journal: what every run has done so far. It lies in the same store as the records, so that a step's
//! result and its effects become durable in one transaction.
//!
//! This trait is the seam between the flow engine and what keeps its memory: SQLite now, other durable
//! engines later. Nothing of the engine knows tables. The engine decides what the bytes mean: arguments,
//! payloads and outcomes are opaque here.

use super::StoreError;
use crate::value::Instant;
use ecow::EcoString;

/// Names a run; counted up by the journal, and what people type: `rpa runs show 42`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(pub i64);

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RunState {
    /// It is at work, or was when its process ended.
    Running = 1,
    /// It has returned, or stopped.
    Done = 2,
    /// It has failed, and its steps were undone.
    Failed = 3,
    /// It waits: for a moment, a record, a person, another run, or its turn.
    Waiting = 4,
    /// A person has cancelled it, and its steps were undone; its outcome is a failure like that of one that failed.
    Cancelled = 5,
}

impl RunState {
    const ALL: [RunState; 5] =
        [RunState::Running, RunState::Done, RunState::Failed, RunState::Waiting, RunState::Cancelled];

    /// Whether nothing comes any more.
    pub fn is_over(self) -> bool {
        !matches!(self, RunState::Running | RunState::Waiting)
    }

    /// The word that people read and type: `running`, `done`, `failed`, `waiting`, `cancelled`.
    pub fn word(self) -> &'static str {
        match self {
            RunState::Running => "running",
            RunState::Done => "done",
            RunState::Failed => "failed",
            RunState::Waiting => "waiting",
            RunState::Cancelled => "cancelled",
        }
    }

    /// The state that is called so.
    pub fn from_word(word: &str) -> Option<RunState> {
        RunState::ALL.into_iter().find(|state| state.word() == word)
    }

    /// The state that is kept as this number.
    pub fn from_number(number: u8) -> Option<RunState> {
        RunState::ALL.into_iter().find(|state| *state as u8 == number)
    }
}

/// A run as the journal knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// Its name.
    pub id: RunId,
    /// The run that waits for it.
    pub parent: Option<RunId>,
    /// Who or what has started it: `ada@desk`, `on Order created`; empty where the parent has.
    pub starter: EcoString,
    /// The flow.
    pub flow: EcoString,
    /// The key that names what it works on, encoded; none for flows without one.
    pub key: Option<EcoString>,
    /// The version of the script.
    pub version: EcoString,
    /// Its arguments, encoded as one list: what it takes to begin or resume it.
    pub arguments: Vec<u8>,
    /// The first half of a SHA-256 over the arguments, the same in every version of the script: a second
    /// start with the same key and other content is told apart by it.
    pub fingerprint: [u8; 16],
    /// How it stands.
    pub state: RunState,
    /// The result of a run that is done, or the failure of one that failed, encoded; empty while it runs.
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
    /// A try of a step has failed; the payload is the failure and how the flow went on.
    StepFailed = 2,
    /// A step was undone.
    Undone = 3,
    /// An undo has failed; the payload is the failure.
    UndoFailed = 4,
    /// A run was started by this one; the payload is its id.
    Child = 5,
    /// An item of a loop has failed; the payload is its name and the failure.
    ItemFailed = 6,
    /// A failed run was begun again, with corrected arguments or because a person wanted it: what the
    /// entries before say is history and no longer counts.
    Reopened = 7,
    /// What all runs of a start did together; the payload is JSON. The last entry of the top run.
    Summary = 8,
    /// A step has begun to wait; the payload says for what and until when.
    WaitBegan = 9,
    /// The run is ended from outside, by its deadline or by a person: the payload is the failure, and what follows
    /// is the undoing of its steps.
    Ending = 10,
    /// A person lets a failed run be tried again from where it failed: the payload says who, how it had failed, and
    /// when it had begun.
    Retried = 11,
    /// The run was moved to another version of the script: the payload says who, and from which.
    Migrated = 12,
}

impl EntryKind {
    /// The kind that is kept as this number.
    pub fn from_number(number: u8) -> Option<EntryKind> {
        use EntryKind::{
            Child, Ending, ItemFailed, Migrated, Reopened, Retried, StepDone, StepFailed, Summary, UndoFailed, Undone,
            WaitBegan,
        };
        [
            StepDone, StepFailed, Undone, UndoFailed, Child, ItemFailed, Reopened, Summary, WaitBegan, Ending, Retried,
            Migrated,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == number)
    }
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
    /// What the step changed, decided and noted, for the story.
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
    /// The entity; the address a mail goes to; the path of a file; the table; `info` or `warn` for a note;
    /// the rule that fired; who has answered; the system that was called.
    pub what: EcoString,
    /// The key of the record; the subject of the mail; empty for a file; the rows that fired; the note;
    /// the record that the rule fired for, and why; the answer; what was asked of the system, and its status.
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
    /// A decision was made, when they are traced.
    Decided = 6,
    /// `log` noted something.
    Noted = 7,
    /// A reactive rule fired.
    Fired = 8,
    /// A person has answered: who, and what.
    Answered = 9,
    /// Another system was called.
    Called = 10,
}

impl ChangeKind {
    /// The kind that is kept as this number.
    pub fn from_number(number: u8) -> Option<ChangeKind> {
        use ChangeKind::{Answered, Called, Changed, Created, Decided, Deleted, Fired, Mailed, Noted, Wrote};
        [Created, Changed, Deleted, Mailed, Wrote, Decided, Noted, Fired, Answered, Called]
            .into_iter()
            .find(|kind| *kind as u8 == number)
    }
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
    /// Only runs that began then or later.
    pub since: Option<Instant>,
    /// Only runs that have begun others which have failed.
    pub failed_children: bool,
    /// At most so many, the newest first.
    pub limit: usize,
}

/// A version of a script, kept for the runs that are pinned to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeptVersion {
    /// The sources: what people call each, and its text.
    pub sources: Vec<(String, String)>,
    /// The names behind the numbers in encoded values, as JSON: made and read by the flow engine.
    pub names: String,
}

/// Keeps the memory of runs. Writing happens inside the transaction of the store that the run works on.
pub trait Journal {
    /// Begins a run, or finds the one that has its flow and key. `run.id` is not looked at.
    fn begin_run(&mut self, run: &RunRecord) -> Result<Begin, StoreError>;
    /// Appends an entry to a run.
    fn append(&mut self, run: RunId, entry: &Entry) -> Result<(), StoreError>;
    /// Ends a run.
    fn end_run(&mut self, run: RunId, state: RunState, outcome: &[u8], at: Instant) -> Result<(), StoreError>;
    /// Begins a failed run again under the same id: it gets the parent, version, arguments, fingerprint and
    /// beginning of `with`, is running, and has no outcome and no end; its entries stay.
    fn reopen_run(&mut self, run: RunId, with: &RunRecord) -> Result<(), StoreError>;
    /// Gives a run another version of its script, and its arguments in the numbers of that one; all else stays.
    fn move_run(&mut self, run: RunId, version: &str, arguments: &[u8]) -> Result<(), StoreError>;
    /// The entries of a run, in order.
    fn entries(&mut self, run: RunId) -> Result<Vec<Entry>, StoreError>;
    /// A run.
    fn run(&mut self, run: RunId) -> Result<Option<RunRecord>, StoreError>;
    /// Runs, the newest first.
    fn runs(&mut self, filter: &RunFilter) -> Result<Vec<RunRecord>, StoreError>;
    /// The runs that have this one as their parent, the oldest first, at most so many.
    fn children(&mut self, run: RunId, limit: usize) -> Result<Vec<RunRecord>, StoreError>;
    /// How many runs have this one as their parent, by flow and state.
    fn count_children(&mut self, run: RunId) -> Result<Vec<(EcoString, RunState, u64)>, StoreError>;
    /// Keeps a version of a script, if it is not kept yet.
    fn keep_version(&mut self, version: &str, kept: &KeptVersion) -> Result<(), StoreError>;
    /// A version that was kept.
    fn version(&mut self, version: &str) -> Result<Option<KeptVersion>, StoreError>;
}

impl ChangeKind {
    /// The word that people read: `created`, `mailed`.
    pub fn word(self) -> &'static str {
        match self {
            ChangeKind::Created => "created",
            ChangeKind::Changed => "changed",
            ChangeKind::Deleted => "deleted",
            ChangeKind::Mailed => "mailed",
            ChangeKind::Wrote => "wrote",
            ChangeKind::Decided => "decided",
            ChangeKind::Noted => "noted",
            ChangeKind::Fired => "fired",
            ChangeKind::Answered => "answered",
            ChangeKind::Called => "called",
        }
    }
}
