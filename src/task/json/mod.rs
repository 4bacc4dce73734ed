//! `json.read`, `json.write`, `json.parse`, `json.text`.

mod parser;

use super::arguments::Arguments;
use super::executor::Executor;
use super::names::Names;
use super::problem::Problem;
use crate::check::program::Type;
use crate::compile::code::Code;
use crate::library::Operation;
use crate::value::{Value, to_json};

pub(super) fn read(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let path = arguments.text(0)?;
    let bytes = executor.world.files.read(path)?;
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::bad_data(path, "it is not UTF-8 text, as JSON is"))?;
    parse(text, arguments.ty()?, executor.code).map_err(|reason| Problem::bad_data(path, reason))
}

pub(super) fn write(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let (path, value) = (arguments.text(0)?, arguments.value(1));
    let json = to_json(value, &Names::new(executor.code));
    // `{:#}` of a JSON value is its form over several lines.
    let content = format!("{json:#}\n");
    executor.world.files.write(path, content.as_bytes())?;
    executor.document(path, content.len())
}

/// The primitives that need no world.
pub(super) fn perform_pure(
    code: &Code,
    operation: Operation,
    values: &[Value],
    ty: Option<&Type>,
) -> Result<Value, Problem> {
    if operation == Operation::JsonText {
        return Ok(text(values.first().unwrap_or(&Value::None), code).into());
    }
    let arguments = Arguments::new(values, ty, Some(1), 2);
    parse(arguments.text(0)?, arguments.ty()?, code).map_err(|reason| Problem::bad_data("json", reason))
}

/// A value as JSON text, on one line.
pub fn text(value: &Value, code: &Code) -> String {
    to_json(value, &Names::new(code)).to_string()
}

/// The value of a type that a JSON text says. Numbers are exact; fields that the record has not are left out.
///
/// # Errors
/// What is wrong, with its line and its path: `line 12, $.orders[3].price: …`.
pub fn parse(text: &str, ty: &Type, code: &Code) -> Result<Value, String> {
    parser::Parser::new(text, code).whole(ty)
}

#[cfg(test)]
mod tests;
