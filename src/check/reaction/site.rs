//! What a rule does to records, and what it reads, with all that it calls.

use super::guard::{Formula, field_of, formula, words};
use crate::check::program::{
    CallableId, Expr, ExprKind, LocalId, Program, Reaction, Statement, StatementKind, TemplatePart, Type,
};
use crate::check::proof::dimension::literal;
use crate::library::Operation;
use crate::syntax::tree::BinaryOperator;
use crate::text::Span;
use crate::value::{RecordId, Value};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Stands for the set of all records of an entity, where a field is named: reading it is looking for records,
/// writing it is making or deleting one.
pub(super) const EXISTENCE: usize = usize::MAX;

/// Stands for a record that is read by its key: a new record does not change that, a deletion does.
pub(super) const PRESENCE: usize = usize::MAX - 1;

/// What is done at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Deed {
    Create,
    Update,
    Delete,
}

/// Whose record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Target {
    /// The record that the rule fires for.
    Own,
    /// Some record.
    Other,
}

/// What a field is set to.
#[derive(Debug, Clone)]
pub(super) enum Assigned {
    /// A value that is known before the run; the expression is kept for the atoms.
    Known(Value, Expr),
    /// The value that it has.
    Same,
    /// The value that it has and this, which is not nothing.
    Shift(Value),
    /// Anything.
    Other,
}

/// A field that is set.
#[derive(Debug, Clone)]
pub(super) struct Assignment {
    pub field: usize,
    pub value: Assigned,
    /// The wording of the value, when it depends on the fields of the record that is written alone.
    pub words: Option<(String, BTreeSet<usize>)>,
    /// Whether the value is never none.
    pub never_none: bool,
    /// The fields of the rule's own record that the value reads.
    pub reads_own: BTreeSet<usize>,
}

/// A place where records are written.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub entity: RecordId,
    pub deed: Deed,
    pub target: Target,
    pub assignments: Vec<Assignment>,
    /// Whether every firing comes here, and once.
    pub is_certain: bool,
    /// Whether a firing may come here several times.
    pub repeats: bool,
    /// What holds for the rule's own record where it is reached.
    pub path: Vec<Formula>,
    /// The place within the rule: the write, or the call that leads to it.
    pub span: Span,
    /// The task that it is in, when it is not in the rule itself.
    pub within: Option<CallableId>,
}

impl Site {
    /// The fields that are set, or [`EXISTENCE`].
    pub fn fields(&self) -> Vec<usize> {
        match self.deed {
            Deed::Update => self.assignments.iter().map(|assignment| assignment.field).collect(),
            Deed::Create | Deed::Delete => vec![EXISTENCE],
        }
    }
}

/// All that a rule does and reads.
#[derive(Debug, Default)]
pub(super) struct Doings {
    pub sites: Vec<Site>,
    /// Entity and field, [`EXISTENCE`] or [`PRESENCE`], with the first place.
    pub reads: BTreeMap<(RecordId, usize), Span>,
}

/// Collects what a rule does.
pub(super) fn doings(reaction: &Reaction, program: &Program) -> Doings {
    let mut collector = Collector { program, doings: Doings::default(), calls: HashSet::new(), tables: HashSet::new() };
    let place =
        Place { own: Some(LocalId(0)), is_certain: true, repeats: false, path: Vec::new(), span: None, within: None };
    if let Some(when) = &reaction.when {
        collector.expression(when, &place);
    }
    collector.block(&reaction.body, &place);
    collector.doings
}

/// Where the collector is.
#[derive(Debug, Clone)]
struct Place {
    /// The local that holds the rule's own record; outside of the rule, the parameter it was given to.
    own: Option<LocalId>,
    is_certain: bool,
    repeats: bool,
    path: Vec<Formula>,
    /// The call in the rule that led here.
    span: Option<Span>,
    within: Option<CallableId>,
}

struct Collector<'p> {
    program: &'p Program,
    doings: Doings,
    /// The callables that were looked at, each with the parameter that has the rule's record.
    calls: HashSet<(CallableId, Option<LocalId>)>,
    tables: HashSet<u32>,
}

