//! Workbooks: read with calamine (xlsx, xlsm, xlsb, xls, ods), written with rust_xlsxwriter (xlsx).

use crate::value::{Date, Decimal, Money, Time, Value, display};
use crate::world::{DocumentError, NewSheet, Sheet, SheetCell};
use calamine::{Data, Reader, open_workbook_auto_from_rs};
use ecow::EcoString;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use std::collections::HashMap;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A number in a cell has so many digits; one with more is written as text, so that none is lost.
const DIGITS: usize = 15;

/// A sheet of a workbook; the first one for an empty name.
pub(super) fn read(workbook: &[u8], name: &str) -> Result<Sheet, DocumentError> {
    // A damaged file must not take the program with it, whatever the reader of the format makes of it.
    let read = catch_unwind(AssertUnwindSafe(|| read_any(workbook, name)));
    read.unwrap_or_else(|_| Err(DocumentError::Unreadable("it is no workbook, or a damaged one".to_string())))
}

fn read_any(workbook: &[u8], name: &str) -> Result<Sheet, DocumentError> {
    if workbook.is_empty() {
        return Err(DocumentError::Unreadable("the file is empty".to_string()));
    }
    let unreadable = |error: &dyn std::fmt::Display| {
        DocumentError::Unreadable(format!("it is no workbook (xlsx, xls, ods) that can be read: {error}"))
    };
    let mut book = open_workbook_auto_from_rs(Cursor::new(workbook)).map_err(|error| unreadable(&error))?;
    let available = book.sheet_names();
    let found = match name {
        "" => available.first(),
        name => available.iter().find(|sheet| *sheet == name).or_else(|| {
            let wanted = name.trim().to_lowercase();
            available.iter().find(|sheet| sheet.trim().to_lowercase() == wanted)
        }),
    };
    let Some(found) = found.cloned() else {
        return Err(DocumentError::NoSheet { sheet: name.to_string(), available });
    };
    let range = book.worksheet_range(&found).map_err(|error| unreadable(&error))?;
    let (first_row, first_column) = range.start().unwrap_or((0, 0));
    let rows = range.rows().map(|row| row.iter().map(cell).collect()).collect();
    Ok(Sheet { name: found, first_row, first_column, rows })
}

fn cell(data: &Data) -> SheetCell {
    match data {
        Data::Empty => SheetCell::Empty,
        Data::Int(number) => SheetCell::Number(*number as f64),
        Data::Float(number) => SheetCell::Number(*number),
        Data::String(text) => SheetCell::Text(text.as_str().into()),
        Data::Bool(value) => SheetCell::Bool(*value),
        Data::DateTime(moment) if moment.is_duration() => {
            SheetCell::Length((moment.as_f64() * 86_400_000.0).round() as i64)
        }
        Data::DateTime(moment) => {
            let (year, month, day, hour, minute, second, millisecond) = moment.to_ymd_hms_milli();
            moment_of(i64::from(year), [month, day, hour, minute, second], millisecond)
                .unwrap_or(SheetCell::Number(moment.as_f64()))
        }
        Data::DateTimeIso(text) => match text.parse() {
            Ok(moment) => SheetCell::Moment(moment),
            Err(_) => SheetCell::Text(text.as_str().into()),
        },
        Data::DurationIso(text) => SheetCell::Text(text.as_str().into()),
        Data::Error(error) => SheetCell::Error(EcoString::from(error.to_string())),
    }
}

fn moment_of(year: i64, [month, day, hour, minute, second]: [u8; 5], millisecond: u16) -> Option<SheetCell> {
    let date = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let (hour, minute, second) = (i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?);
    let time = Time::new(hour, minute, second, i32::from(millisecond) * 1_000_000).ok()?;
    Some(SheetCell::Moment(date.to_datetime(time)))
}

