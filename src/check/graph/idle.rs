//! What a flow has for nothing: branches that no outcome of a decision table reaches, steps that only read and whose
//! value nobody uses; and failures that would pass by themselves, and that nothing tries again.

use super::rounds::head;
use crate::check::effects::deeds::{Deedbook, each_expression, each_statement};
use crate::check::program::{
    Arm, CellTest, DecisionTable, Effect, Expr, ExprKind, Flow, FlowId, HandlerAction, LocalId, Program, Statement,
    StatementKind, StepBody, Type,
};
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::{BinaryOperator, HitPolicy};
use crate::text::Span;
use crate::value::Value;
use std::collections::{HashMap, HashSet};

/// Steps that read and whose value nobody uses.
pub(super) fn unused_steps(flow: &Flow, book: &Deedbook<'_>) -> Vec<Finding> {
    let mut used: HashSet<LocalId> = HashSet::new();
    let mut look = |expr: &Expr| {
        expr.walk(&mut |inner| {
            if let ExprKind::Local(local) = inner.kind {
                used.insert(local);
            }
        });
    };
    each_body(flow, &mut |statements| each_expression(statements, &mut look));
    for step in &flow.steps {
        if let StepBody::Value(value) = &step.body {
            look(value);
        }
        let retry = step.retry.iter().flat_map(|retry| [Some(&retry.times), retry.from.as_ref(), retry.up_to.as_ref()]);
        retry.flatten().chain(&step.timeout).for_each(&mut look);
    }
    let is_idle = |step: &&crate::check::program::Step| {
        step.effect <= Effect::Reads
            && step.local.is_some_and(|local| !used.contains(&local))
            && step.handlers.is_empty()
            && !step.name.starts_with('_')
            && !step.ty.has_unknown()
            // Reading something may be the test that it is there.
            && book.failures(step).is_empty()
    };
    let mut findings = Vec::new();
    for step in flow.steps.iter().filter(is_idle) {
        findings.push(
            Finding::new(
                &catalogue::unused::RESULT,
                head(step.span, &step.name),
                format!("the step `{}` changes nothing, and nobody uses its value", step.name),
            )
            .at("done for nothing")
            .help(format!("use its value, remove it, or call it `_{}` if that is meant", step.name)),
        );
    }
    findings
}

/// Steps of a flow whose value is that of an expression.
pub(super) fn step_values(flow: &Flow) -> HashMap<LocalId, &Expr> {
    let values = flow.steps.iter().filter_map(|step| match &step.body {
        StepBody::Value(value) => Some((step.local?, value)),
        StepBody::Block(_) => None,
    });
    values.collect()
}

/// Visits all statements of a flow: its own, those of the blocks of steps, handlers and `undo`.
pub(super) fn each_body<'f>(flow: &'f Flow, f: &mut dyn FnMut(&'f [Statement])) {
    f(&flow.body);
    for step in &flow.steps {
        if let StepBody::Block(statements) = &step.body {
            f(statements);
        }
        step.undo.iter().for_each(|undo| f(undo));
        for handler in &step.handlers {
            if let HandlerAction::Block { body, .. } = &handler.action {
                f(body);
            }
        }
    }
}

/// The flows that some step runs and tries again.
pub(super) fn tried_again(program: &Program) -> HashSet<FlowId> {
    let steps = program.flows.iter().flat_map(|flow| &flow.steps);
    let run = steps.filter(|step| step.retry.is_some()).filter_map(|step| match &step.body {
        StepBody::Value(Expr { kind: ExprKind::Run(id, _), .. }) => Some(*id),
        _ => None,
    });
    run.collect()
}

/// Steps that may fail for a reason that passes, and are not tried again.
pub(super) fn not_retried(flow: &Flow, book: &Deedbook<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for step in flow.steps.iter().filter(|step| step.retry.is_none()) {
        // What a flow fails with is the matter of its own steps.
        if matches!(&step.body, StepBody::Value(Expr { kind: ExprKind::Run(..) | ExprKind::Wait(_), .. })) {
            continue;
        }
        let failures = book.failures(step);
        let Some((error, span)) = failures.into_iter().find(|(error, _)| book.is_transient(*error)) else { continue };
        let name = book.error_name(error);
        findings.push(
            Finding::new(
                &catalogue::flow::NOT_RETRIED,
                head(step.span, &step.name),
                format!(
                    "the step `{}` may fail with `{name}`, which passes by itself, and is not tried again",
                    step.name
                ),
            )
            .at("has no `retry`")
            .label(span, format!("may fail with `{name}`"))
            .help(format!(
                "write `retry 3 times from 2 seconds doubling` behind it, or say what is to happen: `on {name} go to …`"
            )),
        );
    }
    findings
}

/// Branches that no outcome of the table reaches which they test.
pub(super) fn impossible(program: &Program, wanted: &dyn Fn(Span) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for of in program.callables.iter().filter(|of| wanted(of.span)) {
        branches(program, &[&of.body], &HashMap::new(), &mut findings);
    }
    for of in program.flows.iter().filter(|of| wanted(of.span)) {
        let mut bodies: Vec<&[Statement]> = Vec::new();
        each_body(of, &mut |body| bodies.push(body));
        branches(program, &bodies, &step_values(of), &mut findings);
    }
    findings
}

/// What the locals of a body are set to, as far as each is set in one place.
pub(super) struct Values<'p>(HashMap<LocalId, Option<&'p Expr>>);

