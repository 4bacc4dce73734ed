//! The index of a decision table: one binary search a column, then one AND of bits a column.
//!
//! The values that the cells of a column speak of, in order, cut all values into atoms: the point at each
//! value and the gaps between them. A cell takes a whole atom or nothing of it, so for each atom the rows
//! whose cells take it are known before the run. none, a currency that no cell speaks of, and the rows that
//! take anything are kept apart.

use super::RowSet;
use crate::compile::instruction::Comparison;
use crate::compile::table::{LiteralCell, TableCode};
use crate::syntax::tree::HitPolicy;
use crate::value::{ArithmeticError, Currency, Decimal, EcoString, Value, temporal};

/// Finds the rows whose indexed cells fit.
#[derive(Debug)]
pub struct Index {
    rows: usize,
    columns: Vec<ColumnIndex>,
    last_resort: RowSet,
    has_last_resort: bool,
}

#[derive(Debug)]
struct ColumnIndex {
    /// Which subject.
    subject: usize,
    /// How many rows the table has.
    rows: usize,
    keys: Keys,
    /// The rows of each atom that do not take anything: atom 2n + 1 is the n-th key, the even ones are the gaps.
    atoms: Atoms,
    /// The rows that take none.
    none: RowSet,
    /// The rows that take anything.
    anything: RowSet,
    /// The currency that the cells speak of, if they are about money.
    currency: Option<Currency>,
    /// Whether a cell has an order of amounts, which fails for other currencies.
    has_order: bool,
    /// The rows that take amounts of another currency, when no cell has an order.
    other_currency: RowSet,
}

/// The values that cells speak of, in order, in the form that is found fastest.
#[derive(Debug)]
enum Keys {
    /// Ints, days, milliseconds, members of enums, truth values.
    Whole(Vec<i64>),
    /// Decimals, percents and amounts, as whole numbers of the last of so many digits behind the point.
    Scaled(Vec<i128>, u32),
    /// Decimals with too many digits for that.
    Decimal(Vec<Decimal>),
    Text(Vec<EcoString>),
    /// No cell speaks of a value.
    Nothing,
}

/// Sets of rows, one an atom: bits, or lists where most rows are in few atoms.
#[derive(Debug)]
enum Atoms {
    Bits { words: usize, bits: Vec<u64> },
    Lists(Vec<Box<[u32]>>),
}

impl Index {
    /// The index of a table; columns whose cells are not known before the run are left out.
    pub fn new(table: &TableCode) -> Index {
        let rows = table.rows.len();
        let columns = table.columns.iter().enumerate();
        let columns =
            columns.filter_map(|(subject, column)| Some(ColumnIndex::new(subject, column.cells.as_deref()?, rows)));
        let mut last_resort = RowSet::none(rows);
        let mut has_last_resort = false;
        if table.policy != HitPolicy::First {
            for (row, _) in table.rows.iter().enumerate().filter(|(_, row)| row.last_resort) {
                last_resort.insert(row);
                has_last_resort = true;
            }
        }
        Index { rows, columns: columns.collect(), last_resort, has_last_resort }
    }

    /// The rows that may fit the subjects: those whose indexed cells all take them.
    ///
    /// # Errors
    /// [`ArithmeticError::CurrencyMismatch`] when an amount is compared with one of another currency.
    #[inline]
    pub fn find(&self, subjects: &[Value], into: &mut RowSet) -> Result<(), ArithmeticError> {
        into.fill(self.rows);
        for column in &self.columns {
            column.keep(subjects.get(column.subject).unwrap_or(&Value::None), into)?;
        }
        Ok(())
    }

    /// Whether some rows are tested only when no other fits.
    pub fn has_last_resort(&self) -> bool {
        self.has_last_resort
    }

    /// Moves the rows of the last resort elsewhere.
    pub fn split_last_resort(&self, rows: &mut RowSet, last_resort: &mut RowSet) {
        rows.split(self.last_resort.words(), last_resort);
    }
}

