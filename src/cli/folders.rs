//! Finds the scripts that the arguments of a command name.

use super::sources::unreadable;
use crate::finding::Finding;
use crate::finding::catalogue::cli;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// The scripts that the paths name, each once: files as they are, folders with all scripts in them.
pub fn named(paths: &[String], findings: &mut Vec<Finding>) -> Vec<PathBuf> {
    let mut scripts = Vec::new();
    let here = [".".to_string()];
    for path in if paths.is_empty() { &here } else { paths } {
        if !Path::new(path).is_dir() {
            scripts.push(PathBuf::from(path));
            continue;
        }
        let before = scripts.len();
        in_folder(Path::new(path), &mut scripts, findings);
        if scripts.len() == before {
            let finding = Finding::without_place(&cli::NO_SCRIPTS, format!("there are no scripts in `{path}`"));
            findings.push(finding.help("scripts are the files that end with `.rpa`"));
        }
    }
    let mut seen = HashSet::new();
    // However a script is named, it is one script.
    scripts.retain(|script| seen.insert(script.canonicalize().unwrap_or_else(|_| script.clone())));
    scripts
}

/// All scripts in a folder and the folders in it, sorted. Hidden folders and links to folders are passed over.
fn in_folder(folder: &Path, scripts: &mut Vec<PathBuf>, findings: &mut Vec<Finding>) {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                findings.push(unreadable(&folder.display().to_string(), &error));
                continue;
            }
        };
        for entry in entries.flatten() {
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            let path = match entry.path().strip_prefix(".") {
                Ok(path) => path.to_path_buf(),
                Err(_) => entry.path(),
            };
            let kind = entry.file_type();
            if kind.as_ref().is_ok_and(|kind| kind.is_dir()) {
                if !hidden {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rpa") {
                found.push(path);
            }
        }
    }
    found.sort();
    scripts.append(&mut found);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_searched_and_hidden_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["b.rpa", "a/c.rpa", "a/notes.txt", ".git/d.rpa"] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let path = |name: &str| folder.path().join(name);
        let text = |path: PathBuf| path.display().to_string();
        let mut findings = Vec::new();
        let found = named(&[text(path("")), text(path("b.rpa"))], &mut findings);
        assert_eq!(found, [path("a/c.rpa"), path("b.rpa")]);
        let twice = named(&[text(path("b.rpa")), text(path("a/../b.rpa"))], &mut findings);
        assert_eq!(twice, [path("b.rpa")]);
        assert!(findings.is_empty());
        assert!(named(&[text(path(".git/none"))], &mut findings).len() == 1 && findings.is_empty());
        assert!(named(&[text(path("a/empty"))], &mut findings).len() == 1);
        std::fs::create_dir(path("a/empty")).unwrap();
        assert!(named(&[text(path("a/empty"))], &mut findings).is_empty());
        assert_eq!(findings[0].code.id, "cli::no-scripts");
    }
}