/// A workbook with one sheet. The head is bold and stays in sight.
pub(super) fn write(sheet: &NewSheet) -> Result<Vec<u8>, DocumentError> {
    let unwritable = |error: XlsxError| DocumentError::Unwritable(format!("the workbook can't be made: {error}"));
    let mut workbook = Workbook::new();
    // The library would take the time of the clock: the same content gives the same bytes.
    let day = ExcelDateTime::from_ymd(2000, 1, 1).map_err(unwritable)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&day));
    let worksheet = workbook.add_worksheet();
    worksheet.set_name(sheet.name.as_str()).map_err(unwritable)?;
    let head = Format::new().set_bold();
    for (column, heading) in sheet.headings.iter().enumerate() {
        worksheet.write_string_with_format(0, position(column)?, heading.as_str(), &head).map_err(unwritable)?;
    }
    if !sheet.headings.is_empty() {
        worksheet.set_freeze_panes(1, 0).map_err(unwritable)?;
    }
    let mut formats = HashMap::new();
    for (row, cells) in sheet.rows.iter().enumerate() {
        let row = u32::try_from(row + 1).map_err(|_| too_large())?;
        for (column, value) in cells.iter().enumerate() {
            write_cell(worksheet, &mut formats, row, position(column)?, value).map_err(unwritable)?;
        }
    }
    worksheet.autofit();
    workbook.save_to_buffer().map_err(unwritable)
}

fn position(column: usize) -> Result<u16, DocumentError> {
    u16::try_from(column).map_err(|_| too_large())
}

fn too_large() -> DocumentError {
    DocumentError::Unwritable("a sheet has 1048576 rows and 16384 columns at most".to_string())
}

fn write_cell(
    sheet: &mut Worksheet,
    formats: &mut HashMap<String, Format>,
    row: u32,
    column: u16,
    value: &Value,
) -> Result<(), XlsxError> {
    let text = || display(value, &crate::value::NoNames);
    let mut number = |sheet: &mut Worksheet, number: Option<f64>, format: String| match number {
        Some(number) => {
            let format = formats.entry(format).or_insert_with_key(|format| Format::new().set_num_format(format));
            sheet.write_number_with_format(row, column, number, format).map(|_| ())
        }
        None => sheet.write_string(row, column, text()).map(|_| ()),
    };
    match value {
        Value::None => Ok(()),
        Value::Bool(value) => sheet.write_boolean(row, column, *value).map(|_| ()),
        Value::Int(value) => number(sheet, exact(Decimal::from(*value)), "0".to_string()),
        Value::Decimal(value) => number(sheet, exact(*value), "General".to_string()),
        Value::Percent(value) => {
            let digits = value.normalize().scale().saturating_sub(2);
            number(sheet, exact(*value), format!("{}%", places("0", digits)))
        }
        Value::Money(money) => number(sheet, exact(money.amount), money_format(*money)),
        Value::Date(date) => number(sheet, day_number(*date), "yyyy\\-mm\\-dd".to_string()),
        Value::Time(time) => number(sheet, Some(day_share(*time)), "hh:mm:ss".to_string()),
        Value::Instant(instant) => {
            let (date, time) = (instant.date_in(&jiff::tz::TimeZone::UTC), instant.time_in(&jiff::tz::TimeZone::UTC));
            let moment = day_number(date).map(|day| day + day_share(time));
            number(sheet, moment, "yyyy\\-mm\\-dd\\ hh:mm:ss".to_string())
        }
        Value::Duration(duration) if duration.milliseconds() >= 0 => {
            number(sheet, Some(duration.milliseconds() as f64 / 86_400_000.0), "[h]:mm:ss".to_string())
        }
        Value::Text(text) => sheet.write_string(row, column, text.as_str()).map(|_| ()),
        _ => sheet.write_string(row, column, text()).map(|_| ()),
    }
}

/// The binary number that stands for a decimal in a workbook, if it has few enough digits.
fn exact(number: Decimal) -> Option<f64> {
    let number = number.normalize();
    let digits = number.mantissa().unsigned_abs().to_string().len();
    if digits > DIGITS { None } else { number.to_string().parse().ok() }
}

fn places(whole: &str, digits: u32) -> String {
    if digits == 0 { whole.to_string() } else { format!("{whole}.{}", "0".repeat(digits as usize)) }
}

