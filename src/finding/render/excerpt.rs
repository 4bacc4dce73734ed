//! The lines of a source that labels need, cut and cleaned for a terminal.
//!
//! A drawing library reads every line of a label and its neighbours as they are. So it is handed a
//! small text made for it: only the lines needed, long ones cut to a window around the label, tabs
//! widened, control characters replaced. Lines are found through the line table, so that a label in
//! a file of 100 MB costs no more than one in a file of ten lines.

use crate::text::Source;
use std::ops::Range;
use unicode_width::UnicodeWidthChar;

/// Lines shown around a label.
const CONTEXT: usize = 1;
/// A label over more lines than this is shown at its first line.
const MOST_LINES: usize = 8;
/// Columns shown before a label in a line that is cut.
const LEAD: usize = 24;
/// Columns of a tab.
const TAB: usize = 4;

/// The text made of the lines needed, and where the labels are in it.
#[derive(Debug)]
pub struct Excerpt {
    /// The lines, each with a line break.
    pub text: String,
    /// The lines of the text, in their order.
    pub lines: Vec<Line>,
    /// The places of the labels in the text, in the order they were given in.
    pub places: Vec<Place>,
}

/// A line of an excerpt.
#[derive(Debug)]
pub struct Line {
    /// Zero-based number of the line in the source.
    pub number: usize,
    /// Where the line is in the excerpt's text, with its line break.
    pub range: Range<usize>,
    /// For every character shown: its byte in the source, and its byte in the excerpt's text.
    map: Vec<(usize, usize)>,
}

/// Where a label is in an excerpt.
#[derive(Debug)]
pub struct Place {
    /// The bytes of the excerpt's text.
    pub range: Range<usize>,
    /// For a label that was cut to its first line: the one-based line where it really ends.
    pub goes_on_to_line: Option<usize>,
    /// Zero-based line in the source, and zero-based column in characters.
    pub position: (usize, usize),
}

impl Excerpt {
    /// The excerpt of `source` that shows `spans`, lines cut to `columns` columns.
    pub fn new(source: &Source, spans: &[Range<usize>], columns: usize) -> Excerpt {
        let labels: Vec<Label> = spans.iter().map(|span| Label::new(source, span)).collect();
        let mut numbers: Vec<usize> = labels
            .iter()
            .flat_map(|label| {
                label.first_line.saturating_sub(CONTEXT)..=(label.last_line + CONTEXT).min(last_line(source))
            })
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        // The empty line behind the last line break tells nothing, unless a label points at it.
        let end = last_line(source);
        if source.line(end).is_empty() && labels.iter().all(|label| label.last_line != end) {
            numbers.retain(|number| *number != end);
        }
        let mut excerpt = Excerpt { text: String::new(), lines: Vec::new(), places: Vec::new() };
        for number in numbers {
            excerpt.add_line(source, number, &labels, columns);
        }
        for label in &labels {
            let place = excerpt.place(source, label);
            excerpt.places.push(place);
        }
        excerpt
    }

    /// The lines of `source`, from the first to the last, that a snippet for `span` would show.
    pub fn extent(source: &Source, span: Range<usize>) -> Range<usize> {
        let label = Label::new(source, &span);
        label.first_line.saturating_sub(CONTEXT)..label.last_line + CONTEXT + 1
    }

    /// The lines from the one that holds byte `start` of the excerpt's text to the one that holds `end`,
    /// and `context` further ones on both sides as long as they follow each other in the source.
    pub fn lines_around(&self, start: usize, end: usize, context: usize) -> &[Line] {
        let holds = |offset: usize| self.lines.partition_point(|line| line.range.end <= offset);
        let last_index = self.lines.len().saturating_sub(1);
        let (mut first, mut last) =
            (holds(start).min(last_index), holds(end.saturating_sub(1).max(start)).min(last_index));
        let adjoin = |upper: usize, lower: usize| match (self.lines.get(upper), self.lines.get(lower)) {
            (Some(upper), Some(lower)) => upper.number + 1 == lower.number,
            _ => false,
        };
        for _ in 0..context {
            if first > 0 && adjoin(first - 1, first) {
                first -= 1;
            }
            if adjoin(last, last + 1) {
                last += 1;
            }
        }
        self.lines.get(first..=last).unwrap_or_default()
    }

