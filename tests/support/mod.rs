//! What the tests of scripts share: scripts checked from disk, and their `test` blocks run, each on an empty store in
//! memory, statement by statement: every one becomes a small flow of its own over the values of those before.

#![allow(dead_code, reason = "every test file uses its part")]

pub mod server;

use rpa::adapter::disk::DiskFiles;
use rpa::adapter::office::OfficeDocuments;
use rpa::adapter::scripts::DiskLoader;
use rpa::adapter::sqlite::SqliteStore;
use rpa::check::Checked;
use rpa::check::program::{
    Effect, Expr, ExprKind, Flow, LocalId, Parameter, Program, Statement, StatementKind, Step, StepBody, StepId, Type,
};
use rpa::finding::Finding;
use rpa::finding::render::terminal;
use rpa::flow::{Engine, MachineWorker, Options, Silent};
use rpa::text::{Source, Sources, Span};
use rpa::value::{Instant, Value};
use rpa::vm::Limits;
use rpa::world::{FixedClock, SeededRandom, World};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// All scripts below a folder, sorted.
pub fn scripts(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rpa") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Checks the text of a script as if it lay at a path.
pub fn check(path: &Path, text: &str) -> Checked {
    let folder = path.parent().unwrap_or(path);
    let project = rpa::cli::project::of_folder(folder, &mut Sources::new()).expect("rpa.toml is right");
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    rpa::check::check(Source::new(name, text).with_path(path), &DiskLoader::new(&project))
}

/// Findings as people read them; empty when there are none.
pub fn shown(findings: &[Finding], sources: &Sources) -> String {
    terminal::render_all(findings, sources, terminal::Appearance::default())
}

/// What the REPL, as a program with its input from a pipe, says to some lines.
pub fn talk(lines: &str) -> String {
    use std::io::Write;
    let folder = tempfile::tempdir().expect("a folder to talk in");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_rpa"))
        .args(["repl", "--color", "never"])
        .current_dir(folder.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::inherit())
        .spawn()
        .expect("rpa starts");
    child.stdin.take().expect("an input").write_all(lines.as_bytes()).expect("it listens");
    let output = child.wait_with_output().expect("it ends");
    String::from_utf8(output.stdout).expect("it speaks UTF-8")
}

/// Runs the `test` blocks of a script; gives how many there are, and what did not hold.
pub fn run_tests(mut program: Program, script: &Path) -> (usize, Vec<String>) {
    let home = tempfile::tempdir().expect("a folder for the test");
    let folder = home.path().canonicalize().expect("the folder is there");
    copy(script.parent().unwrap_or(script), &folder);
    let tests = program.tests.clone();
    let first = program.flows.len();
    for test in &tests {
        for statement in &test.body {
            let flow = flow_of(statement, &test.locals, program.flows.len());
            program.flows.push(flow);
        }
    }
    let code = rpa::compile::compile(&program);
    let mut flow = first;
    let mut problems = Vec::new();
    for test in &tests {
        let store = SqliteStore::in_memory(&program.records, &program.enums).expect("a store in memory opens");
        let project = rpa::cli::project::of_folder(&folder, &mut Sources::new()).expect("rpa.toml is right");
        let world = World {
            store: Box::new(store),
            clock: Box::new(FixedClock {
                now: Instant::from_milliseconds(1_795_392_000_000).expect("a moment"),
                zone: jiff::tz::TimeZone::UTC,
            }),
            random: Box::new(SeededRandom(7)),
            files: Box::new(DiskFiles::new(&project)),
            documents: Box::new(OfficeDocuments::new(&project)),
            web: Box::new(rpa::world::NoWeb),
            secrets: rpa::world::Secrets::default(),
            settings: project.settings(),
        };
        let mut worker = MachineWorker::new(&code, Limits::default(), world, false);
        let mut values = vec![Value::None; test.locals.len()];
        let mut outcomes: HashMap<LocalId, Option<String>> = HashMap::new();
        for (number, statement) in test.body.iter().enumerate() {
            let arguments = values.clone();
            let mut silent = Silent;
            let mut engine = Engine::new(&code, &mut worker, &mut silent, Options::default());
            let place = || {
                let source = program.sources.get(statement.span.source);
                let line = source.map_or(0, |source| source.line_of(statement.span.start as usize) + 1);
                format!("test \"{}\", line {line}: `{}`", test.title, program.sources.slice(statement.span))
            };
            if let StatementKind::Expect { value, failed: Some(error) } = &statement.kind {
                let wanted = program.errors[error.0 as usize].name.to_string();
                let outcome = match value.kind {
                    ExprKind::Local(local) => outcomes.get(&local).cloned().flatten(),
                    _ => None,
                };
                if outcome.as_deref() != Some(&wanted) {
                    problems.push(format!("{}: ended with {}", place(), outcome.unwrap_or("no failure".into())));
                }
                continue;
            }
            let summary = engine.run(flow + number, arguments).expect("the store works");
            let failure = summary.failure.as_ref().map(|failure| failure.name.to_string());
            let said = summary.failure.as_ref().map(|failure| failure.message.to_string()).unwrap_or_default();
            match &statement.kind {
                StatementKind::Set { local, value } if is_run(value) => {
                    outcomes.insert(*local, failure);
                }
                StatementKind::Set { local, .. } if failure.is_none() => values[local.index()] = summary.result,
                StatementKind::Expect { .. } if failure.is_none() => {
                    if summary.result != Value::Bool(true) {
                        problems.push(format!("{}: does not hold", place()));
                    }
                }
                _ => {
                    if let Some(failure) = failure {
                        let at = summary.failure.as_ref().map(|failure| failure.place.to_string()).unwrap_or_default();
                        let items: Vec<_> = summary.loops.iter().flat_map(|of| of.reasons.clone()).collect();
                        problems.push(format!("{}: fails with {failure}: {said} ({at}) {items:?}", place()));
                        break;
                    }
                }
            }
        }
        flow += test.body.len();
    }
    (tests.len(), problems)
}

/// Copies a folder with all that is in it, but for what runs have left there.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name");
        if path.is_dir() {
            if ![".rpa", "reports", "invoices"].iter().any(|left| name == *left) {
                copy(&path, &to.join(name));
            }
        } else {
            std::fs::copy(&path, to.join(name)).expect("a file");
        }
    }
}

