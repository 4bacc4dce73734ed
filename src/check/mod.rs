//! From tree to program: names, types, effects, graphs; either a typed, resolved program or findings.
//!
//! The way of a script: [`modules`] reads it with all that it uses, [`declare`] gives every declaration its
//! number and its types, [`declaration`] checks the bodies ([`statement`], [`expression`], `types`),
//! [`effects`] finds what each callable does to the world, [`graph`] follows the paths of flows, [`unused`]
//! looks for what nothing needs. All findings of a script come out at once; one cause makes one finding:
//! what is wrong has the type `Unknown`, which agrees with everything.

mod allow;
mod arguments;
mod body;
mod boundaries;
mod call;
pub mod capability;
mod cascade;
mod constant;
mod decision;
mod declaration;
mod declare;
mod effects;
mod empty;
mod ending;
mod entity;
mod expected;
mod expression;
mod flow;
mod graph;
mod hash;
mod host;
mod known;
mod leftover;
mod loader;
pub mod mend;
mod modules;
mod money;
mod name;
mod policy;
mod privacy;
pub mod program;
pub mod proof;
pub mod reaction;
mod record;
mod scope;
mod session;
mod statement;
mod style;
mod template;
mod testing;
#[cfg(test)]
mod tests;
mod time;
mod types;
mod unused;
mod wait;
mod written;

pub use boundaries::{Allowance, Boundaries, is_of_domain};
pub use host::{Address, HostRule, Refusal, refusal};
pub use loader::{Kept, LoadError, Loader, Memory};
pub use session::{Entry, EntryPart, Session, Variable};

use crate::finding::Finding;
use crate::text::{Source, Sources};
use body::Body;
use declare::Pending;
use program::Program;
use scope::{ModuleId, Names};
use std::collections::HashSet;

/// What checking a script gives.
#[derive(Debug, Default)]
pub struct Checked {
    /// The program; there is one whenever no finding is an error.
    pub program: Option<Program>,
    /// Everything that was found, in the order of the text.
    pub findings: Vec<Finding>,
    /// All texts that the findings point into.
    pub sources: Sources,
    /// Declarations of scripts that are used and of the script itself that nothing here uses: what no script of a project
    /// uses is left over.
    pub unused_here: Vec<Finding>,
    /// What the scripts need of what their project allows: entries of `allow` in `[privacy]`.
    pub allowances: Vec<Allowance>,
    /// The names of the secrets that they ask for.
    pub secrets: Vec<ecow::EcoString>,
}

/// Checks a script with all that it uses.
pub fn check(main: Source, loader: &dyn Loader) -> Checked {
    let mut checker = Checker::new(loader, Program::default(), Names::default());
    checker.load_prelude();
    checker.load_main(main);
    checker.check_pending();
    checker.report_unused();
    checker.prove_tables();
    checker.check_expectations();
    checker.check_conditions();
    checker.check_blocks();
    checker.prove_reactions();
    checker.prove_flows();
    checker.check_privacy();
    checker.check_literals();
    checker.check_money();
    checker.check_times();
    checker.report_leftovers();
    checker.check_style();
    checker.check_reach();
    checker.collapse();
    checker.allow();
    loader.levels().apply(&mut checker.findings);
    loader.levels().apply(&mut checker.unused_here);
    let findings = checker.sorted_findings();
    let allowances = checker.allowances.into_iter().collect();
    let unused_here = checker.unused_here;
    let program = checker.program;
    let secrets = capability::secrets_of(&program).into_iter().collect();
    let sources = program.sources.clone();
    let ok = !findings.iter().any(Finding::is_error);
    Checked { program: ok.then_some(program), findings, sources, unused_here, allowances, secrets }
}

/// The work on one program.
pub(crate) struct Checker<'l> {
    loader: &'l dyn Loader,
    program: Program,
    findings: Vec<Finding>,
    names: Names,
    /// The script that is being checked.
    module: ModuleId,
    /// The body that is being checked.
    body: Body,
    /// What is declared and not yet checked.
    pending: Pending,
    /// Places and codes that have been reported, so that nothing is said twice.
    reported: HashSet<(&'static str, crate::text::Span)>,
    /// Declarations that nothing here uses; see [`Checked::unused_here`].
    unused_here: Vec<Finding>,
    /// What of `[privacy]` the program needs.
    allowances: std::collections::BTreeSet<Allowance>,
}

