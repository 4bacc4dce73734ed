//! A dimension: what one column tests, cut into the atoms that its cells can tell apart.
//!
//! An atom is a single value (`gold`, `1000 EUR`, none) or a stretch of values between two neighbouring
//! literals. Two inputs in the same atoms meet the same rows, so a proof over atoms is a proof over all
//! inputs. Whole numbers and days are discrete, money is counted in the minor unit of its currency (or
//! finer, where a literal is finer); decimals, percents, times and durations are dense.

use super::bits::Bits;
use crate::check::hash::HashMap;
use crate::check::program::{CellTest, Constant, EnumType, Expr, ExprKind, Program, Type};
use crate::syntax::tree::BinaryOperator;
use crate::value::temporal::{milliseconds_of_day, time_from_milliseconds};
use crate::value::{Currency, Decimal, Duration, EnumValue, Instant, Money, Value};

/// A part of a dimension that no cell cuts.
#[derive(Debug, Clone, PartialEq)]
pub enum Atom {
    /// An optional without a value.
    None,
    /// This value.
    Point(Value),
    /// The values between two points; open where there is none.
    Between(Option<Value>, Option<Value>),
    /// A text that is none of the literals.
    OtherText,
}

/// What a column tests, in atoms.
#[derive(Debug, Clone)]
pub struct Dimension {
    /// How the script says it: `total`, `row.quantity`.
    pub name: String,
    /// The atoms: none first, then in order.
    pub atoms: Vec<Atom>,
    /// How the script writes the values that its cells compare with.
    pub spelled: HashMap<Value, String>,
    /// The atoms that are single values, found by them.
    points: HashMap<Value, usize>,
    /// A value for examples where the cells ask for nothing.
    typical: Value,
}

impl Dimension {
    /// The dimension of a subject of this type whose cells are these tests. `None` for types that have no
    /// atoms, or tests that are no literals.
    pub fn new(
        name: &str,
        ty: &Type,
        tests: &[&CellTest],
        constants: &[Constant],
        enums: &[EnumType],
    ) -> Option<Dimension> {
        let (ty, optional) = match ty {
            Type::Optional(inner) => (inner.as_ref(), true),
            ty => (ty, false),
        };
        let mut literals = Vec::new();
        for test in tests {
            collect(test, constants, &mut literals)?;
        }
        literals.retain(|value| !matches!(value, Value::None));
        let mut atoms = if optional { vec![Atom::None] } else { Vec::new() };
        match ty {
            Type::Bool => atoms.extend([false, true].map(|value| Atom::Point(Value::Bool(value)))),
            Type::Enum(id) => {
                let members = enums.get(id.0 as usize)?.members.len();
                atoms.extend(
                    (0..members)
                        .map(|member| Atom::Point(Value::Enum(EnumValue { type_id: *id, member: member as u16 }))),
                );
            }
            Type::Text => {
                literals.sort();
                literals.dedup();
                atoms.extend(literals.into_iter().map(Atom::Point));
                atoms.push(Atom::OtherText);
            }
            Type::Money(_) => {
                // Amounts of two currencies in one column have no common order.
                let mut currencies = literals.iter().filter_map(currency);
                let first = currencies.next();
                if currencies.any(|other| Some(other) != first) {
                    return None;
                }
                atoms.extend(ordered(literals, Spacing::of_money));
            }
            Type::Int => atoms.extend(ordered(literals, |_| Spacing::Whole)),
            Type::Date => atoms.extend(ordered(literals, |_| Spacing::Day)),
            Type::Decimal | Type::Percent | Type::Time | Type::Instant | Type::Duration => {
                atoms.extend(ordered(literals, |_| Spacing::Dense));
            }
            _ => return None,
        }
        Some(Dimension::of(name, atoms, typical(ty)))
    }

    /// A condition that is only true or false: nothing more is known of it.
    pub fn condition(name: &str) -> Dimension {
        let atoms = [false, true].map(|value| Atom::Point(Value::Bool(value))).to_vec();
        Dimension::of(name, atoms, Value::Bool(true))
    }

