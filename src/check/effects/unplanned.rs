//! Effects that a plan can't foresee: whether they happen, or to whom, is drawn by chance, or hangs on nothing but the
//! moment at which the run comes to them. `rpa plan` draws other numbers at another moment than the run will. Nor does it
//! know what another system would answer to a call that changes something: where the script reads no more than
//! `HttpAnswer`, it goes on as if that had been 200.
//!
//! What hangs on the answer of a person, on an event, or on an answer that is read as something else is no matter of this:
//! there a plan ends, and says so. What `http.get` answers it asks for.

use super::deeds::{Deedbook, Deeds, each_expression, each_statement};
use crate::check::program::{
    Expr, ExprKind, Flow, HandlerAction, LocalId, Program, Statement, StatementKind, Step, StepBody, Type,
};
use crate::finding::{Finding, catalogue};
use crate::library::Operation;
use crate::text::Span;
use crate::value::Value;
use std::collections::HashMap;

/// Why a value is another one in each run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Chance(Span),
    Moment(Span),
    /// The bare answer to a call that changes something.
    Answer(Span),
}

impl Cause {
    fn place(self) -> (Span, &'static str) {
        match self {
            Cause::Chance(span) => (span, "drawn by chance"),
            Cause::Moment(span) => (span, "the moment of the run"),
            Cause::Answer(span) => (span, "a plan does not make this call"),
        }
    }
}

/// The findings about the flows and tasks that are wanted.
pub(crate) fn findings(program: &Program, book: &Deedbook<'_>, wanted: &dyn Fn(Span) -> bool) -> Vec<Finding> {
    let draws = drawing(program);
    let answers = answering(program, book, &draws);
    let mut findings = Vec::new();
    for of in program.callables.iter().filter(|of| wanted(of.span)) {
        let mut search = Search::new(book, &draws, &answers, &[]);
        search.learn(&of.body);
        search.block(&of.body);
        findings.append(&mut search.findings);
    }
    for of in program.flows.iter().filter(|of| wanted(of.span)) {
        let mut search = Search::new(book, &draws, &answers, &of.steps);
        search.flow(of);
        findings.append(&mut search.findings);
    }
    findings
}

/// Tasks that draw by chance what they give: where.
fn drawing(program: &Program) -> Vec<Option<Span>> {
    let mut draws: Vec<Option<Span>> = vec![None; program.callables.len()];
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); program.callables.len()];
    let mut waiting = Vec::new();
    for (at, of) in program.callables.iter().enumerate() {
        each_expression(&of.body, &mut |outer| {
            outer.walk(&mut |expr| match &expr.kind {
                ExprKind::Call(id, _) => {
                    if let Some(callers) = callers.get_mut(id.index()) {
                        callers.push(at);
                    }
                }
                ExprKind::Perform(Operation::RandomInt | Operation::RandomCode, _) => {
                    draws[at].get_or_insert(expr.span);
                }
                _ => {}
            });
        });
        if draws[at].is_some() {
            waiting.push(at);
        }
    }
    while let Some(at) = waiting.pop() {
        for caller in &callers[at] {
            if draws[*caller].is_none() {
                draws[*caller] = draws[at];
                waiting.push(*caller);
            }
        }
    }
    for (of, draws) in program.callables.iter().zip(&mut draws) {
        if of.result == Type::Nothing {
            *draws = None;
        }
    }
    draws
}

/// What a task gives that hangs on the bare answer to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Answering {
    /// The call.
    call: Span,
    given: Given,
}

/// What becomes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    /// Its status.
    Status,
    /// A condition, which this is for the answer that a plan takes it for.
    Condition(bool),
    /// Anything else.
    Other,
}

/// What tasks give of bare answers: those that make the calls, and those that call them.
fn answering(program: &Program, book: &Deedbook<'_>, draws: &[Option<Span>]) -> Vec<Option<Answering>> {
    let mut answers: Vec<Option<Answering>> = vec![None; program.callables.len()];
    loop {
        let mut found = Vec::new();
        for (at, of) in program.callables.iter().enumerate().filter(|(at, _)| answers[*at].is_none()) {
            let mut search = Search::new(book, draws, &answers, &[]);
            search.learn(&of.body);
            if let Some(answering) = search.returned(&of.body) {
                found.push((at, answering));
            }
        }
        if found.is_empty() {
            return answers;
        }
        found.into_iter().for_each(|(at, answering)| answers[at] = Some(answering));
    }
}

