//! Flows: steps with their modifiers, branches, jumps.

use super::Checker;
use super::body::{BodyKind, LocalKind, StepName};
use super::declare::unknown_expr;
use super::statement::Checked;
use super::types::Purpose;
use crate::check::program::{
    Effect, Expr, ExprKind, Handler, HandlerAction, LocalId, Retry, Statement, StatementKind, Step, StepBody, StepId,
    Type,
};
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::{self, Block, ModifierKind, Name, OnAction};
use crate::text::Span;

impl Checker<'_> {
    /// Finds the steps of a flow before it is checked, so that jumps and uses know of all of them.
    pub(crate) fn collect_steps(&mut self, block: &Block) {
        let mut within = Vec::new();
        self.collect_in(&block.statements, &mut within);
        let mut targets = Vec::new();
        targets_in(&block.statements, &mut targets);
        for target in targets {
            if let Some(step) = self.body.steps.get_mut(&target) {
                step.is_target = true;
            }
        }
    }

    fn collect_in(&mut self, statements: &[tree::Statement], within: &mut Vec<Span>) {
        for statement in statements {
            if let tree::StatementKind::Step(step) = &statement.kind {
                self.collect_step(step, within);
            }
            each_block(statement, &mut |block, kind| {
                // The block of a step holds no steps of the flow; they are reported there.
                if kind == BlockOf::Step {
                    return;
                }
                within.push(block.span);
                for statement in &block.statements {
                    if kind == BlockOf::Parallel {
                        within.push(statement.span);
                    }
                    self.collect_in(std::slice::from_ref(statement), within);
                    if kind == BlockOf::Parallel {
                        within.pop();
                    }
                }
                within.pop();
            });
        }
    }

    fn collect_step(&mut self, step: &tree::Step, within: &[Span]) {
        let name = &step.name;
        if name.text.is_empty() {
            return;
        }
        if let Some(before) = self.body.steps.get(&name.text) {
            let before = before.span;
            let finding =
                Finding::new(&catalogue::name::DUPLICATE, name.span, format!("two steps are called `{}`", name.text))
                    .at("again here")
                    .label(before, "first here")
                    .note("a step's name is what the journal, `go to` and the picture know it by")
                    .help("give one of the two another name");
            self.report(finding);
            return;
        }
        let has_value = match &step.body {
            tree::StepBody::Value(_) => true,
            tree::StepBody::Block(block) => step.kind.is_some() || gives(&block.statements),
        };
        let id = StepId(u32::try_from(self.body.steps.len()).unwrap_or(u32::MAX));
        let found = StepName {
            id,
            span: name.span,
            local: None,
            seen: false,
            is_target: false,
            within: within.to_vec(),
            has_value,
        };
        self.body.steps.insert(name.text.clone(), found);
        self.body.checked_steps.push(None);
    }

    /// `step …` with its modifiers.
    pub(crate) fn step(&mut self, step: &tree::Step, span: Span) -> Option<StatementKind> {
        if !self.only_in(&[BodyKind::Flow], "step", step.name.span) {
            // What is in it is looked at all the same.
            match &step.body {
                tree::StepBody::Value(value) => {
                    self.body.wait_at = Some(value.span);
                    self.expression(value, None);
                }
                tree::StepBody::Block(block) => {
                    self.in_kind(BodyKind::Step, |checker| checker.block(block));
                }
            }
            return None;
        }
        let known = self.body.steps.get(&step.name.text).cloned();
        let known = known.filter(|known| known.span == step.name.span);
        if known.as_ref().is_some_and(|known| known.is_target) {
            // A jump may come here past every test above.
            self.body.unknow_all();
        }
        let declared = step.kind.as_ref().map(|kind| (self.written_type(kind), kind.span));
        let (body, ty) = match &step.body {
            tree::StepBody::Value(value) => self.step_value(step, value, declared),
            tree::StepBody::Block(block) => self.step_block(step, block, declared),
        };
        let mut checked = Step {
            name: step.name.text.clone(),
            local: None,
            ty: ty.clone(),
            body,
            retry: None,
            timeout: None,
            undo: None,
            handlers: Vec::new(),
            effect: Effect::Pure,
            span,
        };
        self.handlers(step, &mut checked);
        if ty != Type::Nothing {
            let written = step.kind.as_ref().and_then(super::written::label_of);
            if let Some(label) = written {
                self.names.labels.insert(step.name.span, label);
            }
            let label = match &checked.body {
                StepBody::Value(value) => self.label_of(value).or(written),
                StepBody::Block(_) => written,
            };
            let local = self.step_local(&step.name, ty);
            if let Some(info) = self.body.info.get_mut(local.index()) {
                info.label = label;
            }
            checked.local = Some(local);
        }
        if let Some(known) = self.body.steps.get_mut(&step.name.text).filter(|known| known.span == step.name.span) {
            known.local = checked.local;
            known.has_value = checked.local.is_some();
            known.seen = true;
        }
        self.modifiers(step, &mut checked);
        let id = known.map(|known| known.id)?;
        if let Some(slot) = self.body.checked_steps.get_mut(id.index()) {
            *slot = Some(checked);
        }
        Some(StatementKind::Step(id))
    }

    fn step_local(&mut self, name: &Name, ty: Type) -> LocalId {
        let before = self.body.lookup(&name.text).and_then(|local| self.body.local(local)).map(|local| local.span);
        if let Some(before) = before {
            let finding = Finding::new(
                &catalogue::name::SHADOWED,
                name.span,
                format!("`{}` has a meaning here already", name.text),
            )
            .at("would hide the other")
            .label(before, "declared here")
            .help("give the step another name");
            self.report(finding);
        }
        self.body.add(&name.text, ty, name.span, LocalKind::Step)
    }

    fn step_value(
        &mut self,
        step: &tree::Step,
        value: &tree::Expr,
        declared: Option<(Type, Span)>,
    ) -> (StepBody, Type) {
        let is_wait = is_wait(value);
        if is_wait {
            self.body.wait_at = Some(value.span);
        }
        let name = step.name.text.clone();
        let checked = self.in_kind(BodyKind::Step, |checker| match &declared {
            Some((ty, span)) => checker.expected(value, ty, Purpose::Declared { name: &name, span: *span }),
            None => {
                let value = checker.expression(value, None);
                if value.ty == Type::Nothing { value } else { checker.settle(value) }
            }
        });
        self.body.wait_at = None;
        let ty =
            declared.map_or(checked.ty.clone(), |(ty, _)| if checked.ty.is_unknown() { Type::Unknown } else { ty });
        (StepBody::Value(checked), ty)
    }

    fn step_block(&mut self, step: &tree::Step, block: &Block, declared: Option<(Type, Span)>) -> (StepBody, Type) {
        let give_type = std::mem::replace(&mut self.body.give_type, declared.clone());
        let gives = self.body.gives.replace(Vec::new());
        let checked = self.in_kind(BodyKind::Step, |checker| checker.block(block));
        let given = std::mem::replace(&mut self.body.gives, gives).unwrap_or_default();
        self.body.give_type = give_type;
        let ty = match (&declared, given.first()) {
            (Some((ty, _)), _) => ty.clone(),
            (None, Some((ty, _))) => ty.clone(),
            (None, None) => Type::Nothing,
        };
        if ty != Type::Nothing && !checked.ends {
            let shown = self.show(&ty);
            let mut finding = Finding::new(
                &catalogue::types::RESULT,
                step.name.span,
                format!(
                    "the step `{}` gives {shown} on some ways through its block, and nothing on others",
                    step.name.text
                ),
            )
            .at("must always give a value");
            if let Some((_, span)) = &declared {
                finding = finding.label(*span, "its type is declared here");
            }
            if let Some((_, span)) = given.first() {
                finding = finding.label(*span, "gives a value here");
            }
            self.report(finding.help("end the block with `give …`"));
        }
        (StepBody::Block(checked.statements), ty)
    }

    /// Checks something as a part of a step, and comes back.
    fn in_kind<R>(&mut self, kind: BodyKind, action: impl FnOnce(&mut Self) -> R) -> R {
        let before = std::mem::replace(&mut self.body.kind, kind);
        let base = self.body.step_base.replace(self.body.locals.len());
        let result = action(self);
        self.body.kind = before;
        self.body.step_base = base;
        result
    }

    fn handlers(&mut self, step: &tree::Step, checked: &mut Step) {
        let mut handled: Vec<(ecow::EcoString, Span)> = Vec::new();
        for modifier in &step.modifiers {
            let ModifierKind::On { error, binding, action } = &modifier.kind else { continue };
            if let Some((_, before)) = handled.iter().find(|(name, _)| *name == error.text) {
                let finding =
                    Finding::new(&catalogue::name::DUPLICATE, error.span, format!("`{}` is handled twice", error.text))
                        .at("never reached")
                        .label(*before, "handled here first")
                        .help("remove one of the two");
                self.report(finding);
            }
            handled.push((error.text.clone(), error.span));
            let id = self.error_named(error);
            let mark = self.body.mark();
            let action = match action {
                OnAction::GoTo(target) => match self.go_to(target, target.span) {
                    Some(StatementKind::GoTo(step)) => Some(HandlerAction::GoTo(step)),
                    _ => None,
                },
                OnAction::Block(block) => {
                    let ty = id.map_or(Type::Unknown, Type::Failure);
                    let binding = binding.as_ref().map(|name| self.introduce(name, ty, LocalKind::Bound));
                    if block.statements.iter().all(|statement| does_nothing(&statement.kind)) {
                        self.swallowed(error, block.span);
                    }
                    let body: Checked = self.in_block(block);
                    Some(HandlerAction::Block { binding, body: body.statements })
                }
            };
            self.body.close(mark);
            if let (Some(error), Some(action)) = (id, action) {
                checked.handlers.push(Handler { error, action, span: modifier.span });
            }
        }
    }

    fn swallowed(&mut self, error: &Name, span: Span) {
        let finding = Finding::new(
            &catalogue::flow::SWALLOWED,
            span,
            format!("the failure `{}` is caught and dropped", error.text),
        )
        .at("does nothing")
        .note("the run goes on as if the step had succeeded, and nobody hears of the failure")
        .help("say what is to happen: `go to` another step, `fail`, or at least `log.warn` in a step of its own");
        self.report(finding);
    }

    fn modifiers(&mut self, step: &tree::Step, checked: &mut Step) {
        let mut said: Vec<(&'static str, Span)> = Vec::new();
        for modifier in &step.modifiers {
            let word = match &modifier.kind {
                ModifierKind::Retry { .. } => "retry",
                ModifierKind::Timeout(_) => "timeout",
                ModifierKind::Undo { .. } => "undo",
                ModifierKind::On { .. } => continue,
            };
            if let Some((_, before)) = said.iter().find(|(other, _)| *other == word) {
                let finding = Finding::new(
                    &catalogue::name::DUPLICATE,
                    modifier.span,
                    format!("`{word}` is said twice of the step `{}`", step.name.text),
                )
                .at("again here")
                .label(*before, "first here")
                .help("keep one of the two");
                self.report(finding);
            }
            said.push((word, modifier.span));
            match &modifier.kind {
                ModifierKind::Retry { times, from, doubling, up_to } => {
                    let times = self.expected(times, &Type::Int, Purpose::Part("how often it is tried again", None));
                    let duration = |checker: &mut Self, written: &Option<tree::Expr>, what: &'static str| {
                        let written = written.as_ref()?;
                        Some(checker.expected(written, &Type::Duration, Purpose::Part(what, None)))
                    };
                    let from = duration(self, from, "the first pause");
                    let up_to = duration(self, up_to, "the longest pause");
                    checked.retry = Some(Retry { times, from, doubling: *doubling, up_to });
                }
                ModifierKind::Timeout(limit) => {
                    let limit = self.expected(limit, &Type::Duration, Purpose::Part("the time limit", None));
                    checked.timeout = Some(limit);
                }
                ModifierKind::Undo { body, .. } => {
                    let gives = self.body.gives.take();
                    let body = self.in_kind(BodyKind::Step, |checker| checker.block(body));
                    self.body.gives = gives;
                    checked.undo = Some(body.statements);
                }
                ModifierKind::On { .. } => {}
            }
        }
    }

    /// `go to step`
    pub(crate) fn go_to(&mut self, target: &Name, span: Span) -> Option<StatementKind> {
        if !self.only_in(&[BodyKind::Flow], "go to", span) || target.text.is_empty() {
            self.body.has_lost_jump = true;
            return None;
        }
        let known = self.checked_target(target);
        self.body.has_lost_jump |= known.is_none();
        known
    }

    fn checked_target(&mut self, target: &Name) -> Option<StatementKind> {
        let Some(step) = self.body.steps.get(&target.text).cloned() else {
            let names: Vec<String> = self.body.steps.keys().map(|name| name.to_string()).collect();
            let title = self.body.title.clone();
            let mut finding =
                Finding::new(&catalogue::flow::TARGET, target.span, format!("{title} has no step `{}`", target.text))
                    .at("no such step");
            finding = match super::scope::nearest(&target.text, &names) {
                Some(near) => near.asked(finding, target.span),
                None if names.is_empty() => finding.help("write the step that the way leads to: `step name { … }`"),
                None => {
                    let mut shown: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                    shown.sort_unstable();
                    finding.help(format!(
                        "write the step that the way leads to, or name another one: {}",
                        shown.join(", ")
                    ))
                }
            };
            self.report(finding);
            return None;
        };
        let here = &self.body.within;
        let shared = step.within.iter().zip(here).take_while(|(a, b)| a == b).count();
        if shared < step.within.len() {
            let block = step.within.get(shared).copied().unwrap_or(step.span);
            let finding = Finding::new(
                &catalogue::flow::TARGET,
                target.span,
                format!("the step `{}` lies inside of a block, which can't be jumped into", target.text),
            )
            .at("jumps into a block")
            .label(step.span, "the step")
            .label(Span { end: block.start.saturating_add(1), ..block }, "the block begins here")
            .help("move the step out of the block");
            self.report(finding);
            return None;
        }
        if let Some(block) = here.iter().skip(shared).find(|block| self.body.side_by_side.contains(block)).copied() {
            let finding =
                Finding::new(&catalogue::flow::TARGET, target.span, "a jump can't leave what runs side by side")
                    .at("jumps out")
                    .label(
                        Span { end: block.start.saturating_add(1), ..block },
                        "the parts of this block run side by side",
                    )
                    .help("let the branch end with `fail`, and jump behind the block");
            self.report(finding);
            return None;
        }
        Some(StatementKind::GoTo(step.id))
    }

    /// `parallel { … }`
    pub(crate) fn parallel(&mut self, block: &Block, span: Span) -> Option<StatementKind> {
        let legal = self.only_in(&[BodyKind::Flow], "parallel", Span { end: span.start.saturating_add(8), ..span });
        let mut branches = Vec::with_capacity(block.statements.len());
        self.body.within.push(block.span);
        self.body.side_by_side.insert(block.span);
        for statement in &block.statements {
            self.body.within.push(statement.span);
            let mark = self.body.mark();
            let checked = self.statements(std::slice::from_ref(statement));
            self.body.close(mark);
            self.body.within.pop();
            branches.push(checked.statements);
        }
        self.body.within.pop();
        legal.then_some(StatementKind::Parallel(branches))
    }

    /// Puts the steps of a flow in their order; those with errors leave something harmless.
    pub(crate) fn finished_steps(&mut self) -> Vec<Step> {
        let checked = std::mem::take(&mut self.body.checked_steps);
        checked
            .into_iter()
            .map(|step| {
                step.unwrap_or_else(|| Step {
                    name: ecow::EcoString::new(),
                    local: None,
                    ty: Type::Nothing,
                    body: StepBody::Value(unknown_expr(Span::default())),
                    retry: None,
                    timeout: None,
                    undo: None,
                    handlers: Vec::new(),
                    effect: Effect::Pure,
                    span: Span::default(),
                })
            })
            .collect()
    }
}

