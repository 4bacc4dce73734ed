//! What a person can see of runs and do about them: list, show, retry, cancel, export, and moving them to another
//! version of their script. The real program on a real store.

#![allow(clippy::disallowed_methods, reason = "tests read and write files")]

use std::fs;
use std::path::Path;
use std::process::Command;

struct Project(tempfile::TempDir);

const RETRIED: &str = r#"
use crm

error closed(name: text)

entity Note {
  key name: text
  text: text
}

flow job(name: text) -> text key name {
  step first {
    Note.create(name: "{name} first", text: "one")
  }
    undo Note.get("{name} first").delete()
  step told {
    email.send(to: "ada@example.com", subject: "begun {name}", body: "hello")
  }
  step gate {
    if not file.exists("open.txt") {
      fail closed(name)
    }
  }
  step last {
    Note.create(name: "{name} last", text: "two")
  }
  return "ended"
}
"#;

const WAITING: &str = r#"
entity Note {
  key name: text
  count: int
}

flow job(name: text) -> int key name {
  step first {
    Note.create(name: name, count: 1)
  }
    undo Note.get(name).delete()
  step number = 6 + 1
  step pause = sleep(3 days)
  return number
}
"#;

impl Project {
    fn with(script: &str) -> Project {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("rpa.toml"), "name = \"jobs\"\n").unwrap();
        fs::write(folder.path().join("job.rpa"), script).unwrap();
        Project(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, script: &str) {
        fs::write(self.path().join("job.rpa"), script).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> (String, String, i32) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rpa"));
        command.args(arguments).current_dir(self.path()).env("COLUMNS", "120").env("USER", "ada");
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr), output.status.code().unwrap_or(-1))
    }

    fn fine(&self, arguments: &[&str]) -> String {
        let (out, err, status) = self.run(arguments);
        assert_eq!(status, 0, "{arguments:?}: {out}{err}");
        out
    }

    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let out = self.run(&[arguments, &["--format", "json"]].concat()).0;
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }

    fn query(&self, text: &str) -> String {
        let store = rusqlite::Connection::open(self.path().join(".rpa/store.db")).unwrap();
        let mut statement = store.prepare(text).unwrap();
        let rows = statement.query_map((), |row| row.get::<_, String>(0)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>().join(", ")
    }

    fn state(&self) -> String {
        self.query("SELECT id || ' ' || state FROM rpa_run_list ORDER BY id")
    }
}

#[test]
fn a_failed_run_is_tried_again_from_where_it_failed() {
    let project = Project::with(RETRIED);
    assert_eq!(project.run(&["run", "job.rpa", "a"]).2, 1);
    assert_eq!((project.state(), project.query("SELECT name FROM Note")), ("1 failed".to_string(), String::new()));
    let (_, _, status) = project.run(&["runs", "retry", "1"]);
    assert_eq!((status, project.state()), (1, "1 failed".to_string()));
    fs::write(project.path().join("open.txt"), "").unwrap();
    let out = project.fine(&["runs", "retry", "1"]);
    assert!(out.contains("job is done: run 1") && out.contains("Result: ended"), "{out}");
    assert_eq!(project.state(), "1 done");
    assert_eq!(project.query("SELECT name FROM Note ORDER BY name"), "a first, a last");
    // The step that was not undone was not done again.
    assert_eq!(project.query("SELECT CAST(count(*) AS TEXT) FROM rpa_outbox"), "1");
    let story = project.fine(&["runs", "show", "1"]);
    assert_eq!(story.matches("lets it be tried again after: closed: name a").count(), 2, "{story}");
    assert!(story.contains("by       ada@"), "{story}");
    assert!(story.contains("mailed •••@example.com begun a") && !story.contains("ada@example.com"), "{story}");
    let (_, err, status) = project.run(&["runs", "retry", "1"]);
    assert_eq!(status, 1);
    assert!(err.contains("run::wrong-state") && err.contains("run 1 (job for a) is done"), "{err}");
}

