//! Declarations.

use super::document::Document;
use super::expression::{kind, names};
use super::printer::{LEVEL, Printer};
use super::statement::{fails, written_kind};
use crate::syntax::tree::*;
use crate::text::Span;

impl Printer<'_> {
    /// Writes a declaration, without the end of its last line.
    pub fn item(&mut self, item: &Item) {
        let start = item.span.start as usize;
        match &item.kind {
            ItemKind::Use(node) => match &node.target {
                UseTarget::Library(name) => self.out.push_str(&format!("use {}", name.text)),
                UseTarget::File { span, .. } => self.out.push_str(&format!("use {}", self.source(*span))),
            },
            ItemKind::Const(node) => {
                let head = format!("const {}{} = ", node.name.text, written_kind(&node.kind));
                let document = Document::Row(vec![Document::text(head), self.expression(&node.value)]);
                self.whole(&document, item.span);
            }
            ItemKind::Enum(node) => self.enumeration(node, item.span),
            ItemKind::Record(node) => self.record(node, item.span),
            ItemKind::Error(node) => {
                let word = if node.transient { "transient error" } else { "error" };
                let mut row = vec![Document::text(format!("{word} {}", node.name.text))];
                if !node.fields.is_empty() {
                    row.push(self.parameters_behind(&node.name, &node.fields, item.span.end));
                }
                self.whole(&Document::Row(row), item.span);
            }
            ItemKind::Callable(node) => self.callable(node, item.span),
            ItemKind::Rules(node) => self.rules(node, item.span),
            ItemKind::Flow(node) => {
                let head = self.flow_head(node);
                self.head_with_block(head, &node.body, start);
            }
            ItemKind::Reaction(node) => {
                let head = self.reaction_head(node);
                self.head_with_block(head, &node.body, start);
            }
            ItemKind::Policy(node) => self.policy(node, item.span),
            ItemKind::Trigger(node) => {
                let head = self.trigger_head(&node.event);
                self.head_with_block(head, &node.body, start);
            }
            ItemKind::Test(node) => {
                let head = Document::Row(vec![Document::text("test "), self.text_literal(&node.title)]);
                self.hoist(start, node.body_span.start as usize);
                self.write(&head);
                self.statements_in(&node.body, node.body_span, start);
            }
            ItemKind::Broken => self.out.push_str(self.source(item.span)),
        }
    }

    /// Writes a declaration without a block, below the comments that found no place in it.
    fn whole(&mut self, document: &Document, span: Span) {
        self.hoist(span.start as usize, span.end as usize);
        self.write(document);
    }

    fn head_with_block(&mut self, head: Document, body: &Block, start: usize) {
        self.hoist(start, body.span.start as usize);
        let inline = self.inline_block(body).map(|block| format!(" {block}"));
        match inline.filter(|inline| self.fits(&format!("{}{inline}", head.flat()))) {
            Some(inline) => {
                self.write(&head);
                self.out.push_str(&inline);
            }
            None => {
                // The brace counts: the head is broken rather than it.
                let length = self.out.len();
                self.write(&Document::Row(vec![head, Document::text(" {")]));
                let kept = self.out.len() - " {".len();
                self.out.truncate(kept.max(length));
                self.block(body, start);
            }
        }
    }

    fn parameters_behind(&mut self, name: &Name, parameters: &[Parameter], end: u32) -> Document {
        let from = name.span.end as usize;
        let open = self.text.get(from..).and_then(|rest| rest.find('(')).map_or(from, |at| from + at);
        // The parenthesis that closes stands behind the last parameter.
        let last = parameters.last().map_or(open + 1, |parameter| {
            parameter.default.as_ref().map_or(parameter.kind.span.end, |default| default.span.end) as usize
        });
        let mut at = last;
        loop {
            let rest = self.text.get(at..end as usize).unwrap_or("");
            let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n', ',']);
            at += rest.len() - trimmed.len();
            if !trimmed.starts_with("//") {
                break;
            }
            at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
        let span = Span::new(name.span.source, open, at + 1);
        self.parameters(parameters, span)
    }

    fn signature(
        &mut self,
        word: &str,
        name: &Name,
        parameters: &[Parameter],
        result: &Option<TypeExpr>,
        end: u32,
    ) -> Document {
        let result = result.as_ref().map_or(String::new(), |result| format!(" -> {}", kind(result)));
        let parameters = self.parameters_behind(name, parameters, end);
        Document::Row(vec![Document::text(format!("{word} {}", name.text)), parameters, Document::text(result)])
    }

    fn enumeration(&mut self, node: &Enum, span: Span) {
        let from = node.name.span.end as usize;
        let open = self.text[from..].find('{').map_or(from, |at| from + at);
        let head = format!("enum {}", node.name.text);
        let line = format!("{head} {{ {} }}", names(&node.members));
        let single = !self.source(span).contains('\n') && !self.comments.any(span.start as usize, span.end as usize);
        if single && self.fits(&line) && !node.members.is_empty() {
            return self.out.push_str(&line);
        }
        self.out.push_str(&head);
        let braces = Span { start: u32::try_from(open).unwrap_or(u32::MAX), ..span };
        self.braces(braces, from, |printer, mut end| {
            for (index, member) in node.members.iter().enumerate() {
                // Commas between members are not kept; a comment behind one belongs to the member.
                printer.gap(end, member.span.start as usize, index == 0);
                printer.indent();
                printer.out.push_str(&member.text);
                end = printer.trailing(member.span.end as usize);
            }
            end
        });
    }

    fn record(&mut self, node: &Record, span: Span) {
        let from = node.name.span.end as usize;
        let open = self.text[from..].find('{').map_or(from, |at| from + at);
        let word = if node.is_entity { "entity" } else { "record" };
        self.out.push_str(&format!("{word} {}", node.name.text));
        let braces = Span { start: u32::try_from(open).unwrap_or(u32::MAX), ..span };
        self.braces(braces, from, |printer, mut end| {
            for (index, field) in node.fields.iter().enumerate() {
                printer.gap(end, field.span.start as usize, index == 0);
                end = printer.field(field);
            }
            end
        });
    }

    fn field(&mut self, field: &FieldDeclaration) -> usize {
        let role = match field.role {
            FieldRole::Plain => "",
            FieldRole::Key => "key ",
            FieldRole::Unique => "unique ",
            FieldRole::Index => "index ",
        };
        let mut row = vec![Document::text(format!("{role}{}: {}", field.name.text, kind(&field.kind)))];
        match &field.default {
            Some(FieldDefault::Auto(_)) => row.push(Document::text(" = auto")),
            Some(FieldDefault::Value(value)) => row.extend([Document::text(" = "), self.expression(value)]),
            None => {}
        }
        self.hoist(field.span.start as usize, field.span.end as usize);
        self.indent();
        self.write(&Document::Row(row));
        self.trailing(field.span.end as usize)
    }

    fn callable(&mut self, node: &Callable, span: Span) {
        let word = if node.is_task { "task" } else { "fn" };
        let mut head = self.signature(word, &node.name, &node.parameters, &node.result, span.end);
        if let Some(errors) = &node.fails {
            head = Document::Row(vec![head, Document::text(fails(errors))]);
        }
        match &node.body {
            CallableBody::Block(body) => self.head_with_block(head, body, span.start as usize),
            CallableBody::Expression(value) => {
                // A line that begins with `if` would be a statement.
                let line = match value.kind {
                    ExprKind::Conditional { .. } => Document::text(" "),
                    _ => Document::Line,
                };
                let value = Document::Row(vec![line, self.expression(value)]).nest(LEVEL);
                let document = Document::Row(vec![head, Document::Row(vec![Document::text(" ="), value]).group()]);
                self.whole(&document, span);
            }
        }
    }

    fn rules(&mut self, node: &RuleTable, span: Span) {
        let end = match &node.body {
            TableBody::Rows { span, .. } => span.start,
            TableBody::File { .. } => span.end,
        };
        let mut row = vec![self.signature("rules", &node.name, &node.parameters, &node.result, end)];
        if let Some((_, place)) = &node.policy {
            row.push(Document::text(format!(", {}", self.source(*place))));
        }
        if let TableBody::File { path, sheet } = &node.body {
            row.extend([Document::text(" from "), self.text_literal(path)]);
            if let Some(sheet) = sheet {
                row.extend([Document::text(" sheet "), self.text_literal(sheet)]);
            }
        }
        self.hoist(span.start as usize, end as usize);
        self.write(&Document::Row(row));
        if let TableBody::Rows { columns, rows, span: braces } = &node.body {
            self.table(columns, rows, *braces, span.start as usize);
        }
    }

    fn flow_head(&mut self, node: &Flow) -> Document {
        let head = self.signature("flow", &node.name, &node.parameters, &node.result, node.body.span.start);
        let mut options = Vec::new();
        if let Some(key) = &node.key {
            options.push(Document::Row(vec![Document::text("key "), self.behind_word(key, 0)]));
        }
        if let Some(at_most) = &node.at_most {
            let mut row =
                vec![Document::text("at most "), self.behind_word(&at_most.count, 9), Document::text(" at once")];
            if let Some(per) = &at_most.per {
                row.extend([Document::text(" per "), self.behind_word(per, 0)]);
            }
            options.push(Document::Row(row));
        }
        for (word, value) in [("priority ", &node.priority), ("deadline ", &node.deadline)] {
            if let Some(value) = value {
                options.push(Document::Row(vec![Document::text(word), self.behind_word(value, 0)]));
            }
        }
        self.with_options(head, options, true, true)
    }

    fn reaction_head(&mut self, node: &Reaction) -> Document {
        let head = format!(
            "rule {} on {} {} as {}",
            node.name.text,
            node.entity.text,
            event_word(node.event),
            node.binding.text
        );
        let mut options = Vec::new();
        for (word, value) in [("when ", &node.when), ("priority ", &node.priority)] {
            if let Some(value) = value {
                options.push(Document::Row(vec![Document::text(word), self.behind_word(value, 0)]));
            }
        }
        self.with_options(Document::text(head), options, false, true)
    }

    fn trigger_head(&mut self, event: &TriggerEvent) -> Document {
        match event {
            TriggerEvent::File { pattern, binding } => Document::Row(vec![
                Document::text("on file "),
                self.text_literal(pattern),
                Document::text(format!(" as {}", binding.text)),
            ]),
            TriggerEvent::Record { entity, event, binding, when } => {
                let head = format!("on {} {} as {}", entity.text, event_word(*event), binding.text);
                let when =
                    when.as_ref().map(|when| Document::Row(vec![Document::text("when "), self.behind_word(when, 0)]));
                self.with_options(Document::text(head), when.into_iter().collect(), false, true)
            }
            TriggerEvent::Schedule(schedule) => self.schedule(schedule),
        }
    }

    fn schedule(&mut self, schedule: &Schedule) -> Document {
        let mut row = vec![Document::text("every ")];
        row.push(match &schedule.period {
            SchedulePeriod::Day => Document::text("day"),
            SchedulePeriod::Weekday => Document::text("weekday"),
            SchedulePeriod::BusinessDay => Document::text("business day"),
            SchedulePeriod::DayOfWeek(day) => Document::text(day_name(*day)),
            SchedulePeriod::Month(day) => Document::Row(vec![Document::text("month on "), self.behind_word(day, 9)]),
            SchedulePeriod::Interval(interval) => self.behind_word(interval, 9),
        });
        if let Some(at) = &schedule.at {
            row.extend([Document::text(" at "), self.behind_word(at, 9)]);
        }
        if let Some(zone) = &schedule.zone {
            row.extend([Document::text(" in "), self.text_literal(zone)]);
        }
        match schedule.catch_up {
            Some(true) => row.push(Document::text(", catch up")),
            Some(false) => row.push(Document::text(", skip missed")),
            None => {}
        }
        Document::Row(row)
    }

    fn policy(&mut self, node: &Policy, span: Span) {
        let from = node.name.span.end as usize;
        let open = self.text[from..].find('{').map_or(from, |at| from + at);
        self.out.push_str(&format!("policy {}", node.name.text));
        let braces = Span { start: u32::try_from(open).unwrap_or(u32::MAX), ..span };
        self.braces(braces, from, |printer, mut end| {
            for (index, clause) in node.clauses.iter().enumerate() {
                printer.gap(end, clause.span.start as usize, index == 0);
                end = printer.clause(clause);
            }
            end
        });
    }

    fn clause(&mut self, clause: &PolicyClause) -> usize {
        let parameters =
            if clause.parameters.is_empty() { String::new() } else { format!("({})", names(&clause.parameters)) };
        let head =
            Document::Row(vec![Document::text("before "), self.expression(&clause.callee), Document::text(parameters)]);
        let mut options = Vec::new();
        if let Some(when) = &clause.when {
            options.push(Document::Row(vec![Document::text("when "), self.behind_word(when, 0)]));
        }
        options.push(Document::Row(vec![Document::text("requires "), self.behind_word(&clause.requires, 0)]));
        let document = self.with_options(head, options, false, false);
        self.hoist(clause.span.start as usize, clause.span.end as usize);
        self.indent();
        self.write(&document);
        self.trailing(clause.span.end as usize)
    }
}

fn event_word(event: RecordEvent) -> &'static str {
    match event {
        RecordEvent::Created => "created",
        RecordEvent::Changed => "changed",
        RecordEvent::Deleted => "deleted",
    }
}

fn day_name(day: u8) -> &'static str {
    match day {
        1 => "monday",
        2 => "tuesday",
        3 => "wednesday",
        4 => "thursday",
        5 => "friday",
        6 => "saturday",
        _ => "sunday",
    }
}
