//! Time.

use crate::value::{Duration, Instant};

/// Tells the time.
pub trait Clock: Send {
    /// This moment.
    fn now(&self) -> Instant;

    /// Returns when so much time has passed.
    fn sleep(&mut self, duration: Duration);

    /// The IANA zone that days are counted in when a script names none.
    fn zone(&self) -> &jiff::tz::TimeZone;
}

/// A clock that stands still until it is set or slept on; sleeping takes no time.
#[derive(Debug, Clone)]
pub struct FixedClock {
    /// What it shows.
    pub now: Instant,
    /// Its zone.
    pub zone: jiff::tz::TimeZone,
}

impl Clock for FixedClock {
    fn now(&self) -> Instant {
        self.now
    }

    fn sleep(&mut self, duration: Duration) {
        self.now = self.now.plus(duration).unwrap_or(self.now);
    }

    fn zone(&self) -> &jiff::tz::TimeZone {
        &self.zone
    }
}