impl Collector<'_> {
    /// Looks at statements; whether everything behind them is still certain.
    fn block(&mut self, statements: &[Statement], place: &Place) -> bool {
        let mut place = place.clone();
        for statement in statements {
            match &statement.kind {
                StatementKind::If { condition, then, otherwise } => {
                    self.expression(condition, &place);
                    let mut certain = true;
                    for (block, wanted) in [(then, true), (otherwise, false)] {
                        let mut branch = Place { is_certain: false, ..place.clone() };
                        if let Some(own) = place.own {
                            branch.path.push(formula(condition, wanted, own, self.program));
                        }
                        certain &= self.block(block, &branch) || !returns(block);
                    }
                    place.is_certain &= certain;
                }
                StatementKind::For(each) => {
                    self.expression(&each.list, &place);
                    let round = Place { is_certain: false, repeats: true, ..place.clone() };
                    self.block(&each.body, &round);
                    place.is_certain &= !returns(&each.body);
                }
                StatementKind::Return(value) => {
                    if let Some(value) = value {
                        self.expression(value, &place);
                    }
                    return false;
                }
                _ => {
                    let mut bodies: Vec<&Vec<Statement>> = Vec::new();
                    let mut expressions: Vec<&Expr> = Vec::new();
                    statement.each_part(&mut |expr| expressions.push(expr), &mut |body| bodies.push(body));
                    for expr in expressions {
                        self.expression(expr, &place);
                    }
                    let branch = Place { is_certain: false, ..place.clone() };
                    for body in bodies {
                        self.block(body, &branch);
                        place.is_certain &= !returns(body);
                    }
                }
            }
        }
        place.is_certain
    }

    fn expression(&mut self, expr: &Expr, place: &Place) {
        // Parts that may not be reached make what is in them uncertain.
        let maybe = || Place { is_certain: false, ..place.clone() };
        match &expr.kind {
            ExprKind::Conditional(condition, then, otherwise) => {
                self.expression(condition, place);
                self.expression(then, &maybe());
                self.expression(otherwise, &maybe());
                return;
            }
            ExprKind::Guarded { target, then, .. } => {
                self.expression(target, place);
                self.expression(then, &maybe());
                return;
            }
            ExprKind::Binary(BinaryOperator::And | BinaryOperator::Or | BinaryOperator::OrElse, left, right) => {
                self.expression(left, place);
                self.expression(right, &maybe());
                return;
            }
            ExprKind::Lambda(_, body) => {
                self.expression(body, &Place { repeats: true, ..maybe() });
                return;
            }
            _ => {}
        }
        expr.each_child(&mut |child| self.expression(child, place));
        self.reads_of(expr, place);
        match &expr.kind {
            ExprKind::Create(entity, fields) => {
                let assignments = fields
                    .iter()
                    .enumerate()
                    .filter_map(|(field, value)| Some(self.assignment(field, value.as_ref()?, None, place)))
                    .collect();
                self.site(*entity, Deed::Create, Target::Other, assignments, expr.span, place);
            }
            ExprKind::Update(target, changes) => {
                let Some(entity) = entity_of(&target.ty) else { return };
                let whose = self.whose(target, place);
                let local = match &target.kind {
                    ExprKind::Local(local) => Some(*local),
                    ExprKind::Refer(inner) => match &inner.kind {
                        ExprKind::Local(local) => Some(*local),
                        _ => None,
                    },
                    _ => None,
                };
                let assignments =
                    changes.iter().map(|(field, value)| self.assignment(*field, value, local, place)).collect();
                self.site(entity, Deed::Update, whose, assignments, expr.span, place);
            }
            ExprKind::Delete(target) => {
                let Some(entity) = entity_of(&target.ty) else { return };
                let whose = self.whose(target, place);
                self.site(entity, Deed::Delete, whose, Vec::new(), expr.span, place);
            }
            ExprKind::Call(id, arguments) => self.call(*id, arguments, expr.span, place),
            ExprKind::Decide(id, _) => self.table(id.0),
            ExprKind::Template(id, _) => {
                if let Some(template) = self.program.templates.get(id.index()) {
                    self.template(&template.parts, &Place { own: None, ..maybe() });
                }
            }
            _ => {}
        }
    }

    fn site(
        &mut self,
        entity: RecordId,
        deed: Deed,
        target: Target,
        assignments: Vec<Assignment>,
        span: Span,
        place: &Place,
    ) {
        self.doings.sites.push(Site {
            entity,
            deed,
            target,
            assignments,
            is_certain: place.is_certain && !place.repeats,
            repeats: place.repeats,
            path: place.path.clone(),
            span: place.span.unwrap_or(span),
            within: place.within,
        });
    }

    /// Whose record an expression is.
    fn whose(&self, target: &Expr, place: &Place) -> Target {
        match &target.kind {
            ExprKind::Local(local) if place.own == Some(*local) => Target::Own,
            ExprKind::Refer(inner) => self.whose(inner, place),
            _ => Target::Other,
        }
    }

    /// What a field is set to; `record` holds the record that is written.
    fn assignment(&self, field: usize, value: &Expr, record: Option<LocalId>, place: &Place) -> Assignment {
        let mut reads_own = BTreeSet::new();
        if let Some(own) = place.own {
            super::watch::fields_read(value, own, usize::MAX, &mut reads_own);
        }
        let assigned = match literal(value, &self.program.constants) {
            Some(known) => Assigned::Known(known, value.clone()),
            None => record.map_or(Assigned::Other, |record| self.relative(field, value, record)),
        };
        Assignment {
            field,
            never_none: !matches!(value.ty, Type::Optional(_)) && !matches!(assigned, Assigned::Known(Value::None, _)),
            value: assigned,
            words: record.and_then(|record| words(value, record)),
            reads_own,
        }
    }

    /// A value by what the field has: itself, or itself and something known.
    fn relative(&self, field: usize, value: &Expr, record: LocalId) -> Assigned {
        let is_field = |expr: &Expr| field_of(expr, record) == Some(field);
        let known = |expr: &Expr| literal(expr, &self.program.constants);
        match &value.kind {
            _ if is_field(value) => Assigned::Same,
            ExprKind::Binary(BinaryOperator::Add, left, right) => {
                let by = if is_field(left) { known(right) } else { None };
                let by = by.or_else(|| if is_field(right) { known(left) } else { None });
                by.filter(|by| sign(by).is_some_and(|sign| sign != 0)).map_or(Assigned::Other, Assigned::Shift)
            }
            ExprKind::Binary(BinaryOperator::Subtract, left, right) if is_field(left) => known(right)
                .and_then(|by| negated(&by))
                .filter(|by| sign(by).is_some_and(|sign| sign != 0))
                .map_or(Assigned::Other, Assigned::Shift),
            _ => Assigned::Other,
        }
    }

    fn call(&mut self, id: CallableId, arguments: &[Expr], span: Span, place: &Place) {
        let Some(callable) = self.program.callables.get(id.index()) else { return };
        let own = arguments.iter().position(|argument| self.whose(argument, place) == Target::Own);
        let own = own.map(|position| LocalId(position as u32));
        if !self.calls.insert((id, own)) {
            // Its writes are known already; a firing may come to them again.
            for site in self.doings.sites.iter_mut().filter(|site| site.within == Some(id)) {
                site.repeats = true;
                site.is_certain = false;
            }
            return;
        }
        let inner = Place {
            own,
            is_certain: place.is_certain,
            repeats: place.repeats,
            path: place.path.clone(),
            span: Some(place.span.unwrap_or(span)),
            within: Some(id),
        };
        self.block(&callable.body, &inner);
    }

    fn table(&mut self, id: u32) {
        if !self.tables.insert(id) {
            return;
        }
        let Some(table) = self.program.tables.get(id as usize) else { return };
        let nowhere = Place { own: None, is_certain: false, repeats: true, path: Vec::new(), span: None, within: None };
        for subject in table.columns.iter().filter_map(|column| column.subject.as_ref()) {
            self.expression(subject, &nowhere);
        }
        for row in &table.rows {
            for test in &row.tests {
                test.each_expression(&mut |expr| self.expression(expr, &nowhere));
            }
            self.expression(&row.outcome, &nowhere);
        }
    }

    fn template(&mut self, parts: &[TemplatePart], place: &Place) {
        for part in parts {
            match part {
                TemplatePart::Characters(_) => {}
                TemplatePart::Value(value) => self.expression(value, place),
                TemplatePart::For { list, body, .. } => {
                    self.expression(list, place);
                    self.template(body, place);
                }
                TemplatePart::If { condition, then, otherwise } => {
                    self.expression(condition, place);
                    self.template(then, place);
                    self.template(otherwise, place);
                }
            }
        }
    }

    /// What an expression itself reads of records.
    fn reads_of(&mut self, expr: &Expr, place: &Place) {
        match &expr.kind {
            ExprKind::Field(target, field) => {
                if let Some(entity) = entity_of(&target.ty) {
                    self.read(entity, *field, expr.span, place);
                }
            }
            ExprKind::All(entity) | ExprKind::Has(entity, _) => self.read(*entity, EXISTENCE, expr.span, place),
            ExprKind::Get(entity, _) => self.read(*entity, PRESENCE, expr.span, place),
            ExprKind::Follow(reference) => {
                if let Some(entity) = entity_of(&reference.ty) {
                    self.read(entity, PRESENCE, expr.span, place);
                }
            }
            // What takes a record as a whole reads all of it; what a callable reads of it is seen there.
            ExprKind::Text(_)
            | ExprKind::List(_)
            | ExprKind::Map(_)
            | ExprKind::Record(..)
            | ExprKind::Create(..)
            | ExprKind::Start(..)
            | ExprKind::Binary(..)
            | ExprKind::Perform(..) => {
                let mut wholes = Vec::new();
                let lists_count = match &expr.kind {
                    ExprKind::Perform(operation, _) => {
                        *operation == Operation::JsonText
                            || operation.primitive().effect > crate::check::program::Effect::Reads
                    }
                    _ => false,
                };
                expr.each_child(&mut |child| {
                    let ty = match &child.ty {
                        Type::List(inner) if lists_count => inner.as_ref(),
                        ty => ty,
                    };
                    let is_query = lists_count && matches!(ty, Type::Query(_));
                    if let (Type::Record(id), _) | (Type::Query(id), true) = (ty, is_query) {
                        wholes.push(*id);
                    }
                });
                for id in wholes {
                    self.reads_whole(id, expr.span, place);
                }
            }
            _ => {}
        }
    }

    fn reads_whole(&mut self, entity: RecordId, span: Span, place: &Place) {
        let Some(record) = self.program.records.get(entity.0 as usize).filter(|record| record.is_entity()) else {
            return;
        };
        for field in 0..record.fields.len() {
            self.read(entity, field, span, place);
        }
    }

    fn read(&mut self, entity: RecordId, field: usize, span: Span, place: &Place) {
        self.doings.reads.entry((entity, field)).or_insert(place.span.unwrap_or(span));
    }
}

