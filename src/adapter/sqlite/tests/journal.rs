//! Runs, entries, versions, and the outbox.

use super::fixture::*;
use crate::adapter::sqlite::SqliteStore;
use crate::value::Instant;
use crate::world::{
    Begin, Breaker, Change, ChangeKind, Entry, EntryKind, Journal, KeptVersion, MailClaim, MailDecision, MailFilter,
    MailOutcome, Message, MessageAttachment, Outbox, RunFilter, RunId, RunRecord, RunState, Store,
};

fn at(milliseconds: i64) -> Instant {
    Instant::from_milliseconds(milliseconds).unwrap()
}

fn run(flow: &str, key: Option<&str>) -> RunRecord {
    RunRecord {
        id: RunId(0),
        parent: None,
        starter: Default::default(),
        flow: flow.into(),
        key: key.map(Into::into),
        version: "v1".into(),
        arguments: vec![1, 2, 3],
        fingerprint: [7; 16],
        state: RunState::Running,
        outcome: Vec::new(),
        started: at(1_795_327_200_123),
        ended: None,
    }
}

fn entry(position: u32) -> Entry {
    Entry {
        position,
        kind: EntryKind::StepDone,
        step: position,
        path: vec![0, 300, u32::MAX],
        payload: vec![0, 255, 1],
        changes: vec![
            Change { kind: ChangeKind::Created, what: "Order".into(), which: "O-1".into() },
            Change { kind: ChangeKind::Mailed, what: "ada@example.com".into(), which: "x".repeat(300).into() },
        ],
        at: at(1_795_327_200_456),
        took: 1_500_000,
    }
}

fn new(store: &mut SqliteStore, record: &RunRecord) -> RunId {
    match store.begin_run(record).unwrap() {
        Begin::New(id) => id,
        Begin::Known(known) => panic!("{known:?} is known"),
    }
}

#[test]
fn what_is_written_is_read_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut store = open(&path, &[]);
    store.begin().unwrap();
    let parent = new(&mut store, &run("process_orders", None));
    let child = RunRecord { parent: Some(parent), key: Some("O-1".into()), ..run("process_order", None) };
    let id = new(&mut store, &child);
    let plain = Entry { step: u32::MAX, path: vec![], payload: vec![], changes: vec![], took: 0, ..entry(1) };
    store.append(id, &entry(0)).unwrap();
    store.append(id, &plain).unwrap();
    store.end_run(id, RunState::Failed, b"why", at(5)).unwrap();
    store.commit().unwrap();
    drop(store);

    let mut store = open(&path, &[]);
    assert_eq!(store.entries(id).unwrap(), [entry(0), plain]);
    assert_eq!(store.entries(parent).unwrap(), []);
    let ended =
        RunRecord { id, state: RunState::Failed, outcome: b"why".to_vec(), ended: Some(at(5)), ..child.clone() };
    assert_eq!(store.run(id).unwrap(), Some(ended.clone()));
    assert_eq!(store.run(RunId(99)).unwrap(), None);
    // The key finds the run again, failed or not, and another flow has keys of its own.
    store.begin().unwrap();
    assert_eq!(store.begin_run(&child).unwrap(), Begin::Known(ended.clone()));
    let other = new(&mut store, &run("other", Some("O-1")));
    assert!(other > id);
    assert_eq!(new(&mut store, &run("other", None)), RunId(other.0 + 1));
    let again = RunRecord {
        parent: None,
        starter: Default::default(),
        version: "v2".into(),
        arguments: vec![9],
        fingerprint: [1; 16],
        started: at(7),
        ..child.clone()
    };
    store.reopen_run(id, &again).unwrap();
    store.commit().unwrap();
    assert_eq!(store.run(id).unwrap(), Some(RunRecord { id, ..again }));
    assert_eq!(store.entries(id).unwrap().len(), 2);
}

#[test]
fn runs_are_listed_by_what_is_asked() {
    let mut store = SqliteStore::in_memory(&[], &[]).unwrap();
    store.begin().unwrap();
    let parent = new(&mut store, &run("all", None));
    for number in 0..6 {
        let child = RunRecord { parent: Some(parent), ..run("one", Some(&format!("k{number}"))) };
        let id = new(&mut store, &child);
        let state = if number % 3 == 0 { RunState::Failed } else { RunState::Done };
        store.end_run(id, state, &[], at(1)).unwrap();
    }
    let open = new(&mut store, &RunRecord { parent: Some(parent), ..run("two", None) });
    let mut ids = |filter: RunFilter| -> Vec<i64> {
        store
            .runs(&RunFilter { limit: if filter.limit == 0 { 100 } else { filter.limit }, ..filter })
            .unwrap()
            .iter()
            .map(|run| run.id.0)
            .collect()
    };
    assert_eq!(ids(RunFilter { limit: 3, ..RunFilter::default() }), [8, 7, 6]);
    assert_eq!(
        ids(RunFilter { flow: Some("one".into()), state: Some(RunState::Failed), ..RunFilter::default() }),
        [5, 2]
    );
    assert_eq!(ids(RunFilter { state: Some(RunState::Done), ..RunFilter::default() }), [7, 6, 4, 3]);
    assert_eq!(ids(RunFilter { state: Some(RunState::Running), ..RunFilter::default() }), [8, 1]);
    assert_eq!(ids(RunFilter { key: Some("k4".into()), ..RunFilter::default() }), [6]);
    assert_eq!(ids(RunFilter { flow: Some("nothing".into()), ..RunFilter::default() }), [] as [i64; 0]);
    assert_eq!(ids(RunFilter { top_level: true, ..RunFilter::default() }), [parent.0]);
    let children: Vec<i64> = store.children(parent, 2).unwrap().iter().map(|run| run.id.0).collect();
    assert_eq!(children, [2, 3]);
    assert_eq!(
        store.count_children(parent).unwrap(),
        [("one".into(), RunState::Done, 4), ("one".into(), RunState::Failed, 2), ("two".into(), RunState::Running, 1)]
    );
    assert_eq!(store.count_children(open).unwrap(), []);
}

