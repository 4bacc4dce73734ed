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

/// A body with what is in it: the statements and expressions of a callable, table, flow, template, rule or trigger.
#[derive(Debug, Default)]
pub struct BodyParts<'e> {
    /// Its locals.
    pub locals: &'e [super::Local],
    /// Its blocks, those inside of statements left out.
    pub blocks: Vec<&'e [Statement]>,
    /// Its expressions, those inside of statements left out.
    pub expressions: Vec<&'e Expr>,
}

impl<'e> BodyParts<'e> {
    /// Visits every statement, the outer before the inner ones.
    pub fn each_statement(&self, f: &mut dyn FnMut(&'e Statement)) {
        for block in &self.blocks {
            statements_of(block, f);
        }
    }

    /// Visits every expression that is no part of another.
    pub fn each_expression(&self, f: &mut dyn FnMut(&'e Expr)) {
        for expr in &self.expressions {
            f(expr);
        }
        self.each_statement(&mut |statement| statement.each_part(f, &mut |_| {}));
    }
}

fn statements_of<'e>(block: &'e [Statement], f: &mut dyn FnMut(&'e Statement)) {
    for statement in block {
        f(statement);
        statement.each_part(&mut |_| {}, &mut |block| statements_of(block, f));
    }
}

impl super::Callable {
    /// Its body.
    pub fn parts(&self) -> BodyParts<'_> {
        let expressions = self.parameters.iter().filter_map(|parameter| parameter.default.as_ref()).collect();
        BodyParts { locals: &self.locals, blocks: vec![&self.body], expressions }
    }
}

impl super::DecisionTable {
    /// Its cells and outcomes.
    pub fn parts(&self) -> BodyParts<'_> {
        let mut expressions: Vec<&Expr> = self.columns.iter().filter_map(|column| column.subject.as_ref()).collect();
        expressions.extend(self.parameters.iter().filter_map(|parameter| parameter.default.as_ref()));
        for row in &self.rows {
            for test in &row.tests {
                test.each_expression(&mut |expr| expressions.push(expr));
            }
            expressions.push(&row.outcome);
        }
        BodyParts { locals: &self.locals, blocks: Vec::new(), expressions }
    }
}

impl super::Flow {
    /// Its body with its steps and what belongs to them.
    pub fn parts(&self) -> BodyParts<'_> {
        let mut parts = BodyParts { locals: &self.locals, blocks: vec![&self.body], expressions: Vec::new() };
        parts.expressions.extend(self.parameters.iter().filter_map(|parameter| parameter.default.as_ref()));
        parts.expressions.extend([&self.key, &self.priority, &self.deadline].into_iter().flatten());
        if let Some((count, per)) = &self.at_most {
            parts.expressions.push(count);
            parts.expressions.extend(per);
        }
        for step in &self.steps {
            match &step.body {
                super::StepBody::Value(value) => parts.expressions.push(value),
                super::StepBody::Block(block) => parts.blocks.push(block),
            }
            if let Some(retry) = &step.retry {
                parts.expressions.push(&retry.times);
                parts.expressions.extend([&retry.from, &retry.up_to].into_iter().flatten());
            }
            parts.expressions.extend(&step.timeout);
            parts.blocks.extend(step.undo.as_deref());
            for handler in &step.handlers {
                if let super::HandlerAction::Block { body, .. } = &handler.action {
                    parts.blocks.push(body);
                }
            }
        }
        parts
    }
}

impl super::Template {
    /// Its placeholders.
    pub fn parts(&self) -> BodyParts<'_> {
        fn expressions<'e>(parts: &'e [super::TemplatePart], found: &mut Vec<&'e Expr>) {
            for part in parts {
                match part {
                    super::TemplatePart::Characters(_) => {}
                    super::TemplatePart::Value(value) => found.push(value),
                    super::TemplatePart::For { list, body, .. } => {
                        found.push(list);
                        expressions(body, found);
                    }
                    super::TemplatePart::If { condition, then, otherwise } => {
                        found.push(condition);
                        expressions(then, found);
                        expressions(otherwise, found);
                    }
                }
            }
        }
        let mut found = Vec::new();
        expressions(&self.parts, &mut found);
        BodyParts { locals: &self.locals, blocks: Vec::new(), expressions: found }
    }
}

impl super::Reaction {
    /// Its condition and what it does.
    pub fn parts(&self) -> BodyParts<'_> {
        let expressions = self.when.iter().chain(&self.priority).collect();
        BodyParts { locals: &self.locals, blocks: vec![&self.body], expressions }
    }
}

impl super::Trigger {
    /// What it does.
    pub fn parts(&self) -> BodyParts<'_> {
        let when = match &self.event {
            super::TriggerEvent::Record { when: Some(when), .. } => vec![when],
            _ => Vec::new(),
        };
        BodyParts { locals: &self.locals, blocks: vec![&self.body], expressions: when }
    }
}

impl super::Program {
    /// All bodies but those of tests and policies.
    pub fn bodies(&self) -> impl Iterator<Item = BodyParts<'_>> {
        let constants = BodyParts {
            expressions: self.constants.iter().map(|constant| &constant.value).collect(),
            ..BodyParts::default()
        };
        let fields =
            self.records.iter().flat_map(|record| &record.fields).chain(self.errors.iter().flat_map(|of| &of.fields));
        let defaults = fields.filter_map(|field| match &field.default {
            Some(super::Default::Value(value)) => Some(&**value),
            _ => None,
        });
        let defaults = BodyParts { expressions: defaults.collect(), ..BodyParts::default() };
        [constants, defaults]
            .into_iter()
            .chain(self.callables.iter().map(super::Callable::parts))
            .chain(self.tables.iter().map(super::DecisionTable::parts))
            .chain(self.flows.iter().map(super::Flow::parts))
            .chain(self.templates.iter().map(super::Template::parts))
            .chain(self.reactions.iter().map(super::Reaction::parts))
            .chain(self.triggers.iter().map(super::Trigger::parts))
    }
}
