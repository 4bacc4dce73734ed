//! `rpa runs`: the list.

use super::super::Status;
use super::super::account::{clean, cut, took};
use super::super::console::{Console, Format};
use super::{failed, journal, record, state};
use crate::adapter::sqlite::SqliteStore;
use crate::finding::Finding;
use crate::finding::catalogue::cli;
use crate::flow::RunFailure;
use crate::value::display::moment;
use crate::value::{Instant, parse, temporal};
use crate::world::{Journal, Project, RunFilter, RunRecord, RunState, Waiting};
use jiff::tz::TimeZone;
use serde_json::Value as Json;
use unicode_width::UnicodeWidthStr;

/// Which runs are listed.
#[derive(Debug, clap::Args)]
pub(super) struct Filter {
    /// Only runs of this flow
    #[arg(long)]
    flow: Option<String>,

    /// Only runs that stand so: `running`, `waiting`, `done`, `failed` or `cancelled`
    #[arg(long, value_parser = state)]
    state: Option<RunState>,

    /// Only runs with this key
    #[arg(long)]
    key: Option<String>,

    /// Only runs that began since then: `2026-11-22`, `2026-11-22T06:00Z`, or a time ago: `"2 hours"`
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,

    /// Only runs that began others which have failed
    #[arg(long)]
    failed_children: bool,

    /// Runs that other runs began as well
    #[arg(long)]
    all: bool,

    /// At most so many, the newest first
    #[arg(long, default_value_t = 20, value_name = "NUMBER")]
    limit: usize,
}

/// Lists runs.
pub(super) fn run(
    arguments: &Filter,
    project: &Project,
    zone: &TimeZone,
    console: &mut Console,
) -> Result<Status, Box<Finding>> {
    let filter = RunFilter {
        flow: arguments.flow.clone(),
        state: arguments.state,
        key: arguments.key.clone(),
        top_level: !arguments.all && arguments.key.is_none() && arguments.flow.is_none(),
        since: arguments.since.as_deref().map(|text| since(text, zone)).transpose()?,
        failed_children: arguments.failed_children,
        limit: arguments.limit,
    };
    let mut runs = Vec::new();
    if let Some(mut store) = journal(project)? {
        for run in Journal::runs(&mut store, &filter).map_err(failed)? {
            let why = why(&mut store, &run)?;
            runs.push((run, why));
        }
    }
    match console.format {
        Format::Json => console.json(&runs.iter().map(|(run, why)| listed(run, why)).collect()),
        Format::Text if runs.is_empty() => {
            let place = super::shorter(&project.store);
            console.line(format!("no such runs in {}", place.display()));
        }
        Format::Text => table(&runs, zone, console),
    }
    Ok(Status::Fine)
}

/// Why a run has failed, or what it waits for; empty for the others.
fn why(store: &mut SqliteStore, run: &RunRecord) -> Result<String, Box<Finding>> {
    Ok(match run.state {
        RunState::Waiting => store.wait_of(run.id).map_err(failed)?.map(|wait| wait.what.to_string()),
        RunState::Failed | RunState::Cancelled => {
            RunFailure::decode(&run.outcome).map(|failure| failure.message.to_string())
        }
        RunState::Running | RunState::Done => None,
    }
    .unwrap_or_default())
}

fn listed(run: &RunRecord, why: &str) -> Json {
    let mut listed = record(run);
    if let Json::Object(object) = &mut listed {
        object.insert("why".into(), if why.is_empty() { Json::Null } else { why.into() });
    }
    listed
}

fn table(runs: &[(RunRecord, String)], zone: &TimeZone, console: &mut Console) {
    let columns = console.columns().clamp(60, 200);
    let mut rows = vec![["run", "flow", "key", "state", "began", "took"].map(str::to_string)];
    for (run, _) in runs {
        rows.push([
            run.id.0.to_string(),
            clean(&run.flow),
            cut(&clean(run.key.as_deref().unwrap_or("")), 40),
            run.state.word().to_string(),
            moment(run.started, zone),
            run.ended.map(|ended| took(ended.since(run.started))).unwrap_or_default(),
        ]);
    }
    let mut widths = [0; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    let whys = std::iter::once("").chain(runs.iter().map(|(_, why)| why.as_str()));
    for (row, why) in rows.into_iter().zip(whys) {
        let mut line = String::new();
        for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
            let blanks = " ".repeat(width - cell.width());
            // Numbers stand at the right.
            line.push_str(&if index == 0 { format!("{blanks}{cell}") } else { format!("  {cell}{blanks}") });
        }
        console.line(line.trim_end());
        if !why.is_empty() {
            console.line(cut(&format!("{}  {}", " ".repeat(widths[0]), clean(why)), columns));
        }
    }
}

/// A moment as people type it: a day in the zone of the project, a moment, or a length of time ago.
fn since(text: &str, zone: &TimeZone) -> Result<Instant, Box<Finding>> {
    if let Ok(instant) = parse::instant(text) {
        return Ok(instant);
    }
    if let Ok(date) = parse::date(text, None) {
        let midnight = temporal::time(0, 0, 0).and_then(|time| Instant::from_civil(date, time, zone));
        return midnight.map_err(|_| Box::new(Finding::without_place(&cli::ARGUMENT, format!("`{text}` is no day"))));
    }
    let now = Instant::from_timestamp(jiff::Timestamp::now()).unwrap_or(Instant::EPOCH);
    let ago = parse::duration(text).ok().and_then(|ago| now.minus(ago).ok());
    ago.ok_or_else(|| {
        let finding = Finding::without_place(&cli::ARGUMENT, format!("`{text}` is no moment"));
        Box::new(finding.help("write a day (`2026-11-22`), a moment (`2026-11-22T06:00Z`) or a time ago (`2 hours`)"))
    })
}
