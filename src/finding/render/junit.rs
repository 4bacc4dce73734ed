//! Findings as JUnit XML, which build servers show as test results: a script is a test case.

use super::Report;
use crate::finding::Finding;
use crate::text::Sources;
use std::collections::BTreeMap;
use std::fmt::Write;

/// A suite with a case for each file: it fails with its findings, or passes. `files` are all that were checked.
pub fn render(reports: &[Report<'_>], files: &[String]) -> String {
    let mut cases: BTreeMap<&str, Vec<(&Finding, &Sources)>> =
        files.iter().map(|file| (file.as_str(), Vec::new())).collect();
    for report in reports {
        for finding in &report.findings {
            let source = finding.span().and_then(|span| report.sources.get(span.source));
            let file = source.map_or("the whole", |source| source.name.as_str());
            cases.entry(file).or_default().push((finding, report.sources));
        }
    }
    let failures = cases.values().filter(|findings| !findings.is_empty()).count();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ =
        writeln!(out, "<testsuites name=\"rpa check\" tests=\"{}\" failures=\"{failures}\" errors=\"0\">", cases.len());
    let _ = writeln!(
        out,
        "  <testsuite name=\"rpa check\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\">",
        cases.len()
    );
    for (file, findings) in &cases {
        case(&mut out, file, findings);
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn case(out: &mut String, file: &str, findings: &[(&Finding, &Sources)]) {
    let head = format!("    <testcase name=\"{0}\" classname=\"rpa check\" file=\"{0}\"", escaped(file));
    let Some((first, _)) = findings.first() else {
        let _ = writeln!(out, "{head}/>");
        return;
    };
    let _ = writeln!(out, "{head}>");
    let message = match findings.len() {
        1 => first.message.clone(),
        count => format!("{} (and {} more)", first.message, count - 1),
    };
    let _ = write!(out, "      <failure message=\"{}\" type=\"{}\">", escaped(&message), escaped(first.code.id));
    let texts: Vec<String> = findings.iter().map(|(finding, sources)| described(finding, sources)).collect();
    let _ = writeln!(out, "{}</failure>\n    </testcase>", escaped(&texts.join("\n\n")));
}

/// A finding in lines: place, severity, code and message; then its places, note and help.
fn described(finding: &Finding, sources: &Sources) -> String {
    let place = |span: crate::text::Span| {
        let source = sources.get(span.source)?;
        let (line, column) = source.position(span.start as usize);
        Some(format!("{}:{line}:{column}: ", source.name))
    };
    let at = finding.span().and_then(place).unwrap_or_default();
    let mut lines = vec![format!("{at}{} {}: {}", finding.severity.word(), finding.code.id, finding.message)];
    for label in finding.labels.iter().filter(|label| !label.text.is_empty()) {
        lines.push(format!("  {}{}", place(label.span).unwrap_or_default(), label.text));
    }
    for (name, text) in [("note", &finding.note), ("help", &finding.help)] {
        if let Some(text) = text {
            lines.push(format!("  {name}: {text}"));
        }
    }
    lines.join("\n")
}

/// A text in XML 1.0: marks escaped, characters that XML can't hold shown as the replacement character.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