impl<'l> Checker<'l> {
    fn new(loader: &'l dyn Loader, program: Program, names: Names) -> Self {
        Checker {
            loader,
            program,
            findings: Vec::new(),
            names,
            module: 0,
            body: Body::default(),
            pending: Pending::default(),
            reported: HashSet::new(),
            unused_here: Vec::new(),
            allowances: std::collections::BTreeSet::new(),
        }
    }

    /// Proves the decision tables of the scripts that people write. One that has an error in itself is left
    /// out: what is said of it would only follow from the error.
    fn prove_tables(&mut self) {
        let errors: Vec<crate::text::Span> =
            self.findings.iter().filter(|finding| finding.is_error()).filter_map(Finding::span).collect();
        let is_sound = |table: &program::DecisionTable| {
            let whole = table.rows.iter().fold(table.span, |span, row| span.to(row.span));
            let of_library = self.program.sources.get(table.span.source).is_none_or(|source| source.is_library);
            let rows = table.rows.first().map(|row| row.span.source);
            let is_wrong_file =
                rows != Some(table.span.source) && errors.iter().any(|error| rows == Some(error.source));
            // A table whose rows could not be read has nothing to prove.
            !table.rows.is_empty()
                && !is_wrong_file
                && !of_library
                && !errors.iter().any(|error| whole.source == error.source && whole.touches(error.start as usize))
        };
        for finding in proof::check(&self.program, is_sound) {
            self.report(finding);
        }
    }

    /// Looks at the ways, calls and effects of the flows and tasks that people write. Those of a script with an
    /// error are left out: what is said of them would only follow from the error.
    fn prove_flows(&mut self) {
        let broken: HashSet<crate::text::SourceId> = self
            .findings
            .iter()
            .filter(|finding| finding.is_error())
            .filter_map(|finding| Some(finding.span()?.source))
            .collect();
        let program = &self.program;
        let wanted = |span: crate::text::Span| {
            !broken.contains(&span.source) && program.sources.get(span.source).is_some_and(|source| !source.is_library)
        };
        let book = effects::deeds::Deedbook::of(program);
        let mut findings = graph::findings(program, &book, &wanted);
        findings.extend(effects::retry::findings(program, &book, &wanted));
        findings.extend(effects::outside::findings(program, &book, &wanted));
        findings.extend(effects::each_element::findings(program, &wanted));
        findings.extend(effects::unplanned::findings(program, &book, &wanted));
        // A policy that could not be read whole proves nothing.
        let mut kept_by_callers = Vec::new();
        if broken.is_empty() {
            let proved = policy::prove(program, &wanted);
            findings.extend(proved.findings);
            kept_by_callers = proved.kept_by_callers;
        }
        self.program.kept_by_callers = kept_by_callers;
        findings.into_iter().for_each(|finding| self.report(finding));
    }

    /// Proves what can be proved of the reactive rules of a script without errors.
    fn prove_reactions(&mut self) {
        if self.findings.iter().any(Finding::is_error) {
            return;
        }
        for finding in reaction::check(&self.program) {
            self.report(finding);
        }
    }

    /// Takes a finding in, unless the same was said of the same place before.
    pub(crate) fn report(&mut self, finding: Finding) {
        let span = finding.span().unwrap_or_default();
        if finding.labels.is_empty() || self.reported.insert((finding.code.id, span)) {
            self.findings.push(finding);
        }
    }

    /// Everything found so far, by source and place.
    fn sorted_findings(&mut self) -> Vec<Finding> {
        let mut findings = std::mem::take(&mut self.findings);
        findings.sort_by_key(|finding| finding.span().map_or((u16::MAX, 0, 0), |s| (s.source.0, s.start, s.end)));
        findings
    }

    /// Checks everything that was declared since the last time.
    fn check_pending(&mut self) {
        let modules = std::mem::take(&mut self.pending.modules);
        for module in &modules {
            self.resolve_headers(*module);
        }
        self.check_defaults();
        self.check_constants();
        let first_callable = self.pending.first;
        for module in &modules {
            self.check_bodies(*module);
        }
        self.infer_effects(first_callable);
    }

    /// Does something in another body and module, and comes back.
    fn elsewhere<R>(&mut self, module: ModuleId, body: Body, action: impl FnOnce(&mut Self) -> R) -> (R, Body) {
        let before = (std::mem::replace(&mut self.module, module), std::mem::replace(&mut self.body, body));
        let result = action(self);
        self.module = before.0;
        (result, std::mem::replace(&mut self.body, before.1))
    }
}
