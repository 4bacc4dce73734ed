//! The machine: evaluates chunks, within limits, with failures that know where they come from.

mod bounds;
mod decision;
mod dispatch;
mod elements;
mod failure;
mod host;
mod limits;
mod machine;
mod memory;
mod method;
mod problem;
mod records;
mod registers;

pub use failure::{Failure, Frame};
pub use host::{Decision, Host};
pub use limits::Limits;
pub use machine::Machine;
pub use problem::failure_message;

#[cfg(test)]
mod tests;
