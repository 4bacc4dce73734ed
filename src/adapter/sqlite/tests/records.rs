//! Records, transactions, savepoints, sequences.

use super::fixture::*;
use crate::adapter::sqlite::SqliteStore;
use crate::value::{Duration, Value, literal, temporal};
use crate::world::{Store, StoreError};

fn memory() -> SqliteStore {
    let mut store = SqliteStore::in_memory(&shop(), &tiers()).unwrap();
    store.begin().unwrap();
    store
}

fn everything() -> Vec<Option<Value>> {
    let point =
        |x: &str, next| Value::record(POINT, vec![decimal(x), instant("2026-11-22T06:00:00.123Z"), Value::list(next)]);
    vec![
        Some(Value::Int(i64::MIN)),
        Some("'; DROP TABLE Customer; --\0\u{1F600}".into()),
        Some(Value::Bool(true)),
        Some(decimal("-79228162514264337593543950335")),
        Some(Value::Percent("0.1500".parse().unwrap())),
        Some(money("1234567890.10", "JPY")),
        Some("not a currency".into()),
        Some(date("0001-01-01")),
        Some(Value::Time(temporal::time_from_milliseconds(86_399_999).unwrap())),
        Some(instant("1969-12-31T23:59:59.999Z")),
        Some(Value::Duration(Duration::from_milliseconds(i64::MIN))),
        Some(Value::member(TIER, 2)),
        Some(Value::list(vec![point("1.50", vec![point("2", vec![])]), point("-0.001", vec![])])),
        Some(Value::map([(Value::Int(2), "two".into()), (Value::Int(1), Value::None)])),
        Some(Value::map([("z".into(), money("0.10", "EUR")), ("a".into(), money("7", "USD"))])),
        Some(point("0", vec![])),
        Some(Value::list(vec![Value::reference(CUSTOMER, "c1".into())])),
    ]
}

#[test]
fn every_type_comes_back_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a store 'with' signs?.db");
    let mut store = open(&path, &shop());
    store.begin().unwrap();
    let made = store.insert(EVERYTHING, everything()).unwrap();
    store.commit().unwrap();
    drop(store);
    let mut store = open(&path, &shop());
    let read = store.get(EVERYTHING, &Value::Int(i64::MIN)).unwrap().unwrap();
    assert_eq!(read, made);
    // Digits too, which equality does not look at, and the order of maps.
    assert_eq!(format!("{read:?}"), format!("{made:?}"));
}

#[test]
fn people_can_read_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut store = open(&path, &shop());
    store.begin().unwrap();
    store.insert(CUSTOMER, customer("c1")).unwrap();
    store.insert(PRODUCT, product("A1", "99.90", 5)).unwrap();
    let line = [None, Some(Value::reference(CUSTOMER, "c1".into())), Some(Value::None), Some(Value::Int(2))];
    store.insert(LINE, line.to_vec()).unwrap();
    store.insert(EVERYTHING, everything()).unwrap();
    store.commit().unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.create_collation("decimal", |a: &str, b: &str| a.cmp(b)).unwrap();
    let mut out = String::new();
    for table in ["Customer", "Product", "Line", "选择"] {
        let sql: String =
            connection.query_row("SELECT sql FROM sqlite_schema WHERE name = ?1", [table], |row| row.get(0)).unwrap();
        out.push_str(&format!("{sql};\n"));
        let mut statement = connection.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
        let count = statement.column_count();
        let mut rows = statement.query(()).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..count {
                let value: rusqlite::types::Value = row.get(column).unwrap();
                out.push_str(&format!("{value:?} "));
            }
            out.push('\n');
        }
    }
    let mut statement =
        connection.prepare("SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql NOT LIKE '%rpa_%'").unwrap();
    for sql in statement.query_map((), |row| row.get::<_, String>(0)).unwrap() {
        out.push_str(&format!("{}\n", sql.unwrap()));
    }
    insta::assert_snapshot!(out);
}

