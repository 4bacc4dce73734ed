//! `serve::…`: what a server reports while it goes on working.

use super::Code;

/// A trigger that can't be watched for, or whose condition fails.
pub const TRIGGER: Code = Code::warning(
    "serve::trigger",
    "a trigger does not work",
    "A trigger whose schedule means nothing, whose folder can't be looked at or whose condition fails starts nothing. The \
     server and its other triggers go on; the trigger works again when its script or its surroundings are mended.",
    "",
    "",
);

/// A script that can't be served.
pub const SCRIPT: Code = Code::error(
    "serve::script",
    "a script can't be served",
    "A script with findings is left out: its triggers start nothing until it is mended, which the server \
     sees by itself. A script that was served and has findings after a change is served as it was. The other scripts of the folder \
     are served, and runs that had begun with an earlier version go on with that.",
    "",
    "",
);

/// A changed `rpa.toml` that a server can't go by.
pub const SETTINGS: Code = Code::error(
    "serve::settings",
    "changed settings can't be gone by",
    "A server takes up a changed `rpa.toml` when the file is right and every script that is served is sound under it. \
     Otherwise all settings stay as they were, but for the switches in `[effects]`, until the file or the script is mended; the server \
     sees that by itself.",
    "",
    "",
);

/// The file with the holidays can't be read.
pub const CALENDAR: Code = Code::error(
    "serve::calendar",
    "the file with the holidays can't be read",
    "`holidays` in `[calendar]` of `rpa.toml` names a text file with a day a line, `2026-12-25 Christmas`; empty lines and \
     lines that begin with `#` are passed over. Without it `every business day` would start work on holidays.",
    "",
    "",
);

/// The clock was set back.
pub const CLOCK: Code = Code::warning(
    "serve::clock",
    "the clock was set back",
    "What a schedule has started is remembered by its time, so that nothing is started twice. When the clock was set back by \
     up to a week, a trigger waits until it has come to the next new time. When it stands further behind than that, the \
     clock was most likely wrong before: the trigger counts from now on again.",
    "",
    "",
);

/// Nothing to do.
pub const NOTHING: Code = Code::error(
    "serve::nothing",
    "there is nothing to serve",
    "`rpa serve` takes a script, or a folder with scripts. It needs no triggers: runs that wait are woken and mail is \
     delivered all the same.",
    "",
    "",
);

/// The codes of the group.
pub const GROUP: &[&Code] = &[&TRIGGER, &SCRIPT, &SETTINGS, &CALENDAR, &CLOCK, &NOTHING];
