//! Circuit breakers: a system outside that fails again and again is not asked for a while, so that it can recover
//! and nobody waits for it in vain. (Nygard, "Release It!", 2007.)

use crate::value::{Duration, Instant};

/// When a system is left alone, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    /// After so many failures without a success between them …
    pub failures: u32,
    /// … within so long …
    pub within: Duration,
    /// … it is not asked for so long; then once, to see whether it works again.
    pub pause: Duration,
}

impl Default for Breaker {
    fn default() -> Self {
        Breaker {
            failures: 5,
            within: Duration::from_milliseconds(Duration::MINUTE),
            pause: Duration::from_milliseconds(30 * Duration::SECOND),
        }
    }
}

/// What is known of a system; all processes on a store share it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SystemState {
    /// When it failed since the last success, the oldest first; no more than the breaker counts.
    pub failures: Vec<Instant>,
    /// Until when it is not asked.
    pub open_until: Option<Instant>,
}

/// Whether a system may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// As often as one likes.
    Yes,
    /// Once, to see whether it works again; meanwhile others don't ask.
    Once,
    /// Not before this moment.
    NotBefore(Instant),
}

impl SystemState {
    /// Whether the system may be asked now. When the answer is [`Permission::Once`] the state changes and is to be
    /// kept before the system is asked.
    pub fn ask(&mut self, now: Instant, breaker: &Breaker) -> Permission {
        match self.open_until {
            None => Permission::Yes,
            // A clock that was set back must not close a system for longer than the breaker says.
            Some(until) if now < until && until.since(now) <= breaker.pause => Permission::NotBefore(until),
            Some(_) => {
                self.open_until = now.plus(breaker.pause).ok();
                Permission::Once
            }
        }
    }

    /// The system has answered.
    pub fn succeeded(&mut self) {
        *self = SystemState::default();
    }

    /// The system has failed. True when it is left alone from now on, and was not before.
    pub fn failed(&mut self, now: Instant, breaker: &Breaker) -> bool {
        self.failures.retain(|at| *at <= now && now.since(*at) <= breaker.within);
        self.failures.push(now);
        let most = breaker.failures.max(1) as usize;
        let excess = self.failures.len().saturating_sub(most);
        self.failures.drain(..excess);
        let was_open = self.open_until.is_some();
        if was_open || self.failures.len() >= most {
            self.open_until = now.plus(breaker.pause).ok();
        }
        self.open_until.is_some() && !was_open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::from_milliseconds(seconds * 1000).unwrap()
    }

    fn breaker() -> Breaker {
        Breaker { failures: 3, ..Breaker::default() }
    }

    #[test]
    fn a_system_that_fails_often_is_left_alone_then_tried_once() {
        let mut state = SystemState::default();
        assert_eq!([0, 10, 20].map(|second| state.failed(at(second), &breaker())), [false, false, true]);
        assert_eq!(state.ask(at(21), &breaker()), Permission::NotBefore(at(50)));
        assert_eq!(state.ask(at(50), &breaker()), Permission::Once);
        // While one asks, the others don't.
        assert_eq!(state.ask(at(51), &breaker()), Permission::NotBefore(at(80)));
        assert!(!state.failed(at(52), &breaker()), "it was left alone before");
        assert_eq!(state.ask(at(53), &breaker()), Permission::NotBefore(at(82)));
        assert_eq!(state.ask(at(83), &breaker()), Permission::Once);
        state.succeeded();
        assert_eq!(state.ask(at(84), &breaker()), Permission::Yes);
    }

    #[test]
    fn failures_that_lie_far_apart_do_not_count_together() {
        let mut state = SystemState::default();
        assert!([0, 61, 122, 183].into_iter().all(|second| !state.failed(at(second), &breaker())));
        state.succeeded();
        assert!([200, 201].into_iter().all(|second| !state.failed(at(second), &breaker())));
    }

    #[test]
    fn a_clock_that_is_set_back_closes_nothing_for_long() {
        let mut state = SystemState { failures: vec![at(1000)], open_until: Some(at(100_000)) };
        assert_eq!(state.ask(at(10), &breaker()), Permission::Once);
        assert!(!state.failed(at(10), &breaker()));
        assert_eq!(state.open_until, Some(at(40)));
    }
}
