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
