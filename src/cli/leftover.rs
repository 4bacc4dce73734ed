//! What is left over in a project: declarations, fields and members that no script of it uses.
//!
//! A script alone is told of what it needs itself; what it holds may be there for the scripts that use it. When whole
//! folders are checked, all that use it are known.

use super::check::looked_at;
use crate::check::Checked;
use crate::finding::catalogue::unused;
use crate::finding::{Finding, Label, Severity};
use crate::text::{Source, SourceId, Sources, Span};
use crate::world::Project;
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

/// A script that was checked: what was found in it, and the texts that it points into.
type Report = (Vec<Finding>, Sources);

/// A script, where in it something is declared, and what is said of that: one place may declare several things.
type Place = (PathBuf, u32, String);

/// What the scripts that were checked say of what they do not use.
#[derive(Default)]
pub(super) struct Leftover {
    /// In how many of the scripts that were checked each script is.
    loaded: BTreeMap<PathBuf, usize>,
    /// What some of them do not use.
    places: BTreeMap<Place, Unused>,
    /// The folder of the project of each script that was checked.
    projects: BTreeMap<PathBuf, PathBuf>,
    /// Whether something could not be read to its end.
    is_broken: bool,
}

/// Something that some scripts do not use.
struct Unused {
    finding: Finding,
    /// How many of the scripts that were checked do not use it.
    count: usize,
    /// Whether one of them has what it was meant for.
    is_meant: bool,
}

impl Leftover {
    /// Takes in what checking a script gave.
    pub(super) fn note(&mut self, project: &Project, checked: &Checked) {
        // Warnings that a project calls errors change nothing of what is used.
        let is_broken = |finding: &Finding| finding.is_error() && finding.code.severity == Severity::Error;
        self.is_broken |= checked.findings.iter().any(is_broken);
        if let Some(path) = checked_script(&checked.sources).and_then(|(_, source)| real_path(source)) {
            self.projects.insert(path, project.folder.clone());
        }
        for (_, source) in checked.sources.iter().filter(|(_, source)| !source.is_library) {
            if let Some(path) = real_path(source) {
                *self.loaded.entry(path).or_default() += 1;
            }
        }
        for unused in &checked.unused_here {
            let Some(span) = unused.finding.span() else { continue };
            let Some(path) = checked.sources.get(span.source).and_then(real_path) else { continue };
            let place = (path, span.start, unused.finding.message.clone());
            let new = || Unused { finding: unused.finding.clone(), count: 0, is_meant: false };
            let of = self.places.entry(place).or_insert_with(new);
            of.count += 1;
            of.is_meant |= unused.is_meant;
        }
    }

    /// Takes out of the reports what other scripts may use, and puts in what none of a whole project uses.
    pub(super) fn settle(&self, reports: &mut [Report], paths: &[String]) {
        let used = used_by_others(reports);
        let left_over = if of_folders(paths) { self.left_over(&used, &looked_at(paths)) } else { Vec::new() };
        for (findings, sources) in reports {
            findings.retain(|finding| !is_for_others(finding, sources, &used));
            let own = checked_script(sources).and_then(|(_, source)| real_path(source));
            let of_this = left_over.iter().filter(|(path, _)| own.as_ref() == Some(*path));
            let moved = of_this.map(|(_, finding)| Finding {
                labels: in_source(finding, sources),
                fixes: Vec::new(),
                ..(*finding).clone()
            });
            findings.extend(moved.collect::<Vec<_>>());
        }
    }

    /// What there is in scripts which others use that none of those uses, with the script that it is in.
    fn left_over(&self, used: &HashSet<PathBuf>, looked_at: &[PathBuf]) -> Vec<(&PathBuf, &Finding)> {
        if self.is_broken {
            return Vec::new();
        }
        // In a part of a project nobody knows what the rest of it uses.
        let is_whole = |path: &PathBuf| {
            self.projects.get(path).is_some_and(|folder| looked_at.iter().any(|named| folder.starts_with(named)))
        };
        let mut said: HashSet<(&PathBuf, u32, &str)> = HashSet::new();
        let mut found = Vec::new();
        for ((path, start, _), unused) in &self.places {
            let is_left_over = unused.is_meant && self.loaded.get(path) == Some(&unused.count);
            // One finding a place; the others show when this is mended.
            if is_left_over
                && used.contains(path)
                && is_whole(path)
                && said.insert((path, *start, unused.finding.code.id))
            {
                found.push((path, &unused.finding));
            }
        }
        found
    }
}

