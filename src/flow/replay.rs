//! What the journal knows of a run that goes on: asked for by each thing that the run is about to do, and
//! given back instead of doing it.

use super::history::counting;
use crate::world::{Entry, EntryKind};
use std::collections::{HashMap, VecDeque};

/// What the run is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Deed {
    /// A step, or a child of one.
    Step,
    /// The undoing of a step.
    Undo,
    /// The end of a failed item.
    Item,
    /// The account of all runs.
    Summary,
}

impl Deed {
    /// Whether the run goes on by it.
    fn goes_forward(self) -> bool {
        matches!(self, Deed::Step | Deed::Item)
    }

    fn of(kind: EntryKind) -> Option<Deed> {
        Some(match kind {
            EntryKind::StepDone | EntryKind::StepFailed | EntryKind::Child | EntryKind::WaitBegan => Deed::Step,
            EntryKind::Undone | EntryKind::UndoFailed => Deed::Undo,
            EntryKind::ItemFailed => Deed::Item,
            EntryKind::Summary => Deed::Summary,
            EntryKind::Reopened | EntryKind::Ending | EntryKind::Retried | EntryKind::Migrated => return None,
        })
    }
}

/// The entries that have not been met again yet. A step that is passed more than once at the same place
/// (`go to`) meets them in their order.
#[derive(Debug, Default)]
pub(super) struct Replay {
    waiting: HashMap<(Deed, u32, Vec<u32>), VecDeque<Entry>>,
    left: usize,
}

impl Replay {
    /// From the entries of a run, in order; those that do not count any more are left out.
    pub fn new(entries: Vec<Entry>) -> Replay {
        let mut replay = Replay::default();
        for mut entry in counting(entries) {
            if let Some(deed) = Deed::of(entry.kind) {
                let path = std::mem::take(&mut entry.path);
                replay.waiting.entry((deed, entry.step, path)).or_default().push_back(entry);
                replay.left += usize::from(deed.goes_forward());
            }
        }
        replay
    }

    /// What happened when the run did this before.
    pub fn take(&mut self, deed: Deed, step: u32, path: &[u32]) -> Option<Entry> {
        if self.waiting.is_empty() {
            return None;
        }
        let key = (deed, step, path.to_vec());
        let queue = self.waiting.get_mut(&key)?;
        let entry = queue.pop_front()?;
        if queue.is_empty() {
            self.waiting.remove(&key);
        }
        self.left -= usize::from(deed.goes_forward());
        Some(entry)
    }

    /// The steps that have not been met again, in their order.
    pub fn steps_left(&self) -> Vec<u32> {
        let left = self.waiting.iter().filter(|((deed, ..), entries)| *deed == Deed::Step && !entries.is_empty());
        let mut steps: Vec<u32> = left.map(|((_, step, _), _)| *step).collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    /// Whether everything has been met again, but for what comes at the end (undoing, the account).
    pub fn is_over(&self) -> bool {
        self.left == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Instant;

    fn entry(position: u32, kind: EntryKind, step: u32, path: &[u32]) -> Entry {
        Entry {
            position,
            kind,
            step,
            path: path.to_vec(),
            payload: Vec::new(),
            changes: Vec::new(),
            at: Instant::EPOCH,
            took: 0,
        }
    }

    #[test]
    fn what_lies_before_a_new_beginning_does_not_count() {
        let mut replay = Replay::new(vec![
            entry(0, EntryKind::StepDone, 0, &[]),
            entry(1, EntryKind::Reopened, u32::MAX, &[]),
            entry(2, EntryKind::StepFailed, 0, &[]),
            entry(3, EntryKind::StepDone, 0, &[]),
            entry(4, EntryKind::StepDone, 0, &[7]),
        ]);
        let mut positions = Vec::new();
        while let Some(entry) = replay.take(Deed::Step, 0, &[]) {
            positions.push(entry.position);
        }
        assert_eq!(positions, [2, 3]);
        assert!(!replay.is_over());
        assert!(replay.take(Deed::Undo, 0, &[7]).is_none());
        assert_eq!(replay.take(Deed::Step, 0, &[7]).map(|entry| entry.position), Some(4));
        assert!(replay.is_over());
    }
}
