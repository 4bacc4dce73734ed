//! `decision::…`: what the proofs about decision tables find.

use super::Code;

/// The codes of this file.
pub const GROUP: &[&Code] = &[&GAP, &OVERLAP, &CONFLICT, &DEAD_ROW, &NEVER, &UNDECIDED];

/// An input that no row takes.
pub static GAP: Code = Code::error(
    "decision::gap",
    "a decision table has no row for some input",
    "A run that meets such an input fails in the middle of the work. The proof covers every combination of the \
     columns: whole numbers and days one by one, money in the minor unit of its currency, decimals and percents \
     without gaps between them.",
    "enum Tier { gold, silver }

rules discount(tier: Tier, total: money EUR) -> percent {
  | tier   | total       | => discount |
  | gold   | >= 1000 EUR | 15%         |
  | gold   | < 1000 EUR  | 10%         |
  | silver | >= 1000 EUR | 5%          |
}
",
    "enum Tier { gold, silver }

rules discount(tier: Tier, total: money EUR) -> percent {
  | tier   | total       | => discount |
  | gold   | >= 1000 EUR | 15%         |
  | gold   | < 1000 EUR  | 10%         |
  | silver | >= 1000 EUR | 5%          |
  | silver | < 1000 EUR  | 0%          |
}
",
);

/// Two rows of a unique table take the same input.
pub static OVERLAP: Code = Code::error(
    "decision::overlap",
    "two rows of a unique table take the same input",
    "A table without a written policy promises that every input meets exactly one row, so that nobody has to know \
     the order of the rows to read it. A run that meets an input of both rows fails.",
    "rules shipping(weight: int) -> money EUR {
  | weight | => cost  |
  | <= 10  | 4.90 EUR |
  | >= 10  | 9.90 EUR |
}
",
    "rules shipping(weight: int) -> money EUR {
  | weight | => cost  |
  | < 10   | 4.90 EUR |
  | >= 10  | 9.90 EUR |
}
",
);

/// Two rows of an `any` table say different things about the same input.
pub static CONFLICT: Code = Code::error(
    "decision::conflict",
    "two rows of an `any` table disagree",
    "Under `any`, several rows may take the same input as long as they say the same. These do not.",
    "rules vip(orders: int, years: int) -> bool, any {
  | orders | years | => vip |
  | >= 10  | -     | true   |
  | -      | >= 5  | false  |
  | < 10   | < 5   | false  |
}
",
    "rules vip(orders: int, years: int) -> bool, any {
  | orders | years | => vip |
  | >= 10  | -     | true   |
  | -      | >= 5  | true   |
  | < 10   | < 5   | false  |
}
",
);

/// A row that others always win over.
pub static DEAD_ROW: Code = Code::warning(
    "decision::dead-row",
    "a row never fires",
    "The rows before it take all of its inputs, so what it says never happens. Either the row is left over, or it \
     stands too low.",
    "rules priority(open_days: int) -> int, first {
  | open_days | => priority |
  | > 3       | 2           |
  | > 10      | 1           |
  | otherwise | 3           |
}
",
    "rules priority(open_days: int) -> int, first {
  | open_days | => priority |
  | > 10      | 1           |
  | > 3       | 2           |
  | otherwise | 3           |
}
",
);

/// A row whose tests contradict each other.
pub static NEVER: Code = Code::error(
    "decision::never",
    "the tests of a row contradict each other",
    "No value fits all tests of the row, so it can't fire. Mostly `and` was written where `or` was meant.",
    "rules surcharge(weight: int) -> money EUR, first {
  | weight          | => cost  |
  | < 0 and > 100   | 9.90 EUR |
  | otherwise       | 0 EUR    |
}
",
    "rules surcharge(weight: int) -> money EUR, first {
  | weight       | => cost  |
  | < 0 or > 100 | 9.90 EUR |
  | otherwise    | 0 EUR    |
}
",
);

/// A table that is too large to be proved.
pub static UNDECIDED: Code = Code::warning(
    "decision::undecided",
    "it could not be decided whether a table is complete",
    "The columns of the table combine to more cases than the checker looks at. Nothing is known to be wrong; an \
     `otherwise` row makes the table complete in any case.",
    "",
    "",
);
