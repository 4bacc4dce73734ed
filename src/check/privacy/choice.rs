//! Which way is taken because of what a value carries: what is set, given and let out on such a way tells of it.
//!
//! A `match` that names values of personal data, and a chain of `if` and `else if` that compares one value again and again,
//! are decision tables in another form, and carry what a table would. A single `if` asks yes or no, which tells nothing of
//! personal data. Of a secret every way tells that is taken because of it, but for what asks only whether it is there, and
//! for a run that ends: `fail` and `stop` are what secrets are checked for.

use super::expression::is_nothing;
use super::solve::{Analysis, carries};
use super::statement::names_values;
use super::taint::{Carried, Taint};
use crate::check::effects::deeds::each_statement;
use crate::check::program::{Arm, Expr, ExprKind, Flow, Local, Program, Statement, StatementKind, Type};
use crate::syntax::tree::BinaryOperator as B;
use crate::text::Span;

/// A part of a condition that asks something of a value.
struct Asked<'p> {
    /// Which condition of the chain it stands in.
    condition: usize,
    /// What is compared with a literal, as it is written.
    subject: Option<&'p str>,
    taint: Taint,
    span: Span,
}

impl<'p> Analysis<'p> {
    /// What is left of something in a yes or no.
    pub fn asked(&self, taint: Taint) -> Taint {
        if taint.is_empty() || !self.has_secrets { Taint::default() } else { taint.asked() }
    }

    /// What a value of a type tells by being set on the way that is taken.
    pub fn implied_in(&self, ty: &Type) -> Taint {
        if self.context.is_empty() && self.passed.is_empty() || !carries(ty) {
            return Taint::default();
        }
        let mut implied = self.context.clone();
        implied.join(&self.passed);
        if *ty == Type::Bool { self.asked(implied) } else { implied }
    }

    /// What the way tells that is taken by these conditions, the first that holds of them.
    pub fn decided(&mut self, conditions: &[&'p Expr]) -> Taint {
        let mut asked = Vec::new();
        for (number, condition) in conditions.iter().enumerate() {
            self.ask(condition, number, &mut asked);
        }
        let mut decided = Taint::default();
        for one in &asked {
            let is_asked_again = one.subject.is_some()
                && asked.iter().any(|other| other.condition != one.condition && other.subject == one.subject);
            let taint = if is_asked_again { one.taint.clone() } else { self.asked(one.taint.clone()) };
            if !taint.is_empty() {
                let told = taint.decides(&mut self.ways, one.span);
                decided.join(&told);
            }
        }
        decided
    }

    /// The comparisons of a condition.
    fn ask(&mut self, condition: &'p Expr, number: usize, asked: &mut Vec<Asked<'p>>) {
        match &condition.kind {
            ExprKind::Binary(B::And | B::Or, a, b) => {
                self.ask(a, number, asked);
                self.ask(b, number, asked);
            }
            ExprKind::Not(inner) => self.ask(inner, number, asked),
            ExprKind::Binary(_, a, b) => {
                let (left, right) = (self.value(a).whole(), self.value(b).whole());
                if left.is_empty() && right.is_empty() || is_nothing(a) || is_nothing(b) {
                    return;
                }
                let of = match (is_known(a), is_known(b)) {
                    (false, true) => Some(a),
                    (true, false) => Some(b),
                    _ => None,
                };
                let program: &'p Program = self.program;
                let subject = of.map(|expr| program.sources.slice(expr.span));
                let mut taint = left;
                taint.join(&right);
                asked.push(Asked { condition: number, subject, taint, span: condition.span });
            }
            _ => {
                let taint = self.value(condition).whole();
                asked.push(Asked { condition: number, subject: None, taint, span: condition.span });
            }
        }
    }

    /// `if a then x else if b then y else z`
    pub fn conditional(&mut self, expr: &'p Expr) -> Carried {
        let (mut conditions, mut branches, mut at) = (Vec::new(), Vec::new(), expr);
        while let ExprKind::Conditional(condition, then, otherwise) = &at.kind {
            conditions.push(&**condition);
            branches.push(&**then);
            at = otherwise;
        }
        branches.push(at);
        let decided = self.decided(&conditions);
        let before = self.enter(&decided);
        let mut carried = Carried::default();
        for branch in branches {
            carried.join(&self.value(branch));
        }
        if let Some(before) = before {
            self.context = before;
            let told = if expr.ty == Type::Bool { self.asked(decided) } else { decided };
            carried.values.join(&told);
        }
        carried
    }

    /// From here on the way that is taken hangs on something; gives what it hung on before.
    fn enter(&mut self, decided: &Taint) -> Option<Taint> {
        if decided.is_empty() {
            return None;
        }
        let before = self.context.clone();
        self.context.join(decided);
        Some(before)
    }

    /// `if` with all that it goes on with; a branch that gives the value of the body leaves what comes behind to the
    /// next condition, as `else` does. Gives the statements that are left.
    pub fn choice(
        &mut self,
        head: &'p Statement,
        mut after: &'p [Statement],
        locals: &'p [Local],
        flow: Option<&'p Flow>,
    ) -> &'p [Statement] {
        let (mut conditions, mut blocks, mut at): (Vec<&'p Expr>, Vec<&'p [Statement]>, _) =
            (Vec::new(), Vec::new(), head);
        while let StatementKind::If { condition, then, otherwise } = &at.kind {
            conditions.push(condition);
            blocks.push(then);
            match (otherwise.as_slice(), after.split_first()) {
                ([next], _) if matches!(next.kind, StatementKind::If { .. }) => at = next,
                ([], Some((next, rest))) if ends_with_value(then) && matches!(next.kind, StatementKind::If { .. }) => {
                    (at, after) = (next, rest);
                }
                (rest, _) => {
                    blocks.push(rest);
                    break;
                }
            }
        }
        let decided = self.decided(&conditions);
        self.branches(&decided, &blocks, locals, flow);
        after
    }

