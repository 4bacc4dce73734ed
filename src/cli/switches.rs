//! The kill switches of a project: `[effects]` of `rpa.toml`, read again whenever the file has changed, so that a
//! switch works at once in every process that is at work.

use super::project;
use crate::text::Sources;
use crate::world::{EffectClass, EffectsOff, FileError, Files, Project, SwitchReader, Switches};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

/// The switches of a project, and its files, which obey them.
pub fn switched(project: &Project, files: impl Files + 'static) -> (Switches, Box<dyn Files>) {
    let switches = Switches::new(ProjectSwitches {
        folder: project.folder.clone(),
        known: Mutex::new(Known { stamp: None, off: project.effects_off }),
    });
    (switches.clone(), Box::new(SwitchedFiles { files, switches }))
}

struct ProjectSwitches {
    folder: PathBuf,
    known: Mutex<Known>,
}

/// What was read last, and of which file.
struct Known {
    stamp: Option<(SystemTime, u64)>,
    off: EffectsOff,
}

impl SwitchReader for ProjectSwitches {
    fn off(&self) -> EffectsOff {
        let mut known = match self.known.lock() {
            Ok(known) => known,
            Err(poisoned) => poisoned.into_inner(),
        };
        let metadata = std::fs::metadata(self.folder.join(project::FILE)).ok();
        let stamp = metadata.and_then(|metadata| Some((metadata.modified().ok()?, metadata.len())));
        if stamp != known.stamp {
            // A file that is just being written, or is wrong, changes nothing: what was off stays off.
            match (stamp, project::of_folder(&self.folder, &mut Sources::new())) {
                (Some(_), Ok(project)) => *known = Known { stamp, off: project.effects_off },
                (Some(_), Err(_)) | (None, _) => {}
            }
        }
        known.off
    }
}

/// Files that stay as they are while `files` is off.
struct SwitchedFiles<F> {
    files: F,
    switches: Switches,
}

impl<F: Files> SwitchedFiles<F> {
    fn allowed(&self, path: &str) -> Result<(), FileError> {
        if self.switches.is_off(EffectClass::Files) {
            let reason = "files are switched off in rpa.toml (`[effects]`)".to_string();
            return Err(FileError::NoAccess { path: path.to_string(), reason });
        }
        Ok(())
    }
}

impl<F: Files> Files for SwitchedFiles<F> {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, FileError> {
        self.files.read(path)
    }

    fn open(&mut self, path: &str) -> Result<Box<dyn std::io::Read + Send>, FileError> {
        self.files.open(path)
    }

    fn size(&mut self, path: &str) -> Result<u64, FileError> {
        self.files.size(path)
    }

    fn write(&mut self, path: &str, content: &[u8]) -> Result<(), FileError> {
        self.allowed(path)?;
        self.files.write(path, content)
    }

    fn exists(&mut self, path: &str) -> Result<bool, FileError> {
        self.files.exists(path)
    }

    fn list(&mut self, pattern: &str) -> Result<Vec<String>, FileError> {
        self.files.list(pattern)
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), FileError> {
        self.allowed(from)?;
        self.files.rename(from, to)
    }

    fn delete(&mut self, path: &str) -> Result<(), FileError> {
        self.allowed(path)?;
        self.files.delete(path)
    }

    fn flush(&mut self) -> Result<(), FileError> {
        self.files.flush()
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        self.files.resolve(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::MemoryFiles;

    #[test]
    fn a_switch_works_at_once_and_a_broken_file_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let write = |text: &str| std::fs::write(folder.path().join(project::FILE), text).unwrap();
        write("");
        let project = project::of_folder(folder.path(), &mut Sources::new()).unwrap();
        let (switches, mut files) = switched(&project, MemoryFiles::default());
        let off = |switches: &Switches| EffectClass::ALL.map(|class| switches.is_off(class));
        assert_eq!(off(&switches), [false, false, false]);
        files.write("a", b"1").unwrap();
        write("[effects]\nfiles = \"off\"\n");
        assert_eq!(off(&switches), [false, true, false]);
        insta::assert_snapshot!(files.write("a", b"2").unwrap_err(), @"`a` can't be used: files are switched off in rpa.toml (`[effects]`)");
        assert!(files.rename("a", "b").is_err() && files.delete("a").is_err());
        assert_eq!(files.read("a").unwrap(), b"1");
        write("[effects\nfiles = \"on\"\n");
        assert_eq!(off(&switches), [false, true, false]);
        write("[effects]\nfiles = \"on\"\nemail = \"off\"\ncalls = \"off\"\n");
        assert_eq!(off(&switches), [true, false, true]);
        files.delete("a").unwrap();
    }
}
