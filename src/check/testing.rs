//! Statements of tests.

use super::Checker;
use super::body::BodyKind;
use super::scope::Global;
use super::types::{Purpose, primitives};
use crate::check::program::{Expr, ExprKind, Protected, StatementKind, StubOutcome, Type};
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::{self, Name};
use crate::text::Span;

impl Checker<'_> {
    /// `given`, `expect`, `advance`, `stub`, `answer`.
    pub(crate) fn test_statement(&mut self, written: &tree::StatementKind, span: Span) -> Option<StatementKind> {
        use tree::StatementKind as S;
        let word = match written {
            S::Given(_) => "given",
            S::Expect { .. } => "expect",
            S::Advance(_) => "advance",
            S::Stub { .. } => "stub",
            _ => "answer",
        };
        let legal = self.only_in(&[BodyKind::Test], word, span);
        let kind = match written {
            S::Given(value) => StatementKind::Given(self.expression(value, None)),
            S::Expect { value, failed: None } => {
                let value = self.expression(value, None);
                let value = match &value.ty {
                    Type::Outcome(_) => {
                        let text = self.program.sources.slice(value.span).to_string();
                        let finding = Finding::new(
                            &catalogue::types::MISMATCH,
                            value.span,
                            "what `expect` says must be true or false, and this is the outcome of a run",
                        )
                        .at("an outcome")
                        .help(format!(
                            "`expect {text} failed error_name` says how it ended; what it left is asked of the records"
                        ));
                        self.report(finding);
                        value
                    }
                    _ => self.coerce(value, &Type::Bool, Purpose::Condition("what `expect` says")),
                };
                StatementKind::Expect { value, failed: None }
            }
            S::Expect { value, failed: Some(error) } => {
                let value = self.expression(value, None);
                if !matches!(value.ty, Type::Outcome(_)) && !value.ty.has_unknown() && !can_fail(&value) {
                    let shown = self.show(&value.ty);
                    let finding = Finding::new(
                        &catalogue::types::MISMATCH,
                        value.span,
                        format!("only runs and calls fail, and this is {shown}"),
                    )
                    .at(format!("is {shown}"))
                    .help("keep the outcome of a run: `let r = run …`, then `expect r failed …`");
                    self.report(finding);
                }
                let failed = self.error_named(error)?;
                StatementKind::Expect { value, failed: Some(failed) }
            }
            S::Advance(value) => {
                StatementKind::Advance(self.expected(value, &Type::Duration, Purpose::Part("how far time moves", None)))
            }
            S::Stub { callee, outcome } => {
                let (task, result) = self.protected(callee)?;
                let outcome = match outcome {
                    tree::StubOutcome::Value(value) => {
                        let purpose = Purpose::Part("what the stub gives", Some(callee.span));
                        StubOutcome::Value(self.expected(value, &result, purpose))
                    }
                    tree::StubOutcome::Fails { error, arguments, times } => {
                        let id = self.error_named(error)?;
                        // In a test the failure itself matters more than what it carries.
                        let fields = match arguments.is_empty() {
                            true => self.empty_fields(id),
                            false => self.failure_fields(id, error, arguments, span),
                        };
                        let times = times
                            .as_ref()
                            .map(|times| self.expected(times, &Type::Int, Purpose::Part("how often it fails", None)));
                        StubOutcome::Fails { error: id, fields, times }
                    }
                };
                StatementKind::Stub { task, outcome }
            }
            S::Answer { question, value } => {
                let question = question.as_ref().map(|question| self.text(question));
                // Which form is answered is known when the question is asked.
                let value = self.expression(value, None);
                StatementKind::Answer { question, value }
            }
            _ => return None,
        };
        legal.then_some(kind)
    }

    /// Fields of a failure that a test does not care about.
    fn empty_fields(&mut self, id: crate::value::ErrorId) -> Vec<Expr> {
        use crate::value::{Duration, Value};
        let Some(error) = self.program.errors.get(id.0 as usize) else { return Vec::new() };
        let fields: Vec<(Type, Span)> = error.fields.iter().map(|field| (field.ty.clone(), field.span)).collect();
        let mut values = Vec::new();
        for (ty, span) in fields {
            let value = match &ty {
                Type::Text => Value::text(""),
                Type::Int => Value::Int(0),
                Type::Bool => Value::Bool(false),
                Type::Decimal => Value::Decimal(Default::default()),
                Type::Percent => Value::Percent(Default::default()),
                Type::Duration => Value::Duration(Duration::ZERO),
                Type::Enum(id) => Value::member(*id, 0),
                Type::Optional(_) => Value::None,
                Type::List(_) => Value::list(Vec::new()),
                _ => {
                    let name = self.program.errors.get(id.0 as usize).map_or("?".into(), |error| error.name.clone());
                    let finding = Finding::new(
                        &catalogue::types::MISSING_ARGUMENT,
                        span,
                        format!("a stub that fails with `{name}` must say what it carries"),
                    )
                    .at("has no empty value")
                    .help(format!("write `fails {name}(…)`"));
                    self.report(finding);
                    Value::None
                }
            };
            values.push(Expr { kind: ExprKind::Value(value), ty, effect: crate::check::program::Effect::Pure, span });
        }
        values
    }

    /// What a stub replaces or a policy protects, with its result.
    pub(crate) fn protected(&mut self, callee: &tree::Expr) -> Option<(Protected, Type)> {
        let global = match &callee.kind {
            tree::ExprKind::Name(name) => self.global(name),
            tree::ExprKind::Field { target, name, .. } => {
                let tree::ExprKind::Name(module) = &target.kind else { return self.not_protected(callee) };
                if let Some(id) = self.module_named(module) {
                    match self.member_of_module(id, &name.text) {
                        Some(global) => Some(global),
                        None => {
                            self.not_in_module(id, name);
                            return None;
                        }
                    }
                } else if let Some(of) = primitives().modules.iter().find(|of| **of == module.as_str()) {
                    let Some(entry) = primitives().task(of, &name.text) else {
                        self.no_such_task(of, name);
                        return None;
                    };
                    let result = self.shape_type(&entry.signature.result, &Default::default());
                    return Some((Protected::Operation(entry.operation), result));
                } else {
                    let modules: Vec<String> = self
                        .names
                        .modules
                        .get(self.module)
                        .map(|of| of.modules.keys().map(|name| name.to_string()).collect())
                        .unwrap_or_default();
                    let builtin = primitives().modules.iter().map(|name| name.to_string());
                    let candidates: Vec<String> = modules.into_iter().chain(builtin).collect();
                    self.unknown_name(target.span, "module", module, candidates);
                    return None;
                }
            }
            tree::ExprKind::Broken => return None,
            _ => None,
        };
        match global {
            Some(Global::Callable(id)) => {
                let result = self.program.callables.get(id.index()).map_or(Type::Unknown, |of| of.result.clone());
                Some((Protected::Callable(id), result))
            }
            Some(Global::Flow(id)) => {
                let result = self.program.flows.get(id.index()).map_or(Type::Unknown, |of| of.result.clone());
                Some((Protected::Flow(id), result))
            }
            None if matches!(&callee.kind, tree::ExprKind::Name(_)) => {
                let name = self.program.sources.slice(callee.span).to_string();
                let names = self.global_names();
                self.unknown_name(callee.span, "task or flow", &name, names);
                None
            }
            _ => self.not_protected(callee),
        }
    }

    fn not_protected(&mut self, callee: &tree::Expr) -> Option<(Protected, Type)> {
        let finding = Finding::new(&catalogue::name::MISUSED, callee.span, "a task or a flow is wanted here")
            .at("neither")
            .help("name it as it is called: `payments.refund`");
        self.report(finding);
        None
    }

    /// The names that a clause of a policy gives to the arguments of what it protects.
    pub(crate) fn clause_parameters(&mut self, protected: &Protected) -> Vec<(ecow::EcoString, Type, Span)> {
        match protected {
            Protected::Callable(id) => self.program.callables.get(id.index()).map_or(Vec::new(), |of| {
                of.parameters.iter().map(|p| (p.name.clone(), p.ty.clone(), p.span)).collect()
            }),
            Protected::Flow(id) => self.program.flows.get(id.index()).map_or(Vec::new(), |of| {
                of.parameters.iter().map(|p| (p.name.clone(), p.ty.clone(), p.span)).collect()
            }),
            Protected::Operation(operation) => {
                let Ok(signature) = crate::library::Signature::parse(operation.primitive().signature) else {
                    return Vec::new();
                };
                signature
                    .parameters
                    .iter()
                    .map(|p| (p.name.into(), self.shape_type(&p.shape, &Default::default()), Span::default()))
                    .collect()
            }
        }
    }

    /// A clause of a policy names parameters that the protected call has.
    pub(crate) fn bind_clause_names(
        &mut self,
        names: &[Name],
        parameters: &[(ecow::EcoString, Type, Span)],
        callee: &str,
    ) {
        use super::body::LocalKind;
        let ids: Vec<_> = parameters
            .iter()
            .map(|(name, ty, span)| self.body.add(name, ty.clone(), *span, LocalKind::Bound))
            .collect();
        for name in names {
            match parameters.iter().position(|(parameter, ..)| *parameter == name.text) {
                Some(at) => self.body.bind(&name.text, ids[at]),
                None => {
                    let candidates: Vec<&str> = parameters.iter().map(|(name, ..)| name.as_str()).collect();
                    let mut finding = Finding::new(
                        &catalogue::name::UNKNOWN,
                        name.span,
                        format!("`{callee}` has no parameter `{}`", name.text),
                    )
                    .at("not known to it");
                    finding = match super::scope::nearest(&name.text, &candidates) {
                        Some(near) => near.asked(finding, name.span),
                        None => finding.help(format!("it has {}", candidates.join(", "))),
                    };
                    self.report(finding);
                    let id = self.body.add(&name.text, Type::Unknown, name.span, LocalKind::Hidden);
                    self.body.bind(&name.text, id);
                }
            }
        }
    }
}

fn can_fail(value: &Expr) -> bool {
    let mut calls = false;
    value.walk(&mut |inner| {
        calls = calls
            || matches!(
                inner.kind,
                ExprKind::Call(..)
                    | ExprKind::Perform(..)
                    | ExprKind::Decide(..)
                    | ExprKind::Get(..)
                    | ExprKind::Create(..)
                    | ExprKind::Update(..)
                    | ExprKind::Index(..)
                    | ExprKind::Binary(..)
                    | ExprKind::Delete(..)
            );
    });
    calls
}
