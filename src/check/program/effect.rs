//! What a callable does to the world, inferred for every one of them.

use serde::Serialize;

/// The effect of a callable or an expression; each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// The result depends on the arguments alone.
    #[default]
    Pure,
    /// Reads records, files, the clock or chance.
    Reads,
    /// Writes records or files.
    Writes,
    /// Sends mail.
    Sends,
    /// Calls another system, or waits for a person or an event.
    Calls,
}

impl Effect {
    /// The word that people read: `pure`, `reads` …
    pub fn word(self) -> &'static str {
        match self {
            Effect::Pure => "pure",
            Effect::Reads => "reads",
            Effect::Writes => "writes",
            Effect::Sends => "sends",
            Effect::Calls => "calls",
        }
    }
}
