//! Expressions and types.

use super::comments::Taken;
use super::document::Document;
use super::printer::{LEVEL, Printer};
use crate::syntax::tree::*;
use crate::text::Span;

/// How tightly the loosest part of an expression binds; 10 for what needs no parentheses anywhere.
fn tightness(kind: &ExprKind) -> u8 {
    match kind {
        ExprKind::Conditional { .. } | ExprKind::Lambda { .. } => 0,
        ExprKind::Binary { operator, .. } => operator.precedence(),
        ExprKind::Unary { operator: UnaryOperator::Not, .. } => 3,
        ExprKind::Is { .. } => 4,
        ExprKind::Range { .. } => 6,
        ExprKind::Unary { .. } | ExprKind::Run(_) | ExprKind::Start(_) => 9,
        _ => 10,
    }
}

const POSTFIX: u8 = 10;
const UNARY: u8 = 9;
const COMPARED: u8 = 5;

/// One thing of a list in brackets.
struct Element {
    document: Document,
    span: Span,
}

impl Printer<'_> {
    /// An expression.
    pub fn expression(&mut self, expr: &Expr) -> Document {
        self.at_least(expr, 0)
    }

    /// An expression on one line.
    pub fn flat(&mut self, expr: &Expr) -> String {
        self.expression(expr).flat()
    }

    /// An expression, in parentheses when it binds looser than `least`.
    pub fn at_least(&mut self, expr: &Expr, least: u8) -> Document {
        if tightness(&expr.kind) >= least { self.bare(expr) } else { self.parenthesised(expr) }
    }

    /// An expression behind a word: a map that begins it would be read as a block, so it stands in parentheses.
    pub fn behind_word(&mut self, expr: &Expr, least: u8) -> Document {
        if self.brackets == 0 && begins_with_map(expr) { self.parenthesised(expr) } else { self.at_least(expr, least) }
    }

    fn parenthesised(&mut self, expr: &Expr) -> Document {
        self.brackets += 1;
        let inner = self.bare(expr);
        self.brackets -= 1;
        let inside = Document::Row(vec![Document::SoftLine, inner]).nest(LEVEL);
        Document::Row(vec![Document::text("("), inside, Document::SoftLine, Document::text(")")]).group()
    }

    fn bare(&mut self, expr: &Expr) -> Document {
        match &expr.kind {
            ExprKind::None => Document::text("none"),
            ExprKind::Bool(true) => Document::text("true"),
            ExprKind::Bool(false) => Document::text("false"),
            ExprKind::It => Document::text("it"),
            ExprKind::Name(name) => Document::text(name.as_str()),
            ExprKind::Text(text) => self.text_literal(text),
            ExprKind::Int(_)
            | ExprKind::Decimal(_)
            | ExprKind::Percent(_)
            | ExprKind::Date(_)
            | ExprKind::Time(_)
            | ExprKind::Instant(_)
            | ExprKind::Broken => Document::text(self.source(expr.span)),
            ExprKind::Money { currency, .. } => self.quantity(expr.span, &currency.text),
            ExprKind::Duration { unit, .. } => self.quantity(expr.span, unit),
            ExprKind::List(elements) => {
                let elements: Vec<&Expr> = elements.iter().collect();
                self.brackets += 1;
                let elements =
                    elements.into_iter().map(|e| Element { document: self.expression(e), span: e.span }).collect();
                self.brackets -= 1;
                self.bracketed("[", elements, "]", expr.span)
            }
            ExprKind::Map(entries) => self.map(entries, expr.span),
            ExprKind::Field { .. } | ExprKind::Call { .. } | ExprKind::Index { .. } => self.chain(expr),
            ExprKind::Unary { operator: UnaryOperator::Not, operand } => self.prefixed("not ", operand, UNARY),
            ExprKind::Unary { operator: UnaryOperator::Negate, operand } => self.prefixed("-", operand, UNARY),
            ExprKind::Run(call) => self.prefixed("run ", call, UNARY),
            ExprKind::Start(call) => self.prefixed("start ", call, UNARY),
            ExprKind::Binary { .. } => self.operation(expr),
            ExprKind::Is { value, some } => {
                let value = self.at_least(value, COMPARED);
                Document::Row(vec![value, Document::text(if *some { " is some" } else { " is none" })])
            }
            ExprKind::Range { from, to } => {
                let (from, to) = (self.at_least(from, 7), self.at_least(to, 7));
                Document::Row(vec![from, Document::text(".."), to])
            }
            ExprKind::Conditional { condition, then, otherwise } => self.conditional(condition, then, otherwise),
            ExprKind::Lambda { parameters, body } => {
                let head = match parameters.as_slice() {
                    [one] => format!("{} => ", one.text),
                    several => format!("({}) => ", names(several)),
                };
                Document::Row(vec![Document::text(head), self.expression(body)])
            }
        }
    }

    fn prefixed(&mut self, prefix: &str, operand: &Expr, least: u8) -> Document {
        let operand = self.behind_word(operand, least);
        Document::Row(vec![Document::text(prefix), operand])
    }

    /// A number with its unit or currency, one blank between.
    fn quantity(&self, span: Span, unit: &str) -> Document {
        let number = self.source(span).split_whitespace().next().unwrap_or("");
        Document::text(format!("{number} {unit}"))
    }

    /// A text as it is written.
    pub fn text_literal(&self, text: &TextLiteral) -> Document {
        Document::text(self.source(text.span).replace("\r\n", "\n"))
    }

    fn map(&mut self, entries: &[(Expr, Expr)], span: Span) -> Document {
        self.brackets += 1;
        let elements = entries
            .iter()
            .map(|(key, value)| {
                let (key_document, value_document) = (self.expression(key), self.expression(value));
                let document = Document::Row(vec![key_document, Document::text(": "), value_document]);
                Element { document, span: key.span.to(value.span) }
            })
            .collect();
        self.brackets -= 1;
        self.bracketed("{", elements, "}", span)
    }

    /// Elements between brackets, a line each when they don't fit; comments between them force that.
    fn bracketed(&mut self, open: &str, elements: Vec<Element>, close: &str, span: Span) -> Document {
        let end = (span.end as usize).saturating_sub(1);
        let mut gaps = Vec::new();
        let mut at = span.start as usize;
        for element in &elements {
            gaps.push(self.comments.take(at, element.span.start as usize));
            at = element.span.end as usize;
        }
        gaps.push(self.comments.take(at, end));
        if gaps.iter().any(|gap| !gap.is_empty()) {
            return with_comments(open, elements, gaps, close);
        }
        if elements.is_empty() {
            return Document::text(format!("{open}{close}"));
        }
        let mut inner = vec![Document::SoftLine];
        match short_words(open, &elements) {
            Some(words) => inner.push(Document::Fill(words)),
            None => {
                for (index, element) in elements.into_iter().enumerate() {
                    if index > 0 {
                        inner.extend([Document::text(","), Document::Line]);
                    }
                    inner.push(element.document);
                }
            }
        }
        let inner = Document::Row(inner).nest(LEVEL);
        Document::Row(vec![Document::text(open), inner, Document::SoftLine, Document::text(close)]).group()
    }

    /// The arguments of a call or the parameters of a declaration.
    pub fn arguments(&mut self, arguments: &[Argument], span: Span) -> Document {
        self.brackets += 1;
        let documents: Vec<Element> = arguments
            .iter()
            .map(|argument| {
                let value = self.expression(&argument.value);
                match &argument.name {
                    None => Element { document: value, span: argument.value.span },
                    Some(name) => Element {
                        document: Document::Row(vec![Document::text(format!("{}: ", name.text)), value]),
                        span: name.span.to(argument.value.span),
                    },
                }
            })
            .collect();
        self.brackets -= 1;
        // A list, map or call alone keeps its brackets with those of the call.
        if let (
            [
                Argument {
                    name: None,
                    value: Expr { kind: ExprKind::List(_) | ExprKind::Map(_) | ExprKind::Call { .. }, .. },
                },
            ],
            [only],
        ) = (arguments, documents.as_slice())
            && !self.comments.any(span.start as usize, span.end as usize)
        {
            return Document::Alone(Box::new(only.document.clone()));
        }
        self.bracketed("(", documents, ")", span)
    }

    /// The parameters of a declaration, in parentheses.
    pub fn parameters(&mut self, parameters: &[Parameter], span: Span) -> Document {
        self.brackets += 1;
        let elements = parameters
            .iter()
            .map(|parameter| {
                let mut row = vec![Document::text(format!("{}: {}", parameter.name.text, kind(&parameter.kind)))];
                let mut whole = parameter.name.span.to(parameter.kind.span);
                if let Some(default) = &parameter.default {
                    row.extend([Document::text(" = "), self.expression(default)]);
                    whole = whole.to(default.span);
                }
                Element { document: Document::Row(row), span: whole }
            })
            .collect();
        self.brackets -= 1;
        self.bracketed("(", elements, ")", span)
    }

    // ── chains ───────────────────────────────────────────────────────────────────────────────

    /// `a.b(…).c(…)[…]`: with two calls or more it may be broken before each `.` but the first.
    fn chain(&mut self, expr: &Expr) -> Document {
        let mut links = Vec::new();
        let mut base = expr;
        while let ExprKind::Field { target, .. }
        | ExprKind::Call { callee: target, .. }
        | ExprKind::Index { target, .. } = &base.kind
        {
            links.push(base);
            base = target;
        }
        links.reverse();
        let calls = links.windows(2).filter(|pair| is_method(pair[0], pair[1])).count();
        let mut first = vec![self.at_least(base, POSTFIX)];
        let mut rest: Vec<Document> = Vec::new();
        let mut methods = 0;
        let may_break = calls > 1;
        for (index, link) in links.iter().enumerate() {
            let begins_method = links.get(index + 1).is_some_and(|next| is_method(link, next));
            methods += usize::from(begins_method);
            let document = self.link(link);
            if may_break && (methods > 1 || !rest.is_empty()) {
                if begins_method {
                    rest.push(Document::SoftLine);
                }
                rest.push(document);
            } else {
                first.push(document);
            }
        }
        if rest.is_empty() {
            return Document::Row(first);
        }
        first.push(Document::Row(rest).nest(self.continued));
        Document::Row(first).group()
    }

    fn link(&mut self, link: &Expr) -> Document {
        match &link.kind {
            ExprKind::Field { name, optional, .. } => {
                Document::text(format!("{}{}", if *optional { "?." } else { "." }, name.text))
            }
            ExprKind::Call { callee, arguments } => {
                self.arguments(arguments, Span { start: callee.span.end, ..link.span })
            }
            ExprKind::Index { index, .. } => {
                self.brackets += 1;
                let index = self.expression(index);
                self.brackets -= 1;
                Document::Row(vec![Document::text("["), index, Document::text("]")])
            }
            _ => Document::nothing(),
        }
    }

    // ── operators ────────────────────────────────────────────────────────────────────────────

    /// Operands with operators of one kind between them; broken before each operator.
    fn operation(&mut self, expr: &Expr) -> Document {
        let ExprKind::Binary { operator, .. } = &expr.kind else { return Document::nothing() };
        let precedence = operator.precedence();
        let mut sides: Vec<(BinaryOperator, &Expr)> = Vec::new();
        let mut left = expr;
        while let ExprKind::Binary { operator, left: further, right, .. } = &left.kind {
            if operator.precedence() != precedence || precedence == 4 && !sides.is_empty() {
                break;
            }
            sides.push((*operator, right));
            left = further;
        }
        sides.reverse();
        let least = if precedence == 4 { COMPARED } else { precedence };
        let first = self.at_least(left, least);
        let mut rest = Vec::new();
        for (operator, right) in sides {
            let line = if self.may_break_before(operator) { Document::Line } else { Document::text(" ") };
            let right = self.at_least(right, precedence + 1);
            rest.extend([line, Document::text(format!("{} ", operator.symbol())), right]);
        }
        Document::Row(vec![first, Document::Row(rest).nest(self.continued)]).group()
    }

    /// In the arms of a `match` a line that begins with some operators would be a new arm.
    fn may_break_before(&self, operator: BinaryOperator) -> bool {
        let begins_arm =
            operator.precedence() == 4 && operator != BinaryOperator::In || operator == BinaryOperator::Subtract;
        self.brackets > 0 || !self.in_arm || !begins_arm
    }

    fn conditional(&mut self, condition: &Expr, then: &Expr, otherwise: &Expr) -> Document {
        let (condition, then) = (self.behind_word(condition, 1), self.behind_word(then, 1));
        let otherwise = self.behind_word(otherwise, 0);
        let tail = Document::Row(vec![
            Document::Line,
            Document::text("then "),
            then,
            Document::Line,
            Document::text("else "),
            otherwise,
        ]);
        Document::Row(vec![Document::text("if "), condition, tail.nest(self.continued)]).group()
    }
}

