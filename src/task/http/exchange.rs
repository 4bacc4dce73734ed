//! The call itself: whether it may be made, what is on disk before it, how long it may take, and where it leads on to.
//!
//! Nobody else can write to the store while a transaction is open, and a call may take long. So the transaction is
//! committed before the call and another one begun behind it, as long as the step has written nothing: what would be
//! committed with it could no longer be taken back. Such a step may also be put aside until the answer is there, so that
//! others go on meanwhile; see `interrupted`.

use super::super::executor::Executor;
use super::super::problem::Problem;
use super::super::report::SystemOutcome;
use super::request::{Prepared, address_of, header, shown_path};
use crate::check::{Refusal, refusal};
use crate::value::{Duration, Instant, Value, display};
use crate::world::{
    CallPermit, Came, ChangeKind, EffectClass, OutsideCall, Permission, StoreError, UnderWay, WebAnswer, WebError,
    WebRequest,
};
use ecow::{EcoString, eco_format};
use std::borrow::Cow;

/// How often an answer may lead on to another address.
const MOST_REDIRECTS: usize = 5;

/// A system that asks to be left alone for longer is asked after this all the same.
const LONGEST_PAUSE: Duration = Duration::from_milliseconds(Duration::DAY);

/// What became of a call.
pub(super) enum Exchanged {
    /// There is an answer that says yes.
    Answered(Answered),
    /// It was not made: a plan is at work.
    Supposed(OutsideCall),
}

/// An answer that says yes.
pub(super) struct Answered {
    /// The call as people read it.
    pub name: String,
    pub answer: WebAnswer,
}

/// A call that another thread makes.
pub(in super::super) struct LeftCall {
    call: Prepared,
    /// How often an answer had led on to another address before.
    redirects: usize,
    /// How long it may take.
    time: Duration,
    /// The limit of the step.
    step_limit: Option<Duration>,
    under_way: UnderWay,
}

impl LeftCall {
    /// The call itself.
    pub fn under_way(&self) -> &UnderWay {
        &self.under_way
    }
}

impl std::fmt::Debug for LeftCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.call.name(), self.under_way)
    }
}

/// What became of a request.
enum Sent {
    /// The answer, or why there is none, and how long that took.
    Came(Result<WebAnswer, WebError>, Duration),
    /// Another thread sends it.
    Left(UnderWay),
}

/// What an answer comes to.
enum Verdict {
    Ended(Exchanged),
    /// It leads on to another address.
    On(Prepared),
}

/// Makes the call.
pub(super) fn exchange(executor: &mut Executor, call: Prepared) -> Result<Exchanged, Problem> {
    follow(executor, call, 0)
}

/// Goes on with a call that another thread has made.
pub(super) fn go_on(executor: &mut Executor, left: LeftCall) -> Result<Exchanged, Problem> {
    let LeftCall { call, redirects, time, step_limit, under_way } = left;
    // Whoever goes on with a step has waited for its call.
    let Some(Came { answer, took }) = under_way.came() else {
        return Err(Problem::internal(format!("{} is still under way", call.name())));
    };
    match verdict(executor, &call, redirects, (answer, took), (time, step_limit))? {
        Verdict::Ended(exchanged) => Ok(exchanged),
        Verdict::On(further) => follow(executor, further, redirects + 1),
    }
}

fn follow(executor: &mut Executor, mut call: Prepared, mut redirects: usize) -> Result<Exchanged, Problem> {
    loop {
        may_be_called(executor, &call)?;
        if let Some(watch) = &mut executor.watch
            && watch.calling(&call.told)? == CallPermit::Suppose
        {
            return Ok(Exchanged::Supposed(call.told));
        }
        let (time, step_limit) = time_left(executor, &call)?;
        let suspended = suspend(executor)?;
        let sent = ask_breaker(executor, &call, suspended).map(|()| send(executor, &call, time));
        if suspended {
            executor.world.store.begin()?;
            executor.world.store.savepoint()?;
        }
        match sent? {
            Sent::Left(under_way) => {
                executor.left_call = Some(LeftCall { call, redirects, time, step_limit, under_way });
                return Err(Problem::Elsewhere);
            }
            Sent::Came(answer, took) => {
                match verdict(executor, &call, redirects, (answer, took), (time, step_limit))? {
                    Verdict::Ended(exchanged) => return Ok(exchanged),
                    Verdict::On(further) => call = further,
                }
                redirects += 1;
            }
        }
    }
}

