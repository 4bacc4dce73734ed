//! Entries of the journal as bytes: those of one run and one commit lie behind each other in one value.
//!
//! A commit holds thousands of entries, so each is kept short: numbers take as many bytes as they need (LEB128),
//! a moment is what has passed since the entry before, a text that came before is named by its place, and the words
//! that come again and again, such as the names of entities, are numbers of the table `rpa_words`.

use crate::value::{EcoString, Instant};
use crate::world::{Change, ChangeKind, Entry, EntryKind, RunId};
use std::collections::HashMap;

/// The bits of an entry's first byte beside its kind.
const HAS_PATH: u8 = 0x20;
const HAS_PAYLOAD: u8 = 0x40;
const HAS_CHANGES: u8 = 0x80;

/// The bits for the kind.
const KIND: u8 = 0x1f;

/// So many texts of a value can be named by their place; it takes time to look for them.
const MOST_TEXTS: usize = 32;

/// The lowest bits of a text's first number.
mod text {
    /// The bytes follow; above is how many.
    pub const NEW: u64 = 0;
    /// Above is the place among the texts before.
    pub const EARLIER: u64 = 1;
    /// Above is the number that it writes.
    pub const NUMBER: u64 = 2;
    /// Above is the number of the word.
    pub const WORD: u64 = 3;
}

/// Whether the first text of a change is one of few: a name of the script and no address, path or text of a person.
pub(super) fn is_word(kind: ChangeKind) -> bool {
    use ChangeKind::{Answered, Called, Changed, Created, Decided, Deleted, Fired, Mailed, Noted, Wrote};
    match kind {
        Created | Changed | Deleted | Decided | Noted | Fired | Called => true,
        Answered | Mailed | Wrote => false,
    }
}

/// Entries of one run, packed.
#[derive(Debug, Clone, Default)]
pub(super) struct Packed {
    bytes: Vec<u8>,
    texts: Vec<EcoString>,
    /// The position of the first entry, and how many there are.
    first: u32,
    count: u32,
    /// When the last one happened.
    last: i64,
}

/// How far the packing had come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    bytes: usize,
    texts: usize,
    count: u32,
    last: i64,
}

impl Packed {
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The position of the first entry.
    pub fn first(&self) -> u32 {
        self.first
    }

    /// All of it; nothing when there is no entry.
    pub fn bytes(&self) -> &[u8] {
        if self.is_empty() { &[] } else { &self.bytes }
    }

    /// Where it ends now.
    pub fn mark(&self) -> Mark {
        Mark { bytes: self.bytes.len(), texts: self.texts.len(), count: self.count, last: self.last }
    }

    /// Takes back what came after.
    pub fn take_back(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        self.texts.truncate(mark.texts);
        self.count = mark.count;
        self.last = mark.last;
    }

    /// Appends an entry, whose position is the next; whether it was. `word` gives the number of a word.
    pub fn push(&mut self, entry: &Entry, word: impl Fn(&EcoString) -> Option<i64>) -> bool {
        if self.is_empty() {
            self.first = entry.position;
            self.bytes.clear();
            unsigned(u64::from(entry.position), &mut self.bytes);
        } else if Some(entry.position) != self.first.checked_add(self.count) {
            return false;
        }
        let flag = |is: bool, bit: u8| if is { bit } else { 0 };
        let out = &mut self.bytes;
        out.push(
            entry.kind as u8
                | flag(!entry.path.is_empty(), HAS_PATH)
                | flag(!entry.payload.is_empty(), HAS_PAYLOAD)
                | flag(!entry.changes.is_empty(), HAS_CHANGES),
        );
        // No step is the greatest number: it becomes 0.
        unsigned(u64::from(entry.step.wrapping_add(1)), out);
        let at = entry.at.milliseconds();
        signed(at.wrapping_sub(self.last), out);
        self.last = at;
        // Most clocks count milliseconds.
        let took = u64::from(entry.took);
        unsigned(if took % 1000 == 0 { took / 1000 * 2 } else { took * 2 + 1 }, out);
        if !entry.path.is_empty() {
            unsigned(entry.path.len() as u64, out);
            entry.path.iter().for_each(|round| unsigned(u64::from(*round), out));
        }
        if !entry.payload.is_empty() {
            unsigned(entry.payload.len() as u64, out);
            out.extend_from_slice(&entry.payload);
        }
        if !entry.changes.is_empty() {
            unsigned(entry.changes.len() as u64, out);
            for change in &entry.changes {
                self.bytes.push(change.kind as u8);
                match is_word(change.kind).then(|| word(&change.what)).flatten() {
                    Some(number) => unsigned(number.unsigned_abs() << 2 | text::WORD, &mut self.bytes),
                    None => self.text(&change.what),
                }
                self.text(&change.which);
            }
        }
        self.count += 1;
        true
    }

