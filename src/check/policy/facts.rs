//! What a condition that held, or did not, says of another: comparisons with literals, `and`, `or`, `not`, enums,
//! the outcomes of decision tables, and the answers of people.

use super::bodies::{Bodies, Body};
use super::goal::mentioned;
use super::terms::{Scope, Term};
use super::ways::Passed;
use crate::check::program::{Arm, CellTest, Expr, ExprKind, Program, Type, Wait};
use crate::syntax::tree::BinaryOperator as B;
use crate::value::Value;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::rc::Rc;

/// How deep conditions are taken apart.
const DEEPEST: usize = 16;

/// How deep calls whose results are conditions are looked into.
const DEEPEST_CALLS: usize = 6;

/// Answers that do not allow what was asked for.
const REFUSALS: &[&str] = &[
    "no",
    "not",
    "reject",
    "rejected",
    "refuse",
    "refused",
    "decline",
    "declined",
    "deny",
    "denied",
    "stop",
    "cancel",
    "disapprove",
    "disapproved",
];

/// A condition on a way, and whether it held.
#[derive(Debug, Clone, Copy)]
pub(super) enum Guard<'p> {
    /// `if`
    Condition(&'p Expr, bool),
    /// An arm of a `match`: its test held, those before did not.
    Arm(&'p Expr, &'p [Arm], usize),
}

/// Says what follows from what.
pub(super) struct Logic<'b, 'p> {
    pub program: &'p Program,
    pub bodies: &'b Bodies<'p>,
    /// The bodies whose end may make sure of what is asked for.
    pub settling: HashSet<Body>,
}

