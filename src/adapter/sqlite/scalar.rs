//! Scalars and conditions of a plan as SQL, with everything that has a value as a parameter.
//!
//! The language has two truth values and SQL has three. Where a condition decides whether a row is kept, NULL
//! is as good as false and the plain forms are written, which can use indexes; below a `not`, and where the
//! truth itself is asked for, every form is made exact.

use super::failure::{Done, internal};
use super::schema::{Entity, FieldColumns, Schema};
use super::types::{Kind, currency_of};
use crate::check::program::Type;
use crate::compile::query::{QueryPlan, Scalar};
use crate::syntax::tree::BinaryOperator;
use crate::value::{Currency, Value};

/// What is bound to a parameter of the statement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Binding {
    /// A column of a parameter of the plan.
    Parameter(usize, Kind, usize),
    /// The elements of a list, as JSON.
    List(usize, Kind),
    /// Whether a list has a none in it.
    HasNone(usize),
    /// A column of a value that the plan knows.
    Literal(Value, Kind, usize),
}

/// A condition in SQL.
pub(super) struct Condition {
    pub text: String,
    /// Whether it can fail for a row: then it must not be asked for rows that earlier conditions have left out.
    can_fail: bool,
}

/// Writes the parts of one statement.
pub(super) struct Writer<'w> {
    schema: &'w Schema,
    /// The entity of each table of the plan, and whether its row may be missing.
    tables: Vec<(&'w Entity, bool)>,
    /// The values of the first question: they tell the types of parameters that meet no column.
    examples: &'w [Value],
    /// What is bound to `?1`, `?2`, …
    pub bindings: Vec<Binding>,
    /// Whether the type of a parameter was guessed for want of a value.
    pub is_guessed: bool,
}

