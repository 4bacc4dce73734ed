//! Records that were read or written in transactions, by key.
//!
//! No other process writes while a transaction is open, and SQLite tells when one has written in between, so what was
//! read stays true; what is written here replaces it. Used in transactions alone. Kept in two generations: when the young one is full it becomes the old one, and the old one is forgotten.

use super::schema::Entity;
use super::types::{Kind, Types};
use super::{column, schema::Schema};
use crate::value::{RecordId, Value};
use std::collections::HashMap;

/// So many records make a generation.
const GENERATION: usize = 4_096;

type Generation = HashMap<(RecordId, Value), Option<Value>, foldhash::fast::RandomState>;

/// The records; none where a key has none.
#[derive(Debug, Default)]
pub(super) struct Cache {
    young: Generation,
    old: Generation,
}

/// The key of a record as the cache uses it; none where different values can name the same record, such as `1.5` and
/// `1.50`.
pub(super) fn place(schema: &Schema, entity: &Entity, key: &Value) -> Option<(RecordId, Value)> {
    fn is_plain(kind: &Kind) -> bool {
        match kind {
            Kind::Text | Kind::Int => true,
            Kind::Reference(_, key) => is_plain(key),
            _ => false,
        }
    }
    let types: &Types = &schema.types;
    match column::key_of(entity.id, types, key)? {
        key @ (Value::Text(_) | Value::Int(_)) if is_plain(&entity.key_field()?.kind) => Some((entity.id, key.clone())),
        _ => None,
    }
}

impl Cache {
    /// What is known of the record at a place.
    pub fn get(&mut self, place: &(RecordId, Value)) -> Option<Option<Value>> {
        if let Some(known) = self.young.get(place) {
            return Some(known.clone());
        }
        let (place, known) = self.old.remove_entry(place)?;
        self.put(place, known.clone());
        Some(known)
    }

    /// Takes note of a record, or that there is none.
    pub fn put(&mut self, place: (RecordId, Value), record: Option<Value>) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(place, record);
    }

    /// Forgets what is at a place.
    pub fn remove(&mut self, place: &(RecordId, Value)) {
        self.young.remove(place);
        self.old.remove(place);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}
