//! How many orders a second: the flow of `examples/orders` beside a program written by hand for the same job.
//!
//! `cargo bench --bench orders` measures with 100,000 orders; `-- --orders 10000` with fewer, `-- store` measures the
//! single operations of the store, `-- generate FOLDER --orders 1000` writes the files alone.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "a benchmark reads the clock and prints")]

mod baseline;
mod generate;
mod processor;
mod store;

use processor::Passed;
use rpa::adapter::clock::SystemClock;
use rpa::adapter::disk::DiskFiles;
use rpa::adapter::random::SystemRandom;
use rpa::adapter::scripts::DiskLoader;
use rpa::adapter::sqlite::{self, SqliteStore};
use rpa::check::check;
use rpa::compile::compile;
use rpa::flow::{Engine, MachineWorker, Options, Silent};
use rpa::text::Source;
use rpa::value::{Currency, Value};
use rpa::world::{EntryKind, Journal, NoDocuments, Project, RunFilter, World};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut orders = 100_000;
    let mut words: Vec<String> = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--orders" => orders = arguments.next().and_then(|count| count.parse().ok()).expect("--orders COUNT"),
            // What cargo says to every bench.
            "--bench" => {}
            word => words.push(word.to_string()),
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["generate", folder] => generate::write(Path::new(folder), orders).expect("the folder can be written to"),
        ["store"] => {
            let folder = tempfile::tempdir().expect("a folder to measure in");
            store::run(folder.path()).expect("the store works");
        }
        [] => compare(orders),
        other => panic!("what is {other:?}? See the head of benches/orders.rs"),
    }
}

/// What a side of the comparison has done.
struct Measured {
    name: &'static str,
    orders: usize,
    took: Passed,
    /// Where its store is, to be looked at for its size.
    store: PathBuf,
}

fn compare(orders: u64) {
    let folder = tempfile::tempdir().expect("a folder to measure in");
    let data = folder.path().join("data");
    generate::write(&data, orders).expect("the folder can be written to");
    let all = [by_hand(&data, folder.path()), by_flow(&data, folder.path())];
    println!("{:<24} {:>8} {:>9} {:>10} {:>11} {:>9}", "", "orders", "seconds", "orders/s", "processor s", "store MB");
    for measured in &all {
        let seconds = measured.took.clock.as_secs_f64();
        let size = std::fs::metadata(&measured.store).map_or(0, |file| file.len());
        println!(
            "{:<24} {:>8} {seconds:>9.2} {:>10.0} {:>11.2} {:>9.1}",
            measured.name,
            measured.orders,
            measured.orders as f64 / seconds,
            measured.took.all_threads.as_secs_f64(),
            size as f64 / 1e6
        );
    }
    let [hand, flow] = &all;
    let share = |time: fn(&Passed) -> Duration| time(&hand.took).as_secs_f64() / time(&flow.took).as_secs_f64() * 100.0;
    println!(
        "the flow reaches {:.0} % of the program written by hand by the clock, {:.0} % by the time of all processors",
        share(|took| took.clock),
        share(|took| took.all_threads)
    );
    journal(&flow.store);
}

/// Prints how much of a store the journal takes: the pages of its tables and indexes, without the values that the
/// steps and runs have given.
fn journal(store: &Path) {
    let connection = rusqlite::Connection::open(store).expect("the store is there");
    let pages: i64 = connection
        .query_row(
            "SELECT sum(pgsize) FROM dbstat WHERE aggregate = TRUE AND name IN \
             (SELECT name FROM sqlite_schema WHERE tbl_name IN ('rpa_runs', 'rpa_entries'))",
            (),
            |row| row.get(0),
        )
        .expect("SQLite counts its pages");
    drop(connection);
    let mut store = SqliteStore::open(store, &[], &[], &sqlite::Options::default()).expect("the store opens again");
    let (mut steps, mut results, mut arguments) = (0, 0, 0);
    for run in store.runs(&RunFilter { limit: usize::MAX, ..RunFilter::default() }).expect("the runs are there") {
        results += run.outcome.len();
        arguments += run.arguments.len();
        for entry in store.entries(run.id).expect("the entries are there") {
            steps += usize::from(entry.kind == EntryKind::StepDone);
            results += entry.payload.len();
        }
    }
    let each = |bytes: usize| bytes as f64 / steps as f64;
    println!(
        "the journal takes {:.0} bytes a step beside the results ({:.0} bytes), {:.0} of them what the runs were given",
        each(pages as usize - results),
        each(results),
        each(arguments)
    );
}

fn by_hand(data: &Path, folder: &Path) -> Measured {
    let store = folder.join("hand.db");
    let start = processor::now();
    let orders = baseline::run(data, &store).expect("the baseline works");
    Measured { name: "written by hand in Rust", orders, took: processor::since(start), store }
}

/// The flow of `examples/orders/process_orders.rpa`, without its PDF step, over the files in `data`, with its store and
/// mails in `folder`: from reading the script to the last commit, mails in the outbox.
fn by_flow(data: &Path, folder: &Path) -> Measured {
    let home = folder.join("project");
    generate::project(data, &home).expect("the folder can be written to");
    let project = Project { currency: Some(Currency::EUR), store: folder.join("flow.db"), ..Project::of_folder(&home) };
    let store = project.store.clone();
    let start = processor::now();
    let name = "process_orders.rpa";
    let text = std::fs::read_to_string(project.folder.join(name)).expect("the script was copied");
    let source = Source::new(name, text).with_path(&project.folder.join(name));
    let checked = check(source, &DiskLoader::new(&project));
    let findings: Vec<String> = checked.findings.iter().map(|finding| finding.message.clone()).collect();
    let program = checked.program.unwrap_or_else(|| panic!("the script is right: {findings:?}"));
    let code = compile(&program);
    let flow = code.flows.iter().position(|flow| flow.name == "process_orders").expect("the flow is there");
    let opened = SqliteStore::open(&store, &code.records, &code.enums, &sqlite::Options::default());
    let world = World {
        store: Box::new(opened.unwrap_or_else(|finding| panic!("{}", finding.message))),
        clock: Box::new(SystemClock::new(jiff::tz::TimeZone::UTC)),
        random: Box::new(SystemRandom::default()),
        files: Box::new(DiskFiles::new(&project)),
        documents: Box::new(NoDocuments),
        web: Box::new(rpa::world::NoWeb),
        secrets: rpa::world::Secrets::default(),
        settings: project.settings(),
    };
    let mut worker = MachineWorker::new(&code, project.limits, world, false);
    let mut silent = Silent;
    let mut engine = Engine::new(&code, &mut worker, &mut silent, Options::default());
    let summary = engine.run(flow, vec![Value::from("data/orders.csv")]).expect("the store works");
    drop(worker);
    let took = processor::since(start);
    let account = summary.loops.iter().max_by_key(|each| each.items).expect("the flow has a loop over the orders");
    assert_eq!((account.failed, account.earlier), (0, 0), "{:?}", account.reasons);
    let orders = usize::try_from(account.done).unwrap_or(usize::MAX);
    Measured { name: "flow in rpa", orders, took, store }
}
