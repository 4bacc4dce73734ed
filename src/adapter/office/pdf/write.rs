//! Pages as PDF 1.7 (ISO 32000-1).

use super::font::{Font, FontBook, FontIndex, Subset, compressed};
use super::page::{HEIGHT, Mark, Page, WIDTH};
use super::text::{Line, Run};
use crate::value::Date;
use crate::world::DocumentError;
use ecow::EcoString;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, TextRenderingMode, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The registry and ordering of glyph numbers that mean nothing but themselves.
const IDENTITY: SystemInfo = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// What a document says of itself.
pub(super) struct About {
    pub title: String,
    pub author: String,
    pub written: Date,
}

/// A font as a document uses it.
struct Used {
    subset: Arc<Subset>,
    /// What each glyph stands for.
    says: BTreeMap<u16, EcoString>,
    /// What the content calls it.
    name: String,
    reference: Ref,
}

type Fonts = BTreeMap<FontIndex, Used>;

/// The bytes of a document.
pub(super) fn document(book: &mut FontBook, pages: &[Page], about: &About) -> Result<Vec<u8>, DocumentError> {
    let mut next = Ref::new(1);
    let (catalog, tree, info) = (next.bump(), next.bump(), next.bump());
    let fonts = fonts_of(book, pages, &mut next)?;
    let page_references: Vec<(Ref, Ref)> = pages.iter().map(|_| (next.bump(), next.bump())).collect();

    let mut pdf = Pdf::new();
    pdf.set_version(1, 7);
    let mut root = pdf.catalog(catalog);
    root.pages(tree).lang(TextStr("en"));
    root.viewer_preferences().display_doc_title(true);
    root.finish();
    let year = u16::try_from(about.written.year()).unwrap_or(1);
    let date =
        pdf_writer::Date::new(year).month(about.written.month().unsigned_abs()).day(about.written.day().unsigned_abs());
    pdf.document_info(info)
        .title(TextStr(&about.title))
        .author(TextStr(&about.author))
        .creator(TextStr("rpa"))
        .producer(TextStr("rpa"))
        .creation_date(date);
    pdf.pages(tree)
        .kids(page_references.iter().map(|(page, _)| *page))
        .count(i32::try_from(pages.len()).unwrap_or(i32::MAX));
    for (page, (reference, content)) in pages.iter().zip(&page_references) {
        let mut entry = pdf.page(*reference);
        entry.parent(tree).media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT)).contents(*content);
        let mut resources = entry.resources();
        let mut dictionary = resources.fonts();
        for used in fonts.values() {
            dictionary.pair(Name(used.name.as_bytes()), used.reference);
        }
        dictionary.finish();
        resources.finish();
        entry.finish();
        let drawn = compressed(&draw(page, &fonts));
        pdf.stream(*content, &drawn).filter(Filter::FlateDecode);
    }
    for (index, used) in &fonts {
        if let Some(font) = book.font(*index) {
            embed(&mut pdf, font, used, &mut next);
        }
    }
    let id = Sha256::digest(format!("{}\0{}\0{}", about.title, about.author, about.written));
    let id: Vec<u8> = id.iter().copied().take(16).collect();
    pdf.set_file_id((id.clone(), id));
    Ok(pdf.finish())
}

/// The glyphs of each font that the pages show.
fn fonts_of(book: &mut FontBook, pages: &[Page], next: &mut Ref) -> Result<Fonts, DocumentError> {
    let mut glyphs: Vec<BTreeMap<u16, EcoString>> = vec![BTreeMap::new(); book.len()];
    let runs = pages.iter().flatten().filter_map(|mark| match mark {
        Mark::Text { line, .. } => Some(&line.runs),
        _ => None,
    });
    for run in runs.flatten() {
        let Some(seen) = glyphs.get_mut(run.font) else { continue };
        for glyph in &run.glyphs {
            let says = seen.entry(glyph.id).or_default();
            if says.is_empty() {
                says.clone_from(&glyph.says);
            }
        }
    }
    let mut fonts = Fonts::new();
    for (index, seen) in glyphs.into_iter().enumerate().filter(|(_, seen)| !seen.is_empty()) {
        let mut wanted: Vec<u16> = seen.keys().copied().collect();
        if wanted.first() != Some(&0) {
            // The empty box is part of every font.
            wanted.insert(0, 0);
        }
        let subset = book.subset(index, wanted)?;
        let says = seen.into_iter().filter(|(_, says)| !says.is_empty()).collect();
        fonts.insert(index, Used { subset, says, name: format!("F{index}"), reference: next.bump() });
    }
    Ok(fonts)
}

/// The content of a page.
fn draw(page: &Page, fonts: &Fonts) -> Vec<u8> {
    let mut content = Content::new();
    for mark in page {
        match mark {
            Mark::Text { x, y, size, gray, line } => text(&mut content, fonts, line, (*x, *y), *size, *gray),
            Mark::Rule { from, to, y, thickness, gray } => {
                content.set_stroke_gray(*gray).set_line_width(*thickness);
                content.move_to(*from, HEIGHT - y).line_to(*to, HEIGHT - y).stroke();
            }
            Mark::Box { x, y, width, height, gray } => {
                content.set_fill_gray(*gray).rect(*x, HEIGHT - y - height, *width, *height).fill_nonzero();
            }
        }
    }
    content.finish().into_vec()
}

