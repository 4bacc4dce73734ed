//! `rpa runs migrate`: moves runs that have not ended to a script as it is now, where they could go on under it.

use super::super::console::{Console, Format};
use super::super::resume::{name, store};
use super::super::{Status, against, check, who, world};
use super::{failed, unknown, wrong_state};
use crate::adapter::scripts::DiskLoader;
use crate::compile::compile;
use crate::finding::Finding;
use crate::flow::{Engine, MachineWorker, Options, Silent, Worker};
use crate::world::{Journal, Leases, Project, RunId, RunState};
use serde_json::json;

/// Moves one run, or all that can be moved, to the script at a path.
pub(super) fn run(
    script: &str,
    run: Option<RunId>,
    project: &Project,
    console: &mut Console,
) -> Result<Status, Box<Finding>> {
    let source = match check::read(script, console) {
        Ok((_, source)) => source,
        Err((findings, sources)) => {
            console.findings(findings, &sources);
            return Ok(Status::Failed);
        }
    };
    let checked = crate::check::check(source, &DiskLoader::new(project));
    let Some(program) = checked.program else {
        console.findings(checked.findings, &checked.sources);
        return Ok(Status::Failed);
    };
    let code = compile(&program);
    drop(program);
    let Some(mut plain) = store(project)? else {
        return match run {
            Some(run) => Err(unknown(run)),
            None => Ok(nothing(console)),
        };
    };
    plain.take_over().map_err(failed)?;
    if let Some(id) = run {
        let Some(record) = plain.run(id).map_err(failed)? else { return Err(unknown(id)) };
        if record.state == RunState::Done {
            return Err(wrong_state(&record, "there is nothing left that another version could do"));
        }
        if let Some(parent) = record.parent
            && plain.run(parent).map_err(failed)?.is_some_and(|parent| !parent.state.is_over())
        {
            let help = format!("it is a part of run {0}: `rpa runs migrate {script} {0}` moves both", parent.0);
            return Err(wrong_state(&record, &help));
        }
        if record.version == code.version {
            console.line(format!("{} has this version already", name(&record)));
            return Ok(Status::Fine);
        }
    }
    let families = against::families(&mut plain, &code, run).map_err(failed)?;
    drop(plain);
    if families.is_empty() {
        return Ok(nothing(console));
    }
    let mut world = world::of_project(project, &code)?;
    world.store.enter(&who::process(), project.lease).map_err(failed)?;
    let mut worker = MachineWorker::new(&code, project.limits, world, false);
    let mut moved = Vec::new();
    let mut findings = Vec::new();
    for family in families {
        let judged = against::judge(&code, &mut worker, &family)?;
        if let Some(finding) = judged {
            findings.push(finding);
            continue;
        }
        for record in &family {
            let mut silent = Silent;
            let mut engine = Engine::new(&code, &mut worker, &mut silent, Options::default());
            match engine.migrate(record.id, &who::user()) {
                Ok(()) => moved.push(record.clone()),
                Err(broken) => findings.push(super::super::resume::broken(&broken)),
            }
        }
    }
    worker.world().store.leave().map_err(failed)?;
    let status = if findings.is_empty() { Status::Fine } else { Status::Failed };
    match console.format {
        Format::Json => console.json(&json!({
            "moved": moved.iter().map(|run| run.id.0).collect::<Vec<_>>(),
            "not_moved": findings.iter().map(|finding| json!({"message": finding.message, "reason": finding.note})).collect::<Vec<_>>(),
        })),
        Format::Text => {
            for record in &moved {
                let next = match record.state {
                    RunState::Failed | RunState::Cancelled => format!("; `rpa runs retry {}` tries it again", record.id.0),
                    _ => String::new(),
                };
                console.line(format!("{} was moved to this version{next}", name(record)));
            }
            console.findings(findings, &code.sources);
        }
    }
    Ok(status)
}

fn nothing(console: &mut Console) -> Status {
    match console.format {
        Format::Json => console.json(&json!({"moved": [], "not_moved": []})),
        Format::Text => console.line("no run of this script waits under another version"),
    }
    Status::Fine
}
