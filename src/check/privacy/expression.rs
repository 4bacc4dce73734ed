//! What the values of expressions carry.

use super::sink::{Leak, Sink};
use super::solve::{Analysis, FieldKey, Node, carries};
use super::taint::{Carried, Origin, Taint, WayId, What};
use crate::check::program::{Expr, ExprKind, TextPart, Type, Wait};
use crate::syntax::tree::Label;
use crate::text::Span;
use crate::value::{RecordId, Value};
use ecow::EcoString;

impl<'p> Analysis<'p> {
    /// What the value of an expression carries.
    pub fn value(&mut self, expr: &'p Expr) -> Carried {
        let carried = self.carried(expr);
        if carries(&expr.ty) { carried } else { Carried::default() }
    }

    fn carried(&mut self, expr: &'p Expr) -> Carried {
        match &expr.kind {
            ExprKind::Value(_) | ExprKind::Constant(_) | ExprKind::TypeArgument(_) | ExprKind::All(_) => {
                Carried::default()
            }
            ExprKind::Local(local) => self.state.get(local.index()).cloned().unwrap_or_default(),
            ExprKind::Text(parts) => {
                let mut whole = Taint::default();
                for part in parts {
                    if let TextPart::Value(value) = part {
                        whole.join(&self.value(value).whole());
                    }
                }
                Carried::plain(whole)
            }
            ExprKind::List(all) => self.all(all),
            ExprKind::Map(entries) => {
                let mut carried = Carried::default();
                for (key, value) in entries {
                    carried.keys.join(&self.value(key).whole());
                    carried.values.join(&self.value(value).whole());
                }
                carried
            }
            ExprKind::Record(id, fields) => {
                for (index, field) in fields.iter().enumerate() {
                    self.put_value((*id, index), field);
                }
                Carried::default()
            }
            ExprKind::Create(id, fields) => {
                for (index, field) in fields.iter().enumerate() {
                    if let Some(field) = field {
                        self.put_value((*id, index), field);
                    }
                }
                Carried::default()
            }
            ExprKind::With(target, changes) | ExprKind::Update(target, changes) => {
                self.value(target);
                if let Some(record) = record_of(&target.ty) {
                    for (index, value) in changes {
                        self.put_value((record, *index), value);
                    }
                }
                Carried::default()
            }
            ExprKind::Field(target, index) => self.field_of(target, *index, expr.span),
            ExprKind::FailureMessage(target) => {
                self.value(target);
                let Type::Failure(error) = &target.ty else { return Carried::default() };
                let count = self.program.errors.get(error.0 as usize).map_or(0, |error| error.fields.len());
                let mut whole = Taint::default();
                for index in 0..count {
                    whole.join(&self.field_of_error(*error, index));
                }
                let read = What::Read("message".into());
                Carried::plain(whole.stepped(&mut self.ways, expr.span, &read))
            }
            ExprKind::Guarded { target, local, then } => {
                let carried = self.value(target);
                self.hold(local.index(), &carried);
                self.value(then)
            }
            ExprKind::Index(target, index) => {
                let carried = self.value(target);
                self.value(index);
                Carried::plain(carried.values)
            }
            ExprKind::Binary(_, left, right) => {
                let mut carried = self.value(left);
                carried.join(&self.value(right));
                match expr.ty {
                    // Yes or no tells nothing of personal data, and that something is there nothing of a secret.
                    Type::Bool if is_nothing(left) || is_nothing(right) => Carried::default(),
                    Type::Bool => Carried::plain(self.asked(carried.whole())),
                    _ => carried,
                }
            }
            ExprKind::Not(inner) => self.value(inner),
            ExprKind::Is(inner, _) => {
                self.value(inner);
                Carried::default()
            }
            ExprKind::Negate(inner) | ExprKind::ToDecimal(inner) | ExprKind::Load(inner) => self.value(inner),
            ExprKind::Follow(inner)
            | ExprKind::Refer(inner)
            | ExprKind::Get(_, inner)
            | ExprKind::Has(_, inner)
            | ExprKind::Delete(inner) => {
                self.value(inner);
                Carried::default()
            }
            ExprKind::Range(from, to) => {
                self.value(from);
                self.value(to);
                Carried::default()
            }
            ExprKind::Conditional(..) => self.conditional(expr),
            ExprKind::Call(id, arguments) => {
                let name = self.program.callables.get(id.index()).map(|of| of.name.clone()).unwrap_or_default();
                self.call(Node::Callable(id.index()), &name, arguments, expr.span)
            }
            ExprKind::Decide(id, arguments) => {
                let name = self.program.tables.get(id.index()).map(|of| of.name.clone()).unwrap_or_default();
                self.call(Node::Table(id.index()), &name, arguments, expr.span)
            }
            ExprKind::Template(id, arguments) => {
                let name = self.program.templates.get(id.index()).map(|of| of.name.clone()).unwrap_or_default();
                self.call(Node::Template(id.index()), &name, arguments, expr.span)
            }
            ExprKind::Run(id, arguments) | ExprKind::Start(id, arguments) => {
                let name = self.program.flows.get(id.index()).map(|of| of.name.clone()).unwrap_or_default();
                let carried = self.call(Node::Flow(id.index()), &name, arguments, expr.span);
                if matches!(expr.kind, ExprKind::Start(..)) { Carried::default() } else { carried }
            }
            ExprKind::Perform(operation, arguments) => self.perform(*operation, arguments, expr),
            ExprKind::Lambda(_, body) => self.value(body),
            ExprKind::Wait(wait) => {
                self.wait(wait);
                Carried::default()
            }
        }
    }

