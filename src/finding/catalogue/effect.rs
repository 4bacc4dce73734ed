//! `effect::…`: what acts where it must not.

use super::Code;

/// Something acts between the steps of a flow.
pub const OUTSIDE_STEP: Code = Code::error(
    "effect::outside-step",
    "something acts between the steps of a flow",
    "A run goes on after a crash by reading its journal: what steps gave is there, what lies between is computed again. So nothing between steps may read or change the world, or the run would take another way the second time.",
    "flow remind() {\n  let day = today()\n  step note {\n    log.info(\"{day}\")\n  }\n}\n",
    "flow remind() {\n  step day = today()\n  step note {\n    log.info(\"{day}\")\n  }\n}\n",
);

/// A function, table or constant that acts.
pub const IMPURE: Code = Code::error(
    "effect::impure",
    "what only computes acts",
    "A `fn` gives the same for the same arguments and changes nothing, so it may be called anywhere, any number of times. What reads or acts is a `task`; tables may read.",
    "fn greeting() -> text = \"It is {today()}\"\n",
    "task greeting() -> text = \"It is {today()}\"\n",
);

/// `fails` says something else than the body.
pub const FAILS: Code = Code::error(
    "effect::fails",
    "`fails` says something else than the body does",
    "How a task may fail is inferred. Where it is written, it is a promise to callers, and held.",
    "error empty()\n\ntask first(names: [text]) -> text fails bad_value {\n  if names.is_empty { fail empty() }\n  return names.first ?? \"\"\n}\n",
    "error empty()\n\ntask first(names: [text]) -> text fails empty {\n  if names.is_empty { fail empty() }\n  return names.first ?? \"\"\n}\n",
);

/// A retry that repeats what was done.
pub const RETRY_REPEATS: Code = Code::error(
    "effect::retry-repeats",
    "`retry` repeats what can't be repeated",
    "A try that fails is taken back with its records and mails. What a flow that is run in it has committed is not, nor what acts outside at once, such as moving a file: the next try does it again.",
    "transient error down(reason: text)\n\ntask book(id: text) {\n  if id == \"\" { fail down(\"closed\") }\n}\n\nflow ship(id: text) {\n  step told = email.send(to: \"{id}@example.com\", subject: \"Shipped\", body: \"On its way.\")\n  step booked { book(id) }\n}\n\nflow all(id: text) {\n  step sent = run ship(id)\n    retry 3 times\n}\n",
    "transient error down(reason: text)\n\ntask book(id: text) {\n  if id == \"\" { fail down(\"closed\") }\n}\n\nflow ship(id: text) {\n  step booked { book(id) }\n    retry 3 times\n  step told = email.send(to: \"{id}@example.com\", subject: \"Shipped\", body: \"On its way.\")\n}\n\nflow all(id: text) {\n  run ship(id)\n}\n",
);

/// Retries inside of retries.
pub const RETRY_PRODUCT: Code = Code::error(
    "effect::retry-product",
    "retries multiply",
    "A step that is tried again and runs a flow whose steps are tried again multiplies the tries and the pauses: 5 times 5 are 25 calls of a system that is down already. From 100 tries on it is an error.",
    "transient error down(reason: text)\n\ntask book(id: text) {\n  if id == \"\" { fail down(\"closed\") }\n}\n\nflow ship(id: text) key id {\n  step booked { book(id) }\n    retry 4 times from 10 seconds doubling\n}\n\nflow all(id: text) {\n  step sent = run ship(id)\n    retry 4 times\n}\n",
    "transient error down(reason: text)\n\ntask book(id: text) {\n  if id == \"\" { fail down(\"closed\") }\n}\n\nflow ship(id: text) key id {\n  step booked { book(id) }\n    retry 4 times from 10 seconds doubling\n}\n\nflow all(id: text) {\n  run ship(id)\n}\n",
);

/// A retry that can't help.
pub const RETRY_IDLE: Code = Code::warning(
    "effect::retry-idle",
    "`retry` where trying again can't help",
    "Only transient failures are tried again: those that pass by themselves. A wrong address stays wrong. A mail is put into the outbox with the step; that it leaves is seen to without `retry`.",
    "flow tell() {\n  step told = email.send(to: \"ada@example.com\", subject: \"Hello\", body: \"Good morning.\")\n    retry 3 times\n}\n",
    "flow tell() {\n  step told = email.send(to: \"ada@example.com\", subject: \"Hello\", body: \"Good morning.\")\n}\n",
);

/// A mail in a step that is tried again.
pub const RETRY_MAIL: Code = Code::warning(
    "effect::retry-mail",
    "a mail in a step that is tried again",
    "The mail is written anew in each try and leaves with the one that succeeds; when none does, nobody is written to. In a step of its own it is sent once, whatever the other step needs.",
    "transient error down(reason: text)\n\ntask book(id: text) {\n  if id == \"\" { fail down(\"closed\") }\n}\n\nflow ship(id: text) {\n  step booked {\n    email.send(to: \"{id}@example.com\", subject: \"Shipped\", body: \"On its way.\")\n    book(id)\n  }\n    retry 3 times\n}\n",
    "transient error down(reason: text)\n\ntask book(id: text) {\n  if id == \"\" { fail down(\"closed\") }\n}\n\nflow ship(id: text) {\n  step booked { book(id) }\n    retry 3 times\n  step told = email.send(to: \"{id}@example.com\", subject: \"Shipped\", body: \"On its way.\")\n}\n",
);

