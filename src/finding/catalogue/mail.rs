//! `mail::…`: mail that does not leave, and what people decide about it.

use super::Code;

/// A number that no mail has.
pub const UNKNOWN: Code = Code::error(
    "mail::unknown",
    "there is no mail with this number",
    "Mails are counted in the outbox of each project; `rpa mail` lists those that have not left, `--state all` every mail, \
     for the project in the current folder or the one that `--project` names.",
    "",
    "",
);

/// A decision about a mail that does not stand so.
pub const STATE: Code = Code::error(
    "mail::state",
    "the mail does not stand so that this can be done",
    "A mail that has left can't be held back, one that has not left can't have come back, and one that is on its way this \
     moment is left alone until it is known what came of it.",
    "",
    "",
);

/// A mail that became a dead letter.
pub const DEAD: Code = Code::warning(
    "mail::dead",
    "a mail will not leave by itself",
    "The server refused it for good (a reply that begins with 5, which is how a bounce is told at once), an attachment is \
     missing, or it was tried as often as `rpa.toml` allows. It stays in the outbox as a dead letter until a person decides: \
     `rpa mail retry` tries it again, `rpa mail drop` gives it up.",
    "",
    "",
);

/// The server can't be reached.
pub const UNREACHABLE: Code = Code::warning(
    "mail::unreachable",
    "the mail server can't be reached",
    "Mails wait in the outbox and lose no tries: that the server is away says nothing of them. After several failures in a \
     row it is left alone for a while (`[systems.smtp]` in `rpa.toml`), then asked once, and so on until it answers.",
    "",
    "",
);

/// The codes of the group.
pub const GROUP: &[&Code] = &[&UNKNOWN, &STATE, &DEAD, &UNREACHABLE];
