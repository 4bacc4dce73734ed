//! Items and branches side by side: one that waits is put aside with its part of the run, and another goes on.
//!
//! Work is done by one thread, one item at a time, in the order of the items; an item is left only where it waits
//! (for time, an answer, a record, another run, what another thread does). So at most `n` items are in flight. One whose
//! step waits for another thread has none of it in the store: that step is done again from its beginning.
//!
//! Going on from the journal does the items in the same order. While the journal still knows something that was
//! not met again, an item that has come to the end of what is known of it is put aside as well, so that nothing new
//! happens before everything old is known; thus no clock has a say in what a replay does.

use super::Broken;
use super::engine::{Engine, Go};
use super::failure::RunFailure;
use super::park::Parked;
use super::run::{Finished, Run, Scope};
use crate::value::{Duration, EcoString, Instant, Value};
use crate::world::{QuestionState, RunId, UnderWay};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// An item or branch that waits.
#[derive(Debug)]
pub(super) struct Fiber {
    /// The instruction that it goes on with.
    pub at: usize,
    pub frame: Vec<Value>,
    /// The loops and branches that it is in, within the item.
    pub scopes: Vec<Scope>,
    /// Its finished steps that can be undone.
    pub finished: Vec<Finished>,
    /// How many finished steps there were when it was put aside: what its loops count from.
    base: usize,
    key: Option<EcoString>,
    work_before: u64,
    earlier_before: u64,
    parked: Box<Parked>,
    /// How it ends what it is in, when that is held back.
    held_back: Option<HeldBack>,
}

impl Fiber {
    /// Whether it has done nothing new since the run was taken up, as far as it has come.
    pub fn has_only_met(&self) -> bool {
        self.parked.look == Some(Instant::EPOCH) && self.held_back.is_none()
    }
}

/// How an item or branch ends the loop, the branches or the run that it is in.
#[derive(Debug)]
pub(super) enum HeldBack {
    /// With this failure.
    Failure(RunFailure),
    /// With `return` or `stop`, at which it stands.
    End,
}

/// The items or branches of a scope that wait.
#[derive(Debug, Default)]
pub(super) struct Aside {
    fibers: BTreeMap<u32, Fiber>,
    /// Those that are worth looking at from a moment on.
    by_time: BTreeSet<(Instant, u32)>,
    /// Those that wait for another thread of this process, the first to do so first.
    elsewhere: VecDeque<u32>,
    /// How many may be in flight.
    at_once: u32,
    /// The next that has not begun.
    next: u32,
    /// Whether one is at work.
    at_work: bool,
    /// The frame before the first: every one begins with it, whatever the others do.
    frame: Vec<Value>,
    /// Whether an item that ends it before the others is held back no more.
    lets_end: bool,
    /// What the branches have set, by slot: the last branch counts, not the one that came last.
    set: BTreeMap<usize, (u32, Value)>,
}

impl Aside {
    /// For so many at once, none begun yet.
    pub fn new(at_once: u32, frame: &[Value]) -> Aside {
        Aside { at_once: at_once.max(1), frame: frame.to_vec(), ..Aside::default() }
    }

    /// Takes over what a branch has set.
    pub fn join(&mut self, item: u32, frame: &[Value]) {
        for (slot, value) in frame.iter().enumerate() {
            if self.frame.get(slot) != Some(value) && self.set.get(&slot).is_none_or(|(by, _)| *by <= item) {
                self.set.insert(slot, (item, value.clone()));
            }
        }
    }

    /// The frame behind all.
    pub fn into_frame(mut self) -> Vec<Value> {
        for (slot, (_, value)) in self.set {
            if self.frame.len() <= slot {
                self.frame.resize(slot + 1, Value::None);
            }
            if let Some(place) = self.frame.get_mut(slot) {
                *place = value;
            }
        }
        self.frame
    }

    /// Those that wait, in the order of the items.
    pub fn waiting(&mut self) -> impl Iterator<Item = (u32, &mut Fiber)> {
        self.fibers.iter_mut().map(|(item, fiber)| (*item, fiber))
    }

    fn put(&mut self, item: u32, fiber: Fiber) {
        if let Some(look) = fiber.parked.look {
            self.by_time.insert((look, item));
        }
        if fiber.parked.is_elsewhere {
            self.elsewhere.push_back(item);
        }
        self.fibers.insert(item, fiber);
        self.at_work = false;
    }

