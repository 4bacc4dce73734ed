//! Whether a clock is believed when something is to be removed by it: what is gone does not come back when the clock is put
//! right.
//!
//! The store remembers when it was looked at last. A clock that is more than a day ahead of that has jumped, or nobody has
//! looked: it is doubted, and believed when it still goes on from there an hour later.

use crate::value::Duration;

/// The longest way that a clock goes from one look to the next without being doubted.
const LONGEST: i64 = Duration::DAY;

/// How long it must have gone on since it was doubted.
const PROOF: std::ops::RangeInclusive<i64> = Duration::HOUR..=31 * Duration::DAY;

/// Since when the clock is doubted, in its own milliseconds; none when it is believed. `looked` is what it showed at the
/// last look, `doubted` since when it was doubted then.
pub(super) fn doubted_since(now: i64, looked: Option<i64>, doubted: Option<i64>) -> Option<i64> {
    let gone = |from: i64| now.saturating_sub(from);
    match doubted {
        Some(since) if PROOF.contains(&gone(since)) => None,
        Some(since) if (0..*PROOF.start()).contains(&gone(since)) => Some(since),
        _ => looked.is_some_and(|looked| gone(looked) > LONGEST).then_some(now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;
    const MINUTES: i64 = 10 * Duration::MINUTE;

    #[test]
    fn a_clock_that_is_ahead_for_a_moment_is_not_believed() {
        let ahead = NOW + 3 * 365 * Duration::DAY;
        let doubted = doubted_since(ahead, Some(NOW), None);
        assert_eq!(doubted, Some(ahead));
        assert_eq!(doubted_since(ahead + MINUTES, Some(ahead), doubted), doubted);
        // It is put right, and goes on as before.
        assert_eq!(doubted_since(NOW + 2 * MINUTES, Some(ahead + MINUTES), doubted), None);
    }

    #[test]
    fn a_server_that_was_away_is_believed_an_hour_later_and_one_that_stays_always() {
        assert_eq!(doubted_since(NOW, None, None), None);
        assert_eq!(doubted_since(NOW + MINUTES, Some(NOW), None), None);
        let back = NOW + 9 * Duration::DAY;
        assert_eq!(doubted_since(back, Some(NOW), None), Some(back));
        assert_eq!(doubted_since(back + Duration::HOUR, Some(back + 5 * MINUTES), Some(back)), None);
        // One that is started once a day or once a week looks a second time at its next start.
        assert_eq!(doubted_since(back + 7 * Duration::DAY, Some(back), Some(back)), None);
        // A clock that jumps again while it is doubted is doubted on.
        let again = back + 400 * Duration::DAY;
        assert_eq!(doubted_since(again, Some(back), Some(back)), Some(again));
    }
}
