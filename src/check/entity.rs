//! What an entity's name can be asked: `get`, `has`, `find`, `create`, `all`, and everything that lists can.

use super::Checker;
use super::arguments::{Called, Slot};
use super::declare::{DefaultOf, unknown_expr};
use super::scope::nearest;
use super::types::{Purpose, primitives};
use crate::check::program::{Default as FieldDefault, Effect, Expr, ExprKind, Type};
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::{Argument, Name};
use crate::text::Span;
use crate::value::RecordId;

impl Checker<'_> {
    /// `Customer.count`, `Customer.all`
    pub(crate) fn entity_property(&mut self, id: RecordId, entity_span: Span, name: &Name, span: Span) -> Expr {
        let all = self.all_records(id, entity_span);
        match name.text.as_str() {
            "all" => Expr { span, ..all },
            "get" | "has" | "create" | "find" => {
                let finding = Finding::new(
                    &catalogue::types::PARENTHESES,
                    name.span,
                    format!("`{}` is called with parentheses", name.text),
                )
                .at("is not called")
                .help(format!("write `{}.{}(…)`", self.bare(&all.ty), name.text));
                self.report(finding);
                unknown_expr(span)
            }
            _ if primitives().methods.contains_key(name.text.as_str()) => self.property(all, name, span),
            _ => {
                self.no_entity_member(id, name);
                unknown_expr(span)
            }
        }
    }

    fn no_entity_member(&mut self, id: RecordId, name: &Name) {
        let Some(record) = self.program.records.get(id.0 as usize) else { return };
        let mut finding = Finding::new(
            &catalogue::name::UNKNOWN,
            name.span,
            format!("the entity `{}` has no `{}`", record.name, name.text),
        )
        .at("not known to it");
        if record.fields.iter().any(|field| field.name == name.text) {
            finding = finding.help(format!(
                "`{0}` is a field of its records: `{1}.get(…).{0}`, or `{1}.map(it.{0})` for all of them",
                name.text, record.name
            ));
        } else {
            let mut names: Vec<&str> = vec!["get", "has", "find", "where", "create", "all", "count"];
            names.extend(["map", "sort", "sum", "any", "first", "is_empty", "take"]);
            finding = match nearest(&name.text, &names) {
                Some(near) => near.asked(finding, name.span),
                None => finding.help("it has get, has, find, where, create, all, count and the methods of lists"),
            };
        }
        self.report(finding);
    }

    /// `Customer.get(key)`
    pub(crate) fn call_entity(
        &mut self,
        id: RecordId,
        entity_span: Span,
        name: &Name,
        arguments: &[Argument],
        span: Span,
    ) -> Expr {
        match name.text.as_str() {
            "get" | "has" => {
                let Some((key_name, key_type, key_span)) = self.key_of(id) else {
                    return self.give_up(arguments, span);
                };
                let callee = self.program.sources.slice(entity_span.to(name.span)).to_string();
                let slots = [Slot { name: &key_name, span: Some(key_span), required: true }];
                let called = Called { name: &callee, what: "argument", named_only: false, span };
                let given = self.arrange(called, &slots, arguments);
                let key = match given.first().copied().flatten() {
                    Some(written) => {
                        let purpose = Purpose::Argument { callee: &callee, name: &key_name, span: Some(key_span) };
                        self.expected(written, &key_type, purpose)
                    }
                    None => unknown_expr(span),
                };
                let effect = Effect::Reads.max(key.effect);
                match name.text.as_str() {
                    "get" => Expr { kind: ExprKind::Get(id, Box::new(key)), ty: Type::Record(id), effect, span },
                    _ => Expr { kind: ExprKind::Has(id, Box::new(key)), ty: Type::Bool, effect, span },
                }
            }
            "create" => self.create(id, arguments, span),
            "all" => {
                let all = self.all_records(id, entity_span);
                if !arguments.is_empty() {
                    return self.method(all, name, arguments, span);
                }
                let parentheses = Span { start: name.span.end, ..span };
                let finding =
                    Finding::new(&catalogue::types::PARENTHESES, parentheses, "`all` is written without parentheses")
                        .at("not called")
                        .help("remove `()`")
                        .fix(parentheses, "");
                self.report(finding);
                all
            }
            _ if primitives().methods.contains_key(name.text.as_str()) => {
                let all = self.all_records(id, entity_span);
                self.method(all, name, arguments, span)
            }
            _ => {
                self.no_entity_member(id, name);
                self.give_up(arguments, span)
            }
        }
    }

    /// Name, type and place of an entity's key.
    pub(crate) fn key_of(&self, id: RecordId) -> Option<(String, Type, Span)> {
        let record = self.program.records.get(id.0 as usize)?;
        let field = record.fields.get(record.key?)?;
        Some((field.name.to_string(), field.ty.clone(), field.span))
    }

    fn create(&mut self, id: RecordId, arguments: &[Argument], span: Span) -> Expr {
        let Some(record) = self.program.records.get(id.0 as usize) else { return unknown_expr(span) };
        let callee = format!("{}.create", record.name);
        let values = self.field_values(id, &callee, arguments, span);
        let mut fields = Vec::with_capacity(values.len());
        let mut effect = Effect::Writes;
        for (index, value) in values.into_iter().enumerate() {
            if let Some(value) = &value {
                effect = effect.max(value.effect);
            }
            fields.push(value.or_else(|| self.field_default(id, index)));
        }
        Expr { kind: ExprKind::Create(id, fields), ty: Type::Record(id), effect, span }
    }

    /// The values of a record's fields in their order, none where nothing was given.
    pub(crate) fn field_values(
        &mut self,
        id: RecordId,
        callee: &str,
        arguments: &[Argument],
        span: Span,
    ) -> Vec<Option<Expr>> {
        let Some(record) = self.program.records.get(id.0 as usize) else { return Vec::new() };
        let fields: Vec<(ecow::EcoString, Type, Span, bool)> = record
            .fields
            .iter()
            .enumerate()
            .map(|(index, field)| {
                let has_default =
                    field.default.is_some() || self.pending.defaults.contains_key(&DefaultOf::Record(id.0, index));
                // What may be none is none when nothing is given.
                (field.name.clone(), field.ty.clone(), field.span, !has_default && !field.ty.is_optional())
            })
            .collect();
        let slots: Vec<Slot<'_>> = fields
            .iter()
            .map(|(name, _, span, required)| Slot { name, span: Some(*span), required: *required })
            .collect();
        let called = Called { name: callee, what: "field", named_only: true, span };
        let given = self.arrange(called, &slots, arguments);
        let mut values = Vec::with_capacity(fields.len());
        for ((name, ty, field_span, _), written) in fields.iter().zip(given) {
            values.push(written.map(|written| {
                let purpose = Purpose::Argument { callee, name, span: Some(*field_span) };
                self.expected(written, ty, purpose)
            }));
        }
        values
    }

    /// The value a field has when none is given: its default, or none where the type allows that; nothing when
    /// the store counts up.
    pub(crate) fn field_default(&mut self, id: RecordId, index: usize) -> Option<Expr> {
        self.check_default(DefaultOf::Record(id.0, index));
        let field = self.program.records.get(id.0 as usize)?.fields.get(index)?;
        match &field.default {
            Some(FieldDefault::Value(value)) => Some((**value).clone()),
            Some(FieldDefault::Auto) => None,
            None => Some(Expr { ty: field.ty.clone(), ..unknown_expr(field.span) }),
        }
    }
}
