//! The time that the processor has worked: on a busy machine it says more than the clock.

use std::time::{Duration, Instant};

/// A point on all clocks.
#[derive(Clone, Copy)]
pub struct Point {
    clock: Instant,
    processor: Option<Duration>,
    all_threads: Option<Duration>,
}

/// What has passed between two points.
pub struct Passed {
    /// On the clock.
    pub clock: Duration,
    /// In the processor, for the first thread; the clock's where the system does not tell.
    #[allow(dead_code, reason = "not every bench asks for it")]
    pub processor: Duration,
    /// In all processors, for all threads, those too that have ended; to a hundredth of a second.
    #[allow(dead_code, reason = "not every bench asks for it")]
    pub all_threads: Duration,
}

/// Now.
pub fn now() -> Point {
    // Linux tells the nanoseconds that the first thread has run.
    let told = std::fs::read_to_string("/proc/self/schedstat").ok();
    let nanoseconds = told.and_then(|told| told.split(' ').next().and_then(|first| first.parse().ok()));
    Point { clock: Instant::now(), processor: nanoseconds.map(Duration::from_nanos), all_threads: all_threads() }
}

/// Behind the state of the process, its user and system time are the fields 14 and 15, in hundredths of a second.
fn all_threads() -> Option<Duration> {
    let told = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = told.rsplit(')').next()?.split_whitespace().skip(11);
    let mut hundredths = || fields.next().and_then(|field| field.parse::<u64>().ok());
    Some(Duration::from_millis((hundredths()? + hundredths()?) * 10))
}

/// What has passed since.
pub fn since(start: Point) -> Passed {
    let end = now();
    let clock = end.clock.duration_since(start.clock);
    let between = |time: fn(&Point) -> Option<Duration>| {
        time(&end).zip(time(&start)).map_or(clock, |(end, start)| end.saturating_sub(start))
    };
    Passed { clock, processor: between(|point| point.processor), all_threads: between(|point| point.all_threads) }
}
