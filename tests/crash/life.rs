//! A job in a folder of its own, killed and begun again until it is done.

use crate::chance::Chance;
use crate::state::State;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How often a life may be begun again before something is wrong with it.
const MOST_BEGINNINGS: usize = 200;

/// The program that is killed: the one that was built with the test, or a copy of it, which stays what it is in an hour
/// of crashes.
pub fn program() -> PathBuf {
    std::env::var_os("RPA_CRASH_PROGRAM").map_or_else(|| env!("CARGO_BIN_EXE_rpa").into(), PathBuf::from)
}

/// How much of the work is taken to be left at least: a process that goes on has to start and to look around first.
const LEAST_LEFT: f64 = 0.15;

/// What is to be done.
pub struct Job {
    /// What it is called.
    pub name: &'static str,
    /// The folder of the script and its data.
    pub folder: PathBuf,
    /// Files of which only the first so many lines are kept.
    pub shorten: &'static [(&'static str, usize)],
    /// The commands, one after the other, each repeated until it was done without a crash.
    pub commands: &'static [&'static [&'static str]],
    /// Columns whose values depend on what came first, such as numbers drawn side by side: they are not compared.
    pub by_chance: &'static [(&'static str, &'static str)],
    /// Records whose keys are numbers that must have no gap.
    pub numbered: &'static str,
}

impl Job {
    /// What must hold at the end, disturbed or not.
    pub fn assert_whole(&self, state: &State) {
        state.assert_numbers_without_gaps(self.numbered);
    }
}

/// A folder in which the job is done.
pub struct Life<'j> {
    job: &'j Job,
    folder: tempfile::TempDir,
}

impl<'j> Life<'j> {
    /// A fresh copy of the job's folder; its mail goes to a server at this port, or becomes files.
    pub fn begin(job: &'j Job, port: Option<u16>) -> Life<'j> {
        let folder = tempfile::tempdir().unwrap();
        copy(&job.folder, folder.path());
        for (file, lines) in job.shorten {
            let path = folder.path().join(file);
            let text = std::fs::read_to_string(&path).unwrap();
            let kept: String = text.lines().take(*lines).flat_map(|line| [line, "\n"]).collect();
            std::fs::write(path, kept).unwrap();
        }
        if let Some(port) = port {
            let settings = folder.path().join("rpa.toml");
            let mut text = std::fs::read_to_string(&settings).unwrap();
            text.push_str(&format!("\n[mail.smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"off\"\n"));
            std::fs::write(settings, text).unwrap();
        }
        Life { job, folder }
    }

    /// Where it is lived.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn start(&self, command: &[&str]) -> Child {
        Command::new(program())
            .args(command)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Does all of it; tells how long each command took.
    pub fn work_undisturbed(&self) -> Vec<Duration> {
        let mut took = Vec::new();
        for command in self.job.commands {
            let began = Instant::now();
            self.finish(self.start(command));
            took.push(began.elapsed());
        }
        took
    }

    /// Does all of it, killed at random moments but for the last beginning of each command; tells the moments.
    pub fn work_disturbed(&self, chance: &mut Chance, took: &[Duration], most: u32) -> Vec<Duration> {
        let mut crashes = Vec::new();
        for (command, took) in self.job.commands.iter().zip(took) {
            let before = crashes.len();
            for beginning in 0.. {
                assert!(beginning < MOST_BEGINNINGS, "{}: {command:?} never ends", self.job.name);
                let mut process = self.start(command);
                if crashes.len() as u32 >= most {
                    self.finish(process);
                    break;
                }
                // Somewhere in what is left of the work, so that a life is crashed in more than once; a little beyond
                // the end, so that the end itself is met as well.
                let left = took.saturating_sub(crashes.iter().skip(before).sum()).max(took.mul_f64(LEAST_LEFT));
                let moment = left.mul_f64(chance.share() * 1.05);
                std::thread::sleep(moment);
                if process.try_wait().unwrap().is_some() {
                    self.finish(process);
                    break;
                }
                process.kill().unwrap();
                process.wait().unwrap();
                crashes.push(moment);
            }
        }
        crashes
    }

    fn finish(&self, process: Child) {
        let output = process.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {}\n{said}", self.job.name, output.status);
    }

    /// What is left in the end.
    pub fn state(&self) -> State {
        State::of(self.folder.path(), self.job.by_chance)
    }
}

/// Copies a folder, but for what earlier runs have left there.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if path.is_dir() {
            if name != ".rpa" && name != "invoices" {
                copy(&path, &to.join(name));
            }
        } else {
            std::fs::copy(&path, to.join(name)).unwrap();
        }
    }
}
