//! The loop that executes instructions.

use super::elements::{average, element, is_better, show, sort};
use super::machine::{Call, Machine, Target, failed, place};
use super::memory;
use super::method;
use super::problem::{Problem, Result, failure_message};
use super::registers::{Registers, forget};
use super::{Failure, Host};
use crate::compile::arithmetic;
use crate::compile::code::{Chunk, TextPiece};
use crate::compile::instruction::{Comparison, Instruction, Operand, Place};
use crate::compile::table::OutcomeCode;
use crate::value::{Decimal, ErrorId, RecordId, RecordValue, Value, ValueMap, display};
use std::cmp::Ordering;
use std::sync::Arc;

impl<'c> Machine<'c> {
    /// Executes until the first chunk ends. The error has the chunk and the position behind the instruction that failed.
    pub(super) fn steps(
        &mut self,
        stack: &mut Vec<Value>,
        first: &'c Chunk,
        host: &mut dyn Host,
    ) -> std::result::Result<Value, (Problem, &'c Chunk, usize)> {
        let code = self.code;
        let mut chunk = first;
        let mut at = 0_usize;
        let mut base = 0_usize;
        'frames: loop {
            let end = base + usize::from(chunk.registers);
            if stack.len() < end {
                stack.resize(end.max(64), Value::None);
            }
            let values = stack.get_mut(base..end).unwrap_or_default();
            let mut frame = Registers { values, constants: &code.constants };
            macro_rules! attempt {
                ($result:expr) => {
                    match $result {
                        Ok(value) => value,
                        Err(problem) => return Err((problem, chunk, at)),
                    }
                };
            }
            macro_rules! fail {
                ($problem:expr) => {
                    return Err(($problem, chunk, at))
                };
            }
            // The registers are as they should be when it is used: counting goes on behind the instruction.
            macro_rules! charge {
                ($bytes:expr) => {
                    self.made += $bytes;
                    if self.made > self.count_at {
                        break None;
                    }
                };
            }
            macro_rules! numbers {
                ($to:ident, $left:ident, $right:ident, $kind:ident, $fast:expr, $symbol:literal, $slow:path) => {{
                    let result = match (frame.get($left), frame.get($right)) {
                        (Value::$kind(left), Value::$kind(right)) => match $fast(*left, *right) {
                            Some(result) => Value::$kind(result),
                            None => fail!(Problem::Overflow($symbol)),
                        },
                        (left, right) => {
                            attempt!($slow(left, right).map_err(|trouble| Problem::trouble(trouble, $symbol)))
                        }
                    };
                    frame.set($to, result);
                }};
            }
            macro_rules! general {
                ($to:ident, $left:ident, $right:ident, $symbol:literal, $operation:path) => {{
                    let result = $operation(frame.get($left), frame.get($right));
                    let result = attempt!(result.map_err(|trouble| Problem::trouble(trouble, $symbol)));
                    frame.set($to, result);
                }};
            }
            let ended = loop {
                let Some(instruction) = chunk.instructions.get(at) else { break Some(Value::None) };
                at += 1;
                match *instruction {
                    Instruction::Copy { to, from } => {
                        let value = frame.get(from).clone();
                        frame.set(to, value);
                    }
                    Instruction::Move { to, from } => {
                        let value = frame.take(from);
                        frame.set(to, value);
                    }
                    Instruction::Constant { to, index } => {
                        let value = code.constants.get(index as usize).cloned().unwrap_or_default();
                        frame.set(to, value);
                    }
                    Instruction::Global { to, index } => match self.globals.get(index as usize) {
                        Some(Some(value)) => frame.set(to, value.clone()),
                        _ => {
                            let global = code.globals.get(index as usize).copied().flatten();
                            let Some(callee) = global.and_then(|global| code.chunks.get(global.0 as usize)) else {
                                fail!(Problem::broken("a constant that is not there"));
                            };
                            attempt!(self.enter(Call { chunk, at, base, to: Target::Global(index, to) }));
                            base = end;
                            chunk = callee;
                            at = 0;
                            continue 'frames;
                        }
                    },

                    Instruction::Jump { target } => {
                        let target = target as usize;
                        if target < at {
                            attempt!(self.round());
                        }
                        at = target;
                    }
                    Instruction::JumpIf { value, target } => {
                        if matches!(frame.get(value), Value::Bool(true)) {
                            at = target as usize;
                        }
                    }
                    Instruction::JumpUnless { value, target } => {
                        if !matches!(frame.get(value), Value::Bool(true)) {
                            at = target as usize;
                        }
                    }
                    Instruction::JumpIfNone { value, target } => {
                        if frame.get(value).is_none() {
                            at = target as usize;
                        }
                    }
                    Instruction::JumpIfSome { value, target } => {
                        if !frame.get(value).is_none() {
                            at = target as usize;
                        }
                    }
                    Instruction::JumpUnlessInt { comparison, left, right, target } => {
                        let holds = match (frame.get(left), frame.get(right)) {
                            (Value::Int(left), Value::Int(right)) => holds(comparison, *left, *right),
                            (left, right) => attempt!(compare(comparison, left, right)),
                        };
                        if !holds {
                            at = target as usize;
                        }
                    }
                    Instruction::JumpUnlessCompare { comparison, left, right, target } => {
                        if !attempt!(compare(comparison, frame.get(left), frame.get(right))) {
                            at = target as usize;
                        }
                    }
                    Instruction::Call { chunk: callee, window, to } => {
                        let Some(callee) = code.chunks.get(callee as usize) else {
                            fail!(Problem::broken("a chunk that is not there"));
                        };
                        attempt!(self.enter(Call { chunk, at, base, to: Target::Register(to) }));
                        base += usize::from(window);
                        chunk = callee;
                        at = 0;
                        continue 'frames;
                    }
                    Instruction::Return { value } => {
                        break Some(match value.place() {
                            Place::Register(register) => frame.take(register),
                            Place::Constant(_) => frame.get(value).clone(),
                        });
                    }
                    Instruction::ReturnNothing => break Some(Value::None),
                    Instruction::Fail { error, start } => {
                        let count = code.errors.get(error as usize).map_or(0, |error| error.fields.len());
                        let fields = frame.take_window(start, count);
                        let failure =
                            Failure { error: ErrorId(error), fields, span: place(chunk, at), trace: Vec::new() };
                        fail!(Problem::Failed(Box::new(failure)));
                    }
                    Instruction::FailNoArm { value } => {
                        let input = display::written(frame.get(value), &code.names);
                        fail!(Problem::NoRow("match".into(), input));
                    }
                    Instruction::Refuse { reason } => {
                        let reason = code.constants.get(reason as usize).and_then(Value::as_text).unwrap_or("");
                        fail!(Problem::Limit(reason.to_string()));
                    }

                    Instruction::AddInt { to, left, right } => {
                        numbers!(to, left, right, Int, i64::checked_add, "+", arithmetic::add);
                    }
                    Instruction::SubtractInt { to, left, right } => {
                        numbers!(to, left, right, Int, i64::checked_sub, "-", arithmetic::subtract);
                    }
                    Instruction::MultiplyInt { to, left, right } => {
                        numbers!(to, left, right, Int, i64::checked_mul, "*", arithmetic::multiply);
                    }
                    Instruction::AddDecimal { to, left, right } => {
                        numbers!(to, left, right, Decimal, Decimal::checked_add, "+", arithmetic::add);
                    }
                    Instruction::SubtractDecimal { to, left, right } => {
                        numbers!(to, left, right, Decimal, Decimal::checked_sub, "-", arithmetic::subtract);
                    }
                    Instruction::MultiplyDecimal { to, left, right } => {
                        numbers!(to, left, right, Decimal, Decimal::checked_mul, "*", arithmetic::multiply);
                    }
                    Instruction::DivideDecimal { to, left, right } => {
                        general!(to, left, right, "/", arithmetic::divide);
                    }
                    Instruction::AddMoney { to, left, right } => general!(to, left, right, "+", arithmetic::add),
                    Instruction::SubtractMoney { to, left, right } => {
                        general!(to, left, right, "-", arithmetic::subtract);
                    }
                    Instruction::Add { to, left, right } => {
                        attempt!(self.fits(frame.get(left), frame.get(right)));
                        general!(to, left, right, "+", arithmetic::add);
                        let made = memory::shallow(frame.get(Operand::register(to)));
                        charge!(made);
                    }
                    Instruction::Subtract { to, left, right } => {
                        general!(to, left, right, "-", arithmetic::subtract);
                    }
                    Instruction::Multiply { to, left, right } => {
                        general!(to, left, right, "*", arithmetic::multiply);
                    }
                    Instruction::Divide { to, left, right } => general!(to, left, right, "/", arithmetic::divide),
                    Instruction::Negate { to, value } => {
                        let value = arithmetic::negate(frame.get(value));
                        frame.set(to, attempt!(value.map_err(|trouble| Problem::trouble(trouble, "-"))));
                    }
                    Instruction::Not { to, value } => {
                        let value = !matches!(frame.get(value), Value::Bool(true));
                        frame.set(to, Value::Bool(value));
                    }
                    Instruction::ToDecimal { to, value } => {
                        let value = arithmetic::to_decimal(frame.get(value));
                        frame.set(to, attempt!(value.map_err(|trouble| Problem::trouble(trouble, "to_decimal"))));
                    }

                    Instruction::CompareInt { comparison, to, left, right } => {
                        let result = match (frame.get(left), frame.get(right)) {
                            (Value::Int(left), Value::Int(right)) => holds(comparison, *left, *right),
                            (left, right) => attempt!(compare(comparison, left, right)),
                        };
                        frame.set(to, Value::Bool(result));
                    }
                    Instruction::Compare { comparison, to, left, right } => {
                        let result = attempt!(compare(comparison, frame.get(left), frame.get(right)));
                        frame.set(to, Value::Bool(result));
                    }
                    Instruction::In { to, value, list } => {
                        let value = frame.get(value);
                        let (found, looked) = match frame.get(list) {
                            Value::List(list) => (list.contains(value), list.len()),
                            Value::Map(map) => (map.contains_key(value), 1),
                            Value::Text(text) => (text.contains(value.as_text().unwrap_or("")), text.len() / 8),
                            _ => (false, 0),
                        };
                        attempt!(self.many_rounds(looked / 8));
                        frame.set(to, Value::Bool(found));
                    }
                    Instruction::IsNone { to, value } => {
                        let value = frame.get(value).is_none();
                        frame.set(to, Value::Bool(value));
                    }
                    Instruction::IsSome { to, value } => {
                        let value = !frame.get(value).is_none();
                        frame.set(to, Value::Bool(value));
                    }

                    Instruction::MakeList { to, start, count } => {
                        let items = frame.take_window(start, usize::from(count));
                        let made = items.len() * size_of::<Value>();
                        frame.set(to, Value::list(items));
                        charge!(made);
                    }
                    Instruction::NewList { to, like } => {
                        let room = frame.get(like).as_list().map_or(0, <[Value]>::len);
                        frame.set(to, Value::list(Vec::with_capacity(room)));
                    }
                    Instruction::Push { list, value } => {
                        let value = frame.take(value);
                        let Some(Value::List(list)) = frame.get_mut(list) else {
                            fail!(Problem::broken("something is put into what is no list"));
                        };
                        let list = Arc::make_mut(list);
                        list.push(value);
                        let length = list.len();
                        attempt!(self.length(length));
                        charge!(size_of::<Value>());
                    }
                    Instruction::Extend { list, other } => {
                        let other = match frame.get(other) {
                            Value::List(other) => Arc::clone(other),
                            _ => Arc::default(),
                        };
                        let Some(Value::List(list)) = frame.get_mut(list) else {
                            fail!(Problem::broken("something is put into what is no list"));
                        };
                        attempt!(self.length(list.len() + other.len()));
                        Arc::make_mut(list).extend_from_slice(&other);
                        attempt!(self.many_rounds(other.len() / 8));
                        charge!(other.len() * size_of::<Value>());
                    }
                    Instruction::MakeRange { to, first, last } => {
                        let (Value::Int(first), Value::Int(last)) = (frame.get(first), frame.get(last)) else {
                            fail!(Problem::broken("a range of something else than whole numbers"));
                        };
                        let Some(items) = arithmetic::range(*first, *last, self.limits.list_length) else {
                            fail!(Problem::Limit("the length of a list".into()));
                        };
                        attempt!(self.many_rounds(items.len() / 8));
                        let made = items.len() * size_of::<Value>();
                        frame.set(to, Value::list(items));
                        charge!(made);
                    }
                    Instruction::NewMap { to } => frame.set(to, Value::Map(Arc::new(ValueMap::new()))),
                    Instruction::Insert { map, key } => {
                        let (key, value) = (frame.take(key), frame.take(key + 1));
                        let Some(Value::Map(map)) = frame.get_mut(map) else {
                            fail!(Problem::broken("something is put into what is no map"));
                        };
                        let map = Arc::make_mut(map);
                        map.insert(key, value);
                        let length = map.len();
                        attempt!(self.length(length));
                        charge!(3 * size_of::<Value>());
                    }
                    Instruction::Gather { map, key, element } => {
                        let (key, element) = (frame.take(key), frame.take(element));
                        let Some(Value::Map(map)) = frame.get_mut(map) else {
                            fail!(Problem::broken("something is put into what is no map"));
                        };
                        let group = Arc::make_mut(map).entry(key).or_insert_with(|| Value::list(Vec::new()));
                        if let Value::List(group) = group {
                            Arc::make_mut(group).push(element);
                        }
                        charge!(2 * size_of::<Value>());
                    }
                    Instruction::Sort { list, keys, descending } => {
                        let keys = frame.take(keys);
                        let Some(Value::List(list)) = frame.get_mut(list) else {
                            fail!(Problem::broken("something is sorted that is no list"));
                        };
                        let sorted = attempt!(sort(list, keys.as_list().unwrap_or(&[]), descending));
                        let length = sorted.len();
                        *list = Arc::new(sorted);
                        attempt!(self.many_rounds(length));
                        charge!(length * size_of::<Value>());
                    }
                    Instruction::Index { to, target, index } => {
                        let value = attempt!(element(frame.get(target), frame.get(index)));
                        frame.set(to, value);
                    }
                    Instruction::NextElement { list, index, to, end } => {
                        let position = match frame.get_mut(index) {
                            Some(Value::Int(next)) => {
                                let position = *next;
                                *next = position.wrapping_add(1);
                                position as usize
                            }
                            _ => fail!(Problem::broken("a loop without a count")),
                        };
                        match frame.get(list) {
                            Value::List(list) => match list.get(position) {
                                Some(value) => {
                                    let value = value.clone();
                                    frame.set(to, value);
                                }
                                None => at = end as usize,
                            },
                            // A map that is gone through with one name gives its keys.
                            Value::Map(map) => match map.get_index(position) {
                                Some((key, _)) => {
                                    let key = key.clone();
                                    frame.set(to, key);
                                }
                                None => at = end as usize,
                            },
                            _ => at = end as usize,
                        }
                    }
                    Instruction::NextEntry { map, index, to, value, end } => {
                        let position = match frame.get_mut(index) {
                            Some(Value::Int(next)) => {
                                let position = *next;
                                *next = position.wrapping_add(1);
                                position as usize
                            }
                            _ => fail!(Problem::broken("a loop without a count")),
                        };
                        let entry = match frame.get(map) {
                            Value::Map(map) => map.get_index(position).map(|(key, value)| (key.clone(), value.clone())),
                            // A list that is gone through with two names gives positions and elements.
                            Value::List(list) => {
                                list.get(position).map(|value| (Value::Int(position as i64), value.clone()))
                            }
                            _ => None,
                        };
                        match entry {
                            Some((key, entry)) => {
                                frame.set(to, key);
                                frame.set(value, entry);
                            }
                            None => at = end as usize,
                        }
                    }
                    Instruction::NextInt { next, last, to, end } => {
                        let last = frame.get(last).as_int().unwrap_or(i64::MIN);
                        match frame.get_mut(next) {
                            Some(value @ Value::Int(_)) => {
                                let current = value.as_int().unwrap_or(0);
                                if current > last {
                                    at = end as usize;
                                } else {
                                    // Behind the greatest number comes the end, too.
                                    *value = current.checked_add(1).map_or(Value::None, Value::Int);
                                    frame.set(to, Value::Int(current));
                                }
                            }
                            _ => at = end as usize,
                        }
                    }

                    Instruction::Accumulate { sum, value } => {
                        let value = frame.get(value);
                        let result = match frame.get(Operand::register(sum)) {
                            Value::None => value.clone(),
                            Value::Int(sum) if matches!(value, Value::Int(_)) => {
                                match sum.checked_add(value.as_int().unwrap_or(0)) {
                                    Some(sum) => Value::Int(sum),
                                    None => fail!(Problem::Overflow("sum")),
                                }
                            }
                            sum => {
                                attempt!(
                                    arithmetic::add(sum, value).map_err(|trouble| Problem::trouble(trouble, "sum"))
                                )
                            }
                        };
                        frame.set(sum, result);
                    }
                    Instruction::EndSum { sum, zero } => {
                        if frame.get(Operand::register(sum)).is_none() {
                            let zero = frame.get(zero).clone();
                            if zero.is_none() {
                                fail!(Problem::BadValue("the sum of no amounts has no currency".into()));
                            }
                            frame.set(sum, zero);
                        }
                    }
                    Instruction::EndAverage { sum, list } => {
                        let count = frame.get(list).as_list().map_or(0, <[Value]>::len);
                        let total = frame.take(sum);
                        frame.set(sum, attempt!(average(total, count)));
                    }
                    Instruction::Least { best, value } => {
                        if attempt!(is_better(&frame, best, value, Ordering::Less)) {
                            let value = frame.get(value).clone();
                            frame.set(best, value);
                        }
                    }
                    Instruction::Greatest { best, value } => {
                        if attempt!(is_better(&frame, best, value, Ordering::Greater)) {
                            let value = frame.get(value).clone();
                            frame.set(best, value);
                        }
                    }

                    Instruction::MakeRecord { to, start, record } => {
                        let count = code.records.get(record as usize).map_or(0, |record| record.fields.len());
                        let fields: Box<[Value]> = frame.window(start, count).iter_mut().map(std::mem::take).collect();
                        let value = Value::record(RecordId(record), fields);
                        attempt!(self.nested(record, &value));
                        frame.set(to, value);
                        charge!((count + 2) * size_of::<Value>());
                    }
                    Instruction::SetField { record, field, value } => {
                        let value = frame.take(value);
                        let place = record;
                        if let Some(Value::Record(record)) = frame.get_mut(record)
                            && let Some(place) = Arc::<RecordValue>::make_mut(record).fields.get_mut(usize::from(field))
                        {
                            *place = value;
                        }
                        let changed = frame.get(Operand::register(place));
                        if let Value::Record(record) = changed {
                            attempt!(self.nested(record.type_id.0, changed));
                        }
                    }
                    Instruction::Field { to, target, field } => {
                        let value = match frame.get(target) {
                            Value::Record(record) => record.fields.get(usize::from(field)),
                            Value::Failure(failure) => failure.fields.get(usize::from(field)),
                            _ => None,
                        };
                        let Some(value) = value.cloned() else {
                            fail!(Problem::broken("a field of something that has none"));
                        };
                        frame.set(to, value);
                    }
                    Instruction::FailureMessage { to, value } => {
                        let message = match frame.get(value) {
                            Value::Failure(failure) => failure_message(failure.error, &failure.fields, &code.names),
                            _ => String::new(),
                        };
                        frame.set(to, Value::from(message));
                    }

                    Instruction::Interpolate { to, start, pieces } => {
                        self.buffer.clear();
                        let mut next = usize::from(start);
                        for piece in code.texts.get(pieces as usize).into_iter().flatten() {
                            match piece {
                                TextPiece::Characters(characters) => self.buffer.push_str(characters),
                                TextPiece::Value => {
                                    if let Some(value) = frame.values.get(next) {
                                        show(value, &mut self.buffer, code);
                                    }
                                    next += 1;
                                }
                            }
                        }
                        attempt!(self.text_length(self.buffer.len()));
                        frame.set(to, Value::text(self.buffer.as_str()));
                        let made = self.buffer.len();
                        // Buffers are kept while they are small.
                        self.buffer.shrink_to(1 << 16);
                        charge!(made);
                    }
                    Instruction::AppendText { text, value } => {
                        let Some(Value::Text(mut whole)) = frame.get_mut(text).map(std::mem::take) else {
                            fail!(Problem::broken("something is put to what is no text"));
                        };
                        let before = whole.len();
                        match frame.get(value) {
                            Value::Text(more) => whole.push_str(more),
                            _ if value == Operand::register(text) => {
                                let twice = whole.clone();
                                whole.push_str(&twice);
                            }
                            value => {
                                self.buffer.clear();
                                show(value, &mut self.buffer, code);
                                whole.push_str(&self.buffer);
                            }
                        }
                        let length = whole.len();
                        frame.set(text, Value::Text(whole));
                        attempt!(self.text_length(length));
                        attempt!(self.many_rounds((length - before) / 64));
                        charge!(length - before);
                    }

                    Instruction::Perform { operation, count, to, start } => {
                        let arguments = frame.window(start, usize::from(count));
                        if method::is_linear(operation) {
                            let size = arguments.first().map_or(0, |receiver| match receiver {
                                Value::List(list) => list.len() / 8,
                                Value::Text(text) => text.len() / 64,
                                Value::Map(map) => map.len() / 8,
                                _ => 0,
                            });
                            attempt!(self.many_rounds(size));
                        }
                        let value = attempt!(method::perform(operation, arguments, &self.limits));
                        forget(arguments);
                        let made = memory::shallow(&value);
                        frame.set(to, value);
                        if made > 0 {
                            // What grows in place is counted by what came to it.
                            let made = if method::is_linear(operation) { made } else { 2 * size_of::<Value>() };
                            charge!(made);
                        }
                    }
                    Instruction::Ask { operation, count, to, start, ty } => {
                        let ty = usize::from(ty).checked_sub(1).and_then(|ty| code.types.get(ty));
                        let span = place(chunk, at);
                        let arguments = frame.window(start, usize::from(count));
                        let value = attempt!(host.perform(operation, arguments, ty, span).map_err(failed));
                        forget(arguments);
                        let made = memory::shallow(&value);
                        frame.set(to, value);
                        charge!(made);
                    }

                    Instruction::Refer { to, value } => {
                        let value = attempt!(self.refer(frame.get(value)));
                        frame.set(to, value);
                    }
                    Instruction::Follow { to, value } => {
                        let value = attempt!(self.follow(frame.get(value), host, place(chunk, at)));
                        frame.set(to, value);
                    }
                    Instruction::Get { to, key, entity } => {
                        let (entity, key) = (RecordId(entity), frame.get(key));
                        let value = attempt!(self.record(entity, key, host, place(chunk, at)));
                        let Some(value) = value else { fail!(self.not_found(entity, key)) };
                        frame.set(to, value);
                    }
                    Instruction::Has { to, key, entity } => {
                        let value = attempt!(self.record(RecordId(entity), frame.get(key), host, place(chunk, at)));
                        frame.set(to, Value::Bool(value.is_some()));
                    }
                    Instruction::Query { to, start, query } => {
                        let count = code.queries.get(query.0 as usize).map_or(0, |plan| plan.parameters);
                        let parameters = frame.window(start, count);
                        let value = attempt!(host.query(query, parameters, place(chunk, at)).map_err(failed));
                        forget(parameters);
                        // The records of a list that was read are new, too.
                        let made = memory::shallow(&value) * 4;
                        frame.set(to, value);
                        charge!(made);
                    }
                    Instruction::Create { to, start, layout } => {
                        let value = attempt!(self.create(&mut frame, start, layout, host, place(chunk, at)));
                        frame.set(to, value);
                    }
                    Instruction::Update { to, target, start, layout } => {
                        let value = attempt!(self.update(&mut frame, target, start, layout, host, place(chunk, at)));
                        frame.set(to, value);
                    }
                    Instruction::Delete { target } => {
                        attempt!(self.delete(frame.get(target), host, place(chunk, at)));
                    }
                    Instruction::Prefetch { list, plan } => {
                        attempt!(self.prefetch(frame.get(list), plan, host, place(chunk, at)));
                    }
                    Instruction::Forget => self.loaded.forget(),
                    Instruction::Start { flow, count, to, start } => {
                        let arguments = frame.take_window(start, usize::from(count));
                        let value = attempt!(host.start(flow, arguments, place(chunk, at)).map_err(failed));
                        frame.set(to, value);
                    }

                    Instruction::Decide { table, start } => {
                        attempt!(self.decide(&mut frame, table, start));
                    }
                    Instruction::NextRow { table, done } => {
                        attempt!(self.round());
                        at = self.next_row(table).unwrap_or(done) as usize;
                    }
                    Instruction::Fire { table, done } => {
                        if self.fire(table) {
                            at = done as usize;
                        }
                    }
                    Instruction::Settle { table, start, again } => {
                        if attempt!(self.settle(table, &frame, start)) {
                            at = again as usize;
                        }
                    }
                    Instruction::NextOutcome { table, to, done } => match self.next_outcome(table) {
                        Some(OutcomeCode::Constant(value)) => frame.set(to, value.clone()),
                        Some(OutcomeCode::Computed(target)) => at = *target as usize,
                        None => at = done as usize,
                    },
                    Instruction::Combine { table, outcome, value, start } => {
                        let value = frame.take(value);
                        attempt!(self.combine(&mut frame, table, outcome, value, start));
                    }
                    Instruction::Decided { table, outcome, start } => {
                        attempt!(self.decided(&mut frame, table, outcome, start, host, place(chunk, at)));
                    }
                }
            };
            let Some(value) = ended else {
                let alive = stack.iter().take(end).chain(self.globals.iter().flatten());
                let alive = memory::estimate(alive, self.limits.memory);
                if alive > self.limits.memory {
                    fail!(Problem::Limit(format!("{} bytes of values", self.limits.memory)));
                }
                self.made = alive;
                self.count_at = alive + (self.limits.memory - alive).max(self.limits.memory / 4);
                continue 'frames;
            };
            let Some(call) = self.calls.pop() else { return Ok(value) };
            // What is left in the frame would keep memory, and keep others from changing values in place.
            forget(frame.values);
            let to = match call.to {
                Target::Register(to) => to,
                Target::Global(index, to) => {
                    if let Some(global) = self.globals.get_mut(index as usize) {
                        *global = Some(value.clone());
                    }
                    to
                }
            };
            chunk = call.chunk;
            at = call.at;
            base = call.base;
            if let Some(place) = stack.get_mut(base + usize::from(to)) {
                *place = value;
            }
        }
    }
}

#[inline(always)]
fn holds(comparison: Comparison, left: i64, right: i64) -> bool {
    match comparison {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::Less => left < right,
        Comparison::LessOrEqual => left <= right,
        Comparison::Greater => left > right,
        Comparison::GreaterOrEqual => left >= right,
    }
}

fn compare(comparison: Comparison, left: &Value, right: &Value) -> Result<bool> {
    arithmetic::compare(comparison, left, right).map_err(|trouble| Problem::trouble(trouble, comparison.symbol()))
}
