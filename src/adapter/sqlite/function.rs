//! What SQLite lacks: exact decimals, money, and arithmetic that fails instead of becoming a binary fraction.
//!
//! The collation is called `decimal`, as in the decimal extension that the `sqlite3` tool has built in: a
//! store can be sorted and searched there too.

use super::failure::signal;
use crate::value::{ArithmeticError, Currency, Decimal, Rounding, decimal};
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result};
use std::cmp::Ordering;
use std::marker::PhantomData;

const PURE: FunctionFlags =
    FunctionFlags::SQLITE_UTF8.union(FunctionFlags::SQLITE_DETERMINISTIC).union(FunctionFlags::SQLITE_INNOCUOUS);

/// Registers everything with a connection.
pub(super) fn register(connection: &Connection) -> Result<()> {
    connection.create_collation("decimal", compare_decimals)?;
    connection.create_scalar_function("rpa_add", 2, PURE, |context| whole(context, i64::checked_add, "+"))?;
    connection.create_scalar_function("rpa_subtract", 2, PURE, |context| whole(context, i64::checked_sub, "-"))?;
    connection.create_scalar_function("rpa_multiply", 2, PURE, |context| whole(context, i64::checked_mul, "*"))?;
    connection.create_scalar_function("rpa_contains", 2, PURE, |context| texts(context, |a, b| a.contains(b)))?;
    connection.create_scalar_function("rpa_starts_with", 2, PURE, |context| texts(context, |a, b| a.starts_with(b)))?;
    connection.create_scalar_function("rpa_compare_money", 4, PURE, compare_money)?;
    connection.create_aggregate_function("rpa_sum_int", 1, PURE, Fold::<IntSum>(PhantomData))?;
    connection.create_aggregate_function("rpa_average_int", 1, PURE, Fold::<IntAverage>(PhantomData))?;
    connection.create_aggregate_function("rpa_sum_decimal", 1, PURE, Fold::<DecimalSum>(PhantomData))?;
    connection.create_aggregate_function("rpa_average_decimal", 1, PURE, Fold::<DecimalAverage>(PhantomData))?;
    connection.create_aggregate_function("rpa_sum_money", 2, PURE, Fold::<MoneySum>(PhantomData))?;
    connection.create_aggregate_function("rpa_average_money", 2, PURE, Fold::<MoneyAverage>(PhantomData))?;
    connection.create_aggregate_function("rpa_min_money", 2, PURE, Fold::<MoneyMin>(PhantomData))?;
    connection.create_aggregate_function("rpa_max_money", 2, PURE, Fold::<MoneyMax>(PhantomData))
}

