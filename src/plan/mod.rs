//! Plans: what a flow would do, before it does it.
//!
//! A plan is made by the real engine on the real store: the store holds back what it is told ([`Store::hold`]), files are
//! kept in memory ([`PlannedFiles`]), pauses take no time ([`PlannedClock`]), and a [`Recorder`] hears of every effect of
//! every step. In the end all of it is taken back. A run that is held to a plan ([`Recorder::expecting`]) goes the same
//! way, refuses an effect that the plan did not have, and only in the end puts everything on disk.
//!
//! [`Store::hold`]: crate::world::Store::hold

mod clock;
mod effect;
mod files;
mod held;
mod recorder;
mod report;

pub use clock::PlannedClock;
pub use effect::{Deed, FieldChange, PlannedEffect};
pub use files::{Overlay, PlannedFiles};
pub use held::Held;
pub use recorder::{Recorder, Refusal, Shared};
pub use report::{Plan, change, text};

#[cfg(test)]
mod tests;
