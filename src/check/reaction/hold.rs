//! Holds rules to what they may do, and looks for those that can't do what was meant.

use super::graph::Graph;
use super::order::each_expression;
use super::site::{Deed, Target};
use crate::check::program::{Effect, Expr, ExprKind, Program};
use crate::check::proof::dimension::literal;
use crate::finding::{Finding, catalogue};
use crate::library::Operation;
use crate::syntax::tree::RecordEvent;
use crate::text::Span;

/// What rules must not do: an action is a part of the change that sets it off, and nothing outside can be.
pub(super) fn findings(program: &Program) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, reaction) in program.reactions.iter().enumerate() {
        let earlier = program.reactions.iter().take(at).find(|earlier| earlier.name == reaction.name);
        if let Some(earlier) = earlier {
            let message = format!("the rule `{}` is declared twice", reaction.name);
            findings.push(
                Finding::new(&catalogue::name::DUPLICATE, reaction.span, message)
                    .at("declared again")
                    .label(earlier.span, "declared here first")
                    .help("give one of them another name: runs and findings tell of rules by their names"),
            );
        }
        let declared = |finding: Finding| finding.label(reaction.span, "in this rule");
        let mut actions: Vec<(Span, &str)> = Vec::new();
        each_expression(&reaction.body, &mut |expr| act(expr, &mut actions));
        for (span, what) in actions {
            let finding = Finding::new(
                &catalogue::reaction::ACTS,
                span,
                format!("the action of a rule {what}, which is no part of the change that sets it off"),
            )
            .at("can't be taken back with the change");
            findings.push(declared(finding).help("put it into a flow, and write `start flow(…)` in the rule"));
        }
        if let Some(when) = &reaction.when
            && when.effect > Effect::Reads
        {
            let mut place = when.span;
            when.walk(&mut |expr| {
                if expr.effect > Effect::Reads {
                    place = expr.span;
                }
            });
            let finding = Finding::new(
                &catalogue::reaction::ACTS,
                place,
                "the condition of a rule writes, and it only looks whether the rule applies",
            )
            .at("writes");
            findings.push(declared(finding).help("move it into the action"));
        }
        if let Some(priority) = &reaction.priority
            && literal(priority, &program.constants).is_none_or(|value| value.as_int().is_none())
        {
            let finding = Finding::new(
                &catalogue::reaction::PRIORITY,
                priority.span,
                "the priority of a rule is a whole number that is known before the run",
            )
            .at("is known at run time alone");
            findings.push(declared(finding).help("write a number or a constant: `priority 10`; the higher goes first"));
        }
    }
    findings
}

/// What in an expression leaves the transaction or waits.
fn act(expr: &Expr, found: &mut Vec<(Span, &'static str)>) {
    match &expr.kind {
        // What is started runs by itself.
        ExprKind::Start(_, arguments) => {
            arguments.iter().for_each(|argument| act(argument, found));
            return;
        }
        ExprKind::Run(..) => {
            found.push((expr.span, "waits for a flow"));
            return;
        }
        ExprKind::Wait(_) => {
            found.push((expr.span, "waits"));
            return;
        }
        _ => {}
    }
    if let ExprKind::Perform(Operation::FileMove | Operation::FileDelete, _) = &expr.kind {
        found.push((expr.span, "moves or deletes a file"));
        return;
    }
    if expr.effect < Effect::Calls {
        return expr.each_child(&mut |child| act(child, found));
    }
    let before = found.len();
    expr.each_child(&mut |child| act(child, found));
    if found.len() == before {
        found.push((expr.span, "calls another system"));
    }
}

/// Rules that can't do what was meant.
pub(super) fn doubtful(graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in &graph.rules {
        let reaction = rule.reaction;
        if let Some(when) = &reaction.when
            && rule.guard.is_empty()
        {
            findings.push(
                Finding::new(
                    &catalogue::reaction::NEVER,
                    when.span,
                    format!("the rule `{}` can never fire: nothing meets its condition", reaction.name),
                )
                .at("never holds")
                .label(reaction.span, "is never done")
                .help("change the condition so that some record meets it, or delete the rule"),
            );
        }
        let own = || rule.doings.sites.iter().filter(|site| site.target == Target::Own);
        let gone = own().position(|site| site.deed == Deed::Delete && site.is_certain);
        for (position, site) in own().enumerate() {
            let why = match (reaction.event, gone) {
                (RecordEvent::Deleted, _) => Some(reaction.span),
                (_, Some(gone)) if gone < position => own().nth(gone).map(|site| site.span),
                _ => None,
            };
            if let Some(why) = why
                && site.deed == Deed::Update
            {
                findings.push(
                    Finding::new(
                        &catalogue::reaction::GONE,
                        site.span,
                        format!("the rule `{}` changes a record that is gone", reaction.name),
                    )
                    .at("fails each time")
                    .label(why, "gone from here on")
                    .help("change another record, or change this one before it goes"),
                );
            }
        }
        // The record in a rule is as it was when the rule fired: what the rule itself has written is not in it.
        for (position, site) in own().enumerate().filter(|(_, site)| site.deed == Deed::Update) {
            for assignment in &site.assignments {
                let earlier = own().take(position).find(|earlier| {
                    earlier.deed == Deed::Update
                        && earlier.is_certain
                        && earlier
                            .assignments
                            .iter()
                            .any(|other| other.field == assignment.field && assignment.reads_own.contains(&other.field))
                });
                let Some(earlier) = earlier else { continue };
                let entity = graph.program.records.get(site.entity.0 as usize);
                let field = entity.and_then(|entity| entity.fields.get(assignment.field));
                let name = field.map_or("?", |field| field.name.as_str());
                let binding = reaction.locals.first().map_or("it", |local| local.name.as_str());
                findings.push(
                    Finding::new(
                        &catalogue::reaction::LOST,
                        site.span,
                        format!("the rule `{}` loses a change of `{name}` that it has made itself", reaction.name),
                    )
                    .at(format!("counts from `{binding}.{name}` as it was before"))
                    .label(earlier.span, "this change is lost")
                    .note(format!(
                        "`{binding}` is the record as it was when the rule fired; an update gives the new one"
                    ))
                    .help(format!(
                        "set `{name}` once, or go on with what the first update gives: `let now = {binding}.update(…)`"
                    )),
                );
            }
        }
    }
    findings
}
