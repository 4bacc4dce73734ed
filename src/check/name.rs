//! Names and fields: what they stand for.

use super::Checker;
use super::body::LocalKind;
use super::declare::unknown_expr;
use super::scope::{Global, nearest};
use super::types::primitives;
use crate::check::program::{Effect, Expr, ExprKind, LocalId, Type};
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::{self, Name};
use crate::text::Span;
use crate::value::{EnumId, RecordId, Value};

/// What stands before a dot.
pub(crate) enum Before {
    /// A value.
    Value(Expr),
    /// A script that is used, or a part of the library.
    Module(usize),
    /// A module of primitives.
    Primitives(&'static str),
    /// An entity: all its records.
    Entity(RecordId),
    /// An enum.
    Enum(EnumId),
    /// Something that has no members; reported.
    Nothing,
}

impl Checker<'_> {
    /// A new local with a name, unless the name means something here already.
    pub(crate) fn introduce(&mut self, name: &Name, ty: Type, kind: LocalKind) -> LocalId {
        let id = self.body.add(&name.text, ty, name.span, kind);
        if name.text.is_empty() {
            return id;
        }
        let before = self.body.lookup(&name.text).and_then(|local| self.body.local(local)).map(|local| local.span);
        let step = self.body.steps.get(&name.text).filter(|_| kind != LocalKind::Step).map(|step| step.span);
        if let Some(before) = before.or(step) {
            if name.text != "_" {
                let message = match step {
                    Some(_) => format!("`{}` is the name of a step", name.text),
                    None => format!("`{}` has a meaning here already", name.text),
                };
                let finding = Finding::new(&catalogue::name::SHADOWED, name.span, message)
                    .at("would hide the other")
                    .label(before, "declared here")
                    .help("choose another name; to set a new value, declare the first with `var` and write `name = …`");
                self.report(finding);
            }
        } else if let Some(Global::Constant(constant)) = self.peek_global(self.module, &name.text) {
            let span = self.program.constants.get(constant.index()).map_or(name.span, |constant| constant.span);
            let finding = Finding::new(
                &catalogue::name::SHADOWED,
                name.span,
                format!("`{}` is the name of a constant", name.text),
            )
            .at("would hide the constant")
            .label(span, "the constant")
            .help("choose another name");
            self.report(finding);
        }
        self.body.bind(&name.text, id);
        id
    }

    /// The value of a local at this place, known to be there where a test has shown it.
    pub(crate) fn local_value(&mut self, local: LocalId, span: Span) -> Expr {
        if let Some(info) = self.body.info.get_mut(local.index()) {
            info.used = true;
        }
        let mut ty = self.body.local_type(local);
        if ty.is_optional() && self.body.is_known(&(local, Vec::new())) {
            ty = ty.present().clone();
        }
        Expr { kind: ExprKind::Local(local), ty, effect: Effect::Pure, span }
    }

    /// The local or step that a name stands for.
    pub(crate) fn local_named(&mut self, name: &str) -> Option<LocalId> {
        self.body.lookup(name).or_else(|| self.body.steps.get(name).and_then(|step| step.local))
    }

    /// Whether a name is a member of an enum and nothing else, so that its meaning comes from beside it.
    pub(crate) fn is_bare_member(&self, written: &tree::Expr) -> bool {
        let tree::ExprKind::Name(name) = &written.kind else { return false };
        self.names.members.contains_key(name)
            && self.body.lookup(name).is_none()
            && self.body.steps.get(name).is_none_or(|step| step.local.is_none())
            && !matches!(self.peek_global(self.module, name), Some(Global::Constant(_)))
    }

