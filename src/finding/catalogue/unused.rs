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

/// All codes of this group.
pub const GROUP: &[&Code] = &[&LOCAL, &PARAMETER, &DECLARATION, &IMPORT, &RESULT];
