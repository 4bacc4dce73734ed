//! `csv.read`, `csv.check`, `csv.write`.

mod source;
mod write;

use super::arguments::Arguments;
use super::executor::Executor;
use super::problem::Problem;
use super::table::{BadCell, BadRows, Columns, Converter, Layout, Source};
use crate::check::program::{RecordType, Type};
use crate::compile::code::Code;
use crate::value::{RecordId, Value};
use crate::world::ChangeKind;
use ecow::{EcoString, eco_format};
use source::Survey;

pub(super) use write::{headings, write};

/// How a script says that a file is to be read.
struct Options<'a> {
    path: &'a EcoString,
    separator: &'a str,
    currency: &'a str,
    date_format: &'a str,
    encoding: &'a str,
}

impl<'a> Options<'a> {
    fn new(arguments: &Arguments<'a>) -> Result<Self, Problem> {
        Ok(Options {
            path: arguments.text(0)?,
            separator: arguments.text_or_empty(1)?,
            currency: arguments.text_or_empty(2)?,
            date_format: arguments.text_or_empty(3)?,
            encoding: arguments.text_or_empty(4)?,
        })
    }
}

pub(super) fn read(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let options = Options::new(arguments)?;
    let skip_bad_rows = arguments.bool(5)?;
    let mut bad = BadRows::default();
    let (rows, total) = table(executor, &options, arguments.ty()?, &mut bad, true)?;
    if bad.rows > 0 && !skip_bad_rows {
        return Err(Problem::bad_data(options.path, bad.message(total)));
    }
    if bad.rows > 0 {
        let note = format!("{} was read without what does not fit: {}", options.path, bad.message(total));
        executor.record(ChangeKind::Noted, "warn", note);
    }
    Ok(Value::list(rows))
}

pub(super) fn check(executor: &mut Executor, arguments: &Arguments) -> Result<Value, Problem> {
    let options = Options::new(arguments)?;
    let bad_row = executor.record_type("BadRow")?;
    let mut bad = BadRows::keeping_all();
    table(executor, &options, arguments.ty()?, &mut bad, false)?;
    let rows = bad.cells.into_iter().map(|cell| {
        let fields = [Value::Int(cell.line as i64), cell.column.into(), cell.value.into(), cell.reason.into()];
        Value::record(bad_row, fields)
    });
    Ok(Value::list(rows.collect()))
}

/// The record that rows are read as.
pub(super) fn row_type<'a>(code: &'a Code, ty: &Type) -> Result<(RecordId, &'a RecordType), Problem> {
    let found = match ty {
        Type::Record(id) => code.records.get(id.0 as usize).map(|record| (*id, record)),
        _ => None,
    };
    found.ok_or_else(|| {
        Problem::bad_value("the rows of a file are read as records: give the name of a record, `as: OrderRow`")
    })
}

/// The records of a file (empty unless `keep`), and how many rows it has.
///
/// The file is gone through twice: first to see how it is encoded, separated and writes its numbers, then to read
/// it, so that nothing has to be guessed from its beginning and little of it is held at a time.
fn table(
    executor: &mut Executor,
    options: &Options,
    ty: &Type,
    bad: &mut BadRows,
    keep: bool,
) -> Result<(Vec<Value>, u64), Problem> {
    let code = executor.code;
    let (id, record) = row_type(code, ty)?;
    let wrong = |reason: String| Problem::bad_data(options.path, reason);
    let encoding = source::encoding_named(options.encoding).map_err(wrong)?;
    let separator = source::separator_named(options.separator).map_err(wrong)?;
    let layout = Layout { record };

    let opening = source::open(executor.world.files.as_mut(), options.path, encoding)?;
    let usual = executor.world.settings.currency;
    let survey = Survey::new(opening, options.path, separator, &layout)?;
    let headings: Vec<&str> = survey.headings.iter().map(EcoString::as_str).collect();
    let columns = layout.columns(&headings).map_err(wrong)?;
    let mut converter = Converter::new(code, id, record, &columns, (options.currency, usual), options.date_format)
        .map_err(Problem::bad_value)?;
    let found = survey.rest(&converter.number_columns())?;
    converter.set_numbers(|column| found.numbers.style(column, found.separator == b','));

    let encoded = found.encoded;
    let reader = source::reopen(executor.world.files.as_mut(), options.path, &encoded)?;
    let mut rows = Vec::with_capacity(if keep { found.records.min(1 << 24) as usize } else { 0 });
    let mut total = 0;
    let mut reader = source::csv_reader(reader, found.separator);
    let mut cells = csv::StringRecord::new();
    let mut heads = found.lines_before;
    loop {
        match reader.read_record(&mut cells) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return Err(source::read_problem(options.path, error)),
        }
        if heads > 0 {
            heads -= 1;
            continue;
        }
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        total += 1;
        let line = cells.position().map_or(0, csv::Position::line);
        if let Some(reason) = wrong_length(&columns, record, &cells) {
            bad.add(BadCell {
                line,
                cell: EcoString::new(),
                column: EcoString::new(),
                value: EcoString::new(),
                reason,
            });
            continue;
        }
        let value = converter.row(&cells, line, &|_| EcoString::new(), &mut |cell| bad.add(cell));
        if let Some(value) = value.filter(|_| keep) {
            rows.push(value);
        }
    }
    Ok((rows, total))
}

/// Why a row has too many or too few cells, if it matters: cells that are missing at the end may be those of optional
/// fields, and surplus ones may be empty.
fn wrong_length(columns: &Columns, record: &RecordType, cells: &csv::StringRecord) -> Option<EcoString> {
    let counts = |hint: &str| {
        let (cells, heads) = (cells.len(), columns.count());
        Some(eco_format!(
            "the row has {cells} cell{}, and the head has {heads}{hint}",
            if cells == 1 { "" } else { "s" }
        ))
    };
    if cells.len() > columns.count() {
        let surplus = cells.iter().skip(columns.count()).any(|cell| !cell.trim().is_empty());
        return if surplus { counts("; a separator inside a cell needs quotes around the cell") } else { None };
    }
    let is_needed = |(field, source): (&crate::check::program::Field, &Source)| {
        matches!(source, Source::Column(column) if *column >= cells.len()) && !matches!(field.ty, Type::Optional(_))
    };
    if record.fields.iter().zip(&columns.sources).any(is_needed) { counts("") } else { None }
}

#[cfg(test)]
mod tests;
