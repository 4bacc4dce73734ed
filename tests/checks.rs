//! What the checker proves of flows, effects and policies, case by case: each file of `tests/checks` is about one code
//! and holds scripts as people write them; those under `=== finds` have the finding, those under `=== silent` have not.

#![allow(clippy::disallowed_methods, reason = "tests read and write files")]

use rpa::check::{self, Memory};
use rpa::finding::render::terminal::{Appearance, render_all};
use rpa::finding::{Finding, catalogue};
use rpa::text::Source;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/checks")
}

/// A script with what is to be found in it.
struct Case {
    title: String,
    finds: bool,
    script: String,
}

fn cases(text: &str) -> Vec<Case> {
    let parts = text.split("=== ").skip(1);
    parts
        .map(|part| {
            let (head, script) = part.split_once('\n').expect("a script under each title");
            let (kind, title) = head.split_once(": ").expect("`finds: title` or `silent: title`");
            assert!(matches!(kind, "finds" | "silent"), "{head}");
            Case { title: title.into(), finds: kind == "finds", script: script.trim_end().to_string() + "\n" }
        })
        .collect()
}

fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).expect("tests/checks can be read");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|it| it == "cases")).collect();
    files.sort();
    files
}

#[test]
fn every_check_finds_what_it_is_for_and_is_silent_otherwise() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder().join("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let _guard = settings.bind_to_scope();
    let mut offences = String::new();
    for path in files() {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let code = name.replacen('-', "::", 1);
        assert!(catalogue::find(&code).is_some(), "there is no code {code}");
        let cases = cases(&fs::read_to_string(&path).expect("cases can be read"));
        let (finds, silent): (Vec<&Case>, Vec<&Case>) = cases.iter().partition(|case| case.finds);
        assert!(finds.len() >= 3 && silent.len() >= 3, "{name} has {} and {} cases", finds.len(), silent.len());
        let mut shown = String::new();
        for case in &cases {
            let checked = check::check(Source::new("script.rpa", case.script.as_str()), &Memory::new());
            let (own, others): (Vec<Finding>, Vec<Finding>) =
                checked.findings.into_iter().partition(|finding| finding.code.id == code);
            if case.finds {
                if own.is_empty() {
                    offences += &format!("{name}: nothing is found in: {}\n", case.title);
                }
                let told = render_all(&own, &checked.sources, Appearance::default());
                shown += &format!("── {} ──\n{told}\n", case.title);
            } else if !own.is_empty() {
                let told = render_all(&own, &checked.sources, Appearance::default());
                offences += &format!("{name}: found in: {}\n{told}\n", case.title);
            }
            // A case is a script that runs, but for what it shows.
            if others.iter().any(Finding::is_error) {
                let told = render_all(&others, &checked.sources, Appearance::default());
                offences += &format!("{name}: something else is wrong in: {}\n{told}\n", case.title);
            }
        }
        insta::assert_snapshot!(name, shown);
    }
    assert!(offences.is_empty(), "{offences}");
}
