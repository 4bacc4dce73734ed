//! Calls that go round: functions and tasks that call themselves on every way through them, and flows that run each
//! other on every way. What may end is found as the least fixpoint over each component of the graph of calls.

use super::build::{Graph, Role};
use crate::check::effects::deeds::each_expression;
use crate::check::program::{Callable, Expr, ExprKind, Flow, FlowId, Program, Statement, StatementKind};
use crate::finding::{Finding, catalogue};
use crate::text::Span;
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::{HashMap, HashSet, VecDeque};

/// A finding for each function or task that calls itself without end.
pub(super) fn of_callables(program: &Program, wanted: &dyn Fn(Span) -> bool) -> Vec<Finding> {
    let mut calls = DiGraph::<(), ()>::with_capacity(program.callables.len(), 0);
    program.callables.iter().for_each(|_| {
        calls.add_node(());
    });
    for (at, of) in program.callables.iter().enumerate().filter(|(_, of)| wanted(of.span)) {
        let mut called = HashSet::new();
        each_expression(&of.body, &mut |expr| {
            expr.walk(&mut |inner| {
                if let ExprKind::Call(id, _) = &inner.kind
                    && called.insert(id.0)
                {
                    calls.add_edge(NodeIndex::new(at), NodeIndex::new(id.index()), ());
                }
            });
        });
    }
    let mut findings = Vec::new();
    for component in rounds(&calls) {
        // Nobody ends until a way to an end is found; who calls one that ends is looked at again.
        let mut endless: HashSet<u32> = component.iter().map(|node| node.index() as u32).collect();
        let mut waiting: VecDeque<u32> = component.iter().map(|node| node.index() as u32).collect();
        while let Some(at) = waiting.pop_front() {
            let Some(of) = program.callables.get(at as usize).filter(|_| endless.contains(&at)) else { continue };
            let ending = ends(&of.body, &endless);
            if ending.falls || ending.leaves {
                endless.remove(&at);
                let callers = calls.neighbors_directed(NodeIndex::new(at as usize), petgraph::Direction::Incoming);
                waiting.extend(callers.map(|node| node.index() as u32).filter(|caller| endless.contains(caller)));
            }
        }
        let mut left: Vec<u32> = endless.iter().copied().collect();
        left.sort_unstable();
        let Some(of) = left.first().and_then(|at| program.callables.get(*at as usize)) else { continue };
        findings.push(recursion(program, of, &left, &endless));
    }
    findings
}

fn recursion(program: &Program, of: &Callable, left: &[u32], endless: &HashSet<u32>) -> Finding {
    let kind = if of.is_task { "task" } else { "function" };
    let place = |of: &Callable| first_call(&of.body, endless);
    let mut finding = Finding::new(
        &catalogue::flow::ENDLESS,
        place(of).unwrap_or(of.span),
        match left.len() {
            1 => format!("the {kind} `{}` calls itself on every way through it, and never ends", of.name),
            _ => format!("the {kind} `{}` comes back to itself on every way through it, and never ends", of.name),
        },
    )
    .at("calls again before anything can end it")
    .label(of.span, "declared here");
    for other in left.iter().skip(1).take(4).filter_map(|at| program.callables.get(*at as usize)) {
        if let Some(span) = place(other) {
            finding = finding.label(span, format!("`{}` calls on from here", other.name));
        }
    }
    finding.help("return before the call when there is nothing left to do, or go through a list with `for`")
}

/// How statements may end.
#[derive(Debug, Clone, Copy, Default)]
struct Ending {
    /// They may be gone through to their end.
    falls: bool,
    /// They may end with `return`, `give` or `fail`.
    leaves: bool,
}

fn ends(statements: &[Statement], endless: &HashSet<u32>) -> Ending {
    let mut all = Ending { falls: true, leaves: false };
    for statement in statements {
        let one = statement_ends(statement, endless);
        all = Ending { falls: one.falls, leaves: all.leaves || one.leaves };
        if !all.falls {
            break;
        }
    }
    all
}

