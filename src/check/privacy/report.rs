//! What is said of data that leaves: the way step by step, and what to do.

use super::cause::Causes;
use super::sink::{Leak, Sink};
use super::solve::{Analysis, Found};
use super::taint::{Origin, Step, What};
use crate::check::boundaries::Allowance;
use crate::finding::{Finding, catalogue::privacy};
use std::collections::HashSet;

/// How many places of one finding are shown at most, those included at which a secret that is kept is kept again.
const MOST_LABELS: usize = 8;

/// The most steps of a way that are shown; in longer ones the middle is left out.
const MOST_STEPS: usize = 6;

impl Analysis<'_> {
    /// What was found, and which entries of `[privacy]` were needed.
    pub fn findings(&mut self) -> (Vec<Finding>, Vec<Allowance>) {
        self.collect();
        let found = std::mem::take(&mut self.found);
        let mut seen = HashSet::new();
        let mut findings = Vec::new();
        let causes = Causes::of(self, &found);
        for (_, one) in found.iter().enumerate().filter(|(number, _)| !causes.follows(*number)) {
            let mut finding = self.finding(one);
            if one.leak.sink == Sink::Journal && one.leak.origin == Origin::Secret {
                for after in causes.following(one.leak.span).filter_map(|after| found.get(after)) {
                    let place = after.leak.span;
                    let is_new = finding.labels.iter().all(|label| label.span != place);
                    if is_new && finding.labels.len() < MOST_LABELS {
                        finding = finding.label(place, "from there it comes here, and is kept again");
                    }
                }
            }
            // Where personal data leaves, what was decided by it is not said besides.
            if seen.insert((finding.code.id, finding.span())) {
                findings.push(finding);
            }
        }
        let personal: HashSet<_> = findings
            .iter()
            .filter(|finding| finding.code.id == privacy::PII_LEAVES.id)
            .filter_map(Finding::span)
            .collect();
        findings.retain(|finding| {
            finding.code.id != privacy::IMPLICIT.id || finding.span().is_none_or(|span| !personal.contains(&span))
        });
        (findings, self.allowances.iter().cloned().collect())
    }

    fn finding(&self, found: &Found) -> Finding {
        let Leak { origin, sink, span, way, .. } = &found.leak;
        let steps = self.ways.way(*way);
        let is_own = self.program.sources.get(span.source).is_some_and(|source| !source.is_library);
        let main = if is_own { *span } else { found.here };
        let what = match steps.first().map(|step| &step.what) {
            Some(What::Declared(name, _)) => format!("`{name}`"),
            _ => "a value".to_string(),
        };
        let is_decided = steps.iter().any(|step| step.what == What::Decides);
        let (code, message) = match origin {
            Origin::Secret if is_decided => (
                &privacy::SECRET_LEAVES,
                format!("{what} is secret, and what hangs on it reaches {}", sink.end_of_sentence()),
            ),
            Origin::Secret => {
                (&privacy::SECRET_LEAVES, format!("{what} is secret and reaches {}", sink.end_of_sentence()))
            }
            Origin::Implied => (
                &privacy::IMPLICIT,
                format!("what is decided by {what} tells of it, and reaches {}", sink.end_of_sentence()),
            ),
            _ => (&privacy::PII_LEAVES, format!("{what} is personal data and reaches {}", sink.end_of_sentence())),
        };
        let mut finding = Finding::new(code, main, message);
        let shown = shown(&steps, main);
        let number = |at: usize| if shown.len() > 1 { format!("{at}. ") } else { String::new() };
        finding = finding.at(format!("{}{}", number(shown.len() + 1), sink.words()));
        for (at, step) in shown.iter().enumerate() {
            finding = finding.label(step.span, format!("{}{}", number(at + 1), step.what.words()));
        }
        if is_decided && *origin == Origin::Secret {
            return finding.help(
                "do the same whichever way is taken, or end the run where the secret does not fit: `fail` and `stop` tell nothing of it",
            );
        }
        finding.help(help(*origin, sink))
    }
}

/// The steps that are worth a label: not those at the main place, not two at one place, the middle of long ways left
/// out.
fn shown<'s>(steps: &[&'s Step], main: crate::text::Span) -> Vec<&'s Step> {
    let mut shown: Vec<&Step> = Vec::new();
    for step in steps {
        let is_end = step.span == main;
        // At one place the last says most: not that it is read, but what is done with it.
        if shown.last().is_some_and(|last| last.span == step.span) {
            shown.pop();
        }
        if !is_end {
            shown.push(step);
        }
    }
    if shown.len() > MOST_STEPS {
        shown.drain(2..shown.len() - (MOST_STEPS - 2));
    }
    shown
}

fn help(origin: Origin, sink: &Sink) -> String {
    if origin == Origin::Secret {
        return match sink {
            Sink::Journal => {
                "read a secret inside of the step or task that needs it, and give it to nothing else".into()
            }
            Sink::Store(field) => format!("declare `{field}` as `secret`, or keep the secret out of the store"),
            Sink::Url(_) => "give it in a header: `headers: {\"Authorization\": http.bearer(secret(\"…\"))}`".into(),
            _ => "leave it out; a secret's `.last4` may be shown".into(),
        };
    }
    let first = match sink {
        Sink::Log => "name the record by its key, or show the value's `.mask`",
        Sink::File(_) => "leave the field out, or write its `.mask`",
        Sink::Mail(_) => "write to the person's own address, declared `pii text`, or leave it out",
        Sink::Call(_) => "leave it out, or send its `.mask`",
        Sink::Url(_) => "name the record by its key",
        Sink::Failure(_) => "name the record by its key, or declare the field of the error as `pii`",
        Sink::Question(_) => "name the record by its key, so that who may see it looks it up",
        Sink::Key => "use a key that names the record without saying who it is",
        Sink::Subject | Sink::Journal | Sink::Store(_) => "leave it out",
    };
    match sink.allowance() {
        Some(allowance) => {
            format!("{first}; where it must be, `allow = [\"{allowance}\"]` in `[privacy]` of rpa.toml says so")
        }
        None => first.into(),
    }
}
