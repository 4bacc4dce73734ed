//! What settles a policy on a way: conditions that held, and calls behind which it is sure.

use super::bodies::Body;
use super::facts::{Guard, Logic};
use super::terms::{Scope, Term};
use super::ways::{Passed, Ways, each_guarded};
use super::{is_question, is_same_callee};
use crate::check::program::{Expr, LocalId, Type};
use std::collections::BTreeSet;
use std::rc::Rc;

/// How deep the tasks and flows that a way passes are looked into.
const DEEPEST_CALLS: usize = 6;

/// What a policy asks of one place: its condition and what it requires, in the values of that place.
pub(super) struct Goal<'p> {
    pub when: Option<Term<'p>>,
    pub requires: Term<'p>,
}

impl Goal<'_> {
    /// Whether what is required must hold or have been answered with yes, and is not only to be done.
    fn is_answered(&self) -> bool {
        self.requires.expr.ty == Type::Bool || is_question(self.requires.expr)
    }
}

impl<'p> Logic<'_, 'p> {
    /// Whether a condition says that the policy is kept: that it is not about this, or that what it requires holds.
    pub fn settles(&self, guard: &Guard<'p>, scope: &Rc<Scope<'p>>, goal: &Goal<'p>) -> bool {
        goal.when.as_ref().is_some_and(|when| self.guard_implies(guard, scope, when, false))
            || self.guard_implies(guard, scope, &goal.requires, true)
    }

    /// The same, while nothing that the condition depends on has been set anew since.
    pub fn settles_while_fresh(
        &self,
        guard: &Guard<'p>,
        scope: &Rc<Scope<'p>>,
        goal: &Goal<'p>,
        fresh: &dyn Fn(LocalId) -> bool,
    ) -> bool {
        self.settles(guard, scope, goal) && mentioned(guard, scope).into_iter().all(fresh)
    }

    /// The locals of a body that must not be set anew between what settles the policy and what it protects.
    pub fn watched(&self, ways: &Ways<'p>, scope: &Rc<Scope<'p>>, goal: &Goal<'p>) -> BTreeSet<LocalId> {
        let mut watched = BTreeSet::new();
        goal.requires.depends_on(scope, &mut watched);
        if let Some(when) = &goal.when {
            when.depends_on(scope, &mut watched);
        }
        for guard in ways.graph.edge_weights().filter_map(|edge| edge.guard.as_ref()) {
            let locals = mentioned(guard, scope);
            if !locals.is_empty() && self.settles(guard, scope, goal) {
                watched.extend(locals);
            }
        }
        watched
    }

    /// Whether behind an expression the policy is kept, because it does what is required or calls what makes sure of it.
    pub fn does(
        &self,
        expr: &'p Expr,
        scope: &Rc<Scope<'p>>,
        goal: &Goal<'p>,
        fresh: &dyn Fn(LocalId) -> bool,
        depth: usize,
    ) -> bool {
        let mut found = false;
        each_guarded(expr, &mut Vec::new(), &mut |inner, guards| {
            if found || !guards.is_empty() {
                return;
            }
            let term = Term { expr: inner, scope: Rc::clone(scope) };
            let is_required = !goal.is_answered()
                && is_same_callee(inner, goal.requires.expr)
                && term.same_call(&goal.requires, self.program);
            if is_required || self.makes_sure(inner, scope, goal, depth) {
                let mut mentioned = BTreeSet::new();
                term.depends_on(scope, &mut mentioned);
                found = mentioned.into_iter().all(fresh);
            }
        });
        found
    }

    /// Whether a task or flow comes to an end only on ways on which the policy is kept.
    fn makes_sure(&self, call: &'p Expr, scope: &Rc<Scope<'p>>, goal: &Goal<'p>, depth: usize) -> bool {
        let Some((body, arguments)) = Body::awaited(call) else { return false };
        if depth >= DEEPEST_CALLS || !self.settling.contains(&body) {
            return false;
        }
        let Some(drawn) = self.bodies.drawn(body) else { return false };
        let inside = Scope::of_call(Some(Rc::clone(&drawn.definitions)), arguments, scope);
        let ways = &drawn.ways;
        let watched: Vec<LocalId> = self.watched(ways, &inside, goal).into_iter().collect();
        let way = ways.way_past(ways.finish, &watched, &|passed, fresh| match passed {
            Passed::Guard(guard) => self.settles_while_fresh(guard, &inside, goal, fresh),
            Passed::Place(expr) => self.does(expr, &inside, goal, fresh, depth + 1),
        });
        way.is_none()
    }
}

/// The locals of a body that a condition depends on.
pub(super) fn mentioned<'p>(guard: &Guard<'p>, scope: &Rc<Scope<'p>>) -> BTreeSet<LocalId> {
    let mut found = BTreeSet::new();
    let mut add = |expr: &'p Expr| Term { expr, scope: Rc::clone(scope) }.depends_on(scope, &mut found);
    match guard {
        Guard::Condition(condition, _) => add(condition),
        Guard::Arm(value, ..) => add(value),
    }
    found
}
