//! Types and declarations as people read them in findings.

use crate::check::Checker;
use crate::check::program::Type;
use crate::check::scope::Global;

impl Checker<'_> {
    /// A type as it is written, in quotes of code: `` `money EUR` ``.
    pub(crate) fn show(&self, ty: &Type) -> String {
        match ty {
            Type::Nothing => "no value".to_string(),
            Type::Never => "none".to_string(),
            Type::Unknown => "an unknown type".to_string(),
            Type::Optional(inner) if **inner == Type::Never => "`none`".to_string(),
            Type::List(inner) if **inner == Type::Never => "an empty list".to_string(),
            Type::Map(key, _) if **key == Type::Never => "an empty map".to_string(),
            Type::Query(_) => format!("the records of `{}`", self.bare(ty)),
            Type::Reference(_) => format!("a reference to `{}`", self.bare(ty)),
            Type::Failure(_) => format!("the failure `{}`", self.bare(ty)),
            Type::Outcome(_) => "the outcome of a run".to_string(),
            other => format!("`{}`", self.bare(other)),
        }
    }

    /// A type as it is written, without quotes.
    pub(crate) fn bare(&self, ty: &Type) -> String {
        match ty {
            Type::Text => "text".to_string(),
            Type::Bool => "bool".to_string(),
            Type::Int => "int".to_string(),
            Type::Decimal => "decimal".to_string(),
            Type::Percent => "percent".to_string(),
            Type::Money(None) => "money".to_string(),
            Type::Money(Some(currency)) => format!("money {currency}"),
            Type::Date => "date".to_string(),
            Type::Time => "time".to_string(),
            Type::Instant => "instant".to_string(),
            Type::Duration => "duration".to_string(),
            Type::List(inner) => format!("[{}]", self.bare(inner)),
            Type::Map(key, value) => format!("{{{}: {}}}", self.bare(key), self.bare(value)),
            Type::Optional(inner) => format!("{}?", self.bare(inner)),
            Type::Record(id) | Type::Reference(id) | Type::Query(id) => {
                self.program.records.get(id.0 as usize).map_or("?".to_string(), |record| record.name.to_string())
            }
            Type::Enum(id) => {
                self.program.enums.get(id.0 as usize).map_or("?".to_string(), |declared| declared.name.to_string())
            }
            Type::Failure(id) => {
                self.program.errors.get(id.0 as usize).map_or("?".to_string(), |error| error.name.to_string())
            }
            Type::Outcome(inner) => format!("outcome of {}", self.bare(inner)),
            Type::Nothing => "nothing".to_string(),
            Type::Never => "none".to_string(),
            Type::Unknown => "?".to_string(),
        }
    }

    /// What kind of declaration a name stands for: `the flow`, `an error`.
    pub(crate) fn kind_of_global(&self, global: Global) -> &'static str {
        match global {
            Global::Enum(_) => "an enum",
            Global::Record(id) => match self.program.records.get(id.0 as usize).is_some_and(|of| of.is_entity()) {
                true => "an entity",
                false => "a record",
            },
            Global::Error(_) => "an error",
            Global::Constant(_) => "a constant",
            Global::Callable(id) => match self.program.callables.get(id.index()).is_some_and(|of| of.is_task) {
                true => "a task",
                false => "a function",
            },
            Global::Table(_) => "a decision table",
            Global::Flow(_) => "a flow",
        }
    }
}
