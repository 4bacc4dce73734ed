//! The engine: starts runs, goes on with them, ends them in the journal.

use super::Broken;
use super::child::Begun;
use super::commit::{Group, GroupLimits};
use super::failure::RunFailure;
use super::fiber::loops_of;
use super::names::Names;
use super::park::Parked;
use super::replay::{Deed, Replay};
use super::run::Run;
use super::summary::{Account, Summary};
use super::worker::Worker;
use crate::compile::code::{ChunkId, Code};
use crate::text::Span;
use crate::value::{Duration, Instant, Value, decode, encode};
use crate::vm::Decision;
use crate::world::{Change, Entry, EntryKind, KeptVersion, RunId, RunState, Wait, World};
use ecow::EcoString;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

/// How many runs may wait for each other in a row.
pub(super) const MAX_NESTED_RUNS: usize = 100;

/// How many instructions between steps one run may walk.
pub(super) const MAX_INSTRUCTIONS: u32 = 1_000_000_000;

/// How many entries of the journal one run may have.
const MAX_ENTRIES: u32 = 50_000_000;

/// How the engine works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// When groups are put on disk.
    pub group: GroupLimits,
    /// Whether runs that failed with the same content before are tried again, rather than taken for failed.
    pub retry_failed: bool,
    /// How long a pause may be that the engine itself waits for (a retry, a short `sleep`); a run with a longer
    /// one, or that waits for something else, is left waiting in the store.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let patience = Duration::from_milliseconds(Duration::MINUTE);
        Options { group: GroupLimits::default(), retry_failed: false, patience }
    }
}

/// Hears of what happens, for progress bars and traces. Whatever it does has no influence on the run.
pub trait Observer {
    /// A loop with steps begins; 1 is an outermost one.
    fn loop_began(&mut self, _name: &str, _depth: usize, _items: usize) {}
    /// An item of a loop has ended.
    fn item_ended(&mut self, _depth: usize, _failed: bool) {}
    /// A loop has ended.
    fn loop_ended(&mut self, _depth: usize) {}
    /// A table has decided, when decisions are traced.
    fn decided(&mut self, _run: RunId, _decision: &Decision) {}
    /// A step will be tried again after a pause.
    fn retrying(&mut self, _step: &str, _failure: &RunFailure, _pause: Duration) {}
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}

/// How a run has ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ended {
    /// With a result; `stop` gives a reason.
    Done(Value, Option<EcoString>),
    /// With a failure; its steps were undone.
    Failed(RunFailure),
    /// Not yet: it waits.
    Parked(Box<Parked>, Box<Wait>),
}

/// Where a walk goes on.
pub(super) enum Go {
    /// With the next instruction.
    On,
    /// With this one.
    To(u32),
    /// Nowhere: the run ends.
    End(Ended),
    /// To whoever is for this failure.
    Fail(RunFailure),
    /// Nowhere now: this part of the run waits.
    Park(Box<Parked>),
}

/// Executes flows. One engine is for one start of a flow and all the runs that come of it.
pub struct Engine<'a> {
    pub(super) code: &'a Code,
    pub(super) names: Names,
    pub(super) worker: &'a mut dyn Worker,
    pub(super) observer: &'a mut dyn Observer,
    pub(super) options: Options,
    /// Who or what starts the runs that no other run does.
    pub(super) starter: EcoString,
    /// Whether failed runs that a parent meets again are tried again from where they failed.
    pub(super) retrying: bool,
    pub(super) group: Group,
    pub(super) account: Account,
    /// The runs that wait for each other, the outermost first.
    pub(super) active: Vec<RunId>,
    /// Runs that were started and not waited for.
    pub(super) started: VecDeque<RunId>,
    /// The names of other versions whose results were met.
    pub(super) versions: HashMap<EcoString, Names>,
    /// Counts steps tried and runs begun: tells items that had nothing to do.
    pub(super) work: u64,
    /// How many loops are open in all active runs.
    pub(super) loops: usize,
    /// How many of the active runs have other things to do than to wait for those that they run.
    pub(super) hurried: u32,
    /// How many of the active runs have other items to go on with meanwhile.
    pub(super) overlapping: u32,
    /// Runs in memory that wait for another thread of this process.
    pub(super) left: HashMap<RunId, Box<Run>>,
    /// The runs that this engine has parked.
    pub(super) parked: HashSet<RunId>,
    /// Those of them that can go on by themselves, and when.
    pub(super) soon: BTreeSet<(Instant, RunId)>,
    /// Those of them that records may wake.
    pub(super) watching: BTreeSet<RunId>,
}

