//! `rpa store` as the real program: whole and damaged stores, copies taken while a run is at work, restored stores, and
//! what may leave a store.

#![allow(clippy::disallowed_methods, reason = "tests read and write files, and wait for processes")]

use rusqlite::Connection;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const SCRIPT: &str = r#"
entity Note {
  key name: text
  count: int
  price: decimal = 1.50
}

flow keyed(name: text) -> int key name {
  step first {
    Note.create(name: name, count: 1)
  }
  step told {
    email.send("ada@example.com", "Hello {name}", "A note")
  }
  return 7
}

flow plain(name: text) -> int {
  step told {
    email.send("bob@example.com", "Plain {name}", "A note")
  }
  return 8
}

flow later(name: text) -> int key name {
  step pause = sleep(3 days)
  return 9
}

flow bulk(count: int) {
  for i in 1..count {
    run keyed("note {i}")
  }
}

flow broken(name: text) -> int key name {
  step first {
    Note.create(name: name, count: 2)
  }
  step gate {
    if not file.exists("open.txt") {
      fail closed(name)
    }
  }
  return 1
}

error closed(name: text)
"#;

struct Project(tempfile::TempDir);

impl Project {
    fn new() -> Project {
        let project = Project(tempfile::tempdir().unwrap());
        fs::write(project.path("job.rpa"), SCRIPT).unwrap();
        fs::write(project.path("rpa.toml"), "name = \"shop\"\n").unwrap();
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn store(&self) -> PathBuf {
        self.path(".rpa/store.db")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rpa"));
        command.args(arguments).current_dir(self.0.path()).env("NO_COLOR", "1").stdin(Stdio::null());
        command
    }

    fn ran(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The exit status, with all that was said.
    fn told(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.ran(arguments);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code().unwrap_or(-1), said)
    }

    fn fine(&self, arguments: &[&str]) -> String {
        let (status, said) = self.told(arguments);
        assert_eq!(status, 0, "{arguments:?}: {said}");
        said
    }

    fn flow(&self, flow: &str, argument: &str) -> (i32, String) {
        self.told(&["run", "job.rpa", "--flow", flow, argument])
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.ran(&[arguments, &["--format", "json"]].concat());
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// What `rpa store check` finds: the code and the message of each.
    fn findings(&self, arguments: &[&str]) -> Vec<(String, String)> {
        let checked = self.json(&[&["store", "check"], arguments].concat());
        let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_string();
        let findings = checked["findings"].as_array().unwrap();
        assert_eq!(checked["whole"].as_bool(), Some(findings.is_empty()));
        findings.iter().map(|finding| (text(finding, "code"), text(finding, "message"))).collect()
    }

    /// Does something to the store with another program.
    fn sql(&self, text: &str) {
        Connection::open(self.store()).unwrap().execute_batch(text).unwrap();
    }

    /// Makes it as if everything had happened that many days ago.
    fn age(&self, days: i64) {
        let passed = days * 86_400_000;
        self.sql(&format!("UPDATE rpa_runs SET started = started - {passed}, ended = ended - {passed};"));
    }
}

fn count(store: &Path, what: &str) -> i64 {
    let connection = Connection::open(store).unwrap();
    // The columns of decimals are compared by a function of the program.
    connection.create_collation("decimal", |one: &str, other: &str| one.cmp(other)).unwrap();
    connection.query_row(&format!("SELECT count(*) FROM {what}"), (), |row| row.get(0)).unwrap()
}

#[test]
fn a_whole_store_is_said_to_be() {
    let project = Project::new();
    let (status, said) = project.told(&["store", "check"]);
    assert_eq!(status, 1);
    assert!(said.contains("store::missing"), "{said}");
    assert_eq!(project.flow("keyed", "one").0, 0);
    assert_eq!(project.flow("later", "two").0, 0);
    assert_eq!(project.flow("broken", "three").0, 1);
    let said = project.fine(&["store", "check"]);
    assert!(said.contains("store.db is whole: 3 runs with "), "{said}");
    assert!(said.contains("2 records, 1 mail, 1 script version"), "{said}");
    assert_eq!(project.findings(&[]), []);
}

#[test]
fn what_another_program_has_broken_is_told() {
    let project = Project::new();
    for name in ["one", "two", "three"] {
        assert_eq!(project.flow("keyed", name).0, 0);
    }
    assert_eq!(project.flow("later", "four").0, 0);
    fs::copy(project.store(), project.path("good.db")).unwrap();
    let cases = [
        (
            "UPDATE rpa_runs SET entries = substr(entries, 1, length(entries) - 3) WHERE id = 1",
            "store::journal",
            "run 1 has entries that can't be read",
        ),
        (
            "UPDATE rpa_runs SET outcome = x'ff' WHERE id = 2",
            "store::journal",
            "run 2 is done, and its result can't be read",
        ),
        (
            "UPDATE rpa_runs SET ended = NULL WHERE id = 2",
            "store::journal",
            "run 2 is over, and it is not kept when it ended",
        ),
        (
            "UPDATE rpa_runs SET parent = 99 WHERE id = 3",
            "store::dangling",
            "run 3 was begun by run 99, which is not there",
        ),
        ("DELETE FROM rpa_waits", "store::journal", "run 4 waits, and it is not kept for what"),
        (
            "UPDATE rpa_versions SET sources = NULL",
            "store::journal",
            "run 4 has not ended, and the texts of its version are not kept",
        ),
        ("UPDATE rpa_texts SET text = replace(text, 'three', 'four') || ' '", "store::version", "was changed"),
        (
            "UPDATE rpa_outbox SET run = 77 WHERE number = 1",
            "store::dangling",
            "there are mails of run 77 and no such run",
        ),
        ("INSERT INTO rpa_entries VALUES (88, 0, x'00')", "store::dangling", "entries of the journal of run 88"),
        (
            "UPDATE Note SET price = 'much' WHERE name = 'two'",
            "store::bad-record",
            "a Note has a wrong `price`: it is no decimal",
        ),
    ];
    let table: String = Connection::open(project.store())
        .unwrap()
        .query_row("SELECT name FROM sqlite_schema WHERE type = 'table' AND lower(name) LIKE 'note%'", (), |row| {
            row.get(0)
        })
        .unwrap();
    for (broken, code, message) in cases {
        fs::copy(project.path("good.db"), project.store()).unwrap();
        let connection = Connection::open(project.store()).unwrap();
        // The columns of decimals are compared by a function of the program.
        connection.create_collation("decimal", |one: &str, other: &str| one.cmp(other)).unwrap();
        connection.execute_batch(&broken.replace("Note SET", &format!("\"{table}\" SET"))).unwrap();
        drop(connection);
        let found = project.findings(&[]);
        assert!(
            found.iter().any(|(found, said)| found == code && said.contains(message)),
            "{broken}: {found:?} should have {code}: {message}"
        );
        assert_eq!(project.told(&["store", "check"]).0, 1, "{broken}");
    }
}

#[test]
fn flipped_bytes_are_told() {
    let project = Project::new();
    assert_eq!(project.flow("bulk", "200").0, 0);
    let whole = fs::read(project.store()).unwrap();
    assert!(!project.path(".rpa/store.db-wal").exists());
    let size = usize::from(u16::from_be_bytes([whole[16], whole[17]]));
    let pages = whole.len() / size;
    assert!(pages > 20, "{pages} pages");
    // The beginning of a page says what it is: each of some, one at a time.
    let mut told = 0;
    for page in (1..pages).step_by(3) {
        let mut broken = whole.clone();
        for byte in &mut broken[page * size..page * size + 8] {
            *byte ^= 0xff;
        }
        fs::write(project.store(), &broken).unwrap();
        let (status, said) = project.told(&["store", "check"]);
        assert!(status == 0 || (status == 1 && said.contains("store::")), "page {page}: {said}");
        told += usize::from(said.contains("store::damaged"));
    }
    // A page may be free, or hold what lies over from a long value.
    assert!(told > 3, "{told} of {pages} pages");
    fs::write(project.store(), &whole[..whole.len() / 2]).unwrap();
    let (status, said) = project.told(&["store", "check"]);
    assert!(status == 1 && said.contains("store::damaged"), "{said}");
    fs::write(project.store(), &whole).unwrap();
    project.fine(&["store", "check"]);
}

#[test]
fn a_copy_is_never_written_over_another() {
    let project = Project::new();
    assert_eq!(project.flow("keyed", "one").0, 0);
    let said = project.fine(&["store", "backup", "copy.db"]);
    assert!(said.contains("copy.db is a copy of .rpa/store.db"), "{said}");
    let first = fs::read(project.path("copy.db")).unwrap();
    assert_eq!(project.flow("keyed", "two").0, 0);
    let (status, said) = project.told(&["store", "backup", "copy.db"]);
    assert!(status == 1 && said.contains("store::backup-target"), "{said}");
    assert_eq!(fs::read(project.path("copy.db")).unwrap(), first);
    project.fine(&["store", "backup", "copy.db", "--force"]);
    assert_eq!(count(&project.path("copy.db"), "rpa_runs"), 2);
    let (status, said) = project.told(&["store", "backup", ".rpa/store.db", "--force"]);
    assert!(status == 1 && said.contains("is the store itself"), "{said}");
    let (status, said) = project.told(&["store", "backup", "no/such/folder.db"]);
    assert!(status == 1 && said.contains("store::"), "{said}");
    let left: Vec<_> = fs::read_dir(project.0.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("part")), "{left:?}");
}

#[test]
fn a_copy_is_taken_while_a_run_is_at_work() {
    let project = Project::new();
    let mut work =
        project.command(&["run", "job.rpa", "--flow", "bulk", "100000"]).stdout(Stdio::null()).spawn().unwrap();
    while !project.store().is_file() || !project.told(&["runs", "--all"]).1.contains("keyed") {
        assert!(work.try_wait().unwrap().is_none(), "it ended");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    for round in 0..3 {
        project.fine(&["store", "backup", &format!("copy{round}.db")]);
        let checked = project.fine(&["store", "check"]);
        assert!(checked.contains("is whole"), "{checked}");
    }
    let (status, said) = project.told(&["store", "restore", "copy0.db"]);
    assert!(status == 1 && said.contains("store::in-use"), "{said}");
    assert!(work.try_wait().unwrap().is_none(), "it ended before the copies were taken");
    work.kill().unwrap();
    work.wait().unwrap();
    for round in 0..3 {
        let copy = format!("copy{round}.db");
        assert_eq!(project.findings(&["--store", &copy]), []);
        let path = project.path(&copy);
        // Each run that is done has its record and its mail; at most one is between its steps and its end.
        let done = count(&path, "rpa_runs WHERE state = 2");
        assert!(done > 0);
        let told = "state = 2 AND parent IS NOT NULL AND id NOT IN (SELECT run FROM rpa_outbox)";
        assert_eq!(count(&path, &format!("rpa_runs WHERE {told}")), 0, "{copy}");
        assert!((done..=done + 1).contains(&count(&path, "Note")), "{copy}");
        assert!((done..=done + 1).contains(&count(&path, "rpa_outbox")), "{copy}");
    }
    project.fine(&["store", "restore", "copy0.db"]);
    assert_eq!(count(&project.store(), "rpa_workers"), 0);
    project.fine(&["store", "check"]);
}

#[test]
fn a_restored_store_sends_nothing_again() {
    let project = Project::new();
    // A mail waits, and a run.
    fs::write(project.path("rpa.toml"), "[effects]\nemail = \"off\"\n").unwrap();
    assert_eq!(project.flow("keyed", "one").0, 0);
    assert_eq!(project.flow("later", "two").0, 0);
    project.fine(&["store", "backup", "copy.db"]);
    fs::write(project.path("rpa.toml"), "name = \"shop\"\n").unwrap();
    // It leaves, and another one.
    assert_eq!(project.flow("keyed", "three").0, 0);
    let outbox = project.path(".rpa/outbox");
    let left = || fs::read_dir(&outbox).unwrap().count();
    assert_eq!(left(), 2);
    let restored = project.json(&["store", "restore", "copy.db"]);
    assert_eq!((&restored["held_mails"], &restored["left_mails"]), (&0.into(), &1.into()), "{restored}");
    assert_eq!(restored["replaced_was_readable"], true);
    let aside = restored["aside"].as_str().unwrap();
    assert_eq!(count(&project.path(aside), "rpa_runs"), 3);
    assert_eq!(count(&project.store(), "rpa_runs"), 2);
    // What is done again is known to have left; its number is a new one.
    assert_eq!(project.flow("keyed", "three").0, 0);
    assert_eq!(left(), 2);
    let mails = project.json(&["mail", "--state", "all"]);
    let states: Vec<_> = mails.as_array().unwrap().iter().map(|mail| mail["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["dead", "sent"], "{mails}");
    assert!(mails[0]["problem"].as_str().unwrap().starts_with("restored: "), "{mails}");
    assert_eq!(mails[0]["run"], 4, "{mails}");
    project.fine(&["store", "check"]);
    // Something new leaves, and so does what a person lets leave.
    assert_eq!(project.flow("keyed", "four").0, 0);
    assert_eq!(left(), 3);
    project.fine(&["mail", "retry"]);
    assert_eq!(project.flow("plain", "five").0, 0);
    assert_eq!(left(), 5);
    // The same again, behind what was held and let go.
    let restored = project.json(&["store", "restore", "copy.db"]);
    assert_eq!((&restored["held_mails"], &restored["left_mails"]), (&0.into(), &3.into()), "{restored}");
    for (flow, name) in [("keyed", "three"), ("keyed", "four"), ("plain", "five")] {
        assert_eq!(project.flow(flow, name).0, 0);
    }
    assert_eq!(left(), 5);
    // Each counts once.
    assert_eq!(project.flow("plain", "five").0, 0);
    assert_eq!(left(), 6);
}

#[test]
fn a_damaged_store_is_replaced_and_a_damaged_copy_is_not_taken() {
    let project = Project::new();
    fs::write(project.path("rpa.toml"), "[effects]\nemail = \"off\"\n").unwrap();
    assert_eq!(project.flow("keyed", "one").0, 0);
    project.fine(&["store", "backup", "copy.db"]);
    let good = fs::read(project.path("copy.db")).unwrap();
    fs::write(project.path("bad.db"), &good[..good.len() / 2]).unwrap();
    let (status, said) = project.told(&["store", "restore", "bad.db"]);
    assert!(status == 1 && said.contains("store::bad-backup"), "{said}");
    fs::write(project.store(), "this is no store any more, and long enough to be seen as none").unwrap();
    let said = project.fine(&["store", "restore", "copy.db"]);
    assert!(said.contains("it can't be read"), "{said}");
    assert!(said.contains("1 mail waited, and may have left since"), "{said}");
    assert_eq!(count(&project.store(), "rpa_outbox WHERE state = 'dead'"), 1);
    project.fine(&["store", "check"]);
    assert_eq!(count(&project.store(), "rpa_runs"), 1);
}

#[test]
fn what_ended_long_ago_leaves_and_keys_stay() {
    let project = Project::new();
    assert_eq!(project.flow("bulk", "20").0, 0);
    assert_eq!(project.flow("plain", "old").0, 0);
    assert_eq!(project.flow("later", "waits").0, 0);
    assert_eq!(project.flow("broken", "fails").0, 1);
    project.age(100);
    assert_eq!(project.flow("plain", "new").0, 0);
    let (status, said) = project.told(&["store", "clean"]);
    assert!(status == 2 && said.contains("--older-than"), "{said}");
    let would = project.fine(&["store", "clean", "--older-than", "90 days", "--dry-run"]);
    assert_eq!(count(&project.store(), "rpa_runs"), 25);
    let did = project.fine(&["store", "clean", "--older-than", "90 days"]);
    assert_eq!(would.replace("would remove", "removed").lines().next(), did.lines().next());
    assert!(
        did.contains("removed what ended longer than 90 days ago: 2 runs, the entries of 20 runs with a key, 21 mails"),
        "{did}"
    );
    // The keyed ones, the one that waits, the one that failed, and the new one.
    assert_eq!(count(&project.store(), "rpa_runs"), 23);
    assert_eq!(count(&project.store(), "rpa_runs WHERE state = 2 AND key IS NOT NULL AND entries IS NULL"), 20);
    project.fine(&["store", "check"]);
    let again = project.fine(&["store", "clean", "--older-than", "90 days"]);
    assert!(again.contains("nothing in"), "{again}");
    // A key is still known, with its result; nothing is done again.
    let notes = count(&project.store(), "Note");
    let known = project.json(&["run", "job.rpa", "--flow", "keyed", "note 3"]);
    assert_eq!((&known["already_over"], &known["result"]), (&true.into(), &7.into()), "{known}");
    assert_eq!(count(&project.store(), "Note"), notes);
    assert_eq!(count(&project.store(), "rpa_outbox"), 1);
    // What failed can still be tried again.
    fs::write(project.path("open.txt"), "").unwrap();
    project.fine(&["runs", "retry", "24"]);
    project.fine(&["store", "clean", "--older-than", "90 days", "--shrink"]);
    project.fine(&["store", "check"]);
}

#[test]
fn a_server_removes_what_is_kept_long_enough() {
    let project = Project::new();
    assert_eq!(project.flow("plain", "old").0, 0);
    project.age(100);
    assert_eq!(project.flow("plain", "new").0, 0);
    fs::write(project.path("rpa.toml"), "[store]\nkeep = \"90 days\"\n").unwrap();
    let said = project.fine(&["serve", "--once"]);
    assert!(said.contains("removed what ended long ago: 1 run, 1 mail"), "{said}");
    assert_eq!(count(&project.store(), "rpa_runs"), 1);
    // Once a day.
    project.age(100);
    assert_eq!(project.flow("plain", "newer").0, 0);
    let said = project.fine(&["serve", "--once"]);
    assert!(!said.contains("removed"), "{said}");
    assert_eq!(count(&project.store(), "rpa_runs"), 2);
    // A clock that is far ahead of the last look removes nothing, until it has gone on for an hour.
    let hours = |hours: i64| {
        let passed = hours * 3_600_000;
        let known = "kind = 'store' AND name IN ('cleaned', 'looked', 'doubted') AND value > 0";
        format!("UPDATE rpa_sequences SET value = value - {passed} WHERE {known}")
    };
    project.sql(&hours(30 * 24));
    let said = project.fine(&["serve", "--once"]);
    assert!(!said.contains("removed"), "{said}");
    project.sql(&format!("{} AND name = 'doubted';", hours(2)));
    let said = project.fine(&["serve", "--once"]);
    assert!(said.contains("removed what ended long ago: 1 run"), "{said}");
    // A clock that was ahead when it was cleaned last keeps nothing from being cleaned for years.
    project.age(100);
    assert_eq!(project.flow("plain", "newest").0, 0);
    project.sql(&hours(-20 * 365 * 24));
    let said = project.fine(&["serve", "--once"]);
    assert!(said.contains("removed what ended long ago: 1 run"), "{said}");
    fs::write(project.path("rpa.toml"), "[store]\nkeep = \"for long\"\n").unwrap();
    let (status, said) = project.told(&["store", "clean"]);
    assert!(status == 1 && said.contains("config::invalid-value"), "{said}");
}
