//! The triggering graph: which rule can set off which, and by writing what.
//!
//! After Aiken, Widom and Hellerstein (TODS 20(1), 1995), with edges that conditions rule out left away. An edge from
//! r to s by a write of r stands for: s fires for a record whose last change, before s was looked at, was this write. So it
//! is enough to know the record as it is right after the action of r, in the fields that the condition of s reads.

use super::guard::{Domains, Fact, Region, Tests, bounds, equality, formula, is_ordered, meet};
use super::site::{Assigned, Deed, Doings, Site, Target, doings, plus};
use super::watch::watched;
use crate::check::program::{LocalId, Program, Reaction, Type};
use crate::check::proof::bits::Bits;
use crate::check::proof::dimension::{Atom, Dimension, literal};
use crate::syntax::tree::RecordEvent;
use crate::value::{RecordId, Value};
use std::collections::BTreeSet;

/// A rule with what is known of it.
#[derive(Debug)]
pub(super) struct Rule<'p> {
    pub reaction: &'p Reaction,
    /// The fields whose change concerns it; all are, for an event of the record itself.
    pub watched: BTreeSet<usize>,
    /// The records for which its condition can hold.
    pub guard: Vec<Region>,
    pub doings: Doings,
    pub priority: i64,
}

/// A rule can set off another.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub from: usize,
    pub to: usize,
    /// The site of the first rule.
    pub site: usize,
    /// The fields that carry it; none when the record is made or deleted.
    pub fields: Vec<usize>,
}

/// All rules of a program, and what sets off what.
#[derive(Debug)]
pub(super) struct Graph<'p> {
    pub program: &'p Program,
    pub rules: Vec<Rule<'p>>,
    pub domains: Domains,
    pub edges: Vec<Edge>,
}

impl<'p> Graph<'p> {
    /// The graph of a program without errors.
    pub fn of(program: &'p Program) -> Graph<'p> {
        let own = LocalId(0);
        let mut tests = Tests::default();
        let mut rules = Vec::with_capacity(program.reactions.len());
        for reaction in &program.reactions {
            let doings = doings(reaction, program);
            if let Some(when) = &reaction.when {
                tests.add(reaction.entity, &formula(when, true, own, program));
            }
            for site in &doings.sites {
                site.path.iter().for_each(|part| tests.add(reaction.entity, part));
                for assignment in &site.assignments {
                    if let Assigned::Known(_, value) = &assignment.value {
                        tests.add_value(site.entity, assignment.field, value);
                    }
                }
            }
            let priority = reaction.priority.as_ref().and_then(|written| literal(written, &program.constants));
            rules.push(Rule {
                reaction,
                watched: watched(reaction, program).into_iter().collect(),
                guard: Vec::new(),
                doings,
                priority: priority.and_then(|value| value.as_int()).unwrap_or(0),
            });
        }
        let domains = tests.domains(program);
        for rule in &mut rules {
            rule.guard = match &rule.reaction.when {
                None => vec![Region::default()],
                Some(when) => domains.regions(rule.reaction.entity, &formula(when, true, own, program), program),
            };
        }
        let mut graph = Graph { program, rules, domains, edges: Vec::new() };
        graph.edges = graph.all_edges();
        graph
    }

    /// The edges that leave a rule: they lie together, as they are found rule by rule.
    pub fn edges_from(&self, rule: usize) -> impl Iterator<Item = &Edge> {
        let first = self.edges.partition_point(|edge| edge.from < rule);
        self.edges.iter().skip(first).take_while(move |edge| edge.from == rule)
    }

    fn all_edges(&self) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (from, rule) in self.rules.iter().enumerate() {
            for (site_at, site) in rule.doings.sites.iter().enumerate() {
                for (to, next) in self.rules.iter().enumerate() {
                    if next.reaction.entity == site.entity
                        && let Some(fields) = self.sets_off(rule, site, next)
                        && !(from == to && self.settles(from, site))
                    {
                        edges.push(Edge { from, to, site: site_at, fields });
                    }
                }
            }
        }
        edges
    }

