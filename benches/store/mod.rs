//! What single operations of the store take, through its trait.

use super::processor;
use rpa::adapter::sqlite::{Options, SqliteStore};
use rpa::check::program::{Default, Effect, Expr, ExprKind, Field, RecordType, Type};
use rpa::compile::query::{Output, QueryId, QueryPlan, Scalar};
use rpa::syntax::tree::BinaryOperator;
use rpa::text::Span;
use rpa::value::{Currency, Decimal, Instant, Money, RecordId, Value};
use rpa::world::{Begin, Change, ChangeKind, Entry, EntryKind, Journal, RunId, RunRecord, RunState, Store, StoreError};
use std::path::Path;

const PRODUCT: RecordId = RecordId(0);
const LINE: RecordId = RecordId(1);

fn field(name: &str, ty: Type) -> Field {
    Field {
        name: name.into(),
        ty,
        label: None,
        unique: false,
        index: false,
        default: None,
        documentation: "".into(),
        span: Span::default(),
    }
}

fn entity(name: &str, fields: Vec<Field>) -> RecordType {
    RecordType { name: name.into(), fields, key: Some(0), documentation: "".into(), span: Span::default() }
}

fn entities() -> Vec<RecordType> {
    let constant = |value: Value, ty: Type| {
        Default::Value(Box::new(Expr { kind: ExprKind::Value(value), ty, effect: Effect::Pure, span: Span::default() }))
    };
    vec![
        entity(
            "Product",
            vec![
                field("sku", Type::Text),
                field("name", Type::Text),
                field("price", Type::Money(None)),
                Field { default: Some(constant(Value::Int(0), Type::Int)), ..field("stock", Type::Int) },
                field("since", Type::Date),
                field("active", Type::Bool),
            ],
        ),
        entity(
            "Line",
            vec![
                Field { default: Some(Default::Auto), ..field("id", Type::Int) },
                Field { index: true, ..field("product", Type::Reference(PRODUCT)) },
                field("quantity", Type::Int),
                field("unit_price", Type::Money(None)),
                field("discount", Type::Percent),
            ],
        ),
    ]
}

/// Measures and prints.
pub fn run(folder: &Path) -> Result<(), StoreError> {
    const COUNT: i64 = 100_000;
    let path = folder.join("operations.db");
    let opened = processor::now();
    let store = SqliteStore::open(&path, &entities(), &[], &Options::default());
    let mut store = match store {
        Ok(store) => store,
        Err(finding) => panic!("{finding:?}"),
    };
    println!("store: made with {:.2} ms of the processor", processor::since(opened).processor.as_secs_f64() * 1e3);
    println!("store: {:<30} {:>8} {:>12}", "microseconds", "clock", "processor");
    let key = |number: i64| Value::from(format!("SKU-{:06}", (number * 7919) % COUNT));
    let money = Value::Money(Money::new(Decimal::new(1999, 2), Currency::EUR));
    let day = Value::Date(rpa::value::temporal::date(2026, 11, 22).expect("a day"));

    let measure =
        |name: &str, store: &mut SqliteStore, work: &mut dyn FnMut(&mut SqliteStore, i64) -> Result<(), StoreError>| {
            let start = processor::now();
            for group in 0..COUNT / 1000 {
                store.begin()?;
                for number in group * 1000..(group + 1) * 1000 {
                    store.savepoint()?;
                    work(store, number)?;
                    store.release()?;
                }
                store.commit()?;
            }
            let passed = processor::since(start);
            let each = |time: std::time::Duration| time.as_secs_f64() * 1e6 / COUNT as f64;
            println!("store: {name:<30} {:>8.2} {:>12.2}", each(passed.clock), each(passed.processor));
            Ok::<(), StoreError>(())
        };
    measure("a step without writes", &mut store, &mut |_, _| Ok(()))?;
    measure("insert, text key", &mut store, &mut |store, number| {
        let fields = [key(number), "Red lamp, large".into(), money.clone(), 5.into(), day.clone(), true.into()];
        store.insert(PRODUCT, fields.into_iter().map(Some).collect()).map(|_| ())
    })?;
    measure("get", &mut store, &mut |store, number| store.get(PRODUCT, &key(number)).map(|_| ()))?;
    measure("update of one field", &mut store, &mut |store, number| {
        store.update(PRODUCT, &key(number), &[(3, Value::Int(number))]).map(|_| ())
    })?;
    measure("insert, counted, reference", &mut store, &mut |store, number| {
        let rate = Value::Percent(Decimal::new(15, 2));
        let fields =
            [None, Some(Value::reference(PRODUCT, key(number))), Some(2.into()), Some(money.clone()), Some(rate)];
        store.insert(LINE, fields.into()).map(|_| ())
    })?;
    let plan = QueryPlan {
        entity: LINE,
        joins: Vec::new(),
        filter: Some(Scalar::Compare(
            BinaryOperator::Equal,
            Box::new(Scalar::Column { table: 0, field: 1 }),
            Box::new(Scalar::Parameter(0)),
        )),
        order: Vec::new(),
        limit: None,
        offset: None,
        output: Output::Records,
        parameters: 1,
    };
    measure("query by an index, one found", &mut store, &mut |store, number| {
        store.query(QueryId(0), &plan, &[Value::reference(PRODUCT, key(number))]).map(|_| ())
    })?;
    measure("sequence", &mut store, &mut |store, _| store.next_in_sequence("INV-2026", 1).map(|_| ()))?;
    let record = |number: i64| RunRecord {
        id: RunId(0),
        parent: Some(RunId(1)),
        starter: "".into(),
        flow: "process_order".into(),
        key: Some(format!("O-{number:07}").into()),
        version: "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9".into(),
        arguments: vec![0; 120],
        fingerprint: [7; 16],
        state: RunState::Running,
        outcome: Vec::new(),
        started: Instant::EPOCH,
        ended: None,
    };
    measure("begin a run", &mut store, &mut |store, number| match store.begin_run(&record(number))? {
        Begin::New(_) => Ok(()),
        Begin::Known(known) => panic!("{known:?}"),
    })?;
    measure("append an entry", &mut store, &mut |store, number| {
        store.append(
            RunId(number / 5 + 1),
            &Entry {
                position: (number % 5) as u32,
                kind: EntryKind::StepDone,
                step: 1,
                path: Vec::new(),
                payload: vec![0; 60],
                changes: vec![Change { kind: ChangeKind::Created, what: "Order".into(), which: "O-0000001".into() }],
                at: Instant::EPOCH,
                took: 100,
            },
        )
    })?;
    measure("end a run", &mut store, &mut |store, number| {
        store.end_run(RunId(number + 1), RunState::Done, &[0; 120], Instant::EPOCH)
    })?;
    drop(store);
    let opened = processor::now();
    let store = SqliteStore::open(&path, &entities(), &[], &Options::default());
    println!(
        "store: opened again with {:.2} ms of the processor",
        processor::since(opened).processor.as_secs_f64() * 1e3
    );
    drop(store);
    Ok(())
}
