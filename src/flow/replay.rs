//! What the journal knows of a run that goes on: asked for by each thing that the run is about to do, and
//! given back instead of doing it.

use super::history::counting;
use crate::world::{Entry, EntryKind};
use std::collections::{BTreeMap, HashMap, VecDeque};

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
    /// How many of those that the run goes on by are waiting at each place; none before somebody asks.
    places: Option<BTreeMap<Vec<u32>, usize>>,
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
        if deed == Deed::Step
            && let Some(places) = &mut self.places
            && let Some(count) = places.get_mut(path)
        {
            *count -= 1;
            if *count == 0 {
                places.remove(path);
            }
        }
        Some(entry)
    }

    /// Whether the journal knows of a step that is done later on this way: within these rounds, or behind a loop or branches
    /// around them. What comes before it and was not met is to be done again there, since it was undone.
    pub fn knows_more_behind(&mut self, rounds: &[u32]) -> bool {
        let places = self.places.get_or_insert_with(|| {
            let steps = self.waiting.iter().filter(|((deed, ..), _)| *deed == Deed::Step);
            let mut places: BTreeMap<Vec<u32>, usize> = BTreeMap::new();
            for ((_, _, path), entries) in steps {
                *places.entry(path.clone()).or_default() += entries.len();
            }
            places
        });
        let within = places.range(rounds.to_vec()..).next().is_some_and(|(path, _)| path.starts_with(rounds));
        within || (0..rounds.len()).any(|around| places.contains_key(&rounds[..around]))
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
    fn what_is_known_of_an_item_is_known_until_it_is_met() {
        let mut replay = Replay::new(vec![
            entry(0, EntryKind::StepDone, 0, &[3]),
            entry(1, EntryKind::StepDone, 1, &[2, 7]),
            entry(2, EntryKind::StepDone, 1, &[3]),
            entry(3, EntryKind::Undone, 1, &[4]),
            // Others were given up for it: they did no more.
            entry(4, EntryKind::ItemFailed, 1, &[5]),
        ]);
        let known = |replay: &mut Replay| {
            [&[][..], &[1], &[2], &[2, 6], &[3], &[3, 1], &[4], &[5, 0]].map(|at| replay.knows_more_behind(at))
        };
        assert_eq!(known(&mut replay), [true, false, true, false, true, true, false, false]);
        replay.take(Deed::Step, 0, &[3]);
        replay.take(Deed::Step, 1, &[2, 7]);
        assert_eq!(known(&mut replay), [true, false, false, false, true, true, false, false]);
        replay.take(Deed::Step, 1, &[3]);
        assert_eq!(known(&mut replay), [false; 8]);
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
