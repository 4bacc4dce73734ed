//! PDF documents.

use crate::world::{DocumentError, Invoice};
use std::path::PathBuf;

/// Prints documents.
#[derive(Debug)]
pub struct Printer {}

impl Printer {
    /// With these fonts before those that are built in.
    ///
    /// # Errors
    /// When a font can't be read.
    pub fn new(_: &[PathBuf]) -> Result<Printer, DocumentError> {
        Ok(Printer {})
    }

    /// An invoice as a PDF document.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn invoice(&mut self, _: &Invoice) -> Result<Vec<u8>, DocumentError> {
        Err(DocumentError::Unwritable("invoices can't be printed yet".to_string()))
    }
}
