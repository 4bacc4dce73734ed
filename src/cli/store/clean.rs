//! `rpa store clean`: what ended long ago leaves the store.

use super::super::Status;
use super::super::console::{Console, Format};
use super::super::runs::failed;
use super::{counted, now, size, there};
use crate::adapter::sqlite::{Cleaned, Options, SqliteStore};
use crate::finding::Finding;
use crate::finding::catalogue::cli;
use crate::value::{Duration, Instant, display, parse};
use crate::world::Project;
use serde_json::json;

pub(super) fn run(
    project: &Project,
    older_than: Option<&str>,
    dry_run: bool,
    shrink: bool,
    console: &mut Console,
) -> Result<Status, Box<Finding>> {
    let keep = match older_than {
        Some(text) => match parse::duration(text) {
            Ok(keep) if keep >= Duration::ZERO => keep,
            _ => {
                let message = format!("`{text}` is no length of time");
                console.finding(Finding::without_place(&cli::ARGUMENT, message).help("write it such as `\"90 days\"`"));
                return Ok(Status::WrongUse);
            }
        },
        None => match project.keep {
            Some(keep) => keep,
            None => {
                let message = "it is not said how long runs are kept";
                let help = "add `--older-than \"90 days\"`, or `keep = \"90 days\"` to `[store]` in rpa.toml";
                console.finding(Finding::without_place(&cli::ARGUMENT, message).help(help));
                return Ok(Status::WrongUse);
            }
        },
    };
    let path = there(project)?;
    let now = now();
    let before = now.milliseconds().checked_sub(keep.milliseconds());
    let before = before.and_then(|before| Instant::from_milliseconds(before).ok()).unwrap_or(Instant::EPOCH);
    let mut store = SqliteStore::open(&path, &[], &[], &Options::default()).map_err(Box::new)?;
    let mut cleaned = store.clean(before, now, dry_run).map_err(failed)?;
    if shrink {
        store.shrink().map_err(failed)?;
        cleaned.free = 0;
    }
    if console.format == Format::Json {
        console.json(&json!({
            "store": path.display().to_string(),
            "before": before.timestamp().to_string(),
            "dry_run": dry_run,
            "runs": cleaned.runs,
            "emptied": cleaned.emptied,
            "mails": cleaned.mails,
            "questions": cleaned.questions,
            "texts": cleaned.texts,
            "free_bytes": cleaned.free,
        }));
        return Ok(Status::Fine);
    }
    let kept = display::duration(keep);
    match (cleaned.is_nothing(), dry_run) {
        (true, _) => console.line(format!("nothing in {} ended longer than {kept} ago", path.display())),
        (false, true) => console.line(format!("would remove what ended longer than {kept} ago: {}", told(&cleaned))),
        (false, false) => console.line(format!("removed what ended longer than {kept} ago: {}", told(&cleaned))),
    }
    if !dry_run && cleaned.free > 1_000_000 {
        let free = size(cleaned.free);
        console.line(format!(
            "{free} of the file are free for what comes; `rpa store clean --shrink` gives them back to the disk"
        ));
    }
    Ok(Status::Fine)
}

/// `3 runs, the entries of 2 runs with a key, 5 mails`
pub fn told(cleaned: &Cleaned) -> String {
    let emptied = match cleaned.emptied {
        1 => "the entries of 1 run with a key".to_string(),
        count => format!("the entries of {count} runs with a key"),
    };
    let parts = [
        (cleaned.runs, counted(cleaned.runs, "run")),
        (cleaned.emptied, emptied),
        (cleaned.mails, counted(cleaned.mails, "mail")),
        (cleaned.questions, counted(cleaned.questions, "question")),
        (cleaned.texts, counted(cleaned.texts, "text") + " of scripts"),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|(count, _)| *count > 0).map(|(_, words)| words).collect();
    parts.join(", ")
}
