//! Goes on with runs that their process has left, each with the code of its own version.

use super::console::{Console, Format};
use super::progress::Progress;
use super::signals::Signals;
use super::turns::Turns;
use super::{who, world};
use crate::adapter::mail::{self, DispatchReport};
use crate::adapter::sqlite::{self, STOPPED, SqliteStore};
use crate::compile::code::Code;
use crate::finding::Finding;
use crate::finding::catalogue::{self, cli, run as codes};
use crate::flow::version::code_of;
use crate::flow::{Broken, Engine, MachineWorker, Names, Options, Summary, Worker};
use crate::value::{Duration, Instant};
use crate::world::{GoneWorker, Journal, Leases, Project, RunId, RunRecord, RunState, StoreError, Waiting, World};
use ecow::EcoString;
use std::collections::{BTreeMap, HashMap, HashSet};

/// How many runs are looked at together.
const BATCH: usize = 1000;

/// The longest that a process whose lease is over is watched for a sign of life before others go on without its runs.
const LONGEST_WATCH: std::time::Duration = std::time::Duration::from_secs(30);

/// How often it is looked for one.
const LOOK: std::time::Duration = std::time::Duration::from_millis(100);

/// How many runs are named in a line.
const MOST_NAMED: usize = 10;

/// What is to be done with a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// It goes on where its process has left it.
    Resume,
    /// It has failed, and is tried again from there.
    Retry,
    /// It is ended, for this reason, and its steps are undone.
    Cancel(String),
}

/// What is to be done with runs, and until when.
#[derive(Debug, Clone)]
pub struct Errand<'s> {
    /// What is to be done.
    pub wanted: Wanted,
    /// Pauses that are longer are left to others.
    pub patience: Duration,
    /// What ends it between two commits.
    pub signals: &'s Signals,
}

/// What came of runs that went on.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The run that was at work when a signal said that it is enough.
    pub stopped: Option<RunRecord>,
    /// Each run that was worked on, with what it came to and the names of its version.
    pub ended: Vec<(RunRecord, Summary, Names)>,
    /// What kept runs from going on.
    pub findings: Vec<Finding>,
    /// What became of their mails.
    pub mails: DispatchReport,
}

/// What people call a run: `run 12 (process_order for 1001)`.
pub fn name(run: &RunRecord) -> String {
    let key = run.key.as_deref().map(|key| format!(" for {key}")).unwrap_or_default();
    super::account::clean(&format!("run {} ({}{key})", run.id.0, run.flow))
}

/// The store of a project without the entities of any script; none when nothing has run yet.
///
/// # Errors
/// When it can't be opened.
pub fn store(project: &Project) -> Result<Option<SqliteStore>, Box<Finding>> {
    if !project.store.is_file() {
        return Ok(None);
    }
    SqliteStore::open(&super::runs::shorter(&project.store), &[], &[], &sqlite::Options::default())
        .map(Some)
        .map_err(Box::new)
}

/// Takes over what the dead and the stuck have left, and gives the runs that nobody works on.
///
/// # Errors
/// When the store fails.
pub fn free_runs(store: &mut SqliteStore) -> Result<(Vec<GoneWorker>, Vec<RunRecord>), StoreError> {
    let gone = store.take_over()?;
    Ok((gone, store.free_runs(BATCH)?))
}

/// Goes on with all runs that nobody works on, says so in one line, and delivers their mail. Nothing is said or done
/// when there are none.
///
/// # Errors
/// When the store fails.
pub fn free(
    project: &Project,
    patience: Duration,
    signals: &Signals,
    console: &mut Console,
) -> Result<Outcome, Box<Finding>> {
    let errand = Errand { wanted: Wanted::Resume, patience, signals };
    let mut outcome = Outcome::default();
    let mut tried: HashSet<RunId> = HashSet::new();
    // A run may leave others behind: those that it had begun and that nobody waits for any more.
    loop {
        let Some(mut store) = store(project)? else { return Ok(outcome) };
        let gone = take_over(&mut store, project.lease, console).map_err(fatal)?;
        let mut runs = in_turns(store.free_runs(BATCH).map_err(fatal)?);
        // Those that were left in a pause whose time is over wait, and nobody else may be there to wake them. They come
        // in the order in which a server takes them up: by priority, then from each flow in turn.
        let now = Instant::from_timestamp(jiff::Timestamp::now()).unwrap_or(Instant::EPOCH);
        for ready in store.ready(now, BATCH).map_err(fatal)? {
            runs.extend(store.run(ready.run).map_err(fatal)?);
        }
        drop(store);
        let runs: Vec<RunRecord> = runs.into_iter().filter(|run| tried.insert(run.id)).collect();
        if runs.is_empty() || outcome.stopped.is_some() {
            return Ok(outcome);
        }
        console.message(announced(&gone, &runs));
        work(&runs, &errand, project, console, &mut outcome)?;
    }
}

