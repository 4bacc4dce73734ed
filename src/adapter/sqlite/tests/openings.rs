//! Files that are no stores, stores that can't be used, and stores that run out of room.

use super::fixture::*;
use crate::adapter::sqlite::{Access, Options, SqliteStore};
use crate::value::Value;
use crate::world::{Store, StoreError};
use std::path::Path;
use std::time::Duration;

fn refused(path: &Path) -> String {
    said(&try_open(path, &shop()).unwrap_err(), path)
}

fn code(error: &StoreError) -> &'static str {
    match error {
        StoreError::Failed { code, .. } => code,
        other => panic!("{other} is no failure of the store"),
    }
}

#[test]
fn what_is_no_store_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut out = String::new();
    out.push_str(&refused(folder.path()));
    for (name, content) in [
        ("text.txt", b"This is a letter to a friend, and it is long enough to look like a header.\n".repeat(30)),
        ("short.txt", b"hi".to_vec()),
        ("zeros", vec![0; 8192]),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, &content).unwrap();
        out.push_str(&format!("\n\n{name}: {}", refused(&path)));
        assert_eq!(std::fs::read(&path).unwrap(), content);
    }
    let path = folder.path().join("other.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    out.push_str(&format!("\n\nother: {}", refused(&path)));
    insta::assert_snapshot!(out);
}

#[test]
fn an_empty_file_becomes_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty");
    std::fs::write(&path, b"").unwrap();
    drop(open(&path, &shop()));
    drop(open(&path, &shop()));
}

#[test]
fn folders_on_the_way_are_made() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(&folder.path().join("a/b/store.db"), &[]));
    std::fs::write(folder.path().join("file"), b"").unwrap();
    let finding = try_open(&folder.path().join("file/store.db"), &[]).unwrap_err();
    assert_eq!(finding.code.id, "store::read-only");
}

#[test]
fn a_store_of_another_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(open(&path, &shop()));
    for version in [99, 1, 2] {
        let text = format!("PRAGMA user_version = {version}");
        rusqlite::Connection::open(&path).unwrap().execute_batch(&text).unwrap();
        insta::assert_snapshot!(refused(&path));
    }
}

/// A store with some products in it, whole and with nothing in the log beside it.
fn filled(path: &Path) {
    let mut store = open(path, &shop());
    store.begin().unwrap();
    for number in 0..2000 {
        store.insert(PRODUCT, product(&format!("A{number}"), "1.50", number)).unwrap();
    }
    store.commit().unwrap();
}

#[test]
fn a_cut_file_is_found_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    filled(&path);
    let whole = std::fs::read(&path).unwrap();
    for length in [1000, 4096, 5000, 40_000, whole.len() - 8192] {
        std::fs::write(&path, &whole[..length]).unwrap();
        // Either opening finds it out, or reading does; neither panics nor gives something wrong.
        let code = match try_open(&path, &shop()) {
            Err(finding) => finding.code.id,
            Ok(mut store) => {
                let mut found = None;
                for number in 0..2000 {
                    match store.get(PRODUCT, &format!("A{number}").into()) {
                        Ok(Some(record)) => assert_eq!(record.fields().unwrap()[2], Value::Int(number)),
                        Ok(None) => panic!("product {number} is gone without a word"),
                        Err(error) => found = Some(code(&error)),
                    }
                }
                found.expect("the damage is found")
            }
        };
        assert!(["store::damaged", "store::not-a-store"].contains(&code), "{length}: {code}");
    }
}

#[test]
fn junk_in_the_middle_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    filled(&path);
    let mut bytes = std::fs::read(&path).unwrap();
    for byte in &mut bytes[8192..] {
        *byte = byte.wrapping_mul(31).wrapping_add(7);
    }
    std::fs::write(&path, &bytes).unwrap();
    let failed = match try_open(&path, &shop()) {
        Err(_) => true,
        Ok(mut store) => (0..2000).any(|number| store.get(PRODUCT, &format!("A{number}").into()).is_err()),
    };
    assert!(failed);
}

