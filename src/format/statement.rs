//! Statements.

use super::document::Document;
use super::expression::{kind, names};
use super::printer::{HEAD, LEVEL, Printer};
use crate::syntax::tree::*;
use crate::text::Span;

impl Printer<'_> {
    /// Writes a statement with its lines; returns where it ends in the source, a trailing comment included.
    pub fn statement(&mut self, statement: &Statement) -> usize {
        let inline = self.whole_line(statement);
        self.statement_behind("", statement, inline)
    }

    /// Like [`Printer::statement`], behind something that stands at the beginning of the line.
    fn statement_behind(&mut self, before: &str, statement: &Statement, inline: Option<String>) -> usize {
        let (start, end) = (statement.span.start as usize, statement.span.end as usize);
        if let Some(line) = inline {
            self.indent();
            self.out.push_str(before);
            self.out.push_str(&line);
            return self.trailing(end);
        }
        let head = self.head(statement);
        self.hoist(start, head_end(statement));
        self.indent();
        self.out.push_str(before);
        // The blocks of an arm's statement are ordinary blocks.
        let in_arm = std::mem::replace(&mut self.in_arm, false);
        self.write(&head);
        let end = self.blocks(statement, end);
        self.in_arm = in_arm;
        end
    }

    /// The statement on one line, when it was written so and fits.
    fn whole_line(&mut self, statement: &Statement) -> Option<String> {
        if !has_block(statement) {
            return None;
        }
        self.inline_statement(statement).filter(|line| self.fits(line))
    }

    /// The statement on one line, however long; none when it has to have several.
    pub fn inline_statement(&mut self, statement: &Statement) -> Option<String> {
        let (start, end) = (statement.span.start as usize, statement.span.end as usize);
        if self.source(statement.span).contains('\n') || self.comments.any(start, end) {
            return None;
        }
        let mut line = self.head(statement).flat();
        match &statement.kind {
            StatementKind::If { then, otherwise, .. } => {
                line = format!("{line} {}", self.inline_block(then)?);
                match otherwise {
                    Some(Block { statements, .. }) if is_chained(statement) => {
                        line = format!("{line} else {}", self.inline_statement(statements.first()?)?);
                    }
                    Some(block) => line = format!("{line} else {}", self.inline_block(block)?),
                    None => {}
                }
            }
            StatementKind::For(For { body, .. }) | StatementKind::Parallel(body) => {
                line = format!("{line} {}", self.inline_block(body)?);
            }
            StatementKind::Step(step) => {
                if let StepBody::Block(body) = &step.body {
                    line = format!("{line} {}", self.inline_block(body)?);
                }
                if !step.modifiers.is_empty() {
                    return None;
                }
            }
            StatementKind::Match { .. } => return None,
            _ => {}
        }
        Some(line).filter(|line| !line.contains('\n'))
    }

    /// Everything of a statement before its block.
    fn head(&mut self, statement: &Statement) -> Document {
        self.continued = match &statement.kind {
            StatementKind::If { .. } | StatementKind::For(_) | StatementKind::Match { .. } => HEAD,
            _ => LEVEL,
        };
        let head = self.head_parts(statement);
        self.continued = LEVEL;
        head
    }

    fn head_parts(&mut self, statement: &Statement) -> Document {
        let word = |word: &str, value: Document| Document::Row(vec![Document::text(word), value]);
        match &statement.kind {
            StatementKind::Let { name, kind: written, value, mutable } => {
                let word = if *mutable { "var" } else { "let" };
                let head = format!("{word} {}{} = ", name.text, written_kind(written));
                Document::Row(vec![Document::text(head), self.expression(value)])
            }
            StatementKind::Assign { name, value } => word(&format!("{} = ", name.text), self.expression(value)),
            StatementKind::Expression(value) => self.expression_statement(value),
            // A value of `if` in the head would end it at its own `then`.
            StatementKind::If { condition, .. } => word("if ", self.behind_word(condition, 1)),
            StatementKind::Match { value, .. } => word("match ", self.behind_word(value, 1)),
            StatementKind::For(node) => self.for_head(node),
            StatementKind::Parallel(_) => Document::text("parallel"),
            StatementKind::Step(step) => {
                let head = format!("step {}{}", step.name.text, written_kind(&step.kind));
                match &step.body {
                    StepBody::Value(value) => {
                        Document::Row(vec![Document::text(format!("{head} = ")), self.expression(value)])
                    }
                    StepBody::Block(_) => Document::text(head),
                }
            }
            StatementKind::GoTo(target) => Document::text(format!("go to {}", target.text)),
            StatementKind::Return(None) => Document::text("return"),
            StatementKind::Return(Some(value)) => word("return ", self.expression(value)),
            StatementKind::Give(value) => word("give ", self.expression(value)),
            StatementKind::Fail { error, arguments } => {
                let span = Span { start: error.span.end, ..statement.span };
                word(&format!("fail {}", error.text), self.arguments_if_any(arguments, span))
            }
            StatementKind::Stop(None) => Document::text("stop"),
            StatementKind::Stop(Some(value)) => word("stop ", self.behind_word(value, 0)),
            StatementKind::Given(value) => word("given ", self.behind_word(value, 0)),
            StatementKind::Expect { value, failed } => {
                let failed = failed.as_ref().map_or(String::new(), |error| format!(" failed {}", error.text));
                Document::Row(vec![Document::text("expect "), self.behind_word(value, 0), Document::text(failed)])
            }
            StatementKind::Advance(value) => word("advance ", self.behind_word(value, 0)),
            StatementKind::Stub { callee, outcome } => self.stub(callee, outcome, statement.span),
            StatementKind::Answer { question, value } => {
                let question = question.as_ref().map_or(Document::nothing(), |text| {
                    Document::Row(vec![Document::text(" "), self.text_literal(text)])
                });
                let value = self.expression(value);
                Document::Row(vec![Document::text("answer ask"), question, Document::text(" with "), value])
            }
            StatementKind::Broken => Document::text(self.source(statement.span)),
        }
    }

    /// An expression that begins with `if` must not be broken before `then`: it would be read as a statement.
    fn expression_statement(&mut self, value: &Expr) -> Document {
        if matches!(value.kind, ExprKind::Conditional { .. }) {
            return Document::text(self.flat(value));
        }
        self.behind_word(value, 0)
    }

    fn arguments_if_any(&mut self, arguments: &[Argument], span: Span) -> Document {
        if arguments.is_empty() { Document::nothing() } else { self.arguments(arguments, span) }
    }

    fn for_head(&mut self, node: &For) -> Document {
        let second = node.second.as_ref().map_or(String::new(), |name| format!(", {}", name.text));
        let mut row = vec![Document::text(format!("for {}{second} in ", node.name.text)), self.at_least(&node.list, 1)];
        if let Some(count) = &node.parallel {
            row.extend([Document::text(", parallel "), self.behind_word(count, 0)]);
        }
        if node.stop_at_first_failure {
            row.push(Document::text(", stop at first failure"));
        }
        Document::Row(row)
    }

    fn stub(&mut self, callee: &Expr, outcome: &StubOutcome, span: Span) -> Document {
        let mut row = vec![Document::text("stub "), self.expression(callee)];
        match outcome {
            StubOutcome::Value(value) => row.extend([Document::text(" => "), self.expression(value)]),
            StubOutcome::Fails { error, arguments, times } => {
                row.push(Document::text(format!(" fails {}", error.text)));
                row.push(self.arguments_if_any(arguments, Span { start: error.span.end, ..span }));
                if let Some(times) = times {
                    row.extend([Document::text(" "), self.behind_word(times, 9), Document::text(" times")]);
                }
            }
        }
        Document::Row(row)
    }

    // ── blocks ───────────────────────────────────────────────────────────────────────────────

    /// Writes the blocks behind the head and ends the line; returns where the statement ends in the source.
    fn blocks(&mut self, statement: &Statement, end: usize) -> usize {
        match &statement.kind {
            StatementKind::If { .. } => self.if_blocks(statement, statement.span.start as usize),
            StatementKind::Match { arms, value } => {
                let from = value.span.end as usize;
                let open = self.text[from..].find('{').map_or(from, |at| from + at);
                let span = Span { start: u32::try_from(open).unwrap_or(u32::MAX), ..statement.span };
                self.braces(span, from, |printer, end| printer.arms(arms, end));
            }
            StatementKind::For(For { body, .. }) | StatementKind::Parallel(body) => {
                self.block(body, statement.span.start as usize);
            }
            StatementKind::Step(step) => return self.step_blocks(step, statement.span),
            _ => {}
        }
        self.trailing(end)
    }

    /// The blocks of an `if` with all its `else`; comments from `from` on belong to the first one.
    fn if_blocks(&mut self, statement: &Statement, from: usize) {
        let StatementKind::If { then, otherwise, .. } = &statement.kind else { return };
        self.block(then, from);
        let Some(block) = otherwise else { return };
        self.out.push_str(" else");
        let from = then.span.end as usize;
        match block.statements.first().filter(|_| is_chained(statement)) {
            Some(inner) => {
                self.out.push(' ');
                let head = self.head(inner);
                self.write(&head);
                self.if_blocks(inner, from);
            }
            None => self.block(block, from),
        }
    }

    fn arms(&mut self, arms: &[MatchArm], start: usize) -> usize {
        let mut end = start;
        for (index, arm) in arms.iter().enumerate() {
            self.gap(end, arm.span.start as usize, index == 0);
            end = self.arm(arm);
        }
        end
    }

    fn arm(&mut self, arm: &MatchArm) -> usize {
        let (start, end) = (arm.span.start as usize, arm.span.end as usize);
        let pattern = self.cell(&arm.pattern);
        if !arm.braces {
            let Some(statement) = arm.body.statements.first() else { return end };
            self.hoist(start, statement.span.start as usize);
            self.in_arm = true;
            let inline = self.whole_line(statement);
            let end = self.statement_behind(&format!("{pattern} => "), statement, inline);
            self.in_arm = false;
            return end;
        }
        let inline = self.inline_block(&arm.body).map(|block| format!("{pattern} => {block}"));
        match inline.filter(|line| self.fits(line)) {
            Some(line) => {
                self.indent();
                self.out.push_str(&line);
            }
            None => {
                self.hoist(start, arm.body.span.start as usize);
                self.indent();
                self.out.push_str(&format!("{pattern} =>"));
                self.block(&arm.body, start);
            }
        }
        self.trailing(end)
    }

    // ── steps ────────────────────────────────────────────────────────────────────────────────

    fn step_blocks(&mut self, step: &Step, span: Span) -> usize {
        let mut end = match &step.body {
            StepBody::Value(value) => value.span.end as usize,
            StepBody::Block(body) => {
                match self.inline_block(body).filter(|block| self.fits(&format!("{} {block}", step.name.text))) {
                    Some(block) => self.out.push_str(&format!(" {block}")),
                    None => self.block(body, span.start as usize),
                }
                body.span.end as usize
            }
        };
        if let StepBody::Value(_) = step.body {
            // A parenthesis may stand behind the value.
            let next = step.modifiers.first().map_or(span.end, |modifier| modifier.span.start) as usize;
            let rest = self.text.get(end..next).unwrap_or("");
            end += rest.len() - rest.trim_start_matches([')', ' ']).len();
        }
        let mut end = self.trailing(end.min(span.end as usize));
        self.level += 1;
        for modifier in &step.modifiers {
            let start = modifier.span.start as usize;
            for comment in self.comments.take(end, start) {
                self.line(&comment.text);
            }
            end = self.modifier(modifier);
        }
        self.level -= 1;
        end
    }

    fn modifier(&mut self, modifier: &Modifier) -> usize {
        let span = modifier.span;
        let (head, block) = match &modifier.kind {
            ModifierKind::Retry { times, from, doubling, up_to } => {
                let mut row = vec![Document::text("retry "), self.behind_word(times, 9), Document::text(" times")];
                if let Some(from) = from {
                    row.extend([Document::text(" from "), self.behind_word(from, 9)]);
                }
                if *doubling {
                    row.push(Document::text(" doubling"));
                }
                if let Some(up_to) = up_to {
                    row.extend([Document::text(" up to "), self.behind_word(up_to, 9)]);
                }
                (Document::Row(row), None)
            }
            ModifierKind::Timeout(value) => {
                (Document::Row(vec![Document::text("timeout "), self.behind_word(value, 0)]), None)
            }
            ModifierKind::Undo { body, braces: true } => (Document::text("undo"), Some(body)),
            ModifierKind::Undo { body, .. } => {
                let value = match body.statements.first() {
                    Some(Statement { kind: StatementKind::Expression(value), .. }) => self.behind_word(value, 0),
                    _ => Document::nothing(),
                };
                (Document::Row(vec![Document::text("undo "), value]), None)
            }
            ModifierKind::On { error, binding, action } => {
                let binding = binding.as_ref().map_or(String::new(), |name| format!(" as {}", name.text));
                let head = format!("on {}{binding}", error.text);
                match action {
                    OnAction::GoTo(target) => (Document::text(format!("{head} go to {}", target.text)), None),
                    OnAction::Block(body) => (Document::text(head), Some(body)),
                }
            }
        };
        let head_end = block.map_or(span.end, |block| block.span.start);
        self.hoist(span.start as usize, head_end as usize);
        self.indent();
        self.write(&head);
        if let Some(block) = block {
            let inline = self.inline_block(block).map(|block| format!(" {block}"));
            match inline.filter(|inline| self.fits(&format!("{}{inline}", head.flat()))) {
                Some(inline) => self.out.push_str(&inline),
                None => self.block(block, span.start as usize),
            }
        }
        self.trailing(span.end as usize)
    }

    /// A head of a declaration with options that may each go onto a line of their own.
    pub fn with_options(&self, head: Document, options: Vec<Document>, comma: bool, block: bool) -> Document {
        let mut rest = Vec::new();
        for (index, option) in options.into_iter().enumerate() {
            if comma && index > 0 {
                rest.push(Document::text(","));
            }
            rest.extend([Document::Line, option]);
        }
        Document::Row(vec![head, Document::Row(rest).nest(if block { HEAD } else { LEVEL }).group()])
    }
}

