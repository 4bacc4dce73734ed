//! Runs of runs, and keys: the key names the thing that a run works on, and a second start with the same key
//! is the same run.

use super::Broken;
use super::engine::{Ended, Engine, Go, MAX_INSTRUCTIONS};
use super::failure::RunFailure;
use super::fingerprint::fingerprint;
use super::history::counting;
use super::names::Names;
use super::park::Parked;
use super::replay::{Deed, Replay};
use super::run::Run;
use super::step::{Halt, OpenStep};
use crate::compile::code::ChunkId;
use crate::compile::flow::FlowCode;
use crate::task::FlowStart;
use crate::text::Span;
use crate::value::{Duration, Instant, Value, decode, display, encode};
use crate::world::{Begin, EntryKind, RunFilter, RunId, RunRecord, RunState, Wait, WaitKind};
use ecow::EcoString;
use std::collections::HashMap;

/// What a start met.
pub(super) enum Begun {
    /// A run that is to be walked.
    Go(Box<Run>),
    /// A run that has ended already.
    Over {
        /// Which one.
        run: RunId,
        /// How.
        ended: Ended,
    },
    /// A run that waits, and can't go on now.
    Waits {
        /// Which one.
        run: RunId,
        /// What for.
        wait: Wait,
    },
    /// Nothing: the one who starts must not do anything new.
    Halt(Halt),
}

