//! Runs that wait, and the questions that wait for people.
//!
//! A waiting run is a row and nothing else: no thread, no memory. Whoever works on the store asks [`Waiting::ready`]
//! which runs can go on, and lets the flow engine resume them.

use super::{RunId, StoreError};
use crate::value::{Instant, RecordId, Value};
use ecow::EcoString;

/// What kind of thing a run waits for; the one that names it best where it waits for several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum WaitKind {
    /// A moment: `sleep`, `sleep_until`, the pause before the next try.
    Time = 1,
    /// A record: `wait_for`.
    Record = 2,
    /// A person: `ask`.
    Person = 3,
    /// Another run: `run flow(…)`.
    Run = 4,
    /// Its turn: `at most n at once`.
    Slot = 5,
}

impl WaitKind {
    /// The word that people read: `time`, `record`, `person`, `run`, `turn`.
    pub fn word(self) -> &'static str {
        match self {
            WaitKind::Time => "time",
            WaitKind::Record => "record",
            WaitKind::Person => "person",
            WaitKind::Run => "run",
            WaitKind::Slot => "turn",
        }
    }

    /// The kind that is kept as this number.
    pub fn from_number(number: u8) -> Option<WaitKind> {
        use WaitKind::{Person, Record, Run, Slot, Time};
        [Time, Record, Person, Run, Slot].into_iter().find(|kind| *kind as u8 == number)
    }
}

/// What a run waits for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wait {
    /// The kind.
    pub kind: WaitKind,
    /// In words, for people: `an answer of finance: "Refund 900 EUR?"`.
    pub what: EcoString,
    /// When it goes on at the latest; none when only something else wakes it.
    pub wake: Option<Instant>,
    /// Which runs go on first: the higher number.
    pub priority: i64,
    /// How many runs that it waits for must have ended before it is woken; 0 when it waits for none.
    pub runs: u32,
    /// Whose end gives it its turn.
    pub slot: Option<EcoString>,
    /// Whose changes wake it.
    pub watches: Vec<Watch>,
}

impl Wait {
    /// A wait for nothing but a moment.
    pub fn until(wake: Instant, what: impl Into<EcoString>) -> Wait {
        Wait {
            kind: WaitKind::Time,
            what: what.into(),
            wake: Some(wake),
            priority: 0,
            runs: 0,
            slot: None,
            watches: Vec::new(),
        }
    }

    /// A wait for the end of a run.
    pub fn for_run(what: impl Into<EcoString>) -> Wait {
        Wait { kind: WaitKind::Run, wake: None, runs: 1, ..Wait::until(Instant::EPOCH, what) }
    }
}

/// Records whose making or changing wakes a run. The run then looks for itself whether it has what it waits for.
#[derive(Debug, Clone, PartialEq)]
pub struct Watch {
    /// The entity.
    pub entity: RecordId,
    /// Only records that have this value in this field (its position).
    pub with: Option<(usize, Value)>,
}

impl Watch {
    /// What records are found by whose field has this value; none for values that are not found by what they are
    /// (then every record of the entity is looked at).
    pub fn key(value: &Value) -> Option<Vec<u8>> {
        Some(match value {
            Value::Text(text) => [b"t", text.as_bytes()].concat(),
            Value::Int(number) => [&b"i"[..], &number.to_le_bytes()].concat(),
            Value::Reference(reference) => return Watch::key(&reference.key),
            _ => return None,
        })
    }
}

/// A run that can go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyRun {
    /// The run.
    pub run: RunId,
    /// Its flow.
    pub flow: EcoString,
    /// The version of the script that it is pinned to.
    pub version: EcoString,
}

/// A question of a run to people: a row of the inbox.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Its number, counted up; what people type.
    pub number: i64,
    /// The run.
    pub run: RunId,
    /// The flow of the run.
    pub flow: EcoString,
    /// The step that asks.
    pub step: EcoString,
    /// The rounds of the loops around it.
    pub path: Vec<u32>,
    /// Whose answer is wanted.
    pub role: EcoString,
    /// What is asked.
    pub question: EcoString,
    /// What can be answered, as JSON: made and read by `flow::form`.
    pub form: String,
    /// When it was asked.
    pub asked: Instant,
    /// Until when it can be answered.
    pub until: Option<Instant>,
    /// How it stands.
    pub state: QuestionState,
    /// The answer.
    pub answer: Option<Answer>,
}

/// How a question stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum QuestionState {
    /// It waits for an answer.
    Open = 1,
    /// It was answered.
    Answered = 2,
    /// The time for it was over.
    TimedOut = 3,
    /// Nobody wants the answer any more: the run has ended otherwise.
    Withdrawn = 4,
}

