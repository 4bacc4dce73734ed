//! Flows as graphs: what can be reached, what is set on which way, which ways end without a result.

mod build;
mod unreachable;
mod unset;

use super::Checker;
use crate::check::program::{FlowId, Type};
use crate::finding::{Finding, catalogue};
use crate::text::Span;

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
