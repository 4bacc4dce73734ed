//! Documents for offices: workbooks and PDF.

mod excel;
pub mod pdf;

use crate::world::{DocumentError, Documents, Invoice, NewSheet, Project, Sheet};
use std::path::PathBuf;

/// Reads and makes real documents.
#[derive(Debug, Default)]
pub struct OfficeDocuments {
    fonts: Vec<PathBuf>,
    printer: Option<pdf::Printer>,
}

impl OfficeDocuments {
    /// Documents with the fonts that a project names, before those that are built in. The fonts are read when the first
    /// document is printed.
    pub fn new(project: &Project) -> Self {
        OfficeDocuments { fonts: project.pdf.fonts.clone(), printer: None }
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
        if self.printer.is_none() {
            self.printer = Some(pdf::Printer::new(&self.fonts)?);
        }
        match &mut self.printer {
            Some(printer) => printer.invoice(invoice),
            None => Err(DocumentError::Unwritable("there is no printer".to_string())),
        }
    }
}
