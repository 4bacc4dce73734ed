//! What to write instead where an option of a flow or step looks something up: only pure code may stand there.

use crate::check::program::{Expr, ExprKind, Step, StepBody, Wait};

pub(super) const IN_RETRY: &str = "write a fixed length, such as `from 2 seconds doubling up to 1 hour`: pauses are for what \
     passes by itself; to wait for business days, put `step pause = sleep(business_days(3))` before the step";

pub(super) const IN_FLOW: &str =
    "take it as a parameter of the flow: what a flow is given is looked up once, when its run is started";

/// A length that depends on the calendar may be a parameter: it is looked up once, and kept with the run.
pub(super) fn in_deadline(flow: &str) -> String {
    format!(
        "take the length as a parameter, which is looked up once: `flow {flow}(…, limit: duration) deadline limit`, started by \
         `run {flow}(…, limit: business_days(3))`"
    )
}

pub(super) fn in_timeout(step: &Step) -> String {
    match &step.body {
        StepBody::Value(Expr { kind: ExprKind::Wait(wait), .. })
            if matches!(**wait, Wait::For { .. } | Wait::Ask { .. }) =>
        {
            "a wait can be given such a length: `within: business_days(3)`".to_string()
        }
        _ => "look it up in a step of its own before this one: `step limit = …`, and `timeout limit`".to_string(),
    }
}
