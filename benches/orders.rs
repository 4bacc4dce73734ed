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
use std::path::{Path, PathBuf};

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
    let mut all = vec![by_hand(&data, folder.path())];
    all.extend(by_flow(&data, folder.path()));
    println!("{:<24} {:>8} {:>9} {:>10} {:>11} {:>9}", "", "orders", "seconds", "orders/s", "processor s", "store MB");
    for measured in &all {
        let seconds = measured.took.clock.as_secs_f64();
        let size = std::fs::metadata(&measured.store).map_or(0, |file| file.len());
        println!(
            "{:<24} {:>8} {seconds:>9.2} {:>10.0} {:>11.2} {:>9.1}",
            measured.name,
            measured.orders,
            measured.orders as f64 / seconds,
            measured.took.processor.as_secs_f64(),
            size as f64 / 1e6
        );
    }
    if let [hand, flow] = all.as_slice() {
        let share = hand.took.clock.as_secs_f64() / flow.took.clock.as_secs_f64();
        println!("the flow reaches {:.0} % of the program written by hand", share * 100.0);
    }
}

fn by_hand(data: &Path, folder: &Path) -> Measured {
    let store = folder.join("hand.db");
    let start = processor::now();
    let orders = baseline::run(data, &store).expect("the baseline works");
    Measured { name: "written by hand in Rust", orders, took: processor::since(start), store }
}

/// The flow of `examples/orders/process_orders.rpa`, without its PDF step, over the files in `data`, with its store and
/// mails in `folder`. The place of the other side: it returns what it measured, from reading the script to the last
/// commit, mails in the outbox.
fn by_flow(_data: &Path, _folder: &Path) -> Option<Measured> {
    None
}