impl<'p> Logic<'_, 'p> {
    /// Whether a guard of a body implies that a condition holds (or does not).
    pub fn guard_implies(
        &self,
        guard: &Guard<'p>,
        scope: &std::rc::Rc<Scope<'p>>,
        goal: &Term<'p>,
        holds: bool,
    ) -> bool {
        let term = |expr: &'p Expr| Term { expr, scope: std::rc::Rc::clone(scope) };
        match guard {
            Guard::Condition(expr, held) => self.implies(&term(expr), *held, goal, holds, 0),
            Guard::Arm(value, arms, at) => {
                let value = term(value);
                arms.iter().take(at + 1).enumerate().any(|(index, arm)| {
                    let cell = Cell { subject: &value, test: &arm.test, cells: &value };
                    self.cell_implies(&cell, index == *at, goal, holds, 0)
                })
            }
        }
    }

    /// Whether `fact` being `held` implies `goal` being `holds`.
    fn implies(&self, fact: &Term<'p>, held: bool, goal: &Term<'p>, holds: bool, depth: usize) -> bool {
        if depth > DEEPEST {
            return false;
        }
        let depth = depth + 1;
        let (f, g) = (fact.resolved(self.program), goal.resolved(self.program));
        // The negation inside out.
        if let ExprKind::Not(inner) = &f.expr.kind {
            return self.implies(&f.part(inner), !held, &g, holds, depth);
        }
        if let ExprKind::Not(inner) = &g.expr.kind {
            return self.implies(&f, held, &g.part(inner), !holds, depth);
        }
        if held == holds && (f.same(&g, self.program) || f.same_call(&g, self.program)) {
            return true;
        }
        if let ExprKind::Binary(operator @ (B::And | B::Or), a, b) = &f.expr.kind {
            let (a, b) = (f.part(a), f.part(b));
            let one = |part: &Term<'p>| self.implies(part, held, &g, holds, depth);
            // `a and b` holds: each does. `a or b` holds: one does, so both must imply it.
            let each = (*operator == B::And) == held;
            if if each { one(&a) || one(&b) } else { one(&a) && one(&b) } {
                return true;
            }
        }
        if let ExprKind::Binary(operator @ (B::And | B::Or), a, b) = &g.expr.kind {
            let one = |part: &'p Expr| self.implies(&f, held, &g.part(part), holds, depth);
            return if (*operator == B::And) == holds { one(a) && one(b) } else { one(a) || one(b) };
        }
        match &f.expr.kind {
            ExprKind::Decide(table, arguments) => {
                let outcome = Value::Bool(held);
                return self.outcome_implies(*table, arguments, &f, &|value| *value == outcome, &g, holds, depth);
            }
            ExprKind::Run(..) | ExprKind::Call(..) => {
                let outcome = Value::Bool(held);
                let is_so = |given: &Term<'p>| self.implies(given, held, &g, holds, depth);
                return self.result_implies(&f, &|value| *value == outcome, &is_so, &g, holds);
            }
            ExprKind::Binary(operator, a, b) => {
                let (a, b) = (f.part(a), f.part(b));
                if let Some(literal) = b.value(self.program) {
                    return self.atom_implies(&a, *operator, literal, held, &g, holds, depth);
                }
                if let Some(literal) = a.value(self.program) {
                    return self.atom_implies(&b, mirrored(*operator), literal, held, &g, holds, depth);
                }
                // `x in [a, b]`
                let list = b.resolved(self.program);
                if let (B::In, ExprKind::List(members)) = (operator, &list.expr.kind) {
                    let one = |member: &'p Expr| {
                        let literal = list.part(member).value(self.program);
                        literal.is_some_and(|literal| self.atom_implies(&a, B::Equal, literal, held, &g, holds, depth))
                    };
                    return if held { !members.is_empty() && members.iter().all(one) } else { members.iter().any(one) };
                }
            }
            ExprKind::Is(inner, some) => {
                if let ExprKind::Is(other, wanted) = &g.expr.kind {
                    return f.part(inner).same(&g.part(other), self.program) && ((held == *some) == (holds == *wanted));
                }
            }
            _ => {}
        }
        // The answer of a person.
        held && holds && self.is_answer(&f, &g)
    }

    /// Whether something is the answer that a policy requires, or a field of it.
    fn is_answer(&self, fact: &Term<'p>, goal: &Term<'p>) -> bool {
        let ExprKind::Wait(wanted) = &goal.expr.kind else { return false };
        let Wait::Ask { role: wanted, .. } = &**wanted else { return false };
        let mut fact = fact.resolved(self.program);
        while let ExprKind::Field(inner, _) = &fact.expr.kind {
            fact = fact.part(inner).resolved(self.program);
        }
        let ExprKind::Wait(asked) = &fact.expr.kind else { return false };
        let Wait::Ask { role, otherwise, .. } = &**asked else { return false };
        // An answer that comes by itself when the time is over is nobody's.
        let by_itself = otherwise.as_ref().and_then(|value| fact.part(value).value(self.program));
        let allows = match by_itself {
            Some(Value::Bool(truth)) => *truth,
            _ => false,
        };
        !allows && fact.part(role).same(&goal.part(wanted), self.program)
    }

    /// Whether a comparison with a literal implies something.
    #[allow(clippy::too_many_arguments, reason = "a comparison has three parts, an implication two sides")]
    fn atom_implies(
        &self,
        subject: &Term<'p>,
        operator: B,
        literal: &'p Value,
        held: bool,
        goal: &Term<'p>,
        holds: bool,
        depth: usize,
    ) -> bool {
        let subject = subject.resolved(self.program);
        let Some(operator) = (if held { Some(operator) } else { negated(operator) }) else { return false };
        // `approved == true` is `approved`.
        if let (B::Equal | B::NotEqual, Value::Bool(truth)) = (operator, literal)
            && depth < DEEPEST
        {
            return self.implies(&subject, *truth == (operator == B::Equal), goal, holds, depth + 1);
        }
        if let ExprKind::Decide(table, arguments) = &subject.expr.kind {
            let fits = |value: &Value| compares(value, operator, literal);
            return self.outcome_implies(*table, arguments, &subject, &fits, goal, holds, depth);
        }
        if let ExprKind::Run(..) | ExprKind::Call(..) = &subject.expr.kind
            && depth < DEEPEST
        {
            let fits = |value: &Value| compares(value, operator, literal);
            let is_so = |given: &Term<'p>| self.atom_implies(given, operator, literal, true, goal, holds, depth + 1);
            if self.result_implies(&subject, &fits, &is_so, goal, holds) {
                return true;
            }
        }
        if holds && self.is_answer(&subject, goal) {
            return self.allows(&subject, operator, literal);
        }
        let ExprKind::Binary(wanted, a, b) = &goal.expr.kind else { return false };
        let (a, b) = (goal.part(a), goal.part(b));
        let (other, wanted, limit) = match (b.value(self.program), a.value(self.program)) {
            (Some(limit), _) => (a, *wanted, limit),
            (None, Some(limit)) => (b, mirrored(*wanted), limit),
            (None, None) => return false,
        };
        let Some(wanted) = (if holds { Some(wanted) } else { negated(wanted) }) else { return false };
        subject.same(&other, self.program) && includes(operator, literal, wanted, limit)
    }

    /// Whether an answer of an enum allows: `== yes`, `!= no`.
    fn allows(&self, answer: &Term<'p>, operator: B, literal: &Value) -> bool {
        let Value::Enum(value) = literal else { return false };
        let Type::Enum(id) = answer.expr.ty.present() else { return false };
        let member = self.program.enums.get(id.0 as usize).and_then(|of| of.members.get(usize::from(value.member)));
        let refuses = member.is_some_and(|name| REFUSALS.contains(&name.to_lowercase().as_str()));
        match operator {
            B::Equal => !refuses,
            B::NotEqual => refuses,
            _ => false,
        }
    }

    /// Whether every row of a table with such an outcome implies something.
    #[allow(clippy::too_many_arguments, reason = "a call of a table has three parts, an implication two sides")]
    fn outcome_implies(
        &self,
        table: crate::check::program::TableId,
        arguments: &'p [Expr],
        call: &Term<'p>,
        fits: &dyn Fn(&Value) -> bool,
        goal: &Term<'p>,
        holds: bool,
        depth: usize,
    ) -> bool {
        use crate::syntax::tree::HitPolicy;
        let Some(table) = self.program.tables.get(table.index()) else { return false };
        let gives_a_row = matches!(table.policy, HitPolicy::Unique | HitPolicy::First | HitPolicy::Any);
        if !gives_a_row || depth > DEEPEST {
            return false;
        }
        let scope = Scope::of_call(None, arguments, &call.scope);
        let mut some = false;
        for row in &table.rows {
            if let ExprKind::Value(value) = &row.outcome.kind
                && !fits(value)
            {
                continue;
            }
            some = true;
            let implied = table.columns.iter().zip(&row.tests).any(|(column, test)| {
                let term = |expr: &'p Expr| Term { expr, scope: std::rc::Rc::clone(&scope) };
                match (&column.subject, test) {
                    (_, CellTest::Condition(condition)) => self.implies(&term(condition), true, goal, holds, depth + 1),
                    (Some(subject), test) => {
                        let subject = term(subject);
                        let cell = Cell { subject: &subject, test, cells: &subject };
                        self.cell_implies(&cell, true, goal, holds, depth + 1)
                    }
                    (None, _) => false,
                }
            });
            if !implied {
                return false;
            }
        }
        some
    }

    /// Whether a task or flow gives such a result only where something is so: on every way to a `return` of it, a
    /// condition says so, or what is given does.
    fn result_implies(
        &self,
        call: &Term<'p>,
        fits: &dyn Fn(&Value) -> bool,
        is_so: &dyn Fn(&Term<'p>) -> bool,
        goal: &Term<'p>,
        holds: bool,
    ) -> bool {
        let Some((body, arguments)) = Body::awaited(call.expr) else { return false };
        if !self.settling.contains(&body) || call.scope.depth() > DEEPEST_CALLS {
            return false;
        }
        let Some(drawn) = self.bodies.drawn(body) else { return false };
        let inside = Scope::of_call(Some(Rc::clone(&drawn.definitions)), arguments, &call.scope);
        let ways = &drawn.ways;
        let implied = |guard: &Guard<'p>| self.guard_implies(guard, &inside, goal, holds);
        let mut watched: Vec<crate::check::program::LocalId> = Vec::new();
        for guard in ways.graph.edge_weights().filter_map(|edge| edge.guard.as_ref()) {
            if implied(guard) {
                watched.extend(mentioned(guard, &inside));
            }
        }
        ways.ends.iter().all(|(place, given)| {
            let given = given.map(|expr| Term { expr, scope: Rc::clone(&inside) });
            if let Some(given) = &given
                && (given.value(self.program).is_some_and(|value| !fits(value)) || is_so(given))
            {
                return true;
            }
            let way = ways.way_past(*place, &watched, &|passed, fresh| match passed {
                Passed::Guard(guard) => implied(guard) && mentioned(guard, &inside).into_iter().all(fresh),
                Passed::Place(_) => false,
            });
            way.is_none()
        })
    }

    fn cell_implies(&self, cell: &Cell<'_, 'p>, held: bool, goal: &Term<'p>, holds: bool, depth: usize) -> bool {
        if depth > DEEPEST {
            return false;
        }
        let with = |test: &'p CellTest| Cell { test, ..*cell };
        let atom = |operator: B, value: &'p Expr| {
            let literal = cell.cells.part(value).value(self.program);
            literal
                .is_some_and(|literal| self.atom_implies(cell.subject, operator, literal, held, goal, holds, depth + 1))
        };
        match cell.test {
            CellTest::Anything | CellTest::Otherwise | CellTest::Some => false,
            CellTest::Equal(value) => atom(B::Equal, value),
            CellTest::Compare(operator, value) => atom(*operator, value),
            CellTest::Range(from, to) if held => atom(B::GreaterOrEqual, from) || atom(B::LessOrEqual, to),
            CellTest::Range(from, to) => atom(B::GreaterOrEqual, from) && atom(B::LessOrEqual, to),
            CellTest::Not(inner) => self.cell_implies(&with(inner), !held, goal, holds, depth + 1),
            CellTest::And(all) => {
                let one = |test: &'p CellTest| self.cell_implies(&with(test), held, goal, holds, depth + 1);
                if held { all.iter().any(one) } else { !all.is_empty() && all.iter().all(one) }
            }
            CellTest::Or(all) => {
                let one = |test: &'p CellTest| self.cell_implies(&with(test), held, goal, holds, depth + 1);
                if held { !all.is_empty() && all.iter().all(one) } else { all.iter().any(one) }
            }
            CellTest::Condition(condition) => self.implies(&cell.cells.part(condition), held, goal, holds, depth + 1),
        }
    }
}

