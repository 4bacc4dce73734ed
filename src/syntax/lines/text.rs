//! Where a text literal ends: nested values, escapes, both kinds of quotes.

use super::DEEPEST_BRACKETS;

/// How a text literal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextEnd {
    /// Closed; the offset behind the closing quotes.
    Closed(usize),
    /// Not closed; the offset where the line (or the whole text) ends.
    Unclosed(usize),
    /// Closed, but the `{` at `hole` in it is not; `end` is the offset behind the closing quote.
    OpenHole {
        /// Where the `{` stands.
        hole: usize,
        /// Behind the closing quote.
        end: usize,
    },
    /// Texts within texts beyond the limit; the offset of the one too many.
    TooDeep(usize),
}

enum Mode {
    Short,
    Long,
    /// In `{…}`, with the number of brackets open in it.
    Hole(usize),
}

/// Finds the end of the text literal whose first quote stands at `start`.
pub fn text_end(bytes: &[u8], start: usize) -> TextEnd {
    let mut modes = Vec::new();
    let mut at = start;
    let mut first_hole = None;
    // Values with `if … then` may stand within each other without brackets.
    let mut thens = 0;
    open_text(bytes, &mut at, &mut modes);
    while let (Some(byte), Some(mode)) = (bytes.get(at).copied(), modes.last_mut()) {
        match (mode, byte) {
            (Mode::Short | Mode::Long, b'\\') => at += if bytes.get(at + 1) == Some(&b'\n') { 1 } else { 2 },
            (Mode::Short, b'\n') => return not_closed(bytes, start, at, first_hole),
            (Mode::Short, b'"') => {
                at += 1;
                modes.pop();
            }
            (Mode::Long, b'"') if bytes[at..].starts_with(b"\"\"\"") => {
                at += 3;
                modes.pop();
            }
            (Mode::Short | Mode::Long, b'{') => {
                first_hole = first_hole.or(Some(at));
                modes.push(Mode::Hole(0));
                at += 1;
            }
            (Mode::Short | Mode::Long, _) => at += 1,
            (Mode::Hole(0), b'}') => {
                at += 1;
                modes.pop();
            }
            (Mode::Hole(open), b'{' | b'(' | b'[') => {
                *open += 1;
                at += 1;
                if *open > DEEPEST_BRACKETS {
                    return TextEnd::TooDeep(at - 1);
                }
            }
            (Mode::Hole(open), b'}' | b')' | b']') => {
                *open = open.saturating_sub(1);
                at += 1;
            }
            (Mode::Hole(..), b'"') => open_text(bytes, &mut at, &mut modes),
            (Mode::Hole(..), b'\n') => {
                if modes.iter().any(|mode| matches!(mode, Mode::Short)) {
                    return not_closed(bytes, start, at, first_hole);
                }
                at += 1;
            }
            (Mode::Hole(..), byte) => {
                thens += usize::from(byte == b't' && bytes[at..].starts_with(b"then"));
                if thens > DEEPEST_BRACKETS {
                    return TextEnd::TooDeep(at);
                }
                at += 1;
            }
        }
        if modes.is_empty() {
            return TextEnd::Closed(at);
        }
        if modes.len() > DEEPEST_BRACKETS {
            return TextEnd::TooDeep(at.saturating_sub(1));
        }
    }
    not_closed(bytes, start, bytes.len(), first_hole)
}

fn open_text(bytes: &[u8], at: &mut usize, modes: &mut Vec<Mode>) {
    if bytes[*at..].starts_with(b"\"\"\"") {
        *at += 3;
        modes.push(Mode::Long);
    } else {
        *at += 1;
        modes.push(Mode::Short);
    }
}

/// A text that is not closed before `end`: perhaps only a `{` in it is.
fn not_closed(bytes: &[u8], start: usize, end: usize, first_hole: Option<usize>) -> TextEnd {
    let long = bytes[start..].starts_with(b"\"\"\"");
    if let (Some(hole), false) = (first_hole, long) {
        let mut at = start + 1;
        while let Some(byte) = bytes.get(at).filter(|_| at < end) {
            match byte {
                b'\\' => at += 1,
                b'"' if at > hole => return TextEnd::OpenHole { hole, end: at + 1 },
                b'"' => break,
                b'\n' => break,
                _ => {}
            }
            at += 1;
        }
    }
    TextEnd::Unclosed(if long { bytes.len() } else { end.min(line_end(bytes, start)) })
}

/// The offset of the line break behind `from`, or the end.
pub fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes[from.min(bytes.len())..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |found| from + found)
}

/// The offset of the `}` that closes the `{` at `start`, when it stands on the same line.
pub fn hole_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut open = 0usize;
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\n' => return None,
            b'"' => match text_end(bytes, at) {
                TextEnd::Closed(end) => {
                    at = end;
                    continue;
                }
                _ => return None,
            },
            b'{' | b'(' | b'[' => open += 1,
            b'}' if open == 0 => return Some(at),
            b'}' | b')' | b']' => open = open.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}