struct Search<'s, 'p> {
    book: &'s Deedbook<'p>,
    draws: &'s [Option<Span>],
    answers: &'s [Option<Answering>],
    steps: &'p [Step],
    /// What locals hang on.
    locals: HashMap<LocalId, Cause>,
    /// What locals are set to, of those that are set in one place.
    values: HashMap<LocalId, Option<&'p Expr>>,
    findings: Vec<Finding>,
}

impl<'s, 'p> Search<'s, 'p> {
    fn new(
        book: &'s Deedbook<'p>,
        draws: &'s [Option<Span>],
        answers: &'s [Option<Answering>],
        steps: &'p [Step],
    ) -> Self {
        Search { book, draws, answers, steps, locals: HashMap::new(), values: HashMap::new(), findings: Vec::new() }
    }

    fn flow(&mut self, flow: &'p Flow) {
        let blocks = || {
            let of_steps = flow.steps.iter().flat_map(|step| {
                let block = match &step.body {
                    StepBody::Block(block) => Some(block),
                    StepBody::Value(_) => None,
                };
                let handlers = step.handlers.iter().filter_map(|handler| match &handler.action {
                    HandlerAction::Block { body, .. } => Some(body),
                    HandlerAction::GoTo(_) => None,
                });
                block.into_iter().chain(handlers)
            });
            std::iter::once(&flow.body).chain(of_steps)
        };
        // What is set later in the text may be read in the next round.
        for _ in 0..2 {
            for step in &flow.steps {
                let cause = match &step.body {
                    StepBody::Value(value) => self.cause(value),
                    StepBody::Block(block) => self.given(block),
                };
                if let (Some(local), Some(cause)) = (step.local, cause) {
                    self.locals.insert(local, cause);
                }
            }
            blocks().for_each(|block| self.learn(block));
        }
        for step in &flow.steps {
            if let StepBody::Value(value) = &step.body {
                self.recipients(value);
                self.conditionals(value);
            }
        }
        blocks().for_each(|block| self.block(block));
    }

    /// What the block of a step gives.
    fn given(&self, block: &'p [Statement]) -> Option<Cause> {
        let mut cause = None;
        each_statement(block, &mut |statement| {
            if let StatementKind::Give(value) = &statement.kind {
                cause = cause.or_else(|| self.cause(value));
            }
        });
        cause
    }

    /// What the body of a task gives of a bare answer.
    fn returned(&self, body: &'p [Statement]) -> Option<Answering> {
        let mut values = Vec::new();
        each_statement(body, &mut |statement| {
            if let StatementKind::Return(Some(value)) = &statement.kind {
                values.push(value);
            }
        });
        let call = values.iter().find_map(|value| match self.cause(value) {
            Some(Cause::Answer(call)) => Some(call),
            _ => None,
        })?;
        let given = match values.as_slice() {
            [value] if self.is_status(value) => Given::Status,
            [value] => self.holds_at_200(value).map_or(Given::Other, Given::Condition),
            _ => Given::Other,
        };
        Some(Answering { call, given })
    }

    /// What the task gives that is called.
    fn answering(&self, expr: &'p Expr) -> Option<Answering> {
        let ExprKind::Call(id, _) = &expr.kind else { return None };
        self.answers.get(id.index()).copied().flatten()
    }

    fn learn(&mut self, block: &'p [Statement]) {
        each_statement(block, &mut |statement| match &statement.kind {
            StatementKind::Set { local, value } => {
                let known = self.values.entry(*local).or_insert(Some(value));
                *known = known.filter(|known| std::ptr::eq(*known, value));
                if let Some(cause) = self.cause(value) {
                    self.locals.insert(*local, cause);
                }
            }
            StatementKind::For(each) => {
                if let Some(cause @ Cause::Chance(_)) = self.cause(&each.list) {
                    self.locals.insert(each.local, cause);
                }
            }
            _ => {}
        });
    }

