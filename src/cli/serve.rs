//! `rpa serve`: stays, starts flows when their triggers say so, goes on with runs, delivers mail.

use super::account::clean;
use super::console::{Console, Format};
use super::runs::{moment, of_path, shorter};
use super::store::told;
use super::{Status, check, folders, world};
use crate::adapter::mail;
use crate::adapter::scripts::DiskLoader;
use crate::adapter::sqlite::{Cleaned, Options, SqliteStore, Stop};
use crate::compile::compile;
use crate::finding::Finding;
use crate::finding::catalogue::serve as codes;
use crate::serve::{Event, Script, Server, serve};
use crate::value::schedule::Calendar;
use crate::value::{Duration, EcoString, Instant};
use crate::world::{Project, StoreError};
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};

/// Start flows when their triggers say so, go on with runs, deliver mail
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A script, or a folder whose scripts are served
    #[arg(default_value = ".", value_name = "SCRIPT|FOLDER")]
    path: PathBuf,

    /// Do what can be done now, and end
    #[arg(long)]
    once: bool,

    /// How many runs are worked on side by side
    #[arg(long, default_value_t = 2, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,

    /// The file with records and journal, in place of that of the project
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

/// Serves until a signal says that it is enough.
pub fn run(arguments: &Arguments, console: &mut Console) -> Status {
    let Some(mut project) = of_path(&arguments.path, console) else { return Status::Failed };
    if let Some(store) = &arguments.store {
        project.store.clone_from(store);
    }
    let calendar = match calendar(&project) {
        Ok(calendar) => calendar,
        Err(finding) => {
            console.finding(*finding);
            return Status::Failed;
        }
    };
    let Some(scripts) = scripts(&arguments.path, &project, console) else { return Status::Failed };
    let stop = Stop::default();
    if let Err(error) = listen(&stop) {
        console.message(format!("signals can't be heard: {error}"));
    }
    let zone = TimeZone::get(&project.zone).unwrap_or(TimeZone::UTC);
    let path = shorter(&project.store);
    let clean = || retire(&path, project.keep, &stop);
    let server = Server {
        scripts: &scripts,
        open: &|code| world::until(&project, code, Some(stop.clone())),
        transport: &|| mail::transport(&project),
        limits: project.limits,
        process: super::who::process(),
        lease: project.lease,
        clean: project.keep.is_some().then_some(&clean),
        zone: zone.clone(),
        calendar,
        workers: usize::from(arguments.workers),
        once: arguments.once,
        stop: stop.clone(),
    };
    let teller = Teller { zone, store: shorter(&project.store) };
    teller.began(&scripts, arguments.once, console);
    serve(&server, &mut |event| teller.tell(event, console));
    teller.ended(stop.is_set(), console);
    Status::Fine
}

/// How often what ended long ago is removed.
const DAY: Duration = Duration::from_milliseconds(86_400_000);

/// Removes what ended longer ago than runs are kept, unless that was done within a day.
fn retire(store: &Path, keep: Option<Duration>, stop: &Stop) -> Result<Option<Cleaned>, StoreError> {
    let Some(keep) = keep.filter(|_| store.is_file()) else { return Ok(None) };
    let options = Options { stop: Some(stop.clone()), ..Options::default() };
    let mut store = SqliteStore::open(store, &[], &[], &options).map_err(|finding| StoreError::Failed {
        code: finding.code.id,
        message: finding.message,
        help: finding.help.unwrap_or_default(),
    })?;
    let now = Instant::from_timestamp(jiff::Timestamp::now()).unwrap_or(Instant::EPOCH);
    let before = now.milliseconds().checked_sub(keep.milliseconds());
    let before = before.and_then(|before| Instant::from_milliseconds(before).ok()).unwrap_or(Instant::EPOCH);
    store.clean_once(before, now, DAY)
}

/// Lets SIGINT and SIGTERM say that it is enough; the second one ends the process at once.
fn listen(stop: &Stop) -> std::io::Result<()> {
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 1, stop.0.clone())?;
        signal_hook::flag::register(signal, stop.0.clone())?;
    }
    Ok(())
}

