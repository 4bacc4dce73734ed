//! The machine: evaluates chunks, within limits, with failures that know where they come from.

mod failure;
mod host;

pub use failure::{Failure, Frame};
pub use host::{Decision, Host};