    fn of(name: &str, atoms: Vec<Atom>, typical: Value) -> Dimension {
        let point = |(at, atom): (usize, &Atom)| match atom {
            Atom::Point(value) => Some((value.clone(), at)),
            _ => None,
        };
        let points = atoms.iter().enumerate().filter_map(point).collect();
        Dimension { name: name.to_string(), atoms, spelled: HashMap::default(), points, typical }
    }

    /// The atoms that a test admits; `None` when the test is no literal.
    pub fn admit(&self, test: &CellTest, constants: &[Constant]) -> Option<Bits> {
        let bound = self.atoms.len();
        Some(match test {
            CellTest::Anything | CellTest::Otherwise => Bits::all(bound),
            CellTest::Some => self.select(|atom| !matches!(atom, Atom::None)),
            CellTest::Equal(expr) => match literal(expr, constants)? {
                Value::None => self.select(|atom| matches!(atom, Atom::None)),
                value => {
                    let mut one = Bits::none(bound);
                    if let Some(point) = self.points.get(&value) {
                        one.insert(*point);
                    }
                    one
                }
            },
            CellTest::Compare(operator, expr) => {
                let value = literal(expr, constants)?;
                self.select(|atom| holds(atom, *operator, &value))
            }
            CellTest::Range(from, to) => {
                let (from, to) = (literal(from, constants)?, literal(to, constants)?);
                self.select(|atom| {
                    holds(atom, BinaryOperator::GreaterOrEqual, &from) && holds(atom, BinaryOperator::LessOrEqual, &to)
                })
            }
            CellTest::Not(test) => self.admit(test, constants)?.complement(),
            CellTest::And(tests) => {
                tests.iter().try_fold(Bits::all(bound), |all, test| Some(all.and(&self.admit(test, constants)?)))?
            }
            CellTest::Or(tests) => {
                tests.iter().try_fold(Bits::none(bound), |all, test| Some(all.or(&self.admit(test, constants)?)))?
            }
            CellTest::Condition(_) => return None,
        })
    }

    /// Takes over how a script writes the values of a test.
    pub fn spell(&mut self, test: &CellTest, program: &Program) {
        test.each_expression(&mut |expr| {
            let text = program.sources.slice(expr.span).trim();
            let Some(value) = literal(expr, &program.constants) else { return };
            // A number of a sheet takes the unit of its column, which a reader of the finding does not see.
            let has_unit = match &value {
                Value::Percent(_) => text.ends_with('%'),
                Value::Money(money) => text.contains(money.currency.code()),
                Value::Text(_) => text.starts_with('"'),
                _ => true,
            };
            let is_named = matches!(expr.kind, ExprKind::Constant(_));
            if (has_unit || is_named) && !text.is_empty() {
                self.spelled.entry(value).or_insert_with(|| text.to_string());
            }
        });
    }

    /// The only value of an atom, when it has no other: between 2 and 4 there is only 3.
    pub fn only(&self, atom: usize) -> Option<Value> {
        match self.atoms.get(atom)? {
            Atom::Point(value) => Some(value.clone()),
            Atom::Between(Some(low), Some(high)) => {
                let value = above(low, Some(high));
                let is_alone = match (low, &value, high) {
                    (Value::Int(low), Value::Int(value), Value::Int(high)) => {
                        value.checked_sub(*low) == Some(1) && high.checked_sub(*value) == Some(1)
                    }
                    (_, Value::Date(value), Value::Date(high)) => value.tomorrow().is_ok_and(|next| next == *high),
                    (Value::Money(low), Value::Money(value), Value::Money(high)) => {
                        let minor = value.currency.minor_digits().unwrap_or(0);
                        let coarse = [low, high].iter().all(|money| money.amount.normalize().scale() <= minor);
                        let unit = Decimal::new(1, minor);
                        coarse
                            && low.amount.checked_add(unit) == Some(value.amount)
                            && value.amount.checked_add(unit) == Some(high.amount)
                    }
                    _ => false,
                };
                is_alone.then_some(value)
            }
            _ => None,
        }
    }

