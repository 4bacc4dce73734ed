//! Looks whether triggers have something to start.

use super::records::On;
use super::{Event, PAUSE, REST, Served, Shared, Troubles, file, records, times, trouble};
use crate::compile::code::Code;
use crate::compile::trigger::{EventCode, TriggerCode};
use crate::finding::Finding;
use crate::finding::catalogue::serve as codes;
use crate::flow::{MachineWorker, Names, Worker};
use crate::syntax::tree::RecordEvent;
use crate::value::schedule::{Calendar, Schedule};
use crate::value::{Duration, EcoString, Instant, RecordId, Value};
use crate::world::{RecordHappening, RunId, Store, StoreError};
use ecow::eco_format;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant as Moment;

/// A trigger that no server has had for so long is forgotten.
const FORGOTTEN: Duration = Duration::from_milliseconds(30 * Duration::DAY);

/// How often what the store keeps for triggers is tidied.
const TIDY: std::time::Duration = std::time::Duration::from_secs(600);

/// Why a look broke off; nothing when the server is to end.
pub(super) type Off = Option<Box<Finding>>;

pub(super) fn off(error: StoreError) -> Off {
    trouble(error).map(Box::new)
}

/// A trigger that is watched for.
pub(super) struct Watched<'c> {
    /// What names it in the store: the script and its name.
    pub key: EcoString,
    /// The trigger.
    pub trigger: &'c TriggerCode,
    /// The code that it belongs to.
    pub code: &'c Code,
    /// The names of that.
    pub names: &'c Names,
    /// The holidays.
    pub calendar: &'c Calendar,
    /// The record type `File`.
    pub file_type: Option<RecordId>,
}

/// What is looked for.
enum Kind {
    Times(Schedule, bool),
    Files(EcoString, file::Files),
    Records(On),
}

/// A script with its triggers.
struct Post<'c> {
    worker: MachineWorker<'c>,
    triggers: Vec<(Watched<'c>, Kind)>,
}

/// The scripts whose triggers were told of, each with its version.
type Told = HashSet<(EcoString, EcoString)>;

/// Watches until the server ends.
pub(super) fn watch(shared: &Shared<'_>) {
    let mut told = Told::new();
    while !shared.is_ending() {
        let served = shared.served();
        watch_these(shared, &served, &mut told);
    }
}

/// Watches for the triggers of these scripts, until others are served or the server ends.
fn watch_these(shared: &Shared<'_>, served: &Arc<Served>, told: &mut Told) {
    let names: Vec<Names> = served.scripts.iter().map(|script| Names::of(&script.code)).collect();
    let mut posts: Vec<Option<Post<'_>>> = names.iter().map(|_| None).collect();
    let mut troubles: Vec<Troubles> = names.iter().map(|_| Troubles::default()).collect();
    let mut tidied = Moment::now();
    while !shared.is_ending() && Arc::ptr_eq(served, &shared.served()) {
        let mut failed = false;
        for (at, post) in posts.iter_mut().enumerate() {
            let (Some(names), Some(troubles)) = (names.get(at), troubles.get_mut(at)) else { continue };
            match round(shared, (served, at), names, post, told) {
                Ok(()) => troubles.over(),
                Err(finding) => {
                    if let Some(finding) = finding {
                        troubles.tell(shared, *finding);
                    }
                    failed = true;
                }
            }
        }
        if tidied.elapsed() >= TIDY {
            tidied = Moment::now();
            if let Some(post) = posts.iter_mut().flatten().next()
                && let Err(Some(finding)) = tidy(post)
            {
                shared.tell(Event::Problem(finding));
            }
        }
        shared.rest(if failed { PAUSE } else { REST });
    }
}

/// Looks once.
pub(super) fn look(shared: &Shared<'_>) {
    let served = shared.served();
    let mut told = Told::new();
    for (at, script) in served.scripts.iter().enumerate() {
        let names = Names::of(&script.code);
        if let Err(Some(finding)) = round(shared, (&served, at), &names, &mut None, &mut told) {
            shared.tell(Event::Problem(finding));
        }
    }
}

/// Forgets triggers that nobody has any more, and changes that every trigger has seen: deleted records are among them,
/// and are not to be kept for longer than they are needed.
fn tidy(post: &mut Post<'_>) -> Result<(), Off> {
    let now = post.worker.world().clock.now();
    let store = &mut post.worker.world().store;
    store.begin().map_err(off)?;
    store.tidy_triggers(now.minus(FORGOTTEN).unwrap_or(Instant::EPOCH)).map_err(off)?;
    store.commit().map_err(off)
}

