//! Makes the graph of a flow: a node for each statement that does something, an edge for each way on.

use crate::check::hash::{HashMap, HashSet};
use crate::check::program::{
    Expr, ExprKind, Flow, FlowId, HandlerAction, LocalId, Program, Statement, StatementKind, StepBody, StepId,
};
use crate::text::Span;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Dfs, EdgeRef};
use std::collections::VecDeque;

/// A place on the way.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// The statement.
    pub span: Span,
    /// Locals that are read here, with the places.
    pub uses: Vec<(LocalId, Span)>,
    /// Locals that have a value from here on.
    pub sets: Vec<LocalId>,
    /// Whether ways come together that have all been gone.
    pub joins_all: bool,
    /// Whether it stands for a statement; joins and ends of steps do not.
    pub is_statement: bool,
    /// What it is on the way.
    pub role: Role,
    /// The flow that is run or started here.
    pub runs: Option<(FlowId, Span)>,
}

/// What a place is on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Role {
    /// Goes on to the next.
    #[default]
    Plain,
    /// `if`, `match`: goes on by what its condition says.
    Branch,
    /// The head of a `for`.
    Loop,
    /// A step begins.
    Attempt(StepId),
    /// A step has succeeded.
    Done(StepId),
    /// `return`, `stop`: the run is over.
    End,
    /// `fail`: the run is over and undone.
    Fail,
}

/// A way from one place to the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Way {
    /// What must happen for it to be gone.
    pub why: Why,
    /// What it is.
    pub kind: WayKind,
}

/// What a way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum WayKind {
    /// On to what comes next.
    #[default]
    On,
    /// From the end of a loop's body back to its head.
    Round,
    /// A jump.
    Jump,
}

/// What must happen for a way to be gone; in words for a label at a place.
pub(super) type Why = Option<(Span, String)>;

/// The graph of a flow.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub graph: DiGraph<Node, Way>,
    pub start: NodeIndex,
    /// The nodes after which the flow is over without `return`.
    pub ends: Vec<NodeIndex>,
}

/// Ways that go on to whatever comes next.
type Open = Vec<(NodeIndex, Why)>;

struct Builder<'p> {
    flow: &'p Flow,
    program: &'p Program,
    graph: DiGraph<Node, Way>,
    steps: HashMap<StepId, NodeIndex>,
    jumps: Vec<(NodeIndex, StepId, Why)>,
}

impl Graph {
    /// The graph of a flow.
    pub fn of(flow: &Flow, program: &Program) -> Graph {
        let mut builder =
            Builder { flow, program, graph: DiGraph::new(), steps: HashMap::default(), jumps: Vec::new() };
        let start = builder.graph.add_node(Node::default());
        let open = builder.statements(&flow.body, vec![(start, None)]);
        for (from, step, why) in std::mem::take(&mut builder.jumps) {
            if let Some(to) = builder.steps.get(&step) {
                builder.graph.add_edge(from, *to, Way { why, kind: WayKind::Jump });
            }
        }
        let ends = open.iter().map(|(node, _)| *node).collect();
        let finish = builder.graph.add_node(Node { role: Role::End, ..Node::default() });
        for (from, why) in open {
            builder.graph.add_edge(from, finish, Way { why, kind: WayKind::On });
        }
        Graph { graph: builder.graph, start, ends }
    }

    /// The nodes that can be reached.
    pub fn reached(&self) -> HashSet<NodeIndex> {
        let mut reached = HashSet::default();
        let mut search = Dfs::new(&self.graph, self.start);
        while let Some(node) = search.next(&self.graph) {
            reached.insert(node);
        }
        reached
    }

    /// What must happen on a shortest way from the start to a node that passes none of the nodes to avoid.
    pub fn way(&self, to: NodeIndex, avoid: &dyn Fn(NodeIndex) -> bool) -> Option<Vec<(Span, String)>> {
        let mut before: HashMap<NodeIndex, (NodeIndex, Why)> = HashMap::default();
        let mut waiting = VecDeque::from([self.start]);
        let mut seen = HashSet::from_iter([self.start]);
        while let Some(node) = waiting.pop_front() {
            if node == to {
                break;
            }
            // In the order in which the edges were made, so that the same script gives the same way.
            let mut edges: Vec<_> = self.graph.edges(node).collect();
            edges.sort_by_key(|edge| edge.id());
            for edge in edges {
                let next = edge.target();
                if (next == to || !avoid(next)) && seen.insert(next) {
                    before.insert(next, (node, edge.weight().why.clone()));
                    waiting.push_back(next);
                }
            }
        }
        if !seen.contains(&to) {
            return None;
        }
        let mut way = Vec::new();
        let mut node = to;
        while let Some((previous, why)) = before.get(&node) {
            way.extend(why.clone());
            node = *previous;
        }
        way.reverse();
        Some(way)
    }

