//! SIGINT and SIGTERM: a command that works on runs ends between two commits, and says how they go on.

use super::console::Console;
use crate::adapter::sqlite::Stop;
use crate::world::Listener;
use signal_hook::SigId;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};
use std::io;
use std::sync::Arc;

/// What the process hears from outside, for as long as it lives.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    is_enough: Stop,
    /// Whether anybody listens: a signal ends the process at once otherwise.
    listens: bool,
}

/// Stops the work on runs, until it is dropped: mail that has left is noted afterwards whatever was heard.
#[derive(Debug)]
pub struct WhileRunning {
    /// What the store looks at.
    pub stop: Stop,
    ids: Vec<SigId>,
}

impl Signals {
    /// Listens from now on. The first signal says that it is enough, the second one ends the process at once. Where the
    /// system lets nobody listen that is said, and the first one ends it at once, which loses nothing either.
    pub fn listen(console: &mut Console) -> Signals {
        Signals::register().unwrap_or_else(|error| {
            console.message(format!("signals can't be heard: {error}"));
            Signals::default()
        })
    }

    fn register() -> io::Result<Signals> {
        let signals = Signals { is_enough: Stop::default(), listens: true };
        for signal in [SIGINT, SIGTERM] {
            flag::register_conditional_shutdown(signal, 1, signals.is_enough.0.clone())?;
            flag::register(signal, signals.is_enough.0.clone())?;
        }
        Ok(signals)
    }

    /// Whether it is enough.
    pub fn is_set(&self) -> bool {
        self.is_enough.is_set()
    }

    /// For those who have work of their own to end.
    pub fn stop(&self) -> Stop {
        self.is_enough.clone()
    }

    /// Lets signals stop work on runs.
    pub fn while_running(&self) -> WhileRunning {
        let stop = Stop::default();
        let signals = [SIGINT, SIGTERM].into_iter().filter(|_| self.listens);
        let ids = signals.filter_map(|signal| flag::register(signal, stop.0.clone()).ok()).collect();
        if self.is_set() {
            stop.0.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        WhileRunning { stop, ids }
    }

    /// Somebody who listens to what delivery waits for, and gives up what can be given up after a signal.
    pub fn listener(&self, inner: Arc<dyn Listener>) -> Arc<dyn Listener> {
        Arc::new(UntilSignal { inner, signals: self.clone() })
    }
}

impl Drop for WhileRunning {
    fn drop(&mut self) {
        for id in self.ids.drain(..) {
            low_level::unregister(id);
        }
    }
}

struct UntilSignal {
    inner: Arc<dyn Listener>,
    signals: Signals,
}

impl Listener for UntilSignal {
    fn waits(&self, what: &str) {
        self.inner.waits(what);
    }

    fn is_ending(&self) -> bool {
        self.signals.is_set()
    }
}
