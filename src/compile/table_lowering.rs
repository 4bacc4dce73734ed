//! Decision tables: cells whose values are known before the run become data for the rule engine's index, all
//! else becomes instructions of the table's chunk.
//!
//! A chunk computes the subjects, asks the index for the rows that may fit, tests what the index does not
//! know of them, and puts together the outcomes of those that fit.

use super::body::{Body, Compiler};
use super::code::ChunkId;
use super::expression::comparison;
use super::instruction::{Instruction, Operand, Register};
use super::list::zero;
use super::table::{ColumnCode, LiteralCell, OutcomeCode, RowCode, TableCode};
use crate::check::program::{CellTest, DecisionTable, Row};
use crate::syntax::tree::HitPolicy;
use crate::value::{Currency, Value};
use std::collections::BTreeSet;

/// How many rows the atoms of a column's index may hold together.
const INDEX_ENTRIES: usize = 8_000_000;

impl Compiler<'_> {
    /// Gives a table its place and its data; the chunk is made by [`Compiler::table`].
    pub fn declare_table(&mut self, table: &DecisionTable) {
        let chunk = self.reserve();
        self.code.tables.push(TableCode {
            name: table.name.clone(),
            policy: table.policy,
            columns: Vec::new(),
            rows: Vec::new(),
            zero: zero(&table.result),
            chunk,
        });
    }

    /// Makes the chunk of a table.
    pub fn table(&mut self, position: usize, table: &DecisionTable) {
        let Some(chunk) = self.code.tables.get(position).map(|table| table.chunk) else { return };
        let columns = self.columns(table);
        let lazy: Vec<usize> =
            columns.iter().enumerate().filter(|(_, column)| column.cells.is_none()).map(|(at, _)| at).collect();
        let rows = self.table_chunk(position as u32, chunk, table, &lazy);
        if let Some(code) = self.code.tables.get_mut(position) {
            code.columns = columns;
            code.rows = rows;
        }
    }

    fn columns(&mut self, table: &DecisionTable) -> Vec<ColumnCode> {
        let body = Body::new(self, "", 0, 0, table.span);
        let mut columns = Vec::with_capacity(table.columns.len());
        for (at, column) in table.columns.iter().enumerate() {
            let cells = table.rows.iter().map(|row| match row.tests.get(at) {
                Some(test) => literal_cell(&body, test),
                None => Some(LiteralCell::Anything),
            });
            let cells: Option<Vec<LiteralCell>> = cells.collect();
            columns.push(ColumnCode {
                heading: column.heading.clone(),
                has_subject: column.subject.is_some(),
                // A column of conditions alone that take anything needs no subject to be indexed.
                cells: cells.filter(|cells| can_be_indexed(cells)),
            });
        }
        columns
    }

    fn table_chunk(&mut self, position: u32, chunk: ChunkId, table: &DecisionTable, lazy: &[usize]) -> Vec<RowCode> {
        let name = format!("rules {}", table.name);
        let mut body = Body::new(self, name, table.parameters.len(), table.locals.len(), table.span);
        let start = body.temporaries(table.columns.len());
        for (register, column) in (start..).zip(&table.columns) {
            if let Some(subject) = &column.subject {
                body.value_to(subject, register);
            }
        }
        let outcome = body.temporary();
        let first = match table.policy {
            HitPolicy::Collect => Value::list(Vec::new()),
            _ => Value::None,
        };
        let first = body.constant(first);
        body.copy(outcome, first);
        body.emit(Instruction::Decide { table: position, start });

        let next = body.here();
        let mut to_settle = vec![body.emit(Instruction::NextRow { table: position, done: 0 })];
        let mut rows: Vec<RowCode> = Vec::with_capacity(table.rows.len());
        for row in &table.rows {
            let tests = body.row_tests(position, start, row, lazy, next, &mut to_settle);
            let last_resort = row.tests.iter().any(|test| matches!(test, CellTest::Otherwise));
            rows.push(RowCode {
                name: row.name.clone(),
                last_resort: last_resort && table.policy != HitPolicy::First,
                tests,
                outcome: OutcomeCode::Constant(Value::None),
            });
        }
        body.land_all(to_settle);
        body.emit(Instruction::Settle { table: position, start, again: next });

        let value = body.temporary();
        let outcomes = body.here();
        let decided = body.emit(Instruction::NextOutcome { table: position, to: value, done: 0 });
        let combine = body.emit(Instruction::Combine { table: position, outcome, value, start });
        body.emit(Instruction::Jump { target: outcomes });
        for (row, code) in table.rows.iter().zip(&mut rows) {
            let mark = body.mark();
            code.outcome = match body.literal(&row.outcome) {
                Some(value) => OutcomeCode::Constant(value),
                None => {
                    let here = body.here();
                    body.value_to(&row.outcome, value);
                    body.emit(Instruction::Jump { target: combine as u32 });
                    OutcomeCode::Computed(here)
                }
            };
            body.release(mark);
        }
        body.land(decided);
        body.emit(Instruction::Decided { table: position, outcome, start });
        body.emit(Instruction::Return { value: Operand::register(outcome) });
        body.add_at(chunk);
        rows
    }
}

