//! Primitives that take a function become loops in the same frame: no closure, no call.

use super::body::Body;
use super::instruction::{Comparison, Instruction, Operand, Position, Register};
use super::mentions::mentions;
use crate::check::program::{Expr, ExprKind, LocalId, Type};
use crate::library::Operation;
use crate::syntax::tree::BinaryOperator;
use crate::value::{Decimal, Duration, Money, Value};

/// A loop being built.
pub(super) struct Loop {
    /// Where the next round begins.
    pub top: Position,
    /// The instruction that fetches an element or leaves.
    next: usize,
    /// Whether records were loaded before.
    prefetched: bool,
}

impl Body<'_, '_> {
    /// Begins a loop that puts each element into a register. `rounds` is what is evaluated in each round; none
    /// when statements are done, which may set the list's own variable again.
    pub fn begin_loop(&mut self, list: &Expr, element: LocalId, rounds: &[&Expr]) -> Loop {
        let to = self.local(element);
        if let ExprKind::Range(first, last) = &list.kind {
            let next = self.temporary();
            self.value_to(first, next);
            let last = self.operand(last);
            let last = if rounds.is_empty() { self.stable(last) } else { last };
            let top = self.here();
            let next = self.emit(Instruction::NextInt { next, last, to, end: 0 });
            return Loop { top, next, prefetched: false };
        }
        let list = self.operand(list);
        let list = if rounds.is_empty() { self.stable(list) } else { list };
        let prefetched = self.prefetch(list, element, rounds);
        self.begin_list(list, to, prefetched)
    }

    /// Begins a loop over a list that has been computed.
    pub fn begin_list(&mut self, list: Operand, to: Register, prefetched: bool) -> Loop {
        let index = self.temporary();
        let zero = self.constant(Value::Int(0));
        self.copy(index, zero);
        let top = self.here();
        let next = self.emit(Instruction::NextElement { list, index, to, end: 0 });
        Loop { top, next, prefetched }
    }

    /// Begins a loop over the entries of a map.
    pub fn begin_entries(&mut self, map: &Expr, key: LocalId, value: LocalId) -> Loop {
        let map = self.operand(map);
        let map = self.stable(map);
        let index = self.temporary();
        let zero = self.constant(Value::Int(0));
        self.copy(index, zero);
        let (to, value) = (self.local(key), self.local(value));
        let top = self.here();
        let next = self.emit(Instruction::NextEntry { map, index, to, value, end: 0 });
        Loop { top, next, prefetched: false }
    }

    /// Ends the round and the loop.
    pub fn end_loop(&mut self, round: Loop) {
        self.emit(Instruction::Jump { target: round.top });
        self.land(round.next);
        if round.prefetched {
            self.emit(Instruction::Forget);
        }
    }

