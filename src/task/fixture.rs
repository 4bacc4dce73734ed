//! A small world for the tests of primitives.

use super::executor::Executor;
use super::names::Names;
use crate::check::program::{EnumType, ErrorType, Field, RecordType, Type};
use crate::compile::code::Code;
use crate::compile::query::{QueryId, QueryPlan};
use crate::library::Operation;
use crate::text::Span;
use crate::value::{EnumId, Instant, RecordId, Value, display};
use crate::vm::{Failure, Host};
use crate::world::*;
use ecow::EcoString;
use std::sync::{Arc, Mutex};

/// A store that keeps records in a list, and the outbox where tests can see it.
#[derive(Default)]
pub(super) struct FakeStore {
    records: Vec<(RecordId, Value)>,
    outbox: Arc<Mutex<Vec<OutboxEntry>>>,
    sequence: i64,
    /// What every call fails with.
    broken: Option<StoreError>,
}

type Stored<T> = Result<T, StoreError>;

impl FakeStore {
    /// A store that can't be read.
    pub fn broken(error: StoreError) -> Self {
        FakeStore { broken: Some(error), ..FakeStore::default() }
    }

    fn position(&self, entity: RecordId, key: &Value) -> Option<usize> {
        self.records
            .iter()
            .position(|(id, record)| *id == entity && record.fields().is_some_and(|fields| fields.first() == Some(key)))
    }
}

impl Store for FakeStore {
    fn begin(&mut self) -> Stored<()> {
        Ok(())
    }
    fn commit(&mut self) -> Stored<()> {
        Ok(())
    }
    fn rollback(&mut self) -> Stored<()> {
        Ok(())
    }
    fn savepoint(&mut self) -> Stored<()> {
        Ok(())
    }
    fn release(&mut self) -> Stored<()> {
        Ok(())
    }
    fn rollback_savepoint(&mut self) -> Stored<()> {
        Ok(())
    }
    fn get(&mut self, entity: RecordId, key: &Value) -> Stored<Option<Value>> {
        match &self.broken {
            Some(error) => Err(error.clone()),
            None => Ok(self.position(entity, key).map(|at| self.records[at].1.clone())),
        }
    }
    fn get_all(&mut self, entity: RecordId, keys: &[Value]) -> Stored<Vec<Option<Value>>> {
        keys.iter().map(|key| self.get(entity, key)).collect()
    }
    fn insert(&mut self, entity: RecordId, fields: Vec<Option<Value>>) -> Stored<Value> {
        let record = Value::record(entity, fields.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>());
        let key = record.fields().unwrap()[0].clone();
        if self.position(entity, &key).is_some() {
            let value = display(&key, &crate::value::NoNames).into();
            return Err(StoreError::AlreadyExists { entity: "Product".into(), field: "sku".into(), value });
        }
        self.records.push((entity, record.clone()));
        Ok(record)
    }
    fn update(&mut self, entity: RecordId, key: &Value, changes: &[(usize, Value)]) -> Stored<Value> {
        let missing = StoreError::NotFound { entity: "Product".into(), key: format!("{key:?}").into() };
        let at = self.position(entity, key).ok_or(missing)?;
        let mut fields = self.records[at].1.fields().unwrap().to_vec();
        for (field, value) in changes {
            fields[*field] = value.clone();
        }
        self.records[at].1 = Value::record(entity, fields);
        Ok(self.records[at].1.clone())
    }
    fn delete(&mut self, entity: RecordId, key: &Value) -> Stored<bool> {
        let found = self.position(entity, key);
        if let Some(at) = found {
            self.records.remove(at);
        }
        Ok(found.is_some())
    }
    fn query(&mut self, _: QueryId, _: &QueryPlan, _: &[Value]) -> Stored<Value> {
        unimplemented!()
    }
    fn next_in_sequence(&mut self, _: &str, from: i64) -> Stored<i64> {
        self.sequence += 1;
        Ok(from + self.sequence - 1)
    }
    fn add_to_outbox(&mut self, run: i64, message: &Message) -> Stored<i64> {
        let mut outbox = self.outbox.lock().unwrap();
        let number = outbox.len() as i64 + 1;
        outbox.push(OutboxEntry { number, run, message: message.clone(), attempts: 0 });
        Ok(number)
    }
    fn outbox(&mut self, _: usize) -> Stored<Vec<OutboxEntry>> {
        Ok(self.outbox.lock().unwrap().clone())
    }
}

