//! What runs side by side and writes the same record: branches of `parallel { }` that set the same field, and items of
//! `for …, parallel n` that each set a field of one record that is not the item's own. A record that a step reads and
//! writes by itself is safe, since steps are done one at a time; one that was read before is out of date by then.

use crate::check::effects::deeds::each_statement;
use crate::check::program::{
    Effect, Expr, ExprKind, Flow, HandlerAction, LocalId, Program, Statement, StatementKind, Step, StepBody,
};
use crate::finding::{Finding, catalogue};
use crate::text::Span;
use ecow::EcoString;
use std::collections::{HashMap, HashSet};

/// How many records of its parameters a task is known to write.
const MOST_TARGETS: usize = 8;

/// A record that is written: what names it, the way from there, and which fields.
#[derive(Debug, Clone, PartialEq)]
struct Write {
    local: LocalId,
    path: Vec<usize>,
    /// The fields that are set; empty when the record is deleted.
    fields: Vec<usize>,
    /// Whether what is written depends on anything but literals.
    depends: bool,
    /// What is written, as it stands in the script, field by field.
    values: Vec<EcoString>,
    /// The write, or the call that leads to it.
    span: Span,
}

/// A field of a record that a branch writes, whatever it held.
struct Blind {
    /// What people call the record.
    name: EcoString,
    /// None when the record is deleted.
    field: Option<usize>,
    /// The literal that is written; none when it depends on more.
    value: Option<EcoString>,
    span: Span,
}

/// What each task and flow writes of the records that it is given.
pub(super) struct Writes<'p> {
    program: &'p Program,
    callables: Vec<Vec<Write>>,
    flows: Vec<Vec<Write>>,
}

impl<'p> Writes<'p> {
    /// Looks at every task and flow; calls are looked through as deep as tasks usually call each other.
    pub fn of(program: &'p Program) -> Self {
        let callables = vec![Vec::new(); program.callables.len()];
        let mut writes = Writes { program, callables, flows: vec![Vec::new(); program.flows.len()] };
        for _ in 0..3 {
            let mut changed = false;
            for (at, of) in program.callables.iter().enumerate() {
                let mut found = Vec::new();
                writes.in_statements(&of.body, &mut found);
                changed |= keep(&mut writes.callables[at], found, of.parameters.len());
            }
            for (at, of) in program.flows.iter().enumerate() {
                let mut found = Vec::new();
                of.steps.iter().for_each(|step| writes.in_step(step, &mut found));
                writes.in_statements(&of.body, &mut found);
                changed |= keep(&mut writes.flows[at], found, of.parameters.len());
            }
            if !changed {
                break;
            }
        }
        writes
    }

    fn in_step(&self, step: &Step, found: &mut Vec<Write>) {
        match &step.body {
            StepBody::Value(value) => self.in_expression(value, found),
            StepBody::Block(statements) => self.in_statements(statements, found),
        }
    }

    fn in_statements(&self, statements: &[Statement], found: &mut Vec<Write>) {
        each_statement(statements, &mut |statement| {
            statement.each_part(&mut |expr| self.in_expression(expr, found), &mut |_| {});
        });
    }

    fn in_expression(&self, expr: &Expr, found: &mut Vec<Write>) {
        expr.walk(&mut |inner| {
            let (given, arguments) = match &inner.kind {
                ExprKind::Update(target, changes) => {
                    if let Some((local, path)) = base(target) {
                        let fields = changes.iter().map(|(field, _)| *field).collect();
                        let depends = changes.iter().any(|(_, value)| mentions(value));
                        let values = changes.iter().map(|(_, value)| self.text(value)).collect();
                        found.push(Write { local, path, fields, depends, values, span: inner.span });
                    }
                    return;
                }
                ExprKind::Delete(target) => {
                    if let Some((local, path)) = base(target) {
                        let (fields, values) = (Vec::new(), Vec::new());
                        found.push(Write { local, path, fields, depends: false, values, span: inner.span });
                    }
                    return;
                }
                ExprKind::Call(id, arguments) => (self.callables.get(id.index()), arguments),
                ExprKind::Run(id, arguments) => (self.flows.get(id.index()), arguments),
                _ => return,
            };
            for write in given.into_iter().flatten() {
                let Some((local, mut path)) = arguments.get(write.local.index()).and_then(base) else { continue };
                path.extend(&write.path);
                found.push(Write {
                    local,
                    path,
                    fields: write.fields.clone(),
                    depends: write.depends,
                    values: write.values.clone(),
                    span: inner.span,
                });
            }
        });
    }

