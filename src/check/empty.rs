//! Blocks in which nothing is left: a loop, a choice or a step that does nothing, whatever happens.

use super::Checker;
use super::program::{BodyParts, Program, Statement, StatementKind, StepBody};
use crate::finding::{Finding, catalogue::unused};
use crate::text::Span;

impl Checker<'_> {
    /// Reports blocks without a statement. Where something could not be read, a block may be empty because of that.
    pub(crate) fn check_blocks(&mut self) {
        if self.findings.iter().any(Finding::is_error) {
            return;
        }
        let program = &self.program;
        let mut places = Vec::new();
        for body in program.bodies() {
            in_body(program, &body, &mut places);
        }
        for test in &program.tests {
            let body = BodyParts { locals: &test.locals, blocks: vec![&test.body], expressions: Vec::new() };
            in_body(program, &body, &mut places);
        }
        for step in program.flows.iter().flat_map(|flow| &flow.steps) {
            if matches!(&step.body, StepBody::Block(block) if block.is_empty()) && !step.name.starts_with('_') {
                places.push((super::graph::head(step), "step"));
            }
        }
        places.retain(|(place, _)| program.sources.get(place.source).is_some_and(|source| !source.is_library));
        for (place, what) in places {
            let finding = Finding::new(&unused::BLOCK, place, format!("nothing stands in this {what}"))
                .at("does nothing")
                .help(format!("write what it was meant to do, or remove the {what}"));
            self.report(finding);
        }
    }
}

fn in_body(program: &Program, body: &BodyParts<'_>, places: &mut Vec<(Span, &'static str)>) {
    body.each_statement(&mut |statement| {
        let what = match &statement.kind {
            StatementKind::For(each) if each.body.is_empty() => "loop",
            StatementKind::If { then, otherwise, .. } if then.is_empty() && otherwise.is_empty() => "choice",
            _ => return,
        };
        places.push((head(program, statement), what));
    });
}

/// The first line of a statement, without its `{`.
fn head(program: &Program, statement: &Statement) -> Span {
    let words = program.sources.slice(statement.span);
    let line = words.lines().next().unwrap_or_default();
    let line = line.split_once('{').map_or(line, |(before, _)| before).trim_end();
    let end = statement.span.start + u32::try_from(line.len()).unwrap_or_default();
    Span { end: end.max(statement.span.start + 1), ..statement.span }
}