    /// `match`
    pub fn selection(&mut self, value: &'p Expr, arms: &'p [Arm], locals: &'p [Local], flow: Option<&'p Flow>) {
        let taint = self.value(value).whole();
        let names = value.ty != Type::Bool && arms.iter().any(|arm| names_values(&arm.test));
        let taint = if names { taint } else { self.asked(taint) };
        let mut decided = taint.decides(&mut self.ways, value.span);
        for arm in arms {
            let mut tests: Vec<&'p Expr> = Vec::new();
            arm.test.each_expression(&mut |expr| tests.push(expr));
            for test in tests {
                let told = self.value(test).whole();
                decided.join(&self.asked(told));
            }
        }
        let blocks: Vec<&'p [Statement]> = arms.iter().map(|arm| arm.body.as_slice()).collect();
        self.branches(&decided, &blocks, locals, flow);
    }

    fn branches(&mut self, decided: &Taint, blocks: &[&'p [Statement]], locals: &'p [Local], flow: Option<&'p Flow>) {
        let before = self.enter(decided);
        for block in blocks {
            self.statements(block, locals, flow);
        }
        if let Some(before) = before {
            self.context = before;
            // What comes behind is come to only where no branch has given the value.
            if blocks.iter().any(|block| gives(block)) {
                self.passed.join(decided);
            }
        }
    }
}

/// Whether an expression is known before the run.
fn is_known(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Value(_) | ExprKind::Constant(_) => true,
        ExprKind::List(all) => all.iter().all(is_known),
        ExprKind::Range(from, to) => is_known(from) && is_known(to),
        ExprKind::ToDecimal(inner) | ExprKind::Negate(inner) => is_known(inner),
        _ => false,
    }
}

/// Whether a block ends by giving the value of its body.
fn ends_with_value(block: &[Statement]) -> bool {
    block.last().is_some_and(|last| matches!(last.kind, StatementKind::Return(_) | StatementKind::Give(_)))
}

/// Whether some way through a block gives the value of its body.
fn gives(block: &[Statement]) -> bool {
    let mut gives = false;
    each_statement(block, &mut |statement| {
        gives |= matches!(statement.kind, StatementKind::Return(_) | StatementKind::Give(_));
    });
    gives
}
