//! Conditions of rules as sets of boxes over the fields of a record: the union of the boxes holds every record for
//! which the condition can be true (and perhaps more), so that two conditions without a common box exclude each other.
//!
//! The sides of a box are sets of the atoms of [`proof`](crate::check::proof). What is no comparison of a field with
//! a value known before the run (two fields, a function) is a fact that holds or does not, known by its wording over
//! the record; what reads anything else is not known at all.

use super::watch::is_local;
use crate::check::program::Effect;
use crate::check::program::{CellTest, Expr, ExprKind, LocalId, Program, TextPart, Type};
use crate::check::proof::bits::Bits;
use crate::check::proof::dimension::{Atom, Dimension, literal};
use crate::syntax::tree::BinaryOperator;
use crate::value::{RecordId, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A condition that falls into more boxes than this is taken as one that may always hold.
const BOXES: usize = 64;

/// A condition with its negations at the leaves.
#[derive(Debug, Clone)]
pub(super) enum Formula {
    /// All of these.
    All(Vec<Formula>),
    /// One of these.
    Any(Vec<Formula>),
    /// A test of a field.
    Test(usize, CellTest),
    /// A fact over the record, and whether it holds.
    Fact(Fact, bool),
    /// May be true or false.
    Open,
    /// Never true.
    Never,
}

/// Something over the fields of a record that is true or false.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fact {
    /// Its wording; `$` is the record.
    pub words: String,
    /// The fields that it reads.
    pub fields: BTreeSet<usize>,
}

/// A box: every field that is not named may be anything.
#[derive(Debug, Clone, Default)]
pub(super) struct Region {
    /// For fields, the atoms that are possible.
    pub sides: BTreeMap<usize, Bits>,
    /// What is known to hold, and not to hold.
    pub facts: BTreeMap<Fact, bool>,
}

impl Region {
    /// What both have in common; none when that is nothing.
    pub fn and(&self, other: &Region) -> Option<Region> {
        let mut both = self.clone();
        for (field, bits) in &other.sides {
            let side = both.sides.entry(*field).or_insert_with(|| bits.clone());
            *side = side.and(bits);
            if side.is_empty() {
                return None;
            }
        }
        for (fact, holds) in &other.facts {
            if *both.facts.entry(fact.clone()).or_insert(*holds) != *holds {
                return None;
            }
        }
        Some(both)
    }

    /// Whether there is a record in both.
    pub fn meets(&self, other: &Region) -> bool {
        self.and(other).is_some()
    }
}

/// Whether two unions of boxes have a record in common.
pub(super) fn meet(left: &[Region], right: &[Region]) -> bool {
    left.iter().any(|left| right.iter().any(|right| left.meets(right)))
}

/// The fields of entities that conditions and assignments speak of, cut into atoms.
#[derive(Debug, Default)]
pub(super) struct Domains {
    dimensions: HashMap<(RecordId, usize), Dimension>,
}

/// The tests that a program has for each field, collected before the atoms are known.
#[derive(Debug, Default)]
pub(super) struct Tests {
    tests: BTreeMap<(RecordId, usize), Vec<CellTest>>,
}

impl Tests {
    /// Takes in what a condition tests.
    pub fn add(&mut self, entity: RecordId, formula: &Formula) {
        match formula {
            Formula::All(parts) | Formula::Any(parts) => parts.iter().for_each(|part| self.add(entity, part)),
            Formula::Test(field, test) => self.tests.entry((entity, *field)).or_default().push(test.clone()),
            Formula::Fact(..) | Formula::Open | Formula::Never => {}
        }
    }

    /// Takes in a value that a field is set to.
    pub fn add_value(&mut self, entity: RecordId, field: usize, value: &Expr) {
        self.tests.entry((entity, field)).or_default().push(CellTest::Equal(value.clone()));
    }

    /// Cuts the fields into atoms.
    pub fn domains(&self, program: &Program) -> Domains {
        let mut domains = Domains::default();
        for ((entity, field), tests) in &self.tests {
            let Some(described) = program.records.get(entity.0 as usize).and_then(|record| record.fields.get(*field))
            else {
                continue;
            };
            let tests: Vec<&CellTest> = tests.iter().collect();
            let made = Dimension::new(&described.name, &described.ty, &tests, &program.constants, &program.enums);
            if let Some(dimension) = made {
                domains.dimensions.insert((*entity, *field), dimension);
            }
        }
        domains
    }
}

impl Domains {
    /// The atoms of a field, when anything speaks of them.
    pub fn of(&self, entity: RecordId, field: usize) -> Option<&Dimension> {
        self.dimensions.get(&(entity, field))
    }

