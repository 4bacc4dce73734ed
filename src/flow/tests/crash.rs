//! A process that ends at any entry of the journal leaves a run that comes to the same end.

use super::*;
use crate::compile::query::{QueryId, QueryPlan};
use crate::world::{
    Answer, InboxFilter, Message, OutboxEntry, Question, QuestionState, ReadyRun, Store, Wait, WaitKind, Waiting, Watch,
};
use std::sync::{Arc, Mutex};

type Kept<T> = std::result::Result<T, StoreError>;

/// A store that dies at an entry: what was not committed is gone, and nothing works any more.
#[derive(Clone)]
pub struct Mortal {
    inner: Arc<Mutex<MemoryStore>>,
    /// How many entries it still takes.
    left: Arc<Mutex<u32>>,
}

impl Mortal {
    pub fn on(inner: &Arc<Mutex<MemoryStore>>, entries: u32) -> Mortal {
        Mortal { inner: inner.clone(), left: Arc::new(Mutex::new(entries)) }
    }

    fn alive<T>(&self, work: impl FnOnce(&mut MemoryStore) -> Kept<T>) -> Kept<T> {
        if *self.left.lock().unwrap() == 0 {
            let (message, help) = ("the process has ended".to_string(), String::new());
            return Err(StoreError::Failed { code: "store::damaged", message, help });
        }
        work(&mut self.inner.lock().unwrap())
    }

    fn count(&self) {
        let mut left = self.left.lock().unwrap();
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.inner.lock().unwrap().rollback().unwrap();
        }
    }
}

impl crate::world::Leases for Mortal {}

impl Journal for Mortal {
    fn begin_run(&mut self, run: &RunRecord) -> Kept<Begin> {
        self.count();
        self.alive(|store| store.begin_run(run))
    }
    fn append(&mut self, run: RunId, entry: &Entry) -> Kept<()> {
        self.count();
        self.alive(|store| store.append(run, entry))
    }
    fn end_run(&mut self, run: RunId, state: RunState, outcome: &[u8], at: Instant) -> Kept<()> {
        self.count();
        self.alive(|store| store.end_run(run, state, outcome, at))
    }
    fn reopen_run(&mut self, run: RunId, with: &RunRecord) -> Kept<()> {
        self.count();
        self.alive(|store| store.reopen_run(run, with))
    }
    fn move_run(&mut self, run: RunId, version: &str, arguments: &[u8]) -> Kept<()> {
        self.count();
        self.alive(|store| store.move_run(run, version, arguments))
    }
    fn entries(&mut self, run: RunId) -> Kept<Vec<Entry>> {
        self.alive(|store| store.entries(run))
    }
    fn run(&mut self, run: RunId) -> Kept<Option<RunRecord>> {
        self.alive(|store| store.run(run))
    }
    fn runs(&mut self, filter: &RunFilter) -> Kept<Vec<RunRecord>> {
        self.alive(|store| store.runs(filter))
    }
    fn children(&mut self, run: RunId, limit: usize) -> Kept<Vec<RunRecord>> {
        self.alive(|store| store.children(run, limit))
    }
    fn count_children(&mut self, run: RunId) -> Kept<Vec<(EcoString, RunState, u64)>> {
        self.alive(|store| store.count_children(run))
    }
    fn keep_version(&mut self, version: &str, kept: &KeptVersion) -> Kept<()> {
        self.alive(|store| store.keep_version(version, kept))
    }
    fn version(&mut self, version: &str) -> Kept<Option<KeptVersion>> {
        self.alive(|store| store.version(version))
    }
}

impl Waiting for Mortal {
    fn watch(&mut self, run: RunId, watches: &[Watch]) -> Kept<()> {
        self.count();
        self.alive(|store| store.watch(run, watches))
    }
    fn holds_slot(&mut self, slot: &str, run: RunId) -> Kept<bool> {
        self.alive(|store| store.holds_slot(slot, run))
    }
    fn park(&mut self, run: RunId, wait: &Wait) -> Kept<()> {
        self.count();
        self.alive(|store| store.park(run, wait))
    }
    fn unpark(&mut self, run: RunId) -> Kept<bool> {
        self.count();
        self.alive(|store| store.unpark(run))
    }
    fn wait_of(&mut self, run: RunId) -> Kept<Option<Wait>> {
        self.alive(|store| store.wait_of(run))
    }
    fn wake(&mut self, run: RunId, at: Instant) -> Kept<bool> {
        self.alive(|store| store.wake(run, at))
    }
    fn ready(&mut self, now: Instant, limit: usize) -> Kept<Vec<ReadyRun>> {
        self.alive(|store| store.ready(now, limit))
    }
    fn next_wake(&mut self) -> Kept<Option<Instant>> {
        self.alive(MemoryStore::next_wake)
    }
    fn count_waiting(&mut self) -> Kept<Vec<(WaitKind, u64)>> {
        self.alive(MemoryStore::count_waiting)
    }
    fn join_run(&mut self, run: RunId, waiter: RunId) -> Kept<()> {
        self.count();
        self.alive(|store| store.join_run(run, waiter))
    }
    fn tell_end(&mut self, run: RunId, parent: Option<RunId>, now: Instant) -> Kept<Vec<RunId>> {
        self.count();
        self.alive(|store| store.tell_end(run, parent, now))
    }
    fn take_slot(&mut self, slot: &str, run: RunId, places: u64) -> Kept<bool> {
        self.count();
        self.alive(|store| store.take_slot(slot, run, places))
    }
    fn leave_slots(&mut self, run: RunId, now: Instant) -> Kept<Vec<RunId>> {
        self.count();
        self.alive(|store| store.leave_slots(run, now))
    }
    fn ask(&mut self, question: &Question) -> Kept<i64> {
        self.count();
        self.alive(|store| store.ask(question))
    }
    fn questions(&mut self, filter: &InboxFilter) -> Kept<Vec<Question>> {
        self.alive(|store| store.questions(filter))
    }
    fn question(&mut self, number: i64) -> Kept<Option<Question>> {
        self.alive(|store| store.question(number))
    }
    fn close_question(&mut self, number: i64, state: QuestionState, answer: Option<&Answer>) -> Kept<bool> {
        self.count();
        self.alive(|store| store.close_question(number, state, answer))
    }
}

