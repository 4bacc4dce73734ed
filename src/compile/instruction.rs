//! The instructions of the machine.
//!
//! Operands name registers of the frame or values of the constant pool; results go to registers. Where an
//! instruction says that it takes a register, the value moves out of it.

use super::query::QueryId;
use crate::library::Operation;

/// A register of the frame.
pub type Register = u16;

/// A position in the instructions of a chunk.
pub type Position = u32;

/// Where a value is read: a register, or one of the first constants of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operand(u16);

/// What an [`Operand`] names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A register.
    Register(Register),
    /// A constant of the pool.
    Constant(u16),
}

impl Operand {
    /// Registers and constants that an operand can name, each.
    pub const LIMIT: u16 = 0x8000;

    /// Reads a register.
    pub fn register(register: Register) -> Operand {
        Operand(register & (Self::LIMIT - 1))
    }

    /// Reads a constant of the pool.
    pub fn constant(index: u16) -> Operand {
        Operand(index | Self::LIMIT)
    }

    /// What is read.
    #[inline(always)]
    pub fn place(self) -> Place {
        if self.0 < Self::LIMIT { Place::Register(self.0) } else { Place::Constant(self.0 & (Self::LIMIT - 1)) }
    }
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// Whether an order of two values is meant.
    #[inline(always)]
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }
    }

    /// How it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }
}

