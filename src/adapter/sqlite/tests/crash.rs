//! A process that is killed while it writes leaves a whole store.

use super::fixture::*;
use crate::adapter::sqlite::{Options, SqliteStore};
use crate::value::{Instant, Value};
use crate::world::{Begin, Change, ChangeKind, Entry, EntryKind, Journal, RunId, RunRecord, RunState, Store};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Where the process that is killed finds its store.
const PLACE: &str = "RPA_TEST_CRASH_STORE";

/// How many steps share a commit.
const GROUP: i64 = 20;

fn step(store: &mut SqliteStore, number: i64) {
    store.savepoint().unwrap();
    store.insert(PRODUCT, product(&format!("A{number}"), "1.50", number)).unwrap();
    if number > 0 {
        store.update(PRODUCT, &"A0".into(), &[(2, Value::Int(number))]).unwrap();
    }
    let run = RunRecord {
        id: RunId(0),
        parent: None,
        starter: Default::default(),
        flow: "flow".into(),
        key: Some(format!("k{number}").into()),
        version: "v".into(),
        arguments: vec![0; 100],
        fingerprint: [0; 16],
        state: RunState::Running,
        outcome: Vec::new(),
        started: Instant::EPOCH,
        ended: None,
    };
    let Begin::New(id) = store.begin_run(&run).unwrap() else { panic!("run {number} was there already") };
    let entry = Entry {
        position: 0,
        kind: EntryKind::StepDone,
        step: 0,
        path: vec![],
        payload: vec![0; 50],
        changes: vec![Change { kind: ChangeKind::Created, what: "Product".into(), which: format!("A{number}").into() }],
        at: Instant::EPOCH,
        took: 1,
    };
    store.append(id, &entry).unwrap();
    store.end_run(id, RunState::Done, &[], Instant::EPOCH).unwrap();
    assert_eq!(store.next_in_sequence("steps", 0).unwrap(), number);
    store.release().unwrap();
}

/// How many products there are; everything else agrees with that.
fn checked(path: &Path) -> i64 {
    let mut store = open(path, &shop());
    let whole: String = store.connection.query_row("PRAGMA integrity_check", (), |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    let count = |sql: &str| -> i64 { store.connection.query_row(sql, (), |row| row.get(0)).unwrap() };
    let products = count("SELECT count(*) FROM Product");
    assert_eq!(products, count("SELECT count(*) FROM rpa_runs WHERE state = 2"));
    assert_eq!(products, count("SELECT count(entries) FROM rpa_runs"));
    assert_eq!(products % GROUP, 0, "a commit is there as a whole or not at all");
    if products > 0 {
        assert_eq!(products - 1, count("SELECT value FROM rpa_sequences WHERE name = 'steps'"));
        let first = store.get(PRODUCT, &"A0".into()).unwrap().unwrap();
        assert_eq!(first.fields().unwrap()[2], Value::Int(products - 1));
    }
    products
}

#[test]
#[ignore = "the process that the next test kills"]
fn writes_until_it_is_killed() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let path = Path::new(&place);
    let mut number = checked(path);
    let mut store = SqliteStore::open(path, &shop(), &tiers(), &Options::default()).unwrap();
    loop {
        store.begin().unwrap();
        for _ in 0..GROUP {
            step(&mut store, number);
            number += 1;
        }
        store.commit().unwrap();
        // Written past the capturing of the tests; what is told was committed.
        let _ = writeln!(std::io::stdout(), "\ncommitted {number}");
    }
}

#[test]
fn a_killed_process_leaves_whole_commits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut before = 0;
    for round in 1..=4 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "adapter::sqlite::tests::crash::writes_until_it_is_killed", "--ignored", "--nocapture"])
            .env(PLACE, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut told = 0;
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // The child is in the middle of its next commits when it is killed.
        for line in lines.map_while(Result::ok) {
            if let Some(number) = line.strip_prefix("committed ") {
                told = number.parse().unwrap();
                if told >= before + round * 7 * GROUP {
                    break;
                }
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(told >= before + round * 7 * GROUP, "the child ended by itself after {told}");
        let there = checked(&path);
        assert!(there >= told, "{told} were committed, and {there} are there");
        before = there;
    }
}
