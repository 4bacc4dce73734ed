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
        let mut rest = vec![(indentation, has_hard_line(self), self)];
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

fn has_hard_line(document: &Document) -> bool {
    match document {
        Document::HardLine => true,
        Document::Row(parts) => parts.iter().any(has_hard_line),
        Document::Group(inner) | Document::Nest(_, inner) => has_hard_line(inner),
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
            Document::HardLine => return true,
            Document::Line | Document::SoftLine if broken => return true,
            Document::Line if room == 0 => return false,
            Document::Line => room -= 1,
            Document::SoftLine => {}
            Document::Row(parts) => ahead.extend(parts.iter().rev().map(|part| (broken, part))),
            Document::Nest(_, inner) => ahead.push((broken, inner)),
            // A group that follows may break by itself; until then it counts as flat.
            Document::Group(inner) => ahead.push((false, inner)),
        }
    }
}
