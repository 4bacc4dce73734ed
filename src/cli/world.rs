//! The real world of a project, put together from the adapters.

use super::switches;
use crate::adapter::calendar::CalendarFile;
use crate::adapter::clock::SystemClock;
use crate::adapter::disk::DiskFiles;
use crate::adapter::office::OfficeDocuments;
use crate::adapter::random::SystemRandom;
use crate::adapter::secrets::DeclaredSecrets;
use crate::adapter::sqlite::{self, SqliteStore, Stop};
use crate::adapter::web::HttpWeb;
use crate::compile::code::Code;
use crate::finding::Finding;
use crate::world::{Files, Holidays, Project, Secrets, Settings, Store, World};
use jiff::tz::TimeZone;

/// The real world of a project: its store knows the entities of this program.
///
/// # Errors
/// When the store can't be opened, or does not fit the program.
pub fn of_project(project: &Project, code: &Code) -> Result<World, Box<Finding>> {
    until(project, code, None)
}

/// The same; once `stop` is set, nothing begins in it any more.
///
/// # Errors
/// As [`of_project`].
pub fn until(project: &Project, code: &Code, stop: Option<Stop>) -> Result<World, Box<Finding>> {
    let path = super::runs::shorter(&project.store);
    let options = sqlite::Options { stop: stop.clone(), ..sqlite::Options::default() };
    let store = SqliteStore::open(&path, &code.records, &code.enums, &options).map_err(Box::new)?;
    let mut world = with_store(project, Box::new(store));
    if let Some(stop) = stop {
        world.clock = Box::new(SystemClock::new(world.clock.zone().clone()).until(stop));
    }
    Ok(world)
}

/// The real world of a project around a store.
pub fn with_store(project: &Project, store: Box<dyn Store>) -> World {
    let zone = TimeZone::get(&project.zone).unwrap_or(TimeZone::UTC);
    let (switches, files) = switches::switched(project, DiskFiles::new(project));
    World {
        store,
        clock: Box::new(SystemClock::new(zone)),
        random: Box::new(SystemRandom::default()),
        files,
        documents: Box::new(OfficeDocuments::new(project)),
        web: Box::new(HttpWeb::new(project.authorities.clone())),
        secrets: Secrets::new(DeclaredSecrets::new(project.secrets.clone())),
        settings: Settings { switches, holidays: holidays(project), ..project.settings() },
    }
}

/// The holidays of a project.
fn holidays(project: &Project) -> Holidays {
    match &project.holidays {
        Some(path) => Holidays::new(CalendarFile::new(path.clone(), super::runs::shorter(path))),
        None => Holidays::default(),
    }
}

/// The real files of a project.
pub fn files(project: &Project) -> Box<dyn Files> {
    switches::switched(project, DiskFiles::new(project)).1
}
