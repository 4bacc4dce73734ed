//! The entities of a program, with the statements that keep their records.

use super::layout::{EntityLayout, FieldLayout, Layout, quoted};
use super::types::{Kind, Types};
use crate::value::{EcoString, RecordId};
use std::fmt::Write;

/// All entities of a program.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub types: Types,
    /// By record id; none for records that are no entities.
    entities: Vec<Option<Entity>>,
    /// All of them, each behind those that it refers to, as far as they do not refer to each other in a circle.
    pub order: Vec<RecordId>,
}

/// An entity: its table, its columns, its statements.
#[derive(Debug)]
pub(super) struct Entity {
    pub id: RecordId,
    pub name: EcoString,
    pub key: usize,
    /// Quoted.
    pub table: String,
    pub fields: Vec<FieldColumns>,
    /// Positions of the fields that are counted up.
    pub counted: Vec<usize>,
    /// Whether there are fields that refer to it.
    pub is_referred_to: bool,
    /// Its place in [`Schema::order`].
    pub rank: usize,
    /// `SELECT … WHERE key = ?`, all fields in order.
    pub get: String,
    /// `INSERT …`, all fields in order.
    pub insert: String,
    /// `DELETE … WHERE key = ?`
    pub delete: String,
}

/// Where a field is kept.
#[derive(Debug)]
pub(super) struct FieldColumns {
    pub name: EcoString,
    pub kind: Kind,
    pub optional: bool,
    pub unique: bool,
    /// Quoted.
    pub columns: Vec<String>,
    /// Not to be shown in messages.
    pub hidden: bool,
}

impl Schema {
    /// Puts types and layout together; fields that the layout does not have are a mistake of the migration.
    pub fn new(types: Types, layout: &Layout) -> Option<Schema> {
        let mut entities: Vec<Option<Entity>> = Vec::new();
        for (id, shape, key) in types.entities() {
            let stored = layout.entities.get(shape.name.as_str())?;
            let mut fields = Vec::with_capacity(shape.fields.len());
            for (name, field) in shape.field_names.iter().zip(&shape.fields) {
                let (kind, optional) = types.kind(&field.ty);
                let columns = stored.field(name)?.columns.iter().map(|column| quoted(column)).collect();
                fields.push(FieldColumns {
                    name: name.clone(),
                    kind,
                    optional,
                    unique: field.unique,
                    columns,
                    hidden: field.label.is_some(),
                });
            }
            let counted = (0..).zip(&shape.fields).filter(|(_, field)| field.auto).map(|(at, _)| at).collect();
            let entity = Entity::new(id, shape.name.clone(), key, quoted(&stored.table), fields, counted)?;
            let index = id.0 as usize;
            if entities.len() <= index {
                entities.resize_with(index + 1, || None);
            }
            if let Some(place) = entities.get_mut(index) {
                *place = Some(entity);
            }
        }
        let targets: Vec<RecordId> =
            entities.iter().flatten().flat_map(|entity| &entity.fields).filter_map(referred_to).collect();
        for entity in entities.iter_mut().flatten() {
            entity.is_referred_to = targets.contains(&entity.id);
        }
        let order = ordered(&entities);
        for (rank, id) in order.iter().enumerate() {
            if let Some(entity) = entities.get_mut(id.0 as usize).and_then(Option::as_mut) {
                entity.rank = rank;
            }
        }
        Some(Schema { types, entities, order })
    }

    /// An entity.
    pub fn entity(&self, id: RecordId) -> Option<&Entity> {
        self.entities.get(id.0 as usize)?.as_ref()
    }

    /// The fields that refer to an entity.
    pub fn referring(&self, to: RecordId) -> impl Iterator<Item = (&Entity, &FieldColumns)> {
        let fields = |entity| Entity::fields_of(entity).map(move |field| (entity, field));
        self.entities
            .iter()
            .flatten()
            .flat_map(fields)
            .filter(move |(_, field)| matches!(&field.kind, Kind::Reference(id, _) if *id == to))
    }
}

/// The entities, each behind those that it refers to; those of a circle in the order of the program.
fn ordered(entities: &[Option<Entity>]) -> Vec<RecordId> {
    let mut left: Vec<&Entity> = entities.iter().flatten().collect();
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_free = |entity: &&Entity| {
            let mut targets = entity.fields.iter().filter_map(referred_to).filter(|target| *target != entity.id);
            targets.all(|target| left.iter().all(|other| other.id != target))
        };
        let next = left.iter().position(is_free).unwrap_or(0);
        order.push(left.remove(next).id);
    }
    order
}

/// The entity that a field refers to.
fn referred_to(field: &FieldColumns) -> Option<RecordId> {
    match &field.kind {
        Kind::Reference(target, _) => Some(*target),
        _ => None,
    }
}

impl Entity {
    fn new(
        id: RecordId,
        name: EcoString,
        key: usize,
        table: String,
        fields: Vec<FieldColumns>,
        counted: Vec<usize>,
    ) -> Option<Entity> {
        let all: Vec<&str> = fields.iter().flat_map(|field| &field.columns).map(String::as_str).collect();
        let values = (1..=all.len()).map(|number| format!("?{number}")).collect::<Vec<_>>().join(", ");
        let columns = all.join(", ");
        let by_key = condition(&fields.get(key)?.columns, 1);
        Some(Entity {
            get: format!("SELECT {columns} FROM {table} WHERE {by_key}"),
            insert: format!("INSERT INTO {table} ({columns}) VALUES ({values})"),
            delete: format!("DELETE FROM {table} WHERE {by_key}"),
            id,
            name,
            key,
            table,
            fields,
            counted,
            is_referred_to: false,
            rank: 0,
        })
    }