impl ColumnIndex {
    fn new(subject: usize, cells: &[LiteralCell], rows: usize) -> ColumnIndex {
        let mut literals = Vec::new();
        cells.iter().for_each(|cell| collect(cell, &mut literals));
        let currency = literals.iter().find_map(|value| match value {
            Value::Money(money) => Some(money.currency),
            _ => None,
        });
        let keys = Keys::new(literals);
        let count = 2 * keys.len() + 1;
        let mut anything = RowSet::none(rows);
        let mut none = RowSet::none(rows);
        let mut other_currency = RowSet::none(rows);
        let mut has_order = false;
        let mut lists: Vec<Vec<u32>> = vec![Vec::new(); count];
        for (row, cell) in cells.iter().enumerate() {
            if *cell == LiteralCell::Anything {
                anything.insert(row);
                continue;
            }
            has_order |= orders(cell);
            if takes(cell, Outside::None) {
                none.insert(row);
            }
            if takes(cell, Outside::Other) {
                other_currency.insert(row);
            }
            for (first, last) in atoms(cell, &keys).0 {
                for list in lists.get_mut(first..=last).into_iter().flatten() {
                    list.push(row as u32);
                }
            }
        }
        let words = rows.div_ceil(64);
        // A bit a row for each atom, unless lists of rows are much smaller.
        let atoms = if count.saturating_mul(words) <= 1 << 20 {
            let mut bits = vec![0_u64; count * words];
            for (atom, list) in lists.iter().enumerate() {
                for row in list {
                    if let Some(word) = bits.get_mut(atom * words + *row as usize / 64) {
                        *word |= 1 << (row % 64);
                    }
                }
            }
            Atoms::Bits { words, bits }
        } else {
            Atoms::Lists(lists.into_iter().map(Vec::into_boxed_slice).collect())
        };
        ColumnIndex { subject, rows, keys, atoms, none, anything, currency, has_order, other_currency }
    }

    #[inline]
    fn keep(&self, subject: &Value, into: &mut RowSet) -> Result<(), ArithmeticError> {
        if subject.is_none() {
            into.keep(self.none.words(), self.anything.words());
            return Ok(());
        }
        if let (Some(currency), Value::Money(money)) = (self.currency, subject)
            && money.currency != currency
        {
            if self.has_order {
                return Err(ArithmeticError::CurrencyMismatch { left: money.currency, right: currency });
            }
            into.keep(self.other_currency.words(), self.anything.words());
            return Ok(());
        }
        let atom = self.keys.atom(subject);
        match &self.atoms {
            Atoms::Bits { words, bits } => {
                let start = atom * words;
                into.keep(bits.get(start..start + words).unwrap_or_default(), self.anything.words());
            }
            Atoms::Lists(lists) => {
                let mut rows = RowSet::none(self.rows);
                for row in lists.get(atom).into_iter().flatten() {
                    rows.insert(*row as usize);
                }
                into.keep(rows.words(), self.anything.words());
            }
        }
        Ok(())
    }
}

/// The values that a cell speaks of.
fn collect<'c>(cell: &'c LiteralCell, into: &mut Vec<&'c Value>) {
    match cell {
        LiteralCell::Anything | LiteralCell::Some => {}
        LiteralCell::Equal(value) | LiteralCell::Compare(_, value) => into.push(value),
        LiteralCell::Range(first, last) => into.extend([first, last]),
        LiteralCell::Not(cell) => collect(cell, into),
        LiteralCell::And(cells) | LiteralCell::Or(cells) => cells.iter().for_each(|cell| collect(cell, into)),
    }
}

/// Whether a cell asks which of two values is greater.
fn orders(cell: &LiteralCell) -> bool {
    match cell {
        LiteralCell::Compare(..) | LiteralCell::Range(..) => true,
        LiteralCell::Not(cell) => orders(cell),
        LiteralCell::And(cells) | LiteralCell::Or(cells) => cells.iter().any(orders),
        LiteralCell::Anything | LiteralCell::Some | LiteralCell::Equal(_) => false,
    }
}