/// A cell: what is tested, how, and what the names in the cell mean.
#[derive(Clone, Copy)]
struct Cell<'c, 'p> {
    subject: &'c Term<'p>,
    test: &'p CellTest,
    cells: &'c Term<'p>,
}

pub(in crate::check) fn mirrored(operator: B) -> B {
    match operator {
        B::Less => B::Greater,
        B::LessOrEqual => B::GreaterOrEqual,
        B::Greater => B::Less,
        B::GreaterOrEqual => B::LessOrEqual,
        other => other,
    }
}

pub(in crate::check) fn negated(operator: B) -> Option<B> {
    Some(match operator {
        B::Equal => B::NotEqual,
        B::NotEqual => B::Equal,
        B::Less => B::GreaterOrEqual,
        B::LessOrEqual => B::Greater,
        B::Greater => B::LessOrEqual,
        B::GreaterOrEqual => B::Less,
        _ => return None,
    })
}

/// The order of two literals of one kind; amounts of two currencies have none.
pub(in crate::check) fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Money(x), Value::Money(y)) if x.currency != y.currency => None,
        (Value::Int(x), Value::Decimal(y)) => Some(rust_decimal::Decimal::from(*x).cmp(y)),
        (Value::Decimal(x), Value::Int(y)) => Some(x.cmp(&rust_decimal::Decimal::from(*y))),
        _ if std::mem::discriminant(a) == std::mem::discriminant(b) => Some(a.cmp(b)),
        _ => None,
    }
}

