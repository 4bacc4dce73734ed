//! What acts outside at once, several times in one step; and what a loop asks the store for in every round although it
//! is the same each time.

use super::deeds::{Deed, Deedbook, Deeds, each_expression, each_statement};
use super::reading::Reading;
use crate::check::program::{Effect, Expr, ExprKind, LocalId, Program, Statement, StatementKind, Step, StepBody, Type};
use crate::finding::{Finding, catalogue};
use crate::text::Span;
use crate::value::RecordId;
use std::collections::{BTreeSet, HashSet};

/// The findings about the steps and loops that are wanted.
pub(crate) fn findings(program: &Program, book: &Deedbook<'_>, wanted: &dyn Fn(Span) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let written = written(program);
    for flow in program.flows.iter().filter(|flow| wanted(flow.span)) {
        for step in &flow.steps {
            findings.extend(two_outside(step, book));
            findings.extend(write_before_call(step, book));
            if let StepBody::Block(statements) = &step.body {
                in_loops(program, statements, &written, &mut findings);
            }
        }
    }
    for of in program.callables.iter().filter(|of| wanted(of.span)) {
        in_loops(program, &of.body, &written, &mut findings);
    }
    findings
}

/// Several deeds outside in one step, one of which is not the same when it is done again.
fn two_outside(step: &Step, book: &Deedbook<'_>) -> Option<Finding> {
    let mut places: Vec<(Span, bool)> = Vec::new();
    let mut calls: Vec<Span> = Vec::new();
    let mut look = |expr: &Expr| {
        expr.walk(&mut |inner| {
            if !matches!(inner.kind, ExprKind::Call(..) | ExprKind::Perform(..)) {
                return;
            }
            // What stands in its arguments is looked at by itself.
            let mut own = Deeds::default();
            book.add_own(inner, &mut own);
            let call = own.of(Deed::Call).is_some();
            if call {
                calls.push(inner.span);
            }
            let once = own.of(Deed::Once).is_some();
            if once || call || own.of(Deed::File).is_some() {
                places.push((inner.span, once));
            }
        });
    };
    match &step.body {
        StepBody::Value(value) => look(value),
        StepBody::Block(statements) => each_expression(statements, &mut look),
    }
    calls.sort_by_key(|span| span.start);
    if let [first, second, ..] = calls.as_slice() {
        return Some(two_calls(step, *first, *second));
    }
    places.sort_by_key(|(span, _)| span.start);
    let once = places.iter().find(|(_, once)| *once)?.0;
    let other = places.iter().find(|(span, _)| *span != once)?.0;
    let (first, second) = if once.start < other.start { (once, other) } else { (other, once) };
    Some(
        Finding::new(
            &catalogue::effect::TWO_OUTSIDE,
            once,
            format!("the step `{}` acts outside twice, and this can't be done again", step.name),
        )
        .at(if first == once { "first this" } else { "then this" })
        .label(if first == once { second } else { first }, if first == once { "then this" } else { "first this" })
        .note("files are outside of the store: when the step fails or the machine stops between the two, the step is done again from its beginning, and what was moved is not there any more")
        .help("give each a step of its own"),
    )
}

/// Two calls that change something in one step.
fn two_calls(step: &Step, first: Span, second: Span) -> Finding {
    Finding::new(
        &catalogue::effect::TWO_OUTSIDE,
        second,
        format!("the step `{}` changes something in other systems twice", step.name),
    )
    .at("then this")
    .label(first, "first this")
    .note("when the second fails, or the machine stops between the two, the step is done again from its beginning, and so is the first: under the same key, which not every system looks at")
    .help("give each a step of its own, with an `undo` where it can be taken back")
}

/// Whether an expression by itself calls another system, or what it calls does.
fn calls_out(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Perform(operation, _) => operation.primitive().effect == Effect::Calls,
        ExprKind::Call(..) => expr.effect == Effect::Calls,
        _ => false,
    }
}