fn is_run(value: &Expr) -> bool {
    matches!(value.kind, ExprKind::Run(..))
}

/// A flow that does one statement: all locals of the test are its parameters.
fn flow_of(statement: &Statement, locals: &[rpa::check::program::Local], number: usize) -> Flow {
    let span = statement.span;
    let value = match &statement.kind {
        StatementKind::Set { value, .. }
        | StatementKind::Given(value)
        | StatementKind::Expression(value)
        | StatementKind::Expect { value, .. } => value.clone(),
        other => panic!("the tests of scripts can't do this yet: {other:?}"),
    };
    let parameter = |local: &rpa::check::program::Local| Parameter {
        name: local.name.clone(),
        ty: local.ty.clone(),
        default: None,
        span: local.span,
    };
    let mut flow = Flow {
        name: format!("statement {number}").into(),
        parameters: locals.iter().map(parameter).collect(),
        result: value.ty.clone(),
        key: None,
        at_most: None,
        priority: None,
        deadline: None,
        steps: Vec::new(),
        locals: locals.to_vec(),
        body: Vec::new(),
        effect: value.effect,
        fails: Vec::new(),
        documentation: "".into(),
        span,
    };
    let statement = |kind| Statement { kind, span };
    if is_run(&value) {
        flow.body.push(statement(StatementKind::Expression(value)));
        return flow;
    }
    let ty = value.ty.clone();
    let local = (ty != Type::Nothing).then(|| {
        flow.locals.push(rpa::check::program::Local { name: "result".into(), ty: ty.clone(), span });
        LocalId(locals.len() as u32)
    });
    flow.steps.push(Step {
        name: "it".into(),
        local,
        ty: ty.clone(),
        effect: value.effect,
        body: StepBody::Value(value),
        retry: None,
        timeout: None,
        undo: None,
        handlers: Vec::new(),
        span,
    });
    flow.body.push(statement(StatementKind::Step(StepId(0))));
    if let Some(local) = local {
        let value = Expr { kind: ExprKind::Local(local), ty, effect: Effect::Pure, span: Span::default() };
        flow.body.push(statement(StatementKind::Return(Some(value))));
    }
    flow
}
