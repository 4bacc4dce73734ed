//! The command line: one file a command, and the frame around them.
//!
//! Exit status 0 is fine, 1 means findings, a failed run or one that a signal has stopped, 2 wrong use.

#![allow(clippy::disallowed_methods, reason = "the command line is where files and the environment are reached")]

pub mod account;
mod against;
pub mod arguments;
mod capabilities;
mod check;
pub mod console;
mod diff;
mod expect;
mod explain;
mod fix;
mod fmt;
mod folders;
mod inbox;
mod leftover;
mod mail;
mod new;
mod plan;
mod progress;
pub mod project;
mod repl;
mod resume;
mod run;
mod runs;
mod secrets;
mod serve;
mod signals;
pub mod sources;
mod store;
mod switches;
mod trust;
mod turns;
mod waiting;
mod who;
mod world;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
pub use console::{Color, Console, Form, Format};
use std::ffi::OsString;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// All is well.
    Fine,
    /// There are findings, or a run failed.
    Failed,
    /// The command was used wrongly.
    WrongUse,
}

impl Status {
    /// The exit status of the process.
    pub fn code(self) -> u8 {
        match self {
            Status::Fine => 0,
            Status::Failed => 1,
            Status::WrongUse => 2,
        }
    }
}

/// A language for automating customer work: flows, rules and tasks that are checked before they run.
#[derive(Debug, Parser)]
#[command(name = "rpa", version, disable_help_subcommand = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// How findings and data are printed: `text` for people, `json` for programs; of `check` also `sarif`, `github`, `junit`
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true)]
    format: Form,

    /// When colours are used: `auto` (on a terminal, without `NO_COLOR`), `always`, `never`
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", hide_possible_values = true)]
    color: Color,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::Arguments),
    Run(run::Arguments),
    Plan(plan::Arguments),
    Check(check::Arguments),
    Fmt(fmt::Arguments),
    Runs(runs::Arguments),
    Serve(serve::Arguments),
    Inbox(inbox::Arguments),
    Mail(mail::Arguments),
    Store(store::Arguments),
    Repl(repl::Arguments),
    Explain(explain::Arguments),
}

/// Runs the command line `arguments`, the program's name first.
pub fn run(arguments: impl IntoIterator<Item = OsString>, console: &mut Console) -> Status {
    let status = match parse(arguments, console) {
        Ok(arguments) => {
            console.set(arguments.format, arguments.color);
            match arguments.command {
                command if arguments.format.is_for_findings() && !matches!(command, Command::Check(_)) => {
                    console.message("error: the formats `sarif`, `github` and `junit` are for `rpa check`");
                    Status::WrongUse
                }
                Command::New(arguments) => new::run(&arguments, console),
                Command::Run(arguments) => run::run(&arguments, console),
                Command::Plan(arguments) => plan::run(&arguments, console),
                Command::Check(arguments) => check::run(&arguments, console),
                Command::Fmt(arguments) => fmt::run(&arguments, console),
                Command::Runs(arguments) => runs::run(&arguments, console),
                Command::Serve(arguments) => serve::run(&arguments, console),
                Command::Inbox(arguments) => inbox::run(&arguments, console),
                Command::Mail(arguments) => mail::run(&arguments, console),
                Command::Store(arguments) => store::run(&arguments, console),
                Command::Repl(arguments) => repl::run(&arguments, console),
                Command::Explain(arguments) => explain::run(&arguments, console),
            }
        }
        Err(status) => status,
    };
    if console.finish() { status } else { Status::Failed }
}

fn parse(arguments: impl IntoIterator<Item = OsString>, console: &mut Console) -> Result<Arguments, Status> {
    let command = Arguments::command().term_width(console.columns().min(100));
    let parsed = command.try_get_matches_from(arguments).and_then(|matches| Arguments::from_arg_matches(&matches));
    parsed.map_err(|error| {
        let rendered = error.render();
        let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
        if asked {
            let colored = console.output_has_color();
            console.print(if colored { rendered.ansi().to_string() } else { rendered.to_string() });
            return Status::Fine;
        }
        let colored = console.appearance().color;
        let text = if colored { rendered.ansi().to_string() } else { rendered.to_string() };
        console.message(text.trim_end());
        Status::WrongUse
    })
}

#[cfg(test)]
mod tests {
    use super::console::tests::console;
    use super::*;

    /// Runs a command in memory: its status, its output and its messages.
    pub fn ran(arguments: &[&str], input: &str) -> (Status, String, String) {
        let (mut console, output, errors) = console(input);
        let arguments = std::iter::once("rpa").chain(arguments.iter().copied()).map(OsString::from);
        let status = run(arguments, &mut console);
        (status, output.text(), errors.text())
    }

    /// A folder with these files, and its path.
    pub fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let path = folder.path().display().to_string();
        (folder, path)
    }

    #[test]
    fn the_arguments_are_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn help_is_fine_and_wrong_use_is_not() {
        let (status, output, errors) = ran(&["--help"], "");
        assert_eq!((status, errors.as_str()), (Status::Fine, ""));
        assert!(output.contains("explain"), "{output}");
        let (status, output, errors) = ran(&["explian"], "");
        assert_eq!((status, output.as_str()), (Status::WrongUse, ""));
        assert!(errors.contains("explain"), "{errors}");
        assert_eq!(ran(&[], "").0, Status::WrongUse);
        assert_eq!(ran(&["explain", "--format", "xml"], "").0, Status::WrongUse);
    }
}