fn money_format(money: Money) -> String {
    let digits = money.currency.minor_digits().unwrap_or(0).max(money.amount.normalize().scale());
    format!("{} \"{}\"", places("#,##0", digits), money.currency)
}

/// The number of a day, as workbooks count them; they know none before 1900-03-01 that all programs agree on.
fn day_number(date: Date) -> Option<f64> {
    let days = crate::value::temporal::days_since_epoch(date) + 25_569;
    if days >= 61 { Some(days as f64) } else { None }
}

fn day_share(time: Time) -> f64 {
    crate::value::temporal::milliseconds_of_day(time) as f64 / 86_400_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Currency, Duration, Instant};
    use proptest::prelude::*;

    fn example() -> NewSheet {
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        NewSheet {
            name: "Orders".into(),
            headings: ["a", "b", "c"].map(EcoString::from).to_vec(),
            rows: vec![
                vec!["=1+1".into(), Value::Int(-3), Value::Money(Money::new(number("1234.5"), Currency::EUR))],
                vec![Value::Bool(true), Value::Percent(number("0.125")), Value::Date("2026-11-22".parse().unwrap())],
                vec![
                    Value::Time("06:30:00".parse().unwrap()),
                    Value::Instant(Instant::from_milliseconds(1_795_392_000_000).unwrap()),
                    Value::Duration(Duration::from_milliseconds(5_400_000)),
                ],
                vec![Value::Decimal(number("0.1")), Value::Decimal(number("1234567890.123456789")), Value::None],
                vec!["订单".into(), Value::Int(i64::MAX), Value::Date("1899-01-01".parse().unwrap())],
            ],
        }
    }

    #[test]
    fn cells_keep_their_kinds() {
        let book = write(&example()).unwrap();
        assert_eq!(book, write(&example()).unwrap(), "the same content gives the same bytes");
        let sheet = read(&book, " orders").unwrap();
        let rows: Vec<String> = sheet.rows.iter().map(|row| format!("{row:?}")).collect();
        insta::assert_snapshot!(rows.join("\n"), @r#"
        [Text("a"), Text("b"), Text("c")]
        [Text("=1+1"), Number(-3.0), Number(1234.5)]
        [Bool(true), Number(0.125), Moment(2026-11-22T00:00:00)]
        [Moment(1899-12-31T06:30:00), Moment(2026-11-23T00:00:00), Length(5400000)]
        [Number(0.1), Text("1234567890.123456789"), Empty]
        [Text("订单"), Text("9223372036854775807"), Text("1899-01-01")]
        "#);
    }

    #[test]
    fn what_is_no_workbook_is_said() {
        let book = write(&example()).unwrap();
        let wrong = [
            read(&book, "Invoices"),
            read(b"", ""),
            read(b"order_id;price\n1;2\n", ""),
            read(&book[..book.len() / 2], ""),
            read(b"PK\x03\x04", ""),
        ];
        let shown: Vec<String> = wrong.iter().map(|result| result.as_ref().unwrap_err().to_string()).collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        there is no sheet `Invoices`; the workbook has `Orders`
        the file is empty
        it is no workbook (xlsx, xls, ods) that can be read: Cannot detect file format
        it is no workbook (xlsx, xls, ods) that can be read: Cannot detect file format
        it is no workbook (xlsx, xls, ods) that can be read: Cannot detect file format
        ");
        let name = NewSheet { name: "a/b".into(), headings: Vec::new(), rows: Vec::new() };
        insta::assert_snapshot!(write(&name).unwrap_err(), @r#"the workbook can't be made: Worksheet name 'worksheet.set_name("a/b")' cannot contain invalid characters: '[ ] : * ? / \'."#);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn a_damaged_workbook_does_no_harm(at in 0_usize..4000, bytes in proptest::collection::vec(any::<u8>(), 1..20)) {
            let mut book = write(&example()).unwrap();
            let end = (at + bytes.len()).min(book.len());
            if at < end {
                book[at..end].copy_from_slice(&bytes[..end - at]);
            }
            let _ = read(&book, "");
            let _ = read(&bytes, "");
        }
    }
}
