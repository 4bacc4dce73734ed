//! Builds one chunk: registers, jumps and the constant pool.
//!
//! Locals have the first registers, by their ids; temporaries lie behind and are given out like a stack.

use super::code::{Chunk, ChunkId, Code};
use super::instruction::{Instruction, Operand, Place, Position, Register};
use crate::check::program::{LocalId, Program};
use crate::text::Span;
use crate::value::Value;
use ecow::EcoString;
use std::collections::HashMap;

/// Makes the code of a program.
pub(super) struct Compiler<'p> {
    pub program: &'p Program,
    pub code: Code,
    /// Where each constant is in the pool. Values that are equal are kept once.
    pool: HashMap<Value, u32>,
    /// The values of the script's constants that are known.
    pub constants: Vec<Option<Value>>,
    /// The chunks of templates.
    pub templates: Vec<ChunkId>,
}

impl<'p> Compiler<'p> {
    pub fn new(program: &'p Program) -> Compiler<'p> {
        Compiler { program, code: Code::default(), pool: HashMap::new(), constants: Vec::new(), templates: Vec::new() }
    }

    /// The position of a value in the pool.
    pub fn constant(&mut self, value: Value) -> u32 {
        if let Some(index) = self.pool.get(&value) {
            return *index;
        }
        let index = self.code.constants.len() as u32;
        self.code.constants.push(value.clone());
        self.pool.insert(value, index);
        index
    }

    /// Keeps a place for a chunk that others refer to before it is made.
    pub fn reserve(&mut self) -> ChunkId {
        self.code.chunks.push(Chunk::default());
        ChunkId(self.code.chunks.len() as u32 - 1)
    }

    /// Puts a chunk into its place.
    pub fn place(&mut self, id: ChunkId, chunk: Chunk) {
        if let Some(place) = self.code.chunks.get_mut(id.0 as usize) {
            *place = chunk;
        }
    }
}

/// A chunk being built.
pub(super) struct Body<'c, 'p> {
    pub compiler: &'c mut Compiler<'p>,
    name: EcoString,
    parameters: u16,
    instructions: Vec<Instruction>,
    spans: Vec<Span>,
    /// How many registers belong to locals.
    locals: usize,
    /// The first free register.
    free: usize,
    /// The most registers that were in use.
    most: usize,
    /// The place that instructions are emitted for.
    pub span: Span,
    /// Elements of inner loops whose records an outer loop has loaded before; see `prefetch`.
    pub covered: Vec<LocalId>,
    /// Whether the frame goes on to live when the chunk ends, as that of a flow does.
    pub frame_stays: bool,
    /// Whether `start` may stand among its statements, as in the action of a rule.
    pub starts_flows: bool,
}

impl<'c, 'p> Body<'c, 'p> {
    /// A chunk over a frame whose first `locals` registers are locals or slots.
    pub fn new(
        compiler: &'c mut Compiler<'p>,
        name: impl Into<EcoString>,
        parameters: usize,
        locals: usize,
        span: Span,
    ) -> Self {
        Body {
            compiler,
            name: name.into(),
            parameters: u16::try_from(parameters).unwrap_or(u16::MAX),
            instructions: Vec::new(),
            spans: Vec::new(),
            locals,
            free: locals,
            most: locals,
            span,
            covered: Vec::new(),
            frame_stays: false,
            starts_flows: false,
        }
    }

    /// Ends the chunk and puts it into the code.
    pub fn add(self) -> ChunkId {
        let (compiler, chunk) = self.finish();
        let id = compiler.reserve();
        compiler.place(id, chunk);
        id
    }

    /// Ends the chunk and puts it into its reserved place.
    pub fn add_at(self, id: ChunkId) {
        let (compiler, chunk) = self.finish();
        compiler.place(id, chunk);
    }

    /// A chunk that needs more registers or instructions than the machine has fails when it is called.
    fn finish(mut self) -> (&'c mut Compiler<'p>, Chunk) {
        if self.most >= usize::from(Operand::LIMIT) || self.instructions.len() >= u32::MAX as usize {
            let reason = self.compiler.constant(Value::text("the size of one function"));
            self.instructions = vec![Instruction::Refuse { reason }];
            self.most = usize::from(self.parameters);
        }
        self.spans.resize(self.instructions.len(), self.span);
        let chunk = Chunk {
            name: self.name,
            parameters: self.parameters,
            registers: u16::try_from(self.most).unwrap_or(u16::MAX),
            instructions: self.instructions,
            spans: self.spans,
        };
        (self.compiler, chunk)
    }

    /// Takes a free register.
    pub fn temporary(&mut self) -> Register {
        self.temporaries(1)
    }

    /// Takes free registers in a row; gives the first.
    pub fn temporaries(&mut self, count: usize) -> Register {
        let first = self.free;
        self.free += count;
        self.most = self.most.max(self.free);
        // A chunk that overflows here is replaced when it ends.
        u16::try_from(first).unwrap_or(0)
    }

    /// What to give to [`Body::release`].
    pub fn mark(&self) -> usize {
        self.free
    }

    /// Gives registers back.
    pub fn release(&mut self, mark: usize) {
        self.free = mark;
    }

    /// Adds an instruction; gives its position.
    pub fn emit(&mut self, instruction: Instruction) -> usize {
        self.instructions.push(instruction);
        self.spans.push(self.span);
        self.instructions.len() - 1
    }

    /// Where the next instruction will be.
    pub fn here(&self) -> Position {
        self.instructions.len() as Position
    }

    /// Lets the jump at a position lead here.
    pub fn land(&mut self, jump: usize) {
        let here = self.here();
        self.aim(jump, here);
    }

    /// Lets the jump at a position lead to another one.
    pub fn aim(&mut self, jump: usize, to: Position) {
        use Instruction::*;
        if let Some(
            Jump { target }
            | JumpIf { target, .. }
            | JumpUnless { target, .. }
            | JumpIfNone { target, .. }
            | JumpIfSome { target, .. }
            | JumpUnlessInt { target, .. }
            | JumpUnlessCompare { target, .. }
            | NextElement { end: target, .. }
            | NextEntry { end: target, .. }
            | NextInt { end: target, .. }
            | NextRow { done: target, .. }
            | Fire { done: target, .. }
            | Settle { again: target, .. }
            | NextOutcome { done: target, .. },
        ) = self.instructions.get_mut(jump)
        {
            *target = to;
        }
    }

    /// Reads a constant, through a register when the pool is too large for operands.
    pub fn constant(&mut self, value: Value) -> Operand {
        let index = self.compiler.constant(value);
        match u16::try_from(index) {
            Ok(index) if index < Operand::LIMIT => Operand::constant(index),
            _ => {
                let to = self.temporary();
                self.emit(Instruction::Constant { to, index });
                Operand::register(to)
            }
        }
    }

    /// A value that stays as it is when locals are set again.
    pub fn stable(&mut self, operand: Operand) -> Operand {
        match operand.place() {
            Place::Register(register) if usize::from(register) < self.locals => {
                let copy = self.temporary();
                self.copy(copy, operand);
                Operand::register(copy)
            }
            _ => operand,
        }
    }

    /// The value of an operand that is a constant.
    pub fn known(&self, operand: Operand) -> Option<&Value> {
        match operand.place() {
            Place::Constant(index) => self.compiler.code.constants.get(usize::from(index)),
            Place::Register(_) => None,
        }
    }

    /// Puts the value of an operand into a register, if it is not there already.
    pub fn copy(&mut self, to: Register, from: Operand) {
        if from != Operand::register(to) {
            self.emit(Instruction::Copy { to, from });
        }
    }
}
