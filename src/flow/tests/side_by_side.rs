//! `parallel n` and `parallel { }`: what waits does not keep the others up.

use super::*;
use crate::flow::inbox::answer;
use crate::world::{InboxFilter, QuestionState};

fn texts(items: &[&str]) -> Value {
    Value::list(items.iter().map(|item| Value::from(*item)).collect())
}

/// `for it in items, parallel n { step begin = create(it-began) undo …; step wait = …; step end = create(it-ended) }`
/// with `wait` at index 1.
fn items(script: &mut Script, names: &[&str], at_once: i64, wait: StepCode, stop_at_first_failure: bool) -> usize {
    let list = script.value(texts(names));
    let parallel = Some(script.value(at_once));
    let make = |script: &mut Script, what: &'static str| {
        script.chunk(move |frame, world| {
            let name = format!("{}-{what}", frame[0].as_text().unwrap());
            create(world, &name)
        })
    };
    let (began, ended) = (make(script, "began"), make(script, "ended"));
    let unmake = script.chunk(|frame, world| {
        let name = format!("{}-began", frame[0].as_text().unwrap());
        remove(world, &name)
    });
    let steps = vec![StepCode { undo: Some(unmake), ..step("begin", began) }, wait, step("end", ended)];
    let body = vec![
        FlowInstruction::ForEach { list, slot: 0, second: None, parallel, stop_at_first_failure, end: 5 },
        FlowInstruction::Step(0),
        FlowInstruction::Step(1),
        FlowInstruction::Step(2),
        FlowInstruction::Next,
    ];
    script.flow("batch", steps, body)
}

fn nap(script: &mut Script, length: impl Fn(&str) -> i64 + 'static) -> StepCode {
    let length = script
        .chunk(move |frame, _| Ok(Value::Duration(Duration::from_milliseconds(length(frame[0].as_text().unwrap())))));
    StepCode { body: StepAction::Wait(WaitCode::Sleep(length)), slot: Some(2), ..step("nap", length) }
}

