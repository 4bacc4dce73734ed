//! Declarations: what a script says once, at its outermost level.

use super::{Block, Expr, Name, RuleTable, Statement, TextLiteral};
use crate::text::Span;
use ecow::EcoString;

/// A declaration with its documentation.
#[derive(Debug, Clone)]
pub struct Item {
    /// The lines of `///` before it, joined by line breaks, without slashes; empty when there are none.
    pub documentation: EcoString,
    /// What is declared.
    pub kind: ItemKind,
    /// From its first word to its last character.
    pub span: Span,
}

/// The kinds of declarations.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant)] // a script has few of them
pub enum ItemKind {
    /// `use crm`, `use "prices.rpa"`
    Use(Use),
    /// `const limit = 500 EUR`
    Const(Const),
    /// `enum Tier { gold, silver }`
    Enum(Enum),
    /// `record OrderRow { … }` and `entity Customer { … }`
    Record(Record),
    /// `error out_of_stock(sku: text)`
    Error(ErrorDeclaration),
    /// `fn …` and `task …`
    Callable(Callable),
    /// `rules …`: a decision table
    Rules(RuleTable),
    /// `rule … on …`: a reactive rule
    Reaction(Reaction),
    /// `flow …`
    Flow(Flow),
    /// `policy …`
    Policy(Policy),
    /// `on …` and `every …`
    Trigger(Trigger),
    /// `test "…" { … }`
    Test(Test),
    /// A declaration that could not be read; its finding has been made.
    Broken,
}

/// `use crm` or `use "prices.rpa"`.
#[derive(Debug, Clone)]
pub struct Use {
    /// What is used.
    pub target: UseTarget,
}

/// What a `use` names.
#[derive(Debug, Clone)]
pub enum UseTarget {
    /// A part of the standard library.
    Library(Name),
    /// A script beside this one.
    File {
        /// The path, relative to the script that says it.
        path: EcoString,
        /// Its place.
        span: Span,
    },
}

/// `const name: type = value`.
#[derive(Debug, Clone)]
pub struct Const {
    /// Its name.
    pub name: Name,
    /// Its type, when written.
    pub kind: Option<TypeExpr>,
    /// Its value.
    pub value: Expr,
}

/// `enum Name { member, … }`.
#[derive(Debug, Clone)]
pub struct Enum {
    /// Its name.
    pub name: Name,
    /// Its members.
    pub members: Vec<Name>,
}

/// `record Name { … }` or `entity Name { … }`.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its name.
    pub name: Name,
    /// Whether its values are kept in the store.
    pub is_entity: bool,
    /// Its fields.
    pub fields: Vec<FieldDeclaration>,
}

/// `key sku: text`, `unique email: pii text`, `stock: int = 0`.
#[derive(Debug, Clone)]
pub struct FieldDeclaration {
    /// The lines of `///` before it.
    pub documentation: EcoString,
    /// What the store does with it; entities only.
    pub role: FieldRole,
    /// Its name.
    pub name: Name,
    /// Its type.
    pub kind: TypeExpr,
    /// The value it has when none is given.
    pub default: Option<FieldDefault>,
    /// From its first word to its last character.
    pub span: Span,
}

/// What the store does with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldRole {
    /// Nothing special.
    Plain,
    /// `key`: names the record; one a entity.
    Key,
    /// `unique`: no two records have the same value.
    Unique,
    /// `index`: looked for often.
    Index,
}

/// The value a field has when none is given.
#[derive(Debug, Clone)]
pub enum FieldDefault {
    /// `= auto`: the store counts; for `key` fields of type `int`.
    Auto(Span),
    /// `= expression`
    Value(Expr),
}

/// `error name(fields)` or `transient error name(fields)`.
#[derive(Debug, Clone)]
pub struct ErrorDeclaration {
    /// Its name.
    pub name: Name,
    /// Whether trying again may help.
    pub transient: bool,
    /// What it carries.
    pub fields: Vec<Parameter>,
}

/// A type as written.
#[derive(Debug, Clone)]
pub struct TypeExpr {
    /// What is written.
    pub kind: TypeExprKind,
    /// Its place.
    pub span: Span,
}

/// The forms of written types.
#[derive(Debug, Clone)]
pub enum TypeExprKind {
    /// `text`, `Tier`
    Named(Name),
    /// `money EUR`
    Money(Name),
    /// `[T]`
    List(Box<TypeExpr>),
    /// `{K: V}`
    Map(Box<TypeExpr>, Box<TypeExpr>),
    /// `T?`
    Optional(Box<TypeExpr>),
    /// `pii T`, `secret T`
    Labelled(Label, Box<TypeExpr>),
    /// Could not be read.
    Broken,
}

/// What a type says about who may see its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Label {
    /// Personal data: masked where tools show it.
    Pii,
    /// Never shown, stored in the journal or sent.
    Secret,
}

