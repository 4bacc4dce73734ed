//! Expectations of tests that no run is needed for: what they expect of decision tables, and of functions that only choose,
//! is known from the literals that they are given.

use super::Checker;
use super::known::{Foresight, Locals};
use super::program::{Expr, ExprKind, Program, Row, Statement, StatementKind, TableId, Test};
use crate::finding::{Finding, catalogue::decision};
use crate::syntax::tree::BinaryOperator as B;

impl Checker<'_> {
    /// Reports expectations that do not hold, whatever the run does. Where something is wrong, that may be why.
    pub(crate) fn check_expectations(&mut self) {
        if self.findings.iter().any(Finding::is_error) {
            return;
        }
        let mut findings = Vec::new();
        for test in &self.program.tests {
            if self.program.sources.get(test.span.source).is_some_and(|source| !source.is_library) {
                Expectations::of(&self.program, test).look(&test.body, &mut findings);
            }
        }
        findings.into_iter().for_each(|finding| self.report(finding));
    }
}

/// What a test expects, and what is known at each place of it.
struct Expectations<'p> {
    program: &'p Program,
    foresight: Foresight<'p>,
    locals: Locals,
}

impl<'p> Expectations<'p> {
    fn of(program: &'p Program, test: &Test) -> Self {
        let puts_others_in_place = test.body.iter().any(|of| matches!(of.kind, StatementKind::Stub { .. }));
        Expectations { program, foresight: Foresight::new(program, !puts_others_in_place), locals: Locals::default() }
    }

    fn look(&mut self, statements: &'p [Statement], findings: &mut Vec<Finding>) {
        for statement in statements {
            match &statement.kind {
                StatementKind::Set { local, value } => {
                    let value = self.foresight.value(value, &self.locals);
                    self.locals.set(*local, value);
                }
                StatementKind::Expect { value, failed: None } => {
                    if self.foresight.truth(value, &self.locals) == Some(false) {
                        findings.push(self.refuted(value));
                    }
                }
                _ => self.forget(statement),
            }
        }
    }

    /// What is set in blocks hangs on whether they are come to, and how often.
    fn forget(&mut self, statement: &'p Statement) {
        let mut blocks: Vec<&'p Vec<Statement>> = Vec::new();
        statement.each_part(&mut |_| {}, &mut |block| blocks.push(block));
        for inner in blocks.into_iter().flatten() {
            if let StatementKind::Set { local, .. } = &inner.kind {
                self.locals.set(*local, None);
            }
            self.forget(inner);
        }
    }

    fn refuted(&self, expectation: &'p Expr) -> Finding {
        let words = self.program.sources.slice(expectation.span);
        let mut finding =
            Finding::new(&decision::EXPECTED, expectation.span, format!("`{words}` does not hold, as can be told now"))
                .at("this test can only fail");
        if let Some((table, row)) = self.taken(expectation)
            && let Some(of) = self.program.tables.get(table.index())
        {
            let given = self.program.sources.slice(row.outcome.span);
            finding.message =
                format!("`{}` gives `{given}`, by its {}, and this test expects something else", of.name, row.name);
            finding = finding.label(row.span, "this row is taken");
        }
        finding.help("put right what is wrong: what is expected, or what gives it")
    }

    /// The row that decides a comparison with the outcome of a table.
    fn taken(&self, expectation: &'p Expr) -> Option<(TableId, &'p Row)> {
        let decided = |expr: &'p Expr| match &expr.kind {
            ExprKind::Decide(table, arguments) => Some((*table, self.foresight.row(*table, arguments, &self.locals)?)),
            _ => None,
        };
        match &expectation.kind {
            ExprKind::Binary(
                B::Equal | B::NotEqual | B::Less | B::LessOrEqual | B::Greater | B::GreaterOrEqual,
                a,
                b,
            ) => decided(a).or_else(|| decided(b)),
            ExprKind::Not(inner) => decided(inner),
            _ => decided(expectation),
        }
    }
}
