//! `rpa fmt`: puts scripts into the one layout.

use super::Status;
use super::console::{Console, Format};
use super::folders::named;
use super::sources::{self, unwritable};
use crate::finding::catalogue::cli;
use crate::finding::render::number;
use crate::finding::{Finding, Severity};
use crate::format::format_source;
use crate::text::{Source, SourceId, Sources, Span};
use std::io::{self, Write};
use std::path::Path;

/// Lay out scripts: one layout for all, tables aligned, comments kept
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Scripts, folders with scripts, or `-` for the standard input; the current folder when there is none
    paths: Vec<String>,

    /// Change nothing; report the scripts that are laid out otherwise
    #[arg(long)]
    check: bool,
}

/// What became of one script.
enum Outcome {
    /// It was laid out already.
    Unchanged,
    /// It was, or with `--check` would be, laid out anew.
    Changed,
    /// It can't be read, laid out or written.
    Failed,
}

/// Lays out what the arguments name.
pub fn run(arguments: &Arguments, console: &mut Console) -> Status {
    let mut sources = Sources::new();
    let mut findings = Vec::new();
    if arguments.paths.iter().any(|path| path == "-") {
        return input(arguments, console);
    }
    let scripts = named(&arguments.paths, &mut findings);
    let (mut changed, mut unchanged) = (Vec::new(), 0);
    for script in &scripts {
        match lay_out(script, arguments.check, &mut sources, &mut findings) {
            Outcome::Unchanged => unchanged += 1,
            Outcome::Changed => changed.push(script),
            Outcome::Failed => {}
        }
    }
    let failed = findings.iter().any(|finding| finding.severity == Severity::Error);
    console.findings(findings, &sources);
    if console.format == Format::Text && !arguments.check {
        for script in &changed {
            console.line(format!("formatted {}", script.display()));
        }
        if changed.is_empty() && !failed {
            console.line(format!("{} laid out already", number(unchanged, "script")));
        }
    }
    if failed { Status::Failed } else { Status::Fine }
}

/// Lays out the standard input: the result goes to the output. What can't be read comes out as it went in,
/// so that an editor that pipes its text through loses none.
fn input(arguments: &Arguments, console: &mut Console) -> Status {
    let mut sources = Sources::new();
    let source = match sources::read("-", console, &mut sources) {
        Ok(source) => source,
        Err(finding) => {
            console.findings(vec![*finding], &sources);
            return Status::Failed;
        }
    };
    let text = sources.get(source).map(|source| source.text.clone()).unwrap_or_default();
    let (laid_out, mut findings) = layout(source, &text);
    if arguments.check {
        findings.extend(laid_out.as_deref().and_then(|wanted| difference(source, "<input>", &text, wanted)));
    } else {
        console.print(laid_out.as_deref().unwrap_or(&text));
    }
    let failed = findings.iter().any(Finding::is_error);
    // The output is the script: as JSON, findings would stand in the middle of it.
    if arguments.check || failed && console.format == Format::Text {
        console.findings(findings, &sources);
    }
    if failed { Status::Failed } else { Status::Fine }
}

/// Lays out one file, unless `check` only asks.
fn lay_out(path: &Path, check: bool, sources: &mut Sources, findings: &mut Vec<Finding>) -> Outcome {
    let name = path.display().to_string();
    let bytes = match sources::read_bytes(path, &name) {
        Ok(bytes) => bytes,
        Err(finding) => {
            findings.push(*finding);
            return Outcome::Failed;
        }
    };
    // A mark at the beginning of the bytes is no part of the text, and does not stay.
    let marked = bytes.starts_with(b"\xef\xbb\xbf");
    // Most scripts have nothing to report; their texts are not kept while thousands of them are read.
    let mut own = Sources::new();
    let (text, laid_out, mut found) = match sources::decode(&name, Some(path), bytes, &mut own) {
        Ok(_) => {
            let text = own.get(SourceId(0)).map(|source| source.text.clone()).unwrap_or_default();
            let (laid_out, found) = layout(sources.next_id(), &text);
            (text, laid_out, found)
        }
        Err(finding) => {
            let text = own.get(SourceId(0)).map(|source| source.text.clone()).unwrap_or_default();
            (text, None, vec![moved(*finding, sources.next_id())])
        }
    };
    let outcome = match &laid_out {
        None => Outcome::Failed,
        Some(wanted) if **wanted == *text && !marked => Outcome::Unchanged,
        Some(wanted) if check => {
            found.extend(difference(sources.next_id(), &name, &text, wanted));
            Outcome::Changed
        }
        Some(wanted) => match replace(path, wanted.as_bytes()) {
            Ok(()) => Outcome::Changed,
            Err(error) => {
                found.push(unwritable(&name, &error));
                Outcome::Failed
            }
        },
    };
    if !found.is_empty() {
        sources.add(Source::new(name, text).with_path(path));
        findings.append(&mut found);
    }
    outcome
}

