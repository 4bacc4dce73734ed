//! The bodies that call each other: tasks and flows, who runs whom, and what each of them looks like as a graph.

use super::terms::Definitions;
use super::ways::Ways;
use crate::check::effects::deeds::{each_expression, each_statement};
use crate::check::program::{
    CallableId, Expr, ExprKind, FlowId, HandlerAction, Program, Statement, StatementKind, Step, StepBody,
};
use petgraph::graph::{DiGraph, NodeIndex};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// A body that others call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Body {
    Callable(CallableId),
    Flow(FlowId),
}

impl Body {
    /// What an expression calls, runs or starts, with its arguments.
    pub fn called(expr: &Expr) -> Option<(Body, &[Expr])> {
        match &expr.kind {
            ExprKind::Call(id, arguments) => Some((Body::Callable(*id), arguments)),
            ExprKind::Run(id, arguments) | ExprKind::Start(id, arguments) => Some((Body::Flow(*id), arguments)),
            _ => None,
        }
    }

    /// What an expression calls or runs, so that what stands behind it comes after its end.
    pub fn awaited(expr: &Expr) -> Option<(Body, &[Expr])> {
        if matches!(expr.kind, ExprKind::Start(..)) { None } else { Body::called(expr) }
    }

    /// Its statements, and its steps when it is a flow.
    pub fn parts(self, program: &Program) -> Option<(&[Statement], &[Step])> {
        match self {
            Body::Callable(id) => program.callables.get(id.index()).map(|of| (of.body.as_slice(), &[][..])),
            Body::Flow(id) => program.flows.get(id.index()).map(|of| (of.body.as_slice(), of.steps.as_slice())),
        }
    }
}

/// A body as a graph, with what its names stand for.
pub(super) struct Drawn<'p> {
    pub ways: Ways<'p>,
    pub definitions: Rc<Definitions<'p>>,
}

/// All bodies of a program; each is drawn when it is asked for first.
pub(super) struct Bodies<'p> {
    pub program: &'p Program,
    drawn: RefCell<HashMap<Body, Rc<Drawn<'p>>>>,
    callers: HashMap<Body, Vec<Body>>,
    /// Flows that something else of the program runs or starts.
    run_by_others: HashSet<FlowId>,
}

impl<'p> Bodies<'p> {
    /// Looks at who calls whom.
    pub fn of(program: &'p Program) -> Self {
        let mut bodies =
            Bodies { program, drawn: RefCell::default(), callers: HashMap::new(), run_by_others: HashSet::new() };
        for body in bodies.all() {
            let Some((statements, steps)) = body.parts(program) else { continue };
            each_expression_of(statements, steps, &mut |expr| {
                let Some((called, _)) = Body::called(expr) else { return };
                bodies.callers.entry(called).or_default().push(body);
                if let Body::Flow(flow) = called
                    && called != body
                {
                    bodies.run_by_others.insert(flow);
                }
            });
        }
        let beside = program.reactions.iter().map(|of| &of.body).chain(program.triggers.iter().map(|of| &of.body));
        for statements in beside {
            each_expression_of(statements, &[], &mut |expr| {
                if let Some((Body::Flow(flow), _)) = Body::called(expr) {
                    bodies.run_by_others.insert(flow);
                }
            });
        }
        bodies.leave_circles();
        bodies
    }

    fn all(&self) -> Vec<Body> {
        let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let callables = (0..self.program.callables.len()).map(|at| Body::Callable(CallableId(number(at))));
        callables.chain((0..self.program.flows.len()).map(|at| Body::Flow(FlowId(number(at))))).collect()
    }

    /// Flows that only run each other in a circle are run by nobody else: each of them is where a run begins.
    fn leave_circles(&mut self) {
        let mut begun: HashSet<Body> = self
            .all()
            .into_iter()
            .filter(|body| matches!(body, Body::Flow(flow) if !self.run_by_others.contains(flow)))
            .collect();
        let beside = self.program.reactions.iter().map(|of| &of.body);
        for statements in beside.chain(self.program.triggers.iter().map(|of| &of.body)) {
            each_expression_of(statements, &[], &mut |expr| begun.extend(Body::called(expr).map(|(body, _)| body)));
        }
        let mut callees: HashMap<Body, Vec<Body>> = HashMap::new();
        for (called, callers) in &self.callers {
            callers.iter().for_each(|caller| callees.entry(*caller).or_default().push(*called));
        }
        let mut waiting: Vec<Body> = begun.iter().copied().collect();
        while let Some(body) = waiting.pop() {
            waiting.extend(callees.get(&body).into_iter().flatten().copied().filter(|called| begun.insert(*called)));
        }
        self.run_by_others.retain(|flow| begun.contains(&Body::Flow(*flow)));
    }