fn real_path(source: &Source) -> Option<PathBuf> {
    source.path.as_ref()?.canonicalize().ok()
}

/// The labels of a finding about a script, in the sources in which it is the first.
fn in_source(finding: &Finding, sources: &Sources) -> Vec<Label> {
    let first = checked_script(sources).map(|(id, _)| id);
    let moved = |label: &Label| Label {
        span: Span { source: first.unwrap_or(label.span.source), ..label.span },
        ..label.clone()
    };
    finding.labels.iter().map(moved).collect()
}

/// The script that was checked: the first of its sources that is none of the library.
fn checked_script(sources: &Sources) -> Option<(SourceId, &Source)> {
    sources.iter().find(|(_, source)| !source.is_library)
}

/// Whether all that is named are folders: a project as a whole, as far as can be told.
fn of_folders(paths: &[String]) -> bool {
    paths.iter().all(|path| Path::new(path).is_dir())
}

/// The scripts that others of those that were checked use.
fn used_by_others(reports: &[Report]) -> HashSet<PathBuf> {
    // The first script of each is the one that was checked.
    let of_one = |sources: &Sources| {
        let scripts = sources.iter().filter(|(_, source)| !source.is_library).map(|(_, source)| source);
        scripts.skip(1).filter_map(real_path).collect::<Vec<_>>()
    };
    reports.iter().flat_map(|(_, sources)| of_one(sources)).collect()
}

/// Whether a finding says that nothing in a script uses what the scripts that use it may need.
fn is_for_others(finding: &Finding, sources: &Sources, used: &HashSet<PathBuf>) -> bool {
    let path = || real_path(sources.get(finding.span()?.source)?);
    let codes = [unused::DECLARATION.id, unused::FIELD.id, unused::MEMBER.id];
    !used.is_empty() && codes.contains(&finding.code.id) && path().is_some_and(|path| used.contains(&path))
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::super::tests::{folder, ran};

    /// What is said of the scripts in a folder; warnings are errors.
    fn said_of(path: &str) -> String {
        ran(&["check", path, "--deny", "warnings"], "").2
    }

    #[test]
    fn a_declaration_may_be_there_for_other_scripts() {
        let shared = "const rate = 19%\nconst old_rate = 16%\n\ntest \"rates\" {\n  expect old_rate == 16%\n}\n";
        let (_folder, path) = folder(&[("shared.rpa", shared)]);
        let alone = ran(&["check", &format!("{path}/shared.rpa")], "").2;
        assert!(alone.contains("`rate` is never used"), "{alone}");
        std::fs::write(
            format!("{path}/one.rpa"),
            "use \"shared.rpa\"\n\nfn tax(net: money) -> money = net * shared.rate\n",
        )
        .unwrap();
        let (status, output, errors) = ran(&["check", &path, "--deny", "warnings"], "");
        assert_eq!((status, output.as_str()), (Status::Fine, "2 scripts: no findings\n"), "{errors}");
    }

    #[test]
    fn what_no_script_of_a_project_uses_is_left_over() {
        let shared = "const rate = 19%\n\nconst old_rate = 16%\n\n/// Two of it.\nfn twice(x: int) -> int = x * 2\n\nfn half(x: int) -> decimal = x / 2\n";
        let a = "use \"shared.rpa\"\n\nfn tax(net: money) -> money = net * shared.rate\n";
        let b = "use \"shared.rpa\"\n\nfn four(x: int) -> int = shared.twice(shared.twice(x))\n";
        let (_folder, path) = folder(&[("shared.rpa", shared), ("a.rpa", a), ("b.rpa", b)]);
        let (status, _, said) = ran(&["check", &path, "--deny", "warnings"], "");
        assert_eq!(status, Status::Failed, "{said}");
        assert!(said.contains("`old_rate` is never used") && said.contains("`half` is never used"), "{said}");
        assert!(!said.contains("`rate` is") && !said.contains("`twice` is"), "{said}");
        // Of a script alone nobody knows what others make of it.
        assert_eq!(ran(&["check", &format!("{path}/shared.rpa"), "--deny", "warnings"], "").0, Status::Fine);
    }

    const GOODS: &str = r#"record Line {
  sku: text
  pieces: int
  weight: decimal
  color: text
}

