//! What the store knows of a program's types: names, shapes of records, kinds of columns.

use crate::check::program::{Default, EnumType, Expr, ExprKind, RecordType, Type};
use crate::syntax::tree::Label;
use crate::text::Span;
use crate::value::{Currency, Decimal, EcoString, EnumId, ErrorId, RecordId, TypeNames, Value};

/// How deep a key may be a reference to an entity whose key is a reference.
const DEEPEST_KEY: usize = 8;

/// The types of a program, as far as records need them.
#[derive(Debug, std::default::Default)]
pub(super) struct Types {
    enums: Vec<(EcoString, Vec<EcoString>)>,
    records: Vec<Shape>,
}

/// A record or entity.
#[derive(Debug)]
pub(super) struct Shape {
    pub name: EcoString,
    pub field_names: Vec<EcoString>,
    pub fields: Vec<ShapeField>,
    /// For entities, the position of the key.
    pub key: Option<usize>,
    pub span: Span,
}

/// A field of a record or entity.
#[derive(Debug)]
pub(super) struct ShapeField {
    pub ty: Type,
    pub label: Option<Label>,
    pub unique: bool,
    pub index: bool,
    /// The store counts up.
    pub auto: bool,
    /// The value when none is given, where it is known before the run.
    pub default: Option<Value>,
    pub span: Span,
}

/// How a field is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Bool,
    Int,
    Decimal,
    Percent,
    /// Two columns: amount and currency.
    Money,
    Date,
    Time,
    Instant,
    Duration,
    Enum(EnumId),
    /// The columns of the key of another entity.
    Reference(RecordId, Box<Kind>),
    /// A list, map or record, as JSON.
    Document(Type),
}

impl Types {
    /// Takes over what the store needs.
    pub fn new(records: &[RecordType], enums: &[EnumType]) -> Types {
        let shape = |record: &RecordType| Shape {
            name: record.name.clone(),
            field_names: record.fields.iter().map(|field| field.name.clone()).collect(),
            fields: record
                .fields
                .iter()
                .map(|field| ShapeField {
                    ty: field.ty.clone(),
                    label: field.label,
                    unique: field.unique,
                    index: field.index,
                    auto: matches!(field.default, Some(Default::Auto)),
                    default: match &field.default {
                        Some(Default::Value(expr)) => constant(expr),
                        _ => None,
                    },
                    span: field.span,
                })
                .collect(),
            key: record.key,
            span: record.span,
        };
        Types {
            enums: enums.iter().map(|ty| (ty.name.clone(), ty.members.clone())).collect(),
            records: records.iter().map(shape).collect(),
        }
    }

    /// A record or entity.
    pub fn shape(&self, id: RecordId) -> Option<&Shape> {
        self.records.get(id.0 as usize)
    }

    /// The entities.
    pub fn entities(&self) -> impl Iterator<Item = (RecordId, &Shape, usize)> {
        let ids = (0..).map(RecordId);
        ids.zip(&self.records).filter_map(|(id, shape)| shape.key.map(|key| (id, shape, key)))
    }

    /// The members of an enum.
    pub fn members(&self, id: EnumId) -> &[EcoString] {
        self.enums.get(id.0 as usize).map_or(&[], |(_, members)| members)
    }

    /// How values of a type are kept, and whether there may be none.
    pub fn kind(&self, ty: &Type) -> (Kind, bool) {
        match ty {
            Type::Optional(inner) => (self.kind(inner).0, true),
            ty => (self.required_kind(ty, 0), false),
        }
    }

    fn required_kind(&self, ty: &Type, depth: usize) -> Kind {
        match ty {
            Type::Text => Kind::Text,
            Type::Bool => Kind::Bool,
            Type::Int => Kind::Int,
            Type::Decimal => Kind::Decimal,
            Type::Percent => Kind::Percent,
            Type::Money(_) => Kind::Money,
            Type::Date => Kind::Date,
            Type::Time => Kind::Time,
            Type::Instant => Kind::Instant,
            Type::Duration => Kind::Duration,
            Type::Enum(id) => Kind::Enum(*id),
            Type::Reference(id) | Type::Record(id) => match self.key_type(*id) {
                Some(key) if depth < DEEPEST_KEY => Kind::Reference(*id, Box::new(self.required_kind(key, depth + 1))),
                _ => Kind::Document(ty.clone()),
            },
            _ => Kind::Document(ty.clone()),
        }
    }

    /// The type of an entity's key.
    pub fn key_type(&self, id: RecordId) -> Option<&Type> {
        let shape = self.shape(id)?;
        shape.fields.get(shape.key?).map(|field| &field.ty)
    }

