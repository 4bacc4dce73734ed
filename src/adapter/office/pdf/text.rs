//! From text to glyphs: directions, fonts, and the shapes that letters take beside each other.
//!
//! Latin, Greek, Cyrillic and Chinese go the short way, a glyph a character. Scripts that join or stack their letters
//! are shaped by HarfRust, and lines with letters from right to left are put in the order of the eye by the Unicode
//! Bidirectional Algorithm (UAX #9).

use super::font::{FontBook, FontIndex};
use ecow::EcoString;
use harfrust::{Direction, ShapeOptions, UnicodeBuffer};
use std::ops::Range;
use unicode_bidi::{BidiClass, BidiInfo, bidi_class};

/// A line of text, ready to be drawn.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Line {
    /// Its parts from left to right.
    pub runs: Vec<Run>,
    /// Its width, in thousandths of the size of the font.
    pub width: f32,
    /// What it says.
    pub text: String,
}

/// Glyphs of one font.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub font: FontIndex,
    /// Whether the font lacks the weight that is wanted.
    pub thicken: bool,
    pub glyphs: Vec<Glyph>,
    /// Whether its glyphs are placed one by one.
    pub placed: bool,
    /// What the run says, where its glyphs in their order do not.
    pub says: Option<String>,
}

/// A glyph and where it goes; lengths in thousandths of the size of the font.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Glyph {
    pub id: u16,
    pub advance: f32,
    pub right: f32,
    pub up: f32,
    /// The characters that it stands for; empty for parts of shaped runs.
    pub says: EcoString,
}

/// Sets a line of text. What can't be printed, such as a tab, becomes a blank.
pub(super) fn set(fonts: &mut FontBook, text: &str, bold: bool) -> Line {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut line = Line { text, ..Line::default() };
    let mut runs = Vec::new();
    if line.text.chars().any(is_from_right) {
        let bidi = BidiInfo::new(&line.text, None);
        for paragraph in &bidi.paragraphs {
            let (levels, ranges) = bidi.visual_runs(paragraph, paragraph.range.clone());
            for range in ranges {
                let from_right = levels.get(range.start).is_some_and(|level| level.is_rtl());
                part(fonts, &line.text, range, bold, from_right, &mut runs);
            }
        }
    } else {
        part(fonts, &line.text, 0..line.text.len(), bold, false, &mut runs);
    }
    line.width = runs.iter().flat_map(|run: &Run| &run.glyphs).map(|glyph| glyph.advance).sum();
    line.runs = runs;
    line
}

/// A part of a line with one direction.
fn part(fonts: &mut FontBook, text: &str, range: Range<usize>, bold: bool, from_right: bool, runs: &mut Vec<Run>) {
    let text = text.get(range).unwrap_or_default();
    let mut pieces: Vec<(Range<usize>, FontIndex, bool)> = Vec::new();
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        let shaped = from_right || needs_shaping(c);
        if let Some((last, font, last_shaped)) = pieces.last_mut() {
            // Marks, joiners and blanks stay with the letters before them.
            let clings = c == ' ' || matches!(c, '\u{200c}' | '\u{200d}') || bidi_class(c) == BidiClass::NSM;
            let font_of_c = if clings && fonts.find_in(*font, c).is_some() { *font } else { fonts.find(c, bold).font };
            let follows = font_of_c == *font || matches!(c, '\u{200c}' | '\u{200d}');
            if follows && (shaped == *last_shaped || clings) {
                last.end = end;
                *last_shaped |= shaped;
                continue;
            }
        }
        pieces.push((at..end, fonts.find(c, bold).font, shaped));
    }
    if from_right {
        pieces.reverse();
    }
    for (range, font, shaped) in pieces {
        let piece = text.get(range).unwrap_or_default();
        let glyphs = if shaped { shape(fonts, font, piece, from_right) } else { None };
        let placed = glyphs.is_some();
        // Readers put what goes from right to left in order by themselves, glyph by glyph.
        let says = if placed && !from_right { Some(piece.to_string()) } else { None };
        let glyphs = glyphs.unwrap_or_else(|| plain(fonts, font, piece, bold));
        let thicken = bold && fonts.font(font).is_some_and(|font| !font.is_bold);
        runs.push(Run { font, thicken, glyphs, placed, says });
    }
}

/// A glyph a character.
fn plain(fonts: &mut FontBook, font: FontIndex, text: &str, bold: bool) -> Vec<Glyph> {
    let glyph = |c: char| {
        let found = match fonts.find(c, bold) {
            found if found.font == font => found,
            other => fonts.find_in(font, c).unwrap_or(other),
        };
        // A character that the font lacks is its empty box.
        let id = if found.font == font { found.glyph } else { 0 };
        Glyph { id, advance: found.advance, right: 0.0, up: 0.0, says: EcoString::from(c) }
    };
    text.chars().map(glyph).collect()
}

