//! Findings as JUnit XML, which build servers show as test results: a script is a test case.

use super::Report;
use crate::finding::Finding;
use crate::text::Sources;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What is said of a file.
#[derive(Default)]
struct Case<'r> {
    findings: Vec<(&'r Finding, &'r Sources)>,
    /// Whether it could not be looked at because of something else.
    is_blocked: bool,
}

/// A suite with a case for each file that was looked at or has findings: it fails with them, or passes. One that has
/// none and needs something that has an error is skipped.
pub fn render(reports: &[Report<'_>]) -> String {
    let mut cases: BTreeMap<&str, Case<'_>> = BTreeMap::new();
    for report in reports {
        if let Some(file) = &report.file {
            cases.entry(file).or_default().is_blocked |= report.is_broken;
        }
        for finding in &report.findings {
            let source = finding.span().and_then(|span| report.sources.get(span.source));
            let file = source.map(|source| source.name.as_str()).or(report.file.as_deref());
            cases.entry(file.unwrap_or("the whole")).or_default().findings.push((finding, report.sources));
        }
    }
    let failures = cases.values().filter(|case| !case.findings.is_empty()).count();
    let skipped = cases.values().filter(|case| case.findings.is_empty() && case.is_blocked).count();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ =
        writeln!(out, "<testsuites name=\"rpa check\" tests=\"{}\" failures=\"{failures}\" errors=\"0\">", cases.len());
    let _ = writeln!(
        out,
        "  <testsuite name=\"rpa check\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">",
        cases.len()
    );
    for (file, case) in &cases {
        write_case(&mut out, file, case);
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn write_case(out: &mut String, file: &str, Case { findings, is_blocked }: &Case<'_>) {
    let head = format!("    <testcase name=\"{0}\" classname=\"rpa check\" file=\"{0}\"", escaped(file));
    let Some((first, _)) = findings.first() else {
        let _ = match is_blocked {
            true => writeln!(out, "{head}>\n      <skipped message=\"what it needs has errors\"/>\n    </testcase>"),
            false => writeln!(out, "{head}/>"),
        };
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
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::github;
    use super::*;
    use crate::finding::catalogue::file;
    use crate::text::{Source, Span};

    /// Names and messages as nobody wants them, and as file systems and scripts allow them.
    const ODD: &str = "a,b:c 100% \"q\" <x>&'\r\n\t\u{1}\u{1b}\u{85}\u{fffe} 客]]>.rpa";

    fn of_odd_file<T>(show: impl FnOnce(&[Report<'_>]) -> T) -> T {
        let mut sources = Sources::new();
        let id = sources.add(Source::new(ODD, "fn a() -> int = 1\n"));
        let finding = Finding::new(&file::MISSING, Span::new(id, 3, 4), format!("`{ODD}` is odd")).at(ODD).help(ODD);
        let without = Finding::without_place(&file::MISSING, "no place");
        show(&[Report { file: Some(ODD.into()), is_broken: true, findings: vec![without, finding], sources: &sources }])
    }

    #[test]
    fn odd_names_make_well_formed_xml() {
        let shown = of_odd_file(render);
        // The characters of XML 1.0, without those that it takes for something else when they stand alone.
        let is_allowed = |c: char| matches!(c, '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(shown.chars().all(is_allowed), "{shown:?}");
        assert_eq!(shown.lines().count(), 8, "{shown}");
        let name = "name=\"a,b:c 100% &quot;q&quot; &lt;x&gt;&amp;'&#13;&#10;&#9;\u{fffd}\u{fffd}\u{85}\u{fffd} 客]]&gt;.rpa\"";
        assert!(shown.contains(name), "{shown}");
        let without_entities = shown.replace("&quot;", "").replace("&lt;", "").replace("&gt;", "").replace("&amp;", "");
        let without_entities = without_entities.replace("&#10;", "").replace("&#9;", "").replace("&#13;", "");
        assert!(!without_entities.contains('&'), "{shown}");
    }

    #[test]
    fn odd_names_end_no_workflow_command() {
        let shown = of_odd_file(github::render);
        assert_eq!(shown.lines().count(), 2, "{shown}");
        let name = "a%2Cb%3Ac 100%25 \"q\" <x>&'%0D%0A\t\u{1}\u{1b}\u{85}\u{fffe} 客]]>.rpa";
        for (line, place) in shown.lines().zip(["", "line=1,endLine=1,col=4,endColumn=4,"]) {
            let begins = format!("::error file={name},{place}title=file%3A%3Amissing::");
            assert!(line.starts_with(&begins), "{line}");
        }
        assert!(!shown.contains('\r'));
    }
}
