//! Plans and runs that are held to them.

use super::Code;
use crate::finding::Severity;

/// A run was about to do something that its plan did not have.
pub const UNEXPECTED: Code = Code {
    id: "plan::unexpected",
    severity: Severity::Error,
    title: "the plan did not have this effect",
    why: "`rpa run --expect` holds a run to a plan that somebody has read: what the plan did not have must not happen. So \
          everything of the run waits until its end, and at the first other effect all of it is taken back. Most often the \
          records, the files or the day have changed since the plan was made: make a new one and read it.",
    bad: "",
    good: "",
};

/// A file is no plan, or one of something else.
pub const UNFIT: Code = Code {
    id: "plan::unfit",
    severity: Severity::Error,
    title: "the plan is not for this run",
    why: "A plan is made by `rpa plan --format json` for one flow with its arguments, in one version of the script. Held \
          against anything else it would say nothing.",
    bad: "",
    good: "",
};

/// What another system answers is not known before it is called.
pub const UNKNOWN_ANSWER: Code = Code {
    id: "plan::unknown-answer",
    severity: Severity::Error,
    title: "what another system answers is not known before it is called",
    why: "A plan calls nobody, but for `http.get`, which only asks. What another system would answer to `http.post` and its \
          like is not known then: a plan goes on behind a call of which the script wants no more than `HttpAnswer` (what it \
          is without `as`), as if it were answered with 200, and ends at one whose answer is read as something else. What \
          comes before it is shown.",
    bad: "",
    good: "",
};

/// Everything of this group.
pub const GROUP: &[&Code] = &[&UNEXPECTED, &UNFIT, &UNKNOWN_ANSWER];
