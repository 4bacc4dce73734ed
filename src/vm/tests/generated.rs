//! Compiled code does what a walk over the tree does, on programs made by chance.

use super::walker::Walker;
use super::{Nowhere, program_with_errors};
use crate::check::program::{
    Arm, Callable, CallableId, CellTest, Effect, Expr, ExprKind, For, Local, LocalId, Parameter, Program, Statement,
    StatementKind, TextPart, Type,
};
use crate::compile::compile;
use crate::library::Operation;
use crate::syntax::tree::BinaryOperator;
use crate::text::Span;
use crate::value::{Currency, Decimal, Money, Value};
use crate::vm::{Limits, Machine};
use proptest::prelude::*;

/// Makes typed programs. The same seed makes the same program.
struct Maker {
    seed: u64,
    locals: Vec<Local>,
    scope: Vec<LocalId>,
    callables: usize,
}

fn list(of: Type) -> Type {
    Type::List(Box::new(of))
}

fn money() -> Type {
    Type::Money(None)
}

fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, effect: Effect::Pure, span: Span::default() }
}

fn statement(kind: StatementKind) -> Statement {
    Statement { kind, span: Span::default() }
}

impl Maker {
    fn below(&mut self, count: u64) -> u64 {
        // xorshift: chance need not be good here, but repeatable.
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed % count
    }

    fn local(&mut self, ty: Type) -> LocalId {
        self.locals.push(Local { name: "x".into(), ty, span: Span::default() });
        LocalId(self.locals.len() as u32 - 1)
    }

    fn known(&mut self, ty: &Type) -> Option<Expr> {
        let fitting: Vec<LocalId> =
            self.scope.iter().copied().filter(|local| self.locals[local.index()].ty == *ty).collect();
        if fitting.is_empty() {
            return None;
        }
        let at = self.below(fitting.len() as u64) as usize;
        Some(expr(ExprKind::Local(fitting[at]), ty.clone()))
    }

    fn literal(&mut self, ty: &Type) -> Expr {
        let value = match ty {
            Type::Int => Value::Int([0, 1, -1, 2, 7, 100, i64::MAX, i64::MIN][self.below(8) as usize]),
            Type::Decimal => Value::Decimal(Decimal::new(self.below(300) as i64 - 150, self.below(3) as u32)),
            Type::Bool => Value::Bool(self.below(2) == 0),
            Type::Text => Value::text(["", "a", "Ada", "Grüße aus Köln am Rhein"][self.below(4) as usize]),
            Type::Money(_) => {
                let currency = if self.below(8) == 0 { Currency::USD } else { Currency::EUR };
                Value::Money(Money::new(Decimal::new(self.below(200) as i64 - 50, 2), currency))
            }
            Type::Optional(inner) if self.below(2) == 0 => return self.literal(inner),
            Type::Optional(_) => Value::None,
            Type::List(inner) => {
                let count = self.below(4);
                let items: Vec<Expr> = (0..count).map(|_| self.literal(inner)).collect();
                return expr(ExprKind::List(items), ty.clone());
            }
            other => panic!("no literal of {other:?}"),
        };
        expr(ExprKind::Value(value), ty.clone())
    }

    fn value(&mut self, ty: &Type, depth: u32) -> Expr {
        if depth == 0 || self.below(5) == 0 {
            let known = if self.below(3) > 0 { self.known(ty) } else { None };
            return known.unwrap_or_else(|| self.literal(ty));
        }
        let depth = depth - 1;
        if self.below(8) == 0 {
            let condition = self.boxed(&Type::Bool, depth);
            let (then, otherwise) = (self.boxed(ty, depth), self.boxed(ty, depth));
            return expr(ExprKind::Conditional(condition, then, otherwise), ty.clone());
        }
        let kind = match ty {
            Type::Int => self.int(depth),
            Type::Decimal => self.decimal(depth),
            Type::Bool => self.bool(depth),
            Type::Text => self.text(depth),
            Type::Money(_) => self.money(depth),
            Type::Optional(_) => self.optional(depth),
            Type::List(_) => self.list(depth),
            other => panic!("nothing of {other:?}"),
        };
        expr(kind, ty.clone())
    }

    fn boxed(&mut self, ty: &Type, depth: u32) -> Box<Expr> {
        Box::new(self.value(ty, depth))
    }

    fn binary(&mut self, operators: &[BinaryOperator], ty: &Type, depth: u32) -> ExprKind {
        let operator = operators[self.below(operators.len() as u64) as usize];
        let left = self.boxed(ty, depth);
        ExprKind::Binary(operator, left, self.boxed(ty, depth))
    }

    /// A lambda over an element.
    fn lambda(&mut self, element: Type, to: &Type, depth: u32) -> Expr {
        let local = self.local(element);
        self.scope.push(local);
        let body = self.boxed(to, depth);
        self.scope.pop();
        expr(ExprKind::Lambda(vec![local], body), Type::Unknown)
    }