#[test]
fn a_run_that_is_taken_back_leaves_its_key_free() {
    let mut store = SqliteStore::in_memory(&[], &[]).unwrap();
    store.begin().unwrap();
    store.savepoint().unwrap();
    new(&mut store, &run("flow", Some("k")));
    store.rollback_savepoint().unwrap();
    // The number of the flow was taken back as well, and is not remembered.
    let id = new(&mut store, &run("flow", Some("k")));
    store.append(id, &entry(0)).unwrap();
    store.commit().unwrap();
    store.begin().unwrap();
    store.append(id, &entry(1)).unwrap();
    store.rollback().unwrap();
    assert_eq!(store.entries(id).unwrap().len(), 1);
    assert_eq!(store.run(id).unwrap().unwrap().flow, "flow");
}

#[test]
fn what_savepoints_take_back_is_taken_back_before_and_after_it_was_written() {
    let listed = |store: &mut SqliteStore| store.runs(&RunFilter { limit: 9, ..RunFilter::default() }).unwrap().len();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    // Nobody looks; somebody looks before, inside, or in both parts.
    for looked in 0..8 {
        let mut store = open(&path, &[]);
        let look = |store: &mut SqliteStore, when: i32| {
            if looked & when != 0 {
                listed(store);
            }
        };
        store.begin().unwrap();
        let first = new(&mut store, &run("flow", None));
        store.append(first, &entry(0)).unwrap();
        look(&mut store, 1);
        store.savepoint().unwrap();
        store.append(first, &entry(1)).unwrap();
        let kept = new(&mut store, &run("flow", Some(&format!("kept {looked}"))));
        look(&mut store, 2);
        store.savepoint().unwrap();
        store.append(first, &entry(2)).unwrap();
        let key = format!("gone {looked}");
        let gone = new(&mut store, &run("flow", Some(&key)));
        store.end_run(kept, RunState::Failed, b"why", at(9)).unwrap();
        look(&mut store, 4);
        store.end_run(first, RunState::Done, b"well", at(9)).unwrap();
        store.append(gone, &entry(0)).unwrap();
        store.rollback_savepoint().unwrap();
        assert_eq!(store.entries(first).unwrap().len(), 2, "{looked}");
        assert_eq!(store.run(first).unwrap().unwrap().state, RunState::Running);
        store.release().unwrap();
        store.append(first, &Entry { payload: vec![9], ..entry(2) }).unwrap();
        let again = new(&mut store, &run("flow", Some(&key)));
        store.end_run(kept, RunState::Done, b"well", at(9)).unwrap();
        store.commit().unwrap();
        drop(store);

        let mut store = open(&path, &[]);
        assert_eq!(store.entries(first).unwrap(), [entry(0), entry(1), Entry { payload: vec![9], ..entry(2) }]);
        assert_eq!(store.run(first).unwrap().unwrap().state, RunState::Running);
        assert_eq!(store.run(kept).unwrap().unwrap().outcome, b"well");
        assert_eq!(store.entries(again).unwrap(), []);
        assert_eq!(listed(&mut store), 9.min(3 * (looked as usize + 1)));
    }
}

#[test]
fn versions_are_kept_once() {
    let mut store = SqliteStore::in_memory(&[], &[]).unwrap();
    let kept = |text: &str| KeptVersion {
        sources: vec![("main.rpa".into(), text.into()), ("crm.rpa".into(), "library".into())],
        names: "{}".into(),
    };
    store.begin().unwrap();
    // A run may come before its version.
    new(&mut store, &run("flow", None));
    assert_eq!(store.version("v1").unwrap(), None);
    store.keep_version("v1", &kept("a")).unwrap();
    store.keep_version("v2", &kept("b")).unwrap();
    store.keep_version("v1", &kept("c")).unwrap();
    store.commit().unwrap();
    assert_eq!(store.version("v1").unwrap(), Some(kept("a")));
    assert_eq!(store.version("v2").unwrap(), Some(kept("b")));
    assert_eq!(store.version("v3").unwrap(), None);
    let texts: i64 = store.connection.query_row("SELECT count(*) FROM rpa_texts", (), |row| row.get(0)).unwrap();
    assert_eq!(texts, 3);
}

