//! `unused::…`: what nothing needs.

use super::Code;

/// A local that nothing reads.
pub const LOCAL: Code = Code::warning(
    "unused::local",
    "a local is never used",
    "A value that nobody reads was meant to be used, or is left over. Names that begin with `_` are passed over.",
    "fn double(x: int) -> int {\n  let y = x + 1\n  return x * 2\n}\n",
    "fn double(x: int) -> int {\n  let y = x * 2\n  return y\n}\n",
);

/// A parameter that nothing reads.
pub const PARAMETER: Code = Code::warning(
    "unused::parameter",
    "a parameter is never used",
    "Callers must give what nobody reads. Names that begin with `_` are passed over.",
    "fn double(x: int, y: int) -> int = x * 2\n",
    "fn double(x: int) -> int = x * 2\n",
);

/// A declaration that nothing uses.
pub const DECLARATION: Code = Code::warning(
    "unused::declaration",
    "a declaration is never used",
    "What nothing in a script uses is left over, or meant to be used. In a script without flows, tests and triggers everything may be there for others.",
    "const limit = 10\n\ntest \"one\" {\n  expect 1 == 1\n}\n",
    "const limit = 10\n\ntest \"one\" {\n  expect limit == 10\n}\n",
);

/// A `use` that nothing needs.
pub const IMPORT: Code = Code::warning(
    "unused::import",
    "nothing of what is brought in is used",
    "A line that is not needed says something untrue about the script.",
    "use crm\n\nfn one() -> int = 1\n",
    "fn one() -> int = 1\n",
);

/// A value that is computed for nothing.
pub const RESULT: Code = Code::warning(
    "unused::result",
    "a value is computed and nothing is done with it",
    "A line that only computes has no effect; most often the result was meant to be kept, returned or expected.",
    "fn double(x: int) -> int {\n  x * 2\n  return x\n}\n",
    "fn double(x: int) -> int {\n  return x * 2\n}\n",
);

/// A field that nothing reads.
pub const FIELD: Code = Code::warning(
    "unused::field",
    "a field is never read",
    "A value that is put into a field and that nobody looks at was meant to be used, or is left over. Fields of records that are read from files or written to them are the layout of the file, and those of entities are there for people too: of those only fields are meant that nothing sets or reads. Names that begin with `_` are passed over.",
    "record Line {\n  sku: text\n  pieces: int\n}\n\nflow count(skus: [text]) {\n  let lines = skus.map(Line(sku: it, pieces: 1))\n  step note { log.info(\"{lines.map(it.sku).distinct.count}\") }\n}\n",
    "record Line {\n  sku: text\n  pieces: int\n}\n\nflow count(skus: [text]) {\n  let lines = skus.map(Line(sku: it, pieces: 1))\n  step note { log.info(\"{lines.map(it.sku).distinct.count}: {lines.sum(it.pieces)}\") }\n}\n",
);

/// A member that nothing gives or asks for.
pub const MEMBER: Code = Code::warning(
    "unused::member",
    "a member of an enum is never used",
    "A member that nothing gives or asks for makes everybody who takes the enum apart think of a case that there is not. Enums whose values come from files, records, people or whoever starts a flow are not meant.",
    "enum Way { direct, approval, refused }\n\nrules way(amount: money EUR) -> Way {\n  | amount     | => way   |\n  | <= 100 EUR | direct   |\n  | > 100 EUR  | approval |\n}\n\nflow pay(amount: money EUR) {\n  let asked = way(amount) == approval\n  step note { log.info(\"{amount} {asked}\") }\n}\n",
    "enum Way { direct, approval }\n\nrules way(amount: money EUR) -> Way {\n  | amount     | => way   |\n  | <= 100 EUR | direct   |\n  | > 100 EUR  | approval |\n}\n\nflow pay(amount: money EUR) {\n  let asked = way(amount) == approval\n  step note { log.info(\"{amount} {asked}\") }\n}\n",
);

/// A column in which every row takes anything.
pub const COLUMN: Code = Code::warning(
    "unused::column",
    "a column of a table decides nothing",
    "A column whose cells all say `-` is read by everybody and has no say in the outcome: the tests are missing, or the column is left over.",
    "rules postage(weight: decimal, island: bool) -> money EUR {\n  | weight | island | => price |\n  | <= 1   | -      | 4.90 EUR |\n  | > 1    | -      | 9.90 EUR |\n}\n",
    "rules postage(weight: decimal, island: bool) -> money EUR {\n  | weight | island | => price  |\n  | <= 1   | -      | 4.90 EUR  |\n  | > 1    | false  | 9.90 EUR  |\n  | > 1    | true   | 19.90 EUR |\n}\n",
);

/// A block in which nothing stands.
pub const BLOCK: Code = Code::warning(
    "unused::block",
    "a loop, a choice or a step does nothing",
    "What was meant to be done for each, or in that case, is missing, or was taken out. An arm of a `match` may be empty: it says that nothing is to be done.",
    "record Row {\n  id: text\n}\n\nflow work(row: Row) key row.id {\n  step note = log.info(row.id)\n}\n\nflow all(file: text) {\n  step rows = csv.read(file, as: Row)\n  for row in rows {\n  }\n}\n",
    "record Row {\n  id: text\n}\n\nflow work(row: Row) key row.id {\n  step note = log.info(row.id)\n}\n\nflow all(file: text) {\n  step rows = csv.read(file, as: Row)\n  for row in rows {\n    run work(row)\n  }\n}\n",
);

/// All codes of this group.
pub const GROUP: &[&Code] = &[&LOCAL, &PARAMETER, &DECLARATION, &IMPORT, &RESULT, &FIELD, &MEMBER, &COLUMN, &BLOCK];
