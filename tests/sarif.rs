//! Findings as SARIF: what the standard asks of a log, held against the findings of all wrong scripts.
//!
//! With `RPA_SARIF_VALIDATOR` naming the program of the SARIF SDK (npm: `@microsoft/sarif-multitool-linux`), the log is also
//! validated by that, against the schema of OASIS and the rules of the SDK; `.ci/run` installs it where it can be had.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests read and write files, and say what they leave out"
)]

use rpa::check::{Memory, check};
use rpa::finding::render::{Report, sarif};
use rpa::text::Source;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// The log of all wrong scripts, of one whose name needs escapes, and of a finding without a place.
fn log() -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/findings");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "rpa"));
    paths.sort();
    let mut checked: Vec<_> = paths
        .iter()
        .map(|path| {
            let name = format!("scripts/{}", path.file_name().unwrap().to_string_lossy());
            check(Source::new(name, std::fs::read_to_string(path).unwrap()), &Memory::new())
        })
        .collect();
    checked.push(check(Source::new("C:\\a b/ü%.rpa", "const a = \"𝄞\" + nothing\r\n"), &Memory::new()));
    let empty = rpa::text::Sources::new();
    let alone = rpa::finding::Finding::without_place(&rpa::finding::catalogue::cli::NO_SCRIPTS, "there are no scripts");
    let mut reports: Vec<Report<'_>> = checked
        .iter()
        .map(|checked| Report {
            file: None,
            is_broken: false,
            findings: checked.findings.clone(),
            sources: &checked.sources,
        })
        .collect();
    reports.push(Report { file: None, is_broken: false, findings: vec![alone], sources: &empty });
    sarif::render(&reports)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("`{key}` is missing in {value}"))
}

/// Only these keys, for the schema allows no others.
fn only(value: &Value, keys: &[&str]) {
    let fields = value.as_object().unwrap_or_else(|| panic!("{value} is no object"));
    for key in fields.keys() {
        assert!(keys.contains(&key.as_str()), "`{key}` has no place in {value}");
    }
}

fn region(value: &Value) {
    only(value, &["startLine", "startColumn", "endLine", "endColumn"]);
    let number = |key: &str| value[key].as_u64().unwrap_or_else(|| panic!("{key} in {value}"));
    assert!(number("startLine") >= 1 && number("startColumn") >= 1, "{value}");
    assert!((number("endLine"), number("endColumn")) >= (number("startLine"), number("startColumn")), "{value}");
}

fn location(value: &Value) {
    only(value, &["id", "physicalLocation", "message"]);
    only(&value["physicalLocation"], &["artifactLocation", "region"]);
    region(&value["physicalLocation"]["region"]);
    let uri = text(&value["physicalLocation"]["artifactLocation"], "uri");
    let is_escaped = |c: char| c.is_ascii_alphanumeric() || "-._~/%:".contains(c);
    assert!(!uri.is_empty() && uri.chars().all(is_escaped), "{uri}");
}

#[test]
fn a_log_is_what_the_standard_asks_for() {
    let log = log();
    only(&log, &["$schema", "version", "runs"]);
    assert_eq!(text(&log, "version"), "2.1.0");
    let run = &log["runs"][0];
    only(run, &["tool", "columnKind", "results"]);
    assert_eq!(text(run, "columnKind"), "utf16CodeUnits");
    let driver = &run["tool"]["driver"];
    only(driver, &["name", "version", "semanticVersion", "informationUri", "rules"]);
    let rules = driver["rules"].as_array().unwrap();
    let mut ids: Vec<&str> = rules.iter().map(|rule| text(rule, "id")).collect();
    for rule in rules {
        only(
            rule,
            &["id", "name", "shortDescription", "fullDescription", "help", "defaultConfiguration", "properties"],
        );
        assert!(!text(&rule["help"], "text").is_empty());
        assert!(["error", "warning"].contains(&text(&rule["defaultConfiguration"], "level")));
    }
    let results = run["results"].as_array().unwrap();
    assert!(results.len() > 100, "{} results", results.len());
    for result in results {
        only(
            result,
            &[
                "ruleId",
                "ruleIndex",
                "level",
                "message",
                "locations",
                "relatedLocations",
                "partialFingerprints",
                "fixes",
            ],
        );
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(ids[index], text(result, "ruleId"));
        assert!(["error", "warning"].contains(&text(result, "level")));
        assert!(!text(&result["message"], "text").is_empty());
        result["locations"].as_array().unwrap().iter().for_each(location);
        let related: Vec<&Value> = result["relatedLocations"].as_array().into_iter().flatten().collect();
        related.iter().for_each(|each| location(each));
        let numbers: Vec<u64> = related.iter().map(|each| each["id"].as_u64().unwrap()).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
        for fix in result["fixes"].as_array().into_iter().flatten() {
            only(fix, &["description", "artifactChanges"]);
            for replacement in fix["artifactChanges"][0]["replacements"].as_array().unwrap() {
                only(replacement, &["deletedRegion", "insertedContent"]);
                region(&replacement["deletedRegion"]);
            }
        }
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "a rule stands there twice");
}

#[test]
fn columns_count_as_the_standard_counts() {
    let log = log();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let uri = |result: &&Value| {
        let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        uri.as_str().is_some_and(|uri| uri.ends_with("%C3%BC%25.rpa"))
    };
    let found = results.iter().find(uri).expect("the script with the odd name");
    let region = &found["locations"][0]["physicalLocation"]["region"];
    // The clef is one character and two code units.
    assert_eq!((region["startColumn"].as_u64(), region["endColumn"].as_u64()), (Some(18), Some(25)), "{found}");
}

#[test]
fn the_schema_of_the_standard_agrees() {
    let Some(validator) = std::env::var_os("RPA_SARIF_VALIDATOR") else {
        eprintln!("SKIPPED: RPA_SARIF_VALIDATOR names no validator");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let judged = |name: &str, log: &Value| -> Vec<String> {
        let (file, told) = (folder.path().join(name), folder.path().join(format!("{name}.told")));
        std::fs::write(&file, log.to_string()).unwrap();
        let output = Command::new(&validator)
            .arg("validate")
            .arg(&file)
            .arg("--output")
            .arg(&told)
            .env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")
            .output()
            .unwrap();
        let told = std::fs::read_to_string(&told).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let told: Value = serde_json::from_str(told.trim_start_matches('\u{feff}')).unwrap();
        let results = told["runs"][0]["results"].as_array().cloned().unwrap_or_default();
        // Its rules JSON1001 to JSON1029 are the schema.
        let errors =
            results.iter().filter(|result| result["level"] == "error" || text(result, "ruleId").starts_with("JSON"));
        errors.map(|error| format!("{} {}", error["ruleId"], error["message"])).collect()
    };
    let mut log = log();
    assert_eq!(judged("log.sarif", &log), Vec::<String>::new());
    // It does look.
    log["runs"][0]["results"][0]["nonsense"] = 1.into();
    assert!(!judged("wrong.sarif", &log).is_empty());
}
