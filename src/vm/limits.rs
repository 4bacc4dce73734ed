//! What a script may use of the machine it runs on.

/// Limits for one call of a chunk. Reaching one is the failure `limit_reached`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Rounds of loops, calls and elements handled by primitives, together.
    pub rounds: u64,
    /// Calls inside of calls.
    pub call_depth: usize,
    /// Elements of one list or map.
    pub list_length: usize,
    /// Bytes of one text.
    pub text_length: usize,
    /// Bytes of all values that are alive, estimated.
    pub memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            rounds: 2_000_000_000,
            call_depth: 10_000,
            list_length: 20_000_000,
            text_length: 256 * 1024 * 1024,
            memory: 2 * 1024 * 1024 * 1024,
        }
    }
}