/// What lies outside of all atoms.
#[derive(Clone, Copy, PartialEq)]
enum Outside {
    /// No value.
    None,
    /// A value that no cell speaks of and that has no order among them: an amount of another currency.
    Other,
}

/// Whether a cell takes what lies outside of all atoms.
fn takes(cell: &LiteralCell, outside: Outside) -> bool {
    match cell {
        LiteralCell::Anything => true,
        LiteralCell::Some => outside != Outside::None,
        LiteralCell::Equal(value) => outside == Outside::None && value.is_none(),
        LiteralCell::Compare(..) | LiteralCell::Range(..) => false,
        LiteralCell::Not(cell) => !takes(cell, outside),
        LiteralCell::And(cells) => cells.iter().all(|cell| takes(cell, outside)),
        LiteralCell::Or(cells) => cells.iter().any(|cell| takes(cell, outside)),
    }
}

/// Atoms as runs from a first to a last one, in order and apart.
struct Runs(Vec<(usize, usize)>);

/// The atoms that a cell takes.
fn atoms(cell: &LiteralCell, keys: &Keys) -> Runs {
    let last = 2 * keys.len();
    match cell {
        LiteralCell::Anything | LiteralCell::Some => Runs(vec![(0, last)]),
        LiteralCell::Equal(Value::None) => Runs(Vec::new()),
        LiteralCell::Equal(value) => {
            let at = keys.atom(value);
            Runs(vec![(at, at)])
        }
        LiteralCell::Compare(comparison, value) => compared(*comparison, value, keys),
        LiteralCell::Range(first, last) => {
            compared(Comparison::GreaterOrEqual, first, keys).and(&compared(Comparison::LessOrEqual, last, keys))
        }
        LiteralCell::Not(cell) => atoms(cell, keys).not(last),
        LiteralCell::And(cells) => cells.iter().fold(Runs(vec![(0, last)]), |all, cell| all.and(&atoms(cell, keys))),
        // What one of them takes is what not all refuse.
        LiteralCell::Or(cells) => {
            let refused = cells.iter().fold(Runs(vec![(0, last)]), |all, cell| all.and(&atoms(cell, keys).not(last)));
            refused.not(last)
        }
    }
}

fn compared(comparison: Comparison, value: &Value, keys: &Keys) -> Runs {
    let last = 2 * keys.len();
    if value.is_none() {
        return Runs(Vec::new());
    }
    let at = keys.atom(value);
    let below = at.checked_sub(1).map(|before| (0, before));
    let above = (at < last).then(|| (at + 1, last));
    Runs(match comparison {
        Comparison::Equal => vec![(at, at)],
        Comparison::NotEqual => below.into_iter().chain(above).collect(),
        Comparison::Less => below.into_iter().collect(),
        Comparison::LessOrEqual => vec![(0, at)],
        Comparison::Greater => above.into_iter().collect(),
        Comparison::GreaterOrEqual => vec![(at, last)],
    })
}

impl Runs {
    fn and(&self, other: &Runs) -> Runs {
        let mut both = Vec::new();
        let (mut ours, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some((a, b)), Some((c, d))) = (ours.peek(), theirs.peek()) {
            if a.max(c) <= b.min(d) {
                both.push((*a.max(c), *b.min(d)));
            }
            if b < d {
                ours.next()
            } else {
                theirs.next()
            };
        }
        Runs(both)
    }

    fn not(&self, last: usize) -> Runs {
        let mut rest = Vec::new();
        let mut next = 0;
        for (first, end) in &self.0 {
            if next < *first {
                rest.push((next, first - 1));
            }
            next = end + 1;
        }
        if next <= last {
            rest.push((next, last));
        }
        Runs(rest)
    }
}

