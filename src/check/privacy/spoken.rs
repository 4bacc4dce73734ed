//! What a body tells by being called at all: where the way that leads to the call is taken because of personal data or a
//! secret, whoever reads what the body logs, writes, asks or stores knows something of them, whatever it was given.

use super::sink::{Leak, Sink};
use super::solve::{Analysis, FieldKey, Node, carries};
use super::taint::{Origin, Taint};
use crate::check::host::Address;
use crate::check::program::{BodyParts, Expr, ExprKind, Type, Wait};
use crate::library::Operation;
use crate::text::Span;
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

/// What a body does that others can see, through all that it calls too.
#[derive(Debug, Default)]
pub(super) struct Spoken {
    /// Where something leaves: the first place of each kind.
    sinks: Vec<(Sink, Span)>,
    /// The fields that it sets, and whether to nothing but yes or no.
    fields: BTreeMap<FieldKey, bool>,
}

impl<'p> Analysis<'p> {
    /// A body is called: on a way that hangs on something, all that it does tells of that.
    pub fn leave_by_way(&mut self, node: Node, span: Span) {
        if self.context.is_empty() && self.passed.is_empty() {
            return;
        }
        let mut context = self.context.clone();
        context.join(&self.passed);
        let spoken = match self.spoken.get(&node) {
            Some(spoken) => Rc::clone(spoken),
            None => {
                let mut found = Spoken::default();
                self.spoken_in(node, &mut HashSet::new(), &mut found);
                let spoken = Rc::new(found);
                self.spoken.insert(node, Rc::clone(&spoken));
                spoken
            }
        };
        for (sink, place) in &spoken.sinks {
            for (origin, way) in context.iter() {
                // A mail may go to the person themself.
                let is_harmless = matches!(sink, Sink::Mail(_)) && !matches!(origin, Origin::Secret | Origin::Asked(_));
                if !is_harmless {
                    self.leak(Leak { origin, sink: sink.clone(), span: *place, way, unless: Vec::new() }, span);
                }
            }
        }
        for (field, is_asked) in &spoken.fields {
            let told: Taint = if *is_asked { self.asked(context.clone()) } else { context.clone() };
            for (origin, way) in told.iter() {
                self.put(*field, origin, way, span);
            }
        }
    }

    fn spoken_in(&self, node: Node, seen: &mut HashSet<Node>, found: &mut Spoken) {
        let program = self.program;
        let parts: Option<BodyParts<'_>> = match node {
            Node::Callable(at) => program.callables.get(at).map(|of| of.parts()),
            Node::Flow(at) => program.flows.get(at).map(|of| of.parts()),
            Node::Table(at) => program.tables.get(at).map(|of| of.parts()),
            _ => None,
        };
        let Some(parts) = parts else { return };
        if !seen.insert(node) {
            return;
        }
        let mut called = Vec::new();
        parts.each_expression(&mut |outer| {
            outer.walk(&mut |expr| {
                if let Some(sink) = self.sink_of(expr)
                    && found.sinks.iter().all(|(known, _)| *known != sink)
                {
                    found.sinks.push((sink, expr.span));
                }
                match &expr.kind {
                    ExprKind::Call(id, _) => called.push(Node::Callable(id.index())),
                    ExprKind::Decide(id, _) => called.push(Node::Table(id.index())),
                    ExprKind::Run(id, _) | ExprKind::Start(id, _) => called.push(Node::Flow(id.index())),
                    _ => each_field_set(expr, &mut |field, value| {
                        if carries(&value.ty) {
                            let is_asked = value.ty == Type::Bool;
                            found.fields.entry(field).and_modify(|only| *only &= is_asked).or_insert(is_asked);
                        }
                    }),
                }
            });
        });
        for node in called {
            self.spoken_in(node, seen, found);
        }
    }

    /// Where something leaves by an expression itself.
    fn sink_of(&self, expr: &Expr) -> Option<Sink> {
        use Operation as O;
        match &expr.kind {
            ExprKind::Perform(operation, arguments) => {
                let first = || arguments.first().and_then(|first| self.written_text(first));
                Some(match operation {
                    O::LogInfo | O::LogWarn => Sink::Log,
                    O::FileWrite | O::CsvWrite | O::ExcelWrite | O::JsonWrite => {
                        Sink::File(first().unwrap_or_default())
                    }
                    O::EmailSend => Sink::Mail("".into()),
                    O::HttpGet | O::HttpPost | O::HttpPut | O::HttpPatch | O::HttpDelete => {
                        Sink::Url(first().and_then(|url| Address::of(&url)))
                    }
                    _ => return None,
                })
            }
            ExprKind::Wait(wait) => match &**wait {
                Wait::Ask { role, .. } => Some(Sink::Question(self.written_text(role).unwrap_or_default())),
                _ => None,
            },
            _ => None,
        }
    }

    /// The text of an expression in a body that is not the one that is looked at, as far as it is written there.
    fn written_text(&self, expr: &Expr) -> Option<ecow::EcoString> {
        if matches!(expr.kind, ExprKind::Local(_)) { None } else { self.known_text(expr) }
    }
}

/// The fields that an expression itself sets, each with its value.
fn each_field_set<'e>(expr: &'e Expr, f: &mut dyn FnMut(FieldKey, &'e Expr)) {
    match &expr.kind {
        ExprKind::Record(id, fields) => fields.iter().enumerate().for_each(|(at, value)| f((*id, at), value)),
        ExprKind::Create(id, fields) => {
            let given = fields.iter().enumerate().filter_map(|(at, value)| Some((at, value.as_ref()?)));
            given.for_each(|(at, value)| f((*id, at), value));
        }
        ExprKind::With(target, changes) | ExprKind::Update(target, changes) => {
            if let Type::Record(id) | Type::Reference(id) = target.ty.present() {
                changes.iter().for_each(|(at, value)| f((*id, *at), value));
            }
        }
        _ => {}
    }
}
