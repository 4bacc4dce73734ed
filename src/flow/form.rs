//! What a person can answer: made from the type of the step that asks, kept beside the question, so that answering
//! needs no script.

use crate::check::program::Type;
use crate::compile::code::Code;
use crate::text::with_article;
use crate::value::parse::{self, Numbers};
use crate::value::{Currency, EcoString, EnumId, RecordId, TypeNames, Value};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// A form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Yes or no.
    YesNo,
    /// Any text.
    Text,
    /// A whole number.
    Int,
    /// A number.
    Decimal,
    /// A percentage.
    Percent,
    /// An amount, of a currency if there is but one.
    Money(Option<EcoString>),
    /// A day.
    Date,
    /// A time of day.
    Time,
    /// A moment.
    Instant,
    /// A length of time.
    Duration,
    /// One of these.
    Choice {
        /// The number of the enum.
        id: u32,
        /// Its name.
        name: EcoString,
        /// What can be chosen.
        options: Vec<EcoString>,
    },
    /// A form of several fields.
    Record {
        /// The number of the record.
        id: u32,
        /// Its name.
        name: EcoString,
        /// The fields: name and form.
        fields: Vec<(EcoString, Form)>,
    },
    /// The key of a record of the store.
    Reference {
        /// The number of the entity.
        id: u32,
        /// Its name.
        name: EcoString,
        /// What a key looks like.
        key: Box<Form>,
    },
    /// Several of these.
    List(Box<Form>),
    /// May be left empty.
    Optional(Box<Form>),
    /// Nothing but that it was seen.
    Seen,
}

/// How deep forms go; a record that contains itself goes deeper without end.
const MAX_DEPTH: usize = 12;

impl Form {
    /// The form for values of a type.
    pub fn of(ty: &Type, code: &Code) -> Form {
        form(ty, code, 0)
    }

    /// As it is kept.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From how it was kept; a text when that can't be read.
    pub fn from_json(kept: &str) -> Form {
        serde_json::from_str(kept).unwrap_or(Form::Text)
    }

    /// What can be answered, in words: `yes or no`, `one of: refund, replace`, `money: text, when: date`.
    pub fn words(&self) -> String {
        match self {
            Form::YesNo => "yes or no".to_string(),
            Form::Text => "a text".to_string(),
            Form::Int => "a whole number".to_string(),
            Form::Decimal => "a number such as 1.5".to_string(),
            Form::Percent => "a percentage such as 15%".to_string(),
            Form::Money(Some(currency)) => format!("an amount such as 99.90 {currency}"),
            Form::Money(None) => "an amount such as 99.90 EUR".to_string(),
            Form::Date => "a date such as 2026-11-22".to_string(),
            Form::Time => "a time such as 06:00".to_string(),
            Form::Instant => "a moment such as 2026-11-22T06:00Z".to_string(),
            Form::Duration => "a length of time such as 3 days".to_string(),
            Form::Choice { options, .. } => {
                format!("one of: {}", options.iter().map(EcoString::as_str).collect::<Vec<_>>().join(", "))
            }
            Form::Record { fields, .. } => {
                let field = |(name, form): &(EcoString, Form)| format!("{name}: {}", form.words());
                fields.iter().map(field).collect::<Vec<_>>().join("; ")
            }
            Form::Reference { name, key, .. } => format!("the key of {}: {}", with_article(name), key.words()),
            Form::List(inner) => format!("a list, each {}", inner.words()),
            Form::Optional(inner) => format!("{}, or nothing", inner.words()),
            Form::Seen => "yes, when it is done".to_string(),
        }
    }