/// Whether a statement between steps runs or starts a flow, and nothing else.
pub(crate) fn is_run(value: &Expr) -> bool {
    matches!(value.kind, ExprKind::Run(..) | ExprKind::Start(..))
}

fn is_wait(value: &tree::Expr) -> bool {
    match &value.kind {
        tree::ExprKind::Call { callee, .. } => {
            matches!(&callee.kind, tree::ExprKind::Name(name) if matches!(name.as_str(), "ask" | "wait_for" | "sleep" | "sleep_until"))
        }
        _ => false,
    }
}

/// Whether a statement in a handler leaves the failure as if it had not been: it only computes.
fn does_nothing(kind: &tree::StatementKind) -> bool {
    match kind {
        tree::StatementKind::Let { .. } => true,
        tree::StatementKind::If { then, otherwise, .. } => {
            let mut blocks = then.statements.iter().chain(otherwise.iter().flat_map(|block| &block.statements));
            blocks.all(|statement| does_nothing(&statement.kind))
        }
        _ => false,
    }
}

/// What a block belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BlockOf {
    Step,
    /// Each statement in it is a branch.
    Parallel,
    Other,
}

/// The blocks right inside of a statement.
fn each_block(statement: &tree::Statement, f: &mut dyn FnMut(&Block, BlockOf)) {
    use tree::StatementKind as S;
    match &statement.kind {
        S::If { then, otherwise, .. } => {
            f(then, BlockOf::Other);
            if let Some(otherwise) = otherwise {
                f(otherwise, BlockOf::Other);
            }
        }
        S::Match { arms, .. } => arms.iter().for_each(|arm| f(&arm.body, BlockOf::Other)),
        S::For(each) => f(&each.body, BlockOf::Other),
        S::Parallel(block) => {
            f(block, BlockOf::Parallel);
        }
        S::Step(step) => {
            if let tree::StepBody::Block(block) = &step.body {
                f(block, BlockOf::Step);
            }
            for modifier in &step.modifiers {
                if let ModifierKind::On { action: OnAction::Block(block), .. } = &modifier.kind {
                    f(block, BlockOf::Other);
                }
            }
        }
        _ => {}
    }
}