fn calendar(project: &Project) -> Result<Calendar, Box<Finding>> {
    let Some(path) = &project.holidays else { return Ok(Calendar::default()) };
    let name = shorter(path);
    let said = |message: String| Box::new(Finding::without_place(&codes::CALENDAR, message));
    let bytes = std::fs::read(path).map_err(|error| said(format!("`{}` can't be read: {error}", name.display())))?;
    let text = String::from_utf8_lossy(&bytes);
    Calendar::read(&text).map_err(|(line, word)| {
        let finding = said(format!("`{}`, line {line}: `{}` is no day", name.display(), clean(&word)));
        Box::new((*finding).help("write a day a line, such as `2026-12-25 Christmas`"))
    })
}

/// The scripts that can be served; what is wrong with the others is said. None when there are none, which is said.
fn scripts(path: &Path, project: &Project, console: &mut Console) -> Option<Vec<Script>> {
    let is_folder = path.is_dir();
    let paths = if is_folder {
        let mut missing = Vec::new();
        let paths = folders::named(&[path.display().to_string()], &mut missing);
        if let Some(finding) = missing.pop() {
            console.finding(finding);
            return None;
        }
        paths
    } else {
        vec![path.to_path_buf()]
    };
    let mut scripts = Vec::new();
    for path in &paths {
        match script(path, project, console) {
            // In a folder, what others use and what tests them has nothing to serve of its own.
            Ok(script) if is_folder && script.code.triggers.is_empty() => {}
            Ok(script) => scripts.push(script),
            Err((findings, sources)) => {
                console.findings(findings, &sources);
                if !is_folder {
                    return None;
                }
                let message = format!("{} is not served", shorter(path).display());
                console.finding(Finding::without_place(&codes::SCRIPT, message).note("the other scripts are"));
            }
        }
    }
    Some(scripts)
}

fn script(
    path: &Path,
    project: &Project,
    console: &mut Console,
) -> Result<Script, (Vec<Finding>, crate::text::Sources)> {
    let (_, source) = check::read(&path.display().to_string(), console)?;
    let checked = crate::check::check(source, &DiskLoader::new(project));
    let Some(program) = checked.program else { return Err((checked.findings, checked.sources)) };
    let missing = super::secrets::missing(project, &crate::check::capability::secrets_of(&program));
    if !missing.is_empty() {
        return Err((missing, checked.sources));
    }
    let code = compile(&program);
    let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let name = real.strip_prefix(&project.folder).unwrap_or(&real).display().to_string().replace('\\', "/");
    Ok(Script { name: name.into(), code })
}

/// Says what happens: a line an event, or a JSON object a line.
struct Teller {
    zone: TimeZone,
    store: PathBuf,
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

    fn began(&self, scripts: &[Script], once: bool, console: &mut Console) {
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

    fn ended(&self, by_signal: bool, console: &mut Console) {
        let words = if by_signal { "stopped; what is not done goes on with the next `rpa serve`" } else { "done" };
        self.line(words, json!({ "event": "ended", "by_signal": by_signal }), console);
    }

    fn tell(&self, event: Event, console: &mut Console) {
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
                self.line(&format!("run {} ({flow}) is done{}", run.0, among(&others)), data, console);
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
                let words =
                    format!("run {} ({flow}) has failed: {message}{more}; `rpa runs show {}` tells more", run.0, run.0);
                self.line(&words, data, console);
            }
            Event::Waits { run, flow, what, until } => {
                let words = until.map(|until| format!(", until {} at the latest", at(until))).unwrap_or_default();
                let data = json!({ "event": "waits", "run": run.0, "flow": flow.as_str(), "for": what.as_str(), "until": until.map(iso) });
                self.line(&format!("run {} ({flow}) waits for {what}{words}", run.0), data, console);
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
            Event::MailPostponed { mail, reason } => {
                let data = json!({ "event": "mail_postponed", "mail": mail, "reason": reason });
                self.line(&format!("mail {mail} is tried again later: {reason}"), data, console);
            }
            Event::MailDead { mail, run, to, reason } => {
                let data = json!({ "event": "mail_dead", "mail": mail, "run": run, "to": to, "reason": reason });
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
