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
          `sleep`). Running the rest as if that part were not there would do something \
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

/// Another process works on a run.
pub const TAKEN: Code = Code {
    id: "run::taken",
    severity: Severity::Error,
    title: "another process works on the run",
    why: "A run belongs to one process at a time, so that nothing of it is done twice. When that process ends or dies, the \
          run is free at once; when it is stuck, as soon as its lease is over (30 seconds, unless `lease` in the section \
          `[store]` of `rpa.toml` says otherwise).",
    bad: "",
    good: "",
};

/// A run does not stand so that this could be done with it.
pub const WRONG_STATE: Code = Code {
    id: "run::wrong-state",
    severity: Severity::Error,
    title: "the run does not stand so that this can be done with it",
    why: "`rpa runs resume` goes on with runs that their process has left, `retry` with runs that have failed or were \
          cancelled, `cancel` ends runs that have not ended. The message says how the run stands and what can be done with \
          it instead.",
    bad: "",
    good: "",
};

/// A run could not go on under another version.
pub const CANNOT_MOVE: Code = Code {
    id: "run::cannot-move",
    severity: Severity::Warning,
    title: "a run can't go on under this version of the script",
    why: "A run that has not ended goes on under the version that it began with. It could be moved to the script as it is \
          now if everything that it has done is there under the same names and types: its parameters, the steps that it \
          has finished, the values that they gave, what it waits for. Where it is not, the run stays with its version, \
          which the store keeps; nothing is lost by that.",
    bad: "",
    good: "",
};

/// The version of the script that a run is pinned to can't be made again.
pub const VERSION_GONE: Code = Code {
    id: "run::version-gone",
    severity: Severity::Error,
    title: "the version of the script that a run began with can't be made again",
    why: "A run goes on with the code that it began with, whatever has become of the files since: the store keeps the text \
          of every version. The library comes with the program, though, and a newer `rpa` may have another one. Then the \
          run can go on with the version of `rpa` that began it, or be moved to the script as it is now: \
          `rpa check --against-runs` says whether it can, and `rpa runs migrate` moves it.",
    bad: "",
    good: "",
};

/// The codes of the group.
pub const GROUP: &[&Code] =
    &[&FAILED, &ENGINE_MISSING, &JOURNAL_MISMATCH, &TAKEN, &WRONG_STATE, &CANNOT_MOVE, &VERSION_GONE];
