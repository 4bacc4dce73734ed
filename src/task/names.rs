//! The names of a program's types, for showing values.

use crate::compile::code::Code;
use crate::value::{EnumId, ErrorId, RecordId, TypeNames};
use ecow::EcoString;

/// Names of enums, records and errors. Made when a value is shown that needs them, not for every step.
#[derive(Debug)]
pub(super) struct Names<'a> {
    code: &'a Code,
    records: Vec<Vec<EcoString>>,
    errors: Vec<Vec<EcoString>>,
}

impl<'a> Names<'a> {
    /// The names of a program.
    pub fn new(code: &'a Code) -> Names<'a> {
        let names = |fields: &[crate::check::program::Field]| fields.iter().map(|field| field.name.clone()).collect();
        Names {
            code,
            records: code.records.iter().map(|record| names(&record.fields)).collect(),
            errors: code.errors.iter().map(|error| names(&error.fields)).collect(),
        }
    }
}

impl TypeNames for Names<'_> {
    fn enum_member(&self, id: EnumId, member: u16) -> &str {
        let members = self.code.enums.get(id.0 as usize).map(|ty| &ty.members);
        members.and_then(|members| members.get(usize::from(member))).map_or("?", |name| name)
    }

    fn record(&self, id: RecordId) -> (&str, &[EcoString]) {
        let index = id.0 as usize;
        match (self.code.records.get(index), self.records.get(index)) {
            (Some(record), Some(fields)) => (&record.name, fields),
            _ => ("?", &[]),
        }
    }

    fn error(&self, id: ErrorId) -> (&str, &[EcoString]) {
        let index = id.0 as usize;
        match (self.code.errors.get(index), self.errors.get(index)) {
            (Some(error), Some(fields)) => (&error.name, fields),
            _ => ("?", &[]),
        }
    }
}
