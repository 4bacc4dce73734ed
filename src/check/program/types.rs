//! Types, and the declarations that give them members.

use super::Expr;
use crate::syntax::tree::Label;
use crate::text::Span;
use crate::value::{Currency, EnumId, ErrorId, RecordId};
use ecow::EcoString;

/// The type of a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Type {
    /// Unicode text.
    Text,
    /// `true` or `false`.
    Bool,
    /// 64 bit whole number.
    Int,
    /// Exact decimal number.
    Decimal,
    /// A share of something.
    Percent,
    /// An amount; with its currency where the checker knows it.
    Money(Option<Currency>),
    /// A day.
    Date,
    /// A time of day.
    Time,
    /// A moment.
    Instant,
    /// A span of time.
    Duration,
    /// A list.
    List(Box<Type>),
    /// A map.
    Map(Box<Type>, Box<Type>),
    /// A value or none; never nested.
    Optional(Box<Type>),
    /// A record, or the values that a record of an entity had when it was read.
    Record(RecordId),
    /// A field that names a record of an entity by its key. Reading a field of it loads the record
    /// ([`super::ExprKind::Follow`]).
    Reference(RecordId),
    /// All records of an entity, or those that passed some `where`: a list that is not loaded yet.
    Query(RecordId),
    /// A member of an enum.
    Enum(EnumId),
    /// What `on error as e` binds: the fields of this error, and `message`.
    Failure(ErrorId),
    /// What `run` gives in a test: how a run with this result ended.
    Outcome(Box<Type>),
    /// No value: what a task without a result gives.
    Nothing,
    /// The type of what never has a value (`none` has `Optional(Never)`, `[]` has `List(Never)`).
    Never,
    /// Not known because of an error that has been reported; agrees with everything.
    Unknown,
}

/// An enum.
#[derive(Debug, Clone)]
pub struct EnumType {
    /// Its name.
    pub name: EcoString,
    /// Its members; a value holds the position.
    pub members: Vec<EcoString>,
    /// Documentation.
    pub documentation: EcoString,
    /// Where its name is declared.
    pub span: Span,
}

/// A record or an entity.
#[derive(Debug, Clone)]
pub struct RecordType {
    /// Its name.
    pub name: EcoString,
    /// Its fields; a value holds them in this order.
    pub fields: Vec<Field>,
    /// For entities, the position of the key field.
    pub key: Option<usize>,
    /// Documentation.
    pub documentation: EcoString,
    /// Where its name is declared.
    pub span: Span,
}

impl RecordType {
    /// Whether its values are kept in the store.
    pub fn is_entity(&self) -> bool {
        self.key.is_some()
    }
}

/// A field of a record or entity.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name.
    pub name: EcoString,
    /// Its type.
    pub ty: Type,
    /// Who may see it.
    pub label: Option<Label>,
    /// No two records of the entity have the same value.
    pub unique: bool,
    /// The store keeps an index.
    pub index: bool,
    /// The value it has when none is given.
    pub default: Option<Default>,
    /// Documentation.
    pub documentation: EcoString,
    /// Where it is declared.
    pub span: Span,
}

/// The value that a field has when none is given.
#[derive(Debug, Clone)]
pub enum Default {
    /// The store counts up.
    Auto,
    /// This expression; it uses no locals, and reads the clock at most.
    Value(Box<Expr>),
}

/// A declared failure.
#[derive(Debug, Clone)]
pub struct ErrorType {
    /// Its name.
    pub name: EcoString,
    /// Whether trying again may help.
    pub transient: bool,
    /// What it carries.
    pub fields: Vec<Field>,
    /// Documentation.
    pub documentation: EcoString,
    /// Where its name is declared.
    pub span: Span,
}