fn statement_ends(statement: &Statement, endless: &HashSet<u32>) -> Ending {
    let stuck = Ending::default();
    match &statement.kind {
        StatementKind::If { condition, then, otherwise } => {
            if hangs(condition, endless).is_some() {
                return stuck;
            }
            let (then, otherwise) = (ends(then, endless), ends(otherwise, endless));
            Ending { falls: then.falls || otherwise.falls, leaves: then.leaves || otherwise.leaves }
        }
        StatementKind::Match { value, arms } => {
            if hangs(value, endless).is_some() {
                return stuck;
            }
            let arms = arms.iter().map(|arm| ends(&arm.body, endless));
            arms.fold(stuck, |a, b| Ending { falls: a.falls || b.falls, leaves: a.leaves || b.leaves })
        }
        StatementKind::For(each) => {
            // The list may be empty.
            let falls = hangs(&each.list, endless).is_none();
            Ending { falls, leaves: falls && ends(&each.body, endless).leaves }
        }
        kind => {
            let mut hung = false;
            statement.each_part(&mut |expr| hung = hung || hangs(expr, endless).is_some(), &mut |_| {});
            match kind {
                _ if hung => stuck,
                StatementKind::Return(_)
                | StatementKind::Give(_)
                | StatementKind::Fail { .. }
                | StatementKind::Stop(_) => Ending { falls: false, leaves: true },
                _ => Ending { falls: true, leaves: false },
            }
        }
    }
}

/// The call of something endless that evaluating an expression always comes to.
fn hangs(expr: &Expr, endless: &HashSet<u32>) -> Option<Span> {
    let first = |parts: &[&Expr]| parts.iter().find_map(|part| hangs(part, endless));
    match &expr.kind {
        ExprKind::Lambda(..) => None,
        ExprKind::Conditional(condition, then, otherwise) => {
            first(&[condition]).or_else(|| hangs(otherwise, endless).and(hangs(then, endless)))
        }
        ExprKind::Binary(operator, left, right) => match operator {
            crate::syntax::tree::BinaryOperator::And
            | crate::syntax::tree::BinaryOperator::Or
            | crate::syntax::tree::BinaryOperator::OrElse => first(&[left]),
            _ => first(&[left, right]),
        },
        ExprKind::Guarded { target, .. } => first(&[target]),
        kind => {
            let mut found = None;
            expr.each_child(&mut |child| found = found.or_else(|| hangs(child, endless)));
            found.or(match kind {
                ExprKind::Call(id, _) if endless.contains(&id.0) => Some(expr.span),
                _ => None,
            })
        }
    }
}

fn first_call(statements: &[Statement], endless: &HashSet<u32>) -> Option<Span> {
    let mut found = None;
    each_expression(statements, &mut |expr| {
        expr.walk(&mut |inner| {
            if let (None, ExprKind::Call(id, _)) = (found, &inner.kind)
                && endless.contains(&id.0)
            {
                found = Some(inner.span);
            }
        });
    });
    found
}

/// The components of a graph of calls in which something comes back to itself.
fn rounds(calls: &DiGraph<(), ()>) -> Vec<Vec<NodeIndex>> {
    let mut components = tarjan_scc(calls);
    components.retain(|nodes| nodes.len() > 1 || nodes.first().is_some_and(|node| calls.contains_edge(*node, *node)));
    components.iter_mut().for_each(|nodes| nodes.sort());
    components.sort();
    components
}

