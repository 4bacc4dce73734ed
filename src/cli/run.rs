//! `rpa run`: checks a script, runs a flow of it, delivers its mail, and tells what came of it.

use super::Status;
use super::console::{Console, Format};
use super::progress::Progress;
use super::{account, arguments, check};
use crate::adapter::clock::SystemClock;
use crate::adapter::disk::DiskFiles;
use crate::adapter::mail::{self, DispatchReport};
use crate::adapter::random::SystemRandom;
use crate::adapter::scripts::DiskLoader;
use crate::adapter::sqlite::{self, SqliteStore};
use crate::compile::code::Code;
use crate::compile::compile;
use crate::finding::Finding;
use crate::finding::catalogue::cli;
use crate::flow::{self, Engine, MachineWorker, Names, Options, Summary, Worker, requirements};
use crate::text::Sources;
use crate::value::Value;
use crate::world::{NoDocuments, Project, World};
use jiff::tz::TimeZone;

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
}

/// Findings with the texts they point into.
type Report = (Vec<Finding>, Sources);

/// Runs the flow that the arguments name.
pub fn run(given: &Arguments, console: &mut Console) -> Status {
    match start(given, console) {
        Ok(status) => status,
        Err((findings, sources)) => {
            console.findings(findings, &sources);
            Status::Failed
        }
    }
}

fn start(given: &Arguments, console: &mut Console) -> Result<Status, Report> {
    let (project, source) = check::read(&given.script, console)?;
    let checked = crate::check::check(source, &DiskLoader::new(&project));
    let Some(program) = checked.program else { return Err((checked.findings, checked.sources)) };
    let missing = requirements::missing_in(&program);
    if !missing.is_empty() {
        return Err((missing, checked.sources));
    }
    if console.format == Format::Text {
        // Warnings do not keep a script from running; nobody should overlook them either.
        console.findings(checked.findings, &checked.sources);
    }
    let code = compile(&program);
    drop(program);
    execute(given, &project, &code, console).map_err(|findings| (findings, code.sources.clone()))
}

fn execute(given: &Arguments, project: &Project, code: &Code, console: &mut Console) -> Result<Status, Vec<Finding>> {
    let one = |finding: Finding| vec![finding];
    let flow = arguments::choose(code, given.flow.as_deref()).map_err(|finding| vec![*finding])?;
    let missing = requirements::missing(code, flow);
    if !missing.is_empty() {
        return Err(missing);
    }
    let Some(flow_code) = code.flows.get(flow) else { return Ok(Status::Fine) };
    let values = arguments::read(&given.arguments, flow_code, code, project.currency)?;
    let world = world(project, code).map_err(one)?;
    let mut worker = MachineWorker::new(code, project.limits, world, given.trace);
    let names = Names::of(code);
    let mut complete = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let default = flow_code.parameter_defaults.get(index).copied().flatten();
        complete.push(match (value, default) {
            (Some(value), _) => value,
            (None, Some(default)) => worker
                .evaluate(default, &mut Vec::new())
                .map_err(|failure| one(flow::RunFailure::new(failure, code, &names).finding(&code.sources)))?,
            (None, None) => Value::None,
        });
    }
    let options = Options { retry_failed: given.retry_failed, ..Options::default() };
    let mut progress = Progress::new(console, code);
    let ended = Engine::new(code, &mut worker, &mut progress, options).run(flow, complete);
    drop(progress);
    let broken = |error: String| {
        Finding::without_place(&cli::STORE, error)
            .note("what was on disk before stays; run it again to go on from there")
    };
    let summary = ended.map_err(|error| one(broken(error.to_string())))?;
    // Mail leaves when everything is on disk: also that of earlier runs which could not be delivered then.
    let delivered = mail::dispatch(worker.world(), &mut *mail::transport(project))
        .map_err(|error| one(broken(error.to_string())))?;
    tell(&summary, &delivered, code, &names, console);
    Ok(if summary.failure.is_some() { Status::Failed } else { Status::Fine })
}

/// The real world of a project.
fn world(project: &Project, code: &Code) -> Result<World, Finding> {
    let zone = TimeZone::get(&project.zone).unwrap_or(TimeZone::UTC);
    let path = super::runs::shorter(&project.store);
    let store = SqliteStore::open(&path, &code.records, &code.enums, &sqlite::Options::default())?;
    Ok(World {
        store: Box::new(store),
        clock: Box::new(SystemClock::new(zone)),
        random: Box::new(SystemRandom::default()),
        files: Box::new(DiskFiles::new(project)),
        documents: Box::new(NoDocuments),
        settings: project.settings(),
    })
}

fn tell(summary: &Summary, delivered: &DispatchReport, code: &Code, names: &Names, console: &mut Console) {
    if console.format == Format::Json {
        let mut told = account::json(summary, names);
        if let serde_json::Value::Object(object) = &mut told {
            object.insert("mails".into(), account::mails_json(delivered));
        }
        console.json(&told);
        return;
    }
    if let Some(failure) = &summary.failure {
        console.findings(vec![failure.finding(&code.sources)], &code.sources);
    }
    let columns = console.columns().clamp(60, 120);
    console.print(account::text(summary, names, columns));
    console.print(account::mails(delivered, columns));
}
