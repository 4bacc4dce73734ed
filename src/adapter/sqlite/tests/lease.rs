//! Leases: who is dead, who is stuck, and who may not write any more.

use super::fixture::*;
use crate::adapter::sqlite::SqliteStore;
use crate::value::{Duration, Instant};
use crate::world::{Begin, Claim, GoneWorker, Journal, Leases, RunId, RunRecord, RunState, Store, StoreError};
use std::path::Path;

const LONG: Duration = Duration::from_milliseconds(60_000);
const SHORT: Duration = Duration::from_milliseconds(50);

fn begun(store: &mut SqliteStore, key: &str) -> RunId {
    let run = RunRecord {
        id: RunId(0),
        parent: None,
        starter: "ada@desk".into(),
        flow: "flow".into(),
        key: Some(key.into()),
        version: "v".into(),
        arguments: Vec::new(),
        fingerprint: [0; 16],
        state: RunState::Running,
        outcome: Vec::new(),
        started: Instant::EPOCH,
        ended: None,
    };
    store.begin().unwrap();
    let Begin::New(id) = store.begin_run(&run).unwrap() else { panic!("the run is new") };
    store.commit().unwrap();
    id
}

fn claimed(store: &mut SqliteStore, run: RunId) -> Claim {
    store.begin().unwrap();
    let claim = store.claim(run).unwrap();
    store.commit().unwrap();
    claim
}

#[test]
fn a_run_belongs_to_one_worker_until_it_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let (mut one, mut two) = (open(&path, &shop()), open(&path, &shop()));
    one.enter("one", LONG).unwrap();
    two.enter("two", LONG).unwrap();
    let run = begun(&mut one, "a");
    assert_eq!(claimed(&mut two, run), Claim::Held("one".into()));
    assert_eq!(two.holder(run).unwrap().map(|worker| worker.name), Some("one".into()));
    assert_eq!(two.take_over().unwrap(), []);
    assert_eq!(two.free_runs(10).unwrap(), []);
    drop(one);
    let free = two.free_runs(10).unwrap();
    assert_eq!(free.iter().map(|run| (run.id, run.starter.as_str())).collect::<Vec<_>>(), [(run, "ada@desk")]);
    assert_eq!(claimed(&mut two, run), Claim::Own);
    assert_eq!(two.free_runs(10).unwrap(), []);
    two.begin().unwrap();
    two.end_run(run, RunState::Done, b"", Instant::EPOCH).unwrap();
    two.commit().unwrap();
    assert_eq!(two.holder(run).unwrap(), None);
}

/// What the clock would have to be set for: the lease of the first worker ends then.
fn set_lease(path: &Path, expires: &str) {
    let store = rusqlite::Connection::open(path).unwrap();
    store.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    store.execute(&format!("UPDATE rpa_workers SET expires = {expires} WHERE name = 'one'"), ()).unwrap();
}

/// Watches until somebody was silent for too long.
fn taken_over(store: &mut SqliteStore) -> Vec<GoneWorker> {
    assert_eq!(store.take_over().unwrap(), [], "one that lives is watched first");
    assert_eq!(store.suspects(), ["one"]);
    loop {
        let gone = store.take_over().unwrap();
        if !gone.is_empty() {
            assert!(store.suspects().is_empty());
            return gone;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn a_clock_that_is_set_fences_nobody_who_lives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let (mut one, mut two) = (open(&path, &shop()), open(&path, &shop()));
    one.enter("one", LONG).unwrap();
    two.enter("two", LONG).unwrap();
    let run = begun(&mut one, "a");
    let now = jiff::Timestamp::now().as_millisecond();
    // By hours, by days, and back by years: each time it renews its lease by what the clock shows then.
    for expires in [now - 3_600_000, now - 3 * 86_400_000, now + 900 * 86_400_000] {
        set_lease(&path, &expires.to_string());
        assert_eq!(two.take_over().unwrap(), []);
        assert_eq!(two.suspects(), ["one"]);
        set_lease(&path, &(now + 20_000).to_string());
        assert_eq!(two.take_over().unwrap(), []);
        assert!(two.suspects().is_empty(), "it has given a sign of life");
        assert_eq!(claimed(&mut two, run), Claim::Held("one".into()));
    }
    one.begin().unwrap();
    one.commit().unwrap();
}

#[test]
fn a_lease_that_ends_in_years_because_the_clock_was_set_back_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let (mut one, mut two) = (open(&path, &shop()), open(&path, &shop()));
    one.enter("one", LONG).unwrap();
    two.enter("two", SHORT).unwrap();
    let run = begun(&mut one, "a");
    set_lease(&path, &(jiff::Timestamp::now().as_millisecond() + 900 * 86_400_000).to_string());
    assert!(taken_over(&mut two)[0].was_stuck);
    assert_eq!(claimed(&mut two, run), Claim::Own);
}

#[test]
fn a_worker_whose_lease_is_over_is_fenced_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let (mut one, mut two) = (open(&path, &shop()), open(&path, &shop()));
    one.enter("one", LONG).unwrap();
    two.enter("two", SHORT).unwrap();
    let run = begun(&mut one, "a");
    // A stuck one does not renew it.
    set_lease(&path, "1");
    let gone = taken_over(&mut two);
    assert_eq!(gone.iter().map(|gone| (gone.was_stuck, gone.runs)).collect::<Vec<_>>(), [(true, 1)]);
    assert_eq!(claimed(&mut two, run), Claim::Own);
    let Err(StoreError::Failed { code, .. }) = one.begin() else { panic!("a fenced worker began a transaction") };
    assert_eq!(code, "store::fenced");
    assert!(one.append(run, &entry()).is_err());
    assert_eq!(two.entries(run).unwrap(), []);
}

#[test]
fn a_run_whose_parent_is_running_is_left_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let mut one = open(&path, &shop());
    let parent = begun(&mut one, "parent");
    one.begin().unwrap();
    let child = RunRecord { parent: Some(parent), key: None, ..one.run(parent).unwrap().unwrap() };
    one.begin_run(&child).unwrap();
    one.commit().unwrap();
    let free: Vec<_> = one.free_runs(10).unwrap().iter().map(|run| run.id).collect();
    assert_eq!(free, [parent]);
}

fn entry() -> crate::world::Entry {
    crate::world::Entry {
        position: 0,
        kind: crate::world::EntryKind::StepDone,
        step: 0,
        path: Vec::new(),
        payload: Vec::new(),
        changes: Vec::new(),
        at: Instant::EPOCH,
        took: 0,
    }
}
