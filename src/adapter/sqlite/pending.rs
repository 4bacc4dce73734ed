//! What the journal was told in the open transaction and has not written yet.
//!
//! A run that begins and ends within one commit is one row, with all of its entries in it; the entries of a run that
//! had begun before are one row a commit. Whoever asks for more than one run has everything written first.
//! What a savepoint takes back, it takes back here too.

use super::desk::Desk;
use super::entry::{Mark, Packed};
use super::failure::{Done, internal};
use super::squeeze::{self, Squeezer};
use crate::value::{EcoString, Instant};
use crate::world::{Entry, RunId, RunRecord, RunState};
use rusqlite::{Connection, ToSql};
use std::collections::{BTreeMap, HashMap};

/// So many bytes of entries are held at most before they are written.
const MOST_BYTES: usize = 16 << 20;

/// A run that began in the open transaction.
#[derive(Debug, Clone)]
pub(super) struct Begun {
    pub record: RunRecord,
    /// The numbers of its flow and version.
    pub flow: i64,
    pub version: i64,
    /// The worker that it belongs to while it is running.
    pub worker: Option<i64>,
}

/// What is to be written of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    /// The run itself, when it is not in the store yet.
    begun: Option<Box<Begun>>,
    entries: Packed,
}

type Runs = BTreeMap<i64, Held>;

/// How things were before a change, for savepoints.
#[derive(Debug)]
enum Before {
    /// There was no such run.
    None(i64),
    /// It stood otherwise.
    Run(i64, Box<Begun>),
    /// It had fewer entries.
    Entries(i64, Mark),
}

/// What was held when it was written inside of savepoints.
#[derive(Debug)]
struct Written {
    /// So many savepoints were open.
    savepoints: usize,
    /// So many changes lay before.
    changes: usize,
    runs: Runs,
}

/// Everything that is to be written.
#[derive(Debug, Default)]
pub(super) struct Pending {
    runs: Runs,
    /// The runs that began in the open transaction, by flow and key; those too that are written already.
    keys: HashMap<(i64, EcoString), i64, foldhash::fast::RandomState>,
    /// The number of the next run, once it is known: no other process begins one before the commit.
    next: Option<i64>,
    bytes: usize,
    changes: Vec<Before>,
    /// How many changes there were when each savepoint began.
    savepoints: Vec<usize>,
    written: Vec<Written>,
}

impl Pending {
    /// Whether there is nothing to be written.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether it should be written although nobody asks for it.
    pub fn is_large(&self) -> bool {
        self.bytes > MOST_BYTES
    }

    /// The run that began under this key.
    pub fn with_key(&self, flow: i64, key: &EcoString) -> Option<&RunRecord> {
        self.run(RunId(*self.keys.get(&(flow, key.clone()))?))
    }

    /// Whether a run began under this key in the open transaction, or might have.
    pub fn has_key(&self, flow: i64, key: &EcoString) -> bool {
        self.keys.contains_key(&(flow, key.clone()))
    }

    /// A run that began.
    pub fn run(&self, run: RunId) -> Option<&RunRecord> {
        self.runs.get(&run.0)?.begun.as_ref().map(|begun| &begun.record)
    }

    /// The entries of a run.
    pub fn entries(&self, run: RunId) -> Option<&Packed> {
        self.runs.get(&run.0).map(|held| &held.entries)
    }

    /// Begins a run; gives its number.
    pub fn begin(&mut self, desk: &Desk, mut begun: Begun) -> Done<RunId> {
        let number = match self.next {
            Some(next) => next,
            None => desk
                .prepare_cached(
                    "SELECT max((SELECT ifnull(max(id), 0) FROM rpa_runs), ifnull((SELECT value FROM rpa_sequences \
                     WHERE kind = 'store' AND name = 'runs'), 0)) + 1",
                )?
                .query_row((), |row| row.get(0))?,
        };
        self.next = Some(number.checked_add(1).ok_or_else(|| internal("there are too many runs"))?);
        begun.record.id = RunId(number);
        if let Some(key) = &begun.record.key {
            self.keys.insert((begun.flow, key.clone()), number);
        }
        self.bytes += begun.record.arguments.len();
        self.runs.insert(number, Held { begun: Some(Box::new(begun)), entries: Packed::default() });
        self.note(|| Before::None(number));
        Ok(RunId(number))
    }

    /// Appends an entry. `word` gives the number of a word.
    pub fn append(&mut self, run: RunId, entry: &Entry, word: impl Fn(&EcoString) -> Option<i64>) -> Done<()> {
        let held = self.runs.entry(run.0).or_default();
        let mark = held.entries.mark();
        if !held.entries.push(entry, word) {
            return Err(internal(format!("entry {} of run {} came out of turn", entry.position, run.0)));
        }
        self.bytes += entry.payload.len() + 32;
        self.note(|| Before::Entries(run.0, mark));
        Ok(())
    }

    /// Ends a run, if it is one that began here; whether it is.
    pub fn end(&mut self, run: RunId, state: RunState, outcome: &[u8], at: Instant) -> bool {
        let Some(begun) = self.runs.get_mut(&run.0).and_then(|held| held.begun.as_mut()) else { return false };
        if !self.savepoints.is_empty() {
            self.changes.push(Before::Run(run.0, begun.clone()));
        }
        begun.record.state = state;
        begun.record.outcome = outcome.to_vec();
        begun.record.ended = Some(at);
        self.bytes += outcome.len();
        true
    }

    fn note(&mut self, before: impl FnOnce() -> Before) {
        if !self.savepoints.is_empty() {
            self.changes.push(before());
        }
    }

