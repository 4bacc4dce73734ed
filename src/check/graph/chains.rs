//! Chains of `if` and `else if` that ask for one value after the other: values that fall through without a word, and
//! branches that an earlier one leaves nothing to.

use super::idle::{Values, each_body, outcomes, shown, step_values};
use crate::check::program::{
    CellTest, Expr, ExprKind, HandlerAction, Program, Statement, StatementKind, Step, StepBody, Type,
};
use crate::finding::{Finding, Severity, catalogue};
use crate::syntax::tree::BinaryOperator as B;
use crate::text::Span;
use crate::value::Value;
use std::collections::HashMap;

/// The findings about the chains of what is wanted.
pub(super) fn findings(program: &Program, wanted: &dyn Fn(Span) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut look = |bodies: &[&[Statement]], body, steps, values: &HashMap<_, _>| {
        let values = Values::of(bodies, values);
        let mut chains = Chains { program, steps, values, known: Vec::new(), findings: Vec::new() };
        chains.block(body);
        findings.append(&mut chains.findings);
    };
    for of in program.callables.iter().filter(|of| wanted(of.span)) {
        look(&[&of.body], &of.body, &[], &HashMap::new());
    }
    for of in program.reactions.iter().filter(|of| wanted(of.span)) {
        look(&[&of.body], &of.body, &[], &HashMap::new());
    }
    for of in program.flows.iter().filter(|of| wanted(of.span)) {
        let mut bodies: Vec<&[Statement]> = Vec::new();
        each_body(of, &mut |body| bodies.push(body));
        look(&bodies, &of.body, &of.steps, &step_values(of));
    }
    findings
}

/// What is known of a value at a place: it is one of these, or none of them any more. Nothing where it is restricted in
/// a way that is not understood.
type Known<'p> = (&'p Expr, Option<(Vec<&'p Value>, bool)>);

struct Chains<'p> {
    program: &'p Program,
    steps: &'p [Step],
    values: Values<'p>,
    known: Vec<Known<'p>>,
    findings: Vec<Finding>,
}

/// A link of a chain.
struct Link<'p> {
    condition: &'p Expr,
    then: &'p [Statement],
}

impl<'p> Chains<'p> {
    fn block(&mut self, statements: &'p [Statement]) {
        let before = self.known.len();
        for statement in statements {
            self.statement(statement);
        }
        self.known.truncate(before);
    }

    /// A block that is come to only where something is known.
    fn block_where(&mut self, known: Vec<Known<'p>>, statements: &'p [Statement]) {
        let before = self.known.len();
        self.known.extend(known);
        self.block(statements);
        self.known.truncate(before);
    }

    fn statement(&mut self, statement: &'p Statement) {
        match &statement.kind {
            StatementKind::If { .. } => self.chain(statement),
            StatementKind::Match { value, arms } => {
                for arm in arms {
                    let values = equals(&arm.test).map(|values| (values, true));
                    self.block_where(vec![(value, values)], &arm.body);
                }
            }
            StatementKind::Step(id) => {
                let Some(step) = self.steps.get(id.index()) else { return };
                if let StepBody::Block(block) = &step.body {
                    self.block(block);
                }
                step.undo.iter().for_each(|undo| self.block(undo));
                for handler in &step.handlers {
                    if let HandlerAction::Block { body, .. } = &handler.action {
                        self.block(body);
                    }
                }
            }
            _ => {
                let mut blocks: Vec<&'p Vec<Statement>> = Vec::new();
                statement.each_part(&mut |_| {}, &mut |block| blocks.push(block));
                blocks.into_iter().for_each(|block| self.block(block));
            }
        }
    }

