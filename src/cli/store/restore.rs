//! `rpa store restore`: a backup in the place of the store.

use super::super::Status;
use super::super::console::{Console, Format};
use super::super::runs::shorter;
use super::{counted, now};
use crate::adapter::sqlite;
use crate::finding::Finding;
use crate::world::Project;
use serde_json::json;
use std::path::Path;

pub(super) fn run(project: &Project, file: &Path, send: bool, console: &mut Console) -> Result<Status, Box<Finding>> {
    let store = shorter(&project.store);
    let restored = sqlite::restore(file, &store, send, now()).map_err(Box::new)?;
    let aside = restored.aside.as_ref().map(|aside| aside.display().to_string());
    if console.format == Format::Json {
        console.json(&json!({
            "store": store.display().to_string(),
            "backup": file.display().to_string(),
            "aside": aside,
            "runs": restored.copied.runs,
            "unfinished": restored.copied.unfinished,
            "held_mails": restored.held,
            "left_mails": restored.left,
            "replaced_was_readable": restored.was_readable,
        }));
        return Ok(Status::Fine);
    }
    let copied = restored.copied;
    console.line(format!("{} is {} now: {}", store.display(), file.display(), counted(copied.runs, "run")));
    if let Some(aside) = aside {
        console.line(format!("the replaced store is {aside}"));
        if !restored.was_readable {
            console.line("it can't be read: which mails left after the backup is not known");
        }
    }
    if restored.held > 0 {
        let mails = counted(restored.held, "mail");
        console.line(format!(
            "{mails} waited, and may have left since: `rpa mail` lists them, `rpa mail retry` sends them"
        ));
    }
    if restored.left > 0 {
        let mails = counted(restored.left, "mail");
        console.line(format!("{mails} left after the backup: written again, they are held as dead letters"));
    }
    if copied.unfinished > 0 {
        let runs = counted(copied.unfinished, "run");
        console.line(format!(
            "{runs} had not ended: look at `rpa runs` before they go on with `rpa serve` or `rpa runs resume`"
        ));
    }
    Ok(Status::Fine)
}
