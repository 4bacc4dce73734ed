//! Tasks that do nothing but ask the store: what a loop that calls one asks in every round.

use crate::check::program::{CallableId, Effect, Expr, ExprKind, Program, StatementKind};
use crate::value::RecordId;
use std::collections::BTreeSet;

/// How deep the tasks are looked into that call each other.
const DEEPEST: usize = 4;

/// What a task gives, when it asks the store whenever it is called, does nothing else, and gives the same as long as its
/// arguments and what it reads are the same.
pub(super) struct Reading<'p> {
    /// Its value.
    pub value: &'p Expr,
    /// The entities of which it reads.
    pub entities: BTreeSet<RecordId>,
    /// The first place where it asks.
    pub place: &'p Expr,
}

impl<'p> Reading<'p> {
    /// What a task reads; none for one that does more, or of which it can't be told.
    pub fn of(program: &'p Program, id: CallableId) -> Option<Reading<'p>> {
        Reading::at_depth(program, id, 0)
    }

    fn at_depth(program: &'p Program, id: CallableId, depth: usize) -> Option<Reading<'p>> {
        let of = program.callables.get(id.index()).filter(|of| of.effect == Effect::Reads && depth < DEEPEST)?;
        let (last, before) = of.body.split_last()?;
        let StatementKind::Return(Some(value)) = &last.kind else { return None };
        let mut values = Vec::new();
        for statement in before {
            let StatementKind::Set { value, .. } = &statement.kind else { return None };
            values.push(value);
        }
        values.push(value);
        let (mut entities, mut place, mut is_plain) = (BTreeSet::new(), None, true);
        for value in values {
            value.walk(&mut |expr| match &expr.kind {
                ExprKind::All(entity) | ExprKind::Get(entity, _) | ExprKind::Has(entity, _) => {
                    entities.insert(*entity);
                    place = place.or(Some(expr));
                }
                ExprKind::Call(inner, _) if expr.effect > Effect::Pure => {
                    match Reading::at_depth(program, *inner, depth + 1) {
                        Some(inner) => {
                            entities.extend(inner.entities);
                            place = place.or(Some(inner.place));
                        }
                        None => is_plain = false,
                    }
                }
                // The clock, chance and files may give another thing each time.
                ExprKind::Perform(operation, _) => is_plain &= operation.primitive().effect == Effect::Pure,
                // What hangs on a condition may never be asked; records that are followed are kept.
                ExprKind::Conditional(..) | ExprKind::Guarded { .. } | ExprKind::Follow(_) => {
                    is_plain &= expr.effect == Effect::Pure;
                }
                _ => {}
            });
        }
        place.filter(|_| is_plain).map(|place| Reading { value, entities, place })
    }
}
