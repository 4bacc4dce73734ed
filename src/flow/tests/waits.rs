//! Runs that wait: for time, people, records, runs and their turn.

use super::*;
use crate::flow::inbox::{Answered, answer};
use crate::world::{InboxFilter, Question, QuestionState};

const DAY: i64 = Duration::DAY;

fn days(count: i64) -> Duration {
    Duration::from_milliseconds(count * DAY)
}

/// A step that waits, and has its value at slot 1.
fn waits(name: &str, wait: WaitCode) -> StepCode {
    StepCode { body: StepAction::Wait(wait), effect: Effect::Calls, ..step(name, ChunkId(u32::MAX)) }
}

fn sleep(script: &mut Script, length: Duration) -> StepCode {
    let length = script.value(length);
    waits("nap", WaitCode::Sleep(length))
}

/// `ask("finance", "Refund?", within: within, otherwise: otherwise)`, for yes or no.
fn ask(script: &mut Script, within: Option<Duration>, otherwise: Option<Value>) -> StepCode {
    let (role, question) = (script.value("finance"), script.value("Refund?"));
    let within = within.map(|within| script.value(within));
    let otherwise = otherwise.map(|value| script.value(value));
    StepCode { ty: Type::Bool, ..waits("approval", WaitCode::Ask { role, question, within, otherwise }) }
}

/// `wait_for(Thing, it.key == key, within: within)`
fn wait_for(script: &mut Script, key: &'static str, within: Option<Duration>) -> StepCode {
    let find = script.chunk(move |_, world| {
        let found = world.unwrap().store.get(THING, &Value::from(key)).unwrap();
        Ok(found.unwrap_or_default())
    });
    let key = script.value(key);
    let within = within.map(|within| script.value(within));
    waits("thing", WaitCode::Record { entity: THING, find, by: Some((0, key)), within })
}

/// Steps one after the other; gives what is in slot 1 at the end.
fn in_order(script: &mut Script, steps: Vec<StepCode>) -> usize {
    let result = script.slot(1);
    let mut body: Vec<_> = (0..steps.len() as u32).map(FlowInstruction::Step).collect();
    body.push(FlowInstruction::Return(Some(result)));
    script.flow("f", steps, body)
}

fn open(worker: &mut Scripted) -> Vec<Question> {
    let filter = InboxFilter { state: Some(QuestionState::Open), limit: 99, ..InboxFilter::default() };
    worker.world.store.questions(&filter).unwrap()
}

fn say(worker: &mut Scripted, number: i64, text: &str) -> Answered {
    let now = worker.world.clock.now();
    answer(&mut *worker.world.store, number, text, "ada", now).unwrap()
}

#[test]
fn a_long_sleep_is_a_row_and_a_short_one_is_slept() {
    let mut script = Script::default();
    let make = script.chunk(|_, world| create(world, "made"));
    let steps =
        vec![sleep(&mut script, Duration::from_milliseconds(900)), sleep(&mut script, days(3)), step("make", make)];
    let flow = in_order(&mut script, steps);
    let (code, mut worker) = script.ready();
    let summary = run(&code, &mut worker, flow, "").unwrap();
    let wait = summary.waiting.unwrap();
    assert_eq!((wait.kind, wait.wake), (WaitKind::Time, Some(Instant::from_milliseconds(900 + 3 * DAY).unwrap())));
    assert_eq!(state(&mut worker, 1), RunState::Waiting);
    assert_eq!(journal(&mut worker, 1), ["WaitBegan 0 []", "StepDone 0 []", "WaitBegan 1 []"]);

    // Woken too early, it waits on; and nothing is due.
    assert!(resume(&code, &mut worker, 1, 0).unwrap().waiting.is_some());
    assert_eq!(serve(&code, &mut worker), Vec::<i64>::new());
    pass(&mut worker, 3 * DAY - 1);
    assert_eq!(serve(&code, &mut worker), Vec::<i64>::new());
    pass(&mut worker, 1);
    assert_eq!(serve(&code, &mut worker), [1]);
    assert_eq!(state(&mut worker, 1), RunState::Done);
    assert_eq!(things(&mut worker), ["made"]);
}

