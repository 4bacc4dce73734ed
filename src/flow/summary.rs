//! What a person wants to know after a run: how many items went through, how many did not and why, what was
//! written. Counted while the runs are at work, in memory that does not grow with their number.

use super::engine::Ended;
use super::failure::RunFailure;
use super::retry::decode_failed;
use super::told::Told;
use crate::text::Span;
use crate::value::{Duration, Instant, Value, decode};
use crate::world::{Change, ChangeKind, Entry, EntryKind, RunId, RunRecord, RunState, Wait};
use ecow::EcoString;
use indexmap::IndexMap;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// How many different reasons of one error are told apart; the others are counted together.
const MAX_REASONS: usize = 12;

/// How many different reasons are told apart at all.
const MAX_ALL_REASONS: usize = 200;

/// How many examples of a kind are kept.
const MAX_EXAMPLES: usize = 5;

/// How many files, warnings and failed undos are named.
const MAX_NAMED: usize = 50;

/// How a start of a flow came out, with all runs that came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The run; 0 when not even that could be begun.
    pub run: RunId,
    /// Its flow.
    pub flow: EcoString,
    /// Its failure, if it failed.
    pub failure: Option<RunFailure>,
    /// Its result; none for a flow without one.
    pub result: Value,
    /// Why it was stopped, if it was.
    pub stopped: Option<EcoString>,
    /// What it waits for, if it does: it has no result yet, and goes on when that has come.
    pub waiting: Option<Wait>,
    /// Whether a run with the same key and content had ended before, so that nothing was done.
    pub already_over: bool,
    /// When this process began with it.
    pub began: Instant,
    /// How long it took.
    pub took: Duration,
    /// The loops with steps, in the order in which they were met.
    pub loops: Vec<LoopAccount>,
    /// The runs by flow.
    pub runs: Vec<(EcoString, RunCounts)>,
    /// What was written, by kind and entity; mails are one kind, files are named by `files`.
    pub changes: Vec<(ChangeKind, EcoString, ChangeCount)>,
    /// How many steps were tried.
    pub steps: u64,
    /// How many steps were tried again.
    pub retried: u64,
    /// How often that was, all steps together.
    pub retries: u64,
    /// How often a handler was for a failure.
    pub handled: u64,
    /// How many steps were undone.
    pub undone: u64,
    /// Steps that could not be undone: run, step and reason; at most so many as a person reads.
    pub undo_failures: Vec<(RunId, EcoString, EcoString)>,
    /// How many those are in all.
    pub undo_failures_count: u64,
    /// What `log.info` noted in the run itself, not in those that it runs; at most so many as a person reads.
    pub notes: Vec<EcoString>,
    /// What `log.warn` noted; at most so many as a person reads.
    pub warnings: Vec<EcoString>,
    /// How many those are in all.
    pub warnings_count: u64,
}

/// The items of a loop.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LoopAccount {
    /// The flow that the loop is in.
    pub flow: EcoString,
    /// What the script calls an item.
    pub item: EcoString,
    /// The flow that is run for each item, if there is one.
    pub runs: Option<EcoString>,
    /// How many items there were.
    pub items: u64,
    /// How many ended well, those found done included.
    pub done: u64,
    /// How many of them had been done before, so that nothing was to do.
    pub earlier: u64,
    /// How many failed.
    pub failed: u64,
    /// How many have begun and wait.
    pub waiting: u64,
    /// Why, the most frequent first.
    pub reasons: Vec<Reason>,
    place: Span,
    found: IndexMap<(EcoString, EcoString), Reason>,
}

/// Why items failed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reason {
    /// The error.
    pub error: EcoString,
    /// What it says; empty for all reasons beyond those that are told apart.
    pub message: EcoString,
    /// How many items.
    pub count: u64,
    /// How many of them had failed so in an earlier run with the same content, and were not tried now.
    pub earlier: u64,
    /// Some of the items.
    pub examples: Vec<EcoString>,
    /// Where the first of them failed: `orders.rpa:12:5`.
    pub place: EcoString,
}

/// The runs of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunCounts {
    /// Ended well now.
    pub done: u64,
    /// Failed now.
    pub failed: u64,
    /// Had ended well before.
    pub found_done: u64,
    /// Had failed before.
    pub found_failed: u64,
}

