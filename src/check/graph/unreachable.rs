//! Statements that no way leads to.

use super::build::Graph;
use crate::check::hash::HashSet;
use crate::finding::{Finding, catalogue};
use petgraph::Direction;
use petgraph::graph::NodeIndex;

/// One finding for each piece of a flow that nothing leads to, at its first statement.
pub(super) fn findings(graph: &Graph, reached: &HashSet<NodeIndex>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let dead = |node: &NodeIndex| !reached.contains(node);
    let mut told: HashSet<NodeIndex> = HashSet::default();
    // First the pieces with a beginning, then those that go round in themselves.
    let heads = graph
        .graph
        .node_indices()
        .filter(dead)
        .filter(|node| graph.graph.neighbors_directed(*node, Direction::Incoming).next().is_none());
    let rest = graph.graph.node_indices().filter(dead);
    for node in heads.chain(rest).collect::<Vec<_>>() {
        if told.contains(&node) {
            continue;
        }
        let mut search = petgraph::visit::Dfs::new(&graph.graph, node);
        while let Some(after) = search.next(&graph.graph) {
            told.insert(after);
        }
        let Some(of) = graph.graph.node_weight(node).filter(|of| of.is_statement) else { continue };
        let finding = Finding::new(&catalogue::flow::UNREACHABLE, of.span, "no way through the flow leads here")
            .at("never done")
            .help("remove it, or lead to it with `go to`, or move it up");
        findings.push(finding);
    }
    findings
}
