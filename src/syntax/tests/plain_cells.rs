//! Plain cells, which are read without the grammar, are what the grammar makes of them.

use crate::finding::Finding;
use crate::syntax::grammar;
use crate::syntax::lower::{ColumnRole, Lower};
use crate::syntax::tree::Cell;
use crate::text::SourceId;
use proptest::prelude::*;

const ROLES: [ColumnRole; 3] = [ColumnRole::Test, ColumnRole::Condition, ColumnRole::Outcome];

fn lowered(make: impl FnOnce(&mut Lower) -> Option<Cell>) -> Option<(Cell, Vec<Finding>)> {
    let mut findings = Vec::new();
    let mut lower = Lower { source: SourceId(0), offset: 7, findings: &mut findings };
    let cell = make(&mut lower);
    cell.map(|cell| (cell, findings))
}

fn plain(role: ColumnRole, text: &str) -> Option<(Cell, Vec<Finding>)> {
    lowered(|lower| lower.plain_cell(role, text))
}

fn by_grammar(role: ColumnRole, text: &str) -> Option<(Cell, Vec<Finding>)> {
    let pair = grammar::parse(role.rule(), text).ok()?.next()?;
    lowered(|lower| Some(lower.cell(role, pair)))
}

/// Both say the same, places and findings included, or the plain reader says nothing.
fn agrees(text: &str) {
    for role in ROLES {
        if let Some(plain) = plain(role, text) {
            assert_eq!(format!("{:?}", Some(plain)), format!("{:?}", by_grammar(role, text)), "{role:?} {text:?}");
        }
    }
}

#[test]
fn what_large_tables_say_is_plain() {
    for text in [
        "-",
        "gold",
        "north, east",
        "true",
        "none",
        "some",
        "otherwise",
        "\"\"",
        "\"K1\", \"K2\"",
        "3",
        "3..25",
        "0.5..1.5",
        "< 3",
        ">= 1000 EUR",
        ">= 3 and < 9",
        "15%",
        "2.5%",
        "99.90 EUR",
        "3 days",
        "< 1 hour",
        "06:00",
        "< 18:30",
        "2026-11-22",
        "not gold",
        "not \"K0\" and not \"K1\"",
        "== 3",
        "!= none",
        "99999999999999999999",
    ] {
        assert!(plain(ColumnRole::Test, text).is_some(), "{text}");
        agrees(text);
    }
    for text in ["otherwise", "-"] {
        assert!(plain(ColumnRole::Condition, text).is_some(), "{text}");
        agrees(text);
    }
    for text in ["gold", "15%", "\"too late\"", "none", "0", "4 EUR", "0.00 EUR"] {
        assert!(plain(ColumnRole::Outcome, text).is_some(), "{text}");
        agrees(text);
    }
}

#[test]
fn what_is_not_plain_is_left_to_the_grammar() {
    for text in [
        "",
        "-5",
        "9,90 EUR",
        "3, < 5",
        "gold or silver",
        "a.b",
        "f(1)",
        "\"{x}\"",
        "\"\"\"a\"\"\"",
        "1 + 2",
        "it",
        "null",
        "1_000",
        "3 daysx",
        "3 EURO",
        "goldé",
        "2026-11",
        "12:3",
        "2026-11-22T06:00Z",
        "3..",
        "(3)",
        "3x",
        "\"a\" x",
    ] {
        for role in ROLES {
            assert!(plain(role, text).is_none(), "{role:?} {text:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn plain_cells_are_what_the_grammar_makes_of_them(pieces in prop::collection::vec(prop::sample::select(vec![
        "-", ",", ", ", " ", " and ", " or ", "not ", "not", "<", "<= ", ">= ", "== ", "!=", "..", ".", "gold", "north", "true",
        "none", "some", "otherwise", "it", "if", "null", "3", "12", "2026", "06", ":30", "-11", "-22", ".5", "1_0", "%", " EUR", " EURO",
        " EUR_", " days", " day", " hours", " weeks", " dayss", "\"K1\"", "\"\"", "\"", "\"a\\n\"", "\"{x}\"", "é", "_", "x", "(", ")",
        "99999999999999999999999999999999", "\n", "\t", "T06:00Z",
    ]), 1..7)) {
        agrees(&pieces.concat());
    }
}
