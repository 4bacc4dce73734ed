//! What is known inside one body: its locals, which names they have where, and which values are known to be
//! there although their type is optional.

use super::hash::{HashMap, HashSet};
use crate::check::program::{Local, LocalId, StepId, Type};
use crate::syntax::tree::Label;
use crate::text::Span;
use ecow::EcoString;

/// What body is being checked; says which statements are at home in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum BodyKind {
    /// A function: computes, and acts on nothing.
    #[default]
    Function,
    /// A task: acts.
    Task,
    /// A flow, between its steps.
    Flow,
    /// The block of a step, or what undoes it.
    Step,
    /// A test.
    Test,
    /// A reactive rule.
    Reaction,
    /// A trigger.
    Trigger,
    /// A decision table, a constant, a default, a policy, a template: expressions alone.
    Expression,
    /// A clause of a policy.
    Policy,
    /// What is typed into the REPL.
    Entry,
}

/// What introduced a local; says how to speak of it and whether an unused one matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LocalKind {
    Parameter,
    Let,
    Var,
    Element,
    Step,
    /// `it`, the parameter of a lambda, what an event or a handler binds.
    Bound,
    Hidden,
}

/// What the program does not say of a local.
#[derive(Debug, Clone)]
pub(crate) struct LocalInfo {
    pub kind: LocalKind,
    pub label: Option<Label>,
    pub used: bool,
    /// Its `let`, when that can be taken away without changing anything else.
    pub statement: Option<Span>,
}

/// A value that can be known to be there: a local, or a field of one.
pub(crate) type Path = (LocalId, Vec<usize>);

/// A step of the flow that is being checked.
#[derive(Debug, Clone)]
pub(crate) struct StepName {
    pub id: StepId,
    pub span: Span,
    /// Set when the step has been checked and has a value.
    pub local: Option<LocalId>,
    /// Whether the check has passed it.
    pub seen: bool,
    /// Whether some `go to` leads to it.
    pub is_target: bool,
    /// How deep in blocks that can't be jumped into it stands; each with the place where the block begins.
    pub within: Vec<Span>,
    /// Whether it gives a value.
    pub has_value: bool,
}

/// One body.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub kind: BodyKind,
    pub locals: Vec<Local>,
    pub info: Vec<LocalInfo>,
    names: HashMap<EcoString, LocalId>,
    /// What to undo when a scope ends.
    log: Vec<(EcoString, Option<LocalId>)>,
    /// Optional values that are known to be there.
    present: HashSet<Path>,
    /// What to undo when a branch ends: true puts the path back, false takes it out.
    present_log: Vec<(Path, bool)>,
    /// The `it`s, the innermost last.
    pub its: Vec<LocalId>,
    /// The result that `return` must give, with the place where it is declared.
    pub result: Option<(Type, Span)>,
    /// Types that `give` has given, when a step's block is being checked.
    pub gives: Option<Vec<(Type, Span)>>,
    /// What the block of a step must give, when it is written.
    pub give_type: Option<(Type, Span)>,
    /// The steps of the flow, by name.
    pub steps: HashMap<EcoString, StepName>,
    /// How many locals there were where the block of the step began; those are the flow's.
    pub step_base: Option<usize>,
    /// Whether a jump leads nowhere, so that the ways through the flow are not what was meant.
    pub has_lost_jump: bool,
    /// How many findings there were when the body began.
    pub findings_before: usize,
    /// The steps of the flow that are finished, by number.
    pub checked_steps: Vec<Option<crate::check::program::Step>>,
    /// Blocks of the flow around the place that is being checked, which no `go to` may enter.
    pub within: Vec<Span>,
    /// The one call that may wait: the whole value of the step that is being checked.
    pub wait_at: Option<Span>,
    /// The blocks among `within` whose parts run side by side.
    pub side_by_side: HashSet<Span>,
    /// How the whole body is called: `the flow process_order`.
    pub title: EcoString,
}

impl Body {
    pub fn new(kind: BodyKind, title: impl Into<EcoString>) -> Self {
        Body { kind, title: title.into(), ..Body::default() }
    }

    /// A local, which may be nameless.
    pub fn add(&mut self, name: &str, ty: Type, span: Span, kind: LocalKind) -> LocalId {
        let id = LocalId(u32::try_from(self.locals.len()).unwrap_or(u32::MAX));
        self.locals.push(Local { name: name.into(), ty, span });
        self.info.push(LocalInfo { kind, label: None, used: false, statement: None });
        id
    }

    /// Gives a local its name in the current scope.
    pub fn bind(&mut self, name: &EcoString, id: LocalId) {
        let before = self.names.insert(name.clone(), id);
        self.log.push((name.clone(), before));
    }

    /// Makes a name free again.
    pub fn forget_name(&mut self, name: &str) {
        self.names.remove(name);
    }

    pub fn lookup(&self, name: &str) -> Option<LocalId> {
        self.names.get(name).copied()
    }

    /// The names of all locals that can be used here.
    pub fn names(&self) -> impl Iterator<Item = &EcoString> {
        self.names.keys()
    }

    pub fn local(&self, id: LocalId) -> Option<&Local> {
        self.locals.get(id.index())
    }

    pub fn local_type(&self, id: LocalId) -> Type {
        self.local(id).map_or(Type::Unknown, |local| local.ty.clone())
    }

    pub fn mark(&self) -> (usize, usize) {
        (self.log.len(), self.present_log.len())
    }

    /// Ends the scope that began at a mark: its names and what was known in it are gone.
    pub fn close(&mut self, mark: (usize, usize)) {
        while self.log.len() > mark.0 {
            let Some((name, before)) = self.log.pop() else { break };
            match before {
                Some(id) => self.names.insert(name, id),
                None => self.names.remove(&name),
            };
        }
        self.forget(mark.1);
    }

    /// Ends what was known since a mark, keeping the names.
    pub fn forget(&mut self, mark: usize) {
        while self.present_log.len() > mark {
            let Some((path, put_back)) = self.present_log.pop() else { break };
            if put_back {
                self.present.insert(path);
            } else {
                self.present.remove(&path);
            }
        }
    }

    /// From here on the value is known to be there.
    pub fn know(&mut self, path: Path) {
        if self.present.insert(path.clone()) {
            self.present_log.push((path, false));
        }
    }

    pub fn is_known(&self, path: &Path) -> bool {
        !self.present.is_empty() && self.present.contains(path)
    }

    /// A local has another value: what was known of it holds no longer.
    pub fn unknow(&mut self, local: LocalId) {
        let gone: Vec<Path> = self.present.iter().filter(|(id, _)| *id == local).cloned().collect();
        for path in gone {
            self.present.remove(&path);
            self.present_log.push((path, true));
        }
    }

    /// Code that can be reached from elsewhere: nothing is known of optional values but what its own tests say.
    pub fn unknow_all(&mut self) {
        let gone: Vec<Path> = self.present.drain().collect();
        self.present_log.extend(gone.into_iter().map(|path| (path, true)));
    }
}