/// How often something was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeCount {
    /// How often.
    pub count: u64,
    /// Some of the records or files.
    pub examples: Vec<EcoString>,
}

/// What is counted while runs are at work.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub began: Option<Instant>,
    /// The run that was started or taken up, and not by another.
    pub top: Option<RunId>,
    pub top_was_over: bool,
    /// Runs that ended before, for the run that goes on now: what they did is still to be counted.
    pub untold: BTreeSet<RunId>,
    /// What is counted of the runs that wait.
    pub told: HashMap<RunId, Told>,
    pub steps: u64,
    retried: u64,
    retries: u64,
    /// The steps that are being tried again, by run, number and rounds.
    retrying: HashSet<(RunId, u32, Vec<u32>)>,
    pub handled: u64,
    pub runs_found: u64,
    undone: u64,
    loops: Vec<LoopAccount>,
    runs: IndexMap<EcoString, RunCounts>,
    changes: BTreeMap<(ChangeKind, EcoString), ChangeCount>,
    undo_failures: Vec<(RunId, EcoString, EcoString)>,
    undo_failures_count: u64,
    notes: Vec<EcoString>,
    warnings: Vec<EcoString>,
    warnings_count: u64,
}

impl Account {
    /// The place of a loop in the account.
    pub fn loop_met(&mut self, flow: &str, item: &EcoString, place: Span) -> usize {
        self.loops.iter().position(|each| each.place == place && each.flow == flow).unwrap_or_else(|| {
            self.loops.push(LoopAccount { flow: flow.into(), item: item.clone(), place, ..LoopAccount::default() });
            self.loops.len() - 1
        })
    }

    /// A loop begins.
    pub fn loop_began(&mut self, account: usize, items: usize) {
        if let Some(each) = self.loops.get_mut(account) {
            each.items += items as u64;
        }
    }

    /// A run was begun, or found, for an item of a loop.
    pub fn item_runs(&mut self, account: usize, flow: &EcoString) {
        if let Some(each) = self.loops.get_mut(account)
            && each.runs.is_none()
        {
            each.runs = Some(flow.clone());
        }
    }

    /// An item has ended well.
    pub fn item_done(&mut self, account: usize, earlier: bool) {
        if let Some(each) = self.loops.get_mut(account) {
            each.done += 1;
            each.earlier += u64::from(earlier);
        }
    }

    /// An item has failed.
    pub fn item_failed(&mut self, account: usize, name: &EcoString, failure: &RunFailure) {
        let Some(each) = self.loops.get_mut(account) else { return };
        each.failed += 1;
        let mut key = (failure.name.clone(), failure.message.clone());
        if !each.found.contains_key(&key) {
            let of_error = each.found.keys().filter(|(error, _)| *error == failure.name).count();
            if of_error >= MAX_REASONS || each.found.len() >= MAX_ALL_REASONS {
                key.1 = EcoString::new();
            }
        }
        let reason = each.found.entry(key).or_default();
        reason.count += 1;
        reason.earlier += u64::from(failure.earlier.is_some());
        if reason.examples.len() < MAX_EXAMPLES {
            reason.examples.push(name.clone());
        }
        if reason.place.is_empty() {
            reason.place = failure.place.clone();
        }
    }

    /// A run has ended.
    pub fn run_ended(&mut self, flow: &EcoString, state: RunState) {
        let counts = self.counts(flow);
        match state {
            RunState::Failed | RunState::Cancelled => counts.failed += 1,
            RunState::Done => counts.done += 1,
            RunState::Running | RunState::Waiting => {}
        }
    }

    /// A run was found that had ended before.
    pub fn run_found(&mut self, known: &RunRecord) {
        self.runs_found += 1;
        let counts = self.counts(&known.flow);
        if known.state == RunState::Done { counts.found_done += 1 } else { counts.found_failed += 1 }
    }

    fn counts(&mut self, flow: &EcoString) -> &mut RunCounts {
        if !self.runs.contains_key(flow) {
            self.runs.insert(flow.clone(), RunCounts::default());
        }
        self.runs.entry(flow.clone()).or_default()
    }

