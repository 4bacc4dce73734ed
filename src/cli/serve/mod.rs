//! `rpa serve`: stays, starts flows when their triggers say so, goes on with runs, delivers mail.

mod settings;
mod shelf;
mod teller;

use self::settings::InForce;
use self::shelf::Shelf;
use self::teller::Teller;
use super::console::Console;
use super::runs::{of_path, shorter};
use super::signals::Signals;
use super::{Status, world};
use crate::adapter::mail;
use crate::adapter::sqlite::{Cleaned, Options, SqliteStore, Stop};
use crate::serve::{Server, serve};
use crate::value::{Duration, Instant};
use crate::world::StoreError;
use jiff::tz::TimeZone;
use std::path::{Path, PathBuf};

/// Start flows when their triggers say so, go on with runs, deliver mail
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A script, or a folder whose scripts are served
    #[arg(default_value = ".", value_name = "SCRIPT|FOLDER")]
    path: PathBuf,

    /// Do what can be done now, and end
    #[arg(long)]
    once: bool,

    /// How many runs are worked on side by side
    #[arg(long, default_value_t = 2, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,

    /// The file with records and journal, in place of that of the project
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

/// Serves until a signal says that it is enough.
pub fn run(arguments: &Arguments, console: &mut Console) -> Status {
    let Some(written) = of_path(&arguments.path, console) else { return Status::Failed };
    let mut project = written.clone();
    if let Some(store) = &arguments.store {
        project.store.clone_from(store);
    }
    let stop = Signals::listen(console).stop();
    let in_force = InForce::new(project.clone());
    let shelf = Shelf::new(&arguments.path, written, &in_force, &stop);
    let Some(served) = shelf.first(console) else { return Status::Failed };
    let zone = TimeZone::get(&project.zone).unwrap_or(TimeZone::UTC);
    let path = shorter(&project.store);
    let clean = || retire(&path, in_force.now().keep, &stop);
    let teller = Teller { zone: zone.clone(), store: path.clone() };
    teller.began(&served.scripts, arguments.once, console);
    let server = Server {
        served,
        renew: &|| shelf.look(),
        open: &|code| world::until(&in_force.now(), code, Some(stop.clone())),
        open_for_mail: &|code| world::of_project(&in_force.now(), code),
        transport: &|| mail::transport(&in_force.now()),
        process: super::who::process(),
        lease: project.lease,
        clean: &clean,
        zone,
        workers: usize::from(arguments.workers),
        once: arguments.once,
        stop: stop.clone(),
    };
    serve(server, &mut |event| teller.tell(event, console));
    teller.ended(stop.is_set(), console);
    Status::Fine
}

/// How often what ended long ago is removed.
const DAY: Duration = Duration::from_milliseconds(86_400_000);

/// Removes what ended longer ago than runs are kept, unless that was done within a day.
fn retire(store: &Path, keep: Option<Duration>, stop: &Stop) -> Result<Option<Cleaned>, StoreError> {
    let Some(keep) = keep.filter(|_| store.is_file()) else { return Ok(None) };
    let options = Options { stop: Some(stop.clone()), ..Options::default() };
    let mut store = SqliteStore::open(store, &[], &[], &options).map_err(|finding| StoreError::Failed {
        code: finding.code.id,
        message: finding.message,
        help: finding.help.unwrap_or_default(),
    })?;
    let now = Instant::from_timestamp(jiff::Timestamp::now()).unwrap_or(Instant::EPOCH);
    let before = now.milliseconds().checked_sub(keep.milliseconds());
    let before = before.and_then(|before| Instant::from_milliseconds(before).ok()).unwrap_or(Instant::EPOCH);
    store.clean_once(before, now, DAY)
}
