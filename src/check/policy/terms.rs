//! Expressions seen through the names that stand for them: a local with one definition is what it was set to, a
//! parameter is the argument of the call, a function of one expression is that expression.

use crate::check::effects::deeds::each_statement;
use crate::check::program::{
    Effect, Expr, ExprKind, LocalId, Program, Statement, StatementKind, Step, StepBody, TextPart,
};
use crate::value::Value;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// How many names and functions are looked through at most.
const DEEPEST: usize = 40;

/// What the locals of a body stand for.
#[derive(Debug, Default)]
pub(super) struct Definitions<'p> {
    once: HashMap<LocalId, &'p Expr>,
}

impl<'p> Definitions<'p> {
    /// The locals that are set in one place only, and what they are set to.
    pub fn of(body: &'p [Statement], steps: &'p [Step]) -> Self {
        let mut all: HashMap<LocalId, Option<&'p Expr>> = HashMap::new();
        let mut set = |local: LocalId, value: Option<&'p Expr>| {
            all.entry(local).and_modify(|known| *known = None).or_insert(value);
        };
        let mut look = |statements: &'p [Statement]| {
            each_statement(statements, &mut |statement| match &statement.kind {
                StatementKind::Set { local, value } => set(*local, Some(value)),
                StatementKind::For(each) => {
                    set(each.local, None);
                    each.second.into_iter().for_each(|local| set(local, None));
                }
                _ => {}
            });
        };
        look(body);
        for step in steps {
            if let StepBody::Block(statements) = &step.body {
                look(statements);
            }
            for handler in &step.handlers {
                if let crate::check::program::HandlerAction::Block { body, .. } = &handler.action {
                    look(body);
                }
            }
        }
        for step in steps {
            if let (Some(local), StepBody::Value(value)) = (step.local, &step.body) {
                set(local, Some(value));
            }
        }
        Definitions { once: all.into_iter().filter_map(|(local, value)| Some((local, value?))).collect() }
    }
}

/// What names mean in a body: its definitions, and the arguments that its parameters were given.
#[derive(Debug)]
pub(super) struct Scope<'p> {
    pub definitions: Option<Rc<Definitions<'p>>>,
    pub arguments: Vec<Term<'p>>,
    /// How many calls lead here from the body that is looked at.
    depth: usize,
}

impl<'p> Scope<'p> {
    /// A body by itself: its parameters may be anything.
    pub fn of_body(definitions: Rc<Definitions<'p>>) -> Rc<Scope<'p>> {
        Rc::new(Scope { definitions: Some(definitions), arguments: Vec::new(), depth: 0 })
    }

    /// How many calls lead here from the body that is looked at.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// A body or clause whose first locals are the arguments of a call.
    pub fn of_call(
        definitions: Option<Rc<Definitions<'p>>>,
        arguments: &'p [Expr],
        from: &Rc<Scope<'p>>,
    ) -> Rc<Scope<'p>> {
        let arguments = arguments.iter().map(|expr| Term { expr, scope: Rc::clone(from) }).collect();
        Rc::new(Scope { definitions, arguments, depth: from.depth + 1 })
    }
}

/// An expression with what its names mean.
#[derive(Debug, Clone)]
pub(super) struct Term<'p> {
    pub expr: &'p Expr,
    pub scope: Rc<Scope<'p>>,
}

