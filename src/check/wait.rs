//! `ask`, `wait_for`, `sleep`, `sleep_until`: what a step waits for.

use super::Checker;
use super::arguments::{Called, Slot};
use super::body::{BodyKind, LocalKind};
use super::declare::unknown_expr;
use super::scope::Global;
use super::types::Purpose;
use crate::check::program::{Effect, Expr, ExprKind, Type, Wait};
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::{self, Argument};
use crate::text::Span;

impl Checker<'_> {
    /// A special form that waits; the step's type is the form that a person fills in.
    pub(crate) fn wait(
        &mut self,
        form: &str,
        arguments: &[Argument],
        name_span: Span,
        span: Span,
        hint: Option<&Type>,
    ) -> Expr {
        let in_policy = self.body.kind == BodyKind::Policy;
        if self.body.wait_at != Some(span) && !in_policy {
            let finding = Finding::new(
                &catalogue::flow::WAIT,
                name_span,
                format!("`{form}` is the whole value of a step, and can't stand here"),
            )
            .at("would wait outside of a step")
            .note("a waiting run holds no thread: it ends here and goes on from its journal, which knows steps alone")
            .help(match form {
                "ask" => "write `step answer: Answer = ask(…)` in a flow".to_string(),
                "wait_for" => "write `step found = wait_for(…)` in a flow".to_string(),
                _ => format!("write `step pause = {form}(…)` in a flow"),
            });
            self.report(finding);
        }
        let wait = match form {
            "sleep" => {
                let value = self.only_argument(form, "duration", &Type::Duration, arguments, span);
                (Wait::Sleep(value), Type::Nothing)
            }
            "sleep_until" => {
                let value = self.only_argument(form, "moment", &Type::Instant, arguments, span);
                (Wait::SleepUntil(value), Type::Nothing)
            }
            "wait_for" => return self.wait_for(arguments, span),
            _ => self.ask(arguments, name_span, span, hint, in_policy),
        };
        let (wait, ty) = wait;
        Expr { kind: ExprKind::Wait(Box::new(wait)), ty, effect: Effect::Calls, span }
    }

    fn only_argument(&mut self, form: &str, name: &str, ty: &Type, arguments: &[Argument], span: Span) -> Expr {
        let slots = [Slot { name, span: None, required: true }];
        let called = Called { name: form, what: "argument", named_only: false, span };
        match self.arrange(called, &slots, arguments).first().copied().flatten() {
            Some(written) => self.expected(written, ty, Purpose::Argument { callee: form, name, span: None }),
            None => unknown_expr(span),
        }
    }

    fn ask(
        &mut self,
        arguments: &[Argument],
        name_span: Span,
        span: Span,
        hint: Option<&Type>,
        in_policy: bool,
    ) -> (Wait, Type) {
        let slot = |name, required| Slot { name, span: None, required };
        let slots = [slot("role", true), slot("question", !in_policy), slot("within", false), slot("otherwise", false)];
        let called = Called { name: "ask", what: "argument", named_only: false, span };
        let given = self.arrange(called, &slots, arguments);
        let ty = match hint {
            Some(ty) if !ty.is_unknown() => ty.clone(),
            Some(_) => Type::Unknown,
            None if in_policy => Type::Bool,
            None => {
                let finding = Finding::new(&catalogue::flow::WAIT, name_span, "nothing says what may be answered")
                    .at("the step has no type")
                    .help("write the type at the step: `step approved: bool = ask(…)`; an enum is a choice, a record a form");
                self.report(finding);
                Type::Unknown
            }
        };
        let mut values = given.into_iter();
        let mut take = |checker: &mut Self, name: &'static str, ty: &Type| {
            let written: Option<&tree::Expr> = values.next().flatten();
            written.map(|written| checker.expected(written, ty, Purpose::Argument { callee: "ask", name, span: None }))
        };
        let role = take(self, "role", &Type::Text);
        let question = take(self, "question", &Type::Text);
        let within = take(self, "within", &Type::Duration);
        let otherwise = take(self, "otherwise", &ty);
        let wait = Wait::Ask {
            role: role.unwrap_or_else(|| unknown_expr(span)),
            question: question.unwrap_or_else(|| unknown_expr(span)),
            within,
            otherwise,
        };
        (wait, ty)
    }

    fn wait_for(&mut self, arguments: &[Argument], span: Span) -> Expr {
        let slot = |name, required| Slot { name, span: None, required };
        let slots = [slot("entity", true), slot("condition", true), slot("within", false)];
        let called = Called { name: "wait_for", what: "argument", named_only: false, span };
        let given = self.arrange(called, &slots, arguments);
        let entity = given.first().copied().flatten().and_then(|written| self.entity_argument(written));
        let Some(entity) = entity else {
            return unknown_expr(span);
        };
        let local_span = given.get(1).copied().flatten().map_or(span, |written| written.span);
        let (local, condition) = match given.get(1).copied().flatten() {
            Some(written) => {
                let lambda = self.lambda(written, &[Type::Record(entity)], Some(&Type::Bool), "the condition");
                match lambda.kind {
                    ExprKind::Lambda(locals, body) => {
                        let local = locals.first().copied();
                        let hidden = |checker: &mut Self| {
                            checker.body.add("it", Type::Record(entity), local_span, LocalKind::Hidden)
                        };
                        (local.unwrap_or_else(|| hidden(self)), *body)
                    }
                    _ => return unknown_expr(span),
                }
            }
            None => return unknown_expr(span),
        };
        let within = given.get(2).copied().flatten().map(|written| {
            self.expected(
                written,
                &Type::Duration,
                Purpose::Argument { callee: "wait_for", name: "within", span: None },
            )
        });
        // Without a limit it waits until there is a record.
        let ty = match within {
            Some(_) => Type::Record(entity).optional(),
            None => Type::Record(entity),
        };
        let wait = Wait::For { entity, local, condition, within };
        Expr { kind: ExprKind::Wait(Box::new(wait)), ty, effect: Effect::Calls, span }
    }

    /// The entity that an argument names.
    fn entity_argument(&mut self, written: &tree::Expr) -> Option<crate::value::RecordId> {
        if let tree::ExprKind::Name(name) = &written.kind
            && let Some(Global::Record(id)) = self.global(name)
            && self.program.records.get(id.0 as usize).is_some_and(|record| record.is_entity())
        {
            return Some(id);
        }
        let finding = Finding::new(&catalogue::types::MISMATCH, written.span, "the name of an entity is wanted here")
            .at("no entity")
            .help("write `wait_for(Payment, it.invoice == invoice, within: 30 days)`");
        self.report(finding);
        None
    }
}