    /// Reads an answer as a person types it: a value; records and lists as JSON, or `name=value, name=value`.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn read(&self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        match self {
            Form::Record { fields, .. } if !text.starts_with('{') => {
                let mut given = serde_json::Map::new();
                for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
                    let (name, value) = part.split_once('=').ok_or_else(|| {
                        let first = fields.first().map_or("name", |(name, _)| name.as_str());
                        format!("`{part}` names no field: write `{first}=…`")
                    })?;
                    given.insert(name.trim().to_string(), Json::from(value.trim()));
                }
                self.read_json(&Json::Object(given))
            }
            Form::Record { .. } => {
                let json = serde_json::from_str(text).map_err(|error| format!("this is no JSON: {error}"))?;
                self.read_json(&json)
            }
            Form::List(_) if text.starts_with('[') => {
                let json = serde_json::from_str(text).map_err(|error| format!("this is no JSON: {error}"))?;
                self.read_json(&json)
            }
            Form::List(inner) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                parts.map(|part| inner.read(part)).collect::<Result<Vec<_>, _>>().map(Value::list)
            }
            Form::Optional(_) if text.is_empty() || text == "none" => Ok(Value::None),
            Form::Optional(inner) => inner.read(text),
            _ => self.plain(text),
        }
    }

    /// Reads an answer that comes as JSON.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn read_json(&self, json: &Json) -> Result<Value, String> {
        match (self, json) {
            (Form::Optional(_), Json::Null) => Ok(Value::None),
            (Form::Optional(inner), json) => inner.read_json(json),
            (Form::YesNo | Form::Seen, Json::Bool(answer)) => Ok(Value::Bool(*answer)),
            (Form::List(inner), Json::Array(items)) => {
                items.iter().map(|item| inner.read_json(item)).collect::<Result<Vec<_>, _>>().map(Value::list)
            }
            (Form::Record { id, name, fields }, Json::Object(given)) => {
                if let Some(unknown) = given.keys().find(|key| fields.iter().all(|(field, _)| field != key.as_str())) {
                    return Err(format!("`{name}` has no field `{unknown}`; it has {}", self.words()));
                }
                let field = |(name, form): &(EcoString, Form)| match given.get(name.as_str()) {
                    Some(json) => form.read_json(json).map_err(|reason| format!("`{name}`: {reason}")),
                    None if matches!(form, Form::Optional(_)) => Ok(Value::None),
                    None => Err(format!("`{name}` is missing: {}", form.words())),
                };
                let values = fields.iter().map(field).collect::<Result<Vec<_>, _>>()?;
                Ok(Value::record(RecordId(*id), values))
            }
            (_, Json::String(text)) => self.read(text),
            (Form::Int | Form::Decimal | Form::Percent | Form::Money(_), Json::Number(number)) => {
                self.plain(&number.to_string())
            }
            (form, json) => Err(format!("`{json}` is not {}", form.words())),
        }
    }

    fn plain(&self, text: &str) -> Result<Value, String> {
        let wrong = |_| format!("`{text}` is not {}", self.words());
        match self {
            Form::YesNo | Form::Seen => parse::bool(text).map(Value::Bool).map_err(wrong),
            Form::Int => parse::int(text, Numbers::Point).map(Value::Int).map_err(wrong),
            Form::Decimal => parse::decimal(text, Numbers::Point).map(Value::Decimal).map_err(wrong),
            Form::Percent => parse::percent(text, Numbers::Point).map(Value::Percent).map_err(wrong),
            Form::Money(currency) => {
                let known = currency.as_ref().and_then(|code| Currency::from_code(code));
                let money = parse::money(text, Numbers::Point, known).map_err(wrong)?;
                match known {
                    Some(known) if known != money.currency => Err(format!("`{text}` is not in {known}")),
                    _ => Ok(Value::Money(money)),
                }
            }
            Form::Date => parse::date(text, None).map(Value::from).map_err(wrong),
            Form::Time => parse::time(text).map(Value::from).map_err(wrong),
            Form::Instant => parse::instant(text).map(Value::Instant).map_err(wrong),
            Form::Duration => parse::duration(text).map(Value::Duration).map_err(wrong),
            Form::Choice { id, options, .. } => match options.iter().position(|option| option == text) {
                Some(member) => Ok(Value::member(EnumId(*id), u16::try_from(member).unwrap_or(u16::MAX))),
                None => Err(format!("`{text}` is not {}", self.words())),
            },
            Form::Reference { id, key, .. } => Ok(Value::reference(RecordId(*id), key.read(text)?)),
            Form::Text | Form::Record { .. } | Form::List(_) | Form::Optional(_) => Ok(Value::from(text)),
        }
    }
}

