//! `rpa check`: everything that can be said of scripts without running them.

use super::Status;
use super::console::{Console, Format};
use super::folders::named;
use super::leftover::Leftover;
use super::{against, capabilities, fix, project, sources, trust};
use crate::adapter::scripts::DiskLoader;
use crate::check::{self, Allowance};
use crate::finding::catalogue::config;
use crate::finding::render::number;
use crate::finding::{Finding, Levels, level_names};
use crate::text::{Source, Sources, nearest};
use crate::world::Project;
use ecow::EcoString;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

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

    /// Mend what can be mended without asking: misspelt names, what is not used, signs of other languages
    #[arg(long)]
    fix: bool,

    /// Say of each run that has not ended whether it could go on under the scripts as they are now
    #[arg(long, conflicts_with = "fix")]
    against_runs: bool,

    /// With `--fix`: change nothing, and show what would be changed
    #[arg(long, requires = "fix")]
    dry_run: bool,

    /// List what each flow, rule and trigger reaches: files, mail, people, records
    #[arg(long, conflicts_with = "fix")]
    capabilities: bool,
}

/// Checks what the arguments name.
pub fn run(arguments: &Arguments, console: &mut Console) -> Status {
    if let Some(message) = wrong_code(&arguments.deny) {
        console.message(message);
        return Status::WrongUse;
    }
    let mut notes = Vec::new();
    let mut missing = Vec::new();
    let scripts = named(&arguments.paths, &mut missing);
    let mut reports: Vec<(Vec<Finding>, Sources)> = vec![(missing, Sources::new())];
    let mut listings = Vec::new();
    let mut needs = Needs::default();
    let mut leftover = Leftover::default();
    for script in &scripts {
        reports.push(match read(&script.display().to_string(), console) {
            Ok((mut project, source)) => {
                for name in &arguments.deny {
                    // Names that do not exist were reported above.
                    let _ = project.levels.deny(name);
                }
                if arguments.fix {
                    fix::script(script, source, &project, arguments.dry_run, console)
                } else {
                    let mut checked = check::check(source, &DiskLoader::new(&project));
                    if arguments.capabilities {
                        listings.extend(capabilities::listing(&script.display().to_string(), &checked));
                    }
                    needs.note(&project, &checked);
                    leftover.note(&project, &checked);
                    if arguments.against_runs
                        && let Some(program) = &checked.program
                    {
                        match against::report(&project, &crate::compile::compile(program)) {
                            Ok((findings, line)) => {
                                checked.findings.extend(findings);
                                notes.push(format!("{}: {line}", script.display()));
                            }
                            Err(finding) => checked.findings.push(*finding),
                        }
                    }
                    (checked.findings, checked.sources)
                }
            }
            Err(report) => report,
        });
    }
    leftover.settle(&mut reports, &arguments.paths);
    reports.push((needs.findings(&arguments.paths), Sources::new()));
    if arguments.capabilities {
        let findings: usize = reports.iter().map(|(findings, _)| findings.len()).sum();
        if findings == 0 || console.format == Format::Text {
            capabilities::show(&listings, console);
        }
        if findings == 0 {
            return Status::Fine;
        }
    }
    let fine = reports.iter().all(|(findings, _)| findings.is_empty());
    let failed = reports.iter().flat_map(|(findings, _)| findings).any(Finding::is_error);
    // Before the reports about scripts stands what names none, behind them what is said of projects.
    let files = std::iter::once(None).chain(scripts.iter().map(|script| {
        // What is typed in is called so in findings.
        Some(if script == Path::new("-") { "<input>".to_string() } else { script.display().to_string() })
    }));
    let files = files.chain(std::iter::repeat(None));
    let of_files = reports.iter().zip(files).map(|((findings, sources), file)| (file, findings.clone(), sources));
    console.reports_on(of_files.collect());
    if fine && console.format == Format::Text {
        console.line(format!("{}: no findings", number(scripts.len(), "script")));
    }
    if console.format == Format::Text {
        notes.into_iter().for_each(|note| console.line(note));
    }
    if failed { Status::Failed } else { Status::Fine }
}

