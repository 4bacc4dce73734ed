//! `rpa check --fix`: does what findings know how to mend, and tells what it did.

use super::console::{Console, Format};
use super::{diff, fmt, sources};
use crate::adapter::scripts::DiskLoader;
use crate::check::mend::{Mended, mend};
use crate::finding::Finding;
use crate::text::{Source, Sources};
use crate::world::Project;
use std::path::Path;

/// Mends a script; with `dry_run` only shows what would be done. Gives what is left to say of it.
pub fn script(
    path: &Path,
    source: Source,
    project: &Project,
    dry_run: bool,
    console: &mut Console,
) -> (Vec<Finding>, Sources) {
    let before = source.text.clone();
    let Mended { text, mends, checked } = mend(source.clone(), &DiskLoader::new(project));
    let (mut findings, texts) = (checked.findings, checked.sources);
    if mends.is_empty() {
        return (findings, texts);
    }
    if dry_run {
        // The findings of the script as it is, for it stays so.
        if console.format == Format::Text {
            console.print(diff::unified(&source.name, &before, &text));
        }
        let checked = crate::check::check(source, &DiskLoader::new(project));
        return (checked.findings, checked.sources);
    }
    if path == Path::new("-") {
        // What was typed in goes out again, mended.
        console.print(&text);
        return (findings, texts);
    }
    if let Err(error) = fmt::replace(path, text.as_bytes()) {
        findings.push(sources::unwritable(&source.name, &error));
        return (findings, texts);
    }
    if console.format == Format::Text {
        for mend in mends {
            let what = match (shortened(&mend.before), shortened(&mend.after)) {
                (before, after) if after.is_empty() => format!("removed `{before}`"),
                (before, after) if before.is_empty() => format!("added `{after}`"),
                (before, after) => format!("`{before}` is now `{after}`"),
            };
            console.line(format!("{}:{}: {what} ({})", source.name, mend.line, mend.code));
        }
    }
    (findings, texts)
}

/// The first line of a text, not longer than people read.
fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let short: String = line.chars().take(60).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}