fn form(ty: &Type, code: &Code, depth: usize) -> Form {
    if depth > MAX_DEPTH {
        return Form::Text;
    }
    match ty {
        Type::Bool => Form::YesNo,
        Type::Int => Form::Int,
        Type::Decimal => Form::Decimal,
        Type::Percent => Form::Percent,
        Type::Money(currency) => Form::Money(currency.map(|currency| currency.code().into())),
        Type::Date => Form::Date,
        Type::Time => Form::Time,
        Type::Instant => Form::Instant,
        Type::Duration => Form::Duration,
        Type::Enum(id) => match code.enums.get(id.0 as usize) {
            Some(each) => Form::Choice { id: id.0, name: each.name.clone(), options: each.members.clone() },
            None => Form::Text,
        },
        Type::Record(id) => match code.records.get(id.0 as usize) {
            Some(record) => {
                let field =
                    |field: &crate::check::program::Field| (field.name.clone(), form(&field.ty, code, depth + 1));
                Form::Record { id: id.0, name: record.name.clone(), fields: record.fields.iter().map(field).collect() }
            }
            None => Form::Text,
        },
        Type::Reference(id) => {
            let record = code.records.get(id.0 as usize);
            let key = record.and_then(|record| record.fields.get(record.key?));
            let name = record.map(|record| record.name.clone()).unwrap_or_default();
            let key = key.map_or(Form::Text, |key| form(&key.ty, code, depth + 1));
            Form::Reference { id: id.0, name, key: Box::new(key) }
        }
        Type::List(inner) => Form::List(Box::new(form(inner, code, depth + 1))),
        Type::Optional(inner) => Form::Optional(Box::new(form(inner, code, depth + 1))),
        _ => Form::Text,
    }
}

/// The names of what a form can give, to show an answer.
impl TypeNames for Form {
    fn enum_member(&self, wanted: EnumId, member: u16) -> &str {
        match self {
            Form::Choice { id, options, .. } if *id == wanted.0 => {
                options.get(usize::from(member)).map_or("?", EcoString::as_str)
            }
            Form::Record { fields, .. } => {
                let found = fields.iter().map(|(_, form)| form.enum_member(wanted, member));
                found.into_iter().find(|name| *name != "?").unwrap_or("?")
            }
            Form::List(inner) | Form::Optional(inner) => inner.enum_member(wanted, member),
            _ => "?",
        }
    }

    fn record(&self, _: RecordId) -> (&str, &[EcoString]) {
        match self {
            Form::Record { name, .. } | Form::Reference { name, .. } => (name, &[]),
            Form::List(inner) | Form::Optional(inner) => inner.record(RecordId(0)),
            _ => ("?", &[]),
        }
    }

    fn error(&self, _: crate::value::ErrorId) -> (&str, &[EcoString]) {
        ("?", &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{NoNames, display};

    fn choice() -> Form {
        Form::Choice { id: 3, name: "Way".into(), options: vec!["refund".into(), "replace".into()] }
    }

    fn answer() -> Form {
        Form::Record {
            id: 1,
            name: "Answer".into(),
            fields: vec![
                ("way".into(), choice()),
                ("amount".into(), Form::Money(Some("EUR".into()))),
                ("note".into(), Form::Optional(Box::new(Form::Text))),
            ],
        }
    }

    #[test]
    fn a_form_is_kept_and_reads_what_people_type() {
        let form = answer();
        assert_eq!(Form::from_json(&form.to_json()), form);
        let typed = form.read("way=replace, amount=12.50 EUR").unwrap();
        assert_eq!(typed, form.read(r#"{"way": "replace", "amount": "12.50 EUR"}"#).unwrap());
        assert_eq!(typed.fields().unwrap()[0], Value::member(EnumId(3), 1));
        assert_eq!(display(&Form::YesNo.read("yes").unwrap(), &NoNames), "true");
        assert_eq!(form.enum_member(EnumId(3), 1), "replace");
    }

    #[test]
    fn what_does_not_fit_is_said() {
        insta::assert_snapshot!(choice().read("ignore").unwrap_err(), @"`ignore` is not one of: refund, replace");
        insta::assert_snapshot!(answer().read("way=refund").unwrap_err(), @"`amount` is missing: an amount such as 99.90 EUR");
        insta::assert_snapshot!(answer().read("refund").unwrap_err(), @"`refund` names no field: write `way=…`");
        insta::assert_snapshot!(answer().read("way=refund, amount=1 USD").unwrap_err(), @"`amount`: `1 USD` is not in EUR");
        insta::assert_snapshot!(answer().read("wya=refund").unwrap_err(), @"`Answer` has no field `wya`; it has way: one of: refund, replace; amount: an amount such as 99.90 EUR; note: a text, or nothing");
        insta::assert_snapshot!(Form::YesNo.read("maybe").unwrap_err(), @"`maybe` is not yes or no");
    }
}
