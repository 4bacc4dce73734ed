//! Points in time, lengths of time, and what happens when they meet dates.
//!
//! Dates and instants lie in the years 1 to 9999, so that all of them have one written form.

use super::ArithmeticError;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan, Unit};
use rust_decimal::Decimal;

type Result<T> = std::result::Result<T, ArithmeticError>;

/// Milliseconds of a day.
const DAY: i64 = 24 * Duration::HOUR;

/// A point in time, in milliseconds since 1970-01-01T00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instant(i64);

impl Instant {
    /// The beginning of 1970 in UTC.
    pub const EPOCH: Instant = Instant(0);
    /// The earliest instant, 0001-01-01T00:00:00Z.
    const FIRST: i64 = -62_135_596_800_000;
    /// The latest instant, 9999-12-30T22:00:00Z, up to which every time zone has a date for it.
    const LAST: i64 = 253_402_207_200_000;

    /// The instant so many milliseconds after 1970-01-01T00:00Z.
    ///
    /// # Errors
    /// [`ArithmeticError::InvalidDate`] outside the years 1 to 9999.
    pub fn from_milliseconds(milliseconds: i64) -> Result<Instant> {
        if !(Self::FIRST..=Self::LAST).contains(&milliseconds) {
            return Err(ArithmeticError::InvalidDate);
        }
        Ok(Instant(milliseconds))
    }

    /// The instant of a timestamp; what is finer than a millisecond is dropped.
    ///
    /// # Errors
    /// [`ArithmeticError::InvalidDate`] outside the years 1 to 9999.
    pub fn from_timestamp(timestamp: Timestamp) -> Result<Instant> {
        Instant::from_milliseconds(timestamp.as_nanosecond().div_euclid(1_000_000) as i64)
    }

    /// The instant at which a clock in `zone` shows `date` and `time`. In the hour that a change of
    /// the clocks leaves out or repeats it is the one that the time before the change would give.
    ///
    /// # Errors
    /// [`ArithmeticError::InvalidDate`] at the ends of the calendar.
    pub fn from_civil(date: Date, time: Time, zone: &TimeZone) -> Result<Instant> {
        let timestamp = zone.to_timestamp(date.to_datetime(time)).map_err(|_| ArithmeticError::InvalidDate)?;
        Instant::from_timestamp(timestamp)
    }

    /// Milliseconds since 1970-01-01T00:00Z.
    pub fn milliseconds(self) -> i64 {
        self.0
    }

    /// The same instant for `jiff`.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::MAX)
    }

    /// The date that a calendar in `zone` shows at this instant.
    pub fn date_in(self, zone: &TimeZone) -> Date {
        zone.to_datetime(self.timestamp()).date()
    }

    /// The time that a clock in `zone` shows at this instant.
    pub fn time_in(self, zone: &TimeZone) -> Time {
        zone.to_datetime(self.timestamp()).time()
    }

    /// The instant that is `duration` later.
    ///
    /// # Errors
    /// Outside the years 1 to 9999.
    pub fn plus(self, duration: Duration) -> Result<Instant> {
        Instant::from_milliseconds(self.0.checked_add(duration.0).ok_or(ArithmeticError::InvalidDate)?)
    }

    /// The instant that is `duration` earlier.
    ///
    /// # Errors
    /// Outside the years 1 to 9999.
    pub fn minus(self, duration: Duration) -> Result<Instant> {
        Instant::from_milliseconds(self.0.checked_sub(duration.0).ok_or(ArithmeticError::InvalidDate)?)
    }

    /// How long after `earlier` this instant is; negative when it is before.
    pub fn since(self, earlier: Instant) -> Duration {
        // Both are within the years 1 to 9999, which is far from the ends of 64 bit.
        Duration(self.0.saturating_sub(earlier.0))
    }
}

/// A length of time in milliseconds; may be negative. A day has 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Duration(i64);

impl Duration {
    /// No time.
    pub const ZERO: Duration = Duration(0);
    /// Milliseconds of a second.
    pub const SECOND: i64 = 1000;
    /// Milliseconds of a minute.
    pub const MINUTE: i64 = 60 * Self::SECOND;
    /// Milliseconds of an hour.
    pub const HOUR: i64 = 60 * Self::MINUTE;
    /// Milliseconds of a day.
    pub const DAY: i64 = DAY;
    /// Milliseconds of a week.
    pub const WEEK: i64 = 7 * DAY;

