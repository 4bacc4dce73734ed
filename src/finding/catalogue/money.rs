//! `money::…`: amounts that come out wrong.

use super::Code;

/// A percent of the wrong thing.
pub const PERCENT_OF_WHAT: Code = Code::warning(
    "money::percent-of-what",
    "a percent of something else than is meant",
    "A percent is a share of something. The tax in a gross amount is not the rate times the gross, since the rate is a share of the net; and `percent(19)` is 1900%, since `percent` takes the share itself, 0.19.",
    "fn tax_in(gross: money EUR, vat_rate: percent) -> money EUR = (gross * vat_rate).round\n",
    "fn tax_in(gross: money EUR, vat_rate: percent) -> money EUR = (gross - gross / (100% + vat_rate)).round\n",
);

/// Cents that get lost.
pub const ROUNDING_LOST: Code = Code::warning(
    "money::rounding-lost",
    "parts of an amount do not add up to it",
    "10 EUR in three parts are 3.33 EUR each, and a cent is missing. `split` gives parts that add up: 3.34, 3.33 and 3.33.",
    "fn rates(total: money EUR, months: int) -> [money EUR] = (1..months).map((total / months).round)\n",
    "fn rates(total: money EUR, months: int) -> [money EUR] = total.split(months)\n",
);

/// All codes of this group.
pub const GROUP: &[&Code] = &[&PERCENT_OF_WHAT, &ROUNDING_LOST];
