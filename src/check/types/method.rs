//! Primitives: properties, methods, functions and tasks of the table, typed by their signatures.

use super::primitives::{Entry, primitives};
use super::unify::unify;
use super::{Bindings, Purpose, method_fits};
use crate::check::Checker;
use crate::check::arguments::{Called, Slot};
use crate::check::declare::unknown_expr;
use crate::check::program::{Effect, Expr, ExprKind, Type};
use crate::check::scope::nearest;
use crate::finding::{Finding, catalogue};
use crate::library::{Operation, Shape};
use crate::syntax::tree::{Argument, Label, Name};
use crate::text::Span;
use crate::value::{Currency, Value};

impl Checker<'_> {
    /// `value.name`, where the value is no record.
    pub(crate) fn property(&mut self, value: Expr, name: &Name, span: Span) -> Expr {
        let Some(entry) = self.method_of(&value, name) else { return unknown_expr(span) };
        if !entry.signature.is_property {
            let written = self.program.sources.slice(value.span).to_string();
            let needs = entry.signature.parameters.iter().any(|parameter| parameter.default.is_none());
            let mut finding = Finding::new(
                &catalogue::types::PARENTHESES,
                name.span,
                format!("`{}` is called with parentheses", name.text),
            )
            .at("is not called")
            .help(format!("write `{written}.{}({})`", name.text, if needs { "…" } else { "" }));
            if !needs {
                finding = finding.fix(name.span.after(), "()");
            }
            self.report(finding);
            if needs {
                return unknown_expr(span);
            }
        }
        let title = name.text.to_string();
        self.perform(entry, Some(value), &[], &title, name.span, span)
    }

    /// `value.name(arguments)`, where the value is no record.
    pub(crate) fn method(&mut self, value: Expr, name: &Name, arguments: &[Argument], span: Span) -> Expr {
        let Some(entry) = self.method_of(&value, name) else { return self.give_up(arguments, span) };
        let title = name.text.to_string();
        if entry.signature.is_property {
            let parentheses = Span { start: name.span.end, ..span };
            let mut finding = Finding::new(
                &catalogue::types::PARENTHESES,
                parentheses,
                format!("`{}` is written without parentheses", name.text),
            )
            .at("not called");
            finding = match (name.text.as_str(), arguments.is_empty()) {
                ("count", false) => finding.help("to count some of them, narrow down first: `.where(…).count`"),
                (_, true) => finding.help("remove `()`").fix(parentheses, ""),
                _ => finding.help("remove the parentheses; it takes nothing"),
            };
            self.report(finding);
            return self.perform(entry, Some(value), &[], &title, name.span, span);
        }
        self.perform(entry, Some(value), arguments, &title, name.span, span)
    }

    /// The method or property of a value; reports when it has none.
    fn method_of(&mut self, value: &Expr, name: &Name) -> Option<&'static Entry> {
        if value.ty.has_unknown() && value.ty.is_unknown() || name.text.is_empty() {
            return None;
        }
        let named = primitives().methods.get(name.text.as_str());
        if let Some(entry) =
            named.and_then(|entries| entries.iter().find(|entry| method_fits(&entry.signature, &value.ty)))
        {
            return Some(entry);
        }
        if value.ty == Type::Nothing {
            self.settle(value.clone());
            return None;
        }
        let shown = self.show(&value.ty);
        let own: Vec<&str> = primitives()
            .methods
            .iter()
            .filter(|(_, entries)| entries.iter().any(|entry| method_fits(&entry.signature, &value.ty)))
            .map(|(name, _)| *name)
            .collect();
        let mut finding = Finding::new(&catalogue::name::UNKNOWN, name.span, format!("{shown} has no `{}`", name.text))
            .at("not known to it")
            .label(value.span, format!("is {shown}"));
        let written = self.program.sources.slice(value.span).to_string();
        let hidden = matches!(value.kind, ExprKind::Local(_)) && {
            let modules = self.names.modules.get(self.module).map(|module| &module.modules);
            modules.is_some_and(|modules| modules.contains_key(written.as_str()))
                || primitives().modules.contains(&written.as_str())
        };
        if hidden {
            finding = finding.help(format!("the value hides the module `{written}`; give the value another name"));
        } else if let Some(near) = familiar(&name.text).iter().find(|near| own.contains(near)) {
            finding = finding.help(format!("it is called `{near}` here")).fix(name.span, *near);
        } else if let Some(near) = nearest(&name.text, &own) {
            finding = near.asked(finding, name.span);
        } else if let Type::List(element) | Type::Optional(element) = &value.ty
            && let Type::Record(id) | Type::Reference(id) = **element
            && let Some(record) = self.program.records.get(id.0 as usize)
            && record.fields.iter().any(|field| field.name == name.text)
        {
            finding = finding.help(format!("the records in the list have it: `{written}.map(it.{})`", name.text));
        }
        self.report(finding);
        None
    }

    /// `email.outbox`
    pub(crate) fn module_property(&mut self, module: &'static str, name: &Name, span: Span) -> Expr {
        let Some(entry) = primitives().task(module, &name.text) else {
            self.no_such_task(module, name);
            return unknown_expr(span);
        };
        if !entry.signature.is_property {
            let finding = Finding::new(
                &catalogue::types::PARENTHESES,
                name.span,
                format!("`{module}.{}` is called with parentheses", name.text),
            )
            .at("is not called")
            .help(format!("write `{module}.{}(…)`", name.text));
            self.report(finding);
            return unknown_expr(span);
        }
        self.perform(entry, None, &[], &name.text, name.span, span)
    }

    /// A primitive with its arguments.
    pub(crate) fn perform(
        &mut self,
        entry: &'static Entry,
        receiver: Option<Expr>,
        arguments: &[Argument],
        callee: &str,
        name_span: Span,
        span: Span,
    ) -> Expr {
        let signature = &entry.signature;
        let operation = entry.operation;
        let mut bindings = Bindings::default();
        let mut values = Vec::with_capacity(signature.parameters.len() + 1);
        let receiver_type = receiver.as_ref().map(|value| value.ty.clone());
        if let Some(receiver) = receiver {
            if let Some(shape) = &signature.receiver {
                unify(shape, &receiver.ty, &mut bindings);
            }
            values.push(receiver);
        }
        if signature.is_property && !arguments.is_empty() {
            self.give_up(arguments, span);
        }
        let given = if signature.is_property {
            Vec::new()
        } else {
            let slots: Vec<Slot<'_>> = signature
                .parameters
                .iter()
                .map(|p| Slot { name: p.name, span: None, required: p.default.is_none() })
                .collect();
            let called = Called { name: callee, what: "argument", named_only: false, span };
            self.arrange(called, &slots, arguments)
        };
        for (parameter, written) in signature.parameters.iter().zip(given) {
            let purpose = Purpose::Argument { callee, name: parameter.name, span: None };
            let value = match (written, &parameter.shape) {
                (None, Shape::Type(inner)) => match parameter.default {
                    Some(name) => {
                        let ty = self.shape_type(&Shape::Named(name), &Bindings::default());
                        unify(inner, &ty, &mut bindings);
                        Expr { kind: ExprKind::TypeArgument(ty.clone()), ty, effect: Effect::Pure, span }
                    }
                    None => unknown_expr(span),
                },
                (None, shape) => match parameter.default {
                    Some(literal) => self.default_literal(literal, shape, span),
                    None => unknown_expr(span),
                },
                (Some(written), Shape::Function(parameters, result)) => {
                    let types: Vec<Type> = parameters.iter().map(|shape| self.shape_type(shape, &bindings)).collect();
                    let wanted = self.shape_type(result, &bindings);
                    let what = format!("`{}` of `{callee}`", parameter.name);
                    // A list given back may hold anything; only a known result is insisted on.
                    let known = !wanted.has_unknown();
                    let lambda = self.lambda(written, &types, known.then_some(&wanted), &what);
                    if !known {
                        unify(result, &lambda.ty, &mut bindings);
                        if let (Shape::List(_), ty) = (&**result, &lambda.ty)
                            && !matches!(ty, Type::List(_) | Type::Unknown)
                        {
                            let ExprKind::Lambda(_, body) = &lambda.kind else { continue };
                            let wanted = Type::List(Box::new(Type::Never));
                            let body = (**body).clone();
                            self.mismatch(&body, &wanted, purpose);
                        }
                    }
                    lambda
                }
                (Some(written), Shape::Type(inner)) => {
                    let ty = self.type_argument(written);
                    unify(inner, &ty, &mut bindings);
                    Expr { kind: ExprKind::TypeArgument(ty.clone()), ty, effect: Effect::Pure, span: written.span }
                }
                (Some(written), shape) => {
                    let wanted = self.shape_type(shape, &bindings);
                    if wanted.has_unknown() {
                        let value = self.settled(written, None);
                        unify(shape, &value.ty, &mut bindings);
                        let wanted = self.shape_type(shape, &bindings);
                        self.coerce(value, &wanted, purpose)
                    } else if let Shape::Variable(variable @ ('O' | 'N')) = shape {
                        // `min(1, 2.5)`: what agrees with both.
                        let value = self.settled(written, Some(&wanted));
                        match self.join(&wanted, &value.ty) {
                            Some(joined) if joined != wanted => {
                                bindings = rebound(&bindings, *variable, joined.clone());
                                self.coerce(value, &joined, purpose)
                            }
                            _ => self.coerce(value, &wanted, purpose),
                        }
                    } else {
                        self.expected(written, &wanted, purpose)
                    }
                }
            };
            // Where secrets may go in calls of other systems is followed on their whole way.
            if self.label_of(&value) == Some(Label::Secret)
                && matches!(operation.primitive().effect, Effect::Writes | Effect::Sends)
            {
                let written = self.program.sources.slice(value.span).to_string();
                let finding = Finding::new(
                    &catalogue::types::SECRET,
                    value.span,
                    format!("`{written}` is secret and can't be given to `{callee}`"),
                )
                .at("is secret")
                .note("what a task writes or sends can be read by others")
                .help("a secret's `.last4` may be shown");
                self.report(finding);
            }
            values.push(value);
        }
        // Arguments whose variable became wider by a later one.
        let offset = usize::from(receiver_type.is_some());
        for (index, parameter) in signature.parameters.iter().enumerate() {
            if let (Shape::Variable(variable), Some(bound)) = (&parameter.shape, values.get(index + offset))
                && let Some(wanted) = bindings.get(*variable).cloned()
                && bound.ty != wanted
            {
                let value = values[index + offset].clone();
                let purpose = Purpose::Argument { callee, name: parameter.name, span: None };
                values[index + offset] = self.coerce(value, &wanted, purpose);
            }
        }
        self.check_variables(&bindings, callee, name_span, &values);
        let mut ty = self.shape_type(&signature.result, &bindings);
        if let Some(receiver) = &receiver_type {
            ty = keep_query(operation, receiver, ty);
            ty = keep_currency(receiver, ty);
        }
        if operation == Operation::Money {
            ty = match values.get(1).map(|value| &value.kind) {
                Some(ExprKind::Value(Value::Text(code))) => match Currency::from_code(code) {
                    Some(currency) => Type::Money(Some(currency)),
                    None => {
                        let at = Name { text: code.clone(), span: values[1].span };
                        self.currency(&at);
                        Type::Unknown
                    }
                },
                _ => ty,
            };
        }
        if matches!(operation, Operation::CsvRead | Operation::CsvCheck | Operation::ExcelRead) {
            self.check_row_type(callee, &values);
        }
        let inner = values.iter().map(|value| value.effect).max().unwrap_or_default();
        let effect = inner.max(operation.primitive().effect);
        Expr { kind: ExprKind::Perform(operation, values), ty, effect, span }
    }

    /// Rows of files become plain records.
    fn check_row_type(&mut self, callee: &str, values: &[Expr]) {
        let Some(argument) = values.iter().find(|value| matches!(value.kind, ExprKind::TypeArgument(_))) else {
            return;
        };
        let is_record = matches!(argument.ty, Type::Record(_) | Type::Unknown);
        if !is_record {
            let shown = self.show(&argument.ty);
            let finding = Finding::new(
                &catalogue::types::MISMATCH,
                argument.span,
                format!("`{callee}` reads rows as records, and {shown} is none"),
            )
            .at("not a record")
            .help("declare a record with a field for each column that is needed");
            self.report(finding);
        }
    }

    fn check_variables(&mut self, bindings: &Bindings, callee: &str, name_span: Span, values: &[Expr]) {
        let place = |values: &[Expr]| {
            let lambda = values.iter().find_map(|value| match &value.kind {
                ExprKind::Lambda(_, body) => Some(body.span),
                _ => None,
            });
            lambda.unwrap_or(name_span)
        };
        if let Some(ty) = bindings.get('N')
            && !ty.is_additive()
            && !ty.has_unknown()
        {
            let shown = self.show(ty);
            let mut finding = Finding::new(
                &catalogue::types::MISMATCH,
                place(values),
                format!("`{callee}` adds values up, and {shown} can't be added up"),
            )
            .at(format!("is {shown}"));
            finding = match ty.is_optional() {
                true => finding.help("leave those that are none out first, or say what to use instead with `??`"),
                false => finding.help("int, decimal, percent, money and duration can be added up"),
            };
            self.report(finding);
        }
        if let Some(ty) = bindings.get('O')
            && !ty.is_ordered()
        {
            let shown = self.show(ty);
            let finding = Finding::new(
                &catalogue::types::MISMATCH,
                place(values),
                format!("`{callee}` needs values with an order, and {shown} has none"),
            )
            .at(format!("is {shown}"))
            .help("name a field that says the order, such as a number, a date or a text");
            self.report(finding);
        }
    }

    /// The default of a primitive's parameter.
    fn default_literal(&self, literal: &'static str, shape: &Shape, span: Span) -> Expr {
        let kind = match literal {
            "true" => ExprKind::Value(Value::Bool(true)),
            "false" => ExprKind::Value(Value::Bool(false)),
            "[]" => ExprKind::List(Vec::new()),
            "{}" => ExprKind::Map(Vec::new()),
            "none" => {
                let ty = Type::Optional(Box::new(Type::Never));
                return Expr { kind: ExprKind::Value(Value::None), ty, effect: Effect::Pure, span };
            }
            text if text.starts_with('"') => ExprKind::Value(Value::text(text.trim_matches('"'))),
            number => ExprKind::Value(Value::Int(number.parse().unwrap_or_default())),
        };
        let ty = self.shape_type(shape, &Bindings::default());
        Expr { kind, ty, effect: Effect::Pure, span }
    }
}

