//! The bodies of a program, what each does with what it is given, and the search for the state in which nothing
//! changes.

use super::WrittenLabels;
use super::sink::{Leak, Sink};
use super::taint::{BEGINNING, Carried, Origin, Taint, WayId, Ways, What};
use crate::check::boundaries::{Allowance, Boundaries};
use crate::check::hash::{HashMap, HashSet};
use crate::check::program::{Field, Parameter, Program, Type};
use crate::syntax::tree::Label;
use crate::text::Span;
use crate::value::{ErrorId, RecordId};
use ecow::EcoString;
use std::collections::{BTreeSet, VecDeque};

/// A body that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Node {
    Template(usize),
    Table(usize),
    Callable(usize),
    Flow(usize),
    Reaction(usize),
    Trigger(usize),
}

/// A field of a record, by record and position.
pub(super) type FieldKey = (RecordId, usize);

/// What a body does with what it is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Summary {
    /// What its result carries.
    pub result: Carried,
    /// Parameters that it puts into fields.
    pub stores: Vec<(Origin, FieldKey, WayId)>,
    /// What leaves through it, as far as that hangs on the caller.
    pub leaks: Vec<Leak>,
}

/// The most leaks that are kept of one body; the first of each kind come first, so that nothing goes unsaid.
pub(super) const MOST_LEAKS: usize = 64;

/// Something that leaves where it may not.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub leak: Leak,
    /// The place in the body that was looked at: the sink itself, or the call that leads there.
    pub here: Span,
}

/// The work.
pub(super) struct Analysis<'p> {
    pub program: &'p Program,
    pub boundaries: &'p Boundaries,
    pub labels: &'p WrittenLabels,
    pub ways: Ways,
    nodes: Vec<Node>,
    numbers: HashMap<Node, usize>,
    summaries: Vec<Summary>,
    /// What the locals of each body carry.
    locals: Vec<Vec<Carried>>,
    /// Who is looked at again when a body does something new.
    callers: Vec<BTreeSet<usize>>,
    /// What was put into fields that are not declared for it.
    fields: HashMap<FieldKey, Taint>,
    /// Who is looked at again when a field carries something new.
    readers: HashMap<FieldKey, BTreeSet<usize>>,
    /// Who turns whole records into texts.
    whole_readers: BTreeSet<usize>,
    declared: HashMap<Span, WayId>,
    of_types: HashMap<RecordId, (usize, Taint)>,
    field_version: usize,
    queue: VecDeque<usize>,
    queued: Vec<bool>,

    // The body that is looked at.
    pub at: usize,
    pub state: Vec<Carried>,
    pub texts: Vec<Option<Option<EcoString>>>,
    pub changed: bool,
    pub summary: Summary,
    /// The local of the step whose block is looked at.
    pub step: Option<usize>,
    /// What the way that is taken to here hangs on.
    pub context: Taint,
    /// What it hangs on that this is come to at all: conditions before, under which the body has given its value.
    pub passed: Taint,
    /// Whether there are secrets at all.
    pub has_secrets: bool,
    /// What leaves through bodies whatever they are given; found when it is asked for first.
    pub spoken: HashMap<Node, std::rc::Rc<Vec<(super::sink::Sink, Span)>>>,
    pub is_reporting: bool,
    pub found: Vec<Found>,
    pub allowances: BTreeSet<Allowance>,
    /// What is not shown by tools, by its place.
    pub private: std::collections::HashSet<Span>,
}

impl<'p> Analysis<'p> {
    pub fn new(program: &'p Program, boundaries: &'p Boundaries, labels: &'p WrittenLabels) -> Self {
        let mut nodes = Vec::new();
        nodes.extend((0..program.templates.len()).map(Node::Template));
        nodes.extend((0..program.tables.len()).map(Node::Table));
        nodes.extend((0..program.callables.len()).map(Node::Callable));
        nodes.extend((0..program.flows.len()).map(Node::Flow));
        nodes.extend((0..program.reactions.len()).map(Node::Reaction));
        nodes.extend((0..program.triggers.len()).map(Node::Trigger));
        let numbers = nodes.iter().enumerate().map(|(number, node)| (*node, number)).collect();
        let count = nodes.len();
        Analysis {
            program,
            boundaries,
            labels,
            ways: Ways::default(),
            nodes,
            numbers,
            summaries: vec![Summary::default(); count],
            locals: vec![Vec::new(); count],
            callers: vec![BTreeSet::new(); count],
            fields: HashMap::default(),
            readers: HashMap::default(),
            whole_readers: BTreeSet::new(),
            declared: HashMap::default(),
            of_types: HashMap::default(),
            field_version: 0,
            queue: (0..count).collect(),
            queued: vec![true; count],
            at: 0,
            state: Vec::new(),
            texts: Vec::new(),
            changed: false,
            summary: Summary::default(),
            step: None,
            context: Taint::default(),
            passed: Taint::default(),
            // A script that never says the word has none.
            has_secrets: program.sources.iter().any(|(_, source)| !source.is_library && source.text.contains("secret")),
            spoken: HashMap::default(),
            is_reporting: false,
            found: Vec::new(),
            allowances: BTreeSet::new(),
            private: std::collections::HashSet::new(),
        }
    }

