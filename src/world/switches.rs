//! Kill switches: a project turns a class of effects off (`[effects]` in `rpa.toml`), and from then on none happens,
//! in processes that are at work too.

use std::fmt;
use std::sync::Arc;

/// A class of effects on the world outside of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EffectClass {
    /// Mail that leaves. While it is off, mail is held in the outbox.
    Email,
    /// Files that are written, moved or deleted. While it is off, they fail with `no_access`.
    Files,
    /// Calls of other systems. While it is off, they fail with `no_access`.
    Calls,
}

impl EffectClass {
    /// All classes.
    pub const ALL: [EffectClass; 3] = [EffectClass::Email, EffectClass::Files, EffectClass::Calls];

    /// What it is called in `rpa.toml`.
    pub fn word(self) -> &'static str {
        match self {
            EffectClass::Email => "email",
            EffectClass::Files => "files",
            EffectClass::Calls => "calls",
        }
    }
}

/// Which classes are off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EffectsOff {
    /// Mail is held.
    pub email: bool,
    /// Files stay as they are.
    pub files: bool,
    /// Nobody is called.
    pub calls: bool,
}

impl EffectsOff {
    /// Whether this class is off.
    pub fn is_off(self, class: EffectClass) -> bool {
        match class {
            EffectClass::Email => self.email,
            EffectClass::Files => self.files,
            EffectClass::Calls => self.calls,
        }
    }

    /// Turns a class off, or on again.
    pub fn set(&mut self, class: EffectClass, off: bool) {
        match class {
            EffectClass::Email => self.email = off,
            EffectClass::Files => self.files = off,
            EffectClass::Calls => self.calls = off,
        }
    }
}

/// Says which classes are off now; asked whenever an effect is about to happen.
pub trait SwitchReader: Send + Sync {
    /// Those that are off.
    fn off(&self) -> EffectsOff;
}

/// The kill switches of a project; without a reader everything is on.
#[derive(Clone, Default)]
pub struct Switches(Option<Arc<dyn SwitchReader>>);

impl Switches {
    /// The switches that a reader knows.
    pub fn new(reader: impl SwitchReader + 'static) -> Switches {
        Switches(Some(Arc::new(reader)))
    }

    /// Whether effects of this class must not happen now.
    pub fn is_off(&self, class: EffectClass) -> bool {
        self.0.as_ref().is_some_and(|reader| reader.off().is_off(class))
    }
}

impl fmt::Debug for Switches {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Switches").field(&self.0.as_ref().map(|reader| reader.off())).finish()
    }
}

impl PartialEq for Switches {
    fn eq(&self, other: &Switches) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            _ => false,
        }
    }
}

impl Eq for Switches {}
