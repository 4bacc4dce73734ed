//! `rpa runs export`: everything that the store knows of a run, as JSON.

use super::super::Status;
use super::super::console::Console;
use super::{failed, journal, show, unknown};
use crate::adapter::sqlite::SqliteStore;
use crate::finding::Finding;
use crate::flow::story::story;
use crate::world::{Journal, Project, RunId, RunRecord};
use serde_json::Value as Json;

/// How many runs may have begun each other in a row.
const DEEPEST: usize = 200;

/// Prints a run and all runs that it has begun.
pub(super) fn run(id: RunId, project: &Project, console: &mut Console) -> Result<Status, Box<Finding>> {
    let Some(mut store) = journal(project)? else { return Err(unknown(id)) };
    if !write(&mut store, id, 0, console)? {
        return Err(unknown(id));
    }
    console.line("");
    Ok(Status::Fine)
}

/// Prints a run as it is read, so that one with a hundred thousand children needs no more memory than one.
fn write(store: &mut SqliteStore, id: RunId, depth: usize, console: &mut Console) -> Result<bool, Box<Finding>> {
    let Some(told) = story(store, id, 0).map_err(failed)? else { return Ok(false) };
    let children: Vec<RunId> = if told.children.is_empty() || depth >= DEEPEST {
        Vec::new()
    } else {
        store.children(id, usize::MAX).map_err(failed)?.iter().map(|child: &RunRecord| child.id).collect()
    };
    let mut data = show::data(&told);
    if let Json::Object(object) = &mut data {
        object.shift_remove("first_runs");
        object.insert("version".into(), told.run.version.as_str().into());
        object.insert("waits_for".into(), show::waits(store, id)?);
    }
    let text = serde_json::to_string_pretty(&data).unwrap_or_default();
    console.print(text.strip_suffix("\n}").unwrap_or(&text));
    console.print(",\n  \"runs\": [");
    for (at, child) in children.into_iter().enumerate() {
        console.print(if at == 0 { "\n" } else { ",\n" });
        write(store, child, depth + 1, console)?;
    }
    console.print("]\n}");
    Ok(true)
}