/// Runs in an order that lets no flow wait for all runs of another: the oldest of each flow, then the second oldest.
fn in_turns(runs: Vec<RunRecord>) -> Vec<RunRecord> {
    let mut of_flow: HashMap<EcoString, usize> = HashMap::new();
    let mut turns: Vec<(usize, RunRecord)> = Vec::with_capacity(runs.len());
    for run in runs {
        let turn = of_flow.entry(run.flow.clone()).or_default();
        turns.push((*turn, run));
        *turn += 1;
    }
    // Those of one turn stay in their order.
    turns.sort_by_key(|(turn, _)| *turn);
    turns.into_iter().map(|(_, run)| run).collect()
}

/// Takes over what the dead and the stuck have left. Living processes whose lease is over are given the time for a sign
/// of life; most often there are none.
fn take_over(store: &mut SqliteStore, lease: Duration, console: &mut Console) -> Result<Vec<GoneWorker>, StoreError> {
    store.reckon_with(lease);
    let began = std::time::Instant::now();
    let mut gone = store.take_over()?;
    let mut was_told = false;
    while let Some(suspect) = store.suspects().first()
        && began.elapsed() < LONGEST_WATCH
    {
        if !was_told {
            was_told = true;
            let name = super::account::clean(suspect);
            console.message(format!("waiting for a sign of life of {name}: it is there, but its lease is over"));
        }
        std::thread::sleep(LOOK);
        gone.extend(store.take_over()?);
    }
    Ok(gone)
}

/// `goes on with run 12 (process_orders), which ada@desk, process 4711 has left`
fn announced(gone: &[GoneWorker], runs: &[RunRecord]) -> String {
    let who = match gone.iter().find(|gone| gone.runs > 0) {
        Some(gone) if gone.was_stuck => format!("{}, which was stuck, had", gone.name),
        Some(gone) => format!("{} has", gone.name),
        None => "its process has".to_string(),
    };
    let named: Vec<_> = runs.iter().take(MOST_NAMED).map(|run| run.id.0.to_string()).collect();
    let more = if runs.len() > MOST_NAMED { ", …" } else { "" };
    let are_due = runs.iter().filter(|run| run.state == RunState::Waiting).count();
    match runs {
        [run] if are_due == 1 => format!("going on with {}, whose wait is over", name(run)),
        [run] => format!("going on with {}, which {who} left", name(run)),
        runs if are_due > 0 => {
            format!(
                "going on with {} runs that were left or whose wait is over: {}{more}",
                runs.len(),
                named.join(", ")
            )
        }
        runs => {
            let who = who.replace("its process has", "their process has");
            format!("going on with {} runs that {who} left: {}{more}", runs.len(), named.join(", "))
        }
    }
}

/// Works on runs in their order, those of one version that follow each other together, until a signal says that it is enough.
/// While one of them pauses the others go on.
///
/// # Errors
/// When the store fails.
pub fn work(
    runs: &[RunRecord],
    errand: &Errand<'_>,
    project: &Project,
    console: &mut Console,
    outcome: &mut Outcome,
) -> Result<(), Box<Finding>> {
    let mut codes: HashMap<EcoString, Result<Code, Box<Finding>>> = HashMap::new();
    for of_version in runs.chunk_by(|one, next| one.version == next.version) {
        let Some(version) = of_version.first().map(|run| &run.version) else { continue };
        if outcome.stopped.is_some() {
            return Ok(());
        }
        if !codes.contains_key(version) {
            let kept = match store(project)? {
                Some(mut store) => store.version(version).map_err(fatal)?,
                None => None,
            };
            codes.insert(version.clone(), code_of(version, kept.as_ref()));
        }
        match codes.get(version) {
            None => {}
            Some(Ok(code)) => work_on(code, of_version, errand, project, console, outcome)?,
            Some(Err(finding)) => {
                let numbers: Vec<_> = of_version.iter().take(MOST_NAMED).map(|run| run.id.0.to_string()).collect();
                let mut finding = (**finding).clone();
                finding.message = format!("{}; run {} can't go on", finding.message, numbers.join(", "));
                outcome.findings.push(finding);
            }
        }
    }
    Ok(())
}

