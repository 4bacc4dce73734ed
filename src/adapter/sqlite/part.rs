//! Parts of a transaction that can be taken back alone: what a failing step has written.
//!
//! SQLite's savepoints copy every page that is written in them, and a step writes few rows to many pages. So what
//! was written is remembered row by row instead, and taken back by doing the opposite in reverse order, in the same
//! transaction. Where something is written that has no opposite here, a real savepoint is begun first.

use crate::value::{RecordId, Value};

/// What takes a write back.
#[derive(Debug)]
pub(super) enum Opposite {
    /// A record was put in, under this key.
    Delete(RecordId, Value),
    /// These fields were changed of the record that now has this key; as it was before.
    Change(RecordId, Value, Value, Box<[usize]>),
    /// This record was taken away.
    Insert(RecordId, Value),
    /// A mail was put into the outbox.
    DeleteMail(i64),
}

/// A part that is open.
#[derive(Debug, Clone, Copy)]
struct Part {
    /// How many writes lay before it.
    start: usize,
    /// How many there were when SQLite was told of it.
    begun: Option<usize>,
}

/// The parts that are open, the outermost first, and what was written in them.
#[derive(Debug, Default)]
pub(super) struct Parts {
    open: Vec<Part>,
    written: Vec<Opposite>,
}

/// What is to be done to take a part back, in this order.
#[derive(Debug, Default)]
pub(super) struct TakingBack {
    /// SQLite takes its savepoint back.
    pub savepoint: bool,
    /// So many savepoints around it end; nothing was written in them.
    pub release: usize,
    /// The opposites, the last write first.
    pub opposites: Vec<Opposite>,
}

impl Parts {
    /// Begins a part.
    pub fn begin(&mut self) {
        self.open.push(Part { start: self.written.len(), begun: None });
    }

    /// Whether one is open.
    pub fn is_any(&self) -> bool {
        !self.open.is_empty()
    }

    /// How many savepoints SQLite must begin before something is written that has no opposite.
    pub fn unknown(&self) -> usize {
        self.open.iter().filter(|part| part.begun.is_none()).count()
    }

    /// Whether SQLite knows of one.
    pub fn is_known(&self) -> bool {
        self.open.iter().any(|part| part.begun.is_some())
    }

    /// Says that SQLite has begun one more, from the outside in.
    pub fn begun(&mut self) {
        let at = self.written.len();
        if let Some(part) = self.open.iter_mut().find(|part| part.begun.is_none()) {
            part.begun = Some(at);
        }
    }

    /// Remembers how a write is taken back; not outside of all parts.
    pub fn wrote(&mut self, opposite: impl FnOnce() -> Opposite) {
        if !self.open.is_empty() {
            self.written.push(opposite());
        }
    }

    /// Keeps the innermost part; whether SQLite knows it. None when there is none.
    pub fn release(&mut self) -> Option<bool> {
        let part = self.open.pop()?;
        if self.open.is_empty() {
            self.written.clear();
        }
        Some(part.begun.is_some())
    }

    /// Ends the innermost part, whose writes are to be taken back. None when there is none.
    pub fn take_back(&mut self) -> Option<TakingBack> {
        let part = self.open.pop()?;
        let mut todo = TakingBack::default();
        if let Some(begun) = part.begun {
            todo.savepoint = true;
            self.written.truncate(begun);
            // Savepoints around it that began with it would bring back what the opposites take away.
            for outer in self.open.iter_mut().filter(|outer| outer.begun > Some(part.start)) {
                outer.begun = None;
                todo.release += 1;
            }
        }
        todo.opposites = self.written.split_off(part.start.min(self.written.len()));
        todo.opposites.reverse();
        Some(todo)
    }
}
