//! The names behind the numbers of a version: what it takes to read its journal without its script.
//!
//! Kept once a version, as JSON. Values of an older version, whose numbers mean other types, are carried
//! over by these names ([`Names::carry_over`]).

use crate::check::program::Field;
use crate::compile::code::Code;
use crate::value::{EnumId, ErrorId, RecordId, TypeNames, Value};
use ecow::EcoString;
use serde::{Deserialize, Serialize};

/// The names of a program's types, flows and steps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    enums: Vec<Named>,
    records: Vec<Named>,
    errors: Vec<Named>,
    flows: Vec<FlowNames>,
}

/// A type and its members or fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Named {
    name: EcoString,
    parts: Vec<EcoString>,
    /// Positions of the fields that are not shown, because they are personal or secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hidden: Vec<u32>,
    /// Position of the key of an entity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<u32>,
}

/// A flow, its parameters and steps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct FlowNames {
    name: EcoString,
    parameters: Vec<EcoString>,
    steps: Vec<EcoString>,
    /// Positions of the parameters that are not shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hidden_parameters: Vec<u32>,
    /// Positions of the steps whose values are not shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hidden_steps: Vec<u32>,
    /// Whether the result is not shown.
    #[serde(default)]
    hidden_result: bool,
}

/// What a script gets of a mail that it sends.
const MAIL: (&str, [&str; 4]) = ("Mail", ["id", "to", "subject", "body"]);

/// What stands in place of a personal or secret value.
pub(super) const HIDDEN: &str = "•••";

impl Names {
    /// The names of a program.
    pub fn of(code: &Code) -> Names {
        let fields = |name: &EcoString, key: Option<usize>, fields: &[Field]| Named {
            name: name.clone(),
            key: key.map(|key| key as u32),
            parts: fields.iter().map(|field| field.name.clone()).collect(),
            hidden: (0_u32..).zip(fields).filter(|(_, field)| field.label.is_some()).map(|(at, _)| at).collect(),
        };
        Names {
            enums: code
                .enums
                .iter()
                .map(|each| Named {
                    name: each.name.clone(),
                    parts: each.members.clone(),
                    hidden: Vec::new(),
                    key: None,
                })
                .collect(),
            records: code.records.iter().map(|each| fields(&each.name, each.key, &each.fields)).collect(),
            errors: code.errors.iter().map(|each| fields(&each.name, None, &each.fields)).collect(),
            flows: code
                .flows
                .iter()
                .map(|flow| FlowNames {
                    name: flow.name.clone(),
                    parameters: flow.parameters.clone(),
                    steps: flow.steps.iter().map(|step| step.name.clone()).collect(),
                    hidden_parameters: flow.hidden.parameters.clone(),
                    hidden_steps: flow.hidden.steps.clone(),
                    hidden_result: flow.hidden.result,
                })
                .collect(),
        }
    }

    /// As they are kept.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From how they were kept; no names when that can't be read.
    pub fn from_json(kept: &str) -> Names {
        serde_json::from_str(kept).unwrap_or_default()
    }

    /// The parameters of a flow.
    pub fn parameters(&self, flow: &str) -> &[EcoString] {
        self.flow(flow).map_or(&[], |flow| &flow.parameters)
    }

    /// What a run was given, with what is personal taken out.
    pub fn masked_argument(&self, flow: &str, position: u32, value: &Value) -> Value {
        let is_hidden = self.flow(flow).is_some_and(|flow| flow.hidden_parameters.contains(&position));
        self.hidden_if(is_hidden, value)
    }

    /// The value of a step, with what is personal taken out: of a mail, the outbox tells more.
    pub fn masked_step(&self, flow: &str, step: u32, value: &Value) -> Value {
        let is_hidden = self.flow(flow).is_some_and(|flow| flow.hidden_steps.contains(&step));
        match value {
            Value::Record(record) if self.record(record.type_id) == (MAIL.0, &MAIL.1.map(EcoString::inline)) => {
                Value::record(record.type_id, self.masked_fields(&record.fields, &[1, 2, 3]))
            }
            value => self.hidden_if(is_hidden, value),
        }
    }

