//! A store in memory: records, outbox and journal with transactions and savepoints, for tests. What is taken
//! back is taken back by keeping the state before; so it suits small data.

use super::{
    Begin, Entry, Journal, KeptVersion, Leases, MailClaim, MailDecision, MailFilter, MailOutcome, MailRecord,
    MailState, Message, Outbox, OutboxEntry, RunFilter, RunId, RunRecord, RunState, Store, StoreError, SystemState,
};
use crate::check::program::{RecordType, Type};
use crate::compile::query::{Output, QueryId, QueryPlan, Scalar};
use crate::syntax::tree::BinaryOperator;
use crate::value::{Decimal, Instant, Money, NoNames, RecordId, Value, decimal, display, written};
use ecow::EcoString;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A store in memory. A clone shares nothing with the original.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    records: Arc<Vec<RecordType>>,
    pub(super) now: State,
    /// What there was before the transaction and each savepoint, the outermost first.
    before: Vec<State>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct State {
    tables: BTreeMap<u32, Arc<BTreeMap<Value, Value>>>,
    sequences: BTreeMap<String, i64>,
    outbox: Arc<Vec<Kept>>,
    systems: BTreeMap<String, SystemState>,
    pub(super) runs: Arc<Vec<RunRecord>>,
    entries: Arc<BTreeMap<(i64, u32), Entry>>,
    versions: BTreeMap<String, KeptVersion>,
    pub(super) waiting: super::memory_waiting::Waits,
}

/// A mail, and who has claimed it.
#[derive(Debug, Clone)]
struct Kept {
    record: MailRecord,
    owner: Option<EcoString>,
}

type Result<T> = std::result::Result<T, StoreError>;

impl MemoryStore {
    /// An empty store for records of these types.
    pub fn new(records: Vec<RecordType>) -> MemoryStore {
        MemoryStore { records: Arc::new(records), ..MemoryStore::default() }
    }

    /// The records of an entity, in the order of their keys: for tests.
    pub fn all(&self, entity: RecordId) -> Vec<Value> {
        self.now.tables.get(&entity.0).map(|table| table.values().cloned().collect()).unwrap_or_default()
    }

    fn ty(&self, entity: RecordId) -> (EcoString, usize) {
        let ty = self.records.get(entity.0 as usize);
        ty.map_or((EcoString::inline("record"), 0), |ty| (ty.name.clone(), ty.key.unwrap_or(0)))
    }

    fn table(&mut self, entity: RecordId) -> &mut BTreeMap<Value, Value> {
        Arc::make_mut(self.now.tables.entry(entity.0).or_default())
    }

    pub(super) fn failed(message: &str) -> StoreError {
        StoreError::Failed { code: "store::damaged", message: message.to_string(), help: String::new() }
    }

    /// Whether the unique fields of `record` are free for the record under `key`.
    fn check_unique(&self, entity: RecordId, key: &Value, record: &Value) -> Result<()> {
        let (Some(ty), Some(table)) = (self.records.get(entity.0 as usize), self.now.tables.get(&entity.0)) else {
            return Ok(());
        };
        for (at, field) in ty.fields.iter().enumerate().filter(|(_, field)| field.unique) {
            let value = field_of(record, at);
            let taken = |(other, found): (&Value, &Value)| other != key && field_of(found, at) == value;
            if !value.is_none() && table.iter().any(taken) {
                return Err(StoreError::AlreadyExists {
                    entity: ty.name.clone(),
                    field: field.name.clone(),
                    value: written(&value, &NoNames).into(),
                });
            }
        }
        Ok(())
    }

    fn refers(ty: &Type) -> Option<RecordId> {
        match ty {
            Type::Reference(entity) => Some(*entity),
            Type::Optional(inner) => Self::refers(inner),
            _ => None,
        }
    }
}

fn shown(value: &Value) -> EcoString {
    display(value, &NoNames).into()
}

pub(super) fn field_of(record: &Value, at: usize) -> Value {
    record.fields().and_then(|fields| fields.get(at)).cloned().unwrap_or_default()
}

impl Store for MemoryStore {
    fn begin(&mut self) -> Result<()> {
        if !self.before.is_empty() {
            return Err(Self::failed("a transaction is open already"));
        }
        self.before.push(self.now.clone());
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        if self.before.len() != 1 {
            return Err(Self::failed("there is no transaction, or a savepoint is open"));
        }
        self.before.clear();
        Ok(())
    }

