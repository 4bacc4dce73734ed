//! What the documentation says is so: generated pages are current; every script in it is checked without findings, stands
//! in the one layout, and its tests hold.

#![allow(clippy::disallowed_methods, reason = "tests read and write files")]

mod support;

use rpa::text::{Source, Sources};
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A script in a page of the documentation.
struct Block {
    /// The page and the line where it begins: `docs/tour.md:12`.
    place: String,
    text: String,
}

/// The pages that people write.
const PAGES: [&str; 3] = ["README.md", "docs/tour.md", "docs/reference.md"];

/// The ```rpa blocks of the pages.
fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    for page in PAGES {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        let mut block: Option<Block> = None;
        for (number, line) in text.lines().enumerate() {
            match (&mut block, line) {
                (None, "```rpa") => {
                    block = Some(Block { place: format!("{page}:{}", number + 2), text: String::new() });
                }
                (Some(_), "```") => blocks.extend(block.take()),
                (Some(block), line) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (None, _) => {}
            }
        }
        assert!(block.is_none(), "{page}: a block is not closed");
    }
    blocks
}

#[test]
fn every_script_stands_in_the_one_layout() {
    let blocks = blocks();
    assert!(blocks.len() > 10);
    let mut report = String::new();
    for block in blocks {
        let mut sources = Sources::new();
        let id = sources.add(Source::new(block.place.as_str(), block.text.as_str()));
        match rpa::format::format_source(id, &block.text) {
            Ok(formatted) if formatted == block.text => {}
            Ok(formatted) if std::env::var_os("RPA_WRITE_DOCS").is_some() => replace(&block, &formatted),
            Ok(formatted) => report += &format!("{}: the layout is\n{formatted}\n", block.place),
            Err(findings) => report += &support::shown(&findings, &sources),
        }
    }
    assert!(report.is_empty(), "{report}");
}

#[test]
fn every_script_is_checked_without_findings_and_its_tests_hold() {
    let mut report = String::new();
    for block in blocks() {
        let folder = tempfile::tempdir().unwrap();
        let project = "[reach]\nhosts = [\"*.example.com\"]\n[secrets]\nerp_token = { env = \"ERP_TOKEN\" }\n";
        std::fs::write(folder.path().join("rpa.toml"), project).unwrap();
        let path = folder.path().join("script.rpa");
        let checked = support::check(&path, &block.text);
        let shown = support::shown(&checked.findings, &checked.sources);
        if !shown.is_empty() {
            report += &format!("{}:\n{shown}\n", block.place);
        }
        let Some(program) = checked.program else { continue };
        let own = |flow: &rpa::check::program::Flow| flow.span.source == rpa::text::SourceId(0);
        if program.tests.is_empty() && program.flows.iter().any(own) {
            report += &format!("{}: no test runs the flow\n", block.place);
        }
        for problem in support::run_tests(program, &path).1 {
            report += &format!("{}: {problem}\n", block.place);
        }
    }
    assert!(report.is_empty(), "{report}");
}

/// The talks with the REPL in the pages: what is typed behind `rpa> `, and what is answered.
#[test]
fn the_repl_answers_as_the_pages_say() {
    let mut talks = 0;
    for page in PAGES {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        for block in text.split("```text\n").skip(1).filter_map(|rest| rest.split_once("```")).map(|(block, _)| block) {
            if !block.starts_with("rpa> ") {
                continue;
            }
            talks += 1;
            let (typed, answered): (Vec<&str>, Vec<&str>) = block.lines().partition(|line| line.starts_with("rpa> "));
            let typed: Vec<&str> = typed.iter().map(|line| line.trim_start_matches("rpa> ")).collect();
            assert_eq!(support::talk(&typed.join("\n")), answered.join("\n") + "\n", "{page}: {block}");
        }
    }
    assert!(talks > 0);
}

/// Writes a block anew.
fn replace(block: &Block, formatted: &str) {
    let page = root().join(block.place.split(':').next().unwrap_or_default());
    let text = std::fs::read_to_string(&page).unwrap();
    std::fs::write(&page, text.replace(&block.text, formatted)).unwrap();
}

/// Compares a generated page with its file, or writes it when `RPA_WRITE_DOCS` is set.
fn current(page: &str, text: &str) {
    let path: PathBuf = root().join(page);
    if std::env::var_os("RPA_WRITE_DOCS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == text,
        "{page} is not what it is made from; write it anew: RPA_WRITE_DOCS=1 cargo test --test docs"
    );
}

#[test]
fn the_page_of_findings_is_current() {
    current("docs/findings.md", &rpa::finding::reference::markdown());
}

#[test]
fn the_page_of_the_library_is_current() {
    let script = "use crm\n\ntask all() -> int = Customer.count\n";
    let checked = support::check(Path::new("all.rpa"), script);
    assert_eq!(support::shown(&checked.findings, &checked.sources), "");
    current("docs/library.md", &rpa::library::reference::markdown(&checked.program.unwrap()));
}