    /// All of several values.
    pub fn all(&mut self, values: &'p [Expr]) -> Carried {
        let mut carried = Carried::default();
        for value in values {
            carried.join(&self.value(value));
        }
        carried
    }

    fn field_of(&mut self, target: &'p Expr, index: usize, span: Span) -> Carried {
        self.value(target);
        let (taint, name) = match &target.ty {
            Type::Failure(error) => {
                let name = self.program.errors.get(error.0 as usize).and_then(|of| of.fields.get(index));
                (self.field_of_error(*error, index), name.map(|field| field.name.clone()))
            }
            ty => match record_of(ty) {
                Some(record) => {
                    let name = self.program.records.get(record.0 as usize).and_then(|of| of.fields.get(index));
                    (self.field((record, index)), name.map(|field| field.name.clone()))
                }
                None => return Carried::default(),
            },
        };
        if taint.is_empty() {
            return Carried::default();
        }
        let read = What::Read(name.unwrap_or_default());
        let taint = taint.stepped(&mut self.ways, span, &read);
        // What is in a map's field may be in its keys as well.
        Carried { keys: taint.clone(), values: taint }
    }

    /// A local gets what a value carries.
    pub fn hold(&mut self, local: usize, carried: &Carried) {
        if let Some(state) = self.state.get_mut(local)
            && state.join(carried)
        {
            self.changed = true;
        }
    }

    fn put_value(&mut self, key: FieldKey, value: &'p Expr) {
        let taint = self.value(value).whole();
        for (origin, way) in taint.iter() {
            self.put(key, origin, way, value.span);
        }
        for (origin, way) in self.implied_in(&value.ty).iter() {
            self.put(key, origin, way, value.span);
        }
    }

    /// Something is put into a field.
    pub fn put(&mut self, key: FieldKey, origin: Origin, way: WayId, span: Span) {
        let Some(of) = self.program.records.get(key.0.0 as usize) else { return };
        let Some(field) = of.fields.get(key.1) else { return };
        match (field.label, origin) {
            (Some(Label::Secret), _) | (Some(Label::Pii), Origin::Personal | Origin::Implied) => return,
            _ => {}
        }
        let name = ecow::eco_format!("{}.{}", of.name, field.name);
        if !origin.is_known() {
            let is_known = self.summary.stores.iter().any(|(other, into, _)| *other == origin && *into == key);
            if !is_known && !self.is_reporting {
                let way = self.ways.step(way, span, What::Put(name));
                self.summary.stores.push((origin, key, way));
                self.changed = true;
            }
            return;
        }
        if origin == Origin::Secret && of.is_entity() {
            self.leak(Leak { origin, sink: Sink::Store(name), span, way, unless: Vec::new() }, span);
            return;
        }
        if !self.is_reporting {
            let way = self.ways.step(way, span, What::Put(name));
            self.put_known(key, origin, way);
        }
    }

