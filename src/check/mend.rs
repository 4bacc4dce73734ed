//! Mends what findings know how to mend, and holds every mend against the checker: what would break a script, or only
//! moves a mistake elsewhere, is not done.

use super::{Checked, Loader, check};
use crate::finding::{Finding, edit, is_fixable};
use crate::format::format_source;
use crate::text::{Source, SourceId};
use std::collections::{HashMap, HashSet};

/// How often a mended script is looked at again: mending one thing can bring the next to light. Of a chain of names each
/// round takes away the last.
const ROUNDS: usize = 100;
/// How many findings are tried one by one when they do not go together.
const SINGLE: usize = 100;

/// A script after mending.
#[derive(Debug)]
pub struct Mended {
    /// Its text.
    pub text: String,
    /// What was done, in the order in which it was done.
    pub mends: Vec<Mend>,
    /// What the checker says of the mended script.
    pub checked: Checked,
}

/// One thing that was mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mend {
    /// The line, counted from one, in the script as it was at that moment.
    pub line: usize,
    /// The code of the finding.
    pub code: &'static str,
    /// What was found.
    pub message: String,
    /// What stood there.
    pub before: String,
    /// What stands there now.
    pub after: String,
}

/// Mends a script as far as its findings know how. A script in the one layout stays in it.
pub fn mend(main: Source, loader: &dyn Loader) -> Mended {
    let mut source = main;
    let mut checked = check(source.clone(), loader);
    let mut mends = Vec::new();
    let mut refused: HashSet<(&'static str, String)> = HashSet::new();
    for _ in 0..ROUNDS {
        let Some(id) = id_of(&checked, &source) else { break };
        let text = source.text.clone();
        let open = |finding: &Finding| {
            is_fixable(finding, id, &text) && !refused.contains(&(finding.code.id, finding.message.clone()))
        };
        let candidates: Vec<usize> =
            checked.findings.iter().enumerate().filter(|(_, finding)| open(finding)).map(|(index, _)| index).collect();
        let Some(first) = candidates.first().copied() else { break };
        let all = |index: usize| candidates.contains(&index);
        let step = attempt(&source, &checked, id, loader, all).or_else(|| {
            candidates.iter().take(SINGLE).find_map(|one| attempt(&source, &checked, id, loader, |index| index == *one))
        });
        match step {
            Some((text, after, mut done)) => {
                source = same_place(&source, text);
                checked = after;
                mends.append(&mut done);
            }
            // None of those that were tried can be done; there may be others behind them.
            None if candidates.len() > SINGLE => {
                let tried = candidates.iter().take(SINGLE).filter_map(|index| checked.findings.get(*index));
                refused.extend(tried.map(|finding| (finding.code.id, finding.message.clone())));
                debug_assert!(checked.findings.get(first).is_some());
            }
            None => break,
        }
    }
    Mended { text: source.text.to_string(), mends, checked }
}

/// Makes some edits, when the script is better for them.
fn attempt(
    source: &Source,
    checked: &Checked,
    id: SourceId,
    loader: &dyn Loader,
    wanted: impl Fn(usize) -> bool,
) -> Option<(String, Checked, Vec<Mend>)> {
    let edited = edit(&source.text, id, &checked.findings, wanted)?;
    let mut text = edited.text;
    if format_source(id, &source.text).is_ok_and(|laid_out| laid_out == *source.text)
        && let Ok(laid_out) = format_source(id, &text)
    {
        text = laid_out;
    }
    let after = check(same_place(source, text.clone()), loader);
    // A line is read up to its first mistake: behind one that is mended the next comes to light.
    let mended: HashMap<usize, usize> = edited
        .made
        .iter()
        .filter_map(|index| {
            checked.findings.get(*index).filter(|finding| finding.code.group() == "syntax")?.fixes.first()
        })
        .map(|fix| {
            let line = source.line_of(fix.span.start as usize);
            (line, fix.span.start as usize - source.line_start(line))
        })
        .collect();
    let now = same_place(source, text.clone());
    // What only something needed that nobody needs has been left over all the time.
    let takes_away = |index: &usize| checked.findings.get(*index).is_some_and(is_left_over);
    let takes_away = edited.made.iter().any(takes_away);
    let comes_to_light = |finding: &Finding| {
        if takes_away && is_left_over(finding) {
            return true;
        }
        let Some(span) = finding.span().filter(|span| finding.code.group() == "syntax" && span.source == id) else {
            return false;
        };
        let line = now.line_of(span.start as usize);
        mended.get(&line).is_some_and(|column| span.start as usize - now.line_start(line) > *column)
    };
    if !is_better(&checked.findings, &after.findings, comes_to_light) {
        return None;
    }
    let mends = edited.made.iter().filter_map(|index| {
        let finding = checked.findings.get(*index)?;
        let fix = finding.fixes.first()?;
        let line = source.line_of(fix.span.start as usize) + 1;
        let before: Vec<&str> =
            finding.fixes.iter().filter_map(|fix| source.text.get(fix.span.range())).map(str::trim).collect();
        let now: Vec<&str> = finding.fixes.iter().map(|fix| fix.replacement.trim()).collect();
        let (code, message) = (finding.code.id, finding.message.clone());
        Some(Mend { line, code, message, before: before.join(" … "), after: now.join(" … ") })
    });
    let mends = mends.collect();
    Some((text, after, mends))
}

/// Whether a finding says that nothing needs something.
fn is_left_over(finding: &Finding) -> bool {
    finding.code.group() == "unused"
}

/// Whether nothing is found that was not found before, and something no longer is. Where something could not be read or
/// resolved, warnings behind it were not looked for: there, errors alone count.
fn is_better(before: &[Finding], after: &[Finding], comes_to_light: impl Fn(&Finding) -> bool) -> bool {
    let only_errors = before.iter().any(Finding::is_error);
    let after: Vec<&Finding> = after.iter().filter(|finding| !comes_to_light(finding)).collect();
    let before: Vec<&Finding> = before.iter().collect();
    let counted = |findings: &[&Finding]| {
        let mut counts: HashMap<(&'static str, String), usize> = HashMap::new();
        for finding in findings.iter().filter(|finding| !only_errors || finding.is_error()) {
            *counts.entry((finding.code.id, finding.message.clone())).or_default() += 1;
        }
        counts
    };
    let (mut old, new) = (counted(&before), counted(&after));
    let fewer = new.values().sum::<usize>() < old.values().sum::<usize>();
    // A warning can be mended beside errors that stay.
    let fewer = fewer || only_errors && new == old && after.len() < before.len();
    fewer && new.into_iter().all(|(finding, count)| old.remove(&finding).is_some_and(|before| count <= before))
}

fn id_of(checked: &Checked, source: &Source) -> Option<SourceId> {
    checked.sources.iter().find(|(_, other)| !other.is_library && other.name == source.name).map(|(id, _)| id)
}

fn same_place(source: &Source, text: String) -> Source {
    let new = Source::new(source.name.clone(), text);
    match &source.path {
        Some(path) => new.with_path(path),
        None => new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Memory;

    fn mended(script: &str) -> String {
        mend(Source::new("script.rpa", script), &Memory::new()).text
    }

    #[test]
    fn mistakes_behind_each_other_on_a_line_are_all_mended() {
        for (written, right) in [
            (
                "fn due(paid: bool, days: int) -> bool = !paid && days ≥ 30\n",
                "fn due(paid: bool, days: int) -> bool = not paid and days >= 30\n",
            ),
            ("fn fits(n: int) -> bool = n ≤ 10 and n ≠ 3\n", "fn fits(n: int) -> bool = n <= 10 and n != 3\n"),
            ("const limit = 1.000.000 EUR + 9,90 EUR\n", "const limit = 1_000_000 EUR + 9.90 EUR\n"),
        ] {
            assert_eq!(mended(written), right);
            assert_eq!(mended(right), right);
        }
    }

    #[test]
    fn what_only_a_removed_name_used_is_removed_as_well() {
        let long: String = (1..40).map(|at| format!("  let n{at} = n{} * 2\n", at - 1)).collect();
        for (written, left) in [
            (
                "fn f(x: int) -> int {\n  let a = x + 1\n  let b = a + 1\n  let c = b + a\n  return x\n}\n",
                "fn f(x: int) -> int {\n  return x\n}\n",
            ),
            // What is left over of a signature is told, and nobody's to take away.
            (
                "fn f(x: int, z: int) -> int {\n  let b = z + 1\n  return x\n}\n",
                "fn f(x: int, z: int) -> int {\n  return x\n}\n",
            ),
            (
                "use crm\n\nfn f(x: int) -> int {\n  let tier = Tier.gold\n  return x\n}\n",
                "fn f(x: int) -> int {\n  return x\n}\n",
            ),
            (
                &format!("fn f(x: int) -> int {{\n  let n0 = x\n{long}  return x\n}}\n"),
                "fn f(x: int) -> int {\n  return x\n}\n",
            ),
            // What acts stays, and so does what it needs.
            (
                "task t(x: int) -> int {\n  log.info(\"{x}\")\n  return x\n}\n\ntask f(x: int) {\n  let a = x + 1\n  let b = t(a)\n}\n",
                "task t(x: int) -> int {\n  log.info(\"{x}\")\n  return x\n}\n\ntask f(x: int) {\n  let a = x + 1\n  let b = t(a)\n}\n",
            ),
        ] {
            assert_eq!(mended(written), left);
            assert_eq!(mended(left), left);
        }
    }

    #[test]
    fn what_can_not_be_read_behind_a_mend_stays_as_it_is() {
        let script = "fn f(a: bool) -> bool = !a && ^^^\n";
        let once = mended(script);
        assert_eq!(once, "fn f(a: bool) -> bool = not a and ^^^\n");
        assert_eq!(mended(&once), once);
    }
}