/// Sends the request, or has another thread do it while others go on.
fn send(executor: &mut Executor, call: &Prepared, time: Duration) -> Sent {
    let request = request(executor, call, time);
    if executor.may_leave_calls()
        && let Some(under_way) = executor.world.web.begin(&request)
    {
        return Sent::Left(under_way);
    }
    let began = executor.world.clock.now();
    let answer = executor.world.web.send(&request);
    Sent::Came(answer, executor.world.clock.now().since(began))
}

/// Takes note of what has come, and judges it.
fn verdict(
    executor: &mut Executor,
    call: &Prepared,
    redirects: usize,
    (answer, took): (Result<WebAnswer, WebError>, Duration),
    (time, step_limit): (Duration, Option<Duration>),
) -> Result<Verdict, Problem> {
    note(executor, call, &answer, took);
    let answer = answer.map_err(|error| problem(&error, call, step_limit, time))?;
    match next(executor, call, &answer)? {
        None => judged(executor, call, answer).map(Verdict::Ended),
        Some(_) if redirects == MOST_REDIRECTS => {
            let reason = format!("it leads on to other addresses more than {MOST_REDIRECTS} times");
            Err(refused(call, answer.status, reason))
        }
        Some(further) => Ok(Verdict::On(further)),
    }
}

/// Kill switch and boundaries.
fn may_be_called(executor: &Executor, call: &Prepared) -> Result<(), Problem> {
    if executor.world.settings.switches.is_off(EffectClass::Calls) {
        let reason = "calls are switched off in rpa.toml (`[effects]`)";
        return Err(Problem::no_access(&call.name(), reason));
    }
    match refusal(&call.address, &executor.world.settings.calls.hosts) {
        None => Ok(()),
        Some(Refusal { why, help }) => Err(Problem::no_access(&call.name(), format!("{why}; {help}"))),
    }
}

/// How long the call may take; and the limit of the step, where that says so.
fn time_left(executor: &Executor, call: &Prepared) -> Result<(Duration, Option<Duration>), Problem> {
    let Some((until, limit)) = executor.until else { return Ok((executor.world.settings.calls.time, None)) };
    let left = until.since(executor.world.clock.now());
    match left > Duration::ZERO {
        true => Ok((left, Some(limit))),
        false => Err(timed_out(call, limit)),
    }
}

/// Puts everything before the call on disk and lets others write, unless the step has written something itself.
/// Whether it did.
fn suspend(executor: &mut Executor) -> Result<bool, Problem> {
    if executor.wrote {
        return Ok(false);
    }
    executor.world.files.flush()?;
    executor.world.store.release()?;
    executor.world.store.commit()?;
    Ok(true)
}

/// Whether the system is left alone for now.
fn ask_breaker(executor: &mut Executor, call: &Prepared, suspended: bool) -> Result<(), Problem> {
    let name = eco_format!("{}", call.address);
    let breaker = executor.world.settings.calls.breaker(&name);
    let now = executor.world.clock.now();
    let store = &mut executor.world.store;
    let mut state = store.system(&name)?;
    match state.ask(now, &breaker) {
        Permission::Yes => Ok(()),
        Permission::Once => {
            // Others are to know at once that it is asked.
            if suspended {
                store.begin()?;
            }
            store.set_system(&name, &state)?;
            if suspended {
                store.commit()?;
            }
            Ok(())
        }
        Permission::NotBefore(until) => {
            executor.report.not_before(until.since(now));
            // To the second: a system is left alone for no less.
            let until = display::moment(until, executor.world.clock.zone());
            let reason = format!(
                "{name} is left alone until {until}: it has failed {} times (`[systems]` in rpa.toml)",
                state.failures.len().max(breaker.failures as usize)
            );
            Err(unavailable(reason))
        }
    }
}

