//! What a callable or a step does that others see: mail, records, files; and what it may fail with. Found once
//! for the whole program, with the first place of each kind, so that findings can point at it.

use crate::check::program::{Effect, Expr, ExprKind, Program, Statement, StatementKind, Step, StepBody};
use crate::library::Operation;
use crate::text::Span;
use crate::value::ErrorId;
use std::collections::HashMap;

/// A kind of deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Puts mail into the outbox; leaves when the step is on disk, and can't be called back.
    Mail,
    /// Changes records; undone with the step's savepoint when the step fails.
    Store,
    /// Writes a file at once; done twice it is the same.
    File,
    /// Acts outside at once; done twice it is not the same: moves a file.
    Once,
    /// Changes something in another system at once; done again in the same step of the same run it carries the same key.
    Call,
}

/// All kinds, in the order of [`Deeds`].
pub(crate) const KINDS: [Deed; 5] = [Deed::Mail, Deed::Store, Deed::File, Deed::Once, Deed::Call];

/// Where a deed is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The expression in the body that is looked at: the deed itself, or a call that leads to it.
    pub span: Span,
    /// The deed in a task of the same project that the call leads to.
    pub inner: Option<Span>,
}

/// The first place of each kind of deed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Deeds([Option<Place>; 5]);

impl Deeds {
    /// Where a deed of this kind is done first.
    pub fn of(&self, deed: Deed) -> Option<Place> {
        self.0[deed as usize]
    }

    /// The first deed of any kind but logging, in the order of kinds.
    pub fn any(&self) -> Option<Place> {
        self.0.iter().flatten().next().copied()
    }

    fn add(&mut self, deed: Deed, place: Place) -> bool {
        let slot = &mut self.0[deed as usize];
        let is_new = slot.is_none();
        slot.get_or_insert(place);
        is_new
    }
}

/// The deeds of a program.
pub(crate) struct Deedbook<'p> {
    pub program: &'p Program,
    callables: Vec<Deeds>,
    by_name: HashMap<&'p str, ErrorId>,
    not_found: Option<ErrorId>,
}

impl<'p> Deedbook<'p> {
    /// Looks at every callable, in time linear in the calls of the program.
    pub fn of(program: &'p Program) -> Self {
        let mut by_name = HashMap::new();
        for (at, error) in program.errors.iter().enumerate() {
            // The errors that every script knows come first.
            by_name.entry(error.name.as_str()).or_insert(ErrorId(u32::try_from(at).unwrap_or(u32::MAX)));
        }
        let count = program.callables.len();
        let not_found = by_name.get("not_found").copied();
        let mut book = Deedbook { program, callables: vec![Deeds::default(); count], by_name, not_found };
        let mut callers: Vec<Vec<(usize, Span)>> = vec![Vec::new(); count];
        let mut waiting = Vec::new();
        for (at, callable) in program.callables.iter().enumerate() {
            let mut deeds = Deeds::default();
            each_expression(&callable.body, &mut |outer| {
                outer.walk(&mut |expr| match &expr.kind {
                    ExprKind::Call(id, _) => {
                        if let Some(of) = callers.get_mut(id.index()) {
                            of.push((at, expr.span));
                        }
                    }
                    kind => {
                        if let Some(deed) = deed_of(kind) {
                            deeds.add(deed, Place { span: expr.span, inner: None });
                        }
                    }
                });
            });
            if deeds != Deeds::default() {
                waiting.push(at);
            }
            book.callables[at] = deeds;
        }
        while let Some(at) = waiting.pop() {
            let of = book.callables[at];
            for (caller, span) in &callers[at] {
                let mut changed = false;
                for kind in KINDS {
                    if let Some(place) = of.of(kind) {
                        let place = book.through(*span, place);
                        changed |= book.callables[*caller].add(kind, place);
                    }
                }
                if changed {
                    waiting.push(*caller);
                }
            }
        }
        book
    }

    /// The place of a deed seen from a call.
    fn through(&self, call: Span, place: Place) -> Place {
        let own = |span: Span| self.program.sources.get(span.source).is_some_and(|source| !source.is_library);
        Place { span: call, inner: place.inner.or(Some(place.span)).filter(|span| own(*span)) }
    }

    /// What an expression does, with all that it calls, parts included.
    pub fn add_expression(&self, expr: &Expr, deeds: &mut Deeds) {
        expr.walk(&mut |inner| self.add_own(inner, deeds));
    }

    /// What an expression does by itself and through what it calls, without its parts.
    pub fn add_own(&self, expr: &Expr, deeds: &mut Deeds) {
        match &expr.kind {
            ExprKind::Call(id, _) => {
                let of = self.callables.get(id.index()).copied().unwrap_or_default();
                for kind in KINDS {
                    if let Some(place) = of.of(kind) {
                        deeds.add(kind, self.through(expr.span, place));
                    }
                }
            }
            kind => {
                if let Some(deed) = deed_of(kind) {
                    deeds.add(deed, Place { span: expr.span, inner: None });
                }
            }
        }
    }

