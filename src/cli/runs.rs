//! `rpa runs`: what has run, and the story of a run.

use super::Status;
use super::account::{clean, cut, took};
use super::console::{Console, Format};
use super::project;
use crate::adapter::sqlite::{Access, Options, SqliteStore};
use crate::finding::Finding;
use crate::finding::catalogue::cli;
use crate::flow::story::{Event, Story, story};
use crate::text::Sources;
use crate::value::{Date, Instant, display};
use crate::world::{EntryKind, Project, RunFilter, RunId, RunRecord, RunState, StoreError};
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use unicode_width::UnicodeWidthStr;

/// How many runs that a run has begun are listed.
const MOST_CHILDREN: usize = 20;

/// List runs, or tell the story of one
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// `show`, and the number of the run to tell about; without, runs are listed
    #[command(subcommand)]
    command: Option<Command>,

    /// Only runs of this flow
    #[arg(long)]
    flow: Option<String>,

    /// Only runs that stand so: `running`, `done` or `failed`
    #[arg(long, value_parser = state)]
    state: Option<RunState>,

    /// Only runs with this key
    #[arg(long)]
    key: Option<String>,

    /// Runs that other runs began as well
    #[arg(long)]
    all: bool,

    /// At most so many, the newest first
    #[arg(long, default_value_t = 20, value_name = "NUMBER")]
    limit: usize,

    /// A script or the folder of the project whose runs are meant
    #[arg(long, global = true, default_value = ".", value_name = "PATH")]
    project: PathBuf,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Tell the story of a run: its steps, what they changed, how it failed
    Show {
        /// The number of the run
        run: i64,
    },
}

fn state(word: &str) -> Result<RunState, String> {
    RunState::from_word(word).ok_or_else(|| "write `running`, `waiting`, `done`, `failed` or `cancelled`".to_string())
}

/// Lists runs, or tells about one.
pub fn run(arguments: &Arguments, console: &mut Console) -> Status {
    let Some(project) = of_path(&arguments.project, console) else { return Status::Failed };
    let zone = TimeZone::get(&project.zone).unwrap_or(TimeZone::UTC);
    let told = match &arguments.command {
        Some(Command::Show { run }) => show(RunId(*run), &project, &zone, console),
        None => list(arguments, &project, &zone, console),
    };
    match told {
        Ok(status) => status,
        Err(finding) => {
            console.finding(*finding);
            Status::Failed
        }
    }
}

/// The project of a script or folder; none when its `rpa.toml` is wrong, which is said.
pub fn of_path(path: &Path, console: &mut Console) -> Option<Project> {
    let mut sources = Sources::new();
    let project =
        if path.is_dir() { project::of_folder(path, &mut sources) } else { project::of_script(path, &mut sources) };
    project.map_err(|findings| console.findings(findings, &sources)).ok()
}

/// The journal of a project, to be read; none when nothing has run yet.
fn journal(project: &Project) -> Result<Option<SqliteStore>, Box<Finding>> {
    if !project.store.is_file() {
        return Ok(None);
    }
    let options = Options { access: Access::ReadOnly, ..Options::default() };
    SqliteStore::open(&shorter(&project.store), &[], &[], &options).map(Some).map_err(Box::new)
}

/// The path from the current folder where that is shorter: it is what messages say.
pub fn shorter(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).to_path_buf()
}

fn failed(error: StoreError) -> Box<Finding> {
    Box::new(Finding::without_place(&cli::STORE, error.to_string()))
}

fn list(
    arguments: &Arguments,
    project: &Project,
    zone: &TimeZone,
    console: &mut Console,
) -> Result<Status, Box<Finding>> {
    let filter = RunFilter {
        flow: arguments.flow.clone(),
        state: arguments.state,
        key: arguments.key.clone(),
        top_level: !arguments.all && arguments.key.is_none() && arguments.flow.is_none(),
        limit: arguments.limit,
    };
    let runs = match journal(project)? {
        Some(mut store) => crate::world::Journal::runs(&mut store, &filter).map_err(failed)?,
        None => Vec::new(),
    };
    match console.format {
        Format::Json => console.json(&runs.iter().map(record).collect()),
        Format::Text if runs.is_empty() => {
            let place = shorter(&project.store);
            console.line(format!("no such runs in {}", place.display()));
        }
        Format::Text => table(&runs, zone, console),
    }
    Ok(Status::Fine)
}

