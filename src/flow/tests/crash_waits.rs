//! A process that ends at any write of a flow that waits, is tried again, undone and goes on side by side leaves
//! runs that come to the same end.

use super::crash::Mortal;
use super::*;
use crate::flow::inbox::answer;
use crate::world::{InboxFilter, QuestionState, WaitKind, Waiting};
use std::sync::{Arc, Mutex};

const HOUR: i64 = Duration::HOUR;

fn named(script: &mut Script, what: &'static str) -> ChunkId {
    script.chunk(move |frame, world| {
        let name = format!("{} {what}", frame[0].as_text().unwrap_or("the run"));
        create(world, &name)
    })
}

fn unnamed(script: &mut Script, what: &'static str) -> ChunkId {
    script.chunk(move |frame, world| {
        let name = format!("{} {what}", frame[0].as_text().unwrap_or("the run"));
        remove(world, &name)
    })
}

fn waits(name: &str, wait: WaitCode) -> StepCode {
    StepCode { body: StepAction::Wait(wait), effect: Effect::Calls, slot: None, ..step(name, ChunkId(u32::MAX)) }
}

/// `child(it)`: makes a thing, sleeps, makes another; fails behind the sleep for items with a `y`. `keyed` is the same
/// with a key. `main`: items side by side that make, sleep or ask, run a child, are tried again, and fail for an `x`;
/// then branches, one of which waits for a record that a run makes which was started before; then it fails, and
/// everything is undone but what was made without an undo.
fn everything(script: &mut Script) -> usize {
    let (made, unmade) = (named(script, "of a child"), unnamed(script, "of a child"));
    let length = script.value(Duration::from_milliseconds(3 * HOUR));
    let check = script.chunk(|frame, _| match frame[0].as_text() {
        Some(text) if text.contains('y') => Err(fails("bad", "has a y")),
        _ => Ok(Value::None),
    });
    let behind = named(script, "behind its sleep");
    let steps = vec![
        StepCode { undo: Some(unmade), slot: None, ..step("make", made) },
        waits("nap", WaitCode::Sleep(length)),
        StepCode { slot: None, ..step("check", check) },
        StepCode { slot: None, ..step("behind", behind) },
    ];
    let body: Vec<_> = (0..4).map(FlowInstruction::Step).collect();
    let child = script.flow("child", steps.clone(), body.clone());
    let (made, unmade) = (named(script, "of a keyed child"), unnamed(script, "of a keyed child"));
    let behind = named(script, "behind its turn");
    let mut steps = steps;
    steps[0] = StepCode { undo: Some(unmade), slot: None, ..step("make", made) };
    steps[3] = StepCode { slot: None, ..step("behind", behind) };
    let keyed = script.flow("keyed", steps, body);
    script.flows[keyed].key = Some(script.slot(0));
    let one = script.value(1);
    script.flows[keyed].at_most = Some((one, None));

    // 2: makes the record that main waits for.
    let the_record = script.chunk(|_, world| create(world, "the record"));
    let half = script.value(Duration::from_milliseconds(HOUR / 2));
    let steps = vec![waits("nap", WaitCode::Sleep(half)), step("make", the_record)];
    let maker = script.flow("maker", steps, vec![FlowInstruction::Step(0), FlowInstruction::Step(1)]);

    let items = ["a", "bx", "c", "dy", "e"].map(Value::from).to_vec();
    let list = script.value(Value::list(items));
    let parallel = Some(script.value(3));
    let argument = script.chunk(|frame, _| Ok(Value::list(vec![frame[0].clone()])));
    let (began, unbegan) = (named(script, "began"), unnamed(script, "began"));
    let (role, question) = (script.value("finance"), script.slot(0));
    let nap = script.chunk(|frame, _| {
        let hours = frame[0].as_text().map_or(1, |text| text.len() as i64);
        Ok(Value::Duration(Duration::from_milliseconds(hours * HOUR)))
    });
    let flaky = script.chunk(|_, world| {
        let world = world.unwrap();
        // Fails in the first half of each four hours: what it says depends on nothing but the clock.
        match (world.clock.now().milliseconds() / (2 * HOUR)) % 2 {
            0 => Err(fails("unavailable", "busy")),
            _ => Ok(Value::None),
        }
    });
    let (times, from) = (script.value(90), script.value(Duration::from_milliseconds(HOUR / 4)));
    let retry = Some(RetryCode { times, from: Some(from), doubling: false, up_to: None });
    let check = script.chunk(|frame, _| match frame[0].as_text() {
        Some(text) if text.contains('x') => Err(fails("bad", "has an x")),
        _ => Ok(Value::None),
    });
    let ended = named(script, "ended");
    let find = script.chunk(|_, world| {
        let found = world.unwrap().store.get(THING, &Value::from("the record")).unwrap();
        Ok(found.unwrap_or_default())
    });
    let seen = script.chunk(|_, world| create(world, "the record was seen"));
    let unseen = script.chunk(|_, world| create(world, "seen was undone"));
    let other = script.chunk(|_, world| create(world, "the other branch"));
    let fail = script.chunk(|_, _| Err(fails("bad", "the end")));
    let ask = WaitCode::Ask { role, question, within: None, otherwise: None };
    let record = WaitCode::Record { entity: THING, find, by: None, within: None };
    let steps = vec![
        /* 0 */ StepCode { undo: Some(unbegan), slot: None, ..step("begin", began) },
        /* 1 */ waits("nap", WaitCode::Sleep(nap)),
        /* 2 */ StepCode { ty: Type::Bool, ..waits("ask", ask) },
        /* 3 */
        StepCode { body: StepAction::Run(child as u32, argument), slot: None, ..step("child", argument) },
        /* 4 */ StepCode { retry, slot: None, ..step("flaky", flaky) },
        /* 5 */ StepCode { slot: None, ..step("check", check) },
        /* 6 */ StepCode { slot: None, ..step("end", ended) },
        /* 7 */ StepCode { slot: None, ..waits("record", record) },
        /* 8 */ StepCode { undo: Some(unseen), slot: None, ..step("seen", seen) },
        /* 9 */ StepCode { slot: None, ..step("other", other) },
    ];
    let for_each =
        FlowInstruction::ForEach { list, slot: 0, second: None, parallel, stop_at_first_failure: false, end: 10 };
    let body = vec![
        /* 0 */ for_each,
        /* 1 */ FlowInstruction::Step(0),
        /* 2 */ FlowInstruction::Step(1),
        /* 3 */ FlowInstruction::Step(2),
        /* 4 */ FlowInstruction::Step(3),
        /* 5 */ FlowInstruction::Run(keyed as u32, argument),
        /* 6 */ FlowInstruction::Step(4),
        /* 7 */ FlowInstruction::Step(5),
        /* 8 */ FlowInstruction::Step(6),
        /* 9 */ FlowInstruction::Next,
        /* 10 */ FlowInstruction::Start(maker as u32, argument),
        /* 11 */ FlowInstruction::Parallel { branches: vec![12, 15], end: 18 },
        /* 12 */ FlowInstruction::Step(7),
        /* 13 */ FlowInstruction::Step(8),
        /* 14 */ FlowInstruction::Join,
        /* 15 */ FlowInstruction::Step(1),
        /* 16 */ FlowInstruction::Step(9),
        /* 17 */ FlowInstruction::Join,
        /* 18 */ FlowInstruction::Fail(fail),
    ];
    script.flow("main", steps, body)
}