    /// Whether a write of one rule can set off another, and by which fields.
    fn sets_off(&self, rule: &Rule, site: &Site, next: &Rule) -> Option<Vec<usize>> {
        match (site.deed, next.reaction.event) {
            (Deed::Update, RecordEvent::Changed) => {
                if !site.assignments.iter().any(|assignment| next.watched.contains(&assignment.field)) {
                    return None;
                }
                let mut carried = BTreeSet::new();
                for before in self.before(rule, site) {
                    let (after, changed) = self.after(rule, site, &before);
                    let fields: Vec<usize> = changed.intersection(&next.watched).copied().collect();
                    if !fields.is_empty() && next.guard.iter().any(|guard| guard.meets(&after)) {
                        carried.extend(fields);
                    }
                }
                (!carried.is_empty()).then(|| carried.into_iter().collect())
            }
            (Deed::Create, RecordEvent::Created) => {
                let (after, _) = self.after(rule, site, &Region::default());
                // Another rule may change the record before this one looks at it.
                let meets = self.is_rewritten(next) || next.guard.iter().any(|guard| guard.meets(&after));
                meets.then(Vec::new)
            }
            (Deed::Delete, RecordEvent::Deleted) => {
                let forgotten = self.written_besides(rule, site);
                let befores = self.before(rule, site).into_iter().map(|before| forget(before, &forgotten));
                let befores: Vec<Region> = befores.collect();
                meet(&befores, &next.guard).then(Vec::new)
            }
            _ => None,
        }
    }

    /// What is known of the record that a site writes when the action begins.
    pub fn before(&self, rule: &Rule, site: &Site) -> Vec<Region> {
        // A site that is never reached has no boxes.
        let mut boxes = rule.guard.clone();
        for part in &site.path {
            let regions = self.domains.regions(rule.reaction.entity, part, self.program);
            boxes = boxes.iter().flat_map(|left| regions.iter().filter_map(|right| left.and(right))).collect();
            if boxes.len() > 64 {
                boxes = vec![Region::default()];
            }
        }
        match site.target {
            Target::Own => boxes,
            Target::Other if boxes.is_empty() => Vec::new(),
            Target::Other => vec![Region::default()],
        }
    }

    /// The fields of the entity that other sites of the same rule write.
    fn written_besides(&self, rule: &Rule, site: &Site) -> BTreeSet<usize> {
        let others = rule.doings.sites.iter().filter(|other| !std::ptr::eq(*other, site));
        let others = others.filter(|other| other.entity == site.entity && other.deed == Deed::Update);
        let again = site.repeats.then_some(site);
        others.chain(again).flat_map(|other| other.assignments.iter().map(|assignment| assignment.field)).collect()
    }

    /// What is known of a record after the action, when this site was the last to write it, and the fields that may
    /// have changed.
    fn after(&self, rule: &Rule, site: &Site, before: &Region) -> (Region, BTreeSet<usize>) {
        let besides = self.written_besides(rule, site);
        let written: BTreeSet<usize> =
            besides.iter().copied().chain(site.assignments.iter().map(|assignment| assignment.field)).collect();
        let mut after = forget(before.clone(), &written);
        let mut changed = BTreeSet::new();
        for assignment in &site.assignments {
            let field = assignment.field;
            let dimension = self.domains.of(site.entity, field);
            let known = before.sides.get(&field);
            let bits = dimension.and_then(|dimension| match &assignment.value {
                Assigned::Known(value, _) => Some(dimension.select(|atom| is_value(atom, value))),
                Assigned::Same => known.cloned(),
                Assigned::Shift(by) => known.and_then(|bits| shifted(dimension, bits, by)),
                Assigned::Other if assignment.never_none => Some(dimension.select(|atom| !matches!(atom, Atom::None))),
                Assigned::Other => None,
            });
            if let Some(bits) = bits {
                after.sides.insert(field, bits);
            }
            let is_lasting = |reads: &BTreeSet<usize>| reads.is_disjoint(&written);
            let equal = assignment.words.as_ref().map(|(words, reads)| {
                let fields: BTreeSet<usize> = reads.iter().copied().chain([field]).collect();
                (Fact { words: equality(&format!("${field}"), words), fields }, reads)
            });
            let stays = !besides.contains(&field)
                && match &assignment.value {
                    Assigned::Same => true,
                    Assigned::Known(value, _) => dimension
                        .zip(known)
                        .is_some_and(|(dimension, bits)| bits.within(&dimension.select(|atom| is_value(atom, value)))),
                    _ => equal.as_ref().is_some_and(|(fact, _)| before.facts.get(fact) == Some(&true)),
                };
            if let Some((fact, reads)) = equal
                && is_lasting(reads)
                && !matches!(assignment.value, Assigned::Known(..))
            {
                after.facts.insert(fact, true);
            }
            if !stays {
                changed.insert(field);
            }
        }
        (after, changed)
    }

