//! What single things cost the machine: arithmetic on decimals, decisions of a large table, calls.
//!
//! `cargo bench --bench machine`; each line is the best of five rounds.

#![expect(clippy::disallowed_macros, reason = "a bench prints")]

use rpa::check::program::Type;
use rpa::check::{Memory, check};
use rpa::compile::code::Code;
use rpa::compile::compile;
use rpa::compile::query::QueryId;
use rpa::library::Operation;
use rpa::text::{Source, Span};
use rpa::value::{Decimal, RecordId, Value};
use rpa::vm::{Decision, Failure, Host, Limits, Machine};
use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: u32 = 5;

fn main() {
    let script = script();
    let checked = check(Source::new("bench.rpa", script.as_str()), &Memory::new());
    let program = checked.program.unwrap_or_else(|| {
        let messages: Vec<&str> = checked.findings.iter().map(|finding| finding.message.as_str()).collect();
        panic!("the script has findings: {messages:?}")
    });
    let began = Instant::now();
    let code = compile(&program);
    println!("{:<44} {:>10.2?}", "compiling the script", began.elapsed());

    let count = 1_000_000;
    let rates = best(|| {
        let mut sum = Decimal::ZERO;
        for n in 0..count {
            let price = black_box(Decimal::new(1999, 2));
            sum = sum + price * Decimal::from(n % 7) - price;
        }
        black_box(sum);
    });
    line("decimal operations, in Rust", rates, 3 * count as u64);
    measure(&code, "decimals", count, "decimal operations, in a loop", 3);
    measure(&code, "amounts", count, "money operations, in a loop", 3);
    measure(&code, "ints", count, "int operations, in a loop", 3);
    measure(&code, "calls", count, "calls of a function", 1);
    measure(&code, "decisions", count, "decisions of a table of 1000 rows", 1);
    measure(&code, "four", count, "decisions of a table of 4 rows", 1);
    measure(&code, "lists", count, "elements through where, map and sum", 1);
    measure(&code, "texts", count, "texts with three values in them", 1);
}

/// The script whose functions are measured.
fn script() -> String {
    let mut script = String::from(
        "enum Tier { gold, silver, bronze }\n\
        rules small(tier: Tier, total: decimal) -> percent {\n\
        \x20 | tier           | total   | => discount |\n\
        \x20 | gold           | >= 1000 | 15%         |\n\
        \x20 | gold           | < 1000  | 10%         |\n\
        \x20 | silver, bronze | >= 1000 | 5%          |\n\
        \x20 | silver, bronze | < 1000  | 0%          |\n\
        }\n\
        fn added(a: int, b: int) -> int = a + b\n\
        fn decimals(count: int) -> decimal {\n  var sum = 0.0\n  let price = 19.99\n  for n in 1..count { sum = sum + price * 1.07 - price }\n  return sum\n}\n\
        fn amounts(count: int) -> money EUR {\n  var sum = 0.00 EUR\n  let price = 19.99 EUR\n  for n in 1..count { sum = sum + price * 1.07 - price }\n  return sum\n}\n\
        fn ints(count: int) -> int {\n  var sum = 0\n  for n in 1..count { sum = sum + n * 3 - 7 }\n  return sum\n}\n\
        fn calls(count: int) -> int {\n  var sum = 0\n  for n in 1..count { sum = added(sum, n) }\n  return sum\n}\n\
        fn lists(count: int) -> int = (1..count).where(mod(it, 3) == 0).map(it * 2).sum(it)\n\
        fn texts(count: int) -> int {\n  var sum = 0\n  for n in 1..count {\n    let t = \"order {n} of {count}: {sum}\"\n    sum = sum + t.length\n  }\n  return sum\n}\n\
        fn four(count: int) -> percent {\n  var last = 0%\n  for n in 1..count { last = small(gold, n * 1.0) }\n  return last\n}\n\
        fn decisions(count: int) -> int {\n  var sum = 0\n  for n in 1..count { sum = sum + zone(n, mod(n, 4)) }\n  return sum\n}\n\
        rules zone(weight: int, kind: int) -> int, first {\n  | weight | kind | => price |\n",
    );
    for row in 0..1000 {
        // Writing to a string does not fail.
        let _ = writeln!(script, "  | < {} | {} | {} |", row * 1000, row % 4, row);
    }
    script.push_str("  | otherwise | - | 0 |\n}\n");
    script
}

fn measure(code: &Code, name: &str, count: i64, what: &str, each: u64) {
    let named = format!("fn {name}");
    let chunk = code.callables.iter().copied().find(|chunk| code.chunks[chunk.0 as usize].name == named);
    let chunk = chunk.unwrap_or_else(|| panic!("the script has no function {name}"));
    let mut machine = Machine::new(code, Limits::default());
    let took = best(|| {
        let outcome = machine.call(chunk, &[Value::Int(count)], &mut Nowhere);
        black_box(outcome.expect("the function does not fail"));
    });
    line(what, took, each * count as u64);
}

fn best(mut job: impl FnMut()) -> Duration {
    (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            job();
            began.elapsed()
        })
        .min()
        .unwrap_or_default()
}

fn line(what: &str, took: Duration, count: u64) {
    let each = took.as_nanos() as f64 / count as f64;
    println!("{what:<44} {each:>7.1} ns each {:>13.0} per second", 1e9 / each);
}

/// A host for code that asks nothing of the world.
struct Nowhere;

impl Host for Nowhere {
    fn perform(&mut self, operation: Operation, _: &[Value], _: Option<&Type>, _: Span) -> Result<Value, Failure> {
        panic!("{operation:?} was asked for");
    }

    fn get(&mut self, _: RecordId, _: &Value, _: Span) -> Result<Option<Value>, Failure> {
        Ok(None)
    }

    fn get_all(&mut self, _: RecordId, keys: &[Value], _: Span) -> Result<Vec<Option<Value>>, Failure> {
        Ok(vec![None; keys.len()])
    }

    fn create(&mut self, _: RecordId, _: Vec<Option<Value>>, _: Span) -> Result<Value, Failure> {
        Ok(Value::None)
    }

    fn update(&mut self, _: RecordId, _: &Value, _: Vec<(usize, Value)>, _: Span) -> Result<Value, Failure> {
        Ok(Value::None)
    }

    fn delete(&mut self, _: RecordId, _: &Value, _: Span) -> Result<(), Failure> {
        Ok(())
    }

    fn query(&mut self, _: QueryId, _: &[Value], _: Span) -> Result<Value, Failure> {
        Ok(Value::None)
    }

    fn decided(&mut self, _: Decision) {}

    fn traces_decisions(&self) -> bool {
        false
    }
}
