//! Flows as graphs: what can be reached, what is set on which way, which ways end without a result.

mod build;
mod calls;
mod chains;
mod idle;
mod race;
mod rounds;
mod saga;
mod unhandled;
mod unreachable;
mod unset;

pub(super) use chains::same;

use super::Checker;
use super::effects::deeds::Deedbook;
use crate::check::program::{FlowId, Program, Step, Type};
use crate::finding::{Finding, catalogue};
use crate::text::Span;
use std::collections::HashMap;

/// What can be said of the flows and calls of a program once everything is known: loops and calls without end,
/// waits without limit, what stays when a run fails. `wanted` says of which sources.
pub(crate) fn findings(program: &Program, book: &Deedbook<'_>, wanted: &dyn Fn(Span) -> bool) -> Vec<Finding> {
    let mut findings = calls::of_callables(program, wanted);
    let mut graphs = HashMap::new();
    let writes = race::Writes::of(program);
    let tried_again = idle::tried_again(program);
    findings.extend(idle::impossible(program, wanted));
    findings.extend(chains::findings(program, wanted));
    findings.extend(unhandled::findings(program, book, wanted));
    for (at, flow) in program.flows.iter().enumerate().filter(|(_, flow)| wanted(flow.span)) {
        let graph = build::Graph::of(flow, program);
        let reached = graph.reached();
        findings.extend(rounds::findings(&graph, flow, &reached));
        findings.extend(saga::holes(&graph, flow, book));
        findings.extend(saga::undos(flow, book));
        findings.extend(saga::waits(flow));
        findings.extend(writes.findings(flow));
        findings.extend(idle::unused_steps(flow, book));
        let id = FlowId(u32::try_from(at).unwrap_or(u32::MAX));
        if !tried_again.contains(&id) {
            findings.extend(idle::not_retried(flow, book));
        }
        graphs.insert(id, graph);
    }
    findings.extend(calls::of_flows(program, &graphs));
    findings
}

/// The beginning of a step: its name.
pub(crate) fn head(step: &Step) -> Span {
    rounds::head(step.span, &step.name)
}

impl Checker<'_> {
    /// Looks at the ways through a flow.
    pub(crate) fn check_graph(&mut self, id: FlowId, result_place: Span, end: Span, is_broken: bool) {
        let Some(flow) = self.program.flows.get(id.index()) else { return };
        let graph = build::Graph::of(flow, &self.program);
        let reached = graph.reached();
        // Where a jump is missing, the ways are not what was meant.
        let mut findings = if is_broken { Vec::new() } else { unreachable::findings(&graph, &reached) };
        findings.extend(unset::findings(&graph, flow, &reached));
        let is_open = graph.ends.iter().any(|node| reached.contains(node));
        if flow.result != Type::Nothing && !flow.result.is_unknown() && is_open && !is_broken {
            let shown = self.show(&flow.result);
            let mut finding = Finding::new(
                &catalogue::types::RESULT,
                end,
                format!(
                    "the flow `{}` must return {shown}, and on some ways through it nothing is returned",
                    flow.name
                ),
            )
            .at("comes to its end without `return`")
            .label(result_place, format!("{shown} is declared here"));
            for (span, words) in graph.way_to_end(&reached) {
                finding = finding.label(span, words);
            }
            findings.push(finding.help("end every way with `return …`, `fail …` or `stop`"));
        }
        findings.into_iter().for_each(|finding| self.report(finding));
    }
}
