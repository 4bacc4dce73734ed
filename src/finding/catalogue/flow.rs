//! `flow::…`: steps, jumps and the ways through a flow.

use super::Code;

/// A value that some way does not set.
pub const UNSET: Code = Code::error(
    "flow::unset",
    "a value is used where some way has not set it",
    "A way through a flow that leads past a step leaves its value unset. The finding shows one such way.",
    "flow note(big: bool) -> text {\n  if big {\n    step name = random.code()\n  }\n  return name\n}\n",
    "flow note(big: bool) -> text {\n  if big {\n    step name = random.code()\n    return name\n  }\n  return \"small\"\n}\n",
);

/// What nothing comes to.
pub const UNREACHABLE: Code = Code::warning(
    "flow::unreachable",
    "nothing comes to this",
    "What is never done was meant to be done, or is left over.",
    "fn one() -> int {\n  return 1\n  return 2\n}\n",
    "fn one() -> int {\n  return 1\n}\n",
);

/// A statement that can't stand here.
pub const PLACE: Code = Code::error(
    "flow::place",
    "a statement can't stand here",
    "Steps, jumps and loops side by side belong to flows; `give` to the block of a step; `expect` and its kind to tests.",
    "task work() {\n  step one {\n    log.info(\"hello\")\n  }\n}\n",
    "flow work() {\n  step one {\n    log.info(\"hello\")\n  }\n}\n",
);

/// A jump to where none can go.
pub const TARGET: Code = Code::error(
    "flow::target",
    "a jump leads nowhere, or into a block",
    "`go to` leads to a step of the same flow, on the same level or further out. A jump into a block would skip what the block begins with.",
    "flow work(again: bool) {\n  step one {\n    log.info(\"hello\")\n  }\n  if again { go to won }\n}\n",
    "flow work(again: bool) {\n  step one {\n    log.info(\"hello\")\n  }\n  if again { go to one }\n}\n",
);

/// A wait that is not the value of a step.
pub const WAIT: Code = Code::error(
    "flow::wait",
    "a wait is not the value of a step",
    "A run that waits ends and goes on later from its journal, which knows steps alone. The type of the step says what a person may answer.",
    "flow pay() {\n  let approved = ask(\"finance\", \"Pay?\")\n  step note {\n    log.info(\"{approved}\")\n  }\n}\n",
    "flow pay() {\n  step approved: bool = ask(\"finance\", \"Pay?\")\n  step note {\n    log.info(\"{approved}\")\n  }\n}\n",
);

/// A failure that is caught and dropped.
pub const SWALLOWED: Code = Code::error(
    "flow::swallowed",
    "a failure is caught and dropped",
    "A failure that nobody hears of is the most common cause of wrong data: the run goes on as if the step had succeeded.",
    "error refused()\n\ntask send() {\n  fail refused()\n}\n\nflow work() {\n  step one {\n    send()\n  }\n    on refused as e {\n    }\n}\n",
    "error refused()\n\ntask send() {\n  fail refused()\n}\n\nflow work() {\n  step one {\n    send()\n  }\n    on refused as e {\n      stop e.message\n    }\n}\n",
);

/// A handler for a failure that never comes.
pub const NEVER_FAILS: Code = Code::warning(
    "flow::never-fails",
    "a handler for a failure that never comes",
    "A handler that is never used was meant for another failure, or for another step.",
    "error refused()\n\nflow work() {\n  step one {\n    log.info(\"hello\")\n  }\n    on refused go to two\n  step two {\n    log.info(\"there\")\n  }\n}\n",
    "flow work() {\n  step one {\n    log.info(\"hello\")\n  }\n  step two {\n    log.info(\"there\")\n  }\n}\n",
);

/// All codes of this group.
pub const GROUP: &[&Code] = &[&UNSET, &UNREACHABLE, &PLACE, &TARGET, &WAIT, &SWALLOWED, &NEVER_FAILS];