    /// So many milliseconds.
    pub const fn from_milliseconds(milliseconds: i64) -> Duration {
        Duration(milliseconds)
    }

    /// `count` times a unit such as [`Duration::DAY`].
    ///
    /// # Errors
    /// Beyond 64 bit of milliseconds, which are 292 million years.
    pub fn of(count: i64, unit: i64) -> Result<Duration> {
        count.checked_mul(unit).map(Duration).ok_or(ArithmeticError::Overflow)
    }

    /// The milliseconds of a unit as the language writes it, singular or plural: `day`, `days`.
    pub fn unit(name: &str) -> Option<i64> {
        match name {
            "millisecond" | "milliseconds" => Some(1),
            "second" | "seconds" => Some(Self::SECOND),
            "minute" | "minutes" => Some(Self::MINUTE),
            "hour" | "hours" => Some(Self::HOUR),
            "day" | "days" => Some(Self::DAY),
            "week" | "weeks" => Some(Self::WEEK),
            _ => None,
        }
    }

    /// Its length in milliseconds.
    pub const fn milliseconds(self) -> i64 {
        self.0
    }

    /// Its length in whole days, if it is a whole number of days.
    pub fn whole_days(self) -> Option<i64> {
        (self.0 % DAY == 0).then_some(self.0 / DAY)
    }

    /// The same for the standard library; none when negative.
    pub fn to_std(self) -> Option<std::time::Duration> {
        u64::try_from(self.0).ok().map(std::time::Duration::from_millis)
    }

    /// The sum.
    ///
    /// # Errors
    /// Beyond 64 bit.
    pub fn plus(self, other: Duration) -> Result<Duration> {
        self.0.checked_add(other.0).map(Duration).ok_or(ArithmeticError::Overflow)
    }

    /// The difference.
    ///
    /// # Errors
    /// Beyond 64 bit.
    pub fn minus(self, other: Duration) -> Result<Duration> {
        self.0.checked_sub(other.0).map(Duration).ok_or(ArithmeticError::Overflow)
    }

    /// So many times as long.
    ///
    /// # Errors
    /// Beyond 64 bit.
    pub fn multiply(self, factor: i64) -> Result<Duration> {
        Duration::of(self.0, factor)
    }

    /// The `divisor`th part, cut to a millisecond.
    ///
    /// # Errors
    /// For zero.
    pub fn divide(self, divisor: i64) -> Result<Duration> {
        match divisor {
            0 => Err(ArithmeticError::DivisionByZero),
            _ => self.0.checked_div(divisor).map(Duration).ok_or(ArithmeticError::Overflow),
        }
    }

    /// How often `other` fits into this duration: `90 minutes / 1 hour` is 1.5.
    ///
    /// # Errors
    /// When `other` is zero.
    pub fn ratio(self, other: Duration) -> Result<Decimal> {
        super::decimal::divide(Decimal::from(self.0), Decimal::from(other.0))
    }

    /// The same length in the other direction.
    ///
    /// # Errors
    /// Beyond 64 bit.
    pub fn negate(self) -> Result<Duration> {
        self.0.checked_neg().map(Duration).ok_or(ArithmeticError::Overflow)
    }
}

/// The date with these numbers.
///
/// # Errors
/// [`ArithmeticError::InvalidDate`] when the calendar has no such day, or the year is not in 1 to 9999.
pub fn date(year: i64, month: i64, day: i64) -> Result<Date> {
    let (Ok(year), Ok(month), Ok(day)) = (i16::try_from(year), i8::try_from(month), i8::try_from(day)) else {
        return Err(ArithmeticError::InvalidDate);
    };
    Date::new(year, month, day).map_err(|_| ArithmeticError::InvalidDate).and_then(in_range)
}

/// The time of day with these numbers.
///
/// # Errors
/// [`ArithmeticError::InvalidTime`] when the clock does not show it.
pub fn time(hour: i64, minute: i64, second: i64) -> Result<Time> {
    let (Ok(hour), Ok(minute), Ok(second)) = (i8::try_from(hour), i8::try_from(minute), i8::try_from(second)) else {
        return Err(ArithmeticError::InvalidTime);
    };
    Time::new(hour, minute, second, 0).map_err(|_| ArithmeticError::InvalidTime)
}

