//! What a mail server may do wrong, with the whole program: it is not there, says nothing, refuses, hangs up, at each
//! point of a conversation. Then it is mended, and in the end nothing is lost, and nothing has left twice but what the
//! server had and never answered for.

#![cfg(unix)]
#![allow(clippy::disallowed_methods, reason = "tests touch the disk, and wait for processes")]
#![allow(dead_code, reason = "the crash tests use the rest of what they share")]

#[path = "crash/chance.rs"]
mod chance;
#[path = "crash/life.rs"]
mod life;
#[path = "mail_faults/server.rs"]
mod server;
#[path = "crash/state.rs"]
mod state;

use life::{Job, Life};
use serde_json::Value;
use server::{Fault, Point, Server};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A few orders of the example: three mails.
fn job() -> Job {
    Job {
        name: "orders",
        folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/orders"),
        shorten: &[("data/orders.csv", 9), ("data/orders_de.csv", 3)],
        commands: &[&["run", "process_orders.rpa"]],
        beside: false,
        by_chance: &[],
        numbered: "Invoice",
    }
}

const MAILS: usize = 3;

/// The job in a folder of its own, before a server at a port.
struct Office<'j> {
    life: Life<'j>,
}

impl<'j> Office<'j> {
    fn open(job: &'j Job, port: u16, timeout: &str) -> Office<'j> {
        let life = Life::begin(job, Some(port));
        let settings = life.folder().join("rpa.toml");
        let mut text = std::fs::read_to_string(&settings).unwrap();
        text.push_str(&format!("timeout = \"{timeout}\"\n\n[store]\nlease = 1\n"));
        std::fs::write(settings, text).unwrap();
        Office { life }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rpa"));
        command.args(arguments).current_dir(self.life.folder()).env("COLUMNS", "400").stdin(Stdio::null());
        command
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs a command to its end: its status, and all that it says.
    fn ran(&self, arguments: &[&str]) -> (Option<i32>, String) {
        said(&self.command(arguments).output().unwrap())
    }

    fn mails(&self) -> Vec<Value> {
        let output = self.command(&["mail", "--state", "all", "--format", "json"]).output().unwrap();
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        value.as_array().cloned().unwrap_or_default()
    }

    /// How many mails stand in each state.
    fn states(&self) -> BTreeMap<String, usize> {
        let mut states = BTreeMap::new();
        for mail in self.mails() {
            *states.entry(mail["state"].as_str().unwrap_or_default().to_string()).or_default() += 1;
        }
        states
    }

    /// The reason that a mail is given, and how often it was tried.
    fn problem(&self) -> (String, u64) {
        let mails = self.mails();
        let mail = mails.iter().filter(|mail| mail["problem"].is_string()).min_by_key(|mail| mail["mail"].as_u64());
        let mail = mail.unwrap_or_else(|| panic!("no mail has a problem: {mails:?}"));
        (mail["problem"].as_str().unwrap_or_default().to_string(), mail["attempts"].as_u64().unwrap_or_default())
    }

    /// What an operator does when the server works again: tries all mails that have not left, then looks at the result.
    fn recovers(&self, server: &Server, doubled: usize, told: &str) {
        server.is_mended();
        for mail in self.mails().iter().filter(|mail| mail["state"] != "sent") {
            let (status, said) = self.ran(&["mail", "retry", &mail["mail"].to_string()]);
            assert_eq!(status, Some(0), "{told}: {said}");
        }
        let (status, said) = self.ran(&["serve", "--once"]);
        assert_eq!(status, Some(0), "{told}: {said}");
        self.is_whole(server, doubled, told);
    }

    /// Every mail has left once, but for so many that were handed over a second time under their Message-ID.
    fn is_whole(&self, server: &Server, doubled: usize, told: &str) {
        assert_eq!(self.states(), BTreeMap::from([("sent".to_string(), MAILS)]), "{told}: {:?}", self.mails());
        let taken = server.taken();
        let mut ids = taken.clone();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!((ids.len(), taken.len()), (MAILS, MAILS + doubled), "{told}: {taken:?}");
        let (_, check) = self.ran(&["store", "check"]);
        assert!(!check.contains("error"), "{told}: {check}");
        self.life.state().assert_same(&undisturbed(), told);
    }
}

fn said(output: &Output) -> (Option<i32>, String) {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!text.contains("panicked"), "{text}");
    (output.status.code(), text)
}

fn signal(process: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &process.id().to_string()]).status().unwrap().success());
}

