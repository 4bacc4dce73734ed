//! Sets of rows as bits.

/// A set of rows of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowSet {
    words: Vec<u64>,
    /// Words before this one are empty.
    from: usize,
}

impl RowSet {
    /// All of the first `count` rows.
    pub fn all(count: usize) -> RowSet {
        let mut set = RowSet::default();
        set.fill(count);
        set
    }

    /// Becomes the set of the first `count` rows.
    pub fn fill(&mut self, count: usize) {
        self.words.clear();
        self.words.resize(count.div_ceil(64), u64::MAX);
        if let (Some(last), used @ 1..) = (self.words.last_mut(), count % 64) {
            *last = (1 << used) - 1;
        }
        self.from = 0;
    }

    /// Becomes empty.
    pub fn clear(&mut self) {
        self.words.clear();
        self.from = 0;
    }

    /// Whether there is no row in it.
    pub fn is_empty(&self) -> bool {
        self.words.iter().skip(self.from).all(|word| *word == 0)
    }

    /// Puts a row in.
    pub fn insert(&mut self, row: usize) {
        let word = row / 64;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        if let Some(bits) = self.words.get_mut(word) {
            *bits |= 1 << (row % 64);
        }
        self.from = self.from.min(word);
    }

    /// The empty set of a table with `count` rows: it has as many words as any other set of that table.
    pub fn none(count: usize) -> RowSet {
        RowSet { words: vec![0; count.div_ceil(64)], from: 0 }
    }

    /// Whether a row is in it.
    pub fn contains(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|bits| bits & (1 << (row % 64)) != 0)
    }

    /// Takes the first row out.
    #[inline]
    pub fn take_first(&mut self) -> Option<usize> {
        while let Some(word) = self.words.get_mut(self.from) {
            if *word != 0 {
                let bit = word.trailing_zeros() as usize;
                *word &= *word - 1;
                return Some(self.from * 64 + bit);
            }
            self.from += 1;
        }
        None
    }

    /// Keeps the rows that are in one of two other sets.
    #[inline]
    pub fn keep(&mut self, one: &[u64], other: &[u64]) {
        let others = one.iter().zip(other);
        let mut first = None;
        for (at, (word, (one, other))) in self.words.iter_mut().zip(others).enumerate() {
            *word &= one | other;
            if first.is_none() && *word != 0 {
                first = Some(at);
            }
        }
        self.from = first.unwrap_or(self.words.len());
    }

    /// Moves the rows that are in `which` to another set.
    pub fn split(&mut self, which: &[u64], to: &mut RowSet) {
        to.words.clear();
        to.from = 0;
        for (word, which) in self.words.iter_mut().zip(which) {
            to.words.push(*word & which);
            *word &= !which;
        }
    }

    /// The bits, for [`RowSet::keep`].
    pub fn words(&self) -> &[u64] {
        &self.words
    }
}