fn table(runs: &[RunRecord], zone: &TimeZone, console: &mut Console) {
    let mut rows = vec![["run", "flow", "key", "state", "began", "took"].map(str::to_string)];
    for run in runs {
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
    for row in rows {
        let mut line = String::new();
        for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
            let blanks = " ".repeat(width - cell.width());
            // Numbers stand at the right.
            line.push_str(&if index == 0 { format!("{blanks}{cell}") } else { format!("  {cell}{blanks}") });
        }
        console.line(line.trim_end());
    }
}

/// `2026-11-22 15:42:10`, in the zone of the project.
pub fn moment(instant: Instant, zone: &TimeZone) -> String {
    format!("{} {}", display::date(instant.date_in(zone)), clock(instant, zone))
}

fn clock(instant: Instant, zone: &TimeZone) -> String {
    let time = instant.time_in(zone);
    format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
}

fn show(id: RunId, project: &Project, zone: &TimeZone, console: &mut Console) -> Result<Status, Box<Finding>> {
    let told = match journal(project)? {
        Some(mut store) => story(&mut store, id, MOST_CHILDREN).map_err(failed)?,
        None => None,
    };
    let Some(told) = told else {
        let finding = Finding::without_place(&cli::UNKNOWN_RUN, format!("there is no run {}", id.0));
        return Err(Box::new(finding.help("`rpa runs` lists the runs of the project")));
    };
    match console.format {
        Format::Json => console.json(&data(&told)),
        Format::Text => tell(&told, zone, console),
    }
    Ok(Status::Fine)
}

