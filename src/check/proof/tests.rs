//! The proofs against brute force: small tables over few values, every input tried.

use super::cover::{Cover, cover};
use super::space::Space;
use super::*;
use crate::check::program::{CellTest, Column, Effect, Expr, ExprKind, Parameter, Row, Type};
use crate::syntax::tree::{BinaryOperator, HitPolicy};
use crate::text::{Source, Span};
use crate::value::Value;
use proptest::prelude::*;

/// What a generated cell may say about an int column with values 0 to 6.
#[derive(Debug, Clone)]
enum IntCell {
    Any,
    Equal(i64),
    Compare(BinaryOperator, i64),
    Range(i64, i64),
    Not(Box<IntCell>),
    OneOf(Vec<i64>),
}

impl IntCell {
    fn holds(&self, value: i64) -> bool {
        match self {
            IntCell::Any => true,
            IntCell::Equal(wanted) => value == *wanted,
            IntCell::Compare(BinaryOperator::Less, bound) => value < *bound,
            IntCell::Compare(BinaryOperator::LessOrEqual, bound) => value <= *bound,
            IntCell::Compare(BinaryOperator::Greater, bound) => value > *bound,
            IntCell::Compare(_, bound) => value >= *bound,
            IntCell::Range(from, to) => *from <= value && value <= *to,
            IntCell::Not(inner) => !inner.holds(value),
            IntCell::OneOf(values) => values.contains(&value),
        }
    }

    fn test(&self) -> CellTest {
        match self {
            IntCell::Any => CellTest::Anything,
            IntCell::Equal(value) => CellTest::Equal(constant(Value::Int(*value), Type::Int)),
            IntCell::Compare(operator, value) => CellTest::Compare(*operator, constant(Value::Int(*value), Type::Int)),
            IntCell::Range(from, to) => {
                CellTest::Range(constant(Value::Int(*from), Type::Int), constant(Value::Int(*to), Type::Int))
            }
            IntCell::Not(inner) => CellTest::Not(Box::new(inner.test())),
            IntCell::OneOf(values) => CellTest::Or(
                values.iter().map(|value| CellTest::Equal(constant(Value::Int(*value), Type::Int))).collect(),
            ),
        }
    }
}

fn int_cell() -> impl Strategy<Value = IntCell> {
    let plain = prop_oneof![
        2 => Just(IntCell::Any),
        2 => (0..7i64).prop_map(IntCell::Equal),
        3 => (prop_oneof![
                Just(BinaryOperator::Less),
                Just(BinaryOperator::LessOrEqual),
                Just(BinaryOperator::Greater),
                Just(BinaryOperator::GreaterOrEqual)
            ], 0..7i64).prop_map(|(operator, bound)| IntCell::Compare(operator, bound)),
        2 => (0..7i64, 0..7i64).prop_map(|(from, to)| IntCell::Range(from.min(to), from.max(to))),
        1 => proptest::collection::vec(0..7i64, 1..4).prop_map(IntCell::OneOf),
    ];
    prop_oneof![4 => plain.clone(), 1 => plain.prop_map(|cell| IntCell::Not(Box::new(cell)))]
}

/// A row: two int columns and an optional bool column (`None` in the cell is `-`).
type Cells = (IntCell, IntCell, Option<Option<bool>>);

fn constant(value: Value, ty: Type) -> Expr {
    Expr { kind: ExprKind::Value(value), ty, effect: Effect::Pure, span: Span::default() }
}

fn optional_test(cell: Option<Option<bool>>) -> CellTest {
    match cell {
        None => CellTest::Anything,
        Some(None) => CellTest::Equal(constant(Value::None, Type::Optional(Box::new(Type::Never)))),
        Some(Some(value)) => CellTest::Equal(constant(Value::Bool(value), Type::Bool)),
    }
}