    /// Whether a rule that its own write by this site has set off does not set itself off by it again: what it watches
    /// is set to known values, or to what is computed from fields that stay. So it fires twice in a row at most, and
    /// what it sets off then, it could have set off the first time.
    fn settles(&self, at: usize, site: &Site) -> bool {
        let Some(rule) = self.rules.get(at) else { return false };
        if site.deed != Deed::Update || site.target != Target::Own {
            return false;
        }
        let besides = self.written_besides(rule, site);
        let written: BTreeSet<usize> = besides.iter().copied().chain(site.fields()).collect();
        let computed = |words: &Option<(String, BTreeSet<usize>)>| {
            words.as_ref().is_some_and(|(_, reads)| {
                // What it reads has not changed since, or its change would have set the rule off itself.
                reads.is_disjoint(&written)
                    && reads.iter().all(|field| rule.watched.contains(field) || !self.is_written(site.entity, *field))
            })
        };
        site.assignments.iter().all(|assignment| {
            !rule.watched.contains(&assignment.field)
                || !besides.contains(&assignment.field)
                    && (matches!(assignment.value, Assigned::Known(..)) || computed(&assignment.words))
        })
    }

    /// Whether any rule writes a field.
    fn is_written(&self, entity: RecordId, field: usize) -> bool {
        let sites = self.rules.iter().flat_map(|rule| &rule.doings.sites);
        sites.filter(|site| site.entity == entity).any(|site| site.fields().contains(&field))
    }

    /// Whether any rule writes a field that the condition of this one reads.
    pub fn is_rewritten(&self, rule: &Rule) -> bool {
        let fields = rule.guard.iter().flat_map(|region| {
            region.sides.keys().chain(region.facts.keys().flat_map(|fact| &fact.fields)).copied().collect::<Vec<_>>()
        });
        fields.collect::<BTreeSet<_>>().into_iter().any(|field| self.is_written(rule.reaction.entity, field))
    }

    /// How a site moves a field of the record that it writes, when the action writes that field nowhere else.
    pub fn movement(&self, rule: &Rule, site: &Site, field: usize) -> Movement {
        let nothing = Movement::default();
        let Some(assignment) = site.assignments.iter().find(|assignment| assignment.field == field) else {
            return Movement { up: true, down: true, filling: true, ..nothing };
        };
        let writes = |other: &&Site| other.entity == site.entity && other.fields().contains(&field);
        if rule.doings.sites.iter().filter(writes).count() != 1 || site.repeats {
            return self.extreme(site, assignment).unwrap_or(nothing);
        }
        let ty = self.program.records.get(site.entity.0 as usize).and_then(|record| record.fields.get(field));
        let Some(ty) = ty.map(|field| &field.ty) else { return nothing };
        let mut all = Movement { up: true, strictly_up: true, down: true, strictly_down: true, ..nothing };
        (all.filling, all.fills) = (true, true);
        let befores = self.before(rule, site);
        if befores.is_empty() {
            return all;
        }
        for before in befores {
            let one = self.movement_in(site.entity, ty, assignment, &before);
            all.up &= one.up;
            all.strictly_up &= one.strictly_up;
            all.down &= one.down;
            all.strictly_down &= one.strictly_down;
            all.filling &= one.filling;
            all.fills &= one.fills;
        }
        all
    }

