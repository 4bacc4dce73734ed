//! `rpa run`: checks a script, runs a flow of it, delivers its mail, and tells what came of it.

use super::Status;
use super::console::{Console, Format};
use super::expect::Expectation;
use super::progress::Progress;
use super::resume::Outcome;
use super::secrets::{self, needed as needed_secrets};
use super::signals::Signals;
use super::{account, arguments, check, resume, waiting, who, world};
use crate::adapter::mail::DispatchReport;
use crate::adapter::scripts::DiskLoader;
use crate::compile::code::Code;
use crate::compile::compile;
use crate::finding::Finding;
use crate::flow::{Broken, Engine, MachineWorker, Names, Options, Summary, Worker};
use crate::text::Sources;
use crate::value::Duration;
use crate::world::Project;
use jiff::tz::TimeZone;
use std::path::{Path, PathBuf};

/// Run a flow of a script
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The script, or `-` for the standard input
    script: String,

    /// The arguments of the flow, in their order or as `name=value`
    arguments: Vec<String>,

    /// The flow; without, the one that no other flow of the script runs
    #[arg(long, value_name = "NAME")]
    flow: Option<String>,

    /// Tell each decision of a table: its input, the row that fired, what came out
    #[arg(long)]
    trace: bool,

    /// Try again what failed before with the same content
    #[arg(long)]
    retry_failed: bool,

    /// Do nothing that this plan (of `rpa plan --format json`) does not have; all or nothing of the run is done
    #[arg(long, value_name = "PLAN")]
    expect: Option<PathBuf>,

    /// How long it may pause for `sleep` and tries again; a run with a longer pause is left waiting
    #[arg(long, value_name = "DURATION", default_value = "1 minute", value_parser = waiting::length)]
    wait: Duration,

    /// The file with records and journal, in place of that of the project
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

/// Findings with the texts they point into, and what the command ends with.
type Report = (Vec<Finding>, Sources, Status);

/// Runs the flow that the arguments name.
pub fn run(given: &Arguments, console: &mut Console) -> Status {
    match start(given, console) {
        Ok(status) => status,
        Err((findings, sources, status)) => {
            console.findings(findings, &sources);
            status
        }
    }
}

fn start(given: &Arguments, console: &mut Console) -> Result<Status, Report> {
    let failed = |(findings, sources)| (findings, sources, Status::Failed);
    let (mut project, source) = check::read(&given.script, console).map_err(failed)?;
    if let Some(store) = &given.store {
        project.store.clone_from(store);
    }
    let checked = crate::check::check(source, &DiskLoader::new(&project));
    let Some(program) = checked.program else { return Err(failed((checked.findings, checked.sources))) };
    if console.format == Format::Text {
        // Warnings do not keep a script from running; nobody should overlook them either.
        console.findings(checked.findings, &checked.sources);
    }
    let code = compile(&program);
    let needed = needed_secrets(&program, &code, given.flow.as_deref());
    let missing = secrets::missing(&project, &needed);
    if !missing.is_empty() {
        return Err(failed((missing, checked.sources)));
    }
    drop(program);
    execute(given, &project, &code, console).map_err(|(findings, status)| (findings, code.sources.clone(), status))
}

