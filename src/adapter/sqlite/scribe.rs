//! The scribe: a thread that writes rows in the open transaction while the steps go on.
//!
//! It is lent the connection with a batch of rows, and gives it back when they are written. So there is one connection
//! that writes, one thread uses it at a time, and a transaction holds what it would hold without a scribe.

use super::failure::{Done, internal};
use super::outbox::NewMail;
use super::pending::EndedRuns;
use super::record::{self, NewRecords};
use super::schema::Schema;
use super::{outbox, pending};
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

/// Rows that can't be refused, and that nobody needs before the commit.
#[derive(Debug)]
pub(super) struct Batch {
    pub records: NewRecords,
    pub mails: Vec<NewMail>,
    pub runs: EndedRuns,
}

impl Batch {
    fn write(&self, connection: &Connection, schema: &Schema) -> Done<()> {
        record::insert_new(connection, schema, &self.records)?;
        outbox::add(connection, &self.mails)?;
        pending::write_ended(connection, &self.runs)
    }
}

/// The connection as it comes back, and what became of the rows.
pub(super) type Returned = (Connection, Done<()>);

/// The thread, and the ways to it and back.
#[derive(Debug)]
pub(super) struct Scribe {
    orders: Option<mpsc::Sender<(Connection, Batch)>>,
    returned: mpsc::Receiver<Returned>,
    thread: Option<JoinHandle<()>>,
}

impl Scribe {
    /// Begins a thread; none when there can't be one.
    pub fn new(schema: Arc<Schema>) -> Option<Scribe> {
        let (orders, taken) = mpsc::channel::<(Connection, Batch)>();
        let (give, returned) = mpsc::channel();
        let work = move || {
            while let Ok((connection, batch)) = taken.recv() {
                // Whatever happens, the connection comes back.
                let written = catch_unwind(AssertUnwindSafe(|| batch.write(&connection, &schema)));
                let written = written.unwrap_or_else(|_| Err(internal("writing rows has broken off")));
                if give.send((connection, written)).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("scribe".to_string()).spawn(work).ok()?;
        Some(Scribe { orders: Some(orders), returned, thread: Some(thread) })
    }

    /// Lends the connection; it comes straight back when the thread is gone.
    pub fn lend(&self, connection: Connection, batch: Batch) -> Option<Connection> {
        match &self.orders {
            Some(orders) => orders.send((connection, batch)).err().map(|refused| refused.0.0),
            None => Some(connection),
        }
    }

    /// The connection, if the rows are written.
    pub fn if_done(&self) -> Option<Returned> {
        self.returned.try_recv().ok()
    }

    /// The connection, once the rows are written.
    pub fn wait(&self) -> Option<Returned> {
        self.returned.recv().ok()
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        drop(self.orders.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
