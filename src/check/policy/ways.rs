//! The ways through a body, fine enough for proofs: a place for each statement, the blocks of steps included, and
//! guards on the edges. What runs side by side is gone through in all its branches.

use super::facts::Guard;
use crate::check::program::{
    Expr, ExprKind, HandlerAction, LocalId, Program, Statement, StatementKind, Step, StepBody, StepId,
};
use crate::syntax::tree::BinaryOperator;
use crate::text::Span;
use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use std::collections::{HashMap, HashSet, VecDeque};

/// A place on a way.
#[derive(Debug, Default)]
pub(super) struct Place<'p> {
    /// What is evaluated here, in order.
    pub evaluates: Vec<&'p Expr>,
    /// The locals that have another value from here on.
    pub sets: Vec<LocalId>,
    /// What to call it when the way is drawn.
    pub label: Option<(Span, String)>,
    /// Where branches that run side by side come together: the ends of each branch, and where they part.
    joins: Option<(Vec<Vec<NodeIndex>>, NodeIndex)>,
}

/// What must hold for an edge to be gone, with its words.
#[derive(Debug, Default)]
pub(super) struct Edge<'p> {
    pub guard: Option<Guard<'p>>,
    pub label: Option<(Span, String)>,
}

/// A body as a graph.
#[derive(Debug)]
pub(super) struct Ways<'p> {
    pub graph: DiGraph<Place<'p>, Edge<'p>>,
    pub start: NodeIndex,
    /// Where all ways come together that end without a failure.
    pub finish: NodeIndex,
    /// What is given in the end: the places of `return`, and of `stop` without a value.
    pub ends: Vec<(NodeIndex, Option<&'p Expr>)>,
}

type Open<'p> = Vec<(NodeIndex, Edge<'p>)>;