    /// A name where a value is wanted.
    pub(crate) fn name(&mut self, name: &str, span: Span, hint: Option<&Type>) -> Expr {
        if let Some(local) = self.local_named(name) {
            return self.local_value(local, span);
        }
        if let Some(Type::Enum(id)) = hint.map(Type::present)
            && let Some(member) = self.member(*id, name)
        {
            self.mark_used(Global::Enum(*id));
            return self.member_value(*id, member, span);
        }
        if let Some(step) = self.body.steps.get(name) {
            let (message, label) = match step.has_value {
                true => (format!("the value of the step `{name}` is used before the step"), "set by this step"),
                false => (format!("the step `{name}` has no value"), "this step gives none"),
            };
            let finding = Finding::new(&catalogue::flow::UNSET, span, message)
                .at("not set here")
                .label(step.span, label)
                .help(match step.has_value {
                    true => "use it behind the step",
                    false => "a step gets a value with `step name = …`, or with `give …` in its block",
                });
            self.report(finding);
            return unknown_expr(span);
        }
        if let Some(Global::Constant(id)) = self.peek_global(self.module, name) {
            self.global(name);
            return self.constant(id, span);
        }
        if self.names.members.contains_key(name) {
            return self.bare_member(name, span, hint);
        }
        // Where a member of an enum is wanted, an unknown name was meant to be one.
        if let Some(Type::Enum(id)) = hint.map(Type::present)
            && self.peek_global(self.module, name).is_none()
        {
            return self.no_member(*id, name, span);
        }
        if let Some(global) = self.global(name) {
            return self.global_as_value(global, name, span);
        }
        let module = self.module_named(name).is_some() || primitives().modules.contains(&name);
        if module {
            let finding = Finding::new(&catalogue::name::MISUSED, span, format!("`{name}` is a module, not a value"))
                .at("a value is wanted here")
                .help(format!("name something in it: `{name}.…`"));
            self.report(finding);
            return unknown_expr(span);
        }
        if let Some(entry) = primitives().functions.get(name) {
            let finding = Finding::new(
                &catalogue::types::PARENTHESES,
                span,
                format!("`{name}` is a function and is called with parentheses"),
            )
            .at("is not called")
            .help(match entry.signature.parameters.iter().any(|p| p.default.is_none()) {
                true => format!("write `{name}(…)`"),
                false => format!("write `{name}()`"),
            });
            self.report(finding);
            return unknown_expr(span);
        }
        let near = self.all_names();
        self.unknown_name(span, "value", name, near);
        unknown_expr(span)
    }

    pub(crate) fn constant(&mut self, id: crate::check::program::ConstantId, span: Span) -> Expr {
        if self.pending.active.contains(&id) {
            if let Some(constant) = self.program.constants.get(id.index()) {
                let (name, declared) = (constant.name.clone(), constant.span);
                self.constant_cycle(span, &name, declared);
            }
            return unknown_expr(span);
        }
        self.check_constant(id);
        let ty = self.program.constants.get(id.index()).map_or(Type::Unknown, |constant| constant.value.ty.clone());
        Expr { kind: ExprKind::Constant(id), ty, effect: Effect::Pure, span }
    }

    fn constant_cycle(&mut self, span: Span, name: &str, declared: Span) {
        let finding = Finding::new(&catalogue::name::CYCLE, span, format!("the constant `{name}` needs itself"))
            .at("leads back to the constant")
            .label(declared, "the constant")
            .help("give one of the constants on the way a value of its own");
        self.report(finding);
    }

    fn member(&self, id: EnumId, name: &str) -> Option<u16> {
        let declared = self.program.enums.get(id.0 as usize)?;
        declared.members.iter().position(|member| member == name).and_then(|at| u16::try_from(at).ok())
    }

    pub(crate) fn member_value(&mut self, id: EnumId, member: u16, span: Span) -> Expr {
        Expr { kind: ExprKind::Value(Value::member(id, member)), ty: Type::Enum(id), effect: Effect::Pure, span }
    }

    /// A member of an enum without the enum's name, where no type says which enum is meant.
    fn bare_member(&mut self, name: &str, span: Span, hint: Option<&Type>) -> Expr {
        let all = self.names.members.get(name).cloned().unwrap_or_default();
        let seen: Vec<EnumId> = all.iter().copied().filter(|id| self.sees_enum(*id)).collect();
        match seen.as_slice() {
            [id] => {
                let id = *id;
                self.mark_used(Global::Enum(id));
                let enum_name = self.program.enums[id.0 as usize].name.clone();
                self.global(&enum_name);
                // Another enum is wanted: say which members that one has.
                match (hint.map(Type::present), self.member(id, name)) {
                    (Some(Type::Enum(wanted)), _) if *wanted != id => self.no_member(*wanted, name, span),
                    (_, Some(member)) => self.member_value(id, member, span),
                    _ => unknown_expr(span),
                }
            }
            [] => {
                if let Some(Type::Enum(wanted)) = hint.map(Type::present) {
                    return self.no_member(*wanted, name, span);
                }
                match self.global(name) {
                    Some(global) => self.global_as_value(global, name, span),
                    None => {
                        let near = self.all_names();
                        self.unknown_name(span, "value", name, near);
                        unknown_expr(span)
                    }
                }
            }
            several => {
                let enums = several.iter().filter_map(|id| self.program.enums.get(id.0 as usize));
                let mut choices: Vec<String> = enums.map(|of| format!("`{}.{name}`", of.name)).collect();
                choices.sort();
                let finding = Finding::new(
                    &catalogue::name::AMBIGUOUS,
                    span,
                    format!("`{name}` is a member of {} enums, and nothing here says which is meant", choices.len()),
                )
                .at("which one?")
                .help(format!("write {}", choices.join(" or ")));
                self.report(finding);
                unknown_expr(span)
            }
        }
    }