    /// The journal keeps a value, so no secret may be in it.
    pub fn journal(&mut self, value: &Expr, mut taint: Taint) {
        taint.join(&self.of_type(&value.ty));
        for (origin, way) in taint.iter().filter(|(origin, _)| !matches!(origin, Origin::Personal | Origin::Implied)) {
            let leak = Leak { origin, sink: Sink::Journal, span: value.span, way, unless: Vec::new() };
            self.leak(leak, value.span);
        }
    }

    /// What calling something gives, and what leaves through it.
    fn call(&mut self, node: Node, name: &EcoString, arguments: &'p [Expr], span: Span) -> Carried {
        let given: Vec<Carried> = arguments.iter().map(|argument| self.value(argument)).collect();
        let brought: Vec<Taint> = given.into_iter().map(Carried::whole).collect();
        if matches!(node, Node::Flow(_)) {
            for (argument, taint) in arguments.iter().zip(&brought) {
                self.journal(argument, taint.clone());
            }
        }
        self.leave_by_way(node, span);
        let summary = self.summary_of(node);
        for (origin, key, inner) in &summary.stores {
            for (origin, way, here) in self.brought(*origin, arguments, &brought, name) {
                let way = self.behind(way, *inner);
                self.put(*key, origin, way, here);
            }
        }
        for leak in &summary.leaks {
            self.leak_through(leak, arguments, &brought, name, span);
        }
        let given = What::Given(name.clone());
        let mut result = Carried::default();
        for (from, into) in [(&summary.result.values, &mut result.values), (&summary.result.keys, &mut result.keys)] {
            for (origin, way) in from.iter() {
                if origin.is_known() {
                    let way = self.ways.step(way, span, given.clone());
                    into.add(origin, way);
                } else {
                    for (origin, way, here) in self.brought(origin, arguments, &brought, name) {
                        let _ = here;
                        into.add(origin, way);
                    }
                }
            }
        }
        result
    }

    /// What the caller brings for something that hangs on a parameter: origins with their ways and places.
    fn brought(
        &mut self,
        origin: Origin,
        arguments: &[Expr],
        brought: &[Taint],
        name: &EcoString,
    ) -> Vec<(Origin, WayId, Span)> {
        let (Origin::Parameter(at) | Origin::Tested(at) | Origin::Asked(at)) = origin else { return Vec::new() };
        let (Some(argument), Some(taint)) = (arguments.get(at as usize), brought.get(at as usize)) else {
            return Vec::new();
        };
        let what = if matches!(origin, Origin::Parameter(_)) {
            What::Handed(name.clone())
        } else {
            What::Tested(name.clone())
        };
        let mut found = Vec::new();
        for (own, way) in taint.iter() {
            let left = match origin {
                Origin::Tested(_) => Some(own.tested()),
                Origin::Asked(_) => own.asked(),
                _ => Some(own),
            };
            if let Some(left) = left {
                let way = self.ways.step(way, argument.span, what.clone());
                found.push((left, way, argument.span));
            }
        }
        found
    }

    /// A way that goes on with the steps of another.
    fn behind(&mut self, way: WayId, inner: WayId) -> WayId {
        let steps: Vec<(Span, What)> =
            self.ways.way(inner).into_iter().map(|step| (step.span, step.what.clone())).collect();
        steps.into_iter().fold(way, |way, (span, what)| self.ways.step(way, span, what))
    }

