//! Jumps that go round: loops that no way leads out of, whose condition nothing in them changes, or that nothing
//! bounds. Loops by `for` end with their list and are left out.

use super::build::{Graph, Role, Way, WayKind};
use crate::check::effects::deeds::each_statement;
use crate::check::hash::{HashMap, HashSet};
use crate::check::program::{Effect, Expr, ExprKind, Flow, HandlerAction, LocalId, StatementKind, StepBody, Wait};
use crate::finding::{Finding, Severity, catalogue};
use crate::text::Span;
use petgraph::algo::tarjan_scc;
use petgraph::graph::{EdgeReference, NodeIndex};
use petgraph::visit::{EdgeFiltered, EdgeRef};

/// A finding for each round that may go on for ever.
pub(super) fn findings(graph: &Graph, flow: &Flow, reached: &HashSet<NodeIndex>) -> Vec<Finding> {
    let jumps: Vec<EdgeReference<'_, Way>> =
        graph.graph.edge_references().filter(|edge| edge.weight().kind == WayKind::Jump).collect();
    if jumps.is_empty() {
        return Vec::new();
    }
    let without_rounds =
        EdgeFiltered::from_fn(&graph.graph, |edge: EdgeReference<'_, Way>| edge.weight().kind != WayKind::Round);
    let mut component = vec![usize::MAX; graph.graph.node_count()];
    let components = tarjan_scc(&without_rounds);
    for (number, nodes) in components.iter().enumerate() {
        for node in nodes {
            component[node.index()] = number;
        }
    }
    let mut back: HashMap<usize, EdgeReference<'_, Way>> = HashMap::default();
    for jump in jumps {
        let (from, to) = (component[jump.source().index()], component[jump.target().index()]);
        if from == to && reached.contains(&jump.source()) {
            back.entry(from).or_insert(jump);
        }
    }
    let mut numbers: Vec<usize> = back.keys().copied().collect();
    numbers.sort_by_key(|number| back.get(number).map(|jump| jump.id()));
    let values = Values::of(flow);
    let mut findings = Vec::new();
    for number in numbers {
        let (Some(jump), Some(nodes)) = (back.get(&number), components.get(number)) else { continue };
        let inside = with_loops_within(graph, nodes);
        let round = Round { graph, flow, values: &values, inside: &inside, jump: *jump };
        findings.extend(round.finding());
    }
    findings
}

/// A round with the bodies of the loops by `for` in it: what comes back to the head of such a loop has not left.
fn with_loops_within(graph: &Graph, nodes: &[NodeIndex]) -> HashSet<NodeIndex> {
    let mut inside: HashSet<NodeIndex> = nodes.iter().copied().collect();
    loop {
        let ways = EdgeFiltered::from_fn(&graph.graph, |edge: EdgeReference<'_, Way>| {
            edge.weight().kind != WayKind::Round || inside.contains(&edge.target())
        });
        let grown = tarjan_scc(&ways).into_iter().find(|nodes| nodes.iter().any(|node| inside.contains(node)));
        let grown: HashSet<NodeIndex> = grown.unwrap_or_default().into_iter().collect();
        if grown.len() <= inside.len() {
            return inside;
        }
        inside = grown;
    }
}

struct Round<'g> {
    graph: &'g Graph,
    flow: &'g Flow,
    values: &'g Values<'g>,
    inside: &'g HashSet<NodeIndex>,
    jump: EdgeReference<'g, Way>,
}

