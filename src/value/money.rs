//! Money: an amount and its currency, which nothing but the same currency is added to.

use super::decimal::{self, Rounding};
use super::{ArithmeticError, Currency};
use rust_decimal::Decimal;
use std::cmp::Ordering;

type Result<T> = std::result::Result<T, ArithmeticError>;

/// An amount of a currency. The amount is not rounded to coins unless someone rounds it.
///
/// Amounts of different currencies are unequal; to compare them is an error, see [`Money::compare`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// How much, in the currency's main unit.
    pub amount: Decimal,
    /// Of what.
    pub currency: Currency,
}

impl Money {
    /// `amount` of `currency`.
    pub fn new(amount: Decimal, currency: Currency) -> Self {
        Money { amount, currency }
    }

    /// Nothing, of `currency`.
    pub fn zero(currency: Currency) -> Self {
        Money::new(Decimal::ZERO, currency)
    }

    /// The sum.
    ///
    /// # Errors
    /// For different currencies, and beyond 28 digits.
    pub fn plus(self, other: Money) -> Result<Money> {
        self.same_currency(other)?;
        Ok(Money::new(decimal::add(self.amount, other.amount)?, self.currency))
    }

    /// The difference.
    ///
    /// # Errors
    /// For different currencies, and beyond 28 digits.
    pub fn minus(self, other: Money) -> Result<Money> {
        self.same_currency(other)?;
        Ok(Money::new(decimal::subtract(self.amount, other.amount)?, self.currency))
    }

    /// The amount times a number, or times a percent given as its fraction. Not rounded.
    ///
    /// # Errors
    /// Beyond 28 digits.
    pub fn multiply(self, factor: Decimal) -> Result<Money> {
        Ok(Money::new(decimal::multiply(self.amount, factor)?, self.currency))
    }

    /// The amount divided by a number, to 28 digits. [`Money::split`] loses no cent.
    ///
    /// # Errors
    /// For zero.
    pub fn divide(self, divisor: Decimal) -> Result<Money> {
        Ok(Money::new(decimal::divide(self.amount, divisor)?, self.currency))
    }

    /// How often `other` fits into this amount.
    ///
    /// # Errors
    /// For different currencies, and when `other` is zero.
    pub fn ratio(self, other: Money) -> Result<Decimal> {
        self.same_currency(other)?;
        decimal::divide(self.amount, other.amount)
    }

    /// The amount with the other sign.
    pub fn negate(self) -> Money {
        // `0 - x` and not `-x`: zero has no sign.
        Money::new(Decimal::ZERO - self.amount, self.currency)
    }

    /// The amount without its sign.
    pub fn absolute(self) -> Money {
        Money::new(self.amount.abs(), self.currency)
    }

    /// Which of two amounts is larger.
    ///
    /// # Errors
    /// For different currencies.
    pub fn compare(self, other: Money) -> Result<Ordering> {
        self.same_currency(other)?;
        Ok(self.amount.cmp(&other.amount))
    }

    /// The amount in whole coins of its currency; unchanged for a currency that has none, such as gold.
    pub fn round(self, rounding: Rounding) -> Money {
        match self.currency.minor_digits() {
            Some(digits) => self.round_to(digits, rounding),
            None => self,
        }
    }

    /// The amount with at most `digits` digits behind the point.
    pub fn round_to(self, digits: u32, rounding: Rounding) -> Money {
        Money::new(decimal::round(self.amount, digits, rounding), self.currency)
    }

    /// The amount in `parts` parts that differ by at most one coin and add up to it exactly; the
    /// larger parts come first. An amount finer than a coin is split in its own last digit.
    ///
    /// # Errors
    /// For no parts, and for more than a million.
    pub fn split(self, parts: usize) -> Result<Vec<Money>> {
        match parts {
            0 => Err(ArithmeticError::DivisionByZero),
            1..=1_000_000 => self.allocate(&vec![Decimal::ONE; parts]),
            _ => Err(ArithmeticError::Overflow),
        }
    }

    /// The amount in parts proportional to `shares`, in whole coins, that add up to it exactly.
    ///
    /// Coins left over go to the parts with the largest remainders, earlier parts first (Hamilton's
    /// method). An amount finer than a coin is divided in its own last digit.
    ///
    /// # Errors
    /// [`ArithmeticError::InvalidShares`] when a share is negative or all are zero,
    /// [`ArithmeticError::Overflow`] when the amount and the shares have too many digits together.
    pub fn allocate(self, shares: &[Decimal]) -> Result<Vec<Money>> {
        let scale = self.amount.normalize().scale().max(self.currency.minor_digits().unwrap_or(0));
        let coins = whole(self.amount, scale)?;
        let share_scale = shares.iter().map(|share| share.normalize().scale()).max().unwrap_or(0);
        let shares = shares.iter().map(|share| whole(*share, share_scale)).collect::<Result<Vec<i128>>>()?;
        let total =
            shares.iter().try_fold(0_i128, |sum, share| sum.checked_add(*share)).ok_or(ArithmeticError::Overflow)?;
        if total <= 0 || shares.iter().any(|share| *share < 0) {
            return Err(ArithmeticError::InvalidShares);
        }
        let sign = coins.signum();
        let mut parts = Vec::with_capacity(shares.len());
        let mut remainders = Vec::with_capacity(shares.len());
        let mut left = coins.abs();
        for (index, share) in shares.iter().enumerate() {
            let product = coins.abs().checked_mul(*share).ok_or(ArithmeticError::Overflow)?;
            let part = product / total;
            left -= part;
            parts.push(part);
            remainders.push((product % total, index));
        }
        remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        // Fewer coins are left than there are remainders above zero, so nobody gets two.
        for (_, index) in remainders {
            if left == 0 {
                break;
            }
            if let Some(part) = parts.get_mut(index) {
                *part += 1;
                left -= 1;
            }
        }
        let money = |coins: i128| {
            let amount = Decimal::try_from_i128_with_scale(sign * coins, scale);
            amount.map(|amount| Money::new(amount, self.currency)).map_err(|_| ArithmeticError::Overflow)
        };
        parts.into_iter().map(money).collect()
    }

