//! The journal keeps a secret once, and then again wherever it is handed on from there: that is one mistake. What
//! follows from the first place is told with it.

use super::sink::Sink;
use super::solve::{Analysis, Found};
use super::taint::{Origin, Step, WayId, What};
use crate::check::program::{ExprKind, Program};
use crate::text::Span;
use std::collections::{BTreeMap, HashMap};

/// What is told with the first of several places that keep one secret.
#[derive(Debug, Default)]
pub(super) struct Causes {
    /// For each finding that follows from another, by number, the place of the first of them.
    first: BTreeMap<usize, Span>,
}

impl Causes {
    /// Which of what was found follows from which.
    pub fn of(analysis: &Analysis<'_>, found: &[Found]) -> Causes {
        let kept: Vec<Kept<'_>> =
            found.iter().enumerate().filter_map(|(at, one)| Kept::of(analysis, at, one)).collect();
        if kept.len() < 2 {
            return Causes::default();
        }
        let handed = handed_to_flows(analysis.program);
        // Several secrets may come to one place: it follows from others when all of them do.
        let mut before: HashMap<Span, Option<Span>> = HashMap::new();
        for one in &kept {
            let from = kept.iter().filter(|other| other.place != one.place && other.leads_to(one, &handed));
            // The last place on the way here.
            let from = from.max_by_key(|other| other.steps.len()).map(|other| other.place);
            let known = before.entry(one.place).or_insert(from);
            *known = known.and(from).and(*known);
        }
        let mut first = BTreeMap::new();
        for one in &kept {
            let mut way = vec![one.place];
            let mut at = one.place;
            while let Some(from) = before.get(&at).copied().flatten() {
                if let Some(begin) = way.iter().position(|place| *place == from) {
                    // Flows that run each other hand it around: what comes first in the text is told.
                    let circle = way.get(begin..).unwrap_or_default();
                    at = circle.iter().copied().min_by_key(|place| (place.source, place.start)).unwrap_or(from);
                    break;
                }
                way.push(from);
                at = from;
            }
            if at != one.place {
                first.insert(one.number, at);
            }
        }
        Causes { first }
    }

    /// Whether a finding follows from another.
    pub fn follows(&self, number: usize) -> bool {
        self.first.contains_key(&number)
    }

    /// The findings that follow from that at a place, in the order in which they were made.
    pub fn following(&self, place: Span) -> impl Iterator<Item = usize> {
        self.first.iter().filter(move |(_, first)| **first == place).map(|(follows, _)| *follows)
    }
}

/// A place where the journal keeps a secret.
struct Kept<'a> {
    number: usize,
    place: Span,
    way: WayId,
    steps: Vec<(WayId, &'a Step)>,
}

impl<'a> Kept<'a> {
    fn of(analysis: &'a Analysis<'_>, number: usize, found: &Found) -> Option<Self> {
        let leak = &found.leak;
        let steps = analysis.ways.numbered(leak.way);
        let is_decided = steps.iter().any(|(_, step)| step.what == What::Decides);
        let is_meant = leak.origin == Origin::Secret && leak.sink == Sink::Journal && !is_decided;
        is_meant.then_some(Kept { number, place: leak.span, way: leak.way, steps })
    }

    fn root(&self) -> Option<Span> {
        self.steps.first().map(|(_, step)| step.span)
    }

    /// Whether the secret comes to the other place by way of this one.
    fn leads_to(&self, other: &Kept<'_>, handed: &HashMap<Span, Span>) -> bool {
        // A parameter that is declared so gets it by the argument.
        if handed.get(&self.place).is_some_and(|parameter| *parameter == other.place) {
            return true;
        }
        // The parameter of a flow is kept as soon as a run is begun, before all that is done with it.
        // What the journal keeps right where it comes from, such as the parameter of a flow, is kept before all else.
        if self.root() == Some(self.place) && self.steps.len() == 1 && other.root() == self.root() {
            return true;
        }
        let next = other.steps.iter().position(|(way, _)| *way == self.way).and_then(|at| other.steps.get(at + 1));
        next.is_some_and(|(_, next)| match next.what {
            What::Handed(_) => next.span == self.place,
            // The name of the step stands before its value.
            What::Kept(_) => next.span.source == self.place.source && next.span.end <= self.place.start,
            _ => false,
        })
    }
}

/// The arguments of all runs that flows are begun with, each with the parameter that gets it.
fn handed_to_flows(program: &Program) -> HashMap<Span, Span> {
    let mut handed = HashMap::new();
    for body in program.bodies() {
        body.each_expression(&mut |outer| {
            outer.walk(&mut |expr| {
                if let ExprKind::Run(id, arguments) | ExprKind::Start(id, arguments) = &expr.kind {
                    let parameters = program.flows.get(id.index()).map_or(&[][..], |flow| &flow.parameters);
                    handed.extend(arguments.iter().zip(parameters).map(|(value, of)| (value.span, of.span)));
                }
            });
        });
    }
    handed
}
