//! Bringing the store up to the program's entities: by itself where no record can be lost or made up, else
//! refused with everything that is in the way, at once.

use super::column;
use super::document;
use super::failure::{Done, internal};
use super::layout::{Declared, EntityLayout, FieldLayout, Layout, quoted};
use super::open::{Failure, read_layout};
use super::schema::{create_index, create_table, index_name, target};
use super::types::{Kind, Shape, Types, currency_of};
use crate::finding::Finding;
use crate::finding::catalogue::store::SCHEMA_CHANGE;
use crate::text::Span;
use crate::value::Value;
use rusqlite::{Connection, params_from_iter};

/// Changes the tables in one transaction and gives the new layout. The changes are noted in `rpa_schema`.
pub(super) fn migrate(connection: &Connection, types: &Types, place: &str) -> Result<Layout, Failure> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let outcome = (|| {
        // Another process may have migrated in the meantime.
        let layout = read_layout(connection)?;
        let mut work = Migration { connection, types, layout, changes: Vec::new(), refusals: Vec::new() };
        work.entities()?;
        if !work.refusals.is_empty() {
            return Err(Failure::Finding(refusal(&work.refusals, place)));
        }
        work.note()?;
        connection.execute_batch("COMMIT")?;
        Ok(work.layout)
    })();
    if outcome.is_err() && !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    outcome
}

struct Migration<'m> {
    connection: &'m Connection,
    types: &'m Types,
    layout: Layout,
    /// What was done, for people.
    changes: Vec<String>,
    /// What can't be done.
    refusals: Vec<Refusal>,
}

/// A change that the records in the store don't allow.
struct Refusal {
    span: Span,
    message: String,
    help: String,
}

const KEEP_KEY: &str = "keep the key, or give the entity another name and move its records with a script";

fn refusal(refusals: &[Refusal], place: &str) -> Finding {
    let message = match refusals {
        [only] => format!("the store `{place}` can't follow a change of the script: {}", only.message),
        many => format!("the store `{place}` can't follow {} changes of the script", many.len()),
    };
    let mut finding = match refusals.first() {
        Some(first) if refusals.len() == 1 => Finding::new(&SCHEMA_CHANGE, first.span, message).at("declared here"),
        Some(first) => Finding::new(&SCHEMA_CHANGE, first.span, message).at(first.message.clone()),
        None => Finding::without_place(&SCHEMA_CHANGE, message),
    };
    for refusal in refusals.iter().skip(1) {
        finding = finding.label(refusal.span, refusal.message.clone());
    }
    let mut help: Vec<&str> = Vec::new();
    for refusal in refusals {
        if !help.contains(&refusal.help.as_str()) {
            help.push(&refusal.help);
        }
    }
    finding.note("nothing was changed in the store").help(help.join("; "))
}

