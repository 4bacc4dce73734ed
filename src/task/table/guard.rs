//! Texts that a spreadsheet program would take for formulas; see `csv::write`.

use std::borrow::Cow;

/// A text that no spreadsheet program takes for a formula.
pub(in crate::task) fn guarded(text: &str) -> Cow<'_, str> {
    if needs_guard(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

fn needs_guard(text: &str) -> bool {
    match text.as_bytes() {
        [b'=' | b'@' | b'\t' | b'\r', ..] => true,
        [b'+' | b'-', rest @ ..] => !rest.iter().all(|byte| byte.is_ascii_digit() || b" .,()/-".contains(byte)),
        [b'\'', rest @ ..] => std::str::from_utf8(rest).is_ok_and(|rest| rest.starts_with('\'') || needs_guard(rest)),
        _ => false,
    }
}

/// The text that [`guarded`] was given.
pub(in crate::task) fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with('\'') && needs_guard(rest) => rest,
        Some(rest) if !rest.starts_with('\'') && needs_guard(rest) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_that_would_be_formulas_are_guarded() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
            ("+49 (30) 123-45", "+49 (30) 123-45"),
            ("-12.50", "-12.50"),
            ("'=x", "''=x"),
            ("a=b", "a=b"),
            ("'s-Hertogenbosch", "'s-Hertogenbosch"),
        ] {
            assert_eq!(guarded(text), expected);
        }
    }

    proptest! {
        #[test]
        fn what_is_guarded_is_read_again(text in "['=+@\\-a1 \t]{0,6}") {
            let guarded = guarded(&text);
            prop_assert_eq!(unguarded(&guarded), text.as_str());
        }
    }
}
