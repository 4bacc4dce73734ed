//! What the benches measure are scripts without findings: a bench is run rarely, and would be found broken when its
//! figures are needed.

#![allow(clippy::disallowed_methods, reason = "tests write files")]

#[path = "../benches/generate/mod.rs"]
mod generate;
#[path = "../benches/project/mod.rs"]
mod project;
mod support;

use std::path::Path;
use std::process::Command;

/// Checks a folder as the command does; nothing but that there are no findings may come of it.
fn has_no_findings(folder: &Path) {
    let done = Command::new(env!("CARGO_BIN_EXE_rpa"))
        .args(["check", "--deny", "warnings", "--color", "never"])
        .arg(folder)
        .output()
        .expect("rpa starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn the_project_that_checking_is_measured_with_has_no_findings() {
    let folder = tempfile::tempdir().unwrap();
    // Scripts of every kind: those that use the library and those that don't.
    let (lines, scripts) = project::write(folder.path(), 2_000).unwrap();
    assert!(lines >= 2_000 && scripts > 4, "{lines} lines in {scripts} scripts");
    has_no_findings(folder.path());
    // And they do what they say.
    let path = folder.path().join("area_00/script_0001.rpa");
    let checked = support::check(&path, &std::fs::read_to_string(&path).unwrap());
    let (tests, problems) = support::run_tests(checked.program.unwrap(), &path);
    assert!(tests > 3, "{tests} tests");
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn the_project_that_orders_are_measured_with_has_no_findings() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    generate::write(&data, 10).unwrap();
    let home = folder.path().join("project");
    generate::project(&data, &home).unwrap();
    std::fs::write(home.join("rpa.toml"), "currency = \"EUR\"\n").unwrap();
    has_no_findings(&home);
}

#[test]
fn the_script_that_waiting_is_measured_with_has_no_findings() {
    has_no_findings(&Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/waiting"));
}