/// The finding with its places in another source.
fn moved(mut finding: Finding, source: SourceId) -> Finding {
    for label in &mut finding.labels {
        label.span.source = source;
    }
    finding
}

/// The text laid out, or why it can't be read.
fn layout(source: SourceId, text: &str) -> (Option<String>, Vec<Finding>) {
    match format_source(source, text) {
        Ok(wanted) => (Some(wanted), Vec::new()),
        Err(findings) => (None, findings),
    }
}

/// Where `text` is laid out otherwise for the first time.
fn difference(source: SourceId, name: &str, text: &str, wanted: &str) -> Option<Finding> {
    let message = format!("`{name}` is not laid out as `rpa fmt` would");
    let finding = |start: usize, end: usize| Finding::new(&cli::NOT_FORMATTED, Span::new(source, start, end), &message);
    let mut start = 0;
    let mut wanted_lines = wanted.split_inclusive('\n');
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        let label = match wanted_lines.next() {
            Some(wanted) if wanted == line => {
                start += line.len();
                continue;
            }
            Some(wanted) if wanted.trim_end() == line.trim_end() => "this line ends otherwise".to_string(),
            Some("\n") => "an empty line would stand here".to_string(),
            Some(wanted) => format!("would be `{}`", wanted.trim_end()),
            None => "this line would go".to_string(),
        };
        return Some(finding(start, start + body.len()).at(label).help("`rpa fmt` lays it out"));
    }
    let more = wanted_lines.next()?;
    Some(finding(start, start).at(format!("`{}` would follow", more.trim_end())).help("`rpa fmt` lays it out"))
}

