//! Bytes of the journal without what they say twice.
//!
//! The steps of a run speak of the same order, customer and goods, and what a run gives is mostly what one of its steps
//! has given. So a stretch that came before is named by how far back it lies (LZ77, Ziv and Lempel 1977), also in the
//! entries of the run when it stands in another column of the same row. Each row can be read by itself.

/// The form of a value: its first byte. An empty value has none.
mod form {
    /// The bytes as they are.
    pub const PLAIN: u8 = 0;
    /// Squeezed by itself.
    pub const ALONE: u8 = 1;
    /// Squeezed behind the entries in the same row.
    pub const BEHIND: u8 = 2;
}

/// Shorter stretches are not worth naming.
const SHORTEST: usize = 4;

/// The longest stretch that is named at once: how much a damaged value can swell.
const LONGEST: usize = 1 << 10;

/// How many places are remembered, as a power of two: of a value that is short, and of one that is long.
const FEW: u32 = 9;
const MANY: u32 = 14;

/// After so many bytes without anything to be named, every second place is looked at, then every third.
const PATIENCE: usize = 12;

/// Up to so many bytes a value is short.
const SHORT: usize = 2_048;

/// Squeezes the values of one row.
#[derive(Debug)]
pub(super) struct Squeezer {
    /// What may be named: the entries, and behind them the value at work.
    window: Vec<u8>,
    /// How long the entries are.
    entries: usize,
    /// By a hash of four bytes, one more than where they were met last; 0 for nowhere.
    met: Vec<u32>,
    bits: u32,
}

impl Default for Squeezer {
    fn default() -> Self {
        Squeezer { window: Vec::new(), entries: 0, met: Vec::new(), bits: FEW }
    }
}

impl Squeezer {
    /// The entries of the next row, squeezed; empty when there are none.
    pub fn entries(&mut self, entries: &[u8]) -> Vec<u8> {
        self.window.clear();
        self.entries = 0;
        self.bits = if entries.len() <= SHORT { FEW } else { MANY };
        self.met.clear();
        self.met.resize(1 << self.bits, 0);
        let squeezed = self.squeeze(entries, form::ALONE);
        self.entries = entries.len();
        squeezed
    }

    /// Another value of the row, squeezed behind its entries.
    pub fn behind(&mut self, value: &[u8]) -> Vec<u8> {
        self.window.truncate(self.entries);
        let form = if self.entries == 0 { form::ALONE } else { form::BEHIND };
        if self.met.is_empty() {
            self.met.resize(1 << self.bits, 0);
        }
        self.squeeze(value, form)
    }

    fn squeeze(&mut self, value: &[u8], form: u8) -> Vec<u8> {
        if value.is_empty() {
            return Vec::new();
        }
        let start = self.window.len();
        self.window.extend_from_slice(value);
        let mut out = Vec::with_capacity(value.len() + 8);
        out.push(form);
        unsigned(value.len(), &mut out);
        let window = self.window.as_slice();
        let (mut at, mut written) = (start, start);
        while let Some(four) = four(window, at) {
            let Some(met) = self.met.get_mut(place(four, self.bits)) else { break };
            let earlier = (*met as usize).wrapping_sub(1);
            *met = u32::try_from(at + 1).unwrap_or(0);
            // A place may be one of a value before this one: what counts is what stands there now.
            if earlier >= at || self::four(window, earlier) != Some(four) {
                // The longer there was nothing to be named, the less is looked for.
                at += 1 + (at - written) / PATIENCE;
                continue;
            }
            let length = SHORTEST + alike(window, earlier + SHORTEST, at + SHORTEST);
            literal(window, written..at, &mut out);
            unsigned(length - SHORTEST, &mut out);
            unsigned(at - earlier, &mut out);
            at += length;
            written = at;
        }
        literal(window, written.min(window.len())..window.len(), &mut out);
        if out.len() > value.len() {
            out.clear();
            out.push(form::PLAIN);
            out.extend_from_slice(value);
        }
        out
    }
}

/// How many bytes from two places on are the same, as far as they may be named at once.
fn alike(window: &[u8], earlier: usize, at: usize) -> usize {
    let (one, other) = (window.get(earlier..).unwrap_or_default(), window.get(at..).unwrap_or_default());
    let (one, other) = (one.get(..LONGEST - SHORTEST).unwrap_or(one), other.get(..LONGEST - SHORTEST).unwrap_or(other));
    let eights = one.chunks_exact(8).zip(other.chunks_exact(8)).take_while(|(one, other)| one == other).count();
    let rest = one.iter().zip(other).skip(eights * 8).take_while(|(one, other)| one == other).count();
    eights * 8 + rest
}

/// Four bytes as a number.
fn four(window: &[u8], at: usize) -> Option<u32> {
    window.get(at..)?.first_chunk().map(|four| u32::from_le_bytes(*four))
}

