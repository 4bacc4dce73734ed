//! The inputs of a table as a space: its dimensions, and every row as a box in it.

use super::bits::Bits;
use super::cover::Region;
use super::dimension::{Dimension, literal};
use crate::check::program::{CellTest, DecisionTable, Expr, ExprKind, Program, Type};
use crate::syntax::tree::BinaryOperator;

/// The inputs of a table.
#[derive(Debug)]
pub struct Space {
    /// The dimensions.
    pub dimensions: Vec<Dimension>,
    /// How many of them are subjects whose values are known; those behind are opaque conditions.
    pub exact: usize,
    /// Each row as a box; none for a row that is taken when no other is.
    pub rows: Vec<Option<Region>>,
}

/// What a table tests in one dimension: the subject, and every test of it.
struct Subject<'p> {
    name: String,
    expr: &'p Expr,
    tests: Vec<&'p CellTest>,
    /// Tests made of comparisons in conditions; kept apart as they belong to nobody else.
    compared: Vec<CellTest>,
}

/// A comparison with a literal inside a condition.
struct Comparison<'p> {
    subject: &'p Expr,
    test: CellTest,
}

impl Space {
    /// The space of a table; none when a type of it can't be cut into atoms.
    pub fn of(table: &DecisionTable, program: &Program) -> Option<Space> {
        let subjects = subjects(table, program);
        let mut dimensions = Vec::with_capacity(subjects.len());
        let mut index_of = std::collections::HashMap::new();
        for subject in &subjects {
            let literals = subject
                .tests
                .iter()
                .copied()
                .chain(&subject.compared)
                .filter(|test| is_literal(test, program))
                .collect::<Vec<_>>();
            let made = Dimension::new(&subject.name, &subject.expr.ty, &literals, &program.constants, &program.enums);
            if let Some(mut dimension) = made {
                literals.iter().for_each(|test| dimension.spell(test, program));
                index_of.insert(subject.name.clone(), dimensions.len());
                dimensions.push(dimension);
            }
        }
        let exact = dimensions.len();
        let mut placer = Placer { program, dimensions, index_of, exact };
        let mut boxes = Vec::with_capacity(table.rows.len());
        for row in &table.rows {
            let last_resort = row.tests.iter().any(|test| matches!(test, CellTest::Otherwise));
            let sides = row.tests.iter().enumerate().map(|(column, test)| {
                let subject = table.columns.get(column).and_then(|column| column.subject.as_ref());
                placer.sides(subject, test)
            });
            let sides: Vec<(usize, Bits)> = sides.collect::<Vec<_>>().into_iter().flatten().collect();
            boxes.push((!last_resort).then_some(sides));
        }
        let full: Region = placer.dimensions.iter().map(|dimension| Bits::all(dimension.atoms.len())).collect();
        let rows = boxes
            .into_iter()
            .map(|sides| {
                sides.map(|sides| {
                    let mut region = full.clone();
                    for (dimension, side) in sides {
                        region[dimension] = region[dimension].and(&side);
                    }
                    region
                })
            })
            .collect();
        Some(Space { dimensions: placer.dimensions, exact, rows })
    }

    /// All inputs.
    pub fn everything(&self) -> Region {
        self.dimensions.iter().map(|dimension| Bits::all(dimension.atoms.len())).collect()
    }

    /// Whether a region says nothing about opaque conditions, so that it surely holds inputs.
    pub fn is_certain(&self, region: &Region) -> bool {
        region.iter().skip(self.exact).all(Bits::is_full)
    }
}

/// Turns tests into sides of boxes, making opaque dimensions as they come up.
struct Placer<'p> {
    program: &'p Program,
    dimensions: Vec<Dimension>,
    index_of: std::collections::HashMap<String, usize>,
    exact: usize,
}

