//! `decision::…`: what tables and `match` are made of; what can be proved of tables is in `proof`.

use super::Code;

/// A test that means nothing for its column.
pub const CELL: Code = Code::error(
    "decision::cell",
    "a test means nothing for its column",
    "A cell is held against the type of its column, so that a test can't be there that never fits.",
    "enum Tier { gold, silver }\n\nrules discount(tier: Tier) -> percent {\n  | tier    | => discount |\n  | >= gold | 10%         |\n  | silver  | 5%          |\n}\n",
    "enum Tier { gold, silver }\n\nrules discount(tier: Tier) -> percent {\n  | tier   | => discount |\n  | gold   | 10%         |\n  | silver | 5%          |\n}\n",
);

/// An outcome that is missing or fills nothing.
pub const OUTCOME: Code = Code::error(
    "decision::outcome",
    "an outcome is missing, or fills nothing",
    "Each row of a table gives something. Several outcome columns give a record, each column one field of it.",
    "rules rate(country: text) -> percent {\n  | country   |\n  | \"DE\"      |\n  | otherwise |\n}\n",
    "rules rate(country: text) -> percent {\n  | country   | => rate |\n  | \"DE\"      | 19%     |\n  | otherwise | 0%      |\n}\n",
);

/// A result that does not fit the policy.
pub const RESULT: Code = Code::error(
    "decision::result",
    "the result of a table does not fit its policy",
    "A table that collects gives a list; one that adds up needs outcomes that can be added up; one that takes the least or greatest needs an order.",
    "rules notes(total: int) -> text, collect {\n  | total  | => note |\n  | >= 100 | \"large\" |\n  | >= 10  | \"some\"  |\n}\n",
    "rules notes(total: int) -> [text], collect {\n  | total  | => note |\n  | >= 100 | \"large\" |\n  | >= 10  | \"some\"  |\n}\n",
);

/// A value that no arm takes.
pub const UNHANDLED: Code = Code::error(
    "decision::unhandled",
    "a `match` or a chain of `if` does nothing for some values",
    "A member that was added to an enum must be met wherever the enum is taken apart. A value that no arm of a `match` takes ends the run as failed; one that no branch of `if … else if …` asks for falls through without a word, which is a warning.",
    "enum Tier { gold, silver, bronze }\n\nfn rank(tier: Tier) -> int {\n  match tier {\n    gold => return 1\n    silver => return 2\n  }\n}\n",
    "enum Tier { gold, silver, bronze }\n\nfn rank(tier: Tier) -> int {\n  match tier {\n    gold => return 1\n    silver => return 2\n    bronze => return 3\n  }\n}\n",
);

/// A file of a table that can't be read.
pub const FILE: Code = Code::error(
    "decision::file",
    "the file of a table can't be read",
    "Rules that live in a spreadsheet are read and checked with the script, so that a broken sheet is found before the run.",
    "rules discount(total: int) -> percent from \"missing.csv\"\n",
    "rules discount(total: int) -> percent {\n  | total  | => discount |\n  | >= 100 | 10%         |\n  | < 100  | 0%          |\n}\n",
);

/// A branch that no outcome reaches.
pub const IMPOSSIBLE_BRANCH: Code = Code::warning(
    "decision::impossible-branch",
    "a branch that nothing comes to",
    "A branch for an outcome that no row of a table gives was meant for a row that is missing, or is left over from one that was removed. A branch for a value that an earlier one of the chain takes already was meant for another value.",
    "enum Way { direct, approval, refused }\n\nrules way(amount: money EUR) -> Way {\n  | amount     | => way   |\n  | <= 100 EUR | direct   |\n  | > 100 EUR  | approval |\n}\n\nfn words(amount: money EUR) -> text {\n  match way(amount) {\n    direct => return \"paid\"\n    approval => return \"asked\"\n    refused => return \"refused\"\n  }\n}\n",
    "enum Way { direct, approval, refused }\n\nrules way(amount: money EUR) -> Way {\n  | amount                    | => way   |\n  | <= 100 EUR                | direct   |\n  | > 100 EUR and <= 9000 EUR | approval |\n  | > 9000 EUR                | refused  |\n}\n\nfn words(amount: money EUR) -> text {\n  match way(amount) {\n    direct => return \"paid\"\n    approval => return \"asked\"\n    refused => return \"refused\"\n  }\n}\n",
);

/// A condition that does not hang on its values.
pub const CONSTANT: Code = Code::warning(
    "decision::constant",
    "a condition that holds always or never",
    "Something that is compared with itself, limits that exclude each other, or `or` where `and` was meant: one of the two ways is never taken, which nobody writes a condition for.",
    "fn is_weekday(day: int) -> bool {\n  if day >= 1 or day <= 5 {\n    return true\n  }\n  return false\n}\n",
    "fn is_weekday(day: int) -> bool {\n  if day >= 1 and day <= 5 {\n    return true\n  }\n  return false\n}\n",
);

/// An expectation that can be told not to hold.
pub const EXPECTED: Code = Code::warning(
    "decision::expected",
    "a test expects what a table or function does not give",
    "What a decision table gives for literals is known without a run, and so is what a function gives that only chooses. Either the test expects the wrong thing, or a row was changed that it is there to hold.",
    "rules fee(days: int) -> money EUR {\n  | days | => fee |\n  | > 3  | 5 EUR  |\n  | <= 3 | 0 EUR  |\n}\n\ntest \"the fourth day costs\" {\n  expect fee(3) == 5 EUR\n}\n",
    "rules fee(days: int) -> money EUR {\n  | days | => fee |\n  | > 3  | 5 EUR  |\n  | <= 3 | 0 EUR  |\n}\n\ntest \"the fourth day costs\" {\n  expect fee(4) == 5 EUR\n}\n",
);

/// All codes of this group.
pub const GROUP: &[&Code] = &[&IMPOSSIBLE_BRANCH, &CONSTANT, &EXPECTED, &CELL, &OUTCOME, &RESULT, &UNHANDLED, &FILE];