fn rebound(bindings: &Bindings, variable: char, ty: Type) -> Bindings {
    let mut fresh = Bindings::default();
    fresh.bind(variable, ty);
    for other in ['T', 'U', 'K', 'V', 'N', 'O'] {
        if other != variable
            && let Some(ty) = bindings.get(other)
        {
            fresh.bind(other, ty.clone());
        }
    }
    fresh
}

/// Some methods of a query only say more of it: it stays a question to the store.
fn keep_query(operation: Operation, receiver: &Type, ty: Type) -> Type {
    match (operation, receiver) {
        (
            Operation::ListWhere
            | Operation::ListFilter
            | Operation::ListSort
            | Operation::ListSortDescending
            | Operation::ListTake
            | Operation::ListSkip,
            Type::Query(entity),
        ) => Type::Query(*entity),
        _ => ty,
    }
}

/// What is made of an amount has its currency.
fn keep_currency(receiver: &Type, ty: Type) -> Type {
    match (receiver, ty) {
        (Type::Money(Some(_)), Type::Money(None)) => receiver.clone(),
        (Type::Money(Some(_)), Type::List(element)) if *element == Type::Money(None) => {
            Type::List(Box::new(receiver.clone()))
        }
        (_, ty) => ty,
    }
}

/// What methods of other languages are called here.
fn familiar(name: &str) -> &'static [&'static str] {
    match name {
        "len" | "size" | "length" => &["length", "count"],
        "count" => &["length"],
        "toUpperCase" | "to_upper" | "uppercase" => &["upper"],
        "toLowerCase" | "to_lower" | "lowercase" => &["lower"],
        "strip" => &["trim"],
        "includes" => &["contains"],
        "startsWith" | "startswith" => &["starts_with"],
        "endsWith" | "endswith" => &["ends_with"],
        "select" | "each" => &["map"],
        "sort_by" | "order_by" | "orderBy" => &["sort"],
        "push" | "add" => &["append"],
        "reduce" => &["fold"],
        "every" => &["all"],
        "some" | "exists" => &["any"],
        "avg" | "mean" => &["average"],
        "limit" => &["take"],
        "unique" => &["distinct"],
        "group_by" | "groupBy" => &["group"],
        "empty" | "isEmpty" => &["is_empty"],
        _ => &[],
    }
}
