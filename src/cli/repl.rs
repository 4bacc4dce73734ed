//! `rpa repl`: try the language line by line.

use super::console::{Console, Format};
use super::{Status, check, project, world};
use crate::adapter::scripts::DiskLoader;
use crate::finding::Finding;
use crate::finding::catalogue::cli;
use crate::finding::render::{json, terminal};
use crate::repl::{Evaluated, Evaluator, Talk, interactive, piped};
use crate::text::Sources;
use std::path::{Path, PathBuf};

/// How much a pipe may bring: 16 MiB.
const LONGEST_INPUT: u64 = 16 * 1024 * 1024;

/// Try expressions, declarations and flows line by line
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A script whose declarations are known from the start
    script: Option<String>,

    /// The store to work on; without, one that is gone at the end
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

/// Talks with a person at a terminal, or works off what a pipe brings.
pub fn run(arguments: &Arguments, console: &mut Console) -> Status {
    let mut sources = Sources::new();
    let read = match &arguments.script {
        Some(script) => check::read(script, console).map(|(project, source)| (project, Some(source))),
        None => project::of_folder(Path::new("."), &mut sources)
            .map(|project| (project, None))
            .map_err(|findings| (findings, sources.clone())),
    };
    let (mut project, source) = match read {
        Ok(read) => read,
        Err((findings, sources)) => {
            console.findings(findings, &sources);
            return Status::Failed;
        }
    };
    let scratch = Scratch::new();
    project.store = arguments.store.clone().unwrap_or_else(|| scratch.path.clone());
    let loader = DiskLoader::new(&project);
    let width = u16::try_from(console.columns()).unwrap_or(u16::MAX);
    let limits = project.limits;
    let worlds = Box::new(|code: &_| world::of_project(&project, code));
    let mut evaluator = Evaluator::new(&loader, worlds, limits, width);
    if let Some(source) = source {
        let loaded = evaluator.load(source);
        let refused = loaded.findings.iter().any(Finding::is_error);
        if !loaded.findings.is_empty() {
            console.findings(loaded.findings, &loaded.sources);
        }
        if refused {
            return Status::Failed;
        }
    }
    if !console.is_interactive() {
        return work_off(&mut evaluator, console);
    }
    let colors = console.output_has_color();
    let history = history();
    match interactive(evaluator, &mut Shown(console), history.as_deref(), colors) {
        Ok(()) => Status::Fine,
        Err(error) => {
            console.finding(Finding::without_place(&cli::INPUT, format!("the terminal can't be used: {error}")));
            Status::Failed
        }
    }
}

fn work_off(evaluator: &mut Evaluator<'_>, console: &mut Console) -> Status {
    let unreadable = |message: String| Finding::without_place(&cli::INPUT, message);
    let bytes = match console.read_input(LONGEST_INPUT) {
        Ok(bytes) if bytes.len() as u64 > LONGEST_INPUT => {
            console.finding(unreadable("the input is longer than 16 MiB".into()).help("put it into a script"));
            return Status::Failed;
        }
        Ok(bytes) => bytes,
        Err(error) => {
            console.finding(unreadable(format!("the input can't be read: {error}")));
            return Status::Failed;
        }
    };
    let Ok(text) = String::from_utf8(bytes) else {
        console.finding(unreadable("the input is not UTF-8".into()).help("save it as UTF-8 text"));
        return Status::Failed;
    };
    if piped(evaluator, &text, &mut Shown(console)) { Status::Fine } else { Status::Failed }
}

/// Shows what the REPL says on the console, at once.
struct Shown<'c>(&'c mut Console);

impl Talk for Shown<'_> {
    fn say(&mut self, text: &str) {
        self.0.line(text.trim_end_matches('\n'));
        self.0.flush();
    }

    fn complain(&mut self, evaluated: Evaluated) {
        let Evaluated { findings, sources, .. } = evaluated;
        if self.0.format == Format::Json {
            self.0.json(&serde_json::Value::Array(json::render(&findings, &sources)));
        } else {
            let appearance = self.0.appearance();
            self.0.message(terminal::render_all(&findings, &sources, appearance).trim_end());
        }
        self.0.flush();
    }
}

/// Where what was typed is kept from one session to the next; none when there is no place for it.
fn history() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local").join("state"));
    let folder = state.or_else(home)?.join("rpa");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}

/// A store that is gone at the end.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn new() -> Scratch {
        Scratch { path: std::env::temp_dir().join(format!("rpa-repl-{}.db", std::process::id())) }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for ending in ["", "-wal", "-shm"] {
            let mut path = self.path.clone().into_os_string();
            path.push(ending);
            // One that was never made is no matter.
            drop(std::fs::remove_file(path));
        }
    }
}