fn work_on(
    code: &Code,
    runs: &[RunRecord],
    errand: &Errand<'_>,
    project: &Project,
    console: &mut Console,
    outcome: &mut Outcome,
) -> Result<(), Box<Finding>> {
    let running = errand.signals.while_running();
    let mut world = world::until(project, code, Some(running.stop.clone()))?;
    world.store.enter(&who::process(), project.lease).map_err(fatal)?;
    let mut worker = MachineWorker::new(code, project.limits, world, false);
    let mut ended: BTreeMap<usize, Summary> = BTreeMap::new();
    let mut turns = Turns::of(runs.len(), errand.patience);
    while let Some(turn) = turns.next() {
        let Some(run) = runs.get(turn.at) else { break };
        if let Some(from) = turn.from {
            let clock = &mut worker.world().clock;
            let rest = from.since(clock.now());
            clock.sleep(rest.max(Duration::ZERO));
        }
        let mut progress = Progress::new(console, code);
        let options = Options { patience: turn.patience, ..Options::default() };
        let engine = Engine::new(code, &mut worker, &mut progress, options);
        let mut engine = engine.started_by(&who::user());
        let result = match &errand.wanted {
            Wanted::Resume => engine.resume(run.id),
            Wanted::Retry => engine.retry(run.id, &who::user()),
            Wanted::Cancel(why) => engine.cancel(run.id, &who::user(), why),
        };
        progress.finish();
        match result {
            Ok(summary) => {
                if let Some(wait) = &summary.waiting {
                    turns.put_aside(&turn, wait, worker.world().clock.now());
                }
                // What it says the last time it says of all that the run has done.
                ended.insert(turn.at, summary);
            }
            Err(error) if is_stopped(&error) => {
                outcome.stopped = Some(run.clone());
                break;
            }
            Err(Broken::Store(error)) => return Err(fatal(error)),
            // One that does not fit must not keep the others from going on.
            Err(error) => outcome.findings.push(broken(&error)),
        }
    }
    let ended = ended.into_iter().filter_map(|(at, summary)| Some((runs.get(at)?.clone(), summary, Names::of(code))));
    outcome.ended.extend(ended);
    if outcome.stopped.is_some() {
        return Ok(());
    }
    drop(running);
    let report = deliver(worker.world(), project, errand.signals, console).map_err(fatal)?;
    outcome.mails.delivered += report.delivered;
    outcome.mails.postponed.extend(report.postponed);
    outcome.mails.refused.extend(report.refused);
    outcome.mails.stopped |= report.stopped;
    outcome.mails.target = report.target;
    Ok(())
}

/// Tells how runs ended that went on before something else: what failed, and what could not go on.
pub fn tell_failures(outcome: &mut Outcome, console: &mut Console) {
    if console.format == Format::Json {
        return;
    }
    for (run, summary, _) in &outcome.ended {
        // That a run which was cancelled has ended so is no news.
        if let Some(failure) = summary.failure.as_ref().filter(|failure| failure.name != "cancelled") {
            let message = super::account::clean(&failure.message);
            console.message(format!("{} has failed: {message}; {}", name(run), after_failure(run.id.0, "")));
        }
    }
    for finding in outcome.findings.drain(..) {
        console.finding(finding);
    }
}

/// Delivers what is due in the outbox, until a signal says that it is enough; what has left is noted even then.
///
/// # Errors
/// When the store fails.
pub fn deliver(
    world: &mut World,
    project: &Project,
    signals: &Signals,
    console: &mut Console,
) -> Result<DispatchReport, StoreError> {
    let mut transport = mail::transport(project);
    transport.listen(signals.listener(console.listener()));
    mail::dispatch_until(world, &mut *transport, &|| signals.is_set())
}

/// Whether something broke off because a signal said that it is enough.
pub fn is_stopped(broken: &Broken) -> bool {
    matches!(broken, Broken::Store(StoreError::Failed { code: STOPPED, .. }))
}

/// Says that a signal has ended the work on a run, and how it goes on: nothing of what it has done is lost. `place` are the
/// options that lead to its store, with a blank before each.
pub fn tell_stopped(run: &RunRecord, place: &str, console: &mut Console) {
    if console.format == Format::Json {
        let key = run.key.as_deref();
        console
            .json(&serde_json::json!({ "run": run.id.0, "flow": run.flow.as_str(), "key": key, "state": "stopped" }));
        return;
    }
    let number = run.id.0;
    console.message(format!(
        "stopped by a signal; {} is safe, and what it has done is on disk: `rpa runs resume {number}{place}`, `rpa serve` or the \
         next `rpa run` goes on with it",
        name(run)
    ));
}

/// What can be done about a run that has failed. `place` are the options that name its store, with a blank before each.
pub fn after_failure(run: i64, place: &str) -> String {
    format!(
        "`rpa runs show {run}{place}` tells the whole story, `rpa runs retry {run}{place}` tries it again from where it failed"
    )
}

fn fatal(error: StoreError) -> Box<Finding> {
    Box::new(broken(&Broken::Store(error)))
}

/// What is said when the engine could not go on.
pub fn broken(broken: &Broken) -> Finding {
    let finding = match broken {
        Broken::Store(StoreError::Failed { code, message, help }) => {
            let code = catalogue::find(code).unwrap_or(&cli::STORE);
            let finding = Finding::without_place(code, message.clone());
            if help.is_empty() { finding } else { finding.help(help.clone()) }
        }
        Broken::Store(error) => Finding::without_place(&cli::STORE, error.to_string()),
        Broken::Taken { .. } => return broken.finding(),
        Broken::Journal { .. } => Finding::without_place(&codes::JOURNAL_MISMATCH, broken.to_string()),
    };
    finding.note("what was on disk before stays, the rest was taken back; run it again to go on from there")
}