    /// What must happen for the flow to come to its end.
    pub fn way_to_end(&self, reached: &HashSet<NodeIndex>) -> Vec<(Span, String)> {
        let end = self.ends.iter().find(|node| reached.contains(node));
        end.and_then(|end| self.way(*end, &|_| false)).unwrap_or_default()
    }
}

impl Builder<'_> {
    fn node(&mut self, from: Open, span: Span, uses: Vec<(LocalId, Span)>, sets: Vec<LocalId>) -> NodeIndex {
        let node = self.graph.add_node(Node { span, uses, sets, is_statement: true, ..Node::default() });
        for (from, why) in from {
            self.graph.add_edge(from, node, Way { why, kind: WayKind::On });
        }
        node
    }

    fn role(&mut self, node: NodeIndex, role: Role) {
        if let Some(of) = self.graph.node_weight_mut(node) {
            of.role = role;
        }
    }

    fn runs(&mut self, node: NodeIndex, expr: &Expr) {
        if let (Some(of), ExprKind::Run(flow, _) | ExprKind::Start(flow, _)) =
            (self.graph.node_weight_mut(node), &expr.kind)
        {
            of.runs = Some((*flow, expr.span));
        }
    }

    fn statements(&mut self, statements: &[Statement], mut open: Open) -> Open {
        for statement in statements {
            open = self.statement(statement, open);
        }
        open
    }

    fn statement(&mut self, statement: &Statement, open: Open) -> Open {
        let span = statement.span;
        match &statement.kind {
            StatementKind::Set { local, value } => {
                let node = self.node(open, span, uses_of([value]), vec![*local]);
                vec![(node, None)]
            }
            StatementKind::If { condition, then, otherwise } => {
                let node = self.node(open, span, uses_of([condition]), Vec::new());
                self.role(node, Role::Branch);
                let at = condition.span;
                let mut ways = self.statements(then, vec![(node, Some((at, "when this holds".to_string())))]);
                let not = vec![(node, Some((at, "when this does not hold".to_string())))];
                ways.extend(self.statements(otherwise, not));
                ways
            }
            StatementKind::Match { value, arms } => {
                let mut uses = uses_of([value]);
                for arm in arms {
                    arm.test.each_expression(&mut |expr| uses.extend(uses_of([expr])));
                }
                let node = self.node(open, span, uses, Vec::new());
                self.role(node, Role::Branch);
                let mut ways = Vec::new();
                for arm in arms {
                    let head =
                        Span { end: arm.body.first().map_or(arm.span.end, |first| first.span.start), ..arm.span };
                    let why = Some((head, "when this arm is taken".to_string()));
                    ways.extend(self.statements(&arm.body, vec![(node, why)]));
                }
                ways
            }
            StatementKind::For(each) => {
                let mut uses = uses_of([&each.list]);
                uses.extend(uses_of(each.parallel.iter()));
                let mut sets = vec![each.local];
                sets.extend(each.second);
                let node = self.node(open, span, uses, sets);
                self.role(node, Role::Loop);
                let at = each.list.span;
                let back = self.statements(&each.body, vec![(node, Some((at, "for an element of this".to_string())))]);
                for (from, why) in back {
                    self.graph.add_edge(from, node, Way { why, kind: WayKind::Round });
                }
                vec![(node, Some((at, "when this is empty".to_string())))]
            }
            StatementKind::Parallel(branches) => {
                let fork = self.node(open, span, Vec::new(), Vec::new());
                let mut ways = Vec::new();
                for branch in branches {
                    ways.extend(self.statements(branch, vec![(fork, None)]));
                }
                let join = self.node(ways, span, Vec::new(), Vec::new());
                if let Some(join) = self.graph.node_weight_mut(join) {
                    (join.joins_all, join.is_statement) = (true, false);
                }
                vec![(join, None)]
            }
            StatementKind::Step(id) => self.step(*id, open),
            StatementKind::GoTo(target) => {
                let node = self.node(open, span, Vec::new(), Vec::new());
                self.jumps.push((node, *target, None));
                Vec::new()
            }
            StatementKind::Return(value) | StatementKind::Stop(value) => {
                let node = self.node(open, span, uses_of(value), Vec::new());
                self.role(node, Role::End);
                Vec::new()
            }
            StatementKind::Fail { fields, .. } => {
                let node = self.node(open, span, uses_of(fields), Vec::new());
                self.role(node, Role::Fail);
                Vec::new()
            }
            _ => {
                let mut uses = Vec::new();
                statement.each_part(&mut |expr| uses.extend(uses_of([expr])), &mut |_| {});
                let node = self.node(open, span, uses, Vec::new());
                if let StatementKind::Expression(value) = &statement.kind {
                    self.runs(node, value);
                }
                vec![(node, None)]
            }
        }
    }

    /// A step: an attempt, whose failures go their ways, and a success, which sets its value.
    fn step(&mut self, id: StepId, open: Open) -> Open {
        let flow = self.flow;
        let Some(step) = flow.steps.get(id.index()) else { return open };
        let mut uses = Vec::new();
        match &step.body {
            StepBody::Value(value) => uses.extend(uses_of([value])),
            StepBody::Block(statements) => uses_in(statements, &mut uses),
        }
        if let Some(retry) = &step.retry {
            uses.extend(uses_of([Some(&retry.times), retry.from.as_ref(), retry.up_to.as_ref()].into_iter().flatten()));
        }
        uses.extend(uses_of(step.timeout.iter()));
        let attempt = self.node(open, step.span, uses, Vec::new());
        self.role(attempt, Role::Attempt(id));
        if let StepBody::Value(value) = &step.body {
            self.runs(attempt, value);
        }
        self.steps.insert(id, attempt);
        let mut undo = Vec::new();
        if let Some(statements) = &step.undo {
            uses_in(statements, &mut undo);
        }
        let done = self.node(vec![(attempt, None)], step.span, Vec::new(), step.local.into_iter().collect());
        if let Some(node) = self.graph.node_weight_mut(done) {
            (node.is_statement, node.role) = (false, Role::Done(id));
        }
        // What undoes a step may use its value.
        let after = self.node(vec![(done, None)], step.span, undo, Vec::new());
        if let Some(node) = self.graph.node_weight_mut(after) {
            node.is_statement = false;
        }
        let mut ways = vec![(after, None)];
        for handler in &step.handlers {
            let name = self.program.errors.get(handler.error.0 as usize).map_or("?", |error| error.name.as_str());
            let why = Some((handler.span, format!("when the step `{}` fails with `{name}`", step.name)));
            match &handler.action {
                HandlerAction::GoTo(target) => self.jumps.push((attempt, *target, why)),
                HandlerAction::Block { binding, body } => {
                    let head =
                        self.node(vec![(attempt, why)], handler.span, Vec::new(), binding.iter().copied().collect());
                    if let Some(node) = self.graph.node_weight_mut(head) {
                        node.is_statement = false;
                    }
                    ways.extend(self.statements(body, vec![(head, None)]));
                }
            }
        }
        ways
    }
}

/// The locals that expressions read, with the places.
fn uses_of<'e>(exprs: impl IntoIterator<Item = &'e Expr>) -> Vec<(LocalId, Span)> {
    let mut uses = Vec::new();
    for expr in exprs {
        expr.walk(&mut |inner| {
            if let ExprKind::Local(local) = inner.kind {
                uses.push((local, inner.span));
            }
        });
    }
    uses
}

/// The locals that statements read.
fn uses_in(statements: &[Statement], uses: &mut Vec<(LocalId, Span)>) {
    for statement in statements {
        let mut bodies: Vec<&Vec<Statement>> = Vec::new();
        statement.each_part(&mut |expr| uses.extend(uses_of([expr])), &mut |body| bodies.push(body));
        for body in bodies {
            uses_in(body, uses);
        }
    }
}