impl Migration<'_> {
    fn entities(&mut self) -> Done<()> {
        let types = self.types;
        // All are described before one is made: references may lead to a later one.
        let mut made = Vec::new();
        for (_, shape, key) in types.entities() {
            if !self.layout.entities.contains_key(shape.name.as_str()) {
                let table = self.layout.fresh_table(&shape.name);
                self.describe(shape, key, table)?;
                self.changes.push(format!("new entity {}", shape.name));
                made.push((shape, None));
            } else if let Some(table) = self.can_be_made_anew(shape, key)? {
                self.describe(shape, key, table.clone())?;
                self.changes.push(format!("entity {} made anew, having had no records", shape.name));
                made.push((shape, Some(table)));
            }
        }
        for table in made.iter().filter_map(|(_, table)| table.as_ref()) {
            self.connection.execute_batch(&format!("DROP TABLE {}", quoted(table)))?;
        }
        for (shape, _) in made {
            self.create(shape)?;
        }
        if self.refusals.is_empty() {
            for (_, shape, key) in types.entities() {
                self.entity(shape, key)?;
            }
        }
        Ok(())
    }

    /// Puts an entity into the layout.
    fn describe(&mut self, shape: &Shape, key: usize, table: String) -> Done<()> {
        let key_name = shape.field_names.get(key).map(ToString::to_string).unwrap_or_default();
        let mut entity = EntityLayout { table, key: key_name, fields: Vec::new(), retired: Vec::new() };
        for (position, name) in shape.field_names.iter().enumerate() {
            let declared = self.declared(shape, position)?;
            let columns = entity.fresh_columns(name, &declared.kind);
            entity.fields.push(described(name, &declared, columns));
        }
        self.layout.entities.insert(shape.name.to_string(), entity);
        Ok(())
    }

    fn declared(&self, shape: &Shape, position: usize) -> Done<Declared> {
        Declared::new(self.types, shape, position).ok_or_else(|| internal("a field that the program does not have"))
    }

    /// Makes the table of an entity that the layout describes.
    fn create(&mut self, shape: &Shape) -> Done<()> {
        let Some(entity) = self.layout.entities.get(shape.name.as_str()) else { return Ok(()) };
        let kinds: Vec<Kind> = shape.fields.iter().map(|field| self.types.kind(&field.ty).0).collect();
        self.connection.execute_batch(&create_table(self.types, entity, &kinds, &self.layout))?;
        for (field, kind) in entity.fields.iter().zip(&kinds) {
            if field.unique || field.index {
                self.connection.execute_batch(&create_index(entity, field, kind))?;
            }
        }
        Ok(())
    }

    /// A table without records may change in every way, by being dropped: gives its name.
    fn can_be_made_anew(&mut self, shape: &Shape, key: usize) -> Done<Option<String>> {
        let Some(entity) = self.layout.entities.get(shape.name.as_str()) else { return Ok(None) };
        let mut differs = shape.field_names.get(key).is_none_or(|name| *name != entity.key);
        for (position, name) in shape.field_names.iter().enumerate() {
            let declared = self.declared(shape, position)?;
            differs |= entity.field(name).is_none_or(|stored| !declared.is(stored));
        }
        let table = entity.table.clone();
        if !differs || self.count(&table, "1")? > 0 || self.holds_key(shape, key)? {
            return Ok(None);
        }
        Ok(Some(table))
    }

    /// Whether the key changes while there are records whose references are made for the old one.
    fn holds_key(&mut self, shape: &Shape, key: usize) -> Done<bool> {
        let declared = self.declared(shape, key)?;
        let Some(entity) = self.layout.entities.get(shape.name.as_str()) else { return Ok(false) };
        let stored = entity.field(&entity.key);
        let same_name = shape.field_names.get(key).is_some_and(|name| *name == entity.key);
        if same_name && stored.is_some_and(|stored| stored.kind == declared.kind.word()) {
            return Ok(false);
        }
        let to = format!("{} by ", shape.name);
        for (name, other) in self.layout.entities.iter().filter(|(name, _)| **name != *shape.name) {
            let refers = other.fields.iter().any(|field| field.kind == "reference" && field.detail.starts_with(&to));
            let count = if refers { self.count(&other.table, "1")? } else { 0 };
            if count > 0 {
                let message = format!(
                    "the key of {} is not the one in the store, and {name}, which refers to it, has {}",
                    shape.name,
                    records(count)
                );
                let span = shape.fields.get(key).map_or(shape.span, |field| field.span);
                self.refuse(span, message, KEEP_KEY);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How many records a condition holds for.
    fn count(&self, table: &str, condition: &str) -> Done<i64> {
        let text = format!("SELECT count(*) FROM {} WHERE {condition}", quoted(table));
        Ok(self.connection.query_row(&text, (), |row| row.get(0))?)
    }

    fn entity(&mut self, shape: &Shape, key: usize) -> Done<()> {
        let Some(mut entity) = self.layout.entities.get(shape.name.as_str()).cloned() else { return Ok(()) };
        if let Some(name) = shape.field_names.get(key)
            && *name != entity.key
        {
            let count = self.count(&entity.table, "1")?;
            self.refuse(
                shape.fields.get(key).map_or(shape.span, |field| field.span),
                format!(
                    "the key of {} is `{}` in the store and `{name}` here; it has {}",
                    shape.name,
                    entity.key,
                    records(count)
                ),
                KEEP_KEY,
            );
            return Ok(());
        }
        for (position, name) in shape.field_names.iter().enumerate() {
            let declared = self.declared(shape, position)?;
            match entity.fields.iter().position(|field| field.name == *name) {
                None => self.add(shape, position, &declared, &mut entity)?,
                Some(at) => self.change(shape, position, &declared, &mut entity, at)?,
            }
        }
        for at in 0..entity.fields.len() {
            let gone = entity
                .fields
                .get(at)
                .is_some_and(|field| !field.aside && !shape.field_names.iter().any(|name| *name == field.name));
            if gone {
                self.put_aside(shape, &mut entity, at)?;
            }
        }
        self.layout.entities.insert(shape.name.to_string(), entity);
        Ok(())
    }

    fn refuse(&mut self, span: Span, message: String, help: &str) {
        self.refusals.push(Refusal { span, message, help: help.to_string() });
    }

    /// A field that the store does not have yet.
    fn add(&mut self, shape: &Shape, position: usize, declared: &Declared, entity: &mut EntityLayout) -> Done<()> {
        let Some(name) = shape.field_names.get(position) else { return Ok(()) };
        let columns = entity.fresh_columns(name, &declared.kind);
        let target = match columns.as_slice() {
            // A reference over several columns can't be added to a table; the program keeps it all the same.
            [_] => target(self.types, &declared.kind, &self.layout),
            _ => None,
        };
        for (at, column) in columns.iter().enumerate() {
            let mut text = format!(
                "ALTER TABLE {} ADD COLUMN {} {}",
                quoted(&entity.table),
                quoted(column),
                declared.kind.sql_type(at)
            );
            if let Some((table, keys)) = &target
                && let [key] = keys.as_slice()
            {
                text.push_str(&format!(" REFERENCES {} ({})", quoted(table), quoted(key)));
            }
            self.connection.execute_batch(&text)?;
        }
        let mut field = described(name, declared, columns);
        field.optional = true;
        field.unique = false;
        field.index = false;
        if !declared.optional {
            self.require(shape, position, declared, entity, &mut field)?;
        }
        self.changes.push(format!("new field {}.{name}: {}", shape.name, declared.r#type));
        self.index(shape, position, declared, entity, &mut field)?;
        entity.fields.push(field);
        Ok(())
    }

    /// Gives every record a value of a field that must have one; refuses when there is none to give.
    fn require(
        &mut self,
        shape: &Shape,
        position: usize,
        declared: &Declared,
        entity: &EntityLayout,
        field: &mut FieldLayout,
    ) -> Done<()> {
        let Some(declaration) = shape.fields.get(position) else { return Ok(()) };
        let first = field.columns.first().map(|column| quoted(column)).unwrap_or_default();
        let table = quoted(&entity.table);
        let missing = self.count(&entity.table, &format!("{first} IS NULL"))?;
        if missing > 0 {
            if let Some(default) = &declaration.default {
                let parts = parts(&declared.kind, self.types, default)?;
                let sets: Vec<String> = field.columns.iter().map(|column| format!("{} = ?", quoted(column))).collect();
                let text = format!("UPDATE {table} SET {} WHERE {first} IS NULL", sets.join(", "));
                self.connection.execute(&text, params_from_iter(parts))?;
            } else if declaration.auto {
                let Some(key) = entity.field(&entity.key) else { return Ok(()) };
                let keys: Vec<String> = key.columns.iter().map(|column| quoted(column)).collect();
                let same: Vec<String> =
                    keys.iter().map(|column| format!("numbered.{column} = {table}.{column}")).collect();
                let keys = keys.join(", ");
                self.connection.execute_batch(&format!(
                    "UPDATE {table} SET {first} = numbered.rpa_number FROM \
                     (SELECT {keys}, (SELECT coalesce(max({first}), 0) FROM {table}) + row_number() OVER (ORDER BY {keys}) \
                     AS rpa_number FROM {table} WHERE {first} IS NULL) AS numbered WHERE {}",
                    same.join(" AND ")
                ))?;
            } else {
                let (name, ty) = (&field.name, &declared.r#type);
                let known = entity.field(name).is_some();
                let how = if known { "must have a value here" } else { "is new" };
                self.refuse(
                    declaration.span,
                    format!("`{name}: {ty}` {how}, and {} of {} would have none", records(missing), shape.name),
                    "give a field that is to have a value everywhere a default that is a plain value, or make it optional (`?`)",
                );
                return Ok(());
            }
        }
        for column in &field.columns {
            self.connection
                .execute_batch(&format!("ALTER TABLE {table} ALTER COLUMN {} SET NOT NULL", quoted(column)))?;
        }
        field.optional = false;
        Ok(())
    }

    fn relax(&self, entity: &EntityLayout, field: &mut FieldLayout) -> Done<()> {
        for column in &field.columns {
            self.connection.execute_batch(&format!(
                "ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL",
                quoted(&entity.table),
                quoted(column)
            ))?;
        }
        field.optional = true;
        Ok(())
    }

    /// Makes or drops the index of a field.
    fn index(
        &mut self,
        shape: &Shape,
        position: usize,
        declared: &Declared,
        entity: &EntityLayout,
        field: &mut FieldLayout,
    ) -> Done<()> {
        if (field.unique, field.index) == (declared.unique, declared.index) {
            return Ok(());
        }
        let name = &field.name;
        if declared.unique {
            let columns: Vec<String> = field.columns.iter().map(|column| quoted(column)).collect();
            let columns = columns.join(", ");
            let table = quoted(&entity.table);
            let doubled: i64 = self.connection.query_row(
                &format!(
                    "SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM {table} \
                     WHERE {} IS NOT NULL GROUP BY {columns} HAVING count(*) > 1)",
                    field.columns.first().map(|column| quoted(column)).unwrap_or_default()
                ),
                (),
                |row| row.get(0),
            )?;
            if doubled > 0 {
                let span = shape.fields.get(position).map_or(shape.span, |field| field.span);
                self.refuse(
                    span,
                    format!(
                        "`{name}` is to be unique, and {} of {} share their value with another",
                        records(doubled),
                        shape.name
                    ),
                    "change the values that are there twice, or leave `unique` out",
                );
                return Ok(());
            }
        }
        self.connection.execute_batch(&format!("DROP INDEX IF EXISTS {}", index_name(entity, field)))?;
        field.unique = declared.unique;
        field.index = declared.index;
        let change = match (declared.unique, declared.index) {
            (false, false) => format!("no index of {}.{name} any more", shape.name),
            (true, _) => format!("{}.{name} is unique", shape.name),
            _ => format!("new index of {}.{name}", shape.name),
        };
        if declared.unique || declared.index {
            self.connection.execute_batch(&create_index(entity, field, &declared.kind))?;
        }
        self.changes.push(change);
        Ok(())
    }

    /// A field that the store has in some form.
    fn change(
        &mut self,
        shape: &Shape,
        position: usize,
        declared: &Declared,
        entity: &mut EntityLayout,
        at: usize,
    ) -> Done<()> {
        let Some(stored) = entity.fields.get(at).cloned() else { return Ok(()) };
        if declared.is(&stored) {
            return Ok(());
        }
        let Some(declaration) = shape.fields.get(position) else { return Ok(()) };
        let (table, name) = (quoted(&entity.table), stored.name.clone());
        let first = stored.columns.first().map(|column| quoted(column)).unwrap_or_default();
        // How many values don't fit the new type.
        let unfit = match &declared.kind {
            kind if kind.word() != stored.kind => self.count(&entity.table, &format!("{first} IS NOT NULL"))?,
            Kind::Reference(..) if declared.detail != stored.detail => {
                self.count(&entity.table, &format!("{first} IS NOT NULL"))?
            }
            Kind::Enum(id) if declared.detail != stored.detail => {
                let members: Vec<&str> = self.types.members(*id).iter().map(|member| member.as_str()).collect();
                let members = serde_json::to_string(&members).map_err(|error| internal(error.to_string()))?;
                let text =
                    format!("SELECT count(*) FROM {table} WHERE {first} NOT IN (SELECT value FROM json_each(?1))");
                self.connection.query_row(&text, [members], |row| row.get(0))?
            }
            Kind::Document(ty) if declared.detail != stored.detail => {
                let mut statement =
                    self.connection.prepare(&format!("SELECT {first} FROM {table} WHERE {first} IS NOT NULL"))?;
                let mut rows = statement.query(())?;
                let mut unfit = 0;
                while let Some(row) = rows.next()? {
                    let text: String = row.get(0)?;
                    unfit += i64::from(document::read(ty, self.types, &text).is_err());
                }
                unfit
            }
            Kind::Money => match (currency_of(&declaration.ty), stored.columns.get(1)) {
                (Some(currency), Some(column)) => {
                    self.count(&entity.table, &format!("{} <> '{}'", quoted(column), currency.code()))?
                }
                _ => 0,
            },
            _ => 0,
        };
        if unfit > 0 {
            let (old, new) = (&stored.r#type, &declared.r#type);
            let what = if old == new {
                format!("`{name}: {new}` has lost values")
            } else {
                format!("`{name}` is `{old}` in the store and `{new}` here")
            };
            self.refuse(
                declaration.span,
                format!("{what}, and {} of {} would not fit", records(unfit), shape.name),
                "go back to the type that the store has, or give the new field another name and move the values with a script",
            );
            return Ok(());
        }
        if declared.kind.word() != stored.kind
            || (matches!(declared.kind, Kind::Reference(..)) && declared.detail != stored.detail)
        {
            // No record has a value: the old columns stay behind empty.
            let mut old = stored;
            if stored_key(entity, &old) {
                return Err(internal("a key without values in a table with records"));
            }
            self.relax(entity, &mut old)?;
            self.connection.execute_batch(&format!("DROP INDEX IF EXISTS {}", index_name(entity, &old)))?;
            entity.retired.extend(old.columns);
            entity.fields.remove(at);
            return self.add(shape, position, declared, entity);
        }
        let mut field = stored.clone();
        field.aside = false;
        field.r#type.clone_from(&declared.r#type);
        field.detail.clone_from(&declared.detail);
        if declared.optional && !stored.optional {
            self.relax(entity, &mut field)?;
        } else if stored.optional && !declared.optional {
            self.require(shape, position, declared, entity, &mut field)?;
        }
        self.index(shape, position, declared, entity, &mut field)?;
        if stored.aside {
            self.changes.push(format!("field {}.{name}: {} is back", shape.name, declared.r#type));
        } else if stored.r#type != declared.r#type || stored.detail != declared.detail {
            self.changes.push(format!("field {}.{name}: {}, was {}", shape.name, declared.r#type, stored.r#type));
        }
        if let Some(place) = entity.fields.get_mut(at) {
            *place = field;
        }
        Ok(())
    }

    /// A field that the script no longer has: its values stay, and new records have none.
    fn put_aside(&mut self, shape: &Shape, entity: &mut EntityLayout, at: usize) -> Done<()> {
        let Some(mut field) = entity.fields.get(at).cloned() else { return Ok(()) };
        if !field.optional {
            self.relax(entity, &mut field)?;
        }
        if field.unique || field.index {
            self.connection.execute_batch(&format!("DROP INDEX IF EXISTS {}", index_name(entity, &field)))?;
            field.unique = false;
            field.index = false;
        }
        field.aside = true;
        self.changes.push(format!("field {}.{} kept aside", shape.name, field.name));
        if let Some(place) = entity.fields.get_mut(at) {
            *place = field;
        }
        Ok(())
    }

    /// Writes down what was done and how the tables look now.
    fn note(&self) -> Done<()> {
        let mut statement = self
            .connection
            .prepare("INSERT INTO rpa_schema (at, change) VALUES (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), ?1)")?;
        for change in &self.changes {
            statement.execute([change])?;
        }
        let layout = serde_json::to_string(&self.layout).map_err(|error| internal(error.to_string()))?;
        self.connection.execute("UPDATE rpa_layout SET layout = ?1 WHERE id = 1", [layout])?;
        Ok(())
    }
}

fn stored_key(entity: &EntityLayout, field: &FieldLayout) -> bool {
    entity.key == field.name
}

fn described(name: &str, declared: &Declared, columns: Vec<String>) -> FieldLayout {
    FieldLayout {
        name: name.to_string(),
        r#type: declared.r#type.clone(),
        kind: declared.kind.word().to_string(),
        detail: declared.detail.clone(),
        columns,
        optional: declared.optional,
        unique: declared.unique,
        index: declared.index,
        aside: false,
    }
}

/// The values of the columns, owned.
fn parts(kind: &Kind, types: &Types, value: &Value) -> Done<Vec<rusqlite::types::Value>> {
    let mut out = Vec::new();
    column::write(kind, types, value, &mut |part| {
        out.push(part.owned());
        Ok(())
    })?;
    Ok(out)
}

fn records(count: i64) -> String {
    if count == 1 { "1 record".to_string() } else { format!("{count} records") }
}
