//! What the engine promises, shown on small flows whose chunks are closures.

mod crash;
mod crash_end;
mod crash_stop;
mod crash_waits;
mod elsewhere;
mod features;
mod side_by_side;
mod waits;

use super::*;
use crate::check::program::{Effect, ErrorType, Type};
use crate::compile::code::{ChunkId, Code};
use crate::compile::flow::{FlowCode, FlowInstruction, HandlerCode, RetryCode, StepAction, StepCode, WaitCode};
use crate::task::Leaves;
use crate::text::Span;
use crate::value::{Duration, ErrorId, Instant, RecordId, Value};
use crate::vm::{Decision, Failure};
use crate::world::{FixedClock, MemoryFiles, MemoryStore, NoDocuments, SeededRandom, StoreError, World};
use ecow::EcoString;
use std::cell::Cell;
use std::rc::Rc;

/// The errors that the flows of the tests know.
pub const ERRORS: &[(&str, bool)] = &[
    ("not_found", false),
    ("key_conflict", false),
    ("limit_reached", false),
    ("bad_value", false),
    ("timed_out", true),
    ("bad", false),
    ("unavailable", true),
    ("cancelled", false),
];

/// The entity that steps write.
pub const THING: RecordId = RecordId(0);

/// What a closure of a chunk is given: the frame and the world, none outside steps.
pub type Act = Box<dyn FnMut(&mut Vec<Value>, Option<&mut World>) -> Result<Value, Failure>>;

/// A worker whose chunks are closures.
pub struct Scripted {
    pub chunks: Vec<Act>,
    pub world: World,
    /// How often a chunk of a step was begun.
    pub acts: usize,
    /// Whether the chunk at work may leave a part of its work to another thread.
    pub leaves: Rc<Cell<bool>>,
    changes: Vec<Change>,
}

impl Worker for Scripted {
    fn evaluate(&mut self, chunk: ChunkId, frame: &mut Vec<Value>) -> Result<Value, Failure> {
        self.chunks[chunk.0 as usize](frame, None)
    }

    fn act(&mut self, chunk: ChunkId, frame: &mut Vec<Value>, place: StepPlace<'_>) -> Result<Value, Failure> {
        self.acts += 1;
        self.leaves.set(place.leaves != Leaves::Nothing);
        self.chunks[chunk.0 as usize](frame, Some(&mut self.world))
    }

    fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    fn take_decisions(&mut self) -> Vec<Decision> {
        Vec::new()
    }

    fn take_fatal(&mut self) -> Option<StoreError> {
        None
    }

    fn world(&mut self) -> &mut World {
        &mut self.world
    }
}

pub fn error(name: &str) -> ErrorId {
    ErrorId(ERRORS.iter().position(|(known, _)| *known == name).unwrap() as u32)
}

/// A failure with a text.
pub fn fails(name: &str, why: &str) -> Failure {
    Failure { error: error(name), fields: vec![Value::from(why)], span: Span::default(), trace: Vec::new() }
}

/// Writes a thing.
pub fn create(world: Option<&mut World>, key: &str) -> Result<Value, Failure> {
    let world = world.expect("things are written in steps");
    match world.store.insert(THING, vec![Some(Value::from(key))]) {
        Ok(thing) => Ok(thing),
        Err(error) => Err(fails("bad", &error.to_string())),
    }
}

/// Takes a thing away.
pub fn remove(world: Option<&mut World>, key: &str) -> Result<Value, Failure> {
    world.expect("things are taken away in steps").store.delete(THING, &Value::from(key)).unwrap();
    Ok(Value::None)
}

/// Builds flows.
#[derive(Default)]
pub struct Script {
    pub flows: Vec<FlowCode>,
    pub chunks: Vec<Act>,
    pub leaves: Rc<Cell<bool>>,
}

impl Script {
    pub fn chunk(
        &mut self,
        act: impl FnMut(&mut Vec<Value>, Option<&mut World>) -> Result<Value, Failure> + 'static,
    ) -> ChunkId {
        self.chunks.push(Box::new(act));
        ChunkId(self.chunks.len() as u32 - 1)
    }

    pub fn value(&mut self, value: impl Into<Value>) -> ChunkId {
        let value = value.into();
        self.chunk(move |_, _| Ok(value.clone()))
    }

    /// Gives the text in a slot.
    pub fn slot(&mut self, slot: usize) -> ChunkId {
        self.chunk(move |frame, _| Ok(frame[slot].clone()))
    }

