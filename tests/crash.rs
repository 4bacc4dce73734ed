//! Whoever pulls the plug: the real program is killed (SIGKILL) at random moments and started again until its work is
//! done; the end must be that of an undisturbed run, every mail must have left once, no invoice number may be missing.
//!
//! The short form runs with the other tests. The long form, with the program as users have it:
//!
//!     RPA_CRASHES=1000 cargo test --release --test crash -- --nocapture --test-threads 1
//!
//! `RPA_CRASH_PROGRAM` names a copy of the program, so that work on it does not disturb the test.
//! `RPA_CRASH_SEED` repeats the moments of an earlier run, as far as a machine can repeat them.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests touch the disk, wait, and say what they do"
)]
#![allow(dead_code, reason = "the tests of faults use the rest of what they share")]

#[path = "crash/chance.rs"]
mod chance;
#[path = "crash/life.rs"]
mod life;
#[path = "crash/post.rs"]
mod post;
#[path = "crash/state.rs"]
mod state;

use chance::Chance;
use life::{Job, Life};
use post::Post;
use std::path::Path;

/// How many crashes there are to be in all.
fn crashes(usual: u32) -> u32 {
    std::env::var("RPA_CRASHES").ok().and_then(|count| count.parse().ok()).unwrap_or(usual)
}

/// Kills `job` again and again, in life after life, until there were so many crashes.
fn survive(job: &Job, usual: u32) {
    let Some(mut post) = Post::start() else { return };
    let seed = std::env::var("RPA_CRASH_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_122);
    let mut chance = Chance::new(seed);
    let wanted = crashes(usual);

    let undisturbed = Life::begin(job, Some(post.port));
    let took = undisturbed.work_undisturbed();
    let expected = undisturbed.state();
    let expected_mails = post.mails_since(0);
    expected_mails.assert_each_once();
    assert!(!expected.records.is_empty(), "the job has written nothing");
    job.assert_whole(&expected);

    let (mut crashed, mut lives, mut repeated) = (0, 0, 0);
    while crashed < wanted {
        let from = post.count();
        let life = Life::begin(job, Some(post.port));
        let crashes = life.work_disturbed(&mut chance, &took, wanted - crashed);
        let state = life.state();
        let told = format!("seed {seed}, life {lives}, killed after {crashes:?}");
        state.assert_same(&expected, &told);
        job.assert_whole(&state);
        let mails = post.mails_since(from);
        repeated += mails.assert_same(&expected_mails, &told);
        crashed += crashes.len() as u32;
        lives += 1;
    }
    println!(
        "{}: {crashed} crashes in {lives} lives; {} mails in each, {repeated} handed over a second time under their own Message-ID",
        job.name,
        expected_mails.count()
    );
}

#[test]
fn the_order_job_survives_any_crash() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/orders");
    survive(
        &Job {
            name: "orders",
            folder: examples,
            // A part of the day is enough to be killed in.
            shorten: &[("data/orders.csv", 120), ("data/orders_de.csv", 40)],
            commands: &[&["run", "process_orders.rpa"]],
            beside: false,
            by_chance: &[],
            numbered: "Invoice",
        },
        8,
    );
}

#[test]
fn waits_retries_undo_and_parallel_parts_survive_any_crash() {
    survive(
        &Job {
            name: "waits",
            folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/waits"),
            shorten: &[],
            commands: &[&["run", "settle.rpa"]],
            beside: false,
            by_chance: &[("Receipt", "number")],
            numbered: "Receipt",
        },
        16,
    );
}

/// What a server of the project leaves to it, and what it is killed over: waking, taking over, delivering.
fn served(name: &'static str, beside: bool) -> Job {
    Job {
        name,
        folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/waits"),
        shorten: &[],
        commands: &[&["run", "settle.rpa", "--wait", "0 seconds"], &["serve"]],
        beside,
        by_chance: &[("Receipt", "number")],
        numbered: "Receipt",
    }
}

#[test]
fn a_server_survives_any_crash() {
    survive(&served("served", false), 8);
}

#[test]
fn one_of_two_servers_survives_any_crash_of_the_other() {
    survive(&served("two servers", true), 8);
}
