//! Questions to the store that a loop, or a function given to a list, asks once for each element, where one question
//! for all of them would do. Records that are read by their key, and references, are not meant: they are kept.

use super::deeds::{each_expression, each_statement};
use super::outside::{writes, written};
use super::reading::Reading;
use crate::check::program::{Effect, Expr, ExprKind, LocalId, Program, Statement, StatementKind, StepBody, Type};
use crate::finding::{Finding, catalogue};
use crate::library::Operation;
use crate::syntax::tree::BinaryOperator;
use crate::text::Span;
use crate::value::RecordId;
use std::collections::{BTreeSet, HashMap, HashSet};

/// A list of so many elements that stands in the script is short.
const SHORT: usize = 8;

/// The findings about the steps and tasks that are wanted.
pub(crate) fn findings(program: &Program, wanted: &dyn Fn(Span) -> bool) -> Vec<Finding> {
    let mut search = Search { program, written: None, findings: Vec::new() };
    for flow in program.flows.iter().filter(|flow| wanted(flow.span)) {
        for step in &flow.steps {
            match &step.body {
                StepBody::Block(statements) => search.body(statements),
                StepBody::Value(value) => search.lambdas(value),
            }
        }
    }
    for of in program.callables.iter().filter(|of| wanted(of.span) && of.effect >= Effect::Reads) {
        search.body(&of.body);
    }
    search.findings
}

struct Search<'p> {
    program: &'p Program,
    /// The entities that each callable writes; found when it is asked for first.
    written: Option<Vec<BTreeSet<RecordId>>>,
    findings: Vec<Finding>,
}

/// What an element is known by: its own names, and those that are computed of it.
#[derive(Default)]
struct Names {
    element: HashSet<LocalId>,
    /// Set in the loop by something else.
    others: HashSet<LocalId>,
    /// Whether these are the names of a task that is called with something of the element.
    is_task: bool,
}

impl<'p> Search<'p> {
    fn body(&mut self, statements: &'p [Statement]) {
        self.loops(statements);
        let mut outer: Vec<&'p Expr> = Vec::new();
        each_expression(statements, &mut |expr| outer.push(expr));
        outer.into_iter().for_each(|expr| self.lambdas(expr));
    }

    fn loops(&mut self, statements: &'p [Statement]) {
        for statement in statements {
            if let StatementKind::For(each) = &statement.kind
                && !is_short(&each.list)
            {
                let names = names_of(each.local, each.second, &each.body);
                let mut found = Vec::new();
                for inner in &each.body {
                    // What stands behind a condition may never be asked.
                    if !matches!(inner.kind, StatementKind::If { .. } | StatementKind::Match { .. }) {
                        inner.each_part(&mut |expr| self.questions(expr, &names, &mut found), &mut |_| {});
                    }
                }
                let changed = if found.is_empty() { BTreeSet::new() } else { self.changed_in(&each.body) };
                let head = Span { end: each.list.span.end, ..statement.span };
                for question in found.into_iter().filter(|question| !changed.contains(&question.entity)) {
                    self.report(&question, head, "each round of the loop", "this loop");
                }
            }
            let mut blocks: Vec<&'p Vec<Statement>> = Vec::new();
            statement.each_part(&mut |_| {}, &mut |block| blocks.push(block));
            blocks.into_iter().for_each(|block| self.loops(block));
        }
    }

