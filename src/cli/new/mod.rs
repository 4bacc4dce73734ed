//! `rpa new`: a small project that works, to change from there.

use super::Status;
use super::console::{Console, Format};
use super::sources::unwritable;
use crate::finding::Finding;
use crate::finding::catalogue::{cli, file};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Make a small project that works: a script with a flow, rules and tests, its data, and `rpa.toml`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The folder to make it in; it is made when it is not there
    folder: PathBuf,
}

/// The files of a new project; `{name}` in them becomes its name.
const FILES: &[(&str, &str)] = &[
    ("rpa.toml", include_str!("rpa.toml")),
    ("orders.rpa", include_str!("orders.rpa")),
    ("orders.csv", include_str!("orders.csv")),
    (".gitignore", "/.rpa/\n"),
];

/// Makes the project. Nothing that is there is written over.
pub fn run(arguments: &Arguments, console: &mut Console) -> Status {
    match make(&arguments.folder) {
        Ok(()) => {
            let folder = arguments.folder.display();
            if console.format == Format::Json {
                let files: Vec<_> = FILES.iter().map(|(name, _)| *name).collect();
                console.json(&serde_json::json!({ "folder": folder.to_string(), "files": files }));
                return Status::Fine;
            }
            console.line(format!("made a project in {folder}:"));
            for (name, _) in FILES {
                console.line(format!("  {name}"));
            }
            console.line("\nnext:");
            if arguments.folder != Path::new(".") {
                console.line(format!("  cd {folder}"));
            }
            console.line("  rpa check orders.rpa\n  rpa run orders.rpa");
            Status::Fine
        }
        Err(finding) => {
            console.finding(*finding);
            Status::Failed
        }
    }
}

fn make(folder: &Path) -> Result<(), Box<Finding>> {
    let name = name_of(folder)?;
    let taken: Vec<_> = FILES.iter().map(|(name, _)| *name).filter(|name| folder.join(name).exists()).collect();
    if let Some(first) = taken.first() {
        let path = folder.join(first);
        let finding = Finding::without_place(&file::EXISTS, format!("`{}` is there already", path.display()));
        return Err(Box::new(finding.note("nothing was made").help("choose a folder that has no project yet")));
    }
    let failed = |path: &Path, error: io::Error| {
        let finding = unwritable(&path.display().to_string(), &error);
        Box::new(if error.kind() == io::ErrorKind::AlreadyExists {
            Finding::without_place(&file::EXISTS, format!("`{}` is there already", path.display()))
        } else {
            finding
        })
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    for (file, text) in FILES {
        let path = folder.join(file);
        // A file that somebody makes in this moment is not written over either.
        let mut target = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(|error| failed(&path, error))?;
        target.write_all(text.replace("{name}", &name).as_bytes()).map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

/// The name of the project: that of its folder.
fn name_of(folder: &Path) -> Result<String, Box<Finding>> {
    let real = match folder.file_name() {
        Some(_) => folder.to_path_buf(),
        None => folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf()),
    };
    let name =
        real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_else(|| "project".to_string());
    let bad = |c: char| c.is_control() || "\\:*?\"<>|".contains(c);
    if name.is_empty() || name.contains(bad) {
        let finding = Finding::without_place(&cli::PROJECT_NAME, format!("a project can't be called `{name}`"));
        return Err(Box::new(finding.help("choose a name of letters, digits, `-` and `_`")));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::super::tests::ran;
    use super::super::{Status, project};
    use super::FILES;
    use crate::text::Sources;

    #[test]
    fn a_project_is_made_and_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let shop = folder.path().join("shop");
        let path = shop.display().to_string();
        let (status, output, errors) = ran(&["new", &path], "");
        assert_eq!((status, errors.as_str()), (Status::Fine, ""));
        assert!(output.contains("rpa run orders.rpa"), "{output}");
        for (name, _) in FILES {
            assert!(shop.join(name).is_file(), "{name}");
        }
        let settings = project::of_script(&shop.join("orders.rpa"), &mut Sources::new()).unwrap();
        assert_eq!(settings.name, "shop");

        std::fs::write(shop.join("orders.rpa"), "mine").unwrap();
        let (status, _, errors) = ran(&["new", &path], "");
        assert_eq!(status, Status::Failed);
        assert!(errors.contains("file::exists"), "{errors}");
        assert_eq!(std::fs::read_to_string(shop.join("orders.rpa")).unwrap(), "mine");
    }

    #[test]
    fn odd_names_are_refused() {
        let (status, _, errors) = ran(&["new", "what?"], "");
        assert_eq!(status, Status::Failed);
        assert!(errors.contains("cli::project-name"), "{errors}");
    }
}