#[test]
fn a_waiting_run_is_shown_and_cancelled_with_undo() {
    let project = Project::with(WAITING);
    project.fine(&["run", "job.rpa", "a"]);
    assert_eq!((project.state(), project.query("SELECT name FROM Note")), ("1 waiting".to_string(), "a".to_string()));
    let story = project.fine(&["runs", "show", "1"]);
    assert!(story.contains("job for a, waiting") && story.contains("  waits    in `pause`, until 20"), "{story}");
    // The moment is named where the wait begins, and by what the run waits for: not twice in a line.
    assert!(
        story.contains(" waits: until 20") && !story.lines().any(|line| line.matches("until").count() > 1),
        "{story}"
    );
    assert_eq!(project.json(&["runs", "show", "1"])["waits_for"]["kind"], "time");
    let out = project.fine(&["runs", "cancel", "1", "--why", "not wanted"]);
    assert!(out.contains("run 1"), "{out}");
    assert_eq!((project.state(), project.query("SELECT name FROM Note")), ("1 cancelled".to_string(), String::new()));
    let story = project.fine(&["runs", "show", "1"]);
    assert!(story.contains("first undone") && story.contains("not wanted") && story.contains("ada@"), "{story}");
    let (_, err, status) = project.run(&["runs", "cancel", "1"]);
    assert_eq!(status, 1);
    assert!(err.contains("run 1 (job for a) is cancelled"), "{err}");
    // A person may want it after all.
    project.fine(&["runs", "retry", "1"]);
    assert_eq!((project.state(), project.query("SELECT name FROM Note")), ("1 waiting".to_string(), "a".to_string()));
}

#[test]
fn runs_are_moved_to_a_version_under_which_they_can_go_on() {
    let project = Project::with(WAITING);
    project.fine(&["run", "job.rpa", "a"]);
    let out = project.fine(&["check", "--against-runs", "job.rpa"]);
    assert!(out.contains("job.rpa: no run waits under another version"), "{out}");

    let against = |script: &str| {
        project.write(script);
        let (out, err, _) = project.run(&["check", "--against-runs", "job.rpa"]);
        let (moved, why, status) = project.run(&["runs", "migrate", "job.rpa", "--all"]);
        assert_eq!(status, 1, "{out}{err}{moved}{why}");
        assert!(out.contains("1 run under another version: 0 could go on under this one, 1 could not"), "{out}{err}");
        assert!(err.contains("run::cannot-move") && why.contains("run::cannot-move"), "{err}{why}");
        err
    };
    let gone = against(&WAITING.replace("step number = 6 + 1", "let number = 7"));
    assert!(gone.contains("there is no step `number` any more"), "{gone}");
    let ty =
        against(&WAITING.replace("step number = 6 + 1", "step number = \"7\"").replace("-> int key", "-> text key"));
    assert!(ty.contains("the value that step `number` gave has another type"), "{ty}");
    let way = against(&WAITING.replace("  step first", "  if name == \"a\" {\n    return 0\n  }\n  step first"));
    assert!(way.contains("the run has been at step `first`, which this version does not come to"), "{way}");
    let taken = against(&WAITING.replace("flow job(name: text)", "flow job(name: text, more: int = 1)"));
    assert!(taken.contains("the flow takes `name`, `more` now"), "{taken}");

    // Other steps behind and between, other types before: the numbers of everything change.
    let fits = WAITING
        .replace("entity Note", "enum Colour { red, green }\n\nrecord Point {\n  x: int\n}\n\nentity Note")
        .replace("  return number", "  step doubled = number * 2\n  return doubled");
    project.write(&fits);
    let out = project.fine(&["check", "--against-runs", "job.rpa"]);
    assert!(out.contains("1 run under another version: 1 could go on under this one (1), 0 could not"), "{out}");
    let out = project.fine(&["runs", "migrate", "job.rpa", "1"]);
    assert_eq!(out, "run 1 (job for a) was moved to this version\n");
    assert_eq!(project.state(), "1 waiting");
    let story = project.fine(&["runs", "show", "1"]);
    assert!(story.contains("moved to this version by ada@"), "{story}");
    // It is taken up in the new version, and waits for the same moment as before.
    let out = project.fine(&["runs", "resume", "1"]);
    assert!(out.contains("run 1"), "{out}");
    assert_eq!(project.state(), "1 waiting");
}

#[test]
fn a_failed_run_is_mended_by_a_new_version_and_tried_again() {
    let project = Project::with(RETRIED);
    assert_eq!(project.run(&["run", "job.rpa", "a"]).2, 1);
    // The steps before have changed places with nothing, but one was added behind, and the failing one mended.
    project.write(
        &RETRIED
            .replace("fail closed(name)", "log.info(\"closed\")")
            .replace("  return", "  step more = 1 + 1\n  return"),
    );
    let out = project.fine(&["runs", "migrate", "job.rpa", "1"]);
    assert!(out.contains("`rpa runs retry 1` tries it again"), "{out}");
    let out = project.fine(&["runs", "retry", "1"]);
    assert!(out.contains("Result: ended"), "{out}");
    assert_eq!(project.query("SELECT name FROM Note ORDER BY name"), "a first, a last");
    assert_eq!(project.query("SELECT CAST(count(*) AS TEXT) FROM rpa_outbox"), "1");
}

