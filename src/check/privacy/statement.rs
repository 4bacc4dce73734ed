//! Bodies: what their statements do with what values carry.

use super::sink::{Leak, Sink};
use super::solve::{Analysis, Node, carries};
use super::taint::{BEGINNING, Carried, Origin, Taint, What};
use crate::check::program::{
    CellTest, DecisionTable, Expr, ExprKind, Flow, HandlerAction, Local, Statement, StatementKind, StepBody, StepId,
    TemplatePart, Type,
};
use crate::text::Span;
use ecow::EcoString;

impl<'p> Analysis<'p> {
    /// Looks at a body from its beginning to its end.
    pub fn body(&mut self, node: Node) {
        let program = self.program;
        match node {
            Node::Callable(at) => {
                let Some(of) = program.callables.get(at) else { return };
                self.begin(of.locals.len(), &of.parameters);
                self.statements(&of.body, &of.locals, None);
                self.declared_result(of.span, &of.name);
            }
            Node::Table(at) => {
                let Some(of) = program.tables.get(at) else { return };
                self.begin(of.locals.len(), &of.parameters);
                self.table(of);
            }
            Node::Flow(at) => {
                let Some(of) = program.flows.get(at) else { return };
                self.begin(of.locals.len(), &of.parameters);
                self.flow(of);
                self.declared_result(of.span, &of.name);
            }
            Node::Template(at) => {
                let Some(of) = program.templates.get(at) else { return };
                self.state.resize(of.locals.len(), Carried::default());
                self.texts.resize(of.locals.len(), None);
                for (index, parameter) in of.parameters.iter().enumerate() {
                    if carries(&parameter.ty) {
                        let brought = Taint::of(Origin::Parameter(index as u32), BEGINNING);
                        self.hold(index, &Carried { values: brought.clone(), keys: brought });
                    }
                }
                self.template_parts(&of.parts);
            }
            Node::Reaction(at) => {
                let Some(of) = program.reactions.get(at) else { return };
                self.begin(of.locals.len(), &[]);
                if let Some(when) = &of.when {
                    let decided = self.decided(&[when]);
                    self.context.join(&decided);
                }
                self.statements(&of.body, &of.locals, None);
            }
            Node::Trigger(at) => {
                let Some(of) = program.triggers.get(at) else { return };
                self.begin(of.locals.len(), &[]);
                self.statements(&of.body, &of.locals, None);
            }
        }
    }

    fn declared_result(&mut self, span: Span, name: &EcoString) {
        if let Some((origin, way)) = self.written_label(span, name) {
            self.changed |= self.summary.result.values.add(origin, way);
        }
    }

    fn flow(&mut self, flow: &'p Flow) {
        for parameter in &flow.parameters {
            if let Some((Origin::Secret, way)) = self.written_label(parameter.span, &parameter.name) {
                let sink = Sink::Journal;
                let leak = Leak { origin: Origin::Secret, sink, span: parameter.span, way, unless: Vec::new() };
                self.leak(leak, parameter.span);
            }
        }
        if let Some(key) = &flow.key {
            let taint = self.value(key).whole();
            self.leave_itself(&taint, &Sink::Key, key.span);
        }
        for option in [&flow.priority, &flow.deadline].into_iter().flatten() {
            self.value(option);
        }
        if let Some((_, Some(per))) = &flow.at_most {
            let taint = self.value(per).whole();
            self.hide(&taint, per.span);
        }
        self.statements(&flow.body, &flow.locals, Some(flow));
        if self.is_reporting {
            for parameter in &flow.parameters {
                if self.written_label(parameter.span, &parameter.name).is_some() {
                    self.private.insert(parameter.span);
                }
            }
            let mut result = self.summary.result.clone().whole();
            if let Some((origin, way)) = self.written_label(flow.span, &flow.name) {
                result.add(origin, way);
            }
            self.hide(&result, flow.span);
        }
    }

    /// What tools show of a run leaves this out when it is personal.
    fn hide(&mut self, taint: &Taint, place: Span) {
        let is_private = |(origin, _)| matches!(origin, Origin::Personal | Origin::Secret);
        if self.is_reporting && taint.iter().any(is_private) {
            self.private.insert(place);
        }
    }

