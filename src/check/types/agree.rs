//! Which types agree, and what is done so that they do.

use super::Purpose;
use crate::check::Checker;
use crate::check::body::LocalKind;
use crate::check::declare::unknown_expr;
use crate::check::program::{Effect, Expr, ExprKind, Type};
use crate::finding::{Finding, catalogue};
use crate::library::Operation;
use crate::syntax::tree;
use crate::value::Value;

/// What a value needs to become another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Conversion {
    /// Nothing.
    Same,
    /// A whole number becomes a decimal.
    ToDecimal,
    /// A query becomes a list.
    Load,
    /// A record becomes a reference.
    Refer,
    /// A reference becomes its record.
    Follow,
    /// Every element of a list is converted.
    Elements,
    /// What is there of an optional is converted.
    Inside,
    /// It can't.
    Impossible,
}

fn conversion(from: &Type, to: &Type) -> Conversion {
    use Conversion::*;
    match (from, to) {
        (Type::Unknown | Type::Never, _) | (_, Type::Unknown) => Same,
        (from, to) if from == to => Same,
        (Type::Int, Type::Decimal) => ToDecimal,
        (Type::Money(Some(_)), Type::Money(None)) => Same,
        (Type::Optional(from), Type::Optional(to)) => match conversion(from, to) {
            Same => Same,
            Impossible => Impossible,
            _ => Inside,
        },
        (from, Type::Optional(to)) => conversion(from, to),
        (Type::Query(entity), Type::List(element)) => match conversion(&Type::Record(*entity), element) {
            Same => Load,
            _ => Impossible,
        },
        (Type::Record(from), Type::Reference(to)) if from == to => Refer,
        (Type::Reference(from), Type::Record(to)) if from == to => Follow,
        (Type::List(from), Type::List(to)) => match conversion(from, to) {
            Same => Same,
            ToDecimal | Refer | Follow => Elements,
            _ => Impossible,
        },
        (Type::Map(k, v), Type::Map(to_k, to_v)) => match (conversion(k, to_k), conversion(v, to_v)) {
            (Same, Same) => Same,
            _ => Impossible,
        },
        (Type::Outcome(from), Type::Outcome(to)) => conversion(from, to),
        _ => Impossible,
    }
}

/// Whether values of a type can stand where another is wanted.
pub(crate) fn fits(from: &Type, to: &Type) -> bool {
    conversion(from, to) != Conversion::Impossible
}