#[test]
fn a_question_is_asked_once_and_its_answer_is_in_the_journal() {
    let mut script = Script::default();
    let steps = vec![ask(&mut script, None, None)];
    let flow = in_order(&mut script, steps);
    let (code, mut worker) = script.ready();
    let summary = run(&code, &mut worker, flow, "").unwrap();
    insta::assert_snapshot!(summary.waiting.unwrap().what, @"an answer of finance: Refund?");
    assert!(resume(&code, &mut worker, 1, 0).unwrap().waiting.is_some());
    let [question] = &open(&mut worker)[..] else { panic!("it was asked again") };
    assert_eq!((question.role.as_str(), question.question.as_str()), ("finance", "Refund?"));

    assert_eq!(say(&mut worker, 9, "yes"), Answered::Unknown);
    assert!(matches!(say(&mut worker, 1, "perhaps"), Answered::DoesNotFit(_)));
    assert_eq!(say(&mut worker, 1, "yes"), Answered::Kept);
    assert_eq!(say(&mut worker, 1, "no"), Answered::Closed(QuestionState::Answered));
    assert_eq!(serve(&code, &mut worker), [1]);
    let entries = worker.world.store.entries(RunId(1)).unwrap();
    insta::assert_snapshot!(format!("{:?}", entries[1].changes), @r#"[Change { kind: Answered, what: "ada", which: "at 1970-01-01T00:00:00Z: true" }]"#);
    assert_eq!(resume(&code, &mut worker, 1, 0).unwrap().result, Value::Bool(true));
}

#[test]
fn a_question_without_an_answer_in_time_has_another_or_fails() {
    let mut script = Script::default();
    let otherwise = vec![ask(&mut script, Some(days(2)), Some(Value::Bool(false)))];
    let flow = in_order(&mut script, otherwise);
    let fails = vec![ask(&mut script, Some(days(2)), None)];
    let failing = in_order(&mut script, fails);
    script.flows[failing].name = "failing".into();
    let (code, mut worker) = script.ready();
    run(&code, &mut worker, flow, "").unwrap();
    run(&code, &mut worker, failing, "").unwrap();
    pass(&mut worker, 2 * DAY);
    // Too late, although nobody has noticed yet.
    assert_eq!(say(&mut worker, 1, "yes"), Answered::Closed(QuestionState::TimedOut));
    assert_eq!(serve(&code, &mut worker), [1, 2]);
    assert_eq!(resume(&code, &mut worker, 1, 0).unwrap().result, Value::Bool(false));
    assert_eq!(resume(&code, &mut worker, 2, 0).unwrap().failure.unwrap().name, "timed_out");
    assert_eq!(open(&mut worker), []);
}

#[test]
fn a_timeout_and_a_deadline_end_a_wait() {
    let mut script = Script::default();
    let timeout = Some(script.value(days(1)));
    let steps = vec![StepCode { timeout, ..ask(&mut script, Some(days(2)), Some(Value::Bool(false))) }];
    let limited = in_order(&mut script, steps);
    let make = script.chunk(|_, world| create(world, "made"));
    let unmake = script.chunk(|_, world| remove(world, "made"));
    let steps = vec![StepCode { undo: Some(unmake), ..step("make", make) }, ask(&mut script, None, None)];
    let flow = in_order(&mut script, steps);
    let deadline = script.value(days(3));
    (script.flows[flow].name, script.flows[flow].deadline) = ("dead".into(), Some(deadline));
    let (code, mut worker) = script.ready();
    run(&code, &mut worker, limited, "").unwrap();
    assert_eq!(run(&code, &mut worker, flow, "").unwrap().waiting.unwrap().wake.unwrap().milliseconds(), 3 * DAY);
    pass(&mut worker, DAY);
    assert_eq!(serve(&code, &mut worker), [1]);
    assert_eq!(resume(&code, &mut worker, 1, 0).unwrap().failure.unwrap().name, "timed_out");
    assert_eq!(things(&mut worker), ["made"]);
    pass(&mut worker, 2 * DAY);
    assert_eq!(serve(&code, &mut worker), [2]);
    assert_eq!(things(&mut worker), Vec::<String>::new());
    assert_eq!(journal(&mut worker, 2), ["StepDone 0 []", "WaitBegan 1 []", "Ending -1 []", "Undone 0 []"]);
    assert_eq!(state(&mut worker, 2), RunState::Failed);
    assert_eq!(open(&mut worker), []);
}

#[test]
fn a_record_wakes_the_runs_that_wait_for_it_and_no_others() {
    let mut script = Script::default();
    let steps = vec![wait_for(&mut script, "a", None)];
    let a = in_order(&mut script, steps);
    let steps = vec![wait_for(&mut script, "b", Some(days(1)))];
    let b = in_order(&mut script, steps);
    let make = script.chunk(|frame, world| create(world, frame[0].as_text().unwrap()));
    let maker = script.flow("maker", vec![step("make", make)], vec![FlowInstruction::Step(0)]);
    script.flows[b].name = "g".into();
    let (code, mut worker) = script.ready();
    assert_eq!(run(&code, &mut worker, a, "").unwrap().waiting.unwrap().kind, WaitKind::Record);
    run(&code, &mut worker, b, "").unwrap();
    run(&code, &mut worker, maker, "c").unwrap();
    assert_eq!(serve(&code, &mut worker), Vec::<i64>::new());
    run(&code, &mut worker, maker, "a").unwrap();
    assert_eq!(serve(&code, &mut worker), [1]);
    assert_eq!(resume(&code, &mut worker, 1, 0).unwrap().result.fields().unwrap()[0], Value::from("a"));
    // The other waits until its time is over.
    pass(&mut worker, DAY);
    assert_eq!(serve(&code, &mut worker), [2]);
    assert_eq!(resume(&code, &mut worker, 2, 0).unwrap().result, Value::None);
    // What is there needs no waiting.
    assert!(run(&code, &mut worker, a, "").unwrap().waiting.is_none());
}

#[test]
fn a_parent_waits_with_its_child_and_goes_on_with_its_result() {
    let mut script = Script::default();
    let steps = vec![ask(&mut script, None, None)];
    let child = in_order(&mut script, steps);
    let arguments = script.value(Value::list(vec![Value::from("x")]));
    let steps = vec![StepCode { body: StepAction::Run(child as u32, arguments), ..step("run", arguments) }];
    let parent = in_order(&mut script, steps);
    script.flows[parent].name = "parent".into();
    let (code, mut worker) = script.ready();
    let summary = run(&code, &mut worker, parent, "").unwrap();
    insta::assert_snapshot!(summary.waiting.unwrap().what, @"run 2 (f): an answer of finance: Refund?");
    assert_eq!((state(&mut worker, 1), state(&mut worker, 2)), (RunState::Waiting, RunState::Waiting));
    say(&mut worker, 1, "no");
    assert_eq!(serve(&code, &mut worker), [2, 1]);
    assert_eq!(resume(&code, &mut worker, 1, 0).unwrap().result, Value::Bool(false));
}

#[test]
fn a_second_start_under_the_key_of_a_waiting_run_joins_it() {
    let mut script = Script::default();
    let steps = vec![ask(&mut script, None, None)];
    let keyed = in_order(&mut script, steps);
    script.flows[keyed].key = Some(script.value("K"));
    let arguments = script.value(Value::list(vec![Value::from("x")]));
    let steps = vec![StepCode { body: StepAction::Run(keyed as u32, arguments), ..step("run", arguments) }];
    let other = in_order(&mut script, steps);
    script.flows[other].name = "other".into();
    let (code, mut worker) = script.ready();
    run(&code, &mut worker, keyed, "x").unwrap();
    let again = run(&code, &mut worker, keyed, "x").unwrap();
    assert!(again.already_over && again.waiting.is_some() && again.run == RunId(1));
    // Another content is a conflict, whatever the run is at.
    assert_eq!(run(&code, &mut worker, keyed, "y").unwrap().failure.unwrap().name, "key_conflict");
    assert!(run(&code, &mut worker, other, "").unwrap().waiting.is_some());
    say(&mut worker, 1, "yes");
    assert_eq!(serve(&code, &mut worker), [1, 2]);
    assert_eq!(resume(&code, &mut worker, 2, 0).unwrap().result, Value::Bool(true));
}

#[test]
fn no_more_runs_than_allowed_are_at_once_and_the_most_important_is_next() {
    let mut script = Script::default();
    let steps = vec![ask(&mut script, None, None)];
    let flow = in_order(&mut script, steps);
    let (count, of) = (script.value(1), script.value("all"));
    script.flows[flow].at_most = Some((count, Some(of)));
    script.flows[flow].priority =
        Some(script.chunk(|frame, _| Ok(Value::Int(i64::from(frame[0].as_text() == Some("important"))))));
    let (code, mut worker) = script.ready();
    run(&code, &mut worker, flow, "first").unwrap();
    let second = run(&code, &mut worker, flow, "second").unwrap().waiting.unwrap();
    assert_eq!(second.kind, WaitKind::Slot);
    insta::assert_snapshot!(second.what, @"its turn: at most 1 at once of f all");
    run(&code, &mut worker, flow, "important").unwrap();
    assert_eq!(open(&mut worker).len(), 1);
    say(&mut worker, 1, "yes");
    assert_eq!(serve(&code, &mut worker), [1, 3]);
    say(&mut worker, 2, "yes");
    assert_eq!(serve(&code, &mut worker), [3, 2]);
    say(&mut worker, 3, "yes");
    assert_eq!(serve(&code, &mut worker), [2]);
}

#[test]
fn a_cancelled_run_undoes_its_steps_and_those_of_the_runs_it_waits_for() {
    let mut script = Script::default();
    let make = script.chunk(|frame, world| create(world, frame[0].as_text().unwrap()));
    let unmake = script.chunk(|frame, world| remove(world, frame[0].as_text().unwrap()));
    let make = StepCode { undo: Some(unmake), slot: None, ..step("make", make) };
    let steps = vec![make.clone(), ask(&mut script, None, None)];
    let child = in_order(&mut script, steps);
    let arguments = script.value(Value::list(vec![Value::from("child")]));
    let run_child = StepCode { body: StepAction::Run(child as u32, arguments), ..step("run", arguments) };
    let parent = in_order(&mut script, vec![make, run_child]);
    script.flows[parent].name = "parent".into();
    let (code, mut worker) = script.ready();
    run(&code, &mut worker, parent, "parent").unwrap();
    assert_eq!(things(&mut worker), ["child", "parent"]);
    let options = Options::default();
    let summary = Engine::new(&code, &mut worker, &mut Silent, options).cancel(RunId(1), "ada", "a mistake").unwrap();
    assert_eq!(summary.failure.unwrap().message, "cancelled: by ada: a mistake");
    assert_eq!(things(&mut worker), Vec::<String>::new());
    assert_eq!((state(&mut worker, 1), state(&mut worker, 2)), (RunState::Cancelled, RunState::Cancelled));
    assert_eq!(open(&mut worker), []);
    assert!(Engine::new(&code, &mut worker, &mut Silent, options).cancel(RunId(1), "ada", "").is_err());
}

#[test]
fn a_failing_undo_is_tried_again_and_then_a_person_is_asked() {
    let mut script = Script::default();
    let make = script.chunk(|_, world| create(world, "made"));
    let unmake = script.chunk(|_, _| Err(fails("unavailable", "busy")));
    let end = script.chunk(|_, _| Err(fails("bad", "enough")));
    let steps = vec![StepCode { undo: Some(unmake), ..step("make", make) }, step("end", end)];
    let flow = in_order(&mut script, steps);
    let (code, mut worker) = script.ready();
    let summary = run(&code, &mut worker, flow, "").unwrap();
    assert_eq!(summary.undo_failures.len(), 1);
    assert_eq!(&journal(&mut worker, 1)[2..], ["UndoFailed 0 []", "UndoFailed 0 []", "UndoFailed 0 []"]);
    let [question] = &open(&mut worker)[..] else { panic!("nobody was asked") };
    insta::assert_snapshot!(question.question, @"the step could not be undone: unavailable: busy. Undo it by hand, then say yes.");
    assert_eq!(say(&mut worker, question.number, "yes"), Answered::Kept);
}

#[test]
fn long_pauses_before_the_next_try_are_waits() {
    let mut script = Script::default();
    let mut left = 2;
    let body = script.chunk(move |_, _| {
        left -= 1;
        if left >= 0 { Err(fails("unavailable", "busy")) } else { Ok(Value::Int(7)) }
    });
    let (times, from) = (script.value(3), script.value(days(1)));
    let retry = Some(RetryCode { times, from: Some(from), doubling: true, up_to: Some(from) });
    let steps = vec![StepCode { retry, ..step("call", body) }];
    let flow = in_order(&mut script, steps);
    let (code, mut worker) = script.ready();
    let wake = run(&code, &mut worker, flow, "").unwrap().waiting.unwrap().wake.unwrap();
    assert!((DAY / 2..=DAY).contains(&wake.milliseconds()));
    pass(&mut worker, DAY);
    assert_eq!(serve(&code, &mut worker), [1]);
    pass(&mut worker, DAY);
    assert_eq!(serve(&code, &mut worker), [1]);
    assert_eq!(resume(&code, &mut worker, 1, 0).unwrap().result, Value::Int(7));
    assert_eq!(journal(&mut worker, 1), ["StepFailed 0 []", "StepFailed 0 []", "StepDone 0 []"]);
}
