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
    fn open(&mut self, path: &str) -> Result<Box<dyn std::io::Read + Send>, FileError>;

    /// How many bytes a file has.
    fn size(&mut self, path: &str) -> Result<u64, FileError> {
        Ok(self.read(path)?.len() as u64)
    }

    /// Whether a file may be written there, as far as that can be told before it is done.
    fn may_write(&mut self, _path: &str) -> Result<(), FileError> {
        Ok(())
    }

    /// Writes a file in one go: the old content stays until the new one is complete. Makes missing folders.
    fn write(&mut self, path: &str, content: &[u8]) -> Result<(), FileError>;

    /// Whether there is such a file.
    fn exists(&mut self, path: &str) -> Result<bool, FileError>;

    /// The files that fit a pattern with `*` and `**`, sorted.
    fn list(&mut self, pattern: &str) -> Result<Vec<String>, FileError>;

    /// Moves a file. Succeeds when the file was moved there before.
    fn rename(&mut self, from: &str, to: &str) -> Result<(), FileError>;

    /// Deletes a file, if it is there.
    fn delete(&mut self, path: &str) -> Result<(), FileError>;

    /// Returns when the disk has everything that was written so far. Called before the step that wrote it is
    /// committed: a file is on disk before anyone relies on it, and many files share the wait.
    fn flush(&mut self) -> Result<(), FileError> {
        Ok(())
    }

    /// Where the path leads, for messages and attachments.
    fn resolve(&self, path: &Path) -> PathBuf;
}

/// Whether a path fits a pattern: `*` stands for characters of one name, `?` for one of them, `**` for any number of
/// folders. A name that begins with a point is only met by a pattern that writes the point.
pub fn fits(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    // Row by row over the parts of the path: which prefixes of the pattern have been met. Linear in both.
    let mut met = vec![false; pattern.len() + 1];
    met[0] = true;
    skip_folders(&pattern, &mut met);
    for name in path {
        let mut next = vec![false; pattern.len() + 1];
        for (at, part) in pattern.iter().enumerate() {
            if met[at] && *part == "**" && !name.starts_with('.') {
                next[at] = true;
            } else if met[at] && *part != "**" && name_fits(part, name) {
                next[at + 1] = true;
            }
        }
        skip_folders(&pattern, &mut next);
        met = next;
    }
    met.last().copied().unwrap_or(false)
}

/// `**` may stand for no folder at all.
fn skip_folders(pattern: &[&str], met: &mut [bool]) {
    for (at, part) in pattern.iter().enumerate() {
        if *part == "**" && met[at] {
            met[at + 1] = true;
        }
    }
}

fn name_fits(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut here) = (0, 0);
    // The last `*` and where it was tried: going back to it alone is enough.
    let mut back: Option<(usize, usize)> = None;
    while here < name.len() {
        match pattern.get(at) {
            Some('*') => {
                back = Some((at, here));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == name[here] => {
                at += 1;
                here += 1;
            }
            _ => match back {
                Some((star, tried)) => {
                    back = Some((star, tried + 1));
                    at = star + 1;
                    here = tried + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_meet_names_and_folders() {
        let good = [
            ("inbox/*.csv", "inbox/a.csv"),
            ("inbox/*", "inbox/a"),
            ("**/*.csv", "a.csv"),
            ("**/*.csv", "x/y/a.csv"),
            ("in/**", "in/a/b"),
            ("a?c", "aüc"),
            ("*a*b*", "xxaxxbxx"),
            (".*", ".hidden"),
        ];
        for (pattern, path) in good {
            assert!(fits(pattern, path), "{pattern} {path}");
        }
        let bad = [
            ("inbox/*.csv", "inbox/x/a.csv"),
            ("inbox/*.csv", "outbox/a.csv"),
            ("*", ".hidden"),
            ("**", ".rpa/store"),
            ("a?c", "ac"),
            ("", "a"),
            ("*a*b", "xxaxxbxx"),
        ];
        for (pattern, path) in bad {
            assert!(!fits(pattern, path), "{pattern} {path}");
        }
        assert!(!fits(&"*a".repeat(1000), &"a".repeat(900)));
    }
}