    /// The result of a run, with what is personal taken out.
    pub fn masked_result(&self, flow: &str, value: &Value) -> Value {
        self.hidden_if(self.flow(flow).is_some_and(|flow| flow.hidden_result), value)
    }

    fn hidden_if(&self, is_hidden: bool, value: &Value) -> Value {
        match value {
            Value::None => Value::None,
            _ if is_hidden => Value::text(HIDDEN),
            value => self.masked(value),
        }
    }

    /// The names of the steps of a flow.
    pub fn steps(&self, flow: &str) -> &[EcoString] {
        self.flow(flow).map_or(&[], |flow| &flow.steps)
    }

    /// Whether the records of this entity are called by what must not be shown.
    pub fn hides_key(&self, entity: &str) -> bool {
        self.records
            .iter()
            .any(|record| record.name == entity && record.key.is_some_and(|key| record.hidden.contains(&key)))
    }

    /// The name of a step of a flow.
    pub fn step(&self, flow: &str, step: u32) -> Option<&EcoString> {
        self.flow(flow)?.steps.get(step as usize)
    }

    /// The error with this name.
    pub fn error_called(&self, name: &str) -> Option<ErrorId> {
        find(&self.errors, name).map(ErrorId)
    }

    /// The value with its personal and secret fields taken out.
    pub fn masked(&self, value: &Value) -> Value {
        match value {
            Value::List(items) => Value::list(items.iter().map(|item| self.masked(item)).collect()),
            Value::Map(map) => Value::map(map.iter().map(|(key, value)| (self.masked(key), self.masked(value)))),
            Value::Record(record) => {
                let hidden = self.records.get(record.type_id.0 as usize).map_or(&[][..], |named| &named.hidden);
                Value::record(record.type_id, self.masked_fields(&record.fields, hidden))
            }
            Value::Failure(failure) => {
                let hidden = self.errors.get(failure.error.0 as usize).map_or(&[][..], |named| &named.hidden);
                Value::failure(failure.error, self.masked_fields(&failure.fields, hidden))
            }
            value => value.clone(),
        }
    }

    fn masked_fields(&self, fields: &[Value], hidden: &[u32]) -> Vec<Value> {
        let mask = |(at, field): (u32, &Value)| match field {
            Value::None => Value::None,
            _ if hidden.contains(&at) => Value::text(HIDDEN),
            field => self.masked(field),
        };
        (0_u32..).zip(fields).map(mask).collect()
    }

    /// What people call a value that they meet in a list: the key of an entity's record, the first text that
    /// may be shown of another record, the value itself where it is short.
    pub fn short(&self, value: &Value) -> EcoString {
        let shown = match value {
            Value::Reference(reference) => crate::value::display(&reference.key, self),
            Value::Record(record) => {
                let named = self.records.get(record.type_id.0 as usize);
                let shown = |at: u32| named.is_none_or(|named| !named.hidden.contains(&at));
                let text = (0_u32..).zip(&record.fields[..]).find_map(|(at, field)| match field {
                    Value::Text(text) if shown(at) && !text.is_empty() => Some(text.to_string()),
                    _ => None,
                });
                text.or_else(|| record.fields.first().map(|first| crate::value::display(&self.masked(first), self)))
                    .unwrap_or_default()
            }
            value => crate::value::display(&self.masked(value), self),
        };
        match shown.char_indices().nth(60) {
            Some((end, _)) => EcoString::from(format!("{}…", &shown[..end])),
            None => EcoString::from(shown),
        }
    }