fn execute(
    given: &Arguments,
    project: &Project,
    code: &Code,
    console: &mut Console,
) -> Result<Status, (Vec<Finding>, Status)> {
    let one = |finding: Finding| (vec![finding], Status::Failed);
    let wrong = |findings: Vec<Finding>| (findings, Status::WrongUse);
    let flow = arguments::choose(code, given.flow.as_deref()).map_err(|finding| wrong(vec![*finding]))?;
    arguments::may_begin(code, flow).map_err(|finding| wrong(vec![*finding]))?;
    let Some(flow_code) = code.flows.get(flow) else { return Ok(Status::Fine) };
    let values = arguments::read(&given.arguments, flow_code, code, project.currency).map_err(wrong)?;
    // What others have left comes first: the flow may build on it.
    // But a run that is held to a plan does nothing that is not in it.
    // One that does all or nothing loses nothing when it is ended at once.
    let signals = if given.expect.is_some() { Signals::default() } else { Signals::listen(console) };
    let mut before = match given.expect {
        Some(_) => Outcome::default(),
        None => {
            let free = resume::free(project, Options::default().patience, &signals, console);
            free.map_err(|finding| one(*finding))?
        }
    };
    resume::tell_failures(&mut before, console);
    if let Some(run) = &before.stopped {
        resume::tell_stopped(run, &place(given), console);
        return Ok(Status::Failed);
    }
    let running = signals.while_running();
    let mut world = world::until(project, code, Some(running.stop.clone())).map_err(|finding| one(*finding))?;
    let entered = world.store.enter(&who::process(), project.lease);
    entered.map_err(|error| one(resume::broken(&Broken::Store(error))))?;
    let expectation = match &given.expect {
        Some(path) => Some(Expectation::begin(path, code, flow, &mut world).map_err(|finding| one(*finding))?),
        None => None,
    };
    let mut worker = MachineWorker::new(code, project.limits, world, given.trace);
    let names = Names::of(code);
    let values = arguments::complete(values, flow_code, &mut worker, code, &names).map_err(|finding| one(*finding))?;
    if let Some(expectation) = &expectation {
        expectation.check_arguments(&values, &names).map_err(|finding| one(*finding))?;
        worker = worker.watched(expectation.watch());
    }
    let options = Options { retry_failed: given.retry_failed, patience: given.wait, ..Options::default() };
    let mut progress = Progress::new(console, code);
    let mut engine = Engine::new(code, &mut worker, &mut progress, options).started_by(&who::user());
    let ended = engine.run(flow, values);
    let top = engine.top();
    let decisions = progress.finish();
    if let Some(expectation) = &expectation {
        let settled = expectation.settle(ended.is_ok(), &mut worker, project, &given.script);
        settled.map_err(|finding| one(*finding))?;
    }
    if ended.as_ref().is_err_and(resume::is_stopped) {
        let begun = top.map(|run| worker.world().store.run(run)).transpose();
        match begun.map_err(|error| one(resume::broken(&Broken::Store(error))))?.flatten() {
            Some(run) => resume::tell_stopped(&run, &place(given), console),
            None => console.message("stopped by a signal before anything was done"),
        }
        return Ok(Status::Failed);
    }
    let summary = ended.map_err(|error| one(resume::broken(&error)))?;
    drop(running);
    // Mail leaves when everything is on disk: also that of earlier runs which could not be delivered then.
    let delivered = resume::deliver(worker.world(), project, &signals, console)
        .map_err(|error| one(resume::broken(&Broken::Store(error))))?;
    tell(&summary, &before, &delivered, given.trace.then_some(decisions), &names, console);
    if let Some(wait) = &summary.waiting
        && console.format == Format::Text
    {
        let waiter = waiting::Waiter { run: summary.run, wait, began_before: summary.already_over };
        let zone = TimeZone::get(&project.zone).unwrap_or(TimeZone::UTC);
        let now = worker.world().clock.now();
        let columns = console.columns().clamp(60, 120);
        let told = waiter.told(&mut *worker.world().store, (&place(given), &zone), now, columns);
        console.print(told.map_err(|error| one(resume::broken(&Broken::Store(error))))?);
    }
    if let Some(failure) = &summary.failure
        && console.format == Format::Text
    {
        let finding = failure.finding(&code.sources);
        let finding = match (failure.earlier, summary.run.0) {
            (Some(_), _) => finding.help("`--retry-failed` tries it again"),
            (None, 0) => finding,
            (None, run) => finding.help(resume::after_failure(run, &place(given))),
        };
        console.findings(vec![finding], &code.sources);
    }
    Ok(if summary.failure.is_some() { Status::Failed } else { Status::Fine })
}

/// The options that lead other commands to the store of this one.
fn place(given: &Arguments) -> String {
    let folder = Path::new(&given.script).parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(store) = &given.store {
        format!(" --store {}", store.display())
    } else if let Some(folder) = folder {
        format!(" --project {}", folder.display())
    } else {
        String::new()
    }
}

fn tell(
    summary: &Summary,
    before: &Outcome,
    delivered: &DispatchReport,
    decisions: Option<Vec<serde_json::Value>>,
    names: &Names,
    console: &mut Console,
) {
    if console.format == Format::Json {
        let mut told = account::json(summary, names);
        if let serde_json::Value::Object(object) = &mut told {
            let resumed = before.ended.iter().map(|(_, summary, names)| account::json(summary, names));
            object.insert("went_on_with".into(), resumed.collect());
            object.insert("mails".into(), account::mails_json(delivered));
            if let Some(decisions) = decisions {
                object.insert("decisions".into(), decisions.into());
            }
        }
        console.json(&told);
        return;
    }
    let columns = console.columns().clamp(60, 120);
    console.print(account::text(summary, names, columns));
    console.print(account::mails(delivered, columns));
}
