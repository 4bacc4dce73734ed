//! `rpa plan`: what a flow would do, before it does it.

use super::console::{Console, Format};
use super::progress::Progress;
use super::secrets::{self, needed as needed_secrets};
use super::{Status, account, arguments, check, world};
use crate::adapter::scripts::DiskLoader;
use crate::adapter::sqlite::SqliteStore;
use crate::compile::code::Code;
use crate::compile::compile;
use crate::finding::Finding;
use crate::finding::catalogue::plan::UNKNOWN_ANSWER;
use crate::finding::render::number;
use crate::flow::{Broken, Engine, MachineWorker, Names, Options, Summary};
use crate::plan::{Held, Plan, PlannedClock, text};
use crate::text::Sources;
use crate::value::{EcoString, Value, display};
use crate::world::{FixedClock, Project, StoreError, World};
use std::path::PathBuf;

/// How many effects of a kind are shown, unless all are wanted.
const SHOWN: usize = 5;

/// Show what a flow would change, send and write, without doing it
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The script, or `-` for the standard input
    script: String,

    /// The arguments of the flow, in their order or as `name=value`
    arguments: Vec<String>,

    /// The flow; without, the one that no other flow of the script runs
    #[arg(long, value_name = "NAME")]
    flow: Option<String>,

    /// Show every effect, not just the first of each kind
    #[arg(long)]
    all: bool,

    /// The file with records and journal, in place of that of the project
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

/// Findings with the texts they point into, and what the command ends with.
type Report = (Vec<Finding>, Sources, Status);

/// Makes a plan and prints it.
pub fn run(given: &Arguments, console: &mut Console) -> Status {
    match make(given, console) {
        Ok(status) => status,
        Err((findings, sources, status)) => {
            console.findings(findings, &sources);
            status
        }
    }
}

fn make(given: &Arguments, console: &mut Console) -> Result<Status, Report> {
    let failed = |(findings, sources)| (findings, sources, Status::Failed);
    let (mut project, source) = check::read(&given.script, console).map_err(failed)?;
    if let Some(store) = &given.store {
        project.store.clone_from(store);
    }
    let checked = crate::check::check(source, &DiskLoader::new(&project));
    let Some(program) = checked.program else { return Err(failed((checked.findings, checked.sources))) };
    if console.format == Format::Text {
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
    let Some(flow_code) = code.flows.get(flow) else { return Ok(Status::Fine) };
    let values = arguments::read(&given.arguments, flow_code, code, project.currency).map_err(wrong)?;
    let mut world = planned_world(project, code).map_err(|finding| one(*finding))?;
    let held = Held::begin(&mut world, code, None).map_err(|error| one(Broken::from(error).finding()))?;
    let mut worker = MachineWorker::new(code, project.limits, world, false).watched(Box::new(held.recorder()));
    let names = Names::of(code);
    let values = arguments::complete(values, flow_code, &mut worker, code, &names).map_err(|finding| one(*finding))?;
    let arguments: Vec<EcoString> = shown(&values, &names);
    let mut progress = Progress::new(console, code);
    let ended = Engine::new(code, &mut worker, &mut progress, Options::default()).run(flow, values);
    progress.finish();
    let (summary, unknown) = match ended {
        Ok(summary) => (Some(summary), None),
        // Nobody knows how it would go on; what comes before that is a plan all the same.
        Err(Broken::Store(StoreError::Failed { code, message, .. })) if code == UNKNOWN_ANSWER.id => {
            (None, Some(message))
        }
        Err(error) => return Err(one(error.finding())),
    };
    let effects = held.take_back(&mut worker).map_err(|error| one(Broken::from(error).finding()))?;
    let plan = Plan {
        plan: Plan::FORM,
        flow: flow_code.name.clone(),
        arguments,
        version: code.version.clone(),
        outcome: summary.as_ref().map_or("unknown", outcome).into(),
        effects,
    };
    tell(&plan, summary.as_ref(), unknown.as_deref(), given.all, code, console);
    let has_failed = summary.is_some_and(|summary| summary.failure.is_some());
    Ok(if has_failed { Status::Failed } else { Status::Fine })
}

/// The real world, in which pauses take no time. A store that is not there yet is not made: one in memory takes its place.
fn planned_world(project: &Project, code: &Code) -> Result<World, Box<Finding>> {
    let mut world = if project.store.exists() {
        world::of_project(project, code)?
    } else {
        let store = SqliteStore::in_memory(&code.records, &code.enums).map_err(Box::new)?;
        world::with_store(project, Box::new(store))
    };
    let still = FixedClock { now: world.clock.now(), zone: world.clock.zone().clone() };
    let clock = std::mem::replace(&mut world.clock, Box::new(still));
    world.clock = Box::new(PlannedClock::new(clock));
    Ok(world)
}

fn outcome(summary: &Summary) -> &'static str {
    match (&summary.failure, &summary.waiting) {
        (Some(_), _) => "failed",
        (None, Some(_)) => "waiting",
        (None, None) => "done",
    }
}

/// The arguments of a plan, as people read them.
pub fn shown(values: &[Value], names: &Names) -> Vec<EcoString> {
    values.iter().map(|value| display(&names.masked(value), names).into()).collect()
}

fn tell(plan: &Plan, summary: Option<&Summary>, unknown: Option<&str>, all: bool, code: &Code, console: &mut Console) {
    if console.format == Format::Json {
        let mut told = serde_json::to_value(plan).unwrap_or_default();
        if let serde_json::Value::Object(object) = &mut told {
            object.insert("summary".into(), summary.map(Summary::account_json).into());
            if let Some(unknown) = unknown {
                object.insert("ends_because".into(), unknown.into());
            }
        }
        console.json(&told);
        return;
    }
    let columns = console.columns().clamp(60, 120);
    let how = match plan.outcome.as_str() {
        "failed" => "it would fail".to_string(),
        "waiting" => "it would wait, and what comes then is not known".to_string(),
        "unknown" => "it shows how it would begin".to_string(),
        _ => "it would end well".to_string(),
    };
    let count = number(plan.effects.len(), "effect");
    console.print(format!("plan of {}: {how}; {count}, none of which was done\n\n", account::clean(&plan.flow)));
    console.print(text(&plan.effects, if all { usize::MAX } else { SHOWN }, columns));
    if let Some(unknown) = unknown {
        console.line(format!("the plan ends here: {}", account::clean(unknown)));
    }
    let Some(summary) = summary else { return };
    console.print(account::loops(summary, columns).trim_start());
    if let Some(failure) = &summary.failure {
        console.findings(vec![failure.finding(&code.sources)], &code.sources);
    }
}