    /// Whether a flow is where a run begins: nothing else of the program runs or starts it.
    pub fn is_entry(&self, flow: FlowId) -> bool {
        !self.run_by_others.contains(&flow)
    }

    /// A body as a graph.
    pub fn drawn(&self, body: Body) -> Option<Rc<Drawn<'p>>> {
        if let Some(drawn) = self.drawn.borrow().get(&body) {
            return Some(Rc::clone(drawn));
        }
        let (statements, steps) = body.parts(self.program)?;
        let ways = Ways::of(statements, steps, self.program);
        let drawn = Rc::new(Drawn { ways, definitions: Rc::new(Definitions::of(statements, steps)) });
        self.drawn.borrow_mut().insert(body, Rc::clone(&drawn));
        Some(drawn)
    }

    /// The bodies that something is true of, and those that lead to one of them; those that are called before those
    /// that call them.
    pub fn leading_to(
        &self,
        expr_is: &dyn Fn(&'p Expr) -> bool,
        statement_is: &dyn Fn(&'p Statement) -> bool,
    ) -> Vec<Body> {
        let mut waiting: Vec<Body> = Vec::new();
        for body in self.all() {
            let Some((statements, steps)) = body.parts(self.program) else { continue };
            let mut is_about = false;
            each_expression_of(statements, steps, &mut |expr| is_about |= expr_is(expr));
            each_body(statements, steps, &mut |block| {
                each_statement(block, &mut |statement| is_about |= statement_is(statement));
            });
            if is_about {
                waiting.push(body);
            }
        }
        let mut seen: HashSet<Body> = waiting.iter().copied().collect();
        let mut next = 0;
        while let Some(body) = waiting.get(next).copied() {
            next += 1;
            for caller in self.callers.get(&body).into_iter().flatten() {
                if seen.insert(*caller) {
                    waiting.push(*caller);
                }
            }
        }
        // Who is called comes first: a component of the graph of calls after those that it calls.
        let mut calls: DiGraph<Body, ()> = DiGraph::new();
        waiting.sort();
        let nodes: HashMap<Body, NodeIndex> = waiting.iter().map(|body| (*body, calls.add_node(*body))).collect();
        for body in &waiting {
            for caller in self.callers.get(body).into_iter().flatten() {
                if let (Some(from), Some(to)) = (nodes.get(caller), nodes.get(body)) {
                    calls.update_edge(*from, *to, ());
                }
            }
        }
        let components = petgraph::algo::tarjan_scc(&calls);
        components.into_iter().flatten().filter_map(|node| calls.node_weight(node).copied()).collect()
    }
}

/// Visits the blocks of a body: its own, and those of its steps, what undoes them and what handles their failures.
fn each_body<'p>(statements: &'p [Statement], steps: &'p [Step], f: &mut dyn FnMut(&'p [Statement])) {
    f(statements);
    for step in steps {
        if let StepBody::Block(block) = &step.body {
            f(block);
        }
        step.undo.iter().for_each(|undo| f(undo));
        for handler in &step.handlers {
            if let HandlerAction::Block { body, .. } = &handler.action {
                f(body);
            }
        }
    }
}

/// Visits every expression of a body, those within others too.
pub(super) fn each_expression_of<'p>(statements: &'p [Statement], steps: &'p [Step], f: &mut dyn FnMut(&'p Expr)) {
    each_body(statements, steps, &mut |block| each_expression(block, &mut |outer| outer.walk(f)));
    for step in steps {
        if let StepBody::Value(value) = &step.body {
            value.walk(f);
        }
    }
}

/// Whether something ends its run as failed.
pub(super) fn is_fail(statement: &Statement) -> bool {
    matches!(statement.kind, StatementKind::Fail { .. })
}
