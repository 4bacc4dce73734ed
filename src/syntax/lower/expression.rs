//! Expressions.

use super::Lower;
use super::operators::{Infix, Part, Prefix};
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;
use crate::syntax::grammar::{Pair, Rule};
use crate::syntax::lines::too_deep;
use crate::syntax::tree::{Argument, Expr, ExprKind, Name};
use crate::text::Span;

/// Expressions within each other, counted over operators, calls and brackets.
const DEEPEST_EXPRESSION: u16 = 128;
/// `not`, `-`, `run`, `start` before one operand.
const MOST_PREFIXES: usize = 8;

/// An expression and how many are within each other in it.
pub struct Deep {
    /// The expression.
    pub expr: Expr,
    /// Its depth; a name has 0.
    pub depth: u16,
}

impl Lower<'_> {
    /// An expression of a line.
    pub fn expression(&mut self, pair: Pair) -> Expr {
        self.deep_expression(pair).expr
    }

    /// The node around parts of the given depth; beyond the limit it is reported and given up.
    pub fn deeper(&mut self, kind: ExprKind, span: Span, depth: u16) -> Deep {
        if depth >= DEEPEST_EXPRESSION {
            self.findings.push(too_deep(Span { end: span.end.min(span.start + 40), ..span }));
            return Deep { expr: Expr { kind: ExprKind::Broken, span }, depth: 0 };
        }
        Deep { expr: Expr { kind, span }, depth: depth + 1 }
    }

    /// An expression or operand.
    pub fn deep_expression(&mut self, pair: Pair) -> Deep {
        let whole = self.span(&pair);
        match pair.as_rule() {
            Rule::operand => {
                let mut parts = Vec::new();
                self.operand_parts(pair, &mut parts);
                self.climb(parts, whole)
            }
            Rule::expression | Rule::sum => {
                let mut parts = Vec::new();
                for inner in pair.into_inner() {
                    let span = self.span(&inner);
                    match inner.as_rule() {
                        Rule::operator | Rule::sum_operator => {
                            parts.push(Part::Infix(Infix::from_sign(inner.as_str()), span))
                        }
                        Rule::is_test => parts.push(Part::Infix(Infix::Is(inner.as_str().ends_with("some")), span)),
                        _ => self.operand_parts(inner, &mut parts),
                    }
                }
                self.climb(parts, whole)
            }
            _ => self.primary(pair),
        }
    }

    fn operand_parts(&mut self, pair: Pair, parts: &mut Vec<Part>) {
        let mut operand: Option<Deep> = None;
        let mut prefixes = 0;
        for inner in pair.into_inner() {
            let span = self.span(&inner);
            match inner.as_rule() {
                Rule::prefix => {
                    prefixes += 1;
                    let word = inner.as_str().trim_end();
                    let (prefix, length) = match inner.as_str().get(..2) {
                        Some("no") => (Prefix::Not, 3),
                        Some("ru") => (Prefix::Run, 3),
                        Some("st") => (Prefix::Start, 5),
                        _ => (Prefix::Negate, 1),
                    };
                    let end = span.start + length.min(word.len().max(1)) as u32;
                    let span = Span { end, ..span };
                    match prefixes {
                        ..=MOST_PREFIXES => parts.push(Part::Prefix(prefix, span)),
                        _ if prefixes == MOST_PREFIXES + 1 => self.findings.push(too_deep(span)),
                        _ => {}
                    }
                }
                Rule::field | Rule::arguments | Rule::index => {
                    operand = operand.map(|target| self.postfix(target, inner));
                }
                _ => operand = Some(self.primary(inner)),
            }
        }
        parts.extend(operand.map(Part::Operand));
    }

    fn primary(&mut self, pair: Pair) -> Deep {
        let span = self.span(&pair);
        let plain = |kind| Deep { expr: Expr { kind, span }, depth: 0 };
        match pair.as_rule() {
            Rule::word => plain(self.word(&pair)),
            Rule::text => plain(ExprKind::Text(self.text(pair))),
            Rule::group => {
                let Some(inner) = pair.into_inner().next() else { return plain(ExprKind::Broken) };
                let mut inner = self.deep_expression(inner);
                if !is_literal(&inner.expr.kind) {
                    inner.expr.span = span;
                }
                inner
            }
            Rule::list => {
                let elements: Vec<Deep> = pair.into_inner().map(|element| self.deep_expression(element)).collect();
                let depth = elements.iter().map(|element| element.depth).max().unwrap_or(0);
                self.decimal_commas(elements.iter().map(|element| &element.expr));
                self.deeper(ExprKind::List(elements.into_iter().map(|element| element.expr).collect()), span, depth)
            }
            Rule::map => self.map(pair, span),
            Rule::conditional => self.conditional(pair, span),
            _ => plain(self.number(pair)),
        }
    }

    fn word(&mut self, pair: &Pair) -> ExprKind {
        match pair.as_str() {
            "none" => ExprKind::None,
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "it" => ExprKind::It,
            "null" | "nil" | "undefined" | "NULL" => {
                let span = self.span(pair);
                self.findings.push(
                    Finding::new(&codes::WORD, span, format!("`{}` is called `none` here", pair.as_str()))
                        .at("unknown word")
                        .help("write `none`")
                        .fix(span, "none"),
                );
                ExprKind::None
            }
            _ => ExprKind::Name(self.name(pair).text),
        }
    }

    fn map(&mut self, pair: Pair, span: Span) -> Deep {
        let mut depth = 0;
        let mut entries = Vec::new();
        for entry in pair.into_inner() {
            let mut sides = entry.into_inner();
            if let (Some(key), Some(value)) = (sides.next(), sides.next()) {
                let (key, value) = (self.deep_expression(key), self.deep_expression(value));
                depth = depth.max(key.depth).max(value.depth);
                entries.push((key.expr, value.expr));
            }
        }
        self.deeper(ExprKind::Map(entries), span, depth)
    }

    fn conditional(&mut self, pair: Pair, span: Span) -> Deep {
        let mut inner = pair.into_inner();
        let (Some(condition), Some(then), Some(otherwise)) = (inner.next(), inner.next(), inner.next()) else {
            return Deep { expr: Expr { kind: ExprKind::Broken, span }, depth: 0 };
        };
        let (condition, then) = (self.deep_expression(condition), self.deep_expression(then));
        let otherwise = self.deep_expression(otherwise);
        let depth = condition.depth.max(then.depth).max(otherwise.depth);
        let kind = ExprKind::Conditional {
            condition: Box::new(condition.expr),
            then: Box::new(then.expr),
            otherwise: Box::new(otherwise.expr),
        };
        self.deeper(kind, span, depth)
    }

    fn postfix(&mut self, target: Deep, pair: Pair) -> Deep {
        let span = target.expr.span.to(self.span(&pair));
        let depth = target.depth;
        let target = Box::new(target.expr);
        match pair.as_rule() {
            Rule::field => {
                let mut optional = false;
                let mut name = self.no_name();
                for inner in pair.into_inner() {
                    match inner.as_rule() {
                        Rule::dot => optional = inner.as_str() == "?.",
                        _ => name = self.free_name(&inner),
                    }
                }
                self.deeper(ExprKind::Field { target, name, optional }, span, depth)
            }
            Rule::arguments => {
                let (arguments, inner) = self.arguments(pair);
                self.deeper(ExprKind::Call { callee: target, arguments }, span, depth.max(inner))
            }
            _ => {
                let Some(index) = pair.into_inner().next() else {
                    return Deep { expr: Expr { kind: ExprKind::Broken, span }, depth: 0 };
                };
                let index = self.deep_expression(index);
                let depth = depth.max(index.depth);
                self.deeper(ExprKind::Index { target, index: Box::new(index.expr) }, span, depth)
            }
        }
    }

    /// The arguments of a call, and how deep the deepest of them is.
    pub fn arguments(&mut self, pair: Pair) -> (Vec<Argument>, u16) {
        let mut arguments = Vec::new();
        let mut depth = 0;
        for argument in pair.into_inner() {
            let mut name: Option<Name> = None;
            for inner in argument.into_inner() {
                if inner.as_rule() == Rule::argument_name {
                    name = inner.into_inner().next().map(|inner| self.free_name(&inner));
                    continue;
                }
                let value =
                    if inner.as_rule() == Rule::lambda { self.lambda(inner) } else { self.deep_expression(inner) };
                depth = depth.max(value.depth);
                arguments.push(Argument { name: name.take(), value: value.expr });
            }
        }
        self.decimal_commas(arguments.iter().map(|argument| &argument.value));
        (arguments, depth)
    }

    /// `f(9,90 EUR)`: a decimal comma that reads like two values.
    pub fn decimal_commas<'e>(&mut self, values: impl Iterator<Item = &'e Expr>) {
        let mut before: Option<&Expr> = None;
        for value in values {
            if let Some(first) = before
                && matches!(first.kind, ExprKind::Int(_))
                && matches!(value.kind, ExprKind::Money { .. } | ExprKind::Percent(_))
                && first.span.end + 1 == value.span.start
            {
                let comma = Span { start: first.span.end, end: value.span.start, ..first.span };
                self.findings.push(decimal_comma(comma, first.span.to(value.span)));
            }
            before = Some(value);
        }
    }

    fn lambda(&mut self, pair: Pair) -> Deep {
        let span = self.span(&pair);
        let mut parameters = Vec::new();
        let mut body = Deep { expr: Expr { kind: ExprKind::Broken, span }, depth: 0 };
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::name => parameters.push(self.name(&inner)),
                Rule::names => parameters = self.names(inner),
                _ => body = self.deep_expression(inner),
            }
        }
        let depth = body.depth;
        self.deeper(ExprKind::Lambda { parameters, body: Box::new(body.expr) }, span, depth)
    }
}

/// The finding for a decimal that is written with a comma.
pub fn decimal_comma(comma: Span, whole: Span) -> Finding {
    Finding::new(&codes::LITERAL, whole, "a decimal is written with a point")
        .at("reads like two values")
        .help("write `.` in place of the comma; when two values are meant, put a blank behind it")
        .fix(comma, ".")
}

/// Literals keep their own place when they stand in parentheses, so that the place shows what was written.
fn is_literal(kind: &ExprKind) -> bool {
    matches!(
        kind,
        ExprKind::Int(_)
            | ExprKind::Decimal(_)
            | ExprKind::Percent(_)
            | ExprKind::Money { .. }
            | ExprKind::Duration { .. }
            | ExprKind::Date(_)
            | ExprKind::Time(_)
            | ExprKind::Instant(_)
            | ExprKind::Text(_)
            | ExprKind::Name(_)
            | ExprKind::None
            | ExprKind::Bool(_)
            | ExprKind::It
    )
}
