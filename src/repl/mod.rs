//! The REPL: try the language line by line.

mod editor;
mod highlight;
mod table;
