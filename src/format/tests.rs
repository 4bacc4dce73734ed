//! Tests of the formatter.

use super::format;
use crate::syntax::parse;
use crate::syntax::tests::all_scripts;
use crate::syntax::tests::tree::shape;
use crate::text::SourceId;

/// Formats, and holds what must hold for every script.
pub fn checked(text: &str) -> String {
    let formatted = format(text).unwrap_or_else(|findings| panic!("{findings:#?}\n{text}"));
    let again = format(&formatted).unwrap_or_else(|findings| panic!("not readable: {findings:#?}\n{formatted}"));
    assert_eq!(formatted, again, "formatting twice is not formatting once");
    let (before, _) = parse(SourceId(0), text);
    let (after, _) = parse(SourceId(0), &formatted);
    assert_eq!(shape(&before.items), shape(&after.items), "the tree has changed: {formatted}");
    let comments = |script: &crate::syntax::tree::Script| {
        let mut comments: Vec<String> = script.comments.iter().map(|comment| comment.text.to_string()).collect();
        comments.sort();
        comments
    };
    assert_eq!(comments(&before), comments(&after), "comments were lost: {formatted}");
    formatted
}

#[test]
fn the_one_page_script_is_its_own_form() {
    let text = include_str!("../../tests/scripts/one_page.rpa");
    assert_eq!(checked(text), text);
}

#[test]
fn every_script_keeps_its_tree_and_comments() {
    for (path, text) in all_scripts() {
        println!("{}", path.display());
        checked(&text);
    }
}
