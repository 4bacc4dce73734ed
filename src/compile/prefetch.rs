//! Finds the records that a loop will want, so that they are loaded with one question for each entity and hop
//! instead of one for each element.

use super::body::Body;
use super::code::{Path, PathStep};
use super::instruction::{Instruction, Operand};
use super::mentions::each_part;
use crate::check::program::{Effect, Expr, ExprKind, LocalId};
use std::collections::HashMap;

impl Body<'_, '_> {
    /// Loads what the rounds of a loop over a list will follow; whether there is anything to forget afterwards.
    pub fn prefetch(&mut self, list: Operand, element: LocalId, rounds: &[&Expr]) -> bool {
        // What a round writes would not be seen in what was loaded before it.
        let reads = |expr: &&Expr| expr.effect <= Effect::Reads;
        if self.covered.contains(&element) || !rounds.iter().all(reads) {
            return false;
        }
        let mut finder = Finder { known: HashMap::from([(element, Vec::new())]), found: Vec::new() };
        for round in rounds {
            finder.look(round);
        }
        if finder.found.is_empty() {
            return false;
        }
        let mut paths: Vec<Path> = Vec::new();
        for steps in &finder.found {
            let part_of_other = finder.found.iter().any(|other| other.len() > steps.len() && other.starts_with(steps));
            if !part_of_other && !paths.iter().any(|path| path.steps == *steps) {
                paths.push(Path { steps: steps.clone() });
            }
        }
        self.covered.extend(finder.known.into_keys().filter(|local| *local != element));
        let prefetches = &mut self.compiler.code.prefetches;
        prefetches.push(paths);
        let plan = prefetches.len() as u32 - 1;
        self.emit(Instruction::Prefetch { list, plan });
        true
    }
}

struct Finder {
    /// Locals that stand for something reached from the element.
    known: HashMap<LocalId, Vec<PathStep>>,
    /// The ways to records.
    found: Vec<Vec<PathStep>>,
}

impl Finder {
    /// Looks through an expression; gives the way to its value when there is one.
    fn look(&mut self, expr: &Expr) -> Option<Vec<PathStep>> {
        match &expr.kind {
            ExprKind::Local(local) => self.known.get(local).cloned(),
            ExprKind::Field(target, field) => {
                let mut way = self.look(target)?;
                way.push(PathStep::Field(*field));
                Some(way)
            }
            ExprKind::Follow(reference) => self.record(reference, PathStep::Follow),
            ExprKind::Get(entity, key) | ExprKind::Has(entity, key) => self.record(key, PathStep::Get(*entity)),
            ExprKind::Guarded { target, local, then } => {
                if let Some(way) = self.look(target) {
                    self.known.insert(*local, way);
                }
                self.look(then)
            }
            ExprKind::Perform(_, arguments) => {
                let list = arguments.first().and_then(|list| self.look(list));
                for argument in arguments.iter().skip(1) {
                    if let (ExprKind::Lambda(parameters, _), Some(list)) = (&argument.kind, &list)
                        // The element is the last parameter: `fold` has the sum before it.
                        && let Some(element) = parameters.last()
                    {
                        let mut way = list.clone();
                        way.push(PathStep::Each);
                        self.known.insert(*element, way);
                    }
                    self.look(argument);
                }
                None
            }
            _ => {
                each_part(expr, &mut |part| {
                    self.look(part);
                });
                None
            }
        }
    }

    fn record(&mut self, key: &Expr, step: PathStep) -> Option<Vec<PathStep>> {
        let mut way = self.look(key)?;
        way.push(step);
        self.found.push(way.clone());
        Some(way)
    }
}
