//! The trees of every construct.

use super::tree::short;
use crate::syntax::{
    CellKind, ReplEntry, is_incomplete, parse, parse_cell, parse_expression, parse_repl, parse_template,
};
use crate::text::SourceId;

fn expression(text: &str) -> String {
    let (expr, findings) = parse_expression(SourceId(0), text);
    assert_eq!(findings, [], "{text}");
    short(&expr)
}

#[test]
fn declarations_and_statements() {
    let text = include_str!("../../../tests/scripts/every_construct.rpa");
    let (script, findings) = parse(SourceId(0), text);
    assert_eq!(findings, []);
    let trees: Vec<String> =
        script.items.iter().map(|item| short(item).replace("Statement", "\n  Statement")).collect();
    insta::assert_snapshot!(trees.join("\n\n"));
}

#[test]
fn which_operator_binds_tighter() {
    let lines = [
        "a or b and c",
        "not a == b and c",
        "a == b or not c in d",
        "a ?? b == c",
        "a + b * c - d",
        "1..n + 1",
        "a ?? b .. c",
        "-a.b * c",
        "run f(x).y",
        "not a is some",
        "a is none and b",
        "a - b - c",
        "(a - (b - c)) * d",
        "if a then b else c + d",
        "a.b?.c(1, n: 2)[0].d",
        "f(r => r.a > 1, (a, b) => a + b)",
    ];
    let trees: Vec<String> = lines.iter().map(|line| format!("{line}\n    {}", expression(line))).collect();
    insta::assert_snapshot!(trees.join("\n"));
}

#[test]
fn literals() {
    let lines = [
        "1_000",
        "1.50",
        "15%",
        "99.90 EUR",
        "3 days",
        "1 week",
        "2026-11-22",
        "06:00",
        "06:00:30",
        "2026-11-22T06:00Z",
        "2026-11-22T06:00:00+01:00",
        "\"a {b + 1} \\n \\u{1F600} \\{ } {\"x {y}\"}\"",
        "\"\"\"\n  a\n   b {c}\n  \"\"\"",
        "{\"a\": [1, 2,],}",
        "\"\"\"one line\"\"\"",
        "\"\"",
        "[]",
        "{}",
    ];
    let trees: Vec<String> = lines.iter().map(|line| format!("{line}\n    {}", expression(line))).collect();
    insta::assert_snapshot!(trees.join("\n"));
}

#[test]
fn cells() {
    let lines = [
        "gold",
        "gold, silver",
        ">= 1000 EUR",
        "1..10",
        "not gold",
        "-",
        "-5",
        "some",
        "none",
        "otherwise",
        "> 1 and < 5 or 7",
        "a + 1 .. b",
        "not < 5",
        "\"a,b\"",
    ];
    let cell = |kind| {
        move |line: &&str| {
            let (cell, findings) = parse_cell(SourceId(0), line, 0, kind);
            assert_eq!(findings, [], "{line}");
            format!("{line}\n    {}", short(&cell))
        }
    };
    let mut trees: Vec<String> = lines.iter().map(cell(CellKind::Test)).collect();
    trees.extend(["a > b", "otherwise", "-", "-a < b"].iter().map(cell(CellKind::Condition)));
    trees.extend(["15%", "if a then b else c"].iter().map(cell(CellKind::Outcome)));
    insta::assert_snapshot!(trees.join("\n"));
}

#[test]
fn templates() {
    let text = "Dear {order.name},\n\n{for line in order.lines}\n- {line.name}: {line.total}\n{end}\n  {if order.paid}  \nPaid.\n{else if order.due}\nDue {order.due}.\n{else}\nOpen.\n{end}\nA {if a}b{end} \\{c\\} {if x then y else z}\n{for k, v in map}{k}={v} {end}";
    let (template, findings) = parse_template(SourceId(0), text);
    assert_eq!(findings, []);
    insta::assert_snapshot!(short(&template.parts).replace("TemplatePart", "\n").replace("), ", "),\n"));
}

#[test]
fn places_are_exact() {
    let text = "flow f(x: int) {  \n  let  y  =  a.b( 1 )  + 2   // note\n}  \n";
    let (script, _) = parse(SourceId(0), text);
    let slice = |span: crate::text::Span| text[span.range()].to_owned();
    assert_eq!(slice(script.items[0].span), "flow f(x: int) {  \n  let  y  =  a.b( 1 )  + 2   // note\n}");
    let crate::syntax::tree::ItemKind::Flow(flow) = &script.items[0].kind else { panic!() };
    assert_eq!(slice(flow.body.statements[0].span), "let  y  =  a.b( 1 )  + 2");
    let crate::syntax::tree::StatementKind::Let { value, .. } = &flow.body.statements[0].kind else { panic!() };
    assert_eq!(slice(value.span), "a.b( 1 )  + 2");
    assert_eq!(slice(script.comments[0].span), "// note");
}

#[test]
fn lines_of_the_repl() {
    let (entries, findings) = parse_repl(
        SourceId(0),
        "1 + 2\nlet x = 3\nfn f(a: int) -> int = a\nif x > 1 { log.info(\"a\") }\nif a then b else c",
    );
    assert_eq!(findings, []);
    let kinds: Vec<&str> = entries
        .iter()
        .map(|entry| match entry {
            ReplEntry::Item(_) => "item",
            ReplEntry::Statement(_) => "statement",
        })
        .collect();
    assert_eq!(kinds, ["statement", "statement", "item", "statement", "statement"]);
    for open in [
        "flow f() {",
        "let x = f(",
        "let x = [1,",
        "\"\"\"abc",
        "let x = 1 +",
        "let x =",
        "rules r(a: int) -> int {\n | a |",
    ] {
        assert!(is_incomplete(open), "{open}");
    }
    for whole in ["1 + 2", "flow f() { stop }", "\"abc", "let x", "f(1))", "", "}"] {
        assert!(!is_incomplete(whole), "{whole}");
    }
}
