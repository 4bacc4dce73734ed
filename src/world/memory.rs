//! A world without a machine around it, for tests and plans: files in memory, chance that repeats itself.

use super::{FileError, Files, Random};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Files in memory. Every path is allowed; paths are taken as they are written.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles {
    /// The files by their paths.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl MemoryFiles {
    /// The same with one more file.
    pub fn with(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.to_string(), content.into());
        self
    }
}

impl Files for MemoryFiles {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, FileError> {
        self.files.get(path).cloned().ok_or_else(|| FileError::NotFound(path.to_string()))
    }

    fn open(&mut self, path: &str) -> Result<Box<dyn std::io::Read + Send>, FileError> {
        Ok(Box::new(std::io::Cursor::new(self.read(path)?)))
    }

    fn write(&mut self, path: &str, content: &[u8]) -> Result<(), FileError> {
        self.files.insert(path.to_string(), content.to_vec());
        Ok(())
    }

    fn exists(&mut self, path: &str) -> Result<bool, FileError> {
        Ok(self.files.contains_key(path))
    }

    fn list(&mut self, pattern: &str) -> Result<Vec<String>, FileError> {
        Ok(self.files.keys().filter(|path| super::files::fits(pattern, path)).cloned().collect())
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), FileError> {
        match (self.files.contains_key(from), self.files.contains_key(to)) {
            (true, true) => Err(FileError::AlreadyExists(to.to_string())),
            (false, true) => Ok(()),
            (false, false) => Err(FileError::NotFound(from.to_string())),
            (true, false) => {
                let content = self.files.remove(from).unwrap_or_default();
                self.files.insert(to.to_string(), content);
                Ok(())
            }
        }
    }

    fn delete(&mut self, path: &str) -> Result<(), FileError> {
        self.files.remove(path);
        Ok(())
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        path.to_path_buf()
    }
}

/// Chance that gives the same numbers for the same seed: SplitMix64 (Steele, Lea and Flood, "Fast splittable
/// pseudorandom number generators", 2014). Not for secrets.
#[derive(Debug, Clone)]
pub struct SeededRandom(pub u64);

impl Random for SeededRandom {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
