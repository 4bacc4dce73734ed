//! What a script may use of the machine it runs on.

pub use crate::world::Limits;
