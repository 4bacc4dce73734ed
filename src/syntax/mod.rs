//! From text to tree: logical lines, pest by the line, blocks by hand, all syntax errors in one pass.

pub mod tree;
