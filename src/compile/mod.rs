//! From program to code: registers instead of names, jumps instead of blocks, indexes instead of rows,
//! query plans instead of method chains. Spans are kept beside the instructions.

pub mod code;
pub mod flow;
pub mod instruction;
pub mod query;