#[test]
fn failures_say_what_they_met() {
    let mut store = memory();
    store.insert(CUSTOMER, customer("c1")).unwrap();
    store.insert(CUSTOMER, customer("c2")).unwrap();
    let line = |customer: &str| {
        vec![None, Some(Value::reference(CUSTOMER, customer.into())), Some(Value::None), Some(Value::Int(2))]
    };
    store.insert(LINE, line("c1")).unwrap();
    let mut said = Vec::new();
    said.push(store.insert(CUSTOMER, customer("c1")).unwrap_err());
    let mut same_mail = customer("c3");
    same_mail[2] = Some("c2@example.com".into());
    said.push(store.insert(CUSTOMER, same_mail).unwrap_err());
    said.push(store.update(CUSTOMER, &"c1".into(), &[(2, "c2@example.com".into())]).unwrap_err());
    said.push(store.update(CUSTOMER, &"c1".into(), &[(0, "c2".into())]).unwrap_err());
    said.push(store.update(CUSTOMER, &"c1".into(), &[(0, "c9".into())]).unwrap_err());
    said.push(store.update(CUSTOMER, &"c8".into(), &[(1, "x".into())]).unwrap_err());
    said.push(store.insert(LINE, line("c7")).unwrap_err());
    said.push(store.update(LINE, &Value::Int(1), &[(2, Value::reference(PRODUCT, "p".into()))]).unwrap_err());
    said.push(store.delete(CUSTOMER, &"c1".into()).unwrap_err());
    // None of it has left a trace, and the transaction goes on.
    assert!(store.delete(CUSTOMER, &"c2".into()).unwrap());
    assert!(!store.delete(CUSTOMER, &"c2".into()).unwrap());
    store.commit().unwrap();
    assert_eq!(store.get(CUSTOMER, &"c2".into()).unwrap(), None);
    let said: Vec<String> = said.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn an_update_gives_the_record_as_it_is() {
    let mut store = memory();
    store.insert(PRODUCT, product("A1", "20", 5)).unwrap();
    let changed = store.update(PRODUCT, &"A1".into(), &[(2, Value::Int(3))]).unwrap();
    assert_eq!(changed.fields().unwrap()[2], Value::Int(3));
    assert_eq!(store.get(PRODUCT, &"A1".into()).unwrap(), Some(changed.clone()));
    let changed = store.update(PRODUCT, &changed, &[(1, money("21.50", "USD")), (2, Value::Int(4))]).unwrap();
    assert_eq!(store.get(PRODUCT, &"A1".into()).unwrap(), Some(changed.clone()));
    assert_eq!(store.update(PRODUCT, &"A1".into(), &[]).unwrap(), changed);
    let renamed = store.update(PRODUCT, &"A1".into(), &[(0, "A2".into())]).unwrap();
    assert_eq!(
        store.get_all(PRODUCT, &["A2".into(), "A1".into(), "A2".into()]).unwrap(),
        [Some(renamed.clone()), None, Some(renamed)]
    );
}

#[test]
fn counted_keys_go_on_and_are_not_given_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut store = open(&path, &shop());
    let add = |store: &mut SqliteStore, id: Option<i64>| {
        let line =
            [id.map(Value::Int), Some(Value::reference(CUSTOMER, "c1".into())), Some(Value::None), Some(Value::Int(1))];
        store.insert(LINE, line.to_vec()).unwrap().fields().unwrap()[0].as_int().unwrap()
    };
    store.begin().unwrap();
    store.insert(CUSTOMER, customer("c1")).unwrap();
    assert_eq!([add(&mut store, None), add(&mut store, None)], [1, 2]);
    store.savepoint().unwrap();
    assert_eq!(add(&mut store, None), 3);
    store.rollback_savepoint().unwrap();
    assert_eq!(add(&mut store, None), 3);
    assert_eq!(add(&mut store, Some(10)), 10);
    assert_eq!(add(&mut store, None), 11);
    store.delete(LINE, &Value::Int(11)).unwrap();
    store.commit().unwrap();
    store.begin().unwrap();
    assert_eq!(add(&mut store, None), 12);
    store.rollback().unwrap();
    drop(store);
    let mut store = open(&path, &shop());
    store.begin().unwrap();
    assert_eq!(add(&mut store, None), 12);
}

