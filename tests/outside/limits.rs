//! The time of a step and the breaker of a system while several calls are under way: each call counts once, and only its own
//! time counts for a step.

use super::*;
use std::time::Duration;

const HEAD: &str = "record Answer {\n  id: text\n}\n\nentity Note {\n  key id: text\n  text: text\n}\n\n";

#[test]
fn the_time_of_others_does_not_count_for_a_step() {
    // The calls of all are under way at once. What each does behind its call keeps everybody up, so that the last is taken
    // up long after its answer came, and long after its time.
    let server = Server::start(|request, _| {
        let length = match request.path.as_str() {
            "/asked/slow" => 5_000,
            path if path.starts_with("/told/") => 600,
            _ => 50,
        };
        std::thread::sleep(Duration::from_millis(length));
        Reply::json(format!("{{\"id\": \"{}\"}}", request.path.rsplit('/').next().unwrap()))
    });
    let script = format!(
        "{HEAD}flow all(orders: [text]) {{\n  for order in orders, parallel 6 {{\n    step asked = http.post(\"SERVER/asked/{{order}}\", as: Answer)\n      timeout 2 seconds\n    step noted {{\n      Note.create(id: asked.id, text: order)\n      http.post(\"SERVER/told/{{order}}\")\n    }}\n  }}\n}}\n"
    );
    let project = Project::new(&server, &script);
    let (_, text) = project.says(&server, &["run", "a.rpa", r#"["slow", "a", "b", "c", "d", "e"]"#]);
    assert!(text.contains("5 done, 1 failed") && text.contains("1 after 2 seconds (a.rpa:"), "{text}");
    let story = project.story(1);
    let events = story["events"].as_array().unwrap();
    let of = |kind: &str| events.iter().filter(|event| event["kind"] == kind).count();
    assert_eq!((of("step_failed"), of("step_done")), (1, 10), "{story}");
    let asked = server.received().iter().filter(|request| request.path.starts_with("/asked/")).count();
    assert_eq!(asked, 6, "a step that is over its time is not called again");
}

#[test]
fn each_call_that_fails_counts_once_for_the_breaker() {
    let gate = Arc::new((Mutex::new(0), std::sync::Condvar::new()));
    let at = gate.clone();
    let server = Server::start(move |_, _| {
        // All of them are under way before one is answered.
        let mut there = at.0.lock().unwrap();
        *there += 1;
        at.1.notify_all();
        drop(at.1.wait_timeout_while(there, Duration::from_secs(20), |there| *there < 4).unwrap());
        Reply::status(500, "oops")
    });
    let script = "flow all(orders: [text]) {\n  for order in orders, parallel 4 {\n    step asked = http.post(\"SERVER/asked/{order}\")\n      on unavailable as e { step note = log.warn(e.reason) }\n  }\n}\n";
    // One more than are under way: the fifth failure opens it.
    let more = format!("[systems.\"127.0.0.1:{}\"]\nopen_after = 5\nretry_after = \"1 hour\"\n", server.port);
    let project = Project::with(&server, script, &more);
    let (is_fine, text) = project.says(&server, &["run", "a.rpa", r#"["a", "b", "c", "d"]"#]);
    assert!(is_fine && !text.contains("left alone"), "{text}");
    assert_eq!(server.received().len(), 4);
    // Nothing but the fifth is asked.
    let (is_fine, text) = project.says(&server, &["run", "a.rpa", r#"["e"]"#]);
    assert!(is_fine && !text.contains("left alone"), "{text}");
    let (is_fine, text) = project.says(&server, &["run", "a.rpa", r#"["f", "g"]"#]);
    assert!(is_fine && text.matches("is left alone until").count() == 2, "{text}");
    assert!(text.contains("it has failed 5 times"), "{text}");
    assert_eq!(server.received().len(), 5);
}

#[test]
fn an_open_breaker_lets_one_of_several_calls_through() {
    let is_up = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let up = is_up.clone();
    let server = Server::start(move |request, _| match up.load(std::sync::atomic::Ordering::SeqCst) {
        false => Reply::status(500, "oops"),
        true => {
            std::thread::sleep(Duration::from_millis(300));
            Reply::json(format!("{{\"id\": \"{}\"}}", request.path.rsplit('/').next().unwrap()))
        }
    });
    let script = format!(
        "{HEAD}flow all(orders: [text]) {{\n  for order in orders, parallel 4 {{\n    step asked = http.post(\"SERVER/asked/{{order}}\", as: Answer)\n      retry 5 times from 10 milliseconds\n  }}\n}}\n\nflow one() {{\n  step asked = http.post(\"SERVER/asked/x\")\n    on unavailable as e {{ step note = log.warn(e.reason) }}\n}}\n"
    );
    let more = format!("[systems.\"127.0.0.1:{}\"]\nopen_after = 1\nretry_after = \"1 second\"\n", server.port);
    let project = Project::with(&server, &script, &more);
    assert!(project.says(&server, &["run", "a.rpa", "--flow", "one"]).0);
    is_up.store(true, std::sync::atomic::Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(1_100));
    let (is_fine, text) = project.says(&server, &["run", "a.rpa", r#"["a", "b", "c", "d"]"#, "--flow", "all"]);
    assert!(is_fine && text.contains("4 done"), "{text}");
    // The first of them asked alone, and the others waited for its answer; each was made once.
    let received: Vec<String> = server.received().iter().skip(1).map(|request| request.path.clone()).collect();
    assert_eq!(received.len(), 4, "{received:?}");
}