    fn rollback(&mut self) -> Result<()> {
        if let Some(state) = self.before.drain(..).next() {
            self.now = state;
        }
        Ok(())
    }

    fn savepoint(&mut self) -> Result<()> {
        if self.before.is_empty() {
            return Err(Self::failed("there is no transaction"));
        }
        self.before.push(self.now.clone());
        Ok(())
    }

    fn release(&mut self) -> Result<()> {
        if self.before.len() < 2 {
            return Err(Self::failed("there is no savepoint"));
        }
        self.before.pop();
        Ok(())
    }

    fn rollback_savepoint(&mut self) -> Result<()> {
        if self.before.len() < 2 {
            return Err(Self::failed("there is no savepoint"));
        }
        if let Some(state) = self.before.pop() {
            self.now = state;
        }
        Ok(())
    }

    fn get(&mut self, entity: RecordId, key: &Value) -> Result<Option<Value>> {
        Ok(self.now.tables.get(&entity.0).and_then(|table| table.get(key)).cloned())
    }

    fn get_all(&mut self, entity: RecordId, keys: &[Value]) -> Result<Vec<Option<Value>>> {
        keys.iter().map(|key| self.get(entity, key)).collect()
    }

    fn insert(&mut self, entity: RecordId, fields: Vec<Option<Value>>) -> Result<Value> {
        let (name, key_at) = self.ty(entity);
        let next = self
            .now
            .tables
            .get(&entity.0)
            .and_then(|table| table.last_key_value())
            .map_or(1, |(last, _)| last.as_int().unwrap_or(0).saturating_add(1));
        let fields: Vec<Value> = fields.into_iter().map(|field| field.unwrap_or(Value::Int(next))).collect();
        let record = Value::record(entity, fields);
        let key = field_of(&record, key_at);
        if self.get(entity, &key)?.is_some() {
            let field = self.records.get(entity.0 as usize).and_then(|ty| ty.fields.get(key_at));
            let field = field.map_or(EcoString::inline("key"), |field| field.name.clone());
            return Err(StoreError::AlreadyExists { entity: name, field, value: written(&key, &NoNames).into() });
        }
        self.check_unique(entity, &key, &record)?;
        self.table(entity).insert(key, record.clone());
        self.wake_watching(entity, &record);
        Ok(record)
    }

    fn update(&mut self, entity: RecordId, key: &Value, changes: &[(usize, Value)]) -> Result<Value> {
        let (name, _) = self.ty(entity);
        let Some(record) = self.get(entity, key)? else {
            return Err(StoreError::NotFound { entity: name, key: shown(key) });
        };
        let mut fields = record.fields().unwrap_or(&[]).to_vec();
        for (at, value) in changes {
            if let Some(field) = fields.get_mut(*at) {
                *field = value.clone();
            }
        }
        let record = Value::record(entity, fields);
        self.check_unique(entity, key, &record)?;
        self.table(entity).insert(key.clone(), record.clone());
        self.wake_watching(entity, &record);
        Ok(record)
    }

    fn delete(&mut self, entity: RecordId, key: &Value) -> Result<bool> {
        for (other, ty) in self.records.iter().enumerate() {
            for (at, _) in ty.fields.iter().enumerate().filter(|(_, field)| Self::refers(&field.ty) == Some(entity)) {
                let refers =
                    |record: &Value| matches!(field_of(record, at), Value::Reference(found) if found.key == *key);
                let table = self.now.tables.get(&(other as u32));
                if ty.is_entity() && table.is_some_and(|table| table.values().any(refers)) {
                    let (entity, by) = (self.ty(entity).0, ty.name.clone());
                    return Err(StoreError::StillReferred { entity, key: shown(key), by });
                }
            }
        }
        Ok(self.table(entity).remove(key).is_some())
    }

    fn query(&mut self, _: QueryId, plan: &QueryPlan, parameters: &[Value]) -> Result<Value> {
        query(&self.now.tables, plan, parameters)
    }

    fn next_in_sequence(&mut self, name: &str, from: i64) -> Result<i64> {
        let next = self.now.sequences.get(name).map_or(from, |last| last.saturating_add(1));
        self.now.sequences.insert(name.to_string(), next);
        Ok(next)
    }

