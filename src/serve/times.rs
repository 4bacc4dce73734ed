//! Triggers by the clock: `every weekday at 06:00 in "Europe/Berlin"`.

use super::watch::{Off, Watched, off, start};
use super::{Event, Shared};
use crate::compile::trigger::{EventCode, PeriodCode};
use crate::finding::Finding;
use crate::finding::catalogue::serve as codes;
use crate::flow::{MachineWorker, Worker};
use crate::value::schedule::{Period, Schedule};
use crate::value::{Duration, Instant, Time, Value};
use jiff::tz::TimeZone;

/// A time that no server has come to within so long was missed.
const GRACE: Duration = Duration::from_milliseconds(Duration::MINUTE);

/// A trigger that stands further ahead than this was moved there by a clock that has been set back since. One that
/// stands less far ahead waits until the clock has come there: so no time is started twice.
const FURTHEST_AHEAD: Duration = Duration::from_milliseconds(7 * Duration::DAY);

/// The most missed times that are counted.
const MOST_MISSED: usize = 100_000;

/// The schedule of a trigger.
///
/// # Errors
/// In words, when a part of its head has failed or means nothing.
pub(super) fn schedule(
    event: &EventCode,
    worker: &mut MachineWorker<'_>,
    zone_of_project: &TimeZone,
) -> Result<Option<(Schedule, bool)>, String> {
    let EventCode::Schedule { period, at, zone, catch_up } = event else { return Ok(None) };
    let mut value =
        |chunk, what: &str| worker.evaluate(chunk, &mut Vec::new()).map_err(|_| format!("{what} can't be computed"));
    let period = match period {
        PeriodCode::Day => Period::Day,
        PeriodCode::Weekday => Period::Weekday,
        PeriodCode::BusinessDay => Period::BusinessDay,
        PeriodCode::DayOfWeek(day) => Period::DayOfWeek(*day),
        PeriodCode::Month(day) => match value(*day, "the day of the month")? {
            Value::Int(day) if (1..=31).contains(&day) => Period::Month(u8::try_from(day).unwrap_or(31)),
            Value::Int(day) => return Err(format!("no month has a day {day}")),
            _ => return Err("the day of the month is no number".to_string()),
        },
        PeriodCode::Interval(every) => match value(*every, "how often it comes")? {
            Value::Duration(every) if every >= crate::value::schedule::SHORTEST => Period::Interval(every),
            _ => return Err("it comes once a second at most".to_string()),
        },
    };
    let at = match at {
        Some(at) => match value(*at, "the time of day")? {
            Value::Time(at) => at,
            _ => return Err("the time of day is none".to_string()),
        },
        None => Time::midnight(),
    };
    let zone = match zone {
        Some(name) => TimeZone::get(name).map_err(|_| format!("there is no time zone `{name}`"))?,
        None => zone_of_project.clone(),
    };
    Ok(Some((Schedule { period, at, zone }, *catch_up)))
}

/// Starts the trigger when its time has come, or says what was missed.
pub(super) fn look(
    shared: &Shared<'_>,
    worker: &mut MachineWorker<'_>,
    watched: &Watched<'_>,
    schedule: &Schedule,
    catch_up: bool,
) -> Result<(), Off> {
    let calendar = watched.calendar;
    let now = worker.world().clock.now();
    let Some(position) = worker.world().store.trigger_position(&watched.key).map_err(off)? else { return Ok(()) };
    let Ok(from) = Instant::from_milliseconds(position) else { return Ok(()) };
    if from.since(now) > FURTHEST_AHEAD {
        return set_back(shared, worker, watched, (from, now));
    }
    let Some((last, count)) = schedule.missed(from, now, calendar, MOST_MISSED) else { return Ok(()) };
    if now.since(last) > GRACE && !catch_up {
        worker.world().store.begin().map_err(off)?;
        let moved = worker.world().store.move_trigger(&watched.key, position, last.milliseconds()).map_err(off)?;
        worker.world().store.commit().map_err(off)?;
        if moved {
            shared.tell(Event::Missed { trigger: watched.trigger.name.clone(), count, last });
        }
        return Ok(());
    }
    let run = start(worker, watched, Vec::new(), now, |store| {
        store.move_trigger(&watched.key, position, last.milliseconds())
    })?;
    if let Some(run) = run {
        shared.tell(Event::Started {
            trigger: watched.trigger.name.clone(),
            run,
            what: last.timestamp().to_string(),
            caught_up: if catch_up { count - 1 } else { 0 },
        });
    }
    Ok(())
}

/// Lets a trigger count from now on that was started for times that have not come.
fn set_back(
    shared: &Shared<'_>,
    worker: &mut MachineWorker<'_>,
    watched: &Watched<'_>,
    (from, now): (Instant, Instant),
) -> Result<(), Off> {
    let store = &mut *worker.world().store;
    store.begin().map_err(off)?;
    let moved = store.move_trigger(&watched.key, from.milliseconds(), now.milliseconds()).map_err(off)?;
    store.commit().map_err(off)?;
    if moved {
        let message = format!("`{}` was started last for {}, which has not come yet", watched.trigger.name, from);
        let finding = Finding::without_place(&codes::CLOCK, message)
            .note("the clock was ahead then, or is behind now; the trigger counts from now on again")
            .help("see that the clock is right: times that come again start their flow again");
        shared.tell(Event::Problem(Box::new(finding)));
    }
    Ok(())
}
