//! The index agrees with a plain look at every cell of every row.

mod agenda;

use super::{Index, RowSet};
use crate::compile::code::ChunkId;
use crate::compile::instruction::Comparison;
use crate::compile::table::{ColumnCode, LiteralCell, OutcomeCode, RowCode, TableCode};
use crate::syntax::tree::HitPolicy;
use crate::value::temporal::{date_from_days, time_from_milliseconds};
use crate::value::{ArithmeticError, Currency, Decimal, Duration, EnumId, Instant, Money, Value};
use proptest::prelude::*;

/// Whether a cell takes a value, straight from what the cells mean.
fn fits(cell: &LiteralCell, value: &Value) -> Result<bool, ArithmeticError> {
    let order = |other: &Value| match (value, other) {
        (Value::Money(a), Value::Money(b)) => a.compare(*b),
        (value, other) => Ok(value.cmp(other)),
    };
    let compare = |comparison: Comparison, other: &Value| match value.is_none() || other.is_none() {
        true => Ok(false),
        false => order(other).map(|order| comparison.holds(order)),
    };
    Ok(match cell {
        LiteralCell::Anything => true,
        LiteralCell::Some => !value.is_none(),
        LiteralCell::Equal(other) => value == other,
        LiteralCell::Compare(comparison, other) => compare(*comparison, other)?,
        LiteralCell::Range(first, last) => {
            compare(Comparison::GreaterOrEqual, first)? & compare(Comparison::LessOrEqual, last)?
        }
        LiteralCell::Not(cell) => !fits(cell, value)?,
        LiteralCell::And(cells) => cells.iter().try_fold(true, |all, cell| Ok(all & fits(cell, value)?))?,
        LiteralCell::Or(cells) => cells.iter().try_fold(false, |any, cell| Ok(any | fits(cell, value)?))?,
    })
}

fn table(columns: Vec<Vec<LiteralCell>>, rows: usize) -> TableCode {
    let column = |cells| ColumnCode { heading: "c".into(), has_subject: true, cells: Some(cells) };
    let row = |number: usize| RowCode {
        name: format!("row {number}").into(),
        last_resort: number % 7 == 6,
        tests: None,
        outcome: OutcomeCode::Constant(Value::Int(number as i64)),
    };
    TableCode {
        name: "t".into(),
        policy: HitPolicy::Unique,
        columns: columns.into_iter().map(column).collect(),
        rows: (0..rows).map(row).collect(),
        zero: None,
        chunk: ChunkId(0),
    }
}

/// Values of one kind, close to each other so that cells and inputs meet.
fn values(kind: u8) -> BoxedStrategy<Value> {
    let near = -3_i64..4;
    let fine = (-40_i64..41, 0_u32..3).prop_map(|(digits, scale)| Decimal::new(digits, scale));
    match kind {
        0 => prop_oneof![near.prop_map(Value::Int), Just(Value::Int(i64::MAX)), Just(Value::Int(i64::MIN))].boxed(),
        1 => prop_oneof![fine.prop_map(Value::Decimal), Just(Value::Decimal(Decimal::MAX))].boxed(),
        2 => fine.prop_map(Value::Percent).boxed(),
        3 => (fine, prop_oneof![9 => Just(Currency::EUR), 1 => Just(Currency::USD)])
            .prop_map(|(amount, currency)| Value::Money(Money::new(amount, currency)))
            .boxed(),
        4 => near.prop_map(|days| Value::Date(date_from_days(days * 17).unwrap())).boxed(),
        5 => (0_i64..6).prop_map(|at| Value::Time(time_from_milliseconds(at * 1000).unwrap())).boxed(),
        6 => near.prop_map(|at| Value::Instant(Instant::from_milliseconds(at).unwrap())).boxed(),
        7 => near.prop_map(|length| Value::Duration(Duration::from_milliseconds(length))).boxed(),
        8 => "[a-c]{0,2}".prop_map(Value::from).boxed(),
        9 => (0_u16..4).prop_map(|member| Value::member(EnumId(0), member)).boxed(),
        _ => any::<bool>().prop_map(Value::Bool).boxed(),
    }
}

