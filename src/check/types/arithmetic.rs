//! What `+ - * /` mean for which types.
//!
//! Mixed forms are written out here, so that few are left for the machine: whole numbers become
//! decimals beside decimals, in divisions and beside amounts; percents beside numbers become numbers;
//! an amount or duration stands on the left of `*`.

use crate::check::Checker;
use crate::check::declare::unknown_expr;
use crate::check::program::{Effect, Expr, ExprKind, Type};
use crate::finding::{Finding, catalogue};
use crate::library::Operation;
use crate::syntax::tree::{self, BinaryOperator};
use crate::text::Span;

impl Checker<'_> {
    /// `left + right` and its like.
    pub(crate) fn arithmetic(
        &mut self,
        operator: BinaryOperator,
        operator_span: Span,
        left: &tree::Expr,
        right: &tree::Expr,
        span: Span,
    ) -> Expr {
        let left = self.settled(left, None);
        let right = self.settled(right, None);
        if left.ty.has_unknown() || right.ty.has_unknown() {
            return unknown_expr(span);
        }
        for side in [&left, &right] {
            if side.ty.is_optional() {
                let message = format!("`{}` needs a value, and this one may be none", operator.symbol());
                self.optional_used(side, &message, None);
                return unknown_expr(span);
            }
        }
        if let Some(currencies) = different_currencies(&left.ty, &right.ty)
            && operator != BinaryOperator::Multiply
        {
            self.currencies(operator, operator_span, &left, &right, currencies);
            return unknown_expr(span);
        }
        match combine(operator, left, right, span) {
            Ok(value) => value,
            Err(sides) => {
                self.no_such_operator(operator, operator_span, &sides.0, &sides.1);
                unknown_expr(span)
            }
        }
    }

    /// Amounts of two currencies meet.
    pub(crate) fn currencies(
        &mut self,
        operator: BinaryOperator,
        operator_span: Span,
        left: &Expr,
        right: &Expr,
        (of_left, of_right): (crate::value::Currency, crate::value::Currency),
    ) {
        let verb = match operator {
            BinaryOperator::Add => "added",
            BinaryOperator::Subtract => "subtracted from each other",
            BinaryOperator::Divide => "divided",
            _ => "compared",
        };
        let finding = Finding::new(
            &catalogue::types::CURRENCIES,
            operator_span,
            format!("{of_left} and {of_right} can't be {verb}"),
        )
        .label(left.span, format!("is {of_left}"))
        .label(right.span, format!("is {of_right}"))
        .help("convert one of them at a rate that the script names; nothing converts by itself");
        self.report(finding);
    }

    /// An operator that means nothing between these types.
    pub(crate) fn no_such_operator(
        &mut self,
        operator: BinaryOperator,
        operator_span: Span,
        left: &Expr,
        right: &Expr,
    ) {
        let (l, r) = (self.show(&left.ty), self.show(&right.ty));
        let symbol = operator.symbol();
        let mut finding = Finding::new(
            &catalogue::types::OPERATOR,
            operator_span,
            format!("`{symbol}` means nothing between {l} and {r}"),
        )
        .label(left.span, format!("is {l}"))
        .label(right.span, format!("is {r}"));
        let written = |expr: &Expr| self.program.sources.slice(expr.span).to_string();
        let hole = |expr: &Expr| match expr.kind {
            ExprKind::Value(crate::value::Value::Text(ref text)) => text.to_string(),
            _ => format!("{{{}}}", written(expr)),
        };
        match (operator, &left.ty, &right.ty) {
            (BinaryOperator::Add, Type::Text, _) | (BinaryOperator::Add, _, Type::Text) => {
                let text = format!("\"{}{}\"", hole(left), hole(right));
                finding = finding.help(format!("put the value into the text: `{text}`"));
                if !text.contains('\n') && simple(left) && simple(right) {
                    finding = finding.fix(left.span.to(right.span), text);
                }
            }
            (BinaryOperator::Add, Type::List(_), Type::List(_)) => {
                finding = finding.help(format!("lists are joined with `{}.concat({})`", written(left), written(right)));
            }
            (BinaryOperator::Add, Type::List(_), _) => {
                finding =
                    finding.help(format!("an element is added with `{}.append({})`", written(left), written(right)));
            }
            (_, Type::Money(_), Type::Int | Type::Decimal) | (_, Type::Int | Type::Decimal, Type::Money(_)) => {
                finding = finding.help("an amount has a currency: write the number as `10 EUR`");
            }
            (_, Type::Money(_), Type::Percent) => {
                finding = finding.help(format!("say of what: `{0} {symbol} {0} * {1}`", written(left), written(right)));
            }
            (_, Type::Date | Type::Instant | Type::Duration, Type::Int) => {
                finding = finding.help(format!("write the unit: `{} days`, or `days(count)`", written(right)));
            }
            (BinaryOperator::Multiply, Type::Money(_), Type::Money(_)) => {
                finding = finding.help("multiply an amount by a number or a percent");
            }
            _ => {}
        }
        self.report(finding);
    }
}

