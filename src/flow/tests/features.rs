//! Each thing that a flow can say.

use super::*;

fn texts(items: &[&str]) -> Value {
    Value::list(items.iter().map(|item| Value::from(*item)).collect())
}

/// `for it in [...] { step make = create(it) undo remove(it);  step check }`: check fails for items with an `x`.
fn batch(script: &mut Script, items: &[&str], stop_at_first_failure: bool) -> usize {
    let list = script.value(texts(items));
    let make = script.chunk(|frame, world| create(world, frame[0].as_text().unwrap()));
    let unmake = script.chunk(|frame, world| remove(world, frame[0].as_text().unwrap()));
    let check = script.chunk(|frame, _| match frame[0].as_text() {
        Some(text) if text.contains('x') => Err(fails("bad", "has an x")),
        _ => Ok(Value::None),
    });
    let steps = vec![StepCode { undo: Some(unmake), ..step("make", make) }, step("check", check)];
    let for_each =
        FlowInstruction::ForEach { list, slot: 0, second: None, parallel: None, stop_at_first_failure, end: 4 };
    let body = vec![for_each, FlowInstruction::Step(0), FlowInstruction::Step(1), FlowInstruction::Next];
    script.flow("batch", steps, body)
}

#[test]
fn a_failing_item_ends_alone_and_is_undone() {
    let mut script = Script::default();
    let flow = batch(&mut script, &["a", "bx", "c"], false);
    let (code, mut worker) = script.ready();
    let summary = run(&code, &mut worker, flow, "").unwrap();
    assert_eq!(summary.failure, None);
    assert_eq!(things(&mut worker), ["a", "c"]);
    let [account] = summary.loops.as_slice() else { panic!("{:?}", summary.loops) };
    assert_eq!((account.items, account.done, account.failed), (3, 2, 1));
    assert_eq!(
        (account.reasons[0].message.as_str(), &account.reasons[0].examples[..]),
        ("bad: has an x", &["bx".into()][..])
    );
    assert_eq!(summary.undone, 1);
    insta::assert_snapshot!(journal(&mut worker, 1).join("\n"), @r"
    StepDone 0 [0]
    StepDone 1 [0]
    StepDone 0 [1]
    StepFailed 1 [1]
    Undone 0 [1]
    ItemFailed -1 [1]
    StepDone 0 [2]
    StepDone 1 [2]
    Summary -1 []
    ");
}

#[test]
fn stop_at_first_failure_fails_the_run_and_undoes_all_items() {
    let mut script = Script::default();
    let flow = batch(&mut script, &["a", "bx", "c"], true);
    let (code, mut worker) = script.ready();
    let summary = run(&code, &mut worker, flow, "").unwrap();
    assert_eq!(summary.failure.unwrap().name, "bad");
    assert_eq!(things(&mut worker), Vec::<String>::new());
    assert_eq!(worker.world.store.run(RunId(1)).unwrap().unwrap().state, RunState::Failed);
}

#[test]
fn transient_failures_are_tried_again_after_growing_pauses_and_others_are_not() {
    let mut script = Script::default();
    let mut left = 2;
    let body = script.chunk(move |_, world| {
        create(world, "half done")?;
        if left > 0 {
            left -= 1;
            return Err(fails("unavailable", "busy"));
        }
        Ok(Value::Int(7))
    });
    let (times, from) = (script.value(3), script.value(Duration::from_milliseconds(4000)));
    let retry = Some(RetryCode { times, from: Some(from), doubling: true, up_to: None });
    let bad = script.chunk(|_, _| Err(fails("bad", "no")));
    let steps = vec![StepCode { retry: retry.clone(), ..step("call", body) }, StepCode { retry, ..step("no", bad) }];
    let flow = script.flow("f", steps, vec![FlowInstruction::Step(0), FlowInstruction::Step(1)]);
    let (code, mut worker) = script.ready();
    let summary = run(&code, &mut worker, flow, "").unwrap();
    // One step was tried twice more.
    assert_eq!((summary.retried, summary.retries, summary.failure.unwrap().name.as_str()), (1, 2, "bad"));
    assert_eq!(journal(&mut worker, 1), ["StepFailed 0 []", "StepFailed 0 []", "StepDone 0 []", "StepFailed 1 []"]);
    // Between half and all of 4 and 8 seconds.
    let slept = worker.world.clock.now().milliseconds();
    assert!((6_000..=12_000).contains(&slept), "{slept}");
    assert_eq!(things(&mut worker), ["half done"]);
}

#[test]
fn a_handler_takes_the_failure_it_names() {
    let mut script = Script::default();
    let bad = script.chunk(|_, _| Err(fails("bad", "no")));
    let after = script.slot(2);
    let handlers = vec![HandlerCode { error: error("bad"), slot: Some(2), target: 2, leave: 0 }];
    let steps = vec![StepCode { handlers, ..step("try", bad) }];
    let body = vec![FlowInstruction::Step(0), FlowInstruction::Return(None), FlowInstruction::Return(Some(after))];
    let flow = script.flow("f", steps, body);
    let (code, mut worker) = script.ready();
    let summary = run(&code, &mut worker, flow, "").unwrap();
    assert_eq!(summary.result, Value::failure(error("bad"), vec![Value::from("no")]));
    assert_eq!((summary.handled, summary.failure), (1, None));
}

#[test]
fn a_failed_run_undoes_in_reverse_order_and_a_failing_undo_does_not_keep_others() {
    let mut script = Script::default();
    let mut steps = Vec::new();
    for (at, name) in ["a", "b", "c"].into_iter().enumerate() {
        let make = script.chunk(move |_, world| create(world, name));
        let unmake = script.chunk(move |_, world| {
            if name == "b" {
                remove(world, "b")?;
                return Err(fails("bad", "b stays"));
            }
            remove(world, name)
        });
        steps.push(StepCode { undo: Some(unmake), slot: Some(at as u16), ..step(name, make) });
    }
    let fail = script.chunk(|_, _| Err(fails("bad", "enough")));
    let body =
        vec![FlowInstruction::Step(0), FlowInstruction::Step(1), FlowInstruction::Step(2), FlowInstruction::Fail(fail)];
    let flow = script.flow("f", steps, body);
    let (code, mut worker) = script.ready();
    let summary = run(&code, &mut worker, flow, "").unwrap();
    // What the failing undo had done was taken back.
    assert_eq!(things(&mut worker), ["b"]);
    assert_eq!(
        &journal(&mut worker, 1)[3..],
        ["Undone 2 []", "UndoFailed 1 []", "UndoFailed 1 []", "UndoFailed 1 []", "Undone 0 []"]
    );
    assert_eq!(summary.undo_failures, [(RunId(1), "b".into(), "bad: b stays".into())]);
    let story = story::story(&mut *worker.world.store, RunId(1), 10).unwrap().unwrap();
    assert_eq!(story.failure.unwrap().message, "bad: enough");
    assert_eq!(story.events[4].step, "b");
}

/// `for it in [...] { run child(it) }`, with `flow child(it) key first letter { step make = create(it) }`, which
/// fails for a thing with an `x`. The item's value at slot 0 is the argument.
fn keyed(script: &mut Script, items: Vec<Value>) -> usize {
    let make = script.chunk(|frame, world| match frame[0].as_text() {
        Some(text) if text.contains('x') => Err(fails("bad", "has an x")),
        text => create(world, text.unwrap()),
    });
    let child = script.flow("child", vec![step("make", make)], vec![FlowInstruction::Step(0)]);
    let key = script.chunk(|frame, _| Ok(Value::from(&frame[0].as_text().unwrap()[..1])));
    script.flows[child].key = Some(key);
    let list = script.value(Value::list(items));
    let arguments = script.chunk(|frame, _| Ok(Value::list(vec![frame[0].clone()])));
    let for_each =
        FlowInstruction::ForEach { list, slot: 0, second: None, parallel: None, stop_at_first_failure: false, end: 3 };
    let body = vec![for_each, FlowInstruction::Run(child as u32, arguments), FlowInstruction::Next];
    script.flow("parent", Vec::new(), body)
}

#[test]
fn the_same_key_and_content_is_the_same_run_and_other_content_a_conflict() {
    let items = ["a", "b", "a", "a2", "cx", "cx"].into_iter().map(Value::from).collect();
    let mut script = Script::default();
    let flow = keyed(&mut script, items);
    let (code, mut worker) = script.ready();
    let summary = run(&code, &mut worker, flow, "").unwrap();
    let account = &summary.loops[0];
    assert_eq!((account.done, account.earlier, account.failed), (3, 1, 3));
    let reasons: Vec<_> = account.reasons.iter().map(|reason| (reason.error.as_str(), reason.count)).collect();
    assert_eq!(reasons, [("bad", 2), ("key_conflict", 1)]);
    assert_eq!(account.reasons[1].examples, ["a"]);
    assert_eq!(things(&mut worker), ["a", "b"]);

    // The second time nothing is done.
    let acts = worker.acts;
    let summary = run(&code, &mut worker, flow, "").unwrap();
    let account = &summary.loops[0];
    assert_eq!((account.done, account.earlier, account.failed), (3, 3, 3));
    assert_eq!(account.reasons[0].earlier, 2);
    assert_eq!(worker.acts, acts);
}

#[test]
fn a_failed_run_is_tried_again_with_corrected_content_under_its_number() {
    let mut script = Script::default();
    let wrong = keyed(&mut script, vec![Value::from("cx")]);
    let (mut code, mut worker) = script.ready();
    run(&code, &mut worker, wrong, "").unwrap();
    let list = worker.chunks.len();
    worker.chunks.push(Box::new(|_, _| Ok(Value::list(vec![Value::from("c2")]))));
    if let FlowInstruction::ForEach { list: chunk, .. } = &mut code.flows[wrong].instructions[0] {
        *chunk = ChunkId(list as u32);
    }
    let summary = run(&code, &mut worker, wrong, "").unwrap();
    assert_eq!((summary.loops[0].done, summary.loops[0].earlier), (1, 0));
    assert_eq!(things(&mut worker), ["c2"]);
    assert_eq!(journal(&mut worker, 2), ["StepFailed 0 []", "Reopened -1 []", "StepDone 0 []"]);
    assert_eq!(worker.world.store.run(RunId(2)).unwrap().unwrap().state, RunState::Done);
}

#[test]
fn a_flow_that_runs_itself_without_end_is_stopped() {
    let mut script = Script::default();
    let arguments = script.value(texts(&["a"]));
    let flow = script.flow("f", Vec::new(), vec![FlowInstruction::Run(0, arguments)]);
    let (code, mut worker) = script.ready();
    let summary = run(&code, &mut worker, flow, "a").unwrap();
    assert_eq!(summary.failure.unwrap().name, "limit_reached");
}

#[test]
fn a_deadline_ends_the_run_between_steps() {
    let mut script = Script::default();
    let slow = script.chunk(|_, world| {
        world.unwrap().clock.sleep(Duration::from_milliseconds(5_000));
        Ok(Value::None)
    });
    let never = script.chunk(|_, _| panic!("the deadline is over"));
    let steps = vec![step("slow", slow), step("never", never)];
    let flow = script.flow("f", steps, vec![FlowInstruction::Step(0), FlowInstruction::Step(1)]);
    let limit = script.value(Duration::from_milliseconds(4_000));
    script.flows[flow].deadline = Some(limit);
    let (code, mut worker) = script.ready();
    assert_eq!(run(&code, &mut worker, flow, "").unwrap().failure.unwrap().name, "timed_out");
}

#[test]
fn a_timeout_takes_back_what_the_slow_step_did() {
    let mut script = Script::default();
    let slow = script.chunk(|_, world| {
        let world = world.unwrap();
        world.clock.sleep(Duration::from_milliseconds(5_000));
        create(Some(world), "late")
    });
    let timeout = Some(script.value(Duration::from_milliseconds(4_000)));
    let flow = script.flow("f", vec![StepCode { timeout, ..step("slow", slow) }], vec![FlowInstruction::Step(0)]);
    let (code, mut worker) = script.ready();
    assert_eq!(run(&code, &mut worker, flow, "").unwrap().failure.unwrap().name, "timed_out");
    assert_eq!(things(&mut worker), Vec::<String>::new());
}

#[test]
fn branches_are_all_done_and_started_runs_follow() {
    let mut script = Script::default();
    let makes: Vec<ChunkId> =
        ["a", "b"].into_iter().map(|name| script.chunk(move |_, world| create(world, name))).collect();
    let late = script.chunk(|frame, world| {
        let before = frame[0].as_text().unwrap().to_string();
        create(world, &before)
    });
    let child = script.flow("child", vec![step("late", late)], vec![FlowInstruction::Step(0)]);
    let arguments = script.value(texts(&["z"]));
    let body = vec![
        FlowInstruction::Parallel { branches: vec![1, 4], end: 6 },
        FlowInstruction::Start(child as u32, arguments),
        FlowInstruction::Step(0),
        FlowInstruction::Join,
        FlowInstruction::Step(1),
        FlowInstruction::Join,
        FlowInstruction::Stop(None),
    ];
    let flow = script.flow("f", vec![step("a", makes[0]), step("b", makes[1])], body);
    let (code, mut worker) = script.ready();
    let summary = run(&code, &mut worker, flow, "").unwrap();
    assert_eq!(summary.stopped.as_deref(), Some(""));
    assert_eq!(things(&mut worker), ["a", "b", "z"]);
    let order: Vec<_> = worker.world.store.runs(&RunFilter { limit: 9, ..RunFilter::default() }).unwrap();
    assert!(order.iter().all(|run| run.state == RunState::Done && run.parent.is_none()));
}
