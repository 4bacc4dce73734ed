//! `retry` around what it repeats, multiplies or can't mend. A failed try is taken back with all its mails and
//! records, so a step may be tried again; what has been committed by a flow that the step runs, and what acts outside
//! at once, is not taken back.

use super::deeds::{Deed, Deedbook};
use crate::check::program::{Expr, ExprKind, Flow, FlowId, Program, Retry, Step, StepBody};
use crate::finding::{Finding, Severity, catalogue};
use crate::text::Span;
use crate::value::{Duration, Value};
use std::collections::HashMap;

/// From how many tries on a product of retries is an error.
const MOST_TRIES: i64 = 100;

/// The findings about the retries of the flows that are wanted.
pub(crate) fn findings(program: &Program, book: &Deedbook<'_>, wanted: &dyn Fn(Span) -> bool) -> Vec<Finding> {
    let mut inner = Inner { program, book, known: HashMap::new() };
    let mut findings = Vec::new();
    for flow in program.flows.iter().filter(|flow| wanted(flow.span)) {
        for step in flow.steps.iter() {
            let Some(retry) = &step.retry else { continue };
            match run_of(step) {
                Some((child, span)) => findings.extend(inner.around_run(step, retry, child, span)),
                None => findings.extend(of_step(step, retry, book)),
            }
        }
    }
    findings
}

/// The flow that a step runs and waits for.
fn run_of(step: &Step) -> Option<(FlowId, Span)> {
    match &step.body {
        StepBody::Value(Expr { kind: ExprKind::Run(flow, _), span, .. }) => Some((*flow, *span)),
        _ => None,
    }
}

/// A retry around a step that runs no flow.
fn of_step(step: &Step, retry: &Retry, book: &Deedbook<'_>) -> Option<Finding> {
    let failures = book.failures(step);
    let transient = failures.iter().find(|(error, _)| book.is_transient(*error));
    let is_wait = matches!(&step.body, StepBody::Value(Expr { kind: ExprKind::Wait(_) | ExprKind::Start(..), .. }));
    let deeds = book.of_step(step);
    let Some((error, failing)) = transient else {
        // What acts outside may be unavailable.
        if step.timeout.is_some() || is_wait || deeds.of(Deed::Once).is_some() || unclear(step) {
            return None;
        }
        let mut names: Vec<String> =
            failures.iter().map(|(error, _)| format!("`{}`", book.error_name(*error))).collect();
        names.sort();
        names.truncate(4);
        let mail = deeds.of(Deed::Mail);
        let finding = Finding::new(
            &catalogue::effect::RETRY_IDLE,
            retry.times.span,
            format!("trying the step `{}` again can't help: it never fails for a reason that passes", step.name),
        )
        .at("never used")
        .label(
            mail.map_or_else(|| super::super::graph::head(step), |place| place.span),
            match (mail, names.is_empty()) {
                (Some(_), _) => "only puts the mail into the outbox; that it leaves is seen to by itself".to_string(),
                (None, true) => "fails with nothing".to_string(),
                (None, false) => format!("may fail with {}", names.join(", ")),
            },
        );
        return Some(
            finding.help("remove `retry`; for what passes by itself, declare a `transient error` and fail with it"),
        );
    };
    let why = format!("may fail with `{}`, and then the step is tried again", book.error_name(*error));
    if let Some(place) = deeds.of(Deed::Once) {
        let mut finding = Finding::new(
            &catalogue::effect::RETRY_REPEATS,
            place.span,
            format!("each try of the step `{}` does this again", step.name),
        )
        .at("acts outside at once, and is not taken back when the try fails")
        .label(retry.times.span, "tried again here");
        if *failing != place.span {
            finding = finding.label(*failing, why);
        }
        if let Some(inner) = place.inner {
            finding = finding.label(inner, "done here");
        }
        return Some(finding.help("give it a step of its own without `retry`, behind the one that is tried again"));
    }
    let place = deeds.of(Deed::Mail).filter(|place| place.span != *failing)?;
    let mut finding = Finding::new(
        &catalogue::effect::RETRY_MAIL,
        place.span,
        format!("this mail hangs on the tries of the step `{}`", step.name),
    )
    .at("written again in each try")
    .label(*failing, why)
    .note("the mail of a try that fails is taken back, so it leaves once at most; when no try succeeds, nobody is written to");
    if let Some(inner) = place.inner {
        finding = finding.label(inner, "sent here");
    }
    Some(finding.help("send it in a step of its own: then it does not depend on what is tried again"))
}