fn simple(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Value(crate::value::Value::Text(_) | crate::value::Value::Int(_))
            | ExprKind::Local(_)
            | ExprKind::Field(..)
    )
}

/// The currencies of two sides, when both are known and differ.
pub(crate) fn different_currencies(
    left: &Type,
    right: &Type,
) -> Option<(crate::value::Currency, crate::value::Currency)> {
    match (left.present(), right.present()) {
        (Type::Money(Some(left)), Type::Money(Some(right))) if left != right => Some((*left, *right)),
        _ => None,
    }
}

pub(crate) fn to_decimal(expr: Expr) -> Expr {
    let (span, effect) = (expr.span, expr.effect);
    match expr.ty {
        Type::Int => Expr { kind: ExprKind::ToDecimal(Box::new(expr)), ty: Type::Decimal, effect, span },
        Type::Percent => {
            Expr { kind: ExprKind::Perform(Operation::PercentToDecimal, vec![expr]), ty: Type::Decimal, effect, span }
        }
        _ => expr,
    }
}

fn to_percent(expr: Expr) -> Expr {
    let (span, effect) = (expr.span, expr.effect);
    Expr { kind: ExprKind::Perform(Operation::Percent, vec![expr]), ty: Type::Percent, effect, span }
}

/// The typed operation, or the sides again when there is none.
fn combine(operator: BinaryOperator, left: Expr, right: Expr, span: Span) -> Result<Expr, Box<(Expr, Expr)>> {
    use BinaryOperator::{Add, Divide, Multiply, Subtract};
    use Type::{Date, Decimal, Duration, Instant, Int, Money, Percent, Text};
    let make = |left: Expr, right: Expr, ty: Type| {
        let effect: Effect = left.effect.max(right.effect);
        Expr { kind: ExprKind::Binary(operator, Box::new(left), Box::new(right)), ty, effect, span }
    };
    let same = |a: &Type, b: &Type| match (a, b) {
        (Money(a), Money(b)) => Money(a.or(*b).filter(|_| a.is_some() && b.is_some())),
        (a, _) => a.clone(),
    };
    Ok(match (operator, &left.ty, &right.ty) {
        (Add | Subtract | Multiply, Int, Int) => make(left, right, Int),
        (Add | Subtract | Multiply | Divide, Int | Decimal, Int | Decimal) => {
            make(to_decimal(left), to_decimal(right), Decimal)
        }
        (Add | Subtract, Percent, Percent) => make(left, right, Percent),
        (Add | Subtract, Money(_), Money(_)) => {
            let ty = same(&left.ty, &right.ty);
            make(left, right, ty)
        }
        (Add | Subtract, Duration, Duration) => make(left, right, Duration),
        (Add | Subtract, Date, Duration) => make(left, right, Date),
        (Add | Subtract, Instant, Duration) => make(left, right, Instant),
        (Add, Duration, Date | Instant) => {
            let ty = right.ty.clone();
            make(right, left, ty)
        }
        (Subtract, Date, Date) | (Subtract, Instant, Instant) => make(left, right, Duration),
        (Add, Text, Text) => make(left, right, Text),
        // Amounts.
        (Multiply, Money(_), Int | Decimal) | (Divide, Money(_), Int | Decimal | Percent) => {
            let ty = left.ty.clone();
            make(left, to_decimal(right), ty)
        }
        (Multiply, Money(_), Percent) => {
            let ty = left.ty.clone();
            make(left, right, ty)
        }
        (Multiply, Int | Decimal, Money(_)) => {
            let ty = right.ty.clone();
            make(right, to_decimal(left), ty)
        }
        (Multiply, Percent, Money(_)) => {
            let ty = right.ty.clone();
            make(right, left, ty)
        }
        (Divide, Money(_), Money(_)) => make(left, right, Decimal),
        // Shares.
        (Multiply, Percent, Percent) | (Multiply | Divide, Percent, Int | Decimal) => {
            if matches!((operator, &right.ty), (Multiply, Int | Decimal)) {
                make(to_decimal(left), to_decimal(right), Decimal)
            } else {
                to_percent(make(to_decimal(left), to_decimal(right), Decimal))
            }
        }
        (Multiply | Divide, Int | Decimal, Percent) | (Divide, Percent, Percent) => {
            make(to_decimal(left), to_decimal(right), Decimal)
        }
        // Spans of time.
        (Multiply | Divide, Duration, Int) => make(left, right, Duration),
        (Multiply, Int, Duration) => make(right, left, Duration),
        (Divide, Duration, Duration) => make(left, right, Decimal),
        _ => return Err(Box::new((left, right))),
    })
}
