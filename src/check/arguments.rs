//! Which argument belongs to which parameter.

use super::Checker;
use super::scope::nearest;
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::{self, Argument};
use crate::text::Span;

/// A parameter or field that an argument can be for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot<'s> {
    pub name: &'s str,
    pub span: Option<Span>,
    pub required: bool,
}

/// What is called, for findings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Called<'c> {
    /// Its name: `inventory.reserve`.
    pub name: &'c str,
    /// `argument` or `field`.
    pub what: &'static str,
    /// Whether every argument must have its name.
    pub named_only: bool,
    /// The callee and its arguments.
    pub span: Span,
}

impl Checker<'_> {
    /// Gives each slot its argument; reports what is missing, unknown, doubled or too much.
    pub(crate) fn arrange<'a>(
        &mut self,
        called: Called<'_>,
        slots: &[Slot<'_>],
        arguments: &'a [Argument],
    ) -> Vec<Option<&'a tree::Expr>> {
        let Called { name: callee, what, .. } = called;
        let mut values: Vec<Option<&'a tree::Expr>> = vec![None; slots.len()];
        let mut places: Vec<Option<Span>> = vec![None; slots.len()];
        let mut next = 0;
        let mut has_wrong = false;
        let mut strays = Vec::new();
        for argument in arguments {
            let index = match &argument.name {
                Some(name) => match slots.iter().position(|slot| slot.name == name.text) {
                    Some(index) => index,
                    None => {
                        has_wrong = true;
                        strays.push(&argument.value);
                        self.unknown_argument(called, slots, name, &places);
                        continue;
                    }
                },
                None if called.named_only => {
                    has_wrong = true;
                    strays.push(&argument.value);
                    let free = slots.iter().zip(&places).find(|(slot, place)| place.is_none() && slot.required);
                    let example = free.map_or("name", |(slot, _)| slot.name);
                    let finding = Finding::new(
                        &catalogue::types::UNKNOWN_ARGUMENT,
                        argument.value.span,
                        format!("the {what}s of `{callee}` are given by name"),
                    )
                    .at("has no name")
                    .help(format!("write `{example}: …`"));
                    self.report(finding);
                    continue;
                }
                None => {
                    while places.get(next).is_some_and(Option::is_some) {
                        next += 1;
                    }
                    if next >= slots.len() {
                        has_wrong = true;
                        strays.push(&argument.value);
                        let takes = match slots.len() {
                            0 => format!("`{callee}` takes no {what}s"),
                            1 => format!("`{callee}` takes one {what}, `{}`", slots[0].name),
                            count => format!("`{callee}` takes {count} {what}s: {}", names_of(slots)),
                        };
                        let finding = Finding::new(&catalogue::types::UNKNOWN_ARGUMENT, argument.value.span, takes)
                            .at("one too many")
                            .help("remove it");
                        self.report(finding);
                        continue;
                    }
                    next
                }
            };
            let place = argument.name.as_ref().map_or(argument.value.span, |name| name.span);
            if let Some(before) = places[index] {
                has_wrong = true;
                strays.push(&argument.value);
                let finding = Finding::new(
                    &catalogue::types::DOUBLED_ARGUMENT,
                    place,
                    format!("`{}` of `{callee}` is given twice", slots[index].name),
                )
                .at("given again")
                .label(before, "given here first")
                .help("remove one of the two");
                self.report(finding);
                continue;
            }
            places[index] = Some(place);
            values[index] = Some(&argument.value);
        }
        // Arguments that have no place still use names.
        for stray in strays {
            if !matches!(stray.kind, tree::ExprKind::Lambda { .. }) && !mentions_it(stray) {
                self.expression(stray, None);
            }
        }
        let missing: Vec<&Slot<'_>> = slots
            .iter()
            .zip(&values)
            .filter(|(slot, value)| slot.required && value.is_none())
            .map(|(s, _)| s)
            .collect();
        if !missing.is_empty() && !has_wrong {
            let list = missing.iter().map(|slot| format!("`{}`", slot.name)).collect::<Vec<_>>().join(", ");
            let message = match missing.len() {
                1 => format!("`{callee}` needs the {what} {list}"),
                _ => format!("`{callee}` needs the {what}s {list}"),
            };
            let mut finding = Finding::new(&catalogue::types::MISSING_ARGUMENT, called.span, message)
                .at(if missing.len() == 1 { "not given here" } else { "not given here, all of them" })
                .help(format!(
                    "add {}",
                    missing.iter().map(|s| format!("`{}: …`", s.name)).collect::<Vec<_>>().join(", ")
                ));
            for slot in missing.iter().take(3) {
                if let Some(span) = slot.span {
                    finding = finding.label(span, "declared here, without a default");
                }
            }
            self.report(finding);
        }
        values
    }

    fn unknown_argument(&mut self, called: Called<'_>, slots: &[Slot<'_>], name: &tree::Name, places: &[Option<Span>]) {
        let Called { name: callee, what, .. } = called;
        let free = slots.iter().zip(places).filter(|(_, place)| place.is_none()).map(|(slot, _)| slot.name);
        let near = nearest(&name.text, free).or_else(|| nearest(&name.text, slots.iter().map(|slot| slot.name)));
        let mut finding = Finding::new(
            &catalogue::types::UNKNOWN_ARGUMENT,
            name.span,
            format!("`{callee}` has no {what} `{}`", name.text),
        )
        .at("not known to it");
        finding = match near {
            Some(near) => near.asked(finding, name.span),
            None if slots.is_empty() => finding.help(format!("`{callee}` takes no {what}s")),
            None => finding.help(format!("it has {}", names_of(slots))),
        };
        self.report(finding);
    }
}

fn names_of(slots: &[Slot<'_>]) -> String {
    slots.iter().map(|slot| format!("`{}`", slot.name)).collect::<Vec<_>>().join(", ")
}

/// Whether an expression speaks of an `it` from outside of itself.
fn mentions_it(expr: &tree::Expr) -> bool {
    use tree::ExprKind as E;
    match &expr.kind {
        E::It => true,
        E::Field { target, .. } => mentions_it(target),
        E::Call { callee, arguments } => mentions_it(callee) || arguments.iter().any(|a| mentions_it(&a.value)),
        E::Unary { operand, .. } => mentions_it(operand),
        E::Binary { left, right, .. } => mentions_it(left) || mentions_it(right),
        E::Is { value, .. } => mentions_it(value),
        E::Index { target, index } => mentions_it(target) || mentions_it(index),
        E::Conditional { condition, then, otherwise } => {
            mentions_it(condition) || mentions_it(then) || mentions_it(otherwise)
        }
        _ => false,
    }
}
