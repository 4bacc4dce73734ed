//! What is told of a run that waits: what for, until when, and what goes on with it.

use super::account::{clean, cut};
use super::runs::moment;
use crate::value::{Duration, Instant, parse};
use crate::world::{
    InboxFilter, Journal, Question, QuestionState, RunId, RunState, StoreError, Wait, WaitKind, Waiting,
};
use jiff::tz::TimeZone;
use std::fmt::Write;

/// How many runs below one are looked through for questions.
const MOST_RUNS: usize = 1000;

/// How many questions are named.
const MOST_QUESTIONS: usize = 5;

/// A length of time on the command line: `10 minutes`.
///
/// # Errors
/// When it is none, or a negative one.
pub fn length(text: &str) -> Result<Duration, String> {
    match parse::duration(text) {
        Ok(length) if length >= Duration::ZERO => Ok(length),
        _ => Err("write a length of time, such as `10 minutes` or `2 hours 30 minutes`".to_string()),
    }
}

/// A run that waits.
pub struct Waiter<'w> {
    /// The run.
    pub run: RunId,
    /// What it waits for.
    pub wait: &'w Wait,
    /// Whether it was started by an earlier command.
    pub began_before: bool,
}

impl Waiter<'_> {
    /// All that is told, in lines of at most `columns` columns. `place` are the options that name the store, with a blank
    /// before each; `now` is the time.
    ///
    /// # Errors
    /// When the store fails.
    pub fn told<S: Journal + Waiting + ?Sized>(
        &self,
        store: &mut S,
        (place, zone): (&str, &TimeZone),
        now: Instant,
        columns: usize,
    ) -> Result<String, StoreError> {
        let run = self.run.0;
        let how = if self.began_before { "was started before, and still waits" } else { "waits" };
        // The moment stands in the next line, in the zone of the project.
        let is_moment = self.wait.kind == WaitKind::Time;
        let what = clean(&self.wait.what);
        let what = match (what.split_once(": until "), what.split_once(": the next try, at ")) {
            (Some((step, _)), _) if is_moment => format!("in `{step}`"),
            (_, Some((step, _))) if is_moment => format!("for the next try of `{step}`"),
            _ => format!("for {what}"),
        };
        let mut out = String::new();
        let _ = writeln!(out, "\n{}", cut(&format!("run {run} {how} {what}"), columns * 2));
        if let Some(wake) = self.wait.wake {
            let rest = Duration::from_milliseconds((wake.since(now).milliseconds().max(0) + 999) / 1000 * 1000);
            let until = if is_moment { "until" } else { "at the latest until" };
            let _ = writeln!(out, "  {until} {}, {rest} from now", moment(wake, zone));
        }
        let questions = questions(store, self.run)?;
        // That of the run itself stands above.
        let is_said = self.wait.kind == WaitKind::Person && questions.len() == 1;
        for question in questions.iter().take(if is_said { 0 } else { MOST_QUESTIONS }) {
            let line =
                format!("question {} to {}: {}", question.number, clean(&question.role), clean(&question.question));
            let _ = writeln!(out, "  {}", cut(&line, columns.saturating_sub(2)));
        }
        match questions.as_slice() {
            [] => {}
            [one] => {
                let _ = writeln!(out, "  `rpa inbox answer {}{place}` answers it", one.number);
            }
            [first, ..] => {
                let more = questions.len().saturating_sub(MOST_QUESTIONS);
                let more = if more > 0 { format!("and {more} more; ") } else { String::new() };
                let _ = writeln!(
                    out,
                    "  {more}`rpa inbox{place}` lists them, `rpa inbox answer {}{place}` answers the first",
                    first.number
                );
            }
        }
        let serve = place.replace(" --project ", " ");
        let _ = writeln!(
            out,
            "  then `rpa serve{serve}` goes on with it by itself, or `rpa runs resume {run}{place}` when it is called"
        );
        if is_moment {
            out.push_str("  a start with `--wait` and a longer time stays for it\n");
        }
        Ok(out)
    }
}

/// The open questions of a run and of those below it that wait, the oldest first.
fn questions<S: Journal + Waiting + ?Sized>(store: &mut S, run: RunId) -> Result<Vec<Question>, StoreError> {
    let mut runs = vec![run];
    let mut at = 0;
    let mut questions = Vec::new();
    while let Some(run) = runs.get(at).copied() {
        at += 1;
        let filter =
            InboxFilter { run: Some(run), state: Some(QuestionState::Open), limit: 100, ..InboxFilter::default() };
        questions.extend(store.questions(&filter)?);
        for child in store.children(run, MOST_RUNS)? {
            if child.state == RunState::Waiting && runs.len() < MOST_RUNS {
                runs.push(child.id);
            }
        }
    }
    questions.sort_by_key(|question| question.number);
    Ok(questions)
}