struct Builder<'p> {
    program: &'p Program,
    steps: &'p [Step],
    graph: DiGraph<Place<'p>, Edge<'p>>,
    entries: HashMap<StepId, NodeIndex>,
    jumps: Vec<(NodeIndex, StepId, Edge<'p>)>,
    /// Where `give` leads: the ends of the blocks of the steps around.
    given: Vec<Open<'p>>,
    ends: Vec<(NodeIndex, Option<&'p Expr>)>,
}

/// Whether a way ends at what it passes; told which locals have not been set anew since.
pub(super) type Cut<'c, 'p> = &'c dyn Fn(Passed<'_, 'p>, &dyn Fn(LocalId) -> bool) -> bool;

impl<'p> Ways<'p> {
    /// The ways through the body of a flow (with its steps), a task, a rule or a trigger.
    pub fn of(body: &'p [Statement], steps: &'p [Step], program: &'p Program) -> Self {
        let (graph, entries) = (DiGraph::new(), HashMap::new());
        let (jumps, given, ends) = (Vec::new(), Vec::new(), Vec::new());
        let mut builder = Builder { program, steps, graph, entries, jumps, given, ends };
        let start = builder.graph.add_node(Place::default());
        let open = builder.statements(body, vec![(start, Edge::default())]);
        let last = builder.place(open, Vec::new(), Vec::new());
        builder.ends.push((last, None));
        for (from, to, edge) in std::mem::take(&mut builder.jumps) {
            if let Some(to) = builder.entries.get(&to) {
                builder.graph.add_edge(from, *to, edge);
            }
        }
        let finish = builder.graph.add_node(Place::default());
        for (end, _) in &builder.ends {
            builder.graph.add_edge(*end, finish, Edge::default());
        }
        Ways { graph: builder.graph, start, finish, ends: builder.ends }
    }

    /// A way from the start to a place on which nothing is `cut`: the places after the start, each with the edge that
    /// leads to it. `watched` are the locals that what is looked for depends on; `cut` is told which of them are set
    /// anew between the edge or place and the end of the way, so that what was known of them before no longer counts.
    pub fn way_past(&self, to: NodeIndex, watched: &[LocalId], cut: Cut<'_, 'p>) -> Option<Vec<(Span, String)>> {
        self.search(vec![(to, 0)], self.start, watched, cut)
    }

    fn search(
        &self,
        from: Vec<(NodeIndex, u64)>,
        target: NodeIndex,
        watched: &[LocalId],
        cut: Cut<'_, 'p>,
    ) -> Option<Vec<(Span, String)>> {
        type State = (NodeIndex, u64);
        // Few are told apart, so that there are few states; of the others one that is set anew stands for all.
        let bit = |local: LocalId| watched.iter().position(|known| *known == local).map_or(0, |at| 1_u64 << at.min(5));
        let mut next: HashMap<State, (State, Option<(Span, String)>)> = HashMap::new();
        let mut seen: HashSet<State> = from.iter().copied().collect();
        let mut waiting: VecDeque<State> = from.into();
        while let Some(state) = waiting.pop_front() {
            let (node, stale) = state;
            if node == target {
                let mut way = Vec::new();
                let mut at = state;
                while let Some((after, label)) = next.get(&at) {
                    way.extend(label.clone());
                    if let Some(place) = self.graph.node_weight(after.0) {
                        way.extend(place.label.clone());
                    }
                    at = *after;
                }
                return Some(way);
            }
            let Some(place) = self.graph.node_weight(node) else { continue };
            let stale = place.sets.iter().fold(stale, |stale, local| stale | bit(*local));
            if let Some((branches, fork)) = &place.joins {
                // Every branch has been gone through: one that can't be passed by closes them all.
                let open = branches.iter().all(|ends| {
                    let ends = ends.iter().filter(|end| !self.is_cut(**end, stale, &bit, cut)).map(|end| (*end, stale));
                    self.search(ends.collect(), *fork, watched, cut).is_some()
                });
                let before = (*fork, stale);
                if open && !self.is_cut(*fork, stale, &bit, cut) && seen.insert(before) {
                    next.insert(before, (state, None));
                    waiting.push_back(before);
                }
                continue;
            }
            let mut edges: Vec<_> = self.graph.edges_directed(node, Direction::Incoming).collect();
            edges.sort_by_key(|edge| edge.id());
            for edge in edges {
                let fresh = |local: LocalId| stale & bit(local) == 0;
                if let Some(guard) = &edge.weight().guard
                    && cut(Passed::Guard(guard), &fresh)
                {
                    continue;
                }
                let before = (edge.source(), stale);
                if self.is_cut(edge.source(), stale, &bit, cut) || !seen.insert(before) {
                    continue;
                }
                next.insert(before, (state, edge.weight().label.clone()));
                waiting.push_back(before);
            }
        }
        None
    }

    fn is_cut(&self, node: NodeIndex, stale: u64, bit: &dyn Fn(LocalId) -> u64, cut: Cut<'_, 'p>) -> bool {
        let fresh = |local: LocalId| stale & bit(local) == 0;
        let Some(place) = self.graph.node_weight(node) else { return false };
        place.evaluates.iter().any(|expr| cut(Passed::Place(expr), &fresh))
    }
}

/// What a way passes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Passed<'g, 'p> {
    /// A condition that held, or did not.
    Guard(&'g Guard<'p>),
    /// Something that was evaluated.
    Place(&'p Expr),
}

impl<'p> Builder<'p> {
    fn place(&mut self, from: Open<'p>, evaluates: Vec<&'p Expr>, sets: Vec<LocalId>) -> NodeIndex {
        let node = self.graph.add_node(Place { evaluates, sets, label: None, joins: None });
        for (from, edge) in from {
            self.graph.add_edge(from, node, edge);
        }
        node
    }

    fn statements(&mut self, statements: &'p [Statement], mut open: Open<'p>) -> Open<'p> {
        for statement in statements {
            open = self.statement(statement, open);
        }
        open
    }

    fn statement(&mut self, statement: &'p Statement, open: Open<'p>) -> Open<'p> {
        let on = |node: NodeIndex| vec![(node, Edge::default())];
        match &statement.kind {
            StatementKind::If { condition, then, otherwise } => {
                let node = self.place(open, vec![condition], Vec::new());
                let way = |holds: bool| {
                    let words = if holds { "this holds" } else { "this does not hold" };
                    let edge = Edge {
                        guard: Some(Guard::Condition(condition, holds)),
                        label: Some((condition.span, words.to_string())),
                    };
                    vec![(node, edge)]
                };
                let mut ways = self.statements(then, way(true));
                ways.extend(self.statements(otherwise, way(false)));
                ways
            }
            StatementKind::Match { value, arms } => {
                let node = self.place(open, vec![value], Vec::new());
                let mut ways = Vec::new();
                for (at, arm) in arms.iter().enumerate() {
                    let head = arm.body.first().map_or(arm.span.end, |first| first.span.start);
                    let edge = Edge {
                        guard: Some(Guard::Arm(value, arms, at)),
                        label: Some((Span { end: head, ..arm.span }, "this arm is taken".to_string())),
                    };
                    ways.extend(self.statements(&arm.body, vec![(node, edge)]));
                }
                ways
            }
            StatementKind::For(each) => {
                let mut evaluates = vec![&each.list];
                evaluates.extend(each.parallel.iter());
                let list = self.place(open, evaluates, Vec::new());
                let label = Some((each.list.span, "for an element of this".to_string()));
                let head = self.place(vec![(list, Edge { guard: None, label })], Vec::new(), {
                    let mut sets = vec![each.local];
                    sets.extend(each.second);
                    sets
                });
                let ends = self.statements(&each.body, on(head));
                let after = self.place(ends, Vec::new(), Vec::new());
                self.graph.add_edge(after, head, Edge::default());
                vec![(list, Edge::default()), (after, Edge::default())]
            }
            StatementKind::Parallel(branches) => {
                let fork = self.place(open, Vec::new(), Vec::new());
                let mut all = Vec::new();
                for branch in branches {
                    let head = self.place(on(fork), Vec::new(), Vec::new());
                    let ends = self.statements(branch, on(head));
                    if !ends.is_empty() {
                        // One place at the end of each branch, so that its last guard counts.
                        all.push(vec![self.place(ends, Vec::new(), Vec::new())]);
                    }
                }
                let join = self.graph.add_node(Place { joins: Some((all, fork)), ..Place::default() });
                on(join)
            }
            StatementKind::Step(id) => self.step(*id, open),
            StatementKind::GoTo(target) => {
                let node = self.place(open, Vec::new(), Vec::new());
                let label = Some((statement.span, "goes on elsewhere".to_string()));
                self.jumps.push((node, *target, Edge { guard: None, label }));
                Vec::new()
            }
            kind => {
                let mut evaluates: Vec<&'p Expr> = Vec::new();
                statement.each_part(&mut |expr| evaluates.push(expr), &mut |_| {});
                let sets = match kind {
                    StatementKind::Set { local, .. } => vec![*local],
                    _ => Vec::new(),
                };
                let node = self.place(open, evaluates, sets);
                match kind {
                    StatementKind::Give(_) => {
                        if let Some(given) = self.given.last_mut() {
                            given.push((node, Edge::default()));
                        }
                        Vec::new()
                    }
                    StatementKind::Return(value) => {
                        self.ends.push((node, value.as_ref()));
                        Vec::new()
                    }
                    StatementKind::Stop(_) => {
                        self.ends.push((node, None));
                        Vec::new()
                    }
                    StatementKind::Fail { .. } => Vec::new(),
                    _ => on(node),
                }
            }
        }
    }

    fn step(&mut self, id: StepId, open: Open<'p>) -> Open<'p> {
        let Some(step) = self.steps.get(id.index()) else { return open };
        let entry = self.place(open, Vec::new(), Vec::new());
        if let Some(place) = self.graph.node_weight_mut(entry) {
            place.label = Some((crate::check::graph::head(step), format!("the step `{}`", step.name)));
        }
        self.entries.insert(id, entry);
        let start: Open<'p> = vec![(entry, Edge::default())];
        let ends = match &step.body {
            StepBody::Value(value) => vec![(self.place(start, vec![value], Vec::new()), Edge::default())],
            StepBody::Block(statements) => {
                self.given.push(Vec::new());
                let mut ends = self.statements(statements, start);
                ends.extend(self.given.pop().unwrap_or_default());
                ends
            }
        };
        let done = self.place(ends, Vec::new(), step.local.into_iter().collect());
        if let Some(undo) = &step.undo {
            // It may come to this whenever the step has been done; nothing comes after it.
            let label = Some((crate::check::graph::head(step), "is undone later".to_string()));
            let head = self.place(vec![(done, Edge { guard: None, label })], Vec::new(), Vec::new());
            self.given.push(Vec::new());
            self.statements(undo, vec![(head, Edge::default())]);
            self.given.pop();
        }
        let mut ways: Open<'p> = vec![(done, Edge::default())];
        for handler in &step.handlers {
            let name = self.program.errors.get(handler.error.0 as usize).map_or("?", |error| error.name.as_str());
            // What the step did before it failed is taken back: the way leads from its beginning.
            let edge = Edge { guard: None, label: Some((handler.span, format!("it fails with `{name}`"))) };
            match &handler.action {
                HandlerAction::GoTo(target) => self.jumps.push((entry, *target, edge)),
                HandlerAction::Block { binding, body } => {
                    let head = self.place(vec![(entry, edge)], Vec::new(), binding.iter().copied().collect());
                    ways.extend(self.statements(body, vec![(head, Edge::default())]));
                }
            }
        }
        ways
    }
}