/// A step that writes records before it calls: they stay locked as long as the call takes.
fn write_before_call(step: &Step, book: &Deedbook<'_>) -> Option<Finding> {
    let (mut written, mut called): (Vec<Span>, Vec<Span>) = (Vec::new(), Vec::new());
    let mut look = |expr: &Expr| {
        expr.walk(&mut |inner| {
            let mut own = Deeds::default();
            book.add_own(inner, &mut own);
            if calls_out(inner) {
                called.push(inner.span);
            } else if own.of(Deed::Store).is_some() || own.of(Deed::Mail).is_some() {
                written.push(inner.span);
            }
        });
    };
    match &step.body {
        StepBody::Value(value) => look(value),
        StepBody::Block(statements) => each_expression(statements, &mut look),
    }
    let call = called.into_iter().max_by_key(|span| span.start)?;
    let write = written.into_iter().filter(|span| span.start < call.start).min_by_key(|span| span.start)?;
    Some(
        Finding::new(
            &catalogue::effect::WRITE_BEFORE_CALL,
            call,
            format!("the step `{}` writes before it calls another system", step.name),
        )
        .at("calls, and may take long")
        .label(write, "written here, and not on disk by then")
        .note("nobody else can write to the store while the call lasts; and when the step fails behind it, what was written is taken back, and the call is not")
        .help("call first and write what came of it, or give the write a step of its own before it"),
    )
}

/// The entities whose records each callable writes, with all that it calls.
pub(super) fn written(program: &Program) -> Vec<BTreeSet<RecordId>> {
    let count = program.callables.len();
    let mut written = vec![BTreeSet::new(); count];
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut waiting = Vec::new();
    for (at, of) in program.callables.iter().enumerate() {
        each_expression(&of.body, &mut |outer| {
            outer.walk(&mut |expr| {
                if let ExprKind::Call(id, _) = &expr.kind
                    && let Some(callers) = callers.get_mut(id.index())
                {
                    callers.push(at);
                }
                written[at].extend(writes(expr));
            });
        });
        if !written[at].is_empty() {
            waiting.push(at);
        }
    }
    while let Some(at) = waiting.pop() {
        let of = written[at].clone();
        for caller in &callers[at] {
            let before = written[*caller].len();
            written[*caller].extend(&of);
            if written[*caller].len() != before {
                waiting.push(*caller);
            }
        }
    }
    written
}

/// The entity whose record an expression by itself writes.
pub(super) fn writes(expr: &Expr) -> Option<RecordId> {
    let of = |target: &Expr| match target.ty {
        Type::Record(id) | Type::Reference(id) => Some(id),
        _ => None,
    };
    match &expr.kind {
        ExprKind::Create(id, _) => Some(*id),
        ExprKind::Update(target, _) | ExprKind::Delete(target) => of(target),
        _ => None,
    }
}