fn unclear(step: &Step) -> bool {
    let mut unclear = false;
    let mut look = |expr: &Expr| expr.walk(&mut |inner| unclear |= inner.ty.has_unknown());
    match &step.body {
        StepBody::Value(value) => look(value),
        StepBody::Block(statements) => super::deeds::each_expression(statements, &mut look),
    }
    unclear
}

/// The worst case of a flow: how often its steps are tried, and how long they take.
#[derive(Debug, Clone, Copy, Default)]
struct Worst {
    /// The most tries of one step, with those of the flows that it runs.
    tries: i64,
    /// Where that step says `retry`; none when none does.
    place: Option<Span>,
    /// The longest that the pauses of one of its steps add up to.
    pauses: i64,
    /// The most often that one mail is written.
    mails: i64,
}

struct Inner<'p> {
    program: &'p Program,
    book: &'p Deedbook<'p>,
    known: HashMap<FlowId, Option<Worst>>,
}

impl Inner<'_> {
    /// The worst case of a flow whose transient failures reach who runs it.
    fn worst(&mut self, id: FlowId) -> Worst {
        match self.known.get(&id) {
            Some(Some(worst)) => return *worst,
            // A circle of flows; that is told elsewhere.
            Some(None) => return Worst { tries: 1, ..Worst::default() },
            None => {}
        }
        self.known.insert(id, None);
        let mut worst = Worst { tries: 1, place: None, pauses: 0, mails: 0 };
        for step in self.program.flows.get(id.index()).map_or(&[][..], |flow| &flow.steps) {
            let own = step.retry.as_ref().map_or((1, 0), |retry| (tries(retry), pauses(retry)));
            let child = run_of(step).map(|(child, _)| self.worst(child));
            let inside = child.unwrap_or(Worst { tries: 1, ..Worst::default() });
            let passes = step.timeout.is_some()
                || self.book.failures(step).iter().any(|(error, _)| self.book.is_transient(*error));
            worst.mails = worst.mails.max(match child {
                Some(child) => child.mails.saturating_mul(own.0),
                None => i64::from(self.book.of_step(step).of(Deed::Mail).is_some()),
            });
            let all = own.0.saturating_mul(inside.tries);
            if passes && all > worst.tries {
                worst.tries = all;
                worst.place = step.retry.as_ref().map(|retry| retry.times.span).or(inside.place);
                worst.pauses = own.1.saturating_add(own.0.saturating_mul(inside.pauses));
            }
        }
        self.known.insert(id, Some(worst));
        worst
    }

    /// A retry around `run flow(…)`.
    fn around_run(&mut self, step: &Step, retry: &Retry, child: FlowId, run: Span) -> Vec<Finding> {
        let mut findings = Vec::new();
        let Some(flow) = self.program.flows.get(child.index()) else { return findings };
        let transient: Vec<_> = flow.fails.iter().filter(|error| self.book.is_transient(**error)).collect();
        let times_out = flow.steps.iter().any(|step| step.timeout.is_some()) || flow.deadline.is_some();
        if transient.is_empty() && !times_out {
            findings.push(
                Finding::new(
                    &catalogue::effect::RETRY_IDLE,
                    retry.times.span,
                    format!("running `{}` again can't help: it never fails for a reason that passes", flow.name),
                )
                .at("never used")
                .label(run, "fails with nothing transient")
                .help("remove `retry`; for what passes by itself, declare a `transient error` and fail with it"),
            );
            return findings;
        }
        let inside = self.worst(child);
        if let Some(place) = inside.place {
            findings.push(product(step, retry, &flow.name, inside, place));
        }
        if flow.key.is_none() {
            findings.extend(self.repeats(step, retry, flow, run));
        }
        findings
    }

    /// A flow without a key is another run each time, and what its steps committed stays.
    fn repeats(&mut self, step: &Step, retry: &Retry, flow: &Flow, run: Span) -> Option<Finding> {
        let name = &flow.name;
        let (at, place, what) = flow.steps.iter().enumerate().find_map(|(at, inner)| {
            let deeds = self.book.of_step(inner);
            let mail = deeds.of(Deed::Mail).map(|place| (place, "sends this mail again"));
            let once = deeds.of(Deed::Once).map(|place| (place, "does this again"));
            // Another run calls under another key.
            let call = deeds.of(Deed::Call).map(|place| (place, "calls this again, as another run"));
            let store =
                deeds.of(Deed::Store).filter(|_| inner.undo.is_none()).map(|place| (place, "writes this again"));
            mail.or(once).or(call).or(store).map(|(place, what)| (at, place, what))
        })?;
        // Only what comes before something that may fail is repeated.
        let failing = flow.steps.iter().skip(at + 1).find_map(|later| {
            let failures = self.book.failures(later);
            let transient = failures.into_iter().find(|(error, _)| self.book.is_transient(*error));
            transient
                .map(|(error, span)| (span, format!("may then fail with `{}`", self.book.error_name(error))))
                .or_else(|| later.timeout.as_ref().map(|limit| (limit.span, "may then take too long".to_string())))
        })?;
        let mut finding = Finding::new(
            &catalogue::effect::RETRY_REPEATS,
            run,
            format!("each try of the step `{}` runs `{name}` from its beginning, and {what}", step.name),
        )
        .at("another run each time: it has no `key`")
        .label(retry.times.span, "tried again here")
        .label(place.span, "done, and not undone, by then")
        .label(failing.0, failing.1);
        if let Some(inner) = place.inner {
            finding = finding.label(inner, "done here");
        }
        finding.note = Some(
            "a finished step is on disk, and its mail has left; a run that fails takes back only what has an `undo`"
                .into(),
        );
        Some(finding.help(format!("write `retry` at the step of `{name}` that may fail, or give `{name}` a `key`")))
    }
}

