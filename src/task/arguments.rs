//! What a primitive is given.

use super::problem::Problem;
use crate::check::program::Type;
use crate::text::with_article;
use crate::value::{Date, Value};
use ecow::EcoString;

type Taken<T> = Result<T, Problem>;

/// The arguments of one call, by position. Type arguments are beside them and are not counted; `none` stands
/// where nothing was given, and the default holds.
pub(super) struct Arguments<'a> {
    values: Vec<&'a Value>,
    ty: Option<&'a Type>,
}

impl<'a> Arguments<'a> {
    /// The arguments of a call, of which the one at `type_position` is a type (and may be left out of `values`).
    pub fn new(values: &'a [Value], ty: Option<&'a Type>, type_position: Option<usize>, count: usize) -> Self {
        let leave_out = type_position.filter(|_| values.len() == count);
        let values =
            values.iter().enumerate().filter(|(at, _)| Some(*at) != leave_out).map(|(_, value)| value).collect();
        Arguments { values, ty }
    }

    /// The type argument.
    pub fn ty(&self) -> Taken<&'a Type> {
        self.ty.ok_or_else(|| Problem::internal("a type argument is missing"))
    }

    /// The argument, which may be `none`.
    pub fn value(&self, at: usize) -> &'a Value {
        self.values.get(at).copied().unwrap_or(&Value::None)
    }

    /// A text that must be given.
    pub fn text(&self, at: usize) -> Taken<&'a EcoString> {
        match self.value(at) {
            Value::Text(text) => Ok(text),
            other => Err(wrong(at, "text", other)),
        }
    }

    /// A text that is empty when none is given.
    pub fn text_or_empty(&self, at: usize) -> Taken<&'a str> {
        match self.value(at) {
            Value::None => Ok(""),
            Value::Text(text) => Ok(text),
            other => Err(wrong(at, "text", other)),
        }
    }

    /// A whole number.
    pub fn int_or(&self, at: usize, default: i64) -> Taken<i64> {
        match self.value(at) {
            Value::None => Ok(default),
            Value::Int(value) => Ok(*value),
            other => Err(wrong(at, "int", other)),
        }
    }

    /// A day that must be given.
    pub fn date(&self, at: usize) -> Taken<Date> {
        match self.value(at) {
            Value::Date(date) => Ok(*date),
            other => Err(wrong(at, "date", other)),
        }
    }

    /// A truth value; false when none is given.
    pub fn bool(&self, at: usize) -> Taken<bool> {
        match self.value(at) {
            Value::None => Ok(false),
            Value::Bool(value) => Ok(*value),
            other => Err(wrong(at, "bool", other)),
        }
    }

    /// The elements of a list; none when none is given.
    pub fn list(&self, at: usize) -> Taken<&'a [Value]> {
        match self.value(at) {
            Value::None => Ok(&[]),
            Value::List(items) => Ok(items),
            other => Err(wrong(at, "list", other)),
        }
    }
}

fn wrong(at: usize, expected: &str, found: &Value) -> Problem {
    Problem::internal(format!(
        "argument {} of a primitive is {} and not {}",
        at + 1,
        with_article(found.kind()),
        with_article(expected)
    ))
}