    fn take(&mut self, item: u32) -> Option<Fiber> {
        let fiber = self.fibers.remove(&item)?;
        if let Some(look) = fiber.parked.look {
            self.by_time.remove(&(look, item));
        }
        if fiber.parked.is_elsewhere {
            self.elsewhere.retain(|other| *other != item);
        }
        Some(fiber)
    }

    /// The first of those that wait for another thread that has something to go on with.
    fn come(&self) -> Option<u32> {
        let has_come = |item: &&u32| self.fibers.get(item).is_some_and(|fiber| fiber.parked.has_come());
        self.elsewhere.iter().find(has_come).copied()
    }

    /// The first that is held back.
    fn held_back(&self) -> Option<u32> {
        self.fibers.iter().find(|(_, fiber)| fiber.held_back.is_some()).map(|(item, _)| *item)
    }

    /// The first moment from which one of them can go on, be the journal told to its end or not.
    fn first_pause(&self) -> Option<(Instant, u32)> {
        self.by_time.range((Instant::EPOCH, u32::MAX)..).next().copied()
    }

    /// The calls that are waited for.
    fn calls(&self) -> Vec<UnderWay> {
        self.fibers.values().flat_map(|fiber| &fiber.parked.calls).cloned().collect()
    }

    /// All waits together; `left` items have not begun. Those that could go on if the journal were told to its end count
    /// where there are no others.
    fn parked(&self, left: bool) -> Parked {
        let waits = |fiber: &Fiber| fiber.parked.look != Some(Instant::EPOCH);
        let some_wait = self.fibers.values().any(waits);
        let mut fibers = self.fibers.values().filter(|fiber| !some_wait || waits(fiber));
        let mut parked = match fibers.next() {
            Some(first) => (*first.parked).clone(),
            None => Parked::replaying(),
        };
        fibers.for_each(|fiber| parked.add(&fiber.parked));
        if left && parked.enough > 1 {
            // Others are held back: it is woken for half of those in flight together, not for each.
            parked.enough = (parked.enough - self.at_once / 2).clamp(1, parked.enough);
        }
        parked
    }
}