impl Waiting for FakeStore {
    fn watch(&mut self, _: RunId, _: &[Watch]) -> Result<(), StoreError> {
        unimplemented!()
    }
    fn park(&mut self, _: RunId, _: &Wait) -> Result<(), StoreError> {
        unimplemented!()
    }
    fn unpark(&mut self, _: RunId) -> Result<bool, StoreError> {
        unimplemented!()
    }
    fn wait_of(&mut self, _: RunId) -> Result<Option<Wait>, StoreError> {
        unimplemented!()
    }
    fn wake(&mut self, _: RunId, _: Instant) -> Result<bool, StoreError> {
        unimplemented!()
    }
    fn ready(&mut self, _: Instant, _: usize) -> Result<Vec<ReadyRun>, StoreError> {
        unimplemented!()
    }
    fn next_wake(&mut self) -> Result<Option<Instant>, StoreError> {
        unimplemented!()
    }
    fn count_waiting(&mut self) -> Result<Vec<(WaitKind, u64)>, StoreError> {
        unimplemented!()
    }
    fn join_run(&mut self, _: RunId, _: RunId) -> Result<(), StoreError> {
        unimplemented!()
    }
    fn tell_end(&mut self, _: RunId, _: Option<RunId>, _: Instant) -> Result<Vec<RunId>, StoreError> {
        unimplemented!()
    }
    fn take_slot(&mut self, _: &str, _: RunId, _: u64) -> Result<bool, StoreError> {
        unimplemented!()
    }
    fn holds_slot(&mut self, _: &str, _: RunId) -> Result<bool, StoreError> {
        unimplemented!()
    }
    fn leave_slots(&mut self, _: RunId, _: Instant) -> Result<Vec<RunId>, StoreError> {
        unimplemented!()
    }
    fn ask(&mut self, _: &Question) -> Result<i64, StoreError> {
        unimplemented!()
    }
    fn questions(&mut self, _: &InboxFilter) -> Result<Vec<Question>, StoreError> {
        unimplemented!()
    }
    fn question(&mut self, _: i64) -> Result<Option<Question>, StoreError> {
        unimplemented!()
    }
    fn close_question(&mut self, _: i64, _: QuestionState, _: Option<&Answer>) -> Result<bool, StoreError> {
        unimplemented!()
    }
}
impl crate::world::Leases for FakeStore {}
impl crate::world::Triggers for FakeStore {}

impl Outbox for FakeStore {}

impl Journal for FakeStore {
    fn begin_run(&mut self, _: &RunRecord) -> Stored<Begin> {
        unimplemented!()
    }
    fn append(&mut self, _: RunId, _: &Entry) -> Stored<()> {
        unimplemented!()
    }
    fn end_run(&mut self, _: RunId, _: RunState, _: &[u8], _: Instant) -> Stored<()> {
        unimplemented!()
    }
    fn reopen_run(&mut self, _: RunId, _: &RunRecord) -> Stored<()> {
        unimplemented!()
    }
    fn move_run(&mut self, _: RunId, _: &str, _: &[u8]) -> Stored<()> {
        unimplemented!()
    }

