//! Method chains over entities to query plans.
//!
//! The longest part of a chain that a store can do becomes one plan; the methods behind it work on what the
//! plan gives. Values that do not depend on the element are computed once before, as parameters of the plan.

use super::body::Body;
use super::expression::comparison;
use super::instruction::{Instruction, Operand, Register};
use super::list::zero;
use super::mentions::mentions_any;
use super::query::{Join, Output, QueryId, QueryPlan, Scalar};
use crate::check::program::{Effect, Expr, ExprKind, LocalId, RecordType, Type};
use crate::library::Operation;
use crate::syntax::tree::BinaryOperator;
use crate::value::{RecordId, Value};
use std::collections::HashMap;

impl Body<'_, '_> {
    /// Asks the store for the value of an expression, when it is a chain that a store can do.
    pub fn query(&mut self, expr: &Expr, to: Register) -> bool {
        if !starts_with_entity(expr) {
            return false;
        }
        let records = &self.compiler.program.records;
        if let Some(draft) = chain(expr, records) {
            self.ask(draft, expr, to);
            return true;
        }
        let Some((draft, element, rest)) = part_of_where(expr, records) else { return false };
        let loaded = self.temporary();
        self.ask(draft, expr, loaded);
        self.filter(Operand::register(loaded), element, &rest, to);
        true
    }

    fn ask(&mut self, draft: Draft, expr: &Expr, to: Register) {
        let mark = self.mark();
        let start = self.temporaries(draft.given.len());
        for (register, given) in (start..).zip(&draft.given) {
            match given {
                Given::Value(expr) => self.value_to(expr, register),
                Given::Count(expr) => self.count_to(expr, register),
            }
        }
        let negated = draft.negated;
        let is_sum = matches!(draft.plan.output, Output::Sum(_));
        let plan = QueryPlan { parameters: draft.given.len(), ..draft.plan };
        let queries = &mut self.compiler.code.queries;
        let index = queries.iter().position(|other| *other == plan).unwrap_or_else(|| {
            queries.push(plan);
            queries.len() - 1
        });
        self.emit(Instruction::Query { to, start, query: QueryId(index as u32) });
        if negated {
            self.emit(Instruction::Not { to, value: Operand::register(to) });
        }
        if is_sum {
            let zero = self.constant(zero(&expr.ty).unwrap_or(Value::None));
            self.emit(Instruction::EndSum { sum: to, zero });
        }
        self.release(mark);
    }

    /// A count for the store, which is never negative.
    fn count_to(&mut self, expr: &Expr, to: Register) {
        if let Some(Value::Int(count)) = self.literal(expr) {
            let count = self.constant(Value::Int(count.max(0)));
            self.copy(to, count);
            return;
        }
        let mark = self.mark();
        let start = self.temporaries(2);
        self.value_to(expr, start);
        let zero = self.constant(Value::Int(0));
        self.copy(start + 1, zero);
        self.emit(Instruction::Perform { operation: Operation::GreatestOf, count: 2, to, start });
        self.release(mark);
    }

    /// The elements of a list that further conditions hold for.
    fn filter(&mut self, list: Operand, element: LocalId, conditions: &[&Expr], to: Register) {
        let result = self.temporary();
        self.emit(Instruction::NewList { to: result, like: list });
        let prefetched = self.prefetch(list, element, conditions);
        let register = self.local(element);
        let round = self.begin_list(list, register, prefetched);
        let mut jumps = Vec::new();
        for condition in conditions {
            jumps.extend(self.jump_unless(condition));
        }
        let kept = self.temporary();
        self.emit(Instruction::Move { to: kept, from: register });
        self.emit(Instruction::Push { list: result, value: kept });
        self.land_all(jumps);
        self.end_loop(round);
        self.emit(Instruction::Move { to, from: result });
    }
}

