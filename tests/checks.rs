//! What the checker finds and what it is silent about, case by case: each file of `tests/checks` is about one code and holds
//! scripts as people write them; those under `=== finds: title` have the finding, those under `=== silent: title` have not.
//!
//! What a script needs beside itself stands behind it, each file under a line `--- name`: scripts that it uses,
//! templates, tables (a table that ends in `.xlsx` becomes a workbook), and `rpa.toml`.

#![allow(clippy::disallowed_methods, reason = "tests read and write files")]

use rpa::adapter::scripts::DiskLoader;
use rpa::check::{self, Boundaries, LoadError, Loader, Memory};
use rpa::cli::project;
use rpa::finding::render::terminal::{Appearance, render_all};
use rpa::finding::{Finding, Levels, catalogue};
use rpa::text::{Source, Sources};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Groups of findings that the checker itself does not make: they are about commands, runs and stores.
const NOT_OF_SCRIPTS: &[&str] = &["cli", "file", "inbox", "mail", "plan", "run", "serve", "store"];

/// Codes of the checker that have no cases here, and where they are tested.
const ELSEWHERE: &[(&str, &str)] = &[
    ("secret::unset", "what the machine does not have, looked for when a run is begun: `tests/outside.rs`"),
    ("config::authority", "what a machine has of the files of a project: `cli/check`, `tests/outside/trust.rs`"),
    ("policy::not-alone", "the finding of a run that is begun: `tests/run.rs`"),
    ("syntax::too-long", "a line of 256 KiB is no case to read: `syntax/lines`"),
];

/// Codes that come with a whole project: the cases are checked by the program, as `rpa check` in their folder.
const OF_PROJECTS: &[&str] = &["config::unused"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/checks")
}

/// A script with what is to be found in it.
struct Case {
    title: String,
    finds: bool,
    script: String,
    /// What stands beside the script: names and contents.
    files: Vec<(String, String)>,
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.split_inclusive('\n') {
        if let Some(head) = line.strip_prefix("=== ") {
            let (kind, title) = head.trim_end().split_once(": ").expect("`finds: title` or `silent: title`");
            assert!(matches!(kind, "finds" | "silent"), "{head}");
            let (title, finds) = (title.to_string(), kind == "finds");
            cases.push(Case { title, finds, script: String::new(), files: Vec::new() });
            continue;
        }
        let case = cases.last_mut().expect("a title above each script");
        if let Some(name) = line.strip_prefix("--- ") {
            case.files.push((name.trim_end().to_string(), String::new()));
            continue;
        }
        case.files.last_mut().map_or(&mut case.script, |(_, content)| content).push_str(line);
    }
    cases
}

/// The files of a folder of their own, as a project of scripts has them; dates are counted from one day.
struct Shelf(DiskLoader);

impl Loader for Shelf {
    fn read(&self, from: &Source, relative: &str) -> Result<Vec<u8>, LoadError> {
        self.0.read(from, relative)
    }

    fn sheet(&self, bytes: &[u8], sheet: Option<&str>) -> Result<Vec<Vec<String>>, LoadError> {
        self.0.sheet(bytes, sheet)
    }

    fn is_run_elsewhere(&self, script: &Source, flow: &str) -> bool {
        self.0.is_run_elsewhere(script, flow)
    }

    fn boundaries(&self) -> Boundaries {
        Boundaries { today: a_day(), ..self.0.boundaries() }
    }

    fn levels(&self) -> &Levels {
        self.0.levels()
    }
}

/// The day that it is in all cases.
fn a_day() -> Option<rpa::value::Date> {
    "2026-11-22".parse().ok()
}

/// Writes a case into a folder.
fn lay_out(case: &Case, folder: &Path) {
    fs::write(folder.join("script.rpa"), &case.script).expect("a script can be written");
    for (name, content) in &case.files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
        if name.ends_with(".xlsx") {
            write_workbook(&path, content);
        } else {
            fs::write(path, content).expect("a file can be written");
        }
    }
}

/// Makes a workbook of a table that is written as scripts write it, with `|` between cells. What is a number is one in
/// the workbook as well.
fn write_workbook(path: &Path, table: &str) {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    for (row, line) in table.lines().enumerate() {
        for (column, cell) in line.trim().trim_matches('|').split('|').enumerate() {
            let (row, column, cell) = (u32::try_from(row).unwrap(), u16::try_from(column).unwrap(), cell.trim());
            match cell.parse::<f64>() {
                Ok(number) => sheet.write_number(row, column, number).map(|_| ()),
                Err(_) => sheet.write_string(row, column, cell).map(|_| ()),
            }
            .expect("a cell can be written");
        }
    }
    workbook.save(path).expect("a workbook can be written");
}

