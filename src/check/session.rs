//! What is typed into the REPL, entry by entry, against everything typed before.

use super::body::{Body, BodyKind, LocalKind};
use super::scope::{Module, Names};
use super::{Checker, Loader};
use crate::check::program::{
    Callable, CallableId, Effect, Expr, ExprKind, Parameter, Program, Statement, StatementKind, Type,
};
use crate::finding::{Finding, catalogue};
use crate::library::Operation;
use crate::syntax::tree::{self, Label, Script};
use crate::syntax::{self, ReplEntry};
use crate::text::{Source, Sources, Span};
use ecow::EcoString;
use std::sync::Arc;

/// Everything that a REPL session has declared.
#[derive(Debug, Default)]
pub struct Session {
    program: Program,
    names: Names,
    variables: Vec<Variable>,
    entries: usize,
}

/// A `let` or `var` of the session.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: EcoString,
    /// Its type.
    pub ty: Type,
    /// Whether it was declared with `var`.
    pub mutable: bool,
    /// Who may see it.
    label: Option<Label>,
    span: Span,
}

/// A checked entry.
#[derive(Debug)]
pub struct Entry {
    /// What is to be done, in this order; empty when a finding is an error.
    pub parts: Vec<EntryPart>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// All texts that the findings point into.
    pub sources: Sources,
}

/// A statement or expression of an entry, made a task of the program.
#[derive(Debug, Clone)]
pub struct EntryPart {
    /// The task. Its parameters are the variables of the session at that point, in their order.
    pub callable: CallableId,
    /// The variable that takes its result, when it is a `let`, `var` or assignment. One of a name that the
    /// session has takes the place of the old.
    pub variable: Option<EcoString>,
    /// The type of its result; `Nothing` when it has none.
    pub ty: Type,
    /// Whether its result is a secret, which no tool shows.
    pub is_secret: bool,
}

impl Session {
    /// A session that knows what every script knows.
    pub fn new(loader: &dyn Loader) -> Session {
        let mut checker = Checker::new(loader, Program::default(), Names::default());
        checker.load_prelude();
        checker.check_pending();
        Session { program: checker.program, names: checker.names, variables: Vec::new(), entries: 0 }
    }

    /// The program with everything declared so far.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The variables, in the order in which tasks of entries take them.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// Makes all declarations of a script known, as if it had been typed in.
    pub fn load(&mut self, source: Source, loader: &dyn Loader) -> Entry {
        self.entry(source, loader)
    }

    /// Checks what was typed. When it has an error, the session stays as it was.
    pub fn check_entry(&mut self, text: &str, loader: &dyn Loader) -> Entry {
        self.entries += 1;
        self.entry(Source::new(format!("<input {}>", self.entries), text), loader)
    }

    fn entry(&mut self, source: Source, loader: &dyn Loader) -> Entry {
        let mut checker = Checker::new(loader, self.program.clone(), self.names.clone());
        checker.pending.first = super::declare::First::all(&checker.program);
        let mut variables = self.variables.clone();
        let text = source.text.clone();
        let id = checker.program.sources.add(source);
        let (entries, findings) = syntax::parse_repl(id, &text);
        checker.findings.extend(findings);
        let mut items = Vec::new();
        let mut statements = Vec::new();
        for entry in entries {
            match entry {
                ReplEntry::Item(item) => items.push(item),
                ReplEntry::Statement(statement) => statements.push(statement),
            }
        }
        let before = checker.names.modules.last();
        let mut module = Module {
            name: "input".into(),
            source: id,
            script: Arc::new(Script { source: id, items, comments: Vec::new() }),
            ..Module::default()
        };
        if let Some(before) = before.filter(|_| checker.names.modules.len() > 1) {
            module.modules = before.modules.iter().map(|(name, (id, _))| (name.clone(), (*id, usize::MAX))).collect();
            module.imported =
                before.imported.iter().map(|(name, (global, _))| (name.clone(), (*global, usize::MAX))).collect();
            module.imported.extend(before.own.iter().map(|(name, (global, _))| (name.clone(), (*global, usize::MAX))));
        }
        // The uses of an entry are loaded before it becomes the last module, which the next entry goes on from.
        checker.names.modules.push(module);
        let at = checker.names.modules.len() - 1;
        checker.load_uses(at, &mut Vec::new());
        checker.declare_names(at);
        checker.check_pending();
        let mut parts = Vec::new();
        checker.module = at;
        for statement in &statements {
            parts.extend(checker.entry_part(statement, &mut variables));
        }
        let first = checker.pending.first;
        checker.infer_effects(first);
        // The next entry sees what this one sees.
        if checker.names.modules.len() - 1 != at {
            let last = checker.names.modules.len();
            let again = checker.names.modules[at].clone();
            checker.names.modules.push(again);
            debug_assert_eq!(checker.names.modules.len(), last + 1);
        }
        if checker.program.reactions.len() > self.program.reactions.len() {
            checker.prove_reactions();
        }
        let findings = checker.sorted_findings();
        let sources = checker.program.sources.clone();
        if findings.iter().any(Finding::is_error) {
            return Entry { parts: Vec::new(), findings, sources };
        }
        self.program = checker.program;
        self.names = checker.names;
        self.variables = variables;
        Entry { parts, findings, sources }
    }

    /// The type of an expression in words, and what it does to the world, without keeping anything; for `:type`.
    ///
    /// # Errors
    /// The entry with its findings, when it has no type.
    pub fn type_of(&self, text: &str, loader: &dyn Loader) -> Result<(String, Effect), Entry> {
        let (ty, effect) = self.typed(text, loader)?;
        let checker = Checker::new(loader, self.program.clone(), Names::default());
        Ok((checker.bare(&ty), effect))
    }