/// A plan being made.
#[derive(Clone)]
struct Draft<'e> {
    plan: QueryPlan,
    /// What gives the parameters.
    given: Vec<Given<'e>>,
    /// Whether the answer is turned round: there is no row.
    negated: bool,
}

#[derive(Clone)]
enum Given<'e> {
    Value(&'e Expr),
    /// A count that may not be negative.
    Count(&'e Expr),
}

/// What a local of a lambda stands for.
#[derive(Clone, Copy)]
enum Bound {
    /// A row of a table.
    Row(usize),
    /// A field that refers to a record.
    Reference { table: usize, field: usize },
}

/// Looks at the start of a chain, so that most expressions cost nothing.
fn starts_with_entity(expr: &Expr) -> bool {
    let mut expr = expr;
    loop {
        match &expr.kind {
            ExprKind::All(_) => return true,
            ExprKind::Load(inner) => expr = inner,
            ExprKind::Perform(_, arguments) => match arguments.first() {
                Some(receiver) => expr = receiver,
                None => return false,
            },
            _ => return false,
        }
    }
}

/// The plan of a whole chain.
fn chain<'e>(expr: &'e Expr, records: &[RecordType]) -> Option<Draft<'e>> {
    match &expr.kind {
        ExprKind::All(entity) => Some(Draft {
            plan: QueryPlan {
                entity: *entity,
                joins: Vec::new(),
                filter: None,
                order: Vec::new(),
                limit: None,
                offset: None,
                output: Output::Records,
                parameters: 0,
            },
            given: Vec::new(),
            negated: false,
        }),
        ExprKind::Load(inner) => chain(inner, records),
        ExprKind::Perform(operation, arguments) => {
            let (receiver, arguments) = arguments.split_first()?;
            let draft = chain(receiver, records)?;
            (draft.plan.output == Output::Records).then(|| method(draft, *operation, arguments, records))?
        }
        _ => None,
    }
}

/// A plan with one more method.
fn method<'e>(
    mut draft: Draft<'e>,
    operation: Operation,
    arguments: &'e [Expr],
    records: &[RecordType],
) -> Option<Draft<'e>> {
    let open = draft.plan.limit.is_none() && draft.plan.offset.is_none();
    match operation {
        Operation::ListTake if draft.plan.limit.is_none() => {
            draft.plan.limit = Some(draft.count(arguments.first()?));
        }
        Operation::ListSkip if open => {
            draft.plan.offset = Some(draft.count(arguments.first()?));
        }
        Operation::ListFirst if draft.plan.limit.is_none() => draft.plan.output = Output::First,
        Operation::ListCount if open => draft.plan.output = Output::Count,
        Operation::ListIsEmpty if open => {
            draft.plan.output = Output::Exists;
            draft.negated = true;
        }
        _ => return with_lambda(draft, operation, arguments, records, open),
    }
    Some(draft)
}

