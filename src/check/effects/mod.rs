//! What every callable does to the world, and how it may fail: inferred over the graph of calls until nothing
//! changes, then held against what may stand where.

pub(crate) mod deeds;
pub(crate) mod each_element;
mod hold;
mod instead;
pub(crate) mod outside;
mod reading;
pub(crate) mod retry;
pub(crate) mod unplanned;

use super::Checker;
use super::declare::First;
use super::scope::{Global, PRELUDE};
use super::template::each_expression;
use crate::check::program::{
    Effect, Expr, ExprKind, HandlerAction, Program, Statement, StatementKind, Step, StepBody, TemplatePart,
};
use crate::value::ErrorId;
use std::collections::BTreeSet;

/// Something that calls and is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Callable(usize),
    Table(usize),
    Flow(usize),
    Template(usize),
}

/// A part of a node whose failures may be handled.
#[derive(Debug, Default, Clone)]
struct Part {
    effect: Effect,
    fails: BTreeSet<u32>,
    calls: Vec<Node>,
    handled: Vec<u32>,
}

/// What is known of all nodes.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    callables: Vec<(Effect, BTreeSet<u32>)>,
    tables: Vec<(Effect, BTreeSet<u32>)>,
    flows: Vec<(Effect, BTreeSet<u32>)>,
    templates: Vec<(Effect, BTreeSet<u32>)>,
}

impl Effects {
    fn of(&self, node: Node) -> Option<&(Effect, BTreeSet<u32>)> {
        match node {
            Node::Callable(at) => self.callables.get(at),
            Node::Table(at) => self.tables.get(at),
            Node::Flow(at) => self.flows.get(at),
            Node::Template(at) => self.templates.get(at),
        }
    }

    fn effect(&self, node: Node) -> Effect {
        self.of(node).map_or(Effect::Pure, |(effect, _)| *effect)
    }
}

/// The errors of the prelude that expressions themselves fail with.
#[derive(Debug, Clone, Copy)]
struct Known {
    not_found: Option<u32>,
    already_exists: Option<u32>,
}

