//! The time that the processor has worked for this thread: on a busy machine it says more than the clock.

use std::time::{Duration, Instant};

/// A point on both clocks.
#[derive(Clone, Copy)]
pub struct Point {
    clock: Instant,
    processor: Option<Duration>,
}

/// What has passed between two points.
pub struct Passed {
    /// On the clock.
    pub clock: Duration,
    /// In the processor; the clock's where the system does not tell.
    pub processor: Duration,
}

/// Now.
pub fn now() -> Point {
    // Linux tells the nanoseconds that the first thread has run.
    let told = std::fs::read_to_string("/proc/self/schedstat").ok();
    let nanoseconds = told.and_then(|told| told.split(' ').next().and_then(|first| first.parse().ok()));
    Point { clock: Instant::now(), processor: nanoseconds.map(Duration::from_nanos) }
}

/// What has passed since.
pub fn since(start: Point) -> Passed {
    let end = now();
    let clock = end.clock.duration_since(start.clock);
    let processor = end.processor.zip(start.processor).map(|(end, start)| end.saturating_sub(start));
    Passed { clock, processor: processor.unwrap_or(clock) }
}
