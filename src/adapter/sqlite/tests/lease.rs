//! Leases: who is dead, who is stuck, and who may not write any more.

use super::fixture::*;
use crate::adapter::sqlite::SqliteStore;
use crate::value::{Duration, Instant};
use crate::world::{Begin, Claim, Journal, Leases, RunId, RunRecord, RunState, Store, StoreError};

const LONG: Duration = Duration::from_milliseconds(60_000);

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

#[test]
fn a_worker_whose_lease_is_over_is_fenced_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let (mut one, mut two) = (open(&path, &shop()), open(&path, &shop()));
    one.enter("one", Duration::from_milliseconds(-1)).unwrap();
    two.enter("two", LONG).unwrap();
    let run = begun(&mut one, "a");
    // Its heart may have renewed it to what is over already: that is what a stuck one looks like.
    let gone = two.take_over().unwrap();
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