/// `name: type = default`.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub kind: TypeExpr,
    /// The value it has when none is given.
    pub default: Option<Expr>,
}

/// `fn name(…) -> type { … }`, `fn name(…) -> type = expression`, `task …`.
#[derive(Debug, Clone)]
pub struct Callable {
    /// Its name.
    pub name: Name,
    /// Whether it may act.
    pub is_task: bool,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Its result, when it has one.
    pub result: Option<TypeExpr>,
    /// `fails a, b`, when written.
    pub fails: Option<Vec<Name>>,
    /// What it does.
    pub body: CallableBody,
}

/// The two forms of a body.
#[derive(Debug, Clone)]
pub enum CallableBody {
    /// `{ … }`
    Block(Block),
    /// `= expression`
    Expression(Expr),
}

/// `flow name(…) -> type key …, at most … { … }`.
#[derive(Debug, Clone)]
pub struct Flow {
    /// Its name.
    pub name: Name,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Its result, when it has one.
    pub result: Option<TypeExpr>,
    /// `key expression`: the thing a run works on.
    pub key: Option<Expr>,
    /// `at most n at once per expression`
    pub at_most: Option<AtMost>,
    /// `priority n`
    pub priority: Option<Expr>,
    /// `deadline d`
    pub deadline: Option<Expr>,
    /// Its steps and what lies between.
    pub body: Block,
}

/// `at most n at once per expression`.
#[derive(Debug, Clone)]
pub struct AtMost {
    /// How many runs.
    pub count: Expr,
    /// Counted apart for each value of this.
    pub per: Option<Expr>,
}

/// `rule name on Entity changed as p when … priority n { … }`.
#[derive(Debug, Clone)]
pub struct Reaction {
    /// Its name.
    pub name: Name,
    /// The entity whose records it watches.
    pub entity: Name,
    /// What must happen to a record.
    pub event: RecordEvent,
    /// What the record is called in the rule.
    pub binding: Name,
    /// The condition.
    pub when: Option<Expr>,
    /// The higher goes first.
    pub priority: Option<Expr>,
    /// What it does.
    pub body: Block,
}

/// What can happen to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordEvent {
    /// It was made.
    Created,
    /// A field has another value.
    Changed,
    /// It is gone.
    Deleted,
}

/// `policy name { before … when … requires … }`.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its name.
    pub name: Name,
    /// Its clauses.
    pub clauses: Vec<PolicyClause>,
}

/// `before callee(names) when condition requires requirement`.
#[derive(Debug, Clone)]
pub struct PolicyClause {
    /// The protected call, as a name or `module.name`.
    pub callee: Expr,
    /// What its arguments are called in the clause.
    pub parameters: Vec<Name>,
    /// When the clause applies.
    pub when: Option<Expr>,
    /// What must have happened before.
    pub requires: Expr,
    /// The whole clause.
    pub span: Span,
}

/// `on …` and `every …`.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// What starts it.
    pub event: TriggerEvent,
    /// What it does.
    pub body: Block,
}

/// What starts a trigger.
#[derive(Debug, Clone)]
pub enum TriggerEvent {
    /// `on file "inbox/*.csv" as f`
    File {
        /// Which files.
        pattern: TextLiteral,
        /// What the file is called in the body.
        binding: Name,
    },
    /// `on Customer created as c when …`
    Record {
        /// The entity.
        entity: Name,
        /// What must happen.
        event: RecordEvent,
        /// What the record is called in the body.
        binding: Name,
        /// The condition.
        when: Option<Expr>,
    },
    /// `every weekday at 06:00 in "Europe/Berlin"`
    Schedule(Schedule),
}

/// `every day at 06:00 in "Europe/Berlin", catch up`.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// How often.
    pub period: SchedulePeriod,
    /// At what time of the day.
    pub at: Option<Expr>,
    /// In which time zone, an IANA name.
    pub zone: Option<TextLiteral>,
    /// `, catch up` (true) or `, skip missed` (false), when written.
    pub catch_up: Option<bool>,
    /// From `every` on.
    pub span: Span,
}

/// How often a schedule comes.
#[derive(Debug, Clone)]
pub enum SchedulePeriod {
    /// `day`
    Day,
    /// `weekday`: Monday to Friday
    Weekday,
    /// `business day`: Monday to Friday but for holidays
    BusinessDay,
    /// `monday` … `sunday`; 1 is Monday
    DayOfWeek(u8),
    /// `month on 1`: the day of the month
    Month(Expr),
    /// `15 minutes`
    Interval(Expr),
}

/// `test "…" { … }`.
#[derive(Debug, Clone)]
pub struct Test {
    /// What it shows.
    pub title: TextLiteral,
    /// Its statements.
    pub body: Vec<Statement>,
    /// The body with its braces.
    pub body_span: Span,
}
