//! Whose runs go on first, where there are more than can be taken up at once.

use crate::world::{ReadyRun, RunId, RunRecord};
use ecow::EcoString;
use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

/// How many new runs are looked up, where there are more than are taken up together: the runs of a flow that begin behind so
/// many of others wait until those have become fewer.
pub(super) const FAR: usize = 20_000;

/// How long what was looked up so far ahead is gone by.
const LOOK: Duration = Duration::from_secs(2);

/// How many of so many places are left to a list of new runs, when so many others are due: half of them, and what the others
/// do not need.
pub(super) fn places(due: usize, most: usize) -> usize {
    (most / 2).max(most.saturating_sub(due))
}

/// New runs that nobody has taken up yet, more than can be taken up together. They go by flow, so that whoever starts ten
/// thousand runs of one flow does not keep the others waiting, and within a flow by age. All threads of a server take from
/// the same.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// The flow whose turn it is first.
    flows: VecDeque<(EcoString, VecDeque<ReadyRun>)>,
    /// When they were looked up.
    looked: Option<Instant>,
}

impl Backlog {
    /// Whether new runs are to be looked up: none are left, or others may have come since.
    pub fn is_stale(&self) -> bool {
        self.flows.is_empty() || self.looked.is_none_or(|looked| looked.elapsed() >= LOOK)
    }

    /// What was looked up, the oldest first. Flows that had their turn before those that come new keep behind them.
    pub fn put(&mut self, runs: Vec<RunRecord>) {
        let turns: Vec<EcoString> = std::mem::take(&mut self.flows).into_iter().map(|(flow, _)| flow).collect();
        for run in runs {
            let ready = ReadyRun { run: run.id, flow: run.flow, version: run.version };
            match self.flows.iter_mut().find(|(flow, _)| *flow == ready.flow) {
                Some((_, runs)) => runs.push_back(ready),
                None => self.flows.push_back((ready.flow.clone(), VecDeque::from([ready]))),
            }
        }
        let turn = |flow: &EcoString| turns.iter().position(|other| other == flow).map_or(0, |at| at + 1);
        self.flows.make_contiguous().sort_by_key(|(flow, _)| turn(flow));
        self.looked = Some(Instant::now());
    }

    /// At most so many, from each flow in turn; none that is in one of these sets. Those of one version stand together, so that
    /// they share its code.
    pub fn take(&mut self, most: usize, taken: &[&HashSet<i64>]) -> Vec<ReadyRun> {
        let is_free = |run: &RunId| taken.iter().all(|set| !set.contains(&run.0));
        let mut runs: Vec<ReadyRun> = Vec::new();
        while runs.len() < most
            && let Some((flow, mut waiting)) = self.flows.pop_front()
        {
            runs.extend(std::iter::from_fn(|| waiting.pop_front()).find(|run| is_free(&run.run)));
            if !waiting.is_empty() {
                self.flows.push_back((flow, waiting));
            }
        }
        let mut versions: Vec<EcoString> = Vec::new();
        for run in &runs {
            if !versions.contains(&run.version) {
                versions.push(run.version.clone());
            }
        }
        runs.sort_by_key(|run| versions.iter().position(|version| *version == run.version));
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::RunState;

    fn new(id: i64, flow: &str, version: &str) -> RunRecord {
        RunRecord {
            id: RunId(id),
            parent: None,
            starter: EcoString::new(),
            flow: flow.into(),
            key: None,
            version: version.into(),
            arguments: Vec::new(),
            fingerprint: [0; 16],
            state: RunState::Running,
            outcome: Vec::new(),
            started: crate::value::Instant::EPOCH,
            ended: None,
        }
    }

    fn numbers(runs: Vec<ReadyRun>) -> Vec<i64> {
        runs.iter().map(|run| run.run.0).collect()
    }

    #[test]
    fn neither_what_is_due_nor_what_is_new_waits_for_the_other() {
        assert_eq!([(500, 4), (3, 4), (1, 4), (0, 4)].map(|(due, most)| places(due, most)), [2, 2, 3, 4]);
    }

    #[test]
    fn many_runs_of_one_flow_do_not_keep_one_of_another_waiting() {
        let mut backlog = Backlog::default();
        assert!(backlog.is_stale());
        let mut runs: Vec<RunRecord> = (0..10_000).map(|id| new(id, "many", "v")).collect();
        runs.extend([new(10_000, "one", "v"), new(10_001, "two", "v"), new(10_002, "two", "v")]);
        backlog.put(runs);
        assert_eq!(numbers(backlog.take(4, &[])), [0, 10_000, 10_001, 1]);
        assert_eq!(numbers(backlog.take(3, &[&HashSet::from([2, 3, 5])])), [10_002, 4, 6]);
        assert!(!backlog.is_stale());
        // Whose turn it was stays so when they are looked up anew; those who come new are first.
        backlog.put(vec![new(7, "many", "v"), new(8, "many", "v"), new(10_003, "late", "v")]);
        assert_eq!(numbers(backlog.take(2, &[])), [10_003, 7]);
        assert_eq!(numbers(backlog.take(2, &[])), [8]);
        assert!(backlog.is_stale());
    }

    #[test]
    fn runs_of_one_version_stand_together() {
        let mut backlog = Backlog::default();
        backlog.put(vec![new(1, "a", "v"), new(2, "b", "w"), new(3, "a", "v"), new(4, "b", "w")]);
        assert_eq!(numbers(backlog.take(9, &[])), [1, 3, 2, 4]);
    }
}