    /// A primitive of lists that takes functions; whether it is one.
    pub fn list_operation(&mut self, expr: &Expr, operation: Operation, arguments: &[Expr], to: Register) -> bool {
        let [list, functions @ ..] = arguments else { return false };
        if operation == Operation::ListFold {
            return self.fold_list(list, functions, to);
        }
        let Some(ExprKind::Lambda(parameters, body)) = functions.first().map(|function| &function.kind) else {
            return false;
        };
        let Some(element) = parameters.first().copied() else { return false };
        let element_register = self.local(element);
        let result = self.temporary();
        match operation {
            Operation::ListWhere | Operation::ListFilter => {
                let round = self.begin_filling(list, element, body, result);
                let jumps = self.jump_unless(body);
                let kept = self.temporary();
                self.emit(Instruction::Move { to: kept, from: element_register });
                self.emit(Instruction::Push { list: result, value: kept });
                self.land_all(jumps);
                self.end_loop(round);
            }
            Operation::ListMap => {
                let round = self.begin_filling(list, element, body, result);
                let value = self.temporary();
                self.value_to(body, value);
                self.emit(Instruction::Push { list: result, value });
                self.end_loop(round);
            }
            Operation::ListFlatMap => {
                let empty = self.constant(Value::list(Vec::new()));
                self.emit(Instruction::NewList { to: result, like: empty });
                let round = self.begin_loop(list, element, &[body]);
                let other = self.operand(body);
                self.emit(Instruction::Extend { list: result, other });
                self.end_loop(round);
            }
            Operation::ListSort | Operation::ListSortDescending => {
                self.value_to(list, result);
                let keys = self.temporary();
                self.emit(Instruction::NewList { to: keys, like: Operand::register(result) });
                let prefetched = self.prefetch(Operand::register(result), element, &[body]);
                let round = self.begin_list(Operand::register(result), element_register, prefetched);
                let key = self.temporary();
                self.value_to(body, key);
                self.emit(Instruction::Push { list: keys, value: key });
                self.end_loop(round);
                let descending = operation == Operation::ListSortDescending;
                self.emit(Instruction::Sort { list: result, keys, descending });
            }
            Operation::ListGroup => {
                self.emit(Instruction::NewMap { to: result });
                let round = self.begin_loop(list, element, &[body]);
                let key = self.temporaries(2);
                self.value_to(body, key);
                self.emit(Instruction::Move { to: key + 1, from: element_register });
                self.emit(Instruction::Gather { map: result, key, element: key + 1 });
                self.end_loop(round);
            }
            Operation::ListToMap => {
                let Some(ExprKind::Lambda(others, value)) = functions.get(1).map(|function| &function.kind) else {
                    return false;
                };
                self.emit(Instruction::NewMap { to: result });
                let round = self.begin_loop(list, element, &[body, value]);
                if let Some(other) = others.first() {
                    let other = self.local(*other);
                    self.copy(other, Operand::register(element_register));
                }
                let entry = self.temporaries(2);
                self.value_to(body, entry);
                self.value_to(value, entry + 1);
                self.emit(Instruction::Insert { map: result, key: entry });
                self.end_loop(round);
            }
            Operation::ListSum | Operation::ListAverage | Operation::ListMin | Operation::ListMax => {
                let nothing = self.constant(Value::None);
                self.copy(result, nothing);
                let counted = match operation {
                    // The count is wanted, so a range becomes a list.
                    Operation::ListAverage => {
                        let counted = self.temporary();
                        self.value_to(list, counted);
                        Some(Operand::register(counted))
                    }
                    _ => None,
                };
                let round = match counted {
                    Some(counted) => {
                        let prefetched = self.prefetch(counted, element, &[body]);
                        self.begin_list(counted, element_register, prefetched)
                    }
                    None => self.begin_loop(list, element, &[body]),
                };
                let mark = self.mark();
                let value = self.operand(body);
                self.emit(match operation {
                    Operation::ListMin => Instruction::Least { best: result, value },
                    Operation::ListMax => Instruction::Greatest { best: result, value },
                    _ => Instruction::Accumulate { sum: result, value },
                });
                self.release(mark);
                self.end_loop(round);
                if operation == Operation::ListSum {
                    let zero = self.constant(zero(&expr.ty).unwrap_or(Value::None));
                    self.emit(Instruction::EndSum { sum: result, zero });
                } else if let Some(list) = counted {
                    self.emit(Instruction::EndAverage { sum: result, list });
                }
            }
            Operation::ListMinBy | Operation::ListMaxBy => {
                let nothing = self.constant(Value::None);
                self.copy(result, nothing);
                let best = self.temporary();
                self.copy(best, nothing);
                let round = self.begin_loop(list, element, &[body]);
                let key = self.temporary();
                self.value_to(body, key);
                let first = self.emit(Instruction::JumpIfNone { value: Operand::register(best), target: 0 });
                let comparison = match operation {
                    Operation::ListMinBy => Comparison::Less,
                    _ => Comparison::Greater,
                };
                let (left, right) = (Operand::register(key), Operand::register(best));
                let worse = self.emit(Instruction::JumpUnlessCompare { comparison, left, right, target: 0 });
                self.land(first);
                self.emit(Instruction::Move { to: best, from: key });
                self.emit(Instruction::Move { to: result, from: element_register });
                self.land(worse);
                self.end_loop(round);
            }
            Operation::ListAny | Operation::ListAll => {
                let any = operation == Operation::ListAny;
                let start = self.constant(Value::Bool(!any));
                self.copy(result, start);
                let round = self.begin_loop(list, element, &[body]);
                let mut leave = Vec::new();
                let jumps = self.jump_unless(body);
                if any {
                    let found = self.constant(Value::Bool(true));
                    self.copy(result, found);
                    leave.push(self.emit(Instruction::Jump { target: 0 }));
                    self.land_all(jumps);
                } else {
                    self.emit(Instruction::Jump { target: round.top });
                    self.land_all(jumps);
                    let found = self.constant(Value::Bool(false));
                    self.copy(result, found);
                    leave.push(self.emit(Instruction::Jump { target: 0 }));
                }
                self.leave_loop(round, leave);
            }
            Operation::ListFind => {
                let nothing = self.constant(Value::None);
                self.copy(result, nothing);
                let round = self.begin_loop(list, element, &[body]);
                let jumps = self.jump_unless(body);
                self.emit(Instruction::Move { to: result, from: element_register });
                let leave = vec![self.emit(Instruction::Jump { target: 0 })];
                self.land_all(jumps);
                self.leave_loop(round, leave);
            }
            _ => return false,
        }
        self.emit(Instruction::Move { to, from: result });
        true
    }

