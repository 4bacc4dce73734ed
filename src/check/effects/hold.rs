//! Holds effects and failures against what may stand where: functions are pure, tables read at most, between the
//! steps of a flow nothing acts, and `fails` says what is so.

use super::{Known, Node, Part, instead, own_effect};
use crate::check::Checker;
use crate::check::declare::First;
use crate::check::flow::is_run;
use crate::check::program::{
    CallableId, Effect, Expr, ExprKind, HandlerAction, Statement, StatementKind, Step, StepBody, Type, Wait,
};
use crate::finding::{Finding, catalogue};
use crate::text::Span;
use crate::value::ErrorId;

impl Checker<'_> {
    /// `fn` is pure, tables read at most.
    pub(super) fn hold_functions(&mut self, first: First) {
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
    pub(super) fn hold_flows(&mut self, first: First) {
        let mut findings = Vec::new();
        for of in self.program.flows.iter().skip(first.flow) {
            let mut between: Vec<&Expr> = Vec::new();
            outside_steps(&of.body, &mut between);
            // What is said with a flow or step and is no place for a step, with what to do instead.
            let mut options: Vec<(&Expr, String)> = Vec::new();
            for step in &of.steps {
                for handler in &step.handlers {
                    if let HandlerAction::Block { body, .. } = &handler.action {
                        outside_steps(body, &mut between);
                    }
                }
                let retry =
                    step.retry.iter().flat_map(|retry| [Some(&retry.times), retry.from.as_ref(), retry.up_to.as_ref()]);
                options.extend(retry.flatten().map(|expr| (expr, instead::IN_RETRY.to_string())));
                options.extend(step.timeout.as_ref().map(|expr| (expr, instead::in_timeout(step))));
                self.runs_inside(step, &mut findings);
                self.given_without_acting(step, &mut findings);
                self.handlers_that_never_come(step, &mut findings);
            }
            let of_flow = [of.key.as_ref(), of.priority.as_ref()].into_iter().flatten();
            let turns = of.at_most.iter().flat_map(|(count, per)| std::iter::once(count).chain(per));
            options.extend(of_flow.chain(turns).map(|expr| (expr, instead::IN_FLOW.to_string())));
            options.extend(of.deadline.as_ref().map(|expr| (expr, instead::in_deadline(&of.name))));
            findings.extend(
                between.into_iter().filter_map(|expr| self.outside_step(expr, "make it a step: `step name = …`")),
            );
            findings.extend(options.into_iter().filter_map(|(expr, help)| self.outside_step(expr, &help)));
        }
        findings.into_iter().for_each(|finding| self.report(finding));
    }

    /// An expression that is not in a step and acts; `help` says what to do instead.
    fn outside_step(&self, expr: &Expr, help: &str) -> Option<Finding> {
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
        let short = shortened(text);
        let effect = expr.effect;
        Some(
            Finding::new(
                &catalogue::effect::OUTSIDE_STEP,
                span,
                format!("between the steps of a flow only pure code runs, and `{short}` {}", verb(effect)),
            )
            .at(self.culprit_words(None, effect))
            .note("a run goes on from its journal after a crash; what is between steps is computed again, and must give the same")
            .help(help),
        )
    }

    /// What a step that waits, or runs a flow, is given may be looked up and is not to change anything: it is computed
    /// when the wait or the run begins, and nothing would take it back.
    fn given_without_acting(&self, step: &Step, findings: &mut Vec<Finding>) {
        let StepBody::Value(value) = &step.body else { return };
        let given: Vec<&Expr> = match &value.kind {
            ExprKind::Run(_, arguments) | ExprKind::Start(_, arguments) => arguments.iter().collect(),
            ExprKind::Wait(wait) => match &**wait {
                Wait::Sleep(given) | Wait::SleepUntil(given) => vec![given],
                Wait::For { condition, within, .. } => std::iter::once(condition).chain(within).collect(),
                Wait::Ask { role, question, within, otherwise } => {
                    [role, question].into_iter().chain(within).chain(otherwise).collect()
                }
            },
            _ => return,
        };
        for expr in given.into_iter().filter(|expr| expr.effect > Effect::Reads) {
            let span = culprit_in(expr, Effect::Reads).unwrap_or(expr.span);
            let words = match value.kind {
                ExprKind::Wait(_) => "what a wait is given is looked up, and this",
                _ => "what a flow is given is looked up, and this",
            };
            findings.push(
                Finding::new(&catalogue::effect::OUTSIDE_STEP, span, format!("{words} {}", verb(expr.effect)))
                    .at(self.culprit_words(None, expr.effect))
                    .note("it is computed when the wait or the run begins, before the step is done")
                    .help("make it a step of its own before this one: `step name = …`"),
            );
        }
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
    pub(super) fn hold_others(&mut self, first: First) {
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
    pub(super) fn hold_results(&mut self, first: First) {
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
    pub(super) fn hold_fails(&mut self, first: First) {
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
                .help(format!("add {list} behind `fails`, or leave `fails` out: it is inferred"));
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
    Finding::new(
        &catalogue::flow::PLACE,
        span,
        "flows are run and started between steps, or as the whole value of a step",
    )
    .at("inside of something else")
    .help("write `step name = run …` or `start …` in a flow; a task can't run flows")
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

/// What is called, without what it is given where that is long.
fn shortened(text: &str) -> std::borrow::Cow<'_, str> {
    let is_short = |text: &str| text.len() <= 40 && !text.contains('\n');
    match text.split_once('(') {
        _ if is_short(text) => text.into(),
        Some((name, _)) if is_short(name) && !name.is_empty() => format!("{name}(…)").into(),
        _ => "this".into(),
    }
}
