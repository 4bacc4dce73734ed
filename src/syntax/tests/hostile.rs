//! Texts that nobody wrote to be read: nothing panics, every place lies in the text.

use super::all_scripts;
use crate::finding::Finding;
use crate::format::format;
use crate::format::tests::checked;
use crate::syntax::{CellKind, is_incomplete, parse, parse_cell, parse_expression, parse_repl, parse_template};
use crate::text::SourceId;
use proptest::prelude::*;
use std::fmt::Debug;

/// Reads a text in every way there is; returns the findings of the script.
fn read(text: &str) -> Vec<Finding> {
    let source = SourceId(0);
    let (script, findings) = parse(source, text);
    places(text, &script);
    places(text, &findings);
    let (template, found) = parse_template(source, text);
    places(text, &(template, found));
    places(text, &parse_repl(source, text));
    places(text, &parse_expression(source, text));
    for kind in [CellKind::Test, CellKind::Condition, CellKind::Outcome] {
        places(text, &parse_cell(source, text, 0, kind));
    }
    is_incomplete(text);
    if findings.is_empty() {
        checked(text);
    } else {
        assert!(format(text).is_err());
    }
    findings
}

/// Every place in the `Debug` form of something is a piece of the text.
fn places(text: &str, something: &impl Debug) {
    let debug = format!("{something:?}");
    for place in debug.split("Span { source: SourceId(0), start: ").skip(1) {
        let mut numbers = place.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
        let start: usize = numbers.next().unwrap().parse().unwrap();
        let end: usize = numbers.next().unwrap().parse().unwrap();
        assert!(text.get(start..end).is_some(), "{start}..{end} is no place in {text:?}: {debug}");
    }
}

/// Only the first thing of each kind is looked at, in sizes that a debug build reads at once.
#[test]
fn extremes() {
    let cases = [
        "x".repeat(300_000),
        "1+".repeat(200_000),
        "a.".repeat(100_000),
        "(".repeat(10_000),
        format!("const x = {}1{}", "(".repeat(10_000), ")".repeat(10_000)),
        format!("const x = {}1{}", "(".repeat(60), ")".repeat(60)),
        format!("const x = {}", "not ".repeat(10_000)),
        format!("const x = {}1", "-".repeat(10_000)),
        format!("const x = {}1", "if a then b else ".repeat(5_000)),
        format!("const x = 1{}", " + 1".repeat(5_000)),
        format!("const x = a{}", ".b(1)".repeat(5_000)),
        format!("const x = a{}", "[1]".repeat(5_000)),
        format!("const x = {}", "\"{".repeat(5_000)),
        format!("const x = {}1{}", "\"{".repeat(60), "}\"".repeat(60)),
        format!("const x = \"{{{}}}\"", "if a then b else ".repeat(5_000)),
        format!("const x: {}int = 1", "pii ".repeat(5_000)),
        format!("const x: int{} = 1", "?".repeat(5_000)),
        format!("const x: {}int = 1", "[".repeat(5_000)),
        format!("flow f() {{\n{}", "if x {\n".repeat(20_000)),
        format!("flow f() {{\nif x {{ }}{}", " else if y { }".repeat(5_000)),
        format!("flow f() {{\n{}", "match x { a => ".repeat(5_000)),
        format!("flow f() {{\n{}", "} else {\n".repeat(5_000)),
        "}".repeat(10_000),
        "{".repeat(10_000),
        "\"".repeat(10_001),
        "\"\"\"".into(),
        "\"\"\"\\".into(),
        "\"\\".into(),
        "'".repeat(1_001),
        "“".repeat(1_000),
        "|".repeat(10_000),
        format!("rules r(a: int) -> int {{\n{}", "|".repeat(10_000)),
        format!("rules r(a: int) -> int {{\n| a | => b |\n| {} | 1 |\n}}", "not ".repeat(10_000)),
        format!("rules r(a: int) -> int {{\n| a | => b |\n| {} | 1 |\n}}", "1, ".repeat(10_000)),
        "// comment\n".repeat(10_000),
        format!("const x = 1\n{}+ 2", "// comment\n".repeat(10_000)),
        format!("const x = (\n{}1)", "\n// comment".repeat(10_000)),
        "/*".repeat(10_000),
        "#\n".repeat(1_000),
        "\u{feff}use crm\r\n\r\nconst x = 1\r\n".into(),
        "\u{feff}".into(),
        "\0\0\0".into(),
        "const x = \0".into(),
        "\tconst\tx\t=\t1\t".into(),
        "\r\r\r".into(),
        "{if a}".repeat(5_000),
        "{for a in b}".repeat(5_000),
        format!("{{if a}}{}", "{else if b}".repeat(5_000)),
        "{end}".repeat(5_000),
        "{else}".repeat(5_000),
        format!("{}\n", "{".repeat(20_000)),
        "const x = a <= b >= c == d".into(),
        "use \"".into(),
        "use \"{".into(),
        "x = y = z".into(),
        String::from_utf8_lossy(&(0..=255).cycle().take(5_000).collect::<Vec<u8>>()).into_owned(),
    ];
    for case in cases {
        read(&case);
    }
}

