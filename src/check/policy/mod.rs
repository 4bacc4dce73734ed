//! Policies, proved: `before X when C requires Y` holds when on every way through every flow, each place that does X
//! under C has Y behind it. The question is put the other way round: is there a way to X that passes neither Y nor a
//! condition that rules C out? When there is none, what was passed by dominates X together; when there is one, it is
//! the counterexample that is shown.
//!
//! Tasks are looked into: what a task does without Y behind it is asked of the places that call it. Each flow stands
//! for itself, since each can be run by itself. Tests may do as they like.

mod facts;
mod terms;
mod ways;

use crate::check::effects::deeds::each_expression;
use crate::check::program::{
    CallableId, Expr, ExprKind, LocalId, Policy, PolicyClause, Program, Protected, Statement, StatementKind, Step,
    Type, Wait,
};
use crate::finding::{Finding, catalogue};
use crate::text::Span;
use facts::{Guard, Logic};
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;
use terms::{Definitions, Scope, Term};
use ways::{Passed, Ways, each_guarded};

/// How many places of a task without what is required are asked of its callers.
const MOST_EXPOSED: usize = 4;

/// How many labels a way is drawn with at most.
const LONGEST_WAY: usize = 12;

/// How often tasks that call each other in a circle are gone through.
const MOST_ROUNDS: usize = 8;

/// How deep the tasks that a way passes are looked into.
const DEEPEST_CALLS: usize = 6;

/// A finding for each way in what is wanted that breaks a policy.
pub(crate) fn findings(program: &Program, wanted: &dyn Fn(Span) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for policy in &program.policies {
        for clause in &policy.clauses {
            if clause.requires.ty.is_unknown() {
                continue;
            }
            let prover = Prover::new(program, policy, clause);
            findings.extend(prover.findings(wanted));
        }
    }
    findings
}

/// What is protected, done in a body without what is required: the calls that lead to it, the outermost first.
#[derive(Debug, Clone)]
struct Exposed<'p> {
    calls: Vec<&'p Expr>,
    /// The way inside of the body that it was found in.
    way: Vec<(Span, String)>,
}

struct Prover<'p> {
    program: &'p Program,
    policy: &'p Policy,
    clause: &'p PolicyClause,
    logic: Logic<'p>,
    definitions: HashMap<CallableId, Rc<Definitions<'p>>>,
    exposed: HashMap<CallableId, Vec<Exposed<'p>>>,
}

impl<'p> Prover<'p> {
    fn new(program: &'p Program, policy: &'p Policy, clause: &'p PolicyClause) -> Self {
        let logic = Logic { program };
        let mut prover =
            Prover { program, policy, clause, logic, definitions: HashMap::new(), exposed: HashMap::new() };
        let tasks = prover.tasks();
        for id in &tasks {
            if let Some(of) = program.callables.get(id.index()) {
                prover.definitions.insert(*id, Rc::new(Definitions::of(&of.body, &[])));
            }
        }
        // Once is enough but for circles of tasks.
        for _ in 0..MOST_ROUNDS {
            let mut changed = false;
            for id in &tasks {
                if let (Some(of), Some(definitions)) = (program.callables.get(id.index()), prover.definitions.get(id)) {
                    let exposed = prover.exposed_in(&of.body, &[], definitions);
                    let before = prover.exposed.get(id).map_or(0, Vec::len);
                    changed |= exposed.len() != before;
                    prover.exposed.insert(*id, exposed);
                }
            }
            if !changed {
                break;
            }
        }
        prover
    }

    /// The tasks that lead to what is protected or may do what is required, those that are called before those that
    /// call them.
    fn tasks(&self) -> Vec<CallableId> {
        let mut callers: HashMap<CallableId, Vec<CallableId>> = HashMap::new();
        let mut waiting: Vec<CallableId> = Vec::new();
        for (at, of) in self.program.callables.iter().enumerate() {
            let id = CallableId(u32::try_from(at).unwrap_or(u32::MAX));
            let mut is_about = false;
            each_expression(&of.body, &mut |outer| {
                outer.walk(&mut |expr| {
                    if let ExprKind::Call(called, _) = &expr.kind {
                        callers.entry(*called).or_default().push(id);
                    }
                    is_about |= self.is_protected(expr) || self.is_required_call(expr);
                });
            });
            if is_about {
                waiting.push(id);
            }
        }
        let mut seen: HashSet<CallableId> = waiting.iter().copied().collect();
        let mut next = 0;
        while let Some(id) = waiting.get(next).copied() {
            next += 1;
            for caller in callers.get(&id).into_iter().flatten() {
                if seen.insert(*caller) {
                    waiting.push(*caller);
                }
            }
        }
        // Who is called comes first: a component of the graph of calls after those that it calls.
        let mut calls: DiGraph<CallableId, ()> = DiGraph::new();
        waiting.sort();
        let nodes: HashMap<CallableId, NodeIndex> = waiting.iter().map(|id| (*id, calls.add_node(*id))).collect();
        for id in &waiting {
            for caller in callers.get(id).into_iter().flatten() {
                if let (Some(from), Some(to)) = (nodes.get(caller), nodes.get(id)) {
                    calls.update_edge(*from, *to, ());
                }
            }
        }
        let components = petgraph::algo::tarjan_scc(&calls);
        components.into_iter().flatten().filter_map(|node| calls.node_weight(node).copied()).collect()
    }