/// Whether a literal compares so with another.
fn compares(value: &Value, operator: B, literal: &Value) -> bool {
    let order = order(value, literal);
    match operator {
        B::Equal => order == Some(Ordering::Equal),
        B::NotEqual => order != Some(Ordering::Equal),
        B::Less => order == Some(Ordering::Less),
        B::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        B::Greater => order == Some(Ordering::Greater),
        B::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        _ => true,
    }
}

/// Whether `x op a` implies `x wanted b`.
pub(in crate::check) fn includes(operator: B, a: &Value, wanted: B, b: &Value) -> bool {
    let Some(order) = order(a, b) else { return false };
    match (operator, wanted) {
        (B::Equal, _) => compares(a, wanted, b),
        (B::NotEqual, B::NotEqual) => order == Ordering::Equal,
        (B::Less, B::Less | B::LessOrEqual | B::NotEqual) => order != Ordering::Greater,
        (B::LessOrEqual, B::LessOrEqual) => order != Ordering::Greater,
        (B::LessOrEqual, B::Less | B::NotEqual) => order == Ordering::Less,
        (B::Greater, B::Greater | B::GreaterOrEqual | B::NotEqual) => order != Ordering::Less,
        (B::GreaterOrEqual, B::GreaterOrEqual) => order != Ordering::Less,
        (B::GreaterOrEqual, B::Greater | B::NotEqual) => order == Ordering::Greater,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn operator() -> impl Strategy<Value = B> {
        prop::sample::select(vec![B::Equal, B::NotEqual, B::Less, B::LessOrEqual, B::Greater, B::GreaterOrEqual])
    }

    proptest! {
        /// Over the whole numbers, an implication holds for every number; and where every number says so, only what
        /// hangs on numbers being whole is missed.
        #[test]
        fn an_implication_holds_for_every_number(a in -4_i64..4, b in -4_i64..4, x in operator(), y in operator()) {
            let implied = includes(x, &Value::Int(a), y, &Value::Int(b));
            let holds = |n: i64| !compares(&Value::Int(n), x, &Value::Int(a)) || compares(&Value::Int(n), y, &Value::Int(b));
            if implied {
                prop_assert!((-20..20).all(holds));
            }
            // Half numbers tell what whole ones hide.
            let half = |n: i64| Value::Decimal(rust_decimal::Decimal::new(n * 5, 1));
            let dense = |n: i64| !compares(&half(n), x, &Value::Int(a)) || compares(&half(n), y, &Value::Int(b));
            prop_assert_eq!(implied, (-40..40).all(dense));
        }

        #[test]
        fn a_negation_is_the_contrary(a in -4_i64..4, b in -4_i64..4, x in operator()) {
            let negated = negated(x).unwrap();
            prop_assert_ne!(compares(&Value::Int(a), x, &Value::Int(b)), compares(&Value::Int(a), negated, &Value::Int(b)));
            prop_assert_eq!(compares(&Value::Int(a), x, &Value::Int(b)), compares(&Value::Int(b), mirrored(x), &Value::Int(a)));
        }
    }
}
