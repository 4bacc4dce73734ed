//! Holds the pages of the catalogue to what they say: the bad example has the finding, the good one has none.

#![allow(clippy::disallowed_methods, reason = "tests read and write files")]

use rpa::finding::{Code, Finding, catalogue};
use rpa::text::SourceId;

/// What finds something in a script.
type Finder = fn(&str) -> Vec<Finding>;

/// The groups whose findings a script alone shows, each with what finds them.
const GROUPS: &[(&str, Finder)] = &[
    ("syntax", parsed),
    ("check", checked),
    ("name", checked),
    ("money", checked),
    ("privacy", checked),
    ("secret", checked),
    ("style", checked),
    ("time", checked),
    ("type", checked),
    ("effect", checked),
    ("flow", checked),
    ("policy", checked),
    ("decision", checked),
    ("reaction", checked),
    ("unused", checked),
];

fn parsed(script: &str) -> Vec<Finding> {
    rpa::syntax::parse(SourceId(0), script).1
}

fn checked(script: &str) -> Vec<Finding> {
    rpa::check::check(rpa::text::Source::new("script.rpa", script), &rpa::check::Memory::new()).findings
}

#[test]
fn examples_show_what_they_are_examples_of() {
    let mut offences = Vec::new();
    for (group, findings_of) in GROUPS {
        let codes = catalogue::all().filter(|code| code.group() == *group && !code.bad.is_empty());
        let codes: Vec<_> = codes.collect();
        assert!(!codes.is_empty(), "the group {group} has no examples");
        for code in codes {
            let bad = findings_of(code.bad);
            if !bad.iter().any(|finding| finding.code.id == code.id) {
                offences.push(format!("the bad example of {} has {}", code.id, ids(&bad, code.bad)));
            }
            let good = findings_of(code.good);
            if !good.is_empty() {
                offences.push(format!("the good example of {} has {}", code.id, ids(&good, code.good)));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n\n"));
}

fn ids(findings: &[Finding], script: &str) -> String {
    let ids: Vec<_> = findings.iter().map(|Finding { code: Code { id, .. }, .. }| *id).collect();
    format!("{ids:?}:\n{script}")
}