impl Placer<'_> {
    /// What a test asks: for each dimension that it speaks of, the atoms it admits.
    fn sides(&mut self, subject: Option<&Expr>, test: &CellTest) -> Vec<(usize, Bits)> {
        match (subject, test) {
            (_, CellTest::Anything | CellTest::Otherwise) => Vec::new(),
            (None, CellTest::Condition(condition)) => self.condition(condition, true),
            (Some(subject), test) => {
                let name = wording(subject, self.program);
                let index = self.index_of.get(&name).copied().filter(|index| *index < self.exact);
                let side =
                    index.and_then(|index| Some((index, self.dimensions[index].admit(test, &self.program.constants)?)));
                match side {
                    Some(side) => vec![side],
                    None => vec![self.opaque(&format!("{name} {}", test_wording(test, self.program)), true)],
                }
            }
            (None, test) => vec![self.opaque(&test_wording(test, self.program), true)],
        }
    }

    /// What a condition asks: conjunctions side by side, comparisons with literals exactly, the rest as
    /// something that is true or false.
    fn condition(&mut self, condition: &Expr, wanted: bool) -> Vec<(usize, Bits)> {
        match &condition.kind {
            ExprKind::Binary(BinaryOperator::And, left, right) if wanted => {
                let mut sides = self.condition(left, true);
                sides.extend(self.condition(right, true));
                return sides;
            }
            ExprKind::Binary(BinaryOperator::Or, left, right) if !wanted => {
                let mut sides = self.condition(left, false);
                sides.extend(self.condition(right, false));
                return sides;
            }
            ExprKind::Not(inner) => return self.condition(inner, !wanted),
            ExprKind::Value(crate::value::Value::Bool(value)) if *value == wanted => return Vec::new(),
            _ => {}
        }
        if let Some(comparison) = comparison(condition, self.program) {
            let name = wording(comparison.subject, self.program);
            let index = self.index_of.get(&name).copied().filter(|index| *index < self.exact);
            if let Some(index) = index
                && let Some(side) = self.dimensions[index].admit(&comparison.test, &self.program.constants)
            {
                return vec![(index, if wanted { side } else { side.complement() })];
            }
        }
        let (name, holds) = opaque_wording(condition, self.program);
        vec![self.opaque(&name, wanted == holds)]
    }

    fn opaque(&mut self, name: &str, wanted: bool) -> (usize, Bits) {
        // An opaque dimension has a name that no subject has: the words of a whole condition.
        let name = format!("({name})");
        let index = *self.index_of.entry(name.clone()).or_insert_with(|| {
            self.dimensions.push(Dimension::condition(&name));
            self.dimensions.len() - 1
        });
        let mut side = Bits::none(2);
        side.insert(usize::from(wanted));
        (index, side)
    }
}

/// What the columns and conditions of a table test, each subject once.
fn subjects<'p>(table: &'p DecisionTable, program: &'p Program) -> Vec<Subject<'p>> {
    let mut subjects: Vec<Subject> = Vec::new();
    let mut position = std::collections::HashMap::new();
    let mut place = |subjects: &mut Vec<Subject<'p>>, expr: &'p Expr| {
        let name = wording(expr, program);
        let at = *position.entry(name.clone()).or_insert_with(|| {
            subjects.push(Subject { name, expr, tests: Vec::new(), compared: Vec::new() });
            subjects.len() - 1
        });
        // Behind `x is some`, `x` is known to have a value; the dimension needs its type before that.
        if matches!(expr.ty, Type::Optional(_)) {
            subjects[at].expr = expr;
        }
        at
    };
    for (index, column) in table.columns.iter().enumerate() {
        let tests = table.rows.iter().filter_map(|row| row.tests.get(index));
        match &column.subject {
            Some(subject) => {
                let at = place(&mut subjects, subject);
                subjects[at].tests.extend(tests);
            }
            None => {
                let mut comparisons = Vec::new();
                for test in tests {
                    if let CellTest::Condition(condition) = test {
                        collect(condition, program, &mut comparisons);
                    }
                }
                for comparison in comparisons {
                    let at = place(&mut subjects, comparison.subject);
                    subjects[at].compared.push(comparison.test);
                }
            }
        }
    }
    subjects
}

/// The comparisons with literals in a condition.
fn collect<'p>(condition: &'p Expr, program: &Program, comparisons: &mut Vec<Comparison<'p>>) {
    match &condition.kind {
        ExprKind::Binary(BinaryOperator::And | BinaryOperator::Or, left, right) => {
            collect(left, program, comparisons);
            collect(right, program, comparisons);
        }
        ExprKind::Not(inner) => collect(inner, program, comparisons),
        _ => comparisons.extend(comparison(condition, program)),
    }
}

