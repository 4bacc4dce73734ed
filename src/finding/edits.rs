//! Makes the edits that findings carry.

use super::{Finding, Fix};
use crate::text::SourceId;

/// A text after edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The text.
    pub text: String,
    /// The findings whose edits were made, by their positions.
    pub made: Vec<usize>,
}

/// Makes the edits of the findings that `wanted` says, those of a finding together or not at all; none when there is
/// nothing to edit. A finding whose edits meet those of an earlier one waits for the next time, unless they are the same.
pub fn edit(text: &str, source: SourceId, findings: &[Finding], wanted: impl Fn(usize) -> bool) -> Option<Edited> {
    let mut edits: Vec<&Fix> = Vec::new();
    let mut made = Vec::new();
    for (index, finding) in findings.iter().enumerate().filter(|(index, _)| wanted(*index)) {
        if !is_fixable(finding, source, text) {
            continue;
        }
        let fits = |fix: &Fix| edits.iter().all(|other| *other == fix || !meet(other, fix));
        let apart = finding
            .fixes
            .iter()
            .enumerate()
            .all(|(at, fix)| finding.fixes.iter().skip(at + 1).all(|other| !meet(fix, other)));
        if apart && finding.fixes.iter().all(fits) {
            for fix in &finding.fixes {
                if !edits.contains(&fix) {
                    edits.push(fix);
                }
            }
            made.push(index);
        }
    }
    if made.is_empty() {
        return None;
    }
    edits.sort_by_key(|fix| (fix.span.start, fix.span.end));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for fix in edits {
        out.push_str(text.get(at..fix.span.start as usize)?);
        out.push_str(&fix.replacement);
        at = fix.span.end as usize;
    }
    out.push_str(text.get(at..)?);
    Some(Edited { text: out, made })
}

/// Whether a finding has edits, all of them in this text.
pub fn is_fixable(finding: &Finding, source: SourceId, text: &str) -> bool {
    let fits =
        |fix: &Fix| fix.span.source == source && fix.span.start <= fix.span.end && text.get(fix.span.range()).is_some();
    !finding.fixes.is_empty() && finding.fixes.iter().all(fits)
}

/// Whether two edits touch the same characters, or insert at the same place.
fn meet(one: &Fix, other: &Fix) -> bool {
    let (one, other) = (one.span, other.span);
    one.start < other.end && other.start < one.end || one.start == other.start || one.end == other.end
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::name;
    use super::*;
    use crate::text::Span;

    fn finding(edits: &[(usize, usize, &str)]) -> Finding {
        let at = |start, end| Span::new(SourceId(0), start, end);
        edits.iter().fold(Finding::new(&name::UNKNOWN, at(0, 1), ""), |finding, (start, end, text)| {
            finding.fix(at(*start, *end), *text)
        })
    }

    #[test]
    fn edits_are_made_together_or_not_at_all() {
        let findings = [
            finding(&[(0, 3, "let"), (8, 9, "2")]),
            finding(&[(2, 5, "x")]),
            finding(&[(4, 5, "total")]),
            finding(&[(4, 5, "total")]),
            finding(&[]),
            finding(&[(90, 91, "z")]),
        ];
        let edited = edit("var t = 1", SourceId(0), &findings, |_| true).unwrap();
        assert_eq!(edited, Edited { text: "let total = 2".to_string(), made: vec![0, 2, 3] });
        assert_eq!(edit("var t = 1", SourceId(0), &findings, |index| index == 4), None);
        assert_eq!(edit("var t = 1", SourceId(1), &findings, |_| true), None);
    }
}
