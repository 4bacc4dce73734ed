//! What a server says: a line an event, or a JSON object a line.

use super::super::account::clean;
use super::super::console::{Console, Format};
use super::super::resume::after_failure;
use super::super::runs::shorter;
use super::super::store::told;
use super::super::waiting::waits_for;
use super::settings::listed;
use crate::finding::Finding;
use crate::finding::catalogue::serve as codes;
use crate::serve::{Event, Script};
use crate::value::EcoString;
use crate::value::display::moment;
use crate::world::WaitKind;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Says what happens: a line an event, or a JSON object a line.
pub(super) struct Teller {
    /// In which moments are told.
    pub zone: TimeZone,
    /// The store, for people.
    pub store: PathBuf,
}

impl Teller {
    fn now(&self) -> crate::value::Instant {
        crate::value::Instant::from_timestamp(jiff::Timestamp::now()).unwrap_or(crate::value::Instant::EPOCH)
    }

    fn line(&self, words: &str, data: Json, console: &mut Console) {
        match console.format {
            Format::Text => console.line(format!("{}  {}", moment(self.now(), &self.zone), clean(words))),
            Format::Json => {
                let mut line = serde_json::Map::new();
                line.insert("at".into(), self.now().timestamp().to_string().into());
                if let Json::Object(data) = data {
                    line.extend(data);
                }
                console.line(Json::Object(line).to_string());
            }
        }
        console.flush();
    }

    /// Says what is served.
    pub fn began(&self, scripts: &[Arc<Script>], once: bool, console: &mut Console) {
        let names: Vec<_> = scripts.iter().map(|script| script.name.as_str()).collect();
        let what = match names.as_slice() {
            [] => "runs and mail".to_string(),
            names => names.join(", "),
        };
        let how = if once { "serving once" } else { "serving" };
        let words = format!("{how}: {what} (process {}, store {})", std::process::id(), self.store.display());
        let data = json!({ "event": "began", "scripts": names, "process": std::process::id() });
        self.line(&words, data, console);
    }

    /// Says that it is over.
    pub fn ended(&self, by_signal: bool, console: &mut Console) {
        let words = if by_signal { "stopped; what is not done goes on with the next `rpa serve`" } else { "done" };
        self.line(words, json!({ "event": "ended", "by_signal": by_signal }), console);
    }

