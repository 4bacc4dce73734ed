//! `excel.read`, `excel.write`.

use super::arguments::Arguments;
use super::csv::{headings, row_type};
use super::executor::Executor;
use super::names::Names;
use super::problem::{Problem, document_problem};
use super::table::{BadRows, Converter, Layout, sheet_text};
use crate::value::{EcoString, Value, to_json};
use crate::world::{ChangeKind, NewSheet, SheetCell};

pub(super) fn read(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let (path, sheet) = (arguments.text(0)?, arguments.text_or_empty(1)?);
    let (currency, skip_bad_rows) = (arguments.text_or_empty(2)?, arguments.bool(3)?);
    let (id, record) = row_type(executor.code, arguments.ty()?)?;
    let workbook = executor.world.files.read(path)?;
    let sheet = executor.world.documents.read_sheet(&workbook, sheet).map_err(|error| document_problem(path, error))?;
    drop(workbook);
    let wrong = |reason: String| Problem::bad_data(path, format!("sheet `{}`: {reason}", sheet.name));
    let mut rows = sheet.rows.iter();
    let Some(head) = rows.next() else {
        return Err(wrong("it is empty: its first row names the columns".to_string()));
    };
    let headings: Vec<EcoString> = head.iter().map(sheet_text).collect();
    let headings: Vec<&str> = headings.iter().map(EcoString::as_str).collect();
    let columns = Layout { record }.columns(&headings).map_err(wrong)?;
    let currency = (currency, executor.world.settings.currency);
    let mut converter =
        Converter::new(executor.code, id, record, &columns, currency, "").map_err(Problem::bad_value)?;
    converter.set_open_numbers();
    let (mut records, mut bad, mut total) = (Vec::with_capacity(rows.len()), BadRows::default(), 0);
    for (index, row) in rows.enumerate() {
        if row.iter().all(is_blank) {
            continue;
        }
        total += 1;
        let line = u64::from(sheet.first_row) + index as u64 + 2;
        let place = |column: usize| cell_name(sheet.first_column as usize + column, line);
        records.extend(converter.row(row, line, &place, &mut |cell| bad.add(cell)));
    }
    if bad.rows > 0 {
        let message = format!("sheet `{}`: {}", sheet.name, bad.message(total));
        if !skip_bad_rows {
            return Err(Problem::bad_data(path, message));
        }
        executor.record(ChangeKind::Noted, "warn", format!("{path} was read without what does not fit: {message}"));
    }
    Ok(Value::list(records))
}

pub(super) fn write(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let (path, rows) = (arguments.text(0)?, arguments.list(1)?);
    let name = match arguments.text_or_empty(2)? {
        "" => "Sheet1",
        name => name,
    };
    let names = Names::new(executor.code);
    let mut headings = headings(rows, arguments.ty().ok(), &names).unwrap_or_default().into_owned();
    let mut rows: Vec<Vec<Value>> = rows
        .iter()
        .map(|row| row.fields().unwrap_or(std::slice::from_ref(row)).iter().map(|cell| plain(cell, &names)).collect())
        .collect();
    for (column, heading) in headings.iter_mut().enumerate() {
        tell_currency(heading, &mut rows, column);
    }
    let sheet = NewSheet { name: name.into(), headings, rows };
    let content = executor.world.documents.write_sheet(&sheet).map_err(|error| document_problem(path, error))?;
    executor.world.files.write(path, &content)?;
    executor.document(path, content.len())
}

/// A cell holds a number without its currency. So the heading names it when it is one for all amounts of the column
/// (`price (EUR)`, which `excel.read` understands), and amounts of several currencies are written as text.
fn tell_currency(heading: &mut EcoString, rows: &mut [Vec<Value>], column: usize) {
    let amounts = || {
        rows.iter().filter_map(|row| match row.get(column) {
            Some(Value::Money(money)) => Some(money.currency),
            _ => None,
        })
    };
    let Some(currency) = amounts().next() else { return };
    if amounts().all(|other| other == currency) {
        *heading = ecow::eco_format!("{heading} ({currency})");
        return;
    }
    for cell in rows.iter_mut().filter_map(|row| row.get_mut(column)) {
        if let Value::Money(money) = cell {
            *cell = ecow::eco_format!("{money}").into();
        }
    }
}

/// A value that a cell can hold.
fn plain(value: &Value, names: &Names) -> Value {
    match value {
        Value::Reference(reference) => plain(&reference.key, names),
        Value::Enum(_) => crate::value::display(value, names).into(),
        Value::List(_) | Value::Map(_) | Value::Record(_) | Value::Failure(_) => {
            to_json(value, names).to_string().into()
        }
        other => other.clone(),
    }
}

fn is_blank(cell: &SheetCell) -> bool {
    match cell {
        SheetCell::Empty => true,
        SheetCell::Text(text) => text.trim().is_empty(),
        _ => false,
    }
}

/// What people call a cell: `B4`.
fn cell_name(column: usize, row: u64) -> EcoString {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        letters.push(b'A' + ((rest - 1) % 26) as u8);
        rest = (rest - 1) / 26;
    }
    let letters: String = letters.iter().rev().map(|letter| *letter as char).collect();
    ecow::eco_format!("{letters}{row}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_called_as_people_do() {
        assert_eq!(cell_name(0, 1), "A1");
        assert_eq!(cell_name(25, 2), "Z2");
        assert_eq!(cell_name(26, 3), "AA3");
        assert_eq!(cell_name(701, 4), "ZZ4");
        assert_eq!(cell_name(702, 5), "AAA5");
    }
}
