//! Gives every declaration its number, then its types: fields, parameters, results.

use super::Checker;
use super::body::{Body, BodyKind};
use super::scope::{BUILTIN_TYPES, Global, ModuleId, PRELUDE, SPECIAL_FORMS};
use super::types::Purpose;
use super::written::label_of;
use crate::check::hash::HashMap;
use crate::check::program::{
    Callable, CallableId, Constant, ConstantId, DecisionTable, Default as FieldDefault, Effect, EnumType, ErrorType,
    Expr, Field, Flow, FlowId, Parameter, Program, RecordType, TableId, Type,
};
use crate::finding::{Finding, catalogue};
use crate::syntax::tree::{self, FieldRole, HitPolicy, Item, ItemKind, Name};
use crate::value::{EnumId, ErrorId, RecordId};
use ecow::EcoString;
use std::sync::Arc;

/// What is declared and not yet checked.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    pub modules: Vec<ModuleId>,
    pub defaults: HashMap<DefaultOf, PendingDefault>,
    pub constants: HashMap<ConstantId, (ModuleId, tree::Const)>,
    /// The constants that are being checked just now, to find those that need themselves.
    pub active: Vec<ConstantId>,
    /// The first of each kind that is checked this time.
    pub first: First,
}

/// The first callable, table and flow of what is checked this time; those before are finished.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct First {
    pub callable: usize,
    pub table: usize,
    pub flow: usize,
    pub trigger: usize,
    pub constant: usize,
}

impl First {
    /// Everything that a program has is finished.
    pub fn all(program: &Program) -> First {
        First {
            callable: program.callables.len(),
            table: program.tables.len(),
            flow: program.flows.len(),
            trigger: program.triggers.len(),
            constant: program.constants.len(),
        }
    }
}

/// What a default belongs to, with the position of the field or parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum DefaultOf {
    Record(u32, usize),
    Error(u32, usize),
    Callable(u32, usize),
    Table(u32, usize),
    Flow(u32, usize),
}

/// A default that has not been checked yet.
#[derive(Debug)]
pub(crate) struct PendingDefault {
    module: ModuleId,
    value: tree::Expr,
    ty: Type,
    name: Name,
}

