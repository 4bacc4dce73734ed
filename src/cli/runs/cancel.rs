//! `rpa runs cancel`: ends a run that has not ended, and undoes what it has done.

use super::super::Status;
use super::super::console::Console;
use super::super::resume::{self, Errand, Outcome, Wanted, free_runs, name};
use super::super::signals::Signals;
use super::{failed, unknown, wrong_state};
use crate::finding::Finding;
use crate::finding::catalogue::run as codes;
use crate::flow::Options;
use crate::world::{Journal, Leases, Project, RunId, RunState};

/// Cancels a run.
pub(super) fn run(id: RunId, why: &str, project: &Project, console: &mut Console) -> Result<Status, Box<Finding>> {
    let Some(mut store) = resume::store(project)? else { return Err(unknown(id)) };
    free_runs(&mut store).map_err(failed)?;
    let Some(record) = store.run(id).map_err(failed)? else { return Err(unknown(id)) };
    if record.state.is_over() {
        return Err(wrong_state(&record, "only a run that has not ended can be cancelled"));
    }
    if let Some(parent) = record.parent
        && store.run(parent).map_err(failed)?.is_some_and(|parent| parent.state == RunState::Running)
        && store.holder(parent).map_err(failed)?.is_some()
    {
        let help = format!("it is a part of run {}, which is at work; wait until that one has ended", parent.0);
        return Err(wrong_state(&record, &help));
    }
    if let Some(holder) = store.holder(id).map_err(failed)? {
        let message = format!("another process works on {}: {}", name(&record), holder.name);
        let finding = Finding::without_place(&codes::TAKEN, message);
        return Err(Box::new(
            finding.help("end that process (Ctrl+C there); the run is free then and can be cancelled"),
        ));
    }
    drop(store);
    let mut outcome = Outcome::default();
    let signals = Signals::listen(console);
    let wanted = Wanted::Cancel(why.to_string());
    let errand = Errand { wanted, patience: Options::default().patience, signals: &signals };
    resume::work(&[record], &errand, project, console, &mut outcome)?;
    // That it ends with a failure is what was wanted.
    let status = if outcome.findings.is_empty() && outcome.stopped.is_none() { Status::Fine } else { Status::Failed };
    super::resume::tell(outcome, project, console)?;
    Ok(status)
}