    /// The findings of a flow.
    pub fn findings(&self, flow: &Flow) -> Vec<Finding> {
        let mut findings = Vec::new();
        let read = read_by(flow, self.program);
        let mut look = |statements: &[Statement]| {
            each_statement(statements, &mut |statement| match &statement.kind {
                StatementKind::Parallel(branches) => findings.extend(self.branches(flow, branches, &read)),
                StatementKind::For(each) if each.parallel.is_some() => {
                    let end = each.parallel.as_ref().map_or(each.list.span.end, |count| count.span.end);
                    findings.extend(self.items(flow, &each.body, Span { end, ..statement.span }, &read));
                }
                _ => {}
            });
        };
        look(&flow.body);
        for handler in flow.steps.iter().flat_map(|step| &step.handlers) {
            if let HandlerAction::Block { body, .. } = &handler.action {
                look(body);
            }
        }
        findings
    }

    fn branches(
        &self,
        flow: &Flow,
        branches: &[Vec<Statement>],
        read: &HashMap<LocalId, EcoString>,
    ) -> Option<Finding> {
        let mut known: HashMap<(EcoString, Option<usize>), (usize, Span, EcoString)> = HashMap::new();
        for (number, branch) in branches.iter().enumerate() {
            let mut found = Vec::new();
            let mut blind = Vec::new();
            for step in steps_of(flow, branch) {
                self.in_step(step, &mut found);
                match &step.body {
                    StepBody::Value(value) => self.blind(value, &mut blind),
                    StepBody::Block(statements) => each_statement(statements, &mut |statement| {
                        statement.each_part(&mut |expr| self.blind(expr, &mut blind), &mut |_| {});
                    }),
                }
            }
            self.in_statements(branch, &mut found);
            for write in found {
                let name = name_of(&write, flow, read);
                match write.fields.as_slice() {
                    [] => blind.push(Blind { name, field: None, value: None, span: write.span }),
                    fields => blind.extend(fields.iter().zip(&write.values).map(|(field, value)| Blind {
                        name: name.clone(),
                        field: Some(*field),
                        value: (!write.depends).then(|| value.clone()),
                        span: write.span,
                    })),
                }
            }
            for write in blind {
                let value = write.value.clone().unwrap_or_default();
                let place = (write.name.clone(), write.field);
                let (before, first, written) = known.entry(place).or_insert((number, write.span, value)).clone();
                // The same value twice is no matter of order.
                let differs = match (&write.field, &write.value) {
                    (None, _) => false,
                    (_, None) => true,
                    (_, Some(value)) => *value != written,
                };
                if before != number && differs {
                    let name = &write.name;
                    let finding = Finding::new(
                        &catalogue::flow::RACE,
                        write.span,
                        format!("two branches that run side by side write the same field of {name}"),
                    )
                    .at("and here: whoever comes last wins")
                    .label(first, "written here");
                    return Some(finding.help("write it in one of the branches, or behind the `parallel`"));
                }
            }
        }
        None
    }

    /// What is written into a record that is read in the same place, without a look at what it holds: what looks adds
    /// to it, and is safe since steps are done one at a time.
    fn blind(&self, expr: &Expr, found: &mut Vec<Blind>) {
        expr.walk(&mut |inner| {
            let ExprKind::Update(target, changes) = &inner.kind else { return };
            let ExprKind::Get(_, key) = &target.kind else { return };
            if key.effect != Effect::Pure {
                return;
            }
            let name = EcoString::from(format!("`{}`", self.text(target)));
            for (field, value) in changes.iter().filter(|(_, value)| value.effect == Effect::Pure) {
                let value = (!mentions(value)).then(|| self.text(value));
                found.push(Blind { name: name.clone(), field: Some(*field), value, span: inner.span });
            }
        });
    }

    fn text(&self, expr: &Expr) -> EcoString {
        self.program.sources.slice(expr.span).into()
    }

