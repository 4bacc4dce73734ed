//! Calls of other systems with the whole program: faults, keys, secrets, switches, plans, and a process that is killed
//! while a call is under way. The other system is a server in the test.

#![allow(clippy::disallowed_methods, reason = "tests read and write files")]

#[path = "outside/at_once.rs"]
mod at_once;
#[path = "outside/limits.rs"]
mod limits;
mod support;
#[path = "outside/trust.rs"]
mod trust;
#[path = "outside/undo.rs"]
mod undo;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use support::server::{Reply, Server};

/// What the secret of the project is.
const SECRET: &str = "tok-4f9a1c7e22";

struct Project(tempfile::TempDir);

impl Project {
    /// A project that allows the server, with a script in which `SERVER` stands for its address.
    fn new(server: &Server, script: &str) -> Project {
        Project::with(server, script, "")
    }

    fn with(server: &Server, script: &str, more: &str) -> Project {
        let folder = tempfile::tempdir().unwrap();
        let settings = format!(
            "[reach]\nhosts = [\"127.0.0.1:{}\"]\n\n[secrets]\ncrm_token = {{ env = \"CRM_TOKEN\" }}\n\n{more}",
            server.port
        );
        fs::write(folder.path().join("rpa.toml"), settings).unwrap();
        let script = script.replace("SERVER", &format!("http://127.0.0.1:{}", server.port));
        fs::write(folder.path().join("a.rpa"), script).unwrap();
        Project(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rpa"));
        command.args(arguments).current_dir(self.path()).env("COLUMNS", "200").env("USER", "ada").env("NO_COLOR", "1");
        command.env("CRM_TOKEN", SECRET).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Whether a command ends well, and all that it says, without the port.
    fn says(&self, server: &Server, arguments: &[&str]) -> (bool, String) {
        let output = self.output(arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text.replace(&server.port.to_string(), "PORT"))
    }

    fn story(&self, run: u32) -> serde_json::Value {
        let output = self.output(&["runs", "show", &run.to_string(), "--format", "json"]);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }
}

/// The calls in a story: what was asked and what came, without times, with the pause behind each.
fn calls(story: &serde_json::Value) -> Vec<String> {
    let mut calls = Vec::new();
    for event in story["events"].as_array().unwrap() {
        for change in event["changes"].as_array().unwrap().iter().filter(|change| change["kind"] == "called") {
            let (asked, _) = change["which"].as_str().unwrap().rsplit_once(", ").unwrap();
            let is_tried_again = if event["pause_milliseconds"].is_null() { "" } else { ", again" };
            calls.push(format!("{asked}{is_tried_again}"));
        }
    }
    calls
}

#[test]
fn what_a_system_does_wrong_is_a_failure_that_says_so() {
    let server = Server::start(|request, _| match request.path.as_str() {
        "/cut" => Reply::Cut,
        "/silent" => Reply::Silence,
        "/away" => Reply::status(302, "").with("Location", "http://127.0.0.1:9/x"),
        "/large" => Reply::json(format!("[{}1]", "1, ".repeat(2000))),
        "/html" => Reply::status(200, "<html>Welcome</html>").with("Content-Type", "text/html"),
        "/422" => Reply::status(422, r#"{"error": {"message": "amount must be positive"}}"#),
        _ => Reply::status(404, ""),
    });
    let script = "flow question(path: text) -> [int] {\n  step answer = http.get(\"SERVER{path}\", as: [int])\n    timeout 500 milliseconds\n  return answer\n}\n";
    let project = Project::with(&server, script, "[limits]\nanswer = 1000\n");
    let mut said = String::new();
    for path in ["/cut", "/silent", "/away", "/large", "/html", "/422", "/gone"] {
        let (is_fine, text) = project.says(&server, &["run", "a.rpa", path, "--format", "json"]);
        assert!(!is_fine, "{path}: {text}");
        let told: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        said += &format!("{path}: {} {}\n", told["failure"]["error"], told["failure"]["message"]);
    }
    insta::assert_snapshot!(said);
}

#[test]
fn nobody_there_is_tried_again_and_then_said() {
    let server = Server::start(|_, _| Reply::status(200, ""));
    let script = "flow question() {\n  step answer = http.get(\"http://127.0.0.1:1/x\")\n    retry 1 times from 10 milliseconds\n}\n";
    let project = Project::with(&server, script, "");
    fs::write(project.path().join("rpa.toml"), "[reach]\nhosts = [\"127.0.0.1\"]\n").unwrap();
    let (is_fine, text) = project.says(&server, &["run", "a.rpa"]);
    assert!(!is_fine && text.contains("the connection was refused"), "{text}");
    assert_eq!(
        calls(&project.story(1)),
        ["GET /x: the connection was refused, again", "GET /x: the connection was refused"]
    );
}

#[test]
fn a_call_is_tried_again_under_the_same_key() {
    let server = Server::start(|_, before| match before {
        0 => Reply::status(500, "oops"),
        1 => Reply::Cut,
        2 => Reply::status(429, "").with("Retry-After", "1"),
        _ => Reply::json(r#"{"id": "p1"}"#),
    });
    let script = "record Payment {\n  id: text\n}\n\nentity Note {\n  key id: text\n}\n\nflow pay(order: text) -> text {\n  step paid = http.post(\"SERVER/payments?debug=1\", {\"order\": order}, as: Payment)\n    retry 5 times from 10 milliseconds\n  step noted = Note.create(id: paid.id)\n  step told = http.put(\"SERVER/orders/{order}\", {\"paid\": true})\n    retry 1 times\n  return paid.id\n}\n";
    let project = Project::new(&server, script);
    let (is_fine, text) = project.says(&server, &["run", "a.rpa", "7"]);
    assert!(is_fine && text.contains("Result: p1") && text.contains("called   127.0.0.1:PORT 5 times"), "{text}");
    let received = server.received();
    let keys: Vec<&str> = received.iter().map(|request| request.key()).collect();
    assert!(keys[..4].iter().all(|key| *key == keys[0] && key.len() == 32), "{keys:?}");
    assert_ne!(keys[4], keys[0], "another step has another key");
    assert!(received[..4].iter().all(|request| request.body == r#"{"order":"7"}"#));
    let story = project.story(1);
    assert_eq!(
        calls(&story),
        [
            "POST /payments: 500, again",
            "POST /payments: the answer broke off: Peer disconnected, again",
            "POST /payments: 429, again",
            "POST /payments: 200",
            "PUT /orders/7: 200"
        ]
        .map(|call| call.to_string())
    );
    let pauses: Vec<i64> =
        story["events"].as_array().unwrap().iter().filter_map(|event| event["pause_milliseconds"].as_i64()).collect();
    assert!(pauses[2] >= 1000 && pauses[0] < 1000, "the server has asked for a second: {pauses:?}");
}

#[test]
fn a_step_that_is_come_to_again_is_another_call() {
    let server = Server::start(|_, before| Reply::json(format!("{{\"done\": {}}}", before == 2)));
    let script = "record State {\n  done: bool\n}\n\nflow poll() {\n  step state = http.post(\"SERVER/jobs\", as: State)\n    retry 1 times\n  if state.done { stop \"done\" }\n  step pause = sleep(1 millisecond)\n  go to state\n}\n";
    let project = Project::new(&server, script);
    let (is_fine, text) = project.says(&server, &["run", "a.rpa"]);
    assert!(is_fine, "{text}");
    let mut keys: Vec<String> = server.received().iter().map(|request| request.key().to_string()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 3);
}

/// What the store keeps of a run, its times left out.
fn kept(project: &Project) -> serde_json::Value {
    let output = project.output(&["runs", "export", "1"]);
    // The two projects have servers of their own, and so other texts.
    let text = String::from_utf8(output.stdout).unwrap();
    let settings = fs::read_to_string(project.path().join("rpa.toml")).unwrap();
    let port = settings.split(['"', ':']).nth(2).unwrap();
    let mut all: serde_json::Value = serde_json::from_str(&text.replace(port, "PORT")).unwrap();
    without_times(&mut all);
    all
}

fn without_times(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(object) => {
            object.retain(|name, _| {
                !matches!(
                    name.as_str(),
                    "at" | "began" | "started" | "ended" | "milliseconds" | "which" | "account" | "version"
                )
            });
            object.values_mut().for_each(without_times);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(without_times),
        _ => {}
    }
}

const PAYING: &str = "record Payment {\n  id: text\n}\n\nentity Note {\n  key id: text\n  order: text\n}\n\nflow pay(order: text) -> text {\n  step begun = Note.create(id: \"begun\", order: order)\n  step paid = http.post(\"SERVER/payments\", {\"order\": order}, as: Payment)\n    retry 1 times from 10 milliseconds\n  step noted = Note.create(id: paid.id, order: order)\n  return paid.id\n}\n";

#[cfg(unix)]
#[test]
fn a_process_that_is_killed_during_a_call_makes_it_again_under_the_same_key() {
    let paid = || Reply::json(r#"{"id": "p1"}"#);
    // An undisturbed run, for comparison.
    let other = Server::start(move |_, _| paid());
    let undisturbed = Project::new(&other, PAYING);
    assert!(undisturbed.output(&["run", "a.rpa", "7"]).status.success());

    let (arrived, has_arrived) = mpsc::channel();
    let arrived = Mutex::new(arrived);
    let server = Server::start(move |_, before| {
        if before == 0 {
            arrived.lock().unwrap().send(()).unwrap();
            return Reply::Silence;
        }
        paid()
    });
    let project = Project::new(&server, PAYING);
    let mut child = project.command(&["run", "a.rpa", "7"]).spawn().unwrap();
    has_arrived.recv().unwrap();
    // SIGKILL: nothing is put in order.
    child.kill().unwrap();
    child.wait().unwrap();
    let story = project.story(1);
    assert_eq!(story["state"], "running", "what came before the call is on disk: {story}");
    assert_eq!(story["events"].as_array().unwrap().len(), 1);
    let (is_fine, text) = project.says(&server, &["runs", "resume", "1"]);
    assert!(is_fine, "{text}");
    let received = server.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].key(), received[1].key());
    assert_eq!(kept(&project), kept(&undisturbed));
}

#[test]
fn others_can_write_while_a_call_lasts() {
    let (arrived, has_arrived) = mpsc::channel();
    let (go, may_go) = mpsc::channel();
    let (arrived, may_go) = (Mutex::new(arrived), Mutex::new(may_go));
    let server = Server::start(move |_, _| {
        arrived.lock().unwrap().send(()).unwrap();
        may_go.lock().unwrap().recv().unwrap();
        Reply::json(r#"{"id": "p1"}"#)
    });
    let project = Project::new(&server, PAYING);
    fs::write(
        project.path().join("b.rpa"),
        "entity Other {\n  key id: text\n}\n\nflow write() {\n  step made = Other.create(id: \"o\")\n}\n",
    )
    .unwrap();
    let child = project.command(&["run", "a.rpa", "7"]).spawn().unwrap();
    has_arrived.recv().unwrap();
    let (is_fine, text) = project.says(&server, &["run", "b.rpa"]);
    assert!(is_fine, "{text}");
    go.send(()).unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
}

#[test]
fn a_secret_is_in_nothing_that_is_kept_or_said() {
    let server = Server::start(|request, _| {
        let sent = request.header("authorization").unwrap_or_default().to_string();
        match request.path.as_str() {
            "/refused" => Reply::status(401, &format!("{{\"message\": \"{sent} is not valid\"}}")),
            "/down" => Reply::status(503, &sent),
            _ => {
                Reply::json(format!("\"you sent {sent} and {}\"", request.body.replace('"', "'"))).with("X-Echo", sent)
            }
        }
    });
    let script = "record Login {\n  client: text\n  key: secret text\n}\n\nflow send(path: text) -> text {\n  step answer = http.post(\"SERVER{path}\", Login(client: \"a\", key: secret(\"crm_token\")), as: text, headers: {\"Authorization\": http.basic(\"ada\", secret(\"crm_token\"))})\n    retry 1 times from 10 milliseconds\n  step note = log.info(answer)\n  step written = file.write(\"answer.txt\", answer)\n  return answer\n}\n";
    let project = Project::new(&server, script);
    let mut all: Vec<u8> = Vec::new();
    for path in ["/fine", "/refused", "/down"] {
        for command in ["run", "plan"] {
            for more in [&["--format", "json"][..], &[]] {
                let output = project.output(&[&[command, "a.rpa", path][..], more].concat());
                all.extend(output.stdout);
                all.extend(output.stderr);
            }
        }
    }
    let traced = project.output(&["run", "a.rpa", "/fine", "--trace"]);
    all.extend(traced.stdout);
    for arguments in [&["runs", "show", "1"][..], &["runs", "export", "1"], &["runs", "export", "3"], &["runs"]] {
        let output = project.output(arguments);
        assert!(output.status.success(), "{output:?}");
        all.extend(output.stdout);
    }
    assert!(project.output(&["store", "backup", "copy.db"]).status.success());
    let text = String::from_utf8_lossy(&all).into_owned();
    assert!(text.contains("you sent Basic ••• and {'client':'a','key':'•••'}"), "{text}");
    assert!(text.contains("••• is not valid"), "{text}");
    let mut folders = vec![project.path().to_path_buf()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    files += 1;
                    all.extend(fs::read(path).unwrap());
                }
            }
        }
    }
    assert!(files > 4, "{files}");
    // The secret, and what HTTP makes of it.
    for forbidden in [SECRET.to_string(), "YWRhOnRvay00ZjlhMWM3ZTIy".to_string()] {
        let found = all.windows(forbidden.len()).any(|bytes| bytes == forbidden.as_bytes());
        assert!(!found, "{forbidden} is somewhere");
    }
    assert!(server.received().iter().all(|request| request.body.contains(SECRET)), "the system itself gets it");
}

#[test]
fn a_secret_that_is_not_there_keeps_a_flow_from_beginning() {
    let server = Server::start(|_, _| Reply::status(200, ""));
    let script = "task token() -> secret text = secret(\"crm_token\")\n\nflow first() {\n  step written = file.write(\"written.txt\", \"x\")\n  run second()\n}\n\nflow second() {\n  step sent = http.get(\"SERVER/x\", headers: {\"X-Key\": token()})\n    retry 1 times\n}\n\nflow other() {\n  step note = log.info(\"needs none\")\n}\n";
    let project = Project::new(&server, script);
    for command in ["run", "plan"] {
        let output = project.command(&[command, "a.rpa", "--flow", "first"]).env_remove("CRM_TOKEN").output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1));
        insta::allow_duplicates! {
            insta::assert_snapshot!(text);
        }
    }
    assert!(!project.path().join("written.txt").exists() && server.received().is_empty());
    let output = project.command(&["run", "a.rpa", "--flow", "other"]).env_remove("CRM_TOKEN").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(project.output(&["run", "a.rpa", "--flow", "first"]).status.success());
    assert_eq!(server.received()[0].header("x-key"), Some(SECRET));
}

#[test]
fn a_host_that_only_the_run_knows_is_held_to_the_project_too_and_calls_can_be_switched_off() {
    let server = Server::start(|_, _| Reply::status(200, ""));
    let script =
        "flow question(url: text) {\n  step answer = http.get(url)\n    retry 1 times from 10 milliseconds\n}\n";
    let project = Project::with(&server, script, "[effects]\ncalls = \"on\"\n");
    let (is_fine, text) = project.says(&server, &["run", "a.rpa", "https://example.org/x?key=1"]);
    assert!(!is_fine && text.contains("add `example.org` to `hosts`") && !text.contains("key=1"), "{text}");
    let own = format!("http://127.0.0.1:{}/x", server.port);
    assert!(project.says(&server, &["run", "a.rpa", &own]).0);
    let settings = project.path().join("rpa.toml");
    fs::write(&settings, fs::read_to_string(&settings).unwrap().replace("\"on\"", "\"off\"")).unwrap();
    let (is_fine, text) = project.says(&server, &["run", "a.rpa", &own]);
    assert!(!is_fine && text.contains("calls are switched off in rpa.toml"), "{text}");
    assert_eq!(server.received().len(), 1);
}

#[test]
fn a_system_that_fails_often_is_left_alone_by_all_processes() {
    let server = Server::start(|_, _| Reply::status(500, ""));
    let script = "flow question() {\n  step answer = http.get(\"SERVER/x\")\n    on unavailable as e { step note = log.warn(e.reason) }\n}\n";
    let more = format!("[systems.\"127.0.0.1:{}\"]\nopen_after = 2\nretry_after = \"1 hour\"\n", server.port);
    let project = Project::with(&server, script, &more);
    // A zone that has no other hour of the day in common with UTC, and no change of the clocks.
    let settings = fs::read_to_string(project.path().join("rpa.toml")).unwrap();
    fs::write(project.path().join("rpa.toml"), format!("zone = \"Asia/Kathmandu\"\n{settings}")).unwrap();
    for _ in 0..2 {
        let (is_fine, text) = project.says(&server, &["run", "a.rpa"]);
        assert!(is_fine && text.contains("answered 500"), "{text}");
    }
    let (is_fine, text) = project.says(&server, &["run", "a.rpa"]);
    assert!(is_fine && text.contains("is left alone until") && text.contains("it has failed 2 times"), "{text}");
    assert_eq!(server.received().len(), 2);
    // The moment is told as others are: in the zone of the project, without fractions.
    let until = text.split_once("left alone until ").unwrap().1.split_once(": it has").unwrap().0;
    let until: jiff::civil::DateTime = until.parse().unwrap_or_else(|error| panic!("{until}: {error}"));
    let left = until.in_tz("Asia/Kathmandu").unwrap().timestamp().duration_since(jiff::Timestamp::now());
    assert!((0..=3600).contains(&left.as_secs()) && until.subsec_nanosecond() == 0, "{until}: {left}");
}

#[test]
fn a_plan_asks_and_calls_nobody_else() {
    let amount = Arc::new(Mutex::new(5));
    let said = amount.clone();
    let server = Server::start(move |request, _| match request.method.as_str() {
        "GET" => Reply::json(format!("{}", said.lock().unwrap())),
        _ => Reply::json(r#"{"id": "p1"}"#),
    });
    let script = "record Payment {\n  id: text\n}\n\nentity Note {\n  key id: text\n}\n\nflow pay() {\n  step amount = http.get(\"SERVER/amount\", as: int)\n    retry 1 times\n  step told = http.post(\"SERVER/told?a=b\", {\"amount\": amount})\n    retry 1 times\n  step noted = Note.create(id: \"told {amount}\")\n    undo Note.get(\"told {amount}\").delete()\n  if amount > 100 {\n    step paid = http.post(\"SERVER/payments\", {\"amount\": amount}, as: Payment)\n      retry 1 times\n    step done = Note.create(id: paid.id)\n  }\n}\n";
    let project = Project::new(&server, script);
    let (is_fine, text) = project.says(&server, &["plan", "a.rpa"]);
    assert!(is_fine, "{text}");
    insta::assert_snapshot!("a_plan_with_a_call", text);
    let plan = project.output(&["plan", "a.rpa", "--format", "json"]);
    fs::write(project.path().join("plan.json"), plan.stdout).unwrap();
    assert!(server.received().iter().all(|request| request.method == "GET"));
    // Another amount is another call, and the plan did not have it.
    *amount.lock().unwrap() = 6;
    let (is_fine, text) = project.says(&server, &["run", "a.rpa", "--expect", "plan.json"]);
    assert!(!is_fine && text.contains("call of 127.0.0.1:PORT: POST /told"), "{text}");
    assert!(server.received().iter().all(|request| request.method == "GET"));
    *amount.lock().unwrap() = 5;
    let (is_fine, text) = project.says(&server, &["run", "a.rpa", "--expect", "plan.json"]);
    assert!(is_fine && text.contains("created  1 Note"), "{text}");
    assert_eq!(server.received().iter().filter(|request| request.method == "POST").count(), 1);
    // Where the answer of a call is needed, the plan ends.
    *amount.lock().unwrap() = 500;
    let (is_fine, text) = project.says(&server, &["plan", "a.rpa"]);
    assert!(is_fine, "{text}");
    insta::assert_snapshot!("a_plan_that_ends_at_a_call", text);
}