    /// The functions that are given to lists within an expression.
    fn lambdas(&mut self, outer: &'p Expr) {
        if outer.effect < Effect::Reads {
            return;
        }
        let mut found: Vec<(Question<'p>, Span)> = Vec::new();
        outer.walk(&mut |expr| {
            let ExprKind::Perform(_, arguments) = &expr.kind else { return };
            let Some((list, rest)) = arguments.split_first() else { return };
            if !matches!(list.ty, Type::List(_) | Type::Query(_) | Type::Map(..)) || is_short(list) {
                return;
            }
            for argument in rest {
                let ExprKind::Lambda(parameters, body) = &argument.kind else { continue };
                let names = Names { element: parameters.iter().copied().collect(), ..Names::default() };
                let mut questions = Vec::new();
                self.questions(body, &names, &mut questions);
                found.extend(questions.into_iter().map(|question| (question, list.span)));
            }
        });
        for (question, list) in found {
            self.report(&question, list, "each element of the list", "for each of these");
        }
    }

    fn changed_in(&mut self, statements: &'p [Statement]) -> BTreeSet<RecordId> {
        let program = self.program;
        let written = self.written.get_or_insert_with(|| written(program));
        let mut changed = BTreeSet::new();
        each_expression(statements, &mut |outer| {
            outer.walk(&mut |expr| {
                changed.extend(writes(expr));
                if let ExprKind::Call(id, _) = &expr.kind {
                    changed.extend(written.get(id.index()).into_iter().flatten());
                }
            });
        });
        changed
    }

    /// The largest parts of an expression that ask the store for records which have something of the element.
    fn questions(&self, expr: &'p Expr, names: &Names, found: &mut Vec<Question<'p>>) {
        if expr.effect < Effect::Reads {
            return;
        }
        if let Some(question) = self.question(expr, names) {
            found.push(question);
            return;
        }
        match &expr.kind {
            ExprKind::Conditional(condition, ..) => self.questions(condition, names, found),
            // A function within has elements of its own.
            ExprKind::Lambda(..) => {}
            _ => expr.each_child(&mut |child| self.questions(child, names, found)),
        }
    }

    /// A question that a task asks whenever it is called, about what it is given of the element.
    fn question_of_task(&self, call: &'p Expr, names: &Names) -> Option<Question<'p>> {
        let ExprKind::Call(id, arguments) = &call.kind else { return None };
        let reading = Reading::of(self.program, *id)?;
        let of = self.program.callables.get(id.index())?;
        let mut inside = Names { is_task: true, ..Names::default() };
        let mut values: HashMap<LocalId, &'p Expr> = HashMap::new();
        for (at, argument) in arguments.iter().enumerate() {
            let local = LocalId(u32::try_from(at).ok()?);
            let (mut of_element, mut is_free) = (false, argument.effect == Effect::Pure);
            argument.walk(&mut |part| {
                if let ExprKind::Local(local) = &part.kind {
                    of_element |= names.element.contains(local);
                    is_free &= !names.others.contains(local);
                }
            });
            if !is_free {
                inside.others.insert(local);
            } else if of_element {
                inside.element.insert(local);
                values.insert(local, argument);
            }
        }
        // What it computes by the way is left to those who read it.
        if of.body.len() != 1 {
            return None;
        }
        let mut asked = Vec::new();
        self.questions(reading.value, &inside, &mut asked);
        let [question] = asked.as_slice() else { return None };
        let value = match &question.value.kind {
            ExprKind::Local(local) => values.get(local).copied(),
            _ => None,
        };
        let is_all = reading.entities.iter().eq([&question.entity]);
        let asks = Some(question.place);
        is_all.then_some(Question { place: call.span, value: value?, asks, ..*question })
    }

    fn question(&self, expr: &'p Expr, names: &Names) -> Option<Question<'p>> {
        if matches!(expr.kind, ExprKind::Call(..)) && !names.is_task {
            return self.question_of_task(expr, names);
        }
        // A chain that is not at its end has asked nothing yet.
        if matches!(expr.ty, Type::Query(_)) {
            return None;
        }
        let (mut at, mut matched) = (expr, None);
        let entity = loop {
            match &at.kind {
                ExprKind::All(id) => break *id,
                ExprKind::Load(inner) => at = inner,
                ExprKind::Perform(operation, arguments) if operation.primitive().effect == Effect::Pure => {
                    let (receiver, rest) = arguments.split_first()?;
                    if let (
                        Operation::ListWhere | Operation::ListFilter | Operation::ListFind | Operation::ListAny,
                        [Expr { kind: ExprKind::Lambda(parameters, condition), .. }],
                    ) = (operation, rest)
                    {
                        matched = matched.or_else(|| matched_field(condition, *parameters.first()?, names));
                    }
                    at = receiver;
                }
                _ => return None,
            }
        };
        let (field, value) = matched?;
        let of = self.program.records.get(entity.0 as usize)?;
        let mut is_free = true;
        expr.walk(&mut |inner| match &inner.kind {
            ExprKind::Local(local) => is_free &= !names.others.contains(local),
            // What else is read may be another thing each time.
            ExprKind::Call(..) => is_free &= inner.effect == Effect::Pure,
            ExprKind::Perform(operation, _) => is_free &= operation.primitive().effect == Effect::Pure,
            _ => {}
        });
        let is_of_interest = is_free && of.key != Some(field);
        is_of_interest.then_some(Question { place: expr.span, entity, field, value, asks: None })
    }

    fn report(&mut self, question: &Question<'p>, head: Span, each: &str, these: &str) {
        let Some(of) = self.program.records.get(question.entity.0 as usize) else { return };
        let (name, field) = (&of.name, of.fields.get(question.field).map_or("?", |field| field.name.as_str()));
        let value = self.program.sources.slice(question.value.span);
        let mut finding = Finding::new(
            &catalogue::effect::IN_LOOP,
            question.place,
            format!("{each} asks the store for its own of `{name}`"),
        )
        .at("one question for each")
        .label(head, these);
        let is_own = |span: Span| self.program.sources.get(span.source).is_some_and(|source| !source.is_library);
        if let Some(asks) = question.asks.filter(|asks| is_own(*asks)) {
            finding = finding.label(asks, "the task asks it here");
        }
        self.findings.push(
            finding.help(format!(
                "ask once, before: `let of_{field} = {name}.where(it.{field} in …).group(it.{field})` with the list of what is asked for, and look it up: `of_{field}.get({value}) ?? []`"
            )),
        );
    }
}

/// A question that is asked for each element.
struct Question<'p> {
    place: Span,
    entity: RecordId,
    /// The field by which records belong to the element, and what it must be.
    field: usize,
    value: &'p Expr,
    /// Where the task asks it, when it is a task that does.
    asks: Option<Span>,
}

fn is_short(list: &Expr) -> bool {
    let whole = |expr: &Expr| match &expr.kind {
        ExprKind::Value(crate::value::Value::Int(number)) => Some(*number),
        _ => None,
    };
    match &list.kind {
        ExprKind::List(all) => all.len() <= SHORT,
        ExprKind::Range(from, to) => match (whole(from), whole(to)) {
            (Some(from), Some(to)) => to.saturating_sub(from) < SHORT as i64,
            _ => false,
        },
        _ => false,
    }
}

/// The names of a loop: the element and what is computed of it, and what else is set in it.
fn names_of(local: LocalId, second: Option<LocalId>, body: &[Statement]) -> Names {
    let mut names = Names { element: HashSet::from([local]), ..Names::default() };
    names.element.extend(second);
    let mut times: HashMap<LocalId, usize> = HashMap::new();
    each_statement(body, &mut |statement| match &statement.kind {
        StatementKind::Set { local, .. } => *times.entry(*local).or_default() += 1,
        StatementKind::For(inner) => {
            names.others.insert(inner.local);
            names.others.extend(inner.second);
        }
        _ => {}
    });
    for statement in body {
        let StatementKind::Set { local, value } = &statement.kind else { continue };
        let (mut of_element, mut is_plain) = (false, value.effect == Effect::Pure && times.get(local) == Some(&1));
        value.walk(&mut |inner| {
            if let ExprKind::Local(other) = &inner.kind {
                of_element |= names.element.contains(other);
                is_plain &= !names.others.contains(other);
            }
        });
        if of_element && is_plain {
            names.element.insert(*local);
        }
    }
    let all = times.into_keys().filter(|local| !names.element.contains(local));
    names.others.extend(all);
    names
}

/// The field that a condition wants to be equal to something of the element.
fn matched_field<'p>(condition: &'p Expr, record: LocalId, names: &Names) -> Option<(usize, &'p Expr)> {
    match &condition.kind {
        ExprKind::Binary(BinaryOperator::And, a, b) => {
            matched_field(a, record, names).or_else(|| matched_field(b, record, names))
        }
        ExprKind::Binary(BinaryOperator::Equal, a, b) => {
            let field_of = |expr: &Expr| match &expr.kind {
                ExprKind::Field(inner, field) if matches!(&inner.kind, ExprKind::Local(local) if *local == record) => {
                    Some(*field)
                }
                _ => None,
            };
            let is_of_element = |expr: &Expr| {
                let (mut found, mut other) = (false, false);
                expr.walk(&mut |inner| {
                    if let ExprKind::Local(local) = &inner.kind {
                        found |= names.element.contains(local);
                        other |= *local == record;
                    }
                });
                found && !other
            };
            let of = |a: &'p Expr, b: &'p Expr| field_of(a).filter(|_| is_of_element(b)).map(|field| (field, b));
            of(a, b).or_else(|| of(b, a))
        }
        _ => None,
    }
}