    /// A condition as a union of boxes; none at all when it never holds.
    pub fn regions(&self, entity: RecordId, formula: &Formula, program: &Program) -> Vec<Region> {
        match formula {
            Formula::Open => vec![Region::default()],
            Formula::Never => Vec::new(),
            Formula::Fact(fact, holds) => {
                vec![Region { facts: BTreeMap::from([(fact.clone(), *holds)]), ..Region::default() }]
            }
            Formula::Test(field, test) => {
                let bits = self.of(entity, *field).and_then(|dimension| dimension.admit(test, &program.constants));
                match bits {
                    Some(bits) if bits.is_empty() => Vec::new(),
                    Some(bits) => vec![Region { sides: BTreeMap::from([(*field, bits)]), ..Region::default() }],
                    None => vec![Region::default()],
                }
            }
            Formula::Any(parts) => {
                let all: Vec<Region> = parts.iter().flat_map(|part| self.regions(entity, part, program)).collect();
                if all.len() > BOXES { vec![Region::default()] } else { all }
            }
            Formula::All(parts) => {
                let mut all = vec![Region::default()];
                for part in parts {
                    let regions = self.regions(entity, part, program);
                    if all.len() * regions.len() > BOXES {
                        // Leaving a part out only makes the set larger.
                        continue;
                    }
                    all = all.iter().flat_map(|left| regions.iter().filter_map(|right| left.and(right))).collect();
                }
                all
            }
        }
    }
}

/// Reads a condition over the record in a local.
pub(super) fn formula(condition: &Expr, wanted: bool, record: LocalId, program: &Program) -> Formula {
    use BinaryOperator::{And, Equal, Greater, GreaterOrEqual, In, Less, LessOrEqual, NotEqual, Or};
    match &condition.kind {
        ExprKind::Value(Value::Bool(value)) => {
            return if *value == wanted { Formula::All(Vec::new()) } else { Formula::Never };
        }
        ExprKind::Not(inner) => return formula(inner, !wanted, record, program),
        ExprKind::Binary(operator @ (And | Or), left, right) => {
            let parts = vec![formula(left, wanted, record, program), formula(right, wanted, record, program)];
            return if (*operator == And) == wanted { Formula::All(parts) } else { Formula::Any(parts) };
        }
        ExprKind::Field(target, field) if is_local(target, record) => {
            let value = Expr { kind: ExprKind::Value(Value::Bool(wanted)), ..condition.clone() };
            return Formula::Test(*field, CellTest::Equal(value));
        }
        ExprKind::Is(value, is_some) => {
            if let Some(field) = field_of(value, record) {
                let test = if *is_some == wanted { CellTest::Some } else { CellTest::Not(Box::new(CellTest::Some)) };
                return Formula::Test(field, test);
            }
        }
        ExprKind::Binary(In, left, right) => {
            if let (Some(field), ExprKind::List(items)) = (field_of(left, record), &right.kind)
                && items.iter().all(|item| literal(item, &program.constants).is_some())
            {
                let one_of = CellTest::Or(items.iter().map(|item| CellTest::Equal(item.clone())).collect());
                return Formula::Test(field, if wanted { one_of } else { CellTest::Not(Box::new(one_of)) });
            }
        }
        ExprKind::Binary(
            operator @ (Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual),
            left,
            right,
        ) => {
            let known = |expr: &Expr| literal(expr, &program.constants).is_some();
            let test = match (field_of(left, record), field_of(right, record)) {
                (Some(field), _) if known(right) => Some((field, *operator, right)),
                (_, Some(field)) if known(left) => Some((field, mirrored(*operator), left)),
                _ => None,
            };
            if let Some((field, operator, value)) = test {
                let test = match operator {
                    Equal => CellTest::Equal(value.as_ref().clone()),
                    NotEqual => CellTest::Not(Box::new(CellTest::Equal(value.as_ref().clone()))),
                    operator => CellTest::Compare(operator, value.as_ref().clone()),
                };
                return Formula::Test(field, if wanted { test } else { CellTest::Not(Box::new(test)) });
            }
            let Some((left, mut fields)) = words(left, record) else { return Formula::Open };
            let Some((right, more)) = words(right, record) else { return Formula::Open };
            fields.extend(more);
            let (words, holds) = match operator {
                Less => (format!("{left} < {right}"), true),
                Greater => (format!("{right} < {left}"), true),
                LessOrEqual => (format!("{right} < {left}"), false),
                GreaterOrEqual => (format!("{left} < {right}"), false),
                operator => (equality(&left, &right), *operator == Equal),
            };
            return Formula::Fact(Fact { words, fields }, holds == wanted);
        }
        _ => {}
    }
    match words(condition, record) {
        Some((words, fields)) => Formula::Fact(Fact { words, fields }, wanted),
        None => Formula::Open,
    }
}

