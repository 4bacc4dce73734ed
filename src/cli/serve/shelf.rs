//! The scripts that are served, as they lie on the disk, and what becomes of them while the server is at work.
//!
//! A script is made of several files: itself, the scripts that it uses, templates, tables. When one of them has
//! changed and stays so from one look to the next, the whole is checked anew, and is served from then on if it can be. When
//! the settings have changed, all scripts are.

use super::super::console::Console;
use super::super::project::{self, FILE};
use super::super::runs::shorter;
use super::super::{folders, secrets, sources, trust, world};
use super::settings::{self, Change, InForce};
use crate::adapter::calendar;
use crate::adapter::scripts::DiskLoader;
use crate::adapter::sqlite::Stop;
use crate::check::capability::secrets_of;
use crate::check::{Boundaries, LoadError, Loader};
use crate::compile::compile;
use crate::finding::catalogue::serve as codes;
use crate::finding::{Finding, Levels};
use crate::serve::{Event, Renewal, Script, Served};
use crate::text::{Source, Sources};
use crate::value::EcoString;
use crate::value::schedule::Calendar;
use crate::vm::Limits;
use crate::world::Project;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

/// What can be served of a path, and how it was at the last look.
pub(super) struct Shelf<'p> {
    path: &'p Path,
    /// What `rpa.toml` said when the server began.
    began: Project,
    in_force: &'p InForce,
    stop: &'p Stop,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    settings: Settings,
    limits: Limits,
    places: Vec<Place>,
    calendar: Calendar,
    holidays: Watch,
}

/// The file with the settings.
#[derive(Default)]
struct Settings {
    watch: Watch,
    /// What it said when it was gone by last; none when that was at the beginning.
    last: Option<Project>,
    /// Whether a script keeps the file from being gone by, and has changed since: then it is tried again.
    is_refused: bool,
    is_worth_another_try: bool,
}

/// A script.
struct Place {
    path: PathBuf,
    /// Its files.
    watch: Watch,
    /// What is served of it; none while it has errors or nothing to serve.
    script: Option<Arc<Script>>,
}

/// Some files, and how they were when they were read.
#[derive(Default)]
struct Watch {
    files: Vec<PathBuf>,
    read: Vec<Stamp>,
    /// How they were at the last look, when that was otherwise: somebody may be writing still.
    seen: Option<Vec<Stamp>>,
}

/// How a file looks from outside; none when it is not there.
type Stamp = Option<(u64, SystemTime)>;