#[test]
fn an_entry_takes_few_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut store = open(&path, &[]);
    store.begin().unwrap();
    let id = new(&mut store, &run("flow", None));
    let before: i64 = store.connection.query_row("PRAGMA page_count", (), |row| row.get(0)).unwrap();
    for position in 0..20_000 {
        let change = Change { kind: ChangeKind::Created, what: "Order".into(), which: "O-100234".into() };
        let entry = Entry { position, path: vec![1000], payload: vec![0; 20], changes: vec![change], ..entry(0) };
        store.append(id, &entry).unwrap();
    }
    store.commit().unwrap();
    let after: i64 = store.connection.query_row("PRAGMA page_count", (), |row| row.get(0)).unwrap();
    let each = (after - before) * 4096 / 20_000;
    assert!(each <= 20 + 30, "{each} bytes for an entry with a payload of 20 bytes");
}

fn message(subject: &str) -> Message {
    Message {
        id: "1.2@example.com".into(),
        from: "shop@example.com".into(),
        to: "ada@example.com".into(),
        cc: vec!["b@example.com".into(), "c@example.com".into()],
        reply_to: Some("d@example.com".into()),
        subject: subject.into(),
        body: "Hello\n世界".into(),
        attachments: vec![MessageAttachment { path: "invoices/1.pdf".into(), content: vec![] }],
        written: 5,
    }
}

#[test]
fn mails_leave_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut store = open(&path, &[]);
    store.begin().unwrap();
    let plain = Message { cc: vec![], reply_to: None, attachments: vec![], ..message("plain") };
    let first = store.add_to_outbox(3, &message("first")).unwrap();
    let second = store.add_to_outbox(4, &plain).unwrap();
    let third = store.add_to_outbox(4, &message("third")).unwrap();
    store.savepoint().unwrap();
    store.add_to_outbox(5, &message("taken back")).unwrap();
    store.rollback_savepoint().unwrap();
    store.commit().unwrap();
    drop(store);
    let mut store = open(&path, &[]);
    let waiting = store.outbox(10).unwrap();
    assert_eq!(waiting.iter().map(|mail| mail.number).collect::<Vec<_>>(), [first, second, third]);
    assert_eq!((waiting[0].run, &waiting[0].message), (3, &message("first")));
    assert_eq!(waiting[1].message, plain);
    assert_eq!(store.outbox(1).unwrap().len(), 1);
    store.begin().unwrap();
    let far = Instant::from_milliseconds(4_000_000_000_000).unwrap();
    let claim = |owner: &str, now| MailClaim { owner: owner.into(), now, until: far };
    assert_eq!(store.claim_mails(&claim("a", far), 10).unwrap().len(), 3);
    let before = Instant::from_milliseconds(4_000_000_000_000 - 3_600_000).unwrap();
    assert!(store.claim_mails(&claim("b", before), 10).unwrap().is_empty());
    assert!(!store.settle_mail(first, "b", &MailOutcome::Sent, far).unwrap());
    let later = MailOutcome::Later { due: Instant::EPOCH, problem: "later".into(), counted: true };
    let dead = MailOutcome::Dead { problem: "never".into() };
    for (number, outcome) in [(first, MailOutcome::Sent), (second, later), (third, dead)] {
        assert!(store.settle_mail(number, "a", &outcome, far).unwrap());
    }
    store.commit().unwrap();
    let waiting = store.outbox(10).unwrap();
    assert_eq!(waiting.iter().map(|mail| (mail.number, mail.attempts)).collect::<Vec<_>>(), [(second, 1)]);
    store.begin().unwrap();
    assert!(!store.settle_mail(first, "a", &MailOutcome::Sent, far).unwrap(), "it has left");
    let mut decided = |number, decision| store.decide_mail(number, &decision, far).unwrap();
    assert!(!decided(first, MailDecision::Retry) && !decided(third, MailDecision::Bounced("x".into())));
    assert!(decided(third, MailDecision::Drop) && decided(third, MailDecision::Retry));
    assert!(decided(first, MailDecision::Bounced("no such user".into())));
    let mut state = store.system("smtp").unwrap();
    state.failed(far, &Breaker { failures: 1, ..Breaker::default() });
    store.set_system("smtp", &state).unwrap();
    store.commit().unwrap();
    assert_eq!(store.system("smtp").unwrap(), state);
    assert_eq!(store.waiting_mails().unwrap(), 2);
    assert_eq!(store.next_mail(Instant::EPOCH).unwrap(), Some(Instant::EPOCH));
    let mails = store.mails(&MailFilter { limit: 9, ..MailFilter::default() }).unwrap();
    let shown: Vec<_> =
        mails.iter().map(|mail| format!("{} {:?} {:?}", mail.entry.number, mail.state, mail.problem)).collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    3 Waiting Some("never")
    2 Waiting Some("later")
    1 Dead Some("no such user")
    "#);
}