/// What the scripts of projects need of what the projects allow.
#[derive(Default)]
struct Needs {
    /// Each project by its folder.
    projects: BTreeMap<PathBuf, Need>,
}

/// What the scripts of one project need of it.
#[derive(Default)]
struct Need {
    /// How much findings matter to it.
    levels: Levels,
    /// Files of it that no script can do without, and that can't be read.
    unusable: Vec<Finding>,
    /// What it allows.
    allowed: Vec<Allowance>,
    /// What was needed of that.
    needed: BTreeSet<Allowance>,
    /// The secrets that it declares.
    secrets: Vec<EcoString>,
    /// Those that were asked for.
    asked: BTreeSet<EcoString>,
    /// Whether all scripts could be read.
    is_readable: bool,
}

impl Needs {
    fn note(&mut self, project: &Project, checked: &check::Checked) {
        let of = self.projects.entry(project.folder.clone()).or_insert_with(|| Need {
            levels: project.levels.clone(),
            unusable: trust::unusable(project),
            allowed: project.privacy.clone(),
            secrets: project.secrets.keys().cloned().collect(),
            is_readable: true,
            ..Need::default()
        });
        of.needed.extend(checked.allowances.iter().cloned());
        of.asked.extend(checked.secrets.iter().cloned());
        of.is_readable &= checked.program.is_some();
    }

    /// What is wrong with projects themselves, whatever their scripts say.
    fn findings(&self, paths: &[String]) -> Vec<Finding> {
        let unusable = self.projects.values().flat_map(|of| of.unusable.iter().cloned());
        unusable.chain(self.unused(paths)).collect()
    }

    /// Entries of `[privacy]` and `[secrets]` that no script needs, for projects that were looked at as a whole.
    fn unused(&self, paths: &[String]) -> Vec<Finding> {
        let whole = looked_at(paths);
        let mut findings = Vec::new();
        let finding = |message: String| Finding::without_place(&config::UNUSED, message);
        for (folder, of) in &self.projects {
            if !of.is_readable || !whole.iter().any(|path| folder.starts_with(path)) {
                continue;
            }
            let file = folder.join(project::FILE);
            let first = findings.len();
            for allowance in of.allowed.iter().filter(|allowance| !of.needed.contains(*allowance)) {
                let message = format!("no script needs `{allowance}` in `[privacy]` of {}", file.display());
                findings.push(finding(message).help("take it out, so that nothing leaves there by mistake"));
            }
            for secret in of.secrets.iter().filter(|secret| !of.asked.contains(*secret)) {
                let message = format!("no script asks for the secret `{secret}` in `[secrets]` of {}", file.display());
                findings
                    .push(finding(message).help("take it out, and make the secret invalid if nobody else needs it"));
            }
            let mut own = findings.split_off(first);
            of.levels.apply(&mut own);
            findings.append(&mut own);
        }
        findings
    }
}