    /// A type as the language writes it.
    pub fn written(&self, ty: &Type) -> String {
        match ty {
            Type::Text => "text".to_string(),
            Type::Bool => "bool".to_string(),
            Type::Int => "int".to_string(),
            Type::Decimal => "decimal".to_string(),
            Type::Percent => "percent".to_string(),
            Type::Money(None) => "money".to_string(),
            Type::Money(Some(currency)) => format!("money {}", currency.code()),
            Type::Date => "date".to_string(),
            Type::Time => "time".to_string(),
            Type::Instant => "instant".to_string(),
            Type::Duration => "duration".to_string(),
            Type::List(item) => format!("[{}]", self.written(item)),
            Type::Map(key, value) => format!("{{{}: {}}}", self.written(key), self.written(value)),
            Type::Optional(inner) => format!("{}?", self.written(inner)),
            Type::Record(id) | Type::Reference(id) | Type::Query(id) => {
                self.shape(*id).map_or_else(|| "?".to_string(), |shape| shape.name.to_string())
            }
            Type::Enum(id) => {
                self.enums.get(id.0 as usize).map_or_else(|| "?".to_string(), |(name, _)| name.to_string())
            }
            Type::Failure(_) | Type::Outcome(_) | Type::Nothing | Type::Never | Type::Unknown => "?".to_string(),
        }
    }

    /// Everything that decides how a type is written as JSON: two types with the same text read each other's.
    pub fn expanded(&self, ty: &Type) -> String {
        let mut out = String::new();
        self.expand(ty, &mut Vec::new(), &mut out);
        out
    }

    fn expand(&self, ty: &Type, open: &mut Vec<RecordId>, out: &mut String) {
        match ty {
            Type::List(item) => {
                out.push('[');
                self.expand(item, open, out);
                out.push(']');
            }
            Type::Map(key, value) => {
                out.push('{');
                self.expand(key, open, out);
                out.push_str(": ");
                self.expand(value, open, out);
                out.push('}');
            }
            Type::Optional(inner) => {
                self.expand(inner, open, out);
                out.push('?');
            }
            Type::Enum(id) => {
                out.push_str(&self.written(ty));
                out.push('(');
                out.push_str(&self.members(*id).join(", "));
                out.push(')');
            }
            Type::Record(id) if self.key_type(*id).is_none() && !open.contains(id) => {
                open.push(*id);
                out.push_str(&self.written(ty));
                out.push('(');
                if let Some(shape) = self.shape(*id) {
                    for (name, field) in shape.field_names.iter().zip(&shape.fields) {
                        out.push_str(name);
                        out.push_str(": ");
                        self.expand(&field.ty, open, out);
                        out.push_str(", ");
                    }
                }
                out.push(')');
                open.pop();
            }
            ty => out.push_str(&self.written(ty)),
        }
    }
}

impl TypeNames for Types {
    fn enum_member(&self, id: EnumId, member: u16) -> &str {
        self.members(id).get(usize::from(member)).map_or("?", |name| name)
    }

    fn record(&self, id: RecordId) -> (&str, &[EcoString]) {
        self.shape(id).map_or(("?", &[]), |shape| (&shape.name, &shape.field_names))
    }

    fn error(&self, _: ErrorId) -> (&str, &[EcoString]) {
        ("?", &[])
    }
}

/// The value of an expression that needs no run: literals, and lists, maps and records of them.
fn constant(expr: &Expr) -> Option<Value> {
    match &expr.kind {
        ExprKind::Value(value) => Some(value.clone()),
        ExprKind::ToDecimal(inner) => match constant(inner)? {
            Value::Int(value) => Some(Value::Decimal(Decimal::from(value))),
            other => Some(other),
        },
        ExprKind::List(items) => items.iter().map(constant).collect::<Option<Vec<_>>>().map(Value::list),
        ExprKind::Map(entries) => {
            let pair = |(key, value): &(Expr, Expr)| Some((constant(key)?, constant(value)?));
            entries.iter().map(pair).collect::<Option<Vec<_>>>().map(Value::map)
        }
        ExprKind::Record(id, fields) => {
            let fields = fields.iter().map(constant).collect::<Option<Vec<_>>>()?;
            Some(Value::record(*id, fields))
        }
        _ => None,
    }
}

impl Kind {
    /// What is put behind the name of the field for each of its columns.
    pub fn suffixes(&self) -> &'static [&'static str] {
        match self {
            Kind::Money => &["", "_currency"],
            Kind::Reference(_, key) => key.suffixes(),
            _ => &[""],
        }
    }

    /// The type of one of its columns, in SQL.
    pub fn sql_type(&self, column: usize) -> &'static str {
        match self {
            Kind::Bool | Kind::Int | Kind::Duration => "INTEGER",
            Kind::Decimal | Kind::Percent => "TEXT COLLATE decimal",
            Kind::Money if column == 0 => "TEXT COLLATE decimal",
            Kind::Reference(_, key) => key.sql_type(column),
            _ => "TEXT",
        }
    }

    /// The word that the stored description of the schema uses: the same word, the same columns.
    pub fn word(&self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Bool => "bool",
            Kind::Int => "int",
            Kind::Decimal => "decimal",
            Kind::Percent => "percent",
            Kind::Money => "money",
            Kind::Date => "date",
            Kind::Time => "time",
            Kind::Instant => "instant",
            Kind::Duration => "duration",
            Kind::Enum(_) => "enum",
            Kind::Reference(..) => "reference",
            Kind::Document(_) => "document",
        }
    }
}

/// The currency that a type is bound to.
pub(super) fn currency_of(ty: &Type) -> Option<Currency> {
    match ty {
        Type::Money(currency) => *currency,
        Type::Optional(inner) => currency_of(inner),
        _ => None,
    }
}