    fn over_list(&mut self, operation: Operation, to: &Type, depth: u32) -> ExprKind {
        let receiver = self.value(&list(Type::Int), depth);
        let lambda = self.lambda(Type::Int, to, depth);
        ExprKind::Perform(operation, vec![receiver, lambda])
    }

    fn int(&mut self, depth: u32) -> ExprKind {
        use BinaryOperator::{Add, Multiply, OrElse, Subtract};
        match self.below(10) {
            0..3 => self.binary(&[Add, Subtract, Multiply], &Type::Int, depth),
            3 => {
                let optional = self.boxed(&Type::Optional(Box::new(Type::Int)), depth);
                ExprKind::Binary(OrElse, optional, self.boxed(&Type::Int, depth))
            }
            4 => {
                let target = self.boxed(&list(Type::Int), depth);
                ExprKind::Index(target, self.boxed(&Type::Int, depth))
            }
            5 => self.over_list(Operation::ListSum, &Type::Int, depth),
            6 => {
                let left = self.value(&Type::Int, depth);
                ExprKind::Perform(Operation::Modulo, vec![left, self.value(&Type::Int, depth)])
            }
            7 => {
                let receiver = self.value(&list(Type::Int), depth);
                let start = self.value(&Type::Int, depth);
                let (sum, element) = (self.local(Type::Int), self.local(Type::Int));
                self.scope.extend([sum, element]);
                let body = self.boxed(&Type::Int, depth);
                self.scope.truncate(self.scope.len() - 2);
                let combine = expr(ExprKind::Lambda(vec![sum, element], body), Type::Unknown);
                ExprKind::Perform(Operation::ListFold, vec![receiver, start, combine])
            }
            8 if self.callables > 0 => {
                let callable = self.below(self.callables as u64) as u32;
                let arguments = vec![
                    self.value(&Type::Int, depth),
                    self.value(&list(Type::Int), depth),
                    self.value(&Type::Optional(Box::new(Type::Int)), depth),
                    self.value(&Type::Text, depth),
                ];
                ExprKind::Call(CallableId(callable), arguments)
            }
            8 => ExprKind::Negate(self.boxed(&Type::Int, depth)),
            _ => match self.below(3) {
                0 => ExprKind::Perform(Operation::ListCount, vec![self.value(&list(Type::Int), depth)]),
                1 => {
                    let groups = self.over_list(Operation::ListGroup, &Type::Int, depth);
                    let ty = Type::Map(Box::new(Type::Int), Box::new(list(Type::Int)));
                    ExprKind::Perform(Operation::MapCount, vec![expr(groups, ty)])
                }
                _ => ExprKind::Perform(Operation::TextLength, vec![self.value(&Type::Text, depth)]),
            },
        }
    }

    fn decimal(&mut self, depth: u32) -> ExprKind {
        use BinaryOperator::{Add, Divide, Multiply, Subtract};
        match self.below(5) {
            0..3 => self.binary(&[Add, Subtract, Multiply, Divide], &Type::Decimal, depth),
            3 => self.binary(&[Divide], &Type::Int, depth),
            _ if self.below(2) == 0 => self.binary(&[Divide], &money(), depth),
            _ => ExprKind::ToDecimal(self.boxed(&Type::Int, depth)),
        }
    }

    fn money(&mut self, depth: u32) -> ExprKind {
        use BinaryOperator::{Add, Multiply, Subtract};
        match self.below(3) {
            0 => ExprKind::Negate(self.boxed(&money(), depth)),
            1 => {
                let amount = self.boxed(&money(), depth);
                ExprKind::Binary(Multiply, amount, self.boxed(&Type::Decimal, depth))
            }
            _ => self.binary(&[Add, Subtract], &money(), depth),
        }
    }

    fn bool(&mut self, depth: u32) -> ExprKind {
        use BinaryOperator::{And, Equal, Greater, GreaterOrEqual, In, Less, LessOrEqual, NotEqual, Or};
        const COMPARE: [BinaryOperator; 6] = [Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual];
        match self.below(10) {
            0 | 1 => self.binary(&COMPARE, &Type::Int, depth),
            2 => self.binary(&COMPARE, &Type::Decimal, depth),
            3 => self.binary(&COMPARE, &money(), depth),
            4 => self.binary(&[Equal, NotEqual, Less], &Type::Text, depth),
            5 => self.binary(&[And, Or], &Type::Bool, depth),
            6 => ExprKind::Not(self.boxed(&Type::Bool, depth)),
            7 => {
                let some = self.below(2) == 0;
                ExprKind::Is(self.boxed(&Type::Optional(Box::new(Type::Int)), depth), some)
            }
            8 => {
                let value = self.boxed(&Type::Int, depth);
                let list = match self.below(2) {
                    0 => self.boxed(&list(Type::Int), depth),
                    _ => Box::new(expr(self.range(), list(Type::Int))),
                };
                ExprKind::Binary(In, value, list)
            }
            _ => {
                let operation = [Operation::ListAny, Operation::ListAll][self.below(2) as usize];
                self.over_list(operation, &Type::Bool, depth)
            }
        }
    }

