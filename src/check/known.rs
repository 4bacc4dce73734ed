//! What an expression is worth that hangs on nothing but literals: comparisons, decision tables, and functions that only
//! choose. Whatever has to be computed, such as sums and roundings, is left to the run.

use super::policy::order;
use super::program::{
    CallableId, CellTest, DecisionTable, Effect, Expr, ExprKind, LocalId, Program, Row, Statement, StatementKind,
    TableId,
};
use crate::syntax::tree::{BinaryOperator as B, HitPolicy};
use crate::value::{Decimal, Value};

/// Calls within each other that are looked into.
const DEEPEST_CALLS: usize = 8;

/// A value that is known before the run.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Known {
    /// A plain value.
    Value(Value),
    /// A record, as far as its fields are known.
    Record(Vec<Option<Known>>),
}

/// What the locals of a body are worth; none for what is not known.
#[derive(Debug, Clone, Default)]
pub(super) struct Locals(Vec<Option<Known>>);

impl Locals {
    /// Notes what a local is worth from here on.
    pub fn set(&mut self, local: LocalId, value: Option<Known>) {
        if self.0.len() <= local.index() {
            self.0.resize(local.index() + 1, None);
        }
        self.0[local.index()] = value;
    }

    fn get(&self, local: LocalId) -> Option<&Known> {
        self.0.get(local.index())?.as_ref()
    }
}

/// Works out what is known before the run.
pub(super) struct Foresight<'p> {
    program: &'p Program,
    /// Whether functions are looked into; not where a test puts others in their place.
    looks_into_calls: bool,
}

/// How a body that only chooses goes on.
enum Way {
    Returns(Known),
    GoesOn,
}

impl<'p> Foresight<'p> {
    pub fn new(program: &'p Program, looks_into_calls: bool) -> Self {
        Foresight { program, looks_into_calls }
    }

    /// What an expression is worth.
    pub fn value(&self, expr: &'p Expr, locals: &Locals) -> Option<Known> {
        self.value_within(expr, locals, 0)
    }

    /// Whether a condition holds.
    pub fn truth(&self, expr: &'p Expr, locals: &Locals) -> Option<bool> {
        as_truth(&self.value(expr, locals)?)
    }

