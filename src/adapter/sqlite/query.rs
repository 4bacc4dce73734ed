//! Plans as statements, made once for each plan.

use super::behind::Place;
use super::cache;
use super::column::{self, Part, key_of};
use super::failure::{Done, Trouble, bad_record, internal};
use super::record;
use super::scalar::{Binding, Writer, collated};
use super::schema::Schema;
use super::types::{Kind, Types};
use crate::compile::query::{Output, QueryId, QueryPlan, Scalar};
use crate::syntax::tree::BinaryOperator;
use crate::value::{Currency, Money, Value};
use crate::world::StoreError;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Statement};
use std::collections::HashMap;

/// The statements of the plans that were asked before.
#[derive(Debug, Default)]
pub(super) struct Queries {
    known: HashMap<QueryId, Prepared>,
}

/// A plan as a statement.
#[derive(Debug)]
struct Prepared {
    /// What it was made from: another program may use the same number.
    plan: QueryPlan,
    text: String,
    /// Gives the least and the greatest currency of the amounts that are sorted by: they must be one.
    currencies: Vec<String>,
    bindings: Vec<Binding>,
    /// How values in the outcome are kept.
    kind: Kind,
    /// Whether the next question must be looked at anew.
    is_guessed: bool,
}

/// The key that a plan asks for, when it asks for one record by its key and nothing else.
pub(super) fn key_asked_for<'p>(schema: &Schema, plan: &QueryPlan, parameters: &'p [Value]) -> Option<&'p Value> {
    let is_plain = plan.joins.is_empty() && plan.limit.is_none() && plan.offset.is_none() && plan.order.is_empty();
    let (true, Output::First, Some(Scalar::Compare(BinaryOperator::Equal, left, right))) =
        (is_plain, &plan.output, &plan.filter)
    else {
        return None;
    };
    let (field, parameter) = match (&**left, &**right) {
        (Scalar::Column { table: 0, field }, Scalar::Parameter(at)) => (*field, *at),
        (Scalar::Parameter(at), Scalar::Column { table: 0, field }) => (*field, *at),
        _ => return None,
    };
    let key = parameters.get(parameter).filter(|key| matches!(key, Value::Text(_) | Value::Int(_)))?;
    (schema.entity(plan.entity)?.key == field).then_some(key)
}

/// The field and the record, when a plan asks for all records that refer to one by a field, and nothing else.
pub(super) fn reference_asked_for(schema: &Schema, plan: &QueryPlan, parameters: &[Value]) -> Option<(usize, Place)> {
    let is_plain = plan.joins.is_empty() && plan.limit.is_none() && plan.offset.is_none() && plan.order.is_empty();
    let (true, Output::Records, Some(Scalar::Compare(BinaryOperator::Equal, left, right))) =
        (is_plain, &plan.output, &plan.filter)
    else {
        return None;
    };
    let (Scalar::Column { table: 0, field }, Scalar::Parameter(at)) = (&**left, &**right) else { return None };
    let Kind::Reference(target, _) = schema.entity(plan.entity)?.fields.get(*field)?.kind else { return None };
    Some((*field, cache::place(schema, schema.entity(target)?, parameters.get(*at)?)?))
}

impl Queries {
    /// Answers a question.
    pub fn answer(
        &mut self,
        connection: &Connection,
        schema: &Schema,
        id: QueryId,
        plan: &QueryPlan,
        parameters: &[Value],
    ) -> Done<Value> {
        if self.known.get(&id).is_none_or(|known| known.is_guessed || known.plan != *plan) {
            self.known.insert(id, Prepared::new(schema, plan, parameters)?);
        }
        let Some(prepared) = self.known.get(&id) else { return Err(internal("a plan without a statement")) };
        for text in &prepared.currencies {
            let mut statement = connection.prepare_cached(text)?;
            bind(&mut statement, &schema.types, &prepared.bindings, parameters)?;
            let mut rows = statement.raw_query();
            if let Some(row) = rows.next()?
                && let (Some(least), Some(greatest)) =
                    (row.get::<_, Option<String>>(0)?, row.get::<_, Option<String>>(1)?)
                && least != greatest
            {
                return Err(StoreError::CurrencyMismatch(least.into(), greatest.into()).into());
            }
        }
        let mut statement = connection.prepare_cached(&prepared.text)?;
        bind(&mut statement, &schema.types, &prepared.bindings, parameters)?;
        let mut rows = statement.raw_query();
        match &plan.output {
            Output::Records => {
                let entity = record::entity(schema, plan.entity)?;
                let mut records = Vec::new();
                while let Some(row) = rows.next()? {
                    records.push(record::read(row, schema, entity)?);
                }
                Ok(Value::list(records))
            }
            Output::First => match rows.next()? {
                Some(row) => record::read(row, schema, record::entity(schema, plan.entity)?),
                None => Ok(Value::None),
            },
            Output::Values(_) => {
                let mut values = Vec::new();
                while let Some(row) = rows.next()? {
                    values.push(value(row, &prepared.kind, &schema.types)?);
                }
                Ok(Value::list(values))
            }
            output => match rows.next()? {
                Some(row) => outcome(row, output, &prepared.kind, &schema.types),
                None => Err(internal("an aggregate without a row")),
            },
        }
    }
}

