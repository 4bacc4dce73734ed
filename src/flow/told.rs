//! What the account of runs has of a run already. A run that is parked and taken up again is walked from its first
//! instruction; what an earlier walk has counted must not be counted once more.

use super::run::{Run, Scope};
use std::collections::BTreeMap;

/// What is counted of a run.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The entries before this position are.
    pub position: u32,
    /// How many walks of the run came before this one.
    walk: u32,
    /// Its loops, by the rounds around them and their instruction. Those within an item that has ended are left
    /// out: nothing in it is counted again.
    loops: BTreeMap<(Vec<u32>, u32), Passes>,
}

/// A loop that may be passed more than once at the same place (`go to`).
#[derive(Debug, Default)]
struct Passes {
    walk: u32,
    next: usize,
    of: Vec<Items>,
}

/// The items of one pass of a loop.
#[derive(Debug, Default)]
struct Items {
    /// Its place in the account.
    account: usize,
    /// How many have begun.
    begun: u32,
    /// Which have ended, a bit each.
    ended: Vec<u64>,
    /// Whether the loop was left before all of them had ended.
    is_left: bool,
}

/// Where a loop at work is in what is told of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Which pass of the loop it is.
    pass: usize,
    /// How many of its items had begun in an earlier walk.
    pub begun_before: u32,
    /// Whether it lies within an item that an earlier walk has counted.
    pub is_counted: bool,
}

impl Told {
    /// What is told when the run is parked after so many entries.
    pub fn parked(mut self, position: u32) -> Told {
        self.position = position;
        self.walk += 1;
        self
    }

    /// Whether the run was walked before in the same account.
    pub fn is_again(&self) -> bool {
        self.walk > 0
    }

    /// How many items of each loop wait, by its place in the account.
    pub fn waiting(&self) -> impl Iterator<Item = (usize, u64)> {
        let passes = self.loops.values().flat_map(|passes| &passes.of).filter(|items| !items.is_left);
        passes.map(|items| {
            let ended: u32 = items.ended.iter().map(|word| word.count_ones()).sum();
            (items.account, u64::from(items.begun.saturating_sub(ended)))
        })
    }

    /// A loop begins; `path` are the rounds around it. Gives its mark, and whether its items are to be counted now.
    fn enter(&mut self, path: Vec<u32>, at: u32, account: usize) -> (Mark, bool) {
        let walk = self.walk;
        let passes = self.loops.entry((path, at)).or_default();
        if passes.walk != walk {
            (passes.walk, passes.next) = (walk, 0);
        }
        let pass = passes.next;
        passes.next += 1;
        match passes.of.get(pass) {
            Some(items) => (Mark { pass, begun_before: items.begun, is_counted: false }, false),
            None => {
                passes.of.push(Items { account, ..Items::default() });
                (Mark { pass, begun_before: 0, is_counted: false }, true)
            }
        }
    }

    fn items(&mut self, path: &[u32], at: u32, mark: Mark) -> Option<&mut Items> {
        self.loops.get_mut(&(path.to_vec(), at))?.of.get_mut(mark.pass)
    }

    /// Forgets the loops within an item.
    fn forget(&mut self, item: &[u32]) {
        let from = (item.to_vec(), 0);
        let within = self.loops.range(from..).map(|(key, _)| key).take_while(|(path, _)| path.starts_with(item));
        for key in within.cloned().collect::<Vec<_>>() {
            self.loops.remove(&key);
        }
    }
}

impl Items {
    fn has_ended(&self, item: u32) -> bool {
        self.ended.get(item as usize / 64).is_some_and(|word| word & (1 << (item % 64)) != 0)
    }

    /// Notes the end of an item; false when it was noted before.
    fn end(&mut self, item: u32) -> bool {
        let at = item as usize / 64;
        if self.ended.len() <= at {
            self.ended.resize(at + 1, 0);
        }
        let is_new = !self.has_ended(item);
        if let Some(word) = self.ended.get_mut(at) {
            *word |= 1 << (item % 64);
        }
        is_new
    }
}

