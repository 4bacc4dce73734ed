//! The REPL: try the language line by line.
//!
//! An entry is a declaration, a statement or an expression. Declarations and `let`s stay for the entries
//! that follow; what fails takes back what it wrote and leaves the session as it was.

mod editor;
mod evaluate;
mod highlight;
mod session;
mod table;

pub use evaluate::{Evaluated, Evaluator, Worlds};
pub use session::{Talk, interactive, piped};
