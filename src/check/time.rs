//! Days and times that are not what they seem: of no zone, left out or doubled when the clock is changed.

use super::Checker;
use crate::check::program::{Expr, ExprKind};
use crate::finding::Finding;
use crate::finding::catalogue::{syntax, time};
use crate::library::Operation;
use crate::syntax::tree::{self, BinaryOperator, ItemKind, Schedule, SchedulePeriod, TriggerEvent};
use crate::text::Span;
use crate::value::{Date, EcoString, Time, Value};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use std::sync::Arc;

/// How far ahead changes of the clock are looked for, in days: two years and a bit, so that two of each are found.
const DAYS_AHEAD: usize = 800;

/// How many dates are shown.
const MOST_DATES: usize = 2;

impl Checker<'_> {
    /// Looks at the schedules of the scripts, and at days without a zone.
    pub(crate) fn check_times(&mut self) {
        let boundaries = self.loader.boundaries();
        let today = boundaries.today.unwrap_or(jiff::civil::date(2026, 1, 1));
        let scripts: Vec<Arc<tree::Script>> = self
            .names
            .modules
            .iter()
            .filter(|module| !module.is_library)
            .map(|module| Arc::clone(&module.script))
            .collect();
        for script in scripts {
            for item in &script.items {
                if let ItemKind::Trigger(trigger) = &item.kind
                    && let TriggerEvent::Schedule(schedule) = &trigger.event
                {
                    self.check_schedule(schedule, boundaries.zone.as_ref(), today);
                }
            }
        }
        if boundaries.is_project && boundaries.zone.is_none() {
            self.check_todays();
        }
        self.check_divided_days();
    }

    /// `12/31/2026`, which divides one number by the others.
    fn check_divided_days(&mut self) {
        let mut findings = Vec::new();
        for body in self.program.bodies() {
            body.each_expression(&mut |expr| expr.walk(&mut |inner| findings.extend(divided_day(inner))));
        }
        for constant in &self.program.constants {
            constant.value.walk(&mut |inner| findings.extend(divided_day(inner)));
        }
        findings.into_iter().for_each(|finding| self.report(finding));
    }

    fn check_schedule(&mut self, schedule: &Schedule, of_project: Option<&EcoString>, today: Date) {
        let (at, span) = match &schedule.at {
            Some(tree::Expr { kind: tree::ExprKind::Time(at), span }) => (*at, *span),
            None if !is_counted(&schedule.period) => (Time::midnight(), schedule.span),
            _ => return,
        };
        let written = schedule.zone.as_ref().map(|zone| {
            let part = zone.parts.first();
            match part {
                Some(tree::TextPart::Characters(name)) if zone.parts.len() == 1 => name.clone(),
                _ => EcoString::new(),
            }
        });
        let Some(zone) = written.or_else(|| of_project.cloned()) else {
            let finding = Finding::new(&time::NO_ZONE, span, format!("nothing says where it is {}", clock(at)))
                .at("taken for UTC")
                .help("name the zone, `in \"Europe/Berlin\"`, or give the project one: `zone = \"Europe/Berlin\"` in rpa.toml");
            self.report(finding);
            return;
        };
        let Ok(known) = TimeZone::get(&zone) else { return };
        let fits = |day: Date| match &schedule.period {
            SchedulePeriod::Day => true,
            SchedulePeriod::DayOfWeek(number) => day.weekday().to_monday_one_offset() == *number as i8,
            SchedulePeriod::Month(on) => match on.kind {
                tree::ExprKind::Int(on) => i64::from(day.day()) == on.min(i64::from(day.days_in_month())),
                _ => false,
            },
            SchedulePeriod::Interval(every) => whole_days(every).is_some_and(|every| is_turn(day, every)),
            SchedulePeriod::Weekday | SchedulePeriod::BusinessDay => day.weekday().to_monday_one_offset() <= 5,
        };
        let changes = changes(&known, at, today, fits);
        let better = || better_time(&known, at, today).map(clock);
        for (code, dates, what, how_often, then) in [
            (&time::SKIPPED, &changes.skipped, "is left out", "does not come", "it is done at the first moment after"),
            (&time::DOUBLED, &changes.doubled, "comes twice", "comes twice", "it is done the first time alone"),
        ] {
            let Some((first, _)) = dates.first() else { continue };
            let days: Vec<String> = dates.iter().map(|(day, _)| day.to_string()).collect();
            let message = format!("{} {what} in {zone} on {}", clock(at), days.join(" and "));
            let mut finding = Finding::new(code, span, message)
                .at(format!("{how_often} on {first}"))
                .note(format!("{}; {then}", dates.iter().map(|(_, how)| how.as_str()).next().unwrap_or_default()));
            finding = match better() {
                Some(better) => finding.help(format!("plan it for a time that comes once every day, such as {better}")),
                None => finding.help("plan it for a time that comes once every day"),
            };
            self.report(finding);
        }
    }

    /// `today()` without a zone, in a project that has none.
    fn check_todays(&mut self) {
        let mut places: Vec<Span> = Vec::new();
        for body in self.program.bodies() {
            body.each_expression(&mut |expr| {
                expr.walk(&mut |inner| {
                    if let ExprKind::Perform(Operation::Today, arguments) = &inner.kind
                        && arguments.iter().all(|zone| match &zone.kind {
                            ExprKind::Value(Value::Text(zone)) => zone.is_empty(),
                            ExprKind::Value(Value::None) => true,
                            _ => false,
                        })
                    {
                        places.push(inner.span);
                    }
                });
            });
        }
        for span in places {
            if self.program.sources.get(span.source).is_none_or(|source| source.is_library) {
                continue;
            }
            let finding = Finding::new(&time::NO_ZONE, span, "nothing says where it is this day")
                .at("the day in UTC")
                .help("give the project a zone, `zone = \"Europe/Berlin\"` in rpa.toml, or name one: `today(\"Europe/Berlin\")`");
            self.report(finding);
        }
    }
}

