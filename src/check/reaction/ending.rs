//! Proves that rules come to an end, or shows the loop.
//!
//! Without a cycle in the triggering graph every cascade ends. A rule on a cycle fires only so often, too, when each
//! firing moves a field of its record towards a bound, and no rule that might fire for ever moves it back or makes
//! new records: it is taken out, and the rest is looked at again. What is left on a cycle then may never end.

use super::graph::{Edge, Graph, Movement, Rule};
use super::guard::{Formula, Region, formula};
use super::site::{Assigned, Deed, Site, Target, plus};
use crate::check::program::{LocalId, Type};
use crate::check::proof::dimension::{Atom, Dimension};
use crate::check::proof::report::Names;
use crate::finding::{Finding, Severity, catalogue};
use crate::text::with_article;
use crate::value::{Value, display};
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How many firings of a possible loop are tried out.
const TRIED: usize = 24;

/// With how many records that is begun.
const STARTS: usize = 64;

/// The loops that nothing ends.
pub(super) fn findings(graph: &Graph) -> Vec<Finding> {
    let mut left: BTreeSet<usize> = (0..graph.rules.len()).collect();
    loop {
        let loops = loops(graph, &left);
        if loops.is_empty() {
            return Vec::new();
        }
        let endless = reached_from(graph, &left, &loops);
        let bounded: Vec<usize> = endless.iter().copied().filter(|rule| is_bounded(graph, *rule, &endless)).collect();
        let Some(rule) = bounded.first() else {
            return loops.iter().filter_map(|members| Some(finding(graph, &cycle(graph, members)?))).collect();
        };
        left.remove(rule);
    }
}

/// The strongly connected parts with a cycle.
fn loops(graph: &Graph, left: &BTreeSet<usize>) -> Vec<BTreeSet<usize>> {
    let mut triggers: DiGraph<(), ()> = DiGraph::new();
    for _ in &graph.rules {
        triggers.add_node(());
    }
    let edges = graph.edges.iter().filter(|edge| left.contains(&edge.from) && left.contains(&edge.to));
    for edge in edges.clone() {
        triggers.update_edge(NodeIndex::new(edge.from), NodeIndex::new(edge.to), ());
    }
    let is_loop = |members: &Vec<NodeIndex>| {
        members.len() > 1 || members.iter().any(|node| triggers.find_edge(*node, *node).is_some())
    };
    let mut loops: Vec<BTreeSet<usize>> = tarjan_scc(&triggers)
        .into_iter()
        .filter(is_loop)
        .map(|members| members.into_iter().map(NodeIndex::index).collect())
        .collect();
    loops.sort();
    loops
}

/// The rules that would fire for ever if the loops did: those in them and those that they set off.
fn reached_from(graph: &Graph, left: &BTreeSet<usize>, loops: &[BTreeSet<usize>]) -> BTreeSet<usize> {
    let mut reached: BTreeSet<usize> = loops.iter().flatten().copied().collect();
    let mut work: Vec<usize> = reached.iter().copied().collect();
    while let Some(rule) = work.pop() {
        for edge in graph.edges_from(rule).filter(|edge| left.contains(&edge.to)) {
            if reached.insert(edge.to) {
                work.push(edge.to);
            }
        }
    }
    reached
}