impl Engine<'_> {
    /// Puts the item at work of the innermost scope aside that does several, and lets another go on. Gives the wait
    /// back when there is no such scope: the run as a whole waits.
    pub(super) fn put_aside(&mut self, run: &mut Run, parked: Box<Parked>) -> Result<Go, Broken> {
        let at_work = |scope: &mut Scope| scope.aside().is_some_and(|aside| aside.at_work);
        match run.scopes.iter_mut().rposition(at_work) {
            Some(depth) => self.put_aside_at(run, depth, parked, None),
            None => Ok(Go::Park(parked)),
        }
    }

    /// Whether an item that ends the loop or branches at this depth has to wait: as long as the journal knows of something
    /// that the others did, they have not met it again; and when nothing new was done since the process ended that was at
    /// work here before, they may not even have begun again. What they finished would not be undone with the rest, what
    /// they wait for not withdrawn.
    pub(super) fn holds_back(&self, run: &mut Run, depth: usize) -> bool {
        let is_behind = !run.replay.is_over() || !run.has_gone_on;
        let aside = run.scopes.get_mut(depth).and_then(Scope::aside);
        is_behind && aside.is_some_and(|aside| aside.at_work && !aside.lets_end)
    }

    /// The innermost scope that an item which ends the run has to wait in.
    pub(super) fn holds_back_end(&self, run: &mut Run) -> Option<usize> {
        (0..run.scopes.len()).rev().find(|depth| self.holds_back(run, *depth))
    }

    /// Puts the item at work of a scope aside with how it ends that.
    pub(super) fn hold_back(&mut self, run: &mut Run, depth: usize, held: HeldBack) -> Result<Go, Broken> {
        run.held_back += 1;
        self.put_aside_at(run, depth, Box::new(Parked::replaying()), Some(held))
    }

    fn put_aside_at(
        &mut self,
        run: &mut Run,
        depth: usize,
        parked: Box<Parked>,
        held_back: Option<HeldBack>,
    ) -> Result<Go, Broken> {
        let inner = run.scopes.split_off(depth + 1);
        self.loops -= loops_of(&inner).min(self.loops);
        let mut fiber = Fiber {
            at: run.at,
            frame: std::mem::take(&mut run.frame),
            scopes: inner,
            finished: Vec::new(),
            base: 0,
            key: None,
            work_before: 0,
            earlier_before: 0,
            parked,
            held_back,
        };
        match run.scopes.last_mut() {
            Some(Scope::Loop(each)) => {
                fiber.base = each.finished_before;
                fiber.finished = run.finished.split_off(each.finished_before.min(run.finished.len()));
                fiber.key = each.key.take();
                (fiber.work_before, fiber.earlier_before) = (each.work_before, each.earlier_before);
                let item = each.at;
                if let Some(aside) = &mut each.aside {
                    aside.put(item, fiber);
                }
            }
            Some(Scope::Branches(branches)) => {
                fiber.base = branches.finished_before;
                fiber.finished = run.finished.split_off(branches.finished_before.min(run.finished.len()));
                branches.aside.put(branches.at, fiber);
            }
            None => {}
        }
        self.schedule(run)
    }

    /// Whether others can go on while a step of this run waits for another thread.
    pub(super) fn has_others(&self, run: &Run) -> bool {
        self.overlapping > 0 || run.is_side_by_side()
    }

    /// Lets an item of the innermost scope go on that was put aside, or begins the next; ends the scope when there is
    /// none, and waits when none can.
    pub(super) fn schedule(&mut self, run: &mut Run) -> Result<Go, Broken> {
        loop {
            let live = run.replay.is_over() && run.held_back == 0;
            let now = self.world().clock.now();
            let is_outermost = !run.scopes.iter().rev().skip(1).any(Scope::is_side_by_side);
            let Some(scope) = run.scopes.last_mut() else { return Ok(Go::On) };
            let count = match scope {
                Scope::Loop(each) => each.items.len(),
                Scope::Branches(branches) => branches.starts.len(),
            };
            let Some(aside) = scope.aside() else { return Ok(Go::On) };
            aside.at_work = false;
            if live
                && let Some((look, item)) = aside.by_time.first().copied()
                && look <= now
            {
                return self.bring_back(run, item);
            }
            let left = (aside.next as usize) < count;
            if left && aside.fibers.len() < aside.at_once as usize {
                let item = aside.next;
                aside.next += 1;
                aside.at_work = true;
                run.frame.clone_from(&aside.frame);
                return Ok(self.begin_item(run, item));
            }
            // What other threads do is taken up in the order in which it was left: which document is done first is no matter,
            // so that no clock has a say in what happens. Calls take as long as others let them take, so that those that
            // have come go before those that have not.
            if let Some(item) = aside.come() {
                return self.bring_back(run, item);
            }
            if aside.fibers.is_empty() {
                return Ok(self.end_scope(run));
            }
            if let Some(item) = aside.held_back().filter(|_| !live) {
                aside.lets_end = true;
                return self.bring_back(run, item);
            }
            // A step that is done again where the journal knows more of its item may pause before its next try.
            let first = if live { aside.by_time.first().copied() } else { aside.first_pause() };
            if let Some((look, item)) = first
                && look <= now
            {
                return self.bring_back(run, item);
            }
            let look = first.map(|(look, _)| look);
            // Whoever has others to go on with meanwhile does not wait here.
            if !aside.elsewhere.is_empty() && is_outermost && self.overlapping == 0 {
                let calls = aside.calls();
                self.wait_for_calls(&calls, look.map(|look| look.since(now)))?;
                continue;
            }
            if is_outermost && let Some(rest) = self.patience(look) {
                self.pause(rest)?;
                continue;
            }
            let aside = run.scopes.last_mut().and_then(Scope::aside);
            let parked = aside.map(|aside| {
                run.frame.clone_from(&aside.frame);
                aside.parked(left)
            });
            return Ok(Go::Park(Box::new(parked.unwrap_or_else(Parked::replaying))));
        }
    }

    /// Waits until one of the calls has come to its end; others get the store meanwhile.
    pub(super) fn wait_for_calls(&mut self, calls: &[UnderWay], at_most: Option<Duration>) -> Result<(), Broken> {
        self.group.close(self.worker.world())?;
        UnderWay::wait_for_any(calls, at_most);
        Ok(())
    }

    /// Goes on with an item that was put aside.
    fn bring_back(&mut self, run: &mut Run, item: u32) -> Result<Go, Broken> {
        let base = run.finished.len();
        let Some(scope) = run.scopes.last_mut() else { return Ok(Go::On) };
        let Some(aside) = scope.aside() else { return Ok(Go::On) };
        let Some(fiber) = aside.take(item) else { return Ok(Go::On) };
        aside.at_work = true;
        match scope {
            Scope::Loop(each) => {
                each.at = item;
                each.finished_before = base;
                each.key = fiber.key;
                (each.work_before, each.earlier_before) = (fiber.work_before, fiber.earlier_before);
            }
            Scope::Branches(branches) => {
                branches.at = item;
                branches.finished_before = base;
            }
        }
        run.frame = fiber.frame;
        run.finished.extend(fiber.finished);
        self.loops += loops_of(&fiber.scopes);
        for mut scope in fiber.scopes {
            let (Scope::Loop(super::run::Loop { finished_before, .. })
            | Scope::Branches(super::run::Branches { finished_before, .. })) = &mut scope;
            *finished_before = finished_before.saturating_sub(fiber.base) + base;
            run.scopes.push(scope);
        }
        run.at = fiber.at;
        if let Some(held_back) = fiber.held_back {
            run.held_back = run.held_back.saturating_sub(1);
            return Ok(match held_back {
                HeldBack::Failure(failure) => Go::Fail(failure),
                HeldBack::End => Go::To(fiber.at as u32),
            });
        }
        // It may have waited as a whole because none of its own items could go on.
        match run.scopes.last_mut().and_then(Scope::aside) {
            Some(aside) if !aside.at_work => self.schedule(run),
            _ => Ok(Go::To(fiber.at as u32)),
        }
    }

    /// Goes on after the run as a whole has waited within this process.
    pub(super) fn look_again(&mut self, run: &mut Run) -> Result<Go, Broken> {
        match run.scopes.last_mut().and_then(Scope::aside) {
            Some(aside) if !aside.at_work => self.schedule(run),
            _ => Ok(Go::To(run.at as u32)),
        }
    }

    /// Gives up what waits in a scope that ends before its items do: questions are withdrawn, runs cancelled; their
    /// finished steps stay to be undone with the others.
    pub(super) fn give_up(&mut self, run: &mut Run, scope: &mut Scope) -> Result<(), Broken> {
        let rounds = run.path();
        self.settle_scope(run, &rounds, scope)?;
        run.open.retain(|(_, path), _| path.len() <= rounds.len() || !path.starts_with(&rounds));
        let Some(aside) = scope.aside() else { return Ok(()) };
        aside.by_time.clear();
        aside.elsewhere.clear();
        for (_, mut fiber) in std::mem::take(&mut aside.fibers) {
            run.held_back = run.held_back.saturating_sub(u32::from(fiber.held_back.is_some()));
            run.finished.extend(fiber.finished);
            for inner in &mut fiber.scopes {
                self.give_up(run, inner)?;
            }
            self.withdraw(run, &fiber.parked)?;
        }
        Ok(())
    }

    fn withdraw(&mut self, run: &Run, parked: &Parked) -> Result<(), Broken> {
        if parked.questions.is_empty() && parked.runs.is_empty() {
            return Ok(());
        }
        self.group.open(self.worker.world())?;
        for question in &parked.questions {
            self.world().store.close_question(*question, QuestionState::Withdrawn, None)?;
        }
        for child in &parked.runs {
            self.cancel_child(run.id, *child)?;
        }
        Ok(())
    }

    /// Cancels a run that this one waits for, unless it belongs to another.
    pub(super) fn cancel_child(&mut self, parent: RunId, child: RunId) -> Result<(), Broken> {
        let record = self.world().store.run(child)?;
        if record.is_some_and(|record| record.parent == Some(parent) && !record.state.is_over()) {
            self.cancel_run(child, &format!("with run {}", parent.0))?;
        }
        Ok(())
    }
}

/// How many loops there are among scopes.
pub(super) fn loops_of(scopes: &[Scope]) -> usize {
    scopes.iter().filter(|scope| matches!(scope, Scope::Loop(_))).count()
}
