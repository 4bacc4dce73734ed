//! What a store must bear: a disk that is full or fails, a file that somebody else holds. The program says what is wrong
//! and what to do; nothing is lost, and the next run ends as if nothing had happened.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests touch the disk, wait, and say what they do"
)]
#![allow(dead_code, reason = "the crash tests use the rest of what they share")]

#[path = "crash/chance.rs"]
mod chance;
#[path = "crash/life.rs"]
mod life;
#[path = "crash/state.rs"]
mod state;

use life::{Job, Life};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

fn job() -> Job {
    Job {
        name: "orders",
        folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/orders"),
        shorten: &[("data/orders.csv", 60), ("data/orders_de.csv", 10)],
        commands: &[&["run", "process_orders.rpa"]],
        beside: false,
        by_chance: &[],
        numbered: "Invoice",
    }
}

fn rpa() -> &'static str {
    env!("CARGO_BIN_EXE_rpa")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A run that is to fail with this finding: its status is 1, and it tells what to do.
fn assert_refused(output: &Output, code: &str) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(code) && said.contains("help:"), "expected {code}:\n{said}");
    assert!(!said.contains("panicked"), "{said}");
}

/// Runs the job again where nothing is wrong any more; the end is that of an undisturbed life.
fn assert_recovers(life: &Life<'_>, job: &Job) {
    life.work_undisturbed();
    let undisturbed = Life::begin(job, None);
    undisturbed.work_undisturbed();
    let state = life.state();
    state.assert_same(&undisturbed.state(), "after the fault");
    job.assert_whole(&state);
}

#[test]
fn a_full_disk_is_told_and_the_next_run_goes_on() {
    let job = job();
    let mut refused = 0;
    for kibibytes in [64, 400, 900] {
        let life = Life::begin(&job, None);
        // A disk of its own for the store, which is only there inside of this namespace; what it holds is copied out.
        let script = format!(
            "set -e; mkdir disk .rpa; mount -t tmpfs -o size={kibibytes}k tmpfs disk; \
             status=0; '{}' run process_orders.rpa --store disk/store.db || status=$?; \
             cp -r disk/store.db* .rpa/ || true; exit $status",
            rpa()
        );
        let output = Command::new("unshare").args(["-Urm", "sh", "-c", &script]).current_dir(life.folder()).output();
        let Ok(output) = output else {
            eprintln!("SKIPPED: unshare is not installed");
            return;
        };
        let said = said(&output);
        if said.contains("Operation not permitted") || said.contains("permission denied") {
            eprintln!("SKIPPED: this machine lets nobody make a small disk: {said}");
            return;
        }
        if output.status.success() {
            continue;
        }
        refused += 1;
        assert_refused(&output, "store::full");
        assert_recovers(&life, &job);
    }
    assert!(refused >= 2, "the disks were not small enough");
}

#[test]
fn a_disk_that_fails_is_told_and_the_next_run_goes_on() {
    let job = job();
    let mut refused = 0;
    for blocks in [100, 700, 1500] {
        let life = Life::begin(&job, None);
        // Files beyond the limit can't be written to: what a failing disk looks like from above.
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec '{}' run process_orders.rpa", rpa());
        let output = Command::new("bash").args(["-c", &script]).current_dir(life.folder()).output().unwrap();
        if output.status.success() {
            continue;
        }
        refused += 1;
        assert_refused(&output, "store::");
        assert_recovers(&life, &job);
    }
    assert!(refused >= 1, "the limits were not small enough");
}

#[test]
fn a_store_that_somebody_else_holds_is_waited_for_or_told() {
    let job = job();
    let life = Life::begin(&job, None);
    life.work_undisturbed();
    let store = rusqlite::Connection::open(life.folder().join(".rpa/store.db")).unwrap();
    let run = || Command::new(rpa()).args(["run", "process_orders.rpa"]).current_dir(life.folder()).output().unwrap();

    store.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let running = scope.spawn(run);
        std::thread::sleep(Duration::from_millis(500));
        store.execute_batch("ROLLBACK").unwrap();
        let output = running.join().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    });

    store.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_refused(&run(), "store::locked");
    store.execute_batch("ROLLBACK").unwrap();
    assert_recovers(&life, &job);
}

