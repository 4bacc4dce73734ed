//! Fonts: which one has a character, how wide it is, and the part of it that a document needs.

use crate::world::DocumentError;
use flate2::{Compress, Compression, FlushCompress, Status};
use harfrust::{FontRef, ShaperData};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use subsetter::GlyphRemapper;
use ttf_parser::{Face, GlyphId};

/// The fonts that are built in, the most wanted first.
const BUILT_IN: &[(&str, &[u8], bool)] = &[
    ("NotoSans-Regular", include_bytes!("../../../../assets/fonts/NotoSans-Regular.ttf"), false),
    ("NotoSans-Bold", include_bytes!("../../../../assets/fonts/NotoSans-Bold.ttf"), true),
    ("NotoSansArabic-Regular", include_bytes!("../../../../assets/fonts/NotoSansArabic-Regular.ttf"), false),
    ("NotoSansHebrew-Regular", include_bytes!("../../../../assets/fonts/NotoSansHebrew-Regular.ttf"), false),
    ("NotoSansDevanagari-Regular", include_bytes!("../../../../assets/fonts/NotoSansDevanagari-Regular.ttf"), false),
    ("NotoSansBengali-Regular", include_bytes!("../../../../assets/fonts/NotoSansBengali-Regular.ttf"), false),
    ("NotoSansTamil-Regular", include_bytes!("../../../../assets/fonts/NotoSansTamil-Regular.ttf"), false),
    ("NotoSansThai-Regular", include_bytes!("../../../../assets/fonts/NotoSansThai-Regular.ttf"), false),
    ("NotoSansArmenian-Regular", include_bytes!("../../../../assets/fonts/NotoSansArmenian-Regular.ttf"), false),
    ("NotoSansGeorgian-Regular", include_bytes!("../../../../assets/fonts/NotoSansGeorgian-Regular.ttf"), false),
    ("NanumSquare-Regular", include_bytes!("../../../../assets/fonts/NanumSquareR.ttf"), false),
    ("DroidSansFallback", include_bytes!("../../../../assets/fonts/DroidSansFallbackFull.ttf"), false),
];

/// How many subsets are kept for the next document.
const KEPT_SUBSETS: usize = 64;

/// The position of a font in the book.
pub(super) type FontIndex = usize;

/// A font.
pub(super) struct Font {
    pub name: String,
    pub face: Face<'static>,
    pub is_bold: bool,
    data: &'static [u8],
    shaping: Option<(FontRef<'static>, ShaperData)>,
}

/// A character found in a font.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    pub font: FontIndex,
    pub glyph: u16,
    /// In thousandths of the size of the font.
    pub advance: f32,
}

/// All fonts of a printer.
pub(super) struct FontBook {
    fonts: Vec<Font>,
    found: HashMap<(char, bool), Found>,
    subsets: HashMap<(FontIndex, Vec<u16>), Arc<Subset>>,
}

/// The part of a font that a document needs.
#[derive(Debug)]
pub(super) struct Subset {
    /// The font, compressed.
    pub content: Vec<u8>,
    /// How long it is when it is not compressed.
    pub length: usize,
    /// The new number of each glyph.
    pub numbers: HashMap<u16, u16>,
}

impl FontBook {
    /// The built-in fonts, behind those of these files.
    pub fn new(files: &[PathBuf]) -> Result<FontBook, DocumentError> {
        let mut fonts = Vec::new();
        for path in files {
            let unusable = |reason: String| {
                DocumentError::Unwritable(format!("the font `{}` can't be used: {reason}", path.display()))
            };
            let data = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
            let is_bold = Face::parse(&data, 0).map_err(|error| unusable(error.to_string()))?.is_bold();
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or("font").replace(' ', "-");
            // A printer lives as long as the program, and there is one.
            let data: &'static [u8] = Box::leak(data.into_boxed_slice());
            fonts.push(Font::new(name, data, is_bold).map_err(unusable)?);
        }
        for (name, data, is_bold) in BUILT_IN {
            let font = Font::new((*name).to_string(), data, *is_bold).map_err(DocumentError::Unwritable)?;
            fonts.push(font);
        }
        Ok(FontBook { fonts, found: HashMap::new(), subsets: HashMap::new() })
    }

    /// The same fonts, without what was found in them.
    pub fn another(&self) -> FontBook {
        let copy = |font: &Font| Font { name: font.name.clone(), face: font.face.clone(), shaping: None, ..*font };
        FontBook { fonts: self.fonts.iter().map(copy).collect(), found: HashMap::new(), subsets: HashMap::new() }
    }

    /// A font by its index.
    pub fn font(&self, index: FontIndex) -> Option<&Font> {
        self.fonts.get(index)
    }

    /// How many fonts there are.
    pub fn len(&self) -> usize {
        self.fonts.len()
    }

