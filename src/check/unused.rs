//! Names that nothing uses.

use super::body::LocalKind;
use super::scope::Global;
use super::{Checker, UnusedHere};
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::ItemKind;
use crate::text::Span;
use std::sync::Arc;

impl Checker<'_> {
    /// Reports locals and parameters of the finished body that nothing reads.
    pub(crate) fn report_unused_locals(&mut self) {
        // Where something is wrong, a name may be unused because of that.
        let is_broken = self.names.modules.get(self.module).is_none_or(|module| module.is_library || module.is_broken);
        if is_broken || self.has_errors_since(self.body.findings_before) {
            return;
        }
        let mut findings = Vec::new();
        for (local, info) in self.body.locals.iter().zip(&self.body.info) {
            if info.used || local.ty.has_unknown() || local.name.starts_with('_') || local.name.is_empty() {
                continue;
            }
            let name = &local.name;
            let finding = match info.kind {
                LocalKind::Let => {
                    let finding =
                        Finding::new(&catalogue::unused::LOCAL, local.span, format!("`{name}` is never used"))
                            .at("nothing reads it")
                            .help(format!("remove it, or call it `_{name}` if that is meant"));
                    match info.statement.and_then(|statement| self.lines_of(statement)) {
                        Some(lines) => finding.fix(lines, ""),
                        None => finding,
                    }
                }
                LocalKind::Var => {
                    Finding::new(&catalogue::unused::LOCAL, local.span, format!("`{name}` is set and never read"))
                        .at("nothing reads it")
                        .help(format!("remove it, or call it `_{name}` if that is meant"))
                }
                LocalKind::Parameter => Finding::new(
                    &catalogue::unused::PARAMETER,
                    local.span,
                    format!("the parameter `{name}` is never used"),
                )
                .at("nothing reads it")
                .help(format!("remove it, or call it `_{name}` if that is meant")),
                _ => continue,
            };
            findings.push(finding);
        }
        findings.into_iter().for_each(|finding| self.report(finding));
    }

    /// The whole lines of something, when nothing else stands on them.
    fn lines_of(&self, span: Span) -> Option<Span> {
        let source = self.program.sources.get(span.source)?;
        let start = source.line_start(source.line_of(span.start as usize));
        let end = source.line_start(source.line_of(span.end as usize) + 1);
        let before = source.text.get(start..span.start as usize)?;
        let after = source.text.get(span.end as usize..end)?;
        (before.trim().is_empty() && after.trim().is_empty()).then(|| Span::new(span.source, start, end))
    }

    /// Reports declarations of the main script, and `use` lines, that nothing needs.
    pub(crate) fn report_unused(&mut self) {
        let (mut findings, mut here) = (Vec::new(), Vec::new());
        if self.findings.iter().any(Finding::is_error) {
            return;
        }
        for module in self.names.modules.iter().filter(|module| !module.is_library) {
            for line in module.uses.iter().filter(|line| !line.used && !line.brings.is_empty()) {
                let finding =
                    Finding::new(&catalogue::unused::IMPORT, line.span, format!("nothing of `{}` is used", line.name))
                        .at("not needed")
                        .help("remove the line");
                let word = Span { start: line.span.start.saturating_sub(4), ..line.span };
                findings.push(
                    match self.lines_of(word).filter(|_| self.program.sources.slice(word).starts_with("use ")) {
                        Some(lines) => finding.fix(lines, ""),
                        None => finding,
                    },
                );
            }
            // What others use is for them; what starts nothing itself is there to be used.
            let script = Arc::clone(&module.script);
            let has_roots = script
                .items
                .iter()
                .any(|item| matches!(item.kind, ItemKind::Flow(_) | ItemKind::Test(_) | ItemKind::Trigger(_)));
            let is_for_others = module.prefix.is_some() || !has_roots;
            for (item, global) in script.items.iter().zip(&module.globals) {
                let Some(global) = global else { continue };
                if self.names.used.contains(global) || matches!(global, Global::Flow(_)) {
                    continue;
                }
                let name = match &item.kind {
                    ItemKind::Const(of) => &of.name,
                    ItemKind::Enum(of) => &of.name,
                    // Records of an entity may be looked at by other scripts.
                    ItemKind::Record(of) if !of.is_entity => &of.name,
                    ItemKind::Error(of) => &of.name,
                    ItemKind::Callable(of) => &of.name,
                    ItemKind::Rules(of) => &of.name,
                    _ => continue,
                };
                if name.text.starts_with('_') || name.text.is_empty() {
                    continue;
                }
                let kind = self.kind_of_global(*global).trim_start_matches("an ").trim_start_matches("a ");
                let finding = Finding::new(
                    &catalogue::unused::DECLARATION,
                    name.span,
                    format!("the {kind} `{}` is never used", name.text),
                )
                .at("nothing uses it")
                .help(format!("remove it, or call it `_{}` if that is meant", name.text));
                here.push(UnusedHere { finding: finding.clone(), is_meant: true });
                if !is_for_others {
                    findings.push(finding);
                }
            }
        }
        self.unused_here.extend(here);
        findings.into_iter().for_each(|finding| self.report(finding));
    }
}
