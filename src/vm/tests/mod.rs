//! Tests of the machine.

mod failures;
mod flows;
mod generated;
mod primitives;
mod store;
mod support;
mod tables;
mod walker;

use super::{Decision, Failure, Host};
use crate::check::program::{ErrorType, Field, Program, Type};
use crate::compile::query::QueryId;
use crate::library::Operation;
use crate::text::Span;
use crate::value::{RecordId, Value};

/// A host for code that asks nothing of the world.
pub struct Nowhere;

impl Host for Nowhere {
    fn perform(&mut self, operation: Operation, _: &[Value], _: Option<&Type>, _: Span) -> Result<Value, Failure> {
        panic!("{operation:?} was asked for");
    }

    fn get(&mut self, _: RecordId, _: &Value, _: Span) -> Result<Option<Value>, Failure> {
        panic!("a record was asked for");
    }

    fn get_all(&mut self, _: RecordId, _: &[Value], _: Span) -> Result<Vec<Option<Value>>, Failure> {
        panic!("records were asked for");
    }

    fn create(&mut self, _: RecordId, _: Vec<Option<Value>>, _: Span) -> Result<Value, Failure> {
        panic!("a record was created");
    }

    fn update(&mut self, _: RecordId, _: &Value, _: Vec<(usize, Value)>, _: Span) -> Result<Value, Failure> {
        panic!("a record was updated");
    }

    fn delete(&mut self, _: RecordId, _: &Value, _: Span) -> Result<(), Failure> {
        panic!("a record was deleted");
    }

    fn query(&mut self, _: QueryId, _: &[Value], _: Span) -> Result<Value, Failure> {
        panic!("a query was asked");
    }

    fn decided(&mut self, _: Decision) {}

    fn traces_decisions(&self) -> bool {
        false
    }
}

/// A program that has the errors of the language and nothing else.
pub fn program_with_errors() -> Program {
    let errors: [(&str, &[&str]); 10] = [
        ("overflow", &["operation"]),
        ("division_by_zero", &["operation"]),
        ("currency_mismatch", &["left", "right"]),
        ("bad_date", &["reason"]),
        ("bad_value", &["reason"]),
        ("out_of_range", &["position", "count"]),
        ("not_found", &["what", "key"]),
        ("no_row", &["table", "input"]),
        ("several_rows", &["table", "rows", "input"]),
        ("limit_reached", &["limit"]),
    ];
    let field = |name: &&str| Field {
        name: (*name).into(),
        ty: Type::Text,
        label: None,
        unique: false,
        index: false,
        default: None,
        documentation: "".into(),
        span: Span::default(),
    };
    let errors = errors.map(|(name, fields)| ErrorType {
        name: name.into(),
        transient: false,
        fields: fields.iter().map(field).collect(),
        documentation: "".into(),
        span: Span::default(),
    });
    Program { errors: errors.to_vec(), ..Program::default() }
}