fn product(step: &Step, retry: &Retry, flow: &str, inside: Worst, place: Span) -> Finding {
    let outer = tries(retry);
    let all = outer.saturating_mul(inside.tries);
    let wait = pauses(retry).saturating_add(outer.saturating_mul(inside.pauses));
    let mails = outer.saturating_mul(inside.mails);
    let mut finding = Finding::new(
        &catalogue::effect::RETRY_PRODUCT,
        retry.times.span,
        format!("retries multiply: at worst {all} tries, with pauses of {} in all", words(wait)),
    )
    .at(format!("the step `{}` is tried up to {outer} times", step.name))
    .label(place, format!("and inside of `{flow}` up to {} times each time", inside.tries));
    if mails > 1 {
        finding = finding.note(format!("a mail of `{flow}` may be written {mails} times"));
    }
    if all < MOST_TRIES {
        finding.severity = Severity::Warning;
    }
    finding.help("try again in one place only: at the step that talks to what may be unavailable")
}

/// How often a step is tried at most; a number that is not written down counts as three.
fn tries(retry: &Retry) -> i64 {
    match &retry.times.kind {
        ExprKind::Value(Value::Int(times)) => times.saturating_add(1).max(1),
        _ => 4,
    }
}

/// How long the pauses of a step are together at most, in milliseconds.
fn pauses(retry: &Retry) -> i64 {
    let length = |expr: &Option<Expr>, default: i64| match expr.as_ref().map(|expr| &expr.kind) {
        Some(ExprKind::Value(Value::Duration(length))) => length.milliseconds().max(0),
        _ => default,
    };
    let (first, ceiling) = (length(&retry.from, 1000), length(&retry.up_to, Duration::HOUR));
    let count = tries(retry) - 1;
    let mut pause = first.min(ceiling);
    let mut sum = 0_i64;
    for done in 0..count {
        if pause >= ceiling || !retry.doubling {
            return sum.saturating_add(pause.saturating_mul(count - done));
        }
        sum = sum.saturating_add(pause);
        pause = pause.saturating_mul(2).min(ceiling);
    }
    sum
}

fn words(milliseconds: i64) -> String {
    let (unit, word) = match milliseconds {
        0..1_000 => (1, "millisecond"),
        1_000..120_000 => (1_000, "second"),
        120_000..7_200_000 => (60_000, "minute"),
        7_200_000..172_800_000 => (3_600_000, "hour"),
        _ => (86_400_000, "day"),
    };
    let count = milliseconds / unit;
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
