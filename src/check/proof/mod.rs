//! Proofs about decision tables: that every input meets a row (completeness), that no input meets two
//! (overlap), and that every row can fire (dead rows); each with an input that shows the contrary.
//!
//! What a table tests is cut into [dimensions](dimension) of atoms; a row is then a box, and the proofs
//! are questions about [boxes](cover). What is no literal (a function, a second column) becomes a
//! dimension of its own that is true or false; an overlap that hangs on such a condition is possible, not
//! certain, and is not reported.

pub(super) mod bits;
#[cfg(test)]
mod brute_force;
mod cover;
pub(super) mod dimension;
pub(super) mod report;
mod space;

use super::program::{DecisionTable, Program};
use crate::finding::Finding;

/// Proves what can be proved of every table of a program that `wanted` says, and reports what does not hold.
pub fn check(program: &Program, wanted: impl Fn(&DecisionTable) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for table in program.tables.iter().filter(|table| wanted(table)) {
        if let Some(space) = space::Space::of(table, program) {
            findings.extend(report::Report { program, table, space: &space }.findings());
        }
    }
    findings
}

#[cfg(test)]
mod tests;
