//! A run at work.

use super::failure::RunFailure;
use super::fiber::Aside;
use super::replay::Replay;
use super::step::OpenStep;
use super::told::{Mark, Told};
use crate::value::{Duration, EcoString, Instant, Value, ValueMap};
use crate::world::RunId;
use std::collections::HashMap;
use std::sync::Arc;

/// A run while the engine walks through its flow. All of it can be had again from the journal.
#[derive(Debug)]
pub(super) struct Run {
    /// Its name.
    pub id: RunId,
    /// The run that waits for it.
    pub parent: Option<RunId>,
    /// Whether others may know it: it was not begun in this process just now.
    pub is_known: bool,
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
    /// The steps that have begun and wait, by the step and the rounds around it.
    pub open: HashMap<(u32, Vec<u32>), OpenStep>,
    /// How often the run has gone back by `go to`, by the rounds of the loops that it was in.
    pub went_back: HashMap<Vec<u32>, u32>,
    /// Whether it holds its turn, where only so many may be at work at once, although it was put aside.
    pub has_turn: bool,
    /// Why it is ended from outside: it goes no further than the journal knows.
    pub ending: Option<RunFailure>,
    /// What the journal knows of it beyond this point.
    pub replay: Replay,
    /// What the account has of it from an earlier walk.
    pub told: Told,
    /// Whether it has done something new in this walk. What has not follows from what the journal knows, and when its
    /// process has ended meanwhile, others may have been at work beside it.
    pub has_gone_on: bool,
    /// How many of its parts that go on side by side are about to end what they are in, and wait until the others have
    /// met again what they did.
    pub held_back: u32,
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
    Branches(Branches),
}

/// Branches and the one at work.
#[derive(Debug)]
pub(super) struct Branches {
    /// Where each starts.
    pub starts: Vec<u32>,
    /// The one at work.
    pub at: u32,
    /// Behind all.
    pub end: u32,
    /// How many finished steps there were when the branch began.
    pub finished_before: usize,
    /// The first failure of a branch: the others still are done.
    pub failure: Option<RunFailure>,
    /// The branches that have begun and wait.
    pub aside: Aside,
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
    /// Its place in what is told of the run.
    pub mark: Mark,
    /// The key of the last run that the item has begun: the best name for it.
    pub key: Option<EcoString>,
    /// The items that have begun and wait, when several may; none when they are done one after the other.
    pub aside: Option<Aside>,
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
            parent: None,
            is_known: true,
            flow: 0,
            frame: Vec::new(),
            at: 0,
            scopes: Vec::new(),
            finished: Vec::new(),
            open: HashMap::new(),
            went_back: HashMap::new(),
            has_turn: false,
            ending: None,
            replay,
            told: Told::default(),
            has_gone_on: true,
            held_back: 0,
            position,
            fuel: 0,
            deadline: None,
        }
    }

    /// The rounds of the loops and branches around the instruction at work, the outermost first.
    pub fn path(&self) -> Vec<u32> {
        self.scopes.iter().map(Scope::round).collect()
    }

    /// The run goes on at an instruction that it may have been at before.
    pub fn jumps(&mut self, target: u32) {
        if target as usize <= self.at {
            *self.went_back.entry(self.path()).or_default() += 1;
        }
    }

    /// How often the run has gone back before it came to where it is: tells apart the times that it does one step.
    pub fn round(&self, path: &[u32]) -> u32 {
        match self.went_back.is_empty() {
            true => 0,
            false => (0..=path.len()).filter_map(|end| self.went_back.get(&path[..end])).sum(),
        }
    }

    /// Sets a slot of the frame.
    pub fn set(&mut self, slot: u16, value: Value) {
        let slot = usize::from(slot);
        if self.frame.len() <= slot {
            self.frame.resize(slot + 1, Value::None);
        }
        self.frame[slot] = value;
    }

    /// Whether parts of it go on side by side: one that waits does not keep the others up.
    pub fn is_side_by_side(&self) -> bool {
        self.scopes.iter().any(Scope::is_side_by_side)
    }

    /// The innermost loop.
    pub fn innermost_loop(&mut self) -> Option<&mut Loop> {
        self.scopes.iter_mut().rev().find_map(|scope| match scope {
            Scope::Loop(each) => Some(each),
            Scope::Branches(_) => None,
        })
    }
}

impl Scope {
    /// The item or branch at work.
    pub fn round(&self) -> u32 {
        match self {
            Scope::Loop(each) => each.at,
            Scope::Branches(branches) => branches.at,
        }
    }

    /// What is done side by side in it; none for a loop that does one item after the other.
    pub fn aside(&mut self) -> Option<&mut Aside> {
        match self {
            Scope::Loop(each) => each.aside.as_mut(),
            Scope::Branches(branches) => Some(&mut branches.aside),
        }
    }

    /// Whether its parts go on side by side.
    pub fn is_side_by_side(&self) -> bool {
        match self {
            Scope::Loop(each) => each.aside.is_some(),
            Scope::Branches(_) => true,
        }
    }
}
