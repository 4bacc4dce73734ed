//! Turns what the proofs found into findings that a person understands at once: the rows, the box in the
//! script's own literals, and one input that shows it.

use super::cover::{Cover, Region, common, cover, holds, meets};
use super::dimension::{Atom, Dimension, literal};
use super::space::Space;
use crate::check::program::{DecisionTable, Program};
use crate::finding::Finding;
use crate::finding::catalogue::proof as codes;
use crate::syntax::tree::HitPolicy;
use crate::value::display::written;
use crate::value::{EcoString, EnumId, ErrorId, RecordId, TypeNames, Value};

/// How many gaps are spelled out in one finding.
const GAPS_SHOWN: usize = 3;
/// How many overlaps of one table are reported.
const OVERLAPS_SHOWN: usize = 10;

/// One table under proof.
pub struct Report<'p> {
    /// The program it is from.
    pub program: &'p Program,
    /// The table.
    pub table: &'p DecisionTable,
    /// Its inputs.
    pub space: &'p Space,
}

impl Report<'_> {
    /// Everything that does not hold.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.never_true();
        findings.extend(self.overlaps());
        findings.extend(self.dead_rows());
        findings.extend(self.gaps());
        findings
    }

    /// Rows whose tests contradict each other.
    fn never_true(&self) -> Vec<Finding> {
        let contradicting = self.regions().filter(|(_, region)| region.iter().any(super::bits::Bits::is_empty));
        contradicting
            .map(|(row, region)| {
                let name = &self.table.rows[row].name;
                let dimension = region.iter().position(super::bits::Bits::is_empty).unwrap_or_default();
                let subject = &self.space.dimensions[dimension].name;
                Finding::new(
                    &codes::NEVER,
                    self.table.rows[row].span,
                    format!("{name} of `{}` can never fire", self.table.name),
                )
                .at(format!("no value of `{subject}` fits"))
                .help("change the test so that some value fits, or delete the row")
            })
            .collect()
    }

    /// Inputs that no row takes.
    fn gaps(&self) -> Vec<Finding> {
        // For these policies, an input without a row is meant: an empty list, the sum of nothing.
        if matches!(self.table.policy, HitPolicy::Collect | HitPolicy::Sum) || self.has_last_resort() {
            return Vec::new();
        }
        let rows: Vec<&Region> = self.regions().map(|(_, region)| region).collect();
        match cover(&self.space.everything(), &rows) {
            Cover::Complete => Vec::new(),
            Cover::Undecided => vec![
                Finding::new(
                    &codes::UNDECIDED,
                    self.table.span,
                    format!("it could not be decided whether `{}` has a row for every input", self.table.name),
                )
                .at("too many combinations of columns")
                .help("add an `otherwise` row that says what happens to the rest"),
            ],
            // What hangs on an opaque condition may be covered by the condition's other outcomes.
            Cover::Open { parts, all } => {
                let certain: Vec<&Region> = parts.iter().filter(|part| self.space.is_certain(part)).collect();
                if certain.is_empty() { vec![self.possible_gap(&parts)] } else { vec![self.gap(&certain, all)] }
            }
        }
    }

    /// A gap that hangs on conditions which may exclude each other for reasons that are not seen here.
    fn possible_gap(&self, parts: &[Region]) -> Finding {
        let words = parts.first().map(|part| self.words(part)).unwrap_or_default();
        let message = format!("`{}` may have no row for some input", self.table.name);
        Finding::new(&codes::UNDECIDED, self.table.span, message)
            .at(format!("when {words}"))
            .note("the conditions are no comparisons with fixed values, so it can't be proved that one always holds")
            .help("end the table with an `otherwise` row that says what happens to the rest")
    }

    fn gap(&self, parts: &[&Region], all: bool) -> Finding {
        let mut lines: Vec<String> =
            parts.iter().take(GAPS_SHOWN).map(|part| format!("  {}", self.words(part))).collect();
        let hidden = parts.len().saturating_sub(GAPS_SHOWN);
        if hidden > 0 || !all {
            lines.push(format!("  and {}{hidden} more", if all { "" } else { "at least " }));
        }
        let message = match parts {
            [only] => format!("`{}` has no row for {}", self.table.name, self.words(only)),
            _ => format!("`{}` has no row for some inputs", self.table.name),
        };
        let mut finding = Finding::new(&codes::GAP, self.table.span, message);
        if parts.len() > 1 {
            finding = finding.note(format!("no row takes\n{}", lines.join("\n")));
        }
        if let Some(part) = parts.first() {
            finding = finding.at(format!("for example {}", self.example(part)));
        }
        let place = self.file().map(|file| format!(" to {file}")).unwrap_or_default();
        finding.help(match parts {
            [only] => format!("add a row `{}`{place}, or an `otherwise` row", self.row_for(only)),
            _ => format!("add the missing rows{place}, or an `otherwise` row that says what happens to the rest"),
        })
    }

    /// The file that the rows are from, when they do not stand in the script.
    fn file(&self) -> Option<&str> {
        let source = self.table.rows.first()?.span.source;
        let source = (source != self.table.span.source).then(|| self.program.sources.get(source))??;
        Some(source.name.as_str())
    }

    /// Pairs of rows that take the same input although only one may.
    fn overlaps(&self) -> Vec<Finding> {
        if !matches!(self.table.policy, HitPolicy::Unique | HitPolicy::Any) {
            return Vec::new();
        }
        let rows: Vec<(usize, &Region)> = self.regions().collect();
        let mut findings = Vec::new();
        let mut possible = None;
        for (position, (first, left)) in rows.iter().enumerate() {
            for (second, right) in &rows[position + 1..] {
                if findings.len() >= OVERLAPS_SHOWN {
                    return findings;
                }
                if meets(left, right) && self.disagree(*first, *second) {
                    let both = common(left, right);
                    // Two opaque conditions may exclude each other for reasons that are not seen here.
                    if self.space.is_certain(&both) {
                        findings.push(self.overlap(*first, *second, &both));
                    } else if possible.is_none() {
                        possible = Some((*first, *second, both));
                    }
                }
            }
        }
        // What can't be decided is said once for a table.
        if let (true, Some((first, second, both))) = (findings.is_empty(), possible) {
            findings.push(self.possible_overlap(first, second, &both));
        }
        findings
    }

    /// Two rows whose conditions may hold at the same time.
    fn possible_overlap(&self, first: usize, second: usize, both: &Region) -> Finding {
        let (first, second) = (&self.table.rows[first], &self.table.rows[second]);
        let message = format!("{} and {} of `{}` may take the same input", first.name, second.name, self.table.name);
        Finding::new(&codes::UNDECIDED, second.span, message)
            .at(format!("when {}", self.words(both)))
            .label(first.span, "and so may this row")
            .note("the conditions are no comparisons with fixed values, so it can't be proved that only one of them holds")
            .help("write the policy `first` behind the result, so that the first row that fits decides")
    }

    /// Under `any`, rows may meet when they say the same; under `unique` they may not meet.
    fn disagree(&self, first: usize, second: usize) -> bool {
        let outcome = |row: usize| &self.table.rows[row].outcome;
        let value = |row: usize| literal(outcome(row), &self.program.constants);
        let text = |row: usize| self.program.sources.slice(outcome(row).span).trim();
        self.table.policy == HitPolicy::Unique
            || match (value(first), value(second)) {
                // `0 EUR` is `0.00 EUR`.
                (Some(first), Some(second)) => first != second,
                _ => text(first) != text(second),
            }
    }

    fn overlap(&self, first: usize, second: usize, both: &Region) -> Finding {
        let (first, second) = (&self.table.rows[first], &self.table.rows[second]);
        let (code, why) = match self.table.policy {
            HitPolicy::Any => (&codes::CONFLICT, "say different things about the same input"),
            _ => (&codes::OVERLAP, "both take the same input"),
        };
        let rows = match (first.name.split_once(", "), second.name.split_once(", ")) {
            (Some((file, first)), Some((_, second))) => format!("{first} and {second} of {file}"),
            _ => format!("{} and {} of `{}`", first.name, second.name, self.table.name),
        };
        Finding::new(code, second.span, format!("{rows} {why}"))
            .at(format!("takes {}", self.words(both)))
            .label(first.span, "and so does this row")
            .note(format!("for example {}", self.example(both)))
            .help("narrow one of the two rows; or say which one wins with the policy `first`")
    }

    /// Rows that never fire, because rows before them take all of their inputs.
    fn dead_rows(&self) -> Vec<Finding> {
        if !matches!(self.table.policy, HitPolicy::First) {
            return self.dead_last_resort();
        }
        let mut findings = Vec::new();
        let mut before: Vec<(usize, &Region)> = Vec::new();
        let mut last_resort = None;
        for (row, region) in self.space.rows.iter().enumerate() {
            let span = self.table.rows[row].span;
            let dead = |by: &str| {
                Finding::new(
                    &codes::DEAD_ROW,
                    span,
                    format!("{} of `{}` never fires", self.table.rows[row].name, self.table.name),
                )
                .at(by.to_string())
                .help("delete the row, or move it before those that take its inputs")
            };
            if let Some(last) = last_resort {
                let earlier: &crate::check::program::Row = &self.table.rows[last];
                findings.push(dead("stands behind `otherwise`").label(earlier.span, "takes everything that is left"));
                continue;
            }
            let Some(region) = region else {
                last_resort = Some(row);
                continue;
            };
            if region.iter().any(super::bits::Bits::is_empty) {
                continue; // reported as never true
            }
            let rows: Vec<&Region> = before.iter().map(|(_, region)| *region).collect();
            if cover(region, &rows) == Cover::Complete {
                let killers = self.killers(region, &before);
                let mut finding = dead("all of its inputs are taken before");
                for killer in killers {
                    let text =
                        if holds(&self.region(killer), region) { "takes all of them" } else { "takes a part of them" };
                    finding = finding.label(self.table.rows[killer].span, text);
                }
                findings.push(finding);
            }
            before.push((row, region));
        }
        findings.extend(self.dead_last_resort());
        findings
    }

    /// `otherwise` rows of tables whose other rows take every input.
    fn dead_last_resort(&self) -> Vec<Finding> {
        let Some(last) = self.space.rows.iter().position(Option::is_none) else { return Vec::new() };
        let rows: Vec<&Region> = self.regions().map(|(_, region)| region).collect();
        if rows.is_empty() || cover(&self.space.everything(), &rows) != Cover::Complete {
            return Vec::new();
        }
        let row = &self.table.rows[last];
        vec![
            Finding::new(
                &codes::DEAD_ROW,
                row.span,
                format!("the `otherwise` row of `{}` never fires", self.table.name),
            )
            .at("the other rows take every input")
            .help("delete the row: the table is complete without it, and a new case would then be reported"),
        ]
    }

    /// The fewest of the rows before that still cover a region: one alone, or what is left when each row
    /// that is not needed has been taken out.
    fn killers(&self, region: &Region, before: &[(usize, &Region)]) -> Vec<usize> {
        if let Some((row, _)) = before.iter().find(|(_, earlier)| holds(earlier, region)) {
            return vec![*row];
        }
        let mut needed: Vec<(usize, &Region)> =
            before.iter().filter(|(_, earlier)| meets(earlier, region)).copied().collect();
        let mut index = 0;
        while index < needed.len() {
            let mut without = needed.clone();
            without.remove(index);
            let rows: Vec<&Region> = without.iter().map(|(_, region)| *region).collect();
            if cover(region, &rows) == Cover::Complete {
                needed = without;
            } else {
                index += 1;
            }
        }
        needed.into_iter().map(|(row, _)| row).collect()
    }

    fn regions(&self) -> impl Iterator<Item = (usize, &Region)> {
        self.space.rows.iter().enumerate().filter_map(|(row, region)| Some((row, region.as_ref()?)))
    }

    fn region(&self, row: usize) -> Region {
        self.space.rows.get(row).and_then(Clone::clone).unwrap_or_default()
    }

    fn has_last_resort(&self) -> bool {
        self.space.rows.iter().any(Option::is_none)
    }

    /// A region in words: `tier is bronze and total < 1000 EUR`.
    fn words(&self, region: &Region) -> String {
        let parts: Vec<String> = self
            .space
            .dimensions
            .iter()
            .zip(region)
            .filter(|(_, side)| !side.is_full())
            .map(|(dimension, side)| dimension.words(side, self.program))
            .collect();
        if parts.is_empty() { "any input".to_string() } else { parts.join(" and ") }
    }

    /// One input of a region: `tier = bronze, total = 999.99 EUR`.
    fn example(&self, region: &Region) -> String {
        let parts: Vec<String> = self
            .space
            .dimensions
            .iter()
            .zip(region)
            .take(self.space.exact)
            .filter_map(|(dimension, side)| {
                let atom = side.iter().next()?;
                Some(format!("{} = {}", dimension.name, dimension.show(&dimension.witness(atom), self.program)))
            })
            .collect();
        if parts.is_empty() { "any input".to_string() } else { parts.join(", ") }
    }

    /// A row that takes a region, ready to be typed: `| bronze | < 1000 EUR | … |`.
    fn row_for(&self, region: &Region) -> String {
        let cells = self.table.columns.iter().map(|column| {
            let place = self.space.dimensions.iter().position(|dimension| dimension.name == column.heading.as_str());
            match place.and_then(|index| Some((&self.space.dimensions[index], region.get(index)?))) {
                Some((_, side)) if side.is_full() => "-".to_string(),
                Some((dimension, side)) => dimension.cell(side, self.program),
                None if column.subject.is_none() => self.words(region),
                None => "-".to_string(),
            }
        });
        format!("| {} | … |", cells.collect::<Vec<_>>().join(" | "))
    }
}