    /// The arguments of an expression that does what is protected.
    fn protected(&self, expr: &'p Expr) -> Option<&'p [Expr]> {
        match (&expr.kind, &self.clause.protected) {
            (ExprKind::Call(id, arguments), Protected::Callable(wanted)) if id == wanted => Some(arguments),
            (ExprKind::Perform(operation, arguments), Protected::Operation(wanted)) if operation == wanted => {
                Some(arguments)
            }
            (ExprKind::Run(id, arguments) | ExprKind::Start(id, arguments), Protected::Flow(wanted))
                if id == wanted =>
            {
                Some(arguments)
            }
            _ => None,
        }
    }

    fn is_protected(&self, expr: &'p Expr) -> bool {
        self.protected(expr).is_some()
    }

    /// Whether something is a call of the same as what is required, whatever its arguments.
    fn is_required_call(&self, expr: &Expr) -> bool {
        match (&expr.kind, &self.clause.requires.kind) {
            (ExprKind::Call(a, _), ExprKind::Call(b, _)) => a == b,
            (ExprKind::Run(a, _), ExprKind::Run(b, _)) => a == b,
            (ExprKind::Perform(a, _), ExprKind::Perform(b, _)) => a == b,
            _ => false,
        }
    }

    fn findings(&self, wanted: &dyn Fn(Span) -> bool) -> Vec<Finding> {
        let program = self.program;
        let mut bodies: Vec<(String, Span, &'p [Statement], &'p [Step])> = Vec::new();
        for of in &program.flows {
            bodies.push((format!("the flow `{}`", of.name), of.span, &of.body, &of.steps));
        }
        for of in &program.reactions {
            bodies.push((format!("the rule `{}`", of.name), of.span, &of.body, &[]));
        }
        for of in &program.triggers {
            bodies.push(("a trigger".to_string(), of.span, &of.body, &[]));
        }
        let mut findings = Vec::new();
        for (what, span, body, steps) in bodies {
            if !wanted(span) {
                continue;
            }
            let definitions = Rc::new(Definitions::of(body, steps));
            let exposed = self.exposed_in(body, steps, &definitions);
            findings.extend(exposed.into_iter().map(|exposed| self.finding(&what, span, exposed, wanted)));
        }
        findings
    }

    /// The places of a body that do what is protected, by themselves or through a task, without what is required.
    fn exposed_in(
        &self,
        body: &'p [Statement],
        steps: &'p [Step],
        definitions: &Rc<Definitions<'p>>,
    ) -> Vec<Exposed<'p>> {
        if !self.is_concerned(body, steps) {
            return Vec::new();
        }
        let ways = Ways::of(body, steps, self.program);
        let scope = Scope::of_body(Rc::clone(definitions));
        let mut all = Vec::new();
        let mut nodes: Vec<NodeIndex> = ways.graph.node_indices().collect();
        nodes.sort();
        for node in nodes {
            let Some(place) = ways.graph.node_weight(node) else { continue };
            for expr in &place.evaluates {
                let mut sites: Vec<(&'p Expr, Vec<Guard<'p>>)> = Vec::new();
                each_guarded(expr, &mut Vec::new(), &mut |inner, guards| {
                    if self.is_site(inner) {
                        sites.push((inner, guards.to_vec()));
                    }
                });
                for (site, guards) in sites {
                    for calls in self.chains(site) {
                        if let Some(way) = self.way(&ways, node, &scope, &calls, &guards) {
                            all.push(Exposed { calls, way });
                        }
                    }
                }
            }
        }
        all.truncate(MOST_EXPOSED);
        all
    }

    fn is_site(&self, expr: &'p Expr) -> bool {
        match &expr.kind {
            _ if self.is_protected(expr) => true,
            ExprKind::Call(id, _) => self.exposed.get(id).is_some_and(|exposed| !exposed.is_empty()),
            _ => false,
        }
    }

