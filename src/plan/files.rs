//! Files in a plan: written to memory, read from there first.

use super::effect::Deed;
use super::recorder::Shared;
use crate::world::{FileError, Files, StoreError, fits};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What was written, and what was deleted (none), by path.
#[derive(Debug, Clone, Default)]
pub struct Overlay(Arc<Mutex<BTreeMap<String, Option<Vec<u8>>>>>);

impl Overlay {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Option<Vec<u8>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does to real files what was done here.
    ///
    /// # Errors
    /// The first file that could not be written or deleted.
    pub fn write_to(&self, files: &mut dyn Files) -> Result<(), FileError> {
        for (path, content) in self.lock().iter() {
            match content {
                Some(content) => files.write(path, content)?,
                None => files.delete(path)?,
            }
        }
        files.flush()
    }
}

/// Files over which nothing is written for real.
pub struct PlannedFiles {
    inner: Box<dyn Files>,
    overlay: Overlay,
    recorder: Shared,
}

impl PlannedFiles {
    /// Reads from `inner` what is not in the overlay.
    pub fn new(inner: Box<dyn Files>, overlay: Overlay, recorder: Shared) -> PlannedFiles {
        PlannedFiles { inner, overlay, recorder }
    }

    /// Tells the recorder; what it refuses is no matter of the file.
    fn tell(&self, deed: Deed, path: &str, to: &str) -> Result<(), FileError> {
        self.recorder.file(deed, path, to).map_err(|error| FileError::NoAccess {
            path: path.to_string(),
            reason: match error {
                StoreError::Failed { message, .. } => message,
                other => other.to_string(),
            },
        })
    }
}

impl Files for PlannedFiles {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, FileError> {
        match self.overlay.lock().get(path) {
            Some(Some(content)) => Ok(content.clone()),
            Some(None) => Err(FileError::NotFound(path.to_string())),
            None => self.inner.read(path),
        }
    }

    fn open(&mut self, path: &str) -> Result<Box<dyn std::io::Read + Send>, FileError> {
        if self.overlay.lock().contains_key(path) {
            return Ok(Box::new(std::io::Cursor::new(self.read(path)?)));
        }
        self.inner.open(path)
    }

    fn may_write(&mut self, path: &str) -> Result<(), FileError> {
        self.inner.may_write(path)
    }

    fn write(&mut self, path: &str, content: &[u8]) -> Result<(), FileError> {
        self.inner.may_write(path)?;
        self.tell(Deed::Write, path, "")?;
        self.overlay.lock().insert(path.to_string(), Some(content.to_vec()));
        Ok(())
    }

    fn exists(&mut self, path: &str) -> Result<bool, FileError> {
        match self.overlay.lock().get(path) {
            Some(content) => Ok(content.is_some()),
            None => self.inner.exists(path),
        }
    }

    fn list(&mut self, pattern: &str) -> Result<Vec<String>, FileError> {
        let mut found = self.inner.list(pattern)?;
        let overlay = self.overlay.lock();
        found.retain(|path| !matches!(overlay.get(path), Some(None)));
        let written = overlay.iter().filter(|(path, content)| content.is_some() && fits(pattern, path));
        found.extend(written.map(|(path, _)| path.clone()));
        found.sort();
        found.dedup();
        Ok(found)
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), FileError> {
        self.inner.may_write(from)?;
        self.inner.may_write(to)?;
        match (self.exists(from)?, self.exists(to)?) {
            (true, true) => return Err(FileError::AlreadyExists(to.to_string())),
            (false, true) => return Ok(()),
            (false, false) => return Err(FileError::NotFound(from.to_string())),
            (true, false) => {}
        }
        let content = self.read(from)?;
        self.tell(Deed::Move, from, to)?;
        let mut overlay = self.overlay.lock();
        overlay.insert(from.to_string(), None);
        overlay.insert(to.to_string(), Some(content));
        Ok(())
    }

    fn delete(&mut self, path: &str) -> Result<(), FileError> {
        self.inner.may_write(path)?;
        if self.exists(path)? {
            self.tell(Deed::Remove, path, "")?;
            self.overlay.lock().insert(path.to_string(), None);
        }
        Ok(())
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        self.inner.resolve(path)
    }
}
