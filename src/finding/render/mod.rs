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
    /// The findings.
    pub findings: Vec<Finding>,
    /// The texts.
    pub sources: &'s Sources,
}

#[cfg(test)]
mod tests;
