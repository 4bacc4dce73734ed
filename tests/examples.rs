//! The library and the examples: every script is checked without findings and stands in the one layout, and what its
//! tests say holds.

mod support;

use rpa::text::{Source, Sources};
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_script_stands_in_the_one_layout() {
    let mut all = support::scripts(&root().join("examples"));
    all.extend(support::scripts(&root().join("src/library")));
    assert!(all.len() > 20);
    let mut report = String::new();
    for path in all {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut sources = Sources::new();
        let id = sources.add(Source::new(name.as_str(), text.as_str()));
        match rpa::format::format_source(id, &text) {
            Ok(formatted) if formatted == text => {}
            Ok(formatted) if std::env::var_os("RPA_WRITE_DOCS").is_some() => std::fs::write(&path, formatted).unwrap(),
            Ok(_) => report += &format!("{name} is not in the one layout: rpa fmt {name}\n"),
            Err(findings) => report += &support::shown(&findings, &sources),
        }
    }
    assert!(report.is_empty(), "{report}");
}

#[test]
fn every_example_is_checked_without_findings_and_its_tests_hold() {
    let mut report = String::new();
    let mut count = 0;
    for path in support::scripts(&root().join("examples")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let checked = support::check(&path, &text);
        report += &support::shown(&checked.findings, &checked.sources);
        let Some(program) = checked.program else { continue };
        let (tests, problems) = support::run_tests(program, &path);
        count += tests;
        for problem in problems {
            report += &format!("{}: {problem}\n", path.strip_prefix(root()).unwrap().display());
        }
    }
    assert!(report.is_empty(), "{report}");
    assert!(count > 30, "the examples have {count} tests");
}
