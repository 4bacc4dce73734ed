//! Puts the findings of all checks in the order in which people read them.

use super::Finding;
use std::cmp::Reverse;
use std::collections::HashSet;

/// Sorts findings by their place and leaves out those that say the same of the same place again.
///
/// Findings without a place come first: they are about the whole. At one place errors come before
/// warnings, and wider spans before narrower ones.
pub fn settle(mut findings: Vec<Finding>) -> Vec<Finding> {
    // Stable: findings that say different things of one place stay in the order they were made in.
    findings.sort_by_key(|finding| {
        let place = finding.span().map(|span| (span.source, span.start, Reverse(span.end)));
        (place, finding.severity)
    });
    let mut seen = HashSet::new();
    let mut first = |finding: &Finding| seen.insert((finding.code.id, finding.span(), finding.message.clone()));
    findings.retain(|finding| first(finding));
    findings
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::{cli, file};
    use super::*;
    use crate::text::{SourceId, Span};

    #[test]
    fn findings_are_sorted_and_said_once() {
        let at = |start, end| Span::new(SourceId(0), start, end);
        let findings = vec![
            Finding::new(&file::MISSING, at(7, 9), "b"),
            Finding::new(&file::MISSING, at(3, 4), "a"),
            Finding::without_place(&cli::NO_SCRIPTS, "c"),
            Finding::new(&file::MISSING, at(7, 9), "b"),
            Finding::new(&file::MISSING, at(7, 12), "wide"),
            Finding::new(&file::MISSING, Span::new(SourceId(1), 0, 1), "other"),
        ];
        let order: Vec<_> = settle(findings).into_iter().map(|finding| finding.message).collect();
        assert_eq!(order, ["c", "a", "wide", "b", "other"]);
    }
}
