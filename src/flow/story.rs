//! A run told from the journal: what happened when, for `rpa runs show` and its like. Plain data.

use super::failure::RunFailure;
use super::names::{HIDDEN, Names};
use super::retry::decode_failed;
use crate::value::{Duration, Instant, Value, decode, display};
use crate::world::{
    Change, ChangeKind, Entry, EntryKind, Journal, RunId, RunRecord, RunState, StoreError, masked_address,
};
use ecow::EcoString;
use serde_json::Value as Json;
use std::collections::HashMap;

/// A run and what happened in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// The run.
    pub run: RunRecord,
    /// Its arguments: name and value, personal data masked.
    pub arguments: Vec<(EcoString, String)>,
    /// Its result, for people; none while it runs, when it failed, or without one.
    pub result: Option<String>,
    /// Why it was stopped.
    pub stopped: Option<EcoString>,
    /// Its failure.
    pub failure: Option<RunFailure>,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// How many runs it waited for, by flow and state.
    pub children: Vec<(EcoString, RunState, u64)>,
    /// Some of them, the oldest first.
    pub first_children: Vec<RunRecord>,
    /// What all runs came to, when it was the top one.
    pub account: Option<Json>,
}

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When it ended.
    pub at: Instant,
    /// How long it took.
    pub took: Duration,
    /// What it was.
    pub kind: EntryKind,
    /// The step; empty where there is none.
    pub step: EcoString,
    /// The rounds of the loops around it, from 1.
    pub rounds: Vec<u32>,
    /// Which try of the step it was, from 1.
    pub attempt: u32,
    /// The value of a step, the name of an item.
    pub value: Option<String>,
    /// The failure.
    pub failure: Option<RunFailure>,
    /// The pause after it, before the next try.
    pub pause: Option<Duration>,
    /// The run that it began.
    pub child: Option<RunId>,
    /// What it changed, decided and noted.
    pub changes: Vec<Change>,
}

/// Reads the story of a run; none when there is no such run. At most `children` children are listed.
///
/// # Errors
/// When the store fails.
pub fn story(journal: &mut dyn Journal, id: RunId, children: usize) -> Result<Option<Story>, StoreError> {
    let Some(run) = journal.run(id)? else { return Ok(None) };
    let names = journal.version(&run.version)?.map(|kept| Names::from_json(&kept.names)).unwrap_or_default();
    let entries = journal.entries(id)?;
    let counts = journal.count_children(id)?;
    let first_children = if counts.is_empty() { Vec::new() } else { journal.children(id, children)? };
    Ok(Some(tell(run, entries, &names, counts, first_children)))
}

fn tell(
    run: RunRecord,
    entries: Vec<Entry>,
    names: &Names,
    children: Vec<(EcoString, RunState, u64)>,
    first_children: Vec<RunRecord>,
) -> Story {
    let given = decode(&run.arguments).unwrap_or_default();
    let labels = names.parameters(&run.flow).iter().cloned();
    let labels = labels.chain((1..).map(|number| EcoString::from(format!("argument {number}"))));
    let given = (0_u32..).zip(given.as_list().unwrap_or(&[]));
    let given = given.map(|(at, value)| display(&names.masked_argument(&run.flow, at, value), names));
    let arguments = labels.zip(given).collect();
    let (mut result, mut stopped, mut failure) = (None, None, None);
    match run.state {
        RunState::Running | RunState::Waiting => {}
        RunState::Failed | RunState::Cancelled => failure = RunFailure::decode(&run.outcome),
        RunState::Done => {
            let outcome = decode(&run.outcome).unwrap_or_default();
            let parts = outcome.as_list().unwrap_or(&[]);
            let value = parts.first().filter(|value| !value.is_none());
            result = value.map(|value| display(&names.masked_result(&run.flow, value), names));
            stopped = parts.get(1).and_then(Value::as_text).map(EcoString::from);
        }
    }
    let (mut events, mut account): (Vec<Event>, _) = (Vec::new(), None);
    // By step and rounds: the tries of items side by side lie among each other.
    let mut failed_tries: HashMap<(u32, Vec<u32>), u32> = HashMap::new();
    for entry in entries {
        if entry.kind == EntryKind::Summary {
            account = serde_json::from_slice(&entry.payload).ok();
            continue;
        }
        let mut event = Event {
            at: entry.at,
            took: Duration::from_milliseconds(i64::from(entry.took / 1000)),
            kind: entry.kind,
            step: names.step(&run.flow, entry.step).cloned().unwrap_or_default(),
            rounds: entry.path.iter().map(|round| round.saturating_add(1)).collect(),
            attempt: 1,
            value: None,
            failure: None,
            pause: None,
            child: None,
            changes: entry.changes.into_iter().map(|change| masked(change, names)).collect(),
        };
        let payload = || decode(&entry.payload).unwrap_or_default();
        match entry.kind {
            EntryKind::StepDone => {
                event.attempt = failed_tries.remove(&(entry.step, entry.path)).unwrap_or(0) + 1;
                let value = Some(payload()).filter(|value| !value.is_none());
                event.value = value.map(|value| display(&names.masked_step(&run.flow, entry.step, &value), names));
            }
            EntryKind::StepFailed => {
                let step = (entry.step, entry.path);
                event.attempt = failed_tries.remove(&step).unwrap_or(0) + 1;
                if let Some((failure, pause)) = decode_failed(&payload()) {
                    if pause.is_some() {
                        failed_tries.insert(step, event.attempt);
                    }
                    event.failure = Some(failure);
                    event.pause = pause;
                }
            }
            EntryKind::UndoFailed => {
                if let Some((failure, pause)) = decode_failed(&payload()) {
                    event.failure = Some(failure);
                    event.pause = pause;
                }
            }
            EntryKind::Reopened | EntryKind::Ending => event.failure = RunFailure::decode(&entry.payload),
            EntryKind::Child => event.child = super::child::decode_child(&entry.payload),
            EntryKind::ItemFailed => {
                if let Some([name, failure]) = payload().as_list() {
                    event.value = name.as_text().map(str::to_string);
                    event.failure = RunFailure::from_value(failure);
                }
            }
            EntryKind::Retried => {
                failed_tries.clear();
                if let Some([who, failure, _]) = payload().as_list() {
                    event.value = who.as_text().map(str::to_string);
                    event.failure = RunFailure::from_value(failure);
                }
            }
            EntryKind::Migrated => {
                if let Some([who, from]) = payload().as_list() {
                    let from: String = from.as_text().unwrap_or_default().chars().take(12).collect();
                    event.value = Some(format!("{} from version {from}", who.as_text().unwrap_or_default()));
                }
            }
            EntryKind::WaitBegan => event.value = super::wait::words(&payload()),
            EntryKind::Undone | EntryKind::Summary => {}
        }
        events.push(event);
    }
    Story { run, arguments, result, stopped, failure, events, children, first_children, account }
}

/// A change for those who need not know whose data it is about.
fn masked(change: Change, names: &Names) -> Change {
    match change.kind {
        ChangeKind::Mailed => Change { what: masked_address(&change.what), ..change },
        ChangeKind::Created | ChangeKind::Changed | ChangeKind::Deleted if names.hides_key(&change.what) => {
            Change { which: HIDDEN.into(), ..change }
        }
        _ => change,
    }
}