/// Runs a script of the shell in which small disks can be made; none where the machine lets nobody do so.
fn with_small_disks(life: &Life<'_>, script: &str) -> Option<Output> {
    let output = Command::new("unshare").args(["-Urm", "sh", "-c", script]).current_dir(life.folder()).output();
    let Ok(output) = output else {
        eprintln!("SKIPPED: unshare is not installed");
        return None;
    };
    let said = said(&output);
    if said.contains("Operation not permitted") || said.contains("permission denied") {
        eprintln!("SKIPPED: this machine lets nobody make a small disk: {said}");
        return None;
    }
    Some(output)
}

#[test]
fn a_full_disk_for_mail_holds_the_mails_until_there_is_room() {
    let job = job();
    let life = Life::begin(&job, None);
    // What was written there before it was full is copied out: the disk is gone with the namespace.
    let script = format!(
        "set -e; mkdir -p .rpa/outbox left; mount -t tmpfs -o size=24k tmpfs .rpa/outbox; \
         status=0; '{}' run process_orders.rpa || status=$?; cp .rpa/outbox/*.eml left/ || true; exit $status",
        rpa()
    );
    let Some(output) = with_small_disks(&life, &script) else { return };
    let told = said(&output);
    // The run is done; its mails are not lost, and lose no try.
    assert!(output.status.success(), "{told}");
    assert!(told.contains("could not be delivered yet") && told.contains("can't be written to"), "{told}");
    let served = Command::new(rpa()).args(["serve", "--once"]).current_dir(life.folder()).output().unwrap();
    assert!(served.status.success(), "{}", said(&served));
    let mut names: Vec<_> = ["left", ".rpa/outbox"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(life.folder().join(folder)).into_iter().flatten().flatten())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".eml"))
        .collect();
    names.sort_unstable();
    names.dedup();
    let store = rusqlite::Connection::open(life.folder().join(".rpa/store.db")).unwrap();
    let (all, sent): (i64, i64) = store
        .query_row("SELECT count(*), sum(state = 'sent') FROM rpa_outbox", (), |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!((names.len() as i64, sent), (all, all), "{}", said(&served));
    assert!(all > 10, "there are too few mails for a disk to be full of");
}

#[test]
fn a_server_whose_disk_is_full_says_so_and_the_next_goes_on() {
    let job = job();
    let life = Life::begin(&job, None);
    // The mails are held until the disk is full: then the server has something to do.
    let script = format!(
        "set -e; mkdir disk .rpa; mount -t tmpfs -o size=4m tmpfs disk; \
         cp rpa.toml kept.toml; printf '\\n[effects]\\nemail = \"off\"\\n' >> rpa.toml; \
         '{0}' run process_orders.rpa --store disk/store.db >/dev/null; mv kept.toml rpa.toml; \
         dd if=/dev/zero of=disk/filler bs=1k >/dev/null 2>&1 || true; \
         '{0}' serve --once --store disk/store.db; cp -r disk/store.db* .rpa/ || true",
        rpa()
    );
    let Some(output) = with_small_disks(&life, &script) else { return };
    let told = said(&output);
    assert!(told.contains("store::full") && !told.contains("panicked"), "{told}");
    let served = Command::new(rpa()).args(["serve", "--once"]).current_dir(life.folder()).output().unwrap();
    assert!(served.status.success(), "{}", said(&served));
    assert_recovers(&life, &job);
}

/// The states of the runs of a job, as a person would look for them.
fn states(life: &Life<'_>) -> Vec<String> {
    let arguments = ["runs", "--all", "--limit", "1000", "--format", "json"];
    let output = Command::new(rpa()).args(arguments).current_dir(life.folder()).output().unwrap();
    let runs: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    runs.as_array().unwrap().iter().map(|run| run["state"].as_str().unwrap().to_string()).collect()
}