/// Several deeds outside in one step.
pub const TWO_OUTSIDE: Code = Code::warning(
    "effect::two-outside",
    "one step acts outside twice",
    "Records and mails of a step are kept together or not at all. Files and other systems are outside: when the step fails or the machine stops between two of them, the step is done again from its beginning, and what can't be done twice (a file that was moved) fails. A call is made again under the same `Idempotency-Key`, which not every system looks at.",
    "flow archive(path: text) {\n  step done {\n    file.move(path, \"archive/{path}\")\n    file.write(\"archive/last.txt\", path)\n  }\n}\n",
    "flow archive(path: text) {\n  step moved { file.move(path, \"archive/{path}\") }\n  step noted { file.write(\"archive/last.txt\", path) }\n}\n",
);

/// A step that writes, then calls.
pub const WRITE_BEFORE_CALL: Code = Code::warning(
    "effect::write-before-call",
    "a step writes before it calls another system",
    "Before another system is called, everything up to there is put on disk, and others may write while the call lasts. What the step itself has written can't be put on disk, since it is taken back when the step fails: so the store stays closed for everybody else until the answer is there, and a call that has succeeded stays made when its record does not.",
    "entity Order {\n  key number: text\n  sent: bool = false\n}\n\nflow send(number: text) {\n  step sent {\n    Order.get(number).update(sent: true)\n    http.post(\"https://api.example.com/orders\", {\"number\": number})\n  }\n    retry 3 times\n}\n",
    "entity Order {\n  key number: text\n  sent: bool = false\n}\n\nflow send(number: text) {\n  step sent {\n    http.post(\"https://api.example.com/orders\", {\"number\": number})\n    Order.get(number).update(sent: true)\n  }\n    retry 3 times\n}\n",
);

/// A query that each round of a loop asks anew.
pub const IN_LOOP: Code = Code::warning(
    "effect::in-loop",
    "each round of a loop asks the store where one question would do",
    "What does not depend on the round and is not written in it is the same each time: read before the loop it costs one question to the store instead of one for each element. And what each round asks about its own element, one question can ask for all of them: `Order.where(it.customer in ids).group(it.customer)`. Records that are read by their key, and references, are read together anyway; writes in one step are written together.",
    "entity Rate {\n  key name: text\n  share: percent\n}\n\ntask taxes(amounts: [money EUR]) -> [money EUR] {\n  var taxes: [money EUR] = []\n  for amount in amounts {\n    let rate = Rate.get(\"standard\")\n    taxes = taxes.append(amount * rate.share)\n  }\n  return taxes\n}\n",
    "entity Rate {\n  key name: text\n  share: percent\n}\n\ntask taxes(amounts: [money EUR]) -> [money EUR] {\n  let rate = Rate.get(\"standard\")\n  var taxes: [money EUR] = []\n  for amount in amounts {\n    taxes = taxes.append(amount * rate.share)\n  }\n  return taxes\n}\n",
);

/// An effect that no plan can foresee.
pub const UNPLANNED: Code = Code::warning(
    "effect::unplanned",
    "no plan can foresee an effect",
    "`rpa plan` says what a run will do, and `rpa run --expect` holds the run to it. Whether something is done, or to whom, that is drawn by chance or hangs on the moment alone comes out otherwise in the run than in the plan. So does what hangs on the bare answer to `http.post` and its like, of which the script reads the status and no more: a plan does not make the call, and goes on as if it were answered with 200. What hangs on the answer of a person, on an event or on an answer that is read as something else is another matter: there a plan ends, and says what it waits for.",
    "flow greet(names: [text]) {\n  for name in names {\n    step drawn = random.int(1, 10)\n    if drawn == 1 {\n      step mail = email.send(to: \"{name}@example.com\", subject: \"Hello\", body: \"You have won.\")\n    }\n  }\n}\n",
    "flow greet(names: [text], every: int) {\n  var place = 0\n  for name in names {\n    place = place + 1\n    if mod(place, every) == 0 {\n      step mail = email.send(to: \"{name}@example.com\", subject: \"Hello\", body: \"You have won.\")\n    }\n  }\n}\n",
);

/// All codes of this group.
pub const GROUP: &[&Code] = &[
    &OUTSIDE_STEP,
    &IMPURE,
    &FAILS,
    &RETRY_REPEATS,
    &RETRY_PRODUCT,
    &RETRY_IDLE,
    &RETRY_MAIL,
    &TWO_OUTSIDE,
    &WRITE_BEFORE_CALL,
    &IN_LOOP,
    &UNPLANNED,
];
