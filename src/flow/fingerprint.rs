//! What a start is told apart by from another under the same key: a hash over the arguments that holds
//! across versions of the script, since it knows no numbers of types.

use crate::value::{TypeNames, Value, encode};
use sha2::{Digest, Sha256};

/// The first half of a SHA-256 over the arguments of a run.
pub fn fingerprint(arguments: &[Value], names: &dyn TypeNames) -> [u8; 16] {
    let mut bytes = Vec::with_capacity(256);
    for argument in arguments {
        write(argument, names, &mut bytes);
    }
    let hash = Sha256::digest(&bytes);
    let mut first = [0; 16];
    first.copy_from_slice(&hash[..16]);
    first
}

/// A form in which equal values are equal bytes, with members by name and types left out: at one place of the
/// arguments of one flow stands one type.
fn write(value: &Value, names: &dyn TypeNames, out: &mut Vec<u8>) {
    let many = |items: &[Value], out: &mut Vec<u8>| {
        out.push(b'(');
        items.iter().for_each(|item| write(item, names, out));
        out.push(b')');
    };
    match value {
        Value::Enum(member) => {
            let name = names.enum_member(member.type_id, member.member);
            out.push(b'e');
            out.extend_from_slice(&(name.len() as u64).to_le_bytes());
            out.extend_from_slice(name.as_bytes());
        }
        Value::List(items) => many(items, out),
        Value::Record(record) => many(&record.fields, out),
        Value::Failure(failure) => many(&failure.fields, out),
        Value::Reference(reference) => write(&reference.key, names, out),
        Value::Map(map) => {
            out.push(b'{');
            for (key, value) in map.iter() {
                write(key, names, out);
                write(value, names, out);
            }
            out.push(b'}');
        }
        // The same number with other written digits (`1.50`, `1.5`) is the same content.
        Value::Decimal(number) => drop(encode(&Value::Decimal(number.normalize()), out)),
        Value::Percent(number) => drop(encode(&Value::Percent(number.normalize()), out)),
        Value::Money(money) => {
            let normal = crate::value::Money::new(money.amount.normalize(), money.currency);
            drop(encode(&Value::Money(normal), out));
        }
        value => drop(encode(value, out)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Decimal, EnumId, NoNames, RecordId};

    #[test]
    fn numbers_of_types_and_written_digits_do_not_matter_and_content_does() {
        let row =
            |id, amount: Decimal| fingerprint(&[Value::record(RecordId(id), vec![Value::Decimal(amount)])], &NoNames);
        assert_eq!(row(1, Decimal::new(150, 2)), row(2, Decimal::new(15, 1)));
        assert_ne!(row(1, Decimal::new(150, 2)), row(1, Decimal::new(151, 2)));
        let member = |id| fingerprint(&[Value::member(EnumId(id), 0)], &NoNames);
        assert_eq!(member(0), member(1));
        let texts =
            |parts: &[&str]| fingerprint(&parts.iter().map(|part| Value::from(*part)).collect::<Vec<_>>(), &NoNames);
        assert_ne!(texts(&["ab", "c"]), texts(&["a", "bc"]));
    }
}
