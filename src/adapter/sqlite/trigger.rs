//! What triggers have seen, and the log of the changes that they are for.
//!
//! A change is logged in the transaction that makes it, and only where a trigger wants it. Keys are kept so that
//! every program can read them: a reference as the key that it holds, a member of an enum by its name. Of a record
//! that is gone nothing is left to look up, so all of it is kept in place of the key, by the names of its fields.
//! What every trigger has seen is removed from the log.

use super::document;
use super::failure::{Done, bad_record, internal};
use super::journal::limit;
use super::schema::{Entity, Schema};
use super::types::Types;
use crate::check::program::Type;
use crate::value::{EcoString, Instant, RecordId, Value, decode, encode};
use crate::world::{LoggedChange, RecordHappening};
use rusqlite::{Connection, OptionalExtension};

/// The tables of the triggers.
pub(super) const TABLES: &str = "
CREATE TABLE rpa_triggers (
  name TEXT PRIMARY KEY, entity TEXT, happening INTEGER, position INTEGER NOT NULL, registered INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE rpa_seen (
  trigger TEXT NOT NULL, what TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (trigger, what)
) STRICT, WITHOUT ROWID;
CREATE TABLE rpa_changes (
  number INTEGER PRIMARY KEY AUTOINCREMENT, entity TEXT NOT NULL, happening INTEGER NOT NULL, key BLOB NOT NULL
) STRICT;
CREATE INDEX rpa_changes_entity ON rpa_changes (entity, happening, number);
";

/// What is logged: names of entities with what happens to their records.
pub(super) type Logged = Vec<(EcoString, u8)>;

/// What triggers want to be logged.
pub(super) fn logged(connection: &Connection) -> Done<Logged> {
    let mut statement =
        connection.prepare_cached("SELECT DISTINCT entity, happening FROM rpa_triggers WHERE entity IS NOT NULL")?;
    let mut rows = statement.query(())?;
    let mut logged = Vec::new();
    while let Some(row) = rows.next()? {
        logged.push((EcoString::from(row.get::<_, String>(0)?), row.get(1)?));
    }
    Ok(logged)
}

/// Logs what happened to a record.
pub(super) fn log(
    connection: &Connection,
    schema: &Schema,
    entity: RecordId,
    happening: RecordHappening,
    record: &Value,
) -> Done<()> {
    let Some(entity) = schema.entity(entity) else { return Ok(()) };
    let bytes = match happening {
        RecordHappening::Created | RecordHappening::Changed => {
            let mut bytes = Vec::new();
            let key = key_of(entity, record);
            encode(&plain(&schema.types, key), &mut bytes).map_err(|error| internal(error.to_string()))?;
            bytes
        }
        RecordHappening::Deleted => document::write_whole(entity.id, &schema.types, record)?.into_bytes(),
    };
    connection.prepare_cached("INSERT INTO rpa_changes (entity, happening, key) VALUES (?1, ?2, ?3)")?.execute((
        entity.name.as_str(),
        happening as u8,
        bytes,
    ))?;
    Ok(())
}

fn key_of(entity: &Entity, record: &Value) -> Value {
    record.fields().and_then(|fields| fields.get(entity.key)).cloned().unwrap_or_default()
}

/// A key without the numbers that types have in this program.
fn plain(types: &Types, key: Value) -> Value {
    match key {
        Value::Reference(reference) => plain(types, reference.key.clone()),
        Value::Enum(member) => {
            Value::Text(types.members(member.type_id).get(usize::from(member.member)).cloned().unwrap_or_default())
        }
        key => key,
    }
}

/// A key in the numbers of this program; none when it has no such type or member any more.
fn own(schema: &Schema, ty: &Type, key: Value) -> Option<Value> {
    Some(match ty {
        Type::Reference(id) => {
            let entity = schema.entity(*id)?;
            let inner = schema.types.shape(*id)?.fields.get(entity.key)?.ty.clone();
            Value::reference(*id, own(schema, &inner, key)?)
        }
        Type::Enum(id) => {
            let member = schema.types.members(*id).iter().position(|name| Some(name.as_str()) == key.as_text())?;
            Value::member(*id, u16::try_from(member).ok()?)
        }
        _ => key,
    })
}

/// How far a trigger has come, with a beginning for a new one.
pub(super) fn register(
    connection: &Connection,
    schema: &Schema,
    trigger: &str,
    on: Option<(RecordId, RecordHappening)>,
    first: i64,
    now: Instant,
) -> Done<i64> {
    let entity = match on {
        Some((id, _)) => Some(&schema.entity(id).ok_or_else(|| internal("a trigger watches what is no entity"))?.name),
        None => None,
    };
    let first = match on {
        Some(_) => connection
            .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'rpa_changes'", (), |row| row.get(0))
            .optional()?
            .unwrap_or(0),
        None => first,
    };
    connection.execute(
        "INSERT INTO rpa_triggers (name, entity, happening, position, registered) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (name) DO UPDATE SET registered = excluded.registered",
        (trigger, entity.map(EcoString::as_str), on.map(|(_, happening)| happening as u8), first, now.milliseconds()),
    )?;
    position(connection, trigger)?.ok_or_else(|| internal("a trigger was not registered"))
}

/// How far a trigger has come.
pub(super) fn position(connection: &Connection, trigger: &str) -> Done<Option<i64>> {
    let mut statement = connection.prepare_cached("SELECT position FROM rpa_triggers WHERE name = ?1")?;
    Ok(statement.query_row([trigger], |row| row.get(0)).optional()?)
}

/// Moves a trigger on, if it is where the caller thinks.
pub(super) fn move_on(connection: &Connection, trigger: &str, from: i64, to: i64) -> Done<bool> {
    let changed = connection
        .prepare_cached("UPDATE rpa_triggers SET position = ?3 WHERE name = ?1 AND position = ?2")?
        .execute((trigger, from, to))?;
    Ok(changed == 1)
}

/// What happened to records of an entity, in order.
pub(super) fn changes(
    connection: &Connection,
    schema: &Schema,
    entity: RecordId,
    happening: RecordHappening,
    position: i64,
    most: usize,
) -> Done<Vec<LoggedChange>> {
    let entity = schema.entity(entity).ok_or_else(|| internal("a trigger watches what is no entity"))?;
    let ty = schema.types.shape(entity.id).and_then(|shape| shape.fields.get(entity.key)).map(|field| field.ty.clone());
    let mut statement = connection.prepare_cached(
        "SELECT number, key FROM rpa_changes WHERE entity = ?1 AND happening = ?2 AND number > ?3 \
         ORDER BY number LIMIT ?4",
    )?;
    let mut rows = statement.query((entity.name.as_str(), happening as u8, position, limit(most)))?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(0)?;
        let bytes: Vec<u8> = row.get(1)?;
        changes.push(match happening {
            RecordHappening::Created | RecordHappening::Changed => {
                let key =
                    decode(&bytes).map_err(|_| bad_record(format!("change {number} of the log can't be read")))?;
                // A key that this program has no type for is the key of no record.
                let key = ty.as_ref().and_then(|ty| own(schema, ty, key)).unwrap_or_default();
                LoggedChange { number, key, gone: None }
            }
            RecordHappening::Deleted => {
                // The script may have been changed since: what does not fit its entity any more is no record of it.
                let gone = document::read_whole(entity.id, &schema.types, &String::from_utf8_lossy(&bytes)).ok();
                let key = gone.as_ref().map(|gone| key_of(entity, gone)).unwrap_or_default();
                LoggedChange { number, key, gone }
            }
        });
    }
    Ok(changes)
}

