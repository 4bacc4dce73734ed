//! How a run fails: the failure with its story, as the journal keeps it and as a finding shows it.

use super::names::Names;
use crate::compile::code::Code;
use crate::finding::Finding;
use crate::finding::catalogue::run as codes;
use crate::text::{SourceId, Span};
use crate::value::{ErrorId, FailureValue, Value, decode, encode};
use crate::vm::{Failure, Frame, failure_message};
use crate::world::RunId;
use ecow::EcoString;

/// How many calls of a failure the journal keeps.
const KEPT_CALLS: usize = 20;

/// A failure that ended a step, an item or a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunFailure {
    /// What the machine knows of it.
    pub failure: Failure,
    /// The name of the error.
    pub name: EcoString,
    /// What it says, for people.
    pub message: EcoString,
    /// Where it arose, for people: `orders.rpa:12:5`.
    pub place: EcoString,
    /// The run that had failed so before, when nothing was tried now.
    pub earlier: Option<RunId>,
}

impl RunFailure {
    /// A failure of the machine, told for people.
    pub fn new(failure: Failure, code: &Code, names: &Names) -> RunFailure {
        let name = match code.errors.get(failure.error.0 as usize) {
            Some(error) => error.name.clone(),
            None => EcoString::inline("failure"),
        };
        let message = message(&failure, code, names);
        let place = place(code, failure.span);
        RunFailure { failure, name, message, place, earlier: None }
    }

    /// A failure that the engine itself finds, of an error that every script knows.
    pub fn of_language(code: &Code, names: &Names, error: &str, fields: Vec<Value>, span: Span) -> RunFailure {
        let error = names.error_called(error).unwrap_or(ErrorId(0));
        RunFailure::new(Failure { error, fields, span, trace: Vec::new() }, code, names)
    }

    /// With one more call on its way.
    pub fn through(mut self, name: impl Into<EcoString>, span: Span) -> RunFailure {
        self.failure.trace.push(Frame { name: name.into(), span });
        self
    }

    /// What a handler binds.
    pub fn value(&self) -> Value {
        Value::failure(self.failure.error, self.failure.fields.clone())
    }

    /// As the journal keeps it.
    pub fn to_value(&self) -> Value {
        let span = |span: Span| {
            [Value::Int(i64::from(span.source.0)), Value::Int(i64::from(span.start)), Value::Int(i64::from(span.end))]
        };
        let mut parts = vec![
            self.value(),
            Value::Text(self.name.clone()),
            Value::Text(self.message.clone()),
            Value::Text(self.place.clone()),
        ];
        parts.extend(span(self.failure.span));
        for call in self.failure.trace.iter().take(KEPT_CALLS) {
            parts.push(Value::Text(call.name.clone()));
            parts.extend(span(call.span));
        }
        Value::list(parts)
    }