    fn entries(&mut self, _: RunId) -> Stored<Vec<Entry>> {
        unimplemented!()
    }
    fn run(&mut self, _: RunId) -> Stored<Option<RunRecord>> {
        unimplemented!()
    }
    fn runs(&mut self, _: &RunFilter) -> Stored<Vec<RunRecord>> {
        unimplemented!()
    }
    fn children(&mut self, _: RunId, _: usize) -> Stored<Vec<RunRecord>> {
        unimplemented!()
    }
    fn count_children(&mut self, _: RunId) -> Stored<Vec<(EcoString, RunState, u64)>> {
        unimplemented!()
    }
    fn keep_version(&mut self, _: &str, _: &KeptVersion) -> Stored<()> {
        unimplemented!()
    }
    fn version(&mut self, _: &str) -> Stored<Option<KeptVersion>> {
        unimplemented!()
    }
}

/// Files in memory that the test still sees after they went into the world.
#[derive(Clone, Default)]
struct SharedFiles(Arc<Mutex<MemoryFiles>>);

macro_rules! through {
    ($($name:ident($($argument:ident: $ty:ty),*) -> $result:ty;)*) => {
        impl Files for SharedFiles {
            $(fn $name(&mut self, $($argument: $ty),*) -> Result<$result, FileError> {
                self.0.lock().unwrap().$name($($argument),*)
            })*
            fn resolve(&self, path: &std::path::Path) -> std::path::PathBuf {
                path.to_path_buf()
            }
        }
    };
}

through! {
    read(path: &str) -> Vec<u8>;
    open(path: &str) -> Box<dyn std::io::Read + Send>;
    write(path: &str, content: &[u8]) -> ();
    exists(path: &str) -> bool;
    list(pattern: &str) -> Vec<String>;
    rename(from: &str, to: &str) -> ();
    delete(path: &str) -> ();
}

/// A world, a program's types, and the account of what was done.
pub(super) struct Fixture {
    pub world: World,
    pub code: Code,
    files: SharedFiles,
    outbox: Arc<Mutex<Vec<OutboxEntry>>>,
    changes: Vec<Change>,
    pub fatal: Option<StoreError>,
    /// What the last step has seen of other systems.
    pub calls: crate::task::CallsMade,
}

impl Fixture {
    /// The types of the prelude that primitives give and fail with; nothing in the world.
    pub fn new() -> Self {
        let store = FakeStore::default();
        let (files, outbox) = (SharedFiles::default(), store.outbox.clone());
        let world = World {
            store: Box::new(store),
            clock: Box::new(FixedClock {
                now: Instant::from_milliseconds(1_795_392_000_000).unwrap(),
                zone: jiff::tz::TimeZone::UTC,
            }),
            random: Box::new(SeededRandom(7)),
            files: Box::new(files.clone()),
            documents: Box::new(NoDocuments),
            web: Box::new(NoWeb),
            secrets: Secrets::default(),
            settings: Settings::default(),
        };
        let mut fixture = Fixture {
            world,
            code: Code::default(),
            files,
            outbox,
            changes: Vec::new(),
            fatal: None,
            calls: crate::task::CallsMade::default(),
        };
        let errors = [
            ("not_found", "what key"),
            ("already_exists", "what key"),
            ("bad_value", "reason"),
            ("bad_data", "source reason"),
            ("bad_address", "address reason"),
            ("no_file", "path"),
            ("no_access", "path reason"),
            ("unavailable", "reason"),
            ("timed_out", "after"),
            ("call_refused", "system status reason"),
        ];
        fixture.code.errors = errors
            .iter()
            .map(|(name, fields)| ErrorType {
                name: (*name).into(),
                transient: false,
                fields: fields.split(' ').map(|name| field(name, Type::Text)).collect(),
                documentation: EcoString::new(),
                span: Span::default(),
            })
            .collect();
        fixture.record(
            "BadRow",
            &[("line", Type::Int), ("column", Type::Text), ("value", Type::Text), ("reason", Type::Text)],
        );
        fixture.record("Document", &[("path", Type::Text), ("size", Type::Int)]);
        let mail = ["id", "to", "subject", "body"].map(|name| (name, Type::Text));
        fixture.record("Mail", &mail);
        let headers = Type::Map(Box::new(Type::Text), Box::new(Type::Text));
        fixture.record("HttpAnswer", &[("status", Type::Int), ("headers", headers), ("body", Type::Text)]);
        fixture
    }