#[test]
fn runs_are_listed_by_what_is_asked_and_exported_whole() {
    let project = Project::with(
        r#"
error bad(number: int)

flow all(numbers: [int]) {
  for number in numbers {
    run one(number)
  }
}

flow one(number: int) -> int key number {
  step checked {
    if number > 2 {
      fail bad(number)
    }
    give number * 10
  }
  return checked
}
"#,
    );
    project.fine(&["run", "job.rpa", "[1, 2, 3]"]);
    let ids = |arguments: &[&str]| {
        let runs = project.json(&[&["runs"], arguments].concat());
        let ids: Vec<i64> = runs.as_array().unwrap().iter().map(|run| run["run"].as_i64().unwrap()).collect();
        ids
    };
    assert_eq!(ids(&[]), [1]);
    assert_eq!(ids(&["--all"]), [4, 3, 2, 1]);
    assert_eq!(ids(&["--all", "--state", "failed"]), [4]);
    assert_eq!(ids(&["--failed-children"]), [1]);
    assert_eq!(ids(&["--flow", "one", "--key", "2"]), [3]);
    assert_eq!(ids(&["--since", "1 hour"]), [1]);
    assert_eq!(ids(&["--since", "2999-01-01"]), [0_i64; 0]);
    let (_, err, status) = project.run(&["runs", "--since", "soon"]);
    assert_eq!(status, 2);
    assert!(err.contains("`soon` is no moment"), "{err}");
    let export: serde_json::Value = serde_json::from_str(&project.fine(&["runs", "export", "1"])).unwrap();
    assert_eq!(export["flow"], "all");
    assert!(export["started_by"].as_str().unwrap().starts_with("ada"), "{export}");
    let children = export["runs"].as_array().unwrap();
    assert_eq!(children.len(), 3);
    assert_eq!((&children[1]["result"], &children[2]["failure"]["error"]), (&"20".into(), &"bad".into()));
    assert_eq!(children[0]["events"][0]["step"], "checked");
    let (_, err, status) = project.run(&["runs", "export", "9"]);
    assert_eq!(status, 1);
    assert!(err.contains("there is no run 9"), "{err}");
}

const HANDS: &str = r#"
transient error jammed(reason: text)

error closed(name: text)

entity Note {
  key name: text
  text: text
}

task take_back(name: text) {
  Note.get(name).update(text: "half taken back")
  fail jammed("the drawer of {name}")
}

flow job(name: text) -> text key name {
  step first = Note.create(name: name, text: "one")
    undo take_back(name)
  step gate {
    if not file.exists("open.txt") { fail closed(name) }
  }
  return "ended"
}
"#;

#[test]
fn what_could_not_be_undone_is_undone_by_hand_and_done_again() {
    let project = Project::with(HANDS);
    let (told, _, status) = project.run(&["run", "job.rpa", "A"]);
    assert_eq!(status, 1);
    assert!(told.contains("1 step could not be undone"), "{told}");
    let (shown, ..) = project.run(&["runs", "show", "1"]);
    assert!(shown.contains("first could not be undone: jammed: the drawer of A (jammed); again in "), "{shown}");
    let (inbox, ..) = project.run(&["inbox", "show", "1"]);
    assert!(inbox.contains("operator") && inbox.contains("Undo it by hand, then say yes."), "{inbox}");
    let (said, ..) = project.run(&["inbox", "answer", "1", "yes", "--as", "Ada"]);
    assert_eq!(
        said,
        "question 1 is answered; run 1 stays failed, and `rpa runs show 1` tells who has undone the step\n"
    );
    let (shown, ..) = project.run(&["runs", "show", "1"]);
    assert!(shown.contains("first undone"), "{shown}");
    assert!(shown.contains("answered Ada at ") && shown.contains(": undone by hand"), "{shown}");
    // Ada has taken the note away. So it is made again.
    let store = rusqlite::Connection::open(project.path().join(".rpa/store.db")).unwrap();
    assert_eq!(store.execute("DELETE FROM Note", ()).unwrap(), 1);
    drop(store);
    fs::write(project.path().join("open.txt"), "").unwrap();
    let (told, errors, status) = project.run(&["runs", "retry", "1"]);
    assert_eq!(status, 0, "{told}{errors}");
    assert!(told.contains("created  1 Note"), "{told}");

    // Without the answer the step counts as done, and once the run goes on nobody is to undo it.
    fs::remove_file(project.path().join("open.txt")).unwrap();
    project.run(&["run", "job.rpa", "B"]);
    fs::write(project.path().join("open.txt"), "").unwrap();
    let (told, ..) = project.run(&["runs", "retry", "2"]);
    assert!(told.contains("Result: ended"), "{told}");
    assert_eq!(project.run(&["runs", "show", "2"]).0.matches("first = Note").count(), 1);
    assert_eq!(project.run(&["inbox"]).0, "nothing waits for people\n");
    let (inbox, ..) = project.run(&["inbox", "show", "2"]);
    assert!(inbox.contains("state      withdrawn"), "{inbox}");
}