    fn add_to_outbox(&mut self, run: i64, message: &Message) -> Result<i64> {
        let outbox = Arc::make_mut(&mut self.now.outbox);
        let number = outbox.len() as i64 + 1;
        let entry = OutboxEntry { number, run, message: message.clone(), attempts: 0 };
        let record = MailRecord { entry, state: MailState::Waiting, problem: None, due: Instant::EPOCH, settled: None };
        outbox.push(Kept { record, owner: None });
        Ok(number)
    }

    fn outbox(&mut self, limit: usize) -> Result<Vec<OutboxEntry>> {
        let waiting = self.now.outbox.iter().filter(|kept| kept.record.state == MailState::Waiting);
        Ok(waiting.take(limit).map(|kept| kept.record.entry.clone()).collect())
    }
}

impl crate::world::Triggers for MemoryStore {}

impl Outbox for MemoryStore {
    fn claim_mails(&mut self, claim: &MailClaim, limit: usize) -> Result<Vec<OutboxEntry>> {
        let outbox = Arc::make_mut(&mut self.now.outbox);
        let is_due = |kept: &&mut Kept| kept.record.state == MailState::Waiting && kept.record.due <= claim.now;
        let mut due: Vec<&mut Kept> = outbox.iter_mut().filter(is_due).collect();
        due.sort_by_key(|kept| (kept.record.due, kept.record.entry.number));
        let claimed = due.into_iter().take(limit).map(|kept| {
            kept.owner = Some(claim.owner.clone());
            kept.record.due = claim.until;
            kept.record.entry.clone()
        });
        Ok(claimed.collect())
    }

    fn settle_mail(&mut self, number: i64, owner: &str, outcome: &MailOutcome, at: Instant) -> Result<bool> {
        let claimed = |kept: &&mut Kept| kept.record.entry.number == number && kept.owner.as_deref() == Some(owner);
        let Some(kept) = Arc::make_mut(&mut self.now.outbox).iter_mut().find(claimed) else { return Ok(false) };
        kept.owner = None;
        let record = &mut kept.record;
        match outcome {
            MailOutcome::Sent => {
                (record.state, record.problem, record.settled) = (MailState::Sent, None, Some(at));
                record.entry.attempts += 1;
            }
            MailOutcome::Later { due, problem, counted } => {
                (record.due, record.problem) = (*due, Some(problem.into()));
                record.entry.attempts += u32::from(*counted);
            }
            MailOutcome::Dead { problem } => {
                (record.state, record.problem, record.settled) = (MailState::Dead, Some(problem.into()), Some(at));
                record.entry.attempts += 1;
            }
        }
        Ok(true)
    }

    fn next_mail(&mut self, _now: Instant) -> Result<Option<Instant>> {
        let waiting = self.now.outbox.iter().filter(|kept| kept.record.state == MailState::Waiting);
        Ok(waiting.map(|kept| kept.record.due).min())
    }

    fn waiting_mails(&mut self) -> Result<u64> {
        let waiting = self.now.outbox.iter().filter(|kept| kept.record.state == MailState::Waiting);
        Ok(waiting.count() as u64)
    }

    fn mails(&mut self, filter: &MailFilter) -> Result<Vec<MailRecord>> {
        let fits = |record: &&MailRecord| {
            (filter.states.is_empty() || filter.states.contains(&record.state))
                && filter.number.is_none_or(|number| record.entry.number == number)
                && filter.run.is_none_or(|run| record.entry.run == run)
        };
        Ok(self.now.outbox.iter().rev().map(|kept| &kept.record).filter(fits).take(filter.limit).cloned().collect())
    }