    /// The type of an expression, and what it does to the world, without keeping anything.
    ///
    /// # Errors
    /// As [`Session::type_of`].
    pub fn typed(&self, text: &str, loader: &dyn Loader) -> Result<(Type, Effect), Entry> {
        let mut scratch = Session {
            program: self.program.clone(),
            names: self.names.clone(),
            variables: self.variables.clone(),
            entries: self.entries,
        };
        let entry = scratch.check_entry(text, loader);
        match entry.parts.last() {
            Some(part) => {
                let effect = scratch.program.callables.get(part.callable.index()).map_or(Effect::Pure, |of| of.effect);
                Ok((part.ty.clone(), effect))
            }
            None => Err(entry),
        }
    }
}

impl Checker<'_> {
    /// A statement of an entry as a task over the variables of the session.
    fn entry_part(&mut self, statement: &tree::Statement, variables: &mut Vec<Variable>) -> Option<EntryPart> {
        self.body = Body::new(BodyKind::Entry, "an entry");
        for variable in variables.iter() {
            let kind = if variable.mutable { LocalKind::Var } else { LocalKind::Let };
            let id = self.body.add(&variable.name, variable.ty.clone(), variable.span, kind);
            self.body.bind(&variable.name, id);
            if let Some(info) = self.body.info.get_mut(id.index()) {
                info.label = variable.label;
            }
        }
        let parameters: Vec<Parameter> = variables
            .iter()
            .map(|of| Parameter { name: of.name.clone(), ty: of.ty.clone(), default: None, span: of.span })
            .collect();
        let mut declared = None;
        if let tree::StatementKind::Let { name, mutable, .. } = &statement.kind {
            // A new one of the same name takes the place of the old.
            self.body.forget_name(&name.text);
            declared = Some((name.clone(), *mutable));
        }
        let checked = self.statements(std::slice::from_ref(statement));
        let mut statements = checked.statements;
        let span = statement.span;
        let kind = statements.pop().map(|statement| statement.kind)?;
        let returned = |value: Expr| {
            let ty = value.ty.clone();
            (vec![Statement { kind: StatementKind::Return(Some(value)), span }], ty)
        };
        let mut is_secret = false;
        let (body, ty, variable) = match kind {
            StatementKind::Set { local, value } => {
                is_secret = self.is_secret(&value);
                let label = self.body.info.get(local.index()).and_then(|info| info.label);
                let label = if is_secret { Some(Label::Secret) } else { label };
                let name = self.body.local(local).map(|local| local.name.clone()).unwrap_or_default();
                let ty = self.body.local_type(local);
                if let Some((name, mutable)) = declared {
                    let new = Variable { name: name.text.clone(), ty: ty.clone(), mutable, label, span: name.span };
                    match variables.iter_mut().find(|variable| variable.name == name.text) {
                        Some(old) => *old = new,
                        None => variables.push(new),
                    }
                }
                (returned(value).0, ty, Some(name))
            }
            StatementKind::Expression(value) if value.ty != Type::Nothing => {
                let value = self.settle(value);
                is_secret = self.is_secret(&value);
                let (body, ty) = returned(value);
                (body, ty, None)
            }
            kind => {
                self.no_assignments_inside(&kind, variables.len());
                (vec![Statement { kind, span }], Type::Nothing, None)
            }
        };
        let locals = std::mem::take(&mut self.body).locals;
        let callable = CallableId(self.program.callables.len() as u32);
        self.program.callables.push(Callable {
            name: ecow::eco_format!("<input>"),
            is_task: true,
            parameters,
            result: ty.clone(),
            effect: Effect::Pure,
            fails: Vec::new(),
            locals,
            body,
            documentation: EcoString::new(),
            span,
        });
        Some(EntryPart { callable, variable, ty, is_secret })
    }

    /// Whether a value is secret, or made of something that is; what `mask` and `last4` give is not.
    fn is_secret(&self, value: &Expr) -> bool {
        match &value.kind {
            ExprKind::Perform(Operation::TextMask | Operation::TextLastFour, _) => false,
            ExprKind::Perform(Operation::Secret, _) => true,
            // An answer is covered where it holds what was given.
            ExprKind::Perform(operation, _) if operation.primitive().effect == Effect::Calls => false,
            ExprKind::Perform(_, arguments) | ExprKind::List(arguments) if value.ty != Type::Bool => {
                arguments.iter().any(|argument| self.is_secret(argument))
            }
            ExprKind::Map(entries) => entries.iter().any(|(_, entry)| self.is_secret(entry)),
            ExprKind::Lambda(_, body) => self.is_secret(body),
            _ => self.label_of(value) == Some(Label::Secret),
        }
    }

    /// A block of an entry works on copies of the variables, so setting one in it would be lost.
    fn no_assignments_inside(&mut self, kind: &StatementKind, variables: usize) {
        let outer = Statement { kind: kind.clone(), span: Span::default() };
        let mut bodies: Vec<Vec<Statement>> = Vec::new();
        outer.each_part(&mut |_| {}, &mut |body| bodies.push(body.clone()));
        while let Some(body) = bodies.pop() {
            for statement in &body {
                if let StatementKind::Set { local, .. } = &statement.kind
                    && local.index() < variables
                {
                    let finding = Finding::new(
                        &catalogue::flow::PLACE,
                        statement.span,
                        "a variable of the session can't be set inside of a block",
                    )
                    .at("would be lost")
                    .help("compute the value with a method of lists, such as `sum` or `fold`, or in a function");
                    self.report(finding);
                }
                statement.each_part(&mut |_| {}, &mut |body| bodies.push(body.clone()));
            }
        }
    }
}
