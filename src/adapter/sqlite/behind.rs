//! Records that the open transaction knows of and the tables do not yet.
//!
//! Many orders change the stock of the same product, and only the last change counts. So what the steps change is
//! held by record, and written once: before the commit, or before anything is asked or done that the tables are needed
//! for. Only changes wait that can't be refused: of fields that are no key, refer to nothing and need not be unique.
//!
//! New records wait too, where nothing can be against them: their key was counted up just now, and what they refer to is
//! known to be there. Written table by table they take less time than one here and one there.
//!
//! What refers to a record that was made in the same transaction was made after it, so who asks for it is mostly
//! answered from here: the lines of an order that was put in just now.

use super::failure::Done;
use super::record;
use super::schema::{Entity, FieldColumns, Schema, Updates};
use super::types::Kind;
use crate::value::{RecordId, Value};
use indexmap::IndexMap;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use std::collections::HashMap;

/// So many records wait at most.
const MOST: usize = 50_000;

/// So many new records are written without SQLite looking for what they refer to.
const MANY: usize = 1_000;

/// So many records are looked through for those that refer to another one: more are better found by the index.
const FEW: usize = 256;

/// An entity and a key as the cache of records has them.
pub(super) type Place = (RecordId, Value);

/// A record that was changed.
#[derive(Debug)]
pub(super) struct Unwritten {
    pub key: Value,
    /// As it is now.
    pub record: Value,
    /// The positions of the fields that are not as in the table, in rising order.
    pub fields: Vec<usize>,
}

/// What the table of one entity does not know.
#[derive(Debug, Default)]
struct Wanting {
    /// Records that were changed, by their key.
    changed: IndexMap<Value, (Value, Vec<usize>), foldhash::fast::RandomState>,
    /// New records, in the order in which they were made.
    new: Vec<New>,
    /// When the table got the last record that is not among the new ones, or one of them was changed.
    written: u64,
}

/// A record that the table does not know, and when it was made.
#[derive(Debug)]
struct New {
    made: u64,
    record: Value,
}

/// The records that wait, by entity.
#[derive(Debug, Default)]
pub(super) struct Behind {
    tables: Vec<Wanting>,
    /// How many records wait, and how many of them are new.
    count: usize,
    new: usize,
    /// Counts what is made: the time of this room.
    now: u64,
    /// When the records that others may refer to were made, as far as that was in the open transaction.
    born: HashMap<Place, u64, foldhash::fast::RandomState>,
}

/// Whether the table may hear of a change of these fields later.
pub(super) fn may_wait(entity: &Entity, fields: &[usize]) -> bool {
    fields.iter().all(|position| {
        let plain = |field: &FieldColumns| !field.unique && !matches!(field.kind, Kind::Reference(..));
        *position != entity.key && !entity.counted.contains(position) && entity.fields.get(*position).is_some_and(plain)
    })
}

impl Behind {
    /// Whether it is time to write them.
    pub fn is_large(&self) -> bool {
        self.count >= MOST
    }

    /// Whether there are new records of any entity.
    pub fn has_new(&self) -> bool {
        self.new > 0
    }

    /// Whether there are new records of this entity.
    pub fn has_new_of(&self, entity: RecordId) -> bool {
        self.new > 0 && self.table(entity).is_some_and(|table| !table.new.is_empty())
    }

    /// The new records of an entity.
    #[cfg(test)]
    pub fn new_of(&self, entity: RecordId) -> Vec<Value> {
        self.table(entity).map_or_else(Vec::new, |table| table.new.iter().map(|new| new.record.clone()).collect())
    }

    /// Says that a record was made that did not exist before.
    pub fn was_born(&mut self, place: Place) {
        self.now += 1;
        self.born.insert(place, self.now);
    }

    /// Forgets when records were made: one of them may be no more, or have another key.
    pub fn forget_births(&mut self) {
        self.born.clear();
    }

    /// Says that the table of an entity was written to.
    pub fn was_written(&mut self, entity: RecordId) {
        self.now += 1;
        let now = self.now;
        if let Some(table) = self.table_mut(entity) {
            table.written = now;
        }
    }

    /// The records of an entity that refer to another one by this field, by rising keys; none where it takes the table to
    /// know them.
    pub fn referring(&self, entity: RecordId, field: usize, to: &Place) -> Option<Vec<Value>> {
        let born = *self.born.get(to)?;
        let empty = Wanting::default();
        let table = self.table(entity).unwrap_or(&empty);
        if table.written > born || !table.changed.is_empty() {
            return None;
        }
        let since = table.new.get(table.new.partition_point(|new| new.made < born)..)?;
        if since.len() > FEW {
            return None;
        }
        let refers = |new: &&New| match new.record.fields().and_then(|fields| fields.get(field)) {
            Some(Value::Reference(reference)) => reference.key == to.1,
            _ => false,
        };
        Some(since.iter().filter(refers).map(|new| new.record.clone()).collect())
    }

