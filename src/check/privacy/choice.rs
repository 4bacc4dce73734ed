//! Which way is taken because of what a value carries: what is set, given and let out on such a way tells of it.
//!
//! A `match` that names values of personal data, and a chain of `if` and `else if` that compares one value again and again,
//! are decision tables in another form, and carry what a table would. A single `if` asks yes or no, which tells nothing of
//! personal data. Of a secret every way tells that is taken because of it, but for what asks only whether it is there, and
//! for a run that ends: `fail` and `stop` are what secrets are checked for.

use super::expression::is_nothing;
use super::sink::{Leak, Sink};
use super::solve::{Analysis, Node, carries};
use super::statement::names_values;
use super::taint::{Carried, Origin, Taint};
use crate::check::effects::deeds::each_statement;
use crate::check::program::{Arm, BodyParts, Expr, ExprKind, Flow, Local, Program, Statement, StatementKind, Type};
use crate::library::Operation;
use crate::syntax::tree::BinaryOperator as B;
use crate::text::Span;
use std::collections::HashSet;
use std::rc::Rc;

/// The most places of a body that is called at which it is told that it was.
const MOST_SPOKEN: usize = 4;

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

    /// A body that is called tells by its logs, files and mails that it was: on a way that hangs on something, of that.
    pub fn leave_by_way(&mut self, node: Node, span: Span) {
        if self.context.is_empty() && self.passed.is_empty() {
            return;
        }
        let mut context = self.context.clone();
        context.join(&self.passed);
        let spoken = match self.spoken.get(&node) {
            Some(spoken) => Rc::clone(spoken),
            None => {
                let mut found = Vec::new();
                spoken_in(self.program, node, &mut HashSet::new(), &mut found);
                let spoken = Rc::new(found);
                self.spoken.insert(node, Rc::clone(&spoken));
                spoken
            }
        };
        for (sink, place) in spoken.iter() {
            for (origin, way) in context.iter() {
                // A mail may go to the person themself.
                let is_harmless = matches!(sink, Sink::Mail(_)) && !matches!(origin, Origin::Secret | Origin::Asked(_));
                if !is_harmless {
                    self.leak(Leak { origin, sink: sink.clone(), span: *place, way, unless: Vec::new() }, span);
                }
            }
        }
    }
}

/// Where a body logs, writes files or mails, through what it calls too.
fn spoken_in(program: &Program, node: Node, seen: &mut HashSet<Node>, found: &mut Vec<(Sink, Span)>) {
    let parts: Option<BodyParts<'_>> = match node {
        Node::Callable(at) => program.callables.get(at).map(|of| of.parts()),
        Node::Flow(at) => program.flows.get(at).map(|of| of.parts()),
        _ => None,
    };
    let Some(parts) = parts else { return };
    if !seen.insert(node) {
        return;
    }
    let mut called = Vec::new();
    parts.each_expression(&mut |outer| {
        outer.walk(&mut |expr| match &expr.kind {
            ExprKind::Perform(operation, _) => {
                let sink = match operation {
                    Operation::LogInfo | Operation::LogWarn => Sink::Log,
                    Operation::FileWrite | Operation::CsvWrite | Operation::ExcelWrite | Operation::JsonWrite => {
                        Sink::File("".into())
                    }
                    Operation::EmailSend => Sink::Mail("".into()),
                    _ => return,
                };
                found.push((sink, expr.span));
            }
            ExprKind::Call(id, _) => called.push(Node::Callable(id.index())),
            ExprKind::Run(id, _) | ExprKind::Start(id, _) => called.push(Node::Flow(id.index())),
            _ => {}
        });
    });
    for node in called {
        if found.len() < MOST_SPOKEN {
            spoken_in(program, node, seen, found);
        }
    }
    found.truncate(MOST_SPOKEN);
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
