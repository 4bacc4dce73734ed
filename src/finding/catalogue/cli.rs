//! `cli::…`: wrong use of the command line that its parser can't see.

use super::Code;

/// `rpa explain` of a code that is not in the catalogue.
pub const UNKNOWN_CODE: Code = Code::error(
    "cli::unknown-code",
    "there is no finding with this code",
    "Codes are written `group::name`, as they stand in the first line of a finding. `rpa explain` without a code lists all.",
    "",
    "",
);

/// `rpa fmt --check` met a script that is laid out otherwise.
pub const NOT_FORMATTED: Code = Code::error(
    "cli::not-formatted",
    "a script is not laid out as the formatter would",
    "All scripts have one layout, so that a change shows only what it means. `rpa fmt` puts a script into it.",
    "",
    "",
);

/// A folder without scripts.
pub const NO_SCRIPTS: Code = Code::error(
    "cli::no-scripts",
    "there are no scripts in the folder",
    "Scripts are the files that end with `.rpa`. Folders whose name begins with a point are passed over.",
    "",
    "",
);

/// A name that a project can't have.
pub const PROJECT_NAME: Code = Code::error(
    "cli::project-name",
    "a project can't have this name",
    "The name becomes a folder, so it has no control characters and none of `\\ : * ? \" < > |`.",
    "",
    "",
);

/// A script with several flows, none of which is the first one.
pub const WHICH_FLOW: Code = Code::error(
    "cli::which-flow",
    "it is not clear which flow to run",
    "`rpa run` starts the flow that no other flow of the script runs or starts. Where there are several of them, or none, \
     it must be named with `--flow`.",
    "",
    "",
);

/// A flow's argument that is missing, unknown or of another type.
pub const ARGUMENT: Code = Code::error(
    "cli::argument",
    "an argument does not fit the flow",
    "Arguments stand behind the script in the order of the flow's parameters, or by name: `path=orders.csv`. They are \
     written as in data files: `99.90 EUR`, `2026-11-22`, `yes`; lists, maps and records as JSON.",
    "",
    "",
);

/// `rpa runs show` of a run that the journal does not have.
pub const UNKNOWN_RUN: Code = Code::error(
    "cli::unknown-run",
    "there is no run with this number",
    "Runs are counted in the store of each project; `rpa runs` lists those of the project in the current folder, or of \
     the one that `--project` names.",
    "",
    "",
);

/// What is typed or piped in can't be read.
pub const INPUT: Code = Code::error(
    "cli::input",
    "the input can't be read",
    "The REPL takes UTF-8 text, typed at a terminal or from a pipe. Longer work belongs into a script.",
    "",
    "",
);

/// The store failed while runs were read.
pub const STORE: Code = Code::error(
    "cli::store",
    "the store can't be read",
    "The store was opened, and then failed: it was locked for long by another process, or the disk has failed.",
    "",
    "",
);

/// All codes of the group.
pub const GROUP: &[&Code] =
    &[&UNKNOWN_CODE, &NOT_FORMATTED, &NO_SCRIPTS, &PROJECT_NAME, &WHICH_FLOW, &ARGUMENT, &UNKNOWN_RUN, &INPUT, &STORE];
