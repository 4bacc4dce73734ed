//! Records that the open transaction knows of and the tables do not yet.
//!
//! Many orders change the stock of the same product, and only the last change counts. So what the steps change is
//! held by record, and written once: before the commit, or before anything is asked or done that the tables are needed
//! for. Only changes wait that can't be refused: of fields that are no key, refer to nothing and need not be unique.
//!
//! New records wait too, where nothing can be against them: their key is new, and what they refer to is known to be
//! there. Written table by table they take less time than one here and one there, and mostly the `scribe` does it. Mails
//! wait for the same reason.
//!
//! What refers to a record that was made in the same transaction was made after it, so who asks for it is mostly
//! answered from here: the lines of an order that was put in just now.

use super::failure::Done;
use super::outbox::{self, NewMail};
use super::record::{self, NewRecords};
use super::schema::{Entity, FieldColumns, Schema, Updates};
use super::types::Kind;
use crate::value::{RecordId, Value};
use indexmap::IndexMap;
use rusqlite::Connection;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// So many records and mails wait at most.
const MOST: usize = 50_000;

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
    /// Those before them that the scribe was given last.
    lent: Arc<Vec<New>>,
    /// When the first of these was made: those before it are not known here.
    known_since: u64,
    /// The keys of the records that the open transaction has made, changed or taken away, unless they were counted up in it.
    own: HashSet<Value, foldhash::fast::RandomState>,
    /// The first key that was counted up in it.
    counted_from: Option<i64>,
    /// When the table was written to otherwise than by the scribe.
    written: u64,
    /// Whether a record was written to whose key is none for [`Place`].
    is_unclear: bool,
}

/// A record that the table does not know, and when it was made.
#[derive(Debug)]
pub(super) struct New {
    made: u64,
    pub record: Value,
}

