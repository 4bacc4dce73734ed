//! `policy::…`: what must have happened before something else.

use super::Code;

/// A way that breaks a policy.
pub const BROKEN: Code = Code::error(
    "policy::broken",
    "a way breaks a policy",
    "A policy says what must have happened before something is done. It is proved over all ways through all flows before any of them runs: tasks are looked into, conditions are understood. The finding draws a way that misses it. A flow that other flows run, in this script or in another one of the project, is judged where they run it; by itself it is not begun then (`policy::not-alone`).",
    "task pay(amount: money EUR) {\n  log.info(\"paid {amount}\")\n}\n\npolicy four_eyes {\n  before pay(amount) when amount > 500 EUR requires ask(\"finance\")\n}\n\nflow refund(amount: money EUR) {\n  step paid { pay(amount) }\n}\n",
    "task pay(amount: money EUR) {\n  log.info(\"paid {amount}\")\n}\n\npolicy four_eyes {\n  before pay(amount) when amount > 500 EUR requires ask(\"finance\")\n}\n\nerror refused(amount: money EUR)\n\nflow refund(amount: money EUR) {\n  if amount > 500 EUR {\n    step approved: bool = ask(\"finance\", \"Pay back {amount}?\", within: 3 days, otherwise: false)\n    if not approved { fail refused(amount) }\n  }\n  step paid { pay(amount) }\n}\n",
);

/// A run of a flow that keeps a policy only within others.
pub const NOT_ALONE: Code = Code::error(
    "policy::not-alone",
    "a flow that keeps a policy only within others is begun by itself",
    "A flow that other flows run may rely on them: they ask or check, and it does what the policy protects. That is proved for every place that runs it, in other scripts of the project when those are checked. Begun by hand it would go past all of that, so it is not; nor is such a flow of a script that is used begun from the script that uses it.",
    "",
    "",
);

/// All codes of this group.
pub const GROUP: &[&Code] = &[&BROKEN, &NOT_ALONE];
