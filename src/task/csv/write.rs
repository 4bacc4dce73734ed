//! `csv.write`.
//!
//! A spreadsheet program takes a cell that begins with `=`, `+`, `-` or `@` for a formula, and a formula of someone who
//! filled in a form can do harm on the machine of whoever opens the file. So a *text* that begins so (or with a tab, or
//! with `'` before such a sign) gets a `'` in front; numbers, amounts and phone numbers stay as they are. `csv.read`
//! takes such a `'` off again.

use crate::check::program::Type;
use crate::task::arguments::Arguments;
use crate::task::executor::Executor;
use crate::task::names::Names;
use crate::task::problem::Problem;
use crate::task::table::guarded;
use crate::value::{EcoString, TypeNames, Value, display, to_json};
use std::borrow::Cow;

pub(in crate::task) fn write(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let (path, rows) = (arguments.text(0)?, arguments.list(1)?);
    let separator = match arguments.text_or_empty(2)? {
        "" => b',',
        name => super::source::separator_named(name).map_err(Problem::bad_value)?.unwrap_or(b','),
    };
    let names = Names::new(executor.code);
    let mut writer = csv::WriterBuilder::new().delimiter(separator).flexible(true).from_writer(Vec::new());
    let failed = |error: csv::Error| Problem::no_access(path, error.to_string());
    if let Some(headings) = headings(rows, arguments.ty().ok(), &names) {
        writer.write_record(headings.iter().map(|heading| guarded(heading).into_owned())).map_err(failed)?;
    }
    for row in rows {
        let cells = row.fields().unwrap_or(std::slice::from_ref(row));
        for cell in cells {
            writer.write_field(shown(cell, &names).as_bytes()).map_err(failed)?;
        }
        writer.write_record(None::<&[u8]>).map_err(failed)?;
    }
    let content = writer.into_inner().map_err(|error| Problem::no_access(path, error.to_string()))?;
    executor.world.files.write(path, &content)?;
    executor.document(path, content.len())
}

/// The names of the fields; `value` for rows that are no records. None when there are no rows to tell.
pub(in crate::task) fn headings<'a>(
    rows: &[Value],
    ty: Option<&Type>,
    names: &'a Names,
) -> Option<Cow<'a, [EcoString]>> {
    let ty = match ty {
        Some(Type::List(element)) => Some(&**element),
        other => other,
    };
    match (rows.first(), ty) {
        (Some(Value::Record(record)), _) => Some(Cow::Borrowed(names.record(record.type_id).1)),
        (None, Some(Type::Record(id))) => Some(Cow::Borrowed(names.record(*id).1)),
        (Some(_), _) => Some(Cow::Owned(vec![EcoString::inline("value")])),
        (None, _) => None,
    }
}

/// A value as a cell of text: as people read it, and as `csv.read` reads it again.
fn shown<'a>(value: &'a Value, names: &Names) -> Cow<'a, str> {
    match value {
        Value::None => Cow::Borrowed(""),
        Value::Text(text) => guarded(text),
        Value::List(_) | Value::Map(_) | Value::Record(_) | Value::Failure(_) => {
            Cow::Owned(to_json(value, names).to_string())
        }
        Value::Reference(reference) => shown(&reference.key, names),
        other => Cow::Owned(display(other, names)),
    }
}