    /// What statements do, with all that they call.
    pub fn of_statements(&self, statements: &[Statement]) -> Deeds {
        let mut deeds = Deeds::default();
        each_expression(statements, &mut |expr| self.add_expression(expr, &mut deeds));
        deeds
    }

    /// What the body of a step does, without what undoes it and without the flows that it runs.
    pub fn of_step(&self, step: &Step) -> Deeds {
        match &step.body {
            StepBody::Value(value) => {
                let mut deeds = Deeds::default();
                self.add_expression(value, &mut deeds);
                deeds
            }
            StepBody::Block(statements) => self.of_statements(statements),
        }
    }

    /// The errors that the body of a step may end with, each with its first place; handled ones are left out.
    pub fn failures(&self, step: &Step) -> Vec<(ErrorId, Span)> {
        let mut found = Vec::new();
        match &step.body {
            StepBody::Value(value) => self.failures_in(value, &mut found),
            StepBody::Block(statements) => self.failures_of(statements, &mut found),
        }
        found.retain(|(error, _)| !step.handlers.iter().any(|handler| handler.error == *error));
        found
    }

    fn failures_of(&self, statements: &[Statement], found: &mut Vec<(ErrorId, Span)>) {
        each_statement(statements, &mut |statement| {
            if let StatementKind::Fail { error, .. } = &statement.kind {
                add(found, *error, statement.span);
            }
        });
        each_expression(statements, &mut |expr| self.failures_in(expr, found));
    }

    fn failures_in(&self, expr: &Expr, found: &mut Vec<(ErrorId, Span)>) {
        expr.walk(&mut |inner| match &inner.kind {
            ExprKind::Call(id, _) => {
                for error in self.program.callables.get(id.index()).into_iter().flat_map(|of| &of.fails) {
                    add(found, *error, inner.span);
                }
            }
            ExprKind::Run(id, _) => {
                for error in self.program.flows.get(id.index()).into_iter().flat_map(|of| &of.fails) {
                    add(found, *error, inner.span);
                }
            }
            ExprKind::Perform(operation, _) => {
                for name in operation.primitive().fails {
                    if let Some(error) = self.by_name.get(name) {
                        add(found, *error, inner.span);
                    }
                }
            }
            ExprKind::Get(..) | ExprKind::Update(..) => {
                if let Some(error) = self.not_found {
                    add(found, error, inner.span);
                }
            }
            _ => {}
        });
    }

    /// Whether trying again may help against an error.
    pub fn is_transient(&self, error: ErrorId) -> bool {
        self.program.errors.get(error.0 as usize).is_some_and(|error| error.transient)
    }

    /// Whether an error is declared in the project or in a part of the library, and not one that every script knows.
    pub fn is_business(&self, error: ErrorId) -> bool {
        let source = self.program.errors.get(error.0 as usize).map(|error| error.span.source);
        let prelude =
            self.not_found.and_then(|id| self.program.errors.get(id.0 as usize)).map(|error| error.span.source);
        source.is_some() && source != prelude
    }

    /// What an error is called.
    pub fn error_name(&self, error: ErrorId) -> &'p str {
        self.program.errors.get(error.0 as usize).map_or("?", |error| error.name.as_str())
    }
}

fn add(found: &mut Vec<(ErrorId, Span)>, error: ErrorId, span: Span) {
    if !found.iter().any(|(known, _)| *known == error) {
        found.push((error, span));
    }
}

/// What an expression by itself does that others see.
fn deed_of(kind: &ExprKind) -> Option<Deed> {
    match kind {
        ExprKind::Create(..) | ExprKind::Update(..) | ExprKind::Delete(_) => Some(Deed::Store),
        ExprKind::Perform(operation, _) => match operation {
            Operation::LogInfo | Operation::LogWarn => None,
            Operation::SequenceNext => Some(Deed::Store),
            Operation::FileMove => Some(Deed::Once),
            // Only asks.
            Operation::HttpGet => None,
            other => match other.primitive().effect {
                Effect::Pure | Effect::Reads => None,
                Effect::Writes => Some(Deed::File),
                Effect::Sends => Some(Deed::Mail),
                Effect::Calls => Some(Deed::Call),
            },
        },
        _ => None,
    }
}

/// Visits the outermost expressions of statements and of the blocks within them; those of steps are elsewhere.
pub(crate) fn each_expression<'s>(statements: &'s [Statement], f: &mut dyn FnMut(&'s Expr)) {
    each_statement(statements, &mut |statement| statement.each_part(f, &mut |_| {}));
}

/// Visits statements and those of the blocks within them, the outer before the inner ones.
pub(crate) fn each_statement<'s>(statements: &'s [Statement], f: &mut dyn FnMut(&'s Statement)) {
    for statement in statements {
        f(statement);
        let mut bodies: Vec<&'s Vec<Statement>> = Vec::new();
        statement.each_part(&mut |_| {}, &mut |body| bodies.push(body));
        for body in bodies {
            each_statement(body, f);
        }
    }
}
