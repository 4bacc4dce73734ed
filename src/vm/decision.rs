//! Decisions of tables: the index says which rows may fit, the chunk of the table tests what the index does
//! not know, and the policy puts the outcomes together.

use super::machine::Machine;
use super::problem::{Problem, Result};
use super::registers::Registers;
use super::{Decision, Host};
use crate::compile::arithmetic;
use crate::compile::instruction::{Operand, Position, Register};
use crate::compile::table::{OutcomeCode, TableCode};
use crate::rule::{Index, RowSet};
use crate::syntax::tree::HitPolicy;
use crate::text::Span;
use crate::value::{Value, display};
use std::cmp::Ordering;
use std::sync::Arc;

/// The indexes of tables, made when they are wanted first, and the decisions that are under way.
#[derive(Debug)]
pub(super) struct Decisions {
    indexes: Vec<Option<Arc<Index>>>,
    /// Decisions inside of decisions, the innermost at `depth - 1`; the rest is kept to be used again.
    states: Vec<State>,
    depth: usize,
}

#[derive(Debug, Default)]
struct State {
    /// Rows that may fit and were not looked at yet.
    candidates: RowSet,
    /// Rows of the last resort that may fit.
    resort: RowSet,
    /// Whether the last resort is what is tested.
    at_resort: bool,
    /// The row that is tested.
    row: usize,
    /// Rows that fit.
    fired: Vec<usize>,
    /// How many of them have given their outcome.
    given: usize,
}

impl Decisions {
    pub fn new(tables: usize) -> Decisions {
        Decisions { indexes: vec![None; tables], states: Vec::new(), depth: 0 }
    }

    pub fn clear(&mut self) {
        self.depth = 0;
    }

    fn state(&mut self) -> Option<&mut State> {
        self.states.get_mut(self.depth.checked_sub(1)?)
    }
}

