//! `secret::…`: secrets where they must not be.

use super::Code;

/// A password, key or token in a script.
pub const LITERAL: Code = Code::error(
    "secret::literal",
    "a password, key or token stands in a script",
    "A script is copied, reviewed, mailed and kept in a repository; a secret in it is known to everybody who ever has a copy, and stays in the history when it is removed. It is known by the name that it is given to (`password`, `api_key`, `token` …) or by its shape. A secret that was once in a script must be made invalid.",
    "const smtp_password = \"hunter2\"\n\nfn login() -> text = smtp_password.mask\n",
    "fn login(smtp_password: secret text) -> text = smtp_password.mask\n",
);

/// A secret is not where the project says.
pub const UNSET: Code = Code::error(
    "secret::unset",
    "a secret is not where the project says",
    "`[secrets]` in `rpa.toml` says in which environment variable or file a secret is, and there is none. A flow that needs it would fail in the middle of its work, so it is not begun. Services and schedulers have an environment of their own: what is set in a shell is not set there.",
    "",
    "",
);

/// All codes of this group.
pub const GROUP: &[&Code] = &[&LITERAL, &UNSET];
