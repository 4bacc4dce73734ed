//! Lists, maps and records inside of a field, as JSON that people can read and that loses nothing.
//!
//! Numbers with a point, amounts and days are texts, so that no reader makes binary fractions of them. A map
//! is an object when its keys are texts, else a list of pairs. A reference is the key of its record.

use super::column;
use super::failure::{Done, bad_record, internal};
use super::types::Types;
use crate::check::program::Type;
use crate::value::{Currency, Decimal, Duration, EcoString, Money, RecordId, Value, display};
use serde_json::{Map, Value as Json};

/// How deep documents may be nested: as deep as the reader of JSON goes.
const DEEPEST: usize = 120;

/// A value as JSON text.
pub(super) fn write(ty: &Type, types: &Types, value: &Value) -> Done<String> {
    Ok(to_json(ty, types, value, 0)?.to_string())
}

/// The value that a JSON text holds.
pub(super) fn read(ty: &Type, types: &Types, text: &str) -> Done<Value> {
    let json: Json = serde_json::from_str(text).map_err(|error| bad_record(format!("a field is not JSON: {error}")))?;
    from_json(ty, types, &json, 0)
}

/// A record of an entity with all its fields, as JSON text; in a field it is its key alone.
pub(super) fn write_whole(id: RecordId, types: &Types, value: &Value) -> Done<String> {
    match value {
        Value::Record(record) if record.type_id == id => Ok(fields_to_json(id, types, &record.fields, 0)?.to_string()),
        value => Err(internal(format!("a value of type {} where a record is kept", value.kind()))),
    }
}

/// The record of an entity that such a JSON text holds.
pub(super) fn read_whole(id: RecordId, types: &Types, text: &str) -> Done<Value> {
    match serde_json::from_str(text) {
        Ok(Json::Object(object)) => fields_from_json(id, types, &object, 0),
        _ => Err(bad_record("a record is not JSON")),
    }
}

fn to_json(ty: &Type, types: &Types, value: &Value, depth: usize) -> Done<Json> {
    if depth > DEEPEST {
        return Err(bad_record(format!(
            "a value that is nested more than {DEEPEST} levels deep can't be kept in a field"
        )));
    }
    let inner = |ty: &Type, value: &Value| to_json(ty, types, value, depth + 1);
    Ok(match (ty, value) {
        (_, Value::None) => Json::Null,
        (Type::Optional(ty), value) => to_json(ty, types, value, depth)?,
        (Type::List(item), Value::List(items)) => {
            Json::Array(items.iter().map(|value| inner(item, value)).collect::<Done<_>>()?)
        }
        (Type::Map(key, item), Value::Map(entries)) if **key == Type::Text => {
            let mut object = Map::new();
            for (key, value) in entries.iter() {
                object.insert(key.as_text().unwrap_or_default().to_string(), inner(item, value)?);
            }
            Json::Object(object)
        }
        (Type::Map(key, item), Value::Map(entries)) => {
            let pair = |(k, v): (&Value, &Value)| Ok(Json::Array(vec![inner(key, k)?, inner(item, v)?]));
            Json::Array(entries.iter().map(pair).collect::<Done<_>>()?)
        }
        (Type::Record(id) | Type::Reference(id), value) if types.key_type(*id).is_some() => {
            let key = types.key_type(*id).unwrap_or(&Type::Unknown);
            let value = column::key_of(*id, types, value).unwrap_or(&Value::None);
            inner(key, value)?
        }
        (Type::Record(id), Value::Record(record)) if record.type_id == *id => {
            fields_to_json(*id, types, &record.fields, depth)?
        }
        (Type::Text, Value::Text(text)) => Json::from(text.as_str()),
        (Type::Bool, Value::Bool(value)) => Json::Bool(*value),
        (Type::Int, Value::Int(value)) => Json::from(*value),
        (Type::Decimal, Value::Decimal(value)) | (Type::Percent, Value::Percent(value)) => {
            Json::String(value.to_string())
        }
        (Type::Money(_), Value::Money(money)) => Json::String(format!("{} {}", money.amount, money.currency.code())),
        (Type::Date, Value::Date(value)) => Json::String(display::date(*value)),
        (Type::Time, Value::Time(value)) => Json::from(column::time(*value).as_str()),
        (Type::Instant, Value::Instant(value)) => Json::String(display::instant(*value)),
        (Type::Duration, Value::Duration(value)) => Json::from(value.milliseconds()),
        (Type::Enum(id), Value::Enum(member)) if member.type_id == *id => {
            let name = types.members(*id).get(usize::from(member.member));
            Json::from(name.ok_or_else(|| internal("a member of an enum that the program does not have"))?.as_str())
        }
        (ty, value) => {
            return Err(internal(format!("a value of type {} where {} is kept", value.kind(), types.written(ty))));
        }
    })
}

