//! Values: what a script computes with. Pure data, no input or output.
//!
//! One concept a file: [`money`], [`currency`], [`decimal`] (and ints), [`temporal`]; then what is
//! done with every kind: [`parse`] (data files), [`literal`] (the language's own written forms),
//! [`display`] and [`json`] (for people and programs), [`codec`] (for the journal), `order`
//! (equality, sorting, hashing).

pub mod codec;
pub mod currency;
pub mod decimal;
pub mod display;
mod error;
mod ids;
pub mod json;
pub mod literal;
pub mod money;
mod order;
pub mod parse;
pub mod schedule;
pub mod temporal;

pub use codec::{CodecError, decode, encode};
pub use currency::Currency;
pub use decimal::Rounding;
pub use display::{display, written};
pub use ecow::EcoString;
pub use error::ArithmeticError;
pub use ids::{EnumId, ErrorId, NoNames, RecordId, TypeNames};
pub use jiff::civil::{Date, Time};
pub use json::to_json;
pub use money::Money;
pub use rust_decimal::Decimal;
pub use temporal::{Duration, Instant};

use indexmap::IndexMap;
use std::sync::Arc;

/// Any value of the language. 24 bytes; a clone copies at most a pointer.
///
/// Equality, order and hash are structural: see the `order` file. Types are not converted: the int 1
/// and the decimal 1 are different values.
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// `none`: an optional value that is not there.
    #[default]
    None,
    /// `true`, `false`
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// An exact decimal number.
    Decimal(Decimal),
    /// A percent, as its fraction: 15% is 0.15.
    Percent(Decimal),
    /// An amount of a currency.
    Money(Money),
    /// A day of the calendar.
    Date(Date),
    /// A time of day.
    Time(Time),
    /// A point in time.
    Instant(Instant),
    /// A length of time.
    Duration(Duration),
    /// Text, shared when it is longer than 15 bytes.
    Text(EcoString),
    /// A member of an enum.
    Enum(EnumValue),
    /// `[a, b]`
    List(Arc<Vec<Value>>),
    /// `{k: v}`, in the order in which the keys were put in.
    Map(Arc<ValueMap>),
    /// A record, or what an entity's fields were when it was read.
    Record(Arc<RecordValue>),
    /// An entity that is known by its key and not loaded.
    Reference(Arc<ReferenceValue>),
    /// A failure bound by `on error as x`.
    Failure(Arc<FailureValue>),
}

const _: () = assert!(size_of::<Value>() <= 24);

/// A map in the order of insertion.
pub type ValueMap = IndexMap<Value, Value>;

/// A member of an enum, by its position in the declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnumValue {
    /// Which enum.
    pub type_id: EnumId,
    /// Which member, counted from zero.
    pub member: u16,
}

/// A record, or a snapshot of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordValue {
    /// Which record or entity.
    pub type_id: RecordId,
    /// The fields, in the order of the declaration.
    pub fields: Box<[Value]>,
}

/// An entity by its key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReferenceValue {
    /// Which entity.
    pub entity: RecordId,
    /// Its key.
    pub key: Value,
}

/// A business failure with its fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FailureValue {
    /// Which error.
    pub error: ErrorId,
    /// The fields, in the order of the declaration.
    pub fields: Box<[Value]>,
}

impl Value {
    /// A text.
    pub fn text(text: impl Into<EcoString>) -> Value {
        Value::Text(text.into())
    }

    /// A member of an enum.
    pub fn member(type_id: EnumId, member: u16) -> Value {
        Value::Enum(EnumValue { type_id, member })
    }

    /// A list.
    pub fn list(items: Vec<Value>) -> Value {
        Value::List(Arc::new(items))
    }

    /// A map; of doubled keys the last value counts.
    pub fn map(entries: impl IntoIterator<Item = (Value, Value)>) -> Value {
        Value::Map(Arc::new(entries.into_iter().collect()))
    }

    /// A record.
    pub fn record(type_id: RecordId, fields: impl Into<Box<[Value]>>) -> Value {
        Value::Record(Arc::new(RecordValue { type_id, fields: fields.into() }))
    }

    /// An entity that is not loaded.
    pub fn reference(entity: RecordId, key: Value) -> Value {
        Value::Reference(Arc::new(ReferenceValue { entity, key }))
    }

    /// A failure.
    pub fn failure(error: ErrorId, fields: impl Into<Box<[Value]>>) -> Value {
        Value::Failure(Arc::new(FailureValue { error, fields: fields.into() }))
    }

    /// Whether it is `none`.
    pub fn is_none(&self) -> bool {
        matches!(self, Value::None)
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The int, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The items, if it is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The fields, if it is a record, an entity's snapshot or a failure.
    pub fn fields(&self) -> Option<&[Value]> {
        match self {
            Value::Record(record) => Some(&record.fields),
            Value::Failure(failure) => Some(&failure.fields),
            _ => None,
        }
    }

    /// What kind of value it is, in the language's words, for messages: `text`, `list`.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::None => "none",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Decimal(_) => "decimal",
            Value::Percent(_) => "percent",
            Value::Money(_) => "money",
            Value::Date(_) => "date",
            Value::Time(_) => "time",
            Value::Instant(_) => "instant",
            Value::Duration(_) => "duration",
            Value::Text(_) => "text",
            Value::Enum(_) => "enum member",
            Value::List(_) => "list",
            Value::Map(_) => "map",
            Value::Record(_) => "record",
            Value::Reference(_) => "reference",
            Value::Failure(_) => "failure",
        }
    }
}

macro_rules! from {
    ($($type:ty => $variant:ident),* $(,)?) => {
        $(impl From<$type> for Value {
            fn from(value: $type) -> Value {
                Value::$variant(value)
            }
        })*
    };
}

from! {
    bool => Bool, i64 => Int, Decimal => Decimal, Money => Money, Date => Date, Time => Time, Instant => Instant,
    Duration => Duration, EcoString => Text, EnumValue => Enum,
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text.into())
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Value {
        Value::list(items)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::None, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cross_threads() {
        fn sendable<T: Send + Sync>() {}
        sendable::<Value>();
    }
}
