//! Types as they are written.

use super::Checker;
use super::scope::{BUILTIN_TYPES, Global, Near, nearest};
use crate::check::program::Type;
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::{ExprKind, Label, Name, TypeExpr, TypeExprKind};
use crate::text::Span;
use crate::value::Currency;

/// Who may see values of a written type.
pub(crate) fn label_of(kind: &TypeExpr) -> Option<Label> {
    match &kind.kind {
        TypeExprKind::Labelled(label, inner) => Some((*label).max_with(label_of(inner))),
        TypeExprKind::List(inner) | TypeExprKind::Optional(inner) => label_of(inner),
        TypeExprKind::Map(key, value) => label_of(key).or_else(|| label_of(value)),
        _ => None,
    }
}

impl Label {
    fn max_with(self, other: Option<Label>) -> Label {
        if other == Some(Label::Secret) { Label::Secret } else { self }
    }
}

impl Checker<'_> {
    /// The type of a parameter, result or local; the name of an entity means a record of it.
    pub(crate) fn written_type(&mut self, kind: &TypeExpr) -> Type {
        self.written(kind, false)
    }

    /// The type of a field; the name of an entity means a reference to a record of it.
    pub(crate) fn written_field_type(&mut self, kind: &TypeExpr) -> Type {
        self.written(kind, true)
    }

    fn written(&mut self, kind: &TypeExpr, in_field: bool) -> Type {
        match &kind.kind {
            TypeExprKind::Named(name) => self.named_type(&name.text, name.span, in_field),
            TypeExprKind::Money(currency) => match self.currency(currency) {
                Some(currency) => Type::Money(Some(currency)),
                None => Type::Unknown,
            },
            TypeExprKind::List(element) => Type::List(Box::new(self.written(element, in_field))),
            TypeExprKind::Map(key, value) => {
                let key_type = self.written(key, in_field);
                if matches!(key_type, Type::List(_) | Type::Map(..) | Type::Optional(_)) {
                    let message = format!("{} can't be the key of a map", self.show(&key_type));
                    let finding = Finding::new(&catalogue::types::MISMATCH, key.span, message)
                        .at("not a key")
                        .help("keys are single values that are always there, such as text, int, date or an enum");
                    self.report(finding);
                }
                Type::Map(Box::new(key_type), Box::new(self.written(value, in_field)))
            }
            TypeExprKind::Optional(inner) => self.written(inner, in_field).optional(),
            TypeExprKind::Labelled(_, inner) => self.written(inner, in_field),
            TypeExprKind::Broken => Type::Unknown,
        }
    }

    /// The type with this name.
    pub(crate) fn named_type(&mut self, name: &str, span: Span, in_field: bool) -> Type {
        if let Some(builtin) = builtin(name) {
            return builtin;
        }
        match self.global(name) {
            Some(Global::Enum(id)) => Type::Enum(id),
            Some(Global::Record(id)) => {
                let is_entity = self.program.records.get(id.0 as usize).is_some_and(|record| record.is_entity());
                if in_field && is_entity { Type::Reference(id) } else { Type::Record(id) }
            }
            Some(other) => {
                let message = format!("`{name}` is {}, not a type", self.kind_of_global(other));
                let finding = Finding::new(&catalogue::name::MISUSED, span, message).at("a type is wanted here");
                self.report(finding);
                Type::Unknown
            }
            None => {
                let foreign = foreign(name);
                if let Some(ours) = foreign {
                    let finding = Finding::new(&catalogue::name::UNKNOWN, span, format!("there is no type `{name}`"))
                        .at("not known here")
                        .help(format!("it is called `{ours}` here"))
                        .fix(span, ours);
                    self.report(finding);
                    return Type::Unknown;
                }
                let types = self.type_names();
                self.unknown_name(span, "type", name, types);
                Type::Unknown
            }
        }
    }

    /// The names of all types that this script knows.
    pub(crate) fn type_names(&self) -> Vec<String> {
        let mut names: Vec<String> = BUILTIN_TYPES.iter().map(|name| name.to_string()).collect();
        for name in self.global_names() {
            if matches!(self.peek_global(self.module, &name), Some(Global::Enum(_) | Global::Record(_))) {
                names.push(name);
            }
        }
        names
    }

    /// The type that an argument such as `as: OrderRow` or `as: [int]` names.
    pub(crate) fn type_argument(&mut self, written: &crate::syntax::tree::Expr) -> Type {
        match &written.kind {
            ExprKind::Name(name) => self.named_type(name, written.span, false),
            ExprKind::List(elements) => match elements.as_slice() {
                [element] => Type::List(Box::new(self.type_argument(element))),
                _ => self.no_type(written.span),
            },
            ExprKind::Map(entries) => match entries.as_slice() {
                [(key, value)] => Type::Map(Box::new(self.type_argument(key)), Box::new(self.type_argument(value))),
                _ => self.no_type(written.span),
            },
            ExprKind::Broken => Type::Unknown,
            _ => self.no_type(written.span),
        }
    }

    fn no_type(&mut self, span: Span) -> Type {
        let finding = Finding::new(&catalogue::types::MISMATCH, span, "a type is wanted here")
            .at("not a type")
            .help("name a record, such as `as: OrderRow`, or a list of one: `as: [OrderRow]`");
        self.report(finding);
        Type::Unknown
    }

    /// The currency with these letters.
    pub(crate) fn currency(&mut self, code: &Name) -> Option<Currency> {
        let currency = Currency::from_code(&code.text);
        if currency.is_none() && !code.text.is_empty() {
            let message = format!("there is no currency `{}`", code.text);
            let mut finding = Finding::new(&catalogue::name::CURRENCY, code.span, message).at("not a code of ISO 4217");
            // Of several that are equally near, one that many people use is meant more often.
            let near = nearest(&code.text, Currency::all().map(Currency::code))
                .filter(Near::is_clear)
                .or_else(|| nearest(&code.text, ["EUR", "USD", "GBP", "CHF", "JPY", "CNY"]).map(Near::doubtful))
                .or_else(|| nearest(&code.text, Currency::all().map(Currency::code)));
            finding = match near.filter(|_| code.text.len() == 3) {
                Some(near) => near.asked(finding, code.span),
                None => finding.help("write the three capital letters of the currency, such as EUR"),
            };
            self.report(finding);
        }
        currency
    }
}

fn builtin(name: &str) -> Option<Type> {
    Some(match name {
        "text" => Type::Text,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "decimal" => Type::Decimal,
        "percent" => Type::Percent,
        "money" => Type::Money(None),
        "date" => Type::Date,
        "time" => Type::Time,
        "instant" => Type::Instant,
        "duration" => Type::Duration,
        _ => return None,
    })
}

/// What types of other languages are called here.
fn foreign(name: &str) -> Option<&'static str> {
    Some(match name {
        "string" | "String" | "str" | "varchar" => "text",
        "boolean" | "Boolean" | "Bool" => "bool",
        "integer" | "Integer" | "Int" | "long" | "i64" => "int",
        "float" | "double" | "number" | "Decimal" | "numeric" => "decimal",
        "datetime" | "timestamp" | "DateTime" => "instant",
        "Money" | "amount" | "currency" => "money",
        "Date" => "date",
        "percentage" => "percent",
        _ => return None,
    })
}
