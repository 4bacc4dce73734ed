//! `inbox::…`: questions to people, and their answers.

use super::Code;

/// A number that no question has.
pub const UNKNOWN: Code = Code::error(
    "inbox::unknown",
    "there is no question with this number",
    "Questions are counted in the store of each project; `rpa inbox` lists those that wait, `--all` every one, for the \
     project in the current folder or the one that `--project` names.",
    "",
    "",
);

/// An answer that is none.
pub const ANSWER: Code = Code::error(
    "inbox::answer",
    "the answer does not fit the question",
    "What can be answered follows from the type of the step that asks: yes or no, a member of an enum, an amount, or the \
     fields of a record. An answer that does not fit is not kept, and the question goes on waiting.",
    "",
    "",
);

/// A question that is not open any more.
pub const CLOSED: Code = Code::error(
    "inbox::closed",
    "the question does not wait any more",
    "It was answered before, its time is over, or its run has ended otherwise. An answer is never changed: it is in the \
     journal, with who gave it and when.",
    "",
    "",
);

/// The codes of the group.
pub const GROUP: &[&Code] = &[&UNKNOWN, &ANSWER, &CLOSED];