    fn text(&mut self, depth: u32) -> ExprKind {
        match self.below(3) {
            0 => self.binary(&[BinaryOperator::Add], &Type::Text, depth),
            _ => {
                let mut parts = vec![TextPart::Characters("<".into())];
                for ty in [Type::Int, Type::Text, money(), list(Type::Int)] {
                    if self.below(2) == 0 {
                        parts.push(TextPart::Value(self.value(&ty, depth)));
                        parts.push(TextPart::Characters(", ".into()));
                    }
                }
                ExprKind::Text(parts)
            }
        }
    }

    fn optional(&mut self, depth: u32) -> ExprKind {
        match self.below(5) {
            0 => ExprKind::Perform(Operation::ListFirst, vec![self.value(&list(Type::Int), depth)]),
            1 => self.over_list(Operation::ListFind, &Type::Bool, depth),
            2 => {
                let operation = [Operation::ListMin, Operation::ListMax][self.below(2) as usize];
                self.over_list(operation, &Type::Int, depth)
            }
            3 => {
                let operation = [Operation::ListMinBy, Operation::ListMaxBy][self.below(2) as usize];
                self.over_list(operation, &Type::Decimal, depth)
            }
            _ => {
                let target = self.boxed(&Type::Optional(Box::new(Type::Int)), depth);
                let local = self.local(Type::Int);
                self.scope.push(local);
                let then = self.boxed(&Type::Int, depth);
                self.scope.pop();
                ExprKind::Guarded { target, local, then }
            }
        }
    }

    fn range(&mut self) -> ExprKind {
        let first = self.below(6) as i64 - 3;
        let last = first + self.below(7) as i64 - 2;
        let int = |value| Box::new(expr(ExprKind::Value(Value::Int(value)), Type::Int));
        ExprKind::Range(int(first), int(last))
    }

    fn list(&mut self, depth: u32) -> ExprKind {
        let ints = list(Type::Int);
        match self.below(10) {
            0 => ExprKind::List((0..self.below(4)).map(|_| self.value(&Type::Int, depth)).collect()),
            1 => self.range(),
            2 => self.over_list(Operation::ListWhere, &Type::Bool, depth),
            3 => self.over_list(Operation::ListMap, &Type::Int, depth),
            4 => self.over_list(Operation::ListFlatMap, &ints, depth.min(1)),
            5 => self.over_list(Operation::ListSort, &Type::Decimal, depth),
            6 => self.over_list(Operation::ListSortDescending, &Type::Text, depth),
            7 => {
                let left = self.value(&ints, depth);
                ExprKind::Perform(Operation::ListConcat, vec![left, self.value(&ints, depth)])
            }
            8 => {
                let operation = [Operation::ListDistinct, Operation::ListReverse][self.below(2) as usize];
                ExprKind::Perform(operation, vec![self.value(&ints, depth)])
            }
            _ => {
                let list = self.value(&ints, depth);
                ExprKind::Perform(Operation::ListTake, vec![list, self.value(&Type::Int, 0)])
            }
        }
    }

    fn test(&mut self, depth: u32) -> CellTest {
        use BinaryOperator::{Greater, GreaterOrEqual, Less, LessOrEqual};
        match self.below(7) {
            0 => CellTest::Anything,
            1 | 2 => CellTest::Equal(self.value(&Type::Int, depth.min(1))),
            3 => {
                let operator = [Less, LessOrEqual, Greater, GreaterOrEqual][self.below(4) as usize];
                CellTest::Compare(operator, self.value(&Type::Int, depth.min(1)))
            }
            4 => {
                let first = self.value(&Type::Int, depth.min(1));
                CellTest::Range(first, self.value(&Type::Int, depth.min(1)))
            }
            5 => CellTest::Not(Box::new(self.test(depth))),
            _ if self.below(2) == 0 => CellTest::And(vec![self.test(depth), self.test(depth)]),
            _ => CellTest::Or(vec![self.test(depth), self.test(depth)]),
        }
    }

    fn block(&mut self, depth: u32) -> Vec<Statement> {
        let outer = self.scope.len();
        let block = (0..1 + self.below(3)).map(|_| self.statement(depth)).collect();
        self.scope.truncate(outer);
        block
    }

