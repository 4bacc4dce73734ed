//! `rpa runs`: what has run, how it stands, and what a person can do about it. A subcommand is a file.

mod cancel;
mod export;
mod list;
mod migrate;
mod resume;
mod retry;
mod show;

use super::Status;
use super::console::Console;
use super::project;
use crate::adapter::sqlite::{Access, Options, SqliteStore};
use crate::finding::Finding;
use crate::finding::catalogue::{self, cli, run as codes};
use crate::text::Sources;
use crate::value::Duration;
use crate::world::{Project, RunId, RunRecord, RunState, StoreError};
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};

/// List runs, tell the story of one, and steer them: go on, try again, cancel
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What to do; without, runs are listed
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    list: list::Filter,

    /// A script or the folder of the project whose runs are meant
    #[arg(long, global = true, default_value = ".", value_name = "PATH")]
    project: PathBuf,

    /// The file with records and journal, in place of that of the project
    #[arg(long, global = true, value_name = "FILE")]
    store: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Tell the story of a run: its steps, what they changed, how it failed
    Show {
        /// The number of the run
        run: i64,
    },
    /// Go on with runs that their process has left: killed, crashed, or cut off from power
    Resume {
        /// The number of the run; without, all of them
        run: Option<i64>,
        /// How long it may pause for `sleep` and tries again; a run with a longer pause is left waiting
        #[arg(long, value_name = "DURATION", default_value = "1 minute", value_parser = super::waiting::length)]
        wait: Duration,
    },
    /// Try a failed run again from the step that failed; finished steps are not done again
    Retry {
        /// The number of the run
        run: i64,
    },
    /// End a run that has not ended, and undo what it has done
    Cancel {
        /// The number of the run
        run: i64,
        /// Why, for those who read its story
        #[arg(long, default_value = "", hide_default_value = true)]
        why: String,
    },
    /// Print everything that is known of a run, and of all that it has begun, as JSON
    Export {
        /// The number of the run
        run: i64,
    },
    /// Move runs that have not ended to a script as it is now, where they can go on under it
    Migrate {
        /// The script
        script: String,
        /// The number of the run
        #[arg(required_unless_present = "all_runs")]
        run: Option<i64>,
        /// All runs of the script that have not ended
        #[arg(long = "all", id = "all_runs", conflicts_with = "run")]
        all_runs: bool,
    },
}

fn state(word: &str) -> Result<RunState, String> {
    RunState::from_word(word).ok_or_else(|| "write `running`, `waiting`, `done`, `failed` or `cancelled`".to_string())
}

/// Lists runs, or tells about one.
pub fn run(arguments: &Arguments, console: &mut Console) -> Status {
    let place = match &arguments.command {
        // The script says which project it belongs to.
        Some(Command::Migrate { script, .. }) if arguments.project == Path::new(".") => Path::new(script),
        _ => &arguments.project,
    };
    let Some(mut project) = of_path(place, console) else { return Status::Failed };
    if let Some(store) = &arguments.store {
        project.store.clone_from(store);
    }
    let zone = TimeZone::get(&project.zone).unwrap_or(TimeZone::UTC);
    let told = match &arguments.command {
        Some(Command::Show { run }) => show::run(RunId(*run), &project, &zone, console),
        Some(Command::Resume { run, wait }) => resume::run(run.map(RunId), *wait, &project, console),
        Some(Command::Retry { run }) => retry::run(RunId(*run), &project, console),
        Some(Command::Cancel { run, why }) => cancel::run(RunId(*run), why, &project, console),
        Some(Command::Export { run }) => export::run(RunId(*run), &project, console),
        Some(Command::Migrate { script, run, .. }) => migrate::run(script, run.map(RunId), &project, console),
        None => list::run(&arguments.list, &project, &zone, console),
    };
    match told {
        Ok(status) => status,
        Err(finding) => {
            let status = if finding.code.id == cli::ARGUMENT.id { Status::WrongUse } else { Status::Failed };
            console.finding(*finding);
            status
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

/// What is said when the store has failed.
pub fn failed(error: StoreError) -> Box<Finding> {
    let finding = match &error {
        StoreError::Failed { code, message, help } => {
            let finding = Finding::without_place(catalogue::find(code).unwrap_or(&cli::STORE), message.clone());
            if help.is_empty() { finding } else { finding.help(help.clone()) }
        }
        error => Finding::without_place(&cli::STORE, error.to_string()),
    };
    Box::new(finding)
}

fn unknown(id: RunId) -> Box<Finding> {
    let finding = Finding::without_place(&cli::UNKNOWN_RUN, format!("there is no run {}", id.0));
    Box::new(finding.help("`rpa runs` lists the runs of the project"))
}

/// That a run does not stand as it would have to.
fn wrong_state(run: &RunRecord, help: &str) -> Box<Finding> {
    let message = format!("{} is {}", super::resume::name(run), run.state.word());
    Box::new(Finding::without_place(&codes::WRONG_STATE, message).help(help))
}

fn record(run: &RunRecord) -> Json {
    json!({
        "run": run.id.0,
        "flow": run.flow.as_str(),
        "key": run.key.as_deref(),
        "state": run.state.word(),
        "parent": run.parent.map(|parent| parent.0),
        "started_by": (!run.starter.is_empty()).then_some(run.starter.as_str()),
        "version": run.version.as_str(),
        "began": run.started.to_string(),
        "ended": run.ended.map(|ended| ended.to_string()),
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