    pub(crate) fn no_member(&mut self, id: EnumId, name: &str, span: Span) -> Expr {
        let Some(declared) = self.program.enums.get(id.0 as usize) else { return unknown_expr(span) };
        let near = nearest(name, &declared.members);
        let members = declared.members.join(", ");
        let mut finding = Finding::new(
            &catalogue::name::UNKNOWN,
            span,
            format!("the enum `{}` has no member `{name}`", declared.name),
        )
        .at("not a member")
        .label(declared.span, "declared here");
        finding = match near {
            Some(near) => near.asked(finding, span),
            None => finding.help(format!("its members are {members}")),
        };
        self.report(finding);
        unknown_expr(span)
    }

    fn global_as_value(&mut self, global: Global, name: &str, span: Span) -> Expr {
        if let Global::Record(id) = global
            && self.program.records.get(id.0 as usize).is_some_and(|record| record.is_entity())
        {
            return self.all_records(id, span);
        }
        let kind = self.kind_of_global(global);
        let help = match global {
            Global::Enum(id) => {
                let member = self.program.enums.get(id.0 as usize).and_then(|of| of.members.first());
                format!("name a member of it: `{name}.{}`", member.map_or("…", |member| member.as_str()))
            }
            Global::Record(_) => format!("build one with its fields: `{name}(…)`"),
            Global::Error(_) => format!("end with it: `fail {name}(…)`"),
            Global::Flow(_) => format!("`run {name}(…)` runs it and waits, `start {name}(…)` does not wait"),
            _ => format!("call it: `{name}(…)`"),
        };
        let finding = Finding::new(&catalogue::name::MISUSED, span, format!("`{name}` is {kind}, not a value"))
            .at("a value is wanted here")
            .help(help);
        self.report(finding);
        unknown_expr(span)
    }

    /// All records of an entity, to be narrowed down or loaded.
    pub(crate) fn all_records(&mut self, id: RecordId, span: Span) -> Expr {
        Expr { kind: ExprKind::All(id), ty: Type::Query(id), effect: Effect::Reads, span }
    }

    /// What stands before a dot: a module, a type or a value.
    pub(crate) fn before_dot(&mut self, target: &tree::Expr) -> Before {
        let tree::ExprKind::Name(name) = &target.kind else {
            return Before::Value(self.expression(target, None));
        };
        if self.local_named(name).is_some() || self.body.steps.contains_key(name) {
            return Before::Value(self.name(name, target.span, None));
        }
        match self.peek_global(self.module, name) {
            Some(Global::Record(id)) => {
                self.global(name);
                if self.program.records.get(id.0 as usize).is_some_and(|record| record.is_entity()) {
                    return Before::Entity(id);
                }
                self.global_as_value(Global::Record(id), name, target.span);
                return Before::Nothing;
            }
            Some(Global::Enum(id)) => {
                self.global(name);
                return Before::Enum(id);
            }
            Some(Global::Constant(_)) => return Before::Value(self.name(name, target.span, None)),
            _ => {}
        }
        if let Some(module) = self.module_named(name) {
            return Before::Module(module);
        }
        if let Some(module) = primitives().modules.iter().find(|module| **module == name.as_str()) {
            return Before::Primitives(module);
        }
        if !self.names.members.contains_key(name) && self.peek_global(self.module, name).is_none() {
            let names = self.names_before_dot();
            self.unknown_name(target.span, "value or module", name, names);
            return Before::Nothing;
        }
        Before::Value(self.name(name, target.span, None))
    }

    /// The names that can stand before a dot: locals, modules, types.
    fn names_before_dot(&self) -> Vec<String> {
        let mut names: Vec<String> = self.body.names().map(|name| name.to_string()).collect();
        names.extend(self.body.steps.keys().map(|name| name.to_string()));
        names.extend(self.type_names().into_iter().filter(|name| name.starts_with(char::is_uppercase)));
        names.extend(primitives().modules.iter().map(|name| name.to_string()));
        if let Some(module) = self.names.modules.get(self.module) {
            names.extend(module.modules.keys().map(|name| name.to_string()));
        }
        names
    }