fn place(four: u32, bits: u32) -> usize {
    // Multiplicative hashing (Knuth, volume 3, section 6.4).
    (four.wrapping_mul(2_654_435_761) >> (32 - bits)) as usize
}

fn literal(window: &[u8], range: std::ops::Range<usize>, out: &mut Vec<u8>) {
    unsigned(range.len(), out);
    out.extend_from_slice(window.get(range).unwrap_or_default());
}

/// A value that stands alone, squeezed.
pub(super) fn alone(value: &[u8]) -> Vec<u8> {
    Squeezer { bits: if value.len() <= SHORT { FEW } else { MANY }, ..Squeezer::default() }.behind(value)
}

/// Whether a value can only be read together with the entries in its row.
pub(super) fn is_behind_entries(value: &[u8]) -> bool {
    value.first() == Some(&form::BEHIND)
}

/// The bytes behind a squeezed value; `entries` are those of its row, as they are after this. None when the value is
/// damaged.
pub(super) fn expand(value: &[u8], entries: &[u8]) -> Option<Vec<u8>> {
    let Some((form, mut rest)) = value.split_first() else { return Some(Vec::new()) };
    let before = match *form {
        form::PLAIN => return Some(rest.to_vec()),
        form::ALONE => &[],
        form::BEHIND => entries,
        _ => return None,
    };
    let length = number(&mut rest)?;
    let mut out: Vec<u8> = Vec::with_capacity(length.min(value.len() * 4));
    loop {
        let said = number(&mut rest)?;
        let (literal, behind) = rest.split_at_checked(said)?;
        out.extend_from_slice(literal);
        rest = behind;
        if rest.is_empty() {
            return (out.len() == length).then_some(out);
        }
        let stretch = number(&mut rest)?.checked_add(SHORTEST).filter(|length| *length <= LONGEST)?;
        let back = number(&mut rest).filter(|back| *back > 0)?;
        let from = (before.len() + out.len()).checked_sub(back)?;
        if let Some(whole) = before.get(from..from + stretch) {
            out.extend_from_slice(whole);
            continue;
        }
        for _ in 0..stretch {
            let at = (before.len() + out.len()).checked_sub(back)?;
            let byte = match at.checked_sub(before.len()) {
                Some(at) => *out.get(at)?,
                None => *before.get(at)?,
            };
            out.push(byte);
        }
    }
}

/// Seven bits a byte, the lowest first; the top bit says that another byte follows (LEB128).
fn unsigned(mut value: usize, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn number(rest: &mut &[u8]) -> Option<usize> {
    let mut value = 0_u64;
    for shift in (0..=56).step_by(7) {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return usize::try_from(value).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_came_before_is_named_and_not_said_again() {
        let mut squeezer = Squeezer::default();
        let entries = b"order O-0004998 of C-01534; invoice INV-2026-004999 for order O-0004998 of C-01534".as_slice();
        let squeezed = squeezer.entries(entries);
        assert!(squeezed.len() < entries.len() - 15, "{}", squeezed.len());
        let outcome = b"invoice INV-2026-004999 for order O-0004998 of C-01534".as_slice();
        let behind = squeezer.behind(outcome);
        assert!(behind.len() < 12 && is_behind_entries(&behind), "{}", behind.len());
        let raw = expand(&squeezed, &[]).unwrap();
        assert_eq!(raw, entries);
        assert_eq!(expand(&behind, &raw).unwrap(), outcome);
        assert_eq!(expand(&behind, &[]), None, "it can't be read without its entries");
        // What does not shrink is kept as it is, and costs one byte.
        assert_eq!(squeezer.behind(b"xyz").len(), 4);
        assert_eq!(squeezer.behind(b""), b"");
        let zeros = vec![0; 1 << 20];
        assert!(alone(&zeros).len() < 6_000);
        assert_eq!(expand(&alone(&zeros), &[]).unwrap(), zeros);
    }

    proptest! {
        #[test]
        fn values_come_back(
            entries in proptest::collection::vec(0_u8..4, 0..4_000),
            outcome in proptest::collection::vec(any::<u8>(), 0..60),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut squeezer = Squeezer::default();
            // Whatever the row before has left in it.
            squeezer.entries(&outcome);
            squeezer.behind(&entries);
            let squeezed = squeezer.entries(&entries);
            let part = &entries[cut.index(entries.len() + 1)..];
            let values = [outcome.as_slice(), part, &[]].map(|value| (value.to_vec(), squeezer.behind(value)));
            prop_assert!(squeezed.len() <= entries.len() + 1);
            prop_assert_eq!(&expand(&squeezed, &[]).unwrap(), &entries);
            for (value, squeezed) in values {
                prop_assert_eq!(expand(&squeezed, &entries).unwrap(), value);
            }
            prop_assert_eq!(expand(&alone(&entries), &[]).unwrap(), entries);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Some(read) = expand(&bytes, b"some entries") {
                prop_assert!(read.len() <= bytes.len() * LONGEST);
            }
        }
    }
}
