//! Declarations, without their blocks.

use super::{Lower, child};
use crate::finding::Finding;
use crate::finding::catalogue::syntax as codes;
use crate::syntax::grammar::{Pair, Rule};
use crate::syntax::tree::*;
use crate::text::Span;

impl Lower<'_> {
    /// The declaration of a line; blocks that follow it are still empty.
    pub fn declaration(&mut self, pair: Pair) -> ItemKind {
        let place = self.span(&pair);
        let body = Block { statements: Vec::new(), span: place.after() };
        match pair.as_rule() {
            Rule::use_line => self.use_line(pair),
            Rule::const_line => match (child(&pair, Rule::name), self.first_expression(&pair)) {
                (Some(name), Some(value)) => {
                    let kind = child(&pair, Rule::kind).map(|kind| self.kind(kind));
                    ItemKind::Const(Const { name: self.name(&name), kind, value })
                }
                _ => ItemKind::Broken,
            },
            Rule::enum_line => ItemKind::Enum(Enum { name: self.name_of(&pair), members: Vec::new() }),
            Rule::record_line => ItemKind::Record(Record {
                name: self.name_of(&pair),
                is_entity: pair.as_str().starts_with("entity"),
                fields: Vec::new(),
            }),
            Rule::error_line => ItemKind::Error(ErrorDeclaration {
                name: self.name_of(&pair),
                transient: child(&pair, Rule::transient).is_some(),
                fields: self.parameters(&pair, true),
            }),
            Rule::callable_line => self.callable_line(pair, body),
            Rule::rules_line => self.rules_line(pair),
            Rule::flow_line => self.flow_line(pair, body),
            Rule::reaction_line => self.reaction_line(pair, body),
            Rule::policy_line => ItemKind::Policy(Policy { name: self.name_of(&pair), clauses: Vec::new() }),
            Rule::on_line => match self.on_line(pair) {
                Some(event) => ItemKind::Trigger(Trigger { event, body }),
                None => ItemKind::Broken,
            },
            Rule::every_line => match self.every_line(pair, place) {
                Some(schedule) => ItemKind::Trigger(Trigger { event: TriggerEvent::Schedule(schedule), body }),
                None => ItemKind::Broken,
            },
            Rule::test_line => match child(&pair, Rule::text) {
                Some(title) => {
                    ItemKind::Test(Test { title: self.text(title), body: Vec::new(), body_span: place.after() })
                }
                None => ItemKind::Broken,
            },
            _ => ItemKind::Broken,
        }
    }

    fn name_of(&mut self, pair: &Pair) -> Name {
        match child(pair, Rule::name) {
            Some(name) => self.name(&name),
            None => self.no_name(),
        }
    }

    fn use_line(&mut self, pair: Pair) -> ItemKind {
        if let Some(path) = child(&pair, Rule::text) {
            let span = self.span(&path);
            let path = self.plain_text(path);
            return ItemKind::Use(Use { target: UseTarget::File { path, span } });
        }
        ItemKind::Use(Use { target: UseTarget::Library(self.name_of(&pair)) })
    }

    /// A text that must not hold values.
    fn plain_text(&mut self, pair: Pair) -> ecow::EcoString {
        let literal = self.text(pair);
        let mut plain = ecow::EcoString::new();
        for part in literal.parts {
            match part {
                TextPart::Characters(characters) => plain.push_str(&characters),
                TextPart::Value(value) => self.findings.push(
                    Finding::new(&codes::TEXT, value.span, "the path of a script is known before anything runs")
                        .at("a value can't be put in here")
                        .help("write the whole path"),
                ),
            }
        }
        plain
    }

    /// The parameters in parentheses; fields of errors may have any name.
    fn parameters(&mut self, pair: &Pair, are_fields: bool) -> Vec<Parameter> {
        let Some(list) = child(pair, Rule::parameters) else { return Vec::new() };
        let mut parameters = Vec::new();
        for parameter in list.into_inner() {
            let (Some(name), Some(kind)) = (child(&parameter, Rule::name), child(&parameter, Rule::kind)) else {
                continue;
            };
            parameters.push(Parameter {
                name: if are_fields { self.free_name(&name) } else { self.name(&name) },
                kind: self.kind(kind),
                default: self.first_expression(&parameter),
            });
        }
        parameters
    }

    fn result(&mut self, pair: &Pair) -> Option<TypeExpr> {
        let kind = child(&child(pair, Rule::result)?, Rule::kind)?;
        Some(self.kind(kind))
    }

    fn callable_line(&mut self, pair: Pair, body: Block) -> ItemKind {
        let fails = child(&pair, Rule::fails).and_then(|fails| child(&fails, Rule::names));
        ItemKind::Callable(Callable {
            name: self.name_of(&pair),
            is_task: pair.as_str().starts_with("task"),
            parameters: self.parameters(&pair, false),
            result: self.result(&pair),
            fails: fails.map(|names| self.names(names)),
            body: self.first_expression(&pair).map_or(CallableBody::Block(body), CallableBody::Expression),
        })
    }

    /// The fields of a line of a record.
    pub fn fields(&mut self, pair: Pair) -> Vec<FieldDeclaration> {
        let mut fields = Vec::new();
        for field in pair.into_inner().filter(|inner| inner.as_rule() == Rule::field_declaration) {
            let (Some(name), Some(kind)) = (child(&field, Rule::name), child(&field, Rule::kind)) else { continue };
            let role = match child(&field, Rule::role).map(|role| role.as_str().trim_end().to_owned()).as_deref() {
                Some("key") => FieldRole::Key,
                Some("unique") => FieldRole::Unique,
                Some("index") => FieldRole::Index,
                _ => FieldRole::Plain,
            };
            let default = self.first_expression(&field).map(|value| match &value.kind {
                ExprKind::Name(name) if name == "auto" => FieldDefault::Auto(value.span),
                _ => FieldDefault::Value(value),
            });
            fields.push(FieldDeclaration {
                documentation: Default::default(),
                role,
                name: self.free_name(&name),
                kind: self.kind(kind),
                default,
                span: self.span(&field),
            });
        }
        fields
    }

    fn rules_line(&mut self, pair: Pair) -> ItemKind {
        let policy = child(&pair, Rule::hit_policy).map(|policy| {
            let kind = match policy.as_str() {
                "first" => HitPolicy::First,
                "any" => HitPolicy::Any,
                "collect" => HitPolicy::Collect,
                "sum" => HitPolicy::Sum,
                "min" => HitPolicy::Min,
                "max" => HitPolicy::Max,
                _ => HitPolicy::Unique,
            };
            (kind, self.span(&policy))
        });
        let mut texts = Vec::new();
        if let Some(from) = child(&pair, Rule::rules_from) {
            texts = from.into_inner().filter(|inner| inner.as_rule() == Rule::text).collect();
        }
        let mut texts = texts.into_iter().map(|text| self.text(text));
        let body = match (texts.next(), texts.next()) {
            (Some(path), sheet) => TableBody::File { path, sheet },
            _ => TableBody::Rows { columns: Vec::new(), rows: Vec::new(), span: self.span(&pair).after() },
        };
        ItemKind::Rules(RuleTable {
            name: self.name_of(&pair),
            parameters: self.parameters(&pair, false),
            result: self.result(&pair),
            policy,
            body,
        })
    }

    fn flow_line(&mut self, pair: Pair, body: Block) -> ItemKind {
        let mut flow = Flow {
            name: self.name_of(&pair),
            parameters: self.parameters(&pair, false),
            result: self.result(&pair),
            key: None,
            at_most: None,
            priority: None,
            deadline: None,
            body,
        };
        for option in pair.into_inner() {
            let span = self.span(&option);
            let doubled = match option.as_rule() {
                Rule::flow_key => self.first_expression(&option).and_then(|value| flow.key.replace(value)).is_some(),
                Rule::priority => {
                    self.first_expression(&option).and_then(|value| flow.priority.replace(value)).is_some()
                }
                Rule::deadline => {
                    self.first_expression(&option).and_then(|value| flow.deadline.replace(value)).is_some()
                }
                Rule::at_most => self.at_most(&option).and_then(|value| flow.at_most.replace(value)).is_some(),
                _ => false,
            };
            if doubled {
                let finding = Finding::new(&codes::TWICE, span, "this option of the flow is written twice")
                    .at("the second time")
                    .help("keep one of the two");
                self.findings.push(finding);
            }
        }
        ItemKind::Flow(flow)
    }

    fn at_most(&mut self, pair: &Pair) -> Option<AtMost> {
        let count = child(pair, Rule::operand).map(|count| self.expression(count))?;
        let per = child(pair, Rule::expression).map(|per| self.expression(per));
        Some(AtMost { count, per })
    }

    fn reaction_line(&mut self, pair: Pair, body: Block) -> ItemKind {
        let name = self.name_of(&pair);
        let Some((entity, event, binding)) = child(&pair, Rule::record_event).and_then(|head| self.record_event(head))
        else {
            return ItemKind::Broken;
        };
        let when = child(&pair, Rule::when).and_then(|when| self.first_expression(&when));
        let priority = child(&pair, Rule::priority).and_then(|priority| self.first_expression(&priority));
        ItemKind::Reaction(Reaction { name, entity, event, binding, when, priority, body })
    }

    fn record_event(&mut self, pair: Pair) -> Option<(Name, RecordEvent, Name)> {
        let mut inner = pair.into_inner();
        let (entity, event, binding) = (inner.next()?, inner.next()?, inner.next()?);
        let event = match event.as_str() {
            "created" => RecordEvent::Created,
            "changed" => RecordEvent::Changed,
            _ => RecordEvent::Deleted,
        };
        Some((self.name(&entity), event, self.name(&binding)))
    }

    fn on_line(&mut self, pair: Pair) -> Option<TriggerEvent> {
        if let Some(file) = child(&pair, Rule::file_event) {
            let (pattern, binding) = (child(&file, Rule::text)?, child(&file, Rule::name)?);
            return Some(TriggerEvent::File { pattern: self.text(pattern), binding: self.name(&binding) });
        }
        let (entity, event, binding) = child(&pair, Rule::record_event).and_then(|head| self.record_event(head))?;
        let when = child(&pair, Rule::when).and_then(|when| self.first_expression(&when));
        Some(TriggerEvent::Record { entity, event, binding, when })
    }

    fn every_line(&mut self, pair: Pair, span: Span) -> Option<Schedule> {
        let mut schedule = Schedule { period: SchedulePeriod::Day, at: None, zone: None, catch_up: None, span };
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::period => schedule.period = self.period(inner)?,
                Rule::every_at => schedule.at = self.first_expression(&inner),
                Rule::every_in => schedule.zone = child(&inner, Rule::text).map(|text| self.text(text)),
                Rule::missed => schedule.catch_up = Some(inner.as_str().starts_with("catch")),
                _ => {}
            }
        }
        Some(schedule)
    }

    fn period(&mut self, pair: Pair) -> Option<SchedulePeriod> {
        let inner = pair.into_inner().next()?;
        Some(match inner.as_rule() {
            Rule::month_day => SchedulePeriod::Month(self.first_expression(&inner)?),
            Rule::day_word => match inner.as_str() {
                "day" => SchedulePeriod::Day,
                "weekday" => SchedulePeriod::Weekday,
                word if word.starts_with("business") => SchedulePeriod::BusinessDay,
                "monday" => SchedulePeriod::DayOfWeek(1),
                "tuesday" => SchedulePeriod::DayOfWeek(2),
                "wednesday" => SchedulePeriod::DayOfWeek(3),
                "thursday" => SchedulePeriod::DayOfWeek(4),
                "friday" => SchedulePeriod::DayOfWeek(5),
                "saturday" => SchedulePeriod::DayOfWeek(6),
                _ => SchedulePeriod::DayOfWeek(7),
            },
            _ => SchedulePeriod::Interval(self.expression(inner)),
        })
    }

    /// A clause of a policy.
    pub fn clause(&mut self, pair: Pair, span: Span) -> Option<PolicyClause> {
        let callee = child(&pair, Rule::path).map(|path| self.path(path))?;
        let parameters = child(&pair, Rule::names).map(|names| self.names(names)).unwrap_or_default();
        let when = child(&pair, Rule::when).and_then(|when| self.first_expression(&when));
        let requires = self.first_expression(&pair)?;
        Some(PolicyClause { callee, parameters, when, requires, span })
    }

    /// The head of a column.
    pub fn column(&mut self, pair: Pair) -> Option<ColumnKind> {
        if let Some(outcome) = child(&pair, Rule::outcome_column) {
            return Some(ColumnKind::Outcome(child(&outcome, Rule::name).map(|name| self.free_name(&name))));
        }
        let value = self.first_expression(&pair)?;
        match &value.kind {
            ExprKind::Name(name) if name == "when" => Some(ColumnKind::When),
            _ => Some(ColumnKind::Test(value)),
        }
    }
}
