//! Values as bytes, for the journal: a tag byte a value, numbers as varints, ids as numbers.
//!
//! The first byte of an encoded value is the version of the form. A value decodes to exactly what
//! was encoded, the written digits of a decimal included. Decoding accepts any bytes: junk gives a
//! [`CodecError`], never a panic, and never more memory than the bytes are worth.

use super::temporal;
use super::{
    Currency, Decimal, Duration, EcoString, EnumId, EnumValue, ErrorId, Instant, Money, RecordId, Value, ValueMap,
};
use std::sync::Arc;

/// The version of the form that [`encode`] writes.
const VERSION: u8 = 1;

/// How deep lists, maps and records may lie in each other.
///
/// Deep enough for any data, and flat enough to be read back on a thread with a small stack.
pub const MAX_DEPTH: usize = 256;

/// Why a value can't be encoded, or bytes can't be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The bytes end in the middle of a value.
    #[error("the stored value is cut off")]
    CutOff,
    /// The bytes go on behind the value.
    #[error("the stored value has {0} bytes too many")]
    TooLong(usize),
    /// The form is of a version that this program does not know.
    #[error("the stored value has version {0}, and this program knows version {VERSION}")]
    Version(u8),
    /// Something in the bytes is not what the form allows.
    #[error("the stored value is damaged: {0}")]
    Damaged(&'static str),
    /// More than [`MAX_DEPTH`] lists, maps and records lie in each other.
    #[error("the value is nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
}

type Result<T> = std::result::Result<T, CodecError>;

/// Appends a value to `out`.
///
/// # Errors
/// [`CodecError::TooDeep`]; then `out` is as it was.
pub fn encode(value: &Value, out: &mut Vec<u8>) -> Result<()> {
    let start = out.len();
    out.push(VERSION);
    write(value, 0, out).inspect_err(|_| out.truncate(start))
}

/// Reads the value that `bytes` hold, and nothing else.
///
/// # Errors
/// When the bytes are not one whole value in a known version of the form.
pub fn decode(bytes: &[u8]) -> Result<Value> {
    let mut reader = Reader { rest: bytes };
    match reader.byte()? {
        VERSION => {}
        version => return Err(CodecError::Version(version)),
    }
    let value = reader.value(0)?;
    match reader.rest.len() {
        0 => Ok(value),
        more => Err(CodecError::TooLong(more)),
    }
}

/// The tag bytes. A number is never used again for something else.
mod tag {
    pub const NONE: u8 = 0;
    pub const FALSE: u8 = 1;
    pub const TRUE: u8 = 2;
    pub const INT: u8 = 3;
    pub const DECIMAL: u8 = 4;
    pub const PERCENT: u8 = 5;
    pub const MONEY: u8 = 6;
    pub const DATE: u8 = 7;
    pub const TIME: u8 = 8;
    pub const INSTANT: u8 = 9;
    pub const DURATION: u8 = 10;
    pub const TEXT: u8 = 11;
    pub const ENUM: u8 = 12;
    pub const LIST: u8 = 13;
    pub const MAP: u8 = 14;
    pub const RECORD: u8 = 15;
    pub const REFERENCE: u8 = 16;
    pub const FAILURE: u8 = 17;
}

