//! Steps that wait: `sleep`, `sleep_until`, `wait_for`, `ask`.
//!
//! The journal keeps what a step waits for from the moment it begins: the time is computed once, and a question is
//! one row of the inbox. Each time the run goes on, the step looks whether it has come.

use super::Broken;
use super::engine::Engine;
use super::failure::RunFailure;
use super::form::Form;
use super::park::Parked;
use super::run::Run;
use super::step::Halt;
use super::worker::StepPlace;
use crate::compile::code::ChunkId;
use crate::compile::flow::{StepCode, WaitCode};
use crate::task::Leaves;
use crate::text::with_article;
use crate::value::{Duration, EcoString, Instant, Value, decode, display, encode};
use crate::world::{Change, ChangeKind, Entry, EntryKind, Question, QuestionState, WaitKind, Watch};

/// What a step waits for since it began to.
#[derive(Debug, Clone, Default)]
pub(super) struct Begun {
    /// In words.
    what: EcoString,
    /// The end of the wait; none when it has none.
    until: Option<Instant>,
    /// How long that is after its beginning.
    within: Duration,
    /// The end of the step's `timeout`, and how long that is.
    limit: Option<(Instant, Duration)>,
    /// The question in the inbox.
    pub question: Option<i64>,
}

impl Begun {
    fn encode(&self) -> Vec<u8> {
        let instant = |at: Option<Instant>| at.map_or(Value::None, Value::Instant);
        let parts = vec![
            Value::Text(self.what.clone()),
            instant(self.until),
            Value::Duration(self.within),
            instant(self.limit.map(|(at, _)| at)),
            self.limit.map_or(Value::None, |(_, length)| Value::Duration(length)),
            self.question.map_or(Value::None, Value::Int),
        ];
        let mut bytes = Vec::new();
        // A list of plain values is never nested too deep.
        drop(encode(&Value::list(parts), &mut bytes));
        bytes
    }

    /// From how the journal keeps it.
    pub fn decode(entry: &Entry) -> Option<Begun> {
        let instant = |value: &Value| match value {
            Value::Instant(at) => Some(*at),
            _ => None,
        };
        let value = decode(&entry.payload).ok()?;
        let [what, until, Value::Duration(within), limit, length, question] = value.as_list()? else { return None };
        let limit = instant(limit).zip(match length {
            Value::Duration(length) => Some(*length),
            _ => None,
        });
        let what = EcoString::from(what.as_text()?);
        Some(Begun { what, until: instant(until), within: *within, limit, question: question.as_int() })
    }
}

/// What was waited for, in the words of the journal.
pub(super) fn words(value: &Value) -> Option<String> {
    value.as_list()?.first()?.as_text().map(str::to_string)
}