    /// Looks at bodies until none does anything new.
    pub fn solve(&mut self) {
        while let Some(number) = self.queue.pop_front() {
            if let Some(queued) = self.queued.get_mut(number) {
                *queued = false;
            }
            self.look_at(number);
        }
    }

    /// Looks at every body once more, now that everything is known, and notes what leaves.
    pub fn collect(&mut self) {
        self.is_reporting = true;
        for number in 0..self.nodes.len() {
            self.look_at(number);
        }
    }

    fn enqueue(&mut self, number: usize) {
        if let Some(queued) = self.queued.get_mut(number)
            && !*queued
        {
            *queued = true;
            self.queue.push_back(number);
        }
    }

    fn look_at(&mut self, number: usize) {
        let Some(node) = self.nodes.get(number).copied() else { return };
        self.at = number;
        self.state = self.locals.get_mut(number).map(std::mem::take).unwrap_or_default();
        self.summary = self.summaries.get(number).cloned().unwrap_or_default();
        let before = self.summary.clone();
        loop {
            self.changed = false;
            self.texts.clear();
            (self.context, self.passed) = (Taint::default(), Taint::default());
            self.body(node);
            if !self.changed || self.is_reporting {
                break;
            }
        }
        if let Some(locals) = self.locals.get_mut(number) {
            *locals = std::mem::take(&mut self.state);
        }
        if self.is_reporting || self.summary == before {
            return;
        }
        if let Some(summary) = self.summaries.get_mut(number) {
            *summary = std::mem::take(&mut self.summary);
        }
        let callers: Vec<usize> = self.callers.get(number).into_iter().flatten().copied().collect();
        callers.into_iter().for_each(|caller| self.enqueue(caller));
    }

    /// What a body that is called does.
    pub fn summary_of(&mut self, node: Node) -> Summary {
        let Some(number) = self.numbers.get(&node).copied() else { return Summary::default() };
        if let Some(callers) = self.callers.get_mut(number) {
            callers.insert(self.at);
        }
        // A body that calls itself does what is known of it so far.
        if number == self.at { self.summary.clone() } else { self.summaries.get(number).cloned().unwrap_or_default() }
    }

    /// What the locals of a body carry at its beginning: its parameters bring what the caller gives, and what they are
    /// declared as.
    pub fn begin(&mut self, count: usize, parameters: &[Parameter]) {
        self.state.resize(count, Carried::default());
        self.texts.resize(count, None);
        for (index, parameter) in parameters.iter().enumerate() {
            let mut brought = Carried::default();
            let origin = Origin::Parameter(index as u32);
            if carries(&parameter.ty) {
                brought.values.add(origin, BEGINNING);
                if matches!(parameter.ty.present(), Type::Map(..)) {
                    brought.keys.add(origin, BEGINNING);
                }
            }
            if let Some((origin, way)) = self.written_label(parameter.span, &parameter.name) {
                brought.values.add(origin, way);
            }
            if let Some(state) = self.state.get_mut(index) {
                self.changed |= state.join(&brought);
            }
            if let Some(text) = self.texts.get_mut(index) {
                *text = Some(None);
            }
        }
    }

    /// What a name is declared as elsewhere than in a field.
    pub fn written_label(&mut self, span: Span, name: &EcoString) -> Option<(Origin, WayId)> {
        let label = *self.labels.get(&span)?;
        Some((origin_of(label), self.declared_way(span, name.clone(), label)))
    }

    pub fn declared_way(&mut self, span: Span, name: EcoString, label: Label) -> WayId {
        if let Some(way) = self.declared.get(&span) {
            return *way;
        }
        let way = self.ways.step(BEGINNING, span, What::Declared(name, word(label)));
        self.declared.insert(span, way);
        way
    }

    /// What reading a field gives, without the step of reading it.
    pub fn field(&mut self, key: FieldKey) -> Taint {
        let mut taint = self.declared_field(key);
        if !self.is_reporting {
            let at = self.at;
            self.readers.entry(key).or_default().insert(at);
        }
        if let Some(put) = self.fields.get(&key) {
            taint.join(put);
        }
        taint
    }

    fn declared_field(&mut self, (record, index): FieldKey) -> Taint {
        let Some(of) = self.program.records.get(record.0 as usize) else { return Taint::default() };
        match of.fields.get(index).and_then(|field| Some((field, field.label?))) {
            Some((field, label)) => {
                let name = ecow::eco_format!("{}.{}", of.name, field.name);
                let way = self.declared_way(field.span, name, label);
                Taint::of(origin_of(label), way)
            }
            None => Taint::default(),
        }
    }