fn fields_to_json(id: RecordId, types: &Types, fields: &[Value], depth: usize) -> Done<Json> {
    let shape = types.shape(id).ok_or_else(|| internal("a record that the program does not have"))?;
    let mut object = Map::new();
    for ((name, field), value) in shape.field_names.iter().zip(&shape.fields).zip(fields) {
        object.insert(name.to_string(), to_json(&field.ty, types, value, depth + 1)?);
    }
    Ok(Json::Object(object))
}

fn fields_from_json(id: RecordId, types: &Types, object: &Map<String, Json>, depth: usize) -> Done<Value> {
    let shape = types.shape(id).ok_or_else(|| internal("a record that the program does not have"))?;
    let mut fields = Vec::with_capacity(shape.fields.len());
    for (name, field) in shape.field_names.iter().zip(&shape.fields) {
        // A field that the record did not have when it was written.
        fields.push(match (object.get(name.as_str()), &field.default, &field.ty) {
            (Some(json), _, ty) => from_json(ty, types, json, depth + 1)?,
            (None, Some(default), _) => default.clone(),
            (None, None, Type::Optional(_)) => Value::None,
            (None, None, _) => return Err(bad_record(format!("a record has no field `{name}`"))),
        });
    }
    Ok(Value::record(id, fields))
}

fn from_json(ty: &Type, types: &Types, json: &Json, depth: usize) -> Done<Value> {
    if depth > DEEPEST {
        return Err(bad_record("a field is nested too deeply"));
    }
    let wrong = || bad_record(format!("{json} is not of type {}", types.written(ty)));
    let inner = |ty: &Type, json: &Json| from_json(ty, types, json, depth + 1);
    let text = || json.as_str().ok_or_else(wrong);
    Ok(match (ty, json) {
        (Type::Optional(_), Json::Null) => Value::None,
        (Type::Optional(ty), json) => from_json(ty, types, json, depth)?,
        (Type::List(item), Json::Array(items)) => {
            Value::list(items.iter().map(|json| inner(item, json)).collect::<Done<_>>()?)
        }
        (Type::Map(key, item), Json::Object(entries)) if **key == Type::Text => {
            let entry = |(key, json): (&String, &Json)| Ok((Value::from(key.as_str()), inner(item, json)?));
            Value::map(entries.iter().map(entry).collect::<Done<Vec<_>>>()?)
        }
        (Type::Map(key, item), Json::Array(entries)) => {
            let entry = |json: &Json| match json.as_array().map(Vec::as_slice) {
                Some([k, v]) => Ok((inner(key, k)?, inner(item, v)?)),
                _ => Err(wrong()),
            };
            Value::map(entries.iter().map(entry).collect::<Done<Vec<_>>>()?)
        }
        (Type::Record(id) | Type::Reference(id), json) if types.key_type(*id).is_some() => {
            let key = types.key_type(*id).unwrap_or(&Type::Unknown);
            Value::reference(*id, inner(key, json)?)
        }
        (Type::Record(id), Json::Object(object)) => fields_from_json(*id, types, object, depth)?,
        (Type::Text, _) => Value::Text(EcoString::from(text()?)),
        (Type::Bool, _) => Value::Bool(json.as_bool().ok_or_else(wrong)?),
        (Type::Int, _) => Value::Int(json.as_i64().ok_or_else(wrong)?),
        (Type::Decimal, _) => Value::Decimal(Decimal::from_str_exact(text()?).map_err(|_| wrong())?),
        (Type::Percent, _) => Value::Percent(Decimal::from_str_exact(text()?).map_err(|_| wrong())?),
        (Type::Money(_), _) => {
            let (amount, code) = text()?.split_once(' ').ok_or_else(wrong)?;
            let amount = Decimal::from_str_exact(amount).map_err(|_| wrong())?;
            Value::Money(Money::new(amount, Currency::from_code(code).ok_or_else(wrong)?))
        }
        (Type::Date, _) => Value::Date(column::read_date(text()?)?),
        (Type::Time, _) => Value::Time(column::read_time(text()?)?),
        (Type::Instant, _) => Value::Instant(column::read_instant(text()?)?),
        (Type::Duration, _) => Value::Duration(Duration::from_milliseconds(json.as_i64().ok_or_else(wrong)?)),
        (Type::Enum(id), _) => {
            let name = text()?;
            let member = types.members(*id).iter().position(|member| member == name);
            Value::member(*id, member.and_then(|member| u16::try_from(member).ok()).ok_or_else(wrong)?)
        }
        _ => return Err(wrong()),
    })
}