    /// `target.name`
    pub(crate) fn field(
        &mut self,
        target: &tree::Expr,
        name: &Name,
        optional: bool,
        span: Span,
        hint: Option<&Type>,
    ) -> Expr {
        match self.before_dot(target) {
            Before::Value(value) => self.field_or_guarded(value, name, optional, span),
            Before::Entity(id) => self.entity_property(id, target.span, name, span),
            Before::Enum(id) => match self.member(id, &name.text) {
                Some(member) => self.member_value(id, member, span),
                None => self.no_member(id, &name.text, name.span),
            },
            Before::Primitives(module) => self.module_property(module, name, span),
            Before::Module(module) => match self.member_of_module(module, &name.text) {
                Some(Global::Constant(id)) => self.constant(id, span),
                Some(Global::Enum(id)) => self.global_as_value(Global::Enum(id), &name.text, span),
                Some(global) => {
                    let full = self.program.sources.slice(span).to_string();
                    self.global_as_value(global, &full, span)
                }
                None => {
                    self.not_in_module(module, name);
                    unknown_expr(span)
                }
            },
            Before::Nothing => {
                let _ = hint;
                unknown_expr(span)
            }
        }
    }

    pub(crate) fn not_in_module(&mut self, module: usize, name: &Name) {
        let Some(of) = self.names.modules.get(module) else { return };
        let names: Vec<String> = of.own.keys().map(|name| name.to_string()).collect();
        let title = of.name.clone();
        let mut finding =
            Finding::new(&catalogue::name::UNKNOWN, name.span, format!("there is no `{}` in `{title}`", name.text))
                .at("not declared there");
        if let Some(near) = nearest(&name.text, &names) {
            finding = near.asked(finding, name.span);
        }
        self.report(finding);
    }

    fn field_or_guarded(&mut self, value: Expr, name: &Name, optional: bool, span: Span) -> Expr {
        if optional {
            return self.guarded(value, span, |checker, inner| checker.field_of(inner, name, span));
        }
        self.field_of(value, name, span)
    }

    /// `target?.…`: none when there is no target.
    pub(crate) fn guarded(&mut self, target: Expr, span: Span, then: impl FnOnce(&mut Self, Expr) -> Expr) -> Expr {
        let target = self.settle(target);
        if target.ty.is_unknown() {
            return unknown_expr(span);
        }
        if !target.ty.is_optional() {
            let shown = self.show(&target.ty);
            let dot = Span { start: target.span.end, end: target.span.end.saturating_add(2), ..target.span };
            let finding = Finding::new(
                &catalogue::types::OPTIONAL,
                target.span,
                "the value is always there, so `?.` has nothing to guard",
            )
            .at(format!("is {shown}, never none"))
            .help("write `.`");
            let finding = if self.program.sources.slice(dot) == "?." { finding.fix(dot, ".") } else { finding };
            self.report(finding);
            return then(self, target);
        }
        let inner = target.ty.present().clone();
        let local = self.body.add("", inner.clone(), target.span, LocalKind::Hidden);
        let it = Expr { kind: ExprKind::Local(local), ty: inner, effect: Effect::Pure, span: target.span };
        let then = then(self, it);
        let then = self.settle(then);
        let (ty, effect) = (then.ty.clone().optional(), target.effect.max(then.effect));
        Expr { kind: ExprKind::Guarded { target: Box::new(target), local, then: Box::new(then) }, ty, effect, span }
    }

    /// A field, or a property, of a value.
    pub(crate) fn field_of(&mut self, value: Expr, name: &Name, span: Span) -> Expr {
        if name.text.is_empty() {
            return unknown_expr(span);
        }
        match &value.ty {
            Type::Unknown => unknown_expr(span),
            Type::Record(id) => {
                let id = *id;
                self.record_field(value, id, name, span)
            }
            Type::Reference(id) => {
                let id = *id;
                let followed = self.follow(value);
                self.record_field(followed, id, name, span)
            }
            Type::Failure(id) => {
                let id = *id;
                self.failure_field(value, id, name, span)
            }
            Type::Optional(inner) if **inner != Type::Never => {
                let message = format!("`.{}` needs a value, and this one may be none", name.text);
                let written = self.program.sources.slice(value.span).to_string();
                let finding = Finding::new(&catalogue::types::OPTIONAL, value.span, message)
                    .at(format!("is {}", self.show(&value.ty)))
                    .help(match written.len() < 40 && !written.contains('\n') {
                        true => format!(
                            "test it first with `is some`, or write `{written}?.{}`, which is none when there is nothing",
                            name.text
                        ),
                        false => "test it first with `is some`, or write `?.`, which is none when there is nothing".to_string(),
                    });
                self.report(finding);
                unknown_expr(span)
            }
            _ => self.property(value, name, span),
        }
    }