/// The end of the job where nothing goes wrong.
fn undisturbed() -> state::State {
    let server = Server::start(0);
    let job = job();
    let office = Office::open(&job, server.port, "30 seconds");
    let (status, said) = office.ran(&["run", "process_orders.rpa"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains(&format!("delivered {MAILS} mails to smtp://127.0.0.1:")), "{said}");
    assert_eq!(server.taken().len(), MAILS);
    office.life.state()
}

/// As much of a reason as a summary has room for.
fn beginning(problem: &str) -> String {
    problem.chars().take(40).collect()
}

/// What a mail is then.
#[derive(Clone, Copy)]
enum Stands {
    /// It waits, and this was no try of it.
    Untried,
    /// It waits, and has lost a try.
    Tried,
    /// It is a dead letter.
    Dead,
}

/// Has a fault, looks at what is told, mends it, and looks that all is well in the end.
fn bears(point: Point, fault: Fault, stands: Stands, words: &str) {
    let told = format!("{point:?} {fault:?}");
    let server = Server::start(0);
    let job = job();
    let office = Office::open(&job, server.port, "1 second");
    server.breaks(point, fault);
    // The run itself is done: mail is delivered behind it.
    let (status, said) = office.ran(&["run", "process_orders.rpa"]);
    assert_eq!(status, Some(0), "{told}: {said}");
    assert!(!said.contains("delivered 3"), "{told}: {said}");
    let (problem, attempts) = office.problem();
    assert!(problem.contains(words), "{told}: {problem}");
    assert!(said.contains(&beginning(&problem)), "{told}: {said}");
    let (state, tries) = match stands {
        Stands::Untried => ("waiting", 0),
        Stands::Tried => ("waiting", 1),
        Stands::Dead => ("dead", 1),
    };
    assert_eq!(office.states(), BTreeMap::from([(state.to_string(), MAILS)]), "{told}: {said}");
    assert_eq!(attempts, tries, "{told}: {problem}");
    let (_, list) = office.ran(&["mail"]);
    assert!(list.contains(&beginning(&problem)), "{told}: {list}");
    let first = office.mails().iter().filter_map(|mail| mail["mail"].as_u64()).min().unwrap_or_default();
    let (_, show) = office.ran(&["mail", "show", &first.to_string()]);
    assert!(show.contains(state) && show.contains(words), "{told}: {show}");
    let (_, story) = office.ran(&["runs", "show", "2"]);
    assert!(story.contains("mail"), "{told}: {story}");
    // While the fault lasts, a server does no better, and ends as it should.
    let (status, said) = office.ran(&["serve", "--once"]);
    assert_eq!(status, Some(0), "{told}: {said}");
    office.recovers(&server, 0, &told);
}

#[test]
fn a_server_that_is_not_there_costs_no_try() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let job = job();
    let office = Office::open(&job, port, "1 second");
    let (status, said) = office.ran(&["run", "process_orders.rpa"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains(&format!("can't connect to 127.0.0.1:{port}: Connection refused")), "{said}");
    assert!(said.contains("`rpa serve` or the next run tries them again"), "{said}");
    assert_eq!(office.problem().1, 0);
    // By itself, as soon as it is there.
    let server = Server::start(port);
    let (status, said) = office.ran(&["serve", "--once"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("delivered 3 mails"), "{said}");
    office.is_whole(&server, 0, "refused");
}

#[test]
fn a_greeting_that_is_none() {
    bears(Point::Greeting, Fault::Says("421 too busy"), Stands::Untried, "421 too busy");
    bears(Point::Greeting, Fault::Says("554 go away"), Stands::Untried, "554 go away");
    bears(Point::Greeting, Fault::Says("HTTP/1.1 400 Bad Request"), Stands::Untried, "does not speak SMTP: `HTTP/1.1");
    bears(Point::Greeting, Fault::HangsUp, Stands::Untried, "the server has closed the connection");
    bears(Point::Greeting, Fault::IsSilent, Stands::Untried, "no answer within a second");
}

#[test]
fn an_introduction_that_is_not_heard() {
    bears(Point::Hello, Fault::Says("450 later"), Stands::Untried, "450 later");
    bears(Point::Hello, Fault::Says("550 not you"), Stands::Untried, "550 not you");
    bears(Point::Hello, Fault::HangsUp, Stands::Untried, "the server has closed the connection");
    bears(Point::Hello, Fault::IsSilent, Stands::Untried, "no answer within a second");
}

#[test]
fn a_sender_that_is_refused() {
    bears(Point::Sender, Fault::Says("451 4.3.0 later"), Stands::Tried, "the sender was refused: 451 4.3.0 later");
    bears(Point::Sender, Fault::Says("550 5.7.1 not you"), Stands::Dead, "the sender was refused: 550 5.7.1 not you");
    bears(Point::Sender, Fault::Says("421 closing"), Stands::Untried, "takes no mail: 421 closing");
    bears(Point::Sender, Fault::Says("530 5.7.0 sign in first"), Stands::Untried, "530 5.7.0 sign in first");
    bears(Point::Sender, Fault::HangsUp, Stands::Untried, "the server has closed the connection");
    bears(Point::Sender, Fault::IsSilent, Stands::Untried, "no answer within a second");
}

#[test]
fn an_address_that_is_refused() {
    bears(Point::Recipient, Fault::Says("450 4.2.1 busy"), Stands::Tried, "the address was refused: 450 4.2.1 busy");
    bears(Point::Recipient, Fault::Says("550 5.1.1 who"), Stands::Dead, "the address was refused: 550 5.1.1 who");
    bears(Point::Recipient, Fault::HangsUp, Stands::Tried, "nothing of its text was sent");
    bears(Point::Recipient, Fault::IsSilent, Stands::Tried, "no answer within a second");
}

#[test]
fn a_text_that_may_not_come() {
    bears(Point::Data, Fault::Says("451 4.3.0 later"), Stands::Tried, "the mail was refused: 451 4.3.0 later");
    bears(Point::Data, Fault::Says("554 5.5.1 no"), Stands::Dead, "the mail was refused: 554 5.5.1 no");
    bears(Point::Data, Fault::HangsUp, Stands::Tried, "nothing of its text was sent");
    bears(Point::Data, Fault::IsSilent, Stands::Tried, "no answer within a second");
}

#[test]
fn a_mail_that_is_refused_as_a_whole() {
    bears(Point::Verdict, Fault::Says("451 4.3.0 later"), Stands::Tried, "the mail was refused: 451 4.3.0 later");
    bears(Point::Verdict, Fault::Says("554 5.6.0 spam"), Stands::Dead, "the mail was refused: 554 5.6.0 spam");
    bears(Point::Verdict, Fault::Says("421 closing"), Stands::Untried, "takes no mail: 421 closing");
}

/// What may have left is not tried again at once, and is told as what it is. `taken` says whether it had left.
fn never_answers_for_the_first(point: Point, fault: Fault, words: &str, taken: usize) {
    let server = Server::start(0);
    let job = job();
    let office = Office::open(&job, server.port, "1 second");
    server.breaks(point, fault);
    let (status, said) = office.ran(&["run", "process_orders.rpa"]);
    assert_eq!(status, Some(0), "{said}");
    let told = "the whole mail was handed over";
    assert!(said.contains(told), "{said}");
    assert_eq!(server.taken().len(), taken, "the others were not tried: {said}");
    let (problem, attempts) = office.problem();
    assert!(problem.contains(told) && problem.contains(words) && attempts == 1, "{problem}");
    assert!(problem.contains("it may have left, and is sent again under the same Message-ID"), "{problem}");
    // It is due in a minute; the others leave at once.
    server.is_mended();
    let (status, said) = office.ran(&["serve", "--once"]);
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(
        office.states(),
        BTreeMap::from([("sent".to_string(), MAILS - 1), ("waiting".to_string(), 1)]),
        "{said}"
    );
    office.recovers(&server, taken, words);
}

#[test]
fn a_connection_that_is_cut_behind_a_mail() {
    never_answers_for_the_first(Point::Verdict, Fault::HangsUp, "the server has closed the connection", 1);
}

#[test]
fn a_connection_that_is_cut_in_the_middle_of_a_mail() {
    // The system has taken the whole mail from this side: how much of it the server had is not known here.
    never_answers_for_the_first(Point::Text, Fault::HangsUp, "the server has closed the connection", 0);
}

#[test]
fn a_server_that_never_says_whether_it_takes_a_mail() {
    // Ten times as long as for other answers.
    never_answers_for_the_first(Point::Verdict, Fault::IsSilent, "no answer within 10 seconds", 1);
}

#[test]
fn while_a_server_is_silent_it_is_told_what_is_waited_for() {
    let server = Server::start(0);
    let job = job();
    let office = Office::open(&job, server.port, "6 seconds");
    server.breaks(Point::Greeting, Fault::IsSilent);
    let (status, said) = office.ran(&["run", "process_orders.rpa"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(
        said.contains(&format!("smtp://127.0.0.1:{} has not answered yet; it is given 6 seconds", server.port)),
        "{said}"
    );
    office.recovers(&server, 0, "silent");
}

#[test]
fn a_refused_address_keeps_the_connection_and_the_other_mails_from_nothing() {
    let server = Server::start(0);
    let job = job();
    let office = Office::open(&job, server.port, "5 seconds");
    server.breaks(Point::Recipient, Fault::Hesitates);
    let run = office.start(&["run", "process_orders.rpa"]);
    server.until_met();
    server.is_mended();
    let (status, said) = said(&run.wait_with_output().unwrap());
    assert_eq!(status, Some(0), "{said}");
    office.is_whole(&server, 0, "slow");
}

#[test]
fn a_server_that_is_ended_notes_what_has_left() {
    let server = Server::start(0);
    let job = job();
    let office = Office::open(&job, server.port, "60 seconds");
    server.breaks(Point::Greeting, Fault::Says("421 later"));
    office.ran(&["run", "process_orders.rpa"]);
    // The first mail is with the mail server, which has not answered for it, when the signal comes.
    server.breaks(Point::Verdict, Fault::Hesitates);
    let serving = office.start(&["serve"]);
    server.until_met();
    signal(&serving, "-TERM");
    std::thread::sleep(Duration::from_millis(500));
    server.is_mended();
    let (status, told) = said(&serving.wait_with_output().unwrap());
    assert_eq!(status, Some(0), "{told}");
    assert_eq!(server.taken().len(), 1, "no other mail was begun: {told}");
    assert_eq!(office.states()["sent"], 1, "{told}");
    office.recovers(&server, 0, "ended");
}

#[test]
fn a_server_that_is_ended_leaves_what_has_not_left() {
    let server = Server::start(0);
    let job = job();
    let office = Office::open(&job, server.port, "10 minutes");
    server.breaks(Point::Greeting, Fault::Says("421 later"));
    office.ran(&["run", "process_orders.rpa"]);
    server.breaks(Point::Recipient, Fault::IsSilent);
    let mut serving = office.start(&["serve"]);
    server.until_met();
    signal(&serving, "-TERM");
    // It does not wait for ten minutes.
    until("the server ends", || serving.try_wait().unwrap().is_some());
    let (status, told) = said(&serving.wait_with_output().unwrap());
    assert_eq!(status, Some(0), "{told}");
    assert!(office.mails().iter().all(|mail| mail["attempts"] == 0), "nothing was tried: {told}");
    office.recovers(&server, 0, "ended");
}

#[test]
fn a_process_killed_before_the_answer_hands_the_mail_over_again_under_its_id() {
    let server = Server::start(0);
    let job = job();
    let office = Office::open(&job, server.port, "60 seconds");
    server.breaks(Point::Verdict, Fault::Hesitates);
    let mut run = office.start(&["run", "process_orders.rpa"]);
    server.until_met();
    run.kill().unwrap();
    run.wait().unwrap();
    server.is_mended();
    until("the server has taken it", || server.taken().len() == 1);
    let (status, told) = office.ran(&["serve", "--once"]);
    assert_eq!(status, Some(0), "{told}");
    office.is_whole(&server, 1, "killed");
}

#[test]
fn a_process_killed_before_the_end_of_a_mail_has_sent_nothing() {
    for point in [Point::Sender, Point::Recipient, Point::Data, Point::Greeting] {
        let server = Server::start(0);
        let job = job();
        let office = Office::open(&job, server.port, "60 seconds");
        server.breaks(point, Fault::Hesitates);
        let mut run = office.start(&["run", "process_orders.rpa"]);
        server.until_met();
        run.kill().unwrap();
        run.wait().unwrap();
        server.is_mended();
        let (status, told) = office.ran(&["serve", "--once"]);
        assert_eq!(status, Some(0), "{told}");
        office.is_whole(&server, 0, &format!("killed at {point:?}"));
    }
}

#[test]
fn a_process_that_was_stopped_over_a_mail_notes_it_when_it_goes_on() {
    let server = Server::start(0);
    let job = job();
    let office = Office::open(&job, server.port, "60 seconds");
    server.breaks(Point::Verdict, Fault::Hesitates);
    let run = office.start(&["run", "process_orders.rpa"]);
    server.until_met();
    signal(&run, "-STOP");
    // Its lease ends, and others go on: with everything but the mail that it may have handed over.
    std::thread::sleep(Duration::from_millis(1100));
    server.is_mended();
    let (status, told) = office.ran(&["runs", "resume"]);
    assert_eq!(status, Some(0), "{told}");
    assert!(told.contains("waiting for a sign of life of"), "{told}");
    let (status, told) = office.ran(&["serve", "--once"]);
    assert_eq!(status, Some(0), "{told}");
    assert_eq!(
        office.states(),
        BTreeMap::from([("sent".to_string(), MAILS - 1), ("waiting".to_string(), 1)]),
        "{told}"
    );
    signal(&run, "-CONT");
    let (status, told) = said(&run.wait_with_output().unwrap());
    assert_eq!(status, Some(0), "{told}");
    office.is_whole(&server, 0, "stopped");
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: it does not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}