    fn statement(&mut self, depth: u32) -> Statement {
        let kind = match self.below(if depth == 0 { 3 } else { 7 }) {
            0 | 1 => {
                let ty =
                    [Type::Int, Type::Decimal, Type::Text, list(Type::Int), money()][self.below(5) as usize].clone();
                let value = self.value(&ty, 3);
                let local = self.local(ty);
                self.scope.push(local);
                StatementKind::Set { local, value }
            }
            2 => {
                // Sets something again: by chance in terms of itself.
                let ty = [Type::Int, Type::Text, list(Type::Int)][self.below(3) as usize].clone();
                match self.known(&ty) {
                    Some(Expr { kind: ExprKind::Local(local), .. }) => {
                        let value = match (&ty, self.below(2)) {
                            (Type::List(_), 0) => {
                                let old = expr(ExprKind::Local(local), ty.clone());
                                let element = self.value(&Type::Int, 2);
                                expr(ExprKind::Perform(Operation::ListAppend, vec![old, element]), ty)
                            }
                            (Type::Text, 0) => {
                                let old = Box::new(expr(ExprKind::Local(local), ty.clone()));
                                let more = self.boxed(&ty, 2);
                                expr(ExprKind::Binary(BinaryOperator::Add, old, more), ty)
                            }
                            _ => self.value(&ty, 3),
                        };
                        StatementKind::Set { local, value }
                    }
                    _ => StatementKind::Expression(self.value(&ty, 2)),
                }
            }
            3 => {
                let condition = self.value(&Type::Bool, 3);
                let then = self.block(depth - 1);
                let otherwise = if self.below(2) == 0 { self.block(depth - 1) } else { Vec::new() };
                StatementKind::If { condition, then, otherwise }
            }
            4 => {
                let value = self.value(&Type::Int, 2);
                let arms = (0..1 + self.below(3)).map(|_| Arm {
                    test: self.test(2),
                    body: self.block(depth - 1),
                    span: Span::default(),
                });
                let arms = arms.collect();
                StatementKind::Match { value, arms }
            }
            5 => {
                let list = match self.below(2) {
                    0 => expr(self.range(), list(Type::Int)),
                    _ => self.value(&list(Type::Int), 2),
                };
                let local = self.local(Type::Int);
                self.scope.push(local);
                let body = self.block(depth - 1);
                self.scope.pop();
                StatementKind::For(For {
                    local,
                    second: None,
                    list,
                    parallel: None,
                    stop_at_first_failure: false,
                    body,
                })
            }
            _ => StatementKind::Return(Some(self.value(&Type::Int, 3))),
        };
        statement(kind)
    }

    fn callable(&mut self) -> Callable {
        let types = [Type::Int, list(Type::Int), Type::Optional(Box::new(Type::Int)), Type::Text];
        self.locals.clear();
        self.scope.clear();
        let parameters = types.map(|ty| {
            let local = self.local(ty.clone());
            self.scope.push(local);
            Parameter { name: "p".into(), ty, default: None, span: Span::default() }
        });
        let mut body = Vec::new();
        for _ in 0..1 + self.below(4) {
            body.push(self.statement(2));
        }
        body.push(statement(StatementKind::Return(Some(self.value(&Type::Int, 4)))));
        self.callables += 1;
        Callable {
            name: "f".into(),
            is_task: false,
            parameters: parameters.to_vec(),
            result: Type::Int,
            effect: Effect::Pure,
            fails: Vec::new(),
            locals: std::mem::take(&mut self.locals),
            body,
            documentation: "".into(),
            span: Span::default(),
        }
    }
}

fn make(seed: u64) -> Program {
    let mut maker = Maker { seed: seed | 1, locals: Vec::new(), scope: Vec::new(), callables: 0 };
    let mut program = program_with_errors();
    for _ in 0..3 {
        let callable = maker.callable();
        program.callables.push(callable);
    }
    program
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn compiled_code_is_a_walk_over_the_tree(seed: u64, int in -5_i64..20, items in proptest::collection::vec(-3_i64..9, 0..5)) {
        let program = make(seed);
        let code = compile(&program);
        let limits = Limits { rounds: 20_000, ..Limits::default() };
        let mut machine = Machine::new(&code, limits);
        let walker = Walker { program: &program };
        let arguments =
            [Value::Int(int), Value::list(items.into_iter().map(Value::Int).collect()), Value::None, Value::text("t")];
        for callable in 0..program.callables.len() {
            let ran = machine.call(code.callables[callable], &arguments, &mut Nowhere);
            let ran = ran.map_err(|failure| program.errors[failure.error.0 as usize].name.to_string());
            // Functions that call each other in loops can take very long.
            if ran == Err("limit_reached".into()) {
                continue;
            }
            let walked = walker.call(CallableId(callable as u32), &arguments);
            prop_assert_eq!(ran, walked);
        }
    }
}
