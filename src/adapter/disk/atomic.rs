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

/// What the names of files begin with that are still being written, and what they end with.
const PREFIX: &str = ".rpa-";
const SUFFIX: &str = ".tmp";

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// How many threads wait for the disk at once; they do nothing else.
const MOST_WAITING: usize = 16;

/// So many files are worth a thread.
const FEWEST_A_THREAD: usize = 4;

/// Files that were written and may not be on disk yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    files: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
    /// The folders in which nothing is left of writers that have died.
    swept: BTreeSet<PathBuf>,
}

impl Pending {
    /// Writes a file whole; makes its folder when there is none.
    pub fn write(&mut self, path: &Path, content: &[u8]) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        match self.replace(path, folder, content) {
            // There is no folder yet; or another process has taken the new file for one that was left behind.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make_folder(folder)?;
                self.replace(path, folder, content)?;
            }
            result => result?,
        }
        if !self.swept.contains(folder) {
            sweep(folder);
            self.swept.insert(folder.to_path_buf());
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
        let files: Vec<PathBuf> = std::mem::take(&mut self.files).into_iter().collect();
        wait_for(&files)?;
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

    /// Writes the content under another name, and gives that file the name of the real one.
    fn replace(&self, path: &Path, folder: &Path, content: &[u8]) -> io::Result<()> {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let temporary = folder.join(format!("{PREFIX}{}-{number}{SUFFIX}", std::process::id()));
        let mut file = fs::File::create(&temporary)?;
        // The lock tells others that its writer lives; it ends with the process. Where there are none, nobody sweeps.
        let _ = file.lock();
        let written = file
            .write_all(content)
            .and_then(|()| keep_permissions(path, &temporary))
            .and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    }
}

/// Waits until the disk has these files, on several threads where there are many: a disk that is asked for many at once
/// takes hardly longer than for one.
fn wait_for(files: &[PathBuf]) -> Result<(), (PathBuf, io::Error)> {
    let each = |path: &PathBuf| match fs::File::open(path).and_then(|file| file.sync_all()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err((path.clone(), error)),
        _ => Ok(()),
    };
    let all = |files: &[PathBuf]| files.iter().try_for_each(each);
    let share = files.len().div_ceil(MOST_WAITING).max(FEWEST_A_THREAD);
    std::thread::scope(|scope| {
        let (own, others) = files.split_at(share.min(files.len()));
        let waiting: Vec<_> = others
            .chunks(share)
            .map(|part| (part, std::thread::Builder::new().spawn_scoped(scope, move || all(part))))
            .collect();
        let mut outcome = all(own);
        for (part, thread) in waiting {
            let waited = match thread.map(|thread| thread.join()) {
                Ok(Ok(waited)) => waited,
                // There was no thread to be had, or it did not come to its end.
                _ => all(part),
            };
            outcome = outcome.and(waited);
        }
        outcome
    })
}

/// Removes what writers have left that died before their file had its name.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        if is_ours && fs::File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(entry.path());
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
