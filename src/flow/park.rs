//! Parking: a run that can't go on is put into the store as a waiting one, and taken up again from its journal.
//!
//! What a run waits for may come while it is being parked, from another process or another run of this one. So
//! everything is looked at once more in the transaction that parks it; from then on whoever brings it wakes the run.

use super::Broken;
use super::engine::{Ended, Engine};
use super::failure::RunFailure;
use super::names::HIDDEN;
use super::run::Run;
use super::summary::Summary;
use crate::value::{Duration, EcoString, Instant, Value, display};
use crate::world::{EntryKind, QuestionState, RunId, RunState, UnderWay, Wait, WaitKind, Watch};

/// Why a run, or a part of it, can't go on now.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parked {
    /// What names it best.
    pub kind: WaitKind,
    /// What the run that it waits for waits for, in the end: a question is named before a moment.
    pub inner: WaitKind,
    /// In words.
    pub what: EcoString,
    /// Whether it waits for another thread of this process: then it stays in memory.
    pub is_elsewhere: bool,
    /// The calls of other systems that it waits for: it goes on when one of them has come to its end. When it waits for
    /// another thread and for no call, it is a document, which is waited for when it is asked for.
    pub calls: Vec<UnderWay>,
    /// How many things it waits for.
    pub things: u32,
    /// When it goes on by itself.
    pub wake: Option<Instant>,
    /// When it is worth looking again within this process.
    pub look: Option<Instant>,
    /// The runs that it waits for.
    pub runs: Vec<RunId>,
    /// How many of those must have ended before it is woken.
    pub enough: u32,
    /// The questions that it waits for.
    pub questions: Vec<i64>,
    /// The records that it waits for.
    pub watches: Vec<Watch>,
    /// The turn that it waits for.
    pub slot: Option<EcoString>,
}

impl Parked {
    /// A wait of this kind, for one thing.
    pub fn new(kind: WaitKind, what: impl Into<EcoString>) -> Parked {
        Parked {
            kind,
            inner: kind,
            what: what.into(),
            is_elsewhere: false,
            calls: Vec::new(),
            things: 1,
            wake: None,
            look: None,
            runs: Vec::new(),
            enough: 0,
            questions: Vec::new(),
            watches: Vec::new(),
            slot: None,
        }
    }

    /// A wait for a moment.
    pub fn until(moment: Instant, what: impl Into<EcoString>) -> Parked {
        Parked { wake: Some(moment), look: Some(moment), ..Parked::new(WaitKind::Time, what) }
    }

    /// Something that could go on, but not before the journal has told what it knows of the other parts.
    pub fn replaying() -> Parked {
        Parked { look: Some(Instant::EPOCH), ..Parked::new(WaitKind::Time, "the other parts of the run") }
    }

    /// A step that goes on when another thread has done a part of its work.
    pub fn elsewhere(step: &str, call: Option<&UnderWay>) -> Parked {
        let calls = call.cloned().into_iter().collect();
        Parked { is_elsewhere: true, calls, ..Parked::new(WaitKind::Time, format!("{step}: what another thread does")) }
    }

    /// Whether there is something to go on with of what another thread does.
    pub fn has_come(&self) -> bool {
        self.is_elsewhere && (self.calls.is_empty() || self.calls.iter().any(UnderWay::is_over))
    }

    /// Takes another wait in: what goes on first counts.
    pub fn add(&mut self, other: &Parked) {
        let weight = |kind: WaitKind| match kind {
            WaitKind::Person => 4,
            WaitKind::Record => 3,
            WaitKind::Run | WaitKind::Slot => 2,
            WaitKind::Time => 1,
        };
        if weight(other.inner) > weight(self.inner) {
            (self.kind, self.inner) = (other.kind, other.inner);
            self.what.clone_from(&other.what);
        }
        self.is_elsewhere |= other.is_elsewhere;
        self.calls.extend_from_slice(&other.calls);
        self.things = self.things.saturating_add(other.things);
        self.wake = self.wake.into_iter().chain(other.wake).min();
        self.look = self.look.into_iter().chain(other.look).min();
        self.runs.extend_from_slice(&other.runs);
        self.enough = self.enough.saturating_add(other.enough);
        self.questions.extend_from_slice(&other.questions);
        for watch in &other.watches {
            if !self.watches.contains(watch) {
                self.watches.push(watch.clone());
            }
        }
        if self.slot.is_none() {
            self.slot.clone_from(&other.slot);
        }
    }

    fn words(&self) -> EcoString {
        match self.things {
            0 | 1 => self.what.clone(),
            more => EcoString::from(format!("{}, and {} more", self.what, more - 1)),
        }
    }
}

