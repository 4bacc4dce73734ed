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

/// All codes of the group.
pub const GROUP: &[&Code] = &[&UNKNOWN_CODE, &NOT_FORMATTED, &NO_SCRIPTS, &PROJECT_NAME];
