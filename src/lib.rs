//! `rpa`: a language for automating customer work, and everything around it.
//!
//! `docs/architecture.md` shows the way of a script through these rooms.

pub mod finding;
pub mod syntax;
pub mod text;
pub mod value;
