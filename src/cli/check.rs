//! `rpa check`: everything that can be said of scripts without running them.

use super::Status;
use super::console::{Console, Format};
use super::folders::named;
use super::{project, sources};
use crate::adapter::scripts::DiskLoader;
use crate::check;
use crate::finding::render::number;
use crate::finding::{Finding, Levels, level_names};
use crate::text::{Source, Sources, nearest};
use crate::world::Project;
use std::path::Path;

/// Check scripts without running them: names, types, effects, rules, the paths of flows
///
/// Ends with 1 when there is an error. Warnings are shown; with `--deny warnings` they are errors.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Scripts, folders with scripts, or `-` for the standard input; the current folder when there is none
    paths: Vec<String>,

    /// Make an error of a finding: its code, a group of codes, or `warnings`; as often as needed
    #[arg(long, value_name = "CODE")]
    deny: Vec<String>,
}

/// Checks what the arguments name.
pub fn run(arguments: &Arguments, console: &mut Console) -> Status {
    if let Some(message) = wrong_code(&arguments.deny) {
        console.message(message);
        return Status::WrongUse;
    }
    let mut missing = Vec::new();
    let scripts = named(&arguments.paths, &mut missing);
    let mut reports: Vec<(Vec<Finding>, Sources)> = vec![(missing, Sources::new())];
    for script in &scripts {
        reports.push(match read(&script.display().to_string(), console) {
            Ok((mut project, source)) => {
                for name in &arguments.deny {
                    // Names that do not exist were reported above.
                    let _ = project.levels.deny(name);
                }
                let checked = check::check(source, &DiskLoader::new(&project));
                (checked.findings, checked.sources)
            }
            Err(report) => report,
        });
    }
    let fine = reports.iter().all(|(findings, _)| findings.is_empty());
    let failed = reports.iter().flat_map(|(findings, _)| findings).any(Finding::is_error);
    let files: Vec<String> = scripts.iter().map(|script| script.display().to_string()).collect();
    console.reports_on(reports.iter().map(|(findings, sources)| (findings.clone(), sources)).collect(), &files);
    if fine && console.format == Format::Text {
        console.line(format!("{}: no findings", number(scripts.len(), "script")));
    }
    if failed { Status::Failed } else { Status::Fine }
}

/// What to say of a code after `--deny` that does not exist.
fn wrong_code(denied: &[String]) -> Option<String> {
    let mut levels = Levels::of_catalogue();
    let wrong = denied.iter().find(|name| levels.deny(name).is_err())?;
    let near = nearest(wrong, level_names().chain(["warnings"]));
    let help = near.map_or_else(
        || "write a code such as `unused::local`, a group such as `unused`, or `warnings`".to_string(),
        |near| format!("did you mean `{near}`?"),
    );
    Some(format!("error: there is no finding `{wrong}`\n  help: {help}"))
}

/// Reads a script and the project that it belongs to.
///
/// # Errors
/// Everything that is in the way, with the texts that it points into.
pub fn read(path: &str, console: &mut Console) -> Result<(Project, Source), (Vec<Finding>, Sources)> {
    let mut texts = Sources::new();
    let source = match sources::read(path, console, &mut texts) {
        Ok(id) => texts.get(id).cloned().unwrap_or_else(|| Source::new(path, "")),
        Err(finding) => return Err((vec![*finding], texts)),
    };
    let found = match path {
        "-" => project::of_folder(Path::new("."), &mut texts),
        path => project::of_script(Path::new(path), &mut texts),
    };
    match found {
        // What is typed in lies, for the checker, in the folder where the command was started.
        Ok(project) if path == "-" => {
            let place = project.folder.join("<input>");
            Ok((project, source.with_path(&place)))
        }
        Ok(project) => Ok((project, source)),
        Err(findings) => Err((findings, texts)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::super::tests::ran;

    #[test]
    fn scripts_of_a_folder_are_checked_together() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(
            path("good.rpa"),
            "fn twice(x: int) -> int = x * 2\n\ntest \"twice\" {\n  expect twice(2) == 4\n}\n",
        )
        .unwrap();
        let text = folder.path().display().to_string();
        assert_eq!(ran(&["check", &text], ""), (Status::Fine, "1 script: no findings\n".to_string(), String::new()));
        std::fs::write(path("shared.rpa"), "fn wrong() -> int = nothing\n").unwrap();
        std::fs::write(path("one.rpa"), "use \"shared.rpa\"\n").unwrap();
        let (status, output, errors) = ran(&["check", &text], "");
        assert_eq!((status, output.as_str()), (Status::Failed, ""));
        // Found in the script itself and through the one that uses it, said once.
        assert_eq!(errors.matches("`nothing`").count(), 1, "{errors}");
        let (_, output, _) = ran(&["check", &text, "--format", "json"], "");
        assert!(serde_json::from_str::<serde_json::Value>(&output).unwrap().is_array());
    }

    #[test]
    fn the_input_is_checked() {
        assert_eq!(ran(&["check", "-"], "fn wrong() -> int = nothing\n").0, Status::Failed);
        assert_eq!(ran(&["check", "-"], "fn (").0, Status::Failed);
    }

    #[test]
    fn the_new_project_has_no_findings_and_the_one_layout() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop").display().to_string();
        assert_eq!(ran(&["new", &path], "").0, Status::Fine);
        let (status, _, errors) = ran(&["check", &path], "");
        assert_eq!(status, Status::Fine, "{errors}");
        let (status, _, errors) = ran(&["fmt", "--check", &path], "");
        assert_eq!(status, Status::Fine, "{errors}");
    }
}
