//! A plain evaluator that walks over the tree of a program: slow, simple, and written from what the language
//! means rather than from how it is compiled. The compiled code must do the same.

use crate::check::program::{
    Arm, CallableId, CellTest, Expr, ExprKind, Program, Statement, StatementKind, TextPart, Type,
};
use crate::library::Operation;
use crate::syntax::tree::BinaryOperator;
use crate::value::{ArithmeticError, Decimal, ErrorId, NoNames, Value, ValueMap, decimal, display};
use std::cmp::Ordering;

/// The name of the error that an evaluation ends with.
pub type Failed = String;

type Walked = Result<Value, Failed>;

/// What ends a body.
enum End {
    Failed(Failed),
    Returned(Value),
}

impl From<Failed> for End {
    fn from(failed: Failed) -> End {
        End::Failed(failed)
    }
}

/// Walks over a program.
pub struct Walker<'p> {
    pub program: &'p Program,
}

fn named(error: ArithmeticError) -> Failed {
    match error {
        ArithmeticError::Overflow => "overflow",
        ArithmeticError::DivisionByZero => "division_by_zero",
        ArithmeticError::CurrencyMismatch { .. } => "currency_mismatch",
        ArithmeticError::InvalidDate | ArithmeticError::InvalidTime | ArithmeticError::NotWholeDays(_) => "bad_date",
        _ => "bad_value",
    }
    .to_string()
}