    /// What a value hangs on: chance in any part of it, or nothing but the moment.
    fn cause(&self, expr: &'p Expr) -> Option<Cause> {
        let (mut chance, mut moment, mut answer, mut is_only_moment) = (None, None, None, true);
        expr.walk(&mut |inner| match &inner.kind {
            ExprKind::Perform(Operation::RandomInt | Operation::RandomCode, _) => {
                chance = chance.or(Some(inner.span));
            }
            ExprKind::Perform(Operation::Now, _) => moment = moment.or(Some(inner.span)),
            ExprKind::Perform(operation, _) if changes_elsewhere(*operation) && self.is_bare_answer(&inner.ty) => {
                answer = answer.or(Some(inner.span));
            }
            ExprKind::Call(id, _) => {
                if let Some(Some(_)) = self.draws.get(id.index()) {
                    chance = chance.or(Some(inner.span));
                }
                answer = answer.or(self.answering(inner).map(|answering| answering.call));
            }
            ExprKind::Local(local) => match self.locals.get(local) {
                Some(Cause::Chance(span)) => chance = chance.or(Some(*span)),
                Some(Cause::Moment(span)) => moment = moment.or(Some(*span)),
                Some(Cause::Answer(span)) => answer = answer.or(Some(*span)),
                None => is_only_moment = false,
            },
            ExprKind::All(_) | ExprKind::Get(..) | ExprKind::Has(..) | ExprKind::Run(..) | ExprKind::Wait(_) => {
                is_only_moment = false;
            }
            ExprKind::Perform(operation, _) if operation.primitive().effect != crate::check::program::Effect::Pure => {
                is_only_moment = false;
            }
            _ => {}
        });
        let of_moment = moment.filter(|_| is_only_moment).map(Cause::Moment);
        chance.map(Cause::Chance).or(answer.map(Cause::Answer)).or(of_moment)
    }

    /// Whether a value is what a call answers when nothing else is wanted of it.
    fn is_bare_answer(&self, ty: &Type) -> bool {
        let Type::Record(id) = ty else { return false };
        let sources = &self.book.program.sources;
        let is_library = |span: Span| sources.get(span.source).is_some_and(|source| source.is_library);
        let of = self.book.program.records.get(id.0 as usize);
        of.is_some_and(|of| of.name == "HttpAnswer" && is_library(of.span))
    }

    fn block(&mut self, block: &'p [Statement]) {
        for statement in block {
            let mut inner: Vec<&'p Vec<Statement>> = Vec::new();
            let mut parts: Vec<&'p Expr> = Vec::new();
            statement.each_part(&mut |expr| parts.push(expr), &mut |block| inner.push(block));
            let condition = match &statement.kind {
                StatementKind::If { condition, .. } => Some((condition, "this condition")),
                StatementKind::Match { value, .. } => Some((value, "this choice")),
                StatementKind::For(each) => Some((&each.list, "this list")),
                _ => None,
            };
            if let Some((condition, what)) = condition
                && let Some(cause) = self.cause(condition)
                && let Some(deed) = self.not_planned(statement, cause, &inner)
            {
                self.report(condition.span, what, cause, deed);
                continue;
            }
            for part in parts {
                self.recipients(part);
                self.conditionals(part);
            }
            inner.into_iter().for_each(|block| self.block(block));
        }
    }

