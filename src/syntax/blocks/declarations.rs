//! Declarations with their blocks.

use super::Builder;
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;
use crate::syntax::MOST_FINDINGS;
use crate::syntax::errors;
use crate::syntax::grammar::Rule;
use crate::syntax::lines::{Piece, PieceKind, first_word, starts_declaration};
use crate::syntax::tree::*;

/// The rule for the head of a declaration, by its first word.
pub fn declaration_rule(word: &str) -> Option<Rule> {
    Some(match word {
        "use" => Rule::use_line,
        "const" => Rule::const_line,
        "enum" => Rule::enum_line,
        "record" | "entity" => Rule::record_line,
        "error" | "transient" => Rule::error_line,
        "fn" | "task" => Rule::callable_line,
        "rules" => Rule::rules_line,
        "rule" => Rule::reaction_line,
        "flow" => Rule::flow_line,
        "policy" => Rule::policy_line,
        "on" => Rule::on_line,
        "every" => Rule::every_line,
        "test" => Rule::test_line,
        _ => return None,
    })
}

impl Builder<'_> {
    /// All declarations of the text.
    pub fn items(&mut self) -> Vec<Item> {
        let mut items = Vec::new();
        while let Some(piece) = self.next_line() {
            let (start, end) = (piece.start, piece.end);
            let reported = self.findings.len();
            items.push(self.item(piece));
            if self.findings.len() > reported && self.previous_end() == end {
                self.skip_body_without_braces(start, end);
            }
        }
        items
    }

    /// Skips the lines below a head whose block was not opened, which has been reported: they are indented deeper.
    fn skip_body_without_braces(&mut self, start: usize, end: usize) {
        let indentation = self.indentation(start);
        let first = self.next;
        while let Some(piece) = self.peek() {
            let inner = match piece.kind {
                PieceKind::Line { .. } | PieceKind::Row { .. } => {
                    self.indentation(piece.start) > indentation && !starts_declaration(&self.text[piece.start..])
                }
                _ => self.next > first,
            };
            if !inner {
                break;
            }
            self.next += 1;
        }
        let until = self.peek().map_or(self.text.len(), |piece| piece.start);
        self.without_braces.push(end..until);
    }

    /// How many blanks stand before a place on its line; very many when something else does.
    fn indentation(&self, at: usize) -> usize {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        let blanks = before.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        match before.len().checked_sub(blanks + 1).map(|index| before[index]) {
            None | Some(b'\n') => blanks,
            Some(_) => usize::MAX,
        }
    }

    /// The declaration whose head was just taken.
    pub fn item(&mut self, piece: Piece) -> Item {
        let before = self.next.checked_sub(2).and_then(|index| self.pieces.get(index)).map_or(0, |piece| piece.end);
        let documentation = self.documentation(before, piece.start);
        let broken = matches!(piece.kind, PieceKind::Line { broken: true } | PieceKind::Row { broken: true, .. });
        let word = first_word(self.slice(piece.start, piece.end));
        let kind = match declaration_rule(word) {
            None => {
                if !broken && self.findings.len() < MOST_FINDINGS {
                    let opens = self.at_open();
                    let finding = errors::unknown_declaration(self.source, self.text, piece.start..piece.end, opens);
                    self.report(finding);
                }
                ItemKind::Broken
            }
            Some(_) if broken => ItemKind::Broken,
            Some(rule) => self
                .read(rule, piece.start, piece.end, |lower, pair| lower.declaration(pair))
                .unwrap_or(ItemKind::Broken),
        };
        let kind = self.with_block(kind, word, &piece);
        Item { documentation, kind, span: self.span(piece.start, self.previous_end().max(piece.end)) }
    }

    /// Reads the block of a declaration into it.
    fn with_block(&mut self, mut kind: ItemKind, word: &str, head: &Piece) -> ItemKind {
        let needed = match &mut kind {
            ItemKind::Broken => {
                self.block_of_broken(word);
                return kind;
            }
            ItemKind::Enum(node) => {
                self.members(node);
                "the block with the members"
            }
            ItemKind::Record(node) => {
                node.fields = self.field_lines();
                "the block with the fields"
            }
            ItemKind::Rules(RuleTable { body: TableBody::Rows { columns, rows, span }, .. }) => {
                if self.at_open() {
                    (*columns, *rows, *span) = self.table();
                }
                "the block with the rows"
            }
            ItemKind::Policy(node) => {
                node.clauses = self.clauses();
                "the block with the clauses"
            }
            ItemKind::Callable(Callable { body: CallableBody::Block(body), .. })
            | ItemKind::Flow(Flow { body, .. })
            | ItemKind::Reaction(Reaction { body, .. })
            | ItemKind::Trigger(Trigger { body, .. }) => {
                if let Some(block) = self.block() {
                    *body = block;
                }
                "the block"
            }
            ItemKind::Test(node) => {
                if let Some(block) = self.block() {
                    (node.body, node.body_span) = (block.statements, block.span);
                }
                "the block"
            }
            ItemKind::Use(_) | ItemKind::Const(_) | ItemKind::Error(_) | ItemKind::Callable(_) | ItemKind::Rules(_) => {
                if self.at_open() {
                    self.unexpected_block(head.start, head.end);
                }
                return kind;
            }
        };
        if self.previous_end() <= head.end {
            self.missing_block(head.start, head.end, needed);
        }
        kind
    }

    /// Reads the block of a head that could not be read, for what is wrong in it.
    fn block_of_broken(&mut self, word: &str) {
        if !self.at_open() {
            return;
        }
        match declaration_rule(word).map_or(errors::meant_by(word), |_| Some(word)).unwrap_or("") {
            "enum" => {
                self.members(&mut Enum { name: Name { text: "".into(), span: self.span(0, 0) }, members: Vec::new() })
            }
            "record" | "entity" => drop(self.field_lines()),
            "policy" => drop(self.clauses()),
            "rules" => drop(self.table()),
            _ => drop(self.block()),
        }
    }

    fn members(&mut self, node: &mut Enum) {
        self.braces(|builder, piece| {
            if builder.is_broken(&piece) {
                return;
            }
            let names = builder.read(Rule::member_line, piece.start, piece.end, |lower, pair| {
                pair.into_inner().next().map(|names| lower.names(names)).unwrap_or_default()
            });
            node.members.extend(names.unwrap_or_default());
        });
    }

    fn field_lines(&mut self) -> Vec<FieldDeclaration> {
        let mut fields = Vec::new();
        self.braces(|builder, piece| {
            let before = builder.pieces.get(builder.next.saturating_sub(2)).map_or(0, |piece| piece.end);
            let documentation = builder.documentation(before, piece.start);
            if builder.is_broken(&piece) {
                return;
            }
            let read = builder.read(Rule::field_line, piece.start, piece.end, |lower, pair| lower.fields(pair));
            let mut read = read.unwrap_or_default();
            if let Some(first) = read.first_mut() {
                first.documentation = documentation;
            }
            fields.extend(read);
        });
        fields
    }

    fn clauses(&mut self) -> Vec<PolicyClause> {
        let mut clauses = Vec::new();
        self.braces(|builder, piece| {
            if builder.is_broken(&piece) {
                return;
            }
            let span = builder.span(piece.start, piece.end);
            let clause =
                builder.read(Rule::clause_line, piece.start, piece.end, |lower, pair| lower.clause(pair, span));
            clauses.extend(clause.flatten());
        });
        clauses
    }

    /// Whether the problem of a line has been reported already.
    pub fn is_broken(&self, piece: &Piece) -> bool {
        matches!(piece.kind, PieceKind::Line { broken: true } | PieceKind::Row { broken: true, .. })
    }

    /// A block behind a line that has none: reported, and read for what is wrong in it.
    pub fn unexpected_block(&mut self, start: usize, end: usize) {
        let Some(open) = self.peek().cloned() else { return };
        let inner = self.pieces.get(self.next + 1).map(|piece| self.slice(piece.start, piece.end)).unwrap_or("");
        let last = self.slice(start, end).split(|c: char| !c.is_alphanumeric() && c != '_').next_back().unwrap_or("");
        let span = self.span(open.start, open.end);
        if let Some(finding) = errors::foreign_block(self.slice(start, end), self.span(start, end)) {
            self.report(finding);
            self.block();
            return;
        }
        let fields = inner.split_once(':').is_some_and(|(name, _)| first_word(name).len() == name.trim_end().len());
        let is_record = fields && last.starts_with(char::is_uppercase);
        self.report(if is_record {
            Finding::new(&codes::BLOCK, span, "a record is built by a call, not in braces")
                .at(format!("`(` is expected after `{last}`"))
                .help(format!("write `{last}({})`", inner.trim_end_matches(',')))
        } else {
            Finding::new(&codes::BLOCK, span, "no block belongs here")
                .at("this line ends here")
                .help("a block follows `if`, `for`, `step` and the like; a map stands behind `=`, `(`, `,` or `:`")
        });
        self.advance();
        if is_record {
            self.skip_block();
        } else {
            self.next -= 1;
            self.block();
        }
    }
}