    fn items(
        &self,
        flow: &Flow,
        body: &[Statement],
        head: Span,
        read: &HashMap<LocalId, EcoString>,
    ) -> Option<Finding> {
        let mut own: HashSet<LocalId> = HashSet::new();
        each_statement(body, &mut |statement| match &statement.kind {
            StatementKind::Set { local, .. } => {
                own.insert(*local);
            }
            StatementKind::For(each) => {
                own.insert(each.local);
                own.extend(each.second);
            }
            StatementKind::Step(id) => own.extend(flow.steps.get(id.index()).and_then(|step| step.local)),
            _ => {}
        });
        let mut found = Vec::new();
        let steps = steps_of(flow, body);
        for step in &steps {
            if let StepBody::Block(statements) = &step.body {
                each_statement(statements, &mut |statement| match &statement.kind {
                    StatementKind::Set { local, .. } => {
                        own.insert(*local);
                    }
                    StatementKind::For(each) => {
                        own.insert(each.local);
                        own.extend(each.second);
                    }
                    _ => {}
                });
            }
            self.in_step(step, &mut found);
        }
        self.in_statements(body, &mut found);
        // The element of the loop itself is set by its head.
        let write = found
            .into_iter()
            .find(|write| write.depends && !own.contains(&write.local) && !is_element(flow, write.local))?;
        let name = name_of(&write, flow, read);
        Some(
            Finding::new(
                &catalogue::flow::RACE,
                write.span,
                format!("all items that run side by side write the same fields of {name}"),
            )
            .at("whoever comes last wins, and what the others wrote is lost")
            .label(head, "several of these are at work at once")
            .note("it was read before the loop, and is out of date as soon as one item has written it")
            .help("let each item give its part and write the sum behind the loop, or read and write it in one step (`Entity.get(…).update(…)`)"),
        )
    }
}

/// Whether a local is the element of some loop of the flow.
fn is_element(flow: &Flow, local: LocalId) -> bool {
    let mut found = false;
    let mut look = |statements: &[Statement]| {
        each_statement(statements, &mut |statement| {
            if let StatementKind::For(each) = &statement.kind {
                found |= each.local == local || each.second == Some(local);
            }
        });
    };
    look(&flow.body);
    for step in &flow.steps {
        if let StepBody::Block(statements) = &step.body {
            look(statements);
        }
        for handler in &step.handlers {
            if let HandlerAction::Block { body, .. } = &handler.action {
                look(body);
            }
        }
    }
    found
}

/// Keeps what is written of parameters.
fn keep(known: &mut Vec<Write>, found: Vec<Write>, parameters: usize) -> bool {
    let mut of: Vec<Write> =
        found.into_iter().filter(|write| write.local.index() < parameters && write.path.len() < 4).collect();
    of.truncate(MOST_TARGETS);
    let changed = *known != of;
    *known = of;
    changed
}

/// The local that an expression for a record begins with, and the fields from there.
fn base(expr: &Expr) -> Option<(LocalId, Vec<usize>)> {
    match &expr.kind {
        ExprKind::Local(local) => Some((*local, Vec::new())),
        ExprKind::Follow(inner) | ExprKind::Refer(inner) => base(inner),
        ExprKind::Field(inner, field) => {
            let (local, mut path) = base(inner)?;
            path.push(*field);
            Some((local, path))
        }
        _ => None,
    }
}

fn mentions(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |inner| found |= matches!(inner.kind, ExprKind::Local(_)));
    found
}

/// The steps that stand in statements.
fn steps_of<'f>(flow: &'f Flow, statements: &[Statement]) -> Vec<&'f Step> {
    let mut steps = Vec::new();
    each_statement(statements, &mut |statement| {
        if let StatementKind::Step(id) = &statement.kind {
            steps.extend(flow.steps.get(id.index()));
        }
    });
    steps
}

/// The locals that steps read as `Entity.get(key)`: two that read the same are the same record.
fn read_by(flow: &Flow, program: &Program) -> HashMap<LocalId, EcoString> {
    let mut read = HashMap::new();
    for step in &flow.steps {
        if let (Some(local), StepBody::Value(Expr { kind: ExprKind::Get(..), span, .. })) = (step.local, &step.body) {
            read.insert(local, EcoString::from(format!("`{}`", program.sources.slice(*span))));
        }
    }
    read
}

fn name_of(write: &Write, flow: &Flow, read: &HashMap<LocalId, EcoString>) -> EcoString {
    let of_local = || flow.locals.get(write.local.index()).map(|local| EcoString::from(format!("`{}`", local.name)));
    let name = read.get(&write.local).cloned().or_else(of_local).unwrap_or_default();
    match write.path.as_slice() {
        [] => name,
        path => EcoString::from(format!(
            "a record of {name} ({})",
            path.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
        )),
    }
}