    fn add_line(&mut self, source: &Source, number: usize, labels: &[Label], columns: usize) {
        let line_start = source.line_start(number);
        let line = source.line(number);
        let marks = || labels.iter().filter(|label| label.first_line <= number && number <= label.last_line);
        // Where the label begins in this line; a line without label is shown from its beginning.
        let mark = marks().map(|label| label.start.saturating_sub(line_start).min(line.len())).min().unwrap_or(0);
        let from = window_start(line, mark, columns);
        let start = self.text.len();
        let mut map = Vec::new();
        let mut column = 0;
        if from > 0 {
            self.text.push('…');
            column += 1;
        }
        let mut cut = None;
        for (at, c) in line.get(from..).unwrap_or("").char_indices() {
            map.push((line_start + from + at, self.text.len()));
            if column >= columns {
                cut = Some(at);
                break;
            }
            column += push_shown(&mut self.text, c, column);
        }
        match cut {
            Some(_) => self.text.push('…'),
            None => map.push((line_start + line.len(), self.text.len())),
        }
        // A place at the end of the line is the blank before the line break.
        self.text.push_str(" \n");
        self.lines.push(Line { number, range: start..self.text.len(), map });
    }

    fn place(&self, source: &Source, label: &Label) -> Place {
        let start = self.shown_at(label.first_line, label.start);
        let end = self.shown_at(label.last_line, label.end).max(start);
        let position = source.position(label.start);
        Place {
            // An empty place is widened to one character, or nothing would point at it.
            range: start..if end > start { end } else { self.next_char(start) },
            goes_on_to_line: label.goes_on_to_line,
            position: (position.0 - 1, position.1 - 1),
        }
    }

    /// Where the byte `offset` of the source, in line `number`, is shown: at the cut when it was cut away.
    fn shown_at(&self, number: usize, offset: usize) -> usize {
        let Ok(index) = self.lines.binary_search_by_key(&number, |line| line.number) else { return 0 };
        let Some(line) = self.lines.get(index) else { return 0 };
        let found = line.map.partition_point(|(source, _)| *source < offset);
        line.map.get(found).or(line.map.last()).map_or(line.range.start, |(_, shown)| *shown)
    }

    fn next_char(&self, at: usize) -> usize {
        at + self.text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
    }
}

/// A label within the bounds of its source.
struct Label {
    start: usize,
    end: usize,
    first_line: usize,
    last_line: usize,
    goes_on_to_line: Option<usize>,
}

impl Label {
    fn new(source: &Source, span: &Range<usize>) -> Label {
        let start = floor(&source.text, span.start);
        let end = floor(&source.text, span.end).max(start);
        let first_line = source.line_of(start);
        // The line break belongs to the line that it ends.
        let last_line = source.line_of(if end > start { end - 1 } else { end });
        if last_line - first_line < MOST_LINES {
            return Label { start, end, first_line, last_line, goes_on_to_line: None };
        }
        let end = source.line_start(first_line) + source.line(first_line).len();
        Label { start, end: end.max(start), first_line, last_line: first_line, goes_on_to_line: Some(last_line + 1) }
    }
}

/// The beginning of the character that holds the byte at `offset`, or the end of the text.
fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

fn last_line(source: &Source) -> usize {
    source.line_count().saturating_sub(1)
}

/// From which byte a line is shown so that `mark` is seen: the beginning where that is possible.
fn window_start(line: &str, mark: usize, columns: usize) -> usize {
    // Widths are only computed near the beginning: a byte has at most one column, so what fits in
    // bytes fits in columns, and what lies further away does not fit anyway.
    let mark = floor(line, mark);
    let near = mark <= columns * 4;
    if near && width(line.get(..mark).unwrap_or("")) + LEAD.min(columns / 3) < columns {
        return 0;
    }
    let mut from = mark;
    let mut lead = 0;
    for (at, c) in line.get(..mark).unwrap_or("").char_indices().rev() {
        lead += c.width().unwrap_or(1).max(1);
        if lead > LEAD.min(columns / 3) {
            break;
        }
        from = at;
    }
    from
}