    /// The first effect that hangs on a choice, but for those on the way that a plan takes and a run most likely as well.
    fn not_planned(&self, statement: &'p Statement, cause: Cause, inner: &[&'p Vec<Statement>]) -> Option<Span> {
        let taken = match (cause, &statement.kind) {
            (Cause::Answer(_), StatementKind::If { condition, .. }) => self.holds_at_200(condition),
            _ => None,
        };
        let skipped = taken.map(|holds| usize::from(!holds));
        let blocks = inner.iter().enumerate().filter(|(at, _)| Some(*at) != skipped);
        blocks.map(|(_, block)| block).find_map(|block| self.first_deed(block))
    }

    /// Whether a condition about nothing but the status of an answer holds for the one that a plan takes it for.
    fn holds_at_200(&self, condition: &'p Expr) -> Option<bool> {
        use crate::syntax::tree::BinaryOperator as B;
        match &condition.kind {
            ExprKind::Local(local) => self.holds_at_200(self.values.get(local).copied().flatten()?),
            ExprKind::Not(inner) => self.holds_at_200(inner).map(|holds| !holds),
            ExprKind::Call(..) => match self.answering(condition)?.given {
                Given::Condition(holds) => Some(holds),
                _ => None,
            },
            ExprKind::Binary(operator, a, b) if self.is_status(a) => {
                let ExprKind::Value(Value::Int(status)) = &b.kind else { return None };
                Some(match operator {
                    B::Equal => 200 == *status,
                    B::NotEqual => 200 != *status,
                    B::Less => 200 < *status,
                    B::LessOrEqual => 200 <= *status,
                    B::Greater => 200 > *status,
                    B::GreaterOrEqual => 200 >= *status,
                    _ => return None,
                })
            }
            _ => None,
        }
    }

    /// Whether a value is the status of a bare answer.
    fn is_status(&self, expr: &'p Expr) -> bool {
        match &expr.kind {
            ExprKind::Field(answer, 0) => self.is_bare_answer(&answer.ty),
            ExprKind::Local(local) => {
                self.values.get(local).copied().flatten().is_some_and(|value| self.is_status(value))
            }
            ExprKind::Call(..) => self.answering(expr).is_some_and(|answering| answering.given == Given::Status),
            _ => false,
        }
    }

    /// Conditions within an expression one side of which acts.
    fn conditionals(&mut self, outer: &'p Expr) {
        outer.walk(&mut |expr| {
            if let ExprKind::Conditional(condition, then, otherwise) = &expr.kind
                && let Some(cause) = self.cause(condition)
            {
                let mut deeds = Deeds::default();
                self.book.add_expression(then, &mut deeds);
                self.book.add_expression(otherwise, &mut deeds);
                if let Some(deed) = deeds.any() {
                    self.report(condition.span, "this condition", cause, deed.span);
                }
            }
        });
    }

    /// Mails to somebody who is drawn, records and files that are.
    fn recipients(&mut self, outer: &'p Expr) {
        outer.walk(&mut |expr| {
            let target: Option<(&'p Expr, &str)> = match &expr.kind {
                ExprKind::Perform(Operation::EmailSend, arguments) => {
                    arguments.first().map(|to| (to, "who is written to"))
                }
                ExprKind::Update(target, _) | ExprKind::Delete(target) => Some((target, "which record is changed")),
                _ => None,
            };
            if let Some((target, what)) = target
                && let Some(cause @ Cause::Chance(_)) = self.cause(target)
            {
                self.report(target.span, what, cause, expr.span);
            }
        });
    }

    /// The first effect in a block that others see, steps and flows that it runs included.
    fn first_deed(&self, block: &'p [Statement]) -> Option<Span> {
        let own = self.book.of_statements(block).any().map(|place| place.span);
        let mut found = own;
        each_statement(block, &mut |statement| {
            if found.is_some() {
                return;
            }
            if let StatementKind::Step(id) = &statement.kind {
                let deeds = self.steps.get(id.index()).map(|step| self.book.of_step(step));
                found = deeds.and_then(|deeds| deeds.any()).map(|place| place.span);
            }
            statement.each_part(
                &mut |outer| {
                    outer.walk(&mut |expr| {
                        if matches!(expr.kind, ExprKind::Run(..) | ExprKind::Start(..)) {
                            found = found.or(Some(expr.span));
                        }
                    });
                },
                &mut |_| {},
            );
        });
        found
    }

    fn report(&mut self, place: Span, what: &str, cause: Cause, deed: Span) {
        let (at, words) = cause.place();
        let (hangs_on, help) = match cause {
            Cause::Chance(_) => (
                "chance",
                "let it hang on something of the record, such as its number, so that every run draws the same; or draw it where the flow is started, and give it as a parameter",
            ),
            Cause::Answer(_) => (
                "what another system answers",
                "read the answer as what it says, `as: …`: then a plan ends there and says so; or ask with `http.get`, which a plan does for real",
            ),
            Cause::Moment(_) => (
                "the moment of the run",
                "give the moment to the flow as a parameter, or let a trigger with a time of day start it",
            ),
        };
        let no_plan = match cause {
            Cause::Answer(_) => "a plan takes it for 200",
            _ => "no plan can say what will be done",
        };
        let mut finding =
            Finding::new(&catalogue::effect::UNPLANNED, place, format!("{what} hangs on {hangs_on}: {no_plan}")).at(
                match cause {
                    _ if at == place => words,
                    Cause::Answer(_) => "is known only in the run",
                    _ => "is another one in each run",
                },
            );
        if at != place {
            finding = finding.label(at, words);
        }
        if deed != place && deed != at && !(deed.start <= place.start && place.end <= deed.end) {
            finding = finding.label(deed, "what is done hangs on it");
        }
        self.findings.push(finding.help(help));
    }
}

/// Whether something is a call that changes something in another system; a plan makes none of these.
fn changes_elsewhere(operation: Operation) -> bool {
    use Operation as O;
    matches!(operation, O::HttpPost | O::HttpPut | O::HttpPatch | O::HttpDelete)
}
