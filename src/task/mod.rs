//! The task executor: performs what is not pure, keeps account of what a step changed, and turns what goes wrong
//! into failures that a script can name.
//!
//! [`Executor`] is the machine's host inside a step, [`PureHost`] the one between steps. Each group of primitives
//! has its own file; `table` is what data files of every kind have in common.

mod arguments;
mod calendar;
mod clock;
mod csv;
mod email;
mod excel;
mod executor;
mod file;
mod http;
mod interrupted;
mod json;
mod log;
mod names;
mod pdf;
mod problem;
mod project;
mod pure;
mod random;
mod reaction;
mod report;
mod sequence;
mod table;

#[cfg(test)]
mod fixture;

pub use email::address_problem;
pub use executor::Executor;
pub use interrupted::{Interrupted, Leaves};
pub use json::{parse as parse_json, text as json_text};
pub use problem::Problem;
pub use pure::PureHost;
pub use report::{CallsMade, FlowStart, StepReport, SystemOutcome};
