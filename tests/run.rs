//! Whole scripts run by the program itself: what it prints, its status, and what the store holds afterwards.

#![allow(clippy::disallowed_methods, reason = "tests read and write files")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A folder with files, in which `rpa` is run.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Folder {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        Folder(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rpa"))
            .args(arguments)
            .current_dir(self.path())
            .env("COLUMNS", "120")
            .env_remove("NO_COLOR")
            .output()
            .unwrap()
    }

    /// What was printed and the status, with what is never the same taken out.
    fn said(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text = |bytes: &[u8]| steady(&String::from_utf8_lossy(bytes));
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        let errors = if err.is_empty() { String::new() } else { format!("--- messages\n{err}") };
        format!("{out}{errors}--- status {}", output.status.code().unwrap_or(-1))
    }
}

/// Moments, lengths of time and versions are not the same twice.
fn steady(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        // Who it was depends on the machine.
        let line = if line.starts_with("  by  ") { "  by       ada" } else { line };
        let words: Vec<&str> = line.split(' ').collect();
        let mut kept: Vec<String> = Vec::new();
        for (at, word) in words.iter().enumerate() {
            let next = words.get(at + 1).map_or("", |next| next.trim_end_matches(','));
            let is_length = ["millisecond", "milliseconds", "second", "seconds", "minute", "minutes"].contains(&next);
            let is_version = words.contains(&"version") && word.len() == 12;
            let bare = word.trim_end_matches(',');
            let numbers = |from: char| bare.split(from).all(|part| part.parse::<u32>().is_ok());
            let is_moment = (bare.matches(':').count() == 2 && numbers(':')) || (word.len() == 10 && numbers('-'));
            let is_instant = bare.ends_with('Z') && bare.matches(':').count() == 2;
            let differs = is_instant || (is_length && word.parse::<f64>().is_ok()) || is_version || is_moment;
            kept.push(if differs { "#".to_string() } else { (*word).to_string() });
        }
        let kept = kept.join(" ");
        // How long an event took is only told when it was long.
        let is_event = kept.contains("✗") || kept.contains("✓");
        out.push_str(if is_event { kept.trim_end().trim_end_matches(", #") } else { kept.trim_end() });
        out.push('\n');
    }
    for unit in ["milliseconds", "millisecond", "seconds", "second", "minutes", "minute"] {
        out = out.replace(&format!("# {unit}"), "#");
    }
    let bare = |line: &str| match line.contains('✗') || line.contains('✓') {
        true => line.trim_end_matches(", #").to_string() + "\n",
        false => line.to_string() + "\n",
    };
    out = out.lines().map(bare).collect();
    // Columns of tables are as wide as what stands in them.
    out.lines().map(|line| line.split("  #").collect::<Vec<_>>().join("  #") + "\n").collect()
}

const HELLO: &str = r#"
flow hello(name: text = "world", times: int = 1) -> text {
  step greeting {
    log.info("saying hello")
    give "Hello {name}, {times} times"
  }
  return greeting
}
"#;

#[test]
fn a_flow_is_run_with_its_arguments_and_its_defaults() {
    let folder = Folder::with(&[("hello.rpa", HELLO)]);
    insta::assert_snapshot!(folder.said(&["run", "hello.rpa"]));
    insta::assert_snapshot!(folder.said(&["run", "hello.rpa", "name=Ada", "times=3"]));
    insta::assert_snapshot!(folder.said(&["run", "hello.rpa", "nme=Ada", "times=x"]));
    insta::assert_snapshot!(folder.said(&["runs", "show", "1"]));
}

const BATCH: &str = r#"
entity Product {
  key sku: text
  stock: int = 0
}

record Row {
  order: text
  sku: text
  quantity: int
}

error no_such_product(sku: text)
error too_few(sku: text, wanted: int)

rules size(quantity: int) -> text {
  | quantity | => size |
  | < 10     | "small" |
  | >= 10    | "large" |
}

flow work(path: text = "rows.csv") {
  step stock_up {
    if not Product.has("A1") {
      Product.create(sku: "A1", stock: 20)
    }
  }
  step rows = csv.read(path, as: Row)
  for row in rows, parallel 4 {
    run take(row)
  }
}

