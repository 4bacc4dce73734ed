//! What becomes of a store when the script's entities change.

use super::fixture::*;
use crate::adapter::sqlite::{Access, Options, SqliteStore};
use crate::check::program::{RecordType, Type};
use crate::value::{Currency, RecordId, Value};
use crate::world::Store;
use std::path::Path;

const THING: RecordId = RecordId(0);

fn thing(fields: Vec<crate::check::program::Field>) -> Vec<RecordType> {
    let mut all = vec![field("id", Type::Text)];
    all.extend(fields);
    vec![entity("Thing", all)]
}

fn insert(store: &mut SqliteStore, values: &[Value]) {
    store.begin().unwrap();
    store.insert(THING, values.iter().cloned().map(Some).collect()).unwrap();
    store.commit().unwrap();
}

fn read(store: &mut SqliteStore, id: &str) -> Vec<Value> {
    store.get(THING, &id.into()).unwrap().unwrap().fields().unwrap().to_vec()
}

/// What is noted of the changes.
fn history(path: &Path) -> String {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare("SELECT change FROM rpa_schema ORDER BY number").unwrap();
    let changes: Vec<String> = statement.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    changes.join("\n")
}

#[test]
fn what_can_be_added_is_added() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    insert(&mut open(&path, &thing(vec![])), &["a".into()]);
    insert(&mut open(&path, &thing(vec![])), &["b".into()]);
    let wider = thing(vec![
        field("note", optional(Type::Text)).index(),
        field("price", Type::Money(None)).default(money("9.90", "EUR")),
        field("tier", Type::Enum(TIER)).default(Value::member(TIER, 2)),
        field("number", Type::Int).auto().unique(),
        field("parent", optional(Type::Reference(THING))),
        field("tags", list(Type::Text)).default(Value::list(vec![])),
    ]);
    let mut store = open(&path, &wider);
    let expected = |id: &str, number: i64| {
        vec![
            id.into(),
            Value::None,
            money("9.90", "EUR"),
            Value::member(TIER, 2),
            number.into(),
            Value::None,
            Value::list(vec![]),
        ]
    };
    assert_eq!(read(&mut store, "a"), expected("a", 1));
    assert_eq!(read(&mut store, "b"), expected("b", 2));
    store.begin().unwrap();
    let fields = vec![
        Some("c".into()),
        Some("x".into()),
        Some(money("1", "USD")),
        Some(Value::member(TIER, 0)),
        None,
        Some(Value::reference(THING, "a".into())),
        Some(Value::list(vec!["t".into()])),
    ];
    let made = store.insert(THING, fields).unwrap();
    assert_eq!(made.fields().unwrap()[4], Value::Int(3));
    assert!(store.delete(THING, &"a".into()).is_err(), "c refers to it");
    store.commit().unwrap();
    drop(store);
    let before = history(&path);
    drop(open(&path, &wider));
    assert_eq!(history(&path), before, "opening again changes nothing");
    insta::assert_snapshot!(before);
}

#[test]
fn what_a_script_no_longer_has_is_kept_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let full = thing(vec![field("code", Type::Text).unique(), field("stock", Type::Int).default(Value::Int(7))]);
    insert(&mut open(&path, &full), &["a".into(), "A".into(), Value::Int(1)]);
    // Two more entities, as of another script that shares the store.
    let mut store = open(&path, &thing(vec![]));
    insert(&mut store, &["b".into()]);
    assert_eq!(read(&mut store, "a"), ["a".into()]);
    drop(store);
    drop(open(&path, &[entity("Other", vec![field("id", Type::Int)])]));
    // The field that must have a value has none in `b`.
    let refused = try_open(&path, &full).unwrap_err();
    insta::assert_snapshot!(said(&refused, &path));
    let back =
        thing(vec![field("code", optional(Type::Text)).unique(), field("stock", Type::Int).default(Value::Int(7))]);
    let mut store = open(&path, &back);
    assert_eq!(read(&mut store, "a"), ["a".into(), "A".into(), Value::Int(1)]);
    assert_eq!(read(&mut store, "b"), ["b".into(), Value::None, Value::Int(7)]);
    drop(store);
    insta::assert_snapshot!(history(&path));
}

