//! The library and the examples: every script is checked without findings and stands in the one layout, what its
//! tests say holds, and running it says what its `expected.txt` says.

#![allow(clippy::disallowed_methods, reason = "tests read and write files")]

mod support;

use rpa::text::{Source, Sources};
use std::path::Path;
use support::server::{Reply, Server};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_script_stands_in_the_one_layout() {
    let mut all = support::scripts(&root().join("examples"));
    all.extend(support::scripts(&root().join("src/library")));
    all.extend(support::scripts(&root().join("tests/library")));
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
fn every_script_is_checked_without_findings_and_its_tests_hold() {
    let mut report = String::new();
    let mut count = 0;
    let library = support::scripts(&root().join("tests/library"));
    for path in support::scripts(&root().join("examples")).into_iter().chain(library) {
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
    assert!(count > 40, "the examples have {count} tests");
}

/// The shop that `sales/shop_refunds` calls, as its `server.py` is.
fn shop() -> Server {
    Server::start(|request, _| {
        if request.header("authorization") != Some("Bearer a-token") {
            return Reply::status(401, "who are you?");
        }
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/returns?state=accepted") => Reply::json(
                r#"[{"number": "R-1", "order": "1001", "amount": "49.90"}, {"number": "R-2", "order": "1002", "amount": "5000.00"},
                    {"number": "R-3", "order": "1003", "amount": "12.00"}]"#,
            ),
            ("POST", "/refunds") if request.body.contains("5000.00") => {
                Reply::status(422, r#"{"message": "refunds above 1000 EUR are paid by hand"}"#)
            }
            ("POST", "/refunds") if request.key().len() == 32 => Reply::json(r#"{"id": "F-1"}"#),
            _ => Reply::status(404, ""),
        }
    })
}

/// Runs a script twice with the program, as people do, and gives what it says, without times and places.
fn runs(script: &Path) -> String {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().canonicalize().unwrap();
    support::copy(script.parent().unwrap(), &folder);
    let name = script.file_name().unwrap().to_str().unwrap();
    let shop = shop();
    let text = std::fs::read_to_string(script).unwrap();
    std::fs::write(folder.join(name), text.replace("localhost:8787", &format!("localhost:{}", shop.port))).unwrap();
    let mut said = String::new();
    for heading in [format!("$ rpa run {name}"), format!("$ rpa run {name}  # again")] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_rpa"))
            .args(["run", name])
            .current_dir(&folder)
            .env("NO_COLOR", "1")
            .env("LANG", "C.UTF-8")
            .env("SHOP_TOKEN", "a-token")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        said += &format!("{heading}\n");
        let text = text.replace(&folder.display().to_string(), ".");
        for line in text.replace(&format!("localhost:{}", shop.port), "localhost:8787").lines() {
            // The time it took is another one each time.
            let kept = match line.rsplit_once(", ") {
                Some((before, _)) if line.contains(": run ") => before,
                _ => line,
            };
            said += &format!("{kept}\n");
        }
        said += &format!("exit status {}\n\n", output.status.code().unwrap_or(-1));
    }
    said
}

#[test]
fn every_example_says_what_is_expected() {
    let mut report = String::new();
    for script in support::scripts(&root().join("examples")) {
        if script.file_stem().is_some_and(|name| name.to_string_lossy().ends_with("_test")) {
            continue;
        }
        let said = runs(&script);
        let path = script.with_file_name("expected.txt");
        if std::env::var_os("RPA_WRITE_DOCS").is_some() {
            std::fs::write(&path, &said).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if said != expected {
            report += &format!("{} says\n{said}\n", script.strip_prefix(root()).unwrap().display());
        }
    }
    assert!(report.is_empty(), "{report}");
}
