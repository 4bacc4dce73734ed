//! Runs that wait: how long it takes to park so many, what they take on disk and in memory, and how long it takes until
//! all of them have gone on when they are due in the same minute.
//!
//! `cargo bench --bench waiting` measures with 100,000 runs; `-- --runs 10000` with fewer.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "a benchmark reads the clock and prints")]

use rpa::adapter::disk::DiskFiles;
use rpa::adapter::random::SystemRandom;
use rpa::adapter::scripts::DiskLoader;
use rpa::adapter::sqlite::{self, SqliteStore};
use rpa::check::check;
use rpa::compile::compile;
use rpa::flow::{Engine, MachineWorker, Options, RunId, Silent, Worker};
use rpa::text::Source;
use rpa::value::{Duration, Instant, Value};
use rpa::world::{FixedClock, NoDocuments, Project, World};
use std::time::Instant as Stopwatch;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SCRIPT: &str = include_str!("waiting/nap.rpa");

fn main() {
    let mut runs = 100_000_i64;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--runs" {
            runs = arguments.next().and_then(|count| count.parse().ok()).expect("--runs COUNT");
        }
    }
    let folder = tempfile::tempdir().expect("a folder to measure in");
    let path = folder.path().join("store.db");
    let project = Project::of_folder(folder.path());
    let checked = check(Source::new("nap.rpa", SCRIPT), &DiskLoader::new(&project));
    let program = checked.program.expect("the script is right");
    let code = compile(&program);
    let options = Options { patience: Duration::ZERO, ..Options::default() };
    let open = |now: Instant| {
        let store = SqliteStore::open(&path, &code.records, &code.enums, &sqlite::Options::default());
        let world = World {
            store: Box::new(store.expect("the store opens")),
            clock: Box::new(FixedClock { now, zone: jiff::tz::TimeZone::UTC }),
            random: Box::new(SystemRandom::default()),
            files: Box::new(DiskFiles::new(&project)),
            documents: Box::new(NoDocuments),
            web: Box::new(rpa::world::NoWeb),
            secrets: rpa::world::Secrets::default(),
            settings: Default::default(),
        };
        MachineWorker::new(&code, project.limits, world, false)
    };

    let began = Stopwatch::now();
    let mut worker = open(Instant::EPOCH);
    let flow = code.flows.iter().position(|flow| flow.name == "main").expect("the flow is there");
    Engine::new(&code, &mut worker, &mut Silent, options).run(flow, vec![Value::Int(runs)]).expect("they are parked");
    drop(worker);
    println!("{runs} runs were begun and parked in {:.1} s", began.elapsed().as_secs_f64());
    let size = std::fs::metadata(&path).map_or(0, |file| file.len());
    println!("the store has {:.1} MB: {} bytes a run", size as f64 / 1e6, size / runs.unsigned_abs());

    let now = Instant::from_milliseconds(Duration::DAY + Duration::MINUTE).expect("a day is short");
    let mut worker = open(now);
    println!("{} of memory while they wait", memory());
    let asked = Stopwatch::now();
    worker.world().store.next_wake().expect("the store answers");
    println!("when the next is due is known after {:.2} ms", asked.elapsed().as_secs_f64() * 1e3);
    let began = Stopwatch::now();
    let (mut woken, mut longest) = (0, 0.0_f64);
    loop {
        let asked = Stopwatch::now();
        let ready = worker.world().store.ready(now, 1_000).expect("the store answers");
        longest = longest.max(asked.elapsed().as_secs_f64());
        if ready.is_empty() {
            break;
        }
        let ready: Vec<RunId> = ready.iter().map(|ready| ready.run).collect();
        woken += ready.len();
        let done = Engine::new(&code, &mut worker, &mut Silent, options).resume_all(&ready);
        done.map_err(|(run, broken)| format!("run {}: {broken}", run.0)).expect("they go on");
    }
    let took = began.elapsed().as_secs_f64();
    println!("{woken} runs that were due went on in {took:.1} s, {:.0} a second", woken as f64 / took);
    println!("a batch of them was found in {:.2} ms at most; {} of memory at the peak", longest * 1e3, memory());
}

/// The most memory that the process has had.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or("an unknown amount".to_string(), |peak| peak.trim().to_string())
}