/// The date `duration` after `date`.
///
/// # Errors
/// [`ArithmeticError::NotWholeDays`], and [`ArithmeticError::InvalidDate`] outside the years 1 to 9999.
pub fn add_to_date(date: Date, duration: Duration) -> Result<Date> {
    add_days(date, duration.whole_days().ok_or(ArithmeticError::NotWholeDays(duration))?)
}

/// The date `duration` before `date`.
///
/// # Errors
/// As [`add_to_date`].
pub fn subtract_from_date(date: Date, duration: Duration) -> Result<Date> {
    let days = duration.whole_days().ok_or(ArithmeticError::NotWholeDays(duration))?;
    add_days(date, days.checked_neg().ok_or(ArithmeticError::InvalidDate)?)
}

/// The date `days` days after `date`, or before it when negative.
///
/// # Errors
/// [`ArithmeticError::InvalidDate`] outside the years 1 to 9999.
pub fn add_days(date: Date, days: i64) -> Result<Date> {
    add_span(date, Span::new().try_days(days))
}

/// The same day `months` months later, or the last day of that month when it is shorter.
///
/// # Errors
/// [`ArithmeticError::InvalidDate`] outside the years 1 to 9999.
pub fn add_months(date: Date, months: i64) -> Result<Date> {
    add_span(date, Span::new().try_months(months))
}

/// How long after `earlier` the date `later` is: a whole number of days, negative when it is before.
pub fn between_dates(later: Date, earlier: Date) -> Duration {
    // Any two dates of the calendar are fewer than eight million days apart.
    let days = earlier.until((Unit::Day, later)).map_or(0, |span| i64::from(span.get_days()));
    Duration(days.saturating_mul(DAY))
}

/// The time of day `duration` after `time`.
///
/// # Errors
/// [`ArithmeticError::InvalidTime`] when that is another day.
pub fn add_to_time(time: Time, duration: Duration) -> Result<Time> {
    let moved = milliseconds_of_day(time).checked_add(duration.0).ok_or(ArithmeticError::InvalidTime)?;
    time_from_milliseconds(moved)
}

/// How long after `earlier` the time `later` of the same day is; negative when it is before.
pub fn between_times(later: Time, earlier: Time) -> Duration {
    Duration(milliseconds_of_day(later) - milliseconds_of_day(earlier))
}

/// Milliseconds since midnight; what is finer is dropped.
pub fn milliseconds_of_day(time: Time) -> i64 {
    i64::from(time.hour()) * Duration::HOUR
        + i64::from(time.minute()) * Duration::MINUTE
        + i64::from(time.second()) * Duration::SECOND
        + i64::from(time.millisecond())
}

/// The time of day so many milliseconds after midnight.
///
/// # Errors
/// [`ArithmeticError::InvalidTime`] outside the day.
pub fn time_from_milliseconds(milliseconds: i64) -> Result<Time> {
    if !(0..DAY).contains(&milliseconds) {
        return Err(ArithmeticError::InvalidTime);
    }
    Time::midnight().checked_add(milliseconds.milliseconds()).map_err(|_| ArithmeticError::InvalidTime)
}

/// Days since 1970-01-01: how dates are stored.
pub fn days_since_epoch(date: Date) -> i64 {
    between_dates(date, EPOCH).0 / DAY
}

/// The date so many days after 1970-01-01.
///
/// # Errors
/// [`ArithmeticError::InvalidDate`] outside the years 1 to 9999.
pub fn date_from_days(days: i64) -> Result<Date> {
    add_days(EPOCH, days)
}

const EPOCH: Date = Date::constant(1970, 1, 1);

fn add_span(date: Date, span: std::result::Result<Span, jiff::Error>) -> Result<Date> {
    span.and_then(|span| date.checked_add(span)).map_err(|_| ArithmeticError::InvalidDate).and_then(in_range)
}

