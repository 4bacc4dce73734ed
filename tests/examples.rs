//! Every script of the library and the examples is read without findings and stands in the one layout.

use rpa::finding::render::terminal;
use rpa::text::{Source, Sources};
use std::path::{Path, PathBuf};

/// All scripts below a folder, sorted.
fn scripts(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rpa") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_script_can_be_read_and_stands_in_the_one_layout() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = scripts(&root.join("examples"));
    all.extend(scripts(&root.join("src/library")));
    assert!(all.len() > 10);
    let mut report = String::new();
    for path in all {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut sources = Sources::new();
        let id = sources.add(Source::new(name.as_str(), text.as_str()));
        match rpa::format::format_source(id, &text) {
            Ok(formatted) if formatted == text => {}
            Ok(formatted) if std::env::var_os("RPA_WRITE_DOCS").is_some() => std::fs::write(&path, formatted).unwrap(),
            Ok(_) => report += &format!("{name} is not in the one layout: rpa fmt {name}\n"),
            Err(findings) => report += &terminal::render_all(&findings, &sources, terminal::Appearance::default()),
        }
    }
    assert!(report.is_empty(), "{report}");
}
