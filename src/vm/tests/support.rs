//! Scripts as text, and a world in memory to run them in.

use crate::check::program::Type;
use crate::check::{Memory, check};
use crate::compile::code::Code;
use crate::compile::compile;
use crate::compile::instruction::Comparison;
use crate::compile::query::{Output, QueryId, QueryPlan, Scalar};
use crate::library::Operation;
use crate::syntax::tree::BinaryOperator;
use crate::text::{Source, Span};
use crate::value::{ErrorId, RecordId, Value};
use crate::vm::{Decision, Failure, Host, Limits, Machine, failure_message};

/// The code of a script, which must be right.
pub fn code(script: &str) -> Code {
    code_with(script, &Memory::new())
}

/// The code of a script that uses files.
pub fn code_with(script: &str, files: &Memory) -> Code {
    let checked = check(Source::new("test.rpa", script), files);
    let Some(program) = checked.program else {
        let findings: Vec<String> = checked
            .findings
            .iter()
            .map(|finding| {
                let place = finding.span().map_or("", |span| checked.sources.slice(span));
                format!("{} at `{place}`", finding.message)
            })
            .collect();
        panic!("the script has findings:\n{}\n{script}", findings.join("\n"));
    };
    compile(&program)
}

/// Calls the last function or task of the script that has this name.
pub fn call(code: &Code, name: &str, arguments: &[Value], host: &mut dyn Host) -> Result<Value, Failure> {
    let chunk = code
        .callables
        .iter()
        .rev()
        .find(|chunk| code.chunks[chunk.0 as usize].name.split(' ').next_back() == Some(name))
        .unwrap_or_else(|| panic!("there is no `{name}`"));
    // Small, so that what grows without end is stopped soon.
    let limits = Limits { list_length: 100_000, text_length: 1_000_000, ..Limits::default() };
    Machine::new(code, limits).call(*chunk, arguments, host)
}

/// What the function `f` of a script without a world gives, as people read it, or how it fails.
pub fn outcome(script: &str) -> String {
    let code = code(script);
    match call(&code, "f", &[], &mut World::new(&code)) {
        Ok(value) => crate::value::display(&value, &code.names),
        Err(failure) => shown(&failure, &code),
    }
}

/// A failure with its place and the calls that led there.
pub fn shown(failure: &Failure, code: &Code) -> String {
    let mut text = failure_message(failure.error, &failure.fields, &code.names);
    for frame in &failure.trace {
        text.push_str(&format!("\n  in {} at `{}`", frame.name, code.sources.slice(frame.span)));
    }
    text
}

/// Records in memory; counts what is asked.
pub struct World<'c> {
    pub code: &'c Code,
    pub records: Vec<Value>,
    pub asked: Vec<String>,
    pub decisions: Vec<Decision>,
}

