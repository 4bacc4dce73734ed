//! Files on disk, held inside the folders that the project allows.

mod atomic;

pub use atomic::AtomicFolder;

use crate::world::{FileError, Files, Project, fits};
use atomic::Pending;
use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// The largest file that is read whole.
const LARGEST: u64 = 512 << 20;

/// How many files a pattern may find.
const MOST_FOUND: usize = 1_000_000;

type Done<T> = Result<T, FileError>;

/// The files of a project.
///
/// A path is joined with the project's folder, `.` and `..` and symbolic links are resolved, and what comes out must
/// lie in a folder that the project allows. A file that is written replaces the old one whole, or not at all; it is on
/// disk for certain after [`Files::flush`]. Whoever may change the allowed folders themselves while a script runs (say,
/// put a link where a folder was) is not kept out.
#[derive(Debug)]
pub struct DiskFiles {
    folder: PathBuf,
    read: Vec<PathBuf>,
    write: Vec<PathBuf>,
    /// What no script may touch, allowed or not.
    kept: Vec<PathBuf>,
    pending: Pending,
}

/// What is to be done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Read,
    Write,
}

impl DiskFiles {
    /// The files that a project allows. Its store and its own settings are kept from scripts.
    pub fn new(project: &Project) -> DiskFiles {
        let real = |path: &PathBuf| real_path(&normalized(&project.folder.join(path)));
        DiskFiles {
            folder: real(&project.folder),
            read: project.reach.read.iter().map(real).collect(),
            write: project.reach.write.iter().map(real).collect(),
            kept: [PathBuf::from(".rpa"), PathBuf::from("rpa.toml"), project.store.clone()].iter().map(real).collect(),
            pending: Pending::default(),
        }
    }

    /// Where a path leads, if the script may use it so.
    fn allowed(&self, path: &str, wanted: Use) -> Done<PathBuf> {
        let refused = |reason: String| FileError::NoAccess { path: path.to_string(), reason };
        if path.is_empty() {
            return Err(refused("the path is empty".to_string()));
        }
        if path.contains('\0') {
            return Err(refused("the path has a NUL byte in it".to_string()));
        }
        let real = real_path(&normalized(&self.folder.join(path)));
        if self.kept.iter().any(|kept| real.starts_with(kept)) && !(wanted == Use::Read && real.ends_with("rpa.toml")) {
            return Err(refused("it belongs to rpa itself, and no script may touch it".to_string()));
        }
        let (folders, verb, setting) = match wanted {
            Use::Read => (&self.read, "read", "read"),
            Use::Write => (&self.write, "write to", "write"),
        };
        if folders.iter().any(|folder| real.starts_with(folder)) {
            return Ok(real);
        }
        Err(refused(format!(
            "it lies outside the folders that scripts may {verb}; if that is meant, add its folder to `{setting}` under `[reach]` in rpa.toml"
        )))
    }

    /// Where a file is to be written, if the script may do that and no folder is in its place.
    fn writable(&self, path: &str) -> Done<PathBuf> {
        let real = self.allowed(path, Use::Write)?;
        if fs::metadata(&real).is_ok_and(|about| about.is_dir()) {
            return Err(FileError::NoAccess {
                path: path.to_string(),
                reason: "it is a folder, not a file".to_string(),
            });
        }
        Ok(real)
    }

    fn file(&self, path: &str) -> Done<(fs::File, u64)> {
        let real = self.allowed(path, Use::Read)?;
        // Looked at before it is opened: opening a pipe would wait for its other end.
        let about = fs::metadata(&real).map_err(|error| file_error(path, &error))?;
        if let Some(reason) = unfit(&about) {
            return Err(FileError::NoAccess { path: path.to_string(), reason: reason.to_string() });
        }
        let file = fs::File::open(&real).map_err(|error| file_error(path, &error))?;
        Ok((file, about.len()))
    }
}

impl Files for DiskFiles {
    fn read(&mut self, path: &str) -> Done<Vec<u8>> {
        let (file, size) = self.file(path)?;
        let too_large =
            || FileError::Failed { path: path.to_string(), reason: format!("it has more than {} MB", LARGEST >> 20) };
        if size > LARGEST {
            return Err(too_large());
        }
        let mut content = Vec::with_capacity(size as usize);
        let count = file.take(LARGEST + 1).read_to_end(&mut content).map_err(|error| file_error(path, &error))?;
        if count as u64 > LARGEST { Err(too_large()) } else { Ok(content) }
    }

    fn open(&mut self, path: &str) -> Done<Box<dyn Read + Send>> {
        Ok(Box::new(self.file(path)?.0))
    }

    fn size(&mut self, path: &str) -> Done<u64> {
        Ok(self.file(path)?.1)
    }

    fn may_write(&mut self, path: &str) -> Done<()> {
        self.writable(path).map(|_| ())
    }

    fn write(&mut self, path: &str, content: &[u8]) -> Done<()> {
        let real = self.writable(path)?;
        self.pending.write(&real, content).map_err(|error| file_error(path, &error))
    }

    fn exists(&mut self, path: &str) -> Done<bool> {
        let real = self.allowed(path, Use::Read)?;
        match fs::metadata(real) {
            Ok(about) => Ok(about.is_file()),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(false),
            Err(error) => Err(file_error(path, &error)),
        }
    }

