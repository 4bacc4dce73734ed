//! The proofs against brute force over every kind of column: enums, truth values, numbers, money, percents, dates, times,
//! durations, instants, texts, all of them also optional, and columns that share an expression.

use super::check;
use super::cover::{Cover, cover};
use super::space::Space;
use crate::check::program::{
    CellTest, Column, DecisionTable, Effect, EnumType, Expr, ExprKind, LocalId, Program, Row, Type,
};
use crate::syntax::tree::{BinaryOperator, HitPolicy};
use crate::text::{Source, Span};
use crate::value::{Currency, Decimal, Duration, EnumId, Instant, Money, Value};
use proptest::prelude::*;

/// The kinds of columns.
const KINDS: usize = 11;

fn milliseconds(hours: i64) -> i64 {
    hours * Duration::HOUR
}

fn money(cents: i64) -> Value {
    Value::Money(Money { amount: Decimal::new(cents, 2), currency: Currency::EUR })
}

/// A kind of column: its type, the values its cells name, and inputs that stand for all: each value, what lies before,
/// between and behind.
fn kind(number: usize) -> (Type, Vec<Value>, Vec<Value>) {
    let between = |make: &dyn Fn(i64) -> Value, at: &[i64], all: &[i64]| {
        (at.iter().map(|at| make(*at)).collect::<Vec<_>>(), all.iter().map(|at| make(*at)).collect::<Vec<_>>())
    };
    let (ty, (literals, inputs)) = match number {
        0 => {
            let both = vec![Value::Bool(false), Value::Bool(true)];
            (Type::Bool, (both.clone(), both))
        }
        1 => {
            let members: Vec<Value> = (0..3).map(|member| Value::member(EnumId(0), member)).collect();
            (Type::Enum(EnumId(0)), (members.clone(), members))
        }
        2 => (Type::Int, between(&Value::Int, &[0, 1, 3, 6], &[-1, 0, 1, 2, 3, 4, 5, 6, 7])),
        3 => (
            Type::Money(Some(Currency::EUR)),
            between(&money, &[0, 1, 100, 103], &[-1, 0, 1, 2, 50, 100, 101, 102, 103, 104]),
        ),
        4 => {
            let make = |number: i64| Value::Decimal(Decimal::new(number, 1));
            (Type::Decimal, between(&make, &[0, 5, 10, 20], &[-3, 0, 2, 5, 7, 10, 15, 20, 30]))
        }
        5 => {
            let make = |number: i64| Value::Percent(Decimal::new(number, 3));
            (Type::Percent, between(&make, &[0, 50, 100, 200], &[-3, 0, 20, 50, 70, 100, 150, 200, 300]))
        }
        6 => {
            let make = |day: i64| Value::Date(crate::value::temporal::date_from_days(20_000 + day).expect("a date"));
            (Type::Date, between(&make, &[0, 1, 3, 30], &[-1, 0, 1, 2, 3, 4, 20, 30, 31]))
        }
        7 => {
            let make = |quarter: i64| {
                Value::Time(crate::value::temporal::time_from_milliseconds(milliseconds(quarter) / 4).expect("a time"))
            };
            // Midnight is the first time of the day: nothing comes before it.
            (Type::Time, between(&make, &[0, 2, 48, 92], &[0, 1, 2, 24, 48, 60, 92, 94]))
        }
        8 => {
            let make = |hours: i64| Value::Duration(Duration::from_milliseconds(milliseconds(hours)));
            (Type::Duration, between(&make, &[0, 2, 24, 72], &[-1, 0, 1, 2, 8, 24, 30, 72, 100]))
        }
        9 => {
            let make =
                |hours: i64| Value::Instant(Instant::from_milliseconds(milliseconds(hours)).expect("an instant"));
            (Type::Instant, between(&make, &[0, 2, 24, 72], &[-1, 0, 1, 2, 8, 24, 30, 72, 100]))
        }
        _ => {
            let texts = |texts: &[&str]| texts.iter().map(|text| Value::text(*text)).collect::<Vec<_>>();
            (Type::Text, (texts(&["a", "b", "c"]), texts(&["", "a", "b", "c", "d"])))
        }
    };
    (ty, literals, inputs)
}

/// Numbers out of a seed (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound.max(1) as u64) as usize
    }
}

fn constant(value: Value, ty: Type) -> Expr {
    Expr { kind: ExprKind::Value(value), ty, effect: Effect::Pure, span: Span::default() }
}

