//! The agenda of the reactive rules: what is to be looked at because something has changed, in the order of
//! firing, with what led there.
//!
//! A change of a record puts the rules that it concerns on the agenda, each with the record; a rule waits for a
//! record once, however often the record changes meanwhile. The rules are taken by priority, then by the order of
//! the text, then by the order of the changes. The condition is evaluated when a rule is taken, on the record as it
//! is then. What a rule changes comes on the same agenda: its own action ends first.

use crate::compile::code::{ChunkId, Code};
use crate::syntax::tree::RecordEvent;
use crate::text::Span;
use crate::value::{RecordId, Value};
use crate::vm::{Failure, Host, Machine};
use std::collections::{BTreeMap, HashSet};

/// How long a chain of rules may be in which each has set off the next.
pub const LONGEST_CHAIN: usize = 100;

/// How often rules may fire because of one change.
pub const MOST_FIRINGS: usize = 100_000;

/// Executes the chunks of rules: a machine beside the one whose instruction has made the change.
pub trait Executes {
    /// Calls a chunk with its arguments.
    ///
    /// # Errors
    /// As [`Machine::call`].
    fn call(&mut self, chunk: ChunkId, arguments: &[Value], host: &mut dyn Host) -> Result<Value, Failure>;
}

impl Executes for Machine<'_> {
    fn call(&mut self, chunk: ChunkId, arguments: &[Value], host: &mut dyn Host) -> Result<Value, Failure> {
        Machine::call(self, chunk, arguments, host)
    }
}

/// A rule that waits for its turn, with a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Activation {
    /// The rule, as a position in [`Code::reactions`].
    pub rule: u32,
    /// The record.
    pub subject: Subject,
    /// The fields that had changed when the rule came on the agenda.
    pub fields: Vec<usize>,
    /// The firing whose action has made the change; none when it was the step itself.
    pub cause: Option<usize>,
    /// Where the change was made.
    pub span: Span,
}

/// The record that a rule is to look at.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// The record with this key, as it is when the rule is taken; a rule whose record has gone meanwhile is dropped.
    Key(Value),
    /// A deleted record, as it was last.
    Gone(Value),
}

/// A rule that has fired.
#[derive(Debug, Clone, PartialEq)]
pub struct Firing {
    /// The rule.
    pub rule: u32,
    /// The firing that it comes of.
    pub cause: Option<usize>,
    /// Where the change was made that set it off.
    pub span: Span,
    /// How many firings led here, this one included.
    depth: usize,
}

/// Why no further rule is fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endless {
    /// [`LONGEST_CHAIN`]
    Chain,
    /// [`MOST_FIRINGS`]
    Firings,
}

/// What waits, and what has fired since there was nothing to do.
#[derive(Debug, Default)]
pub struct Agenda {
    /// By rank and order of coming.
    waiting: BTreeMap<(u32, u64), Activation>,
    /// The rules that wait for records that are there.
    known: HashSet<(u32, Value)>,
    coming: u64,
    firings: Vec<Firing>,
    /// The firing whose action is being done.
    current: Option<usize>,
}

impl Agenda {
    /// A record was made.
    pub fn created(&mut self, code: &Code, entity: RecordId, key: &Value, span: Span) {
        let Some(watchers) = code.watchers.get(entity.0 as usize) else { return };
        for rule in &watchers.created {
            self.add(code, *rule, Subject::Key(key.clone()), Vec::new(), span);
        }
    }

    /// A record was changed. Only fields with another value than before count.
    pub fn changed(
        &mut self,
        code: &Code,
        entity: RecordId,
        key: &Value,
        (before, after): (&Value, &Value),
        span: Span,
    ) {
        let Some(watchers) = code.watchers.get(entity.0 as usize) else { return };
        let (before, after) = (before.fields().unwrap_or(&[]), after.fields().unwrap_or(&[]));
        let changes: Vec<usize> = (0..after.len()).filter(|field| before.get(*field) != after.get(*field)).collect();
        for rule in changes.iter().filter_map(|field| watchers.changed.get(*field)).flatten() {
            self.add(code, *rule, Subject::Key(key.clone()), changes.clone(), span);
        }
    }

    /// A record was taken away; it is given as it was last.
    pub fn deleted(&mut self, code: &Code, entity: RecordId, record: &Value, span: Span) {
        let Some(watchers) = code.watchers.get(entity.0 as usize) else { return };
        for rule in &watchers.deleted {
            self.add(code, *rule, Subject::Gone(record.clone()), Vec::new(), span);
        }
    }

    fn add(&mut self, code: &Code, rule: u32, subject: Subject, fields: Vec<usize>, span: Span) {
        let Some(reaction) = code.reactions.get(rule as usize) else { return };
        if let Subject::Key(key) = &subject
            && !self.known.insert((rule, key.clone()))
        {
            return;
        }
        self.coming += 1;
        let activation = Activation { rule, subject, fields, cause: self.current, span };
        self.waiting.insert((reaction.rank, self.coming), activation);
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether an action is being done.
    pub fn is_firing(&self) -> bool {
        self.current.is_some()
    }

    /// Takes the rule whose turn it is.
    pub fn take(&mut self) -> Option<Activation> {
        let (_, activation) = self.waiting.pop_first()?;
        if let Subject::Key(key) = &activation.subject {
            self.known.remove(&(activation.rule, key.clone()));
        }
        Some(activation)
    }

    /// A rule fires: what is changed until [`Agenda::end`] is changed by it.
    ///
    /// # Errors
    /// When the rules set each other off for too long.
    pub fn begin(&mut self, activation: &Activation) -> Result<(), Endless> {
        let depth = activation.cause.and_then(|cause| self.firings.get(cause)).map_or(0, |cause| cause.depth) + 1;
        let firing = Firing { rule: activation.rule, cause: activation.cause, span: activation.span, depth };
        self.firings.push(firing);
        self.current = Some(self.firings.len() - 1);
        match () {
            () if depth > LONGEST_CHAIN => Err(Endless::Chain),
            () if self.firings.len() > MOST_FIRINGS => Err(Endless::Firings),
            () => Ok(()),
        }
    }

    /// The action has ended.
    pub fn end(&mut self) {
        self.current = None;
    }

    /// A firing and those that led to it, the last first.
    pub fn chain(&self, last: Option<usize>) -> Vec<&Firing> {
        let mut chain = Vec::new();
        let mut next = last;
        while let Some(firing) = next.and_then(|at| self.firings.get(at)) {
            chain.push(firing);
            next = firing.cause;
        }
        chain
    }

    /// The firing whose action is being done.
    pub fn current(&self) -> Option<usize> {
        self.current
    }

    /// Forgets everything: nothing is left to do, or all of it is taken back.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.known.clear();
        self.firings.clear();
        self.current = None;
    }

    /// How the event of a rule is said.
    pub fn event_word(event: RecordEvent) -> &'static str {
        match event {
            RecordEvent::Created => "created",
            RecordEvent::Changed => "changed",
            RecordEvent::Deleted => "deleted",
        }
    }
}