    fn list(&mut self, pattern: &str) -> Done<Vec<String>> {
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        // The folders before the first wildcard are taken as they are.
        let parts: Vec<&str> = pattern.split('/').collect();
        let fixed = parts.iter().take_while(|part| !part.contains(['*', '?'])).count().min(parts.len() - 1);
        let (base, rest) = parts.split_at(fixed);
        let base = base.join("/");
        let start = match (base.as_str(), pattern.starts_with('/')) {
            ("", false) => ".",
            ("", true) => "/",
            (base, _) => base,
        };
        let folder = self.allowed(start, Use::Read)?;
        let mut walk = Walk {
            pattern: rest.join("/"),
            depth: if rest.contains(&"**") { usize::MAX } else { rest.len() },
            hidden: rest.iter().any(|part| part.starts_with('.')),
            found: Vec::new(),
        };
        walk.folder(&folder, "", 1).map_err(|error| file_error(start, &error))?;
        let prefix = if fixed == 0 { String::new() } else { format!("{base}/") };
        let mut found: Vec<String> = walk.found.into_iter().map(|path| format!("{prefix}{path}")).collect();
        // A link may lead elsewhere.
        found.retain(|path| self.allowed(path, Use::Read).is_ok());
        found.sort();
        Ok(found)
    }

    fn rename(&mut self, from: &str, to: &str) -> Done<()> {
        let (source, target) = (self.allowed(from, Use::Write)?, self.allowed(to, Use::Write)?);
        let exists = |path: &Path| fs::symlink_metadata(path).is_ok();
        match (exists(&source), exists(&target)) {
            (true, true) if source != target => return Err(FileError::AlreadyExists(to.to_string())),
            (_, true) => return Ok(()),
            (false, false) => return Err(FileError::NotFound(from.to_string())),
            (true, false) => {}
        }
        let about = fs::metadata(&source).map_err(|error| file_error(from, &error))?;
        if let Some(reason) = unfit(&about) {
            return Err(FileError::NoAccess { path: from.to_string(), reason: reason.to_string() });
        }
        self.pending.rename(&source, &target).map_err(|error| file_error(to, &error))
    }

    fn delete(&mut self, path: &str) -> Done<()> {
        let real = self.allowed(path, Use::Write)?;
        match fs::remove_file(real) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file_error(path, &error)),
            _ => Ok(()),
        }
    }

    fn flush(&mut self) -> Done<()> {
        self.pending.flush().map_err(|(path, error)| file_error(&path.display().to_string(), &error))
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        real_path(&normalized(&self.folder.join(path)))
    }
}

impl Drop for DiskFiles {
    fn drop(&mut self) {
        // Whoever had something to say to a failure has flushed before.
        let _ = self.pending.flush();
    }
}

/// A walk through folders.
struct Walk {
    pattern: String,
    depth: usize,
    hidden: bool,
    found: Vec<String>,
}

impl Walk {
    fn folder(&mut self, folder: &Path, path: &str, depth: usize) -> io::Result<()> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            // A folder further down that may not be read holds nothing that a script could use.
            Err(error) if depth > 1 && error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.starts_with('.') && !self.hidden {
                continue;
            }
            let path = if path.is_empty() { name } else { format!("{path}/{name}") };
            let kind = entry.file_type()?;
            // Linked folders are left out: they may lead in circles.
            if kind.is_dir() && depth < self.depth {
                self.folder(&entry.path(), &path, depth + 1)?;
            } else if fits(&self.pattern, &path) && fs::metadata(entry.path()).is_ok_and(|about| about.is_file()) {
                self.found.push(path);
                if self.found.len() > MOST_FOUND {
                    return Err(io::Error::other(format!("the pattern fits more than {MOST_FOUND} files")));
                }
            }
        }
        Ok(())
    }
}

/// Why something that is there is no file to read, if so.
fn unfit(about: &fs::Metadata) -> Option<&'static str> {
    if about.is_dir() {
        Some("it is a folder, not a file")
    } else if !about.is_file() {
        Some("it is no regular file, but a device, pipe or socket")
    } else {
        None
    }
}

/// A path without `.` and `..`, by its letters alone.
fn normalized(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

/// A path with its symbolic links resolved, as far as it exists; what does not exist yet stays as it is.
fn real_path(path: &Path) -> PathBuf {
    let mut rest = Vec::new();
    let mut existing = path;
    loop {
        if let Ok(real) = fs::canonicalize(existing) {
            return rest.iter().rev().fold(real, |real: PathBuf, name| real.join(name));
        }
        // A link that leads nowhere must not be followed by writing through it.
        if let Ok(target) = fs::read_link(existing) {
            let parent = existing.parent().unwrap_or(Path::new("/"));
            let target = normalized(&parent.join(target));
            return rest.iter().rev().fold(target, |real: PathBuf, name| real.join(name));
        }
        match (existing.file_name(), existing.parent()) {
            (Some(name), Some(parent)) => {
                rest.push(name);
                existing = parent;
            }
            _ => return path.to_path_buf(),
        }
    }
}

/// What the system said, in words that say what to do.
fn file_error(path: &str, error: &io::Error) -> FileError {
    let path = path.to_string();
    let refused = |path: String, reason: &str| FileError::NoAccess { path, reason: reason.to_string() };
    match error.kind() {
        io::ErrorKind::NotFound => FileError::NotFound(path),
        io::ErrorKind::PermissionDenied => refused(path, "the system refuses it: who runs rpa has no permission"),
        io::ErrorKind::IsADirectory => refused(path, "it is a folder, not a file"),
        io::ErrorKind::NotADirectory => refused(path, "a part of the path is a file, not a folder"),
        io::ErrorKind::ReadOnlyFilesystem => refused(path, "the disk can only be read"),
        io::ErrorKind::InvalidFilename => refused(path, "the name is too long, or not one that the disk takes"),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            FileError::Failed { path, reason: "the disk is full; nothing of the new content was kept".to_string() }
        }
        _ => FileError::Failed { path, reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests;