/// Whether a rule fires only so often, if only some rules fire for ever.
fn is_bounded(graph: &Graph, at: usize, endless: &BTreeSet<usize>) -> bool {
    let Some(rule) = graph.rules.get(at) else { return false };
    let entity = rule.reaction.entity;
    let others = || endless.iter().filter_map(|other| graph.rules.get(*other));
    let makes = |rule: &Rule| rule.doings.sites.iter().any(|site| site.entity == entity && site.deed == Deed::Create);
    if others().any(makes) {
        return false;
    }
    let own = rule.doings.sites.iter().filter(|site| site.target == Target::Own && site.is_certain);
    own.clone().any(|site| site.deed == Deed::Delete)
        || own.filter(|site| site.deed == Deed::Update).any(|site| {
            site.assignments.iter().any(|assignment| {
                let field = assignment.field;
                let moves = graph.movement(rule, site, field);
                let all = |goes: fn(&Movement) -> bool| {
                    others().all(|other| {
                        let writes = other.doings.sites.iter().filter(|site| site.entity == entity);
                        let mut updates = writes.filter(|site| site.deed == Deed::Update);
                        updates.all(|site| goes(&graph.movement(other, site, field)))
                    })
                };
                moves.strictly_up && all(|movement| movement.up)
                    || moves.strictly_down && all(|movement| movement.down)
                    || moves.fills && all(|movement| movement.filling)
            })
        })
}

/// A shortest way round in a loop.
fn cycle<'g>(graph: &'g Graph, members: &BTreeSet<usize>) -> Option<Vec<&'g Edge>> {
    let mut best: Option<Vec<&Edge>> = None;
    for start in members {
        let mut came: BTreeMap<usize, &Edge> = BTreeMap::new();
        let mut queue = VecDeque::from([*start]);
        while let Some(rule) = queue.pop_front() {
            for edge in graph.edges_from(rule).filter(|edge| members.contains(&edge.to)) {
                if let std::collections::btree_map::Entry::Vacant(place) = came.entry(edge.to) {
                    place.insert(edge);
                    queue.push_back(edge.to);
                }
            }
        }
        let Some(mut edge) = came.get(start).copied() else { continue };
        let mut way = vec![edge];
        while edge.from != *start && way.len() <= members.len() {
            edge = came.get(&edge.from)?;
            way.push(edge);
        }
        way.reverse();
        if best.as_ref().is_none_or(|best| way.len() < best.len()) {
            best = Some(way);
        }
    }
    best
}

fn finding(graph: &Graph, way: &[&Edge]) -> Finding {
    let rule = |at: usize| graph.rules.get(at).map(|rule| rule.reaction);
    let name = |at: usize| rule(at).map_or("?", |reaction| reaction.name.as_str());
    let first = way.first().map_or(0, |edge| edge.from);
    let run = example(graph, way);
    let may = if run.is_some() { "" } else { "may " };
    let message = match way {
        [_] => {
            let sets = if run.is_some() { "sets" } else { "set" };
            format!("the rule `{}` {may}{sets} itself off without an end", name(first))
        }
        _ => {
            let names: Vec<String> = way.iter().map(|edge| format!("`{}`", name(edge.from))).collect();
            let (last, before) = names
                .split_last()
                .map_or((String::new(), String::new()), |(last, before)| (last.clone(), before.join(", ")));
            format!("the rules {before} and {last} {may}set each other off without an end")
        }
    };
    let span = rule(first).map(|reaction| reaction.span).unwrap_or_default();
    let mut finding = Finding::new(&catalogue::reaction::ENDLESS, span, message).at("fires, and fires again");
    for edge in way {
        let Some(site) = graph.rules.get(edge.from).and_then(|rule| rule.doings.sites.get(edge.site)) else { continue };
        let entity = graph.program.records.get(site.entity.0 as usize);
        let entity_name = entity.map_or("?", |entity| entity.name.as_str());
        let fields: Vec<String> = edge
            .fields
            .iter()
            .filter_map(|field| entity?.fields.get(*field))
            .map(|field| format!("`{}`", field.name))
            .collect();
        let what = match site.deed {
            Deed::Update => format!("sets {} of {entity_name}", fields.join(" and ")),
            Deed::Create => format!("makes a new {entity_name}"),
            Deed::Delete => format!("deletes {}", with_article(entity_name)),
        };
        let itself = if edge.to == edge.from { " again".to_string() } else { String::new() };
        finding = finding.label(site.span, format!("{what}, which sets off `{}`{itself}", name(edge.to)));
    }
    for edge in way.iter().skip(1) {
        if let Some(reaction) = rule(edge.from) {
            finding = finding.label(reaction.span, "and so does this one");
        }
    }
    if let Some(run) = run {
        finding = finding.note(run);
    } else {
        if !way.iter().all(|edge| is_sure(graph, edge)) {
            // What hangs on values that are not known before the run may be right.
            finding.severity = Severity::Warning;
        }
        finding = finding.note(
            "every way round was followed: no condition is made false on it, and no field only moves towards a bound",
        );
    }
    finding.help(
        "let one of them make its own condition false, for example by a field that says that it was done: \
         `when … and not p.done { … p.update(done: true) }`",
    )
}

