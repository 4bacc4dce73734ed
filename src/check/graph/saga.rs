//! What is taken back when a run fails: effects without `undo` before something that fails for a reason of the
//! business, and `undo` that takes nothing back.

use super::build::{Graph, Role};
use super::rounds::head;
use crate::check::effects::deeds::{Deed, Deedbook, Place, each_expression, each_statement};
use crate::check::hash::HashSet;
use crate::check::program::{Expr, ExprKind, Flow, LocalId, StatementKind, Step, StepBody, StepId};
use crate::finding::{Finding, catalogue};
use crate::text::Span;
use petgraph::graph::NodeIndex;
use std::collections::VecDeque;

/// A flow whose failure leaves half of its work behind: one finding, at the first step that stays.
pub(super) fn holes(graph: &Graph, flow: &Flow, book: &Deedbook<'_>) -> Option<Finding> {
    // Where nothing is ever undone, only what the business itself refuses is told.
    let undoes = flow.steps.iter().any(|step| step.undo.is_some());
    let covered = covered(flow);
    let on_failure = on_failure(graph, flow);
    let stays = |step: &Step| -> Option<(Place, &'static str)> {
        if step.undo.is_some() || step.local.is_some_and(|local| covered.contains(&local)) || works_on(step, &covered) {
            return None;
        }
        let deeds = book.of_step(step);
        let mail = deeds.of(Deed::Mail).map(|place| (place, "is sent here, and stays sent"));
        let call = deeds.of(Deed::Call).map(|place| (place, "is called here, and what it did stays done"));
        mail.or(call).or_else(|| deeds.of(Deed::Store).map(|place| (place, "is written here, and stays written")))
    };
    let fails = |node: NodeIndex| -> Option<(Span, String)> {
        let of = graph.graph.node_weight(node)?;
        match of.role {
            Role::Fail => Some((of.span, "the run fails here".to_string())),
            Role::Attempt(id) => {
                let step = flow.steps.get(id.index())?;
                // A step that runs a flow fails as that flow does, which undoes its own work.
                let failures = book.failures(step);
                let (error, span) = failures
                    .into_iter()
                    .find(|(error, _)| book.is_business(*error) && (undoes || !book.is_transient(*error)))?;
                Some((span, format!("may fail with `{}`", book.error_name(error))))
            }
            _ => None,
        }
    };
    let failing: Vec<NodeIndex> = graph.graph.node_indices().filter(|node| fails(*node).is_some()).collect();
    if failing.is_empty() {
        return None;
    }
    let mut before: HashSet<NodeIndex> = failing.iter().copied().collect();
    let mut waiting = failing.clone();
    while let Some(node) = waiting.pop() {
        let from = graph.graph.neighbors_directed(node, petgraph::Direction::Incoming);
        waiting.extend(from.filter(|node| before.insert(*node)));
    }
    let mut left: Vec<(NodeIndex, StepId, Place, &'static str)> = Vec::new();
    for node in graph.graph.node_indices() {
        if let Some(Role::Done(id)) = graph.graph.node_weight(node).map(|of| of.role)
            && graph.graph.neighbors(node).any(|next| before.contains(&next))
            && !on_failure.contains(&id)
            && let Some((place, words)) = flow.steps.get(id.index()).and_then(stays)
        {
            left.push((node, id, place, words));
        }
    }
    let (node, id, place, words) = left.first()?;
    let step = flow.steps.get(id.index())?;
    let (span, why) = nearest(graph, *node, &fails)?;
    let mut finding = Finding::new(
        &catalogue::flow::SAGA_HOLE,
        head(step.span, &step.name),
        format!("when the run fails later, what the step `{}` did stays", step.name),
    )
    .at("has no `undo`")
    .label(span, why);
    if place.span != step.span {
        finding = finding.label(place.inner.unwrap_or(place.span), *words);
    }
    for (_, id, ..) in left.iter().skip(1).filter(|(_, other, ..)| other != id).take(3) {
        if let Some(other) = flow.steps.get(id.index()) {
            finding = finding.label(head(other.span, &other.name), "nor has this step");
        }
    }
    Some(finding.note("a run that fails undoes its finished steps, the last one first; those without `undo` stay done").help(
        match place.span == span {
            true => "say how it is taken back: `undo …`",
            false => "say how it is taken back (`undo …`), do it behind what may fail, or handle the failure (`on … go to …`)",
        },
    ))
}

/// The values of steps that are taken back, by their own `undo` or with the step that made what they work on: who
/// cancels an order gives back what was reserved for it.
fn covered(flow: &Flow) -> HashSet<LocalId> {
    let mut covered = HashSet::default();
    for step in &flow.steps {
        if let Some(local) = step.local
            && (step.undo.is_some() || works_on(step, &covered))
        {
            covered.insert(local);
        }
    }
    covered
}

/// The steps that are done only because another has failed; what they leave behind is meant.
fn on_failure(graph: &Graph, flow: &Flow) -> HashSet<StepId> {
    let mut steps: HashSet<StepId> =
        (0..flow.steps.len()).filter_map(|at| Some(StepId(u32::try_from(at).ok()?))).collect();
    let mut seen = HashSet::from_iter([graph.start]);
    let mut waiting = vec![graph.start];
    while let Some(node) = waiting.pop() {
        let Some(of) = graph.graph.node_weight(node) else { continue };
        if let Role::Done(id) = of.role {
            steps.remove(&id);
        }
        let is_attempt = matches!(of.role, Role::Attempt(_));
        let is_success = |next: &NodeIndex| matches!(graph.graph.node_weight(*next), Some(next) if matches!(next.role, Role::Done(_)));
        let next = graph.graph.neighbors(node).filter(|next| !is_attempt || is_success(next));
        waiting.extend(next.filter(|next| seen.insert(*next)));
    }
    steps
}

/// Whether a step uses one of these values.
fn works_on(step: &Step, values: &HashSet<LocalId>) -> bool {
    let mut found = false;
    let mut look = |expr: &Expr| {
        expr.walk(&mut |inner| found |= matches!(&inner.kind, ExprKind::Local(local) if values.contains(local)));
    };
    match &step.body {
        StepBody::Value(value) => look(value),
        StepBody::Block(statements) => each_expression(statements, &mut look),
    }
    found
}

/// What fails first behind a place.
fn nearest(
    graph: &Graph,
    from: NodeIndex,
    fails: &dyn Fn(NodeIndex) -> Option<(Span, String)>,
) -> Option<(Span, String)> {
    let mut seen = HashSet::from_iter([from]);
    let mut waiting = VecDeque::from([from]);
    while let Some(node) = waiting.pop_front() {
        if node != from
            && let Some(found) = fails(node)
        {
            return Some(found);
        }
        let mut next: Vec<NodeIndex> = graph.graph.neighbors(node).filter(|next| seen.insert(*next)).collect();
        next.sort();
        waiting.extend(next);
    }
    None
}

/// A finding for each `undo` that takes nothing back.
pub(super) fn undos(flow: &Flow, book: &Deedbook<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for step in &flow.steps {
        let Some(undo) = &step.undo else { continue };
        let Some(span) = undo.iter().map(|statement| statement.span).reduce(Span::to) else {
            findings.push(
                cannot(step, head(step.span, &step.name), "does nothing")
                    .help("say how the step is taken back, or remove `undo`"),
            );
            continue;
        };
        let always_fails = undo.iter().find(|statement| matches!(statement.kind, StatementKind::Fail { .. }));
        let deeds = book.of_statements(undo);
        let runs = match &step.body {
            StepBody::Value(value) => matches!(value.kind, ExprKind::Run(..) | ExprKind::Start(..) | ExprKind::Wait(_)),
            StepBody::Block(_) => false,
        };
        let mut unclear = false;
        each_statement(undo, &mut |statement| {
            statement.each_part(&mut |expr| unclear |= expr.ty.has_unknown(), &mut |_| {})
        });
        if unclear {
            continue;
        }
        if let Some(fail) = always_fails {
            findings.push(
                cannot(step, fail.span, "always fails")
                    .note("an `undo` that fails is noted, and the step stays done")
                    .help("say how the step is taken back, or remove `undo` and keep what can't be taken back for the end"),
            );
        } else if let Some(place) = deeds.of(Deed::Mail) {
            findings.push(
                cannot(step, place.span, "sends mail")
                    .note("a mail can't be called back, and several undone runs would send it again and again")
                    .help("let `undo` put the data right, and tell people in a flow or step of its own (`on … as e { … }`)"),
            );
        } else if deeds.any().is_none() {
            findings
                .push(cannot(step, span, "changes nothing").help("say how the step is taken back, or remove `undo`"));
        } else if !runs && book.of_step(step).any().is_none() {
            findings.push(
                cannot(step, span, "changes something, although the step did not")
                    .label(head(step.span, &step.name), "only reads or computes")
                    .help("move `undo` to the step whose work it takes back"),
            );
        }
    }
    findings
}

fn cannot(step: &Step, span: Span, what: &str) -> Finding {
    Finding::new(&catalogue::flow::CANNOT_UNDO, span, format!("the `undo` of the step `{}` {what}", step.name)).at(what)
}

/// A finding for each step that may wait for ever.
pub(super) fn waits(flow: &Flow) -> Vec<Finding> {
    use crate::check::program::Wait;
    if flow.deadline.is_some() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for step in flow.steps.iter().filter(|step| step.timeout.is_none()) {
        let StepBody::Value(value) = &step.body else { continue };
        let ExprKind::Wait(wait) = &value.kind else { continue };
        let (who, help) = match &**wait {
            Wait::Ask { within: None, .. } => (
                "nobody may ever answer",
                "say how long: `ask(…, within: 3 days, otherwise: …)`, or give the flow a `deadline`",
            ),
            Wait::For { within: None, .. } => (
                "it may never come",
                "say how long: `wait_for(…, within: 30 days)` gives none then; or give the flow a `deadline`",
            ),
            _ => continue,
        };
        findings.push(
            Finding::new(
                &catalogue::flow::WAIT_FOREVER,
                value.span,
                format!("the step `{}` may wait for ever: {who}", step.name),
            )
            .at("has no limit")
            .help(help),
        );
    }
    findings
}
