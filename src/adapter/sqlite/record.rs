//! Records: one statement for each thing that is done to them, kept prepared.

use super::behind::{New, Unwritten};
use super::column::{self, Part, key_of, shown};
use super::desk::Desk;
use super::failure::{Done, Trouble, bad_record, internal};
use super::schema::{Entity, FieldColumns, Schema, Updates, condition};
use super::sequence::{Counter, Counters};
use super::types::{Kind, Types};
use crate::value::{EcoString, RecordId, Value, written};
use crate::world::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Row, Statement, ffi};
use std::sync::Arc;

/// The record with this key.
pub(super) fn get(connection: &Connection, schema: &Schema, id: RecordId, key: &Value) -> Done<Option<Value>> {
    let entity = entity(schema, id)?;
    let mut statement = connection.prepare_cached(&entity.get)?;
    fetch(&mut statement, schema, entity, key)
}

fn fetch(statement: &mut Statement<'_>, schema: &Schema, entity: &Entity, key: &Value) -> Done<Option<Value>> {
    let mut at = 0;
    bind_key(statement, &mut at, schema, entity, key)?;
    let mut rows = statement.raw_query();
    match rows.next()? {
        Some(row) => read(row, schema, entity).map(Some),
        None => Ok(None),
    }
}

/// The record in a row that has all columns of the entity, from the first on.
pub(super) fn read(row: &Row<'_>, schema: &Schema, entity: &Entity) -> Done<Value> {
    let mut at = 0;
    let mut fields = Vec::with_capacity(entity.fields.len());
    for field in &entity.fields {
        let value = column::read(&field.kind, &schema.types, &mut || {
            let value = row.get_ref(at)?;
            at += 1;
            Ok(value)
        });
        let value = value.map_err(|trouble| in_field(trouble, entity, field, &fields))?;
        if value.is_none() && !field.optional {
            return Err(in_field(bad_record("there is no value"), entity, field, &fields));
        }
        fields.push(value);
    }
    Ok(Value::record(entity.id, fields))
}

/// Says in which field of which record a value is wrong.
fn in_field(trouble: Trouble, entity: &Entity, field: &FieldColumns, before: &[Value]) -> Trouble {
    match trouble {
        Trouble::Store(StoreError::Failed { code, message, help }) => {
            let key = match (before.get(entity.key), entity.key_field()) {
                (Some(key), Some(place)) if !place.hidden => {
                    format!(" {}", crate::value::display(key, &crate::value::NoNames))
                }
                _ => String::new(),
            };
            let message = format!("{}{key} has a wrong `{}`: {message}", entity.name, field.name);
            Trouble::Store(StoreError::Failed { code, message, help })
        }
        other => other,
    }
}

/// The fields of a new record, and whether its key was counted up: fields without a value are.
pub(super) fn completed(
    desk: &Desk,
    schema: &Schema,
    counters: &mut Counters,
    id: RecordId,
    fields: Vec<Option<Value>>,
) -> Done<(Vec<Value>, bool)> {
    let entity = entity(schema, id)?;
    if fields.len() != entity.fields.len() {
        return Err(internal(format!("{} values for a record of {}", fields.len(), entity.name)));
    }
    let mut values = Vec::with_capacity(fields.len());
    let mut key_is_new = false;
    for (position, value) in fields.into_iter().enumerate() {
        let counted = entity.counted.contains(&position);
        let value = match value {
            None if counted => {
                let counter = Counter::Field(id, position);
                let next = counters.next(desk, &counter, 1, || counted_so_far(desk, entity, position))?;
                key_is_new |= position == entity.key;
                Value::Int(next)
            }
            Some(Value::Int(number)) if counted => {
                let counter = Counter::Field(id, position);
                counters.given(desk, &counter, number, || counted_so_far(desk, entity, position))?;
                Value::Int(number)
            }
            None => Value::None,
            Some(value) => value,
        };
        values.push(fitting(entity, schema, position, value)?);
    }
    Ok((values, key_is_new))
}

/// Puts a record in.
pub(super) fn insert(connection: &Connection, schema: &Schema, id: RecordId, values: &[Value]) -> Done<()> {
    let entity = entity(schema, id)?;
    let mut statement = connection.prepare_cached(&entity.insert)?;
    match write_record(&mut statement, schema, entity, values)? {
        Ok(()) => Ok(()),
        Err(error) => {
            drop(statement);
            Err(refused(connection, schema, entity, None, values, error))
        }
    }
}

/// New records that can't be refused, by entity: each behind those that it refers to.
pub(super) type NewRecords = Vec<(RecordId, Arc<Vec<New>>)>;

/// So many new records are written without SQLite looking for what they refer to.
const MANY: usize = 1_000;

