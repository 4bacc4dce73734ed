//! Documents for offices: workbooks and PDF.

mod excel;
pub mod pdf;
mod press;

use crate::world::{DocumentError, Documents, Invoice, NewSheet, Project, Sheet};
use press::Press;
use std::path::PathBuf;

/// Reads and makes real documents.
#[derive(Debug, Default)]
pub struct OfficeDocuments {
    fonts: Vec<PathBuf>,
    printer: Option<pdf::Printer>,
    /// Prints on other threads, once it was asked to.
    press: Option<Press>,
}

impl OfficeDocuments {
    /// Documents with the fonts that a project names, before those that are built in. The fonts are read when the first
    /// document is printed.
    pub fn new(project: &Project) -> Self {
        OfficeDocuments { fonts: project.pdf.fonts.clone(), printer: None, press: None }
    }
}

impl OfficeDocuments {
    fn printer(&mut self) -> Result<&mut pdf::Printer, DocumentError> {
        let printer = match self.printer.take() {
            Some(printer) => printer,
            None => pdf::Printer::new(&self.fonts)?,
        };
        Ok(self.printer.insert(printer))
    }
}

impl Documents for OfficeDocuments {
    fn read_sheet(&mut self, workbook: &[u8], sheet: &str) -> Result<Sheet, DocumentError> {
        excel::read(workbook, sheet)
    }

    fn write_sheet(&mut self, sheet: &NewSheet) -> Result<Vec<u8>, DocumentError> {
        excel::write(sheet)
    }

    fn print_invoice(&mut self, invoice: &Invoice) -> Result<Vec<u8>, DocumentError> {
        match self.press.as_mut().and_then(|press| press.take(invoice)) {
            Some(printed) => printed,
            None => self.printer()?.invoice(invoice),
        }
    }

    fn begin_invoice(&mut self, invoice: &Invoice) -> bool {
        if self.press.is_none() {
            // What is wrong with the fonts is said by whoever prints.
            let Ok(printer) = self.printer() else { return false };
            let press = Press::new(printer);
            self.press = Some(press);
        }
        self.press.as_mut().is_some_and(|press| press.begin(invoice))
    }
}
