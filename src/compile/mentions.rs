//! Walks over expressions: which locals they use.

use crate::check::program::{Expr, ExprKind, LocalId, TextPart, Wait};

/// Whether an expression uses a local.
pub(super) fn mentions(expr: &Expr, local: LocalId) -> bool {
    mentions_any(expr, &[local])
}

/// Whether an expression uses one of some locals.
pub(super) fn mentions_any(expr: &Expr, locals: &[LocalId]) -> bool {
    if let ExprKind::Local(other) = &expr.kind {
        return locals.contains(other);
    }
    let mut found = false;
    each_part(expr, &mut |part| found = found || mentions_any(part, locals));
    found
}

/// Calls `visit` for each expression directly inside of another.
pub(super) fn each_part<'e>(expr: &'e Expr, visit: &mut dyn FnMut(&'e Expr)) {
    match &expr.kind {
        ExprKind::Value(_)
        | ExprKind::Constant(_)
        | ExprKind::Local(_)
        | ExprKind::TypeArgument(_)
        | ExprKind::All(_) => {}
        ExprKind::Text(parts) => parts.iter().for_each(|part| {
            if let TextPart::Value(value) = part {
                visit(value);
            }
        }),
        ExprKind::List(parts)
        | ExprKind::Record(_, parts)
        | ExprKind::Call(_, parts)
        | ExprKind::Decide(_, parts)
        | ExprKind::Perform(_, parts)
        | ExprKind::Template(_, parts)
        | ExprKind::Run(_, parts)
        | ExprKind::Start(_, parts) => parts.iter().for_each(visit),
        ExprKind::Map(entries) => entries.iter().for_each(|(key, value)| {
            visit(key);
            visit(value);
        }),
        ExprKind::Range(left, right) | ExprKind::Index(left, right) | ExprKind::Binary(_, left, right) => {
            visit(left);
            visit(right);
        }
        ExprKind::With(target, changes) | ExprKind::Update(target, changes) => {
            visit(target);
            changes.iter().for_each(|(_, value)| visit(value));
        }
        ExprKind::Field(inner, _)
        | ExprKind::FailureMessage(inner)
        | ExprKind::Follow(inner)
        | ExprKind::Refer(inner)
        | ExprKind::Not(inner)
        | ExprKind::Negate(inner)
        | ExprKind::Is(inner, _)
        | ExprKind::ToDecimal(inner)
        | ExprKind::Load(inner)
        | ExprKind::Lambda(_, inner)
        | ExprKind::Get(_, inner)
        | ExprKind::Has(_, inner)
        | ExprKind::Delete(inner) => visit(inner),
        ExprKind::Guarded { target, then, .. } => {
            visit(target);
            visit(then);
        }
        ExprKind::Conditional(condition, then, otherwise) => {
            visit(condition);
            visit(then);
            visit(otherwise);
        }
        ExprKind::Create(_, fields) => fields.iter().flatten().for_each(visit),
        ExprKind::Wait(wait) => match wait.as_ref() {
            Wait::Sleep(inner) | Wait::SleepUntil(inner) => visit(inner),
            Wait::For { condition, within, .. } => {
                visit(condition);
                within.iter().for_each(visit);
            }
            Wait::Ask { role, question, within, otherwise } => {
                visit(role);
                visit(question);
                within.iter().for_each(&mut *visit);
                otherwise.iter().for_each(visit);
            }
        },
    }
}