    pub(super) fn statements(&mut self, statements: &'p [Statement], locals: &'p [Local], flow: Option<&'p Flow>) {
        let mut rest = statements;
        while let Some((statement, after)) = rest.split_first() {
            rest = match &statement.kind {
                StatementKind::If { .. } => self.choice(statement, after, locals, flow),
                _ => {
                    self.statement(statement, locals, flow);
                    after
                }
            };
        }
    }

    fn statement(&mut self, statement: &'p Statement, locals: &'p [Local], flow: Option<&'p Flow>) {
        match &statement.kind {
            StatementKind::Set { local, value } => {
                let mut carried = self.value(value);
                carried.values.join(&self.implied_in(&value.ty));
                self.keep(local.index(), carried, locals);
                let text = self.known_text(value);
                if let Some(known) = self.texts.get_mut(local.index()) {
                    // A `var` that is set again is not known.
                    *known = Some(if known.is_none() { text } else { None });
                }
            }
            StatementKind::For(each) => {
                let carried = self.value(&each.list);
                if let Some(parallel) = &each.parallel {
                    self.value(parallel);
                }
                let (first, second) = match each.list.ty {
                    Type::Map(..) => (carried.keys, carried.values),
                    _ => (carried.values.clone(), carried.values),
                };
                self.hold(each.local.index(), &both(first));
                if let Some(local) = each.second {
                    self.hold(local.index(), &both(second));
                }
                self.statements(&each.body, locals, flow);
            }
            StatementKind::Return(Some(value)) => {
                let mut carried = self.value(value);
                carried.values.join(&self.implied_in(&value.ty));
                self.changed |= self.summary.result.join(&carried);
            }
            StatementKind::Match { value, arms } => self.selection(value, arms, locals, flow),
            StatementKind::Give(value) => {
                let mut carried = self.value(value);
                carried.values.join(&self.implied_in(&value.ty));
                self.journal(value, carried.clone().whole());
                if let Some(step) = self.step {
                    self.keep(step, carried, locals);
                }
            }
            StatementKind::Stop(Some(why)) => {
                // That a run ends tells nothing of what it hangs on: it is what secrets and conditions are for.
                let taint = self.value(why).whole();
                self.leave_itself(&taint, &Sink::Log, why.span);
            }
            StatementKind::Fail { error, fields } => {
                for (index, field) in fields.iter().enumerate() {
                    let taint = self.value(field).whole();
                    let is_personal = self.field_of_error(*error, index).way_of(Origin::Personal).is_some();
                    let name = self.program.errors.get(error.0 as usize).map(|of| of.name.clone()).unwrap_or_default();
                    for (origin, way) in taint.iter() {
                        if is_personal && origin != Origin::Secret {
                            continue;
                        }
                        let sink = Sink::Failure(name.clone());
                        self.leak(Leak { origin, sink, span: field.span, way, unless: Vec::new() }, field.span);
                    }
                }
            }
            StatementKind::Step(id) => {
                if let Some(flow) = flow {
                    self.step(flow, *id);
                }
            }
            _ => {
                let (mut expressions, mut bodies) = (Vec::new(), Vec::new());
                statement.each_part(&mut |expr| expressions.push(expr), &mut |body| bodies.push(body));
                for expr in expressions {
                    self.value(expr);
                }
                for body in bodies {
                    self.statements(body, locals, flow);
                }
            }
        }
    }

    fn step(&mut self, flow: &'p Flow, id: StepId) {
        let Some(step) = flow.steps.get(id.index()) else { return };
        let outer = std::mem::replace(&mut self.step, step.local.map(|local| local.index()));
        let passed = self.passed.clone();
        match &step.body {
            StepBody::Value(value) => {
                let mut carried = self.value(value);
                if let Some(local) = step.local {
                    carried.values.join(&self.implied_in(&value.ty));
                    self.journal(value, carried.clone().whole());
                    self.keep(local.index(), carried, &flow.locals);
                }
            }
            StepBody::Block(statements) => self.statements(statements, &flow.locals, Some(flow)),
        }
        (self.step, self.passed) = (outer, passed);
        if let Some(state) = step.local.and_then(|local| self.state.get(local.index())) {
            let taint = state.clone().whole();
            self.hide(&taint, step.span);
        }
        if let Some(undo) = &step.undo {
            self.statements(undo, &flow.locals, Some(flow));
        }
        for handler in &step.handlers {
            if let HandlerAction::Block { body, .. } = &handler.action {
                self.statements(body, &flow.locals, Some(flow));
            }
        }
    }