impl Run {
    /// A loop begins at the instruction at work; `account` is its place in the account. Gives its mark, and whether
    /// its items are to be counted now.
    pub fn tell_loop(&mut self, account: usize) -> (Mark, bool) {
        let all = Mark { pass: 0, begun_before: u32::MAX, is_counted: true };
        let mut path = Vec::with_capacity(self.scopes.len());
        for scope in &self.scopes {
            match scope {
                Scope::Branches(branches) => path.push(branches.at),
                Scope::Loop(each) => {
                    let is_counted = each.mark.is_counted
                        || self
                            .told
                            .items(&path, each.body - 1, each.mark)
                            .is_some_and(|items| items.has_ended(each.at));
                    if is_counted {
                        return (all, false);
                    }
                    path.push(each.at);
                }
            }
        }
        let at = u32::try_from(self.at).unwrap_or(u32::MAX);
        self.told.enter(path, at, account)
    }

    /// An item of the innermost scope begins, if that is a loop.
    pub fn tell_begun(&mut self) {
        let Some((path, item, at, mark)) = self.innermost() else { return };
        if let Some(items) = self.told.items(&path, at, mark) {
            items.begun = items.begun.max(item + 1);
        }
    }

    /// The item at work of the innermost loop has ended; whether that is to be counted now.
    pub fn tell_ended(&mut self) -> bool {
        let Some((mut path, item, at, mark)) = self.innermost() else { return false };
        if mark.is_counted || !self.told.items(&path, at, mark).is_none_or(|items| items.end(item)) {
            return false;
        }
        path.push(item);
        self.told.forget(&path);
        true
    }

    /// The innermost loop is left, whatever becomes of the items that have begun.
    pub fn tell_left(&mut self) {
        let Some((path, _, at, mark)) = self.innermost() else { return };
        if let Some(items) = self.told.items(&path, at, mark) {
            items.is_left = true;
        }
    }

    /// Whether what the run meets now was met by an earlier walk as well.
    pub fn meets_again(&mut self) -> bool {
        self.told.is_again() && self.innermost_loop().is_none_or(|each| each.at < each.mark.begun_before)
    }

    /// The rounds around the innermost scope, its item at work, its instruction and its mark, if it is a loop.
    fn innermost(&self) -> Option<(Vec<u32>, u32, u32, Mark)> {
        let Some(Scope::Loop(each)) = self.scopes.last() else { return None };
        let (item, at, mark) = (each.at, each.body - 1, each.mark);
        let mut path = self.path();
        path.pop();
        Some((path, item, at, mark))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_walk_knows_what_the_first_has_counted() {
        let mut told = Told::default();
        let (mark, is_new) = told.enter(vec![], 3, 7);
        assert!(is_new);
        for item in [0, 1, 70] {
            told.items(&[], 3, mark).unwrap().begun = item + 1;
        }
        assert!(told.items(&[], 3, mark).unwrap().end(1));
        assert!(told.items(&[], 3, mark).unwrap().end(70));
        // The same loop once more, behind a `go to`.
        assert!(told.enter(vec![], 3, 7).1);

        let mut told = told.parked(12);
        assert_eq!((told.position, told.waiting().collect::<Vec<_>>()), (12, vec![(7, 69), (7, 0)]));
        let (mark, is_new) = told.enter(vec![], 3, 7);
        assert_eq!((mark.begun_before, is_new), (71, false));
        assert!(!told.items(&[], 3, mark).unwrap().end(70));
        assert!(told.items(&[], 3, mark).unwrap().end(0));
        assert!(!told.enter(vec![], 3, 7).1);
        assert!(told.enter(vec![], 3, 7).1);
    }

    #[test]
    fn loops_in_an_item_that_has_ended_are_forgotten() {
        let mut told = Told::default();
        for path in [vec![], vec![0], vec![0, 4], vec![1], vec![10]] {
            told.enter(path, 5, 0);
        }
        told.forget(&[0]);
        assert_eq!(told.loops.keys().map(|(path, _)| path.clone()).collect::<Vec<_>>(), [vec![], vec![1], vec![10]]);
    }
}
