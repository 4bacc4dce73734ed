//! Which fields of its record a rule watches: a change of another one does not concern it.

use crate::check::program::{Expr, ExprKind, LocalId, Program, Reaction};
use std::collections::BTreeSet;

/// The local that holds the record of a rule.
const RECORD: LocalId = LocalId(0);

/// The fields whose change makes a `changed` rule look at a record, in order: those that its condition reads. A
/// rule without a condition, or with one that reads no field that can change, watches all of them. The key never
/// changes.
///
/// Fields of other records that a condition reads are not watched: the event of a rule is a change of its own record.
pub fn watched(reaction: &Reaction, program: &Program) -> Vec<usize> {
    let Some(entity) = program.records.get(reaction.entity.0 as usize) else { return Vec::new() };
    let changeable = || (0..entity.fields.len()).filter(|field| Some(*field) != entity.key);
    let Some(condition) = &reaction.when else { return changeable().collect() };
    let mut read = BTreeSet::new();
    match fields_read(condition, RECORD, entity.key.unwrap_or(0), &mut read) {
        Use::Fields => {
            read.retain(|field| Some(*field) != entity.key);
            if read.is_empty() { changeable().collect() } else { read.into_iter().collect() }
        }
        Use::Whole => changeable().collect(),
    }
}

/// How an expression uses a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Some of its fields, or nothing of it.
    Fields,
    /// All of it: it is given to a callable, compared, put into a list.
    Whole,
}

/// Collects the fields that an expression reads of the record in a local.
pub(super) fn fields_read(expr: &Expr, record: LocalId, key: usize, read: &mut BTreeSet<usize>) -> Use {
    match &expr.kind {
        ExprKind::Local(local) if *local == record => return Use::Whole,
        ExprKind::Field(target, field) if is_local(target, record) => {
            read.insert(*field);
            return Use::Fields;
        }
        ExprKind::Refer(target) if is_local(target, record) => {
            read.insert(key);
            return Use::Fields;
        }
        _ => {}
    }
    let mut found = Use::Fields;
    expr.each_child(&mut |child| {
        if fields_read(child, record, key, read) == Use::Whole {
            found = Use::Whole;
        }
    });
    found
}

pub(super) fn is_local(expr: &Expr, local: LocalId) -> bool {
    matches!(&expr.kind, ExprKind::Local(other) if *other == local)
}
