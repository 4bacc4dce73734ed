//! What waits: both stores do the same.

use super::fixture::*;
use crate::value::{Instant, Value};
use crate::world::{
    Answer, Begin, InboxFilter, MemoryStore, Question, QuestionState, RunId, RunRecord, RunState, Store, Wait,
    WaitKind, Watch,
};
use std::fmt::Write;

fn at(milliseconds: i64) -> Instant {
    Instant::from_milliseconds(milliseconds).unwrap()
}

fn begin(store: &mut dyn Store, flow: &str, parent: Option<RunId>) -> RunId {
    let record = RunRecord {
        id: RunId(0),
        parent,
        starter: Default::default(),
        flow: flow.into(),
        key: None,
        version: "v1".into(),
        arguments: Vec::new(),
        fingerprint: [0; 16],
        state: RunState::Running,
        outcome: Vec::new(),
        started: at(0),
        ended: None,
    };
    match store.begin_run(&record).unwrap() {
        Begin::New(id) => id,
        Begin::Known(known) => panic!("{known:?}"),
    }
}

fn question(run: RunId, role: &str) -> Question {
    Question {
        number: 0,
        run,
        flow: "ignored".into(),
        step: "approval".into(),
        path: vec![3, 0],
        role: role.into(),
        question: "Refund?".into(),
        form: "\"yes_no\"".into(),
        asked: at(5),
        until: Some(at(50)),
        state: QuestionState::Open,
        answer: None,
    }
}

fn ready(store: &mut dyn Store, now: i64, limit: usize) -> Vec<i64> {
    store.ready(at(now), limit).unwrap().iter().map(|each| each.run.0).collect()
}