/// A job of one script that is written here.
fn job_of(script: &str) -> (tempfile::TempDir, Job) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rpa.toml"), "zone = \"UTC\"\n").unwrap();
    std::fs::write(folder.path().join("job.rpa"), script).unwrap();
    let job =
        Job { name: "job", folder: folder.path().to_path_buf(), shorten: &[], commands: &[], numbered: "", ..job() };
    (folder, job)
}

/// Many steps, each on disk before the next: a run that a disk can fail in the middle of.
const FILL: &str = r#"
entity Note {
  key number: int
  text: text
}

flow fill(count: int) {
  for number in 1..count {
    step made = Note.create(number: number, text: "TEXT")
    step pause = sleep(1 millisecond)
  }
  step told = email.send("ada@example.com", "All {count}", "done")
}
"#;

/// The run has come to its end: each note and the mail are there once.
fn assert_filled(life: &Life<'_>, told: &str) {
    assert_eq!(states(life), ["done"], "{told}");
    let store = rusqlite::Connection::open(life.folder().join(".rpa/store.db")).unwrap();
    let counts: (i64, i64, i64) = store
        .query_row("SELECT count(*), max(number), (SELECT count(*) FROM rpa_outbox) FROM Note", (), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!(counts, (400, 400, 1), "{told}");
    let output = Command::new(rpa()).args(["store", "check"]).current_dir(life.folder()).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn a_store_that_fails_while_a_run_is_gone_on_with_keeps_it_for_the_next() {
    let (_folder, job) = job_of(&FILL.replace("TEXT", &"a long text ".repeat(40)));
    let mut refused = 0;
    for blocks in [300, 500] {
        let life = Life::begin(&job, None);
        // Files beyond the limit can't be written to; each beginning may go a little further than the one before.
        let limited = |blocks: u32, command: &str| {
            let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec '{}' {command}", rpa());
            Command::new("bash").args(["-c", &script]).current_dir(life.folder()).output().unwrap()
        };
        assert_refused(&limited(blocks, "run job.rpa 400"), "store::");
        for further in [0, 1, 60] {
            let output = limited(blocks + further, "runs resume");
            if output.status.success() {
                break;
            }
            refused += 1;
            assert_refused(&output, "store::");
            assert_eq!(states(&life), ["running"], "{}", said(&output));
        }
        let output = Command::new(rpa()).args(["runs", "resume"]).current_dir(life.folder()).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        assert_filled(&life, &said(&output));
    }
    assert!(refused >= 2, "the limits were not small enough: {refused}");
}

#[test]
fn a_disk_that_is_full_while_a_run_is_gone_on_with_keeps_it_for_the_next() {
    let (_folder, job) = job_of(&FILL.replace("TEXT", &"a long text ".repeat(40)));
    let life = Life::begin(&job, None);
    let script = format!(
        "set -e; mkdir disk .rpa; mount -t tmpfs -o size=700k tmpfs disk; \
         '{0}' run job.rpa 400 --store disk/store.db && exit 9 || true; \
         for again in 1 2; do '{0}' runs resume --store disk/store.db && exit 9 || true; done; \
         mount -o remount,size=64m disk; '{0}' runs resume --store disk/store.db; cp -r disk/store.db* .rpa/",
        rpa()
    );
    let Some(output) = with_small_disks(&life, &script) else { return };
    let told = said(&output);
    assert_ne!(output.status.code(), Some(9), "the disk was not small enough: {told}");
    assert!(output.status.success() && told.matches("store::full").count() == 3, "{told}");
    assert_filled(&life, &told);
}

/// A bill as a document and a list of it, for each name: the runs share a small disk for what they write.
const BILLS: &str = r#"
record Line {
  text: text
  number: int
}

entity Note {
  key name: text
  number: int
}

flow all(names: [text]) {
  for name in names, parallel 3 {
    run one(name)
  }
}

flow one(name: text) key name {
  step number = sequence.next("bill")
  step noted = Note.create(name: name, number: number)
    undo Note.get(name).delete()
  step document = pdf.invoice("bills/{name}.pdf", InvoiceDocument(
    title: "Invoice", number: "{number}", issued: 2026-11-23, due: 2026-12-23, seller: "S", buyer: "B", reference: "",
    lines: [], taxes: [], net: 1 EUR, tax: 0 EUR, gross: 1 EUR, note: "",
  ))
  step list = csv.write("bills/{name}.csv", (1..400).map(Line(text: "line {it} of {name}", number: it)))
  step sheet = excel.write("bills/{name}.xlsx", (1..400).map(Line(text: "line {it} of {name}", number: it)))
  step told = email.send("ada@example.com", "Bill {number}", "done")
}
"#;

#[test]
fn a_full_disk_for_documents_and_exports_fails_the_steps_and_a_retry_goes_on() {
    let (_folder, job) = job_of(BILLS);
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let life = Life::begin(&job, None);
    let list = format!("{names:?}");
    let retry = "for run in $(seq 2 8); do \"$RPA\" runs show $run | grep -q ', failed' && \"$RPA\" runs retry $run || true; done";
    let script = format!(
        "set -e; RPA='{}'; mkdir bills kept; mount -t tmpfs -o size=80k tmpfs bills; \
         \"$RPA\" run job.rpa '{list}' --flow all || true; ls -A bills > before.txt; \
         for run in $(seq 2 8); do \"$RPA\" runs show $run; done > stories.txt; \
         {retry}; mount -o remount,size=8m bills; {retry}; cp -a bills/. kept/",
        rpa()
    );
    let Some(output) = with_small_disks(&life, &script) else { return };
    let told = said(&output);
    assert!(output.status.success() && !told.contains("panicked"), "{told}");
    let read = |name: &str| std::fs::read_to_string(life.folder().join(name)).unwrap();
    // Some had no room, and say so; nothing half-written was left by them.
    let stories = read("stories.txt");
    assert!(stories.matches("the disk is full; nothing of the new content was kept").count() >= 2, "{stories}");
    assert!(
        read("before.txt").lines().all(|name| !name.starts_with('.') && name.contains('.')),
        "{}",
        read("before.txt")
    );
    // With room all of them come to their end: each once.
    assert!(states(&life).iter().all(|state| state == "done"), "{told}");
    let mut files: Vec<String> = std::fs::read_dir(life.folder().join("kept"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let mut expected: Vec<String> =
        names.iter().flat_map(|name| ["csv", "pdf", "xlsx"].map(|kind| format!("{name}.{kind}"))).collect();
    expected.sort();
    assert_eq!(files, expected, "{told}");
    for name in names {
        let content = |kind: &str| std::fs::read(life.folder().join(format!("kept/{name}.{kind}"))).unwrap();
        let pdf = content("pdf");
        assert!(pdf.starts_with(b"%PDF") && String::from_utf8_lossy(&pdf).trim_end().ends_with("%%EOF"), "{name}");
        assert_eq!(content("csv").split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count(), 401, "{name}");
        // The end of an archive, which is written last.
        assert!(content("xlsx").windows(4).any(|part| part == b"PK\x05\x06"), "{name}");
    }
    let store = rusqlite::Connection::open(life.folder().join(".rpa/store.db")).unwrap();
    let (notes, numbers, last, mails): (i64, i64, i64, i64) = store
        .query_row(
            "SELECT count(*), count(DISTINCT number), max(number), (SELECT count(DISTINCT subject) FROM rpa_outbox) FROM Note",
            (),
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .unwrap();
    assert_eq!((notes, numbers, last, mails), (7, 7, 7, 7), "{told}");
    let mails: i64 = store.query_row("SELECT count(*) FROM rpa_outbox", (), |row| row.get(0)).unwrap();
    assert_eq!(mails, 7, "{told}");
}
