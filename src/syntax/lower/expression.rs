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
        let mut inner = pair.into_inner();
        let Some(first) = inner.next() else {
            return Deep { expr: Expr { kind: ExprKind::Broken, span: whole }, depth: 0 };
        };
        // Most expressions are one word or literal.
        if inner.is_empty() && first.as_rule() != Rule::prefix {
            return self.primary(first);
        }
        let mut parts = Vec::with_capacity(inner.len() + 1);
        let mut prefixes = 0;
        for inner in std::iter::once(first).chain(inner) {
            match inner.as_rule() {
                Rule::prefix => {
                    prefixes += 1;
                    let (prefix, span) = self.prefix(&inner);
                    match prefixes {
                        ..=MOST_PREFIXES => parts.push(Part::Prefix(prefix, span)),
                        _ if prefixes == MOST_PREFIXES + 1 => self.findings.push(too_deep(span)),
                        _ => {}
                    }
                    continue;
                }
                Rule::operator | Rule::sum_operator => {
                    parts.push(Part::Infix(Infix::from_sign(inner.as_str()), self.span(&inner)));
                }
                Rule::is_test => {
                    // The node begins behind `is` and a blank.
                    let span = self.span(&inner);
                    let span = Span { start: span.start - "is ".len() as u32, ..span };
                    parts.push(Part::Infix(Infix::Is(inner.as_str().ends_with("some")), span));
                }
                Rule::field | Rule::arguments | Rule::index => {
                    if let Some(Part::Operand(target)) = parts.pop() {
                        let operand = self.postfix(target, inner);
                        parts.push(Part::Operand(operand));
                    }
                }
                _ => {
                    let operand = self.primary(inner);
                    parts.push(Part::Operand(operand));
                }
            }
            prefixes = 0;
        }
        self.climb(parts, whole)
    }

    /// `not`, `run`, `start` or `-`, and its place without the blanks behind it.
    fn prefix(&self, pair: &Pair) -> (Prefix, Span) {
        let span = self.span(pair);
        let (prefix, length) = match pair.as_str().as_bytes().first() {
            Some(b'n') => (Prefix::Not, "not".len()),
            Some(b'r') => (Prefix::Run, "run".len()),
            Some(b's') => (Prefix::Start, "start".len()),
            _ => (Prefix::Negate, "-".len()),
        };
        (prefix, Span { end: span.start + length as u32, ..span })
    }

    fn primary(&mut self, pair: Pair) -> Deep {
        let span = self.span(&pair);
        let plain = |kind| Deep { expr: Expr { kind, span }, depth: 0 };
        match pair.as_rule() {
            Rule::word | Rule::other_word => self.path_of_words(pair.as_str(), span),
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
            _ => plain(self.number(pair.as_str(), span)),
        }
    }

    /// A word, or words with points between them: `it`, `order.customer.name`.
    fn path_of_words(&mut self, written: &str, span: Span) -> Deep {
        let mut words = written.split('.');
        let first = words.next().unwrap_or("");
        let mut end = span.start + first.len() as u32;
        let first_span = Span { end, ..span };
        let mut path = Deep { expr: Expr { kind: self.word(first, first_span), span: first_span }, depth: 0 };
        for word in words {
            let start = end + 1;
            end = start + word.len() as u32;
            let name = Name { text: word.into(), span: Span { start, end, ..span } };
            let (place, depth) = (path.expr.span.to(name.span), path.depth);
            let target = Box::new(path.expr);
            path = self.deeper(ExprKind::Field { target, name, optional: false }, place, depth);
        }
        path
    }

    fn word(&mut self, written: &str, span: Span) -> ExprKind {
        match written {
            "none" => ExprKind::None,
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "it" => ExprKind::It,
            "null" | "nil" | "undefined" | "NULL" => {
                self.findings.push(
                    Finding::new(&codes::WORD, span, format!("`{written}` is called `none` here"))
                        .at("unknown word")
                        .help("write `none`")
                        .fix(span, "none"),
                );
                ExprKind::None
            }
            _ => ExprKind::Name(self.name_at(written, span).text),
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
                let before = &pair.get_input()[..pair.as_span().start()];
                let (optional, name) = (before.ends_with("?."), self.free_name(&pair));
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
        let pairs = pair.into_inner();
        let mut arguments = Vec::with_capacity(pairs.len());
        let mut depth = 0;
        for argument in pairs {
            let (argument, inner) = self.argument(argument);
            depth = depth.max(inner);
            arguments.push(argument);
        }
        self.decimal_commas(arguments.iter().map(|argument| &argument.value));
        (arguments, depth)
    }

    fn argument(&mut self, pair: Pair) -> (Argument, u16) {
        let mut name: Option<Name> = None;
        // What a function takes, and where it begins.
        let mut takes: Option<(Vec<Name>, Span)> = None;
        let mut value = Deep { expr: Expr { kind: ExprKind::Broken, span: self.span(&pair) }, depth: 0 };
        for inner in pair.into_inner() {
            match inner.as_rule() {
                // The sign behind the word says what the word is.
                Rule::key => {
                    let behind = &inner.get_input()[inner.as_span().end()..];
                    if behind.trim_start().starts_with(':') {
                        name = Some(self.free_name(&inner));
                    } else {
                        let parameter = self.name(&inner);
                        let begin = parameter.span;
                        takes = Some((vec![parameter], begin));
                    }
                }
                Rule::lambda_names => {
                    let begin = self.span(&inner);
                    takes = inner.into_inner().next().map(|names| (self.names(names), begin));
                }
                _ => {
                    let span = self.span(&inner);
                    value = self.deep_expression(inner);
                    if let Some((parameters, begin)) = takes.take() {
                        let (body, depth) = (Box::new(value.expr), value.depth);
                        value = self.deeper(ExprKind::Lambda { parameters, body }, begin.to(span), depth);
                    }
                }
            }
        }
        (Argument { name, value: value.expr }, value.depth)
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