/// A cell of a column of this type.
fn cell(ty: &Type, literals: &[Value], optional: bool, chance: &mut Chance) -> CellTest {
    let ordered = !matches!(ty, Type::Bool | Type::Enum(_) | Type::Text);
    let pick = |chance: &mut Chance| literals[chance.below(literals.len())].clone();
    let expr = |value: Value| constant(value, ty.clone());
    let none = || CellTest::Equal(constant(Value::None, Type::Optional(Box::new(Type::Never))));
    match chance.below(10) {
        0 | 1 => CellTest::Anything,
        2 if optional => none(),
        3 if optional => CellTest::Some,
        4 | 5 if ordered => {
            use BinaryOperator::{Greater, GreaterOrEqual, Less, LessOrEqual};
            let operator = [Less, LessOrEqual, Greater, GreaterOrEqual][chance.below(4)];
            CellTest::Compare(operator, expr(pick(chance)))
        }
        6 if ordered => {
            let (one, other) = (pick(chance), pick(chance));
            let (low, high) = if one <= other { (one, other) } else { (other, one) };
            CellTest::Range(expr(low), expr(high))
        }
        7 => CellTest::Not(Box::new(cell(ty, literals, optional, chance))),
        8 => CellTest::Or((0..=chance.below(3)).map(|_| cell(ty, literals, optional, chance)).collect()),
        9 => CellTest::And((0..=chance.below(2)).map(|_| cell(ty, literals, optional, chance)).collect()),
        _ => CellTest::Equal(expr(pick(chance))),
    }
}

/// Whether a value passes a test, as the language says it.
fn passes(test: &CellTest, value: &Value) -> bool {
    let of = |expr: &Expr| match &expr.kind {
        ExprKind::Value(value) => value.clone(),
        other => panic!("{other:?} is no literal"),
    };
    let is_there = *value != Value::None;
    match test {
        CellTest::Anything | CellTest::Otherwise => true,
        CellTest::Some => is_there,
        CellTest::Equal(expr) => *value == of(expr),
        CellTest::Compare(BinaryOperator::Less, expr) => is_there && *value < of(expr),
        CellTest::Compare(BinaryOperator::LessOrEqual, expr) => is_there && *value <= of(expr),
        CellTest::Compare(BinaryOperator::Greater, expr) => is_there && *value > of(expr),
        CellTest::Compare(_, expr) => is_there && *value >= of(expr),
        CellTest::Range(from, to) => is_there && *value >= of(from) && *value <= of(to),
        CellTest::Not(inner) => !passes(inner, value),
        CellTest::And(tests) => tests.iter().all(|test| passes(test, value)),
        CellTest::Or(tests) => tests.iter().any(|test| passes(test, value)),
        CellTest::Condition(_) => panic!("there are no conditions here"),
    }
}

/// A table with the inputs that stand for all.
struct Made {
    program: Program,
    /// For each column, which input it looks at: two columns may look at the same.
    looks_at: Vec<usize>,
    inputs: Vec<Vec<Value>>,
}

fn made(seed: u64, policy: HitPolicy) -> Made {
    let mut chance = Chance(seed);
    let mut program = Program::default();
    let source = program.sources.add(Source::new("t.rpa", "a b c d 1"));
    program.enums.push(EnumType {
        name: "Tier".into(),
        members: ["gold", "silver", "bronze"].map(Into::into).to_vec(),
        documentation: "".into(),
        span: Span::default(),
    });
    let at = |index: usize| Span::new(source, index * 2, index * 2 + 1);
    let subjects: Vec<(Type, Vec<Value>, Vec<Value>, bool)> = (0..1 + chance.below(3))
        .map(|_| {
            let (ty, literals, mut inputs) = kind(chance.below(KINDS));
            let optional = chance.below(3) == 0;
            if optional {
                inputs.push(Value::None);
            }
            (ty, literals, inputs, optional)
        })
        .collect();
    let mut looks_at: Vec<usize> = (0..subjects.len()).collect();
    if chance.below(3) == 0 {
        looks_at.push(chance.below(subjects.len()));
    }
    let columns = looks_at.iter().map(|subject| {
        let (ty, _, _, optional) = &subjects[*subject];
        let ty = if *optional { Type::Optional(Box::new(ty.clone())) } else { ty.clone() };
        let kind = ExprKind::Local(LocalId(*subject as u32));
        let span = at(*subject);
        let subject = Expr { kind, ty, effect: Effect::Pure, span };
        Column { subject: Some(subject), heading: "x".into(), span }
    });
    let columns: Vec<Column> = columns.collect();
    let rows = (0..1 + chance.below(6)).map(|index| Row {
        tests: looks_at
            .iter()
            .map(|subject| {
                let (ty, literals, _, optional) = &subjects[*subject];
                cell(ty, literals, *optional, &mut chance)
            })
            .collect(),
        test_spans: vec![Span::default(); looks_at.len()],
        outcome: Expr { span: at(4), ..constant(Value::Int(1), Type::Int) },
        span: Span::default(),
        name: ecow::eco_format!("row {}", index + 1),
    });
    let rows = rows.collect();
    program.tables.push(DecisionTable {
        name: "t".into(),
        parameters: Vec::new(),
        result: Type::Int,
        policy,
        columns,
        rows,
        effect: Effect::Pure,
        locals: Vec::new(),
        documentation: "".into(),
        span: Span::default(),
    });
    Made { program, looks_at, inputs: subjects.into_iter().map(|(_, _, inputs, _)| inputs).collect() }
}