    fn text(&mut self, text: &EcoString) {
        if let Some(number) = written_number(text) {
            return unsigned(number << 2 | text::NUMBER, &mut self.bytes);
        }
        if let Some(place) = self.texts.iter().position(|earlier| earlier == text) {
            return unsigned((place as u64) << 2 | text::EARLIER, &mut self.bytes);
        }
        if self.texts.len() < MOST_TEXTS && !text.is_empty() {
            self.texts.push(text.clone());
        }
        unsigned((text.len() as u64) << 2 | text::NEW, &mut self.bytes);
        self.bytes.extend_from_slice(text.as_bytes());
    }
}

/// The number that a text writes, when it is written as a number always is.
fn written_number(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let is_usual = matches!(bytes, [b'0'] | [b'1'..=b'9', ..]) && bytes.len() <= 15;
    if !is_usual || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    text.parse().ok()
}

/// Reads packed entries; `None` when the bytes are not whole.
pub(super) fn unpack(bytes: &[u8], words: &HashMap<i64, EcoString>) -> Option<Vec<Entry>> {
    let mut reader = Reader { rest: bytes, texts: Vec::new(), words };
    let mut position = u32::try_from(reader.unsigned()?).ok()?;
    let mut last = 0_i64;
    let mut entries = Vec::new();
    while !reader.rest.is_empty() {
        let head = reader.byte()?;
        let step = u32::try_from(reader.unsigned()?).ok()?.wrapping_sub(1);
        last = last.wrapping_add(reader.signed()?);
        let took = reader.unsigned()?;
        let took = if took & 1 == 0 { (took >> 1).checked_mul(1000)? } else { took >> 1 };
        let mut path = Vec::new();
        if head & HAS_PATH != 0 {
            for _ in 0..reader.unsigned()? {
                path.push(u32::try_from(reader.unsigned()?).ok()?);
            }
        }
        let payload = match head & HAS_PAYLOAD {
            0 => Vec::new(),
            _ => {
                let length = usize::try_from(reader.unsigned()?).ok()?;
                reader.bytes(length)?.to_vec()
            }
        };
        let mut changes = Vec::new();
        if head & HAS_CHANGES != 0 {
            for _ in 0..reader.unsigned()? {
                let kind = ChangeKind::from_number(reader.byte()?)?;
                changes.push(Change { kind, what: reader.text()?, which: reader.text()? });
            }
        }
        entries.push(Entry {
            position,
            kind: EntryKind::from_number(head & KIND)?,
            step,
            path,
            payload,
            changes,
            at: Instant::from_milliseconds(last).ok()?,
            took: u32::try_from(took).ok()?,
        });
        position = position.checked_add(1)?;
    }
    Some(entries)
}

/// Seven bits a byte, the lowest first; the top bit says that another byte follows (LEB128).
fn unsigned(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The sign in the lowest bit, so that small negative numbers are short too (zigzag).
fn signed(value: i64, out: &mut Vec<u8>) {
    unsigned(((value << 1) ^ (value >> 63)) as u64, out);
}

struct Reader<'b> {
    rest: &'b [u8],
    texts: Vec<EcoString>,
    words: &'b HashMap<i64, EcoString>,
}

