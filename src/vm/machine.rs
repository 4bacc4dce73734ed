//! The machine: its stack, its constants, and how chunks are called.

use super::decision::Decisions;
use super::memory;
use super::problem::{Errors, Problem};
use super::records::Loaded;
use super::registers::forget;
use super::{Failure, Frame, Host, Limits};
use crate::compile::code::{Chunk, ChunkId, Code};
use crate::compile::instruction::Register;
use crate::text::Span;
use crate::value::Value;

/// Calls that a backtrace names at most.
const TRACE: usize = 64;

/// Executes chunks of one program. Keeps its stack, the indexes of decision tables and the constants of the
/// script between calls, so one machine should serve many.
pub struct Machine<'c> {
    pub(super) code: &'c Code,
    pub(super) limits: Limits,
    errors: Errors,
    stack: Vec<Value>,
    pub(super) calls: Vec<Call<'c>>,
    pub(super) globals: Vec<Option<Value>>,
    pub(super) loaded: Loaded,
    pub(super) decisions: Decisions,
    pub(super) buffer: String,
    /// Records that can lie inside of their like.
    pub(super) recursive: Vec<bool>,
    /// How many rounds are left.
    pub(super) rounds: u64,
    /// What has been made since the values alive were counted, and when they are counted again.
    pub(super) made: usize,
    pub(super) count_at: usize,
}

/// What goes on when a call ends.
pub(super) struct Call<'c> {
    pub(super) chunk: &'c Chunk,
    pub(super) at: usize,
    pub(super) base: usize,
    pub(super) to: Target,
}

/// What takes the value of a call.
#[derive(Clone, Copy)]
pub(super) enum Target {
    Register(Register),
    /// A constant of the script, and the register that wants it.
    Global(u32, Register),
}

impl<'c> Machine<'c> {
    /// A machine for a program.
    pub fn new(code: &'c Code, limits: Limits) -> Machine<'c> {
        let count_at = limits.memory;
        Machine {
            code,
            limits,
            errors: Errors::new(&code.errors),
            stack: Vec::new(),
            calls: Vec::new(),
            globals: vec![None; code.globals.len()],
            loaded: Loaded::default(),
            decisions: Decisions::new(code.tables.len()),
            buffer: String::new(),
            recursive: memory::recursive(&code.records),
            rounds: 0,
            made: 0,
            count_at,
        }
    }

    /// The program.
    pub fn code(&self) -> &'c Code {
        self.code
    }

    /// Calls a chunk with its arguments; none for those that are missing.
    ///
    /// # Errors
    /// The failure of the script, of the host, or of a limit.
    pub fn call(
        &mut self,
        chunk: ChunkId,
        arguments: &[Value],
        host: &mut dyn Host,
    ) -> std::result::Result<Value, Failure> {
        let chunk = self.chunk(chunk)?;
        let mut stack = self.empty_stack(arguments.len());
        for (place, argument) in stack.iter_mut().zip(arguments) {
            place.clone_from(argument);
        }
        let outcome = self.execute(&mut stack, chunk, host);
        self.keep_stack(stack, chunk, outcome.is_ok());
        outcome
    }

    /// Runs a chunk on the frame of a flow, whose slots are the chunk's first registers.
    ///
    /// # Errors
    /// As [`Machine::call`]; the slots keep what was set before the failure.
    pub fn run(
        &mut self,
        chunk: ChunkId,
        frame: &mut [Value],
        host: &mut dyn Host,
    ) -> std::result::Result<Value, Failure> {
        let chunk = self.chunk(chunk)?;
        let mut stack = self.empty_stack(frame.len());
        for (place, slot) in stack.iter_mut().zip(frame.iter_mut()) {
            std::mem::swap(place, slot);
        }
        let outcome = self.execute(&mut stack, chunk, host);
        for (slot, value) in frame.iter_mut().zip(&mut stack) {
            *slot = std::mem::take(value);
        }
        self.keep_stack(stack, chunk, outcome.is_ok());
        outcome
    }

    /// The stack, all of it none, with so many places at least.
    fn empty_stack(&mut self, least: usize) -> Vec<Value> {
        let mut stack = std::mem::take(&mut self.stack);
        if stack.len() < least {
            stack.resize(least.max(64), Value::None);
        }
        stack
    }

    /// Keeps the stack for the next call. Calls that have ended leave nothing on it; but for a failure, what is
    /// left are the registers of the first chunk.
    fn keep_stack(&mut self, mut stack: Vec<Value>, chunk: &Chunk, is_well: bool) {
        if is_well {
            forget(stack.get_mut(..usize::from(chunk.registers)).unwrap_or_default());
        } else {
            stack.clear();
        }
        self.stack = stack;
    }

    fn chunk(&self, chunk: ChunkId) -> std::result::Result<&'c Chunk, Failure> {
        self.code.chunks.get(chunk.0 as usize).ok_or_else(|| {
            self.errors.failure(Problem::broken("a chunk that is not there"), Span::default(), &self.code.names)
        })
    }

    fn execute(
        &mut self,
        stack: &mut Vec<Value>,
        chunk: &'c Chunk,
        host: &mut dyn Host,
    ) -> std::result::Result<Value, Failure> {
        self.rounds = self.limits.rounds;
        self.made = 0;
        self.count_at = self.limits.memory;
        self.calls.clear();
        self.loaded.clear();
        self.decisions.clear();
        let (problem, chunk, at) = match self.steps(stack, chunk, host) {
            Ok(value) => return Ok(value),
            Err(problem) => problem,
        };
        let span = place(chunk, at);
        let mut failure = self.errors.failure(problem, span, &self.code.names);
        failure.trace.push(Frame { name: chunk.name.clone(), span });
        for call in self.calls.iter().rev().take(TRACE - 1) {
            failure.trace.push(Frame { name: call.chunk.name.clone(), span: place(call.chunk, call.at) });
        }
        self.calls.clear();
        Err(failure)
    }
}

/// The place of the instruction before a position.
pub(super) fn place(chunk: &Chunk, at: usize) -> Span {
    chunk.spans.get(at.saturating_sub(1)).copied().unwrap_or_default()
}

pub(super) fn failed(failure: Failure) -> Problem {
    Problem::Failed(Box::new(failure))
}
