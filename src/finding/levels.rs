//! How much findings matter to a project, where it says otherwise than the catalogue: `[check]` in `rpa.toml`, and
//! what the command line denies.

use super::catalogue::{self, Code, proof};
use super::{Finding, Severity};
use std::collections::BTreeMap;

/// How much the findings of a code shall matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// They stop a run.
    Error,
    /// They are shown.
    Warning,
    /// They are not shown.
    Off,
}

/// Why a level can't be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LevelError {
    /// There is neither a code nor a group of this name.
    #[error("there is no finding and no group of findings `{0}`")]
    Unknown(String),
    /// What a script with this error means is not known, so it can't be run.
    #[error("`{0}` can't be less than an error: a script that has it can't be run")]
    Needed(&'static str),
}

/// What a project says of the findings of its scripts. Codes of which it says nothing keep the severity of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Levels {
    by_code: BTreeMap<&'static str, Level>,
    denies_warnings: bool,
}

impl Levels {
    /// Nothing else than what the catalogue says.
    pub const fn of_catalogue() -> Levels {
        Levels { by_code: BTreeMap::new(), denies_warnings: false }
    }

    /// Sets the level of a code (`decision::dead-row`) or of all codes of a group (`unused`). In a group, what can't be
    /// lowered keeps its severity.
    ///
    /// # Errors
    /// When there is no such code, or its findings can't be less than errors.
    pub fn set(&mut self, name: &str, level: Level) -> Result<(), LevelError> {
        if let Some(code) = catalogue::find(name) {
            if level != Level::Error && !can_be_lowered(code) {
                return Err(LevelError::Needed(code.id));
            }
            self.by_code.insert(code.id, level);
            return Ok(());
        }
        let mut group = catalogue::all().filter(|code| code.group() == name).peekable();
        if group.peek().is_none() {
            return Err(LevelError::Unknown(name.to_string()));
        }
        for code in group.filter(|code| level == Level::Error || can_be_lowered(code)) {
            self.by_code.entry(code.id).or_insert(level);
        }
        Ok(())
    }

    /// Makes findings of a code, of all codes of a group, or all `warnings` errors, whatever was said before.
    ///
    /// # Errors
    /// When there is no such code and no such group.
    pub fn deny(&mut self, name: &str) -> Result<(), LevelError> {
        if name == "warnings" {
            self.deny_warnings();
            return Ok(());
        }
        let codes: Vec<&Code> = catalogue::all().filter(|code| code.id == name || code.group() == name).collect();
        if codes.is_empty() {
            return Err(LevelError::Unknown(name.to_string()));
        }
        self.by_code.extend(codes.iter().map(|code| (code.id, Level::Error)));
        Ok(())
    }

    /// From here on every warning is an error.
    pub fn deny_warnings(&mut self) {
        self.denies_warnings = true;
    }

    /// Gives findings the severity that the project wants, and leaves out what it does not want to see.
    pub fn apply(&self, findings: &mut Vec<Finding>) {
        if *self == Levels::of_catalogue() {
            return;
        }
        findings.retain_mut(|finding| self.apply_to(finding));
    }

    /// Gives a finding the severity that the project wants; whether the project wants to see it.
    pub fn apply_to(&self, finding: &mut Finding) -> bool {
        match self.by_code.get(finding.code.id) {
            Some(Level::Off) => return false,
            Some(Level::Error) => finding.severity = Severity::Error,
            Some(Level::Warning) => finding.severity = Severity::Warning,
            None => {}
        }
        if self.denies_warnings {
            finding.severity = Severity::Error;
        }
        true
    }
}

/// Errors that are a judgement of what a script would do: it could be run, and a project or a line of a script may know
/// better. Secrets that leave and policies that are broken are not among them.
const JUDGED: &[&str] = &[
    "config::authority",
    "config::reach",
    "effect::retry-product",
    "effect::retry-repeats",
    "decision::unhandled",
    "flow::circular",
    "flow::endless",
    "flow::no-end",
    "flow::race",
    "privacy::pii-leaves",
    "reaction::endless",
    "secret::literal",
];

/// Whether findings of a code may matter less to a project than the catalogue says: warnings, judgements of what a script
/// would do, and the proofs about tables, for a table that leaves something out runs all the same and fails with `no_row`
/// where nothing fits.
pub fn can_be_lowered(code: &Code) -> bool {
    code.severity == Severity::Warning
        || proof::GROUP.iter().any(|proof| proof.id == code.id)
        || JUDGED.contains(&code.id)
}

/// The names that a level can be set for: every code, then every group.
pub fn names() -> impl Iterator<Item = &'static str> {
    let mut groups: Vec<&'static str> = catalogue::all().map(Code::group).collect();
    groups.dedup();
    catalogue::all().map(|code| code.id).chain(groups)
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::{name, unused};
    use super::*;

    fn severities(levels: &Levels) -> Vec<(&'static str, Severity)> {
        let mut findings = vec![
            Finding::without_place(&name::UNKNOWN, ""),
            Finding::without_place(&unused::LOCAL, ""),
            Finding::without_place(&unused::IMPORT, ""),
            Finding::without_place(&proof::OVERLAP, ""),
        ];
        levels.apply(&mut findings);
        findings.iter().map(|finding| (finding.code.id, finding.severity)).collect()
    }

    #[test]
    fn a_project_says_what_matters() {
        let mut levels = Levels::default();
        levels.set("unused", Level::Off).unwrap();
        // What is said of a code goes before what is said of its group.
        let mut other = Levels::default();
        other.set("unused::import", Level::Error).unwrap();
        other.set("unused", Level::Off).unwrap();
        other.set("decision::overlap", Level::Warning).unwrap();
        assert_eq!(severities(&levels), [("name::unknown", Severity::Error), ("decision::overlap", Severity::Error)]);
        assert_eq!(
            severities(&other),
            [
                ("name::unknown", Severity::Error),
                ("unused::import", Severity::Error),
                ("decision::overlap", Severity::Warning)
            ]
        );
        other.deny_warnings();
        assert!(severities(&other).iter().all(|(_, severity)| *severity == Severity::Error));
    }

    #[test]
    fn judgements_are_errors_of_the_catalogue() {
        for id in JUDGED {
            assert_eq!(catalogue::find(id).map(|code| code.severity), Some(Severity::Error), "{id}");
        }
    }

    #[test]
    fn what_a_script_needs_stays_an_error() {
        let mut levels = Levels::default();
        assert_eq!(levels.set("name::unknown", Level::Off), Err(LevelError::Needed("name::unknown")));
        assert_eq!(levels.set("nam::unknown", Level::Off), Err(LevelError::Unknown("nam::unknown".to_string())));
        levels.set("name", Level::Off).unwrap();
        assert_eq!(severities(&levels).len(), 4);
    }
}
