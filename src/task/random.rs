//! `random.int`, `random.code`.

use super::arguments::Arguments;
use super::executor::Executor;
use super::problem::Problem;
use crate::value::Value;
use crate::world::Random;

/// Capital letters and digits without 0, O, 1, I, L: what people read from paper without asking back.
const LETTERS: &[u8] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";

/// The longest code.
const LONGEST_CODE: i64 = 256;

pub(super) fn int(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let (from, to) = (arguments.int_or(0, 0)?, arguments.int_or(1, 0)?);
    if from > to {
        return Err(Problem::bad_value(format!(
            "random.int needs the lesser number first, and {from} is more than {to}"
        )));
    }
    let span = from.abs_diff(to);
    let drawn = match span.checked_add(1) {
        Some(count) => below(executor.world.random.as_mut(), count),
        None => executor.world.random.next(),
    };
    Ok(Value::Int(from.wrapping_add_unsigned(drawn)))
}

pub(super) fn code(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let length = arguments.int_or(0, 8)?;
    if !(1..=LONGEST_CODE).contains(&length) {
        return Err(Problem::bad_value(format!(
            "a code has between 1 and {LONGEST_CODE} characters, and not {length}"
        )));
    }
    let random = executor.world.random.as_mut();
    let letter = |_| LETTERS.get(below(random, LETTERS.len() as u64) as usize).copied().unwrap_or(b'X') as char;
    Ok(Value::text((0..length).map(letter).collect::<String>()))
}

/// A number below `count`, each as likely as the others (Lemire, "Fast random integer generation in an interval",
/// 2019).
fn below(random: &mut dyn Random, count: u64) -> u64 {
    let wide = |random: &mut dyn Random| u128::from(random.next()) * u128::from(count);
    let mut product = wide(random);
    if (product as u64) < count {
        let threshold = count.wrapping_neg().checked_rem(count).unwrap_or(0);
        while (product as u64) < threshold {
            product = wide(random);
        }
    }
    (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use crate::library::Operation;
    use crate::task::fixture::Fixture;
    use crate::value::Value;

    #[test]
    fn numbers_stay_within_their_ends() {
        let mut fixture = Fixture::new();
        let mut seen = [false; 6];
        for _ in 0..200 {
            let value = fixture.perform(Operation::RandomInt, &[Value::Int(1), Value::Int(6)]).unwrap();
            seen[value.as_int().unwrap() as usize - 1] = true;
        }
        assert_eq!(seen, [true; 6]);
        let all = [Value::Int(i64::MIN), Value::Int(i64::MAX)];
        assert!(fixture.perform(Operation::RandomInt, &all).is_ok());
        let wrong = fixture.perform(Operation::RandomInt, &[Value::Int(2), Value::Int(1)]);
        insta::assert_snapshot!(wrong.unwrap_err(), @r#"bad_value(reason: "random.int needs the lesser number first, and 2 is more than 1")"#);
    }

    #[test]
    fn codes_have_their_length_and_no_look_alikes() {
        let mut fixture = Fixture::new();
        let code = fixture.perform(Operation::RandomCode, &[Value::Int(200)]).unwrap();
        let code = code.as_text().unwrap();
        assert_eq!(code.len(), 200);
        assert!(!code.contains(['0', 'O', '1', 'I', 'L']));
        insta::assert_snapshot!(fixture.perform(Operation::RandomCode, &[Value::Int(0)]).unwrap_err(), @r#"bad_value(reason: "a code has between 1 and 256 characters, and not 0")"#);
    }
}
