//! PDF documents: text is set with embedded fonts and can be searched, copied and read aloud.

mod font;
mod invoice;
mod page;
mod text;
mod write;

use crate::world::{DocumentError, Invoice};
use font::FontBook;
use std::path::PathBuf;
use write::About;

/// Prints documents. Keeps its fonts, and what it has found in them, from one document to the next.
#[derive(Debug)]
pub struct Printer {
    fonts: FontBook,
}

impl Printer {
    /// With the fonts of these files (TrueType or OpenType) before those that are built in.
    ///
    /// # Errors
    /// When a font can't be read.
    pub fn new(fonts: &[PathBuf]) -> Result<Printer, DocumentError> {
        Ok(Printer { fonts: FontBook::new(fonts)? })
    }

    /// Another printer with the same fonts, for another thread.
    pub fn another(&self) -> Printer {
        Printer { fonts: self.fonts.another() }
    }

    /// An invoice as a PDF document. The same invoice gives the same bytes.
    ///
    /// # Errors
    /// When a font can't be embedded.
    pub fn invoice(&mut self, invoice: &Invoice) -> Result<Vec<u8>, DocumentError> {
        let pages = invoice::lay_out(&mut self.fonts, invoice);
        let about = About {
            title: format!("{} {}", invoice.title, invoice.number),
            author: invoice.seller.lines().next().unwrap_or_default().trim().to_string(),
            written: invoice.issued,
        };
        write::document(&mut self.fonts, &pages, &about)
    }
}