impl Engine<'_> {
    /// `run flow(…)` as a statement.
    pub(super) fn run_statement(
        &mut self,
        run: &mut Run,
        flow: u32,
        arguments: ChunkId,
        span: Span,
    ) -> Result<Go, Broken> {
        Ok(match self.evaluate(run, arguments)? {
            Ok(arguments) => match self.run_child(run, flow as usize, arguments, span)? {
                Ok(_) => Go::On,
                Err(halt) => halt.go(),
            },
            Err(failure) => Go::Fail(failure),
        })
    }

    fn run_child(
        &mut self,
        parent: &mut Run,
        flow: usize,
        arguments: Value,
        span: Span,
    ) -> Result<Result<Value, Halt>, Broken> {
        let path = parent.path();
        let mut open = match parent.open.is_empty() {
            true => OpenStep::default(),
            false => parent.open.remove(&(u32::MAX, path.clone())).unwrap_or_default(),
        };
        // A run with a key is found by it, and left no entry.
        let has_key = self.code.flows.get(flow).is_some_and(|flow| flow.key.is_some());
        if open.child.is_none()
            && !has_key
            && let Some(entry) = parent.replay.take(Deed::Step, u32::MAX, &path)
        {
            open.child = decode_child(&entry.payload);
        }
        let came = self.run_child_at(parent, flow, arguments, u32::MAX, &mut open, None, span)?;
        if let Err(Halt::Park(_)) = came {
            parent.open.insert((u32::MAX, path), open);
        }
        Ok(came)
    }

    /// The same for a step, with what it has begun.
    #[expect(clippy::too_many_arguments, reason = "the parts of a step that runs a flow")]
    pub(super) fn run_child_at(
        &mut self,
        parent: &mut Run,
        flow: usize,
        arguments: Value,
        step: u32,
        open: &mut OpenStep,
        timeout: Option<ChunkId>,
        span: Span,
    ) -> Result<Result<Value, Halt>, Broken> {
        let arguments = arguments.as_list().unwrap_or(&[]);
        let name = self.code.flows.get(flow).map_or_else(EcoString::new, |flow| flow.name.clone());
        let site = match open.child {
            Some(child) => Site::Known(child),
            None if open.tries > 0 => Site::Again(step),
            None => Site::New(step),
        };
        let begun = match self.begin(flow, arguments, Some(&mut *parent), Some(site))? {
            Ok(begun) => begun,
            Err(failure) => return Ok(Err(Halt::Fail(failure.through(format!("run {name}"), span)))),
        };
        let (child, ended) = match begun {
            Begun::Halt(halt) => return Ok(Err(halt)),
            Begun::Go(mut run) => {
                let hurried = u32::from(parent.is_side_by_side());
                self.hurried += hurried;
                self.overlapping += hurried;
                let ended = self.execute(&mut run);
                self.hurried -= hurried;
                self.overlapping -= hurried;
                (run.id, ended?)
            }
            Begun::Waits { run, wait } => {
                let look = wait.wake.filter(|_| wait.kind == WaitKind::Time);
                let parked = Parked { look, ..Parked::new(wait.kind, wait.what.clone()) };
                (run, Ended::Parked(Box::new(parked), Box::new(wait)))
            }
            Begun::Over { run, ended } => (run, ended),
        };
        Ok(match ended {
            Ended::Done(value, _) => Ok(value),
            Ended::Failed(failure) => Err(Halt::Fail(failure.through(format!("run {name}"), span))),
            Ended::Parked(inner, _) => {
                return self.child_waits(parent, flow, (open, timeout), (child, &inner), span);
            }
        })
    }

    /// A run that another has begun waits, and so does that one.
    fn child_waits(
        &mut self,
        parent: &mut Run,
        flow: usize,
        (open, timeout): (&mut OpenStep, Option<ChunkId>),
        (child, inner): (RunId, &Parked),
        span: Span,
    ) -> Result<Result<Value, Halt>, Broken> {
        let flow = self.code.flows.get(flow);
        open.child = Some(child);
        let name = flow.map_or("", |flow| flow.name.as_str());
        let what = format!("run {} ({name}): {}", child.0, inner.what);
        let mut parked = Parked {
            inner: inner.inner,
            is_elsewhere: inner.is_elsewhere,
            calls: inner.calls.clone(),
            look: inner.look,
            runs: vec![child],
            enough: 1,
            ..Parked::new(WaitKind::Run, what)
        };
        if let Some((until, length)) = self.limit_of_child(parent, timeout, child)? {
            if until <= self.world().clock.now() {
                self.cancel_child(parent.id, child)?;
                let failure = self.language_failure("timed_out", vec![Value::Duration(length)], span);
                return Ok(Err(Halt::Fail(failure)));
            }
            parked.wake = Some(until);
            parked.look = parked.look.map(|look| look.min(until));
        }
        Ok(Err(Halt::Park(Box::new(parked))))
    }

    /// Until when a run may take, by the `timeout` of the step that waits for it.
    fn limit_of_child(
        &mut self,
        parent: &mut Run,
        timeout: Option<ChunkId>,
        child: RunId,
    ) -> Result<Option<(Instant, Duration)>, Broken> {
        let Some(chunk) = timeout else { return Ok(None) };
        let Ok(Value::Duration(length)) = self.evaluate(parent, chunk)? else { return Ok(None) };
        let began = self.world().store.run(child)?.map(|record| record.started);
        Ok(began.and_then(|began| began.plus(length).ok()).map(|until| (until, length)))
    }

    /// `start flow(…)`: it is done after the run that has started it. Gives its number.
    pub(super) fn start_child(
        &mut self,
        parent: &mut Run,
        flow: usize,
        arguments: Value,
        step: u32,
        span: Span,
    ) -> Result<Result<Value, Halt>, Broken> {
        let path = parent.path();
        if step == u32::MAX {
            if let Some(entry) = parent.replay.take(Deed::Step, step, &path)
                && let Some(id) = decode_child(&entry.payload)
            {
                self.started.push_back(id);
                return Ok(Ok(Value::Int(id.0)));
            }
            if self.is_at_edge(parent) {
                return Ok(Err(self.edge(parent, span, None)?));
            }
        }
        let name = self.code.flows.get(flow).map_or_else(EcoString::new, |flow| flow.name.clone());
        let begun = match self.begin(flow, arguments.as_list().unwrap_or(&[]), None, None)? {
            Ok(begun) => begun,
            Err(failure) => return Ok(Err(Halt::Fail(failure.through(format!("start {name}"), span)))),
        };
        let id = match begun {
            Begun::Go(run) => {
                self.started.push_back(run.id);
                run.id
            }
            Begun::Over { run, .. } | Begun::Waits { run, .. } => run,
            Begun::Halt(halt) => return Ok(Err(halt)),
        };
        if step == u32::MAX {
            self.append(parent, EntryKind::Child, step, &path, encode_child(id), Vec::new(), 0)?;
        }
        Ok(Ok(Value::Int(id.0)))
    }

    /// Begins the flows that reactive rules have started in a step: within its savepoint, so that they are there
    /// when the step is done, and not before.
    pub(super) fn start_all(
        &mut self,
        run: &mut Run,
        starts: Vec<FlowStart>,
        step: u32,
    ) -> Result<Result<(), RunFailure>, Broken> {
        let before = self.started.len();
        for start in starts {
            let arguments = Value::list(start.arguments);
            if let Err(halt) = self.start_child(run, start.flow as usize, arguments, step, start.span)? {
                // Those before are taken back with the step.
                self.started.truncate(before);
                return Ok(Err(match halt {
                    Halt::Fail(failure) | Halt::End(failure) => failure,
                    Halt::Park(_) => self.limit("a start that waits", start.span),
                }));
            }
        }
        Ok(Ok(()))
    }

    /// Begins a run, or finds the one that there is. A key that can't be computed, or was used for something
    /// else, is a failure of the one who starts.
    pub(super) fn begin(
        &mut self,
        flow: usize,
        arguments: &[Value],
        parent: Option<&mut Run>,
        site: Option<Site>,
    ) -> Result<Result<Begun, RunFailure>, Broken> {
        let code = self.code;
        let Some(flow_code) = code.flows.get(flow) else {
            return Err(Broken::Journal { run: RunId(0), reason: format!("there is no flow {flow}") });
        };
        if let Some(Site::Known(id)) = site {
            if let Some(run) = self.left.remove(&id) {
                return Ok(Ok(Begun::Go(run)));
            }
            return self.begin_known(id, flow_code, parent).map(Ok);
        }
        let mut frame = arguments.to_vec();
        frame.resize(usize::from(flow_code.frame).max(arguments.len()), Value::None);
        let key = match flow_code.key {
            None => None,
            Some(chunk) => match self.worker.evaluate(chunk, &mut frame) {
                Ok(key) => Some(EcoString::from(display(&key, &self.names))),
                Err(failure) => return Ok(Err(self.failure(failure)?)),
            },
        };
        let mut parent = parent;
        if let Some(parent) = parent.as_deref_mut()
            && self.is_at_edge(parent)
            && let Some(halt) = self.edge_of_begin(parent, flow_code, key.as_ref())?
        {
            return Ok(Ok(Begun::Halt(halt)));
        }
        let mut encoded = Vec::new();
        if encode(&Value::list(arguments.to_vec()), &mut encoded).is_err() {
            return Ok(Err(self.limit("arguments nested too deep for the journal", flow_code.span)));
        }
        let world = self.worker.world();
        self.group.open(world)?;
        let mut record = RunRecord {
            id: RunId(0),
            parent: parent.as_ref().map(|run| run.id),
            starter: if parent.is_some() { EcoString::new() } else { self.starter.clone() },
            flow: flow_code.name.clone(),
            key: key.clone(),
            version: code.version.clone(),
            arguments: encoded,
            fingerprint: fingerprint(arguments, &self.names),
            state: RunState::Running,
            outcome: Vec::new(),
            started: world.clock.now(),
            ended: None,
        };
        let begun = world.store.begin_run(&record)?;
        let id = match begun {
            Begin::New(id) => id,
            Begin::Known(known) => {
                let is_again = matches!(site, Some(Site::Again(_)));
                let mut met = Met { is_again, ..Met::default() };
                if let Some(parent) = parent {
                    met.in_an_earlier_walk = parent.meets_again();
                    if let Some(each) = parent.innermost_loop() {
                        each.key = key;
                        self.account.item_runs(each.account, &flow_code.name);
                    }
                }
                return self.known(known, record, flow, frame, met);
            }
        };
        record.id = id;
        self.work += 1;
        self.group.count();
        if let Some(parent) = parent {
            if let Some(each) = parent.innermost_loop() {
                each.key.clone_from(&key);
                self.account.item_runs(each.account, &flow_code.name);
            }
            // A run with a key is found again by it.
            if key.is_none() {
                let step = match site {
                    Some(Site::New(step) | Site::Again(step)) => step,
                    _ => u32::MAX,
                };
                let path = parent.path();
                self.append(parent, EntryKind::Child, step, &path, encode_child(id), Vec::new(), 0)?;
            }
        }
        Ok(match self.fresh(&record, flow, frame, Replay::default(), 0)? {
            Ok(run) => Ok(Begun::Go(Box::new(run))),
            Err(failure) => {
                self.fail_at_once(id, &failure)?;
                Ok(Begun::Over { run: id, ended: Ended::Failed(failure) })
            }
        })
    }

    /// Why no run may be begun by one that must not do anything new, unless it has ended already.
    fn edge_of_begin(
        &mut self,
        parent: &mut Run,
        flow: &FlowCode,
        key: Option<&EcoString>,
    ) -> Result<Option<Halt>, Broken> {
        let known = match key {
            Some(key) => self.run_with_key(flow, key)?,
            None => None,
        };
        if known.as_ref().is_some_and(|known| known.state.is_over()) {
            return Ok(None);
        }
        let own = known.filter(|known| known.parent == Some(parent.id)).map(|known| known.id);
        let open = OpenStep { child: own, ..OpenStep::default() };
        self.edge(parent, flow.span, Some(&open)).map(Some)
    }

    /// The run of a flow under a key.
    fn run_with_key(&mut self, flow: &FlowCode, key: &EcoString) -> Result<Option<RunRecord>, Broken> {
        let (flow, key) = (Some(flow.name.to_string()), Some(key.to_string()));
        Ok(self.world().store.runs(&RunFilter { flow, key, limit: 1, ..RunFilter::default() })?.pop())
    }

    /// A run that was begun at this place before.
    fn begin_known(&mut self, id: RunId, flow: &FlowCode, parent: Option<&mut Run>) -> Result<Begun, Broken> {
        let Some(record) = self.world().store.run(id)? else {
            return Err(Broken::Journal { run: id, reason: "a run that another waits for is not there".to_string() });
        };
        if record.state.is_over() {
            if parent.is_some_and(|parent| parent.meets_again()) {
                self.told_end(&record);
            } else {
                if self.replaying(&record) {
                    self.account.untold.insert(id);
                }
                self.account.run_ended(&flow.name, record.state);
            }
            return Ok(Begun::Over { run: id, ended: self.ended(&record)? });
        }
        if let Some(parent) = parent
            && self.is_at_edge(parent)
        {
            let open = OpenStep { child: Some(id), ..OpenStep::default() };
            return Ok(Begun::Halt(self.edge(parent, flow.span, Some(&open))?));
        }
        if let Some(wait) = self.waits(id, record.state)? {
            return Ok(Begun::Waits { run: id, wait });
        }
        // Another that waits for a run of another version can't go on with it itself.
        if record.version != self.code.version {
            return Ok(Begun::Waits { run: id, wait: Wait::for_run("its end, under its own version of the script") });
        }
        if let Err(who) = self.claim(id)? {
            let what = format!("its end in another process: {who}");
            return Ok(Begun::Waits { run: id, wait: Wait::for_run(what) });
        }
        self.world().store.unpark(id)?;
        Ok(Begun::Go(Box::new(self.reload(id)?)))
    }

    /// What a run waits for, if it does and can't go on now.
    fn waits(&mut self, id: RunId, state: RunState) -> Result<Option<Wait>, Broken> {
        if state != RunState::Waiting {
            return Ok(None);
        }
        let now = self.world().clock.now();
        let wait = self.world().store.wait_of(id)?;
        Ok(wait.filter(|wait| wait.wake.is_none_or(|wake| wake > now)))
    }

    /// A start under a key that has a run.
    fn known(
        &mut self,
        mut known: RunRecord,
        record: RunRecord,
        flow: usize,
        frame: Vec<Value>,
        met: Met,
    ) -> Result<Result<Begun, RunFailure>, Broken> {
        let own = record.parent.is_some() && known.parent == record.parent;
        let span = self.code.flows.get(flow).map_or_else(Span::default, |flow| flow.span);
        if known.state == RunState::Waiting {
            if known.fingerprint != record.fingerprint {
                return Ok(Err(self.conflict(&known, span)));
            }
            if let Some(wait) = self.waits(known.id, known.state)? {
                return Ok(Ok(Begun::Waits { run: known.id, wait }));
            }
        }
        if !known.state.is_over() {
            if self.active.contains(&known.id) || known.version != self.code.version {
                return Ok(Err(self.conflict(&known, span)));
            }
            self.group.open(self.worker.world())?;
            if self.world().store.unpark(known.id)? {
                known.state = RunState::Running;
            }
            known = match self.claim_in_time(known, record.parent.is_some(), span)? {
                Ok(known) => known,
                Err(failure) => return Ok(Err(failure)),
            };
        }
        if known.state == RunState::Running {
            // Another item may have begun it, and it waits in memory for another thread.
            let mut run = match self.left.remove(&known.id) {
                Some(left) => left,
                None => Box::new(self.reload(known.id)?),
            };
            if known.fingerprint == record.fingerprint {
                return Ok(Ok(Begun::Go(run)));
            }
            // Left by its process with other content: it comes to its end first.
            let overlapping = std::mem::take(&mut self.overlapping);
            let ended = self.execute(&mut run);
            self.overlapping = overlapping;
            ended?;
            known = self.world().store.run(known.id)?.unwrap_or(known);
            if !known.state.is_over() {
                return Ok(Err(self.conflict(&known, span)));
            }
        }
        let same = known.fingerprint == record.fingerprint;
        if own && same && !met.is_again {
            known = self.retried(known)?;
            if known.state == RunState::Running {
                return Ok(Ok(Begun::Go(Box::new(self.reload(known.id)?))));
            }
        }
        if matches!(known.state, RunState::Failed | RunState::Cancelled)
            && (!same || met.is_again || (self.options.retry_failed && !own))
        {
            self.work += 1;
            let position = self.reopen(&known, &record)?;
            let record = RunRecord { id: known.id, ..record };
            return Ok(match self.fresh(&record, flow, frame, Replay::default(), position)? {
                Ok(run) => Ok(Begun::Go(Box::new(run))),
                Err(failure) => {
                    self.fail_at_once(known.id, &failure)?;
                    Ok(Begun::Over { run: known.id, ended: Ended::Failed(failure) })
                }
            });
        }
        if !same {
            return Ok(Err(self.conflict(&known, span)));
        }
        let mut ended = self.ended(&known)?;
        if !own {
            if let Ended::Failed(failure) = &mut ended {
                failure.earlier = Some(known.id);
            }
            if !met.in_an_earlier_walk {
                self.account.run_found(&known);
            }
        } else if met.in_an_earlier_walk {
            self.told_end(&known);
        } else if self.replaying(&known) && self.account.untold.insert(known.id) {
            self.account.run_ended(&known.flow, known.state);
        } else {
            self.account.run_found(&known);
        }
        Ok(Ok(Begun::Over { run: known.id, ended }))
    }

    /// Counts the end of a run that an earlier walk of the one who waits for it met: this engine has done so when
    /// it ended itself, unless another process has ended it.
    fn told_end(&mut self, known: &RunRecord) {
        if self.parked.remove(&known.id) {
            self.account.told.remove(&known.id);
            self.account.untold.insert(known.id);
            self.account.run_ended(&known.flow, known.state);
        }
    }

    /// Counts what runs did that ended before this process began, and those that they had begun.
    pub(super) fn tell_untold(&mut self) -> Result<(), Broken> {
        while let Some(id) = self.account.untold.pop_first() {
            for entry in counting(self.world().store.entries(id)?) {
                self.account.entry(id, &entry);
            }
            for child in self.world().store.children(id, usize::MAX)? {
                if child.state.is_over() {
                    self.account.run_ended(&child.flow, child.state);
                    self.account.untold.insert(child.id);
                }
            }
        }
        Ok(())
    }

    /// Whether a run that has ended did so before this process began, and not as a double in this one.
    fn replaying(&self, known: &RunRecord) -> bool {
        known.ended.is_some_and(|ended| self.account.began.is_some_and(|began| ended < began))
    }

    fn conflict(&self, known: &RunRecord, span: Span) -> RunFailure {
        let key = known.key.clone().unwrap_or_default();
        let fields = vec![Value::Text(known.flow.clone()), Value::Text(key), Value::Int(known.id.0)];
        self.language_failure("key_conflict", fields, span)
    }

    /// Begins a failed run again; gives the position of its next entry.
    fn reopen(&mut self, known: &RunRecord, record: &RunRecord) -> Result<u32, Broken> {
        let world = self.worker.world();
        let position = world.store.entries(known.id)?.last().map_or(0, |entry| entry.position + 1);
        world.store.reopen_run(known.id, record)?;
        let mut run = Run::bare(known.id, position, Replay::default());
        self.append(&mut run, EntryKind::Reopened, u32::MAX, &[], known.outcome.clone(), Vec::new(), 0)?;
        Ok(run.position)
    }

    /// A run at its first instruction.
    pub(super) fn fresh(
        &mut self,
        record: &RunRecord,
        flow: usize,
        frame: Vec<Value>,
        replay: Replay,
        position: u32,
    ) -> Result<Result<Run, RunFailure>, Broken> {
        let deadline = self.code.flows.get(flow).and_then(|flow| flow.deadline);
        let mut run = Run {
            id: record.id,
            parent: record.parent,
            is_known: false,
            flow,
            frame,
            at: 0,
            scopes: Vec::new(),
            finished: Vec::new(),
            open: HashMap::new(),
            went_back: HashMap::new(),
            has_turn: false,
            ending: None,
            replay,
            told: self.account.told.remove(&record.id).unwrap_or_default(),
            has_gone_on: true,
            held_back: 0,
            position,
            fuel: MAX_INSTRUCTIONS,
            deadline: None,
        };
        if let Some(chunk) = deadline {
            match self.evaluate(&mut run, chunk)? {
                Ok(Value::Duration(length)) => {
                    run.deadline = record.started.plus(length).ok().map(|until| (until, length));
                }
                Ok(_) => {}
                Err(failure) => return Ok(Err(failure)),
            }
        }
        Ok(Ok(run))
    }

    /// Ends a run that could not take its first step.
    fn fail_at_once(&mut self, id: RunId, failure: &RunFailure) -> Result<(), Broken> {
        let world = self.worker.world();
        let now = world.clock.now();
        world.store.end_run(id, RunState::Failed, &failure.encode(), now)?;
        Ok(())
    }

    /// A run as the journal knows it, ready to be walked again.
    pub(super) fn reload(&mut self, id: RunId) -> Result<Run, Broken> {
        let wrong = |reason: String| Broken::Journal { run: id, reason };
        if let Err(who) = self.claim(id)? {
            return Err(Broken::Taken { run: id, by: who });
        }
        let world = self.worker.world();
        let record = world.store.run(id)?.ok_or_else(|| wrong("there is no such run".to_string()))?;
        let entries = world.store.entries(id)?;
        if record.version != self.code.version {
            return Err(wrong("it was begun under another version of the script".to_string()));
        }
        let flow = self.code.flows.iter().position(|flow| flow.name == record.flow);
        let flow = flow.ok_or_else(|| wrong(format!("there is no flow `{}`", record.flow)))?;
        let arguments = decode(&record.arguments).map_err(|error| wrong(error.to_string()))?;
        let mut frame = arguments.as_list().unwrap_or(&[]).to_vec();
        let size = self.code.flows.get(flow).map_or(0, |flow| usize::from(flow.frame));
        frame.resize(size.max(frame.len()), Value::None);
        let position = entries.last().map_or(0, |entry| entry.position + 1);
        let entries = counting(self.in_numbers_of_now(&record, entries)?);
        let ending = entries.iter().find(|entry| entry.kind == EntryKind::Ending);
        let ending = ending.and_then(|entry| RunFailure::decode(&entry.payload));
        match self.fresh(&record, flow, frame, Replay::new(entries), position)? {
            Ok(run) => Ok(Run { is_known: true, has_gone_on: false, ending, ..run }),
            Err(failure) => Err(wrong(failure.message.to_string())),
        }
    }

    /// How a run has ended, in the numbers of this version.
    pub(super) fn ended(&mut self, record: &RunRecord) -> Result<Ended, Broken> {
        let wrong = |reason: &str| Broken::Journal { run: record.id, reason: reason.to_string() };
        let other = if record.version == self.code.version { None } else { Some(self.names_of(&record.version)?) };
        if matches!(record.state, RunState::Failed | RunState::Cancelled) {
            let failure = RunFailure::decode(&record.outcome).ok_or_else(|| wrong("its failure can't be read"))?;
            return Ok(Ended::Failed(match other {
                Some(other) => failure.carried_over(&other, &self.names),
                None => failure,
            }));
        }
        let outcome = self.kept(record.id, &record.outcome)?;
        let mut parts = outcome.as_list().unwrap_or(&[]).iter().cloned();
        let value = parts.next().unwrap_or_default();
        let why = parts.next().and_then(|why| why.as_text().map(EcoString::from));
        let value = match other {
            None => value,
            Some(other) => other.carry_over(&value, &self.names).ok_or_else(|| {
                wrong("its result has a type that has changed since; give the flow another key to do it again")
            })?,
        };
        Ok(Ended::Done(value, why))
    }

    /// The names of another version.
    pub(super) fn names_of(&mut self, version: &EcoString) -> Result<Names, Broken> {
        if let Some(names) = self.versions.get(version) {
            return Ok(names.clone());
        }
        let kept = self.world().store.version(version)?;
        let names = kept.map(|kept| Names::from_json(&kept.names)).unwrap_or_default();
        self.versions.insert(version.clone(), names.clone());
        Ok(names)
    }
}

/// Where a run begins another.
#[derive(Debug, Clone, Copy)]
pub(super) enum Site {
    /// In this step, or none; for the first time.
    New(u32),
    /// In this step, which has failed and is tried again.
    Again(u32),
    /// It had begun this one when its process ended.
    Known(RunId),
}

/// How a start met a run that there is.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    /// The step that starts it has failed before, and is tried again.
    is_again: bool,
    /// The one who starts it did so in an earlier walk, and the account knows.
    in_an_earlier_walk: bool,
}

/// The number of a child as the journal keeps it.
fn encode_child(id: RunId) -> Vec<u8> {
    id.0.to_le_bytes().to_vec()
}

/// From how the journal keeps it.
pub(super) fn decode_child(bytes: &[u8]) -> Option<RunId> {
    Some(RunId(i64::from_le_bytes(bytes.try_into().ok()?)))
}
