//! A run at work.

use super::replay::Replay;
use crate::value::{Duration, EcoString, Instant, Value, ValueMap};
use crate::world::RunId;
use std::sync::Arc;

/// A run while the engine walks through its flow. All of it can be had again from the journal.
#[derive(Debug)]
pub(super) struct Run {
    /// Its name.
    pub id: RunId,
    /// The index of its flow.
    pub flow: usize,
    /// The locals of the flow; what chunks need beside them lies behind.
    pub frame: Vec<Value>,
    /// The instruction that comes next.
    pub at: usize,
    /// The loops and branches that it is in, the outermost first.
    pub scopes: Vec<Scope>,
    /// The finished steps that can be undone, in the order in which they ended.
    pub finished: Vec<Finished>,
    /// What the journal knows of it beyond this point.
    pub replay: Replay,
    /// The position of the next entry.
    pub position: u32,
    /// How many instructions it may still walk.
    pub fuel: u32,
    /// Until when it must have ended, and how long that is after its beginning.
    pub deadline: Option<(Instant, Duration)>,
}

/// A loop or branches.
#[derive(Debug)]
pub(super) enum Scope {
    /// `for`
    Loop(Loop),
    /// `parallel { }`
    Branches {
        /// Where each starts.
        starts: Vec<u32>,
        /// The one at work.
        at: u32,
        /// Behind all.
        end: u32,
    },
}

/// A loop and the item at work.
#[derive(Debug)]
pub(super) struct Loop {
    /// What it goes over.
    pub items: Items,
    /// The item at work.
    pub at: u32,
    /// The first instruction of the body.
    pub body: u32,
    /// Behind the loop.
    pub end: u32,
    /// Takes the element or key.
    pub slot: u16,
    /// Takes the value of a map's entry.
    pub second: Option<u16>,
    /// Whether the first failing item ends the loop.
    pub stop_at_first_failure: bool,
    /// How many finished steps there were when the item began.
    pub finished_before: usize,
    /// How much had been done by the engine when the item began.
    pub work_before: u64,
    /// How many runs had been found done when the item began.
    pub earlier_before: u64,
    /// Its place in the account.
    pub account: usize,
    /// The key of the last run that the item has begun: the best name for it.
    pub key: Option<EcoString>,
}

/// What a loop goes over.
#[derive(Debug)]
pub(super) enum Items {
    /// A list.
    List(Arc<Vec<Value>>),
    /// A map.
    Map(Arc<ValueMap>),
}

impl Items {
    pub fn len(&self) -> usize {
        match self {
            Items::List(list) => list.len(),
            Items::Map(map) => map.len(),
        }
    }

    /// The element, or key and value.
    pub fn get(&self, at: u32) -> Option<(Value, Value)> {
        match self {
            Items::List(list) => list.get(at as usize).map(|element| (element.clone(), Value::None)),
            Items::Map(map) => map.get_index(at as usize).map(|(key, value)| (key.clone(), value.clone())),
        }
    }
}

/// A finished step that can be undone.
#[derive(Debug)]
pub(super) struct Finished {
    /// The index of the step.
    pub step: u32,
    /// The rounds of the loops around it.
    pub path: Vec<u32>,
    /// The frame when it ended.
    pub frame: Vec<Value>,
}

impl Run {
    /// A run that is not walked: what it takes to append to its journal.
    pub fn bare(id: RunId, position: u32, replay: Replay) -> Run {
        Run {
            id,
            flow: 0,
            frame: Vec::new(),
            at: 0,
            scopes: Vec::new(),
            finished: Vec::new(),
            replay,
            position,
            fuel: 0,
            deadline: None,
        }
    }

    /// The rounds of the loops and branches around the instruction at work, the outermost first.
    pub fn path(&self) -> Vec<u32> {
        let round = |scope: &Scope| match scope {
            Scope::Loop(each) => each.at,
            Scope::Branches { at, .. } => *at,
        };
        self.scopes.iter().map(round).collect()
    }

    /// Sets a slot of the frame.
    pub fn set(&mut self, slot: u16, value: Value) {
        let slot = usize::from(slot);
        if self.frame.len() <= slot {
            self.frame.resize(slot + 1, Value::None);
        }
        self.frame[slot] = value;
    }

    /// The innermost loop.
    pub fn innermost_loop(&mut self) -> Option<&mut Loop> {
        self.scopes.iter_mut().rev().find_map(|scope| match scope {
            Scope::Loop(each) => Some(each),
            Scope::Branches { .. } => None,
        })
    }
}