impl Store for Mortal {
    fn begin(&mut self) -> Kept<()> {
        self.alive(MemoryStore::begin)
    }
    fn commit(&mut self) -> Kept<()> {
        self.alive(MemoryStore::commit)
    }
    fn rollback(&mut self) -> Kept<()> {
        self.alive(MemoryStore::rollback)
    }
    fn savepoint(&mut self) -> Kept<()> {
        self.alive(MemoryStore::savepoint)
    }
    fn release(&mut self) -> Kept<()> {
        self.alive(MemoryStore::release)
    }
    fn rollback_savepoint(&mut self) -> Kept<()> {
        self.alive(MemoryStore::rollback_savepoint)
    }
    fn get(&mut self, entity: RecordId, key: &Value) -> Kept<Option<Value>> {
        self.alive(|store| store.get(entity, key))
    }
    fn get_all(&mut self, entity: RecordId, keys: &[Value]) -> Kept<Vec<Option<Value>>> {
        self.alive(|store| store.get_all(entity, keys))
    }
    fn insert(&mut self, entity: RecordId, fields: Vec<Option<Value>>) -> Kept<Value> {
        self.alive(|store| store.insert(entity, fields))
    }
    fn update(&mut self, entity: RecordId, key: &Value, changes: &[(usize, Value)]) -> Kept<Value> {
        self.alive(|store| store.update(entity, key, changes))
    }
    fn delete(&mut self, entity: RecordId, key: &Value) -> Kept<bool> {
        self.alive(|store| store.delete(entity, key))
    }
    fn query(&mut self, id: QueryId, plan: &QueryPlan, parameters: &[Value]) -> Kept<Value> {
        self.alive(|store| store.query(id, plan, parameters))
    }
    fn next_in_sequence(&mut self, name: &str, from: i64) -> Kept<i64> {
        self.alive(|store| store.next_in_sequence(name, from))
    }
    fn add_to_outbox(&mut self, run: i64, message: &Message) -> Kept<i64> {
        self.alive(|store| store.add_to_outbox(run, message))
    }
    fn outbox(&mut self, limit: usize) -> Kept<Vec<OutboxEntry>> {
        self.alive(|store| store.outbox(limit))
    }
}

impl crate::world::Triggers for Mortal {}

impl crate::world::Outbox for Mortal {}