/// The real folders and scripts that the arguments name.
pub(super) fn looked_at(paths: &[String]) -> Vec<PathBuf> {
    let here = vec![".".to_string()];
    let paths = if paths.is_empty() { &here } else { paths };
    paths.iter().filter_map(|path| Path::new(path).canonicalize().ok()).collect()
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
    use super::super::tests::{folder, ran};

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

    const UNUSED: &str = "fn twice(x: int, y: int) -> int = x * 2\n";

    #[test]
    fn warnings_alone_fail_only_where_they_are_denied() {
        let (_folder, path) = folder(&[("a.rpa", UNUSED)]);
        let (status, output, errors) = ran(&["check", &path], "");
        assert_eq!((status, output.as_str()), (Status::Fine, ""));
        assert!(errors.ends_with("\n1 warning\n"), "{errors}");
        for denied in ["warnings", "unused", "unused::parameter"] {
            let (status, _, errors) = ran(&["check", &path, "--deny", denied], "");
            assert_eq!(status, Status::Failed, "{denied}");
            assert!(errors.ends_with("\n1 error\n"), "{errors}");
        }
        assert_eq!(ran(&["check", &path, "--deny", "flow"], "").0, Status::Fine);
        let (status, _, errors) = ran(&["check", &path, "--deny", "warning"], "");
        assert_eq!(status, Status::WrongUse);
        assert_eq!(errors, "error: there is no finding `warning`\n  help: did you mean `warnings`?\n");
    }

    #[test]
    fn a_project_says_how_much_findings_matter() {
        let gap = "rules fee(days: int) -> money EUR {\n  | days | => fee |\n  | > 3  | 5 EUR  |\n}\n";
        let (_folder, path) = folder(&[
            ("rpa.toml", "[check]\n\"unused::parameter\" = \"error\"\n\"decision::gap\" = \"warning\"\n"),
            ("a.rpa", UNUSED),
            ("b.rpa", gap),
        ]);
        let (status, _, errors) = ran(&["check", &path], "");
        assert_eq!(status, Status::Failed);
        assert!(errors.ends_with("\n1 error and 1 warning in 2 files\n"), "{errors}");
        assert_eq!(ran(&["check", &format!("{path}/b.rpa")], "").0, Status::Fine);
        let wrong = "[check]\nunused = \"none\"\n\"name::unknown\" = \"off\"\n\"unused::locals\" = \"off\"\n";
        std::fs::write(format!("{path}/rpa.toml"), wrong).unwrap();
        let (_, _, errors) = ran(&["check", &format!("{path}/b.rpa")], "");
        for said in [
            "`none` is no severity",
            "`name::unknown` can't be less than an error",
            "did you mean `\"unused::local\"`?",
        ] {
            assert!(errors.contains(said), "{said} is missing in {errors}");
        }
    }

    /// A script that asks for a secret, in the body of a task that its flow calls.
    const ASKING: &str = "task token() -> secret text = secret(\"crm_token\")\n\nflow fetch() {\n  step answer = http.get(\"https://api.example.com/x\", headers: {\"X-Key\": token()})\n    retry 1 times\n}\n";

    const DECLARING: &str = "[reach]\nhosts = [\"api.example.com\"]\n\n[secrets]\ncrm_token = { env = \"CRM\" }\nold_key = { file = \"old.key\" }\n";

    #[test]
    fn a_secret_that_no_script_of_a_project_asks_for_is_said() {
        let (_folder, path) = folder(&[("rpa.toml", DECLARING), ("a.rpa", ASKING)]);
        let (status, _, errors) = ran(&["check", &path], "");
        assert_eq!(status, Status::Fine, "{errors}");
        assert!(errors.contains("no script asks for the secret `old_key` in `[secrets]`"), "{errors}");
        assert!(!errors.contains("crm_token") && errors.ends_with("\n1 warning\n"), "{errors}");
        // It is as bad as the command line and the project say.
        for denied in ["warnings", "config", "config::unused"] {
            let (status, _, errors) = ran(&["check", &path, "--deny", denied], "");
            assert!(status == Status::Failed && errors.ends_with("\n1 error\n"), "{denied}: {errors}");
        }
        let quiet = format!("{DECLARING}\n[check]\n\"config::unused\" = \"off\"\n");
        std::fs::write(format!("{path}/rpa.toml"), quiet).unwrap();
        assert_eq!(ran(&["check", &path], "").2, "");
    }

    #[test]
    fn nobody_knows_of_secrets_that_scripts_ask_for_which_were_not_looked_at() {
        let quiet = |files: &[(&str, &str)], what: &str| {
            let (_folder, path) = folder(files);
            let errors = ran(&["check", &format!("{path}/{what}")], "").2;
            assert!(!errors.contains("config::unused"), "{what}: {errors}");
        };
        let other = "flow other() {\n  step note = log.info(\"x\")\n}\n";
        // A script alone; a script that can't be read to its end; a part of the project.
        quiet(&[("rpa.toml", DECLARING), ("a.rpa", other)], "a.rpa");
        quiet(&[("rpa.toml", DECLARING), ("a.rpa", other), ("b.rpa", "flow b() {\n  step x = nothing\n}\n")], "");
        let (_folder, path) = folder(&[("rpa.toml", DECLARING), ("a.rpa", ASKING)]);
        std::fs::create_dir(format!("{path}/part")).unwrap();
        std::fs::write(format!("{path}/part/b.rpa"), other).unwrap();
        assert_eq!(ran(&["check", &format!("{path}/part")], "").2, "");
        // All secrets are asked for, one of them by a script that another uses.
        let shared = "task key() -> secret text = secret(\"old_key\")\n";
        let user = "use \"shared.rpa\"\n\nflow use_it() {\n  step answer = http.get(\"https://api.example.com/y\", headers: {\"X-Key\": shared.key()})\n    retry 1 times\n}\n";
        quiet(&[("rpa.toml", DECLARING), ("a.rpa", ASKING), ("shared.rpa", shared), ("b.rpa", user)], "");
        // Two projects: each has secrets of its own.
        let (_folder, path) = folder(&[]);
        for (name, script) in [("one", ASKING), ("two", other)] {
            std::fs::create_dir(format!("{path}/{name}")).unwrap();
            std::fs::write(
                format!("{path}/{name}/rpa.toml"),
                DECLARING.replace("old_key = { file = \"old.key\" }\n", ""),
            )
            .unwrap();
            std::fs::write(format!("{path}/{name}/a.rpa"), script).unwrap();
        }
        let errors = ran(&["check", &path], "").2;
        assert!(errors.matches("config::unused").count() == 1 && errors.contains("two/rpa.toml"), "{errors}");
    }

    #[test]
    fn authorities_that_can_not_be_read_are_said_by_the_check() {
        let settings = "[tls]\nauthorities = [\"ca.pem\", \"none.pem\", \"folder\"]\n";
        let fine = "flow f() {\n  step note = log.info(\"x\")\n}\n";
        let (_folder, path) =
            folder(&[("rpa.toml", settings), ("ca.pem", "no certificate\n"), ("a.rpa", fine), ("b.rpa", fine)]);
        std::fs::create_dir(format!("{path}/folder")).unwrap();
        let (status, _, errors) = ran(&["check", &path], "");
        assert_eq!(status, Status::Failed);
        insta::assert_snapshot!(errors.replace(&path, "DIR"));
        // Where the file is not needed, the project can say so.
        let quiet = format!("{settings}\n[check]\n\"config::authority\" = \"warning\"\n");
        std::fs::write(format!("{path}/rpa.toml"), quiet).unwrap();
        let (status, _, errors) = ran(&["check", &format!("{path}/a.rpa")], "");
        assert!(status == Status::Fine && errors.ends_with("\n3 warnings\n"), "{errors}");
        std::fs::write(format!("{path}/rpa.toml"), "").unwrap();
        assert_eq!(ran(&["check", &path], "").2, "");
    }

    #[test]
    fn programs_get_findings_in_their_forms() {
        let (_folder, path) = folder(&[("a.rpa", UNUSED), ("b.rpa", "const a = 1\n")]);
        let form = |form: &str| ran(&["check", &path, "--format", form], "").1.replace(&path, "DIR");
        insta::assert_snapshot!(form("github"), @"::warning file=DIR/a.rpa,line=1,endLine=1,col=18,endColumn=18,title=unused%3A%3Aparameter::the parameter `y` is never used: nothing reads it%0Ahelp: remove it, or call it `_y` if that is meant");
        insta::assert_snapshot!(form("junit"), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="rpa check" tests="2" failures="1" errors="0">
          <testsuite name="rpa check" tests="2" failures="1" errors="0" skipped="0">
            <testcase name="DIR/a.rpa" classname="rpa check" file="DIR/a.rpa">
              <failure message="the parameter `y` is never used" type="unused::parameter">DIR/a.rpa:1:18: warning unused::parameter: the parameter `y` is never used&#10;  DIR/a.rpa:1:18: nothing reads it&#10;  help: remove it, or call it `_y` if that is meant</failure>
            </testcase>
            <testcase name="DIR/b.rpa" classname="rpa check" file="DIR/b.rpa"/>
          </testsuite>
        </testsuites>
        "#);
        let sarif: serde_json::Value = serde_json::from_str(&form("sarif")).unwrap();
        assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "unused::parameter");
        assert_eq!(ran(&["explain", "--format", "sarif"], "").0, Status::WrongUse);
    }

    #[test]
    fn what_could_not_be_checked_does_not_pass() {
        let user = "use \"broken.rpa\"\n\nfn two() -> int = broken.one() * 2\n";
        let (_folder, path) = folder(&[("broken.rpa", "fn one() -> int = nothing\n"), ("user.rpa", user)]);
        let form = |form: &str| {
            ran(&["check", &path, &format!("{path}/none.rpa"), "--format", form], "").1.replace(&path, "DIR")
        };
        let junit = form("junit");
        assert!(junit.contains("tests=\"3\" failures=\"2\" errors=\"0\" skipped=\"1\""), "{junit}");
        let failed = "name=\"DIR/none.rpa\" classname=\"rpa check\" file=\"DIR/none.rpa\">\n      <failure message=\"there is no file";
        let skipped = "file=\"DIR/user.rpa\">\n      <skipped message=\"what it needs has errors\"/>";
        assert!(junit.contains(failed) && junit.contains(skipped), "{junit}");
        assert!(form("github").contains("::error file=DIR/none.rpa,title=file%3A%3Amissing::there is no file"));
        std::fs::write(format!("{path}/rpa.toml"), "x = \n").unwrap();
        let junit = form("junit");
        assert!(junit.contains("tests=\"4\" failures=\"2\" errors=\"0\" skipped=\"2\""), "{junit}");
    }

    #[test]
    fn what_can_be_mended_is() {
        let script = "use crm\n\nfn price(net: money EUR) -> money EUR {\n  let rate = 19%\n  // all in euros\n  return nett * 2\n}\n";
        let (_folder, path) = folder(&[("a.rpa", script)]);
        let file = format!("{path}/a.rpa");
        let (status, output, errors) = ran(&["check", &file, "--fix", "--dry-run"], "");
        assert_eq!(status, Status::Failed, "{errors}");
        insta::assert_snapshot!(output.replace(&path, "DIR"), @r"
        --- DIR/a.rpa
        +++ DIR/a.rpa
        @@ -1,7 +1,4 @@
        -use crm
        -
         fn price(net: money EUR) -> money EUR {
        -  let rate = 19%
           // all in euros
        -  return nett * 2
        +  return net * 2
         }
        ");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), script);
        let (status, output, errors) = ran(&["check", &file, "--fix"], "");
        assert_eq!((status, errors.as_str()), (Status::Fine, ""));
        insta::assert_snapshot!(output.replace(&path, "DIR"), @r"
        DIR/a.rpa:6: `nett` is now `net` (name::unknown)
        DIR/a.rpa:1: removed `use crm` (unused::import)
        DIR/a.rpa:4: removed `let rate = 19%` (unused::local)
        1 script: no findings
        ");
        let mended = std::fs::read_to_string(&file).unwrap();
        assert_eq!(mended, "fn price(net: money EUR) -> money EUR {\n  // all in euros\n  return net * 2\n}\n");
        let (_, output, _) = ran(&["check", "-", "--fix"], script);
        assert!(output.starts_with(&mended), "{output}");
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