impl Round<'_> {
    fn finding(&self) -> Option<Finding> {
        let place = self.place();
        let exits = self.exits();
        if exits.is_empty() {
            let finding = Finding::new(
                &catalogue::flow::NO_END,
                place,
                format!("no way leads from here to the end of the flow `{}`: it goes round for ever", self.flow.name),
            )
            .at("goes back")
            .label(self.target(), "to here");
            return Some(
                finding.help(
                    "jump only while something holds (`if … { go to … }`), or end with `return`, `fail` or `stop`",
                ),
            );
        }
        let changed = self.changed();
        let frozen: Vec<&Exit> = exits.iter().filter(|exit| !exit.may_change(self, &changed)).collect();
        if frozen.len() == exits.len() {
            let mut finding = Finding::new(
                &catalogue::flow::ENDLESS,
                place,
                "this loop goes round once or for ever: nothing in it changes what it depends on",
            )
            .at("goes back")
            .label(self.target(), "to here");
            for exit in frozen.iter().take(3) {
                let names: Vec<String> = exit.locals.iter().filter_map(|local| self.name(*local)).collect();
                finding = finding.label(
                    exit.span,
                    match names.is_empty() {
                        true => "always says the same".to_string(),
                        false => format!("depends on {}, which stays as it is", names.join(", ")),
                    },
                );
            }
            return Some(
                finding.help("test something that a step in the loop finds out, or count the rounds in a `var`"),
            );
        }
        if self.flow.deadline.is_some()
            || self.is_led_by_a_person()
            || exits.iter().any(|exit| exit.counts(self, &changed))
        {
            return None;
        }
        let mut finding = Finding::new(&catalogue::flow::ENDLESS, place, "nothing bounds this loop")
            .at("goes back")
            .label(self.target(), "to here")
            .note("while what it waits for does not come, it goes round for ever")
            .help("count the rounds in a `var` and end at a limit, or give the flow a `deadline`");
        finding.severity = Severity::Warning;
        if let Some(exit) = exits.iter().find(|exit| exit.may_change(self, &changed)) {
            finding = finding.label(exit.span, "leaves it only when this is so");
        }
        Some(finding)
    }

    /// Where the jump stands.
    fn place(&self) -> Span {
        let why = self.jump.weight().why.as_ref().map(|(span, _)| *span);
        why.or_else(|| self.graph.graph.node_weight(self.jump.source()).map(|node| node.span)).unwrap_or_default()
    }

    /// The name of the step that it goes back to.
    fn target(&self) -> Span {
        match self.graph.graph.node_weight(self.jump.target()) {
            Some(node) => match node.role {
                Role::Attempt(id) => {
                    self.flow.steps.get(id.index()).map_or(node.span, |step| head(step.span, &step.name))
                }
                _ => node.span,
            },
            None => Span::default(),
        }
    }

    fn name(&self, local: LocalId) -> Option<String> {
        self.flow.locals.get(local.index()).map(|local| format!("`{}`", local.name))
    }

    /// The places from which some way leaves the round.
    fn exits(&self) -> Vec<Exit> {
        let mut nodes: Vec<NodeIndex> = self.inside.iter().copied().collect();
        nodes.sort();
        let mut exits = Vec::new();
        for node in nodes {
            let leaves = self.graph.graph.edges(node).any(|edge| !self.inside.contains(&edge.target()));
            let Some(of) = self.graph.graph.node_weight(node).filter(|_| leaves) else { continue };
            exits.push(Exit {
                span: of.uses.first().map_or(of.span, |(_, span)| *span),
                locals: of.uses.iter().map(|(local, _)| *local).collect(),
                is_condition: matches!(of.role, Role::Branch | Role::Loop),
            });
        }
        exits
    }

    /// The locals that the round sets.
    fn changed(&self) -> HashSet<LocalId> {
        let nodes = self.inside.iter().filter_map(|node| self.graph.graph.node_weight(*node));
        nodes.flat_map(|node| node.sets.iter().copied()).collect()
    }

    /// Whether somebody is asked, or waited for, in each round.
    fn is_led_by_a_person(&self) -> bool {
        self.inside.iter().filter_map(|node| self.graph.graph.node_weight(*node)).any(|node| match node.role {
            Role::Attempt(id) => self.flow.steps.get(id.index()).is_some_and(|step| {
                matches!(&step.body, StepBody::Value(Expr { kind: ExprKind::Wait(wait), .. })
                    if matches!(**wait, Wait::Ask { .. } | Wait::For { .. }))
            }),
            _ => false,
        })
    }
}

