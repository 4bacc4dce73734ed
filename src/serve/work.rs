//! Runs go on: those that nobody works on, and those whose time has come.

use super::fairness::{FAR, places};
use super::{Event, PAUSE, REST, Shared, Troubles, trouble};
use crate::adapter::sqlite::STOPPED;
use crate::compile::code::Code;
use crate::finding::{Finding, catalogue};
use crate::flow::{Broken, Engine, MachineWorker, Options, Silent, Summary};
use crate::value::{Duration as Span, Instant};
use crate::world::{ReadyRun, RunId, RunState, StoreError, World};
use ecow::EcoString;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant as Moment};

/// How many runs are looked up together: what a server holds in memory of those that wait.
const BATCH: usize = 200;

/// How often it is looked whether another process has died.
const LOOK: Duration = Duration::from_secs(5);

/// A clock that shows less than it should by more than this was set back; by less, it was put right a little.
const SET_BACK: Span = Span::from_milliseconds(5 * Span::SECOND);

/// How many versions of scripts are kept ready.
const MOST_VERSIONS: usize = 16;

/// Takes up runs until the server ends, or until none can go on.
pub(super) fn work(shared: &Shared<'_>) {
    let mut troubles = Troubles::default();
    let mut worker = Work { shared, codes: HashMap::new(), looked: None, watcher: None, clock: None };
    while !shared.is_ending() {
        match worker.batch() {
            Ok(0) if shared.server.once => return,
            Ok(0) => {
                troubles.over();
                shared.rest(REST);
            }
            Ok(_) => troubles.over(),
            Err(finding) => {
                if let Some(finding) = finding {
                    troubles.tell(shared, *finding);
                }
                if shared.server.once {
                    return;
                }
                shared.rest(PAUSE);
            }
        }
    }
}

/// Why a batch broke off; nothing when the server is to end.
type Off = Option<Box<Finding>>;

struct Work<'s> {
    shared: &'s Shared<'s>,
    codes: HashMap<EcoString, Arc<Code>>,
    /// When it was looked last whether others have died.
    looked: Option<Moment>,
    /// Looks at the other processes, and remembers from one look to the next who was silent.
    watcher: Option<World>,
    /// What the clock showed when it was looked last.
    clock: Option<(Moment, Instant)>,
}

fn off(error: StoreError) -> Off {
    trouble(error).map(Box::new)
}