    fn leak_through(&mut self, leak: &Leak, arguments: &[Expr], brought: &[Taint], name: &EcoString, span: Span) {
        let recipients = || leak.unless.iter().filter_map(|at| brought.get(*at as usize));
        if recipients().any(|taint| taint.way_of(Origin::Personal).is_some()) {
            return;
        }
        let mut unless: Vec<u32> = recipients()
            .flat_map(Taint::iter)
            .filter_map(|(origin, _)| match origin {
                Origin::Parameter(at) => Some(at),
                _ => None,
            })
            .collect();
        unless.sort_unstable();
        unless.dedup();
        let mut sink = leak.sink.clone();
        if let Sink::Mail(to) = &sink
            && to.is_empty()
            && let [only] = leak.unless.as_slice()
            && let Some(text) = arguments.get(*only as usize).and_then(|argument| self.known_text(argument))
        {
            sink = Sink::Mail(text);
        }
        let sources = if leak.origin.is_known() {
            let way = self.ways.step(leak.way, span, What::Given(name.clone()));
            vec![(leak.origin, way, span)]
        } else {
            let found = self.brought(leak.origin, arguments, brought, name);
            found.into_iter().map(|(origin, way, here)| (origin, self.behind(way, leak.way), here)).collect()
        };
        for (origin, way, here) in sources {
            let leak = Leak { origin, sink: sink.clone(), span: leak.span, way, unless: unless.clone() };
            self.leak(leak, here);
        }
    }

    fn wait(&mut self, wait: &'p Wait) {
        match wait {
            Wait::Sleep(value) | Wait::SleepUntil(value) => {
                self.value(value);
            }
            Wait::For { condition, within, .. } => {
                self.value(condition);
                if let Some(within) = within {
                    self.value(within);
                }
            }
            Wait::Ask { role, question, within, otherwise } => {
                self.value(role);
                let asked = self.value(question).whole();
                let sink = Sink::Question(self.known_text(role).unwrap_or_default());
                self.leave(&asked, &sink, question.span);
                for other in [within, otherwise].into_iter().flatten() {
                    self.value(other);
                }
            }
        }
    }

    /// Everything that a value carries leaves at a place, and what it tells that the place is come to.
    pub fn leave(&mut self, taint: &Taint, sink: &Sink, span: Span) {
        let mut taint = taint.clone();
        taint.join(&self.context);
        taint.join(&self.passed);
        self.leave_itself(&taint, sink, span);
    }

    /// Everything that a value carries leaves at a place.
    pub fn leave_itself(&mut self, taint: &Taint, sink: &Sink, span: Span) {
        for (origin, way) in taint.iter() {
            self.leak(Leak { origin, sink: sink.clone(), span, way, unless: Vec::new() }, span);
        }
    }

    /// The text that an expression is, as far as it is known before the run; what is not known is `{…}`.
    pub fn known_text(&self, expr: &Expr) -> Option<EcoString> {
        match &expr.kind {
            ExprKind::Value(Value::Text(text)) => Some(text.clone()),
            ExprKind::Constant(id) => self.known_text(&self.program.constants.get(id.index())?.value),
            ExprKind::Local(local) => self.texts.get(local.index()).cloned().flatten().flatten(),
            ExprKind::Text(parts) => {
                let mut text = EcoString::new();
                for part in parts {
                    match part {
                        TextPart::Characters(characters) => text.push_str(characters),
                        TextPart::Value(value) => match &value.kind {
                            ExprKind::Constant(_) => text.push_str(&self.known_text(value).unwrap_or("{…}".into())),
                            _ => text.push_str("{…}"),
                        },
                    }
                }
                Some(text)
            }
            _ => None,
        }
    }
}

/// Whether something is compared with an empty text or none: that asks only whether something is there.
pub(super) fn is_nothing(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Value(Value::Text(text)) => text.is_empty(),
        ExprKind::Value(Value::None) => true,
        _ => false,
    }
}

/// The record whose fields a value of a type has.
fn record_of(ty: &Type) -> Option<RecordId> {
    match ty.present() {
        Type::Record(id) | Type::Reference(id) => Some(*id),
        _ => None,
    }
}