impl Dimension {
    /// A side in words, with its subject: `total < 1000 EUR`, `tier is silver or bronze`.
    fn words(&self, side: &super::bits::Bits, program: &Program) -> String {
        if self.name.starts_with('(') {
            let condition = self.name.strip_prefix('(').and_then(|name| name.strip_suffix(')')).unwrap_or(&self.name);
            return if side.has(1) { format!("`{condition}`") } else { format!("not `{condition}`") };
        }
        if let Some((excluded, or_none)) = self.other_text(side, program) {
            let texts = match excluded.as_slice() {
                [] => "some text".to_string(),
                [only] => format!("not {only}"),
                [first, last] => format!("neither {first} nor {last}"),
                _ => "any other text".to_string(),
            };
            return format!("{} is {texts}{}", self.name, if or_none { " or none" } else { "" });
        }
        let runs: Vec<String> = self.runs(side).into_iter().map(|run| self.run(run, program)).collect();
        let joined = runs.join(" or ");
        let comparing = joined.starts_with(['<', '>']);
        if comparing { format!("{} {joined}", self.name) } else { format!("{} is {joined}", self.name) }
    }

    /// The texts that a side leaves out, when it holds all others, and whether it holds none as well.
    fn other_text(&self, side: &super::bits::Bits, program: &Program) -> Option<(Vec<String>, bool)> {
        let other = self.atoms.iter().position(|atom| *atom == Atom::OtherText)?;
        if !side.has(other) {
            return None;
        }
        let left_out = self.atoms.iter().enumerate().filter(|(at, _)| !side.has(*at));
        let excluded = left_out.filter_map(|(_, atom)| match atom {
            Atom::Point(value) => Some(self.show(value, program)),
            _ => None,
        });
        let none = self.atoms.iter().position(|atom| *atom == Atom::None);
        Some((excluded.collect(), none.is_some_and(|none| side.has(none))))
    }

