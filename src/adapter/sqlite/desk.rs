//! The desk: the store's connection, which is lent to the `scribe` while the steps go on.
//!
//! Most of what a step writes can't be refused, and nobody asks for it before the commit: a new order and its lines,
//! movements of stock, mails, runs that have ended. Batches of such rows are written on another core, in the transaction
//! that is open. Whoever uses the desk as a connection has it back, with all rows written. What is to be read meanwhile is
//! mostly read from a `snapshot`.

use super::failure::{Done, Trouble, internal};
use super::schema::Schema;
use super::scribe::{Batch, Returned, Scribe};
use super::snapshot::Snapshot;
use rusqlite::Connection;
use std::cell::{OnceCell, RefCell};
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

/// How many rows are worth a change of hands, and that SQLite is told not to look for what they refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Worth {
    /// A run begins: nobody will soon ask for the records that those before it have made.
    BetweenRuns,
    /// A step begins, which may well ask for those that the step before it has made.
    BetweenSteps,
}

impl Worth {
    fn rows(self) -> usize {
        match self {
            // The tests have few rows.
            _ if cfg!(test) => 1,
            Worth::BetweenRuns => 2_000,
            Worth::BetweenSteps => 10_000,
        }
    }
}

/// The connection of a store.
#[derive(Debug)]
pub(super) struct Desk {
    /// None where nothing is lent: in memory, where files can't be read while they are written, and with one core. It is
    /// closed first: the last one who closes the file puts the log away, and this one can't.
    snapshot: Option<Snapshot>,
    /// Empty while the scribe has it.
    connection: OnceCell<Connection>,
    /// What the scribe has run into: the transaction can't be committed.
    trouble: RefCell<Option<Trouble>>,
    scribe: Option<Scribe>,
    schema: Arc<Schema>,
}

impl Desk {
    /// For a connection; with a file when it may be read while it is written.
    pub fn new(connection: Connection, schema: Arc<Schema>, file: Option<PathBuf>) -> Desk {
        let has_core = || std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
        Desk {
            connection: OnceCell::from(connection),
            trouble: RefCell::default(),
            scribe: None,
            schema,
            snapshot: file.filter(|_| has_core()).map(Snapshot::new),
        }
    }

    /// Lends the connection to the scribe, where so many rows are worth it and it has nothing else to do. Only in a
    /// transaction, outside of all savepoints.
    ///
    /// # Errors
    /// When the thread is gone: the rows of the batch are not written, so the transaction can't be committed.
    pub fn lend(&mut self, rows: usize, worth: Worth, batch: impl FnOnce() -> Batch) -> Done<()> {
        if rows < worth.rows() || self.snapshot.is_none() {
            return Ok(());
        }
        if self.connection.get().is_none() {
            let Some(returned) = self.scribe.as_ref().and_then(Scribe::if_done) else { return Ok(()) };
            drop(self.connection.set(self.received(returned)));
        }
        if self.scribe.is_none() {
            self.scribe = Scribe::new(self.schema.clone());
        }
        let Some(scribe) = &self.scribe else {
            // There can be no second thread here.
            self.snapshot = None;
            return Ok(());
        };
        if self.trouble.get_mut().is_some() {
            return Ok(());
        }
        match self.connection.take().and_then(|connection| scribe.lend(connection, batch())) {
            None => Ok(()),
            Some(connection) => {
                drop(self.connection.set(connection));
                Err(internal("the thread that writes rows is gone"))
            }
        }
    }

    /// For reading what the open transaction has not written, without waiting for the scribe where that can be.
    pub fn before(&self) -> &Connection {
        match (self.connection.get(), &self.snapshot) {
            (None, Some(snapshot)) => snapshot.connection().unwrap_or_else(|| self),
            _ => self,
        }
    }

    /// Makes sure that all rows that were lent for could be written.
    ///
    /// # Errors
    /// What SQLite had against one.
    pub fn check(&self) -> Done<()> {
        match self.trouble.borrow_mut().take() {
            Some(trouble) => Err(trouble),
            None => Ok(()),
        }
    }

    /// Lets go of what was true for the open transaction: it ends.
    pub fn end(&self) {
        self.trouble.borrow_mut().take();
        if let Some(snapshot) = &self.snapshot {
            snapshot.end();
        }
    }

    fn received(&self, (connection, written): Returned) -> Connection {
        if let Err(trouble) = written {
            // SQLite takes a transaction back by itself when the disk is full or fails. What is written until somebody
            // hears of it must not be put on disk by itself: it lies in a transaction that is never committed.
            if connection.is_autocommit() {
                let _ = connection.execute_batch("BEGIN");
            }
            self.trouble.borrow_mut().get_or_insert(trouble);
        }
        connection
    }
}

impl Deref for Desk {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.get_or_init(|| match self.scribe.as_ref().and_then(Scribe::wait) {
            Some(returned) => self.received(returned),
            // The scribe gives the connection back whatever happens to it.
            None => unreachable!("the thread that has the connection of the store is gone"),
        })
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // The connection is closed here, not in the thread.
        if self.connection.get().is_none()
            && let Some((connection, _)) = self.scribe.as_ref().and_then(Scribe::wait)
        {
            drop(self.connection.set(connection));
        }
    }
}