    /// The atoms that a predicate holds for.
    pub fn select(&self, predicate: impl Fn(&Atom) -> bool) -> Bits {
        let mut bits = Bits::none(self.atoms.len());
        for (index, atom) in self.atoms.iter().enumerate() {
            if predicate(atom) {
                bits.insert(index);
            }
        }
        bits
    }

    /// A value that lies in an atom, as near to its lower end as reads well.
    pub fn witness(&self, atom: usize) -> Value {
        match self.atoms.get(atom) {
            Some(Atom::Point(value)) => value.clone(),
            Some(Atom::Between(Some(low), high)) => above(low, high.as_ref()),
            Some(Atom::Between(None, Some(high))) => below(high),
            Some(Atom::OtherText) => Value::text("something else"),
            Some(Atom::Between(None, None)) => self.typical.clone(),
            Some(Atom::None) | None => Value::None,
        }
    }
}

/// The literals of a test, none included; `None` when something is no literal.
fn collect(test: &CellTest, constants: &[Constant], literals: &mut Vec<Value>) -> Option<()> {
    match test {
        CellTest::Anything | CellTest::Otherwise | CellTest::Some => {}
        CellTest::Equal(expr) | CellTest::Compare(_, expr) => literals.push(literal(expr, constants)?),
        CellTest::Range(from, to) => literals.extend([literal(from, constants)?, literal(to, constants)?]),
        CellTest::Not(test) => collect(test, constants, literals)?,
        CellTest::And(tests) | CellTest::Or(tests) => {
            for test in tests {
                collect(test, constants, literals)?;
            }
        }
        CellTest::Condition(_) => return None,
    }
    Some(())
}

/// The value of an expression that is known before the run.
pub fn literal(expr: &Expr, constants: &[Constant]) -> Option<Value> {
    match &expr.kind {
        ExprKind::Value(value) => Some(value.clone()),
        ExprKind::Constant(id) => literal(&constants.get(id.index())?.value, constants),
        ExprKind::ToDecimal(inner) => match literal(inner, constants)? {
            Value::Int(value) => Some(Value::Decimal(Decimal::from(value))),
            value => Some(value),
        },
        ExprKind::Negate(inner) => Some(match literal(inner, constants)? {
            Value::Int(value) => Value::Int(value.checked_neg()?),
            Value::Decimal(value) => Value::Decimal(-value),
            Value::Percent(value) => Value::Percent(-value),
            Value::Money(money) => Value::Money(Money { amount: -money.amount, ..money }),
            Value::Duration(duration) => {
                Value::Duration(Duration::from_milliseconds(duration.milliseconds().checked_neg()?))
            }
            _ => return None,
        }),
        _ => None,
    }
}

fn currency(value: &Value) -> Option<crate::value::Currency> {
    match value {
        Value::Money(money) => Some(money.currency),
        _ => None,
    }
}

/// How near two values of a dimension can be.
enum Spacing {
    /// Whole numbers.
    Whole,
    /// Days.
    Day,
    /// Amounts with so many digits behind the point.
    Digits(u32),
    /// There is always one more between two.
    Dense,
}

impl Spacing {
    /// Minor units, or finer where a literal is.
    fn of_money(points: &[Value]) -> Spacing {
        let digits = points.iter().filter_map(|value| match value {
            Value::Money(money) => {
                Some(money.amount.normalize().scale().max(money.currency.minor_digits().unwrap_or(0)))
            }
            _ => None,
        });
        digits.max().map_or(Spacing::Dense, Spacing::Digits)
    }