#[test]
fn another_process_that_writes_is_waited_for_and_then_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let impatient = Options { busy_timeout: Duration::from_millis(20), ..options() };
    let mut first = open(&path, &shop());
    let mut second = SqliteStore::open(&path, &shop(), &tiers(), &impatient).unwrap();
    first.begin().unwrap();
    first.insert(PRODUCT, product("A", "1", 1)).unwrap();
    let error = second.begin().unwrap_err();
    insta::assert_snapshot!(error.to_string().replace(&path.display().to_string(), "STORE"));
    assert_eq!(code(&error), "store::locked");
    // Reading goes on, and sees what was there before.
    assert_eq!(second.get(PRODUCT, &"A".into()).unwrap(), None);
    first.commit().unwrap();
    second.begin().unwrap();
    assert!(second.get(PRODUCT, &"A".into()).unwrap().is_some());
    // Opening works while another writes, too: nothing has to be written for it.
    drop(SqliteStore::open(&path, &shop(), &tiers(), &impatient).unwrap());
}

#[test]
fn a_read_only_store_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let read_only = Options { access: Access::ReadOnly, ..options() };
    let finding = SqliteStore::open(&path, &shop(), &tiers(), &read_only).unwrap_err();
    assert_eq!(finding.code.id, "store::read-only");
    drop(open(&path, &shop()));
    let mut store = SqliteStore::open(&path, &shop(), &tiers(), &read_only).unwrap();
    let error = store.begin().and_then(|()| store.insert(PRODUCT, product("A", "1", 1)).map(|_| ()));
    let error = error.and_then(|()| store.commit()).unwrap_err();
    insta::assert_snapshot!(error.to_string().replace(&path.display().to_string(), "STORE"));
    assert_eq!(code(&error), "store::read-only");
}

#[test]
fn a_store_without_room_stays_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(open(&path, &shop()));
    let pages = std::fs::metadata(&path).unwrap().len() / 4096 + 20;
    let small = Options { most_pages: Some(u32::try_from(pages).unwrap()), ..options() };
    let mut store = SqliteStore::open(&path, &shop(), &tiers(), &small).unwrap();
    let (mut committed, mut number) = (0, 0);
    let error = loop {
        store.begin().unwrap();
        let step = (0..10).try_for_each(|_| {
            store.savepoint()?;
            store.insert(PRODUCT, product(&format!("A{number}"), "1", number))?;
            number += 1;
            store.release()
        });
        match step.and_then(|()| store.commit()) {
            Ok(()) => committed = number,
            Err(error) => break error,
        }
    };
    assert_eq!(code(&error), "store::full");
    insta::assert_snapshot!(error.to_string().replace(&path.display().to_string(), "STORE"));
    assert!(committed > 0);
    // What the engine does then is harmless, and what was committed is there, no more and no less.
    store.rollback_savepoint().unwrap();
    store.rollback().unwrap();
    let count = |store: &mut SqliteStore| {
        (0..number).filter(|n| store.get(PRODUCT, &format!("A{n}").into()).unwrap().is_some()).count() as i64
    };
    assert_eq!(count(&mut store), committed);
    drop(store);
    let mut store = open(&path, &shop());
    assert_eq!(count(&mut store), committed);
    store.begin().unwrap();
    store.insert(PRODUCT, product("more", "1", 1)).unwrap();
    store.commit().unwrap();
}

#[test]
fn many_who_make_a_store_at_once_all_have_it() {
    for round in 0..100_u64 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let together = std::sync::Barrier::new(6);
        // One makes it, the others come a little later each.
        let opened = |late: u64| {
            together.wait();
            std::thread::sleep(Duration::from_micros(late * (100 + round * 10)));
            try_open(&path, &shop()).map(drop).map_err(|finding| said(&finding, &path))
        };
        let opened = &opened;
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..6).map(|late| scope.spawn(move || opened(late))).collect();
            threads.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), Ok(())));
        });
    }
}
