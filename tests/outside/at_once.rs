//! Calls of items and branches that go on side by side. The server counts how many are under way at once; nothing is
//! said of how long anything takes.

use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Condvar;
use std::time::Duration;

/// Counts who is there, and lets those who wait go when enough have come.
#[derive(Default)]
struct Gate {
    /// How many are there, and how many at most were there at once.
    there: Mutex<(usize, usize)>,
    changed: Condvar,
}

impl Gate {
    /// Stays until so many were there at once; not for ever, so that a test ends that should fail.
    fn pass(&self, enough: usize) {
        let mut there = self.there.lock().unwrap();
        there.0 += 1;
        there.1 = there.1.max(there.0);
        self.changed.notify_all();
        let (mut there, _) =
            self.changed.wait_timeout_while(there, Duration::from_secs(20), |there| there.1 < enough).unwrap();
        there.0 -= 1;
    }

    fn most(&self) -> usize {
        self.there.lock().unwrap().1
    }
}

/// A server that answers `{"id": …}` with the last part of the path once so many calls were under way at once.
fn gathering(gate: &Arc<Gate>, enough: usize) -> Server {
    let gate = gate.clone();
    Server::start(move |request, _| {
        gate.pass(enough);
        Reply::json(format!("{{\"id\": \"{}\"}}", request.path.rsplit('/').next().unwrap()))
    })
}

/// The keys that came, by the path that they came for.
fn keys(server: &Server) -> BTreeMap<String, Vec<String>> {
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for request in server.received() {
        keys.entry(format!("{} {}", request.method, request.path)).or_default().push(request.key().to_string());
    }
    keys
}

/// Says that each path was called so often under one key, and no two paths under the same.
fn have_keys_of_their_own(keys: &BTreeMap<String, Vec<String>>, times: usize) {
    let different: BTreeSet<&String> = keys.values().flatten().collect();
    assert_eq!(different.len(), keys.len(), "{keys:?}");
    assert!(keys.values().all(|keys| keys.len() == times && keys[0].len() == 32), "{keys:?}");
}

const HEAD: &str = "record Refund {\n  id: text\n}\n\nentity Note {\n  key id: text\n  text: text\n}\n\n";

#[test]
fn so_many_calls_of_items_are_under_way_as_the_loop_says() {
    let gate = Arc::default();
    let server = gathering(&gate, 4);
    let script = format!(
        "{HEAD}flow all(orders: [text]) {{\n  for order in orders, parallel 4 {{\n    step refund = http.post(\"SERVER/refunds/{{order}}\", as: Refund)\n      retry 1 times\n    step noted = Note.create(id: refund.id, text: order)\n  }}\n}}\n"
    );
    let project = Project::new(&server, &script);
    let orders = r#"["a", "b", "c", "d", "e", "f", "g", "h", "i"]"#;
    let (is_fine, text) = project.says(&server, &["run", "a.rpa", orders]);
    assert!(is_fine && text.contains("9 done"), "{text}");
    assert_eq!(gate.most(), 4);
    assert_eq!(server.received().len(), 9);
    have_keys_of_their_own(&keys(&server), 1);
    // What each item noted is its own answer.
    let (_, notes) = project.says(&server, &["runs", "show", "1"]);
    assert!("abcdefghi".chars().all(|order| notes.contains(&format!("Note {order}"))), "{notes}");
}