    /// The journal got an entry, or knows it from before.
    pub fn entry(&mut self, run: RunId, entry: &Entry) {
        let is_top = self.top == Some(run);
        match entry.kind {
            EntryKind::Undone => self.undone += 1,
            EntryKind::StepFailed => self.step_failed(run, entry),
            EntryKind::StepDone if !self.retrying.is_empty() => {
                self.retrying.remove(&(run, entry.step, entry.path.clone()));
            }
            _ => {}
        }
        for change in &entry.changes {
            if is_top && change.kind == ChangeKind::Noted && change.what == "info" && self.notes.len() < MAX_NAMED {
                self.notes.push(change.which.clone());
            }
            self.change(change);
        }
    }

    /// A try of a step has failed; with a pause there is another one.
    fn step_failed(&mut self, run: RunId, entry: &Entry) {
        let is_tried_again = decode(&entry.payload)
            .ok()
            .and_then(|failed| decode_failed(&failed))
            .is_some_and(|(_, pause)| pause.is_some());
        let step = (run, entry.step, entry.path.clone());
        if !is_tried_again {
            self.retrying.remove(&step);
            return;
        }
        self.retries += 1;
        self.retried += u64::from(self.retrying.insert(step));
    }

    fn change(&mut self, change: &Change) {
        let (what, example) = match change.kind {
            ChangeKind::Created | ChangeKind::Changed | ChangeKind::Deleted | ChangeKind::Fired => {
                (change.what.clone(), &change.which)
            }
            ChangeKind::Called => (change.what.clone(), &change.which),
            ChangeKind::Mailed => (EcoString::new(), &change.what),
            ChangeKind::Wrote => (EcoString::new(), &change.what),
            ChangeKind::Decided | ChangeKind::Answered => return,
            ChangeKind::Noted => {
                if change.what == "warn" {
                    self.warnings_count += 1;
                    if self.warnings.len() < MAX_NAMED {
                        self.warnings.push(change.which.clone());
                    }
                }
                return;
            }
        };
        let masked = (change.kind == ChangeKind::Mailed).then(|| crate::world::masked_address(example));
        let example = masked.as_ref().unwrap_or(example);
        let kept = if change.kind == ChangeKind::Wrote { MAX_NAMED } else { MAX_EXAMPLES };
        let count = self.changes.entry((change.kind, what)).or_default();
        count.count += 1;
        if count.examples.len() < kept && !count.examples.contains(example) {
            count.examples.push(example.clone());
        }
    }

    /// A step could not be undone.
    pub fn undo_failed(&mut self, step: &EcoString, run: RunId, failure: &RunFailure) {
        self.undo_failures_count += 1;
        if self.undo_failures.len() < MAX_NAMED {
            self.undo_failures.push((run, step.clone(), failure.message.clone()));
        }
    }
}

impl Summary {
    pub(super) fn new(
        run: RunId,
        flow: EcoString,
        ended: Ended,
        began: Instant,
        now: Instant,
        mut account: Account,
    ) -> Summary {
        for (at, waiting) in account.told.values().flat_map(Told::waiting) {
            if let Some(each) = account.loops.get_mut(at) {
                each.waiting += waiting;
            }
        }
        let mut waiting = None;
        let (failure, result, stopped) = match ended {
            Ended::Done(value, why) => (None, value, why),
            Ended::Failed(failure) => (Some(failure), Value::None, None),
            Ended::Parked(_, wait) => {
                waiting = Some(*wait);
                (None, Value::None, None)
            }
        };
        let loops = account.loops.into_iter().map(|mut each| {
            each.reasons =
                each.found.drain(..).map(|((error, message), reason)| Reason { error, message, ..reason }).collect();
            each.reasons.sort_by_key(|reason| (std::cmp::Reverse(reason.count), reason.error.clone()));
            each
        });
        Summary {
            run,
            flow,
            failure,
            result,
            stopped,
            waiting,
            already_over: account.top_was_over,
            began,
            took: now.since(began),
            loops: loops.collect(),
            runs: account.runs.into_iter().collect(),
            changes: account.changes.into_iter().map(|((kind, what), count)| (kind, what, count)).collect(),
            steps: account.steps,
            retried: account.retried,
            retries: account.retries,
            handled: account.handled,
            undone: account.undone,
            undo_failures: account.undo_failures,
            undo_failures_count: account.undo_failures_count,
            notes: account.notes,
            warnings: account.warnings,
            warnings_count: account.warnings_count,
        }
    }