    /// As the journal keeps it, in bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if encode(&self.to_value(), &mut bytes).is_err() {
            // Fields nested too deep: the words are kept without them.
            let mut flat = self.clone();
            flat.failure.fields.clear();
            drop(encode(&flat.to_value(), &mut bytes));
        }
        bytes
    }

    /// From how the journal keeps it.
    pub fn from_value(value: &Value) -> Option<RunFailure> {
        let parts = value.as_list()?;
        let [Value::Failure(failure), Value::Text(name), Value::Text(message), Value::Text(place), rest @ ..] = parts
        else {
            return None;
        };
        let FailureValue { error, fields } = &**failure;
        let (own, calls) = rest.split_at_checked(3)?;
        let trace = calls
            .chunks_exact(4)
            .map(|call| match call {
                [Value::Text(name), place @ ..] => Some(Frame { name: name.clone(), span: span(place)? }),
                _ => None,
            })
            .collect::<Option<Vec<_>>>()?;
        Some(RunFailure {
            failure: Failure { error: *error, fields: fields.to_vec(), span: span(own)?, trace },
            name: name.clone(),
            message: message.clone(),
            place: place.clone(),
            earlier: None,
        })
    }

    /// From how the journal keeps it, in bytes.
    pub fn decode(bytes: &[u8]) -> Option<RunFailure> {
        RunFailure::from_value(&decode(bytes).ok()?)
    }

    /// The same failure in another version, found by the name of its error; without places, since the text
    /// is another one.
    pub fn carried_over(mut self, from: &Names, to: &Names) -> RunFailure {
        if let Some(Value::Failure(failure)) = from.carry_over(&self.value(), to) {
            self.failure.error = failure.error;
            self.failure.fields = failure.fields.to_vec();
        } else {
            // No handler of the new version is for an error that it does not have.
            self.failure.error = to.error_called(&self.name).unwrap_or(ErrorId(u32::MAX - 1));
            self.failure.fields.clear();
        }
        self.failure.span = Span::default();
        self.failure.trace.clear();
        self
    }

    /// The finding that shows it, with the calls that led there.
    pub fn finding(&self, sources: &crate::text::Sources) -> Finding {
        let message = self.message.as_str();
        let known = |span: Span| !span.is_empty() && sources.get(span.source).is_some();
        let mut finding = if known(self.failure.span) {
            let inside = self.failure.trace.first().filter(|call| call.span == self.failure.span);
            let place = inside.map_or("it failed here".to_string(), |call| format!("it failed here, in {}", call.name));
            Finding::new(&codes::FAILED, self.failure.span, message).at(place)
        } else {
            Finding::without_place(&codes::FAILED, message)
        };
        finding.trace = self
            .failure
            .trace
            .iter()
            .take(KEPT_CALLS)
            .filter(|call| known(call.span) && call.span != self.failure.span)
            .map(|call| crate::finding::Frame { name: call.name.to_string(), span: call.span })
            .collect();
        if self.name == "key_conflict"
            && let Some(Value::Int(run)) = self.failure.fields.get(2)
        {
            finding = finding.help(format!(
                "`rpa runs show {run}` tells what that one was given; start it with the same, or what is new under a key of its own"
            ));
        }
        match self.earlier {
            Some(run) => finding.note(format!("run {} had failed so before; nothing was tried now", run.0)),
            None => finding,
        }
    }
}

fn span(parts: &[Value]) -> Option<Span> {
    let number = |value: &Value| value.as_int().and_then(|number| u32::try_from(number).ok());
    let [source, start, end] = parts else { return None };
    Some(Span { source: SourceId(number(source)? as u16), start: number(start)?, end: number(end)? })
}

/// `orders.rpa:12:5`
pub fn place(code: &Code, span: Span) -> EcoString {
    match code.sources.get(span.source) {
        Some(source) if !span.is_empty() => {
            let (line, column) = source.position(span.start as usize);
            EcoString::from(format!("{}:{line}:{column}", source.name))
        }
        _ => EcoString::new(),
    }
}

/// What a failure says, personal data taken out.
fn message(failure: &Failure, code: &Code, names: &Names) -> EcoString {
    let masked = names.masked(&Value::failure(failure.error, failure.fields.clone()));
    EcoString::from(failure_message(failure.error, masked.fields().unwrap_or(&[]), &code.names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_gives_back_what_it_was_given() {
        let span = Span { source: SourceId(2), start: 5, end: 9 };
        let failure = RunFailure {
            failure: Failure {
                error: ErrorId(3),
                fields: vec![Value::text("x"), Value::Int(1)],
                span,
                trace: vec![Frame { name: "step a".into(), span }],
            },
            name: "bad".into(),
            message: "it is bad".into(),
            place: "a.rpa:1:2".into(),
            earlier: None,
        };
        assert_eq!(RunFailure::decode(&failure.encode()), Some(failure));
        assert_eq!(RunFailure::decode(b"junk"), None);
    }
}
