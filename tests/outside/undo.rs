//! Undoing by calls: each once, under one key for all tries, whatever happens meanwhile.

use super::*;
use std::collections::BTreeMap;

const ORDERING: &str = "record Refund {\n  id: text\n}\n\nerror wrong(why: text)\n\nflow all(order: text) {\n  step first = http.post(\"SERVER/refunds/first{order}\", as: Refund)\n    retry 1 times\n    undo http.delete(\"SERVER/refunds/{first.id}\")\n  step second = http.post(\"SERVER/refunds/second{order}\", as: Refund)\n    retry 1 times\n    undo http.delete(\"SERVER/refunds/{second.id}\")\n  step third = http.post(\"SERVER/refunds/third{order}\", as: Refund)\n    retry 1 times\n    undo http.delete(\"SERVER/refunds/{third.id}\")\n  fail wrong(\"too late\")\n}\n";

fn answering(request: &support::server::Received) -> Reply {
    Reply::json(format!("{{\"id\": \"{}\"}}", request.path.rsplit('/').next().unwrap()))
}

/// The calls that took something back, in their order, and their keys.
fn taken_back(server: &Server) -> (Vec<String>, BTreeMap<String, Vec<String>>) {
    let received = server.received();
    let deletes = received.iter().filter(|request| request.method == "DELETE");
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut order = Vec::new();
    for request in deletes {
        let what = request.path.trim_start_matches("/refunds/").to_string();
        keys.entry(what.clone()).or_default().push(request.key().to_string());
        order.push(what);
    }
    (order, keys)
}

#[test]
fn each_step_is_undone_once_by_its_call_the_last_first() {
    let server = Server::start(|request, _| answering(request));
    let project = Project::new(&server, ORDERING);
    let (is_fine, text) = project.says(&server, &["run", "a.rpa", "7"]);
    assert!(!is_fine && text.contains("3 steps were undone"), "{text}");
    let (order, keys) = taken_back(&server);
    assert_eq!(order, ["third7", "second7", "first7"]);
    let mut of_all: Vec<String> = server.received().iter().map(|request| request.key().to_string()).collect();
    of_all.sort();
    of_all.dedup();
    assert_eq!(of_all.len(), 6, "doing and undoing have keys of their own: {keys:?}");
}

#[test]
fn an_undo_that_fails_is_tried_again_then_a_person_is_asked_and_the_others_are_undone() {
    let server = Server::start(|request, _| match (request.method.as_str(), request.path.as_str()) {
        ("DELETE", "/refunds/second7") => Reply::status(503, "closed"),
        _ => answering(request),
    });
    let more = format!("[systems.\"127.0.0.1:{}\"]\nopen_after = 100\n", server.port);
    let project = Project::with(&server, ORDERING, &more);
    let (is_fine, text) = project.says(&server, &["run", "a.rpa", "7"]);
    assert!(!is_fine && text.contains("1 step could not be undone"), "{text}");
    let (order, keys) = taken_back(&server);
    assert_eq!(order, ["third7", "second7", "second7", "second7", "first7"]);
    let tries = &keys["second7"];
    assert!(tries.iter().all(|key| *key == tries[0]), "one key for all tries: {tries:?}");
    let (_, inbox) = project.says(&server, &["inbox"]);
    assert!(
        inbox.contains("operator: the step could not be undone: unavailable: DELETE 127.0.0.1:PORT/refunds/second7"),
        "{inbox}"
    );
}

#[cfg(unix)]
#[test]
fn an_undo_whose_process_is_killed_is_done_again_under_its_key() {
    let (arrived, has_arrived) = mpsc::channel();
    let arrived = Mutex::new(arrived);
    let server = Server::start(move |request, before| {
        // Three are made, one is taken back, and the next call back never comes to its end.
        if request.method == "DELETE" && before == 4 {
            arrived.lock().unwrap().send(()).unwrap();
            return Reply::Silence;
        }
        answering(request)
    });
    let project = Project::new(&server, ORDERING);
    let mut child = project.command(&["run", "a.rpa", "7"]).spawn().unwrap();
    has_arrived.recv().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let (_, text) = project.says(&server, &["runs", "resume", "1"]);
    let (order, keys) = taken_back(&server);
    assert_eq!(order, ["third7", "second7", "second7", "first7"], "{text}");
    assert_eq!(keys["second7"][0], keys["second7"][1]);
    let story = project.story(1);
    let undone = story["events"].as_array().unwrap().iter().filter(|event| event["kind"] == "undone").count();
    assert!(undone == 3 && story["state"] == "failed", "{story}");
}
