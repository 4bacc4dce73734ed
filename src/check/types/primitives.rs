//! The table of primitives, read once and found by name.

use crate::library::{Operation, PRIMITIVES, Signature};
use std::collections::HashMap;
use std::sync::OnceLock;

/// A primitive with its signature.
#[derive(Debug)]
pub(crate) struct Entry {
    pub operation: Operation,
    pub signature: Signature,
}

/// All primitives.
#[derive(Debug, Default)]
pub(crate) struct Primitives {
    /// `min`, `today` …
    pub functions: HashMap<&'static str, Entry>,
    /// Tasks by module and name.
    pub tasks: HashMap<&'static str, HashMap<&'static str, Entry>>,
    /// Methods and properties by name; several types may have one of the same name.
    pub methods: HashMap<&'static str, Vec<Entry>>,
    /// `csv`, `email` …
    pub modules: Vec<&'static str>,
}

impl Primitives {
    /// `module.name`
    pub fn task(&self, module: &str, name: &str) -> Option<&Entry> {
        self.tasks.get(module)?.get(name)
    }

    /// The names of a module's tasks.
    pub fn names_in(&self, module: &str) -> impl Iterator<Item = &'static str> + '_ {
        self.tasks.get(module).into_iter().flat_map(|tasks| tasks.keys().copied())
    }
}

/// The primitives of the language.
pub(crate) fn primitives() -> &'static Primitives {
    static TABLE: OnceLock<Primitives> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Primitives::default();
        for primitive in PRIMITIVES {
            // A test of the library holds that every signature can be read.
            let Ok(signature) = Signature::parse(primitive.signature) else { continue };
            let entry = Entry { operation: primitive.operation, signature };
            match (entry.signature.module, &entry.signature.receiver) {
                (Some(module), _) => {
                    if !table.modules.contains(&module) {
                        table.modules.push(module);
                    }
                    table.tasks.entry(module).or_default().insert(entry.signature.name, entry);
                }
                (None, Some(_)) => table.methods.entry(entry.signature.name).or_default().push(entry),
                (None, None) => {
                    table.functions.insert(entry.signature.name, entry);
                }
            }
        }
        table
    })
}
