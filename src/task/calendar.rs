//! Business days: `date.is_business_day`, `date.add_business_days`, `date.business_days_until`, `business_days`.

use super::arguments::Arguments;
use super::executor::Executor;
use super::problem::Problem;
use crate::value::schedule::Calendar;
use crate::value::{Date, Instant, Value};
use std::sync::Arc;

pub(super) fn is_business_day(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    Ok(Value::Bool(calendar(executor)?.is_business_day(arguments.date(0)?)))
}

pub(super) fn add_business_days(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let (from, count) = (arguments.date(0)?, arguments.int_or(1, 0)?);
    later(executor, from, count).map(Value::Date)
}

pub(super) fn business_days_until(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let (from, to) = (arguments.date(0)?, arguments.date(1)?);
    Ok(Value::Int(calendar(executor)?.business_days_between(from, to)))
}

pub(super) fn business_days(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let clock = &executor.world.clock;
    let (now, zone) = (clock.now(), clock.zone().clone());
    let day = later(executor, now.date_in(&zone), arguments.int_or(0, 0)?)?;
    let moment = Instant::from_civil(day, now.time_in(&zone), &zone);
    let moment = moment.map_err(|_| Problem::bad_value("the calendar ends before that day"))?;
    Ok(Value::Duration(moment.since(now)))
}

fn later(executor: &Executor, from: Date, count: i64) -> Result<Date, Problem> {
    let later = calendar(executor)?.add_business_days(from, count);
    later.ok_or_else(|| Problem::bad_value(format!("the calendar ends before that day: {count} business days")))
}

fn calendar(executor: &Executor) -> Result<Arc<Calendar>, Problem> {
    let calendar = executor.world.settings.holidays.calendar();
    calendar.map_err(|(file, reason)| Problem::bad_data(&file, reason))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use crate::library::Operation;
    use crate::value::schedule::Calendar;
    use crate::value::{Duration, Value, parse};
    use crate::world::{CalendarReader, Holidays};
    use std::sync::Arc;

    struct Text(&'static str);

    impl CalendarReader for Text {
        fn calendar(&self) -> Result<Arc<Calendar>, (String, String)> {
            Calendar::read(self.0)
                .map(Arc::new)
                .map_err(|(line, word)| ("holidays.txt".to_string(), format!("line {line}: `{word}` is no day")))
        }
    }

    fn day(text: &str) -> Value {
        Value::Date(parse::date(text, None).unwrap())
    }

    #[test]
    fn holidays_are_no_business_days() {
        let mut fixture = Fixture::new();
        let friday = [day("2026-12-25")];
        assert_eq!(fixture.perform(Operation::DateIsBusinessDay, &friday).unwrap(), Value::Bool(true));
        fixture.world.settings.holidays = Holidays::new(Text("2026-12-25 Christmas"));
        assert_eq!(fixture.perform(Operation::DateIsBusinessDay, &friday).unwrap(), Value::Bool(false));
        let later = fixture.perform(Operation::DateAddBusinessDays, &[day("2026-12-23"), Value::Int(2)]);
        assert_eq!(later.unwrap(), day("2026-12-28"));
        let count = fixture.perform(Operation::DateBusinessDaysUntil, &[day("2026-12-23"), day("2026-12-28")]);
        assert_eq!(count.unwrap(), Value::Int(2));
        assert!(fixture.perform(Operation::DateAddBusinessDays, &[day("2026-12-23"), Value::Int(i64::MAX)]).is_err());
        fixture.world.settings.holidays = Holidays::new(Text("2026-12-32"));
        let failure = fixture.perform(Operation::DateIsBusinessDay, &friday).unwrap_err();
        assert!(format!("{failure:?}").contains("`2026-12-32` is no day"), "{failure:?}");
    }

    #[test]
    fn a_length_of_business_days_keeps_the_time_of_day() {
        let mut fixture = Fixture::new();
        // It is Monday, 2026-11-23, in UTC.
        let today = fixture.world.clock.now().date_in(&jiff::tz::TimeZone::UTC);
        assert_eq!(Value::Date(today), day("2026-11-23"));
        let length = |fixture: &mut Fixture, count| fixture.perform(Operation::BusinessDays, &[Value::Int(count)]);
        let days = |count| Value::Duration(Duration::from_milliseconds(count * Duration::DAY));
        assert_eq!(length(&mut fixture, 4).unwrap(), days(4));
        assert_eq!(length(&mut fixture, 5).unwrap(), days(7));
        fixture.world.settings.holidays = Holidays::new(Text("2026-11-30"));
        assert_eq!(length(&mut fixture, 5).unwrap(), days(8));
    }
}
