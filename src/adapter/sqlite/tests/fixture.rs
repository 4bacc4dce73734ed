//! Entities and values for the tests.

use crate::adapter::sqlite::{Options, SqliteStore};
use crate::check::program::{Default, EnumType, Expr, ExprKind, Field, RecordType, Type};
use crate::finding::Finding;
use crate::text::Span;
use crate::value::{Currency, Decimal, EnumId, Money, RecordId, Value, literal};
use std::path::Path;

pub fn field(name: &str, ty: Type) -> Field {
    Field {
        name: name.into(),
        ty,
        label: None,
        unique: false,
        index: false,
        default: None,
        documentation: "".into(),
        span: Span::default(),
    }
}

pub trait With {
    fn unique(self) -> Self;
    fn index(self) -> Self;
    fn auto(self) -> Self;
    fn default(self, value: Value) -> Self;
}

impl With for Field {
    fn unique(self) -> Self {
        Field { unique: true, ..self }
    }

    fn index(self) -> Self {
        Field { index: true, ..self }
    }

    fn auto(self) -> Self {
        Field { default: Some(Default::Auto), ..self }
    }

    fn default(self, value: Value) -> Self {
        let expr = Expr {
            kind: ExprKind::Value(value),
            ty: self.ty.clone(),
            effect: crate::check::program::Effect::Pure,
            span: Span::default(),
        };
        Field { default: Some(Default::Value(Box::new(expr))), ..self }
    }
}

/// An entity whose key is the first field.
pub fn entity(name: &str, fields: Vec<Field>) -> RecordType {
    RecordType { name: name.into(), fields, key: Some(0), documentation: "".into(), span: Span::default() }
}

pub fn record(name: &str, fields: Vec<Field>) -> RecordType {
    RecordType { key: None, ..entity(name, fields) }
}

pub fn tier(members: &[&str]) -> EnumType {
    EnumType {
        name: "Tier".into(),
        members: members.iter().map(|member| (*member).into()).collect(),
        documentation: "".into(),
        span: Span::default(),
    }
}

pub fn optional(ty: Type) -> Type {
    Type::Optional(Box::new(ty))
}

pub fn list(ty: Type) -> Type {
    Type::List(Box::new(ty))
}

pub const CUSTOMER: RecordId = RecordId(0);
pub const PRODUCT: RecordId = RecordId(1);
pub const LINE: RecordId = RecordId(2);
pub const EVERYTHING: RecordId = RecordId(3);
pub const POINT: RecordId = RecordId(4);
pub const TIER: EnumId = EnumId(0);

/// Customers, products, lines that refer to both, and an entity with every type under names that are hard.
pub fn shop() -> Vec<RecordType> {
    vec![
        entity(
            "Customer",
            vec![
                field("id", Type::Text),
                field("name", Type::Text),
                field("email", Type::Text).unique(),
                field("tier", Type::Enum(TIER)).default(Value::member(TIER, 0)),
            ],
        ),
        entity(
            "Product",
            vec![field("sku", Type::Text), field("price", Type::Money(None)).index(), field("stock", Type::Int)],
        ),
        entity(
            "Line",
            vec![
                field("id", Type::Int).auto(),
                field("customer", Type::Reference(CUSTOMER)).index(),
                field("product", optional(Type::Reference(PRODUCT))),
                field("quantity", Type::Int),
            ],
        ),
        entity(
            "选择",
            vec![
                field("编号", Type::Int),
                field("select", Type::Text),
                field("Select", Type::Bool),
                field("a\"b", Type::Decimal),
                field("percent", Type::Percent),
                field("total", Type::Money(None)),
                field("total_currency", Type::Text),
                field("date", Type::Date),
                field("time", Type::Time),
                field("instant", Type::Instant),
                field("duration", Type::Duration),
                field("tier", optional(Type::Enum(TIER))),
                field("points", list(Type::Record(POINT))),
                field("map", Type::Map(Box::new(Type::Int), Box::new(optional(Type::Text)))),
                field("names", Type::Map(Box::new(Type::Text), Box::new(Type::Money(None)))),
                field("point", optional(Type::Record(POINT))),
                field("customers", list(Type::Reference(CUSTOMER))),
            ],
        ),
        record(
            "Point",
            vec![field("x", Type::Decimal), field("at", Type::Instant), field("next", list(Type::Record(POINT)))],
        ),
    ]
}

pub fn tiers() -> Vec<EnumType> {
    vec![tier(&["bronze", "silver", "gold"])]
}

/// Not durable: tests don't wait for the disk.
pub fn options() -> Options {
    Options { durable: false, ..Options::default() }
}

pub fn try_open(path: &Path, records: &[RecordType]) -> Result<SqliteStore, Finding> {
    SqliteStore::open(path, records, &tiers(), &options())
}

pub fn open(path: &Path, records: &[RecordType]) -> SqliteStore {
    try_open(path, records).unwrap()
}

pub fn money(amount: &str, currency: &str) -> Value {
    Value::Money(Money::new(amount.parse().unwrap(), Currency::from_code(currency).unwrap()))
}

pub fn decimal(text: &str) -> Value {
    Value::Decimal(text.parse::<Decimal>().unwrap())
}

pub fn date(text: &str) -> Value {
    Value::Date(literal::date(text).unwrap())
}

pub fn instant(text: &str) -> Value {
    Value::Instant(literal::instant(text).unwrap())
}

pub fn customer(id: &str) -> Vec<Option<Value>> {
    some([id.into(), format!("{id} name").into(), format!("{id}@example.com").into(), Value::member(TIER, 1)])
}

pub fn product(sku: &str, price: &str, stock: i64) -> Vec<Option<Value>> {
    some([sku.into(), money(price, "EUR"), stock.into()])
}

pub fn some<const N: usize>(values: [Value; N]) -> Vec<Option<Value>> {
    values.into_iter().map(Some).collect()
}

/// What a finding says, for snapshots; `path` is where the store is.
pub fn said(finding: &Finding, path: &Path) -> String {
    let mut out = format!("{}: {}", finding.code.id, finding.message);
    for label in &finding.labels {
        out.push_str(&format!("\n  at {}", label.text));
    }
    if let Some(note) = &finding.note {
        out.push_str(&format!("\n  note: {note}"));
    }
    if let Some(help) = &finding.help {
        out.push_str(&format!("\n  help: {help}"));
    }
    out.replace(&path.display().to_string(), "STORE")
}
