//! Documents that offices exchange: workbooks and printed invoices. The windows know the formats; what the
//! rows and lines mean is decided by those who ask.

use crate::value::{Date, Decimal, Money, Value};
use ecow::EcoString;

/// Why a document could not be read or made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The bytes are not such a document, or it is damaged or protected.
    #[error("{0}")]
    Unreadable(String),
    /// The workbook has no such sheet.
    #[error("there is no sheet `{sheet}`; the workbook has {}", list(.available))]
    NoSheet {
        /// The sheet that was asked for.
        sheet: String,
        /// Those that there are.
        available: Vec<String>,
    },
    /// The document can't hold this.
    #[error("{0}")]
    Unwritable(String),
}

fn list(names: &[String]) -> String {
    match names {
        [] => "none".to_string(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

/// What a sheet holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// Its name.
    pub name: String,
    /// The row of the first cell that is not empty, counted from 0.
    pub first_row: u32,
    /// The column of the first cell that is not empty, counted from 0.
    pub first_column: u32,
    /// The rows from there on, all of the same length.
    pub rows: Vec<Vec<SheetCell>>,
}

/// A cell of a sheet.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum SheetCell {
    /// Nothing.
    #[default]
    Empty,
    /// Characters.
    Text(EcoString),
    /// A number, percents as their fraction.
    Number(f64),
    /// True or false.
    Bool(bool),
    /// A day and time; a day alone has midnight, a time of day alone 1899-12-31 or the day before.
    Moment(jiff::civil::DateTime),
    /// A length of time, in milliseconds.
    Length(i64),
    /// A formula that failed: `#DIV/0!`.
    Error(EcoString),
}

/// A sheet to be written. Amounts, percents, days and times become cells of their kind; lists, maps and
/// records are given as text.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSheet {
    /// Its name.
    pub name: EcoString,
    /// The first row.
    pub headings: Vec<EcoString>,
    /// The rows below.
    pub rows: Vec<Vec<Value>>,
}

/// An invoice to be printed.
#[derive(Debug, Clone, PartialEq)]
pub struct Invoice {
    /// What it is called: `Invoice`, `Credit note`.
    pub title: EcoString,
    /// Its number.
    pub number: EcoString,
    /// The day it was written.
    pub issued: Date,
    /// The day it is to be paid.
    pub due: Date,
    /// Who sells: name and address, a line each.
    pub seller: EcoString,
    /// Who buys: name and address, a line each.
    pub buyer: EcoString,
    /// What the buyer knows it by; may be empty.
    pub reference: EcoString,
    /// Its lines.
    pub lines: Vec<InvoiceLine>,
    /// The tax, a row for each rate.
    pub taxes: Vec<InvoiceTax>,
    /// The sum before tax.
    pub net: Money,
    /// All taxes.
    pub tax: Money,
    /// What is to be paid.
    pub gross: Money,
    /// A text below the sums; may be empty.
    pub note: EcoString,
}

/// A line of an invoice.
#[derive(Debug, Clone, PartialEq)]
pub struct InvoiceLine {
    /// Its position, from 1.
    pub position: i64,
    /// What is sold.
    pub description: EcoString,
    /// How much of it, with its unit.
    pub quantity: EcoString,
    /// The price of one, before tax.
    pub unit_price: Money,
    /// The rate of its tax, as a fraction.
    pub tax_rate: Decimal,
    /// Its price before tax.
    pub net: Money,
}

/// The tax of one rate.
#[derive(Debug, Clone, PartialEq)]
pub struct InvoiceTax {
    /// The rate, as a fraction.
    pub rate: Decimal,
    /// What is taxed.
    pub net: Money,
    /// The tax.
    pub tax: Money,
}

/// Reads and makes documents. Works on bytes alone; files are another window.
pub trait Documents: Send {
    /// A sheet of a workbook (xlsx, xlsm, xlsb, xls, ods); the first one for an empty name.
    fn read_sheet(&mut self, workbook: &[u8], sheet: &str) -> Result<Sheet, DocumentError>;

    /// A workbook (xlsx) with one sheet. The same content gives the same bytes.
    fn write_sheet(&mut self, sheet: &NewSheet) -> Result<Vec<u8>, DocumentError>;

    /// An invoice as a PDF document. The same content gives the same bytes.
    fn print_invoice(&mut self, invoice: &Invoice) -> Result<Vec<u8>, DocumentError>;

    /// Lets another thread begin to print an invoice, so that [`Documents::print_invoice`] of the same one has less to
    /// do; false when there is none to spare. Nothing is lost when it is never asked for.
    fn begin_invoice(&mut self, _invoice: &Invoice) -> bool {
        false
    }
}

/// Knows no documents: for tests of what needs none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoDocuments;

impl Documents for NoDocuments {
    fn read_sheet(&mut self, _: &[u8], _: &str) -> Result<Sheet, DocumentError> {
        Err(DocumentError::Unreadable("workbooks can't be read here".to_string()))
    }

    fn write_sheet(&mut self, _: &NewSheet) -> Result<Vec<u8>, DocumentError> {
        Err(DocumentError::Unwritable("workbooks can't be written here".to_string()))
    }

    fn print_invoice(&mut self, _: &Invoice) -> Result<Vec<u8>, DocumentError> {
        Err(DocumentError::Unwritable("invoices can't be printed here".to_string()))
    }
}
