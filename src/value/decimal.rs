//! Arithmetic on whole numbers, decimals and percents that fails instead of wrapping.
//!
//! Decimals have up to 28 significant digits. Addition, subtraction and multiplication are exact as
//! long as the result fits into them, and division is rounded half-even to them.

use super::ArithmeticError;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

type Result<T> = std::result::Result<T, ArithmeticError>;

/// How a number loses its last digits. There is no default: who rounds says how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// A half goes to the even neighbour: 0.5 is 0, 1.5 is 2.
    HalfEven,
    /// A half goes away from zero, as invoices round: 0.5 is 1, -0.5 is -1.
    HalfUp,
    /// Every rest goes away from zero.
    Up,
    /// Every rest is dropped.
    Down,
}

impl Rounding {
    fn strategy(self) -> RoundingStrategy {
        match self {
            Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
            Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Rounding::Up => RoundingStrategy::AwayFromZero,
            Rounding::Down => RoundingStrategy::ToZero,
        }
    }
}

/// The sign, the digits and how many of them lie behind the point, of a decimal that has few digits: nearly all have.
/// None of zero, whose sign is a matter of its own.
pub fn short(value: Decimal) -> Option<(bool, u64, u32)> {
    let digits = u64::try_from(value.mantissa().unsigned_abs()).ok().filter(|digits| *digits > 0)?;
    (value.scale() <= 19).then(|| (value.is_sign_negative(), digits, value.scale()))
}

/// Writes such a decimal, byte by byte, 40 of them at most.
pub fn write_short((is_negative, digits, scale): (bool, u64, u32), put: &mut impl FnMut(u8)) {
    if is_negative {
        put(b'-');
    }
    let mut reversed = [b'0'; 20];
    let (mut rest, mut count) = (digits, 0);
    for place in &mut reversed {
        if rest == 0 && count > scale {
            break;
        }
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
        count += 1;
    }
    for (place, digit) in (0..count).zip(&reversed).rev() {
        put(*digit);
        if place == scale && scale > 0 {
            put(b'.');
        }
    }
}

/// `left + right`.
pub fn add(left: Decimal, right: Decimal) -> Result<Decimal> {
    left.checked_add(right).ok_or(ArithmeticError::Overflow)
}

/// `left - right`.
pub fn subtract(left: Decimal, right: Decimal) -> Result<Decimal> {
    left.checked_sub(right).ok_or(ArithmeticError::Overflow)
}

/// `left * right`.
pub fn multiply(left: Decimal, right: Decimal) -> Result<Decimal> {
    left.checked_mul(right).ok_or(ArithmeticError::Overflow)
}

/// `left / right`, to 28 digits.
pub fn divide(left: Decimal, right: Decimal) -> Result<Decimal> {
    if right.is_zero() {
        return Err(ArithmeticError::DivisionByZero);
    }
    left.checked_div(right).ok_or(ArithmeticError::Overflow)
}

/// What is left of `left` after taking `right` as often as it fits; has the sign of `right`.
pub fn modulo(left: Decimal, right: Decimal) -> Result<Decimal> {
    if right.is_zero() {
        return Err(ArithmeticError::DivisionByZero);
    }
    let rest = left.checked_rem(right).ok_or(ArithmeticError::Overflow)?;
    if !rest.is_zero() && rest.is_sign_negative() != right.is_sign_negative() { add(rest, right) } else { Ok(rest) }
}

/// `value` with at most `digits` digits behind the point.
pub fn round(value: Decimal, digits: u32, rounding: Rounding) -> Decimal {
    value.round_dp_with_strategy(digits, rounding.strategy())
}

/// The int that equals `value`.
///
/// # Errors
/// [`ArithmeticError::NotWhole`] when `value` has a fraction, [`ArithmeticError::Overflow`] when it is too large.
pub fn to_int(value: Decimal) -> Result<i64> {
    if !value.is_integer() {
        return Err(ArithmeticError::NotWhole);
    }
    value.to_i64().ok_or(ArithmeticError::Overflow)
}

/// Arithmetic on ints: 64 bit, never wrapping.
pub mod int {
    use super::{ArithmeticError, Decimal, Result};

    /// `left + right`.
    pub fn add(left: i64, right: i64) -> Result<i64> {
        left.checked_add(right).ok_or(ArithmeticError::Overflow)
    }