fn request(executor: &mut Executor, call: &Prepared, time: Duration) -> WebRequest {
    // Credentials that come back in an answer are covered there.
    if let Some(credentials) = header(&call.headers, "authorization") {
        let secrets = &mut executor.world.secrets;
        secrets.remember(credentials.split_once(' ').map_or(credentials, |(_, behind)| behind));
    }
    WebRequest {
        method: call.method,
        url: call.url.as_str().into(),
        headers: call.headers.clone(),
        body: call.body.clone(),
        time,
        answer: executor.world.settings.calls.answer,
    }
}

/// Writes down that the call was made, if it was, and what it says of the system.
fn note(executor: &mut Executor, call: &Prepared, sent: &Result<WebAnswer, WebError>, took: Duration) {
    if let Err(WebError::Unprepared(_) | WebError::Unsendable(_)) = sent {
        return;
    }
    let came = match sent {
        Ok(answer) => answer.status.to_string(),
        Err(error) => error.to_string(),
    };
    let milliseconds = took.milliseconds().max(0);
    let which = eco_format!("{} {}: {came}, {milliseconds} ms", call.method, call.told.path);
    let system = eco_format!("{}", call.address);
    executor.record(ChangeKind::Called, system.clone(), which);
    let worked = match sent {
        Ok(answer) if is_down(answer.status) => Some(false),
        // It is there, and has too much to do.
        Ok(answer) if is_busy(answer.status) => None,
        Ok(_) | Err(WebError::TooLarge(_)) => Some(true),
        Err(WebError::Unreachable(_) | WebError::TimedOut) => Some(false),
        Err(WebError::Unsendable(_) | WebError::Unprepared(_) | WebError::Untrusted(_)) => None,
    };
    if let Some(worked) = worked {
        let at = executor.world.clock.now();
        executor.report.calls.systems.push(SystemOutcome { system, worked, at });
    }
}

/// Why there is no answer, for the script.
fn problem(error: &WebError, call: &Prepared, step_limit: Option<Duration>, time: Duration) -> Problem {
    match (error, step_limit) {
        (WebError::TimedOut, Some(limit)) => timed_out(call, limit),
        (WebError::TimedOut, None) => unavailable(format!("{} did not answer within {time}", call.name())),
        (WebError::Unreachable(reason), _) => unavailable(format!("{}: {reason}", call.name())),
        (WebError::Untrusted(reason) | WebError::Unprepared(reason), _) => {
            Problem::no_access(&call.name(), reason.as_str())
        }
        (WebError::TooLarge(most), _) => {
            let reason =
                format!("the answer is larger than {most} bytes, the limit of the project (`answer` in `[limits]`)");
            Problem::bad_data(&call.name(), reason)
        }
        (WebError::Unsendable(reason), _) => Problem::bad_value(format!("{} can't be sent: {reason}", call.name())),
    }
}

/// Where an answer leads on to, when it does. Only what reads goes on by itself, and only to where it may; what the
/// script has said in headers goes to no other system.
fn next(executor: &Executor, call: &Prepared, answer: &WebAnswer) -> Result<Option<Prepared>, Problem> {
    let Some(location) = answer.header("location").filter(|_| matches!(answer.status, 301 | 302 | 303 | 307 | 308))
    else {
        return Ok(None);
    };
    let nowhere = || refused(call, answer.status, "it leads on to an address that is none");
    let url = call.url.join(location).map_err(|_| nowhere())?;
    let address = address_of(&url).map_err(|_| nowhere())?;
    if !call.method.reads() {
        let reason =
            format!("it leads on to {address}, and a call that changes something is not sent on; call that address");
        return Err(refused(call, answer.status, reason));
    }
    if let Some(Refusal { why, help }) = refusal(&address, &executor.world.settings.calls.hosts) {
        return Err(Problem::no_access(&call.name(), format!("it leads on to {address}: {why}; {help}")));
    }
    if address.is_plain && !call.address.is_plain {
        return Err(refused(call, answer.status, format!("it leads on to {address} without protection (http)")));
    }
    let headers = match address == call.address {
        true => call.headers.clone(),
        false => Vec::new(),
    };
    let told = OutsideCall { system: eco_format!("{address}"), path: shown_path(&url), ..call.told.clone() };
    Ok(Some(Prepared { method: call.method, url, address, headers, body: None, told }))
}