impl Keys {
    fn new(literals: Vec<&Value>) -> Keys {
        let mut whole: Vec<i64> = literals.iter().filter_map(|value| whole(value)).collect();
        if !whole.is_empty() {
            whole.sort_unstable();
            whole.dedup();
            return Keys::Whole(whole);
        }
        let mut decimals: Vec<Decimal> = literals.iter().filter_map(|value| number(value)).collect();
        if !decimals.is_empty() {
            decimals.sort_unstable();
            decimals.dedup();
            let digits = decimals.iter().map(|key| key.normalize().scale()).max().unwrap_or(0);
            let scaled: Option<Vec<i128>> = decimals.iter().map(|key| Some(scaled(*key, digits)?.0)).collect();
            return match scaled {
                Some(scaled) => Keys::Scaled(scaled, digits),
                None => Keys::Decimal(decimals),
            };
        }
        let mut texts: Vec<EcoString> = literals
            .iter()
            .filter_map(|value| match value {
                Value::Text(text) => Some(text.clone()),
                _ => None,
            })
            .collect();
        if texts.is_empty() {
            return Keys::Nothing;
        }
        texts.sort_unstable();
        texts.dedup();
        Keys::Text(texts)
    }

    fn len(&self) -> usize {
        match self {
            Keys::Whole(keys) => keys.len(),
            Keys::Scaled(keys, _) => keys.len(),
            Keys::Decimal(keys) => keys.len(),
            Keys::Text(keys) => keys.len(),
            Keys::Nothing => 0,
        }
    }

    /// The atom of a value.
    #[inline]
    fn atom(&self, value: &Value) -> usize {
        let found = match self {
            Keys::Whole(keys) => whole(value).map(|value| keys.binary_search(&value)),
            Keys::Scaled(keys, digits) => number(value).map(|value| match scaled(value, *digits) {
                Some((value, true)) => keys.binary_search(&value),
                // Finer than any key: behind the key before it.
                Some((value, false)) => Err(keys.partition_point(|key| *key <= value)),
                // Beyond what can be scaled: less or greater than all keys.
                None => Err(if value.is_sign_negative() { 0 } else { keys.len() }),
            }),
            Keys::Decimal(keys) => number(value).map(|value| keys.binary_search(&value)),
            Keys::Text(keys) => match value {
                Value::Text(text) => Some(keys.binary_search(text)),
                _ => None,
            },
            Keys::Nothing => None,
        };
        match found {
            Some(Ok(at)) => 2 * at + 1,
            Some(Err(at)) => 2 * at,
            None => 0,
        }
    }
}

/// Values that are ordered like whole numbers.
#[inline]
fn whole(value: &Value) -> Option<i64> {
    Some(match value {
        Value::Int(value) => *value,
        Value::Bool(value) => i64::from(*value),
        Value::Enum(member) => i64::from(member.member),
        Value::Date(date) => i64::from(date.year()) * 512 + i64::from(date.month()) * 32 + i64::from(date.day()),
        Value::Time(time) => temporal::milliseconds_of_day(*time),
        Value::Instant(instant) => instant.milliseconds(),
        Value::Duration(duration) => duration.milliseconds(),
        _ => return None,
    })
}

#[inline]
fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Decimal(value) | Value::Percent(value) => Some(*value),
        Value::Money(money) => Some(money.amount),
        _ => None,
    }
}

/// A number in units of its digit `digits` behind the point, rounded down, and whether it is exactly that.
#[inline]
fn scaled(value: Decimal, digits: u32) -> Option<(i128, bool)> {
    let (mantissa, scale) = (value.mantissa(), value.scale());
    if scale <= digits {
        let factor = 10_i128.checked_pow(digits - scale)?;
        return Some((mantissa.checked_mul(factor)?, true));
    }
    let divisor = 10_i128.checked_pow(scale - digits)?;
    let whole = mantissa.div_euclid(divisor);
    Some((whole, mantissa.rem_euclid(divisor) == 0))
}
