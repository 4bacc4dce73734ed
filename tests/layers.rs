//! Holds the order of the rooms: a room imports only from earlier rooms of its storey and from storeys below.
//! The table is the one of `docs/architecture.md`.

#![allow(clippy::disallowed_methods, reason = "tests read and write files")]

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from the ground up; a room may use every room before it.
const ROOMS: &[&str] = &[
    // ground
    "text", "finding", "value", //
    // language; `library` and `check` know each other's data: signatures speak of effects
    "syntax", "format", "library", "check", "compile", //
    // running
    "world", "vm", "rule", "task", "flow", "adapter", //
    // tools
    "testing", "plan", "estimate", "ide", "lsp", "repl", "serve", "cli",
];

/// Uses of a later room that are meant, each with its reason.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("library", "check", "the table of primitives states effects, which are the checker's word"),
    ("check", "library", "earlier room"),
    ("vm", "rule", "the machine asks the decision index"),
];

#[test]
fn rooms_use_only_what_lies_below_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut offences = Vec::new();
    for (index, room) in ROOMS.iter().enumerate() {
        for file in rust_files(&root.join(room)) {
            let text = fs::read_to_string(&file).expect("a source file can be read");
            for used in rooms_used(&text) {
                let later = ROOMS.iter().position(|other| *other == used).is_some_and(|other| other > index);
                let allowed = ALLOWED.iter().any(|(from, to, _)| from == room && *to == used);
                if later && !allowed {
                    offences.push(format!("{} uses crate::{used}", file.display()));
                }
            }
        }
    }
    assert!(offences.is_empty(), "rooms that reach upwards:\n{}", offences.join("\n"));
}

#[test]
fn every_room_is_in_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(root).expect("src can be read") {
        let path = entry.expect("an entry of src").path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_string();
        assert!(
            matches!(name.as_str(), "lib" | "main") || ROOMS.contains(&name.as_str()),
            "src/{name} is a room that tests/layers.rs does not know"
        );
    }
}

/// The rooms named after `crate::` in code, tests at the end of a file left out: they may use what they need.
fn rooms_used(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.match_indices("crate::").map(|(at, found)| &line[at + found.len()..]).collect::<Vec<_>>())
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>())
        .collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return files };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            // Tests in folders of their own may use what they need.
            if path.file_name().is_none_or(|name| name != "tests") {
                files.extend(rust_files(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && path.file_stem().is_none_or(|name| name != "tests")
        {
            files.push(path);
        }
    }
    files
}
