//! Policies, proved: `before X when C requires Y` holds when on every way through every flow, each place that does X
//! under C has Y behind it. The question is put the other way round: is there a way to X that passes neither Y nor a
//! condition that rules C out? When there is none, what was passed by dominates X together; when there is one, it is
//! the counterexample that is shown.
//!
//! Calls are expanded, those of tasks and those of flows. What a task or flow does without Y behind it is asked of the
//! places that call, run or start it, with the values that they give; what it has made sure of by the time that it ends
//! counts for what stands behind the call. A flow that others run is judged where they run it, and is marked: to begin
//! a run of it by hand would go past what they do. Tests may do as they like.

mod bodies;
mod facts;
mod goal;
mod terms;
mod ways;

pub(super) use facts::{includes, mirrored, negated, order};

use crate::check::program::{Expr, ExprKind, FlowId, LocalId, Policy, PolicyClause, Program, Protected, Type, Wait};
use crate::finding::{Finding, catalogue};
use crate::text::Span;
use bodies::{Bodies, Body, each_expression_of, is_fail};
use ecow::EcoString;
use facts::{Guard, Logic};
use goal::Goal;
use petgraph::graph::NodeIndex;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use terms::{Definitions, Scope, Term};
use ways::{Passed, Ways, each_guarded};

/// How many places of a body without what is required are asked of its callers.
const MOST_EXPOSED: usize = 64;

/// How many ways through one flow, rule or trigger are reported.
const MOST_FOUND: usize = 4;

/// How many labels a way is drawn with at most.
const LONGEST_WAY: usize = 12;

/// How often tasks and flows that call each other in a circle are gone through.
const MOST_ROUNDS: usize = 8;

/// What is known of the policies of a program.
#[derive(Debug, Default)]
pub(crate) struct Proved {
    /// A finding for each way in what is wanted that breaks a policy.
    pub findings: Vec<Finding>,
    /// Flows that keep a policy only because of those that run them, each with the policy.
    pub kept_by_callers: Vec<(FlowId, EcoString)>,
}

/// Proves the policies of a program, or shows the ways in what is wanted that break them.
pub(crate) fn prove(program: &Program, wanted: &dyn Fn(Span) -> bool) -> Proved {
    let mut proved = Proved::default();
    if program.policies.is_empty() {
        return proved;
    }
    let bodies = Bodies::of(program);
    for policy in &program.policies {
        for clause in &policy.clauses {
            if clause.requires.ty.is_unknown() {
                continue;
            }
            let prover = Prover::new(program, &bodies, policy, clause);
            prover.add_to(&mut proved, wanted);
        }
    }
    proved
}

/// A call on the way to what is protected, or that itself, with the way to it inside of the body that it stands in.
#[derive(Debug, Clone)]
struct Hop<'p> {
    call: &'p Expr,
    way: Vec<(Span, String)>,
}

/// What is protected, done in a body without what is required: the calls that lead to it, the outermost first.
type Exposed<'p> = Vec<Hop<'p>>;

struct Prover<'b, 'p> {
    program: &'p Program,
    policy: &'p Policy,
    clause: &'p PolicyClause,
    bodies: &'b Bodies<'p>,
    logic: Logic<'b, 'p>,
    exposed: HashMap<Body, Vec<Exposed<'p>>>,
}

