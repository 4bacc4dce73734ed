//! Reads a script with all that it uses: the prelude, parts of the library, other scripts.

use super::Checker;
use super::scope::{Module, ModuleId, PRELUDE, UseLine, nearest};
use crate::finding::{Finding, catalogue};
use crate::library;
use crate::syntax::tree::{ItemKind, Script, UseTarget};
use crate::text::{Source, SourceId, Span};
use std::sync::{Arc, Mutex, PoisonError};

impl Checker<'_> {
    /// Reads what every script knows.
    pub(crate) fn load_prelude(&mut self) {
        let (file, text) = library::PRELUDE;
        let module = self.add_module(Source::new(file, text).library(), None);
        self.declare_names(module);
        debug_assert_eq!(module, PRELUDE);
    }

    /// Reads the script to be checked, with all that it uses.
    pub(crate) fn load_main(&mut self, source: Source) -> ModuleId {
        let key = normalized(&source.name);
        self.load_script(source, key, None, &mut Vec::new())
    }

    /// Parses a source and makes it a module without names yet.
    pub(crate) fn add_module(&mut self, source: Source, prefix: Option<&str>) -> ModuleId {
        let (name, text, is_library) = (stem(&source.name).to_string(), source.text.clone(), source.is_library);
        let id = self.program.sources.add(source);
        let (script, is_broken) = match is_library {
            true => (library_tree(id, &text), false),
            false => {
                let (script, is_broken) = self.parse(id, &text);
                (Arc::new(script), is_broken)
            }
        };
        self.names.modules.push(Module {
            name: name.as_str().into(),
            source: id,
            script,
            is_library,
            is_broken,
            prefix: prefix.map(Into::into),
            ..Module::default()
        });
        self.names.modules.len() - 1
    }

    /// The tree of a text, and whether a part of it could not be read.
    fn parse(&mut self, id: SourceId, text: &str) -> (Script, bool) {
        let (script, findings) = crate::syntax::parse(id, text);
        let is_broken = findings.iter().any(Finding::is_error);
        self.findings.extend(findings);
        (script, is_broken)
    }

    fn load_script(
        &mut self,
        source: Source,
        key: String,
        prefix: Option<&str>,
        loading: &mut Vec<(String, Span)>,
    ) -> ModuleId {
        let module = self.add_module(source, prefix);
        self.names.by_key.insert(key.clone(), module);
        loading.push((key, Span::default()));
        self.load_uses(module, loading);
        loading.pop();
        self.declare_names(module);
        module
    }

    /// Follows the `use` lines of a module.
    pub(crate) fn load_uses(&mut self, module: ModuleId, loading: &mut Vec<(String, Span)>) {
        let script = Arc::clone(&self.names.modules[module].script);
        for item in &script.items {
            let ItemKind::Use(line) = &item.kind else { continue };
            let (name, span, brings) = match &line.target {
                UseTarget::Library(part) => (part.text.to_string(), part.span, self.library_part(part)),
                UseTarget::File { path, span } => {
                    let found = self.used_script(module, path, *span, loading);
                    (path.to_string(), *span, found.into_iter().collect())
                }
            };
            let uses = &self.names.modules[module].uses;
            if let Some(before) = uses.iter().find(|other| other.name == name) {
                let finding = Finding::new(&catalogue::name::DUPLICATE, span, format!("`{name}` is used twice"))
                    .at("used again here")
                    .label(before.span, "used here first")
                    .help("remove one of the two lines");
                self.report(finding);
                continue;
            }
            self.names.modules[module].uses.push(UseLine { span, name, used: false, brings });
        }
    }

    /// The scripts of a part of the library; read when it is used first.
    fn library_part(&mut self, part: &crate::syntax::tree::Name) -> Vec<ModuleId> {
        let Some(files) = library::part(&part.text) else {
            let names: Vec<&str> = library::PARTS.iter().map(|(name, _)| *name).collect();
            let near = nearest(&part.text, &names);
            let mut finding =
                Finding::new(&catalogue::name::UNKNOWN, part.span, format!("the library has no part `{}`", part.text))
                    .at("not in the library");
            finding = match near {
                Some(near) => near.clone().put(finding.help(format!("did you mean `use {near}`?")), part.span),
                None => finding.help(format!(
                    "the library has {}; a script of your own is used with its path: `use \"{}.rpa\"`",
                    names.join(", "),
                    part.text
                )),
            };
            self.report(finding);
            return Vec::new();
        };
        let mut modules = Vec::new();
        let mut fresh = Vec::new();
        for (file, text) in files {
            let file = file.rsplit('/').next().unwrap_or(file);
            let name = format!("{}/{file}", part.text);
            let key = format!("library:{name}");
            if let Some(known) = self.names.by_key.get(&key) {
                modules.push(*known);
                continue;
            }
            let module = self.add_module(Source::new(name, *text).library(), Some(stem(file)));
            self.names.by_key.insert(key, module);
            modules.push(module);
            fresh.push(module);
        }
        for module in &fresh {
            self.declare_names(*module);
        }
        // The files of a part know each other.
        for module in &fresh {
            for other in &modules {
                if other != module {
                    self.import(*module, *other, usize::MAX);
                }
            }
        }
        modules
    }

    fn used_script(
        &mut self,
        module: ModuleId,
        path: &str,
        span: Span,
        loading: &mut Vec<(String, Span)>,
    ) -> Option<ModuleId> {
        let from = self.program.sources.get(self.names.modules[module].source)?.clone();
        let name = beside(&from.name, path);
        let key = normalized(&name);
        if loading.iter().any(|(other, _)| *other == key) {
            let finding = Finding::new(&catalogue::name::CYCLE, span, format!("`{path}` uses this script in turn"))
                .at("leads back here")
                .help("put what both need into a third script, and use that from both");
            self.report(finding);
            return None;
        }
        if let Some(known) = self.names.by_key.get(&key) {
            return Some(*known);
        }
        let bytes = match self.loader.read(&from, path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let finding =
                    Finding::new(&catalogue::name::FILE, span, format!("the script `{path}` can't be read: {error}"))
                        .at("named here")
                        .help(format!("the path is relative to the script that says it, `{}`", from.name));
                self.report(finding);
                return None;
            }
        };
        let Ok(text) = String::from_utf8(bytes) else {
            let finding =
                Finding::new(&catalogue::name::FILE, span, format!("`{path}` is not a script: it is no UTF-8 text"))
                    .at("named here")
                    .help("save the file as UTF-8");
            self.report(finding);
            return None;
        };
        let mut source = Source::new(name.clone(), text);
        if let Some(folder) = from.path.as_ref().and_then(|from| from.parent()) {
            source = source.with_path(&folder.join(path));
        }
        Some(self.load_script(source, key, Some(stem(&name)), loading))
    }

    /// Makes the types, errors and the module's name of `other` known in `module`.
    pub(crate) fn import(&mut self, module: ModuleId, other: ModuleId, line: usize) {
        use super::scope::Global;
        let Some(from) = self.names.modules.get(other) else { return };
        let name = from.name.clone();
        let brought: Vec<_> = from
            .own
            .iter()
            .filter(|(_, (global, _))| matches!(global, Global::Enum(_) | Global::Record(_) | Global::Error(_)))
            .map(|(name, (global, span))| (name.clone(), *global, *span))
            .collect();
        let Some(into) = self.names.modules.get_mut(module) else { return };
        into.modules.entry(name).or_insert((other, line));
        let mut clashes = Vec::new();
        for (name, global, span) in brought {
            if let Some((_, own)) = into.own.get(&name) {
                clashes.push((name.clone(), *own, span, false));
            } else if let Some((before, _)) = into.imported.get(&name) {
                if *before != global {
                    clashes.push((name.clone(), into.uses.get(line).map_or(span, |line| line.span), span, true));
                }
                continue;
            }
            into.imported.insert(name, (global, line));
        }
        let by = into.uses.get(line).map(|line| line.span);
        clashes.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, own, theirs, both_used) in clashes {
            let message = if both_used {
                format!("`{name}` is declared by two of the scripts that are used here")
            } else {
                format!("`{name}` is known already from what this script uses")
            };
            let mut finding = Finding::new(&catalogue::name::DUPLICATE, own, message)
                .at(if both_used { "brings it again" } else { "declared again here" })
                .label(theirs, "declared here");
            if let Some(by) = by.filter(|by| *by != own) {
                finding = finding.label(by, "brought in here");
            }
            self.report(finding.help("give one of the two another name"));
        }
    }
}

