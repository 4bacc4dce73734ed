//! Flows to the list of instructions that the flow engine does.
//!
//! Everything pure between steps becomes chunks; statements in a row share one. All chunks work on the frame
//! of the flow: its locals first, then a slot for each value that a `match` or `return run` keeps meanwhile.

use super::body::{Body, Compiler};
use super::code::ChunkId;
use super::flow::{FlowCode, FlowInstruction, HandlerCode, Hidden, RetryCode, StepAction, StepCode, Target, WaitCode};
use super::instruction::{Instruction, Operand, Register};
use crate::check::program::{
    Arm, CellTest, Effect, Expr, ExprKind, Flow, For, HandlerAction, LocalId, Retry, Statement, StatementKind, Step,
    StepBody, StepId, Type, Wait,
};
use crate::library::Operation;
use crate::syntax::tree::BinaryOperator;
use crate::text::Span;
use crate::value::Value;
use ecow::EcoString;
use std::collections::{HashMap, HashSet};

impl<'p> Compiler<'p> {
    /// Makes the code of a flow.
    pub fn flow(&mut self, flow: &Flow) -> FlowCode {
        let mut depths = HashMap::new();
        let extra = survey(&flow.body, flow, 0, &mut depths);
        let mut lowering = Lowering {
            compiler: self,
            flow,
            frame: flow.locals.len() + extra,
            next_slot: flow.locals.len(),
            instructions: Vec::new(),
            spans: Vec::new(),
            steps: vec![None; flow.steps.len()],
            further_steps: Vec::new(),
            depths,
            depth: 0,
            positions: HashMap::new(),
            jumps: Vec::new(),
            handler_jumps: Vec::new(),
            read: locals_read(flow),
        };
        let key = lowering.optional(flow.key.as_ref(), "key");
        let at_most = flow
            .at_most
            .as_ref()
            .map(|(count, of)| (lowering.value(count, "at most"), of.as_ref().map(|of| lowering.value(of, "at most"))));
        let priority = lowering.optional(flow.priority.as_ref(), "priority");
        let deadline = lowering.optional(flow.deadline.as_ref(), "deadline");
        let parameter_defaults =
            flow.parameters.iter().map(|parameter| lowering.optional(parameter.default.as_ref(), "default")).collect();
        lowering.block(&flow.body);
        lowering.emit(FlowInstruction::Return(None), flow.span);
        lowering.aim();
        let frame = u16::try_from(lowering.frame).unwrap_or(u16::MAX);
        let Lowering { instructions, spans, steps, further_steps, .. } = lowering;
        let steps = steps.into_iter().zip(&flow.steps);
        let is_private = |place: &Span| self.program.private.contains(place);
        let private = |places: &mut dyn Iterator<Item = Span>| {
            (0_u32..).zip(places).filter(|(_, place)| is_private(place)).map(|(at, _)| at).collect()
        };
        let hidden = Hidden {
            parameters: private(&mut flow.parameters.iter().map(|parameter| parameter.span)),
            steps: private(&mut flow.steps.iter().map(|step| step.span)),
            result: is_private(&flow.span),
            turn: flow.at_most.iter().filter_map(|(_, per)| per.as_ref()).any(|per| is_private(&per.span)),
        };
        FlowCode {
            name: flow.name.clone(),
            parameters: flow.parameters.iter().map(|parameter| parameter.name.clone()).collect(),
            parameter_types: flow.parameters.iter().map(|parameter| parameter.ty.clone()).collect(),
            parameter_defaults,
            hidden,
            result: flow.result.clone(),
            frame,
            key,
            at_most,
            priority,
            deadline,
            instructions,
            spans,
            steps: steps.map(|(code, step)| code.unwrap_or_else(|| unreached(step))).chain(further_steps).collect(),
            effect: flow.effect,
            span: flow.span,
        }
    }
}

struct Lowering<'c, 'p, 'f> {
    compiler: &'c mut Compiler<'p>,
    flow: &'f Flow,
    /// Slots of the frame.
    frame: usize,
    /// The locals that something in the flow reads.
    read: HashSet<LocalId>,
    /// The next slot behind the locals that is free.
    next_slot: usize,
    instructions: Vec<FlowInstruction>,
    spans: Vec<Span>,
    steps: Vec<Option<StepCode>>,
    /// `let x = run …`: runs that are waited for outside of steps are steps of their own.
    further_steps: Vec<StepCode>,
    /// How many loops and branches each step is in.
    depths: HashMap<StepId, u16>,
    depth: u16,
    positions: HashMap<StepId, Target>,
    /// Jumps to steps whose positions are not known yet.
    jumps: Vec<(usize, StepId)>,
    /// The same for handlers: the step that has it, and which handler it is.
    handler_jumps: Vec<(usize, usize, StepId)>,
}