fn width(text: &str) -> usize {
    text.chars().map(|c| if c == '\t' { TAB } else { c.width().unwrap_or(1) }).sum()
}

/// Adds a character as it may be shown, and tells its columns.
fn push_shown(out: &mut String, c: char, column: usize) -> usize {
    if c == '\t' {
        let blanks = TAB - column % TAB;
        out.extend(std::iter::repeat_n(' ', blanks));
        return blanks;
    }
    let shown = harmless(c);
    out.push(shown);
    shown.width().unwrap_or(0)
}

/// The character itself, or a picture of it where it would steer the terminal or turn the direction of
/// the text around: a script must not be able to forge what is said about it.
pub fn harmless(c: char) -> char {
    match c {
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        '\u{2028}' | '\u{2029}' | '\u{feff}' => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str, span: Range<usize>, columns: usize) -> (String, String) {
        let excerpt = Excerpt::new(&Source::new("a.rpa", text), &[span], columns);
        let place = excerpt.places[0].range.clone();
        (excerpt.text.replace(" \n", "\n"), excerpt.text[place].to_string())
    }

    #[test]
    fn neighbours_are_shown_and_the_rest_is_not() {
        let (text, place) = shown("one\ntwo\nthree\nfour\nfive\n", 8..13, 80);
        assert_eq!((text.as_str(), place.as_str()), ("two\nthree\nfour\n", "three"));
    }

    #[test]
    fn long_lines_are_cut_around_the_label() {
        let line = format!("{}needle{}", "a".repeat(50_000), "b".repeat(50_000));
        let (text, place) = shown(&line, 50_000..50_006, 60);
        assert_eq!(place, "needle");
        assert!(text.starts_with("…aaaa") && text.trim_end().ends_with("b…") && text.chars().count() < 64, "{text}");
        let (text, place) = shown(&line, 0..100_000, 60);
        assert!(text.starts_with("aaa") && place.chars().count() == 60, "{place}");
    }

    #[test]
    fn labels_over_many_lines_are_shown_at_the_first() {
        let text = "begin\n".to_string() + &"line\n".repeat(100);
        let (whole, none) = (0..text.len(), 0..0);
        let excerpt = Excerpt::new(&Source::new("a.rpa", text.as_str()), &[whole, none], 80);
        assert_eq!(excerpt.places[0].goes_on_to_line, Some(101));
        assert_eq!(excerpt.lines.len(), 2);
    }

    #[test]
    fn tabs_and_control_characters_are_shown_harmless() {
        let (text, place) = shown("\tx\u{1b}[31m\u{202e}\r\n", 1..2, 80);
        assert_eq!((text.as_str(), place.as_str()), ("    x␛[31m\u{fffd}\n", "x"));
    }

    #[test]
    fn the_end_of_a_text_is_a_place() {
        assert_eq!(shown("ab", 2..2, 80).1, " ");
        assert_eq!(shown("ab\n", 3..3, 80).0, "ab\n\n");
        assert_eq!(shown("", 0..0, 80).1, " ");
    }

    proptest! {
        #[test]
        fn no_span_panics(text in "[ab\\t\\r\\n界é\u{301}]{0,60}", a in 0_usize..80, b in 0_usize..80, columns in 1_usize..20) {
            let spans = [a..b, b..a, a..a];
            let excerpt = Excerpt::new(&Source::new("a.rpa", text.as_str()), &spans, columns);
            for place in &excerpt.places {
                prop_assert!(!excerpt.text[place.range.clone()].is_empty());
                prop_assert!(!excerpt.lines_around(place.range.start, place.range.end, 1).is_empty());
            }
        }
    }
}
