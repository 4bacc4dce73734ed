//! Tests of the formatter.

use super::format;
use crate::syntax::parse;
use crate::syntax::tests::all_scripts;
use crate::syntax::tests::tree::shape;
use crate::text::SourceId;
use proptest::prelude::*;

/// Formats, and holds what must hold for every script.
pub fn checked(text: &str) -> String {
    let formatted = format(text).unwrap_or_else(|findings| panic!("{findings:#?}\n{text}"));
    let again = format(&formatted).unwrap_or_else(|findings| panic!("not readable: {findings:#?}\n{formatted}"));
    assert_eq!(formatted, again, "formatting twice is not formatting once");
    let (before, _) = parse(SourceId(0), text);
    let (after, _) = parse(SourceId(0), &formatted);
    assert_eq!(shape(&before.items), shape(&after.items), "the tree has changed: {formatted}");
    let comments = |script: &crate::syntax::tree::Script| {
        let mut comments: Vec<String> =
            script.comments.iter().map(|comment| comment.text.trim_start_matches('/').to_string()).collect();
        comments.sort();
        comments
    };
    assert_eq!(comments(&before), comments(&after), "comments were lost: {formatted}");
    formatted
}

#[test]
fn a_comment_inside_a_declaration_never_becomes_its_documentation() {
    let text = "/// Goods.\nfn items(goods: int) -> int =\n  goods /// first\n    /// second\n    .max(1)\n";
    insta::assert_snapshot!(checked(text), @r"
    /// Goods.
    // first
    // second
    fn items(goods: int) -> int = goods.max(1)
    ");
}

#[test]
fn the_one_page_script_is_its_own_form() {
    let text = include_str!("../../tests/scripts/one_page.rpa");
    assert_eq!(checked(text), text);
}

#[test]
fn every_script_keeps_its_tree_and_comments() {
    for (path, text) in all_scripts() {
        assert!(!checked(&text).is_empty(), "{}", path.display());
    }
}

/// Found by the property below: an argument that begins a line with `if {` was taken for a statement.
#[test]
fn a_choice_by_a_long_map_stays_an_argument() {
    let text = "on A created as a {\n  start f(if {\"key\": another_name_that_is_rather_long, \"other key\": a_name_that_is_rather_long.with_a_field, \"a third key\": a} then a else b)\n}\n";
    insta::assert_snapshot!(checked(text), @r#"
    on A created as a {
      start f(
        if {
          "key": another_name_that_is_rather_long,
          "other key": a_name_that_is_rather_long.with_a_field,
          "a third key": a
        }
          then a
          else b
      )
    }
    "#);
}

#[test]
fn comments_keep_their_places() {
    insta::assert_snapshot!(checked(
        r#"// first


// second
/// about crm
use crm   // behind use
// before const
const limit = 5 EUR// behind const
enum Tier { // behind brace
  gold, // best
  // between
  silver
  // last
}
record A { x: int, y: text // both
  /// doc of z
  z: int
}
flow f(x: int, // behind x
       y: int /* */ ) {
}
"#
        .replace(" /* */", "")
        .as_str()
    ));
}

#[test]
fn comments_in_statements_keep_their_places() {
    insta::assert_snapshot!(checked(
        r#"
flow f() { // the flow
  // alone


  let a = 1 // behind a
  if a == 1 { // behind if
    stop // behind stop
    // end of then
  } // behind brace
  // before else
  else {
    // only a comment
  }
  let list = [ // behind bracket
    1, // one
    // before two
    2 // two
    // last
  ]
  let sum = a // behind a
    + 2 // behind 2
    // alone
    + 3
  call(a, // first
    b: 2)
  call(
    // nothing but a comment
  )
  step s = csv.read("x") // behind step
    // before retry
    retry 3 times // behind retry
    on failed as e { // behind on
      stop
    } // behind on's brace
  match a { // behind match
    // before arm
    1 => stop // behind arm
    2 => { // behind arm brace
      stop
    }
    // last of match
  }
  let chain = Order.where(it.a == 1) // behind where
    // before sort
    .sort(it.b)
  // last of flow
}
// after everything
"#
    ));
}

#[test]
fn tables_align_wide_characters() {
    insta::assert_snapshot!(checked(
        r#"
rules 折扣(等级: 会员, 金额: money) -> percent { // 表
|等级|金额|=>折扣|
// 金卡
|金卡|>=1000 EUR|15%| // 好

|银卡,普通|<1000 EUR or >2000 EUR|0%|
|not 金卡|1..3|5%|
|-|-|1%|
}
"#
    ));
}

#[test]
fn long_lines_are_broken() {
    insta::assert_snapshot!(checked(r#"
task t(first_parameter: text, second_parameter: [Order], third_parameter: {text: money EUR}, fourth: int? = none) -> [Customer] fails not_found, already_exists {
  let a = first_condition_that_is_long and second_condition_that_is_long or third_condition_that_is_long and fourth_condition
  if first_condition_that_is_long and second_condition_that_is_long or third_condition_that_is_long and fourth_condition { stop }
  let b = if first_condition_that_is_long then second_condition_that_is_long else third_condition_that_is_long + fourth_condition
  let c = Order.where(it.status == paid and it.placed >= today() - 30 days).sort(it.placed).take(10).map(it.total).fold(0 EUR, (a, b) => a + b)
  email.send(to: customer.email, subject: "A long subject for a long mail, {customer.name}", body: template("mail.txt", customer: customer, rows: rows))
  let d = {"first key": first_value_that_is_long, "second key": second_value_that_is_long, "third key": third_value_that_is_long}
  let e = [11111111, 22222222, 33333333, 44444444, 55555555, 66666666, 77777777, 88888888, 99999999, 11111111, 22222222, 33333333]
  match x { gold => email.send(to: customer.email, subject: "A long subject for a long mail, {customer.name}", body: "b")
    silver => total_of_everything_that_is_long - discount_of_everything_that_is_long - rebate_of_everything_that_is_long_too }
}
flow g(x: int) -> Invoice key x, at most 4 at once per row.customer.identifier.number, priority 5, deadline 2 days, { stop }
rule low_stock on Product changed as p when p.stock < 5 and p.reserved > p.stock and p.supplier is some and p.name != "x" priority 10 { stop }
policy four_eyes { before payments.refund(amount) when amount > 500 EUR and amount < 100000 EUR and weekday(today()) != 7 requires ask("finance") }
"#.replace("2 days, {", "2 days {").as_str()));
}

#[test]
fn everything_has_one_form() {
    insta::assert_snapshot!(checked(include_str!("../../tests/scripts/every_construct.rpa")));
}

/// Deep calls were once rendered twice a level.
#[test]
fn deep_nesting_is_formatted() {
    checked(&format!("const x = {}a{}\n", "f(".repeat(60), ")".repeat(60)));
    checked(&format!("const x = {}a{}\n", "f([".repeat(30), "])".repeat(30)));
    checked(&format!("const x = {}a{}\n", "f({\"a\": ".repeat(30), "})".repeat(30)));
    checked(&format!("const x = {}a{}\n", "a + f(".repeat(60), ")".repeat(60)));
    checked(&format!("flow f() {{ {}stop{} }}\n", "if a { ".repeat(60), " }".repeat(60)));
    checked(&format!("const x = a{}\n", ".where(it.name)".repeat(60)));
}

/// Expressions of all kinds, long and short, as text.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "a",
        "a_name_that_is_rather_long",
        "another_name_that_is_rather_long",
        "1",
        "-2",
        "15%",
        "99.90 EUR",
        "3 days",
        "none",
        "\"a text with {value} in it\"",
        "[]",
        "{}",
        "it",
        "true",
        "2026-11-22",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(5, 40, 4, |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/", "and", "or", "==", "<", "in", "??", ".."]);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, operator, b)| format!("({a}) {operator} ({b})")),
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| format!("[{}]", list.join(", "))),
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|list| format!("call_of_something({})", list.join(", "))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}).where(x => {b}).sort(it.name)")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("if ({a}) then {b} else {c}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("Record(name: {a}, other_name: ({b})?.field[0])")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{\"key\": {a}, \"other key\": ({b}) is some}}")),
            inner.clone().prop_map(|a| format!("not ({a})")),
            inner.clone().prop_map(|a| format!("-({a})")),
            inner.prop_map(|a| format!("(run f({a}))")),
        ]
    })
}