    /// The record that a reference names.
    pub(crate) fn follow(&mut self, value: Expr) -> Expr {
        match value.ty {
            Type::Reference(id) => {
                let (span, effect) = (value.span, value.effect.max(Effect::Reads));
                Expr { kind: ExprKind::Follow(Box::new(value)), ty: Type::Record(id), effect, span }
            }
            _ => value,
        }
    }

    fn record_field(&mut self, value: Expr, id: RecordId, name: &Name, span: Span) -> Expr {
        let Some(record) = self.program.records.get(id.0 as usize) else { return unknown_expr(span) };
        let Some(index) = record.fields.iter().position(|field| field.name == name.text) else {
            return self.no_field(&value, id, name, span);
        };
        let ty = record.fields[index].ty.clone();
        let effect = value.effect;
        let mut field = Expr { kind: ExprKind::Field(Box::new(value), index), ty, effect, span };
        if field.ty.is_optional()
            && let Some(path) = self.path(&field)
            && self.body.is_known(&path)
        {
            field.ty = field.ty.present().clone();
        }
        field
    }

    pub(crate) fn no_field(&mut self, value: &Expr, id: RecordId, name: &Name, span: Span) -> Expr {
        let Some(record) = self.program.records.get(id.0 as usize) else { return unknown_expr(span) };
        let is_entity = record.is_entity();
        let written = self.program.sources.slice(value.span);
        if matches!(name.text.as_str(), "with" | "update" | "delete") {
            let finding = Finding::new(
                &catalogue::types::PARENTHESES,
                name.span,
                format!("`{}` is called with parentheses", name.text),
            )
            .at("is not called")
            .help(format!("write `{written}.{}(…)`", name.text));
            self.report(finding);
            return unknown_expr(span);
        }
        let what = if is_entity { "entity" } else { "record" };
        let mut finding = Finding::new(
            &catalogue::name::UNKNOWN,
            name.span,
            format!("the {what} `{}` has no field `{}`", record.name, name.text),
        )
        .at("not a field");
        let near = nearest(&name.text, record.fields.iter().map(|field| &field.name));
        finding = match near {
            Some(near) => near.asked(finding, name.span),
            None if record.fields.is_empty() => finding.help("it has no fields"),
            None => {
                let fields: Vec<String> = record.fields.iter().map(|field| format!("`{}`", field.name)).collect();
                finding.help(format!("it has {}", fields.join(", ")))
            }
        };
        let finding = finding.label(record.span, "declared here");
        self.report(finding);
        unknown_expr(span)
    }

    fn failure_field(&mut self, value: Expr, id: crate::value::ErrorId, name: &Name, span: Span) -> Expr {
        let effect = value.effect;
        let Some(error) = self.program.errors.get(id.0 as usize) else { return unknown_expr(span) };
        if let Some(index) = error.fields.iter().position(|field| field.name == name.text) {
            let ty = error.fields[index].ty.clone();
            return Expr { kind: ExprKind::Field(Box::new(value), index), ty, effect, span };
        }
        if name.text == "message" {
            return Expr { kind: ExprKind::FailureMessage(Box::new(value)), ty: Type::Text, effect, span };
        }
        let mut names: Vec<String> = error.fields.iter().map(|field| field.name.to_string()).collect();
        names.push("message".to_string());
        let mut finding = Finding::new(
            &catalogue::name::UNKNOWN,
            name.span,
            format!("the failure `{}` has no field `{}`", error.name, name.text),
        )
        .at("not a field")
        .label(error.span, "declared here");
        finding = match nearest(&name.text, &names) {
            Some(near) => near.asked(finding, name.span),
            None => finding.help(format!("it has {}", names.join(", "))),
        };
        self.report(finding);
        unknown_expr(span)
    }
}
