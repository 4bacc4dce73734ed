//! Tables whose rows come from CSV and Excel files.
//!
//! The sheet is written out as lines of cells, one line a row, which becomes a source like any other: so
//! findings can show the row that they speak of, and name the cell as the spreadsheet does.

use crate::check::Checker;
use crate::check::program::Type;
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::{self, Cell, Column, ColumnKind, ExprKind, TableCell, TableRow, TextLiteral, TextPart};
use crate::syntax::{self, CellKind};
use crate::text::{Source, Span};
use ecow::EcoString;
use rust_decimal::Decimal;

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Imported {
    pub columns: Vec<Column>,
    pub rows: Vec<TableRow>,
    /// What people call each row: `discount.xlsx, row 4`.
    pub names: Vec<EcoString>,
}

impl Checker<'_> {
    /// Reads the rows of a table from a file; none when that can't be done, which has been reported.
    pub(super) fn import_table(&mut self, path: &TextLiteral, sheet: Option<&TextLiteral>) -> Option<Imported> {
        let name = self.plain_text(path, "the path of a table");
        let sheet_name = sheet.map(|sheet| self.plain_text(sheet, "the name of a sheet"));
        let cells = self.read_sheet(&name, path.span, sheet_name.as_deref())?;
        let file = name.rsplit(['/', '\\']).next().unwrap_or(&name).to_string();
        self.lay_out(&file, path.span, &cells)
    }

    fn read_sheet(&mut self, name: &str, span: Span, sheet: Option<&str>) -> Option<Vec<Vec<String>>> {
        let source = self.names.modules.get(self.module)?.source;
        let from = self.program.sources.get(source)?.clone();
        let unreadable = |checker: &mut Self, why: String| {
            let finding =
                Finding::new(&catalogue::decision::FILE, span, format!("the table `{name}` can't be read: {why}"))
                    .at("named here")
                    .help(format!("the path is relative to the script that says it, `{}`", from.name));
            checker.report(finding);
        };
        let bytes = match self.loader.read(&from, name) {
            Ok(bytes) => bytes,
            Err(error) => {
                unreadable(self, error.to_string());
                return None;
            }
        };
        if let Some(cells) = self.loader.laid_out(&bytes) {
            return Some(cells);
        }
        let lower = name.to_lowercase();
        if [".xlsx", ".xls", ".xlsm", ".ods"].iter().any(|ending| lower.ends_with(ending)) {
            return match self.loader.sheet(&bytes, sheet) {
                Ok(cells) => Some(cells),
                Err(error) => {
                    unreadable(self, error.to_string());
                    None
                }
            };
        }
        match csv_cells(&bytes) {
            Ok(cells) => Some(cells),
            Err(why) => {
                unreadable(self, why);
                None
            }
        }
    }

    /// Writes the cells out as a source, and reads them as a table of the language.
    fn lay_out(&mut self, file: &str, span: Span, cells: &[Vec<String>]) -> Option<Imported> {
        let head = cells.iter().position(|row| row.iter().any(|cell| !cell.trim().is_empty()));
        let Some(head) = head else {
            let finding = Finding::new(&catalogue::decision::FILE, span, format!("the table `{file}` is empty"))
                .at("named here")
                .help("its first row says what each column holds, such as `tier` and `=> discount`");
            self.report(finding);
            return None;
        };
        let last_used =
            |row: &Vec<String>| row.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |last| last + 1);
        let width = cells[head..].iter().map(last_used).max().unwrap_or_default();
        let mut text = String::new();
        // Per row and column, where its text lies.
        let mut places: Vec<Vec<(usize, usize)>> = Vec::with_capacity(cells.len());
        for row in cells {
            let mut of_row = Vec::with_capacity(width);
            text.push('|');
            for column in 0..width {
                let cell = row.get(column).map(|cell| cell.trim().replace(['\n', '\r'], " ")).unwrap_or_default();
                text.push(' ');
                let start = text.len();
                text.push_str(&cell);
                of_row.push((start, text.len()));
                text.push_str(" |");
            }
            text.push('\n');
            places.push(of_row);
        }
        let source = self.program.sources.add(Source::new(file, text.as_str()));
        let place = |row: usize, column: usize| {
            let (start, end) = places.get(row).and_then(|row| row.get(column)).copied().unwrap_or((0, 0));
            Span::new(source, start, end)
        };
        let mut imported = Imported::default();
        for column in 0..width {
            let at = place(head, column);
            self.names.cells.insert(at, (file.into(), column, head));
            let written = text.get(at.range()).unwrap_or_default();
            // Spreadsheets take what begins with `=` for a formula, so the last column may do without its `=> name`.
            if column + 1 == width && !imported.columns.iter().any(is_outcome) && is_plain_heading(written) {
                imported.columns.push(Column { kind: ColumnKind::Outcome(None), span: at });
                continue;
            }
            let (kind, findings) = syntax::parse_column(source, written, at.start as usize);
            self.cell_findings(findings, &cell_title(file, column, head));
            if written.is_empty() {
                let finding = Finding::new(
                    &catalogue::decision::FILE,
                    at,
                    format!("{}: the column has no heading", cell_title(file, column, head)),
                )
                .at("says nothing")
                .help("write a parameter, an expression, `when` or `=> name` at the head of every column");
                self.report(finding);
            }
            imported.columns.push(Column { kind: kind.unwrap_or(ColumnKind::When), span: at });
        }
        for (row, row_cells) in cells.iter().enumerate().skip(head + 1) {
            if row_cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let mut of_row = Vec::with_capacity(width);
            for column in 0..width {
                let at = place(row, column);
                self.names.cells.insert(at, (file.into(), column, row));
                let written = text.get(at.range()).unwrap_or_default();
                let cell =
                    self.imported_cell(written, at, &imported.columns[column].kind, &cell_title(file, column, row));
                of_row.push(TableCell { cell, span: at });
            }
            let first = of_row.first().map_or(span, |cell: &TableCell| cell.span);
            let last = of_row.last().map_or(span, |cell| cell.span);
            imported.rows.push(TableRow { cells: of_row, span: first.to(last) });
            imported.names.push(ecow::eco_format!("{file}, row {}", row + 1));
        }
        if imported.rows.is_empty() {
            let finding = Finding::new(&catalogue::decision::FILE, span, format!("the table `{file}` has no rows"))
                .at("decides nothing")
                .help(
                    "tables are read from text with commas, semicolons or tabs (.csv) and from workbooks (.xlsx, .xls, \
                     .ods): the first row says what each column holds, then comes a row for each case",
                );
            self.report(finding);
            return None;
        }
        Some(imported)
    }

    fn imported_cell(&mut self, written: &str, at: Span, column: &ColumnKind, title: &str) -> Cell {
        // An empty cell says nothing of its column.
        if written.is_empty() && !matches!(column, ColumnKind::Outcome(_)) {
            return Cell::Anything;
        }
        if written.is_empty() {
            let finding = Finding::new(&catalogue::decision::OUTCOME, at, format!("{title}: the outcome is missing"))
                .at("gives nothing")
                .help("write what this row gives");
            self.report(finding);
            return Cell::Broken;
        }
        let kind = match column {
            ColumnKind::Test(_) => CellKind::Test,
            ColumnKind::When => CellKind::Condition,
            ColumnKind::Outcome(_) => CellKind::Outcome,
        };
        let (mut cell, findings) = syntax::parse_cell(at.source, written, at.start as usize, kind);
        self.cell_findings(findings, title);
        self.quote_words(&mut cell);
        cell
    }

    fn cell_findings(&mut self, findings: Vec<Finding>, title: &str) {
        for mut finding in findings {
            finding.message = format!("{title}: {}", finding.message);
            self.report(finding);
        }
    }

    /// In a sheet nobody writes quotes: a word that means nothing else is a text.
    fn quote_words(&self, cell: &mut Cell) {
        let quote = |expr: &mut tree::Expr| {
            if let ExprKind::Name(name) = &expr.kind {
                let known = self.body.lookup(name).is_some()
                    || self.names.members.contains_key(name)
                    || self.peek_global(self.module, name).is_some();
                if !known {
                    let parts = vec![TextPart::Characters(name.clone())];
                    expr.kind = ExprKind::Text(TextLiteral { parts, multiline: false, span: expr.span });
                }
            }
        };
        match cell {
            Cell::Value(expr) | Cell::Compare(_, expr) | Cell::Outcome(expr) => quote(expr),
            Cell::Range(from, to) => {
                quote(from);
                quote(to);
            }
            Cell::Not(inner) => self.quote_words(inner),
            Cell::OneOf(cells) | Cell::And(cells) | Cell::Or(cells) => {
                cells.iter_mut().for_each(|cell| self.quote_words(cell));
            }
            _ => {}
        }
    }

    /// What people call the cell at a place: `discount.xlsx, cell B4`.
    pub(super) fn cell_name(&self, span: Span) -> Option<String> {
        let (file, column, row) = self.names.cells.get(&span)?;
        Some(cell_title(file, *column, *row))
    }
}