impl<'c> World<'c> {
    pub fn new(code: &'c Code) -> World<'c> {
        World { code, records: Vec::new(), asked: Vec::new(), decisions: Vec::new() }
    }

    /// Puts a record of an entity in.
    pub fn put(&mut self, entity: &str, fields: Vec<Value>) {
        let id = self.entity(entity);
        self.records.push(Value::record(id, fields));
    }

    /// The entity with this name.
    pub fn entity(&self, name: &str) -> RecordId {
        let position = self.code.records.iter().rposition(|record| record.name == name).unwrap();
        RecordId(position as u32)
    }

    fn name(&self, entity: RecordId) -> &str {
        &self.code.records[entity.0 as usize].name
    }

    fn of(&self, entity: RecordId) -> impl Iterator<Item = &Value> {
        self.records.iter().filter(move |value| matches!(value, Value::Record(record) if record.type_id == entity))
    }

    fn position(&self, entity: RecordId, key: &Value) -> Option<usize> {
        let field = self.code.records[entity.0 as usize].key?;
        self.records.iter().position(
            |value| matches!(value, Value::Record(record) if record.type_id == entity && record.fields[field] == *key),
        )
    }

    fn find(&self, entity: RecordId, key: &Value) -> Option<Value> {
        self.position(entity, key).map(|at| self.records[at].clone())
    }

    fn failure(&self, name: &str, fields: Vec<Value>, span: Span) -> Failure {
        let error = self.code.errors.iter().position(|error| error.name == name).unwrap();
        Failure { error: ErrorId(error as u32), fields, span, trace: Vec::new() }
    }

    /// The rows of a plan: for each the record of every table.
    fn rows(&self, plan: &QueryPlan, given: &[Value]) -> Vec<Vec<Value>> {
        let mut rows = Vec::new();
        let key = self.code.records[plan.entity.0 as usize].key.unwrap();
        let mut records: Vec<&Value> = self.of(plan.entity).collect();
        records.sort_by_key(|record| &record.fields().unwrap()[key]);
        for record in records {
            let mut row = vec![record.clone()];
            for join in &plan.joins {
                let reference = row[join.from].fields().map(|fields| fields[join.field].clone());
                row.push(match reference {
                    Some(Value::Reference(reference)) => self.find(join.entity, &reference.key).unwrap(),
                    _ => Value::None,
                });
            }
            if plan.filter.as_ref().is_none_or(|filter| scalar(filter, &row, given) == Value::Bool(true)) {
                rows.push(row);
            }
        }
        for (by, descending) in plan.order.iter().rev() {
            rows.sort_by(|left, right| {
                let order = scalar(by, left, given).cmp(&scalar(by, right, given));
                if *descending { order.reverse() } else { order }
            });
        }
        let number =
            |limit: &Option<Scalar>| limit.as_ref().map(|limit| scalar(limit, &[], given).as_int().unwrap() as usize);
        rows.into_iter()
            .skip(number(&plan.offset).unwrap_or(0))
            .take(number(&plan.limit).unwrap_or(usize::MAX))
            .collect()
    }
}

fn scalar(of: &Scalar, row: &[Value], given: &[Value]) -> Value {
    let value = |of: &Scalar| scalar(of, row, given);
    let key = |value: Value| match value {
        Value::Reference(reference) => reference.key.clone(),
        value => value,
    };
    let holds = |of: &Scalar| value(of) == Value::Bool(true);
    match of {
        Scalar::Column { table, field } => row[*table].fields().map_or(Value::None, |fields| fields[*field].clone()),
        Scalar::Parameter(at) => given[*at].clone(),
        Scalar::Literal(value) => value.clone(),
        Scalar::Not(inner) => Value::Bool(!holds(inner)),
        Scalar::And(all) => Value::Bool(all.iter().all(holds)),
        Scalar::Or(any) => Value::Bool(any.iter().any(holds)),
        Scalar::Compare(operator, left, right) => {
            let comparison = match operator {
                BinaryOperator::Equal => Comparison::Equal,
                BinaryOperator::NotEqual => Comparison::NotEqual,
                BinaryOperator::Less => Comparison::Less,
                BinaryOperator::LessOrEqual => Comparison::LessOrEqual,
                BinaryOperator::Greater => Comparison::Greater,
                _ => Comparison::GreaterOrEqual,
            };
            let (left, right) = (key(value(left)), key(value(right)));
            let order = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
            Value::Bool((order || !(left.is_none() || right.is_none())) && comparison.holds(left.cmp(&right)))
        }
        Scalar::In(inner, list) => Value::Bool(given[*list].as_list().unwrap().contains(&value(inner))),
        Scalar::IsNone(inner) => Value::Bool(value(inner).is_none()),
        Scalar::Contains(text, part) => {
            Value::Bool(value(text).as_text().is_some_and(|text| text.contains(value(part).as_text().unwrap())))
        }
        Scalar::StartsWith(text, part) => {
            Value::Bool(value(text).as_text().is_some_and(|text| text.starts_with(value(part).as_text().unwrap())))
        }
        Scalar::IntArithmetic(operator, left, right) => {
            let (left, right) = (value(left).as_int().unwrap(), value(right).as_int().unwrap());
            Value::Int(match operator {
                BinaryOperator::Add => left + right,
                BinaryOperator::Subtract => left - right,
                _ => left * right,
            })
        }
        #[allow(unreachable_patterns)]
        other => panic!("{other:?} is not known to the world of the tests"),
    }
}

impl Host for World<'_> {
    fn perform(
        &mut self,
        operation: Operation,
        arguments: &[Value],
        ty: Option<&Type>,
        _: Span,
    ) -> Result<Value, Failure> {
        let shown: Vec<String> =
            arguments.iter().map(|value| crate::value::display::written(value, &self.code.names)).collect();
        let ty = ty.map_or(String::new(), |ty| format!(" as {ty:?}"));
        self.asked.push(format!("{operation:?}({}){ty}", shown.join(", ")));
        Ok(Value::None)
    }

