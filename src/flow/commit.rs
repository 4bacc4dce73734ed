//! One transaction for many steps of many runs.
//!
//! Effects in the store, mails in the outbox and the journal lie in the same transaction, and nothing leaves
//! the machine before it is on disk. So it does not matter for what a crash leaves behind where one
//! transaction ends and the next begins: the steps of a lost group never became visible, and are done again.

use super::Broken;
use crate::value::{Duration, Instant};
use crate::world::{StoreError, World};

/// When a group is put on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupLimits {
    /// After so many entries of the journal; 1 puts every step on disk by itself.
    pub entries: u32,
    /// After so much time, so that other processes get their turn at the store.
    pub time: Duration,
}

impl Default for GroupLimits {
    fn default() -> Self {
        GroupLimits { entries: 20_000, time: Duration::from_milliseconds(500) }
    }
}

/// The open transaction, if there is one.
#[derive(Debug)]
pub(super) struct Group {
    limits: GroupLimits,
    opened: Option<Instant>,
    entries: u32,
}

impl Group {
    pub fn new(limits: GroupLimits) -> Group {
        Group { limits, opened: None, entries: 0 }
    }

    /// Sees to it that a transaction is open.
    pub fn open(&mut self, world: &mut World) -> Result<(), Broken> {
        if self.opened.is_none() {
            world.store.begin()?;
            self.opened = Some(world.clock.now());
            self.entries = 0;
        }
        Ok(())
    }

    /// Counts an entry.
    pub fn count(&mut self) {
        self.entries += 1;
    }

    /// Puts the group on disk when it is large or old. Called where no savepoint is open.
    pub fn close_when_due(&mut self, world: &mut World) -> Result<(), Broken> {
        let Some(opened) = self.opened else { return Ok(()) };
        // A clock that was set back must not keep a transaction open.
        let old = || {
            let now = world.clock.now();
            now < opened || now.since(opened) >= self.limits.time
        };
        if self.entries >= self.limits.entries || (self.entries > 0 && old()) { self.close(world) } else { Ok(()) }
    }

    /// Puts the group on disk.
    pub fn close(&mut self, world: &mut World) -> Result<(), Broken> {
        if self.opened.is_some() {
            // Files that steps of the group wrote are on disk before anyone can rely on them.
            world.files.flush().map_err(|error| StoreError::Failed {
                code: "store::full",
                message: error.to_string(),
                help: "see to the disk, then run the script again: the steps that wrote the files are done again"
                    .into(),
            })?;
            self.opened = None;
            world.store.commit()?;
        }
        Ok(())
    }

    /// Takes the group back after the store has failed. What can't even be taken back is gone with the
    /// connection: a transaction that was not committed is never there again.
    pub fn abandon(&mut self, world: &mut World) {
        if self.opened.take().is_some() {
            drop(world.store.rollback());
        }
    }
}