/// A division of two small numbers and a year, which was meant for a day.
fn divided_day(expr: &Expr) -> Option<Finding> {
    let parts = |expr: &'_ Expr| match &expr.kind {
        ExprKind::Binary(BinaryOperator::Divide, left, right) => Some((left.as_ref().clone(), whole(right)?)),
        _ => None,
    };
    let (left, year) = parts(expr)?;
    let (first, second) = parts(&left)?;
    let first = whole(&first)?;
    let day = |month: i64, day: i64| {
        Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    };
    if !(1900..=2200).contains(&year) {
        return None;
    }
    let days: Vec<Date> = [day(second, first), day(first, second)].into_iter().flatten().collect();
    let finding = |help: String| {
        Finding::new(&syntax::LITERAL, expr.span, "a date is written year, month, day")
            .at(format!("divides {first} by {second} and by {year}"))
            .help(help)
    };
    match days.as_slice() {
        [] => None,
        [one, other] if one != other => Some(finding(format!("write `{one}` or `{other}`"))),
        [one, ..] => Some(finding(format!("write `{one}`")).fix(expr.span, one.to_string())),
    }
}

/// A whole number that stands in the script.
fn whole(expr: &Expr) -> Option<i64> {
    match &expr.kind {
        ExprKind::Value(Value::Int(number)) => Some(*number),
        ExprKind::Value(Value::Decimal(number)) => number.to_string().parse().ok(),
        ExprKind::ToDecimal(inner) => whole(inner),
        _ => None,
    }
}

/// Days on which a time is left out or comes twice, each with how the clock is changed.
#[derive(Debug, Default)]
struct Changes {
    skipped: Vec<(Date, String)>,
    doubled: Vec<(Date, String)>,
}

fn changes(zone: &TimeZone, at: Time, from: Date, fits: impl Fn(Date) -> bool) -> Changes {
    let mut changes = Changes::default();
    // Only days around a change of the clock can be of interest; between them nothing is looked at.
    let Ok(start) = from.to_datetime(Time::midnight()).to_zoned(TimeZone::UTC) else { return changes };
    let end = from.checked_add(jiff::Span::new().days(DAYS_AHEAD as i64)).unwrap_or(from);
    for change in zone.following(start.timestamp()) {
        let local = change.offset().to_datetime(change.timestamp()).date();
        if local > end {
            break;
        }
        for day in [local.yesterday().ok(), Some(local), local.tomorrow().ok()].into_iter().flatten() {
            if !fits(day) || day < from {
                continue;
            }
            let moment = DateTime::from_parts(day, at);
            let list = match zone.to_ambiguous_timestamp(moment).offset() {
                AmbiguousOffset::Gap { before, after } => {
                    let at = before.to_datetime(change.timestamp()).time();
                    let to = after.to_datetime(change.timestamp()).time();
                    Some((&mut changes.skipped, format!("on {day} the clock goes from {} to {}", clock(at), clock(to))))
                }
                AmbiguousOffset::Fold { before, after } => {
                    let at = before.to_datetime(change.timestamp()).time();
                    let to = after.to_datetime(change.timestamp()).time();
                    Some((
                        &mut changes.doubled,
                        format!("on {day} the clock goes back from {} to {}", clock(at), clock(to)),
                    ))
                }
                AmbiguousOffset::Unambiguous { .. } => None,
            };
            if let Some((list, how)) = list
                && list.len() < MOST_DATES
                && list.iter().all(|(other, _)| *other != day)
            {
                list.push((day, how));
            }
        }
        if changes.skipped.len() >= MOST_DATES && changes.doubled.len() >= MOST_DATES {
            break;
        }
    }
    changes
}

