//! A step: the unit of journal, retry and undo.

use super::Broken;
use super::child::decode_child;
use super::engine::{Ended, Engine, Go};
use super::failure::RunFailure;
use super::park::Parked;
use super::replay::Deed;
use super::retry;
use super::run::{Finished, Run};
use super::wait;
use super::worker::StepPlace;
use crate::check::program::Effect;
use crate::compile::flow::{StepAction, StepCode};
use crate::task::{CallsMade, Interrupted, Leaves};
use crate::text::Span;
use crate::value::{Duration, Instant, Value, encode};
use crate::vm::Failure;
use crate::world::{Change, ChangeKind, EntryKind, QuestionState, RunId, UnderWay};

/// Why something has no value.
#[derive(Debug)]
pub(super) enum Halt {
    /// It has failed.
    Fail(RunFailure),
    /// Not yet: it waits.
    Park(Box<Parked>),
    /// The run as a whole ends here.
    End(RunFailure),
}

impl Halt {
    /// Where the walk goes on.
    pub fn go(self) -> Go {
        match self {
            Halt::Fail(failure) => Go::Fail(failure),
            Halt::Park(parked) => Go::Park(parked),
            Halt::End(failure) => Go::End(Ended::Failed(failure)),
        }
    }
}

/// A step that has begun and not ended.
#[derive(Debug, Default)]
pub(super) struct OpenStep {
    /// How often it has failed.
    pub tries: u32,
    /// The run that it has begun.
    pub child: Option<RunId>,
    /// What it waits for.
    pub wait: Option<wait::Begun>,
    /// The end of the pause before the next try, and how long that is.
    pub again: Option<(Instant, Duration)>,
    /// What it has left to another thread.
    pub left: Option<Left>,
}

/// A step that has left a part of its work to another thread.
#[derive(Debug)]
pub(super) enum Left {
    /// A document, in a step that began then.
    Document(Instant),
    /// A call, and for how long the step had been at work before it.
    Call(Box<Interrupted>, Duration),
}

impl OpenStep {
    /// Whether nothing is known of what it has done so far.
    fn has_only_begun(&self) -> bool {
        let OpenStep { tries, child, wait, again, left } = self;
        *tries == 0 && child.is_none() && wait.is_none() && again.is_none() && left.is_none()
    }

    /// The call of it that is under way, or has come to its end meanwhile.
    pub fn call(&self) -> Option<&UnderWay> {
        match &self.left {
            Some(Left::Call(before, _)) => Some(before.under_way()),
            _ => None,
        }
    }
}

/// How many bytes of a value the journal keeps for people alone, when nothing in the flow reads it.
const MOST_UNREAD: usize = 120;

/// What a try of a step came to.
struct Tried {
    result: Result<Value, Halt>,
    changes: Vec<Change>,
    took: u32,
    /// How long a system asks to be left alone before the next try.
    pause: Option<Duration>,
}

