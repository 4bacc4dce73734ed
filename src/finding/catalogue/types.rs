//! `type::…`: values that do not fit where they are used.

use super::Code;

/// A value of another type.
pub const MISMATCH: Code = Code::error(
    "type::mismatch",
    "a value of another type is wanted",
    "Types are held before the run, so that no run fails because text was where a number was meant. Nothing but whole numbers to decimals converts by itself.",
    "fn greeting(name: text) -> text = \"Hello {name}\"\n\nfn first() -> text = greeting(1)\n",
    "fn greeting(name: text) -> text = \"Hello {name}\"\n\nfn first() -> text = greeting(\"Ada\")\n",
);

/// An operator that means nothing here.
pub const OPERATOR: Code = Code::error(
    "type::operator",
    "an operator means nothing between these types",
    "Operators mean one thing for each pair of types, and nothing where people would have to guess: an amount plus a number has no currency, a text plus a number no form.",
    "fn label(count: int) -> text = \"items: \" + count\n",
    "fn label(count: int) -> text = \"items: {count}\"\n",
);

/// Amounts of different currencies meet.
pub const CURRENCIES: Code = Code::error(
    "type::currency",
    "amounts of different currencies meet",
    "An amount is a number with its currency. Adding euros to dollars gives neither; a rate must be named by somebody.",
    "fn total() -> money = 10 EUR + 10 USD\n",
    "fn total() -> money = 10 EUR + 10 EUR\n",
);

/// A value that may be none, or one that never is.
pub const OPTIONAL: Code = Code::error(
    "type::optional",
    "a value that may be none is used as if it were there",
    "A value whose type ends with `?` may be none. It is used behind a test (`is some`), with something to take instead (`??`), or with `?.`, so that no letter ever says \"Dear none\".",
    "fn shout(name: text?) -> text = name.upper\n",
    "fn shout(name: text?) -> text = (name ?? \"nobody\").upper\n",
);

/// An argument or field that is not given.
pub const MISSING_ARGUMENT: Code = Code::error(
    "type::missing-argument",
    "an argument or field is not given",
    "Everything without a default is given, so that nothing is silently empty.",
    "record Row {\n  sku: text\n  quantity: int\n}\n\nfn first() -> Row = Row(sku: \"A1\")\n",
    "record Row {\n  sku: text\n  quantity: int\n}\n\nfn first() -> Row = Row(sku: \"A1\", quantity: 1)\n",
);

/// An argument or field that nothing takes.
pub const UNKNOWN_ARGUMENT: Code = Code::error(
    "type::unknown-argument",
    "an argument or field that nothing takes",
    "What nothing takes would be dropped, and the default would be taken in its place.",
    "record Row {\n  sku: text\n}\n\nfn first() -> Row = Row(sku: \"A1\", amount: 1)\n",
    "record Row {\n  sku: text\n}\n\nfn first() -> Row = Row(sku: \"A1\")\n",
);

/// An argument or field given twice.
pub const DOUBLED_ARGUMENT: Code = Code::error(
    "type::doubled-argument",
    "an argument or field is given twice",
    "One of the two would silently win.",
    "record Row {\n  sku: text\n}\n\nfn first() -> Row = Row(sku: \"A1\", sku: \"A2\")\n",
    "record Row {\n  sku: text\n}\n\nfn first() -> Row = Row(sku: \"A1\")\n",
);

/// Parentheses too many or too few.
pub const PARENTHESES: Code = Code::error(
    "type::parentheses",
    "parentheses too many or too few",
    "What is a property of a value is written without parentheses, what takes arguments with them.",
    "fn size(rows: [text]) -> int = rows.count()\n",
    "fn size(rows: [text]) -> int = rows.count\n",
);

/// What has no value is used as one.
pub const NOTHING: Code = Code::error(
    "type::nothing",
    "what has no value is used as one",
    "A task without a result only acts.",
    "task note() -> text {\n  let noted = log.info(\"hello\")\n  return \"{noted}\"\n}\n",
    "task note() -> text {\n  log.info(\"hello\")\n  return \"hello\"\n}\n",
);

/// A result that is missing or not declared.
pub const RESULT: Code = Code::error(
    "type::result",
    "a result is missing, or not declared",
    "What a function, task, table, step or flow gives is declared, and every way through it gives that.",
    "fn larger(a: int, b: int) -> int {\n  if a > b {\n    return a\n  }\n}\n",
    "fn larger(a: int, b: int) -> int {\n  if a > b {\n    return a\n  }\n  return b\n}\n",
);

/// A value whose type nothing says.
pub const UNCLEAR: Code = Code::error(
    "type::unclear",
    "nothing says what type a value has",
    "Types are inferred from values, and an empty list or `none` says nothing of what may be in it.",
    "fn empty() -> int {\n  let names = []\n  return names.count\n}\n",
    "fn empty() -> int {\n  let names: [text] = []\n  return names.count\n}\n",
);

/// Something that keeps its value is set again.
pub const IMMUTABLE: Code = Code::error(
    "type::immutable",
    "something that keeps its value is set again",
    "Names declared with `let`, parameters and steps keep their value, so that a reader need not look for changes. `var` says that a name changes.",
    "fn count() -> int {\n  let n = 1\n  n = 2\n  return n\n}\n",
    "fn count() -> int {\n  var n = 1\n  n = 2\n  return n\n}\n",
);

/// An entity that the store could not keep.
pub const ENTITY: Code = Code::error(
    "type::entity",
    "an entity is declared or changed in a way the store can't keep",
    "The store finds records by their keys: each entity has one, of a type that can be looked up, and it never changes.",
    "entity Product {\n  name: text\n}\n",
    "entity Product {\n  key sku: text\n  name: text\n}\n",
);

/// A lambda that does not fit.
pub const LAMBDA: Code = Code::error(
    "type::lambda",
    "a lambda does not fit",
    "Lambdas are arguments of methods, and have as many parameters as the method gives them values.",
    "fn total(numbers: [int]) -> int = numbers.fold(0, sum => sum + 1)\n",
    "fn total(numbers: [int]) -> int = numbers.fold(0, (sum, n) => sum + n)\n",
);

/// A value that can't be put into a text.
pub const TEXT: Code = Code::error(
    "type::text",
    "a value can't be put into a text as it is",
    "Texts are read by people. Single values have one written form; lists, maps and records have many.",
    "fn line(names: [text]) -> text = \"names: {names}\"\n",
    "fn line(names: [text]) -> text = \"names: {names.join(\", \")}\"\n",
);

/// A secret that would be shown.
pub const SECRET: Code = Code::error(
    "type::secret",
    "a secret would be shown",
    "A secret reaches no text, log, mail or file: what is written once can be read for ever.",
    "record Access {\n  token: secret text\n}\n\nfn line(access: Access) -> text = \"token: {access.token}\"\n",
    "record Access {\n  token: secret text\n}\n\nfn line(access: Access) -> text = \"token: …{access.token.last4}\"\n",
);

/// All codes of this group.
pub const GROUP: &[&Code] = &[
    &MISMATCH,
    &OPERATOR,
    &CURRENCIES,
    &OPTIONAL,
    &MISSING_ARGUMENT,
    &UNKNOWN_ARGUMENT,
    &DOUBLED_ARGUMENT,
    &PARENTHESES,
    &NOTHING,
    &RESULT,
    &UNCLEAR,
    &IMMUTABLE,
    &ENTITY,
    &LAMBDA,
    &TEXT,
    &SECRET,
];
