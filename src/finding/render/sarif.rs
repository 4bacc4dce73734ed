//! Findings as SARIF 2.1.0, the form in which code hosts and editors take findings of checkers (OASIS, "Static Analysis
//! Results Interchange Format Version 2.1.0", 2020).

use super::Report;
use crate::finding::{Code, Finding, Fix, Severity};
use crate::text::{Sources, Span};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The schema that the log says it follows.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The log of one run of the checker: a rule for each code that was found, a result for each finding.
///
/// Columns count UTF-16 code units, the default of the standard. Paths are relative to the folder in which the checker was
/// started, unless they were named otherwise.
pub fn render(reports: &[Report<'_>]) -> Value {
    let mut codes: BTreeMap<&'static str, &'static Code> = BTreeMap::new();
    for finding in reports.iter().flat_map(|report| &report.findings) {
        codes.insert(finding.code.id, finding.code);
    }
    let index_of: BTreeMap<&str, usize> = codes.keys().enumerate().map(|(index, id)| (*id, index)).collect();
    let results: Vec<Value> = reports
        .iter()
        .flat_map(|report| report.findings.iter().map(|finding| result(finding, report.sources, &index_of)))
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "rpa",
                    "version": env!("CARGO_PKG_VERSION"),
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "informationUri": env!("CARGO_PKG_REPOSITORY"),
                    "rules": codes.values().map(|code| rule(code)).collect::<Vec<_>>(),
                }
            },
            "columnKind": "utf16CodeUnits",
            "results": results,
        }]
    })
}

fn rule(code: &Code) -> Value {
    let mut help = code.why.to_string();
    let mut markdown = code.why.to_string();
    for (heading, script) in [("Wrong:", code.bad), ("Right:", code.good)] {
        let script = script.trim_matches('\n').trim_end();
        if !script.is_empty() {
            help.push_str(&format!("\n\n{heading}\n\n{script}"));
            markdown.push_str(&format!("\n\n{heading}\n\n```rpa\n{script}\n```"));
        }
    }
    json!({
        "id": code.id,
        "name": pascal(code.id),
        "shortDescription": { "text": code.title },
        "fullDescription": { "text": code.why },
        "help": { "text": help, "markdown": markdown },
        "defaultConfiguration": { "level": level(code.severity) },
        "properties": { "tags": [code.group()] },
    })
}

fn result(finding: &Finding, sources: &Sources, index_of: &BTreeMap<&str, usize>) -> Value {
    let mut result = Map::new();
    result.insert("ruleId".to_string(), json!(finding.code.id));
    result.insert("ruleIndex".to_string(), json!(index_of.get(finding.code.id)));
    result.insert("level".to_string(), json!(level(finding.severity)));
    result.insert("message".to_string(), json!({ "text": said(finding) }));
    let mut labels = finding.labels.iter();
    let main = labels.next().and_then(|label| location(label.span, &label.text, None, sources));
    result.insert("locations".to_string(), Value::Array(main.into_iter().collect()));
    let related: Vec<Value> = labels
        .map(|label| (label.span, &label.text))
        .chain(finding.trace.iter().map(|frame| (frame.span, &frame.name)))
        .enumerate()
        .filter_map(|(index, (span, text))| location(span, text, Some(index + 1), sources))
        .collect();
    if !related.is_empty() {
        result.insert("relatedLocations".to_string(), Value::Array(related));
    }
    if let Some(print) = fingerprint(finding, sources) {
        result.insert("partialFingerprints".to_string(), json!({ "findingInLine/v1": print }));
    }
    if let Some(fix) = fix(finding, sources) {
        result.insert("fixes".to_string(), json!([fix]));
    }
    Value::Object(result)
}

/// The whole finding in words: viewers show only this.
fn said(finding: &Finding) -> String {
    let mut said = finding.message.clone();
    if let Some(label) = finding.labels.first().filter(|label| !label.text.is_empty()) {
        said.push_str(&format!(": {}", label.text));
    }
    for (name, text) in [("note", &finding.note), ("help", &finding.help)] {
        if let Some(text) = text {
            said.push_str(&format!("\n{name}: {text}"));
        }
    }
    said
}

fn location(span: Span, text: &str, id: Option<usize>, sources: &Sources) -> Option<Value> {
    let source = sources.get(span.source)?;
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&source.name) },
            "region": region(span, sources)?,
        }
    });
    let fields = location.as_object_mut()?;
    if let Some(id) = id {
        fields.insert("id".to_string(), json!(id));
    }
    if !text.is_empty() {
        fields.insert("message".to_string(), json!({ "text": text }));
    }
    Some(location)
}

fn region(span: Span, sources: &Sources) -> Option<Value> {
    let (start, end) = (position(span, span.start, sources)?, position(span, span.end.max(span.start), sources)?);
    Some(json!({
        "startLine": start.0,
        "startColumn": start.1,
        "endLine": end.0,
        "endColumn": end.1,
    }))
}

/// Line and column of an offset, both counted from one, columns in UTF-16 code units.
fn position(span: Span, offset: u32, sources: &Sources) -> Option<(usize, usize)> {
    let source = sources.get(span.source)?;
    let offset = (offset as usize).min(source.text.len());
    let line = source.line_of(offset);
    let before = source.text.get(source.line_start(line)..offset)?;
    Some((line + 1, before.encode_utf16().count() + 1))
}

/// Tells findings apart from run to run although lines move: the code with the text of the line, its blanks evened out.
fn fingerprint(finding: &Finding, sources: &Sources) -> Option<String> {
    let span = finding.span()?;
    let source = sources.get(span.source)?;
    let line = source.line(source.line_of(span.start as usize));
    let words: Vec<&str> = line.split_whitespace().collect();
    // FNV-1a, 64 bit: the value must be the same on every machine and in every version.
    let text = format!("{}\n{}\n{}", finding.code.id, source.name, words.join(" "));
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    Some(format!("{hash:016x}"))
}

fn fix(finding: &Finding, sources: &Sources) -> Option<Value> {
    let first = finding.fixes.first()?;
    let source = sources.get(first.span.source)?;
    let replacement = |fix: &Fix| {
        Some(json!({
            "deletedRegion": region(fix.span, sources)?,
            "insertedContent": { "text": fix.replacement },
        }))
    };
    let replacements: Option<Vec<Value>> = finding.fixes.iter().map(replacement).collect();
    Some(json!({
        "description": { "text": finding.help.as_deref().unwrap_or(&finding.message) },
        "artifactChanges": [{
            "artifactLocation": { "uri": uri(&source.name) },
            "replacements": replacements?,
        }],
    }))
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// `DecisionDeadRow` for `decision::dead-row`.
fn pascal(id: &str) -> String {
    let words = id.split([':', '-']).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
        })
        .collect()
}

/// A path as a URI reference (RFC 3986): separators are `/`, other bytes than letters, digits and marks are escaped.
pub(super) fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    if path.starts_with('/') {
        out.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'\\' if cfg!(windows) => out.push('/'),
            b'/' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            byte if byte.is_ascii_alphanumeric() => out.push(byte as char),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
