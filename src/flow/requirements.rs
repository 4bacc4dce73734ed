//! What a flow needs that this version has no engine for: found before anything is done.

use crate::check::program::Program;
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

/// The findings that keep every flow of a script from being run: policies that would be left out.
pub fn missing_in(program: &Program) -> Vec<Finding> {
    let policies = program.policies.iter().map(|policy| {
        Finding::new(&codes::ENGINE_MISSING, policy.span, format!("the policy `{}` can't be held yet", policy.name))
            .at("this policy would be left out")
            .help("policies are proved by a later version; until then this script can be checked, not run")
    });
    policies.collect()
}