/// A place from which some way leaves a round.
struct Exit {
    span: Span,
    locals: Vec<LocalId>,
    /// Whether a condition says when; a step's failure may always come.
    is_condition: bool,
}

impl Exit {
    fn may_change(&self, round: &Round<'_>, changed: &HashSet<LocalId>) -> bool {
        !self.is_condition
            || self.locals.iter().any(|local| round.values.may_change(*local, changed, &mut HashSet::default()))
    }

    /// Whether it depends on a `var` that the round counts in.
    fn counts(&self, round: &Round<'_>, changed: &HashSet<LocalId>) -> bool {
        self.is_condition
            && self.locals.iter().any(|local| round.values.counts(*local, changed, &mut HashSet::default()))
    }
}

/// What sets each local of a flow.
struct Values<'f> {
    set: HashMap<LocalId, Vec<&'f Expr>>,
    /// The locals of steps that do more than compute, of loops and handlers: they may be another value each time.
    found_out: HashSet<LocalId>,
}

impl<'f> Values<'f> {
    fn of(flow: &'f Flow) -> Self {
        let mut values = Values { set: HashMap::default(), found_out: HashSet::default() };
        values.look(&flow.body);
        for step in &flow.steps {
            match (&step.body, step.local) {
                (StepBody::Value(value), Some(local)) if step.effect == Effect::Pure => {
                    values.set.entry(local).or_default().push(value);
                }
                (_, Some(local)) => {
                    values.found_out.insert(local);
                }
                _ => {}
            }
            for handler in &step.handlers {
                if let HandlerAction::Block { binding, body } = &handler.action {
                    values.found_out.extend(*binding);
                    values.look(body);
                }
            }
        }
        values
    }

    fn look(&mut self, statements: &'f [crate::check::program::Statement]) {
        each_statement(statements, &mut |statement| match &statement.kind {
            StatementKind::Set { local, value } => self.set.entry(*local).or_default().push(value),
            StatementKind::For(each) => {
                self.found_out.insert(each.local);
                self.found_out.extend(each.second);
            }
            _ => {}
        });
    }

    /// Whether a local may have another value in the next round.
    fn may_change(&self, local: LocalId, changed: &HashSet<LocalId>, seen: &mut HashSet<LocalId>) -> bool {
        if !changed.contains(&local) {
            return false;
        }
        if self.found_out.contains(&local) || !seen.insert(local) {
            return true;
        }
        match self.set.get(&local).map(Vec::as_slice) {
            Some([only]) => mentions(only).into_iter().any(|local| self.may_change(local, changed, seen)),
            _ => true,
        }
    }

    /// Whether a local goes up or down from round to round.
    fn counts(&self, local: LocalId, changed: &HashSet<LocalId>, seen: &mut HashSet<LocalId>) -> bool {
        if !changed.contains(&local) || !seen.insert(local) {
            return false;
        }
        let all = self.set.get(&local).map_or(&[][..], Vec::as_slice);
        all.iter().any(|value| {
            let mentions = mentions(value);
            mentions.contains(&local) || mentions.into_iter().any(|other| self.counts(other, changed, seen))
        })
    }
}

fn mentions(expr: &Expr) -> Vec<LocalId> {
    let mut found = Vec::new();
    expr.walk(&mut |inner| {
        if let ExprKind::Local(local) = inner.kind {
            found.push(local);
        }
    });
    found
}

/// The beginning of a step, up to its name: `step name`.
pub(super) fn head(span: Span, name: &str) -> Span {
    let length = u32::try_from("step ".len() + name.len()).unwrap_or(u32::MAX);
    Span { end: span.start.saturating_add(length).min(span.end), ..span }
}