impl Checker<'_> {
    /// Infers effects and failures of everything, writes them down, and reports what acts where it must not.
    pub(crate) fn infer_effects(&mut self, first: First) {
        let known =
            Known { not_found: self.prelude_error("not_found"), already_exists: self.prelude_error("already_exists") };
        let parts = self.all_parts(known);
        let effects = fixpoint(parts, &self.program);
        self.write_down(&effects, known);
        self.hold_functions(first);
        self.hold_flows(first);
        self.hold_others(first);
        self.hold_fails(first);
        self.hold_results(first);
        self.pending.first = First::all(&self.program);
    }

    fn prelude_error(&self, name: &str) -> Option<u32> {
        match self.peek_global(PRELUDE, name) {
            Some(Global::Error(id)) => Some(id.0),
            _ => None,
        }
    }

    fn primitive_fails(&self, names: &[&str]) -> Vec<u32> {
        names.iter().filter_map(|name| self.prelude_error(name)).collect()
    }

    /// What an expression does by itself and calls, all within it included.
    fn add_expression(&self, expr: &Expr, part: &mut Part, known: Known) {
        expr.walk(&mut |inner| {
            part.effect = part.effect.max(own_effect(&inner.kind));
            match &inner.kind {
                ExprKind::Call(id, _) => part.calls.push(Node::Callable(id.index())),
                ExprKind::Decide(id, _) => part.calls.push(Node::Table(id.index())),
                ExprKind::Run(id, _) => part.calls.push(Node::Flow(id.index())),
                ExprKind::Template(id, _) => part.calls.push(Node::Template(id.index())),
                ExprKind::Perform(operation, _) => {
                    part.fails.extend(self.primitive_fails(operation.primitive().fails));
                }
                ExprKind::Get(..) | ExprKind::Update(..) => part.fails.extend(known.not_found),
                ExprKind::Create(id, fields) => {
                    let record = self.program.records.get(id.0 as usize);
                    let counted = record
                        .and_then(|record| record.key)
                        .is_some_and(|key| fields.get(key).is_some_and(Option::is_none));
                    let unique = record.is_some_and(|record| record.fields.iter().any(|field| field.unique));
                    if !counted || unique {
                        part.fails.extend(known.already_exists);
                    }
                }
                _ => {}
            }
        });
    }

    fn add_statements(&self, statements: &[Statement], part: &mut Part, known: Known) {
        for statement in statements {
            if let StatementKind::Fail { error, .. } = &statement.kind {
                part.fails.insert(error.0);
            }
            let mut bodies: Vec<&Vec<Statement>> = Vec::new();
            let mut expressions: Vec<&Expr> = Vec::new();
            statement.each_part(&mut |expr| expressions.push(expr), &mut |body| bodies.push(body));
            for expr in expressions {
                self.add_expression(expr, part, known);
            }
            for body in bodies {
                self.add_statements(body, part, known);
            }
        }
    }

    /// The parts of a step: what it does with what is handled, and what comes besides.
    fn step_parts(&self, step: &Step, known: Known, parts: &mut Vec<Part>) {
        let mut body =
            Part { handled: step.handlers.iter().map(|handler| handler.error.0).collect(), ..Part::default() };
        match &step.body {
            StepBody::Value(value) => self.add_expression(value, &mut body, known),
            StepBody::Block(statements) => self.add_statements(statements, &mut body, known),
        }
        let mut beside = Part::default();
        for handler in &step.handlers {
            if let HandlerAction::Block { body, .. } = &handler.action {
                self.add_statements(body, &mut beside, known);
            }
        }
        let mut undo = Part::default();
        if let Some(statements) = &step.undo {
            self.add_statements(statements, &mut undo, known);
            // A failure while undoing is the engine's matter.
            undo.fails.clear();
        }
        parts.extend([body, beside, undo]);
    }

    fn all_parts(&self, known: Known) -> [Vec<Vec<Part>>; 4] {
        let program = &self.program;
        let one = |f: &dyn Fn(&mut Part)| {
            let mut part = Part::default();
            f(&mut part);
            vec![part]
        };
        let callables =
            program.callables.iter().map(|of| one(&|part| self.add_statements(&of.body, part, known))).collect();
        let tables = program
            .tables
            .iter()
            .map(|of| {
                one(&|part| {
                    for column in &of.columns {
                        if let Some(subject) = &column.subject {
                            self.add_expression(subject, part, known);
                        }
                    }
                    for row in &of.rows {
                        for test in &row.tests {
                            test.each_expression(&mut |expr| self.add_expression(expr, part, known));
                        }
                        self.add_expression(&row.outcome, part, known);
                    }
                })
            })
            .collect();
        let flows = program
            .flows
            .iter()
            .map(|of| {
                let mut parts = one(&|part| self.add_statements(&of.body, part, known));
                for step in &of.steps {
                    self.step_parts(step, known, &mut parts);
                }
                parts
            })
            .collect();
        let templates =
            program.templates.iter().map(|of| one(&|part| self.add_template(&of.parts, part, known))).collect();
        [callables, tables, flows, templates]
    }

    fn add_template(&self, parts: &[TemplatePart], part: &mut Part, known: Known) {
        for of in parts {
            match of {
                TemplatePart::Characters(_) => {}
                TemplatePart::Value(value) => self.add_expression(value, part, known),
                TemplatePart::For { list, body, .. } => {
                    self.add_expression(list, part, known);
                    self.add_template(body, part, known);
                }
                TemplatePart::If { condition, then, otherwise } => {
                    self.add_expression(condition, part, known);
                    self.add_template(then, part, known);
                    self.add_template(otherwise, part, known);
                }
            }
        }
    }

    /// Writes effects and failures into the program, down to every expression.
    fn write_down(&mut self, effects: &Effects, known: Known) {
        let fails = |set: &BTreeSet<u32>| set.iter().map(|error| ErrorId(*error)).collect::<Vec<_>>();
        let Program { callables, tables, flows, templates, reactions, triggers, tests, policies, .. } =
            &mut self.program;
        for (at, of) in callables.iter_mut().enumerate() {
            if let Some((effect, errors)) = effects.callables.get(at) {
                (of.effect, of.fails) = (*effect, fails(errors));
            }
            update_all(&mut of.body, effects);
        }
        for (at, of) in tables.iter_mut().enumerate() {
            of.effect = effects.effect(Node::Table(at));
            for column in &mut of.columns {
                if let Some(subject) = &mut column.subject {
                    update(subject, effects);
                }
            }
            for row in &mut of.rows {
                for test in &mut row.tests {
                    test.each_expression_mut(&mut |expr| {
                        update(expr, effects);
                    });
                }
                update(&mut row.outcome, effects);
            }
        }
        for (at, of) in flows.iter_mut().enumerate() {
            if let Some((effect, errors)) = effects.flows.get(at) {
                (of.effect, of.fails) = (*effect, fails(errors));
            }
            update_all(&mut of.body, effects);
            for expr in [&mut of.key, &mut of.priority, &mut of.deadline].into_iter().flatten() {
                update(expr, effects);
            }
            if let Some((count, per)) = &mut of.at_most {
                update(count, effects);
                if let Some(per) = per {
                    update(per, effects);
                }
            }
            for step in &mut of.steps {
                let mut effect = match &mut step.body {
                    StepBody::Value(value) => update(value, effects),
                    StepBody::Block(statements) => update_all(statements, effects),
                };
                if let Some(undo) = &mut step.undo {
                    effect = effect.max(update_all(undo, effects));
                }
                step.effect = effect;
                for handler in &mut step.handlers {
                    if let HandlerAction::Block { body, .. } = &mut handler.action {
                        update_all(body, effects);
                    }
                }
                if let Some(retry) = &mut step.retry {
                    update(&mut retry.times, effects);
                    for expr in [&mut retry.from, &mut retry.up_to].into_iter().flatten() {
                        update(expr, effects);
                    }
                }
                if let Some(timeout) = &mut step.timeout {
                    update(timeout, effects);
                }
            }
        }
        for of in templates.iter_mut() {
            each_expression(&mut of.parts, &mut |expr| update(expr, effects));
        }
        for of in reactions.iter_mut() {
            of.effect = update_all(&mut of.body, effects);
            if let Some(when) = &mut of.when {
                of.effect = of.effect.max(update(when, effects));
            }
        }
        for of in triggers.iter_mut() {
            update_all(&mut of.body, effects);
        }
        for of in tests.iter_mut() {
            update_all(&mut of.body, effects);
        }
        for clause in policies.iter_mut().flat_map(|of| &mut of.clauses) {
            update(&mut clause.requires, effects);
            if let Some(when) = &mut clause.when {
                update(when, effects);
            }
        }
        let _ = known;
    }
}