    pub fn flow(&mut self, name: &str, steps: Vec<StepCode>, instructions: Vec<FlowInstruction>) -> usize {
        let spans = vec![Span::default(); instructions.len()];
        self.flows.push(FlowCode {
            name: name.into(),
            parameters: vec!["it".into()],
            parameter_types: vec![Type::Text],
            parameter_defaults: vec![None],
            hidden: Default::default(),
            result: Type::Nothing,
            frame: 4,
            key: None,
            at_most: None,
            priority: None,
            deadline: None,
            instructions,
            spans,
            steps,
            effect: Effect::Writes,
            span: Span::default(),
        });
        self.flows.len() - 1
    }

    /// A store that has nothing in it, and all that is needed to run the flows.
    pub fn ready(self) -> (Code, Scripted) {
        self.ready_on(MemoryStore::new(Vec::new()))
    }

    pub fn ready_on(self, store: impl crate::world::Store + 'static) -> (Code, Scripted) {
        let errors = ERRORS.iter().map(|(name, transient)| ErrorType {
            name: EcoString::from(*name),
            transient: *transient,
            fields: Vec::new(),
            documentation: EcoString::new(),
            span: Span::default(),
        });
        let errors: Vec<ErrorType> = errors.collect();
        let names = crate::compile::names::Names::new(&[], &[], &errors);
        let code = Code { flows: self.flows, errors, names, version: "v1".into(), ..Code::default() };
        let world = World {
            store: Box::new(store),
            clock: Box::new(FixedClock { now: Instant::EPOCH, zone: jiff::tz::TimeZone::UTC }),
            random: Box::new(SeededRandom(1)),
            files: Box::new(MemoryFiles::default()),
            documents: Box::new(NoDocuments),
            web: Box::new(crate::world::NoWeb),
            secrets: crate::world::Secrets::default(),
            settings: Default::default(),
        };
        (code, Scripted { chunks: self.chunks, world, acts: 0, leaves: self.leaves, changes: Vec::new() })
    }
}

pub fn step(name: &str, body: ChunkId) -> StepCode {
    StepCode {
        name: name.into(),
        slot: Some(1),
        is_read: true,
        ty: Type::Text,
        body: StepAction::Chunk(body),
        retry: None,
        timeout: None,
        undo: None,
        handlers: Vec::new(),
        effect: Effect::Writes,
        span: Span::default(),
    }
}

pub fn run(code: &Code, worker: &mut Scripted, flow: usize, argument: &str) -> Result<Summary, Broken> {
    let mut silent = Silent;
    Engine::new(code, worker, &mut silent, Options::default()).run(flow, vec![Value::from(argument)])
}

/// An engine with patience for so many milliseconds goes on with a run.
pub fn resume(code: &Code, worker: &mut Scripted, run: i64, patience: i64) -> Result<Summary, Broken> {
    let options = Options { patience: Duration::from_milliseconds(patience), ..Options::default() };
    Engine::new(code, worker, &mut Silent, options).resume(RunId(run))
}

/// Lets time pass.
pub fn pass(worker: &mut Scripted, milliseconds: i64) {
    worker.world.clock.sleep(Duration::from_milliseconds(milliseconds));
}

/// Goes on with everything that is due, until nothing is; gives the runs in the order in which they went on.
pub fn serve(code: &Code, worker: &mut Scripted) -> Vec<i64> {
    let mut order = Vec::new();
    loop {
        let now = worker.world.clock.now();
        let ready = worker.world.store.ready(now, 3).unwrap();
        if ready.is_empty() {
            return order;
        }
        let runs: Vec<RunId> = ready.iter().map(|each| each.run).collect();
        let options = Options { patience: Duration::ZERO, ..Options::default() };
        Engine::new(code, worker, &mut Silent, options).resume_all(&runs).unwrap();
        order.extend(runs.iter().map(|run| run.0));
        assert!(order.len() < 1000, "a run is woken without end: {order:?}");
    }
}

/// How a run stands.
pub fn state(worker: &mut Scripted, run: i64) -> RunState {
    worker.world.store.run(RunId(run)).unwrap().unwrap().state
}

/// The keys of the things in the store.
pub fn things(worker: &mut Scripted) -> Vec<String> {
    // The plan asks for all of them.
    let plan = crate::compile::query::QueryPlan {
        entity: THING,
        joins: Vec::new(),
        filter: None,
        order: Vec::new(),
        limit: None,
        offset: None,
        output: crate::compile::query::Output::Records,
        parameters: 0,
    };
    let found = worker.world.store.query(crate::compile::query::QueryId(0), &plan, &[]).unwrap();
    let key = |thing: &Value| thing.fields().unwrap()[0].as_text().unwrap().to_string();
    found.as_list().unwrap().iter().map(key).collect()
}

/// The journal of a run, a line an entry.
pub fn journal(worker: &mut Scripted, run: i64) -> Vec<String> {
    let entries = worker.world.store.entries(RunId(run)).unwrap();
    entries.iter().map(|entry| format!("{:?} {} {:?}", entry.kind, entry.step as i32, entry.path)).collect()
}
