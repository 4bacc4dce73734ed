//! Time in a plan: pauses take none.

use crate::value::{Duration, Instant};
use crate::world::Clock;

/// A clock that is ahead of another one by all that was slept.
pub struct PlannedClock {
    inner: Box<dyn Clock>,
    slept: Duration,
}

impl PlannedClock {
    /// Begins with what `inner` shows.
    pub fn new(inner: Box<dyn Clock>) -> PlannedClock {
        PlannedClock { inner, slept: Duration::from_milliseconds(0) }
    }
}

impl Clock for PlannedClock {
    fn now(&self) -> Instant {
        let now = self.inner.now();
        now.plus(self.slept).unwrap_or(now)
    }

    fn sleep(&mut self, duration: Duration) {
        let slept = self.slept.milliseconds().saturating_add(duration.milliseconds().max(0));
        self.slept = Duration::from_milliseconds(slept);
    }

    fn zone(&self) -> &jiff::tz::TimeZone {
        self.inner.zone()
    }
}