fn write(value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(CodecError::TooDeep);
    }
    match value {
        Value::None => out.push(tag::NONE),
        Value::Bool(false) => out.push(tag::FALSE),
        Value::Bool(true) => out.push(tag::TRUE),
        Value::Int(value) => {
            out.push(tag::INT);
            signed(*value, out);
        }
        Value::Decimal(value) => {
            out.push(tag::DECIMAL);
            decimal(*value, out);
        }
        Value::Percent(value) => {
            out.push(tag::PERCENT);
            decimal(*value, out);
        }
        Value::Money(money) => {
            out.push(tag::MONEY);
            unsigned(u128::from(money.currency.numeric()), out);
            decimal(money.amount, out);
        }
        Value::Date(date) => {
            out.push(tag::DATE);
            signed(temporal::days_since_epoch(*date), out);
        }
        Value::Time(time) => {
            out.push(tag::TIME);
            let nanoseconds = i128::from(temporal::milliseconds_of_day(*time)) * 1_000_000
                + i128::from(time.microsecond()) * 1000
                + i128::from(time.nanosecond());
            unsigned(nanoseconds.unsigned_abs(), out);
        }
        Value::Instant(instant) => {
            out.push(tag::INSTANT);
            signed(instant.milliseconds(), out);
        }
        Value::Duration(duration) => {
            out.push(tag::DURATION);
            signed(duration.milliseconds(), out);
        }
        Value::Text(text) => {
            out.push(tag::TEXT);
            unsigned(text.len() as u128, out);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Enum(value) => {
            out.push(tag::ENUM);
            unsigned(u128::from(value.type_id.0), out);
            unsigned(u128::from(value.member), out);
        }
        Value::List(items) => {
            out.push(tag::LIST);
            all(items, depth, out)?;
        }
        Value::Map(map) => {
            out.push(tag::MAP);
            unsigned(map.len() as u128, out);
            for (key, value) in map.iter() {
                write(key, depth + 1, out)?;
                write(value, depth + 1, out)?;
            }
        }
        Value::Record(record) => {
            out.push(tag::RECORD);
            unsigned(u128::from(record.type_id.0), out);
            all(&record.fields, depth, out)?;
        }
        Value::Reference(reference) => {
            out.push(tag::REFERENCE);
            unsigned(u128::from(reference.entity.0), out);
            write(&reference.key, depth + 1, out)?;
        }
        Value::Failure(failure) => {
            out.push(tag::FAILURE);
            unsigned(u128::from(failure.error.0), out);
            all(&failure.fields, depth, out)?;
        }
    }
    Ok(())
}

fn all(values: &[Value], depth: usize, out: &mut Vec<u8>) -> Result<()> {
    unsigned(values.len() as u128, out);
    values.iter().try_for_each(|value| write(value, depth + 1, out))
}

