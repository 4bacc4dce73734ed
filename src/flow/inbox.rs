//! The inbox: what waits for people, and their answers.

use super::form::Form;
use crate::value::{EcoString, Instant, encode};
use crate::world::{Answer, InboxFilter, Question, QuestionState, Store, StoreError};

/// What became of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// It is in the store, and its run can go on.
    Kept,
    /// There is no such question.
    Unknown,
    /// It does not fit; says why.
    DoesNotFit(String),
    /// It was answered before, or nobody wants the answer any more.
    Closed(QuestionState),
}

/// The questions that are open, the oldest first; of a role or of all.
///
/// # Errors
/// When the store fails.
pub fn open(store: &mut dyn Store, role: Option<&str>, limit: usize) -> Result<Vec<Question>, StoreError> {
    let role = role.map(str::to_string);
    store.questions(&InboxFilter { role, state: Some(QuestionState::Open), limit, ..InboxFilter::default() })
}

/// Answers a question, in a transaction of its own: `text` is what the person has typed (`yes`, `replace`,
/// `way=refund, amount=12 EUR`, or JSON), `by` is who it is. The run takes the answer into its journal, with who and
/// when.
///
/// # Errors
/// When the store fails.
pub fn answer(store: &mut dyn Store, number: i64, text: &str, by: &str, now: Instant) -> Result<Answered, StoreError> {
    store.begin()?;
    let outcome = answer_within(store, number, text, by, now);
    match outcome {
        Ok(Answered::Kept) => store.commit()?,
        _ => store.rollback()?,
    }
    outcome
}

/// The same inside of a transaction that is open.
///
/// # Errors
/// When the store fails.
pub fn answer_within(
    store: &mut dyn Store,
    number: i64,
    text: &str,
    by: &str,
    now: Instant,
) -> Result<Answered, StoreError> {
    let Some(question) = store.question(number)? else { return Ok(Answered::Unknown) };
    if question.state != QuestionState::Open {
        return Ok(Answered::Closed(question.state));
    }
    if question.until.is_some_and(|until| until <= now) {
        return Ok(Answered::Closed(QuestionState::TimedOut));
    }
    let value = match Form::from_json(&question.form).read(text) {
        Ok(value) => value,
        Err(reason) => return Ok(Answered::DoesNotFit(reason)),
    };
    let mut bytes = Vec::new();
    if encode(&value, &mut bytes).is_err() {
        return Ok(Answered::DoesNotFit("it is nested too deep".to_string()));
    }
    let answer = Answer { value: bytes, by: EcoString::from(by), at: now };
    Ok(match store.close_question(number, QuestionState::Answered, Some(&answer))? {
        true => Answered::Kept,
        false => Answered::Closed(QuestionState::Answered),
    })
}
