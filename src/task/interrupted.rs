//! A step that is put aside while another thread makes a call of it.
//!
//! The machine can't stop half way through a step. So the step is done again from its beginning when the answer is
//! there; but whatever it has asked of the world before the call it is told again from memory, in the same order: the
//! clock, chance, records, files, earlier answers. So it comes to the same call with the same values, and nothing is
//! done twice. That goes as long as the step has written nothing to the store.

use super::http::LeftCall;
use super::report::StepReport;
use crate::value::Value;
use crate::vm::Failure;
use crate::world::UnderWay;
use std::collections::VecDeque;

/// What of a step may be left to another thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Leaves {
    /// Nothing: there is nobody who could go on meanwhile.
    #[default]
    Nothing,
    /// Printing a document. The step is taken back and done again; it may have written to the store.
    Documents,
    /// Calls of other systems, as long as the step has written nothing.
    Calls,
}

/// A step that was put aside while a call of it is under way: all that it takes to come to that call again.
#[derive(Debug)]
pub struct Interrupted {
    pub(super) memory: VecDeque<Answer>,
    /// What it had done until then.
    pub(super) report: StepReport,
    /// How many calls it had named.
    pub(super) calls: u32,
    pub(super) call: LeftCall,
}

impl Interrupted {
    /// The call.
    pub fn under_way(&self) -> &UnderWay {
        self.call.under_way()
    }
}

/// What the world has answered to a step. No record is told as none, and many records as a list.
pub(super) type Answer = Result<Value, Failure>;

/// What a step has been told by the world so far, in order.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// What it will be told again.
    again: VecDeque<Answer>,
    /// What it was told, those that were told again among them.
    told: VecDeque<Answer>,
    /// Whether somebody may need it.
    keeps: bool,
}

impl Memory {
    /// For a step that may be put aside.
    pub fn keeping() -> Memory {
        Memory { keeps: true, ..Memory::default() }
    }

    /// For a step that goes on; keeps on if it may be put aside once more.
    pub fn telling(again: VecDeque<Answer>, keeps: bool) -> Memory {
        Memory { again, told: VecDeque::new(), keeps }
    }

    /// What the step was told when it came here before.
    pub fn tell(&mut self) -> Option<Answer> {
        let answer = self.again.pop_front()?;
        self.keep(|| answer.clone());
        Some(answer)
    }

    /// Whether the step still is where it was before.
    pub fn is_telling(&self) -> bool {
        !self.again.is_empty()
    }

    /// Whether it keeps or tells anything.
    pub fn is_in_use(&self) -> bool {
        self.keeps || self.is_telling()
    }

    /// Keeps what the step is told, unless that is that it is put aside.
    pub fn keep(&mut self, answer: impl FnOnce() -> Answer) {
        if !self.keeps {
            return;
        }
        let answer = answer();
        if !answer.as_ref().is_err_and(Failure::is_elsewhere) {
            self.told.push_back(answer);
        }
    }

    /// Gives up what nobody needs any more.
    pub fn forget(&mut self) {
        self.keeps = false;
        self.told.clear();
    }

    pub fn take(&mut self) -> VecDeque<Answer> {
        std::mem::take(&mut self.told)
    }
}
