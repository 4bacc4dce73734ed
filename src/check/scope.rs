//! Which names mean what: the declarations of each script, what it uses, and what every script knows.

use super::Checker;
use super::hash::{HashMap, HashSet};
use crate::check::program::{CallableId, ConstantId, FlowId, TableId};
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::Script;
use crate::text::{SourceId, Span};
use crate::value::{EnumId, ErrorId, RecordId};
use ecow::EcoString;
use std::sync::Arc;

/// Something declared at the outermost level of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Global {
    Enum(EnumId),
    Record(RecordId),
    Error(ErrorId),
    Constant(ConstantId),
    Callable(CallableId),
    Table(TableId),
    Flow(FlowId),
}

/// Names a script in [`Names::modules`].
pub(crate) type ModuleId = usize;

/// A script with what its names mean.
#[derive(Debug, Default, Clone)]
pub(crate) struct Module {
    /// What others call it: `inventory` for `crm/inventory.rpa`.
    pub name: EcoString,
    pub source: SourceId,
    pub script: Arc<Script>,
    pub is_library: bool,
    /// Whether a part of it could not be read.
    pub is_broken: bool,
    /// What its declarations are called in the program: with the module's name, unless it is the main script.
    pub prefix: Option<EcoString>,
    /// What it declares itself.
    pub own: HashMap<EcoString, (Global, Span)>,
    /// Types and errors of what it uses, with the `use` that brings them.
    pub imported: HashMap<EcoString, (Global, usize)>,
    /// The modules it knows, with the `use` that brings them.
    pub modules: HashMap<EcoString, (ModuleId, usize)>,
    /// Its `use` lines.
    pub uses: Vec<UseLine>,
    /// What each item of the script has become.
    pub globals: Vec<Option<Global>>,
}

/// A `use` line.
#[derive(Debug, Clone)]
pub(crate) struct UseLine {
    pub span: Span,
    pub name: String,
    pub used: bool,
    /// The scripts it brings.
    pub brings: Vec<ModuleId>,
}

/// All scripts of a program.
#[derive(Debug, Default, Clone)]
pub(crate) struct Names {
    pub modules: Vec<Module>,
    /// Scripts by their path, so that each is read once.
    pub by_key: HashMap<String, ModuleId>,
    /// Enums that have a member of this name.
    pub members: HashMap<EcoString, Vec<EnumId>>,
    /// Cells of imported tables by their places: the file, the column, the row.
    pub cells: HashMap<Span, (EcoString, usize, usize)>,
    /// What `fails` says of callables, where it is written.
    pub written_fails: HashMap<CallableId, Vec<(ErrorId, Span)>>,
    /// What is used from somewhere else than itself.
    pub used: HashSet<Global>,
    /// What is being checked right now, so that its own calls do not count as uses.
    pub current: Option<Global>,
    /// What `let`, `var` and `step` are declared as, by their places: `let token: secret text`.
    pub labels: HashMap<Span, crate::syntax::tree::Label>,
}

/// The types that the language knows by itself.
pub(crate) const BUILTIN_TYPES: &[&str] =
    &["text", "bool", "int", "decimal", "percent", "money", "date", "time", "instant", "duration"];

/// Calls with a form of their own.
pub(crate) const SPECIAL_FORMS: &[&str] = &["template", "ask", "wait_for", "sleep", "sleep_until"];

/// The script that every other one knows: the prelude comes first.
pub(crate) const PRELUDE: ModuleId = 0;