    /// What a field of a failure is declared as.
    pub fn field_of_error(&mut self, error: ErrorId, index: usize) -> Taint {
        let Some(of) = self.program.errors.get(error.0 as usize) else { return Taint::default() };
        match of.fields.get(index).and_then(|field: &Field| Some((field, field.label?))) {
            Some((field, label)) => {
                let name = ecow::eco_format!("{}.{}", of.name, field.name);
                let way = self.declared_way(field.span, name, label);
                Taint::of(origin_of(label), way)
            }
            None => Taint::default(),
        }
    }

    /// Notes that a field carries something that it is not declared for.
    pub fn put_known(&mut self, key: FieldKey, origin: Origin, way: WayId) {
        if self.fields.entry(key).or_default().add(origin, way) {
            self.field_version += 1;
            let mut again: Vec<usize> = self.readers.get(&key).into_iter().flatten().copied().collect();
            again.extend(self.whole_readers.iter().copied());
            for number in again {
                self.enqueue(number);
            }
        }
    }

    /// The body that is looked at hangs on what whole records carry; it is looked at again when a field carries more.
    /// Where whole records leave at once, the last look at everything is enough.
    pub fn reads_whole_records(&mut self) {
        if !self.is_reporting {
            let at = self.at;
            self.whole_readers.insert(at);
        }
    }

    /// What whole values of a type carry in their fields, as far as it is known now.
    pub fn of_type(&mut self, ty: &Type) -> Taint {
        let mut taint = Taint::default();
        let mut open: Vec<RecordId> = Vec::new();
        records_of(ty, &mut open);
        for record in open {
            if let Some((version, known)) = self.of_types.get(&record)
                && *version == self.field_version
            {
                taint.join(known);
                continue;
            }
            let found = self.of_record(record);
            taint.join(&found);
            self.of_types.insert(record, (self.field_version, found));
        }
        taint
    }

    fn of_record(&mut self, first: RecordId) -> Taint {
        let mut taint = Taint::default();
        let (mut open, mut seen) = (vec![first], HashSet::from_iter([first]));
        while let Some(record) = open.pop() {
            let Some(of) = self.program.records.get(record.0 as usize) else { continue };
            for (index, field) in of.fields.iter().enumerate() {
                taint.join(&self.declared_field((record, index)));
                if let Some(put) = self.fields.get(&(record, index)) {
                    taint.join(put);
                }
                let mut inner = Vec::new();
                records_of(&field.ty, &mut inner);
                open.extend(inner.into_iter().filter(|record| seen.insert(*record)));
            }
        }
        taint
    }

    /// Notes that something leaves through the body that is looked at.
    pub fn leak(&mut self, leak: Leak, here: Span) {
        use super::sink::Pass;
        if leak.origin.is_known() {
            if self.is_reporting && leak.sink == Sink::Subject && leak.origin != Origin::Implied {
                self.private.insert(leak.span);
            }
            match leak.sink.lets_pass(leak.origin, self.boundaries) {
                Pass::Free => return,
                Pass::Allowed(allowance) => {
                    if self.is_reporting {
                        self.allowances.insert(allowance);
                    }
                    return;
                }
                Pass::No if leak.unless.is_empty() => {
                    if self.is_reporting && !self.is_library(here) {
                        self.found.push(Found { leak, here });
                    }
                    return;
                }
                Pass::No => {}
            }
        }
        if self.is_reporting || self.summary.leaks.len() >= MOST_LEAKS {
            return;
        }
        let is_known = self
            .summary
            .leaks
            .iter()
            .any(|other| other.origin == leak.origin && other.sink == leak.sink && other.unless == leak.unless);
        if !is_known {
            self.summary.leaks.push(leak);
            self.changed = true;
        }
    }

    fn is_library(&self, span: Span) -> bool {
        self.program.sources.get(span.source).is_none_or(|source| source.is_library)
    }
}

/// What a label declares.
pub(super) fn origin_of(label: Label) -> Origin {
    match label {
        Label::Pii => Origin::Personal,
        Label::Secret => Origin::Secret,
    }
}

fn word(label: Label) -> &'static str {
    match label {
        Label::Pii => "pii",
        Label::Secret => "secret",
    }
}

/// Whether values of a type carry something themselves; records do in their fields.
pub(super) fn carries(ty: &Type) -> bool {
    match ty {
        Type::Record(_)
        | Type::Reference(_)
        | Type::Query(_)
        | Type::Failure(_)
        | Type::Nothing
        | Type::Never
        | Type::Unknown => false,
        Type::List(inner) | Type::Optional(inner) | Type::Outcome(inner) => carries(inner),
        Type::Map(key, value) => carries(key) || carries(value),
        _ => true,
    }
}

/// The records that a value of a type holds, those inside of other records left out. A reference is written as a key.
fn records_of(ty: &Type, found: &mut Vec<RecordId>) {
    match ty {
        Type::Record(id) | Type::Query(id) => found.push(*id),
        Type::List(inner) | Type::Optional(inner) | Type::Outcome(inner) => records_of(inner, found),
        Type::Map(key, value) => {
            records_of(key, found);
            records_of(value, found);
        }
        _ => {}
    }
}