fn in_range(date: Date) -> Result<Date> {
    if date.year() >= 1 { Ok(date) } else { Err(ArithmeticError::InvalidDate) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn days(count: i64) -> Duration {
        Duration::of(count, Duration::DAY).unwrap()
    }

    #[test]
    fn dates_move_by_whole_days_within_the_calendar() {
        assert_eq!(add_to_date(day("2026-02-27"), days(2)), Ok(day("2026-03-01")));
        assert_eq!(subtract_from_date(day("2024-03-01"), days(1)), Ok(day("2024-02-29")));
        assert_eq!(add_months(day("2026-01-31"), 1), Ok(day("2026-02-28")));
        assert_eq!(between_dates(day("2026-11-22"), day("2026-11-01")), days(21));
        let half = Duration::from_milliseconds(12 * Duration::HOUR);
        assert_eq!(add_to_date(day("2026-01-01"), half), Err(ArithmeticError::NotWholeDays(half)));
        assert_eq!(add_days(day("9999-12-31"), 1), Err(ArithmeticError::InvalidDate));
        assert_eq!(add_days(day("0001-01-01"), -1), Err(ArithmeticError::InvalidDate));
        assert_eq!(add_days(day("2026-01-01"), i64::MAX), Err(ArithmeticError::InvalidDate));
        assert_eq!(subtract_from_date(day("2026-01-01"), days(-3)), Ok(day("2026-01-04")));
        assert_eq!(date(2026, 2, 29), Err(ArithmeticError::InvalidDate));
        assert_eq!(date(70000, 1, 1), Err(ArithmeticError::InvalidDate));
    }

    #[test]
    fn times_stay_in_their_day() {
        let six = time(6, 0, 0).unwrap();
        assert_eq!(add_to_time(six, Duration::from_milliseconds(90 * Duration::MINUTE)), time(7, 30, 0));
        assert_eq!(add_to_time(six, days(1)), Err(ArithmeticError::InvalidTime));
        assert_eq!(between_times(six, time(7, 0, 0).unwrap()), Duration::from_milliseconds(-Duration::HOUR));
        assert_eq!(time(24, 0, 0), Err(ArithmeticError::InvalidTime));
    }

    #[test]
    fn instants_stay_in_the_calendar() {
        assert_eq!(Instant::from_milliseconds(i64::MAX), Err(ArithmeticError::InvalidDate));
        assert_eq!(Instant::EPOCH.plus(Duration::from_milliseconds(i64::MAX)), Err(ArithmeticError::InvalidDate));
        assert_eq!(Instant::EPOCH.plus(days(1)).map(|later| later.since(Instant::EPOCH)), Ok(days(1)));
        for end in [Instant(Instant::FIRST), Instant(Instant::LAST)] {
            assert_eq!(end.timestamp().as_millisecond(), end.milliseconds());
            assert_eq!(
                end.date_in(&TimeZone::fixed(jiff::tz::offset(14))).year() / 9999,
                end.date_in(&TimeZone::UTC).year() / 9999
            );
        }
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let instant = Instant::from_civil(day("2026-11-22"), time(6, 0, 0).unwrap(), &berlin).unwrap();
        assert_eq!(instant.timestamp().to_string(), "2026-11-22T05:00:00Z");
        assert_eq!(instant.time_in(&berlin), time(6, 0, 0).unwrap());
    }

    #[test]
    fn durations_fail_rather_than_wrap() {
        let longest = Duration::from_milliseconds(i64::MAX);
        assert_eq!(longest.plus(Duration::from_milliseconds(1)), Err(ArithmeticError::Overflow));
        assert_eq!(longest.multiply(2), Err(ArithmeticError::Overflow));
        assert_eq!(longest.divide(0), Err(ArithmeticError::DivisionByZero));
        assert_eq!(Duration::from_milliseconds(i64::MIN).negate(), Err(ArithmeticError::Overflow));
        let ninety = Duration::from_milliseconds(90 * Duration::MINUTE);
        assert_eq!(ninety.ratio(Duration::from_milliseconds(Duration::HOUR)), Ok(Decimal::new(15, 1)));
    }

    proptest! {
        #[test]
        fn days_and_back(days in -700_000_i64..2_900_000) {
            let date = date_from_days(days).unwrap();
            prop_assert_eq!(days_since_epoch(date), days);
        }

        #[test]
        fn milliseconds_and_back(milliseconds in 0..DAY) {
            prop_assert_eq!(milliseconds_of_day(time_from_milliseconds(milliseconds).unwrap()), milliseconds);
        }
    }
}