#[test]
fn nesting_is_reported_once() {
    let deep = format!("const x = {}1{}\n", "(".repeat(10_000), ")".repeat(10_000));
    let codes: Vec<&str> = parse(SourceId(0), &deep).1.iter().map(|finding| finding.code.id).collect();
    assert_eq!(codes, ["syntax::too-deep"]);
    let blocks = format!("flow f() {{\n{}{}}}\n", "if x {\n".repeat(500), "}\n".repeat(500));
    let codes: Vec<&str> = parse(SourceId(0), &blocks).1.iter().map(|finding| finding.code.id).collect();
    assert_eq!(codes, ["syntax::too-deep"]);
}

const WORDS: &[&str] = &[
    "flow ",
    "f",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "\n",
    "\n  ",
    " ",
    "let ",
    "x",
    " = ",
    "==",
    "1",
    "2026-11-22",
    "06:00",
    "99 EUR",
    "15%",
    "3 days",
    "\"",
    "\"\"\"",
    "\\",
    "{",
    "// c",
    "/// d",
    "|",
    " => ",
    "-",
    ">",
    "not ",
    "and ",
    "or ",
    "if ",
    "then ",
    "else ",
    "match ",
    "for ",
    "in ",
    "step ",
    "retry 3 times",
    "undo ",
    "on ",
    "go to ",
    "rules ",
    "record ",
    "entity ",
    "enum ",
    "A",
    ":",
    "int",
    "?",
    ".",
    "..",
    ",",
    "test \"t\" ",
    "policy ",
    "before ",
    "requires ",
    "every ",
    "day",
    "use crm",
    "fn ",
    "task ",
    "fails ",
    "it",
    "none",
    "some",
    "is ",
    "run ",
    "start ",
    "é",
    "总",
    "🙂",
    "\r\n",
    "\t",
    ";",
    "#",
    "'",
    "“",
    "\0",
    "stop",
    "return ",
    "give ",
    "parallel ",
    "stub ",
    "expect ",
    "rule ",
    "as ",
    "{end}",
    "{for x in y}",
    "{if a}",
    "{else}",
    "\\{",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        read(&text);
    }

    #[test]
    fn any_words_are_read(words in prop::collection::vec(prop::sample::select(WORDS), 0..60)) {
        read(&words.concat());
    }

    #[test]
    fn changed_scripts_are_read(
        which in any::<prop::sample::Index>(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..40, prop::sample::select(WORDS)), 1..4),
        window in any::<prop::sample::Index>(),
    ) {
        let scripts = all_scripts();
        let (_, text) = &scripts[which.index(scripts.len())];
        // A part of the script is enough, and much faster.
        let lines: Vec<&str> = text.lines().collect();
        let from = window.index(lines.len());
        let mut text = lines[from..(from + 40).min(lines.len())].join("\n");
        for (at, length, word) in cuts {
            let mut start = at.index(text.len() + 1);
            while !text.is_char_boundary(start) { start -= 1; }
            let mut end = (start + length).min(text.len());
            while !text.is_char_boundary(end) { end -= 1; }
            text.replace_range(start..end.max(start), word);
        }
        read(&text);
    }
}