fn stamp(path: &PathBuf) -> Stamp {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

impl Watch {
    fn of(files: Vec<PathBuf>, read: Vec<Stamp>) -> Watch {
        Watch { files, read, seen: None }
    }

    /// Whether the files are others than were read, and have stayed so since the last look.
    fn has_settled_otherwise(&mut self) -> bool {
        let now: Vec<Stamp> = self.files.iter().map(stamp).collect();
        if now == self.read {
            self.seen = None;
            return false;
        }
        let has_settled = self.seen.as_ref() == Some(&now);
        self.seen = Some(now);
        has_settled
    }
}

/// What came of reading a script.
enum Read {
    /// It can be served.
    Script(Box<Script>),
    /// It can't.
    Findings(Vec<Finding>, Sources),
}

impl<'p> Shelf<'p> {
    /// `written` is what `rpa.toml` says.
    pub fn new(path: &'p Path, written: Project, in_force: &'p InForce, stop: &'p Stop) -> Shelf<'p> {
        Shelf { path, began: written, in_force, stop, state: Mutex::default() }
    }

    /// What can be served at first; what is wrong with the rest is said. None when that keeps the server from its
    /// work.
    pub fn first(&self, console: &mut Console) -> Option<Served> {
        let project = self.in_force.now();
        let mut state = State { limits: project.limits, ..State::default() };
        // As the file was a moment ago; whatever has come between is seen at the second look.
        let file = vec![project.folder.join(FILE)];
        let stamps = file.iter().map(stamp).collect();
        state.settings.watch = Watch::of(file, stamps);
        match read_calendar(&project, &mut state.holidays) {
            Ok(calendar) => state.calendar = calendar,
            Err(finding) => {
                console.finding(*finding);
                return None;
            }
        }
        let unusable = trust::unusable(&project);
        let keeps = unusable.iter().any(Finding::is_error);
        unusable.into_iter().for_each(|finding| console.finding(finding));
        if keeps {
            return None;
        }
        let mut missing = Vec::new();
        let paths = self.paths(&mut missing);
        if let Some(finding) = missing.pop() {
            console.finding(finding);
            return None;
        }
        for path in paths {
            let (read, watch) = read(&path, &project, console);
            let script = match read {
                Read::Script(script) => self.worth_serving(script),
                Read::Findings(findings, sources) => {
                    console.findings(findings, &sources);
                    if !self.path.is_dir() {
                        return None;
                    }
                    let message = format!("{} is not served", shorter(&path).display());
                    let finding = Finding::without_place(&codes::SCRIPT, message);
                    console.finding(finding.note("the other scripts are; it will be, once it is mended"));
                    None
                }
            };
            state.places.push(Place { path, watch, script });
        }
        let served = state.served();
        *self.state.lock().ok()? = state;
        Some(served)
    }

    /// What has become of the files since the last look; none when nothing has that matters.
    pub fn look(&self) -> Option<Renewal> {
        let mut state = self.state.lock().ok()?;
        let mut events = Vec::new();
        let mut is_other = self.look_at_settings(&mut state, &mut events);
        let project = self.in_force.now();
        is_other |= look_at_calendar(&project, &mut state, &mut events);
        // A folder that can't be looked at for a moment takes nothing off the shelf.
        let mut troubles = Vec::new();
        let paths = self.paths(&mut troubles);
        if troubles.is_empty() {
            is_other |= withdraw(&mut state, &paths, &mut events);
        }
        for path in paths {
            let at = match state.places.iter().position(|place| place.path == path) {
                Some(at) => at,
                None => {
                    let watch = Watch::of(vec![path.clone()], vec![None]);
                    state.places.push(Place { path, watch, script: None });
                    state.places.len() - 1
                }
            };
            let Some(place) = state.places.get_mut(at) else { continue };
            if place.watch.has_settled_otherwise() {
                is_other |= self.renew(place, &project, &mut events);
                state.settings.is_worth_another_try |= state.settings.is_refused;
            }
        }
        if is_other || !events.is_empty() {
            return Some(Renewal { served: is_other.then(|| state.served()), events });
        }
        None
    }

    /// Reads a script anew; true when it is served otherwise from now on.
    fn renew(&self, place: &mut Place, project: &Project, events: &mut Vec<Event>) -> bool {
        let (read, watch) = read(&place.path, project, &mut Console::quiet());
        place.watch = watch;
        let name = name(&place.path, project);
        let not_renewed = |findings, sources, events: &mut Vec<Event>| {
            let is_served = place.script.is_some();
            events.push(Event::NotRenewed { script: name.clone(), is_served, findings, sources: Box::new(sources) });
            false
        };
        let script = match read {
            Read::Script(script) => script,
            Read::Findings(findings, sources) => return not_renewed(findings, sources, events),
        };
        if place.script.as_ref().is_some_and(|old| old.code.version == script.code.version) {
            return false;
        }
        // The records that are there must fit the entities as they are now, or be brought to it.
        if let Err(finding) = world::until(project, &script.code, Some(self.stop.clone())) {
            return not_renewed(vec![*finding], script.code.sources, events);
        }
        let before = place.script.take();
        place.script = self.worth_serving(script);
        match (before.is_some(), place.script.is_some()) {
            (false, false) => return false,
            (true, false) => events.push(Event::Withdrawn { script: name }),
            (is_old, true) => events.push(Event::Renewed { script: name, is_new: !is_old }),
        }
        true
    }

    /// Goes by the settings as they are now, when they and the scripts under them are right; true when something is served
    /// otherwise from now on.
    fn look_at_settings(&self, state: &mut State, events: &mut Vec<Event>) -> bool {
        let has_settled = state.settings.watch.has_settled_otherwise();
        if !has_settled && !std::mem::take(&mut state.settings.is_worth_another_try) {
            return false;
        }
        let files = state.settings.watch.files.clone();
        let read = files.iter().map(stamp).collect();
        state.settings.watch = Watch::of(files, read);
        state.settings.is_refused = false;
        let in_force = self.in_force.now();
        let mut sources = Sources::new();
        let written = match written(&in_force, &mut sources) {
            Ok(written) => written,
            Err(findings) => {
                events.push(Event::SettingsKept { script: None, findings, sources: Box::new(sources) });
                return false;
            }
        };
        let last = state.settings.last.as_ref().unwrap_or(&self.began);
        let Change { project, taken, for_restart } = settings::change(&in_force, &self.began, last, &written);
        let mut is_other = false;
        if !taken.is_empty() {
            match self.under(&project, state) {
                Ok(under) => {
                    state.limits = project.limits;
                    (state.calendar, state.holidays, state.places) = (under.calendar, under.holidays, under.places);
                    events.extend(under.events);
                    is_other = true;
                }
                Err(kept) => {
                    state.settings.is_refused = true;
                    events.push(*kept);
                    return false;
                }
            }
            self.in_force.replace(project);
        }
        state.settings.last = Some(written);
        if !taken.is_empty() || !for_restart.is_empty() {
            events.push(Event::SettingsChanged { taken, for_restart });
        }
        is_other
    }

    /// What would be served under other settings, or why that can't be. A script that is not served keeps nothing from
    /// being gone by.
    fn under(&self, project: &Project, state: &State) -> Result<Under, Box<Event>> {
        let kept = |script, findings, sources| Event::SettingsKept { script, findings, sources: Box::new(sources) };
        let mut holidays = Watch::default();
        let calendar = read_calendar(project, &mut holidays)
            .map_err(|finding| Box::new(kept(None, vec![*finding], Sources::new())))?;
        let unusable: Vec<Finding> = trust::unusable(project).into_iter().filter(Finding::is_error).collect();
        if !unusable.is_empty() {
            return Err(Box::new(kept(None, unusable, Sources::new())));
        }
        let mut under = Under { calendar, holidays, places: Vec::new(), events: Vec::new() };
        for place in &state.places {
            let (read, watch) = read(&place.path, project, &mut Console::quiet());
            let name = name(&place.path, project);
            let script = match (read, &place.script) {
                (Read::Script(script), Some(old)) if script.code.version == old.code.version => Some(old.clone()),
                (Read::Script(script), old) => {
                    if let Err(finding) = world::until(project, &script.code, Some(self.stop.clone())) {
                        return Err(Box::new(kept(Some(name), vec![*finding], script.code.sources)));
                    }
                    let script = self.worth_serving(script);
                    match (old.is_some(), script.is_some()) {
                        (_, true) => under.events.push(Event::Renewed { script: name, is_new: old.is_none() }),
                        (true, false) => under.events.push(Event::Withdrawn { script: name }),
                        (false, false) => {}
                    }
                    script
                }
                (Read::Findings(..), None) => None,
                (Read::Findings(findings, sources), Some(_)) => {
                    return Err(Box::new(kept(Some(name), findings, sources)));
                }
            };
            under.places.push(Place { path: place.path.clone(), watch, script });
        }
        Ok(under)
    }

    fn paths(&self, troubles: &mut Vec<Finding>) -> Vec<PathBuf> {
        match self.path.is_dir() {
            true => folders::named(&[self.path.display().to_string()], troubles),
            false => vec![self.path.to_path_buf()],
        }
    }

    /// In a folder, what others use and what tests them has nothing to serve of its own.
    fn worth_serving(&self, script: Box<Script>) -> Option<Arc<Script>> {
        (!self.path.is_dir() || !script.code.triggers.is_empty()).then(|| script.into())
    }
}

/// What is served under other settings.
struct Under {
    calendar: Calendar,
    holidays: Watch,
    places: Vec<Place>,
    events: Vec<Event>,
}

/// What the file with the settings says now.
fn written(in_force: &Project, sources: &mut Sources) -> Result<Project, Vec<Finding>> {
    let folder = match shorter(&in_force.folder) {
        here if here.as_os_str().is_empty() => PathBuf::from("."),
        folder => folder,
    };
    if !in_force.folder.join(FILE).is_file() {
        let message = format!("{} is gone", folder.join(FILE).display());
        return Err(vec![
            Finding::without_place(&codes::SETTINGS, message).help("put it back, or start `rpa serve` again"),
        ]);
    }
    project::of_folder(&folder, sources)
}

fn look_at_calendar(project: &Project, state: &mut State, events: &mut Vec<Event>) -> bool {
    if !state.holidays.has_settled_otherwise() {
        return false;
    }
    match read_calendar(project, &mut state.holidays) {
        Ok(calendar) if calendar == state.calendar => false,
        Ok(calendar) => {
            state.calendar = calendar;
            events.push(Event::CalendarChanged);
            true
        }
        Err(finding) => {
            let finding = finding.note("days are counted with the holidays as they were before the change");
            events.push(Event::Problem(Box::new(finding)));
            false
        }
    }
}

fn read_calendar(project: &Project, watch: &mut Watch) -> Result<Calendar, Box<Finding>> {
    let Some(path) = &project.holidays else { return Ok(Calendar::default()) };
    let files = vec![path.clone()];
    let read = files.iter().map(stamp).collect();
    *watch = Watch::of(files, read);
    calendar::read(path, &shorter(path))
}

/// Reads a script under some settings, and says which files it is made of.
fn read(path: &Path, project: &Project, console: &mut Console) -> (Read, Watch) {
    let mut files = vec![path.to_path_buf()];
    // Before anything is read: what is changed meanwhile is seen as changed.
    let mut stamps = vec![stamp(&path.to_path_buf())];
    let mut texts = Sources::new();
    let read = match sources::read(&path.display().to_string(), console, &mut texts) {
        Err(finding) => Read::Findings(vec![*finding], texts),
        Ok(id) => {
            let source = texts.get(id).cloned().unwrap_or_else(|| Source::new(path.display().to_string(), ""));
            let loader = Noting { inner: DiskLoader::new(project), named: RefCell::default() };
            let checked = crate::check::check(source, &loader);
            for (file, stamp) in loader.named.into_inner() {
                files.push(file);
                stamps.push(stamp);
            }
            match checked.program {
                Some(program) => match secrets::missing(project, &secrets_of(&program)) {
                    missing if missing.is_empty() => {
                        Read::Script(Box::new(Script { name: name(path, project), code: compile(&program) }))
                    }
                    // A run would come to its end in the middle for it.
                    missing => Read::Findings(missing, checked.sources),
                },
                None => Read::Findings(checked.findings, checked.sources),
            }
        }
    };
    (read, Watch::of(files, stamps))
}

impl State {
    fn served(&self) -> Served {
        let scripts = self.places.iter().filter_map(|place| place.script.clone()).collect();
        Served { scripts, calendar: self.calendar.clone(), limits: self.limits }
    }
}

/// Takes scripts off the shelf that are not there any more; true when there were such.
fn withdraw(state: &mut State, paths: &[PathBuf], events: &mut Vec<Event>) -> bool {
    let mut withdrawn = false;
    state.places.retain_mut(|place| {
        if paths.contains(&place.path) {
            return true;
        }
        // A script that is replaced may be gone for a moment.
        if !place.watch.has_settled_otherwise() {
            return true;
        }
        if let Some(script) = &place.script {
            withdrawn = true;
            events.push(Event::Withdrawn { script: script.name.clone() });
        }
        false
    });
    withdrawn
}

/// What people call a script: its path in the project.
fn name(path: &Path, project: &Project) -> EcoString {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    real.strip_prefix(&project.folder).unwrap_or(&real).display().to_string().replace('\\', "/").into()
}

/// A loader that notes which files it was asked for, those that are not there too: they may come.
struct Noting {
    inner: DiskLoader,
    named: RefCell<Vec<(PathBuf, Stamp)>>,
}

impl Loader for Noting {
    fn read(&self, from: &Source, relative: &str) -> Result<Vec<u8>, LoadError> {
        let folder = from.path.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        let path = folder.join(relative);
        let mut named = self.named.borrow_mut();
        if named.iter().all(|(known, _)| *known != path) {
            let stamp = stamp(&path);
            named.push((path, stamp));
        }
        drop(named);
        self.inner.read(from, relative)
    }

    fn sheet(&self, bytes: &[u8], sheet: Option<&str>) -> Result<Vec<Vec<String>>, LoadError> {
        self.inner.sheet(bytes, sheet)
    }

    fn is_run_elsewhere(&self, script: &Source, flow: &str) -> bool {
        self.inner.is_run_elsewhere(script, flow)
    }

    fn boundaries(&self) -> Boundaries {
        self.inner.boundaries()
    }

    fn levels(&self) -> &Levels {
        self.inner.levels()
    }
}
