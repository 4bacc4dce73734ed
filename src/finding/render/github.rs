//! Findings as workflow commands of GitHub Actions: a line each, shown beside the changed line of a pull request.

use super::Report;
use crate::finding::{Finding, Severity};
use std::fmt::Write;

/// A command a finding: `::error file=orders.rpa,line=3,…,title=name::unknown::there is no …`.
pub fn render(reports: &[Report<'_>]) -> String {
    let mut out = String::new();
    for report in reports {
        for finding in &report.findings {
            one(&mut out, finding, report);
        }
    }
    out
}

fn one(out: &mut String, finding: &Finding, report: &Report<'_>) {
    let sources = report.sources;
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut properties = String::new();
    if let Some(span) = finding.span()
        && let Some(source) = sources.get(span.source)
    {
        let (line, column) = source.position(span.start as usize);
        let (end_line, end_column) = source.position(span.end.max(span.start) as usize);
        let _ = write!(properties, "file={},line={line},endLine={end_line}", property(&source.name));
        // Columns are understood only within one line; there the last one is included.
        if line == end_line {
            let _ = write!(properties, ",col={column},endColumn={}", end_column.saturating_sub(1).max(column));
        }
        properties.push(',');
    } else if let Some(file) = &report.file {
        let _ = write!(properties, "file={},", property(file));
    }
    let _ = write!(properties, "title={}", property(finding.code.id));
    let mut message = finding.message.clone();
    if let Some(label) = finding.labels.first().filter(|label| !label.text.is_empty()) {
        let _ = write!(message, ": {}", label.text);
    }
    for label in finding.labels.iter().skip(1) {
        if let Some(source) = sources.get(label.span.source) {
            let (line, _) = source.position(label.span.start as usize);
            let _ = write!(message, "\n{}:{line}: {}", source.name, label.text);
        }
    }
    for (name, text) in [("note", &finding.note), ("help", &finding.help)] {
        if let Some(text) = text {
            let _ = write!(message, "\n{name}: {text}");
        }
    }
    let _ = writeln!(out, "::{command} {properties}::{}", data(&message));
}

/// A message: one line, with the signs that would end it escaped.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property: as a message, and without the signs that end a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