/// The literals of a column: none now and then, amounts in one currency.
fn literals(kind: u8) -> BoxedStrategy<Value> {
    let one_currency = |value| match value {
        Value::Money(money) => Value::Money(Money::new(money.amount, Currency::EUR)),
        value => value,
    };
    values(kind).prop_map(one_currency).boxed()
}

fn cells(kind: u8) -> BoxedStrategy<LiteralCell> {
    use Comparison::{Greater, GreaterOrEqual, Less, LessOrEqual};
    let comparison = prop_oneof![Just(Less), Just(LessOrEqual), Just(Greater), Just(GreaterOrEqual)];
    let leaf = prop_oneof![
        2 => Just(LiteralCell::Anything),
        1 => Just(LiteralCell::Some),
        1 => Just(LiteralCell::Equal(Value::None)),
        6 => literals(kind).prop_map(LiteralCell::Equal),
        6 => (comparison, literals(kind)).prop_map(|(comparison, value)| LiteralCell::Compare(comparison, value)),
        4 => (literals(kind), literals(kind)).prop_map(|(first, last)| LiteralCell::Range(first, last)),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|cell| LiteralCell::Not(Box::new(cell))),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(LiteralCell::And),
            proptest::collection::vec(inner, 1..4).prop_map(LiteralCell::Or),
        ]
    })
    .boxed()
}

fn column(rows: usize) -> impl Strategy<Value = (Vec<LiteralCell>, Vec<Value>)> {
    (0_u8..11).prop_flat_map(move |kind| {
        let inputs = prop_oneof![1 => Just(Value::None), 9 => values(kind)];
        (proptest::collection::vec(cells(kind), rows), proptest::collection::vec(inputs, 8))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_index_agrees_with_every_cell(
        (rows, columns) in (1_usize..150).prop_flat_map(|rows| (Just(rows), proptest::collection::vec(column(rows), 1..4)))
    ) {
        let cells: Vec<_> = columns.iter().map(|(cells, _)| cells.clone()).collect();
        let index = Index::new(&table(cells.clone(), rows));
        for input in 0..8 {
            let subjects: Vec<Value> = columns.iter().map(|(_, inputs)| inputs[input].clone()).collect();
            let mut found = RowSet::default();
            let outcome = index.find(&subjects, &mut found);
            let plain: Result<Vec<usize>, ArithmeticError> = (0..rows)
                .map(|row| cells.iter().zip(&subjects).try_fold(true, |all, (cells, subject)| Ok(all & fits(&cells[row], subject)?)))
                .enumerate()
                .filter_map(|(row, fits)| match fits {
                    Ok(true) => Some(Ok(row)),
                    Ok(false) => None,
                    Err(error) => Some(Err(error)),
                })
                .collect();
            match (outcome, plain) {
                (Err(_), plain) => prop_assert!(plain.is_err()),
                (Ok(()), Err(_)) => prop_assert!(false, "the index let a comparison of currencies pass"),
                (Ok(()), Ok(plain)) => {
                    let mut resort = RowSet::default();
                    index.split_last_resort(&mut found, &mut resort);
                    let mut rows: Vec<usize> = std::iter::from_fn(|| found.take_first()).collect();
                    prop_assert!(rows.iter().all(|row| row % 7 != 6));
                    rows.extend(std::iter::from_fn(|| resort.take_first()));
                    rows.sort_unstable();
                    prop_assert_eq!(rows, plain);
                }
            }
        }
    }
}

#[test]
fn many_texts_are_kept_as_lists() {
    let rows = 20_000;
    let cells = (0..rows).map(|row| LiteralCell::Equal(Value::from(format!("sku {row}")))).collect();
    let index = Index::new(&table(vec![cells], rows));
    let mut found = RowSet::default();
    index.find(&[Value::from("sku 12345")], &mut found).unwrap();
    assert_eq!(found.take_first(), Some(12345));
    assert_eq!(found.take_first(), None);
}