flow take(row: Row) -> text key row.order {
  step check {
    if not Product.has(row.sku) { fail no_such_product(row.sku) }
  }
  step taken {
    let product = Product.get(row.sku)
    product.update(stock: product.stock - row.quantity)
  }
    undo {
      let product = Product.get(row.sku)
      product.update(stock: product.stock + row.quantity)
    }
  step enough {
    if Product.get(row.sku).stock < 0 { fail too_few(row.sku, row.quantity) }
  }
  return size(row.quantity)
}
"#;

const ROWS: &str = "order,sku,quantity\nO1,A1,5\nO2,B2,1\nO3,A1,100\nO4,A1,15\nO5,B2,2\n";

#[test]
fn a_batch_goes_on_over_failing_items_and_a_second_run_changes_nothing() {
    let folder = Folder::with(&[("work.rpa", BATCH), ("rows.csv", ROWS)]);
    insta::assert_snapshot!(folder.said(&["run", "work.rpa"]));
    insta::assert_snapshot!(folder.said(&["run", "work.rpa"]));
    insta::assert_snapshot!(folder.said(&["runs"]));
    insta::assert_snapshot!(folder.said(&["runs", "--flow", "take", "--state", "failed"]));
    insta::assert_snapshot!(folder.said(&["runs", "show", "4"]));
    insta::assert_snapshot!(folder.said(&["runs", "show", "1"]));
}

#[test]
fn corrected_input_is_tried_again_and_changed_input_of_a_done_run_is_refused() {
    let folder = Folder::with(&[("work.rpa", BATCH), ("rows.csv", ROWS)]);
    folder.run(&["run", "work.rpa"]);
    // O2 is corrected, O4 had been done with another quantity.
    fs::write(folder.path().join("rows.csv"), "order,sku,quantity\nO2,A1,1\nO4,A1,3\n").unwrap();
    insta::assert_snapshot!(folder.said(&["run", "work.rpa"]));
    for run in ["3", "4"] {
        insta::assert_snapshot!(folder.said(&["runs", "show", run]));
    }
}

