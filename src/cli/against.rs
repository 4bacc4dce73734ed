//! Whether runs that have not ended could go on under a script as it is now: `rpa check --against-runs`, and what
//! `rpa runs migrate` asks first.

use super::resume::{broken, name, store};
use super::world;
use crate::compile::code::Code;
use crate::finding::Finding;
use crate::finding::catalogue::run as codes;
use crate::finding::render::number;
use crate::flow::{Engine, MachineWorker, Options, Silent};
use crate::world::{Journal, Project, RunFilter, RunId, RunRecord, RunState, StoreError};
use std::collections::HashSet;

/// How many runs are looked at of each state.
const MOST: usize = 100_000;

/// Runs that must be moved together: one that nobody waits for, and the unfinished ones that it waits for.
pub type Family = Vec<RunRecord>;

/// The runs of the flows of a script that have not ended and have another version: all of them, or the one that is
/// wanted, which may also be one that has failed.
///
/// # Errors
/// When the store fails.
pub fn families(journal: &mut dyn Journal, code: &Code, wanted: Option<RunId>) -> Result<Vec<Family>, StoreError> {
    let mut tops = Vec::new();
    match wanted {
        Some(id) => tops.extend(journal.run(id)?),
        None => {
            for state in [RunState::Running, RunState::Waiting] {
                for flow in own_flows(code) {
                    let filter =
                        RunFilter { flow: Some(flow), state: Some(state), limit: MOST, ..RunFilter::default() };
                    tops.extend(journal.runs(&filter)?);
                }
            }
            tops.sort_by_key(|run| run.id);
        }
    }
    let mut seen: HashSet<RunId> = HashSet::new();
    let mut families = Vec::new();
    for top in tops {
        // A part of another run is moved with that one.
        if top.version == code.version || unfinished_parent(journal, &top)? && wanted.is_none() {
            continue;
        }
        let mut family = vec![top];
        let mut next = 0;
        while let Some(id) = family.get(next).map(|run| run.id) {
            next += 1;
            for child in journal.children(id, MOST)? {
                if !child.state.is_over() && child.version != code.version {
                    family.push(child);
                }
            }
        }
        family.retain(|run| seen.insert(run.id));
        if !family.is_empty() {
            families.push(family);
        }
    }
    Ok(families)
}

fn own_flows(code: &Code) -> Vec<String> {
    let is_own = |source| code.sources.get(source).is_some_and(|source| !source.is_library);
    code.flows.iter().filter(|flow| is_own(flow.span.source)).map(|flow| flow.name.to_string()).collect()
}

fn unfinished_parent(journal: &mut dyn Journal, run: &RunRecord) -> Result<bool, StoreError> {
    let Some(parent) = run.parent else { return Ok(false) };
    Ok(journal.run(parent)?.is_some_and(|parent| !parent.state.is_over()))
}

/// Whether the runs of a family could go on: the finding that says why not.
///
/// # Errors
/// When the store fails.
pub fn judge(code: &Code, worker: &mut MachineWorker<'_>, family: &Family) -> Result<Option<Finding>, Box<Finding>> {
    for run in family {
        let mut silent = Silent;
        let mut engine = Engine::new(code, worker, &mut silent, Options::default());
        let reasons = engine.reasons_against(run.id).map_err(|error| Box::new(broken(&error)))?;
        if reasons.is_empty() {
            continue;
        }
        let message = match family.first().filter(|top| top.id != run.id) {
            Some(top) => format!("{} and {}, which it waits for, can't go on under this version", name(top), name(run)),
            None => format!("{}, {}, can't go on under this version", name(run), run.state.word()),
        };
        let flow = code.flows.iter().find(|flow| flow.name == run.flow);
        let finding = match flow {
            Some(flow) => Finding::new(&codes::CANNOT_MOVE, flow.span, message).at("the flow as it is now"),
            None => Finding::without_place(&codes::CANNOT_MOVE, message),
        };
        return Ok(Some(finding.note(reasons.join("; ")).help("it goes on under the version that it began with")));
    }
    Ok(None)
}

/// What is said of the unfinished runs of a script: findings for those that could not go on, and a line.
///
/// # Errors
/// When the store fails.
pub fn report(project: &Project, code: &Code) -> Result<(Vec<Finding>, String), Box<Finding>> {
    let fatal = |error| Box::new(broken(&crate::flow::Broken::Store(error)));
    let none = "no run waits under another version".to_string();
    let Some(mut plain) = store(project)? else { return Ok((Vec::new(), none)) };
    let families = families(&mut plain, code, None).map_err(fatal)?;
    drop(plain);
    if families.is_empty() {
        return Ok((Vec::new(), none));
    }
    let world = world::of_project(project, code)?;
    let mut worker = MachineWorker::new(code, project.limits, world, false);
    let mut findings = Vec::new();
    let mut fitting = Vec::new();
    for family in &families {
        match judge(code, &mut worker, family)? {
            Some(finding) => findings.push(finding),
            None => fitting.extend(family.first().map(|run| run.id.0.to_string())),
        }
    }
    let (all, can) = (families.len(), fitting.len());
    let which = if can > 0 && can <= 10 { format!(" ({})", fitting.join(", ")) } else { String::new() };
    let what = number(all, "run");
    let line =
        format!("{what} under another version: {can} could go on under this one{which}, {} could not", all - can);
    Ok((findings, line))
}