    fn movement_in(
        &self,
        entity: RecordId,
        ty: &Type,
        assignment: &super::site::Assignment,
        before: &Region,
    ) -> Movement {
        let mut movement = Movement::default();
        let dimension = self.domains.of(entity, assignment.field);
        let known = dimension.zip(before.sides.get(&assignment.field));
        if matches!(ty, Type::Optional(_)) {
            movement.filling = assignment.never_none || matches!(assignment.value, Assigned::Same);
            let was_none = known
                .is_some_and(|(dimension, bits)| bits.within(&dimension.select(|atom| matches!(atom, Atom::None))));
            movement.fills = assignment.never_none && was_none;
        }
        if !is_ordered(ty) {
            return movement;
        }
        let range = known.and_then(|(dimension, bits)| bounds(dimension, bits));
        match &assignment.value {
            Assigned::Same => (movement.up, movement.down) = (true, true),
            Assigned::Known(value, _) if !value.is_none() => {
                let all = dimension.filter(|_| !matches!(ty, Type::Optional(_)));
                let range = range.or_else(|| all.and_then(|all| bounds(all, &Bits::all(all.atoms.len()))));
                let Some((low, high)) = range else { return movement };
                // An open end of a stretch is not in it, but a bound that is not strict does no harm.
                let in_atom =
                    known.is_some_and(|(dimension, bits)| bits.meets(&dimension.select(|atom| is_value(atom, value))));
                movement.up = high.as_ref().is_some_and(|high| high <= value);
                movement.strictly_up = movement.up && known.is_some() && !in_atom;
                movement.down = low.as_ref().is_some_and(|low| low >= value);
                movement.strictly_down = movement.down && known.is_some() && !in_atom;
            }
            Assigned::Shift(by) => {
                let sign = super::site::sign(by).unwrap_or(0);
                let (low, high) = range.unwrap_or((None, None));
                (movement.up, movement.down) = (sign > 0, sign < 0);
                movement.strictly_up = sign > 0 && high.is_some();
                movement.strictly_down = sign < 0 && low.is_some();
            }
            _ => {}
        }
        movement
    }

    /// The movement to the first or last value of a field, whatever it was.
    fn extreme(&self, site: &Site, assignment: &super::site::Assignment) -> Option<Movement> {
        let Assigned::Known(value, _) = &assignment.value else { return None };
        let dimension = self.domains.of(site.entity, assignment.field)?;
        let (low, high) = bounds(dimension, &Bits::all(dimension.atoms.len()))?;
        Some(Movement {
            up: high.is_some_and(|high| high <= *value),
            down: low.is_some_and(|low| low >= *value),
            ..Movement::default()
        })
    }
}

/// How a field moves when a rule fires. Strict ones come to an end: the condition holds on one side of a bound alone.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Movement {
    /// It never falls.
    pub up: bool,
    /// It rises, as long as it is below something.
    pub strictly_up: bool,
    /// It never rises.
    pub down: bool,
    /// It falls, as long as it is above something.
    pub strictly_down: bool,
    /// It is never emptied.
    pub filling: bool,
    /// It was empty and gets a value.
    pub fills: bool,
}

fn is_value(atom: &Atom, value: &Value) -> bool {
    match atom {
        Atom::None => value.is_none(),
        Atom::Point(point) => point == value,
        Atom::Between(..) | Atom::OtherText => false,
    }
}

/// A box in which nothing is known of some fields.
fn forget(mut region: Region, fields: &BTreeSet<usize>) -> Region {
    region.sides.retain(|field, _| !fields.contains(field));
    region.facts.retain(|fact, _| fact.fields.is_disjoint(fields));
    region
}

/// The atoms in which a value can be that was in some atoms and has been moved.
fn shifted(dimension: &Dimension, bits: &Bits, by: &Value) -> Option<Bits> {
    let (low, high) = bounds(dimension, bits)?;
    let low = match low {
        Some(low) => Some(plus(&low, by)?),
        None => None,
    };
    let high = match high {
        Some(high) => Some(plus(&high, by)?),
        None => None,
    };
    // Ends that are not in the stretch are taken as if they were: the set only gets larger.
    Some(dimension.select(|atom| match atom {
        Atom::None | Atom::OtherText => false,
        Atom::Point(value) => {
            low.as_ref().is_none_or(|low| low <= value) && high.as_ref().is_none_or(|high| value <= high)
        }
        Atom::Between(from, to) => {
            let above = |limit: &Value| to.as_ref().is_none_or(|to| to > limit);
            let below = |limit: &Value| from.as_ref().is_none_or(|from| from < limit);
            low.as_ref().is_none_or(above) && high.as_ref().is_none_or(below)
        }
    }))
}
