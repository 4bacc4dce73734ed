//! Carrying what was committed from the log over to the store's file, on a thread of its own.
//!
//! A commit is durable once it is in the log (WAL). Every so often its pages must be carried over to the file, for which
//! SQLite waits for the disk twice. By itself it does that in a commit, while the flow waits. Here a second connection
//! does it while the next steps are at work; a commit that finds the log very long all the same still does it too.

use rusqlite::{Connection, OpenFlags};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::JoinHandle;

/// After so many rows that were written the log is carried over: some 10 MB.
const ROWS: u64 = 50_000;

/// When the log is carried over.
#[derive(Debug)]
pub(super) struct Checkpoints {
    /// The store; none in memory, and where it is only read.
    file: Option<PathBuf>,
    /// How many rows had been written the last time.
    rows: u64,
    worker: Option<Worker>,
}

#[derive(Debug)]
struct Worker {
    orders: Option<mpsc::SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// For the store in a file.
    pub fn new(file: Option<PathBuf>) -> Checkpoints {
        Checkpoints { file, rows: 0, worker: None }
    }

    /// Says that something was committed.
    pub fn committed(&mut self, connection: &Connection) {
        let Some(file) = &self.file else { return };
        let rows = connection.total_changes();
        if rows.saturating_sub(self.rows) < ROWS {
            return;
        }
        self.rows = rows;
        let worker = self.worker.get_or_insert_with(|| {
            // As careful with the disk as the store is.
            let synchronous = connection.query_row("PRAGMA synchronous", (), |row| row.get(0)).unwrap_or(2);
            Worker::new(file.clone(), synchronous)
        });
        // One that waits already will do for this commit, too.
        if let Some(orders) = &worker.orders {
            let _ = orders.try_send(());
        }
    }
}

impl Worker {
    fn new(file: PathBuf, synchronous: i64) -> Worker {
        let (orders, receiver) = mpsc::sync_channel(1);
        let work = move || {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let Ok(connection) = Connection::open_with_flags(file, flags) else { return };
            drop(connection.execute_batch(&format!("PRAGMA synchronous = {synchronous};")));
            while receiver.recv().is_ok() {
                // What could not be carried over is the next time, or when the store is closed.
                drop(connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(())));
            }
        };
        // Without a thread the commits do it.
        let thread = std::thread::Builder::new().name("checkpoint".to_string()).spawn(work).ok();
        Worker { orders: Some(orders), thread }
    }
}

impl Drop for Worker {
    /// Waits for the thread, so that the connection of the store is the last one, and leaves no log behind.
    fn drop(&mut self) {
        drop(self.orders.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
