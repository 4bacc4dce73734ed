//! Tests of the parser.

mod findings;
mod hostile;
mod plain_cells;
pub mod tree;
mod trees;

use super::parse;
use crate::finding::Finding;
use crate::text::{Source, SourceId};

/// Findings as plain text: place, line, carets, message, labels, help.
pub fn plain(text: &str, findings: &[Finding]) -> String {
    let source = Source::new("script", text);
    let mut out = String::new();
    for finding in findings {
        out += &format!("{}: {}\n", finding.code.id, finding.message);
        for label in &finding.labels {
            let (line, column) = source.position(label.span.start as usize);
            let shown = source.line(line - 1).replace('\t', " ");
            let length =
                text.get(label.span.range()).map_or(0, |t| t.lines().next().unwrap_or("").chars().count()).max(1);
            let shown: String = shown.chars().take(100).collect();
            out += &format!(
                "{line:>4} | {shown}\n     | {}{} {}\n",
                " ".repeat(column - 1),
                "^".repeat(length),
                label.text
            );
        }
        if let Some(note) = &finding.note {
            out += &format!("     = {note}\n");
        }
        if let Some(help) = &finding.help {
            out += &format!("     = help: {help}\n");
        }
        for fix in &finding.fixes {
            out += &format!("     = fix: {:?} -> {:?}\n", text.get(fix.span.range()).unwrap_or("?"), fix.replacement);
        }
    }
    out
}

#[test]
fn reads_the_one_page_script() {
    let text = include_str!("../../../tests/scripts/one_page.rpa");
    let (script, findings) = parse(SourceId(0), text);
    assert_eq!(plain(text, &findings), "");
    assert_eq!(script.items.len(), 11);
}

#[allow(clippy::disallowed_methods)] // tests read the scripts of the house
/// Every script of the house: the standard library, the examples, those of the tests.
pub fn all_scripts() -> Vec<(std::path::PathBuf, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<_> =
        ["src/library", "examples", "tests/scripts", "benches"].map(|name| root.join(name)).into();
    let mut scripts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rpa") {
                let text = std::fs::read_to_string(&path).unwrap();
                scripts.push((path, text));
            }
        }
    }
    assert!(scripts.len() > 5);
    scripts
}

#[test]
fn reads_every_script() {
    let mut report = String::new();
    for (path, text) in all_scripts() {
        let (_, findings) = parse(SourceId(0), &text);
        if !findings.is_empty() {
            report += &format!("── {}\n{}", path.display(), plain(&text, &findings));
        }
    }
    assert_eq!(report, "");
}