    /// Whether nothing lies between two points.
    fn neighbours(&self, low: &Value, high: &Value) -> bool {
        match (self, low, high) {
            (Spacing::Whole, Value::Int(low), Value::Int(high)) => low.checked_add(1) == Some(*high),
            (Spacing::Day, Value::Date(low), Value::Date(high)) => low.tomorrow().is_ok_and(|next| next == *high),
            (Spacing::Digits(digits), Value::Money(low), Value::Money(high)) => {
                low.amount.checked_add(Decimal::new(1, *digits)) == Some(high.amount)
            }
            _ => false,
        }
    }
}

/// Whether nothing comes before a value: the day has no time before midnight.
fn is_first(value: &Value) -> bool {
    match value {
        Value::Time(time) => *time == jiff::civil::Time::midnight(),
        Value::Int(number) => *number == i64::MIN,
        _ => false,
    }
}

/// The atoms of an ordered dimension: each point, and what lies before, between and behind.
fn ordered(mut points: Vec<Value>, spacing: impl Fn(&[Value]) -> Spacing) -> Vec<Atom> {
    points.sort();
    points.dedup();
    let spacing = spacing(&points);
    let mut atoms = Vec::with_capacity(points.len() * 2 + 1);
    let mut before: Option<Value> = None;
    for point in points {
        let nothing_between = match &before {
            Some(low) => spacing.neighbours(low, &point),
            None => is_first(&point),
        };
        if !nothing_between {
            atoms.push(Atom::Between(before, Some(point.clone())));
        }
        atoms.push(Atom::Point(point.clone()));
        before = Some(point);
    }
    atoms.push(Atom::Between(before, None));
    atoms
}

/// Whether a comparison with a value holds for all of an atom. Literals of the dimension never lie inside
/// an atom, so it holds for all of it or for nothing.
fn holds(atom: &Atom, operator: BinaryOperator, value: &Value) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = match atom {
        Atom::Point(point) => point.cmp(value),
        Atom::Between(Some(low), _) if low >= value => Greater,
        Atom::Between(_, Some(high)) if high <= value => Less,
        Atom::OtherText => return operator == BinaryOperator::NotEqual,
        Atom::Between(..) | Atom::None => return false,
    };
    match operator {
        BinaryOperator::Equal => order == Equal,
        BinaryOperator::NotEqual => order != Equal,
        BinaryOperator::Less => order == Less,
        BinaryOperator::LessOrEqual => order != Greater,
        BinaryOperator::Greater => order == Greater,
        BinaryOperator::GreaterOrEqual => order != Less,
        _ => false,
    }
}

/// A plain value of an ordered type.
fn typical(ty: &Type) -> Value {
    match ty {
        Type::Int => Value::Int(0),
        Type::Decimal => Value::Decimal(Decimal::ZERO),
        Type::Percent => Value::Percent(Decimal::ZERO),
        Type::Money(Some(currency)) => Value::Money(Money { amount: Decimal::ZERO, currency: *currency }),
        Type::Money(None) => Value::Money(Money { amount: Decimal::ZERO, currency: Currency::EUR }),
        Type::Instant => Value::Instant(Instant::EPOCH),
        Type::Duration => Value::Duration(Duration::from_milliseconds(Duration::DAY)),
        Type::Date => Value::Date(jiff::civil::Date::constant(2026, 1, 1)),
        Type::Time => Value::Time(jiff::civil::Time::constant(12, 0, 0, 0)),
        _ => Value::None,
    }
}

