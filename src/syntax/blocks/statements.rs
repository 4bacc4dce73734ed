//! Statements with their blocks and modifiers.

use super::declarations::declaration_rule;
use super::{Builder, DEEPEST_BLOCK};
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;
use crate::syntax::errors;
use crate::syntax::grammar::Rule;
use crate::syntax::lines::{Piece, PieceKind, first_word, starts_declaration, too_deep};
use crate::syntax::lower::ModifierHead;
use crate::syntax::tree::*;

impl Builder<'_> {
    /// The statement that begins with a piece that was just taken.
    pub fn statement_of(&mut self, piece: Piece) -> Statement {
        let broken = self.is_broken(&piece);
        if !broken && starts_declaration(self.slice(piece.start, piece.end)) {
            return self.misplaced_declaration(piece);
        }
        self.statement(piece.start, piece.end, broken)
    }

    /// The statement in `start..end`, the rest of a line, with the blocks that follow.
    pub fn statement(&mut self, start: usize, end: usize, broken: bool) -> Statement {
        let rule = self.statement_rule(start, end);
        let mut broken = broken;
        let kind = match rule {
            _ if broken => None,
            Rule::EOI => {
                self.misplaced_word(start, end);
                broken = true;
                None
            }
            rule => self.read(rule, start, end, |lower, pair| lower.statement(pair)),
        };
        broken |= kind.is_none();
        let kind = match kind {
            Some(kind) => kind,
            None => self.recovered(start, end),
        };
        let kind = self.with_blocks(kind, start, end, broken);
        Statement { kind, span: self.span(start, self.previous_end().max(end)) }
    }

    /// The rule for a statement by how it begins; `EOI` for words that can't begin one.
    fn statement_rule(&self, start: usize, end: usize) -> Rule {
        let text = self.slice(start, end);
        let word = first_word(text);
        let rest = text[word.len()..].trim_start();
        match word {
            "let" | "var" => Rule::let_line,
            "if" if !self.at_open() && contains_word(rest, "then") && contains_word(rest, "else") => {
                Rule::expression_line
            }
            "if" => Rule::if_line,
            "match" => Rule::match_line,
            "for" => Rule::for_line,
            "step" => Rule::step_line,
            "go" => Rule::go_line,
            "return" => Rule::return_line,
            "give" => Rule::give_line,
            "fail" => Rule::fail_line,
            "stop" => Rule::stop_line,
            "else" => Rule::EOI,
            _ => self.soft_rule(word, rest),
        }
    }

    /// The rule for words that are keywords only where a statement of theirs can be meant.
    fn soft_rule(&self, word: &str, rest: &str) -> Rule {
        let assigns = rest.starts_with('=') && !rest.starts_with("==") && !rest.starts_with("=>");
        let is_value = rest.is_empty() || rest.starts_with(['.', ',', ':', '?', ')']) || rest.starts_with("==");
        match word {
            "" => Rule::expression_line,
            _ if assigns => Rule::assign_line,
            "parallel" if rest.is_empty() || self.at_open() => Rule::parallel_line,
            "given" | "expect" | "advance" | "stub" | "answer" | "retry" | "timeout" | "undo" | "on" if is_value => {
                Rule::expression_line
            }
            "given" => Rule::given_line,
            "expect" => Rule::expect_line,
            "advance" => Rule::advance_line,
            "stub" => Rule::stub_line,
            "answer" => Rule::answer_line,
            "retry" | "timeout" | "undo" | "on"
                if !first_word(rest).is_empty() || rest.starts_with(char::is_numeric) =>
            {
                Rule::EOI
            }
            _ => Rule::expression_line,
        }
    }

    /// What can be kept of a statement that could not be read: names, so that their uses are not reported too.
    fn recovered(&mut self, start: usize, end: usize) -> StatementKind {
        let text = self.slice(start, end);
        let word = first_word(text);
        let broken = |span| Expr { kind: ExprKind::Broken, span };
        let after = &text[word.len()..];
        let lead = after.len() - after.trim_start().len();
        let name_text = first_word(after.trim_start());
        let name_start = start + word.len() + lead;
        let name = Name { text: name_text.into(), span: self.span(name_start, name_start + name_text.len()) };
        let rest = self.span((name_start + name_text.len()).min(end), end);
        let empty = Block { statements: Vec::new(), span: self.span(end, end) };
        match word {
            "let" | "var" if !name_text.is_empty() => {
                StatementKind::Let { name, kind: None, value: broken(rest), mutable: word == "var" }
            }
            "step" if !name_text.is_empty() => {
                let body = if self.at_open() { StepBody::Block(empty) } else { StepBody::Value(broken(rest)) };
                StatementKind::Step(Step { name, kind: None, body, modifiers: Vec::new() })
            }
            "for" if !name_text.is_empty() => StatementKind::For(For {
                name,
                second: None,
                list: broken(rest),
                parallel: None,
                stop_at_first_failure: false,
                body: empty,
            }),
            "if" => {
                let condition = broken(self.span(start + word.len(), end));
                StatementKind::If { condition, then: empty, otherwise: None, chained: false }
            }
            "match" => StatementKind::Match { value: broken(self.span(start + word.len(), end)), arms: Vec::new() },
            _ => StatementKind::Broken,
        }
    }

    /// Reads the blocks and modifiers that belong to a statement.
    fn with_blocks(&mut self, mut kind: StatementKind, start: usize, end: usize, broken: bool) -> StatementKind {
        let opens = self.at_open();
        match &mut kind {
            StatementKind::If { then, otherwise, chained, .. } => {
                match self.block() {
                    Some(block) => *then = block,
                    None if !broken => self.missing_block(start, end, "the block"),
                    None => {}
                }
                (*otherwise, *chained) = self.otherwise();
            }
            StatementKind::Match { arms, .. } => {
                if opens {
                    *arms = self.arms();
                } else if !broken {
                    self.missing_block(start, end, "the block with the cases");
                }
            }
            StatementKind::For(For { body, .. }) | StatementKind::Parallel(body) => match self.block() {
                Some(block) => *body = block,
                None if !broken => self.missing_block(start, end, "the block"),
                None => {}
            },
            StatementKind::Step(step) => {
                match &mut step.body {
                    StepBody::Block(body) => match self.block() {
                        Some(block) => *body = block,
                        None if !broken => self.missing_block(start, end, "`=` or the block"),
                        None => {}
                    },
                    StepBody::Value(_) if opens => self.unexpected_block(start, end),
                    StepBody::Value(_) => {}
                }
                self.modifiers(&mut step.modifiers);
            }
            StatementKind::Broken if opens => {
                match errors::meant_by(first_word(self.slice(start, end))) {
                    Some("match") => drop(self.arms()),
                    _ => drop(self.block()),
                };
            }
            _ if opens && broken => drop(self.block()),
            _ if opens => {
                self.unexpected_block(start, end);
                return StatementKind::Broken;
            }
            _ => {}
        }
        kind
    }

    // ── else ─────────────────────────────────────────────────────────────────────────────────

    /// The `else` that comes next, and whether it is an `else if`.
    fn otherwise(&mut self) -> (Option<Block>, bool) {
        let Some(piece) = self.peek().cloned() else { return (None, false) };
        let text = self.slice(piece.start, piece.end);
        if !matches!(piece.kind, PieceKind::Line { .. }) || first_word(text) != "else" {
            return (None, false);
        }
        self.advance();
        let rest = text["else".len()..].trim_start();
        let start = piece.end - rest.len();
        if rest.is_empty() {
            let block = self.block();
            if block.is_none() {
                self.missing_block(piece.start, piece.end, "the block");
            }
            return (block, false);
        }
        if first_word(rest) != "if" {
            let span = self.span(start, piece.end);
            self.report(
                Finding::new(&codes::BLOCK, span, "a block is expected after `else`")
                    .at("neither `{` nor `if`")
                    .help("write `else { … }` or `else if condition { … }`"),
            );
            self.block();
            return (None, false);
        }
        if self.depth >= DEEPEST_BLOCK {
            let finding = too_deep(self.span(start, start + 2));
            self.report(finding);
            self.skip_chain();
            return (None, false);
        }
        self.depth += 1;
        let broken = self.is_broken(&piece);
        let inner = self.statement(start, piece.end, broken);
        self.depth -= 1;
        let span = inner.span;
        (Some(Block { statements: vec![inner], span }), true)
    }

    /// Skips the blocks of an `if` with all its `else if`.
    fn skip_chain(&mut self) {
        loop {
            if self.at_open() {
                self.advance();
                self.skip_block();
            }
            match self.peek() {
                Some(piece) if first_word(self.slice(piece.start, piece.end)) == "else" => self.next += 1,
                _ => return,
            }
        }
    }

    // ── match ────────────────────────────────────────────────────────────────────────────────

    fn arms(&mut self) -> Vec<MatchArm> {
        let mut arms = Vec::new();
        self.braces(|builder, piece| arms.extend(builder.arm(piece)));
        arms
    }

    fn arm(&mut self, piece: Piece) -> Option<MatchArm> {
        if self.is_broken(&piece) {
            self.block();
            return None;
        }
        let head = self.read(Rule::arm_head, piece.start, piece.end, |lower, pair| {
            let end = pair.as_span().end();
            pair.into_inner().next().map(|tests| (lower.tests(tests), end))
        });
        let Some((pattern, length)) = head.flatten() else {
            self.block();
            return None;
        };
        let start = piece.start + length;
        let (body, braces) = if start < piece.end {
            let statement = self.statement(start, piece.end, false);
            let span = statement.span;
            (Block { statements: vec![statement], span }, false)
        } else {
            match self.block() {
                Some(block) => (block, true),
                None => {
                    self.missing_block(piece.start, piece.end, "a statement or a block");
                    return None;
                }
            }
        };
        Some(MatchArm { pattern, body, braces, span: self.span(piece.start, self.previous_end()) })
    }

    // ── modifiers ────────────────────────────────────────────────────────────────────────────

    fn modifiers(&mut self, modifiers: &mut Vec<Modifier>) {
        while let Some(piece) = self.peek().cloned() {
            if !matches!(piece.kind, PieceKind::Line { .. }) {
                return;
            }
            let text = self.slice(piece.start, piece.end);
            let Some(rule) = modifier_rule(text) else { return };
            self.advance();
            let head = if self.is_broken(&piece) {
                None
            } else {
                self.read(rule, piece.start, piece.end, |lower, pair| lower.modifier(pair)).flatten()
            };
            let kind = match head {
                None => {
                    self.block();
                    continue;
                }
                Some(head) => self.modifier_with_block(head, &piece),
            };
            let span = self.span(piece.start, self.previous_end());
            modifiers.extend(kind.map(|kind| Modifier { kind, span }));
        }
    }

    fn modifier_with_block(&mut self, head: ModifierHead, piece: &Piece) -> Option<ModifierKind> {
        if let ModifierHead::Whole(kind) = head {
            if self.at_open() {
                self.unexpected_block(piece.start, piece.end);
            }
            return Some(kind);
        }
        let Some(body) = self.block() else {
            let what = match head {
                ModifierHead::On { .. } => "`go to` or the block",
                _ => "the block",
            };
            self.missing_block(piece.start, piece.end, what);
            return None;
        };
        Some(match head {
            ModifierHead::On { error, binding } => ModifierKind::On { error, binding, action: OnAction::Block(body) },
            _ => ModifierKind::Undo { body, braces: true },
        })
    }

    // ── wrong places ─────────────────────────────────────────────────────────────────────────

    fn misplaced_declaration(&mut self, piece: Piece) -> Statement {
        let word = first_word(self.slice(piece.start, piece.end));
        let span = self.span(piece.start, piece.start + word.len());
        self.report(
            Finding::new(
                &codes::PLACE,
                span,
                format!("`{word}` declares something, and a declaration stands outside of all blocks"),
            )
            .at("inside a block")
            .help("move it out of the block; if a `}` is missing before it, close the block"),
        );
        let span = self.span(piece.start, piece.end);
        if declaration_rule(word).is_some() {
            self.item(piece);
        }
        let end = self.span(self.previous_end(), self.previous_end());
        Statement { kind: StatementKind::Broken, span: span.to(end) }
    }

    fn misplaced_word(&mut self, start: usize, end: usize) {
        let word = first_word(self.slice(start, end));
        let span = self.span(start, start + word.len());
        self.report(errors::unknown_modifier_place(word, span));
    }
}

/// The rule for the modifier that `text` begins with, if it begins with one.
fn modifier_rule(text: &str) -> Option<Rule> {
    let word = first_word(text);
    let rest = &text[word.len()..];
    if rest.trim_start().starts_with(['=', '.', ',', '?', ')']) {
        return None;
    }
    match word {
        "retry" => Some(Rule::retry_line),
        "timeout" => Some(Rule::timeout_line),
        "undo" => Some(Rule::undo_line),
        "on" => Some(Rule::handler_line),
        _ => None,
    }
}

fn contains_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}
