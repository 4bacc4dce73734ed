//! A server: a process that stays, starts flows when their triggers say so, goes on with the runs that can, and
//! delivers mail.
//!
//! Three kinds of threads, each with a connection of its own, know each other through the store alone: `watch` looks
//! for triggers and puts a run into the store in the transaction in which it remembers that it has (`file`, `times`
//! and `records` are the kinds of triggers), `work` takes up runs that are free or due
//! (`fairness` sees to it that neither waits for the other), `post` delivers mail. A fourth,
//! `renew`, looks whether the scripts or the settings have changed. So two
//! servers on one store, or a server and `rpa run`, do nothing twice, and a server that is killed loses nothing.

// A server is where files are looked at from outside of flows, and threads rest.
#![allow(clippy::disallowed_methods, reason = "a server watches folders and waits")]

mod event;
mod fairness;
mod file;
mod post;
mod records;
mod renew;
mod tidy;
mod times;
mod watch;
mod work;

pub use event::Event;

use crate::adapter::sqlite::{Cleaned, Stop};
use crate::compile::code::Code;
use crate::finding::{Finding, catalogue};
use crate::value::schedule::Calendar;
use crate::value::{Duration, EcoString};
use crate::vm::Limits;
use crate::world::{StoreError, Transport, World};
use jiff::tz::TimeZone;
use std::collections::HashSet;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

/// How long a thread rests when there is nothing to do.
const REST: std::time::Duration = std::time::Duration::from_millis(250);

/// How long a thread rests when the store has failed.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(5);

/// A script that is served.
pub struct Script {
    /// What people call it: its path in the project.
    pub name: EcoString,
    /// Its code.
    pub code: Code,
}

/// What is served at a moment.
#[derive(Default)]
pub struct Served {
    /// The scripts.
    pub scripts: Vec<Arc<Script>>,
    /// The holidays.
    pub calendar: Calendar,
    /// How far scripts may go.
    pub limits: Limits,
}

/// What has become of the scripts and settings.
pub struct Renewal {
    /// What is served from now on; none when that stays as it is.
    pub served: Option<Served>,
    /// What is told of it.
    pub events: Vec<Event>,
}

/// Looks whether scripts or settings have changed; none when nothing is to be told.
pub type Renew<'s> = &'s (dyn Fn() -> Option<Renewal> + Sync);

/// Removes what ended long ago; none when it is not time for that.
pub type Clean<'s> = &'s (dyn Fn() -> Result<Option<Cleaned>, StoreError> + Sync);

/// What a server needs to know.
pub struct Server<'s> {
    /// What is served when it begins.
    pub served: Served,
    /// Looks whether that has changed.
    pub renew: Renew<'s>,
    /// Opens the world for the program of some code; nothing begins in it any more once the server is to end.
    pub open: &'s (dyn Fn(&Code) -> Result<World, Box<Finding>> + Sync),
    /// Opens the world for mail: what has left is noted there also when the server is to end, or it would leave again.
    pub open_for_mail: &'s (dyn Fn(&Code) -> Result<World, Box<Finding>> + Sync),
    /// Makes the way that mail leaves.
    pub transport: &'s (dyn Fn() -> Box<dyn Transport> + Sync),
    /// What others are told whose runs this server has: `ada@desk, process 4711`.
    pub process: String,
    /// How long the server holds its runs without a sign of life.
    pub lease: Duration,
    /// Removes what ended long ago, unless that was done within a day or everything is kept.
    pub clean: Clean<'s>,
    /// In which zone schedules count that name none.
    pub zone: TimeZone,
    /// How many threads take up runs.
    pub workers: usize,
    /// Ends when everything is done that can be done now.
    pub once: bool,
    /// Says that the server is to end.
    pub stop: Stop,
}

/// What the threads share.
struct Shared<'s> {
    server: &'s Server<'s>,
    /// What is served now.
    served: Mutex<Arc<Served>>,
    events: Sender<Event>,
    /// The runs that a thread of this server has in hand.
    in_hand: Mutex<HashSet<i64>>,
    /// The runs that can't go on here; they are told of once.
    given_up: Mutex<HashSet<i64>>,
    /// New runs that wait for a thread.
    backlog: Mutex<fairness::Backlog>,
}

impl Shared<'_> {
    fn tell(&self, event: Event) {
        // When nobody listens any more the server is at its end.
        let _ = self.events.send(event);
    }

    /// What is served now.
    fn served(&self) -> Arc<Served> {
        self.served.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Serves something else from now on.
    fn serve_instead(&self, served: Served) {
        *self.served.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(served);
    }

    fn is_ending(&self) -> bool {
        self.server.stop.is_set()
    }

    /// Rests, but not beyond the end.
    fn rest(&self, length: std::time::Duration) {
        let mut left = length;
        while !left.is_zero() && !self.is_ending() {
            let part = left.min(REST);
            std::thread::sleep(part);
            left -= part;
        }
    }
}

/// Serves until it is to stop, and tells of all that happens.
pub fn serve(mut server: Server<'_>, tell: &mut dyn FnMut(Event)) {
    let (events, told) = channel();
    let served = Mutex::new(Arc::new(std::mem::take(&mut server.served)));
    let server = &server;
    let shared = Shared {
        server,
        served,
        events,
        in_hand: Mutex::default(),
        given_up: Mutex::default(),
        backlog: Mutex::default(),
    };
    let shared = &shared;
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        if server.once {
            threads.push(scope.spawn(|| {
                watch::look(shared);
                work::work(shared);
                post::deliver(shared);
                tidy::tidy(shared);
            }));
        } else {
            threads.push(scope.spawn(|| watch::watch(shared)));
            threads.push(scope.spawn(|| post::deliver(shared)));
            threads.push(scope.spawn(|| tidy::tidy(shared)));
            threads.push(scope.spawn(|| renew::renew(shared)));
            for _ in 0..server.workers.max(1) {
                threads.push(scope.spawn(|| work::work(shared)));
            }
        }
        while threads.iter().any(|thread| !thread.is_finished()) {
            if let Ok(event) = told.recv_timeout(REST) {
                tell(event);
            }
        }
    });
    while let Ok(event) = told.try_recv() {
        tell(event);
    }
}

/// Tells of troubles, but not of the same one again and again.
#[derive(Default)]
struct Troubles {
    last: Option<(String, std::time::Instant)>,
}

/// How long the same trouble is not told again.
const QUIET: std::time::Duration = std::time::Duration::from_secs(600);

impl Troubles {
    fn tell(&mut self, shared: &Shared<'_>, finding: Finding) {
        let now = std::time::Instant::now();
        let is_known = self
            .last
            .as_ref()
            .is_some_and(|(message, at)| *message == finding.message && now.duration_since(*at) < QUIET);
        if !is_known {
            self.last = Some((finding.message.clone(), now));
            shared.tell(Event::Problem(Box::new(finding)));
        }
    }

    fn over(&mut self) {
        self.last = None;
    }
}

/// What is said when the store has failed; none when it only says that the server is to end.
fn trouble(error: StoreError) -> Option<Finding> {
    match error {
        StoreError::Failed { code: crate::adapter::sqlite::STOPPED, .. } => None,
        StoreError::Failed { code, message, help } => {
            let code = catalogue::find(code).unwrap_or(&catalogue::cli::STORE);
            let finding = Finding::without_place(code, message);
            Some(if help.is_empty() { finding } else { finding.help(help) })
        }
        error => Some(Finding::without_place(&catalogue::cli::STORE, error.to_string())),
    }
}
