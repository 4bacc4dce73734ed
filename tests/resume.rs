//! Runs whose process is gone: killed, or stopped for too long. Real processes on a real store.

#![allow(clippy::disallowed_methods, reason = "tests read and write files")]
#![cfg(unix)]

use rusqlite::Connection;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A folder with a project, in which `rpa` is run.
struct Project(tempfile::TempDir);

/// Steps with records and a mail, and in between a try that fails until there is a file, after pauses that are long
/// enough to be killed in.
const SCRIPT: &str = r#"
use crm

entity Note {
  key name: text
  text: text
}

flow job(name: text) -> text key name {
  step first {
    Note.create(name: "{name} first", text: "one")
    email.send(to: "ada@example.com", subject: "begun {name}", body: "hello")
  }
    undo Note.get("{name} first").delete()
  step gate {
    if not file.exists("open.txt") {
      fail unavailable("the gate is closed")
    }
  }
    retry 1000 times from 200 milliseconds
  step second {
    Note.create(name: "{name} second", text: "two")
    email.send(to: "ada@example.com", subject: "ended {name}", body: "goodbye")
  }
  return "ended"
}
"#;

impl Project {
    fn new() -> Project {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("rpa.toml"), "name = \"jobs\"\nstore.lease = 1\n").unwrap();
        fs::write(folder.path().join("job.rpa"), SCRIPT).unwrap();
        Project(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rpa"));
        command.args(arguments).current_dir(self.path()).env("COLUMNS", "120").env("USER", "ada");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> (String, String, i32) {
        said(self.command(arguments).output().unwrap())
    }

    /// Opens the gate.
    fn open(&self) {
        fs::write(self.path().join("open.txt"), "").unwrap();
    }

    fn query(&self, text: &str) -> String {
        let Ok(store) = Connection::open(self.path().join(".rpa/store.db")) else { return String::new() };
        store.busy_timeout(Duration::from_secs(10)).unwrap();
        let Ok(mut statement) = store.prepare(text) else { return String::new() };
        let rows = statement.query_map((), |row| row.get::<_, String>(0)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>().join(" ")
    }

    /// Waits until a process stands before the gate.
    fn until_at_the_gate(&self, run: u32) {
        let text = format!(
            "SELECT CAST(count(*) AS TEXT) FROM rpa_runs r JOIN rpa_workers w ON w.id = r.worker \
             WHERE r.id = {run} AND r.state = 1"
        );
        self.until(|| self.query(&text) == "1");
    }

    fn until(&self, holds: impl Fn() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < Duration::from_secs(60), "it does not happen: {}", self.states());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn states(&self) -> String {
        self.query("SELECT id || ':' || state FROM rpa_run_list ORDER BY id")
    }

    fn notes(&self) -> String {
        self.query("SELECT replace(name, ' ', '-') FROM Note ORDER BY name")
    }

    /// The subjects of the mails that have left.
    fn mails(&self) -> Vec<String> {
        let mut subjects: Vec<String> = fs::read_dir(self.path().join(".rpa/outbox"))
            .map(|entries| {
                let mails = entries.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "eml"));
                mails.map(|entry| fs::read_to_string(entry.path()).unwrap()).collect::<Vec<_>>()
            })
            .unwrap_or_default()
            .iter()
            .flat_map(|mail| {
                mail.lines()
                    .filter_map(|line| line.strip_prefix("Subject: "))
                    .map(str::to_string)
                    .take(1)
                    .collect::<Vec<_>>()
            })
            .collect();
        subjects.sort();
        subjects
    }
}

fn said(output: Output) -> (String, String, i32) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code().unwrap_or(-1))
}

fn signal(child: &Child, signal: &str) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn a_killed_run_goes_on_where_it_was_with_its_own_version() {
    let project = Project::new();
    let mut killed = project.start(&["run", "job.rpa", "a"]);
    project.until_at_the_gate(1);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(project.states(), "1:running");
    // The script has changed since: the run goes on with the one that it began with.
    fs::write(
        project.path().join("job.rpa"),
        SCRIPT.replace("\"two\"", "\"changed\"").replace("return \"ended\"", "return \"changed\""),
    )
    .unwrap();
    project.open();
    let (out, err, status) = project.run(&["runs", "resume"]);
    assert_eq!(status, 0, "{out}{err}");
    assert!(err.contains("going on with run 1 (job for a), which ada@"), "{err}");
    assert!(out.contains("Result: ended"), "{out}");
    assert_eq!(project.states(), "1:done");
    assert_eq!(project.notes(), "a-first a-second");
    assert_eq!(project.query("SELECT text FROM Note WHERE name = 'a second'"), "two");
    assert_eq!(project.mails(), ["begun a", "ended a"]);
    let (out, _, _) = project.run(&["runs", "resume"]);
    assert_eq!(out, "no run waits to be gone on with\n");
    assert!(
        fs::read_dir(project.path().join(".rpa/store.db-workers"))
            .unwrap()
            .flatten()
            .all(|each| each.file_name() == "turn.lock")
    );
}