impl<'a> Engine<'a> {
    /// An engine for this program.
    pub fn new(
        code: &'a Code,
        worker: &'a mut dyn Worker,
        observer: &'a mut dyn Observer,
        options: Options,
    ) -> Engine<'a> {
        Engine {
            code,
            names: Names::of(code),
            worker,
            observer,
            options,
            starter: EcoString::new(),
            retrying: false,
            group: Group::new(options.group),
            account: Account::default(),
            active: Vec::new(),
            started: VecDeque::new(),
            versions: HashMap::new(),
            work: 0,
            loops: 0,
            hurried: 0,
            overlapping: 0,
            left: HashMap::new(),
            parked: HashSet::new(),
            soon: BTreeSet::new(),
            watching: BTreeSet::new(),
        }
    }

    /// Says who or what starts runs: `ada@desk`, `on Order created`.
    pub fn started_by(mut self, who: &str) -> Engine<'a> {
        self.starter = who.into();
        self
    }

    /// Starts a flow with one argument a parameter, waits for it and for all that it starts, and puts
    /// everything on disk. A run that fails is an account too, and so is one that waits for what takes longer than
    /// the engine's patience ([`Summary::waiting`]).
    ///
    /// # Errors
    /// When the store fails; what is not on disk then never happened.
    pub fn run(&mut self, flow: usize, arguments: Vec<Value>) -> Result<Summary, Broken> {
        self.guarded(|engine| engine.start_top(flow, arguments))
    }

    /// The run that was started or taken up last, and not by another; it may not be on disk yet.
    pub fn top(&self) -> Option<RunId> {
        self.account.top
    }

    /// Goes on with a run that waits or that its process has left, and with all that it starts. A run that has ended
    /// is only told of.
    ///
    /// # Errors
    /// As [`Engine::run`], and when the journal does not fit the script.
    pub fn resume(&mut self, run: RunId) -> Result<Summary, Broken> {
        self.guarded(|engine| engine.resume_top(run))
    }

    /// As [`Engine::resume`] for many runs, which share their commits: what many runs that are due at once want. Gives
    /// how each came out.
    ///
    /// # Errors
    /// The run that could not go on, and why. What was not on disk then is due as before, and goes on by itself.
    pub fn resume_all(&mut self, runs: &[RunId]) -> Result<Vec<Summary>, (RunId, Broken)> {
        let mut summaries = Vec::with_capacity(runs.len());
        for run in runs {
            match self.resume_top(*run) {
                Ok(summary) => {
                    // Those that others wake go on by themselves, to be told of then.
                    self.parked.clear();
                    self.soon.clear();
                    self.watching.clear();
                    summaries.push(summary);
                }
                Err(broken) => {
                    self.group.abandon(self.worker.world());
                    return Err((*run, broken));
                }
            }
        }
        if let (Some(last), Err(broken)) = (runs.last(), self.group.close(self.worker.world())) {
            self.group.abandon(self.worker.world());
            return Err((*last, broken));
        }
        Ok(summaries)
    }

    /// Ends a run that waits or was left by its process: undoes its finished steps, the last first, and those of
    /// the runs that it waits for. It is cancelled then, and the account says so as of a failed run.
    ///
    /// # Errors
    /// As [`Engine::resume`].
    pub fn cancel(&mut self, run: RunId, by: &str, why: &str) -> Result<Summary, Broken> {
        self.guarded(|engine| engine.cancel_top(run, by, why))
    }

    pub(super) fn guarded(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<Summary, Broken>,
    ) -> Result<Summary, Broken> {
        let result = work(self).and_then(|summary| {
            self.group.close(self.worker.world())?;
            Ok(summary)
        });
        if result.is_err() {
            self.group.abandon(self.worker.world());
        }
        result
    }

    fn start_top(&mut self, flow: usize, arguments: Vec<Value>) -> Result<Summary, Broken> {
        let began = self.world().clock.now();
        self.account.began = Some(began);
        self.group.open(self.worker.world())?;
        let kept = KeptVersion {
            sources: self.code.sources.iter().map(|(_, each)| (each.name.clone(), each.text.to_string())).collect(),
            names: self.names.to_json(),
        };
        let version = &self.code.version;
        self.worker.world().store.keep_version(version, &kept)?;
        match self.begin(flow, &arguments, None, None)? {
            Ok(Begun::Go(mut run)) => {
                self.account.top = Some(run.id);
                let ended = self.execute(&mut run)?;
                self.close_top(*run, ended, began)
            }
            Ok(Begun::Over { run, ended }) => {
                self.account.top_was_over = true;
                self.summary(run, flow, ended, began)
            }
            Ok(Begun::Waits { run, wait }) => {
                self.account.top_was_over = true;
                let parked = Parked::new(wait.kind, wait.what.clone());
                self.summary(run, flow, Ended::Parked(Box::new(parked), Box::new(wait)), began)
            }
            Ok(Begun::Halt(_)) => Err(Broken::Journal { run: RunId(0), reason: "nobody starts it".to_string() }),
            // The start itself failed: there is no run to tell of.
            Err(failure) => self.summary(RunId(0), flow, Ended::Failed(failure), began),
        }
    }

    pub(super) fn resume_top(&mut self, id: RunId) -> Result<Summary, Broken> {
        let began = self.world().clock.now();
        self.account.began = Some(began);
        self.account.top = Some(id);
        self.group.open(self.worker.world())?;
        let Some(mut run) = self.take_up(id)? else { return self.tell(id, began) };
        let ended = self.execute(&mut run)?;
        self.close_top(run, ended, began)
    }

    /// The account of a run that has ended before.
    fn tell(&mut self, id: RunId, began: Instant) -> Result<Summary, Broken> {
        let wrong = |reason: &str| Broken::Journal { run: id, reason: reason.to_string() };
        let record = self.world().store.run(id)?.ok_or_else(|| wrong("there is no such run"))?;
        let flow = self.code.flows.iter().position(|flow| flow.name == record.flow);
        let flow = flow.ok_or_else(|| wrong("its flow is not there"))?;
        let ended = self.ended(&record)?;
        self.account.top_was_over = true;
        self.summary(id, flow, ended, began)
    }

    /// Goes on with what was started or has been woken, and tells what all came to.
    pub(super) fn close_top(&mut self, run: Run, ended: Ended, began: Instant) -> Result<Summary, Broken> {
        let id = run.id;
        let flow = run.flow;
        let mut position = run.position;
        let ended = match self.go_on(id)? {
            Some(ended) => {
                position = self.world().store.entries(id)?.last().map_or(0, |entry| entry.position + 1);
                ended
            }
            None => ended,
        };
        let ended = match ended {
            // What it waits for may have come nearer meanwhile.
            Ended::Parked(parked, wait) => {
                let wait = self.world().store.wait_of(id)?.map_or(wait, Box::new);
                Ended::Parked(parked, wait)
            }
            ended => ended,
        };
        let is_over = !matches!(ended, Ended::Parked(..));
        // Many runs that are woken again and again must not be read each time.
        if is_over || self.options.patience > Duration::ZERO {
            self.tell_untold()?;
        }
        let summary = self.summary(id, flow, ended, began)?;
        // Kept behind the end of the run, so that the account holds all of it.
        if is_over && summary.has_more_than_the_run() {
            let mut run = Run { position, ..run };
            if run.replay.take(Deed::Summary, u32::MAX, &[]).is_none() {
                let json = serde_json::to_vec(&summary.account_json()).unwrap_or_default();
                self.append(&mut run, EntryKind::Summary, u32::MAX, &[], json, Vec::new(), 0)?;
            }
        }
        Ok(summary)
    }

    fn summary(&mut self, run: RunId, flow: usize, ended: Ended, began: Instant) -> Result<Summary, Broken> {
        let now = self.world().clock.now();
        let name = self.code.flows.get(flow).map_or_else(EcoString::new, |flow| flow.name.clone());
        Ok(Summary::new(run, name, ended, began, now, std::mem::take(&mut self.account)))
    }

    pub(super) fn world(&mut self) -> &mut World {
        self.worker.world()
    }

    /// Walks a run to its end, and ends it in the journal; or to where it waits, and parks it.
    pub(super) fn execute(&mut self, run: &mut Run) -> Result<Ended, Broken> {
        // One that goes on in memory still has its turn.
        let goes_on = std::mem::take(&mut run.has_turn);
        let ended = if goes_on { None } else { self.wait_for_turn(run)? };
        match ended {
            Some(ended) => self.finish(run, ended),
            None => {
                self.active.push(run.id);
                let loops = self.loops;
                if goes_on {
                    self.loops += loops_of(&run.scopes);
                }
                let ended = match goes_on {
                    true => self.look_again(run).and_then(|go| self.walk_from(run, go)),
                    false => self.walk(run),
                };
                self.loops = loops;
                self.active.pop();
                self.finish(run, ended?)
            }
        }
    }

    /// How a run comes out that can't begin or go on, because it is not its turn; none when it can.
    fn wait_for_turn(&mut self, run: &mut Run) -> Result<Option<Ended>, Broken> {
        if run.ending.is_some() {
            return Ok(None);
        }
        Ok(match self.take_turn(run)? {
            Ok(None) => None,
            Ok(Some(parked)) => Some(Ended::Parked(Box::new(parked), Box::new(Wait::until(Instant::EPOCH, "")))),
            Err(failure) => Some(Ended::Failed(failure)),
        })
    }

    /// Ends a run in the journal as its walk has ended, or parks it.
    fn finish(&mut self, run: &mut Run, mut ended: Ended) -> Result<Ended, Broken> {
        if let Ended::Parked(parked, _) = &ended
            && parked.is_elsewhere
        {
            let bare = Run::bare(run.id, run.position, Replay::default());
            let left = Run { has_turn: true, ..std::mem::replace(run, bare) };
            self.left.insert(left.id, Box::new(left));
            return Ok(ended);
        }
        if let Ended::Parked(parked, _) = &ended {
            let wait = Box::new(self.park(run, parked)?);
            return Ok(Ended::Parked(parked.clone(), wait));
        }
        while let Some(mut scope) = run.scopes.pop() {
            self.give_up(run, &mut scope)?;
        }
        if run.ending.is_some() {
            for child in self.world().store.children(run.id, usize::MAX)? {
                self.cancel_child(run.id, child.id)?;
            }
        }
        if let Ended::Failed(_) = ended {
            self.undo_to(run, 0)?;
        }
        let mut outcome = Vec::new();
        let encoded = match &ended {
            Ended::Done(value, None) => encode(&Value::list(vec![value.clone()]), &mut outcome),
            Ended::Done(value, Some(why)) => {
                encode(&Value::list(vec![value.clone(), Value::Text(why.clone())]), &mut outcome)
            }
            Ended::Failed(failure) => {
                outcome = failure.encode();
                Ok(())
            }
            Ended::Parked(..) => return Ok(ended),
        };
        if let Err(error) = encoded {
            let span = self.code.flows.get(run.flow).map_or_else(Span::default, |flow| flow.span);
            let failure = self.limit(&format!("the result of the run: {error}"), span);
            self.undo_to(run, 0)?;
            outcome = failure.encode();
            ended = Ended::Failed(failure);
        }
        let state = match &run.ending {
            _ if matches!(ended, Ended::Done(..)) => RunState::Done,
            Some(ending) if ending.name == "cancelled" => RunState::Cancelled,
            _ => RunState::Failed,
        };
        let world = self.worker.world();
        self.group.open(world)?;
        let now = world.clock.now();
        world.store.end_run(run.id, state, &outcome, now)?;
        self.group.count();
        self.tell_end(run, now)?;
        self.parked.remove(&run.id);
        if let Some(flow) = self.code.flows.get(run.flow) {
            self.account.run_ended(&flow.name, state);
        }
        self.group.close_when_due(self.worker.world())?;
        Ok(ended)
    }

    /// Evaluates a pure chunk on the frame of a run.
    pub(super) fn evaluate(&mut self, run: &mut Run, chunk: ChunkId) -> Result<Result<Value, RunFailure>, Broken> {
        let result = self.worker.evaluate(chunk, &mut run.frame);
        self.tell_decisions(run.id);
        match result {
            Ok(value) => Ok(Ok(value)),
            Err(failure) => Ok(Err(self.failure(failure)?)),
        }
    }

    pub(super) fn tell_decisions(&mut self, run: RunId) {
        for decision in self.worker.take_decisions() {
            self.observer.decided(run, &decision);
        }
    }

    /// A failure of the machine for people, or what broke the machine.
    pub(super) fn failure(&mut self, failure: crate::vm::Failure) -> Result<RunFailure, Broken> {
        if let Some(fatal) = self.worker.take_fatal() {
            return Err(Broken::Store(fatal));
        }
        Ok(RunFailure::new(failure, self.code, &self.names))
    }

    /// The failure that a limit was reached.
    pub(super) fn limit(&self, what: &str, span: Span) -> RunFailure {
        RunFailure::of_language(self.code, &self.names, "limit_reached", vec![Value::from(what)], span)
    }

    /// Appends an entry to the journal of a run.
    #[expect(clippy::too_many_arguments, reason = "the parts of an entry")]
    pub(super) fn append(
        &mut self,
        run: &mut Run,
        kind: EntryKind,
        step: u32,
        path: &[u32],
        payload: Vec<u8>,
        changes: Vec<Change>,
        took: u32,
    ) -> Result<(), Broken> {
        if run.position >= MAX_ENTRIES {
            return Err(Broken::Journal { run: run.id, reason: format!("it has more than {MAX_ENTRIES} entries") });
        }
        let world = self.worker.world();
        self.group.open(world)?;
        let at = world.clock.now();
        let entry = Entry { position: run.position, kind, step, path: path.to_vec(), payload, changes, at, took };
        world.store.append(run.id, &entry)?;
        run.position += 1;
        run.has_gone_on = true;
        self.group.count();
        self.account.entry(run.id, &entry);
        Ok(())
    }

    /// Counts an entry that the journal knows already; false when an earlier walk has done so.
    pub(super) fn tell_entry(&mut self, run: &Run, entry: &Entry) -> bool {
        let is_new = entry.position >= run.told.position;
        if is_new {
            self.account.entry(run.id, entry);
        }
        is_new
    }

    /// A value that the journal keeps.
    pub(super) fn kept(&self, run: RunId, bytes: &[u8]) -> Result<Value, Broken> {
        decode(bytes).map_err(|error| Broken::Journal { run, reason: error.to_string() })
    }
}