    /// The same value with the numbers of `other`, found by names; none when a type is not there any more,
    /// or has other members or fields.
    pub fn carry_over(&self, value: &Value, other: &Names) -> Option<Value> {
        Some(match value {
            Value::Enum(member) => {
                let named = self.enums.get(member.type_id.0 as usize)?;
                let name = named.parts.get(usize::from(member.member))?;
                let found = find(&other.enums, &named.name)?;
                let members = &other.enums.get(found as usize)?.parts;
                Value::member(EnumId(found), members.iter().position(|part| part == name)? as u16)
            }
            Value::List(items) => {
                Value::list(items.iter().map(|item| self.carry_over(item, other)).collect::<Option<_>>()?)
            }
            Value::Map(map) => Value::map(
                map.iter()
                    .map(|(key, value)| Some((self.carry_over(key, other)?, self.carry_over(value, other)?)))
                    .collect::<Option<Vec<_>>>()?,
            ),
            Value::Record(record) => {
                let id = same(&self.records, &other.records, record.type_id.0)?;
                Value::record(RecordId(id), self.carry_all(&record.fields, other)?)
            }
            Value::Reference(reference) => {
                let named = self.records.get(reference.entity.0 as usize)?;
                let entity = RecordId(find(&other.records, &named.name)?);
                Value::reference(entity, self.carry_over(&reference.key, other)?)
            }
            Value::Failure(failure) => {
                let id = same(&self.errors, &other.errors, failure.error.0)?;
                Value::failure(ErrorId(id), self.carry_all(&failure.fields, other)?)
            }
            value => value.clone(),
        })
    }

    fn carry_all(&self, values: &[Value], other: &Names) -> Option<Vec<Value>> {
        values.iter().map(|value| self.carry_over(value, other)).collect()
    }

    fn flow(&self, name: &str) -> Option<&FlowNames> {
        self.flows.iter().find(|flow| flow.name == name)
    }
}

fn find(all: &[Named], name: &str) -> Option<u32> {
    all.iter().position(|named| named.name == name).map(|at| at as u32)
}

/// The number that a type has in `other`, when it has the same parts there.
fn same(own: &[Named], other: &[Named], id: u32) -> Option<u32> {
    let named = own.get(id as usize)?;
    let found = find(other, &named.name)?;
    (other.get(found as usize)?.parts == named.parts).then_some(found)
}

impl TypeNames for Names {
    fn enum_member(&self, id: EnumId, member: u16) -> &str {
        self.enums
            .get(id.0 as usize)
            .and_then(|named| named.parts.get(usize::from(member)))
            .map_or("?", EcoString::as_str)
    }

    fn record(&self, id: RecordId) -> (&str, &[EcoString]) {
        self.records.get(id.0 as usize).map_or(("?", &[]), |named| (&named.name, &named.parts))
    }

    fn error(&self, id: ErrorId) -> (&str, &[EcoString]) {
        self.errors.get(id.0 as usize).map_or(("?", &[]), |named| (&named.name, &named.parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::display;

    fn named(name: &str, parts: &[&str], hidden: &[u32]) -> Named {
        Named {
            name: name.into(),
            parts: parts.iter().map(|part| EcoString::from(*part)).collect(),
            hidden: hidden.to_vec(),
            key: None,
        }
    }

    #[test]
    fn values_of_an_older_version_are_carried_over_by_name() {
        let old = Names {
            enums: vec![named("Tier", &["gold", "silver"], &[])],
            records: vec![named("Row", &["id", "tier"], &[])],
            ..Names::default()
        };
        let new = Names {
            enums: vec![named("Other", &["x"], &[]), named("Tier", &["bronze", "gold", "silver"], &[])],
            records: vec![named("A", &[], &[]), named("Row", &["id", "tier"], &[])],
            ..Names::default()
        };
        let value = Value::list(vec![Value::record(RecordId(0), vec![Value::Int(1), Value::member(EnumId(0), 1)])]);
        let carried = old.carry_over(&value, &new).unwrap();
        assert_eq!(display(&carried, &new), "[Row(id: 1, tier: silver)]");
        let changed = Names { records: vec![named("Row", &["id"], &[])], ..new };
        assert_eq!(old.carry_over(&value, &changed), None);
    }

    #[test]
    fn personal_fields_are_not_shown() {
        let names = Names { records: vec![named("Customer", &["email", "name"], &[0])], ..Names::default() };
        let ada = Value::record(RecordId(0), vec![Value::text("ada@example.com"), Value::text("Ada")]);
        assert_eq!(display(&names.masked(&ada), &names), r#"Customer(email: "•••", name: "Ada")"#);
        assert_eq!(names.short(&ada), "Ada");
        assert_eq!(Names::from_json(&names.to_json()), names);
    }
}