    fn fields_of(entity: &Entity) -> std::slice::Iter<'_, FieldColumns> {
        entity.fields.iter()
    }

    /// The field that is the key.
    pub fn key_field(&self) -> Option<&FieldColumns> {
        self.fields.get(self.key)
    }
}

/// The statements that change sets of fields, made when they are first needed.
#[derive(Debug, Default)]
pub(super) struct Updates {
    /// By record id.
    known: Vec<Vec<(Box<[usize]>, String)>>,
}

impl Updates {
    /// `UPDATE … WHERE key = ?` for these fields; none when the entity does not have them.
    pub fn of(&mut self, entity: &Entity, changed: &[usize]) -> Option<&str> {
        let index = entity.id.0 as usize;
        if self.known.len() <= index {
            self.known.resize_with(index + 1, Vec::new);
        }
        let known = self.known.get_mut(index)?;
        let at = match known.iter().position(|(fields, _)| **fields == *changed) {
            Some(at) => at,
            None => {
                known.push((changed.into(), update(entity, changed)?));
                known.len() - 1
            }
        };
        known.get(at).map(|(_, text)| text.as_str())
    }
}

fn update(entity: &Entity, changed: &[usize]) -> Option<String> {
    let mut number = 0;
    let mut sets = String::new();
    for field in changed {
        for column in &entity.fields.get(*field)?.columns {
            number += 1;
            let comma = if sets.is_empty() { "" } else { ", " };
            let _ = write!(sets, "{comma}{column} = ?{number}");
        }
    }
    let by_key = condition(&entity.key_field()?.columns, number + 1);
    Some(format!("UPDATE {} SET {sets} WHERE {by_key}", entity.table))
}

/// `a = ?1 AND b = ?2`
pub(super) fn condition(columns: &[String], first: usize) -> String {
    (first..).zip(columns).map(|(number, column)| format!("{column} = ?{number}")).collect::<Vec<_>>().join(" AND ")
}

/// The statement that makes the table of an entity.
pub(super) fn create_table(types: &Types, entity: &EntityLayout, kinds: &[Kind], targets: &Layout) -> String {
    let mut text = format!("CREATE TABLE {} (\n", quoted(&entity.table));
    let mut behind = String::new();
    let mut rowid = false;
    for (field, kind) in entity.fields.iter().zip(kinds) {
        let is_key = field.name == entity.key;
        for (at, column) in field.columns.iter().enumerate() {
            let _ = write!(text, "  {}", definition(field, kind, at, column));
            if is_key && matches!(kind, Kind::Int) {
                // The number of the row itself: no second tree is needed.
                rowid = true;
                text.push_str(" PRIMARY KEY");
            }
            text.push_str(",\n");
        }
        if is_key && !rowid {
            let _ = writeln!(behind, "  PRIMARY KEY ({}),", list(&field.columns));
        }
        if let Some((table, columns)) = target(types, kind, targets) {
            let own = list(&field.columns);
            let _ = writeln!(behind, "  FOREIGN KEY ({own}) REFERENCES {} ({}),", quoted(&table), list(&columns));
        }
    }
    text.push_str(&behind);
    let end = text.trim_end_matches(",\n").len();
    text.truncate(end);
    text.push_str(if rowid { "\n) STRICT" } else { "\n) STRICT, WITHOUT ROWID" });
    text
}

/// A column in the words of SQL, without constraints that go over several columns.
fn definition(field: &FieldLayout, kind: &Kind, at: usize, column: &str) -> String {
    let required = if field.optional { "" } else { " NOT NULL" };
    format!("{} {}{required}", quoted(column), kind.sql_type(at))
}

/// Table and key columns that a reference leads to.
pub(super) fn target(types: &Types, kind: &Kind, targets: &Layout) -> Option<(String, Vec<String>)> {
    let Kind::Reference(id, _) = kind else { return None };
    let name = &types.shape(*id)?.name;
    let entity = targets.entities.get(name.as_str())?;
    let key = entity.field(&entity.key)?;
    Some((entity.table.clone(), key.columns.clone()))
}

/// The name of the index of a field; unlike a table's, it has a point.
pub(super) fn index_name(entity: &EntityLayout, field: &FieldLayout) -> String {
    let column = field.columns.first().map_or("", String::as_str);
    quoted(&format!("{}.{column}", entity.table))
}

/// The statement that makes the index of a field.
pub(super) fn create_index(entity: &EntityLayout, field: &FieldLayout, kind: &Kind) -> String {
    let unique = if field.unique { "UNIQUE " } else { "" };
    let mut columns = field.columns.clone();
    if matches!(kind, Kind::Money) {
        // Amounts of one currency lie together.
        columns.reverse();
    }
    let name = index_name(entity, field);
    format!("CREATE {unique}INDEX {name} ON {} ({})", quoted(&entity.table), list(&columns))
}

fn list(columns: &[String]) -> String {
    columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ")
}
