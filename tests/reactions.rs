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

/// What the program says in a folder with one script.
fn says(folder: &Path, arguments: &[&str], input: &str) -> String {
    use std::io::Write;
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_rpa"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env("LANG", "C.UTF-8")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr)).into_owned()
}

const SCRIPT: &str = r#"
error too_many(sku: text)

entity Product {
  key sku: text
  stock: int = 0
  wanted: int = 0
}

rule want on Product changed as p when p.stock < 5 and p.wanted == 0 {
  p.update(wanted: 10 - p.stock)
}

rule refuse on Product changed as p when p.wanted > 12 {
  fail too_many(p.sku)
}

flow set(stock: int) {
  step made {
    if not Product.has("A1") { Product.create(sku: "A1", stock: 20) }
  }
  step sold {
    Product.get("A1").update(stock: stock)
  }
}
"#;

#[test]
fn people_are_told_which_rule_did_what_because_of_what() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("stock.rpa"), SCRIPT).unwrap();
    std::fs::write(home.path().join("rpa.toml"), "name = \"Stock\"\n").unwrap();
    let said = says(home.path(), &["run", "stock.rpa", "stock=4", "--trace"], "");
    assert!(said.contains("rule want(stock = 4, wanted = 0) = true, by Product A1 (stock changed)"), "{said}");
    assert!(said.contains("rule refuse(wanted = 6) = false, by Product A1 (wanted changed by want)"), "{said}");
    assert!(said.contains("fired    1 want"), "{said}");
    let story = says(home.path(), &["runs", "show", "1"], "");
    let lines: Vec<&str> = story.lines().map(str::trim).filter(|line| line.contains("A1")).collect();
    let wanted =
        ["created Product A1", "changed Product A1", "fired want Product A1 (stock changed)", "changed Product A1"];
    assert_eq!(lines, wanted, "{story}");
}

#[test]
fn a_rule_that_fails_is_told_with_the_rules_that_led_there_and_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("stock.rpa"), SCRIPT).unwrap();
    std::fs::write(home.path().join("rpa.toml"), "name = \"Stock\"\n").unwrap();
    let said = says(home.path(), &["run", "stock.rpa", "stock=-3"], "");
    for wanted in ["too many: sku A1", "called from rule want (stock.rpa:11:3)", "called from step sold"] {
        assert!(said.contains(wanted), "{wanted} is not in\n{said}");
    }
    let story = says(home.path(), &["runs", "show", "1"], "");
    assert!(story.contains("created Product A1") && !story.contains("changed Product"), "{story}");
}

#[test]
fn the_repl_fires_rules() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("stock.rpa"), SCRIPT).unwrap();
    let input = "Product.create(sku: \"B2\", stock: 9)\nProduct.get(\"B2\").update(stock: 1).wanted\n";
    let said = says(home.path(), &["repl", "stock.rpa"], input);
    assert!(said.trim_end().ends_with('9'), "{said}");
}