fn begins_with_map(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Map(_) => true,
        ExprKind::Field { target: left, .. }
        | ExprKind::Call { callee: left, .. }
        | ExprKind::Index { target: left, .. }
        | ExprKind::Binary { left, .. }
        | ExprKind::Is { value: left, .. }
        | ExprKind::Range { from: left, .. } => begins_with_map(left),
        _ => false,
    }
}

/// Whether `call` calls the method that `field` names.
fn is_method(field: &Expr, call: &Expr) -> bool {
    matches!(field.kind, ExprKind::Field { .. }) && matches!(call.kind, ExprKind::Call { .. })
}

/// The elements of a list, when all of them are short words, numbers or texts.
fn short_words(open: &str, elements: &[Element]) -> Option<Vec<String>> {
    let word = |element: &Element| match &element.document {
        Document::Text(text) if text.len() <= 20 && !text.contains('\n') => Some(text.clone()),
        _ => None,
    };
    if open == "[" { elements.iter().map(word).collect() } else { None }
}

/// Elements a line each, with the comments before, between and behind them.
fn with_comments(open: &str, elements: Vec<Element>, gaps: Vec<Vec<Taken>>, close: &str) -> Document {
    let count = elements.len();
    let mut elements = elements.into_iter();
    let mut lines: Vec<Vec<Document>> = Vec::new();
    for (index, gap) in gaps.into_iter().enumerate() {
        for (nth, comment) in gap.into_iter().enumerate() {
            match lines.last_mut() {
                Some(line) if comment.trailing && nth == 0 => line.push(Document::text(format!(" {}", comment.text))),
                _ => lines.push(vec![Document::text(comment.text)]),
            }
        }
        if let Some(element) = elements.next() {
            let comma = if index + 1 < count { "," } else { "" };
            lines.push(vec![element.document, Document::text(comma)]);
        }
    }
    let mut inner = Vec::new();
    for line in lines {
        inner.push(Document::HardLine);
        inner.extend(line);
    }
    let inner = Document::Row(inner).nest(LEVEL);
    Document::Row(vec![Document::text(open), inner, Document::HardLine, Document::text(close)]).group()
}

/// Names with commas between them.
pub fn names(names: &[Name]) -> String {
    names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(", ")
}

/// A type.
pub fn kind(node: &TypeExpr) -> String {
    match &node.kind {
        TypeExprKind::Named(name) => name.text.to_string(),
        TypeExprKind::Money(currency) => format!("money {}", currency.text),
        TypeExprKind::List(element) => format!("[{}]", kind(element)),
        TypeExprKind::Map(key, value) => format!("{{{}: {}}}", kind(key), kind(value)),
        TypeExprKind::Optional(inner) => format!("{}?", kind(inner)),
        TypeExprKind::Labelled(Label::Pii, inner) => format!("pii {}", kind(inner)),
        TypeExprKind::Labelled(Label::Secret, inner) => format!("secret {}", kind(inner)),
        TypeExprKind::Broken => String::new(),
    }
}
