//! `rpa runs show`: the story of a run.

use super::super::Status;
use super::super::account::{clean, cut, took};
use super::super::console::{Console, Format};
use super::super::waiting::waits_for;
use super::{failed, journal, record, unknown};
use crate::adapter::sqlite::SqliteStore;
use crate::finding::Finding;
use crate::flow::story::{Event, Story, story};
use crate::value::display::{clock, moment};
use crate::value::{Date, display};
use crate::world::{EntryKind, Leases, Project, RunId, RunState, Waiting};
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

/// How many runs that a run has begun are listed.
const MOST_CHILDREN: usize = 20;

/// Tells the story of a run.
pub(super) fn run(
    id: RunId,
    project: &Project,
    zone: &TimeZone,
    console: &mut Console,
) -> Result<Status, Box<Finding>> {
    let Some(mut store) = journal(project)? else { return Err(unknown(id)) };
    let Some(told) = story(&mut store, id, MOST_CHILDREN).map_err(failed)? else { return Err(unknown(id)) };
    match console.format {
        Format::Json => {
            let mut data = data(&told);
            data["waits_for"] = waits(&mut store, id)?;
            console.json(&data);
        }
        Format::Text => {
            let now = now_of(&mut store, &told, zone)?;
            tell(&told, now, zone, console);
        }
    }
    Ok(Status::Fine)
}

/// What a run waits for, as JSON; null when it does not wait.
pub(super) fn waits(store: &mut SqliteStore, id: RunId) -> Result<Json, Box<Finding>> {
    let wait = store.wait_of(id).map_err(failed)?;
    Ok(wait.map_or(Json::Null, |wait| {
        json!({
            "kind": wait.kind.word(), "what": wait.what.as_str(), "until": wait.wake.map(|wake| wake.to_string()),
        })
    }))
}

/// How a run that has not ended stands: who is at work on it, or what it waits for.
fn now_of(
    store: &mut SqliteStore,
    story: &Story,
    zone: &TimeZone,
) -> Result<Option<(&'static str, String)>, Box<Finding>> {
    let id = story.run.id;
    Ok(match story.run.state {
        RunState::Running => Some(match store.holder(id).map_err(failed)? {
            Some(holder) => ("at work", clean(&holder.name)),
            None => ("left", format!("its process is gone; `rpa runs resume {}` goes on with it", id.0)),
        }),
        RunState::Waiting => store.wait_of(id).map_err(failed)?.map(|wait| {
            let until = wait.wake.map(|wake| format!(", until {}", moment(wake, zone))).unwrap_or_default();
            ("waits", format!("{}{until}", waits_for(wait.kind, &wait.what)))
        }),
        _ => None,
    })
}

