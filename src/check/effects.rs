//! What every callable does to the world, and how it may fail: inferred over the graph of calls until nothing
//! changes, then held against what may stand where.

use super::Checker;
use super::declare::First;
use super::flow::is_run;
use super::scope::{Global, PRELUDE};
use super::template::each_expression;
use crate::check::program::{
    CallableId, Effect, Expr, ExprKind, HandlerAction, Program, Protected, Statement, StatementKind, Step, StepBody,
    TemplatePart, Type,
};
use crate::finding::{Finding, catalogue};
use crate::text::Span;
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

    /// `fn` is pure, tables read at most.
    fn hold_functions(&mut self, first: First) {
        let mut findings = Vec::new();
        for of in self.program.callables.iter().skip(first.callable).filter(|of| !of.is_task) {
            if of.effect > Effect::Pure && !self.only_calls_impure_functions(&of.body) {
                let culprit = first_culprit(&of.body, Effect::Pure);
                let what = format!("the function `{}`", of.name);
                findings.push(self.impure(
                    &what,
                    of.span,
                    culprit,
                    of.effect,
                    "a `fn` only computes; declare it as a `task` to let it act",
                ));
            }
        }
        for of in self.program.tables.iter().skip(first.table) {
            if of.effect > Effect::Reads {
                let mut culprit = None;
                for row in &of.rows {
                    for test in &row.tests {
                        test.each_expression(&mut |expr| culprit = culprit.or(culprit_in(expr, Effect::Reads)));
                    }
                    culprit = culprit.or(culprit_in(&row.outcome, Effect::Reads));
                }
                let what = format!("the table `{}`", of.name);
                findings.push(self.impure(
                    &what,
                    of.span,
                    culprit,
                    of.effect,
                    "a table decides and may read; act on its outcome in a task or step",
                ));
            }
        }
        for of in self.program.constants.iter().skip(first.constant) {
            let mut effect = Effect::Pure;
            of.value.walk(&mut |expr| effect = effect.max(own_effect(&expr.kind)).max(self.callee_effect(&expr.kind)));
            if effect > Effect::Pure {
                let culprit = culprit_in(&of.value, Effect::Pure).or(Some(of.value.span));
                let what = format!("the constant `{}`", of.name);
                findings.push(self.impure(
                    &what,
                    of.span,
                    culprit,
                    effect,
                    "a constant is known before the run; read it where it is needed",
                ));
            }
        }
        findings.into_iter().for_each(|finding| self.report(finding));
    }

    /// Whether all that acts in a body are functions that have been reported themselves.
    fn only_calls_impure_functions(&self, statements: &[Statement]) -> bool {
        let mut all = true;
        each_expression_of(statements, &mut |expr| {
            expr.walk(&mut |inner| {
                let is_function = match &inner.kind {
                    ExprKind::Call(id, _) => self.program.callables.get(id.index()).is_some_and(|of| !of.is_task),
                    _ => false,
                };
                let acts = own_effect(&inner.kind).max(self.callee_effect(&inner.kind)) > Effect::Pure;
                all = all && (is_function || !acts);
            });
        });
        all
    }

    fn callee_effect(&self, kind: &ExprKind) -> Effect {
        match kind {
            ExprKind::Call(id, _) => self.program.callables.get(id.index()).map_or(Effect::Pure, |of| of.effect),
            ExprKind::Decide(id, _) => self.program.tables.get(id.index()).map_or(Effect::Pure, |of| of.effect),
            _ => Effect::Pure,
        }
    }

    fn impure(&self, what: &str, span: Span, culprit: Option<Span>, effect: Effect, help: &str) -> Finding {
        let acts = verb(effect);
        let mut finding = Finding::new(
            &catalogue::effect::IMPURE,
            culprit.unwrap_or(span),
            format!("{what} {acts}, and it must not"),
        )
        .at(self.culprit_words(culprit, effect));
        if culprit.is_some() {
            finding = finding.label(span, "declared here");
        }
        finding.help(help)
    }

    /// What the place that acts does, in words.
    fn culprit_words(&self, culprit: Option<Span>, effect: Effect) -> String {
        let _ = culprit;
        match effect {
            Effect::Pure => "computes".to_string(),
            Effect::Reads => "reads from outside".to_string(),
            Effect::Writes => "writes".to_string(),
            Effect::Sends => "sends mail".to_string(),
            Effect::Calls => "calls another system, or waits".to_string(),
        }
    }

    /// Between the steps of a flow only pure code runs.
    fn hold_flows(&mut self, first: First) {
        let mut findings = Vec::new();
        for of in self.program.flows.iter().skip(first.flow) {
            let mut between: Vec<&Expr> = Vec::new();
            outside_steps(&of.body, &mut between);
            for step in &of.steps {
                for handler in &step.handlers {
                    if let HandlerAction::Block { body, .. } = &handler.action {
                        outside_steps(body, &mut between);
                    }
                }
                let retry =
                    step.retry.iter().flat_map(|retry| [Some(&retry.times), retry.from.as_ref(), retry.up_to.as_ref()]);
                between.extend(retry.flatten().chain(step.timeout.as_ref()));
                self.runs_inside(step, &mut findings);
                self.handlers_that_never_come(step, &mut findings);
            }
            between.extend([of.key.as_ref(), of.priority.as_ref(), of.deadline.as_ref()].into_iter().flatten());
            if let Some((count, per)) = &of.at_most {
                between.push(count);
                between.extend(per);
            }
            for expr in between {
                if let Some(finding) = self.outside_step(expr) {
                    findings.push(finding);
                }
            }
        }
        findings.into_iter().for_each(|finding| self.report(finding));
    }

    fn outside_step(&self, expr: &Expr) -> Option<Finding> {
        let (mut run, mut waits) = (None, false);
        expr.walk(&mut |inner| {
            waits = waits || matches!(inner.kind, ExprKind::Wait(_));
            if is_run(inner) && run.is_none() {
                run = Some(inner.span);
            }
        });
        if let Some(span) = run {
            return Some(
                Finding::new(&catalogue::effect::OUTSIDE_STEP, span, "the result of a flow is kept by a step")
                    .at("is not the value of a step")
                    .note("a run goes on from its journal after a crash; what is between steps is computed again")
                    .help("write `step name = run …`; without a result `run …` may stand on a line of its own"),
            );
        }
        // A wait in a wrong place has been reported as such.
        if expr.effect == Effect::Pure || waits {
            return None;
        }
        let span = culprit_in(expr, Effect::Pure).unwrap_or(expr.span);
        let text = self.program.sources.slice(span);
        let short = if text.len() > 40 || text.contains('\n') { "this" } else { text };
        let effect = expr.effect;
        Some(
            Finding::new(
                &catalogue::effect::OUTSIDE_STEP,
                span,
                format!("between the steps of a flow only pure code runs, and `{short}` {}", verb(effect)),
            )
            .at(self.culprit_words(None, effect))
            .note("a run goes on from its journal after a crash; what is between steps is computed again, and must give the same")
            .help("make it a step: `step name = …`"),
        )
    }

    /// `run` and `start` are whole statements or whole values of steps.
    fn runs_inside(&self, step: &Step, findings: &mut Vec<Finding>) {
        let mut report = |expr: &Expr, is_whole: bool| {
            let mut depth = 0;
            expr.walk(&mut |inner| {
                if is_run(inner) && !(is_whole && depth == 0) {
                    findings.push(run_inside(inner.span));
                }
                depth += 1;
            });
        };
        match &step.body {
            StepBody::Value(value) => report(value, true),
            StepBody::Block(statements) => each_expression_of(statements, &mut |expr| report(expr, false)),
        }
        if let Some(undo) = &step.undo {
            each_expression_of(undo, &mut |expr| report(expr, false));
        }
    }

    fn handlers_that_never_come(&self, step: &Step, findings: &mut Vec<Finding>) {
        if step.handlers.is_empty() {
            return;
        }
        let known =
            Known { not_found: self.prelude_error("not_found"), already_exists: self.prelude_error("already_exists") };
        let mut part = Part::default();
        match &step.body {
            StepBody::Value(value) => self.add_expression(value, &mut part, known),
            StepBody::Block(statements) => self.add_statements(statements, &mut part, known),
        }
        let mut unclear = false;
        let mut look = |expr: &Expr| expr.walk(&mut |inner| unclear = unclear || inner.ty.is_unknown());
        match &step.body {
            StepBody::Value(value) => look(value),
            StepBody::Block(statements) => each_expression_of(statements, &mut look),
        }
        if unclear {
            return;
        }
        let mut fails = part.fails.clone();
        for call in &part.calls {
            match call {
                Node::Callable(at) => {
                    fails.extend(
                        self.program.callables.get(*at).into_iter().flat_map(|of| of.fails.iter().map(|e| e.0)),
                    );
                }
                Node::Flow(at) => {
                    fails.extend(self.program.flows.get(*at).into_iter().flat_map(|of| of.fails.iter().map(|e| e.0)));
                }
                Node::Table(_) | Node::Template(_) => {}
            }
        }
        for handler in &step.handlers {
            let Some(error) = self.program.errors.get(handler.error.0 as usize) else { continue };
            let anywhere = DEFECTS.contains(&error.name.as_str())
                || matches!(error.name.as_str(), "unavailable" | "timed_out" | "not_found");
            if fails.contains(&handler.error.0) || anywhere {
                continue;
            }
            let mut names: Vec<String> = fails
                .iter()
                .filter_map(|id| self.program.errors.get(*id as usize))
                .map(|error| format!("`{}`", error.name))
                .collect();
            names.sort();
            let finding = Finding::new(
                &catalogue::flow::NEVER_FAILS,
                handler.span,
                format!("the step `{}` never fails with `{}`", step.name, error.name),
            )
            .at("never happens")
            .help(match names.is_empty() {
                true => "remove it".to_string(),
                false => format!("remove it; the step may fail with {}", names.join(", ")),
            });
            findings.push(finding);
        }
    }

    /// Triggers start flows, reactions act without waiting, functions and tasks run no flows.
    fn hold_others(&mut self, first: First) {
        let mut findings = Vec::new();
        for of in self.program.triggers.iter().skip(first.trigger) {
            let mut between: Vec<&Expr> = Vec::new();
            outside_steps(&of.body, &mut between);
            for expr in between {
                if expr.effect > Effect::Pure {
                    let span = culprit_in(expr, Effect::Pure).unwrap_or(expr.span);
                    let finding = Finding::new(
                        &catalogue::effect::OUTSIDE_STEP,
                        span,
                        format!("a trigger only starts flows, and this {}", verb(expr.effect)),
                    )
                    .at(self.culprit_words(None, expr.effect))
                    .help("put the work into a flow, and write `start flow(…)` here");
                    findings.push(finding);
                }
            }
            each_expression_of(&of.body, &mut |expr| {
                if let ExprKind::Run(..) = expr.kind {
                    let finding = Finding::new(
                        &catalogue::flow::PLACE,
                        expr.span,
                        "a trigger starts flows and does not wait for them",
                    )
                    .at("would wait")
                    .help("write `start …`");
                    findings.push(finding);
                }
            });
        }
        for of in self.program.callables.iter().skip(first.callable) {
            // What is typed into the REPL may run flows.
            if of.name.starts_with('<') {
                continue;
            }
            each_expression_of(&of.body, &mut |expr| {
                expr.walk(&mut |inner| {
                    if is_run(inner) {
                        findings.push(run_inside(inner.span));
                    }
                });
            });
        }
        findings.into_iter().for_each(|finding| self.report(finding));
    }

    /// Calls of what only computes, whose value nobody takes.
    fn hold_results(&mut self, first: First) {
        let mut findings = Vec::new();
        let callables = self.program.callables.iter().skip(first.callable).map(|of| &of.body);
        let flows = self.program.flows.iter().skip(first.flow).map(|of| &of.body);
        let blocks =
            self.program.flows.iter().skip(first.flow).flat_map(|of| &of.steps).filter_map(|step| match &step.body {
                StepBody::Block(statements) => Some(statements),
                StepBody::Value(_) => None,
            });
        let tests = self.program.tests.iter().map(|of| &of.body);
        for body in callables.chain(flows).chain(blocks).chain(tests) {
            self.idle_calls(body, &mut findings);
        }
        findings.into_iter().for_each(|finding| self.report(finding));
    }

    fn idle_calls(&self, statements: &[Statement], findings: &mut Vec<Finding>) {
        for statement in statements {
            if let StatementKind::Expression(value) = &statement.kind {
                let name = match &value.kind {
                    ExprKind::Call(id, _) => {
                        let of = self.program.callables.get(id.index());
                        of.filter(|of| of.effect == Effect::Pure && of.fails.is_empty() && of.result != Type::Nothing)
                            .map(|of| &of.name)
                    }
                    ExprKind::Decide(id, _) => self.program.tables.get(id.index()).map(|of| &of.name),
                    _ => None,
                };
                if let Some(name) = name {
                    findings.push(
                        Finding::new(
                            &catalogue::unused::RESULT,
                            value.span,
                            format!("`{name}` only computes, and nothing is done with its value"),
                        )
                        .at("computed for nothing")
                        .help("use the value, or remove the line"),
                    );
                }
            }
            let mut bodies: Vec<&Vec<Statement>> = Vec::new();
            statement.each_part(&mut |_| {}, &mut |body| bodies.push(body));
            for body in bodies {
                self.idle_calls(body, findings);
            }
        }
    }

    /// What `fails` says, where it is written.
    fn hold_fails(&mut self, first: First) {
        let mut findings = Vec::new();
        for (at, of) in self.program.callables.iter().enumerate().skip(first.callable) {
            let Some(written) = self.names.written_fails.get(&CallableId(at as u32)) else { continue };
            let missing: Vec<&ErrorId> =
                of.fails.iter().filter(|error| !written.iter().any(|(written, _)| written == *error)).collect();
            let names: Vec<String> = missing
                .iter()
                .filter_map(|id| self.program.errors.get(id.0 as usize))
                .map(|error| format!("`{}`", error.name))
                .collect();
            if !names.is_empty() {
                let list = names.join(", ");
                let place = self.failing_place(&of.body, missing.first().map_or(u32::MAX, |id| id.0));
                let mut finding = Finding::new(
                    &catalogue::effect::FAILS,
                    of.span,
                    format!("`{}` may also fail with {list}, which its `fails` does not say", of.name),
                )
                .at("says less than it does")
                .help(format!("add {} behind `fails`, or leave `fails` out: it is inferred", list.replace('`', "")));
                if let Some(place) = place {
                    finding = finding.label(place, format!("may fail with {}", names[0]));
                }
                findings.push(finding);
            }
            for (error, span) in written {
                if !of.fails.contains(error) {
                    let name = self.program.errors.get(error.0 as usize).map_or("?", |error| error.name.as_str());
                    if DEFECTS.contains(&name) {
                        continue;
                    }
                    let mut finding = Finding::new(
                        &catalogue::effect::FAILS,
                        *span,
                        format!("`{}` never fails with `{name}`", of.name),
                    )
                    .at("never happens")
                    .help("remove it");
                    finding.severity = crate::finding::Severity::Warning;
                    findings.push(finding);
                }
            }
        }
        findings.into_iter().for_each(|finding| self.report(finding));
    }

    fn failing_place(&self, statements: &[Statement], error: u32) -> Option<Span> {
        for statement in statements {
            if matches!(&statement.kind, StatementKind::Fail { error: id, .. } if id.0 == error) {
                return Some(statement.span);
            }
            let mut found = None;
            let mut bodies: Vec<&Vec<Statement>> = Vec::new();
            statement.each_part(
                &mut |expr| {
                    expr.walk(&mut |inner| {
                        if found.is_some() {
                            return;
                        }
                        let fails = match &inner.kind {
                            ExprKind::Call(id, _) => self
                                .program
                                .callables
                                .get(id.index())
                                .is_some_and(|of| of.fails.contains(&ErrorId(error))),
                            ExprKind::Perform(operation, _) => {
                                self.primitive_fails(operation.primitive().fails).contains(&error)
                            }
                            ExprKind::Get(..) | ExprKind::Update(..) => self.prelude_error("not_found") == Some(error),
                            ExprKind::Create(..) => self.prelude_error("already_exists") == Some(error),
                            _ => false,
                        };
                        if fails {
                            found = Some(inner.span);
                        }
                    });
                },
                &mut |body| bodies.push(body),
            );
            found = found.or_else(|| bodies.into_iter().find_map(|body| self.failing_place(body, error)));
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// What a policy protects must be something that acts; kept for the engine of policies.
    #[allow(dead_code)]
    pub(crate) fn protected_effect(&self, protected: &Protected) -> Effect {
        match protected {
            Protected::Callable(id) => self.program.callables.get(id.index()).map_or(Effect::Pure, |of| of.effect),
            Protected::Flow(id) => self.program.flows.get(id.index()).map_or(Effect::Pure, |of| of.effect),
            Protected::Operation(operation) => operation.primitive().effect,
        }
    }
}

/// Failures that every computation may end with; they are not listed.
const DEFECTS: &[&str] = &[
    "overflow",
    "division_by_zero",
    "out_of_range",
    "no_row",
    "several_rows",
    "currency_mismatch",
    "bad_date",
    "limit_reached",
    "items_failed",
    "key_conflict",
    "still_referred",
];

fn run_inside(span: Span) -> Finding {
    Finding::new(&catalogue::flow::PLACE, span, "flows are run between steps, or as the whole value of a step")
        .at("inside of something else")
        .help("write `step name = run …` in a flow; a task can't run flows")
}

fn verb(effect: Effect) -> &'static str {
    match effect {
        Effect::Pure => "computes",
        Effect::Reads => "reads from outside",
        Effect::Writes => "writes",
        Effect::Sends => "sends mail",
        Effect::Calls => "calls another system or waits",
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

/// The innermost expression that does more than allowed.
fn culprit_in(expr: &Expr, allowed: Effect) -> Option<Span> {
    if expr.effect <= allowed {
        return None;
    }
    let mut inner = None;
    expr.each_child(&mut |child| inner = inner.or_else(|| culprit_in(child, allowed)));
    // What a lambda or a query does belongs to the chain that it is in.
    inner.or(Some(expr.span))
}

fn first_culprit(statements: &[Statement], allowed: Effect) -> Option<Span> {
    let mut found = None;
    each_expression_of(statements, &mut |expr| found = found.or_else(|| culprit_in(expr, allowed)));
    found
}

/// Visits the outermost expressions of statements and of the blocks within them.
fn each_expression_of<'s>(statements: &'s [Statement], f: &mut dyn FnMut(&'s Expr)) {
    for statement in statements {
        let mut bodies: Vec<&'s Vec<Statement>> = Vec::new();
        statement.each_part(f, &mut |body| bodies.push(body));
        for body in bodies {
            each_expression_of(body, f);
        }
    }
}

/// The expressions between steps that must be pure: all but whole `run` and `start` statements, of those the arguments.
fn outside_steps<'s>(statements: &'s [Statement], out: &mut Vec<&'s Expr>) {
    for statement in statements {
        if let StatementKind::Expression(value) = &statement.kind
            && let ExprKind::Run(_, arguments) | ExprKind::Start(_, arguments) = &value.kind
        {
            out.extend(arguments);
            continue;
        }
        let mut bodies: Vec<&'s Vec<Statement>> = Vec::new();
        statement.each_part(&mut |expr| out.push(expr), &mut |body| bodies.push(body));
        for body in bodies {
            outside_steps(body, out);
        }
    }
}
