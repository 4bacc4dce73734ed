//! Runs that wait and questions to people, in the store in memory.

use super::memory_store::{MemoryStore, field_of};
use super::{
    Answer, InboxFilter, Question, QuestionState, ReadyRun, RunId, RunRecord, RunState, StoreError, Wait, WaitKind,
    Waiting, Watch,
};
use crate::value::{Instant, RecordId, Value};
use ecow::EcoString;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

type Result<T> = std::result::Result<T, StoreError>;

/// What waits.
#[derive(Debug, Clone, Default)]
pub(super) struct Waits {
    waits: Arc<BTreeMap<i64, Wait>>,
    watches: Vec<(i64, Watch)>,
    joins: BTreeSet<(i64, i64)>,
    /// How many places a slot has, by slot and run.
    slots: BTreeMap<(EcoString, i64), u64>,
    inbox: Arc<Vec<Question>>,
}

impl MemoryStore {
    fn set_state(&mut self, run: RunId, from: &[RunState], to: RunState) -> bool {
        let runs = Arc::make_mut(&mut self.now.runs);
        match runs.iter_mut().find(|record| record.id == run && from.contains(&record.state)) {
            Some(record) => {
                record.state = to;
                true
            }
            None => false,
        }
    }

    fn record_of(&self, run: RunId) -> Option<&RunRecord> {
        self.now.runs.iter().find(|record| record.id == run)
    }

    /// Wakes the runs that watch for a record that was just written.
    pub(super) fn wake_watching(&mut self, entity: RecordId, record: &Value) {
        let fits = |watch: &Watch| {
            watch.entity == entity
                && watch.with.as_ref().is_none_or(|(field, value)| match Watch::key(value) {
                    Some(key) => Watch::key(&field_of(record, *field)) == Some(key),
                    None => true,
                })
        };
        let woken: Vec<i64> =
            self.now.waiting.watches.iter().filter(|(_, watch)| fits(watch)).map(|(run, _)| *run).collect();
        if woken.is_empty() {
            return;
        }
        self.now.waiting.watches.retain(|(_, watch)| !fits(watch));
        let waits = Arc::make_mut(&mut self.now.waiting.waits);
        for run in woken {
            if let Some(wait) = waits.get_mut(&run) {
                wait.wake = Some(Instant::EPOCH.min(wait.wake.unwrap_or(Instant::EPOCH)));
            }
        }
    }
}

impl Waiting for MemoryStore {
    fn watch(&mut self, run: RunId, watches: &[Watch]) -> Result<()> {
        for watch in watches {
            if !self.now.waiting.watches.contains(&(run.0, watch.clone())) {
                self.now.waiting.watches.push((run.0, watch.clone()));
            }
        }
        Ok(())
    }

    fn park(&mut self, run: RunId, wait: &Wait) -> Result<()> {
        if !self.set_state(run, &[RunState::Running, RunState::Waiting], RunState::Waiting) {
            return Err(Self::failed("a run that has ended can't wait"));
        }
        Arc::make_mut(&mut self.now.waiting.waits).insert(run.0, wait.clone());
        let watched = self.now.waiting.watches.len();
        self.watch(run, &wait.watches)?;
        if self.now.waiting.watches.len() > watched {
            // What changes takes the watches of its record away.
            self.wake(run, Instant::EPOCH)?;
        }
        Ok(())
    }

    fn unpark(&mut self, run: RunId) -> Result<bool> {
        self.set_state(run, &[RunState::Waiting], RunState::Running);
        self.now.waiting.watches.retain(|(watching, _)| *watching != run.0);
        Ok(Arc::make_mut(&mut self.now.waiting.waits).remove(&run.0).is_some())
    }

    fn wait_of(&mut self, run: RunId) -> Result<Option<Wait>> {
        Ok(self.now.waiting.waits.get(&run.0).cloned())
    }

    fn wake(&mut self, run: RunId, at: Instant) -> Result<bool> {
        let waits = Arc::make_mut(&mut self.now.waiting.waits);
        Ok(waits.get_mut(&run.0).is_some_and(|wait| {
            wait.wake = Some(at.min(wait.wake.unwrap_or(at)));
            true
        }))
    }

    fn ready(&mut self, now: Instant, limit: usize) -> Result<Vec<ReadyRun>> {
        // Priority, then flow, then how long ago.
        let mut groups: BTreeMap<i64, BTreeMap<EcoString, Vec<(Instant, ReadyRun)>>> = BTreeMap::new();
        for (run, wait) in self.now.waiting.waits.iter() {
            let Some((wake, record)) = wait.wake.zip(self.record_of(RunId(*run))) else { continue };
            if wake <= now {
                let ready = ReadyRun { run: record.id, flow: record.flow.clone(), version: record.version.clone() };
                let flows = groups.entry(wait.priority).or_default();
                flows.entry(record.flow.clone()).or_default().push((wake, ready));
            }
        }
        let mut all = Vec::new();
        for flows in groups.into_values().rev() {
            let mut queues: Vec<VecDeque<_>> = Vec::new();
            for mut runs in flows.into_values() {
                runs.sort_by_key(|(wake, ready)| (*wake, ready.run));
                queues.push(runs.into());
            }
            while queues.iter().any(|queue| !queue.is_empty()) {
                all.extend(queues.iter_mut().filter_map(VecDeque::pop_front).map(|(_, ready)| ready));
            }
        }
        all.truncate(limit);
        Ok(all)
    }

