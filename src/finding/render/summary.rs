//! The last line under a list of findings.

use crate::finding::{Finding, Severity};
use std::collections::HashSet;

/// `2 errors and 1 warning in 3 files`; none when there are no findings.
pub fn summary(findings: &[Finding]) -> Option<String> {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let files: HashSet<_> = findings.iter().filter_map(|finding| finding.span()).map(|span| span.source).collect();
    let found = match (errors, warnings) {
        (0, 0) => return None,
        (errors, 0) => number(errors, "error"),
        (0, warnings) => number(warnings, "warning"),
        (errors, warnings) => format!("{} and {}", number(errors, "error"), number(warnings, "warning")),
    };
    Some(if files.len() < 2 { found } else { format!("{found} in {} files", files.len()) })
}

/// A number with its word: `1 error`, `2 errors`.
pub fn number(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
