//! `rpa store backup`: a whole copy, whatever others do meanwhile.

use super::super::Status;
use super::super::console::{Console, Format};
use super::{counted, size, there};
use crate::adapter::sqlite;
use crate::finding::Finding;
use crate::world::Project;
use serde_json::json;
use std::path::Path;

pub(super) fn run(project: &Project, file: &Path, force: bool, console: &mut Console) -> Result<Status, Box<Finding>> {
    let store = there(project)?;
    let copied = sqlite::backup(&store, file, force).map_err(Box::new)?;
    match console.format {
        Format::Json => console.json(&json!({
            "store": store.display().to_string(),
            "backup": file.display().to_string(),
            "bytes": copied.bytes,
            "runs": copied.runs,
            "unfinished": copied.unfinished,
            "waiting_mails": copied.waiting_mails,
        })),
        Format::Text => console.line(format!(
            "{} is a copy of {}: {}, {} ({} not ended), {} not sent yet",
            file.display(),
            store.display(),
            size(copied.bytes),
            counted(copied.runs, "run"),
            copied.unfinished,
            counted(copied.waiting_mails, "mail"),
        )),
    }
    Ok(Status::Fine)
}
