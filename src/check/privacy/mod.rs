//! Where personal data and secrets go: followed from what declares them `pii` or `secret` through expressions, fields,
//! calls, tables and templates to every place where data leaves, with the way that leads there.
//!
//! Each body is looked at once with its parameters as unknowns; what it gives, stores and lets leave is its summary,
//! by which the bodies that call it are looked at ([`solve`]). Fields are one for the whole program: what is once put
//! into a field is in it wherever the field is read. Both grow until nothing changes; that takes time in proportion to
//! the size of the program, since a body is looked at again only for something new in what it calls or reads.
//!
//! Followed is where *data* goes: a condition that looks at personal data tells nothing but yes or no and ends the way,
//! as counts, sums and the releases `mask` and `last4` do. The outcome of a decision table is an exception: where its
//! columns test personal data, it carries what they do; and so do a `match` and a chain of `if`, which are tables in
//! another form ([`choice`]). A yes or no about a secret is as secret as it is.

mod choice;
mod expression;
mod literal;
mod primitive;
mod report;
mod sink;
mod solve;
mod statement;
mod taint;
#[cfg(test)]
mod tests;

use super::Checker;
use super::scope::Global;
use super::written::label_of;
use crate::check::hash::HashMap;
use crate::finding::Finding;
use crate::syntax::tree::{ItemKind, Label, Parameter, TypeExpr};
use crate::text::Span;
use std::collections::BTreeSet;

/// Labels that are written elsewhere than at fields, by the place of what is declared.
pub(crate) type WrittenLabels = HashMap<Span, Label>;

impl Checker<'_> {
    /// Follows personal data and secrets, and reports where they leave.
    pub(crate) fn check_privacy(&mut self) {
        let labels = self.written_labels();
        let boundaries = self.loader.boundaries();
        let mut analysis = solve::Analysis::new(&self.program, &boundaries, &labels);
        analysis.solve();
        let (findings, allowances) = analysis.findings();
        let private = std::mem::take(&mut analysis.private);
        // What a type error says of a place already is not said again.
        let errors: Vec<Span> =
            self.findings.iter().filter(|finding| finding.is_error()).filter_map(Finding::span).collect();
        let is_said = |finding: &Finding| {
            finding.span().is_none_or(|at| {
                errors.iter().any(|error| error.source == at.source && error.start < at.end && at.start < error.end)
            })
        };
        for finding in findings {
            if errors.is_empty() || !is_said(&finding) {
                self.report(finding);
            }
        }
        self.program.private = private;
        self.allowances = allowances.into_iter().collect::<BTreeSet<_>>();
    }

    /// What parameters and results are declared as.
    fn written_labels(&self) -> WrittenLabels {
        let mut labels = self.names.labels.clone();
        let mut add = |span: Span, kind: &TypeExpr| {
            if let Some(label) = label_of(kind) {
                labels.insert(span, label);
            }
        };
        for module in &self.names.modules {
            for (item, global) in module.script.items.iter().zip(&module.globals) {
                let (name, parameters, result): (_, &[Parameter], _) = match (&item.kind, global) {
                    (ItemKind::Callable(of), Some(Global::Callable(_))) => (&of.name, &of.parameters, &of.result),
                    (ItemKind::Flow(of), Some(Global::Flow(_))) => (&of.name, &of.parameters, &of.result),
                    (ItemKind::Rules(of), Some(Global::Table(_))) => {
                        for parameter in &of.parameters {
                            add(parameter.name.span, &parameter.kind);
                        }
                        continue;
                    }
                    _ => continue,
                };
                for parameter in parameters {
                    add(parameter.name.span, &parameter.kind);
                }
                if let Some(result) = result {
                    add(name.span, result);
                }
            }
        }
        labels
    }
}