impl Engine<'_> {
    /// Begins to wait, or looks whether what is waited for has come. `begun` is what the step waits for already.
    pub(super) fn wait(
        &mut self,
        run: &mut Run,
        step: &StepCode,
        (index, path): (u32, &[u32]),
        wait: &WaitCode,
        begun: &mut Option<Begun>,
        changes: &mut Vec<Change>,
    ) -> Result<Result<Value, Halt>, Broken> {
        self.group.open(self.worker.world())?;
        let mut looked = false;
        let first = match begun {
            Some(begun) => begun.clone(),
            None => {
                looked = true;
                // What is there already needs no waiting.
                if let WaitCode::Record { find, .. } = wait {
                    match self.find(run, step, path, *find)? {
                        Ok(Value::None) => {}
                        Ok(found) => return Ok(Ok(found)),
                        Err(failure) => return Ok(Err(Halt::Fail(failure))),
                    }
                }
                let first = match self.begin_wait(run, step, path, wait)? {
                    Ok(first) => first,
                    Err(failure) => return Ok(Err(Halt::Fail(failure))),
                };
                self.append(run, EntryKind::WaitBegan, index, path, first.encode(), Vec::new(), 0)?;
                *begun = Some(first.clone());
                first
            }
        };
        let now = self.world().clock.now();
        let is_over = first.until.is_some_and(|until| until <= now);
        let mut parked = match wait {
            WaitCode::Sleep(_) | WaitCode::SleepUntil(_) => {
                if is_over {
                    return Ok(Ok(Value::None));
                }
                Parked { look: first.until, ..Parked::new(WaitKind::Time, first.what.clone()) }
            }
            WaitCode::Record { entity, find, by, .. } => {
                let found = if looked { Ok(Value::None) } else { self.find(run, step, path, *find)? };
                match found {
                    Ok(Value::None) => {}
                    Ok(found) => return Ok(Ok(found)),
                    Err(failure) => return Ok(Err(Halt::Fail(failure))),
                }
                if is_over {
                    return Ok(Ok(Value::None));
                }
                let with = match by {
                    Some((field, chunk)) => self.evaluate(run, *chunk)?.ok().map(|value| (*field, value)),
                    None => None,
                };
                let watches = vec![Watch { entity: *entity, with }];
                self.group.open(self.worker.world())?;
                self.world().store.watch(run.id, &watches)?;
                Parked { watches, ..Parked::new(WaitKind::Record, first.what.clone()) }
            }
            WaitCode::Ask { otherwise, .. } => {
                let number = first.question.unwrap_or_default();
                let question = self.world().store.question(number)?;
                if let Some(answer) = question.and_then(|question| question.answer) {
                    let value = self.kept(run.id, &answer.value)?;
                    let shown = display(&self.names.masked(&value), &self.names);
                    changes.push(Change {
                        kind: ChangeKind::Answered,
                        what: answer.by.clone(),
                        which: EcoString::from(format!("at {}: {shown}", answer.at)),
                    });
                    return Ok(Ok(value));
                }
                if is_over {
                    self.world().store.close_question(number, QuestionState::TimedOut, None)?;
                    return Ok(match otherwise {
                        Some(chunk) => self.look(run, (&step.name, path), *chunk)?.map_err(Halt::Fail),
                        None => {
                            let fields = vec![Value::Duration(first.within)];
                            Err(Halt::Fail(self.language_failure("timed_out", fields, step.span)))
                        }
                    });
                }
                Parked { questions: vec![number], ..Parked::new(WaitKind::Person, first.what.clone()) }
            }
        };
        if let Some((limit, length)) = first.limit {
            if limit <= now {
                if let Some(number) = first.question {
                    self.world().store.close_question(number, QuestionState::TimedOut, None)?;
                }
                let failure = self.language_failure("timed_out", vec![Value::Duration(length)], step.span);
                return Ok(Err(Halt::Fail(failure)));
            }
            parked.look = parked.look.map(|look| look.min(limit));
        }
        parked.wake = first.until.into_iter().chain(first.limit.map(|(limit, _)| limit)).min();
        Ok(Err(Halt::Park(Box::new(parked))))
    }

    /// Computes until when a step waits, and puts its question into the inbox.
    fn begin_wait(
        &mut self,
        run: &mut Run,
        step: &StepCode,
        path: &[u32],
        wait: &WaitCode,
    ) -> Result<Result<Begun, RunFailure>, Broken> {
        let now = self.world().clock.now();
        let mut begun = Begun::default();
        let length = match wait {
            WaitCode::Sleep(chunk) => Some(*chunk),
            WaitCode::Record { within, .. } | WaitCode::Ask { within, .. } => *within,
            WaitCode::SleepUntil(chunk) => {
                match self.look(run, (&step.name, path), *chunk)? {
                    Ok(Value::Instant(until)) => begun.until = Some(until),
                    Ok(_) => {}
                    Err(failure) => return Ok(Err(failure)),
                }
                None
            }
        };
        let mut lengths = [Ok(None), Ok(None)];
        for (place, chunk) in lengths.iter_mut().zip([length, step.timeout]) {
            if let Some(chunk) = chunk {
                *place = self.look(run, (&step.name, path), chunk)?.map(|value| match value {
                    Value::Duration(length) => Some(length),
                    _ => None,
                });
            }
        }
        let after = |length: Duration| now.plus(length).ok();
        let [length, timeout] = lengths;
        match (length, timeout) {
            (Err(failure), _) | (_, Err(failure)) => return Ok(Err(failure)),
            (Ok(length), Ok(timeout)) => {
                if let Some(length) = length {
                    begun.within = length;
                    begun.until = after(length);
                }
                begun.limit = timeout.and_then(|timeout| Some((after(timeout)?, timeout)));
            }
        }
        begun.what = match wait {
            WaitCode::Sleep(_) | WaitCode::SleepUntil(_) => match begun.until {
                Some(until) => EcoString::from(format!("{}: until {until}", step.name)),
                None => step.name.clone(),
            },
            WaitCode::Record { entity, .. } => {
                let entity = self.code.records.get(entity.0 as usize).map_or("record", |record| record.name.as_str());
                EcoString::from(format!("{}: {}", step.name, with_article(entity)))
            }
            WaitCode::Ask { role, question, .. } => {
                let mut texts = [EcoString::new(), EcoString::new()];
                for (text, chunk) in texts.iter_mut().zip([role, question]) {
                    match self.look(run, (&step.name, path), *chunk)? {
                        Ok(value) => *text = EcoString::from(value.as_text().unwrap_or_default()),
                        Err(failure) => return Ok(Err(failure)),
                    }
                }
                let [role, question] = texts;
                let what = EcoString::from(format!("an answer of {role}: {question}"));
                let question = Question {
                    number: 0,
                    run: run.id,
                    flow: EcoString::new(),
                    step: step.name.clone(),
                    path: path.to_vec(),
                    role,
                    question,
                    form: Form::of(&step.ty, self.code).to_json(),
                    asked: now,
                    until: begun.until.into_iter().chain(begun.limit.map(|(limit, _)| limit)).min(),
                    state: QuestionState::Open,
                    answer: None,
                };
                self.group.open(self.worker.world())?;
                begun.question = Some(self.world().store.ask(&question)?);
                what
            }
        };
        Ok(Ok(begun))
    }

    /// Looks for the record that a step waits for; none when there is none.
    fn find(
        &mut self,
        run: &mut Run,
        step: &StepCode,
        path: &[u32],
        chunk: ChunkId,
    ) -> Result<Result<Value, RunFailure>, Broken> {
        self.look(run, (&step.name, path), chunk)
    }

    /// Computes what a step that waits or runs a flow is given. It may read, as a step may; that it changes nothing
    /// is proved by the checker.
    pub(super) fn look(
        &mut self,
        run: &mut Run,
        (step, path): (&str, &[u32]),
        chunk: ChunkId,
    ) -> Result<Result<Value, RunFailure>, Broken> {
        self.group.open(self.worker.world())?;
        let place = StepPlace { run: run.id, step, path, undo: false, leaves: Leaves::Nothing, round: 0, until: None };
        let result = self.worker.act(chunk, &mut run.frame, place);
        self.tell_decisions(run.id);
        Ok(match result {
            Ok(value) => Ok(value),
            Err(failure) => Err(self.failure(failure)?),
        })
    }
}