/// A condition as the test of a subject: `row.quantity <= 0`, `tier == gold`, `x is none`, `row.active`.
fn comparison<'p>(condition: &'p Expr, program: &Program) -> Option<Comparison<'p>> {
    use BinaryOperator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    match &condition.kind {
        ExprKind::Binary(
            operator @ (Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual),
            left,
            right,
        ) => {
            let (subject, operator, value) = if literal(right, &program.constants).is_some() {
                (left, *operator, right)
            } else if literal(left, &program.constants).is_some() {
                (right, mirrored(*operator), left)
            } else {
                return None;
            };
            let test = match operator {
                Equal => CellTest::Equal(value.as_ref().clone()),
                NotEqual => CellTest::Not(Box::new(CellTest::Equal(value.as_ref().clone()))),
                operator => CellTest::Compare(operator, value.as_ref().clone()),
            };
            Some(Comparison { subject, test })
        }
        ExprKind::Is(value, true) => Some(Comparison { subject: value, test: CellTest::Some }),
        ExprKind::Is(value, false) => {
            Some(Comparison { subject: value, test: CellTest::Not(Box::new(CellTest::Some)) })
        }
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

fn is_literal(test: &CellTest, program: &Program) -> bool {
    match test {
        CellTest::Anything | CellTest::Otherwise | CellTest::Some => true,
        CellTest::Equal(expr) | CellTest::Compare(_, expr) => literal(expr, &program.constants).is_some(),
        CellTest::Range(from, to) => {
            literal(from, &program.constants).is_some() && literal(to, &program.constants).is_some()
        }
        CellTest::Not(test) => is_literal(test, program),
        CellTest::And(tests) | CellTest::Or(tests) => tests.iter().all(|test| is_literal(test, program)),
        CellTest::Condition(_) => false,
    }
}

/// How the script says an expression, blanks evened out: two expressions with the same wording in one table
/// have the same value, as a table changes nothing.
fn wording(expr: &Expr, program: &Program) -> String {
    program.sources.slice(expr.span).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words for a condition that is only true or false, the same for a comparison and its contrary:
/// `a >= b` is `a < b` when that does not hold.
fn opaque_wording(condition: &Expr, program: &Program) -> (String, bool) {
    let less = |left: &Expr, right: &Expr| format!("{} < {}", wording(left, program), wording(right, program));
    match &condition.kind {
        ExprKind::Binary(BinaryOperator::Less, left, right) => (less(left, right), true),
        ExprKind::Binary(BinaryOperator::Greater, left, right) => (less(right, left), true),
        ExprKind::Binary(BinaryOperator::GreaterOrEqual, left, right) => (less(left, right), false),
        ExprKind::Binary(BinaryOperator::LessOrEqual, left, right) => (less(right, left), false),
        ExprKind::Binary(operator @ (BinaryOperator::Equal | BinaryOperator::NotEqual), left, right) => {
            let words = format!("{} == {}", wording(left, program), wording(right, program));
            (words, *operator == BinaryOperator::Equal)
        }
        _ => (wording(condition, program), true),
    }
}

fn test_wording(test: &CellTest, program: &Program) -> String {
    match test {
        CellTest::Equal(expr) => format!("== {}", wording(expr, program)),
        CellTest::Compare(operator, expr) => format!("{} {}", operator.symbol(), wording(expr, program)),
        CellTest::Range(from, to) => format!("{}..{}", wording(from, program), wording(to, program)),
        CellTest::Not(test) => format!("not {}", test_wording(test, program)),
        CellTest::And(tests) => join(tests, " and ", program),
        CellTest::Or(tests) => join(tests, " or ", program),
        CellTest::Condition(expr) => wording(expr, program),
        CellTest::Some => "some".to_string(),
        CellTest::Anything | CellTest::Otherwise => "-".to_string(),
    }
}

fn join(tests: &[CellTest], by: &str, program: &Program) -> String {
    tests.iter().map(|test| test_wording(test, program)).collect::<Vec<_>>().join(by)
}
