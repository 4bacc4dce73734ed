//! The texts that a run of the program knows, each with a table of its lines.

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Names a source in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SourceId(pub u16);

/// One text: a script, a template, a part of the standard library, a line typed into the REPL.
#[derive(Debug, Clone)]
pub struct Source {
    /// What people call it: the path as they wrote it, or `crm/invoices.rpa`, `<input>`.
    pub name: String,
    /// Where it was read from, when it is a file.
    pub path: Option<PathBuf>,
    /// The text.
    pub text: Arc<str>,
    /// Whether it belongs to the standard library.
    pub is_library: bool,
    /// Byte offset of the first byte of each line.
    line_starts: Vec<u32>,
}

impl Source {
    /// A source with its line table.
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        let text: Arc<str> = text.into();
        let mut line_starts = vec![0];
        line_starts.extend(text.match_indices('\n').map(|(at, _)| at as u32 + 1));
        Source { name: name.into(), path: None, text, is_library: false, line_starts }
    }

    /// Says from which file the text was read.
    pub fn with_path(mut self, path: &Path) -> Self {
        self.path = Some(path.to_path_buf());
        self
    }

    /// Marks the source as a part of the standard library.
    pub fn library(mut self) -> Self {
        self.is_library = true;
        self
    }

    /// Zero-based line of a byte offset; the last line for offsets behind the end.
    pub fn line_of(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start as usize <= offset) - 1
    }

    /// Byte offset where a zero-based line starts; the end of the text for lines behind the last.
    pub fn line_start(&self, line: usize) -> usize {
        self.line_starts.get(line).map_or(self.text.len(), |start| *start as usize)
    }

    /// The text of a zero-based line, without its line break.
    pub fn line(&self, line: usize) -> &str {
        let text = &self.text[self.line_start(line)..self.line_start(line + 1)];
        text.trim_end_matches(['\n', '\r'])
    }

    /// How many lines the text has; a text that ends with a line break ends with an empty line.
    pub fn line_count(&self) -> usize {
        self.line_starts.len()
    }

    /// One-based line and one-based column in characters, as editors show them.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.line_of(offset);
        let start = self.line_start(line);
        let end = offset.min(self.text.len());
        let column = self.text.get(start..end).map_or(0, |before| before.chars().count());
        (line + 1, column + 1)
    }
}

/// All sources of one program, found by their [`SourceId`].
#[derive(Debug, Clone, Default)]
pub struct Sources {
    sources: Vec<Source>,
}

impl Sources {
    /// No sources yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a source in and names it. Beyond 65,535 sources the last name is used again.
    pub fn add(&mut self, source: Source) -> SourceId {
        let id = SourceId(u16::try_from(self.sources.len()).unwrap_or(u16::MAX));
        self.sources.push(source);
        id
    }

    /// The id that the next [`Sources::add`] will give.
    pub fn next_id(&self) -> SourceId {
        SourceId(u16::try_from(self.sources.len()).unwrap_or(u16::MAX))
    }

    /// The source with this id, or none when the id is not from here.
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.0 as usize)
    }

    /// The text under a span; empty when the span does not fit.
    pub fn slice(&self, span: super::Span) -> &str {
        self.get(span.source).and_then(|source| source.text.get(span.range())).unwrap_or("")
    }

    /// All sources with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.sources.iter().enumerate().map(|(index, source)| (SourceId(index as u16), source))
    }
}
