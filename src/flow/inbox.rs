//! The inbox: what waits for people, and their answers.

use super::form::Form;
use super::names::Names;
use crate::value::{EcoString, Instant, encode};
use crate::world::{
    Answer, Change, ChangeKind, Entry, EntryKind, InboxFilter, Question, QuestionState, Store, StoreError,
};

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
    if !store.close_question(number, QuestionState::Answered, Some(&answer))? {
        return Ok(Answered::Closed(QuestionState::Answered));
    }
    if Form::from_json(&question.form) == Form::Seen {
        undone_by_hand(store, &question, &answer)?;
    }
    Ok(Answered::Kept)
}

/// Notes in the journal that a person has undone a step which could not be undone: who and when is part of the story,
/// and a run that is tried again does the step again. The journal of a run that has not ended belongs to the
/// process that works on it: there the answer alone tells.
fn undone_by_hand(store: &mut dyn Store, question: &Question, answer: &Answer) -> Result<(), StoreError> {
    let Some(run) = store.run(question.run)?.filter(|run| run.state.is_over()) else { return Ok(()) };
    let names = store.version(&run.version)?.map(|kept| Names::from_json(&kept.names)).unwrap_or_default();
    let step = names.steps(&run.flow).iter().position(|name| *name == question.step);
    let Some(step) = step.and_then(|step| u32::try_from(step).ok()) else { return Ok(()) };
    let entries = store.entries(run.id)?;
    // What the question is about lies before a new beginning.
    let begins = |entry: &Entry| matches!(entry.kind, EntryKind::Reopened | EntryKind::Retried);
    if entries.iter().any(|entry| begins(entry) && entry.at >= question.asked) {
        return Ok(());
    }
    let position = entries.last().map_or(0, |entry| entry.position + 1);
    let which = EcoString::from(format!("at {}: undone by hand", answer.at));
    let entry = Entry {
        position,
        kind: EntryKind::Undone,
        step,
        path: question.path.clone(),
        payload: Vec::new(),
        changes: vec![Change { kind: ChangeKind::Answered, what: answer.by.clone(), which }],
        at: answer.at,
        took: 0,
    };
    store.append(run.id, &entry)
}
