//! The last line under findings.

use crate::finding::{Finding, Severity};
use crate::text::Sources;
use std::collections::HashSet;
use std::fmt;

/// Counts findings: `2 errors and 1 warning in 3 files`.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// How many errors there are.
    pub errors: usize,
    /// How many warnings there are.
    pub warnings: usize,
    /// The names of the sources in which they are.
    files: HashSet<String>,
}

impl Tally {
    /// Takes findings in.
    pub fn add(&mut self, findings: &[Finding], sources: &Sources) {
        for finding in findings {
            match finding.severity {
                Severity::Error => self.errors += 1,
                Severity::Warning => self.warnings += 1,
            }
            if let Some(source) = finding.span().and_then(|span| sources.get(span.source)) {
                self.files.insert(source.name.clone());
            }
        }
    }

    /// Whether there are no findings.
    pub fn is_empty(&self) -> bool {
        self.errors + self.warnings == 0
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.errors, self.warnings) {
            (0, 0) => return f.write_str("no findings"),
            (errors, 0) => f.write_str(&number(errors, "error"))?,
            (0, warnings) => f.write_str(&number(warnings, "warning"))?,
            (errors, warnings) => write!(f, "{} and {}", number(errors, "error"), number(warnings, "warning"))?,
        }
        match self.files.len() {
            0 | 1 => Ok(()),
            files => write!(f, " in {files} files"),
        }
    }
}

/// A number with its word: `1 error`, `2 errors`.
pub fn number(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