    /// Whether there is more to tell than the entries of the run itself do.
    pub fn has_more_than_the_run(&self) -> bool {
        !self.loops.is_empty() || self.runs.iter().map(|(_, counts)| counts.total()).sum::<u64>() > 1
    }

    /// How many items failed in all loops.
    pub fn failed_items(&self) -> u64 {
        self.loops.iter().map(|each| each.failed).sum()
    }

    /// The account as JSON, without what the journal knows of the run itself.
    pub fn account_json(&self) -> Json {
        let loops: Vec<Json> = self.loops.iter().map(LoopAccount::json).collect();
        let runs: Vec<Json> = self
            .runs
            .iter()
            .map(|(flow, counts)| {
                json!({
                    "flow": flow.as_str(), "done": counts.done, "failed": counts.failed,
                    "done_earlier": counts.found_done, "failed_earlier": counts.found_failed,
                })
            })
            .collect();
        let written: Vec<Json> = self
            .changes
            .iter()
            .map(|(kind, what, count)| {
                json!({
                    "kind": kind.word(), "what": what.as_str(), "count": count.count, "examples": texts(&count.examples),
                })
            })
            .collect();
        let undo_failures: Vec<Json> = self
            .undo_failures
            .iter()
            .map(|(run, step, why)| json!({"run": run.0, "step": step.as_str(), "reason": why.as_str()}))
            .collect();
        json!({
            "items": loops,
            "runs": runs,
            "written": written,
            "steps": self.steps,
            "steps_tried_again": self.retried,
            "retries": self.retries,
            "handled_failures": self.handled,
            "undone": self.undone,
            "not_undone": undo_failures,
            "not_undone_count": self.undo_failures_count,
            "notes": texts(&self.notes),
            "warnings": texts(&self.warnings),
            "warnings_count": self.warnings_count,
        })
    }
}

fn texts(texts: &[EcoString]) -> Vec<&str> {
    texts.iter().map(EcoString::as_str).collect()
}

impl RunCounts {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.done + self.failed + self.found_done + self.found_failed
    }
}

impl LoopAccount {
    fn json(&self) -> Json {
        let reasons: Vec<Json> = self
            .reasons
            .iter()
            .map(|reason| {
                json!({
                    "error": reason.error.as_str(), "message": reason.message.as_str(), "count": reason.count,
                    "failed_earlier": reason.earlier, "examples": texts(&reason.examples), "place": reason.place.as_str(),
                })
            })
            .collect();
        json!({
            "flow": self.flow.as_str(), "item": self.item.as_str(), "runs": self.runs.as_ref().map(|flow| flow.as_str()), "count": self.items, "done": self.done,
            "done_earlier": self.earlier, "failed": self.failed, "waiting": self.waiting, "reasons": reasons,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::ErrorId;
    use crate::vm::Failure;

    fn failure(message: String) -> RunFailure {
        let failure = Failure { error: ErrorId(0), fields: Vec::new(), span: Span::default(), trace: Vec::new() };
        RunFailure { failure, name: "bad".into(), message: message.into(), place: EcoString::new(), earlier: None }
    }

    #[test]
    fn the_account_of_many_reasons_stays_small() {
        let mut account = Account::default();
        let at = account.loop_met("f", &"row".into(), Span::default());
        account.loop_began(at, 100_000);
        for number in 0..100_000 {
            account.item_failed(at, &"x".into(), &failure(format!("reason {}", number % 5_000)));
        }
        let ended = Ended::Done(Value::None, None);
        let summary = Summary::new(RunId(1), "f".into(), ended, Instant::EPOCH, Instant::EPOCH, account);
        let each = &summary.loops[0];
        assert_eq!((each.failed, each.reasons.len()), (100_000, MAX_REASONS + 1));
        assert_eq!(each.reasons.iter().map(|reason| reason.count).sum::<u64>(), 100_000);
        assert_eq!(each.reasons[0].message, "");
        assert!(each.reasons.iter().all(|reason| reason.examples.len() <= MAX_EXAMPLES));
    }
}