/// Whether a rule on a way round writes known values whenever it fires, and fires on what is known of the record alone.
fn is_sure(graph: &Graph, edge: &Edge) -> bool {
    let Some(rule) = graph.rules.get(edge.from) else { return false };
    let is_known = |site: &Site| {
        let mut carried = site.assignments.iter().filter(|assignment| edge.fields.contains(&assignment.field));
        carried.all(|assignment| !matches!(assignment.value, Assigned::Other))
    };
    let is_certain = rule.doings.sites.get(edge.site).is_some_and(|site| site.is_certain && is_known(site));
    let when = rule.reaction.when.as_ref();
    is_certain && when.is_none_or(|when| exact(graph, rule, &formula(when, true, LocalId(0), graph.program)))
}

/// Tries a loop out with plain values: what happens, when it goes on for long enough.
fn example(graph: &Graph, way: &[&Edge]) -> Option<String> {
    let first = graph.rules.get(way.first()?.from)?;
    let entity = first.reaction.entity;
    let described = graph.program.records.get(entity.0 as usize)?;
    let rules = way.iter().map(|edge| graph.rules.get(edge.from)).collect::<Option<Vec<_>>>()?;
    if rules.iter().any(|rule| rule.reaction.entity != entity || !is_plain(graph, rule)) {
        return None;
    }
    let names = Names(graph.program);
    let shown = |field: usize, value: &Value| {
        let name = described.fields.get(field).map_or("?", |field| field.name.as_str());
        (name.to_string(), display::written(value, &names))
    };
    let starts = first.guard.iter().flat_map(|region| starts(graph, first, region));
    'starts: for start in starts {
        let mut state = start.clone();
        let mut told: Vec<String> = Vec::new();
        let mut spoken: BTreeSet<usize> = BTreeSet::new();
        for turn in 0..TRIED {
            let (edge, rule) = (way.get(turn % way.len())?, rules.get(turn % way.len())?);
            if !holds(graph, rule, &state) {
                continue 'starts;
            }
            let before = state.clone();
            for assignment in
                rule.doings.sites.iter().filter(|site| site.entity == entity).flat_map(|site| &site.assignments)
            {
                let value = match &assignment.value {
                    Assigned::Known(value, _) => value.clone(),
                    Assigned::Same => continue,
                    Assigned::Shift(by) => plus(before.get(&assignment.field)?, by)?,
                    Assigned::Other => return None,
                };
                state.insert(assignment.field, value);
            }
            let changed: Vec<usize> = state
                .iter()
                .filter(|(field, value)| before.get(*field) != Some(value))
                .map(|(field, _)| *field)
                .collect();
            let next = graph.rules.get(edge.to)?;
            if !changed.iter().any(|field| next.watched.contains(field)) {
                continue 'starts;
            }
            spoken
                .extend(rule.watched.iter().filter(|field| rule.reaction.when.is_some() && state.contains_key(field)));
            spoken.extend(&changed);
            if told.len() < (2 * way.len()).clamp(3, 6) {
                let sets: Vec<String> = changed
                    .iter()
                    .filter_map(|field| Some(shown(*field, state.get(field)?)))
                    .map(|(name, value)| format!("{name} to {value}"))
                    .collect();
                told.push(format!("`{}` sets {}", rule.reaction.name, sets.join(" and ")));
            }
        }
        let begin: Vec<String> = start
            .iter()
            .filter(|(field, _)| spoken.contains(field))
            .map(|(field, value)| shown(*field, value))
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        return Some(format!("for example, from {}: {}, and so on", begin.join(", "), told.join(", ")));
    }
    None
}

