//! Runs of runs, and keys: the key names the thing that a run works on, and a second start with the same key
//! is the same run.

use super::Broken;
use super::engine::{Ended, Engine, MAX_INSTRUCTIONS};
use super::failure::RunFailure;
use super::fingerprint::fingerprint;
use super::names::Names;
use super::replay::{Deed, Replay};
use super::run::Run;
use crate::task::FlowStart;
use crate::text::Span;
use crate::value::{Value, decode, display, encode};
use crate::world::{Begin, EntryKind, RunId, RunRecord, RunState};
use ecow::EcoString;

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
}

impl Engine<'_> {
    /// `run flow(…)` as a statement.
    pub(super) fn run_child(
        &mut self,
        parent: &mut Run,
        flow: usize,
        arguments: Value,
        step: u32,
        span: Span,
    ) -> Result<Result<Value, RunFailure>, Broken> {
        let path = parent.path();
        // A run with a key is found by it, and left no entry.
        let has_key = self.code.flows.get(flow).is_some_and(|flow| flow.key.is_some());
        let entry = if has_key { None } else { parent.replay.take(Deed::Step, step, &path) };
        let known = entry.and_then(|entry| decode_child(&entry.payload));
        self.run_child_at(parent, flow, arguments, known.map_or(Site::New(step), Site::Known), span)
    }

    /// The same where the place is known.
    pub(super) fn run_child_at(
        &mut self,
        parent: &mut Run,
        flow: usize,
        arguments: Value,
        site: Site,
        span: Span,
    ) -> Result<Result<Value, RunFailure>, Broken> {
        let arguments = arguments.as_list().unwrap_or(&[]);
        let name = self.code.flows.get(flow).map_or_else(EcoString::new, |flow| flow.name.clone());
        let begun = match self.begin(flow, arguments, Some(parent), Some(site))? {
            Ok(begun) => begun,
            Err(failure) => return Ok(Err(failure.through(format!("run {name}"), span))),
        };
        let ended = match begun {
            Begun::Go(mut run) => self.execute(&mut run)?,
            Begun::Over { ended, .. } => ended,
        };
        Ok(match ended {
            Ended::Done(value, _) => Ok(value),
            Ended::Failed(failure) => Err(failure.through(format!("run {name}"), span)),
            Ended::Parked(_) => Err(self.limit("a run that waits", span)),
        })
    }

    /// `start flow(…)`: it is done after the run that has started it. Gives its number.
    pub(super) fn start_child(
        &mut self,
        parent: &mut Run,
        flow: usize,
        arguments: Value,
        step: u32,
        span: Span,
    ) -> Result<Result<Value, RunFailure>, Broken> {
        let path = parent.path();
        if step == u32::MAX
            && let Some(entry) = parent.replay.take(Deed::Step, step, &path)
            && let Some(id) = decode_child(&entry.payload)
        {
            self.started.push_back(id);
            return Ok(Ok(Value::Int(id.0)));
        }
        let name = self.code.flows.get(flow).map_or_else(EcoString::new, |flow| flow.name.clone());
        let begun = match self.begin(flow, arguments.as_list().unwrap_or(&[]), None, None)? {
            Ok(begun) => begun,
            Err(failure) => return Ok(Err(failure.through(format!("start {name}"), span))),
        };
        let id = match begun {
            Begun::Go(run) => {
                self.started.push_back(run.id);
                run.id
            }
            Begun::Over { run, .. } => run,
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
            if let Err(failure) = self.start_child(run, start.flow as usize, arguments, step, start.span)? {
                // Those before are taken back with the step.
                self.started.truncate(before);
                return Ok(Err(failure));
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
            let Some(record) = self.world().store.run(id)? else {
                return Err(Broken::Journal {
                    run: id,
                    reason: "a run that another waits for is not there".to_string(),
                });
            };
            let record = self.retried(record)?;
            return Ok(Ok(match record.state {
                RunState::Running => Begun::Go(Box::new(self.reload(id)?)),
                _ => {
                    self.account.run_ended(&flow_code.name, record.state);
                    Begun::Over { run: id, ended: self.ended(&record)? }
                }
            }));
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
                if let Some(parent) = parent
                    && let Some(each) = parent.innermost_loop()
                {
                    each.key = key;
                    self.account.item_runs(each.account, &flow_code.name);
                }
                return self.known(known, record, flow, frame, matches!(site, Some(Site::Again(_))));
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

    /// A start under a key that has a run.
    fn known(
        &mut self,
        mut known: RunRecord,
        record: RunRecord,
        flow: usize,
        frame: Vec<Value>,
        again: bool,
    ) -> Result<Result<Begun, RunFailure>, Broken> {
        let own = record.parent.is_some() && known.parent == record.parent;
        let span = self.code.flows.get(flow).map_or_else(Span::default, |flow| flow.span);
        if known.state == RunState::Running {
            if self.active.contains(&known.id) || known.version != self.code.version {
                return Ok(Err(self.conflict(&known, span)));
            }
            known = match self.claim_in_time(known, record.parent.is_some(), span)? {
                Ok(known) => known,
                Err(failure) => return Ok(Err(failure)),
            };
        }
        if known.state == RunState::Running {
            let mut run = self.reload(known.id)?;
            if known.fingerprint == record.fingerprint {
                return Ok(Ok(Begun::Go(Box::new(run))));
            }
            // Left by its process with other content: it comes to its end first.
            self.execute(&mut run)?;
            known = self.world().store.run(known.id)?.unwrap_or(known);
        }
        let same = known.fingerprint == record.fingerprint;
        if own && same && !again {
            known = self.retried(known)?;
            if known.state == RunState::Running {
                return Ok(Ok(Begun::Go(Box::new(self.reload(known.id)?))));
            }
        }
        if known.state == RunState::Failed && (!same || again || (self.options.retry_failed && !own)) {
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
            self.account.run_found(&known);
        } else if self.replaying(&known) {
            self.account.run_ended(&known.flow, known.state);
        } else {
            self.account.run_found(&known);
        }
        Ok(Ok(Begun::Over { run: known.id, ended }))
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
    fn fresh(
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
            flow,
            frame,
            at: 0,
            scopes: Vec::new(),
            finished: Vec::new(),
            replay,
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
        match self.fresh(&record, flow, frame, Replay::new(entries), position)? {
            Ok(run) => Ok(run),
            Err(failure) => Err(wrong(failure.message.to_string())),
        }
    }

    /// How a run has ended, in the numbers of this version.
    fn ended(&mut self, record: &RunRecord) -> Result<Ended, Broken> {
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
    fn names_of(&mut self, version: &EcoString) -> Result<Names, Broken> {
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

/// The number of a child as the journal keeps it.
fn encode_child(id: RunId) -> Vec<u8> {
    id.0.to_le_bytes().to_vec()
}

/// From how the journal keeps it.
pub(super) fn decode_child(bytes: &[u8]) -> Option<RunId> {
    Some(RunId(i64::from_le_bytes(bytes.try_into().ok()?)))
}
