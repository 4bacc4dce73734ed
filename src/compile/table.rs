//! Decision tables as data: what the rule engine builds its index from, and where the chunk of a table has
//! the tests and outcomes that no index knows.

use super::code::ChunkId;
use super::instruction::{Comparison, Position};
use crate::syntax::tree::HitPolicy;
use crate::value::Value;
use ecow::EcoString;

/// A decision table, ready for the machine.
#[derive(Debug, Clone)]
pub struct TableCode {
    /// Its name.
    pub name: EcoString,
    /// What happens when several rows fit.
    pub policy: HitPolicy,
    /// The columns that test; the n-th subject is in the n-th register of the decision.
    pub columns: Vec<ColumnCode>,
    /// The rows in order.
    pub rows: Vec<RowCode>,
    /// The sum of no outcomes, where it is known; for the policy `sum`.
    pub zero: Option<Value>,
    /// The chunk that decides; takes the parameters of the table.
    pub chunk: ChunkId,
}

/// A column that tests.
#[derive(Debug, Clone)]
pub struct ColumnCode {
    /// How the head says it.
    pub heading: EcoString,
    /// Whether it tests a value; `when` columns do not.
    pub has_subject: bool,
    /// What the cells say, one a row, when all of them are known before the run; columns without are tested by
    /// the chunk.
    pub cells: Option<Vec<LiteralCell>>,
}

/// A test of a value against values that are known before the run.
#[derive(Debug, Clone, PartialEq)]
pub enum LiteralCell {
    /// Anything fits.
    Anything,
    /// Anything but none fits.
    Some,
    /// Equal to this.
    Equal(Value),
    /// A comparison with this, other than `==` and `!=`; none does not fit.
    Compare(Comparison, Value),
    /// Between these, both included; none does not fit.
    Range(Value, Value),
    /// What this test does not take.
    Not(Box<LiteralCell>),
    /// All of these.
    And(Vec<LiteralCell>),
    /// One of these.
    Or(Vec<LiteralCell>),
}

/// A row of a table.
#[derive(Debug, Clone)]
pub struct RowCode {
    /// What people call it.
    pub name: EcoString,
    /// Whether it is tested only when no other row fits; rows of `first` tables never are.
    pub last_resort: bool,
    /// Where its tests begin; none when the index knows all of them.
    pub tests: Option<Position>,
    /// Its outcome.
    pub outcome: OutcomeCode,
}

/// The outcome of a row.
#[derive(Debug, Clone)]
pub enum OutcomeCode {
    /// Known before the run.
    Constant(Value),
    /// Computed by the instructions that begin here.
    Computed(Position),
}