fn with_lambda<'e>(
    mut draft: Draft<'e>,
    operation: Operation,
    arguments: &'e [Expr],
    records: &[RecordType],
    open: bool,
) -> Option<Draft<'e>> {
    let [Expr { kind: ExprKind::Lambda(parameters, body), .. }] = arguments else { return None };
    let element = *parameters.first()?;
    if body.effect > Effect::Reads {
        return None;
    }
    let mut lower = Lower { draft: &mut draft, records, bound: HashMap::from([(element, Bound::Row(0))]) };
    if operation == Operation::ListMap {
        let scalar = lower.column(body)?;
        draft.plan.output = Output::Values(scalar);
        return Some(draft);
    }
    if !open {
        return None;
    }
    let column = |lower: &mut Lower<'_, 'e>| lower.column(body);
    match operation {
        Operation::ListWhere | Operation::ListFilter => {
            let condition = lower.condition(body)?;
            draft.keep(condition);
        }
        Operation::ListSort | Operation::ListSortDescending => {
            // A later sort goes before the earlier ones, which still order what is equal.
            let scalar = column(&mut lower)?;
            draft.plan.order.insert(0, (scalar, operation == Operation::ListSortDescending));
        }
        Operation::ListMinBy | Operation::ListMaxBy if !matches!(body.ty, Type::Optional(_)) => {
            let scalar = column(&mut lower)?;
            draft.plan.order.insert(0, (scalar, operation == Operation::ListMaxBy));
            draft.plan.output = Output::First;
        }
        Operation::ListFind | Operation::ListAny => {
            let condition = lower.condition(body)?;
            draft.keep(condition);
            draft.plan.output = if operation == Operation::ListFind { Output::First } else { Output::Exists };
        }
        Operation::ListAll => {
            let condition = lower.condition(body)?;
            draft.keep(Scalar::Not(Box::new(condition)));
            draft.plan.output = Output::Exists;
            draft.negated = true;
        }
        Operation::ListSum => draft.plan.output = Output::Sum(column(&mut lower)?),
        Operation::ListAverage => draft.plan.output = Output::Average(column(&mut lower)?),
        Operation::ListMin => draft.plan.output = Output::Min(column(&mut lower)?),
        Operation::ListMax => draft.plan.output = Output::Max(column(&mut lower)?),
        _ => return None,
    }
    Some(draft)
}

/// A `where` of which the store can do some conditions, and the others.
fn part_of_where<'e>(expr: &'e Expr, records: &[RecordType]) -> Option<(Draft<'e>, LocalId, Vec<&'e Expr>)> {
    let mut expr = expr;
    while let ExprKind::Load(inner) = &expr.kind {
        expr = inner;
    }
    let ExprKind::Perform(Operation::ListWhere | Operation::ListFilter, arguments) = &expr.kind else { return None };
    let [receiver, Expr { kind: ExprKind::Lambda(parameters, body), .. }] = arguments.as_slice() else { return None };
    let mut draft = chain(receiver, records)?;
    let element = *parameters.first()?;
    let plan = &draft.plan;
    if plan.output != Output::Records || plan.limit.is_some() || plan.offset.is_some() || body.effect > Effect::Reads {
        return None;
    }
    let mut conditions = Vec::new();
    conjuncts(body, &mut conditions);
    let mut rest = Vec::new();
    for condition in conditions {
        let mut attempt = draft.clone();
        let bound = HashMap::from([(element, Bound::Row(0))]);
        match (Lower { draft: &mut attempt, records, bound }).condition(condition) {
            // Behind a condition of the machine no other is done before it: it may rest on it.
            Some(scalar) if rest.is_empty() => {
                attempt.keep(scalar);
                draft = attempt;
            }
            _ => rest.push(condition),
        }
    }
    draft.plan.filter.is_some().then_some((draft, element, rest))
}

fn conjuncts<'e>(expr: &'e Expr, into: &mut Vec<&'e Expr>) {
    match &expr.kind {
        ExprKind::Binary(BinaryOperator::And, left, right) => {
            conjuncts(left, into);
            conjuncts(right, into);
        }
        _ => into.push(expr),
    }
}

impl<'e> Draft<'e> {
    fn parameter(&mut self, given: Given<'e>) -> usize {
        self.given.push(given);
        self.given.len() - 1
    }

    fn count(&mut self, count: &'e Expr) -> Scalar {
        Scalar::Parameter(self.parameter(Given::Count(count)))
    }

    /// Adds a condition.
    fn keep(&mut self, condition: Scalar) {
        let mut all = match self.plan.filter.take() {
            Some(Scalar::And(all)) => all,
            Some(other) => vec![other],
            None => Vec::new(),
        };
        match condition {
            Scalar::And(more) => all.extend(more),
            other => all.push(other),
        }
        self.plan.filter = match all.len() {
            1 => all.pop(),
            _ => Some(Scalar::And(all)),
        };
    }