    /// Says what has happened.
    pub fn tell(&self, event: Event, console: &mut Console) {
        let at = |instant: crate::value::Instant| moment(instant, &self.zone);
        let iso = |instant: crate::value::Instant| instant.timestamp().to_string();
        match event {
            Event::Cleaned(cleaned) => {
                let data = json!({
                    "event": "cleaned",
                    "runs": cleaned.runs,
                    "emptied": cleaned.emptied,
                    "mails": cleaned.mails,
                    "questions": cleaned.questions,
                    "texts": cleaned.texts,
                });
                self.line(&format!("removed what ended long ago: {}", told(&cleaned)), data, console);
            }
            Event::Watching { trigger, script, next } => {
                let words = next.map(|next| format!(", next at {}", at(next))).unwrap_or_default();
                let data = json!({ "event": "watching", "trigger": trigger.as_str(), "script": script.as_str(), "next": next.map(iso) });
                self.line(&format!("watching for `{trigger}` of {script}{words}"), data, console);
            }
            Event::Renewed { script, is_new } => {
                let words = match is_new {
                    true => format!("{script} is new and is served"),
                    false => format!(
                        "{script} has changed; from now on it is served as it is now, and runs that had begun keep their \
                         version"
                    ),
                };
                self.line(&words, json!({ "event": "renewed", "script": script.as_str(), "is_new": is_new }), console);
            }
            Event::NotRenewed { script, is_served, findings, sources } => {
                let message = match is_served {
                    true => format!("{script} has changed and can't be served so"),
                    false => format!("{script} is not served"),
                };
                let note = match is_served {
                    true => "it is served as it was before the change, until it is mended",
                    false => "the other scripts are; it will be, once it is mended",
                };
                if console.format == Format::Json {
                    let data = json!({
                        "event": "not_renewed",
                        "script": script.as_str(),
                        "is_served": is_served,
                        "code": codes::SCRIPT.id,
                        "problems": problems(&findings),
                    });
                    return self.line("", data, console);
                }
                console.findings(findings, &sources);
                console.finding(Finding::without_place(&codes::SCRIPT, message).note(note));
                console.flush();
            }
            Event::Withdrawn { script } => {
                let words = format!("{script} is gone; it is served no more, and runs that had begun go on");
                self.line(&words, json!({ "event": "withdrawn", "script": script.as_str() }), console);
            }
            Event::SettingsChanged { taken, for_restart } => {
                let mut words = Vec::new();
                if !taken.is_empty() {
                    words.push(format!("{} in rpa.toml: what begins from now on goes by it", listed(&taken)));
                }
                if !for_restart.is_empty() {
                    let listed = listed(&for_restart);
                    words.push(format!(
                        "{listed} in rpa.toml: `rpa serve` has to be started again for that, and goes on as before"
                    ));
                }
                let data = json!({ "event": "settings_changed", "settings": taken, "need_restart": for_restart });
                self.line(&format!("changed {}", words.join("; changed ")), data, console);
            }
            Event::SettingsKept { script, findings, sources } => {
                let message = match &script {
                    Some(script) => format!("rpa.toml has changed, and {script} can't be served so"),
                    None => "rpa.toml has changed and can't be gone by".to_string(),
                };
                if console.format == Format::Json {
                    let data = json!({
                        "event": "settings_kept",
                        "script": script.as_deref(),
                        "code": codes::SETTINGS.id,
                        "problems": problems(&findings),
                    });
                    return self.line("", data, console);
                }
                console.findings(findings, &sources);
                let note = "the settings stay as they were before the change, until it is mended";
                console.finding(Finding::without_place(&codes::SETTINGS, message).note(note));
                console.flush();
            }
            Event::CalendarChanged => {
                self.line("the holidays have changed", json!({ "event": "calendar_changed" }), console);
            }
            Event::Started { trigger, run, what, caught_up } => {
                let more = match caught_up {
                    0 => String::new(),
                    count => format!(", for {count} missed before it as well"),
                };
                let data = json!({ "event": "started", "trigger": trigger.as_str(), "run": run.0, "what": what, "caught_up": caught_up });
                self.line(&format!("started run {} by `{trigger}`: {what}{more}", run.0), data, console);
            }
            Event::Missed { trigger, count, last } => {
                let times = if count == 1 { "time was".to_string() } else { format!("{count} times were") };
                let data = json!({ "event": "missed", "trigger": trigger.as_str(), "count": count, "last": iso(last) });
                let words = format!(
                    "`{trigger}`: {times} missed, the last at {}; write `, catch up` to have it done late",
                    at(last)
                );
                self.line(&words, data, console);
            }
            Event::Done { run, flow, others } => {
                let data = json!({ "event": "done", "run": run.0, "flow": flow.as_str(), "runs": counts(&others) });
                let hint = match others.iter().any(|(_, _, failed)| *failed > 0) {
                    true => "; `rpa runs --state failed --all` lists what failed",
                    false => "",
                };
                self.line(&format!("run {} ({flow}) is done{}{hint}", run.0, among(&others)), data, console);
            }
            Event::Failed { run, flow, failure, others } => {
                let message = failure.message.to_string();
                let data = json!({
                    "event": "failed",
                    "run": run.0,
                    "flow": flow.as_str(),
                    "failure": failure.name.as_str(),
                    "message": message,
                    "runs": counts(&others),
                });
                let more = among(&others);
                let next = after_failure(run.0, "");
                let words = format!("run {} ({flow}) has failed: {message}{more}; {next}", run.0);
                self.line(&words, data, console);
            }
            Event::Waits { run, flow, kind, what, until } => {
                let at_the_latest = if kind == WaitKind::Time { "" } else { " at the latest" };
                let words = until.map(|until| format!(", until {}{at_the_latest}", at(until))).unwrap_or_default();
                let data = json!({ "event": "waits", "run": run.0, "flow": flow.as_str(), "for": what.as_str(), "until": until.map(iso) });
                self.line(&format!("run {} ({flow}) waits {}{words}", run.0, waits_for(kind, &what)), data, console);
            }
            Event::TookOver(gone) => {
                let how = if gone.was_stuck { "was stuck" } else { "has ended without saying so" };
                let data = json!({ "event": "took_over", "from": gone.name.as_str(), "was_stuck": gone.was_stuck, "runs": gone.runs });
                self.line(&format!("{} {how}; going on with its runs: {}", gone.name, gone.runs), data, console);
            }
            Event::Mailed { count, target } => {
                let mails = if count == 1 { "mail" } else { "mails" };
                let target = shorter(Path::new(&target)).display().to_string();
                let data = json!({ "event": "mailed", "count": count, "target": target });
                self.line(&format!("delivered {count} {mails} to {target}"), data, console);
            }
            Event::MailWaits { what } => {
                let data = json!({ "event": "mail_waits", "what": what });
                self.line(&what, data, console);
            }
            Event::MailPostponed { mail, reason } => {
                let data = json!({ "event": "mail_postponed", "mail": mail, "reason": reason });
                self.line(&format!("mail {mail} is tried again later: {reason}"), data, console);
            }
            Event::MailDead { mail, run, to, reason } => {
                let data =
                    json!({ "event": "mail_dead", "mail": mail, "run": run, "to": to.as_str(), "reason": reason });
                let words =
                    format!("mail {mail} of run {run} to {to} is a dead letter: {reason}; `rpa mail` decides about it");
                self.line(&words, data, console);
            }
            Event::MailHeld { count } => {
                let mails = if count == 1 { "mail is" } else { "mails are" };
                let data = json!({ "event": "mail_held", "count": count });
                self.line(&format!("{count} {mails} held: email is switched off in rpa.toml"), data, console);
            }
            Event::MailServerLeftAlone { until } => {
                let data = json!({ "event": "mail_server_left_alone", "until": iso(until) });
                self.line(
                    &format!("the mail server has failed often and is left alone until {}", at(until)),
                    data,
                    console,
                );
            }
            Event::Problem(finding) => match console.format {
                Format::Text => {
                    console.finding(*finding);
                    console.flush();
                }
                Format::Json => {
                    let data = json!({
                        "event": "problem",
                        "code": finding.code.id,
                        "message": finding.message,
                        "help": finding.help,
                    });
                    self.line("", data, console);
                }
            },
        }
    }
}

/// The errors among findings, as JSON.
fn problems(findings: &[Finding]) -> Json {
    let errors = findings.iter().filter(|finding| finding.is_error());
    errors.map(|each| json!({ "code": each.code.id, "message": each.message, "help": each.help })).collect()
}

/// `, process_orders: 3 done, 1 failed`
fn among(others: &[(EcoString, u64, u64)]) -> String {
    let each = others.iter().map(|(flow, done, failed)| match (done, failed) {
        (done, 0) => format!(", {flow}: {done} done"),
        (0, failed) => format!(", {flow}: {failed} failed"),
        (done, failed) => format!(", {flow}: {done} done, {failed} failed"),
    });
    each.collect()
}

fn counts(others: &[(EcoString, u64, u64)]) -> Json {
    let each =
        |(flow, done, failed): &(EcoString, u64, u64)| json!({ "flow": flow.as_str(), "done": done, "failed": failed });
    others.iter().map(each).collect()
}