impl<'w> Writer<'w> {
    pub fn new(schema: &'w Schema, plan: &QueryPlan, examples: &'w [Value]) -> Done<Writer<'w>> {
        let mut tables = vec![(super::record::entity(schema, plan.entity)?, false)];
        for join in &plan.joins {
            let missing = tables.get(join.from).is_some_and(|(_, missing)| *missing);
            tables.push((super::record::entity(schema, join.entity)?, missing || join.optional));
        }
        Ok(Writer { schema, tables, examples, bindings: Vec::new(), is_guessed: false })
    }

    /// An entity of the plan.
    pub fn table(&self, table: usize) -> Done<&'w Entity> {
        self.tables
            .get(table)
            .map(|(entity, _)| *entity)
            .ok_or_else(|| internal("a plan names a table it does not have"))
    }

    /// A field of a table, and whether it may have no value in the joined row.
    fn field(&self, table: usize, field: usize) -> Done<(&'w FieldColumns, bool)> {
        let missing = self.tables.get(table).is_some_and(|(_, missing)| *missing);
        let found = self.table(table)?.fields.get(field);
        let found = found.ok_or_else(|| internal("a plan names a field that its table does not have"))?;
        Ok((found, missing || found.optional))
    }

    /// `FROM …` with all joins.
    pub fn from(&self, plan: &QueryPlan) -> Done<String> {
        let mut text = format!(" FROM {} AS t0", self.table(0)?.table);
        for (number, join) in (1..).zip(&plan.joins) {
            let entity = self.table(number)?;
            let kind = if self.tables.get(number).is_some_and(|(_, missing)| *missing) { "LEFT JOIN" } else { "JOIN" };
            let (field, _) = self.field(join.from, join.field)?;
            let key = entity.key_field().ok_or_else(|| internal("an entity without a key"))?;
            let pairs: Vec<String> = key
                .columns
                .iter()
                .zip(&field.columns)
                .map(|(key, own)| format!("t{number}.{key} = t{}.{own}", join.from))
                .collect();
            text.push_str(&format!(" {kind} {} AS t{number} ON {}", entity.table, pairs.join(" AND ")));
        }
        Ok(text)
    }

    /// All columns of the records.
    pub fn record_columns(&self) -> Done<String> {
        let columns = self.table(0)?.fields.iter().flat_map(|field| &field.columns);
        Ok(columns.map(|column| format!("t0.{column}")).collect::<Vec<_>>().join(", "))
    }

    /// How a scalar is kept, as far as it says so itself.
    fn own_kind(&self, scalar: &Scalar) -> Done<Option<Kind>> {
        Ok(match scalar {
            Scalar::Column { table, field } => Some(self.field(*table, *field)?.0.kind.clone()),
            Scalar::Parameter(_) => None,
            Scalar::Literal(value) => self.kind_of_value(value),
            Scalar::IntArithmetic(..) => Some(Kind::Int),
            _ => Some(Kind::Bool),
        })
    }

    /// How a scalar is kept.
    pub fn kind(&mut self, scalar: &Scalar) -> Done<Kind> {
        if let Some(kind) = self.own_kind(scalar)? {
            return Ok(kind);
        }
        let example = match scalar {
            Scalar::Parameter(number) => self.examples.get(*number).and_then(|value| self.kind_of_value(value)),
            _ => None,
        };
        // A none of unknown type takes one column like most others.
        self.is_guessed |= example.is_none();
        Ok(example.unwrap_or(Kind::Text))
    }

    fn kind_of_value(&self, value: &Value) -> Option<Kind> {
        Some(match value {
            Value::Bool(_) => Kind::Bool,
            Value::Int(_) => Kind::Int,
            Value::Decimal(_) => Kind::Decimal,
            Value::Percent(_) => Kind::Percent,
            Value::Money(_) => Kind::Money,
            Value::Date(_) => Kind::Date,
            Value::Time(_) => Kind::Time,
            Value::Instant(_) => Kind::Instant,
            Value::Duration(_) => Kind::Duration,
            Value::Text(_) => Kind::Text,
            Value::Enum(member) => Kind::Enum(member.type_id),
            Value::Reference(reference) => self.schema.types.kind(&Type::Reference(reference.entity)).0,
            Value::Record(record) => self.schema.types.kind(&Type::Record(record.type_id)).0,
            Value::None | Value::List(_) | Value::Map(_) | Value::Failure(_) => return None,
        })
    }

    /// The kind that two sides of a comparison have in common.
    fn common_kind(&mut self, left: &Scalar, right: &Scalar) -> Done<Kind> {
        match self.own_kind(left)? {
            Some(kind) => Ok(kind),
            None => match self.own_kind(right)? {
                Some(kind) => Ok(kind),
                None if matches!(left, Scalar::Parameter(_)) => self.kind(left),
                None => self.kind(right),
            },
        }
    }

    /// Whether it is known that a scalar has a value.
    fn has_value(&self, scalar: &Scalar) -> Done<bool> {
        Ok(match scalar {
            Scalar::Column { table, field } => !self.field(*table, *field)?.1,
            Scalar::Parameter(_) => false,
            Scalar::Literal(value) => !value.is_none(),
            Scalar::IntArithmetic(_, left, right) => self.has_value(left)? && self.has_value(right)?,
            _ => true,
        })
    }

    /// Whether a scalar may have no value in some row.
    pub fn may_be_none(&self, scalar: &Scalar) -> Done<bool> {
        Ok(!self.has_value(scalar)?)
    }

    fn bind(&mut self, binding: Binding) -> String {
        let number = match self.bindings.iter().position(|known| *known == binding) {
            Some(at) => at,
            None => {
                self.bindings.push(binding);
                self.bindings.len() - 1
            }
        };
        format!("?{}", number + 1)
    }

    /// A scalar as one expression for each of its columns.
    pub fn columns(&mut self, scalar: &Scalar, kind: &Kind) -> Done<Vec<String>> {
        let width = kind.suffixes().len();
        Ok(match scalar {
            Scalar::Column { table, field } => {
                let (found, _) = self.field(*table, *field)?;
                found.columns.iter().map(|column| format!("t{table}.{column}")).collect()
            }
            Scalar::Parameter(number) => {
                (0..width).map(|column| self.bind(Binding::Parameter(*number, kind.clone(), column))).collect()
            }
            Scalar::Literal(value) => {
                (0..width).map(|column| self.bind(Binding::Literal(value.clone(), kind.clone(), column))).collect()
            }
            Scalar::IntArithmetic(operator, left, right) => {
                let function = match operator {
                    BinaryOperator::Add => "rpa_add",
                    BinaryOperator::Subtract => "rpa_subtract",
                    BinaryOperator::Multiply => "rpa_multiply",
                    other => return Err(internal(format!("a plan computes with `{}`", other.symbol()))),
                };
                let (left, right) = (self.column(left, &Kind::Int)?, self.column(right, &Kind::Int)?);
                vec![format!("{function}({left}, {right})")]
            }
            condition => vec![format!("({})", self.condition(condition, true)?.text)],
        })
    }

    /// A scalar that is kept in one column.
    fn column(&mut self, scalar: &Scalar, kind: &Kind) -> Done<String> {
        self.columns(scalar, kind)?.pop().ok_or_else(|| internal("a value without a column"))
    }

    /// A condition. `exact`: it is true or false and never NULL.
    pub fn condition(&mut self, scalar: &Scalar, exact: bool) -> Done<Condition> {
        let mut condition = self.written(scalar, exact)?;
        condition.can_fail |= computes(scalar);
        Ok(condition)
    }

    fn written(&mut self, scalar: &Scalar, exact: bool) -> Done<Condition> {
        let plain = |text: String| Condition { text, can_fail: false };
        Ok(match scalar {
            Scalar::Not(inner) => {
                let inner = self.condition(inner, true)?;
                Condition { text: format!("NOT ({})", inner.text), can_fail: inner.can_fail }
            }
            Scalar::And(parts) => self.joined(parts, exact, true)?,
            Scalar::Or(parts) => self.joined(parts, exact, false)?,
            Scalar::Compare(operator, left, right) => self.compare(*operator, left, right, exact)?,
            Scalar::In(inner, list) => {
                let kind = self.kind(inner)?;
                let may_be_none = self.may_be_none(inner)?;
                let columns = self.columns(inner, &kind)?;
                let items = self.bind(Binding::List(*list, kind.clone()));
                let left: Vec<String> =
                    columns.iter().enumerate().map(|(at, column)| collated(&kind, at, column)).collect();
                let found = match left.as_slice() {
                    [one] => format!("{one} IN (SELECT value FROM json_each({items}))"),
                    many => {
                        let parts: Vec<String> = (0..many.len()).map(|at| format!("value ->> {at}")).collect();
                        format!("({}) IN (SELECT {} FROM json_each({items}))", many.join(", "), parts.join(", "))
                    }
                };
                let first = columns.first().cloned().unwrap_or_default();
                plain(if may_be_none {
                    let has_none = self.bind(Binding::HasNone(*list));
                    format!("(({found}) IS TRUE OR ({first} IS NULL AND {has_none}))")
                } else {
                    found
                })
            }
            Scalar::IsNone(inner) => {
                let kind = self.kind(inner)?;
                let column = self.columns(inner, &kind)?.into_iter().next().unwrap_or_default();
                plain(format!("{column} IS NULL"))
            }
            Scalar::Contains(text, part) => plain(self.text_test("rpa_contains", text, part, exact)?),
            Scalar::StartsWith(text, part) => plain(self.text_test("rpa_starts_with", text, part, exact)?),
            value => {
                let column = self.column(value, &Kind::Bool)?;
                plain(if exact && self.may_be_none(value)? { format!("{column} IS TRUE") } else { column })
            }
        })
    }

    fn text_test(&mut self, function: &str, text: &Scalar, part: &Scalar, exact: bool) -> Done<String> {
        let (text, part) = (self.column(text, &Kind::Text)?, self.column(part, &Kind::Text)?);
        let test = format!("{function}({text}, {part})");
        Ok(if exact { format!("{test} IS TRUE") } else { test })
    }

    /// `and` and `or`, from the left to the right where a part can fail.
    fn joined(&mut self, parts: &[Scalar], exact: bool, and: bool) -> Done<Condition> {
        let mut all = Condition { text: String::new(), can_fail: false };
        for part in parts {
            let part = self.condition(part, exact)?;
            all.can_fail |= part.can_fail;
            all.text = if all.text.is_empty() {
                format!("({})", part.text)
            } else if !part.can_fail {
                format!("{} {} ({})", all.text, if and { "AND" } else { "OR" }, part.text)
            } else if and {
                // Said twice: once for the indexes, once for the order.
                format!("{} AND CASE WHEN {} THEN ({}) ELSE 0 END", all.text, all.text, part.text)
            } else {
                format!("CASE WHEN {} THEN 1 ELSE ({}) END", all.text, part.text)
            };
        }
        if all.text.is_empty() {
            all.text = if and { "1" } else { "0" }.to_string();
        } else {
            all.text = format!("({})", all.text);
        }
        Ok(all)
    }

    fn compare(&mut self, operator: BinaryOperator, left: &Scalar, right: &Scalar, exact: bool) -> Done<Condition> {
        let kind = self.common_kind(left, right)?;
        if let Kind::Document(_) = kind {
            return Err(internal("a plan compares lists, maps or records"));
        }
        let equality = match operator {
            BinaryOperator::Equal => Some(true),
            BinaryOperator::NotEqual => Some(false),
            _ => None,
        };
        let plain_equality = !exact && (self.has_value(left)? || self.has_value(right)?);
        let known = self.currency(left)?.zip(self.currency(right)?).is_some_and(|(left, right)| left == right);
        let (left, right) = (self.columns(left, &kind)?, self.columns(right, &kind)?);
        if let Some(equal) = equality {
            // A plain `=` finds its row in an index; it does not find that none is none.
            let sign = if equal && plain_equality { "=" } else { "IS" };
            let pairs = left.iter().zip(&right).enumerate();
            let pairs: Vec<String> =
                pairs.map(|(at, (left, right))| format!("{} {sign} {right}", collated(&kind, at, left))).collect();
            let all = pairs.join(" AND ");
            let text = if equal { all } else { format!("NOT ({all})") };
            return Ok(Condition { text, can_fail: false });
        }
        let sign = match operator {
            BinaryOperator::Less => "<",
            BinaryOperator::LessOrEqual => "<=",
            BinaryOperator::Greater => ">",
            BinaryOperator::GreaterOrEqual => ">=",
            other => return Err(internal(format!("a plan compares with `{}`", other.symbol()))),
        };
        let (text, can_fail) = match (&kind, left.as_slice(), right.as_slice()) {
            (Kind::Money, [amount, _], [other, _]) if known => {
                (format!("{amount} COLLATE decimal {sign} {other}"), false)
            }
            (Kind::Money, [amount, currency], [other, other_currency]) => {
                (format!("rpa_compare_money({amount}, {currency}, {other}, {other_currency}) {sign} 0"), true)
            }
            (_, [left, ..], [right, ..]) => {
                let left = self.ranked(&kind, left);
                (format!("{} {sign} {}", collated(&kind, 0, &left), self.ranked(&kind, right)), false)
            }
            _ => return Err(internal("a value without a column")),
        };
        let text = if exact { format!("({text}) IS TRUE") } else { text };
        Ok(Condition { text, can_fail })
    }

    /// The currency of an amount, where it is known before the question.
    pub fn currency(&self, scalar: &Scalar) -> Done<Option<Currency>> {
        Ok(match scalar {
            Scalar::Column { table, field } => {
                let shape = self.schema.types.shape(self.table(*table)?.id);
                shape.and_then(|shape| shape.fields.get(*field)).and_then(|field| currency_of(&field.ty))
            }
            Scalar::Literal(Value::Money(money)) => Some(money.currency),
            _ => None,
        })
    }

    /// What sorts as the kind does: members of an enum by their position.
    pub fn ranked(&self, kind: &Kind, column: &str) -> String {
        let Kind::Enum(id) = kind else { return column.to_string() };
        let members = self.schema.types.members(*id);
        if members.is_empty() {
            return column.to_string();
        }
        let ranks: Vec<String> = members
            .iter()
            .enumerate()
            .map(|(rank, name)| format!(" WHEN '{}' THEN {rank}", name.as_str().replace('\'', "''")))
            .collect();
        format!("CASE {column}{} END", ranks.concat())
    }

    /// A term of `ORDER BY`.
    pub fn order(&mut self, scalar: &Scalar, descending: bool) -> Done<String> {
        let kind = self.kind(scalar)?;
        if let Kind::Document(_) = kind {
            return Err(internal("a plan sorts by lists, maps or records"));
        }
        let first = self.columns(scalar, &kind)?.into_iter().next().unwrap_or_default();
        let term = collated(&kind, 0, &self.ranked(&kind, &first));
        // None is last, and first the other way round.
        let direction = match (descending, self.may_be_none(scalar)?) {
            (false, false) => "",
            (false, true) => " NULLS LAST",
            (true, false) => " DESC",
            (true, true) => " DESC NULLS FIRST",
        };
        Ok(format!("{term}{direction}"))
    }

    /// The terms that sort by the key.
    pub fn key_order(&self) -> Done<String> {
        let key = self.table(0)?.key_field().ok_or_else(|| internal("an entity without a key"))?;
        let mut terms: Vec<String> =
            key.columns.iter().map(|column| self.ranked(&key.kind, &format!("t0.{column}"))).collect();
        // Amounts go by their currency first.
        terms.reverse();
        Ok(terms.join(", "))
    }
}

/// Whether arithmetic, which may overflow, is a direct part of a condition.
fn computes(scalar: &Scalar) -> bool {
    match scalar {
        Scalar::IntArithmetic(..) => true,
        Scalar::Compare(_, left, right) | Scalar::Contains(left, right) | Scalar::StartsWith(left, right) => {
            computes(left) || computes(right)
        }
        Scalar::In(inner, _) | Scalar::IsNone(inner) => computes(inner),
        _ => false,
    }
}

/// A column with the collation that compares it, where that is not its bytes.
pub(super) fn collated(kind: &Kind, at: usize, column: &str) -> String {
    if kind.sql_type(at).ends_with("decimal") { format!("{column} COLLATE decimal") } else { column.to_string() }
}
