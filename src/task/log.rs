//! `log.info`, `log.warn`.

use super::arguments::Arguments;
use super::executor::Executor;
use super::problem::Problem;
use crate::value::Value;
use crate::world::ChangeKind;

pub(super) fn note(executor: &mut Executor, level: &'static str, arguments: &Arguments) -> Result<Value, Problem> {
    let text = arguments.text(0)?;
    executor.record(ChangeKind::Noted, level, text.clone());
    Ok(Value::None)
}