/// What is found in a case, and the texts that it points into.
fn check(case: &Case) -> (Vec<Finding>, Sources) {
    if case.files.is_empty() {
        let today = Memory::new().within(Boundaries { today: a_day(), ..Boundaries::default() });
        let checked = check::check(Source::new("script.rpa", case.script.as_str()), &today);
        return (checked.findings, checked.sources);
    }
    let home = tempfile::tempdir().expect("a folder can be made");
    lay_out(case, home.path());
    let mut sources = Sources::new();
    let path = home.path().join("script.rpa");
    match project::of_script(&path, &mut sources) {
        Ok(project) => {
            let source = Source::new("script.rpa", case.script.as_str()).with_path(&path);
            let checked = check::check(source, &Shelf(DiskLoader::new(&project)));
            (checked.findings, checked.sources)
        }
        Err(findings) => (findings, sources),
    }
}

/// What `rpa check` says of a case in a folder of its own.
fn said_by_the_program(case: &Case) -> String {
    let home = tempfile::tempdir().expect("a folder can be made");
    lay_out(case, home.path());
    let run = Command::new(env!("CARGO_BIN_EXE_rpa")).arg("check").current_dir(home.path()).output();
    let errors = String::from_utf8(run.expect("the program runs").stderr).expect("UTF-8");
    let real = home.path().canonicalize().expect("a folder").display().to_string();
    errors.replace(&real, "FOLDER").replace(&home.path().display().to_string(), "FOLDER")
}

/// Findings about `rpa.toml` name it by its whole path, which is another one each time.
fn shown_without_home(told: &str) -> String {
    let name = |line: &str| {
        let (frame, rest) = line.split_once("─[")?;
        let (path, place) = rest.split_once("rpa.toml")?;
        path.starts_with('/').then(|| format!("{frame}─[rpa.toml{place}"))
    };
    told.lines().map(|line| name(line).unwrap_or_else(|| line.to_string()) + "\n").collect()
}

fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).expect("tests/checks can be read");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|it| it == "cases")).collect();
    files.sort();
    files
}

/// The code that a file is about: `unused::local` for `unused-local.cases`.
fn code_of(path: &Path) -> String {
    path.file_stem().expect("a name").to_string_lossy().replacen('-', "::", 1)
}

#[test]
fn every_code_of_the_checker_has_cases_for_and_against() {
    let mut missing = Vec::new();
    for code in catalogue::all().filter(|code| !NOT_OF_SCRIPTS.contains(&code.group())) {
        let file = folder().join(code.id.replacen("::", "-", 1) + ".cases");
        let cases = fs::read_to_string(&file).map(|text| cases(&text)).unwrap_or_default();
        let finds = cases.iter().filter(|case| case.finds).count();
        let is_elsewhere = ELSEWHERE.iter().any(|(id, _)| *id == code.id);
        if is_elsewhere && !cases.is_empty() {
            missing.push(format!("{} has cases and is in the list of those that have none", code.id));
        } else if !is_elsewhere && (finds < 3 || cases.len() - finds < 3) {
            missing.push(format!("{} has {finds} cases for it and {} against it", code.id, cases.len() - finds));
        }
    }
    for (id, _) in ELSEWHERE {
        assert!(catalogue::find(id).is_some(), "there is no code {id}");
    }
    assert!(missing.is_empty(), "three of each are wanted:\n{}", missing.join("\n"));
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
        let code = code_of(&path);
        assert!(catalogue::find(&code).is_some(), "there is no code {code}");
        let mut shown = String::new();
        for case in &cases(&fs::read_to_string(&path).expect("cases can be read")) {
            if OF_PROJECTS.contains(&code.as_str()) {
                let told = said_by_the_program(case);
                if told.contains(&code) != case.finds {
                    offences += &format!("{name}: not as it should be in: {}\n{told}\n", case.title);
                }
                if case.finds {
                    shown += &format!("── {} ──\n{told}\n", case.title);
                }
                continue;
            }
            let (findings, sources) = check(case);
            let (own, others): (Vec<Finding>, Vec<Finding>) =
                findings.into_iter().partition(|finding| finding.code.id == code);
            let told = shown_without_home(&render_all(&own, &sources, Appearance::default()));
            if case.finds {
                if own.is_empty() {
                    offences += &format!("{name}: nothing is found in: {}\n", case.title);
                }
                shown += &format!("── {} ──\n{told}\n", case.title);
            } else if !own.is_empty() {
                offences += &format!("{name}: found in: {}\n{told}\n", case.title);
            }
            // A case is a script that runs, but for what it shows.
            if others.iter().any(Finding::is_error) {
                let told = render_all(&others, &sources, Appearance::default());
                offences += &format!("{name}: something else is wrong in: {}\n{told}\n", case.title);
            }
        }
        insta::assert_snapshot!(name, shown);
    }
    assert!(offences.is_empty(), "{offences}");
}