const PERSONAL: &str = r#"
entity Customer {
  key id: text
  email: pii text
  city: text
}

task write_to(customer: Customer, subject: text) {
  email.send(customer.email, subject, "hello")
}

flow welcome(id: text, to: pii text) -> text key id at most 1 at once per to {
  step customer = Customer.create(id: id, email: to, city: "Ulm")
  step address = customer.email
  step plain = email.send(address, "Customer {id}", "hello")
  step named = email.send(address, "For {address}", "hello")
  step by_task { write_to(customer, "To {customer.email}") }
  step wait = sleep(1 day)
  return "wrote to {address}"
}
"#;

#[test]
fn what_is_personal_is_not_in_the_story_of_a_run() {
    let project = Project::with(PERSONAL);
    project.run(&["run", "job.rpa", "C1", "bea@example.com"]);
    let (turn, ..) = project.run(&["run", "job.rpa", "C2", "bea@example.com"]);
    assert!(turn.contains("waits for its turn: at most 1 at once of welcome •••"), "{turn}");
    let (text, ..) = project.run(&["runs", "show", "1"]);
    let (json, ..) = project.run(&["runs", "export", "1"]);
    let (list, ..) = project.run(&["runs", "--all"]);
    for shown in [&text, &json, &list] {
        assert!(!shown.contains("bea"), "{shown}");
    }
    // What is not personal is told.
    assert!(text.contains("mailed •••@example.com Customer C1"), "{text}");
    assert!(text.contains("mailed •••@example.com •••"), "{text}");
    assert!(text.contains("given    to: •••"), "{text}");
    assert!(text.contains("address = •••"), "{text}");
    // Who has to see to a mail sees it.
    let (mail, ..) = project.run(&["mail", "show", "2"]);
    assert!(mail.contains("For bea@example.com"), "{mail}");
}