/// Puts new records in of which it is known that what they refer to is there.
pub(super) fn insert_new(connection: &Connection, schema: &Schema, new: &NewRecords) -> Done<()> {
    // SQLite need not look for it again in each row. To tell it so makes it compile its statements anew, which is worth
    // it for many rows alone.
    let is_many = new.iter().map(|(_, records)| records.len()).sum::<usize>() >= MANY;
    if is_many {
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
    }
    let written = new.iter().try_for_each(|(id, records)| insert_alike(connection, schema, *id, records));
    if is_many {
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    }
    written
}

fn insert_alike(connection: &Connection, schema: &Schema, id: RecordId, alike: &[New]) -> Done<()> {
    let entity = entity(schema, id)?;
    let mut statement = connection.prepare_cached(&entity.insert)?;
    for new in alike {
        write_record(&mut statement, schema, entity, new.record.fields().unwrap_or_default())??;
    }
    Ok(())
}

/// Puts a record in; what SQLite has against it is given apart.
fn write_record(
    statement: &mut Statement<'_>,
    schema: &Schema,
    entity: &Entity,
    values: &[Value],
) -> Done<Result<(), rusqlite::Error>> {
    let mut at = 0;
    for (field, value) in entity.fields.iter().zip(values) {
        bind(statement, &mut at, &schema.types, &field.kind, value)?;
    }
    Ok(statement.raw_execute().map(|_| ()))
}

/// The value as the field holds it: a reference where a record was given for one; never none where there must be one.
fn fitting(entity: &Entity, schema: &Schema, position: usize, value: Value) -> Done<Value> {
    let Some(field) = entity.fields.get(position) else {
        return Err(internal(format!("{} has no field {position}", entity.name)));
    };
    match (&field.kind, &value) {
        (_, Value::None) if !field.optional => {
            Err(internal(format!("{}.{} was given no value", entity.name, field.name)))
        }
        (Kind::Reference(target, _), Value::Record(_)) => {
            let key = key_of(*target, &schema.types, &value).cloned().unwrap_or_default();
            Ok(Value::reference(*target, key))
        }
        _ => Ok(value),
    }
}

/// The name of the counter of a field, and the greatest number in it where that is known at once: in the key.
fn counted_so_far(connection: &Connection, entity: &Entity, position: usize) -> Done<(EcoString, Option<i64>)> {
    let Some(field) = entity.fields.get(position) else { return Err(internal("a counter of no field")) };
    let name = ecow::eco_format!("{}.{}", entity.name, field.name);
    let column = field.columns.first().map_or("", String::as_str);
    let most = if position == entity.key || field.unique {
        let text = format!("SELECT max({column}) FROM {}", entity.table);
        connection.prepare_cached(&text)?.query_row((), |row| row.get(0))?
    } else {
        // Looking through all records for each transaction would take long: once, when nothing is known.
        let known: i64 = connection
            .prepare_cached("SELECT count(*) FROM rpa_sequences WHERE kind = 'field' AND name = ?1")?
            .query_row([name.as_str()], |row| row.get(0))?;
        match known {
            0 => connection.query_row(&format!("SELECT max({column}) FROM {}", entity.table), (), |row| row.get(0))?,
            _ => None,
        }
    };
    Ok((name, most))
}

/// A record that was changed.
pub(super) struct Changed {
    pub record: Value,
    /// The positions of the fields that were written; empty when there was nothing to be done.
    pub fields: Box<[usize]>,
}

/// A record with changed fields, as it is to be written.
pub(super) fn changed(
    desk: &Desk,
    schema: &Schema,
    counters: &mut Counters,
    id: RecordId,
    current: &Value,
    changes: &[(usize, Value)],
) -> Done<Changed> {
    let mut fields = current.fields().map(<[Value]>::to_vec).unwrap_or_default();
    let mut changed = Vec::with_capacity(changes.len());
    let entity = entity(schema, id)?;
    for (position, value) in changes {
        let value = fitting(entity, schema, *position, value.clone())?;
        if let (true, Value::Int(number)) = (entity.counted.contains(position), &value) {
            let counter = Counter::Field(id, *position);
            counters.given(desk, &counter, *number, || counted_so_far(desk, entity, *position))?;
        }
        if let Some(place) = fields.get_mut(*position) {
            *place = value;
        }
        if !changed.contains(position) {
            changed.push(*position);
        }
    }
    if changed.is_empty() {
        return Ok(Changed { record: current.clone(), fields: Box::default() });
    }
    changed.sort_unstable();
    Ok(Changed { record: Value::record(id, fields), fields: changed.into() })
}

/// Writes the changed fields of the record that had this key.
pub(super) fn write_changed(
    connection: &Connection,
    schema: &Schema,
    updates: &mut Updates,
    id: RecordId,
    key: &Value,
    changed: &Changed,
) -> Done<()> {
    let fields = changed.record.fields().unwrap_or_default();
    match write_fields(connection, schema, updates, id, key, fields, &changed.fields)? {
        Ok(()) => Ok(()),
        Err(error) => Err(refused(connection, schema, entity(schema, id)?, Some(key), fields, error)),
    }
}

