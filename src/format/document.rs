//! Documents: text that knows where it may be broken, after Wadler, "A prettier printer".

use unicode_width::UnicodeWidthStr;

/// A piece of text with places where it may be broken.
#[derive(Debug, Clone)]
pub enum Document {
    /// Text as it is; may hold line breaks, which then stand as they are.
    Text(String),
    /// A blank, or a line break when the group is broken.
    Line,
    /// Nothing, or a line break when the group is broken.
    SoftLine,
    /// A line break, which breaks all groups around it.
    HardLine,
    /// Short words with commas: as many on a line as fit, when the group is broken.
    Fill(Vec<String>),
    /// The only argument of a call, in parentheses: on a line of its own if it fits there, otherwise with its
    /// brackets beside those of the call.
    Alone(Box<Document>),
    /// One after the other.
    Row(Vec<Document>),
    /// On one line if it fits, otherwise broken at all its lines.
    Group(Box<Document>),
    /// Lines in it are indented by so many columns more.
    Nest(usize, Box<Document>),
}

impl Document {
    /// Text.
    pub fn text(text: impl Into<String>) -> Document {
        Document::Text(text.into())
    }

    /// Nothing.
    pub fn nothing() -> Document {
        Document::Row(Vec::new())
    }

    /// This document as a group.
    pub fn group(self) -> Document {
        Document::Group(Box::new(self))
    }

    /// This document, indented.
    pub fn nest(self, columns: usize) -> Document {
        Document::Nest(columns, Box::new(self))
    }

    /// The document on one line, as far as nothing in it forces a break.
    pub fn flat(&self) -> String {
        self.render(0, 0, usize::MAX)
    }

    /// The document as text. It begins in `column`; its lines are indented by `indentation`.
    pub fn render(&self, indentation: usize, column: usize, width: usize) -> String {
        let mut out = String::new();
        let mut column = column;
        let (open, close) = (Document::text("("), Document::text(")"));
        let mut rest = vec![(indentation, true, self)];
        while let Some((indentation, broken, document)) = rest.pop() {
            match document {
                Document::Text(text) => {
                    out.push_str(text);
                    match text.rfind('\n') {
                        Some(at) => column = text[at + 1..].width(),
                        None => column += text.width(),
                    }
                }
                Document::HardLine => line_break(&mut out, &mut column, indentation),
                Document::Line | Document::SoftLine if broken => line_break(&mut out, &mut column, indentation),
                Document::Line => {
                    out.push(' ');
                    column += 1;
                }
                Document::SoftLine => {}
                Document::Fill(words) => fill(words, broken, indentation, width, &mut out, &mut column),
                Document::Alone(inner) => {
                    let columns = flat_width(inner);
                    let room = width.saturating_sub(column + columns + 1);
                    if !broken || column + columns < width && fits(&close, &rest, room) {
                        rest.extend([
                            (indentation, broken, &close),
                            (indentation, false, inner),
                            (indentation, broken, &open),
                        ]);
                    } else if indentation + 2 + columns <= width && !has_hard_line(inner) {
                        rest.extend([
                            (indentation, broken, &close),
                            (indentation, true, &Document::SoftLine),
                            (indentation, false, inner),
                            (indentation + 2, true, &Document::SoftLine),
                            (indentation, broken, &open),
                        ]);
                    } else {
                        rest.extend([
                            (indentation, broken, &close),
                            (indentation, true, inner),
                            (indentation, broken, &open),
                        ]);
                    }
                }
                Document::Row(parts) => rest.extend(parts.iter().rev().map(|part| (indentation, broken, part))),
                Document::Nest(columns, inner) => rest.push((indentation + columns, broken, inner)),
                Document::Group(inner) => {
                    let broken = has_hard_line(inner) || !fits(inner, &rest, width.saturating_sub(column));
                    rest.push((indentation, broken, inner));
                }
            }
        }
        out
    }
}

fn line_break(out: &mut String, column: &mut usize, indentation: usize) {
    while out.ends_with(' ') {
        out.pop();
    }
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indentation));
    *column = indentation;
}

fn fill(words: &[String], broken: bool, indentation: usize, width: usize, out: &mut String, column: &mut usize) {
    for (index, word) in words.iter().enumerate() {
        let comma = if index + 1 < words.len() { "," } else { "" };
        let columns = word.width() + comma.len();
        if index > 0 {
            if broken && *column + 1 + columns > width {
                line_break(out, column, indentation);
            } else {
                out.push(' ');
                *column += 1;
            }
        }
        out.push_str(word);
        out.push_str(comma);
        *column += columns;
    }
}

/// Columns of the document on one line.
fn flat_width(document: &Document) -> usize {
    match document {
        Document::Text(text) => text.width(),
        Document::Line => 1,
        Document::SoftLine | Document::HardLine => 0,
        Document::Fill(words) => words.iter().map(|word| word.width() + 2).sum::<usize>().saturating_sub(2),
        Document::Alone(inner) => flat_width(inner) + 2,
        Document::Row(parts) => parts.iter().map(flat_width).sum(),
        Document::Group(inner) | Document::Nest(_, inner) => flat_width(inner),
    }
}

fn has_hard_line(document: &Document) -> bool {
    match document {
        Document::HardLine => true,
        Document::Row(parts) => parts.iter().any(has_hard_line),
        Document::Group(inner) | Document::Nest(_, inner) | Document::Alone(inner) => has_hard_line(inner),
        _ => false,
    }
}

/// Whether `document` on one line, and what follows up to the next break, fits into `room` columns.
fn fits(document: &Document, rest: &[(usize, bool, &Document)], room: usize) -> bool {
    let mut room = room;
    let mut following = rest.iter().rev();
    let mut ahead = vec![(false, document)];
    loop {
        let Some((broken, document)) =
            ahead.pop().or_else(|| following.next().map(|(_, broken, document)| (*broken, *document)))
        else {
            return true;
        };
        match document {
            Document::Text(text) => {
                let line = text.split('\n').next().unwrap_or("");
                let columns = line.width();
                if columns > room {
                    return false;
                }
                if line.len() < text.len() {
                    return true;
                }
                room -= columns;
            }
            Document::Fill(words) => {
                let columns: usize = words.iter().map(|word| word.width() + 2).sum::<usize>().saturating_sub(2);
                if columns > room {
                    return false;
                }
                room -= columns;
            }
            Document::HardLine => return true,
            Document::Line | Document::SoftLine if broken => return true,
            Document::Line if room == 0 => return false,
            Document::Line => room -= 1,
            Document::SoftLine => {}
            Document::Row(parts) => ahead.extend(parts.iter().rev().map(|part| (broken, part))),
            Document::Alone(_) if broken => return room > 0,
            Document::Alone(inner) => {
                if room < 2 {
                    return false;
                }
                room -= 2;
                ahead.push((false, inner));
            }
            Document::Nest(_, inner) => ahead.push((broken, inner)),
            // A group that follows may break by itself, so its first line is a place to break.
            Document::Group(inner) => ahead.push((broken, inner)),
        }
    }
}
