//! Methods of dates, times, instants and durations.

use super::{Arguments, unknown};
use crate::library::Operation;
use crate::value::{Date, Duration, Instant, Time, Value, display, temporal};
use crate::vm::problem::{Problem, Result};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

pub(super) fn perform(operation: Operation, given: Arguments) -> Result<Value> {
    Ok(match operation {
        Operation::DateYear => Value::Int(date(&given)?.year().into()),
        Operation::DateMonth => Value::Int(date(&given)?.month().into()),
        Operation::DateDay => Value::Int(date(&given)?.day().into()),
        Operation::DateWeekday => Value::Int(date(&given)?.weekday().to_monday_one_offset().into()),
        Operation::DateIsWeekend => Value::Bool(date(&given)?.weekday().to_monday_one_offset() > 5),
        Operation::DateAddMonths => Value::Date(
            temporal::add_months(date(&given)?, given.int(1))
                .map_err(|error| Problem::arithmetic(error, "add_months"))?,
        ),
        Operation::DateMonthStart => Value::Date(date(&given)?.first_of_month()),
        Operation::DateMonthEnd => Value::Date(date(&given)?.last_of_month()),
        Operation::DateFormat => {
            let pattern = given.text(1);
            Value::from(strtime::format(pattern, date(&given)?).map_err(|_| bad_pattern(pattern))?)
        }
        Operation::DateAt => {
            let Value::Time(time) = given.get(1) else { return Err(Problem::broken("a time was expected")) };
            let instant = Instant::from_civil(date(&given)?, *time, &zone(given.text(2))?);
            Value::Instant(instant.map_err(|error| Problem::arithmetic(error, "at"))?)
        }
        Operation::TimeHour => Value::Int(time(&given)?.hour().into()),
        Operation::TimeMinute => Value::Int(time(&given)?.minute().into()),
        Operation::InstantDate => Value::Date(instant(&given)?.date_in(&zone(given.text(1))?)),
        Operation::InstantTime => Value::Time(instant(&given)?.time_in(&zone(given.text(1))?)),
        Operation::InstantFormat => {
            let pattern = given.text(1);
            let moment = instant(&given)?.timestamp().to_zoned(zone(given.text(2))?);
            Value::from(strtime::format(pattern, &moment).map_err(|_| bad_pattern(pattern))?)
        }
        Operation::DurationDays => units(&given, Duration::DAY)?,
        Operation::DurationHours => units(&given, Duration::HOUR)?,
        Operation::DurationMinutes => units(&given, Duration::MINUTE)?,
        Operation::DurationSeconds => units(&given, Duration::SECOND)?,
        other => return unknown(other),
    })
}

fn date(given: &Arguments) -> Result<Date> {
    match given.get(0) {
        Value::Date(date) => Ok(*date),
        _ => Err(Problem::broken("a date was expected")),
    }
}

fn time(given: &Arguments) -> Result<Time> {
    match given.get(0) {
        Value::Time(time) => Ok(*time),
        _ => Err(Problem::broken("a time was expected")),
    }
}

fn instant(given: &Arguments) -> Result<Instant> {
    match given.get(0) {
        Value::Instant(instant) => Ok(*instant),
        _ => Err(Problem::broken("an instant was expected")),
    }
}

fn units(given: &Arguments, unit: i64) -> Result<Value> {
    match given.get(0) {
        Value::Duration(duration) => Ok(Value::Int(duration.milliseconds() / unit)),
        _ => Err(Problem::broken("a duration was expected")),
    }
}

fn zone(name: &str) -> Result<TimeZone> {
    TimeZone::get(name).map_err(|_| Problem::BadValue(format!("there is no time zone {}", display::quoted(name))))
}

fn bad_pattern(pattern: &str) -> Problem {
    Problem::BadValue(format!("the pattern {} is not one of strftime", display::quoted(pattern)))
}