    fn same_currency(self, other: Money) -> Result<()> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(ArithmeticError::CurrencyMismatch { left: self.currency, right: other.currency })
    }
}

/// `value` counted in units of its `scale`th digit behind the point, of which it must have no more.
fn whole(value: Decimal, scale: u32) -> Result<i128> {
    let value = value.normalize();
    let missing = scale.checked_sub(value.scale()).ok_or(ArithmeticError::Overflow)?;
    let factor = 10_i128.checked_pow(missing).ok_or(ArithmeticError::Overflow)?;
    value.mantissa().checked_mul(factor).ok_or(ArithmeticError::Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn eur(text: &str) -> Money {
        Money::new(text.parse().unwrap(), Currency::EUR)
    }

    fn usd(text: &str) -> Money {
        Money::new(text.parse().unwrap(), Currency::USD)
    }

    #[test]
    fn currencies_do_not_mix() {
        let mismatch = ArithmeticError::CurrencyMismatch { left: Currency::EUR, right: Currency::USD };
        assert_eq!(eur("1").plus(usd("1")), Err(mismatch.clone()));
        assert_eq!(eur("1").minus(usd("1")), Err(mismatch.clone()));
        assert_eq!(eur("1").compare(usd("1")), Err(mismatch.clone()));
        assert_eq!(eur("1").ratio(usd("1")), Err(mismatch.clone()));
        assert_ne!(eur("1"), usd("1"));
        assert_eq!(mismatch.to_string(), "EUR and USD are different currencies");
    }

    #[test]
    fn amounts_compute_exactly() {
        assert_eq!(eur("0.10").plus(eur("0.20")), Ok(eur("0.3")));
        assert_eq!(eur("99.90").multiply("0.15".parse().unwrap()), Ok(eur("14.985")));
        assert_eq!(eur("14.985").round(Rounding::HalfEven), eur("14.98"));
        assert_eq!(eur("14.985").round(Rounding::HalfUp), eur("14.99"));
        let yen = Money::new("100.5".parse().unwrap(), Currency::from_code("JPY").unwrap());
        assert_eq!(yen.round(Rounding::HalfUp).amount, Decimal::from(101));
        assert_eq!(eur("0").negate().amount.to_string(), "0");
        assert_eq!(eur("5").divide(Decimal::ZERO), Err(ArithmeticError::DivisionByZero));
    }

    #[test]
    fn splitting_loses_no_cent() {
        assert_eq!(eur("100").split(3), Ok(vec![eur("33.34"), eur("33.33"), eur("33.33")]));
        assert_eq!(eur("-0.05").split(2), Ok(vec![eur("-0.03"), eur("-0.02")]));
        assert_eq!(eur("1").split(0), Err(ArithmeticError::DivisionByZero));
        let shares = ["0.5", "0.3", "0.2"].map(|share| share.parse().unwrap());
        assert_eq!(eur("0.05").allocate(&shares), Ok(vec![eur("0.03"), eur("0.01"), eur("0.01")]));
        assert_eq!(eur("1").allocate(&[]), Err(ArithmeticError::InvalidShares));
        assert_eq!(eur("1").allocate(&[Decimal::NEGATIVE_ONE]), Err(ArithmeticError::InvalidShares));
    }

    proptest! {
        #[test]
        fn parts_add_up(cents in -1_000_000_000_i64..1_000_000_000, shares in proptest::collection::vec(0_i64..10_000, 1..20)) {
            prop_assume!(shares.iter().any(|share| *share > 0));
            let money = Money::new(Decimal::new(cents, 2), Currency::EUR);
            let shares: Vec<_> = shares.into_iter().map(|share| Decimal::new(share, 2)).collect();
            let parts = money.allocate(&shares).unwrap();
            let sum = parts.iter().try_fold(Money::zero(Currency::EUR), |sum, part| sum.plus(*part));
            prop_assert_eq!(sum, Ok(money));
            let total: Decimal = shares.iter().sum();
            for (part, share) in parts.iter().zip(&shares) {
                let exact = money.amount * share / total;
                prop_assert!((part.amount - exact).abs() <= Decimal::new(1, 2));
            }
        }
    }
}
