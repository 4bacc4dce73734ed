//! What the store knows of records without its tables, and which writes may wait.
//!
//! A record is looked for in `cache`, then among those that wait (`behind`), and then in the table: as the open
//! transaction has found it where the record is none of its own, so that the scribe need not be waited for.

use super::failure::Done;
use super::{SqliteStore, behind, cache, record, types};
use crate::value::{RecordId, Value};

impl SqliteStore {
    /// Lets the table hear of a change later, where it may; whether it will.
    pub(super) fn change_later(
        &mut self,
        entity: RecordId,
        key: &Value,
        record: &Value,
        fields: &[usize],
    ) -> Done<bool> {
        let described = record::entity(&self.schema, entity)?;
        let Some(place) = cache::place(&self.schema, described, key) else { return Ok(false) };
        // What lies in a savepoint of SQLite is taken back by it.
        let waits = !self.parts.is_known() && behind::may_wait(described, fields);
        if waits {
            self.behind.put(place, record.clone(), fields);
            if self.behind.is_large() {
                self.write_behind()?;
            }
        } else if self.behind.get(&place).is_some() {
            self.write_behind_of(entity)?;
        }
        Ok(waits)
    }

    /// Whether a new record can't be refused: no other can have what must be unique in it, and what it refers to is there,
    /// and written before it. `is_counted` says that its key was counted up.
    pub(super) fn may_insert_later(&mut self, entity: RecordId, values: &[Value], is_counted: bool) -> Done<bool> {
        let schema = self.schema.clone();
        let described = record::entity(&schema, entity)?;
        // What lies in a savepoint of SQLite is taken back by it.
        if self.parts.is_known() || described.fields.iter().any(|field| field.unique) {
            return Ok(false);
        }
        if !is_counted {
            let Some(key) = values.get(described.key) else { return Ok(false) };
            if cache::place(&schema, described, key).is_none() || self.read(entity, key)?.is_some() {
                return Ok(false);
            }
        }
        for (field, value) in described.fields.iter().zip(values) {
            let types::Kind::Reference(target, _) = &field.kind else { continue };
            if value.is_none() {
                continue;
            }
            let target = record::entity(&schema, *target)?;
            let Some(place) = cache::place(&schema, target, value) else { return Ok(false) };
            if target.rank > described.rank && self.behind.is_own(&place) || self.read(target.id, value)?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes what a new record may have to do with that is written at once: records that it refers to, or that have its
    /// key.
    pub(super) fn write_before_insert(&mut self, entity: RecordId) -> Done<()> {
        if !self.behind.has_new() {
            return Ok(());
        }
        let mut wanted = vec![entity];
        for field in &record::entity(&self.schema, entity)?.fields {
            if let types::Kind::Reference(target, _) = &field.kind {
                wanted.push(*target);
            }
        }
        wanted.retain(|entity| self.behind.has_new_of(*entity));
        wanted.into_iter().try_for_each(|entity| self.write_behind_of(entity))
    }

    /// Writes new records that the tables do not know yet.
    pub(super) fn write_new(&mut self) -> Done<()> {
        if self.behind.has_new() { self.write_behind() } else { Ok(()) }
    }

    /// Forgets what the table does not know yet of a record that goes; whether it does not know the record at all.
    pub(super) fn forget_behind(&mut self, entity: RecordId, key: &Value) -> Done<bool> {
        let described = record::entity(&self.schema, entity)?;
        let Some(place) = cache::place(&self.schema, described, key) else { return Ok(false) };
        self.behind.remove(&place);
        Ok(self.behind.remove_new(&place, described.key))
    }

    /// The record with a key.
    pub(super) fn read(&mut self, entity: RecordId, key: &Value) -> Done<Option<Value>> {
        let place = match self.is_open {
            true => cache::place(&self.schema, record::entity(&self.schema, entity)?, key),
            false => None,
        };
        if let Some(known) = place.as_ref().and_then(|place| self.cache.get(place)) {
            return Ok(known);
        }
        if let Some(record) = place.as_ref().and_then(|place| self.behind.get(place)) {
            return Ok(Some(record.clone()));
        }
        let is_as_before = place.as_ref().is_some_and(|place| !self.behind.is_own(place));
        let found = if is_as_before {
            record::get(self.connection.before(), &self.schema, entity, key)?
        } else {
            if self.behind.has_new_of(entity) {
                self.write_behind_of(entity)?;
            }
            record::get(&self.connection, &self.schema, entity, key)?
        };
        if let Some(place) = place {
            self.cache.put(place, found.clone());
        }
        Ok(found)
    }

    /// Takes note of a record that was written, or taken away.
    pub(super) fn note(&mut self, entity: RecordId, key: &Value, record: Option<Value>) -> Done<()> {
        let entity = record::entity(&self.schema, entity)?;
        if let Some(place) = cache::place(&self.schema, entity, key) {
            // What has only a number is hardly asked for by it.
            match entity.counted.contains(&entity.key) {
                true => self.cache.remove(&place),
                false => self.cache.put(place, record),
            }
        }
        Ok(())
    }

    /// Takes note of a record that is written in its table, or taken out of it.
    pub(super) fn was_written(&mut self, entity: RecordId, key: &Value) -> Done<()> {
        let place = cache::place(&self.schema, record::entity(&self.schema, entity)?, key);
        self.behind.was_written(entity, place);
        Ok(())
    }

    /// Takes note of a record that did not exist before, where others may refer to it.
    pub(super) fn note_birth(&mut self, entity: RecordId, key: &Value) -> Done<()> {
        let entity = record::entity(&self.schema, entity)?;
        if entity.is_referred_to
            && let Some(place) = cache::place(&self.schema, entity, key)
        {
            self.behind.was_born(place);
        }
        Ok(())
    }

    /// The key of a record.
    pub(super) fn key_of(&self, entity: RecordId, record: &Value) -> Value {
        let key = record.fields().zip(self.schema.entity(entity)).and_then(|(fields, entity)| fields.get(entity.key));
        key.cloned().unwrap_or_default()
    }
}