impl Made {
    fn fires(&self, row: usize, input: &[Value]) -> bool {
        let row = &self.program.tables[0].rows[row];
        row.tests.iter().zip(&self.looks_at).all(|(test, subject)| passes(test, &input[*subject]))
    }

    fn all_inputs(&self) -> Vec<Vec<Value>> {
        self.inputs.iter().fold(vec![Vec::new()], |made, values| {
            made.iter()
                .flat_map(|head| values.iter().map(|value| [head.as_slice(), std::slice::from_ref(value)].concat()))
                .collect()
        })
    }

    fn rows(&self) -> std::ops::Range<usize> {
        0..self.program.tables[0].rows.len()
    }

    fn found(&self, code: &str) -> bool {
        check(&self.program, |_| true).iter().any(|finding| finding.code.id == code)
    }
}

proptest! {
    #[test]
    fn gaps_are_those_of_brute_force(seed in any::<u64>()) {
        let made = made(seed, HitPolicy::First);
        let gap = made.all_inputs().iter().any(|input| !made.rows().any(|row| made.fires(row, input)));
        prop_assert_eq!(made.found("decision::gap"), gap);
        // Every value that a finding would show lies in the gap that it is shown for.
        let space = Space::of(&made.program.tables[0], &made.program).expect("a space");
        let regions: Vec<_> = space.rows.iter().flatten().collect();
        if let Cover::Open { parts, .. } = cover(&space.everything(), &regions) {
            for part in &parts {
                let mut input = vec![Value::None; made.inputs.len()];
                for (side, dimension) in part.iter().zip(&space.dimensions) {
                    let subject = ["a", "b", "c"].iter().position(|name| *name == dimension.name).expect("a subject");
                    input[subject] = dimension.witness(side.iter().next().expect("no empty part"));
                }
                prop_assert!(!made.rows().any(|row| made.fires(row, &input)), "{:?} meets a row", input);
            }
        }
    }

    #[test]
    fn overlaps_are_those_of_brute_force(seed in any::<u64>()) {
        let made = made(seed, HitPolicy::Unique);
        let twice = |input: &Vec<Value>| made.rows().filter(|row| made.fires(*row, input)).count() > 1;
        prop_assert_eq!(made.found("decision::overlap"), made.all_inputs().iter().any(twice));
    }

    #[test]
    fn dead_rows_are_those_of_brute_force(seed in any::<u64>()) {
        let made = made(seed, HitPolicy::First);
        let inputs = made.all_inputs();
        let findings = check(&made.program, |_| true);
        for row in made.rows() {
            let mut own = inputs.iter().filter(|input| made.fires(row, input)).peekable();
            let never = own.peek().is_none();
            let dead = !never && own.all(|input| (0..row).any(|earlier| made.fires(earlier, input)));
            let said = |text: String| findings.iter().any(|finding| finding.message == text);
            prop_assert_eq!(said(format!("row {} of `t` never fires", row + 1)), dead);
            prop_assert_eq!(said(format!("row {} of `t` can never fire", row + 1)), never);
        }
    }

    #[test]
    fn a_witness_lies_where_it_is_said_to(seed in any::<u64>()) {
        let made = made(seed, HitPolicy::First);
        let space = Space::of(&made.program.tables[0], &made.program).expect("a space");
        for dimension in &space.dimensions {
            let subject = ["a", "b", "c"].iter().position(|name| *name == dimension.name).expect("a subject");
            for row in &made.program.tables[0].rows {
                for (test, _) in row.tests.iter().zip(&made.looks_at).filter(|(_, at)| **at == subject) {
                    let side = dimension.admit(test, &[]).expect("literals");
                    for atom in 0..dimension.atoms.len() {
                        let value = dimension.witness(atom);
                        prop_assert_eq!(side.has(atom), passes(test, &value), "{:?} {:?}", value, test);
                    }
                }
            }
        }
    }
}