/// Does everything once; gives what came of it.
fn transcript(store: &mut dyn Store) -> String {
    let mut said = String::new();
    let until = |wake: i64, priority: i64| Wait { priority, ..Wait::until(at(wake), "a moment") };
    store.begin().unwrap();
    let runs: Vec<RunId> = ["a", "a", "a", "b", "b", "c"].iter().map(|flow| begin(store, flow, None)).collect();
    for (run, wake) in runs.iter().zip([10, 11, 12, 13, 14]) {
        store.park(*run, &until(wake, 0)).unwrap();
    }
    store.park(runs[5], &until(15, 2)).unwrap();
    writeln!(said, "by priority, in turn, oldest: {:?}", ready(store, 20, 9)).unwrap();
    writeln!(said, "some: {:?}; due at 12: {:?}", ready(store, 20, 3), ready(store, 12, 9)).unwrap();
    writeln!(said, "next: {:?}, {:?}", store.next_wake().unwrap(), store.count_waiting().unwrap()).unwrap();
    writeln!(said, "up: {} {}", store.unpark(runs[0]).unwrap(), store.unpark(runs[0]).unwrap()).unwrap();
    writeln!(said, "{:?} {:?}", store.run(runs[0]).unwrap().unwrap().state, store.run(runs[1]).unwrap().unwrap().state)
        .unwrap();
    for run in &runs[1..] {
        store.unpark(*run).unwrap();
    }

    // Records.
    let watch = |with| Watch { entity: CUSTOMER, with };
    let key = |id: &str| Some((0, Value::from(id)));
    let record = |watch: &Watch| Wait {
        kind: WaitKind::Record,
        wake: None,
        watches: vec![watch.clone()],
        ..Wait::until(at(0), "a Customer")
    };
    for (run, watch) in runs.iter().zip([watch(key("c1")), watch(key("c2")), watch(None)]) {
        store.watch(*run, std::slice::from_ref(&watch)).unwrap();
        store.park(*run, &record(&watch)).unwrap();
    }
    writeln!(said, "before: {:?}", ready(store, 20, 9)).unwrap();
    store.insert(PRODUCT, product("p", "1.00", 1)).unwrap();
    writeln!(said, "another entity: {:?}", ready(store, 20, 9)).unwrap();
    store.savepoint().unwrap();
    store.insert(CUSTOMER, customer("c2")).unwrap();
    writeln!(said, "c2: {:?}", ready(store, 20, 9)).unwrap();
    store.rollback_savepoint().unwrap();
    writeln!(said, "taken back: {:?}", ready(store, 20, 9)).unwrap();
    store.insert(CUSTOMER, customer("c1")).unwrap();
    writeln!(said, "c1: {:?}", ready(store, 20, 9)).unwrap();
    // A change between looking and parking is not missed.
    let late = watch(key("c3"));
    store.watch(runs[3], std::slice::from_ref(&late)).unwrap();
    store.insert(CUSTOMER, customer("c3")).unwrap();
    store.park(runs[3], &record(&late)).unwrap();
    writeln!(said, "c3: {:?}", ready(store, 20, 9)).unwrap();
    for run in &runs {
        store.unpark(*run).unwrap();
    }

    // Runs that wait for runs.
    let child = begin(store, "c", Some(runs[0]));
    let other = begin(store, "c", Some(runs[0]));
    let of_runs = |runs| Wait { runs, ..Wait::for_run("runs") };
    store.park(runs[0], &of_runs(2)).unwrap();
    store.park(runs[1], &of_runs(1)).unwrap();
    store.join_run(child, runs[1]).unwrap();
    writeln!(said, "one ends: {:?}", store.tell_end(child, Some(runs[0]), at(30)).unwrap()).unwrap();
    writeln!(said, "the other: {:?}", store.tell_end(other, Some(runs[0]), at(31)).unwrap()).unwrap();
    writeln!(said, "{:?} {:?}", store.wait_of(runs[0]).unwrap().unwrap().wake, ready(store, 40, 9)).unwrap();
    store.unpark(runs[0]).unwrap();
    store.unpark(runs[1]).unwrap();

    // Turns.
    let turn = |priority| Wait {
        kind: WaitKind::Slot,
        wake: None,
        priority,
        slot: Some("s".into()),
        ..Wait::until(at(0), "its turn")
    };
    let took: Vec<bool> = runs[..4].iter().map(|run| store.take_slot("s", *run, 2).unwrap()).collect();
    writeln!(said, "two places: {took:?}, again {}", store.take_slot("s", runs[0], 2).unwrap()).unwrap();
    store.park(runs[2], &turn(0)).unwrap();
    store.park(runs[3], &turn(1)).unwrap();
    writeln!(said, "left: {:?}", store.leave_slots(runs[0], at(60)).unwrap()).unwrap();
    let holds: Vec<bool> = runs[..4].iter().map(|run| store.holds_slot("s", *run).unwrap()).collect();
    writeln!(said, "now: {holds:?}, {:?}", ready(store, 60, 9)).unwrap();
    store.unpark(runs[2]).unwrap();
    store.unpark(runs[3]).unwrap();

    // Questions.
    let numbers: Vec<i64> =
        ["finance", "stock"].iter().map(|role| store.ask(&question(runs[4], role)).unwrap()).collect();
    store.park(runs[4], &Wait { kind: WaitKind::Person, wake: None, ..Wait::until(at(0), "people") }).unwrap();
    let asked = |store: &mut dyn Store, filter: InboxFilter| -> Vec<(i64, QuestionState)> {
        let found = store.questions(&InboxFilter { limit: 9, ..filter }).unwrap();
        found.iter().map(|each| (each.number, each.state)).collect()
    };
    writeln!(said, "{:?}", store.question(numbers[0]).unwrap().unwrap()).unwrap();
    writeln!(said, "{:?}", asked(store, InboxFilter { role: Some("stock".into()), ..InboxFilter::default() })).unwrap();
    let answer = Answer { value: vec![1], by: "ada".into(), at: at(45) };
    let close = |store: &mut dyn Store, state| store.close_question(numbers[0], state, Some(&answer)).unwrap();
    writeln!(said, "{} {}", close(store, QuestionState::Answered), close(store, QuestionState::Withdrawn)).unwrap();
    writeln!(said, "{:?}", store.question(numbers[0]).unwrap().unwrap().answer).unwrap();
    let open = InboxFilter { state: Some(QuestionState::Open), run: Some(runs[4]), ..InboxFilter::default() };
    writeln!(said, "{:?} {:?} {:?}", asked(store, open), ready(store, 44, 9), ready(store, 45, 9)).unwrap();
    store.commit().unwrap();
    said
}

#[test]
fn both_stores_keep_what_waits_alike() {
    let folder = tempfile::tempdir().unwrap();
    let mut on_disk = open(&folder.path().join("store.db"), &shop());
    let mut in_memory = MemoryStore::new(shop());
    let said = transcript(&mut on_disk);
    insta::assert_snapshot!(said);
    assert_eq!(transcript(&mut in_memory), said);
}