#[test]
fn so_do_the_calls_of_runs_of_items_and_of_branches() {
    let gate = Arc::default();
    let server = gathering(&gate, 6);
    let script = format!(
        "{HEAD}flow all(orders: [text]) {{\n  for order in orders, parallel 3 {{\n    run one(order)\n  }}\n}}\n\nflow one(order: text) key order {{\n  parallel {{\n    step refund = http.post(\"SERVER/refunds/{{order}}\", as: Refund)\n      retry 1 times\n    step told = http.put(\"SERVER/orders/{{order}}\", as: Refund)\n      retry 1 times\n  }}\n  step noted = Note.create(id: \"{{refund.id}} {{told.id}}\", text: order)\n}}\n"
    );
    let project = Project::new(&server, &script);
    let (is_fine, text) = project.says(&server, &["run", "a.rpa", r#"["a", "b", "c", "d", "e"]"#, "--flow", "all"]);
    assert!(is_fine && text.contains("created  5 Note"), "{text}");
    assert_eq!(gate.most(), 6, "three items with two branches each");
    have_keys_of_their_own(&keys(&server), 1);
}

#[test]
fn items_of_the_same_key_share_one_run_and_its_call() {
    let gate = Arc::default();
    let server = gathering(&gate, 2);
    let script = format!(
        "{HEAD}flow all(orders: [text]) {{\n  for order in orders, parallel 4 {{\n    run one(order)\n  }}\n}}\n\nflow one(order: text) key order {{\n  step refund = http.post(\"SERVER/refunds/{{order}}\", as: Refund)\n    retry 1 times\n  step told = http.put(\"SERVER/orders/{{order}}\", as: Refund)\n    retry 1 times\n  step noted = Note.create(id: refund.id, text: told.id)\n}}\n"
    );
    let project = Project::new(&server, &script);
    let (is_fine, text) = project.says(&server, &["run", "a.rpa", r#"["a", "a", "b", "a"]"#, "--flow", "all"]);
    assert!(is_fine && text.contains("created  2 Note"), "{text}");
    have_keys_of_their_own(&keys(&server), 1);
    assert_eq!(server.received().len(), 4);
}

#[test]
fn without_parallel_and_by_a_plan_there_is_one_call_at_a_time() {
    let gate = Arc::default();
    let server = gathering(&gate, 1);
    let script = |parallel: &str| {
        format!(
            "{HEAD}flow all(orders: [text]) {{\n  for order in orders{parallel} {{\n    step refund = http.post(\"SERVER/refunds/{{order}}\")\n      retry 1 times\n  }}\n}}\n"
        )
    };
    let project = Project::new(&server, &script(""));
    let orders = r#"["a", "b", "c"]"#;
    assert!(project.output(&["run", "a.rpa", orders]).status.success());
    let project = Project::new(&server, &script(", parallel 3"));
    let plan = project.output(&["plan", "a.rpa", orders, "--format", "json"]);
    fs::write(project.path().join("plan.json"), plan.stdout).unwrap();
    let (is_fine, text) = project.says(&server, &["run", "a.rpa", orders, "--expect", "plan.json"]);
    assert!(is_fine, "{text}");
    assert_eq!((gate.most(), server.received().len()), (1, 6));
}

#[test]
fn more_than_a_project_has_threads_for_are_never_under_way() {
    let gate = Arc::default();
    let server = gathering(&gate, 32);
    let script = "flow all(orders: [int]) {\n  for order in orders, parallel 50 {\n    step refund = http.post(\"SERVER/refunds/{order}\")\n      retry 1 times\n  }\n}\n";
    let project = Project::new(&server, script);
    let orders = format!("{:?}", (0..50).collect::<Vec<_>>());
    let (is_fine, text) = project.says(&server, &["run", "a.rpa", &orders]);
    assert!(is_fine, "{text}");
    assert_eq!(gate.most(), 32);
}

#[test]
fn failures_stay_with_their_items_and_tries_keep_their_keys() {
    let gate: Arc<Gate> = Arc::default();
    let seen: Mutex<BTreeSet<String>> = Mutex::default();
    let at = gate.clone();
    let server = Server::start(move |request, _| {
        at.pass(3);
        let is_first = seen.lock().unwrap().insert(request.path.clone());
        match request.path.as_str() {
            "/refunds/c" => Reply::status(422, r#"{"message": "already refunded"}"#),
            _ if is_first => Reply::status(503, "soon"),
            path => Reply::json(format!("{{\"id\": \"{}\"}}", &path[path.len() - 1..])),
        }
    });
    let script = format!(
        "{HEAD}flow all(orders: [text]) {{\n  for order in orders, parallel 3 {{\n    step refund = http.post(\"SERVER/refunds/{{order}}\", as: Refund)\n      retry 2 times from 10 milliseconds\n    step noted = Note.create(id: refund.id, text: order)\n  }}\n}}\n"
    );
    // The system is not to be left alone for so little.
    let more = format!("[systems.\"127.0.0.1:{}\"]\nopen_after = 100\n", server.port);
    let project = Project::with(&server, &script, &more);
    let (_, text) = project.says(&server, &["run", "a.rpa", r#"["a", "b", "c", "d", "e"]"#]);
    assert!(text.contains("4 done, 1 failed") && text.contains("already refunded"), "{text}");
    assert_eq!(gate.most(), 3);
    let mut keys = keys(&server);
    assert_eq!(keys.remove("POST /refunds/c").map(|keys| keys.len()), Some(1));
    have_keys_of_their_own(&keys, 2);
}

#[test]
fn a_step_with_several_calls_makes_each_of_them_once() {
    let gate: Arc<Gate> = Arc::default();
    let at = gate.clone();
    let server = Server::start(move |request, _| match request.path.split('/').nth(1).unwrap() {
        "moved" => Reply::status(302, "").with("Location", request.path.replace("moved", "prices")),
        "prices" => {
            at.pass(2);
            Reply::json("5")
        }
        _ => {
            at.pass(2);
            Reply::json("\"done\"")
        }
    });
    // The clock and chance say something else each time they are asked.
    let script = format!(
        "{HEAD}flow all(orders: [text]) {{\n  for order in orders, parallel 2 {{\n    step paid: text {{\n      let code = random.code(12)\n      log.info(\"asking {{order}}\")\n      let price = http.get(\"SERVER/moved/{{order}}\", as: int)\n      let first = http.post(\"SERVER/first/{{order}}\", {{\"code\": code, \"at\": \"{{now()}}\", \"price\": \"{{price}}\"}}, as: text)\n      Note.create(id: order, text: first)\n      let second = http.post(\"SERVER/second/{{order}}\", {{\"code\": code}}, as: text)\n      give second\n    }}\n      retry 1 times\n  }}\n}}\n"
    );
    let project = Project::new(&server, &script);
    let (is_fine, text) = project.says(&server, &["run", "a.rpa", r#"["a", "b", "c", "d"]"#]);
    assert!(is_fine, "{text}");
    assert!(gate.most() >= 2);
    let received = server.received();
    assert_eq!(received.len(), 4 * 4, "{:?}", keys(&server));
    for order in ["a", "b", "c", "d"] {
        let of = |kind: &str| {
            let path = format!("/{kind}/{order}");
            received.iter().find(|request| request.path == path).unwrap().body.clone()
        };
        let code = |body: String| serde_json::from_str::<serde_json::Value>(&body).unwrap()["code"].clone();
        assert_eq!(code(of("first")), code(of("second")), "chance has spoken once");
    }
    let story = project.story(1);
    let called: Vec<String> = calls(&story).into_iter().filter(|call| call.contains("/a:")).collect();
    assert_eq!(called, ["GET /moved/a: 302", "GET /prices/a: 200", "POST /first/a: 200", "POST /second/a: 200"]);
    let notes = story.to_string().matches("\"which\":\"asking a\"").count();
    assert_eq!(notes, 1, "{story}");
}

#[test]
fn what_is_under_way_when_a_loop_stops_comes_to_its_end_and_is_undone() {
    let gate: Arc<Gate> = Arc::default();
    let at = gate.clone();
    let server = Server::start(move |request, _| {
        if request.method == "POST" {
            at.pass(3);
        }
        match request.path.as_str() {
            "/refunds/a" => Reply::status(422, r#"{"message": "no"}"#),
            _ if request.method == "POST" => {
                // The refusal comes first, and the loop has ended when these are answered.
                std::thread::sleep(Duration::from_secs(1));
                Reply::json(r#"{"id": "r"}"#)
            }
            path => Reply::json(format!("{{\"id\": \"{}\"}}", path.rsplit('/').next().unwrap())),
        }
    });
    for body in [
        "step refund = http.post(\"SERVER/refunds/{order}\", as: Refund)\n      undo http.delete(\"SERVER/refunds/{order}\")",
        "run one(order)",
    ] {
        let before = server.received().len();
        let script = format!(
            "{HEAD}flow all(orders: [text]) {{\n  for order in orders, parallel 3, stop at first failure {{\n    {body}\n  }}\n}}\n\nflow one(order: text) {{\n  step refund = http.post(\"SERVER/refunds/{{order}}\", as: Refund)\n    undo http.delete(\"SERVER/refunds/{{order}}\")\n  step noted = Note.create(id: refund.id, text: order)\n}}\n"
        );
        let project = Project::new(&server, &script);
        let orders = r#"["b", "a", "c", "d"]"#;
        let (is_fine, text) = project.says(&server, &["run", "a.rpa", orders, "--flow", "all"]);
        assert!(!is_fine, "{text}");
        let received = &server.received()[before..];
        let mut made: Vec<String> =
            received.iter().map(|request| format!("{} {}", request.method, request.path)).collect();
        made.sort();
        let expected =
            ["DELETE /refunds/b", "DELETE /refunds/c", "POST /refunds/a", "POST /refunds/b", "POST /refunds/c"];
        assert_eq!(made, expected, "{text}");
    }
}

#[cfg(unix)]
#[test]
fn calls_that_were_under_way_when_the_process_was_killed_are_made_again_under_their_keys() {
    let (arrived, has_arrived) = mpsc::channel();
    let arrived = Mutex::new(arrived);
    let server = Server::start(move |request, before| {
        // The first is answered, and so is its item's place taken by a fourth.
        if (1..4).contains(&before) {
            arrived.lock().unwrap().send(()).unwrap();
            return Reply::Silence;
        }
        Reply::json(format!("{{\"id\": \"{}\"}}", request.path.rsplit('/').next().unwrap()))
    });
    let script = format!(
        "{HEAD}flow all(orders: [text]) {{\n  for order in orders, parallel 3 {{\n    step refund = http.post(\"SERVER/refunds/{{order}}\", as: Refund)\n      retry 1 times\n    step noted = Note.create(id: refund.id, text: order)\n  }}\n}}\n"
    );
    let project = Project::new(&server, &script);
    let mut child = project.command(&["run", "a.rpa", r#"["a", "b", "c", "d", "e", "f"]"#]).spawn().unwrap();
    for _ in 0..3 {
        has_arrived.recv().unwrap();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let cut: Vec<String> = server.received()[1..].iter().map(|request| request.path.clone()).collect();
    assert_eq!(cut.len(), 3);
    let (is_fine, text) = project.says(&server, &["runs", "resume", "1"]);
    assert!(is_fine, "{text}");
    let mut keys = keys(&server);
    for path in cut {
        let twice = keys.get_mut(&format!("POST {path}")).unwrap();
        assert_eq!(twice.len(), 2, "{path}");
        assert_eq!(twice.pop(), twice.first().cloned(), "{path}");
    }
    have_keys_of_their_own(&keys, 1);
    assert_eq!(keys.len(), 6);
}

#[cfg(unix)]
#[test]
fn a_loop_that_had_failed_when_the_process_was_killed_makes_the_calls_of_the_others_known_and_undoes_them() {
    let (arrived, has_arrived) = mpsc::channel();
    let arrived = Mutex::new(arrived);
    let gate: Arc<Gate> = Arc::default();
    let at = gate.clone();
    let server = Server::start(move |request, before| {
        if request.method == "POST" && before < 3 {
            at.pass(3);
        }
        match request.path.as_str() {
            "/refunds/a" => Reply::status(422, r#"{"message": "no"}"#),
            _ if before < 3 => {
                arrived.lock().unwrap().send(()).unwrap();
                Reply::Silence
            }
            path => Reply::json(format!("{{\"id\": \"{}\"}}", path.rsplit('/').next().unwrap())),
        }
    });
    let script = format!(
        "{HEAD}flow all(orders: [text]) {{\n  for order in orders, parallel 3, stop at first failure {{\n    step refund = http.post(\"SERVER/refunds/{{order}}\", as: Refund)\n      undo http.delete(\"SERVER/refunds/{{order}}\")\n    step noted = Note.create(id: refund.id, text: order)\n  }}\n}}\n"
    );
    let project = Project::new(&server, &script);
    let mut child = project.command(&["run", "a.rpa", r#"["a", "b", "c", "d"]"#]).spawn().unwrap();
    for _ in 0..2 {
        has_arrived.recv().unwrap();
    }
    // The failure is in the journal, and the loop waits for what is under way.
    while project.story(1)["events"].as_array().is_none_or(|events| events.is_empty()) {
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let (_, text) = project.says(&server, &["runs", "resume", "1"]);
    let mut keys = keys(&server);
    // The two are made once more under their keys, and then undone; nothing else is done.
    for path in ["/refunds/b", "/refunds/c"] {
        let twice = keys.remove(&format!("POST {path}")).unwrap();
        assert!(twice.len() == 2 && twice[0] == twice[1], "{path}: {twice:?}");
        assert_eq!(keys.remove(&format!("DELETE {path}")).map(|keys| keys.len()), Some(1), "{text}");
    }
    assert_eq!(keys.into_keys().collect::<Vec<_>>(), ["POST /refunds/a"], "{text}");
    assert_eq!(project.story(1)["state"], "failed");
}