#[test]
fn programs_get_json_and_people_can_see_decisions() {
    let folder = Folder::with(&[("work.rpa", BATCH), ("rows.csv", ROWS)]);
    let output = folder.run(&["run", "work.rpa", "--format", "json", "--trace"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["state"], "done");
    assert_eq!(json["items"][0]["failed"], 3);
    assert_eq!(json["items"][0]["done"], 2);
    assert_eq!(json["decisions"].as_array().unwrap().len(), 2);
    assert_eq!(json["decisions"][1]["outcome"], "large");
    let shown = folder.run(&["runs", "show", "1", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(json["account"]["items"][0]["failed"], 3);
    let folder = Folder::with(&[("work.rpa", BATCH), ("rows.csv", ROWS)]);
    insta::assert_snapshot!(folder.said(&["run", "work.rpa", "--trace"]));
}

#[test]
fn a_failed_run_is_told_with_the_way_that_led_there() {
    let script = r#"
entity Note { key name: text }

task divide(a: int, b: int) -> decimal {
  return a / b
}

flow sums {
  step note = Note.create(name: "first")
    undo note.delete()
  step ratio = divide(1, 0)
}
"#;
    let folder = Folder::with(&[("sums.rpa", &script.replace("flow sums {", "flow sums() {"))]);
    insta::assert_snapshot!(folder.said(&["run", "sums.rpa"]));
    insta::assert_snapshot!(folder.said(&["runs", "show", "1"]));
}

#[test]
fn what_can_not_be_run_is_said() {
    let folder = Folder::with(&[
        ("two.rpa", "flow a() {\n  step x { log.info(\"a\") }\n}\n\nflow b() {\n  step x { log.info(\"b\") }\n}\n"),
        ("none.rpa", "fn f() -> int = 1\n"),
    ]);
    insta::assert_snapshot!(folder.said(&["run", "two.rpa"]));
    insta::assert_snapshot!(folder.said(&["run", "two.rpa", "--flow", "b"]));
    insta::assert_snapshot!(folder.said(&["run", "none.rpa"]));
    insta::assert_snapshot!(folder.said(&["run", "there_is_none.rpa"]));
    insta::assert_snapshot!(folder.said(&["runs", "show", "77"]));
}

#[test]
fn the_one_page_script_runs() {
    let page = |name: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/one_page").join(name));
    let [script, template, orders] = ["one_page.rpa", "confirmation.txt", "orders.csv"].map(|name| page(name).unwrap());
    let folder = Folder::with(&[("page.rpa", &script), ("confirmation.txt", &template), ("inbox/orders.csv", &orders)]);
    folder.run(&["run", "page.rpa", "--flow", "seed"]);
    let said = folder.said(&["run", "page.rpa", "--flow", "process_orders", "inbox/orders.csv"]);
    insta::assert_snapshot!(said.replace(&folder.path().display().to_string(), "FOLDER"));
    let mails: Vec<_> = fs::read_dir(folder.path().join(".rpa/outbox")).unwrap().collect();
    assert_eq!(mails.len(), 1);
    // A row for an unknown product changed nothing.
    insta::assert_snapshot!(folder.said(&["runs", "show", "4"]));
    let again = folder.run(&["run", "page.rpa", "--flow", "process_orders", "inbox/orders.csv", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((&json["items"][0]["done_earlier"], &json["written"]), (&1.into(), &serde_json::json!([])));
    let formatted = folder.run(&["fmt", "--check", "page.rpa"]);
    assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stderr));
}

const EXPORT: &str = r#"
record Row {
  sku: text
  price: money
  since: date?
}

flow export(rows: [Row] = []) -> [Row] {
  step as_text = csv.write("rows.csv", rows)
  step as_book = excel.write("rows.xlsx", rows)
  step from_text = csv.read("rows.csv", as: Row)
  step from_book = excel.read("rows.xlsx", as: Row)
  return from_text.concat(from_book)
}

flow some_rows() {
  run export([Row(sku: "A1", price: 9.90 EUR, since: 2026-01-31), Row(sku: "=A2", price: 1 EUR, since: none)])
  run export([Row(sku: "A1", price: 9.90 EUR, since: 2026-01-31), Row(sku: "A3", price: 2.50 USD, since: none)])
}
"#;

#[test]
fn files_are_read_as_they_were_written_with_rows_or_without() {
    let folder = Folder::with(&[("export.rpa", EXPORT)]);
    insta::assert_snapshot!(folder.said(&["run", "export.rpa", "--flow", "export"]));
    assert_eq!(fs::read_to_string(folder.path().join("rows.csv")).unwrap(), "sku,price,since\n");
    folder.run(&["run", "export.rpa", "--flow", "some_rows"]);
    insta::assert_snapshot!(fs::read_to_string(folder.path().join("rows.csv")).unwrap());
    for run in ["3", "4"] {
        insta::assert_snapshot!(folder.said(&["runs", "show", run]));
    }
}

const WAITS: &str = r#"
entity Order {
  key id: text
}

error refused(id: text)

flow work(pause: duration = 20 milliseconds) {
  for id in ["O1", "O2", "O3", "O4", "O5", "O1"], parallel 3 {
    run take(id, pause)
  }
}

flow take(id: text, pause: duration) key id {
  step made = Order.create(id: id)
    undo made.delete()
  if id != "O3" { step rest = sleep(pause) }
  if id == "O2" { fail refused(id) }
}

flow pay(amount: int = 5) -> bool {
  step approved: bool = ask("finance", "Pay {amount}?", within: 3 days, otherwise: false)
  return approved
}

flow pay_all() {
  for amount in [1, 2, 3], parallel 3 { run pay(amount) }
}
"#;

#[test]
fn a_batch_whose_items_waited_counts_each_of_them_once() {
    let folder = Folder::with(&[("work.rpa", WAITS)]);
    insta::assert_snapshot!(folder.said(&["run", "work.rpa", "--flow", "work"]));
}

#[test]
fn a_run_that_waits_says_for_what_and_what_goes_on_with_it() {
    let folder = Folder::with(&[("work.rpa", WAITS)]);
    insta::assert_snapshot!(folder.said(&["run", "work.rpa", "--flow", "work", "2 hours"]));
    insta::assert_snapshot!(folder.said(&["run", "work.rpa", "--flow", "pay"]));
    insta::assert_snapshot!(folder.said(&["inbox", "answer", "1", "yes"]));
    insta::assert_snapshot!(folder.said(&["runs", "resume"]));
    insta::assert_snapshot!(folder.said(&["run", "work.rpa", "--flow", "pay_all"]));
    // With no patience at all even a short pause is left to others; they tell all that the run did.
    let folder = Folder::with(&[("work.rpa", WAITS)]);
    insta::assert_snapshot!(folder.said(&["run", "work.rpa", "--flow", "work", "--wait", "0 seconds"]));
    insta::assert_snapshot!(folder.said(&["runs", "resume", "1", "--wait", "10 minutes"]));
    insta::assert_snapshot!(folder.said(&["run", "work.rpa", "--wait", "soon"]));
}

const LOOKED_UP: &str = r#"
entity Order {
  key number: text
  title: text
  placed: date
}

flow made(day: date) -> text {
  step told = "made on {day}"
  return told
}

flow order(number: text) -> text key number {
  step order = Order.create(number: number, title: "A lamp", placed: 2026-12-23)
  step due = order.placed.add_business_days(2)
  step free = not due.is_business_day
  step days = order.placed.business_days_until(due)
  step soon = sleep_until(now() + 50 milliseconds)
  step child = run made(Order.get(number).placed)
  step nap = sleep(business_days(0) - business_days(0))
  step ok: bool = ask("sales", "Ship {Order.get(number).title}?", within: business_days(1), otherwise: Order.has(number))
  return "{child}, due {due}, {free}, {days}, {ok}"
}
"#;

#[test]
fn what_a_wait_or_a_flow_is_given_may_be_looked_up() {
    let folder = Folder::with(&[
        ("rpa.toml", "[calendar]\nholidays = \"days.txt\"\n"),
        ("days.txt", "2026-12-25 Christmas\n"),
        ("order.rpa", LOOKED_UP),
    ]);
    let said = folder.said(&["run", "order.rpa", "--flow", "order", "A1"]);
    assert!(said.contains("waits for an answer of sales: Ship A lamp?"), "{said}");
    // The order is gone before the run goes on: what was looked up once is not looked up again.
    let store = rusqlite::Connection::open(folder.path().join(".rpa/store.db")).unwrap();
    assert_eq!(store.execute("DELETE FROM \"Order\"", ()).unwrap(), 1);
    drop(store);
    folder.said(&["inbox", "answer", "1", "yes"]);
    let said = folder.said(&["runs", "resume"]);
    assert!(said.contains("Result: made on 2026-12-23, due 2026-12-28, false, 2, true"), "{said}");
    // A calendar that can't be read fails the step, and says which line is wrong.
    fs::write(folder.path().join("days.txt"), "2026-12-25\n25.12.2026 and so on\n2026-12-32\n").unwrap();
    let said = folder.said(&["run", "order.rpa", "--flow", "order", "A2"]);
    assert!(said.contains("`days.txt`, line ") && said.contains("in step due"), "{said}");
}

/// A flow that keeps a policy only because of what the flow that runs it does.
const WITHIN: &str = r#"task pay(amount: money EUR) {
  log.info("pays {amount}")
}

policy limit {
  before pay(amount) requires amount <= 500 EUR
}

flow pay_out(amount: money EUR) {
  step paid { pay(amount) }
}

flow refund(amount: money EUR) {
  if amount > 500 EUR { stop "too much" }
  run pay_out(amount)
}
"#;

#[test]
fn a_flow_that_keeps_a_policy_within_others_is_not_begun_by_itself() {
    let folder = Folder::with(&[("pay.rpa", WITHIN)]);
    assert!(folder.run(&["check", "pay.rpa", "--deny", "warnings"]).status.success());
    let alone = folder.run(&["run", "pay.rpa", "--flow", "pay_out", "900 EUR"]);
    assert_eq!(alone.status.code(), Some(2));
    let said = String::from_utf8_lossy(&alone.stderr).into_owned();
    assert!(said.contains("policy::not-alone") && said.contains("`limit`"), "{said}");
    assert!(!folder.path().join(".rpa").exists(), "nothing was begun");
    let within = folder.run(&["run", "pay.rpa", "100 EUR"]);
    assert!(within.status.success(), "{}", String::from_utf8_lossy(&within.stderr));
}