impl<'c> Machine<'c> {
    fn table(&self, table: u32) -> Option<&'c TableCode> {
        self.code.tables.get(table as usize)
    }

    /// Begins a decision: the subjects lie in the registers from `start` on.
    pub(super) fn decide(&mut self, frame: &mut Registers, table: u32, start: Register) -> Result<()> {
        let code = self.table(table).ok_or_else(|| Problem::broken("a table that is not there"))?;
        let index = match self.decisions.indexes.get_mut(table as usize) {
            Some(Some(index)) => Arc::clone(index),
            Some(place) => Arc::clone(place.insert(Arc::new(Index::new(code)))),
            None => return Err(Problem::broken("a table that is not there")),
        };
        if self.decisions.states.len() == self.decisions.depth {
            self.decisions.states.push(State::default());
        }
        self.decisions.depth += 1;
        let Some(state) = self.decisions.state() else { return Ok(()) };
        let subjects = frame.window(start, code.columns.len());
        index.find(subjects, &mut state.candidates).map_err(|error| Problem::arithmetic(error, "<"))?;
        state.resort.clear();
        if index.has_last_resort() {
            index.split_last_resort(&mut state.candidates, &mut state.resort);
        }
        state.at_resort = false;
        state.fired.clear();
        state.given = 0;
        Ok(())
    }

    /// The next row that may fit: where its tests begin, or none behind the last one. Rows that fit for sure fire.
    pub(super) fn next_row(&mut self, table: u32) -> Option<Position> {
        let code = self.table(table)?;
        let state = self.decisions.state()?;
        while let Some(row) = state.candidates.take_first() {
            match code.rows.get(row).map(|row| row.tests) {
                Some(Some(tests)) => {
                    state.row = row;
                    return Some(tests);
                }
                _ => state.fired.push(row),
            }
            if code.policy == HitPolicy::First {
                return None;
            }
        }
        None
    }

    /// The row that was tested fits; whether no further row matters.
    pub(super) fn fire(&mut self, table: u32) -> bool {
        let policy = self.table(table).map(|table| table.policy);
        if let Some(state) = self.decisions.state() {
            state.fired.push(state.row);
        }
        policy == Some(HitPolicy::First)
    }

    /// All rows were tested; whether the last resort is to be tested now.
    pub(super) fn settle(&mut self, table: u32, frame: &Registers, start: Register) -> Result<bool> {
        let Some(code) = self.table(table) else { return Ok(false) };
        let Some(state) = self.decisions.state() else { return Ok(false) };
        if state.fired.is_empty() && !state.at_resort && !state.resort.is_empty() {
            state.at_resort = true;
            std::mem::swap(&mut state.candidates, &mut state.resort);
            return Ok(true);
        }
        let fired = state.fired.len();
        // Of several last resorts the first one counts.
        if state.at_resort {
            state.fired.truncate(1);
        } else if fired > 1 && code.policy == HitPolicy::Unique {
            return Err(self.several_rows(code, frame, start));
        }
        let may_be_empty = match code.policy {
            HitPolicy::Collect => true,
            HitPolicy::Sum => code.zero.is_some(),
            _ => false,
        };
        if fired == 0 && !may_be_empty {
            return Err(Problem::NoRow(code.name.to_string(), self.input(code, frame, start)));
        }
        Ok(false)
    }

    /// The outcome of the next row that has fired.
    pub(super) fn next_outcome(&mut self, table: u32) -> Option<&'c OutcomeCode> {
        let code = self.table(table)?;
        let state = self.decisions.state()?;
        let row = *state.fired.get(state.given)?;
        state.given += 1;
        code.rows.get(row).map(|row| &row.outcome)
    }

    /// Puts an outcome to those before.
    pub(super) fn combine(
        &mut self,
        frame: &mut Registers,
        table: u32,
        outcome: Register,
        value: Value,
        start: Register,
    ) -> Result<()> {
        let Some(code) = self.table(table) else { return Ok(()) };
        let first = self.decisions.state().is_none_or(|state| state.given <= 1);
        if code.policy == HitPolicy::Collect {
            if let Some(Value::List(list)) = frame.get_mut(outcome) {
                Arc::make_mut(list).push(value);
            }
            return Ok(());
        }
        if first {
            frame.set(outcome, value);
            return Ok(());
        }
        let before = frame.get(Operand::register(outcome));
        let replaces = |wanted: Ordering, name| {
            let order = arithmetic::order(&value, before).map_err(|trouble| Problem::trouble(trouble, name))?;
            Ok(order == wanted)
        };
        let better = match code.policy {
            HitPolicy::Min => replaces(Ordering::Less, "min")?,
            HitPolicy::Max => replaces(Ordering::Greater, "max")?,
            HitPolicy::Sum => {
                let sum = arithmetic::add(before, &value).map_err(|trouble| Problem::trouble(trouble, "sum"))?;
                frame.set(outcome, sum);
                return Ok(());
            }
            HitPolicy::Any if *before != value => return Err(self.several_rows(code, frame, start)),
            _ => false,
        };
        if better {
            frame.set(outcome, value);
        }
        Ok(())
    }

    /// Ends a decision.
    pub(super) fn decided(
        &mut self,
        frame: &mut Registers,
        table: u32,
        outcome: Register,
        start: Register,
        host: &mut dyn Host,
        span: Span,
    ) -> Result<()> {
        let Some(code) = self.table(table) else { return Ok(()) };
        let fired = self.decisions.state().map(|state| std::mem::take(&mut state.fired)).unwrap_or_default();
        if fired.is_empty()
            && let (HitPolicy::Sum, Some(zero)) = (code.policy, &code.zero)
        {
            frame.set(outcome, zero.clone());
        }
        if host.traces_decisions() {
            let row_name = |row: &usize| code.rows.get(*row).map(|row| row.name.clone());
            let input = self.tested(code, frame, start);
            host.decided(Decision {
                table: code.name.clone(),
                rows: fired.iter().filter_map(row_name).collect(),
                input: input.map(|(heading, value)| (heading.into(), value.clone())).collect(),
                outcome: frame.get(Operand::register(outcome)).clone(),
                span,
            });
        }
        if let Some(state) = self.decisions.state() {
            state.fired = fired;
        }
        self.decisions.depth = self.decisions.depth.saturating_sub(1);
        Ok(())
    }

    fn tested<'f>(
        &self,
        code: &'c TableCode,
        frame: &'f Registers,
        start: Register,
    ) -> impl Iterator<Item = (&'c str, &'f Value)> + use<'f, 'c> {
        let columns = code.columns.iter().zip(start..).filter(|(column, _)| column.has_subject);
        columns.map(|(column, register)| (column.heading.as_str(), frame.get(Operand::register(register))))
    }

    fn input(&self, code: &'c TableCode, frame: &Registers, start: Register) -> String {
        let parts: Vec<String> = self
            .tested(code, frame, start)
            .map(|(heading, value)| format!("{heading} = {}", display::written(value, &self.code.names)))
            .collect();
        parts.join(", ")
    }

    fn several_rows(&mut self, code: &'c TableCode, frame: &Registers, start: Register) -> Problem {
        let input = self.input(code, frame, start);
        let fired = self.decisions.state().map(|state| state.fired.as_slice()).unwrap_or_default();
        let names: Vec<&str> =
            fired.iter().filter_map(|row| code.rows.get(*row)).map(|row| row.name.as_str()).collect();
        Problem::SeveralRows(code.name.to_string(), names.join(", "), input)
    }
}
