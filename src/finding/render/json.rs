//! Findings for programs: one JSON array.

use crate::finding::Finding;
use crate::text::{Sources, Span};
use serde_json::{Value, json};

/// The findings as an array of objects:
/// `{code, title, severity, message, labels, note, help, fixes, trace}`.
///
/// A label is `{file, line, column, end_line, end_column, start, end, text}`, lines and columns counted from one,
/// columns in characters; `end_column` is one past the last character; `start` and `end` are bytes from the beginning of
/// the file, for programs that edit it. The first label is the main one. All `fixes` of a finding are made together.
pub fn render(findings: &[Finding], sources: &Sources) -> Vec<Value> {
    findings.iter().map(|finding| one(finding, sources)).collect()
}

fn one(finding: &Finding, sources: &Sources) -> Value {
    json!({
        "code": finding.code.id,
        "title": finding.code.title,
        "severity": finding.severity.word(),
        "message": finding.message,
        "labels": finding.labels.iter().map(|label| place(label.span, "text", &label.text, sources)).collect::<Value>(),
        "note": finding.note,
        "help": finding.help,
        "fixes": finding.fixes.iter().map(|fix| place(fix.span, "replacement", &fix.replacement, sources)).collect::<Value>(),
        "trace": finding.trace.iter().map(|frame| place(frame.span, "name", &frame.name, sources)).collect::<Value>(),
    })
}

fn place(span: Span, key: &str, text: &str, sources: &Sources) -> Value {
    let (file, start, end) = match sources.get(span.source) {
        Some(source) => {
            let end = (span.end as usize).max(span.start as usize);
            (Some(source.name.as_str()), source.position(span.start as usize), source.position(end))
        }
        None => (None, (0, 0), (0, 0)),
    };
    json!({
        "file": file,
        "line": start.0,
        "column": start.1,
        "end_line": end.0,
        "end_column": end.1,
        "start": span.start,
        "end": span.end.max(span.start),
        key: text,
    })
}
