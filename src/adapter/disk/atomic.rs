//! Files that are there whole or not at all.
//!
//! The content goes to a file of another name, which then takes the name of the real one: whoever looks meanwhile sees
//! the old content. That the disk has it is made certain for many files at once, by [`Pending::flush`]: waiting for the
//! disk takes milliseconds a file, and nobody relies on a file before the step that wrote it is committed.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// How many files wait for the disk before they are flushed unasked.
const MOST_PENDING: usize = 1024;

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// Files that were written and may not be on disk yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    files: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
}

impl Pending {
    /// Writes a file whole; makes its folder when there is none.
    pub fn write(&mut self, path: &Path, content: &[u8]) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let temporary = match self.temporary(folder, content) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make_folder(folder)?;
                self.temporary(folder, content)?
            }
            result => result?,
        };
        let renamed = keep_permissions(path, &temporary).and_then(|()| fs::rename(&temporary, path));
        if let Err(error) = renamed {
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        self.folders.insert(folder.to_path_buf());
        self.files.insert(path.to_path_buf());
        if self.files.len() >= MOST_PENDING { self.flush().map_err(|(_, error)| error) } else { Ok(()) }
    }

    /// Gives a file another name; copies it when the names are on different disks.
    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let folder = to.parent().unwrap_or(Path::new("."));
        self.make_folder(folder)?;
        match fs::rename(from, to) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                self.write(to, &fs::read(from)?)?;
                self.flush().map_err(|(_, error)| error)?;
                fs::remove_file(from)?;
            }
            result => result?,
        }
        self.files.remove(from);
        self.files.insert(to.to_path_buf());
        self.folders.extend([from, to].iter().filter_map(|path| path.parent()).map(Path::to_path_buf));
        Ok(())
    }

    /// Returns when the disk has everything that was written. A file that is gone by then is no failure.
    pub fn flush(&mut self) -> Result<(), (PathBuf, io::Error)> {
        for path in std::mem::take(&mut self.files) {
            match fs::File::open(&path).and_then(|file| file.sync_all()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err((path, error)),
                _ => {}
            }
        }
        for path in std::mem::take(&mut self.folders) {
            // Not every system can flush a folder; where it can't, there is nothing to wait for.
            let _ = fs::File::open(&path).and_then(|folder| folder.sync_all());
        }
        Ok(())
    }

    fn make_folder(&mut self, folder: &Path) -> io::Result<()> {
        if fs::metadata(folder).is_ok_and(|about| about.is_dir()) {
            return Ok(());
        }
        fs::create_dir_all(folder)?;
        self.folders.extend(folder.parent().map(Path::to_path_buf));
        Ok(())
    }

    fn temporary(&self, folder: &Path, content: &[u8]) -> io::Result<PathBuf> {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".rpa-{}-{number}.tmp", std::process::id()));
        let written = fs::File::create(&path).and_then(|mut file| file.write_all(content));
        match written {
            Ok(()) => Ok(path),
            Err(error) => {
                let _ = fs::remove_file(&path);
                Err(error)
            }
        }
    }
}

/// The new file may be read by those who could read the old one.
fn keep_permissions(old: &Path, new: &Path) -> io::Result<()> {
    match fs::metadata(old) {
        Ok(about) => fs::set_permissions(new, about.permissions()),
        Err(_) => Ok(()),
    }
}

/// A folder of files that are written whole: outboxes and the like.
#[derive(Debug)]
pub struct AtomicFolder {
    folder: PathBuf,
    pending: Pending,
}

impl AtomicFolder {
    /// The folder; made when the first file is written.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        AtomicFolder { folder: folder.into(), pending: Pending::default() }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Writes a file in it, in place of one of the same name.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        self.pending.write(&self.folder.join(name), content)
    }

    /// Returns when the disk has everything that was written.
    ///
    /// # Errors
    /// What the system says.
    pub fn flush(&mut self) -> io::Result<()> {
        self.pending.flush().map_err(|(_, error)| error)
    }
}