    fn decide_mail(&mut self, number: i64, decision: &MailDecision, at: Instant) -> Result<bool> {
        let wanted = |kept: &&mut Kept| kept.record.entry.number == number;
        let Some(kept) = Arc::make_mut(&mut self.now.outbox).iter_mut().find(wanted) else { return Ok(false) };
        let record = &mut kept.record;
        match (decision, record.state) {
            (MailDecision::Retry, MailState::Waiting) if kept.owner.is_some() => return Ok(false),
            (MailDecision::Retry, MailState::Waiting | MailState::Dead | MailState::Dropped) => {
                (record.state, record.due, record.settled) = (MailState::Waiting, at, None);
                record.entry.attempts = 0;
            }
            (MailDecision::Drop, MailState::Waiting) if kept.owner.is_some() => return Ok(false),
            (MailDecision::Drop, MailState::Waiting | MailState::Dead) => {
                (record.state, record.settled) = (MailState::Dropped, Some(at));
            }
            (MailDecision::Bounced(reason), MailState::Sent) => {
                (record.state, record.problem, record.settled) = (MailState::Dead, Some(reason.into()), Some(at));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn system(&mut self, name: &str) -> Result<SystemState> {
        Ok(self.now.systems.get(name).cloned().unwrap_or_default())
    }

    fn set_system(&mut self, name: &str, state: &SystemState) -> Result<()> {
        self.now.systems.insert(name.to_string(), state.clone());
        Ok(())
    }
}

impl Leases for MemoryStore {
    fn free_runs(&mut self, limit: usize) -> Result<Vec<RunRecord>> {
        let is_running =
            |id: RunId| self.now.runs.iter().any(|record| record.id == id && record.state == RunState::Running);
        let runs = self.now.runs.iter();
        let free = runs.filter(|run| run.state == RunState::Running && !run.parent.is_some_and(is_running));
        Ok(free.take(limit).cloned().collect())
    }
}

impl Journal for MemoryStore {
    fn begin_run(&mut self, run: &RunRecord) -> Result<Begin> {
        if run.key.is_some()
            && let Some(known) = self.now.runs.iter().find(|known| known.flow == run.flow && known.key == run.key)
        {
            return Ok(Begin::Known(known.clone()));
        }
        let id = RunId(self.now.runs.len() as i64 + 1);
        Arc::make_mut(&mut self.now.runs).push(RunRecord { id, ..run.clone() });
        Ok(Begin::New(id))
    }

    fn append(&mut self, run: RunId, entry: &Entry) -> Result<()> {
        let entries = Arc::make_mut(&mut self.now.entries);
        match entries.insert((run.0, entry.position), entry.clone()) {
            None => Ok(()),
            Some(_) => Err(Self::failed("the run has such an entry already")),
        }
    }

    fn end_run(&mut self, run: RunId, state: RunState, outcome: &[u8], at: Instant) -> Result<()> {
        for record in Arc::make_mut(&mut self.now.runs).iter_mut().filter(|record| record.id == run) {
            (record.state, record.outcome, record.ended) = (state, outcome.to_vec(), Some(at));
        }
        Ok(())
    }

    fn reopen_run(&mut self, run: RunId, with: &RunRecord) -> Result<()> {
        for record in Arc::make_mut(&mut self.now.runs).iter_mut().filter(|record| record.id == run) {
            let (flow, key) = (record.flow.clone(), record.key.clone());
            let begun = RunRecord { id: run, flow, key, state: RunState::Running, ended: None, ..with.clone() };
            *record = RunRecord { outcome: Vec::new(), ..begun };
        }
        Ok(())
    }

    fn move_run(&mut self, run: RunId, version: &str, arguments: &[u8]) -> Result<()> {
        for record in Arc::make_mut(&mut self.now.runs).iter_mut().filter(|record| record.id == run) {
            (record.version, record.arguments) = (version.into(), arguments.to_vec());
        }
        Ok(())
    }

    fn entries(&mut self, run: RunId) -> Result<Vec<Entry>> {
        Ok(self.now.entries.range((run.0, 0)..=(run.0, u32::MAX)).map(|(_, entry)| entry.clone()).collect())
    }

    fn run(&mut self, run: RunId) -> Result<Option<RunRecord>> {
        Ok(self.now.runs.iter().find(|record| record.id == run).cloned())
    }

    fn runs(&mut self, filter: &RunFilter) -> Result<Vec<RunRecord>> {
        let wanted = |run: &&RunRecord| {
            filter.flow.as_ref().is_none_or(|flow| run.flow == flow.as_str())
                && filter.state.is_none_or(|state| run.state == state)
                && filter.key.as_ref().is_none_or(|key| run.key.as_deref() == Some(key))
                && (!filter.top_level || run.parent.is_none())
                && filter.since.is_none_or(|since| run.started >= since)
                && (!filter.failed_children
                    || self
                        .now
                        .runs
                        .iter()
                        .any(|child| child.parent == Some(run.id) && child.state == RunState::Failed))
        };
        Ok(self.now.runs.iter().rev().filter(wanted).take(filter.limit).cloned().collect())
    }

    fn children(&mut self, run: RunId, limit: usize) -> Result<Vec<RunRecord>> {
        Ok(self.now.runs.iter().filter(|record| record.parent == Some(run)).take(limit).cloned().collect())
    }

    fn count_children(&mut self, run: RunId) -> Result<Vec<(EcoString, RunState, u64)>> {
        let mut counts: BTreeMap<(EcoString, u8), u64> = BTreeMap::new();
        for record in self.now.runs.iter().filter(|record| record.parent == Some(run)) {
            *counts.entry((record.flow.clone(), record.state as u8)).or_default() += 1;
        }
        let state = |number| RunState::from_number(number).unwrap_or(RunState::Running);
        Ok(counts.into_iter().map(|((flow, number), count)| (flow, state(number), count)).collect())
    }

    fn keep_version(&mut self, version: &str, kept: &KeptVersion) -> Result<()> {
        self.now.versions.entry(version.to_string()).or_insert_with(|| kept.clone());
        Ok(())
    }

    fn version(&mut self, version: &str) -> Result<Option<KeptVersion>> {
        Ok(self.now.versions.get(version).cloned())
    }
}

/// A row with what it is joined with.
type Row = Vec<Value>;

struct Question<'a> {
    parameters: &'a [Value],
}

fn query(tables: &BTreeMap<u32, Arc<BTreeMap<Value, Value>>>, plan: &QueryPlan, parameters: &[Value]) -> Result<Value> {
    let question = Question { parameters };
    let first = tables.get(&plan.entity.0);
    let mut rows: Vec<Row> = Vec::new();
    'rows: for record in first.into_iter().flat_map(|table| table.values()) {
        let mut row = vec![record.clone()];
        for join in &plan.joins {
            let reference = row.get(join.from).map(|from| field_of(from, join.field)).unwrap_or_default();
            let key = match &reference {
                Value::Reference(reference) => reference.key.clone(),
                other => other.clone(),
            };
            match tables.get(&join.entity.0).and_then(|table| table.get(&key)) {
                Some(found) => row.push(found.clone()),
                None if join.optional => row.push(Value::None),
                None => continue 'rows,
            }
        }
        if plan.filter.as_ref().is_none_or(|filter| question.holds(filter, &row)) {
            rows.push(row);
        }
    }
    rows.sort_by(|left, right| {
        let compare = |(by, descending): &(Scalar, bool)| {
            let order = question.value(by, left).cmp(&question.value(by, right));
            if *descending { order.reverse() } else { order }
        };
        plan.order.iter().map(compare).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    let number = |scalar: &Option<Scalar>| {
        let value = scalar.as_ref().and_then(|scalar| question.value(scalar, &Vec::new()).as_int());
        value.map(|number| usize::try_from(number).unwrap_or(0))
    };
    let rows = rows.into_iter().skip(number(&plan.offset).unwrap_or(0)).take(number(&plan.limit).unwrap_or(usize::MAX));
    let record = |row: Row| row.into_iter().next().unwrap_or_default();
    let mut rows = rows.peekable();
    Ok(match &plan.output {
        Output::Records => Value::list(rows.map(record).collect()),
        Output::First => rows.next().map(record).unwrap_or_default(),
        Output::Values(scalar) => Value::list(rows.map(|row| question.value(scalar, &row)).collect()),
        Output::Count => Value::Int(rows.count() as i64),
        Output::Exists => Value::Bool(rows.peek().is_some()),
        Output::Sum(scalar) => sum(rows.map(|row| question.value(scalar, &row)))?.0,
        Output::Average(scalar) => match sum(rows.map(|row| question.value(scalar, &row)))? {
            (_, 0) => Value::None,
            (total, count) => average(total, count)?,
        },
        Output::Min(scalar) => {
            rows.map(|row| question.value(scalar, &row)).filter(|value| !value.is_none()).min().unwrap_or_default()
        }
        Output::Max(scalar) => {
            rows.map(|row| question.value(scalar, &row)).filter(|value| !value.is_none()).max().unwrap_or_default()
        }
    })
}

fn sum(values: impl Iterator<Item = Value>) -> Result<(Value, i64)> {
    let overflow = |_| StoreError::Overflow("sum".into());
    let mut total = Value::None;
    let mut count = 0;
    for value in values.filter(|value| !value.is_none()) {
        count += 1;
        total = match (total, value) {
            (Value::None, value) => value,
            (Value::Int(left), Value::Int(right)) => Value::Int(decimal::int::add(left, right).map_err(overflow)?),
            (Value::Decimal(left), Value::Decimal(right)) => {
                Value::Decimal(decimal::add(left, right).map_err(overflow)?)
            }
            (Value::Money(left), Value::Money(right)) => match left.plus(right) {
                Ok(sum) => Value::Money(sum),
                Err(_) => {
                    return Err(StoreError::CurrencyMismatch(
                        left.currency.code().into(),
                        right.currency.code().into(),
                    ));
                }
            },
            (total, _) => total,
        };
    }
    Ok((if count == 0 { Value::Int(0) } else { total }, count))
}

fn average(total: Value, count: i64) -> Result<Value> {
    let overflow = |_| StoreError::Overflow("average".into());
    let by = Decimal::from(count);
    Ok(match total {
        Value::Int(total) => Value::Decimal(decimal::divide(Decimal::from(total), by).map_err(overflow)?),
        Value::Decimal(total) => Value::Decimal(decimal::divide(total, by).map_err(overflow)?),
        Value::Money(total) => Value::Money(Money::divide(total, by).map_err(overflow)?),
        other => other,
    })
}

impl Question<'_> {
    fn holds(&self, scalar: &Scalar, row: &Row) -> bool {
        self.value(scalar, row).as_bool().unwrap_or(false)
    }

    fn value(&self, scalar: &Scalar, row: &Row) -> Value {
        let text = |scalar: &Scalar| match self.value(scalar, row) {
            Value::Text(text) => text,
            _ => EcoString::new(),
        };
        match scalar {
            Scalar::Column { table, field } => {
                row.get(*table).map(|record| field_of(record, *field)).unwrap_or_default()
            }
            Scalar::Parameter(at) => self.parameters.get(*at).cloned().unwrap_or_default(),
            Scalar::Literal(value) => value.clone(),
            Scalar::Not(inner) => Value::Bool(!self.holds(inner, row)),
            Scalar::And(all) => Value::Bool(all.iter().all(|each| self.holds(each, row))),
            Scalar::Or(all) => Value::Bool(all.iter().any(|each| self.holds(each, row))),
            Scalar::Compare(operator, left, right) => {
                Value::Bool(compare(*operator, &self.value(left, row), &self.value(right, row)))
            }
            Scalar::In(inner, list) => {
                let value = self.value(inner, row);
                Value::Bool(
                    self.parameters.get(*list).and_then(Value::as_list).is_some_and(|list| list.contains(&value)),
                )
            }
            Scalar::IsNone(inner) => Value::Bool(self.value(inner, row).is_none()),
            Scalar::Contains(inner, part) => Value::Bool(text(inner).contains(text(part).as_str())),
            Scalar::StartsWith(inner, part) => Value::Bool(text(inner).starts_with(text(part).as_str())),
            Scalar::IntArithmetic(operator, left, right) => {
                let (Some(left), Some(right)) = (self.value(left, row).as_int(), self.value(right, row).as_int())
                else {
                    return Value::None;
                };
                let result = match operator {
                    BinaryOperator::Add => left.checked_add(right),
                    BinaryOperator::Subtract => left.checked_sub(right),
                    BinaryOperator::Multiply => left.checked_mul(right),
                    _ => None,
                };
                result.map_or(Value::None, Value::Int)
            }
        }
    }
}

fn compare(operator: BinaryOperator, left: &Value, right: &Value) -> bool {
    match operator {
        BinaryOperator::Equal => return left == right,
        BinaryOperator::NotEqual => return left != right,
        _ if left.is_none() || right.is_none() => return false,
        _ => {}
    }
    let order = left.cmp(right);
    match operator {
        BinaryOperator::Less => order.is_lt(),
        BinaryOperator::LessOrEqual => order.is_le(),
        BinaryOperator::Greater => order.is_gt(),
        BinaryOperator::GreaterOrEqual => order.is_ge(),
        _ => false,
    }
}
