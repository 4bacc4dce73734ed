//! The REPL: try the language line by line.

mod table;