    fn look_again(&mut self) -> Result<()> {
        let waits = Arc::make_mut(&mut self.now.waiting.waits);
        waits.values_mut().filter(|wait| wait.wake.is_some()).for_each(|wait| wait.wake = Some(Instant::EPOCH));
        Ok(())
    }

    fn next_wake(&mut self) -> Result<Option<Instant>> {
        Ok(self.now.waiting.waits.values().filter_map(|wait| wait.wake).min())
    }

    fn count_waiting(&mut self) -> Result<Vec<(WaitKind, u64)>> {
        let mut counts: BTreeMap<WaitKind, u64> = BTreeMap::new();
        self.now.waiting.waits.values().for_each(|wait| *counts.entry(wait.kind).or_default() += 1);
        Ok(counts.into_iter().collect())
    }

    fn join_run(&mut self, run: RunId, waiter: RunId) -> Result<()> {
        self.now.waiting.joins.insert((run.0, waiter.0));
        Ok(())
    }

    fn tell_end(&mut self, run: RunId, parent: Option<RunId>, now: Instant) -> Result<Vec<RunId>> {
        let joined: Vec<i64> =
            self.now.waiting.joins.range((run.0, i64::MIN)..=(run.0, i64::MAX)).map(|(_, waiter)| *waiter).collect();
        self.now.waiting.joins.retain(|(ended, _)| *ended != run.0);
        let mut ready = Vec::new();
        for waiter in joined.into_iter().chain(parent.map(|parent| parent.0)) {
            let waits = Arc::make_mut(&mut self.now.waiting.waits);
            if let Some(wait) = waits.get_mut(&waiter).filter(|wait| wait.runs > 0) {
                wait.runs -= 1;
                if wait.runs == 0 {
                    wait.wake = Some(now.min(wait.wake.unwrap_or(now)));
                    ready.push(RunId(waiter));
                }
            }
        }
        Ok(ready)
    }

    fn take_slot(&mut self, slot: &str, run: RunId, places: u64) -> Result<bool> {
        let slots = &mut self.now.waiting.slots;
        let key = (EcoString::from(slot), run.0);
        if slots.contains_key(&key) {
            return Ok(true);
        }
        let taken = slots.keys().filter(|(taken, _)| *taken == slot).count() as u64;
        if taken < places {
            slots.insert(key, places);
        }
        Ok(taken < places)
    }

    fn holds_slot(&mut self, slot: &str, run: RunId) -> Result<bool> {
        Ok(self.now.waiting.slots.contains_key(&(slot.into(), run.0)))
    }

    fn leave_slots(&mut self, run: RunId, now: Instant) -> Result<Vec<RunId>> {
        let held: Vec<_> = self
            .now
            .waiting
            .slots
            .iter()
            .filter(|((_, of), _)| *of == run.0)
            .map(|(key, most)| (key.clone(), *most))
            .collect();
        let mut woken = Vec::new();
        for (key, most) in held {
            self.now.waiting.slots.remove(&key);
            let waits = self.now.waiting.waits.iter().filter(|(run, wait)| {
                wait.slot.as_ref() == Some(&key.0) && !self.now.waiting.slots.contains_key(&(key.0.clone(), **run))
            });
            let next = waits.min_by_key(|(run, wait)| (std::cmp::Reverse(wait.priority), **run)).map(|(run, _)| *run);
            if let Some(next) = next
                && self.take_slot(&key.0, RunId(next), most)?
            {
                self.wake(RunId(next), now)?;
                woken.push(RunId(next));
            }
        }
        Ok(woken)
    }

    fn ask(&mut self, question: &Question) -> Result<i64> {
        let flow = self.record_of(question.run).map(|record| record.flow.clone()).unwrap_or_default();
        let inbox = Arc::make_mut(&mut self.now.waiting.inbox);
        let number = inbox.len() as i64 + 1;
        inbox.push(Question { number, flow, ..question.clone() });
        Ok(number)
    }

    fn questions(&mut self, filter: &InboxFilter) -> Result<Vec<Question>> {
        let wanted = |question: &&Question| {
            filter.role.as_ref().is_none_or(|role| question.role == role.as_str())
                && filter.run.is_none_or(|run| question.run == run)
                && filter.state.is_none_or(|state| question.state == state)
        };
        Ok(self.now.waiting.inbox.iter().filter(wanted).take(filter.limit).cloned().collect())
    }

    fn question(&mut self, number: i64) -> Result<Option<Question>> {
        Ok(self.now.waiting.inbox.iter().find(|question| question.number == number).cloned())
    }

    fn close_question(&mut self, number: i64, state: QuestionState, answer: Option<&Answer>) -> Result<bool> {
        let inbox = Arc::make_mut(&mut self.now.waiting.inbox);
        let open = |question: &&mut Question| question.number == number && question.state == QuestionState::Open;
        let Some(question) = inbox.iter_mut().find(open) else { return Ok(false) };
        (question.state, question.answer) = (state, answer.cloned());
        let run = question.run;
        if let Some(answer) = answer {
            self.wake(run, answer.at)?;
        }
        Ok(true)
    }
}