/// Seven bits a byte, the lowest first; the top bit says that another byte follows (LEB128).
fn unsigned(value: u128, out: &mut Vec<u8>) {
    // Nearly all numbers are short, and long ones take a processor several times as long.
    let Ok(mut value) = u64::try_from(value) else { return long(value, out) };
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn long(mut value: u128, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The sign in the lowest bit, so that small negative numbers are short too (zigzag).
fn signed(value: i64, out: &mut Vec<u8>) {
    unsigned(u128::from(((value << 1) ^ (value >> 63)) as u64), out);
}

/// The digits behind the point and the sign in one byte, then the digits as a number.
fn decimal(value: Decimal, out: &mut Vec<u8>) {
    let sign = if value.is_sign_negative() { 0x80 } else { 0 };
    out.push(value.scale() as u8 | sign);
    unsigned(value.mantissa().unsigned_abs(), out);
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Value> {
        if depth > MAX_DEPTH {
            return Err(CodecError::TooDeep);
        }
        Ok(match self.byte()? {
            tag::LIST => Value::List(Arc::new(self.values(depth)?)),
            tag::MAP => Value::Map(Arc::new(self.map(depth)?)),
            tag::RECORD => {
                let type_id = RecordId(self.number("a record")?);
                Value::record(type_id, self.values(depth)?)
            }
            tag::REFERENCE => {
                let entity = RecordId(self.number("a reference")?);
                Value::reference(entity, self.value(depth + 1)?)
            }
            tag::FAILURE => {
                let error = ErrorId(self.number("a failure")?);
                Value::failure(error, self.values(depth)?)
            }
            tag => self.scalar(tag)?,
        })
    }

    /// Apart from [`Reader::value`], whose frame on the stack counts once a level.
    fn scalar(&mut self, tag: u8) -> Result<Value> {
        Ok(match tag {
            tag::NONE => Value::None,
            tag::FALSE => Value::Bool(false),
            tag::TRUE => Value::Bool(true),
            tag::INT => Value::Int(self.signed()?),
            tag::DECIMAL => Value::Decimal(self.decimal()?),
            tag::PERCENT => Value::Percent(self.decimal()?),
            tag::MONEY => {
                let numeric = self.number("the currency")?;
                let currency = Currency::from_numeric(numeric).ok_or(CodecError::Damaged("the currency"))?;
                Value::Money(Money::new(self.decimal()?, currency))
            }
            tag::DATE => {
                let date = temporal::date_from_days(self.signed()?);
                Value::Date(date.map_err(|_| CodecError::Damaged("a date"))?)
            }
            tag::TIME => {
                let nanoseconds: i64 = self.number("a time of day")?;
                let time = temporal::time_from_milliseconds(nanoseconds / 1_000_000)
                    .map_err(|_| CodecError::Damaged("a time of day"))?;
                let finer = jiff::SignedDuration::from_nanos(nanoseconds % 1_000_000);
                Value::Time(time.checked_add(finer).map_err(|_| CodecError::Damaged("a time of day"))?)
            }
            tag::INSTANT => {
                let instant = Instant::from_milliseconds(self.signed()?);
                Value::Instant(instant.map_err(|_| CodecError::Damaged("an instant"))?)
            }
            tag::DURATION => Value::Duration(Duration::from_milliseconds(self.signed()?)),
            tag::TEXT => {
                let length = self.length()?;
                let (text, rest) = self.rest.split_at_checked(length).ok_or(CodecError::CutOff)?;
                self.rest = rest;
                let text = std::str::from_utf8(text).map_err(|_| CodecError::Damaged("a text that is not UTF-8"))?;
                Value::Text(EcoString::from(text))
            }
            tag::ENUM => {
                let type_id = EnumId(self.number("an enum")?);
                Value::Enum(EnumValue { type_id, member: self.number("an enum")? })
            }
            _ => return Err(CodecError::Damaged("an unknown kind of value")),
        })
    }

    fn map(&mut self, depth: usize) -> Result<ValueMap> {
        let length = self.length()?;
        let mut map = ValueMap::with_capacity(length.min(1024));
        for _ in 0..length {
            let key = self.value(depth + 1)?;
            if map.insert(key, self.value(depth + 1)?).is_some() {
                return Err(CodecError::Damaged("a map with a doubled key"));
            }
        }
        Ok(map)
    }

    fn values(&mut self, depth: usize) -> Result<Vec<Value>> {
        let length = self.length()?;
        let mut values = Vec::with_capacity(length.min(1024));
        for _ in 0..length {
            values.push(self.value(depth + 1)?);
        }
        Ok(values)
    }

    fn byte(&mut self) -> Result<u8> {
        let (byte, rest) = self.rest.split_first().ok_or(CodecError::CutOff)?;
        self.rest = rest;
        Ok(*byte)
    }

    /// How many things follow; each takes at least a byte, so more than the bytes left is a lie.
    fn length(&mut self) -> Result<usize> {
        let length: usize = self.number("a length")?;
        if length > self.rest.len() { Err(CodecError::CutOff) } else { Ok(length) }
    }

    fn number<T: TryFrom<u128>>(&mut self, what: &'static str) -> Result<T> {
        T::try_from(self.unsigned()?).map_err(|_| CodecError::Damaged(what))
    }

    fn unsigned(&mut self) -> Result<u128> {
        let mut value = 0_u128;
        // Nothing that is stored has more than 96 bits.
        for shift in (0..=98).step_by(7) {
            let byte = self.byte()?;
            value |= u128::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(CodecError::Damaged("a number"))
    }

    fn signed(&mut self) -> Result<i64> {
        let value: u64 = self.number("a number")?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn decimal(&mut self) -> Result<Decimal> {
        let head = self.byte()?;
        let mantissa: i128 = self.number("a decimal")?;
        let mantissa = if head & 0x80 == 0 { mantissa } else { -mantissa };
        Decimal::try_from_i128_with_scale(mantissa, u32::from(head & 0x7f))
            .map_err(|_| CodecError::Damaged("a decimal"))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    fn some_decimal() -> impl Strategy<Value = Decimal> {
        let digits = prop_oneof![-200_i128..200, -(1_i128 << 90)..(1_i128 << 90)];
        (digits, 0_u32..=28).prop_map(|(digits, scale)| Decimal::from_i128_with_scale(digits, scale))
    }

    /// Any value, nested a few levels.
    pub fn value() -> impl Strategy<Value = Value> {
        let currency = prop_oneof![Just(Currency::EUR), Just(Currency::USD)];
        let leaf = prop_oneof![
            Just(Value::None),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            (-3_i64..3).prop_map(Value::Int),
            some_decimal().prop_map(Value::Decimal),
            some_decimal().prop_map(Value::Percent),
            (some_decimal(), currency).prop_map(|(amount, currency)| Value::Money(Money::new(amount, currency))),
            (-700_000_i64..2_900_000).prop_map(|days| Value::Date(temporal::date_from_days(days).unwrap())),
            (0..Duration::DAY).prop_map(|at| Value::Time(temporal::time_from_milliseconds(at).unwrap())),
            (-60_000_000_000_000_i64..250_000_000_000_000)
                .prop_map(|at| Value::Instant(Instant::from_milliseconds(at).unwrap())),
            any::<i64>().prop_map(|length| Value::Duration(Duration::from_milliseconds(length))),
            ".{0,20}".prop_map(Value::from),
            (any::<u32>(), any::<u16>()).prop_map(|(id, member)| Value::member(EnumId(id), member)),
        ];
        leaf.prop_recursive(4, 24, 5, |inner| {
            let some = || proptest::collection::vec(inner.clone(), 0..4);
            prop_oneof![
                some().prop_map(Value::list),
                proptest::collection::vec((inner.clone(), inner.clone()), 0..4).prop_map(Value::map),
                (any::<u32>(), some()).prop_map(|(id, fields)| Value::record(RecordId(id), fields)),
                (any::<u32>(), inner.clone()).prop_map(|(id, key)| Value::reference(RecordId(id), key)),
                (any::<u32>(), some()).prop_map(|(id, fields)| Value::failure(ErrorId(id), fields)),
            ]
        })
    }

    fn encoded(value: &Value) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(value, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_form_is_short_and_stays_as_it_is() {
        // Journals hold these bytes: a change here needs a new version.
        assert_eq!(encoded(&Value::Int(-1)), [1, 3, 1]);
        assert_eq!(encoded(&Value::text("A1")), [1, 11, 2, b'A', b'1']);
        let money = Value::Money(Money::new(Decimal::new(9990, 2), Currency::EUR));
        assert_eq!(encoded(&money), [1, 6, 0xd2, 0x07, 2, 0x86, 0x4e]);
    }

    #[test]
    fn the_digits_of_a_decimal_are_kept() {
        let decoded = decode(&encoded(&Value::Decimal("1.500".parse().unwrap()))).unwrap();
        assert!(matches!(decoded, Value::Decimal(value) if value.to_string() == "1.500"));
        for extreme in [Decimal::MAX, Decimal::MIN, Decimal::ZERO] {
            assert_eq!(decode(&encoded(&Value::Decimal(extreme))), Ok(Value::Decimal(extreme)));
        }
    }

    #[test]
    fn nesting_is_bounded_both_ways() {
        let deep = (0..=MAX_DEPTH).fold(Value::None, |inner, _| Value::list(vec![inner]));
        let mut bytes = vec![7];
        assert_eq!(encode(&deep, &mut bytes), Err(CodecError::TooDeep));
        assert_eq!(bytes, [7]);
        let junk: Vec<u8> = [VERSION].into_iter().chain([tag::LIST, 1].repeat(1_000_000)).collect();
        assert_eq!(decode(&junk), Err(CodecError::TooDeep));
        let allowed = (0..MAX_DEPTH).fold(Value::None, |inner, _| Value::list(vec![inner]));
        assert_eq!(decode(&encoded(&allowed)), Ok(allowed));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(decode(&[]), Err(CodecError::CutOff));
        assert_eq!(decode(&[9]), Err(CodecError::Version(9)));
        assert_eq!(decode(&[1, 0, 0]), Err(CodecError::TooLong(1)));
        assert_eq!(decode(&[1, 11, 200, 1]), Err(CodecError::CutOff));
        assert_eq!(decode(&[1, 99]), Err(CodecError::Damaged("an unknown kind of value")));
        assert_eq!(decode(&[1, 4, 29, 1]), Err(CodecError::Damaged("a decimal")));
    }

    proptest! {
        #[test]
        fn decoding_gives_back_what_was_encoded(value in value()) {
            let decoded = decode(&encoded(&value)).unwrap();
            prop_assert_eq!(format!("{decoded:?}"), format!("{value:?}"));
        }

        #[test]
        fn junk_never_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
            if let Some(first) = bytes.first_mut() {
                *first = VERSION;
            }
            if let Ok(value) = decode(&bytes) {
                prop_assert_eq!(decode(&encoded(&value)), Ok(value));
            }
        }

        #[test]
        fn damaged_bytes_never_panic(value in value(), at: prop::sample::Index, byte: u8) {
            let mut bytes = encoded(&value);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = decode(&bytes);
            let _ = decode(&bytes[..at]);
        }
    }
}
