//! Values that some way does not set: a must-analysis over the graph of the flow.

use super::build::Graph;
use crate::check::hash::{HashMap, HashSet};
use crate::check::program::{Flow, LocalId};
use crate::finding::{Finding, catalogue};
use crate::text::Span;
use petgraph::Direction;
use petgraph::graph::NodeIndex;
use petgraph::visit::DfsPostOrder;

/// Sets of locals as bits.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bits(Vec<u64>);

impl Bits {
    fn new(count: usize, full: bool) -> Bits {
        Bits(vec![if full { u64::MAX } else { 0 }; count.div_ceil(64)])
    }

    fn set(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    fn has(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word & (1 << (at % 64)) != 0)
    }

    fn join(&mut self, other: &Bits, all: bool) {
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            if all { *a |= b } else { *a &= b }
        }
    }
}

/// A finding for each value that is used where some way has not set it, with that way.
pub(super) fn findings(graph: &Graph, flow: &Flow, reached: &HashSet<NodeIndex>) -> Vec<Finding> {
    let tracked = tracked(graph);
    if tracked.is_empty() {
        return Vec::new();
    }
    let before = solve(graph, &tracked, reached);
    let mut findings = Vec::new();
    let mut told: HashSet<LocalId> = HashSet::default();
    let mut nodes: Vec<NodeIndex> = reached.iter().copied().collect();
    nodes.sort();
    for node in nodes {
        let (Some(of), Some(state)) = (graph.graph.node_weight(node), before.get(&node)) else { continue };
        for (local, span) in &of.uses {
            let Some(bit) = tracked.get(local) else { continue };
            if state.has(*bit) || !told.insert(*local) {
                continue;
            }
            findings.push(finding(graph, flow, node, *local, *span));
        }
    }
    findings
}

/// The locals that the flow itself sets, numbered; parameters and those inside of steps have their values.
fn tracked(graph: &Graph) -> HashMap<LocalId, usize> {
    let mut tracked = HashMap::default();
    for node in graph.graph.node_weights() {
        for local in &node.sets {
            let next = tracked.len();
            tracked.entry(*local).or_insert(next);
        }
    }
    tracked
}

/// For each node what is set before it, whichever way was gone.
fn solve(graph: &Graph, tracked: &HashMap<LocalId, usize>, reached: &HashSet<NodeIndex>) -> HashMap<NodeIndex, Bits> {
    let count = tracked.len();
    let mut order = Vec::new();
    let mut search = DfsPostOrder::new(&graph.graph, graph.start);
    while let Some(node) = search.next(&graph.graph) {
        order.push(node);
    }
    order.reverse();
    let mut before: HashMap<NodeIndex, Bits> = HashMap::default();
    let mut after: HashMap<NodeIndex, Bits> = HashMap::default();
    loop {
        let mut changed = false;
        for node in &order {
            let Some(of) = graph.graph.node_weight(*node) else { continue };
            let mut state: Option<Bits> = None;
            for from in graph.graph.neighbors_directed(*node, Direction::Incoming) {
                if !reached.contains(&from) {
                    continue;
                }
                // A way that has not been looked at yet takes nothing away.
                let Some(out) = after.get(&from) else { continue };
                match &mut state {
                    Some(state) => state.join(out, of.joins_all),
                    None => state = Some(out.clone()),
                }
            }
            let state = state.unwrap_or_else(|| Bits::new(count, false));
            let mut out = state.clone();
            for local in &of.sets {
                if let Some(bit) = tracked.get(local) {
                    out.set(*bit);
                }
            }
            if after.get(node) != Some(&out) {
                changed = true;
                after.insert(*node, out);
            }
            before.insert(*node, state);
        }
        if !changed {
            return before;
        }
    }
}

fn finding(graph: &Graph, flow: &Flow, node: NodeIndex, local: LocalId, span: Span) -> Finding {
    let step = flow.steps.iter().find(|step| step.local == Some(local));
    let (name, declared) =
        flow.locals.get(local.index()).map_or(("?", span), |local| (local.name.as_str(), local.span));
    let sets = |at: NodeIndex| graph.graph.node_weight(at).is_some_and(|node| node.sets.contains(&local));
    let way = graph.way(node, &sets).unwrap_or_default();
    let what = if step.is_some() { "the step" } else { "the line" };
    let mut finding = Finding::new(
        &catalogue::flow::UNSET,
        span,
        format!("`{name}` may have no value here: one way leads past {what} that sets it"),
    )
    .at("may not be set")
    .label(declared, if step.is_some() { "set by this step" } else { "set here" });
    // The last turns of the way say the most.
    let skip = way.len().saturating_sub(4);
    for (place, words) in way.into_iter().skip(skip) {
        if place != span {
            finding = finding.label(place, words);
        }
    }
    finding.help(match step {
        Some(_) => "use the value where the step has been done, or let the other way `return`, `fail` or do the step",
        None => "declare it before the ways part, or use it where it is set",
    })
}