    /// A local with a name gets what a value carries; the way goes through it.
    fn keep(&mut self, local: usize, carried: Carried, locals: &'p [Local]) {
        let Some(of) = locals.get(local) else { return };
        if let Some((origin, way)) = self.written_label(of.span, &of.name) {
            self.hold(local, &Carried::plain(Taint::of(origin, way)));
        }
        if carried.is_empty() {
            return;
        }
        let fresh = self.state.get(local).is_none_or(|state| {
            carried.values.iter().any(|(origin, _)| state.values.way_of(origin).is_none())
                || carried.keys.iter().any(|(origin, _)| state.keys.way_of(origin).is_none())
        });
        if fresh {
            let kept = carried.stepped(&mut self.ways, of.span, &What::Kept(of.name.clone()));
            self.hold(local, &kept);
        }
    }

    fn table(&mut self, table: &'p DecisionTable) {
        let mut implied = Taint::default();
        for (index, column) in table.columns.iter().enumerate() {
            let Some(subject) = &column.subject else { continue };
            let taint = self.value(subject).whole();
            let is_tested = table.rows.iter().filter_map(|row| row.tests.get(index)).any(names_values);
            // A column of yes and no tells nothing of personal data.
            let taint = if subject.ty == Type::Bool { self.asked(taint) } else { taint };
            if is_tested && !taint.is_empty() {
                let tested = taint.tested(&mut self.ways, column.span, &table.name);
                implied.join(&tested);
            }
        }
        for test in table.rows.iter().flat_map(|row| &row.tests) {
            if let CellTest::Condition(condition) = test {
                let decided = self.decided(&[condition]);
                implied.join(&decided);
            }
        }
        let implied_in_bool = self.asked(implied.clone());
        for row in &table.rows {
            for test in &row.tests {
                if matches!(test, CellTest::Condition(_)) {
                    continue;
                }
                let mut inner: Vec<&'p Expr> = Vec::new();
                test.each_expression(&mut |expr| inner.push(expr));
                for expr in inner {
                    self.value(expr);
                }
            }
            let outcome = self.value(&row.outcome);
            self.changed |= self.summary.result.join(&outcome);
            if let ExprKind::Record(id, fields) = &row.outcome.kind {
                for (index, field) in fields.iter().enumerate() {
                    let told = if field.ty == Type::Bool { &implied_in_bool } else { &implied };
                    for (origin, way) in told.iter() {
                        self.put((*id, index), origin, way, field.span);
                    }
                }
            } else {
                let told = if row.outcome.ty == Type::Bool { &implied_in_bool } else { &implied };
                self.changed |= self.summary.result.values.join(told);
            }
        }
    }

    fn template_parts(&mut self, parts: &'p [TemplatePart]) {
        for part in parts {
            match part {
                TemplatePart::Characters(_) => {}
                TemplatePart::Value(value) => {
                    let carried = self.value(value).whole();
                    self.changed |= self.summary.result.values.join(&carried);
                }
                TemplatePart::For { local, second, list, body } => {
                    let carried = self.value(list);
                    let (first, other) = match list.ty {
                        Type::Map(..) => (carried.keys, carried.values),
                        _ => (carried.values.clone(), carried.values),
                    };
                    self.hold(local.index(), &both(first));
                    if let Some(local) = second {
                        self.hold(local.index(), &both(other));
                    }
                    self.template_parts(body);
                }
                TemplatePart::If { condition, then, otherwise } => {
                    let decided = self.decided(&[condition]);
                    self.changed |= self.summary.result.values.join(&decided);
                    self.template_parts(then);
                    self.template_parts(otherwise);
                }
            }
        }
    }
}

/// An element that may itself be a map.
fn both(taint: Taint) -> Carried {
    Carried { keys: taint.clone(), values: taint }
}

/// Whether a cell tells something of the value: more than that it is there.
pub(super) fn names_values(test: &CellTest) -> bool {
    match test {
        CellTest::Anything | CellTest::Otherwise | CellTest::Some | CellTest::Condition(_) => false,
        CellTest::Equal(value) => !matches!(value.kind, ExprKind::Value(crate::value::Value::None)),
        CellTest::Compare(..) | CellTest::Range(..) => true,
        CellTest::Not(inner) => names_values(inner),
        CellTest::And(all) | CellTest::Or(all) => all.iter().any(names_values),
    }
}
