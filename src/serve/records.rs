//! Triggers on records: `on Customer created as c when c.country == "DE"`.
//!
//! The store logs the changes that a trigger is for in the transactions that make them. A trigger goes through the
//! log once, after the commit; it sees the record as it is then, and a deleted one as it was last. What was made or
//! changed and is gone again by then starts nothing.

use super::watch::{Off, Watched, off, start};
use super::{Event, Shared};
use crate::compile::code::ChunkId;
use crate::finding::Finding;
use crate::finding::catalogue::serve as codes;
use crate::flow::{MachineWorker, StepPlace, Worker};
use crate::task::Leaves;
use crate::value::{NoNames, RecordId, Value, display};
use crate::world::{RecordHappening, RunId};

/// How many changes are looked up together.
const BATCH: usize = 200;

/// What a trigger is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct On {
    /// The entity.
    pub entity: RecordId,
    /// What must happen.
    pub happening: RecordHappening,
    /// Whether it is for this record.
    pub when: Option<ChunkId>,
    /// Whether the key is not to be shown.
    pub is_private: bool,
}

/// Starts the trigger for each change that it has not seen. True when there may be more.
pub(super) fn look(
    shared: &Shared<'_>,
    worker: &mut MachineWorker<'_>,
    watched: &Watched<'_>,
    on: On,
) -> Result<bool, Off> {
    let Some(mut position) = worker.world().store.trigger_position(&watched.key).map_err(off)? else {
        return Ok(false);
    };
    let changes = worker.world().store.changes_after(on.entity, on.happening, position, BATCH).map_err(off)?;
    let count = changes.len();
    let mut seen = position;
    for change in changes {
        if shared.is_ending() {
            return Ok(false);
        }
        let record = match (on.happening, &change.key) {
            (RecordHappening::Deleted, _) => change.gone,
            (_, Value::None) => None,
            (_, key) => worker.world().store.get(on.entity, key).map_err(off)?,
        };
        seen = change.number;
        let Some(record) = record else {
            if on.happening == RecordHappening::Deleted {
                tell_unreadable(shared, watched);
            }
            continue;
        };
        if !is_for(shared, worker, watched, on, &record) {
            continue;
        }
        let now = worker.world().clock.now();
        let run = start(worker, watched, vec![record], now, |store| {
            store.move_trigger(&watched.key, position, change.number)
        })?;
        let Some(run) = run else {
            // Another server goes through the log this moment.
            return Ok(false);
        };
        position = change.number;
        let shown = if on.is_private { "***".to_string() } else { display(&change.key, &NoNames) };
        shared.tell(Event::Started { trigger: watched.trigger.name.clone(), run, what: shown, caught_up: 0 });
    }
    if seen > position {
        let world = worker.world();
        world.store.begin().map_err(off)?;
        world.store.move_trigger(&watched.key, position, seen).map_err(off)?;
        world.store.commit().map_err(off)?;
    }
    Ok(count == BATCH)
}

/// Says that a deleted record starts nothing because it does not fit the script.
fn tell_unreadable(shared: &Shared<'_>, watched: &Watched<'_>) {
    let message = format!(
        "a record was deleted, but it does not fit the entity as the script declares it now, so `{}` starts nothing",
        watched.trigger.name
    );
    let finding = Finding::without_place(&codes::TRIGGER, message)
        .help("the entity was changed between the deletion and now; see to what the trigger would have done by hand");
    shared.tell(Event::Problem(Box::new(finding)));
}

/// Whether the condition of the trigger holds.
fn is_for(shared: &Shared<'_>, worker: &mut MachineWorker<'_>, watched: &Watched<'_>, on: On, record: &Value) -> bool {
    let Some(when) = on.when else { return true };
    let mut frame = vec![record.clone()];
    let place = StepPlace {
        run: RunId(0),
        step: "trigger",
        path: &[],
        undo: false,
        leaves: Leaves::Nothing,
        round: 0,
        until: None,
    };
    let result = worker.act(when, &mut frame, place);
    let _ = (worker.take_changes(), worker.take_fatal());
    match result {
        Ok(value) => value == Value::Bool(true),
        Err(failure) => {
            let failure = crate::flow::RunFailure::new(failure, watched.code, watched.names);
            let message = format!(
                "the condition of `{}` has failed, so it starts nothing: {}",
                watched.trigger.name, failure.message
            );
            shared.tell(Event::Problem(Box::new(Finding::without_place(&codes::TRIGGER, message))));
            false
        }
    }
}
