//! What does the work of a run: the machine for pure chunks, the machine with the task executor as its host
//! for steps. The engine sees no more of them than this.

use crate::compile::code::{ChunkId, Code};
use crate::rule::Executes;
use crate::task::{CallsMade, Executor, FlowStart, Interrupted, Leaves, PureHost};
use crate::value::{Duration, Instant, Value};
use crate::vm::{Decision, Failure, Limits, Machine};
use crate::world::{Change, EffectWatch, RunId, StoreError, World};
use std::fmt::Write;

/// Which step is at work: mails and outside calls carry it, so that doing it again is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepPlace<'a> {
    /// The run.
    pub run: RunId,
    /// The name of the step.
    pub step: &'a str,
    /// The rounds of the loops around it.
    pub path: &'a [u32],
    /// Whether it is being undone.
    pub undo: bool,
    /// How often the run has been through it before, by `go to`.
    pub round: u32,
    /// Until when it must have ended, and how long that is after its beginning.
    pub until: Option<(Instant, Duration)>,
    /// What of its work may be left to another thread: it then fails with [`Failure::ELSEWHERE`], and is done again.
    pub leaves: Leaves,
}

/// Evaluates chunks.
pub trait Worker {
    /// Evaluates a chunk that reads nothing of the world and does nothing to it.
    fn evaluate(&mut self, chunk: ChunkId, frame: &mut Vec<Value>) -> Result<Value, Failure>;

    /// Evaluates the chunk of a step. The engine has opened a savepoint around it.
    fn act(&mut self, chunk: ChunkId, frame: &mut Vec<Value>, place: StepPlace<'_>) -> Result<Value, Failure>;

    /// What the last chunk did: changes, mails, files, notes, decisions.
    fn take_changes(&mut self) -> Vec<Change>;

    /// The decisions of the last chunk with their input, when they are traced.
    fn take_decisions(&mut self) -> Vec<Decision>;

    /// The flows that the last chunk starts.
    fn take_starts(&mut self) -> Vec<FlowStart> {
        Vec::new()
    }

    /// What the calls of the last chunk have shown of other systems.
    fn take_calls(&mut self) -> CallsMade {
        CallsMade::default()
    }

    /// What it takes to go on with the step of the last chunk, when that was put aside for a call.
    fn take_interrupted(&mut self) -> Option<Interrupted> {
        None
    }

    /// The next chunk goes on with a step that was put aside for a call.
    fn goes_on(&mut self, _before: Interrupted) {}

    /// The cause of a failure that is [`Failure::FATAL`].
    fn take_fatal(&mut self) -> Option<StoreError>;

    /// The world that steps act on.
    fn world(&mut self) -> &mut World;
}

/// The machine with the task executor as its host.
pub struct MachineWorker<'c> {
    machine: Machine<'c>,
    /// Executes the reactive rules while the other one waits for the write that has set them off.
    rules: Option<Machine<'c>>,
    world: World,
    watch: Option<Box<dyn EffectWatch>>,
    traces: bool,
    changes: Vec<Change>,
    decisions: Vec<Decision>,
    starts: Vec<FlowStart>,
    calls: CallsMade,
    interrupted: Option<Interrupted>,
    fatal: Option<StoreError>,
}

impl<'c> MachineWorker<'c> {
    /// For a program in a world. Decisions are kept account of when they are traced.
    pub fn new(code: &'c Code, limits: Limits, world: World, traces: bool) -> MachineWorker<'c> {
        let machine = Machine::new(code, limits);
        let rules = (!code.reactions.is_empty()).then(|| Machine::new(code, limits));
        MachineWorker {
            machine,
            rules,
            world,
            watch: None,
            traces,
            changes: Vec::new(),
            decisions: Vec::new(),
            starts: Vec::new(),
            calls: CallsMade::default(),
            interrupted: None,
            fatal: None,
        }
    }

    /// Tells somebody of each effect of a step.
    pub fn watched(mut self, watch: Box<dyn EffectWatch>) -> Self {
        self.watch = Some(watch);
        self
    }
}

impl Worker for MachineWorker<'_> {
    fn evaluate(&mut self, chunk: ChunkId, frame: &mut Vec<Value>) -> Result<Value, Failure> {
        let mut host = PureHost::new(self.machine.code()).tracing(self.traces);
        let result = self.machine.run(chunk, frame, &mut host);
        self.decisions = host.decisions;
        self.fatal = host.fatal;
        result
    }

    fn act(&mut self, chunk: ChunkId, frame: &mut Vec<Value>, place: StepPlace<'_>) -> Result<Value, Failure> {
        let mut label = String::new();
        let step = if place.path.is_empty() && !place.undo && place.round == 0 {
            place.step
        } else {
            label.push_str(if place.undo { "undo " } else { "" });
            label.push_str(place.step);
            for round in place.path {
                // Writing to a string does not fail.
                let _ = write!(label, "[{round}]");
            }
            if place.round > 0 {
                let _ = write!(label, " again {}", place.round);
            }
            &label
        };
        let rules = self.rules.as_mut().map(|rules| rules as &mut dyn Executes);
        let executor = Executor::new(&mut self.world, self.machine.code(), place.run, step);
        let mark = self.watch.as_ref().map_or(0, |watch| watch.mark());
        let watch = self.watch.as_mut().map(|watch| &mut **watch as &mut dyn EffectWatch);
        let executor = executor.tracing(self.traces).reacting(rules).watched(watch).until(place.until);
        let mut executor = executor.leaving(place.leaves, self.interrupted.take());
        let result = self.machine.run(chunk, frame, &mut executor);
        if result.as_ref().is_err_and(Failure::is_elsewhere) {
            self.interrupted = executor.interrupted();
        }
        let report = executor.into_report();
        if let (Err(_), Some(watch)) = (&result, &mut self.watch) {
            watch.take_back(mark);
        }
        self.changes = report.changes;
        self.decisions = report.decisions;
        self.starts = report.starts;
        self.calls = report.calls;
        self.fatal = report.fatal;
        result
    }

    fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    fn take_decisions(&mut self) -> Vec<Decision> {
        std::mem::take(&mut self.decisions)
    }

    fn take_starts(&mut self) -> Vec<FlowStart> {
        std::mem::take(&mut self.starts)
    }

    fn take_calls(&mut self) -> CallsMade {
        std::mem::take(&mut self.calls)
    }

    fn take_interrupted(&mut self) -> Option<Interrupted> {
        self.interrupted.take()
    }

    fn goes_on(&mut self, before: Interrupted) {
        self.interrupted = Some(before);
    }

    fn take_fatal(&mut self) -> Option<StoreError> {
        self.fatal.take()
    }

    fn world(&mut self) -> &mut World {
        &mut self.world
    }
}
