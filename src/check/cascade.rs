//! One cause, one finding: what follows from a missing `use`, from a file that can't be read, or from one misspelt name in
//! many places is not said again and again.

use super::Checker;
use super::modules::{library_tree, stem};
use crate::finding::{Finding, catalogue};
use crate::library;
use crate::syntax::tree::ItemKind;
use crate::text::{SourceId, Span};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How many further places of one cause are shown; the others are counted.
const PLACES: usize = 3;

/// Lines beyond this length are not looked through for names that they would have declared.
const LONGEST_LINE: usize = 4096;

impl Checker<'_> {
    /// Puts findings with one cause together.
    pub(crate) fn collapse(&mut self) {
        self.leave_out_what_broken_lines_bring();
        if !self.findings.iter().any(|finding| finding.code.id == catalogue::name::UNKNOWN.id) {
            return;
        }
        self.findings.sort_by_key(|finding| finding.span().map(|span| (span.source, span.start)));
        self.leave_out_what_failed_uses_bring();
        self.ask_for_the_library();
        self.join_the_same();
    }

    /// Leaves out what only follows from a line that could not be read: names that it would have declared, types of what
    /// was read in its place, ways through blocks that end elsewhere than was meant.
    fn leave_out_what_broken_lines_bring(&mut self) {
        let sources = &self.program.sources;
        let broken: Vec<(Span, &'static str)> = self
            .findings
            .iter()
            .filter(|finding| finding.code.group() == "syntax")
            .filter_map(|finding| Some((finding.span()?, finding.code.id)))
            .collect();
        if broken.is_empty() {
            return;
        }
        let mut words: HashSet<(SourceId, &str)> = HashSet::new();
        for (span, _) in &broken {
            let Some(source) = sources.get(span.source) else { continue };
            let line = source.line(source.line_of(span.start as usize));
            // A line that long is data; nothing in it declares a name.
            if line.len() < LONGEST_LINE {
                let names = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
                words.extend(names.filter(|name| !name.is_empty()).map(|name| (span.source, name)));
            }
        }
        let braces: HashSet<SourceId> = broken
            .iter()
            .filter(|(_, code)| *code == catalogue::syntax::BRACES.id)
            .map(|(span, _)| span.source)
            .collect();
        self.findings.retain(|finding| {
            let Some(span) = finding.span() else { return true };
            let id = finding.code.id;
            if id == catalogue::name::UNKNOWN.id {
                return !words.contains(&(span.source, sources.slice(span)));
            }
            if id == catalogue::types::RESULT.id || id == catalogue::flow::UNREACHABLE.id {
                return !braces.contains(&span.source);
            }
            let is_of_type = id == catalogue::types::OPERATOR.id || id == catalogue::types::MISMATCH.id;
            !is_of_type
                || !broken.iter().any(|(of, code)| {
                    *code == catalogue::syntax::CHAIN.id && of.source == span.source && of.touches(span.start as usize)
                })
        });
    }

    /// Leaves out names that a `use` would have brought, had it not failed: that it failed is said.
    fn leave_out_what_failed_uses_bring(&mut self) {
        let mut failed: HashMap<SourceId, HashSet<String>> = HashMap::new();
        for module in &self.names.modules {
            for line in module.uses.iter().filter(|line| line.brings.is_empty()) {
                failed.entry(module.source).or_default().insert(stem(&line.name).to_string());
            }
        }
        if failed.is_empty() {
            return;
        }
        let sources = &self.program.sources;
        self.findings.retain(|finding| {
            let Some(span) = finding.span().filter(|_| is_unknown_name(finding)) else { return true };
            let Some(stems) = failed.get(&span.source) else { return true };
            // A used script brings its types and errors, and its own name; the name of a variable is not its matter.
            let name = sources.slice(span);
            let comes_from_there = stems.contains(name)
                || name.starts_with(char::is_uppercase)
                || ["there is no type", "there is no error"].iter().any(|what| finding.message.starts_with(what));
            !comes_from_there
        });
    }

    /// Names of a part of the library that a script does not use become one finding that says so.
    fn ask_for_the_library(&mut self) {
        let mut names: HashMap<String, &'static str> = HashMap::new();
        for (part, files) in library::PARTS {
            for (file, text) in *files {
                let file = file.rsplit('/').next().unwrap_or(file);
                names.entry(stem(file).to_string()).or_insert(part);
                for item in &library_tree(SourceId(0), &Arc::from(*text)).items {
                    let name = match &item.kind {
                        ItemKind::Enum(of) => &of.name,
                        ItemKind::Record(of) => &of.name,
                        ItemKind::Error(of) => &of.name,
                        _ => continue,
                    };
                    names.entry(name.text.to_string()).or_insert(part);
                }
            }
        }
        let used: HashMap<SourceId, HashSet<String>> = self
            .names
            .modules
            .iter()
            .map(|module| (module.source, module.uses.iter().map(|line| line.name.clone()).collect()))
            .collect();
        let mut missing: HashMap<(SourceId, &'static str), Vec<Span>> = HashMap::new();
        let sources = &self.program.sources;
        self.findings.retain(|finding| {
            let Some(span) = finding.span().filter(|_| is_unknown_name(finding)) else { return true };
            let Some(part) = names.get(sources.slice(span)) else { return true };
            let is_used = used.get(&span.source).is_none_or(|used| used.contains(*part));
            if !is_used {
                missing.entry((span.source, part)).or_default().push(span);
            }
            is_used
        });
        for ((source, part), places) in missing {
            let Some((first, rest)) = places.split_first() else { continue };
            let name = self.program.sources.slice(*first);
            let message = format!("`{name}` belongs to the library part `{part}`, which this script does not use");
            let finding = Finding::new(&catalogue::name::UNKNOWN, *first, message)
                .at("not known here")
                .help(format!("write `use {part}` at the head of the script"));
            let text = self.program.sources.get(source).map(|source| source.text.clone()).unwrap_or_default();
            let finding = match place_for_use(&text) {
                Some((at, before, after)) => {
                    finding.fix(Span::new(source, at, at), format!("{before}use {part}\n{after}"))
                }
                None => finding,
            };
            self.findings.push(with_places(finding, rest, "so does this"));
        }
    }

    /// The same unknown name in many places of a script is one finding with its places.
    fn join_the_same(&mut self) {
        let mut first: HashMap<(SourceId, String), usize> = HashMap::new();
        let mut places: HashMap<usize, Vec<Span>> = HashMap::new();
        let mut kept: Vec<Finding> = Vec::with_capacity(self.findings.len());
        for finding in std::mem::take(&mut self.findings) {
            let is_name = finding.code.id == catalogue::name::UNKNOWN.id;
            let Some(span) = finding.span().filter(|_| is_name) else {
                kept.push(finding);
                continue;
            };
            match first.entry((span.source, finding.message.clone())) {
                std::collections::hash_map::Entry::Vacant(slot) => {
                    slot.insert(kept.len());
                    kept.push(finding);
                }
                std::collections::hash_map::Entry::Occupied(slot) => {
                    if let Some(cause) = kept.get_mut(*slot.get()) {
                        cause.fixes.extend(finding.fixes);
                    }
                    places.entry(*slot.get()).or_default().push(span);
                }
            }
        }
        self.findings = kept
            .into_iter()
            .enumerate()
            .map(|(index, finding)| match places.get(&index) {
                Some(rest) => with_places(finding, rest, "and here"),
                None => finding,
            })
            .collect();
    }
}

/// Whether a finding says that a name is not known at all; fields, members and the like are another matter.
fn is_unknown_name(finding: &Finding) -> bool {
    finding.code.id == catalogue::name::UNKNOWN.id && finding.message.starts_with("there is no ")
}

fn with_places(mut finding: Finding, rest: &[Span], text: &str) -> Finding {
    for span in rest.iter().take(PLACES) {
        finding = finding.label(*span, text);
    }
    match rest.len().saturating_sub(PLACES) {
        0 => finding,
        1 => finding.note("and in one more place"),
        more => finding.note(format!("and in {more} more places")),
    }
}

/// Where a `use` goes: before the first `use` of a script, or before its first declaration with an empty line between;
/// with what stands before and after it there. None where no line begins so.
fn place_for_use(text: &str) -> Option<(usize, &'static str, &'static str)> {
    let mut at = 0;
    let mut head = 0;
    let mut in_head = true;
    for line in text.split_inclusive('\n') {
        if line.starts_with("use ") {
            return Some((at, "", ""));
        }
        // Comments at the very beginning are about the script; those right above a declaration are about it.
        if in_head && line.trim().is_empty() {
            head = at + line.len();
        }
        in_head &= line.trim().is_empty() || line.starts_with("//") && !line.starts_with("///");
        at += line.len();
    }
    Some((head, "", "\n"))
}