#[test]
fn the_next_run_goes_on_with_what_was_left_first() {
    let project = Project::new();
    let mut killed = project.start(&["run", "job.rpa", "a"]);
    project.until_at_the_gate(1);
    killed.kill().unwrap();
    killed.wait().unwrap();
    project.open();
    let (out, err, status) = project.run(&["run", "job.rpa", "b"]);
    assert_eq!(status, 0, "{out}{err}");
    assert_eq!(err.lines().filter(|line| line.starts_with("going on with run 1 (job for a)")).count(), 1, "{err}");
    assert_eq!(project.states(), "1:done 2:done");
    assert_eq!(project.notes(), "a-first a-second b-first b-second");
    assert_eq!(project.mails(), ["begun a", "begun b", "ended a", "ended b"]);
}

#[test]
fn two_processes_never_work_on_one_run() {
    let project = Project::new();
    let worker = project.start(&["run", "job.rpa", "a"]);
    project.until_at_the_gate(1);
    let (_, err, status) = project.run(&["runs", "resume", "1"]);
    assert_eq!(status, 1);
    assert!(err.contains("run::taken") && err.contains("another process works on run 1 (job for a): ada@"), "{err}");
    let (out, _, status) = project.run(&["runs", "resume"]);
    assert_eq!((out.as_str(), status), ("no run waits to be gone on with\n", 0));
    // The same start again meets the run at work.
    let (out, err, status) = project.run(&["run", "job.rpa", "a"]);
    assert_eq!(status, 1, "{out}");
    assert!(err.contains("is at work in another process"), "{err}");
    // Another run shares the store with it.
    project.open();
    let (out, err, status) = project.run(&["run", "job.rpa", "b"]);
    assert_eq!(status, 0, "{out}{err}");
    let (out, err, status) = said(worker.wait_with_output().unwrap());
    assert_eq!(status, 0, "{out}{err}");
    assert_eq!(project.states(), "1:done 2:done");
    assert_eq!(project.mails(), ["begun a", "begun b", "ended a", "ended b"]);
}

#[test]
fn a_stuck_process_is_fenced_and_loses_nothing() {
    let project = Project::new();
    let stuck = project.start(&["run", "job.rpa", "a"]);
    project.until_at_the_gate(1);
    // Stopped between two tries: in a transaction it would hold the store, and nobody could take anything over.
    signal(&stuck, "-STOP");
    project.open();
    let began = Instant::now();
    loop {
        let (out, err, status) = project.run(&["runs", "resume"]);
        if err.contains("going on with") {
            assert!(err.contains("which was stuck"), "{err}");
            assert_eq!(status, 0, "{out}{err}");
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it is not taken over: {out}{err}");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(project.states(), "1:done");
    signal(&stuck, "-CONT");
    let (out, err, status) = said(stuck.wait_with_output().unwrap());
    assert_eq!(status, 1, "{out}{err}");
    assert!(err.contains("store::fenced") && err.contains("another process has taken over"), "{err}");
    assert_eq!(project.states(), "1:done");
    assert_eq!(project.notes(), "a-first a-second");
    assert_eq!(project.mails(), ["begun a", "ended a"]);
}

#[test]
fn many_processes_at_once_do_each_run_once() {
    let project = Project::new();
    project.open();
    let children: Vec<_> = ["a", "b", "c", "a", "b", "c"].map(|name| project.start(&["run", "job.rpa", name])).into();
    for child in children {
        let (out, err, status) = said(child.wait_with_output().unwrap());
        // The second of a name finds it done, or at work.
        assert!(status == 0 || err.contains("is at work in another process"), "{out}{err}");
    }
    assert_eq!(project.notes(), "a-first a-second b-first b-second c-first c-second");
    assert_eq!(project.mails(), ["begun a", "begun b", "begun c", "ended a", "ended b", "ended c"]);
}

/// A step that takes long, and in which the store is written to.
const LONG_STEP: &str = r#"
flow long() {
  step crunch {
    var sum = 0
    for number in 1..ROUNDS { sum = sum + number }
    log.info("{sum}")
  }
}
"#;

#[test]
#[cfg(target_os = "linux")]
fn a_process_stopped_while_it_writes_is_named_by_those_who_wait() {
    let project = Project::new();
    project.open();
    assert_eq!(project.run(&["run", "job.rpa", "a"]).2, 0);
    let is_held = || {
        let store = Connection::open(project.path().join(".rpa/store.db")).unwrap();
        store.busy_timeout(Duration::ZERO).unwrap();
        store.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_err()
    };
    // How fast a machine is nobody knows: the step is made longer until it is met.
    let mut rounds = 2_000_000;
    let stopped = loop {
        fs::write(project.path().join("long.rpa"), LONG_STEP.replace("ROUNDS", &rounds.to_string())).unwrap();
        let mut long = project.start(&["run", "long.rpa"]);
        let mut held = 0;
        while long.try_wait().unwrap().is_none() && held < 5 {
            held = if is_held() { held + 1 } else { 0 };
            std::thread::sleep(Duration::from_millis(10));
        }
        signal_if_there(&mut long, "-STOP");
        if long.try_wait().unwrap().is_none() && is_held() {
            break long;
        }
        signal_if_there(&mut long, "-CONT");
        long.wait().unwrap();
        rounds *= 2;
    };
    let (out, err, status) = project.run(&["run", "job.rpa", "b"]);
    assert_eq!(status, 1, "{out}{err}");
    assert!(err.contains("store::locked") && err.contains("is in use by another process: ada@"), "{err}");
    assert!(err.contains(&format!("`kill -CONT {0}` lets it go on", stopped.id())), "{err}");
    // Looking needs no turn.
    assert_eq!(project.run(&["runs"]).2, 0);
    signal(&stopped, "-CONT");
    let (out, err, status) = said(stopped.wait_with_output().unwrap());
    assert_eq!(status, 0, "{out}{err}");
    let (out, err, status) = project.run(&["run", "job.rpa", "b"]);
    assert_eq!(status, 0, "{out}{err}");
    assert_eq!(project.notes(), "a-first a-second b-first b-second");
}

fn signal_if_there(child: &mut Child, name: &str) {
    if child.try_wait().unwrap().is_none() {
        signal(child, name);
    }
}

/// Ends a process as an operator would, and gives what it said.
fn terminated(child: Child, signal: &str) -> (String, String, i32) {
    let began = Instant::now();
    Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    let said = said(child.wait_with_output().unwrap());
    assert!(began.elapsed() < Duration::from_secs(20), "it does not end: {said:?}");
    said
}

#[test]
fn a_run_that_is_told_to_end_says_that_it_is_safe_and_how_it_goes_on() {
    let project = Project::new();
    for (signal, arguments) in [("-TERM", vec!["run", "job.rpa", "a"]), ("-INT", vec!["runs", "resume", "1"])] {
        let child = project.start(&arguments);
        project.until_at_the_gate(1);
        let (_, err, status) = terminated(child, signal);
        assert_eq!(status, 1, "{err}");
        assert!(err.contains("stopped by a signal; run 1 (job for a) is safe"), "{err}");
        assert!(err.contains("`rpa runs resume 1`") && !err.contains("store::"), "{err}");
    }
    // For programs it is data.
    let child = project.start(&["runs", "resume", "1", "--format", "json"]);
    project.until_at_the_gate(1);
    let (out, _, status) = terminated(child, "-TERM");
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, &told["stopped_at"]), (1, &serde_json::json!(1)));
    project.open();
    let (out, err, status) = project.run(&["runs", "resume", "1"]);
    assert_eq!(status, 0, "{err}");
    assert!(out.contains("job is done"), "{out}");
    assert_eq!(
        (project.notes().as_str(), project.mails()),
        ("a-first a-second", vec!["begun a".into(), "ended a".into()])
    );
}

