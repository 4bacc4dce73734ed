//! The rule engine: which rows of a decision table an input fits, and which reactive rules a change sets off.

mod agenda;
mod index;
mod row_set;

pub use agenda::{Activation, Agenda, Endless, Executes, Firing, LONGEST_CHAIN, MOST_FIRINGS, Subject};
pub use index::Index;
pub use row_set::RowSet;

#[cfg(test)]
mod tests;
