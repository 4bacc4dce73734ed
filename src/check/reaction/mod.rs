//! Reactive rules: what makes them fire, what they do, and what can be proved of a set of them.

mod watch;

pub use watch::watched;
