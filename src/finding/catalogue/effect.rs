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

/// All codes of this group.
pub const GROUP: &[&Code] = &[&OUTSIDE_STEP, &IMPURE, &FAILS];