fn shape(fonts: &mut FontBook, index: FontIndex, text: &str, from_right: bool) -> Option<Vec<Glyph>> {
    let scale = fonts.font(index)?.thousandths(1.0);
    let (font, data) = fonts.shaping(index)?;
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(text);
    buffer.guess_segment_properties();
    buffer.set_direction(if from_right { Direction::RightToLeft } else { Direction::LeftToRight });
    let shaped = data.shaper(font).build().shape(buffer, ShapeOptions::new());
    let infos = shaped.glyph_infos();
    // A cluster is what was written for its glyphs; the glyph that comes first in the order of the text says it.
    let mut starts: Vec<usize> = infos.iter().map(|info| info.cluster as usize).collect();
    starts.sort_unstable();
    let cluster = |at: usize| {
        let start = infos.get(at).map_or(0, |info| info.cluster as usize);
        let repeated = infos.get(at + 1).is_some_and(|next| next.cluster as usize == start);
        let end = starts.iter().copied().find(|next| *next > start).unwrap_or(text.len());
        if repeated || !from_right { EcoString::new() } else { text.get(start..end).unwrap_or_default().into() }
    };
    let glyphs = infos.iter().zip(shaped.glyph_positions()).enumerate();
    Some(
        glyphs
            .map(|(at, (info, position))| Glyph {
                id: info.glyph_id as u16,
                advance: position.x_advance as f32 * scale,
                right: position.x_offset as f32 * scale,
                up: position.y_offset as f32 * scale,
                says: cluster(at),
            })
            .collect(),
    )
}

fn is_from_right(c: char) -> bool {
    // Everything before the Hebrew block goes from left to right.
    c >= '\u{590}'
        && matches!(
            bidi_class(c),
            BidiClass::R | BidiClass::AL | BidiClass::AN | BidiClass::RLE | BidiClass::RLO | BidiClass::RLI
        )
}

/// Whether a character belongs to a script whose letters join, stack or move, or is a mark that does.
fn needs_shaping(c: char) -> bool {
    matches!(c as u32,
        0x0300..=0x036f | 0x0590..=0x109f | 0x1780..=0x18af | 0x1900..=0x1cff | 0x1dc0..=0x1dff | 0x200c..=0x200f
        | 0x20d0..=0x20ff | 0xa880..=0xabff | 0xfb1d..=0xfdff | 0xfe20..=0xfe2f | 0xfe70..=0xfeff | 0x10800..=0x11fff)
        && !matches!(c as u32, 0x10a0..=0x10ff)
}

/// A text in lines that are no wider than `width` (in thousandths of the size of the font): broken at its own line
/// ends, at blanks, between Chinese or Japanese characters, and inside a word that is too long for a line.
pub(super) fn wrapped(fonts: &mut FontBook, text: &str, bold: bool, width: f32) -> Vec<Line> {
    let mut lines = Vec::new();
    for line in text.trim_end().lines() {
        wrap_line(fonts, line.trim_end(), bold, width, &mut lines);
    }
    lines
}

fn wrap_line(fonts: &mut FontBook, text: &str, bold: bool, width: f32, lines: &mut Vec<Line>) {
    let mut start = 0;
    let mut used = 0.0;
    // Where the line may end, and how wide what follows is already.
    let mut last: Option<(usize, f32)> = None;
    let mut before: Option<char> = None;
    for (at, c) in text.char_indices() {
        let advance = if bidi_class(c) == BidiClass::NSM { 0.0 } else { fonts.find(c, bold).advance };
        if at > start && before.is_some_and(|before| may_break(before, c)) {
            last = Some((at, used));
        }
        if used + advance > width && at > start && c != ' ' {
            let (end, until) = last.filter(|(end, _)| *end > start).unwrap_or((at, used));
            lines.push(set(fonts, text.get(start..end).unwrap_or_default().trim(), bold));
            start = end;
            used -= until;
            last = None;
        }
        used += advance;
        before = Some(c);
    }
    lines.push(set(fonts, text.get(start..).unwrap_or_default().trim(), bold));
}

fn may_break(before: char, after: char) -> bool {
    let is_ideograph = |c: char| matches!(c as u32, 0x2e80..=0x2fff | 0x3040..=0x30ff | 0x3400..=0x9fff | 0xac00..=0xd7af | 0xf900..=0xfaff | 0x20000..=0x3ffff);
    let closes = |c: char| matches!(c, '、' | '。' | '，' | '！' | '？' | '）' | '」' | '；' | '：' | '・' | 'ー');
    (before == ' ' && after != ' ')
        || (before == '-' && after.is_alphabetic())
        || ((is_ideograph(before) || is_ideograph(after)) && !closes(after) && before != '（')
}