fn text(content: &mut Content, fonts: &Fonts, line: &Line, (x, y): (f32, f32), size: f32, gray: f32) {
    content.set_fill_gray(gray);
    let mut at = x;
    for run in &line.runs {
        let width: f32 = run.glyphs.iter().map(|glyph| glyph.advance).sum();
        if let Some(used) = fonts.get(&run.font) {
            show(content, used, run, (at, y), size, gray);
        }
        at += width * size / 1000.0;
    }
}

fn show(content: &mut Content, used: &Used, run: &Run, (x, y): (f32, f32), size: f32, gray: f32) {
    if let Some(says) = &run.says {
        // What shaped glyphs say is not what they look like one by one.
        let mut marked = content.begin_marked_content_with_properties(Name(b"Span"));
        marked.properties().actual_text(TextStr(says));
        marked.finish();
    }
    content.begin_text().set_font(Name(used.name.as_bytes()), size);
    if run.thicken {
        content.set_stroke_gray(gray).set_line_width(size * 0.025);
        content.set_text_rendering_mode(TextRenderingMode::FillStroke);
    }
    let number = |glyph: u16| used.subset.numbers.get(&glyph).copied().unwrap_or(0).to_be_bytes();
    if !run.placed {
        content.set_text_matrix([1.0, 0.0, 0.0, 1.0, x, HEIGHT - y]);
        let codes: Vec<u8> = run.glyphs.iter().flat_map(|glyph| number(glyph.id)).collect();
        content.show(Str(&codes));
    } else {
        let mut at = x;
        for glyph in &run.glyphs {
            let (right, up) = (glyph.right * size / 1000.0, glyph.up * size / 1000.0);
            content.set_text_matrix([1.0, 0.0, 0.0, 1.0, at + right, HEIGHT - y + up]);
            content.show(Str(&number(glyph.id)));
            at += glyph.advance * size / 1000.0;
        }
    }
    if run.thicken {
        content.set_text_rendering_mode(TextRenderingMode::Fill);
    }
    content.end_text();
    if run.says.is_some() {
        content.end_marked_content();
    }
}

/// Puts a font into the document: its subset, its widths, and what its glyphs stand for.
fn embed(pdf: &mut Pdf, font: &Font, used: &Used, next: &mut Ref) {
    let (cid, descriptor, file, unicode) = (next.bump(), next.bump(), next.bump(), next.bump());
    let name = format!("{}+{}", tag(used), font.name);
    let name = Name(name.as_bytes());
    let is_cff = font.face.tables().cff.is_some();

    pdf.type0_font(used.reference)
        .base_font(name)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(cid)
        .to_unicode(unicode);

    let mut described = pdf.cid_font(cid);
    described
        .subtype(if is_cff { CidFontType::Type0 } else { CidFontType::Type2 })
        .base_font(name)
        .system_info(IDENTITY)
        .font_descriptor(descriptor)
        .default_width(0.0);
    if !is_cff {
        described.cid_to_gid_map_predefined(Name(b"Identity"));
    }
    let numbers: BTreeMap<u16, u16> = used.subset.numbers.iter().map(|(old, new)| (*new, *old)).collect();
    described.widths().consecutive(0, numbers.values().map(|old| font.advance(*old)));
    described.finish();

    let bounds = font.face.global_bounding_box();
    let length = |value: i16| font.thousandths(f32::from(value));
    let mut entry = pdf.font_descriptor(descriptor);
    entry
        .name(name)
        .flags(FontFlags::NON_SYMBOLIC)
        .bbox(Rect::new(length(bounds.x_min), length(bounds.y_min), length(bounds.x_max), length(bounds.y_max)))
        .italic_angle(0.0)
        .ascent(length(font.face.ascender()))
        .descent(length(font.face.descender()))
        .cap_height(length(font.face.capital_height().unwrap_or(font.face.ascender())))
        .stem_v(if font.is_bold { 140.0 } else { 90.0 });
    if is_cff {
        entry.font_file3(file);
    } else {
        entry.font_file2(file);
    }
    entry.finish();

    let mut stream = pdf.stream(file, &used.subset.content);
    stream.filter(Filter::FlateDecode);
    if is_cff {
        stream.pair(Name(b"Subtype"), Name(b"OpenType"));
    } else {
        stream.pair(Name(b"Length1"), i32::try_from(used.subset.length).unwrap_or(i32::MAX));
    }
    stream.finish();

    let mut cmap = UnicodeCmap::new(Name(b"rpa"), IDENTITY);
    for (glyph, says) in &used.says {
        if let Some(number) = used.subset.numbers.get(glyph) {
            cmap.pair_with_multiple(*number, says.chars());
        }
    }
    let cmap = compressed(&cmap.finish().into_vec());
    pdf.stream(unicode, &cmap).filter(Filter::FlateDecode);
}

/// Six letters that tell subsets of one font apart, made of what is in it.
fn tag(used: &Used) -> String {
    let mut glyphs: Vec<&u16> = used.subset.numbers.keys().collect();
    glyphs.sort_unstable();
    let mut digest = Sha256::new();
    for glyph in glyphs {
        digest.update(glyph.to_be_bytes());
    }
    digest.finalize().iter().take(6).map(|byte| char::from(b'A' + byte % 26)).collect()
}
