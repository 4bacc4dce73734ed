//! How long `rpa check` takes, and how much memory: generated projects of 1,000 to 1,000,000 lines, and decision tables.
//!
//! `cargo bench --bench check` measures all; `-- 100000` one size, `-- generate FOLDER 100000` writes the scripts alone,
//! `-- tables` proves tables. Each size is checked in a process of its own, so that its memory is its own.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "a benchmark reads the clock and prints")]

mod processor;
mod project;

use rpa::check::{Memory, check};
use rpa::cli::{self, Console};
use rpa::text::Source;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::Path;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["generate", folder, lines] => {
            let written = project::write(Path::new(folder), lines.parse().expect("a number of lines"));
            println!("{:?} lines and scripts", written.expect("the folder can be written to"));
        }
        ["one", folder, lines, scripts] => one(folder, lines, scripts),
        ["tables"] => tables(),
        [] => {
            head();
            SIZES.iter().for_each(|lines| measure(*lines));
            tables();
        }
        [lines] => {
            head();
            measure(lines.parse().expect("a number of lines"));
        }
        other => panic!("what is {other:?}? See the head of benches/check.rs"),
    }
}

fn head() {
    println!(
        "{:>10} {:>8} {:>10} {:>14} {:>10} {:>10}",
        "lines", "scripts", "seconds", "processor s", "lines/s", "peak MB"
    );
}

/// Writes a project and checks it in a process of its own.
fn measure(lines: usize) {
    let folder = tempfile::tempdir().expect("a folder to measure in");
    let (lines, scripts) = project::write(folder.path(), lines).expect("the folder can be written to");
    let program = std::env::current_exe().expect("this program");
    let (lines, scripts) = (lines.to_string(), scripts.to_string());
    let done = std::process::Command::new(program)
        .args([
            OsString::from("one"),
            folder.path().as_os_str().to_owned(),
            OsString::from(lines),
            OsString::from(scripts),
        ])
        .status();
    assert!(done.is_ok_and(|status| status.success()), "the check went wrong");
}

/// Checks a folder as the command does, and prints what it took.
fn one(folder: &str, lines: &str, scripts: &str) {
    let begin = processor::now();
    let arguments = ["rpa", "check", folder, "--deny", "warnings"].map(OsString::from);
    let status = cli::run(arguments, &mut Console::of_process());
    let seconds = processor::since(begin).clock.as_secs_f64();
    assert_eq!(status, cli::Status::Fine, "the generated scripts have findings");
    let count: f64 = lines.parse().expect("a number of lines");
    let (processor, memory) = used();
    println!("{lines:>10} {scripts:>8} {seconds:>10.3} {processor:>14.3} {:>10.0} {memory:>10.1}", count / seconds);
}

/// Seconds of processor time and the most memory in MB that this process has used; zeros where the system does not say.
fn used() -> (f64, f64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let memory =
        peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or_default() / 1024.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().filter_map(|field| field.parse().ok()).collect();
    // Behind the state: user and system time are the fields 14 and 15, in hundredths of a second.
    let ticks = fields.get(10).copied().unwrap_or_default() + fields.get(11).copied().unwrap_or_default();
    (ticks / 100.0, memory)
}

/// Proves tables of many rows and columns: each row a combination of its own. The time is the processor's, the best of five.
fn tables() {
    println!();
    for (rows, policy, whole) in [
        (100, "unique", true),
        (1_000, "unique", true),
        (1_000, "first", true),
        (1_000, "unique", false),
        (1_000, "first", false),
    ] {
        let script = table(rows, policy, whole);
        let source = |text: &str| Source::new("table.rpa", text);
        let (mut best, mut read) = (f64::MAX, f64::MAX);
        let mut said = 0;
        for _ in 0..5 {
            let begin = processor::now();
            let checked = check(source(&script), &Memory::new());
            best = best.min(processor::since(begin).processor.as_secs_f64());
            said = checked.findings.len();
            // What is not the proof.
            let begin = processor::now();
            let parsed = rpa::syntax::parse(rpa::text::SourceId(0), &script);
            read = read.min(processor::since(begin).processor.as_secs_f64());
            drop(parsed);
        }
        let what = if whole { "complete" } else { "with a gap" };
        println!(
            "{rows:>5} rows x 8 columns, {policy:<6} {what:<10} {:>8.1} ms, of that reading {:>6.1} ms, {said} findings",
            best * 1e3,
            read * 1e3
        );
    }
}

/// A table of eight columns in which every input meets one row; without its last row when it is not `whole`.
fn table(rows: usize, policy: &str, whole: bool) -> String {
    let mut out = String::from("enum Region { north, east, south, west, centre }\n");
    let policy = if policy == "unique" { String::new() } else { format!(", {policy}") };
    let _ = writeln!(
        out,
        "rules big(region: Region, total: money EUR, days: int, urgent: bool, share: percent, at: time, waited: duration, code: text) -> int{policy} {{"
    );
    out.push_str("  | region | total | days | urgent | share | at | waited | code | => n |\n");
    let mut cells: Vec<[String; 8]> = Vec::new();
    // A tree of cuts: the widest side is cut until there are rows enough, one column after the other.
    let mut sides: Vec<[(usize, usize); 8]> =
        vec![[(0, 5), (0, 64), (0, 64), (0, 2), (0, 64), (0, 64), (0, 64), (0, 64)]];
    let mut turn = 0;
    while sides.len() < rows {
        let side = sides.remove(0);
        let cut = (0..8).map(|step| (turn + step) % 8).find(|column| side[*column].1 - side[*column].0 > 1);
        let Some(column) = cut else {
            sides.push(side);
            turn += 1;
            continue;
        };
        let middle = (side[column].0 + side[column].1) / 2;
        let (mut low, mut high) = (side, side);
        low[column].1 = middle;
        high[column].0 = middle;
        sides.push(low);
        sides.push(high);
        turn = turn * 5 + 1;
    }
    for side in &sides {
        let bounds = |column: usize, write: &dyn Fn(usize) -> String| {
            let (from, to) = side[column];
            match (from, to) {
                (0, 64) => "-".to_string(),
                (0, to) => format!("< {}", write(to)),
                (from, 64) => format!(">= {}", write(from)),
                (from, to) => format!(">= {} and < {}", write(from), write(to)),
            }
        };
        let regions = ["north", "east", "south", "west", "centre"];
        cells.push([
            if side[0] == (0, 5) { "-".to_string() } else { regions[side[0].0..side[0].1].join(", ") },
            bounds(1, &|n| format!("{} EUR", n * 100)),
            bounds(2, &|n| n.to_string()),
            match side[3] {
                (0, 1) => "false",
                (1, 2) => "true",
                _ => "-",
            }
            .to_string(),
            bounds(4, &|n| format!("{n}%")),
            bounds(5, &|n| format!("{:02}:{:02}", n / 4 + 3, n % 4 * 15)),
            bounds(6, &|n| format!("{n} hours")),
            // Texts have no order: some are named, the last row of a side takes the rest.
            match side[7] {
                (0, 64) => "-".to_string(),
                (from, 64) => format!("not {}", texts(0, from).replace(", ", " and not ")),
                (from, to) => texts(from, to),
            },
        ]);
    }
    if !whole {
        cells.pop();
    }
    for (number, row) in cells.iter().enumerate() {
        let _ = writeln!(out, "  | {} | {number} |", row.join(" | "));
    }
    out.push_str("}\n");
    out
}

fn texts(from: usize, to: usize) -> String {
    (from..to).map(|n| format!("\"K{n}\"")).collect::<Vec<_>>().join(", ")
}
