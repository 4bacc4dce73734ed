//! `rpa store`: housekeeping. Is it whole, copies of it, and what may leave it. A subcommand is a file.

mod backup;
mod check;
mod clean;
mod restore;

use super::Status;
use super::console::Console;
use super::runs::{of_path, shorter};
use crate::finding::Finding;
use crate::finding::catalogue::store as codes;
use crate::value::Instant;
use crate::world::Project;
pub use clean::told;
use std::path::PathBuf;

/// Check, back up, restore and clean the store of a project
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// A script or the folder of the project whose store is meant
    #[arg(long, global = true, default_value = ".", value_name = "PATH")]
    project: PathBuf,

    /// The file with records and journal, in place of that of the project
    #[arg(long, global = true, value_name = "FILE")]
    store: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Say whether file, journal and records are whole; others may work on the store meanwhile
    Check,
    /// Copy the store to a file; others may work on it meanwhile
    Backup {
        /// The file
        file: PathBuf,
        /// Replace the file if it is there
        #[arg(long)]
        force: bool,
    },
    /// Put a backup in the place of the store, which is kept beside it
    Restore {
        /// The file that `rpa store backup` has made
        file: PathBuf,
        /// Let mails leave that may have left after the backup was made
        #[arg(long)]
        send: bool,
    },
    /// Remove what ended long ago
    Clean {
        /// Runs that ended so long ago, in place of `keep` of `[store]` in rpa.toml: `"90 days"`
        #[arg(long, value_name = "TIME")]
        older_than: Option<String>,
        /// Only say what would be removed
        #[arg(long)]
        dry_run: bool,
        /// Give the room back to the disk; others wait meanwhile
        #[arg(long, conflicts_with = "dry_run")]
        shrink: bool,
    },
}

/// Does what the arguments say.
pub fn run(arguments: &Arguments, console: &mut Console) -> Status {
    let Some(mut project) = of_path(&arguments.project, console) else { return Status::Failed };
    if let Some(store) = &arguments.store {
        project.store.clone_from(store);
    }
    let done = match &arguments.command {
        Command::Check => check::run(&project, console),
        Command::Backup { file, force } => backup::run(&project, file, *force, console),
        Command::Restore { file, send } => restore::run(&project, file, *send, console),
        Command::Clean { older_than, dry_run, shrink } => {
            clean::run(&project, older_than.as_deref(), *dry_run, *shrink, console)
        }
    };
    match done {
        Ok(status) => status,
        Err(finding) => {
            console.finding(*finding);
            Status::Failed
        }
    }
}

/// The store, as messages call it.
fn there(project: &Project) -> Result<PathBuf, Box<Finding>> {
    let path = shorter(&project.store);
    if path.exists() {
        return Ok(path);
    }
    let finding = Finding::without_place(&codes::MISSING, format!("there is no store `{}`", path.display()));
    Err(Box::new(
        finding.help("run a flow first, or name the store with `--store FILE` or the project with `--project PATH`"),
    ))
}

fn now() -> Instant {
    Instant::from_timestamp(jiff::Timestamp::now()).unwrap_or(Instant::EPOCH)
}

/// `3 runs`, `1 run`
fn counted(count: u64, what: &str) -> String {
    let (last, plural) = match what.strip_suffix('y') {
        Some(stem) => ("", format!("{stem}ies")),
        None => ("s", what.to_string()),
    };
    if count == 1 { format!("1 {what}") } else { format!("{count} {plural}{last}") }
}

/// `12.3 MB`
fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => counted(bytes, "byte"),
        10_000..1_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}