#[test]
fn sequences_have_no_gaps() {
    let mut store = memory();
    let next = |store: &mut SqliteStore| store.next_in_sequence("invoice 2026", 100).unwrap();
    assert_eq!(next(&mut store), 100);
    store.savepoint().unwrap();
    assert_eq!(next(&mut store), 101);
    store.savepoint().unwrap();
    assert_eq!(next(&mut store), 102);
    store.rollback_savepoint().unwrap();
    assert_eq!(next(&mut store), 102);
    store.savepoint().unwrap();
    assert_eq!(next(&mut store), 103);
    store.release().unwrap();
    store.rollback_savepoint().unwrap();
    assert_eq!(next(&mut store), 101);
    store.commit().unwrap();
    store.begin().unwrap();
    assert_eq!(next(&mut store), 102);
    store.rollback().unwrap();
    store.begin().unwrap();
    assert_eq!(next(&mut store), 102);
    assert_eq!(store.next_in_sequence("last", i64::MAX).unwrap(), i64::MAX);
    assert_eq!(store.next_in_sequence("last", 1), Err(StoreError::Overflow("sequence.next".into())));
}

#[test]
fn savepoints_take_back_their_own_writes_alone() {
    let mut store = memory();
    store.insert(PRODUCT, product("A", "1", 1)).unwrap();
    store.savepoint().unwrap();
    store.savepoint().unwrap();
    store.insert(PRODUCT, product("B", "1", 1)).unwrap();
    store.release().unwrap();
    store.savepoint().unwrap();
    store.insert(PRODUCT, product("C", "1", 1)).unwrap();
    store.rollback_savepoint().unwrap();
    store.savepoint().unwrap();
    // Nothing is written in this one.
    store.rollback_savepoint().unwrap();
    store.release().unwrap();
    store.commit().unwrap();
    let there: Vec<bool> =
        store.get_all(PRODUCT, &["A".into(), "B".into(), "C".into()]).unwrap().iter().map(Option::is_some).collect();
    assert_eq!(there, [true, true, false]);
}

#[test]
fn nothing_is_written_outside_of_a_transaction() {
    let mut store = memory();
    store.commit().unwrap();
    assert!(
        matches!(store.insert(PRODUCT, product("A", "1", 1)), Err(StoreError::Failed { code, .. }) if code == "store::internal")
    );
    store.begin().unwrap();
    assert_eq!(store.get(PRODUCT, &"A".into()).unwrap(), None);
    assert!(store.begin().is_err());
    store.rollback().unwrap();
    store.rollback().unwrap();
}

#[test]
fn a_value_that_someone_broke_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut store = open(&path, &shop());
    store.begin().unwrap();
    store.insert(PRODUCT, product("A1", "20", 5)).unwrap();
    store.insert(EVERYTHING, everything()).unwrap();
    store.commit().unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.create_collation("decimal", |a: &str, b: &str| a.cmp(b)).unwrap();
    let mut said = String::new();
    for (statement, entity, key) in [
        ("UPDATE Product SET price = 'cheap'", PRODUCT, Value::from("A1")),
        ("UPDATE Product SET price = '1', price_currency = 'Euro'", PRODUCT, "A1".into()),
        ("UPDATE 选择 SET date = '2026-02-30'", EVERYTHING, Value::Int(i64::MIN)),
        ("UPDATE 选择 SET date = '2026-02-28', tier = 'golden'", EVERYTHING, Value::Int(i64::MIN)),
        ("UPDATE 选择 SET tier = NULL, points = '[1'", EVERYTHING, Value::Int(i64::MIN)),
        ("UPDATE 选择 SET points = '[{\"x\": 1}]'", EVERYTHING, Value::Int(i64::MIN)),
    ] {
        other.execute(statement, ()).unwrap();
        said.push_str(&format!("{}\n", store.get(entity, &key).unwrap_err()));
    }
    insta::assert_snapshot!(said);
}

#[test]
fn a_time_keeps_what_is_finer_than_milliseconds() {
    let records = [entity("T", vec![field("id", crate::check::program::Type::Time)])];
    let mut store = SqliteStore::in_memory(&records, &[]).unwrap();
    let time = Value::Time(literal::time("06:00").unwrap().checked_add(jiff::SignedDuration::from_nanos(5)).unwrap());
    store.begin().unwrap();
    store.insert(CUSTOMER, vec![Some(time.clone())]).unwrap();
    assert_eq!(store.get(CUSTOMER, &time).unwrap(), Some(Value::record(CUSTOMER, vec![time])));
}
