//! When a schedule comes next. Pure computation: the same schedule gives the same moments in every process, so
//! that a moment names what it starts.
//!
//! A day has its own moment in the schedule's zone. A time of day that a change of the clocks leaves out is done at
//! the change, the first moment that exists; one that the change repeats is done the first time, once. An interval
//! of whole days is counted in days from Monday, 1970-01-05, any other in elapsed time from 1970-01-01T00:00Z: every
//! 15 minutes are the quarters of the hour.

use super::{Date, Duration, Instant, Time};
use jiff::civil::Weekday;
use jiff::tz::{AmbiguousOffset, TimeZone};
use std::collections::BTreeSet;

/// How many days ahead a day that fits is looked for: ten years.
const MOST_DAYS: usize = 3_660;

/// The shortest interval.
pub const SHORTEST: Duration = Duration::from_milliseconds(Duration::SECOND);

/// How often a schedule comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// Again and again after so long.
    Interval(Duration),
    /// Every day.
    Day,
    /// Monday to Friday.
    Weekday,
    /// Monday to Friday but for the holidays of the calendar.
    BusinessDay,
    /// A day of the week, 1 for Monday to 7 for Sunday.
    DayOfWeek(u8),
    /// A day of each month, from 1; a shorter month takes its last day.
    Month(u8),
}

/// A schedule with all that its moments depend on, but for the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// How often.
    pub period: Period,
    /// At what time of the day; nothing for intervals that are not whole days.
    pub at: Time,
    /// Where days are counted.
    pub zone: TimeZone,
}

