//! Which operator binds tighter: a climbing loop over operands and operators in a row.
//!
//! From loose to tight: `or`, `and`, `not`, comparisons with `in` and `is`, `??`, `..`, `+ -`, `* /`,
//! and unary `-` with `run` and `start`.

use super::Lower;
use super::expression::Deep;
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;
use crate::syntax::tree::{BinaryOperator, Expr, ExprKind, UnaryOperator};
use crate::text::Span;
use std::iter::Peekable;
use std::vec::IntoIter;

const NOT: u8 = 3;
const COMPARISON: u8 = 4;
const RANGE: u8 = 6;
const UNARY: u8 = 9;

/// An operator before an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// `not`
    Not,
    /// `-`
    Negate,
    /// `run`
    Run,
    /// `start`
    Start,
}

/// An operator between operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Infix {
    /// `+`, `and`, `==` …
    Binary(BinaryOperator),
    /// `..`
    Range,
    /// `is some` (true), `is none` (false); no operand follows
    Is(bool),
}

/// One part of an expression as it stands in the line.
pub enum Part {
    /// An operator before an operand.
    Prefix(Prefix, Span),
    /// An operand with everything behind it.
    Operand(Deep),
    /// An operator between operands.
    Infix(Infix, Span),
}

impl Infix {
    fn precedence(self) -> u8 {
        match self {
            Infix::Binary(operator) => operator.precedence(),
            Infix::Range => RANGE,
            Infix::Is(_) => COMPARISON,
        }
    }

    /// The operator with this sign.
    pub fn from_sign(sign: &str) -> Infix {
        Infix::Binary(match sign {
            "or" => BinaryOperator::Or,
            "and" => BinaryOperator::And,
            "==" => BinaryOperator::Equal,
            "!=" => BinaryOperator::NotEqual,
            "<" => BinaryOperator::Less,
            "<=" => BinaryOperator::LessOrEqual,
            ">" => BinaryOperator::Greater,
            ">=" => BinaryOperator::GreaterOrEqual,
            "in" => BinaryOperator::In,
            "??" => BinaryOperator::OrElse,
            "+" => BinaryOperator::Add,
            "-" => BinaryOperator::Subtract,
            "*" => BinaryOperator::Multiply,
            "/" => BinaryOperator::Divide,
            _ => return Infix::Range,
        })
    }
}

impl Lower<'_> {
    /// The tree of operands and operators in a row.
    pub fn climb(&mut self, parts: Vec<Part>, whole: Span) -> Deep {
        let mut parts = parts.into_iter().peekable();
        self.climb_from(&mut parts, 0, whole)
    }

    fn climb_from(&mut self, parts: &mut Peekable<IntoIter<Part>>, least: u8, whole: Span) -> Deep {
        let mut left = self.climb_operand(parts, whole);
        let mut compared: Option<Span> = None;
        while let Some(Part::Infix(infix, operator_span)) =
            parts.next_if(|part| matches!(part, Part::Infix(infix, _) if infix.precedence() >= least))
        {
            let precedence = infix.precedence();
            if precedence == COMPARISON {
                if let Some(first) = compared {
                    self.chained(first, operator_span);
                }
                compared = Some(operator_span);
            } else if precedence < COMPARISON {
                compared = None;
            }
            left = match infix {
                Infix::Is(some) => {
                    let span = left.expr.span.to(operator_span);
                    let depth = left.depth;
                    self.deeper(ExprKind::Is { value: Box::new(left.expr), some }, span, depth)
                }
                _ => {
                    let right = self.climb_from(parts, precedence + 1, whole);
                    self.join(left, infix, operator_span, right)
                }
            };
        }
        left
    }

    fn join(&mut self, left: Deep, infix: Infix, operator_span: Span, right: Deep) -> Deep {
        let span = left.expr.span.to(right.expr.span);
        let depth = left.depth.max(right.depth);
        let (left, right) = (Box::new(left.expr), Box::new(right.expr));
        let kind = match infix {
            Infix::Binary(operator) => ExprKind::Binary { operator, operator_span, left, right },
            _ => ExprKind::Range { from: left, to: right },
        };
        self.deeper(kind, span, depth)
    }

    fn climb_operand(&mut self, parts: &mut Peekable<IntoIter<Part>>, whole: Span) -> Deep {
        match parts.next() {
            Some(Part::Operand(operand)) => operand,
            Some(Part::Prefix(prefix, span)) => {
                let binding = if prefix == Prefix::Not { NOT } else { UNARY };
                let operand = self.climb_from(parts, binding, whole);
                let (span, depth) = (span.to(operand.expr.span), operand.depth);
                let operand = Box::new(operand.expr);
                let kind = match prefix {
                    Prefix::Not => ExprKind::Unary { operator: UnaryOperator::Not, operand },
                    Prefix::Negate => ExprKind::Unary { operator: UnaryOperator::Negate, operand },
                    Prefix::Run => ExprKind::Run(operand),
                    Prefix::Start => ExprKind::Start(operand),
                };
                self.deeper(kind, span, depth)
            }
            _ => Deep { expr: Expr { kind: ExprKind::Broken, span: whole }, depth: 0 },
        }
    }

    fn chained(&mut self, first: Span, second: Span) {
        self.findings.push(
            Finding::new(&codes::CHAIN, second, "comparisons don't chain")
                .at("a second comparison")
                .label(first, "the first one")
                .help("join two comparisons with `and`, as in `1 <= n and n <= 10`; for a range write `n in 1..10`"),
        );
    }
}