/// The wording of the fact that two things are equal, whichever comes first.
pub(super) fn equality(left: &str, right: &str) -> String {
    if left <= right { format!("{left} == {right}") } else { format!("{right} == {left}") }
}

/// The field of the record that an expression is.
pub(super) fn field_of(expr: &Expr, record: LocalId) -> Option<usize> {
    match &expr.kind {
        ExprKind::Field(target, field) if is_local(target, record) => Some(*field),
        _ => None,
    }
}

fn mirrored(operator: BinaryOperator) -> BinaryOperator {
    match operator {
        BinaryOperator::Less => BinaryOperator::Greater,
        BinaryOperator::LessOrEqual => BinaryOperator::GreaterOrEqual,
        BinaryOperator::Greater => BinaryOperator::Less,
        BinaryOperator::GreaterOrEqual => BinaryOperator::LessOrEqual,
        other => other,
    }
}

/// The wording of what depends on the fields of the record alone, with those fields; none for anything else.
pub(super) fn words(expr: &Expr, record: LocalId) -> Option<(String, BTreeSet<usize>)> {
    if expr.effect > Effect::Pure {
        return None;
    }
    let mut fields = BTreeSet::new();
    let words = wording(expr, record, &mut fields)?;
    Some((words, fields))
}

fn wording(expr: &Expr, record: LocalId, fields: &mut BTreeSet<usize>) -> Option<String> {
    let mut all = |exprs: &[Expr]| -> Option<String> {
        let words = exprs.iter().map(|expr| wording(expr, record, fields)).collect::<Option<Vec<_>>>();
        Some(words?.join(", "))
    };
    Some(match &expr.kind {
        ExprKind::Value(value) => format!("{value:?}"),
        ExprKind::Constant(id) => format!("const{}", id.0),
        ExprKind::Field(target, field) if is_local(target, record) => {
            fields.insert(*field);
            format!("${field}")
        }
        ExprKind::Field(target, field) => format!("{}.{field}", wording(target, record, fields)?),
        ExprKind::Call(id, arguments) => format!("fn{}({})", id.0, all(arguments)?),
        ExprKind::Decide(id, arguments) => format!("rules{}({})", id.0, all(arguments)?),
        ExprKind::Perform(operation, arguments) => format!("{operation:?}({})", all(arguments)?),
        ExprKind::List(items) => format!("[{}]", all(items)?),
        ExprKind::Binary(operator, left, right) => {
            let (left, right) = (wording(left, record, fields)?, wording(right, record, fields)?);
            format!("({left} {} {right})", operator.symbol())
        }
        ExprKind::Not(inner) => format!("not {}", wording(inner, record, fields)?),
        ExprKind::Negate(inner) => format!("-{}", wording(inner, record, fields)?),
        ExprKind::ToDecimal(inner) => format!("decimal({})", wording(inner, record, fields)?),
        ExprKind::Is(inner, is_some) => format!("({} is {is_some})", wording(inner, record, fields)?),
        ExprKind::Conditional(condition, then, otherwise) => {
            let condition = wording(condition, record, fields)?;
            let (then, otherwise) = (wording(then, record, fields)?, wording(otherwise, record, fields)?);
            format!("if {condition} then {then} else {otherwise}")
        }
        ExprKind::Text(parts) => {
            let mut text = String::from("text(");
            for part in parts {
                match part {
                    TextPart::Characters(characters) => text.push_str(&format!("{characters:?}")),
                    TextPart::Value(value) => text.push_str(&wording(value, record, fields)?),
                }
            }
            text.push(')');
            text
        }
        _ => return None,
    })
}

/// The least and the greatest value that atoms allow, open where there is none; none when a missing value or a
/// text without order is among them.
pub(super) fn bounds(dimension: &Dimension, bits: &Bits) -> Option<(Option<Value>, Option<Value>)> {
    let mut low: Option<Option<Value>> = None;
    let mut high: Option<Value> = None;
    for atom in bits.iter() {
        let (from, to) = match dimension.atoms.get(atom)? {
            Atom::None | Atom::OtherText => return None,
            Atom::Point(Value::Text(_)) => return None,
            Atom::Point(value) => (Some(value.clone()), Some(value.clone())),
            Atom::Between(from, to) => (from.clone(), to.clone()),
        };
        // Atoms come in order.
        low.get_or_insert(from);
        high = to;
    }
    Some((low?, high))
}

/// Whether a type has values in an order that fields can move along.
pub(super) fn is_ordered(ty: &Type) -> bool {
    match ty {
        Type::Optional(inner) => is_ordered(inner),
        Type::Int
        | Type::Decimal
        | Type::Percent
        | Type::Money(_)
        | Type::Date
        | Type::Time
        | Type::Instant
        | Type::Duration
        | Type::Enum(_)
        | Type::Bool => true,
        _ => false,
    }
}
