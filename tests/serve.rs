//! `rpa serve` as real processes: triggers start their flows once, also with two servers on one store and with servers
//! that are killed; a signal ends it cleanly.

#![cfg(unix)]
#![allow(clippy::disallowed_methods, reason = "tests read and write files, and wait for processes")]

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

const SCRIPT: &str = r#"
entity Customer {
  key id: text
  country: text = "DE"
}

flow import_file(path: text) {
  step read {
    Customer.create(id: path)
    email.send("ada@example.com", "Imported {path}", "done")
  }
}

flow greet(customer: Customer) {
  step hello {
    log.info("hello {customer.id}")
  }
}

flow tick() {
  step tock {
    log.info("tock")
  }
}

on file "inbox/*.csv" as f { start import_file(f.path) }
on Customer created as c when c.country == "DE" { start greet(c) }
every 1 second { start tick() }
every monday at 06:00 in "Europe/Berlin", catch up { start tick() }
"#;

/// A project in a folder of its own.
struct Project(tempfile::TempDir);

impl Project {
    fn with(files: &[(&str, &str)]) -> Project {
        let project = Project(tempfile::tempdir().unwrap());
        fs::create_dir(project.0.path().join("inbox")).unwrap();
        for (name, text) in files {
            fs::write(project.0.path().join(name), text).unwrap();
        }
        project
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rpa"));
        command.args(arguments).current_dir(self.0.path()).env("NO_COLOR", "1").stdin(Stdio::null());
        command
    }

    fn ran(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn said(&self, arguments: &[&str]) -> String {
        let output = self.ran(arguments);
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }

    fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.ran(&[arguments, &["--format", "json"]].concat());
        let value: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("{arguments:?}: {error}\n{}", String::from_utf8_lossy(&output.stderr));
        });
        value.as_array().cloned().unwrap_or_default()
    }

    /// A file as if it had been there for a while.
    fn deliver(&self, name: &str) {
        let path = self.0.path().join(name);
        let file = fs::File::create(&path).unwrap();
        fs::write(&path, name).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
    }

    fn serve(&self) -> Server {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        let process = self.command(&["serve"]).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Server(process)
    }

    fn log(&self) -> PathBuf {
        self.0.path().join("serve.log")
    }

    /// How many runs of each flow have ended in each state.
    fn runs(&self) -> BTreeMap<(String, String), usize> {
        let mut counts = BTreeMap::new();
        for run in self.json(&["runs", "--all", "--limit", "10000"]) {
            let text = |name: &str| run[name].as_str().unwrap_or_default().to_string();
            *counts.entry((text("flow"), text("state"))).or_default() += 1;
        }
        counts
    }

    /// Waits until so many runs of a flow are done.
    fn wait_for(&self, flow: &str, count: usize) {
        let began = Instant::now();
        while self.runs().get(&(flow.to_string(), "done".to_string())).copied().unwrap_or(0) < count {
            let log = fs::read_to_string(self.log()).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(60), "{flow}: {:?}\n{log}", self.runs());
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

struct Server(Child);

impl Server {
    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.0.id().to_string()]).status().unwrap().success());
    }

    /// Ends it as an operator would; its status.
    fn end(mut self) -> Option<i32> {
        self.signal("-TERM");
        self.0.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn done(flow: &str) -> (String, String) {
    (flow.to_string(), "done".to_string())
}

#[test]
fn two_servers_start_everything_once_also_when_one_is_killed() {
    let project = Project::with(&[("jobs.rpa", SCRIPT)]);
    let mut servers = vec![project.serve(), project.serve()];
    // The triggers are registered with the first run of the schedule.
    project.wait_for("tick", 1);
    for round in 0..4 {
        for number in 0..5 {
            project.deliver(&format!("inbox/{round}-{number}.csv"));
        }
        std::thread::sleep(Duration::from_millis(300));
        // Killed without a word; another takes its place.
        let mut killed = servers.remove(0);
        killed.0.kill().unwrap();
        killed.0.wait().unwrap();
        servers.push(project.serve());
    }
    project.wait_for("import_file", 20);
    project.wait_for("greet", 20);
    for server in servers {
        assert_eq!(server.end(), Some(0));
    }
    // What was begun and not ended when the signal came goes on.
    project.said(&["serve", "--once"]);
    let runs = project.runs();
    assert_eq!((runs[&done("import_file")], runs[&done("greet")]), (20, 20), "{runs:?}");
    assert_eq!(runs[&done("on file \"inbox/*.csv\"")], 20);
    assert!(runs.keys().all(|(_, state)| state == "done"), "{runs:?}");
    // Every second at most once.
    let log = fs::read_to_string(project.log()).unwrap();
    let mut times: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("by `every 1 second`"))
        .filter_map(|line| line.split("`: ").nth(1)?.split(',').next())
        .collect();
    let count = times.len();
    times.sort_unstable();
    times.dedup();
    assert_eq!(times.len(), count, "{log}");
    // Every mail was written once, and every one is settled or will be when the claim of the killed one ends.
    let mails = project.json(&["mail", "--state", "all", "--limit", "1000"]);
    assert_eq!(mails.len(), 20);
}