    /// `left - right`.
    pub fn subtract(left: i64, right: i64) -> Result<i64> {
        left.checked_sub(right).ok_or(ArithmeticError::Overflow)
    }

    /// `left * right`.
    pub fn multiply(left: i64, right: i64) -> Result<i64> {
        left.checked_mul(right).ok_or(ArithmeticError::Overflow)
    }

    /// `-value`.
    pub fn negate(value: i64) -> Result<i64> {
        value.checked_neg().ok_or(ArithmeticError::Overflow)
    }

    /// `left / right` as a decimal: 7 / 2 is 3.5.
    pub fn divide(left: i64, right: i64) -> Result<Decimal> {
        super::divide(Decimal::from(left), Decimal::from(right))
    }

    /// How often `right` fits into `left`, rounded down: 7 and 2 give 3, -7 and 2 give -4.
    pub fn quotient(left: i64, right: i64) -> Result<i64> {
        let quotient = match right {
            0 => return Err(ArithmeticError::DivisionByZero),
            _ => left.checked_div(right).ok_or(ArithmeticError::Overflow)?,
        };
        let rest = left.wrapping_rem(right);
        Ok(if rest != 0 && (rest < 0) != (right < 0) { quotient - 1 } else { quotient })
    }

    /// What [`quotient`] leaves: has the sign of `right`.
    pub fn modulo(left: i64, right: i64) -> Result<i64> {
        if right == 0 {
            return Err(ArithmeticError::DivisionByZero);
        }
        let rest = left.wrapping_rem(right);
        Ok(if rest != 0 && (rest < 0) != (right < 0) { rest + right } else { rest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn overflow_and_division_by_zero_are_errors() {
        assert_eq!(int::add(i64::MAX, 1), Err(ArithmeticError::Overflow));
        assert_eq!(int::negate(i64::MIN), Err(ArithmeticError::Overflow));
        assert_eq!(int::quotient(i64::MIN, -1), Err(ArithmeticError::Overflow));
        assert_eq!(int::modulo(i64::MIN, -1), Ok(0));
        assert_eq!(int::divide(1, 0), Err(ArithmeticError::DivisionByZero));
        assert_eq!(int::modulo(1, 0), Err(ArithmeticError::DivisionByZero));
        assert_eq!(add(Decimal::MAX, Decimal::ONE), Err(ArithmeticError::Overflow));
        assert_eq!(multiply(Decimal::MAX, decimal("2")), Err(ArithmeticError::Overflow));
        assert_eq!(divide(Decimal::ONE, Decimal::ZERO), Err(ArithmeticError::DivisionByZero));
        assert_eq!(to_int(decimal("1.5")), Err(ArithmeticError::NotWhole));
        assert_eq!(to_int(Decimal::MAX), Err(ArithmeticError::Overflow));
        assert_eq!(to_int(decimal("7.00")), Ok(7));
    }

    #[test]
    fn rounding_does_what_it_says() {
        let rounded = |text, rounding| round(decimal(text), 0, rounding).to_string();
        assert_eq!(rounded("0.5", Rounding::HalfEven), "0");
        assert_eq!(rounded("1.5", Rounding::HalfEven), "2");
        assert_eq!(rounded("0.5", Rounding::HalfUp), "1");
        assert_eq!(rounded("-0.5", Rounding::HalfUp), "-1");
        assert_eq!(rounded("0.1", Rounding::Up), "1");
        assert_eq!(rounded("-1.9", Rounding::Down), "-1");
    }

    #[test]
    fn decimals_are_not_binary() {
        assert_eq!(add(decimal("0.1"), decimal("0.2")), Ok(decimal("0.3")));
        assert_eq!(modulo(decimal("-0.5"), decimal("0.3")), Ok(decimal("0.1")));
    }

    proptest! {
        #[test]
        fn quotient_and_modulo_belong_together(left: i64, right: i64) {
            prop_assume!(right != 0);
            if let (Ok(quotient), Ok(rest)) = (int::quotient(left, right), int::modulo(left, right)) {
                prop_assert_eq!(i128::from(quotient) * i128::from(right) + i128::from(rest), i128::from(left));
                prop_assert!(rest == 0 || (rest < 0) == (right < 0));
            }
        }
    }
}