    fn table(&self, entity: RecordId) -> Option<&Wanting> {
        self.tables.get(entity.0 as usize)
    }

    fn table_mut(&mut self, entity: RecordId) -> Option<&mut Wanting> {
        let index = entity.0 as usize;
        if self.tables.len() <= index {
            self.tables.resize_with(index + 1, Wanting::default);
        }
        self.tables.get_mut(index)
    }

    /// The record at a place, if it was changed.
    pub fn get(&self, (entity, key): &Place) -> Option<&Value> {
        if self.count == 0 {
            return None;
        }
        self.table(*entity)?.changed.get(key).map(|(record, _)| record)
    }

    /// Takes note of a record with changed fields.
    pub fn put(&mut self, (entity, key): Place, record: Value, fields: &[usize]) {
        let Some(table) = self.table_mut(entity) else { return };
        let before = table.changed.len();
        let (known, changed) = table.changed.entry(key).or_default();
        *known = record;
        for field in fields {
            if let Err(at) = changed.binary_search(field) {
                changed.insert(at, *field);
            }
        }
        let more = table.changed.len() - before;
        self.count += more;
    }

    /// Takes note of a new record.
    pub fn put_new(&mut self, entity: RecordId, record: Value) {
        self.now += 1;
        let made = self.now;
        if let Some(table) = self.table_mut(entity) {
            table.new.push(New { made, record });
            self.count += 1;
            self.new += 1;
        }
    }

    /// Forgets a new record, whose key is in this field; whether it was there.
    pub fn remove_new(&mut self, (entity, key): &Place, field: usize) -> bool {
        let Some(table) = self.tables.get_mut(entity.0 as usize) else { return false };
        // What is taken back was made last.
        let found =
            table.new.iter().rposition(|new| new.record.fields().and_then(|fields| fields.get(field)) == Some(key));
        let Some(at) = found else { return false };
        table.new.remove(at);
        self.count -= 1;
        self.new -= 1;
        true
    }

    /// Forgets what has changed of a record: it was deleted.
    pub fn remove(&mut self, (entity, key): &Place) {
        if let Some(table) = self.tables.get_mut(entity.0 as usize)
            && table.changed.swap_remove(key).is_some()
        {
            self.count -= 1;
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Behind::default();
    }

    /// Writes everything.
    pub fn write(&mut self, connection: &Connection, schema: &Schema, updates: &mut Updates) -> Done<()> {
        // What the new records refer to is known to be there: SQLite need not look for it again in each row. To tell it
        // so makes it compile its statements anew, which is worth it for many rows alone.
        let is_known = self.new >= MANY;
        if is_known {
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
        }
        let written = self.write_all(connection, schema, updates);
        if is_known {
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
        }
        written
    }

    fn write_all(&mut self, connection: &Connection, schema: &Schema, updates: &mut Updates) -> Done<()> {
        for index in 0..self.tables.len() {
            if self.count > 0
                && let Ok(index) = u32::try_from(index)
            {
                self.write_of(connection, schema, updates, RecordId(index))?;
            }
        }
        Ok(())
    }

    /// Writes the records of one entity. None of them needs another that waits.
    pub fn write_of(
        &mut self,
        connection: &Connection,
        schema: &Schema,
        updates: &mut Updates,
        entity: RecordId,
    ) -> Done<()> {
        let Some(table) = self.tables.get_mut(entity.0 as usize).filter(|_| self.count > 0) else { return Ok(()) };
        if !table.new.is_empty() {
            let new = std::mem::take(&mut table.new);
            self.count -= new.len();
            self.new -= new.len();
            self.now += 1;
            table.written = self.now;
            record::insert_alike(connection, schema, entity, new.iter().map(|new| &new.record))?;
        }
        if !table.changed.is_empty() {
            let unwritten = |(key, (record, fields))| Unwritten { key, record, fields };
            let mut changed: Vec<Unwritten> = table.changed.drain(..).map(unwritten).collect();
            self.count -= changed.len();
            changed.sort_by(|one, other| one.fields.cmp(&other.fields));
            for alike in changed.chunk_by(|one, other| one.fields == other.fields) {
                record::write_alike(connection, schema, updates, entity, alike)?;
            }
        }
        Ok(())
    }
}
