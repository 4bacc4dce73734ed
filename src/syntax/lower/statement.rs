//! Statements and the modifiers of steps, without their blocks.

use super::{Lower, child};
use crate::syntax::grammar::{Pair, Rule};
use crate::syntax::tree::*;
use crate::text::Span;

/// A modifier without the block that may follow it.
pub enum ModifierHead {
    /// Nothing follows.
    Whole(ModifierKind),
    /// `undo`, followed by a block.
    Undo,
    /// `on error as e`, followed by a block.
    On {
        /// The error that is handled.
        error: Name,
        /// What the failure is called in the block.
        binding: Option<Name>,
    },
}

impl Lower<'_> {
    /// The statement of a line; blocks that follow it are still empty.
    pub fn statement(&mut self, pair: Pair) -> StatementKind {
        let place = self.span(&pair);
        let empty = Block { statements: Vec::new(), span: place.after() };
        match pair.as_rule() {
            Rule::let_line => self.let_line(pair),
            Rule::assign_line => match (child(&pair, Rule::name), self.first_expression(&pair)) {
                (Some(name), Some(value)) => StatementKind::Assign { name: self.name(&name), value },
                _ => StatementKind::Broken,
            },
            Rule::if_line => StatementKind::If {
                condition: self.first_expression(&pair).unwrap_or(broken(place)),
                then: empty,
                otherwise: None,
                chained: false,
            },
            Rule::match_line => {
                StatementKind::Match { value: self.first_expression(&pair).unwrap_or(broken(place)), arms: Vec::new() }
            }
            Rule::for_line => self.for_line(pair, empty),
            Rule::parallel_line => StatementKind::Parallel(empty),
            Rule::step_line => self.step_line(pair, empty),
            Rule::go_line => {
                child(&pair, Rule::name).map_or(StatementKind::Broken, |name| StatementKind::GoTo(self.name(&name)))
            }
            Rule::return_line => StatementKind::Return(self.first_expression(&pair)),
            Rule::stop_line => StatementKind::Stop(self.first_expression(&pair)),
            Rule::fail_line => self.fail_line(pair),
            Rule::expect_line => self.expect_line(pair, place),
            Rule::stub_line => self.stub_line(pair),
            Rule::answer_line => StatementKind::Answer {
                question: child(&pair, Rule::text).map(|text| self.text(text)),
                value: self.first_expression(&pair).unwrap_or(broken(place)),
            },
            rule => match (rule, self.first_expression(&pair)) {
                (Rule::give_line, Some(value)) => StatementKind::Give(value),
                (Rule::given_line, Some(value)) => StatementKind::Given(value),
                (Rule::advance_line, Some(value)) => StatementKind::Advance(value),
                (_, Some(value)) => StatementKind::Expression(value),
                (_, None) => StatementKind::Broken,
            },
        }
    }

    /// The first expression directly below a pair.
    pub fn first_expression(&mut self, pair: &Pair) -> Option<Expr> {
        let found =
            pair.clone().into_inner().find(|inner| matches!(inner.as_rule(), Rule::expression | Rule::operand))?;
        Some(self.expression(found))
    }

    fn let_line(&mut self, pair: Pair) -> StatementKind {
        let (Some(name), Some(value)) = (child(&pair, Rule::name), self.first_expression(&pair)) else {
            return StatementKind::Broken;
        };
        StatementKind::Let {
            name: self.name(&name),
            kind: child(&pair, Rule::kind).map(|kind| self.kind(kind)),
            value,
            mutable: pair.as_str().starts_with("var"),
        }
    }

    fn for_line(&mut self, pair: Pair, body: Block) -> StatementKind {
        let mut names = Vec::new();
        let mut list = None;
        let (mut parallel, mut stop_at_first_failure) = (None, false);
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::name => names.push(self.name(&inner)),
                Rule::expression => list = Some(self.expression(inner)),
                Rule::for_parallel => parallel = self.first_expression(&inner),
                Rule::for_stop => stop_at_first_failure = true,
                _ => {}
            }
        }
        let mut names = names.into_iter();
        match (names.next(), list) {
            (Some(name), Some(list)) => {
                StatementKind::For(For { name, second: names.next(), list, parallel, stop_at_first_failure, body })
            }
            _ => StatementKind::Broken,
        }
    }

    fn step_line(&mut self, pair: Pair, body: Block) -> StatementKind {
        let Some(name) = child(&pair, Rule::name) else { return StatementKind::Broken };
        StatementKind::Step(Step {
            name: self.name(&name),
            kind: child(&pair, Rule::kind).map(|kind| self.kind(kind)),
            body: self.first_expression(&pair).map_or(StepBody::Block(body), StepBody::Value),
            modifiers: Vec::new(),
        })
    }

    fn fail_line(&mut self, pair: Pair) -> StatementKind {
        let Some(name) = child(&pair, Rule::name) else { return StatementKind::Broken };
        let error = self.name(&name);
        let arguments = child(&pair, Rule::arguments).map(|arguments| self.arguments(arguments).0);
        StatementKind::Fail { error, arguments: arguments.unwrap_or_default() }
    }

    fn expect_line(&mut self, pair: Pair, place: Span) -> StatementKind {
        let failed = child(&pair, Rule::failed).and_then(|failed| child(&failed, Rule::name));
        StatementKind::Expect {
            value: self.first_expression(&pair).unwrap_or(broken(place)),
            failed: failed.map(|name| self.name(&name)),
        }
    }

    fn stub_line(&mut self, pair: Pair) -> StatementKind {
        let Some(path) = child(&pair, Rule::path) else { return StatementKind::Broken };
        let callee = self.path(path);
        if let Some(value) = child(&pair, Rule::stub_value).and_then(|value| self.first_expression(&value)) {
            return StatementKind::Stub { callee, outcome: StubOutcome::Value(value) };
        }
        let Some(fails) = child(&pair, Rule::stub_fails) else { return StatementKind::Broken };
        let Some(error) = child(&fails, Rule::name) else { return StatementKind::Broken };
        let error = self.name(&error);
        let arguments = child(&fails, Rule::arguments).map(|arguments| self.arguments(arguments).0).unwrap_or_default();
        let times = self.first_expression(&fails);
        StatementKind::Stub { callee, outcome: StubOutcome::Fails { error, arguments, times } }
    }

    /// `module.name` as an expression.
    pub fn path(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        let mut path: Option<Expr> = None;
        for (index, inner) in pair.into_inner().enumerate() {
            path = match path {
                None => {
                    let name = self.name(&inner);
                    Some(Expr { span: name.span, kind: ExprKind::Name(name.text) })
                }
                Some(target) if index <= 8 => {
                    let name = self.free_name(&inner);
                    let span = target.span.to(name.span);
                    Some(Expr { kind: ExprKind::Field { target: Box::new(target), name, optional: false }, span })
                }
                deep => deep,
            };
        }
        path.unwrap_or(broken(span))
    }

    /// A modifier of a step; none when nothing could be made of it.
    pub fn modifier(&mut self, pair: Pair) -> Option<ModifierHead> {
        match pair.as_rule() {
            Rule::retry_line => {
                let times = self.first_expression(&pair)?;
                let from = child(&pair, Rule::retry_from).and_then(|from| self.first_expression(&from));
                let up_to = child(&pair, Rule::retry_up_to).and_then(|up_to| self.first_expression(&up_to));
                let doubling = child(&pair, Rule::doubling).is_some();
                Some(ModifierHead::Whole(ModifierKind::Retry { times, from, doubling, up_to }))
            }
            Rule::timeout_line => self.first_expression(&pair).map(|d| ModifierHead::Whole(ModifierKind::Timeout(d))),
            Rule::undo_line => Some(match self.first_expression(&pair) {
                None => ModifierHead::Undo,
                Some(value) => ModifierHead::Whole(ModifierKind::Undo { body: single(value), braces: false }),
            }),
            _ => {
                let error = child(&pair, Rule::name)?;
                let error = self.name(&error);
                let binding = grandchild(&pair, Rule::binding).map(|name| self.name(&name));
                match grandchild(&pair, Rule::target) {
                    None => Some(ModifierHead::On { error, binding }),
                    Some(target) => {
                        let action = OnAction::GoTo(self.name(&target));
                        Some(ModifierHead::Whole(ModifierKind::On { error, binding, action }))
                    }
                }
            }
        }
    }
}

/// An expression that could not be read.
fn broken(span: Span) -> Expr {
    Expr { kind: ExprKind::Broken, span }
}

/// A block without braces around one expression.
fn single(value: Expr) -> Block {
    let span = value.span;
    Block { statements: vec![Statement { kind: StatementKind::Expression(value), span }], span }
}

/// The name within the first pair below `pair` with this rule.
fn grandchild<'i>(pair: &Pair<'i>, rule: Rule) -> Option<Pair<'i>> {
    child(&child(pair, rule)?, Rule::name)
}