    fn chain(&mut self, head: &'p Statement) {
        let (mut links, mut at): (Vec<Link<'p>>, _) = (Vec::new(), head);
        let otherwise = loop {
            let StatementKind::If { condition, then, otherwise } = &at.kind else { return };
            links.push(Link { condition, then });
            match otherwise.as_slice() {
                [next] if matches!(next.kind, StatementKind::If { .. }) => at = next,
                rest => break rest,
            }
        };
        self.judge(head, &links, otherwise.is_empty());
        let mut before: Vec<Known<'p>> = Vec::new();
        for link in &links {
            let mut known = before.clone();
            facts(link.condition, true, &mut known);
            self.block_where(known, link.then);
            facts(link.condition, false, &mut before);
        }
        self.block_where(before, otherwise);
        // What was asked for once has been thought of: what comes behind need not ask for it again.
        for link in &links {
            if let Some((subject, values)) = asks_for(link.condition) {
                self.known.push((subject, Some((values, false))));
            }
        }
    }

    /// The values that something may have at this place; none when that is not known.
    fn domain(&self, subject: &'p Expr) -> Option<Vec<Value>> {
        let table = self.values.table_of(self.program, subject).and_then(outcomes);
        let mut domain: Vec<Value> = match (table, &subject.ty) {
            (Some((table, outcomes)), _) if table.result != Type::Bool => outcomes.into_iter().cloned().collect(),
            (None, Type::Enum(id)) => {
                let of = self.program.enums.get(id.0 as usize)?;
                (0..of.members.len()).map(|at| Value::member(*id, u16::try_from(at).unwrap_or(u16::MAX))).collect()
            }
            _ => return None,
        };
        domain.sort();
        domain.dedup();
        for (_, known) in self.known.iter().filter(|(other, _)| same(subject, other)) {
            let (values, is_one) = known.as_ref()?;
            domain.retain(|value| values.contains(&value) == *is_one);
        }
        Some(domain)
    }

    fn judge(&mut self, head: &'p Statement, links: &[Link<'p>], is_open: bool) {
        let asked: Option<Vec<_>> = links.iter().map(|link| asks_for(link.condition)).collect();
        let Some(asked) = asked else { return };
        let Some((subject, _)) = asked.first() else { return };
        if asked.len() < 2 || !asked.iter().all(|(other, _)| same(subject, other)) {
            return;
        }
        for (at, (_, values)) in asked.iter().enumerate() {
            let earlier = |value: &&Value| {
                let before = asked.iter().zip(links).take(at);
                before.filter(|((_, values), _)| values.contains(value)).map(|(_, link)| link.condition.span).next()
            };
            let places: Option<Vec<Span>> = values.iter().map(earlier).collect();
            let (Some(places), Some(link)) = (places, links.get(at)) else { continue };
            let all = listed(self.program, values);
            let mut finding = Finding::new(
                &catalogue::decision::IMPOSSIBLE_BRANCH,
                link.condition.span,
                format!("an earlier branch takes {all} already"),
            )
            .at("never comes to this");
            if let Some(place) = places.first() {
                finding = finding.label(*place, format!("takes {all}"));
            }
            self.findings.push(finding.help("ask for another value, or remove the branch"));
        }
        let Some(domain) = self.domain(subject).filter(|_| is_open) else { return };
        let missing: Vec<&Value> =
            domain.iter().filter(|value| !asked.iter().any(|(_, values)| values.contains(value))).collect();
        let Some(link) = links.first().filter(|_| !missing.is_empty()) else { return };
        let list = listed(self.program, &missing);
        let place = Span { end: link.condition.span.end, ..head.span };
        let mut finding =
            Finding::new(&catalogue::decision::UNHANDLED, place, format!("this chain of `if` does nothing for {list}"))
                .at("asks for some values, and has no `else`");
        if let Some(table) = self.values.table_of(self.program, subject) {
            finding = finding.label(table.span, format!("gives {list} too"));
        }
        finding.severity = Severity::Warning;
        let words = self.program.sources.slice(subject.span);
        self.findings.push(finding.help(format!(
            "add `else if {words} == …` for {list}, or an `else` that says what happens then; a `match` asks for every value"
        )));
    }
}

fn listed(program: &Program, values: &[&Value]) -> String {
    values.iter().map(|value| format!("`{}`", shown(program, value))).collect::<Vec<_>>().join(", ")
}

/// What a condition asks for, when it asks whether something is one of some values.
fn asks_for(condition: &Expr) -> Option<(&Expr, Vec<&Value>)> {
    match &condition.kind {
        ExprKind::Binary(B::Equal, a, b) => match (&a.kind, &b.kind) {
            (_, ExprKind::Value(value)) => Some((a, vec![value])),
            (ExprKind::Value(value), _) => Some((b, vec![value])),
            _ => None,
        },
        ExprKind::Binary(B::In, subject, list) => {
            let ExprKind::List(all) = &list.kind else { return None };
            let values = all.iter().map(|value| match &value.kind {
                ExprKind::Value(value) => Some(value),
                _ => None,
            });
            Some((subject, values.collect::<Option<_>>()?))
        }
        ExprKind::Binary(B::Or, a, b) => {
            let ((subject, mut values), (other, more)) = (asks_for(a)?, asks_for(b)?);
            values.extend(more);
            same(subject, other).then_some((subject, values))
        }
        _ => None,
    }
}

/// What is known where a condition holds, or does not.
fn facts<'p>(condition: &'p Expr, holds: bool, known: &mut Vec<Known<'p>>) {
    match &condition.kind {
        ExprKind::Not(inner) => facts(inner, !holds, known),
        ExprKind::Binary(B::NotEqual, a, b) => match (&a.kind, &b.kind) {
            (_, ExprKind::Value(value)) => known.push((a, Some((vec![value], !holds)))),
            (ExprKind::Value(value), _) => known.push((b, Some((vec![value], !holds)))),
            _ => {}
        },
        ExprKind::Binary(B::And, a, b) if holds => {
            facts(a, true, known);
            facts(b, true, known);
        }
        ExprKind::Binary(B::Or, a, b) if !holds => {
            facts(a, false, known);
            facts(b, false, known);
        }
        _ => {
            if let Some((subject, values)) = asks_for(condition) {
                known.push((subject, Some((values, holds))));
            }
        }
    }
}

/// The values that a test is for, when it is for some values.
fn equals(test: &CellTest) -> Option<Vec<&Value>> {
    match test {
        CellTest::Equal(Expr { kind: ExprKind::Value(value), .. }) => Some(vec![value]),
        CellTest::Or(all) => Some(all.iter().map(equals).collect::<Option<Vec<_>>>()?.into_iter().flatten().collect()),
        _ => None,
    }
}

/// Whether two expressions read the same.
pub(in crate::check) fn same(a: &Expr, b: &Expr) -> bool {
    match (&a.kind, &b.kind) {
        (ExprKind::Local(a), ExprKind::Local(b)) => a == b,
        (ExprKind::Value(a), ExprKind::Value(b)) => a == b,
        (ExprKind::Constant(a), ExprKind::Constant(b)) => a == b,
        (ExprKind::Field(a, x), ExprKind::Field(b, y)) => x == y && same(a, b),
        (ExprKind::Follow(a), ExprKind::Follow(b)) | (ExprKind::Refer(a), ExprKind::Refer(b)) => same(a, b),
        (ExprKind::Decide(x, a), ExprKind::Decide(y, b)) => {
            x == y && a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        _ => false,
    }
}
