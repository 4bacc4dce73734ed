//! Wrong scripts, as people write them, with what the checker says of them: a snapshot each, to be read.

#![allow(clippy::disallowed_methods, reason = "tests read and write files")]

use rpa::check::{self, LoadError, Loader};
use rpa::finding::catalogue;
use rpa::finding::render::terminal::{Appearance, render_all};
use rpa::text::Source;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/findings")
}

fn scripts() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).expect("tests/findings can be read");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut scripts: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|it| it == "rpa")).collect();
    scripts.sort();
    scripts
}

/// Reads what the scripts name from their folder.
struct Beside;

impl Loader for Beside {
    fn read(&self, _: &Source, relative: &str) -> Result<Vec<u8>, LoadError> {
        fs::read(folder().join(relative)).map_err(|_| LoadError::Missing)
    }

    fn sheet(&self, _: &[u8], _: Option<&str>) -> Result<Vec<Vec<String>>, LoadError> {
        Err(LoadError::Unreadable("there are no workbooks here".into()))
    }
}

fn check(path: &Path) -> check::Checked {
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    let text = fs::read_to_string(path).expect("a script can be read");
    check::check(Source::new(name, text), &Beside)
}

#[test]
fn every_wrong_script_is_explained() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder().join("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let _guard = settings.bind_to_scope();
    for path in scripts() {
        let checked = check(&path);
        assert!(!checked.findings.is_empty(), "nothing was found in {}", path.display());
        let shown = render_all(&checked.findings, &checked.sources, Appearance::default());
        insta::assert_snapshot!(path.file_stem().expect("a name").to_string_lossy().into_owned(), shown);
    }
}

#[test]
fn every_finding_of_the_checker_has_a_wrong_script() {
    let found: BTreeSet<&str> =
        scripts().iter().flat_map(|path| check(path).findings).map(|finding| finding.code.id).collect();
    // Those of the flow graphs, effects and policies have their cases in `tests/checks`.
    let has_cases = |id: &str| folder().with_file_name("checks").join(id.replace("::", "-") + ".cases").exists();
    let missing: Vec<&str> = catalogue::all()
        .filter(|code| !code.bad.is_empty())
        .map(|code| code.id)
        .filter(|id| !found.contains(id) && !has_cases(id))
        .collect();
    assert!(missing.is_empty(), "no script in tests/findings shows {}", missing.join(", "));
}
