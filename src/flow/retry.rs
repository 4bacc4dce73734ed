//! When a step is tried again: after transient failures, as often as `retry` says, after growing pauses.

use super::Broken;
use super::engine::Engine;
use super::failure::RunFailure;
use super::run::Run;
use crate::compile::code::ChunkId;
use crate::compile::flow::StepCode;
use crate::value::{Duration, Value, encode};

/// The first pause when `retry` names none.
const DEFAULT_PAUSE: Duration = Duration::from_milliseconds(1000);

/// The longest pause when `retry` names none.
const DEFAULT_CEILING: Duration = Duration::from_milliseconds(Duration::HOUR);

impl Engine<'_> {
    /// How long to wait before the next try; none when there is none. `tries` have failed so far.
    pub(super) fn pause_before_next_try(
        &mut self,
        run: &mut Run,
        step: &StepCode,
        tries: u32,
        failure: &RunFailure,
    ) -> Result<Option<Duration>, Broken> {
        let Some(retry) = &step.retry else { return Ok(None) };
        let error = self.code.errors.get(failure.failure.error.0 as usize);
        if failure.earlier.is_some() || !error.is_some_and(|error| error.transient) {
            return Ok(None);
        }
        // What `retry` says is pure; should it fail all the same, there is no next try.
        let Ok(Value::Int(times)) = self.evaluate(run, retry.times)? else { return Ok(None) };
        if i64::from(tries) > times {
            return Ok(None);
        }
        let Some(first) = self.length(run, retry.from, DEFAULT_PAUSE)? else { return Ok(None) };
        let Some(ceiling) = self.length(run, retry.up_to, DEFAULT_CEILING)? else { return Ok(None) };
        let chance = self.world().random.next();
        Ok(Some(pause(first, retry.doubling, ceiling, tries, chance)))
    }

    fn length(&mut self, run: &mut Run, chunk: Option<ChunkId>, default: Duration) -> Result<Option<Duration>, Broken> {
        let Some(chunk) = chunk else { return Ok(Some(default)) };
        Ok(match self.evaluate(run, chunk)? {
            Ok(Value::Duration(length)) => Some(length),
            _ => None,
        })
    }
}

/// The pause after so many failed tries: doubled each time, not beyond the ceiling, and then between half of
/// that and all of it by chance, so that many runs that failed together do not come back together ("equal
/// jitter": M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
fn pause(first: Duration, doubling: bool, ceiling: Duration, tries: u32, chance: u64) -> Duration {
    let doublings = if doubling { tries.saturating_sub(1).min(62) } else { 0 };
    let full = first.milliseconds().max(0).saturating_mul(1_i64 << doublings).min(ceiling.milliseconds().max(0));
    let half = full / 2;
    let share = (u128::from(chance) * (full - half) as u128) >> 64;
    Duration::from_milliseconds(half + share as i64 + i64::from(full > half && share + 1 == (full - half) as u128))
}

/// A failed try as the journal keeps it: the failure, and how long the pause before the next try is.
pub(super) fn encode_failed(failure: &RunFailure, pause: Option<Duration>) -> Vec<u8> {
    let pause = pause.map_or(Value::None, Value::Duration);
    let mut bytes = Vec::new();
    if encode(&Value::list(vec![failure.to_value(), pause.clone()]), &mut bytes).is_err() {
        let mut flat = failure.clone();
        flat.failure.fields.clear();
        drop(encode(&Value::list(vec![flat.to_value(), pause]), &mut bytes));
    }
    bytes
}

/// From how the journal keeps it.
pub(super) fn decode_failed(value: &Value) -> Option<(RunFailure, Option<Duration>)> {
    let [failure, pause] = value.as_list()? else { return None };
    let pause = match pause {
        Value::Duration(pause) => Some(*pause),
        _ => None,
    };
    Some((RunFailure::from_value(failure)?, pause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(count: i64) -> Duration {
        Duration::from_milliseconds(count * 1000)
    }

    #[test]
    fn pauses_double_up_to_the_ceiling() {
        let longest = |tries| pause(seconds(2), true, seconds(60), tries, u64::MAX).milliseconds() / 1000;
        assert_eq!((1..=7).map(longest).collect::<Vec<_>>(), [2, 4, 8, 16, 32, 60, 60]);
        let even = |tries| pause(seconds(2), false, seconds(60), tries, u64::MAX).milliseconds() / 1000;
        assert_eq!((1..=3).map(even).collect::<Vec<_>>(), [2, 2, 2]);
        assert_eq!(pause(seconds(2), true, seconds(60), u32::MAX, 0), seconds(30));
    }

    proptest! {
        #[test]
        fn a_pause_lies_between_half_and_all(first in any::<i64>(), ceiling in any::<i64>(), tries in 1_u32..200, chance in any::<u64>()) {
            let (first, ceiling) = (Duration::from_milliseconds(first), Duration::from_milliseconds(ceiling));
            let least = pause(first, true, ceiling, tries, 0);
            let most = pause(first, true, ceiling, tries, u64::MAX);
            let some = pause(first, true, ceiling, tries, chance);
            prop_assert!(least <= some && some <= most && most <= ceiling.max(Duration::ZERO));
        }
    }
}