impl Engine<'_> {
    /// Does a step, or takes its end from the journal.
    pub(super) fn step(&mut self, run: &mut Run, index: u32) -> Result<Go, Broken> {
        let code = self.code;
        let Some(step) = code.flows.get(run.flow).and_then(|flow| flow.steps.get(index as usize)) else {
            return Err(Broken::Journal { run: run.id, reason: format!("there is no step {index}") });
        };
        let path = run.path();
        let mut open = match run.open.is_empty() {
            true => OpenStep::default(),
            false => run.open.remove(&(index, path.clone())).unwrap_or_default(),
        };
        while let Some(entry) = run.replay.take(Deed::Step, index, &path) {
            let is_new = self.tell_entry(run, &entry);
            match entry.kind {
                EntryKind::StepDone => {
                    let value = match entry.payload.as_slice() {
                        [] => Value::None,
                        bytes => self.kept(run.id, bytes)?,
                    };
                    if let (StepAction::Start(..), Value::Int(started)) = (&step.body, &value) {
                        self.started.push_back(RunId(*started));
                    }
                    self.step_done(run, step, index, path, value);
                    return Ok(Go::On);
                }
                EntryKind::StepFailed => {
                    let unreadable = || Broken::Journal { run: run.id, reason: "a failure can't be read".to_string() };
                    let (failure, pause) =
                        retry::decode_failed(&self.kept(run.id, &entry.payload)?).ok_or_else(unreadable)?;
                    open = OpenStep { tries: open.tries + 1, ..OpenStep::default() };
                    match pause {
                        None => return self.handle(run, step, failure, is_new),
                        Some(pause) => open.again = entry.at.plus(pause).ok().map(|again| (again, pause)),
                    }
                }
                EntryKind::WaitBegan => open.wait = wait::Begun::decode(&entry),
                _ => open.child = decode_child(&entry.payload),
            }
        }
        // A step that runs a flow looks first whether that run has ended.
        // What a call has done must not be lost.
        if !matches!(step.body, StepAction::Run(..)) && open.call().is_none() && self.is_at_edge(run) {
            let halt = self.edge(run, step.span, Some(&open))?;
            return Ok(self.leave_open(run, (index, path), open, halt));
        }
        let now = self.world().clock.now();
        // No pause is left of which there is more than it was long: the clock was set back.
        if let Some((again, pause)) = open.again
            && again > now
            && again.since(now) <= pause
        {
            let halt = Halt::Park(Box::new(Parked::until(again, format!("{}: the next try, at {again}", step.name))));
            return Ok(self.leave_open(run, (index, path), open, halt));
        }
        open.again = None;
        let others = self.has_others(run);
        // Who comes to it for another reason has others to go on with all the same.
        if others && let Some(call) = open.call().filter(|call| !call.is_over()) {
            let halt = Halt::Park(Box::new(Parked::elsewhere(&step.name, Some(call))));
            return Ok(self.leave_open(run, (index, path), open, halt));
        }
        let tried = self.try_step(run, step, index, &path, &mut open, others)?;
        let (failure, tried) = match self.step_ended(run, step, index, &path, tried)? {
            None => {
                self.group.close_when_due(self.worker.world())?;
                return Ok(Go::On);
            }
            Some((Halt::Fail(failure), tried)) => (failure, tried),
            Some((halt, _)) => return Ok(self.leave_open(run, (index, path), open, halt)),
        };
        let tries = open.tries + 1;
        let pause = self.pause_before_next_try(run, step, tries, &failure)?;
        let pause = pause.map(|pause| tried.pause.map_or(pause, |asked| asked.max(pause)));
        let payload = retry::encode_failed(&failure, pause);
        self.append(run, EntryKind::StepFailed, index, &path, payload, calls_of(tried.changes), tried.took)?;
        let Some(pause) = pause else {
            self.group.close_when_due(self.worker.world())?;
            return self.handle(run, step, failure, true);
        };
        self.observer.retrying(&step.name, &failure, pause);
        let again = self.world().clock.now().plus(pause).unwrap_or(Instant::EPOCH);
        let open = OpenStep { tries, again: Some((again, pause)), ..OpenStep::default() };
        let halt = Halt::Park(Box::new(Parked::until(again, format!("{}: the next try, at {again}", step.name))));
        Ok(self.leave_open(run, (index, path), open, halt))
    }

    /// Takes the end of a try into the journal, when it has a value; otherwise says why it has none.
    fn step_ended(
        &mut self,
        run: &mut Run,
        step: &StepCode,
        index: u32,
        path: &[u32],
        mut tried: Tried,
    ) -> Result<Option<(Halt, Tried)>, Broken> {
        let value = match std::mem::replace(&mut tried.result, Ok(Value::None)) {
            Ok(value) => value,
            Err(halt) => return Ok(Some((halt, tried))),
        };
        let mut payload = Vec::new();
        if step.slot.is_some() && encode(&value, &mut payload).is_err() {
            return Ok(Some((Halt::Fail(unreachable_value(self, step)), tried)));
        }
        if !step.is_read && payload.len() > MOST_UNREAD {
            payload.clear();
        }
        self.append(run, EntryKind::StepDone, index, path, payload, tried.changes, tried.took)?;
        self.step_done(run, step, index, path.to_vec(), value);
        Ok(None)
    }

    /// Brings a step to its end of which a call is under way, in an item or run that is given up: what was done in the
    /// other system must not be left unknown. An item that `has_only_met` what it did before its process ended may have had
    /// a call under way then: it is made again, under the same key. With a value it is a finished step, and undone with the others; a
    /// failure is the last one, whatever `retry` says, and no handler is asked.
    pub(super) fn settle_step(
        &mut self,
        run: &mut Run,
        index: u32,
        path: &[u32],
        has_only_met: bool,
    ) -> Result<(), Broken> {
        let code = self.code;
        let Some(step) = code.flows.get(run.flow).and_then(|flow| flow.steps.get(index as usize)) else {
            return Ok(());
        };
        let at = (index, path.to_vec());
        let is_chunk_of_calls = step.effect >= Effect::Calls && matches!(step.body, StepAction::Chunk(_));
        let is_to_settle =
            |open: &OpenStep| open.call().is_some() || (has_only_met && is_chunk_of_calls && open.has_only_begun());
        if !run.open.get(&at).is_some_and(is_to_settle) {
            return Ok(());
        }
        let mut open = run.open.remove(&at).unwrap_or_default();
        let tried = self.try_step(run, step, index, path, &mut open, false)?;
        if let Some((Halt::Fail(failure), tried)) = self.step_ended(run, step, index, path, tried)? {
            let payload = retry::encode_failed(&failure, None);
            self.append(run, EntryKind::StepFailed, index, path, payload, calls_of(tried.changes), tried.took)?;
        }
        Ok(())
    }

    /// Leaves a step that goes on later.
    fn leave_open(&mut self, run: &mut Run, at: (u32, Vec<u32>), open: OpenStep, halt: Halt) -> Go {
        if let Halt::Park(_) = halt {
            run.open.insert(at, open);
        }
        halt.go()
    }

    /// Whether a run must not do anything new here.
    pub(super) fn is_at_edge(&mut self, run: &mut Run) -> bool {
        self.is_ending(run) || self.waits_for_others(run)
    }

    /// Whether a run is ended from outside.
    pub(super) fn is_ending(&mut self, run: &Run) -> bool {
        run.ending.is_some() || run.deadline.is_some_and(|(until, _)| until <= self.world().clock.now())
    }

    /// Whether other parts of a run first meet again what they did. A step that was undone, in an item that has done more
    /// since, waits for nobody: what comes behind it can't be met before.
    fn waits_for_others(&mut self, run: &mut Run) -> bool {
        if !run.is_side_by_side() {
            return false;
        }
        run.held_back > 0
            || (!run.replay.is_over() && (self.is_ending(run) || !run.replay.knows_more_behind(&run.path())))
    }

    /// Why not.
    pub(super) fn edge(&mut self, run: &mut Run, span: Span, open: Option<&OpenStep>) -> Result<Halt, Broken> {
        if self.waits_for_others(run) {
            let mut parked = Parked::replaying();
            if let Some(open) = open {
                parked.runs.extend(open.child);
                parked.questions.extend(open.wait.as_ref().and_then(|wait| wait.question));
            }
            return Ok(Halt::Park(Box::new(parked)));
        }
        let ending = self.ending(run, span)?;
        if let Some(question) = open.and_then(|open| open.wait.as_ref()?.question) {
            self.group.open(self.worker.world())?;
            self.world().store.close_question(question, QuestionState::Withdrawn, None)?;
        }
        Ok(Halt::End(ending))
    }

    /// What ends a run from outside.
    pub(super) fn ending(&mut self, run: &mut Run, span: Span) -> Result<RunFailure, Broken> {
        if let Some(ending) = &run.ending {
            return Ok(ending.clone());
        }
        let length = run.deadline.map_or(Duration::ZERO, |(_, length)| length);
        let failure = self.language_failure("timed_out", vec![Value::Duration(length)], span);
        let failure = failure.through("the deadline of the flow", span);
        self.append(run, EntryKind::Ending, u32::MAX, &[], failure.encode(), Vec::new(), 0)?;
        run.ending = Some(failure.clone());
        Ok(failure)
    }

    /// One try. Whatever it wrote is gone when it fails. `others` can go on while another thread does a part of it.
    fn try_step(
        &mut self,
        run: &mut Run,
        step: &StepCode,
        index: u32,
        path: &[u32],
        open: &mut OpenStep,
        others: bool,
    ) -> Result<Tried, Broken> {
        let left = open.left.take();
        let is_again = left.is_some();
        if open.wait.is_none() && open.child.is_none() && !is_again {
            self.work += 1;
            self.account.steps += 1;
        }
        let began = match left {
            Some(Left::Document(began)) => began,
            Some(Left::Call(before, worked)) => self.goes_on(*before, worked)?,
            None => self.world().clock.now(),
        };
        let mut changes = Vec::new();
        let mut pause = None;
        let result = match &step.body {
            StepAction::Chunk(chunk) => {
                if step.effect >= Effect::Calls {
                    // What a call outside builds on must not be lost after it.
                    self.group.close(self.worker.world())?;
                }
                // Only calls can be cut short.
                let until = match step.effect >= Effect::Calls {
                    true => self.time_of(run, step, began)?,
                    false => None,
                };
                let guarded = step.effect > Effect::Reads;
                let leaves = match step.effect >= Effect::Calls {
                    _ if !others => Leaves::Nothing,
                    true => Leaves::Calls,
                    // What others do meanwhile must not count for a step that has its time.
                    false if is_again || step.timeout.is_some() => Leaves::Nothing,
                    false => Leaves::Documents,
                };
                let world = self.worker.world();
                self.group.open(world)?;
                if guarded {
                    world.store.savepoint()?;
                }
                let round = run.round(path);
                let place = StepPlace { run: run.id, step: &step.name, path, undo: false, leaves, round, until };
                let result = self.worker.act(*chunk, &mut run.frame, place);
                if result.as_ref().is_err_and(Failure::is_elsewhere) {
                    if guarded {
                        self.worker.world().store.rollback_savepoint()?;
                    }
                    // Whatever it has told it tells again, or it is kept with its call.
                    drop((self.worker.take_changes(), self.worker.take_decisions(), self.worker.take_starts()));
                    let call = self.worker.take_interrupted();
                    let parked = Parked::elsewhere(&step.name, call.as_ref().map(Interrupted::under_way));
                    open.left = Some(match call {
                        Some(call) => Left::Call(Box::new(call), self.world().clock.now().since(began)),
                        None => Left::Document(began),
                    });
                    let result = Err(Halt::Park(Box::new(parked)));
                    return Ok(Tried { result, changes, took: 0, pause });
                }
                changes = self.worker.take_changes();
                self.tell_decisions(run.id);
                let starts = self.worker.take_starts();
                let calls = self.worker.take_calls();
                let result = match result {
                    Ok(value) => match self.too_late(run, step, began)? {
                        None => self.start_all(run, starts, index)?.map(|()| value),
                        Some(failure) => Err(failure),
                    },
                    Err(failure) => Err(self.failure(failure)?),
                };
                if guarded {
                    let store = &mut self.worker.world().store;
                    if result.is_ok() { store.release()? } else { store.rollback_savepoint()? }
                }
                self.settle_systems(&calls)?;
                pause = calls.pause;
                result.map_err(Halt::Fail)
            }
            StepAction::Run(flow, arguments) => {
                // A run that has begun keeps what it was given.
                let given = match open.child {
                    Some(_) => Ok(Value::None),
                    None => self.look(run, (&step.name, path), *arguments)?,
                };
                match given {
                    Ok(given) => self.run_child_at(run, *flow as usize, given, index, open, step.timeout, step.span)?,
                    // What ends the run from outside counts for more than what it would have met.
                    Err(_) if self.is_at_edge(run) => Err(self.edge(run, step.span, Some(&*open))?),
                    Err(failure) => Err(Halt::Fail(failure)),
                }
            }
            StepAction::Start(flow, arguments) => match self.look(run, (&step.name, path), *arguments)? {
                Ok(arguments) => self.start_child(run, *flow as usize, arguments, index, step.span)?,
                Err(failure) => Err(Halt::Fail(failure)),
            },
            StepAction::Wait(wait) => self.wait(run, step, (index, path), wait, &mut open.wait, &mut changes)?,
        };
        let took = self.world().clock.now().since(began).milliseconds().max(0);
        Ok(Tried { result, changes, took: u32::try_from(took.saturating_mul(1000)).unwrap_or(u32::MAX), pause })
    }

    /// Goes on with a step whose call another thread makes; waits for the call if nothing has come yet. Gives when the
    /// step would have begun if others had not been at work since the answer came: only its own time counts for it.
    fn goes_on(&mut self, before: Interrupted, worked: Duration) -> Result<Instant, Broken> {
        let call = before.under_way().clone();
        if !call.is_over() {
            self.wait_for_calls(std::slice::from_ref(&call), None)?;
        }
        let took = call.came().map_or(Duration::ZERO, |came| came.took);
        self.worker.goes_on(before);
        let now = self.world().clock.now();
        let own = worked.plus(took).unwrap_or(worked);
        Ok(now.minus(own).unwrap_or(now))
    }

    /// Until when a step that begins now must have ended, and how long that is.
    fn time_of(
        &mut self,
        run: &mut Run,
        step: &StepCode,
        began: Instant,
    ) -> Result<Option<(Instant, Duration)>, Broken> {
        let Some(chunk) = step.timeout else { return Ok(None) };
        Ok(match self.evaluate(run, chunk)? {
            Ok(Value::Duration(limit)) => began.plus(limit).ok().map(|until| (until, limit)),
            _ => None,
        })
    }

    /// Notes which systems have worked and which have not, for everybody on the store. Outside of the savepoint of the
    /// step: what was seen of a system stays seen.
    pub(super) fn settle_systems(&mut self, calls: &CallsMade) -> Result<(), Broken> {
        let world = self.worker.world();
        for seen in &calls.systems {
            let breaker = world.settings.calls.breaker(&seen.system);
            let mut state = world.store.system(&seen.system)?;
            let before = state.clone();
            match seen.worked {
                true => state.succeeded(),
                false => {
                    state.failed(seen.at, &breaker);
                }
            }
            if state != before {
                world.store.set_system(&seen.system, &state)?;
            }
        }
        Ok(())
    }

    /// The failure of a step that has taken longer than its `timeout`.
    fn too_late(&mut self, run: &mut Run, step: &StepCode, began: Instant) -> Result<Option<RunFailure>, Broken> {
        let Some(chunk) = step.timeout else { return Ok(None) };
        let took = self.world().clock.now().since(began);
        Ok(match self.evaluate(run, chunk)? {
            Ok(Value::Duration(limit)) if took > limit => {
                Some(self.language_failure("timed_out", vec![Value::Duration(limit)], step.span))
            }
            Ok(_) => None,
            Err(failure) => Some(failure),
        })
    }

    /// Takes note of a finished step.
    fn step_done(&mut self, run: &mut Run, step: &StepCode, index: u32, path: Vec<u32>, value: Value) {
        if let Some(slot) = step.slot {
            run.set(slot, value);
        }
        if step.undo.is_some() {
            run.finished.push(Finished { step: index, path, frame: run.frame.clone() });
        }
    }

    /// Where a step's failure goes: to the handler that names it, or up.
    fn handle(&mut self, run: &mut Run, step: &StepCode, failure: RunFailure, is_new: bool) -> Result<Go, Broken> {
        Ok(match step.handlers.iter().find(|handler| handler.error == failure.failure.error) {
            Some(handler) => {
                self.account.handled += u64::from(is_new);
                if let Some(slot) = handler.slot {
                    run.set(slot, failure.value());
                }
                self.leave(run, usize::from(handler.leave))?;
                run.jumps(handler.target);
                Go::To(handler.target)
            }
            None => Go::Fail(failure),
        })
    }

    /// A failure that every script knows, found by the engine.
    pub(super) fn language_failure(&self, error: &str, fields: Vec<Value>, span: Span) -> RunFailure {
        RunFailure::of_language(self.code, &self.names, error, fields, span)
    }
}

/// What of a failed try can't be taken back: the calls that it has made.
pub(super) fn calls_of(mut changes: Vec<Change>) -> Vec<Change> {
    changes.retain(|change| change.kind == ChangeKind::Called);
    changes
}

/// The failure of a step whose value the journal can't keep.
fn unreachable_value(engine: &Engine<'_>, step: &StepCode) -> RunFailure {
    engine.limit("lists and records nested too deep for the journal", step.span)
}
