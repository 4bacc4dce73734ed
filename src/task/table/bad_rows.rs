//! What does not fit, kept for the message or for `csv.check`.

use ecow::EcoString;

/// How many cells a message lists.
const LISTED: usize = 10;

/// A cell, or a whole row, that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::task) struct BadCell {
    /// The line of the file, or the row of the sheet, from 1.
    pub line: u64,
    /// The name of a cell of a sheet: `B4`; empty for text files.
    pub cell: EcoString,
    /// How the file calls the column; empty when the whole row is meant.
    pub column: EcoString,
    /// What stands there; masked for personal data and secrets.
    pub value: EcoString,
    /// What is wrong with it.
    pub reason: EcoString,
}

/// Everything that does not fit.
#[derive(Debug, Clone, Default)]
pub(in crate::task) struct BadRows {
    /// The cells, all of them or the first ones.
    pub cells: Vec<BadCell>,
    /// Whether all are kept.
    keep_all: bool,
    /// How many cells were bad.
    count: u64,
    /// How many rows were.
    pub rows: u64,
    last: Option<u64>,
}

impl BadRows {
    /// For `csv.check`, which gives them all.
    pub fn keeping_all() -> Self {
        BadRows { keep_all: true, ..BadRows::default() }
    }

    /// One more.
    pub fn add(&mut self, bad: BadCell) {
        if self.last != Some(bad.line) {
            self.last = Some(bad.line);
            self.rows += 1;
        }
        self.count += 1;
        if self.keep_all || self.cells.len() < LISTED {
            self.cells.push(bad);
        }
    }

    /// The list for a message, of a file with so many rows.
    pub fn message(&self, total: u64) -> String {
        let mut message = match (self.rows, total) {
            (1, 1) => "its only row does not fit:".to_string(),
            (1, total) => format!("1 of {total} rows does not fit:"),
            (rows, total) => format!("{rows} of {total} rows do not fit:"),
        };
        for bad in self.cells.iter().take(LISTED) {
            let place = if bad.cell.is_empty() { format!("line {}", bad.line) } else { format!("cell {}", bad.cell) };
            message.push_str(&match bad.column.as_str() {
                "" => format!("\n  {place}: {}", bad.reason),
                column => format!("\n  {place}, {column}: {}", bad.reason),
            });
        }
        let more = self.count.saturating_sub(LISTED as u64);
        if more > 0 {
            message.push_str(&format!("\n  and {more} more"));
        }
        message
    }
}
