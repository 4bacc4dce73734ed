//! Taking back parts of a transaction, whatever was written in them, and what the store knows of records by heart.

use super::fixture::*;
use crate::adapter::sqlite::{SqliteStore, record};
use crate::check::program::Type;
use crate::compile::query::{Output, QueryId, QueryPlan, Scalar};
use crate::syntax::tree::BinaryOperator;
use crate::value::{Instant, RecordId, Value};
use crate::world::{Begin, Journal, Message, RunFilter, RunId, RunRecord, RunState, Store, StoreError};
use proptest::prelude::*;

/// Something that a step may do; the number chooses among few records.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Insert(u8),
    Update(u8, i64),
    Rename(u8, u8),
    Delete(u8),
    Line(u8),
    DeleteLine(u8),
    LinesOf(u8),
    Mail,
    Count,
    BeginRun,
    ListRuns,
    Look,
    Savepoint,
    Release,
    TakeBack,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => (0_u8..5).prop_map(Deed::Insert),
        3 => (0_u8..5, 0_i64..100).prop_map(|(which, stock)| Deed::Update(which, stock)),
        1 => (0_u8..5, 0_u8..5).prop_map(|(which, to)| Deed::Rename(which, to)),
        2 => (0_u8..5).prop_map(Deed::Delete),
        2 => (0_u8..5).prop_map(Deed::Line),
        1 => (1_u8..5).prop_map(Deed::DeleteLine),
        3 => (0_u8..5).prop_map(Deed::LinesOf),
        1 => Just(Deed::Mail),
        1 => Just(Deed::Count),
        1 => Just(Deed::BeginRun),
        1 => Just(Deed::ListRuns),
        2 => Just(Deed::Look),
        3 => Just(Deed::Savepoint),
        2 => Just(Deed::Release),
        3 => Just(Deed::TakeBack),
    ]
}

fn sku(which: u8) -> Value {
    Value::from(format!("A{which}"))
}

/// All that steps have written, as text: products and lines as the store knows them, for their tables may not know them
/// yet.
fn shown(store: &mut SqliteStore) -> String {
    let mut out = String::new();
    for which in 0..5 {
        out.push_str(&format!("{:?}\n", store.get(PRODUCT, &sku(which)).unwrap()));
    }
    let mut mails = numbers(store, "SELECT number FROM rpa_outbox");
    mails.extend(store.behind.new_mails());
    out.push_str(&format!("{:?} mails {mails:?}\n", lines(store)));
    out
}

