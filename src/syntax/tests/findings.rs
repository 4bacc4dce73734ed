//! What is said about broken scripts, one mistake a case.

use super::{parse, plain};
use crate::finding::Finding;
use crate::syntax::{CellKind, parse_cell, parse_template};
use crate::text::SourceId;

/// What is reported for statements within a flow.
fn body(statements: &str) -> String {
    let text = format!("flow f() {{\n{statements}\n}}\n");
    script(&text)
}

fn script(text: &str) -> String {
    let findings = parse(SourceId(0), text).1;
    for finding in findings.iter().filter(|finding| !finding.fixes.is_empty()) {
        fixes_mend(text, finding);
    }
    plain(text, &findings)
}

/// After its fixes a finding is gone.
fn fixes_mend(text: &str, finding: &Finding) {
    let mut fixes = finding.fixes.clone();
    fixes.sort_by_key(|fix| std::cmp::Reverse(fix.span.start));
    let mut mended = text.to_owned();
    for fix in fixes {
        mended.replace_range(fix.span.range(), &fix.replacement);
    }
    let place = finding.span().map(|span| span.start);
    let left = parse(SourceId(0), &mended).1;
    let same = |other: &&Finding| other.message == finding.message && other.span().map(|span| span.start) == place;
    assert_eq!(left.iter().find(same), None, "{text}\n{mended}");
}

macro_rules! each {
    ($how:ident: $($line:expr),* $(,)?) => {{
        let mut out = String::new();
        $( out += &format!("───── {}\n{}", $line, $how($line)); )*
        out
    }};
}

#[test]
fn operators_of_other_languages() {
    insta::assert_snapshot!(each!(body:
        "if x = 3 { stop }", "if a && b { stop }", "if a || b { stop }", "if !a { stop }", "if a === b { stop }",
        "if a <> b { stop }", "if a => 3 { stop }", "let x := 3", "let ok = a = b", "x += 1", "x++", "order.total = 5 EUR",
        "f(a = 1)", "let x = a ? b : c", "let x = 7 % 2", "let y = x ** 2", "if x is not none { stop }", "if x is null { stop }",
        "if x is 3 { stop }", "if x not in list { stop }", "let d = rows.map(r -> r.a)", "if 1 < x < 3 { stop }",
    ));
}

#[test]
fn literals_of_other_places() {
    insta::assert_snapshot!(each!(body:
        "let x = 9,90 EUR", "let x = 1.000,50 EUR", "let x = 10 €", "let x = $10", "let x = EUR 10", "let x = 22.11.2026",
        "let x = 2026-13-45", "let x = 25:00", "wait(3days)", "let x = 10EUR", "let x = 15 %", "let x = 6:00", "let x = 3abc",
        "let x = 99999999999999999999", "let x = 2026-11-22T06:00", "let x = null", "sleep(99999999999999 weeks)", "let x = 5 pm", "let x = 12am",
    ));
}

#[test]
fn texts_and_quotes() {
    insta::assert_snapshot!(each!(body:
        "let x = \"abc", "let x = “abc”", "let x = 'abc'", "let x = \"a { b\"", "let x = \"a \\q b\"", "let x = \"{}\"",
        "let x = \"total {a +} now\"", "let x = \"\"\"\n  abc", "let x = „abc“", "let x = \"{f(“a”)}\"",
    ));
}

#[test]
fn comments_and_semicolons() {
    insta::assert_snapshot!(each!(body:
        "# note", "let x = 1 # note", "/* note */", "let x = 1 /* note */", "/* several\nlines */\nlet y = 2", "let x = 1;",
        "let x = 1; let y = 2",
    ));
}

#[test]
fn brackets_and_braces() {
    insta::assert_snapshot!(each!(body:
        "let x = f(1, 2\nlet y = 3", "let x = f(1, 2))", "let x = [1, 2", "let x = f([1, 2)", "if f(x {\n  stop\n}",
        "}\nlet x = 1", "let x = OrderRow { a: 1, b: 2 }", "f(OrderRow { a: 1 })", "{ stop }", "let x = 1 {\n  stop\n}",
        "if x == \"a {\n  stop\n}",
    ));
}

#[test]
fn blocks_not_closed() {
    insta::assert_snapshot!(each!(script:
        "flow a() {\n  if x {\n    stop\n\n  return 1\n}\n\nflow b() {\n  stop\n}\n",
        "flow a() {\n  for x in xs {\n    stop\n  }\n\nflow b() {\n  stop\n}\n",
        "flow a() {\n  stop\n}\n}\n\nflow b() {\n  stop\n}\n",
        "flow a() {\n",
        "record A {\n  x: int\n\nrecord B {\n  y: int\n}\n",
        "flow a()\n  stop\n}\n",
    ));
}

#[test]
fn words_of_other_languages() {
    insta::assert_snapshot!(each!(script:
        "def f(x: int) -> int = x", "function f(x: int) {\n  return x\n}", "func f() -> int {\n  retrun 1\n}",
        "class A {\n  x: int\n}", "import crm", "floww a() {\n  stop\n}", "let x = 1", "print(1)", "xyz abc",
        "flow a():\n  let x = 1\n  stop\n", "fn f(x: int) => int = x", "recrod A {\n  x: int\n}",
    ));
}