/// What can be seen from outside, without times and numbers.
fn end_state(store: &Arc<Mutex<MemoryStore>>) -> String {
    let mut store = store.lock().unwrap();
    let things = store.all(THING);
    let mut lines: Vec<String> =
        things.iter().map(|thing| thing.fields().unwrap()[0].as_text().unwrap().to_string()).collect();
    let runs = store.runs(&RunFilter { limit: 99, ..RunFilter::default() }).unwrap();
    let mut of_runs = Vec::new();
    for run in &runs {
        let arguments = crate::value::decode(&run.arguments).unwrap();
        let mut done: Vec<String> = store
            .entries(run.id)
            .unwrap()
            .iter()
            .filter(|entry| matches!(entry.kind, EntryKind::StepDone | EntryKind::Undone | EntryKind::ItemFailed))
            .map(|entry| format!("{:?}{}{:?}", entry.kind, entry.step as i32, entry.path))
            .collect();
        done.sort();
        of_runs.push(format!(
            "{} {:?} {:?}: {}",
            run.flow,
            arguments.as_list().unwrap()[0].as_text(),
            run.state,
            done.join(" ")
        ));
    }
    of_runs.sort();
    lines.extend(of_runs);
    let questions = store.questions(&InboxFilter { limit: 99, ..InboxFilter::default() }).unwrap();
    let mut asked: Vec<String> =
        questions.iter().map(|question| format!("{} {:?}", question.question, question.state)).collect();
    asked.sort();
    lines.extend(asked);
    let waiting: Vec<(WaitKind, u64)> = store.count_waiting().unwrap();
    lines.push(format!("{waiting:?}"));
    lines.join("\n")
}

