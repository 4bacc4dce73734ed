//! Pairs of rules whose order changes the result.
//!
//! Two rules can wait at the same time when one change concerns both, or when one waits while another is fired that
//! sets off the other. If neither has a priority before the other, the order of the text decides; that is worth a word
//! when they do not commute: one writes what the other reads or writes. Mails, notes and new records are no reason:
//! nobody reads their order.

use super::graph::{Graph, Rule};
use super::guard::meet;
use super::site::{Assigned, Deed, EXISTENCE, PRESENCE, Site};
use crate::check::program::{Expr, ExprKind, Program, Statement, StepBody};
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::RecordEvent;
use crate::text::{Span, with_article};
use crate::value::RecordId;
use std::collections::BTreeSet;

/// The pairs whose order matters and is not written.
pub(super) fn findings(graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (first, second) in waiting_together(graph) {
        let (Some(one), Some(other)) = (graph.rules.get(first), graph.rules.get(second)) else { continue };
        if one.priority != other.priority || exclude_each_other(graph, one, other) {
            continue;
        }
        if let Some(conflict) = between(graph, first, second) {
            findings.push(finding(graph, (first, one), (second, other), &conflict));
        }
    }
    findings
}

/// How the order of two rules matters: by what they do themselves, or by what one sets off that goes before the
/// other (the sets R1 and R2 of the confluence requirement in TODS 20(1), section 6.2).
fn between(graph: &Graph, first: usize, second: usize) -> Option<Conflict> {
    let (mut ones, mut others) = (vec![first], vec![second]);
    loop {
        let more_ones = set_off_before(graph, &ones, &others, second);
        let more_others = set_off_before(graph, &others, &ones, first);
        if more_ones.is_empty() && more_others.is_empty() {
            break;
        }
        ones.extend(more_ones);
        others.extend(more_others);
    }
    for (one_at, other_at) in ones.iter().flat_map(|one| others.iter().map(move |other| (*one, *other))) {
        let (Some(one), Some(other)) = (graph.rules.get(one_at), graph.rules.get(other_at)) else { continue };
        if one_at == other_at || exclude_each_other(graph, one, other) {
            continue;
        }
        for (writes, suffers) in [(one_at, other_at), (other_at, one_at)] {
            let rules = graph.rules.get(writes).zip(graph.rules.get(suffers));
            if let Some(found) = rules.and_then(|(writes, suffers)| conflict(writes, suffers)) {
                return Some(Conflict { writer: writes, sufferer: suffers, ..found });
            }
        }
    }
    None
}

/// The rules that some set off and that go before one of others.
fn set_off_before(graph: &Graph, ones: &[usize], others: &[usize], except: usize) -> BTreeSet<usize> {
    let priority = |at: usize| graph.rules.get(at).map_or(0, |rule| rule.priority);
    let next = ones.iter().flat_map(|one| graph.edges_from(*one)).map(|edge| edge.to);
    next.filter(|rule| *rule != except && !ones.contains(rule))
        .filter(|rule| others.iter().any(|other| priority(*rule) > priority(*other)))
        .collect()
}

/// The pairs of different rules that can wait at the same time, the one that stands first in front.
pub(super) fn waiting_together(graph: &Graph) -> BTreeSet<(usize, usize)> {
    let updates = updates(graph.program);
    let mut pairs = BTreeSet::new();
    let mut work = Vec::new();
    let mut add = |a: usize, b: usize, work: &mut Vec<(usize, usize)>| {
        let pair = (a.min(b), a.max(b));
        if a != b && pairs.insert(pair) {
            work.push(pair);
        }
    };
    for (a, one) in graph.rules.iter().enumerate() {
        for (b, other) in graph.rules.iter().enumerate().skip(a + 1) {
            if set_off_together(one, other, &updates) {
                add(a, b, &mut work);
            }
        }
        let next: Vec<usize> = graph.edges_from(a).map(|edge| edge.to).collect();
        for b in &next {
            for c in &next {
                add(*b, *c, &mut work);
            }
        }
    }
    while let Some((a, b)) = work.pop() {
        for (fired, waits) in [(a, b), (b, a)] {
            let priority = |at: usize| graph.rules.get(at).map_or(0, |rule| rule.priority);
            if priority(fired) < priority(waits) {
                continue;
            }
            for edge in graph.edges_from(fired) {
                add(edge.to, waits, &mut work);
            }
        }
    }
    pairs
}