fn tell(story: &Story, now: Option<(&'static str, String)>, zone: &TimeZone, console: &mut Console) {
    let run = &story.run;
    let columns = console.columns().clamp(60, 160);
    let key = run.key.as_deref().map(|key| format!(" for {}", clean(key))).unwrap_or_default();
    console.line(cut(&format!("run {}: {}{key}, {}", run.id.0, clean(&run.flow), run.state.word()), columns));
    let mut facts = vec![("began", moment(run.started, zone))];
    if let Some(ended) = run.ended {
        facts.push(("ended", format!("{}, {} later", moment(ended, zone), took(ended.since(run.started)))));
    }
    facts.extend(now);
    if !run.starter.is_empty() {
        facts.push(("by", clean(&run.starter)));
    }
    if let Some(parent) = run.parent {
        facts.push(("part of", format!("run {}", parent.0)));
    }
    facts.push(("version", run.version.chars().take(12).collect()));
    for (name, value) in &story.arguments {
        facts.push(("given", format!("{}: {}", clean(name), clean(value))));
    }
    if let Some(result) = &story.result {
        facts.push(("result", clean(result)));
    }
    if let Some(why) = &story.stopped {
        facts.push(("stopped", clean(why)));
    }
    if let Some(failure) = &story.failure {
        let place = if failure.place.is_empty() { String::new() } else { format!(" at {}", failure.place) };
        facts.push(("failed", format!("{} ({}{place})", clean(&failure.message), clean(&failure.name))));
    }
    for (name, value) in facts {
        console.line(format!("  {name:<8} {}", cut(&value, columns.saturating_sub(11))));
    }
    if !story.events.is_empty() {
        console.line("");
    }
    let mut day = Some(run.started.date_in(zone));
    for event in &story.events {
        tell_event(event, zone, &mut day, columns, console);
    }
    if !story.children.is_empty() {
        let parts =
            story.children.iter().map(|(flow, state, count)| format!("{count} {} {}", clean(flow), state.word()));
        console.line(format!("\nit began {}", parts.collect::<Vec<_>>().join(", ")));
        for child in &story.first_children {
            let key = child.key.as_deref().map(|key| format!(" for {}", clean(key))).unwrap_or_default();
            let line = format!("  run {}: {}{key}, {}", child.id.0, clean(&child.flow), child.state.word());
            console.line(cut(&line, columns));
        }
        let all: u64 = story.children.iter().map(|(.., count)| count).sum();
        if all > story.first_children.len() as u64 {
            console.line(format!("  and {} more", all - story.first_children.len() as u64));
        }
    }
}

fn tell_event(event: &Event, zone: &TimeZone, day: &mut Option<Date>, columns: usize, console: &mut Console) {
    let date = event.at.date_in(zone);
    if *day != Some(date) {
        *day = Some(date);
        console.line(format!("  {}", display::date(date)));
    }
    let rounds: Vec<_> = event.rounds.iter().map(ToString::to_string).collect();
    let step = match rounds.as_slice() {
        [] => clean(&event.step),
        rounds => format!("{}[{}]", clean(&event.step), rounds.join(".")),
    };
    let failure =
        event.failure.as_ref().map(|failure| format!("{} ({})", clean(&failure.message), clean(&failure.name)));
    let failure = failure.unwrap_or_default();
    let tried = if event.attempt > 1 { format!(", try {}", event.attempt) } else { String::new() };
    let (mark, text) = match event.kind {
        EntryKind::StepDone => {
            let value = event.value.as_deref().map(|value| format!(" = {}", clean(value))).unwrap_or_default();
            ("✓", format!("{step}{tried}{value}"))
        }
        EntryKind::StepFailed => {
            let pause = event.pause.map(|pause| format!("; again in {pause}")).unwrap_or_default();
            ("✗", format!("{step}{tried}: {failure}{pause}"))
        }
        EntryKind::Undone => ("↶", format!("{step} undone")),
        EntryKind::UndoFailed => {
            let pause = event.pause.map(|pause| format!("; again in {pause}")).unwrap_or_default();
            ("✗", format!("{step} could not be undone: {failure}{pause}"))
        }
        EntryKind::Child => {
            let child = event.child.map(|child| format!("run {}", child.0)).unwrap_or_default();
            ("→", format!("{step}{}{child}", if step.is_empty() { "" } else { ": " }))
        }
        EntryKind::ItemFailed => ("✗", format!("{}: {failure}", clean(event.value.as_deref().unwrap_or("an item")))),
        EntryKind::Reopened => ("↻", format!("begun again after: {failure}")),
        EntryKind::WaitBegan => {
            let what = clean(event.value.as_deref().unwrap_or_default());
            // The step stands before it already.
            let what = what.strip_prefix(&format!("{}: ", clean(&event.step))).unwrap_or(&what);
            ("…", format!("{step} waits: {what}"))
        }
        EntryKind::Ending => ("✗", format!("ended from outside: {failure}")),
        EntryKind::Retried => {
            let who = clean(event.value.as_deref().unwrap_or("somebody"));
            ("↻", format!("{who} lets it be tried again after: {failure}"))
        }
        EntryKind::Migrated => {
            ("→", format!("moved to this version by {}", clean(event.value.as_deref().unwrap_or_default())))
        }
        EntryKind::Summary => return,
    };
    let length = event.took.milliseconds();
    let length = if length >= 10 { format!(", {}", took(event.took)) } else { String::new() };
    let mark = if console.appearance().unicode { mark } else { "-" };
    console.line(cut(&format!("  {}  {mark} {text}{length}", clock(event.at, zone)), columns));
    for change in &event.changes {
        let line = format!("              {} {} {}", change.kind.word(), clean(&change.what), clean(&change.which));
        console.line(cut(line.trim_end(), columns));
    }
}

pub(super) fn data(story: &Story) -> Json {
    let mut data = record(&story.run);
    let Json::Object(object) = &mut data else { return data };
    let arguments =
        story.arguments.iter().map(|(name, value)| (name.to_string(), Json::from(value.as_str()))).collect();
    object.insert("arguments".into(), Json::Object(arguments));
    object.insert("result".into(), story.result.as_deref().into());
    object.insert("stopped".into(), story.stopped.as_deref().into());
    object.insert("failure".into(), story.failure.as_ref().map(failure).into());
    object.insert("events".into(), story.events.iter().map(event).collect());
    let children = story
        .children
        .iter()
        .map(|(flow, state, count)| json!({"flow": flow.as_str(), "state": state.word(), "count": count}));
    object.insert("began_runs".into(), children.collect());
    object.insert("first_runs".into(), story.first_children.iter().map(record).collect());
    object.insert("account".into(), story.account.clone().unwrap_or(Json::Null));
    data
}

fn failure(failure: &crate::flow::RunFailure) -> Json {
    json!({"error": failure.name.as_str(), "message": failure.message.as_str(), "place": failure.place.as_str()})
}

fn event(event: &Event) -> Json {
    let kind = match event.kind {
        EntryKind::StepDone => "step_done",
        EntryKind::StepFailed => "step_failed",
        EntryKind::Undone => "undone",
        EntryKind::UndoFailed => "undo_failed",
        EntryKind::Child => "run_begun",
        EntryKind::ItemFailed => "item_failed",
        EntryKind::Reopened => "begun_again",
        EntryKind::WaitBegan => "wait_begun",
        EntryKind::Ending => "ending",
        EntryKind::Retried => "retried",
        EntryKind::Migrated => "migrated",
        EntryKind::Summary => "account",
    };
    let changes = event.changes.iter().map(
        |change| json!({"kind": change.kind.word(), "what": change.what.as_str(), "which": change.which.as_str()}),
    );
    json!({
        "at": event.at.to_string(),
        "milliseconds": event.took.milliseconds(),
        "kind": kind,
        "step": event.step.as_str(),
        "rounds": event.rounds,
        "try": event.attempt,
        "value": event.value,
        "failure": event.failure.as_ref().map(failure),
        "pause_milliseconds": event.pause.map(|pause| pause.milliseconds()),
        "run": event.child.map(|child| child.0),
        "changes": changes.collect::<Json>(),
    })
}