#[test]
fn statements_of_other_languages() {
    insta::assert_snapshot!(each!(body:
        "if x { stop }\nelif y { stop }", "if x { stop } elsif y { stop }", "if x then { stop }", "if x:\n  stop",
        "if x then\n  stop", "while x { stop }", "foreach x in xs { stop }", "for (x in xs) { stop }", "for x of xs { stop }",
        "for x in xs do { stop }", "retrun x", "raise problem", "try { stop }", "fail \"no stock\"", "print \"x\"",
        "else { stop }", "retry 3 times", "let f = function(x) { return x }", "switch x { a => stop }", "$x = 1",
        "flow inner() { stop }",
    ));
}

#[test]
fn incomplete_lines() {
    insta::assert_snapshot!(each!(body:
        "let x = ", "let x", "let x: = 5", "let = 5", "let then = 5", "let x 5", "let x = 3 4", "let x = a +", "if { stop }",
        "if x", "for x xs { stop }", "for in xs { stop }", "step", "step x", "step x f()", "go step", "match x", "f(a b)",
        "f(a,, b)", "let x = a.", "let x = [1 2]", "let x = if a then b", "return return", "give", "let x: [text = 1",
        "let x: text[] = 1", "f (x)", "let x = a. b", "stub http.post", "expect r failed", "answer ask \"x\" approve",
        "match x {\n  gold -> stop\n}", "match x {\n  gold stop\n}", "step s = f()\n  retry times", "step s = f()\n  on x go back",
        "step s = f()\n  on x", "parallel 3 { stop }", "f(a: 1\n  b: 2)", "step s = f()\n  on x goto back", "step s = f()\n  retry 3 from 2 seconds",
        "for x in range(10):\n  stop", "let x = f(1\nif a > 1 and b then {\n  stop\n}", "for x in xs, paralel 3 { stop }",
    ));
}

#[test]
fn broken_declarations() {
    insta::assert_snapshot!(each!(script:
        "fn f(x) = 1", "fn f(x: int -> int = 1", "fn f x: int = 1", "fn (x: int) = 1", "enum A { a b }", "enum A",
        "record A { x int }", "record A { x: }", "record A { = 1 }", "entity A { key: }", "use", "const x 5",
        "error a(b)", "flow f() key { stop }", "flow f() at most 4 { stop }", "flow f() priority 1, priority 2 { stop }",
        "rule a on B modified as b { stop }", "policy p { before f requires }", "every 15 minutes at { stop }",
        "every fortnight { stop }", "on file \"a\" { stop }", "test { stop }", "test title { stop }", "flow if() { stop }",
        "use \"a {b}.rpa\"", "fn f(a: int, a b: int) = 1",
    ));
}

#[test]
fn tables() {
    let table = |rows: &str| script(&format!("rules r(a: Tier, n: int) -> text {{\n{rows}\n}}\n"));
    insta::assert_snapshot!(each!(table:
        "  | a | n | => x |\n  | gold | \"a\" |",
        "  | a | n | => x |\n  | gold | 1 | 2 | \"a\" |",
        "  | a | n | => x |\n  | gold | > 1, < 3 | \"a\" |",
        "  | a | n | => x |\n  | gold | | \"a\" |",
        "  | a | n | => x |\n  | gold | 1 | \"a\"",
        "  | a | n | => x |\n  |---|---|---|\n  | gold | 1 | \"a\" |",
        "  | a | n | => x |\n  gold, 1, \"a\"",
        "",
        "  | a | | => x |\n  | gold | 1 | 2 |",
        "  | a | n | => x |\n  | gold | = 1 | 2 |\n  | silver or | 1..  | \"b |",
        "  | a | when | => x |\n  | gold | n = 1 | 2 |",
    ));
}

#[test]
fn characters() {
    insta::assert_snapshot!(each!(body:
        "let 总额 = 合计（订单）", "let x = a\u{a0}+ 1", "let x = a – 1", "let x = a × 2", "let x = \u{0}", "let x = a \u{200b}+ b",
        "let x = a ≥ b", "let x = 🙂", "let x = a\\b", "let x = `a`", "log.info(“hello {name}”)",
    ));
}

#[test]
fn several_mistakes_in_one_pass() {
    insta::assert_snapshot!(script(
        "use crm\n\nflow a(x: int {\n  let y = \n  if x = 3 {\n    fial bad()\n  }\n}\n\nrecord R {\n  a int\n  b: text\n  c = 4\n}\n\nrules r(a: int) -> text {\n  | a | => t |\n  | 1 |\n  | < | \"b\" |\n}\n"
    ));
}

#[test]
fn at_most_fifty() {
    let text = format!("flow a() {{\n{}}}\n", "  let x 5\n".repeat(200));
    assert_eq!(parse(SourceId(0), &text).1.len(), 50);
}

#[test]
fn templates() {
    let template = |text: &str| plain(text, &parse_template(SourceId(0), text).1);
    insta::assert_snapshot!(each!(template:
        "Dear {name", "{for x of xs}\n{end}", "{for x in xs}\na", "{end}", "{else}", "{if a = b}\n{end}", "body { color: red }",
        "{a +}", "{if a}x{else}y{else}z{end}",
    ));
}

#[test]
fn cells_of_files() {
    let cell = |text: &str| {
        let padded = format!("a;b;{text}");
        plain(&padded, &parse_cell(SourceId(0), text, 4, CellKind::Test).1)
    };
    insta::assert_snapshot!(each!(cell: "> 1, < 3", ">= 9,90 EUR", "gold silver", "\"abc", "", ">= (1", "10 €"));
}