impl Checker<'_> {
    /// Gives the declarations of a module their numbers and makes their names known in it.
    pub(crate) fn declare_names(&mut self, module: ModuleId) {
        let script = Arc::clone(&self.names.modules[module].script);
        let mut globals = Vec::with_capacity(script.items.len());
        for item in &script.items {
            let declared = self.declare(module, item);
            if let Some((global, name)) = &declared {
                self.bind_global(module, name, *global);
            }
            globals.push(declared.map(|(global, _)| global));
        }
        self.names.modules[module].globals = globals;
        let uses: Vec<(usize, Vec<ModuleId>)> = {
            let uses = self.names.modules[module].uses.iter();
            uses.enumerate().map(|(index, line)| (index, line.brings.clone())).collect()
        };
        for (line, brings) in uses {
            for other in brings {
                self.import(module, other, line);
            }
        }
        self.pending.modules.push(module);
    }

    fn bind_global(&mut self, module: ModuleId, name: &Name, global: Global) {
        if name.text.is_empty() {
            return;
        }
        let text = name.text.as_str();
        let is_builtin = BUILTIN_TYPES.contains(&text)
            || SPECIAL_FORMS.contains(&text)
            || super::types::primitives().functions.contains_key(text);
        let in_prelude = module != PRELUDE && self.names.modules[PRELUDE].own.contains_key(&name.text);
        if is_builtin || in_prelude {
            let finding = Finding::new(
                &catalogue::name::RESERVED,
                name.span,
                format!("`{text}` is a word of the language and can't be declared again"),
            )
            .at("taken")
            .help("choose another name");
            self.report(finding);
            return;
        }
        let of = &mut self.names.modules[module];
        if let Some((_, before)) = of.own.get(&name.text) {
            let finding = Finding::new(&catalogue::name::DUPLICATE, name.span, format!("`{text}` is declared twice"))
                .at("declared again here")
                .label(*before, "declared here first")
                .help("give one of the two another name");
            self.report(finding);
            return;
        }
        of.own.insert(name.text.clone(), (global, name.span));
    }

    fn full_name(&self, module: ModuleId, name: &EcoString) -> EcoString {
        match self.names.modules.get(module).and_then(|module| module.prefix.as_ref()) {
            Some(prefix) => ecow::eco_format!("{prefix}.{name}"),
            None => name.clone(),
        }
    }

    fn declare<'i>(&mut self, module: ModuleId, item: &'i Item) -> Option<(Global, &'i Name)> {
        let documentation = item.documentation.clone();
        Some(match &item.kind {
            ItemKind::Enum(declared) => {
                let id = EnumId(self.program.enums.len() as u32);
                self.declare_members(id, declared);
                self.program.enums.push(EnumType {
                    name: declared.name.text.clone(),
                    members: declared.members.iter().map(|member| member.text.clone()).collect(),
                    documentation,
                    span: declared.name.span,
                });
                (Global::Enum(id), &declared.name)
            }
            ItemKind::Record(declared) => {
                let id = RecordId(self.program.records.len() as u32);
                // The key is known at once, for whether something is an entity decides what types mean.
                let key = declared.fields.iter().position(|field| field.role == FieldRole::Key);
                self.program.records.push(RecordType {
                    name: declared.name.text.clone(),
                    fields: Vec::new(),
                    key: declared.is_entity.then(|| key.unwrap_or(0)),
                    documentation,
                    span: declared.name.span,
                });
                (Global::Record(id), &declared.name)
            }
            ItemKind::Error(declared) => {
                let id = ErrorId(self.program.errors.len() as u32);
                self.program.errors.push(ErrorType {
                    name: declared.name.text.clone(),
                    transient: declared.transient,
                    fields: Vec::new(),
                    documentation,
                    span: declared.name.span,
                });
                (Global::Error(id), &declared.name)
            }
            ItemKind::Const(declared) => {
                let id = ConstantId(self.program.constants.len() as u32);
                self.program.constants.push(Constant {
                    name: declared.name.text.clone(),
                    value: unknown_expr(declared.name.span),
                    span: declared.name.span,
                });
                self.pending.constants.insert(id, (module, declared.clone()));
                (Global::Constant(id), &declared.name)
            }
            ItemKind::Callable(declared) => {
                let id = CallableId(self.program.callables.len() as u32);
                self.program.callables.push(Callable {
                    name: self.full_name(module, &declared.name.text),
                    is_task: declared.is_task,
                    parameters: Vec::new(),
                    result: Type::Unknown,
                    effect: Effect::Pure,
                    fails: Vec::new(),
                    locals: Vec::new(),
                    body: Vec::new(),
                    documentation,
                    span: declared.name.span,
                });
                (Global::Callable(id), &declared.name)
            }
            ItemKind::Rules(declared) => {
                let id = TableId(self.program.tables.len() as u32);
                self.program.tables.push(DecisionTable {
                    name: self.full_name(module, &declared.name.text),
                    parameters: Vec::new(),
                    result: Type::Unknown,
                    policy: declared.policy.map_or(HitPolicy::Unique, |(policy, _)| policy),
                    columns: Vec::new(),
                    rows: Vec::new(),
                    effect: Effect::Pure,
                    locals: Vec::new(),
                    documentation,
                    span: declared.name.span,
                });
                (Global::Table(id), &declared.name)
            }
            ItemKind::Flow(declared) => {
                let id = FlowId(self.program.flows.len() as u32);
                self.program.flows.push(Flow {
                    name: self.full_name(module, &declared.name.text),
                    parameters: Vec::new(),
                    result: Type::Unknown,
                    key: None,
                    at_most: None,
                    priority: None,
                    deadline: None,
                    steps: Vec::new(),
                    locals: Vec::new(),
                    body: Vec::new(),
                    effect: Effect::Pure,
                    fails: Vec::new(),
                    documentation,
                    span: declared.name.span,
                });
                (Global::Flow(id), &declared.name)
            }
            _ => return None,
        })
    }

    fn declare_members(&mut self, id: EnumId, declared: &tree::Enum) {
        let mut seen: HashMap<&EcoString, &Name> = HashMap::default();
        for member in &declared.members {
            if let Some(before) = seen.insert(&member.text, member) {
                let finding = Finding::new(
                    &catalogue::name::DUPLICATE,
                    member.span,
                    format!("`{}` is twice in the enum `{}`", member.text, declared.name.text),
                )
                .at("again here")
                .label(before.span, "first here")
                .help("remove one of the two");
                self.report(finding);
                continue;
            }
            self.names.members.entry(member.text.clone()).or_default().push(id);
        }
    }

    /// Resolves the types that the declarations of a module write.
    pub(crate) fn resolve_headers(&mut self, module: ModuleId) {
        self.module = module;
        let Some(of) = self.names.modules.get(module) else { return };
        let (script, globals) = (Arc::clone(&of.script), of.globals.clone());
        for (item, global) in script.items.iter().zip(globals) {
            self.names.current = global;
            match (&item.kind, global) {
                (ItemKind::Record(declared), Some(Global::Record(id))) => self.record_header(id, declared),
                (ItemKind::Error(declared), Some(Global::Error(id))) => {
                    let of = |index| DefaultOf::Error(id.0, index);
                    let fields = self.parameters(&declared.fields, &of, "error", &declared.name.text);
                    let labels = declared.fields.iter().map(|field| label_of(&field.kind));
                    let fields = fields.into_iter().zip(labels).map(|(field, label)| Field {
                        name: field.name,
                        ty: field.ty,
                        label,
                        unique: false,
                        index: false,
                        default: None,
                        documentation: EcoString::new(),
                        span: field.span,
                    });
                    self.program.errors[id.0 as usize].fields = fields.collect();
                }
                (ItemKind::Callable(declared), Some(Global::Callable(id))) => {
                    let of = |index| DefaultOf::Callable(id.0, index);
                    let what = if declared.is_task { "task" } else { "fn" };
                    let parameters = self.parameters(&declared.parameters, &of, what, &declared.name.text);
                    let result = declared.result.as_ref().map_or(Type::Nothing, |kind| self.written_type(kind));
                    let callable = &mut self.program.callables[id.index()];
                    callable.parameters = parameters;
                    callable.result = result;
                }
                (ItemKind::Rules(declared), Some(Global::Table(id))) => {
                    let of = |index| DefaultOf::Table(id.0, index);
                    let parameters = self.parameters(&declared.parameters, &of, "rules", &declared.name.text);
                    let result = declared.result.as_ref().map_or(Type::Unknown, |kind| self.written_type(kind));
                    let table = &mut self.program.tables[id.index()];
                    table.parameters = parameters;
                    table.result = result;
                }
                (ItemKind::Flow(declared), Some(Global::Flow(id))) => {
                    let of = |index| DefaultOf::Flow(id.0, index);
                    let parameters = self.parameters(&declared.parameters, &of, "flow", &declared.name.text);
                    let result = declared.result.as_ref().map_or(Type::Nothing, |kind| self.written_type(kind));
                    let flow = &mut self.program.flows[id.index()];
                    flow.parameters = parameters;
                    flow.result = result;
                }
                _ => {}
            }
        }
        self.names.current = None;
    }

    fn parameters(
        &mut self,
        written: &[tree::Parameter],
        of: &dyn Fn(usize) -> DefaultOf,
        what: &str,
        owner: &str,
    ) -> Vec<Parameter> {
        let mut seen: HashMap<EcoString, crate::text::Span> = HashMap::default();
        let mut parameters = Vec::with_capacity(written.len());
        for (index, parameter) in written.iter().enumerate() {
            let name = &parameter.name;
            if let Some(before) = seen.insert(name.text.clone(), name.span).filter(|_| !name.text.is_empty()) {
                let finding = Finding::new(
                    &catalogue::name::DUPLICATE,
                    name.span,
                    format!("the {what} `{owner}` has `{}` twice", name.text),
                )
                .at("again here")
                .label(before, "first here")
                .help("give one of the two another name");
                self.report(finding);
            }
            let ty = self.written_type(&parameter.kind);
            if let Some(value) = &parameter.default {
                let default =
                    PendingDefault { module: self.module, value: value.clone(), ty: ty.clone(), name: name.clone() };
                self.pending.defaults.insert(of(index), default);
            }
            parameters.push(Parameter { name: name.text.clone(), ty, default: None, span: name.span });
        }
        parameters
    }

    fn record_header(&mut self, id: RecordId, declared: &tree::Record) {
        let what = if declared.is_entity { "entity" } else { "record" };
        let mut seen: HashMap<&EcoString, &Name> = HashMap::default();
        let mut fields = Vec::with_capacity(declared.fields.len());
        let mut key: Option<&Name> = None;
        for (index, field) in declared.fields.iter().enumerate() {
            let name = &field.name;
            if let Some(before) = seen.insert(&name.text, name).filter(|_| !name.text.is_empty()) {
                let message = format!("the {what} `{}` has the field `{}` twice", declared.name.text, name.text);
                let finding = Finding::new(&catalogue::name::DUPLICATE, name.span, message)
                    .at("again here")
                    .label(before.span, "first here")
                    .help("remove one of the two, or give it another name");
                self.report(finding);
            }
            let ty = self.written_field_type(&field.kind);
            if field.role != FieldRole::Plain && !declared.is_entity {
                let finding = Finding::new(
                    &catalogue::types::ENTITY,
                    field.span,
                    format!("only entities have {}, and `{}` is a record", role_word(field.role), declared.name.text),
                )
                .at("says what the store does with the field")
                .help(format!("write `entity {}` when its values are to be kept in the store", declared.name.text));
                self.report(finding);
            }
            if field.role == FieldRole::Key && declared.is_entity {
                if let Some(first) = key {
                    let message = format!("the entity `{}` has two keys", declared.name.text);
                    let finding = Finding::new(&catalogue::types::ENTITY, name.span, message)
                        .at("the second")
                        .label(first.span, "the first")
                        .help("keep one `key`; say `unique` for the other");
                    self.report(finding);
                }
                key = key.or(Some(name));
                self.check_key_type(&ty, field);
            }
            let mut default = None;
            match &field.default {
                Some(tree::FieldDefault::Auto(span)) => {
                    default = Some(FieldDefault::Auto);
                    if field.role != FieldRole::Key || !matches!(ty, Type::Int | Type::Unknown) {
                        let finding = Finding::new(
                            &catalogue::types::ENTITY,
                            *span,
                            "the store counts up for keys of the type `int` alone",
                        )
                        .at("can't be counted up")
                        .help(format!("write `key {}: int = auto`, or give another default", name.text));
                        self.report(finding);
                    }
                }
                Some(tree::FieldDefault::Value(value)) => {
                    let pending = PendingDefault {
                        module: self.module,
                        value: value.clone(),
                        ty: ty.clone(),
                        name: name.clone(),
                    };
                    self.pending.defaults.insert(DefaultOf::Record(id.0, index), pending);
                }
                None => {}
            }
            fields.push(Field {
                name: name.text.clone(),
                ty,
                label: label_of(&field.kind),
                unique: field.role == FieldRole::Unique,
                index: field.role == FieldRole::Index,
                default,
                documentation: field.documentation.clone(),
                span: name.span,
            });
        }
        if declared.is_entity && key.is_none() && !declared.name.text.is_empty() {
            let finding = Finding::new(
                &catalogue::types::ENTITY,
                declared.name.span,
                format!("the entity `{}` has no key", declared.name.text),
            )
            .at("nothing names its records")
            .help("write `key` before the field that names a record, or add `key id: int = auto`");
            self.report(finding);
        }
        self.program.records[id.0 as usize].fields = fields;
    }

    fn check_key_type(&mut self, ty: &Type, field: &tree::FieldDeclaration) {
        let fits = matches!(
            ty,
            Type::Text | Type::Int | Type::Date | Type::Enum(_) | Type::Reference(_) | Type::Instant | Type::Unknown
        );
        if !fits {
            let message = format!("a key can't be of the type {}", self.show(ty));
            let finding = Finding::new(&catalogue::types::ENTITY, field.kind.span, message)
                .at("no key")
                .help("keys are text, int, date, instant, a member of an enum, or another entity");
            self.report(finding);
        }
    }

    /// Checks every default that nothing has asked for yet.
    pub(crate) fn check_defaults(&mut self) {
        let mut waiting: Vec<DefaultOf> = self.pending.defaults.keys().copied().collect();
        waiting.sort();
        for of in waiting {
            self.check_default(of);
        }
    }

    /// Checks a default if that has not been done; a default that needs itself is left unknown.
    pub(crate) fn check_default(&mut self, of: DefaultOf) {
        let Some(pending) = self.pending.defaults.remove(&of) else { return };
        let body = Body::new(BodyKind::Expression, ecow::eco_format!("the default of `{}`", pending.name.text));
        let purpose = Purpose::Declared { name: &pending.name.text, span: pending.name.span };
        let (value, body) =
            self.elsewhere(pending.module, body, |checker| checker.expected(&pending.value, &pending.ty, purpose));
        let value = self.without_locals(value, &body, &body.title);
        match of {
            DefaultOf::Record(id, index) => {
                if let Some(field) = self.program.records.get_mut(id as usize).and_then(|of| of.fields.get_mut(index)) {
                    field.default = Some(FieldDefault::Value(Box::new(value)));
                }
            }
            DefaultOf::Error(id, index) => {
                if let Some(field) = self.program.errors.get_mut(id as usize).and_then(|of| of.fields.get_mut(index)) {
                    field.default = Some(FieldDefault::Value(Box::new(value)));
                }
            }
            DefaultOf::Callable(id, index) => {
                let of = self.program.callables.get_mut(id as usize);
                set_default(of.map(|of| &mut of.parameters), index, value);
            }
            DefaultOf::Table(id, index) => {
                let of = self.program.tables.get_mut(id as usize);
                set_default(of.map(|of| &mut of.parameters), index, value);
            }
            DefaultOf::Flow(id, index) => {
                let of = self.program.flows.get_mut(id as usize);
                set_default(of.map(|of| &mut of.parameters), index, value);
            }
        }
    }

    /// Checks every constant that nothing has asked for yet.
    pub(crate) fn check_constants(&mut self) {
        let mut waiting: Vec<ConstantId> = self.pending.constants.keys().copied().collect();
        waiting.sort();
        for id in waiting {
            self.check_constant(id);
        }
    }

    /// Checks a constant if that has not been done.
    pub(crate) fn check_constant(&mut self, id: ConstantId) {
        let Some((module, declared)) = self.pending.constants.remove(&id) else { return };
        let body = Body::new(BodyKind::Expression, ecow::eco_format!("the constant `{}`", declared.name.text));
        let before = self.names.current.replace(Global::Constant(id));
        self.pending.active.push(id);
        let (value, body) = self.elsewhere(module, body, |checker| match &declared.kind {
            Some(kind) => {
                let ty = checker.written_type(kind);
                let purpose = Purpose::Declared { name: &declared.name.text, span: kind.span };
                checker.expected(&declared.value, &ty, purpose)
            }
            None => checker.settled(&declared.value, None),
        });
        self.names.current = before;
        self.pending.active.pop();
        let what = ecow::eco_format!("the constant `{}`", declared.name.text);
        let value = self.without_locals(value, &body, &what);
        if let Some(constant) = self.program.constants.get_mut(id.index()) {
            constant.value = value;
        }
    }

    /// Values made with lambdas need places that constants and defaults do not have.
    fn without_locals(&mut self, value: Expr, body: &Body, what: &str) -> Expr {
        if body.locals.is_empty() || value.ty.is_unknown() {
            return value;
        }
        let message = format!("{what} can't be computed with `it`, a lambda or `?.`");
        let finding = Finding::new(&catalogue::name::MISUSED, value.span, message)
            .at("needs the body of a function")
            .help("write a `fn` that computes it, and call that here");
        self.report(finding);
        unknown_expr(value.span)
    }
}

fn set_default(parameters: Option<&mut Vec<Parameter>>, index: usize, value: Expr) {
    if let Some(parameter) = parameters.and_then(|parameters| parameters.get_mut(index)) {
        parameter.default = Some(value);
    }
}

fn role_word(role: FieldRole) -> &'static str {
    match role {
        FieldRole::Plain => "fields",
        FieldRole::Key => "a `key`",
        FieldRole::Unique => "`unique` fields",
        FieldRole::Index => "an `index`",
    }
}

/// What stands where nothing could be made of the text.
pub(crate) fn unknown_expr(span: crate::text::Span) -> Expr {
    Expr {
        kind: crate::check::program::ExprKind::Value(crate::value::Value::None),
        ty: Type::Unknown,
        effect: Effect::Pure,
        span,
    }
}
