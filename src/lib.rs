//! `rpa`: a language for automating customer work, and everything around it.
//!
//! `docs/architecture.md` shows the way of a script through these rooms.

pub mod adapter;
pub mod check;
pub mod cli;
pub mod compile;
pub mod finding;
pub mod flow;
pub mod format;
pub mod library;
pub mod plan;
pub mod repl;
pub mod rule;
pub mod serve;
pub mod syntax;
pub mod task;
pub mod text;
pub mod value;
pub mod vm;
pub mod world;