impl Schedule {
    /// The first moment of the schedule after `after`; none when there is none within ten years, or the calendar
    /// of this program ends.
    pub fn next(&self, after: Instant, calendar: &Calendar) -> Option<Instant> {
        if let Period::Interval(every) = self.period
            && every.whole_days().is_none()
        {
            let every = every.milliseconds().max(SHORTEST.milliseconds());
            let next = after.milliseconds().div_euclid(every).checked_add(1)?.checked_mul(every)?;
            return Instant::from_milliseconds(next).ok();
        }
        // The day before may have its moment on this one: a change of the clocks can leave out a whole day.
        let mut day = after.date_in(&self.zone).yesterday().ok()?;
        for _ in 0..MOST_DAYS {
            if self.has(day, calendar)
                && let Some(moment) = self.moment(day)
                && moment > after
            {
                return Some(moment);
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// The last moment of the schedule in `from..=to` that lies after `from`, and how many there are (at most
    /// `most`, from the first one on): what was missed between two looks at the clock.
    pub fn missed(&self, from: Instant, to: Instant, calendar: &Calendar, most: usize) -> Option<(Instant, usize)> {
        let mut last = None;
        let mut count = 0;
        let mut after = from;
        while let Some(moment) = self.next(after, calendar).filter(|moment| *moment <= to) {
            last = Some(moment);
            after = moment;
            count += 1;
            if count >= most {
                break;
            }
        }
        last.map(|last| (last, count))
    }

    fn has(&self, day: Date, calendar: &Calendar) -> bool {
        match self.period {
            Period::Day => true,
            Period::Weekday => is_weekday(day),
            Period::BusinessDay => calendar.is_business_day(day),
            Period::DayOfWeek(number) => day.weekday().to_monday_one_offset() == i8::try_from(number).unwrap_or(0),
            Period::Month(number) => day.day() == i8::try_from(number).unwrap_or(31).clamp(1, day.days_in_month()),
            Period::Interval(every) => {
                let every = every.whole_days().unwrap_or(1).max(1);
                // 1970-01-05 is the fifth day.
                (super::temporal::days_since_epoch(day) - 4).rem_euclid(every) == 0
            }
        }
    }

    /// When the clocks of the zone show this day and the time of the schedule.
    fn moment(&self, day: Date) -> Option<Instant> {
        let shown = day.to_datetime(self.at);
        let ambiguous = self.zone.to_ambiguous_timestamp(shown);
        let timestamp = match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => ambiguous.unambiguous().ok()?,
            AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok()?,
            AmbiguousOffset::Gap { .. } => {
                // With the offset before the change the time lies behind it: the change is the one before.
                let behind = ambiguous.later().ok()?;
                let change = self.zone.preceding(behind).next().map(|change| change.timestamp());
                change.unwrap_or(behind)
            }
        };
        Instant::from_timestamp(timestamp).ok()
    }
}

fn is_weekday(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// The days on which nobody works beside Saturdays and Sundays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    holidays: BTreeSet<Date>,
}

impl Calendar {
    /// Reads a calendar: a day a line, `2026-12-25 Christmas`; what stands behind the day is for people, as are empty
    /// lines and those that begin with `#`.
    ///
    /// # Errors
    /// The first line that is none of this, counted from 1, with what it says.
    pub fn read(text: &str) -> Result<Calendar, (usize, String)> {
        let mut holidays = BTreeSet::new();
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let word = line.split([' ', '\t', ',', ';']).next().unwrap_or(line);
            match super::parse::date(word, None) {
                Ok(day) => holidays.insert(day),
                Err(_) => return Err((number + 1, word.to_string())),
            };
        }
        Ok(Calendar { holidays })
    }

    /// Whether people work on this day.
    pub fn is_business_day(&self, day: Date) -> bool {
        is_weekday(day) && !self.holidays.contains(&day)
    }

    /// The day that is so many business days later, or earlier when the count is negative; with 0 the day itself, or
    /// the next business day when it is none. None when the calendar of this program ends before.
    pub fn add_business_days(&self, from: Date, count: i64) -> Option<Date> {
        // The years 1 to 9999 have no more.
        if count.unsigned_abs() > 4_000_000 {
            return None;
        }
        let step = |day: Date| if count < 0 { day.yesterday().ok() } else { day.tomorrow().ok() };
        let mut day = from;
        if count == 0 {
            while !self.is_business_day(day) {
                day = step(day)?;
            }
            return Some(day);
        }
        let mut left = count.unsigned_abs();
        while left > 0 {
            day = step(day)?;
            left -= u64::from(self.is_business_day(day));
        }
        Some(day)
    }

    /// How many business days lie behind `from`, up to and with `to`; negative when that comes before.
    pub fn business_days_between(&self, from: Date, to: Date) -> i64 {
        let (first, last, sign) = if from <= to { (from, to, 1) } else { (to, from, -1) };
        // Counted backwards, the day it is counted from is not in it, and the day it is counted to is.
        let counted = |day: Date| if sign > 0 { day > first } else { day < last };
        let mut count = 0;
        let mut day = first;
        loop {
            count += i64::from(counted(day) && self.is_business_day(day));
            match day.tomorrow() {
                Ok(next) if next <= last => day = next,
                _ => return sign * count,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn instant(text: &str) -> Instant {
        Instant::from_timestamp(text.parse().unwrap()).unwrap()
    }

    fn schedule(period: Period, at: &str, name: &str) -> Schedule {
        Schedule { period, at: at.parse().unwrap(), zone: zone(name) }
    }

    /// The next moments, as clocks in the zone and in UTC show them.
    fn moments(schedule: &Schedule, after: &str, count: usize) -> String {
        let mut after = instant(after);
        let mut lines = Vec::new();
        for _ in 0..count {
            let Some(next) = schedule.next(after, &Calendar::default()) else { break };
            let shown = schedule.zone.to_datetime(next.timestamp());
            lines.push(format!("{} {shown}  {}", &format!("{:?}", shown.date().weekday())[..3], next.timestamp()));
            after = next;
        }
        lines.join("\n")
    }

    #[test]
    fn business_days_are_counted() {
        let calendar = Calendar::read("2026-12-25 Christmas\n2026-12-26\n2027-01-01\n").unwrap();
        let day = |text: &str| super::super::parse::date(text, None).unwrap();
        let later = |from: &str, count| calendar.add_business_days(day(from), count).map(crate::value::display::date);
        // Wednesday, then Thursday; Friday is Christmas.
        assert_eq!(later("2026-12-23", 1).as_deref(), Some("2026-12-24"));
        assert_eq!(later("2026-12-23", 2).as_deref(), Some("2026-12-28"));
        assert_eq!(later("2026-12-26", 1).as_deref(), Some("2026-12-28"));
        assert_eq!(later("2026-12-28", -1).as_deref(), Some("2026-12-24"));
        assert_eq!(later("2026-12-25", 0).as_deref(), Some("2026-12-28"));
        assert_eq!(later("2026-12-24", 0).as_deref(), Some("2026-12-24"));
        assert_eq!((later("9999-12-30", 5), later("2026-12-24", i64::MIN)), (None, None));
        let between = |from: &str, to: &str| calendar.business_days_between(day(from), day(to));
        assert_eq!((between("2026-12-23", "2026-12-28"), between("2026-12-28", "2026-12-23")), (2, -2));
        assert_eq!((between("2026-12-25", "2026-12-27"), between("2026-12-24", "2026-12-24")), (0, 0));
    }

    proptest! {
        #[test]
        fn counting_is_the_opposite_of_adding(start in 0..4_000_i64, count in -300..300_i64) {
            let calendar = Calendar::read("2026-12-25\n2027-01-01\n2028-05-01").unwrap();
            let start = jiff::civil::date(2024, 1, 1).checked_add(jiff::Span::new().days(start)).unwrap();
            prop_assume!(count != 0);
            let end = calendar.add_business_days(start, count).unwrap();
            prop_assert!(calendar.is_business_day(end));
            prop_assert_eq!(calendar.business_days_between(start, end), count);
        }
    }

    #[test]
    fn days_of_every_kind_come() {
        let shown = |period| moments(&schedule(period, "06:00:00", "Europe/Berlin"), "2026-11-27T05:00:00Z", 3);
        insta::assert_snapshot!(shown(Period::Day), @r"
        Sat 2026-11-28T06:00:00  2026-11-28T05:00:00Z
        Sun 2026-11-29T06:00:00  2026-11-29T05:00:00Z
        Mon 2026-11-30T06:00:00  2026-11-30T05:00:00Z
        ");
        insta::assert_snapshot!(shown(Period::Weekday), @r"
        Mon 2026-11-30T06:00:00  2026-11-30T05:00:00Z
        Tue 2026-12-01T06:00:00  2026-12-01T05:00:00Z
        Wed 2026-12-02T06:00:00  2026-12-02T05:00:00Z
        ");
        insta::assert_snapshot!(shown(Period::DayOfWeek(1)), @r"
        Mon 2026-11-30T06:00:00  2026-11-30T05:00:00Z
        Mon 2026-12-07T06:00:00  2026-12-07T05:00:00Z
        Mon 2026-12-14T06:00:00  2026-12-14T05:00:00Z
        ");
        insta::assert_snapshot!(shown(Period::Interval(Duration::of(2, 7 * 24 * Duration::HOUR).unwrap())), @r"
        Mon 2026-12-07T06:00:00  2026-12-07T05:00:00Z
        Mon 2026-12-21T06:00:00  2026-12-21T05:00:00Z
        Mon 2027-01-04T06:00:00  2027-01-04T05:00:00Z
        ");
        insta::assert_snapshot!(moments(&schedule(Period::Month(31), "08:00:00", "UTC"), "2027-12-31T08:00:00Z", 4), @r"
        Mon 2028-01-31T08:00:00  2028-01-31T08:00:00Z
        Tue 2028-02-29T08:00:00  2028-02-29T08:00:00Z
        Fri 2028-03-31T08:00:00  2028-03-31T08:00:00Z
        Sun 2028-04-30T08:00:00  2028-04-30T08:00:00Z
        ");
        insta::assert_snapshot!(moments(&schedule(Period::Interval(Duration::of(15, Duration::MINUTE).unwrap()), "00:00:00", "UTC"), "2026-11-22T15:44:59.999Z", 2), @r"
        Sun 2026-11-22T15:45:00  2026-11-22T15:45:00Z
        Sun 2026-11-22T16:00:00  2026-11-22T16:00:00Z
        ");
    }

    #[test]
    fn a_time_that_does_not_exist_is_done_at_the_change_and_one_that_exists_twice_once() {
        let shown = |at, name, after| moments(&schedule(Period::Day, at, name), after, 3);
        // Berlin: 2026-03-29 02:00 becomes 03:00; 2026-10-25 03:00 becomes 02:00.
        insta::assert_snapshot!(shown("02:30:00", "Europe/Berlin", "2026-03-28T00:00:00Z"), @r"
        Sat 2026-03-28T02:30:00  2026-03-28T01:30:00Z
        Sun 2026-03-29T03:00:00  2026-03-29T01:00:00Z
        Mon 2026-03-30T02:30:00  2026-03-30T00:30:00Z
        ");
        insta::assert_snapshot!(shown("02:30:00", "Europe/Berlin", "2026-10-24T00:00:00Z"), @r"
        Sat 2026-10-24T02:30:00  2026-10-24T00:30:00Z
        Sun 2026-10-25T02:30:00  2026-10-25T00:30:00Z
        Mon 2026-10-26T02:30:00  2026-10-26T01:30:00Z
        ");
        // Havana changes at midnight, Lord Howe by half an hour, Apia left out the whole of 2011-12-30.
        insta::assert_snapshot!(shown("00:30:00", "America/Havana", "2026-03-07T00:00:00Z"), @r"
        Sat 2026-03-07T00:30:00  2026-03-07T05:30:00Z
        Sun 2026-03-08T01:00:00  2026-03-08T05:00:00Z
        Mon 2026-03-09T00:30:00  2026-03-09T04:30:00Z
        ");
        insta::assert_snapshot!(shown("02:15:00", "Australia/Lord_Howe", "2026-10-02T12:00:00Z"), @r"
        Sat 2026-10-03T02:15:00  2026-10-02T15:45:00Z
        Sun 2026-10-04T02:30:00  2026-10-03T15:30:00Z
        Mon 2026-10-05T02:15:00  2026-10-04T15:15:00Z
        ");
        insta::assert_snapshot!(shown("06:00:00", "Pacific/Apia", "2011-12-28T22:00:00Z"), @r"
        Thu 2011-12-29T06:00:00  2011-12-29T16:00:00Z
        Sat 2011-12-31T00:00:00  2011-12-30T10:00:00Z
        Sat 2011-12-31T06:00:00  2011-12-30T16:00:00Z
        ");
    }

    #[test]
    fn holidays_are_left_out() {
        let calendar = Calendar::read("\u{feff}# Berlin\n\n2026-12-25 Christmas\n2026-12-28;bridge\r\n").unwrap();
        let schedule = schedule(Period::BusinessDay, "09:00:00", "UTC");
        let next = schedule.next(instant("2026-12-24T09:00:00Z"), &calendar).unwrap();
        assert_eq!(next, instant("2026-12-29T09:00:00Z"));
        assert_eq!(Calendar::read("2026-12-25\nXmas 2026"), Err((2, "Xmas".to_string())));
    }

    #[test]
    fn what_was_missed_is_counted() {
        let schedule = schedule(Period::Day, "06:00:00", "UTC");
        let (from, to) = (instant("2026-11-01T06:00:00Z"), instant("2026-11-04T06:00:00Z"));
        let calendar = Calendar::default();
        assert_eq!(schedule.missed(from, to, &calendar, 10), Some((to, 3)));
        assert_eq!(schedule.missed(to, to, &calendar, 10), None);
    }

    #[test]
    fn a_schedule_whose_days_never_come_has_no_moment() {
        let mut calendar = Calendar::default();
        let mut day = Date::constant(2026, 1, 1);
        for _ in 0..MOST_DAYS + 10 {
            calendar.holidays.insert(day);
            day = day.tomorrow().unwrap();
        }
        let schedule = schedule(Period::BusinessDay, "09:00:00", "UTC");
        assert_eq!(schedule.next(instant("2026-01-01T00:00:00Z"), &calendar), None);
    }

    const ZONES: &[&str] = &[
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "America/Havana",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Africa/Casablanca",
        "Pacific/Apia",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        /// The next moment of a day found another way: minute by minute, the clocks are looked at.
        #[test]
        fn the_next_moment_is_the_first_at_which_the_clocks_have_come_that_far(
            zone_number in 0..ZONES.len(),
            day in 0..20_000_i64,
            minutes in 0..1440_i64,
            at in 0..1440_i64,
            weekday in 0..8_u8,
        ) {
            let period = if weekday == 0 { Period::Day } else { Period::DayOfWeek(weekday) };
            let zone = zone(ZONES[zone_number]);
            let at = super::super::temporal::time_from_milliseconds(at * Duration::MINUTE).unwrap();
            let schedule = Schedule { period, at, zone: zone.clone() };
            let after = Instant::from_milliseconds((day * 1440 + minutes) * Duration::MINUTE).unwrap();
            let found = schedule.next(after, &Calendar::default()).unwrap();
            prop_assert!(found > after);
            // A day is due at the first minute at which the clocks show it at that time or later, or a later day.
            // The minutes go back two days to know what was due before.
            let is_due = |date: Date| match period {
                Period::DayOfWeek(number) => date.weekday().to_monday_one_offset() == number as i8,
                _ => true,
            };
            let mut due = BTreeSet::new();
            let mut expected = None;
            let start = after.milliseconds() - 2 * 1440 * Duration::MINUTE;
            let mut reached = zone.to_datetime(Instant::from_milliseconds(start).unwrap().timestamp());
            for minute in 1..=(11 * 1440) {
                let now = Instant::from_milliseconds(start + minute * Duration::MINUTE).unwrap();
                let shown = zone.to_datetime(now.timestamp());
                let mut date = reached.date().yesterday().unwrap();
                while date <= shown.date() {
                    let wanted = date.to_datetime(at);
                    if is_due(date) && reached < wanted && wanted <= shown && due.insert(date) && now > after {
                        expected = Some(now);
                    }
                    date = date.tomorrow().unwrap();
                }
                if expected.is_some() {
                    break;
                }
                // What the clocks show again when they are set back is not due again.
                reached = reached.max(shown);
            }
            prop_assert_eq!(Some(found), expected, "{:?} {} {}", period, ZONES[zone_number], after.timestamp());
        }

        #[test]
        fn moments_grow(zone_number in 0..ZONES.len(), start in 0..2_000_000_000_000_i64, every in 1..90_000_000_i64, month in 1..32_u8) {
            for period in [Period::Interval(Duration::of(every, 1).unwrap()), Period::Month(month), Period::Weekday] {
                let schedule = Schedule { period, at: Time::constant(2, 30, 0, 0), zone: zone(ZONES[zone_number]) };
                let first = schedule.next(Instant::from_milliseconds(start).unwrap(), &Calendar::default()).unwrap();
                let second = schedule.next(first, &Calendar::default()).unwrap();
                prop_assert!(second > first && first.milliseconds() > start);
                // Asked from anywhere before it, the moment is the same.
                let between = Instant::from_milliseconds(second.milliseconds() - 1).unwrap();
                prop_assert_eq!(schedule.next(between, &Calendar::default()), Some(second));
            }
        }
    }
}
