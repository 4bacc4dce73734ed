//! Shows findings: [`terminal`] for people, [`json`] for programs, [`sarif`], [`github`] and [`junit`] for what takes the
//! findings of checkers, and a [`Tally`] below them.

mod excerpt;
pub mod github;
pub mod json;
pub mod junit;
pub mod sarif;
mod summary;
pub mod terminal;

pub use summary::{Tally, number};

use super::Finding;
use crate::text::Sources;

/// Findings with the texts that they point into.
#[derive(Debug)]
pub struct Report<'s> {
    /// The file that was looked at, when it was one.
    pub file: Option<String>,
    /// Whether something that it needs, or it itself, has an error; told here or in a report before.
    pub is_broken: bool,
    /// The findings.
    pub findings: Vec<Finding>,
    /// The texts.
    pub sources: &'s Sources,
}

#[cfg(test)]
mod tests;
