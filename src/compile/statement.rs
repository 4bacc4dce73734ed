//! Statements of functions, tasks, steps and undo blocks.

use super::body::Body;
use super::expression::comparison;
use super::instruction::{Comparison, Instruction, Operand};
use crate::check::program::{Arm, CellTest, Expr, For, Statement, StatementKind};
use crate::value::Value;

impl Body<'_, '_> {
    /// Statements in order.
    pub fn block(&mut self, statements: &[Statement]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    /// One statement. Forms that stand in flows between steps alone are the flow's; see `flow_lowering`.
    pub fn statement(&mut self, statement: &Statement) {
        let outer = std::mem::replace(&mut self.span, statement.span);
        let mark = self.mark();
        match &statement.kind {
            StatementKind::Set { local, value } => self.assign(*local, value),
            StatementKind::Expression(expr) => {
                let unused = self.temporary();
                self.value_to(expr, unused);
            }
            StatementKind::If { condition, then, otherwise } => {
                let jumps = self.jump_unless(condition);
                self.block(then);
                if otherwise.is_empty() {
                    self.land_all(jumps);
                } else {
                    let end = self.emit(Instruction::Jump { target: 0 });
                    self.land_all(jumps);
                    self.block(otherwise);
                    self.land(end);
                }
            }
            StatementKind::Match { value, arms } => self.match_arms(value, arms),
            StatementKind::For(each) => self.for_each(each),
            StatementKind::Return(Some(value)) | StatementKind::Give(value) => self.give(value),
            StatementKind::Return(None) => {
                self.emit(Instruction::ReturnNothing);
            }
            StatementKind::Fail { error, fields } => {
                let start = self.window(fields.iter());
                self.emit(Instruction::Fail { error: error.0, start });
            }
            StatementKind::Parallel(_)
            | StatementKind::Step(_)
            | StatementKind::GoTo(_)
            | StatementKind::Stop(_)
            | StatementKind::Given(_)
            | StatementKind::Expect { .. }
            | StatementKind::Advance(_)
            | StatementKind::Stub { .. }
            | StatementKind::Answer { .. } => {
                self.refuse("a statement of flows or tests inside of something else");
            }
        }
        self.release(mark);
        self.span = outer;
    }

    /// Ends the chunk with a value.
    pub fn give(&mut self, value: &Expr) {
        let mark = self.mark();
        let value = self.operand(value);
        // The frame of a flow outlives the chunk, so its locals are not taken.
        let value = match value.place() {
            super::instruction::Place::Register(register) if self.frame_stays && usize::from(register) < mark => {
                let copy = self.temporary();
                self.copy(copy, value);
                Operand::register(copy)
            }
            _ => value,
        };
        self.emit(Instruction::Return { value });
        self.release(mark);
    }

    fn for_each(&mut self, each: &For) {
        let round = match each.second {
            Some(value) => self.begin_entries(&each.list, each.local, value),
            None => self.begin_loop(&each.list, each.local, &[]),
        };
        let mark = self.mark();
        self.block(&each.body);
        self.release(mark);
        self.end_loop(round);
    }

    fn match_arms(&mut self, value: &Expr, arms: &[Arm]) {
        let subject = self.operand(value);
        let mut ends = Vec::new();
        for arm in arms {
            let jumps = self.unless_fits(subject, &arm.test);
            self.block(&arm.body);
            ends.push(self.emit(Instruction::Jump { target: 0 }));
            self.land_all(jumps);
        }
        self.emit(Instruction::FailNoArm { value: subject });
        self.land_all(ends);
    }

    /// Jumps that are taken unless a value fits a test; behind them, it fits.
    pub fn unless_fits(&mut self, subject: Operand, test: &CellTest) -> Vec<usize> {
        let mut jumps = Vec::new();
        self.fits(subject, test, &mut jumps);
        jumps
    }

    fn fits(&mut self, subject: Operand, test: &CellTest, unless: &mut Vec<usize>) {
        let mark = self.mark();
        match test {
            CellTest::Anything | CellTest::Otherwise => {}
            CellTest::Some => unless.push(self.emit(Instruction::JumpIfNone { value: subject, target: 0 })),
            CellTest::Equal(value) => self.compare_with(subject, Comparison::Equal, value, unless),
            CellTest::Compare(operator, value) => {
                if let Some(comparison) = comparison(*operator) {
                    self.compare_with(subject, comparison, value, unless);
                }
            }
            CellTest::Range(first, last) => {
                self.compare_with(subject, Comparison::GreaterOrEqual, first, unless);
                self.compare_with(subject, Comparison::LessOrEqual, last, unless);
            }
            CellTest::Not(inner) => {
                let fails = self.unless_fits(subject, inner);
                unless.push(self.emit(Instruction::Jump { target: 0 }));
                self.land_all(fails);
            }
            CellTest::And(tests) => tests.iter().for_each(|test| self.fits(subject, test, unless)),
            CellTest::Or(tests) => {
                let mut holds = Vec::new();
                for test in tests {
                    let fails = self.unless_fits(subject, test);
                    holds.push(self.emit(Instruction::Jump { target: 0 }));
                    self.land_all(fails);
                }
                unless.push(self.emit(Instruction::Jump { target: 0 }));
                self.land_all(holds);
            }
            CellTest::Condition(condition) => unless.extend(self.jump_unless(condition)),
        }
        self.release(mark);
    }

    fn compare_with(&mut self, left: Operand, comparison: Comparison, value: &Expr, unless: &mut Vec<usize>) {
        let outer = std::mem::replace(&mut self.span, value.span);
        let right = self.operand(value);
        let ints = matches!(self.known(right), Some(Value::Int(_)));
        unless.push(match ints {
            true => self.emit(Instruction::JumpUnlessInt { comparison, left, right, target: 0 }),
            false => self.emit(Instruction::JumpUnlessCompare { comparison, left, right, target: 0 }),
        });
        self.span = outer;
    }
}
