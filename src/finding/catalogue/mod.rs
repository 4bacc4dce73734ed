//! The catalogue of codes: every finding and every failure that the program can report.
//!
//! One file a group (`name::…`, `type::…`); each code is a constant with its page, from which
//! `rpa explain` and `docs/findings.md` are made.

use super::Severity;

/// A kind of finding, with the page that `rpa explain` prints.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `group::name`; never reused for something else.
    pub id: &'static str,
    /// How much such a finding matters, unless a project says otherwise.
    pub severity: Severity,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Why it matters, in a few sentences.
    pub why: &'static str,
    /// A script that has the finding; empty for failures that a script alone can't show.
    pub bad: &'static str,
    /// The same script put right.
    pub good: &'static str,
}

/// The groups of the catalogue.
const GROUPS: &[&[&Code]] = &[];

/// Every code, in the order of the groups.
pub fn all() -> impl Iterator<Item = &'static Code> {
    GROUPS.iter().flat_map(|group| group.iter().copied())
}

/// The code with this id.
pub fn find(id: &str) -> Option<&'static Code> {
    all().find(|code| code.id == id)
}
