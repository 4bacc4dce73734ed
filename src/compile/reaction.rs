//! Reactive rules as code, and which of them a change concerns: numbers, no looking for names.

use super::body::{Body, Compiler};
use super::code::ChunkId;
use super::instruction::Instruction;
use crate::check::program::{Reaction, RecordType};
use crate::check::reaction::watched;
use crate::syntax::tree::RecordEvent;
use crate::text::Span;
use crate::value::{RecordId, Value};
use ecow::EcoString;

/// A reactive rule, ready to be fired. Its chunks take the record as their argument.
#[derive(Debug, Clone)]
pub struct ReactionCode {
    /// Its name.
    pub name: EcoString,
    /// The entity whose records it watches.
    pub entity: RecordId,
    /// What must happen to a record.
    pub event: RecordEvent,
    /// The fields that it watches, for `changed`.
    pub fields: Vec<usize>,
    /// Whether it applies.
    pub condition: Option<ChunkId>,
    /// What it does.
    pub action: ChunkId,
    /// Its place in the order of firing: by priority, the higher first, then by the order of the text.
    pub rank: u32,
    /// Where its name is declared.
    pub span: Span,
}

/// The rules that a change of a record of one entity concerns, as positions in
/// [`Code::reactions`](super::code::Code::reactions).
#[derive(Debug, Clone, Default)]
pub struct Watchers {
    /// Those for records that are made.
    pub created: Vec<u32>,
    /// For each field, those that look when it has another value.
    pub changed: Vec<Vec<u32>>,
    /// Those for records that are gone.
    pub deleted: Vec<u32>,
}

impl Watchers {
    /// Whether any rule looks at changes of fields.
    pub fn sees_changes(&self) -> bool {
        self.changed.iter().any(|rules| !rules.is_empty())
    }
}

impl Compiler<'_> {
    /// Makes the code of all reactive rules, and the index from changes to them.
    pub fn reactions(&mut self) {
        let program = self.program;
        if program.reactions.is_empty() {
            return;
        }
        let mut priorities = Vec::with_capacity(program.reactions.len());
        for reaction in &program.reactions {
            priorities.push(self.reaction(reaction));
        }
        let mut order: Vec<usize> = (0..priorities.len()).collect();
        // The sort keeps the order of the text among equals.
        order.sort_by_key(|at| std::cmp::Reverse(priorities.get(*at).copied().unwrap_or(0)));
        for (rank, at) in order.into_iter().enumerate() {
            if let Some(reaction) = self.code.reactions.get_mut(at) {
                reaction.rank = rank as u32;
            }
        }
        let no_rules =
            |record: &RecordType| Watchers { changed: vec![Vec::new(); record.fields.len()], ..Watchers::default() };
        self.code.watchers = program.records.iter().map(no_rules).collect();
        for (at, reaction) in self.code.reactions.iter().enumerate() {
            let at = at as u32;
            let Some(watchers) = self.code.watchers.get_mut(reaction.entity.0 as usize) else { continue };
            match reaction.event {
                RecordEvent::Created => watchers.created.push(at),
                RecordEvent::Deleted => watchers.deleted.push(at),
                RecordEvent::Changed => {
                    for field in &reaction.fields {
                        if let Some(rules) = watchers.changed.get_mut(*field) {
                            rules.push(at);
                        }
                    }
                }
            }
        }
    }

    /// Makes the code of a rule; gives its priority.
    fn reaction(&mut self, reaction: &Reaction) -> i64 {
        let name = super::format_name("rule", &reaction.name);
        let condition = reaction.when.as_ref().map(|when| {
            let mut body = Body::new(self, name.as_str(), 1, reaction.locals.len(), when.span);
            let value = body.operand(when);
            body.emit(Instruction::Return { value });
            body.add()
        });
        let mut body = Body::new(self, name.as_str(), 1, reaction.locals.len(), reaction.span);
        body.starts_flows = true;
        body.block(&reaction.body);
        body.emit(Instruction::ReturnNothing);
        let action = body.add();
        let mut priority = 0;
        if let Some(written) = &reaction.priority {
            // Only to fold it; the chunk is not kept.
            let body = Body::new(self, "", 0, reaction.locals.len(), reaction.span);
            if let Some(Value::Int(known)) = body.literal(written) {
                priority = known;
            }
        }
        self.code.reactions.push(ReactionCode {
            name: reaction.name.clone(),
            entity: reaction.entity,
            event: reaction.event,
            fields: match reaction.event {
                RecordEvent::Changed => watched(reaction, self.program),
                RecordEvent::Created | RecordEvent::Deleted => Vec::new(),
            },
            condition,
            action,
            rank: 0,
            span: reaction.span,
        });
        priority
    }
}
