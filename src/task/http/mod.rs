//! `http.get`, `http.post`, `http.put`, `http.patch`, `http.delete`, `secret`: calls of other systems.
//!
//! `request` makes what is sent of what the script says, `exchange` sends it (who may be called, how long it may take,
//! where an answer leads on to, what the store must have first), `answer` reads what came back.

mod answer;
mod exchange;
mod request;

use super::arguments::Arguments;
use super::executor::Executor;
use super::problem::Problem;
use crate::check::program::Type;
use crate::library::Operation;
use crate::value::Value;
use crate::world::Method;
use exchange::Exchanged;
pub(super) use exchange::LeftCall;
use request::Given;

/// Calls another system; `values` are all arguments, the type among them.
pub(super) fn call(
    executor: &mut Executor,
    operation: Operation,
    values: &[Value],
    ty: Option<&Type>,
) -> Result<Value, Problem> {
    let (method, has_body) = match operation {
        Operation::HttpPost => (Method::Post, true),
        Operation::HttpPut => (Method::Put, true),
        Operation::HttpPatch => (Method::Patch, true),
        Operation::HttpDelete => (Method::Delete, false),
        _ => (Method::Get, false),
    };
    let type_position = if has_body { 2 } else { 1 };
    let arguments = Arguments::new(values, ty, Some(type_position), type_position + 3);
    let exchanged = match executor.left_call.take() {
        Some(left) => exchange::go_on(executor, left)?,
        None => {
            let given = Given {
                method,
                url: arguments.text(0)?,
                body: if has_body { arguments.value(1) } else { &Value::None },
                query: arguments.value(type_position),
                headers: arguments.value(type_position + 1),
            };
            let request = request::prepare(executor, &given)?;
            exchange::exchange(executor, request)?
        }
    };
    let ty = arguments.ty()?;
    match exchanged {
        Exchanged::Answered(answered) => answer::read(executor, &answered, ty),
        Exchanged::Supposed(told) => answer::supposed(executor, &told, ty),
    }
}

/// `secret("name")`
pub(super) fn secret(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let name = arguments.text(0)?;
    match executor.world.secrets.get(name) {
        Ok(secret) => Ok(Value::Text(secret)),
        Err(error) => Err(Problem::no_access(&format!("secret {name}"), error.to_string())),
    }
}

#[cfg(test)]
mod tests;
