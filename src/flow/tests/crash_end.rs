//! An item that ends the run, or the loop, before the others have ended: what becomes of those is the same wherever a
//! process ends meanwhile, and however long nobody goes on.

use super::crash::Mortal;
use super::*;
use crate::world::{InboxFilter, QuestionState, Waiting};
use std::sync::{Arc, Mutex};

const HOUR: i64 = Duration::HOUR;

/// `for it in items, parallel 3 { step begin = create(it) undo …; step nap = sleep(…); end; step mark = create(it marked);
/// step ask = ask(…) }`: for `a`, whose nap is the shortest, `end` is the end of the run or of the loop.
fn ended_by_one(script: &mut Script, end: FlowInstruction, stop_at_first_failure: bool) -> usize {
    let begin = script.chunk(|frame, world| create(world, frame[0].as_text().unwrap()));
    let unmake = script.chunk(|frame, world| remove(world, frame[0].as_text().unwrap()));
    let nap = script.chunk(|frame, _| {
        let hours = frame[0].as_text().map_or(1, |text| text.len() as i64);
        Ok(Value::Duration(Duration::from_milliseconds(hours * HOUR)))
    });
    let mark = script.chunk(|frame, world| {
        let name = format!("{} marked", frame[0].as_text().unwrap());
        create(world, &name)
    });
    let is_a = script.chunk(|frame, _| Ok(Value::Bool(frame[0].as_text() == Some("a"))));
    let (role, question) = (script.value("finance"), script.slot(0));
    let waits = |name: &str, wait: WaitCode| StepCode {
        body: StepAction::Wait(wait),
        effect: Effect::Calls,
        slot: None,
        ..step(name, ChunkId(u32::MAX))
    };
    let ask = WaitCode::Ask { role, question, within: None, otherwise: None };
    let steps = vec![
        StepCode { undo: Some(unmake), slot: None, ..step("begin", begin) },
        StepCode { ty: Type::Bool, ..waits("ask", ask) },
        waits("nap", WaitCode::Sleep(nap)),
        StepCode { slot: None, ..step("mark", mark) },
    ];
    let is_x = script.chunk(|frame, _| Ok(Value::Bool(frame[0].as_text() == Some("xx"))));
    let items = ["a", "xx", "ccc", "dddd", "eeeee"].map(Value::from).to_vec();
    let (list, parallel) = (script.value(Value::list(items)), Some(script.value(3)));
    let body = vec![
        FlowInstruction::ForEach { list, slot: 0, second: None, parallel, stop_at_first_failure, end: 9 },
        FlowInstruction::Step(0),
        FlowInstruction::JumpUnless(is_x, 4),
        FlowInstruction::Step(1),
        FlowInstruction::Step(2),
        FlowInstruction::JumpUnless(is_a, 7),
        end,
        FlowInstruction::Step(3),
        FlowInstruction::Next,
    ];
    script.flow("batch", steps, body)
}

/// What there is in the end, when the process ends after so many writes. When `a` is known to have come to its end, nobody
/// goes on for a day: by then all naps are over.
fn end_state(
    end: &dyn Fn(&mut Script) -> FlowInstruction,
    stops: bool,
    writes: u32,
) -> (RunState, Vec<String>, String) {
    let store = Arc::new(Mutex::new(MemoryStore::new(Vec::new())));
    for allowed in [writes, u32::MAX] {
        let mut script = Script::default();
        let end = end(&mut script);
        let flow = ended_by_one(&mut script, end, stops);
        let (code, mut worker) = script.ready_on(Mortal::on(&store, allowed));
        let entries = store.lock().unwrap().entries(RunId(1)).unwrap();
        if entries.iter().any(|entry| (entry.kind, entry.step, &*entry.path) == (EntryKind::StepDone, 2, &[0])) {
            pass(&mut worker, 24 * HOUR);
        }
        let group = GroupLimits { entries: 1, time: Duration::from_milliseconds(i64::MAX) };
        let options = Options { group, patience: Duration::from_milliseconds(9 * HOUR), ..Options::default() };
        let known = store.lock().unwrap().run(RunId(1)).unwrap();
        let mut silent = Silent;
        let mut engine = Engine::new(&code, &mut worker, &mut silent, options);
        let came = match &known {
            None => engine.run(flow, vec![Value::from("")]),
            Some(_) => engine.resume(RunId(1)),
        };
        if came.is_ok() {
            let mut store = store.lock().unwrap();
            let state = store.run(RunId(1)).unwrap().unwrap().state;
            let all = store.all(THING);
            let things = all.iter().map(|thing| thing.fields().unwrap()[0].as_text().unwrap().to_string()).collect();
            let questions = store.questions(&InboxFilter { limit: 9, ..InboxFilter::default() }).unwrap();
            assert!(questions.iter().all(|question| question.state != QuestionState::Open), "{writes}: {questions:?}");
            return (state, things, format!("{} questions", questions.len()));
        }
    }
    panic!("the second life does not come to its end")
}

#[test]
fn what_the_others_have_begun_when_one_returns_is_given_up_wherever_the_process_ends() {
    for end in [FlowInstruction::Return(None), FlowInstruction::Stop(None)] {
        let end = |_: &mut Script| end.clone();
        let wanted = end_state(&end, false, 1000);
        let begun = ["a", "ccc", "xx"].map(String::from).to_vec();
        assert_eq!(wanted, (RunState::Done, begun, "1 questions".to_string()));
        for writes in 1..25 {
            assert_eq!(end_state(&end, false, writes), wanted, "ended after {writes} writes");
        }
    }
}

#[test]
fn nobody_goes_further_than_the_first_failure_let_them_wherever_the_process_ends() {
    let end = |script: &mut Script| FlowInstruction::Fail(script.chunk(|_, _| Err(fails("bad", "it is the first"))));
    let wanted = end_state(&end, true, 1000);
    assert_eq!(wanted, (RunState::Failed, Vec::new(), "1 questions".to_string()));
    for writes in 1..25 {
        assert_eq!(end_state(&end, true, writes), wanted, "ended after {writes} writes");
    }
}
