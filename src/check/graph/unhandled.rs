//! Failures that nobody handles and nobody hears of: a run that a trigger, a rule or `start` has begun has nobody who
//! waits for it, and a failure of the business ends it where it stands.

use super::rounds::head;
use crate::check::effects::deeds::{Deedbook, each_expression, each_statement};
use crate::check::program::{
    Expr, ExprKind, Flow, FlowId, HandlerAction, Program, Statement, StatementKind, Step, StepBody, StepId,
};
use crate::finding::{Finding, catalogue};
use crate::text::Span;
use crate::value::ErrorId;
use std::collections::{BTreeMap, HashSet};

/// The findings about the flows that are wanted.
pub(super) fn findings(program: &Program, book: &Deedbook<'_>, wanted: &dyn Fn(Span) -> bool) -> Vec<Finding> {
    let begun = begun_by_nobody(program);
    if begun.is_empty() {
        return Vec::new();
    }
    let named = named(program);
    let mut findings = Vec::new();
    for (id, begun_at) in &begun {
        let Some(flow) = program.flows.get(id.index()).filter(|flow| wanted(flow.span)) else { continue };
        // Where steps are undone, to fail is what is meant.
        if flow.steps.iter().any(|step| step.undo.is_some()) {
            continue;
        }
        let own = decided(flow);
        for step in steps_on_the_way(flow) {
            if matches!(&step.body, StepBody::Value(Expr { kind: ExprKind::Run(..) | ExprKind::Wait(_), .. })) {
                continue;
            }
            let open = book.failures(step).into_iter().find(|(error, _)| {
                book.is_business(*error) && !book.is_transient(*error) && !named.contains(error) && !own.contains(error)
            });
            let Some((error, place)) = open else { continue };
            let name = book.error_name(error);
            findings.push(
                Finding::new(
                    &catalogue::flow::UNHANDLED,
                    head(step.span, &step.name),
                    format!("the step `{}` may fail with `{name}`, which nobody handles and nobody waits for", step.name),
                )
                .at(format!("ends the run of `{}`", flow.name))
                .label(place, format!("may fail with `{name}`"))
                .label(*begun_at, "begun here, by itself")
                .help(format!(
                    "say what is to happen, `on {name} as e {{ … }}` or `on {name} go to …`; or let a test say that it ends so: `expect r failed {name}`"
                )),
            );
        }
    }
    findings
}

/// The flows whose end nobody waits for, each with where it is begun: those that a trigger, a rule or `start` begins, and
/// those that they run on the way, where a failure is not handled.
fn begun_by_nobody(program: &Program) -> BTreeMap<FlowId, Span> {
    let mut begun: BTreeMap<FlowId, Span> = BTreeMap::new();
    let mut note = |expr: &Expr| {
        if let ExprKind::Start(id, _) = &expr.kind {
            begun.entry(*id).or_insert(expr.span);
        }
    };
    let mut look = |statements: &[Statement]| each_expression(statements, &mut |outer| outer.walk(&mut note));
    program.triggers.iter().for_each(|of| look(&of.body));
    program.reactions.iter().for_each(|of| look(&of.body));
    program.callables.iter().for_each(|of| look(&of.body));
    program.flows.iter().for_each(|flow| super::idle::each_body(flow, &mut look));
    for step in program.flows.iter().flat_map(|flow| &flow.steps) {
        if let StepBody::Value(value) = &step.body {
            note(value);
        }
    }
    let mut waiting: Vec<FlowId> = begun.keys().copied().collect();
    while let Some(id) = waiting.pop() {
        let (Some(flow), Some(place)) = (program.flows.get(id.index()), begun.get(&id).copied()) else { continue };
        let mut run: Vec<FlowId> = Vec::new();
        on_the_way(&flow.body, &mut |statement| {
            if let StatementKind::Expression(value) | StatementKind::Set { value, .. } = &statement.kind
                && let ExprKind::Run(id, _) = &value.kind
            {
                run.push(*id);
            }
        });
        for step in steps_on_the_way(flow) {
            if let (StepBody::Value(Expr { kind: ExprKind::Run(id, _), .. }), true) =
                (&step.body, step.handlers.is_empty())
            {
                run.push(*id);
            }
        }
        for id in run {
            if let std::collections::btree_map::Entry::Vacant(free) = begun.entry(id) {
                free.insert(place);
                waiting.push(id);
            }
        }
    }
    begun
}

/// The failures that somebody has named as an end of a run: tests.
fn named(program: &Program) -> HashSet<ErrorId> {
    let mut named = HashSet::new();
    for test in &program.tests {
        each_statement(&test.body, &mut |statement| {
            if let StatementKind::Expect { failed: Some(error), .. } = &statement.kind {
                named.insert(*error);
            }
        });
    }
    named
}

/// The failures that a flow itself decides to end with.
fn decided(flow: &Flow) -> HashSet<ErrorId> {
    let mut decided = HashSet::new();
    super::idle::each_body(flow, &mut |block| {
        each_statement(block, &mut |statement| {
            if let StatementKind::Fail { error, .. } = &statement.kind {
                decided.insert(*error);
            }
        });
    });
    decided
}

/// The statements that a run comes to outside of loops: an item of a loop that fails ends alone, and is told by name.
fn on_the_way<'f>(statements: &'f [Statement], f: &mut dyn FnMut(&'f Statement)) {
    for statement in statements {
        f(statement);
        if !matches!(statement.kind, StatementKind::For(_)) {
            let mut blocks: Vec<&'f Vec<Statement>> = Vec::new();
            statement.each_part(&mut |_| {}, &mut |block| blocks.push(block));
            blocks.into_iter().for_each(|block| on_the_way(block, f));
        }
    }
}

fn steps_on_the_way(flow: &Flow) -> Vec<&Step> {
    let mut ids: Vec<StepId> = Vec::new();
    let look = |block: &[Statement], ids: &mut Vec<StepId>| {
        on_the_way(block, &mut |statement| {
            if let StatementKind::Step(id) = &statement.kind {
                ids.push(*id);
            }
        });
    };
    look(&flow.body, &mut ids);
    let mut next = 0;
    while let Some(id) = ids.get(next).copied() {
        next += 1;
        for handler in flow.steps.get(id.index()).into_iter().flat_map(|step| &step.handlers) {
            if let HandlerAction::Block { body, .. } = &handler.action {
                look(body, &mut ids);
            }
        }
    }
    ids.into_iter().filter_map(|id| flow.steps.get(id.index())).collect()
}