fn tell(story: &Story, zone: &TimeZone, console: &mut Console) {
    let run = &story.run;
    let columns = console.columns().clamp(60, 160);
    let key = run.key.as_deref().map(|key| format!(" for {}", clean(key))).unwrap_or_default();
    console.line(cut(&format!("run {}: {}{key}, {}", run.id.0, clean(&run.flow), run.state.word()), columns));
    let mut facts = vec![("began", moment(run.started, zone))];
    if let Some(ended) = run.ended {
        facts.push(("ended", format!("{}, {} later", moment(ended, zone), took(ended.since(run.started)))));
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
        EntryKind::UndoFailed => ("✗", format!("{step} could not be undone: {failure}")),
        EntryKind::Child => {
            let child = event.child.map(|child| format!("run {}", child.0)).unwrap_or_default();
            ("→", format!("{step}{}{child}", if step.is_empty() { "" } else { ": " }))
        }
        EntryKind::ItemFailed => ("✗", format!("{}: {failure}", clean(event.value.as_deref().unwrap_or("an item")))),
        EntryKind::Reopened => ("↻", format!("begun again after: {failure}")),
        EntryKind::WaitBegan => ("…", format!("{step} waits: {}", clean(event.value.as_deref().unwrap_or_default()))),
        EntryKind::Ending => ("✗", format!("ended from outside: {failure}")),
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

fn record(run: &RunRecord) -> Json {
    json!({
        "run": run.id.0,
        "flow": run.flow.as_str(),
        "key": run.key.as_deref(),
        "state": run.state.word(),
        "parent": run.parent.map(|parent| parent.0),
        "version": run.version.as_str(),
        "began": run.started.to_string(),
        "ended": run.ended.map(|ended| ended.to_string()),
    })
}

fn data(story: &Story) -> Json {
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

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::super::tests::ran;
    use crate::adapter::sqlite::{Options, SqliteStore};
    use crate::value::{Instant, Value, encode};
    use crate::world::{Change, ChangeKind, Entry, EntryKind, Journal, RunId, RunRecord, RunState, Store};

    /// A project in whose store one run has failed.
    fn project() -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open(&folder.path().join(".rpa/store.db"), &[], &[], &Options::default()).unwrap();
        let at = |milliseconds: i64| Instant::from_milliseconds(1_795_360_000_000 + milliseconds).unwrap();
        let bytes = |value: &Value| {
            let mut bytes = Vec::new();
            encode(value, &mut bytes).unwrap();
            bytes
        };
        store.begin().unwrap();
        let record = RunRecord {
            id: RunId(0),
            parent: None,
            starter: Default::default(),
            flow: "process_order".into(),
            key: Some("1001".into()),
            version: "0123456789abcdef".into(),
            arguments: bytes(&Value::list(vec![Value::text("1001")])),
            fingerprint: [0; 16],
            state: RunState::Running,
            outcome: Vec::new(),
            started: at(0),
            ended: None,
        };
        store.begin_run(&record).unwrap();
        let entry = Entry {
            position: 0,
            kind: EntryKind::StepDone,
            step: 0,
            path: vec![0],
            payload: bytes(&Value::Int(7)),
            changes: vec![Change { kind: ChangeKind::Created, what: "Order".into(), which: "1001".into() }],
            at: at(20),
            took: 15_000,
        };
        store.append(RunId(1), &entry).unwrap();
        store.end_run(RunId(1), RunState::Done, &bytes(&Value::list(vec![Value::Int(7)])), at(1500)).unwrap();
        store.commit().unwrap();
        let path = folder.path().display().to_string();
        (folder, path)
    }

    #[test]
    fn runs_are_listed() {
        let (_folder, path) = project();
        insta::assert_snapshot!(ran(&["runs", "--project", &path], "").1, @r"
        run  flow           key   state  began                took
          1  process_order  1001  done   2026-11-22 15:06:40  1.5 seconds
        ");
        assert!(ran(&["runs", "--project", &path, "--state", "failed"], "").1.starts_with("no such runs in"));
        assert_eq!(ran(&["runs", "--state", "odd"], "").0, Status::WrongUse);
        let (_, output, _) = ran(&["runs", "--project", &path, "--format", "json"], "");
        let runs: serde_json::Value = serde_json::from_str(&output).unwrap();
        assert_eq!(runs[0]["key"], "1001");
    }

    #[test]
    fn the_story_of_a_run_is_told() {
        let (_folder, path) = project();
        insta::assert_snapshot!(ran(&["runs", "show", "1", "--project", &path], "").1, @r"
        run 1: process_order for 1001, done
          began    2026-11-22 15:06:40
          ended    2026-11-22 15:06:41, 1.5 seconds later
          version  0123456789ab
          given    argument 1: 1001
          result   7

          15:06:40  ✓ [1] = 7, 15 milliseconds
                      created Order 1001
        ");
        let (_, output, _) = ran(&["runs", "show", "1", "--project", &path, "--format", "json"], "");
        let story: serde_json::Value = serde_json::from_str(&output).unwrap();
        assert_eq!(story["events"][0]["changes"][0]["what"], "Order");
    }

    #[test]
    fn what_is_not_there_is_said() {
        let (_folder, path) = project();
        let (status, _, errors) = ran(&["runs", "show", "9", "--project", &path], "");
        assert_eq!(status, Status::Failed);
        assert!(errors.contains("there is no run 9"), "{errors}");
        let empty = tempfile::tempdir().unwrap();
        let path = empty.path().display().to_string();
        let (status, output, _) = ran(&["runs", "--project", &path], "");
        assert_eq!(status, Status::Fine);
        assert!(output.starts_with("no such runs"), "{output}");
        assert!(!empty.path().join(".rpa").exists());
        std::fs::create_dir(empty.path().join(".rpa")).unwrap();
        std::fs::write(empty.path().join(".rpa/store.db"), "this is no store, and long enough to be seen as none")
            .unwrap();
        let (status, _, errors) = ran(&["runs", "--project", &path], "");
        assert_eq!(status, Status::Failed);
        assert!(errors.contains("store::"), "{errors}");
    }
}
