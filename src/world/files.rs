//! Files, within what the project allows.

use std::path::{Path, PathBuf};

/// Why a file could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// There is no such file.
    #[error("there is no file `{0}`")]
    NotFound(String),
    /// The project does not allow it, or the system refused it.
    #[error("`{path}` can't be used: {reason}")]
    NoAccess {
        /// The path as the script said it.
        path: String,
        /// Who refused it, and what to do.
        reason: String,
    },
    /// A file that must not be there is there.
    #[error("there is a file `{0}` already")]
    AlreadyExists(String),
    /// Reading or writing broke off: disk full, device error, too large.
    #[error("`{path}` can't be used: {reason}")]
    Failed {
        /// The path as the script said it.
        path: String,
        /// What the system said.
        reason: String,
    },
}

/// Reads and writes files. Paths are relative to the project's folder; `/` separates on every system.
pub trait Files: Send {
    /// The bytes of a file.
    fn read(&mut self, path: &str) -> Result<Vec<u8>, FileError>;

    /// A reader of a file, for those that should not be held whole.
    fn open(&mut self, path: &str) -> Result<Box<dyn std::io::Read>, FileError>;

    /// Writes a file in one go: the old content stays until the new one is complete and on disk.
    fn write(&mut self, path: &str, content: &[u8]) -> Result<(), FileError>;

    /// Whether there is such a file.
    fn exists(&mut self, path: &str) -> Result<bool, FileError>;

    /// The files that fit a pattern with `*` and `**`, sorted.
    fn list(&mut self, pattern: &str) -> Result<Vec<String>, FileError>;

    /// Moves a file. Succeeds when the file was moved there before.
    fn rename(&mut self, from: &str, to: &str) -> Result<(), FileError>;

    /// Deletes a file, if it is there.
    fn delete(&mut self, path: &str) -> Result<(), FileError>;

    /// Where the path leads, for messages and attachments.
    fn resolve(&self, path: &Path) -> PathBuf;
}