/// What an expression does by itself, without its parts and without what it calls.
pub(crate) fn own_effect(kind: &ExprKind) -> Effect {
    match kind {
        ExprKind::Perform(operation, _) => operation.primitive().effect,
        ExprKind::All(_) | ExprKind::Get(..) | ExprKind::Has(..) | ExprKind::Follow(_) | ExprKind::Load(_) => {
            Effect::Reads
        }
        ExprKind::Create(..) | ExprKind::Update(..) | ExprKind::Delete(_) => Effect::Writes,
        ExprKind::Run(..) | ExprKind::Start(..) => Effect::Writes,
        ExprKind::Wait(_) => Effect::Calls,
        _ => Effect::Pure,
    }
}

fn update(expr: &mut Expr, effects: &Effects) -> Effect {
    let mut effect = own_effect(&expr.kind).max(match &expr.kind {
        ExprKind::Call(id, _) => effects.effect(Node::Callable(id.index())),
        ExprKind::Decide(id, _) => effects.effect(Node::Table(id.index())),
        ExprKind::Run(id, _) | ExprKind::Start(id, _) => effects.effect(Node::Flow(id.index())),
        ExprKind::Template(id, _) => effects.effect(Node::Template(id.index())),
        _ => Effect::Pure,
    });
    expr.each_child_mut(&mut |child| effect = effect.max(update(child, effects)));
    expr.effect = effect;
    effect
}

