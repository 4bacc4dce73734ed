//! The sheets that rule tables are written in, as a person sees them: a percent with its sign, an amount
//! with its currency. A workbook holds 0.15 for a cell that shows `15%`; a table of rules means what is shown.

use crate::value::{Currency, Decimal, display};
use calamine::{Data, Reader, Sheets, StyleRange};
use std::io::Cursor;

/// The rows of a sheet, from the first row and column that hold something, as texts; the first sheet when none is named.
///
/// # Errors
/// What is wrong, in words.
pub fn rows(bytes: &[u8], sheet: Option<&str>) -> Result<Vec<Vec<String>>, String> {
    let mut workbook: Sheets<Cursor<&[u8]>> = calamine::open_workbook_auto_from_rs(Cursor::new(bytes))
        .map_err(|_| "it is no workbook: xlsx, xlsm, xlsb, xls and ods are read".to_string())?;
    let names = workbook.sheet_names();
    let name = match sheet {
        None => names.first().cloned().ok_or("the workbook has no sheets")?,
        Some(wanted) => match names.iter().find(|name| *name == wanted) {
            Some(name) => name.clone(),
            None => return Err(format!("there is no sheet `{wanted}`; the workbook has `{}`", names.join("`, `"))),
        },
    };
    let range = workbook.worksheet_range(&name).map_err(|error| format!("sheet `{name}` can't be read: {error}"))?;
    // Styles are read from xlsx alone; elsewhere a number is shown without its sign.
    let styles = workbook.worksheet_style(&name).unwrap_or_default();
    let Some((first_row, first_column)) = range.start() else { return Ok(Vec::new()) };
    let rows = range.rows().enumerate().map(|(row, cells)| {
        let position = |column: usize| (first_row + row as u32, first_column + column as u32);
        cells.iter().enumerate().map(|(column, cell)| text(cell, format(&styles, position(column)))).collect()
    });
    Ok(rows.collect())
}

fn format(styles: &StyleRange, position: (u32, u32)) -> &str {
    styles.get(position).and_then(|style| style.number_format.as_ref()).map_or("", |format| &format.format_code)
}

/// A cell as it is shown.
fn text(cell: &Data, format: &str) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::String(text) => text.clone(),
        Data::Bool(value) => value.to_string(),
        Data::Int(value) => number(Decimal::from(*value), format),
        Data::Float(value) => match exact(*value) {
            Some(value) => number(value, format),
            None => value.to_string(),
        },
        Data::DateTime(moment) if !moment.is_duration() => {
            let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
            match (year, hour, minute, second) {
                // A time of day has no day: spreadsheets put it on the day before their first.
                (..=1899, ..) => format!("{hour:02}:{minute:02}"),
                (_, 0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
                _ => format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"),
            }
        }
        other => other.to_string(),
    }
}

/// The number that was typed: a workbook holds the nearest binary one, which has 15 digits that count.
fn exact(value: f64) -> Option<Decimal> {
    if !value.is_finite() {
        return None;
    }
    Decimal::from_scientific(&format!("{value:.14e}")).ok().map(|value| value.normalize())
}

fn number(value: Decimal, format: &str) -> String {
    // What stands in quotes is shown as it is, and decides nothing but a currency.
    let bare: String = format.split('"').step_by(2).collect();
    if bare.contains('%') {
        return display::percent(value);
    }
    match currency(format) {
        Some(currency) => format!("{} {currency}", display::decimal(value)),
        None => display::decimal(value),
    }
}

/// The currency that a number format shows: `#,##0.00 [$€-407]`, `0.00 "EUR"`, `"$"#,##0`.
fn currency(format: &str) -> Option<Currency> {
    // The form for positive numbers is the first.
    let positive = format.split(';').next()?;
    let letters = |c: char| !c.is_ascii_uppercase();
    let signs = ["€", "£", "₹", "₩", "₺", "₴", "₪", "₫", "₱", "₦", "₸", "zł", "Kč"];
    positive
        .split(letters)
        .filter(|word| word.len() == 3)
        .find_map(Currency::from_code)
        .or_else(|| signs.iter().find(|sign| positive.contains(**sign)).and_then(|sign| Currency::from_sign(sign)))
        // `[$` only opens the sign of a currency; the dollar itself follows it, or stands in quotes.
        .or_else(|| (positive.contains("\"$\"") || positive.contains("[$$")).then_some(Currency::USD))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

    #[test]
    fn cells_are_read_as_they_are_shown() {
        let mut workbook = Workbook::new();
        workbook.add_worksheet().set_name("notes").unwrap();
        let sheet = workbook.add_worksheet().set_name("2026").unwrap();
        let shown = |code: &str| Format::new().set_num_format(code);
        sheet.write_string(1, 1, "gold").unwrap();
        sheet.write_number(1, 2, 1000).unwrap();
        sheet.write_number_with_format(1, 3, 0.15, &shown("0%")).unwrap();
        sheet.write_number_with_format(2, 1, 0.1 + 0.2, &shown("0.00 \"EUR\"")).unwrap();
        sheet.write_number_with_format(2, 2, 1234.5, &shown("#,##0.00 [$€-407]")).unwrap();
        sheet.write_number_with_format(2, 3, 12, &shown("\"$\"#,##0;[Red]\"$\"#,##0")).unwrap();
        let day = ExcelDateTime::parse_from_str("2026-11-22").unwrap();
        sheet.write_datetime_with_format(3, 1, &day, &shown("yyyy-mm-dd")).unwrap();
        sheet.write_boolean(3, 2, true).unwrap();
        let bytes = workbook.save_to_buffer().unwrap();

        let read = rows(&bytes, Some("2026")).unwrap();
        assert_eq!(read[0], ["gold", "1000", "15%"]);
        assert_eq!(read[1], ["0.3 EUR", "1234.5 EUR", "12 USD"]);
        assert_eq!(read[2], ["2026-11-22", "true", ""]);
        assert_eq!(rows(&bytes, None), Ok(Vec::new()));
        assert_eq!(
            rows(&bytes, Some("2025")).unwrap_err(),
            "there is no sheet `2025`; the workbook has `notes`, `2026`"
        );
        assert!(rows(b"sku,price\n", None).is_err());
    }
}
