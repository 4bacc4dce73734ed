//! `==`, `<`, `in`, `and`, `or`, `not`, `is`, `??`: what may be compared with what.

use super::Purpose;
use super::agree::fits;
use super::arithmetic::{different_currencies, to_decimal};
use crate::check::Checker;
use crate::check::declare::unknown_expr;
use crate::check::program::{Expr, ExprKind, Type};
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::{self, BinaryOperator};
use crate::text::Span;
use crate::value::Value;

impl Checker<'_> {
    /// An operator with two sides.
    pub(crate) fn binary(
        &mut self,
        operator: BinaryOperator,
        operator_span: Span,
        left: &tree::Expr,
        right: &tree::Expr,
        span: Span,
        hint: Option<&Type>,
    ) -> Expr {
        use BinaryOperator as B;
        match operator {
            B::And | B::Or => self.connective(operator, left, right, span),
            B::Equal | B::NotEqual | B::Less | B::LessOrEqual | B::Greater | B::GreaterOrEqual => {
                self.comparison(operator, operator_span, left, right, span)
            }
            B::In => self.membership(operator_span, left, right, span),
            B::OrElse => self.or_else(operator_span, left, right, span, hint),
            B::Add | B::Subtract | B::Multiply | B::Divide => {
                self.arithmetic(operator, operator_span, left, right, span)
            }
        }
    }

    fn connective(&mut self, operator: BinaryOperator, left: &tree::Expr, right: &tree::Expr, span: Span) -> Expr {
        let what = if operator == BinaryOperator::And { "a side of `and`" } else { "a side of `or`" };
        let left = self.condition(left, what);
        // The right side is only looked at when the left one did not decide.
        let mark = self.body.mark();
        let facts = self.facts(&left);
        self.know(if operator == BinaryOperator::And { &facts.when_true } else { &facts.when_false });
        let right = self.condition(right, what);
        self.body.forget(mark.1);
        binary_of(operator, left, right, Type::Bool, span)
    }

    fn comparison(
        &mut self,
        operator: BinaryOperator,
        operator_span: Span,
        left: &tree::Expr,
        right: &tree::Expr,
        span: Span,
    ) -> Expr {
        // A bare member of an enum gets its meaning from the other side.
        let (left, right) = if self.is_bare_member(left) && !self.is_bare_member(right) {
            let right = self.settled(right, None);
            let left = self.settled(left, Some(right.ty.clone().present()));
            (left, right)
        } else {
            let left = self.settled(left, None);
            let right = self.settled(right, Some(left.ty.clone().present()));
            (left, right)
        };
        if left.ty.is_unknown() || right.ty.is_unknown() {
            return Expr { ty: Type::Bool, ..unknown_expr(span) };
        }
        self.compare(operator, operator_span, left, right, span)
    }

    /// A comparison of two values.
    pub(crate) fn compare(
        &mut self,
        operator: BinaryOperator,
        operator_span: Span,
        left: Expr,
        right: Expr,
        span: Span,
    ) -> Expr {
        let is_equality = matches!(operator, BinaryOperator::Equal | BinaryOperator::NotEqual);
        let wrong = Expr { ty: Type::Bool, ..unknown_expr(span) };
        if left.ty.has_unknown() || right.ty.has_unknown() {
            return wrong;
        }
        // `x == none` says the same as `x is none`.
        for (side, other) in [(&left, &right), (&right, &left)] {
            if is_equality && matches!(side.kind, ExprKind::Value(Value::None)) && other.ty.is_optional() {
                let some = operator == BinaryOperator::NotEqual;
                let value = other.clone();
                let effect = value.effect;
                return Expr { kind: ExprKind::Is(Box::new(value), some), ty: Type::Bool, effect, span };
            }
        }
        if let Some(currencies) = different_currencies(&left.ty, &right.ty) {
            self.currencies(operator, operator_span, &left, &right, currencies);
            return wrong;
        }
        if !is_equality {
            for side in [&left, &right] {
                if side.ty.is_optional() {
                    let message = format!("`{}` needs a value, and this one may be none", operator.symbol());
                    self.optional_used(side, &message, None);
                    return wrong;
                }
            }
        }
        let (left, right) = match (left.ty.present(), right.ty.present()) {
            (Type::Int, Type::Decimal) if !left.ty.is_optional() => (to_decimal(left), right),
            (Type::Decimal, Type::Int) if !right.ty.is_optional() => (left, to_decimal(right)),
            (Type::Record(a), Type::Reference(b)) | (Type::Reference(b), Type::Record(a)) if a == b => {
                (self.as_reference(left), self.as_reference(right))
            }
            _ => (left, right),
        };
        let agree = fits(left.ty.present(), right.ty.present()) || fits(right.ty.present(), left.ty.present());
        let comparable = !matches!(left.ty.present(), Type::Outcome(_) | Type::Nothing | Type::Failure(_));
        if !agree || !comparable || (!is_equality && !left.ty.is_ordered()) {
            self.not_comparable(operator, operator_span, &left, &right, agree);
            return wrong;
        }
        binary_of(operator, left, right, Type::Bool, span)
    }

    /// A record, or a record that may be none, as a reference to it.
    fn as_reference(&mut self, side: Expr) -> Expr {
        match side.ty.present() {
            Type::Record(entity) => {
                let reference = Type::Reference(*entity);
                let wanted = if side.ty.is_optional() { reference.optional() } else { reference };
                self.coerce(side, &wanted, Purpose::Part("a side of the comparison", None))
            }
            _ => side,
        }
    }

    fn not_comparable(
        &mut self,
        operator: BinaryOperator,
        operator_span: Span,
        left: &Expr,
        right: &Expr,
        agree: bool,
    ) {
        let (l, r) = (self.show(&left.ty), self.show(&right.ty));
        let message = match agree {
            true => format!("{l} has no order, so `{}` means nothing here", operator.symbol()),
            false => format!("{l} and {r} can't be compared: they are never equal"),
        };
        let mut finding = Finding::new(&catalogue::types::OPERATOR, operator_span, message)
            .label(left.span, format!("is {l}"))
            .label(right.span, format!("is {r}"));
        for (side, other) in [(left, right), (right, left)] {
            match (side.ty.present(), other.ty.present()) {
                (Type::Reference(entity) | Type::Record(entity), key) => {
                    let name = self.program.sources.slice(side.span).to_string();
                    if let Some(record) = self.program.records.get(entity.0 as usize)
                        && let Some(field) = record.key.and_then(|key| record.fields.get(key))
                        && field.ty == *key
                    {
                        finding = finding.help(format!("compare its key: `{name}.{}`", field.name));
                    }
                }
                (Type::Money(_), Type::Int | Type::Decimal) => {
                    finding = finding.help("an amount has a currency: write the number as `10 EUR`");
                }
                (Type::Enum(_), Type::Text) => {
                    finding = finding.help("members of an enum are written without quotes");
                }
                (Type::Percent, Type::Int | Type::Decimal) => {
                    finding = finding.help("write the share with `%`: `15%`");
                }
                (Type::Duration, Type::Int) => finding = finding.help("write the unit: `3 days`"),
                _ => {}
            }
        }
        self.report(finding);
    }

    fn membership(&mut self, operator_span: Span, left: &tree::Expr, right: &tree::Expr, span: Span) -> Expr {
        let left_value = if self.is_bare_member(left) { None } else { Some(self.settled(left, None)) };
        let hint = left_value.as_ref().map(|value| Type::List(Box::new(value.ty.clone())));
        let right = self.settled(right, hint.as_ref());
        let element = match &right.ty {
            Type::List(element) => (**element).clone(),
            Type::Map(key, _) => (**key).clone(),
            _ => Type::Unknown,
        };
        let left = match left_value {
            Some(value) => value,
            None => self.settled(left, Some(&element)),
        };
        let wrong = Expr { ty: Type::Bool, ..unknown_expr(span) };
        if left.ty.has_unknown() || right.ty.has_unknown() {
            return wrong;
        }
        match &right.ty {
            Type::List(_) | Type::Map(..) => {
                let left = match (&left.ty, &element) {
                    (Type::Int, Type::Decimal) => to_decimal(left),
                    (Type::Record(_), Type::Reference(_)) => refer(left),
                    _ => left,
                };
                if !fits(&left.ty, &element) && !fits(&element, left.ty.present()) {
                    let (l, r) = (self.show(&left.ty), self.show(&right.ty));
                    let finding =
                        Finding::new(&catalogue::types::OPERATOR, operator_span, format!("{l} is never in {r}"))
                            .label(left.span, format!("is {l}"))
                            .label(right.span, format!("is {r}"));
                    self.report(finding);
                    return wrong;
                }
                binary_of(BinaryOperator::In, left, right, Type::Bool, span)
            }
            other => {
                let r = self.show(other);
                let mut finding =
                    Finding::new(&catalogue::types::OPERATOR, operator_span, format!("nothing can be `in` {r}"))
                        .label(right.span, format!("is {r}, not a list, range or map"));
                if *other == Type::Text {
                    let written = |span| self.program.sources.slice(span).to_string();
                    finding = finding.help(format!("write `{}.contains({})`", written(right.span), written(left.span)));
                }
                self.report(finding);
                wrong
            }
        }
    }

    fn or_else(
        &mut self,
        operator_span: Span,
        left: &tree::Expr,
        right: &tree::Expr,
        span: Span,
        hint: Option<&Type>,
    ) -> Expr {
        let left_hint = hint.map(|hint| hint.clone().optional());
        let left = self.settled(left, left_hint.as_ref());
        let wanted = left.ty.present().clone();
        let mut right = self.settled(right, Some(&wanted));
        if left.ty.has_unknown() {
            return Expr { ty: right.ty.clone(), ..unknown_expr(span) };
        }
        if !left.ty.is_optional() {
            let finding = Finding::new(
                &catalogue::types::OPERATOR,
                operator_span,
                "`??` has nothing to do: the value before it is always there",
            )
            .label(left.span, format!("is {}, never none", self.show(&left.ty)))
            .help("remove `??` and what follows")
            .fix(left.span.after().to(right.span), "");
            self.report(finding);
            return left;
        }
        if right.ty == Type::Optional(Box::new(Type::Never)) {
            return left;
        }
        let result = match self.join(&wanted, &right.ty) {
            Some(ty) if right.ty.is_optional() => ty.optional(),
            Some(ty) => ty,
            None => {
                self.mismatch(&right, &wanted, Purpose::Part("what stands behind `??`", Some(left.span)));
                return unknown_expr(span);
            }
        };
        // The left side can't be converted while it may be none, so the right one is.
        if wanted == Type::Int && *result.present() == Type::Decimal {
            self.mismatch(&right, &wanted, Purpose::Part("what stands behind `??`", Some(left.span)));
            return unknown_expr(span);
        }
        if *right.ty.present() == Type::Int && *result.present() == Type::Decimal && !right.ty.is_optional() {
            right = to_decimal(right);
        }
        if matches!((&wanted, &right.ty), (Type::Reference(_), Type::Record(_))) {
            right = refer(right);
        }
        binary_of(BinaryOperator::OrElse, left, right, result, span)
    }
}

fn refer(expr: Expr) -> Expr {
    let (span, effect) = (expr.span, expr.effect);
    match expr.ty {
        Type::Record(entity) => {
            Expr { kind: ExprKind::Refer(Box::new(expr)), ty: Type::Reference(entity), effect, span }
        }
        _ => expr,
    }
}

fn binary_of(operator: BinaryOperator, left: Expr, right: Expr, ty: Type, span: Span) -> Expr {
    let effect = left.effect.max(right.effect);
    Expr { kind: ExprKind::Binary(operator, Box::new(left), Box::new(right)), ty, effect, span }
}
