//! Calls: of functions, tasks, tables, records, methods.

use super::Checker;
use super::arguments::{Called, Slot};
use super::body::BodyKind;
use super::declare::{DefaultOf, unknown_expr};
use super::name::Before;
use super::scope::{Global, SPECIAL_FORMS, nearest};
use super::types::{Purpose, primitives};
use crate::check::program::{Effect, Expr, ExprKind, FlowId, Parameter, Type};
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::{self, Argument, Name};
use crate::text::Span;
use ecow::EcoString;

impl Checker<'_> {
    /// `callee(arguments)`
    pub(crate) fn call(
        &mut self,
        callee: &tree::Expr,
        arguments: &[Argument],
        span: Span,
        hint: Option<&Type>,
    ) -> Expr {
        match &callee.kind {
            tree::ExprKind::Name(name) => self.call_name(name, callee.span, arguments, span, hint),
            tree::ExprKind::Field { target, name, optional } => {
                self.call_member(target, name, *optional, arguments, span, hint)
            }
            tree::ExprKind::Broken => self.give_up(arguments, span),
            _ => {
                let callee = self.expression(callee, None);
                let shown = self.show(&callee.ty);
                if !callee.ty.has_unknown() {
                    let finding =
                        Finding::new(&catalogue::name::MISUSED, callee.span, format!("{shown} can't be called"))
                            .at("not a function")
                            .help("functions, tasks, rules and records are called by their names");
                    self.report(finding);
                }
                self.give_up(arguments, span)
            }
        }
    }

    /// Checks the arguments of a call that means nothing, so that the names in them count as used.
    pub(crate) fn give_up(&mut self, arguments: &[Argument], span: Span) -> Expr {
        for argument in arguments {
            if !matches!(argument.value.kind, tree::ExprKind::Lambda { .. }) {
                let before = self.findings.len();
                self.expression(&argument.value, None);
                // What an unknown callee makes of its arguments is not known: `it` and bare members may be fine.
                self.findings.truncate(before);
            }
        }
        unknown_expr(span)
    }

    fn call_name(
        &mut self,
        name: &EcoString,
        name_span: Span,
        arguments: &[Argument],
        span: Span,
        hint: Option<&Type>,
    ) -> Expr {
        if SPECIAL_FORMS.contains(&name.as_str()) {
            return match name.as_str() {
                "template" => self.template_call(arguments, name_span, span),
                form => self.wait(form, arguments, name_span, span, hint),
            };
        }
        if let Some(global) = self.global(name) {
            return self.call_global(global, name, name_span, arguments, span);
        }
        if let Some(entry) = primitives().functions.get(name.as_str()) {
            return self.perform(entry, None, arguments, name, name_span, span);
        }
        if let Some(local) = self.local_named(name) {
            let value = self.local_value(local, name_span);
            if !value.ty.has_unknown() {
                let shown = self.show(&value.ty);
                let declared = self.body.local(local).map_or(name_span, |local| local.span);
                let finding = Finding::new(
                    &catalogue::name::MISUSED,
                    name_span,
                    format!("`{name}` is a value and can't be called"),
                )
                .at(format!("is {shown}"))
                .label(declared, "declared here");
                self.report(finding);
            }
            return self.give_up(arguments, span);
        }
        let mut names = self.global_names();
        names.retain(|name| !name.is_empty());
        // Somebody may have forgotten the module.
        let modules = self.modules_with(name);
        match modules.as_slice() {
            [module] => {
                let finding = Finding::new(
                    &catalogue::name::UNKNOWN,
                    name_span,
                    format!("there is no function or task `{name}`"),
                )
                .at("not known here")
                .help(format!("did you mean `{module}.{name}`?"))
                .fix(name_span, format!("{module}.{name}"));
                self.report(finding);
            }
            [] if primitives().modules.contains(&name.as_str()) => {
                let mut tasks: Vec<&str> = primitives().names_in(name).collect();
                tasks.sort_unstable();
                let tasks: Vec<String> = tasks.iter().map(|task| format!("`{name}.{task}(…)`")).collect();
                let finding = Finding::new(
                    &catalogue::name::MISUSED,
                    name_span,
                    format!("`{name}` is a module and can't be called"),
                )
                .at("a function or task is wanted here")
                .help(format!("call what is in it: {}", tasks.join(", ")));
                self.report(finding);
            }
            [] => self.unknown_name(name_span, "function or task", name, names),
            several => {
                let choices: Vec<String> = several.iter().map(|module| format!("`{module}.{name}`")).collect();
                let finding = Finding::new(
                    &catalogue::name::UNKNOWN,
                    name_span,
                    format!("there is no function or task `{name}`"),
                )
                .at("not known here")
                .help(format!("did you mean {}?", choices.join(" or ")));
                self.report(finding);
            }
        }
        self.give_up(arguments, span)
    }

    /// The modules that have a callable of this name.
    fn modules_with(&self, name: &str) -> Vec<String> {
        let Some(of) = self.names.modules.get(self.module) else { return Vec::new() };
        let mut found: Vec<String> = of
            .modules
            .iter()
            .filter(|(_, (id, _))| self.names.modules.get(*id).is_some_and(|module| module.own.contains_key(name)))
            .map(|(module, _)| module.to_string())
            .collect();
        let builtin = primitives().modules.iter().filter(|module| primitives().task(module, name).is_some());
        found.extend(builtin.map(|module| module.to_string()));
        found.sort();
        found
    }

    fn call_global(&mut self, global: Global, name: &str, name_span: Span, arguments: &[Argument], span: Span) -> Expr {
        match global {
            Global::Callable(id) => {
                let Some(callable) = self.program.callables.get(id.index()) else { return unknown_expr(span) };
                let (result, parameters) = (callable.result.clone(), callable.parameters.clone());
                let values = self.pass(name, &parameters, |index| DefaultOf::Callable(id.0, index), arguments, span);
                let effect = effect_of(&values);
                Expr { kind: ExprKind::Call(id, values), ty: result, effect, span }
            }
            Global::Table(id) => {
                let Some(table) = self.program.tables.get(id.index()) else { return unknown_expr(span) };
                let (result, parameters) = (self.table_result(id), table.parameters.clone());
                let values = self.pass(name, &parameters, |index| DefaultOf::Table(id.0, index), arguments, span);
                let effect = effect_of(&values);
                Expr { kind: ExprKind::Decide(id, values), ty: result, effect, span }
            }
            Global::Record(id) => match self.program.records.get(id.0 as usize).is_some_and(|of| of.is_entity()) {
                false => self.build_record(id, arguments, span),
                true => {
                    let finding = Finding::new(
                        &catalogue::name::MISUSED,
                        name_span,
                        format!("a record of the entity `{name}` is made in the store"),
                    )
                    .at("can't be built like a plain record")
                    .help(format!("write `{name}.create(…)`"))
                    .fix(name_span, format!("{name}.create"));
                    self.report(finding);
                    self.give_up(arguments, span)
                }
            },
            Global::Flow(_) => {
                let finding = Finding::new(
                    &catalogue::name::MISUSED,
                    name_span,
                    format!("`{name}` is a flow: it is run or started, not called"),
                )
                .at("a flow")
                .help(format!("`run {name}(…)` waits for its end, `start {name}(…)` does not"));
                self.report(finding);
                self.give_up(arguments, span)
            }
            Global::Error(_) => {
                let finding = Finding::new(
                    &catalogue::name::MISUSED,
                    name_span,
                    format!("`{name}` is an error: it ends what is being done, and is no value"),
                )
                .at("an error")
                .help(format!("write `fail {name}(…)`"));
                self.report(finding);
                self.give_up(arguments, span)
            }
            Global::Enum(_) | Global::Constant(_) => {
                let kind = self.kind_of_global(global);
                let finding = Finding::new(
                    &catalogue::name::MISUSED,
                    name_span,
                    format!("`{name}` is {kind} and can't be called"),
                )
                .at("not a function")
                .help("write it without parentheses");
                self.report(finding);
                self.give_up(arguments, span)
            }
        }
    }

    /// The arguments of a call in the order of the parameters, defaults filled in.
    pub(crate) fn pass(
        &mut self,
        callee: &str,
        parameters: &[Parameter],
        default_of: impl Fn(usize) -> DefaultOf,
        arguments: &[Argument],
        span: Span,
    ) -> Vec<Expr> {
        let has_default = |checker: &Self, index: usize, parameter: &Parameter| {
            parameter.default.is_some() || checker.pending.defaults.contains_key(&default_of(index))
        };
        let slots: Vec<Slot<'_>> = parameters
            .iter()
            .enumerate()
            .map(|(index, parameter)| Slot {
                name: &parameter.name,
                span: Some(parameter.span),
                required: !has_default(self, index, parameter),
            })
            .collect();
        let called = Called { name: callee, what: "argument", named_only: false, span };
        let given = self.arrange(called, &slots, arguments);
        let mut values = Vec::with_capacity(parameters.len());
        for (index, (parameter, written)) in parameters.iter().zip(given).enumerate() {
            let value = match written {
                Some(written) => {
                    let purpose = Purpose::Argument { callee, name: &parameter.name, span: Some(parameter.span) };
                    self.expected(written, &parameter.ty, purpose)
                }
                None => self.parameter_default(default_of(index), span),
            };
            values.push(value);
        }
        values
    }

    /// The default of a parameter, checked now if that has not been done.
    fn parameter_default(&mut self, of: DefaultOf, span: Span) -> Expr {
        self.check_default(of);
        let default = match of {
            DefaultOf::Callable(id, index) => {
                self.program.callables.get(id as usize).and_then(|of| of.parameters.get(index)?.default.clone())
            }
            DefaultOf::Table(id, index) => {
                self.program.tables.get(id as usize).and_then(|of| of.parameters.get(index)?.default.clone())
            }
            DefaultOf::Flow(id, index) => {
                self.program.flows.get(id as usize).and_then(|of| of.parameters.get(index)?.default.clone())
            }
            DefaultOf::Record(..) | DefaultOf::Error(..) => None,
        };
        default.unwrap_or_else(|| unknown_expr(span))
    }

    fn call_member(
        &mut self,
        target: &tree::Expr,
        name: &Name,
        optional: bool,
        arguments: &[Argument],
        span: Span,
        hint: Option<&Type>,
    ) -> Expr {
        match self.before_dot(target) {
            Before::Module(module) => match self.member_of_module(module, &name.text) {
                Some(global) => {
                    let full = self.program.sources.slice(target.span.to(name.span)).to_string();
                    self.call_global(global, &full, name.span, arguments, span)
                }
                None => {
                    self.not_in_module(module, name);
                    self.give_up(arguments, span)
                }
            },
            Before::Primitives(module) => self.call_task(module, name, target.span, arguments, span),
            Before::Entity(id) => self.call_entity(id, target.span, name, arguments, span),
            Before::Enum(id) => {
                let enum_name = self.program.enums.get(id.0 as usize).map_or(EcoString::new(), |of| of.name.clone());
                let finding = Finding::new(
                    &catalogue::name::UNKNOWN,
                    name.span,
                    format!("the enum `{enum_name}` has no method `{}`", name.text),
                )
                .at("not known to it");
                self.report(finding);
                self.give_up(arguments, span)
            }
            Before::Nothing => self.give_up(arguments, span),
            Before::Value(value) if optional => {
                let mut inner_arguments = Some(arguments);
                self.guarded(value, span, |checker, inner| {
                    let arguments = inner_arguments.take().unwrap_or_default();
                    checker.call_method(inner, name, arguments, span, None)
                })
            }
            Before::Value(value) => self.call_method(value, name, arguments, span, hint),
        }
    }

    /// `value.name(arguments)`
    fn call_method(
        &mut self,
        value: Expr,
        name: &Name,
        arguments: &[Argument],
        span: Span,
        _hint: Option<&Type>,
    ) -> Expr {
        match &value.ty {
            Type::Unknown => self.give_up(arguments, span),
            Type::Record(id) => {
                let id = *id;
                self.call_record(value, id, name, arguments, span)
            }
            Type::Reference(id) => {
                let id = *id;
                let followed = self.follow(value);
                self.call_record(followed, id, name, arguments, span)
            }
            Type::Optional(inner) if **inner != Type::Never => {
                let message = format!("`.{}(…)` needs a value, and this one may be none", name.text);
                self.optional_used(&value, &message, None);
                self.give_up(arguments, span)
            }
            _ => self.method(value, name, arguments, span),
        }
    }

    /// `csv.read(…)`
    fn call_task(
        &mut self,
        module: &'static str,
        name: &Name,
        module_span: Span,
        arguments: &[Argument],
        span: Span,
    ) -> Expr {
        let table = primitives();
        match table.task(module, &name.text) {
            Some(entry) => {
                let full = format!("{module}.{}", name.text);
                self.perform(entry, None, arguments, &full, module_span.to(name.span), span)
            }
            None => {
                self.no_such_task(module, name);
                self.give_up(arguments, span)
            }
        }
    }

    pub(crate) fn no_such_task(&mut self, module: &str, name: &Name) {
        let names: Vec<&str> = primitives().names_in(module).collect();
        let mut finding =
            Finding::new(&catalogue::name::UNKNOWN, name.span, format!("`{module}` has no task `{}`", name.text))
                .at("not known to it");
        finding = match nearest(&name.text, &names) {
            Some(near) => near.clone().put(finding.help(format!("did you mean `{module}.{near}`?")), name.span),
            None => {
                let mut names = names;
                names.sort_unstable();
                finding.help(format!("it has {}", names.join(", ")))
            }
        };
        self.report(finding);
    }

    /// `run flow(…)` and `start flow(…)`.
    pub(crate) fn run_flow(&mut self, call: &tree::Expr, waits: bool, span: Span) -> Expr {
        let word = if waits { "run" } else { "start" };
        let Some((id, name, arguments)) = self.flow_called(call, word) else { return unknown_expr(span) };
        let Some(flow) = self.program.flows.get(id.index()) else { return unknown_expr(span) };
        let (result, parameters) = (flow.result.clone(), flow.parameters.clone());
        let values = self.pass(&name, &parameters, |index| DefaultOf::Flow(id.0, index), arguments, span);
        let effect = effect_of(&values);
        if !waits {
            return Expr { kind: ExprKind::Start(id, values), ty: Type::Nothing, effect, span };
        }
        let ty = match self.body.kind {
            BodyKind::Test => Type::Outcome(Box::new(result)),
            _ => result,
        };
        Expr { kind: ExprKind::Run(id, values), ty, effect, span }
    }

    fn flow_called<'a>(&mut self, call: &'a tree::Expr, word: &str) -> Option<(FlowId, String, &'a [Argument])> {
        if matches!(call.kind, tree::ExprKind::Broken) {
            return None;
        }
        let tree::ExprKind::Call { callee, arguments } = &call.kind else {
            let finding =
                Finding::new(&catalogue::name::MISUSED, call.span, format!("`{word}` needs a flow with its arguments"))
                    .at("not a call of a flow")
                    .help(format!("write `{word} name(…)`"));
            self.report(finding);
            return None;
        };
        let name = self.program.sources.slice(callee.span).to_string();
        let global = match &callee.kind {
            tree::ExprKind::Name(name) => self.global(name),
            tree::ExprKind::Field { target, name, .. } => match &target.kind {
                tree::ExprKind::Name(module) => {
                    let module = self.module_named(module);
                    module.and_then(|module| self.member_of_module(module, &name.text))
                }
                _ => None,
            },
            _ => None,
        };
        match global {
            Some(Global::Flow(id)) => return Some((id, name, arguments)),
            Some(other) => {
                let kind = self.kind_of_global(other);
                let finding = Finding::new(
                    &catalogue::name::MISUSED,
                    callee.span,
                    format!("`{name}` is {kind}; only flows are run or started"),
                )
                .at("not a flow")
                .help(format!("call it without `{word}`: `{name}(…)`"));
                self.report(finding);
            }
            None => {
                let flows: Vec<String> = self
                    .global_names()
                    .into_iter()
                    .filter(|name| matches!(self.peek_global(self.module, name), Some(Global::Flow(_))))
                    .collect();
                self.unknown_name(callee.span, "flow", &name, flows);
            }
        }
        self.give_up(arguments, call.span);
        None
    }
}

/// The effect of evaluating these values.
pub(crate) fn effect_of(values: &[Expr]) -> Effect {
    values.iter().map(|value| value.effect).max().unwrap_or_default()
}
