//! `sequence.next`.

use super::arguments::Arguments;
use super::executor::Executor;
use super::problem::Problem;
use crate::value::Value;

pub(super) fn next(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let (name, from) = (arguments.text(0)?, arguments.int_or(1, 1)?);
    executor.wrote = true;
    Ok(Value::Int(executor.world.store.next_in_sequence(name, from)?))
}