/// `: type`, when a type is written.
pub fn written_kind(written: &Option<TypeExpr>) -> String {
    written.as_ref().map_or(String::new(), |written| format!(": {}", kind(written)))
}

fn is_chained(statement: &Statement) -> bool {
    matches!(&statement.kind, StatementKind::If { chained: true, .. })
}

fn has_block(statement: &Statement) -> bool {
    match &statement.kind {
        StatementKind::If { .. } | StatementKind::For(_) | StatementKind::Parallel(_) => true,
        StatementKind::Step(step) => matches!(step.body, StepBody::Block(_)),
        _ => false,
    }
}

/// Where the first block of a statement begins in the source, or the statement ends.
fn head_end(statement: &Statement) -> usize {
    let end = match &statement.kind {
        StatementKind::If { then, .. } => then.span.start,
        StatementKind::Match { value, .. } => value.span.end,
        StatementKind::For(For { body, .. }) | StatementKind::Parallel(body) => body.span.start,
        StatementKind::Step(step) => match &step.body {
            StepBody::Block(body) => body.span.start,
            StepBody::Value(value) => value.span.end,
        },
        _ => statement.span.end,
    };
    end as usize
}

/// `fails a, b`.
pub fn fails(errors: &[Name]) -> String {
    format!(" fails {}", names(errors))
}
