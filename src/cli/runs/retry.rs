//! `rpa runs retry`: tries a failed run again from where it failed.

use super::super::Status;
use super::super::console::Console;
use super::super::resume::{self, Errand, Outcome, Wanted};
use super::super::signals::Signals;
use super::{failed, unknown, wrong_state};
use crate::finding::Finding;
use crate::flow::Options;
use crate::world::{Journal, Project, RunId, RunState};

/// Tries a run again.
pub(super) fn run(id: RunId, project: &Project, console: &mut Console) -> Result<Status, Box<Finding>> {
    let Some(mut store) = resume::store(project)? else { return Err(unknown(id)) };
    let Some(record) = store.run(id).map_err(failed)? else { return Err(unknown(id)) };
    match record.state {
        RunState::Failed | RunState::Cancelled => {}
        RunState::Done => {
            let help = "items of it that failed are tried again with `rpa run SCRIPT --retry-failed`, or each by the \
                        number of its run: `rpa runs --state failed --all`";
            return Err(wrong_state(&record, help));
        }
        RunState::Running | RunState::Waiting => {
            return Err(wrong_state(&record, "only a run that has failed or was cancelled can be tried again"));
        }
    }
    drop(store);
    let mut outcome = Outcome::default();
    let signals = Signals::listen(console);
    let errand = Errand { wanted: Wanted::Retry, patience: Options::default().patience, signals: &signals };
    resume::work(&[record], &errand, project, console, &mut outcome)?;
    super::resume::tell(outcome, project, console)
}