/// Writes the same fields of records of one entity.
pub(super) fn write_alike(
    connection: &Connection,
    schema: &Schema,
    updates: &mut Updates,
    id: RecordId,
    alike: &[Unwritten],
) -> Done<()> {
    let Some(first) = alike.first() else { return Ok(()) };
    let entity = entity(schema, id)?;
    let text = updates.of(entity, &first.fields).ok_or_else(|| internal("an update without a statement"))?;
    let mut statement = connection.prepare_cached(text)?;
    for each in alike {
        let fields = each.record.fields().unwrap_or_default();
        write_one(&mut statement, schema, entity, &each.key, fields, &each.fields)??;
    }
    Ok(())
}

/// Writes fields of the record under a key; what SQLite has against it is given apart.
fn write_fields(
    connection: &Connection,
    schema: &Schema,
    updates: &mut Updates,
    id: RecordId,
    key: &Value,
    fields: &[Value],
    changed: &[usize],
) -> Done<Result<(), rusqlite::Error>> {
    let entity = entity(schema, id)?;
    let text = updates.of(entity, changed).ok_or_else(|| internal("an update without a statement"))?;
    let mut statement = connection.prepare_cached(text)?;
    write_one(&mut statement, schema, entity, key, fields, changed)
}

fn write_one(
    statement: &mut Statement<'_>,
    schema: &Schema,
    entity: &Entity,
    key: &Value,
    fields: &[Value],
    changed: &[usize],
) -> Done<Result<(), rusqlite::Error>> {
    let mut at = 0;
    for position in changed {
        if let (Some(field), Some(value)) = (entity.fields.get(*position), fields.get(*position)) {
            bind(statement, &mut at, &schema.types, &field.kind, value)?;
        }
    }
    bind_key(statement, &mut at, schema, entity, key)?;
    Ok(statement.raw_execute().map(|_| ()))
}

/// Sets fields of the record under a key back to what they were.
pub(super) fn set_back(
    connection: &Connection,
    schema: &Schema,
    updates: &mut Updates,
    id: RecordId,
    key: &Value,
    before: &Value,
    fields: &[usize],
) -> Done<()> {
    let values = before.fields().map(<[Value]>::to_vec).unwrap_or_default();
    write_fields(connection, schema, updates, id, key, &values, fields)?.map_err(Trouble::from)
}

/// Puts a record back in that was taken away.
pub(super) fn put_back(connection: &Connection, schema: &Schema, id: RecordId, record: &Value) -> Done<()> {
    let entity = entity(schema, id)?;
    let mut statement = connection.prepare_cached(&entity.insert)?;
    write_record(&mut statement, schema, entity, record.fields().unwrap_or_default())?.map_err(Trouble::from)
}

