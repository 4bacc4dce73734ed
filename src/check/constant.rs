//! Conditions that hold always or never, whatever the values are: a literal in the place of a condition, something compared
//! with itself, limits that exclude each other or leave nothing out.

use super::Checker;
use super::graph::same;
use super::policy::{includes, mirrored, negated};
use super::program::{BodyParts, Expr, ExprKind, Program, StatementKind};
use crate::finding::{Finding, catalogue::decision};
use crate::library::Operation;
use crate::syntax::tree::BinaryOperator as B;
use crate::text::Span;
use crate::value::Value;

impl Checker<'_> {
    /// Looks at the conditions of everything that people write. Where something is wrong, that may be why.
    pub(crate) fn check_conditions(&mut self) {
        if self.findings.iter().any(Finding::is_error) {
            return;
        }
        let program = &self.program;
        let wanted = |span: Span| program.sources.get(span.source).is_some_and(|source| !source.is_library);
        let mut findings = Vec::new();
        for body in program.bodies() {
            conditions(&body, &mut |condition| {
                if wanted(condition.span)
                    && let Some(found) = judged(condition)
                {
                    findings.push(found.finding(program));
                }
            });
        }
        findings.into_iter().for_each(|finding| self.report(finding));
    }
}

/// Visits whatever decides about something in a body, as a whole.
fn conditions<'p>(body: &BodyParts<'p>, f: &mut dyn FnMut(&'p Expr)) {
    body.each_statement(&mut |statement| {
        if let StatementKind::If { condition, .. } = &statement.kind {
            f(condition);
        }
    });
    body.each_expression(&mut |outer| {
        outer.walk(&mut |expr| match &expr.kind {
            ExprKind::Conditional(condition, ..) => f(condition),
            ExprKind::Perform(Operation::ListWhere | Operation::ListAny | Operation::ListAll, arguments) => {
                for argument in arguments {
                    if let ExprKind::Lambda(_, condition) = &argument.kind {
                        f(condition);
                    }
                }
            }
            _ => {}
        });
    });
}

/// A condition, or a part of one, that does not hang on its values.
struct Found {
    /// What always or never holds.
    place: Span,
    holds: bool,
    /// What says so, when it is two parts together.
    parts: Option<(Span, Span)>,
}

impl Found {
    fn finding(&self, program: &Program) -> Finding {
        let words = |span: Span| program.sources.slice(span);
        let (how, other) = if self.holds { ("always", "and") } else { ("never", "or") };
        let message = match self.parts {
            None => format!("this condition {how} holds, whatever the values are"),
            Some((first, second)) if self.holds => {
                format!("this condition always holds: where `{}` does not, `{}` does", words(first), words(second))
            }
            Some((first, second)) => {
                format!("this condition never holds: where `{}` does, `{}` does not", words(first), words(second))
            }
        };
        let help = match self.parts {
            None => format!("write what was meant instead of `{}`, or do without the condition", words(self.place)),
            Some(_) => format!("put the limits right, or join them with `{other}`"),
        };
        Finding::new(&decision::CONSTANT, self.place, message).at(format!("{how} holds")).help(help)
    }
}

/// What can be said of a condition, or of the first part of it of which something can be said.
fn judged(condition: &Expr) -> Option<Found> {
    let found = |holds| Some(Found { place: condition.span, holds, parts: None });
    match &condition.kind {
        ExprKind::Value(Value::Bool(truth)) => found(*truth),
        ExprKind::Not(inner) => {
            let of = judged(inner)?;
            Some(if of.place == inner.span && of.parts.is_none() { found(!of.holds)? } else { of })
        }
        ExprKind::Binary(joint @ (B::And | B::Or), a, b) => judged(a).or_else(|| judged(b)).or_else(|| {
            let mut limits = Vec::new();
            limits_of(condition, *joint, &mut limits);
            let (first, second) = pairs(&limits).find(|(one, other)| one.excludes(other))?;
            Some(Found { place: condition.span, holds: *joint == B::Or, parts: Some((first.span, second.span)) })
        }),
        ExprKind::Binary(operator, a, b) if same(a, b) => match operator {
            B::Equal | B::LessOrEqual | B::GreaterOrEqual => found(true),
            B::NotEqual | B::Less | B::Greater => found(false),
            _ => None,
        },
        _ => None,
    }
}

/// Something that is compared with a literal.
struct Limit<'p> {
    subject: &'p Expr,
    operator: B,
    value: &'p Value,
    span: Span,
}

impl Limit<'_> {
    /// Whether no value is within both.
    fn excludes(&self, other: &Limit<'_>) -> bool {
        same(self.subject, other.subject)
            && negated(other.operator).is_some_and(|outside| includes(self.operator, self.value, outside, other.value))
    }
}

fn pairs<T>(all: &[T]) -> impl Iterator<Item = (&T, &T)> {
    all.iter().enumerate().flat_map(|(at, one)| all.iter().skip(at + 1).map(move |other| (one, other)))
}

/// What of a chain of `and` must hold, each part; of a chain of `or`, what must hold for the whole not to.
fn limits_of<'p>(condition: &'p Expr, joint: B, limits: &mut Vec<Limit<'p>>) {
    match &condition.kind {
        ExprKind::Binary(operator, a, b) if *operator == joint => {
            limits_of(a, joint, limits);
            limits_of(b, joint, limits);
        }
        _ => {
            let Some(limit) = limit(condition) else { return };
            let operator = if joint == B::And { Some(limit.operator) } else { negated(limit.operator) };
            limits.extend(operator.map(|operator| Limit { operator, ..limit }));
        }
    }
}

fn limit(condition: &Expr) -> Option<Limit<'_>> {
    const YES: &Value = &Value::Bool(true);
    const NONE: &Value = &Value::None;
    let span = condition.span;
    Some(match &condition.kind {
        ExprKind::Not(inner) => {
            let of = limit(inner)?;
            Limit { operator: negated(of.operator)?, span, ..of }
        }
        ExprKind::Is(subject, some) => {
            Limit { subject, operator: if *some { B::NotEqual } else { B::Equal }, value: NONE, span }
        }
        ExprKind::Binary(operator, a, b) => match (&a.kind, &b.kind) {
            (_, ExprKind::Value(value)) => Limit { subject: a, operator: *operator, value, span },
            (ExprKind::Value(value), _) => Limit { subject: b, operator: mirrored(*operator), value, span },
            _ => return None,
        },
        // `paid` is `paid == true`.
        _ => Limit { subject: condition, operator: B::Equal, value: YES, span },
    })
}
