//! `now`, `today`.

use super::arguments::Arguments;
use super::executor::Executor;
use super::problem::Problem;
use crate::value::Value;

pub(super) fn today(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let clock = &executor.world.clock;
    let day = match arguments.text_or_empty(0)? {
        "" => clock.now().date_in(clock.zone()),
        zone => clock.now().date_in(&zone_named(zone)?),
    };
    Ok(Value::Date(day))
}

fn zone_named(name: &str) -> Result<jiff::tz::TimeZone, Problem> {
    jiff::tz::TimeZone::get(name)
        .map_err(|_| Problem::bad_value(format!("`{name}` is no time zone; write one such as Europe/Berlin")))
}