impl Lowering<'_, '_, '_> {
    fn emit(&mut self, instruction: FlowInstruction, span: Span) -> usize {
        self.instructions.push(instruction);
        self.spans.push(span);
        self.instructions.len() - 1
    }

    fn here(&self) -> Target {
        self.instructions.len() as Target
    }

    fn set_target(&mut self, at: usize, to: Target) {
        use FlowInstruction::{ForEach, Jump, JumpUnless, Parallel};
        if let Some(Jump(target) | JumpUnless(_, target) | ForEach { end: target, .. } | Parallel { end: target, .. }) =
            self.instructions.get_mut(at)
        {
            *target = to;
        }
    }

    fn land(&mut self, at: usize) {
        let here = self.here();
        self.set_target(at, here);
    }

    /// Lets jumps to steps lead there, now that all positions are known.
    fn aim(&mut self) {
        for (at, step) in std::mem::take(&mut self.jumps) {
            if let Some(target) = self.positions.get(&step).copied() {
                self.set_target(at, target);
            }
        }
        for (owner, handler, step) in std::mem::take(&mut self.handler_jumps) {
            let target = self.positions.get(&step).copied();
            let handler = self.steps.get_mut(owner).and_then(Option::as_mut).and_then(|s| s.handlers.get_mut(handler));
            if let (Some(target), Some(handler)) = (target, handler) {
                handler.target = target;
            }
        }
    }

    /// How many loops and branches are left on the way to a step.
    fn leave(&self, step: StepId) -> u16 {
        self.depth.saturating_sub(self.depths.get(&step).copied().unwrap_or(0))
    }

    fn slot(&mut self) -> Register {
        let slot = self.next_slot;
        self.next_slot += 1;
        u16::try_from(slot).unwrap_or(u16::MAX)
    }

    // ── chunks ──

    /// A chunk over the frame.
    fn chunk(&mut self, what: &str, span: Span, build: impl FnOnce(&mut Body<'_, '_>)) -> ChunkId {
        let name = match what {
            "" => format!("flow {}", self.flow.name),
            what => what.to_string(),
        };
        let mut body = Body::new(&mut *self.compiler, name, 0, self.frame, span);
        body.frame_stays = true;
        build(&mut body);
        body.add()
    }

    fn value(&mut self, expr: &Expr, what: &str) -> ChunkId {
        let name = match what {
            "" => String::new(),
            what => format!("{what} of {}", self.flow.name),
        };
        self.chunk(&name, expr.span, |body| body.give(expr))
    }

    fn optional(&mut self, expr: Option<&Expr>, what: &str) -> Option<ChunkId> {
        expr.map(|expr| self.value(expr, what))
    }

    /// The values of expressions as a list; none for those that are missing.
    fn values<'e>(&mut self, what: &str, span: Span, exprs: impl Iterator<Item = Option<&'e Expr>>) -> ChunkId {
        let exprs: Vec<Option<&Expr>> = exprs.collect();
        self.chunk(what, span, |body| {
            let start = body.temporaries(exprs.len());
            for (register, expr) in (start..).zip(&exprs) {
                match expr {
                    Some(expr) => body.value_to(expr, register),
                    None => {
                        let nothing = body.constant(Value::None);
                        body.copy(register, nothing);
                    }
                }
            }
            let to = body.temporary();
            body.emit(Instruction::MakeList { to, start, count: exprs.len() as u16 });
            body.emit(Instruction::Return { value: Operand::register(to) });
        })
    }

    // ── statements ──

    fn block(&mut self, statements: &[Statement]) {
        let mut rest = statements;
        while let Some((first, behind)) = rest.split_first() {
            let count = rest.iter().take_while(|statement| is_pure(statement)).count();
            if count == 0 {
                self.statement(first);
                rest = behind;
                continue;
            }
            let (pure, behind) = rest.split_at(count);
            let chunk = self.chunk("", first.span, |body| body.block(pure));
            self.emit(FlowInstruction::Evaluate(chunk), first.span);
            rest = behind;
        }
    }

    fn statement(&mut self, statement: &Statement) {
        let span = statement.span;
        match &statement.kind {
            StatementKind::Step(step) => self.step(*step),
            StatementKind::If { condition, then, otherwise } => {
                let chunk = self.value(condition, "");
                let unless = self.emit(FlowInstruction::JumpUnless(chunk, 0), condition.span);
                self.block(then);
                if otherwise.is_empty() {
                    self.land(unless);
                } else {
                    let end = self.emit(FlowInstruction::Jump(0), span);
                    self.land(unless);
                    self.block(otherwise);
                    self.land(end);
                }
            }
            StatementKind::Match { value, arms } => self.match_arms(value, arms, span),
            StatementKind::For(each) => self.for_each(each, span),
            StatementKind::Parallel(branches) => self.parallel(branches, span),
            StatementKind::GoTo(step) => {
                let leave = self.leave(*step);
                if leave > 0 {
                    self.emit(FlowInstruction::Leave(leave), span);
                }
                let jump = self.emit(FlowInstruction::Jump(0), span);
                self.jumps.push((jump, *step));
            }
            StatementKind::Return(value) => {
                let chunk = match value {
                    Some(Expr { kind: ExprKind::Run(flow, arguments), ty, span, .. }) => {
                        let slot = self.slot();
                        self.run_to(slot, flow.0, arguments, ty, *span);
                        Some(self.chunk("", *span, |body| {
                            let value = body.temporary();
                            body.copy(value, Operand::register(slot));
                            body.emit(Instruction::Return { value: Operand::register(value) });
                        }))
                    }
                    value => self.optional(value.as_ref(), ""),
                };
                self.emit(FlowInstruction::Return(chunk), span);
            }
            StatementKind::Stop(why) => {
                let chunk = self.optional(why.as_ref(), "");
                self.emit(FlowInstruction::Stop(chunk), span);
            }
            StatementKind::Fail { .. } => {
                let chunk = self.chunk("", span, |body| body.statement(statement));
                self.emit(FlowInstruction::Fail(chunk), span);
            }
            StatementKind::Expression(Expr { kind: ExprKind::Run(flow, arguments), span, .. }) => {
                let chunk = self.values("", *span, arguments.iter().map(Some));
                self.emit(FlowInstruction::Run(flow.0, chunk), *span);
            }
            StatementKind::Expression(Expr { kind: ExprKind::Start(flow, arguments), span, .. }) => {
                let chunk = self.values("", *span, arguments.iter().map(Some));
                self.emit(FlowInstruction::Start(flow.0, chunk), *span);
            }
            StatementKind::Set { local, value: Expr { kind: ExprKind::Run(flow, arguments), ty, span, .. } } => {
                let slot = u16::try_from(local.0).unwrap_or(u16::MAX);
                self.run_to(slot, flow.0, arguments, ty, *span);
            }
            _ => {
                let chunk = self.chunk("", span, |body| body.statement(statement));
                self.emit(FlowInstruction::Evaluate(chunk), span);
            }
        }
    }

    /// `run` outside of a step: a step that is called as the flow is.
    fn run_to(&mut self, slot: Register, flow: u32, arguments: &[Expr], ty: &Type, span: Span) {
        let name = self.compiler.program.flows.get(flow as usize).map_or(EcoString::new(), |flow| flow.name.clone());
        let chunk = self.values("", span, arguments.iter().map(Some));
        let index = self.steps.len() + self.further_steps.len();
        self.further_steps.push(StepCode {
            name,
            slot: Some(slot),
            is_read: true,
            ty: ty.clone(),
            body: StepAction::Run(flow, chunk),
            retry: None,
            timeout: None,
            undo: None,
            handlers: Vec::new(),
            effect: self.flow.effect,
            span,
        });
        self.emit(FlowInstruction::Step(index as u32), span);
    }

    fn match_arms(&mut self, value: &Expr, arms: &[Arm], span: Span) {
        let slot = self.slot();
        let chunk = self.chunk("", value.span, |body| body.value_to(value, slot));
        self.emit(FlowInstruction::Evaluate(chunk), value.span);
        let mut ends = Vec::new();
        for arm in arms {
            let certain = matches!(arm.test, CellTest::Anything | CellTest::Otherwise);
            let unless = (!certain).then(|| {
                let chunk = self.chunk("", arm.span, |body| {
                    let jumps = body.unless_fits(Operand::register(slot), &arm.test);
                    let yes = body.constant(Value::Bool(true));
                    body.emit(Instruction::Return { value: yes });
                    body.land_all(jumps);
                    let no = body.constant(Value::Bool(false));
                    body.emit(Instruction::Return { value: no });
                });
                self.emit(FlowInstruction::JumpUnless(chunk, 0), arm.span)
            });
            self.block(&arm.body);
            ends.push(self.emit(FlowInstruction::Jump(0), arm.span));
            if let Some(unless) = unless {
                self.land(unless);
            }
        }
        let chunk = self.chunk("", span, |body| {
            body.emit(Instruction::FailNoArm { value: Operand::register(slot) });
        });
        self.emit(FlowInstruction::Fail(chunk), span);
        for end in ends {
            self.land(end);
        }
    }

    fn for_each(&mut self, each: &For, span: Span) {
        let list = self.value(&each.list, "");
        let parallel = self.optional(each.parallel.as_ref(), "");
        let slot = |local: crate::check::program::LocalId| u16::try_from(local.0).unwrap_or(u16::MAX);
        let each_item = FlowInstruction::ForEach {
            list,
            slot: slot(each.local),
            second: each.second.map(slot),
            parallel,
            stop_at_first_failure: each.stop_at_first_failure,
            end: 0,
        };
        let start = self.emit(each_item, span);
        self.depth += 1;
        self.block(&each.body);
        self.depth -= 1;
        self.emit(FlowInstruction::Next, span);
        self.land(start);
    }

    fn parallel(&mut self, branches: &[Vec<Statement>], span: Span) {
        let start = self.emit(FlowInstruction::Parallel { branches: Vec::new(), end: 0 }, span);
        self.depth += 1;
        let mut starts = Vec::with_capacity(branches.len());
        for branch in branches {
            starts.push(self.here());
            self.block(branch);
            self.emit(FlowInstruction::Join, span);
        }
        self.depth -= 1;
        if let Some(FlowInstruction::Parallel { branches, .. }) = self.instructions.get_mut(start) {
            *branches = starts;
        }
        self.land(start);
    }

    // ── steps ──

    fn step(&mut self, id: StepId) {
        let Some(step) = self.flow.steps.get(id.index()) else { return };
        let place = format!("step {}", step.name);
        let body = match &step.body {
            StepBody::Value(expr) => self.action(expr, &place),
            StepBody::Block(statements) => StepAction::Chunk(self.chunk(&place, step.span, |body| {
                body.block(statements);
                body.emit(Instruction::ReturnNothing);
            })),
        };
        let retry = step.retry.as_ref().map(|retry| RetryCode {
            times: self.value(&retry.times, "retry"),
            from: self.optional(retry.from.as_ref(), "retry"),
            doubling: retry.doubling,
            up_to: self.optional(retry.up_to.as_ref(), "retry"),
        });
        let timeout = self.optional(step.timeout.as_ref(), "timeout");
        let undo = step.undo.as_ref().map(|undo| {
            self.chunk(&format!("undo of step {}", step.name), step.span, |body| {
                body.block(undo);
                body.emit(Instruction::ReturnNothing);
            })
        });
        self.positions.insert(id, self.here());
        self.emit(FlowInstruction::Step(id.0), step.span);

        // The blocks of handlers lie behind the step, which jumps over them.
        let has_blocks = step.handlers.iter().any(|handler| matches!(handler.action, HandlerAction::Block { .. }));
        let mut ends = Vec::new();
        if has_blocks {
            ends.push(self.emit(FlowInstruction::Jump(0), step.span));
        }
        let mut handlers = Vec::with_capacity(step.handlers.len());
        for (index, handler) in step.handlers.iter().enumerate() {
            let code = match &handler.action {
                HandlerAction::GoTo(target) => {
                    self.handler_jumps.push((id.index(), index, *target));
                    HandlerCode { error: handler.error, slot: None, target: 0, leave: self.leave(*target) }
                }
                HandlerAction::Block { binding, body } => {
                    let target = self.here();
                    self.block(body);
                    ends.push(self.emit(FlowInstruction::Jump(0), handler.span));
                    let slot = binding.map(|local| u16::try_from(local.0).unwrap_or(u16::MAX));
                    HandlerCode { error: handler.error, slot, target, leave: 0 }
                }
            };
            handlers.push(code);
        }
        for end in ends {
            self.land(end);
        }
        if let Some(place) = self.steps.get_mut(id.index()) {
            *place = Some(StepCode {
                name: step.name.clone(),
                slot: step.local.map(|local| u16::try_from(local.0).unwrap_or(u16::MAX)),
                is_read: step.local.is_some_and(|local| self.read.contains(&local)),
                ty: step.ty.clone(),
                body,
                retry,
                timeout,
                undo,
                handlers,
                effect: step.effect,
                span: step.span,
            });
        }
    }

    fn wait(&mut self, wait: &Wait, place: &str, span: Span) -> WaitCode {
        match wait {
            Wait::Sleep(length) => WaitCode::Sleep(self.value(length, place)),
            Wait::SleepUntil(until) => WaitCode::SleepUntil(self.value(until, place)),
            Wait::For { entity, local, condition, within } => {
                let expr = |kind, ty, effect| Expr { kind, ty, effect, span };
                let all = expr(ExprKind::All(*entity), Type::Query(*entity), Effect::Reads);
                let keep = ExprKind::Lambda(vec![*local], Box::new(condition.clone()));
                let keep = expr(keep, Type::Bool, condition.effect);
                let found = ExprKind::Perform(Operation::ListWhere, vec![all, keep]);
                let found = expr(found, Type::Query(*entity), Effect::Reads);
                let list = Type::List(Box::new(Type::Record(*entity)));
                let found = expr(ExprKind::Load(Box::new(found)), list, Effect::Reads);
                let first = ExprKind::Perform(Operation::ListFirst, vec![found]);
                let first = expr(first, Type::Record(*entity).optional(), Effect::Reads);
                let mut conditions = Vec::new();
                conjuncts(condition, &mut conditions);
                let by = conditions.into_iter().find_map(|condition| equality(condition, *local));
                WaitCode::Record {
                    entity: *entity,
                    find: self.value(&first, place),
                    by: by.map(|(field, value)| (field, self.value(value, place))),
                    within: self.optional(within.as_ref(), place),
                }
            }
            Wait::Ask { role, question, within, otherwise } => WaitCode::Ask {
                role: self.value(role, place),
                question: self.value(question, place),
                within: self.optional(within.as_ref(), place),
                otherwise: self.optional(otherwise.as_ref(), place),
            },
        }
    }

    fn action(&mut self, expr: &Expr, place: &str) -> StepAction {
        match &expr.kind {
            ExprKind::Run(flow, arguments) => {
                StepAction::Run(flow.0, self.values(place, expr.span, arguments.iter().map(Some)))
            }
            ExprKind::Start(flow, arguments) => {
                StepAction::Start(flow.0, self.values(place, expr.span, arguments.iter().map(Some)))
            }
            ExprKind::Wait(wait) => StepAction::Wait(self.wait(wait, place, expr.span)),
            _ => StepAction::Chunk(self.chunk(place, expr.span, |body| body.give(expr))),
        }
    }
}

