//! The instructions of the machine.

/// One instruction; belongs to the compiler and the machine alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instruction {
    /// Ends the chunk without a value.
    ReturnNothing,
}
