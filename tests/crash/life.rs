//! A job in a folder of its own, killed and begun again until it is done.

use crate::chance::Chance;
use crate::state::State;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How often a life may be begun again before something is wrong with it.
const MOST_BEGINNINGS: u32 = 200;

/// The program that is killed: the one that was built with the test, or a copy of it, which stays what it is in an hour
/// of crashes.
pub fn program() -> PathBuf {
    std::env::var_os("RPA_CRASH_PROGRAM").map_or_else(|| env!("CARGO_BIN_EXE_rpa").into(), PathBuf::from)
}

/// How much of the work is taken to be left at least: a process that goes on has to start and to look around first.
const LEAST_LEFT: f64 = 0.4;

/// What is to be done.
pub struct Job {
    /// What it is called.
    pub name: &'static str,
    /// The folder of the script and its data.
    pub folder: PathBuf,
    /// Files of which only the first so many lines are kept.
    pub shorten: &'static [(&'static str, usize)],
    /// The commands, one after the other, each repeated until it was done without a crash. `serve` is done when nothing
    /// runs, waits, or is to be mailed any more.
    pub commands: &'static [&'static [&'static str]],
    /// Whether another server works on the same store all the while, and is never killed.
    pub beside: bool,
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
        let settings = folder.path().join("rpa.toml");
        let mut text = in_zone(&std::fs::read_to_string(&settings).unwrap(), zone_of_early_morning());
        if let Some(port) = port {
            text.push_str(&format!("\n[mail.smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"off\"\n"));
        }
        std::fs::write(settings, text).unwrap();
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
            // Nobody reads what a server says while it is at work.
            .stderr(if is_server(command) { Stdio::null() } else { Stdio::piped() })
            .spawn()
            .unwrap()
    }

    /// Does all of it; tells how long each command took.
    pub fn work_undisturbed(&self) -> Vec<Duration> {
        let mut took = Vec::new();
        for command in self.job.commands {
            let began = Instant::now();
            self.finish(command, self.start(command));
            took.push(began.elapsed());
        }
        took
    }

    /// Another server on the store; it ends when this is dropped.
    fn beside(&self) -> Option<Beside> {
        self.job.beside.then(|| Beside(self.start(&["serve"])))
    }

    /// Whether nothing runs, waits, or is to be mailed any more.
    fn is_done(&self) -> bool {
        let Ok(store) = rusqlite::Connection::open(self.folder.path().join(".rpa/store.db")) else { return false };
        store.busy_timeout(Duration::from_secs(10)).unwrap();
        let count = |question: &str| store.query_row(question, (), |row| row.get::<_, i64>(0)).unwrap_or(1);
        count("SELECT count(*) FROM rpa_run_list WHERE state IN ('running', 'waiting')") == 0
            && count("SELECT count(*) FROM rpa_outbox WHERE state = 'waiting'") == 0
    }

    /// Does all of it, killed at random moments but for the last beginning of each command; tells the moments.
    pub fn work_disturbed(&self, chance: &mut Chance, took: &[Duration], most: u32) -> Vec<Duration> {
        let mut crashes = Vec::new();
        let _beside = self.beside();
        for (command, took) in self.job.commands.iter().zip(took) {
            let before = crashes.len();
            for beginning in 0.. {
                assert!(beginning < MOST_BEGINNINGS, "{}: {command:?} never ends", self.job.name);
                let mut process = self.start(command);
                if crashes.len() as u32 >= most {
                    self.finish(command, process);
                    break;
                }
                // Somewhere in what is left of the work, so that a life is crashed in more than once; a little beyond
                // the end, so that the end itself is met as well. A machine that has become slower needs longer than was
                // measured to get anything on disk: so the more it was begun the longer it may live.
                let least = took.mul_f64(LEAST_LEFT * (1.0 + f64::from(beginning) / 20.0));
                let left = took.saturating_sub(crashes.iter().skip(before).sum()).max(least);
                let moment = left.mul_f64(chance.share() * 1.05);
                std::thread::sleep(moment);
                if process.try_wait().unwrap().is_some() || (is_server(command) && self.is_done()) {
                    self.finish(command, process);
                    break;
                }
                process.kill().unwrap();
                process.wait().unwrap();
                crashes.push(moment);
            }
        }
        crashes
    }

    fn finish(&self, command: &[&str], process: Child) {
        if is_server(command) {
            let began = Instant::now();
            while !self.is_done() {
                assert!(began.elapsed() < Duration::from_secs(120), "{}: {command:?} is never done", self.job.name);
                std::thread::sleep(Duration::from_millis(20));
            }
            terminate(&process);
        }
        let output = process.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        // A server that finds everything done may be told to end before it listens to signals, which loses nothing either.
        let is_told = is_server(command) && std::os::unix::process::ExitStatusExt::signal(&output.status) == Some(15);
        assert!(output.status.success() || is_told, "{}: {}\n{said}", self.job.name, output.status);
    }

    /// What is left in the end.
    pub fn state(&self) -> State {
        State::of(self.folder.path(), self.job.by_chance)
    }
}

/// A zone in which it was three in the morning when the test was begun. Lives are compared by the dates that they write,
/// such as the day of an invoice; so all of them are lived on one day, whenever the test is run.
fn zone_of_early_morning() -> &'static str {
    static ZONE: OnceLock<String> = OnceLock::new();
    ZONE.get_or_init(|| {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        zone_where_it_is_three((since_epoch.as_secs() / 3600 % 24) as i64)
    })
}

/// The zone where it is three when it is this hour in UTC; the signs of `Etc` count to the west.
fn zone_where_it_is_three(hour: i64) -> String {
    let to_the_west = (hour - 3 + 12).rem_euclid(24) - 12;
    format!("Etc/GMT{to_the_west:+}")
}

#[test]
fn there_is_a_zone_of_early_morning_at_any_hour() {
    let now = |hour: i64| jiff::Timestamp::from_second(1_764_547_200 + hour * 3600).unwrap();
    for hour in 0..24 {
        let zone = jiff::tz::TimeZone::get(&zone_where_it_is_three(hour)).unwrap();
        assert_eq!(now(hour).to_zoned(zone).hour(), 3, "at {hour} in UTC");
    }
}

/// Settings with this zone.
fn in_zone(settings: &str, zone: &str) -> String {
    let others = settings.lines().filter(|line| !line.starts_with("zone = "));
    let others: String = others.flat_map(|line| [line, "\n"]).collect();
    format!("zone = \"{zone}\"\n{others}")
}

/// A server that is told to end, and is waited for.
struct Beside(Child);

impl Drop for Beside {
    fn drop(&mut self) {
        terminate(&self.0);
        let _ = self.0.wait();
    }
}

fn is_server(command: &[&str]) -> bool {
    command.first() == Some(&"serve")
}

/// Ends a process as an operator would.
fn terminate(process: &Child) {
    let _ = Command::new("kill").args(["-TERM", &process.id().to_string()]).status();
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