fn update_all(statements: &mut [Statement], effects: &Effects) -> Effect {
    let mut effect = Effect::Pure;
    for statement in statements {
        let mut inner = Effect::Pure;
        statement.each_part_mut(&mut |expr| effect = effect.max(update(expr, effects)), &mut |body| {
            inner = inner.max(update_all(body, effects))
        });
        effect = effect.max(inner);
    }
    effect
}

/// Effects and failures of all nodes, by going round until nothing changes.
fn fixpoint(parts: [Vec<Vec<Part>>; 4], program: &Program) -> Effects {
    let _ = program;
    let [callables, tables, flows, templates] = parts;
    let empty = |count: usize| vec![(Effect::Pure, BTreeSet::new()); count];
    let mut effects = Effects {
        callables: empty(callables.len()),
        tables: empty(tables.len()),
        flows: empty(flows.len()),
        templates: empty(templates.len()),
    };
    let offsets = [0, callables.len(), callables.len() + tables.len(), callables.len() + tables.len() + flows.len()];
    let number = |node: Node| match node {
        Node::Callable(at) => at,
        Node::Table(at) => offsets[1] + at,
        Node::Flow(at) => offsets[2] + at,
        Node::Template(at) => offsets[3] + at,
    };
    let nodes: Vec<(Node, &Vec<Part>)> = callables
        .iter()
        .enumerate()
        .map(|(at, parts)| (Node::Callable(at), parts))
        .chain(tables.iter().enumerate().map(|(at, parts)| (Node::Table(at), parts)))
        .chain(flows.iter().enumerate().map(|(at, parts)| (Node::Flow(at), parts)))
        .chain(templates.iter().enumerate().map(|(at, parts)| (Node::Template(at), parts)))
        .collect();
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (at, (_, parts)) in nodes.iter().enumerate() {
        for call in parts.iter().flat_map(|part| &part.calls) {
            if let Some(of) = callers.get_mut(number(*call))
                && of.last() != Some(&at)
            {
                of.push(at);
            }
        }
    }
    let mut waiting: Vec<usize> = (0..nodes.len()).collect();
    let mut queued = vec![true; nodes.len()];
    while let Some(at) = waiting.pop() {
        queued[at] = false;
        let (node, parts) = nodes[at];
        let (mut effect, mut fails) = (Effect::Pure, BTreeSet::new());
        for part in parts {
            effect = effect.max(part.effect);
            let mut of_part = part.fails.clone();
            for call in &part.calls {
                if let Some((called, failures)) = effects.of(*call) {
                    effect = effect.max(*called);
                    of_part.extend(failures);
                }
            }
            fails.extend(of_part.into_iter().filter(|error| !part.handled.contains(error)));
        }
        let slot = match node {
            Node::Callable(at) => effects.callables.get_mut(at),
            Node::Table(at) => effects.tables.get_mut(at),
            Node::Flow(at) => effects.flows.get_mut(at),
            Node::Template(at) => effects.templates.get_mut(at),
        };
        let Some(slot) = slot else { continue };
        if slot.0 != effect || slot.1 != fails {
            *slot = (effect, fails);
            for caller in &callers[at] {
                if !queued[*caller] {
                    queued[*caller] = true;
                    waiting.push(*caller);
                }
            }
        }
    }
    effects
}