/// The conditions that must hold together.
fn conjuncts<'e>(condition: &'e Expr, all: &mut Vec<&'e Expr>) {
    match &condition.kind {
        ExprKind::Binary(BinaryOperator::And, left, right) => {
            conjuncts(left, all);
            conjuncts(right, all);
        }
        _ => all.push(condition),
    }
}

/// `it.field == value`, where the value does not depend on the record.
fn equality(condition: &Expr, local: LocalId) -> Option<(usize, &Expr)> {
    let ExprKind::Binary(BinaryOperator::Equal, left, right) = &condition.kind else { return None };
    let field = |expr: &Expr| match &expr.kind {
        ExprKind::Field(of, field) if matches!(&of.kind, ExprKind::Local(of) if *of == local) => Some(*field),
        _ => None,
    };
    let pure = |expr: &Expr| {
        let mut mentions = expr.effect != Effect::Pure;
        expr.walk(&mut |inner| mentions |= matches!(&inner.kind, ExprKind::Local(of) if *of == local));
        !mentions
    };
    match (field(left), field(right)) {
        (Some(field), None) if pure(right) => Some((field, right)),
        (None, Some(field)) if pure(left) => Some((field, left)),
        _ => None,
    }
}

/// A step that no statement names; the checker has reported it.
fn unreached(step: &Step) -> StepCode {
    StepCode {
        name: step.name.clone(),
        slot: None,
        is_read: false,
        ty: step.ty.clone(),
        body: StepAction::Chunk(ChunkId(u32::MAX)),
        retry: None,
        timeout: None,
        undo: None,
        handlers: Vec::new(),
        effect: step.effect,
        span: step.span,
    }
}

