//! Clocks that jump, with the whole program: by hours and days, forth and back, over a change to summer time, while runs
//! wait, mails wait for their next try, schedules are due, and leases are held. Nothing is lost, nothing done twice, and
//! nothing stuck.
//!
//! The clock is set with libfaketime (Debian: `apt-get install faketime`). Without it the tests say so and pass over.

#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests touch the disk, wait, and say what they do"
)]
#![allow(dead_code, reason = "the tests of mail servers use the rest of what they share")]

#[path = "mail_faults/server.rs"]
mod server;

use serde_json::Value;
use server::{Fault, Point, Server};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const SCRIPT: &str = r#"
entity Note {
  key name: text
}

flow nap(name: text) key name {
  step told = email.send("ada@example.com", "{name} sleeps", "good night")
  step rest = sleep(2 hours)
  step woken = Note.create(name: "{name} is awake")
  step told_again = email.send("ada@example.com", "{name} is awake", "good morning")
}

flow tick(name: text) {
  step tock { log.info(name) }
}

every day at 06:00 in "Europe/Berlin", catch up { start tick("daily") }
every 1 hour, catch up { start tick("hourly") }
"#;

/// A project, and the clock that its processes see.
struct Project {
    folder: tempfile::TempDir,
    library: PathBuf,
}

impl Project {
    fn new(settings: &str) -> Option<Project> {
        let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
        let library = folders.map(|folder| folder.join("faketime/libfaketime.so.1")).find(|path| path.is_file());
        let Some(library) = library else {
            eprintln!("SKIPPED: libfaketime is not installed (apt-get install faketime)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("rpa.toml"), settings).unwrap();
        fs::write(folder.path().join("jobs.rpa"), SCRIPT).unwrap();
        Some(Project { folder, library })
    }

    /// Sets the clock, also of processes that are at work: `2027-03-28T04:30:00Z`.
    fn set(&self, moment: &str) {
        let wanted: jiff::Timestamp = moment.parse().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
        let ahead = wanted.as_second() - now;
        // At once or not at all: a process may read it meanwhile.
        fs::write(self.folder.path().join("clock.new"), format!("{ahead:+}\n")).unwrap();
        fs::rename(self.folder.path().join("clock.new"), self.folder.path().join("clock")).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rpa"));
        command.args(arguments).current_dir(self.folder.path()).env("NO_COLOR", "1").stdin(Stdio::null());
        command.env("LD_PRELOAD", &self.library).env("FAKETIME_TIMESTAMP_FILE", self.folder.path().join("clock"));
        // Only what shows the time of day is set: how long something took stays what it is.
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("DONT_FAKE_MONOTONIC", "1");
        command.env("NO_FAKE_STAT", "1");
        command
    }

    fn ran(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.command(arguments).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!said.contains("panicked"), "{said}");
        (output.status.code(), said)
    }

    fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.command(&[arguments, &["--format", "json"]].concat()).output().unwrap();
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        value.as_array().cloned().unwrap_or_default()
    }

    fn serve(&self) -> Serving {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("serve.log")).unwrap();
        Serving(self.command(&["serve"]).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("serve.log")).unwrap_or_default()
    }

    /// How many runs of a flow are in a state.
    fn count(&self, flow: &str, state: &str) -> usize {
        let runs = self.json(&["runs", "--all", "--limit", "1000", "--flow", flow]);
        runs.iter().filter(|run| run["state"] == state).count()
    }

    /// How many runs a schedule has started, by what its flow was given.
    fn ticks(&self, name: &str) -> usize {
        self.log()
            .lines()
            .filter(|line| line.contains("started run") && line.contains(&format!("by `every {name}")))
            .count()
    }

    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < Duration::from_secs(60), "{what}: it does not happen\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Long enough for a server to have looked.
    fn settle(&self) {
        std::thread::sleep(Duration::from_millis(900));
    }

    fn mails(&self, state: &str) -> usize {
        self.json(&["mail", "--state", state, "--limit", "1000"]).len()
    }
}

struct Serving(Child);