/// Looks at the triggers of a script. One that fails keeps the others of it from nothing.
fn round<'c>(
    shared: &Shared<'_>,
    (served, at): (&'c Served, usize),
    names: &'c Names,
    place: &mut Option<Post<'c>>,
    told: &mut Told,
) -> Result<(), Off> {
    let post = match place {
        Some(post) => post,
        None => place.insert(open(shared, (served, at), names, told)?),
    };
    let mut first = Ok(());
    let Post { worker, triggers } = post;
    for (watched, kind) in triggers {
        if shared.is_ending() {
            return Ok(());
        }
        let looked = match kind {
            Kind::Times(schedule, catch_up) => times::look(shared, worker, watched, schedule, *catch_up),
            Kind::Files(pattern, files) => file::look(shared, worker, watched, pattern, files),
            Kind::Records(on) => loop {
                match records::look(shared, worker, watched, *on) {
                    Ok(true) => {}
                    Ok(false) => break Ok(()),
                    Err(finding) => break Err(finding),
                }
            },
        };
        if first.is_ok() {
            first = looked;
        }
    }
    first
}

/// Registers the triggers of a script.
fn open<'c>(
    shared: &Shared<'_>,
    (served, at): (&'c Served, usize),
    names: &'c Names,
    told: &mut Told,
) -> Result<Post<'c>, Off> {
    let Some(script) = served.scripts.get(at) else { return Err(None) };
    let code = &script.code;
    let world = (shared.server.open)(code).map_err(Some)?;
    let mut worker = MachineWorker::new(code, served.limits, world, false);
    let file_type = code.records.iter().position(|record| record.name == "File").map(|at| RecordId(at as u32));
    let mut triggers = Vec::new();
    for trigger in &code.triggers {
        // Those of scripts that this one uses belong to them.
        let main = code.sources.iter().find(|(_, source)| !source.is_library);
        if main.is_none_or(|(main, _)| main != trigger.span.source) {
            continue;
        }
        let key = eco_format!("{}: {}", script.name, trigger.name);
        let watched = Watched { key, trigger, code, names, file_type, calendar: &served.calendar };
        match kind(&mut worker, &watched, shared) {
            Ok(kind) => triggers.push((watched, kind)),
            Err(reason) => {
                let message = format!("`{}` of {} can't be watched for: {reason}", trigger.name, script.name);
                let finding = Finding::without_place(&codes::TRIGGER, message).note("the other triggers are");
                shared.tell(Event::Problem(Box::new(finding)));
            }
        }
    }
    let now = worker.world().clock.now();
    let store = &mut worker.world().store;
    store.begin().map_err(off)?;
    let mut events = Vec::new();
    for (watched, kind) in &triggers {
        let on = match kind {
            Kind::Records(on) => Some((on.entity, on.happening)),
            _ => None,
        };
        let position = store.register_trigger(&watched.key, on, now.milliseconds(), now).map_err(off)?;
        let next = match kind {
            Kind::Times(schedule, _) => {
                let from = Instant::from_milliseconds(position).unwrap_or(now).max(now);
                schedule.next(from, &served.calendar)
            }
            _ => None,
        };
        events.push(Event::Watching { trigger: watched.trigger.name.clone(), script: script.name.clone(), next });
    }
    store.tidy_triggers(now.minus(FORGOTTEN).unwrap_or(Instant::EPOCH)).map_err(off)?;
    store.commit().map_err(off)?;
    if told.insert((script.name.clone(), code.version.clone())) {
        events.into_iter().for_each(|event| shared.tell(event));
    }
    Ok(Post { worker, triggers })
}

fn kind(worker: &mut MachineWorker<'_>, watched: &Watched<'_>, shared: &Shared<'_>) -> Result<Kind, String> {
    match &watched.trigger.event {
        EventCode::File { pattern } => Ok(Kind::Files(pattern.clone(), file::Files::default())),
        EventCode::Record { entity, event, when } => {
            let happening = match event {
                RecordEvent::Created => RecordHappening::Created,
                RecordEvent::Changed => RecordHappening::Changed,
                RecordEvent::Deleted => RecordHappening::Deleted,
            };
            let record = watched.code.records.get(entity.0 as usize);
            let key = record.and_then(|record| record.fields.get(record.key?));
            let is_private = key.is_some_and(|key| key.label.is_some());
            Ok(Kind::Records(On { entity: *entity, happening, when: *when, is_private }))
        }
        event @ EventCode::Schedule { .. } => match times::schedule(event, worker, &shared.server.zone)? {
            Some((schedule, catch_up)) => Ok(Kind::Times(schedule, catch_up)),
            None => Err("it is no schedule".to_string()),
        },
    }
}

/// Starts the run of a trigger in the transaction in which the trigger remembers that it has; none when `remember`
/// says that another server was faster.
pub(super) fn start(
    worker: &mut MachineWorker<'_>,
    watched: &Watched<'_>,
    arguments: Vec<Value>,
    now: Instant,
    remember: impl FnOnce(&mut dyn Store) -> Result<bool, StoreError>,
) -> Result<Option<RunId>, Off> {
    let store = &mut *worker.world().store;
    store.begin().map_err(off)?;
    let started = remember(store).and_then(|is_new| match is_new {
        true => crate::flow::start(store, watched.code, watched.trigger.flow, arguments, &watched.trigger.name, now),
        false => Ok(None),
    });
    match started {
        Ok(Some(run)) => store.commit().map(|()| Some(run)).map_err(off),
        Ok(None) => {
            store.rollback().map_err(off)?;
            Ok(None)
        }
        Err(error) => {
            let _ = store.rollback();
            Err(off(error))
        }
    }
}