/// The locals that something in a flow reads: between its steps, in them, or around them.
fn locals_read(flow: &Flow) -> HashSet<LocalId> {
    fn expr(expr: &Expr, read: &mut HashSet<LocalId>) {
        expr.walk(&mut |each| {
            if let ExprKind::Local(local) = each.kind {
                read.insert(local);
            }
        });
    }
    fn block(statements: &[Statement], read: &mut HashSet<LocalId>) {
        for statement in statements {
            let mut bodies = Vec::new();
            statement.each_part(&mut |each| expr(each, read), &mut |body| bodies.push(body));
            bodies.into_iter().for_each(|body| block(body, read));
        }
    }
    let mut read = HashSet::new();
    let at_most = flow.at_most.iter().flat_map(|(count, of)| std::iter::once(count).chain(of));
    flow.key.iter().chain(&flow.priority).chain(&flow.deadline).chain(at_most).for_each(|each| expr(each, &mut read));
    block(&flow.body, &mut read);
    for step in &flow.steps {
        match &step.body {
            StepBody::Value(value) => expr(value, &mut read),
            StepBody::Block(body) => block(body, &mut read),
        }
        if let Some(retry) = &step.retry {
            let Retry { times, from, doubling: _, up_to } = retry;
            std::iter::once(times).chain(from).chain(up_to).for_each(|each| expr(each, &mut read));
        }
        step.timeout.iter().for_each(|each| expr(each, &mut read));
        step.undo.iter().for_each(|body| block(body, &mut read));
        for handler in &step.handlers {
            if let HandlerAction::Block { body, .. } = &handler.action {
                block(body, &mut read);
            }
        }
    }
    read
}

