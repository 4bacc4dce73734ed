//! Shows findings: [`terminal`] for people, [`json`] for programs, and the [`summary`] below them.

mod excerpt;
pub mod json;
mod summary;
pub mod terminal;

pub use summary::{number, summary};

#[cfg(test)]
mod tests;