impl Prepared {
    fn new(schema: &Schema, plan: &QueryPlan, parameters: &[Value]) -> Done<Prepared> {
        let mut writer = Writer::new(schema, plan, parameters)?;
        let from = writer.from(plan)?;
        let filter = match &plan.filter {
            Some(filter) => format!(" WHERE {}", writer.condition(filter, false)?.text),
            None => String::new(),
        };
        let is_cut = plan.limit.is_some() || plan.offset.is_some();
        let one = matches!(plan.output, Output::First);
        let listed = one || matches!(plan.output, Output::Records | Output::Values(_));
        // Without a limit it does not matter in which order rows are counted and added up.
        let order = if listed || is_cut {
            let mut terms = Vec::new();
            for (scalar, descending) in &plan.order {
                terms.push(writer.order(scalar, *descending)?);
            }
            terms.push(writer.key_order()?);
            format!(" ORDER BY {}", terms.join(", "))
        } else {
            String::new()
        };
        let mut currencies = Vec::new();
        for (scalar, _) in &plan.order {
            if writer.kind(scalar)? == Kind::Money && writer.currency(scalar)?.is_none() {
                let columns = writer.columns(scalar, &Kind::Money)?;
                let currency = columns.get(1).cloned().unwrap_or_default();
                currencies.push(format!("SELECT min({currency}), max({currency}){from}{filter}"));
            }
        }
        let limit = match &plan.limit {
            Some(limit) => format!("max({}, 0)", bound(&mut writer, limit)?),
            None => "-1".to_string(),
        };
        let cut = match (&plan.offset, one) {
            (None, false) if plan.limit.is_none() => String::new(),
            (offset, one) => {
                let limit = match (one, plan.limit.is_some()) {
                    (false, _) => limit,
                    (true, true) => format!("min({limit}, 1)"),
                    (true, false) => "1".to_string(),
                };
                match offset {
                    Some(offset) => format!(" LIMIT {limit} OFFSET max({}, 0)", bound(&mut writer, offset)?),
                    None => format!(" LIMIT {limit}"),
                }
            }
        };
        let rows = |what: &str| format!("SELECT {what}{from}{filter}{order}{cut}");
        let (text, kind) = match &plan.output {
            Output::Records | Output::First => (rows(&writer.record_columns()?), Kind::Bool),
            Output::Values(scalar) => {
                let kind = writer.kind(scalar)?;
                let columns = writer.columns(scalar, &kind)?;
                (rows(&columns.join(", ")), kind)
            }
            Output::Count if is_cut => (format!("SELECT count(*) FROM ({})", rows("1")), Kind::Int),
            Output::Count => (rows("count(*)"), Kind::Int),
            Output::Exists => (format!("SELECT EXISTS ({})", rows("1")), Kind::Bool),
            Output::Sum(scalar) | Output::Average(scalar) | Output::Min(scalar) | Output::Max(scalar) => {
                let kind = writer.kind(scalar)?;
                let mut columns = writer.columns(scalar, &kind)?;
                if is_cut {
                    let named: Vec<String> =
                        columns.iter().enumerate().map(|(at, column)| format!("{column} AS c{at}")).collect();
                    let inner = rows(&named.join(", "));
                    columns = (0..columns.len()).map(|at| format!("c{at}")).collect();
                    let aggregate = aggregate(&writer, &plan.output, &kind, &columns)?;
                    (format!("SELECT {aggregate} FROM ({inner})"), kind)
                } else {
                    let aggregate = aggregate(&writer, &plan.output, &kind, &columns)?;
                    (rows(&aggregate), kind)
                }
            }
        };
        Ok(Prepared {
            plan: plan.clone(),
            text,
            currencies,
            is_guessed: writer.is_guessed,
            bindings: writer.bindings,
            kind,
        })
    }
}

/// A number of rows.
fn bound(writer: &mut Writer<'_>, scalar: &Scalar) -> Done<String> {
    writer.columns(scalar, &Kind::Int)?.pop().ok_or_else(|| internal("a limit without a value"))
}

