//! How evaluation fails: the error, what it carries, the place, and the calls that led there.

use super::support::outcome;
use insta::assert_snapshot;

fn fails(body: &str) -> String {
    outcome(&format!(
        "fn cur(n: int) -> text = if n == 0 then \"EUR\" else \"USD\"\nfn f() -> text {{\n  let zero = [0].first ?? 0\n  let value = {body}\n  return \"{{value}}\"\n}}\n"
    ))
}

#[test]
fn arithmetic_fails_with_its_name() {
    assert_snapshot!(fails("9_223_372_036_854_775_807 + 1 + zero"), @r"
the result of `+` is too large
  in fn f at `9_223_372_036_854_775_807 + 1`
");
    assert_snapshot!(fails("1 / zero"), @r"
`/` divides by zero
  in fn f at `1 / zero`
");
    assert_snapshot!(fails("mod(7, zero)"), @r"
`mod` divides by zero
  in fn f at `mod(7, zero)`
");
    assert_snapshot!(fails("money(1.0, cur(zero)) + money(1.0, cur(1))"), @r"
amounts in EUR and USD can't be put together
  in fn f at `money(1.0, cur(zero)) + money(1.0, cur(1))`
");
    assert_snapshot!(fails("money(1.0, cur(zero)) < money(1.0, cur(1))"), @r"
amounts in EUR and USD can't be put together
  in fn f at `money(1.0, cur(zero)) < money(1.0, cur(1))`
");
    assert_snapshot!(fails("money(1.0, cur(zero) + \"X\")"), @r#"
bad value: there is no currency "EURX"
  in fn f at `money(1.0, cur(zero) + "X")`
"#);
    assert_snapshot!(fails("2026-11-22 + 36 hours * (zero + 1)"), @r"
bad date: a date moves by whole days, and 1 day 12 hours is none
  in fn f at `2026-11-22 + 36 hours * (zero + 1)`
");
    assert_snapshot!(fails("9999-12-31 + days(zero + 1)"), @r"
bad date: there is no such date
  in fn f at `9999-12-31 + days(zero + 1)`
");
    assert_snapshot!(fails("date(2026, 2, 29 + zero)"), @r"
bad value: there is no date 2026-02-29
  in fn f at `date(2026, 2, 29 + zero)`
");
    assert_snapshot!(fails("2026-11-22.at(06:00, cur(zero))"), @r#"
bad value: there is no time zone "EUR"
  in fn f at `2026-11-22.at(06:00, cur(zero))`
"#);
    assert_snapshot!(fails("10 EUR.split(zero).count"), @r"
bad value: an amount is split into 1 to 1,000,000 parts, and not into 0
  in fn f at `10 EUR.split(zero)`
");
    assert_snapshot!(fails("[1, 2].chunks(zero).count"), @r"
bad value: a list is cut into lists of 1 element at least, not of 0
  in fn f at `[1, 2].chunks(zero)`
");
    assert_snapshot!(fails("[money(1.0, cur(zero))].where(zero == 1).sum(it)"), @r"
bad value: the sum of no amounts has no currency
  in fn f at `[money(1.0, cur(zero))].where(zero == 1).sum(it)`
");
    assert_snapshot!(fails("(1..3_000_000_000 + zero).count"), @r"
a limit was reached: the length of a list
  in fn f at `(1..3_000_000_000 + zero)`
");
}

#[test]
fn what_is_not_there_fails_with_its_name() {
    assert_snapshot!(fails("[1, 2][zero + 2]"), @r"
there is no position 2: the list has 2, counted from 0
  in fn f at `[1, 2][zero + 2]`
");
    assert_snapshot!(fails("[1, 2][zero - 1]"), @r"
there is no position -1: the list has 2, counted from 0
  in fn f at `[1, 2][zero - 1]`
");
    assert_snapshot!(fails("{\"a\": zero}[\"b\"]"), @r#"
there is no entry of the map b
  in fn f at `{"a": zero}["b"]`
"#);
    let no_arm = "fn f() -> int {\n  let n = [7].first ?? 0\n  match n {\n    < 3 => return 1\n    4, 5 => return 2\n  }\n  return 3\n}\n";
    assert_snapshot!(outcome(no_arm), @r"
`match` has no row for 7
  in fn f at `match n {
    < 3 => return 1
    4, 5 => return 2
  }`
");
    let get = "entity Thing { key id: text }\ntask f() -> text = Thing.get(\"x\").id\n";
    assert_snapshot!(outcome(get), @r#"
there is no Thing x
  in task f at `Thing.get("x")`
"#);
}

#[test]
fn a_failure_names_the_calls_that_led_there() {
    let script = "error too_deep(level: int)\n\
        fn down(level: int) -> int {\n  if level > 2 { fail too_deep(level) }\n  return down(level + 1) + 1\n}\n\
        fn f() -> int = down(1)\n";
    assert_snapshot!(outcome(script), @r"
too deep: level 3
  in fn down at `fail too_deep(level)`
  in fn down at `down(level + 1)`
  in fn down at `down(level + 1)`
  in fn f at `down(1)`
");
}

#[test]
fn recursion_without_end_is_a_limit() {
    let script = "fn down(level: int) -> int = if level < 0 then 0 else down(level + 1) + 1\nfn f() -> int = down(1)\n";
    let failure = outcome(script);
    assert_snapshot!(failure.lines().take(3).collect::<Vec<_>>().join("\n"), @r"
a limit was reached: 10000 calls inside of each other
  in fn down at `down(level + 1)`
  in fn down at `down(level + 1)`
");
    assert_eq!(failure.lines().count(), 65);
}

#[test]
fn what_grows_without_end_is_a_limit() {
    let doubled = "fn f() -> int {\n  var t = \"0123456789\"\n  for n in 1..60 { t = t + t }\n  return t.length\n}\n";
    assert_snapshot!(outcome(doubled).lines().next().unwrap(), @"a limit was reached: 1000000 bytes in a text");
    let lists = "fn f() -> int {\n  var l = [1]\n  for n in 1..60 { l = l.concat(l) }\n  return l.count\n}\n";
    assert_snapshot!(outcome(lists).lines().next().unwrap(), @"a limit was reached: the length of a list");
}

#[test]
fn records_inside_of_each_other_without_end_are_a_limit() {
    let script = "record Node { value: int, next: Node? }\n\
        fn f() -> int {\n  var node = Node(value: 0, next: none)\n  for n in 1..1_000_000 { node = Node(value: n, next: node) }\n  return node.value\n}\n";
    assert_snapshot!(outcome(script).lines().next().unwrap(), @"a limit was reached: 200 records inside of each other");
}
