//! The clock of the machine.

use crate::value::{Duration, Instant};
use crate::world::Clock;
use jiff::tz::TimeZone;

/// The real time, and the zone in which the project counts days.
#[derive(Debug, Clone)]
pub struct SystemClock {
    zone: TimeZone,
}

impl SystemClock {
    /// Counts days in a zone.
    pub fn new(zone: TimeZone) -> Self {
        SystemClock { zone }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        // A clock outside the years 1 to 9999 is set wrong beyond use.
        Instant::from_timestamp(jiff::Timestamp::now()).unwrap_or(Instant::EPOCH)
    }

    fn sleep(&mut self, duration: Duration) {
        let milliseconds = u64::try_from(duration.milliseconds()).unwrap_or(0);
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
    }

    fn zone(&self) -> &TimeZone {
        &self.zone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes() {
        let mut clock = SystemClock::new(TimeZone::UTC);
        let before = clock.now();
        clock.sleep(Duration::from_milliseconds(2));
        assert!(clock.now() > before);
        assert!(before.date_in(clock.zone()).year() > 2024);
    }
}