fn in_loops(program: &Program, statements: &[Statement], written: &[BTreeSet<RecordId>], findings: &mut Vec<Finding>) {
    for statement in statements {
        if let StatementKind::For(each) = &statement.kind {
            let mut own: HashSet<LocalId> = HashSet::from([each.local]);
            own.extend(each.second);
            let mut changed: BTreeSet<RecordId> = BTreeSet::new();
            each_statement(&each.body, &mut |inner| match &inner.kind {
                StatementKind::Set { local, .. } => {
                    own.insert(*local);
                }
                StatementKind::For(inner) => {
                    own.insert(inner.local);
                    own.extend(inner.second);
                }
                _ => {}
            });
            each_expression(&each.body, &mut |outer| {
                outer.walk(&mut |expr| {
                    changed.extend(writes(expr));
                    if let ExprKind::Call(id, _) = &expr.kind {
                        changed.extend(written.get(id.index()).into_iter().flatten());
                    }
                });
            });
            let mut found = Vec::new();
            // Only what each round comes to: what stands behind a condition may never be read.
            for inner in &each.body {
                let is_plain = !matches!(inner.kind, StatementKind::If { .. } | StatementKind::Match { .. });
                inner.each_part(
                    &mut |expr| {
                        if is_plain {
                            constant_queries(program, expr, &own, &changed, &mut found);
                        }
                    },
                    &mut |_| {},
                );
            }
            let head = Span { end: each.list.span.end, ..statement.span };
            for Constant { place: span, entity: what, asks } in found {
                let entity = program.records.get(what.0 as usize).map_or("?", |record| record.name.as_str());
                let mut finding = Finding::new(
                    &catalogue::effect::IN_LOOP,
                    span,
                    format!("each round of the loop reads the same from `{entity}`"),
                )
                .at("does not depend on the round")
                .label(head, "this loop");
                if let Some(asks) = asks {
                    finding = finding.label(asks, "the task asks the store here");
                }
                findings.push(finding.help("read it once before the loop: `let … = …`"));
            }
            in_loops(program, &each.body, written, findings);
            continue;
        }
        let mut bodies: Vec<&Vec<Statement>> = Vec::new();
        statement.each_part(&mut |_| {}, &mut |body| bodies.push(body));
        for body in bodies {
            in_loops(program, body, written, findings);
        }
    }
}

/// Something that is read in each round, and is the same in each.
struct Constant {
    place: Span,
    entity: RecordId,
    /// Where a task asks for it, when it is one that does.
    asks: Option<Span>,
}

/// The largest expressions that only read, and read the same in each round.
fn constant_queries(
    program: &Program,
    expr: &Expr,
    own: &HashSet<LocalId>,
    changed: &BTreeSet<RecordId>,
    found: &mut Vec<Constant>,
) {
    if expr.effect == Effect::Pure {
        return;
    }
    if expr.effect == Effect::Reads {
        let (mut entity, mut asks, mut is_free) = (None, None, true);
        // The names of its own lambdas come and go with it.
        let mut inside: HashSet<LocalId> = HashSet::new();
        expr.walk(&mut |inner| match &inner.kind {
            ExprKind::All(id) | ExprKind::Get(id, _) | ExprKind::Has(id, _) => {
                entity = entity.or(Some(*id));
                is_free &= !changed.contains(id);
            }
            ExprKind::Lambda(locals, _) => inside.extend(locals),
            ExprKind::Guarded { local, .. } => {
                inside.insert(*local);
            }
            ExprKind::Local(local) => is_free &= inside.contains(local) || !own.contains(local),
            ExprKind::Call(id, _) if inner.effect == Effect::Reads => match Reading::of(program, *id) {
                Some(reading) => {
                    is_free &= reading.entities.is_disjoint(changed);
                    entity = entity.or(reading.entities.first().copied());
                    let is_own = program.sources.get(reading.place.span.source).is_some_and(|of| !of.is_library);
                    asks = asks.or(is_own.then_some(reading.place.span));
                }
                None => is_free = false,
            },
            // What else is read (the clock, chance, a file) may be another thing each time.
            ExprKind::Call(..) | ExprKind::Perform(..) if inner.effect > Effect::Pure => {
                let is_chain = match &inner.kind {
                    ExprKind::Perform(operation, _) => operation.primitive().effect == Effect::Pure,
                    _ => false,
                };
                is_free &= is_chain;
            }
            ExprKind::Follow(_) => is_free = false,
            _ => {}
        });
        // A chain that is not at its end has asked nothing yet.
        let is_asked = !matches!(expr.ty, Type::Query(_));
        if let (Some(entity), true) = (entity, is_free && is_asked) {
            found.push(Constant { place: expr.span, entity, asks });
            return;
        }
    }
    // What a condition guards may never be read.
    match &expr.kind {
        ExprKind::Conditional(condition, ..) => constant_queries(program, condition, own, changed, found),
        ExprKind::Lambda(..) => {}
        _ => expr.each_child(&mut |child| constant_queries(program, child, own, changed, found)),
    }
}
