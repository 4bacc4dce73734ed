//! Records: building them, changing fields of a copy or of what the store keeps.

use super::Checker;
use super::arguments::{Called, Slot};
use super::call::effect_of;
use super::declare::unknown_expr;
use super::types::Purpose;
use crate::check::program::Type;
use crate::check::program::{Effect, Expr, ExprKind};
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::{Argument, Name};
use crate::text::Span;
use crate::value::RecordId;

impl Checker<'_> {
    /// `OrderRow(sku: "A1", quantity: 2)`
    pub(crate) fn build_record(&mut self, id: RecordId, arguments: &[Argument], span: Span) -> Expr {
        let Some(record) = self.program.records.get(id.0 as usize) else { return unknown_expr(span) };
        let name = record.name.to_string();
        let given = self.field_values(id, &name, arguments, span);
        let mut values = Vec::with_capacity(given.len());
        for (index, value) in given.into_iter().enumerate() {
            let value = value.or_else(|| self.field_default(id, index));
            values.push(value.unwrap_or_else(|| unknown_expr(span)));
        }
        let effect = effect_of(&values);
        Expr { kind: ExprKind::Record(id, values), ty: Type::Record(id), effect, span }
    }

    /// `row.with(…)`, `customer.update(…)`, `customer.delete()`
    pub(crate) fn call_record(
        &mut self,
        value: Expr,
        id: RecordId,
        name: &Name,
        arguments: &[Argument],
        span: Span,
    ) -> Expr {
        let Some(record) = self.program.records.get(id.0 as usize) else { return unknown_expr(span) };
        let (is_entity, record_name) = (record.is_entity(), record.name.clone());
        let inner = value.effect;
        match (name.text.as_str(), is_entity) {
            ("with", false) => {
                let changes = self.changes(id, "with", arguments, span, None);
                let effect = changes.iter().map(|(_, value)| value.effect).max().unwrap_or_default().max(inner);
                Expr { kind: ExprKind::With(Box::new(value), changes), ty: Type::Record(id), effect, span }
            }
            ("update", true) => {
                let key = self.program.records.get(id.0 as usize).and_then(|record| record.key);
                let changes = self.changes(id, "update", arguments, span, key);
                let effect = changes.iter().map(|(_, value)| value.effect).max().unwrap_or_default().max(inner);
                let effect = effect.max(Effect::Writes);
                Expr { kind: ExprKind::Update(Box::new(value), changes), ty: Type::Record(id), effect, span }
            }
            ("delete", true) => {
                let called = Called { name: "delete", what: "argument", named_only: false, span };
                self.arrange(called, &[], arguments);
                let effect = inner.max(Effect::Writes);
                Expr { kind: ExprKind::Delete(Box::new(value)), ty: Type::Nothing, effect, span }
            }
            ("with", true) => {
                let finding = Finding::new(
                    &catalogue::name::MISUSED,
                    name.span,
                    format!("`with` changes plain records, and `{record_name}` is an entity"),
                )
                .at("would not reach the store")
                .help("`update(…)` changes the record in the store and gives it as it is then")
                .fix(name.span, "update");
                self.report(finding);
                self.give_up(arguments, span)
            }
            ("update" | "delete", false) => {
                let finding = Finding::new(
                    &catalogue::name::MISUSED,
                    name.span,
                    format!("`{}` changes the store, and `{record_name}` is a plain record", name.text),
                )
                .at("only for entities");
                let finding = match name.text.as_str() {
                    "update" => finding.help("`with(…)` gives a copy with other values").fix(name.span, "with"),
                    _ => finding.help("a plain record is kept nowhere, so there is nothing to delete"),
                };
                self.report(finding);
                self.give_up(arguments, span)
            }
            _ => {
                let has_field = self
                    .program
                    .records
                    .get(id.0 as usize)
                    .is_some_and(|record| record.fields.iter().any(|field| field.name == name.text));
                if has_field {
                    let parentheses = Span { start: name.span.end, ..span };
                    let finding = Finding::new(
                        &catalogue::types::PARENTHESES,
                        parentheses,
                        format!("`{}` is a field of `{record_name}` and is not called", name.text),
                    )
                    .at("remove this")
                    .help(format!("write `.{}`", name.text))
                    .fix(parentheses, "");
                    self.report(finding);
                    self.give_up(arguments, span);
                    return self.field_of(value, name, span);
                }
                self.no_field(&value, id, name, span);
                self.give_up(arguments, span)
            }
        }
    }

    /// Fields with their new values, by position.
    fn changes(
        &mut self,
        id: RecordId,
        callee: &str,
        arguments: &[Argument],
        span: Span,
        key: Option<usize>,
    ) -> Vec<(usize, Expr)> {
        let Some(record) = self.program.records.get(id.0 as usize) else { return Vec::new() };
        let fields: Vec<_> =
            record.fields.iter().map(|field| (field.name.clone(), field.ty.clone(), field.span)).collect();
        let slots: Vec<Slot<'_>> =
            fields.iter().map(|(name, _, span)| Slot { name, span: Some(*span), required: false }).collect();
        let called = Called { name: callee, what: "field", named_only: true, span };
        let given = self.arrange(called, &slots, arguments);
        let mut changes = Vec::new();
        for (index, (written, (name, ty, field_span))) in given.into_iter().zip(&fields).enumerate() {
            let Some(written) = written else { continue };
            if key == Some(index) {
                let finding = Finding::new(
                    &catalogue::types::ENTITY,
                    written.span,
                    format!("`{name}` is the key and can't be changed"),
                )
                .at("would be another record")
                .label(*field_span, "the key")
                .help("create a record with the new key, and delete this one");
                self.report(finding);
            }
            let purpose = Purpose::Argument { callee, name, span: Some(*field_span) };
            changes.push((index, self.expected(written, ty, purpose)));
        }
        if arguments.is_empty() {
            let finding = Finding::new(
                &catalogue::types::MISSING_ARGUMENT,
                span,
                format!("`{callee}` is told no field to change"),
            )
            .at("changes nothing")
            .help(format!("name the fields: `{callee}(field: value)`"));
            self.report(finding);
        }
        changes
    }
}