impl Walker<'_> {
    pub fn call(&self, callable: CallableId, arguments: &[Value]) -> Walked {
        let callable = &self.program.callables[callable.index()];
        let mut locals = arguments.to_vec();
        locals.resize(callable.locals.len(), Value::None);
        match self.block(&callable.body, &mut locals) {
            Ok(()) => Ok(Value::None),
            Err(End::Returned(value)) => Ok(value),
            Err(End::Failed(failed)) => Err(failed),
        }
    }

    fn block(&self, statements: &[Statement], locals: &mut [Value]) -> Result<(), End> {
        statements.iter().try_for_each(|statement| self.statement(statement, locals))
    }

    fn statement(&self, statement: &Statement, locals: &mut [Value]) -> Result<(), End> {
        match &statement.kind {
            StatementKind::Set { local, value } => locals[local.index()] = self.value(value, locals)?,
            StatementKind::Expression(value) => drop(self.value(value, locals)?),
            StatementKind::If { condition, then, otherwise } => {
                let holds = self.holds(condition, locals)?;
                self.block(if holds { then } else { otherwise }, locals)?;
            }
            StatementKind::Match { value, arms } => {
                let value = self.value(value, locals)?;
                let arm = arms.iter().map(|arm| Ok((arm, self.fits(&value, &arm.test, locals)?)));
                let arm = arm.collect::<Result<Vec<(&Arm, bool)>, Failed>>();
                // Tests behind the arm that fits are not done: a failure in one of them does not count.
                let arm = match arm {
                    Ok(arms) => arms.into_iter().find(|(_, fits)| *fits).map(|(arm, _)| arm),
                    Err(_) => self.first_arm(&value, arms, locals)?,
                };
                match arm {
                    Some(arm) => self.block(&arm.body, locals)?,
                    None => return Err(End::Failed("no_row".into())),
                }
            }
            StatementKind::For(each) => match self.value(&each.list, locals)? {
                Value::List(list) => {
                    for element in list.iter() {
                        locals[each.local.index()] = element.clone();
                        self.block(&each.body, locals)?;
                    }
                }
                Value::Map(map) => {
                    for (key, value) in map.iter() {
                        locals[each.local.index()] = key.clone();
                        if let Some(second) = each.second {
                            locals[second.index()] = value.clone();
                        }
                        self.block(&each.body, locals)?;
                    }
                }
                other => panic!("a loop over {other:?}"),
            },
            StatementKind::Return(value) => {
                let value = value.as_ref().map_or(Ok(Value::None), |value| self.value(value, locals))?;
                return Err(End::Returned(value));
            }
            StatementKind::Fail { error, fields } => {
                fields.iter().try_for_each(|field| self.value(field, locals).map(drop))?;
                return Err(End::Failed(self.error(*error)));
            }
            other => panic!("{other:?} is not walked over"),
        }
        Ok(())
    }

    fn first_arm<'a>(&self, value: &Value, arms: &'a [Arm], locals: &mut [Value]) -> Result<Option<&'a Arm>, Failed> {
        for arm in arms {
            if self.fits(value, &arm.test, locals)? {
                return Ok(Some(arm));
            }
        }
        Ok(None)
    }

    fn error(&self, error: ErrorId) -> Failed {
        self.program.errors[error.0 as usize].name.to_string()
    }

    fn fits(&self, value: &Value, test: &CellTest, locals: &mut [Value]) -> Result<bool, Failed> {
        Ok(match test {
            CellTest::Anything | CellTest::Otherwise => true,
            CellTest::Some => !value.is_none(),
            CellTest::Equal(other) => *value == self.value(other, locals)?,
            CellTest::Compare(operator, other) => {
                let other = self.value(other, locals)?;
                compare(*operator, value, &other)?
            }
            CellTest::Range(first, last) => {
                let first = self.value(first, locals)?;
                compare(BinaryOperator::GreaterOrEqual, value, &first)?
                    && compare(BinaryOperator::LessOrEqual, value, &self.value(last, locals)?)?
            }
            CellTest::Not(test) => !self.fits(value, test, locals)?,
            CellTest::And(tests) => {
                for test in tests {
                    if !self.fits(value, test, locals)? {
                        return Ok(false);
                    }
                }
                true
            }
            CellTest::Or(tests) => {
                for test in tests {
                    if self.fits(value, test, locals)? {
                        return Ok(true);
                    }
                }
                false
            }
            CellTest::Condition(condition) => self.holds(condition, locals)?,
        })
    }

    fn holds(&self, condition: &Expr, locals: &mut [Value]) -> Result<bool, Failed> {
        Ok(self.value(condition, locals)? == Value::Bool(true))
    }

    fn values(&self, exprs: &[Expr], locals: &mut [Value]) -> Result<Vec<Value>, Failed> {
        exprs.iter().map(|expr| self.value(expr, locals)).collect()
    }

    pub fn value(&self, expr: &Expr, locals: &mut [Value]) -> Walked {
        Ok(match &expr.kind {
            ExprKind::Value(value) => value.clone(),
            ExprKind::Constant(id) => self.value(&self.program.constants[id.index()].value, locals)?,
            ExprKind::Local(local) => locals[local.index()].clone(),
            ExprKind::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        TextPart::Characters(characters) => text.push_str(characters),
                        TextPart::Value(value) => text.push_str(&display(&self.value(value, locals)?, &NoNames)),
                    }
                }
                Value::from(text)
            }
            ExprKind::List(items) => Value::list(self.values(items, locals)?),
            ExprKind::Map(entries) => {
                let mut map = ValueMap::new();
                for (key, value) in entries {
                    let key = self.value(key, locals)?;
                    map.insert(key, self.value(value, locals)?);
                }
                Value::Map(map.into())
            }
            ExprKind::Range(first, last) => {
                let (first, last) = (self.int(first, locals)?, self.int(last, locals)?);
                Value::list((first..=last).map(Value::Int).collect())
            }
            ExprKind::Record(id, fields) => Value::record(*id, self.values(fields, locals)?),
            ExprKind::With(record, changes) => {
                let Value::Record(record) = self.value(record, locals)? else { panic!("`with` of no record") };
                let mut fields = record.fields.to_vec();
                for (field, value) in changes {
                    fields[*field] = self.value(value, locals)?;
                }
                Value::record(record.type_id, fields)
            }
            ExprKind::Field(target, field) => self.value(target, locals)?.fields().unwrap()[*field].clone(),
            ExprKind::Guarded { target, local, then } => match self.value(target, locals)? {
                Value::None => Value::None,
                value => {
                    locals[local.index()] = value;
                    self.value(then, locals)?
                }
            },
            ExprKind::Index(target, index) => {
                let target = self.value(target, locals)?;
                let index = self.value(index, locals)?;
                match (&target, &index) {
                    (Value::List(list), Value::Int(at)) => {
                        let element = usize::try_from(*at).ok().and_then(|at| list.get(at));
                        element.cloned().ok_or("out_of_range")?
                    }
                    (Value::Map(map), key) => map.get(key).cloned().ok_or("not_found")?,
                    _ => panic!("an index of {target:?}"),
                }
            }
            ExprKind::Not(value) => Value::Bool(!self.holds(value, locals)?),
            ExprKind::Negate(value) => match self.value(value, locals)? {
                Value::Int(value) => Value::Int(value.checked_neg().ok_or("overflow")?),
                Value::Decimal(value) => Value::Decimal(Decimal::ZERO - value),
                Value::Money(value) => Value::Money(value.negate()),
                other => panic!("the negative of {other:?}"),
            },
            ExprKind::Binary(operator, left, right) => self.binary(*operator, left, right, locals)?,
            ExprKind::Is(value, some) => Value::Bool(self.value(value, locals)?.is_none() != *some),
            ExprKind::ToDecimal(value) => match self.value(value, locals)? {
                Value::Int(value) => Value::Decimal(Decimal::from(value)),
                other => other,
            },
            ExprKind::Conditional(condition, then, otherwise) => match self.holds(condition, locals)? {
                true => self.value(then, locals)?,
                false => self.value(otherwise, locals)?,
            },
            ExprKind::Call(callable, arguments) => {
                let arguments = self.values(arguments, locals)?;
                self.call(*callable, &arguments)?
            }
            ExprKind::Perform(operation, arguments) => self.perform(expr, *operation, arguments, locals)?,
            other => panic!("{other:?} is not walked over"),
        })
    }

    fn int(&self, expr: &Expr, locals: &mut [Value]) -> Result<i64, Failed> {
        Ok(self.value(expr, locals)?.as_int().unwrap())
    }

    fn binary(&self, operator: BinaryOperator, left: &Expr, right: &Expr, locals: &mut [Value]) -> Walked {
        match operator {
            BinaryOperator::And => {
                return Ok(Value::Bool(self.holds(left, locals)? && self.holds(right, locals)?));
            }
            BinaryOperator::Or => {
                return Ok(Value::Bool(self.holds(left, locals)? || self.holds(right, locals)?));
            }
            BinaryOperator::OrElse => {
                let value = self.value(left, locals)?;
                return if value.is_none() { self.value(right, locals) } else { Ok(value) };
            }
            _ => {}
        }
        let (left, right) = (self.value(left, locals)?, self.value(right, locals)?);
        if operator == BinaryOperator::In {
            return Ok(Value::Bool(match &right {
                Value::List(list) => list.contains(&left),
                Value::Map(map) => map.contains_key(&left),
                other => panic!("`in` {other:?}"),
            }));
        }
        use BinaryOperator::{Add, Divide, Multiply, Subtract};
        let result = match (operator, &left, &right) {
            (Add, Value::Int(a), Value::Int(b)) => decimal::int::add(*a, *b).map(Value::Int),
            (Subtract, Value::Int(a), Value::Int(b)) => decimal::int::subtract(*a, *b).map(Value::Int),
            (Multiply, Value::Int(a), Value::Int(b)) => decimal::int::multiply(*a, *b).map(Value::Int),
            (Divide, Value::Int(a), Value::Int(b)) => decimal::int::divide(*a, *b).map(Value::Decimal),
            (Add, Value::Decimal(a), Value::Decimal(b)) => decimal::add(*a, *b).map(Value::Decimal),
            (Subtract, Value::Decimal(a), Value::Decimal(b)) => decimal::subtract(*a, *b).map(Value::Decimal),
            (Multiply, Value::Decimal(a), Value::Decimal(b)) => decimal::multiply(*a, *b).map(Value::Decimal),
            (Divide, Value::Decimal(a), Value::Decimal(b)) => decimal::divide(*a, *b).map(Value::Decimal),
            (Add, Value::Money(a), Value::Money(b)) => a.plus(*b).map(Value::Money),
            (Subtract, Value::Money(a), Value::Money(b)) => a.minus(*b).map(Value::Money),
            (Multiply, Value::Money(a), Value::Decimal(b)) => a.multiply(*b).map(Value::Money),
            (Divide, Value::Money(a), Value::Money(b)) => a.ratio(*b).map(Value::Decimal),
            (Add, Value::Text(a), Value::Text(b)) => Ok(Value::from(format!("{a}{b}"))),
            _ => return compare(operator, &left, &right).map(Value::Bool),
        };
        result.map_err(named)
    }

    fn perform(&self, expr: &Expr, operation: Operation, arguments: &[Expr], locals: &mut [Value]) -> Walked {
        let receiver = self.value(&arguments[0], locals)?;
        let items = receiver.as_list().unwrap_or(&[]).to_vec();
        let lambda = |at: usize| match &arguments[at].kind {
            ExprKind::Lambda(parameters, body) => (parameters.clone(), body.as_ref()),
            other => panic!("{other:?} is no lambda"),
        };
        let each = |at: usize, locals: &mut [Value]| -> Result<Vec<Value>, Failed> {
            let (parameters, body) = lambda(at);
            items
                .iter()
                .map(|item| {
                    locals[parameters[0].index()] = item.clone();
                    self.value(body, locals)
                })
                .collect()
        };
        let yes = Value::Bool(true);
        Ok(match operation {
            Operation::ListCount => Value::Int(items.len() as i64),
            Operation::ListIsEmpty => Value::Bool(items.is_empty()),
            Operation::ListFirst => items.first().cloned().unwrap_or_default(),
            Operation::ListReverse => Value::list(items.into_iter().rev().collect()),
            Operation::ListConcat => {
                let other = self.value(&arguments[1], locals)?;
                Value::list(items.into_iter().chain(other.as_list().unwrap().to_vec()).collect())
            }
            Operation::ListTake => {
                let count = self.int(&arguments[1], locals)?.max(0) as usize;
                Value::list(items.into_iter().take(count).collect())
            }
            Operation::ListDistinct => {
                let mut seen: Vec<Value> = Vec::new();
                for item in items {
                    if !seen.contains(&item) {
                        seen.push(item);
                    }
                }
                Value::list(seen)
            }
            Operation::ListWhere => {
                let keep = each(1, locals)?;
                Value::list(
                    items.iter().zip(keep).filter(|(_, keep)| *keep == yes).map(|(item, _)| item.clone()).collect(),
                )
            }
            Operation::ListMap => Value::list(each(1, locals)?),
            Operation::ListFlatMap => {
                Value::list(each(1, locals)?.iter().flat_map(|list| list.as_list().unwrap().to_vec()).collect())
            }
            Operation::ListSort | Operation::ListSortDescending => {
                let mut keyed: Vec<(Value, Value)> = each(1, locals)?.into_iter().zip(items.clone()).collect();
                keyed.sort_by(|(a, _), (b, _)| match operation {
                    Operation::ListSort => a.cmp(b),
                    _ => b.cmp(a),
                });
                Value::list(keyed.into_iter().map(|(_, item)| item).collect())
            }
            Operation::ListGroup => {
                let keys = each(1, locals)?;
                let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
                for (key, item) in keys.into_iter().zip(items.clone()) {
                    match groups.iter_mut().find(|(other, _)| *other == key) {
                        Some((_, group)) => group.push(item),
                        None => groups.push((key, vec![item])),
                    }
                }
                Value::map(groups.into_iter().map(|(key, group)| (key, Value::list(group))))
            }
            Operation::ListToMap => {
                let mut map = ValueMap::new();
                let ((keys, key), (values, value)) = (lambda(1), lambda(2));
                for item in &items {
                    locals[keys[0].index()] = item.clone();
                    locals[values[0].index()] = item.clone();
                    let key = self.value(key, locals)?;
                    map.insert(key, self.value(value, locals)?);
                }
                Value::Map(map.into())
            }
            Operation::ListSum => {
                let zero = match expr.ty {
                    Type::Int => Value::Int(0),
                    _ => Value::Decimal(Decimal::ZERO),
                };
                let mut sum: Option<Value> = None;
                let (parameters, body) = lambda(1);
                for item in &items {
                    locals[parameters[0].index()] = item.clone();
                    let value = self.value(body, locals)?;
                    sum = Some(match sum {
                        None => value,
                        Some(sum) => add(&sum, &value).map_err(named)?,
                    });
                }
                sum.unwrap_or(zero)
            }
            Operation::ListMin | Operation::ListMax | Operation::ListMinBy | Operation::ListMaxBy => {
                let keys = each(1, locals)?;
                let wanted = match operation {
                    Operation::ListMin | Operation::ListMinBy => Ordering::Less,
                    _ => Ordering::Greater,
                };
                let mut best: Option<usize> = None;
                for at in 0..keys.len() {
                    if best.is_none_or(|best| keys[at].cmp(&keys[best]) == wanted) {
                        best = Some(at);
                    }
                }
                let from = if matches!(operation, Operation::ListMin | Operation::ListMax) { &keys } else { &items };
                best.map_or(Value::None, |at| from[at].clone())
            }
            Operation::ListAny | Operation::ListAll | Operation::ListFind => {
                let (parameters, body) = lambda(1);
                for item in &items {
                    locals[parameters[0].index()] = item.clone();
                    let holds = self.holds(body, locals)?;
                    match operation {
                        Operation::ListAny if holds => return Ok(yes),
                        Operation::ListAll if !holds => return Ok(Value::Bool(false)),
                        Operation::ListFind if holds => return Ok(item.clone()),
                        _ => {}
                    }
                }
                match operation {
                    Operation::ListAny => Value::Bool(false),
                    Operation::ListAll => yes,
                    _ => Value::None,
                }
            }
            Operation::ListFold => {
                let mut sum = self.value(&arguments[1], locals)?;
                let (parameters, body) = lambda(2);
                for item in &items {
                    locals[parameters[0].index()] = sum;
                    locals[parameters[1].index()] = item.clone();
                    sum = self.value(body, locals)?;
                }
                sum
            }
            Operation::ListAppend => {
                let element = self.value(&arguments[1], locals)?;
                Value::list(items.into_iter().chain([element]).collect())
            }
            Operation::Modulo => {
                let divisor = self.int(&arguments[1], locals)?;
                decimal::int::modulo(receiver.as_int().unwrap(), divisor).map(Value::Int).map_err(named)?
            }
            Operation::MapCount => match receiver {
                Value::Map(map) => Value::Int(map.len() as i64),
                other => panic!("the count of {other:?}"),
            },
            Operation::TextLength => Value::Int(receiver.as_text().unwrap().chars().count() as i64),
            other => panic!("{other:?} is not walked over"),
        })
    }
}

fn add(left: &Value, right: &Value) -> Result<Value, ArithmeticError> {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => decimal::int::add(*a, *b).map(Value::Int),
        (Value::Decimal(a), Value::Decimal(b)) => decimal::add(*a, *b).map(Value::Decimal),
        other => panic!("the sum of {other:?}"),
    }
}

fn compare(operator: BinaryOperator, left: &Value, right: &Value) -> Result<bool, Failed> {
    let order = || match (left, right) {
        (Value::Money(a), Value::Money(b)) => a.compare(*b).map_err(named),
        _ => Ok(left.cmp(right)),
    };
    let none = left.is_none() || right.is_none();
    Ok(match operator {
        BinaryOperator::Equal => left == right,
        BinaryOperator::NotEqual => left != right,
        _ if none => false,
        BinaryOperator::Less => order()?.is_lt(),
        BinaryOperator::LessOrEqual => order()?.is_le(),
        BinaryOperator::Greater => order()?.is_gt(),
        BinaryOperator::GreaterOrEqual => order()?.is_ge(),
        other => panic!("`{}` is no comparison", other.symbol()),
    })
}