#[test]
fn at_most_n_items_are_in_flight_and_they_end_as_they_can() {
    let mut script = Script::default();
    let wait = nap(&mut script, |name| match name {
        "slow" => 30_000,
        _ => 1_000,
    });
    let flow = items(&mut script, &["slow", "b", "c", "d"], 2, wait, false);
    let (code, mut worker) = script.ready();
    let summary = run(&code, &mut worker, flow, "").unwrap();
    assert_eq!((summary.loops[0].done, summary.waiting), (4, None));
    // The slow one has waited while three others went through one after the other.
    assert_eq!(worker.world.clock.now().milliseconds(), 30_000);
    insta::assert_snapshot!(journal(&mut worker, 1).join("\n"), @r"
    StepDone 0 [0]
    WaitBegan 1 [0]
    StepDone 0 [1]
    WaitBegan 1 [1]
    StepDone 1 [1]
    StepDone 2 [1]
    StepDone 0 [2]
    WaitBegan 1 [2]
    StepDone 1 [2]
    StepDone 2 [2]
    StepDone 0 [3]
    WaitBegan 1 [3]
    StepDone 1 [3]
    StepDone 2 [3]
    StepDone 1 [0]
    StepDone 2 [0]
    Summary -1 []
    ");
}

#[test]
fn long_waits_of_items_park_the_run_which_is_woken_for_each() {
    let mut script = Script::default();
    let wait = nap(&mut script, |name| Duration::DAY * name.len() as i64);
    let flow = items(&mut script, &["aaa", "b", "cc", "d"], 3, wait, false);
    let (code, mut worker) = script.ready();
    let waiting = run(&code, &mut worker, flow, "").unwrap().waiting.unwrap();
    assert_eq!(waiting.wake.unwrap().milliseconds(), Duration::DAY);
    assert_eq!(things(&mut worker), ["aaa-began", "b-began", "cc-began"]);
    let mut woken = Vec::new();
    for _ in 0..3 {
        pass(&mut worker, Duration::DAY);
        woken.push(serve(&code, &mut worker).len());
    }
    assert_eq!(woken, [1, 1, 1]);
    assert_eq!(things(&mut worker).len(), 8);
    assert_eq!(state(&mut worker, 1), RunState::Done);
    let summary = resume(&code, &mut worker, 1, 0).unwrap();
    assert!(summary.already_over);
}

#[test]
fn a_failing_item_is_undone_alone_while_others_wait() {
    let mut script = Script::default();
    let (role, question) = (script.value("finance"), script.chunk(|frame, _| Ok(frame[0].clone())));
    let timeout = script.chunk(|frame, _| {
        let length = if frame[0].as_text() == Some("x") { Duration::HOUR } else { Duration::WEEK };
        Ok(Value::Duration(Duration::from_milliseconds(length)))
    });
    let ask = WaitCode::Ask { role, question, within: Some(timeout), otherwise: None };
    let ask = StepCode { body: StepAction::Wait(ask), ty: Type::Bool, slot: Some(2), ..step("ask", role) };
    let flow = items(&mut script, &["a", "x", "c"], 5, ask, false);
    let (code, mut worker) = script.ready();
    run(&code, &mut worker, flow, "").unwrap();
    pass(&mut worker, Duration::HOUR);
    assert_eq!(serve(&code, &mut worker), [1]);
    assert_eq!(things(&mut worker), ["a-began", "c-began"]);
    let now = worker.world.clock.now();
    for number in [3, 1] {
        answer(&mut *worker.world.store, number, "yes", "ada", now).unwrap();
    }
    assert_eq!(serve(&code, &mut worker), [1]);
    assert_eq!(things(&mut worker), ["a-began", "a-ended", "c-began", "c-ended"]);
    let account = worker.world.store.entries(RunId(1)).unwrap().pop().unwrap();
    assert_eq!(account.kind, EntryKind::Summary);
    let account: serde_json::Value = serde_json::from_slice(&account.payload).unwrap();
    assert_eq!((&account["items"][0]["done"], &account["items"][0]["failed"]), (&2.into(), &1.into()));
    assert_eq!(account["items"][0]["reasons"][0]["examples"][0], "x");
}

#[test]
fn a_loop_that_stops_at_the_first_failure_gives_up_what_waits() {
    let mut script = Script::default();
    let (role, question) = (script.value("finance"), script.value("Well?"));
    let within = script.chunk(|frame, _| {
        let length = if frame[0].as_text() == Some("x") { Duration::HOUR } else { Duration::WEEK };
        Ok(Value::Duration(Duration::from_milliseconds(length)))
    });
    let ask = WaitCode::Ask { role, question, within: Some(within), otherwise: None };
    let ask = StepCode { body: StepAction::Wait(ask), ty: Type::Bool, slot: Some(2), ..step("ask", role) };
    let flow = items(&mut script, &["a", "x", "c"], 5, ask, true);
    let (code, mut worker) = script.ready();
    run(&code, &mut worker, flow, "").unwrap();
    pass(&mut worker, Duration::HOUR);
    assert_eq!(serve(&code, &mut worker), [1]);
    assert_eq!(state(&mut worker, 1), RunState::Failed);
    assert_eq!(things(&mut worker), Vec::<String>::new());
    let filter = InboxFilter { limit: 9, ..InboxFilter::default() };
    let states: Vec<_> = worker.world.store.questions(&filter).unwrap().iter().map(|each| each.state).collect();
    assert_eq!(states, [QuestionState::Withdrawn, QuestionState::TimedOut, QuestionState::Withdrawn]);
}

#[test]
fn many_children_in_flight_wake_their_parent_seldom() {
    let mut script = Script::default();
    let length = script.chunk(|frame, _| {
        let number: i64 = frame[0].as_text().unwrap().parse().unwrap();
        Ok(Value::Duration(Duration::from_milliseconds(Duration::DAY + number * 1000)))
    });
    let nap = StepCode { body: StepAction::Wait(WaitCode::Sleep(length)), ..step("nap", length) };
    let child = script.flow("child", vec![nap], vec![FlowInstruction::Step(0)]);
    let names: Vec<String> = (0..40).map(|number| format!("{number}")).collect();
    let list = script.value(texts(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    let (parallel, arguments) = (script.value(10), script.chunk(|frame, _| Ok(Value::list(vec![frame[0].clone()]))));
    let body = vec![
        FlowInstruction::ForEach {
            list,
            slot: 0,
            second: None,
            parallel: Some(parallel),
            stop_at_first_failure: false,
            end: 3,
        },
        FlowInstruction::Run(child as u32, arguments),
        FlowInstruction::Next,
    ];
    let parent = script.flow("parent", Vec::new(), body);
    let (code, mut worker) = script.ready();
    run(&code, &mut worker, parent, "").unwrap();
    assert_eq!(worker.world.store.count_waiting().unwrap(), [(WaitKind::Time, 10), (WaitKind::Run, 1)]);
    let mut woken = 0;
    for _ in 0..20_000 {
        if state(&mut worker, 1) == RunState::Done {
            break;
        }
        pass(&mut worker, 60_000);
        woken += serve(&code, &mut worker).iter().filter(|run| **run == 1).count();
    }
    assert_eq!(state(&mut worker, 1), RunState::Done);
    assert!(woken < 12, "woken {woken} times");
    let children = worker.world.store.count_children(RunId(1)).unwrap();
    assert_eq!(children, [("child".into(), RunState::Done, 40)]);
}

#[test]
fn branches_wait_side_by_side_and_one_that_fails_lets_the_others_end() {
    let mut script = Script::default();
    let long = nap(&mut script, |_| 20_000);
    let short = StepCode { slot: Some(3), ..nap(&mut script, |_| 5_000) };
    let end = script.chunk(|_, world| create(world, "the long branch has ended"));
    let bad = script.chunk(|_, _| Err(fails("bad", "the short branch")));
    let body = vec![
        FlowInstruction::Parallel { branches: vec![1, 4], end: 7 },
        FlowInstruction::Step(0),
        FlowInstruction::Step(1),
        FlowInstruction::Join,
        FlowInstruction::Step(2),
        FlowInstruction::Step(3),
        FlowInstruction::Join,
        FlowInstruction::Stop(None),
    ];
    let flow = script.flow("f", vec![long, step("end", end), short, step("bad", bad)], body);
    let (code, mut worker) = script.ready();
    let summary = run(&code, &mut worker, flow, "").unwrap();
    assert_eq!(summary.failure.unwrap().message, "bad: the short branch");
    assert_eq!(worker.world.clock.now().milliseconds(), 20_000);
    assert_eq!(things(&mut worker), ["the long branch has ended"]);
}

/// A batch that runs a flow with a key for each item, two at a time: it writes, naps for a second and writes again; that
/// of `x` fails then. One item comes twice.
fn batch_of_runs(script: &mut Script) -> usize {
    let began = script.chunk(|frame, world| {
        let name = format!("{}-began", frame[0].as_text().unwrap());
        create(world, &name)
    });
    let nap = nap(script, |_| 1_000);
    let ended = script.chunk(|frame, world| match frame[0].as_text().unwrap() {
        "x" => Err(fails("bad", "an x")),
        name => create(world, &format!("{name}-ended")),
    });
    let steps = vec![step("begin", began), nap, step("end", ended)];
    let body = (0..3).map(FlowInstruction::Step).collect();
    let child = script.flow("child", steps, body);
    script.flows[child].key = Some(script.slot(0));
    let list = script.value(texts(&["a", "x", "b", "a", "c"]));
    let parallel = Some(script.value(2));
    let arguments = script.chunk(|frame, _| Ok(Value::list(vec![frame[0].clone()])));
    let body = vec![
        FlowInstruction::ForEach { list, slot: 0, second: None, parallel, stop_at_first_failure: false, end: 3 },
        FlowInstruction::Run(child as u32, arguments),
        FlowInstruction::Next,
    ];
    script.flow("parent", Vec::new(), body)
}

/// Items, done, done earlier, failed, waiting; then the runs of the child: done, failed, found done.
fn counts(summary: &Summary) -> ([u64; 5], [u64; 3]) {
    let each = &summary.loops[0];
    let child = summary.runs.iter().find(|(flow, _)| flow == "child").map(|(_, counts)| *counts).unwrap_or_default();
    ([each.items, each.done, each.earlier, each.failed, each.waiting], [child.done, child.failed, child.found_done])
}

#[test]
fn what_waits_and_goes_on_in_one_engine_is_counted_once() {
    let mut script = Script::default();
    let flow = batch_of_runs(&mut script);
    let (code, mut worker) = script.ready();
    let summary = run(&code, &mut worker, flow, "").unwrap();
    assert_eq!(counts(&summary), ([5, 4, 1, 1, 0], [3, 1, 1]));
    assert_eq!(summary.loops[0].reasons.len(), 1);
    assert_eq!((summary.loops[0].reasons[0].count, &summary.loops[0].reasons[0].examples), (1, &vec!["x".into()]));
}

#[test]
fn what_goes_on_in_another_engine_is_told_from_its_beginning() {
    let mut script = Script::default();
    let flow = batch_of_runs(&mut script);
    let (code, mut worker) = script.ready();
    let options = Options { patience: Duration::ZERO, ..Options::default() };
    let summary = Engine::new(&code, &mut worker, &mut Silent, options).run(flow, vec![Value::from("")]).unwrap();
    assert!(summary.waiting.is_some());
    assert_eq!(counts(&summary), ([5, 0, 0, 0, 2], [0, 0, 0]));

    // The first two have ended since, two others wait.
    pass(&mut worker, 1_000);
    let summary = resume(&code, &mut worker, 1, 0).unwrap();
    assert!(summary.waiting.is_some());
    assert_eq!(counts(&summary), ([5, 2, 1, 1, 2], [1, 1, 1]));

    pass(&mut worker, 1_000);
    let summary = resume(&code, &mut worker, 1, 60_000).unwrap();
    assert_eq!(summary.waiting, None);
    assert_eq!(counts(&summary), ([5, 4, 1, 1, 0], [3, 1, 1]));
}