/// The steps that some `go to` names.
fn targets_in(statements: &[tree::Statement], targets: &mut Vec<ecow::EcoString>) {
    for statement in statements {
        match &statement.kind {
            tree::StatementKind::GoTo(name) => targets.push(name.text.clone()),
            tree::StatementKind::Step(step) => {
                for modifier in &step.modifiers {
                    if let ModifierKind::On { action: OnAction::GoTo(name), .. } = &modifier.kind {
                        targets.push(name.text.clone());
                    }
                }
            }
            _ => {}
        }
        each_block(statement, &mut |block, _| targets_in(&block.statements, targets));
    }
}

/// Whether some `give` is in these statements.
fn gives(statements: &[tree::Statement]) -> bool {
    statements.iter().any(|statement| {
        let mut found = matches!(statement.kind, tree::StatementKind::Give(_));
        each_block(statement, &mut |block, _| found = found || gives(&block.statements));
        found
    })
}

/// The place where nothing was given back: the end of a body.
pub(crate) fn end_of(block: &Block) -> Span {
    Span { start: block.span.end.saturating_sub(1), ..block.span }
}

/// Statements alone, when a body has nothing else.
pub(crate) fn only(kind: StatementKind, span: Span) -> Vec<Statement> {
    vec![Statement { kind, span }]
}