impl<'b, 'p> Prover<'b, 'p> {
    fn new(program: &'p Program, bodies: &'b Bodies<'p>, policy: &'p Policy, clause: &'p PolicyClause) -> Self {
        // A condition is made sure of by failing where it does not hold, an answer by asking.
        let is_condition = clause.requires.ty == Type::Bool && !is_question(&clause.requires);
        let settling = bodies.leading_to(
            &|expr| is_same_callee(expr, &clause.requires) || is_question(&clause.requires) && is_question(expr),
            &|statement| (is_condition || clause.when.is_some()) && is_fail(statement),
        );
        let logic = Logic { program, bodies, settling: settling.into_iter().collect() };
        let mut prover = Prover { program, policy, clause, bodies, logic, exposed: HashMap::new() };
        let concerned = bodies.leading_to(&|expr| prover.is_protected(expr), &|_| false);
        // Once is enough but for circles.
        for _ in 0..MOST_ROUNDS {
            let mut changed = false;
            for body in &concerned {
                let Some(drawn) = bodies.drawn(*body) else { continue };
                let exposed = prover.exposed_in(&drawn.ways, &drawn.definitions, MOST_EXPOSED);
                changed |= exposed.len() != prover.exposed.get(body).map_or(0, Vec::len);
                prover.exposed.insert(*body, exposed);
            }
            if !changed {
                break;
            }
        }
        prover
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

    /// Adds what there is to say: of the flows where runs begin, of rules and of triggers.
    fn add_to(&self, proved: &mut Proved, wanted: &dyn Fn(Span) -> bool) {
        let program = self.program;
        let mut said: HashSet<Span> = HashSet::new();
        for (at, of) in program.flows.iter().enumerate() {
            let id = FlowId(u32::try_from(at).unwrap_or(u32::MAX));
            let exposed = self.exposed.get(&Body::Flow(id)).map_or(&[][..], Vec::as_slice);
            if exposed.is_empty() {
                continue;
            }
            if !self.bodies.is_entry(id) {
                proved.kept_by_callers.push((id, self.policy.name.clone()));
            } else if wanted(of.span) {
                let what = format!("the flow `{}`", of.name);
                for exposed in exposed.iter().take(MOST_FOUND) {
                    proved.findings.push(self.finding(&what, of.span, exposed, &mut said, wanted));
                }
            }
        }
        let rules = program.reactions.iter().map(|of| (format!("the rule `{}`", of.name), of.span, &of.body));
        let triggers = program.triggers.iter().map(|of| ("a trigger".to_string(), of.span, &of.body));
        for (what, span, body) in rules.chain(triggers).filter(|(_, span, _)| wanted(*span)) {
            let mut is_concerned = false;
            each_expression_of(body, &[], &mut |expr| is_concerned |= self.is_site(expr));
            if !is_concerned {
                continue;
            }
            let ways = Ways::of(body, &[], program);
            for exposed in self.exposed_in(&ways, &Rc::new(Definitions::of(body, &[])), MOST_FOUND) {
                proved.findings.push(self.finding(&what, span, &exposed, &mut said, wanted));
            }
        }
    }

    /// The places of a body that do what is protected, by themselves or through a task or flow, without what is
    /// required.
    fn exposed_in(&self, ways: &Ways<'p>, definitions: &Rc<Definitions<'p>>, most: usize) -> Vec<Exposed<'p>> {
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
                    for hops in self.chains(site) {
                        if all.len() < most
                            && let Some(way) = self.way(ways, node, &scope, &hops, &guards)
                        {
                            all.push([vec![Hop { call: site, way }], hops[1..].to_vec()].concat());
                        }
                    }
                }
            }
        }
        // The plainest are shown first.
        all.sort_by_key(Vec::len);
        all
    }

    fn is_site(&self, expr: &'p Expr) -> bool {
        self.is_protected(expr)
            || Body::called(expr)
                .is_some_and(|(body, _)| self.exposed.get(&body).is_some_and(|exposed| !exposed.is_empty()))
    }

    /// The calls from a place to what is protected; the way to the first of them is not known yet.
    fn chains(&self, site: &'p Expr) -> Vec<Exposed<'p>> {
        let first = Hop { call: site, way: Vec::new() };
        let mut chains = Vec::new();
        if self.is_protected(site) {
            chains.push(vec![first.clone()]);
        }
        if let Some((body, _)) = Body::called(site) {
            for exposed in self.exposed.get(&body).into_iter().flatten() {
                // What calls itself is in the chain once.
                if !exposed.iter().any(|hop| std::ptr::eq(hop.call, site)) {
                    chains.push([&[first.clone()][..], exposed].concat());
                }
            }
        }
        chains
    }

    /// A way to a place that has neither what is required behind it nor a condition that rules the clause out.
    fn way(
        &self,
        ways: &Ways<'p>,
        node: NodeIndex,
        scope: &Rc<Scope<'p>>,
        hops: &[Hop<'p>],
        guards: &[Guard<'p>],
    ) -> Option<Vec<(Span, String)>> {
        let clause = self.clause_scope(hops, scope)?;
        let goal = Goal {
            when: self.clause.when.as_ref().map(|expr| Term { expr, scope: Rc::clone(&clause) }),
            requires: Term { expr: &self.clause.requires, scope: clause },
        };
        if guards.iter().any(|guard| self.logic.settles(guard, scope, &goal)) {
            return None;
        }
        let watched: Vec<LocalId> = self.logic.watched(ways, scope, &goal).into_iter().collect();
        ways.way_past(node, &watched, &|passed, fresh| match passed {
            Passed::Guard(guard) => self.logic.settles_while_fresh(guard, scope, &goal, fresh),
            Passed::Place(expr) => self.logic.does(expr, scope, &goal, fresh, 0),
        })
    }

    /// What the names of the clause mean: the arguments of the protected call, seen from the outermost body.
    fn clause_scope(&self, hops: &[Hop<'p>], scope: &Rc<Scope<'p>>) -> Option<Rc<Scope<'p>>> {
        let mut scope = Rc::clone(scope);
        let (last, before) = hops.split_last()?;
        for hop in before {
            let (body, arguments) = Body::called(hop.call)?;
            let definitions = self.bodies.drawn(body).map(|drawn| Rc::clone(&drawn.definitions));
            scope = Scope::of_call(definitions, arguments, &scope);
        }
        Some(Scope::of_call(None, self.protected(last.call)?, &scope))
    }

    fn finding(
        &self,
        what: &str,
        root: Span,
        exposed: &Exposed<'p>,
        said: &mut HashSet<Span>,
        wanted: &dyn Fn(Span) -> bool,
    ) -> Finding {
        let source = |span: Span| self.program.sources.slice(span);
        // The innermost call in a script that people write; where that was the place of another way already, the next
        // one outside of it.
        let places = || exposed.iter().rev().map(|hop| hop.call.span).filter(|span| wanted(*span));
        let place = places().find(|span| !said.contains(span)).or_else(|| places().next_back());
        let place = place.or_else(|| exposed.first().map(|hop| hop.call.span)).unwrap_or(root);
        said.insert(place);
        let mut finding = Finding::new(
            &catalogue::policy::BROKEN,
            place,
            format!("{what} breaks the policy `{}`: one way comes here without {}", self.policy.name, self.missing()),
        );
        let mut way: Vec<(Span, String)> = vec![(root, format!("{what} begins"))];
        for (at, hop) in exposed.iter().enumerate() {
            way.extend(hop.way.iter().filter(|(span, _)| wanted(*span)).cloned());
            let words = match &hop.call.kind {
                _ if at + 1 == exposed.len() => "does what is protected".to_string(),
                ExprKind::Run(id, _) => format!("runs `{}`", self.flow_name(*id)),
                ExprKind::Start(id, _) => format!("starts `{}`", self.flow_name(*id)),
                _ => "calls on".to_string(),
            };
            if wanted(hop.call.span) {
                way.push((hop.call.span, words));
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
            number += 1;
            let words = format!("{number}. {words}");
            finding = if span == place { finding.at(words) } else { finding.label(span, words) };
        }
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

    fn flow_name(&self, id: FlowId) -> &'p str {
        self.program.flows.get(id.index()).map_or("?", |flow| flow.name.as_str())
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

/// Whether something is a question to people.
fn is_question(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Wait(wait) if matches!(**wait, Wait::Ask { .. }))
}

/// Whether two calls are of the same, whatever their arguments.
fn is_same_callee(a: &Expr, b: &Expr) -> bool {
    match (&a.kind, &b.kind) {
        (ExprKind::Call(a, _), ExprKind::Call(b, _)) => a == b,
        (ExprKind::Run(a, _), ExprKind::Run(b, _)) => a == b,
        (ExprKind::Perform(a, _), ExprKind::Perform(b, _)) => a == b,
        _ => false,
    }
}