impl Work<'_> {
    /// Takes up the runs that can go on now; gives how many were worked on.
    fn batch(&mut self) -> Result<usize, Off> {
        let mut desk = self.open(&Code::default())?;
        if self.looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
            self.looked = Some(Moment::now());
            self.look_at_others()?;
        }
        self.look_at_clock(&mut desk)?;
        let mut worked = 0;
        loop {
            let runs = self.runs(&mut desk)?;
            if runs.is_empty() || self.shared.is_ending() {
                return Ok(worked);
            }
            let mut rest = runs.as_slice();
            while let Some(first) = rest.first() {
                // Those of one version that follow each other share its code; the order stays.
                let count = rest.iter().take_while(|run| run.version == first.version).count();
                let (group, behind) = rest.split_at(count);
                rest = behind;
                worked += self.group(&mut desk, group)?;
            }
            if worked == 0 {
                return Ok(0);
            }
        }
    }

    /// When the clock was set back, waiting runs compute anew how long they still wait: a pause before the next try has
    /// nothing to do with the time of day.
    fn look_at_clock(&mut self, desk: &mut World) -> Result<(), Off> {
        let now = desk.clock.now();
        let before = self.clock.replace((Moment::now(), now));
        let Some((moment, shown)) = before else { return Ok(()) };
        let passed = i64::try_from(moment.elapsed().as_millis()).unwrap_or(i64::MAX);
        if shown.since(now).milliseconds().saturating_add(passed) > SET_BACK.milliseconds() {
            desk.store.begin().map_err(off)?;
            desk.store.look_again().map_err(off)?;
            desk.store.commit().map_err(off)?;
        }
        Ok(())
    }

    /// Takes over what the dead and the stuck have left.
    fn look_at_others(&mut self) -> Result<(), Off> {
        let mut watcher = match self.watcher.take() {
            Some(watcher) => watcher,
            None => {
                let mut watcher = self.open(&Code::default())?;
                watcher.store.reckon_with(self.shared.server.lease);
                watcher
            }
        };
        for gone in watcher.store.take_over().map_err(off)? {
            self.shared.tell(Event::TookOver(gone));
        }
        self.watcher = Some(watcher);
        Ok(())
    }

    /// The runs that can go on, without those that a thread has in hand or that were given up. What is due comes by priority
    /// and from each flow in turn, what is new from each flow in turn; neither waits for the other.
    fn runs(&self, desk: &mut World) -> Result<Vec<ReadyRun>, Off> {
        let now = desk.clock.now();
        let copy = |set: &std::sync::Mutex<HashSet<i64>>| set.lock().map(|set| set.clone()).unwrap_or_default();
        let (given_up, in_hand) = (copy(&self.shared.given_up), copy(&self.shared.in_hand));
        let most = BATCH + given_up.len() + in_hand.len();
        let mut runs = desk.store.ready(now, most).map_err(off)?;
        runs.retain(|run| !given_up.contains(&run.run.0) && !in_hand.contains(&run.run.0));
        let mut backlog = self.shared.backlog.lock().unwrap_or_else(PoisonError::into_inner);
        if backlog.is_stale() {
            let mut new = desk.store.free_runs(most).map_err(off)?;
            if new.len() >= most {
                new = desk.store.free_runs(most.max(FAR)).map_err(off)?;
            }
            backlog.put(new);
        }
        let new = backlog.take(places(runs.len(), BATCH), &[&given_up, &in_hand]);
        runs.truncate(BATCH - new.len());
        runs.extend(new);
        Ok(runs)
    }

    fn group(&mut self, desk: &mut World, runs: &[ReadyRun]) -> Result<usize, Off> {
        let Some(version) = runs.first().map(|run| run.version.clone()) else { return Ok(0) };
        let code = match self.code(desk, &version)? {
            Ok(code) => code,
            Err(finding) => {
                for run in runs {
                    let mut finding = (*finding).clone();
                    finding.message = format!("run {} can't go on: {}", run.run.0, finding.message);
                    self.give_up(run.run, finding);
                }
                return Ok(0);
            }
        };
        let mut world = self.open(&code)?;
        world.store.enter(&self.shared.server.process, self.shared.server.lease).map_err(off)?;
        let mut worker = MachineWorker::new(&code, self.shared.served().limits, world, false);
        let taken: Vec<RunId> = runs.iter().map(|run| run.run).filter(|run| self.take(*run)).collect();
        let worked = self.resume(desk, &code, &mut worker, &taken);
        taken.iter().for_each(|run| self.put_down(*run));
        worked
    }

    /// Goes on with runs that are in this thread's hand; they share their commits.
    fn resume(
        &self,
        desk: &mut World,
        code: &Code,
        worker: &mut MachineWorker<'_>,
        taken: &[RunId],
    ) -> Result<usize, Off> {
        let mut runs = Vec::with_capacity(taken.len());
        for run in taken {
            // Another thread may have ended it since it was looked up.
            let state = desk.store.run(*run).map_err(off)?.map(|record| record.state);
            if matches!(state, Some(RunState::Running | RunState::Waiting)) {
                runs.push(*run);
            }
        }
        // A run that waits is a row; no thread waits for it.
        let options = Options { patience: crate::value::Duration::ZERO, ..Options::default() };
        match Engine::new(code, worker, &mut Silent, options).resume_all(&runs) {
            Ok(summaries) => {
                summaries.into_iter().for_each(|summary| self.tell(summary));
                return Ok(runs.len());
            }
            Err((_, Broken::Store(StoreError::Failed { code: STOPPED, .. }))) => return Err(None),
            Err((_, Broken::Store(error))) => return Err(off(error)),
            // One that can't go on must not keep the others from it.
            Err((_, Broken::Taken { .. } | Broken::Journal { .. })) => {}
        }
        let mut worked = 0;
        for run in runs {
            if self.shared.is_ending() {
                break;
            }
            match Engine::new(code, worker, &mut Silent, options).resume(run) {
                Ok(summary) => {
                    worked += 1;
                    self.tell(summary);
                }
                Err(Broken::Store(StoreError::Failed { code: STOPPED, .. })) => return Err(None),
                Err(Broken::Store(error)) => return Err(off(error)),
                // Another process was faster.
                Err(Broken::Taken { .. }) => {}
                Err(broken) => {
                    let finding = Finding::without_place(&catalogue::run::JOURNAL_MISMATCH, broken.to_string());
                    self.give_up(run, finding);
                }
            }
        }
        Ok(worked)
    }

    fn tell(&self, summary: Summary) {
        let Summary { run, flow, failure, waiting, runs, .. } = summary;
        let mut others: Vec<_> = runs.into_iter().map(|(flow, runs)| (flow, runs.done, runs.failed)).collect();
        // The run itself is told of anyway.
        others.retain(|(name, done, failed)| *name != flow && *done + *failed > 0);
        self.shared.tell(match (failure, waiting) {
            (Some(failure), _) => Event::Failed { run, flow, failure: Box::new(failure), others },
            (None, Some(wait)) => Event::Waits { run, flow, kind: wait.kind, what: wait.what, until: wait.wake },
            (None, None) => Event::Done { run, flow, others },
        });
    }

    /// Takes a run into this thread's hand; false when another thread has it.
    fn take(&self, run: RunId) -> bool {
        self.shared.in_hand.lock().map(|mut set| set.insert(run.0)).unwrap_or(false)
    }

    fn put_down(&self, run: RunId) {
        if let Ok(mut set) = self.shared.in_hand.lock() {
            set.remove(&run.0);
        }
    }

    /// Leaves a run alone that can't go on here, and says so once.
    fn give_up(&self, run: RunId, finding: Finding) {
        let is_new = self.shared.given_up.lock().map(|mut set| set.insert(run.0)).unwrap_or(false);
        if is_new {
            let help = format!("`rpa runs show {}` tells its story", run.0);
            let finding = if finding.help.is_some() { finding } else { finding.help(help) };
            self.shared.tell(Event::Problem(Box::new(finding)));
        }
    }

    fn open(&self, code: &Code) -> Result<World, Off> {
        (self.shared.server.open)(code).map_err(Some)
    }

    /// The code of a version: that of a script that is served, or made from what the store keeps.
    fn code(&mut self, desk: &mut World, version: &EcoString) -> Result<Result<Arc<Code>, Box<Finding>>, Off> {
        if let Some(code) = self.codes.get(version) {
            return Ok(Ok(code.clone()));
        }
        let kept = desk.store.version(version).map_err(off)?;
        let scripts = self.shared.served();
        let served = scripts.scripts.iter().find(|script| script.code.version == *version);
        let code = match served {
            Some(script) => script.code.clone(),
            None => match crate::flow::version::code_of(version, kept.as_ref()) {
                Ok(code) => code,
                Err(finding) => return Ok(Err(finding)),
            },
        };
        if self.codes.len() >= MOST_VERSIONS {
            self.codes.clear();
        }
        let code = Arc::new(code);
        self.codes.insert(version.clone(), code.clone());
        Ok(Ok(code))
    }
}
