//! What a flow needs that this version has no engine for: found before anything is done.

use crate::compile::code::Code;
use crate::compile::flow::{FlowInstruction, StepAction};
use crate::finding::Finding;
use crate::finding::catalogue::run as codes;

/// The findings that keep a flow from being run, with all flows that it runs or starts.
pub fn missing(code: &Code, flow: usize) -> Vec<Finding> {
    let mut reached = vec![flow];
    let mut findings = Vec::new();
    let mut next = 0;
    while let Some(flow) = reached.get(next).and_then(|flow| code.flows.get(*flow)) {
        next += 1;
        let mut reach = |flow: &u32| {
            if !reached.contains(&(*flow as usize)) {
                reached.push(*flow as usize);
            }
        };
        for step in &flow.steps {
            match &step.body {
                StepAction::Wait(what, _) => findings.push(
                    Finding::new(&codes::ENGINE_MISSING, step.span, format!("`{what}` can't be executed yet"))
                        .at("this step waits")
                        .help(
                            "runs that wait come with the next version; until then this flow can be checked, not run",
                        ),
                ),
                StepAction::Run(flow, _) | StepAction::Start(flow, _) => reach(flow),
                StepAction::Chunk(_) => {}
            }
        }
        for instruction in &flow.instructions {
            if let FlowInstruction::Run(flow, _) | FlowInstruction::Start(flow, _) = instruction {
                reach(flow);
            }
        }
    }
    findings
}