/// Whether an answer says yes; if not, which failure it is.
fn judged(executor: &mut Executor, call: &Prepared, answer: WebAnswer) -> Result<Exchanged, Problem> {
    let status = answer.status;
    if (200..300).contains(&status) {
        return Ok(Exchanged::Answered(Answered { name: call.name(), answer }));
    }
    if is_down(status) || is_busy(status) {
        if let Some(pause) = answer.header("retry-after").and_then(|text| pause(text, executor.world.clock.now())) {
            executor.report.not_before(pause);
        }
        return Err(unavailable(format!("{} answered {}", call.name(), said(executor, &answer))));
    }
    if matches!(status, 404 | 410) {
        let what = eco_format!("answer of {} to {}", call.address, call.method);
        return Err(Problem::Named("not_found", vec![Value::Text(what), Value::Text(call.told.path.clone())]));
    }
    let reason = super::answer::excerpt(executor, &answer);
    Err(refused(call, status, reason.unwrap_or_else(|| "it gives no reason".to_string())))
}

/// Whether the system does not work.
fn is_down(status: u16) -> bool {
    status >= 500 && !matches!(status, 501 | 505)
}

/// Whether the system works, and asks to come back later.
fn is_busy(status: u16) -> bool {
    matches!(status, 408 | 425 | 429)
}

/// How long a system asks to be left alone: seconds, or a moment.
fn pause(text: &str, now: Instant) -> Option<Duration> {
    let text = text.trim();
    let pause = match text.parse::<u32>() {
        Ok(seconds) => Duration::from_milliseconds(i64::from(seconds) * Duration::SECOND),
        Err(_) => {
            let moment = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
            Instant::from_timestamp(moment).ok()?.since(now)
        }
    };
    (pause > Duration::ZERO).then(|| pause.min(LONGEST_PAUSE))
}

/// The status and what the answer says of it, as far as that helps and is nobody's secret.
fn said(executor: &Executor, answer: &WebAnswer) -> String {
    match super::answer::excerpt(executor, answer) {
        Some(excerpt) => format!("{}: {excerpt}", answer.status),
        None => answer.status.to_string(),
    }
}

fn unavailable(reason: impl Into<EcoString>) -> Problem {
    Problem::Named("unavailable", vec![Value::text(reason)])
}

fn timed_out(_: &Prepared, limit: Duration) -> Problem {
    Problem::Named("timed_out", vec![Value::Duration(limit)])
}

fn refused<'r>(call: &Prepared, status: u16, reason: impl Into<Cow<'r, str>>) -> Problem {
    let system = Value::Text(eco_format!("{}", call.address));
    let reason: Cow<'r, str> = reason.into();
    let reason = eco_format!("{} {}: {reason}", call.method, call.told.path);
    Problem::Named("call_refused", vec![system, Value::Int(i64::from(status)), Value::Text(reason)])
}

/// The unknown answer of a plan, which ends there.
pub(super) fn unknown_answer(told: &OutsideCall) -> Problem {
    let OutsideCall { method, system, path, .. } = told;
    Problem::Fatal(StoreError::Failed {
        code: crate::finding::catalogue::plan::UNKNOWN_ANSWER.id,
        message: format!("what `{method} {system}{path}` answers is not known before it is called"),
        help: "the plan shows what comes before it".to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_said_in_seconds_or_as_a_moment() {
        let now = Instant::from_milliseconds(1_795_392_000_000).unwrap();
        let seconds = |text: &str| pause(text, now).map(|pause| pause.milliseconds() / 1000);
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds("0"), None);
        assert_eq!(seconds("999999999"), Some(86_400));
        assert_eq!(seconds("-3"), None);
        assert_eq!(seconds("soon"), None);
        assert_eq!(seconds("Mon, 23 Nov 2026 00:01:30 GMT"), Some(90));
        assert_eq!(seconds("Sun, 22 Nov 2026 00:00:00 GMT"), None);
    }
}
