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
    "flow work(short: bool) {\n  if short { go to lst }\n  step first {\n    log.info(\"hello\")\n  }\n  step last {\n    log.info(\"good-bye\")\n  }\n}\n",
    "flow work(short: bool) {\n  if short { go to last }\n  step first {\n    log.info(\"hello\")\n  }\n  step last {\n    log.info(\"good-bye\")\n  }\n}\n",
);

/// A wait that is not the value of a step.
pub const WAIT: Code = Code::error(
    "flow::wait",
    "a wait is not the value of a step",
    "A run that waits ends and goes on later from its journal, which knows steps alone. The type of the step says what a person may answer.",
    "flow pay() {\n  let approved = ask(\"finance\", \"Pay?\")\n  step note {\n    log.info(\"{approved}\")\n  }\n}\n",
    "flow pay() {\n  step approved: bool = ask(\"finance\", \"Pay?\", within: 3 days, otherwise: false)\n  step note {\n    log.info(\"{approved}\")\n  }\n}\n",
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

/// A round of jumps that no way leads out of.
pub const NO_END: Code = Code::error(
    "flow::no-end",
    "no way leads to the end of the flow",
    "Jumps that lead back and are always made never let the run end. It would go round until its limit of steps is used up.",
    "flow watch() {\n  step look {\n    log.info(\"still there\")\n  }\n  go to look\n}\n",
    "flow watch() {\n  step look {\n    log.info(\"still there\")\n  }\n}\n",
);

/// A loop or recursion that nothing ends.
pub const ENDLESS: Code = Code::error(
    "flow::endless",
    "a loop or recursion that nothing ends",
    "A loop ends when what it depends on changes. Where nothing in it changes that, it is gone round once or for ever; a task that calls itself on every way never ends. A loop that waits for something that may never come is a warning: a count or a `deadline` bounds it.",
    "task count(n: int) -> int {\n  return count(n + 1)\n}\n",
    "task count(n: int) -> int {\n  if n >= 10 { return n }\n  return count(n + 1)\n}\n",
);

/// Flows that run each other without end.
pub const CIRCULAR: Code = Code::error(
    "flow::circular",
    "flows run each other in a circle",
    "A flow that runs another, which runs the first again on every way, never ends. Each run takes room in the store until there is none.",
    "flow order(id: text) {\n  run invoice(id)\n}\n\nflow invoice(id: text) {\n  run order(id)\n}\n",
    "flow order(id: text) {\n  run invoice(id)\n}\n\nflow invoice(id: text) {\n  step note { log.info(\"invoice for {id}\") }\n}\n",
);

/// A wait without limit.
pub const WAIT_FOREVER: Code = Code::warning(
    "flow::wait-forever",
    "a step may wait for ever",
    "People are on leave, and payments never come. A wait without limit keeps its run open, its key taken and its records half done; nobody is told.",
    "flow pay() {\n  step approved: bool = ask(\"finance\", \"Pay?\")\n  step note { log.info(\"{approved}\") }\n}\n",
    "flow pay() {\n  step approved: bool = ask(\"finance\", \"Pay?\", within: 3 days, otherwise: false)\n  step note { log.info(\"{approved}\") }\n}\n",
);

/// An effect without `undo` before something that may fail.
pub const SAGA_HOLE: Code = Code::warning(
    "flow::saga-hole",
    "what a step did stays when the run fails later",
    "A run that fails undoes its finished steps. What a step without `undo` wrote or sent stays, and leaves the business half-way: goods reserved that nobody pays for, customers told of what never came.",
    "entity Parcel {\n  key id: text\n}\n\nerror refused(id: text)\n\ntask pay(id: text) {\n  if id == \"\" { fail refused(id) }\n}\n\nflow ship(id: text) {\n  step parcel = Parcel.create(id: id)\n  step paid { pay(id) }\n}\n",
    "entity Parcel {\n  key id: text\n}\n\nerror refused(id: text)\n\ntask pay(id: text) {\n  if id == \"\" { fail refused(id) }\n}\n\nflow ship(id: text) {\n  step parcel = Parcel.create(id: id)\n    undo parcel.delete()\n  step paid { pay(id) }\n}\n",
);

/// An `undo` that takes nothing back.
pub const CANNOT_UNDO: Code = Code::warning(
    "flow::cannot-undo",
    "an `undo` takes nothing back",
    "An `undo` is trusted to take a step back. One that only computes or logs, always fails, sends a mail, or belongs to a step that did nothing leaves the work where it was.",
    "entity Parcel {\n  key id: text\n}\n\nflow ship(id: text) {\n  step parcel = Parcel.create(id: id)\n    undo log.warn(\"parcel {parcel.id} is left over\")\n}\n",
    "entity Parcel {\n  key id: text\n}\n\nflow ship(id: text) {\n  step parcel = Parcel.create(id: id)\n    undo parcel.delete()\n}\n",
);

/// Branches or items that run side by side and write the same.
pub const RACE: Code = Code::error(
    "flow::race",
    "what runs side by side writes the same record",
    "Branches of `parallel` and items of `for …, parallel n` are done in any order. When two write the same field of one record, the last one wins; when they add to what was read before, all but one are lost. Records of the items' own are safe, and so is reading and writing in one step.",
    "entity Counter {\n  key name: text\n  total: int = 0\n}\n\nflow count(names: [text]) {\n  step counter = Counter.get(\"all\")\n  for name in names, parallel 4 {\n    step counted = counter.update(total: counter.total + name.length)\n  }\n}\n",
    "entity Counter {\n  key name: text\n  total: int = 0\n}\n\nflow count(names: [text]) {\n  for name in names, parallel 4 {\n    step counted {\n      let counter = Counter.get(\"all\")\n      counter.update(total: counter.total + name.length)\n    }\n  }\n}\n",
);

/// A variable that the items of a parallel loop set, and that keeps nothing of it.
pub const LOST: Code = Code::error(
    "flow::lost",
    "a variable is set where nothing of it stays",
    "The items of `for …, parallel n` are done side by side: each begins with the values from before the loop, and behind the loop those count again. A `var` from outside that an item sets keeps nothing of it, so that sums and counts would come out as they began.",
    "flow count(names: [text]) -> int {\n  var total = 0\n  for name in names, parallel 4 {\n    step length = name.length\n    total = total + length\n  }\n  return total\n}\n",
    "flow count(names: [text]) -> int {\n  var total = 0\n  for name in names {\n    step length = name.length\n    total = total + length\n  }\n  return total\n}\n",
);

/// A failure that passes, and that nothing tries again.
pub const NOT_RETRIED: Code = Code::warning(
    "flow::not-retried",
    "a failure that passes by itself is not tried again",
    "A `transient` error says that trying again may help. A step that may fail with it, without `retry` and without a handler, ends the whole run for what would have passed in a minute.",
    "transient error down(reason: text)\n\ntask book(id: text) {\n  if id == \"\" { fail down(\"closed\") }\n}\n\nflow ship(id: text) {\n  step booked { book(id) }\n}\n",
    "transient error down(reason: text)\n\ntask book(id: text) {\n  if id == \"\" { fail down(\"closed\") }\n}\n\nflow ship(id: text) {\n  step booked { book(id) }\n    retry 3 times from 2 seconds doubling\n}\n",
);

/// A failure of the business that nobody handles, in a run that nobody waits for.
pub const UNHANDLED: Code = Code::warning(
    "flow::unhandled",
    "a failure that nobody handles, in a run that nobody waits for",
    "A run that a trigger, a rule or `start` begins has nobody who sees how it ends. A failure of the business that a step of it may meet ends it half-way, and is only found by who looks through `rpa runs`. A flow that decides to fail by itself, one whose steps are undone, items of loops, and failures that a test expects are not meant.",
    "error sold_out(sku: text)\n\ntask reserve(sku: text) {\n  if sku == \"\" { fail sold_out(sku) }\n}\n\nflow take(path: text) {\n  step reserved { reserve(path) }\n  step told = email.send(to: \"desk@example.com\", subject: \"Reserved\", body: path)\n}\n\non file \"orders/*.txt\" as f { start take(f.name) }\n",
    "error sold_out(sku: text)\n\ntask reserve(sku: text) {\n  if sku == \"\" { fail sold_out(sku) }\n}\n\nflow take(path: text) {\n  step reserved { reserve(path) }\n    on sold_out go to back_order\n  step told = email.send(to: \"desk@example.com\", subject: \"Reserved\", body: path)\n  return\n\n  step back_order = email.send(to: \"desk@example.com\", subject: \"Sold out\", body: path)\n}\n\non file \"orders/*.txt\" as f { start take(f.name) }\n",
);

/// All codes of this group.
pub const GROUP: &[&Code] = &[
    &UNSET,
    &UNREACHABLE,
    &PLACE,
    &TARGET,
    &WAIT,
    &SWALLOWED,
    &NEVER_FAILS,
    &NO_END,
    &ENDLESS,
    &CIRCULAR,
    &WAIT_FOREVER,
    &SAGA_HOLE,
    &CANNOT_UNDO,
    &RACE,
    &LOST,
    &NOT_RETRIED,
    &UNHANDLED,
];
