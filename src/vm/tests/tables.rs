//! Decision tables: every policy, rows that the index does not know, and what is told of decisions.

use super::support::{World, call, code, outcome};
use crate::value::Value;
use insta::assert_snapshot;

fn all(script: &str, calls: &[&str]) -> String {
    let mut lines = Vec::new();
    for call in calls {
        let script = format!("{script}\nfn f() -> text {{\n  let shown = {call}\n  return \"{{shown}}\"\n}}\n");
        let outcome = outcome(&script);
        lines.push(format!("{call} => {}", outcome.lines().next().unwrap_or("")));
    }
    lines.join("\n")
}

#[test]
fn unique_tables_have_one_row_for_every_input() {
    let script = "enum Tier { gold, silver, bronze }\n\
        rules discount(tier: Tier, total: money) -> percent {\n\
        \x20 | tier           | total        | => discount |\n\
        \x20 | gold           | >= 1000 EUR  | 15%         |\n\
        \x20 | gold           | < 1000 EUR   | 10%         |\n\
        \x20 | silver, bronze | >= 1000 EUR  | 5%          |\n\
        \x20 | silver, bronze | < 1000 EUR   | 0%          |\n\
        }\n";
    let calls = [
        "discount(gold, 1000 EUR)",
        "discount(gold, 999.99 EUR)",
        "discount(bronze, 1000.001 EUR)",
        "discount(silver, -5 EUR)",
        "discount(silver, money(5.0, \"USD\"))",
    ];
    assert_snapshot!(all(script, &calls), @r#"
discount(gold, 1000 EUR) => 15%
discount(gold, 999.99 EUR) => 10%
discount(bronze, 1000.001 EUR) => 5%
discount(silver, -5 EUR) => 0%
discount(silver, money(5.0, "USD")) => amounts in USD and EUR can't be put together
"#);
}

#[test]
fn first_takes_the_first_row_and_tests_no_more_than_needed() {
    let script = "rules problem(quantity: int, limit: int, names: [text]) -> text?, first {\n\
        \x20 | when                           | => reason                    |\n\
        \x20 | quantity <= 0                  | \"must be positive\"         |\n\
        \x20 | quantity > limit               | \"{quantity} is too many\"   |\n\
        \x20 | names[0] == \"\"               | \"no name\"                  |\n\
        \x20 | otherwise                      | none                         |\n\
        }\n";
    let calls = [
        "problem(0, 5, []) ?? \"fine\"",
        "problem(9, 5, []) ?? \"fine\"",
        "problem(1, 5, [\"\"]) ?? \"fine\"",
        "problem(1, 5, [\"a\"]) ?? \"fine\"",
        "problem(1, 5, []) ?? \"fine\"",
    ];
    assert_snapshot!(all(script, &calls), @r#"
problem(0, 5, []) ?? "fine" => must be positive
problem(9, 5, []) ?? "fine" => 9 is too many
problem(1, 5, [""]) ?? "fine" => no name
problem(1, 5, ["a"]) ?? "fine" => fine
problem(1, 5, []) ?? "fine" => there is no position 0: the list has 0, counted from 0
"#);
}

#[test]
fn columns_of_every_kind_are_tested() {
    let script = "rules kind(n: int, day: date, note: text?) -> text, first {\n\
        \x20 | n            | day            | note        | mod(n, 2) | => kind        |\n\
        \x20 | 1..3         | -              | -           | -         | \"small\"      |\n\
        \x20 | not 10       | >= 2026-01-01  | some        | 1         | \"odd, noted\" |\n\
        \x20 | >= 5 and < 9 | -              | \"x\", \"y\"| -         | \"x or y\"     |\n\
        \x20 | -            | < 2020-01-01 or > 2030-01-01 | none | - | \"far\"       |\n\
        \x20 | n + 0        | -              | otherwise   | -         | \"rest\"       |\n\
        }\n";
    let calls = [
        "kind(2, 2026-01-01, none)",
        "kind(5, 2026-01-01, \"z\")",
        "kind(6, 2025-01-01, \"y\")",
        "kind(10, 2031-01-01, none)",
        "kind(10, 2026-01-01, none)",
    ];
    assert_snapshot!(all(script, &calls), @r#"
kind(2, 2026-01-01, none) => small
kind(5, 2026-01-01, "z") => odd, noted
kind(6, 2025-01-01, "y") => x or y
kind(10, 2031-01-01, none) => far
kind(10, 2026-01-01, none) => rest
"#);
}

#[test]
fn policies_put_several_rows_together() {
    let table = |policy: &str, result: &str| {
        format!(
            "rules t(n: int) -> {result}, {policy} {{\n  | n     | => value |\n  | >= 1  | 10       |\n  | >= 2  | 30       |\n  | >= 3  | 20       |\n  | < 1   | 5        |\n}}\n"
        )
    };
    let calls = ["t(1)", "t(2)", "t(3)"];
    let lists = calls.map(|call| format!("{call}.map(it.to_text).join()"));
    let lists: Vec<&str> = lists.iter().map(String::as_str).collect();
    let shown: Vec<String> = [("sum", "int"), ("min", "int"), ("max", "int")]
        .iter()
        .map(|(policy, result)| format!("{policy}:\n{}", all(&table(policy, result), &calls)))
        .collect();
    let same = "rules same(n: int) -> int, any {\n  | n     | => value |\n  | >= 1  | 10       |\n  | >= 2  | 10       |\n  | < 1   | 5        |\n}\n";
    assert_snapshot!(all(same, &["same(0)", "same(5)"]), @r"
same(0) => 5
same(5) => 10
");
    assert_snapshot!(all(&table("collect", "[int]"), &lists), @r"
t(1).map(it.to_text).join() => 10
t(2).map(it.to_text).join() => 10, 30
t(3).map(it.to_text).join() => 10, 30, 20
");
    assert_snapshot!(shown.join("\n"), @r"
sum:
t(1) => 10
t(2) => 40
t(3) => 60
min:
t(1) => 10
t(2) => 10
t(3) => 10
max:
t(1) => 10
t(2) => 30
t(3) => 30
");
}

#[test]
fn decisions_are_told() {
    let script = "rules t(n: int) -> [text], collect {\n  | n     | when   | => value |\n  | >= 1  | n < 3  | \"a\"    |\n  | >= 2  | -      | \"b\"    |\n}\nfn f(n: int) -> [text] = t(n)\n";
    let code = code(script);
    let mut world = World::new(&code);
    for n in [1, 2, 5] {
        call(&code, "f", &[Value::Int(n)], &mut world).unwrap();
    }
    let told: Vec<String> = world
        .decisions
        .iter()
        .map(|decision| format!("{} {:?} {:?}", decision.table, decision.rows, decision.input))
        .collect();
    assert_snapshot!(told.join("\n"), @r#"
t ["row 1"] [("n", Int(1))]
t ["row 1", "row 2"] [("n", Int(2))]
t ["row 2"] [("n", Int(5))]
"#);
}