/// A flow with everything: items with undo, children with and without keys, a handler, a retry, branches, `start`.
fn everything(script: &mut Script) -> usize {
    // 0: child(it): writes "<it>-child" with a number from a sequence; fails for items with an x after writing.
    let make = script.chunk(|frame, world| {
        let world = world.unwrap();
        let number = world.store.next_in_sequence("numbers", 1).map_err(|error| fails("bad", &error.to_string()))?;
        let name = format!("{}-child-{number}", frame[0].as_text().unwrap());
        create(Some(world), &name)?;
        Ok(Value::from(name))
    });
    let unmake = script.chunk(|frame, world| remove(world, frame[1].as_text().unwrap()));
    let check = script.chunk(|frame, _| match frame[0].as_text().unwrap().contains('x') {
        true => Err(fails("bad", "has an x")),
        false => Ok(Value::None),
    });
    let result = script.slot(1);
    let steps =
        vec![StepCode { undo: Some(unmake), ..step("make", make) }, StepCode { slot: None, ..step("check", check) }];
    let body = vec![FlowInstruction::Step(0), FlowInstruction::Step(1), FlowInstruction::Return(Some(result))];
    let child = script.flow("child", steps.clone(), body.clone());
    let keyed = script.flow("keyed", steps, body);
    script.flows[keyed].key = Some(script.slot(0));

    // 2: parent
    let items = ["a", "bx", "c"].map(Value::from).to_vec();
    let list = script.value(Value::list(items));
    let argument = script.chunk(|frame, _| Ok(Value::list(vec![frame[0].clone()])));
    let note = script.chunk(|frame, world| {
        let name = format!("after-{}", frame[1].as_text().unwrap_or("nothing"));
        create(world, &name)
    });
    let mut failures = 2;
    let flaky = script.chunk(move |_, world| {
        create(world, "flaky")?;
        failures -= 1;
        if failures >= 0 { Err(fails("unavailable", "busy")) } else { Ok(Value::None) }
    });
    let (times, from) = (script.value(9), script.value(Duration::from_milliseconds(10)));
    let retry = Some(RetryCode { times, from: Some(from), doubling: true, up_to: None });
    let unnote = script.chunk(|_, world| create(world, "note undone"));
    let fail = script.chunk(|_, _| Err(fails("bad", "the end")));
    let handlers = vec![HandlerCode { error: error("bad"), slot: None, target: 7, leave: 0 }];
    let run_child = StepCode { body: StepAction::Run(child as u32, argument), ..step("run child", argument) };
    let steps = vec![
        StepCode { handlers, ..run_child },
        StepCode { undo: Some(unnote), ..step("note", note) },
        StepCode { retry, slot: None, ..step("flaky", flaky) },
    ];
    let for_each =
        FlowInstruction::ForEach { list, slot: 0, second: None, parallel: None, stop_at_first_failure: false, end: 6 };
    let body = vec![
        /* 0 */ for_each,
        /* 1 */ FlowInstruction::Run(keyed as u32, argument),
        /* 2 */ FlowInstruction::Run(child as u32, argument),
        /* 3 */ FlowInstruction::Step(0),
        /* 4 */ FlowInstruction::Start(child as u32, argument),
        /* 5 */ FlowInstruction::Next,
        /* 6 */ FlowInstruction::Step(0),
        /* 7 */ FlowInstruction::Step(2),
        /* 8 */ FlowInstruction::Step(1),
        /* 9 */ FlowInstruction::Fail(fail),
    ];
    script.flow("parent", steps, body)
}

/// Everything that can be seen from outside, without times.
fn end_state(store: &Arc<Mutex<MemoryStore>>) -> String {
    let mut store = store.lock().unwrap();
    let runs = store.runs(&RunFilter { limit: 99, ..RunFilter::default() }).unwrap();
    let mut out = format!("{:?}\n", store.all(THING));
    for run in runs {
        out += &format!("{:?} {:?} {} {:?} {:?}\n", run.id, run.parent, run.flow, run.state, run.outcome);
        for entry in store.entries(run.id).unwrap() {
            // Retries count on in the next life: the flaky step has a memory outside the store.
            if entry.kind != EntryKind::Summary && entry.kind != EntryKind::StepFailed {
                out += &format!("  {:?} {} {:?} {:?}\n", entry.kind, entry.step as i32, entry.path, entry.payload);
            }
        }
    }
    out
}

/// Lives until the end or so many entries; gives whether it came to the end.
fn live(store: &Arc<Mutex<MemoryStore>>, entries: u32, group: u32) -> bool {
    let mut script = Script::default();
    let flow = everything(&mut script);
    let mortal = Mortal::on(store, entries);
    let (code, mut worker) = script.ready_on(mortal);
    let options = Options {
        group: GroupLimits { entries: group, time: Duration::from_milliseconds(i64::MAX) },
        ..Options::default()
    };
    let mut silent = Silent;
    let left: Vec<RunId> = {
        let filter = RunFilter { state: Some(RunState::Running), top_level: true, limit: 99, ..RunFilter::default() };
        store.lock().unwrap().runs(&filter).unwrap().into_iter().rev().map(|run| run.id).collect()
    };
    if left.is_empty() && store.lock().unwrap().run(RunId(1)).unwrap().is_none() {
        return Engine::new(&code, &mut worker, &mut silent, options).run(flow, vec![Value::from("z")]).is_ok();
    }
    left.into_iter().all(|run| {
        let state = worker.world.store.run(run).ok().flatten().map(|run| run.state);
        state != Some(RunState::Running) || Engine::new(&code, &mut worker, &mut silent, options).resume(run).is_ok()
    })
}

#[test]
fn a_crash_at_any_entry_changes_nothing_in_the_end() {
    let undisturbed = Arc::new(Mutex::new(MemoryStore::new(Vec::new())));
    assert!(live(&undisturbed, u32::MAX, 1_000));
    let wanted = end_state(&undisturbed);
    insta::assert_snapshot!(wanted);
    for group in [1, 2, 5, 1_000] {
        for entry in 1..80 {
            let store = Arc::new(Mutex::new(MemoryStore::new(Vec::new())));
            let mut lives = 1;
            // Every life ends after so many entries; a life that commits nothing would end them all.
            if !live(&store, entry, group) {
                while !live(&store, if group > entry { u32::MAX } else { entry + 20 }, group) {
                    lives += 1;
                    assert!(lives < 100, "no way forward in groups of {group} with {entry} entries a life");
                }
            }
            assert_eq!(end_state(&store), wanted, "groups of {group}, ended after {entry} entries");
        }
    }
}