impl Engine<'_> {
    /// How long the engine itself waits for something, if it does.
    pub(super) fn patience(&mut self, look: Option<Instant>) -> Option<Duration> {
        let look = look.filter(|_| self.hurried == 0)?;
        let rest = look.since(self.world().clock.now());
        (rest <= self.options.patience).then(|| rest.max(Duration::ZERO))
    }

    /// Waits for a moment; others get the store meanwhile.
    pub(super) fn pause(&mut self, rest: Duration) -> Result<(), Broken> {
        self.group.close(self.worker.world())?;
        if rest > Duration::ZERO {
            let began = self.world().clock.now();
            self.world().clock.sleep(rest);
            if self.world().clock.now().since(began) < rest {
                // Woken early: when the process is to end, the store says so.
                self.group.open(self.worker.world())?;
            }
        }
        Ok(())
    }

    /// Puts a run into the store as a waiting one.
    pub(super) fn park(&mut self, run: &mut Run, parked: &Parked) -> Result<Wait, Broken> {
        let flow = self.code.flows.get(run.flow);
        let priority = match flow.and_then(|flow| flow.priority) {
            Some(chunk) => self.evaluate(run, chunk)?.ok().and_then(|value| value.as_int()).unwrap_or(0),
            None => 0,
        };
        self.group.open(self.worker.world())?;
        let now = self.world().clock.now();
        let mut wait = Wait {
            kind: parked.kind,
            what: parked.words(),
            wake: parked.wake.into_iter().chain(run.deadline.map(|(until, _)| until)).min(),
            priority,
            runs: parked.enough,
            slot: parked.slot.clone(),
            watches: parked.watches.clone(),
        };
        let store = &mut self.worker.world().store;
        for other in &parked.runs {
            let Some(record) = store.run(*other)? else { continue };
            if record.state.is_over() {
                wait.runs = wait.runs.saturating_sub(1);
            } else if record.parent != Some(run.id) {
                store.join_run(*other, run.id)?;
            }
        }
        let mut came = parked.enough > 0 && wait.runs == 0;
        for question in &parked.questions {
            came |= store.question(*question)?.is_none_or(|question| question.state != QuestionState::Open);
        }
        if came {
            wait.wake = wait.wake.into_iter().chain(Some(now)).min();
        }
        store.park(run.id, &wait)?;
        self.account.told.insert(run.id, std::mem::take(&mut run.told).parked(run.position));
        self.group.count();
        self.parked.insert(run.id);
        if came {
            self.soon.insert((now, run.id));
        } else if let Some(look) = parked.look {
            self.soon.insert((look, run.id));
        }
        if !wait.watches.is_empty() {
            self.watching.insert(run.id);
        }
        self.group.close_when_due(self.worker.world())?;
        Ok(wait)
    }

    /// Takes up a run that waits, or was left by its process; none when it has ended.
    pub(super) fn take_up(&mut self, id: RunId) -> Result<Option<Run>, Broken> {
        // What is in memory of it is in the journal too.
        self.left.remove(&id);
        // From here on nobody else can take it up.
        self.group.open(self.worker.world())?;
        match self.world().store.run(id)?.map(|record| record.state) {
            Some(RunState::Running) => {}
            Some(RunState::Waiting) => {
                self.world().store.unpark(id)?;
            }
            _ => return Ok(None),
        }
        self.reload(id).map(Some)
    }

    /// Does what was started and not waited for, and goes on with the runs that this engine has parked, as far as
    /// it has patience. Gives how the run at the top has ended, if it did so meanwhile.
    pub(super) fn go_on(&mut self, top: RunId) -> Result<Option<Ended>, Broken> {
        let mut ended_top = None;
        loop {
            let now = self.world().clock.now();
            let next = match self.started.pop_front() {
                Some(started) => Some(started),
                None => match self.soon.first().copied() {
                    Some((at, run)) if at <= now => {
                        self.soon.remove(&(at, run));
                        Some(run)
                    }
                    _ => self.woken()?,
                },
            };
            if let Some(run) = next {
                let state = self.world().store.run(run)?.map(|record| record.state);
                let is_due = match state {
                    Some(RunState::Running) => true,
                    Some(RunState::Waiting) => {
                        let wake = self.world().store.wait_of(run)?.and_then(|wait| wait.wake);
                        wake.is_some_and(|wake| wake <= now)
                    }
                    _ => false,
                };
                if is_due && let Some(mut run) = self.take_up(run)? {
                    // Others may be waiting for their turn, so it does not keep them up.
                    let alone = self.started.is_empty() && self.soon.is_empty();
                    self.hurried += u32::from(!alone);
                    let ended = self.execute(&mut run);
                    self.hurried -= u32::from(!alone);
                    if run.id == top {
                        ended_top = Some(ended?);
                    } else {
                        ended?;
                    }
                }
                continue;
            }
            let look = self.soon.first().map(|(at, _)| *at);
            match self.patience(look) {
                Some(rest) => self.pause(rest)?,
                None => return Ok(ended_top),
            }
        }
    }

    /// A run that this engine has parked, and that a changed record has woken since.
    fn woken(&mut self) -> Result<Option<RunId>, Broken> {
        let now = self.world().clock.now();
        for run in self.watching.iter().copied().collect::<Vec<_>>() {
            let wait = self.world().store.wait_of(run)?;
            if wait.as_ref().is_none_or(|wait| wait.wake.is_some_and(|wake| wake <= now)) {
                self.watching.remove(&run);
                if wait.is_some() {
                    return Ok(Some(run));
                }
            }
        }
        Ok(None)
    }

    /// Tells who waits for a run that it has ended, and gives its turn to the next.
    pub(super) fn tell_end(&mut self, run: &Run, now: Instant) -> Result<(), Broken> {
        let limited = self.code.flows.get(run.flow).is_some_and(|flow| flow.at_most.is_some());
        let parent = run.parent.filter(|parent| !self.active.contains(parent));
        let store = &mut self.worker.world().store;
        let mut ready = if limited { store.leave_slots(run.id, now)? } else { Vec::new() };
        if parent.is_some() || run.is_known {
            ready.extend(store.tell_end(run.id, parent, now)?);
        }
        for run in ready {
            if self.parked.contains(&run) {
                self.soon.insert((now, run));
            }
        }
        Ok(())
    }

    /// Sees to it that no more runs of the flow are at work at once than it allows. Gives what the run waits for
    /// when it is not its turn.
    pub(super) fn take_turn(&mut self, run: &mut Run) -> Result<Result<Option<Parked>, RunFailure>, Broken> {
        let Some(flow) = self.code.flows.get(run.flow) else { return Ok(Ok(None)) };
        let Some((count, of)) = flow.at_most else { return Ok(Ok(None)) };
        let places = match self.evaluate(run, count)? {
            Ok(Value::Int(places)) if places > 0 => places.unsigned_abs(),
            Ok(other) => {
                let reason = format!("`at most {} at once` lets no run begin", display(&other, &self.names));
                return Ok(Err(self.language_failure("bad_value", vec![Value::from(reason)], flow.span)));
            }
            Err(failure) => return Ok(Err(failure)),
        };
        let mut slot = flow.name.clone();
        if let Some(of) = of {
            match self.evaluate(run, of)? {
                Ok(value) => {
                    slot.push(' ');
                    slot.push_str(&display(&value, &self.names));
                }
                Err(failure) => return Ok(Err(failure)),
            }
        }
        self.group.open(self.worker.world())?;
        let store = &mut self.worker.world().store;
        // A run that one of them waits for goes on in the place of that one.
        let mut above = run.parent;
        for _ in 0..super::engine::MAX_NESTED_RUNS {
            let Some(parent) = above else { break };
            if store.holds_slot(&slot, parent)? {
                return Ok(Ok(None));
            }
            above = store.run(parent)?.and_then(|record| record.parent);
        }
        if store.take_slot(&slot, run.id, places)? {
            return Ok(Ok(None));
        }
        // What is counted by may be personal, and what a run waits for is shown to everybody.
        let shown = match self.code.flows.get(run.flow) {
            Some(flow) if flow.hidden.turn => EcoString::from(format!("{} {HIDDEN}", flow.name)),
            _ => slot.clone(),
        };
        let what = format!("its turn: at most {places} at once of {shown}");
        Ok(Ok(Some(Parked { slot: Some(slot), ..Parked::new(WaitKind::Slot, what) })))
    }

    /// Ends a run from outside: notes why, and walks it to where it stands, to know what is to be undone.
    pub(super) fn end_from_outside(&mut self, run: &mut Run, failure: RunFailure) -> Result<Ended, Broken> {
        if run.ending.is_none() {
            self.append(run, EntryKind::Ending, u32::MAX, &[], failure.encode(), Vec::new(), 0)?;
            run.ending = Some(failure);
        }
        self.execute(run)
    }

    /// Cancels a run that waits or was left; one that has ended stays as it is.
    pub(super) fn cancel_run(&mut self, id: RunId, reason: &str) -> Result<Option<(Run, Ended)>, Broken> {
        self.settle_left(id)?;
        let Some(mut run) = self.take_up(id)? else { return Ok(None) };
        let span = self.code.flows.get(run.flow).map_or_else(Default::default, |flow| flow.span);
        let failure = self.language_failure("cancelled", vec![Value::from(reason)], span);
        let ended = self.end_from_outside(&mut run, failure)?;
        Ok(Some((run, ended)))
    }

    /// The work of [`Engine::cancel`].
    pub(super) fn cancel_top(&mut self, id: RunId, by: &str, why: &str) -> Result<Summary, Broken> {
        let began = self.world().clock.now();
        self.account.began = Some(began);
        self.account.top = Some(id);
        self.group.open(self.worker.world())?;
        let reason = if why.is_empty() { format!("by {by}") } else { format!("by {by}: {why}") };
        match self.cancel_run(id, &reason)? {
            Some((run, ended)) => self.close_top(run, ended, began),
            None => Err(Broken::Journal { run: id, reason: "it has ended, so it can't be cancelled".to_string() }),
        }
    }
}
