//! Values as tables: a list of records is a table with a column a field, a record a table with a row a field.

use crate::value::{TypeNames, Value, display};
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

/// How many rows of a list are shown; the rest is counted.
const ROWS: usize = 40;

/// A value as the REPL shows it: a table where that reads better, else one line as a script would write it.
///
/// `width` is that of the terminal in columns.
pub fn show(value: &Value, names: &dyn TypeNames, width: u16) -> String {
    match value {
        Value::List(list) if list.iter().any(|element| matches!(element, Value::Record(_))) => {
            show_list(list, names, width)
        }
        Value::Record(_) => show_record(value, names, width),
        Value::Map(map) if !map.is_empty() => {
            let mut table = frame(width);
            table.set_header(["key", "value"]);
            for (key, value) in map.iter().take(ROWS) {
                table.add_row([cell(key, names), cell(value, names)]);
            }
            with_rest(table.to_string(), map.len(), "entry", "entries")
        }
        _ => crate::value::display::written(value, names),
    }
}

fn show_list(list: &[Value], names: &dyn TypeNames, width: u16) -> String {
    let Some(Value::Record(first)) = list.iter().find(|element| matches!(element, Value::Record(_))) else {
        return String::new();
    };
    let mut table = frame(width);
    let (_, fields) = names.record(first.type_id);
    table.set_header(fields.iter().map(|field| field.to_string()));
    for element in list.iter().take(ROWS) {
        match element {
            Value::Record(record) => table.add_row(record.fields.iter().map(|field| cell(field, names))),
            other => table.add_row([cell(other, names)]),
        };
    }
    with_rest(table.to_string(), list.len(), "row", "rows")
}

fn show_record(value: &Value, names: &dyn TypeNames, width: u16) -> String {
    let Value::Record(record) = value else { return String::new() };
    let (name, fields) = names.record(record.type_id);
    let mut table = frame(width);
    table.set_header([name.to_string(), String::new()]);
    for (field, value) in fields.iter().zip(record.fields.iter()) {
        table.add_row([Cell::new(field), cell(value, names).set_alignment(CellAlignment::Left)]);
    }
    table.to_string()
}

fn frame(width: u16) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table
}

/// A value in a cell; numbers and amounts stand at the right.
fn cell(value: &Value, names: &dyn TypeNames) -> Cell {
    let text = match value {
        Value::None => String::new(),
        Value::List(list) if list.iter().any(|element| matches!(element, Value::Record(_))) => {
            format!("{} rows", list.len())
        }
        _ => display(value, names),
    };
    let right = matches!(value, Value::Int(_) | Value::Decimal(_) | Value::Percent(_) | Value::Money(_));
    Cell::new(text).set_alignment(if right { CellAlignment::Right } else { CellAlignment::Left })
}

fn with_rest(table: String, count: usize, one: &str, many: &str) -> String {
    let hidden = count.saturating_sub(ROWS);
    let word = if count == 1 { one } else { many };
    if hidden == 0 {
        format!("{table}\n{count} {word}")
    } else {
        format!("{table}\n{count} {word}, {hidden} not shown")
    }
}
