//! Flows as the engine sees them.

use super::support::code;
use crate::compile::flow::{FlowInstruction, StepAction};
use insta::assert_snapshot;

/// The instructions of the last flow, and its steps.
fn listing(script: &str) -> String {
    let code = code(script);
    let flow = code.flows.last().unwrap();
    let mut lines = Vec::new();
    for (at, instruction) in flow.instructions.iter().enumerate() {
        lines.push(match instruction {
            FlowInstruction::Evaluate(_) => format!("{at} evaluate"),
            FlowInstruction::Jump(to) => format!("{at} jump to {to}"),
            FlowInstruction::JumpUnless(_, to) => format!("{at} jump to {to} unless"),
            FlowInstruction::Step(step) => format!("{at} step {}", flow.steps[*step as usize].name),
            FlowInstruction::ForEach { slot, second, parallel, end, .. } => {
                format!("{at} for each: slot {slot}, second {second:?}, parallel {}, end {end}", parallel.is_some())
            }
            FlowInstruction::Next => format!("{at} next"),
            FlowInstruction::Leave(count) => format!("{at} leave {count}"),
            FlowInstruction::Parallel { branches, end } => format!("{at} parallel {branches:?}, end {end}"),
            FlowInstruction::Join => format!("{at} join"),
            FlowInstruction::Run(flow, _) => format!("{at} run {}", code.flows[*flow as usize].name),
            FlowInstruction::Start(flow, _) => format!("{at} start {}", code.flows[*flow as usize].name),
            FlowInstruction::Return(value) => format!("{at} return {}", value.is_some()),
            FlowInstruction::Fail(_) => format!("{at} fail"),
            FlowInstruction::Stop(_) => format!("{at} stop"),
        });
    }
    for step in &flow.steps {
        let body = match &step.body {
            StepAction::Chunk(_) => "does".to_string(),
            StepAction::Run(flow, _) => format!("runs {}", code.flows[*flow as usize].name),
            StepAction::Start(flow, _) => format!("starts {}", code.flows[*flow as usize].name),
            StepAction::Wait(wait) => format!("waits: {}", wait.word()),
        };
        let handlers: Vec<String> = step
            .handlers
            .iter()
            .map(|handler| {
                let error = &code.errors[handler.error.0 as usize].name;
                format!("on {error} at {} leaving {}, slot {:?}", handler.target, handler.leave, handler.slot)
            })
            .collect();
        lines.push(format!(
            "{} {body}, slot {:?}, undo {}; {}",
            step.name,
            step.slot,
            step.undo.is_some(),
            handlers.join("; ")
        ));
    }
    lines.join("\n")
}

#[test]
fn a_flow_is_a_list_of_instructions() {
    let script = "error out(n: int)\nerror late()\n\
        entity Thing { key id: int, n: int }\n\
        task work(n: int) -> int {\n  if n > 3 { fail out(n) }\n  if n > 9 { fail late() }\n  return Thing.get(n).n\n}\n\
        flow child(n: int) -> int {\n  step x = work(n)\n  return x\n}\n\
        flow f(n: int) -> int {\n\
        \x20 let a = n + 1\n\
        \x20 let b = a * 2\n\
        \x20 for i in 1..b {\n\
        \x20   if i == 3 { run child(i) }\n\
        \x20   step one = work(i)\n\
        \x20     undo work(one)\n\
        \x20     on out go to last\n\
        \x20     on late as e { start child(e.message.length) }\n\
        \x20   match i {\n      1 => { step two = run child(i) }\n      otherwise => stop \"enough\"\n    }\n\
        \x20 }\n\
        \x20 parallel {\n    step left = work(1)\n    step right = work(2)\n  }\n\
        \x20 step last = work(b)\n\
        \x20 return last\n}\n";
    assert_snapshot!(listing(script), @r"
0 evaluate
1 for each: slot 3, second None, parallel false, end 16
2 jump to 4 unless
3 run child
4 step one
5 jump to 8
6 start child
7 jump to 8
8 evaluate
9 jump to 12 unless
10 step two
11 jump to 15
12 stop
13 jump to 15
14 fail
15 next
16 parallel [17, 19], end 21
17 step left
18 join
19 step right
20 join
21 step last
22 return true
23 return false
one does, slot Some(5), undo true; on out at 21 leaving 1, slot None; on late at 6 leaving 0, slot Some(4)
two runs child, slot Some(6), undo false; 
left does, slot Some(7), undo false; 
right does, slot Some(8), undo false; 
last does, slot Some(9), undo false;
");
}
