//! Fourteen defects that linters of other automation languages are measured by, each planted in a script of
//! `tests/planted` in the line marked `// planted`: which of them are found, and by what.

#![allow(clippy::disallowed_methods, reason = "tests read files")]

use rpa::check::{Memory, check};
use rpa::text::Source;
use std::path::Path;

/// A script with a defect, and the code that must be reported in its marked line; none for what is not found yet.
const PLANTED: &[(&str, Option<&str>)] = &[
    ("01-undefined-variable", Some("name::unknown")),
    ("02-unknown-task", Some("name::unknown")),
    ("03-wrong-argument-count", Some("type::unknown-argument")),
    ("04-unreachable-code", Some("flow::unreachable")),
    ("05-assigned-and-never-used", Some("unused::local")),
    ("06-return-where-none-belongs", Some("flow::place")),
    ("07-hard-coded-password", Some("secret::literal")),
    ("08-password-in-a-log", Some("type::secret")),
    ("09-swallowed-failure", Some("flow::swallowed")),
    ("10-endless-loop", Some("flow::no-end")),
    ("11-nested-retry", Some("effect::retry-product")),
    ("12-mail-under-retry", Some("effect::retry-mail")),
    ("13-self-recursive-task", Some("flow::endless")),
    ("14-text-plus-number", Some("type::operator")),
];

/// What is found in a script, and the codes in its marked line.
fn found(name: &str) -> (Vec<String>, Vec<&'static str>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/planted").join(format!("{name}.rpa"));
    let text = std::fs::read_to_string(path).expect("the script is there");
    let marked = text.lines().position(|line| line.ends_with("// planted")).expect("a line is marked");
    let checked = check(Source::new(format!("{name}.rpa"), text), &Memory::new());
    let mut all = Vec::new();
    let mut here = Vec::new();
    for finding in &checked.findings {
        let lines: Vec<usize> = finding
            .labels
            .iter()
            .filter_map(|label| Some(checked.sources.get(label.span.source)?.line_of(label.span.start as usize)))
            .collect();
        if lines.contains(&marked) {
            here.push(finding.code.id);
        }
        all.push(format!("{} (lines {lines:?}): {}", finding.code.id, finding.message));
    }
    (all, here)
}

#[test]
fn planted_defects_are_found_where_they_are() {
    let mut offences = Vec::new();
    for (name, code) in PLANTED {
        let (all, here) = found(name);
        match code {
            Some(code) if !here.contains(code) => {
                offences.push(format!("{name}: no {code} in the marked line, but\n  {}", all.join("\n  ")));
            }
            None if !here.is_empty() => {
                offences.push(format!("{name}: found now, by {here:?}: write it down in PLANTED"));
            }
            _ => {}
        }
        // One defect, one finding, or few: nobody is told the same thing in three ways.
        if all.len() > 2 {
            offences.push(format!("{name}: one defect makes {} findings\n  {}", all.len(), all.join("\n  ")));
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n\n"));
}

#[test]
fn the_list_is_complete() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/planted");
    let scripts = std::fs::read_dir(folder).expect("the folder is there").count();
    assert_eq!((PLANTED.len(), scripts), (14, 14));
}