    /// The row that a table takes for known arguments.
    pub fn row(&self, table: TableId, arguments: &'p [Expr], locals: &Locals) -> Option<&'p Row> {
        let of = self.program.tables.get(table.index())?;
        self.row_of(of, &self.arguments(arguments, locals, 0), 0)
    }

    fn value_within(&self, expr: &'p Expr, locals: &Locals, depth: usize) -> Option<Known> {
        let plain = |expr: &'p Expr| self.plain(expr, locals, depth);
        Some(match &expr.kind {
            ExprKind::Value(value) => Known::Value(value.clone()),
            ExprKind::Constant(id) => {
                self.value_within(&self.program.constants.get(id.index())?.value, &Locals::default(), depth)?
            }
            ExprKind::Local(local) => locals.get(*local)?.clone(),
            ExprKind::ToDecimal(inner) => match plain(inner)? {
                Value::Int(number) => Known::Value(Value::Decimal(Decimal::from(number))),
                other => Known::Value(other),
            },
            ExprKind::Record(_, fields) => {
                Known::Record(fields.iter().map(|field| self.value_within(field, locals, depth)).collect())
            }
            ExprKind::Field(target, index) => match self.value_within(target, locals, depth)? {
                Known::Record(fields) => fields.get(*index)?.clone()?,
                Known::Value(_) => return None,
            },
            ExprKind::Is(inner, some) => truth((plain(inner)? != Value::None) == *some),
            ExprKind::Not(inner) => truth(!as_truth(&self.value_within(inner, locals, depth)?)?),
            ExprKind::Binary(B::And, a, b) => truth(self.both(a, b, true, locals, depth)?),
            ExprKind::Binary(B::Or, a, b) => truth(!self.both(a, b, false, locals, depth)?),
            ExprKind::Binary(B::In, value, list) => {
                let ExprKind::List(all) = &list.kind else { return None };
                let value = plain(value)?;
                let all = all.iter().map(plain).collect::<Option<Vec<Value>>>()?;
                let all = all.iter().map(|other| compared(&value, B::Equal, other));
                truth(all.collect::<Option<Vec<bool>>>()?.contains(&true))
            }
            ExprKind::Binary(operator, a, b) if is_comparison(*operator) => {
                truth(compared(&plain(a)?, *operator, &plain(b)?)?)
            }
            ExprKind::Conditional(condition, then, otherwise) => {
                let holds = as_truth(&self.value_within(condition, locals, depth)?)?;
                self.value_within(if holds { then } else { otherwise }, locals, depth)?
            }
            ExprKind::Decide(id, arguments) => {
                let table = self.program.tables.get(id.index())?;
                let arguments = self.arguments(arguments, locals, depth);
                let row = self.row_of(table, &arguments, depth)?;
                self.value_within(&row.outcome, &arguments, depth)?
            }
            ExprKind::Call(id, arguments) => self.called(*id, self.arguments(arguments, locals, depth), depth)?,
            _ => return None,
        })
    }

    /// Whether both of two conditions are as they should be; one that is not is enough to know.
    fn both(&self, a: &'p Expr, b: &'p Expr, wanted: bool, locals: &Locals, depth: usize) -> Option<bool> {
        let one = |expr| Some(as_truth(&self.value_within(expr, locals, depth)?)? == wanted);
        match (one(a), one(b)) {
            // What stands behind is not come to.
            (Some(false), _) => Some(false),
            (Some(true), other) => other,
            (None, _) => None,
        }
    }

    /// A value that is no record; records are compared field by field, which is left to the run.
    fn plain(&self, expr: &'p Expr, locals: &Locals, depth: usize) -> Option<Value> {
        match self.value_within(expr, locals, depth)? {
            Known::Value(value) if is_plain(&value) => Some(value),
            _ => None,
        }
    }

    fn arguments(&self, arguments: &'p [Expr], locals: &Locals, depth: usize) -> Locals {
        Locals(arguments.iter().map(|argument| self.value_within(argument, locals, depth)).collect())
    }

    fn row_of(&self, table: &'p DecisionTable, arguments: &Locals, depth: usize) -> Option<&'p Row> {
        match table.policy {
            HitPolicy::First => {
                for row in &table.rows {
                    if self.fits(table, row, arguments, depth)? {
                        return Some(row);
                    }
                }
                None
            }
            HitPolicy::Unique | HitPolicy::Any => {
                let is_last_resort = |row: &&Row| row.tests.iter().any(|test| matches!(test, CellTest::Otherwise));
                let (last, others): (Vec<&Row>, Vec<&Row>) = table.rows.iter().partition(is_last_resort);
                self.only(table, &others, arguments, depth)?.or(self.only(table, &last, arguments, depth)?)
            }
            _ => None,
        }
    }

    /// The one of some rows that fits; nothing is known where several do, or where it can't be told of one.
    fn only(
        &self,
        table: &'p DecisionTable,
        rows: &[&'p Row],
        arguments: &Locals,
        depth: usize,
    ) -> Option<Option<&'p Row>> {
        let mut found = None;
        for row in rows {
            if self.fits(table, row, arguments, depth)? && found.replace(*row).is_some() {
                return None;
            }
        }
        Some(found)
    }

    fn fits(&self, table: &'p DecisionTable, row: &'p Row, arguments: &Locals, depth: usize) -> Option<bool> {
        let mut all = Some(true);
        for (column, test) in table.columns.iter().zip(&row.tests) {
            match self.passes(column.subject.as_ref(), test, arguments, depth) {
                Some(false) => return Some(false),
                Some(true) => {}
                None => all = None,
            }
        }
        all
    }

    fn passes(&self, subject: Option<&'p Expr>, test: &'p CellTest, locals: &Locals, depth: usize) -> Option<bool> {
        let value = || self.plain(subject?, locals, depth);
        let compare = |operator, expr| compared(&value()?, operator, &self.plain(expr, locals, depth)?);
        match test {
            CellTest::Anything | CellTest::Otherwise => Some(true),
            CellTest::Some => Some(value()? != Value::None),
            CellTest::Equal(other) => compare(B::Equal, other),
            CellTest::Compare(operator, other) => compare(*operator, other),
            CellTest::Range(low, high) => Some(compare(B::GreaterOrEqual, low)? && compare(B::LessOrEqual, high)?),
            CellTest::Not(inner) => Some(!self.passes(subject, inner, locals, depth)?),
            CellTest::And(all) => {
                let all = all.iter().map(|test| self.passes(subject, test, locals, depth));
                Some(!all.collect::<Option<Vec<bool>>>()?.contains(&false))
            }
            CellTest::Or(all) => {
                let all = all.iter().map(|test| self.passes(subject, test, locals, depth));
                Some(all.collect::<Option<Vec<bool>>>()?.contains(&true))
            }
            CellTest::Condition(condition) => as_truth(&self.value_within(condition, locals, depth)?),
        }
    }

    fn called(&self, id: CallableId, mut locals: Locals, depth: usize) -> Option<Known> {
        let of = self.program.callables.get(id.index())?;
        if !self.looks_into_calls || of.is_task || of.effect != Effect::Pure || depth >= DEEPEST_CALLS {
            return None;
        }
        match self.block(&of.body, &mut locals, depth + 1)? {
            Way::Returns(value) => Some(value),
            Way::GoesOn => None,
        }
    }

    fn block(&self, statements: &'p [Statement], locals: &mut Locals, depth: usize) -> Option<Way> {
        for statement in statements {
            let chosen = match &statement.kind {
                StatementKind::Set { local, value } => {
                    let value = self.value_within(value, locals, depth);
                    locals.set(*local, value);
                    continue;
                }
                StatementKind::Return(Some(value)) => {
                    return Some(Way::Returns(self.value_within(value, locals, depth)?));
                }
                StatementKind::If { condition, then, otherwise } => {
                    let holds = as_truth(&self.value_within(condition, locals, depth)?)?;
                    if holds { then } else { otherwise }
                }
                StatementKind::Match { value, arms } => {
                    let mut taken = None;
                    for arm in arms {
                        if self.passes(Some(value), &arm.test, locals, depth)? {
                            taken = Some(&arm.body);
                            break;
                        }
                    }
                    taken?
                }
                _ => return None,
            };
            if let returns @ Way::Returns(_) = self.block(chosen, locals, depth)? {
                return Some(returns);
            }
        }
        Some(Way::GoesOn)
    }
}

fn truth(truth: bool) -> Known {
    Known::Value(Value::Bool(truth))
}

fn as_truth(known: &Known) -> Option<bool> {
    match known {
        Known::Value(Value::Bool(truth)) => Some(*truth),
        _ => None,
    }
}

/// How two values compare; nothing is known of values of two kinds, such as amounts of two currencies.
fn compared(a: &Value, operator: B, b: &Value) -> Option<bool> {
    if *a == Value::None || *b == Value::None {
        let both = *a == *b;
        return match operator {
            B::Equal => Some(both),
            B::NotEqual => Some(!both),
            _ => None,
        };
    }
    let order = order(a, b)?;
    Some(match operator {
        B::Equal => order.is_eq(),
        B::NotEqual => order.is_ne(),
        B::Less => order.is_lt(),
        B::LessOrEqual => order.is_le(),
        B::Greater => order.is_gt(),
        B::GreaterOrEqual => order.is_ge(),
        _ => return None,
    })
}

fn is_plain(value: &Value) -> bool {
    !matches!(value, Value::Record(_) | Value::List(_) | Value::Map(_) | Value::Reference(_))
}

fn is_comparison(operator: B) -> bool {
    matches!(operator, B::Equal | B::NotEqual | B::Less | B::LessOrEqual | B::Greater | B::GreaterOrEqual)
}
