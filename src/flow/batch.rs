//! Loops and branches. A failing item ends alone: its steps are undone, the journal notes it, the next item
//! begins.
//!
//! How the items of `parallel n` and the branches of `parallel { }` take turns is told in `fiber`.

use super::Broken;
use super::engine::{Engine, Go};
use super::failure::RunFailure;
use super::fiber::{Aside, HeldBack};
use super::replay::Deed;
use super::run::{Branches, Items, Loop, Run, Scope};
use crate::compile::code::ChunkId;
use crate::text::Span;
use crate::value::{EcoString, Value, encode};
use crate::world::EntryKind;

impl Engine<'_> {
    /// `for`: the list, how many at once; the slots.
    pub(super) fn enter_loop(
        &mut self,
        run: &mut Run,
        (list, parallel): (ChunkId, Option<ChunkId>),
        (slot, second): (u16, Option<u16>),
        stop_at_first_failure: bool,
        end: u32,
        span: Span,
    ) -> Result<Go, Broken> {
        let items = match self.evaluate(run, list)? {
            Ok(Value::List(list)) => Items::List(list),
            Ok(Value::Map(map)) => Items::Map(map),
            Ok(_) => return Ok(Go::Fail(self.limit("a loop over what is no list", span))),
            Err(failure) => return Ok(Go::Fail(failure)),
        };
        let mut at_once = 1;
        if let Some(parallel) = parallel {
            match self.evaluate(run, parallel)? {
                Ok(Value::Int(count)) if count < 1 => {
                    let reason = Value::from(format!("`parallel {count}` leaves nothing to be done at a time"));
                    return Ok(Go::Fail(self.language_failure("bad_value", vec![reason], span)));
                }
                Ok(count) => at_once = count.as_int().and_then(|count| u32::try_from(count).ok()).unwrap_or(u32::MAX),
                Err(failure) => return Ok(Go::Fail(failure)),
            }
        }
        let aside = (at_once > 1).then(|| Aside::new(at_once, &run.frame));
        let name = self.loop_name(span);
        let flow = self.code.flows.get(run.flow).map_or("", |flow| flow.name.as_str());
        let account = self.account.loop_met(flow, &name, span);
        let (mark, is_new) = run.tell_loop(account);
        if is_new {
            self.account.loop_began(account, items.len());
        }
        self.loops += 1;
        self.observer.loop_began(&name, self.loops, items.len());
        run.scopes.push(Scope::Loop(Loop {
            items,
            at: 0,
            body: run.at as u32 + 1,
            end,
            slot,
            second,
            stop_at_first_failure,
            finished_before: run.finished.len(),
            work_before: self.work,
            earlier_before: self.account.runs_found,
            account,
            mark,
            key: None,
            aside,
        }));
        self.item(run)
    }

    /// What the script calls an item: `row` of `for row in rows`.
    fn loop_name(&self, span: Span) -> EcoString {
        let text = self.code.sources.slice(span);
        let head = text.strip_prefix("for").and_then(|rest| rest.split_once(" in "));
        head.map_or(EcoString::inline("item"), |(name, _)| EcoString::from(name.trim()))
    }

    /// Begins the item at work, or lets another go on, or ends the loop.
    fn item(&mut self, run: &mut Run) -> Result<Go, Broken> {
        let Some(Scope::Loop(each)) = run.scopes.last() else { return Ok(Go::On) };
        if each.aside.is_some() {
            return self.schedule(run);
        }
        let at = each.at;
        Ok(if (at as usize) < each.items.len() { self.begin_item(run, at) } else { self.end_scope(run) })
    }

    /// Begins an item or branch of the innermost scope.
    pub(super) fn begin_item(&mut self, run: &mut Run, item: u32) -> Go {
        let (finished, work, earlier) = (run.finished.len(), self.work, self.account.runs_found);
        match run.scopes.last_mut() {
            None => Go::On,
            Some(Scope::Loop(each)) => {
                each.at = item;
                each.finished_before = finished;
                each.work_before = work;
                each.earlier_before = earlier;
                each.key = None;
                let (slot, second, body) = (each.slot, each.second, each.body);
                if let Some((element, value)) = each.items.get(item) {
                    run.set(slot, element);
                    if let Some(second) = second {
                        run.set(second, value);
                    }
                }
                run.tell_begun();
                Go::To(body)
            }
            Some(Scope::Branches(branches)) => {
                branches.at = item;
                branches.finished_before = finished;
                Go::To(branches.starts.get(item as usize).copied().unwrap_or(branches.end))
            }
        }
    }

    /// Ends the innermost scope: all of its items or branches have ended.
    pub(super) fn end_scope(&mut self, run: &mut Run) -> Go {
        match run.scopes.pop() {
            None => Go::On,
            Some(Scope::Loop(each)) => {
                self.observer.loop_ended(self.loops);
                self.loops = self.loops.saturating_sub(1);
                if let Some(aside) = each.aside {
                    run.frame = aside.into_frame();
                }
                Go::To(each.end)
            }
            Some(Scope::Branches(branches)) => {
                run.frame = branches.aside.into_frame();
                match branches.failure {
                    Some(failure) => Go::Fail(failure),
                    None => Go::To(branches.end),
                }
            }
        }
    }

    /// `Next`: the item at work has ended well.
    pub(super) fn next_item(&mut self, run: &mut Run) -> Result<Go, Broken> {
        let counts = run.tell_ended();
        let Some(Scope::Loop(each)) = run.scopes.last_mut() else { return Ok(Go::On) };
        each.at += 1;
        // Its runs had all been done before, and nothing else was to do.
        let earlier = each.work_before == self.work && each.earlier_before < self.account.runs_found;
        if counts {
            self.account.item_done(each.account, earlier);
        }
        self.observer.item_ended(self.loops, false);
        self.item(run)
    }

    /// Leaves the innermost loops and branches, so many.
    pub(super) fn leave(&mut self, run: &mut Run, scopes: usize) -> Result<(), Broken> {
        for _ in 0..scopes {
            let counts = run.tell_ended();
            run.tell_left();
            let Some(mut scope) = run.scopes.pop() else { break };
            self.give_up(run, &mut scope)?;
            if let Scope::Loop(each) = scope {
                if counts {
                    self.account.item_done(each.account, false);
                }
                self.observer.loop_ended(self.loops);
                self.loops = self.loops.saturating_sub(1);
            }
        }
        Ok(())
    }

    /// A failure that no handler was for: the item of the innermost loop that lets others go on ends. Gives the
    /// failure back when there is no such loop.
    pub(super) fn item_failed(&mut self, run: &mut Run, failure: RunFailure) -> Result<Go, Broken> {
        loop {
            let ends_loop = matches!(run.scopes.last(), Some(Scope::Loop(each)) if each.stop_at_first_failure);
            let depth = run.scopes.len().saturating_sub(1);
            if ends_loop && self.holds_back(run, depth) {
                return self.hold_back(run, depth, HeldBack::Failure(failure));
            }
            let depth = self.loops;
            let path = run.path();
            let counts = run.tell_ended();
            let (at, account, finished_before, name, goes_on) = match run.scopes.last_mut() {
                None => return Ok(Go::Fail(failure)),
                Some(Scope::Branches(branches)) => {
                    // The other branches still are done; then it fails with the first failure.
                    branches.failure.get_or_insert(failure);
                    return self.schedule(run);
                }
                Some(Scope::Loop(each)) => {
                    let name = match (&each.key, each.items.get(each.at)) {
                        (Some(key), _) => key.clone(),
                        (None, Some((element, _))) => self.names.short(&element),
                        (None, None) => EcoString::new(),
                    };
                    each.at += 1;
                    (each.at, each.account, each.finished_before, name, !each.stop_at_first_failure)
                }
            };
            let name = if name.is_empty() { EcoString::from(format!("item {at}")) } else { name };
            if counts {
                self.account.item_failed(account, &name, &failure);
            }
            self.observer.item_ended(depth, true);
            if !goes_on {
                // The loop ends, and what is around it has to deal with the failure.
                run.tell_left();
                if let Some(mut scope) = run.scopes.pop() {
                    self.give_up(run, &mut scope)?;
                }
                self.observer.loop_ended(self.loops);
                self.loops = self.loops.saturating_sub(1);
                continue;
            }
            self.undo_to(run, finished_before)?;
            if run.replay.take(Deed::Item, u32::MAX, &path).is_none() {
                let mut payload = Vec::new();
                let parts = vec![Value::Text(name), failure.to_value()];
                if encode(&Value::list(parts), &mut payload).is_err() {
                    payload.clear();
                }
                self.append(run, EntryKind::ItemFailed, u32::MAX, &path, payload, Vec::new(), 0)?;
                self.group.close_when_due(self.worker.world())?;
            }
            return self.item(run);
        }
    }

    /// `parallel { }`
    pub(super) fn enter_branches(&mut self, run: &mut Run, branches: &[u32], end: u32) -> Result<Go, Broken> {
        run.scopes.push(Scope::Branches(Branches {
            starts: branches.to_vec(),
            at: 0,
            end,
            finished_before: run.finished.len(),
            failure: None,
            aside: Aside::new(u32::MAX, &run.frame),
        }));
        self.schedule(run)
    }

    /// `Join`: a branch has ended; another goes on, or what lies behind all.
    pub(super) fn join(&mut self, run: &mut Run) -> Result<Go, Broken> {
        if let Some(Scope::Branches(branches)) = run.scopes.last_mut() {
            branches.aside.join(branches.at, &run.frame);
        }
        self.schedule(run)
    }
}
