//! The clock of the machine.

use super::sqlite::Stop;
use crate::value::{Duration, Instant};
use crate::world::Clock;
use jiff::tz::TimeZone;

/// The real time, and the zone in which the project counts days.
#[derive(Debug, Clone)]
pub struct SystemClock {
    zone: TimeZone,
    stop: Stop,
}

/// How long it sleeps without looking whether the process is to end.
const LOOK: std::time::Duration = std::time::Duration::from_millis(50);

impl SystemClock {
    /// Counts days in a zone.
    pub fn new(zone: TimeZone) -> Self {
        SystemClock { zone, stop: Stop::default() }
    }

    /// The same; once `stop` is set, it sleeps no more.
    #[must_use]
    pub fn until(self, stop: Stop) -> Self {
        SystemClock { stop, ..self }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        // A clock outside the years 1 to 9999 is set wrong beyond use.
        Instant::from_timestamp(jiff::Timestamp::now()).unwrap_or(Instant::EPOCH)
    }

    fn sleep(&mut self, duration: Duration) {
        let milliseconds = u64::try_from(duration.milliseconds()).unwrap_or(0);
        let mut left = std::time::Duration::from_millis(milliseconds);
        while !left.is_zero() && !self.stop.is_set() {
            let part = left.min(LOOK);
            std::thread::sleep(part);
            left -= part;
        }
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
        // A process that is to end does not sleep on.
        let stop = Stop::default();
        stop.0.store(true, std::sync::atomic::Ordering::Relaxed);
        SystemClock::new(TimeZone::UTC).until(stop).sleep(Duration::from_milliseconds(Duration::DAY));
        assert!(before.date_in(clock.zone()).year() > 2024);
    }
}