    /// Declares a record.
    pub fn record(&mut self, name: &str, fields: &[(&str, Type)]) -> Type {
        self.code.records.push(RecordType {
            name: name.into(),
            fields: fields.iter().map(|(name, ty)| field(name, ty.clone())).collect(),
            key: None,
            documentation: EcoString::new(),
            span: Span::default(),
        });
        Type::Record(RecordId(self.code.records.len() as u32 - 1))
    }

    /// Declares an enum.
    pub fn enumeration(&mut self, name: &str, members: &[&str]) -> Type {
        self.code.enums.push(EnumType {
            name: name.into(),
            members: members.iter().map(|member| (*member).into()).collect(),
            documentation: EcoString::new(),
            span: Span::default(),
        });
        Type::Enum(EnumId(self.code.enums.len() as u32 - 1))
    }

    /// The world with one more file.
    pub fn with_file(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.0.lock().unwrap().files.insert(path.to_string(), content.into());
        self
    }

    /// What a file holds.
    pub fn file(&self, path: &str) -> Vec<u8> {
        self.files.0.lock().unwrap().files.get(path).cloned().unwrap_or_default()
    }

    /// Performs a primitive; a failure as a script would write it.
    pub fn perform(&mut self, operation: Operation, arguments: &[Value]) -> Result<Value, String> {
        self.perform_as(operation, arguments, None)
    }

    /// Performs a primitive with a type argument.
    pub fn perform_as(
        &mut self,
        operation: Operation,
        arguments: &[Value],
        ty: Option<&Type>,
    ) -> Result<Value, String> {
        self.step(|executor| executor.perform(operation, arguments, ty, Span::default()))
    }

    /// Performs several in one step.
    pub fn perform_all(&mut self, calls: &[(Operation, &[Value])]) -> Result<Value, String> {
        self.step(|executor| {
            let mut last = Value::None;
            for (operation, arguments) in calls {
                last = executor.perform(*operation, arguments, None, Span::default())?;
            }
            Ok(last)
        })
    }

    /// Does something in a step of its own.
    pub fn step(&mut self, act: impl FnOnce(&mut Executor) -> Result<Value, Failure>) -> Result<Value, String> {
        let mut executor = Executor::new(&mut self.world, &self.code, RunId(42), "confirm[3]");
        let result = act(&mut executor);
        let report = executor.into_report();
        self.changes.extend(report.changes);
        self.fatal = report.fatal;
        self.calls = report.calls;
        let names = Names::new(&self.code);
        result.map_err(|failure| match failure.is_fatal() {
            true => "fatal".to_string(),
            false => {
                let shown = Value::failure(failure.error, failure.fields);
                display(&shown, &names).replace("\\n", "\n")
            }
        })
    }

    /// A value as people read it.
    pub fn shown(&self, value: &Value) -> String {
        match value.as_list() {
            Some(items) => {
                items.iter().map(|item| display(item, &Names::new(&self.code))).collect::<Vec<_>>().join("\n")
            }
            None => display(value, &Names::new(&self.code)),
        }
    }

    /// Everything that was changed so far, a line each.
    pub fn changes(&self) -> String {
        let line =
            |change: &Change| format!("{:?} {} {}", change.kind, change.what, change.which).trim_end().to_string();
        self.changes.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// The mails that were written.
    pub fn outbox(&self) -> Vec<OutboxEntry> {
        self.outbox.lock().unwrap().clone()
    }
}

fn field(name: &str, ty: Type) -> Field {
    Field {
        name: name.into(),
        ty,
        label: None,
        unique: false,
        index: false,
        default: None,
        documentation: EcoString::new(),
        span: Span::default(),
    }
}