    /// The runs that have begun and ended here, to be written by somebody else. Only outside of savepoints.
    pub fn take_ended(&mut self) -> EndedRuns {
        let has_ended =
            |_: &i64, held: &mut Held| held.begun.as_ref().is_some_and(|begun| begun.record.ended.is_some());
        let ended: EndedRuns = self.runs.extract_if(.., has_ended).map(|(_, held)| held).collect();
        let left = self.runs.values().map(|held| {
            let begun = held.begun.as_ref().map_or(0, |begun| begun.record.arguments.len());
            held.entries.bytes().len() + begun
        });
        self.bytes = left.sum();
        ended
    }

    /// Writes everything. Inside of savepoints SQLite must know them already.
    pub fn write(&mut self, connection: &Connection) -> Done<()> {
        if self.runs.is_empty() {
            return Ok(());
        }
        let mut squeezer = Squeezer::default();
        for (number, held) in &self.runs {
            match &held.begun {
                Some(begun) => insert_run(connection, &mut squeezer, begun, &held.entries)?,
                None => insert_entries(connection, *number, &held.entries)?,
            }
        }
        let runs = std::mem::take(&mut self.runs);
        self.bytes = 0;
        if !self.savepoints.is_empty() {
            let (savepoints, changes) = (self.savepoints.len(), self.changes.len());
            self.written.push(Written { savepoints, changes, runs });
        }
        Ok(())
    }

    /// Begins a part that may be taken back.
    pub fn savepoint(&mut self) {
        self.savepoints.push(self.changes.len());
    }

    /// Keeps the innermost part.
    pub fn release(&mut self) {
        self.savepoints.pop();
        let open = self.savepoints.len();
        if open == 0 {
            self.changes.clear();
            self.written.clear();
        }
        self.written.iter_mut().for_each(|written| written.savepoints = written.savepoints.min(open));
    }

    /// Takes the innermost part back.
    pub fn rollback_savepoint(&mut self) {
        let open = self.savepoints.len();
        let start = self.savepoints.pop().unwrap_or(0);
        if let Some(first) = self.written.iter().position(|written| written.savepoints >= open) {
            // It is not in the store any more: what was held then is to be written again.
            self.written.truncate(first + 1);
            if let Some(written) = self.written.pop() {
                self.changes.truncate(written.changes);
                self.runs = written.runs;
                for (number, held) in &self.runs {
                    if let Some(begun) = &held.begun
                        && let Some(key) = &begun.record.key
                    {
                        self.keys.insert((begun.flow, key.clone()), *number);
                    }
                }
            }
        }
        while self.changes.len() > start {
            match self.changes.pop() {
                Some(Before::None(number)) => {
                    let begun = self.runs.remove(&number).and_then(|held| held.begun);
                    if let Some(begun) = begun
                        && let Some(key) = begun.record.key
                    {
                        self.keys.remove(&(begun.flow, key));
                    }
                    self.next = Some(number);
                }
                Some(Before::Run(number, begun)) => {
                    if let Some(held) = self.runs.get_mut(&number) {
                        held.begun = Some(begun);
                    }
                }
                Some(Before::Entries(number, mark)) => {
                    if let Some(held) = self.runs.get_mut(&number) {
                        held.entries.take_back(mark);
                        if held.entries.is_empty() && held.begun.is_none() {
                            self.runs.remove(&number);
                        }
                    }
                }
                None => break,
            }
        }
    }

    /// Forgets everything: it was written, or is taken back.
    pub fn clear(&mut self) {
        *self = Pending::default();
    }
}

/// Runs that have begun and ended within a transaction.
pub(super) type EndedRuns = Vec<Held>;

/// Writes runs that have begun and ended within the open transaction.
pub(super) fn write_ended(connection: &Connection, ended: &EndedRuns) -> Done<()> {
    let mut squeezer = Squeezer::default();
    for held in ended {
        if let Some(begun) = &held.begun {
            insert_run(connection, &mut squeezer, begun, &held.entries)?;
        }
    }
    Ok(())
}

fn insert_run(connection: &Connection, squeezer: &mut Squeezer, begun: &Begun, entries: &Packed) -> Done<()> {
    let run = &begun.record;
    let key = run.key.as_deref();
    let worker = begun.worker.filter(|_| run.state == RunState::Running);
    let entries = squeezer.entries(entries.bytes());
    let starter = (!run.starter.is_empty()).then_some(run.starter.as_str());
    let parameters: [&dyn ToSql; 14] = [
        &run.id.0,
        &run.parent.map(|parent| parent.0),
        &begun.flow,
        &key,
        &begun.version,
        &(run.state as u8),
        &run.started.milliseconds(),
        &run.ended.map(Instant::milliseconds),
        &run.fingerprint,
        &squeezer.behind(&run.arguments),
        &squeezer.behind(&run.outcome),
        &(!entries.is_empty()).then_some(entries),
        &worker,
        &starter,
    ];
    connection
        .prepare_cached(
            "INSERT INTO rpa_runs (id, parent, flow, key, version, state, started, ended, fingerprint, arguments, \
             outcome, entries, worker, starter) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?
        .execute(parameters.as_slice())?;
    Ok(())
}

fn insert_entries(connection: &Connection, run: i64, entries: &Packed) -> Done<()> {
    connection.prepare_cached("INSERT INTO rpa_entries (run, position, entries) VALUES (?1, ?2, ?3)")?.execute((
        run,
        entries.first(),
        squeeze::alone(entries.bytes()),
    ))?;
    Ok(())
}