impl Body<'_, '_> {
    /// The tests of a row that the index does not know; where they begin, if there are any.
    fn row_tests(
        &mut self,
        table: u32,
        start: Register,
        row: &Row,
        lazy: &[usize],
        next: u32,
        to_settle: &mut Vec<usize>,
    ) -> Option<u32> {
        let here = self.here();
        let mut jumps = Vec::new();
        let mut any = false;
        for column in lazy {
            let Some(test) = row.tests.get(*column) else { continue };
            if matches!(test, CellTest::Anything | CellTest::Otherwise) {
                continue;
            }
            any = true;
            let span = row.test_spans.get(*column).copied().unwrap_or(row.span);
            let outer = std::mem::replace(&mut self.span, span);
            let subject = Operand::register(start.saturating_add(*column as u16));
            jumps.extend(self.unless_fits(subject, test));
            self.span = outer;
        }
        if !any {
            return None;
        }
        to_settle.push(self.emit(Instruction::Fire { table, done: 0 }));
        self.land_all(jumps);
        self.emit(Instruction::Jump { target: next });
        Some(here)
    }
}

/// A cell as data, when all its values are known.
fn literal_cell(body: &Body, test: &CellTest) -> Option<LiteralCell> {
    let all = |tests: &[CellTest]| tests.iter().map(|test| literal_cell(body, test)).collect::<Option<Vec<_>>>();
    Some(match test {
        CellTest::Anything | CellTest::Otherwise => LiteralCell::Anything,
        CellTest::Some => LiteralCell::Some,
        CellTest::Equal(value) => LiteralCell::Equal(body.literal(value)?),
        CellTest::Compare(operator, value) => {
            let value = body.literal(value)?;
            match comparison(*operator)? {
                super::instruction::Comparison::Equal => LiteralCell::Equal(value),
                super::instruction::Comparison::NotEqual => LiteralCell::Not(Box::new(LiteralCell::Equal(value))),
                comparison => LiteralCell::Compare(comparison, value),
            }
        }
        CellTest::Range(first, last) => LiteralCell::Range(body.literal(first)?, body.literal(last)?),
        CellTest::Not(test) => LiteralCell::Not(Box::new(literal_cell(body, test)?)),
        CellTest::And(tests) => LiteralCell::And(all(tests)?),
        CellTest::Or(tests) => LiteralCell::Or(all(tests)?),
        CellTest::Condition(_) => return None,
    })
}

/// Whether the values of a column have one order, and an index of them is not too large.
fn can_be_indexed(cells: &[LiteralCell]) -> bool {
    let mut values = Vec::new();
    cells.iter().for_each(|cell| collect(cell, &mut values));
    let mut kinds = BTreeSet::new();
    let mut currency: Option<Currency> = None;
    for value in &values {
        match value {
            Value::None => continue,
            Value::Money(money) => {
                if currency.replace(money.currency).is_some_and(|other| other != money.currency) {
                    return false;
                }
            }
            Value::Bool(_)
            | Value::Int(_)
            | Value::Decimal(_)
            | Value::Percent(_)
            | Value::Date(_)
            | Value::Instant(_)
            | Value::Duration(_)
            | Value::Text(_)
            | Value::Enum(_) => {}
            // Finer than a millisecond is not what the index looks at.
            Value::Time(time) if time.subsec_nanosecond() % 1_000_000 == 0 => {}
            _ => return false,
        }
        kinds.insert(value.kind());
    }
    if kinds.len() > 1 {
        return false;
    }
    values.sort();
    values.dedup();
    let atoms = 2 * values.len() + 1;
    let wide = cells.iter().filter(|cell| !is_narrow(cell)).count();
    let narrow = cells.len() - wide;
    wide.saturating_mul(atoms).saturating_add(narrow.saturating_mul(8)) <= INDEX_ENTRIES
}

/// Whether a cell takes few values at most, or is kept apart.
fn is_narrow(cell: &LiteralCell) -> bool {
    match cell {
        LiteralCell::Anything | LiteralCell::Equal(_) => true,
        LiteralCell::Or(cells) => cells.iter().all(is_narrow),
        LiteralCell::And(cells) => cells.iter().any(is_narrow),
        LiteralCell::Some | LiteralCell::Compare(..) | LiteralCell::Range(..) | LiteralCell::Not(_) => false,
    }
}

fn collect<'c>(cell: &'c LiteralCell, into: &mut Vec<&'c Value>) {
    match cell {
        LiteralCell::Anything | LiteralCell::Some => {}
        LiteralCell::Equal(value) | LiteralCell::Compare(_, value) => into.push(value),
        LiteralCell::Range(first, last) => into.extend([first, last]),
        LiteralCell::Not(cell) => collect(cell, into),
        LiteralCell::And(cells) | LiteralCell::Or(cells) => cells.iter().for_each(|cell| collect(cell, into)),
    }
}