impl<'p> Values<'p> {
    pub fn of(bodies: &[&'p [Statement]], steps: &HashMap<LocalId, &'p Expr>) -> Self {
        let mut values: HashMap<LocalId, Option<&'p Expr>> =
            steps.iter().map(|(local, value)| (*local, Some(*value))).collect();
        for body in bodies {
            each_statement(body, &mut |statement| {
                if let StatementKind::Set { local, value } = &statement.kind {
                    values.entry(*local).and_modify(|known| *known = None).or_insert(Some(value));
                }
            });
        }
        Values(values)
    }

    /// The table that gives the value of an expression.
    pub fn table_of(&self, program: &'p Program, expr: &'p Expr) -> Option<&'p DecisionTable> {
        let value = match &expr.kind {
            ExprKind::Local(local) => self.0.get(local).copied().flatten()?,
            _ => expr,
        };
        match &value.kind {
            ExprKind::Decide(id, _) => program.tables.get(id.index()),
            _ => None,
        }
    }
}

fn branches<'p>(
    program: &'p Program,
    bodies: &[&'p [Statement]],
    steps: &HashMap<LocalId, &'p Expr>,
    findings: &mut Vec<Finding>,
) {
    let values = Values::of(bodies, steps);
    let table_of = |expr: &'p Expr| values.table_of(program, expr);
    for body in bodies {
        each_statement(body, &mut |statement| match &statement.kind {
            StatementKind::Match { value, arms } => {
                if let Some((table, outcomes)) = table_of(value).and_then(outcomes) {
                    for arm in arms {
                        if let Some(missing) = never(&arm.test, &outcomes) {
                            findings.push(finding(program, table, head_of(arm), missing));
                        }
                    }
                }
            }
            _ => statement.each_part(
                &mut |expr| {
                    expr.walk(&mut |inner| {
                        if let ExprKind::Binary(BinaryOperator::In, subject, list) = &inner.kind
                            && let ExprKind::List(all) = &list.kind
                            && let Some((table, outcomes)) = table_of(subject).and_then(outcomes)
                        {
                            for literal in all {
                                if let ExprKind::Value(value) = &literal.kind
                                    && !outcomes.contains(&value)
                                {
                                    findings.push(finding(program, table, literal.span, value));
                                }
                            }
                        }
                        let ExprKind::Binary(BinaryOperator::Equal, a, b) = &inner.kind else { return };
                        let sides = [(a, b), (b, a)];
                        for (subject, literal) in sides {
                            if let (ExprKind::Value(literal), Some((table, outcomes))) =
                                (&literal.kind, table_of(subject).and_then(outcomes))
                                && !outcomes.contains(&literal)
                            {
                                findings.push(finding(program, table, inner.span, literal));
                            }
                        }
                    });
                },
                &mut |_| {},
            ),
        });
    }
}

fn head_of(arm: &Arm) -> Span {
    Span { end: arm.body.first().map_or(arm.span.end, |first| first.span.start), ..arm.span }
}

/// The outcomes of a table that gives one of its rows', when all of them are literals.
pub(super) fn outcomes(table: &DecisionTable) -> Option<(&DecisionTable, Vec<&Value>)> {
    if !matches!(table.policy, HitPolicy::Unique | HitPolicy::First | HitPolicy::Any) || table.rows.is_empty() {
        return None;
    }
    if !matches!(table.result, Type::Enum(_) | Type::Text | Type::Bool | Type::Int) {
        return None;
    }
    let values = table.rows.iter().map(|row| match &row.outcome.kind {
        ExprKind::Value(value) => Some(value),
        _ => None,
    });
    Some((table, values.collect::<Option<Vec<_>>>()?))
}

/// The value of a test that none of the outcomes is.
fn never<'t>(test: &'t CellTest, outcomes: &[&Value]) -> Option<&'t Value> {
    match test {
        CellTest::Equal(Expr { kind: ExprKind::Value(value), .. }) if !outcomes.contains(&value) => Some(value),
        // A list has one too many even when others of it come.
        CellTest::Or(all) => all.iter().find_map(|test| never(test, outcomes)),
        _ => None,
    }
}

/// A value of a branch as people write it.
pub(super) fn shown(program: &Program, value: &Value) -> String {
    match value {
        Value::Enum(of) => program
            .enums
            .get(of.type_id.0 as usize)
            .and_then(|of_type| of_type.members.get(usize::from(of.member)))
            .map_or("?".to_string(), ToString::to_string),
        Value::Text(text) => format!("\"{text}\""),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        _ => "this".to_string(),
    }
}

fn finding(program: &Program, table: &DecisionTable, place: Span, value: &Value) -> Finding {
    let shown = shown(program, value);
    let rows = table.rows.iter().map(|row| row.span).reduce(Span::to);
    let mut finding = Finding::new(
        &catalogue::decision::IMPOSSIBLE_BRANCH,
        place,
        format!("no row of `{}` gives `{shown}`", table.name),
    )
    .at("never comes to this");
    if let Some(rows) = rows.filter(|rows| rows.source == table.span.source) {
        finding = finding.label(table.span, "this table").label(rows, format!("none of these gives `{shown}`"));
    }
    finding.help(format!(
        "add a row that gives `{shown}`, or remove the branch; in a `match`, `otherwise` takes what is left"
    ))
}
