//! What scripts name beside themselves, read from the disk: used scripts, templates, rule tables.

use super::sheet_text;
use crate::check::{Boundaries, LoadError, Loader, runs_flow_of};
use crate::finding::Levels;
use crate::text::Source;
use crate::world::Project;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The largest file that is read, in bytes: 64 MiB, as for scripts.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Reads what scripts name, from the folder of the script that names it and no further than the project allows.
#[derive(Debug, Clone, Default)]
pub struct DiskLoader {
    /// The folders that may be read, without links and points.
    folders: Vec<PathBuf>,
    boundaries: Boundaries,
    /// How much findings matter to the project.
    levels: Levels,
}

impl DiskLoader {
    /// A loader for the scripts of a project: they may use its folder and what its `[reach]` lets them read.
    pub fn new(project: &Project) -> DiskLoader {
        let folders = std::iter::once(&project.folder).chain(&project.reach.read);
        DiskLoader {
            folders: folders.filter_map(|folder| folder.canonicalize().ok()).collect(),
            boundaries: Boundaries { today: Some(jiff::Zoned::now().date()), ..project.boundaries() },
            levels: project.levels.clone(),
        }
    }

    fn open(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        // Links are followed before the project is asked, so that none leads out of it.
        let real = path.canonicalize().map_err(failure)?;
        if !self.folders.iter().any(|folder| real.starts_with(folder)) {
            return Err(LoadError::Refused(
                "it lies outside of what the project may read: see `read` in the section `[reach]` of `rpa.toml`"
                    .to_string(),
            ));
        }
        if real.is_dir() {
            return Err(LoadError::Refused("it is a folder".to_string()));
        }
        let mut bytes = Vec::new();
        std::fs::File::open(&real).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(failure)?;
        if bytes.len() as u64 > LARGEST {
            return Err(LoadError::Refused("it has more than 64 MiB".to_string()));
        }
        Ok(bytes)
    }
}

impl Loader for DiskLoader {
    fn boundaries(&self) -> Boundaries {
        self.boundaries.clone()
    }

    fn read(&self, from: &Source, relative: &str) -> Result<Vec<u8>, LoadError> {
        let folder = from.path.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        self.open(&folder.join(relative))
    }

    fn sheet(&self, bytes: &[u8], sheet: Option<&str>) -> Result<Vec<Vec<String>>, LoadError> {
        sheet_text::rows(bytes, sheet).map_err(LoadError::Unreadable)
    }

    fn levels(&self) -> &Levels {
        &self.levels
    }

    fn is_run_elsewhere(&self, script: &Source, flow: &str) -> bool {
        let Some(real) = script.path.as_deref().and_then(|path| path.canonicalize().ok()) else { return false };
        let Some(folder) = self.folders.first().filter(|folder| real.starts_with(folder)) else { return false };
        scripts_of(folder).into_iter().filter(|other| *other != real).any(|other| {
            let Some(text) = self.open(&other).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
                return false;
            };
            let beside = other.parent().unwrap_or(folder);
            let is_script = |path: &str| beside.join(path).canonicalize().is_ok_and(|path| path == real);
            runs_flow_of(&text, &script.name, flow, &is_script)
        })
    }
}

/// The scripts of a project, hidden folders and links left out; those beside a script that belongs to none.
fn scripts_of(project: &Path) -> Vec<PathBuf> {
    let is_project = project.join("rpa.toml").is_file();
    let (mut found, mut folders) = (Vec::new(), vec![project.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
            if kind.is_dir() && is_project && !is_hidden {
                folders.push(path);
            } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "rpa") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn failure(error: io::Error) -> LoadError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => LoadError::Missing,
        io::ErrorKind::PermissionDenied => LoadError::Refused("permission denied".to_string()),
        _ => LoadError::Refused(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_bounds_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, outside) = (folder.path().join("shop"), folder.path().join("secret.txt"));
        std::fs::create_dir_all(inside.join("rules")).unwrap();
        std::fs::write(inside.join("rules/prices.rpa"), "use crm\n").unwrap();
        std::fs::write(&outside, "secret").unwrap();
        let loader = DiskLoader::new(&Project::of_folder(&inside));
        let script = Source::new("a.rpa", "").with_path(&inside.join("a.rpa"));
        assert_eq!(loader.read(&script, "rules/prices.rpa"), Ok(b"use crm\n".to_vec()));
        assert_eq!(loader.read(&script, "rules/price.rpa"), Err(LoadError::Missing));
        assert!(matches!(loader.read(&script, "rules"), Err(LoadError::Refused(_))));
        assert!(matches!(loader.read(&script, "../secret.txt"), Err(LoadError::Refused(_))));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&outside, inside.join("link.txt")).unwrap();
            assert!(matches!(loader.read(&script, "link.txt"), Err(LoadError::Refused(_))));
        }
        let mut project = Project::of_folder(&inside);
        project.reach.read.push(folder.path().to_path_buf());
        assert_eq!(DiskLoader::new(&project).read(&script, "../secret.txt"), Ok(b"secret".to_vec()));
    }
}
