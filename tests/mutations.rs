//! A thousand mutations of the examples: none makes the checker fall over, mending never makes a script worse, and the
//! share that is found is printed (`cargo test --test mutations -- --nocapture`) and held against what it was.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests read files, and this one prints figures"
)]

#[path = "support/mutate.rs"]
mod mutate;

use mutate::{Chance, KINDS, Kind, Mutation, mutate};
use rpa::adapter::scripts::DiskLoader;
use rpa::check::mend::mend;
use rpa::check::{Checked, Memory, check};
use rpa::finding::Finding;
use rpa::text::Source;
use rpa::world::Project;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How many mutations there are of all examples together.
const MUTATIONS: usize = 1_000;

fn examples() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rpa") {
                found.push(entry);
            }
        }
    }
    found.sort();
    found
}

/// Mutations of all examples by turns, every kind by turns.
fn mutations(count: usize) -> Vec<(PathBuf, Mutation)> {
    let scripts: Vec<(PathBuf, String)> =
        examples().into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect();
    let mut all = Vec::with_capacity(count);
    for number in 0.. {
        let (path, text) = &scripts[number % scripts.len()];
        let kind = KINDS[(number / scripts.len()) % KINDS.len()];
        all.extend(mutate(text, kind, number as u64).map(|mutation| (path.clone(), mutation)));
        if all.len() == count || number > 100 * count {
            break;
        }
    }
    assert_eq!(all.len(), count, "the examples have too little to change");
    all
}

fn checked(path: &Path, text: &str) -> Checked {
    let loader = DiskLoader::new(&Project::of_folder(path.parent().unwrap()));
    check(Source::new(path.display().to_string(), text).with_path(path), &loader)
}

#[test]
fn mutations_are_found() {
    let mut found: BTreeMap<Kind, (usize, usize)> = BTreeMap::new();
    let mut missed = Vec::new();
    for (path, mutation) in mutations(MUTATIONS) {
        let is_found = !checked(&path, &mutation.text).findings.is_empty();
        let (of_kind, all) = found.entry(mutation.kind).or_default();
        *of_kind += usize::from(is_found);
        *all += 1;
        if !is_found {
            missed.push(format!("{:?} {}:{} {}", mutation.kind, path.display(), mutation.line, mutation.before));
        }
    }
    let mut total = 0;
    for (kind, (of_kind, all)) in &found {
        println!("{kind:?}: {of_kind} of {all}");
        total += of_kind;
    }
    println!("{total} of {MUTATIONS} mutations are found");
    if std::env::var_os("RPA_SHOW_MISSED").is_some() {
        println!("{}", missed.join("\n"));
    }
    let share = |kind: Kind| found.get(&kind).map_or(0, |(of_kind, all)| of_kind * 100 / all.max(&1));
    // What can't be missed without the checker having lost something.
    assert!(share(Kind::MisspeltName) >= 90, "misspelt names: {} %", share(Kind::MisspeltName));
    assert!(share(Kind::RemovedGuard) >= 75, "guards: {} %", share(Kind::RemovedGuard));
    assert!(total * 100 / MUTATIONS >= 75, "{total} of {MUTATIONS}");
}

/// Mutations that can be mended are mended, and no script is worse for it.
#[test]
fn mending_never_breaks_a_script() {
    let mut mended_scripts = 0;
    for (path, mutation) in mutations(MUTATIONS).into_iter().step_by(7) {
        let loader = DiskLoader::new(&Project::of_folder(path.parent().unwrap()));
        let source = Source::new(path.display().to_string(), mutation.text.as_str()).with_path(&path);
        let before = check(source.clone(), &loader);
        let mended = mend(source, &loader);
        let place = format!("{}:{} {:?}\n{}", path.display(), mutation.line, mutation.kind, mended.text);
        if mended.mends.is_empty() {
            assert_eq!(mended.text, mutation.text, "{place}");
            continue;
        }
        mended_scripts += 1;
        let syntax = |text: &str| rpa::syntax::parse(rpa::text::SourceId(0), text).1.len();
        assert!(syntax(&mended.text) <= syntax(&mutation.text), "{place}");
        let errors = |findings: &[Finding]| findings.iter().filter(|finding| finding.is_error()).count();
        let after = checked(&path, &mended.text);
        assert_eq!(after.findings, mended.checked.findings, "{place}");
        assert!(errors(&after.findings) <= errors(&before.findings), "{place}");
        if errors(&before.findings) == 0 {
            assert!(after.findings.len() < before.findings.len(), "{place}");
        }
    }
    assert!(mended_scripts > 5, "only {mended_scripts} were mended");
}

/// Whatever bytes, cuts and repetitions make of scripts: the checker says what is wrong and does not fall over.
#[test]
fn no_script_makes_the_checker_fall_over() {
    let texts: Vec<String> = examples().iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let wrong = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/findings");
    let mut wrongs: Vec<PathBuf> = std::fs::read_dir(wrong).unwrap().map(|entry| entry.unwrap().path()).collect();
    wrongs.retain(|path| path.extension().is_some_and(|extension| extension == "rpa"));
    wrongs.sort();
    let texts: Vec<String> =
        texts.into_iter().chain(wrongs.iter().map(|path| std::fs::read_to_string(path).unwrap())).collect();
    for number in 0..400u64 {
        let mut chance = Chance(number);
        let mut text = chance.one_of(&texts).unwrap().clone();
        // Not more than a page or two: a debug build takes its time.
        let cut = text.char_indices().map(|(at, _)| at).take_while(|at| *at < 2_500).last().unwrap_or(0);
        text.truncate(cut);
        for _ in 0..=chance.below(6) {
            text = twisted(&text, &texts, &mut chance);
        }
        let checked = check(Source::new("twisted.rpa", text.as_str()), &Memory::new());
        assert_eq!(checked.program.is_some(), !checked.findings.iter().any(Finding::is_error), "{text}");
        for finding in &checked.findings {
            for label in &finding.labels {
                assert!(
                    checked
                        .sources
                        .get(label.span.source)
                        .is_some_and(|source| source.text.get(label.span.range()).is_some()),
                    "{finding:?}\n{text}"
                );
            }
        }
    }
}

/// A change without sense: lines cut out, doubled, moved, taken from elsewhere; words mutated; signs put in.
fn twisted(text: &str, others: &[String], chance: &mut Chance) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = chance.below(lines.len());
    match chance.below(7) {
        0 if !lines.is_empty() => drop(lines.remove(at)),
        1 if !lines.is_empty() => lines.insert(at, lines[chance.below(lines.len())]),
        2 if lines.len() > 1 => {
            let other = chance.below(lines.len());
            lines.swap(at, other);
        }
        3 => {
            let other = chance.one_of(others).unwrap();
            let stolen: Vec<&str> = other.split_inclusive('\n').collect();
            lines.insert(at, stolen[chance.below(stolen.len())]);
        }
        4 => {
            let sign =
                ["{", "}", "(", ")", "\"", "|", "=>", "..", "=", "\u{0}", "é", "if", "-", "99999999999999999999", "{x"];
            let cut = text.char_indices().map(|(at, _)| at).nth(chance.below(text.chars().count())).unwrap_or(0);
            return format!("{}{}{}", &text[..cut], chance.one_of(&sign).unwrap(), &text[cut..]);
        }
        _ => {
            let kind = *chance.one_of(&KINDS).unwrap();
            if let Some(mutation) = mutate(text, kind, chance.next()) {
                return mutation.text;
            }
        }
    }
    lines.concat()
}
