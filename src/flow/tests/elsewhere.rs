//! Steps that leave a part of their work to another thread: the items go on in one order, whichever is done first, and
//! nothing is done or told twice.

use super::*;

fn elsewhere() -> Failure {
    Failure { error: Failure::ELSEWHERE, fields: Vec::new(), span: Span::default(), trace: Vec::new() }
}

/// Steps `begin` (makes it-began, undone by taking it away), `print` (makes it-printed, once it may not leave its work
/// to others any more) and `end`.
fn steps(script: &mut Script) -> Vec<StepCode> {
    let make = |what: &'static str| {
        move |frame: &mut Vec<Value>, world: Option<&mut World>| {
            let name = frame[0].as_text().unwrap();
            if name == "bad" { Err(fails("bad", "it is")) } else { create(world, &format!("{name}-{what}")) }
        }
    };
    let leaves = script.leaves.clone();
    let printed = make("printed");
    let print = script.chunk(move |frame, world| {
        // What it has written is taken back.
        let done = printed(frame, world)?;
        if leaves.get() { Err(elsewhere()) } else { Ok(done) }
    });
    let (begin, end) = (script.chunk(make("began")), script.chunk(make("ended")));
    let unmake = script.chunk(|frame, world| {
        let name = format!("{}-began", frame[0].as_text().unwrap());
        remove(world, &name)
    });
    vec![StepCode { undo: Some(unmake), ..step("begin", begin) }, step("print", print), step("end", end)]
}

fn for_each(
    script: &mut Script,
    names: &[&str],
    at_once: i64,
    stop_at_first_failure: bool,
    end: u32,
) -> FlowInstruction {
    let list = script.value(Value::list(names.iter().map(|name| Value::from(*name)).collect()));
    let parallel = (at_once > 1).then(|| script.value(at_once));
    FlowInstruction::ForEach { list, slot: 0, second: None, parallel, stop_at_first_failure, end }
}

/// A flow that runs another with these steps for each name.
fn runs(script: &mut Script, names: &[&str], stop_at_first_failure: bool) -> usize {
    let steps = steps(script);
    let child =
        script.flow("child", steps, vec![FlowInstruction::Step(0), FlowInstruction::Step(1), FlowInstruction::Step(2)]);
    let arguments = script.chunk(|frame, _| Ok(Value::list(vec![frame[0].clone()])));
    let head = for_each(script, names, 3, stop_at_first_failure, 3);
    script.flow("batch", Vec::new(), vec![head, FlowInstruction::Run(child as u32, arguments), FlowInstruction::Next])
}

#[test]
fn others_go_on_meanwhile_in_an_order_that_no_clock_has_a_say_in() {
    let mut script = Script::default();
    let steps = steps(&mut script);
    let body = [FlowInstruction::Step(0), FlowInstruction::Step(1), FlowInstruction::Step(2), FlowInstruction::Next];
    let head = for_each(&mut script, &["a", "b", "c", "d"], 2, false, 5);
    let flow = script.flow("batch", steps, std::iter::once(head).chain(body).collect());
    let (code, mut worker) = script.ready();
    let summary = run(&code, &mut worker, flow, "").unwrap();
    assert_eq!((summary.loops[0].done, summary.waiting), (4, None));
    assert_eq!(things(&mut worker).len(), 12);
    assert_eq!(worker.acts, 12 + 4, "each print was tried twice");
    insta::assert_snapshot!(journal(&mut worker, 1).join("\n"), @r"
    StepDone 0 [0]
    StepDone 0 [1]
    StepDone 1 [0]
    StepDone 2 [0]
    StepDone 0 [2]
    StepDone 1 [1]
    StepDone 2 [1]
    StepDone 0 [3]
    StepDone 1 [2]
    StepDone 2 [2]
    StepDone 1 [3]
    StepDone 2 [3]
    Summary -1 []
    ");
}

#[test]
fn alone_a_step_does_all_of_its_work_itself() {
    let mut script = Script::default();
    let steps = steps(&mut script);
    let body = [FlowInstruction::Step(0), FlowInstruction::Step(1), FlowInstruction::Step(2), FlowInstruction::Next];
    let head = for_each(&mut script, &["a", "b"], 1, false, 5);
    let flow = script.flow("batch", steps, std::iter::once(head).chain(body).collect());
    let (code, mut worker) = script.ready();
    run(&code, &mut worker, flow, "").unwrap();
    assert_eq!(worker.acts, 6);
}

#[test]
fn a_run_of_a_run_stays_in_memory_meanwhile() {
    let mut script = Script::default();
    let flow = runs(&mut script, &["a", "b", "bad", "c", "d"], false);
    let (code, mut worker) = script.ready();
    let summary = run(&code, &mut worker, flow, "").unwrap();
    assert_eq!((summary.loops[0].done, summary.loops[0].failed), (4, 1));
    assert_eq!(things(&mut worker).len(), 12);
    let states: Vec<_> = (2..=6).map(|run| state(&mut worker, run)).collect();
    assert_eq!(states, [RunState::Done, RunState::Done, RunState::Failed, RunState::Done, RunState::Done]);
    // Nothing of it was told to the store.
    assert_eq!(journal(&mut worker, 2), ["StepDone 0 []", "StepDone 1 []", "StepDone 2 []"]);
}

#[test]
fn what_is_given_up_meanwhile_is_undone() {
    let mut script = Script::default();
    let flow = runs(&mut script, &["a", "b", "bad", "c"], true);
    let (code, mut worker) = script.ready();
    run(&code, &mut worker, flow, "").unwrap();
    assert_eq!(things(&mut worker), Vec::<String>::new());
    let states: Vec<_> = (1..=4).map(|run| state(&mut worker, run)).collect();
    assert_eq!(states, [RunState::Failed, RunState::Cancelled, RunState::Cancelled, RunState::Failed]);
}