/// Records to begin with: one value of each atom that the condition allows, where there are few.
fn starts(graph: &Graph, rule: &Rule, region: &Region) -> Vec<BTreeMap<usize, Value>> {
    let entity = rule.reaction.entity;
    let fields = graph.program.records.get(entity.0 as usize).map_or(&[][..], |record| &record.fields);
    let mut states = vec![BTreeMap::new()];
    for (field, described) in fields.iter().enumerate() {
        let values: Vec<Value> = match (graph.domains.of(entity, field), region.sides.get(&field)) {
            (Some(dimension), Some(bits)) => bits.iter().map(|atom| dimension.witness(atom)).collect(),
            (Some(dimension), None) => vec![dimension.witness(0)],
            (None, _) if described.ty == Type::Int => vec![Value::Int(0)],
            (None, _) => continue,
        };
        let kept = if states.len() * values.len() > STARTS { 1 } else { values.len() };
        states = states
            .into_iter()
            .flat_map(|state| {
                values.iter().take(kept).map(move |value| {
                    let mut state = state.clone();
                    state.insert(field, value.clone());
                    state
                })
            })
            .collect();
    }
    states
}

/// Whether all that a rule does to its own entity is known exactly.
fn is_plain(graph: &Graph, rule: &Rule) -> bool {
    let entity = rule.reaction.entity;
    let is_exact = rule
        .reaction
        .when
        .as_ref()
        .is_none_or(|when| exact(graph, rule, &formula(when, true, LocalId(0), graph.program)));
    let plain = |site: &Site| {
        site.entity != entity
            || (site.deed == Deed::Update
                && site.target == Target::Own
                && site.is_certain
                && site.assignments.iter().all(|assignment| !matches!(assignment.value, Assigned::Other)))
    };
    is_exact && rule.doings.sites.iter().all(plain)
}

fn exact(graph: &Graph, rule: &Rule, formula: &Formula) -> bool {
    match formula {
        Formula::All(parts) | Formula::Any(parts) => parts.iter().all(|part| exact(graph, rule, part)),
        Formula::Test(field, _) => graph.domains.of(rule.reaction.entity, *field).is_some(),
        Formula::Fact(..) | Formula::Open => false,
        Formula::Never => true,
    }
}

fn holds(graph: &Graph, rule: &Rule, state: &BTreeMap<usize, Value>) -> bool {
    let inside = |region: &Region| {
        region.sides.iter().all(|(field, bits)| {
            let dimension = graph.domains.of(rule.reaction.entity, *field);
            let atom = dimension.zip(state.get(field)).and_then(|(dimension, value)| atom_of(dimension, value));
            atom.is_some_and(|atom| bits.has(atom))
        })
    };
    rule.guard.iter().any(inside)
}

/// The atom that a value lies in.
fn atom_of(dimension: &Dimension, value: &Value) -> Option<usize> {
    let point = dimension.atoms.iter().position(|atom| match atom {
        Atom::None => value.is_none(),
        Atom::Point(point) => point == value,
        Atom::Between(..) | Atom::OtherText => false,
    });
    point.or_else(|| {
        dimension.atoms.iter().position(|atom| match atom {
            Atom::Between(from, to) => {
                !value.is_none()
                    && from.as_ref().is_none_or(|from| from < value)
                    && to.as_ref().is_none_or(|to| value < to)
            }
            Atom::OtherText => matches!(value, Value::Text(_)),
            Atom::None | Atom::Point(_) => false,
        })
    })
}