#[test]
fn a_cancelled_run_is_told_as_cancelled() {
    let project = Project::with(WAITING);
    project.run(&["run", "job.rpa", "A"]);
    let (told, errors, status) = project.run(&["runs", "cancel", "1", "--why", "wrong one"]);
    assert_eq!((status, errors.as_str()), (0, ""));
    assert!(told.starts_with("job is cancelled: run 1, "), "{told}");
    project.run(&["run", "job.rpa", "B"]);
    let (json, ..) = project.run(&["runs", "cancel", "2", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["runs"][0]["state"], "cancelled", "{json}");
}

#[test]
fn the_tries_of_items_side_by_side_are_counted_for_each() {
    let script = "flow job() {\n  for name in [\"a\", \"b\"], parallel 2 {\n    step gate {\n      if not file.exists(name) { \
                  fail unavailable(name) }\n    }\n      retry 2 times from 1 millisecond\n  }\n}\n";
    let project = Project::with(script);
    project.run(&["run", "job.rpa"]);
    let (story, errors, _) = project.run(&["runs", "show", "1"]);
    for item in ["gate[1]", "gate[2]"] {
        let tries: Vec<&str> = story.lines().filter(|line| line.contains(item)).collect();
        let which = |line: &&str| ["", ", try 2", ", try 3"].iter().rposition(|which| line.contains(which));
        let numbers: Vec<_> = tries.iter().map(which).collect();
        assert_eq!(numbers, [Some(0), Some(1), Some(2)], "{item}: {story}{errors}");
    }
}

#[test]
fn what_was_undone_in_items_and_branches_side_by_side_is_done_again_by_a_retry() {
    let script = r#"
entity Note {
  key name: text
}

flow job() {
  for name in ["a", "b", "c"], parallel 2 {
    step begun = Note.create(name: name)
      undo Note.get(name).delete()
    step told = log.info(name)
    parallel {
      step left = Note.create(name: "{name} left")
        undo Note.get("{name} left").delete()
      step right {
        log.info("right of {name}")
      }
    }
    step slow {
      Note.create(name: "{name} slow")
    }
      undo {
        Note.get("{name} slow").delete()
      }
    step late = sleep(1 millisecond)
    step last = log.info("last of {name}")
  }
  step gate = file.read("open.txt")
}
"#;
    let project = Project::with(script);
    let (_, errors, status) = project.run(&["run", "job.rpa"]);
    assert!(status == 1 && errors.contains("there is no file `open.txt`"), "{errors}");
    assert_eq!(project.query("SELECT name FROM Note"), "");
    // It fails once more, and then it does not.
    let (_, errors, status) = project.run(&["runs", "retry", "1"]);
    assert!(status == 1 && errors.contains("there is no file `open.txt`"), "{errors}");
    assert_eq!(project.query("SELECT name FROM Note"), "");
    fs::write(project.path().join("open.txt"), "").unwrap();
    project.fine(&["runs", "retry", "1"]);
    assert_eq!(
        project.query("SELECT name FROM Note ORDER BY name"),
        "a, a left, a slow, b, b left, b slow, c, c left, c slow"
    );
    // What was not undone was not done again.
    let story = project.json(&["runs", "show", "1"]).to_string();
    assert_eq!(story.matches("\"which\":\"last of a\"").count(), 1, "{story}");
    assert_eq!(project.state(), "1 done");
}

#[test]
fn a_step_that_is_done_again_side_by_side_may_fail_and_pause() {
    let script = r#"
entity Note {
  key name: text
}

flow job() {
  for name in ["a", "b", "c"], parallel 3 {
    step begun {
      if file.exists("shut-{name}.txt") {
        file.delete("shut-{name}.txt")
        fail unavailable("shut")
      }
      Note.create(name: name)
    }
      retry 3 times from 50 milliseconds
      undo Note.get(name).delete()
    step told = log.info(name)
  }
  step gate = file.read("open.txt")
}
"#;
    let project = Project::with(script);
    assert_eq!(project.run(&["run", "job.rpa"]).2, 1);
    for name in ["open", "shut-a", "shut-c"] {
        fs::write(project.path().join(format!("{name}.txt")), "").unwrap();
    }
    project.fine(&["runs", "retry", "1"]);
    assert_eq!(project.query("SELECT name FROM Note ORDER BY name"), "a, b, c");
    assert_eq!(project.state(), "1 done");
}

#[test]
fn an_order_that_was_cancelled_by_undo_is_done_by_a_retry() {
    let script = r#"
use crm

flow sell(number: text) key number {
  step order = orders.create(number, "c", [Item(sku: "p", quantity: 2, unit_price: 10 EUR)])
    undo orders.cancel(order)
  step reserved = orders.reserve(order)
    undo orders.release(order)
  step gate = file.read("open.txt")
}

flow job() {
  step customer = Customer.create(id: "c", name: "Ada", email: "ada@example.com", country: "DE", since: 2026-01-01)
  step product = Product.create(sku: "p", name: "Pen", category: "pens", price: 10 EUR, stock: 5)
  step sold = run sell("N1")
}
"#;
    let project = Project::with(script);
    let (_, errors, status) = project.run(&["run", "job.rpa", "--flow", "job"]);
    assert!(status == 1 && errors.contains("there is no file `open.txt`"), "{errors}");
    let left = |project: &Project| {
        let (order, lines) = ("SELECT status FROM \"Order\"", "SELECT quantity || '' FROM OrderLine");
        [order, lines, "SELECT kind FROM StockMovement ORDER BY id"].map(|text| project.query(text)).join(" ")
    };
    assert_eq!(left(&project), "cancelled 2 reservation, release");
    fs::write(project.path().join("open.txt"), "").unwrap();
    project.fine(&["runs", "retry", "2"]);
    assert_eq!(left(&project), "in_hand 2 reservation, release, reservation");
    // One that was not cancelled is refused as before.
    let again = script.replace("job() {", "again() {").replace(
        "run sell(\"N1\")",
        "orders.create(\"N1\", \"c\", [Item(sku: \"p\", quantity: 1, unit_price: 1 EUR)])",
    );
    let again = again.replace(&again[again.find("  step customer").unwrap()..again.find("  step sold").unwrap()], "");
    project.write(&again);
    let (_, errors, status) = project.run(&["run", "job.rpa", "--flow", "again"]);
    assert!(status == 1 && errors.contains("there is an Order with number \"N1\" already"), "{errors}");
}