    /// The table that is reached through a reference.
    fn join(&mut self, from: usize, field: usize, entity: RecordId, optional: bool) -> usize {
        let join = Join { from, field, entity, optional };
        let joins = &mut self.plan.joins;
        1 + joins.iter().position(|other| *other == join).unwrap_or_else(|| {
            joins.push(join);
            joins.len() - 1
        })
    }
}

/// Lowers the body of a lambda.
struct Lower<'d, 'e> {
    draft: &'d mut Draft<'e>,
    records: &'d [RecordType],
    bound: HashMap<LocalId, Bound>,
}

impl<'e> Lower<'_, 'e> {
    /// A condition, or none when the store can't do it.
    fn condition(&mut self, expr: &'e Expr) -> Option<Scalar> {
        (expr.ty == Type::Bool).then(|| self.scalar(expr))?
    }

    /// A value that is kept in a column, and not the same for all rows.
    fn column(&mut self, expr: &'e Expr) -> Option<Scalar> {
        match self.scalar(expr)? {
            column @ Scalar::Column { .. } => Some(column),
            sum @ Scalar::IntArithmetic(..) => Some(sum),
            _ => None,
        }
    }

    fn scalar(&mut self, expr: &'e Expr) -> Option<Scalar> {
        if !self.depends(expr) {
            return is_scalar(&expr.ty).then(|| match &expr.kind {
                ExprKind::Value(value) => Scalar::Literal(value.clone()),
                _ => Scalar::Parameter(self.draft.parameter(Given::Value(expr))),
            });
        }
        Some(match &expr.kind {
            ExprKind::Local(_) => {
                let (table, field, ..) = self.reference(expr)?;
                Scalar::Column { table, field }
            }
            ExprKind::Field(target, field) => {
                let table = self.row(target)?;
                let ty = &self.field(table, *field)?.1;
                is_scalar(ty).then_some(Scalar::Column { table, field: *field })?
            }
            ExprKind::Refer(record) => match self.row(record) {
                Some(table) => Scalar::Column { table, field: self.entity(table)?.key? },
                None => self.scalar(record)?,
            },
            ExprKind::Guarded { target, local, then } => {
                let (table, field, ..) = self.reference(target)?;
                self.bound.insert(*local, Bound::Reference { table, field });
                self.column(then)?
            }
            ExprKind::Not(inner) => Scalar::Not(Box::new(self.condition(inner)?)),
            ExprKind::Is(inner, some) => {
                let none = Scalar::IsNone(Box::new(self.scalar(inner)?));
                if *some { Scalar::Not(Box::new(none)) } else { none }
            }
            ExprKind::Binary(BinaryOperator::And, left, right) => {
                let (left, right) = (self.condition(left)?, self.condition(right)?);
                Scalar::And(match left {
                    Scalar::And(mut all) => {
                        all.push(right);
                        all
                    }
                    left => vec![left, right],
                })
            }
            ExprKind::Binary(BinaryOperator::Or, left, right) => {
                let (left, right) = (self.condition(left)?, self.condition(right)?);
                Scalar::Or(match left {
                    Scalar::Or(mut all) => {
                        all.push(right);
                        all
                    }
                    left => vec![left, right],
                })
            }
            ExprKind::Binary(BinaryOperator::In, value, list) => self.membership(value, list)?,
            ExprKind::Binary(
                operator @ (BinaryOperator::Add | BinaryOperator::Subtract | BinaryOperator::Multiply),
                left,
                right,
            ) if left.ty == Type::Int && right.ty == Type::Int => {
                let (left, right) = (self.scalar(left)?, self.scalar(right)?);
                Scalar::IntArithmetic(*operator, Box::new(left), Box::new(right))
            }
            ExprKind::Binary(operator, left, right) if comparison(*operator).is_some() => {
                let (left, right) = (self.scalar(left)?, self.scalar(right)?);
                Scalar::Compare(*operator, Box::new(left), Box::new(right))
            }
            ExprKind::Perform(operation @ (Operation::TextContains | Operation::TextStartsWith), arguments) => {
                let [text, part] = arguments.as_slice() else { return None };
                let (text, part) = (Box::new(self.scalar(text)?), Box::new(self.scalar(part)?));
                match operation {
                    Operation::TextContains => Scalar::Contains(text, part),
                    _ => Scalar::StartsWith(text, part),
                }
            }
            _ => return None,
        })
    }

    fn membership(&mut self, value: &'e Expr, list: &'e Expr) -> Option<Scalar> {
        let value = self.scalar(value)?;
        if let ExprKind::Range(first, last) = &list.kind {
            let (first, last) = (self.scalar(first)?, self.scalar(last)?);
            return Some(Scalar::And(vec![
                Scalar::Compare(BinaryOperator::GreaterOrEqual, Box::new(value.clone()), Box::new(first)),
                Scalar::Compare(BinaryOperator::LessOrEqual, Box::new(value), Box::new(last)),
            ]));
        }
        let of_scalars = matches!(&list.ty, Type::List(element) if is_scalar(element));
        if self.depends(list) || !of_scalars {
            return None;
        }
        let list = self.draft.parameter(Given::Value(list));
        Some(Scalar::In(Box::new(value), list))
    }

    fn depends(&self, expr: &Expr) -> bool {
        let locals: Vec<LocalId> = self.bound.keys().copied().collect();
        mentions_any(expr, &locals)
    }

    /// The table that an expression is a row of.
    fn row(&mut self, expr: &Expr) -> Option<usize> {
        match &expr.kind {
            ExprKind::Local(local) => match self.bound.get(local)? {
                Bound::Row(table) => Some(*table),
                Bound::Reference { .. } => None,
            },
            ExprKind::Follow(reference) => {
                let (table, field, entity, optional) = self.reference(reference)?;
                Some(self.draft.join(table, field, entity, optional))
            }
            _ => None,
        }
    }

    /// The table and field of a reference, what it refers to, and whether it may be none.
    fn reference(&mut self, expr: &Expr) -> Option<(usize, usize, RecordId, bool)> {
        let (table, field) = match &expr.kind {
            ExprKind::Local(local) => match self.bound.get(local)? {
                Bound::Reference { table, field } => (*table, *field),
                Bound::Row(_) => return None,
            },
            ExprKind::Field(target, field) => (self.row(target)?, *field),
            _ => return None,
        };
        let (outer_optional, ty) = self.field(table, field)?;
        match ty {
            Type::Reference(entity) => Some((table, field, entity, outer_optional)),
            Type::Optional(inner) => match *inner {
                Type::Reference(entity) => Some((table, field, entity, true)),
                _ => None,
            },
            _ => None,
        }
    }

    fn entity(&self, table: usize) -> Option<&RecordType> {
        let entity = match table.checked_sub(1) {
            None => self.draft.plan.entity,
            Some(join) => self.draft.plan.joins.get(join)?.entity,
        };
        self.records.get(entity.0 as usize)
    }

    /// Whether the table of a field may have no row, and the type of the field.
    fn field(&self, table: usize, field: usize) -> Option<(bool, Type)> {
        let missing = table.checked_sub(1).and_then(|join| self.draft.plan.joins.get(join)).is_some_and(|j| j.optional);
        let ty = self.entity(table)?.fields.get(field)?.ty.clone();
        Some((missing, ty))
    }
}

/// Whether values of a type are kept in one column and compared by the store.
fn is_scalar(ty: &Type) -> bool {
    match ty {
        Type::Text
        | Type::Bool
        | Type::Int
        | Type::Decimal
        | Type::Percent
        | Type::Money(_)
        | Type::Date
        | Type::Time
        | Type::Instant
        | Type::Duration
        | Type::Enum(_)
        | Type::Reference(_)
        | Type::Never => true,
        Type::Optional(inner) => is_scalar(inner),
        _ => false,
    }
}
