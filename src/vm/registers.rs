//! The frame that instructions work on.

use crate::compile::instruction::{Operand, Place, Register};
use crate::value::Value;

/// The registers of a chunk that is being executed, and the constants beside them. A register that is not
/// there reads as none: the compiler names none such.
pub(super) struct Registers<'f> {
    pub values: &'f mut [Value],
    pub constants: &'f [Value],
}

/// Sets values to none. Most of them are: looking first is faster than writing all.
#[inline]
pub(super) fn forget(values: &mut [Value]) {
    for value in values {
        if !value.is_none() {
            *value = Value::None;
        }
    }
}

impl Registers<'_> {
    /// The value of an operand.
    #[inline(always)]
    pub fn get(&self, operand: Operand) -> &Value {
        match operand.place() {
            Place::Register(register) => self.values.get(usize::from(register)).unwrap_or(&Value::None),
            Place::Constant(index) => self.constants.get(usize::from(index)).unwrap_or(&Value::None),
        }
    }

    /// Sets a register.
    #[inline(always)]
    pub fn set(&mut self, register: Register, value: Value) {
        if let Some(place) = self.values.get_mut(usize::from(register)) {
            *place = value;
        }
    }

    /// Takes the value out of a register.
    #[inline(always)]
    pub fn take(&mut self, register: Register) -> Value {
        self.values.get_mut(usize::from(register)).map_or(Value::None, std::mem::take)
    }

    /// A register to change.
    #[inline(always)]
    pub fn get_mut(&mut self, register: Register) -> Option<&mut Value> {
        self.values.get_mut(usize::from(register))
    }

    /// Registers in a row.
    #[inline(always)]
    pub fn window(&mut self, start: Register, count: usize) -> &mut [Value] {
        let start = usize::from(start);
        self.values.get_mut(start..start.saturating_add(count)).unwrap_or_default()
    }

    /// Takes the values out of registers in a row.
    pub fn take_window(&mut self, start: Register, count: usize) -> Vec<Value> {
        self.window(start, count).iter_mut().map(std::mem::take).collect()
    }
}