/// How many trees of the library are kept; a file has one for each number that its source is given.
const MOST_TREES: usize = 128;

/// The tree of a file of the library, read once in the life of the program: a project of hundreds of scripts would else
/// read the library hundreds of times. The places in a tree name its source, so that it serves only where the source
/// has the same number; that is nearly always so.
pub(crate) fn library_tree(id: SourceId, text: &Arc<str>) -> Arc<Script> {
    /// A tree with the text that it was read from.
    type Read = (SourceId, Arc<str>, Arc<Script>);
    static TREES: Mutex<Vec<Read>> = Mutex::new(Vec::new());
    let known = |trees: &Vec<(SourceId, Arc<str>, Arc<Script>)>| {
        trees.iter().find(|(of, known, _)| *of == id && known == text).map(|(.., script)| Arc::clone(script))
    };
    // A thread that fell over while it held the trees leaves them whole: they are only added to.
    if let Some(script) = known(&TREES.lock().unwrap_or_else(PoisonError::into_inner)) {
        return script;
    }
    let script = Arc::new(crate::syntax::parse(id, text).0);
    let mut trees = TREES.lock().unwrap_or_else(PoisonError::into_inner);
    if trees.len() < MOST_TREES {
        trees.push((id, Arc::clone(text), Arc::clone(&script)));
    }
    script
}

/// The file name without folder and ending: what a module is called.
pub(crate) fn stem(name: &str) -> &str {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    file.strip_suffix(".rpa").unwrap_or(file)
}

/// The name of a file that a source calls `relative`.
pub(crate) fn beside(from: &str, relative: &str) -> String {
    match from.rfind(['/', '\\']) {
        Some(end) if !relative.starts_with('/') => format!("{}/{relative}", &from[..end]),
        _ => relative.to_string(),
    }
}

/// A path without `.` and `..` where that can be seen from the text.
fn normalized(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" if !parts.is_empty() => {}
            "." => {}
            ".." if parts.last().is_some_and(|last| *last != ".." && !last.is_empty()) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
