//! How the checker reaches what a script names beside itself: used scripts, templates, rule tables.

use super::Boundaries;
use crate::finding::Levels;
use crate::text::Source;
use std::cell::Cell;
use std::collections::HashMap;

/// Reads files for the checker, which itself touches nothing outside.
pub trait Loader {
    /// The bytes of the file that `from` calls `relative`.
    fn read(&self, from: &Source, relative: &str) -> Result<Vec<u8>, LoadError>;

    /// The rows of a sheet of a workbook (xlsx, xls, ods), the first row at the top; the first sheet when
    /// none is named. Cells hold what a person sees, without the number's unit signs being lost: `15%`, `1000`.
    fn sheet(&self, bytes: &[u8], sheet: Option<&str>) -> Result<Vec<Vec<String>>, LoadError>;

    /// What the project says that scripts may reach; nothing for a script that stands alone.
    fn boundaries(&self) -> Boundaries {
        Boundaries::default()
    }

    /// How much findings matter to the project that the files belong to.
    fn levels(&self) -> &Levels {
        const { &Levels::of_catalogue() }
    }

    /// Whether another script of the project runs or starts a flow of a script. Such a flow may rely on what the other
    /// does before, where it can't be begun by hand.
    fn is_run_elsewhere(&self, _script: &Source, _flow: &str) -> bool {
        false
    }

    /// The cells of a table as [`crate::check`] has laid it out as a source before; none for files as people write them.
    fn laid_out(&self, _bytes: &[u8]) -> Option<Vec<Vec<String>>> {
        None
    }
}

/// Why something can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// There is no such file.
    #[error("there is no such file")]
    Missing,
    /// The system or the project refuses it.
    #[error("{0}")]
    Refused(String),
    /// It is not what it should be: not a workbook, no such sheet.
    #[error("{0}")]
    Unreadable(String),
}

/// Files kept in memory, by the names that scripts call them; for tests and for scripts that stand alone.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    files: HashMap<String, Vec<u8>>,
    boundaries: Boundaries,
}

impl Memory {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more file.
    pub fn with(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(name.to_string(), content.into());
        self
    }

    /// As part of a project that allows this.
    pub fn within(mut self, boundaries: Boundaries) -> Self {
        self.boundaries = boundaries;
        self
    }
}

impl Loader for Memory {
    fn read(&self, _: &Source, relative: &str) -> Result<Vec<u8>, LoadError> {
        self.files.get(relative).cloned().ok_or(LoadError::Missing)
    }

    /// Reads lines with tabs between cells, in place of a workbook.
    fn sheet(&self, bytes: &[u8], _: Option<&str>) -> Result<Vec<Vec<String>>, LoadError> {
        let text = std::str::from_utf8(bytes).map_err(|error| LoadError::Unreadable(error.to_string()))?;
        Ok(text.lines().map(|line| line.split('\t').map(str::to_string).collect()).collect())
    }

    fn boundaries(&self) -> Boundaries {
        self.boundaries.clone()
    }
}

/// The sources of a program that was checked before, in the order in which it had read them: what it takes to make
/// the same program again without its files.
#[derive(Debug, Clone)]
pub struct Kept<'s> {
    sources: &'s [(String, String)],
    /// Sources are read in the order in which they were then; files of one name are told apart by it.
    next: Cell<usize>,
}

impl<'s> Kept<'s> {
    /// The sources by what people call them: the prelude first, then the script itself, then what it uses.
    pub fn new(sources: &'s [(String, String)]) -> Kept<'s> {
        Kept { sources, next: Cell::new(2) }
    }

    /// The script itself.
    pub fn main(&self) -> Option<Source> {
        self.sources.get(1).map(|(name, text)| Source::new(name.as_str(), text.as_str()))
    }
}

impl Loader for Kept<'_> {
    fn read(&self, from: &Source, relative: &str) -> Result<Vec<u8>, LoadError> {
        let full = super::modules::beside(&from.name, relative);
        // Tables are called by their file alone.
        let file = relative.rsplit(['/', '\\']).next().unwrap_or(relative);
        let from = self.next.get();
        let found = self.sources.iter().enumerate().skip(from).find(|(_, (name, _))| *name == full || *name == file);
        let (at, (_, text)) = found.ok_or(LoadError::Missing)?;
        self.next.set(at + 1);
        Ok(text.clone().into_bytes())
    }

    fn sheet(&self, _: &[u8], _: Option<&str>) -> Result<Vec<Vec<String>>, LoadError> {
        Err(LoadError::Unreadable("the table was not kept".to_string()))
    }

    /// It was when this version was checked first; nothing is begun anew with it.
    fn is_run_elsewhere(&self, _: &Source, _: &str) -> bool {
        true
    }

    fn laid_out(&self, bytes: &[u8]) -> Option<Vec<Vec<String>>> {
        let text = std::str::from_utf8(bytes).ok()?;
        let cells = |line: &str| {
            let mut cells: Vec<String> =
                line.strip_prefix('|')?.split(" |").map(|cell| cell.get(1..).unwrap_or("").into()).collect();
            cells.pop();
            Some(cells)
        };
        text.lines().map(cells).collect()
    }
}