/// A finding for each circle of flows that run or start each other on every way through them.
pub(super) fn of_flows(program: &Program, graphs: &HashMap<FlowId, Graph>) -> Vec<Finding> {
    let mut calls = DiGraph::<(), ()>::with_capacity(program.flows.len(), 0);
    program.flows.iter().for_each(|_| {
        calls.add_node(());
    });
    let mut ids: Vec<&FlowId> = graphs.keys().collect();
    ids.sort();
    for id in ids {
        let Some(graph) = graphs.get(id) else { continue };
        let runs: HashSet<FlowId> = graph.graph.node_weights().filter_map(|node| Some(node.runs?.0)).collect();
        for run in runs {
            calls.add_edge(NodeIndex::new(id.index()), NodeIndex::new(run.index()), ());
        }
    }
    let mut findings = Vec::new();
    for component in rounds(&calls) {
        let id = |node: &NodeIndex| FlowId(u32::try_from(node.index()).unwrap_or(u32::MAX));
        let mut endless: HashSet<FlowId> = component.iter().map(id).collect();
        let mut waiting: VecDeque<FlowId> = component.iter().map(id).collect();
        while let Some(at) = waiting.pop_front() {
            if !endless.contains(&at) || graphs.get(&at).is_some_and(|graph| !can_end(graph, &endless)) {
                continue;
            }
            endless.remove(&at);
            let callers = calls.neighbors_directed(NodeIndex::new(at.index()), petgraph::Direction::Incoming);
            waiting.extend(callers.map(|node| id(&node)).filter(|caller| endless.contains(caller)));
        }
        let mut left: Vec<FlowId> = endless.iter().copied().collect();
        left.sort();
        if let Some(first) = left.first() {
            findings.extend(circle(program, graphs, *first, &endless));
        }
    }
    findings
}

/// Whether some way through a flow comes to an end without running one of these.
fn can_end(graph: &Graph, endless: &HashSet<FlowId>) -> bool {
    let ends: HashSet<NodeIndex> = graph.ends.iter().copied().collect();
    let mut seen = HashSet::from([graph.start]);
    let mut waiting = vec![graph.start];
    while let Some(node) = waiting.pop() {
        let Some(of) = graph.graph.node_weight(node) else { continue };
        if of.runs.is_some_and(|(flow, _)| endless.contains(&flow)) {
            continue;
        }
        if ends.contains(&node) || matches!(of.role, Role::End | Role::Fail) {
            return true;
        }
        waiting.extend(graph.graph.neighbors(node).filter(|next| seen.insert(*next)));
    }
    false
}

/// The way round, from a flow back to itself.
fn circle(
    program: &Program,
    graphs: &HashMap<FlowId, Graph>,
    first: FlowId,
    endless: &HashSet<FlowId>,
) -> Option<Finding> {
    let next = |flow: FlowId| {
        let graph = graphs.get(&flow)?;
        graph.graph.node_weights().filter_map(|node| node.runs).find(|(flow, _)| endless.contains(flow))
    };
    let mut way: Vec<(FlowId, FlowId, Span)> = Vec::new();
    let mut at = first;
    let mut seen = HashSet::new();
    while seen.insert(at) {
        let (to, span) = next(at)?;
        way.push((at, to, span));
        at = to;
    }
    // The part before the circle does not belong to it.
    let begin = way.iter().position(|(from, ..)| *from == at)?;
    let way = way.get(begin..)?;
    let name = |flow: FlowId| program.flows.get(flow.index()).map_or("?", |of: &Flow| of.name.as_str());
    let (from, to, span) = way.first()?;
    let mut finding = match way.len() {
        1 => Finding::new(
            &catalogue::flow::CIRCULAR,
            *span,
            format!("the flow `{}` runs itself on every way through it, and never ends", name(*from)),
        ),
        _ => Finding::new(
            &catalogue::flow::CIRCULAR,
            *span,
            format!("the flows {} run each other in a circle that never ends", names(way, &name)),
        ),
    }
    .at(format!("`{}` runs `{}`", name(*from), name(*to)));
    for (from, to, span) in way.iter().skip(1).take(5) {
        finding = finding.label(*span, format!("`{}` runs `{}`", name(*from), name(*to)));
    }
    Some(finding.help(
        "run it only while something holds, or let a schedule (`every …`) start what is to be done again and again",
    ))
}

fn names<'n>(way: &[(FlowId, FlowId, Span)], name: &dyn Fn(FlowId) -> &'n str) -> String {
    let names: Vec<String> = way.iter().map(|(from, ..)| format!("`{}`", name(*from))).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