/// Replaces a file in one go: the new text is written beside it and takes its place only when it is whole
/// and on disk. A link stays a link, and the rights stay as they are.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let target = path.canonicalize()?;
    let rights = std::fs::metadata(&target)?.permissions();
    // A file that must not be written is not replaced either, though the folder would allow it.
    if rights.readonly() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = target.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let written = (|| {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&beside)?;
        file.write_all(content)?;
        file.set_permissions(rights)?;
        file.sync_all()?;
        std::fs::rename(&beside, &target)
    })();
    if written.is_err() {
        // What is left of the attempt; that it can't be removed either would hide the cause.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::super::tests::ran;

    const UNTIDY: &str = "fn   twice(x:int)->int=x*2\n";
    const TIDY: &str = "fn twice(x: int) -> int = x * 2\n";

    #[test]
    fn a_folder_is_laid_out_and_then_stays() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::create_dir_all(folder.path().join(".hidden")).unwrap();
        std::fs::write(deep.join("one.rpa"), UNTIDY).unwrap();
        std::fs::write(folder.path().join("two.rpa"), TIDY).unwrap();
        std::fs::write(folder.path().join(".hidden/three.rpa"), UNTIDY).unwrap();
        let path = folder.path().display().to_string();

        let (status, output, errors) = ran(&["fmt", "--check", &path], "");
        assert_eq!((status, output.as_str()), (Status::Failed, ""));
        insta::assert_snapshot!(errors.replace(&path, "DIR"), @r"
        cli::not-formatted

          × `DIR/a/b/one.rpa` is not laid out as `rpa fmt` would
           ╭─[DIR/a/b/one.rpa:1:1]
         1 │ fn   twice(x:int)->int=x*2
           · ─────────────┬────────────
           ·              ╰── would be `fn twice(x: int) -> int = x * 2`
           ╰────
          help: `rpa fmt` lays it out

        1 error
        ");
        assert_eq!(std::fs::read_to_string(deep.join("one.rpa")).unwrap(), UNTIDY);

        let (status, output, _) = ran(&["fmt", &path], "");
        assert_eq!(status, Status::Fine);
        assert_eq!(output.replace(&path, "DIR"), "formatted DIR/a/b/one.rpa\n");
        assert_eq!(std::fs::read_to_string(deep.join("one.rpa")).unwrap(), TIDY);
        assert_eq!(std::fs::read_to_string(folder.path().join(".hidden/three.rpa")).unwrap(), UNTIDY);
        assert_eq!(ran(&["fmt", "--check", &path], "").0, Status::Fine);
        assert_eq!(ran(&["fmt", &path], "").1, "2 scripts laid out already\n");
        assert_eq!(std::fs::read_dir(&deep).unwrap().count(), 1);
    }

    #[test]
    fn a_script_that_cannot_be_read_stays_and_the_others_are_laid_out() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("bad.rpa"), "fn (\n").unwrap();
        std::fs::write(folder.path().join("good.rpa"), UNTIDY).unwrap();
        std::fs::write(folder.path().join("odd.rpa"), b"use crm\nconst a = \"\xfc\"\n").unwrap();
        let (status, output, errors) = ran(&["fmt", &folder.path().display().to_string()], "");
        assert_eq!(status, Status::Failed);
        assert!(output.contains("good.rpa"), "{output}");
        assert!(errors.contains("bad.rpa:1") && errors.contains("odd.rpa:2:12"), "{errors}");
        assert_eq!(std::fs::read_to_string(folder.path().join("bad.rpa")).unwrap(), "fn (\n");
    }

    #[cfg(unix)]
    #[test]
    fn rights_and_links_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.rpa"), folder.path().join("link.rpa"));
        std::fs::write(&real, UNTIDY).unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o750)).unwrap();
        symlink(&real, &link).unwrap();
        assert_eq!(ran(&["fmt", &link.display().to_string()], "").0, Status::Fine);
        assert_eq!(std::fs::read_to_string(&real).unwrap(), TIDY);
        assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o750);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());

        std::fs::write(&real, UNTIDY).unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o440)).unwrap();
        let (status, _, errors) = ran(&["fmt", &real.display().to_string()], "");
        assert_eq!(status, Status::Failed);
        assert!(errors.contains("file::unwritable"), "{errors}");
        assert_eq!(std::fs::read_to_string(&real).unwrap(), UNTIDY);
    }

    #[test]
    fn the_input_comes_out_laid_out() {
        assert_eq!(ran(&["fmt", "-"], UNTIDY), (Status::Fine, TIDY.to_string(), String::new()));
        let (status, output, errors) = ran(&["fmt", "-"], "fn (\n");
        assert_eq!((status, output.as_str()), (Status::Failed, "fn (\n"));
        assert!(errors.contains("<input>:1"), "{errors}");
        let (status, output, errors) = ran(&["fmt", "--check", "-"], UNTIDY);
        assert_eq!((status, output.as_str()), (Status::Failed, ""));
        assert!(errors.contains("cli::not-formatted"), "{errors}");
    }

    #[test]
    fn what_is_not_there_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display().to_string();
        assert!(ran(&["fmt", &path], "").2.contains("cli::no-scripts"));
        assert!(ran(&["fmt", &format!("{path}/a.rpa")], "").2.contains("file::missing"));
        let (status, output, _) = ran(&["fmt", &path, "--format", "json"], "");
        let findings: serde_json::Value = serde_json::from_str(&output).unwrap();
        assert_eq!((status, findings[0]["code"].as_str()), (Status::Failed, Some("cli::no-scripts")));
    }
}