    /// The font that a character is taken from: the first that has it, and of the wanted weight where there is one.
    pub fn find(&mut self, c: char, bold: bool) -> Found {
        if let Some(found) = self.found.get(&(c, bold)) {
            return *found;
        }
        let with = |wanted: Option<bool>| {
            self.fonts.iter().enumerate().find_map(|(index, font)| {
                let fits = wanted.is_none_or(|wanted| font.is_bold == wanted);
                font.glyph(c).filter(|_| fits).map(|(glyph, advance)| Found { font: index, glyph, advance })
            })
        };
        // A character that no font has is the empty box of the first.
        let missing = || {
            let index = self.fonts.iter().position(|font| font.is_bold == bold).unwrap_or(0);
            let advance = self.fonts.get(index).map_or(500.0, |font| font.advance(0));
            Found { font: index, glyph: 0, advance }
        };
        let found = with(Some(bold)).or_else(|| with(None)).unwrap_or_else(missing);
        self.found.insert((c, bold), found);
        found
    }

    /// A character in a certain font.
    pub fn find_in(&self, index: FontIndex, c: char) -> Option<Found> {
        let (glyph, advance) = self.fonts.get(index)?.glyph(c)?;
        Some(Found { font: index, glyph, advance })
    }

    /// What shaping needs of a font.
    pub fn shaping(&mut self, index: FontIndex) -> Option<(&FontRef<'static>, &ShaperData)> {
        let font = self.fonts.get_mut(index)?;
        if font.shaping.is_none() {
            let reference = FontRef::new(font.data).ok()?;
            let data = ShaperData::new(&reference);
            font.shaping = Some((reference, data));
        }
        font.shaping.as_ref().map(|(font, data)| (font, data))
    }

    /// The part of a font with these glyphs, in rising order.
    pub fn subset(&mut self, index: FontIndex, glyphs: Vec<u16>) -> Result<Arc<Subset>, DocumentError> {
        let font = self.fonts.get(index).ok_or_else(|| DocumentError::Unwritable("a font is missing".to_string()))?;
        if let Some(known) = self.subsets.get(&(index, glyphs.clone())) {
            return Ok(known.clone());
        }
        let failed =
            |reason: String| DocumentError::Unwritable(format!("the font `{}` can't be used: {reason}", font.name));
        let remapper = GlyphRemapper::new_from_glyphs_sorted(&glyphs);
        let content = subsetter::subset(font.data, 0, &remapper).map_err(|error| failed(error.to_string()))?;
        let numbers = glyphs.iter().filter_map(|glyph| Some((*glyph, remapper.get(*glyph)?))).collect();
        let subset = Arc::new(Subset { length: content.len(), content: compressed(&content), numbers });
        if self.subsets.len() >= KEPT_SUBSETS {
            self.subsets.clear();
        }
        self.subsets.insert((index, glyphs), subset.clone());
        Ok(subset)
    }
}

impl std::fmt::Debug for FontBook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.fonts.iter().map(|font| &font.name)).finish()
    }
}

impl Font {
    fn new(name: String, data: &'static [u8], is_bold: bool) -> Result<Font, String> {
        let face = Face::parse(data, 0).map_err(|error| error.to_string())?;
        if face.tables().glyf.is_none() && face.tables().cff.is_none() {
            return Err("it has no outlines".to_string());
        }
        Ok(Font { name, face, is_bold, data, shaping: None })
    }

    fn glyph(&self, c: char) -> Option<(u16, f32)> {
        let glyph = self.face.glyph_index(c)?.0;
        Some((glyph, self.advance(glyph)))
    }

    /// The width of a glyph, in thousandths of the size of the font.
    pub fn advance(&self, glyph: u16) -> f32 {
        self.thousandths(f32::from(self.face.glyph_hor_advance(GlyphId(glyph)).unwrap_or(0)))
    }

    /// A length of the font, in thousandths of its size.
    pub fn thousandths(&self, length: f32) -> f32 {
        length * 1000.0 / f32::from(self.face.units_per_em().max(1))
    }
}

thread_local! {
    /// Its tables take longer to make than most contents take to be compressed.
    static COMPRESSOR: RefCell<Compress> = RefCell::new(Compress::new(Compression::default(), true));
}

/// Bytes as PDF's `FlateDecode` reads them.
pub(super) fn compressed(content: &[u8]) -> Vec<u8> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        compressor.reset();
        let mut out = Vec::with_capacity(content.len() / 2 + 64);
        loop {
            let read = usize::try_from(compressor.total_in()).unwrap_or(usize::MAX);
            let rest = content.get(read..).unwrap_or_default();
            match compressor.compress_vec(rest, &mut out, FlushCompress::Finish) {
                Ok(Status::Ok | Status::BufError) => out.reserve(content.len() / 2 + 64),
                // Compressing in memory does not fail.
                Ok(Status::StreamEnd) | Err(_) => return out,
            }
        }
    })
}