/// Whether a trigger has seen something.
pub(super) fn has_seen(connection: &Connection, trigger: &str, what: &str) -> Done<bool> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM rpa_seen WHERE trigger = ?1 AND what = ?2")?;
    Ok(statement.query_row((trigger, what), |_| Ok(())).optional()?.is_some())
}

/// Remembers that a trigger has seen something; false when it had before.
pub(super) fn see(connection: &Connection, trigger: &str, what: &str, now: Instant) -> Done<bool> {
    let made = connection
        .prepare_cached("INSERT INTO rpa_seen (trigger, what, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
        .execute((trigger, what, now.milliseconds()))?;
    Ok(made == 1)
}

/// What a trigger has seen before a moment.
pub(super) fn seen_before(connection: &Connection, trigger: &str, before: Instant) -> Done<Vec<EcoString>> {
    let mut statement = connection.prepare_cached("SELECT what FROM rpa_seen WHERE trigger = ?1 AND at < ?2")?;
    let mut rows = statement.query((trigger, before.milliseconds()))?;
    let mut seen = Vec::new();
    while let Some(row) = rows.next()? {
        seen.push(EcoString::from(row.get::<_, String>(0)?));
    }
    Ok(seen)
}

/// Forgets that a trigger has seen something.
pub(super) fn forget(connection: &Connection, trigger: &str, what: &str) -> Done<()> {
    connection.execute("DELETE FROM rpa_seen WHERE trigger = ?1 AND what = ?2", (trigger, what))?;
    Ok(())
}

/// Forgets triggers that nobody has, and changes that all have seen.
pub(super) fn tidy(connection: &Connection, before: Instant) -> Done<()> {
    let before = before.milliseconds();
    connection.execute(
        "DELETE FROM rpa_seen WHERE trigger IN (SELECT name FROM rpa_triggers WHERE registered < ?1)",
        [before],
    )?;
    connection.execute("DELETE FROM rpa_triggers WHERE registered < ?1", [before])?;
    connection.execute(
        "DELETE FROM rpa_changes WHERE number <= ifnull((SELECT min(position) FROM rpa_triggers t \
         WHERE t.entity = rpa_changes.entity AND t.happening = rpa_changes.happening), number)",
        (),
    )?;
    Ok(())
}