/// Whether one change can concern both rules.
fn set_off_together(one: &Rule, other: &Rule, updates: &[(RecordId, BTreeSet<usize>)]) -> bool {
    let entity = one.reaction.entity;
    if entity != other.reaction.entity || one.reaction.event != other.reaction.event {
        return false;
    }
    one.reaction.event != RecordEvent::Changed
        || !one.watched.is_disjoint(&other.watched)
        || updates.iter().any(|(of, fields)| {
            *of == entity && !fields.is_disjoint(&one.watched) && !fields.is_disjoint(&other.watched)
        })
}

/// Whether no record meets the conditions of both. A rule that a later change could not set off again must not
/// depend on what rules write.
pub(super) fn exclude_each_other(graph: &Graph, one: &Rule, other: &Rule) -> bool {
    let again = |rule: &Rule| rule.reaction.event == RecordEvent::Changed || !graph.is_rewritten(rule);
    one.reaction.entity == other.reaction.entity && !meet(&one.guard, &other.guard) && (again(one) && again(other))
}

/// What one rule writes that another one reads or writes.
#[derive(Debug)]
struct Conflict {
    /// The rule that writes.
    writer: usize,
    /// The rule that it matters to.
    sufferer: usize,
    site: Span,
    deed: Deed,
    entity: RecordId,
    field: usize,
    /// Where the other one reads it; none when it writes it.
    reads: Option<Span>,
    /// Where the other one writes it.
    writes: Option<Span>,
}

/// How what `one` does matters to `other`.
fn conflict(one: &Rule, other: &Rule) -> Option<Conflict> {
    let own = other.reaction.entity;
    for site in &one.doings.sites {
        let entity = site.entity;
        let found = |field, reads, writes| {
            Some(Conflict { writer: 0, sufferer: 0, site: site.span, deed: site.deed, entity, field, reads, writes })
        };
        match site.deed {
            Deed::Update => {
                for assignment in &site.assignments {
                    let field = assignment.field;
                    if let Some(span) = other.doings.reads.get(&(entity, field)) {
                        return found(field, Some(*span), None);
                    }
                    let is_watched =
                        other.reaction.event == RecordEvent::Changed && entity == own && other.watched.contains(&field);
                    if is_watched {
                        return found(field, Some(other.reaction.span), None);
                    }
                    let others = other.doings.sites.iter().filter(|other| other.entity == entity);
                    for written in others {
                        let against = written
                            .assignments
                            .iter()
                            .find(|other| written.deed == Deed::Update && other.field == field);
                        let Some(against) = against else { continue };
                        let same = match (&assignment.value, &against.value) {
                            (Assigned::Known(left, _), Assigned::Known(right, _)) => left == right,
                            _ => false,
                        };
                        if !same {
                            return found(field, None, Some(written.span));
                        }
                    }
                }
            }
            Deed::Create => {
                if let Some(span) = other.doings.reads.get(&(entity, EXISTENCE)) {
                    return found(EXISTENCE, Some(*span), None);
                }
            }
            Deed::Delete => {
                let mut reads = other.doings.reads.iter().filter(|((of, _), _)| *of == entity);
                if let Some((_, span)) = reads.next() {
                    return found(PRESENCE, Some(*span), None);
                }
                if entity == own && other.reaction.event != RecordEvent::Deleted {
                    return found(PRESENCE, Some(other.reaction.span), None);
                }
                let touches = |site: &&Site| site.entity == entity && site.deed != Deed::Create;
                if let Some(written) = other.doings.sites.iter().find(touches) {
                    return found(PRESENCE, None, Some(written.span));
                }
            }
        }
    }
    None
}