impl QuestionState {
    /// The word that people read and type.
    pub fn word(self) -> &'static str {
        match self {
            QuestionState::Open => "open",
            QuestionState::Answered => "answered",
            QuestionState::TimedOut => "timed out",
            QuestionState::Withdrawn => "withdrawn",
        }
    }

    /// The state that is kept as this number.
    pub fn from_number(number: u8) -> Option<QuestionState> {
        use QuestionState::{Answered, Open, TimedOut, Withdrawn};
        [Open, Answered, TimedOut, Withdrawn].into_iter().find(|state| *state as u8 == number)
    }
}

/// What was answered, by whom, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The value, encoded.
    pub value: Vec<u8>,
    /// Who has answered.
    pub by: EcoString,
    /// When.
    pub at: Instant,
}

/// Which questions are wanted.
#[derive(Debug, Clone, Default)]
pub struct InboxFilter {
    /// Only those of this role.
    pub role: Option<String>,
    /// Only those of this run.
    pub run: Option<RunId>,
    /// Only those that stand so; all when none.
    pub state: Option<QuestionState>,
    /// At most so many, the oldest first.
    pub limit: usize,
}

/// Keeps the runs that wait and the questions to people. Writing happens inside the transaction of the store.
pub trait Waiting {
    /// Notes that a run is about to wait for changes of records. In the transaction in which it has looked for what
    /// it waits for, so that no change lies between.
    fn watch(&mut self, run: RunId, watches: &[Watch]) -> Result<(), StoreError>;
    /// Parks a run that is running: it is waiting then, and what it waited for before is forgotten. When a record
    /// that it watches has changed since [`Waiting::watch`], it can go on at once.
    fn park(&mut self, run: RunId, wait: &Wait) -> Result<(), StoreError>;
    /// Takes a waiting run up again: it is running then. False when it was not waiting.
    fn unpark(&mut self, run: RunId) -> Result<bool, StoreError>;
    /// What a run waits for; none when it does not wait.
    fn wait_of(&mut self, run: RunId) -> Result<Option<Wait>, StoreError>;
    /// Lets a waiting run go on from `at`, if it would not be woken earlier. False when it does not wait.
    fn wake(&mut self, run: RunId, at: Instant) -> Result<bool, StoreError>;
    /// Waiting runs whose time has come: those of the highest priority first, then from each flow in turn, of each
    /// the one first that should have gone on the longest ago. At most so many.
    fn ready(&mut self, now: Instant, limit: usize) -> Result<Vec<ReadyRun>, StoreError>;
    /// Lets all runs that wait for a moment look again for what they wait: the clock was set back. Writes inside the open
    /// transaction.
    fn look_again(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// When the next waiting run will go on by time; it may lie in the past.
    fn next_wake(&mut self) -> Result<Option<Instant>, StoreError>;
    /// How many runs wait, by kind.
    fn count_waiting(&mut self) -> Result<Vec<(WaitKind, u64)>, StoreError>;

    /// `waiter`, which is not its parent, waits for the end of `run`.
    fn join_run(&mut self, run: RunId, waiter: RunId) -> Result<(), StoreError>;
    /// Tells those who wait for a run that it has ended; gives those that can go on now.
    fn tell_end(&mut self, run: RunId, parent: Option<RunId>, now: Instant) -> Result<Vec<RunId>, StoreError>;

    /// Takes a place of a slot that has so many, unless all are taken. True when the run has one, also from before.
    fn take_slot(&mut self, slot: &str, run: RunId, places: u64) -> Result<bool, StoreError>;
    /// Whether a run has a place of a slot.
    fn holds_slot(&mut self, slot: &str, run: RunId) -> Result<bool, StoreError>;
    /// Gives back the places of a run, and gives each to the run that waits for it first (by priority, then the
    /// oldest); gives those.
    fn leave_slots(&mut self, run: RunId, now: Instant) -> Result<Vec<RunId>, StoreError>;

    /// Puts a question into the inbox (its number is not looked at); gives its number.
    fn ask(&mut self, question: &Question) -> Result<i64, StoreError>;
    /// Questions, the oldest first.
    fn questions(&mut self, filter: &InboxFilter) -> Result<Vec<Question>, StoreError>;
    /// A question.
    fn question(&mut self, number: i64) -> Result<Option<Question>, StoreError>;
    /// Closes a question that is open, with an answer or as `state`, and wakes its run when it was answered. False
    /// when it was not open.
    fn close_question(
        &mut self,
        number: i64,
        state: QuestionState,
        answer: Option<&Answer>,
    ) -> Result<bool, StoreError>;
}
