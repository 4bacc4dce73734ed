//! Shows findings: [`terminal`] for people, [`json`] for programs, and a [`Tally`] below them.

mod excerpt;
pub mod json;
mod summary;
pub mod terminal;

pub use summary::{Tally, number};

#[cfg(test)]
mod tests;
