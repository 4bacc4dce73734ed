//! `name::…`: names that mean nothing, too much, or something else.

use super::Code;

/// A name that nothing has.
pub const UNKNOWN: Code = Code::error(
    "name::unknown",
    "a name that nothing has",
    "Every name is looked for before the run: locals, steps, declarations, fields, members of enums, modules and tasks. A name that is not found is most often a slip of the pen, which would otherwise show at night.",
    "fn double(price: int) -> int = prize * 2\n",
    "fn double(price: int) -> int = price * 2\n",
);

/// Two things of one name.
pub const DUPLICATE: Code = Code::error(
    "name::duplicate",
    "two things have one name",
    "Where two things have one name, a reader can't tell which is meant, and a change reaches the wrong one.",
    "const limit = 500 EUR\nconst limit = 600 EUR\n",
    "const limit = 500 EUR\nconst high_limit = 600 EUR\n",
);

/// A local that hides another.
pub const SHADOWED: Code = Code::error(
    "name::shadowed",
    "a local would hide another name",
    "A name means one thing from its declaration to the end of its block. A second one would hide the first, and a later change of the inner one would be taken for a change of the outer.",
    "fn total(prices: [money EUR]) -> money EUR {\n  var sum = 0 EUR\n  for price in prices {\n    let sum = sum + price\n  }\n  return sum\n}\n",
    "fn total(prices: [money EUR]) -> money EUR {\n  var sum = 0 EUR\n  for price in prices {\n    sum = sum + price\n  }\n  return sum\n}\n",
);

/// A word of the language, declared again.
pub const RESERVED: Code = Code::error(
    "name::reserved",
    "a word of the language is declared again",
    "Types, functions and errors that every script knows mean the same in every script.",
    "record money {\n  amount: int\n}\n",
    "record Sum {\n  amount: int\n}\n",
);

/// A member of several enums.
pub const AMBIGUOUS: Code = Code::error(
    "name::ambiguous",
    "a member of several enums",
    "A bare member gets its enum from what is wanted at its place. Where nothing is wanted, and several enums have the member, the enum must be named.",
    "enum Order { open, closed }\nenum Ticket { open, solved }\n\nfn first() -> Order {\n  let status = open\n  return status\n}\n",
    "enum Order { open, closed }\nenum Ticket { open, solved }\n\nfn first() -> Order {\n  let status = Order.open\n  return status\n}\n",
);

/// A name used as what it is not.
pub const MISUSED: Code = Code::error(
    "name::misused",
    "a name is used as what it is not",
    "Functions are called, flows are run or started, records are built, types name what values are. Each is written in its own way, so that a reader sees what happens.",
    "flow nightly() {\n  step work {\n    log.info(\"done\")\n  }\n}\n\nflow all() {\n  nightly()\n}\n",
    "flow nightly() {\n  step work {\n    log.info(\"done\")\n  }\n}\n\nflow all() {\n  run nightly()\n}\n",
);

/// Something that needs itself.
pub const CYCLE: Code = Code::error(
    "name::cycle",
    "something needs itself",
    "Scripts that use each other, and constants that are made of each other, would have no beginning.",
    "const a: int = b + 1\nconst b: int = a + 1\n",
    "const a: int = 1\nconst b: int = a + 1\n",
);

/// A file that can't be read.
pub const FILE: Code = Code::error(
    "name::file",
    "a file that the script names can't be read",
    "Scripts, templates and tables that a script names are read and checked with it, so that a missing one is found before the run.",
    "use \"missing.rpa\"\n",
    "const here = 1\n",
);

/// A currency that does not exist.
pub const CURRENCY: Code = Code::error(
    "name::currency",
    "there is no such currency",
    "Currencies are written with the three letters of ISO 4217; the letters decide how an amount is rounded and what it may be added to.",
    "const limit = 500 EUX\n",
    "const limit = 500 EUR\n",
);

/// All codes of this group.
pub const GROUP: &[&Code] =
    &[&UNKNOWN, &DUPLICATE, &SHADOWED, &RESERVED, &AMBIGUOUS, &MISUSED, &CYCLE, &FILE, &CURRENCY];
