//! Which entries of a run still count when it is walked again: after a person let it be tried again from where it
//! failed, and after it was begun again from its start.

use super::retry::decode_failed;
use crate::value::{Value, decode};
use crate::world::{Entry, EntryKind};
use std::collections::HashSet;

/// The entries that count, in their order. What lies before `Reopened` is history; before `Retried` everything
/// counts but the failure that ended the run and the steps that were undone for it.
pub(super) fn counting(entries: Vec<Entry>) -> Vec<Entry> {
    let mut counting = Vec::with_capacity(entries.len());
    for entry in entries {
        match entry.kind {
            EntryKind::Reopened => counting.clear(),
            EntryKind::Retried => counting = up_to_the_failure(counting, true),
            _ => counting.push(entry),
        }
    }
    counting
}

/// The entries of a run that has failed up to its failure, as if nothing had been undone for it.
pub(super) fn before_the_failure(entries: Vec<Entry>) -> Vec<Entry> {
    up_to_the_failure(counting(entries), false)
}

/// The entries of a run that has failed, without its failure: what it has to do next is what failed, and what was
/// undone, if that is `to_be_done`.
fn up_to_the_failure(mut entries: Vec<Entry>, to_be_done: bool) -> Vec<Entry> {
    let is_end = |entry: &Entry| {
        matches!(entry.kind, EntryKind::Undone | EntryKind::UndoFailed | EntryKind::Ending | EntryKind::Summary)
    };
    let end = entries.iter().rposition(|entry| !is_end(entry)).map_or(0, |last| last + 1);
    let was_ended = entries.iter().skip(end).any(|entry| entry.kind == EntryKind::Ending);
    // The last of the steps that were undone was the first to be.
    for undone in entries.split_off(end).into_iter().filter(|entry| to_be_done && entry.kind == EntryKind::Undone) {
        let same =
            |entry: &Entry| entry.kind == EntryKind::StepDone && entry.step == undone.step && entry.path == undone.path;
        if let Some(at) = entries.iter().rposition(same) {
            forget_tries(&mut entries, at);
        }
    }
    if let Some(last) = entries.len().checked_sub(1)
        && entries.last().is_some_and(is_final_failure)
    {
        forget_tries(&mut entries, last);
    }
    if was_ended {
        forget_waits(&mut entries);
    }
    entries
}

/// Whether an entry is the last try of a step that has failed.
fn is_final_failure(entry: &Entry) -> bool {
    entry.kind == EntryKind::StepFailed
        && decode_failed(&decode(&entry.payload).unwrap_or(Value::None)).is_none_or(|(_, pause)| pause.is_none())
}

/// Takes out how a step ended, with the tries and the child that led there: it is done from the beginning.
fn forget_tries(entries: &mut Vec<Entry>, end: usize) {
    if end >= entries.len() {
        return;
    }
    let last = entries.remove(end);
    // A child is kept: it is the same run that is tried again.
    for at in (0..end).rev() {
        let Some(entry) = entries.get(at).filter(|entry| entry.step == last.step && entry.path == last.path) else {
            continue;
        };
        match entry.kind {
            EntryKind::StepFailed if !is_final_failure(entry) => drop(entries.remove(at)),
            EntryKind::WaitBegan => drop(entries.remove(at)),
            EntryKind::Child => {}
            _ => return,
        }
    }
}

/// Takes out the waits that had not ended: they begin anew.
fn forget_waits(entries: &mut Vec<Entry>) {
    let mut ended: HashSet<(u32, Vec<u32>)> = HashSet::new();
    let mut kept: Vec<Entry> = Vec::with_capacity(entries.len());
    for entry in entries.drain(..).rev() {
        let place = (entry.step, entry.path.clone());
        match entry.kind {
            EntryKind::WaitBegan if !ended.contains(&place) => continue,
            EntryKind::StepDone | EntryKind::StepFailed => drop(ended.insert(place)),
            EntryKind::WaitBegan => drop(ended.remove(&place)),
            _ => {}
        }
        kept.push(entry);
    }
    kept.reverse();
    *entries = kept;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Instant;

    fn entry(kind: EntryKind, step: u32, path: &[u32]) -> Entry {
        Entry {
            position: 0,
            kind,
            step,
            path: path.to_vec(),
            payload: Vec::new(),
            changes: Vec::new(),
            at: Instant::EPOCH,
            took: 0,
        }
    }

    fn left(entries: Vec<Entry>) -> Vec<(EntryKind, u32)> {
        counting(entries).iter().map(|entry| (entry.kind, entry.step)).collect()
    }

    #[test]
    fn what_failed_and_what_was_undone_is_to_be_done_again() {
        use EntryKind::{ItemFailed, Retried, StepDone, StepFailed, Undone};
        let entries = vec![
            entry(StepDone, 0, &[]),
            entry(StepDone, 1, &[]),
            // An item that failed and was undone stays so.
            entry(StepDone, 4, &[0]),
            entry(StepFailed, 5, &[0]),
            entry(Undone, 4, &[0]),
            entry(ItemFailed, u32::MAX, &[0]),
            entry(StepFailed, 2, &[]),
            entry(Undone, 1, &[]),
            entry(Retried, u32::MAX, &[]),
        ];
        assert_eq!(left(entries), [(StepDone, 0), (StepDone, 4), (StepFailed, 5), (Undone, 4), (ItemFailed, u32::MAX)]);
    }

    #[test]
    fn what_lies_before_a_new_beginning_does_not_count() {
        use EntryKind::{Reopened, StepDone};
        assert_eq!(
            left(vec![entry(StepDone, 0, &[]), entry(Reopened, 0, &[]), entry(StepDone, 1, &[])]),
            [(StepDone, 1)]
        );
    }

    #[test]
    fn a_wait_that_was_ended_from_outside_begins_anew() {
        use EntryKind::{Ending, Retried, StepDone, Undone, WaitBegan};
        let entries = vec![
            entry(WaitBegan, 0, &[]),
            entry(StepDone, 0, &[]),
            entry(WaitBegan, 1, &[]),
            entry(Ending, u32::MAX, &[]),
            entry(Undone, 0, &[]),
            entry(Retried, u32::MAX, &[]),
        ];
        assert_eq!(left(entries), []);
    }
}