/// A table `t(a: int, b: int, c: bool?)` with these rows.
fn program(rows: &[Cells], policy: HitPolicy) -> Program {
    let mut program = Program::default();
    let source = program.sources.add(Source::new("t.rpa", "a b c 1"));
    let types = [Type::Int, Type::Int, Type::Optional(Box::new(Type::Bool))];
    let at = |index: usize| Span::new(source, index * 2, index * 2 + 1);
    let subject = |index: usize| Expr {
        kind: ExprKind::Local(crate::check::program::LocalId(index as u32)),
        ty: types[index].clone(),
        effect: Effect::Pure,
        span: at(index),
    };
    let columns = (0..3)
        .map(|index| Column { subject: Some(subject(index)), heading: ["a", "b", "c"][index].into(), span: at(index) })
        .collect();
    let rows = rows.iter().enumerate().map(|(index, (a, b, c))| Row {
        tests: vec![a.test(), b.test(), optional_test(*c)],
        test_spans: vec![Span::default(); 3],
        outcome: Expr { span: at(3), ..constant(Value::Int(1), Type::Int) },
        span: Span::default(),
        name: format!("row {}", index + 1).into(),
    });
    program.tables.push(DecisionTable {
        name: "t".into(),
        parameters: Vec::<Parameter>::new(),
        result: Type::Int,
        policy,
        columns,
        rows: rows.collect(),
        effect: Effect::Pure,
        locals: Vec::new(),
        documentation: "".into(),
        span: Span::default(),
    });
    program
}

/// Every input that matters: literals are 0 to 6, so -1 and 7 stand for all beyond.
fn inputs() -> impl Iterator<Item = (i64, i64, Option<bool>)> {
    (-1..8).flat_map(|a| (-1..8).flat_map(move |b| [None, Some(false), Some(true)].into_iter().map(move |c| (a, b, c))))
}

fn fires((a, b, c): &Cells, input: (i64, i64, Option<bool>)) -> bool {
    a.holds(input.0) && b.holds(input.1) && c.is_none_or(|wanted| wanted == input.2)
}

fn codes(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.code.id).collect()
}

proptest! {
    #[test]
    fn a_gap_is_found_exactly_when_an_input_meets_no_row(rows in proptest::collection::vec(
        (int_cell(), int_cell(), proptest::option::of(proptest::option::of(any::<bool>()))), 1..8))
    {
        let program = program(&rows, HitPolicy::First);
        let gap = inputs().any(|input| !rows.iter().any(|row| fires(row, input)));
        prop_assert_eq!(codes(&check(&program, |_| true)).contains(&"decision::gap"), gap);
        // The parts that are said to be open hold exactly the inputs that meet no row.
        let space = Space::of(&program.tables[0], &program).expect("a space");
        let regions: Vec<_> = space.rows.iter().flatten().collect();
        if let Cover::Open { parts, all: true } = cover(&space.everything(), &regions) {
            for part in &parts {
                let witness: Vec<Value> = part.iter().zip(&space.dimensions)
                    .map(|(side, dimension)| dimension.witness(side.iter().next().expect("no empty part"))).collect();
                let (Value::Int(a), Value::Int(b)) = (&witness[0], &witness[1]) else { panic!("ints") };
                let c = match witness[2] { Value::Bool(value) => Some(value), _ => None };
                prop_assert!(!rows.iter().any(|row| fires(row, (*a, *b, c))), "{:?} meets a row", witness);
            }
        }
    }

    #[test]
    fn an_overlap_is_found_exactly_when_an_input_meets_two_rows(rows in proptest::collection::vec(
        (int_cell(), int_cell(), proptest::option::of(proptest::option::of(any::<bool>()))), 1..6))
    {
        let program = program(&rows, HitPolicy::Unique);
        let overlap = inputs().any(|input| rows.iter().filter(|row| fires(row, input)).count() > 1);
        prop_assert_eq!(codes(&check(&program, |_| true)).contains(&"decision::overlap"), overlap);
    }

    #[test]
    fn a_row_is_dead_exactly_when_rows_before_take_all_its_inputs(rows in proptest::collection::vec(
        (int_cell(), int_cell(), proptest::option::of(proptest::option::of(any::<bool>()))), 1..6))
    {
        let program = program(&rows, HitPolicy::First);
        let findings = check(&program, |_| true);
        for (index, row) in rows.iter().enumerate() {
            let own: Vec<_> = inputs().filter(|input| fires(row, *input)).collect();
            let dead = !own.is_empty()
                && own.iter().all(|input| rows[..index].iter().any(|earlier| fires(earlier, *input)));
            let name = format!("row {} of `t` never fires", index + 1);
            prop_assert_eq!(findings.iter().any(|finding| finding.message == name), dead);
            let never = format!("row {} of `t` can never fire", index + 1);
            prop_assert_eq!(findings.iter().any(|finding| finding.message == never), own.is_empty());
        }
    }
}
