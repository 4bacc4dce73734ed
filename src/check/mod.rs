//! From tree to program: names, types, effects, graphs; either a typed, resolved program or findings.

pub mod program;
pub mod proof;
