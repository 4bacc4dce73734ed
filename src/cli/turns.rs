//! The order in which several runs go on: one that pauses is put aside until its moment, and the others go on meanwhile.

use crate::value::{Duration, Instant};
use crate::world::{Wait, WaitKind};
use std::collections::{BTreeSet, VecDeque};

/// The runs that are to go on, by their places in a list.
pub struct Turns {
    /// Those that have not gone on yet.
    fresh: VecDeque<usize>,
    /// Those that pause, and until when.
    paused: BTreeSet<(Instant, usize)>,
    /// Those that wait for others which may pause: they come last, and sit that out.
    behind: VecDeque<usize>,
    /// The longest pause that is stayed for.
    patience: Duration,
    is_alone: bool,
}

/// A run whose turn it is.
#[derive(Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its place.
    pub at: usize,
    /// When it can go on.
    pub from: Option<Instant>,
    /// How long a pause it stays for.
    pub patience: Duration,
}

impl Turns {
    /// For so many runs; pauses that are longer than the patience are left to others.
    pub fn of(count: usize, patience: Duration) -> Turns {
        Turns {
            fresh: (0..count).collect(),
            paused: BTreeSet::new(),
            behind: VecDeque::new(),
            patience,
            is_alone: count == 1,
        }
    }

    /// Whose turn it is.
    pub fn next(&mut self) -> Option<Turn> {
        if let Some(at) = self.fresh.pop_front() {
            let patience = if self.is_alone { self.patience } else { Duration::ZERO };
            return Some(Turn { at, from: None, patience });
        }
        if let Some((from, at)) = self.paused.pop_first() {
            return Some(Turn { at, from: Some(from), patience: Duration::ZERO });
        }
        let at = self.behind.pop_front()?;
        Some(Turn { at, from: None, patience: self.patience })
    }

    /// Puts aside a run that waits after a turn.
    pub fn put_aside(&mut self, turn: &Turn, wait: &Wait, now: Instant) {
        // It has stayed as long as it may.
        if turn.patience > Duration::ZERO {
            return;
        }
        match (wait.kind, wait.wake) {
            (WaitKind::Time, Some(wake)) if wake.since(now) <= self.patience => {
                self.paused.insert((wake, turn.at));
            }
            (WaitKind::Run | WaitKind::Slot, _) if self.patience > Duration::ZERO => self.behind.push_back(turn.at),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Instant {
        Instant::from_milliseconds(milliseconds).unwrap()
    }

    fn wait(kind: WaitKind, wake: Option<i64>) -> Wait {
        let wake = wake.map(at);
        Wait { kind, what: "x".into(), wake, priority: 0, runs: 0, slot: None, watches: Vec::new() }
    }

    #[test]
    fn pauses_overlap_and_what_waits_for_other_runs_comes_last() {
        let second = Duration::from_milliseconds(1000);
        let mut turns = Turns::of(4, second);
        let waits = [
            wait(WaitKind::Time, Some(900)),
            wait(WaitKind::Run, None),
            wait(WaitKind::Time, Some(300)),
            wait(WaitKind::Time, Some(60_000)),
        ];
        for wait in &waits {
            let turn = turns.next().unwrap();
            assert_eq!(turn.patience, Duration::ZERO);
            turns.put_aside(&turn, wait, at(0));
        }
        let due = turns.next().unwrap();
        assert_eq!((due.at, due.from), (2, Some(at(300))));
        turns.put_aside(&due, &wait(WaitKind::Time, Some(1200)), at(300));
        let order: Vec<_> = std::iter::from_fn(|| turns.next()).map(|turn| (turn.at, turn.patience)).collect();
        assert_eq!(order, [(0, Duration::ZERO), (2, Duration::ZERO), (1, second)]);
    }

    #[test]
    fn a_run_that_is_alone_stays_for_its_pauses() {
        let patience = Duration::from_milliseconds(1000);
        let mut turns = Turns::of(1, patience);
        let turn = turns.next().unwrap();
        assert_eq!(turn, Turn { at: 0, from: None, patience });
        turns.put_aside(&turn, &wait(WaitKind::Time, Some(500)), at(0));
        assert_eq!(turns.next(), None);
    }
}
