//! The store as it was when the open transaction began: a second connection, for reading while the first one is lent.
//!
//! While a transaction is open nobody else writes. So whoever begins to read now finds the state that the transaction
//! has found, whenever that is, and nothing of what it has written itself: who asks must know which records these are.

use super::failure::Done;
use super::function;
use rusqlite::{Connection, OpenFlags};
use std::cell::{Cell, OnceCell};
use std::path::PathBuf;

/// A second connection to the store's file, opened when it is first needed.
#[derive(Debug)]
pub(super) struct Snapshot {
    file: PathBuf,
    /// Empty where it could not be opened.
    connection: OnceCell<Option<Connection>>,
    is_begun: Cell<bool>,
}

impl Snapshot {
    /// Of the store in a file.
    pub fn new(file: PathBuf) -> Snapshot {
        Snapshot { file, connection: OnceCell::new(), is_begun: Cell::new(false) }
    }

    /// The connection, in the middle of a transaction that reads; none where it can't be had.
    pub fn connection(&self) -> Option<&Connection> {
        let connection = self.connection.get_or_init(|| self.open().ok()).as_ref()?;
        if !self.is_begun.get() {
            connection.execute_batch("BEGIN").ok()?;
            self.is_begun.set(true);
        }
        Some(connection)
    }

    /// Lets go of the state: the transaction ends.
    pub fn end(&self) {
        if self.is_begun.replace(false)
            && let Some(Some(connection)) = self.connection.get()
        {
            // Nothing was written, so that nothing can be lost. Should it fail, the next `BEGIN` does too.
            let _ = connection.execute_batch("ROLLBACK");
        }
    }

    fn open(&self) -> Done<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.file, flags)?;
        connection.set_prepared_statement_cache_capacity(128);
        function::register(&connection)?;
        connection.execute_batch("PRAGMA cache_size = -16384;")?;
        Ok(connection)
    }
}
