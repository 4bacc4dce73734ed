//! The rule engine: which rows of a decision table an input fits.

mod index;
mod row_set;

pub use index::Index;
pub use row_set::RowSet;

#[cfg(test)]
mod tests;
