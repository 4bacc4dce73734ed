//! `time::…`: days and times that are not what they seem.

use super::Code;

/// A day or time without a zone.
pub const NO_ZONE: Code = Code::warning(
    "time::no-zone",
    "a day or time of nowhere",
    "06:00 is another moment in Berlin than in Shanghai, and for some hours another day. Where neither the script nor the project names a zone, UTC counts, and a report at midnight is about yesterday for half of the world.",
    "flow report() {\n  step note = log.info(\"reporting\")\n}\n\nevery weekday at 06:00 {\n  start report()\n}\n",
    "flow report() {\n  step note = log.info(\"reporting\")\n}\n\nevery weekday at 06:00 in \"Europe/Berlin\" {\n  start report()\n}\n",
);

/// A time that a change of the clock leaves out.
pub const SKIPPED: Code = Code::warning(
    "time::skipped",
    "a time of day that does not come on some day",
    "When the clock is put forward, an hour of the day does not come. What is planned for a time in it is done at the first moment after, which may be too late, or before something that it waits for.",
    "flow report() {\n  step note = log.info(\"reporting\")\n}\n\nevery day at 02:30 in \"America/New_York\" {\n  start report()\n}\n",
    "flow report() {\n  step note = log.info(\"reporting\")\n}\n\nevery day at 03:30 in \"America/New_York\" {\n  start report()\n}\n",
);

/// A time that comes twice when the clock is changed.
pub const DOUBLED: Code = Code::warning(
    "time::doubled",
    "a time of day that comes twice on some day",
    "When the clock is put back, an hour of the day comes twice. What is planned for a time in it is done the first time alone, an hour earlier than people may expect.",
    "flow report() {\n  step note = log.info(\"reporting\")\n}\n\nevery day at 01:30 in \"America/New_York\" {\n  start report()\n}\n",
    "flow report() {\n  step note = log.info(\"reporting\")\n}\n\nevery day at 00:30 in \"America/New_York\" {\n  start report()\n}\n",
);

/// All codes of this group.
pub const GROUP: &[&Code] = &[&NO_ZONE, &SKIPPED, &DOUBLED];