    fn get(&mut self, entity: RecordId, key: &Value, _: Span) -> Result<Option<Value>, Failure> {
        self.asked.push(format!("get {}", self.name(entity)));
        Ok(self.find(entity, key))
    }

    fn get_all(&mut self, entity: RecordId, keys: &[Value], _: Span) -> Result<Vec<Option<Value>>, Failure> {
        self.asked.push(format!("get {} of {}", keys.len(), self.name(entity)));
        Ok(keys.iter().map(|key| self.find(entity, key)).collect())
    }

    fn create(&mut self, entity: RecordId, fields: Vec<Option<Value>>, span: Span) -> Result<Value, Failure> {
        let number = self.of(entity).count() as i64 + 1;
        let fields: Vec<Value> = fields.into_iter().map(|field| field.unwrap_or(Value::Int(number))).collect();
        let key = &fields[self.code.records[entity.0 as usize].key.unwrap()];
        if self.find(entity, key).is_some() {
            let fields = vec![Value::text(self.name(entity)), key.clone()];
            return Err(self.failure("already_exists", fields, span));
        }
        let record = Value::record(entity, fields);
        self.records.push(record.clone());
        Ok(record)
    }

    fn update(
        &mut self,
        entity: RecordId,
        key: &Value,
        changes: Vec<(usize, Value)>,
        span: Span,
    ) -> Result<Value, Failure> {
        let Some(at) = self.position(entity, key) else {
            return Err(self.failure("not_found", vec![Value::text(self.name(entity)), key.clone()], span));
        };
        let mut fields = self.records[at].fields().unwrap().to_vec();
        for (field, value) in changes {
            fields[field] = value;
        }
        self.records[at] = Value::record(entity, fields);
        Ok(self.records[at].clone())
    }

    fn delete(&mut self, entity: RecordId, key: &Value, _: Span) -> Result<(), Failure> {
        if let Some(at) = self.position(entity, key) {
            self.records.remove(at);
        }
        Ok(())
    }

    fn query(&mut self, query: QueryId, given: &[Value], _: Span) -> Result<Value, Failure> {
        let plan = &self.code.queries[query.0 as usize];
        self.asked.push(format!("query {}", self.name(plan.entity)));
        let rows = self.rows(plan, given);
        let column = |of: &Scalar| {
            let values: Vec<Value> = rows.iter().map(|row| scalar(of, row, given)).collect();
            values.into_iter().filter(|value| !value.is_none())
        };
        let sum = |of: &Scalar| {
            column(of).reduce(|sum, value| crate::compile::arithmetic::add(&sum, &value).unwrap()).unwrap_or_default()
        };
        Ok(match &plan.output {
            Output::Records => Value::list(rows.iter().map(|row| row[0].clone()).collect()),
            Output::First => rows.first().map(|row| row[0].clone()).unwrap_or_default(),
            Output::Values(of) => Value::list(rows.iter().map(|row| scalar(of, row, given)).collect()),
            Output::Count => Value::Int(rows.len() as i64),
            Output::Exists => Value::Bool(!rows.is_empty()),
            Output::Sum(of) => sum(of),
            Output::Average(_) => panic!("the world of the tests knows no averages"),
            Output::Min(of) => column(of).min().unwrap_or_default(),
            Output::Max(of) => column(of).max().unwrap_or_default(),
        })
    }

    fn decided(&mut self, decision: Decision) {
        self.decisions.push(decision);
    }

    fn traces_decisions(&self) -> bool {
        true
    }
}