/// Whether there is a `return` in a block.
fn returns(statements: &[Statement]) -> bool {
    statements.iter().any(|statement| {
        let mut found = matches!(statement.kind, StatementKind::Return(_));
        statement.each_part(&mut |_| {}, &mut |body| found = found || returns(body));
        found
    })
}

/// The record type of an expression.
pub(super) fn entity_of(ty: &Type) -> Option<RecordId> {
    match ty {
        Type::Record(id) | Type::Reference(id) => Some(*id),
        Type::Optional(inner) => entity_of(inner),
        _ => None,
    }
}

/// Whether a value is below (-1), above (1) or zero; none for what has no zero.
pub(super) fn sign(value: &Value) -> Option<i32> {
    let of = |order: std::cmp::Ordering| order as i32;
    Some(match value {
        Value::Int(value) => of(value.cmp(&0)),
        Value::Decimal(value) | Value::Percent(value) => of(value.cmp(&crate::value::Decimal::ZERO)),
        Value::Money(money) => of(money.amount.cmp(&crate::value::Decimal::ZERO)),
        Value::Duration(duration) => of(duration.milliseconds().cmp(&0)),
        _ => return None,
    })
}

fn negated(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Int(value) => Value::Int(value.checked_neg()?),
        Value::Decimal(value) => Value::Decimal(-*value),
        Value::Percent(value) => Value::Percent(-*value),
        Value::Money(money) => Value::Money(crate::value::Money { amount: -money.amount, ..*money }),
        Value::Duration(duration) => {
            Value::Duration(crate::value::Duration::from_milliseconds(duration.milliseconds().checked_neg()?))
        }
        _ => return None,
    })
}

/// A value and another one of its kind; none where that is not known.
pub(super) fn plus(value: &Value, by: &Value) -> Option<Value> {
    Some(match (value, by) {
        (Value::Int(value), Value::Int(by)) => Value::Int(value.checked_add(*by)?),
        (Value::Decimal(value), Value::Decimal(by)) => Value::Decimal(value.checked_add(*by)?),
        (Value::Percent(value), Value::Percent(by)) => Value::Percent(value.checked_add(*by)?),
        (Value::Money(value), Value::Money(by)) if value.currency == by.currency => {
            Value::Money(crate::value::Money { amount: value.amount.checked_add(by.amount)?, ..*value })
        }
        (Value::Duration(value), Value::Duration(by)) => Value::Duration(crate::value::Duration::from_milliseconds(
            value.milliseconds().checked_add(by.milliseconds())?,
        )),
        _ => return None,
    })
}
