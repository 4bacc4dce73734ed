//! Chance.

/// Gives random numbers. What a step draws is in its journaled result, so a run that goes on does not draw again.
pub trait Random: Send {
    /// 64 random bits.
    fn next(&mut self) -> u64;
}