    /// A side as the cell of a table: `< 1000 EUR`, `silver, bronze`, `not "DE"`.
    fn cell(&self, side: &super::bits::Bits, program: &Program) -> String {
        if let Some((excluded, or_none)) = self.other_text(side, program) {
            let is_optional = self.atoms.contains(&Atom::None);
            let mut tests: Vec<String> = excluded.iter().map(|text| format!("not {text}")).collect();
            if is_optional && !or_none {
                tests.insert(0, "some".to_string());
            }
            return tests.join(" and ");
        }
        let runs: Vec<String> = self.runs(side).into_iter().map(|run| self.run(run, program)).collect();
        let comparing = runs.iter().any(|run| run.starts_with(['<', '>']) || run.contains(".."));
        runs.join(if comparing { " or " } else { ", " })
    }

    /// The stretches of atoms that lie beside each other; enum members and texts stay alone.
    fn runs(&self, side: &super::bits::Bits) -> Vec<(usize, usize)> {
        let is_ordered = self.atoms.iter().any(|atom| matches!(atom, Atom::Between(..)));
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for atom in side.iter() {
            let joins = is_ordered && self.atoms.get(atom) != Some(&Atom::None);
            match runs.last_mut() {
                Some(run) if joins && run.1 + 1 == atom && self.atoms.get(run.1) != Some(&Atom::None) => run.1 = atom,
                _ => runs.push((atom, atom)),
            }
        }
        runs
    }