#[test]
fn a_signal_ends_it_cleanly_and_what_it_says_reads_well() {
    let project = Project::with(&[("jobs.rpa", SCRIPT)]);
    project.deliver("inbox/a.csv");
    let server = project.serve();
    project.wait_for("import_file", 1);
    assert_eq!(server.end(), Some(0));
    let log = fs::read_to_string(project.log()).unwrap();
    for wanted in [
        "serving: jobs.rpa",
        "watching for `on file \"inbox/*.csv\"` of jobs.rpa",
        "watching for `every monday at 06:00 in \"Europe/Berlin\", catch up` of jobs.rpa, next at ",
        "started run ",
        "by `on file \"inbox/*.csv\"`: inbox/a.csv",
        "is done, import_file: 1 done",
        "stopped; what is not done goes on with the next `rpa serve`",
    ] {
        assert!(log.contains(wanted), "{wanted}\n{log}");
    }
    // Nobody holds a run, and nothing is started a second time.
    let said = project.said(&["serve", "--once"]);
    assert!(!said.contains("by `on file"), "{said}");
}

#[test]
fn once_does_what_can_be_done_and_a_bad_script_keeps_the_others_from_nothing() {
    let bad = "flow broken() {\n  step x = nothing_such()\n}\n\nevery 1 second { start broken() }\n";
    let project = Project::with(&[("jobs.rpa", SCRIPT), ("bad.rpa", bad)]);
    project.deliver("inbox/a.csv");
    let output = project.ran(&["serve", "--once", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let events: Vec<&str> = lines.iter().filter_map(|line| line["event"].as_str()).collect();
    assert!(events.contains(&"started") && events.contains(&"done") && events.contains(&"mailed"), "{text}");
    assert_eq!(events.last(), Some(&"ended"), "{text}");
    assert!(text.contains("serve::script") && text.contains("bad.rpa"), "{text}");
    assert_eq!(project.runs()[&done("import_file")], 1);
}

#[test]
fn what_was_missed_is_caught_up_once_or_skipped_as_written() {
    let script =
        SCRIPT.replace("every monday at 06:00 in \"Europe/Berlin\", catch up", "every 1 day at 00:00, catch up");
    let script = script.replace("every 1 second", "every 1 day at 00:00 in \"UTC\"");
    let project = Project::with(&[("jobs.rpa", &script)]);
    project.said(&["serve", "--once"]);
    // As if the last look had been ten days ago.
    let store = rusqlite::Connection::open(project.0.path().join(".rpa/store.db")).unwrap();
    store.execute("UPDATE rpa_triggers SET position = position - 864000000 WHERE entity IS NULL", ()).unwrap();
    drop(store);
    let said = project.said(&["serve", "--once"]);
    assert!(said.contains("for 9 missed before it as well"), "{said}");
    assert!(said.contains("10 times were missed"), "{said}");
    assert_eq!(project.runs()[&done("tick")], 1);
}

#[test]
fn a_switch_holds_mail_and_files_without_a_restart() {
    let project = Project::with(&[("jobs.rpa", SCRIPT), ("rpa.toml", "[effects]\nemail = \"off\"\n")]);
    project.deliver("inbox/a.csv");
    let server = project.serve();
    project.wait_for("import_file", 1);
    let waiting = || project.json(&["mail", "--state", "waiting"]).len();
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(waiting(), 1);
    fs::write(project.0.path().join("rpa.toml"), "[effects]\nemail = \"on\"\n").unwrap();
    let began = Instant::now();
    while waiting() > 0 {
        assert!(began.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(server.end(), Some(0));
    let log = fs::read_to_string(project.log()).unwrap();
    assert!(log.contains("1 mail is held: email is switched off in rpa.toml"), "{log}");
    assert!(project.0.path().join(Path::new(".rpa/outbox/00000001.eml")).is_file());
}

const ASKING: &str = r#"
enum Way { refund, replace }

record Decision {
  way: Way
  note: text?
}

flow complaint(order: text) {
  step paid: bool = ask("finance", "Was {order} paid?")
  step decision: Decision = ask("service", "What about {order}?", within: 3 days)
  step tell {
    log.info("paid {paid}, {decision.way}")
  }
}

on file "inbox/*.csv" as f { start complaint(f.name) }
"#;

#[test]
fn people_answer_and_the_run_goes_on() {
    let project = Project::with(&[("jobs.rpa", ASKING)]);
    project.deliver("inbox/A1");
    project.deliver("inbox/a.csv");
    let served = project.said(&["serve", "--once"]);
    assert!(served.contains("started run"), "{served}");
    let said = [
        project.said(&["inbox"]),
        project.said(&["inbox", "answer", "1", "perhaps"]),
        project.said(&["inbox", "answer", "1"]),
        project.said(&["inbox", "answer", "1", "approve", "--as", "Ada"]),
        project.said(&["inbox", "answer", "1", "refuse"]),
        project.said(&["inbox", "answer", "9", "yes"]),
    ];
    let again = project.said(&["serve", "--once"]);
    let later = [
        project.said(&["inbox", "answer", "2", "way=swap"]),
        project.said(&["inbox", "answer", "2", "way=replace", "note=broken, sadly", "--as", "Bob"]),
        project.said(&["inbox", "--role", "service", "--all"]),
    ];
    project.said(&["serve", "--once"]);
    assert_eq!(project.runs()[&done("complaint")], 1, "{served}\n{again}\n{later:?}");
    // Moments differ.
    let said = [&said[..], &later[..]].concat().join("--\n");
    let said: Vec<String> = said
        .lines()
        .map(|line| match line.split_once("; until ") {
            Some((before, _)) => format!("{before}; until …)"),
            None => line.to_string(),
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"));
    let inbox = project.json(&["inbox", "--all"]);
    assert_eq!((inbox[0]["by"].as_str(), inbox[0]["answer"].as_str()), (Some("Ada"), Some("yes")), "{inbox:?}");
}

const DELETIONS: &str = r#"
enum Tier { gold, silver }

entity Customer {
  key id: text
  tier: Tier = silver
  tags: [text] = []
}

flow make(id: text, tier: Tier) {
  step made = Customer.create(id: id, tier: tier, tags: ["a", "b"])
}

flow drop(id: text) {
  step gone { Customer.get(id).delete() }
}

flow drop_in_vain(id: text) {
  step gone {
    Customer.get(id).delete()
    log.info(Customer.get(id).id)
  }
}

flow farewell(customer: Customer) {
  step bye {
    log.info("bye {customer.id}, {customer.tier} with {customer.tags.count} tags")
  }
}

on Customer deleted as c when c.tier == gold { start farewell(c) }
"#;

#[test]
fn a_deleted_record_starts_a_flow_as_it_was_last() {
    let project = Project::with(&[("jobs.rpa", DELETIONS)]);
    // From here on it is watched for.
    project.said(&["serve", "--once"]);
    for (id, tier) in [("G", "gold"), ("S", "silver")] {
        project.said(&["run", "jobs.rpa", "--flow", "make", id, tier]);
        project.said(&["run", "jobs.rpa", "--flow", "drop", id]);
    }
    // What is taken back has not happened.
    project.said(&["run", "jobs.rpa", "--flow", "make", "H", "gold"]);
    assert!(project.said(&["run", "jobs.rpa", "--flow", "drop_in_vain", "H"]).contains("there is no Customer H"));
    let said = project.said(&["serve", "--once"]);
    assert!(said.contains("by `on Customer deleted`: G"), "{said}");
    assert_eq!(project.runs()[&done("farewell")], 1, "{said}");
    let run = project.json(&["runs", "--flow", "farewell"]).first().and_then(|run| run["run"].as_i64()).unwrap();
    let told = project.said(&["runs", "show", &run.to_string()]);
    assert!(told.contains("noted info bye G, gold with 2 tags"), "{told}");
    assert!(!project.said(&["serve", "--once"]).contains("started run"));
    // The log does not keep what every trigger has seen.
    let store = rusqlite::Connection::open(project.0.path().join(".rpa/store.db")).unwrap();
    let kept: i64 = store.query_row("SELECT count(*) FROM rpa_changes", (), |row| row.get(0)).unwrap();
    assert_eq!(kept, 0);
}

const TICKING: &str = r#"
use "words.rpa"

flow tick() {
  step tock { log.info(words.greeting()) }
}

flow pause() {
  step pause = sleep(4 seconds)
  step told { log.info(words.greeting()) }
}

every 1 second { start tick() }
every 1 day { start pause() }
"#;

#[test]
fn a_script_that_changes_is_served_anew_and_a_broken_one_as_it_was() {
    let words = |text: &str| format!("fn greeting() -> text = {text}\n");
    let project = Project::with(&[("jobs.rpa", TICKING), ("words.rpa", &words("\"one\""))]);
    let server = project.serve();
    project.wait_for("tick", 1);
    let log = || fs::read_to_string(project.log()).unwrap();
    let wait = |wanted: &str| {
        let began = Instant::now();
        while !log().contains(wanted) {
            assert!(began.elapsed() < Duration::from_secs(60), "{wanted}\n{}", log());
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    // A run that waits keeps the version that it began with.
    project.said(&["run", "jobs.rpa", "--flow", "pause", "--wait", "0 seconds"]);
    let paused = project.json(&["runs", "--flow", "pause"]).first().and_then(|run| run["run"].as_i64()).unwrap();
    // A file that the script uses is broken, then mended.
    fs::write(project.0.path().join("words.rpa"), words("nothing_such")).unwrap();
    wait("jobs.rpa has changed and can't be served so");
    wait("it is served as it was before the change, until it is mended");
    let before = project.runs()[&done("tick")];
    project.wait_for("tick", before + 2);
    fs::write(project.0.path().join("words.rpa"), words("\"two\"")).unwrap();
    wait("jobs.rpa has changed; from now on it is served as it is now");
    let before = project.runs()[&done("tick")];
    project.wait_for("tick", before + 2);
    project.wait_for("pause", 1);
    // Another script comes and goes.
    fs::write(
        project.0.path().join("more.rpa"),
        "flow more() {\n  step x { log.info(\"more\") }\n}\n\nevery 2 seconds { start more() }\n",
    )
    .unwrap();
    wait("more.rpa is new and is served");
    project.wait_for("more", 1);
    fs::remove_file(project.0.path().join("more.rpa")).unwrap();
    wait("more.rpa is gone; it is served no more");
    assert_eq!(server.end(), Some(0));
    let last = project.json(&["runs", "--flow", "tick", "--limit", "1"])[0]["run"].as_i64().unwrap();
    assert!(project.said(&["runs", "show", &last.to_string()]).contains("noted info two"));
    assert!(project.said(&["runs", "show", &paused.to_string()]).contains("noted info one"));
    // No time was done twice over the changes.
    let log = log();
    let mut times: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("by `every 1 second`"))
        .filter_map(|line| line.split("`: ").nth(1)?.split(',').next())
        .collect();
    let count = times.len();
    times.sort_unstable();
    times.dedup();
    assert_eq!(times.len(), count, "{log}");
}

#[test]
fn changed_settings_are_gone_by_when_they_are_right_and_what_needs_a_restart_is_named_once() {
    let project = Project::with(&[("rpa.toml", "name = \"jobs\"\n"), ("jobs.rpa", SCRIPT)]);
    let server = project.serve();
    project.wait_for("tick", 1);
    let log = || fs::read_to_string(project.log()).unwrap();
    let until = |what: &str, holds: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < Duration::from_secs(60), "{what}\n{}", log());
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let settings = |text: &str| fs::write(project.0.path().join("rpa.toml"), text).unwrap();
    let wait = |wanted: &str| until(wanted, &|| log().contains(wanted));
    // A file with a mistake, and one that forbids what a script does: both leave all as it is.
    settings("name = \"jobs\"\n[mail\n");
    wait("rpa.toml has changed and can't be gone by");
    settings("name = \"jobs\"\n[reach]\nmail = [\"example.org\"]\n");
    wait("rpa.toml has changed, and jobs.rpa can't be served so");
    wait("the settings stay as they were before the change, until it is mended");
    // Mail leaves to another place at once, the store stays where it is.
    settings("name = \"jobs\"\n[mail]\noutbox = \"elsewhere\"\n[store]\npath = \"other.db\"\n");
    wait("changed `[mail]` in rpa.toml: what begins from now on goes by it; changed `path` in `[store]` in rpa.toml");
    fs::write(project.0.path().join("inbox/new.csv"), "a\n1\n").unwrap();
    let mails = || fs::read_dir(project.0.path().join("elsewhere")).map_or(0, Iterator::count);
    until("a mail elsewhere", &|| mails() > 0);
    settings("name = \"work\"\n[mail]\noutbox = \"elsewhere\"\n[store]\npath = \"other.db\"\n");
    wait("changed `name` in rpa.toml");
    assert_eq!(server.end(), Some(0));
    let log = log();
    assert_eq!(log.matches("has to be started again").count(), 1, "{log}");
    assert!(!project.0.path().join("other.db").exists());
}

/// Many new runs of one flow, as triggers leave them, and behind them one of another.
#[test]
fn many_new_runs_of_one_flow_do_not_keep_one_of_another_waiting() {
    use rpa::world::Store;
    const MANY: usize = 3000;
    let script = "flow many(number: int) {\n  step noted = log.info(\"{number}\")\n}\n\nflow one(number: int) {\n  step noted = log.info(\"{number}\")\n}\n";
    let project = Project::with(&[("jobs.rpa", script)]);
    // A first run makes the store.
    assert!(project.ran(&["run", "jobs.rpa", "0", "--flow", "one"]).status.success());
    let path = project.0.path().join("jobs.rpa");
    let source = rpa::text::Source::new("jobs.rpa", script).with_path(&path);
    let checked = rpa::check::check(source, &rpa::check::Memory::default());
    let code = rpa::compile::compile(&checked.program.unwrap());
    let options = rpa::adapter::sqlite::Options::default();
    let file = project.0.path().join(".rpa/store.db");
    let mut store = rpa::adapter::sqlite::SqliteStore::open(&file, &code.records, &code.enums, &options).unwrap();
    let now = rpa::value::Instant::from_milliseconds(1_795_392_000_000).unwrap();
    let flow = |name: &str| code.flows.iter().position(|flow| flow.name == name).unwrap();
    store.begin().unwrap();
    for number in 0..=MANY {
        let flow = flow(if number < MANY { "many" } else { "one" });
        let number = vec![rpa::value::Value::Int(number as i64)];
        rpa::flow::start(&mut store, &code, flow, number, "on file", now).unwrap().unwrap();
    }
    store.commit().unwrap();
    drop(store);
    let output = project.ran(&["serve", "jobs.rpa", "--once"]);
    assert!(output.status.success(), "{output:?}");
    let runs = project.json(&["runs", "--limit", "10000"]);
    assert_eq!(runs.iter().filter(|run| run["state"] == "done").count(), MANY + 2, "{:?}", project.runs());
    let ended = |run: &Value| run["ended"].as_str().unwrap_or_default().to_string();
    let last_one = runs.iter().filter(|run| run["flow"] == "one").map(ended).max().unwrap();
    let before = runs.iter().filter(|run| run["flow"] == "many" && ended(run) < last_one).count();
    assert!(before < MANY / 4, "{before} of {MANY} went first");
}
