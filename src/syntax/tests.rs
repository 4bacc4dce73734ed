//! Tests of the parser.

use super::parse;
use crate::text::SourceId;

#[test]
fn reads_the_one_page_script() {
    let text = include_str!("../../tests/scripts/one_page.rpa");
    let (script, findings) = parse(SourceId(0), text);
    assert_eq!(findings, []);
    assert_eq!(script.items.len(), 11);
}
