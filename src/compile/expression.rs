//! Expressions to instructions. Constants are folded on the way: an instruction whose operands are known
//! becomes its result, unless that would be a failure, which belongs to the run.

use super::arithmetic;
use super::body::Body;
use super::code::{Layout, TextPiece};
use super::instruction::{Comparison, Instruction, Operand, Register};
use crate::check::program::{Effect, Expr, ExprKind, LocalId, TextPart, Type};
use crate::library::Operation;
use crate::syntax::tree::BinaryOperator;
use crate::value::{RecordId, Value, display};

impl Body<'_, '_> {
    /// Where the value of an expression is; a new temporary where it has no place yet.
    pub fn operand(&mut self, expr: &Expr) -> Operand {
        self.value(expr, None)
    }

    /// Puts the value of an expression into a register. Nothing but the last instruction for it writes the
    /// register as long as the expression may read it, if `to` is a temporary.
    pub fn value_to(&mut self, expr: &Expr, to: Register) {
        let operand = self.value(expr, Some(to));
        let outer = std::mem::replace(&mut self.span, expr.span);
        self.copy(to, operand);
        self.span = outer;
    }

    /// Puts the values of expressions into new registers in a row; gives the first.
    pub fn window<'e>(&mut self, exprs: impl ExactSizeIterator<Item = &'e Expr>) -> Register {
        let start = self.temporaries(exprs.len());
        for (index, expr) in exprs.enumerate() {
            self.value_to(expr, start.saturating_add(index as u16));
        }
        start
    }

    /// The register of a local.
    pub fn local(&self, local: LocalId) -> Register {
        u16::try_from(local.0).unwrap_or(u16::MAX)
    }

    fn value(&mut self, expr: &Expr, to: Option<Register>) -> Operand {
        let outer = std::mem::replace(&mut self.span, expr.span);
        let operand = self.lower(expr, to);
        self.span = outer;
        operand
    }

    fn target(&mut self, to: Option<Register>) -> Register {
        to.unwrap_or_else(|| self.temporary())
    }

    fn lower(&mut self, expr: &Expr, to: Option<Register>) -> Operand {
        match &expr.kind {
            ExprKind::Value(value) => return self.constant(value.clone()),
            ExprKind::Local(local) => return Operand::register(self.local(*local)),
            ExprKind::Constant(id) => {
                if let Some(Some(value)) = self.compiler.constants.get(id.index()) {
                    let value = value.clone();
                    return self.constant(value);
                }
            }
            ExprKind::List(_) | ExprKind::Map(_) | ExprKind::Record(..) => {
                if let Some(value) = self.literal(expr) {
                    return self.constant(value);
                }
            }
            ExprKind::Binary(operator, left, right) => return self.binary(expr, *operator, left, right, to),
            ExprKind::Negate(value) => {
                return self.unary(value, to, arithmetic::negate, |to, value| Instruction::Negate { to, value });
            }
            ExprKind::ToDecimal(value) => {
                return self.unary(value, to, arithmetic::to_decimal, |to, value| Instruction::ToDecimal { to, value });
            }
            ExprKind::Not(value) => {
                let not = |value: &Value| Ok(Value::Bool(value != &Value::Bool(true)));
                return self.unary(value, to, not, |to, value| Instruction::Not { to, value });
            }
            ExprKind::Is(value, some) => {
                let is = |value: &Value| Ok(Value::Bool(value.is_none() != *some));
                let (value, some) = (value.as_ref(), *some);
                return self.unary(value, to, is, |to, value| match some {
                    true => Instruction::IsSome { to, value },
                    false => Instruction::IsNone { to, value },
                });
            }
            // A query is asked when it is met: what it gives is a list already.
            ExprKind::Load(inner) => return self.value(inner, to),
            _ => {}
        }
        let to = self.target(to);
        let mark = self.mark();
        self.lower_to(expr, to);
        self.release(mark);
        Operand::register(to)
    }

    /// The forms that always need instructions.
    fn lower_to(&mut self, expr: &Expr, to: Register) {
        match &expr.kind {
            ExprKind::Constant(id) => {
                self.emit(Instruction::Global { to, index: id.0 });
            }
            ExprKind::Text(parts) => self.text(parts, to),
            ExprKind::List(items) => self.list(items, to),
            ExprKind::Map(entries) => {
                let map = self.temporary();
                self.emit(Instruction::NewMap { to: map });
                let mark = self.mark();
                for (key, value) in entries {
                    let window = self.window([key, value].into_iter());
                    self.emit(Instruction::Insert { map, key: window });
                    self.release(mark);
                }
                self.emit(Instruction::Move { to, from: map });
            }
            ExprKind::Range(first, last) => {
                let (first, last) = (self.operand(first), self.operand(last));
                self.emit(Instruction::MakeRange { to, first, last });
            }
            ExprKind::Record(record, fields) => {
                let start = self.window(fields.iter());
                self.emit(Instruction::MakeRecord { to, start, record: record.0 });
            }
            ExprKind::With(record, changes) => {
                let changed = self.temporary();
                self.value_to(record, changed);
                let mark = self.mark();
                for (field, value) in changes {
                    let value = self.window([value].into_iter());
                    self.emit(Instruction::SetField { record: changed, field: *field as u16, value });
                    self.release(mark);
                }
                self.emit(Instruction::Move { to, from: changed });
            }
            ExprKind::Field(target, field) => {
                let target = self.operand(target);
                self.emit(Instruction::Field { to, target, field: *field as u16 });
            }
            ExprKind::FailureMessage(failure) => {
                let value = self.operand(failure);
                self.emit(Instruction::FailureMessage { to, value });
            }
            ExprKind::Follow(reference) => {
                let value = self.operand(reference);
                self.emit(Instruction::Follow { to, value });
            }
            ExprKind::Refer(record) => {
                let value = self.operand(record);
                self.emit(Instruction::Refer { to, value });
            }
            ExprKind::Guarded { target, local, then } => {
                let local = self.local(*local);
                self.value_to(target, local);
                let none = self.emit(Instruction::JumpIfNone { value: Operand::register(local), target: 0 });
                self.value_to(then, to);
                let end = self.emit(Instruction::Jump { target: 0 });
                self.land(none);
                let nothing = self.constant(Value::None);
                self.copy(to, nothing);
                self.land(end);
            }
            ExprKind::Index(target, index) => {
                let (target, index) = (self.operand(target), self.operand(index));
                self.emit(Instruction::Index { to, target, index });
            }
            ExprKind::Conditional(condition, then, otherwise) => {
                let jumps = self.jump_unless(condition);
                self.value_to(then, to);
                let end = self.emit(Instruction::Jump { target: 0 });
                self.land_all(jumps);
                self.value_to(otherwise, to);
                self.land(end);
            }
            ExprKind::Call(callable, arguments) => {
                let window = self.window(arguments.iter());
                match self.compiler.code.callables.get(callable.index()) {
                    Some(chunk) => self.emit(Instruction::Call { chunk: chunk.0, window, to }),
                    None => self.refuse("a function that is not there"),
                };
            }
            ExprKind::Decide(table, arguments) => {
                let window = self.window(arguments.iter());
                match self.compiler.code.tables.get(table.index()) {
                    Some(table) => self.emit(Instruction::Call { chunk: table.chunk.0, window, to }),
                    None => self.refuse("a table that is not there"),
                };
            }
            ExprKind::Template(template, arguments) => {
                let window = self.window(arguments.iter());
                match self.compiler.templates.get(template.index()) {
                    Some(chunk) => self.emit(Instruction::Call { chunk: chunk.0, window, to }),
                    None => self.refuse("a template that is not there"),
                };
            }
            ExprKind::Perform(operation, arguments) => self.perform(expr, *operation, arguments, to),
            ExprKind::All(_) | ExprKind::Load(_) => {
                if !self.query(expr, to) {
                    self.refuse("a query that can't be asked");
                }
            }
            ExprKind::Get(entity, key) => {
                let key = self.operand(key);
                self.emit(Instruction::Get { to, key, entity: entity.0 });
            }
            ExprKind::Has(entity, key) => {
                let key = self.operand(key);
                self.emit(Instruction::Has { to, key, entity: entity.0 });
            }
            ExprKind::Create(entity, fields) => {
                let given: Vec<(usize, &Expr)> =
                    fields.iter().enumerate().filter_map(|(field, expr)| Some((field, expr.as_ref()?))).collect();
                let start = self.window(given.iter().map(|(_, expr)| *expr));
                let layout = self.layout(*entity, given.into_iter().map(|(field, _)| field).collect());
                self.emit(Instruction::Create { to, start, layout });
            }
            ExprKind::Update(record, changes) => {
                let target = self.operand(record);
                let start = self.window(changes.iter().map(|(_, expr)| expr));
                let entity = match record.ty {
                    Type::Record(id) | Type::Reference(id) => id,
                    _ => RecordId(u32::MAX),
                };
                let layout = self.layout(entity, changes.iter().map(|(field, _)| *field).collect());
                self.emit(Instruction::Update { to, target, start, layout });
            }
            ExprKind::Delete(record) => {
                let target = self.operand(record);
                self.emit(Instruction::Delete { target });
                let nothing = self.constant(Value::None);
                self.copy(to, nothing);
            }
            ExprKind::Run(..) => {
                self.refuse("`run` inside of something else: give it a step of its own");
            }
            ExprKind::Start(flow, arguments) if self.starts_flows => {
                let start = self.window(arguments.iter());
                self.emit(Instruction::Start { flow: flow.0, count: arguments.len() as u16, to, start });
            }
            ExprKind::Start(..) => {
                self.refuse("`start` inside of something else: give it a line of its own");
            }
            ExprKind::Wait(_) => {
                self.refuse("waiting inside of something else: give it a step of its own");
            }
            // A lambda or type is looked at by the primitive that takes it.
            ExprKind::Lambda(..) | ExprKind::TypeArgument(_) => {
                let nothing = self.constant(Value::None);
                self.copy(to, nothing);
            }
            ExprKind::Value(_)
            | ExprKind::Local(_)
            | ExprKind::Binary(..)
            | ExprKind::Negate(_)
            | ExprKind::ToDecimal(_)
            | ExprKind::Not(_)
            | ExprKind::Is(..) => {
                let operand = self.lower(expr, Some(to));
                self.copy(to, operand);
            }
        }
    }

    /// Fails when it is reached.
    pub fn refuse(&mut self, reason: &str) -> usize {
        let reason = self.compiler.constant(Value::text(reason));
        self.emit(Instruction::Refuse { reason })
    }

    fn layout(&mut self, entity: RecordId, fields: Vec<usize>) -> u32 {
        let layout = Layout { entity, fields };
        let layouts = &mut self.compiler.code.layouts;
        let index = layouts.iter().position(|other| *other == layout).unwrap_or_else(|| {
            layouts.push(layout);
            layouts.len() - 1
        });
        index as u32
    }

    /// The value of an expression that is made of values alone.
    pub fn literal(&self, expr: &Expr) -> Option<Value> {
        let all = |exprs: &[Expr]| exprs.iter().rev().map(|expr| self.literal(expr)).collect::<Option<Vec<_>>>();
        let forwards = |mut values: Vec<Value>| {
            values.reverse();
            values
        };
        Some(match &expr.kind {
            ExprKind::Value(value) => value.clone(),
            ExprKind::Constant(id) => self.compiler.constants.get(id.index())?.clone()?,
            ExprKind::Negate(value) => arithmetic::negate(&self.literal(value)?).ok()?,
            ExprKind::ToDecimal(value) => arithmetic::to_decimal(&self.literal(value)?).ok()?,
            ExprKind::Binary(operator, left, right) => {
                let (right, left) = (self.literal(right)?, self.literal(left)?);
                fold(*operator, &left, &right)?
            }
            ExprKind::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        TextPart::Characters(characters) => text.push_str(characters),
                        TextPart::Value(value) => {
                            text.push_str(&display(&self.literal(value)?, &self.compiler.code.names));
                        }
                    }
                }
                Value::from(text)
            }
            ExprKind::List(items) => Value::list(forwards(all(items)?)),
            ExprKind::Record(record, fields) => Value::record(*record, forwards(all(fields)?)),
            ExprKind::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| Some((self.literal(key)?, self.literal(value)?)))
                    .collect::<Option<Vec<_>>>();
                Value::map(entries?)
            }
            _ => return None,
        })
    }

    fn list(&mut self, items: &[Expr], to: Register) {
        // Few elements lie in a row of registers; many are pushed, since registers are counted.
        const FEW: usize = 64;
        if items.len() <= FEW {
            let start = self.window(items.iter());
            self.emit(Instruction::MakeList { to, start, count: items.len() as u16 });
            return;
        }
        let list = self.temporary();
        let empty = self.constant(Value::list(Vec::new()));
        self.emit(Instruction::NewList { to: list, like: empty });
        let mark = self.mark();
        for item in items {
            let value = self.window([item].into_iter());
            self.emit(Instruction::Push { list, value });
            self.release(mark);
        }
        self.emit(Instruction::Move { to, from: list });
    }

    fn text(&mut self, parts: &[TextPart], to: Register) {
        let mut pieces = Vec::new();
        let mut values = Vec::new();
        for part in parts {
            match part {
                TextPart::Characters(characters) => pieces.push(TextPiece::Characters(characters.clone())),
                TextPart::Value(value) => match self.literal(value) {
                    Some(value) => {
                        let shown = display(&value, &self.compiler.code.names);
                        pieces.push(TextPiece::Characters(shown.into()));
                    }
                    None => {
                        pieces.push(TextPiece::Value);
                        values.push(value);
                    }
                },
            }
        }
        if values.is_empty() {
            let all: String = pieces
                .iter()
                .map(|piece| match piece {
                    TextPiece::Characters(characters) => characters.as_str(),
                    TextPiece::Value => "",
                })
                .collect();
            let text = self.constant(Value::from(all));
            self.copy(to, text);
            return;
        }
        let start = self.window(values.into_iter());
        let texts = &mut self.compiler.code.texts;
        texts.push(pieces);
        let pieces = texts.len() as u32 - 1;
        self.emit(Instruction::Interpolate { to, start, pieces });
    }

    fn unary(
        &mut self,
        value: &Expr,
        to: Option<Register>,
        fold: impl Fn(&Value) -> Result<Value, arithmetic::Trouble>,
        instruction: impl Fn(Register, Operand) -> Instruction,
    ) -> Operand {
        let to = self.target(to);
        let mark = self.mark();
        let operand = self.operand(value);
        if let Some(Ok(value)) = self.known(operand).map(fold) {
            return self.constant(value);
        }
        self.release(mark);
        self.emit(instruction(to, operand));
        Operand::register(to)
    }

    fn binary(
        &mut self,
        expr: &Expr,
        operator: BinaryOperator,
        left: &Expr,
        right: &Expr,
        to: Option<Register>,
    ) -> Operand {
        let to = self.target(to);
        let mark = self.mark();
        match operator {
            BinaryOperator::And | BinaryOperator::Or => {
                // The value of a condition: true where it holds.
                let jumps = self.jump_unless(expr);
                let yes = self.constant(Value::Bool(true));
                self.copy(to, yes);
                let end = self.emit(Instruction::Jump { target: 0 });
                self.land_all(jumps);
                let no = self.constant(Value::Bool(false));
                self.copy(to, no);
                self.land(end);
                self.release(mark);
                return Operand::register(to);
            }
            BinaryOperator::OrElse => {
                let first = self.temporary();
                self.value_to(left, first);
                let some = self.emit(Instruction::JumpIfSome { value: Operand::register(first), target: 0 });
                self.value_to(right, first);
                self.land(some);
                self.release(mark);
                self.emit(Instruction::Move { to, from: first });
                return Operand::register(to);
            }
            BinaryOperator::In => {
                let value = self.operand(left);
                if let ExprKind::Range(first, last) = &right.kind {
                    return self.in_range(to, mark, value, first, last);
                }
                let list = self.operand(right);
                self.release(mark);
                self.emit(Instruction::In { to, value, list });
                return Operand::register(to);
            }
            _ => {}
        }
        let (a, b) = (self.operand(left), self.operand(right));
        if let (Some(x), Some(y)) = (self.known(a), self.known(b))
            && let Some(value) = fold(operator, x, y)
        {
            return self.constant(value);
        }
        self.release(mark);
        let (left_type, right_type) = (&left.ty, &right.ty);
        let both = |ty: &Type| left_type == ty && right_type == ty;
        let money = matches!((left_type, right_type), (Type::Money(_), Type::Money(_)));
        let (left, right) = (a, b);
        let instruction = match operator {
            BinaryOperator::Add if both(&Type::Int) => Instruction::AddInt { to, left, right },
            BinaryOperator::Subtract if both(&Type::Int) => Instruction::SubtractInt { to, left, right },
            BinaryOperator::Multiply if both(&Type::Int) => Instruction::MultiplyInt { to, left, right },
            BinaryOperator::Add if both(&Type::Decimal) => Instruction::AddDecimal { to, left, right },
            BinaryOperator::Subtract if both(&Type::Decimal) => Instruction::SubtractDecimal { to, left, right },
            BinaryOperator::Multiply if both(&Type::Decimal) => Instruction::MultiplyDecimal { to, left, right },
            BinaryOperator::Divide if both(&Type::Decimal) => Instruction::DivideDecimal { to, left, right },
            BinaryOperator::Add if money => Instruction::AddMoney { to, left, right },
            BinaryOperator::Subtract if money => Instruction::SubtractMoney { to, left, right },
            BinaryOperator::Add => Instruction::Add { to, left, right },
            BinaryOperator::Subtract => Instruction::Subtract { to, left, right },
            BinaryOperator::Multiply => Instruction::Multiply { to, left, right },
            BinaryOperator::Divide => Instruction::Divide { to, left, right },
            other => match (comparison(other), both(&Type::Int)) {
                (Some(comparison), true) => Instruction::CompareInt { comparison, to, left, right },
                (Some(comparison), false) => Instruction::Compare { comparison, to, left, right },
                (None, _) => Instruction::Copy { to, from: left },
            },
        };
        self.emit(instruction);
        Operand::register(to)
    }

    /// `value in first..last`, without making the list.
    fn in_range(&mut self, to: Register, mark: usize, value: Operand, first: &Expr, last: &Expr) -> Operand {
        let (first, last) = (self.operand(first), self.operand(last));
        self.emit(Instruction::CompareInt { comparison: Comparison::GreaterOrEqual, to, left: value, right: first });
        let end = self.emit(Instruction::JumpUnless { value: Operand::register(to), target: 0 });
        self.emit(Instruction::CompareInt { comparison: Comparison::LessOrEqual, to, left: value, right: last });
        self.land(end);
        self.release(mark);
        Operand::register(to)
    }

    /// Jumps that are taken unless a condition holds; behind them, it holds.
    pub fn jump_unless(&mut self, condition: &Expr) -> Vec<usize> {
        let mut jumps = Vec::new();
        self.condition(condition, &mut jumps);
        jumps
    }

    /// Lets jumps lead here.
    pub fn land_all(&mut self, jumps: Vec<usize>) {
        for jump in jumps {
            self.land(jump);
        }
    }

    fn condition(&mut self, condition: &Expr, unless: &mut Vec<usize>) {
        let outer = std::mem::replace(&mut self.span, condition.span);
        let mark = self.mark();
        match &condition.kind {
            ExprKind::Binary(BinaryOperator::And, left, right) => {
                self.condition(left, unless);
                self.condition(right, unless);
            }
            ExprKind::Binary(BinaryOperator::Or, left, right) => {
                let mut try_right = Vec::new();
                self.condition(left, &mut try_right);
                let holds = self.emit(Instruction::Jump { target: 0 });
                self.land_all(try_right);
                self.condition(right, unless);
                self.land(holds);
            }
            ExprKind::Not(inner) => {
                let mut fails = Vec::new();
                self.condition(inner, &mut fails);
                unless.push(self.emit(Instruction::Jump { target: 0 }));
                self.land_all(fails);
            }
            ExprKind::Is(value, some) => {
                let value = self.operand(value);
                unless.push(match some {
                    true => self.emit(Instruction::JumpIfNone { value, target: 0 }),
                    false => self.emit(Instruction::JumpIfSome { value, target: 0 }),
                });
            }
            ExprKind::Binary(operator, left, right) if comparison(*operator).is_some() => {
                let ints = left.ty == Type::Int && right.ty == Type::Int;
                let (left, right) = (self.operand(left), self.operand(right));
                if let Some(comparison) = comparison(*operator) {
                    unless.push(match ints {
                        true => self.emit(Instruction::JumpUnlessInt { comparison, left, right, target: 0 }),
                        false => self.emit(Instruction::JumpUnlessCompare { comparison, left, right, target: 0 }),
                    });
                }
            }
            _ => {
                let value = self.operand(condition);
                unless.push(self.emit(Instruction::JumpUnless { value, target: 0 }));
            }
        }
        self.release(mark);
        self.span = outer;
    }

    /// A primitive: a loop in this frame where it takes a function, else a call of the machine or the host.
    fn perform(&mut self, expr: &Expr, operation: Operation, arguments: &[Expr], to: Register) {
        if self.query(expr, to) || self.list_operation(expr, operation, arguments, to) {
            return;
        }
        let ty = arguments.iter().find_map(|argument| match &argument.kind {
            ExprKind::TypeArgument(ty) => Some(self.type_argument(ty)),
            // An empty list doesn't tell what its rows would be: the head of the file is known all the same.
            _ if matches!(operation, Operation::CsvWrite | Operation::ExcelWrite) => match &argument.ty {
                Type::List(row) => Some(self.type_argument(row)),
                _ => None,
            },
            _ => None,
        });
        let start = self.window(arguments.iter());
        let count = arguments.len() as u8;
        // JSON needs the names of types, which the task executor knows.
        let pure = operation.primitive().effect == Effect::Pure
            && !matches!(operation, Operation::JsonParse | Operation::JsonText);
        self.emit(match pure {
            true => Instruction::Perform { operation, count, to, start },
            false => Instruction::Ask { operation, count, to, start, ty: ty.unwrap_or(0) },
        });
    }

    fn type_argument(&mut self, ty: &Type) -> u16 {
        let types = &mut self.compiler.code.types;
        let index = types.iter().position(|other| other == ty).unwrap_or_else(|| {
            types.push(ty.clone());
            types.len() - 1
        });
        u16::try_from(index + 1).unwrap_or(0)
    }
}

/// How an operator compares, if it does.
pub(super) fn comparison(operator: BinaryOperator) -> Option<Comparison> {
    Some(match operator {
        BinaryOperator::Equal => Comparison::Equal,
        BinaryOperator::NotEqual => Comparison::NotEqual,
        BinaryOperator::Less => Comparison::Less,
        BinaryOperator::LessOrEqual => Comparison::LessOrEqual,
        BinaryOperator::Greater => Comparison::Greater,
        BinaryOperator::GreaterOrEqual => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

/// The value of an operator between known values; none when it fails or is none of arithmetic and comparison.
fn fold(operator: BinaryOperator, left: &Value, right: &Value) -> Option<Value> {
    match operator {
        BinaryOperator::Add => arithmetic::add(left, right).ok(),
        BinaryOperator::Subtract => arithmetic::subtract(left, right).ok(),
        BinaryOperator::Multiply => arithmetic::multiply(left, right).ok(),
        BinaryOperator::Divide => arithmetic::divide(left, right).ok(),
        _ => arithmetic::compare(comparison(operator)?, left, right).ok().map(Value::Bool),
    }
}
