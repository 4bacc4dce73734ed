//! What goes wrong while a primitive is performed, before it knows its place in the script.

use crate::compile::code::Code;
use crate::text::Span;
use crate::value::{ErrorId, Value};
use crate::vm::Failure;
use crate::world::{DocumentError, FileError, StoreError};
use ecow::EcoString;

/// Why a primitive has no result.
#[derive(Debug, Clone, PartialEq)]
pub enum Problem {
    /// A declared error of the prelude, with its fields in their order.
    Named(&'static str, Vec<Value>),
    /// Another thread does it; see [`Failure::ELSEWHERE`].
    Elsewhere,
    /// The surroundings have failed; see [`Failure::FATAL`].
    Fatal(StoreError),
}

impl Problem {
    /// `bad_value(reason)`
    pub fn bad_value(reason: impl Into<EcoString>) -> Problem {
        Problem::Named("bad_value", vec![Value::text(reason)])
    }

    /// `bad_data(source, reason)`
    pub fn bad_data(source: &str, reason: impl Into<EcoString>) -> Problem {
        Problem::Named("bad_data", vec![source.into(), Value::text(reason)])
    }

    /// `bad_address(address, reason)`
    pub fn bad_address(address: &str, reason: impl Into<EcoString>) -> Problem {
        Problem::Named("bad_address", vec![address.into(), Value::text(reason)])
    }

    /// `no_access(path, reason)`
    pub fn no_access(path: &str, reason: impl Into<EcoString>) -> Problem {
        Problem::Named("no_access", vec![path.into(), Value::text(reason)])
    }

    /// A mistake of the program itself, which no script can cause: the run stops and says so.
    pub fn internal(message: impl Into<String>) -> Problem {
        Problem::Fatal(StoreError::Failed {
            code: "store::internal",
            message: message.into(),
            help: "this is a mistake in rpa itself; please report it with the script".to_string(),
        })
    }

    /// As a failure at a place of the script. What is fatal is kept in `fatal`, where there is none yet.
    pub fn at(self, code: &Code, span: Span, fatal: &mut Option<StoreError>) -> Failure {
        let (name, fields) = match self {
            Problem::Named(name, fields) => (name, fields),
            Problem::Elsewhere => {
                return Failure { error: Failure::ELSEWHERE, fields: Vec::new(), span, trace: Vec::new() };
            }
            Problem::Fatal(error) => {
                fatal.get_or_insert(error);
                return Failure { error: Failure::FATAL, fields: Vec::new(), span, trace: Vec::new() };
            }
        };
        match code.errors.iter().position(|error| error.name == name) {
            Some(index) => Failure { error: ErrorId(index as u32), fields, span, trace: Vec::new() },
            None => Problem::internal(format!("the program does not know the error `{name}`")).at(code, span, fatal),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        match error {
            StoreError::AlreadyExists { entity, field, value } => Problem::Named(
                "already_exists",
                vec![Value::Text(entity), Value::text(ecow::eco_format!("{field} {value}"))],
            ),
            StoreError::NotFound { entity, key } => {
                Problem::Named("not_found", vec![Value::Text(entity), Value::Text(key)])
            }
            StoreError::StillReferred { entity, key, by } => Problem::Named(
                "still_referred",
                vec![Value::Text(entity), Value::text(ecow::eco_format!("{key} (by {by})"))],
            ),
            StoreError::CurrencyMismatch(left, right) => {
                Problem::Named("currency_mismatch", vec![Value::Text(left), Value::Text(right)])
            }
            StoreError::Overflow(operation) => Problem::Named("overflow", vec![Value::Text(operation)]),
            failed @ StoreError::Failed { .. } => Problem::Fatal(failed),
        }
    }
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Problem {
        match error {
            FileError::NotFound(path) => Problem::Named("no_file", vec![path.into()]),
            FileError::NoAccess { path, reason } | FileError::Failed { path, reason } => {
                Problem::no_access(&path, reason)
            }
            FileError::AlreadyExists(path) => Problem::Named("already_exists", vec!["file".into(), path.into()]),
        }
    }
}

/// The problem of a document that was read from, or is to be written to, a path.
pub(super) fn document_problem(path: &str, error: DocumentError) -> Problem {
    match error {
        DocumentError::Unreadable(_) | DocumentError::NoSheet { .. } => Problem::bad_data(path, error.to_string()),
        DocumentError::Unwritable(reason) => Problem::no_access(path, reason),
    }
}
