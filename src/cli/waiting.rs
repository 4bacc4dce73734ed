//! What is told of a run that waits: what for, until when, and what goes on with it.

use super::account::{clean, cut};
use crate::value::display::moment;
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

/// What a run waits for, to be put behind `waits`; the moment of a wait for time is left out, since it stands beside it in
/// the zone of the project: `in `pause``, `for the next try of `call``, `for its turn: …`.
pub fn waits_for(kind: WaitKind, what: &str) -> String {
    let what = clean(what);
    let parts = what.split_once(": until ").map(|parts| ("in", parts));
    let parts = parts.or_else(|| what.split_once(": the next try, at ").map(|parts| ("for the next try of", parts)));
    match parts.filter(|_| kind == WaitKind::Time) {
        Some((how, (step, moment))) => {
            let more = moment.split_once(", ").map(|(_, more)| format!(", {more}")).unwrap_or_default();
            format!("{how} `{step}`{more}")
        }
        None => format!("for {what}"),
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
        // The moment stands in the next line.
        let is_moment = self.wait.kind == WaitKind::Time;
        let what = waits_for(self.wait.kind, &self.wait.what);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_for_time_leaves_the_moment_to_the_one_who_says_until_when() {
        let time = |what| waits_for(WaitKind::Time, what);
        assert_eq!(time("pause: until 2026-11-22T06:00:00Z"), "in `pause`");
        assert_eq!(time("pause: until 2026-11-22T06:00:00Z, and 2 more"), "in `pause`, and 2 more");
        assert_eq!(time("call: the next try, at 2026-11-22T06:00:00Z"), "for the next try of `call`");
        assert_eq!(
            waits_for(WaitKind::Slot, "its turn: at most 1 at once of f"),
            "for its turn: at most 1 at once of f"
        );
    }
}
