//! `reaction::…`: what the proofs about reactive rules find.

use super::Code;

/// The codes of this file.
pub const GROUP: &[&Code] = &[&ENDLESS, &ORDER, &NEVER, &ACTS, &PRIORITY, &GONE, &LOST];

/// Rules that set each other off without an end.
pub static ENDLESS: Code = Code::error(
    "reaction::endless",
    "rules set each other off without an end",
    "A change sets off a rule, whose action is a change that sets off a rule. When that goes round, the step fails at \
     the limit of 100 rules in a chain. The checker follows what every action writes to the conditions that read it. A \
     way round is broken by a condition that the action makes false, by a status that only moves forward, by a \
     number that only moves towards a bound; what is left is reported: as a warning where it hangs on values that are \
     not known before the run.",
    "entity Product {
  key sku: text
  stock: int
}

rule refill on Product changed as p when p.stock < 5 {
  p.update(stock: 20)
}

rule send_back on Product changed as p when p.stock > 10 {
  p.update(stock: 4)
}
",
    "entity Product {
  key sku: text
  stock: int
}

rule refill on Product changed as p when p.stock < 5 {
  p.update(stock: 20)
}

rule send_back on Product changed as p when p.stock > 20 {
  p.update(stock: 10)
}
",
);

/// Two rules whose order is not written and matters.
pub static ORDER: Code = Code::warning(
    "reaction::order-matters",
    "the order of two rules matters and is not written",
    "Two rules that one change can set off go by priority, and by their order in the text when that is the same. When \
     one writes what the other reads or writes, moving a rule to another place changes what the script does.",
    "entity Product {
  key sku: text
  stock: int
  price: int
  label: text
}

rule sale on Product changed as p when p.stock > 100 {
  p.update(price: 5)
}

rule label on Product changed as p when p.stock > 50 {
  p.update(label: \"now {p.price}\")
}
",
    "entity Product {
  key sku: text
  stock: int
  price: int
  label: text
}

rule sale on Product changed as p when p.stock > 100 priority 10 {
  p.update(price: 5)
}

rule label on Product changed as p when p.stock > 50 {
  p.update(label: \"now {p.price}\")
}
",
);

/// A rule whose condition nothing meets.
pub static NEVER: Code = Code::warning(
    "reaction::never",
    "a rule can never fire",
    "No record meets the condition of the rule, so its action is never done.",
    "entity Product {
  key sku: text
  stock: int
}

rule low_stock on Product changed as p when p.stock < 5 and p.stock > 10 {
  log.info(p.sku)
}
",
    "entity Product {
  key sku: text
  stock: int
}

rule low_stock on Product changed as p when p.stock < 5 or p.stock > 10 {
  log.info(p.sku)
}
",
);

/// A rule that does what can't be a part of the change.
pub static ACTS: Code = Code::error(
    "reaction::acts",
    "a rule does what can't be taken back with the change",
    "What a rule does belongs to the step whose change has set it off: both are kept, or neither is. So a rule reads \
     and writes records, writes mails to the outbox and starts flows. A call of another system could not be taken back, \
     and a wait would hold the step. Its condition only looks.",
    "flow ship(sku: text) {
  step note {
    log.info(sku)
  }
}

entity Product {
  key sku: text
  stock: int
}

rule low_stock on Product changed as p when p.stock < 5 {
  run ship(p.sku)
}
",
    "flow ship(sku: text) {
  step note {
    log.info(sku)
  }
}

entity Product {
  key sku: text
  stock: int
}

rule low_stock on Product changed as p when p.stock < 5 {
  start ship(p.sku)
}
",
);

/// A priority that is not known before the run.
pub static PRIORITY: Code = Code::error(
    "reaction::priority",
    "the priority of a rule is not known before the run",
    "The order of rules is fixed when the script is read, so that it can be proved that they end.",
    "entity Product {
  key sku: text
  stock: int
}

rule low_stock on Product changed as p when p.stock < 5 priority p.stock {
  log.info(p.sku)
}
",
    "entity Product {
  key sku: text
  stock: int
}

rule low_stock on Product changed as p when p.stock < 5 priority 10 {
  log.info(p.sku)
}
",
);

/// A rule that changes a record that is not there.
pub static GONE: Code = Code::error(
    "reaction::gone",
    "a rule changes a record that is gone",
    "A rule for deleted records sees the record as it was last. It can't be changed any more: the update fails, and \
     with it the step that deletes the record.",
    "entity Product {
  key sku: text
  stock: int
}

rule cleared on Product deleted as p {
  p.update(stock: 0)
}
",
    "entity Product {
  key sku: text
  stock: int
}

rule cleared on Product changed as p when p.stock < 0 {
  p.update(stock: 0)
}
",
);

/// An action that overwrites its own change.
pub static LOST: Code = Code::warning(
    "reaction::lost-change",
    "a rule loses a change that it has made itself",
    "The record of a rule is as it was when the rule fired. A second update that counts from it writes over what the \
     first one has set.",
    "entity Product {
  key sku: text
  stock: int
  sold: int
}

rule sold_out on Product changed as p when p.stock == 0 {
  p.update(sold: p.sold + 1)
  p.update(sold: p.sold + 10)
}
",
    "entity Product {
  key sku: text
  stock: int
  sold: int
}

rule sold_out on Product changed as p when p.stock == 0 {
  let now = p.update(sold: p.sold + 1)
  now.update(sold: now.sold + 10)
}
",
);
