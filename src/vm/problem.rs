//! What goes wrong inside of the machine, and the declared errors that say so to the script.

use super::Failure;
use crate::check::program::ErrorType;
use crate::compile::arithmetic::Trouble;
use crate::compile::names::Names;
use crate::text::{Span, with_article};
use crate::value::{ArithmeticError, ErrorId, Value, display};
use std::fmt::Write;

/// Why an instruction has no result.
#[derive(Debug, Clone, PartialEq)]
pub enum Problem {
    /// A number grew beyond its bounds: what was computed.
    Overflow(&'static str),
    /// Something was divided by zero: what was computed.
    DivisionByZero(&'static str),
    /// Amounts of different currencies met.
    CurrencyMismatch(String, String),
    /// The calendar or the clock has no such thing.
    BadDate(String),
    /// A value does not fit.
    BadValue(String),
    /// A list has no such position.
    OutOfRange(i64, usize),
    /// A record or an entry is not there: of what, and its key.
    NotFound(String, Value),
    /// No row fits: the table, and the input.
    NoRow(String, String),
    /// Several rows fit: the table, the rows, and the input.
    SeveralRows(String, String, String),
    /// A limit was reached.
    Limit(String),
    /// A failure that has been made already: by the host or by the script.
    Failed(Box<Failure>),
}

pub(super) type Result<T> = std::result::Result<T, Problem>;

impl Problem {
    /// An arithmetic error of an operation.
    pub fn arithmetic(error: ArithmeticError, operation: &'static str) -> Problem {
        match error {
            ArithmeticError::Overflow => Problem::Overflow(operation),
            ArithmeticError::DivisionByZero => Problem::DivisionByZero(operation),
            ArithmeticError::CurrencyMismatch { left, right } => {
                Problem::CurrencyMismatch(left.to_string(), right.to_string())
            }
            ArithmeticError::InvalidDate | ArithmeticError::InvalidTime | ArithmeticError::NotWholeDays(_) => {
                Problem::BadDate(error.to_string())
            }
            ArithmeticError::NotWhole | ArithmeticError::InvalidShares => Problem::BadValue(error.to_string()),
        }
    }

    /// What `arithmetic` of the compiler says of an operation.
    pub fn trouble(trouble: Trouble, operation: &'static str) -> Problem {
        match trouble {
            Trouble::Arithmetic(error) => Problem::arithmetic(error, operation),
            Trouble::Kinds(left, right) => Problem::BadValue(format!("{operation} of {left} and {right}")),
        }
    }

    /// Something that the checker and compiler never let happen.
    pub fn broken(what: &str) -> Problem {
        Problem::BadValue(format!("the machine met code that it does not understand: {what}"))
    }
}

/// The errors of the language that the machine fails with, found by name once.
#[derive(Debug, Clone)]
pub(super) struct Errors {
    overflow: ErrorId,
    division_by_zero: ErrorId,
    currency_mismatch: ErrorId,
    bad_date: ErrorId,
    bad_value: ErrorId,
    out_of_range: ErrorId,
    not_found: ErrorId,
    no_row: ErrorId,
    several_rows: ErrorId,
    limit_reached: ErrorId,
}

impl Errors {
    pub fn new(errors: &[ErrorType]) -> Errors {
        let find = |name: &str| {
            let position = errors.iter().position(|error| error.name == name);
            ErrorId(position.map_or(u32::MAX, |position| position as u32))
        };
        Errors {
            overflow: find("overflow"),
            division_by_zero: find("division_by_zero"),
            currency_mismatch: find("currency_mismatch"),
            bad_date: find("bad_date"),
            bad_value: find("bad_value"),
            out_of_range: find("out_of_range"),
            not_found: find("not_found"),
            no_row: find("no_row"),
            several_rows: find("several_rows"),
            limit_reached: find("limit_reached"),
        }
    }

    /// The failure that a problem is.
    pub fn failure(&self, problem: Problem, span: Span, names: &Names) -> Failure {
        fn text(text: impl Into<crate::value::EcoString>) -> Value {
            Value::text(text)
        }
        let (error, fields) = match problem {
            Problem::Failed(failure) => return *failure,
            Problem::Overflow(operation) => (self.overflow, vec![text(operation)]),
            Problem::DivisionByZero(operation) => (self.division_by_zero, vec![text(operation)]),
            Problem::CurrencyMismatch(left, right) => (self.currency_mismatch, vec![text(left), text(right)]),
            Problem::BadDate(reason) => (self.bad_date, vec![text(reason)]),
            Problem::BadValue(reason) => (self.bad_value, vec![text(reason)]),
            Problem::OutOfRange(position, count) => {
                (self.out_of_range, vec![Value::Int(position), Value::Int(i64::try_from(count).unwrap_or(i64::MAX))])
            }
            Problem::NotFound(what, key) => (self.not_found, vec![text(what), text(display(&key, names))]),
            Problem::NoRow(table, input) => (self.no_row, vec![text(table), text(input)]),
            Problem::SeveralRows(table, rows, input) => (self.several_rows, vec![text(table), text(rows), text(input)]),
            Problem::Limit(limit) => (self.limit_reached, vec![text(limit)]),
        };
        Failure { error, fields, span, trace: Vec::new() }
    }
}

/// What the errors of the language say, as sentences; none for those of scripts, whose words are their own.
fn sentence(name: &str, fields: &[Value], names: &Names) -> Option<String> {
    let shown: Vec<String> = fields.iter().map(|field| display(field, names)).collect();
    let parts: Vec<&str> = shown.iter().map(String::as_str).collect();
    Some(match (name, parts.as_slice()) {
        ("not_found", [what, key]) => format!("there is no {what} {key}"),
        ("already_exists", ["file", path]) => format!("there is a file `{path}` already"),
        ("already_exists", [what, key]) => format!("there is {} with {key} already", with_article(what)),
        ("still_referred", [what, key]) => format!("{what} {key} can't go: other records refer to it"),
        ("no_row", [table, input]) => format!("`{table}` has no row for {input}"),
        ("several_rows", [table, rows, input]) => format!("several rows of `{table}` fit {input}: {rows}"),
        ("no_file", [path]) => format!("there is no file `{path}`"),
        ("no_access", [what, reason]) => format!("no access to {}: {reason}", inaccessible(what)),
        ("overflow", [operation]) => format!("the result of `{operation}` is too large"),
        ("division_by_zero", [operation]) => format!("`{operation}` divides by zero"),
        ("currency_mismatch", [left, right]) => format!("amounts in {left} and {right} can't be put together"),
        ("out_of_range", [position, count]) => {
            format!("there is no position {position}: the list has {count}, counted from 0")
        }
        ("key_conflict", [flow, key, run]) => {
            format!("{flow} has worked on {key} before with other content, in run {run}")
        }
        ("limit_reached", [limit]) => format!("a limit was reached: {limit}"),
        _ => return None,
    })
}

/// What there is no access to: a system, with the call of it (`POST api.example.com/orders`), a secret, or a file.
fn inaccessible(what: &str) -> String {
    let is_method = |word: &str| ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&word);
    match what.split_once(' ') {
        Some((method, address)) if is_method(method) => {
            let host = address.find('/').unwrap_or(address.len());
            let (host, path) = address.split_at(host);
            format!("{host} ({method} {path})")
        }
        Some(("secret", name)) => format!("the secret `{name}`"),
        _ => format!("`{what}`"),
    }
}

/// What a failure says: its error in words, and what it carries: `out of stock: sku A1, wanted 3`.
pub fn failure_message(error: ErrorId, fields: &[Value], names: &Names) -> String {
    use crate::value::TypeNames;
    let (name, field_names) = names.error(error);
    if let Some(sentence) = sentence(name, fields, names) {
        return sentence;
    }
    let mut message = name.replace('_', " ");
    for (index, value) in fields.iter().enumerate() {
        message.push_str(if index == 0 { ": " } else { ", " });
        match field_names.get(index).map(|name| name.as_str()) {
            Some("reason") => message.push_str(&display(value, names)),
            Some(field) => {
                // Writing to a string does not fail.
                let _ = write!(message, "{} {}", field.replace('_', " "), display(value, names));
            }
            None => message.push_str(&display(value, names)),
        }
    }
    message
}