/// Lives until nothing is left to be done, or so many writes; gives whether it came to the end, and the time.
fn live(store: &Arc<Mutex<MemoryStore>>, writes: u32, group: u32, patience: i64, now: Instant) -> (bool, Instant) {
    let mut script = Script::default();
    let flow = everything(&mut script);
    let (code, mut worker) = script.ready_on(Mortal::on(store, writes));
    worker.world.clock = Box::new(FixedClock { now, zone: jiff::tz::TimeZone::UTC });
    let options = Options {
        group: GroupLimits { entries: group, time: Duration::from_milliseconds(i64::MAX) },
        patience: Duration::from_milliseconds(patience),
        ..Options::default()
    };
    let begun = store.lock().unwrap().run(RunId(1)).unwrap().is_some();
    if !begun && Engine::new(&code, &mut worker, &mut Silent, options).run(flow, vec![Value::from("z")]).is_err() {
        return (false, worker.world.clock.now());
    }
    for _ in 0..10_000 {
        let now = worker.world.clock.now();
        // What a process has left first; a child goes on with the parent that runs it.
        let running = RunFilter { state: Some(RunState::Running), limit: 99, ..RunFilter::default() };
        let left: Vec<RunRecord> = store.lock().unwrap().runs(&running).unwrap();
        let is_left = |run: &&RunRecord| left.iter().all(|other| Some(other.id) != run.parent);
        let mut next: Vec<RunId> = left.iter().filter(is_left).map(|run| run.id).collect();
        if next.is_empty() {
            next = store.lock().unwrap().ready(now, 2).unwrap().iter().map(|ready| ready.run).collect();
        }
        for run in &next {
            if Engine::new(&code, &mut worker, &mut Silent, options).resume(*run).is_err() {
                return (false, worker.world.clock.now());
            }
        }
        if !next.is_empty() {
            continue;
        }
        let open = InboxFilter { state: Some(QuestionState::Open), limit: 1, ..InboxFilter::default() };
        let mut store = store.lock().unwrap();
        if let Some(question) = store.questions(&open).unwrap().first() {
            answer(&mut *store, question.number, "yes", "ada", now).unwrap();
            continue;
        }
        match store.next_wake().unwrap() {
            Some(wake) => worker.world.clock.sleep(wake.since(now)),
            None => return (true, now),
        }
    }
    panic!("it never ends");
}

#[test]
fn a_crash_at_any_write_of_what_waits_changes_nothing_in_the_end() {
    let undisturbed = Arc::new(Mutex::new(MemoryStore::new(Vec::new())));
    assert!(live(&undisturbed, u32::MAX, 1_000, 0, Instant::EPOCH).0);
    let wanted = end_state(&undisturbed);
    insta::assert_snapshot!(wanted);
    for (group, patience) in [(1, 0), (7, HOUR), (1_000, 0)] {
        for writes in 1..220 {
            let store = Arc::new(Mutex::new(MemoryStore::new(Vec::new())));
            let (mut ended, mut now) = live(&store, writes, group, patience, Instant::EPOCH);
            let mut lives = 1;
            while !ended {
                let further = if group > writes { u32::MAX } else { writes + 40 };
                (ended, now) = live(&store, further, group, patience, now);
                lives += 1;
                assert!(lives < 200, "no way forward in groups of {group} with {writes} writes a life");
            }
            assert_eq!(end_state(&store), wanted, "groups of {group}, ended after {writes} writes");
        }
    }
}