/// Whether a statement can share a chunk with others: nothing in it is for the engine.
fn is_pure(statement: &Statement) -> bool {
    let all = |statements: &[Statement]| statements.iter().all(is_pure);
    match &statement.kind {
        StatementKind::Set { value, .. } | StatementKind::Expression(value) => {
            !matches!(value.kind, ExprKind::Run(..) | ExprKind::Start(..) | ExprKind::Wait(_))
        }
        StatementKind::If { then, otherwise, .. } => all(then) && all(otherwise),
        StatementKind::Match { arms, .. } => arms.iter().all(|arm| all(&arm.body)),
        StatementKind::For(each) => each.parallel.is_none() && all(&each.body),
        _ => false,
    }
}

/// Notes how deep in loops and branches each step is; gives how many slots are wanted beside the locals.
fn survey(statements: &[Statement], flow: &Flow, depth: u16, depths: &mut HashMap<StepId, u16>) -> usize {
    let mut slots = 0;
    for statement in statements {
        slots += match &statement.kind {
            StatementKind::Step(id) => {
                depths.insert(*id, depth);
                let handlers = flow.steps.get(id.index()).map_or(&[][..], |step| &step.handlers);
                handlers
                    .iter()
                    .map(|handler| match &handler.action {
                        HandlerAction::Block { body, .. } => survey(body, flow, depth, depths),
                        HandlerAction::GoTo(_) => 0,
                    })
                    .sum()
            }
            StatementKind::If { then, otherwise, .. } => {
                survey(then, flow, depth, depths) + survey(otherwise, flow, depth, depths)
            }
            StatementKind::Match { arms, .. } => {
                1 + arms.iter().map(|arm| survey(&arm.body, flow, depth, depths)).sum::<usize>()
            }
            StatementKind::For(each) => survey(&each.body, flow, depth.saturating_add(1), depths),
            StatementKind::Parallel(branches) => {
                branches.iter().map(|branch| survey(branch, flow, depth.saturating_add(1), depths)).sum()
            }
            StatementKind::Return(Some(_)) => 1,
            _ => 0,
        };
    }
    slots
}
