//! Equality, order and hash of values, so that any value can be a key and any list can be sorted.
//!
//! Numbers compare by what they are worth (1.0 is 1.00), maps without regard to the order of their
//! keys, money first by the letters of its currency. The order is total: values of different kinds
//! go by kind, and `none` comes last.

use super::{Value, ValueMap};
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::None, Value::None) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Decimal(a), Value::Decimal(b)) | (Value::Percent(a), Value::Percent(b)) => a == b,
            (Value::Money(a), Value::Money(b)) => a == b,
            (Value::Date(a), Value::Date(b)) => a == b,
            (Value::Time(a), Value::Time(b)) => a == b,
            (Value::Instant(a), Value::Instant(b)) => a == b,
            (Value::Duration(a), Value::Duration(b)) => a == b,
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::Enum(a), Value::Enum(b)) => a == b,
            (Value::List(a), Value::List(b)) => a == b,
            (Value::Map(a), Value::Map(b)) => a == b,
            (Value::Record(a), Value::Record(b)) => a == b,
            (Value::Reference(a), Value::Reference(b)) => a == b,
            (Value::Failure(a), Value::Failure(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Value) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Int(a), Value::Int(b)) => a.cmp(b),
            (Value::Decimal(a), Value::Decimal(b)) | (Value::Percent(a), Value::Percent(b)) => a.cmp(b),
            (Value::Money(a), Value::Money(b)) => a.currency.cmp(&b.currency).then_with(|| a.amount.cmp(&b.amount)),
            (Value::Date(a), Value::Date(b)) => a.cmp(b),
            (Value::Time(a), Value::Time(b)) => a.cmp(b),
            (Value::Instant(a), Value::Instant(b)) => a.cmp(b),
            (Value::Duration(a), Value::Duration(b)) => a.cmp(b),
            (Value::Text(a), Value::Text(b)) => a.cmp(b),
            (Value::Enum(a), Value::Enum(b)) => a.cmp(b),
            (Value::List(a), Value::List(b)) => a.cmp(b),
            (Value::Map(a), Value::Map(b)) => by_key(a).cmp(&by_key(b)),
            (Value::Record(a), Value::Record(b)) => a.cmp(b),
            (Value::Reference(a), Value::Reference(b)) => a.cmp(b),
            (Value::Failure(a), Value::Failure(b)) => a.cmp(b),
            _ => rank(self).cmp(&rank(other)),
        }
    }
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        rank(self).hash(state);
        match self {
            Value::None => {}
            Value::Bool(value) => value.hash(state),
            Value::Int(value) => value.hash(state),
            Value::Decimal(value) | Value::Percent(value) => value.hash(state),
            Value::Money(value) => value.hash(state),
            Value::Date(value) => value.hash(state),
            Value::Time(value) => value.hash(state),
            Value::Instant(value) => value.hash(state),
            Value::Duration(value) => value.hash(state),
            Value::Text(value) => value.hash(state),
            Value::Enum(value) => value.hash(state),
            Value::List(value) => value.hash(state),
            Value::Map(value) => by_key(value).hash(state),
            Value::Record(value) => value.hash(state),
            Value::Reference(value) => value.hash(state),
            Value::Failure(value) => value.hash(state),
        }
    }
}

/// The entries in the order of their keys: equal maps give equal sequences.
fn by_key(map: &ValueMap) -> Vec<(&Value, &Value)> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by(|a, b| a.0.cmp(b.0));
    entries
}

/// Where the kind of a value stands among the kinds; `none` is last.
fn rank(value: &Value) -> u8 {
    match value {
        Value::Bool(_) => 0,
        Value::Int(_) => 1,
        Value::Decimal(_) => 2,
        Value::Percent(_) => 3,
        Value::Money(_) => 4,
        Value::Date(_) => 5,
        Value::Time(_) => 6,
        Value::Instant(_) => 7,
        Value::Duration(_) => 8,
        Value::Text(_) => 9,
        Value::Enum(_) => 10,
        Value::List(_) => 11,
        Value::Map(_) => 12,
        Value::Record(_) => 13,
        Value::Reference(_) => 14,
        Value::Failure(_) => 15,
        Value::None => u8::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::super::codec::tests::value;
    use super::*;
    use crate::value::{Currency, Decimal, Money};
    use proptest::prelude::*;
    use std::hash::DefaultHasher;

    fn hash(value: &Value) -> u64 {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn numbers_compare_by_worth_and_currencies_differ() {
        let (short, long) = (Value::Decimal(Decimal::new(10, 1)), Value::Decimal(Decimal::new(100, 2)));
        assert_eq!(short, long);
        assert_eq!(hash(&short), hash(&long));
        assert_ne!(short, Value::Int(1));
        assert_ne!(
            Value::Money(Money::new(Decimal::ONE, Currency::EUR)),
            Value::Money(Money::new(Decimal::ONE, Currency::USD))
        );
    }

    #[test]
    fn none_is_sorted_last() {
        let mut values = [Value::None, Value::text("b"), Value::Int(2), Value::text("a")];
        values.sort();
        assert_eq!(values, [Value::Int(2), Value::text("a"), Value::text("b"), Value::None]);
    }

    #[test]
    fn maps_are_equal_in_any_order() {
        let one = Value::map([(Value::Int(1), Value::None), (Value::Int(2), Value::Bool(true))]);
        let two = Value::map([(Value::Int(2), Value::Bool(true)), (Value::Int(1), Value::None)]);
        assert_eq!(one, two);
        assert_eq!(hash(&one), hash(&two));
        assert_eq!(one.cmp(&two), Ordering::Equal);
    }

    proptest! {
        #[test]
        fn order_equality_and_hash_agree(a in value(), b in value()) {
            prop_assert_eq!(a == b, a.cmp(&b) == Ordering::Equal);
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            if a == b {
                prop_assert_eq!(hash(&a), hash(&b));
            }
        }

        #[test]
        fn order_is_transitive(mut values in proptest::collection::vec(value(), 3)) {
            values.sort();
            prop_assert!(values[0] <= values[2]);
        }
    }
}
