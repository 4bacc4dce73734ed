//! Values that are put into texts.

use crate::check::Checker;
use crate::check::declare::unknown_expr;
use crate::check::program::{Effect, Expr, ExprKind, TextPart, Type};
use crate::finding::{Finding, catalogue};
use crate::library::Operation;
use crate::syntax::tree::{self, Label, TextLiteral};
use crate::value::Value;
use ecow::EcoString;

impl Checker<'_> {
    /// A text with what is put into it.
    pub(crate) fn text(&mut self, literal: &TextLiteral) -> Expr {
        let mut parts = Vec::new();
        let mut plain = EcoString::new();
        let mut effect = Effect::Pure;
        for part in &literal.parts {
            match part {
                tree::TextPart::Characters(characters) => plain.push_str(characters),
                tree::TextPart::Value(value) => {
                    let value = self.printed(value);
                    if !plain.is_empty() {
                        parts.push(TextPart::Characters(std::mem::take(&mut plain)));
                    }
                    effect = effect.max(value.effect);
                    parts.push(TextPart::Value(value));
                }
            }
        }
        let span = literal.span;
        if parts.is_empty() {
            return Expr { kind: ExprKind::Value(Value::Text(plain)), ty: Type::Text, effect, span };
        }
        if !plain.is_empty() {
            parts.push(TextPart::Characters(plain));
        }
        Expr { kind: ExprKind::Text(parts), ty: Type::Text, effect, span }
    }

    /// A text that is known before the run: paths of templates, patterns, zones.
    pub(crate) fn plain_text(&mut self, literal: &TextLiteral, what: &str) -> EcoString {
        let mut plain = EcoString::new();
        for part in &literal.parts {
            match part {
                tree::TextPart::Characters(characters) => plain.push_str(characters),
                tree::TextPart::Value(value) => {
                    let finding = Finding::new(
                        &catalogue::types::TEXT,
                        value.span,
                        format!("{what} must be known before the run, so no value can be put into it"),
                    )
                    .at("known at run time only")
                    .help("write the text in full");
                    self.report(finding);
                }
            }
        }
        plain
    }

    /// A value that is shown to a person: it must be there, and be a single value.
    pub(crate) fn printed(&mut self, written: &tree::Expr) -> Expr {
        let value = self.settled(written, None);
        let name = self.program.sources.slice(value.span).to_string();
        if self.label_of(&value) == Some(Label::Secret) {
            let finding = Finding::new(
                &catalogue::types::SECRET,
                value.span,
                format!("`{name}` is secret and can't be put into a text"),
            )
            .at("is secret")
            .note("a text may reach a log, a mail or a file, and a secret must reach none of them")
            .help("a secret's `.last4` may be shown");
            self.report(finding);
            return unknown_expr(value.span);
        }
        let help = match &value.ty {
            Type::Unknown
            | Type::Never
            | Type::Text
            | Type::Bool
            | Type::Int
            | Type::Decimal
            | Type::Percent
            | Type::Money(_)
            | Type::Date
            | Type::Time
            | Type::Instant
            | Type::Duration
            | Type::Enum(_) => return value,
            Type::Optional(_) => {
                self.optional_used(&value, "a text needs a value, and this one may be none", None);
                return unknown_expr(value.span);
            }
            Type::List(_) => format!("join it: `{name}.join(\", \")`, after a `.map(…)` to text where needed"),
            Type::Map(..) => format!("name what of it is meant, for example `{name}.count`"),
            Type::Record(id) | Type::Reference(id) => match self.program.records.get(id.0 as usize) {
                Some(record) => {
                    let field = record.key.and_then(|key| record.fields.get(key)).or(record.fields.first());
                    format!("name a field of it: `{name}.{}`", field.map_or("…", |field| field.name.as_str()))
                }
                None => "name a field of it".to_string(),
            },
            Type::Failure(_) => format!("`{name}.message` says what happened"),
            _ => "put a single value into the text".to_string(),
        };
        let shown = self.show(&value.ty);
        let finding =
            Finding::new(&catalogue::types::TEXT, value.span, format!("{shown} can't be put into a text as it is"))
                .at(format!("is {shown}"))
                .help(help);
        self.report(finding);
        unknown_expr(value.span)
    }

    /// Who may see a value, as far as fields and locals say it.
    pub(crate) fn label_of(&self, value: &Expr) -> Option<Label> {
        match &value.kind {
            ExprKind::Local(local) => self.body.info.get(local.index()).and_then(|info| info.label),
            ExprKind::Field(target, index) => match &target.ty {
                Type::Record(id) => {
                    let record = self.program.records.get(id.0 as usize)?;
                    record.fields.get(*index)?.label
                }
                Type::Failure(id) => {
                    let error = self.program.errors.get(id.0 as usize)?;
                    error.fields.get(*index)?.label
                }
                _ => None,
            },
            ExprKind::Binary(_, left, right) => match (self.label_of(left), self.label_of(right)) {
                (Some(Label::Secret), _) | (_, Some(Label::Secret)) => Some(Label::Secret),
                (left, right) => left.or(right),
            },
            ExprKind::Conditional(_, then, otherwise) => self.label_of(then).or_else(|| self.label_of(otherwise)),
            ExprKind::Guarded { then, .. } => self.label_of(then),
            ExprKind::Perform(Operation::Secret, _) => Some(Label::Secret),
            // Credentials are as secret as what they are made of.
            ExprKind::Perform(Operation::HttpBearer | Operation::HttpBasic, parts) => {
                parts.iter().find_map(|part| self.label_of(part).filter(|label| *label == Label::Secret))
            }
            _ => None,
        }
    }
}