/// Visits the parts of an expression, each with the conditions within it that must hold for it to be evaluated.
pub(super) fn each_guarded<'p>(expr: &'p Expr, guards: &mut Vec<Guard<'p>>, f: &mut dyn FnMut(&'p Expr, &[Guard<'p>])) {
    f(expr, guards);
    let mut under = |part: &'p Expr, guard: Guard<'p>, guards: &mut Vec<Guard<'p>>| {
        guards.push(guard);
        each_guarded(part, guards, f);
        guards.pop();
    };
    match &expr.kind {
        ExprKind::Conditional(condition, then, otherwise) => {
            under(then, Guard::Condition(condition, true), guards);
            under(otherwise, Guard::Condition(condition, false), guards);
            each_guarded(condition, guards, f);
        }
        ExprKind::Binary(BinaryOperator::And, a, b) => {
            under(b, Guard::Condition(a, true), guards);
            each_guarded(a, guards, f);
        }
        ExprKind::Binary(BinaryOperator::Or, a, b) => {
            under(b, Guard::Condition(a, false), guards);
            each_guarded(a, guards, f);
        }
        _ => {
            let mut children = Vec::new();
            expr.each_child(&mut |child| children.push(child));
            for child in children {
                each_guarded(child, guards, f);
            }
        }
    }
}