impl Serving {
    fn end(mut self) {
        assert!(Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap().success());
        assert_eq!(self.0.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_at_work_bears_a_clock_that_jumps() {
    let Some(project) = Project::new("name = \"jobs\"\n") else { return };
    // The day before the clocks of Berlin go from 2 to 3, at 1 UTC.
    project.set("2027-03-27T12:10:00Z");
    let (status, said) = project.ran(&["run", "jobs.rpa", "--flow", "nap", "ada", "--wait", "0 seconds"]);
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(project.count("nap", "waiting"), 1, "{said}");
    let server = project.serve();
    project.until("it watches", || project.log().matches("watching for").count() == 2);
    // Back by days: nothing wakes, nothing is started, and the server lives.
    project.set("2027-03-22T12:10:00Z");
    project.settle();
    assert_eq!((project.count("nap", "waiting"), project.ticks("day"), project.ticks("1 hour")), (1, 0, 0));
    // Forth by hours: what is due by then wakes once. Three hours were missed: they are caught up by one run.
    project.set("2027-03-27T15:10:00Z");
    project.until("the sleeper wakes", || project.count("nap", "done") == 1);
    project.until("the hour is struck", || project.ticks("1 hour") == 1);
    // Over the change: 06:00 in Berlin is 04:00 UTC from now on.
    project.set("2027-03-28T03:50:00Z");
    project.until("the hours are struck", || project.ticks("1 hour") == 2);
    assert_eq!(project.ticks("day"), 0, "{}", project.log());
    project.set("2027-03-28T04:10:00Z");
    project.until("the day is begun", || project.ticks("day") == 1);
    project.until("the hour is struck", || project.ticks("1 hour") == 3);
    // Back before it, and there again, by minutes and by days: not begun again.
    for moment in ["2027-03-28T03:50:00Z", "2027-03-28T04:20:00Z", "2027-03-25T01:00:00Z", "2027-03-28T04:30:00Z"] {
        project.set(moment);
        project.settle();
        assert_eq!((project.ticks("day"), project.ticks("1 hour")), (1, 3), "{moment}: {}", project.log());
    }
    project.set("2027-03-29T04:10:00Z");
    project.until("the next day is begun", || project.ticks("day") == 2);
    server.end();
    // The sleeper was woken once, and its two mails have left once each.
    let notes = rusqlite::Connection::open(project.folder.path().join(".rpa/store.db")).unwrap();
    assert_eq!(notes.query_row("SELECT count(*) FROM Note", (), |row| row.get::<_, i64>(0)), Ok(1));
    assert_eq!((project.mails("sent"), project.mails("all")), (2, 2));
    assert_eq!(fs::read_dir(project.folder.path().join(".rpa/outbox")).unwrap().count(), 2);
    let (_, check) = project.ran(&["store", "check"]);
    assert!(!check.contains("error"), "{check}");
}

#[test]
fn a_clock_that_was_years_ahead_keeps_no_schedule_from_its_work() {
    let Some(project) = Project::new("name = \"jobs\"\n") else { return };
    project.set("2031-01-01T12:10:00Z");
    project.ran(&["serve", "--once"]);
    project.set("2031-01-01T13:10:00Z");
    let (_, said) = project.ran(&["serve", "--once"]);
    assert!(said.contains("by `every 1 hour"), "{said}");
    // The clock is put right.
    project.set("2027-03-27T12:10:00Z");
    let (status, said) = project.ran(&["serve", "--once"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("serve::clock") && said.contains("which has not come yet"), "{said}");
    assert!(!said.contains("by `every"), "{said}");
    project.set("2027-03-27T13:10:00Z");
    let (_, said) = project.ran(&["serve", "--once"]);
    assert!(said.contains("by `every 1 hour") && !said.contains("serve::clock"), "{said}");
}

#[test]
fn a_mail_that_waits_is_not_kept_by_a_clock_that_was_set_back() {
    let server = Server::start(0);
    let settings = format!(
        "name = \"jobs\"\n[mail]\nfrom = \"jobs@example.com\"\n[mail.smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"off\"\n\
         [systems.smtp]\nopen_after = 1\nretry_after = \"1 hour\"\n",
        server.port
    );
    let Some(project) = Project::new(&settings) else { return };
    project.set("2027-03-27T12:10:00Z");
    server.breaks(Point::Recipient, Fault::Says("451 later"));
    let (_, said) = project.ran(&["run", "jobs.rpa", "--flow", "nap", "ada", "--wait", "0 seconds"]);
    assert!(said.contains("451 later"), "{said}");
    server.is_mended();
    // The mail waits for a minute, and the server is left alone for an hour.
    let (_, said) = project.ran(&["serve", "--once"]);
    assert!(server.taken().is_empty(), "{said}");
    // Back by days: neither holds any more, since nothing is postponed so far.
    project.set("2027-03-22T12:10:00Z");
    let (_, said) = project.ran(&["serve", "--once"]);
    assert_eq!((server.taken().len(), project.mails("sent")), (1, 1), "{said}");
    // And forth again: it has left once.
    project.set("2027-04-01T12:10:00Z");
    project.ran(&["serve", "--once"]);
    assert_eq!(project.count("nap", "done"), 1);
    let mut taken = server.taken();
    taken.sort_unstable();
    taken.dedup();
    assert_eq!((taken.len(), server.taken().len()), (2, 2));
}

#[test]
fn a_clock_that_jumps_takes_no_lease_and_makes_no_pause_longer() {
    let Some(project) = Project::new("name = \"jobs\"\nstore.lease = 2\n") else { return };
    let script = "flow job() {\n  step gate {\n    if not file.exists(\"open.txt\") { fail unavailable(\"the gate is closed\") }\n  }\n    \
                  retry 1000 times from 100 milliseconds\n}\n";
    fs::write(project.folder.path().join("jobs.rpa"), script).unwrap();
    project.set("2027-03-27T12:10:00Z");
    let mut worker =
        project.command(&["run", "jobs.rpa"]).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    project.until("it is at work", || project.count("job", "running") == 1);
    for moment in ["2027-03-27T15:10:00Z", "2027-03-20T12:10:00Z", "2027-04-20T12:10:00Z", "2027-03-27T12:10:00Z"] {
        project.set(moment);
        let (_, said) = project.ran(&["runs", "resume"]);
        assert!(said.contains("no run waits to be gone on with"), "{moment}: {said}");
    }
    // The pause before the next try is 100 milliseconds, whatever the clock shows.
    assert!(worker.try_wait().unwrap().is_none(), "it has given up");
    fs::write(project.folder.path().join("open.txt"), "").unwrap();
    assert_eq!(worker.wait().unwrap().code(), Some(0));
    assert_eq!(project.count("job", "done"), 1);
}

#[test]
fn a_retry_that_a_server_waits_for_is_not_put_off_by_a_clock_that_is_set_back() {
    let Some(project) = Project::new("name = \"jobs\"\n") else { return };
    let script = "flow job() {\n  step gate {\n    if not file.exists(\"open.txt\") { fail unavailable(\"the gate is closed\") }\n  }\n    \
                  retry 1000 times from 1 second\n}\n\nflow nap() {\n  step rest = sleep(1 hour)\n}\n";
    fs::write(project.folder.path().join("jobs.rpa"), script).unwrap();
    project.set("2027-03-27T12:10:00Z");
    for flow in ["job", "nap"] {
        let (_, said) = project.ran(&["run", "jobs.rpa", "--flow", flow, "--wait", "0 seconds"]);
        assert_eq!(project.count(flow, "waiting"), 1, "{said}");
    }
    let server = project.serve();
    project.until("it tries again", || project.log().contains("waits for the next try of `gate`, until "));
    project.set("2027-03-20T12:10:00Z");
    project.settle();
    fs::write(project.folder.path().join("open.txt"), "").unwrap();
    project.until("the next try comes", || project.count("job", "done") == 1);
    // What sleeps until a moment still does.
    assert_eq!(project.count("nap", "waiting"), 1, "{}", project.log());
    project.set("2027-03-27T13:10:30Z");
    project.until("the sleeper wakes", || project.count("nap", "done") == 1);
    server.end();
}
