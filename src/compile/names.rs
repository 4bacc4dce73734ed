//! The names behind the numbers of a program's types, laid out so that showing a value copies nothing.

use crate::check::program::{EnumType, ErrorType, Field, RecordType};
use crate::value::{EnumId, ErrorId, RecordId, TypeNames};
use ecow::EcoString;

/// Knows what the types of a program are called; `?` for what is not from this program.
#[derive(Debug, Clone, Default)]
pub struct Names {
    enums: Vec<Vec<EcoString>>,
    records: Vec<Fields>,
    errors: Vec<Fields>,
}

#[derive(Debug, Clone)]
struct Fields {
    name: EcoString,
    fields: Vec<EcoString>,
}

impl Names {
    /// The names of these types.
    pub fn new(enums: &[EnumType], records: &[RecordType], errors: &[ErrorType]) -> Names {
        let fields = |name: &EcoString, fields: &[Field]| Fields {
            name: name.clone(),
            fields: fields.iter().map(|field| field.name.clone()).collect(),
        };
        Names {
            enums: enums.iter().map(|ty| ty.members.clone()).collect(),
            records: records.iter().map(|ty| fields(&ty.name, &ty.fields)).collect(),
            errors: errors.iter().map(|ty| fields(&ty.name, &ty.fields)).collect(),
        }
    }
}

impl TypeNames for Names {
    fn enum_member(&self, id: EnumId, member: u16) -> &str {
        self.enums.get(id.0 as usize).and_then(|members| members.get(usize::from(member))).map_or("?", |name| name)
    }

    fn record(&self, id: RecordId) -> (&str, &[EcoString]) {
        self.records.get(id.0 as usize).map_or(("?", &[]), |ty| (&ty.name, &ty.fields))
    }

    fn error(&self, id: ErrorId) -> (&str, &[EcoString]) {
        self.errors.get(id.0 as usize).map_or(("?", &[]), |ty| (&ty.name, &ty.fields))
    }
}