/// Takes a record away; whether it was there.
pub(super) fn delete(connection: &Connection, schema: &Schema, id: RecordId, key: &Value) -> Done<bool> {
    let entity = entity(schema, id)?;
    let mut statement = connection.prepare_cached(&entity.delete)?;
    let mut at = 0;
    bind_key(&mut statement, &mut at, schema, entity, key)?;
    match statement.raw_execute() {
        Ok(count) => Ok(count > 0),
        Err(error) if is_constraint(&error, ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => {
            drop(statement);
            match still_referred(connection, schema, entity, key)? {
                Some(found) => Err(found),
                None => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) fn entity(schema: &Schema, id: RecordId) -> Done<&Entity> {
    schema.entity(id).ok_or_else(|| internal(format!("record type {} is no entity of the program", id.0)))
}

/// Binds a value to the next parameters.
fn bind(statement: &mut Statement<'_>, at: &mut usize, types: &Types, kind: &Kind, value: &Value) -> Done<()> {
    column::write(kind, types, value, &mut |part: Part<'_>| {
        *at += 1;
        statement.raw_bind_parameter(*at, part).map_err(Trouble::from)
    })
}

fn bind_key(statement: &mut Statement<'_>, at: &mut usize, schema: &Schema, entity: &Entity, key: &Value) -> Done<()> {
    let Some(field) = entity.key_field() else { return Err(internal("an entity without a key")) };
    let key = key_of(entity.id, &schema.types, key).unwrap_or(&Value::None);
    bind(statement, at, &schema.types, &field.kind, key)
}

fn is_constraint(error: &rusqlite::Error, extended: i32) -> bool {
    error.sqlite_error().is_some_and(|failure| failure.extended_code == extended)
}

pub(super) fn not_found(schema: &Schema, entity: &Entity, key: &Value) -> Trouble {
    let key = key_of(entity.id, &schema.types, key).unwrap_or(key);
    let hidden = entity.key_field().is_some_and(|field| field.hidden);
    StoreError::NotFound { entity: entity.name.clone(), key: shown(&schema.types, key, hidden) }.into()
}

/// Finds out what a record that was refused has run into.
fn refused(
    connection: &Connection,
    schema: &Schema,
    entity: &Entity,
    old_key: Option<&Value>,
    values: &[Value],
    error: rusqlite::Error,
) -> Trouble {
    let found = match error.sqlite_error().map(|failure| failure.extended_code) {
        Some(ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID) => Ok(entity
            .key_field()
            .zip(values.get(entity.key))
            .map(|(field, value)| there_already(schema, entity, field, value))),
        Some(ffi::SQLITE_CONSTRAINT_UNIQUE) => doubled(connection, schema, entity, old_key, values),
        Some(ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => {
            missing_target(connection, schema, entity, values).and_then(|found| match (found, old_key) {
                (None, Some(key)) => still_referred(connection, schema, entity, key),
                (found, _) => Ok(found),
            })
        }
        _ => Ok(None),
    };
    match found {
        Ok(Some(found)) => found,
        Ok(None) => error.into(),
        Err(trouble) => trouble,
    }
}

fn there_already(schema: &Schema, entity: &Entity, field: &FieldColumns, value: &Value) -> Trouble {
    StoreError::AlreadyExists {
        entity: entity.name.clone(),
        field: field.name.clone(),
        value: if field.hidden { "(hidden)".into() } else { written(value, &schema.types).into() },
    }
    .into()
}

/// Which unique field has a value that another record has.
fn doubled(
    connection: &Connection,
    schema: &Schema,
    entity: &Entity,
    old_key: Option<&Value>,
    values: &[Value],
) -> Done<Option<Trouble>> {
    if let (None, Some(key)) = (old_key, values.get(entity.key))
        && get(connection, schema, entity.id, key)?.is_some()
    {
        // Both are there already: the key says more.
        return Ok(entity.key_field().map(|field| there_already(schema, entity, field, key)));
    }
    for (field, value) in entity.fields.iter().zip(values).filter(|(field, _)| field.unique) {
        let found = record_with(connection, schema, entity, field, value)?;
        let own = old_key.map(|key| key_of(entity.id, &schema.types, key).unwrap_or(key));
        if found.is_some_and(|record| record.fields().and_then(|fields| fields.get(entity.key)) != own) {
            return Ok(Some(there_already(schema, entity, field, value)));
        }
    }
    Ok(None)
}

/// A record that has a value in a field.
fn record_with(
    connection: &Connection,
    schema: &Schema,
    entity: &Entity,
    field: &FieldColumns,
    value: &Value,
) -> Done<Option<Value>> {
    let columns: Vec<&str> = entity.fields.iter().flat_map(|field| &field.columns).map(String::as_str).collect();
    let text =
        format!("SELECT {} FROM {} WHERE {} LIMIT 1", columns.join(", "), entity.table, condition(&field.columns, 1));
    let mut statement = connection.prepare(&text)?;
    let mut at = 0;
    bind(&mut statement, &mut at, &schema.types, &field.kind, value)?;
    let mut rows = statement.raw_query();
    rows.next()?.map(|row| read(row, schema, entity)).transpose()
}

/// Which reference leads to a record that is not there.
fn missing_target(
    connection: &Connection,
    schema: &Schema,
    entity: &Entity,
    values: &[Value],
) -> Done<Option<Trouble>> {
    for (field, value) in entity.fields.iter().zip(values) {
        let Kind::Reference(target, _) = &field.kind else { continue };
        // A record may refer to itself.
        let itself = *target == entity.id
            && values.get(entity.key) == Some(key_of(*target, &schema.types, value).unwrap_or(value));
        if !value.is_none() && !itself && get(connection, schema, *target, value)?.is_none() {
            let target = self::entity(schema, *target)?;
            return Ok(Some(not_found(schema, target, value)));
        }
    }
    Ok(None)
}

/// Which entity has a record that refers to this one.
fn still_referred(connection: &Connection, schema: &Schema, entity: &Entity, key: &Value) -> Done<Option<Trouble>> {
    let key = key_of(entity.id, &schema.types, key).unwrap_or(key);
    for (by, field) in schema.referring(entity.id) {
        if record_with(connection, schema, by, field, key)?.is_some() {
            let hidden = entity.key_field().is_some_and(|field| field.hidden);
            return Ok(Some(
                StoreError::StillReferred {
                    entity: entity.name.clone(),
                    key: shown(&schema.types, key, hidden),
                    by: by.name.clone(),
                }
                .into(),
            ));
        }
    }
    Ok(None)
}
