//! `rpa store check`: is it whole.

use super::super::Status;
use super::super::console::{Console, Format};
use super::{counted, there};
use crate::adapter::sqlite;
use crate::finding::Finding;
use crate::finding::render::json;
use crate::text::Sources;
use crate::world::Project;
use serde_json::json;

pub(super) fn run(project: &Project, console: &mut Console) -> Result<Status, Box<Finding>> {
    let store = there(project)?;
    let found = match sqlite::check(&store) {
        Ok(found) => found,
        // One that can't even be opened is told like the rest.
        Err(finding) => sqlite::Inspection { findings: vec![finding], ..sqlite::Inspection::default() },
    };
    let (is_whole, more) = (found.is_whole(), found.more);
    match console.format {
        Format::Json => console.json(&json!({
            "store": store.display().to_string(),
            "whole": is_whole,
            "runs": found.runs,
            "entries": found.entries,
            "records": found.records,
            "mails": found.mails,
            "versions": found.versions,
            "findings": json::render(&found.findings, &Sources::new()),
            "more": more,
        })),
        Format::Text if is_whole => console.line(format!(
            "the store {} is whole: {} with {}, {}, {}, {}",
            store.display(),
            counted(found.runs, "run"),
            counted(found.entries, "entry"),
            counted(found.records, "record"),
            counted(found.mails, "mail"),
            counted(found.versions, "script version"),
        )),
        Format::Text => {
            console.findings(found.findings, &Sources::new());
            if more > 0 {
                console.message(format!("and {more} more of the store {}", store.display()));
            }
        }
    }
    Ok(if is_whole { Status::Fine } else { Status::Failed })
}
