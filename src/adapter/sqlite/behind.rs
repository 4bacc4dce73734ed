//! Changes of records that the open transaction knows of and the tables do not yet.
//!
//! Many orders change the stock of the same product, and only the last change counts. So what the steps change is
//! held by record, and written once: before the commit, or before anything is asked or done that the tables are needed
//! for. Only changes wait that can't be refused: of fields that are no key, refer to nothing and need not be unique.

use super::failure::Done;
use super::record;
use super::schema::{Entity, Schema};
use super::types::Kind;
use crate::value::{RecordId, Value};
use indexmap::IndexMap;
use rusqlite::Connection;

/// So many records wait at most.
const MOST: usize = 50_000;

/// An entity and a key as the cache of records has them.
type Place = (RecordId, Value);

/// A record that was changed.
#[derive(Debug)]
pub(super) struct Unwritten {
    pub entity: RecordId,
    pub key: Value,
    /// As it is now.
    pub record: Value,
    /// The positions of the fields that are not as in the table, in rising order.
    pub fields: Vec<usize>,
}

/// The records that were changed, by place.
#[derive(Debug, Default)]
pub(super) struct Behind {
    records: IndexMap<Place, (Value, Vec<usize>), foldhash::fast::RandomState>,
    /// Whose records these are.
    entities: Vec<RecordId>,
}

/// Whether the table may hear of a change of these fields later.
pub(super) fn may_wait(entity: &Entity, fields: &[usize]) -> bool {
    fields.iter().all(|position| {
        let plain = |field: &super::schema::FieldColumns| !field.unique && !matches!(field.kind, Kind::Reference(..));
        *position != entity.key && !entity.counted.contains(position) && entity.fields.get(*position).is_some_and(plain)
    })
}

impl Behind {
    /// Whether it is time to write them.
    pub fn is_large(&self) -> bool {
        self.records.len() >= MOST
    }

    /// Whether the table of an entity may be wanting.
    pub fn has(&self, entity: RecordId) -> bool {
        self.entities.contains(&entity)
    }

    /// The record at a place, if it waits.
    pub fn get(&self, place: &Place) -> Option<&Value> {
        if self.records.is_empty() {
            return None;
        }
        self.records.get(place).map(|(record, _)| record)
    }

    /// Takes note of a record with changed fields.
    pub fn put(&mut self, place: Place, record: Value, fields: &[usize]) {
        if !self.entities.contains(&place.0) {
            self.entities.push(place.0);
        }
        let (known, changed) = self.records.entry(place).or_default();
        *known = record;
        for field in fields {
            if let Err(at) = changed.binary_search(field) {
                changed.insert(at, *field);
            }
        }
    }

    /// Forgets a record: it was deleted.
    pub fn remove(&mut self, place: &Place) {
        if !self.records.is_empty() {
            self.records.swap_remove(place);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.records.clear();
        self.entities.clear();
    }

    /// Writes everything.
    pub fn write(&mut self, connection: &Connection, schema: &mut Schema) -> Done<()> {
        if self.records.is_empty() {
            return Ok(());
        }
        self.entities.clear();
        let unwritten = |((entity, key), (record, fields))| Unwritten { entity, key, record, fields };
        let mut all: Vec<Unwritten> = self.records.drain(..).map(unwritten).collect();
        all.sort_by(|one, other| (one.entity, &one.fields).cmp(&(other.entity, &other.fields)));
        for alike in all.chunk_by(|one, other| one.entity == other.entity && one.fields == other.fields) {
            record::write_alike(connection, schema, alike)?;
        }
        Ok(())
    }
}