enum Way { direct, approval, refused, returned }

/// How an amount is paid.
rules way(amount: money EUR) -> Way {
  | amount     | => way   |
  | <= 100 EUR | direct   |
  | > 100 EUR  | approval |
}

/// One piece.
fn line(sku: text) -> Line = Line(sku: sku, pieces: 1, weight: 2.5, color: "red")
"#;

    const COUNTS: &str = r#"use "goods.rpa"

flow count(skus: [text]) {
  let lines = skus.map(goods.line(it))
  step note {
    for line in lines { log.info("{line.sku}: {line.pieces}") }
  }
}
"#;

    const PAYS: &str = r#"use "goods.rpa"

flow pay(amount: money EUR, sku: text) {
  step note { log.info("{goods.way(amount) == direct} {goods.line(sku).color}") }
}
"#;

    #[test]
    fn fields_and_members_are_unused_when_no_script_of_a_project_uses_them() {
        let (_folder, path) = folder(&[("goods.rpa", GOODS), ("counts.rpa", COUNTS), ("pays.rpa", PAYS)]);
        let said = said_of(&path);
        assert!(said.contains("nothing reads the field `weight` of `Line`"), "{said}");
        assert!(said.contains("nothing gives or asks for the member `refused` of `Way`"), "{said}");
        assert_eq!(said.matches("unused::").count(), 2, "{said}");
        // What shares its files with nobody says nothing of them.
        for alone in ["goods.rpa", "counts.rpa", "pays.rpa"] {
            assert_eq!(said_of(&format!("{path}/{alone}")), "", "{alone}");
        }
        // Without a script that makes a line nobody could read its fields.
        std::fs::remove_file(format!("{path}/counts.rpa")).unwrap();
        let reader = "use \"goods.rpa\"\n\nflow heavy(amount: money EUR) {\n  step note { log.info(\"{goods.way(amount) != approval}\") }\n}\n";
        std::fs::write(format!("{path}/pays.rpa"), reader).unwrap();
        let said = said_of(&path);
        assert!(said.contains("the function `line` is never used"), "{said}");
    }

    #[test]
    fn a_field_of_a_script_with_flows_may_be_read_by_others() {
        let main = "record Point {\n  row: int\n  column: int\n}\n\n/// A point on the diagonal.\nfn point(at: int) -> Point = Point(row: at, column: at)\n\nflow find(at: int) {\n  step note { log.info(\"{point(at).row}\") }\n}\n";
        let other =
            "use \"main.rpa\"\n\nflow other(at: int) {\n  step note { log.info(\"{main.point(at).column}\") }\n}\n";
        let (_folder, path) = folder(&[("main.rpa", main), ("other.rpa", other)]);
        assert_eq!(said_of(&path), "");
        std::fs::remove_file(format!("{path}/other.rpa")).unwrap();
        assert!(said_of(&path).contains("nothing reads the field `column` of `Point`"));
    }

    #[test]
    fn a_part_of_a_project_does_not_say_what_the_rest_uses() {
        let (_folder, path) = folder(&[("rpa.toml", ""), ("far.rpa", &PAYS.replace("goods.rpa", "part/goods.rpa"))]);
        std::fs::create_dir(format!("{path}/part")).unwrap();
        std::fs::write(format!("{path}/part/goods.rpa"), GOODS).unwrap();
        std::fs::write(format!("{path}/part/counts.rpa"), COUNTS).unwrap();
        assert_eq!(said_of(&format!("{path}/part")), "");
        assert_eq!(said_of(&path).matches("unused::").count(), 2);
    }

    #[test]
    fn what_a_project_would_say_can_be_allowed() {
        let kept = GOODS
            .replace("  weight:", "  // allow(unused::field): for the shop of next year\n  weight:")
            .replace("enum Way", "// allow(unused::member): the partner sends both\nenum Way");
        let (_folder, path) = folder(&[("goods.rpa", &kept), ("counts.rpa", COUNTS), ("pays.rpa", PAYS)]);
        assert_eq!(said_of(&path), "");
        assert_eq!(said_of(&format!("{path}/goods.rpa")), "");
        // One for what is used silences nothing.
        let needless = GOODS.replace("  color:", "  // allow(unused::field): for the shop\n  color:");
        std::fs::write(format!("{path}/goods.rpa"), needless).unwrap();
        assert!(said_of(&path).contains("check::unused-allow"));
    }
}