impl<'b> Reader<'b> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    fn bytes(&mut self, length: usize) -> Option<&'b [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..=63).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let value = self.unsigned()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn text(&mut self) -> Option<EcoString> {
        let head = self.unsigned()?;
        let above = head >> 2;
        match head & 3 {
            text::EARLIER => self.texts.get(usize::try_from(above).ok()?).cloned(),
            text::NUMBER => Some(ecow::eco_format!("{above}")),
            text::WORD => self.words.get(&i64::try_from(above).ok()?).cloned(),
            _ => {
                let text = EcoString::from(std::str::from_utf8(self.bytes(usize::try_from(above).ok()?)?).ok()?);
                if self.texts.len() < MOST_TEXTS && !text.is_empty() {
                    self.texts.push(text.clone());
                }
                Some(text)
            }
        }
    }
}

/// What is wrong with the journal of a run that [`unpack`] can't read.
pub(super) fn damaged(run: RunId) -> super::failure::Trouble {
    super::failure::bad_record(format!("the journal of run {} can't be read", run.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_kind_fits_beside_the_bits() {
        assert!((KIND + 1..=u8::MAX).all(|number| EntryKind::from_number(number).is_none()));
    }

    fn entry() -> impl Strategy<Value = Entry> {
        let text = || prop_oneof!["[a-c]{0,3}", "[0-9]{1,17}", any::<String>()].prop_map(EcoString::from);
        let kinds = || prop_oneof![1_u8..=9].prop_filter_map("a kind", ChangeKind::from_number);
        let change = (kinds(), text(), text()).prop_map(|(kind, what, which)| Change { kind, what, which });
        (
            (1_u8..=10).prop_filter_map("a kind", EntryKind::from_number),
            any::<u32>(),
            proptest::collection::vec(any::<u32>(), 0..3),
            proptest::collection::vec(any::<u8>(), 0..9),
            proptest::collection::vec(change, 0..40),
            -62_135_596_800_000_i64..253_402_207_200_000,
            prop_oneof![any::<u32>(), (0_u32..4_000_000).prop_map(|took| took * 1000)],
        )
            .prop_map(|(kind, step, path, payload, changes, at, took)| Entry {
                position: 0,
                kind,
                step,
                path,
                payload,
                changes,
                at: Instant::from_milliseconds(at).unwrap(),
                took,
            })
    }

    proptest! {
        #[test]
        fn entries_come_back(entries in proptest::collection::vec(entry(), 1..8), first in 0_u32..1000, cut in 0_usize..8) {
            let words: HashMap<i64, EcoString> = [(1, "a".into()), (900, "b".into())].into();
            let number = |word: &EcoString| words.iter().find(|(_, known)| *known == word).map(|(number, _)| *number);
            let entries: Vec<Entry> =
                (first..).zip(entries).map(|(position, entry)| Entry { position, ..entry }).collect();
            let mut packed = Packed::default();
            let mut mark = packed.mark();
            for (at, entry) in entries.iter().enumerate() {
                if at == cut {
                    mark = packed.mark();
                }
                prop_assert!(packed.push(entry, number));
            }
            prop_assert!(!packed.push(&entries[0], number), "it came out of turn");
            prop_assert_eq!(unpack(packed.bytes(), &words).unwrap(), entries.clone());
            // What is taken back and put in again is the same.
            if cut > 0 && cut < entries.len() {
                let whole = packed.bytes().to_vec();
                packed.take_back(mark);
                prop_assert_eq!(unpack(packed.bytes(), &words).unwrap(), &entries[..cut]);
                entries[cut..].iter().for_each(|entry| assert!(packed.push(entry, number)));
                prop_assert_eq!(packed.bytes(), whole);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Some(read) = unpack(&bytes, &HashMap::new()) {
                prop_assert!(read.len() <= bytes.len());
            }
        }
    }
}