/// The next time of day in whole hours that comes once every day.
fn better_time(zone: &TimeZone, at: Time, from: Date) -> Option<Time> {
    let mut time = at;
    for _ in 0..23 {
        time = time.wrapping_add(jiff::Span::new().hours(1));
        let found = changes(zone, time, from, |_| true);
        if found.skipped.is_empty() && found.doubled.is_empty() {
            return Some(time);
        }
    }
    None
}

/// Whether a schedule comes after so much time, whatever the clocks say; whole days are days of the calendar.
fn is_counted(period: &SchedulePeriod) -> bool {
    matches!(period, SchedulePeriod::Interval(every) if whole_days(every).is_none())
}

/// How many whole days an interval has, when it has some.
fn whole_days(every: &tree::Expr) -> Option<i64> {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let tree::ExprKind::Duration { milliseconds, .. } = &every.kind else { return None };
    (*milliseconds >= DAY && milliseconds % DAY == 0).then(|| milliseconds / DAY)
}

/// Whether one of every so many days falls on this one: they are counted from a Monday.
fn is_turn(day: Date, every: i64) -> bool {
    let begin = jiff::civil::date(1970, 1, 5);
    day.since(begin).is_ok_and(|since| i64::from(since.get_days()).rem_euclid(every) == 0)
}

/// A time of day as scripts write it.
fn clock(time: Time) -> String {
    if time.second() == 0 {
        format!("{:02}:{:02}", time.hour(), time.minute())
    } else {
        format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
    }
}

#[cfg(test)]
mod tests {
    use crate::check::{Boundaries, Memory, check};
    use crate::text::Source;

    fn said(schedule: &str, boundaries: Boundaries) -> String {
        let script =
            format!("flow work() {{\n  step note = log.info(\"working\")\n}}\n\n{schedule} {{\n  start work()\n}}\n");
        let checked = check(Source::new("script.rpa", script), &Memory::new().within(boundaries));
        let lines = checked.findings.iter().map(|finding| format!("{}: {}", finding.code.id, finding.message));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn changes_of_the_clock_are_found_with_their_days() {
        let of_project = Boundaries { is_project: true, zone: Some("Europe/London".into()), ..Boundaries::default() };
        let said = [
            said("every day at 02:30 in \"Europe/Berlin\"", Boundaries::default()),
            said("every sunday at 01:30 in \"America/New_York\"", Boundaries::default()),
            said("every month on 29 at 02:15 in \"Europe/Berlin\"", Boundaries::default()),
            said("every day at 00:30 in \"America/Havana\"", Boundaries::default()),
            said("every day at 02:30", Boundaries::default()),
            said("every day at 01:30", of_project),
        ];
        insta::assert_snapshot!(said.join("\n"), @r"
        time::skipped: 02:30 is left out in Europe/Berlin on 2026-03-29 and 2027-03-28
        time::doubled: 02:30 comes twice in Europe/Berlin on 2026-10-25 and 2027-10-31
        time::doubled: 01:30 comes twice in America/New_York on 2026-11-01 and 2027-11-07
        time::skipped: 02:15 is left out in Europe/Berlin on 2026-03-29
        time::skipped: 00:30 is left out in America/Havana on 2026-03-08 and 2027-03-14
        time::doubled: 00:30 comes twice in America/Havana on 2026-11-01 and 2027-11-07
        time::no-zone: nothing says where it is 02:30
        time::skipped: 01:30 is left out in Europe/London on 2026-03-29 and 2027-03-28
        time::doubled: 01:30 comes twice in Europe/London on 2026-10-25 and 2027-10-31
        ");
    }

    #[test]
    fn times_that_come_once_a_day_are_left_alone() {
        for schedule in [
            "every day at 06:00 in \"Europe/Berlin\"",
            "every weekday at 02:30 in \"Europe/Berlin\"",
            "every monday at 02:30 in \"Europe/Berlin\"",
            "every day at 02:30 in \"Asia/Shanghai\"",
            "every day at 02:30 in \"UTC\"",
            "every 15 minutes",
        ] {
            assert_eq!(said(schedule, Boundaries::default()), "", "{schedule}");
        }
    }

    #[test]
    fn a_day_without_a_zone_is_found_in_a_project_without_one() {
        let script = "task day() -> date = today()\n\ntask there() -> date = today(\"Asia/Tokyo\")\n";
        let found = |boundaries| {
            let checked = check(Source::new("script.rpa", script), &Memory::new().within(boundaries));
            checked.findings.iter().map(|finding| finding.code.id).collect::<Vec<_>>()
        };
        let project = Boundaries { is_project: true, ..Boundaries::default() };
        assert_eq!(found(project.clone()), ["time::no-zone"]);
        assert!(found(Boundaries { zone: Some("Asia/Tokyo".into()), ..project }).is_empty());
        assert!(found(Boundaries::default()).is_empty());
    }
}
