//! `rpa runs resume`: goes on with runs that their process has left.

use super::super::Status;
use super::super::account;
use super::super::console::{Console, Format};
use super::super::resume::{self, Errand, Outcome, Wanted, free_runs, name};
use super::super::signals::Signals;
use super::super::waiting::Waiter;
use super::{failed, unknown, wrong_state};
use crate::finding::Finding;
use crate::finding::catalogue::run as codes;
use crate::value::{Duration, Instant};
use crate::world::{Journal, Leases, Project, RunId, RunState};
use jiff::tz::TimeZone;

/// Goes on with one run, or with all that are free.
pub(super) fn run(
    run: Option<RunId>,
    patience: Duration,
    project: &Project,
    console: &mut Console,
) -> Result<Status, Box<Finding>> {
    let signals = Signals::listen(console);
    let outcome = match run {
        Some(run) => one(run, patience, project, &signals, console)?,
        None => resume::free(project, patience, &signals, console)?,
    };
    if outcome.ended.is_empty()
        && outcome.findings.is_empty()
        && outcome.stopped.is_none()
        && console.format == Format::Text
    {
        console.line("no run waits to be gone on with");
        return Ok(Status::Fine);
    }
    tell(outcome, project, console)
}

fn one(
    id: RunId,
    patience: Duration,
    project: &Project,
    signals: &Signals,
    console: &mut Console,
) -> Result<Outcome, Box<Finding>> {
    let Some(mut store) = resume::store(project)? else { return Err(unknown(id)) };
    free_runs(&mut store).map_err(failed)?;
    let Some(record) = store.run(id).map_err(failed)? else { return Err(unknown(id)) };
    match record.state {
        // One that waits looks again whether what it waits for has come.
        RunState::Running | RunState::Waiting => {}
        RunState::Done => return Err(wrong_state(&record, "there is nothing left to do")),
        RunState::Failed | RunState::Cancelled => {
            return Err(wrong_state(&record, &format!("`rpa runs retry {}` tries it again", id.0)));
        }
    }
    if let Some(holder) = store.holder(id).map_err(failed)? {
        let finding = Finding::without_place(
            &codes::TAKEN,
            format!("another process works on {}: {}", name(&record), holder.name),
        );
        return Err(Box::new(finding.help("wait until it has ended; when its process dies, the run is free at once")));
    }
    drop(store);
    let mut outcome = Outcome::default();
    let errand = Errand { wanted: Wanted::Resume, patience, signals };
    resume::work(&[record], &errand, project, console, &mut outcome)?;
    Ok(outcome)
}

/// Tells what came of runs that went on.
pub(super) fn tell(mut outcome: Outcome, project: &Project, console: &mut Console) -> Result<Status, Box<Finding>> {
    let any_failed = outcome.ended.iter().any(|(_, summary, _)| summary.failure.is_some());
    let is_whole = !any_failed && outcome.findings.is_empty() && outcome.stopped.is_none();
    let status = if is_whole { Status::Fine } else { Status::Failed };
    let columns = console.columns().clamp(60, 120);
    let zone = TimeZone::get(&project.zone).unwrap_or(TimeZone::UTC);
    if console.format == Format::Json {
        let runs: Vec<_> = outcome.ended.iter().map(|(_, summary, names)| account::json(summary, names)).collect();
        let findings: Vec<_> = outcome.findings.iter().map(|finding| finding.message.as_str()).collect();
        console.json(&serde_json::json!({
            "runs": runs, "problems": findings, "mails": account::mails_json(&outcome.mails),
            "stopped_at": outcome.stopped.as_ref().map(|run| run.id.0),
        }));
        return Ok(status);
    }
    for (at, (_, summary, names)) in outcome.ended.iter().enumerate() {
        if at > 0 {
            console.line("");
        }
        console.print(account::text(summary, names, columns));
        if let Some(wait) = &summary.waiting
            && let Some(mut store) = resume::store(project)?
        {
            let waiter = Waiter { run: summary.run, wait, began_before: false };
            let now = Instant::from_timestamp(jiff::Timestamp::now()).unwrap_or(Instant::EPOCH);
            console.print(waiter.told(&mut store, ("", &zone), now, columns).map_err(failed)?);
        }
    }
    console.print(account::mails(&outcome.mails, columns));
    resume::tell_failures(&mut outcome, console);
    if let Some(run) = &outcome.stopped {
        resume::tell_stopped(run, "", console);
    }
    Ok(status)
}