/// One instruction. `to` is the register that takes the result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Instruction {
    // ── values and registers ──
    /// Copies a value.
    Copy { to: Register, from: Operand },
    /// Takes a register.
    Move { to: Register, from: Register },
    /// Copies a constant that no operand reaches.
    Constant { to: Register, index: u32 },
    /// The value of a constant of the script that is computed when it is wanted first.
    Global { to: Register, index: u32 },

    // ── the way through the chunk ──
    /// Goes on elsewhere.
    Jump { target: Position },
    /// Goes on elsewhere if true.
    JumpIf { value: Operand, target: Position },
    /// Goes on elsewhere if false.
    JumpUnless { value: Operand, target: Position },
    /// Goes on elsewhere if none.
    JumpIfNone { value: Operand, target: Position },
    /// Goes on elsewhere unless none.
    JumpIfSome { value: Operand, target: Position },
    /// Goes on elsewhere unless the comparison of two ints holds.
    JumpUnlessInt { comparison: Comparison, left: Operand, right: Operand, target: Position },
    /// Goes on elsewhere unless the comparison holds.
    JumpUnlessCompare { comparison: Comparison, left: Operand, right: Operand, target: Position },
    /// Calls a chunk; its arguments are taken from the registers from `window` on.
    Call { chunk: u32, window: Register, to: Register },
    /// Ends the chunk with a value; a register is taken.
    Return { value: Operand },
    /// Ends the chunk without a value.
    ReturnNothing,
    /// Fails; the fields of the error are taken from the registers from `start` on.
    Fail { error: u32, start: Register },
    /// Fails: no arm of a `match` fits the value.
    FailNoArm { value: Operand },
    /// Fails: what is wanted is beyond a limit or not there yet; the constant says what.
    Refuse { reason: u32 },

    // ── arithmetic ──
    /// `left + right` for ints.
    AddInt { to: Register, left: Operand, right: Operand },
    /// `left - right` for ints.
    SubtractInt { to: Register, left: Operand, right: Operand },
    /// `left * right` for ints.
    MultiplyInt { to: Register, left: Operand, right: Operand },
    /// `left + right` for decimals.
    AddDecimal { to: Register, left: Operand, right: Operand },
    /// `left - right` for decimals.
    SubtractDecimal { to: Register, left: Operand, right: Operand },
    /// `left * right` for decimals.
    MultiplyDecimal { to: Register, left: Operand, right: Operand },
    /// `left / right` for decimals.
    DivideDecimal { to: Register, left: Operand, right: Operand },
    /// `left + right` for money.
    AddMoney { to: Register, left: Operand, right: Operand },
    /// `left - right` for money.
    SubtractMoney { to: Register, left: Operand, right: Operand },
    /// `left + right` for everything else that has a sum.
    Add { to: Register, left: Operand, right: Operand },
    /// `left - right` for everything else that has a difference.
    Subtract { to: Register, left: Operand, right: Operand },
    /// `left * right` for everything else that has a product.
    Multiply { to: Register, left: Operand, right: Operand },
    /// `left / right` for everything else that has a quotient.
    Divide { to: Register, left: Operand, right: Operand },
    /// `-value`
    Negate { to: Register, value: Operand },
    /// `not value`
    Not { to: Register, value: Operand },
    /// A whole number as a decimal; none stays none.
    ToDecimal { to: Register, value: Operand },

    // ── comparison ──
    /// Compares two ints.
    CompareInt { comparison: Comparison, to: Register, left: Operand, right: Operand },
    /// Compares two values; amounts of different currencies are unequal, and have no order.
    Compare { comparison: Comparison, to: Register, left: Operand, right: Operand },
    /// Whether a value is in a list, or a key of a map.
    In { to: Register, value: Operand, list: Operand },
    /// Whether a value is none.
    IsNone { to: Register, value: Operand },
    /// Whether a value is not none.
    IsSome { to: Register, value: Operand },

    // ── lists and maps ──
    /// A list of values that are taken from the registers from `start` on.
    MakeList { to: Register, start: Register, count: u16 },
    /// An empty list to be filled, with room for as many elements as another has.
    NewList { to: Register, like: Operand },
    /// Takes a value to the end of a list.
    Push { list: Register, value: Register },
    /// Puts the elements of another list to the end of a list.
    Extend { list: Register, other: Operand },
    /// The whole numbers from the first to the last.
    MakeRange { to: Register, first: Operand, last: Operand },
    /// An empty map to be filled.
    NewMap { to: Register },
    /// Takes a key and the value in the next register into a map.
    Insert { map: Register, key: Register },
    /// Takes an element to the list that a map has under a key, which is taken too.
    Gather { map: Register, key: Register, element: Register },
    /// Sorts a list by another one of the same length, which is taken.
    Sort { list: Register, keys: Register, descending: bool },
    /// The element of a list or map under a position or key.
    Index { to: Register, target: Operand, index: Operand },
    /// The next element of a list: `index` counts, and starts at 0; goes on elsewhere behind the last.
    NextElement { list: Operand, index: Register, to: Register, end: Position },
    /// The next entry of a map: key and value go to `to` and `value`.
    NextEntry { map: Operand, index: Register, to: Register, value: Register, end: Position },
    /// Copies a whole number and adds one to it, unless it is greater than `last`.
    NextInt { next: Register, last: Operand, to: Register, end: Position },

    // ── sums and the like, over the elements of a list ──
    /// Adds a value to a sum; none is the empty sum.
    Accumulate { sum: Register, value: Operand },
    /// Puts the sum of nothing in place of none, or fails for amounts of an unknown currency.
    EndSum { sum: Register, zero: Operand },
    /// Divides a sum by the count of a list; none stays none.
    EndAverage { sum: Register, list: Operand },
    /// Keeps the lesser; none is kept out.
    Least { best: Register, value: Operand },
    /// Keeps the greater; none is kept out.
    Greatest { best: Register, value: Operand },

    // ── records and failures ──
    /// A record of fields that are taken from the registers from `start` on.
    MakeRecord { to: Register, start: Register, record: u32 },
    /// Puts a field, which is taken, into a record.
    SetField { record: Register, field: u16, value: Register },
    /// The field of a record or failure.
    Field { to: Register, target: Operand, field: u16 },
    /// What a failure says.
    FailureMessage { to: Register, value: Operand },

    // ── text ──
    /// A text of the pieces of [`Code::texts`](super::code::Code), with values from the registers from `start` on.
    Interpolate { to: Register, start: Register, pieces: u32 },
    /// Puts a value to the end of a text, as people read it.
    AppendText { text: Register, value: Operand },

    // ── primitives ──
    /// Performs a pure primitive; the arguments are taken from the registers from `start` on.
    Perform { operation: Operation, count: u8, to: Register, start: Register },
    /// Asks the host to perform a primitive. `ty` is one more than the position of a type in
    /// [`Code::types`](super::code::Code), or 0.
    Ask { operation: Operation, count: u8, to: Register, start: Register, ty: u16 },

    // ── records of the store ──
    /// The reference to a record; a reference stays as it is.
    Refer { to: Register, value: Operand },
    /// The record that a reference names.
    Follow { to: Register, value: Operand },
    /// The record with a key.
    Get { to: Register, key: Operand, entity: u32 },
    /// Whether there is a record with a key.
    Has { to: Register, key: Operand, entity: u32 },
    /// Answers a query; its parameters are taken from the registers from `start` on.
    Query { to: Register, start: Register, query: QueryId },
    /// Puts a record in; see [`Layout`](super::code::Layout).
    Create { to: Register, start: Register, layout: u32 },
    /// Changes a record; see [`Layout`](super::code::Layout).
    Update { to: Register, target: Operand, start: Register, layout: u32 },
    /// Takes a record away.
    Delete { target: Operand },
    /// Loads the records that the elements of a list name, by the plan of this position in
    /// [`Code::prefetches`](super::code::Code), with one question for each entity and hop.
    Prefetch { list: Operand, plan: u32 },
    /// Forgets what the last prefetch has loaded.
    Forget,

    /// Starts a flow when the step is done; its arguments are taken from the registers from `start` on.
    Start { flow: u32, count: u16, to: Register, start: Register },

    // ── decision tables ──
    /// Begins a decision: finds the rows whose indexed cells fit the subjects in the registers from `start` on.
    Decide { table: u32, start: Register },
    /// Goes on with the tests of the next row that may fit. A row without tests of its own fires at once.
    /// Behind the last row, goes on at `done`.
    NextRow { table: u32, done: Position },
    /// The row of the last `NextRow` fits. Goes on at `done` when no further row matters.
    Fire { table: u32, done: Position },
    /// All rows were tested: fails when too few or too many have fired; goes on at `again` when the last resort is
    /// still to be tested.
    Settle { table: u32, start: Register, again: Position },
    /// The outcome of the next row that has fired, or the way there; behind the last, goes on at `done`.
    NextOutcome { table: u32, to: Register, done: Position },
    /// Puts an outcome to those before, as the policy says; `value` is taken.
    Combine { table: u32, outcome: Register, value: Register, start: Register },
    /// Ends a decision.
    Decided { table: u32, outcome: Register, start: Register },
}

const _: () = assert!(size_of::<Instruction>() <= 16);
