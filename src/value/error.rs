//! Why arithmetic on values fails.

use super::{Currency, Duration};

/// Why an operation on values has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArithmeticError {
    /// The result does not fit: beyond 64 bit for an int, beyond 28 digits for a decimal.
    #[error("the result is too large")]
    Overflow,
    /// Something was divided by zero, or split into no parts.
    #[error("division by zero")]
    DivisionByZero,
    /// Amounts of two currencies were added, subtracted, divided or compared.
    #[error("{left} and {right} are different currencies")]
    CurrencyMismatch {
        /// The currency on the left.
        left: Currency,
        /// The currency on the right.
        right: Currency,
    },
    /// A date that the calendar does not have, or one outside the years 1 to 9999.
    #[error("there is no such date")]
    InvalidDate,
    /// A time of day that the clock does not have, or one that would leave its day.
    #[error("there is no such time of day")]
    InvalidTime,
    /// A date was moved by a duration that is not a whole number of days.
    #[error("a date moves by whole days, and {0} is none")]
    NotWholeDays(Duration),
    /// A decimal that has a fraction, or is too large, was taken for an int.
    #[error("not a whole number")]
    NotWhole,
    /// Shares to divide by are negative, or none.
    #[error("the shares must be zero or more, and one of them more than zero")]
    InvalidShares,
}
