//! The catalogue of codes: every finding and every failure that the program can report.
//!
//! One file a group (`name::…`, `type::…`); each code is a constant with its page, from which
//! `rpa explain` and `docs/findings.md` are made.

// A new group is a file here and a line in each of the two lists below.
pub mod check;
pub mod cli;
pub mod config;
pub mod decision;
pub mod effect;
pub mod file;
pub mod flow;
pub mod inbox;
pub mod mail;
pub mod money;
pub mod name;
pub mod plan;
pub mod policy;
pub mod privacy;
pub mod proof;
pub mod reaction;
pub mod run;
pub mod secret;
pub mod serve;
pub mod store;
pub mod style;
pub mod syntax;
pub mod time;
pub mod types;
pub mod unused;

/// The groups of the catalogue.
const GROUPS: &[&[&Code]] = &[
    check::GROUP,
    cli::GROUP,
    config::GROUP,
    decision::GROUP,
    effect::GROUP,
    file::GROUP,
    flow::GROUP,
    inbox::GROUP,
    mail::GROUP,
    money::GROUP,
    name::GROUP,
    plan::GROUP,
    policy::GROUP,
    privacy::GROUP,
    proof::GROUP,
    reaction::GROUP,
    run::GROUP,
    secret::GROUP,
    serve::GROUP,
    store::GROUP,
    style::GROUP,
    syntax::GROUP,
    time::GROUP,
    types::GROUP,
    unused::GROUP,
];

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

impl Code {
    /// A code whose findings stop a run.
    pub const fn error(
        id: &'static str,
        title: &'static str,
        why: &'static str,
        bad: &'static str,
        good: &'static str,
    ) -> Code {
        Code { id, severity: Severity::Error, title, why, bad, good }
    }

    /// A code whose findings do not.
    pub const fn warning(
        id: &'static str,
        title: &'static str,
        why: &'static str,
        bad: &'static str,
        good: &'static str,
    ) -> Code {
        Code { id, severity: Severity::Warning, title, why, bad, good }
    }

    /// The group: `name` of `name::unknown`.
    pub fn group(&self) -> &'static str {
        self.id.split("::").next().unwrap_or(self.id)
    }
}

/// Every code, in the order of the groups.
pub fn all() -> impl Iterator<Item = &'static Code> {
    GROUPS.iter().flat_map(|group| group.iter().copied())
}

/// The code with this id.
pub fn find(id: &str) -> Option<&'static Code> {
    all().find(|code| code.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_unique_and_well_formed() {
        let mut seen = HashSet::new();
        for code in all() {
            assert!(seen.insert(code.id), "{} stands twice in the catalogue", code.id);
            let (group, name) = code.id.split_once("::").unwrap_or_default();
            assert!(!group.is_empty() && group.bytes().all(|b| b.is_ascii_lowercase()), "{}", code.id);
            assert!(!name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", code.id);
            assert_eq!(find(code.id), Some(code));
        }
    }

    #[test]
    fn pages_are_complete() {
        for code in all() {
            assert!(!code.title.is_empty() && !code.title.ends_with('.'), "title of {}", code.id);
            assert!(code.why.ends_with('.'), "why of {}", code.id);
            assert_eq!(code.bad.is_empty(), code.good.is_empty(), "{} has one example of two", code.id);
            assert_ne!((code.bad, !code.bad.is_empty()), (code.good, true), "examples of {} are the same", code.id);
        }
    }

    #[test]
    fn groups_hold_only_their_own_codes() {
        for group in GROUPS {
            assert!(group.windows(2).all(|pair| pair[0].group() == pair[1].group()));
        }
    }
}
