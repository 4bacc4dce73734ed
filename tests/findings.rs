//! Wrong scripts, as people write them, with what the checker says of them: a snapshot each, to be read.

#![cfg(any())] // until the checker with its in-memory files is here: take this line out then

use rpa::check::{self, Memory};
use rpa::finding::render::terminal::{Appearance, render_all};
use rpa::text::Source;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/findings")
}

fn scripts() -> Vec<PathBuf> {
    let mut scripts: Vec<PathBuf> = fs::read_dir(folder())
        .expect("tests/findings can be read")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rpa"))
        .collect();
    scripts.sort();
    scripts
}