/// Numbers by what they are worth, and everything else behind them by its bytes.
fn compare_decimals(a: &str, b: &str) -> Ordering {
    match (Decimal::from_str_exact(a), Decimal::from_str_exact(b)) {
        (Ok(x), Ok(y)) => x.cmp(&y),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

fn failed(text: String) -> Error {
    Error::UserFunctionError(text.into())
}

fn overflow(operation: &str) -> Error {
    failed(format!("{}{operation}", signal::OVERFLOW))
}

fn mismatch(left: &str, right: &str) -> Error {
    failed(format!("{}{left}:{right}", signal::CURRENCIES))
}

/// An argument as text; none for NULL.
fn text<'c>(context: &'c Context<'_>, index: usize) -> Result<Option<&'c str>> {
    match context.get_raw(index) {
        ValueRef::Null => Ok(None),
        ValueRef::Text(bytes) => {
            std::str::from_utf8(bytes).map(Some).map_err(|_| failed("a text is not UTF-8".to_string()))
        }
        other => Err(failed(format!("{}{other:?}", signal::NOT_A_NUMBER))),
    }
}

fn number(text: &str) -> Result<Decimal> {
    Decimal::from_str_exact(text).map_err(|_| failed(format!("{}{text}", signal::NOT_A_NUMBER)))
}

fn whole(context: &Context<'_>, compute: impl Fn(i64, i64) -> Option<i64>, operation: &str) -> Result<Option<i64>> {
    match (context.get::<Option<i64>>(0)?, context.get::<Option<i64>>(1)?) {
        (Some(a), Some(b)) => compute(a, b).map(Some).ok_or_else(|| overflow(operation)),
        _ => Ok(None),
    }
}

fn texts(context: &Context<'_>, test: impl Fn(&str, &str) -> bool) -> Result<Option<bool>> {
    Ok(text(context, 0)?.zip(text(context, 1)?).map(|(a, b)| test(a, b)))
}

/// -1, 0 or 1 for two amounts, each with its currency; NULL when there is none; fails for two currencies.
fn compare_money(context: &Context<'_>) -> Result<Option<i64>> {
    let left = text(context, 0)?.zip(text(context, 1)?);
    let right = text(context, 2)?.zip(text(context, 3)?);
    let Some(((a, left), (b, right))) = left.zip(right) else { return Ok(None) };
    if left != right {
        return Err(mismatch(left, right));
    }
    Ok(Some(number(a)?.cmp(&number(b)?) as i64))
}

/// What an aggregate gathers.
trait Gather: Default {
    type Outcome: rusqlite::functions::SqlFnOutput;

    /// Takes a row in whose first argument is not NULL.
    fn take(&mut self, context: &Context<'_>) -> Result<()>;

    /// What came together; NULL for no rows is up to it.
    fn outcome(self) -> Result<Self::Outcome>;
}

struct Fold<G>(PhantomData<G>);

impl<G> Aggregate<G, G::Outcome> for Fold<G>
where
    G: Gather + std::panic::UnwindSafe + std::panic::RefUnwindSafe,
{
    fn init(&self, _: &mut Context<'_>) -> Result<G> {
        Ok(G::default())
    }

    fn step(&self, context: &mut Context<'_>, gathered: &mut G) -> Result<()> {
        if context.get_raw(0) == ValueRef::Null { Ok(()) } else { gathered.take(context) }
    }

    fn finalize(&self, _: &mut Context<'_>, gathered: Option<G>) -> Result<G::Outcome> {
        gathered.unwrap_or_default().outcome()
    }
}

/// The sum of whole numbers, exact however large it grows on the way.
#[derive(Default)]
struct IntSum {
    sum: i128,
    count: i64,
}

impl Gather for IntSum {
    type Outcome = i64;

    fn take(&mut self, context: &Context<'_>) -> Result<()> {
        self.sum += i128::from(context.get::<i64>(0)?);
        self.count += 1;
        Ok(())
    }

    fn outcome(self) -> Result<i64> {
        i64::try_from(self.sum).map_err(|_| overflow("sum"))
    }
}

/// The average of whole numbers, rounded to a whole one, halves away from zero; NULL for none.
#[derive(Default)]
struct IntAverage(IntSum);

impl Gather for IntAverage {
    type Outcome = Option<i64>;

    fn take(&mut self, context: &Context<'_>) -> Result<()> {
        self.0.take(context)
    }

    fn outcome(self) -> Result<Option<i64>> {
        if self.0.count == 0 {
            return Ok(None);
        }
        let count = Decimal::from(self.0.count);
        let sum = Decimal::from(self.0.outcome()?);
        decimal::divide(sum, count)
            .and_then(|average| decimal::to_int(decimal::round(average, 0, Rounding::HalfUp)))
            .map(Some)
            .map_err(|_| overflow("average"))
    }
}

/// The sum of decimals.
#[derive(Default)]
struct DecimalSum {
    sum: Decimal,
    count: i64,
}

impl DecimalSum {
    fn add(&mut self, value: Decimal) -> Result<()> {
        self.sum = decimal::add(self.sum, value).map_err(|_| overflow("sum"))?;
        self.count += 1;
        Ok(())
    }

    fn average(&self) -> Result<Option<Decimal>> {
        if self.count == 0 {
            return Ok(None);
        }
        match decimal::divide(self.sum, Decimal::from(self.count)) {
            Ok(average) => Ok(Some(average)),
            Err(ArithmeticError::Overflow) => Err(overflow("average")),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

impl Gather for DecimalSum {
    type Outcome = String;

    fn take(&mut self, context: &Context<'_>) -> Result<()> {
        let value = number(text(context, 0)?.unwrap_or_default())?;
        self.add(value)
    }

    fn outcome(self) -> Result<String> {
        Ok(self.sum.to_string())
    }
}

/// The average of decimals; NULL for none.
#[derive(Default)]
struct DecimalAverage(DecimalSum);

impl Gather for DecimalAverage {
    type Outcome = Option<String>;

    fn take(&mut self, context: &Context<'_>) -> Result<()> {
        self.0.take(context)
    }

    fn outcome(self) -> Result<Option<String>> {
        Ok(self.0.average()?.map(|average| average.to_string()))
    }
}

/// The sum of amounts of one currency, as `12.50 EUR`; NULL for none.
#[derive(Default)]
struct MoneySum {
    sum: DecimalSum,
    currency: Option<Currency>,
}

/// An amount out of two arguments.
fn amount(context: &Context<'_>, known: &mut Option<Currency>) -> Result<Decimal> {
    let code = text(context, 1)?.unwrap_or_default();
    let currency = Currency::from_code(code).ok_or_else(|| failed(format!("{}{code}", signal::NOT_A_NUMBER)))?;
    let first = *known.get_or_insert(currency);
    if first != currency {
        return Err(mismatch(first.code(), currency.code()));
    }
    number(text(context, 0)?.unwrap_or_default())
}

fn written(amount: Decimal, currency: Option<Currency>) -> Option<String> {
    currency.map(|currency| format!("{amount} {}", currency.code()))
}

impl Gather for MoneySum {
    type Outcome = Option<String>;

    fn take(&mut self, context: &Context<'_>) -> Result<()> {
        let value = amount(context, &mut self.currency)?;
        self.sum.add(value)
    }

    fn outcome(self) -> Result<Option<String>> {
        Ok(written(self.sum.sum, self.currency))
    }
}

/// The average of amounts of one currency; NULL for none.
#[derive(Default)]
struct MoneyAverage(MoneySum);

impl Gather for MoneyAverage {
    type Outcome = Option<String>;

    fn take(&mut self, context: &Context<'_>) -> Result<()> {
        self.0.take(context)
    }

    fn outcome(self) -> Result<Option<String>> {
        Ok(self.0.sum.average()?.and_then(|average| written(average, self.0.currency)))
    }
}

/// The least or greatest amount of one currency; NULL for none. The first of equal ones.
#[derive(Default)]
struct MoneyMost<const GREATEST: bool> {
    most: Option<Decimal>,
    currency: Option<Currency>,
}

type MoneyMin = MoneyMost<false>;
type MoneyMax = MoneyMost<true>;

impl<const GREATEST: bool> Gather for MoneyMost<GREATEST> {
    type Outcome = Option<String>;

    fn take(&mut self, context: &Context<'_>) -> Result<()> {
        let value = amount(context, &mut self.currency)?;
        let better = if GREATEST { Ordering::Greater } else { Ordering::Less };
        if self.most.is_none_or(|most| value.cmp(&most) == better) {
            self.most = Some(value);
        }
        Ok(())
    }

    fn outcome(self) -> Result<Option<String>> {
        Ok(self.most.and_then(|most| written(most, self.currency)))
    }
}
