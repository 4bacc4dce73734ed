//! Runs of flows: what can't be started, and what failed.

use super::Code;
use crate::finding::Severity;

/// A run has failed.
pub const FAILED: Code = Code {
    id: "run::failed",
    severity: Severity::Error,
    title: "a run has failed",
    why: "A failure met no `on …` that names it, so the finished steps were undone in reverse order and the run ended. \
          The labels show where the failure arose and which steps and flows led there. Nothing that the failing step \
          did has stayed; `rpa runs show` tells the whole story.",
    bad: "",
    good: "",
};

/// A part of the language whose engine is not there yet.
pub const ENGINE_MISSING: Code = Code {
    id: "run::engine-missing",
    severity: Severity::Error,
    title: "this version can't execute that yet",
    why: "The script is right, but this version of `rpa` has no engine for a part of it: waits (`ask`, `wait_for`, \
          `sleep`), reactive rules or policies. Running the rest as if that part were not there would do something \
          other than what the script says, so nothing is run.",
    bad: "",
    good: "",
};

/// The journal of a run does not fit the script.
pub const JOURNAL_MISMATCH: Code = Code {
    id: "run::journal-mismatch",
    severity: Severity::Error,
    title: "the journal of a run does not fit the script",
    why: "A run goes on by doing its flow again with the results of finished steps taken from the journal. What the \
          journal holds must therefore have been made by the same version of the script.",
    bad: "",
    good: "",
};

/// The codes of the group.
pub const GROUP: &[&Code] = &[&FAILED, &ENGINE_MISSING, &JOURNAL_MISMATCH];