fn numbers(store: &SqliteStore, text: &str) -> Vec<i64> {
    let mut statement = store.connection.prepare(text).unwrap();
    statement.query_map((), |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// All lines, those of the table and those that it does not know yet.
fn lines(store: &SqliteStore) -> Vec<Value> {
    let mut lines: Vec<Value> = numbers(store, "SELECT id FROM Line")
        .into_iter()
        .map(|id| record::get(&store.connection, &store.schema, LINE, &Value::Int(id)).unwrap().unwrap())
        .collect();
    lines.extend(store.behind.new_of(LINE));
    lines.sort();
    lines
}

/// What the store says of each product is what lies in its table.
fn agrees(store: &mut SqliteStore) {
    let known: Vec<_> = (0..5).map(|which| store.get(PRODUCT, &sku(which)).unwrap()).collect();
    store.write_behind().unwrap();
    for which in 0..5 {
        assert_eq!(store.get(PRODUCT, &sku(which)).unwrap(), known[usize::from(which)]);
        let fresh = record::get(&store.connection, &store.schema, PRODUCT, &sku(which)).unwrap();
        assert_eq!(store.get(PRODUCT, &sku(which)).unwrap(), fresh);
    }
}

fn message() -> Message {
    Message {
        id: "1.2@example.com".into(),
        from: "shop@example.com".into(),
        to: "ada@example.com".into(),
        cc: Vec::new(),
        reply_to: None,
        subject: "s".into(),
        body: "b".into(),
        attachments: Vec::new(),
        written: 0,
    }
}

fn run() -> RunRecord {
    RunRecord {
        id: RunId(0),
        parent: None,
        flow: "flow".into(),
        key: None,
        version: "v".into(),
        arguments: Vec::new(),
        fingerprint: [0; 16],
        state: RunState::Running,
        outcome: Vec::new(),
        started: Instant::EPOCH,
        ended: None,
        starter: "".into(),
    }
}

#[test]
fn a_name_that_was_taken_back_gets_a_new_number() {
    let mut store = SqliteStore::in_memory(&shop(), &tiers()).unwrap();
    let filter = RunFilter { limit: 99, ..RunFilter::default() };
    store.begin().unwrap();
    store.savepoint().unwrap();
    store.begin_run(&run()).unwrap();
    store.savepoint().unwrap();
    assert_eq!(store.runs(&filter).unwrap().len(), 1);
    store.rollback_savepoint().unwrap();
    // Looked up again in the part that is taken back next.
    store.begin_run(&run()).unwrap();
    store.rollback_savepoint().unwrap();
    store.begin_run(&run()).unwrap();
    assert_eq!(store.runs(&filter).unwrap().len(), 1);
}

/// A question for all records of an entity.
fn all(entity: RecordId) -> QueryPlan {
    QueryPlan {
        entity,
        joins: Vec::new(),
        filter: None,
        order: Vec::new(),
        limit: None,
        offset: None,
        output: Output::Records,
        parameters: 0,
    }
}

/// A question for the lines of a product.
fn lines_of() -> QueryPlan {
    let product = Box::new(Scalar::Column { table: 0, field: 2 });
    let filter = Scalar::Compare(BinaryOperator::Equal, product, Box::new(Scalar::Parameter(0)));
    QueryPlan { filter: Some(filter), parameters: 1, ..all(LINE) }
}

fn a_line(of: &str) -> Vec<Option<Value>> {
    let (customer, product) = (Value::reference(CUSTOMER, "c".into()), Value::reference(PRODUCT, of.into()));
    vec![None, Some(customer), Some(product), Some(Value::Int(1))]
}

#[test]
fn what_refers_to_a_new_record_is_known_without_its_table() {
    let mut store = SqliteStore::in_memory(&shop(), &tiers()).unwrap();
    store.begin().unwrap();
    store.insert(CUSTOMER, customer("c")).unwrap();
    store.insert(PRODUCT, product("A1", "1.50", 0)).unwrap();
    store.insert(LINE, a_line("A1")).unwrap();
    store.commit().unwrap();
    store.begin().unwrap();
    let before = store.connection.total_changes();
    store.insert(PRODUCT, product("A2", "1.50", 0)).unwrap();
    assert!(store.get(PRODUCT, &sku(1)).unwrap().is_some() && store.get(CUSTOMER, &"c".into()).unwrap().is_some());
    let count = |store: &mut SqliteStore, which| {
        store.query(QueryId(0), &lines_of(), &[sku(which)]).unwrap().as_list().unwrap().len()
    };
    assert_eq!(count(&mut store, 2), 0);
    for of in ["A2", "A1", "A2"] {
        store.insert(LINE, a_line(of)).unwrap();
    }
    assert_eq!(count(&mut store, 2), 2);
    assert_eq!(store.connection.total_changes(), before);
    // One that was there before may have others in the table.
    assert_eq!(count(&mut store, 1), 2);
    assert_eq!(store.connection.total_changes(), before + 4);
    store.insert(LINE, a_line("A2")).unwrap();
    assert_eq!(count(&mut store, 2), 3);
}

#[test]
fn new_records_are_found_by_rising_keys_and_not_in_the_order_of_their_making() {
    let (parent, child) = (RecordId(0), RecordId(1));
    let entities = [
        entity("Parent", vec![field("name", Type::Text)]),
        entity("Child", vec![field("name", Type::Text), field("parent", Type::Reference(parent)).index()]),
    ];
    let mut store = SqliteStore::in_memory(&entities, &[]).unwrap();
    store.begin().unwrap();
    store.insert(parent, some(["p".into()])).unwrap();
    for name in ["b", "c", "a"] {
        store.insert(child, some([name.into(), Value::reference(parent, "p".into())])).unwrap();
    }
    let column = Box::new(Scalar::Column { table: 0, field: 1 });
    let filter = Scalar::Compare(BinaryOperator::Equal, column, Box::new(Scalar::Parameter(0)));
    let plan = QueryPlan { filter: Some(filter), parameters: 1, ..all(child) };
    let names = |store: &mut SqliteStore| {
        let found = store.query(QueryId(0), &plan, &["p".into()]).unwrap();
        found.as_list().unwrap().iter().map(|record| record.fields().unwrap()[0].clone()).collect::<Vec<_>>()
    };
    let before = store.connection.total_changes();
    assert_eq!(names(&mut store), ["a".into(), "b".into(), "c".into()]);
    assert_eq!(store.connection.total_changes(), before, "the tables were not needed");
    store.write_behind().unwrap();
    assert_eq!(names(&mut store), ["a".into(), "b".into(), "c".into()]);
}

#[test]
fn many_new_records_leave_nothing_without_what_it_refers_to() {
    let mut store = SqliteStore::in_memory(&shop(), &tiers()).unwrap();
    store.begin().unwrap();
    store.insert(CUSTOMER, customer("c")).unwrap();
    store.insert(PRODUCT, product("A1", "1.50", 0)).unwrap();
    for _ in 0..2_000 {
        store.insert(LINE, a_line("A1")).unwrap();
    }
    let before = store.connection.total_changes();
    store.commit().unwrap();
    assert!(store.connection.total_changes() >= before + 2_000, "they were written at once");
    // SQLite looks again, at once and at what was written meanwhile.
    store.begin().unwrap();
    assert!(matches!(store.insert(LINE, a_line("B9")), Err(StoreError::NotFound { .. })));
    assert!(matches!(store.delete(PRODUCT, &sku(1)), Err(StoreError::StillReferred { .. })));
    assert_eq!(numbers(&store, "SELECT count(*) FROM pragma_foreign_key_check"), [0]);
}

#[test]
fn what_waits_is_written_once_and_before_anybody_asks() {
    let mut store = SqliteStore::in_memory(&shop(), &tiers()).unwrap();
    store.begin().unwrap();
    store.insert(CUSTOMER, customer("c")).unwrap();
    store.insert(PRODUCT, product("A1", "1.50", 0)).unwrap();
    store.commit().unwrap();
    store.begin().unwrap();
    assert!(store.get(PRODUCT, &sku(1)).unwrap().is_some() && store.get(CUSTOMER, &"c".into()).unwrap().is_some());
    let line = |store: &mut SqliteStore, of: &str| store.insert(LINE, a_line(of));
    let before = store.connection.total_changes();
    for stock in 1..=9 {
        store.update(PRODUCT, &sku(1), &[(2, Value::Int(stock))]).unwrap();
        line(&mut store, "A1").unwrap();
    }
    assert_eq!(store.connection.total_changes(), before);
    assert_eq!(store.get(PRODUCT, &sku(1)).unwrap().unwrap().fields().unwrap()[2], Value::Int(9));
    assert_eq!(store.connection.total_changes(), before, "one that is asked for by its key is known");
    // A question for one table leaves the other waiting.
    let found = |store: &mut SqliteStore, number, entity| {
        store.query(QueryId(number), &all(entity), &[]).unwrap().as_list().unwrap().to_vec()
    };
    assert_eq!(found(&mut store, 0, PRODUCT)[0].fields().unwrap()[2], Value::Int(9));
    assert_eq!(store.connection.total_changes(), before + 1);
    assert_eq!(found(&mut store, 1, LINE).len(), 9);
    assert_eq!(store.connection.total_changes(), before + 10);
    // What can be refused is refused at once, and what waits counts for it.
    assert!(matches!(line(&mut store, "B9"), Err(StoreError::NotFound { .. })));
    line(&mut store, "A1").unwrap();
    assert!(matches!(store.delete(PRODUCT, &sku(1)), Err(StoreError::StillReferred { .. })));
    line(&mut store, "A1").unwrap();
    let given = some([Value::Int(12), Value::reference(CUSTOMER, "c".into()), Value::None, Value::Int(1)]);
    assert!(matches!(store.insert(LINE, given), Err(StoreError::AlreadyExists { .. })));
    line(&mut store, "A1").unwrap();
    store.commit().unwrap();
    assert_eq!(found(&mut store, 1, LINE).len(), 12);
}

#[test]
fn what_another_process_has_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let (mut here, mut there) = (open(&path, &shop()), open(&path, &shop()));
    let stock = |store: &mut SqliteStore| {
        store.begin().unwrap();
        let record = store.get(PRODUCT, &sku(1)).unwrap();
        store.commit().unwrap();
        record.map(|record| record.fields().unwrap()[2].clone())
    };
    assert_eq!(stock(&mut here), None);
    assert_eq!(stock(&mut there), None);
    there.begin().unwrap();
    there.insert(PRODUCT, product("A1", "1.50", 7)).unwrap();
    there.commit().unwrap();
    assert_eq!(stock(&mut here), Some(Value::Int(7)));
    here.begin().unwrap();
    here.update(PRODUCT, &sku(1), &[(2, Value::Int(8))]).unwrap();
    here.commit().unwrap();
    assert_eq!([stock(&mut here), stock(&mut there)], [Some(Value::Int(8)), Some(Value::Int(8))]);
    here.begin().unwrap();
    here.update(PRODUCT, &sku(1), &[(2, Value::Int(9))]).unwrap();
    here.rollback().unwrap();
    assert_eq!(stock(&mut here), Some(Value::Int(8)));
}

/// Lets a store do deeds, and looks whether it always takes back what it should, and knows what it has written.
fn takes_back(mut store: SqliteStore, deeds: Vec<Deed>) -> Result<(), TestCaseError> {
    store.begin().unwrap();
    store.insert(CUSTOMER, customer("c")).unwrap();
    let mut before = Vec::new();
    let (mut runs, mut runs_before) = (0, Vec::new());
    let mut counted = 0;
    let mut counted_before = Vec::new();
    for deed in deeds {
        // What the entities don't allow is refused, and leaves everything as it was.
        match deed {
            Deed::Insert(which) => drop(store.insert(PRODUCT, product(&format!("A{which}"), "1.50", 0))),
            Deed::Update(which, stock) => {
                drop(store.update(PRODUCT, &sku(which), &[(2, Value::Int(stock)), (1, money("2", "USD"))]));
            }
            Deed::Rename(which, to) => drop(store.update(PRODUCT, &sku(which), &[(0, sku(to))])),
            Deed::Delete(which) => drop(store.delete(PRODUCT, &sku(which))),
            Deed::Line(which) => {
                drop(store.insert(LINE, a_line(&format!("A{which}"))));
            }
            Deed::LinesOf(which) => {
                let known = lines(&store);
                let of = known.iter().filter(|line| line.fields().unwrap()[2] == Value::reference(PRODUCT, sku(which)));
                let expected = Value::list(of.cloned().collect());
                prop_assert_eq!(store.query(QueryId(0), &lines_of(), &[sku(which)]).unwrap(), expected);
            }
            Deed::DeleteLine(which) => drop(store.delete(LINE, &Value::Int(which.into()))),
            Deed::Mail => drop(store.add_to_outbox(1, &message()).unwrap()),
            Deed::Count => {
                counted += 1;
                prop_assert_eq!(store.next_in_sequence("numbers", 1).unwrap(), counted);
            }
            Deed::BeginRun => {
                prop_assert!(matches!(store.begin_run(&run()).unwrap(), Begin::New(_)));
                runs += 1;
            }
            Deed::ListRuns => {
                let filter = RunFilter { limit: 99, ..RunFilter::default() };
                prop_assert_eq!(store.runs(&filter).unwrap().len(), runs);
            }
            Deed::Savepoint => {
                store.savepoint().unwrap();
                before.push(shown(&mut store));
                runs_before.push(runs);
                counted_before.push(counted);
            }
            Deed::Release if !before.is_empty() => {
                store.release().unwrap();
                before.pop();
                runs_before.pop();
                counted_before.pop();
            }
            Deed::TakeBack if !before.is_empty() => {
                store.rollback_savepoint().unwrap();
                prop_assert_eq!(Some(shown(&mut store)), before.pop());
                runs = runs_before.pop().unwrap();
                counted = counted_before.pop().unwrap();
            }
            Deed::Look | Deed::Release | Deed::TakeBack => {}
        }
        if let Deed::Look = deed {
            agrees(&mut store);
        }
    }
    while let Some(before) = before.pop() {
        store.rollback_savepoint().unwrap();
        prop_assert_eq!(shown(&mut store), before);
        runs = runs_before.pop().unwrap();
    }
    let known = shown(&mut store);
    store.commit().unwrap();
    let filter = RunFilter { limit: 99, ..RunFilter::default() };
    prop_assert_eq!(store.runs(&filter).unwrap().len(), runs);
    store.begin().unwrap();
    prop_assert_eq!(shown(&mut store), known);
    agrees(&mut store);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn what_a_part_has_written_is_taken_back(deeds in proptest::collection::vec(deed(), 1..60)) {
        takes_back(SqliteStore::in_memory(&shop(), &tiers()).unwrap(), deeds)?;
    }

    /// In a file the scribe writes what waits whenever no part is open.
    #[test]
    fn what_the_scribe_has_written_is_known(deeds in proptest::collection::vec(deed(), 1..60)) {
        let folder = tempfile::tempdir().unwrap();
        takes_back(open(&folder.path().join("store.db"), &shop()), deeds)?;
    }
}