fn is_outcome(column: &Column) -> bool {
    matches!(column.kind, ColumnKind::Outcome(_))
}

/// Whether a heading has no `=>` of its own.
fn is_plain_heading(written: &str) -> bool {
    !written.starts_with("=>")
}

/// Numbers of a sheet take the unit of their column: 0.15 is 15% there, and 1000 is 1000 EUR where the type says so.
pub(super) fn adopt_units(cell: &mut Cell, ty: &Type) {
    let adopt = |expr: &mut tree::Expr| {
        let number = match &expr.kind {
            ExprKind::Int(number) => Decimal::from(*number),
            ExprKind::Decimal(number) => *number,
            _ => return,
        };
        match ty.present() {
            Type::Percent => {
                if let Some(hundredths) = number.checked_mul(Decimal::ONE_HUNDRED) {
                    expr.kind = ExprKind::Percent(hundredths.normalize());
                }
            }
            Type::Money(Some(currency)) => {
                let currency = tree::Name { text: currency.code().into(), span: expr.span };
                expr.kind = ExprKind::Money { amount: number, currency };
            }
            // Sheets know no whole numbers: 5 may come as 5.0.
            Type::Int if number.fract().is_zero() => {
                if let Ok(whole) = i64::try_from(number.trunc().mantissa()) {
                    expr.kind = ExprKind::Int(whole);
                }
            }
            _ => {}
        }
    };
    match cell {
        Cell::Value(expr) | Cell::Compare(_, expr) | Cell::Outcome(expr) => adopt(expr),
        Cell::Range(from, to) => {
            adopt(from);
            adopt(to);
        }
        Cell::Not(inner) => adopt_units(inner, ty),
        Cell::OneOf(cells) | Cell::And(cells) | Cell::Or(cells) => {
            cells.iter_mut().for_each(|cell| adopt_units(cell, ty));
        }
        _ => {}
    }
}

fn cell_title(file: &str, column: usize, row: usize) -> String {
    format!("{file}, cell {}{}", letters(column), row + 1)
}

/// The letters of a column in a spreadsheet: A to Z, AA …
fn letters(mut column: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(char::from(b'A' + (column % 26) as u8));
        if column < 26 {
            break;
        }
        column = column / 26 - 1;
    }
    letters.iter().rev().collect()
}

/// The cells of a CSV file; the separator is the one that its first line has most of.
fn csv_cells(bytes: &[u8]) -> Result<Vec<Vec<String>>, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |separator: u8| first.iter().filter(|byte| **byte == separator).count();
    let separator = [b';', b'\t', b','].into_iter().max_by_key(|separator| count(*separator)).unwrap_or(b',');
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(bytes);
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        // Blank lines are left out by the reader; lines keep their numbers all the same.
        let line = record.position().map_or(rows.len(), |position| position.line() as usize - 1);
        while rows.len() < line {
            rows.push(Vec::new());
        }
        rows.push(record.iter().map(str::to_string).collect());
    }
    Ok(rows)
}
