//! Flow typing: which optional values are known to be there, and where.

use crate::check::Checker;
use crate::check::body::{LocalKind, Path};
use crate::check::program::{CellTest, Expr, ExprKind};
use crate::syntax::tree::BinaryOperator;
use crate::value::Value;

/// What a condition says when it holds, and when it does not.
#[derive(Debug, Default, Clone)]
pub(crate) struct Facts {
    pub when_true: Vec<Path>,
    pub when_false: Vec<Path>,
}

impl Checker<'_> {
    /// What is known after a condition.
    pub(crate) fn facts(&self, condition: &Expr) -> Facts {
        match &condition.kind {
            ExprKind::Is(value, some) => {
                let path: Vec<Path> = self.path(value).into_iter().collect();
                match some {
                    true => Facts { when_true: path, when_false: Vec::new() },
                    false => Facts { when_true: Vec::new(), when_false: path },
                }
            }
            ExprKind::Not(inner) => {
                let facts = self.facts(inner);
                Facts { when_true: facts.when_false, when_false: facts.when_true }
            }
            ExprKind::Binary(BinaryOperator::And, left, right) => {
                let (left, right) = (self.facts(left), self.facts(right));
                Facts {
                    when_true: both(left.when_true, right.when_true),
                    when_false: common(left.when_false, right.when_false),
                }
            }
            ExprKind::Binary(BinaryOperator::Or, left, right) => {
                let (left, right) = (self.facts(left), self.facts(right));
                Facts {
                    when_true: common(left.when_true, right.when_true),
                    when_false: both(left.when_false, right.when_false),
                }
            }
            // An optional that equals something that is there is there itself.
            ExprKind::Binary(BinaryOperator::Equal, left, right) => {
                let mut facts = Facts::default();
                for (side, other) in [(left, right), (right, left)] {
                    if side.ty.is_optional() && !other.ty.is_optional() {
                        facts.when_true.extend(self.path(side));
                    }
                }
                facts
            }
            _ => Facts::default(),
        }
    }

    /// The place that an expression reads, when the same place can't change: a local that is set once, or a
    /// field of one.
    pub(crate) fn path(&self, value: &Expr) -> Option<Path> {
        match &value.kind {
            ExprKind::Local(local) => Some((*local, Vec::new())),
            ExprKind::Field(target, field) => {
                let (local, mut fields) = self.path(target)?;
                // A `var` may hold another record by the next line.
                let is_var = self.body.info.get(local.index()).is_some_and(|info| info.kind == LocalKind::Var);
                if is_var {
                    return None;
                }
                fields.push(*field);
                Some((local, fields))
            }
            _ => None,
        }
    }

    /// From here on these values are known to be there.
    pub(crate) fn know(&mut self, paths: &[Path]) {
        for path in paths {
            self.body.know(path.clone());
        }
    }

    /// Whether a test in a cell or pattern shows that its subject is there.
    pub(crate) fn test_shows_value(&self, test: &CellTest) -> bool {
        match test {
            CellTest::Some | CellTest::Compare(..) | CellTest::Range(..) => true,
            CellTest::Equal(value) => !matches!(value.kind, ExprKind::Value(Value::None)) && !value.ty.is_optional(),
            CellTest::Not(inner) => self.test_is_none(inner),
            CellTest::And(tests) => tests.iter().any(|test| self.test_shows_value(test)),
            CellTest::Or(tests) => !tests.is_empty() && tests.iter().all(|test| self.test_shows_value(test)),
            _ => false,
        }
    }

    /// Whether a test takes `none` and so leaves nothing but values to the tests that follow.
    pub(crate) fn test_is_none(&self, test: &CellTest) -> bool {
        match test {
            CellTest::Equal(value) => matches!(value.kind, ExprKind::Value(Value::None)) && !value.ty.is_unknown(),
            CellTest::Or(tests) => tests.iter().any(|test| self.test_is_none(test)),
            _ => false,
        }
    }
}

fn both(mut left: Vec<Path>, right: Vec<Path>) -> Vec<Path> {
    left.extend(right);
    left
}

fn common(left: Vec<Path>, right: Vec<Path>) -> Vec<Path> {
    left.into_iter().filter(|path| right.contains(path)).collect()
}
