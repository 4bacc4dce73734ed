//! `config::…`: what can be wrong in `rpa.toml`.

use super::Code;

/// The file is not TOML.
pub const SYNTAX: Code = Code::error(
    "config::syntax",
    "`rpa.toml` can't be read",
    "The project file is TOML: sections in brackets, and `name = value` lines in them.",
    "",
    "",
);

/// A section or a key that does not exist.
pub const UNKNOWN_KEY: Code = Code::error(
    "config::unknown-key",
    "a setting that does not exist",
    "A misspelt setting would otherwise be passed over in silence, and the project would run with another one than it says.",
    "",
    "",
);

/// A value of the wrong kind.
pub const WRONG_KIND: Code = Code::error(
    "config::wrong-kind",
    "a setting has a value of another kind",
    "Each setting takes a text, a number, a list of texts, or true or false.",
    "",
    "",
);

/// A value of the right kind that means nothing.
pub const INVALID_VALUE: Code = Code::error(
    "config::invalid-value",
    "a setting has a value that it can't have",
    "The value has the right kind, and stands for nothing: a currency that is not in ISO 4217, a port beyond 65535, a \
     limit of zero.",
    "",
    "",
);

/// A script reaches beyond what its project allows.
pub const REACH: Code = Code::error(
    "config::reach",
    "a script reaches beyond what its project allows",
    "`[reach]` in `rpa.toml` names the folders, hosts and mail domains that scripts may use; whoever answers for the machine \
     reads it there, and nowhere else. A run would be refused; this says so before. `rpa check --capabilities` lists \
     what scripts reach.",
    "",
    "",
);

/// A setting that nothing needs.
pub const UNUSED: Code = Code::warning(
    "config::unused",
    "the project allows what no script needs",
    "What is allowed and not needed is a door that nobody watches: the next script may go through it by mistake.",
    "",
    "",
);

/// A secret that the project does not declare.
pub const MISSING: Code = Code::error(
    "config::missing",
    "a script needs what the project does not have",
    "A script asks for a secret by its name, `secret(\"crm_token\")`; `[secrets]` in `rpa.toml` says where it is: in an \
     environment variable, or in a file. So what a script needs is known before it runs, and looked for before a flow \
     begins. The secret itself stands in no file of the project.",
    "",
    "",
);

/// A file with authorities that can't be used.
pub const AUTHORITY: Code = Code::error(
    "config::authority",
    "an authority that is to be trusted can't be read",
    "`authorities` in `[tls]` of `rpa.toml` names files (PEM) with the authorities of a company's own, which calls and mail \
     servers are to be trusted by. Without one of them nobody can say whom to trust, so that every safe call and every \
     mail would fail, with the first run that wants one. Where scripts are checked on a machine that has not got the file, \
     `\"config::authority\" = \"warning\"` in `[check]` lets them pass there.",
    "",
    "",
);

/// All codes of the group.
pub const GROUP: &[&Code] =
    &[&SYNTAX, &UNKNOWN_KEY, &WRONG_KIND, &INVALID_VALUE, &REACH, &MISSING, &UNUSED, &AUTHORITY];