#[test]
fn what_would_lose_or_make_up_values_is_refused_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let first = thing(vec![
        field("stock", Type::Int),
        field("note", optional(Type::Text)),
        field("tier", Type::Enum(TIER)),
        field("price", Type::Money(None)),
        field("group", Type::Text),
        field("points", list(Type::Text)),
    ]);
    let mut store = open(&path, &first);
    for (id, currency) in [("a", "EUR"), ("b", "USD")] {
        let list = Value::list(vec!["x".into()]);
        let tier = Value::member(TIER, 2);
        insert(&mut store, &[id.into(), 1.into(), Value::None, tier, money("1", currency), "g".into(), list]);
    }
    drop(store);
    let before = history(&path);
    let second = thing(vec![
        field("stock", Type::Decimal),
        field("note", Type::Text),
        field("tier", Type::Enum(TIER)),
        field("price", Type::Money(Some(Currency::EUR))),
        field("group", Type::Text).unique(),
        field("points", list(Type::Int)),
        field("weight", Type::Decimal),
    ]);
    let refused = SqliteStore::open(&path, &second, &[tier(&["bronze", "silver"])], &options()).unwrap_err();
    insta::assert_snapshot!(said(&refused, &path));
    let other_key = vec![RecordType { key: Some(1), ..first[0].clone() }];
    insta::assert_snapshot!(said(&try_open(&path, &other_key).unwrap_err(), &path));
    assert_eq!(history(&path), before);
    assert_eq!(read(&mut open(&path, &first), "b")[1], Value::Int(1));
}

#[test]
fn a_type_may_change_while_nothing_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(open(&path, &thing(vec![field("stock", Type::Int)])));
    // No records at all: even the key may change.
    let by_number = vec![entity("Thing", vec![field("id", Type::Int), field("stock", optional(Type::Int))])];
    insert(&mut open(&path, &by_number), &[1.into(), Value::None]);
    // Records, but none with a value.
    let as_text = vec![entity("Thing", vec![field("id", Type::Int), field("stock", optional(Type::Text))])];
    let mut store = open(&path, &as_text);
    insert(&mut store, &[2.into(), "many".into()]);
    assert_eq!(store.get(THING, &1.into()).unwrap().unwrap().fields().unwrap()[1], Value::None);
    assert_eq!(store.get(THING, &2.into()).unwrap().unwrap().fields().unwrap()[1], "many".into());
    drop(store);
    insta::assert_snapshot!(history(&path));
}

#[test]
fn references_follow_a_key_that_changes_while_there_is_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let with_key = |ty: Type, name: &str| {
        vec![
            entity("Child", vec![field("id", Type::Int), field("parent", optional(Type::Reference(RecordId(1))))]),
            entity("Parent", vec![field(name, ty)]),
        ]
    };
    drop(open(&path, &with_key(Type::Text, "id")));
    let mut store = open(&path, &with_key(Type::Int, "number"));
    store.begin().unwrap();
    store.insert(RecordId(1), some([7.into()])).unwrap();
    store.insert(THING, some([2.into(), Value::reference(RecordId(1), 7.into())])).unwrap();
    assert!(store.insert(THING, some([3.into(), Value::reference(RecordId(1), 8.into())])).is_err());
    store.update(THING, &2.into(), &[(1, Value::None)]).unwrap();
    store.delete(RecordId(1), &7.into()).unwrap();
    store.commit().unwrap();
    drop(store);
    let refused = try_open(&path, &with_key(Type::Text, "number")).unwrap_err();
    insta::assert_snapshot!(said(&refused, &path));
}

#[test]
fn optional_and_required_change_places() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let required = thing(vec![field("note", Type::Text)]);
    let relaxed = thing(vec![field("note", optional(Type::Text))]);
    insert(&mut open(&path, &required), &["a".into(), "x".into()]);
    drop(open(&path, &relaxed));
    insert(&mut open(&path, &required), &["b".into(), "y".into()]);
    insert(&mut open(&path, &relaxed), &["c".into(), Value::None]);
    insta::assert_snapshot!(said(&try_open(&path, &required).unwrap_err(), &path));
}

#[test]
fn two_scripts_share_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let one = [entity("One", vec![field("id", Type::Text)])];
    let two = [entity("Two", vec![field("id", Type::Text)]), entity("One", vec![field("id", Type::Text)])];
    drop(open(&path, &one));
    drop(open(&path, &two));
    let before = history(&path);
    drop(open(&path, &one));
    drop(open(&path, &two));
    assert_eq!(history(&path), before);
}

#[test]
fn a_store_that_is_only_looked_at_is_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    insert(&mut open(&path, &thing(vec![])), &["a".into()]);
    let read_only = Options { access: Access::ReadOnly, ..options() };
    let mut store = SqliteStore::open(&path, &thing(vec![]), &[], &read_only).unwrap();
    assert!(store.get(THING, &"a".into()).unwrap().is_some());
    let refused = SqliteStore::open(&path, &thing(vec![field("n", optional(Type::Int))]), &[], &read_only).unwrap_err();
    assert_eq!(refused.code.id, "store::schema-change");
}