    fn begin_filling(&mut self, list: &Expr, element: LocalId, body: &Expr, result: Register) -> Loop {
        if matches!(list.kind, ExprKind::Range(..)) {
            let empty = self.constant(Value::list(Vec::new()));
            self.emit(Instruction::NewList { to: result, like: empty });
            return self.begin_loop(list, element, &[body]);
        }
        let list = self.operand(list);
        self.emit(Instruction::NewList { to: result, like: list });
        let prefetched = self.prefetch(list, element, &[body]);
        let to = self.local(element);
        self.begin_list(list, to, prefetched)
    }

    /// Ends a loop that is also left from inside.
    fn leave_loop(&mut self, round: Loop, leave: Vec<usize>) {
        self.emit(Instruction::Jump { target: round.top });
        self.land(round.next);
        self.land_all(leave);
        if round.prefetched {
            self.emit(Instruction::Forget);
        }
    }

    fn fold_list(&mut self, list: &Expr, arguments: &[Expr], to: Register) -> bool {
        let [start, Expr { kind: ExprKind::Lambda(parameters, body), .. }] = arguments else { return false };
        let [sum, element] = parameters.as_slice() else { return false };
        let sum_register = self.local(*sum);
        let list = self.operand(list);
        self.value_to(start, sum_register);
        let prefetched = self.prefetch(list, *element, &[body]);
        let register = self.local(*element);
        let round = self.begin_list(list, register, prefetched);
        self.assign(*sum, body);
        self.end_loop(round);
        self.emit(Instruction::Move { to, from: sum_register });
        true
    }

    /// Sets a local, whose old value the expression may use. A list, map or text that grows by this grows in place.
    pub fn assign(&mut self, local: LocalId, value: &Expr) {
        let to = self.local(local);
        let mark = self.mark();
        let outer = std::mem::replace(&mut self.span, value.span);
        let is_local = |expr: &Expr| matches!(expr.kind, ExprKind::Local(other) if other == local);
        match &value.kind {
            ExprKind::Perform(operation, arguments)
                if matches!(
                    operation,
                    Operation::ListAppend | Operation::ListConcat | Operation::MapPut | Operation::MapRemove
                ) && arguments.first().is_some_and(is_local) =>
            {
                let start = self.temporaries(arguments.len());
                for (register, argument) in (start..).zip(arguments).skip(1) {
                    self.value_to(argument, register);
                }
                self.emit(Instruction::Move { to: start, from: to });
                let count = arguments.len() as u8;
                self.emit(Instruction::Perform { operation: *operation, count, to, start });
            }
            ExprKind::Binary(BinaryOperator::Add, left, right) if is_local(left) && value.ty == Type::Text => {
                let other = self.operand(right);
                self.emit(Instruction::AppendText { text: to, value: other });
            }
            ExprKind::Binary(BinaryOperator::Add | BinaryOperator::Subtract | BinaryOperator::Multiply, ..) => {
                self.value_to(value, to);
            }
            _ if mentions(value, local) => {
                let new = self.temporary();
                self.value_to(value, new);
                self.emit(Instruction::Move { to, from: new });
            }
            _ => self.value_to(value, to),
        }
        self.span = outer;
        self.release(mark);
    }
}

/// The sum of nothing, where the type says what it is.
pub(super) fn zero(ty: &Type) -> Option<Value> {
    Some(match ty {
        Type::Int => Value::Int(0),
        Type::Decimal => Value::Decimal(Decimal::ZERO),
        Type::Percent => Value::Percent(Decimal::ZERO),
        Type::Duration => Value::Duration(Duration::ZERO),
        Type::Money(Some(currency)) => Value::Money(Money::zero(*currency)),
        _ => return None,
    })
}