impl Checker<'_> {
    /// What a name means in the script that is being checked.
    pub(crate) fn global(&mut self, name: &str) -> Option<Global> {
        let found = self.peek_global(self.module, name)?;
        if let Some((_, line)) =
            self.names.modules.get(self.module).and_then(|module| {
                if module.own.contains_key(name) { None } else { module.imported.get(name).copied() }
            })
        {
            self.mark_use_line(line);
        }
        self.mark_used(found);
        Some(found)
    }

    pub(crate) fn mark_used(&mut self, global: Global) {
        if self.names.current != Some(global) {
            self.names.used.insert(global);
        }
    }

    fn mark_use_line(&mut self, line: usize) {
        if let Some(line) = self.names.modules.get_mut(self.module).and_then(|module| module.uses.get_mut(line)) {
            line.used = true;
        }
    }

    /// What a name means, without that counting as a use.
    pub(crate) fn peek_global(&self, module: ModuleId, name: &str) -> Option<Global> {
        let of = self.names.modules.get(module)?;
        let own = of.own.get(name).map(|(global, _)| *global);
        own.or_else(|| of.imported.get(name).map(|(global, _)| *global)).or_else(|| {
            let prelude = self.names.modules.get(PRELUDE)?;
            prelude.own.get(name).map(|(global, _)| *global)
        })
    }

    /// A module by the name that this script knows it by.
    pub(crate) fn module_named(&mut self, name: &str) -> Option<ModuleId> {
        let (id, line) = self.names.modules.get(self.module)?.modules.get(name).copied()?;
        if line != usize::MAX {
            self.mark_use_line(line);
        }
        Some(id)
    }

    /// Something in a module: a callable, table, flow or constant.
    pub(crate) fn member_of_module(&mut self, module: ModuleId, name: &str) -> Option<Global> {
        let found = self.names.modules.get(module)?.own.get(name).map(|(global, _)| *global)?;
        self.mark_used(found);
        Some(found)
    }

    /// Whether an enum can be named in this script.
    pub(crate) fn sees_enum(&self, id: EnumId) -> bool {
        let Some(declared) = self.program.enums.get(id.0 as usize) else { return false };
        self.peek_global(self.module, &declared.name) == Some(Global::Enum(id))
    }

    /// Every name that could stand where an expression stands, for "did you mean".
    pub(crate) fn all_names(&self) -> Vec<String> {
        if self.suggests_no_more() {
            return Vec::new();
        }
        let mut names: Vec<String> = self.body.names().map(EcoString::to_string).collect();
        names.extend(self.global_names());
        names.extend(self.body.steps.keys().map(EcoString::to_string));
        for (member, enums) in &self.names.members {
            if enums.iter().any(|id| self.sees_enum(*id)) {
                names.push(member.to_string());
            }
        }
        names
    }

    /// Every name declared outside of bodies that this script knows, modules included.
    pub(crate) fn global_names(&self) -> Vec<String> {
        if self.suggests_no_more() {
            return Vec::new();
        }
        let mut names: Vec<String> = Vec::new();
        if let Some(module) = self.names.modules.get(self.module) {
            names.extend(module.own.keys().map(EcoString::to_string));
            names.extend(module.imported.keys().map(EcoString::to_string));
            names.extend(module.modules.keys().map(EcoString::to_string));
        }
        if let Some(prelude) = self.names.modules.get(PRELUDE) {
            names.extend(prelude.own.keys().map(EcoString::to_string));
        }
        names.extend(super::types::primitives().modules.iter().map(|name| name.to_string()));
        names.extend(super::types::primitives().functions.keys().map(|name| name.to_string()));
        names.extend(SPECIAL_FORMS.iter().map(|name| name.to_string()));
        names
    }

    /// Whether so much is wrong that "did you mean" helps nobody: each suggestion looks at every name, which
    /// would take a script of very many mistakes a time that grows with their square.
    fn suggests_no_more(&self) -> bool {
        self.findings.len() > MOST_SUGGESTIONS
    }

    /// `unknown name`, with the nearest known one as help and fix.
    pub(crate) fn unknown_name(
        &mut self,
        span: Span,
        what: &str,
        name: &str,
        candidates: impl IntoIterator<Item = impl AsRef<str>>,
    ) {
        if name.is_empty() {
            return;
        }
        let mut finding =
            Finding::new(&catalogue::name::UNKNOWN, span, format!("there is no {what} `{name}`")).at("not known here");
        if let Some(near) = nearest(name, candidates) {
            finding = near.asked(finding, span);
        }
        self.report(finding);
    }
}

/// Suggestions are made for the first findings; nobody reads more before mending something.
const MOST_SUGGESTIONS: usize = 50;

/// A known name near to one that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Near {
    text: String,
    /// Whether nothing else is as near, and little enough differs, so that it can be put in without asking.
    is_clear: bool,
}

impl Near {
    /// Asks whether the near name was meant at a place; puts it there when that is clear.
    pub(crate) fn asked(self, finding: Finding, span: Span) -> Finding {
        let finding = finding.help(format!("did you mean `{}`?", self.text));
        self.put(finding, span)
    }

    /// Whether nothing else is as near.
    pub(crate) fn is_clear(&self) -> bool {
        self.is_clear
    }

    /// The same, to be asked for only: another list of names has one that is as near.
    pub(crate) fn doubtful(self) -> Near {
        Near { is_clear: false, ..self }
    }

    /// Puts the name at a place when it is clear that it was meant.
    pub(crate) fn put(self, finding: Finding, span: Span) -> Finding {
        if self.is_clear { finding.fix(span, self.text) } else { finding }
    }
}

impl std::fmt::Display for Near {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// The candidate that a person most likely meant, if one is near enough.
pub(crate) fn nearest(name: &str, candidates: impl IntoIterator<Item = impl AsRef<str>>) -> Option<Near> {
    let wanted = name.to_lowercase();
    let length = wanted.chars().count();
    let mut best: Option<(usize, Near)> = None;
    for candidate in candidates {
        let candidate = candidate.as_ref();
        if candidate == name || candidate.is_empty() {
            continue;
        }
        let lower = candidate.to_lowercase();
        let distance = if lower == wanted { 0 } else { strsim::damerau_levenshtein(&wanted, &lower) };
        let other_case = usize::from(candidate.starts_with(char::is_uppercase) != name.starts_with(char::is_uppercase));
        let longest = length.max(lower.chars().count());
        // A third of the letters may differ; a short name must be very near.
        if distance > (longest / 3).max(1) || distance >= longest {
            continue;
        }
        let rank = distance * 2 + other_case;
        match &mut best {
            Some((of_best, near)) if rank == *of_best => {
                near.is_clear &= near.text == candidate;
                // Equally near ones take turns by the alphabet, not by the order of a table of names.
                if candidate < near.text.as_str() {
                    near.text = candidate.to_string();
                }
            }
            Some((of_best, _)) if rank > *of_best => {}
            _ => {
                let is_clear = distance == 0 || longest >= 3 && distance <= (longest / 4).max(1);
                best = Some((rank, Near { text: candidate.to_string(), is_clear }));
            }
        }
    }
    best.map(|(_, near)| near)
}