    /// A value as the script writes it, or as it would.
    fn show(&self, value: &Value, program: &Program) -> String {
        self.spelled.get(value).cloned().unwrap_or_else(|| written(value, &Names(program)))
    }

    /// A stretch of atoms as a test.
    fn run(&self, (first, last): (usize, usize), program: &Program) -> String {
        let show = |value: &Value| self.show(value, program);
        if first == last
            && let Some(only) = self.only(first)
        {
            return show(&only);
        }
        let low = match self.atoms.get(first) {
            Some(Atom::None) => return "none".to_string(),
            Some(Atom::OtherText) => return "any other text".to_string(),
            Some(Atom::Point(value)) if first == last => return show(value),
            Some(Atom::Point(value)) => Some((true, show(value))),
            Some(Atom::Between(Some(value), _)) => Some((false, show(value))),
            Some(Atom::Between(None, _)) | None => None,
        };
        let high = match self.atoms.get(last) {
            Some(Atom::Point(value)) => Some((true, show(value))),
            Some(Atom::Between(_, Some(value))) => Some((false, show(value))),
            _ => None,
        };
        match (low, high) {
            (Some((true, low)), Some((true, high))) => format!("{low}..{high}"),
            (Some((including, low)), Some((to, high))) => {
                format!("{} {low} and {} {high}", sign('>', including), sign('<', to))
            }
            (Some((including, low)), None) => format!("{} {low}", sign('>', including)),
            (None, Some((including, high))) => format!("{} {high}", sign('<', including)),
            (None, None) => "anything".to_string(),
        }
    }
}

fn sign(sign: char, including: bool) -> String {
    if including { format!("{sign}=") } else { sign.to_string() }
}

/// The names that literals of tables need: those of enum members.
pub struct Names<'p>(pub &'p Program);

impl TypeNames for Names<'_> {
    fn enum_member(&self, id: EnumId, member: u16) -> &str {
        self.0
            .enums
            .get(id.0 as usize)
            .and_then(|kind| kind.members.get(member as usize))
            .map_or("?", EcoString::as_str)
    }

    fn record(&self, _: RecordId) -> (&str, &[EcoString]) {
        ("?", &[])
    }

    fn error(&self, _: ErrorId) -> (&str, &[EcoString]) {
        ("?", &[])
    }
}
