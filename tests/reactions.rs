//! Reactive rules in real runs: the `test` blocks of the scripts in `tests/reactions`, each on an empty store, and
//! what people are told of rules that fire.

#![allow(clippy::disallowed_methods, reason = "tests read and write files")]

mod support;

use std::path::Path;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reactions")
}

#[test]
fn rules_do_what_the_scripts_say() {
    let mut report = String::new();
    for path in support::scripts(&folder()) {
        let text = std::fs::read_to_string(&path).unwrap();
        let checked = support::check(&path, &text);
        report += &support::shown(&checked.findings, &checked.sources);
        let Some(program) = checked.program else { continue };
        let (tests, problems) = support::run_tests(program, &path);
        assert!(tests > 0, "{} has no tests", path.display());
        for problem in problems {
            report += &format!("{}: {problem}\n", path.file_name().unwrap().display());
        }
    }
    assert!(report.is_empty(), "{report}");
}