/// Where an expression can stand.
const PLACES: &[&str] = &[
    "const x = {}",
    "fn f(x: int = {}) -> int = {}",
    "flow f() { let x = {} }",
    "flow f() { if {} { stop } else if {} { stop } }",
    "flow f() { return {} }",
    "flow f() { x = {} }",
    "flow f() { f({}) }",
    "flow f() {\n match {} {\n a => return {}\n b => { give {} }\n } }",
    "flow f() { for x in {}, parallel {} { stop {} } }",
    "flow f() { step x = {}\n undo f({})\n timeout {}\n }",
    "flow f() key {}, priority {} deadline {} { stop }",
    "rule r on A changed as a when {} priority {} { stop }",
    "policy p { before f when {} requires {} }",
    "test \"t\" { expect {} failed e\n stub f => {}\n answer ask with {}\n }",
    "rules r(a: int) -> int {\n | when | => x |\n | {} | {} |\n }",
    "record R { x: int = {} }",
    "on A created as a when {} { start f({}) }",
    "rules r(a: int) -> int {\n | {} | => x |\n | ({}), not ({}) | {} |\n | < ({}) or ({})..({}) | 1 |\n}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_expression_anywhere_keeps_its_tree(
        place in prop::sample::select(PLACES),
        values in prop::collection::vec(expressions(), 4),
    ) {
        let mut values = values.iter().cycle();
        let text = place.split("{}").enumerate().fold(String::new(), |text, (index, part)| {
            if index == 0 { part.to_owned() } else { format!("{text}{}{part}", values.next().unwrap()) }
        });
        // What binds looser than the place allows is an error of the generator, not of the formatter.
        if parse(SourceId(0), &text).1.is_empty() {
            checked(&text);
        }
    }
}
