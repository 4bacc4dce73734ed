//! Sets of atoms: the values of a dimension that a cell admits.

/// A set of small numbers below a bound that all sets of a dimension share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bits {
    words: Vec<u64>,
    bound: usize,
}

impl Bits {
    /// The set with nothing in it.
    pub fn none(bound: usize) -> Bits {
        Bits { words: vec![0; bound.div_ceil(64)], bound }
    }

    /// The set with everything below the bound.
    pub fn all(bound: usize) -> Bits {
        let mut bits = Bits { words: vec![u64::MAX; bound.div_ceil(64)], bound };
        if let (Some(last), rest @ 1..) = (bits.words.last_mut(), bound % 64) {
            *last = (1 << rest) - 1;
        }
        bits
    }

    /// Puts a number in.
    pub fn insert(&mut self, number: usize) {
        if let Some(word) = self.words.get_mut(number / 64) {
            *word |= 1 << (number % 64);
        }
    }

    /// Whether a number is in it.
    pub fn has(&self, number: usize) -> bool {
        self.words.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Whether everything below the bound is in it.
    pub fn is_full(&self) -> bool {
        *self == Bits::all(self.bound)
    }

    /// What is in both.
    pub fn and(&self, other: &Bits) -> Bits {
        self.combine(other, |left, right| left & right)
    }

    /// What is in one of them.
    pub fn or(&self, other: &Bits) -> Bits {
        self.combine(other, |left, right| left | right)
    }

    /// What is here and not there.
    pub fn without(&self, other: &Bits) -> Bits {
        self.combine(other, |left, right| left & !right)
    }

    /// What is not in it.
    pub fn complement(&self) -> Bits {
        Bits::all(self.bound).without(self)
    }

    /// Whether both have something in common.
    pub fn meets(&self, other: &Bits) -> bool {
        self.words.iter().zip(&other.words).any(|(left, right)| left & right != 0)
    }

    /// Whether everything in it is in the other.
    pub fn within(&self, other: &Bits) -> bool {
        self.words.iter().zip(&other.words).all(|(left, right)| left & !right == 0)
    }

    /// The numbers in it, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(index, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros() as usize;
                (rest != 0).then(|| {
                    rest &= rest - 1;
                    index * 64 + bit
                })
            })
        })
    }

    fn combine(&self, other: &Bits, operation: impl Fn(u64, u64) -> u64) -> Bits {
        let words = self.words.iter().zip(&other.words).map(|(left, right)| operation(*left, *right)).collect();
        Bits { words, bound: self.bound }
    }
}