impl<'p> Term<'p> {
    /// A part of this expression.
    pub fn part(&self, expr: &'p Expr) -> Term<'p> {
        Term { expr, scope: Rc::clone(&self.scope) }
    }

    /// What it stands for, looked through names, references and functions of one expression.
    pub fn resolved(&self, program: &'p Program) -> Term<'p> {
        let mut term = self.clone();
        for _ in 0..DEEPEST {
            let next = match &term.expr.kind {
                ExprKind::Local(local) => term.lookup(*local),
                ExprKind::Refer(inner) | ExprKind::Load(inner) | ExprKind::ToDecimal(inner) => Some(term.part(inner)),
                ExprKind::Constant(id) => program.constants.get(id.index()).map(|of| term.part(&of.value)),
                ExprKind::Call(id, arguments) => program.callables.get(id.index()).and_then(|of| {
                    // What acts is no abbreviation.
                    let only = match of.body.as_slice() {
                        [Statement { kind: StatementKind::Return(Some(value)), .. }] if of.effect == Effect::Pure => {
                            value
                        }
                        _ => return None,
                    };
                    Some(Term { expr: only, scope: Scope::of_call(None, arguments, &term.scope) })
                }),
                _ => None,
            };
            match next {
                Some(next) => term = next,
                None => break,
            }
        }
        term
    }

    fn lookup(&self, local: LocalId) -> Option<Term<'p>> {
        if let Some(argument) = self.scope.arguments.get(local.index()) {
            return Some(argument.clone());
        }
        let value = self.scope.definitions.as_ref()?.once.get(&local)?;
        Some(self.part(value))
    }

    /// The literal that it stands for.
    pub fn value(&self, program: &'p Program) -> Option<&'p Value> {
        match &self.resolved(program).expr.kind {
            ExprKind::Value(value) => Some(value),
            _ => None,
        }
    }

    /// Whether two expressions are the same value whenever both are evaluated.
    pub fn same(&self, other: &Term<'p>, program: &'p Program) -> bool {
        self.same_within(other, program, 0)
    }

    fn same_within(&self, other: &Term<'p>, program: &'p Program, depth: usize) -> bool {
        if depth > DEEPEST {
            return false;
        }
        let (a, b) = (self.resolved(program), other.resolved(program));
        // What was evaluated once and given a name is itself, whatever it does.
        if std::ptr::eq(a.expr, b.expr) && Rc::ptr_eq(&a.scope, &b.scope) {
            return true;
        }
        let parts = |a: &Term<'p>, b: &Term<'p>| {
            let (mut left, mut right) = (Vec::new(), Vec::new());
            a.expr.each_child(&mut |child| left.push(a.part(child)));
            b.expr.each_child(&mut |child| right.push(b.part(child)));
            left.len() == right.len() && left.iter().zip(&right).all(|(a, b)| a.same_within(b, program, depth + 1))
        };
        match (&a.expr.kind, &b.expr.kind) {
            (ExprKind::Value(a), ExprKind::Value(b)) => a == b,
            (ExprKind::Local(x), ExprKind::Local(y)) => x == y && Rc::ptr_eq(&a.scope, &b.scope),
            (ExprKind::Field(_, x), ExprKind::Field(_, y)) => x == y && parts(&a, &b),
            // A field of a reference is read anew, and is taken for the same within a run.
            (ExprKind::Follow(_), ExprKind::Follow(_)) => parts(&a, &b),
            (ExprKind::Follow(inner), _) => a.part(inner).same_within(&b, program, depth + 1),
            (_, ExprKind::Follow(inner)) => a.same_within(&b.part(inner), program, depth + 1),
            (ExprKind::Binary(x, ..), ExprKind::Binary(y, ..)) => x == y && parts(&a, &b),
            (ExprKind::Is(_, x), ExprKind::Is(_, y)) => x == y && parts(&a, &b),
            (ExprKind::Not(_), ExprKind::Not(_))
            | (ExprKind::Negate(_), ExprKind::Negate(_))
            | (ExprKind::Index(..), ExprKind::Index(..))
            | (ExprKind::List(_), ExprKind::List(_))
            | (ExprKind::Conditional(..), ExprKind::Conditional(..)) => parts(&a, &b),
            (ExprKind::Text(x), ExprKind::Text(y)) => {
                let characters = |parts: &[TextPart]| -> Vec<String> {
                    let text = |part: &TextPart| match part {
                        TextPart::Characters(text) => text.to_string(),
                        TextPart::Value(_) => "\u{0}".to_string(),
                    };
                    parts.iter().map(text).collect()
                };
                characters(x) == characters(y) && parts(&a, &b)
            }
            (ExprKind::Decide(x, _), ExprKind::Decide(y, _)) => x == y && parts(&a, &b),
            (ExprKind::Call(x, _), ExprKind::Call(y, _)) => x == y && a.is_pure() && parts(&a, &b),
            (ExprKind::Perform(x, _), ExprKind::Perform(y, _)) => x == y && a.is_pure() && parts(&a, &b),
            (ExprKind::Get(x, _), ExprKind::Get(y, _)) => x == y && parts(&a, &b),
            _ => false,
        }
    }

    fn is_pure(&self) -> bool {
        self.expr.effect == Effect::Pure
    }

    /// Whether two calls are of the same with the same arguments, whatever it does.
    pub fn same_call(&self, other: &Term<'p>, program: &'p Program) -> bool {
        let arguments = |a: &'p [Expr], b: &'p [Expr]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.part(a).same(&other.part(b), program))
        };
        match (&self.expr.kind, &other.expr.kind) {
            (ExprKind::Call(x, a), ExprKind::Call(y, b)) => x == y && arguments(a, b),
            (ExprKind::Run(x, a), ExprKind::Run(y, b)) => x == y && arguments(a, b),
            (ExprKind::Perform(x, a), ExprKind::Perform(y, b)) => x == y && arguments(a, b),
            (ExprKind::Decide(x, a), ExprKind::Decide(y, b)) => x == y && arguments(a, b),
            _ => false,
        }
    }

    /// The locals of the outermost body that it depends on, through definitions.
    pub fn depends_on(&self, body: &Rc<Scope<'p>>, found: &mut BTreeSet<LocalId>) {
        self.depends_within(body, found, &mut Vec::new(), 0);
    }

    fn depends_within(
        &self,
        body: &Rc<Scope<'p>>,
        found: &mut BTreeSet<LocalId>,
        seen: &mut Vec<(LocalId, *const Scope<'p>)>,
        depth: usize,
    ) {
        if depth > DEEPEST {
            return;
        }
        let mut locals = Vec::new();
        self.expr.walk(&mut |inner| {
            if let ExprKind::Local(local) = inner.kind {
                locals.push((local, inner));
            }
        });
        for (local, inner) in locals {
            let at = (local, Rc::as_ptr(&self.scope));
            if seen.contains(&at) {
                continue;
            }
            seen.push(at);
            if Rc::ptr_eq(&self.scope, body) {
                found.insert(local);
            }
            if let Some(next) = self.part(inner).lookup(local) {
                next.depends_within(body, found, seen, depth + 1);
            }
        }
    }
}
