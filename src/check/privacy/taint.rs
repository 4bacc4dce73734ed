//! What a value carries: personal data, a secret, or whatever a parameter brings; and the way on which it came.

use crate::text::Span;
use ecow::EcoString;

/// Where something comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Origin {
    /// Something declared `pii`.
    Personal,
    /// Something declared `secret`.
    Secret,
    /// Decided by testing personal data in a table.
    Implied,
    /// What the parameter brings.
    Parameter(u32),
    /// Decided by testing what the parameter brings.
    Tested(u32),
    /// A yes or no about what the parameter brings: it tells of secrets, and of nothing else.
    Asked(u32),
}

impl Origin {
    /// Whether it is known, and does not hang on who calls.
    pub fn is_known(self) -> bool {
        matches!(self, Origin::Personal | Origin::Secret | Origin::Implied)
    }

    /// What is left of it in the outcome of a table that tests it.
    pub fn tested(self) -> Origin {
        match self {
            Origin::Personal | Origin::Implied => Origin::Implied,
            Origin::Secret => Origin::Secret,
            Origin::Parameter(at) | Origin::Tested(at) => Origin::Tested(at),
            Origin::Asked(at) => Origin::Asked(at),
        }
    }

    /// What is left of it in a yes or no: of personal data nothing, while a secret can be guessed by asking often enough.
    pub fn asked(self) -> Option<Origin> {
        match self {
            Origin::Personal | Origin::Implied => None,
            Origin::Secret => Some(Origin::Secret),
            Origin::Parameter(at) | Origin::Tested(at) | Origin::Asked(at) => Some(Origin::Asked(at)),
        }
    }
}

/// Names a step in [`Ways::steps`].
pub(super) type WayId = u32;

/// The beginning of a way: a parameter of the body that is looked at.
pub(super) const BEGINNING: WayId = u32::MAX;

/// One step on the way of a value.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub span: Span,
    pub what: What,
    /// The step before, or [`BEGINNING`].
    pub before: WayId,
}

/// What happens in a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// Declared `pii` or `secret`.
    Declared(EcoString, &'static str),
    /// Read from a field.
    Read(EcoString),
    /// Kept in a local.
    Kept(EcoString),
    /// Put into a field.
    Put(EcoString),
    /// Given to a callable.
    Handed(EcoString),
    /// Given by a callable.
    Given(EcoString),
    /// Tested by a table.
    Tested(EcoString),
    /// Which way is taken hangs on it.
    Decides,
}

impl What {
    /// In words, for a label.
    pub fn words(&self) -> String {
        match self {
            What::Declared(name, label) => format!("`{name}` is declared `{label}`"),
            What::Read(name) => format!("`{name}` is read"),
            What::Kept(name) => format!("`{name}` holds it"),
            What::Put(name) => format!("put into `{name}`"),
            What::Handed(name) => format!("handed to `{name}`"),
            What::Given(name) => format!("`{name}` gives it"),
            What::Tested(name) => format!("`{name}` tests it"),
            What::Decides => "which way is taken hangs on it".into(),
        }
    }
}

/// All steps of all ways.
#[derive(Debug, Default)]
pub(super) struct Ways {
    steps: Vec<Step>,
}

impl Ways {
    /// One more step behind another.
    pub fn step(&mut self, before: WayId, span: Span, what: What) -> WayId {
        let id = u32::try_from(self.steps.len()).unwrap_or(BEGINNING).min(BEGINNING - 1);
        if (id as usize) == self.steps.len() {
            self.steps.push(Step { span, what, before });
        }
        id
    }

    /// The steps up to this one, the first first.
    pub fn way(&self, last: WayId) -> Vec<&Step> {
        self.numbered(last).into_iter().map(|(_, step)| step).collect()
    }

    /// As [`Ways::way`], each with its number.
    pub fn numbered(&self, last: WayId) -> Vec<(WayId, &Step)> {
        let mut steps = Vec::new();
        let mut next = last;
        while let Some(step) = self.steps.get(next as usize) {
            steps.push((next, step));
            next = step.before;
        }
        steps.reverse();
        steps
    }
}

/// What a value carries, each with the first way on which it was seen to come; sorted, one entry an origin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Taint(Vec<(Origin, WayId)>);

impl Taint {
    /// Of one origin.
    pub fn of(origin: Origin, way: WayId) -> Taint {
        Taint(vec![(origin, way)])
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (Origin, WayId)> + '_ {
        self.0.iter().copied()
    }

    /// The way of an origin, if the value has it.
    pub fn way_of(&self, origin: Origin) -> Option<WayId> {
        self.0.binary_search_by_key(&origin, |(of, _)| *of).ok().and_then(|at| self.0.get(at)).map(|(_, way)| *way)
    }

    /// Adds an origin; says whether it is new. The first way stays.
    pub fn add(&mut self, origin: Origin, way: WayId) -> bool {
        match self.0.binary_search_by_key(&origin, |(of, _)| *of) {
            Ok(_) => false,
            Err(at) => {
                self.0.insert(at, (origin, way));
                true
            }
        }
    }

    /// Adds all of another; says whether something was new.
    pub fn join(&mut self, other: &Taint) -> bool {
        let mut grown = false;
        for (origin, way) in other.iter() {
            grown |= self.add(origin, way);
        }
        grown
    }

    /// With one more step on every way.
    pub fn stepped(&self, ways: &mut Ways, span: Span, what: &What) -> Taint {
        Taint(self.0.iter().map(|(origin, way)| (*origin, ways.step(*way, span, what.clone()))).collect())
    }

    /// What is left of it in a yes or no.
    pub fn asked(&self) -> Taint {
        let mut left = Taint::default();
        for (origin, way) in self.iter() {
            if let Some(origin) = origin.asked() {
                left.add(origin, way);
            }
        }
        left
    }

    /// What is left of it in a way that is taken because of it.
    pub fn decides(&self, ways: &mut Ways, span: Span) -> Taint {
        let mut left = Taint::default();
        for (origin, way) in self.iter() {
            let way = ways.step(way, span, What::Decides);
            left.add(origin.tested(), way);
        }
        left
    }

    /// What is left of it in the outcome of a table that tests it.
    pub fn tested(&self, ways: &mut Ways, span: Span, table: &EcoString) -> Taint {
        let mut left = Taint::default();
        for (origin, way) in self.iter() {
            let way = ways.step(way, span, What::Tested(table.clone()));
            left.add(origin.tested(), way);
        }
        left
    }
}

/// What a value of several parts carries: the keys of maps apart from all else. Records carry nothing themselves; their
/// fields do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Carried {
    /// The value itself, the elements of lists, the values of maps.
    pub values: Taint,
    /// The keys of maps.
    pub keys: Taint,
}

impl Carried {
    /// A value that is no map.
    pub fn plain(values: Taint) -> Carried {
        Carried { values, keys: Taint::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.keys.is_empty()
    }

    /// Adds all of another; says whether something was new.
    pub fn join(&mut self, other: &Carried) -> bool {
        let values = self.values.join(&other.values);
        self.keys.join(&other.keys) | values
    }

    /// With one more step on every way.
    pub fn stepped(&self, ways: &mut Ways, span: Span, what: &What) -> Carried {
        if self.is_empty() {
            return Carried::default();
        }
        Carried { values: self.values.stepped(ways, span, what), keys: self.keys.stepped(ways, span, what) }
    }

    /// Everything in one.
    pub fn whole(mut self) -> Taint {
        self.values.join(&self.keys);
        self.values
    }
}