/// A value a little above another, below a third.
fn above(low: &Value, high: Option<&Value>) -> Value {
    match (low, high) {
        (Value::Int(low), _) => Value::Int(low.saturating_add(1)),
        (Value::Date(low), _) => Value::Date(low.tomorrow().unwrap_or(*low)),
        (Value::Money(money), high) => {
            let unit = Decimal::new(1, money.currency.minor_digits().unwrap_or(0));
            let next = money.amount.saturating_add(unit);
            let amount = match high {
                Some(Value::Money(high)) if high.amount <= next => middle(money.amount, high.amount),
                _ => next,
            };
            Value::Money(Money { amount, ..*money })
        }
        (Value::Decimal(low), Some(Value::Decimal(high))) => Value::Decimal(middle(*low, *high)),
        (Value::Decimal(low), _) => Value::Decimal(low.saturating_add(Decimal::ONE)),
        (Value::Percent(low), Some(Value::Percent(high))) => Value::Percent(middle(*low, *high)),
        (Value::Percent(low), _) => Value::Percent(low.saturating_add(Decimal::new(1, 2))),
        (Value::Duration(low), high) => {
            let high = match high {
                Some(Value::Duration(high)) => Some(high.milliseconds()),
                _ => None,
            };
            Value::Duration(Duration::from_milliseconds(later(low.milliseconds(), high, Duration::DAY)))
        }
        (Value::Instant(low), high) => {
            let high = match high {
                Some(Value::Instant(high)) => Some(high.milliseconds()),
                _ => None,
            };
            let later = later(low.milliseconds(), high, Duration::DAY);
            Value::Instant(Instant::from_milliseconds(later).unwrap_or(*low))
        }
        (Value::Time(low), high) => {
            let high = match high {
                Some(Value::Time(high)) => milliseconds_of_day(*high),
                _ => Duration::DAY,
            };
            let later = later(milliseconds_of_day(*low), Some(high), Duration::HOUR);
            Value::Time(time_from_milliseconds(later).unwrap_or(*low))
        }
        (other, _) => other.clone(),
    }
}

/// A number of milliseconds above another and below a third, as round as there is room for: whole days, hours, minutes,
/// seconds, and no more than `step` above.
fn later(low: i64, high: Option<i64>, step: i64) -> i64 {
    let steps = [Duration::DAY, Duration::HOUR, Duration::MINUTE, 1_000, 1];
    let fits = |next: &i64| *next > low && high.is_none_or(|high| *next < high);
    let nexts = steps.into_iter().filter(|each| *each <= step).map(|step| low.saturating_add(step));
    let half = high.map(|high| low.saturating_add(high.saturating_sub(low) / 2));
    nexts.chain(half).find(fits).unwrap_or(low)
}

/// A value a little below another.
fn below(high: &Value) -> Value {
    match high {
        Value::Int(high) => Value::Int(high.saturating_sub(1)),
        Value::Date(high) => Value::Date(high.yesterday().unwrap_or(*high)),
        Value::Money(money) => {
            let unit = Decimal::new(1, money.currency.minor_digits().unwrap_or(0));
            Value::Money(Money { amount: money.amount.saturating_sub(unit), ..*money })
        }
        Value::Decimal(high) => Value::Decimal(high.saturating_sub(Decimal::ONE)),
        Value::Percent(high) => Value::Percent(high.saturating_sub(Decimal::new(1, 2))),
        Value::Duration(high) => {
            Value::Duration(Duration::from_milliseconds(high.milliseconds().saturating_sub(Duration::MINUTE)))
        }
        Value::Instant(high) => {
            let earlier = high.milliseconds().saturating_sub(Duration::MINUTE);
            Value::Instant(Instant::from_milliseconds(earlier).unwrap_or(*high))
        }
        Value::Time(high) => {
            let of_day = milliseconds_of_day(*high);
            let steps = [Duration::HOUR, Duration::MINUTE, 1_000, 1];
            let earlier = steps.into_iter().map(|step| of_day - step).find(|earlier| *earlier >= 0);
            let earlier = earlier.map(time_from_milliseconds);
            Value::Time(earlier.and_then(Result::ok).unwrap_or(*high))
        }
        other => other.clone(),
    }
}

/// A number between two others.
fn middle(low: Decimal, high: Decimal) -> Decimal {
    let half = |number: Decimal| number.checked_div(Decimal::TWO).unwrap_or(number);
    match low.checked_add(high) {
        Some(sum) => half(sum).normalize(),
        None => half(low).saturating_add(half(high)),
    }
}