fn finding(
    graph: &Graph,
    (first_at, first): (usize, &Rule),
    (second_at, second): (usize, &Rule),
    conflict: &Conflict,
) -> Finding {
    let writes = graph.rules.get(conflict.writer).unwrap_or(first);
    let suffers = graph.rules.get(conflict.sufferer).unwrap_or(second);
    let (first_name, second_name) = (&first.reaction.name, &second.reaction.name);
    let entity = graph.program.records.get(conflict.entity.0 as usize);
    let entity_name = entity.map_or("?", |entity| entity.name.as_str());
    let field = entity.and_then(|entity| entity.fields.get(conflict.field)).map(|field| field.name.as_str());
    let (what, verb) = match (conflict.deed, field) {
        (Deed::Update, Some(field)) => (format!("`{field}` of {entity_name}"), "sets"),
        (Deed::Create, _) => (format!("a new {entity_name}"), "makes"),
        _ => (with_article(entity_name), "deletes"),
    };
    let other = match conflict.reads {
        Some(_) => "reads",
        None => "writes",
    };
    let object = if conflict.deed == Deed::Update { "it" } else { "such records" };
    let mut finding = Finding::new(
        &catalogue::reaction::ORDER,
        second.reaction.span,
        format!("`{first_name}` and `{second_name}` can be set off together, and their order matters"),
    )
    .at("goes second, as it stands second")
    .label(first.reaction.span, "goes first, as it stands first")
    .label(conflict.site, format!("`{}` {verb} {what}", writes.reaction.name));
    let place = conflict.reads.or(conflict.writes).filter(|span| *span != suffers.reaction.span);
    if let Some(span) = place {
        finding = finding.label(span, format!("`{}` {other} {object}", suffers.reaction.name));
    }
    for (at, rule) in [(conflict.writer, writes), (conflict.sufferer, suffers)] {
        if at != first_at && at != second_at {
            finding = finding.label(rule.reaction.span, "is set off by one of them, and goes before the other");
        }
    }
    finding
        .note("nothing but their order in the text decides; moving one of them would change what happens")
        .help("give the one that is to go first the higher priority: `… priority 10 {`")
}

/// What each update of a program changes, wherever it stands.
fn updates(program: &Program) -> Vec<(RecordId, BTreeSet<usize>)> {
    let mut found = Vec::new();
    let mut look = |expr: &Expr| {
        expr.walk(&mut |inner| {
            if let ExprKind::Update(target, changes) = &inner.kind
                && let Some(entity) = super::site::entity_of(&target.ty)
            {
                found.push((entity, changes.iter().map(|(field, _)| *field).collect()));
            }
        });
    };
    for callable in &program.callables {
        each_expression(&callable.body, &mut look);
    }
    for flow in &program.flows {
        each_expression(&flow.body, &mut look);
        for step in &flow.steps {
            match &step.body {
                StepBody::Value(value) => look(value),
                StepBody::Block(statements) => each_expression(statements, &mut look),
            }
            if let Some(undo) = &step.undo {
                each_expression(undo, &mut look);
            }
        }
    }
    for statements in program.reactions.iter().map(|of| &of.body).chain(program.tests.iter().map(|of| &of.body)) {
        each_expression(statements, &mut look);
    }
    found
}

/// Visits the outermost expressions of statements and of the blocks within them.
pub(super) fn each_expression(statements: &[Statement], f: &mut dyn FnMut(&Expr)) {
    for statement in statements {
        let mut bodies: Vec<&Vec<Statement>> = Vec::new();
        let mut expressions: Vec<&Expr> = Vec::new();
        statement.each_part(&mut |expr| expressions.push(expr), &mut |body| bodies.push(body));
        expressions.into_iter().for_each(&mut *f);
        for body in bodies {
            each_expression(body, f);
        }
    }
}