    fn is_concerned(&self, body: &'p [Statement], steps: &'p [Step]) -> bool {
        use crate::check::program::{HandlerAction, StepBody};
        let mut found = false;
        let mut look = |outer: &'p Expr| outer.walk(&mut |expr| found |= self.is_site(expr));
        each_expression(body, &mut look);
        for step in steps {
            match &step.body {
                StepBody::Block(statements) => each_expression(statements, &mut look),
                StepBody::Value(value) => look(value),
            }
            step.undo.iter().for_each(|undo| each_expression(undo, &mut look));
            for handler in &step.handlers {
                if let HandlerAction::Block { body, .. } = &handler.action {
                    each_expression(body, &mut look);
                }
            }
        }
        found
    }

    /// The calls from a place to what is protected.
    fn chains(&self, site: &'p Expr) -> Vec<Vec<&'p Expr>> {
        match &site.kind {
            _ if self.is_protected(site) => vec![vec![site]],
            ExprKind::Call(id, _) => {
                let exposed = self.exposed.get(id).into_iter().flatten();
                exposed.map(|exposed| [&[site][..], &exposed.calls].concat()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A way to a place that has neither what is required behind it nor a condition that rules the clause out.
    fn way(
        &self,
        ways: &Ways<'p>,
        node: NodeIndex,
        scope: &Rc<Scope<'p>>,
        calls: &[&'p Expr],
        guards: &[Guard<'p>],
    ) -> Option<Vec<(Span, String)>> {
        let clause = self.clause_scope(calls, scope)?;
        let when = self.clause.when.as_ref().map(|expr| Term { expr, scope: Rc::clone(&clause) });
        let requires = Term { expr: &self.clause.requires, scope: Rc::clone(&clause) };
        let rules_out = |guard: &Guard<'p>| {
            when.as_ref().is_some_and(|when| self.logic.guard_implies(guard, scope, when, false))
                || self.logic.guard_implies(guard, scope, &requires, true)
        };
        if guards.iter().any(rules_out) {
            return None;
        }
        // What the clause depends on in this body; a guard counts while none of it has been set anew.
        let mut watched = BTreeSet::new();
        requires.depends_on(scope, &mut watched);
        if let Some(when) = &when {
            when.depends_on(scope, &mut watched);
        }
        for edge in ways.graph.edge_weights() {
            if let Some(guard) = &edge.guard {
                watched.extend(self.mentioned(guard, scope).into_iter().filter(|_| rules_out(guard)));
            }
        }
        let watched: Vec<LocalId> = watched.into_iter().collect();
        let is_call = !self.is_answered();
        ways.way_past(node, &watched, &|passed, fresh| match passed {
            Passed::Guard(guard) => rules_out(guard) && self.mentioned(guard, scope).into_iter().all(fresh),
            Passed::Place(expr) => is_call && self.does(expr, scope, &requires, fresh, 0),
        })
    }

    /// Whether what is required must have been answered with yes, not only been done.
    fn is_answered(&self) -> bool {
        self.clause.requires.ty == Type::Bool
            || matches!(&self.clause.requires.kind, ExprKind::Wait(wait) if matches!(**wait, Wait::Ask { .. }))
    }

    /// The locals of the body that a guard depends on.
    fn mentioned(&self, guard: &Guard<'p>, scope: &Rc<Scope<'p>>) -> BTreeSet<LocalId> {
        let mut found = BTreeSet::new();
        let mut add = |expr: &'p Expr| Term { expr, scope: Rc::clone(scope) }.depends_on(scope, &mut found);
        match guard {
            Guard::Condition(condition, _) => add(condition),
            Guard::Arm(value, ..) => add(value),
        }
        found
    }

    /// What the names of the clause mean: the arguments of the protected call, seen from the outermost body.
    fn clause_scope(&self, calls: &[&'p Expr], scope: &Rc<Scope<'p>>) -> Option<Rc<Scope<'p>>> {
        let mut scope = Rc::clone(scope);
        let (last, before) = calls.split_last()?;
        for call in before {
            let ExprKind::Call(id, arguments) = &call.kind else { return None };
            scope = Scope::of_call(self.definitions.get(id).cloned(), arguments, &scope);
        }
        Some(Scope::of_call(None, self.protected(last)?, &scope))
    }

    /// Whether evaluating an expression does what is required, by itself or through tasks, on every way.
    fn does(
        &self,
        expr: &'p Expr,
        scope: &Rc<Scope<'p>>,
        requires: &Term<'p>,
        fresh: &dyn Fn(LocalId) -> bool,
        depth: usize,
    ) -> bool {
        let mut found = false;
        each_guarded(expr, &mut Vec::new(), &mut |inner, guards| {
            if found || !guards.is_empty() {
                return;
            }
            let term = Term { expr: inner, scope: Rc::clone(scope) };
            if self.is_required_call(inner) && term.same_call(requires, self.program) {
                let mut mentioned = BTreeSet::new();
                if depth == 0 {
                    term.depends_on(scope, &mut mentioned);
                }
                found = mentioned.into_iter().all(fresh);
            } else if let ExprKind::Call(id, arguments) = &inner.kind
                && depth < DEEPEST_CALLS
                && let (Some(of), Some(definitions)) =
                    (self.program.callables.get(id.index()), self.definitions.get(id))
            {
                let inside = Scope::of_call(Some(Rc::clone(definitions)), arguments, scope);
                found = self.always_does(&of.body, &inside, requires, depth + 1) && {
                    let mut mentioned = BTreeSet::new();
                    term.depends_on(scope, &mut mentioned);
                    depth > 0 || mentioned.into_iter().all(fresh)
                };
            }
        });
        found
    }

    /// Whether going through statements to any of their ends does what is required: what stands before the first
    /// statement that may end them does.
    fn always_does(
        &self,
        statements: &'p [Statement],
        scope: &Rc<Scope<'p>>,
        requires: &Term<'p>,
        depth: usize,
    ) -> bool {
        for statement in statements {
            let (mut done, mut ends) = (false, false);
            statement.each_part(
                &mut |expr| {
                    // The conditions of arms need not be come to.
                    if !matches!(statement.kind, StatementKind::Match { .. }) {
                        done |= self.does(expr, scope, requires, &|_| true, depth);
                    }
                },
                &mut |body| {
                    crate::check::effects::deeds::each_statement(body, &mut |inner| {
                        ends |= matches!(inner.kind, StatementKind::Return(_));
                    });
                },
            );
            if done {
                return true;
            }
            if ends {
                return false;
            }
        }
        false
    }

    fn finding(&self, what: &str, root: Span, exposed: Exposed<'p>, wanted: &dyn Fn(Span) -> bool) -> Finding {
        let source = |span: Span| self.program.sources.slice(span);
        // The innermost call in a script that people write.
        let place = exposed.calls.iter().rev().map(|call| call.span).find(|span| wanted(*span));
        let place = place.or_else(|| exposed.calls.first().map(|call| call.span)).unwrap_or(root);
        let mut finding = Finding::new(
            &catalogue::policy::BROKEN,
            place,
            format!("{what} breaks the policy `{}`: one way comes here without {}", self.policy.name, self.missing()),
        );
        let mut way: Vec<(Span, String)> = vec![(root, format!("{what} begins"))];
        way.extend(exposed.way);
        for call in exposed.calls.iter().take(exposed.calls.len().saturating_sub(1)) {
            if wanted(call.span) && call.span != place {
                way.push((call.span, "calls on".to_string()));
            }
        }
        // The first and the last turns say the most.
        if way.len() > LONGEST_WAY {
            let rest = way.split_off(way.len() - LONGEST_WAY / 2);
            way.truncate(LONGEST_WAY / 2);
            way.extend(rest);
        }
        let mut number = 0;
        for (span, words) in way {
            if span == place {
                continue;
            }
            number += 1;
            finding = finding.label(span, format!("{number}. {words}"));
        }
        finding = finding.at(format!("{}. does what is protected", number + 1));
        finding = finding.label(self.clause.span, format!("`{}` says so", self.policy.name));
        let requires = source(self.clause.requires.span);
        let help = match (&self.clause.requires.kind, &self.clause.when) {
            (ExprKind::Wait(_), _) => format!(
                "ask before it, and go on only with a yes: `step approved: bool = {}, \"…\", within: 3 days, otherwise: false)`, `if not approved {{ … }}`",
                requires.trim_end_matches(')')
            ),
            (_, _) if self.clause.requires.ty == Type::Bool => {
                format!("go on only when `{requires}` holds: `if not {requires} {{ fail … }}`")
            }
            _ => format!("do `{requires}` before it, on every way, with the same values"),
        };
        finding.help(match &self.clause.when {
            Some(when) => format!("{help}; or come here only when `{}` does not hold", source(when.span)),
            None => help,
        })
    }

    fn missing(&self) -> String {
        match &self.clause.requires.kind {
            ExprKind::Wait(wait) => match &**wait {
                Wait::Ask { role, .. } => format!("a yes of {}", self.program.sources.slice(role.span)),
                _ => "what it requires".to_string(),
            },
            _ => format!("`{}`", self.program.sources.slice(self.clause.requires.span)),
        }
    }
}
