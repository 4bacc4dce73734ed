//! A loop that stops at the first failure undoes what all of its items had finished, wherever a process ends meanwhile.

use super::crash::Mortal;
use super::*;
use std::sync::{Arc, Mutex};

const HOUR: i64 = Duration::HOUR;

/// Items that begin something, which can be undone, and sleep; the shortest sleep ends in a failure.
fn stopping(script: &mut Script) -> usize {
    let begin = script.chunk(|frame, world| create(world, frame[0].as_text().unwrap()));
    let unmake = script.chunk(|frame, world| remove(world, frame[0].as_text().unwrap()));
    let nap = script.chunk(|frame, _| {
        let hours = frame[0].as_text().map_or(1, |text| text.len() as i64);
        Ok(Value::Duration(Duration::from_milliseconds(hours * HOUR)))
    });
    let check = script.chunk(|_, _| Err(fails("bad", "it is the first")));
    let nap = StepCode {
        body: StepAction::Wait(WaitCode::Sleep(nap)),
        effect: Effect::Calls,
        slot: None,
        ..step("nap", ChunkId(u32::MAX))
    };
    let begin = StepCode { undo: Some(unmake), slot: None, ..step("begin", begin) };
    let steps = vec![begin, nap, StepCode { slot: None, ..step("check", check) }];
    let items = ["a", "bbbb", "ccc", "ddddd"].map(Value::from).to_vec();
    let (list, parallel) = (script.value(Value::list(items)), Some(script.value(3)));
    let head = FlowInstruction::ForEach { list, slot: 0, second: None, parallel, stop_at_first_failure: true, end: 5 };
    let mut body = vec![head];
    body.extend((0..3).map(FlowInstruction::Step));
    body.push(FlowInstruction::Next);
    script.flow("batch", steps, body)
}

#[test]
fn what_all_items_have_finished_is_undone_wherever_the_process_ends() {
    for entries in 1..40 {
        let store = Arc::new(Mutex::new(MemoryStore::new(Vec::new())));
        let mut allowed = entries;
        for life in 0.. {
            assert!(life < 60, "no way forward with {entries} entries");
            let mut script = Script::default();
            let flow = stopping(&mut script);
            let (code, mut worker) = script.ready_on(Mortal::on(&store, allowed));
            let group = GroupLimits { entries: 1, time: Duration::from_milliseconds(i64::MAX) };
            let options = Options { group, patience: Duration::from_milliseconds(9 * HOUR), ..Options::default() };
            let mut silent = Silent;
            let mut engine = Engine::new(&code, &mut worker, &mut silent, options);
            let known = store.lock().unwrap().run(RunId(1)).unwrap();
            let came = match &known {
                None => engine.run(flow, vec![Value::from("")]),
                Some(_) => engine.resume(RunId(1)),
            };
            if came.is_ok() {
                assert_eq!(state(&mut worker, 1), RunState::Failed);
                assert_eq!(things(&mut worker), Vec::<String>::new(), "ended after {entries} entries");
                break;
            }
            allowed += 3;
        }
    }
}