fn aggregate(writer: &Writer<'_>, output: &Output, kind: &Kind, columns: &[String]) -> Done<String> {
    let all = columns.join(", ");
    let name = match output {
        Output::Sum(_) => "sum",
        Output::Average(_) => "average",
        Output::Min(_) => "min",
        _ => "max",
    };
    let numbers = match kind {
        Kind::Int | Kind::Duration => Some("int"),
        Kind::Decimal | Kind::Percent => Some("decimal"),
        Kind::Money => Some("money"),
        _ => None,
    };
    match (name, numbers, kind) {
        (_, Some("money"), _) => Ok(format!("rpa_{name}_money({all})")),
        ("sum" | "average", Some(numbers), _) => Ok(format!("rpa_{name}_{numbers}({all})")),
        ("sum" | "average", None, _) => Err(internal(format!("a plan asks for the {name} of {}", kind.word()))),
        (_, _, Kind::Document(_)) => Err(internal(format!("a plan asks for the {name} of lists, maps or records"))),
        (_, _, kind) => match columns {
            [one] => Ok(format!("{name}({})", collated(kind, 0, &writer.ranked(kind, one)))),
            _ => Err(internal(format!("a plan asks for the {name} of {}", kind.word()))),
        },
    }
}

fn value(row: &Row<'_>, kind: &Kind, types: &Types) -> Done<Value> {
    let mut at = 0;
    column::read(kind, types, &mut || {
        let value = row.get_ref(at)?;
        at += 1;
        Ok(value)
    })
}

/// The one value that an aggregate gives.
fn outcome(row: &Row<'_>, output: &Output, kind: &Kind, types: &Types) -> Done<Value> {
    let found = row.get_ref(0)?;
    match (output, kind, found) {
        (_, Kind::Money, ValueRef::Null) => Ok(Value::None),
        (_, Kind::Money, found) => {
            let text = found.as_str().map_err(rusqlite::Error::from)?;
            let (amount, code) = text.split_once(' ').ok_or_else(|| bad_record(format!("`{text}` is no amount")))?;
            let currency = Currency::from_code(code).ok_or_else(|| bad_record(format!("`{code}` is no currency")))?;
            Ok(Value::Money(Money::new(column::read_decimal(amount)?, currency)))
        }
        (Output::Min(_) | Output::Max(_), Kind::Enum(id), ValueRef::Integer(rank)) => {
            let member = u16::try_from(rank).map_err(|_| bad_record("a member of an enum is not known"))?;
            Ok(Value::member(*id, member))
        }
        _ => value(row, kind, types),
    }
}

fn bind(statement: &mut Statement<'_>, types: &Types, bindings: &[Binding], parameters: &[Value]) -> Done<()> {
    let given = |number: usize| parameters.get(number).ok_or_else(|| internal("a question without its parameters"));
    for (number, binding) in (1..).zip(bindings) {
        // A statement may use fewer parameters than its plan has bound.
        if number > statement.parameter_count() {
            break;
        }
        match binding {
            Binding::Parameter(parameter, kind, column) => {
                bind_part(statement, number, types, kind, *column, given(*parameter)?)?;
            }
            Binding::Literal(value, kind, column) => bind_part(statement, number, types, kind, *column, value)?,
            Binding::List(parameter, kind) => {
                let json = list(types, kind, given(*parameter)?)?;
                statement.raw_bind_parameter(number, json)?;
            }
            Binding::HasNone(parameter) => {
                let items = given(*parameter)?.as_list().unwrap_or_default();
                statement.raw_bind_parameter(number, items.iter().any(Value::is_none))?;
            }
        }
    }
    Ok(())
}

fn bind_part(
    statement: &mut Statement<'_>,
    number: usize,
    types: &Types,
    kind: &Kind,
    column: usize,
    value: &Value,
) -> Done<()> {
    let mut at = 0;
    column::write(kind, types, value, &mut |part: Part<'_>| {
        if at == column {
            statement.raw_bind_parameter(number, part)?;
        }
        at += 1;
        Ok(())
    })
}

/// The elements of a list as JSON, without none: values of one column as they are, others as lists.
fn list(types: &Types, kind: &Kind, items: &Value) -> Done<String> {
    use serde_json::Value as Json;
    let items = items.as_list().ok_or_else(|| internal("`in` without a list"))?;
    let mut all = Vec::with_capacity(items.len());
    for item in items.iter().filter(|item| !item.is_none()) {
        let mut parts = Vec::new();
        let item = match kind {
            Kind::Reference(entity, _) => key_of(*entity, types, item).unwrap_or(item),
            _ => item,
        };
        column::write(kind, types, item, &mut |part| {
            parts.push(match part.owned() {
                rusqlite::types::Value::Integer(value) => Json::from(value),
                rusqlite::types::Value::Text(text) => Json::String(text),
                _ => Json::Null,
            });
            Ok::<(), Trouble>(())
        })?;
        let single = parts.len() == 1;
        all.push(if single { parts.pop().unwrap_or_default() } else { Json::Array(parts) });
    }
    Ok(Json::Array(all).to_string())
}
