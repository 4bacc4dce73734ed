//! Tests of the checker: scripts with what is found in them.

mod everything;
mod one_page;
mod wrong;

use super::{Checked, Memory, check};
use crate::finding::render::terminal::{Appearance, render_all};
use crate::text::Source;

/// Checks a script beside some files.
fn checked(script: &str, files: &Memory) -> Checked {
    check(Source::new("script.rpa", script), files)
}

/// What people see of a script's findings; nothing for a clean script.
fn findings(script: &str, files: &Memory) -> String {
    let checked = checked(script, files);
    render_all(&checked.findings, &checked.sources, Appearance::default())
}
