//! Statements that end a way, with what they carry: `return`, `give`, `fail`.

use super::Checker;
use super::arguments::{Called, Slot};
use super::body::BodyKind;
use super::declare::{DefaultOf, unknown_expr};
use super::scope::{Global, PRELUDE};
use super::types::Purpose;
use crate::check::program::{Default as FieldDefault, Expr, StatementKind, Type};
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::{self, Argument, Name};
use crate::text::Span;
use crate::value::ErrorId;

impl Checker<'_> {
    pub(super) fn return_statement(&mut self, value: Option<&tree::Expr>, span: Span) -> Option<StatementKind> {
        let kinds = [BodyKind::Function, BodyKind::Task, BodyKind::Flow];
        if !kinds.contains(&self.body.kind) {
            self.only_in(&kinds, "return", span);
            if let Some(value) = value {
                self.settled(value, None);
            }
            return None;
        }
        let title = self.body.title.clone();
        match (self.body.result.clone(), value) {
            (Some((ty, place)), Some(value)) if ty != Type::Nothing => {
                Some(StatementKind::Return(Some(self.expected(value, &ty, Purpose::Result { span: place }))))
            }
            (Some((_, place)), Some(value)) => {
                let value = self.expression(value, None);
                if !value.ty.has_unknown() && value.ty != Type::Nothing {
                    let ty = self.bare(&value.ty);
                    let finding = Finding::new(
                        &catalogue::types::RESULT,
                        value.span,
                        format!("{title} has no result, and one is returned"),
                    )
                    .at(format!("is {}", self.show(&value.ty)))
                    .label(place, "no result is declared here")
                    .help(format!("write `-> {ty}` behind its parameters, or `return` alone"));
                    self.report(finding);
                }
                Some(StatementKind::Return(Some(value)))
            }
            (Some((ty, place)), None) if ty != Type::Nothing => {
                let shown = self.show(&ty);
                let finding = Finding::new(
                    &catalogue::types::RESULT,
                    span,
                    format!("{title} must return {shown}, and nothing is returned"),
                )
                .at("returns nothing")
                .label(place, format!("{shown} is declared here"))
                .help("write `return …` with a value");
                self.report(finding);
                Some(StatementKind::Return(None))
            }
            _ => Some(StatementKind::Return(None)),
        }
    }

    pub(super) fn give(&mut self, written: &tree::Expr, span: Span) -> Option<StatementKind> {
        if !self.only_in(&[BodyKind::Step], "give", span) {
            self.settled(written, None);
            return None;
        }
        if self.body.gives.is_none() {
            let finding = Finding::new(&catalogue::flow::PLACE, span, "what undoes a step gives no value")
                .at("nobody takes it")
                .help("remove `give`");
            self.report(finding);
        }
        let value = match self.body.give_type.clone() {
            Some((ty, place)) => self.expected(written, &ty, Purpose::Given { span: place }),
            None => {
                let first = self.body.gives.as_ref().and_then(|gives| gives.first().cloned());
                let value = self.settled(written, first.as_ref().map(|(ty, _)| ty));
                match first {
                    Some((ty, place)) => match self.join(&ty, &value.ty) {
                        Some(joined) => {
                            if let Some(first) = self.body.gives.as_mut().and_then(|gives| gives.first_mut()) {
                                first.0 = joined;
                            }
                            value
                        }
                        None => self.coerce(value, &ty, Purpose::Given { span: place }),
                    },
                    None => value,
                }
            }
        };
        let ty = value.ty.clone();
        if let Some(gives) = &mut self.body.gives {
            gives.push((ty, value.span));
        }
        Some(StatementKind::Give(value))
    }

    pub(super) fn fail(&mut self, error: &Name, arguments: &[Argument], span: Span) -> Option<StatementKind> {
        let kinds =
            [BodyKind::Function, BodyKind::Task, BodyKind::Flow, BodyKind::Step, BodyKind::Reaction, BodyKind::Entry];
        let legal = self.only_in(&kinds, "fail", span);
        let Some(id) = self.error_named(error) else {
            self.give_up(arguments, span);
            return None;
        };
        let fields = self.failure_fields(id, error, arguments, span);
        legal.then_some(StatementKind::Fail { error: id, fields })
    }

    /// The error with this name.
    pub(crate) fn error_named(&mut self, error: &Name) -> Option<ErrorId> {
        if error.text.is_empty() {
            return None;
        }
        match self.global(&error.text) {
            Some(Global::Error(id)) => Some(id),
            Some(other) => {
                let kind = self.kind_of_global(other);
                let finding = Finding::new(
                    &catalogue::name::MISUSED,
                    error.span,
                    format!("`{}` is {kind}, not an error", error.text),
                )
                .at("an error is wanted here")
                .help("declare errors with `error name(reason: text)`");
                self.report(finding);
                None
            }
            None => {
                let mut names: Vec<String> = self
                    .global_names()
                    .into_iter()
                    .filter(|name| matches!(self.peek_global(self.module, name), Some(Global::Error(_))))
                    .collect();
                names.extend(
                    self.names.modules[PRELUDE]
                        .own
                        .iter()
                        .filter(|(_, (global, _))| matches!(global, Global::Error(_)))
                        .map(|(name, _)| name.to_string()),
                );
                let before = self.findings.len();
                self.unknown_name(error.span, "error", &error.text, names);
                if let Some(finding) = self.findings.get_mut(before)
                    && finding.help.is_none()
                {
                    finding.help = Some(format!("declare it: `error {}(reason: text)`", error.text));
                }
                None
            }
        }
    }

    /// What a failure carries, defaults filled in.
    pub(crate) fn failure_fields(&mut self, id: ErrorId, name: &Name, arguments: &[Argument], span: Span) -> Vec<Expr> {
        let Some(error) = self.program.errors.get(id.0 as usize) else { return Vec::new() };
        let fields: Vec<_> = error
            .fields
            .iter()
            .enumerate()
            .map(|(index, field)| {
                let default =
                    field.default.is_some() || self.pending.defaults.contains_key(&DefaultOf::Error(id.0, index));
                (field.name.clone(), field.ty.clone(), field.span, default)
            })
            .collect();
        let slots: Vec<Slot<'_>> = fields
            .iter()
            .map(|(name, _, span, default)| Slot { name, span: Some(*span), required: !default })
            .collect();
        let called = Called { name: &name.text, what: "field", named_only: false, span };
        let given = self.arrange(called, &slots, arguments);
        let mut values = Vec::with_capacity(fields.len());
        for (index, (written, (field, ty, place, _))) in given.into_iter().zip(&fields).enumerate() {
            let value = match written {
                Some(written) => {
                    let purpose = Purpose::Argument { callee: &name.text, name: field, span: Some(*place) };
                    self.expected(written, ty, purpose)
                }
                None => {
                    self.check_default(DefaultOf::Error(id.0, index));
                    let field = self.program.errors.get(id.0 as usize).and_then(|error| error.fields.get(index));
                    match field.and_then(|field| field.default.as_ref()) {
                        Some(FieldDefault::Value(value)) => (**value).clone(),
                        _ => unknown_expr(span),
                    }
                }
            };
            values.push(value);
        }
        values
    }
}
