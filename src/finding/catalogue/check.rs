//! `check::…`: what scripts say to the checker itself.

use super::Code;

/// An `allow` without effect.
pub const UNUSED_ALLOW: Code = Code::warning(
    "check::unused-allow",
    "an `allow` silences nothing",
    "`// allow(code): reason` on a line, or above it, silences warnings of that line. One that silences nothing is left over, \
     and would hide the next mistake that comes to stand there.",
    "// allow(unused::local): the rest comes with the next version\nfn double(x: int) -> int {\n  return x * 2\n}\n",
    "fn double(x: int) -> int {\n  return x * 2\n}\n",
);

/// An `allow` that does not say why.
pub const ALLOW_REASON: Code = Code::warning(
    "check::allow-reason",
    "an `allow` gives no reason",
    "Whoever reads the script next must know why the warning does not matter here. The reason stands behind a colon.",
    "fn double(x: int) -> int {\n  let half = x / 2 // allow(unused::local)\n  return x * 2\n}\n",
    "fn double(x: int) -> int {\n  let half = x / 2 // allow(unused::local): shows what the other way round would be\n  return x * 2\n}\n",
);

/// An `allow` for something that can't be silenced.
pub const ALLOW_WRONG: Code = Code::warning(
    "check::allow-wrong",
    "an `allow` names what can't be allowed",
    "Only warnings can be silenced, by their code: what is an error keeps the script from running, whoever allows it.",
    "// allow(unused::locale): a code that nobody knows\nconst limit = 10\n",
    "const limit = 10\n",
);

/// All codes of this group.
pub const GROUP: &[&Code] = &[&UNUSED_ALLOW, &ALLOW_REASON, &ALLOW_WRONG];