impl Checker<'_> {
    /// An expression whose value must be of a type.
    pub(crate) fn expected(&mut self, written: &tree::Expr, ty: &Type, purpose: Purpose<'_>) -> Expr {
        let value = self.expression(written, Some(ty));
        self.coerce(value, ty, purpose)
    }

    /// A condition.
    pub(crate) fn condition(&mut self, written: &tree::Expr, what: &str) -> Expr {
        self.expected(written, &Type::Bool, Purpose::Condition(what))
    }

    /// An expression with a value of its own: queries are loaded, and there must be a value.
    pub(crate) fn settled(&mut self, written: &tree::Expr, hint: Option<&Type>) -> Expr {
        let value = self.expression(written, hint);
        self.settle(value)
    }

    /// Loads a query; reports what has no value.
    pub(crate) fn settle(&mut self, value: Expr) -> Expr {
        match value.ty {
            Type::Query(entity) => {
                let (span, effect) = (value.span, Effect::Reads.max(value.effect));
                let ty = Type::List(Box::new(Type::Record(entity)));
                Expr { kind: ExprKind::Load(Box::new(value)), ty, effect, span }
            }
            Type::Nothing => {
                self.no_value(&value);
                unknown_expr(value.span)
            }
            _ => value,
        }
    }

    fn no_value(&mut self, value: &Expr) {
        let finding =
            Finding::new(&catalogue::types::NOTHING, value.span, "a value is wanted here, and this gives none")
                .at("has no value")
                .help("let it stand on a line of its own, and use a value that is there");
        self.report(finding);
    }

    /// Makes a value the wanted type, or reports that it is another.
    pub(crate) fn coerce(&mut self, value: Expr, to: &Type, purpose: Purpose<'_>) -> Expr {
        let (span, effect) = (value.span, value.effect);
        let wrap = |kind: fn(Box<Expr>) -> ExprKind, value: Expr, ty: Type, effect: Effect| Expr {
            kind: kind(Box::new(value)),
            ty,
            effect,
            span,
        };
        match conversion(&value.ty, to) {
            Conversion::Same => {
                let mut value = value;
                if !to.is_unknown() {
                    match &value.kind {
                        ExprKind::List(_) | ExprKind::Map(_) => value.ty = to.present().clone(),
                        ExprKind::Value(Value::None) if !value.ty.is_unknown() => value.ty = to.clone(),
                        _ => {}
                    }
                }
                value
            }
            Conversion::ToDecimal if matches!(value.kind, ExprKind::Value(Value::Int(_))) => {
                let ExprKind::Value(Value::Int(number)) = value.kind else { return value };
                Expr { kind: ExprKind::Value(Value::Decimal(number.into())), ty: Type::Decimal, effect, span }
            }
            Conversion::ToDecimal => wrap(ExprKind::ToDecimal, value, Type::Decimal, effect),
            Conversion::Load => {
                let Type::Query(entity) = value.ty else { return value };
                let ty = Type::List(Box::new(Type::Record(entity)));
                wrap(ExprKind::Load, value, ty, effect.max(Effect::Reads))
            }
            Conversion::Refer => wrap(ExprKind::Refer, value, to.present().clone(), effect),
            Conversion::Follow => wrap(ExprKind::Follow, value, to.present().clone(), effect.max(Effect::Reads)),
            Conversion::Elements => self.convert_elements(value, to.present(), purpose),
            Conversion::Inside => self.convert_inside(value, to.present(), purpose),
            Conversion::Impossible => {
                self.mismatch(&value, to, purpose);
                unknown_expr(span)
            }
        }
    }

    /// An optional whose value, when there is one, is converted.
    fn convert_inside(&mut self, value: Expr, to: &Type, purpose: Purpose<'_>) -> Expr {
        let (span, inner) = (value.span, value.ty.present().clone());
        let local = self.body.add("", inner.clone(), span, LocalKind::Hidden);
        let there = Expr { kind: ExprKind::Local(local), ty: inner, effect: Effect::Pure, span };
        let then = self.coerce(there, to, purpose);
        let effect = value.effect.max(then.effect);
        Expr {
            kind: ExprKind::Guarded { target: Box::new(value), local, then: Box::new(then) },
            ty: to.clone().optional(),
            effect,
            span,
        }
    }

    /// A list whose elements are converted one by one.
    fn convert_elements(&mut self, value: Expr, to: &Type, purpose: Purpose<'_>) -> Expr {
        let (Type::List(from), Type::List(element)) = (&value.ty, to) else { return value };
        let (span, effect) = (value.span, value.effect);
        let local = self.body.add("it", (**from).clone(), span, LocalKind::Hidden);
        let it = Expr { kind: ExprKind::Local(local), ty: (**from).clone(), effect: Effect::Pure, span };
        let body = self.coerce(it, element, purpose);
        let inner = body.effect;
        let lambda =
            Expr { kind: ExprKind::Lambda(vec![local], Box::new(body)), ty: (**element).clone(), effect: inner, span };
        Expr {
            kind: ExprKind::Perform(Operation::ListMap, vec![value, lambda]),
            ty: to.clone(),
            effect: effect.max(inner),
            span,
        }
    }

    /// The type that both agree with, if there is one.
    pub(crate) fn join(&self, left: &Type, right: &Type) -> Option<Type> {
        Some(match (left, right) {
            (Type::Unknown, _) | (_, Type::Unknown) => Type::Unknown,
            (a, b) if a == b => a.clone(),
            (Type::Never, other) | (other, Type::Never) => other.clone(),
            (Type::Int, Type::Decimal) | (Type::Decimal, Type::Int) => Type::Decimal,
            (Type::Money(_), Type::Money(_)) => Type::Money(None),
            (Type::Optional(a), Type::Optional(b)) => self.join(a, b)?.optional(),
            (Type::Optional(a), b) | (b, Type::Optional(a)) => self.join(a, b)?.optional(),
            (Type::List(a), Type::List(b)) => Type::List(Box::new(self.join(a, b)?)),
            (Type::Map(k, v), Type::Map(k2, v2)) => Type::Map(Box::new(self.join(k, k2)?), Box::new(self.join(v, v2)?)),
            (Type::Record(a), Type::Reference(b)) | (Type::Reference(a), Type::Record(b)) if a == b => {
                Type::Reference(*a)
            }
            _ => return None,
        })
    }

    /// Says that a value has another type than the wanted one.
    pub(crate) fn mismatch(&mut self, value: &Expr, to: &Type, purpose: Purpose<'_>) {
        if value.ty.has_unknown() || to.has_unknown() {
            return;
        }
        if value.ty == Type::Nothing {
            self.no_value(value);
            return;
        }
        let (found, wanted) = (self.show(&value.ty), self.show(to));
        if let Type::Optional(inner) = &value.ty
            && **inner != Type::Never
            && fits(inner, to)
        {
            let what = self.purpose_words(purpose);
            self.optional_used(value, &format!("{what} must be there, and this value may be none"), Some(purpose));
            return;
        }
        if let (Type::Money(Some(left)), Type::Money(Some(right))) = (value.ty.present(), to.present()) {
            let message = format!("{} is {right}, and this is {left}", self.purpose_words(purpose));
            let finding = Finding::new(&catalogue::types::CURRENCIES, value.span, message)
                .at(format!("is {found}"))
                .help("convert the amount at a rate that the script names; nothing converts by itself");
            self.report_with_purpose(finding, purpose, &wanted);
            return;
        }
        let message = match purpose {
            Purpose::Condition(what) => format!("{what} must be true or false, and this is {found}"),
            _ => format!("{} is {wanted}, and this is {found}", self.purpose_words(purpose)),
        };
        let mut finding = Finding::new(&catalogue::types::MISMATCH, value.span, message).at(format!("is {found}"));
        if let Some(help) = self.conversion_help(&value.ty, to, value) {
            finding = finding.help(help);
        }
        self.report_with_purpose(finding, purpose, &wanted);
    }

    fn report_with_purpose(&mut self, finding: Finding, purpose: Purpose<'_>, wanted: &str) {
        let finding = match purpose {
            Purpose::Argument { span: Some(span), .. }
            | Purpose::Declared { span, .. }
            | Purpose::Assigned { span, .. }
            | Purpose::Result { span }
            | Purpose::Given { span }
            | Purpose::Part(_, Some(span)) => finding.label(span, format!("{wanted} is wanted because of this")),
            _ => finding,
        };
        self.report(finding);
    }

    /// Whatever a value is wanted for, as the subject of a sentence.
    fn purpose_words(&self, purpose: Purpose<'_>) -> String {
        match purpose {
            Purpose::Argument { callee, name, .. } => format!("`{name}` of `{callee}`"),
            Purpose::Declared { name, .. } | Purpose::Assigned { name, .. } => format!("`{name}`"),
            Purpose::Result { .. } => "the result".to_string(),
            Purpose::Given { .. } => "the value of the step".to_string(),
            Purpose::Condition(what) | Purpose::Part(what, _) => what.to_string(),
        }
    }

    /// Says that a value may be none where one is needed.
    pub(crate) fn optional_used(&mut self, value: &Expr, message: &str, purpose: Option<Purpose<'_>>) {
        let name = self.program.sources.slice(value.span).to_string();
        let is_short = !name.contains(['\n', ' ', '(']) && !name.is_empty();
        // Only names and their fields are known to be there behind a test; what is computed is computed again.
        let help = match (is_short, self.path(value)) {
            (true, Some(_)) => {
                format!("test it first (`if {name} is some {{ … }}`), or say what to use instead: `{name} ?? …`")
            }
            (true, None) => format!(
                "say what to use instead: `{name} ?? …`; or name it (`let found = {name}`) and test the name (`if found is some {{ … }}`)"
            ),
            _ => "put it into a `let` and test that with `is some`, or say what to use instead with `??`".to_string(),
        };
        let finding = Finding::new(&catalogue::types::OPTIONAL, value.span, message)
            .at(format!("is {}", self.show(&value.ty)))
            .help(help);
        match purpose {
            Some(purpose) => {
                let wanted = self.show(&value.ty.present().clone());
                self.report_with_purpose(finding, purpose, &wanted);
            }
            None => self.report(finding),
        }
    }

    /// How to get from one type to another, when there is a way.
    fn conversion_help(&self, from: &Type, to: &Type, value: &Expr) -> Option<String> {
        let name = self.program.sources.slice(value.span);
        let name = if name.len() > 30 || name.contains('\n') { "…" } else { name };
        if let ExprKind::Value(Value::Text(text)) = &value.kind {
            let bare = text.trim();
            let fits = match to.present() {
                Type::Int => bare.parse::<i64>().is_ok(),
                Type::Decimal => bare.parse::<rust_decimal::Decimal>().is_ok(),
                Type::Date => crate::value::literal::date(bare).is_ok(),
                Type::Money(_) => crate::value::literal::money(bare).is_ok(),
                Type::Enum(id) => self.program.enums.get(id.0 as usize)?.members.iter().any(|member| member == bare),
                _ => false,
            };
            return fits.then(|| format!("write it without quotes: `{bare}`"));
        }
        if matches!(value.kind, ExprKind::Value(Value::Int(_) | Value::Decimal(_))) && *to.present() == Type::Text {
            return Some(format!("write it in quotes: `\"{name}\"`"));
        }
        Some(match (from.present(), to.present()) {
            (Type::Text, Type::Int) => {
                format!("`{name}.to_int` reads a number from text; it is none when there is no number")
            }
            (Type::Text, Type::Decimal) => {
                format!("`{name}.to_decimal` reads a number from text; it is none when there is no number")
            }
            (Type::Text, Type::Money(_)) => {
                format!("`{name}.to_money(\"EUR\")` reads an amount from text; it is none when there is none")
            }
            (Type::Text, Type::Date) => {
                format!("`{name}.to_date(\"%Y-%m-%d\")` reads a day from text; it is none when there is none")
            }
            (
                Type::Int
                | Type::Decimal
                | Type::Percent
                | Type::Money(_)
                | Type::Date
                | Type::Time
                | Type::Instant
                | Type::Duration
                | Type::Enum(_),
                Type::Text,
            ) => {
                format!("put it into a text: `\"{{{name}}}\"`")
            }
            (Type::Decimal, Type::Int) => {
                let whole =
                    if matches!(value.kind, ExprKind::Binary(..)) { format!("({name})") } else { name.to_string() };
                format!("say how to round: `{whole}.floor` or `{whole}.ceiling`")
            }
            (Type::Int | Type::Decimal, Type::Money(_)) => {
                "an amount has a currency: write `10 EUR`, or `money(amount, \"EUR\")`".to_string()
            }
            (Type::Money(None), Type::Money(Some(currency))) => {
                format!("write `money {currency}` as the type where the amount comes from, or take `money` here")
            }
            (Type::Money(_), Type::Decimal | Type::Int) => {
                format!("`{name}.amount` is the number without its currency")
            }
            (Type::Int | Type::Decimal, Type::Percent) => "write the share with `%`, or as `percent(0.15)`".to_string(),
            (Type::Percent, Type::Decimal) => format!("`{name}.to_decimal` is the share as a number"),
            (Type::Int, Type::Duration) => "write the unit: `3 days`, or `days(count)`".to_string(),
            (Type::Instant, Type::Date) => {
                format!("`{name}.date(\"Europe/Berlin\")` is the day it is there at that moment")
            }
            (Type::Date, Type::Instant) => format!("`{name}.at(06:00, \"Europe/Berlin\")` is a moment of that day"),
            (element, Type::List(wanted)) if fits(element, wanted) => format!("a list of one: `[{name}]`"),
            (Type::List(element), wanted) if fits(element, wanted) => {
                "take one element of the list, for example with `.first`".to_string()
            }
            (Type::Record(entity) | Type::Reference(entity), wanted) => {
                let record = self.program.records.get(entity.0 as usize)?;
                let field = record.fields.iter().find(|field| field.ty == *wanted)?;
                format!("did you mean its field: `{name}.{}`?", field.name)
            }
            (key, Type::Record(entity) | Type::Reference(entity)) => {
                let record = self.program.records.get(entity.0 as usize)?;
                let field = record.fields.get(record.key?)?;
                if field.ty != *key {
                    return None;
                }
                format!("`{}.get({name})` is the record with this key", record.name)
            }
            _ => return None,
        })
    }
}