#[test]
fn a_signal_in_the_middle_of_many_steps_leaves_what_is_done_and_the_rest_goes_on() {
    let project = Project::new();
    let script = "entity Note {\n  key number: int\n}\n\nflow many() {\n  for number in 1..40000 {\n    \
                  step made = Note.create(number: number)\n  }\n}\n";
    fs::write(project.path().join("many.rpa"), script).unwrap();
    let count = || project.query("SELECT CAST(count(*) AS TEXT) FROM Note").parse::<i64>().unwrap_or(0);
    let child = project.start(&["run", "many.rpa"]);
    project.until(|| count() > 0);
    let (_, err, status) = terminated(child, "-TERM");
    let all = count();
    assert_eq!(status, 1, "{err}");
    assert!(err.contains("run 1 (many) is safe") && (1..40_000).contains(&all), "{all}: {err}");
    assert_eq!(project.run(&["runs", "resume", "1"]).2, 0);
    assert_eq!((project.states().as_str(), count()), ("1:done", 40_000));
}

#[test]
fn runs_that_were_left_go_on_while_others_of_them_pause() {
    let project = Project::new();
    fs::write(project.path().join("job.rpa"), SCRIPT.replace("open.txt", "{name}.txt")).unwrap();
    let mut left = Vec::new();
    for (number, name) in [(1, "a"), (2, "b"), (3, "c")] {
        left.push(project.start(&["run", "job.rpa", name]));
        project.until(|| {
            project.query(&format!("SELECT CAST(id AS TEXT) FROM rpa_run_list WHERE id = {number}"))
                == number.to_string()
        });
    }
    for mut process in left {
        process.kill().unwrap();
        process.wait().unwrap();
    }
    // The last one could go on; those before it stand before their gates, again and again.
    fs::write(project.path().join("c.txt"), "").unwrap();
    let resuming = project.start(&["runs", "resume"]);
    project.until(|| project.notes().contains("c-second"));
    for name in ["a.txt", "b.txt"] {
        fs::write(project.path().join(name), "").unwrap();
    }
    let (out, err, status) = said(resuming.wait_with_output().unwrap());
    assert_eq!((status, project.states().as_str()), (0, "1:done 2:done 3:done"), "{out}{err}");
    assert_eq!(out.matches("job is done").count(), 3, "{out}");
}
