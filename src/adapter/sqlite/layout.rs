//! What the store remembers of the entities it holds: which table and columns each field has.
//!
//! It is kept as JSON in `rpa_layout`, and it remembers what a script no longer has, so that several scripts
//! can share a store, and a field that comes back finds its values.

use super::types::{Kind, Shape, Types};
use crate::check::program::Type;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// All entities, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Layout {
    pub entities: BTreeMap<String, EntityLayout>,
}

/// The table of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EntityLayout {
    pub table: String,
    /// The name of the key field.
    pub key: String,
    pub fields: Vec<FieldLayout>,
    /// Columns that no field has any more, and no field may have again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<String>,
}

/// The columns of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FieldLayout {
    pub name: String,
    /// The type as the script writes it.
    pub r#type: String,
    /// [`Kind::word`].
    pub kind: String,
    /// What further decides how values are written: the members of an enum, the entity of a reference, …
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    pub columns: Vec<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub unique: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub index: bool,
    /// The scripts no longer have it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub aside: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// A field as the script declares it.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    pub kind: Kind,
    pub optional: bool,
    pub unique: bool,
    pub index: bool,
    pub r#type: String,
    pub detail: String,
}

impl Declared {
    /// The declaration of the field at a position.
    pub fn new(types: &Types, shape: &Shape, position: usize) -> Option<Declared> {
        let field = shape.fields.get(position)?;
        let (kind, optional) = types.kind(&field.ty);
        let is_key = shape.key == Some(position);
        let detail = match &kind {
            Kind::Enum(id) => types.members(*id).join(", "),
            Kind::Reference(target, key) => {
                let shape = types.shape(*target);
                let name = shape.and_then(|shape| shape.field_names.get(shape.key?)).map_or("?", |name| name);
                format!("{} by {name}: {}", types.written(&Type::Record(*target)), key.word())
            }
            Kind::Document(ty) => types.expanded(ty),
            _ => String::new(),
        };
        Some(Declared {
            optional: optional && !is_key,
            // The key has an index of its own.
            unique: field.unique && !is_key,
            index: field.index && !field.unique && !is_key,
            r#type: types.written(&field.ty),
            detail,
            kind,
        })
    }

    /// Whether the stored field is exactly this one.
    pub fn is(&self, stored: &FieldLayout) -> bool {
        !stored.aside
            && stored.kind == self.kind.word()
            && stored.optional == self.optional
            && stored.unique == self.unique
            && stored.index == self.index
            && stored.r#type == self.r#type
            && stored.detail == self.detail
    }
}

impl Layout {
    /// Whether nothing is to be done for the program's entities.
    pub fn fits(&self, types: &Types) -> bool {
        types.entities().all(|(_, shape, key)| {
            let Some(stored) = self.entities.get(shape.name.as_str()) else { return false };
            shape.field_names.get(key).is_some_and(|name| *name == stored.key)
                && (0..shape.fields.len()).all(|position| {
                    let stored = shape.field_names.get(position).and_then(|name| stored.field(name));
                    let declared = Declared::new(types, shape, position);
                    stored.zip(declared).is_some_and(|(stored, declared)| declared.is(stored))
                })
                && stored
                    .fields
                    .iter()
                    .all(|field| field.aside || shape.field_names.iter().any(|name| *name == field.name))
        })
    }

    /// A name for a new table; SQLite does not tell small letters from capital ones.
    pub fn fresh_table(&self, entity: &str) -> String {
        let taken: BTreeSet<String> = self.entities.values().map(|entity| entity.table.to_ascii_lowercase()).collect();
        let lower = entity.to_ascii_lowercase();
        let reserved = lower.starts_with("sqlite_") || lower.starts_with("rpa_");
        let base = if reserved { format!("entity_{entity}") } else { entity.to_string() };
        fresh(&base, |name| taken.contains(&name.to_ascii_lowercase()))
    }
}

impl EntityLayout {
    /// The field with this name.
    pub fn field(&self, name: &str) -> Option<&FieldLayout> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Names for the columns of a new field.
    pub fn fresh_columns(&self, field: &str, kind: &Kind) -> Vec<String> {
        let fields = self.fields.iter().flat_map(|field| &field.columns);
        let taken: BTreeSet<String> = fields.chain(&self.retired).map(|column| column.to_ascii_lowercase()).collect();
        let name = |base: &str, suffix: &str| format!("{base}{suffix}");
        let base = fresh(field, |base| {
            kind.suffixes().iter().any(|suffix| taken.contains(&name(base, suffix).to_ascii_lowercase()))
        });
        kind.suffixes().iter().map(|suffix| name(&base, suffix)).collect()
    }
}

/// `base`, or `base_2` and so on when that is taken.
fn fresh(base: &str, taken: impl Fn(&str) -> bool) -> String {
    if !taken(base) {
        return base.to_string();
    }
    let mut number = 2_u64;
    loop {
        let name = format!("{base}_{number}");
        if !taken(&name) {
            return name;
        }
        number += 1;
    }
}

/// A name as SQL takes it, whatever letters it has.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
