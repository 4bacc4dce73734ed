//! Method chains over entities to query plans.

use super::body::Body;
use super::instruction::Register;
use crate::check::program::Expr;

impl Body<'_, '_> {
    /// Whether an expression is a query that is not loaded yet.
    pub fn is_query(&self, _expr: &Expr) -> bool {
        false
    }

    /// Asks the store for the value of an expression, when it is a chain that a store can do.
    pub fn query(&mut self, _expr: &Expr, _to: Register) -> bool {
        false
    }
}
