//! Ways through a program: the parts of expressions and statements, for whoever looks at all of them.

use super::{CellTest, Expr, ExprKind, Statement, StatementKind, StubOutcome, TextPart, Wait};

macro_rules! expression_children {
    ($(#[$about:meta])* $name:ident $(, $mutable:tt)?) => {
        $(#[$about])*
        pub fn $name<'e>(&'e $($mutable)? self, f: &mut dyn FnMut(&'e $($mutable)? Expr)) {
            match &$($mutable)? self.kind {
                ExprKind::Value(_) | ExprKind::Constant(_) | ExprKind::Local(_) | ExprKind::TypeArgument(_)
                | ExprKind::All(_) => {}
                ExprKind::Text(parts) => {
                    for part in parts {
                        if let TextPart::Value(value) = part {
                            f(value);
                        }
                    }
                }
                ExprKind::List(all)
                | ExprKind::Record(_, all)
                | ExprKind::Call(_, all)
                | ExprKind::Decide(_, all)
                | ExprKind::Perform(_, all)
                | ExprKind::Template(_, all)
                | ExprKind::Run(_, all)
                | ExprKind::Start(_, all) => {
                    for value in all {
                        f(value);
                    }
                }
                ExprKind::Map(entries) => {
                    for (key, value) in entries {
                        f(key);
                        f(value);
                    }
                }
                ExprKind::Range(a, b) | ExprKind::Index(a, b) | ExprKind::Binary(_, a, b) => {
                    f(a);
                    f(b);
                }
                ExprKind::With(target, changes) | ExprKind::Update(target, changes) => {
                    f(target);
                    for (_, value) in changes {
                        f(value);
                    }
                }
                ExprKind::Field(a, _)
                | ExprKind::FailureMessage(a)
                | ExprKind::Follow(a)
                | ExprKind::Refer(a)
                | ExprKind::Not(a)
                | ExprKind::Negate(a)
                | ExprKind::Is(a, _)
                | ExprKind::ToDecimal(a)
                | ExprKind::Load(a)
                | ExprKind::Lambda(_, a)
                | ExprKind::Get(_, a)
                | ExprKind::Has(_, a)
                | ExprKind::Delete(a) => f(a),
                ExprKind::Guarded { target, then, .. } => {
                    f(target);
                    f(then);
                }
                ExprKind::Conditional(a, b, c) => {
                    f(a);
                    f(b);
                    f(c);
                }
                ExprKind::Create(_, fields) => {
                    for field in fields {
                        if let Some(value) = field {
                            f(value);
                        }
                    }
                }
                ExprKind::Wait(wait) => match &$($mutable)? **wait {
                    Wait::Sleep(a) | Wait::SleepUntil(a) => f(a),
                    Wait::For { condition, within, .. } => {
                        f(condition);
                        if let Some(within) = within {
                            f(within);
                        }
                    }
                    Wait::Ask { role, question, within, otherwise } => {
                        f(role);
                        f(question);
                        if let Some(within) = within {
                            f(within);
                        }
                        if let Some(otherwise) = otherwise {
                            f(otherwise);
                        }
                    }
                },
            }
        }
    };
}

impl Expr {
    expression_children! {
        /// Visits the expressions that this one is made of, in the order of evaluation.
        each_child
    }
    expression_children! {
        /// Visits the expressions that this one is made of, to change them.
        each_child_mut, mut
    }

    /// Visits this expression and all within it, the outer before the inner ones.
    pub fn walk<'e>(&'e self, f: &mut dyn FnMut(&'e Expr)) {
        f(self);
        self.each_child(&mut |child| child.walk(f));
    }
}

macro_rules! test_expressions {
    ($(#[$about:meta])* $name:ident $(, $mutable:tt)?) => {
        $(#[$about])*
        pub fn $name<'e>(&'e $($mutable)? self, f: &mut dyn FnMut(&'e $($mutable)? Expr)) {
            match self {
                CellTest::Anything | CellTest::Otherwise | CellTest::Some => {}
                CellTest::Equal(a) | CellTest::Compare(_, a) | CellTest::Condition(a) => f(a),
                CellTest::Range(a, b) => {
                    f(a);
                    f(b);
                }
                CellTest::Not(inner) => inner.$name(f),
                CellTest::And(all) | CellTest::Or(all) => {
                    for test in all {
                        test.$name(f);
                    }
                }
            }
        }
    };
}

impl CellTest {
    test_expressions! {
        /// Visits the expressions of a test.
        each_expression
    }
    test_expressions! {
        /// Visits the expressions of a test, to change them.
        each_expression_mut, mut
    }
}

macro_rules! statement_parts {
    ($(#[$about:meta])* $name:ident $(, $mutable:tt)?) => {
        $(#[$about])*
        pub fn $name<'e>(
            &'e $($mutable)? self,
            f: &mut dyn FnMut(&'e $($mutable)? Expr),
            g: &mut dyn FnMut(&'e $($mutable)? Vec<Statement>),
        ) {
            match &$($mutable)? self.kind {
                StatementKind::Step(_) | StatementKind::GoTo(_) => {}
                StatementKind::Set { value, .. }
                | StatementKind::Expression(value)
                | StatementKind::Give(value)
                | StatementKind::Given(value)
                | StatementKind::Advance(value)
                | StatementKind::Expect { value, .. } => f(value),
                StatementKind::Return(value) | StatementKind::Stop(value) => {
                    if let Some(value) = value {
                        f(value);
                    }
                }
                StatementKind::If { condition, then, otherwise } => {
                    f(condition);
                    g(then);
                    g(otherwise);
                }
                StatementKind::Match { value, arms } => {
                    f(value);
                    for arm in arms {
                        let super::Arm { test, body, .. } = arm;
                        statement_parts!(@test test, f $(, $mutable)?);
                        g(body);
                    }
                }
                StatementKind::For(each) => {
                    let super::For { list, parallel, body, .. } = each;
                    f(list);
                    if let Some(parallel) = parallel {
                        f(parallel);
                    }
                    g(body);
                }
                StatementKind::Parallel(branches) => {
                    for branch in branches {
                        g(branch);
                    }
                }
                StatementKind::Fail { fields, .. } => {
                    for field in fields {
                        f(field);
                    }
                }
                StatementKind::Stub { outcome, .. } => match outcome {
                    StubOutcome::Value(value) => f(value),
                    StubOutcome::Fails { fields, times, .. } => {
                        for field in fields {
                            f(field);
                        }
                        if let Some(times) = times {
                            f(times);
                        }
                    }
                },
                StatementKind::Answer { question, value } => {
                    if let Some(question) = question {
                        f(question);
                    }
                    f(value);
                }
            }
        }
    };
    (@test $test:ident, $f:ident) => { $test.each_expression($f) };
    (@test $test:ident, $f:ident, mut) => { $test.each_expression_mut($f) };
}

impl Statement {
    statement_parts! {
        /// Visits the expressions of this statement with `f` and the blocks within it with `g`. The body of a
        /// step is in [`super::Flow::steps`] and is not visited.
        each_part
    }
    statement_parts! {
        /// Visits the expressions of this statement and the blocks within it, to change them.
        each_part_mut, mut
    }
}