/// The records that wait, by entity.
#[derive(Debug, Default)]
pub(super) struct Behind {
    tables: Vec<Wanting>,
    /// How many records wait, and how many of them are new.
    count: usize,
    new: usize,
    mails: Vec<NewMail>,
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
        self.count + self.mails.len() >= MOST
    }

    /// How many rows wait that somebody else could write.
    pub fn rows(&self) -> usize {
        self.new + self.mails.len()
    }

    /// Whether the record that may be at a place is another one than the open transaction has found there, or may be.
    pub fn is_own(&self, (entity, key): &Place) -> bool {
        let Some(table) = self.table(*entity) else { return false };
        let is_counted = |number: i64| table.counted_from.is_some_and(|first| number >= first);
        table.is_unclear || matches!(key, Value::Int(number) if is_counted(*number)) || table.own.contains(key)
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

    /// The number of the last mail that waits.
    pub fn last_mail(&self) -> Option<i64> {
        self.mails.last().map(|mail| mail.number)
    }

    /// The numbers of the mails that wait.
    #[cfg(test)]
    pub fn new_mails(&self) -> impl Iterator<Item = i64> {
        self.mails.iter().map(|mail| mail.number)
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

    /// Says that a record was written in the table of an entity, or taken out of it; at no place when its key is none.
    pub fn was_written(&mut self, entity: RecordId, place: Option<Place>) {
        self.now += 1;
        let now = self.now;
        if let Some(table) = self.table_mut(entity) {
            table.written = now;
            match place {
                Some((_, key)) => drop(table.own.insert(key)),
                None => table.is_unclear = true,
            }
        }
    }

    /// The records of an entity that refer to another one by this field, by rising keys; none where it takes the table to
    /// know them.
    pub fn referring(&self, of: &Entity, field: usize, to: &Place) -> Option<Vec<Value>> {
        let entity = of.id;
        let born = *self.born.get(to)?;
        let empty = Wanting::default();
        let table = self.table(entity).unwrap_or(&empty);
        if table.written > born || table.known_since > born || !table.changed.is_empty() {
            return None;
        }
        let since = |new: &'_ [New]| new.partition_point(|new| new.made < born);
        let lent = table.lent.get(since(&table.lent)..)?;
        let new = table.new.get(since(&table.new)..)?;
        if lent.len() + new.len() > FEW {
            return None;
        }
        let refers = |new: &&New| match new.record.fields().and_then(|fields| fields.get(field)) {
            Some(Value::Reference(reference)) => reference.key == to.1,
            _ => false,
        };
        let mut found: Vec<Value> = lent.iter().chain(new).filter(refers).map(|new| new.record.clone()).collect();
        // Keys that are counted up rise by themselves.
        if !of.counted.contains(&of.key) {
            let key = |record: &Value| record.fields().and_then(|fields| fields.get(of.key).cloned());
            found.sort_by_cached_key(key);
        }
        Some(found)
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

    /// Takes note of a new record, whose key was counted up or not.
    pub fn put_new(&mut self, entity: RecordId, key: Value, is_counted: bool, record: Value) {
        self.now += 1;
        let made = self.now;
        if let Some(table) = self.table_mut(entity) {
            match key {
                Value::Int(number) if is_counted => {
                    table.counted_from = Some(table.counted_from.map_or(number, |first| first.min(number)));
                }
                key => drop(table.own.insert(key)),
            }
            table.new.push(New { made, record });
            self.count += 1;
            self.new += 1;
        }
    }

    /// Takes note of a new mail.
    pub fn put_mail(&mut self, mail: NewMail) {
        self.mails.push(mail);
    }

    /// Forgets a new mail; whether it was there.
    pub fn remove_mail(&mut self, number: i64) -> bool {
        let found = self.mails.iter().rposition(|mail| mail.number == number);
        found.map(|at| self.mails.remove(at)).is_some()
    }

    /// New records and mails, to be written by the scribe.
    pub fn lend(&mut self, schema: &Schema) -> (NewRecords, Vec<NewMail>) {
        let records = self.take_new_of(&schema.order);
        for (entity, lent) in &records {
            if let Some(table) = self.table_mut(*entity) {
                table.lent = lent.clone();
                table.known_since = lent.first().map_or(0, |first| first.made);
            }
        }
        (records, std::mem::take(&mut self.mails))
    }

    /// The new records of entities, in this order.
    fn take_new_of(&mut self, entities: &[RecordId]) -> NewRecords {
        let mut records = NewRecords::new();
        for entity in entities {
            let table = self.tables.get_mut(entity.0 as usize).filter(|table| !table.new.is_empty());
            if let Some(table) = table {
                let new = std::mem::take(&mut table.new);
                self.count -= new.len();
                self.new -= new.len();
                records.push((*entity, Arc::new(new)));
            }
        }
        records
    }

    /// Writes new records of entities.
    fn write_new_of(&mut self, connection: &Connection, schema: &Schema, entities: &[RecordId]) -> Done<()> {
        let records = self.take_new_of(entities);
        self.now += 1;
        for (entity, _) in &records {
            let now = self.now;
            if let Some(table) = self.table_mut(*entity) {
                table.written = now;
            }
        }
        record::insert_new(connection, schema, &records)
    }

    /// Forgets a new record, whose key is in this field; whether it was there.
    pub fn remove_new(&mut self, (entity, key): &Place, field: usize) -> bool {
        let Some(table) = self.tables.get_mut(entity.0 as usize) else { return false };
        // What is taken back was made last.
        let found =
            table.new.iter().rposition(|new| new.record.fields().and_then(|fields| fields.get(field)) == Some(key));
        let Some(at) = found else { return false };
        table.new.remove(at);
        table.own.remove(key);
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
        if self.count > 0 {
            self.write_new_of(connection, schema, &schema.order)?;
            for entity in &schema.order {
                self.write_changed(connection, schema, updates, *entity)?;
            }
        }
        if !self.mails.is_empty() {
            outbox::add(connection, &std::mem::take(&mut self.mails))?;
        }
        Ok(())
    }

    /// Writes the records of one entity, and new ones that they may refer to.
    pub fn write_of(
        &mut self,
        connection: &Connection,
        schema: &Schema,
        updates: &mut Updates,
        entity: RecordId,
    ) -> Done<()> {
        if self.count == 0 {
            return Ok(());
        }
        if self.has_new_of(entity) {
            let rank = record::entity(schema, entity)?.rank;
            let before = schema.order.get(..=rank).unwrap_or(&schema.order);
            self.write_new_of(connection, schema, before)?;
        }
        self.write_changed(connection, schema, updates, entity)
    }

    /// Writes what was changed of the records of one entity; the new ones are written.
    fn write_changed(
        &mut self,
        connection: &Connection,
        schema: &Schema,
        updates: &mut Updates,
        entity: RecordId,
    ) -> Done<()> {
        let Some(table) = self.tables.get_mut(entity.0 as usize).filter(|table| !table.changed.is_empty()) else {
            return Ok(());
        };
        let unwritten = |(key, (record, fields))| Unwritten { key, record, fields };
        let mut changed: Vec<Unwritten> = table.changed.drain(..).map(unwritten).collect();
        table.own.extend(changed.iter().map(|unwritten| unwritten.key.clone()));
        self.count -= changed.len();
        changed.sort_by(|one, other| one.fields.cmp(&other.fields));
        for alike in changed.chunk_by(|one, other| one.fields == other.fields) {
            record::write_alike(connection, schema, updates, entity, alike)?;
        }
        Ok(())
    }
}
